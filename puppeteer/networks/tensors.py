"""The only conversions between sRGB bytes and tensors."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from puppeteer.pose import U8

Encoding = Literal["linear_straight", "srgb_premultiplied"]


def to_tensor(rgba: U8, encoding: Encoding) -> Tensor:
    """uint8 (H, W, 4) straight sRGB to float32 (1, 4, H, W).

    "linear_straight": linear light, straight alpha, all in [-1, 1]. "srgb_premultiplied": sRGB values times alpha,
    all in [0, 1].
    """
    x = torch.from_numpy(np.ascontiguousarray(rgba.transpose(2, 0, 1)))[None].float() / 255
    rgb, alpha = x[:, :3], x[:, 3:]
    if encoding == "linear_straight":
        return torch.cat([srgb_to_linear(rgb), alpha], 1) * 2 - 1
    return torch.cat([rgb * alpha, alpha], 1)


def to_premultiplied(x: Tensor, encoding: Encoding) -> Tensor:
    """(B, 4, H, W) in `encoding` to float32 sRGB values times alpha in [0, 1]; exact for what is that already."""
    x = x.float()
    if encoding == "linear_straight":
        x = (x * 0.5 + 0.5).clamp(0, 1)
        rgb, alpha = linear_to_srgb(x[:, :3]), x[:, 3:]
        return torch.cat([rgb * alpha, alpha], 1)
    return x.clamp(0, 1)


def to_bytes(x: Tensor) -> Tensor:
    """Premultiplied float32 (1, 4, H, W) in [0, 1] to straight uint8 (H, W, 4), on the tensor's own device."""
    alpha = x[:, 3:]
    rgb = torch.where(alpha > 0.5 / 255, x[:, :3] / alpha.clamp_min(0.5 / 255), 0)
    straight = torch.cat([rgb, alpha], 1).clamp(0, 1)
    return (straight[0].permute(1, 2, 0) * 255 + 0.5).to(torch.uint8).contiguous()


def premultiplied_bytes(x: Tensor) -> U8:
    """Premultiplied float32 (1, C, H, W) in [0, 1] on the CPU to uint8 (H, W, C), premultiplied."""
    return np.asarray((x[0].permute(1, 2, 0) * 255 + 0.5).to(torch.uint8).numpy())


def srgb_to_linear(x: Tensor) -> Tensor:
    """Both in [0, 1] (IEC 61966-2-1)."""
    return torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(x: Tensor) -> Tensor:
    """Both in [0, 1] (IEC 61966-2-1)."""
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp_min(0.0031308) ** (1 / 2.4) - 0.055)
