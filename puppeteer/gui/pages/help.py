"""The page Help: keys, the virtual camera in other programs, speed and the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.keys import DEFAULTS
from puppeteer.gui.pages.panel import Now, Panel
from puppeteer.gui.pages.remote import RemoteCard
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import FAINT, MUTED, WARN


class HelpPage:
    def __init__(self, panel: Panel) -> None:
        self._studio = panel.studio
        self.keys = KeysCard(panel)
        self.remote = RemoteCard(panel)
        with panel.card(texts.OBS):
            for title, text in texts.OBS_STEPS:
                dpg.add_text(title, wrap=0)
                dpg.add_text(text, wrap=0, color=MUTED)
                dpg.add_spacer(height=panel.px(4))
            commands = [line for _, text in texts.OBS_STEPS for line in texts.commands_in(text)]
            if commands:
                panel.button(texts.COPY_COMMANDS, lambda: dpg.set_clipboard_text("\n".join(commands)))
        with panel.card(texts.SPEED):
            self._facts = panel.note()
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True):
                for weight in (2.0, 1.0, 1.0):
                    dpg.add_table_column(init_width_or_weight=weight)
                with dpg.table_row():
                    for text in texts.SPEED_HEAD:
                        dpg.add_text(text, color=FAINT)
                self._stages = {}
                for stage, label in texts.STAGES.items():
                    with dpg.table_row():
                        dpg.add_text(label, color=MUTED)
                        self._stages[stage] = (dpg.add_text("–"), dpg.add_text("–"))
            panel.controls.table(["studio.show_speed"])
        with panel.card(texts.LOG):
            with dpg.group(horizontal=True):
                panel.note(texts.LOG_NOTE)
                self.copy = panel.button(texts.COPY, lambda: dpg.set_clipboard_text(self._studio.report()))
            with dpg.child_window(width=-1, height=panel.px(240), always_use_window_padding=True) as area:
                self.log = panel.note()
            dpg.bind_item_theme(area, panel.theme.stage_card)
        self._count = -1

    def show(self, now: Now) -> None:
        self.keys.show()
        self.remote.show(now)
        status = now.status
        facts = "   ".join(f"{getattr(status, name):.0f}/s {text}" for name, text in texts.SPEED_FACTS.items())
        dpg.set_value(self._facts, facts)
        for stage, (median, late) in self._stages.items():
            for item, values in ((median, status.latency_ms), (late, status.latency_p95_ms)):
                dpg.set_value(item, f"{values[stage]:.0f} ms" if stage in values else texts.NOTHING)
        log = self._studio.engine.log
        if log.count != self._count:
            self._count = log.count
            dpg.set_value(self.log, "\n".join(reversed(log.lines())))


class KeysCard:
    """Every key as a button: pressed, the next key takes its place."""

    def __init__(self, panel: Panel) -> None:
        self._keys, self._theme = panel.keys, panel.theme
        self.buttons: dict[str, Any] = {}
        with panel.card(texts.KEYS):
            panel.note(texts.KEY_NOTE)
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
                dpg.add_table_column(width_fixed=True, init_width_or_weight=panel.px(96))
                dpg.add_table_column(width_stretch=True)
                for name in DEFAULTS:
                    with dpg.table_row():
                        self.buttons[name] = panel.button("", self._asker(name), width=panel.px(92))
                        dpg.add_text(texts.KEY_TEXTS[name], wrap=0)
            panel.note(texts.KEYS_OF_EXPRESSIONS)
            self._told = dpg.add_text("", wrap=0, color=WARN)
            with dpg.group(horizontal=True):
                self.take = panel.button(texts.KEY_TAKE, self._take, panel.theme.primary)
                self.reset = panel.button(texts.KEYS_RESET, panel.keys.reset, panel.theme.quiet)

    def show(self) -> None:
        keys, bound = self._keys, self._keys.bound
        for name, button in self.buttons.items():
            asked = keys.asked == name
            label = texts.KEY_PRESS if asked else bound[name] or texts.NOTHING
            dpg.configure_item(button, label=label)
            dpg.bind_item_theme(button, self._theme.on if asked else self._theme.plain)
        told = ""
        if keys.taken:
            owner = texts.key(keys.owner(keys.taken))
            told = texts.KEY_TAKEN.format(key=keys.taken, owner=owner)
        elif keys.asked:
            told = texts.KEY_WAITS
        dpg.set_value(self._told, told)
        dpg.configure_item(self._told, show=bool(told))
        dpg.configure_item(self.take, show=bool(keys.taken))
        dpg.configure_item(self.reset, show=keys.changed)

    def _asker(self, name: str) -> Callable[[], object]:
        return lambda: self._keys.ask(name)

    def _take(self) -> None:
        self._keys.bind(self._keys.asked, self._keys.taken)
