"""What each layer shows: the drawing's own pixels where it is seen, paint where others cover it.

Laid over each other unmoved, the layers are the drawing again. A layer goes on under whatever covers it, so that no rim
opens when the two move against each other; where it ends for the eye, its outline is the drawing's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.rig.reader import BACK, BODY, FACE, FRONT, GLASSES, NECK, SIDE

UNDER_PX = 6  # of the spec square: how far a layer goes on under an edge that covers it, at least
COVERED = 0.7, 0.98  # share of a pixel that is covered by others from which on a layer is whole under them
# Of the spec square: what is hidden stays so far within the outline of all, for its own edge has no line.
INSIDE_PX, INSIDE = 2.0, (0.5, 0.95)
OWN = 0.05, 0.3  # share of a pixel that others in front have, from which on its colour is not the layer's own
SEEN = 0.01, 0.05  # share of a pixel from which on a layer is seen there
FAINT = 1 / 255
LEAST = 1e-3  # that is divided by
MINOR = 0.1  # share up to which a layer is none beside others
DOUBT = 0.2, 0.6  # share of a pixel up to which it is perhaps not a body's
SPLIT = 0.1, 0.9  # shares of layers in front between which a pixel becomes theirs
AT_ALL = 0.05, 0.3  # coverage that is read from which on a layer goes on under an edge
# Layers as they are drawn, back to front. What is seen of a face comes again before the hair beside it, which a cheek
# that turns there covers.
DRAWN = (BACK, NECK, BODY, FACE, SIDE, FACE, GLASSES, FRONT)
SEEN_FACE = 5
CHEEK = 0.5, 0.75  # share of a pixel from which on a face is seen there
TOLD_APART = 0.25  # of 1: how far a colour at a soft edge may lie from that of the drawing there
NEARBY_PX, OPAQUE = 2.5, 0.9  # of the spec square: how far off a layer's colours are drawn; and what is drawn wholly
BAND = 128  # rows of a picture that are made at a time


class Parts(NamedTuple):
    """Of one character, B = 1, over the spec square at a size of their own, L layers back to front."""

    seen: Tensor  # (L, 1, h, h) share of what is drawn that shows this layer; they sum to 1
    whole: Tensor  # (L, 1, h, h) coverage of the layer when nothing covers it
    hidden: Tensor  # (L, 3, h, h) its colour where it is not seen, not multiplied


class Pictures(NamedTuple):
    """Of one character at one size."""

    layers: Tensor  # (D, 4, S, S) premultiplied, in the order of `DRAWN`
    gains: Tensor  # (D, 1, S, S) how much each changes by where the original changes
    opacity: Tensor  # () alpha of what is opaque in the original, by which the layers are divided


def pictures(original: Tensor, parts: Parts, box: tuple[slice, slice] | None = None) -> Pictures:
    """Premultiplied original (1, 4, S, S); rows and columns in which all of it is drawn, where they are known, spare
    the rest."""
    size = original.shape[-1]
    opacity = opaque(original[:, 3:])
    layers = original.new_zeros(len(DRAWN), 4, size, size)  # nothing is shown where nothing is drawn
    gains = original.new_zeros(len(DRAWN), 1, size, size)
    down, across = box or (slice(0, size), slice(0, size))
    for top in range(down.start, down.stop, BAND):
        rows = slice(top, min(down.stop, top + BAND))
        layers[:, :, rows, across], gains[:, :, rows, across] = _band(original, opacity, parts, rows, across)
    return Pictures(layers, gains, opacity)


def _band(original: Tensor, opacity: Tensor, parts: Parts, rows: slice, across: slice) -> tuple[Tensor, Tensor]:
    """Layers and gains of some rows, in the columns `across`: all of a large picture would be gigabytes of what is
    computed on the way."""
    size = original.shape[-1]
    reach = max(1, round(UNDER_PX * size / 256))
    first, last = max(0, rows.start - reach), min(size, rows.stop + reach)

    def enlarged_to(x: Tensor, first: int, last: int) -> Tensor:
        return enlarged(x, size, first, last)[..., across]

    original = (original[:, :, first:last, across] / opacity).clamp(max=1)
    share = split(enlarged_to(parts.seen, first, last))
    shown = share * original[:, 3:]
    near = wider(shown, reach)
    inner = slice(rows.start - first, rows.stop - first)
    beyond = [reach if edge else 0 for edge in (across.start, size - across.stop)]  # where nothing is drawn
    inside = -wider(-F.pad(original[:, 3:], beyond), max(1, round(INSIDE_PX * size / 256)))
    inside = smooth(inside[:, :, inner, beyond[0] : beyond[0] + original.shape[3]], *INSIDE)
    bounds = nearby(original, max(1, round(NEARBY_PX * size / 256)))[:, :, inner]
    original, share, shown, near = (x[:, :, inner] for x in (original, share, shown, near))
    drawn = original[:, 3:]
    above = torch.flip(torch.cumsum(torch.flip(shown, [0]), 0), [0]) - shown
    alone = (shown / (1 - above).clamp(min=FAINT)).clamp(0, 1)
    whole = enlarged_to(parts.whole, rows.start, rows.stop)
    goes_on = smooth(near, 0.5, 0.9) * smooth(whole, *AT_ALL)
    # Hair that hangs beside a sleeve and swings from it bares hair.
    goes_on[BACK] = torch.maximum(goes_on[BACK], shown[BODY] * smooth(near[SIDE], 0.5, 0.9))
    whole = torch.maximum(whole, goes_on)
    # Before hair farther back no doubt of its outline is a body's, or its rim would show beside hair that swings.
    under = whole * smooth(above, *COVERED) * inside
    behind = torch.maximum(alone[BACK], under[BACK])
    alone[BODY] *= 1 - behind * (1 - smooth(share[BODY], *DOUBT))
    alpha = torch.maximum(alone, under)
    straight = original[:, :3] / drawn.clamp(min=FAINT)
    # At a soft edge the layer in front shows what is drawn, the line too, and the one behind what it would have there.
    before = torch.flip(torch.cumsum(torch.flip(share, [0]), 0), [0]) - share
    own = (1 - smooth(before, *OWN)) * smooth(share, *SEEN)
    colour = enlarged_to(parts.hidden, rows.start, rows.stop)
    colour = colour + own * (straight - colour)
    layers = torch.cat([colour * alpha, alpha], 1)
    gains = alpha * share.gt(0.02) / drawn.clamp(min=0.5)
    cheek = smooth(share[FACE], *CHEEK)
    ways = [torch.ones_like(cheek) if k != SEEN_FACE else cheek for k in range(len(DRAWN))]
    drawn_as, way = list(DRAWN), torch.stack(ways)
    return exact(layers[drawn_as] * way, original[0], bounds), gains[drawn_as] * way


def enlarged(x: Tensor, size: int, first: int, last: int) -> Tensor:
    """Rows of what bilinear enlargement to (size, size) would make of (L, C, h, h)."""
    side = x.shape[-1]
    at = (torch.arange(first, last, device=x.device, dtype=x.dtype) + 0.5) * (side / size) - 0.5
    at = at.clamp(0, side - 1)
    above = at.long()
    below = (above + 1).clamp(max=side - 1)
    x = torch.lerp(x[:, :, above], x[:, :, below], (at - above)[:, None])
    return F.interpolate(x, (last - first, size), mode="bilinear", align_corners=False)


def widened(x: Tensor, reach: int, axis: int) -> Tensor:
    """The greatest of (L, C, H, W) up to `reach` places away along an axis of the last two; each step sees twice as
    far as the one before, so that a wide reach costs little."""
    size, span = x.shape[axis], 2 * reach + 1
    x = F.pad(x, [reach if axis == at else 0 for at in (3, 3, 2, 2)], value=-torch.inf)
    seen = 1  # places, from each one on
    while 2 * seen <= span:
        count = x.shape[axis] - seen
        x, seen = torch.maximum(x.narrow(axis, 0, count), x.narrow(axis, seen, count)), 2 * seen
    return torch.maximum(x.narrow(axis, 0, size), x.narrow(axis, span - seen, size))


def wider(x: Tensor, reach: int) -> Tensor:
    """The most of (L, C, H, W) within `reach` px."""
    return widened(widened(x, reach, 2), reach, 3)


def filled(x: Tensor, reach: int) -> Tensor:
    """(L, C, H, W) without gaps of up to twice `reach` px."""
    return -wider(-wider(x, reach), reach)


def without_thin(x: Tensor, reach: int, axis: int) -> Tensor:
    """(L, C, H, W) without what is at most twice `reach` px wide along an axis of the last two."""
    return widened(-widened(-x, reach, axis), reach, axis)


def reached(known: Tensor, may: Tensor, steps: int) -> Tensor:
    """(L, C, H, W): how far what is known (the same) goes on within what `may` (the same) belong to it, a px a step."""
    for _ in range(steps):
        known = torch.maximum(known, torch.minimum(wider(known, 1), may))
    return known


def beside(taken: Tensor) -> tuple[Tensor, Tensor]:
    """(h, h) the nearest rows above and below each pixel of `taken` (1, 1, h, h), booleans, where it is not."""
    size = taken.shape[-1]
    row = torch.arange(size, device=taken.device)[:, None].expand(-1, size)
    free = ~taken[0, 0]
    above = torch.where(free, row, torch.zeros_like(row)).cummax(0).values
    below = torch.where(free, row, torch.full_like(row, size - 1)).flip(0).cummin(0).values.flip(0)
    return above, below


def nearby(original: Tensor, reach: int) -> Tensor:
    """(2, 3, H, W) the least and the most of each colour, not multiplied, that a premultiplied picture (1, 4, H, W)
    shows within `reach` px."""
    colour, opaque = original[:, :3] / original[:, 3:].clamp(min=FAINT), original[:, 3:] > OPAQUE
    least = 1 - wider(torch.where(opaque, 1 - colour, 0), reach)
    return torch.cat([least, wider(torch.where(opaque, colour, 0), reach)])


def exact(layers: Tensor, original: Tensor, bounds: Tensor) -> Tensor:
    """Premultiplied layers (D, 4, H, W), back to front, that give the original (4, H, W) when they are laid over each
    other: what a soft edge mixes is told apart again, the most to the layer in front. No layer gets a colour beyond
    `bounds`, see `nearby`, by that: one that another bares when it moves would show as a speck."""
    alpha = layers[:, 3:]
    clear = torch.flip(torch.cumprod(torch.flip(1 - alpha, [0]), 0), [0])
    through = torch.cat([clear[1:], torch.ones_like(clear[:1])])  # of a layer, past those in front
    colour = layers[:, :3].clone()
    left = original[:3] - (through * colour).sum(0)
    weight = through * alpha

    def told(d: int, change: Tensor) -> None:
        nonlocal left
        least, most = (x * alpha[d] for x in bounds)
        changed = (colour[d] + change * alpha[d]).maximum(least.minimum(colour[d]))
        change = changed.minimum(most.maximum(colour[d])) - colour[d]
        colour[d] += change
        left = left - through[d] * change

    for d in range(len(layers) - 1, -1, -1):
        told(d, (left / weight[d].clamp(min=0.05)).clamp(-TOLD_APART, TOLD_APART))
    rest = left / weight.square().sum(0).clamp(min=0.05)
    for d in range(len(layers)):
        told(d, rest * weight[d])
    return torch.cat([colour, alpha], 1)


def split(share: Tensor) -> Tensor:
    """Shares (L, 1, H, W) of which nearly every pixel belongs to one layer: where a dark line belonged to two, the
    lower one would show it when the upper one moves away."""
    share = share / share.sum(0, keepdim=True).clamp(min=1e-3)
    # A body that is faintly read between hair and hair is none, and would be a slit when they move.
    share = (share - MINOR).clamp(min=0)
    share = share / share.sum(0, keepdim=True).clamp(min=1e-3)
    before = smooth(torch.flip(torch.cumsum(torch.flip(share, [0]), 0), [0]), *SPLIT)
    return before - torch.cat([before[1:], torch.zeros_like(before[:1])])


def opaque(alpha: Tensor) -> Tensor:
    """() the alpha that stands for opaque in a picture; some programs leave 97% everywhere, and what is behind would
    shine through."""
    weight = smooth(alpha, 0.88, 0.92)
    level = (alpha * weight).sum() / weight.sum().clamp(min=1)
    return torch.where(level > 0.99, torch.ones_like(level), level.clamp(min=0.9))


def laid_over(layers: Tensor) -> Tensor:
    """Premultiplied (L, 4, H, W), back to front -> (1, 4, H, W)"""
    out = layers[0]
    for layer in layers[1:]:
        out = layer + out * (1 - layer[3:])
    return out[None]


def smooth(x: Tensor, low: float, high: float) -> Tensor:
    """0 up to `low`, 1 from `high` on, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def mean_where(colours: Tensor, weight: Tensor) -> Tensor:
    """(B, C, H, W) and (B, 1, H, W) -> (B, C, 1, 1)"""
    return (colours * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp(min=LEAST)


def share_along(away: Tensor, line: Tensor) -> Tensor:
    """How far (B, 1, H, W) colours lead along a `line`, both (B, 3, H, W) as they are away from one: 1 at its end."""
    return (away * line).sum(1, keepdim=True) / line.square().sum(1, keepdim=True).clamp(min=LEAST)
