"""Recorded motion: read behind the running picture, and where in it a moment is."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

from puppeteer.errors import PuppeteerError, SettingsError
from puppeteer.live.capture import Feed, Patience
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


class Playing:
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
        self._name, self._read = name, read
        self._clock, self._patience = clock, patience
        self._after = after
        self._stop, self._again = threading.Event(), threading.Event()
        self._part = Part("starting", "reading the motion")
        self.motion: Recorded | None = None
        self._thread = threading.Thread(target=self._work, name="live-play", daemon=True)
        self._thread.start()

    @property
    def delivered(self) -> bool:
        return self.motion is not None

    def condition(self) -> Part:
        return self._part

    def retry(self) -> None:
        self._again.set()

    def stop(self) -> None:
        self._stop.set()
        self._again.set()

    def close(self) -> bool:
        self.stop()
        self._thread.join(self._patience.join_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        if self._after is not None:
            self._after.close()
            self._after = None
        while not self._stop.is_set() and self.motion is None:
            try:
                if not self._name:
                    raise SettingsError("no recorded motion is chosen: choose a table or a VMD motion")
                path = Path(self._name).expanduser()
                motion = Recorded(self._read(path), self._clock())
                self._part = Part("ok", f"{path.name}, {motion.lasts_s:.0f} s, over and over")
                self.motion = motion
            except Exception as error:
                if isinstance(error, PuppeteerError):
                    text = str(error)
                else:
                    text = f"{self._name} cannot be played ({type(error).__name__}: {error}): choose another motion"
                self._part = Part("problem", text)
                self._again.wait(self._patience.retry_s)
                self._again.clear()
