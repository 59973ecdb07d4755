"""A face between two looks: it goes on, evenly and sooner, and never past what was seen."""

from __future__ import annotations

import math

import numpy as np
import pytest

from puppeteer.calibration import Calibration
from puppeteer.motion import Motion
from puppeteer.motion.between_looks import LONGEST_S, BetweenLooks
from puppeteer.pose import FaceObservation
from puppeteer.settings import MotionSettings

LOOKS, PICTURES = 30, 60  # a second


def turned(value: float, **more: float) -> FaceObservation:
    return FaceObservation(0.0, 0.0, 0.0, 0.0, 0.0, value, **more)


def swaying(goes_on: bool, hertz: float) -> tuple[float, float]:
    """Lag in seconds and unevenness of the steps of a head that sways, after all filters, with a tracker's noise."""
    noise = np.random.default_rng(1).normal(0, 0.006, 400)
    looks = [turned(0.6 * math.sin(2 * math.pi * hertz * i / LOOKS) + noise[i]) for i in range(400)]
    motion, between, shown = Motion(MotionSettings(), Calibration()), BetweenLooks(), []
    for i in range(12 * PICTURES):
        seen: FaceObservation | None = looks[i * LOOKS // PICTURES]
        shown.append(motion.step(between.step(seen, i / PICTURES) if goes_on else seen, i / PICTURES).neck_y)
    pictures = np.array(shown[2 * PICTURES :])
    times_s = np.arange(2 * PICTURES, 12 * PICTURES) / PICTURES
    wave = 2 * np.mean(pictures * np.exp(-2j * np.pi * hertz * times_s))
    even = np.real(wave * np.exp(2j * np.pi * hertz * times_s))
    lag_s = -(np.angle(wave) + np.pi / 2) / (2 * np.pi * hertz)
    return float(lag_s), float(np.std(np.diff(pictures - even)) / np.std(np.diff(even)))


@pytest.mark.parametrize("hertz", [0.4, 0.7, 1.5])
def test_a_head_follows_sooner_and_more_evenly(hertz: float) -> None:
    (held_s, held), (sooner_s, even) = (swaying(goes_on, hertz) for goes_on in (False, True))
    assert sooner_s < held_s - 0.002 and even < 0.8 * held


def test_a_head_at_rest_does_not_tremble_more() -> None:
    noise = np.random.default_rng(2).normal(0, 0.006, 400)
    spread = {}
    for goes_on in (False, True):
        motion, between = Motion(MotionSettings(), Calibration()), BetweenLooks()
        looks = [turned(float(value)) for value in noise]
        shown = [
            motion.step(between.step(looks[i // 2], i / 60) if goes_on else looks[i // 2], i / 60).neck_y
            for i in range(800)
        ]
        spread[goes_on] = float(np.std(np.diff(shown[100:])))
    assert spread[True] < 1.3 * spread[False]


def test_it_never_goes_past_what_was_seen_and_new_looks_count_as_they_are() -> None:
    between = BetweenLooks()
    first, second, third = turned(0.0, gaze_x=0.1), turned(1.0, gaze_x=0.2), turned(0.5)
    assert between.step(first, 0.0) is first and between.step(first, 0.01) is first
    assert between.step(second, 1 / 30) is second
    ahead = between.step(second, 0.05)
    assert ahead is not None and ahead.neck_y == 1.0, "that is as far as it was seen"
    assert between.step(third, 2 / 30) is third
    ahead = between.step(third, 2.5 / 30)
    assert ahead is not None and ahead.neck_y == pytest.approx(0.5 - 0.5 * 0.5 * 0.7) and ahead.gaze_x is None
    far = between.step(third, 1.0)
    assert far is not None and far.neck_y == pytest.approx(0.5 - 0.5 * 0.7), "not for ever"


def test_after_a_gap_or_a_loss_it_waits_for_two_looks() -> None:
    between = BetweenLooks()
    first, second, third = turned(0.0), turned(0.3), turned(0.6)
    between.step(first, 0.0)
    between.step(second, 2 * LONGEST_S)
    assert between.step(second, 2 * LONGEST_S + 0.01) is second
    assert between.step(None, 1.0) is None
    between.step(third, 1.02)
    assert between.step(third, 1.03) is third
