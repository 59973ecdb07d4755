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

_kept: list[Any] = []  # Xlib and the C library go on calling them


@contextmanager
def ended_from_outside(stop: Callable[[], object], close: Callable[[], object]) -> Iterator[Callable[[], object]]:
    """`stop` ends the window's loop; `close`, from any thread, keeps what is to be kept where that loop cannot go on.
    Gives what is to be called before the window is made and before each frame.

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
        yield _mind_x(close) if sys.platform == "linux" else lambda: None
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
    window = _window_number()

    def failed(display: int, event: Any) -> int:
        return gone(display) if event.contents.of_our_window(window()) else 0

    def gone(display: int) -> int:
        _closed_for_good(close, 0)
        return 0

    libc = ctypes.CDLL(None)
    ended = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
    _kept[:] = [answer(failed), final(gone), ended(lambda code, _: gone(0))]
    known = 0

    def mind() -> None:
        nonlocal known
        window()
        # For Xlib's own answer in the middle of a frame. The program itself ends by os._exit. The C library calls last
        # what came first, and what was loaded since then (PyTorch, MediaPipe) would be taken apart before, in use.
        if len(sys.modules) != known:
            known = len(sys.modules)
            libc.on_exit(_kept[2], None)
        xlib.XSetErrorHandler(_kept[0])
        xlib.XSetIOErrorHandler(_kept[1])

    return mind


def _window_number() -> Callable[[], int]:
    """Gives X's number of our window, or 0 while there is none; asks GLFW, which lies in Dear PyGui, until there is."""
    from puppeteer.gui.safe import library  # late: the signals are minded before Dear PyGui is loaded

    found = 0
    try:
        glfw = ctypes.CDLL(library())
        glfw.glfwGetCurrentContext.restype = ctypes.c_void_p
        glfw.glfwGetX11Window.argtypes = [ctypes.c_void_p]
        glfw.glfwGetX11Window.restype = ctypes.c_ulong
    except (OSError, AttributeError):
        return lambda: 0

    def number() -> int:
        nonlocal found
        if not found and (context := glfw.glfwGetCurrentContext()):
            found = int(glfw.glfwGetX11Window(context))
        return found

    return number


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
        """Whether something was asked of our window (0 where its number is not known), or drawn, that is not there. A
        window of others, as of the clipboard, may vanish."""
        error, drawn = int(self.error), int(self.request) >= FIRST_OF_EXTENSIONS
        if error in (BAD_WINDOW, BAD_DRAWABLE) and window and self.resource == window:
            return True  # GLFW goes on with sizes that nobody wrote
        return error == BAD_DRAWABLE or (drawn and (error == BAD_WINDOW or error >= FIRST_OF_EXTENSIONS))
