"""What lids hide of irises: paint, in the hue of what is seen of them next to it."""

from __future__ import annotations

import torch
from torch import Tensor

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.pictures import mean_where, smooth
from puppeteer.networks.rig.reader import spread

OF_PAINT = 0.5  # how much of what is painted of an iris, beside its own colours, is there where it is hidden
UPPERMOST_PX = 2.0  # of the crop, of what is seen of it below a lid, that tells what the lid hides
GLEAM = 1.3, 1.6  # of how light irises are, where their lights begin
GREYED = 0.35, 0.75  # how much greyer what is hidden of an iris is than the rest, from which on it gets that hue
LIGHTER = 1.0, 1.3  # of what is seen of it, from which on what is hidden is a light that does not
FAINT = 1e-3


def completed_irises(straight: Tensor, seen: Tensor, painted: Tensor, viewers_right: Tensor) -> tuple[Tensor, Tensor]:
    """Colours (1, 3, h, h) of irises as they are in a drawing, `straight` (the same), where they are `seen`
    (1, 1, h, h), and elsewhere as they may be: in the light, and where a lid shades them, as `painted` (1, 3, h, h);
    `viewers_right` (1, h) are the columns of one of the two."""
    light = straight.mean(1, keepdim=True)
    sides = (side[:, None, None].float() for side in (viewers_right, ~viewers_right))
    usual = torch.stack([side * mean_where(light, seen * side) for side in sides]).sum(0)
    gleam = smooth(light / usual.clamp(min=FAINT), *GLEAM)
    own = _upwards(straight, seen * (1 - gleam))
    plainer = torch.lerp(spread(straight, seen), painted, OF_PAINT)
    # What a lid greys is the upper end of an iris alone: hidden, it has the hue of what is seen below that.
    lit, shaded = (torch.lerp(_in_hue(x, own), straight, seen) for x in (plainer, painted))
    return lit, shaded


def _upwards(straight: Tensor, seen: Tensor) -> Tensor:
    """Colours (1, 3, h, h) where they are `seen` (1, 1, h, h), spread over everything, and above it those of the
    uppermost of each column: what lids hide of irises goes on from there."""
    reached = seen.cumsum(2)
    upper = seen * (reached <= UPPERMOST_PX * straight.shape[-1] / CROP + 1)
    amount = upper.sum(2, keepdim=True)
    colour = (upper * straight).sum(2, keepdim=True) / amount.clamp(min=FAINT)
    return torch.lerp(spread(straight, seen), colour, (reached < 0.5) * amount.clamp(max=1))


def _in_hue(colours: Tensor, of: Tensor) -> Tensor:
    """(B, 3, H, W) with the hue of others, where they are greyer and no lighter than those."""

    def vivid(x: Tensor) -> Tensor:
        return (x.amax(1, keepdim=True) - x.amin(1, keepdim=True)) / x.mean(1, keepdim=True).clamp(min=FAINT)

    light, usual = colours.mean(1, keepdim=True), of.mean(1, keepdim=True).clamp(min=FAINT)
    greyed = smooth(1 - vivid(colours) / vivid(of).clamp(min=FAINT), *GREYED)
    return torch.lerp(colours, (light * of / usual).clamp(0, 1), greyed * (1 - smooth(light / usual, *LIGHTER)))
