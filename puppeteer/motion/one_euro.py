"""The One Euro filter: steady at rest, quick in motion, whatever the frame rate. Pure."""

from __future__ import annotations

import math

SPEED_CUTOFF_HZ = 1.0  # of the smoothing of the speed itself; the paper's choice


class OneEuro:
    """A first-order low pass whose cutoff rises with the speed of the signal.

    Source: Casiez, Roussel and Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
    Interactive Systems", CHI 2012. Time is in seconds, so the frame rate may change from frame to frame.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The next value passes as it is."""
        self._value: float | None = None
        self._speed = 0.0  # per second
        self._time_s = 0.0

    def step(self, value: float, time_s: float, min_cutoff: float, beta: float) -> float:
        """The smoothed value. `min_cutoff` is in Hz; `beta` in Hz per (unit of `value` per second).

        A time that does not advance gives the value of before.
        """
        if self._value is None:
            self._value, self._time_s = value, time_s
            return value
        passed_s = time_s - self._time_s
        if passed_s <= 0:
            return self._value
        speed = (value - self._value) / passed_s
        self._speed += smoothing(SPEED_CUTOFF_HZ, passed_s) * (speed - self._speed)
        cutoff = min_cutoff + beta * abs(self._speed)
        self._value += smoothing(cutoff, passed_s) * (value - self._value)
        self._time_s = time_s
        return self._value


def smoothing(cutoff_hz: float, passed_s: float) -> float:
    """The share of the way to a new value that a first-order low pass goes in `passed_s`."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * passed_s))
