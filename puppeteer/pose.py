"""The shared vocabulary: Frame, FaceObservation and Pose.

Conventions: left and right are the character's (or the tracked person's) own. A pose is six numbers in the
order of `POSE_NAMES`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

NECK_RANGE_DEG = 15.0
# Hair hangs: rows of the spec square between which it ceases to follow a leaning head, and how much it stays behind.
HAIR_HANGS, HAIR_STAYS = (190.0, 252.0), 0.8

POSE_NAMES = ("eye_left", "eye_right", "mouth_open", "neck_z", "neck_x", "neck_y")
EYES_AND_MOUTH = POSE_NAMES[:3]  # in [0, 1]
NECK = POSE_NAMES[3:]  # in [-1, 1]

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pose:
    """What the character shall do; the zero pose has open eyes, closed lips and a straight neck.

    The eyes are 0 open to 1 closed; `mouth_open` is 0 closed to 1 wide (absolute, not relative to the drawing);
    for the neck 1 is `NECK_RANGE_DEG`: `neck_z` +1 leans the head towards the viewer's left, `neck_x` +1 looks
    up, `neck_y` +1 turns the face towards the viewer's left.
    """

    eye_left: float = 0.0
    eye_right: float = 0.0
    mouth_open: float = 0.0
    neck_z: float = 0.0
    neck_x: float = 0.0
    neck_y: float = 0.0

    @classmethod
    def from_values(cls, values: Iterable[float]) -> Pose:
        """Six numbers in the order of `POSE_NAMES`, clamped into range; NaN raises ValueError."""
        return cls(*(float(v) for v in values)).clamped()

    def clamped(self) -> Pose:
        """The nearest valid pose. Raises ValueError where a value is NaN."""
        values = []
        for name, value in zip(POSE_NAMES, astuple(self), strict=True):
            if math.isnan(value):
                raise ValueError(f"{name} is not a number")
            values.append(min(1.0, max(0.0 if name in EYES_AND_MOUTH else -1.0, value)))
        return Pose(*values)

    def mirrored(self) -> Pose:
        """What a mirror shows: eyes swapped, `neck_z` and `neck_y` negated."""
        return Pose(self.eye_right, self.eye_left, self.mouth_open, -self.neck_z, self.neck_x, -self.neck_y)

    def values(self) -> tuple[float, float, float, float, float, float]:
        return astuple(self)

    def array(self) -> F32:
        """float32 (6,)"""
        return np.asarray(astuple(self), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a camera or a clip, as the sensor saw it (never mirrored)."""

    rgb: U8  # (H, W, 3)
    time_s: float  # media time for a clip, monotonic clock for a camera
    index: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """What the tracker saw in one frame: raw, in the person's own left and right, nothing subtracted.

    `eye_*` grow from 0 (open) to about 1 (closed), `mouth_open` from 0 (closed) to about 1 (wide), without any
    personal range; `neck_*` are degrees / NECK_RANGE_DEG with the signs of `Pose` and may leave [-1, 1].
    """

    eye_left: float
    eye_right: float
    mouth_open: float
    neck_z: float
    neck_x: float
    neck_y: float
    landmarks: F32 | None = None  # (478, 3), x and y in [0, 1] of the frame, for the preview

    def values(self) -> tuple[float, float, float, float, float, float]:
        return (self.eye_left, self.eye_right, self.mouth_open, self.neck_z, self.neck_x, self.neck_y)
