"""Lashes: how far they go, and that of a closed eye, which is a stroke in their own ink."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.pictures import reached, share_along, smooth, widened, without_thin
from puppeteer.networks.rig.strokes import along, centres, fitted, median

LASH = 0.1, 0.4  # share of a pixel in which a lash is seen, from which on it is all lash
FAINTLY, AS_DARK, GROWS_PX = (0.04, 0.1), (0.6, 0.8), 8.0  # where a lash goes on: read, dark, and px of the crop
SURELY, AS_BLACK, HUE = (
    (0.85, 0.95),
    (0.7, 0.85),
    (0.03, 0.08),
)  # where it is not read: bare, as dark, and of other hues
THINNER = 0.4  # a closed lash than an open one
EVEN_PX, BENT_PX = 1.5, 6.0  # of the crop, over which an open lash's line is told, and what it bends at most
THICK, THIN_PX = 1.15, 0.7  # of what it usually is, and half of px of the crop, how thick a closed lash is
USUAL, TAPER = 0.25, 4  # of how thick it usually is, from which on it is there; how round its ends are
ALONG_PX, COLOUR_PX = 4.0, 3.0  # of the crop, over which its thickness and its colour are told
INK = 6.0  # how much more darker colours count
SEEN = 0.5  # px: a lash that is nowhere as thick is none
GAP = 0.6, 0.8  # how much less than its lash what lies above may differ from skin, up to which it goes on
NEAR_PX = 2.0  # of the crop from a lid's edge, within which its lash is sought most
STRAND_PX = 2.0  # of the crop: half of how wide what passes over a lash may be
ABOVE_PX = 1.0  # of the crop above a lid's edge: there its lash may have the end of a lock in it
HANGS_PX, BUMP_PX, CORNER_PX = 2.5, 1.5, 3.0  # the same below a lock; half of how wide its end is; and of an eye's ends
LOCK = 0.3, 0.7  # share of hair from which on that is a lock
FAINT = 1e-3


def grown(lash: Tensor, unlike: Tensor, line: Tensor, perhaps: Tensor, free: Tensor) -> Tensor:
    """(1, 1, h, h): a lash goes on where what is drawn differs from skin, `unlike` (1, 3, h, h), as lashes do, `line`
    (the same): where it is read faintly and may be one, `perhaps` (1, 1, h, h), or where surely no hair lies, `free`
    (the same)."""
    share, aside = as_lashes(unlike, line)
    faint = smooth(lash, *FAINTLY) * smooth(share * perhaps, *AS_DARK)
    may = torch.maximum(faint, smooth(free, *SURELY) * smooth(share, *AS_BLACK) * (1 - smooth(aside, *HUE)))
    steps = round(GROWS_PX * lash.shape[-1] / CROP)
    return torch.maximum(lash, LASH[1] * reached(smooth(lash, *LASH), may, steps))


def as_lashes(unlike: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
    """How far (B, 1, H, W) what is drawn goes from skin, `unlike` (B, 3, H, W), the way that lashes do, `line` (the
    same), 1 where as far as they; and the square of how far it goes another way, in the same measure."""
    share, most = share_along(unlike, line), line.square().sum(1, keepdim=True).clamp(min=FAINT)
    return share, unlike.square().sum(1, keepdim=True) / most - share.square()


def line_of(lash: Tensor, edges: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """The last (4, h) of `EyePictures.edges`, and `EyePictures.stroke`, of lashes (4, h, h), premultiplied, the other
    edges (7, h), and `right` (h,), columns of the viewer's right eye. An open lash goes round its eye, a closed one is
    a line from end to end."""
    size = lash.shape[-1]
    per, opened, shut, arc = size / CROP, *edges[:3]
    column = centres(size, lash.device)
    mass = lash[3].sum(0)
    below = (lash[3] * column[:, None]).sum(0) / mass.clamp(min=FAINT) - opened

    def even(x: Tensor, px: float) -> Tensor:
        reach = max(1, round(px * per))
        return F.avg_pool1d(x.reshape(1, -1, size), 2 * reach + 1, 1, reach).reshape(x.shape)

    amount = even(mass, EVEN_PX)
    below, high = (even(mass * x, EVEN_PX) / amount.clamp(min=FAINT) for x in (below, mass))
    ink = torch.exp(-INK * (lash[:3] / lash[3:].clamp(min=FAINT)).mean(0))
    colour = even((lash[:3] * ink).sum(1), COLOUR_PX) / even((lash[3] * ink).sum(0), COLOUR_PX).clamp(min=FAINT**2)
    both, strokes = [], []
    for side in (~right, right):
        weight = mass * side
        total = weight.sum().clamp(min=FAINT)
        middle = (weight * below).sum() / total
        usual = median(weight[None], (weight > SEEN).to(weight.dtype)[None])[0, 0]  # beside an eye lashes go down
        bent = torch.where(amount > FAINT, (below - middle).clamp(-BENT_PX * per, BENT_PX * per), 0) + middle
        s = along(weight, USUAL * usual)[0].clamp(-1, 1)
        lines = [fitted(s[None], x[None], weight[None], 2)[0] - x + middle / (1 + THINNER) for x in (shut, arc)]
        usually = (THICK * usual).clamp(min=FAINT)
        both.append(torch.stack([bent, *lines, (1 + THINNER) * (high / usually).clamp(min=1) - 1]))
        there = (weight > USUAL * usual).to(weight.dtype)
        thick = even(weight, ALONG_PX) / even(there, ALONG_PX).clamp(min=FAINT)
        half = (torch.minimum(thick, usually) / (1 + THINNER) / 2).clamp(min=THIN_PX * per)
        strokes.append(half * (1 - s**TAPER) * (weight.amax() > SEEN))
    return torch.where(right, both[1], both[0]), torch.cat([torch.where(right, strokes[1], strokes[0])[None], colour])


def nearest_line(core: Tensor, unlike: Tensor, edge: Tensor) -> Tensor:
    """(1, 1, h, h): 0 above a gap over what is most of a lash near its lid's `edge` (h,), `core` (1, 1, h, h): a crease
    there is no lash; where nothing is `unlike` skin, of 1, is a gap."""
    per = core.shape[3] / CROP
    row = torch.arange(core.shape[2], device=core.device)[:, None]
    at = (core / (1 + (row + 0.5 - edge).abs() / (NEAR_PX * per))).argmax(2, keepdim=True)
    gap = smooth(1 - unlike / core.gather(2, at).clamp(min=FAINT), *GAP) * (row < at)
    kept = 1 - gap.flip(2).cummax(2).values.flip(2)
    reach = max(1, round(STRAND_PX * per))
    return without_thin(kept, reach, 3)


def without_locks(lash: Tensor, hair: Tensor, edge: Tensor, beside: Tensor) -> Tensor:
    """A lash (1, 1, h, h) without the ends of locks above it, that stand out of it; `hair` (the same) is 1 where locks
    lie, `edge` (h,) px is its lid's, and columns are `beside` the eye where that is 1, (1, 1, 1, h)."""
    per = lash.shape[3] / CROP
    down, bump, corner = (max(1, round(px * per)) for px in (HANGS_PX, BUMP_PX, CORNER_PX))
    row = torch.arange(lash.shape[2], device=lash.device)[:, None] + 0.5
    near = widened(widened(hair, down, 2), bump, 3) * (1 - widened(beside, corner, 3))
    return torch.lerp(lash, without_thin(lash, bump, 3), smooth(near, *LOCK) * (row < edge - ABOVE_PX * per))
