"""Webcams by name, what is said when they fail, and looped videos; no camera is needed."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from clips import corner_colours, make_clip
from stage import ENDED_S

from puppeteer import v4l2
from puppeteer.errors import SourceError
from puppeteer.inputs import open_source
from puppeteer.inputs import webcam as webcams
from puppeteer.inputs.contract import NoCameraError
from puppeteer.inputs.looped_video import LoopedVideo
from puppeteer.inputs.webcam import CameraInfo, Webcam, chosen, list_cameras
from puppeteer.settings import SourceSettings
from puppeteer.v4l2 import Abilities

linux = pytest.mark.skipif(sys.platform != "linux", reason="device files of Linux")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Linux machine: a webcam with its metadata node, a virtual camera of each kind, a capture card."""
    devices = {
        "video0": ("Nice Cam", Abilities("uvcvideo", True, False)),
        "video1": ("Nice Cam", Abilities("uvcvideo", False, False)),
        "video2": ("Nice Cam", Abilities("uvcvideo", True, False)),
        "video10": ("Dummy video device", Abilities("v4l2 loopback", True, True)),
        "video11": ("Phone", Abilities("v4l2 loopback", True, False)),
        "video12": ("Puppeteer", Abilities("v4l2 loopback", True, False)),
        "video3": ("Card", OSError(13, "Permission denied")),
    }
    (tmp_path / "dev").mkdir()
    for node, (name, _) in devices.items():
        (tmp_path / "sys" / node).mkdir(parents=True)
        (tmp_path / "sys" / node / "name").write_text(name + "\n")
        (tmp_path / "dev" / node).write_text("")

    def abilities(device: str) -> Abilities | None:
        able = devices[Path(device).name][1]
        if isinstance(able, OSError):
            raise able
        return able

    monkeypatch.setattr(v4l2, "abilities", abilities)
    real = webcams.linux_cameras
    monkeypatch.setattr(webcams, "linux_cameras", lambda _sys, _dev, own: real(tmp_path / "sys", tmp_path / "dev", own))
    return tmp_path


class FakeDevice:
    """Stands in for cv2.VideoCapture."""

    opens = True
    frames: ClassVar[list[np.ndarray | None]] = []
    made: ClassVar[list[FakeDevice]] = []

    def __init__(self, address: str, backend: int) -> None:
        self.address, self.backend, self.released = address, backend, False
        self.asked: dict[int, float] = {}
        self.left = list(self.frames)
        FakeDevice.made.append(self)

    def isOpened(self) -> bool:  # OpenCV's name
        return self.opens

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        frame = self.left.pop(0) if self.left else None
        return frame is not None, frame

    def release(self) -> None:
        self.released = True


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[FakeDevice]:
    FakeDevice.made, FakeDevice.opens, FakeDevice.frames = [], True, [np.full((48, 64, 3), (255, 0, 0), np.uint8)]
    monkeypatch.setattr(cv2, "VideoCapture", FakeDevice)
    return FakeDevice


@linux
def test_webcams_are_listed_by_name_and_virtual_ones_left_out(machine: Path) -> None:
    assert [camera.name for camera in list_cameras()] == ["Nice Cam", "Nice Cam (2)", "Card", "Phone"]
    assert [Path(str(camera.address)).name for camera in list_cameras()] == ["video0", "video2", "video3", "video11"]
    own = str(machine / "dev" / "video11")
    assert "Phone" not in [camera.name for camera in list_cameras([own])], "what we send to is no source"


def test_elsewhere_the_names_come_from_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    from cv2_enumerate_cameras.camera_info import CameraInfo as Listed

    listed = [Listed(1, "OBS Virtual Camera", "b", 0, 0, 700), Listed(0, "HD Webcam", "a", 1, 2, 700)]
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("cv2_enumerate_cameras.enumerate_cameras", lambda backend: listed if backend == 700 else [])
    assert list_cameras() == [CameraInfo("HD Webcam", 0, cv2.CAP_DSHOW)]


@linux
def test_a_webcam_is_opened_by_name_and_gives_rgb(machine: Path, device: type[FakeDevice]) -> None:
    webcam = Webcam(SourceSettings(camera="Nice Cam (2)", width=800, rate=60))
    assert webcam.name == "Nice Cam (2)" and str(device.made[0].address).endswith("video2")
    assert device.made[0].backend == cv2.CAP_V4L2
    assert device.made[0].asked[cv2.CAP_PROP_FRAME_WIDTH] == 800 and device.made[0].asked[cv2.CAP_PROP_FPS] == 60
    assert webcam.read()[0, 0].tolist() == [0, 0, 255], "OpenCV gives BGR"
    webcam.close()
    assert device.made[0].released
    assert Webcam(SourceSettings()).name == "Nice Cam", "the first"


def test_which_camera() -> None:
    with pytest.raises(NoCameraError, match="no camera was found: plug one in"):
        chosen("", [])
    with pytest.raises(NoCameraError, match="Old is not there and no other"):
        chosen("Old", [])
    with pytest.raises(SourceError, match=r"Old is not plugged in: plug it in, or pick another camera \(New\)"):
        chosen("Old", [CameraInfo("New", 0, 0)])


@linux
def test_a_webcam_that_does_not_open_says_why(
    machine: Path, device: type[FakeDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    device.opens = False
    with pytest.raises(SourceError, match="in use by another program: close browsers"):
        Webcam(SourceSettings())
    assert device.made[0].released
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SourceError, match="may not be opened by you: run  sudo usermod -aG video"):
        Webcam(SourceSettings())
    (machine / "dev" / "video0").unlink()
    with pytest.raises(SourceError, match="is unplugged: plug it in again"):
        Webcam(SourceSettings())


@linux
def test_a_webcam_that_stops_says_why(machine: Path, device: type[FakeDevice]) -> None:
    webcam = Webcam(SourceSettings())
    webcam.read()
    with pytest.raises(SourceError, match="stopped giving pictures: check its plug"):
        webcam.read()
    (machine / "dev" / "video0").unlink()
    with pytest.raises(SourceError, match="is unplugged: plug it in again"):
        webcam.read()
    device.frames = []
    with pytest.raises(SourceError, match="gives no picture: close other programs"):
        Webcam(SourceSettings(camera="Phone")).read()


def test_windows_and_macos_have_their_own_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "Privacy & security, Camera" in webcams.why_not(CameraInfo("HD Webcam", 0, cv2.CAP_DSHOW))
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NoCameraError, match="System Settings, Privacy & Security, Camera"):
        chosen("", [])

    class Device:
        state = 2

        @classmethod
        def authorizationStatusForMediaType_(cls, media: str) -> int:
            return cls.state

        @classmethod
        def requestAccessForMediaType_completionHandler_(cls, media: str, done: object) -> None:
            cls.state = 3
            done(True)  # type: ignore[operator]

    class Foundation:
        AVCaptureDevice, AVMediaTypeVideo = Device, "vide"

    monkeypatch.setitem(sys.modules, "AVFoundation", Foundation)
    with pytest.raises(SourceError, match="macOS does not let us use FaceTime"):
        webcams._refused_by_macos("FaceTime")
    Device.state = 0
    webcams._refused_by_macos("FaceTime")
    assert Device.state == 3


def test_a_video_is_played_in_a_loop_at_its_own_pace(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 200, 40))
    video = open_source(SourceSettings(kind="video", video=str(path)))
    assert isinstance(video, LoopedVideo) and video.name == "clip.mp4"
    begin_s = time.perf_counter()
    frames = [video.read() for _ in range(13)]
    spent_s = time.perf_counter() - begin_s
    assert 0.42 < spent_s < ENDED_S, "12 periods of 40 ms"
    assert all(corner_colours(frame) == [0, 1, 2, 3] for frame in frames)
    video.close()


def test_a_machine_too_slow_for_a_video_leaves_frames_out(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 2000, 40))
    now_s = 0.0
    video = LoopedVideo(path, clock=lambda: now_s)
    shown = 0
    while now_s < 1.9:
        video.read()
        shown += 1
        now_s += 0.2  # each takes five periods
    assert 9 <= shown <= 11
    video.close()


def test_a_video_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no video file is chosen"):
        open_source(SourceSettings(kind="video"))
    with pytest.raises(SourceError, match=re.escape("gone.mp4 does not exist")):
        open_source(SourceSettings(kind="video", video=str(tmp_path / "gone.mp4")))


@pytest.mark.parametrize(
    "name",
    [
        "VTubeStudioCam",
        "NVIDIA Broadcast",
        "Camera (NVIDIA Broadcast)",
        "Snap Camera",
        "XSplit VCam",
        "Animaze Virtual Camera",
        "Streamlabs Desktop Virtual Webcam",
        "ManyCam Virtual Webcam",
        "e2eSoft VCam",
    ],
)
def test_a_virtual_camera_is_taken_only_by_its_name(name: str) -> None:
    virtual, real = CameraInfo(name, 0, 0), CameraInfo("HD Pro Webcam C920", 1, 0)
    assert virtual.virtual and not real.virtual
    assert chosen("", [virtual, real]) == real
    assert chosen(name, [virtual, real]) == virtual
    with pytest.raises(NoCameraError, match="only virtual cameras"):
        chosen("", [virtual])


@pytest.mark.parametrize(
    "name", ["e2eSoft iVCam", "DroidCam Source 3", "EpocCam Camera", "Iriun Webcam", "FHD Capture", "Integrated Camera"]
)
def test_phones_as_webcams_and_capture_cards_are_cameras(name: str) -> None:
    assert chosen("", [CameraInfo("OBS Virtual Camera", 0, 0), CameraInfo(name, 1, 0)]).name == name
