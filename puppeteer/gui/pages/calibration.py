"""The guided calibration, in place of the page Motion."""

from __future__ import annotations

import math

from puppeteer.gui import texts
from puppeteer.gui.guide import STEPS, Guide
from puppeteer.gui.pages.panel import Now, Panel
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import ACCENT, BAD, CLEAR, FIELD_HOVER, GOOD, MUTED, TEXT, WARN
from puppeteer.live import Meter
from puppeteer.motion import Step

ABOUT: dict[Step, tuple[str, ...]] = {
    "neutral": ("neck_y",),
    "eyes_closed": ("eye_left", "eye_right"),
    "mouth_open": ("mouth_open",),
    "lips": ("mouth_form",),
    "corners": ("gaze_x",),
}


class CalibrationPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        px = panel.px
        with dpg.group(show=False) as self._group, panel.card(""):
            self._step = panel.note()
            self._title = dpg.add_text("", wrap=0)
            dpg.bind_item_font(self._title, panel.theme.fonts["large"])
            self._what = dpg.add_text("", wrap=0, color=MUTED)
            self._count = dpg.add_drawlist(px(300), px(150))
            middle = (px(150), px(74))
            self._ring = dpg.draw_circle(middle, px(58), color=FIELD_HOVER, thickness=px(7), parent=self._count)
            self._arc = dpg.draw_polyline([middle, middle], color=ACCENT, thickness=px(7), parent=self._count)
            self._digit = dpg.draw_text((0, 0), "", size=px(74), color=TEXT, parent=self._count)
            self._word = panel.note()
            self._bars = dpg.add_drawlist(px(300), px(8))
            for colour in (FIELD_HOVER, ACCENT):  # the track, then the bar
                self._bar = dpg.draw_rectangle(
                    (0, 0), (px(300), px(8)), color=CLEAR, fill=colour, rounding=px(4), parent=self._bars
                )
            self._face = panel.note()
            with dpg.group(horizontal=True):
                self._go = panel.button(texts.CALIBRATION_START, self._studio.start_calibration, panel.theme.primary)
                self._skip = panel.button(texts.CALIBRATION_SKIP, self._studio.skip_calibration, panel.theme.quiet)
                self._stop = panel.button(texts.CANCEL, self._studio.end_calibration)

    def show(self, now: Now) -> None:
        guide = self._studio.guide
        dpg.configure_item(self._group, show=guide is not None)
        if guide is None:
            return
        title, what = texts.STEPS[guide.asks]
        counting = guide.phase in ("ready", "settle", "hold")
        step = texts.STEP_OF.format(step=min(guide.index + 1, len(STEPS)), count=len(STEPS))
        if guide.phase == "intro":
            step, title, what = "", texts.CALIBRATION, texts.CALIBRATION_INTRO
        elif guide.phase == "done":
            step, title, what = "", texts.CALIBRATION_DONE, texts.CALIBRATION_DONE_NOTE
        elif guide.phase == "failed":
            what = texts.sentence(guide.problem)
        else:
            what = what.format(hold=guide.hold_s)
        dpg.set_value(self._step, step)
        dpg.configure_item(self._step, show=bool(step))
        dpg.set_value(self._title, title)
        dpg.set_value(self._what, what)
        dpg.configure_item(self._what, color=BAD if guide.phase == "failed" else MUTED)
        for item in (self._count, self._word, self._bars):
            dpg.configure_item(item, show=counting)
        if counting:
            self._show_counting(guide, now.meters, now.time_s)
        why = texts.sentence(self._studio.engine.why_no_calibration())
        found = now.status.face_found
        dpg.set_value(self._face, why or (texts.CALIBRATION_FACE if found else texts.CALIBRATION_NO_FACE))
        dpg.configure_item(self._face, color=GOOD if found and not why else WARN)
        told = guide.phase == "done" or (guide.phase == "failed" and not found)
        dpg.configure_item(self._face, show=not told)
        label = texts.CALIBRATION_AGAIN if guide.phase == "failed" else texts.CALIBRATION_START
        dpg.configure_item(self._go, label=label, show=guide.phase in ("intro", "failed"), enabled=not why)
        dpg.configure_item(self._skip, show=guide.may_skip)
        dpg.configure_item(self._stop, label=texts.CLOSE if guide.phase == "done" else texts.CANCEL)

    def _show_counting(self, guide: Guide, meters: tuple[Meter, ...], time_s: float) -> None:
        px = self._panel.px
        remaining = guide.remaining_s(time_s)
        digit = f"{max(1, -int(-remaining // 1)):d}" if guide.phase != "settle" else "..."
        dpg.configure_item(self._digit, text=digit, pos=(px(150) - len(digit) * px(18), px(34)))
        share = guide.share(time_s) if guide.phase == "hold" else 1 - guide.share(time_s)
        colour = GOOD if guide.phase == "hold" else ACCENT
        dpg.configure_item(self._arc, points=arc((px(150), px(74)), px(58), share), color=colour)
        words = texts.HOLD_IT if guide.phase != "ready" else texts.GET_READY
        dpg.set_value(self._word, words.format(seconds=max(1, -int(-remaining // 1))))
        # the numbers that this step is about, live
        about = [abs(meter.calibrated or 0.0) for meter in meters if meter.name in ABOUT[guide.asks]]
        value = sum(about) / max(1, len(about))
        dpg.configure_item(self._bar, pmax=(max(1.0, px(300) * min(1.0, value)), px(8)), fill=colour)


def arc(centre: tuple[float, float], radius: float, share: float) -> list[tuple[float, float]]:
    """Points of a circle from its top, clockwise."""
    count = max(2, round(64 * share) + 1)
    angles = [2 * math.pi * share * index / (count - 1) - math.pi / 2 for index in range(count)]
    return [(centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)) for angle in angles]
