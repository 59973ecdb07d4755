"""What the morpher is made of: sizes, the encoder, a basis for closure."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.blocks import SPEC, Residual, conv, coordinate_planes

CROP = 128
CROP_AT = (SPEC - CROP) // 2


@dataclass(frozen=True, slots=True)
class MorpherConfig:
    """Channels of the encoder at 64, 32 and 16 px, and of the per-frame decoder at 64 px."""

    widths: tuple[int, int, int] = (32, 64, 96)
    blocks: int = 3  # residual blocks at 16 px
    decoder: int = 32


class Encoder(nn.Module):
    """U-Net from a picture, pixel-unshuffled to 64 px, to features at 64 px and one global vector."""

    def __init__(self, inputs: int, widths: tuple[int, int, int], blocks: int) -> None:
        super().__init__()
        a, b, c = widths
        self.enter = conv(inputs + 2, a)
        self.fine = Residual(a)
        self.down1 = conv(a, b, 4, 2)
        self.middle = Residual(b)
        self.down2 = conv(b, c, 4, 2)
        self.coarse = nn.Sequential(*(Residual(c) for _ in range(blocks)))
        self.up1 = conv(c, b, 1)
        self.merge1 = nn.Sequential(conv(2 * b, b, 1), Residual(b), Residual(b))
        self.up2 = conv(b, a, 1)
        self.merge2 = nn.Sequential(conv(2 * a, a, 1), Residual(a), Residual(a))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, inputs, 64, 64) -> features (B, widths[0], 64, 64), global (B, widths[2])"""
        fine = self.fine(self.enter(torch.cat([x, coordinate_planes(x)], 1)))
        middle = self.middle(F.pad(self.down1(F.relu(fine)), (0, -1, 0, -1)))
        coarse = self.coarse(F.pad(self.down2(F.relu(middle)), (0, -1, 0, -1)))
        x = F.interpolate(self.up1(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        middle = self.merge1(torch.cat([x, middle], 1))
        x = F.interpolate(self.up2(middle), scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.relu(self.merge2(torch.cat([x, fine], 1))), F.relu(coarse).mean((2, 3))


def hats(value: Tensor, count: int, first: float) -> Tensor:
    """Piecewise linear basis on [0, 1] with peaks at first .. 1: value (..., 1) -> (..., count)."""
    width = (1 - first) / (count - 1)
    peaks = torch.arange(count, device=value.device, dtype=value.dtype) + first / width
    return (1 - (value / width - peaks).abs()).clamp(min=0)
