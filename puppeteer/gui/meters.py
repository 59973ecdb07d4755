"""Meters of the pose: what the tracker saw, what came of it and the range in use; in manual mode sliders instead.

The paper's six are always there. The others are unfolded below them, in the groups that their declarations name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import ACCENT, ACCENT_STRONG, CLEAR, FAINT, FIELD, MUTED, TEXT, Theme
from puppeteer.live import Meter
from puppeteer.pose import BY_NAME, NUMBERS, SIX, Pose

COLUMNS = 3
HEADER, CELL, GAP, TITLE, FOOT = 40, 58, 18, 26, 10  # px at scale 1
HEIGHT = HEADER + 2 * CELL + FOOT
OPEN_HEIGHT = HEIGHT + 3 * CELL  # unfolded, at most; the rest is scrolled to
SLIDER_TOP, SLIDER_HEIGHT = 22, 28
RAW_EDGES = {True: (-0.25, 1.25), False: (-2.2, 2.2)}  # what the raw scale shows, of eyes and mouth, and of the neck

# Rows of cells: the six, then each group of the others.
OTHERS = tuple(declared for declared in NUMBERS if declared.name not in SIX)
GROUPS: dict[str, tuple[str, ...]] = {"": SIX} | {
    group: tuple(declared.name for declared in OTHERS if declared.group == group)
    for group in dict.fromkeys(declared.group for declared in OTHERS)
}


class Meters:
    """The strip below the stage. `changed` gets a pose when a manual slider moves."""

    def __init__(self, theme: Theme, changed: Callable[[Pose], object], open_: bool = False) -> None:
        self._theme = theme
        self._changed = changed
        self._cells = {declared.name: _Cell(theme, declared.name) for declared in NUMBERS}
        self._titles: dict[str, Any] = {}
        self.sliders: dict[str, Any] = {}
        self.manual = False
        self.open = open_

    @property
    def height(self) -> int:
        """At scale 1, as it would like to be."""
        return OPEN_HEIGHT if self.open else HEIGHT

    @property
    def least(self) -> int:
        """At scale 1, in a low window; then it is scrolled."""
        return HEIGHT

    def build(self, parent: Any) -> None:
        px = self._theme.px
        self.area = dpg.add_child_window(parent=parent, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self.area, self._theme.panel)
        self._title = dpg.add_text(texts.FACE_METERS, parent=self.area, pos=(px(16), px(7)))
        dpg.bind_item_font(self._title, self._theme.fonts["bold"])
        self._rest = dpg.add_button(
            label=texts.REST_POSE, parent=self.area, show=False, callback=lambda: self.set_pose(Pose(), tell=True)
        )
        self._more = dpg.add_button(label="", parent=self.area, callback=self._fold)
        dpg.bind_item_theme(self._more, self._theme.quiet)
        self._scroll = dpg.add_child_window(parent=self.area, pos=(0, px(HEADER)))
        dpg.bind_item_theme(self._scroll, self._theme.bare)
        for group, names in GROUPS.items():
            if group:
                self._titles[group] = dpg.add_text(group, parent=self._scroll, color=FAINT)
                dpg.bind_item_font(self._titles[group], self._theme.fonts["small"])
            for name in names:
                self._cells[name].build(self._scroll)
                self.sliders[name] = slider = dpg.add_slider_float(
                    parent=self._scroll,
                    min_value=BY_NAME[name].low,
                    max_value=1.0,
                    format="",  # the value stands above, where no handle covers it
                    clamped=True,
                    show=False,
                    callback=lambda: self._changed(self.pose()),
                )
                with dpg.tooltip(slider, delay=0.4):
                    dpg.add_text(texts.NUMBER_TIP.format(label=BY_NAME[name].label, help=BY_NAME[name].help))
        self._show_folded()

    def place(self, x: int, y: int, width: int, height: int) -> None:
        """In pixels; the height may be less than `height` asks for."""
        px = self._theme.px
        dpg.configure_item(self.area, pos=(x, y), width=width, height=height)
        dpg.configure_item(self._scroll, width=width, height=height - px(HEADER), pos=(0, px(HEADER)))
        rest, more = px(104), px(150)
        dpg.configure_item(self._more, pos=(width - px(16) - more, px(5)), width=more)
        dpg.configure_item(self._rest, pos=(width - px(16) - more - px(8) - rest, px(5)), width=rest)
        cell = (width - 2 * px(16) - (COLUMNS - 1) * px(GAP)) / COLUMNS
        top = px(3)
        for group, names in GROUPS.items():
            if group:
                dpg.configure_item(self._titles[group], pos=(px(16), top + px(2)))
                top += px(TITLE)
            for index, name in enumerate(names):
                left = round(px(16) + (index % COLUMNS) * (cell + px(GAP)))
                down = top + (index // COLUMNS) * px(CELL)
                self._cells[name].place(left, down, round(cell))
                dpg.configure_item(self.sliders[name], pos=(left, down + px(SLIDER_TOP)), width=round(cell))
            top += -(-len(names) // COLUMNS) * px(CELL)

    def _fold(self) -> None:
        self.open = not self.open
        dpg.set_y_scroll(self._scroll, 0)
        self._show_folded()

    def _show_folded(self) -> None:
        dpg.configure_item(self._more, label=texts.FEWER_NUMBERS if self.open else texts.MORE_NUMBERS)
        dpg.configure_item(self._scroll, no_scrollbar=not self.open, no_scroll_with_mouse=not self.open)
        for title in self._titles.values():
            dpg.configure_item(title, show=self.open)
        for name, cell in self._cells.items():
            shown = self.open or name in SIX
            cell.show_as(shown, self.manual)
            dpg.configure_item(self.sliders[name], show=shown and self.manual)

    def set_manual(self, manual: bool) -> None:
        self.manual = manual
        dpg.set_value(self._title, texts.MANUAL_METERS if manual else texts.FACE_METERS)
        dpg.configure_item(self._rest, show=manual)
        self._show_folded()

    def pose(self) -> Pose:
        """As the sliders stand."""
        return Pose.from_names({name: dpg.get_value(slider) for name, slider in self.sliders.items()})

    def set_pose(self, pose: Pose, tell: bool = False) -> None:
        for name, slider in self.sliders.items():
            dpg.set_value(slider, getattr(pose, name))
        if tell:
            self._changed(pose)

    def typing(self) -> bool:
        return self.manual and any(dpg.is_item_active(slider) for slider in self.sliders.values())

    def show(self, meters: tuple[Meter, ...]) -> None:
        for meter in meters:
            if self.open or meter.name in SIX:
                value = dpg.get_value(self.sliders[meter.name]) if self.manual else meter.smoothed
                self._cells[meter.name].show(meter, value, self.manual)


class _Cell:
    """One meter, drawn by hand: name and value, the bar of the pose, below it the raw scale.

    In manual mode its drawing ends above the slider: what lies under the mouse gets the press.
    """

    def __init__(self, theme: Theme, name: str) -> None:
        self._theme = theme
        self.name = name
        self._width = 0.0

    def build(self, parent: Any) -> None:
        px = self._theme.px
        size, small = px(20), px(17)
        self._home = dpg.add_group(parent=parent)  # a drawlist alone cannot be placed
        self._list = dpg.add_drawlist(100, px(CELL), parent=self._home)
        self._label = dpg.draw_text((0, 0), BY_NAME[self.name].label, size=size, color=MUTED, parent=self._list)
        self._number = dpg.draw_text((0, 0), "", size=size, color=TEXT, parent=self._list)
        self._bars = dpg.add_draw_layer(parent=self._list)
        self._track = self._bar(FIELD, 4)
        self._fill = self._bar(ACCENT_STRONG, 3)
        self._tick = self._bar(TEXT, 1)
        self._raw = dpg.add_draw_layer(parent=self._list, show=False)
        self._scale = dpg.draw_line((0, 0), (1, 0), color=FIELD, thickness=px(2), parent=self._raw)
        self._range = dpg.draw_line((0, 0), (1, 0), color=FAINT, thickness=px(2), parent=self._raw)
        self._dot = dpg.draw_circle((0, 0), px(3), color=CLEAR, fill=ACCENT, parent=self._raw)
        self._words = dpg.draw_text((0, px(35)), "", size=small, color=FAINT, parent=self._raw)

    def _bar(self, colour: Any, rounding: float) -> Any:
        return dpg.draw_rectangle(
            (0, 0), (1, 1), color=CLEAR, fill=colour, rounding=self._theme.px(rounding), parent=self._bars
        )

    def place(self, left: int, top: int, width: int) -> None:
        px = self._theme.px
        self._width = width
        dpg.configure_item(self._home, pos=(left, top))
        dpg.configure_item(self._list, width=width)
        dpg.configure_item(self._label, pos=(0, -px(1)))
        dpg.configure_item(self._track, pmin=(0, px(20)), pmax=(width, px(28)))
        dpg.configure_item(self._scale, p1=(0, px(33)), p2=(width, px(33)))

    def show_as(self, shown: bool, manual: bool) -> None:
        px = self._theme.px
        dpg.configure_item(self._list, show=shown, height=px(SLIDER_TOP) if manual else px(CELL))
        dpg.configure_item(self._bars, show=not manual)
        if manual:
            dpg.configure_item(self._raw, show=False)

    def show(self, meter: Meter, value: float, manual: bool) -> None:
        px = self._theme.px
        low, high = meter.limits

        def at(place: float, ends: tuple[float, float]) -> float:
            return self._width * min(1.0, max(0.0, (place - ends[0]) / (ends[1] - ends[0])))

        rounded = round(value, 2) + 0.0  # no "-0.00"
        words = f"{rounded:+.2f}" if low < 0 else f"{rounded:.2f}"
        dpg.configure_item(self._number, text=words, pos=(self._width - len(words) * px(8.4), -px(1)))
        if manual:
            return
        zero, now = at(0.0, (low, high)), at(value, (low, high))
        left, right = min(zero, now), max(zero, now)
        dpg.configure_item(
            self._fill, pmin=(left, px(20)), pmax=(max(right, left + 1), px(28)), show=right - left > 0.5
        )
        tick = None if meter.calibrated is None else at(meter.calibrated, (low, high))
        dpg.configure_item(self._tick, show=tick is not None)
        if tick is not None:
            dpg.configure_item(self._tick, pmin=(tick - px(1), px(18)), pmax=(tick + px(1), px(30)))
        seen = meter.raw
        dpg.configure_item(self._raw, show=seen is not None)
        if seen is None:
            return
        edges = RAW_EDGES[low == 0]
        first = meter.low if low == 0 else 2 * meter.low - meter.high  # the neck's range goes both ways from neutral
        y = px(33)
        dpg.configure_item(self._range, p1=(at(first, edges), y), p2=(at(meter.high, edges), y))
        dpg.configure_item(self._dot, center=(at(seen, edges), y))
        dpg.configure_item(self._words, text=texts.METER_RAW.format(raw=seen, low=first, high=meter.high))
