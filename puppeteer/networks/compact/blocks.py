"""What morpher and rotator share: sizes, the encoder, sampling."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPEC = 256
CROP = 128
CROP_AT = (SPEC - CROP) // 2


@dataclass(frozen=True, slots=True)
class CompactConfig:
    """Channels of the encoders at 64, 32 and 16 px, and of the per-frame decoders at 64 px."""

    morpher_widths: tuple[int, int, int] = (32, 64, 96)
    morpher_blocks: int = 3  # residual blocks at 16 px
    morpher_decoder: int = 32
    rotator_widths: tuple[int, int, int] = (32, 64, 128)
    rotator_blocks: int = 4
    rotator_decoder: int = 32
    painter_widths: tuple[int, int, int] = (32, 64, 96)  # at 128, 64 and 32 px
    painter_blocks: int = 4
    flow_unit: float = 12.0  # px that a coefficient of 1 moves at pose 1


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2)


def start_small(layer: nn.Module, gain: float) -> None:
    """A last layer whose outputs begin near zero, so that training starts from the identity."""
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.mul_(gain if name == "weight" else 0)


class Residual(nn.Module):
    """x + conv(relu(conv(norm(x)))); only the encoders, which run once per character, pay for a norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = conv(channels, channels)
        self.conv2 = conv(channels, channels)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.conv2(F.relu(self.conv1(F.relu(self.norm(x)))))
        return x + change


def coordinate_planes(like: Tensor) -> Tensor:
    """(B, 2, H, W) x and y in [-1, 1]: where a pixel lies means much in the spec square."""
    b, _, h, w = like.shape
    x = torch.linspace(-1, 1, w, device=like.device, dtype=like.dtype).expand(b, 1, h, w)
    y = torch.linspace(-1, 1, h, device=like.device, dtype=like.dtype)[:, None].expand(b, 1, h, w)
    return torch.cat([x, y], 1)


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


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """float32 (1, 2, H, W): the centre of every pixel of a height x width raster over the spec square, in spec px."""
    x = (torch.arange(width, device=device, dtype=torch.float32) + 0.5) * (SPEC / width)
    y = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (SPEC / height)
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])[None]


def sample(image: Tensor, source: Tensor, span: float = SPEC) -> Tensor:
    """Bilinear: image (B, C, h, w) over `span` px, source (B, 2, H, W) in px -> (B, C, H, W), borders repeated.

    The grid stays float32; half floats would be off by up to a pixel at 1024 px.
    """
    grid = (source.float() * (2 / span) - 1).permute(0, 2, 3, 1)
    dtype = image.dtype
    half = dtype in (torch.float16, torch.bfloat16)
    out = F.grid_sample(image.float() if half else image, grid, "bilinear", "border", align_corners=False)
    return out.to(dtype) if half else out


def repeated(x: Tensor, count: int) -> Tensor:
    """Every character's row for each of its `count` poses."""
    return x if count == 1 else x.repeat_interleave(count, 0)


def blend(basis: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of maps kept per character: basis (B, T, ...), weights (B*K, T) -> (B*K, ...)."""
    count, terms = basis.shape[:2]
    maps = torch.bmm(weights.to(basis.dtype).view(count, -1, terms), basis.flatten(2))
    return maps.view(-1, *basis.shape[2:])


def halved(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, H/2, W/2), means of four; on a CPU several times faster than avg_pool2d."""
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) * 0.25


def enlarge(x: Tensor, size: int) -> Tensor:
    """Bilinear to size x size (the same tensor when it has that size)."""
    return x if x.shape[-1] == size else F.interpolate(x, (size, size), mode="bilinear", align_corners=False)
