"""Keys of the window: what they do, which can be another one, and what is pressed now."""

from __future__ import annotations

from collections.abc import Callable

from puppeteer.gui.memory import Memory
from puppeteer.gui.safe import dpg

DEFAULTS = {
    "recentre": "R",
    "mirror": "M",
    "preview": "P",
    "virtual_camera": "V",
    "manual": "S",
    "calibrate": "K",
    "record": "F9",
    "help": "F1",
}
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
    """`acts` by name; a name has one key or none ("")."""

    def __init__(self, acts: dict[str, Callable[[], object]], memory: Memory) -> None:
        self._acts = acts
        self._memory = memory
        self._down: set[str] = set()
        kept = memory.get("keys", {})
        self.bound = {
            name: kept[name] if kept.get(name) in ("", *NAMES) else default for name, default in DEFAULTS.items()
        }
        self.asked = ""  # the name whose new key is waited for
        self.taken = ""  # the key that was pressed for it and is another's

    def ask(self, name: str) -> None:
        """The next key that is pressed becomes that of `name`; asked again, nothing is waited for."""
        self.asked, self.taken = ("" if self.asked == name else name), ""

    def owner(self, key: str) -> str:
        """Who has a key, or ""."""
        return next((name for name, one in self.bound.items() if one == key and key), "")

    def bind(self, name: str, key: str) -> None:
        """Whoever had the key has none now."""
        for other, one in self.bound.items():
            if one == key:
                self.bound[other] = ""
        self.bound[name] = key
        self.asked = self.taken = ""
        self._memory.keep("keys", dict(self.bound))

    def reset(self) -> None:
        self.bound = dict(DEFAULTS)
        self.asked = self.taken = ""
        self._memory.keep("keys", {})

    @property
    def changed(self) -> bool:
        return self.bound != DEFAULTS

    def poll(self, silent: bool) -> list[Callable[[], object]]:
        """Once a frame, after rendering: what the keys that went down just now do. `silent`: somebody types."""
        down = {key for key in NAMES if dpg.is_key_down(CODES[key])}
        fresh, self._down = down - self._down, down
        if self.asked:
            self._answer(fresh)
            return []
        if silent or any(dpg.is_key_down(code) for code in MODIFIERS):
            return []
        return [self._acts[name] for name, key in self.bound.items() if key in fresh]

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
