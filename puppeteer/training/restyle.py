"""Other styles for generated characters: colours, shades, lines and brushes that no recipe has.

What a network learns of a layer should be its form and place, not the look of one renderer. So pictures are drawn over
while it trains: random colours for every label (Billot et al. 2023, "SynthSeg", section 3.2, does so for whole
pictures), shades and streaks of smooth noise, lines between layers, and brushes that smear. Everything is of B
pictures at once, on their device, with numbers of one generator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from puppeteer.networks.blocks import enlarge
from puppeteer.networks.rig.pictures import smooth

GREY = (0.3, 0.59, 0.11)
SWELLS = 0.2, 0.7  # of the half picture from the middle, where things begin to swell, and where all of them do


class Dice:
    """Random numbers for `count` pictures, on their device."""

    def __init__(self, rng: np.random.Generator, count: int, device: torch.device) -> None:
        self.rng, self.count, self.device = rng, count, device

    def numbers(self, x: NDArray[Any]) -> Tensor:
        return torch.tensor(np.asarray(x), dtype=torch.float32, device=self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return self.numbers(self.rng.uniform(low, high, (self.count, *shape)))

    def normal(self, spread: float, *shape: int) -> Tensor:
        return self.numbers(self.rng.normal(0, spread, (self.count, *shape)))

    def often(self, share: float, *shape: int) -> Tensor:
        """1 in that share of all, else 0."""
        return self.numbers(self.rng.random((self.count, *shape)) < share)

    def here(self, size: int) -> Tensor:
        """(B, 2, size, size) x and y of pixel centres in [-1, 1]."""
        still = torch.eye(2, 3, device=self.device).expand(self.count, 2, 3)
        return F.affine_grid(still, [self.count, 1, size, size], align_corners=False).permute(0, 3, 1, 2)

    def smooth(self, size: int, channels: int, down: int, across: int) -> Tensor:
        """(B, channels, size, size) noise of about unit spread, with so many cells."""
        cells = torch.randn(self.count, channels, down + 3, across + 3, device=self.device)
        wide = F.interpolate(cells, (size + size * 3 // down, size + size * 3 // across), mode="bicubic")
        top, left = size * 3 // down // 2, size * 3 // across // 2
        return wide[:, :, top : top + size, left : left + size] * 1.3


class Placing(NamedTuple):
    """Where pixels of B pictures are taken from."""

    matrix: Tensor  # (B, 2, 3) as `affine_grid` wants it
    bend: Tensor  # (B, 2, S, S) added to that
    scale: Tensor  # (B,) by how much things become larger

    @classmethod
    def of(
        cls,
        dice: Dice,
        size: int,
        scale: tuple[float, float],
        shift: float,
        lean: float,
        bend: float,
        swell: tuple[float, float] = (0.0, 0.0),
    ) -> Placing:
        """Mirrored, scaled, stretched, shifted, leaning by some radians, and bent by a share of the half picture; and
        what is far from the middle swells by a share, as hair does about drawn faces."""
        side = 1 - 2 * dice.often(0.5)
        larger, squeeze = dice.uniform(*scale), dice.uniform(-0.06, 0.06).exp()
        angle, at = dice.normal(lean), dice.uniform(-shift, shift, 2)
        cos, sin = angle.cos() / larger, angle.sin() / larger
        rows = [side * cos / squeeze, -sin, at[:, 0]], [side * sin / squeeze, cos * squeeze, at[:, 1]]
        matrix = torch.stack([torch.stack(row, 1) for row in rows], 1)
        cells = int(dice.rng.integers(2, 7))
        strength = (dice.often(0.7) * dice.uniform(0.0, bend))[:, None, None, None]
        here = dice.here(size)
        outwards = here * smooth(here.norm(dim=1, keepdim=True), *SWELLS) * dice.uniform(*swell)[:, None, None, None]
        return cls(matrix, dice.smooth(size, 2, cells, cells) * strength - outwards, larger)

    def moved(self, x: Tensor) -> Tensor:
        """(B, C, s, s); what comes in continues the edge, for a body goes on below the picture's."""
        grid = F.affine_grid(self.matrix, [len(x), 1, *x.shape[2:]], align_corners=False)
        bend = enlarge(self.bend, x.shape[-1]).permute(0, 2, 3, 1)
        return F.grid_sample(x, grid + bend, mode="bilinear", padding_mode="border", align_corners=False)

    def places(self, at: Tensor) -> Tensor:
        """(B, N, 2) in [-1, 1] -> where these come to lie."""
        inverse = torch.linalg.inv(self.matrix[:, :, :2])
        shift, out = self.matrix[:, None, :, 2], at
        for _ in range(3):
            bent = F.grid_sample(self.bend, out[:, None], padding_mode="border", align_corners=False)[:, :, 0]
            out = torch.einsum("bij,bnj->bni", inverse, at - shift - bent.transpose(1, 2))
        return out


def turned(hue: Tensor, saturation: Tensor, contrast: Tensor, brightness: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers (...) -> matrices (..., 3, 3) and offsets (..., 3, 1) that change colours: a hue turned by some radians,
    more or less of it, of all contrast, and lighter."""
    grey = torch.tensor(GREY, device=hue.device)
    cos, sin = hue.cos()[..., None, None], hue.sin()[..., None, None]
    one, third = torch.eye(3, device=hue.device), 1 / 3
    skew = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=hue.device) / math.sqrt(3)
    turn = cos * one + (1 - cos) * third + sin * skew
    keep = saturation[..., None, None]
    matrix = (keep * one + (1 - keep) * grey.expand(3, 3)) @ turn * contrast[..., None, None]
    offset = (0.5 * (1 - contrast) + brightness)[..., None, None].expand(*hue.shape, 3, 1)
    return matrix, offset


class Kind(NamedTuple):
    """How far the colours of a kind of layers may go."""

    layers: tuple[int, ...]
    wild: float  # share that gets any hue
    hue: float  # radians, of the others
    saturation: tuple[float, float]
    brightness: float


def colours(dice: Dice, kinds: Sequence[Kind], count: int, own: float = 0.12) -> tuple[Tensor, Tensor]:
    """Matrices (B, L, 3, 3) and offsets (B, L, 3, 1) for `count` layers; those of a kind mostly get the same."""
    matrix = torch.eye(3, device=dice.device).expand(dice.count, count, 3, 3).clone()
    offset = torch.zeros(dice.count, count, 3, 1, device=dice.device)
    for kind in kinds:

        def one(kind: Kind = kind) -> tuple[Tensor, Tensor]:
            wild = dice.often(kind.wild)
            hue = torch.lerp(dice.normal(kind.hue), dice.uniform(-math.pi, math.pi), wild)
            bright = dice.uniform(-1, 1) * kind.brightness
            return turned(hue, dice.uniform(*kind.saturation), dice.normal(0.15).exp(), bright)

        common = one()
        for layer in kind.layers:
            apart = dice.often(own)[:, None, None]
            for all_of, of_kind, of_layer in zip((matrix, offset), common, one(), strict=True):
                all_of[:, layer] = torch.lerp(of_kind, of_layer, apart)
    return matrix, offset


def recoloured(rgb: Tensor, shares: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """rgb (B, 3, H, W), not multiplied, with the changes (B, L, 3, ...) of the layers that have shares (B, L, H, W)."""
    change = torch.einsum("blhw,blij->bijhw", shares, torch.cat([matrix, offset], -1))
    return torch.einsum("bijhw,bjhw->bihw", change[:, :, :3], rgb) + change[:, :, 3]


def streaks(dice: Dice, size: int) -> Tensor:
    """(B, 1, size, size): 1 on lines as locks and folds have them, more of them down than across."""
    down, across = int(dice.rng.integers(3, 10)), int(dice.rng.integers(8, 40))
    noise = dice.smooth(size, 1, down, across)
    return (1 - noise.abs() / dice.uniform(0.06, 0.3, 1, 1, 1)).clamp(min=0)


def streaked(rgb: Tensor, where: Tensor, dice: Dice, strength: tuple[float, float]) -> Tensor:
    """rgb (B, 3, S, S), half of them with streaks in places (B, 1, S, S): darker, or lighter below 0."""
    much = dice.uniform(*strength, 1, 1, 1) * dice.often(0.5, 1, 1, 1)
    drawn = streaks(dice, rgb.shape[-1]) * where * much.abs()
    return torch.lerp(rgb, torch.where(much > 0, rgb * 0.4, 1.0), drawn)


def outlines(shares: Tensor, thick: int) -> Tensor:
    """(B, 1, H, W): where layers (B, L, H, W) end at each other."""
    apart = (shares - F.avg_pool2d(shares, 3, 1, 1, count_include_pad=False)).abs().amax(1, keepdim=True)
    return F.max_pool2d((3 * apart).clamp(max=1), thick, 1, thick // 2)


def inked(rgb: Tensor, ends: Tensor, dice: Dice, share: float) -> Tensor:
    """rgb (B, 3, S, S), a share of them with dark lines at `ends` (B, 1, S, S)."""
    ink = dice.uniform(0, 0.7, 1, 1, 1) * dice.often(share, 1, 1, 1) * ends
    return torch.lerp(rgb, rgb * dice.uniform(0, 0.5, 3, 1, 1), ink)


def brushed(image: Tensor, dice: Dice) -> Tensor:
    """Premultiplied (B, 4, H, W) smeared, softened or sharpened, with grain, or of few tones."""
    size = image.shape[-1]
    smear = (dice.often(0.3) * dice.uniform(0, 1.8 / size))[:, None, None, None]
    cells = size // int(dice.rng.integers(2, 6))
    grid = dice.here(size) + dice.smooth(size, 2, cells, cells) * smear
    out = F.grid_sample(image, grid.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    soft = dice.numbers(dice.rng.choice([0, 0, 0, 0.25, 0.5, 0.7, -0.35, -0.7], (dice.count, 1, 1, 1)))
    out = torch.lerp(out, F.avg_pool2d(out, 3, 1, 1, count_include_pad=False), soft)
    rgb, alpha = out[:, :3], out[:, 3:].clamp(0, 1)
    grain = dice.numbers(dice.rng.choice([0, 0, 0.012, 0.025, 0.04], (dice.count, 1, 1, 1)))
    rgb = rgb + grain * torch.randn(rgb.shape, device=dice.device) * alpha
    tones = dice.uniform(10, 40, 1, 1, 1)
    rgb = torch.lerp(rgb, (rgb * tones).round() / tones, dice.often(0.1)[:, None, None, None])
    return torch.cat([torch.minimum(rgb.clamp(min=0), alpha), alpha], 1)


def in_grey(rgb: Tensor, grey: Tensor) -> Tensor:
    """rgb (B, ..., 3, H, W) without colours where `grey` (B) is 1."""
    weights = torch.tensor(GREY, device=rgb.device)[:, None, None]
    flat = (rgb * weights).sum(-3, keepdim=True).expand_as(rgb)
    return torch.lerp(rgb, flat, grey.view(-1, *[1] * (rgb.ndim - 1)))
