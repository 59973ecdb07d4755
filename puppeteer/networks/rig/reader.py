"""The networks that understand a drawing, once: one splits it into complete layers with depth, one paints the hidden.

Both are U-Nets over the spec square. Nothing here runs per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.blocks import SPEC, Residual, conv, coordinate_planes, enlarge, pixel_grid, start_small

LAYERS = ("back", "neck", "body", "face", "side", "glasses", "front")  # back to front
COUNT = len(LAYERS)
BACK, NECK, BODY, FACE, SIDE, GLASSES, FRONT = range(COUNT)
PAINTED = (BACK, NECK, BODY, FACE, SIDE)  # what others cover
# Whose colours a layer's hidden parts may have where it shows little itself.
KIN = {BACK: (SIDE, FRONT), NECK: (FACE, BODY), BODY: (NECK,), FACE: (NECK,), SIDE: (FRONT, BACK)}
KIN_WEIGHT = 0.01
DEPTH_UNIT = 30.0  # px
ROOT, TIP = (128.0, 204.0), (128.0, 181.0)  # of the neck, px, where an average character has them
JOINT_REACH = 24.0  # px about there


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """Channels at 128, 64, 32 and 16 px."""

    widths: tuple[int, ...] = (32, 64, 112, 176)
    blocks: int = 4  # at 16 px
    painter_widths: tuple[int, ...] = (24, 48, 80, 112)
    painter_blocks: int = 2


class Reading(NamedTuple):
    """What is read in a picture (B, 4, 256, 256)."""

    labels: Tensor  # (B, 1 + L, 256, 256) logits: nothing, then the layers
    whole: Tensor  # (B, L, 256, 256) logits of coverage when nothing covers the layer
    depth: Tensor  # (B, L, 128, 128) px
    joints: Tensor  # (B, 4) x and y of root and tip, px

    def shares(self) -> Tensor:
        """(B, L, 256, 256) of what is drawn, that shows each layer; they sum to 1"""
        return torch.softmax(self.labels[:, 1:].float(), 1)


class UNet(nn.Module):
    """(B, inputs, 128, 128) -> features (B, widths[0], 128, 128), one vector (B, widths[-1])"""

    def __init__(self, inputs: int, widths: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        self.enter = conv(inputs + 2, widths[0])
        pairs = list(pairwise(widths))
        self.fine = nn.ModuleList(Residual(a) for a in widths[:-1])
        self.down = nn.ModuleList(conv(a, b, 4, 2) for a, b in pairs)
        self.coarse = nn.Sequential(*(Residual(widths[-1]) for _ in range(blocks)))
        self.up = nn.ModuleList(conv(b, a, 1) for a, b in pairs)
        self.join = nn.ModuleList(conv(2 * a, a, 1) for a, _ in pairs)
        self.merge = nn.ModuleList(Residual(a) for a, _ in pairs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.enter(torch.cat([x, coordinate_planes(x)], 1))
        kept = []
        for fine, down in zip(self.fine, self.down, strict=True):
            x = fine(x)
            kept.append(x)
            x = F.pad(down(F.relu(x)), (0, -1, 0, -1))
        x = self.coarse(x)
        summary = F.relu(x).mean((2, 3))
        for up, join, merge, beside in reversed(list(zip(self.up, self.join, self.merge, kept, strict=True))):
            x = F.interpolate(up(x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = merge(join(torch.cat([x, beside], 1)))
        return F.relu(x), summary


class Reader(nn.Module):
    """Splits a picture into complete layers."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.body = UNet(16, config.widths, config.blocks)
        self.tell = conv(config.widths[0], 4 * (1 + 2 * COUNT) + COUNT)
        self.find = nn.Linear(config.widths[-1], 4)
        start_small(self.find, 0.2)

    def forward(self, image: Tensor) -> Reading:
        """Premultiplied (B, 4, 256, 256)"""
        features, summary = self.body(F.pixel_unshuffle(image, 2) - 0.5)
        told = self.tell(features)
        fine = F.pixel_shuffle(told[:, : 4 * (1 + 2 * COUNT)], 2).float()
        middle = torch.tensor([*ROOT, *TIP], device=image.device)
        return Reading(
            fine[:, : 1 + COUNT],
            fine[:, 1 + COUNT :],
            told[:, 4 * (1 + 2 * COUNT) :].float() * DEPTH_UNIT,
            middle + JOINT_REACH * torch.tanh(self.find(summary).float()),
        )


class Painter(nn.Module):
    """Paints the layers where others cover them: their own colours spread, and what these lack."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.body = UNet(16 + COUNT + 4 * len(PAINTED), config.painter_widths, config.painter_blocks)
        self.brush = conv(config.painter_widths[0], 4 * 3 * len(PAINTED))
        start_small(self.brush, 0.2)

    def forward(self, image: Tensor, shares: Tensor, whole: Tensor) -> Tensor:
        """Premultiplied (B, 4, 256, 256), shares and coverage (B, L, 256, 256) -> (B, 5, 3, 256, 256), not multiplied,
        of the layers in `PAINTED`."""
        small, split = F.avg_pool2d(image.float(), 2), F.avg_pool2d(shares, 2)
        spread = torch.stack([spread_colour(small, split, layer) for layer in PAINTED], 1)
        known = torch.cat([split, F.avg_pool2d(whole[:, list(PAINTED)], 2), spread.flatten(1, 2)], 1)
        seen = torch.cat([F.pixel_unshuffle(image, 2) - 0.5, known.to(image.dtype)], 1)
        strokes = F.pixel_shuffle(self.brush(self.body(seen)[0]), 2).float()
        painted = enlarge(spread.flatten(1, 2), image.shape[-1]) + torch.tanh(strokes)
        return painted.clamp(0, 1).view(len(image), len(PAINTED), 3, *image.shape[2:])


def spread_colour(image: Tensor, shares: Tensor, layer: int) -> Tensor:
    """A layer's colours (B, 3, H, W), not multiplied, where it is surely seen, spread over everything."""

    def surely(k: int) -> Tensor:
        return ((shares[:, k : k + 1] - 0.7) * 4).clamp(0, 1)

    weight = surely(layer) + KIN_WEIGHT * sum((surely(k) for k in KIN.get(layer, ())), torch.zeros_like(shares[:, :1]))
    weight = weight * ((image[:, 3:] - 0.9) * 10).clamp(0, 1).float()
    colour = image[:, :3].float() / image[:, 3:].float().clamp(min=0.1)
    return spread(colour, weight)


def spread(colour: Tensor, weight: Tensor) -> Tensor:
    """Colours (B, 3, H, W) where they have a weight (B, 1, H, W), spread over everything: what is near counts most.

    Push and pull over a pyramid (Gortler et al. 1996, "The Lumigraph", section 3.6.1).
    """
    levels = [(colour * weight, weight)]
    while levels[-1][1].shape[-1] > 2:
        levels.append((F.avg_pool2d(levels[-1][0], 2), F.avg_pool2d(levels[-1][1], 2)))
    total, amount = levels.pop()
    out = (total + 0.5e-4) / (amount + 1e-4)
    for total, amount in reversed(levels):
        out = (total + 0.02 * enlarge(out, total.shape[-1])) / (amount + 0.02)
    return out


def nearest(there: Tensor) -> Tensor:
    """(L, 1, 256, 256) booleans -> (L, 2, 256, 256): x and y, px, of the nearest place that is true; of none, -1e4.

    Jump flooding (Rong and Tan 2006, "Jump Flooding in GPU with Applications to Voronoi Diagram and Distance
    Transform").
    """
    here = pixel_grid(SPEC, SPEC, there.device)
    found = torch.where(there, here, torch.full_like(here, -1e4))
    step = SPEC // 2
    while step:
        for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
            other = F.pad(found, (step,) * 4, value=-1e4)
            top, left = step + dy * step, step + dx * step
            other = other[:, :, top : top + SPEC, left : left + SPEC]
            closer = ((other - here) ** 2).sum(1, keepdim=True) < ((found - here) ** 2).sum(1, keepdim=True)
            found = torch.where(closer, other, found)
        step //= 2
    return found
