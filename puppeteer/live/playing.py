"""Recorded motion: read behind the running picture, and where in it a moment is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

from puppeteer.errors import SettingsError
from puppeteer.live.attempts import Attempts, Patience, told
from puppeteer.live.capture import Feed
from puppeteer.live.status import Part
from puppeteer.motion import between
from puppeteer.pose import LIFE, Pose

SEAM, SEAM_S = 0.1, 0.6  # an end that is so far from the beginning is led back to it within this time


class Recorded:
    """Motion that is played over and over."""

    def __init__(self, motion: Sequence[tuple[float, Pose]], begun_s: float = 0.0) -> None:
        """`motion` has one row at least, its times (seconds) grow. `begun_s` is when it shows the first one."""
        self._times_s = [time_s - motion[0][0] for time_s, _ in motion]
        self._poses = [pose for _, pose in motion]
        self._begun_s = begun_s
        self.lacks = tuple(name for name in LIFE if not any(getattr(pose, name) for pose in self._poses))
        step_s = self._times_s[-1] / max(1, len(motion) - 1)
        ends = zip(self._poses[0].values(), self._poses[-1].values(), strict=True)
        self._seam_s = SEAM_S if max(abs(first - last) for first, last in ends) > SEAM else step_s or 1.0
        self.lasts_s = self._times_s[-1] + self._seam_s

    def at(self, now_s: float) -> Pose:
        place_s = (now_s - self._begun_s) % self.lasts_s
        index = bisect_right(self._times_s, place_s) - 1
        first = self._poses[index]
        if index + 1 < len(self._poses):
            second, gap_s = self._poses[index + 1], self._times_s[index + 1] - self._times_s[index]
        else:
            second, gap_s = self._poses[0], self._seam_s
        return between(first, second, (place_s - self._times_s[index]) / gap_s)


class Playing(Attempts):
    """Reads a file of recorded motion, which may take a moment, and reads it again until it can be read."""

    absent = False
    blocked_s = 0.0
    setup = ""

    def __init__(
        self,
        name: str,
        read: Callable[[Path], list[tuple[float, Pose]]],
        clock: Callable[[], float],
        patience: Patience,
        after: Feed | None = None,
    ) -> None:
        super().__init__("live-play", patience, after)
        self._name, self._read, self._clock = name, read, clock
        self._part = Part("starting", "reading the motion")
        self.motion: Recorded | None = None
        self._begin()

    @property
    def delivered(self) -> bool:
        return self.motion is not None

    def condition(self) -> Part:
        return self._part

    def _work(self) -> None:
        while not self._stop.is_set() and self.motion is None:
            try:
                if not self._name:
                    raise SettingsError("no recorded motion is chosen: choose a table or a VMD motion")
                path = Path(self._name).expanduser()
                motion = Recorded(self._read(path), self._clock())
                self._part = Part("ok", f"{path.name}, {motion.lasts_s:.0f} s, over and over")
                self.motion = motion
            except Exception as error:
                self._part = Part("problem", told(error, f"{self._name} cannot be played", "choose another motion"))
                self._pause()
