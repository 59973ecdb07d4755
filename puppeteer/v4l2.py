"""What Linux tells about its video devices. Elsewhere there are none."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

CAPTURE, OUTPUT = 0x1, 0x2  # V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_OUTPUT of linux/videodev2.h
LOOPBACK = "v4l2 loopback"  # the driver's name of itself
VIRTUAL_DEVICES = Path("/sys/devices/virtual/video4linux")
DEVICES = 100  # /dev/video0 to 99
_QUERYCAP, _QUERYCAP_SIZE = 0x80685600, 104  # VIDIOC_QUERYCAP, struct v4l2_capability
_G_FMT, _FORMAT_SIZE = 0xC0D05604, 208  # VIDIOC_G_FMT, struct v4l2_format on a 64-bit system
_STREAMON = 0x40045612  # VIDIOC_STREAMON
_PIX = 8  # where its width, height and pixel format are


@dataclass(frozen=True, slots=True)
class Abilities:
    driver: str
    captures: bool  # gives pictures
    outputs: bool  # takes pictures

    @property
    def loopback(self) -> bool:
        return self.driver == LOOPBACK


def abilities(device: str) -> Abilities | None:
    """Of /dev/videoN. None where it is no video device; raises OSError where it cannot be opened."""
    if sys.platform != "linux":
        return None
    import fcntl

    answer = bytearray(_QUERYCAP_SIZE)
    handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(handle, _QUERYCAP, answer)
    except OSError:
        return None
    finally:
        os.close(handle)
    bits = int.from_bytes(answer[88:92] if any(answer[88:92]) else answer[84:88], sys.byteorder)
    driver = bytes(answer[:16]).split(b"\0")[0].decode(errors="replace")
    return Abilities(driver, bool(bits & CAPTURE), bool(bits & OUTPUT))


def output_format(device: str) -> tuple[int, int, str] | None:
    """(width, height, pixel format such as "YU12") that /dev/videoN takes; None where it does not tell."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return None
    import fcntl

    answer = bytearray(_FORMAT_SIZE)
    answer[:4] = OUTPUT.to_bytes(4, sys.byteorder)  # V4L2_BUF_TYPE_VIDEO_OUTPUT has the same number
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.ioctl(handle, _QUERYCAP, bytearray(_QUERYCAP_SIZE))  # v4l2loopback asks itself what it is only here
        fcntl.ioctl(handle, _G_FMT, answer)
    except OSError:
        return None
    finally:
        os.close(handle)
    width, height = (int.from_bytes(answer[_PIX + at : _PIX + at + 4], sys.byteorder) for at in (0, 4))
    return width, height, bytes(answer[_PIX + 8 : _PIX + 12]).decode("ascii", "replace")


def let_go(device: str) -> None:
    """Makes v4l2loopback announce again that /dev/videoN takes pictures, where nobody writes to it any more.

    Version 0.12 with exclusive_caps=1 notices the end only of programs that stream; pyvirtualcam and ffmpeg write, and
    after their end nobody could use the device until the driver is loaded anew. One who is still writing takes it
    back with his next picture.
    """
    if sys.platform != "linux":
        return
    import fcntl

    with contextlib.suppress(OSError):
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(handle, _STREAMON, OUTPUT.to_bytes(4, sys.byteorder))
        finally:
            os.close(handle)


def loopbacks() -> dict[str, Abilities | None]:
    """The devices of v4l2loopback in the order of their numbers; None for a device that may not be opened."""
    found: dict[str, Abilities | None] = {}
    for number in range(DEVICES):
        device = f"/dev/video{number}"
        try:
            able = abilities(device)
        except FileNotFoundError:
            continue
        except OSError:
            if (VIRTUAL_DEVICES / f"video{number}").exists():
                found[device] = None
            continue
        if able is not None and able.loopback:
            found[device] = able
    return found
