"""What closed lids lie over: skin without a seam, under locks that end in tips, and no crease that went down."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.eyes import Eyes, eye_pictures, eyes, look, looked
from puppeteer.networks.rig.locks import tips
from puppeteer.pose import F32

SIZE, PER = 512, 4
EYES, HALF = ((64.0, 40.0), (64.0, 88.0)), (9.0, 7.0)  # rows and columns, and half axes, px of the crop
SKIN, HAIR, BLACK, WHITE = (0.95, 0.82, 0.75), (0.3, 0.35, 0.7), (0.05, 0.05, 0.08), (0.97, 0.97, 0.97)
RED = (0.8, 0.2, 0.2)
LASH_PX = 2.0


def _painted(hair: torch.Tensor, crease: bool = False, shade: float = 0.0) -> tuple[torch.Tensor, Eyes]:
    """A premultiplied crop at 512 px with two eyes below `hair` (512, 512), and what networks would read in it."""
    at = (torch.arange(SIZE) + 0.5) / PER
    y, x = at[:, None].expand(SIZE, SIZE), at[None].expand(SIZE, SIZE)
    opening, lash, line = torch.zeros(SIZE, SIZE), torch.zeros(SIZE, SIZE), torch.zeros(SIZE, SIZE)
    for row, column in EYES:
        opening += (((x - column) / HALF[0]) ** 2 + ((y - row) / HALF[1]) ** 2 < 1).float()
        top = row - HALF[1] * (1 - ((x - column) / HALF[0]) ** 2).clamp(min=0).sqrt()
        inside = (x - column).abs() < HALF[0]
        lash += (inside & (y < top) & (y > top - LASH_PX)).float()
        line += (inside & (y < top - LASH_PX - 2) & (y > top - LASH_PX - 3)).float()
    skin = torch.tensor(SKIN)[:, None, None] * (1 - shade * (y - 40) / 60)
    rgb = skin.clone()
    for mask, colour in ((hair, HAIR), (line * crease, BLACK), (opening, WHITE), (lash, BLACK)):
        rgb = rgb + mask * (torch.tensor(colour)[:, None, None] - rgb)
    small = [torch.nn.functional.avg_pool2d(m[None, None], PER) for m in (opening, lash, hair)]
    paints = [torch.tensor(c)[None, :, None, None].expand(1, 3, CROP, CROP) for c in (BLACK, WHITE, SKIN)]
    read_lash = (small[1] + 0.9 * torch.nn.functional.avg_pool2d(line[None, None], PER) * crease).clamp(max=1)
    found = eyes(small[0], small[0] * 0, read_lash, torch.cat(paints, 1), 1 - small[2])
    return torch.cat([rgb, torch.ones(1, SIZE, SIZE)])[None], found


def _frame(crop: torch.Tensor, found: Eyes, closure: float) -> F32:
    """(512, 512, 3) with both eyes closed so far."""
    frame = look(found, torch.zeros(2), torch.full((2,), closure), torch.zeros(()), torch.zeros(()))
    out: F32 = looked(crop, eye_pictures(crop, found), frame)[0, :3].permute(1, 2, 0).numpy()
    return out


def _closed(crop: torch.Tensor, found: Eyes) -> F32:
    return _frame(crop, found, 1.0)


def _columns(picture: F32, row: float, colour: tuple[float, float, float]) -> list[int]:
    """Those of the eye on the viewer's left, px, in which a row of the crop has a colour."""
    line = np.abs(picture[round(row * PER)] - np.array(colour)).max(1) < 0.12
    return [int(x) for x in np.flatnonzero(line) if x < SIZE / 2]


def _lock(left: float, right: float, bottom: float, lean: float = 0.0) -> torch.Tensor:
    """One that hangs over the eye on the viewer's left, to a row, as if it went on behind the eye; px of the crop."""
    at = (torch.arange(SIZE) + 0.5) / PER
    y, x = at[:, None], at[None] - lean * (at[:, None] - bottom)
    return ((x > left) & (x < right) & (y < bottom)).float()


@pytest.mark.parametrize("lean", [-0.4, 0.0, 0.4])
def test_a_lock_above_a_lid_ends_in_a_tip(lean: float) -> None:
    crop, found = _painted(_lock(37, 43, 58, lean))
    closed = _closed(crop, found)
    top = EYES[0][0] - HALF[1] - LASH_PX
    widths = [len(_columns(closed, row, HAIR)) / PER for row in (top - 3, top + 1, top + 3, top + 5)]
    assert widths[0] == pytest.approx(6, abs=1), "it hangs as it was drawn"
    assert widths[0] > widths[1] > widths[2] > widths[3], "and narrows over the lid"
    assert widths[2] > 1
    assert not _columns(closed, EYES[0][0] + 3, HAIR), "to an end above the closed lash"
    middles = [np.mean(_columns(closed, row, HAIR)) / PER for row in (top - 5, top + 1)]
    assert (middles[1] - middles[0]) / 6 == pytest.approx(lean, abs=0.2), "in its own direction"


def test_a_face_without_locks_gets_none() -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    closed = _closed(crop, found)
    skin = closed[round(54 * PER) : round(66 * PER), round(34 * PER) : round(46 * PER)]
    assert np.abs(skin - np.array(SKIN)).max() < 0.03


def test_skin_of_a_lid_has_no_seam() -> None:
    """Where light falls off over a face, paint is nowhere off by a step."""
    crop, found = _painted(torch.zeros(SIZE, SIZE), shade=0.25)
    closed = _closed(crop, found)
    above = closed[round(46 * PER) : round(66 * PER), round(40 * PER)]
    assert np.abs(np.diff(above, axis=0)).max() < 0.012


def test_a_crease_stays_when_the_lash_goes_down() -> None:
    plain, creased = (_closed(*_painted(torch.zeros(SIZE, SIZE), crease)) for crease in (False, True))
    column, crease = round(EYES[0][1] * PER), round((EYES[0][0] - HALF[1] - LASH_PX - 1.5) * PER)
    lines = [np.flatnonzero(picture[crease:, column, 0] < 0.5) for picture in (plain, creased)]
    assert all(len(np.flatnonzero(np.diff(line) > 1)) == 0 for line in lines), "one line comes down, not two"
    assert abs(len(lines[0]) - len(lines[1])) <= PER
    assert creased[:crease, column, 0].min() < 0.5


def test_a_lock_that_is_read_vaguely_is_told_by_its_colour() -> None:
    crop, found = _painted(_lock(37, 43, 58))
    closed = _closed(crop, found._replace(bare=1 - 0.4 * (1 - found.bare)))
    beside = _closed(crop, found._replace(bare=torch.maximum(found.bare, torch.full_like(found.bare, 0.98))))
    top = EYES[0][0] - HALF[1] - LASH_PX
    assert len(_columns(closed, top - 4, HAIR)) / PER == pytest.approx(6, abs=1)
    assert len(_columns(closed, top + 2, HAIR)) > PER, "it ends in a tip over the lid"
    assert not _columns(beside, top + 2, HAIR), "and what no reading takes for hair does not"


@pytest.mark.parametrize(
    ("colour", "read", "bare", "goes"),
    [
        (BLACK, 0.12, 1, True),  # its end is read faintly
        (BLACK, 0.0, 1, True),  # or not at all, but is as black, and no hair lies there
        ((0.85, 0.2, 0.25), 0.0, 1, False),  # the rim of glasses is of another hue
        (BLACK, 0.0, 0, False),  # a lock
    ],
)
def test_the_end_of_a_lash_goes_along(colour: tuple[float, float, float], read: float, bare: int, goes: bool) -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    rows, columns = slice(58 * PER, 61 * PER), slice(round(26.5 * PER), 28 * PER)
    crop[0, :3, rows, columns.start : 32 * PER] = torch.tensor(BLACK)[:, None, None]
    crop[0, :3, rows, columns.start : 30 * PER] = torch.tensor(colour)[:, None, None]
    lash, free = found.lash.clone(), found.bare.clone()
    lash[..., 58:61, 30:32], lash[..., 58:61, 26:30], free[..., 55:64, 26:30] = 0.5, read, bare
    wing = _closed(crop, found._replace(lash=lash, bare=free))[rows, columns, 1]
    assert (wing.min() > 0.7) if goes else (wing.min() < 0.5)


def test_a_lock_that_comes_out_below_an_eyes_corner_goes_on_through_it() -> None:
    """A lash's end lies over the hair beside a face."""
    beside = _lock(30, 34, 128)
    crop, found = _painted(beside)
    closed = _closed(crop, found)
    for row in (62.0, 64.0, 66.0):  # its outline is darker
        assert len(_columns(closed, row, HAIR)) >= 2 * PER - 2 or beside[round(row * PER), round(32 * PER)] == 0


def test_what_covers_a_face_is_not_skin() -> None:
    """A mask that ends at the eyes: nothing fades over it."""
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    masked = crop.clone()
    first = round(72 * PER)
    masked[:, :3, first:] = 0.9
    free = torch.ones(1, 1, CROP, CROP)
    free[:, :, 72:] = 0
    one = torch.ones_like(free)
    seen = found.within(free, one, one, torch.tensor(SKIN)[None, :, None, None])
    closed = _closed(masked, seen)
    assert np.abs(closed[first + 2 * PER :] - 0.9).max() < 0.02


def test_what_is_grey_below_an_eye_does_not_make_its_lid_grey() -> None:
    """A mask that nobody read: it has nothing of the hue of skin."""
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    crop[:, :3, round(72 * PER) :] = torch.tensor((0.85, 0.86, 0.88))[:, None, None]
    row, column = EYES[0]
    lid = _closed(crop, found)[round((row - 2) * PER), round(column * PER)]
    assert np.abs(lid - SKIN).max() < 0.01


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_a_lid_begins_in_the_shade_of_the_skin_above_it(size: int) -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    row, column = EYES[0]
    top = row - HALF[1] - LASH_PX
    lash = (crop[:, :3] - torch.tensor(BLACK)[:, None, None]).abs().amax(1, keepdim=True) < 0.1
    shadow = (torch.arange(SIZE)[:, None] < PER * (top + 2)) & ~lash
    crop[:, :3] = torch.where(shadow, 0.8 * crop[:, :3], crop[:, :3])  # that of a fringe, which ends at the lash
    hidden = torch.ones_like(found.bare)
    hidden[:, :, : int(top)] = 0.4  # and may be hair, as far as it was read
    crop, per = torch.nn.functional.interpolate(crop, (size, size), mode="area"), size / CROP
    line = _closed(crop, found._replace(bare=hidden))[:, round(column * per)].mean(1)
    first, last = round((top - 2) * per), round((row + 2) * per)
    assert line[first] == pytest.approx(0.8 * np.mean(SKIN), abs=0.02)
    assert line[last] > line[first] + 0.1
    assert np.abs(np.diff(line[first:last])).max() < 0.07, "and hardly an edge between"


@pytest.mark.parametrize("size", [32, 48, 64])
def test_lids_close_in_the_smallest_pictures(size: int) -> None:
    crop, found = _painted(_lock(34, 46, 58))
    small = torch.nn.functional.interpolate(crop, (size, size), mode="area")
    assert eye_pictures(small, found).skin.isfinite().all()


def test_a_lid_that_trembles_does_not_make_hair_before_it_flicker() -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    frame = look(found, torch.zeros(2), torch.full((2,), 0.03), torch.zeros(()), torch.zeros(()))
    bare, behind = (
        (looked(crop, eye_pictures(crop, found._replace(bare=bare)), frame) - crop)[..., : SIZE // 2].abs().sum()
        for bare in (torch.ones_like(found.bare), torch.full_like(found.bare, 0.2))
    )
    assert behind < 0.7 * bare


def test_a_lid_that_has_begun_to_close_shows_no_old_lash_in_hair_before_it() -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    picture = _frame(crop, found._replace(bare=torch.full_like(found.bare, 0.2)), 0.12)
    row = round((EYES[0][0] - HALF[1] - LASH_PX + 0.5) * PER)  # where it was, above where it is
    line = picture[row, round((EYES[0][1] - 2) * PER) : round((EYES[0][1] + 2) * PER)]
    assert line.mean(1).min() > 0.5, "no shadow of two lashes"


def test_hair_at_an_eyes_outer_corner_hangs_down_to_its_closed_lash() -> None:
    corner = EYES[0][1] - HALF[0]
    beside, above = _lock(corner - 12, corner, 80), _lock(corner - 12, corner + 6, 58)
    crop, found = _painted(torch.maximum(beside, above))
    closed = _closed(crop, found)
    widths = [len(_columns(closed, row, HAIR)) / PER for row in (56, 60, 63, 66)]
    assert widths[0] == pytest.approx(18, abs=1)
    assert widths[0] >= widths[1] >= widths[2] >= widths[3] and widths[3] > 14.5, "and is no triangle of skin"


@pytest.mark.parametrize("size", [128, 256, 384, 512])
def test_hair_that_goes_away_from_an_eye_does_not_hang_beside_it(size: int) -> None:
    """Its outline would be a strand by itself, with skin on both sides."""
    corner, top, per = EYES[0][1] - HALF[0], EYES[0][0] - HALF[1], size / CROP
    widths = []
    at = (torch.arange(SIZE) + 0.5) / PER
    for slope in (0.0, 0.7):
        across = at[None] + slope * (at[:, None] - top)
        hair = (across < corner + 7).float() * (at[:, None] < top + 2)
        crop, found = _painted(hair)
        crop[:, :3] *= 1 - 0.4 * hair * (at[:, None] < top - 3) * (torch.sin(1.5 * across) > 0)  # lines along its locks
        crop = torch.nn.functional.interpolate(crop, (size, size), mode="area")
        beside = torch.nn.functional.avg_pool2d(_lock(0, corner, 128)[None, None], PER)  # so it is read
        closed = _closed(crop, found._replace(bare=torch.minimum(found.bare, 1 - beside)))
        line = closed[round((top + 8) * per), round(corner * per) : round((corner + 5) * per)]
        widths.append(int((np.abs(line - SKIN).max(1) > 0.2).sum()))
    assert widths[0] >= 2 * max(widths[1], 1), widths


def test_the_end_of_a_lock_in_a_lash_does_not_go_down_with_it() -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    row, column = EYES[0]
    top, lock = row - HALF[1] - LASH_PX, _lock(column - 6, column + 1, 58)
    hair = lock * (torch.arange(SIZE)[:, None] < PER * (top + 0.5))
    crop[:, :3] = torch.lerp(crop[:, :3], torch.tensor(HAIR)[:, None, None], hair)
    lash, bare = found.lash.clone(), 1 - torch.nn.functional.avg_pool2d(hair[None, None], PER)
    bare[..., int(top) - 2 : int(top) + 1, int(column) - 1 : int(column) + 1] = 1  # its end is read as the lash's
    lash[..., int(top) - 2 : int(top), int(column) - 1 : int(column) + 1] = 0.6
    shown = eye_pictures(crop, found._replace(lash=lash, bare=bare)).lash[0, 3]
    above = shown[: round((top - 0.5) * PER), round((column - 3) * PER) : round((column + 3) * PER)]
    assert above.max() < 0.1 and shown[round((top + 1) * PER), round(column * PER)] > 0.9


def test_strands_side_by_side_end_in_tips_of_their_own() -> None:
    crop, found = _painted(torch.maximum(_lock(36, 38.5, 58), _lock(41, 43.5, 58)))
    closed = _closed(crop, found)
    top = EYES[0][0] - HALF[1] - LASH_PX
    assert len(_columns(closed, top - 5, HAIR)) / PER == pytest.approx(5, abs=1), "they hang as they are drawn"
    for left, right in ((35, 40), (40, 45)):
        widths = [
            sum(left * PER <= x < right * PER for x in _columns(closed, row, HAIR)) for row in (top - 5, top, top + 1)
        ]
        assert widths[0] > widths[1] > widths[2], "each narrows"
    assert not _columns(closed, top + 5, HAIR)


def test_a_gleam_as_light_as_skin_does_not_part_a_lock() -> None:
    crop, found = _painted(_lock(36, 44, 58))
    crop[0, :3, : 58 * PER, 39 * PER : 41 * PER] = 0.9
    closed = _closed(crop, found)
    ends = _columns(closed, EYES[0][0] - HALF[1] - LASH_PX + 4, HAIR)
    assert ends and all(38 * PER < x < 42 * PER for x in ends), "one tip below its middle, not one on each side"


def test_white_hair_over_pale_skin_ends_in_tips_too() -> None:
    lock = _lock(37, 43, 58)
    crop, found = _painted(lock)
    lash = (crop - torch.tensor([*BLACK, 1])[:, None, None]).abs().amax(1, keepdim=True) < 0.1
    white = torch.tensor((0.93, 0.93, 0.97))[:, None, None]
    crop[:, :3] = torch.where((lock > 0) & ~lash, white, crop[:, :3])
    crop[:, :3, 57 * PER : 72 * PER] = _painted(torch.zeros(SIZE, SIZE))[0][:, :3, 57 * PER : 72 * PER]
    closed = _closed(crop, found)
    top = EYES[0][0] - HALF[1] - LASH_PX
    there = [
        np.abs(closed[round(row * PER), : SIZE // 2] - white[:, 0, 0].numpy()).max(1) < 0.04 for row in (top + 2, 70)
    ]
    assert there[0].sum() > PER and there[1].sum() == 0


def test_a_lock_read_on_both_sides_of_what_is_drawn_ends_in_its_middle() -> None:
    crop, found = _painted(_lock(37, 43, 58))
    wide = torch.nn.functional.avg_pool2d(_lock(34, 46, 58)[None, None], PER)
    closed = _closed(crop, found._replace(bare=1 - wide))
    ends = _columns(closed, EYES[0][0] - HALF[1] - LASH_PX + 4, HAIR)
    assert ends and np.mean(ends) / PER == pytest.approx(40, abs=1)


def test_a_lock_whose_outlines_come_together_ends_where_they_meet() -> None:
    """It is read wider than it is drawn: the shadow that it casts is as dark."""
    top = EYES[0][0] - HALF[1] - LASH_PX
    at = (torch.arange(SIZE) + 0.5) / PER
    sides = 0.5 * (top + 3 - at[:, None])  # half of its width: they meet 3 px below the lash's upper edge
    drawn = ((at[None] - 40).abs() < sides).float() * (at[:, None] < top)
    crop, found = _painted(drawn)
    read = torch.nn.functional.avg_pool2d(((at[None] - 40).abs() < sides + 3).float()[None, None], PER)
    closed = _closed(crop, found._replace(bare=1 - read))
    widths = [len(_columns(closed, top + below, HAIR)) / PER for below in (-4, 1, 6)]
    assert widths[0] == pytest.approx(7, abs=1) and 0 < widths[1] < 3 and widths[2] == 0, widths


def test_skin_between_two_strands_parts_them_where_hair_is_read_vaguely() -> None:
    crop, found = _painted(torch.maximum(_lock(35, 38, 58), _lock(40.25, 43.25, 58)))
    read = torch.nn.functional.avg_pool2d(_lock(35, 43.25, 58)[None, None], PER)
    closed = _closed(crop, found._replace(bare=1 - 0.8 * read))
    line = closed[round((EYES[0][0] - HALF[1] - LASH_PX + 2) * PER)]
    left, between, right = (np.abs(line[round(x * PER)] - SKIN).max() for x in (36.6, 39.1, 41.4))
    assert min(left, right) > 0.3 and between < 0.05, "one tip each"


def test_two_sides_of_one_strand_end_in_one_tip() -> None:
    crop, found = _painted(torch.maximum(_lock(36.75, 39, 58), _lock(39.5, 41.75, 58)))
    closed = _closed(crop, found)
    line = closed[round((EYES[0][0] - HALF[1] - LASH_PX + 3) * PER)]
    dark = np.flatnonzero(np.abs(line[: SIZE // 2] - SKIN).max(1) > 0.2) / PER
    assert len(dark) and dark.mean() == pytest.approx(39.2, abs=0.5) and np.ptp(dark) < 3


def test_strands_that_a_soft_reading_ties_together_are_as_wide_as_they_are_drawn() -> None:
    strands = torch.maximum(_lock(35.5, 38, 58), _lock(41, 43.5, 58))
    _, found = _painted(strands)
    taken = (found.opening[0, 0] > 0.5).repeat_interleave(PER, 0).repeat_interleave(PER, 1)
    top = taken.int().argmax(0)
    elsewhere = (torch.arange(SIZE)[:, None] - top + PER + 1).abs() > 1  # just above the eye strands are told
    read = torch.maximum(strands, 0.6 * _lock(34, 45, 70) * elsewhere)
    skin = torch.tensor(SKIN)[:, None, None].expand(3, SIZE, SIZE)
    drawn = torch.lerp(skin, torch.tensor(HAIR)[:, None, None], strands)
    cover = tips(drawn, skin, read, read, strands, taken).cover
    row = cover[int(top[round(42.25 * PER)]) - 3]
    assert row.sum() / PER == pytest.approx(5, abs=0.5) and row[round(39.5 * PER)] == 0


def test_a_strand_goes_on_as_it_came_though_another_lies_higher_up() -> None:
    size, up = SIZE // 2, 114 - torch.arange(SIZE // 2)[:, None]
    column = torch.arange(size)[None] - 80
    taken = ((up + 14) / 14.0) ** 2 + (column / 18.0) ** 2 < 1
    own, other = ((column + lean * up).abs() < 2 for lean in (0.6, -0.5))
    drawn = (own | other & (up >= 7) & (up <= 10)).float()
    skin = torch.tensor(SKIN)[:, None, None].expand(3, size, size)
    read = ((up > -14) & (column.abs() < 8)).float()
    laid = tips(torch.lerp(skin, torch.tensor(HAIR)[:, None, None], drawn), skin, read, 0 * read, read, taken)
    before, after = (float((line * column[0]).sum() / line.sum()) for line in laid.cover[[116, 120]])
    assert after > before, "to the right, as it comes"


def test_a_strand_that_a_crease_crosses_at_its_end_goes_on_as_it_came() -> None:
    """There it is read as half as wide."""
    strand, row = _lock(38.5, 41.25, 58), torch.arange(SIZE)[:, None]
    _, found = _painted(strand)
    taken = (found.opening[0, 0] > 0.5).repeat_interleave(PER, 0).repeat_interleave(PER, 1)
    top = int(taken[:, 160].nonzero().min())
    read = strand * (1 - _lock(40, 42, 128) * ((row > top - 1.5 * PER) & (row <= top)))
    skin = torch.tensor(SKIN)[:, None, None].expand(3, SIZE, SIZE)
    drawn = torch.lerp(skin, torch.tensor(HAIR)[:, None, None], strand)
    cover = tips(drawn, skin, read, read, read, taken).cover[top + PER].numpy()
    assert (cover * np.arange(SIZE)).sum() / cover.sum() / PER == pytest.approx(39.9, abs=0.2)


def test_a_lock_before_an_eye_stays_until_a_lid_has_come_down_over_it() -> None:
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    row, column = EYES[0]
    lock = _lock(column - 2, column + 2, row - 1)
    before = lock * (torch.arange(SIZE)[:, None] >= PER * (row - HALF[1]))
    crop[:, :3] = torch.lerp(crop[:, :3], torch.tensor(HAIR)[:, None, None], before)
    seen = found.opening * (1 - torch.nn.functional.avg_pool2d(before[None, None], PER))
    read = eyes(seen, found.iris, found.lash, found.painted)
    picture = _frame(crop, read, 0.25)
    at = round(column * PER)
    assert np.abs(picture[round((row - 2) * PER), at] - HAIR).max() < 0.05, "no skin between its lid and the eye"
    lash = [int(picture[: round(row * PER), round(x * PER)].sum(1).argmin()) / PER for x in (column - 4, column)]
    assert lash[1] == pytest.approx(lash[0], abs=1.5), "and the lid is one line behind it"
    assert np.abs(_frame(crop, read, 1.0)[round((row - 2) * PER), at] - SKIN).max() < 0.05


def test_a_lash_that_hair_crosses_is_as_dark_below_it() -> None:
    lock = _lock(36, 44, 70)
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    hair = 0.6 * lock * (torch.arange(SIZE)[:, None] < PER * (EYES[0][0] - HALF[1]))  # lashes show through it
    crop[:, :3] = torch.lerp(crop[:, :3], torch.tensor(HAIR)[:, None, None], hair)
    wider = torch.nn.functional.max_pool2d(found.lash, 3, 1, 1)  # read over skin too, which is no lash's colour
    bare = 1 - torch.nn.functional.avg_pool2d(lock[None, None], PER)
    picture = _frame(crop, eyes(found.opening, found.iris, wider, found.painted, bare), 0.5)
    darkest = picture[PER * 58 : PER * 68, PER * 32 : PER * 48].mean(2).min(0)
    assert darkest.max() < 0.15, "grey hair is no lash"


def _above_a_rim() -> tuple[torch.Tensor, Eyes, tuple[int, int], int]:
    """A crop and its eyes as `_painted` has them, with a rim of glasses below in two rows, px, and the eye's bottom."""
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    bottom = EYES[0][0] + HALF[1]
    rim = round((bottom + 2) * PER), round((bottom + 3.5) * PER)
    crop[0, :3, slice(*rim)] = torch.tensor(RED)[:, None, None]
    return crop, found, rim, round(bottom * PER)


def test_a_rim_of_glasses_below_an_eye_stays_when_it_closes() -> None:
    crop, found, rim, bottom = _above_a_rim()
    line = _closed(crop, found)[:, round(EYES[0][1] * PER)]
    assert np.abs(line[sum(rim) // 2] - RED).max() < 0.1
    assert np.abs(line[bottom - PER] - SKIN).max() < 0.1, "and nothing of the eye does"


def test_a_lower_lid_that_smiles_comes_up_behind_a_rim_of_glasses() -> None:
    crop, found, rim, bottom = _above_a_rim()
    frame = look(found, torch.zeros(2), torch.zeros(2), torch.ones(()), torch.zeros(()))
    column = round(EYES[0][1] * PER)
    before, smiling = crop[0, :3, :, column].T, looked(crop, eye_pictures(crop, found), frame)[0, :3, :, column].T
    assert (smiling - before)[rim[0] - PER :].abs().max() < 0.02, "it stays"
    assert (before[bottom - PER] - torch.tensor(WHITE)).abs().max() < 0.02
    assert (smiling[bottom - PER] - torch.tensor(SKIN)).abs().max() < 0.1
    top = round((EYES[0][0] - HALF[1] - LASH_PX - 1) * PER)
    assert (smiling - before)[top : round(EYES[0][0] * PER)].abs().max() < 0.02, "nor is the upper lash laid anew"


@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_a_lower_lash_with_soft_edges_is_no_rim_of_glasses(size: int) -> None:
    """Between ink and skin is what is neither; in the smallest pictures the white of an eye is just above."""
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    plain = torch.nn.functional.interpolate(crop, (size, size), mode="area")
    bottom = round((EYES[0][0] + HALF[1]) * PER)
    crop[0, :3, bottom : bottom + 6] = torch.tensor(BLACK)[:, None, None]
    small = torch.nn.functional.interpolate(crop, (CROP, CROP), mode="area")
    soft = torch.nn.functional.interpolate(small, (size, size), mode="bilinear")
    lifted, without = (eye_pictures(x, found).edges[5].sum() for x in (soft, plain))
    assert lifted == pytest.approx(float(without), rel=0.05) and without > 0


def test_a_lid_is_round_while_it_comes_down() -> None:
    """Half way its lash would be a flat line, as one is that sleeps."""
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    lid = _frame(crop, found, 0.5)
    columns = (round((EYES[0][1] + x) * PER) for x in (-6, 0, 6))
    left, middle, right = (np.flatnonzero(lid[:, at].mean(1) < 0.4)[0] / PER for at in columns)
    assert (left + right) / 2 - middle > 0.35, (left, middle, right)


def test_the_corner_of_an_eye_leaves_nothing_above_its_closed_lash() -> None:
    """Its lash goes round it, and is read less surely there than above."""
    crop, found = _painted(torch.zeros(SIZE, SIZE))
    (row, column), at = EYES[0], torch.arange(CROP) + 0.5
    corner = ((at[:, None] - row - 1.5).abs() < 1.5) & ((at[None] - column + HALF[0] + 1.5).abs() < 1.5)
    crop[0, :3] *= 1 - corner.repeat_interleave(PER, 0).repeat_interleave(PER, 1).float()
    beside = _closed(crop, found._replace(lash=torch.maximum(found.lash, 0.35 * corner)))[round((row + 1) * PER)]
    left = beside[round((column - HALF[0] - 2.5) * PER) : round((column - HALF[0]) * PER)]
    assert np.abs(left - SKIN).max() < 0.15, "no smudge"


def test_hair_beside_an_eye_is_no_wider_behind_its_lash_than_it_is_drawn() -> None:
    """A reading is soft, and what is just above a lash is its own edge."""
    column = EYES[0][1] - HALF[0]
    crop, found = _painted(_lock(0, column + 0.5, 128))
    top = round((EYES[0][0] - HALF[1] * 0.3) * PER)
    end = slice(round((column + 0.5) * PER), round((column + 2.5) * PER))
    crop[0, :3, top - PER : top, end] = 0.3
    read = torch.nn.functional.avg_pool2d(_lock(0, column + 2.5, 128)[None, None], PER)
    closed = _closed(crop, found._replace(bare=torch.minimum(found.bare, 1 - 0.85 * read)))
    assert np.abs(closed[top + PER : top + 2 * PER, end] - SKIN).max() < 0.1


def test_the_tip_of_a_strand_is_drawn_with_lines_as_hair_is() -> None:
    """A strand is so thin that its own colour is that of its lines and of what is between them together."""
    at, light = (torch.arange(SIZE) + 0.5) / PER, torch.tensor((0.85, 0.7, 0.95))
    strand, hair = _lock(38, 42, 58), _lock(20, 60, 50)
    crop, found = _painted(torch.maximum(strand, hair))
    for mask, share in ((strand, 0.5), (hair, 1.0), (hair * ((at % 3) < 1)[None], 0.0)):
        crop[0, :3] += mask * (share * light[:, None, None] - crop[0, :3])
    vaguely = found.bare + 0.2 * torch.nn.functional.avg_pool2d(strand * (1 - hair)[None, None], PER)
    closed = _closed(crop, found._replace(bare=vaguely))
    row = closed[round((EYES[0][0] - HALF[1] - LASH_PX + 1) * PER)].mean(1)
    middle, edges = row[40 * PER], row[round(37.5 * PER) : round(42.5 * PER)].min()
    assert middle > 0.75 * light.mean() and edges < 0.6 * middle, (middle, edges)
