"""The thread that looks for the face in the newest frame, again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from puppeteer.errors import PuppeteerError, remedy
from puppeteer.inputs.contract import Arrival
from puppeteer.live.calibrating import CalibrationRun
from puppeteer.live.pace import STALE_S, TRACK_MARGIN_S, Pace
from puppeteer.live.parts import Parts
from puppeteer.live.status import Preview, Rate, Tell, Timings
from puppeteer.pose import U8, FaceObservation, Frame
from puppeteer.slot import LatestSlot

PREVIEW_SIDE = 320  # px
PREVIEW_S = 2.0  # an older frame is no preview
FEW, MANY = 0.3, 0.7  # of the latest frames: so many small faces are nothing, or worth a word
LATEST = 15  # frames


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the tracker made of a frame, or what a phone has seen."""

    face: FaceObservation | None
    frame: Frame | None  # None where others have seen the face
    frame_time_s: float  # when the camera gave the frame, or the network the packet
    sequence: int
    time_s: float  # when it was known


class Looking:
    """Frames in, `Seen` out; a tracker that fails is told and starts anew. `work` is the thread's."""

    def __init__(
        self, parts: Parts, pace: Pace, stop: threading.Event, tell: Tell, rate: Rate, timings: Timings
    ) -> None:
        self._parts, self._pace, self._stop, self._tell = parts, pace, stop, tell
        self._clock = parts.clock
        self._rate, self._timings = rate, timings
        self.frames: LatestSlot[Frame] = LatestSlot()
        self.seen: LatestSlot[Seen] = LatestSlot()
        self.latest: Seen | None = None
        self.run: CalibrationRun | None = None
        self._preview: Preview | None = None
        self._failed = False  # the latest attempt with the tracker
        self._small_share = 0.0  # of the latest frames
        self.small = False  # the face is so far away that little can be seen of it

    def close(self) -> None:
        """Wakes whoever waits for frames or faces."""
        self._pace.seen_taken.set()
        self.frames.close()
        self.seen.close()

    def found(self) -> bool:
        """Whether there is a face just now."""
        seen = self.latest
        return seen is not None and seen.face is not None and self._clock() - seen.time_s <= self._pace.stale_s

    def face(self, now_s: float) -> FaceObservation | None:
        """The face as it was last seen, unless that is long ago."""
        seen = self.latest
        return seen.face if seen is not None and now_s - seen.time_s <= self._pace.stale_s else None

    @property
    def has_frames(self) -> bool:
        """Whether there is a frame of just now."""
        seen = self.latest
        return (
            seen is not None
            and seen.frame is not None
            and self._clock() - seen.time_s <= max(PREVIEW_S, self._pace.stale_s)
        )

    def preview(self) -> Preview | None:
        """The newest camera frame with what was found in it; None without a camera. For one thread."""
        seen = self.latest
        if seen is None or seen.frame is None or not self.has_frames:
            return None
        if self._preview is None or self._preview.sequence != seen.sequence:
            landmarks = None if seen.face is None else seen.face.landmarks
            self._preview = Preview(small(seen.frame.rgb), landmarks, seen.face is not None, seen.sequence)
        return self._preview

    def hear(self, arrival: Arrival) -> None:
        """A face that a phone or another program has seen; from the thread that listens."""
        self._took(arrival.face, None, arrival.time_s)

    def work(self, output_rate: Callable[[], float], needed: Callable[[], bool]) -> None:
        """Until `stop`, or until no face is looked for any more. Both are asked again and again: how many pictures are
        drawn a second, and whether there are frames in which to look."""
        while not needed():
            if self._stop.wait(0.1):
                return
        if not self._failed:  # what is the matter is told until it works
            self._tell("face", "starting", "loading the face tracker")
        try:
            with self._parts.tracker() as tracker:
                self._failed = False
                self._tell("face", "ok", "")
                while not self._stop.is_set() and needed():
                    self._wait_for_need(output_rate())
                    frame = self.frames.get(0.5)
                    if frame is None:
                        continue
                    self._pace.frames.came(frame.time_s, frame.index)
                    begun_s = self._pace.look_begun_s = self._clock()
                    face = tracker.observe(frame)
                    ended_s = self._clock()
                    self._pace.look_begun_s = 0.0
                    rhythm_s = self._pace.frames.seconds
                    self._pace.next_look_s = begun_s + rhythm_s if rhythm_s else 0.0
                    self._pace.track_lasts.add(ended_s - begun_s)
                    self._timings.add("track", ended_s - begun_s, ended_s)
                    self._rate.count(ended_s)
                    self._took(face, frame, frame.time_s)
        except Exception as error:
            if isinstance(error, PuppeteerError):
                text = str(error)
            elif (mend := remedy(error)) is not None:
                text = f"faces cannot be tracked: {mend}, and start Puppeteer again"
            else:
                text = f"the face tracker failed ({type(error).__name__}: {error}); it starts anew"
            self._failed = True
            self._tell("face", "problem", text)
            self._without_tracker()

    def _wait_for_need(self, output_rate: float) -> None:
        """On a machine that draws fewer pictures than the camera gives frames, only frames that will be drawn are
        looked at, just in time: each of the others would cost the next picture its time."""
        pace = self._pace
        if pace.draw_lasts.seconds < 1 / output_rate or self.run is not None:
            return
        pace.seen_taken.wait(STALE_S / 2)
        wait_s = pace.next_draw_s - pace.track_lasts.seconds - TRACK_MARGIN_S - self._clock()
        if wait_s > 0:
            self._stop.wait(min(wait_s, STALE_S / 2))

    def _took(self, face: FaceObservation | None, frame: Frame | None, frame_time_s: float) -> None:
        before = self.latest
        sequence = before.sequence + 1 if before else 0
        self.latest = seen = Seen(face, frame, frame_time_s, sequence, self._clock())
        if face is not None:
            self._small_share += (face.small - self._small_share) / LATEST
            self.small = self._small_share > (FEW if self.small else MANY)
        run = self.run
        if run is not None:
            run.see(face)
        self._pace.seen_taken.clear()
        self.seen.put(seen)

    def _without_tracker(self) -> None:
        """The preview goes on while the tracker is about to be tried again."""
        until_s = self._clock() + self._parts.patience.retry_s
        while not self._stop.is_set() and self._clock() < until_s:
            frame = self.frames.get(0.2)
            if frame is not None:
                self._took(None, frame, frame.time_s)


def small(rgb: U8) -> U8:
    """At most PREVIEW_SIDE wide."""
    height, width = rgb.shape[:2]
    scale = min(1.0, PREVIEW_SIDE / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
