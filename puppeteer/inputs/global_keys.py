"""Keys of the whole system, while any program has the focus: heard, never taken away from it.

X11 by python-xlib (its RECORD extension), Windows and macOS by pynput. Keys have the names of `gui.keys`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from puppeteer.errors import SourceError, remedy

Told = Callable[[str, bool, bool], object]  # a key, whether it is down, and whether Ctrl and Alt are


class GlobalKeys(Protocol):
    def close(self) -> None: ...


def open_global_keys(
    told: Told, platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> GlobalKeys:
    """Tells of every key, from a thread of its own. Raises SourceError where the system does not allow it."""
    try:
        if platform != "linux":
            return _PynputKeys(told, platform)
        if environment.get("WAYLAND_DISPLAY") or environment.get("XDG_SESSION_TYPE") == "wayland":
            raise SourceError(
                "on Wayland no program may hear the keys of another one: use OSC from a stream deck, or log in to a "
                "session with X11 (Xorg)"
            )
        return _X11Keys(told)
    except ImportError as error:
        mend = remedy(error) or str(error)
        raise SourceError(f"keys cannot be heard while another program has the focus: {mend}") from None


NAMED = {  # X11's names of keys that have others here
    "comma": "Comma", "period": "Period", "minus": "Minus", "slash": "Slash", "space": "Spacebar",
    "Scroll_Lock": "ScrollLock", "KP_Add": "Add", "KP_Subtract": "Subtract", "KP_Multiply": "Multiply",
    "KP_Divide": "Divide",
} | {f"KP_{number}": f"NumPad{number}" for number in range(10)}  # fmt: skip


class _X11Keys:
    def __init__(self, told: Told) -> None:
        from Xlib import XK, X, display
        from Xlib.error import DisplayError
        from Xlib.ext import record

        self._told, self._down = told, set[int]()
        XK.load_keysym_group("xkb")
        try:
            self._ask = display.Display()
            self._hear = display.Display()
        except (DisplayError, OSError) as error:
            raise SourceError(f"the display does not let keys be heard ({error}): use OSC instead") from None
        if not self._ask.has_extension("RECORD"):
            self._ask.close()
            self._hear.close()
            raise SourceError("this X server lets no program hear the keys of another one: use OSC instead")
        self._names = {code: name for code in range(8, 256) if (name := self._name(XK, code))}
        self._ctrl_alt = X.ControlMask | X.Mod1Mask  # AltGr, which types letters, is another one
        nothing: dict[str, Any] = dict.fromkeys(("core_requests", "core_replies", "delivered_events", "errors"), (0, 0))
        nothing |= {"ext_requests": (0, 0, 0, 0), "ext_replies": (0, 0, 0, 0), "client_started": False}
        nothing |= {"client_died": False, "errors": (0, 0)}
        wanted = nothing | {"device_events": (X.KeyPress, X.KeyRelease)}
        self._press = X.KeyPress
        self._context = self._hear.record_create_context(0, [record.AllClients], [wanted])
        self._thread = threading.Thread(target=self._work, name="global-keys", daemon=True)
        self._thread.start()

    def _name(self, names_of: Any, code: int) -> str:
        for index in (0, 1):  # of the keypad the digits are the second
            symbol = names_of.keysym_to_string(self._ask.keycode_to_keysym(code, index))
            spelled = symbol or _symbol(names_of, self._ask.keycode_to_keysym(code, index))
            if not spelled:
                continue
            if len(spelled) == 1 and spelled.isascii() and spelled.isalnum():
                return spelled.upper()
            spelled = {",": "comma", ".": "period", "-": "minus", "/": "slash", " ": "space"}.get(spelled, spelled)
            if spelled in NAMED:
                return NAMED[spelled]
            if spelled in PLAIN:
                return spelled
        return ""

    def _work(self) -> None:
        from Xlib.error import ConnectionClosedError

        with contextlib.suppress(ConnectionClosedError):  # the screen is gone
            self._hear.record_enable_context(self._context, self._came)  # until it is disabled

    def _came(self, reply: Any) -> None:
        from Xlib.protocol import rq

        data = reply.data
        while len(data):
            event, data = rq.EventField(None).parse_binary_value(data, self._hear.display, None, None)
            code, pressed = event.detail, event.type == self._press
            if code not in self._names or pressed == (code in self._down):
                continue
            if pressed:
                self._down.add(code)
            elif self._ask.query_keymap()[code // 8] >> code % 8 & 1:
                continue  # a key that repeats is told as up in between
            else:
                self._down.discard(code)
            self._told(self._names[code], pressed, event.state & self._ctrl_alt == self._ctrl_alt)

    def close(self) -> None:
        from Xlib import display
        from Xlib.error import ConnectionClosedError, DisplayError

        with contextlib.suppress(ConnectionClosedError, DisplayError, OSError):
            other = display.Display()
            other.record_disable_context(self._context)
            other.flush()
            other.close()
            self._thread.join(1)
            self._hear.close()
            self._ask.close()


PLAIN = {"Insert", "Home", "End", "Up", "Down", "Left", "Right", "Pause", *(f"F{number}" for number in range(1, 13))}


def _symbol(names_of: Any, keysym: int) -> str:
    """A keysym's name, which `keysym_to_string` has for letters only."""
    return next((name[3:] for name, value in vars(names_of).items() if name.startswith("XK_") and value == keysym), "")


# Virtual key codes: winuser.h; Carbon's Events.h.
WINDOWS = (
    {code: chr(code) for code in (*range(0x30, 0x3A), *range(0x41, 0x5B))}
    | {0x60 + number: f"NumPad{number}" for number in range(10)}
    | {0x6F + number: f"F{number}" for number in range(1, 13)}
    | {0x2D: "Insert", 0x24: "Home", 0x23: "End", 0x26: "Up", 0x28: "Down", 0x25: "Left", 0x27: "Right", 0x13: "Pause"}
    | {0xBC: "Comma", 0xBE: "Period", 0xBD: "Minus", 0xBF: "Slash", 0x20: "Spacebar", 0x91: "ScrollLock"}
    | {0x6B: "Add", 0x6D: "Subtract", 0x6A: "Multiply", 0x6F: "Divide"}
)
MACOS = (
    dict(enumerate("ASDFHGZXCV"))
    | {11: "B", 12: "Q", 13: "W", 14: "E", 15: "R", 16: "Y", 17: "T", 31: "O", 32: "U", 34: "I", 35: "P", 37: "L"}
    | {38: "J", 40: "K", 45: "N", 46: "M"}
    | {18: "1", 19: "2", 20: "3", 21: "4", 23: "5", 22: "6", 26: "7", 28: "8", 25: "9", 29: "0"}
    | {82 + number: f"NumPad{number}" for number in range(8)}
    | {91: "NumPad8", 92: "NumPad9", 69: "Add", 78: "Subtract", 67: "Multiply", 75: "Divide"}
    | {122: "F1", 120: "F2", 99: "F3", 118: "F4", 96: "F5", 97: "F6", 98: "F7", 100: "F8", 101: "F9", 109: "F10"}
    | {103: "F11", 111: "F12", 115: "Home", 119: "End", 126: "Up", 125: "Down", 123: "Left", 124: "Right"}
    | {43: "Comma", 47: "Period", 27: "Minus", 44: "Slash", 49: "Spacebar"}
)
MODIFIERS = {"win32": ({0xA2, 0xA3, 0x11}, {0xA4, 0x12}), "darwin": ({59, 62}, {58})}  # Ctrl, and Alt without AltGr


class _PynputKeys:
    def __init__(self, told: Told, platform: str) -> None:
        from pynput import keyboard

        self._told, self._down = told, set[int]()
        self._names = WINDOWS if platform == "win32" else MACOS
        self._modifiers = MODIFIERS["win32" if platform == "win32" else "darwin"]
        self._listener = keyboard.Listener(
            on_press=lambda key: self._came(key, True), on_release=lambda key: self._came(key, False)
        )
        self._listener.start()
        self._listener.wait()
        if platform == "darwin" and not getattr(self._listener, "IS_TRUSTED", True):
            self._listener.stop()
            raise SourceError(
                "macOS does not let Puppeteer hear keys: allow it under System Settings, Privacy & Security, "
                "Accessibility and Input Monitoring, and start it again"
            )

    def _came(self, key: Any, down: bool) -> None:
        code = getattr(getattr(key, "value", key), "vk", None)
        if code is None or down == (code in self._down):  # a key that repeats
            return
        (self._down.add if down else self._down.discard)(code)
        if code in self._names:
            ctrl, alt = (bool(codes & self._down) for codes in self._modifiers)
            self._told(self._names[code], down, ctrl and alt)

    def close(self) -> None:
        self._listener.stop()
