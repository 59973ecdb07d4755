"""The window's end where nobody clicks on its cross: signals, a window or a display that is taken away."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

BLOCKED_S = 1.0  # a loop that has not answered a signal by then hangs inside Dear PyGui, as while it is minimised
BAD_WINDOW, BAD_DRAWABLE, FIRST_OF_EXTENSIONS = 3, 9, 128  # X's numbers

_kept: list[Any] = []  # Xlib goes on calling them


@contextmanager
def ended_from_outside(stop: Callable[[], object], close: Callable[[], object]) -> Iterator[None]:
    """Around the window's life. `stop` ends its loop; `close`, from any thread, keeps what is to be kept where that
    loop cannot go on.

    Raises KeyboardInterrupt at the end where it was Ctrl-C. For the main thread.
    """
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        stop()

    watched = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    with contextlib.ExitStack() as stack:
        if watched:
            stack.enter_context(_ended_though_blocked(came, close))
        for number in watched:
            stack.callback(signal.signal, number, signal.signal(number, end))
        if sys.platform == "linux":
            _mind_x(close)
        yield
    if signal.SIGINT in came:
        raise KeyboardInterrupt


@contextmanager
def _ended_though_blocked(came: list[int], close: Callable[[], object]) -> Iterator[None]:
    """Python hands a signal to the main thread alone, which a minimised window keeps waiting inside Dear PyGui; where
    it does not take it, another thread closes everything and ends the process."""
    told, tell = socket.socketpair()
    tell.setblocking(False)

    def watch() -> None:
        watched = {int(signal.SIGINT), int(signal.SIGTERM)}
        while number := told.recv(1):
            if number[0] in watched:
                if not _soon(lambda: bool(came), BLOCKED_S):
                    _closed_for_good(close, 130 if number[0] == signal.SIGINT else 0)
                return

    watcher = threading.Thread(target=watch, name="signals", daemon=True)
    before = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        tell.close()
        watcher.join()
        told.close()


def _soon(true: Callable[[], bool], within_s: float) -> bool:
    waiting = threading.Event()
    for _ in range(20):
        if true():
            return True
        waiting.wait(within_s / 20)
    return true()


def _closed_for_good(close: Callable[[], object], code: int) -> None:
    """Ends the process from where the window's loop cannot go on."""
    try:
        close()
        for thread in threading.enumerate():
            if thread.name == "record":  # finishes its file
                thread.join()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _mind_x(close: Callable[[], object]) -> None:
    """Xlib's own answer to a window that was destroyed, and to a display that is gone, is to end the process at once,
    which takes libraries apart that other threads are using.

    OpenGL may crash when it is called once more, so all is closed from within Xlib's call and the process ends there.
    GLFW goes back to Xlib's answer whenever it has minded an error, so errors are met before any answer to them: where
    the display's wire format becomes an event.
    """
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return
    answer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_XErrorEvent))
    met = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_XErrorEvent), ctypes.c_void_p)
    final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    xlib.XSetErrorHandler.argtypes, xlib.XSetErrorHandler.restype = [ctypes.c_void_p], ctypes.c_void_p
    xlib.XESetWireToError.argtypes = [ctypes.c_void_p, ctypes.c_int, met]

    def gone(display: int) -> int:
        _closed_for_good(close, 0)
        return 0

    last = final(gone)
    xlib.XSetIOErrorHandler(last)
    _kept.append(last)
    try:
        glfw = _Glfw()
    except (OSError, AttributeError):
        return

    def meet(display: int, event: Any, wire: int) -> bool:
        """Whether it goes on to the answer that is in place."""
        in_place = xlib.XSetErrorHandler(ours)
        if in_place not in (ours, xlibs):  # GLFW, or OpenGL, has asked for what may fail
            xlib.XSetErrorHandler(in_place)
            return True
        if event.contents.of_our_window(glfw.window()):
            gone(display)
        return False

    ignored, first = answer(lambda display, event: 0), met(meet)
    _kept.extend((ignored, first))
    ours = ctypes.cast(ignored, ctypes.c_void_p).value
    xlib.XSetErrorHandler(None)
    xlibs = xlib.XSetErrorHandler(ours)
    if display := glfw.display():
        for error in range(1, 256):
            xlib.XESetWireToError(display, error, first)


class _Glfw:
    """GLFW, which lies in Dear PyGui. Raises OSError or AttributeError where it cannot be asked."""

    def __init__(self) -> None:
        from puppeteer.gui.safe import library  # late: the signals are minded before Dear PyGui is loaded

        self._glfw = glfw = ctypes.CDLL(library())
        glfw.glfwGetX11Display.restype = glfw.glfwGetCurrentContext.restype = ctypes.c_void_p
        glfw.glfwGetX11Window.argtypes, glfw.glfwGetX11Window.restype = [ctypes.c_void_p], ctypes.c_ulong

    def display(self) -> int | None:
        """X's connection, which Dear PyGui will use; None where there is none."""
        return self._glfw.glfwGetX11Display() if self._glfw.glfwInit() else None

    def window(self) -> int:
        """X's number of our window, or 0 while there is none."""
        context = self._glfw.glfwGetCurrentContext()
        return int(self._glfw.glfwGetX11Window(context)) if context else 0


class _XErrorEvent(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("resource", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        ("error", ctypes.c_ubyte),
        ("request", ctypes.c_ubyte),
    ]

    def of_our_window(self, window: int) -> bool:
        """Whether something was asked of our window (0 while it is made), or drawn, that is not there. A window of
        others, as of the clipboard, may vanish."""
        error, drawn = int(self.error), int(self.request) >= FIRST_OF_EXTENSIONS
        if error in (BAD_WINDOW, BAD_DRAWABLE) and window in (0, self.resource):
            return True  # GLFW goes on with sizes that nobody wrote
        return error == BAD_DRAWABLE or (drawn and (error == BAD_WINDOW or error >= FIRST_OF_EXTENSIONS))
