"""`doctor`: checks the installation line by line; each line says ok or what to do."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from puppeteer.errors import INSTALL, PuppeteerError, remedy
from puppeteer.pose import Pose
from puppeteer.quiet import routine_log_dropped
from puppeteer.settings import Settings

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"
CUDA_INDEX = (
    "https://download.pytorch.org/whl/cu130"  # CUDA 13.0; cards older than the RTX and GTX 16 series need cu126
)
MODULES = {  # where the module is not called like its package
    "opencv-python": "cv2",
    "pillow": "PIL",
    "cv2-enumerate-cameras": "cv2_enumerate_cameras",
    "python-osc": "pythonosc",
}
# No display is needed here, GPL only on demand, and microphones have a line of their own.
NOT_IMPORTED = {"dearpygui", "pyvirtualcam", "opencv-contrib-python", "sounddevice", "pynput", "python-xlib"}

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Line:
    """One finding. "note": works without, but here is what would be gained; "bad": something needed is broken."""

    state: State
    topic: str
    text: str


def doctor(*, settings: Settings) -> bool:
    """Prints every finding. Returns whether everything that is needed works."""
    console = Console(soft_wrap=True)
    bad = notes = 0
    for line in findings(settings):
        bad += line.state == "bad"
        notes += line.state == "note"
        colour = {"ok": "green", "note": "yellow", "bad": "bold red"}[line.state]
        mark = {"ok": "ok", "note": "note", "bad": "BROKEN"}[line.state]
        console.print(Text.assemble((f"{mark:7}", colour), f"{line.topic}: {line.text}"))
    if bad:
        console.print(f"\n{bad} thing{'s' if bad > 1 else ''} to mend: see BROKEN above.")
    else:
        console.print("\nEverything needed works." + (" The notes say what else could be had." if notes else ""))
    return not bad


def findings(settings: Settings) -> Iterator[Line]:
    """All checks, in order; one that fails by itself becomes a "bad" line, never an exception."""
    checks: dict[str, Callable[[], Iterator[Line]]] = {
        "Python": check_python,
        "packages": check_packages,
        "weights": check_weights,
        "device": lambda: check_device(settings),
        "networks": lambda: check_networks(settings),
        "face tracking": check_tracking,
        "video": check_video,
        "default character": check_character,
        "OpenGL": check_generator,
        "cameras": check_cameras,
        "microphones": check_microphones,
        "virtual camera": check_virtual_camera,
    }
    for topic, check in checks.items():
        try:
            yield from check()
        except Exception as error:
            yield Line("bad", topic, mended(error))


def mended(error: BaseException) -> str:
    """The remedy, or what to report."""
    if isinstance(error, PuppeteerError):
        return str(error)
    text = " ".join(str(error).split())
    return (
        remedy(error) or f"{type(error).__name__}: {text}; run  {INSTALL}  and, if that does not help, report this line"
    )


def check_python() -> Iterator[Line]:
    """Version, 64 bit, cores."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores"
    text = f"{platform.python_version()} on {system}"
    if struct.calcsize("P") != 8:
        yield Line("bad", "Python", f"{text}; this is a 32-bit Python: install the 64-bit one")
    elif sys.version_info < (3, 11) or sys.version_info >= (3, 15):
        yield Line("bad", "Python", f"{text}; the pinned packages exist for 3.11 to 3.14: install one of these")
    else:
        yield Line("ok", "Python", text)


def pinned() -> dict[str, str]:
    """Package name to version, as requirements.txt pins them for this system."""
    lines = [line.split("#")[0].partition(";") for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    other = '!= "linux"' if sys.platform == "linux" else '== "linux"'
    pairs = (wanted.strip().split("==") for wanted, _, marker in lines if other not in marker)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def check_packages() -> Iterator[Line]:
    """Every pinned package is there, in its version, and can be imported."""
    found: list[str] = []
    for name, wanted in pinned().items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield Line("bad", name, f"not installed: run  {INSTALL}")
            continue
        found.append(f"{name} {installed}")
        if installed.split("+")[0] != wanted:
            yield Line("note", name, f"{installed} is installed, {wanted} was tested: run  {INSTALL}")
        if name not in NOT_IMPORTED:
            try:
                with routine_log_dropped():
                    importlib.import_module(MODULES.get(name, name))
            except Exception as error:
                yield Line("bad", name, mended(error))
    yield Line("ok", "packages", ", ".join(found))


def check_weights() -> Iterator[Line]:
    """Every shipped weight file is there and unchanged."""
    from puppeteer import weights

    absent: dict[str, int] = {}
    for name, record in weights.RECORDS.items():
        path = weights.FOLDER / record.file
        if not record.sha256 and not path.is_file():
            family = name.split("/")[0]
            absent[family] = absent.get(family, 0) + 1
            continue
        try:
            weights.verified(name)
        except PuppeteerError as error:
            yield Line("bad", f"weights {name}", str(error))
        else:
            checked = f"sha256 {record.sha256[:12]}..." if record.sha256 else "the user's own file"
            yield Line("ok", f"weights {name}", f"{record.file}, {checked}, {record.licence}")
    for family, count in absent.items():
        files = f"{count} file{'s' if count > 1 else ''} of this optional family not there"
        yield Line("note", f"weights {family}", f"{files}; weights/README.md says how to bring them")


def nvidia_cards() -> list[str]:
    """Names of the NVIDIA cards that the driver knows, with or without a torch that can use them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def check_device(settings: Settings) -> Iterator[Line]:
    """Device and precision that the networks would take, why, and whether a graphics card lies idle."""
    import torch

    from puppeteer.poser.devices import choose

    choice = choose(settings.poser.device)
    precision = str(choice.dtype).removeprefix("torch.")
    threads = f", {torch.get_num_threads()} threads" if choice.device.type == "cpu" else ""
    yield Line("ok", "device", f"{choice.device}, {precision}{threads}: {choice.reason}")
    cards = nvidia_cards()
    if cards and choice.device.type != "cuda" and settings.poser.device != "cpu":
        yield Line("note", "graphics card", idle_card(", ".join(cards), torch.__version__, torch.version.cuda))


def idle_card(card: str, torch_version: str, torch_cuda: str | None) -> str:
    """Why an NVIDIA card is not used, with the mend."""
    plain = torch_version.split("+")[0]
    if torch_cuda is None:
        return (
            f"{card} is not used, because torch {torch_version} was built without CUDA: run  "
            f"python -m pip install torch=={plain}+{CUDA_INDEX.rsplit('/', 1)[1]} --index-url {CUDA_INDEX}"
            "  (for cards older than the GTX 16 series cu126 instead of cu130, both times)"
        )
    return (
        f"{card} is not used, because its driver does not fit CUDA {torch_cuda} of torch {torch_version}: "
        "update the NVIDIA driver and restart"
    )


def check_networks(settings: Settings) -> Iterator[Line]:
    """The networks load and give a picture; the time is a first impression, `bench` measures."""
    import numpy as np

    from puppeteer.poser import Poser

    poser = Poser.load(settings.poser.family, settings.poser.device)
    square = np.zeros((256, 256, 4), np.uint8)
    square[64:192, 64:192] = (255, 200, 180, 255)
    poser.set_character(square)
    poser.pose(Pose(neck_y=0.1))
    start = time.perf_counter()
    picture = poser.pose(Pose(eye_left=0.5, neck_y=0.2))
    spent_ms = (time.perf_counter() - start) * 1e3
    if not picture[..., 3].any():
        yield Line("bad", "networks", f"{poser.family} gives an empty picture: take another with --family warp")
        return
    yield Line("ok", "networks", f"{poser.message}; about {spent_ms:.0f} ms a frame")


def check_tracking() -> Iterator[Line]:
    """The face tracker loads and looks at a picture without a face."""
    import numpy as np

    from puppeteer.pose import Frame
    from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker

    with routine_log_dropped(), FaceLandmarkerTracker() as tracker:
        tracker.observe(Frame(rgb=np.full((240, 320, 3), 128, np.uint8), time_s=0.0))
    yield Line("ok", "face tracking", "MediaPipe FaceLandmarker loads and runs")


def check_video() -> Iterator[Line]:
    """The encoders that `transfer` writes with."""
    import av

    for encoder, what in {"libx264": "MP4 video", "aac": "MP4 sound", "libvpx-vp9": "WebM with transparency"}.items():
        try:
            av.codec.Codec(encoder, "w")
        except ValueError:
            yield Line("bad", "video", f"this PyAV has no encoder for {what} ({encoder}): run  {INSTALL}")
            return
    yield Line("ok", "video", "H.264, AAC and VP9 encoders are there")


def check_character() -> Iterator[Line]:
    """The character that is used when none is named."""
    from puppeteer.characters import default_character
    from puppeteer.prepare.reading import read_character

    path = default_character()
    rgba = read_character(path).rgba
    yield Line("ok", "default character", f"{path.name}, {rgba.shape[1]}x{rgba.shape[0]}")


def check_generator() -> Iterator[Line]:
    """OpenGL, which only drawing new characters needs."""
    from puppeteer.characters import Artist

    try:
        with Artist() as artist:
            picture = artist.draw(0, size=64)
    except Exception as error:
        yield Line("note", "OpenGL", f"`python app.py character` does not work ({mended(error)}); all else does")
        return
    state: State = "ok" if picture[..., 3].any() else "note"
    text = "new characters can be drawn" if state == "ok" else "draws empty pictures: update the graphics driver"
    yield Line(state, "OpenGL", text)


def check_cameras() -> Iterator[Line]:
    """Webcams by name, as the studio lists them."""
    from puppeteer.inputs.webcam import list_cameras

    names = [camera.name for camera in list_cameras()]
    if names:
        yield Line("ok", "cameras", ", ".join(names))
    elif sys.platform == "darwin":
        yield Line("note", "cameras", "none: plug one in, and allow it in System Settings, Privacy & Security, Camera")
    else:
        yield Line("note", "cameras", "none: plug one in for the live studio; clips and the demo work without")
    for path in sorted(Path("/dev").glob("video*")) if sys.platform == "linux" else ():
        if not os.access(path, os.R_OK | os.W_OK):
            yield Line("note", str(path), "may not be opened: run  sudo usermod -aG video $USER  and log in again")


def check_microphones() -> Iterator[Line]:
    """By name, as the studio lists them."""
    from puppeteer.inputs.microphone import list_microphones

    try:
        names = list_microphones()
    except PuppeteerError as error:  # nobody needs one
        yield Line("note", "microphones", str(error))
        return
    if names:
        yield Line("ok", "microphones", ", ".join(names))
    else:
        yield Line("note", "microphones", "none: plug one in to move the mouth by your voice; all else works without")


def check_virtual_camera() -> Iterator[Line]:
    """What pyvirtualcam could send to, so that OBS, Zoom or Discord see the character as a webcam."""
    if importlib.util.find_spec("pyvirtualcam") is None:
        yield Line("note", "virtual camera", f"the package pyvirtualcam is not installed: run  {INSTALL}")
        return
    if sys.platform == "linux":
        yield loopback(Path("/sys"), Path("/dev"))
    elif sys.platform == "win32":
        yield registered_obs()
    elif Path("/Applications/OBS.app").exists():
        yield Line("ok", "virtual camera", "OBS is there; if it does not start: Start Virtual Camera once in OBS")
    else:
        yield Line("note", "virtual camera", "install OBS Studio 30 or newer and press Start Virtual Camera once")


def loopback(sys_folder: Path, dev_folder: Path) -> Line:
    """Linux: the devices of v4l2loopback below the two folders."""
    load = "sudo modprobe v4l2loopback exclusive_caps=1 card_label=Puppeteer"
    devices = sorted((sys_folder / "devices/virtual/video4linux").glob("video*"))
    if devices:
        usable = [entry.name for entry in devices if os.access(dev_folder / entry.name, os.R_OK | os.W_OK)]
        if usable:
            return Line("ok", "virtual camera", "v4l2loopback: " + ", ".join(f"/dev/{name}" for name in usable))
        return Line("note", "virtual camera", "may not be opened: run  sudo usermod -aG video $USER  and log in again")
    if (sys_folder / "module/v4l2loopback").exists():
        return Line("note", "virtual camera", f"v4l2loopback has no device: sudo modprobe -r v4l2loopback; {load}")
    return Line("note", "virtual camera", f"none: sudo apt-get install v4l2loopback-dkms; {load}")


def registered_obs() -> Line:
    """Windows: the virtual camera that OBS Studio registers as a DirectShow filter."""
    if sys.platform == "win32":
        import winreg

        try:
            winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, r"CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"))
        except OSError:
            return Line("note", "virtual camera", "none: install OBS Studio, which brings one, and restart Puppeteer")
    return Line("ok", "virtual camera", "OBS Virtual Camera")
