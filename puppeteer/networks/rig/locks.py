"""Locks that end over an eye: over its lid they go on to tips of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.pictures import smooth
from puppeteer.networks.rig.reader import spread

SURELY = 0.85, 0.98  # share of hair from which on a place has its colour
CERTAIN = 0.95, 0.99  # the same from which on no colours are asked
UNLIKE = 0.06, 0.2  # of 1: how much a lock differs from skin
HAIR = 0.5  # share of hair from which on a place is a lock's
WIDEST_PX, LEAST_PX = 9.0, 1.5  # of the crop: a wider fringe is several locks, and what is narrower is none
LONG, SHORTEST_PX, LONGEST_PX = 1.3, 5.0, 7.0  # of its width, and px of the crop, how far a lock goes on to its tip
DEEP = 0.8  # of the height of what it hangs over, at most
POINTED = 0.7  # a tip's outline: the power of what is left of its length
RISES, RISES_PX, SOFT_PX = 0.6, 4.0, 1.0  # of its width, and px of the crop above the eye, where it begins; soft edges
WIDENS, WIDENS_PX = 0.5, 1.5  # of its width, and px of the crop: how much wider a lock, or a strand, may be there
OVER_PX = 2.5  # px of the crop above an eye, from which on shadows of its lashes on a lock are painted over
HANGING, UPRIGHT = 0.7, 0.2  # the same of one that hangs beside an eye, and what it leans at most
HANGING_PX, CORNER_PX = 3.0, 3.0  # of the crop: how wide such a one is at least, and how near to the eye's corner
AWAY = 0.6  # columns aside for each row down, from which on one does not hang there, but goes away from the eye
FINEST, FINE = 0.75, 15  # the most of them that is looked at then, and in how many steps
CREASE_PX = 4  # px of the crop above an eye in which it is told how a strand lies
LINE_PX, INK, INK_MOST = 1.0, 0.15, 0.6  # of the crop, its outline, and how much darker that is, of a strand's at most
FILLED, LIT = 0.8, 3.5  # how much of their tips' colour is that of hair about them; how much more of what is light
STRAND_PX, APART_PX = 3.5, 4.0  # px of the crop: how wide strands are at most, and how far from the next one
SPLIT_PX = 1.0  # the same: how far two of them may seem apart that are one
THIN = 1.3  # of a strand's greatest width, up to which a lock is mostly outline
GLEAM_PX = 2.0  # px of the crop: a gleam on a lock, which is as light as skin, is no wider
BETWEEN_PX = 2.5  # px of the crop over which what is seen of skin between locks is left out
NARROWS_PX = 2.5, 5.0  # px of the crop above an eye, between which it is told how a lock narrows
NARROWS, NARROWS_MOST, WIDENS_MOST = 0.3, 1.0, 0.2  # px for each row down: it, and a side of it
SLOPE_PX, STEEPEST = 4.0, 0.7  # px of the crop along which a lock's direction is told, and px aside for each down
LEVEL_PX, STEEP = 2.0, 1.5  # px of the crop over which an eye's edge is evened; and rows for each column
LIKE, APART = (0.35, 0.65), (0.1, 0.2)  # how much more like hair than skin a lock is; and how unlike these have to be
FAINT = 1e-3
ACROSS_PX = 8.0  # px of the crop under which a lock that comes out again goes on


def like_hair(colours: Tensor, skin: Tensor, hair: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 3, H, W) of a drawing, and of its skin and hair -> (..., H, W) how much more like hair than skin these are,
    and how surely that can be told."""
    pairs = (colours, skin), (colours, hair), (hair, skin)
    from_skin, from_hair, between = ((a - b).square().sum(-3) for a, b in pairs)
    return smooth(from_skin / (from_skin + from_hair).clamp(min=FAINT), *LIKE), smooth(between.sqrt(), *APART)


class Locks(NamedTuple):
    """Over the crop at a size h."""

    colour: Tensor  # (3, h, h) not multiplied
    cover: Tensor  # (h, h)
    drawn: Tensor  # (h, h) 1 where a lock that has a tip went on as wide as it is drawn, if it had none
    above: Tensor  # (h, h) how much of it is laid above the eye, where such a lock begins to narrow


class Lock(NamedTuple):
    """What ends at an eye."""

    first: int  # column
    last: int
    anchor: float  # the column that it narrows to
    lean: float  # columns aside for each row down


def tips(straight: Tensor, skin: Tensor, hair: Tensor, surely: Tensor, seen: Tensor, taken: Tensor) -> Locks:
    """Locks that end at an eye, `taken` (h, h), go on over it to a tip, or to where they come out of it again;
    `straight` (3, h, h) has the colours, `skin` (3, h, h) those of bare skin, `hair` (h, h) is 1 where locks lie, and
    `surely` (h, h) where they do without a look at their colours, `seen` (h, h) where these tell as well."""
    size = taken.shape[-1]
    per = size / CROP
    out = Locks(torch.zeros_like(straight), *(torch.zeros_like(hair) for _ in range(3)))
    if taken.is_meta:  # how many there are is told by values
        return out
    row = torch.arange(size, device=taken.device)
    there = taken.any(0)
    top = torch.where(taken, row[:, None], size).amin(0)
    bottom = torch.where(taken, row[:, None], -1).amax(0)
    near = max(1, round(per))
    above, below = (top - 1).clamp(0, size - 1), (bottom + 1).clamp(0, size - 1)
    level, steep = _level(top, there, per)
    rows_above = [(above - k).clamp(min=0) for k in range(near, CREASE_PX * near)]
    hair_above, sure_above = (x[rows_above[0], row] * there for x in (hair, surely))
    seen_below = seen[(below + near).clamp(max=size - 1), row] * there
    seen_above = seen[rows_above[0], row] * there
    deep, lit = bottom - top + 1.0, _ends(straight, above, 0.0, range(2 * near))
    unlike = smooth((lit - skin[:, above, row]).abs().amax(0), *UNLIKE)
    # Beside a lock's tip lie creases and ends of brows; hair is what is most unlike skin.
    weight = surely * ~taken * (straight - skin).square().sum(0)
    colour = spread(straight[None], weight[None, None])[0][:, above, row]
    higher = _ends(straight, above, 0.0, range(near, 4 * near))
    like, apart = like_hair(*(x[:, None] for x in (higher, skin[:, above, row], colour)))
    # White hair may be as light as skin, and a reading that is sure needs no colours.
    sure = smooth(sure_above, *CERTAIN)
    may = ~steep * torch.maximum(unlike, sure)
    told = torch.maximum(torch.lerp(torch.ones_like(like), like, apart)[0], sure)

    def lie(over: Tensor) -> list[tuple[int, int]]:
        joined = _joined(over * may * told > HAIR, round(GLEAM_PX * per))
        return _runs(joined & (over * may > HAIR), LEAST_PX * per)

    # A crease above an eye is as dark as the strands that it crosses.
    usual = lie(torch.stack([hair[rows, row] for rows in rows_above]).median(0).values * there)
    runs = _whole(_crossed(lie(hair_above), usual, STRAND_PX * per), per)
    bright = torch.exp(LIT * (straight.mean(0) - 1))  # what is between the lines that hair is drawn with
    fill = spread(straight[None], (smooth(surely, *SURELY) * ~taken * bright)[None, None])[0]
    room = [0.0, *((b[0] - a[1]) / 2 for a, b in pairwise(runs)), float(size)]
    strands = [False, *(_are_strands(a, b, deep, per) for a, b in pairwise(runs)), False]
    for k, (first, last) in enumerate(runs):
        thin = any(strands[k : k + 2]) or last - first <= THIN * STRAND_PX * per
        where = seen if thin else hair  # a soft reading ties strands together
        beside = [0 <= b < size and bool(where[above[a], b] > HAIR) for a, b in ((first, first - 1), (last, last + 1))]
        beside = [there and not strand for there, strand in zip(beside, strands[k : k + 2], strict=True)]
        lean = _slope(straight, first, last, above, per)
        # A crease above an eye may be as dark as a lock, but does not go on.
        along = _ends(hair[None], above, lean, range(near, max(near + 1, round(SLOPE_PX * per))))[0]
        if along[first : last + 1].mean() < HAIR or (level[last] - level[first]).abs() > STEEP * (last - first):
            continue
        # What passes by an eye goes on with the rest of it.
        if beside[0] != beside[1]:
            lean = _hanging(straight, (first, last), lean, beside, above, per)
        # Hair on both sides of one lock ends with it, sooner or later.
        if all(beside) and _within(first, last, deep, per) and _count(first, last, per) == 1:
            if last - first < STRAND_PX * per:  # another strand may lie where it would come from
                lean = _finer_slope(straight, (first, last), above, per)
            beside, lean = [False, False], min(max(lean, -UPRIGHT), UPRIGHT)
            room[k : k + 2] = [min(x, WIDENS_PX * per) for x in room[k : k + 2]]
        over = round(OVER_PX * per)
        ends, ink = _without(_ends(straight, above, lean, range(over, over + 2 * near)), skin[:, above, row], per), INK
        if thin:  # one that narrows would be no more
            filled = torch.lerp(ends, fill[:, above, row], FILLED)
            ink, ends = _ink(ends, filled, first, last), filled
        light = ends.mean(0)
        rooms = [0.0 if there else most for there, most in zip(beside, room[k : k + 2], strict=True)]
        for lock in _parted(first, last, light, beside, lean, deep, per):
            narrowing = None if any(beside) else _narrowing(straight, skin, lock, level, per)
            _tip(out, ends, where, lock, narrowing, rooms, ink, level, deep, per)
    for k in range(1, len(runs)):
        if strands[k]:  # a crease between them would tie them together
            skin_at = slice(runs[k - 1][1] + 1, runs[k][0])
            down = (row[:, None] + 0.5 - level[skin_at]) / (OVER_PX * per)
            skins = (2 + down).clamp(0, 1) * (down < 0) * (1 - hair[:, skin_at])
            out.above[:, skin_at] = torch.maximum(out.above[:, skin_at], skins)
            out.drawn[:, skin_at] = torch.maximum(out.drawn[:, skin_at], (down.abs() < 2).to(out.drawn.dtype))
    high = deep.clamp(min=1)
    t = ((row[:, None] - top) / high).clamp(0, 1)
    through = torch.minimum(smooth(seen_above, 0.3, 0.7), smooth(seen_below, 0.3, 0.7))
    through = (through * (1 - smooth(high / per, ACROSS_PX, 1.5 * ACROSS_PX)))[None] * taken
    between = torch.lerp(straight[:, above, row][:, None], straight[:, below, row][:, None], t)
    return Locks(torch.lerp(out.colour, between, through), torch.maximum(out.cover, through), out.drawn, out.above)


def _ink(drawn: Tensor, filled: Tensor, first: int, last: int) -> float:
    """How much darker than what fills it, `filled` (3, h), the outline of a strand is that is `drawn` (3, h)."""
    dark, usual = drawn[:, first : last + 1].mean(0).amin(), filled[:, first : last + 1].mean()
    return min(max(float(1 - dark / usual.clamp(min=FAINT)), INK), INK_MOST)


def _ends(picture: Tensor, above: Tensor, lean: float, up: range) -> Tensor:
    """(C, h) mean of a picture (C, h, h) in each column, `up` px above rows `above` (h,), along locks that lean."""
    size = picture.shape[-1]
    column = torch.arange(size, device=picture.device)
    rows = [picture[:, (above - k).clamp(min=0), (column - round(lean * k)).clamp(0, size - 1)] for k in up]
    return torch.stack(rows).mean(0)


def _without(ends: Tensor, skin: Tensor, per: float) -> Tensor:
    """Colours (3, h) of locks, without the `skin` (3, h) that is seen between them."""
    reach = round(BETWEEN_PX * per)
    lock = smooth((ends - skin).abs().amax(0, keepdim=True), *UNLIKE) + FAINT
    total, weight = (F.avg_pool1d(x, 2 * reach + 1, 1, reach) for x in (ends * lock, lock))
    return torch.lerp(total / weight, ends, lock.clamp(max=1))


def _level(top: Tensor, there: Tensor, per: float) -> tuple[Tensor, Tensor]:
    """The rows (h,) in which locks end, without what is uneven in `top`, and where that is too steep for it."""
    reach = max(1, round(LEVEL_PX * per))
    padded = F.pad(torch.where(there, top, 0)[None].float(), (reach, reach))
    count = F.avg_pool1d(F.pad(there[None].float(), (reach, reach)), 2 * reach + 1, 1)[0]
    level = F.avg_pool1d(padded, 2 * reach + 1, 1)[0] / count.clamp(min=FAINT)
    rise = (level[2 * reach :] - level[: -2 * reach]).abs() / (2 * reach)
    return torch.maximum(level, top.float()), F.pad(rise, (reach, reach), value=0) > STEEP


def _joined(there: Tensor, reach: int) -> Tensor:
    """Columns (h,) that are true, and gaps between them of at most `reach`."""
    wide = F.pad(there[None].float(), (reach, reach))
    wide = F.max_pool1d(wide, reach + 1, 1)
    return -F.max_pool1d(-wide, reach + 1, 1)[0] > 0


def _runs(hair: Tensor, least: float) -> list[tuple[int, int]]:
    """First and last of columns (h,) in a row that are true."""
    edges = torch.diff(F.pad(hair.int(), (1, 1))).tolist()
    firsts, ends = ([k for k, edge in enumerate(edges) if edge == way] for way in (1, -1))
    return [(first, end - 1) for first, end in zip(firsts, ends, strict=True) if end - first >= least]


def _crossed(runs: list[tuple[int, int]], usual: list[tuple[int, int]], most: float) -> list[tuple[int, int]]:
    """Runs of columns; one that is thinner than `most` is the one that it overlaps in `usual`, where that is too."""

    def thin(run: tuple[int, int]) -> bool:
        return run[1] - run[0] < most

    out = []
    for run in runs:
        same = [b for b in usual if b[0] <= run[1] and run[0] <= b[1]]
        out.append(same[0] if len(same) == 1 and thin(run) and thin(same[0]) else run)
    return out


def _whole(runs: list[tuple[int, int]], per: float) -> list[tuple[int, int]]:
    """The same, but for what is so thin, and so near to the next, that both are sides of one strand."""
    out: list[tuple[int, int]] = []
    for run in runs:
        near = bool(out) and run[0] - out[-1][1] - 1 <= SPLIT_PX * per
        if near and max(run[1] - run[0], out[-1][1] - out[-1][0]) < STRAND_PX * per:
            out[-1] = (out[-1][0], run[1])
        else:
            out.append(run)
    return out


def _are_strands(one: tuple[int, int], other: tuple[int, int], deep: Tensor, per: float) -> bool:
    """Whether two runs of columns lie side by side over an eye, not at its end, and are so thin that each has a tip of
    its own."""
    widest = max(one[1] - one[0], other[1] - other[0])
    return _within(one[0], other[1], deep, per) and widest < STRAND_PX * per and other[0] - one[1] <= APART_PX * per


def _count(first: int, last: int, per: float) -> int:
    return max(1, round((last - first + 1) / (WIDEST_PX * per)))


def _within(first: int, last: int, deep: Tensor, per: float) -> bool:
    """Whether an eye goes on to both sides of columns; `deep` as for `_outermost`."""
    near = round(CORNER_PX * per)
    return bool(deep[max(0, first - near)] > 1) and bool(deep[min(len(deep) - 1, last + near)] > 1)


def _parted(
    first: int, last: int, light: Tensor, beside: list[bool], lean: float, deep: Tensor, per: float
) -> list[Lock]:
    """Locks of a run of columns: a wide one parts where it is dark, and what goes on beside it narrows to there."""
    width, count = last - first + 1, _count(first, last, per)
    if count == 2 and beside[0] != beside[1]:
        whole = Lock(first, last, float(first if beside[0] else last), lean)
        count = 1 if _outermost(whole, deep, per) else 2
    cuts = [first]
    for k in range(1, count):
        at, by = first + width * k / count, width / count / 3
        span = slice(int(at - by), int(at + by) + 1)
        cuts.append(span.start + int(light[span].argmin()))
    cuts.append(last + 1)
    locks = [Lock(a, b - 1, (a + b - 1) / 2, lean) for a, b in pairwise(cuts)]
    if beside[0]:
        locks[0] = locks[0]._replace(anchor=float(first))
    if beside[1]:
        locks[-1] = locks[-1]._replace(anchor=float(last))
    return locks


def _tip(
    out: Locks,
    ends: Tensor,
    hair: Tensor,
    lock: Lock,
    narrowing: tuple[Lock, float] | None,
    rooms: Sequence[float],
    ink: float,
    level: Tensor,
    deep: Tensor,
    per: float,
) -> None:
    """Lays a lock whose colours are `ends` (3, h) where it reaches an eye, as `_narrowing` says where that knows."""
    size, width, read = ends.shape[-1], lock.last - lock.first + 1, lock
    high = deep[lock.first : lock.last + 1]
    hangs = _outermost(lock, deep, per)
    long = (
        float(high.amax())
        if hangs
        else min(max(LONG * width, SHORTEST_PX * per), LONGEST_PX * per, DEEP * float(high.mean()))
    )
    if narrowing is not None and not hangs:
        lock, long = narrowing[0], min(long, narrowing[1])
        width = lock.last - lock.first + 1
    rise = 0.0 if hangs else min(RISES * width, RISES_PX * per)
    middle = level[lock.first : lock.last + 1].mean()
    widens = max(WIDENS * width, WIDENS_PX * per if width < STRAND_PX * per else 0.0)
    first, last = _higher(hair, lock, float(middle) - rise, rise, tuple(min(x, widens) for x in rooms))
    reach = int(abs(lock.lean) * max(long, rise) + max(lock.first - first, last - lock.last)) + round(SOFT_PX * per) + 1
    left, right = min(lock.first, read.first) - reach, max(lock.last, read.last) + reach
    columns = torch.arange(max(0, left), min(size, right + 1), device=ends.device)
    row = torch.arange(size, device=ends.device)[:, None] + 0.5
    down, over = row - (level[columns] if hangs else middle), row - level[columns]
    here = (down < long) * (torch.maximum(down + rise, over + OVER_PX * per) > -1)
    along = (1 - (down + rise) / (long + rise)).clamp(0, 1) ** (HANGING if hangs else POINTED)
    straight_on = columns - lock.lean * down
    begins, stops = (lock.anchor + (x - lock.anchor) * along for x in (first, last))
    inside = [(x + 1).clamp(min=0) for x in (straight_on - begins, stops - straight_on)]
    cover = torch.minimum(*inside).clamp(max=1) * here
    free = [x for x, end in zip(inside, (lock.first, lock.last), strict=True) if lock.anchor != end]
    line = (1 - (torch.stack(free or inside).amin(0) - 1).abs() / (LINE_PX * per)).clamp(min=0)
    share = ((straight_on - begins) / (stops - begins).clamp(min=0.5)).clamp(0, 1)
    at = lock.first + share * (lock.last - lock.first)
    before = at.long()
    after = (before + 1).clamp(max=lock.last)
    colour = torch.lerp(ends[:, before], ends[:, after], at - before) * (1 - ink * line)
    out.colour[:, :, columns] = torch.lerp(out.colour[:, :, columns], colour, (cover > out.cover[:, columns]).float())
    out.cover[:, columns] = torch.maximum(out.cover[:, columns], cover)
    # What it was before it became a tip.
    up = (-down / max(rise, 1)).clamp(0, 1)
    soft = [SOFT_PX * per * (1 - up) * (lock.anchor != end) for end in (lock.first, lock.last)]
    from_, to = (
        torch.lerp(ends.new_tensor(float(a)), ends.new_tensor(b), up)
        for a, b in ((min(lock.first, read.first), first), (max(lock.last, read.last), last))
    )
    whole = here * (straight_on >= from_ - soft[0]) * (straight_on <= to + soft[1])
    out.drawn[:, columns] = torch.maximum(out.drawn[:, columns], whole.to(cover.dtype))
    laid = torch.maximum(1 - cover, (1 + over / (OVER_PX * per)).clamp(0, 1)) * whole * (over < 1) * (deep[columns] > 0)
    out.above[:, columns] = torch.maximum(out.above[:, columns], laid)


def _higher(hair: Tensor, lock: Lock, row: float, rise: float, rooms: tuple[float, ...]) -> tuple[float, float]:
    """Between which columns a lock lies in a `row` that is `rise` px above its end, less what it leans by then; it may
    be wider there by so many px to its left and right, `rooms`."""
    size, aside = hair.shape[-1], round(-lock.lean * rise)
    there = (hair[max(0, int(row))] > HAIR).tolist()

    def edge(at: int, step: int, room: float) -> float:
        column = at
        while abs(column + step - at) <= room and 0 <= column + step + aside < size and there[column + step + aside]:
            column += step
        while column == at or (column - lock.anchor) * step > 0:
            if 0 <= column + aside < size and there[column + aside]:
                break
            column -= step
        return float(column)

    ends = (lock.first, -1, rooms[0]), (lock.last, 1, rooms[1])
    first, last = (float(at) if lock.anchor == at or room <= 0 else edge(at, step, room) for at, step, room in ends)
    return first, last


def _narrowing(straight: Tensor, skin: Tensor, lock: Lock, level: Tensor, per: float) -> tuple[Lock, float] | None:
    """Where a lock whose outlines come together above an eye ends by these: as it lies in its `level` then, and in how
    many rows below that they meet. None where they do not."""
    row = float(level[lock.first : lock.last + 1].mean())
    near, far = (px * per for px in NARROWS_PX)
    middle = (lock.first + lock.last) // 2
    rows = slice(max(0, int(row - 3 * far)), max(1, int(row - far)))
    own = straight[:, rows, lock.first : lock.last + 1].flatten(1).median(1).values[:, None]
    sides = []
    for up in (near, far):
        at = max(0, int(row - up))
        like = like_hair(*(x[:, None] for x in (straight[:, at], skin[:, at], own.expand_as(straight[:, at]))))[0][0]
        runs = [run for run in _runs(like > HAIR, 1) if run[0] <= middle <= run[1]]
        if not runs:
            return None
        sides.append(runs[0])
    (left, right), (left_before, right_before) = sides
    from_left, from_right = (left - left_before) / (far - near), (right_before - right) / (far - near)
    first, last = left + from_left * near, right - from_right * near
    together = from_left + from_right
    sane = min(from_left, from_right) >= -WIDENS_MOST and max(from_left, from_right) <= NARROWS_MOST
    if not sane or together < NARROWS or last - first > lock.last - lock.first:
        return None
    centre, half = (first + last) / 2, max((last - first) / 2, LINE_PX * per / 2)
    ends = Lock(round(centre - half), round(centre + half), centre, (from_left - from_right) / 2)
    return ends, max(last - first, 0.0) / together + 1


def _outermost(lock: Lock, deep: Tensor, per: float) -> bool:
    """Whether a lock hangs at the outer corner of an eye; `deep` (h,) is how high eyes are, 1 or less where none is."""
    size, near = len(deep), round(CORNER_PX * per)
    left, right = lock.first - near, lock.last + near
    at_left = lock.anchor == lock.first and lock.last < size / 2 and (left < 0 or deep[left] <= 1)
    at_right = lock.anchor == lock.last and lock.first > size / 2 and (right >= size or deep[right] <= 1)
    return (lock.last - lock.first + 1 > HANGING_PX * per) and bool(at_left or at_right)


def _hanging(
    straight: Tensor, run: tuple[int, int], lean: float, beside: list[bool], above: Tensor, per: float
) -> float:
    """What hair leans by that goes on on one side of a run of columns, of the `lean` that `_slope` tells: it hangs down
    beside an eye, or goes away from it."""
    outwards = -1 if beside[0] else 1
    away = max(lean * outwards, 0.0)
    if away > UPRIGHT:
        finer = outwards * _finer_slope(straight, run, above, per)
        away = min(away, finer) if finer > AWAY else UPRIGHT
    return outwards * away


def _finer_slope(straight: Tensor, run: tuple[int, int], above: Tensor, per: float) -> float:
    """The same as `_slope`, to less than a column and beyond what it finds."""
    size, up = straight.shape[-1], max(2, round(SLOPE_PX * per))
    columns = torch.arange(run[0], run[1] + 1, device=straight.device)
    rows = above[columns]
    here = straight[:, rows, columns]
    costs = []
    for k in range(-FINE, FINE + 1):
        lean = FINEST * k / FINE
        off = []
        for by in range(max(1, up // 2), up + 1):
            at = (columns - lean * by).clamp(0, size - 1)
            before, row = at.long(), (rows - by).clamp(min=0)
            one, other = (straight[:, row, column] for column in (before, (before + 1).clamp(max=size - 1)))
            off.append((torch.lerp(one, other, at - before) - here).abs().mean())
        costs.append(torch.stack(off).mean() + 0.04 * abs(k) / FINE)
    return FINEST * (int(torch.stack(costs).argmin()) - FINE) / FINE


def _slope(straight: Tensor, first: int, last: int, above: Tensor, per: float) -> float:
    """Columns that locks go aside for each row down, where they reach an eye."""
    size, up = straight.shape[-1], max(2, round(SLOPE_PX * per))
    most = int(STEEPEST * up)
    columns = torch.arange(first, last + 1, device=straight.device)
    rows = above[columns]
    here = straight[:, rows, columns]
    before = (rows - up).clamp(min=0)
    there = [straight[:, before, (columns - by).clamp(0, size - 1)] for by in range(-most, most + 1)]
    off = torch.stack([(x - here).abs().mean() for x in there])
    off = off + 0.04 * torch.arange(-most, most + 1, device=off.device).abs() / most
    return (int(off.argmin()) - most) / up
