"""What the character does while nobody is seen: it blinks, looks about, sways. Pure: the same time, the same pose."""

from __future__ import annotations

import math

from puppeteer.pose import Pose

BLINK_EVERY_S = 4.0
BLINK_S = 0.24
GLANCE_EVERY_S, GLANCE_S = 1.7, 0.05  # eyes rest, and jump
GLANCE_X, GLANCE_Y = 0.3, 0.15  # at most, aside and up or down
HOME_SHARE = 0.4  # of the glances are at the viewer
_GOLDEN = 0.618033988749895  # its multiples never settle into a rhythm
_PLASTIC = 0.7548776662466927  # likewise, beside those


def idle_pose(time_s: float) -> Pose:
    """The pose at a time in seconds; continuous, so that a stream may start and stop anywhere in it."""
    closed = _blink(time_s)
    nod = math.sin(2 * math.pi * time_s / 4.3)
    sway = math.sin(2 * math.pi * time_s / 11.0) + 0.5 * math.sin(2 * math.pi * time_s / 6.7)
    turn = math.sin(2 * math.pi * time_s / 17.0) + 0.4 * math.sin(2 * math.pi * time_s / 7.9)
    gaze_x, gaze_y = _gaze(time_s)
    return Pose(
        eye_left=closed,
        eye_right=closed,
        neck_z=0.08 * sway,
        neck_x=0.05 * nod,
        neck_y=0.10 * turn,
        gaze_x=gaze_x,
        gaze_y=gaze_y,
    )


def _blink(time_s: float) -> float:
    """One blink in each BLINK_EVERY_S, at a moment that differs from one to the next."""
    turn = math.floor(time_s / BLINK_EVERY_S)
    start_s = turn * BLINK_EVERY_S + (turn * _GOLDEN % 1.0) * (BLINK_EVERY_S - BLINK_S)
    phase = (time_s - start_s) / BLINK_S
    if not 0 < phase < 1:
        return 0.0
    return min(1.0, 1.6 * math.sin(math.pi * phase))  # held shut for a moment


def _gaze(time_s: float) -> tuple[float, float]:
    """One jump in each GLANCE_EVERY_S, at a moment that differs from one to the next, to where that turn looks."""
    turn = math.floor(time_s / GLANCE_EVERY_S)
    start_s = turn * GLANCE_EVERY_S + (turn * _PLASTIC % 1.0) * (GLANCE_EVERY_S - GLANCE_S)
    share = min(1.0, max(0.0, (time_s - start_s) / GLANCE_S))
    share = share * share * (3 - 2 * share)
    (from_x, from_y), (to_x, to_y) = _looks_at(turn - 1), _looks_at(turn)
    return from_x + share * (to_x - from_x), from_y + share * (to_y - from_y)


def _looks_at(turn: int) -> tuple[float, float]:
    first, second = (turn * _GOLDEN + 0.1) % 1.0, (turn * _PLASTIC + 0.4) % 1.0
    if first < HOME_SHARE:
        return 0.0, 0.0
    aside = (first - HOME_SHARE) / (1 - HOME_SHARE)
    return GLANCE_X * (2 * aside - 1), GLANCE_Y * (2 * second - 1)
