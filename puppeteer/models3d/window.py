"""The annotation tools in one window: lines over a head's front and side, morphs beside rest, by mouse and keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from puppeteer.errors import DisplayError, PuppeteerError
from puppeteer.models3d.photographer import Photographer, Shot
from puppeteer.models3d.renderer import View
from puppeteer.models3d.session import KEYS, Session
from puppeteer.models3d.truth import SPEC

SIDE = 480  # px of one picture
GAP = 8
GRAB = 9  # px: so near a line takes it
FONT = Path(__file__).resolve().parent.parent / "gui" / "fonts" / "NotoSansCJKjp-Regular-subset.otf"
BACK = np.array([0.35, 0.55, 0.4], np.float32)
HELP_HEAD = "Drag the two lines to the skull's top and the chin.   N next   B back   S leave out   M morphs"
_KEYS = "   ".join(f"{key} {meaning.replace('_', ' ')}" for key, meaning in KEYS.items())
HELP_MORPH = f"Left: rest, right: the morph.   arrows: other morphs   H heads   N next   B back   S leave out\n{_KEYS}"


def annotate(folder: Path, file: Path | None = None, everything: bool = False) -> None:
    """Until the window is closed. Raises PuppeteerError."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        raise DisplayError("no display is found for the window (DISPLAY is not set): run it on a desktop")
    session = Session(folder, file, everything)
    with Photographer() as photographer:
        _Window(session, photographer).run()


class _Window:
    def __init__(self, session: Session, photographer: Photographer) -> None:
        import dearpygui.dearpygui as dpg

        self.dpg: Any = dpg
        self.session, self.photographer = session, photographer
        self.heads = True
        self.dragged: str | None = None
        self.frame: tuple[float, float] = (0.0, 1.0)  # top and units a spec px of what is shown
        self.pending = True

    def run(self) -> None:
        dpg = self.dpg
        dpg.create_context()
        try:
            dpg.configure_app(manual_callback_management=True)
            self._build()
            dpg.create_viewport(title="Puppeteer: annotate models", width=2 * SIDE + 3 * GAP + 16, height=SIDE + 190)
            dpg.setup_dearpygui()
            dpg.show_viewport()
            dpg.set_primary_window("main", True)
            while dpg.is_dearpygui_running():
                for call in dpg.get_callback_queue() or []:
                    if call[0] is not None:
                        call[0](call[1], call[2])  # sender, what happened
                if self.pending:
                    self.pending = False
                    self._show()
                dpg.render_dearpygui_frame()
        finally:
            dpg.destroy_context()

    def _build(self) -> None:
        dpg = self.dpg
        with dpg.font_registry():
            if FONT.is_file():
                dpg.bind_font(dpg.add_font(str(FONT), 17))
        blank = np.zeros(SIDE * SIDE * 4, np.float32)
        with dpg.texture_registry():
            for name in ("one", "two"):
                dpg.add_raw_texture(SIDE, SIDE, blank, format=dpg.mvFormat_Float_rgba, tag=name)
        with dpg.window(tag="main", no_scrollbar=True):
            dpg.add_text("", tag="title")
            dpg.add_text(" ", tag="said", color=(230, 170, 60))
            with dpg.drawlist(2 * SIDE + GAP, SIDE, tag="pictures"):
                dpg.draw_image("one", (0, 0), (SIDE, SIDE))
                dpg.draw_image("two", (SIDE + GAP, 0), (2 * SIDE + GAP, SIDE))
                with dpg.draw_node(tag="lines"):
                    pass
            with dpg.group(horizontal=True):
                for label, action in (("Back", self._back), ("Next", self._next), ("Leave out", self._skip),
                                      ("Heads", self._to_heads), ("Morphs", self._to_morphs)):  # fmt: skip
                    dpg.add_button(label=label, callback=lambda _s, _a, do=action: do(), width=110)
            dpg.add_text("", tag="help", wrap=2 * SIDE)
        with dpg.handler_registry():
            dpg.add_key_press_handler(callback=lambda _s, key: self._key(key))
            dpg.add_mouse_down_handler(0, callback=lambda _s, _a: self._drag())
            dpg.add_mouse_release_handler(0, callback=lambda _s, _a: self._drop())

    # ---- what people do --------------------------------------------------------------------------------------

    def _key(self, key: int) -> None:
        dpg = self.dpg
        actions = {dpg.mvKey_N: self._next, dpg.mvKey_B: self._back, dpg.mvKey_S: self._skip,
                   dpg.mvKey_H: self._to_heads, dpg.mvKey_M: self._to_morphs}  # fmt: skip
        if key in actions:
            actions[key]()
        elif not self.heads:
            if key in (dpg.mvKey_Right, dpg.mvKey_Down, dpg.mvKey_Left, dpg.mvKey_Up):
                self._do(lambda: self.session.turn(1 if key in (dpg.mvKey_Right, dpg.mvKey_Down) else -1))
            for name, meaning in KEYS.items():
                if key == getattr(dpg, f"mvKey_{name}"):
                    self._do(lambda meaning=meaning: self.session.means(meaning))

    def _do(self, action: Any) -> None:
        try:
            action()
        except PuppeteerError as error:
            self.session.said = str(error)
        self.pending = True

    def _next(self) -> None:
        self._do(self.session.next)

    def _back(self) -> None:
        self._do(self.session.back)

    def _skip(self) -> None:
        self._do(self.session.skip)

    def _to_heads(self) -> None:
        self.heads, self.pending = True, True

    def _to_morphs(self) -> None:
        self.heads, self.pending = False, True

    def _row_of(self, height: float) -> float:
        """Row of the picture of a height in the model's units."""
        top, px = self.frame
        return ((top - height) / px + SPEC / 4) * SIDE / SPEC

    def _drag(self) -> None:
        if not self.heads:
            return
        x, y = self.dpg.get_mouse_pos(local=False)
        left, upper = self.dpg.get_item_rect_min("pictures")
        row = y - upper
        if not (0 <= row <= SIDE and left <= x <= left + 2 * SIDE + GAP):
            return
        a = self.session.annotation
        if self.dragged is None:
            near = {name: abs(self._row_of(h) - row) for name, h in (("top", a.top), ("chin", a.chin))}
            name = min(near, key=near.__getitem__)
            if near[name] > GRAB:
                return
            self.dragged = name
        top, px = self.frame
        self._height = top - (row * SPEC / SIDE - SPEC / 4) * px
        self._lines({self.dragged: self._height})

    def _drop(self) -> None:
        if self.dragged is not None:
            which, height, self.dragged = self.dragged, self._height, None
            self._do(lambda: self.session.line(which, height))

    # ---- what is shown ---------------------------------------------------------------------------------------

    def _lines(self, moved: dict[str, float] | None = None) -> None:
        dpg, a = self.dpg, self.session.annotation
        dpg.delete_item("lines", children_only=True)
        if not self.heads:
            return
        for name, height, colour in (("top", a.top, (235, 80, 80)), ("chin", a.chin, (80, 120, 240))):
            row = self._row_of((moved or {}).get(name, height))
            dpg.draw_line((0, row), (2 * SIDE + GAP, row), color=colour, thickness=2, parent="lines")

    def _show(self) -> None:
        dpg, s = self.dpg, self.session
        a, found = s.annotation, s.found
        assert found is not None and found.annotation is not None
        automatic = found.annotation  # the picture keeps its place while lines move in it
        self.frame = automatic.top, (automatic.top - automatic.chin) / (SPEC / 2)
        views: tuple[View, View] = ("front", "side") if self.heads else ("front", "front")
        shown = ((s.morphs[s.morph], 1.0),) if s.morphs and not self.heads else ()
        for tag, view, morphs in (("one", views[0], ()), ("two", views[1], shown)):
            try:
                rgba = self.photographer.draw(Shot(s.path, size=SIDE, view=view, morphs=morphs))
            except PuppeteerError as error:
                s.said = str(error)
                continue
            alpha = rgba[..., 3:].astype(np.float32) / 255
            rgb = rgba[..., :3].astype(np.float32) / 255 * alpha + BACK * (1 - alpha)
            dpg.set_value(tag, np.concatenate([rgb, np.ones_like(alpha)], -1).ravel())
        place = f"{s.at + 1}/{len(s.paths)}  {s.path.name}"
        if self.heads:
            place += f"   head {a.chin:.3f} to {a.top:.3f}"
        elif s.morphs:
            marked = ", ".join(s.meanings()) or "nothing"
            place += f"   morph {s.morph + 1}/{len(s.morphs)}  {found.model.morphs[s.morphs[s.morph]].name}: {marked}"
        dpg.set_value("title", place)
        unsure = f"unsure: {', '.join(a.unsure)}   " if a.unsure else ""
        missing = f"missing: {', '.join(a.missing)}   " if a.missing else ""
        dpg.set_value("said", unsure + missing + ("left out   " if s.mark.skipped else "") + s.said or " ")
        dpg.set_value("help", HELP_HEAD if self.heads else HELP_MORPH)
        self._lines()
