"""What drives a character: webcams, video files, recorded motion; one file each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from puppeteer.errors import SourceError
from puppeteer.inputs.contract import Camera
from puppeteer.inputs.looped_video import LoopedVideo
from puppeteer.inputs.synthetic import Synthetic
from puppeteer.inputs.video_file import VideoFile
from puppeteer.inputs.webcam import Webcam
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
