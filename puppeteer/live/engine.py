"""Live: owns the threads, hands over by LatestSlot, and never dies of a part that fails."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

import cv2
import numpy as np

from puppeteer.characters import default_character
from puppeteer.errors import PuppeteerError, SinkError
from puppeteer.image import Character
from puppeteer.inputs import open_source
from puppeteer.inputs.contract import Camera
from puppeteer.inputs.recorded import read_motion
from puppeteer.live.capture import Capture, Patience
from puppeteer.live.detail import Detail
from puppeteer.live.sending import Device, Recorder, Sender
from puppeteer.live.status import Driver, Log, Meter, Part, Picture, Preview, Rate, State, Status, Timings
from puppeteer.motion import Calibration, Motion, Step, between, guided
from puppeteer.outputs.compose import Background, parse_background, placed
from puppeteer.pose import POSE_NAMES, TRACKED, U8, FaceObservation, Frame, Pose
from puppeteer.prepare.reading import read_character
from puppeteer.settings import STUDIO, OutputSettings, PoserSettings, Settings, SourceSettings
from puppeteer.slot import LatestSlot
from puppeteer.tracking.contract import Tracker
from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker

PREVIEW_SIDE = 320  # px
PREVIEW_S = 2.0  # an older frame is no preview
STALE_S = 0.5  # what was seen longer ago is not seen any more; a slow machine has more time
TRACK_MARGIN_S = 0.004  # by which a face is looked for too early rather than too late
DRIVER_EASE_S = 0.4  # from recorded motion to the face, to the sliders and back

Retried = Literal["camera", "virtual_camera", "networks", "character"]


class Drawer(Protocol):
    """What is used of a `Poser`."""

    family: str
    message: str

    def set_character(self, character: Character) -> None: ...
    def pose(self, pose: Pose, size: int) -> U8: ...


def _poser(settings: PoserSettings) -> Drawer:
    from puppeteer.poser import Poser  # PyTorch takes seconds

    return Poser.load(settings.family, settings.device)


def _tracker() -> Tracker:
    return FaceLandmarkerTracker()


def _virtual_camera(settings: OutputSettings) -> Device:
    from puppeteer.outputs.virtual_camera import VirtualCamera

    return VirtualCamera(even_size(settings), settings.rate, settings.device)


@dataclass(frozen=True, slots=True)
class Parts:
    """What Live is made of; tests put others in. Each factory is called in the thread that uses what it gives."""

    camera: Callable[[SourceSettings, Collection[str]], Camera] = open_source
    tracker: Callable[[], Tracker] = _tracker
    poser: Callable[[PoserSettings], Drawer] = _poser
    virtual_camera: Callable[[OutputSettings], Device] = _virtual_camera
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.perf_counter  # monotonic is too coarse on Windows


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the tracker made of a frame."""

    face: FaceObservation | None
    frame: Frame
    sequence: int
    time_s: float  # when it was known


class CalibrationRun:
    """One step of the guided calibration, from `Live.calibrate` to `finish` or `cancel`; for the thread of the window.

    Start it when the countdown ends, show `seen` and `latest`, and finish it a second or two later.
    """

    def __init__(self, live: Live, step: Step) -> None:
        self.step = step
        self._live = live
        self._faces: list[FaceObservation] = []
        self.missed = 0  # frames without a face

    @property
    def seen(self) -> int:
        """Frames with a face, so far."""
        return len(self._faces)

    @property
    def latest(self) -> FaceObservation | None:
        return self._faces[-1] if self._faces else None

    def finish(self) -> Calibration:
        """Puts the new calibration to use and into `Live.settings`. Raises SettingsError where no face was seen."""
        self.cancel()
        return self._live._calibrated(self.step, self._faces)

    def cancel(self) -> None:
        """Forgets it; may be called more than once."""
        self._live._end_run(self)

    def _see(self, face: FaceObservation | None) -> None:
        if face is None:
            self.missed += 1
        else:
            self._faces.append(face)


class Live:
    """Camera to character to virtual camera, without a window.

    Threads: `capture` reads the camera, `track` looks for the face, `load` loads networks and characters, `pose` draws
    at the output's rate and never waits for a face, `send` feeds the virtual camera, `record` writes a file. Every
    method may be called from any thread and returns at once, except `close` (2 s at most).

        with Live(load_profile(path, STUDIO)) as live:
            while window_is_open:
                paint(live.picture, live.status())

    The picture needs neither camera nor face nor virtual camera: whatever is missing is in `status`.
    """

    def __init__(
        self,
        settings: Settings = STUDIO,
        character: Path | None = None,
        *,
        parts: Parts | None = None,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        """`character` wins over `settings.studio.character`; without either, the first that comes along. `echo` gets
        every line of the log, from any thread. Nothing starts before `start`."""
        self.log = Log(echo)
        self._parts = parts or Parts()
        self._clock = self._parts.clock
        if character is not None:
            settings = _with_character(settings, character)
        self._settings = settings
        self._change = threading.RLock()  # of settings and of the parts that they make
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

        self._frames: LatestSlot[Frame] = LatestSlot()
        self._seen: LatestSlot[Seen] = LatestSlot()
        self._capture: Capture | None = None
        self._sender: Sender | None = None
        self._retired_capture: Capture | None = None  # of before; the next waits for it to let go of the camera
        self._retired_sender: Sender | None = None
        self._abandoned = 0  # cameras in a row that hung and were left behind
        self._recorder: Recorder | None = None
        self._rates = {name: Rate() for name in ("capture", "track", "output", "sent")}
        self.timings = Timings()  # of every stage

        self._told: dict[str, Part] = {}  # of parts that tell themselves
        self._logged: dict[str, Part] = {}
        self._motion = Motion(settings.motion, _calibration(settings))
        self._motion_use = threading.Lock()
        self._run: CalibrationRun | None = None
        self._manual: Pose | None = None
        self._demo = read_motion()
        self._demo_times_s = [time_s for time_s, _ in self._demo]

        self._poser: Drawer | None = None
        self._poser_use = threading.Lock()
        self._load_again = threading.Event()
        self._load_anew: set[str] = set()  # of "networks" and "character", though their settings are as before
        self._forced: PoserSettings | None = None  # after a failure

        self._background = self._parsed_background(settings)
        self._picture: Picture | None = None
        self._driver: Driver = "idle"
        self._latest_seen: Seen | None = None
        self._draw_lasts, self._track_lasts = Usual(), Usual()
        self._detail = Detail()
        self._next_draw_s = 0.0  # when a picture is expected to begin, on a machine too slow for the rate
        self._seen_taken = threading.Event()  # by the picture that shows it
        self._seen_by_s = 0.0  # when the face that is being looked for is expected to be known
        self._preview: Preview | None = None
        self._ease_from: Pose | None = None
        self._ease_start_s = 0.0
        self._shown = Pose()
        self._pose_group = ""

    # --- life

    def start(self) -> None:
        """Starts everything; networks and camera load behind it. May be called once."""
        assert not self._threads, "started already"
        self._restart_capture()
        self._restart_sender()
        for name, work in (("load", self._load), ("track", self._track), ("pose", self._draw)):
            thread = threading.Thread(target=self._kept_alive, args=(name, work), name=f"live-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> bool:
        """Ends every thread within 2 seconds and releases camera and virtual camera; may be called more than once.

        False where a thread hangs in a driver or in loading and was left behind: it lets go if ever it can. A recording
        is finished even where that takes longer.
        """
        self._stop.set()
        self._load_again.set()
        self._seen_taken.set()
        self._frames.close()
        self._seen.close()
        deadline_s = time.monotonic() + self._parts.patience.join_s
        with self._change:
            parts = [
                part
                for part in (self._capture, self._sender, self._retired_capture, self._retired_sender)
                if part is not None
            ]
            recorder, self._recorder = self._recorder, None
        closers = [threading.Thread(target=part.close, daemon=True) for part in parts]
        if recorder is not None:
            closers.append(threading.Thread(target=_quietly(recorder.close), daemon=True))
        for thread in closers:
            thread.start()
        for thread in (*closers, *self._threads):
            if thread is not threading.current_thread():
                thread.join(max(0.05, deadline_s - time.monotonic()))
        return not any(thread.is_alive() for thread in (*closers, *self._threads))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- settings

    @property
    def settings(self) -> Settings:
        """As they are in use, with the calibration; what a profile keeps."""
        return self._settings

    def apply(self, settings: Settings) -> None:
        """Puts settings to use at once; only stages that need it start anew (camera, virtual camera, networks).

        Make them from `live.settings` (`set_by_name(live.settings, name, value)`). Raises PuppeteerError, and applies
        nothing, where the background is neither a colour nor a picture.
        """
        with self._change:
            old = self._settings
            background = self._background
            if settings.output.background != old.output.background:
                background = parse_background(settings.output.background)
            key = _colour(settings.output.key_colour)
            self._settings, self._background = settings, background
            with self._motion_use:
                self._motion.settings = settings.motion
                if settings.calibration != old.calibration:
                    self._motion.calibration = _calibration(settings)
            if self._sender is not None:
                self._sender.key = key
            if not self._threads or self._stop.is_set():
                return
            if settings.source != old.source:
                self._restart_capture()
            if _device_settings(settings.output) != _device_settings(old.output):
                self._restart_sender()
            if settings.poser != old.poser or settings.studio.character != old.studio.character:
                if settings.poser != old.poser:
                    self._forced = None
                self._load_again.set()

    def set_character(self, path: Path | None) -> None:
        """Another character, loaded behind the present one; None is the first that comes along."""
        with self._change:
            self.apply(_with_character(self._settings, path))

    def set_manual(self, pose: Pose | None) -> None:
        """The sliders drive the character, until None."""
        self._manual = None if pose is None else pose.clamped()

    def recentre(self) -> None:
        """Makes the head's present rotation the neutral one; eyes and mouth stay as they are."""
        with self._change:
            with self._motion_use:
                self._motion.recentre()
                calibration = self._motion.calibration
            if calibration is None:
                self.log.add("recentre: no face was seen yet, look into the camera first")
                return
            self._settings = self._settings.model_copy(update={"calibration": calibration.asdict()})
        self.log.add("recentred")

    def calibrate(self, step: Step) -> CalibrationRun:
        """Begins to collect for one step: "neutral", "eyes_closed" or "mouth_open". Ends an earlier run."""
        self._run = run = CalibrationRun(self, step)
        return run

    def forget_calibration(self) -> None:
        """Back to the automatic calibration."""
        with self._change:
            self._settings = self._settings.model_copy(update={"calibration": None})
            with self._motion_use:
                self._motion.calibration = None

    def _end_run(self, run: CalibrationRun) -> None:
        if self._run is run:
            self._run = None

    def _calibrated(self, step: Step, faces: list[FaceObservation]) -> Calibration:
        with self._change:
            with self._motion_use:
                calibration = guided(self._motion.used_calibration, step, faces)
                self._motion.calibration = calibration
            self._settings = self._settings.model_copy(update={"calibration": calibration.asdict()})
        self.log.add(f"calibrated: {step.replace('_', ' ')}, from {len(faces)} frames")
        return calibration

    # --- what is seen from outside

    @property
    def shown(self) -> Pose:
        """What the newest picture shows, the character's own left and right."""
        return self._shown

    @property
    def picture(self) -> Picture | None:
        """The newest composed output; None until there is one. Compare `sequence` to paint each once."""
        return self._picture

    @property
    def preview(self) -> Preview | None:
        """The newest camera frame with what was found in it; None without a camera. For one thread."""
        seen = self._latest_seen
        if seen is None or self._clock() - seen.time_s > PREVIEW_S:
            return None
        if self._preview is None or self._preview.sequence != seen.sequence:
            height, width = seen.frame.rgb.shape[:2]
            scale = min(1.0, PREVIEW_SIDE / width)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            rgb = np.asarray(cv2.resize(seen.frame.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
            landmarks = None if seen.face is None else seen.face.landmarks
            self._preview = Preview(rgb, landmarks, seen.face is not None, seen.sequence)
        return self._preview

    def meters(self) -> tuple[Meter, ...]:
        """One for each number, in the order of POSE_NAMES."""
        with self._motion_use:
            latest = self._motion.meters if self._face_found() else None
            ranges = self._motion.used_calibration.ranges()
        shown = self._shown.mirrored() if self._settings.motion.mirror else self._shown
        raw = {} if latest is None else dict(zip(TRACKED, latest.raw, strict=True))
        calibrated = {} if latest is None else dict(zip(TRACKED, latest.calibrated, strict=True))
        known = dict(zip(TRACKED, ranges, strict=True))
        return tuple(
            Meter(name, raw.get(name), calibrated.get(name), getattr(shown, name), *known.get(name, (0.0, 1.0)))
            for name in POSE_NAMES
        )

    @property
    def virtual_camera_absent(self) -> bool:
        """Whether none is installed, so that there is nothing to try again."""
        return self._sender is not None and self._sender.absent

    def status(self) -> Status:
        """Everything as it is now."""
        now_s = self._clock()
        rates = {name: rate.per_second(now_s) for name, rate in self._rates.items()}
        return Status(
            **self._conditions(),
            driver=self._driver,
            face_found=self._face_found(),
            capture_fps=rates["capture"],
            track_fps=rates["track"],
            output_fps=rates["output"],
            sent_fps=rates["sent"],
            latency_ms=self.timings.percentile_ms(50, now_s),
            latency_p95_ms=self.timings.percentile_ms(95, now_s),
        )

    def counts(self) -> dict[str, int]:
        """How many frames were ever captured and tracked, and pictures drawn ("output") and sent."""
        return {name: rate.total for name, rate in self._rates.items()}

    def retry(self, part: Retried) -> None:
        """Tries again at once: devices are tried again every few seconds anyway, but now a hanging driver is left
        behind; networks and characters that could not be loaded are loaded anew."""
        with self._change:
            if part == "camera" and self._capture is not None:
                if self._capture.blocked_s:
                    self._restart_capture()
                else:
                    self._capture.retry()
            elif part == "virtual_camera" and self._sender is not None:
                if self._sender.blocked:
                    self._restart_sender()
                else:
                    self._sender.retry()
            elif part in ("networks", "character"):
                if part == "networks":
                    self._forced = None
                self._load_anew.add(part)
                self._load_again.set()

    def start_recording(self, path: Path) -> None:
        """Records the output to .mp4, or .webm where the background is transparent. Raises SinkError."""
        with self._change:
            if self._recorder is not None and self._recorder.running:
                raise SinkError(f"{self._recorder.path.name} is being recorded: stop that first")
            output = self._settings.output
            self._recorder = Recorder(path, even_size(output), output.rate, self._background.transparent)
        self.log.add(f"recording {path}")

    def stop_recording(self) -> None:
        """Finishes the file, which may take a moment. Raises SinkError where it could not be written."""
        with self._change:
            recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()
            self.log.add(f"recorded {recorder.path}")

    def _stale_s(self) -> float:
        return STALE_S + 2 * (self._draw_lasts.seconds + self._track_lasts.seconds)

    def _face_found(self) -> bool:
        seen = self._latest_seen
        return seen is not None and seen.face is not None and self._clock() - seen.time_s <= self._stale_s()

    def _conditions(self) -> dict[str, Part]:
        parts = {name: self._told.get(name, Part("starting")) for name in ("networks", "character")}
        capture, sender, recorder = self._capture, self._sender, self._recorder
        if self._settings.source.kind == "demo":
            parts["camera"] = Part("off", "recorded motion moves the character")
        elif capture is None:
            parts["camera"] = Part("starting", "opening the camera")
        else:
            parts["camera"] = capture.condition()
            if self._driver == "demo":
                parts["camera"] = Part("problem", f"{parts['camera'].text}; recorded motion stands in")
        parts["face"] = self._face_condition(parts["camera"])
        parts["virtual_camera"] = Part("off", "off") if sender is None else sender.condition()
        parts["recording"] = Part("off", "off") if recorder is None else recorder.condition()
        return parts

    def _face_condition(self, camera: Part) -> Part:
        tracker = self._told.get("face", Part("starting", "loading the face tracker"))
        if self._settings.source.kind == "demo":
            return Part("off", "not needed")
        if tracker.state != "ok":
            return tracker
        if self._face_found():
            return Part("ok", "face found")
        if camera.state != "ok":
            return Part("off", "waiting for the camera")
        return Part("problem", "no face: look into the camera, with light from the front")

    def _tell(self, part: str, state: State, text: str) -> None:
        self._told[part] = Part(state, text)

    def _log_changes(self) -> None:
        for name, part in self._conditions().items():
            before = self._logged.get(name)
            if before is None or before.state != part.state or _other(before, part):
                self._logged[name] = part
                # A face comes and goes all the time; only a tracker in trouble is news.
                gone = name == "face" and self._told.get("face", Part()).state == "ok"
                if part.text and part.state in ("ok", "problem") and not gone:
                    self.log.add(f"{name.replace('_', ' ')}: {part.text}")

    # --- stages

    def _kept_alive(self, name: str, work: Callable[[], None]) -> None:
        """Runs a thread's work; what nobody foresaw is logged, and the work goes on."""
        while not self._stop.is_set():
            try:
                work()
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                self.log.add(f"{name} failed and starts anew: {type(error).__name__}: {error} ({where})")
                self._stop.wait(1)

    def _mind_capture(self) -> None:
        """A camera that hangs, as some do when they were unplugged, is left behind and opened anew."""
        capture = self._capture
        if capture is None:
            return
        hung_s = capture.blocked_s
        if capture.delivered and not hung_s:
            self._abandoned = 0
        elif hung_s > self._parts.patience.abandon_s * 2 ** min(self._abandoned, 8):
            with self._change:
                if self._capture is capture:
                    self._abandoned += 1
                    self._restart_capture(capture.condition().text)

    def _restart_capture(self, problem: str = "") -> None:
        with self._change:
            old, self._capture = self._capture or self._retired_capture, None
            source = self._settings.source
            if old is not None:
                old.stop()
            self._retired_capture = old
            if source.kind == "demo":
                return
            self._capture = Capture(
                lambda: self._parts.camera(source, self._own_devices()),
                self._frames,
                self._rates["capture"],
                self._clock,
                self._parts.patience,
                after=old,
                problem=problem,
            )

    def _own_devices(self) -> Collection[str]:
        sender = self._sender
        return [sender.device] if sender is not None and sender.device else []

    def _restart_sender(self) -> None:
        with self._change:
            old, self._sender = self._sender or self._retired_sender, None
            if old is not None:
                old.stop()
            self._retired_sender = old
            output = self._settings.output
            if not output.virtual_camera:
                return
            key = _colour(output.key_colour)
            width, height = even_size(output)
            self._sender = Sender(
                lambda: self._parts.virtual_camera(output),
                (width, height),
                output.rate,
                key.fitted(width, height),
                self._rates["sent"],
                self.timings,
                self._clock,
                self._parts.patience,
                after=old,
            )
            self._sender.key = key

    def _track(self) -> None:
        """Looks at the newest frame, again and again."""
        self._tell("face", "starting", "loading the face tracker")
        try:
            with self._parts.tracker() as tracker:
                self._tell("face", "ok", "")
                while not self._stop.is_set():
                    self._wait_for_need()
                    frame = self._frames.get(0.5)
                    if frame is None:
                        continue
                    begun_s = self._clock()
                    self._seen_by_s = begun_s + 1.5 * self._track_lasts.seconds
                    face = tracker.observe(frame)
                    ended_s = self._clock()
                    self._seen_by_s = 0.0
                    self._track_lasts.add(ended_s - begun_s)
                    self.timings.add("track", ended_s - begun_s, ended_s)
                    self._rates["track"].count(ended_s)
                    self._took(face, frame)
        except Exception as error:
            if isinstance(error, PuppeteerError):
                text = str(error)
            else:
                text = f"the face tracker failed ({type(error).__name__}: {error}); it starts anew"
            self._tell("face", "problem", text)
            self._without_tracker()

    def _wait_for_need(self) -> None:
        """On a machine that draws fewer pictures than the camera gives frames, only frames that will be drawn are
        looked at, just in time: each of the others would cost the next picture its time."""
        if self._draw_lasts.seconds < 1 / self._settings.output.rate or self._run is not None:
            return
        self._seen_taken.wait(STALE_S / 2)
        wait_s = self._next_draw_s - self._track_lasts.seconds - TRACK_MARGIN_S - self._clock()
        if wait_s > 0:
            self._stop.wait(min(wait_s, STALE_S / 2))

    def _took(self, face: FaceObservation | None, frame: Frame) -> None:
        before = self._latest_seen
        self._latest_seen = seen = Seen(face, frame, before.sequence + 1 if before else 0, self._clock())
        run = self._run
        if run is not None:
            run._see(face)
        self._seen_taken.clear()
        self._seen.put(seen)

    def _without_tracker(self) -> None:
        """The preview goes on while the tracker is about to be tried again."""
        until_s = self._clock() + self._parts.patience.retry_s
        while not self._stop.is_set() and self._clock() < until_s:
            frame = self._frames.get(0.2)
            if frame is not None:
                self._took(None, frame)

    def _load(self) -> None:
        """Loads networks and characters that the settings name, in the background."""
        loaded: PoserSettings | None = None
        shown: str | None = None
        drawing: Character | None = None
        while not self._stop.is_set():
            self._load_again.clear()
            with self._change:
                settings, forced = self._settings, self._forced
                anew, self._load_anew = self._load_anew, set()
            if "networks" in anew:
                loaded = None
            if "character" in anew:
                shown = None
            wanted = forced or settings.poser
            if drawing is None or settings.studio.character != shown:
                shown = settings.studio.character
                new = self._read_character(shown, read_character, fallback=drawing is None)
                if new is not None:
                    drawing = new
                    if self._poser is not None and loaded == wanted:
                        self._take_in(self._poser, drawing)
            if drawing is not None and loaded != wanted and self._load_networks(wanted, drawing):
                loaded = wanted
            self._load_again.wait()

    def _draw(self) -> None:
        """One picture for each period of the output, early or late by half a period to follow the camera's rhythm."""
        due_s = self._clock()
        while not self._stop.is_set():
            period_s = 1 / self._settings.output.rate
            self._stop.wait(max(0.0, due_s - period_s / 2 - self._clock()))
            now_s = self._clock()
            # A face that is about to be known is worth a little delay: the picture would be one of the past.
            until_s = max(due_s + period_s / 2, min(self._seen_by_s, now_s + period_s))
            fresh = self._seen.get(max(0.0, until_s - now_s))
            if self._stop.is_set():
                return
            begun_s = self._clock()
            self._next_draw_s = begun_s + self._draw_lasts.seconds
            if fresh is not None:
                self._seen_taken.set()
            self._tick(fresh)
            self._draw_lasts.add(self._clock() - begun_s)
            self._mind_capture()
            self._log_changes()
            due_s = max(due_s + period_s, self._clock() - period_s / 2)

    def _tick(self, fresh: Seen | None) -> None:
        now_s = self._clock()
        settings = self._settings
        pose = self._pose_at(now_s, settings)
        pixels = self._drawn(pose, settings.output)
        if pixels is None:
            return
        ended_s = self._clock()
        frame_time_s = None if fresh is None or fresh.face is None else fresh.frame.time_s
        before = self._picture
        pixels.flags.writeable = False
        self._picture = picture = Picture(pixels, before.sequence + 1 if before else 0, ended_s, frame_time_s)
        self._rates["output"].count(ended_s)
        sender, recorder = self._sender, self._recorder
        if sender is not None:
            sender.pictures.put(picture)
        if frame_time_s is not None and (sender is None or not sender.device):
            self.timings.add("camera_to_output", ended_s - frame_time_s, ended_s)
        if recorder is not None:
            recorder.pictures.put(picture)

    def _pose_at(self, now_s: float, settings: Settings) -> Pose:
        """What the character does now, whoever moves it."""
        seen = self._latest_seen
        recent = seen is not None and now_s - seen.time_s <= self._stale_s()
        with self._motion_use:
            pose = self._motion.step(seen.face if recent and seen is not None else None, now_s)
        manual, capture = self._manual, self._capture
        absent = capture is not None and capture.absent and not capture.delivered
        driver: Driver
        if manual is not None:
            driver, pose = "manual", manual
        elif settings.source.kind == "demo" or absent:
            driver, pose = "demo", self._demo_pose(now_s)
            pose = pose.mirrored() if settings.motion.mirror else pose
        else:
            driver = "face" if self._face_found() else "idle"
        group = driver if driver in ("manual", "demo") else "tracked"  # Motion eases from face to idle itself
        if group != self._pose_group:
            if self._pose_group:
                self._ease_from, self._ease_start_s = self._shown, now_s
            self._pose_group = group
        if self._ease_from is not None:
            share = (now_s - self._ease_start_s) / DRIVER_EASE_S
            if share < 1:
                pose = between(self._ease_from, pose, share * share * (3 - 2 * share))
            else:
                self._ease_from = None
        self._driver, self._shown = driver, pose
        return pose

    def _demo_pose(self, now_s: float) -> Pose:
        """Recorded motion, over and over, between its rows."""
        times_s = self._demo_times_s
        step_s = (times_s[-1] - times_s[0]) / max(1, len(times_s) - 1)
        place = (now_s % (times_s[-1] + step_s)) / step_s
        index = int(place)
        first, second = (self._demo[number % len(self._demo)][1] for number in (index, index + 1))
        return between(first, second, place - index)

    def _drawn(self, pose: Pose, output: OutputSettings) -> U8 | None:
        """The composed output; None where nothing can be drawn at this moment."""
        width, height = even_size(output)
        side = round(min(width, height) * output.zoom)
        drawn_side = self._detail.side(side, output.detail, self._draw_lasts.seconds, 1 / output.rate, self._clock())
        if not self._poser_use.acquire(blocking=False):  # a character is being taken in
            return None
        begun_s = self._clock()
        try:
            poser = self._poser
            if poser is None:
                return None
            rgba = poser.pose(pose, drawn_side)
        except Exception as error:
            self._drawing_failed(error)
            return None
        finally:
            self._poser_use.release()
        posed_s = self._clock()
        self.timings.add("pose", posed_s - begun_s, posed_s)
        left = round((width - side) / 2 + output.offset_x * height)
        top = round(height - side + output.offset_y * height)
        pixels = placed(rgba, self._background, (width, height), left, top, side)
        self.timings.add("compose", self._clock() - posed_s, posed_s)
        return pixels

    def _drawing_failed(self, error: Exception) -> None:
        """From a graphics card to the CPU, from there to the family without networks."""
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        now = self._forced or self._settings.poser
        if now.device != "cpu":
            self._forced = now.model_copy(update={"device": "cpu"})
            remedy = "the processor takes over; close programs that use the graphics card, then press Retry"
        else:
            self._forced = PoserSettings(family="warp", device="cpu")
            remedy = "the simple family without networks takes over; press Retry, or choose another family"
        self._poser = None
        self._tell("networks", "problem", f"drawing failed ({first_line}): {remedy}")
        self._load_again.set()

    def _read_character(self, name: str, read: Callable[[Path], Character], fallback: bool) -> Character | None:
        """The character named in the settings, or with `fallback` the first that comes along."""
        self._tell("character", "starting", f"loading {Path(name).name or 'the character'}")
        try:
            path = Path(name).expanduser() if name else default_character()
            drawing = read(path)
        except PuppeteerError as error:
            self._tell("character", "problem", str(error))
            if not fallback or not name:
                return None
            try:
                return read(default_character())
            except PuppeteerError:
                return None
        self._tell("character", "ok", "; ".join([path.name, *drawing.notes]))
        return drawing

    def _take_in(self, poser: Drawer, drawing: Character) -> None:
        with self._poser_use:
            try:
                poser.set_character(drawing)
            except PuppeteerError as error:
                self._tell("character", "problem", str(error))
            except Exception as error:
                self._drawing_failed(error)

    def _load_networks(self, wanted: PoserSettings, drawing: Character) -> bool:
        """The networks that the settings name, or else what works; False where nothing does."""
        problem = self._told.get("networks", Part()).text if self._forced is not None else ""
        if not problem:
            self._tell("networks", "starting", "loading the networks")
        others = [
            PoserSettings(device=wanted.device),
            PoserSettings(device="cpu"),
            PoserSettings(family="warp", device="cpu"),
        ]
        for settings in dict.fromkeys([wanted, *others]):
            try:
                poser = self._parts.poser(settings)
                poser.set_character(drawing)
            except Exception as error:
                text = str(error) if isinstance(error, PuppeteerError) else f"{type(error).__name__}: {error}"
                problem = problem or text
                self._tell("networks", "problem", problem)
                continue
            with self._poser_use:
                self._poser = poser
            if problem:
                self._tell("networks", "problem", f"{problem}; now {poser.message}")
            else:
                self._tell("networks", "ok", poser.message)
            return True
        return False

    def _parsed_background(self, settings: Settings) -> Background:
        try:
            return parse_background(settings.output.background)
        except PuppeteerError as error:
            self.log.add(f"{error}; the key colour stands in")
            return _colour(settings.output.key_colour)


class Usual:
    """How long something usually takes; one thread adds, any reads."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += (seconds - self.seconds) / 8


def even_size(output: OutputSettings) -> tuple[int, int]:
    """(width, height) in pixels; video and virtual cameras want even numbers."""
    return output.width // 2 * 2, output.height // 2 * 2


def _device_settings(output: OutputSettings) -> tuple[object, ...]:
    """What a virtual camera must be opened anew for."""
    return output.virtual_camera, output.device, even_size(output), output.rate


def _colour(text: str) -> Background:
    """The key colour; green where the text is none."""
    try:
        background = parse_background(text)
    except PuppeteerError:
        background = Background()
    return background if background.colour is not None else Background(colour=(0, 255, 0))


def _calibration(settings: Settings) -> Calibration | None:
    return None if settings.calibration is None else Calibration.from_dict(settings.calibration)


def _with_character(settings: Settings, path: Path | None) -> Settings:
    studio = settings.studio.model_copy(update={"character": "" if path is None else str(path)})
    return settings.model_copy(update={"studio": studio})


def _other(before: Part, part: Part) -> bool:
    """Whether the sentence says something else; counting seconds is not something else."""
    return [word for word in before.text if not word.isdigit()] != [word for word in part.text if not word.isdigit()]


def _quietly(close: Callable[[], object]) -> Callable[[], None]:
    def work() -> None:
        with contextlib.suppress(PuppeteerError):
            close()

    return work
