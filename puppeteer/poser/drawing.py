"""How a family's answer becomes a picture of any size."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.image import resized
from puppeteer.networks.layers import Copy, Layers
from puppeteer.networks.tensors import Encoding, to_bytes, to_premultiplied
from puppeteer.pose import F32, U8
from puppeteer.poser.helping import shared_out

CELLS = 128  # a side (64 of a very small picture): what shows where is known for each cell
TILE_PX = 256  # about; what a thread takes at once. Smaller ones wait for the interpreter, not for the picture
REACH = 2  # cells about the one where a copy looks that may show in it: more than flows are steep
FAINTEST = 2  # of 255; a smaller share is the next copy's, for a copy costs the same however little it shows
NEARLY_OPAQUE = 253  # shares and paint that sum to 1 lose a step when each is rounded to bytes
HALF_UP = 1 + 1e-6  # OpenCV rounds halves to even


def drawn(layers: Layers, encoding: Encoding, original: U8) -> U8:
    """The frame on the CPU: premultiplied original (S, S, 4) to straight uint8 (S, S, 4), see `Canvas`."""
    return Canvas(original).drawn(layers, encoding)


class Canvas:
    """A premultiplied original (S, S, 4) that is drawn again and again on the CPU, by any number of threads.

    OpenCV on bytes: at 1024 px many times faster than tensors of floats. Most of a frame shows one or two copies, or
    nothing: in each tile only what shows there is enlarged, moved and added, in pieces that stay in the cache.
    """

    def __init__(self, original: U8) -> None:
        self.original = original
        self.size = len(original)
        self.cells = CELLS if self.size >= CELLS else CELLS // 2
        near = np.ones((2 * REACH + 1,) * 2, np.uint8)
        # Above 0 where a copy that looks there may show something.
        self._full: Any = cv2.dilate(_in_cells(cv2.extractChannel(original, 3), self.cells), near)
        self._edges = [round(cell * self.size / self.cells) for cell in range(self.cells + 1)]  # px
        per_side = 2 ** max(0, round(math.log2(self.size / TILE_PX)))
        self._tile = self.cells // min(per_side, 16)  # cells a side
        self._scratch = threading.local()

    def drawn(self, layers: Layers, encoding: Encoding, alone: bool = False) -> U8:
        """Straight uint8 (S, S, 4); `alone`, this thread is not helped by others."""
        out = np.zeros_like(self.original)
        paint = None if layers.paint is None else _bytes(to_premultiplied(layers.paint, encoding))
        if not layers.copies:
            if paint is not None:
                straighten(resized(paint, self.size), out)
            return out
        self._lay(out, self._sheets(layers.copies, paint), alone)
        return out

    def _sheets(self, copies: tuple[Copy, ...], paint: U8 | None) -> list[_Sheet]:
        sheets = list(self._moved(copies))
        if paint is not None:
            cells = _in_cells(cv2.extractChannel(paint, 3), self.cells)
            sheets.append(_Sheet(cells, paint=_framed(_fitted(paint, self.size))))
        return sheets

    def _lay(self, out: U8, sheets: list[_Sheet], alone: bool) -> None:
        """Writes the sum of the sheets into `out`, where they show, with straight alpha."""
        tiles = self._tiles(sheets)
        waiting = iter(tiles)

        def work() -> None:
            for tile in waiting:
                _, down, across = zip(*tile, strict=True)
                rows = slice(min(part.start for part in down), max(part.stop for part in down))
                columns = slice(min(part.start for part in across), max(part.stop for part in across))
                part = out[rows, columns]
                part.fill(0)
                self._draw(out, tile)
                straighten(part, part, mixed=any(sheet.weight is not None for sheet, _, _ in tile))

        shared_out(work, self.size**2, alone or len(tiles) < 2)

    def _moved(self, copies: tuple[Copy, ...]) -> Iterator[_Sheet]:
        """The copies that show anywhere.

        Shares are differences of rounded sums: shares that sum to 1 give bytes that sum to 255, which rounding each
        would not.
        """
        side = max((copy.share.shape[-1] for copy in copies if copy.share is not None), default=1)
        total: Any = np.zeros((side, side), np.float32)
        before: Any = np.zeros((side, side), np.uint8)
        for copy in copies:
            if copy.share is None:
                total = total + np.float32(1)
            else:
                share = copy.share[0, 0].float().numpy()
                total = cv2.add(total, share if len(share) == side else cv2.resize(share, (side, side)))
            weight = cv2.subtract(cv2.convertScaleAbs(total, alpha=255), before)
            weight = cv2.threshold(weight, FAINTEST - 1, 0, cv2.THRESH_TOZERO)[1]
            before = cv2.add(before, weight)
            cells, look = _in_cells(weight, self.cells), None
            if not cells.any():
                continue
            full = self._full
            if copy.flow is not None:
                x, y = copy.flow[0].float().numpy()
                flow = cv2.merge([x, y])
                near = cv2.resize(flow, (self.cells, self.cells), interpolation=cv2.INTER_NEAREST)
                there = cv2.scaleAdd(near, self.cells / 2, positions(self.cells, self.cells)[1:-1, 1:-1])
                full = cv2.remap(full, there, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
                flow = _framed(_fitted(flow, self.size))
                look = cv2.scaleAdd(flow, self.size / 2, positions(len(flow) - 2, self.size))
            cells = cv2.min(cells, full)
            if cells.any():
                whole = side == 1 and weight[0, 0] == 255
                weight = None if whole else _framed(_fitted(cv2.merge([weight] * 4), self.size))
                yield _Sheet(cells, look, weight)

    def _tiles(self, sheets: list[_Sheet]) -> list[_Tile]:
        """What is to be drawn in each tile that shows anything."""
        if not sheets:
            return []
        tile, side = self._tile, self.cells // self._tile
        cells: Any = np.stack([sheet.cells for sheet in sheets])
        eights = cells.view(np.uint64).reshape(-1, side, tile, side, tile // 8)
        rows = (eights != 0).any(4)  # (n, side, tile, side)
        columns = cells.reshape(-1, side, tile, side, tile).any(2)  # (n, side, side, tile)
        top, bottom = rows.argmax(2), tile - rows[:, :, ::-1].argmax(2)
        left, right = columns.argmax(3), tile - columns[..., ::-1].argmax(3)
        shown = rows.any(2)
        tiles = []
        for y, x in zip(*np.nonzero(shown.any(0)), strict=True):
            parts, y0, x0 = [], y * tile, x * tile
            for number in np.flatnonzero(shown[:, y, x]):
                at = (number, y, x)
                down = slice(self._edges[y0 + top[at]], self._edges[y0 + bottom[at]])
                across = slice(self._edges[x0 + left[at]], self._edges[x0 + right[at]])
                parts.append((sheets[number], down, across))
            tiles.append(parts)
        return tiles

    def _draw(self, out: U8, tile: _Tile) -> None:
        """Everything that shows in a tile."""
        for (_, look, weight, paint), rows, columns in tile:
            if paint is not None:
                picture = _piece(paint, self.size, rows, columns)
            else:
                picture = self.original[rows, columns]
                if look is not None:
                    there = _piece(look, self.size, rows, columns)
                    # The body ends at the picture's edge: what moves in from outside continues it.
                    picture = cv2.remap(self.original, there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                if weight is not None:
                    picture = cv2.multiply(picture, _piece(weight, self.size, rows, columns), scale=1 / 255)
            target = out[rows, columns]
            cv2.add(target, picture, dst=target)


class _Sheet(NamedTuple):
    """What is laid over a picture, framed and at a size that `_piece` can take parts of."""

    cells: Any  # (cells, cells) above 0 where it may show
    look: Any = None  # (h, h, 2) px in the original; None: not moved
    weight: Any = None  # (h, h, 4) of 255, all the same; None: all of it
    paint: Any = None  # (h, h, 4) premultiplied, instead of the original


_Tile = list[tuple[_Sheet, slice, slice]]  # rows and columns


def _in_cells(share: Any, cells: int) -> Any:
    """(cells, cells) above 0 where any of (h, h) is that, or its neighbour, which mixes with it when it is enlarged."""
    side = len(share)
    reach = math.ceil(side / cells + (side % cells > 0))
    near = cv2.dilate(share, np.ones((2 * reach + 1,) * 2, np.uint8))
    return cv2.resize(near, (cells, cells), interpolation=cv2.INTER_NEAREST)


def _fitted(field: Any, size: int) -> Any:
    """(h, h, ...) so that `size` is a multiple of h."""
    if size % len(field) == 0:
        return field
    return cv2.resize(field, (size, size), interpolation=cv2.INTER_AREA if size < len(field) else cv2.INTER_LINEAR)


def _framed(field: Any) -> Any:
    """(h + 2, h + 2, ...): the edge repeated."""
    return cv2.copyMakeBorder(field, 1, 1, 1, 1, cv2.BORDER_REPLICATE)


def _piece(framed: Any, size: int, rows: slice, columns: slice) -> Any:
    """Part of what (h, h, ...) is when it is enlarged to (size, size, ...), without enlarging the rest."""
    step = size // (len(framed) - 2)
    if step == 1:
        return framed[rows.start + 1 : rows.stop + 1, columns.start + 1 : columns.stop + 1]
    # One more on each side, for the pixels that mix with it.
    top, left = rows.start // step, columns.start // step
    bottom, right = -(-rows.stop // step) + 2, -(-columns.stop // step) + 2
    large = cv2.resize(framed[top:bottom, left:right], ((right - left) * step, (bottom - top) * step))
    y, x = (top - 1) * step, (left - 1) * step
    return large[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]


def straighten(rgba: U8, out: U8, mixed: bool = False) -> None:
    """Premultiplied to straight alpha, (H, W, 4) both."""
    alpha = cv2.extractChannel(rgba, 3)
    if alpha.min() == 255:
        if rgba is not out:
            out[:] = rgba
        return
    if mixed:
        alpha = cv2.max(alpha, cv2.threshold(alpha, NEARLY_OPAQUE - 1, 255, cv2.THRESH_BINARY)[1])
    cv2.divide(rgba, cv2.merge([alpha] * 4), dst=out, scale=255 * HALF_UP)
    cv2.insertChannel(alpha, out, 3)


def _bytes(x: Tensor) -> U8:
    """Premultiplied float32 (1, 4, H, W) in [0, 1] to uint8 (H, W, 4)"""
    return np.asarray(cv2.convertScaleAbs(cv2.merge(list(x[0].numpy())), alpha=255), np.uint8)


@lru_cache(maxsize=8)
def positions(side: int, size: int) -> F32:
    """(side + 2, side + 2, 2) x and y in px of (size, size) for the middles of (side, side) and a frame about them."""
    middles = (np.arange(-1, side + 1, dtype=np.float32) + 0.5) * (size / side) - 0.5
    return np.dstack(np.meshgrid(middles, middles))


def drawn_on_device(layers: Layers, encoding: Encoding, original: Tensor) -> Tensor:
    """The same without leaving the device: premultiplied original float32 (1, 4, S, S) to straight uint8 (S, S, 4).

    Sampling grids are float32: in half precision neighbouring pixels of a large picture would share a position.
    """
    return to_bytes(composed(layers, encoding, original))


def composed(layers: Layers, encoding: Encoding, original: Tensor) -> Tensor:
    """Premultiplied float32 (1, 4, S, S)"""
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
            moved = F.grid_sample(moved, grid, mode="bilinear", padding_mode="border", align_corners=False)
        out = out + (moved if share is None else moved * _at(share.float().clamp(0, 1), size))
    return out


def _at(x: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    """(1, C, h, h) to (1, C, size, size)"""
    if x.shape[-1] == size:
        return x
    if x.shape[-1] > size:
        return F.interpolate(x, size=(size, size), mode="area")
    return F.interpolate(x, size=(size, size), mode=mode, align_corners=False)
