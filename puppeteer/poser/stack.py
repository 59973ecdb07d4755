"""Pictures laid over each other, each moved by a flow of its own: how a rig of layers becomes a frame.

OpenCV on bytes. Most of a frame shows one or two layers: in each tile only what shows there is enlarged, moved and
laid over, and nothing that something opaque covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from puppeteer.pose import F32, U8
from puppeteer.poser.drawing import positions, straighten
from puppeteer.poser.helping import shared_out

CELLS = 64  # a side, of the flows too: what shows where is known for each cell
TILE = 8  # cells a side of what a thread takes at once
REACH = 1  # cells about the one where a layer looks that may show in it: more than flows are steep
STILL = 1e-3  # px of the picture; a layer that moves less is not moved


class Stack:
    """Premultiplied pictures (S, S, 4), back to front, that are drawn again and again, by any number of threads."""

    def __init__(self, pictures: Sequence[U8]) -> None:
        self.pictures = list(pictures)
        self.size = len(self.pictures[0])
        alphas = [cv2.extractChannel(picture, 3) for picture in self.pictures]
        near = np.ones((2 * REACH + 1,) * 2, np.uint8)
        self._some = [cv2.dilate(self._cells(alpha, True), near) for alpha in alphas]
        # Beyond the picture's edge its edge is repeated.
        self._full = [cv2.erode(self._cells(alpha, False), near) for alpha in alphas]
        self._edges = [round(cell * self.size / CELLS) for cell in range(CELLS + 1)]  # px

    def _cells(self, alpha: Any, most: bool) -> Any:
        """(CELLS, CELLS) 255 where any, or every, pixel of a cell shows anything, or hides everything."""
        edges = [cell * self.size // CELLS for cell in range(CELLS)]
        if most:
            cells = np.maximum.reduceat(np.maximum.reduceat(alpha, edges, 0), edges, 1) > 0
        else:
            cells = np.minimum.reduceat(np.minimum.reduceat(alpha, edges, 0), edges, 1) == 255
        return np.where(cells, 255, 0).astype(np.uint8)

    def drawn(self, flows: F32, alone: bool = False, pictures: Sequence[U8] | None = None) -> U8:
        """Straight uint8 (S, S, 4). `flows` (L, 2, CELLS, CELLS) in shares of the picture's side: where a layer looks,
        minus here. `alone`, this thread is not helped by others. `pictures` instead of its own, opaque where those are.
        """
        out = np.zeros_like(self.pictures[0])
        waiting = iter(self._tiles(flows))
        sources = self.pictures if pictures is None else pictures

        def work() -> None:
            for tile in waiting:
                self._draw(out, sources, tile)

        shared_out(work, self.size**2, alone)
        return out

    def _tiles(self, flows: F32) -> list[list[_Piece]]:
        """What is to be drawn in each tile that shows anything, back to front."""
        some = np.zeros((len(flows), CELLS, CELLS), np.uint8)
        full = np.zeros_like(some)
        looks: list[Any] = []
        for k, moves in enumerate(flows):
            if float(np.abs(moves).max()) * self.size < STILL:
                some[k], full[k] = self._some[k], self._full[k]
                looks.append(None)
                continue
            flow = cv2.merge([*moves])
            there = cv2.scaleAdd(flow, CELLS, positions(CELLS, CELLS)[1:-1, 1:-1])
            for cells, into in ((self._some[k], some), (self._full[k], full)):
                into[k] = cv2.remap(cells, there, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            framed = cv2.copyMakeBorder(flow, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
            looks.append(cv2.scaleAdd(framed, self.size, positions(CELLS, self.size)))
        some[:-1] &= ~np.bitwise_or.accumulate(full[:0:-1], 0)[::-1]  # what is behind something opaque
        side = CELLS // TILE
        tiled: Any = some.reshape(-1, side, TILE, side, TILE) > 0
        rows, columns = tiled.any(4), tiled.any(2)  # (L, side, TILE, side), (L, side, side, TILE)
        top, bottom = rows.argmax(2), TILE - rows[:, :, ::-1].argmax(2)
        left, right = columns.argmax(3), TILE - columns[..., ::-1].argmax(3)
        shown = rows.any(2)
        tiles = []
        for y, x in np.argwhere(shown.any(0)).tolist():
            pieces = []
            for k in np.flatnonzero(shown[:, y, x]).tolist():
                down = slice(int(y * TILE + top[k, y, x]), int(y * TILE + bottom[k, y, x]))
                across = slice(int(x * TILE + left[k, y, x]), int(x * TILE + right[k, y, x]))
                pieces.append(_Piece(int(k), looks[k], down, across, bool(full[k, down, across].all())))
            tiles.append(pieces)
        return tiles

    def _draw(self, out: U8, sources: Sequence[U8], tile: list[_Piece]) -> None:
        """Everything that shows in a tile."""
        edges = self._edges
        for piece in tile:
            rows = slice(edges[piece.rows.start], edges[piece.rows.stop])
            columns = slice(edges[piece.columns.start], edges[piece.columns.stop])
            target, source = out[rows, columns], sources[piece.layer]
            if piece.look is None:
                picture = source[rows, columns]
            else:
                there = self._enlarged(piece, rows, columns)
                # The body ends at the picture's edge: what moves in from outside continues it.
                picture = cv2.remap(source, there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            if piece.opaque:
                target[:] = picture
                continue
            if piece is not tile[0]:
                behind = cv2.cvtColor(255 - cv2.extractChannel(picture, 3), cv2.COLOR_GRAY2BGRA)
                cv2.insertChannel(cv2.extractChannel(behind, 0), behind, 3)
                cv2.multiply(target, behind, dst=target, scale=1 / 255)
            cv2.add(target, picture, dst=target)
        rows = slice(edges[min(p.rows.start for p in tile)], edges[max(p.rows.stop for p in tile)])
        columns = slice(edges[min(p.columns.start for p in tile)], edges[max(p.columns.stop for p in tile)])
        straighten(out[rows, columns], out[rows, columns])

    def _enlarged(self, piece: _Piece, rows: slice, columns: slice) -> Any:
        """(h, w, 2) px: where the pixels of a piece look."""
        step = self.size / CELLS
        down, across = piece.rows, piece.columns
        near = piece.look[down.start : down.stop + 2, across.start : across.stop + 2]
        if step != round(step):
            size = rows.stop - rows.start, columns.stop - columns.start
            y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / step + 0.5 - down.start
            x = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5) / step + 0.5 - across.start
            grid = np.broadcast_to(x[None], size), np.broadcast_to(y[:, None], size)
            return cv2.remap(near, grid[0], grid[1], cv2.INTER_LINEAR)
        whole = round(step)
        large = cv2.resize(near, (near.shape[1] * whole, near.shape[0] * whole))
        return large[whole:-whole, whole:-whole]


class _Piece(NamedTuple):
    layer: int
    look: Any  # (CELLS + 2, CELLS + 2, 2) px in the layer's picture, framed; None: not moved
    rows: slice  # cells
    columns: slice
    opaque: bool
