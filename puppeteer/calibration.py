"""One person's ranges: which raw values mean rest, closed and wide open. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from puppeteer.errors import SettingsError
from puppeteer.pose import EXPRESSIVE, FaceObservation

# What people have, in the tracker's raw units. A measured value is brought into these limits, so that somebody who
# never closes the eyes in a clip does not have noise for blinks, and a closed mouth stays closed.
EYE_OPEN = (-0.5, 0.55)
EYE_CLOSED = (0.88, 0.98)
EYE_BLINKS = 0.4  # lids that read as shut at no less than this: glasses, narrow or far eyes; only where blinks show it
MOUTH_CLOSED = (-0.03, 0.06)
MOUTH_OPEN = (0.55, 0.95)
NECK_NEUTRAL = (-2.2, 2.2)  # a phone on the desk looks up at a face that looks straight ahead: 1.4 and more
REST = (-3.0, 3.0)  # of the expressive numbers: brows sit high or low
REACH = (0.3, 2.5)
ASIDE = (-10.0, 10.0)
FULL = 0.87  # lids this far down the way cover the eye: lashes and blur hide the rest


@dataclass(frozen=True, slots=True)
class Calibration:
    """Raw values (units of FaceObservation) of one person; the defaults fit most faces.

    `asdict` and `from_dict` carry it through JSON.
    """

    eye_left_open: float = 0.1
    eye_right_open: float = 0.1
    eye_left_closed: float = 0.94
    eye_right_closed: float = 0.94
    mouth_closed: float = 0.0
    mouth_open: float = 0.7
    neck_z: float = 0.0
    neck_x: float = 0.0
    neck_y: float = 0.0
    aside: float = 0.0
    # Of each expressive number: the raw value at rest, and what is added to it when the face goes as far as it goes.
    rest: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(EXPRESSIVE, 0.0))
    reach: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(EXPRESSIVE, 1.0))

    def apply(self, seen: FaceObservation) -> tuple[float | None, ...]:
        """The tracked numbers relative to this person, 0 at rest and 1 closed, wide or as far as this face goes; not
        clamped. None for what is not known."""
        return (
            (seen.eye_left - self.eye_left_open) / (self.eye_left_closed - self.eye_left_open) / FULL,
            (seen.eye_right - self.eye_right_open) / (self.eye_right_closed - self.eye_right_open) / FULL,
            (seen.mouth_open - self.mouth_closed) / (self.mouth_open - self.mouth_closed),
            seen.neck_z - self.neck_z,
            seen.neck_x - self.neck_x,
            seen.neck_y - self.neck_y,
            *(
                None if (raw := getattr(seen, name)) is None else (raw - self.rest[name]) / self.reach[name]
                for name in EXPRESSIVE
            ),
        )

    def ranges(self) -> tuple[tuple[float, float], ...]:
        """For each of the tracked numbers, the raw values that mean 0 and 1; for the meters of the studio."""
        return (
            (self.eye_left_open, self.eye_left_open + FULL * (self.eye_left_closed - self.eye_left_open)),
            (self.eye_right_open, self.eye_right_open + FULL * (self.eye_right_closed - self.eye_right_open)),
            (self.mouth_closed, self.mouth_open),
            (self.neck_z, self.neck_z + 1),
            (self.neck_x, self.neck_x + 1),
            (self.neck_y, self.neck_y + 1),
            *((self.rest[name], self.rest[name] + self.reach[name]) for name in EXPRESSIVE),
        )

    def asdict(self) -> dict[str, float]:
        """Flat: `gaze_x_rest`, `gaze_x_reach` and so on beside the others."""
        values = {name: getattr(self, name) for name in _PLAIN}
        for kind, of in (("rest", self.rest), ("reach", self.reach)):
            values |= {f"{name}_{kind}": of[name] for name in EXPRESSIVE}
        return values

    @classmethod
    def from_flat(cls, values: Mapping[str, float]) -> Calibration:
        """The inverse of `asdict`; what is left out has its default."""
        default = cls().asdict()
        given = {**default, **values}
        return cls(
            **{name: given[name] for name in _PLAIN},
            rest={name: given[f"{name}_rest"] for name in EXPRESSIVE},
            reach={name: given[f"{name}_reach"] for name in EXPRESSIVE},
        )

    @classmethod
    def from_dict(cls, data: Any) -> Calibration:
        """Raises SettingsError where something is missing, unknown, no number or out of the limits of a face."""
        known, needed = cls().asdict(), [name for name in _PLAIN if name != "aside"]
        if not isinstance(data, dict) or not set(needed) <= set(data) <= set(known):
            raise SettingsError(f"a calibration has the numbers {', '.join(needed)}: calibrate again")
        values = {}
        for name, value in data.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise SettingsError(f"the calibration's {name} is {value!r}, not a number: calibrate again")
            low, high = _limits(name, blinks=True)
            if not low <= value <= high:
                raise SettingsError(f"the calibration's {name} is {value:g}, not {low} to {high}: calibrate again")
            values[name] = float(value)
        return cls.from_flat(values)


_PLAIN = tuple(one.name for one in fields(Calibration) if one.name not in ("rest", "reach"))


def _limits(name: str, blinks: bool) -> tuple[float, float]:
    for ending, limits in (("_rest", REST), ("_reach", REACH)):
        if name.endswith(ending):
            return limits
    if name == "aside":
        return ASIDE
    if name.startswith("neck"):
        return NECK_NEUTRAL
    if name.startswith("eye"):
        if name.endswith("open"):
            return EYE_OPEN
        return (EYE_BLINKS if blinks else EYE_CLOSED[0]), EYE_CLOSED[1]
    return MOUTH_OPEN if name == "mouth_open" else MOUTH_CLOSED


def measured(values: dict[str, float], blinks: bool = False) -> dict[str, float]:
    """Brought into the limits of faces; with `blinks`, shut lids were seen, however open they read."""
    return {name: float(np.clip(value, *_limits(name, blinks))) for name, value in values.items()}
