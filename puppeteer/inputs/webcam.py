"""A webcam by name, through OpenCV."""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from puppeteer import v4l2
from puppeteer.errors import SourceError
from puppeteer.inputs.contract import NoCameraError
from puppeteer.pose import U8
from puppeteer.settings import SourceSettings

# A virtual camera shows what we send: as a source it would feed us ourselves.
VIRTUAL = re.compile(r"OBS.Virtual|OBS-Camera|Unity Video Capture|Puppeteer", re.IGNORECASE)

# These show other programs' pictures, or nothing: taken only where somebody chose one by its name. Phones as webcams
# (iVCam, DroidCam) and capture cards are cameras.
FOREIGN = re.compile(
    r"virtual|VTubeStudioCam|NVIDIA Broadcast|Snap Camera|XSplit|Animaze|FaceRig|Streamlabs|ManyCam|(?<!i)VCam\b"
    r"|SplitCam|CamTwist|YouCam|Prism Live|mmhmm|Meet Video|UnityCapture|Warudo|VSeeFace|Dummy video device",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A webcam of this machine."""

    name: str  # unique: of two alike the second is "Name (2)"
    address: str | int  # what OpenCV opens
    backend: int  # cv2.CAP_...

    @property
    def virtual(self) -> bool:
        """Shows another program's pictures: never the automatic choice."""
        return FOREIGN.search(self.name) is not None


def list_cameras(own: Collection[str] = ()) -> list[CameraInfo]:
    """Webcams by name, virtual ones that we could send to left out, `own` (devices we send to) as well.

    Takes milliseconds on Linux, up to a second elsewhere.
    """
    if sys.platform == "linux":
        found = linux_cameras(Path("/sys/class/video4linux"), Path("/dev"), own)
    else:
        # DirectShow and AVFoundation: what else OpenCV has takes seconds to open, or has no names.
        backend = cv2.CAP_DSHOW if sys.platform == "win32" else cv2.CAP_AVFOUNDATION
        listed = importlib.import_module("cv2_enumerate_cameras").enumerate_cameras(backend)
        found = [(str(camera.name), int(camera.index), backend) for camera in listed]
    cameras: list[CameraInfo] = []
    for name, address, kind in found:
        if VIRTUAL.search(name) or name in own:
            continue
        alike = sum(name in (camera.name, re.sub(r" \(\d+\)$", "", camera.name)) for camera in cameras)
        cameras.append(CameraInfo(f"{name} ({alike + 1})" if alike else name, address, kind))
    return cameras


def linux_cameras(sys_folder: Path, dev_folder: Path, own: Collection[str]) -> list[tuple[str, str, int]]:
    """Name, device file and OpenCV's number for V4L2 of each capture device, in the order of their numbers."""
    found = []
    for entry in sorted(sys_folder.glob("video*"), key=lambda entry: (len(entry.name), entry.name)):
        device = str(dev_folder / entry.name)
        if device in own:
            continue
        try:
            able = v4l2.abilities(device)
        except OSError:  # opening it will tell why
            able = None
        # A camera has further nodes for metadata; what also takes pictures is a virtual camera to send to.
        if able is not None and (not able.captures or able.outputs):
            continue
        try:
            name = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # just unplugged
            continue
        found.append((name or entry.name, device, cv2.CAP_V4L2))
    return found


class Webcam:
    """A webcam through OpenCV, opened by name ("" is the first that is real). Raises NoCameraError and SourceError.

    `own` are devices that we send to, never taken for a source.
    """

    may_repeat = False

    def __init__(self, settings: SourceSettings, own: Collection[str] = ()) -> None:
        info = chosen(settings.camera, list_cameras(own))
        self.name = info.name
        _refused_by_macos(info.name)
        # OpenCV reads these when it opens a camera.
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")  # s; its 10 s keep us waiting after unplugging
        os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")  # it can ask in the main thread only
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # a line for each attempt; we say it in words
        self._device = cv2.VideoCapture(info.address, info.backend)
        if not self._device.isOpened():
            self._device.release()
            raise SourceError(why_not(info))
        self._device.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
        self._device.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        self._device.set(cv2.CAP_PROP_FPS, settings.rate)
        self._address = info.address
        self._frames = 0

    def read(self) -> U8:
        good, bgr = self._device.read()
        if not good or bgr is None or not bgr.size:
            if isinstance(self._address, str) and not Path(self._address).exists():
                raise SourceError(f"{self.name} is unplugged: plug it in again, it will be used at once")
            if not self._frames:
                raise SourceError(
                    f"{self.name} gives no picture: close other programs that use it (browsers, Zoom, OBS), "
                    "or pick another camera"
                )
            raise SourceError(f"{self.name} stopped giving pictures: check its plug; it is tried again and again")
        self._frames += 1
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def close(self) -> None:
        self._device.release()


def chosen(name: str, cameras: list[CameraInfo]) -> CameraInfo:
    """The camera of that name, or the first for "". Raises NoCameraError where there is none at all."""
    if not cameras:
        wanted = f"{name} is not there and no other camera either" if name else "no camera was found"
        macos = " and allow it in System Settings, Privacy & Security, Camera" if sys.platform == "darwin" else ""
        raise NoCameraError(f"{wanted}: plug one in{macos}; it will be used at once")
    if not name:
        real = [camera for camera in cameras if not camera.virtual]
        if not real:
            found = ", ".join(camera.name for camera in cameras)
            raise NoCameraError(f"only virtual cameras are found ({found}): plug a webcam in, or choose one of them")
        return real[0]
    for camera in cameras:
        if camera.name == name:
            return camera
    raise SourceError(
        f"{name} is not plugged in: plug it in, or pick another camera ({', '.join(camera.name for camera in cameras)})"
    )


def why_not(info: CameraInfo) -> str:
    """The sentence for a camera that did not open."""
    if isinstance(info.address, str):
        path = Path(info.address)
        if not path.exists():
            return f"{info.name} is unplugged: plug it in again, it will be used at once"
        if not os.access(path, os.R_OK | os.W_OK):
            return (
                f"{info.name} may not be opened by you: run  sudo usermod -aG video $USER  and log in again "
                f"({path} belongs to the group video)"
            )
    if sys.platform == "win32":
        return (
            f"{info.name} did not open: close other programs that use it, and allow desktop apps in Settings, "
            "Privacy & security, Camera"
        )
    return f"{info.name} is in use by another program: close browsers, Zoom and OBS, or pick another camera"


def _refused_by_macos(name: str) -> None:
    """Asks for permission the first time. Raises SourceError where it was refused."""
    if sys.platform != "darwin":
        return
    foundation: Any = importlib.import_module("AVFoundation")
    device, video = foundation.AVCaptureDevice, foundation.AVMediaTypeVideo
    undetermined, authorized = 0, 3
    state = device.authorizationStatusForMediaType_(video)
    if state == undetermined:
        answered = threading.Event()
        device.requestAccessForMediaType_completionHandler_(video, lambda _: answered.set())
        answered.wait(60)
        state = device.authorizationStatusForMediaType_(video)
    if state != authorized:
        raise SourceError(
            f"macOS does not let us use {name}: allow the program that you started Puppeteer with (Terminal, perhaps) "
            "in System Settings, Privacy & Security, Camera, and start it again"
        )
