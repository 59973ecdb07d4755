"""Widgets made from the settings tree: one row per setting, with its name, its value, a way back and a tooltip.

The value of a slider stands beside it, where no handle covers it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from puppeteer.by_name import Leaf, leaves
from puppeteer.gui import texts
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import MUTED, TEXT, Theme
from puppeteer.settings import STUDIO, Settings

LOG_RATIO = 100  # a slider whose ends are further apart than this goes in powers
LABEL_WIDTH, VALUE_WIDTH = 138, 58  # px at scale 1


@dataclass(slots=True)
class _Row:
    leaves: tuple[Leaf, ...]  # several where one slider sets a whole group
    widget: Any
    reset: Any
    tip: Any  # of the reset; Dear PyGui shows the tooltip even of what is hidden
    words: Any = None  # beside a slider
    shown: Any = None  # the value that the widget shows
    waiting: bool = False  # edited, to be applied when the edit ends


class Controls:
    """Every widget that was made from a leaf. `change(names, value)` is called with what the user chose."""

    def __init__(self, theme: Theme, change: Callable[[Sequence[str], Any], object]) -> None:
        self._theme = theme
        self._change = change
        self._rows: list[_Row] = []
        self._settings: Settings | None = None
        self._stale = True
        self._all = {leaf.name: leaf for leaf in leaves(STUDIO, STUDIO)}
        self._icon = _reset_icon(theme.px(18))

    @property
    def widgets(self) -> dict[str, Any]:
        """By dotted name; of widgets that set several, by the names joined with commas."""
        return {",".join(leaf.name for leaf in row.leaves): row.widget for row in self._rows}

    def names(self, prefix: str) -> list[str]:
        """The settings right below a group, in the order of the tree."""
        return [name for name in self._all if name.rpartition(".")[0] == prefix]

    def table(self, names: Iterable[str | Sequence[str]]) -> None:
        """A row for each name, or for each group of names that are set together, in the current container."""
        with self.columns():
            for name in names:
                group = (name,) if isinstance(name, str) else tuple(name)
                with dpg.table_row():
                    self._row(tuple(self._all[one] for one in group))

    @contextlib.contextmanager
    def columns(self) -> Iterator[None]:
        """A table whose rows are a label, a widget and room for the way back."""
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
            dpg.add_table_column(width_fixed=True, init_width_or_weight=self._theme.px(LABEL_WIDTH))
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True, init_width_or_weight=self._theme.px(22))
            yield

    def show(self, settings: Settings) -> None:
        """Once a frame: edits that have ended are applied, and the widgets follow what changed elsewhere."""
        if settings is self._settings and not self._stale:
            return
        self._settings, self._stale = settings, any(row.waiting for row in self._rows)
        values = {leaf.name: leaf.value for leaf in leaves(settings, STUDIO)}
        for row in self._rows:
            if row.waiting and not dpg.is_item_active(row.widget):
                row.waiting = False
                self._chosen(row, dpg.get_value(row.widget))
                continue
            if row.waiting:
                continue
            value = values[row.leaves[0].name]
            if value != row.shown and not dpg.is_item_active(row.widget):
                dpg.set_value(row.widget, _to_widget(row.leaves[0], value))
            row.shown = value
            if row.words is not None:
                dpg.set_value(row.words, _words(row.leaves[0], value))
            changed = any(values[leaf.name] != leaf.default for leaf in row.leaves)
            dpg.configure_item(row.reset, show=changed)
            dpg.configure_item(row.tip, show=changed)

    def typing(self) -> bool:
        """Whether a widget has the keyboard."""
        return any(row.leaves[0].type is not bool and dpg.is_item_active(row.widget) for row in self._rows)

    def _row(self, group: tuple[Leaf, ...]) -> None:
        leaf = group[0]
        label = dpg.add_text(texts.setting(leaf.name), color=MUTED)
        words: Any = None
        if _slides(leaf):
            with dpg.group(horizontal=True):
                widget = self._widget(leaf)
                words = dpg.add_text("", color=TEXT)
        else:
            widget = self._widget(leaf)
        reset = dpg.add_image_button(
            self._icon, width=self._theme.px(18), height=self._theme.px(18), show=False, tint_color=MUTED
        )
        dpg.bind_item_theme(reset, self._theme.quiet_icon)
        with dpg.tooltip(reset, delay=0.2, show=False) as tip:
            dpg.add_text(texts.RESET.format(value=_words(leaf, leaf.default)))
        row = _Row(group, widget, reset, tip, words)
        self._rows.append(row)
        dpg.set_item_callback(widget, lambda _, value: self._edited(row, value))
        dpg.set_item_callback(reset, lambda: self._reset(row))
        help_text = texts.sentence(leaf.help) + "."
        for item in (label, widget):
            with dpg.tooltip(item, delay=0.4):
                dpg.add_text(help_text, wrap=self._theme.px(300))
                if leaf.type is not bool and not leaf.choices:
                    dpg.add_text(f"{leaf.allowed}", color=MUTED, wrap=self._theme.px(300))
                dpg.add_text(", ".join(one.name for one in group), color=MUTED, wrap=self._theme.px(300))

    def _widget(self, leaf: Leaf) -> Any:
        value = _to_widget(leaf, leaf.value)
        if leaf.type is bool:
            return dpg.add_checkbox(default_value=value)
        if leaf.choices:
            return dpg.add_combo([str(choice) for choice in leaf.choices], default_value=value, width=-1)
        if leaf.type is str:
            return dpg.add_input_text(default_value=value, width=-1, hint="–")
        room = -self._theme.px(VALUE_WIDTH)
        if leaf.typed:
            return dpg.add_input_int(
                default_value=value,
                min_value=int(leaf.low or 0),
                max_value=int(leaf.high or 100),
                min_clamped=True,
                max_clamped=True,
                step=0,
                width=-1,
            )
        if leaf.type is int:
            return dpg.add_slider_int(
                default_value=value,
                min_value=int(leaf.low or 0),
                max_value=int(leaf.high or 100),
                format="",
                clamped=True,
                width=room,
            )
        if _is_log(leaf):  # the slider's own value is the place between the ends
            return dpg.add_slider_float(
                default_value=value, min_value=0, max_value=1, no_input=True, format="", width=room
            )
        return dpg.add_slider_float(
            default_value=value,
            min_value=leaf.low or 0.0,
            max_value=leaf.high or 1.0,
            format="",
            clamped=True,
            width=room,
        )

    def _edited(self, row: _Row, value: Any) -> None:
        # What is typed, and what goes in steps (sizes, rates: they restart a stage), waits for the end of the edit.
        leaf = row.leaves[0]
        if (leaf.type in (str, int) or leaf.step) and dpg.is_item_active(row.widget):
            row.waiting = self._stale = True
        else:
            self._chosen(row, value)

    def _chosen(self, row: _Row, value: Any) -> None:
        row.shown, self._stale = None, True  # so that a refused value is put back
        self._change([leaf.name for leaf in row.leaves], _from_widget(row.leaves[0], value))

    def _reset(self, row: _Row) -> None:
        row.shown, self._stale = None, True
        for leaf in row.leaves:
            self._change([leaf.name], leaf.default)


def _is_log(leaf: Leaf) -> bool:
    return leaf.type is float and bool(leaf.low) and (leaf.high or 0) / (leaf.low or 1) >= LOG_RATIO


def _slides(leaf: Leaf) -> bool:
    return leaf.type in (int, float) and not leaf.choices and not leaf.typed


def _to_widget(leaf: Leaf, value: Any) -> Any:
    if leaf.choices:
        return str(value)
    if _is_log(leaf):
        assert leaf.low is not None and leaf.high is not None
        return math.log(value / leaf.low) / math.log(leaf.high / leaf.low)
    return value


def _from_widget(leaf: Leaf, value: Any) -> Any:
    if leaf.choices:
        return next(choice for choice in leaf.choices if str(choice) == value)
    if leaf.type is int:
        step = max(1, round(leaf.step))
        return max(round(leaf.low or 0), round(value / step) * step)
    if _is_log(leaf):
        assert leaf.low is not None and leaf.high is not None
        return min(leaf.high, max(leaf.low, float(f"{leaf.low * (leaf.high / leaf.low) ** value:.3g}")))
    if leaf.type is float:
        if leaf.step:
            value = round(value / leaf.step) * leaf.step
        return min(leaf.high or math.inf, max(-math.inf if leaf.low is None else leaf.low, round(value, 3)))
    return value


def _words(leaf: Leaf, value: Any) -> str:
    if leaf.type is bool:
        return "on" if value else "off"
    if leaf.name in texts.ZERO and not value:
        return texts.ZERO[leaf.name]
    number = f"{round(value, 2):g}" if isinstance(value, int | float) else str(value) or "–"
    return f"{number} {texts.UNITS.get(leaf.name.rsplit('.', 1)[-1], leaf.unit)}".strip()


def _reset_icon(size: int) -> Any:
    """An arrow that turns back, white, as a texture of `size` pixels."""
    big = size * 8
    image = Image.new("L", (big, big))
    draw = ImageDraw.Draw(image)
    edge, width = big * 0.18, round(big * 0.1)
    draw.arc((edge, edge, big - edge, big - edge), -60, 210, fill=255, width=width)
    tip, reach = big * 0.5, big * 0.23
    draw.polygon(
        [(tip - reach * 0.55, edge + width / 2), (tip + reach * 0.6, edge - reach * 0.75 + width / 2),
         (tip + reach * 0.6, edge + reach * 0.75 + width / 2)],
        fill=255,
    )  # fmt: skip
    alpha = np.asarray(image.resize((size, size), Image.Resampling.LANCZOS), np.float32) / 255
    pixels = np.ones((size, size, 4), np.float32)
    pixels[..., 3] = alpha
    with dpg.texture_registry():
        return dpg.add_static_texture(size, size, pixels.ravel())
