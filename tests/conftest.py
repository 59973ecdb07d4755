"""What several tests need: a small character drawn here, and the folder of measuring material where it is present."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from puppeteer.image import write_png
from puppeteer.pose import U8

# A shell that starts the tests in the background has Ctrl-C ignored, and every process would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[2] / "shared"


def drawn_character(side: int = 256) -> U8:
    """(side, side, 4) straight alpha: a plain head with eyes and mouth in the centre half, on a body."""
    rgba = np.zeros((side, side, 4), np.uint8)
    unit = side / 256

    def ellipse(x: float, y: float, a: float, b: float, colour: tuple[int, int, int, int]) -> None:
        centre, axes = (round(x * unit), round(y * unit)), (round(a * unit), round(b * unit))
        cv2.ellipse(rgba, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_8)

    ellipse(128, 268, 70, 66, (70, 90, 160, 255))
    cv2.rectangle(
        rgba, (round(116 * unit), round(180 * unit)), (round(140 * unit), round(215 * unit)), (240, 205, 185, 255), -1
    )
    ellipse(128, 128, 54, 64, (255, 224, 205, 255))
    for x in (106, 150):
        ellipse(x, 136, 11, 15, (60, 60, 120, 255))
    ellipse(128, 172, 12, 4, (170, 60, 70, 255))
    return rgba


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read from this user's cache of rigs, and nothing written there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUPPETEER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def character_png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("character") / "character.png"
    write_png(path, drawn_character())
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside the repository")
    return SHARED
