"""Pictures of every panel and every state of the studio's window, to be looked at; a command, not a test of CI.

    PYTHONPATH=. python tests/screenshots.py FOLDER [--only WORD ...] [--size 1100x700] [--scale 1.0] [--readme FILE]

Makes its own screen (Xvfb). Networks, face tracker and window are real; camera and virtual camera are stand-ins whose
faults are injected (`stage.py`), which FOLDER/states.txt says for each picture. --readme only makes README's picture:
our own character in recorded motion.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from conftest import drawn_character
from faces import astronaut
from PIL import Image, ImageGrab
from screens import screen
from stage import SHORT, Stage, StageDevice

from puppeteer.by_name import set_by_name
from puppeteer.errors import SinkError, WeightsError
from puppeteer.inputs.scripted import ScriptedCamera
from puppeteer.outputs.contract import NoVirtualCameraError
from puppeteer.outputs.virtual_camera import no_virtual_camera
from puppeteer.pose import U8, FaceObservation, Frame, Pose
from puppeteer.settings import STUDIO, PoserSettings, Settings

ROOT = Path(__file__).resolve().parent.parent
Waits = Iterator[Callable[[], Any]]
BUSY_ROOM = (52, 60, 84)


class RealTracker:
    """The face tracker, which can be told to fail."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __call__(self) -> RealTracker:
        from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker

        if self.error is not None:
            raise self.error
        self._tracker = FaceLandmarkerTracker()
        return self

    def __enter__(self) -> RealTracker:
        self._tracker.__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        self._tracker.__exit__(None, None, None)

    def observe(self, frame: Frame) -> FaceObservation | None:
        if self.error is not None:
            raise self.error
        return self._tracker.observe(frame)


class RealPoser:
    """The networks, which can be told to fail."""

    errors: dict[str, Exception] = {}  # noqa: RUF012 - by device that was asked for; "load" fails before

    def __init__(self, settings: PoserSettings) -> None:
        from puppeteer.poser import Poser

        if "load" in self.errors and settings.family == "auto" and settings.device == "auto":
            raise self.errors["load"]
        self._asked = settings.device
        self._poser = Poser.load(settings.family, settings.device)
        self.family, self.message = self._poser.family, self._poser.message

    def set_character(self, character: Any) -> None:
        self._poser.set_character(character)

    def prepared(self, size: int) -> bool:
        return self._poser.prepared(size)

    def pose(self, pose: Pose, size: int) -> U8:
        if self._asked in self.errors:
            raise self.errors[self._asked]
        return self._poser.pose(pose, size)


class Missing(StageDevice):
    """A virtual camera whose sentences are those of a system."""

    reason, system = "none", "linux"

    def open(self) -> StageDevice:
        if self.fault:
            text = no_virtual_camera(self.reason, "/dev/video10", self.system)
            raise NoVirtualCameraError(text) if self.reason == "none" else SinkError(text)
        return super().open()


def room(*faces: tuple[int, int, int]) -> U8:
    """(480, 640, 3): a plain room with faces at (x, y, side)."""
    from cv2 import INTER_AREA, resize

    rgb = np.full((480, 640, 3), BUSY_ROOM, np.uint8)
    for x, y, side in faces:
        rgb[y : y + side, x : x + side] = resize(astronaut()[:300, 80:380], (side, side), interpolation=INTER_AREA)
    return rgb


def noisy(rgb: U8) -> tuple[U8, ...]:
    """Some frames of a still picture as a sensor gives them."""
    random = np.random.default_rng(0)
    return tuple(np.clip(rgb + random.normal(0, 2, rgb.shape), 0, 255).astype(np.uint8) for _ in range(8))


class Scenes:
    """What is photographed. Each method is a scene that waits by yielding what must come true, and calls `shoot`."""

    def __init__(self, win: Any, stage: Stage, tracker: RealTracker, folder: Path, only: list[str]) -> None:
        self.win, self.stage, self.tracker, self.folder, self.only = win, stage, tracker, folder, only
        self.number = 0
        self.usual = win.settings
        self.lines: list[str] = []
        self.face, self.nobody = noisy(room((170, 90, 300))), noisy(room())

    def all(self) -> Waits:
        for name in [name for name in vars(Scenes) if name.startswith("scene_")]:
            if not self.only or any(word in name for word in self.only):
                yield from getattr(self, name)()
                yield from self._calm()

    def _calm(self) -> Waits:
        """Nothing wrong, nothing open."""
        win, stage = self.win, self.stage
        RealPoser.errors.clear()
        self.tracker.error = None
        stage.camera.fault = None
        stage.camera._pictures = self.face
        if isinstance(stage.device, Missing):
            stage.device.reason, stage.device.system = "none", "linux"
        stage.device.heal()
        win.chooser.close()
        win.doctor.close()
        win.studio.end_calibration()
        if win.meters.manual:
            win.studio.flip_manual()
        win.studio.notices.clear()
        for part in ("camera", "virtual_camera"):
            win.studio.engine.retry(part)
        if any(
            part.state == "problem"
            for part in (win.studio.engine.status().networks, win.studio.engine.status().character)
        ):
            win.studio.engine.set_character(None)
            win.studio.engine.retry("networks")
        win.studio.engine.apply(self.usual.model_copy(update={"studio": win.settings.studio}))
        yield lambda: win.studio.engine.status().face_found and win.studio.engine.status().networks.state == "ok"

    def wait(self, seconds: float) -> Waits:
        end_s = time.monotonic() + seconds
        yield lambda: time.monotonic() >= end_s

    def shoot(self, name: str, how: str = "real") -> Waits:
        import dearpygui.dearpygui as dpg

        frames = self.win.frames
        yield from self.wait(0.7)
        yield lambda: self.win.frames >= frames + 8  # what was just shown is laid out in the frames after it

        left, top = dpg.get_viewport_pos()
        box = (left, top, left + dpg.get_viewport_client_width(), top + dpg.get_viewport_client_height())
        image = ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).crop([round(side) for side in box])
        self.number += 1
        path = self.folder / f"{self.number:02} {name}.png"
        image.save(path)
        self.lines.append(f"{path.name}: {how}")
        (self.folder / "states.txt").write_text("\n".join(self.lines) + "\n")
        print(path.name, flush=True)

    # --- panels

    def scene_start(self) -> Waits:
        yield from self.shoot("starting", "real, in the first moments; no camera")
        yield lambda: self.win.studio.engine.picture is not None and "camera" in self.win.strip.shown
        yield from self.wait(1)
        self.win.studio.turn_to("camera")
        yield from self.shoot("started without a camera", 'scripted camera, fault "none" from the start')
        self.stage.camera.fault = None
        self.win.studio.turn_to("character")
        yield lambda: self.win.studio.engine.status().face_found
        self.usual = self.win.settings

    def scene_pages(self) -> Waits:
        import dearpygui.dearpygui as dpg

        for page in ("character", "camera", "faces", "motion", "output", "help"):
            self.win.studio.turn_to(page)
            yield from self.shoot(f"page {page}")
            area = self.win.areas[page]
            number = 1
            while dpg.get_y_scroll(area) < dpg.get_y_scroll_max(area) - 1:
                dpg.set_y_scroll(area, min(dpg.get_y_scroll(area) + 560, dpg.get_y_scroll_max(area)))
                number += 1
                yield from self.wait(0.2)
                yield from self.shoot(f"page {page} {number}")
            dpg.set_y_scroll(area, 0)
        self.win.studio.turn_to("character")

    def scene_speed(self) -> Waits:
        self.win.studio.change(["studio.show_speed"], True)
        yield from self.wait(1)
        yield from self.shoot("speed on the stage")
        self.win.studio.change(["studio.show_speed"], False)

    def scene_manual(self) -> Waits:
        self.win.studio.flip_manual()
        self.win.meters.set_pose(Pose(0.0, 1.0, 0.8, 0.3, 0.2, -0.6), tell=True)
        yield from self.shoot("manual mode")

    def scene_hidden(self) -> Waits:
        self.win.studio.change_all({"studio.show_preview": False, "studio.show_character": False})
        yield from self.shoot("character and preview hidden")
        self.win.studio.change_all({"studio.show_preview": True, "studio.show_character": True})

    def scene_calibration(self) -> Waits:
        from puppeteer.gui import guide

        ready_s, hold_s = guide.READY_S, guide.HOLD_S
        self.win.studio.calibrate()
        yield from self.shoot("calibration introduction")
        self.win.studio.start_calibration()
        yield from self.shoot("calibration get ready")
        yield lambda: self.win.studio.guide.phase == "hold"
        yield from self.shoot("calibration hold")
        guide.READY_S = guide.HOLD_S = 0.5
        yield lambda: self.win.studio.guide.index == 1
        self.stage.camera._pictures = self.nobody
        guide.HOLD_S = 1.0
        yield lambda: self.win.studio.guide.phase == "failed"
        yield from self.shoot("calibration without a face", "real, nobody before the camera")
        self.stage.camera._pictures = self.face
        yield lambda: self.win.studio.engine.status().face_found
        self.win.studio.start_calibration()
        yield lambda: self.win.studio.guide.phase in ("done", "failed")
        if self.win.studio.guide.phase == "failed":  # open eyes do not close
            yield from self.shoot("calibration of eyes that stay open", "real")
            self.win.studio.guide.phase, self.win.studio.guide.index = "done", 3
        yield from self.shoot("calibration done", "phase set by hand")
        guide.READY_S, guide.HOLD_S = ready_s, hold_s
        self.win.studio.end_calibration()
        self.win.studio.forget_calibration()
        self.win.studio.turn_to("character")

    def scene_chooser(self) -> Waits:
        from puppeteer.gui import texts
        from puppeteer.gui.shelf import PICTURES
        from puppeteer.gui.wardrobe import LOADED

        self.win.chooser.open(
            texts.CHOOSE_CHARACTER, (*PICTURES, *LOADED), lambda path: None, ROOT / "puppeteer/characters/shipped"
        )
        yield from self.shoot("dialog for files")

    def scene_backgrounds(self) -> Waits:
        self.win.studio.change(["output.background"], "#2B3A55")
        yield from self.shoot("background colour")
        self.win.studio.change(["output.background"], "transparent")
        yield from self.shoot("background transparent")

    def scene_recording(self) -> Waits:
        self.win.studio.record()
        self.win.studio.turn_to("output")
        yield from self.wait(1)
        yield from self.shoot("recording")
        self.win.studio.record()
        yield lambda: self.win.studio.engine.status().recording.state == "off"
        self.win.studio.turn_to("character")

    def scene_draw(self) -> Waits:
        self.win.studio.wardrobe.draw()
        yield from self.shoot("drawing a new character")
        yield (
            lambda: (
                not self.win.studio.wardrobe.drawing and any(entry.own for entry in self.win.studio.wardrobe.entries)
            )
        )
        yield from self.wait(1)
        yield from self.shoot("a new character on the shelf")

    def scene_doctor(self) -> Waits:
        picture = self.folder / "tilted.jpg"
        figure = Image.fromarray(drawn_character(400)).rotate(-8, expand=False, resample=Image.Resampling.BICUBIC)
        sheet = Image.new("RGB", (700, 900), (208, 216, 232))
        sheet.paste(figure, (90, 120), figure)
        sheet.save(picture)
        self.win.studio.wardrobe.load(picture)
        yield lambda: self.win.doctor.is_open
        yield from self.shoot("picture doctor at work")
        yield lambda: self.win.doctor.case.treated is not None and not self.win.doctor.case.busy
        yield from self.shoot("picture doctor", "real")
        case = self.win.doctor.case
        case.head = replace(case.head, x=290.0, y=320.0, side=400.0, tilt_deg=8.0)
        self.win.doctor._ask(case.head)
        yield lambda: not case.busy
        yield from self.shoot("picture doctor corrected", "square set as by a drag")
        self.win.doctor._done(False)
        yield (
            lambda: (
                self.win.studio.engine.status().character.state == "ok"
                and "tilted" in self.win.settings.studio.character
            )
        )
        yield from self.wait(0.5)
        yield from self.shoot("the prepared picture in use")
        self.win.studio.engine.set_character(None)
        picture.unlink()

    # --- the list "Never dead"

    def scene_camera(self) -> Waits:
        self.win.studio.turn_to("camera")
        for fault, name in (
            ("none", "no camera"),
            ("busy", "camera busy"),
            ("refused", "camera refused"),
            ("unplugged", "camera unplugged"),
            ("fails", "camera read fails"),
            ("blocks", "camera read blocks"),
            ("freezes", "camera repeats one frame"),
        ):
            if fault in ("none", "busy", "refused"):  # found only when it is opened
                self.stage.camera.fault = "fails"
                yield lambda: "camera" in self.win.strip.shown
            before = self.win.strip.shown.get("camera")
            self.stage.camera.fault = fault
            yield lambda before=before: self.win.strip.shown.get("camera") not in (None, before)
            yield from self.wait(1)
            yield from self.shoot(name, f'scripted camera, fault "{fault}"')
            self.stage.camera.fault = None
            yield lambda: self.win.studio.engine.status().face_found
        yield from self.shoot("camera back", "the fault taken away")
        self.win.studio.turn_to("character")

    def scene_faces(self) -> Waits:
        self.stage.camera._pictures = self.nobody
        yield lambda: "face" in self.win.strip.shown
        yield from self.shoot("no face", "real tracker, empty room")
        self.stage.camera._pictures = self.face
        yield lambda: self.win.studio.engine.status().face_found
        self.stage.camera._pictures = noisy(room((170, 90, 300), (10, 20, 150)))
        yield from self.wait(1.5)
        yield from self.shoot("two faces", "real tracker, a second face comes in")
        self.tracker.error = WeightsError(
            "weights/face_landmarker.task is missing: get it again with the rest of Puppeteer"
        )
        yield lambda: "face" in self.win.strip.shown
        yield from self.shoot("face tracker fails", "the tracker raises")

    def scene_virtual_camera(self) -> Waits:
        device = self.stage.device
        for reason, system, name in (
            ("none", "linux", "no virtual camera on Linux"),
            ("none", "darwin", "no virtual camera on macOS"),
            ("none", "win32", "no virtual camera on Windows"),
            ("busy", "linux", "virtual camera taken"),
        ):
            device.fault, device.reason, device.system = "missing", reason, system
            self.win.studio.change(["output.virtual_camera"], False)
            yield from self.wait(0.3)
            self.win.studio.change(["output.virtual_camera"], True)
            yield lambda: "virtual_camera" in self.win.strip.shown
            self.win.studio.turn_to("output")
            yield from self.shoot(name, f"opening it fails with the sentence for {system}")
            device.heal()
            self.win.studio.engine.retry("virtual_camera")
            yield lambda: self.win.studio.engine.status().virtual_camera.state == "ok"
        device.fault = "blocks"
        yield lambda: "virtual_camera" in self.win.strip.shown
        yield from self.shoot("virtual camera blocks", "its send does not return")
        self.win.studio.turn_to("character")

    def scene_networks(self) -> Waits:
        RealPoser.errors["auto"] = RuntimeError("CUDA out of memory. Tried to allocate 256.00 MiB")
        yield lambda: "networks" in self.win.strip.shown and "processor" in self.win.strip.shown["networks"]
        yield from self.wait(1)
        yield from self.shoot("graphics card out of memory", "drawing raises what CUDA says; the processor took over")
        RealPoser.errors.clear()
        RealPoser.errors["load"] = WeightsError(
            "weights/compact.pt is damaged: get it again with the rest of Puppeteer"
        )
        self.win.studio.retry("networks")
        yield lambda: "damaged" in self.win.strip.shown.get("networks", "")
        yield from self.wait(1)
        yield from self.shoot("networks that do not load", "loading raises; others stand in")

    def scene_character(self) -> Waits:
        self.win.studio.wardrobe.take(Path("/somewhere/gone.png"))
        yield lambda: "character" in self.win.strip.shown
        yield from self.shoot("character gone", "its file does not exist")

    def scene_profile(self) -> Waits:
        profiles = self.win.studio.profiles
        folder, profiles.folder = profiles.folder, ROOT / "app.py"  # where no folder can be
        self.win.studio.change(["motion.idle"], not self.win.settings.motion.idle)
        yield lambda: "profile" in self.win.strip.shown
        yield from self.shoot("profile folder cannot be written", "the folder is a file")
        profiles.folder = folder
        path = profiles.path("broken")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"motion": {"mirror": perhaps')
        self.win.studio.choose_profile("broken")
        yield from self.shoot("broken profile set aside", "a real broken file")
        self.win.studio.choose_profile("default")

    def scene_many(self) -> Waits:
        self.stage.camera.fault = "busy"
        self.stage.device.fault = "missing"
        self.win.studio.retry("camera")
        RealPoser.errors["auto"] = RuntimeError("CUDA out of memory")
        self.win.studio.change(["output.background"], "nocolour")
        self.win.studio.flip("output.virtual_camera")
        yield from self.wait(0.3)
        self.win.studio.flip("output.virtual_camera")
        self.stage.camera.fault = "fails"
        yield lambda: all(name in self.win.strip.shown for name in ("camera", "virtual_camera", "networks"))
        yield from self.wait(1)
        yield from self.shoot("several problems at once", "all of the above together")

    # --- sizes

    def scene_sizes(self) -> Waits:
        import dearpygui.dearpygui as dpg

        before = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        for size, scale in (((1100, 700), 0.0), ((1920, 1080), 0.0), ((840, 520), 0.0), ((2560, 1440), 2.0)):
            dpg.set_viewport_width(size[0])
            dpg.set_viewport_height(size[1])
            self.win.studio.change(["studio.scale"], scale)
            yield lambda: self.win._scale() == self.win.theme.scale
            yield from self.wait(1)
            yield from self.shoot(f"window {size[0]}x{size[1]}, scale {scale or 'automatic'}")
        self.win.studio.change(["studio.scale"], 0.0)
        dpg.set_viewport_width(before[0])
        dpg.set_viewport_height(before[1])
        yield lambda: self.win._scale() == self.win.theme.scale


def photograph(folder: Path, size: tuple[int, int], scale: float, only: list[str], readme: Path | None) -> None:
    """In the process that has the screen."""
    import dearpygui.dearpygui as dpg

    from puppeteer.gui import window
    from puppeteer.gui.profiles import Profiles
    from puppeteer.live import Live

    window.FIRST_SIZE = size
    stage = Stage(patience=SHORT, device=Missing())
    tracker = RealTracker()
    stage.camera = ScriptedCamera(noisy(room((170, 90, 300))), 30)
    stage.camera.name = "HD Webcam"
    stage.camera.fault = "none"
    stage.device.name = "/dev/video10"
    parts = replace(stage.parts(), tracker=tracker, poser=RealPoser)
    settings: Settings = set_by_name(STUDIO, "studio.scale", scale)
    settings = set_by_name(settings, "studio.recordings", str(folder))
    if readme is not None:
        for name, value in {
            "source.kind": "demo",
            "output.background": "#3A4468",
            "output.zoom": 1.25,
            "output.offset_y": 0.06,
        }.items():
            settings = set_by_name(settings, name, value)
    with tempfile.TemporaryDirectory() as home:
        live = Live(settings, parts=parts)
        problems: list[str] = []

        class Photographed(window.Window):
            def paint(self) -> None:
                super().paint()
                if self.frames == 3:
                    dpg.set_viewport_pos([0, 0])
                if self.frames > 5:
                    self._go_on()

            def _go_on(self) -> None:
                if not hasattr(self, "_waits"):
                    scenes = Scenes(self, stage, tracker, folder, only)
                    self._waits = scenes.all() if readme is None else for_readme(self, scenes, readme)
                    self._until: Callable[[], Any] = lambda: True
                    self._since_s = time.monotonic()
                late = time.monotonic() - self._since_s > 30
                if not late and not self._until():
                    return
                if late:
                    problems.append(f"waited in vain before picture {len(list(folder.glob('*.png'))) + 1}")
                    print(problems[-1], flush=True)
                try:
                    self._until, self._since_s = next(self._waits), time.monotonic()
                except StopIteration:
                    self.stop()

        stage.live = live
        Photographed(live, Profiles(Path(home))).run()
    sys.stdout.flush()
    os._exit(1 if problems else 0)  # a thread may still be in the tracker


def for_readme(win: Any, scenes: Scenes, target: Path) -> Waits:
    """Our own character in recorded motion, caught while it does something."""
    yield lambda: win.studio.engine.picture is not None
    yield from scenes.wait(2)
    yield (
        lambda: (
            win.studio.engine.shown.mouth_open > 0.4
            and win.studio.engine.shown.eye_left < 0.1
            and 0.2 < abs(win.studio.engine.shown.neck_y) < 0.6
            and abs(win.studio.engine.shown.neck_z) < 0.4
        )
    )
    import dearpygui.dearpygui as dpg

    wide, high = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
    ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).crop((0, 0, wide, high)).save(target, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="scenes with one of these words in their names")
    parser.add_argument("--size", default="1100x700")
    parser.add_argument("--scale", type=float, default=0.0)
    parser.add_argument("--readme", type=Path, help="make this one picture only, 1280x800 unless --size")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.readme is not None and given.size == "1100x700":
        given.size = "1280x800"
    width, height = (int(side) for side in given.size.split("x"))
    if given.inside:
        photograph(given.folder.resolve(), (width, height), given.scale, given.only, given.readme)
        return
    with screen("2600x1500") as environment:
        line = [sys.executable, *sys.argv, "--inside"]
        sys.exit(
            subprocess.run(line, env={**environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}).returncode
        )


if __name__ == "__main__":
    main()
