"""What Linux tells about its video devices. Elsewhere there are none."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

CAPTURE, OUTPUT = 0x1, 0x2  # V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_OUTPUT of linux/videodev2.h
LOOPBACK = "v4l2 loopback"  # the driver's name of itself
VIRTUAL_DEVICES = Path("/sys/devices/virtual/video4linux")
DEVICES = 100  # /dev/video0 to 99
_QUERYCAP, _QUERYCAP_SIZE = 0x80685600, 104  # VIDIOC_QUERYCAP, struct v4l2_capability


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
