"""Messages above the stage: what is wrong and what to do, and news such as where a recording is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from puppeteer.gui import texts
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import Theme
from puppeteer.live import Retried, Status

TOLD_S = 20.0  # how long the answer to a click stays
AFTER_S = {"face": 6.0}  # a problem that comes and goes is not worth a message at once
PASSING = ("told", "done")  # answers to what the user did; they go by themselves
RETRIED: dict[str, Retried] = {part: part for part in get_args(Retried)}

Buttons = Sequence[tuple[str, Callable[[], object]]]


@dataclass(slots=True)
class Notice:
    """A message. A problem is red: something that the user wanted and lost; anything else is news."""

    text: str
    since_s: float
    problem: bool = True
    buttons: Buttons = ()
    hidden: bool = False


class Notices:
    """By key; a later one under the same key takes its place."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: dict[str, Notice] = {}

    def tell(self, key: str, text: str, *, problem: bool = True, buttons: Buttons = ()) -> None:
        self._all[key] = Notice(text, self._clock(), problem, buttons)

    def drop(self, key: str) -> None:
        self._all.pop(key, None)

    def clear(self) -> None:
        self._all.clear()

    def hide(self, key: str) -> None:
        if key in self._all:
            self._all[key].hidden = True

    def unhide(self) -> None:
        for notice in self._all.values():
            notice.hidden = False

    def follow(self, status: Status, calm: dict[str, tuple[str, Buttons] | None]) -> None:
        """What the engine's parts say. Of those in `calm` a problem is none: it is news, or (None) not told here.

        A part that begins anew, as when an address is corrected, has not met its problem yet.
        """
        for name, part in status.parts().items():
            if part.state != "problem" or (name in calm and calm[name] is None):
                self.drop(name)
            elif name != "face" or status.camera.state == "ok":
                text, buttons = calm.get(name) or (part.text, ())
                problem = name not in calm
                known = self._all.get(name)
                if known is None or known.problem != problem:
                    self._all[name] = Notice(text, self._clock(), problem, buttons)
                else:
                    known.text = text

    def shown(self, most: int) -> dict[str, Notice]:
        """At most so many, what answers the user first."""
        now_s = self._clock()
        for key in PASSING:
            if key in self._all and now_s - self._all[key].since_s > TOLD_S:
                self.drop(key)
        first = sorted(self._all.items(), key=lambda item: (item[0] not in PASSING, not item[1].problem))
        ripe = [
            (key, notice)
            for key, notice in first
            if not notice.hidden and now_s - notice.since_s >= AFTER_S.get(key, 0.0)
        ]
        return dict(ripe[:most])


class Strip:
    """Shows them. `retry` gets the name of a part."""

    def __init__(self, theme: Theme, notices: Notices, retry: Callable[[Retried], object]) -> None:
        self._theme, self._notices, self._retry = theme, notices, retry
        self._shape: Any = None
        self._texts: dict[str, Any] = {}
        self.shown: dict[str, str] = {}

    def build(self, parent: Any) -> None:
        self.area = dpg.add_child_window(parent=parent, auto_resize_y=True, no_scrollbar=True, show=False)
        dpg.bind_item_theme(self.area, self._theme.bare)

    def height(self) -> int:
        return int(dpg.get_item_rect_size(self.area)[1]) if dpg.is_item_shown(self.area) else 0

    def show(self, most: int, wide: Callable[[str], float]) -> None:
        """Once a frame; `wide` measures a text."""
        shown = self._notices.shown(most)
        self.shown = {key: notice.text for key, notice in shown.items()}
        shape = [
            (key, notice.problem, has_commands(notice.text), tuple(label for label, _ in notice.buttons))
            for key, notice in shown.items()
        ]
        if shape != self._shape:
            self._shape = shape
            self._texts.clear()
            dpg.delete_item(self.area, children_only=True)
            dpg.configure_item(self.area, show=bool(shown))
            for key, notice in shown.items():
                self._card(key, notice, wide)
        for key, text in self.shown.items():  # nothing flickers where only words change
            dpg.set_value(self._texts[key], texts.sentence(text))

    def _again(self, key: str) -> None:
        self._retry(RETRIED[key])
        self._notices.drop(key)

    def _card(self, key: str, notice: Notice, wide: Callable[[str], float]) -> None:
        px = self._theme.px
        buttons = list(notice.buttons)
        if notice.problem and key in RETRIED:
            buttons.append((texts.RETRY, lambda: self._again(key)))
        if has_commands(notice.text):
            buttons.append((texts.COPY, lambda: dpg.set_clipboard_text(notice.text)))
        buttons.append((texts.DISMISS, lambda: self._notices.hide(key)))
        sizes = [round(wide(label)) + px(22) for label, _ in buttons]
        with dpg.child_window(
            parent=self.area, auto_resize_y=True, width=-1, no_scrollbar=True, always_use_window_padding=True
        ) as card:
            dpg.bind_item_theme(card, self._theme.notice if notice.problem else self._theme.news)
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
                dpg.add_table_column(width_stretch=True)
                dpg.add_table_column(width_fixed=True, init_width_or_weight=sum(sizes) + px(8) * len(sizes))
                with dpg.table_row():
                    self._texts[key] = dpg.add_text("", wrap=0)
                    with dpg.group(horizontal=True):
                        for (label, act), size in zip(buttons, sizes, strict=True):
                            item = dpg.add_button(label=label, width=size, callback=_calling(act))
                            look = self._theme.quiet if label == texts.DISMISS else self._theme.plain
                            dpg.bind_item_theme(item, look)


def _calling(act: Callable[[], object]) -> Callable[[], None]:
    return lambda: (act(), None)[1]


def has_commands(text: str) -> bool:
    """Whether a message has commands to copy."""
    return "sudo " in text
