"""Brows that rise, sink and bend, of pieces of the drawing: a drawn brow is taken off and laid elsewhere.

What is behind a brow is the skin about it, or the hair. Where hair lies before a face, a brow goes under it, unless the
drawing shows brows through hair.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import blurred, enlarge
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.eyes import SKIN, Eyes, enlarge_rows, fetched, right
from puppeteer.networks.rig.pictures import beside, filled, reached, share_along, smooth, widened, wider, without_thin
from puppeteer.networks.rig.strokes import centres, course, crossed_by_locks, median

RAISED, LOWERED = 5.5, 0.62  # px of the crop of a brow at 1; of the way to its eye, of one at -1
TROUBLED, ANGRY = (4.0, 2.8), (4.0, 2.4)  # px of the inner and the outer end of a brow whose form is 1, and -1
SUNK, NEARER = 0.8, 1.2  # px, by which an angry one is lower, and nearer to the other
BEND = 1.4  # power of the way to the inner end
KINDS = 4  # of motion: raised, lowered, troubled, angry
LEAST_PX, PAIRED_PX = 2.0, 0.6  # of the crop: what is smaller is no brow, nor the other one of a pair
PAIR_PX = 6.0, 8.0  # of the crop: how much higher one of them may lie, and how much nearer to the middle of the face
LID_PX = 3.0  # of the crop, from the edge of an eye to the upper side of its lash
HALF = 1.8  # deviations of a brow along its length, in half of it
BESIDE_PX, NEAR_PX = (0.6, 2.0), 2.0  # of the crop about a brow over hair, and on skin, its soft edge; no sure skin
ENDS = 3.6, 4.2  # median distances from its middle, where a brow ends
ROWS_PX = 6.0, 8.0  # of the crop above and below its middle, where it ends
END_PX = 2.5  # of the crop beyond what is seen of its ends
NOISE = 0.1  # share of a pixel that is none
LASHES = 0.2, 0.6  # share of a pixel that is lash or eye, from which on nothing is taken off
LINE = 0.08, 0.3  # share of a pixel near a brow, from which on it may go with it
TAKEN = 0.07, 0.25  # share of a pixel that is brow, from which on it is taken off
BARE = 0.3, 0.7  # share of a face without hair, from which on a brow is seen there
CLEAR_PX, CLEAR = 1.5, (0.35, 0.65)  # px of the crop about a place, and how bare the least of it is, without a lock
THROUGH = 0.35, 0.75  # share of a brow under hair that is seen, from which on brows are drawn over hair
HIDDEN = 0.5, 0.9  # share of hair, from which on what is not seen of a brow may be there
PALE = 0.05, 0.85  # of the way from skin to a brow's colour, where it begins, and where it is all brow
DARKER = 1.25  # than where it is surely, a brow's own colour
SEEN = 0.25, 0.6  # share of a pixel that is brow, from which on it is all brow
ALIKE_PX = 3.0  # of the crop: half of how many columns tell a lock's direction
LEANS, STEEPEST, LEANING = 8, 0.8, 0.02  # how many each way; columns aside for each row; and what aside costs
CROSSED = 0.06, 0.13  # share of a brow under hair, from which on it is drawn as one stroke
NEARER_SKIN = -0.02, 0.04  # of 1: how much nearer a colour is to skin than to hair, from which on it may be skin
ABOUT_PX = 3.0  # of the crop about a brow, where colours tell whether it is skin
BEYOND_PX, BEYOND = 3.0, 0.5  # px of the crop above and below, which tell that direction too; and how much that counts
LOCK, LOCK_PX = (1.4, 1.55), 8.0  # how much darker than a brow a lock over it is; px of the crop that its tip hangs
FLAT_PX = 1.0  # px of the crop above and below its middle, up to which a line that is darker may be a brow's own
TAIL_PX, TAIL_WIDE_PX = 7.0, 3.5  # of the crop that ends of brows go on beyond what is read; half of the widest
FAR = 0.6, 1.0  # of a brow's area, from which on what seems to go on from its ends is something else
ALONE_PX = 2.0  # px of the crop about hair, whose own lines end there
TAIL, TAIL_HUE = (0.15, 0.35), 0.15  # of the way from skin to a brow's colour, where its end is; and off it
FAINT = 1e-3
AT_ONCE = 10.0  # how many times as fast as brows move they fade from the drawing


class Brows(NamedTuple):
    """Of B characters, over the crop at 128 px, in single precision."""

    coverage: Tensor  # (B, 1, 128, 128) complete, also under hair
    seen: Tensor  # (B, 1, 128, 128) share of a pixel in which they are seen
    through: Tensor  # (B, 1, 1, 1) how much of a brow shows where hair lies over it
    profile: Tensor  # (B, KINDS, 128) px down, in each column, of brows that are raised, lowered, troubled and angry
    found: Tensor  # (B, 2) 1 where there is a brow on the viewer's left and right


class BrowLook(NamedTuple):
    """What a frame asks of them."""

    brows: Brows  # the same tensors in every frame
    amounts: Tensor  # (2, KINDS) of the brows on the viewer's left and right, 0 to 1


class BrowPictures(NamedTuple):
    """Of one character, over the crop at any size."""

    layer: Tensor  # (1, 4, h, h) premultiplied
    taken: Tensor  # (1, 1, h, h) where a brow is drawn
    skin: Tensor  # (1, 3, h, h) what is behind it
    shows: Tensor  # (1, 1, h, h) how much of a brow that lies here is seen
    profile: Tensor  # (KINDS, h) px of the crop, as in `Brows`


def found_brows(coverage: Tensor, seen: Tensor, eyes: Eyes) -> Brows:
    """From what is read of them (B, 1, 128, 128), and where the eyes are."""
    line = torch.arange(CROP, device=seen.device, dtype=seen.dtype) + 0.5
    viewers_right = right(eyes.middle, CROP)
    both = [_brow(seen, eyes, line, here, side) for side, here in enumerate((~viewers_right, viewers_right))]
    inside, profile = (torch.where(viewers_right[:, None], both[1][k], both[0][k]) for k in (0, 1))
    found = _pair(both[0][2], both[1][2], eyes.middle)
    inside = inside * torch.where(viewers_right, found[:, 1:], found[:, :1])[:, None]
    coverage, seen = coverage * inside[:, None], seen * inside[:, None]
    hair = 1 - eyes.bare
    under = (coverage * hair).sum((1, 2, 3), keepdim=True)
    through = smooth((torch.minimum(seen, coverage) * hair).sum((1, 2, 3), keepdim=True) / (under + 1), *THROUGH)
    return Brows(coverage, seen, through, profile, found)


def _pair(left: Tensor, right: Tensor, middle: Tensor) -> Tensor:
    """`Brows.found`, from area, row and column (B, 3) of both: of a pair, one may be paler, or half under hair."""
    area, row, column = torch.stack([left, right], 2).unbind(1)
    away = (column - middle[:, None]).abs()
    level, even = PAIR_PX
    alike = ((row[:, :1] - row[:, 1:]).abs() < level) & ((away[:, :1] - away[:, 1:]).abs() < even)
    return ((area > LEAST_PX) | (alike & (area > PAIRED_PX) & (area.flip(1) > LEAST_PX))).to(area.dtype)


def _brow(seen: Tensor, eyes: Eyes, line: Tensor, here: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of the brow on the viewer's left or right, in the columns `here` (B, 128): (B, 128, 128) where it lies,
    `Brows.profile`, and (B, 3) its area, row and column."""
    part = (seen[:, 0] - NOISE).clamp(min=0) / (1 - NOISE) * here[:, None]

    def spanned(columns: Tensor) -> tuple[Tensor, Tensor]:
        total = columns.sum(1, keepdim=True).clamp(min=FAINT)
        mean = (columns * line).sum(1, keepdim=True) / total
        return mean, ((columns * (line - mean) ** 2).sum(1, keepdim=True) / total).sqrt()

    columns = part.sum(1)
    away = (line - median(line.expand_as(columns), columns)).abs()  # medians: beside a brow are clips and locks
    near = 1 - smooth(away / median(away, columns).clamp(min=1), *ENDS)
    column, deviation = spanned(columns * near)
    half = (HALF * deviation).clamp(min=1)
    row, _ = spanned((part * near[:, None]).sum(2))
    level = 1 - smooth((line - row).abs(), *ROWS_PX)  # a crease of a lid is another line
    row, _ = spanned((part * near[:, None]).sum(2) * level)
    inside = near[:, None] * level[..., None]
    area = (part * inside).sum((1, 2))
    s = ((line - column) * (1 if side else -1) / half).clamp(-1.2, 1.2)  # -1 the inner end
    lid = torch.where(here, eyes.lids[:, 0], torch.full_like(eyes.lids[:, 0], CROP)).amin(1, keepdim=True)
    room = torch.where(
        eyes.found[:, side, None] > 0, LOWERED * (lid - LID_PX - row), torch.full_like(row, LOWERED * RAISED)
    )

    def ends(inner: float, outer: float) -> Tensor:
        return inner * (-s).clamp(min=0) ** BEND - outer * s.clamp(min=0)

    raised, lowered = torch.full_like(s, -RAISED), room.clamp(0, RAISED).expand_as(s)
    profile = torch.stack([raised, lowered, -ends(*TROUBLED), ends(*ANGRY) + SUNK], 1)
    return inside, profile, torch.cat([area[:, None], row, column], 1)


def brow_look(brows: Brows, raised: Tensor, form: Tensor) -> BrowLook:
    """raised (2,) of the character's left and right, form (): of the pose, of one character."""
    raised = raised.flip(0)
    form = form.expand(2)
    amounts = torch.stack([raised, -raised, form, -form], 1).clamp(0, 1)
    return BrowLook(brows, amounts * brows.found[0, :, None])


def near(brows: Brows) -> Tensor:
    """(B, 1, 128, 128) where brows are drawn, and their soft edges."""
    return smooth(wider(brows.seen, round(NEAR_PX)), *TAKEN)


def across(colour: Tensor, taken: Tensor) -> Tensor:
    """Colours (1, 3, h, h) in which what is taken off (1, 1, h, h) is what lies above and below it, along the locks
    that run through: in the direction in which the two are most alike.

    After edge-based line averaging (Doyle and Looymans 1990, "Progressive scan conversion using edge information").
    """
    size = colour.shape[-1]
    above, below = beside(taken >= FAINT)
    high = (below - above).clamp(min=1).to(colour.dtype)
    row, column = centres(size, colour.device)[:, None] - 0.5, centres(size, colour.device) - 0.5
    way = (row - above) / high
    lean = _lean(colour, above, below, size / CROP)

    def ends(rows: Tensor, by: Tensor) -> Tensor:
        at = (column + by).clamp(0, size - 1)
        left = at.long()
        right = (left + 1).clamp(max=size - 1)
        one, other = (colour[0][:, rows.gather(1, k), k] for k in (left, right))
        return torch.lerp(one, other, at - left)

    aside = lean * high
    return torch.lerp(ends(above, -aside * way), ends(below, aside * (1 - way)), way)[None]


def _lean(colour: Tensor, above: Tensor, below: Tensor, per: float) -> Tensor:
    """(h,) columns that locks go aside for each row down, through what is taken off between rows (h, h)."""
    size, deep = colour.shape[-1], (below - above).amax(0)
    at = (below - above).argmax(0)
    column = torch.arange(size, device=colour.device)
    top, bottom = above[at, column], below[at, column]
    reach, far = max(1, round(ALIKE_PX * per)), max(1, round(BEYOND_PX * per))
    costs = []
    leans = [STEEPEST * k / LEANS for k in range(-LEANS, LEANS + 1)]
    for lean in leans:
        left, right = ((column + (by * lean * deep).round().long()).clamp(0, size - 1) for by in (-0.5, 0.5))
        unlike = (colour[0][:, top[left], left] - colour[0][:, bottom[right], right]).abs().mean(0)
        # What lies beyond goes the same way.
        for row, down in ((top, -far), (bottom, far)):
            beside = (column + round(lean * down)).clamp(0, size - 1)
            further = colour[0][:, (row + down).clamp(0, size - 1), beside]
            unlike = unlike + BEYOND * (colour[0][:, row, column] - further).abs().mean(0)
        costs.append(F.avg_pool1d(F.pad(unlike[None], (reach, reach)), 2 * reach + 1, 1)[0] + LEANING * abs(lean))
    best = torch.tensor(leans, device=colour.device)[torch.stack(costs).argmin(0)] * (deep > 1)
    return F.avg_pool1d(F.pad(best[None], (reach, reach), mode="replicate"), 2 * reach + 1, 1)[0]


def brow_pictures(inside: Tensor, brows: Brows, eyes: Eyes) -> BrowPictures:
    """Of the middle of a premultiplied drawing (1, 4, h, h)."""
    size = inside.shape[-1]
    straight = inside[:, :3] / inside[:, 3:].clamp(min=1 / 255)
    viewers_right, free = right(eyes.middle, size)[0], enlarge(eyes.bare, size)
    sides, bare = (~viewers_right, viewers_right), smooth(free, *BARE)
    seen, coverage = enlarge(brows.seen, size), enlarge(brows.coverage, size)
    others = smooth(enlarge(torch.maximum(eyes.lash, eyes.opening), size), *LASHES)
    wide = wider(seen, max(1, round(BESIDE_PX[1] * size / CROP)))
    skinlike = 1 - smooth((straight - eyes.skin).abs().amax(1, keepdim=True), *SKIN)
    forehead = skinlike * _nearer(straight, eyes.skin, inside[:, 3:] * (1 - free))
    beside_it, about_px = 1 - smooth(wide, *LINE), ABOUT_PX * size / CROP
    apart = 1 - blurred(forehead * beside_it, about_px) / blurred(beside_it, about_px).clamp(min=FAINT)
    # A forehead that is read as hair, but looks like skin, is none.
    under = (coverage * torch.minimum(1 - bare, apart)).sum() / coverage.sum().clamp(min=FAINT)
    crossed = smooth(under, *CROSSED)
    free = torch.maximum(free, (1 - apart) * (1 - crossed))
    bare = smooth(free, *BARE)
    further, through = crossed_by_locks(straight[0], coverage[0, 0], free[0, 0], sides)
    further, through = crossed * further, torch.maximum(brows.through, crossed * through)
    seen, coverage = torch.maximum(seen, further), torch.maximum(coverage, further)
    sure = torch.minimum(coverage, seen).square().square() + FAINT**3
    line = (sure * (straight - eyes.skin)).sum((2, 3), keepdim=True) / sure.sum((2, 3), keepdim=True)
    over = _locks(share_along(straight - eyes.skin, line), free)
    alone = (1 - wider(over, round(ALONE_PX * size / CROP))) * (1 - crossed)
    within = 1 - wider(1 - bare, round(ALONE_PX * size / CROP))
    tails = _tails(straight, line, seen, alone * within * (1 - others), sides)
    seen = torch.maximum(seen, tails)
    shows = (bare + (1 - bare) * through) * (1 - over)
    # What is put in its place has the locks' own lines for a short way only; on skin it may reach over thin ends.
    thin, wide = (wider(seen, max(1, round(px * size / CROP))) for px in BESIDE_PX)
    plain = torch.maximum(skinlike, smooth(wide, *LINE))
    clear = torch.minimum(smooth(free, *CLEAR), plain)
    clear = -wider(-clear, round(CLEAR_PX * size / CROP))
    about = torch.lerp(thin, widened(wide, round(END_PX * size / CROP), 3), clear)
    about = torch.maximum(about, widened(thin, round(END_PX * size / CROP), 3) * skinlike * alone)
    taken = smooth(about, *TAKEN) * torch.maximum(shows, smooth(seen, *SEEN)) * (1 - torch.maximum(others, over))
    skin = across(straight, taken)
    away = straight - skin
    # Its own colour is drawn where it is surely; thin ones are paler there.
    sure = sure * (away.abs().amax(1, keepdim=True) + FAINT)
    colour, behind = ((sure * x).sum((2, 3), keepdim=True) / sure.sum((2, 3), keepdim=True) for x in (straight, skin))
    colour = (behind + DARKER * (colour - behind)).clamp(0, 1)
    line = colour - skin
    own = ((share_along(away, line) - PALE[0]) / (PALE[1] - PALE[0])).clamp(0, 1) * smooth(wide, *LINE) * taken
    drawn = torch.cat([torch.minimum((straight - skin * (1 - own)).clamp(min=0), own), own], 1)
    # Over hair its edges cannot be told from those of locks.
    plain = torch.cat([colour.expand_as(skin), torch.ones_like(own)], 1) * smooth(coverage, *SEEN) * taken
    seen_layer = torch.lerp(plain, drawn, bare)
    hidden = smooth(1 - free, *HIDDEN) * smooth(coverage, *SEEN) * (1 - taken)
    layer = seen_layer + hidden * torch.cat([colour.expand_as(skin), torch.ones_like(hidden)], 1)
    # Of one that locks cross, no more than its course is sure.
    stroke = torch.maximum(*(course(coverage[0, 0] * side).stroke() for side in sides))[None, None]
    layer = torch.lerp(layer, torch.cat([colour * stroke, stroke], 1), crossed)
    return BrowPictures(layer, taken, skin, shows, enlarge_rows(brows.profile[0], size))


def _nearer(straight: Tensor, skin: Tensor, hair: Tensor) -> Tensor:
    """(1, 1, h, h) 1 where colours (1, 3, h, h) are nearer to `skin` than to those of what is read as `hair`: white
    hair is not far from skin."""
    other = (straight * hair).sum((2, 3), keepdim=True) / hair.sum((2, 3), keepdim=True).clamp(min=FAINT)
    near, far = ((straight - colour).abs().amax(1, keepdim=True) for colour in (skin, other))
    return smooth(far - near, *NEARER_SKIN)


def _locks(dark: Tensor, free: Tensor) -> Tensor:
    """(1, 1, h, h) tips of locks over brows that are not read as hair: they hang from what is, and are more than `dark`
    as brows."""
    size = dark.shape[-1]
    dark = without_thin(smooth(dark, *LOCK), max(1, round(FLAT_PX * size / CROP)), 2)
    tips = reached(dark * (1 - smooth(free, *BARE)), dark, round(LOCK_PX * size / CROP))
    return wider(tips, max(1, round(size / CROP / 2))) * smooth(free, *BARE)


def _tails(straight: Tensor, line: Tensor, seen: Tensor, may: Tensor, sides: tuple[Tensor, Tensor]) -> Tensor:
    """(1, 1, h, h) where ends of brows go on in their own colour, of colours (1, 3, h, h), within what `may` be brow,
    in the columns (h,) of two `sides`. `line` leads from skin to a brow's colour."""
    size = straight.shape[-1]
    away = straight - filled(straight, round(TAIL_WIDE_PX * size / CROP))  # from what is without lines
    share = share_along(away, line)
    alike = ((away - share * line).abs().amax(1, keepdim=True) < TAIL_HUE).to(share.dtype)
    start, read = smooth(seen, *SEEN), smooth(seen, *TAKEN)
    more = reached(start, smooth(share, *TAIL) * alike * may, round(TAIL_PX * size / CROP)) * may
    # Lines that lead far are those of locks.
    further = [((1 - read) * more * here).sum() / (read * here).sum().clamp(min=1) for here in sides]
    return more * sum(here * (1 - smooth(share, *FAR)) for here, share in zip(sides, further, strict=True))


def browed(inside: Tensor, shown: BrowPictures, look: BrowLook, middle: Tensor) -> Tensor:
    """The middle of a premultiplied drawing (1, 4, h, h) with its brows elsewhere, parted in column `middle` (1,)."""
    size, alpha = inside.shape[-1], inside[:, 3:]
    viewers_right = right(middle, size)[0]
    down = torch.where(viewers_right, look.amounts[1] @ shown.profile, look.amounts[0] @ shown.profile)
    aside = NEARER * torch.where(viewers_right, -look.amounts[1, 3], look.amounts[0, 3])
    at_once = (AT_ONCE * look.amounts.amax(1)).clamp(max=1)
    at_once = torch.where(viewers_right, at_once[1], at_once[0])
    at, per_px = centres(size, inside.device), size / CROP
    line = fetched(shown.layer, at - aside * per_px, at[:, None] - down * per_px, "zeros") * shown.shows
    bare = inside[:, :3] + shown.taken * (shown.skin * alpha - inside[:, :3])
    laid = bare * (1 - line[:, 3:]) + line[:, :3] * alpha
    return torch.cat([inside[:, :3] + at_once * (laid - inside[:, :3]), alpha], 1)
