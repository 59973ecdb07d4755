"""Pictures laid over each other, each moved by a flow of its own: how a rig of layers becomes a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from puppeteer.pose import F32, U8
from puppeteer.poser.helping import shared_out
from puppeteer.poser.laying import lay

CELLS = 64  # a side, of the flows too: what shows where is known for each cell
ROWS = 4  # of cells that a thread takes at once
REACH = 1  # cells about the one where a layer looks that may show in it: more than flows are steep
STILL = 1e-3  # px of the picture; a layer that moves less is not moved


class Stack:
    """Premultiplied pictures (S, S, 4), back to front, that are drawn again and again, by any number of threads."""

    def __init__(self, pictures: Sequence[U8]) -> None:
        self.pictures = list(pictures)
        self.size = size = len(self.pictures[0])
        near = np.ones((2 * REACH + 1,) * 2, np.uint8)
        self._some = np.stack([cv2.dilate(self._shown(picture), near) for picture in self.pictures])
        self._edges = np.array([round(cell * size / CELLS) for cell in range(CELLS + 1)])  # px
        middles = (np.arange(size) + 0.5) * (CELLS / size) + 0.5
        self._at = middles.astype(np.int64)
        self._share = (middles - self._at).astype(np.float32)

    def _shown(self, picture: U8) -> U8:
        """(CELLS, CELLS) 1 where any pixel of a cell shows anything."""
        edges = [cell * self.size // CELLS for cell in range(CELLS)]
        most = np.maximum.reduceat(np.maximum.reduceat(cv2.extractChannel(picture, 3), edges, 0), edges, 1)
        return np.asarray(most > 0, np.uint8)

    def drawn(self, flows: F32, alone: bool = False, pictures: Sequence[U8] | None = None) -> U8:
        """Straight uint8 (S, S, 4). `flows` (L, 2, CELLS, CELLS) in shares of the picture's side: where a layer looks,
        minus here. `alone`, this thread is not helped by others. `pictures` instead of its own, which show nothing
        where those show nothing.
        """
        looks = np.pad(flows, ((0, 0), (0, 0), (1, 1), (1, 1)), "edge")
        looks *= np.float32(self.size)
        looks += _middles(self.size)
        sources = tuple(pixels(picture) for picture in (self.pictures if pictures is None else pictures))
        out = np.empty((self.size, self.size), np.uint32)
        rows = CELLS if alone else ROWS
        waiting = iter(range(0, CELLS, rows))

        def work() -> None:
            for row in waiting:
                lay(sources, self._some, looks, self._at, self._share, self._edges, out, row, row + rows)

        shared_out(work, self.size**2, alone)
        return out.view(np.uint8).reshape(self.size, self.size, 4)


def picture_of(planes: Tensor) -> U8:
    """Float (C, S, S) in [0, 1] to uint8 (S, S, C)"""
    out = (planes.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    return np.asarray(out, np.uint8)


def pixels(rgba: U8) -> NDArray[np.uint32]:
    """uint8 (H, W, 4) as uint32 (H, W), the same memory: rows may lie apart, but not pixels."""
    return rgba.view(np.uint32)[..., 0]


@lru_cache(maxsize=8)
def _middles(size: int) -> F32:
    """(2, CELLS + 2, CELLS + 2) x and y in px of the middles of cells and a frame about them."""
    middles = (np.arange(-1, CELLS + 1, dtype=np.float32) + 0.5) * (size / CELLS) - 0.5
    return np.stack(np.meshgrid(middles, middles)).astype(np.float32)
