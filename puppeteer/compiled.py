"""Python over numbers and arrays as machine code, by Numba."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
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
            made = njit(nogil=True, cache=True)(self._function)
            made(*arguments)
        except Exception:
            made = njit(nogil=True)(self._function)
            made(*arguments)
        return made
