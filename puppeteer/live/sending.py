"""Threads that take the newest picture and pass it on: to the virtual camera at its pace, to a file as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from puppeteer.errors import PuppeteerError, SinkError
from puppeteer.live.attempts import Attempts, Patience, told
from puppeteer.live.status import Part, Picture, Rate, Timings
from puppeteer.outputs.compose import Background, bled, compose
from puppeteer.outputs.contract import NoVirtualCameraError
from puppeteer.outputs.video_file import VideoWriter, check_output
from puppeteer.pose import U8
from puppeteer.slot import LatestSlot


class Device(Protocol):
    """An open virtual camera, for one thread."""

    name: str

    def send(self, rgb: U8) -> None:
        """uint8 (H, W, 3). Raises SinkError."""
        ...

    def close(self) -> None: ...


class Sender(Attempts):
    """Keeps a virtual camera open and fed: every new picture at once, the last one again when none comes.

    A device that cannot be opened or fails is told by `condition` and tried again.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        size: tuple[int, int],
        rate: float,
        empty: U8,
        rates: Rate,
        timings: Timings,
        clock: Callable[[], float],
        patience: Patience | None = None,
        after: Sender | None = None,
        cut: int = 0,
    ) -> None:
        """`size` is (width, height), `cut` by how much pictures are wider, `empty` (H, W, 3) what is sent until there
        is one."""
        super().__init__("live-send", patience or Patience(), after)
        self.pictures: LatestSlot[Picture] = LatestSlot()
        self.key = Background(colour=(0, 255, 0))  # under transparent pictures
        self.device = ""  # the name of the open device
        self.absent = False  # none is installed
        self._open = open_device
        self._size, self._cut = size, cut
        self._period_s = 1 / rate
        self._last = empty
        self._rates, self._timings, self._clock = rates, timings, clock
        self._problem = ""
        self._sending_since_s: float | None = None
        self._begin()

    @property
    def blocked(self) -> bool:
        """Whether the thread hangs in the device, so that only a new Sender can help."""
        since_s = self._sending_since_s
        return since_s is not None and self._clock() - since_s > self._patience.stall_s

    def condition(self) -> Part:
        if self.blocked:
            return Part("problem", f"{self.device} takes no pictures: close the programs that show it, and press Retry")
        if self._problem:
            return Part("problem", self._problem)
        if not self.device:
            return Part("starting", "opening the virtual camera")
        width, height = self._size
        told = f"{self.device}, {width}x{height}: choose it as the webcam in OBS, Zoom or Discord"
        if self._cut:
            told += f"; {self._cut} columns are left out, because some programs need a width of whole eights"
        return Part("ok", told)

    def stop(self) -> None:
        super().stop()
        self.pictures.close()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                device = self._open()
                try:
                    self.device, self._problem, self.absent = device.name, "", False
                    self._feed(device)
                finally:
                    self.device, self._sending_since_s = "", None
                    device.close()
            except Exception as error:  # whatever a driver throws, the rest lives on
                self.absent = isinstance(error, NoVirtualCameraError)
                self._problem = told(error, "the virtual camera failed", "it is tried again by itself")
                self._pause()

    def _feed(self, device: Device) -> None:
        timeout_s = 0.0
        while not self._stop.is_set():
            picture = self.pictures.get(timeout_s)
            if self._stop.is_set():
                return
            if picture is not None:
                self._last = self._opaque(picture.pixels)
            begun_s = self._sending_since_s = self._clock()
            device.send(self._last)
            ended_s = self._clock()
            self._sending_since_s = None
            self._rates.count(ended_s)
            if picture is not None:
                self._timings.add("send", ended_s - begun_s, ended_s)
                if picture.frame_time_s is not None:
                    self._timings.add("camera_to_output", ended_s - picture.frame_time_s, ended_s)
            # New pictures come a little early or late: only a picture that is really late is replaced by the last.
            patience_s = 1.5 * self._period_s if picture is not None else self._period_s
            timeout_s = max(0.0, patience_s - (ended_s - begun_s))

    def _opaque(self, pixels: U8) -> U8:
        rgb = compose(pixels, self.key) if pixels.shape[2] == 4 else pixels
        width, height = self._size
        if rgb.shape[:2] == (height, width + self._cut):
            left = self._cut // 2
            return np.ascontiguousarray(rgb[:, left : left + width])
        return self._last  # of a size that is just being changed


class Recorder:
    """Writes pictures to a video file, at the times they were composed; a slow machine leaves some out."""

    def __init__(self, path: Path, size: tuple[int, int], rate: float, transparent: bool) -> None:
        """Raises SinkError where the file cannot be written."""
        check_output(path, size, transparent)
        self.path = path
        self.pictures: LatestSlot[Picture] = LatestSlot()
        self.problem = ""
        self._size, self._rate, self._transparent = size, rate, transparent
        self._written_s = 0.0
        # No daemon: a program that ends waits for the file to be finished.
        self._thread = threading.Thread(target=self._work, name="record")
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive() and not self.problem

    def condition(self) -> Part:
        if self.problem:
            return Part("problem", self.problem)
        return Part("ok", f"recording {self.path.name}, {int(self._written_s) // 60}:{int(self._written_s) % 60:02}")

    def close(self, timeout_s: float | None = None) -> None:
        """Finishes the file. Raises SinkError where that failed."""
        self.pictures.close()
        self._thread.join(timeout_s)
        if self.problem:
            raise SinkError(self.problem)

    def _work(self) -> None:
        try:
            self._write()
        except PuppeteerError as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = f"{self.path} was not recorded ({type(error).__name__}: {error}): choose another folder"

    def _write(self) -> None:
        writer = VideoWriter(self.path, self._size, self._rate, transparent=self._transparent)
        begun_s: float | None = None
        with writer:
            while not self.pictures.closed:
                picture = self.pictures.get(0.5)
                if picture is None:
                    continue
                height, width, channels = picture.pixels.shape
                if (width, height) != self._size or (channels == 4) != self._transparent:
                    self.problem = f"{self.path.name} ends here, because the output changed: record into a new file"
                    break
                begun_s = picture.time_s if begun_s is None else begun_s
                self._written_s = picture.time_s - begun_s
                writer.write(bled(picture.pixels) if self._transparent else picture.pixels, self._written_s)
