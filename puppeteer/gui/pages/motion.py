"""The page Motion: calibration, behaviour, and how each tracked number follows the face."""

from __future__ import annotations

from collections.abc import Sequence

from puppeteer.gui import texts
from puppeteer.gui.pages.calibration import CalibrationPage
from puppeteer.gui.pages.panel import Now, Panel
from puppeteer.gui.safe import dpg
from puppeteer.pose import BY_NAME, EXPRESSIVE, SIX


class MotionPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        controls = panel.controls
        self._home = dpg.add_group()
        dpg.push_container_stack(self._home)
        with panel.card(texts.CALIBRATION):
            self._state = panel.note()
            with dpg.group(horizontal=True):
                panel.button(texts.GUIDED, self._studio.calibrate, panel.theme.primary)
                self._forget = panel.button(texts.FORGET, self._studio.forget_calibration, panel.theme.quiet)
        with panel.card(texts.BEHAVIOUR):
            controls.table(controls.names("motion"))
        for title in dict.fromkeys(BY_NAME[name].group for name in SIX):
            members = [name for name in SIX if BY_NAME[name].group == title]
            lasts = [name.rpartition(".")[2] for name in controls.names(f"motion.{members[0]}")]
            with panel.card(title):
                panel.note(texts.FOLLOWS.get(title, ""))
                controls.table([[f"motion.{name}.{last}" for name in members] for last in lasts])
                if len(members) > 1:
                    panel.fold(lambda members=members: self._each(members))  # type: ignore[misc]
        with panel.card(texts.EXPRESSIVE):
            panel.note(texts.FOLLOWS[texts.EXPRESSIVE])
            panel.fold(lambda: self._each(EXPRESSIVE))
        dpg.pop_container_stack()
        self.calibration = CalibrationPage(panel)

    def _each(self, members: Sequence[str]) -> None:
        for name in members:
            dpg.bind_item_font(dpg.add_text(BY_NAME[name].label), self._panel.theme.fonts["bold"])
            self._panel.controls.table(self._panel.controls.names(f"motion.{name}"))

    def show(self, now: Now) -> None:
        dpg.configure_item(self._home, show=self._studio.guide is None)
        self.calibration.show(now)
        calibrated = now.settings.calibration is not None
        dpg.set_value(self._state, texts.CALIBRATED if calibrated else texts.AUTOMATIC)
        dpg.configure_item(self._forget, show=calibrated)
