"""Dear PyGui behind one door: every text that goes through it can be shown.

Dear PyGui ends the process where a text is not valid UTF-8, as names of files may be, cuts it at a NUL, and takes what
follows "##" in a label for a name of its own. The window's files import `dpg` from here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as toolkit

MOST_LETTERS = 100_000  # of one text


def safe(text: str) -> str:
    """The text as it can be shown: what is no Unicode, or no letter, is a question mark in a box."""
    if len(text) > MOST_LETTERS:
        text = text[:MOST_LETTERS] + "..."
    if text.isprintable():  # which no surrogate is
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t\u3000\u00a0" else "\ufffd" for letter in text)


def safe_label(text: str) -> str:
    """Likewise, of what is also a name: all of it is shown."""
    return safe(text).replace("##", "\uff03\uff03")


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, list | tuple) and any(isinstance(one, str) for one in value):
        return type(value)(_cleaned(one) for one in value)
    return value


def library() -> str:
    """The file of Dear PyGui's library, in which GLFW lies."""
    import dearpygui._dearpygui as extension

    return str(extension.__file__)


class _Door:
    """The functions and constants of Dear PyGui."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(toolkit, name)
        if callable(found) and not isinstance(found, type):
            found = _guarded(found)
        setattr(self, name, found)  # the next time it is found at once
        return found


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*words: Any, **named: Any) -> Any:
        if "label" in named and isinstance(named["label"], str):
            named["label"] = safe_label(named["label"])
        return function(*map(_cleaned, words), **{name: _cleaned(value) for name, value in named.items()})

    return call


dpg: Any = _Door()
