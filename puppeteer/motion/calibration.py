"""A person's ranges from what was seen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from puppeteer.calibration import EYE_CLOSED, Calibration, measured
from puppeteer.errors import SettingsError
from puppeteer.pose import BY_NAME, EXPRESSIVE, F32, SIX, FaceObservation

# A blink that the tracker sees only in part, as behind glasses: how deep at least, how many times as deep as what lids
# do otherwise, in which share of the frames at most, and of how many frames.
BLINK_DEPTH, BLINK_CLEAR, BLINK_SHARE, BLINK_FRAMES = 0.2, 3.0, 0.12, 150

Step = Literal["neutral", "eyes_closed", "mouth_open", "lips", "corners"]
OPTIONAL: tuple[Step, ...] = ("lips", "corners")  # may be skipped
SHUT = 0.55  # lids that read so say nothing about where a gaze or a lower lid rests
LEAST_REACH, MOST_REACH = 0.8, 1.8  # of the automatic calibration: what never moves is not made to
WIDE_REST = 60  # percent: eyes that look down at a chat for half of the time are not wide when they look up
# A face that does nothing: lips shut, eyes open and ahead. Where it is seen for more than so much of the time, it alone
# says where brows and lips rest; somebody who laughs and shouts for most of a minute does not rest in the middle of it.
CALM_LIPS, CALM_LIDS, CALM_HEAD, CALM_SHARE = 0.06, 0.25, 0.5, 0.05
RESTING = ("brow_left", "brow_right", "brow_form", "eye_smile", "mouth_form", "mouth_wide")
CORNERS_SHOW = 0.8  # of the range, for a look at a corner of the screen


def _table(observations: Sequence[FaceObservation | None]) -> F32:
    """float32 (N, 6), frames without a face left out."""
    return np.array([seen.values() for seen in observations if seen is not None], np.float32).reshape(-1, 6)


def _column(
    observations: Sequence[FaceObservation | None], name: str, of: Callable[[FaceObservation], bool] = lambda _: True
) -> F32:
    """float32 (N), where it is known."""
    values = (getattr(seen, name) for seen in observations if seen is not None and of(seen))
    return np.array([value for value in values if value is not None], np.float32)


def _open_eyes(seen: FaceObservation) -> bool:
    return (seen.eye_left + seen.eye_right) / 2 < SHUT


def _expressive(observations: Sequence[FaceObservation | None]) -> dict[str, float]:
    """Rest and reach of what the face tells beyond the six, as `Calibration.asdict` names them."""
    calm = _calm(observations)
    found: dict[str, float] = {}
    for name in EXPRESSIVE:
        values = _column(observations, name, _open_eyes)
        if not len(values):
            continue
        rest = float(np.percentile(values, WIDE_REST if name == "eye_wide" else 50))
        if name in RESTING and len(resting := _column(calm, name)):
            sure = min(1.0, len(resting) / (CALM_SHARE * len(values)))
            rest += sure * (float(np.median(resting)) - rest)
        away = values - rest if BY_NAME[name].low == 0 else np.abs(values - rest)  # a shut eye is no wide one
        far = float(np.percentile(away, 98))
        found[f"{name}_rest"], found[f"{name}_reach"] = rest, min(MOST_REACH, max(LEAST_REACH, far))
    return found


def _calm(observations: Sequence[FaceObservation | None]) -> list[FaceObservation]:
    """Those in which the face does nothing."""
    seen = [one for one in observations if one is not None]
    table = _table(seen)
    lids, lips, head = table[:, :2].mean(axis=1), table[:, 2], table[:, 3:]
    calm = lids < min(SHUT, float(np.percentile(lids, 25)) + CALM_LIDS)
    calm &= lips < np.percentile(lips, 10) + CALM_LIPS
    calm &= (np.abs(head - np.median(head, axis=0)) < CALM_HEAD).all(axis=1)
    return [one for one, still in zip(seen, calm, strict=True) if still]


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

    aside = _column(observations, "aside")
    seen = Calibration.from_flat(
        measured(
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
                "aside": float(np.median(aside)) if len(aside) else 0.0,
                **_expressive(observations),
            }
        )
    )
    shut = [_shallow_blinks(table[:, column]) for column in (0, 1)]
    if shut[0] is None or shut[1] is None:  # people blink with both
        return seen
    return Calibration.from_flat(
        seen.asdict() | measured({"eye_left_closed": shut[0], "eye_right_closed": shut[1]}, blinks=True)
    )


def _shallow_blinks(lid: F32) -> float | None:
    """How far an eye reads as closed when it blinks, where it never reads as closed; None where it does, or where
    there are no blinks: lids that shut now and then, far from where they stay otherwise."""
    low, middle, high, shut, most = (float(value) for value in np.percentile(lid, (25, 50, 75, 98, 99.5)))
    clear = shut - high >= BLINK_DEPTH and shut - high >= BLINK_CLEAR * (high - low)
    rare = float((lid > (middle + shut) / 2).mean()) <= BLINK_SHARE
    return shut if most < EYE_CLOSED[0] and clear and rare and len(lid) >= BLINK_FRAMES else None


def guided(calibration: Calibration, step: Step, observations: Sequence[FaceObservation | None]) -> Calibration:
    """The calibration with what one step of the guided procedure tells: the person was asked to look straight ahead
    with a closed mouth ("neutral"), to close both eyes ("eyes_closed"), to open the mouth wide ("mouth_open"), to smile
    and say "oo" ("lips"), or to look at the four corners of the screen ("corners").

    The steps do not depend on each other. A step that the person did not follow cannot do harm: the limits of faces
    hold, so the eyes can still close. Raises SettingsError where no face was seen.
    """
    table = _table(observations)
    if not len(table):
        raise SettingsError("no face was seen: look into the camera, with light from the front, and calibrate again")
    values = {name: float(value) for name, value in zip(SIX, np.median(table, axis=0), strict=True)}
    told: dict[Step, dict[str, float]] = {
        "neutral": {
            "eye_left_open": values["eye_left"],
            "eye_right_open": values["eye_right"],
            "mouth_closed": values["mouth_open"],
            "neck_z": values["neck_z"],
            "neck_x": values["neck_x"],
            "neck_y": values["neck_y"],
            **{
                name if name == "aside" else f"{name}_rest": float(np.median(column))
                for name in (*EXPRESSIVE, "aside")
                if len(column := _column(observations, name))
            },
        },
        "eyes_closed": {"eye_left_closed": values["eye_left"], "eye_right_closed": values["eye_right"]},
        "mouth_open": {"mouth_open": values["mouth_open"]},
        "lips": {
            f"{name}_reach": float(np.percentile(np.abs(column - calibration.rest[name]), 95))
            for name in ("mouth_form", "mouth_wide")
            if len(column := _column(observations, name))
        },
        "corners": _corners(observations),
    }
    return Calibration.from_flat(calibration.asdict() | measured(told[step]))


def _corners(observations: Sequence[FaceObservation | None]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("gaze_x", "gaze_y"):
        column = _column(observations, name, _open_eyes)
        if len(column):
            low, high = (float(value) for value in np.percentile(column, (5, 95)))
            found[f"{name}_rest"], found[f"{name}_reach"] = (low + high) / 2, (high - low) / 2 / CORNERS_SHOW
    return found
