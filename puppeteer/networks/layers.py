"""What a family of networks is to the poser, and how its answer becomes a picture of any size.

A family answers with maps of low resolution. A flow is a field, not a picture: enlarged, it warps the original
drawing at the output's own resolution, so that a 1024 px drawing stays sharp although the network works at 256.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.image import Encoding, premultiplied_bytes, resized, to_bytes, to_premultiplied, unpremultiplied
from puppeteer.pose import F32, U8


class Copy(NamedTuple):
    """Part of a frame that is the original drawing, moved."""

    flow: Tensor | None  # (1, 2, h, w) x, y: where to look, minus here; the picture's side is 2. None: not moved
    share: Tensor | None  # (1, 1, h, w) in [0, 1]: how much of the frame it is. None: all of it


class Layers(NamedTuple):
    """One frame: the sum of `share * warp(original, flow)` over the copies, plus `paint`. All at sizes of their own."""

    copies: tuple[Copy, ...] = ()
    paint: Tensor | None = None  # (1, 4, h, w) in the family's encoding; "srgb_premultiplied" where there are copies


class Network(Protocol):
    """One family. Pure functions of tensors: no word about device or dtype, no copy between devices, no control flow
    that depends on values, so that a frame can be recorded as a CUDA graph and counted without being computed."""

    encoding: Encoding  # of the image that `encode` takes and of `Layers.paint`

    def encode(self, image: Tensor) -> Any:
        """Once per character: image (1, 4, 256, 256) to whatever its frames share (tensors, in tuples if many)."""
        ...

    def decode(self, features: Any, pose: Tensor) -> Layers:
        """Once per pose: pose float32 (1, 6) in the order of `POSE_NAMES`."""
        ...


def drawn(layers: Layers, encoding: Encoding, original: U8) -> U8:
    """The frame on the CPU: premultiplied original (S, S, 4) to straight uint8 (S, S, 4).

    OpenCV on bytes: at 1024 px several times faster than tensors of floats.
    """
    size = original.shape[0]
    if layers.paint is None and len(layers.copies) == 1 and layers.copies[0].share is None:
        return unpremultiplied(_warped(original, layers.copies[0].flow, (slice(0, size), slice(0, size))))
    if layers.paint is None:
        out = np.zeros_like(original)
    else:
        paint = premultiplied_bytes(to_premultiplied(layers.paint, encoding))
        out = resized(paint, size, smooth=not layers.copies)
    for flow, weights in zip((copy.flow for copy in layers.copies), _weights(layers.copies, size), strict=True):
        x, y, width, height = cv2.boundingRect(weights)
        if width and height:
            part = (slice(y, y + height), slice(x, x + width))
            weight = cv2.cvtColor(weights[part], cv2.COLOR_GRAY2RGBA)
            weight[..., 3] = weights[part]
            moved = _warped(original, flow, part)
            out[part] = cv2.add(out[part], cv2.multiply(moved, weight, scale=1 / 255))
    alpha = out[..., 3]
    alpha[alpha >= NEARLY_OPAQUE] = 255
    return unpremultiplied(out)


NEARLY_OPAQUE = 254  # shares and paint that sum to 1 may lose a step when each is rounded to bytes


def _weights(copies: tuple[Copy, ...], size: int) -> Iterator[U8]:
    """Each copy's share (size, size) of 255.

    Differences of rounded sums: shares that sum to 1 give bytes that sum to 255, which rounding each would not.
    """
    side = max((copy.share.shape[-1] for copy in copies if copy.share is not None), default=1)
    total, before = np.zeros((side, side), np.float32), np.zeros((size, size), np.uint8)
    for copy in copies:
        if copy.share is None:
            total += 1
        else:
            share = copy.share[0, 0].float().clamp(0, 1).numpy()
            total += cv2.resize(share, (side, side), interpolation=cv2.INTER_LINEAR)
        after = resized((np.minimum(total, 1) * 255 + 0.5).astype(np.uint8), size, smooth=False)
        yield cv2.subtract(after, before)
        before = cv2.max(after, before)


def _warped(original: U8, flow: Tensor | None, part: tuple[slice, slice]) -> U8:
    """The part (rows, columns) of the moved original."""
    if flow is None:
        return original[part]
    size = original.shape[0]
    enlarged = cv2.resize(np.ascontiguousarray(flow[0].permute(1, 2, 0).float().numpy()), (size, size))[part]
    look = cv2.scaleAdd(enlarged, size / 2, _positions(size)[part])
    # The body ends at the picture's edge: what moves in from outside continues it.
    moved = cv2.remap(original, look, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


@lru_cache(maxsize=3)
def _positions(size: int) -> F32:
    """(size, size, 2) x and y of every pixel."""
    pixels = np.arange(size, dtype=np.float32)
    return np.dstack(np.meshgrid(pixels, pixels))


def drawn_on_device(layers: Layers, encoding: Encoding, original: Tensor) -> Tensor:
    """The same without leaving the device: premultiplied original float32 (1, 4, S, S) to straight uint8 (S, S, 4).

    Sampling grids are float32: in half precision neighbouring pixels of a large picture would share a position.
    """
    size = original.shape[-1]
    pixels = (torch.arange(size, dtype=torch.float32, device=original.device) + 0.5) * (2 / size) - 1
    here = torch.stack([pixels[None].expand(size, -1), pixels[:, None].expand(-1, size)])
    out = torch.zeros_like(original)
    if layers.paint is not None:
        mode = "bilinear" if layers.copies else "bicubic"
        out = _at(to_premultiplied(layers.paint, encoding), size, mode).clamp(0, 1)
    for flow, share in layers.copies:
        moved = original
        if flow is not None:
            grid = (_at(flow.float(), size) + here).permute(0, 2, 3, 1)
            moved = F.grid_sample(original, grid, mode="bilinear", padding_mode="border", align_corners=False)
        out = out + (moved if share is None else moved * _at(share.float().clamp(0, 1), size))
    return to_bytes(out)


def _at(x: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    """(1, C, h, h) to (1, C, size, size)"""
    if x.shape[-1] == size:
        return x
    if x.shape[-1] > size:
        return F.interpolate(x, size=(size, size), mode="area")
    return F.interpolate(x, size=(size, size), mode=mode, align_corners=False)
