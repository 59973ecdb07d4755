"""What the live engine tells: the state of each part, the newest pictures, meters and a log. Everything is frozen."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np

from puppeteer.outputs.compose import Background, Placed
from puppeteer.pose import BY_NAME, F32, U8

State = Literal["off", "starting", "ok", "problem"]
Driver = Literal["face", "idle", "demo", "manual"]

SENT_TO = ("virtual_camera", "browser_source", "shared_texture", "vmc", "recording")
PARTS = ("camera", "face", "networks", "character", *SENT_TO, "microphone", "remote")
LOG_LINES = 500
RECENT_S = 3.0  # behind rates and latencies


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the engine: a lamp and a sentence for the user, which in a problem says what to do."""

    state: State = "off"
    text: str = ""


Tell = Callable[[str, State, str], None]  # of a part: its state and its sentence


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one moment."""

    camera: Part  # or whatever else drives: the video file, the phone, recorded motion
    face: Part  # "ok": found; "problem": none seen, or no tracker
    networks: Part
    character: Part
    virtual_camera: Part
    recording: Part
    driver: Driver  # what moves the character now
    face_found: bool
    capture_fps: float  # frames that the camera gave, of the last seconds
    track_fps: float
    output_fps: float  # pictures composed
    sent_fps: float  # pictures the virtual camera took, repeated ones among them
    # Medians of the last seconds: "track", "pose", "compose", "send", and "camera_to_output": from a frame's hand-over
    # by the camera to the end of its picture's way (the virtual camera's, where it is on). What was not measured is
    # missing.
    latency_ms: dict[str, float] = field(default_factory=dict)
    latency_p95_ms: dict[str, float] = field(default_factory=dict)
    vmc: Part = Part()  # the motion, sent to other programs
    browser_source: Part = Part()  # its address, and how many pages show it
    shared_texture: Part = Part()  # Spout2 or Syphon
    microphone: Part = Part("off", "off")
    remote: Part = Part("off", "off")  # actions by OSC
    webcam_absent: bool = False  # any would do, and none was ever there: recorded motion, or the sliders, stand in

    def parts(self) -> dict[str, Part]:
        return {name: getattr(self, name) for name in PARTS}


@dataclass(slots=True, eq=False)
class Picture:
    """One picture of the output. It is composed when somebody wants it, once for all."""

    placed: Placed  # the character in it, for outputs that are transparent whatever the background
    background: Background
    sequence: int  # grows by 1 with each
    time_s: float  # when it was drawn
    frame_time_s: float | None = None  # when the camera gave the frame that it is the first to show
    composed: Callable[[float], object] = lambda spent_s: None  # is told how long that took
    _pixels: U8 | None = None
    _use: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pixels(self) -> U8:
        """What the virtual camera and a recording get: (H, W, 3) RGB, or (H, W, 4) straight alpha where the background
        is transparent; read-only."""
        with self._use:
            if self._pixels is None:
                begun_s = time.perf_counter()
                pixels = self.placed.over(self.background)
                pixels.flags.writeable = False
                self._pixels = pixels
                self.composed(time.perf_counter() - begun_s)
            return self._pixels

    def small(self, width: int) -> U8:
        """The same at another width, as the window shows it; what was composed already is scaled."""
        if width == self.placed.size[0]:
            return self.pixels
        pixels = self._pixels
        if pixels is None:
            return self.placed.scaled(width).over(self.background)
        height = self.placed.scaled(width).size[1]
        method = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The newest camera frame, small, as the sensor saw it (not mirrored)."""

    rgb: U8  # (H, W, 3), at most PREVIEW_SIDE wide
    landmarks: F32 | None  # (478, 3), x and y in [0, 1] of the frame
    face_found: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Meter:
    """One number of the pose, in the person's own left and right (before any mirror)."""

    name: str  # of POSE_NAMES
    raw: float | None  # as the tracker saw it; None while there is no face, and for what no tracker gives
    calibrated: float | None  # after calibration, gain, dead zone and range
    smoothed: float  # what the character does, whoever moves it; while a face does, `calibrated` after smoothing
    low: float  # the raw values that mean 0 and 1 in the calibration in use
    high: float

    @property
    def limits(self) -> tuple[float, float]:
        """Of `calibrated` and `smoothed`."""
        return BY_NAME[self.name].low, 1.0


class Log:
    """The latest lines, each with the time of day; any thread may add and read."""

    def __init__(self, echo: Callable[[str], object] | None = None) -> None:
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._change = threading.Lock()
        self._echo = echo
        self.count = 0  # of all lines ever, so that a reader knows whether there is news

    def add(self, text: str) -> None:
        line = f"{time.strftime('%H:%M:%S')} {text}"
        with self._change:
            self._lines.append(line)
            self.count += 1
        if self._echo is not None:
            self._echo(line)

    def lines(self) -> tuple[str, ...]:
        """Oldest first, at most LOG_LINES."""
        with self._change:
            return tuple(self._lines)

    def text(self) -> str:
        """For the clipboard."""
        return "\n".join(self.lines())


class Told:
    """What parts tell of themselves, and which changes were logged; any thread tells, one logs."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._parts: dict[str, Part] = {}
        self._logged: dict[str, Part] = {}

    def tell(self, part: str, state: State, text: str) -> None:
        self._parts[part] = Part(state, text)

    def part(self, name: str) -> Part:
        return self._parts.get(name, Part("starting"))

    def log_changes(self, conditions: dict[str, Part]) -> None:
        for name, part in conditions.items():
            before = self._logged.get(name)
            if before is None or before.state != part.state or _other(before, part):
                self._logged[name] = part
                # A face comes and goes all the time; only a tracker in trouble is news.
                gone = name == "face" and self.part("face").state == "ok"
                if part.text and part.state in ("ok", "problem") and not gone:
                    self._log.add(f"{name.replace('_', ' ')}: {part.text}")


def _other(before: Part, part: Part) -> bool:
    """Whether the sentence says something else; counting seconds is not something else."""
    return [word for word in before.text if not word.isdigit()] != [word for word in part.text if not word.isdigit()]


class Rate:
    """Events per second over the last RECENT_S; one thread counts, any reads."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=1000)
        self.total = 0

    def count(self, time_s: float) -> None:
        self._times_s.append(time_s)
        self.total += 1

    def per_second(self, now_s: float) -> float:
        times_s = [time_s for time_s in tuple(self._times_s) if now_s - time_s <= RECENT_S]
        if len(times_s) < 2:
            return 0.0
        return (len(times_s) - 1) / max(now_s - times_s[0], 1e-3) if now_s - times_s[-1] > 1 else _steady(times_s)


def _steady(times_s: list[float]) -> float:
    return (len(times_s) - 1) / max(times_s[-1] - times_s[0], 1e-3)


class Timings:
    """How long stages took, by name, over the last RECENT_S; any thread adds and reads."""

    def __init__(self) -> None:
        self._spent: dict[str, deque[tuple[float, float]]] = {}
        self._change = threading.Lock()

    def add(self, stage: str, spent_s: float, now_s: float) -> None:
        with self._change:
            self._spent.setdefault(stage, deque(maxlen=1000)).append((now_s, spent_s * 1e3))

    def since(self, time_s: float) -> dict[str, list[float]]:
        """Milliseconds of each stage, of what ended after that time."""
        with self._change:
            return {
                stage: [spent_ms for ended_s, spent_ms in spent if ended_s > time_s]
                for stage, spent in self._spent.items()
            }

    def percentile_ms(self, percent: float, now_s: float) -> dict[str, float]:
        recent = self.since(now_s - RECENT_S)
        return {stage: float(np.percentile(spent, percent)) for stage, spent in recent.items() if spent}
