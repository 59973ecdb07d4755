"""Six meters: what the tracker saw, what came of it, and the range in use; in manual mode six sliders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

from puppeteer.gui import texts
from puppeteer.gui.theme import ACCENT, ACCENT_STRONG, CLEAR, FAINT, FIELD, MUTED, TEXT, Theme
from puppeteer.live import Meter
from puppeteer.pose import BY_NAME, SIX, Pose

COLUMNS = 3
HEADER, CELL, GAP = 40, 54, 18  # px at scale 1
HEIGHT = HEADER + 2 * CELL + 14
RAW_EDGES = {True: (-0.25, 1.25), False: (-2.2, 2.2)}  # what the raw scale shows, of eyes and mouth, and of the neck


class Meters:
    """The strip below the stage. `changed` gets a pose when a manual slider moves."""

    def __init__(self, theme: Theme, changed: Callable[[Pose], object]) -> None:
        self._theme = theme
        self._changed = changed
        self._cells = [_Cell(theme, name) for name in SIX]
        self.sliders: dict[str, Any] = {}
        self.manual = False
        self._width = 0

    def build(self, parent: Any) -> None:
        px = self._theme.px
        self.area = dpg.add_child_window(parent=parent, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self.area, self._theme.panel)
        self._title = dpg.add_text(texts.FACE_METERS, parent=self.area, pos=(px(16), px(7)))
        dpg.bind_item_font(self._title, self._theme.fonts["bold"])
        self._rest = dpg.add_button(
            label=texts.REST_POSE, parent=self.area, show=False, callback=lambda: self.set_pose(Pose(), tell=True)
        )
        self._list = dpg.add_drawlist(100, 100, parent=self.area, pos=(0, 0))
        for cell in self._cells:
            cell.build(self._list)
        for name in SIX:
            self.sliders[name] = dpg.add_slider_float(
                parent=self.area,
                min_value=BY_NAME[name].low,
                max_value=1.0,
                format="%.2f",
                clamped=True,
                show=False,
                callback=lambda: self._changed(self.pose()),
            )

    def place(self, x: int, y: int, width: int) -> None:
        px = self._theme.px
        dpg.configure_item(self.area, pos=(x, y), width=width, height=px(HEIGHT))
        dpg.configure_item(self._list, width=width, height=px(HEIGHT))
        dpg.configure_item(self._rest, pos=(width - px(110), px(5)), width=px(94))
        cell_width = (width - 2 * px(16) - (COLUMNS - 1) * px(GAP)) / COLUMNS
        for index, (name, cell) in enumerate(zip(SIX, self._cells, strict=True)):
            left = px(16) + (index % COLUMNS) * (cell_width + px(GAP))
            top = px(HEADER) + (index // COLUMNS) * px(CELL + 4)
            cell.place(left, top, cell_width)
            dpg.configure_item(self.sliders[name], pos=(round(left), round(top + px(22))), width=round(cell_width))
        self._width = width

    def set_manual(self, manual: bool) -> None:
        self.manual = manual
        dpg.set_value(self._title, texts.MANUAL_METERS if manual else texts.FACE_METERS)
        dpg.configure_item(self._rest, show=manual)
        for slider in self.sliders.values():
            dpg.configure_item(slider, show=manual)
        for cell in self._cells:
            cell.show_bars(not manual)

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
        by_name = {meter.name: meter for meter in meters}
        for cell in self._cells:
            cell.show(by_name[cell.name], self.manual)


class _Cell:
    """One meter, drawn by hand: name and value, the bar of the pose, below it the raw scale."""

    def __init__(self, theme: Theme, name: str) -> None:
        self._theme = theme
        self.name = name
        self._left = self._top = self._width = 0.0
        self._value = self._raw = ""

    def build(self, parent: Any) -> None:
        px = self._theme.px
        size, small = px(20), px(17)
        self._label = dpg.draw_text((0, 0), BY_NAME[self.name].label, size=size, color=MUTED, parent=parent)
        self._number = dpg.draw_text((0, 0), "", size=size, color=TEXT, parent=parent)
        self._track = dpg.draw_rectangle((0, 0), (1, 1), color=CLEAR, fill=FIELD, rounding=px(4), parent=parent)
        self._fill = dpg.draw_rectangle((0, 0), (1, 1), color=CLEAR, fill=ACCENT_STRONG, rounding=px(3), parent=parent)
        self._tick = dpg.draw_rectangle((0, 0), (1, 1), color=CLEAR, fill=TEXT, rounding=px(1), parent=parent)
        self._scale = dpg.draw_line((0, 0), (1, 0), color=FIELD, thickness=px(2), parent=parent)
        self._range = dpg.draw_line((0, 0), (1, 0), color=FAINT, thickness=px(2), parent=parent)
        self._dot = dpg.draw_circle((0, 0), px(3), color=CLEAR, fill=ACCENT, parent=parent)
        self._words = dpg.draw_text((0, 0), "", size=small, color=FAINT, parent=parent)
        self._bars = (self._track, self._fill, self._tick, self._scale, self._range, self._dot, self._words)

    def place(self, left: float, top: float, width: float) -> None:
        px = self._theme.px
        self._left, self._top, self._width = left, top, width
        dpg.configure_item(self._label, pos=(left, top - px(2)))
        dpg.configure_item(self._track, pmin=(left, top + px(20)), pmax=(left + width, top + px(28)))
        dpg.configure_item(self._scale, p1=(left, top + px(33)), p2=(left + width, top + px(33)))
        dpg.configure_item(self._words, pos=(left, top + px(35)))

    def show_bars(self, shown: bool) -> None:
        for item in self._bars:
            dpg.configure_item(item, show=shown)

    def show(self, meter: Meter, manual: bool) -> None:
        px = self._theme.px
        low, high = meter.limits

        def at(value: float, ends: tuple[float, float]) -> float:
            share = (value - ends[0]) / (ends[1] - ends[0])
            return self._left + self._width * min(1.0, max(0.0, share))

        smoothed = round(meter.smoothed, 2) + 0.0  # no "-0.00"
        value = "" if manual else f"{smoothed:+.2f}" if low < 0 else f"{smoothed:.2f}"
        width = len(value) * px(8.4)
        dpg.configure_item(self._number, text=value, pos=(self._left + self._width - width, self._top - px(2)))
        if manual:
            return
        zero, now = at(0.0, (low, high)), at(meter.smoothed, (low, high))
        left, right = min(zero, now), max(zero, now)
        dpg.configure_item(
            self._fill, pmin=(left, self._top + px(20)), pmax=(max(right, left + 1), self._top + px(28)),
            show=right - left > 0.5,
        )  # fmt: skip
        tick = None if meter.calibrated is None else at(meter.calibrated, (low, high))
        dpg.configure_item(self._tick, show=tick is not None)
        if tick is not None:
            dpg.configure_item(
                self._tick, pmin=(tick - px(1), self._top + px(18)), pmax=(tick + px(1), self._top + px(30))
            )
        edges = RAW_EDGES[low == 0]
        first = meter.low if low == 0 else 2 * meter.low - meter.high  # the neck's range goes both ways from neutral
        y = self._top + px(33)
        dpg.configure_item(self._range, p1=(at(first, edges), y), p2=(at(meter.high, edges), y))
        dpg.configure_item(self._dot, show=meter.raw is not None)
        if meter.raw is not None:
            dpg.configure_item(self._dot, center=(at(meter.raw, edges), y))
        raw = texts.NOTHING if meter.raw is None else f"{meter.raw:.2f}"
        dpg.configure_item(self._words, text=texts.METER_RAW.format(raw=raw, low=first, high=meter.high))
