"""A face between two looks at it, where pictures are drawn more often than it is looked for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from puppeteer.pose import TRACKED, FaceObservation

SHARE = 0.7  # of the latest change that goes on; all of it would run past every stop
LONGEST_S = 0.15  # from one look to the next; a change over a longer time says nothing about now

Values = tuple[float | None, ...]


class BetweenLooks:
    """Goes on for a moment as the face moved between the latest two looks, never further than it was ever seen.

    Measured with 30 looks and 60 pictures a second, against a face that is held between them: after all filters a turn
    of the head comes 5 ms sooner, and its steps are more even by 36 to 49 percent.
    """

    def __init__(self) -> None:
        self._seen: FaceObservation | None = None  # the latest look
        self._seen_s = 0.0
        self._change: Values = ()  # per second, before it; empty where that is not known
        self._period_s = 0.0
        self._low: Values = ()
        self._high: Values = ()

    def step(self, seen: FaceObservation | None, time_s: float) -> FaceObservation | None:
        """What would be seen at that time, given the latest look; the same object again is no new look."""
        if seen is None:
            self._seen, self._change = None, ()
            return None
        if seen is not self._seen:
            self._look(seen, time_s)
            return seen
        if not self._change:
            return seen
        ahead_s = SHARE * min(time_s - self._seen_s, self._period_s)
        values: dict[str, Any] = {
            name: min(high, max(low, value + ahead_s * change))
            for name, value, change, low, high in zip(
                TRACKED, seen.told(), self._change, self._low, self._high, strict=True
            )
            if value is not None and change is not None and low is not None and high is not None
        }
        return replace(seen, **values)

    def _look(self, seen: FaceObservation, time_s: float) -> None:
        told = seen.told()
        before, passed_s = self._seen, time_s - self._seen_s
        self._change = ()
        if before is not None and 0 < passed_s <= LONGEST_S:
            self._period_s = passed_s
            self._change = tuple(
                None if new is None or old is None else (new - old) / passed_s
                for new, old in zip(told, before.told(), strict=True)
            )
        lows, highs = (self._low or told), (self._high or told)
        self._low = tuple(further(new, old, min) for new, old in zip(told, lows, strict=True))
        self._high = tuple(further(new, old, max) for new, old in zip(told, highs, strict=True))
        self._seen, self._seen_s = seen, time_s


def further(new: float | None, old: float | None, of: Callable[[float, float], float]) -> float | None:
    """Of two numbers, either of which may not be known."""
    if new is None or old is None:
        return old if new is None else new
    return of(new, old)
