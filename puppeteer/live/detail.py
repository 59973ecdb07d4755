"""How large the character is drawn: as large as is wanted, or as large as this machine draws in time. Pure."""

from __future__ import annotations

import math

STEP = 128  # px; at other sizes the networks' maps are not enlarged by whole numbers, which costs twice as much
LEAST = 512  # px; smaller gains little, for the networks cost the same at every size
TOO_LONG, SHORT = 0.85, 0.5  # of a period of the output
LESS_S, MORE_S = 1.0, 10.0  # between two steps, so that a short load does not make the picture soft for long


class Detail:
    """A step less where a picture takes longer than there is time for, one more where there is time for it again."""

    def __init__(self) -> None:
        self._most = STEP * 64  # px
        self._changed_s = 0.0

    def side(self, shown: int, wanted: int, lasts_s: float, period_s: float, now_s: float) -> int:
        """px, a multiple of STEP: for a character shown at `shown` px, of at most `wanted` px; a picture usually takes
        `lasts_s`, of the `period_s` between two."""
        largest = STEP * max(1, min(math.ceil(shown / STEP), wanted // STEP))
        most = self._most
        passed_s = now_s - self._changed_s
        if lasts_s > TOO_LONG * period_s and passed_s > LESS_S and min(most, largest) > LEAST:
            most = min(most, largest) - STEP
            self._changed_s = now_s
        elif lasts_s < SHORT * period_s and passed_s > MORE_S and most < largest:
            most += STEP
            self._changed_s = now_s
        self._most = most
        return min(most, largest)
