"""What the picture doctor's networks are taught with: pictures, truths and losses that fit each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from puppeteer.characters import Artist, make_recipe
from puppeteer.characters.figure import Figure
from puppeteer.image import premultiplied
from puppeteer.networks.landmarks import FACE_PX, Landmarks
from puppeteer.pose import Pose
from puppeteer.training.landmarks import faces
from puppeteer.training.landmarks.faces import face_picture
from puppeteer.training.landmarks.learning import PARTS
from puppeteer.training.landmarks.losses import losses
from puppeteer.training.landmarks.pictures import FIGURE, Head, add_head, figure_picture
from puppeteer.training.landmarks.truth import look_of, marks, truth_of

SEED = 50_000_100


class One:
    """All characters of a data folder that holds one, its mouth closed."""

    def __init__(self) -> None:
        recipe = make_recipe(SEED, "validation")
        with Artist() as artist:
            self.rgba = premultiplied(artist.draw(SEED, Pose(), size=256, split="validation"))
        figure = Figure(recipe)
        still = (0.0, 0.0, 0.0)
        self.truth, self.look = truth_of(recipe, figure, marks(recipe, figure), still, still), look_of(recipe)

    def pick(self, rng: np.random.Generator, turned: float = 0.1, at_rest: float = 0.5) -> Any:
        return self.rgba, self.truth, self.look


@pytest.fixture(scope="module")
def characters() -> One:
    return One()


@pytest.fixture
def face(characters: One) -> tuple[Any, Head]:
    rng = np.random.default_rng(0)
    ground = np.full((FACE_PX, FACE_PX, 3), 200, np.uint8)
    middle = np.array([FACE_PX / 2, FACE_PX / 2 - 20])
    return add_head(rng, ground, characters.pick(rng), middle, 256.0, 0.0, body=0.0)


@pytest.mark.parametrize("cover", ["mask", "scarf", "thing_at_mouth", "patch", "lock"])
def test_what_covers_lies_where_it_is_said_to(characters: One, face: tuple[Any, Head], cover: str) -> None:
    picture, head = face
    for which in (0, 1):
        rng = np.random.default_rng(which)
        covered = getattr(faces, cover)(rng, picture.copy(), head, characters.look, which)
        changed = np.abs(covered.astype(int) - picture).max(-1) > 12
        x, y = head.points[which if cover in ("patch", "lock") else 2]
        other = head.points[1 - which]
        assert changed[int(y) - 2 : int(y) + 3, int(x) - 3 : int(x) + 4].mean() > 0.6
        if cover in ("patch", "lock"):
            x, y = other
            assert changed[int(y) - 2 : int(y) + 3, int(x) - 3 : int(x) + 4].mean() < 0.6


def test_lips_are_closed_and_painted_mouths_are_open(face: tuple[Any, Head]) -> None:
    picture, head = face
    for seed in range(12):
        rng = np.random.default_rng(seed)
        painted, told = faces.painted_lips(rng, picture.copy(), head)
        assert told.mouth == 0 and (painted != picture).any()
        painted, told = faces.painted_mouth(rng, picture.copy(), head)
        assert told.mouth > 0.1 and (painted != picture).any()


def test_pictures_are_made_from_their_seed(characters: One) -> None:
    for seed in range(20):
        once, again = (face_picture(np.random.default_rng(seed), characters) for _ in range(2))  # type: ignore[arg-type]
        assert (once[0] == again[0]).all() and once[1].covered == again[1].covered
        assert once[0].shape == (FACE_PX, FACE_PX, 3)
    picture, cover, *_ = figure_picture(np.random.default_rng(0), characters)  # type: ignore[arg-type]
    assert picture.shape == (FIGURE, FIGURE, 3) and cover.shape == (FIGURE, FIGURE)
    assert cover.min() >= 0 and cover.max() <= 1 and cover.mean() > 0.02


@pytest.mark.parametrize("part", list(PARTS))
def test_a_step_reaches_every_weight(characters: One, part: str) -> None:
    torch.manual_seed(0)
    networks = Landmarks()
    rng = np.random.default_rng(0)
    lost = losses(part, networks, characters, rng)  # type: ignore[arg-type]
    torch.stack(lost).sum().backward()  # type: ignore[no-untyped-call]
    for name in PARTS[part]:
        for weight in getattr(networks, name).parameters():
            assert weight.grad is not None and bool(weight.grad.isfinite().all())
