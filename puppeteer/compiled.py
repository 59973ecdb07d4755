"""Python over numbers and arrays as machine code, by Numba."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import Any


class compiled:
    """Decorates a function that is compiled at its first call, which takes seconds, and is kept on disk from then on.

    It runs without the interpreter's lock: other threads go on, and several may run it at once. Where nothing can be
    kept (a full disk, a folder that may not be written, a broken file), it is compiled again by every process.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._first = threading.Lock()
        self._made: Any = None

    def __call__(self, *arguments: Any) -> None:
        if self._made is None:
            with self._first:
                if self._made is None:
                    self._made = self._proved(arguments)
                    return
        self._made(*arguments)

    def _proved(self, arguments: tuple[Any, ...]) -> Any:
        from numba import njit  # takes a second

        try:
            made = njit(nogil=True, cache=True)(_named(self._function))
            made(*arguments)
        except Exception:
            made = njit(nogil=True)(self._function)
            made(*arguments)
        return made


def _named(function: Any) -> FunctionType:
    """The same function, whose name says which constants it was compiled with: what is kept on disk is found by its
    name, and given up when its own file changes, but not when one from which constants are imported does."""
    code, known = function.__code__, function.__globals__
    constants = [(name, known[name]) for name in code.co_names if isinstance(known.get(name), int | float | tuple)]
    digest = hashlib.sha256(repr(constants).encode()).hexdigest()[:12]
    named = FunctionType(code, known, function.__name__, function.__defaults__, function.__closure__)
    named.__qualname__ = f"{function.__qualname__}_{digest}"
    named.__module__ = function.__module__
    return named
