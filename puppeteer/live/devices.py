"""The engine's source and where it sends: started, started anew, left behind where they hang, closed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from puppeteer.errors import PuppeteerError, SinkError
from puppeteer.inputs import read_recording
from puppeteer.inputs.contract import Arrival
from puppeteer.live.capture import Capture, Feed
from puppeteer.live.feeding import Overlays
from puppeteer.live.listening import Listening
from puppeteer.live.parts import Parts
from puppeteer.live.playing import Playing, Recorded
from puppeteer.live.sending import Recorder, Sender
from puppeteer.live.status import Part, Picture, Rate, Timings
from puppeteer.outputs.compose import Background, camera_size, even_size, key_colour
from puppeteer.outputs.contract import PoseSink
from puppeteer.outputs.motion_table import MotionTable
from puppeteer.pose import Frame, Pose
from puppeteer.settings import SEEN, OutputSettings, Settings, SourceSettings
from puppeteer.slot import LatestSlot

RECORDED = "the recording is finished: {path}"


class Devices:
    """Every method may be called from any thread and returns at once."""

    def __init__(
        self,
        parts: Parts,
        settings: Callable[[], Settings],
        frames: LatestSlot[Frame],
        heard: Callable[[Arrival], object],
        rates: dict[str, Rate],
        timings: Timings,
    ) -> None:
        self._parts, self._settings = parts, settings
        self._frames, self._heard, self._rates, self._timings = frames, heard, rates, timings
        self._change = threading.RLock()
        self._feed: Feed | None = None
        self._sender: Sender | None = None
        self._retired_feed: Feed | None = None  # of before; the next waits for it to let go of the camera
        self._retired_sender: Sender | None = None
        self._recorder: Recorder | None = None
        self._vmc: PoseSink | None = None
        self._table: MotionTable | None = None
        self._vmc_problem = ""
        self.overlays = Overlays(parts, rates["overlays"])
        self._abandoned = 0  # cameras in a row that hung and were left behind

    def start(self) -> None:
        self._restart_feed()
        self._restart_sender()
        self._restart_vmc()
        self.overlays.apply(self._settings().output)

    def apply(self, old: Settings, new: Settings) -> None:
        """Starts anew what the new settings need."""
        if new.source != old.source:
            self._restart_feed()
        if _device_settings(new.output) != _device_settings(old.output):
            self._restart_sender()
        if _vmc_settings(new.output) != _vmc_settings(old.output):
            self._restart_vmc()
        self.overlays.apply(new.output)

    def set_key(self, key: Background) -> None:
        """What stands for transparent in the virtual camera."""
        with self._change:
            if self._sender is not None:
                self._sender.key = key

    def closers(self, say: Callable[[str], object]) -> list[Callable[[], object]]:
        """What closes each device, to be called side by side; each may hang in a driver. `say` gets what became of a
        recording."""
        with self._change:
            found = (self._feed, self._sender, self._retired_feed, self._retired_sender, self._vmc)
            recorder, self._recorder = self._recorder, None
            table, self._table = self._table, None
        closers: list[Callable[[], object]] = [part.close for part in found if part is not None]
        closers += self.overlays.closers()
        closers += [_quietly(table.close)] if table is not None else []
        return closers if recorder is None else [*closers, _finishing(recorder, say)]

    @property
    def virtual_camera_absent(self) -> bool:
        """Whether none is installed, so that there is nothing to try again."""
        return self._sender is not None and self._sender.absent

    # --- pictures

    @property
    def sends(self) -> bool:
        """Whether a virtual camera takes pictures, at whose end their way ends."""
        sender = self._sender
        return sender is not None and bool(sender.device)

    def put(self, picture: Picture) -> None:
        sender, recorder = self._sender, self._recorder
        self.overlays.put(picture)
        if sender is not None:
            sender.pictures.put(picture)
        if recorder is not None:
            recorder.pictures.put(picture)

    # --- what is seen from outside

    @property
    def absent(self) -> bool:
        """No camera is there, and never was."""
        feed = self._feed
        return feed is not None and feed.absent and not feed.delivered

    @property
    def motion(self) -> Recorded | None:
        """The motion of a file that is played, once it was read."""
        feed = self._feed
        return feed.motion if isinstance(feed, Playing) else None

    @property
    def setup(self) -> str:
        """What to do for the source (in an app on the phone), half a sentence; "" where there is nothing."""
        feed = self._feed
        return "" if feed is None else feed.setup

    def source(self, stands_in: bool) -> Part:
        """`stands_in`: recorded motion moves the character meanwhile."""
        feed = self._feed
        if self._settings().source.kind == "demo":
            return Part("off", "recorded motion moves the character")
        if feed is None:
            return Part("starting", "opening the camera")
        part = feed.condition()
        return Part("problem", f"{part.text}; recorded motion stands in") if stands_in else part

    def vmc(self) -> Part:
        sink = self._vmc
        output = self._settings().output
        if sink is None:
            return Part("problem", self._vmc_problem) if self._vmc_problem else Part("off", "off")
        if sink.problem:
            return Part("problem", sink.problem)
        return Part("ok", f"sent to {output.vmc_address}, port {output.vmc_port}")

    def virtual_camera(self) -> Part:
        sender = self._sender
        return Part("off", "off") if sender is None else sender.condition()

    def recording(self) -> Part:
        recorder = self._recorder
        return Part("off", "off") if recorder is None else recorder.condition()

    # --- camera and virtual camera

    def retry_camera(self) -> None:
        with self._change:
            if self._feed is None:
                return
            if self._feed.blocked_s:
                self._restart_feed()
            else:
                self._feed.retry()

    def retry_virtual_camera(self) -> None:
        with self._change:
            if self._sender is None:
                return
            if self._sender.blocked:
                self._restart_sender()
            else:
                self._sender.retry()

    def mind_source(self) -> None:
        """A camera that hangs, as some do when they were unplugged, is left behind and opened anew."""
        feed = self._feed
        if feed is None:
            return
        hung_s = feed.blocked_s
        if feed.delivered and not hung_s:
            self._abandoned = 0
        elif hung_s > self._parts.patience.abandon_s * 2 ** min(self._abandoned, 8):
            with self._change:
                if self._feed is feed:
                    self._abandoned += 1
                    self._restart_feed(feed.condition().text)

    def _restart_feed(self, problem: str = "") -> None:
        with self._change:
            old, self._feed = self._feed or self._retired_feed, None
            source = self._settings().source
            if old is not None:
                old.stop()
            self._retired_feed = old
            if source.kind != "demo":
                self._feed = self._new_feed(source, old, problem)

    def _new_feed(self, source: SourceSettings, old: Feed | None, problem: str) -> Feed:
        parts, rate = self._parts, self._rates["capture"]
        if source.kind == "recording":
            return Playing(source.recording, read_recording, parts.clock, parts.patience, after=old)
        if source.kind not in SEEN:
            return Listening(lambda: parts.faces(source), self._heard, rate, parts.clock, parts.patience, after=old)
        return Capture(
            lambda: parts.camera(source, self._own_devices()),
            self._frames,
            rate,
            parts.clock,
            parts.patience,
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
            output = self._settings().output
            if not output.virtual_camera:
                return
            key = key_colour(output)
            width, height = camera_size(output)
            self._sender = Sender(
                lambda: self._parts.virtual_camera(output),
                (width, height),
                output.rate,
                key.fitted(width, height),
                self._rates["sent"],
                self._timings,
                self._parts.clock,
                self._parts.patience,
                after=old,
                cut=even_size(output)[0] - width,
            )
            self._sender.key = key

    # --- VMC

    def send_pose(self, pose: Pose, face: bool, time_s: float) -> None:
        """As it is shown; `face`: a face is seen."""
        sink, table = self._vmc, self._table
        if sink is not None:
            sink.send(pose, time_s)
        if table is not None:
            table.add(pose.mirrored() if self._settings().motion.mirror else pose, face, time_s)

    def _restart_vmc(self) -> None:
        with self._change:
            old, self._vmc, self._vmc_problem = self._vmc, None, ""
            if old is not None:
                old.close()
            output = self._settings().output
            if output.vmc:
                try:
                    self._vmc = self._parts.vmc(output)
                except PuppeteerError as error:
                    self._vmc_problem = str(error)

    # --- recording

    def start_motion(self, path: Path) -> None:
        """Keeps the motion for a table. Raises SinkError."""
        with self._change:
            if self._table is not None:
                raise SinkError(f"{self._table.path.name} is being recorded: stop that first")
            self._table = MotionTable(path)

    def stop_motion(self) -> Path | None:
        """Writes the table, and says which; None where none was kept. Raises SinkError where that failed."""
        with self._change:
            table, self._table = self._table, None
        if table is None:
            return None
        table.close()
        return table.path

    @property
    def motion_lasts_s(self) -> float | None:
        """How long the motion that is being recorded is; None where none is."""
        table = self._table
        return None if table is None else table.lasts_s

    def start_recording(self, path: Path, transparent: bool) -> None:
        """Raises SinkError."""
        with self._change:
            if self._recorder is not None and self._recorder.running:
                raise SinkError(f"{self._recorder.path.name} is being recorded: stop that first")
            output = self._settings().output
            self._recorder = Recorder(path, even_size(output), output.rate, transparent)

    def stop_recording(self) -> Path | None:
        """Finishes the file, and says which; None where none was written. Raises SinkError where that failed."""
        with self._change:
            recorder, self._recorder = self._recorder, None
        if recorder is None:
            return None
        recorder.close()
        return recorder.path


def _device_settings(output: OutputSettings) -> tuple[object, ...]:
    """What a virtual camera must be opened anew for."""
    return output.virtual_camera, output.device, even_size(output), output.rate


def _vmc_settings(output: OutputSettings) -> tuple[object, ...]:
    return output.vmc, output.vmc_address, output.vmc_port


def _finishing(recorder: Recorder, say: Callable[[str], object]) -> Callable[[], object]:
    def work() -> None:
        try:
            recorder.close()
            say(RECORDED.format(path=recorder.path))
        except PuppeteerError as error:
            say(str(error))

    return work


def _quietly(close: Callable[[], object]) -> Callable[[], object]:
    def work() -> None:
        with contextlib.suppress(PuppeteerError):
            close()

    return work
