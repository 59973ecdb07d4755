"""Brows that rise, sink and bend: what is behind them, where they go, and what lies before them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.brows import ANGRY, LOWERED, RAISED, TROUBLED, across, brow_look, found_brows
from puppeteer.networks.rig.eyes import eyes, look
from puppeteer.networks.rig.pieces import Looks, Pieces, laid, piece_pictures
from puppeteer.pose import Pose
from puppeteer.poser import Poser
from puppeteer.poser.pieces import DrawnPieces

ROW, COLUMNS, HALF = 40.0, (44.0, 84.0), 9.0  # of the brows, px
DARK, SKIN, HAIR = 0.2, 0.8, 0.5
FRINGE = slice(20, 37)  # rows in which hair lies


def _face(bare: torch.Tensor | None = None, through: bool = False) -> tuple[Any, Pieces]:
    """A premultiplied crop of skin with two brows over two eyes, and what they are. Where it is not bare, hair lies,
    before the brows or, where they show `through`, behind them."""
    y, x = (torch.arange(CROP) + 0.5).expand(CROP, CROP).T, (torch.arange(CROP) + 0.5).expand(CROP, CROP)
    opening, brow = torch.zeros(CROP, CROP), torch.zeros(CROP, CROP)
    for column in COLUMNS:
        opening += (((x - column) / 8) ** 2 + ((y - 64) / 6) ** 2 < 1).float()
        brow += ((x - column).abs() < HALF).float() * ((y - ROW).abs() < 1.5).float()
    bare = torch.ones(CROP, CROP) if bare is None else bare
    seen = brow if through else brow * bare
    grey = SKIN + (1 - bare) * (HAIR - SKIN)
    grey = grey + seen * (DARK - grey) + opening * (1 - SKIN)
    crop = torch.stack([grey, grey, grey, torch.ones(CROP, CROP)])[None]
    painted = torch.full((1, 9, CROP, CROP), SKIN)
    found = eyes(*(k[None, None] for k in (opening, opening * 0, opening * 0)), painted, bare[None, None])
    return crop, Pieces(found, found_brows(brow[None, None], seen[None, None], found))


def _looks(pieces: Pieces, left: float = 0, right: float = 0, form: float = 0) -> Looks:
    zero = torch.zeros(())
    still = look(pieces.eyes, torch.zeros(2), torch.zeros(2), zero, zero)
    return Looks(still, brow_look(pieces.brows, torch.tensor([left, right]), torch.tensor(form)))


def _shown(crop: Any, pieces: Pieces, **pose: float) -> Any:
    """(h, h)"""
    return laid(crop, piece_pictures(crop, pieces), _looks(pieces, **pose))[0, 0]


def _row(picture: Any, column: float) -> float:
    """Where the brow is darkest, rows 20 to 56 of the crop."""
    scale = picture.shape[0] / CROP
    line = picture[round(20 * scale) : round(56 * scale), round(column * scale)]
    weight = (SKIN - line).clamp(min=0)
    rows = torch.arange(len(line)) + 0.5
    return 20 + float((weight * rows).sum() / weight.sum().clamp(min=1e-6)) / scale


@pytest.mark.parametrize("size", [128, 200, 256])
def test_brows_rise_and_sink_and_leave_skin(size: int) -> None:
    crop, pieces = _face()
    crop = torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)
    on_left, on_right = COLUMNS
    raised = _shown(crop, pieces, right=1.0)
    assert _row(raised, on_left) == pytest.approx(ROW - RAISED, abs=0.4), "the character's right is the viewer's left"
    assert _row(raised, on_right) == pytest.approx(ROW, abs=0.2)
    sunk = _shown(crop, pieces, left=-1.0, right=-1.0)
    assert ROW + 2 < _row(sunk, on_left) <= ROW + RAISED + 0.3
    assert _row(_shown(crop, pieces, right=0.5), on_left) == pytest.approx(ROW - RAISED / 2, abs=0.4)
    was = slice(round((ROW - 1) * size / CROP), round((ROW + 1) * size / CROP))
    bare = raised[was, round((on_left - 5) * size / CROP) : round((on_left + 5) * size / CROP)]
    assert (bare - SKIN).abs().max() < 0.02
    darkest = raised[:, round(on_left * size / CROP)].min()
    assert darkest < DARK + 0.12, "and are as dark as they were"


def test_a_brow_near_its_eye_does_not_sink_into_it() -> None:
    _, pieces = _face()
    down = pieces.brows.profile[0, 1]
    room = 64 - 6 - ROW
    assert 0 < float(down.max()) <= LOWERED * room
    lower = found_brows(pieces.brows.coverage.roll(14, 2), pieces.brows.seen.roll(14, 2), pieces.eyes)
    assert float(lower.profile[0, 1].max()) < 1


def test_troubled_and_angry_brows_bend_the_other_way() -> None:
    crop, pieces = _face()
    for form, ends in ((1.0, TROUBLED), (-1.0, ANGRY)):
        out = _shown(crop, pieces, form=form)
        for column, inwards in zip(COLUMNS, (1, -1), strict=True):
            inner, outer = (_row(out, column + k * inwards * 0.75 * HALF) for k in (1, -1))
            assert form * (outer - inner) > 0.5 * (ends[0] + ends[1])
    mirrored = _shown(crop, pieces, form=1.0).flip(1)
    assert torch.allclose(mirrored, _shown(crop, pieces, form=1.0), atol=0.03)


def test_a_brow_that_rises_goes_under_a_fringe() -> None:
    bare = torch.ones(CROP, CROP)
    bare[FRINGE] = 0
    crop, pieces = _face(bare)
    assert float(pieces.brows.through) == 0
    out = _shown(crop, pieces, left=1.0, right=1.0)
    hair = slice(FRINGE.start, FRINGE.stop - 1)
    assert torch.allclose(out[hair], crop[0, 0, hair], atol=0.03), "hair stays as it is drawn"


def test_a_brow_goes_under_a_white_fringe_too() -> None:
    bare = torch.ones(CROP, CROP)
    bare[FRINGE] = 0
    crop, pieces = _face(bare)
    skin, white = torch.tensor([1.0, 0.94, 0.9]), torch.tensor([0.9, 0.91, 0.93])
    crop[0, :3] *= skin[:, None, None] / SKIN
    crop[0, :3, FRINGE] = white[:, None, None]
    pieces.eyes.skin.copy_(skin[None, :, None, None])
    out = _shown(crop, pieces, left=1.0, right=1.0)
    hair = slice(FRINGE.start, FRINGE.stop - 1)
    assert torch.allclose(out[hair], crop[0, 0, hair], atol=0.03), "hair stays as it is drawn"


def test_of_a_pair_the_paler_one_moves_too() -> None:
    _, pieces = _face()
    paler = torch.where(torch.arange(CROP) < CROP / 2, 0.12, 0.4) * pieces.brows.seen
    found = found_brows(paler, paler, pieces.eyes)
    assert found.found.tolist() == [[1, 1]]
    alone = paler * (torch.arange(CROP) < CROP / 2)
    assert found_brows(alone, alone, pieces.eyes).found.tolist() == [[0, 0]], "one alone, as faint, is none"
    elsewhere = alone.roll(-12, 2) + paler - alone
    assert found_brows(elsewhere, elsewhere, pieces.eyes).found.tolist() == [[0, 1]]


def test_ends_that_are_not_read_go_with_their_brow() -> None:
    crop, pieces = _face()
    outer, steps = COLUMNS[1] + HALF, range(7)
    for k in steps:  # downwards and outwards, thinner
        crop[0, :3, round(ROW) - 1 + k : round(ROW) + 2 + k, round(outer) + k] = DARK
    out = _shown(crop, pieces, left=1.0)
    for k in steps[:-2]:
        assert out[round(ROW) + k, round(outer) + k] == pytest.approx(SKIN, abs=0.05)
    assert out[round(ROW - RAISED) : round(ROW) - 1, round(outer) + 2].min() < DARK + 0.2


def test_the_tip_of_a_lock_that_is_not_read_as_hair_stays() -> None:
    bare = torch.ones(CROP, CROP)
    bare[FRINGE] = 0
    crop, pieces = _face(bare)
    tip = slice(FRINGE.start, 42), slice(48, 54)  # over the brow on the viewer's left
    on_brow = pieces.brows.seen[0, 0] > 0
    crop[0, :3] = torch.where(on_brow, 0.5, crop[0, :3])  # paler than a lock
    crop[(0, slice(0, 3), *tip)] = 0.1
    out = _shown(crop, pieces, right=-1.0)
    assert torch.allclose(out[tip], crop[0, 0][tip], atol=0.05)
    others = torch.ones(CROP, CROP, dtype=torch.bool)
    others[tip[0], 46:56] = False
    assert (out < 0.4)[others].sum() == (crop[0, 0] < 0.4)[others].sum(), "nothing of it goes elsewhere"


def test_a_brow_that_is_drawn_over_hair_stays_over_it() -> None:
    bare = torch.ones(CROP, CROP)
    bare[20:56, 38:46] = 0  # a lock across the brow on the viewer's left
    crop, pieces = _face(bare, through=True)
    assert float(pieces.brows.through) > 0.9
    out = _shown(crop, pieces, right=1.0)
    column = round(COLUMNS[0]) - 2
    assert out[round(ROW - RAISED), column] < DARK + 0.1
    assert out[round(ROW), column] == pytest.approx(HAIR, abs=0.03), "and leaves hair"


def test_what_a_lock_hides_of_a_brow_comes_out_beside_it() -> None:
    bare = torch.ones(CROP, CROP)
    bare[20:56, 38:46] = 0
    crop, pieces = _face(bare)
    out = _shown(crop, pieces, right=1.0)
    lock = out[20:56, 39:45]
    assert torch.allclose(lock, crop[0, 0, 20:56, 39:45], atol=0.03)


def test_a_crease_of_a_lid_or_a_clip_beside_it_is_no_brow() -> None:
    crop, pieces = _face()
    seen = pieces.brows.seen.clone()
    crease, clip = (slice(50, 52), slice(38, 50)), (slice(38, 42), slice(112, 118))
    for at in (crease, clip):
        seen[0, 0][at] = 0.5
        crop[0, :3][(slice(None), *at)] = DARK
    more = Pieces(pieces.eyes, found_brows(seen, seen, pieces.eyes))
    out = _shown(crop, more, left=1.0, right=1.0)
    for at in (crease, clip):
        assert torch.equal(out[at], crop[0, 0][at])
    assert _row(out[:48], COLUMNS[1]) < ROW - 3


def test_where_no_brow_is_found_nothing_moves() -> None:
    crop, pieces = _face()
    none = torch.zeros_like(pieces.brows.seen)
    still = Pieces(pieces.eyes, found_brows(none, none, pieces.eyes))
    assert torch.equal(_shown(crop, still, left=1.0, right=-1.0, form=1.0), crop[0, 0])
    assert torch.equal(_shown(crop, pieces), crop[0, 0])


@pytest.mark.parametrize("size", [96, 128, 256])
def test_both_ways_of_moving_brows_agree(size: int) -> None:
    bare = torch.ones(CROP, CROP)
    bare[20:56, 30:42] = 0
    for through in (False, True):
        crop, pieces = _face(bare, through)
        crop = torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)
        original = (255 * crop[0]).round().byte().permute(1, 2, 0).contiguous().numpy()
        drawn = DrawnPieces(original, pieces)
        inside = torch.from_numpy(original).permute(2, 0, 1)[None].float() / 255
        for pose in ((1.0, 0.3, 0.0), (-1.0, 1.0, 0.5), (0.02, 0.0, -1.0), (0.0, 0.0, 0.0)):
            looks = _looks(pieces, *pose)
            ours, rows, columns = drawn.drawn(looks)
            theirs = 255 * laid(inside, piece_pictures(inside, pieces), looks)[0].permute(1, 2, 0).numpy()
            assert np.abs(ours - theirs).max() < 2.5
            outside = np.ones((size, size), bool)
            outside[rows, columns] = False
            assert np.array_equal(ours[outside], original[outside])


def test_a_shipped_character_raises_a_brow_and_no_other() -> None:
    from puppeteer.characters import default_character
    from puppeteer.prepare.reading import read_character

    poser = Poser.load("compact", "cpu")
    poser.set_character(read_character(default_character().with_name("kaede.png")))  # one brow is before her hair
    rest, left, right = (poser.pose(Pose(**pose)).astype(int) for pose in ({}, {"brow_left": 1}, {"brow_right": 1}))
    changed = np.abs(left - rest).max(-1) > 24
    rows, columns = (np.flatnonzero(changed.any(axis)) for axis in (1, 0))
    assert changed.sum() > 15 and rows.min() > 100 and rows.max() < 136, "the brow alone"
    assert columns.min() > 128
    darker = (rest - left).max(-1) > 24
    paler = (left - rest).max(-1) > 24
    assert np.flatnonzero(darker.any(1)).mean() < np.flatnonzero(paler.any(1)).mean() - 3, "and upwards"
    assert not (np.abs(right - rest).max(-1) > 24)[:, 128:].any()


@pytest.mark.parametrize("lean", [-0.7, -0.3, 0.0, 0.5])
def test_locks_go_on_in_their_direction_where_a_brow_was(lean: float) -> None:
    size = 512
    row, column = torch.arange(size)[:, None], torch.arange(size)[None]
    locks = (0.5 + 0.4 * torch.sin((column - lean * row) / 9)).expand(3, -1, -1)[None].float()
    taken = ((row >= 240) & (row < 256) & (column > 150) & (column < 360)).float()[None, None]
    behind = across(torch.lerp(locks, torch.zeros_like(locks), taken), taken)
    middle = (..., slice(240, 256), slice(190, 320))
    assert (behind - locks)[middle].abs().mean() < 0.06
