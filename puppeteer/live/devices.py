"""The engine's camera, virtual camera and recording: started, started anew, left behind where they hang, closed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from puppeteer.errors import PuppeteerError, SinkError
from puppeteer.live.capture import Capture
from puppeteer.live.parts import Parts
from puppeteer.live.sending import Recorder, Sender
from puppeteer.live.status import Part, Picture, Rate, Timings
from puppeteer.outputs.compose import Background, even_size, key_colour
from puppeteer.pose import Frame
from puppeteer.settings import OutputSettings, Settings
from puppeteer.slot import LatestSlot


class Devices:
    """Every method may be called from any thread and returns at once."""

    def __init__(
        self,
        parts: Parts,
        settings: Callable[[], Settings],
        frames: LatestSlot[Frame],
        rates: dict[str, Rate],
        timings: Timings,
    ) -> None:
        self._parts, self._settings = parts, settings
        self._frames, self._rates, self._timings = frames, rates, timings
        self._change = threading.RLock()
        self._capture: Capture | None = None
        self._sender: Sender | None = None
        self._retired_capture: Capture | None = None  # of before; the next waits for it to let go of the camera
        self._retired_sender: Sender | None = None
        self._recorder: Recorder | None = None
        self._abandoned = 0  # cameras in a row that hung and were left behind

    def start(self) -> None:
        self._restart_capture()
        self._restart_sender()

    def apply(self, old: Settings, new: Settings) -> None:
        """Starts anew what the new settings need."""
        if new.source != old.source:
            self._restart_capture()
        if _device_settings(new.output) != _device_settings(old.output):
            self._restart_sender()

    def set_key(self, key: Background) -> None:
        """What stands for transparent in the virtual camera."""
        with self._change:
            if self._sender is not None:
                self._sender.key = key

    def closers(self) -> list[Callable[[], object]]:
        """What closes each device, to be called side by side; each may hang in a driver."""
        with self._change:
            found = (self._capture, self._sender, self._retired_capture, self._retired_sender)
            recorder, self._recorder = self._recorder, None
        closers: list[Callable[[], object]] = [part.close for part in found if part is not None]
        return closers if recorder is None else [*closers, _quietly(recorder.close)]

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
        if sender is not None:
            sender.pictures.put(picture)
        if recorder is not None:
            recorder.pictures.put(picture)

    # --- what is seen from outside

    @property
    def absent(self) -> bool:
        """No camera is there, and never was."""
        capture = self._capture
        return capture is not None and capture.absent and not capture.delivered

    def camera(self, stands_in: bool) -> Part:
        """`stands_in`: recorded motion moves the character meanwhile."""
        capture = self._capture
        if self._settings().source.kind == "demo":
            return Part("off", "recorded motion moves the character")
        if capture is None:
            return Part("starting", "opening the camera")
        part = capture.condition()
        return Part("problem", f"{part.text}; recorded motion stands in") if stands_in else part

    def virtual_camera(self) -> Part:
        sender = self._sender
        return Part("off", "off") if sender is None else sender.condition()

    def recording(self) -> Part:
        recorder = self._recorder
        return Part("off", "off") if recorder is None else recorder.condition()

    # --- camera and virtual camera

    def retry_camera(self) -> None:
        with self._change:
            if self._capture is None:
                return
            if self._capture.blocked_s:
                self._restart_capture()
            else:
                self._capture.retry()

    def retry_virtual_camera(self) -> None:
        with self._change:
            if self._sender is None:
                return
            if self._sender.blocked:
                self._restart_sender()
            else:
                self._sender.retry()

    def mind_capture(self) -> None:
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
            source = self._settings().source
            if old is not None:
                old.stop()
            self._retired_capture = old
            if source.kind == "demo":
                return
            self._capture = Capture(
                lambda: self._parts.camera(source, self._own_devices()),
                self._frames,
                self._rates["capture"],
                self._parts.clock,
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
            output = self._settings().output
            if not output.virtual_camera:
                return
            key = key_colour(output)
            width, height = even_size(output)
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
            )
            self._sender.key = key

    # --- recording

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


def _quietly(close: Callable[[], object]) -> Callable[[], object]:
    def work() -> None:
        with contextlib.suppress(PuppeteerError):
            close()

    return work
