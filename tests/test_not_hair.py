"""What lies on hair and is none does not swing with it, and hair beside it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from puppeteer.characters import SHIPPED
from puppeteer.image import premultiplied
from puppeteer.networks.rig.not_hair import (
    ISLAND_PX,
    RIM_PX,
    SLIVER_PX,
    WITHIN_PX,
    body_back,
    held,
    joined,
    patches,
    without_islands,
)
from puppeteer.networks.rig.reader import BODY, COUNT, FACE, FRONT, SIDE
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.prepare.reading import read_character

TIP = torch.tensor([128.0, 181.0])
HAIR_COLOUR, SKIN, CLOTH = (0.35, 0.2, 0.55), (1.0, 0.85, 0.75), (0.2, 0.5, 0.3)
NAMES = ("aoi", "momo", "yuki")


@pytest.fixture(scope="module")
def poser() -> Iterator[Poser]:
    yield Poser.load("compact", "cpu")


def _figure() -> tuple[Any, Any]:
    """A premultiplied picture of long hair about a face on a body, and shares as a network that is sure reads it."""
    y, x = torch.meshgrid(torch.arange(256) + 0.5, torch.arange(256) + 0.5, indexing="ij")
    hair = ((x - 128).abs() < 60) & (y > 64) & (y < 240)
    face = ((x - 128) / 32) ** 2 + ((y - 146) / 38) ** 2 < 1
    body = ((x - 128).abs() < 44) & (y > 200)
    picture, shares = torch.zeros(1, 4, 256, 256), torch.zeros(1, COUNT, 256, 256)
    shares[:, SIDE] = 1
    for where, colour, layer in ((hair, HAIR_COLOUR, SIDE), (face, SKIN, FACE), (body, CLOTH, BODY)):
        picture[0, :, where] = torch.tensor([*colour, 1.0])[:, None]
        shares[0, :, where] = F.one_hot(torch.tensor(layer), COUNT).float()[:, None]
    return picture, shares


def _laid(picture: Any, shares: Any, colour: tuple[float, float, float], sure: float) -> tuple[Any, Any, Any]:
    """With a thing of a colour over hair and body, which is read as hair as surely as that."""
    where = torch.zeros(256, 256, dtype=torch.bool)
    where[196:224, 74:100] = True
    picture, shares = picture.clone(), shares.clone()
    picture[0, :3, where] = torch.tensor(colour)[:, None]
    shares[0, :, where] = 0
    shares[0, SIDE, where], shares[0, BODY, where] = sure, 1 - sure
    return picture, shares, where


def _inner(where: Any, px: int) -> Any:
    return -F.max_pool2d(-where[None].float(), 2 * px + 1, 1, px)[0] > 0


def test_a_hand_over_hair_is_the_bodys() -> None:
    picture, shares, where = _laid(*_figure(), SKIN, 0.85)
    out = body_back(shares, picture, TIP)
    assert (shares[0, SIDE, where] > 0.8).all() and (out[0, BODY, _inner(where, 3)] > 0.9).all()
    assert torch.allclose(out.sum(1), shares.sum(1), atol=1e-5) and (out > -1e-6).all()
    far = _inner(picture[0, 3] > 0, 4)
    far[:, 66:108] = False
    assert torch.allclose(out[0, :, far], shares[0, :, far], atol=0.03)


def test_fingers_that_are_read_as_hair_for_sure_stay_with_their_hand() -> None:
    picture, shares, _ = _laid(*_figure(), SKIN, 0.3)
    shares[0, :, 196:200, 74:100] = F.one_hot(torch.tensor(SIDE), COUNT).float()[:, None, None]
    picture[0, :3, 195, 74:100] = torch.tensor((0.4, 0.2, 0.2))[:, None]  # the line about them
    out = body_back(shares, picture, TIP)
    assert (out[0, BODY, 195:224, 78:96] > 0.8).all()
    assert (out[0, SIDE, 180:192, 78:96] > 0.95).all()


@pytest.mark.parametrize(
    ("half", "colour", "hair"),
    [(ISLAND_PX - 1, CLOTH, True), (12, HAIR_COLOUR, True), (12, CLOTH, False)],  # a speck, a highlight, and clothes
)
def test_what_lies_in_hair_by_itself_is_hair_where_it_is_small_or_looks_like_it(
    half: int, colour: tuple[float, float, float], hair: bool
) -> None:
    picture, shares = _figure()
    where = torch.zeros(256, 256, dtype=torch.bool)
    where[150 - half : 150 + half, 82 - half : 82 + half] = True
    picture[0, :3, where] = torch.tensor(colour)[:, None]
    shares[0, :, where] = F.one_hot(torch.tensor(BODY), COUNT).float()[:, None]
    out = without_islands(shares, picture)
    assert torch.allclose(out.sum(1), shares.sum(1), atol=1e-5) and (out > -1e-6).all()
    inner = _inner(where, 1)
    assert (out[0, SIDE if hair else BODY, inner] > 0.9).all()
    assert torch.equal(out[0, :, 200:, 90:160], shares[0, :, 200:, 90:160]), "a body stays one"


@pytest.mark.parametrize("sure", [0.6, 0.85, 1.0])
def test_a_lock_over_a_body_stays_hair(sure: float) -> None:
    picture, shares, where = _laid(*_figure(), HAIR_COLOUR, sure)
    inner = _inner(where, 3)
    assert torch.allclose(body_back(shares, picture, TIP)[0, :, inner], shares[0, :, inner], atol=0.02)


def test_hair_that_is_read_for_sure_is_hair_in_any_colour() -> None:
    """As strands have that are dyed in the colour of the clothes."""
    picture, shares, where = _laid(*_figure(), CLOTH, 0.999)
    inner = _inner(where, 9)
    assert torch.allclose(body_back(shares, picture, TIP)[0, :, inner], shares[0, :, inner], atol=0.02)


def test_what_is_beside_a_figure_goes_on_from_within() -> None:
    picture, shares = _figure()
    picture[:, :, 200:, :84] = 0  # a shoulder with nothing beside it, which is read as hair
    shares[0, :, 200:, :84] = 0
    shares[0, SIDE, 200:, :84] = 1
    out = body_back(shares, picture, TIP)
    assert (out[0, BODY, 210:250, 81:84] > 0.8).all()
    assert (out[0, SIDE, 210:250, 40:70] > 0.99).all()
    assert torch.allclose(out[0, :, :160], shares[0, :, :160])  # no outline of a head is a body's


def test_only_a_patch_is_a_patch() -> None:
    picture, shares = _figure()
    y, x = torch.meshgrid(torch.arange(256) + 0.5, torch.arange(256) + 0.5, indexing="ij")
    disc = torch.hypot(x - 150, y - 149) < 18
    shares[0, :, disc] = 0
    shares[0, FRONT, disc] = 1
    covered = torch.tensor([[0.95, 0.0]])
    for colour, worn in (((0.1, 0.1, 0.1), True), (HAIR_COLOUR, False)):
        picture[0, :3, disc] = torch.tensor(colour)[:, None]
        found = patches(shares, picture, covered)[0, 0]
        assert bool((found[disc] > 0.9).all()) == worn and bool((found < 0.05).all()) != worn
        assert (found[torch.hypot(x - 150, y - 149) > 36] < 0.05).all()
        assert not patches(shares, picture, torch.zeros(1, 2)).any()


def _shipped(name: str) -> U8:
    return np.asarray(read_character(SHIPPED / f"{name}.png").spec())


def _patched(rgba: U8) -> tuple[U8, Any]:
    out = cv2.resize(rgba, (512, 512), interpolation=cv2.INTER_LINEAR)
    colour = (35, 30, 38, 255)
    for end in ((210, 215), (350, 260)):
        cv2.line(out, (300, 295), end, colour, 6, cv2.LINE_AA)
    cv2.ellipse(out, (300, 298), (31, 29), 0, 0, 360, colour, -1, cv2.LINE_AA)
    y, x = np.mgrid[:512, :512]
    return out, np.hypot((x - 300) / 32, (y - 298) / 30) < 1


@pytest.mark.parametrize("name", NAMES)
def test_an_eyepatch_does_not_swing(poser: Poser, name: str) -> None:
    rgba, patch = _patched(_shipped(name))
    poser.set_character(rgba)
    to_left, to_right = (premultiplied(poser.pose(Pose(hair_x=x), 512)).astype(int) for x in (1, -1))
    apart = np.abs(to_left - to_right).max(-1)
    assert apart[patch].mean() < 5
    beyond = np.zeros_like(patch)
    beyond[340:430, :220] = True  # the hair of the other side
    assert apart[beyond & (rgba[..., 3] > 0)].mean() > 20


def test_a_body_without_hair_before_it_stands_still(poser: Poser) -> None:
    """Its outline too, although what is beside it may have been read as hair."""
    poser.set_character(_shipped("minato"))
    still, swung = (premultiplied(poser.pose(Pose(hair_x=x), 512)).astype(int) for x in (0, 1))
    assert np.abs(swung - still)[430:].max(-1).mean() < 0.02 and np.abs(swung - still)[:400].mean() > 0.3


def test_a_hand_that_is_drawn_over_hair_does_not_swing(poser: Poser, shared: Any) -> None:
    poser.set_character(read_character(shared / "drawings/crypko_01.png"))
    still, swung = (premultiplied(poser.pose(Pose(hair_x=x), 512)).astype(int) for x in (0, 1))
    hand, beside = (slice(410, 480), slice(80, 200)), (slice(340, 480), slice(320, 480))
    apart = np.abs(swung - still).max(-1)
    assert apart[hand].mean() < 0.5 and apart[beside].mean() > 5


def test_a_sliver_at_the_pictures_edge_is_hair_and_a_sleeve_there_is_not() -> None:
    picture, shares = _figure()
    y, x = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    sliver, sleeve = ((y > 215) & (x - left >= 0) & (x - left < wide) for left, wide in ((180, 3), (70, 14)))
    picture[0, :, y[:, 0] > 238] = torch.where((x > 66) & (x < 190), 1.0, 0.0)[y[:, 0] > 238]
    for where in (sliver, sleeve):
        picture[0, :3, where] = torch.tensor(CLOTH)[:, None]
        shares[0, :, where] = F.one_hot(torch.tensor(BODY), COUNT).float()[:, None]
    assert 3 < 2 * SLIVER_PX + 1 < 14
    out = without_islands(shares, picture)
    assert (out[0, BODY, sliver] < 0.1).all() and (out[0, SIDE, sliver] > 0.9).all()
    assert (out[0, BODY, sleeve] > 0.9).all()


def test_what_is_read_of_a_body_under_hair_hangs_together_with_it() -> None:
    picture, shares = _figure()
    whole = shares.clone()
    whole[0, BODY, 200:256, 150:188] = 0.9  # an arm that hair covers
    whole[0, BODY, 120:150, 70:90] = 0.7  # and a crumb
    out = held(whole, shares, picture)
    assert (out[0, BODY, 206:230, 156:180] > 0.89).all() and (out[0, BODY, 120:150, 70:90] == 0).all()
    assert torch.equal(out[:, SIDE], whole[:, SIDE])


def test_a_rim_of_a_body_under_hair_is_none_but_what_lies_under_a_lock_is() -> None:
    picture, shares = _figure()
    whole = shares.clone()
    rim, lock = (slice(172, 172 + RIM_PX + 1), slice(120, 128))  # columns: beside the body, and within it
    whole[0, BODY, 215:235, rim] = 0.9
    shares[0, :, 200:240, lock] = F.one_hot(torch.tensor(SIDE), COUNT).float()[:, None, None]
    out = held(whole, shares, picture)
    assert (out[0, BODY, 216:234, rim] == 0).all() and (out[0, BODY, 216:230, lock] > 0.9).all()


def test_hair_at_an_outline_hides_no_body_that_would_show_when_it_swings() -> None:
    picture, shares = _figure()
    drawn = picture[0, 3] > 0.5
    edge = int(drawn[225].nonzero().max())
    whole = shares.clone()
    whole[0, BODY, 200:256, 150 : edge + 1] = 0.9
    out = held(whole, shares, picture)
    hair = shares[0, SIDE, 225] > 0.5
    assert hair[edge - WITHIN_PX : edge + 1].all()
    assert (out[0, BODY, 225, edge - WITHIN_PX + 1 : edge + 1] < 0.1).all()
    assert out[0, BODY, 225, edge - WITHIN_PX - 2] > 0.89


def test_hair_that_is_read_as_a_body_farther_down_does_not_tear_from_it() -> None:
    picture, shares = _figure()
    torn = shares.clone()
    torn[0, :, 210:240, 170:188] = F.one_hot(torch.tensor(BODY), COUNT).float()[:, None, None]
    near = joined(torn, picture)[0, 0]
    assert near[210, 179] > 0.9 and near[150, 179] < 0.02, "where the reading changes and the drawing does not"
    assert joined(shares, picture)[0, 0, 150:240, 160:190].max() < 0.1, "and nowhere beside clothes of another colour"
