"""A frame as moved copies of the original, as a family answers it.

A family answers with maps of low resolution. A flow is a field, not a picture: enlarged, it warps the original
drawing at the output's own resolution, so that a 1024 px drawing stays sharp although the network works at 256.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Copy(NamedTuple):
    """Part of a frame that is the original drawing, moved."""

    flow: Tensor | None  # (1, 2, h, w) x, y: where to look, minus here; the picture's side is 2. None: not moved
    share: Tensor | None  # (1, 1, h, w) in [0, 1]: how much of the frame it is. None: all of it


class Layers(NamedTuple):
    """One frame: the sum of `share * warp(original, flow)` over the copies, plus `paint`. All at sizes of their own."""

    copies: tuple[Copy, ...] = ()
    paint: Tensor | None = None  # (1, 4, h, w) in the family's encoding; "srgb_premultiplied" where there are copies
