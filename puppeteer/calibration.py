"""One person's ranges: which raw values mean rest, closed and wide open. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from puppeteer.errors import SettingsError
from puppeteer.pose import FaceObservation

# What people have, in the tracker's raw units. A measured value is brought into these limits, so that somebody who
# never closes the eyes in a clip does not have noise for blinks, and a closed mouth stays closed.
EYE_OPEN = (-0.5, 0.55)
EYE_CLOSED = (0.88, 0.98)
EYE_BLINKS = 0.4  # lids that read as shut at no less than this: glasses, narrow or far eyes; only where blinks show it
MOUTH_CLOSED = (-0.03, 0.06)
MOUTH_OPEN = (0.55, 0.95)
NECK_NEUTRAL = (-2.2, 2.2)  # a phone on the desk looks up at a face that looks straight ahead: 1.4 and more
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

    def apply(self, seen: FaceObservation) -> tuple[float, float, float, float, float, float]:
        """The six numbers relative to this person; eyes and mouth 0 at rest and 1 closed or wide, not clamped."""
        return (
            (seen.eye_left - self.eye_left_open) / (self.eye_left_closed - self.eye_left_open) / FULL,
            (seen.eye_right - self.eye_right_open) / (self.eye_right_closed - self.eye_right_open) / FULL,
            (seen.mouth_open - self.mouth_closed) / (self.mouth_open - self.mouth_closed),
            seen.neck_z - self.neck_z,
            seen.neck_x - self.neck_x,
            seen.neck_y - self.neck_y,
        )

    def ranges(self) -> tuple[tuple[float, float], ...]:
        """For each of the six, the raw values that mean 0 and 1; for the meters of the studio."""
        return (
            (self.eye_left_open, self.eye_left_open + FULL * (self.eye_left_closed - self.eye_left_open)),
            (self.eye_right_open, self.eye_right_open + FULL * (self.eye_right_closed - self.eye_right_open)),
            (self.mouth_closed, self.mouth_open),
            (self.neck_z, self.neck_z + 1),
            (self.neck_x, self.neck_x + 1),
            (self.neck_y, self.neck_y + 1),
        )

    def asdict(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Calibration:
        """Raises SettingsError where something is missing, unknown, no number or out of the limits of a face."""
        names = [field.name for field in fields(cls)]
        if not isinstance(data, dict) or sorted(data) != sorted(names):
            raise SettingsError(f"a calibration has the numbers {', '.join(names)}: calibrate again")
        values = {}
        for name in names:
            value = data[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise SettingsError(f"the calibration's {name} is {value!r}, not a number: calibrate again")
            low, high = _limits(name, blinks=True)
            if not low <= value <= high:
                raise SettingsError(f"the calibration's {name} is {value:g}, not {low} to {high}: calibrate again")
            values[name] = float(value)
        return cls(**values)


def _limits(name: str, blinks: bool) -> tuple[float, float]:
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
