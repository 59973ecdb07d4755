"""A thread that keeps a camera open, whatever happens to it, and says what is the matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np

from puppeteer.inputs.contract import Camera, NoCameraError
from puppeteer.live.attempts import Attempts, Patience, told
from puppeteer.live.pace import LATE, Rhythm
from puppeteer.live.status import Part, Rate
from puppeteer.pose import U8, Frame
from puppeteer.slot import LatestSlot

SLOW_STAYS = 0.7  # of `Patience.slow_s`: what is told must not come and go with every frame


class Feed(Protocol):
    """What drives the character, in a thread of its own: a camera, a phone, recorded motion."""

    setup: str  # what to do for it, or ""

    @property
    def absent(self) -> bool:
        """The latest attempt found nothing of the kind at all."""
        ...

    @property
    def delivered(self) -> bool:
        """Whether it ever gave anything."""
        ...

    @property
    def blocked_s(self) -> float:
        """For how long it has hung, so that only a new one can help; 0 where it does not."""
        ...

    def condition(self) -> Part: ...

    def retry(self) -> None:
        """Does not wait for the next attempt."""
        ...

    def stop(self) -> None:
        """Tells the thread to release what it holds and end, without waiting."""
        ...

    def close(self) -> bool:
        """Ends the thread; False where it hangs and was left behind."""
        ...


class Capture(Attempts):
    """Opens a camera and hands over every frame; whatever fails is told by `condition` and tried again.

    A camera is opened, read and closed in one thread. A read that never returns blocks that thread alone: `condition`
    tells by the clock, and `close` leaves the thread behind, which closes the camera if ever it can.
    """

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        frames: LatestSlot[Frame],
        rate: Rate,
        clock: Callable[[], float],
        patience: Patience | None = None,
        after: Feed | None = None,
        problem: str = "",
    ) -> None:
        """`problem` is what is known to be the matter until frames come."""
        super().__init__("live-capture", patience or Patience(), after)
        self._open = open_camera
        self.setup = ""
        self._frames = frames
        self._rate = rate
        self._clock = clock
        self._phase: Literal["opening", "reading", "waiting"] = "opening"
        self._since_s = clock()
        self._last_frame_s: float | None = None  # of this opening
        self._problem = problem  # of the latest attempt, until frames come
        self._description = ""
        self._name = "the camera"
        self._stuck = False
        self.delivered = False  # whether there ever was a frame
        self.absent = False  # the latest attempt found no camera at all
        self._index = 0
        self._rhythm = Rhythm()
        self._reads = 0
        self._slow = False
        self._begin()

    def condition(self) -> Part:
        """As it is now, told by the clock, so that a blocked read is told too."""
        now_s, phase = self._clock(), self._phase
        waited_s = now_s - self._since_s
        if phase == "waiting":
            return Part("problem", self._problem)
        if phase == "opening":
            if waited_s > self._patience.open_s:
                return Part(
                    "problem",
                    f"{self._name} does not answer: unplug it and plug it in again; it is tried again by itself",
                )
            return Part("problem", self._problem) if self._problem else Part("starting", "opening the camera")
        last_s = self._last_frame_s
        if last_s is None:
            if waited_s > self._patience.first_s:
                return Part("problem", self._silent())
            return Part("problem", self._problem) if self._problem else Part("starting", f"{self._name} is starting")
        if now_s - last_s > self._stall_s:
            return Part("problem", self._silent())
        if self._stuck:
            return Part("problem", self._problem)
        if self._slow:
            return Part("problem", self._too_slow())
        return Part("ok", self._description)

    @property
    def _stall_s(self) -> float:
        """Until the next frame must have come. How fast a camera is shows at its second frame."""
        usual_s = self._rhythm.seconds
        return max(self._patience.stall_s, LATE * usual_s) if usual_s else self._patience.first_s

    def _too_slow(self) -> str:
        return (
            f"{self._name} gives less than one picture a second, too few to follow your face: put more light on your "
            "face, close other programs that use it, or choose another camera"
        )

    def _silent(self) -> str:
        return (
            f"{self._name} gives no pictures: wait a moment; if it stays so, close other programs that use "
            "it, or unplug it and plug it in again"
        )

    @property
    def blocked_s(self) -> float:
        """For how long the thread has hung in the camera, so that only a new Capture can help; 0 where it does not."""
        phase, last_s = self._phase, self._last_frame_s
        if phase == "opening":
            limit_s = self._patience.open_s
        else:
            limit_s = self._patience.first_s if last_s is None else self._stall_s
        hung_s = self._clock() - max(self._since_s, last_s or self._since_s) - limit_s
        return max(0.0, hung_s) if phase != "waiting" else 0.0

    def _work(self) -> None:
        wake_s = self._patience.retry_s
        while not self._stop.is_set():
            self._enter("opening")
            woken = False
            try:
                camera = self._open()
                self.absent = False
                try:
                    self._name = camera.name
                    self._enter("reading")
                    woken = self._read(camera, wake_s)
                finally:
                    camera.close()
            except Exception as error:  # whatever a driver throws, the rest lives on
                self.absent = isinstance(error, NoCameraError)
                self._problem = told(error, f"{self._name} failed", "unplug it and plug it in again")
                self._enter("waiting")
                self._pause()
            else:
                # Stuck: opening a camera anew often helps, doing so every moment never does.
                wake_s = self._patience.retry_s if woken else min(2 * wake_s, self._patience.longest_retry_s)

    def _enter(self, phase: Literal["opening", "reading", "waiting"]) -> None:
        self._rhythm = Rhythm()
        self._last_frame_s, self._since_s = None, self._clock()
        self._phase = phase

    def _read(self, camera: Camera, wake_s: float) -> bool:
        """Until told to stop, or the camera is to be opened anew because it repeats itself. Whether it moved."""
        previous: U8 | None = None
        changed_s = self._clock()
        moved = False
        while not self._stop.is_set():
            rgb = camera.read()
            now_s = self._clock()
            if self._stop.is_set():
                break
            if camera.may_repeat or previous is None or not same(rgb, previous):
                moved = moved or previous is not None
                changed_s, self._stuck = now_s, self._stuck and previous is None
            previous = rgb
            self._reads += 1
            self._rhythm.came(now_s, self._reads)
            self._slow = self._rhythm.seconds > self._patience.slow_s * (SLOW_STAYS if self._slow else 1)
            self._last_frame_s = now_s
            self._rate.count(now_s)
            if now_s - changed_s > max(self._patience.stuck_s, LATE * self._rhythm.seconds):
                self._stuck = True
            if self._stuck:
                self._problem = (
                    f"{self._name} shows one and the same picture: open its cover or shutter, close other programs "
                    "that use it, or unplug it and plug it in again"
                )
                if self._again.is_set() or now_s - changed_s > self._patience.stuck_s + wake_s:
                    self._again.clear()
                    return moved
                continue  # a picture of the past must not hold the character in its pose
            self.delivered = True
            self._problem = ""
            self._again.clear()
            self._description = f"{camera.name}, {rgb.shape[1]}x{rgb.shape[0]}"
            self._index += 1
            self._frames.put(Frame(rgb=rgb, time_s=now_s, index=self._index))
        return moved


def same(one: U8, other: U8) -> bool:
    """Whether two frames are identical to the last bit."""
    return (
        one.shape == other.shape
        and bool(np.array_equal(one[::16, ::16], other[::16, ::16]))
        and bool(np.array_equal(one, other))
    )
