"""How looking and drawing keep step: how long each takes, and when the other is expected to be ready."""

from __future__ import annotations

import statistics
import threading
from collections import deque

STALE_S = 0.5  # what was seen longer ago is not seen any more; a slow machine or camera has more time
LATE = 3.0  # a frame is missing when it is this many usual intervals late
PATIENT = 1.5  # times what a look usually lasts
TRACK_MARGIN_S = 0.004  # by which a face is looked for too early rather than too late


class Usual:
    """How long something usually takes; one thread adds, any reads."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += (seconds - self.seconds) / 8


class Rhythm:
    """How far apart frames usually come, in seconds; 0 while that is not known. One thread tells, any reads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._gaps_s: deque[float] = deque(maxlen=5)
        self._last: tuple[float, int] | None = None

    def came(self, time_s: float, index: int) -> None:
        """A frame; an index that is not above the last one's begins anew, as after a camera was opened."""
        if self._last is not None and index > self._last[1]:
            self._gaps_s.append((time_s - self._last[0]) / (index - self._last[1]))
            self.seconds = statistics.median(self._gaps_s)
        self._last = time_s, index


class Pace:
    """What the tracking thread and the drawing thread know of each other."""

    def __init__(self) -> None:
        self.draw_lasts, self.track_lasts = Usual(), Usual()
        self.frames = Rhythm()  # of the camera
        self.next_draw_s = 0.0  # when a picture is expected to begin, on a machine too slow for the rate
        self.look_begun_s = 0.0  # since when a face is being looked for; 0 while none is
        self.next_look_s = 0.0  # when the next look is expected to begin; 0 while that is not known
        self.seen_taken = threading.Event()  # by the picture that shows it

    def wait_until_s(self, due_s: float, period_s: float, now_s: float) -> float:
        """Until when a picture that is due may wait for a face: half a period more, or no longer where none is expected
        by then. Where drawing takes longer than a period, it waits for one that is being looked for: the picture would
        be one of the past."""
        late_s, begun_s = due_s + period_s / 2, self.look_begun_s
        if self.draw_lasts.seconds >= period_s:
            seen_by_s = begun_s + PATIENT * self.track_lasts.seconds if begun_s else 0.0
            return max(late_s, min(seen_by_s, now_s + period_s))
        begins_s = begun_s or self.next_look_s
        return late_s if not begins_s or begins_s + self.track_lasts.seconds < late_s else due_s

    @property
    def stale_s(self) -> float:
        patience_s = max(STALE_S, LATE * self.frames.seconds)
        return patience_s + 2 * (self.draw_lasts.seconds + self.track_lasts.seconds)
