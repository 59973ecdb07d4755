"""A video file that is played in a loop at its own pace, in place of a camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

from puppeteer.inputs.video_file import VideoFile
from puppeteer.pose import U8

SKIPPED = 10  # frames of a video in a row, at most, on a machine too slow for it


class LoopedVideo:
    """A video file at its own pace, for ever; on a slow machine frames are left out. Raises SourceError."""

    may_repeat = True

    def __init__(self, path: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        self._file = VideoFile(path)
        self.name = path.name
        self._clock = clock
        self._closed = threading.Event()
        self._pictures = self._paced()

    def read(self) -> U8:
        return next(self._pictures)

    def close(self) -> None:
        self._closed.set()
        self._pictures.close()

    def _paced(self) -> Generator[U8]:
        start_s = self._clock()
        skipped = 0
        while True:
            for frame in self._file.frames():
                late_s = self._clock() - start_s - frame.time_s
                if late_s > 2 / float(self._file.rate) and skipped < SKIPPED:
                    skipped += 1
                    continue
                skipped = 0
                self._closed.wait(max(0.0, -late_s))
                yield frame.rgb
            start_s = max(start_s + self._file.end_s, self._clock() - 0.2)
