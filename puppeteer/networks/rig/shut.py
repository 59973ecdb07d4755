"""A mouth that is drawn open, shut: skin over all of it, teeth too, and a line in its own ink.

The morpher closes such mouths, but keeps teeth where they are as pale as skin. What lies there at the end is told by
the drawing alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from puppeteer.networks.blocks import blurred
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.pictures import filled, reached, smooth, wider
from puppeteer.networks.rig.reader import spread
from puppeteer.networks.rig.strokes import centres, pen

CHANGED = 0.3, 0.6  # share of a pixel, from which on it is the mouth's
HOLE_PX, BESIDE_PX, SOFT = 3, 2, 1.0  # px of the crop: half of how high teeth are; soft edges; and a seam
ABOUT_PX, TONES = 5, (0.4, 0.25, 0.15)  # px of the crop about a mouth; of 1, within which most there is skin
ALIKE = 0.06, 0.12  # of 1: what differs more from the skin about a mouth is none
UNLIKE = 0.12, 0.3  # the same of what is the mouth's
HARDLY, GROWS_PX = (0.03, 0.08), 6  # the same of what goes on from it; and how far
LEAST_PX = 12.0  # of the crop: what is smaller is no mouth
AT = 0.15  # of the height of an open mouth, the line of a shut one
HANGS, FORM = 0.05, 0.16  # of its width: how far its middle hangs below its ends; and how much more it does in a smile
HALF_PX, TAPER, STEEPEST = 0.55, 4, 0.12  # px of the crop, half of a line; how round its ends are; and px down for each
INK, DARKER = 12.0, 1.3  # how much more darker colours count for the line's; and how much darker it is than they are
SHUTS = 0.75, 1.0  # share of the way from the drawn mouth to a shut one, over which it becomes one
NARROWER = 0.95  # than the open one
FAINT = 1e-3


def shut(crop: Tensor, changed: Tensor, mouth: Tensor) -> tuple[Tensor, Tensor]:
    """`MorpherFeatures.shut` and `line` of a premultiplied crop (B, 4, 128, 128), what of it a mouth changes that shuts
    (B, 1, 128, 128), and how far it is drawn open, `mouth` (B,)."""
    drawn = crop[:, :3].float()
    near = smooth(changed.float(), *CHANGED)
    solid = (crop[:, 3:] > 0.95).float()
    about = wider(near, ABOUT_PX) * solid
    tone = drawn.new_tensor(0)
    for within in TONES:  # most of what is painted about a mouth is skin
        tone = (drawn * about).sum((2, 3), keepdim=True) / about.sum((2, 3), keepdim=True).clamp(min=1)
        about = about * ((drawn - tone).abs().amax(1, keepdim=True) < within)
    off = (drawn - tone).abs().amax(1, keepdim=True)
    own = near * smooth(off, *UNLIKE)
    # Teeth and the line above them stay as they are drawn.
    region = filled(reached(own, smooth(off, *HARDLY), GROWS_PX), HOLE_PX)
    skin = spread(drawn, solid * (1 - smooth(off, *ALIKE)) * (1 - wider(region, BESIDE_PX)) + FAINT**2)
    area = own.sum((1, 2, 3))
    line = centres(CROP, crop.device)

    def ends(x: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) px where masses along an axis (B, 128) begin and end."""
        there = x > 0.5
        return torch.where(there, line, CROP).amin(1) - 0.5, torch.where(there, line, 0.0).amax(1) + 0.5

    (left, right), (top, bottom) = (ends(own.sum((1, axis))) for axis in (2, 3))
    tilt = _tilt(region[:, 0], line)
    ink = own * torch.exp(-INK * drawn.mean(1, keepdim=True))
    colour = (drawn * ink).sum((2, 3)) / ink.sum((2, 3)).clamp(min=FAINT**2)
    around = tone[:, :, 0, 0]
    colour = (around + DARKER * (colour - around)).clamp(0, 1)
    there = ((mouth > 0) * (area > LEAST_PX))[:, None, None, None]
    cover = blurred(wider(region, BESIDE_PX), SOFT) * there
    place = torch.stack([(left + right) / 2, NARROWER * (right - left) / 2, torch.lerp(top, bottom, AT), tilt], 1)
    return torch.cat([skin, cover], 1).to(crop.dtype), torch.cat([place, colour], 1).to(crop.dtype)


def _tilt(mouth: Tensor, line: Tensor) -> Tensor:
    """(B,) px down for each px to the right, of (B, 128, 128)."""
    total = mouth.sum((1, 2)).clamp(min=1)
    x, y = ((mouth.sum(axis) * line).sum(1) / total for axis in (1, 2))
    x, y = line - x[:, None], line - y[:, None]
    wide = (mouth.sum(1) * x.square()).sum(1)
    return ((mouth * x[:, None] * y[..., None]).sum((1, 2)) / wide.clamp(min=1)).clamp(-STEEPEST, STEEPEST)


def laid(
    ways: Tensor, colour: Tensor, skin: Tensor, line: Tensor, amount: Tensor, form: Tensor
) -> tuple[Tensor, Tensor]:
    """What a morpher tells of the crop, `ways` (P, 3, 128, 128) and premultiplied `colour` (P, 4, 128, 128), with
    mouths shut by `amount` (P,), smiling by `form` (P,); `skin` and `line` of each as `shut` has them."""
    weight = skin[:, 3:] * smooth(amount, *SHUTS)[:, None, None, None]
    middle, half, row, tilt = (line[:, k, None, None, None] for k in range(4))
    x = centres(CROP, ways.device).to(ways.dtype)
    s = (x - middle) / half.clamp(min=1)
    bend = (HANGS + FORM * form[:, None, None, None]) * half
    away = x[:, None] - row - tilt * (x - middle) - bend * (1 - 2 * s.square())
    thick = HALF_PX * (1 - s.abs().clamp(max=1) ** TAPER)
    ink = pen(thick, away)
    there = torch.lerp(skin[:, :3], line[:, 4:, None, None], ink)
    there = torch.cat([there, torch.ones_like(ink)], 1)
    paint = torch.zeros_like(ways)
    paint[:, 2] = 1
    return torch.lerp(ways, paint, weight), torch.lerp(colour, there, weight)
