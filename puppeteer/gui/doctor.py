"""The picture doctor's panel: a picture before and after, what was noticed, and a square to drag onto the head."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from puppeteer.errors import PuppeteerError
from puppeteer.gui import texts
from puppeteer.gui.safe import dpg
from puppeteer.gui.stage import Box, Texture, fitted
from puppeteer.gui.theme import ACCENT, BACK, CLEAR, FAINT, MUTED, TEXT, WARN, Theme
from puppeteer.gui.treatment import Case, Head, Treated, corrected, treat
from puppeteer.image import premultiplied
from puppeteer.pose import U8
from puppeteer.prepare import Stroke

TILT_DEG = 30.0  # the slider's ends
LEAST_SIDE = 32.0  # px of the picture
ZOOM_STEP = 1.05
UNSEEN = 4  # frames after which a panel that should be there is made anew
GRIP = 16  # px at scale 1 around a corner
BRUSH, THINNEST, THICKEST = 12.0, 3.0, 60.0  # px at scale 1 on the screen: a brush's radius
GONE = np.array((150, 40, 60), np.float32)  # the colour over what a cut-out leaves away, while a brush is in hand
MOVE, KEEP, REMOVE = texts.DOCTOR_TOOLS
WIDTH, HEIGHT = 1040, 700  # px at scale 1, at most
CAPTION, NOTES, ROW = 26, 118, 44  # px at scale 1


class Doctor:
    """One panel at a time. `in_thread` runs slow work whose result is called in the window's thread; `use` gets the
    treated picture, and whether it shall be left as it is."""

    def __init__(
        self,
        theme: Theme,
        in_thread: Callable[[Callable[[], Callable[[], object]]], object],
        use: Callable[[Case, bool], object],
    ) -> None:
        self._theme = theme
        self._in_thread, self._use = in_thread, use
        self.case: Case | None = None
        self._window: Any = None
        self._before, self._after = Texture(), Texture()
        self._size = (0, 0)
        self._pane = Box(0, 0, 1, 1)
        self._shown: Any = None
        self._view = (1.0, 0.0, 0.0)  # px of the panel a px of the picture, and where its corner is
        self._grip = ""  # what the mouse holds: "move", "size", "brush"
        self._brush = BRUSH
        self._path: list[tuple[float, float]] = []  # of the stroke that is being drawn, in the picture
        self._at = (0.0, 0.0)
        self._turning = False
        self._unseen = 0  # frames in a row

    @property
    def is_open(self) -> bool:
        return self.case is not None

    def open(self, path: Path) -> None:
        self.close()
        self.case = Case(path)
        self._build()
        self._ask(None)

    def resume(self, case: Case | None) -> None:
        """Shows what another panel had open."""
        if case is not None:
            self.case = case
            self._build()

    def close(self) -> None:
        self.case = None
        self._delete()

    def _delete(self) -> None:
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None
            for texture in (self._before, self._after):
                texture.delete()

    # --- building

    def _build(self) -> None:
        self._delete()
        px = self._theme.px
        self._size = (dpg.get_viewport_client_width(), dpg.get_viewport_client_height())
        width = min(px(WIDTH), self._size[0] - px(32))
        height = min(px(HEIGHT), self._size[1] - px(32))
        with dpg.window(
            label=texts.DOCTOR,
            modal=True,
            no_resize=True,
            no_collapse=True,
            no_move=True,
            no_close=True,
            no_scrollbar=True,
            no_scroll_with_mouse=True,
            width=width,
            height=height,
            pos=((self._size[0] - width) // 2, (self._size[1] - height) // 2),
        ) as self._window:
            inner = width - 2 * px(14)
            pane = (inner - px(16)) // 2
            tall = height - px(34 + CAPTION + 3 * 8 + NOTES + 3 * ROW + 12)
            self._pane = Box(0, 0, pane, tall)
            with dpg.group(horizontal=True, horizontal_spacing=px(16)):
                lists = []
                captions = []
                for caption in (texts.DOCTOR_BEFORE, texts.DOCTOR_AFTER):
                    with dpg.group():
                        captions.append(dpg.add_text(caption, color=MUTED))
                        dpg.bind_item_font(captions[-1], self._theme.fonts["small"])
                        lists.append(dpg.add_drawlist(pane, tall))
            self._caption = captions[0]
            self._left, self._right = lists
            for pane_list in lists:
                dpg.draw_rectangle((0, 0), (pane, tall), color=CLEAR, fill=BACK, rounding=px(8), parent=pane_list)
            self._before_layer = dpg.add_draw_layer(parent=self._left)
            self._after_layer = dpg.add_draw_layer(parent=self._right)
            self._overlay = dpg.add_draw_layer(parent=self._left)
            corners = [(0.0, 0.0)] * 5
            self._box = dpg.draw_polyline(corners, color=ACCENT, thickness=px(2), parent=self._overlay)
            self._inner = dpg.draw_polyline(corners, color=(*ACCENT[:3], 110), thickness=px(1), parent=self._overlay)
            self._grips = [
                dpg.draw_circle((0, 0), px(5), color=BACK, fill=ACCENT, parent=self._overlay) for _ in range(4)
            ]
            self._brush_layer = dpg.add_draw_layer(parent=self._left)
            self._cursor = dpg.draw_circle((0, 0), 1, color=ACCENT, thickness=px(2), parent=self._brush_layer)
            self._trail = dpg.draw_polyline([(0, 0), (0, 0)], color=(*ACCENT[:3], 120), parent=self._brush_layer)
            self._waiting = [
                dpg.draw_text((px(16), px(14)), "", size=px(20), color=FAINT, parent=pane_list) for pane_list in lists
            ]
            with dpg.child_window(width=-1, height=px(NOTES), always_use_window_padding=True) as area:
                self._notes = dpg.add_group()
            dpg.bind_item_theme(area, self._theme.stage_card)
            with dpg.group(horizontal=True):
                dpg.add_text(texts.DOCTOR_TILT, color=MUTED)
                self._tilt = dpg.add_slider_float(
                    min_value=-TILT_DEG,
                    max_value=TILT_DEG,
                    format="",  # the value stands beside, where no handle covers it
                    clamped=True,
                    width=px(260),
                    callback=lambda _, value: self._turned(value),
                )
                self._reset = dpg.add_button(label=texts.DOCTOR_RESET, callback=self._as_found)
                dpg.bind_item_theme(self._reset, self._theme.quiet)
                self._degrees = dpg.add_text("")  # last: it moves nothing when it grows
            with dpg.group(horizontal=True):
                dpg.add_text(texts.DOCTOR_TOOL, color=MUTED)
                self._tool = dpg.add_radio_button(
                    texts.DOCTOR_TOOLS, horizontal=True, default_value=MOVE, callback=lambda: self._picked()
                )
                self._undo = dpg.add_button(label=texts.DOCTOR_UNDO, callback=self._undone, show=False)
                dpg.bind_item_theme(self._undo, self._theme.quiet)
            with dpg.group(horizontal=True):
                widths = {texts.CANCEL: px(100), texts.DOCTOR_AS_IT_IS: px(150), texts.DOCTOR_USE: px(150)}
                dpg.add_spacer(width=max(1, inner - sum(widths.values()) - 3 * px(8)))
                dpg.add_button(label=texts.CANCEL, width=widths[texts.CANCEL], callback=lambda: self.close())
                self._as_it_is = dpg.add_button(
                    label=texts.DOCTOR_AS_IT_IS,
                    width=widths[texts.DOCTOR_AS_IT_IS],
                    callback=lambda: self._done(True),
                )
                self._take = dpg.add_button(
                    label=texts.DOCTOR_USE, width=widths[texts.DOCTOR_USE], callback=lambda: self._done(False)
                )
                dpg.bind_item_theme(self._take, self._theme.primary)
        self._shown, self._unseen = None, 0

    # --- work

    def _ask(self, head: Head | None) -> None:
        case = self.case
        if case is None:
            return
        case.asked += 1
        number, known, strokes = case.asked, case.treated, case.strokes

        def work() -> Callable[[], object]:
            try:
                treated = (
                    treat(case.path) if head is None or known is None else corrected(known, head, case.found, strokes)
                )
            except PuppeteerError as error:
                problem = error
                return lambda: self._failed(case, number, problem)
            except Exception as error:  # a picture that nobody foresaw
                first = (str(error).strip().splitlines() or [""])[0]
                text = texts.DOCTOR_FAILED.format(name=case.path.name, failure=f"{type(error).__name__}: {first}")
                unforeseen = PuppeteerError(text)
                return lambda: self._failed(case, number, unforeseen)
            return lambda: self._have(case, number, treated)

        self._in_thread(work)

    def _have(self, case: Case, number: int, treated: Treated) -> None:
        case.had = max(case.had, number)
        if number < case.asked or self.case is not case:  # the user has moved on
            return
        case.treated, case.problem = treated, ""
        case.head = treated.head if not self._grip else case.head
        case.found = case.found or treated.head
        self._shown = None

    def _failed(self, case: Case, number: int, problem: PuppeteerError) -> None:
        case.had = max(case.had, number)
        if self.case is not case:
            return
        if case.treated is None:  # no picture at all: nothing to show here
            self.close()
            raise problem
        case.problem, self._shown = str(problem), None

    def _as_found(self) -> None:
        if self.case is not None and self.case.found is not None:
            self.case.head = self.case.found
            self._ask(self.case.head)

    def _turned(self, tilt_deg: float) -> None:
        if self.case is not None and self.case.head is not None:
            self.case.head = replace(self.case.head, tilt_deg=round(tilt_deg))
            self._turning = True

    def _picked(self) -> None:
        """Another tool."""
        self._shown = None

    def _undone(self) -> None:
        if self.case is not None and self.case.strokes:
            self.case.strokes = self.case.strokes[:-1]
            self._ask(self.case.head)

    def _painting(self) -> bool:
        """Whether the brush is in hand."""
        return self._window is not None and dpg.get_value(self._tool) != MOVE

    def _done(self, as_it_is: bool) -> None:
        case = self.case
        if case is not None and case.treated is not None and (as_it_is or not case.busy):
            self.close()
            self._use(case, as_it_is)

    # --- a frame

    def show(self) -> None:
        """Once a frame."""
        case = self.case
        if case is None:
            return
        # Dear PyGui does not show what opens while another dialog is closing.
        self._unseen = 0 if dpg.is_item_visible(self._window) else self._unseen + 1
        if self._unseen >= UNSEEN or self._size != (dpg.get_viewport_client_width(), dpg.get_viewport_client_height()):
            self._build()
        if self._turning and not dpg.is_item_active(self._tilt):
            self._turning = False
            self._ask(case.head)
        state = (case.treated, case.busy, case.problem)
        if state != self._shown:
            self._shown = state
            self._show_case(case)
        self._show_head(case)

    def _show_case(self, case: Case) -> None:
        treated = case.treated
        dpg.configure_item(self._take, enabled=treated is not None and not case.busy)
        dpg.configure_item(self._as_it_is, enabled=treated is not None)
        dpg.configure_item(self._undo, show=bool(case.strokes))
        dpg.set_value(self._caption, texts.DOCTOR_BRUSH if self._painting() else texts.DOCTOR_BEFORE)
        dpg.configure_item(self._waiting[0], text=texts.DOCTOR_LOOKING if treated is None else "")
        dpg.configure_item(self._waiting[1], text=texts.DOCTOR_AGAIN if treated is not None and case.busy else "")
        dpg.delete_item(self._notes, children_only=True)
        if treated is None:
            return
        lines = [(case.problem, WARN)] if case.problem else []
        notes = [note.replace(texts.DOCTOR_NOT_HERE, "") for note in treated.prepared.notes]
        lines += [(note, TEXT) for note in notes] or [(texts.DOCTOR_WELL, MUTED)]
        for note, colour in lines:
            with dpg.group(horizontal=True, parent=self._notes):
                dpg.add_text("•", color=colour)
                dpg.add_text(texts.sentence(note), wrap=self._theme.px(WIDTH - 120), color=colour)
        if not case.busy:
            self._show_pictures(treated)

    def _show_pictures(self, treated: Treated) -> None:
        height, width = treated.before.shape[:2]
        across = [0.0, width, *(x for x, _ in treated.head.corners())]
        down = [0.0, height, *(y for _, y in treated.head.corners())]
        margin = 2 * GRIP
        room = Box(margin, margin, self._pane.width - 2 * margin, self._pane.height - 2 * margin)
        seen = fitted((round(max(across) - min(across)), round(max(down) - min(down))), room)
        scale = seen.width / (max(across) - min(across))
        self._view = (scale, seen.left - min(across) * scale, seen.top - min(down) * scale)
        low = self._to_panel(0, 0)
        high = self._to_panel(width, height)
        size = (max(1, round(high[0] - low[0])), max(1, round(high[1] - low[1])))
        before = on_checks(treated.before, size)
        if self._painting():
            cut = cv2.resize(treated.prepared.picture[..., 3], size, interpolation=cv2.INTER_AREA)
            gone = (1 - cut[..., None] / np.float32(255)) * (before.any(-1, keepdims=True)) * np.float32(0.7)
            before = np.asarray(before + gone * (GONE - before), np.uint8)
        self._paint(self._before, self._before_layer, before, low)
        side = int(min(self._pane.width, self._pane.height)) - 2
        corner = ((self._pane.width - side) / 2, (self._pane.height - side) / 2)
        self._paint(
            self._after, self._after_layer, on_checks(treated.prepared.character.at(side), (side, side)), corner
        )

    def _paint(self, texture: Texture, layer: Any, rgb: U8, corner: tuple[float, float]) -> None:
        height, width = rgb.shape[:2]
        texture.resize(width, height)
        texture.write(rgb)
        dpg.delete_item(layer, children_only=True)
        dpg.draw_image(texture.item, corner, (corner[0] + width, corner[1] + height), parent=layer)

    def _show_head(self, case: Case) -> None:
        head = case.head
        painting = self._painting()
        dpg.configure_item(self._overlay, show=head is not None and not painting)
        over = self._pane.holds(*self._at)
        dpg.configure_item(self._cursor, show=painting and over, center=self._at, radius=self._theme.px(self._brush))
        path = [self._to_panel(*point) for point in self._path]
        dpg.configure_item(self._trail, show=painting and len(path) > 1)
        if len(path) > 1:
            dpg.configure_item(self._trail, points=path, thickness=2 * self._theme.px(self._brush))
        dpg.configure_item(self._reset, show=head is not None and head != case.found)
        if head is None:
            return
        outer = [self._to_panel(*corner) for corner in head.corners()]
        inner = [self._to_panel(*corner) for corner in head.corners(0.5)]
        dpg.configure_item(self._box, points=[*outer, outer[0]])
        dpg.configure_item(self._inner, points=[*inner, inner[0]])
        for grip, corner in zip(self._grips, outer, strict=True):
            dpg.configure_item(grip, center=corner)
        if not dpg.is_item_active(self._tilt):
            dpg.set_value(self._tilt, round(head.tilt_deg))
        dpg.set_value(self._degrees, f"{round(head.tilt_deg)}°")

    # --- the mouse

    def mouse(self, wheel: float) -> None:
        """Once a frame, after rendering: drag moves the square, its corners resize it, so does the wheel."""
        case = self.case
        if case is None or case.head is None or self._window is None:
            return
        left, top = dpg.get_item_rect_min(self._left)
        x, y = dpg.get_mouse_pos(local=False)
        place = (x - left, y - top)
        if self._painting():
            self._at = place
            self._brush_moved(case, place, wheel)
            return
        if self._grip:  # the way to where it is let go counts too
            case.head = self._dragged(case.head, place)
        if not dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            if self._grip:
                self._grip = ""
                self._ask(case.head)
        elif not self._grip and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left) and self._pane.holds(*place):
            self._grip = self._gripped(case.head, place)
        self._at = place
        if wheel and self._pane.holds(*place) and not self._grip:
            case.head = replace(case.head, side=max(LEAST_SIDE, case.head.side * ZOOM_STEP**wheel))
            self._ask(case.head)

    def _brush_moved(self, case: Case, place: tuple[float, float], wheel: float) -> None:
        if wheel and self._pane.holds(*place):
            self._brush = min(THICKEST, max(THINNEST, self._brush * ZOOM_STEP ** (3 * wheel)))
        if self._grip == "brush":
            self._path.append(self._to_picture(*place))
        if not dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            if self._grip == "brush":
                radius = max(1.0, self._theme.px(self._brush) / self._view[0])
                keep = dpg.get_value(self._tool) == KEEP
                case.strokes = (*case.strokes, Stroke(keep, tuple(self._path), radius))
                self._ask(case.head)
            self._grip, self._path = "", []
        elif not self._path and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left) and self._pane.holds(*place):
            self._grip, self._path = "brush", [self._to_picture(*place)]

    def keys(self) -> None:
        if self.is_open and dpg.is_key_pressed(dpg.mvKey_Escape):
            self.close()

    def _gripped(self, head: Head, place: tuple[float, float]) -> str:
        near = min(math.dist(self._to_panel(*corner), place) for corner in head.corners())
        if near <= self._theme.px(GRIP):
            return "size"
        return "move" if head.holds(*self._to_picture(*place)) else ""

    def _dragged(self, head: Head, place: tuple[float, float]) -> Head:
        if self._grip == "move":
            scale = self._view[0]
            return replace(
                head, x=head.x + (place[0] - self._at[0]) / scale, y=head.y + (place[1] - self._at[1]) / scale
            )
        away = math.dist((head.x, head.y), self._to_picture(*place))
        return replace(head, side=max(LEAST_SIDE, away * math.sqrt(2)))

    def _to_panel(self, x: float, y: float) -> tuple[float, float]:
        scale, left, top = self._view
        return left + x * scale, top + y * scale

    def _to_picture(self, x: float, y: float) -> tuple[float, float]:
        scale, left, top = self._view
        return (x - left) / scale, (y - top) / scale


def on_checks(rgba: U8, size: tuple[int, int]) -> U8:
    """(height, width, 3): a picture at another size, over the checks that stand for transparency."""
    width, height = size
    method = cv2.INTER_AREA if width < rgba.shape[1] else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(premultiplied(rgba), size, interpolation=method), np.float32)
    rows, columns = np.mgrid[:height, :width] // 10
    checks = np.where((rows + columns) % 2, 58, 46).astype(np.float32)[..., None]
    return np.asarray(small[..., :3] + checks * (1 - small[..., 3:] / 255), np.uint8)
