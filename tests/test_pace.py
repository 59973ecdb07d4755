"""How long a picture that is due waits for a face."""

from __future__ import annotations

import pytest

from puppeteer.live.pace import Pace

PERIOD_S = 1 / 60


def _pace(draw_s: float = 0.01, look_s: float = 0.015) -> Pace:
    pace = Pace()
    for _ in range(200):
        pace.draw_lasts.add(draw_s)
        pace.track_lasts.add(look_s)
    return pace


@pytest.mark.parametrize(
    ("begun_s", "next_s", "waits_s"),
    [
        (0.0, 0.0, PERIOD_S / 2),  # nothing is known: half a period, for phones send at any time
        (10.0 - 0.01, 0.0, PERIOD_S / 2),  # it is known in 5 ms
        (10.0 - 0.001, 0.0, 0.0),  # too late for this picture
        (0.0, 10.0 - 0.01, PERIOD_S / 2),  # a look that is about to begin
        (0.0, 10.0 + 0.02, 0.0),
        (0.0, 10.0 - 1.0, PERIOD_S / 2),  # a camera that has stopped
    ],
)
def test_a_picture_waits_for_a_face_that_comes_in_time_and_for_no_other(
    begun_s: float, next_s: float, waits_s: float
) -> None:
    pace = _pace()
    pace.look_begun_s, pace.next_look_s = begun_s, next_s
    until_s = pace.wait_until_s(10.0, PERIOD_S, 10.0 - PERIOD_S / 2)
    assert until_s == pytest.approx(10.0 + waits_s)


def test_a_machine_too_slow_for_the_rate_waits_longer_for_a_face_that_is_looked_for() -> None:
    pace = _pace(draw_s=0.05, look_s=0.02)
    assert pace.wait_until_s(10.0, PERIOD_S, 10.0) == pytest.approx(10.0 + PERIOD_S / 2)
    pace.look_begun_s = 10.0 - 0.015
    assert pace.wait_until_s(10.0, PERIOD_S, 10.0) == pytest.approx(10.0 + 0.015, abs=1e-3)
    pace.look_begun_s = 10.0
    assert pace.wait_until_s(10.0, PERIOD_S, 10.0) == pytest.approx(10.0 + PERIOD_S), "a period at most"
