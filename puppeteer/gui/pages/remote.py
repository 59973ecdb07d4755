"""What acts while another program has the focus: keys of the whole system, and OSC."""

from __future__ import annotations

from puppeteer.gui import texts
from puppeteer.gui.pages.panel import Now, Panel, show_part
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import BAD


class RemoteCard:
    def __init__(self, panel: Panel) -> None:
        self._studio = panel.studio
        with panel.card(texts.REMOTE):
            panel.note(texts.REMOTE_KEYS)
            self.modes = panel.choice(texts.REMOTE_MODES, lambda mode: self._studio.change(["remote.keys"], mode))
            self._keys = panel.note(texts.REMOTE_ALONE)
            self._problem = panel.note("", BAD)
            panel.note(texts.REMOTE_OSC)
            panel.controls.table(["remote.osc", "remote.port"])
            self._state = panel.note()

    def show(self, now: Now) -> None:
        mode = now.settings.remote.keys
        self.modes.show(mode)
        problem = self._studio.keys_problem()
        dpg.configure_item(self._keys, show=mode == "alone" and not problem)
        dpg.configure_item(self._problem, show=bool(problem))
        dpg.set_value(self._problem, texts.sentence(problem))
        show_part(self._state, now.status.remote, quiet_off=True)
