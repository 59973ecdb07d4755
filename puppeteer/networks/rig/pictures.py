"""What each layer shows: the drawing's own pixels where it is seen, paint where others cover it.

Laid over each other unmoved, the layers are the drawing again. A layer goes on under whatever covers it, so that no rim
opens when the two move against each other; where it ends for the eye, its outline is the drawing's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import enlarge

UNDER_PX = 6  # of the spec square: how far a layer goes on under an edge that covers it, at least
COVERED = 0.98, 1.0  # share of a pixel that is covered by others from which on a layer is whole under them
OWN = 0.6, 0.95  # share of a pixel from which on its colour is the layer's own
FAINT = 1 / 255
DOUBT = 0.04  # a smaller share is no layer: beside an opaque one it would be a line that comes off
PASSES = 3


class Parts(NamedTuple):
    """Of one character, B = 1, over the spec square at a size of their own, L layers back to front."""

    seen: Tensor  # (L, 1, h, h) share of what is drawn that shows this layer; they sum to 1
    whole: Tensor  # (L, 1, h, h) coverage of the layer when nothing covers it
    hidden: Tensor  # (L, 3, h, h) its colour where it is not seen, not multiplied


def pictures(original: Tensor, parts: Parts) -> tuple[Tensor, Tensor]:
    """Premultiplied original (1, 4, S, S) -> the layers (L, 4, S, S), premultiplied, and (L, 1, S, S) how much each
    changes by where the original changes."""
    size = original.shape[-1]
    drawn = original[:, 3:]
    share = (enlarge(parts.seen, size) - DOUBT).clamp(min=0)
    share = share / share.sum(0, keepdim=True).clamp(min=1e-3)
    shown = share * drawn
    above = torch.flip(torch.cumsum(torch.flip(shown, [0]), 0), [0]) - shown
    alone = (shown / (1 - above).clamp(min=FAINT)).clamp(0, 1)
    reach = max(1, round(UNDER_PX * size / 256))
    # A dilation in two passes, each along one axis, is a tenth of the work.
    near = F.max_pool2d(F.max_pool2d(shown, (1, 2 * reach + 1), 1, (0, reach)), (2 * reach + 1, 1), 1, (reach, 0))
    whole = torch.maximum(enlarge(parts.whole, size), smooth(near, 0.5, 0.9))
    alpha = torch.maximum(alone, whole * smooth(above, *COVERED))
    straight = original[:, :3] / drawn.clamp(min=FAINT)
    own = smooth(share, *OWN)
    colour = enlarge(parts.hidden, size)
    colour = colour + own * (straight - colour)
    # What is left over at soft edges goes to all that show there, and what one cannot take to the others.
    for _ in range(PASSES):
        left = original[:, :3] - laid_over(torch.cat([colour * alpha, alpha], 1))[:, :3]
        takes = shown * torch.where(left > 0, colour < 1, colour > 0)
        change = left / takes.sum(0, keepdim=True).clamp(min=0.05)
        colour = torch.where(takes > FAINT, colour + change, colour).clamp(0, 1)
    return torch.cat([colour * alpha, alpha], 1), alpha * share.gt(0.02) / drawn.clamp(min=0.5)


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
