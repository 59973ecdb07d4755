"""What the character does while nobody is seen: it blinks, breathes and sways. Pure: the same time, the same pose."""

from __future__ import annotations

import math

from puppeteer.pose import Pose

BLINK_EVERY_S = 4.0
BLINK_S = 0.24
_GOLDEN = 0.618033988749895  # its multiples never settle into a rhythm


def idle_pose(time_s: float) -> Pose:
    """The pose at a time in seconds; continuous, so that a stream may start and stop anywhere in it."""
    closed = _blink(time_s)
    breath = math.sin(2 * math.pi * time_s / 4.3)
    sway = math.sin(2 * math.pi * time_s / 11.0) + 0.5 * math.sin(2 * math.pi * time_s / 6.7)
    glance = math.sin(2 * math.pi * time_s / 17.0) + 0.4 * math.sin(2 * math.pi * time_s / 7.9)
    return Pose(
        eye_left=closed,
        eye_right=closed,
        neck_z=0.08 * sway,
        neck_x=0.05 * breath,
        neck_y=0.10 * glance,
    )


def _blink(time_s: float) -> float:
    """One blink in each BLINK_EVERY_S, at a moment that differs from one to the next."""
    turn = math.floor(time_s / BLINK_EVERY_S)
    start_s = turn * BLINK_EVERY_S + (turn * _GOLDEN % 1.0) * (BLINK_EVERY_S - BLINK_S)
    phase = (time_s - start_s) / BLINK_S
    if not 0 < phase < 1:
        return 0.0
    return min(1.0, 1.6 * math.sin(math.pi * phase))  # held shut for a moment
