"""Whether there is a display, and how large things must be on it. Nothing here may abort the process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mss

from puppeteer.errors import DisplayError

PROBE_S = 20
# Dear PyGui aborts the process where it finds no display or no OpenGL 3. An invisible context asks for the same. The
# display is asked for first, because glcontext, below moderngl, takes :0 in place of one that does not answer.
PROBE = """
import ctypes
x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
if not x11.XOpenDisplay(None):
    raise SystemExit("it does not answer")
import moderngl
moderngl.create_context(standalone=True, require=300).release()
"""
REMEDY = "run  python app.py --headless  for camera to virtual camera without a window"

SMALLEST, LARGEST = 1.0, 3.0

USUAL = (1280, 720)  # px, of a screen that does not tell
EDGE = (16, 88)  # px at scale 1 that a window leaves of a screen's width and height: title bar, taskbar
GRIP = (160, 24)  # px at scale 1 of a window's top that must be on a screen, so that it can be moved


class Probe:
    """Asks in a process of its own whether a window can be opened; the answer is waited for in `check`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        if sys.platform not in ("linux", "freebsd"):  # elsewhere a desktop is always there
            return
        if not os.environ.get("DISPLAY"):
            wayland = "; XWayland is missing" if os.environ.get("WAYLAND_DISPLAY") else ""
            raise DisplayError(f"no display is found for the window (DISPLAY is not set{wayland}): {REMEDY}")
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROBE], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def check(self) -> None:
        """Raises DisplayError with the remedy."""
        if self._process is None:
            return
        try:
            _, said = self._process.communicate(timeout=PROBE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise DisplayError(f"the display does not answer: {REMEDY}") from None
        if self._process.returncode:
            reason = (said.strip().splitlines() or ["no reason given"])[-1]
            raise DisplayError(f"no window can be opened on display {os.environ['DISPLAY']} ({reason}): {REMEDY}")


def scale(environment: Mapping[str, str] = os.environ) -> float:
    """How much larger than on an ordinary screen (96 dots per inch) everything should be drawn."""
    found = 1.0
    with contextlib.suppress(Exception):  # a screen that cannot be asked is an ordinary one
        if sys.platform == "win32":
            found = ctypes.windll.user32.GetDpiForSystem() / 96
        elif sys.platform != "darwin":  # macOS scales the whole window itself
            found = float(environment.get("GDK_SCALE") or 0) or x_dpi(_x_resources()) / 96
    return min(LARGEST, max(SMALLEST, round(found * 4) / 4))


def x_dpi(resources: str) -> float:
    """What desktops write for all programs to read: `Xft.dpi: 192`; 96 where they do not."""
    line = re.search(r"^Xft\.dpi:\s*([\d.]+)", resources, re.MULTILINE)
    return float(line.group(1)) if line else 96.0


def _x_resources() -> str:
    xlib = ctypes.CDLL("libX11.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XResourceManagerString.argtypes = [ctypes.c_void_p]
    xlib.XResourceManagerString.restype = ctypes.c_char_p
    xlib.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = xlib.XOpenDisplay(None)
    if not display:
        return ""
    try:
        return (xlib.XResourceManagerString(display) or b"").decode(errors="replace")
    finally:
        xlib.XCloseDisplay(display)


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the desktop in pixels: a screen, or a window on it."""

    left: int
    top: int
    width: int
    height: int

    def overlap(self, other: Place) -> tuple[int, int]:
        """Width and height of what both have."""
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        down = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return max(0, across), max(0, down)


def screens() -> list[Place]:
    """Every screen, the main one first; one of the usual size where the system does not tell."""
    with contextlib.suppress(Exception), mss.MSS() as system:  # whatever fails there, a window can be opened
        found = sorted(system.monitors[1:], key=lambda one: not one.get("is_primary"))
        places = [Place(one["left"], one["top"], one["width"], one["height"]) for one in found]
        if places:
            return places
    return [Place(0, 0, *USUAL)]


def first_place(size: tuple[int, int], scale: float, on: Sequence[Place]) -> Place:
    """Where a window of that size (pixels at scale 1) opens: as large as it fits, in the middle of the main screen."""
    screen = on[0]
    room = [side - round(edge * scale) for side, edge in zip((screen.width, screen.height), EDGE, strict=True)]
    width, height = (min(round(side * scale), most) for side, most in zip(size, room, strict=True))
    return Place(screen.left + (screen.width - width) // 2, screen.top + (screen.height - height) // 2, width, height)


def place_again(place: Place, smallest: tuple[int, int], scale: float, on: Sequence[Place]) -> Place | None:
    """A remembered place, made smaller where its screen has become so; None where it is on no screen any more."""
    top = Place(place.left, place.top, place.width, round(GRIP[1] * scale))
    least = min(round(GRIP[0] * scale), place.width)
    for screen in on:
        across, down = top.overlap(screen)
        if across >= least and down > 0 and place.top >= screen.top - round(GRIP[1] * scale):
            if place.overlap(screen) == (place.width, place.height):
                return place
            edge = [round(side * scale) for side in EDGE]
            width = max(smallest[0], min(place.width, screen.width - edge[0]))
            height = max(smallest[1], min(place.height, screen.height - edge[1]))
            left = min(max(place.left, screen.left), screen.left + screen.width - width - edge[0] // 2)
            low = min(max(place.top, screen.top), screen.top + screen.height - height - edge[1] // 2)
            return Place(left, low, width, height)
    return None
