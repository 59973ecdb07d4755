"""One person's ranges: which raw values mean rest, closed and wide open. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from puppeteer.errors import SettingsError
from puppeteer.pose import F32, POSE_NAMES, FaceObservation

Step = Literal["neutral", "eyes_closed", "mouth_open"]

# What people have, in the tracker's raw units. A measured value is brought into these limits, so that somebody who
# never closes the eyes in a clip does not have noise for blinks, and a closed mouth stays closed.
EYE_OPEN = (-0.5, 0.55)
EYE_CLOSED = (0.88, 0.98)
MOUTH_CLOSED = (-0.03, 0.06)
MOUTH_OPEN = (0.55, 0.95)
NECK_NEUTRAL = (-1.2, 1.2)
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
            low, high = _limits(name)
            if not low <= value <= high:
                raise SettingsError(f"the calibration's {name} is {value:g}, not {low} to {high}: calibrate again")
            values[name] = float(value)
        return cls(**values)


def _limits(name: str) -> tuple[float, float]:
    if name.startswith("neck"):
        return NECK_NEUTRAL
    if name.startswith("eye"):
        return EYE_OPEN if name.endswith("open") else EYE_CLOSED
    return MOUTH_OPEN if name == "mouth_open" else MOUTH_CLOSED


def _measured(values: dict[str, float]) -> dict[str, float]:
    return {name: float(np.clip(value, *_limits(name))) for name, value in values.items()}


def _table(observations: Sequence[FaceObservation | None]) -> F32:
    """float32 (N, 6), frames without a face left out."""
    return np.array([seen.values() for seen in observations if seen is not None], np.float32).reshape(-1, 6)


def calibrate(observations: Sequence[FaceObservation | None]) -> Calibration:
    """The ranges of a person seen doing whatever people do (a whole clip, or the last minute).

    Percentiles, not extremes: one bad frame changes nothing. Without a face, the defaults.
    """
    table = _table(observations)
    if not len(table):
        return Calibration()
    neck_z, neck_x, neck_y = (float(value) for value in np.median(table[:, 3:], axis=0))

    def level(column: int, percent: float) -> float:
        return float(np.percentile(table[:, column], percent))

    return Calibration(
        **_measured(
            {
                # Eyes are open most of the time, but some people frown or look down for half of a clip.
                "eye_left_open": level(0, 25),
                "eye_right_open": level(1, 25),
                "eye_left_closed": level(0, 98),
                "eye_right_closed": level(1, 98),
                "mouth_closed": level(2, 10),
                "mouth_open": level(2, 98),
                "neck_z": neck_z,
                "neck_x": neck_x,
                "neck_y": neck_y,
            }
        )
    )


def guided(calibration: Calibration, step: Step, observations: Sequence[FaceObservation | None]) -> Calibration:
    """The calibration with what one step of the guided procedure tells: the person was asked to look straight ahead
    with a closed mouth ("neutral"), to close both eyes ("eyes_closed") or to open the mouth wide ("mouth_open").

    The steps do not depend on each other. A step that the person did not follow cannot do harm: the limits of faces
    hold, so the eyes can still close. Raises SettingsError where no face was seen.
    """
    table = _table(observations)
    if not len(table):
        raise SettingsError("no face was seen: look into the camera, with light from the front, and calibrate again")
    values = {name: float(value) for name, value in zip(POSE_NAMES, np.median(table, axis=0), strict=True)}
    told = {
        "neutral": {
            "eye_left_open": values["eye_left"],
            "eye_right_open": values["eye_right"],
            "mouth_closed": values["mouth_open"],
            "neck_z": values["neck_z"],
            "neck_x": values["neck_x"],
            "neck_y": values["neck_y"],
        },
        "eyes_closed": {"eye_left_closed": values["eye_left"], "eye_right_closed": values["eye_right"]},
        "mouth_open": {"mouth_open": values["mouth_open"]},
    }[step]
    return replace(calibration, **_measured(told))
