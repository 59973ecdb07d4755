"""The shared vocabulary: Frame, FaceObservation and Pose.

Conventions: left and right are the character's (or the tracked person's) own. A number of the pose is declared once,
as a field of `Pose`: headers of tables, flags, sliders, meters, filters and the mirror are made from `NUMBERS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

NECK_RANGE_DEG = 15.0
# Hair hangs: rows of the spec square between which it ceases to follow a leaning head, and how much it stays behind.
HAIR_HANGS, HAIR_STAYS = (190.0, 252.0), 0.8

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Filter:
    """How a tracked number is smoothed unless the user says otherwise: see `settings.ParameterSettings`."""

    min_cutoff: float = 1.0  # Hz
    beta: float = 3.0
    dead_zone: float = 0.0


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a pose; it is 0 in the rest image and 1 at most."""

    name: str
    low: float  # 0 or -1
    label: str  # for people
    group: str  # for people: what is shown together
    help: str  # what the ends do, as half a sentence
    mirror: str  # the number that it is in a mirror: itself, or its counterpart on the other side
    negated: bool  # in a mirror
    filter: Filter | None  # of what the tracker gives; None: no tracker gives it

    @property
    def allowed(self) -> str:
        """The range in words."""
        return f"{self.low:g} to 1"

    def clamped(self, value: float) -> float:
        """Raises ValueError where it is NaN."""
        if math.isnan(value):
            raise ValueError(f"{self.name} is not a number")
        return min(1.0, max(self.low, value))


def number(
    low: float,
    label: str,
    group: str,
    help: str,
    *,
    mirror: str = "",
    negated: bool = False,
    filter: Filter | None = None,
) -> Any:
    """A field of `Pose`; `mirror` is empty where a mirror shows the same number."""
    told = {"low": float(low), "label": label, "group": group, "help": help, "mirror": mirror, "negated": negated}
    return field(default=0.0, metadata=told | {"filter": filter})


BLINKS = Filter(min_cutoff=8.0, beta=15.0, dead_zone=0.15)
LIPS = Filter(min_cutoff=4.0, beta=4.0, dead_zone=0.04)
TURNS = Filter()
GLANCES = Filter(min_cutoff=0.6, beta=10.0, dead_zone=0.08)  # eyes jump and rest: no lag in a jump, nothing else moves
BROWS = Filter(min_cutoff=1.5, beta=4.0, dead_zone=0.15)
LIDS = Filter(min_cutoff=1.5, beta=3.0, dead_zone=0.25)
SMILES = Filter(min_cutoff=2.0, beta=3.0, dead_zone=0.12)


@dataclass(frozen=True, slots=True)
class Pose:
    """What the character shall do; the zero pose is the rest image (but for `mouth_open`, where 0 is closed lips and
    1 wide open, whatever the drawing shows).

    For the neck 1 is `NECK_RANGE_DEG`. The first six numbers are the paper's ("Talking Head Anime from a Single
    Image", 2019); a family of networks may know these alone.
    """

    eye_left: float = number(0, "Left eye", "Eyes", "1 closes it", mirror="eye_right", filter=BLINKS)
    eye_right: float = number(0, "Right eye", "Eyes", "1 closes it", mirror="eye_left", filter=BLINKS)
    mouth_open: float = number(0, "Mouth", "Mouth", "1 is wide open", filter=LIPS)
    neck_z: float = number(-1, "Lean", "Head", "1 leans the head to the viewer's left", negated=True, filter=TURNS)
    neck_x: float = number(-1, "Nod", "Head", "1 looks up", filter=TURNS)
    neck_y: float = number(-1, "Turn", "Head", "1 turns the face to the viewer's left", negated=True, filter=TURNS)
    gaze_x: float = number(-1, "Look aside", "Gaze", "1 looks to the viewer's left", negated=True, filter=GLANCES)
    gaze_y: float = number(-1, "Look up", "Gaze", "1 looks up, -1 down", filter=GLANCES)
    brow_left: float = number(-1, "Left brow", "Brows", "1 raises it, -1 lowers it", mirror="brow_right", filter=BROWS)
    brow_right: float = number(-1, "Right brow", "Brows", "1 raises it, -1 lowers it", mirror="brow_left", filter=BROWS)
    brow_form: float = number(-1, "Mood", "Brows", "1 is troubled, -1 angry", filter=BROWS)
    eye_smile: float = number(0, "Smiling eyes", "Eyes", "1 raises the lower lids", filter=LIDS)
    eye_wide: float = number(0, "Wide eyes", "Eyes", "1 opens them wider than drawn", filter=LIDS)
    mouth_form: float = number(-1, "Smile", "Mouth", "1 smiles, -1 frowns", filter=SMILES)
    mouth_wide: float = number(
        -1, "Vowel", "Mouth", "1 stretches an open mouth (i, e), -1 purses it (u, o)", filter=SMILES
    )
    body_z: float = number(-1, "Body lean", "Body", "1 leans the figure to the viewer's left", negated=True)
    body_y: float = number(-1, "Body turn", "Body", "1 turns the figure to the viewer's left", negated=True)
    breath: float = number(0, "Breath", "Body", "1 is breathed in")
    hair_x: float = number(-1, "Hair", "Body", "1 swings hanging hair to the viewer's left", negated=True)

    @classmethod
    def from_values(cls, values: Iterable[float]) -> Pose:
        """Numbers in the order of `POSE_NAMES`, clamped into range; those left out at the end are 0.

        Raises ValueError where one is NaN or there are more than a pose has.
        """
        given = [float(value) for value in values]
        if len(given) > len(NUMBERS):
            raise ValueError(f"{len(given)} numbers for a pose that has {len(NUMBERS)}")
        return cls(*given).clamped()

    @classmethod
    def from_names(cls, values: Mapping[str, float]) -> Pose:
        """Numbers by name, clamped into range; those left out are 0, other names are passed over.

        Raises ValueError where one is NaN.
        """
        return cls.from_values(float(values.get(name, 0.0)) for name in POSE_NAMES)

    def clamped(self) -> Pose:
        """The nearest valid pose. Raises ValueError where a value is NaN."""
        return Pose(*(declared.clamped(value) for declared, value in zip(NUMBERS, self.values(), strict=True)))

    def mirrored(self) -> Pose:
        """What a mirror shows: sides swapped, turns negated."""
        seen = (getattr(self, declared.mirror) for declared in NUMBERS)
        return Pose(*(-value if declared.negated else value for declared, value in zip(NUMBERS, seen, strict=True)))

    def values(self) -> tuple[float, ...]:
        """In the order of `POSE_NAMES`."""
        return tuple(getattr(self, name) for name in POSE_NAMES)

    def array(self) -> F32:
        """float32 (19,)"""
        return np.asarray(self.values(), np.float32)


NUMBERS = tuple(
    Number(name=one.name, **{**one.metadata, "mirror": one.metadata["mirror"] or one.name}) for one in fields(Pose)
)
POSE_NAMES = tuple(declared.name for declared in NUMBERS)
BY_NAME = {declared.name: declared for declared in NUMBERS}
SIX = POSE_NAMES[:6]  # the paper's
TRACKED = tuple(
    declared.name for declared in NUMBERS if declared.filter is not None
)  # what a face tells: the six first
EXPRESSIVE = TRACKED[len(SIX) :]  # what it tells beyond the six, where whoever looks can tell it
LIFE = tuple(declared.name for declared in NUMBERS if declared.filter is None)  # what motion adds


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
    personal range; `neck_*` are degrees / NECK_RANGE_DEG with the signs of `Pose` and may leave [-1, 1]. The optional
    numbers have the signs of `Pose`, but 0 is only about where this person's face rests, and 1 about how far faces go;
    they are None where whoever looked does not tell them. A gaze is that of the eyes in the head.
    """

    eye_left: float
    eye_right: float
    mouth_open: float
    neck_z: float
    neck_x: float
    neck_y: float
    landmarks: F32 | None = None  # (478, 3), x and y in [0, 1] of the frame, for the preview
    gaze_x: float | None = None
    gaze_y: float | None = None
    brow_left: float | None = None
    brow_right: float | None = None
    brow_form: float | None = None
    eye_smile: float | None = None
    eye_wide: float | None = None
    mouth_form: float | None = None
    mouth_wide: float | None = None
    body_z: float | None = None
    body_y: float | None = None
    aside: float | None = None  # from the picture's middle to the viewer's left, in widths of the face
    small: bool = False  # so far away that little can be seen of it: come closer

    def told(self) -> tuple[float | None, ...]:
        """In the order of `TRACKED`; None for what is not known."""
        return tuple(getattr(self, name) for name in TRACKED)

    def values(self) -> tuple[float, float, float, float, float, float]:
        """The six."""
        return (self.eye_left, self.eye_right, self.mouth_open, self.neck_z, self.neck_x, self.neck_y)
