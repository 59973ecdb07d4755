"""Keys of the window: what they do, which can be another one, and what is pressed now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from puppeteer.expression import BUILT_IN
from puppeteer.gui.memory import Memory
from puppeteer.gui.safe import dpg

EXPRESSION = "expression:"  # begins the name of an expression's key
DEFAULTS = {
    "recentre": "R",
    "mirror": "M",
    "preview": "P",
    "virtual_camera": "V",
    "manual": "S",
    "calibrate": "K",
    "record": "F9",
    "mute": "X",
    "next_character": "N",
    "help": "F1",
}
OF_EXPRESSIONS = {f"{EXPRESSION}{name}": str(number) for number, name in enumerate(BUILT_IN, start=1)}
NAMES = (
    *"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    *(f"F{number}" for number in range(1, 13)),
    *(f"NumPad{number}" for number in range(10)),
    *("Insert", "Home", "End", "Up", "Down", "Left", "Right", "Pause", "Comma", "Period", "Minus", "Slash"),
    *("Add", "Subtract", "Multiply", "Divide", "Spacebar", "ScrollLock"),
)
CODES: dict[str, int] = {name: getattr(dpg, f"mvKey_{name}") for name in NAMES}
MODIFIERS = (dpg.mvKey_LControl, dpg.mvKey_RControl, dpg.mvKey_LAlt, dpg.mvKey_RAlt)


class Keys:
    """`acts` by name; a name has one key or none ("").

    Those of expressions, whose names begin with EXPRESSION, are told of by `express`, down and up.
    """

    def __init__(
        self,
        acts: dict[str, Callable[[], object]],
        memory: Memory,
        express: Callable[[str, bool], object] = lambda name, down: None,
        expressions: Callable[[], Iterable[str]] = lambda: BUILT_IN,
    ) -> None:
        """`expressions` are those that there are now."""
        self._acts, self._express, self._expressions = acts, express, expressions
        self._memory = memory
        self._down: set[str] = set()
        self._pressed: dict[str, str] = {}  # expressions by the keys that hold them
        self._far: dict[str, str] = {}  # likewise, of keys that were heard and not polled
        kept: dict[str, Any] = memory.get("keys", {})
        self._all: dict[str, str] = {**DEFAULTS, **OF_EXPRESSIONS}
        for name, key in kept.items():
            if key in ("", *NAMES) and (name in DEFAULTS or name.startswith(EXPRESSION)):
                self._all[name] = key
        self.asked = ""  # the name whose new key is waited for
        self.taken = ""  # the key that was pressed for it and is another's

    @property
    def bound(self) -> dict[str, str]:
        """The key, or "", of everything that there is now."""
        names = [*DEFAULTS, *(f"{EXPRESSION}{name}" for name in self._expressions())]
        return {name: self._all.get(name, "") for name in names}

    def ask(self, name: str) -> None:
        """The next key that is pressed becomes that of `name`; asked again, nothing is waited for."""
        self.asked, self.taken = ("" if self.asked == name else name), ""

    def owner(self, key: str) -> str:
        """Who has a key, or ""."""
        return next((name for name, one in self.bound.items() if one == key and key), "")

    def bind(self, name: str, key: str) -> None:
        """Whoever had the key has none now."""
        for other, one in self._all.items():
            if one == key:
                self._all[other] = ""
        self._all[name] = key
        self.asked = self.taken = ""
        self._memory.keep("keys", dict(self._all))

    def rename(self, old: str, new: str) -> None:
        """What had a key has another name now, or ("") is no more."""
        key = self._all.pop(old, "")
        if new:
            self._all[new] = key
        if old in OF_EXPRESSIONS:  # the one that comes along is back
            self._all[old] = ""
        self._memory.keep("keys", dict(self._all))

    def reset(self) -> None:
        self._all = {**DEFAULTS, **OF_EXPRESSIONS}
        self.asked = self.taken = ""
        self._memory.keep("keys", {})

    @property
    def changed(self) -> bool:
        return {name: key for name, key in self._all.items() if key} != {**DEFAULTS, **OF_EXPRESSIONS}

    def poll(self, silent: bool) -> list[Callable[[], object]]:
        """Once a frame, after rendering: what the keys that went down just now do. `silent`: somebody types."""
        down = {key for key in NAMES if dpg.is_key_down(CODES[key])}
        fresh, self._down = down - self._down, down
        acts = [self._letting_go(key, self._pressed) for key in [*self._pressed] if key not in down]
        if self.asked:
            self._answer(fresh)
            return acts
        if silent or any(dpg.is_key_down(code) for code in MODIFIERS):
            return acts
        return [*acts, *(self._act(name, key, self._pressed) for name, key in self.bound.items() if key in fresh)]

    def heard(self, key: str, down: bool) -> list[Callable[[], object]]:
        """What a key does that went down or up while another program may have the focus."""
        if not down:
            return [self._letting_go(key, self._far)] if key in self._far else []
        return [self._act(name, key, self._far) for name, one in self.bound.items() if one == key]

    def _act(self, name: str, key: str, pressed: dict[str, str]) -> Callable[[], object]:
        if not name.startswith(EXPRESSION):
            return self._acts[name]
        expression = pressed[key] = name.removeprefix(EXPRESSION)
        return lambda: self._express(expression, True)

    def _letting_go(self, key: str, pressed: dict[str, str]) -> Callable[[], object]:
        expression = pressed.pop(key)
        return lambda: self._express(expression, False)

    def _answer(self, fresh: set[str]) -> None:
        if dpg.is_key_pressed(dpg.mvKey_Escape):
            self.asked = self.taken = ""
        elif dpg.is_key_pressed(dpg.mvKey_Back) or dpg.is_key_pressed(dpg.mvKey_Delete):
            self.bind(self.asked, "")
        elif fresh:
            key = sorted(fresh)[0]
            if self.owner(key) not in ("", self.asked):
                self.taken = key
            else:
                self.bind(self.asked, key)
