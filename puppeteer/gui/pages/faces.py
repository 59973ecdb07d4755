"""The page Faces: expressions by button and key, and one's own made with the sliders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puppeteer.expression import catalogue
from puppeteer.gui import texts
from puppeteer.gui.faces import told
from puppeteer.gui.keys import EXPRESSION
from puppeteer.gui.pages.panel import Now, Panel, Question
from puppeteer.gui.safe import dpg

HELD_WIDTH, KEY_WIDTH = 44, 84  # px at scale 1


class FacesPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio, self._keys = panel, panel.studio, panel.keys
        self._faces = panel.studio.faces
        self._known: Any = None
        self.buttons: dict[str, Any] = {}
        self.holds: dict[str, Any] = {}
        self.keys: dict[str, Any] = {}
        self._pressed = ""  # the held one whose button is down
        with panel.card(texts.EXPRESSIONS):
            panel.note(texts.EXPRESSIONS_NOTE)
            self._table = dpg.add_group()
            panel.controls.table(["expressions.fade_in_s", "expressions.fade_out_s", "expressions.together"])
        self.own = OwnCard(panel)

    def show(self, now: Now) -> None:
        own = now.settings.expressions.own
        if own != self._known:
            self._known = own
            self._build()
        bound, wanted = self._keys.bound, self._studio.engine.expressed
        theme = self._panel.theme
        for name, button in self.buttons.items():
            dpg.bind_item_theme(button, theme.on if wanted.get(name) else theme.plain)
            dpg.set_value(self.holds[name], name in self._faces.held)
            key = EXPRESSION + name
            asked = self._keys.asked == key
            label = texts.KEY_PRESS if asked else bound.get(key) or texts.NOTHING
            dpg.configure_item(self.keys[name], label=label)
            dpg.bind_item_theme(self.keys[name], theme.on if asked else theme.quiet)
        self._hold()
        self.own.show(now)

    def _build(self) -> None:
        panel = self._panel
        dpg.delete_item(self._table, children_only=True)
        self.buttons, self.holds, self.keys = {}, {}, {}
        dpg.push_container_stack(self._table)
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True, init_width_or_weight=panel.px(HELD_WIDTH))
            dpg.add_table_column(width_fixed=True, init_width_or_weight=panel.px(KEY_WIDTH))
            with dpg.table_row():
                for text in texts.EXPRESSIONS_HEAD:
                    panel.note(text)
            for name, values in catalogue(self._known).items():
                with dpg.table_row():
                    self.buttons[name] = panel.button(name[:1].upper() + name[1:], self._presser(name), width=-1)
                    with dpg.tooltip(self.buttons[name], delay=0.6):
                        dpg.add_text(told(values))
                    self.holds[name] = dpg.add_checkbox(callback=self._holder(name))
                    with dpg.tooltip(self.holds[name], delay=0.4):
                        dpg.add_text(texts.EXPRESSION_HELD, wrap=panel.px(300))
                    self.keys[name] = panel.button("", self._asker(name), width=-1)
                    with dpg.tooltip(self.keys[name], delay=0.4):
                        dpg.add_text(texts.EXPRESSION_KEY_TIP)
        dpg.pop_container_stack()
        self._told = KeyTold(panel, self._table)

    def _hold(self) -> None:
        """A held one lasts as long as its button is down."""
        self._told.show()
        down = next(
            (name for name, button in self.buttons.items() if name in self._faces.held and dpg.is_item_active(button)),
            "",
        )
        if down != self._pressed:
            if self._pressed:
                self._faces.press(self._pressed, False)
            self._pressed = down
            if down:
                self._faces.press(down)

    def _presser(self, name: str) -> Callable[[], object]:
        return lambda: None if name in self._faces.held else self._faces.press(name)

    def _holder(self, name: str) -> Callable[..., object]:
        return lambda _, held: self._faces.hold(name, held)

    def _asker(self, name: str) -> Callable[[], object]:
        return lambda: self._keys.ask(EXPRESSION + name)


class KeyTold:
    """What is waited for, or that a key is taken, below the buttons of keys."""

    def __init__(self, panel: Panel, parent: Any) -> None:
        self._keys = panel.keys
        dpg.push_container_stack(parent)
        self._text = panel.note()
        self.take = panel.button(
            texts.KEY_TAKE, lambda: self._keys.bind(self._keys.asked, self._keys.taken), panel.theme.primary
        )
        dpg.pop_container_stack()

    def show(self) -> None:
        words = ""
        if self._keys.taken:
            owner = texts.key(self._keys.owner(self._keys.taken))
            words = texts.KEY_TAKEN.format(key=self._keys.taken, owner=owner)
        elif self._keys.asked:
            words = texts.KEY_WAITS
        dpg.set_value(self._text, words)
        dpg.configure_item(self._text, show=bool(words))
        dpg.configure_item(self.take, show=bool(self._keys.taken))


class OwnCard:
    """Made with the sliders, named, put onto them again, renamed, and after a question deleted."""

    def __init__(self, panel: Panel) -> None:
        self._studio, self._faces = panel.studio, panel.studio.faces
        with panel.card(texts.OWN_EXPRESSIONS):
            panel.note(texts.OWN_NOTE)
            with dpg.group(horizontal=True):
                self.manual = panel.button(texts.MANUAL, self._studio.flip_manual)
                self.save = panel.button(texts.NEW_EXPRESSION, self._ask_name, panel.theme.primary)
            self.with_body = dpg.add_checkbox(label=texts.WITH_BODY)
            with dpg.tooltip(self.with_body, delay=0.4):
                dpg.add_text(texts.WITH_BODY_TIP, wrap=panel.px(300))
            self.names = dpg.add_combo([], width=-1)
            with dpg.group(horizontal=True) as self._buttons:
                self.pose = panel.button(texts.TO_SLIDERS, lambda: self._faces.to_sliders(self._chosen()))
                self.rename = panel.button(texts.RENAME, self._ask_new_name)
                self.delete = panel.button(texts.DELETE, self._ask_deletion, panel.theme.quiet)
            self.question = Question(panel)
        self._theme = panel.theme
        self._known: Any = None

    def show(self, now: Now) -> None:
        self.question.step()
        manual = self._studio.manual is not None
        dpg.bind_item_theme(self.manual, self._theme.on if manual else self._theme.plain)
        dpg.configure_item(self.save, show=manual and not self.question.is_open)
        dpg.configure_item(self.with_body, show=manual)
        known = list(now.settings.expressions.own)
        if known != self._known:
            fresh = [name for name in known if name not in (self._known or known)]
            chosen = fresh[0] if fresh else self._chosen()
            self._known = known
            dpg.configure_item(self.names, items=known or [texts.NO_OWN])
            dpg.set_value(self.names, chosen if chosen in known else (known or [texts.NO_OWN])[0])
        dpg.configure_item(self.names, show=bool(known))
        dpg.configure_item(self._buttons, show=bool(known) and not self.question.is_open)

    def _chosen(self) -> str:
        return str(dpg.get_value(self.names))

    def _ask_name(self) -> None:
        def save(name: str) -> bool:
            with self._studio.guarded():
                self._faces.save(name, dpg.get_value(self.with_body))
                return True
            return False

        self.question.ask_name(texts.NAME_EXPRESSION, texts.SAVE, "", save)

    def _ask_new_name(self) -> None:
        old = self._chosen()

        def rename(name: str) -> bool:
            with self._studio.guarded():
                self._faces.rename(old, name)
                return True
            return False

        self.question.ask_name(texts.RENAME_EXPRESSION.format(name=old), texts.RENAME, old, rename)

    def _ask_deletion(self) -> None:
        name = self._chosen()
        text = texts.DELETE_EXPRESSION.format(name=name)
        self.question.ask(text, texts.DELETE, lambda: self._faces.delete(name))
