"""Lines of a drawing as strokes of a pen: brows that locks cross, and where they go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.pictures import smooth

USUAL = 0.3  # of how thick a stroke usually is, from which on it is there
TAPER = 6  # how round a stroke's ends are: a power of the way to them
SURE = 0.25  # share of a pixel: what is read less surely everywhere is none
GOES_ON_PX, GOES_ON = (
    12.0,
    0.4,
)  # px of the crop that one may go on beyond what is read, and how like itself it is there
OFF_PX, BESIDE_PX = 1.0, 2.5  # of the crop: how far aside of its course it may go on; and where is what it is unlike
BARE = 0.7  # share of a face without hair: below, hair lies over it
SHOWN = 0.3, 0.6  # how like itself one is where hair lies, from which on it is seen through hair
FAINT = 1e-3


def centres(size: int, device: torch.device) -> Tensor:
    """(size,) px of pixels along an axis."""
    return torch.arange(size, device=device, dtype=torch.float32) + 0.5


def fitted(s: Tensor, values: Tensor, weight: Tensor, degree: int) -> Tensor:
    """Values (B, N) over s (B, N) as polynomials, by weighted least squares."""
    powers = torch.stack([s**k for k in range(degree + 1)], 2)
    square = torch.einsum("bn,bni,bnj->bij", weight, powers, powers)
    square = square + 1e-2 * torch.eye(degree + 1, device=s.device)
    right = torch.einsum("bn,bni,bn->bi", weight, powers, values)
    return torch.einsum("bni,bi->bn", powers, torch.linalg.solve(square, right))


def median(values: Tensor, weight: Tensor) -> Tensor:
    """(B, 1) of (B, N); 0 where nothing weighs."""
    order = values.argsort(1)
    below = weight.gather(1, order).cumsum(1) < weight.sum(1, keepdim=True) / 2
    return values.gather(1, order.gather(1, below.sum(1, keepdim=True)))


def pen(half: Tensor, away: Tensor) -> Tensor:
    """Coverage of pixels `away` px from the middle of a line that is twice `half` px thick."""
    return (half - away.abs() + 0.5).clamp(0, 1) * (2 * half).clamp(max=1)


def along(mass: Tensor, least: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """(h,) the way along a stroke that has a `mass` (h,) in each column, -1 to 1 between its ends, where there is the
    `least` (), and beyond; and its ends, px."""
    line, there = centres(len(mass), mass.device), mass > least
    first, last = torch.where(there, line, len(mass)).min(), torch.where(there, line, 0).max()
    return 2 * (line - first) / (last - first).clamp(min=1) - 1, (first, last)


class Course(NamedTuple):
    """How a stroke goes, in each column."""

    row: Tensor  # (h,) px
    half: Tensor  # (h,) px, of its thickness, 0 beyond its ends
    ends: tuple[Tensor, Tensor]  # () px, the columns

    def stroke(self) -> Tensor:
        """(h, h): its coverage."""
        return pen(self.half, centres(len(self.row), self.row.device)[:, None] - self.row)


def course(coverage: Tensor) -> Course:
    """Of one line's coverage (h, h), which may have gaps."""
    size = coverage.shape[-1]
    line, mass = centres(size, coverage.device), coverage.sum(0)
    usual = mass.square().sum() / mass.sum().clamp(min=FAINT)
    s, ends = along(mass, USUAL * usual)
    row = (coverage * line[:, None]).sum(0) / mass.clamp(min=FAINT)
    curve, thick = (fitted(s[None], x[None], (mass * (s.abs() <= 1))[None], k)[0] for x, k in ((row, 3), (mass, 2)))
    half = torch.minimum(thick, usual).clamp(min=0) / 2 * (1 - s.abs().clamp(max=1) ** TAPER)
    return Course(curve, half, ends)


def crossed_by_locks(
    straight: Tensor, coverage: Tensor, bare: Tensor, sides: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """(h, h): where brows, whose `coverage` is the same, go on in a drawing (3, h, h); and () how surely they are seen
    through hair, of which `bare` (h, h) is free. `sides` are the columns (h,) of each."""
    out, through = torch.zeros_like(coverage), coverage.new_zeros(())
    if coverage.is_meta:  # how far they go is told by values
        return out, through
    for side in sides:
        part = coverage * side
        if not bool((part > SURE).any()):
            continue
        found, like = course(part), line_like(straight, part)
        more = beyond(like, found)
        whole = course(torch.maximum(part, more))
        columns = torch.arange(len(side), device=side.device)
        rows = whole.row.long().clamp(1, len(side) - 2)
        there = (whole.half > 0) * (bare[rows, columns] < BARE)
        best = torch.stack([like[rows + k, columns] for k in (-1, 0, 1)]).amax(0).clamp(0, 1)
        surely = smooth((best * there).sum() / there.sum().clamp(min=1), *SHOWN)
        out, through = torch.maximum(out, more), torch.maximum(through, surely)
    return out, through


def line_like(straight: Tensor, coverage: Tensor) -> Tensor:
    """(h, h): how much a drawing (3, h, h) differs from what is above and below, as a brow does where its `coverage`
    (h, h) is: 1 as much."""
    far = max(2, round(BESIDE_PX * coverage.shape[-1] / CROP))
    away = straight - (beside_rows(straight, far) + beside_rows(straight, -far)) / 2
    weight = coverage.square()
    ink = (away * weight).sum((1, 2), keepdim=True) / weight.sum()
    return (away * ink).sum(0) / ink.square().sum().clamp(min=FAINT)


def beyond(like: Tensor, found: Course) -> Tensor:
    """(h, h): where a brow goes on beyond its ends, as a line that is `like` it (h, h)."""
    size = like.shape[-1]
    per, line = size / CROP, centres(size, like.device)
    first, last = (int(x) for x in found.ends)
    reach, near = round(GOES_ON_PX * per), max(1, round(OFF_PX * per))
    out, half = torch.zeros_like(like), found.half.max()
    for end, step in ((first, -1), (last, 1)):
        inner = end - step * max(2, (last - first) // 4)
        slope = float(found.row[end] - found.row[inner]) / abs(end - inner)
        row = float(found.row[end])
        for column in range(end + step, end + step * reach, step):
            row += slope
            top, bottom = int(row) - near, int(row) + near + 1
            if column < 0 or column >= size or top < 0 or bottom > size:
                break
            here = like[top:bottom, column]
            if here.max() < GOES_ON:
                break
            row = (row + top + int(here.argmax()) + 0.5) / 2
            out[:, column] = pen(half, line - row)
    return out


def beside_rows(picture: Tensor, by: int) -> Tensor:
    """A picture (C, h, h) of which each row is what lies `by` rows below."""
    at = torch.arange(picture.shape[1], device=picture.device) + by
    return picture[:, at.clamp(0, picture.shape[1] - 1)]
