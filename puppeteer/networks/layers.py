"""What a family of networks is to the poser, and how its answer becomes a picture of any size.

A family answers with layers of low resolution. The flow is a field, not a picture: enlarged, it warps the original
drawing at the output's own resolution, so that a 1024 px drawing stays sharp although the network works at 256.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.image import Encoding, premultiplied_bytes, resized, to_bytes, to_premultiplied, unpremultiplied
from puppeteer.pose import F32, U8

Features = tuple[Tensor, ...]


class Layers(NamedTuple):
    """One frame: `keep * warp(original, flow) + paint`, each part at a resolution of its own choice.

    Without `flow` the original is not moved, without `keep` it shows wherever there is no paint at all: everywhere
    where `paint` is absent, nowhere where it is given.
    """

    flow: Tensor | None = None  # (1, 2, h, w) where to look, minus here: x, y; the picture's side is 2
    keep: Tensor | None = None  # (1, 1 or 4, h, w) in [0, 1]
    paint: Tensor | None = None  # (1, 4, h, w) in the family's encoding; "srgb_premultiplied" where keep is given


class Network(Protocol):
    """One family. Pure functions of tensors: no word about device or dtype, no copy between devices, no data-dependent
    control flow, so that a frame can be recorded as a CUDA graph and counted without being computed."""

    encoding: Encoding  # of the image that `encode` takes and of `Layers.paint`

    def encode(self, image: Tensor) -> Features:
        """Once per character: image (1, 4, 256, 256) to what all of its frames share."""
        ...

    def decode(self, features: Features, pose: Tensor) -> Layers:
        """Once per pose: pose (1, 6) in the order of `POSE_NAMES`."""
        ...


def drawn(layers: Layers, encoding: Encoding, original: U8) -> U8:
    """The frame on the CPU: premultiplied original (S, S, 4) to straight uint8 (S, S, 4).

    OpenCV on bytes: at 1024 px several times faster than tensors of floats.
    """
    size = original.shape[0]
    out = original
    if layers.flow is not None:
        flow = np.ascontiguousarray(layers.flow[0].permute(1, 2, 0).float().numpy())
        # The body ends at the picture's edge: what moves in from outside continues it.
        out = cv2.remap(original, _where_to_look(flow, size), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if layers.paint is not None:
        paint = resized(premultiplied_bytes(to_premultiplied(layers.paint, encoding)), size, smooth=layers.keep is None)
        if layers.keep is None:
            out = paint
        else:
            keep = premultiplied_bytes(layers.keep.float().clamp(0, 1).expand(-1, 4, -1, -1))
            keep = cv2.resize(keep, (size, size), interpolation=cv2.INTER_LINEAR)
            out = cv2.add(cv2.multiply(out, keep, scale=1 / 255), paint)
    return unpremultiplied(np.asarray(out, np.uint8))


def _where_to_look(flow: F32, size: int) -> F32:
    """(h, w, 2) flow in a picture whose side is 2 to the positions (size, size, 2) in px."""
    out = cv2.resize(flow, (size, size), interpolation=cv2.INTER_LINEAR)
    out *= np.float32(size / 2)
    pixels = np.arange(size, dtype=np.float32)
    out[..., 0] += pixels
    out[..., 1] += pixels[:, None]
    return np.asarray(out, np.float32)


def drawn_on_device(layers: Layers, encoding: Encoding, original: Tensor) -> Tensor:
    """The same without leaving the device: premultiplied original float32 (1, 4, S, S) to straight uint8 (S, S, 4)."""
    size = original.shape[-1]
    out = original
    if layers.flow is not None:
        pixels = (torch.arange(size, dtype=torch.float32, device=original.device) + 0.5) * (2 / size) - 1
        here = torch.stack([pixels[None].expand(size, -1), pixels[:, None].expand(-1, size)])
        look = _enlarged(layers.flow.float(), size) + here
        grid = look.permute(0, 2, 3, 1)
        out = F.grid_sample(original, grid, mode="bilinear", padding_mode="border", align_corners=False)
    if layers.paint is not None:
        paint = to_premultiplied(layers.paint, encoding)
        if layers.keep is None:
            out = _enlarged(paint, size, "bicubic").clamp(0, 1)
        else:
            out = out * _enlarged(layers.keep.float(), size) + _enlarged(paint, size)
    return to_bytes(out)


def _enlarged(x: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    if x.shape[-1] == size:
        return x
    return F.interpolate(x, size=(size, size), mode=mode, align_corners=False, antialias=x.shape[-1] > size)
