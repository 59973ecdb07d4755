"""How looking and drawing keep step: how long each takes, and when the other is expected to be ready."""

from __future__ import annotations

import threading

STALE_S = 0.5  # what was seen longer ago is not seen any more; a slow machine has more time
TRACK_MARGIN_S = 0.004  # by which a face is looked for too early rather than too late


class Usual:
    """How long something usually takes; one thread adds, any reads."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += (seconds - self.seconds) / 8


class Pace:
    """What the tracking thread and the drawing thread know of each other."""

    def __init__(self) -> None:
        self.draw_lasts, self.track_lasts = Usual(), Usual()
        self.next_draw_s = 0.0  # when a picture is expected to begin, on a machine too slow for the rate
        self.seen_by_s = 0.0  # when the face that is being looked for is expected to be known
        self.seen_taken = threading.Event()  # by the picture that shows it

    @property
    def stale_s(self) -> float:
        return STALE_S + 2 * (self.draw_lasts.seconds + self.track_lasts.seconds)
