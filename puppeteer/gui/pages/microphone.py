"""The card of the microphone: which one, how loud it is, and what it does to the mouth."""

from __future__ import annotations

from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.pages.panel import Now, Panel, show_part
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import ACCENT_STRONG, CLEAR, FAINT, FIELD, MUTED, TEXT

LOWEST_DB = -80.0  # at the left end of the meter


class MicrophoneCard:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        controls = panel.controls
        self._known: Any = None
        with panel.card(texts.MICROPHONE):
            controls.table(["voice.on"])
            with dpg.group() as self._all:
                self.devices = dpg.add_combo([], width=-1, callback=lambda _, name: self._chosen(name))
                panel.button(texts.REFRESH, self._studio.look_for_microphones)
                self._state = panel.note()
                self._meter = dpg.add_drawlist(100, panel.px(22))
                self._track = self._bar(FIELD)
                self._level = self._bar(ACCENT_STRONG)
                self._gate = dpg.draw_line((0, 0), (0, 1), color=TEXT, thickness=panel.px(2), parent=self._meter)
                self.words = panel.note()
                self.covered = panel.note(texts.MOUTH_COVERED)
                controls.table(["voice.gate_db", "voice.strength", "voice.vowels", "voice.alone"])

    def _bar(self, colour: Any) -> Any:
        return dpg.draw_rectangle(
            (0, 0), (1, 1), color=CLEAR, fill=colour, rounding=self._panel.px(4), parent=self._meter
        )

    def show(self, now: Now) -> None:
        voice = now.settings.voice
        dpg.configure_item(self._all, show=voice.on)
        if not voice.on:
            return
        if self._studio.microphones is None:
            self._studio.look_for_microphones()
        names = list(self._studio.microphones or ())
        if (names, voice.device) != self._known:
            self._known = (names, voice.device)
            items = names if not voice.device or voice.device in names else [*names, voice.device]
            dpg.configure_item(self.devices, items=[texts.FIRST_MICROPHONE, *items])
            dpg.set_value(self.devices, voice.device or texts.FIRST_MICROPHONE)
        show_part(self._state, now.status.microphone)
        heard = self._studio.engine.heard
        width: float = max(1.0, dpg.get_item_rect_size(self.devices)[0])
        px = self._panel.px
        dpg.configure_item(self._meter, width=round(width))

        def at(level_db: float) -> float:
            return width * min(1.0, max(0.0, 1 - level_db / LOWEST_DB))

        level_db = LOWEST_DB if heard is None else heard.level_db
        dpg.configure_item(self._track, pmin=(0, px(6)), pmax=(width, px(16)))
        colour = ACCENT_STRONG if heard is not None and heard.speaking else FAINT
        dpg.configure_item(self._level, pmin=(0, px(6)), pmax=(max(1.0, at(level_db)), px(16)), fill=colour)
        gate = at(voice.gate_db)
        dpg.configure_item(self._gate, p1=(gate, px(2)), p2=(gate, px(20)))
        words = ""
        if heard is not None:
            vowel = heard.vowel if heard.speaking else ""
            words = texts.HEARD.format(level=heard.level_db, vowel=vowel or texts.NOTHING)
        dpg.set_value(self.words, words)
        dpg.configure_item(self.words, color=MUTED)
        dpg.configure_item(self.covered, show=self._studio.engine.mouth_covered)

    def _chosen(self, name: str) -> None:
        self._studio.change(["voice.device"], "" if name == texts.FIRST_MICROPHONE else name)
