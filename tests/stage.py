"""A live engine on a stage: camera, tracker, networks and virtual camera that fail on demand, with short patience."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from voices import StageMicrophone

from puppeteer.by_name import set_by_name
from puppeteer.errors import SinkError
from puppeteer.inputs import open_faces
from puppeteer.inputs.contract import Camera
from puppeteer.inputs.scripted import ScriptedCamera
from puppeteer.live import Live, Parts
from puppeteer.live.attempts import Patience
from puppeteer.outputs.contract import Overlay
from puppeteer.outputs.vmc import VmcSender
from puppeteer.pose import U8, FaceObservation, Frame, Pose
from puppeteer.settings import STUDIO, OutputSettings, Settings

SHORT = Patience(
    open_s=0.6, first_s=0.4, stall_s=0.3, stuck_s=0.3, retry_s=0.1, longest_retry_s=0.4, join_s=1.2, abandon_s=1.5
)
TURNED = FaceObservation(0.1, 0.1, 0.0, 0.0, 0.0, 0.8, np.full((478, 3), 0.5, np.float32))


PATIENCE_S = 30.0  # until something must have happened: a promise of two seconds is kept far sooner, but a machine
# full of other work, or a third as fast, must not fail a test
ENDED_S = 20.0  # for what is promised in two


def eventually(true: Callable[[], Any], within_s: float = PATIENCE_S) -> bool:
    """Waits until it is so."""
    end_s = time.perf_counter() + within_s
    while time.perf_counter() < end_s:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


class StageTracker:
    """Sees `face` in every frame."""

    def __init__(self) -> None:
        self.face: FaceObservation | None = TURNED
        self.error: Exception | None = None
        self.opened = 0
        self.pause_s = 0.0

    def __call__(self) -> StageTracker:
        self.opened += 1
        if self.error is not None:
            raise self.error
        return self

    def __enter__(self) -> StageTracker:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def observe(self, frame: Frame) -> FaceObservation | None:
        time.sleep(self.pause_s)
        if self.error is not None:
            raise self.error
        return self.face


class StagePoser:
    """Draws the pose as numbers: pixel (0, n) is the n-th of the six, 0 to 255."""

    def __init__(self, family: str, device: str) -> None:
        self.family, self.device = family, device
        self.message = f"{family} on {device}"
        self.error: Exception | None = None
        self.refuses: Exception | None = None
        self.pause_s = 0.0
        self.drawing = False
        self.characters: list[Any] = []
        self.sizes: list[int] = []
        self.unprepared: set[int] = set()

    def set_character(self, character: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.characters.append(character)

    def prepared(self, size: int) -> bool:
        return size not in self.unprepared

    def pose(self, pose: Pose, size: int) -> U8:
        self.sizes.append(size)
        end_s = time.perf_counter() + self.pause_s
        while self.pause_s and time.perf_counter() < end_s:
            self.drawing = True
            time.sleep(min(0.01, self.pause_s))
        if self.error is not None:
            raise self.error
        rgba = np.zeros((size, size, 4), np.uint8)
        rgba[..., 3] = 255
        rgba[:, :, 0] = round(127 + 127 * pose.neck_y)
        rgba[:, :, 1] = round(127 + 127 * pose.neck_x)
        rgba[:, :, 2] = round(255 * pose.mouth_open)
        return rgba


class StageDevice:
    """A virtual camera; `fault` may be "missing", "lost" or "blocks"."""

    name = "/dev/stage"

    def __init__(self) -> None:
        self.fault = ""
        self.change = threading.Condition()
        self.opened = 0
        self.closed = 0
        self.times_s: list[float] = []
        self.sent: list[U8] = []

    def heal(self) -> None:
        with self.change:
            self.fault = ""
            self.change.notify_all()

    def open(self) -> StageDevice:
        if self.fault:
            raise SinkError("no virtual camera: install one and press Retry")
        self.opened += 1
        return self

    def send(self, rgb: U8) -> None:
        with self.change:
            self.change.wait_for(lambda: self.fault != "blocks")
        if self.fault == "lost":
            raise SinkError("the virtual camera is gone: press Retry")
        self.times_s.append(time.perf_counter())
        self.sent.append(rgb[::64, ::64].copy())

    def close(self) -> None:
        self.closed += 1

    def longest_gap_s(self, since: int = 0) -> float:
        return float(np.diff([*self.times_s[since:], time.perf_counter()]).max())


@dataclass
class Stage:
    camera: ScriptedCamera = field(default_factory=lambda: ScriptedCamera(rate=60))
    tracker: StageTracker = field(default_factory=StageTracker)
    device: StageDevice = field(default_factory=StageDevice)
    microphone: StageMicrophone = field(default_factory=StageMicrophone)
    posers: list[StagePoser] = field(default_factory=list)
    cameras_opened: int = 0
    patience: Patience = SHORT
    poser_error: Exception | None = None  # of the next poser that is made, once
    overlays: dict[str, Callable[[OutputSettings], Overlay]] = field(default_factory=dict)
    live: Live = field(init=False)

    def parts(self) -> Parts:
        return Parts(
            camera=lambda settings, own: self._camera(),
            faces=lambda source: open_faces(source.kind, source.phone, source.port, source.mapping),
            tracker=self.tracker,
            poser=self._poser,
            virtual_camera=lambda settings: self.device.open(),
            vmc=lambda output: VmcSender(output.vmc_address, output.vmc_port),
            overlays=self.overlays,
            microphone=self.microphone,
            patience=self.patience,
        )

    def _camera(self) -> Camera:
        self.cameras_opened += 1
        return self.camera()

    def _poser(self, settings: Any) -> StagePoser:
        error, self.poser_error = self.poser_error, None
        if error is not None:
            raise error
        self.posers.append(StagePoser(settings.family, settings.device))
        return self.posers[-1]


SMALL = set_by_name(set_by_name(STUDIO, "output.width", 160), "output.height", 120)


@contextmanager
def on_stage(
    character: Path, settings: Settings = SMALL, stage: Stage | None = None, ready: bool = True
) -> Iterator[Stage]:
    """A started engine, with pictures coming; at the end it must stop in time."""
    stage = stage or Stage()
    stage.live = live = Live(settings, character, parts=stage.parts())
    live.start()
    try:
        if ready:
            assert eventually(lambda: live.picture is not None, 20), live.status()
        yield stage
    finally:
        stage.camera.fault = None
        stage.device.heal()
        begin_s = time.perf_counter()
        ended = live.close()
        assert time.perf_counter() - begin_s < ENDED_S
        assert ended
