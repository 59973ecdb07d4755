"""How large the character is drawn: as large as is wanted, or as large as this machine draws in time. Pure."""

from __future__ import annotations

import math

STEP = 128  # px; at other sizes the networks' maps are not enlarged by whole numbers, which costs twice as much
LEAST = 512  # px; smaller gains little, for the networks cost the same at every size
TOO_LONG = 0.85  # of a period of the output
LESS_S = 1.0  # for so long pictures must take too long before there is a step less: one hiccup is no slow machine
MORE_S, LONGEST_S = 10.0, 320.0  # until one more is tried; twice as long after each time that it was too much


class Detail:
    """A step less where pictures take longer than there is time for; now and then one more is tried."""

    def __init__(self) -> None:
        self._most = STEP * 64  # px
        self._wait_s = MORE_S
        self._changed_s: float | None = None
        self._slow_since_s: float | None = None
        self._tried = False  # the last step was one more

    def side(self, shown: int, wanted: int, lasts_s: float | None, period_s: float, now_s: float) -> int:
        """px, a multiple of STEP: for a character shown at `shown` px, of at most `wanted` px; a picture usually takes
        `lasts_s`, of the `period_s` between two; None while how long says nothing."""
        largest = STEP * max(1, min(math.ceil(shown / STEP), wanted // STEP))
        now_is = min(self._most, largest)
        if self._changed_s is None or lasts_s is None:
            self._changed_s = now_s
        if lasts_s is None or lasts_s <= TOO_LONG * period_s:
            self._slow_since_s = None
        elif self._slow_since_s is None:
            self._slow_since_s = now_s
        if self._slow_since_s is not None and now_s - self._slow_since_s > LESS_S and now_is > LEAST:
            if self._tried:
                self._wait_s = min(2 * self._wait_s, LONGEST_S)
            self._most, self._tried = now_is - STEP, False
            self._changed_s, self._slow_since_s = now_s, None
        elif self._slow_since_s is None and now_s - self._changed_s > self._wait_s and self._most < largest:
            self._most, self._tried = self._most + STEP, True
            self._changed_s = now_s
        return min(self._most, largest)
