"""Live: owns the threads, hands over by LatestSlot, and never dies of a part that fails."""

from __future__ import annotations

import functools
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from puppeteer.by_name import set_by_name, value_of
from puppeteer.errors import PuppeteerError, SettingsError
from puppeteer.live.calibrating import CalibrationRun, why_not
from puppeteer.live.conditions import Conditions
from puppeteer.live.devices import RECORDED, Devices
from puppeteer.live.drawing import Drawing
from puppeteer.live.driving import Driving
from puppeteer.live.hearing import Hearing
from puppeteer.live.loading import Loading
from puppeteer.live.looking import Looking
from puppeteer.live.pace import Pace
from puppeteer.live.parts import Parts
from puppeteer.live.remote import Remote, press, switch
from puppeteer.live.status import Log, Meter, Picture, Preview, Rate, Status, Timings, Told
from puppeteer.motion import Calibration, Step
from puppeteer.motion.voice import Heard
from puppeteer.outputs.compose import Background, key_colour, parse_background
from puppeteer.pose import FaceObservation, Pose
from puppeteer.settings import SEEN, Settings

UNHELD_S = 0.3  # for the thread that loads, which holds no device: while it imports PyTorch it cannot end

Retried = Literal["camera", "microphone", "virtual_camera", "browser_source", "shared_texture", "networks", "character"]


class Live:
    """Camera to character to virtual camera, without a window.

    Threads: `capture` reads the camera, `track` looks for the face, `load` loads networks and characters, `pose` draws
    at the output's rate and never waits for a face, `send` feeds the virtual camera, `feed` the browser source,
    `record` writes a file. Every method may be called from any thread and returns at once, except `close` (2 s at
    most).

        with Live(load_profile(path, STUDIO), parts=parts) as live:
            while window_is_open:
                paint(live.picture, live.status())

    The picture needs neither camera nor face nor virtual camera: whatever is missing is in `status`.
    """

    def __init__(
        self,
        settings: Settings,
        character: Path | None = None,
        *,
        parts: Parts,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        """`character` wins over `settings.studio.character`; without either, the first that comes along. `echo` gets
        every line of the log, from any thread. Nothing starts before `start`."""
        self.log = Log(echo)
        self._parts = parts
        self._settings = settings = settings if character is None else _with_character(settings, character)
        self._change = threading.RLock()  # of settings
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._rates = {name: Rate() for name in ("capture", "track", "output", "sent", "overlays")}
        self.timings = Timings()  # of every stage
        self._told = Told(self.log)

        def current() -> Settings:
            return self._settings

        pace = Pace()
        rates, timings = self._rates, self.timings
        self._looking = Looking(parts, pace, self._stop, self._told.tell, rates["track"], timings)
        self._driving = Driving(settings)
        self._loading = Loading(parts, current, self._stop, self._told)
        self._devices = Devices(parts, current, self._looking.frames, self._looking.hear, rates, timings)
        self._hearing = Hearing(parts.microphone, parts.clock, parts.patience)
        self.remote = Remote(self._express_from_outside, parts.clock)
        self.remote.acts |= {
            "recentre": press(self.recentre),
            "mute": switch(lambda: self.mouth_muted, self.mute_mouth),
            "mirror": self._switch_of("motion.mirror"),
            "virtual_camera": self._switch_of("output.virtual_camera"),
        }
        self._conditions = Conditions(
            current, self._told, self._looking, self._driving, self._devices, self._hearing, self.remote
        )
        self._drawing = Drawing(
            current,
            self._first_background(settings),
            parts.clock,
            pace,
            self._stop,
            self._looking,
            self._driving,
            self._loading,
            self._devices,
            self._hearing,
            rates["output"],
            timings,
        )

    # --- life

    def start(self) -> None:
        """Starts everything; networks and camera load behind it. May be called once."""
        assert not self._threads, "started already"
        self._devices.start()
        self._hearing.apply(self._settings.voice)
        self.remote.apply(self._settings.remote)
        works: dict[str, Callable[[], None]] = {
            "load": self._loading.work,
            "track": functools.partial(
                self._looking.work,
                lambda: self._settings.output.rate,
                lambda: self._settings.source.kind in SEEN,
            ),
            "pose": functools.partial(self._drawing.work, self._after_each),
        }
        for name, work in works.items():
            thread = threading.Thread(target=self._kept_alive, args=(name, work), name=f"live-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> bool:
        """Ends every thread within 2 seconds and releases camera and virtual camera; may be called more than once.

        False where a thread hangs in a driver or in loading and was left behind: it lets go if ever it can. A recording
        is finished even where that takes longer.
        """
        self._stop.set()
        self._loading.wake()
        self._looking.close()
        deadline_s = time.monotonic() + self._parts.patience.join_s
        closing = (*self._devices.closers(self.log.add), self._hearing.close, self.remote.close)
        closers = [threading.Thread(target=close, daemon=True) for close in closing]
        for thread in closers:
            thread.start()
        for thread in closers:
            thread.join(max(0.05, deadline_s - time.monotonic()))
        soon_s = min(deadline_s, time.monotonic() + UNHELD_S)
        for thread in self._threads:
            if thread is not threading.current_thread():
                until_s = soon_s if thread.name == "live-load" else deadline_s
                thread.join(max(0.05, until_s - time.monotonic()))
        return not any(thread.is_alive() for thread in (*closers, *self._threads))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def _after_each(self) -> None:
        self._devices.mind_source()
        self._told.log_changes(self._conditions.all())

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
            background = self._drawing.background
            if settings.output.background != old.output.background:
                background = parse_background(settings.output.background)
            self._settings, self._drawing.background = settings, background
            self._driving.apply(settings, calibration_too=settings.calibration != old.calibration)
            if settings.source != old.source:
                self._driving.forget_seen()
            self._devices.set_key(key_colour(settings.output))
            if not self._threads or self._stop.is_set():
                return
            self._devices.apply(old, settings)
            self._hearing.apply(settings.voice)
            self.remote.apply(settings.remote)
            if settings.poser != old.poser or settings.studio.character != old.studio.character:
                self._loading.wake(own_choice=settings.poser != old.poser)

    def set_character(self, path: Path | None) -> None:
        """Another character, loaded behind the present one; None is the first that comes along."""
        with self._change:
            self.apply(_with_character(self._settings, path))

    def set_manual(self, pose: Pose | None) -> None:
        """The sliders drive the character, until None."""
        self._driving.manual = None if pose is None else pose.clamped()

    def mute_mouth(self, muted: bool) -> None:
        """The mouth stays shut whatever is seen and heard, until it is no longer muted."""
        if muted != self._driving.muted:
            self._driving.muted = muted
            self.log.add("the mouth is muted" if muted else "the mouth is no longer muted")

    @property
    def mouth_muted(self) -> bool:
        return self._driving.muted

    def express(self, name: str, amount: float = 1.0) -> None:
        """So much of an expression, from 0 to 1, over what the face does. Raises SettingsError where there is none."""
        self._driving.express(name, amount)

    def press_expression(self, name: str, down: bool = True) -> None:
        """Its key or button goes down or up: see `motion.expressions.Expressions.press`. Raises SettingsError."""
        self._driving.press(name, down)

    @property
    def expressed(self) -> dict[str, float]:
        """How much of which expressions is wanted, from 0 to 1; the latest comes last."""
        return self._driving.expressed

    def _express_from_outside(self, name: str, amount: float | None) -> None:
        if amount is None:
            self._driving.turn(name)
        else:
            self._driving.express(name, max(0.0, amount))

    def _switch_of(self, name: str) -> Callable[[float | None], object]:
        def turn(on: bool) -> None:
            with self._change:
                self.apply(set_by_name(self._settings, name, on))

        return switch(lambda: bool(value_of(self._settings, name)), turn)

    def recentre(self) -> None:
        """Makes the head's present rotation the neutral one; eyes and mouth stay as they are."""
        with self._change:
            calibration = self._driving.recentre()
            if calibration is None:
                self.log.add("recentre: no face was seen yet, look into the camera first")
                return
            self._keep(calibration)
        self.log.add("recentred")

    def calibrate(self, step: Step) -> CalibrationRun:
        """Begins to collect for one step (see `motion.guided`). Ends an earlier run. Raises SettingsError where nothing
        can see a face."""
        if why := self.why_no_calibration():
            raise SettingsError(why)
        self._looking.run = run = CalibrationRun(step, self._calibrated, self._end_run)
        return run

    def why_no_calibration(self) -> str:
        """What a calibration needs first, as a sentence; "" where it can begin."""
        kind, parts = self._settings.source.kind, self._conditions.all()
        return why_not(kind, parts["camera"], parts["face"], self._webcam_absent(), self._looking.has_frames)

    def forget_calibration(self) -> None:
        """Back to the automatic calibration."""
        with self._change:
            self._keep(None)
            self._driving.forget_calibration()

    def _keep(self, calibration: Calibration | None) -> None:
        kept = None if calibration is None else calibration.asdict()
        self._settings = self._settings.model_copy(update={"calibration": kept})

    def _end_run(self, run: CalibrationRun) -> None:
        if self._looking.run is run:
            self._looking.run = None

    def _calibrated(self, step: Step, faces: list[FaceObservation]) -> Calibration:
        with self._change:
            calibration = self._driving.calibrate(step, faces)
            self._keep(calibration)
        self.log.add(f"calibrated: {step.replace('_', ' ')}, from {len(faces)} frames")
        return calibration

    def _first_background(self, settings: Settings) -> Background:
        try:
            return parse_background(settings.output.background)
        except PuppeteerError as error:
            self.log.add(f"{error}; the key colour stands in")
            return key_colour(settings.output)

    # --- what is seen from outside

    @property
    def shown(self) -> Pose:
        """What the newest picture shows, the character's own left and right."""
        return self._driving.shown

    @property
    def picture(self) -> Picture | None:
        """The newest composed output; None until there is one. Compare `sequence` to paint each once."""
        return self._drawing.picture

    @property
    def heard(self) -> Heard | None:
        """What the microphone hears now; None where none does."""
        return self._hearing.heard()

    @property
    def mouth_covered(self) -> bool:
        """The voice alone moves the mouth, because the one that is seen keeps still beside it."""
        return self._driving.mouth_covered

    @property
    def preview(self) -> Preview | None:
        """The newest camera frame with what was found in it; None without a camera. For one thread."""
        return self._looking.preview()

    def meters(self) -> tuple[Meter, ...]:
        """One for each number, in the order of POSE_NAMES."""
        return self._driving.meters(self._looking.found())

    @property
    def setup(self) -> str:
        """What to do for the source (in an app on the phone), half a sentence; "" where there is nothing."""
        return self._devices.setup

    @property
    def virtual_camera_absent(self) -> bool:
        """Whether none is installed, so that there is nothing to try again."""
        return self._devices.virtual_camera_absent

    @property
    def page(self) -> str:
        """The address of the browser source, or "" while there is none."""
        return self._devices.overlays.name("browser_source")

    def status(self) -> Status:
        """Everything as it is now."""
        now_s = self._parts.clock()
        rates = {name: rate.per_second(now_s) for name, rate in self._rates.items()}
        return Status(
            **self._conditions.all(),
            driver=self._driving.driver,
            face_found=self._looking.found(),
            capture_fps=rates["capture"],
            track_fps=rates["track"],
            output_fps=rates["output"],
            sent_fps=rates["sent"],
            latency_ms=self.timings.percentile_ms(50, now_s),
            latency_p95_ms=self.timings.percentile_ms(95, now_s),
            webcam_absent=self._webcam_absent(),
        )

    def _webcam_absent(self) -> bool:
        source = self._settings.source
        return source.kind == "camera" and not source.camera and self._devices.absent

    def counts(self) -> dict[str, int]:
        """How many frames were ever captured and tracked, and pictures drawn ("output") and sent."""
        return {name: rate.total for name, rate in self._rates.items()}

    # --- what is done on demand

    def retry(self, part: Retried) -> None:
        """Tries again at once: devices are tried again every few seconds anyway, but now a hanging driver is left
        behind; networks and characters that could not be loaded are loaded anew."""
        with self._change:
            if part == "camera":
                self._devices.retry_camera()
            elif part == "virtual_camera":
                self._devices.retry_virtual_camera()
            elif part in ("browser_source", "shared_texture"):
                self._devices.overlays.retry(part)
            elif part == "microphone":
                self._hearing.retry()
            else:
                self._loading.wake(anew=part, own_choice=part == "networks")

    def start_recording(self, path: Path) -> None:
        """Records the output to .mp4, or .webm where the background is transparent. Raises SinkError."""
        with self._change:
            self._devices.start_recording(path, self._drawing.background.transparent)
        self.log.add(f"recording {path}")

    def stop_recording(self) -> None:
        """Finishes the file, which may take a moment. Raises SinkError where it could not be written."""
        path = self._devices.stop_recording()
        if path is not None:
            self.log.add(RECORDED.format(path=path))

    def start_motion(self, path: Path) -> None:
        """Records the motion, all numbers of it, to a .csv that `inputs.recorded` reads. Raises SinkError."""
        self._devices.start_motion(path)
        self.log.add(f"recording the motion, {path}")

    def stop_motion(self) -> Path | None:
        """Writes the file, which may take a moment, and says which. Raises SinkError where it could not be written."""
        path = self._devices.stop_motion()
        if path is not None:
            self.log.add(f"recorded the motion, {path}")
        return path

    @property
    def motion_lasts_s(self) -> float | None:
        """How long the motion that is being recorded is, in seconds; None where none is."""
        return self._devices.motion_lasts_s


def _with_character(settings: Settings, path: Path | None) -> Settings:
    studio = settings.studio.model_copy(update={"character": "" if path is None else str(path)})
    return settings.model_copy(update={"studio": studio})
