"""What networks of this project are built of: layers, grids over the spec square, sampling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPEC = 256


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


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """float32 (1, 2, H, W): the centre of every pixel of a height x width raster over the spec square, in spec px."""
    x = (torch.arange(width, device=device, dtype=torch.float32) + 0.5) * (SPEC / width)
    y = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (SPEC / height)
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])[None]


def sample(image: Tensor, source: Tensor, span: float = SPEC, outside: str = "border") -> Tensor:
    """Bilinear: image (B, C, h, w) over `span` px, source (B, 2, H, W) in px -> (B, C, H, W), borders repeated, or
    nothing outside of them ("zeros").

    The grid stays float32; half floats would be off by up to a pixel at 1024 px.
    """
    grid = (source.float() * (2 / span) - 1).permute(0, 2, 3, 1)
    dtype = image.dtype
    half = dtype in (torch.float16, torch.bfloat16)
    out = F.grid_sample(image.float() if half else image, grid, "bilinear", outside, align_corners=False)
    return out.to(dtype) if half else out


def repeated(x: Tensor, count: int) -> Tensor:
    """Every character's row for each of its `count` poses."""
    return x if count == 1 else x.repeat_interleave(count, 0)


def blend(basis: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of maps kept per character: basis (B, T, ...), weights (B*K, T) -> (B*K, ...)."""
    count, terms = basis.shape[:2]
    maps = torch.bmm(weights.to(basis.dtype).view(count, -1, terms), basis.flatten(2))
    return maps.view(-1, *basis.shape[2:])


def enlarge(x: Tensor, size: int) -> Tensor:
    """Bilinear to size x size (the same tensor when it has that size)."""
    return x if x.shape[-1] == size else F.interpolate(x, (size, size), mode="bilinear", align_corners=False)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian, (B, 1, H, W)"""
    reach = max(1, round(3 * sigma))
    at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
