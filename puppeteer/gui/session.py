"""What the user can do, without a window: settings, calibration, manual pose, profiles, characters and recordings.

Pages and panels show an engine through this; none of it knows Dear PyGui.
"""

from __future__ import annotations

import contextlib
import platform
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from puppeteer.by_name import set_by_name
from puppeteer.errors import PuppeteerError
from puppeteer.gui import texts
from puppeteer.gui.faces import Faces
from puppeteer.gui.guide import Guide
from puppeteer.gui.memory import Memory
from puppeteer.gui.notices import Buttons, Notices
from puppeteer.gui.profiles import Profiles
from puppeteer.gui.recordings import Recordings
from puppeteer.gui.wardrobe import Wardrobe
from puppeteer.gui.work import Work
from puppeteer.live import CalibrationRun, Live, Retried, Status
from puppeteer.motion import Step
from puppeteer.pose import Pose
from puppeteer.settings import PLAYED, STUDIO, Settings

SAVE_AFTER_S = 0.6  # of quiet


class Studio:
    """`engine` has been made but not started. For one thread, but for what `work` does."""

    def __init__(self, engine: Live, profiles: Profiles, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.profiles = profiles
        self.clock = clock
        self.memory = Memory(profiles.folder)
        self.work = Work()
        self.notices = Notices(clock)
        self.wardrobe = Wardrobe(self, profiles.folder / "characters")
        self.faces = Faces(self)
        self.recordings = Recordings(engine, self.work, self.notices, clock)
        self.cameras: tuple[str, ...] = ()
        self.looked = False  # for cameras, once at least
        self._seeing = False  # through one
        self.microphones: tuple[str, ...] | None = None  # not looked for yet
        self.keys_problem: Callable[[], str] = lambda: ""  # why keys are not heard while another program has the focus
        self.guide: Guide | None = None
        self.manual: Pose | None = None  # the sliders, while they move the character
        self.page = "character"
        self.card: str | None = None  # of the page Output, which is to be scrolled to
        self._run: CalibrationRun | None = None
        self._saved: Settings = engine.settings
        self._pending: Settings = engine.settings
        self._changed_s: float | None = None
        self._failure = ""
        self.tell_of_profile()

    @property
    def settings(self) -> Settings:
        return self.engine.settings

    @property
    def all_saved(self) -> bool:
        return self.settings == self._saved

    def close(self) -> None:
        """Keeps what was changed, ends what runs, and closes the engine."""
        if self.guide is not None:
            self.guide.stop()
        with contextlib.suppress(PuppeteerError):
            if not self.all_saved:
                self.profiles.save(self.settings)
        with contextlib.suppress(PuppeteerError):
            self.recordings.close()
        self.engine.close()
        self.wardrobe.thumbnails.close()

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """What a click does wrong is told, and the window goes on."""
        try:
            yield
        except PuppeteerError as error:
            self.notices.tell("told", str(error))
            self.engine.log.add(str(error))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            first = (str(error).strip().splitlines() or [""])[0]
            text = f"the window failed: {type(error).__name__}: {first} ({Path(last.filename).name}:{last.lineno})"
            if text != self._failure:  # what fails in every frame is told once
                self._failure = text
                self.engine.log.add(text)
                self.notices.tell("told", texts.FAILED.format(failure=text))

    def step(self, status: Status, now_s: float) -> None:
        """Once a frame."""
        if self.guide is not None:
            self.guide.step(now_s)
        self.recordings.step(status)
        seeing = status.camera.state == "ok" and self.settings.source.kind == "camera"
        if seeing and not self._seeing and self.looked:  # it may have been plugged in just now
            self.look_for_cameras()
        self._seeing = seeing
        if status.virtual_camera.state == "ok":
            self.memory.keep("virtual_camera", True)
        self.notices.follow(status, self._calm(status))
        self._keep(now_s)

    # settings

    def change(self, names: Sequence[str], value: Any) -> None:
        """Sets some settings to one value; a value that is refused is told, and everything stays."""
        self.change_all(dict.fromkeys(names, value))

    def change_all(self, values: dict[str, Any]) -> None:
        settings = self.settings
        output = settings.output
        if "output.key_colour" in values and output.background == output.key_colour:
            values = {**values, "output.background": values["output.key_colour"]}
        with self.guarded():
            for name, value in values.items():
                settings = set_by_name(settings, name, value)
            self.engine.apply(settings)
            self.notices.drop("told")

    def flip(self, name: str) -> None:
        group, _, last = name.rpartition(".")
        self.change([name], not getattr(getattr(self.settings, group), last))

    def retry(self, part: Retried) -> None:
        self.engine.retry(part)

    def turn_to(self, page: str) -> None:
        self.page = page
        if page == "camera" and self.looked:  # what was plugged in since then
            self.look_for_cameras()

    def lead_to(self, card: str) -> None:
        """Of the page Output."""
        self.turn_to("output")
        self.card = card

    def _keep(self, now_s: float) -> None:
        """Saves the profile when nothing has changed for a moment."""
        settings = self.settings
        if settings is self._saved or settings == self._saved:
            self._changed_s = None
            return
        if self._changed_s is None or settings is not self._pending:
            self._changed_s, self._pending = now_s, settings
        elif now_s - self._changed_s >= SAVE_AFTER_S:
            self._saved = settings
            try:
                self.profiles.save(settings)
                self.notices.drop("profile")
            except PuppeteerError as error:
                self.notices.tell("profile", str(error))
            self.tell_of_profile()

    # what is missing, and no fault

    def no_virtual_camera(self, status: Status) -> bool:
        """None is installed, and none was ever there: it is offered on the page Output."""
        missing = status.virtual_camera.state == "problem" and self.engine.virtual_camera_absent
        return missing and not self.memory.get("virtual_camera", False)

    def no_webcam(self, status: Status) -> bool:
        """There is none, and none was asked for by name: recorded motion shows what the character does."""
        return status.webcam_absent

    def _calm(self, status: Status) -> dict[str, tuple[str, Buttons] | None]:
        calm: dict[str, tuple[str, Buttons] | None] = {}
        if self.no_virtual_camera(status):
            calm["virtual_camera"] = None
        if self.no_webcam(status):
            calm["camera"] = (texts.NO_WEBCAM, [(texts.CHOOSE_SOURCE, lambda: self.turn_to("camera"))])
        return calm

    def use_virtual_camera(self) -> None:
        """On or off; where none is installed, what offers one."""
        if self.settings.output.virtual_camera and self.no_virtual_camera(self.engine.status()):
            self.retry("virtual_camera")
            self.lead_to("virtual_camera")
        else:
            self.flip("output.virtual_camera")

    # placement

    def move(self, right: float, down: float) -> None:
        output = self.settings.output
        self.change_all(
            {
                "output.offset_x": min(1.0, max(-1.0, round(output.offset_x + right, 4))),
                "output.offset_y": min(1.0, max(-1.0, round(output.offset_y + down, 4))),
            }
        )

    def zoom(self, factor: float) -> None:
        zoom = self.settings.output.zoom * factor
        self.change(["output.zoom"], round(min(4.0, max(0.2, zoom)), 3))

    def centre(self) -> None:
        defaults = STUDIO.output
        self.change_all(
            {
                "output.zoom": defaults.zoom,
                "output.offset_x": defaults.offset_x,
                "output.offset_y": defaults.offset_y,
            }
        )

    # manual pose

    def flip_manual(self) -> None:
        self.manual = self.engine.shown if self.manual is None else None
        self.engine.set_manual(self.manual)

    def pose(self, pose: Pose) -> None:
        """What the sliders say; nothing while they do not move the character."""
        if self.manual is not None:
            self.manual = pose
            self.engine.set_manual(pose)

    def mute(self) -> None:
        """The mouth, or no longer."""
        self.engine.mute_mouth(not self.engine.mouth_muted)

    # calibration

    def recentre(self) -> None:
        self.engine.recentre()

    def calibrate(self) -> None:
        """Opens the guided calibration, or closes it; where nothing sees the face, says why not."""
        if self.guide is not None:
            self.end_calibration()
            return
        if why := self.engine.why_no_calibration():
            self.turn_to("camera")
            needed = self.settings.source.kind not in PLAYED and not self.no_webcam(self.engine.status())
            self.notices.tell("told", why, problem=needed)
            return
        if self.manual is not None:
            self.flip_manual()
        self.guide = Guide(self._begin_step, self._finish_step, self._cancel_step)
        self.turn_to("motion")

    def start_calibration(self) -> None:
        if self.guide is not None:
            if why := self.engine.why_no_calibration():
                self.notices.tell("told", why)
            else:
                self.guide.start(self.clock())

    def end_calibration(self) -> None:
        if self.guide is not None:
            self.guide.stop()
            self.guide = None

    def skip_calibration(self) -> None:
        """Goes on without the step that is asked for, where it may be left out."""
        if self.guide is not None and self.guide.may_skip:
            self.guide.skip(self.clock())

    def forget_calibration(self) -> None:
        self.engine.forget_calibration()

    def _begin_step(self, step: Step) -> None:
        self._run = self.engine.calibrate(step)

    def _finish_step(self) -> None:
        if self._run is not None:
            self._run.finish()

    def _cancel_step(self) -> None:
        if self._run is not None:
            self._run.cancel()

    # cameras

    def look_for_cameras(self) -> None:
        def look() -> Callable[[], object]:
            from puppeteer.inputs.webcam import list_cameras

            names = tuple(camera.name for camera in list_cameras())

            def take() -> None:
                self.cameras, self.looked = names, True

            return take

        self.work.start(look)

    def look_for_microphones(self) -> None:
        self.microphones = self.microphones or ()

        def look() -> Callable[[], object]:
            from puppeteer.inputs.microphone import list_microphones

            names = tuple(list_microphones())

            def take() -> None:
                self.microphones = names

            return take

        self.work.start(look)

    # recordings

    def record(self) -> None:
        """Starts a recording, or ends it."""
        if self.recordings.path is None:
            self.recordings.start(self.settings)
        else:
            self.recordings.stop()

    def record_motion(self) -> None:
        """Starts a recording of the motion alone, or ends it."""
        self.recordings.flip_motion(self.settings)

    # profiles

    def choose_profile(self, name: str) -> None:
        if name == self.profiles.current:
            return
        self._save_now()
        self._take_profile(self.profiles.choose(name))

    def save_profile_as(self, name: str) -> bool:
        with self.guarded():
            self._save_now()
            self.profiles.save_as(name, self.settings)
            self._saved = self.settings
            return True
        return False

    def rename_profile(self, name: str) -> bool:
        with self.guarded():
            self._save_now()
            self.profiles.rename(name)
            return True
        return False

    def delete_profile(self) -> None:
        self._take_profile(self.profiles.delete())

    def tell_of_profile(self) -> None:
        """What was wrong with a profile's file."""
        if self.profiles.notes:
            self.notices.tell("profile", " ".join(self.profiles.notes))
            self.profiles.notes.clear()

    def _save_now(self) -> None:
        with self.guarded():
            if not self.all_saved or not self.profiles.is_kept:  # so that it can be taken again
                self.profiles.save(self.settings)
                self._saved = self.settings

    def _take_profile(self, settings: Settings) -> None:
        self.notices.drop("profile")
        self.tell_of_profile()
        self._saved = settings
        try:
            self.engine.apply(settings)
        except PuppeteerError as error:  # its background is gone
            output = settings.output.model_copy(update={"background": STUDIO.output.background})
            self.engine.apply(settings.model_copy(update={"output": output}))
            self.notices.tell("told", str(error))

    # the log

    def report(self) -> str:
        """For a bug report: the system, the state of every part, and the log."""
        status = self.engine.status()
        parts = [f"{name}: {part.state} {part.text}".strip() for name, part in status.parts().items()]
        system = f"Puppeteer on {platform.platform()}, Python {platform.python_version()}"
        return "\n".join([system, *parts, "", self.engine.log.text()])
