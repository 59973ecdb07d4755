"""Very dark pictures: understood like others, and what is painted into them is as dark as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from puppeteer.characters import default_character
from puppeteer.image import clean
from puppeteer.light import light
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.prepare.reading import read_character

DARKER = (0.12, 0.25)
POSES = (
    Pose(eye_left=1, eye_right=1),
    Pose(mouth_open=1),
    Pose(gaze_x=1, gaze_y=1),
    Pose(eye_left=1, eye_right=1, eye_smile=1, neck_y=1, neck_z=0.5),
)


@pytest.fixture(scope="module")
def poser() -> Iterator[Poser]:
    yield Poser.load("compact", "cpu")


@pytest.fixture(scope="module")
def drawing() -> U8:
    return read_character(default_character()).spec()


def _darker(rgba: U8, by: float) -> U8:
    out = rgba.copy()
    out[..., :3] = np.rint(rgba[..., :3] * by)
    return clean(out)


def test_levels_come_back_as_they_were(drawing: U8) -> None:
    assert light(drawing) is None and light(np.zeros_like(drawing)) is None
    for by in DARKER:
        dark = _darker(drawing, by)
        found = light(dark)
        assert found is not None
        lit = found.lit(dark)
        assert lit[..., :3].max() > 230 and light(lit) is None
        assert (found.unlit(lit) == dark).all()


@pytest.mark.parametrize("by", DARKER)
def test_a_very_dark_character_is_a_bright_one_in_the_dark(poser: Poser, drawing: U8, by: float) -> None:
    """Closed lids, teeth and whites of eyes that look far do not shine."""
    poser.set_character(drawing)
    bright = [poser.pose(pose, 384) for pose in POSES]
    poser.set_character(_darker(drawing, by))
    for pose, usual in zip(POSES, bright, strict=True):
        seen = usual[..., 3] > 250
        apart = np.abs(poser.pose(pose, 384)[seen][:, :3].astype(int) - by * usual[seen][:, :3]).max(-1)
        # Of a few levels of brightness, locks that are told by their colours end a pixel away.
        assert apart.mean() < 2 and np.quantile(apart, 0.995) < 0.15 * 255 * by + 4, pose
    several = list(poser.pictures(POSES, 384))
    assert all((one == poser.pose(pose, 384)).all() for one, pose in zip(several, POSES, strict=True))
    face = poser.layers()["face"]
    assert face[..., :3].max() <= 255 * by + 3


def test_at_rest_it_is_the_drawing(drawing: U8) -> None:
    poser, dark = Poser.load("warp", "cpu"), _darker(drawing, DARKER[0])
    poser.set_character(dark)
    assert np.mean((poser.pose(Pose()) != dark)[dark[..., 3] == 255]) < 0.001
