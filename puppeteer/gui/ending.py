"""The window's end where nobody clicks on its cross: signals, a window or a display that is taken away."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_kept: list[Any] = []  # Xlib goes on calling them


@contextmanager
def ended_from_outside(stop: Callable[[], object], close: Callable[[], object]) -> Iterator[Callable[[], object]]:
    """`stop` ends the window's loop; `close` keeps what is to be kept where that loop cannot go on. Gives what is to be
    called before each frame.

    Raises KeyboardInterrupt at the end where it was Ctrl-C. For the main thread.
    """
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        stop()

    watched = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, end) for number in watched}
    try:
        yield _mind_x(close) if sys.platform == "linux" else lambda: None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in came:
        raise KeyboardInterrupt


def _mind_x(close: Callable[[], object]) -> Callable[[], object]:
    """Xlib's own answer to a window that was destroyed, and to a display that is gone, is to end the process at once.

    OpenGL may crash when it is called once more, so all is closed from within Xlib's call and the process ends there.
    Returns what puts this to use, again and again: GLFW goes back to Xlib's answer whenever it has minded an error.
    """
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return lambda: None
    answer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_XErrorEvent))
    final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

    def failed(display: int, event: Any) -> int:
        return gone(display) if event.contents.of_our_window() else 0

    def gone(display: int) -> int:
        try:
            close()
        finally:
            sys.stderr.flush()
            os._exit(0)

    libc = ctypes.CDLL(None)
    ended = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
    _kept[:] = [answer(failed), final(gone), ended(lambda code, _: gone(0))]
    minded = False

    def mind() -> None:
        nonlocal minded
        if not minded:  # for Xlib's own answer in the middle of a frame; the program itself ends by os._exit
            minded = True
            libc.on_exit(_kept[2], None)
        xlib.XSetErrorHandler(_kept[0])
        xlib.XSetIOErrorHandler(_kept[1])

    return mind


class _XErrorEvent(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("resource", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        ("error", ctypes.c_ubyte),
        ("request", ctypes.c_ubyte),
    ]

    def of_our_window(self) -> bool:
        """Whether something was drawn that is not there. A window of others, as of the clipboard, may vanish."""
        bad_window, bad_drawable, first_of_extensions = 3, 9, 128
        drawn = bool(self.request >= first_of_extensions)
        error = int(self.error)
        return error == bad_drawable or (drawn and (error == bad_window or error >= first_of_extensions))
