"""Which of the latest poses can be believed when a face is lost. Pure.

What passes before a face is first misread, as a leaned head or half-closed eyes, and only then as no face.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from puppeteer.pose import SIX, FaceObservation, Pose

SUSPECT_S = 0.3  # before a loss, in which a large change is not believed
CHANGE = 0.2  # of any of the six: a gaze jumps
LOSS_S = 0.1  # a shorter one is a missed frame or two
REMEMBER_S = 1.5  # an older pose says nothing about the present one


class Credible:
    """The poses of the last moment, one after the other as they come."""

    def __init__(self) -> None:
        self._poses: deque[tuple[float, Pose]] = deque()

    def see(self, pose: Pose, time_s: float) -> None:
        self._poses.append((time_s, pose))
        while time_s - self._poses[0][0] > REMEMBER_S:
            self._poses.popleft()

    def latest(self) -> Pose:
        """The latest pose that was seen; where it is far from the one of SUSPECT_S before, that one, and what came
        after it is forgotten."""
        last_s, last = self._poses[-1]
        settled = sum(time_s <= last_s - SUSPECT_S for time_s, _ in self._poses)
        if not settled or not far(last.values()[: len(SIX)], self._poses[settled - 1][1].values()[: len(SIX)]):
            return last
        while len(self._poses) > settled:
            self._poses.pop()
        return self._poses[-1][1]


def believed(seen: Sequence[FaceObservation | None], times_s: Sequence[float]) -> list[FaceObservation | None]:
    """What was seen in a whole clip, without what was misread before each loss of the face."""
    sound = list(seen)
    with_face = [index for index, face in enumerate(seen) if face is not None]
    for place, index in enumerate(with_face):
        following_s = times_s[with_face[place + 1]] if place + 1 < len(with_face) else float("inf")
        if following_s - times_s[index] <= LOSS_S or index == len(seen) - 1:
            continue
        before = [
            number
            for number in with_face[:place]
            if sound[number] is not None and SUSPECT_S <= times_s[index] - times_s[number] <= REMEMBER_S
        ]
        last = seen[index]
        settled = sound[before[-1]] if before else None
        if last is not None and settled is not None and far(last.values(), settled.values()):
            for number in range(before[-1] + 1, index + 1):
                sound[number] = None
    return sound


def far(one: Sequence[float], other: Sequence[float]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > CHANGE
