"""What drives a character: webcams, video files, recorded motion, phones and other programs; one file each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from puppeteer.errors import SettingsError, SourceError
from puppeteer.inputs import ifacialmocap, openseeface, vmc, vtube_studio
from puppeteer.inputs.contract import Camera, FaceInput
from puppeteer.inputs.looped_video import LoopedVideo
from puppeteer.inputs.mapping import Table, read_mapping
from puppeteer.inputs.network import NetworkInput, Wire
from puppeteer.inputs.recorded import read_motion
from puppeteer.inputs.synthetic import Synthetic
from puppeteer.inputs.video_file import VideoFile
from puppeteer.inputs.vmd import read_vmd
from puppeteer.inputs.webcam import Webcam
from puppeteer.pose import Pose
from puppeteer.settings import SourceSettings

SOURCES = {"video_file": VideoFile, "synthetic": Synthetic}


def _looped_video(settings: SourceSettings, own: Collection[str] = ()) -> Camera:
    if not settings.video:
        raise SourceError("no video file is chosen: choose one, or take a camera as source")
    return LoopedVideo(Path(settings.video).expanduser())


CAMERAS: dict[str, Callable[[SourceSettings, Collection[str]], Camera]] = {  # by `SourceSettings.kind`
    "camera": Webcam,
    "video": _looped_video,
}


def open_source(settings: SourceSettings, own: Collection[str] = ()) -> Camera:
    """The camera or the looped video that the settings name; `own` are devices that we send to. Raises SourceError."""
    return CAMERAS[settings.kind](settings, own)


FACES: dict[str, Callable[[dict[str, Table]], Wire]] = {  # phones and programs that have seen the face themselves
    "ifacialmocap": ifacialmocap.wire,
    "vtube_studio": vtube_studio.wire,
    "openseeface": openseeface.wire,
    "vmc": vmc.wire,
}


def open_faces(kind: str, address: str = "", port: int = 0, mapping: str = "") -> FaceInput:
    """Listens to one of FACES. `address` is the phone's, or "" for whoever sends first; `port` 0 is the usual one;
    `mapping` is a user's own file, or "". Raises SourceError and SettingsError."""
    tables = read_mapping(Path(mapping).expanduser() if mapping else None)
    return NetworkInput(FACES[kind](tables), address, port)


RECORDED: dict[str, Callable[[Path], list[tuple[float, Pose]]]] = {".csv": read_motion, ".vmd": read_vmd}


def read_recording(path: Path) -> list[tuple[float, Pose]]:
    """Times in seconds and poses of recorded motion, by the file's suffix (RECORDED). Raises SettingsError."""
    read = RECORDED.get(path.suffix.lower())
    if read is None:
        raise SettingsError(f"{path} is no recorded motion: give a table that  app.py track  wrote, or a .vmd motion")
    return read(path)
