"""What pages are built of: cards, notes, buttons, questions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from puppeteer.gui import texts
from puppeteer.gui.chooser import Chooser
from puppeteer.gui.controls import Controls
from puppeteer.gui.keys import Keys
from puppeteer.gui.safe import dpg
from puppeteer.gui.session import Studio
from puppeteer.gui.theme import BAD, MUTED, WARN, Theme
from puppeteer.live import Meter, Part, Status
from puppeteer.settings import Settings

LAID_OUT = 5  # frames after which Dear PyGui knows the places of what was just shown
COLOURS = {"ok": MUTED, "off": MUTED, "starting": WARN, "problem": BAD}


@dataclass(frozen=True, slots=True)
class Now:
    """What a page shows in a frame."""

    settings: Settings
    status: Status
    meters: tuple[Meter, ...]
    time_s: float


class Page(Protocol):
    def show(self, now: Now) -> None:
        """Once a frame, while the page is turned to."""
        ...


class Panel:
    """What the pages share: whom they show, and building blocks."""

    def __init__(
        self, theme: Theme, studio: Studio, controls: Controls, chooser: Chooser, keys: Keys, blank: Any
    ) -> None:
        self.theme, self.studio, self.controls, self.chooser, self.keys = theme, studio, controls, chooser, keys
        self.blank = blank  # a texture for pictures that are not there yet
        self.inputs: list[Any] = []  # text fields, which have the keyboard while they are active
        self.questions: list[Question] = []

    def px(self, length: float) -> int:
        return self.theme.px(length)

    def typing(self) -> bool:
        """Whether a text field has the keyboard."""
        return any(dpg.is_item_active(item) for item in self.inputs)

    def escape(self) -> None:
        """No to every question."""
        for question in self.questions:
            question.close()

    @contextlib.contextmanager
    def card(self, title: str, parent: Any = 0) -> Iterator[Any]:
        with dpg.child_window(
            auto_resize_y=True, width=-1, parent=parent, no_scrollbar=True, always_use_window_padding=True
        ) as card:
            dpg.bind_item_theme(card, self.theme.card)
            if title:
                dpg.bind_item_font(dpg.add_text(title), self.theme.fonts["bold"])
            yield card

    def note(self, text: str = "", colour: Any = MUTED) -> Any:
        item = dpg.add_text(text, color=colour, wrap=0)
        dpg.bind_item_font(item, self.theme.fonts["small"])
        return item

    def button(self, label: str, callback: Callable[[], object], look: Any = None, width: int = 0) -> Any:
        item = dpg.add_button(label=label, callback=lambda: callback(), width=width)
        dpg.bind_item_theme(item, look or self.theme.plain)
        return item

    def text_field(self, done: Callable[[str], object], width: int = -1, hint: str = "") -> Any:
        item = dpg.add_input_text(width=width, hint=hint, on_enter=True, callback=lambda _, text: done(text))
        self.inputs.append(item)
        return item

    def choice(self, labels: dict[str, str], chosen: Callable[[str], object], columns: int = 0) -> Choice:
        return Choice(self, labels, chosen, columns or len(labels))

    def fold(self, build: Callable[[], object]) -> None:
        """A part that is shown on demand."""
        toggle = self.button(texts.MORE, lambda: switch(), self.theme.quiet)
        with dpg.group(show=False) as group:
            build()

        def switch() -> None:
            shown = not dpg.is_item_shown(group)
            dpg.configure_item(group, show=shown)
            dpg.configure_item(toggle, label=texts.LESS if shown else texts.MORE)


class Choice:
    """Buttons, in rows of `columns`, of which one is on."""

    def __init__(self, panel: Panel, labels: dict[str, str], chosen: Callable[[str], object], columns: int) -> None:
        self._theme = panel.theme
        self._value: str | None = None
        self.buttons: dict[str, Any] = {}
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchSame, no_pad_outerX=True):
            for _ in range(columns):
                dpg.add_table_column()
            values = list(labels)
            for start in range(0, len(values), columns):
                with dpg.table_row():
                    for value in values[start : start + columns]:
                        self.buttons[value] = panel.button(labels[value], self._chooser(value, chosen), width=-1)

    def _chooser(self, value: str, chosen: Callable[[str], object]) -> Callable[[], object]:
        return lambda: chosen(value)

    def show(self, value: str) -> None:
        if value == self._value:
            return
        self._value = value
        for name, button in self.buttons.items():
            dpg.bind_item_theme(button, self._theme.on if name == value else self._theme.plain)


class Question:
    """A question in place, hidden until it is asked: whether something shall be done, or what it shall be called."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        panel.questions.append(self)
        self._do: Callable[[str], object] = lambda text: True
        self._unplaced = 0  # frames in which it is scrolled to
        with dpg.group(show=False) as self.group:
            self._text = dpg.add_text("", wrap=0)
            self.field = panel.text_field(lambda _: self._answer())
            with dpg.group(horizontal=True):
                self.yes = panel.button("", self._answer, panel.theme.primary)
                self.no = panel.button(texts.CANCEL, self.close)

    @property
    def is_open(self) -> bool:
        return bool(dpg.is_item_shown(self.group))

    def ask(self, text: str, yes: str, do: Callable[[], object]) -> None:
        """`do` is called where the answer is yes."""
        self._open(text, yes, lambda _: do(), self._panel.theme.recording)
        dpg.configure_item(self.field, show=False)

    def ask_name(self, text: str, yes: str, name: str, do: Callable[[str], object]) -> None:
        """`do` gets the name; where it hands back False, the question stays."""
        self._open(text, yes, do, self._panel.theme.primary)
        dpg.configure_item(self.field, show=True)
        dpg.set_value(self.field, name)
        dpg.focus_item(self.field)

    def close(self) -> None:
        dpg.configure_item(self.group, show=False)

    def step(self) -> None:
        """Once a frame: what has just opened below the edge of its page is scrolled to."""
        if self._unplaced:
            self._unplaced -= 1
            scroll_to(self.no, self._panel.px(16))

    def _open(self, text: str, yes: str, do: Callable[[str], object], look: Any) -> None:
        self._do = do
        dpg.set_value(self._text, text)
        dpg.configure_item(self.yes, label=yes)
        dpg.bind_item_theme(self.yes, look)
        dpg.configure_item(self.group, show=True)
        self._unplaced = LAID_OUT

    def _answer(self) -> None:
        self._panel.studio.notices.drop("told")  # of what was refused before
        if self._do(dpg.get_value(self.field)) is not False:
            self.close()
        elif dpg.is_item_shown(self.field):
            dpg.focus_item(self.field)  # what is typed next is the next try, and no key of the window's


def scroll_to(item: Any, margin: int) -> None:
    """Scrolls the page that an item is on until its end is seen."""
    area = dpg.get_item_parent(item)
    while area and dpg.get_item_type(area) != "mvAppItemType::mvWindowAppItem":
        if dpg.get_item_type(area) == "mvAppItemType::mvChildWindow" and dpg.get_y_scroll_max(area) > 0:
            ends = [dpg.get_item_rect_min(item)[1] + dpg.get_item_rect_size(item)[1], dpg.get_item_pos(area)[1]]
            below = ends[0] + margin - ends[1] - dpg.get_item_height(area)
            if below > 0:
                dpg.set_y_scroll(area, min(dpg.get_y_scroll_max(area), dpg.get_y_scroll(area) + below))
            return
        area = dpg.get_item_parent(area)


def show_part(item: Any, part: Part, quiet_off: bool = False) -> None:
    text = "" if quiet_off and part.state == "off" else texts.part_sentence(part.state, part.text)
    dpg.set_value(item, text)
    dpg.configure_item(item, color=COLOURS[part.state], show=bool(text))


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "..."
