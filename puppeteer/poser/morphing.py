"""A picture of which a part is morphed: irises slide, it stays, it moves, there is paint. Compiled, see `laying`."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from puppeteer.compiled import compiled
from puppeteer.networks.layers import Layers
from puppeteer.networks.rig.pieces import Looks, Pieces
from puppeteer.networks.tensors import Encoding, to_premultiplied
from puppeteer.pose import U8
from puppeteer.poser.pieces import DrawnPieces
from puppeteer.poser.reaching import both
from puppeteer.poser.stack import pixels

FAINTEST = 0.5 / 255  # of a pixel; a smaller share changes nothing


class Morphed:
    """A premultiplied picture (S, S, 4) that is morphed again and again, by any number of threads."""

    def __init__(self, original: U8, pieces: Pieces | None = None) -> None:
        self.original = np.ascontiguousarray(original)
        self._pieces = None if pieces is None else DrawnPieces(self.original, pieces)
        self._scratch = threading.local()

    def drawn(self, layers: Layers, encoding: Encoding, looks: Looks | None = None) -> tuple[U8, slice, slice]:
        """Premultiplied (S, S, 4), the same as the original but in these rows and columns.

        Of the layers the first copy stays in place, the second is moved, and there is paint; all of (h, h), which
        divides S or is a multiple of it. Overwritten by this thread's next frame.
        """
        scratch, original = self._scratch, self.original
        moved_rows = moved_columns = slice(0, 0)
        if not hasattr(scratch, "picture"):
            scratch.picture, scratch.rows, scratch.columns = original.copy(), slice(0, 0), slice(0, 0)
        out: U8 = scratch.picture
        out[scratch.rows, scratch.columns] = original[scratch.rows, scratch.columns]
        if self._pieces is not None and looks is not None:
            original, moved_rows, moved_columns = self._pieces.drawn(looks)
        (_, stays), (flow, moves) = layers.copies
        assert stays is not None and moves is not None and flow is not None and layers.paint is not None
        kept = stays[0, 0].float().numpy()
        changes = kept < 1 - FAINTEST
        scratch.rows = both(_reach(changes.any(1), len(original)), moved_rows)
        scratch.columns = both(_reach(changes.any(0), len(original)), moved_columns)
        if scratch.rows.stop:
            morph(
                pixels(original),
                kept,
                moves[0, 0].float().numpy(),
                flow[0].float().numpy(),
                to_premultiplied(layers.paint, encoding)[0].numpy(),
                pixels(out),
                *(scratch.rows.start, scratch.rows.stop, scratch.columns.start, scratch.columns.stop),
            )
        return out, scratch.rows, scratch.columns


def _reach(changes: Any, size: int) -> slice:
    """The pixels of `size` that mix with any of (h,) that is set."""
    at = np.flatnonzero(changes)
    if not len(at):
        return slice(0, 0)
    step = size / len(changes)
    first, last = (int(at[0]) - 0.5) * step, (int(at[-1]) + 1.5) * step
    return slice(max(0, int(np.floor(first))), min(size, int(np.ceil(last))))


@compiled
def morph(
    picture: Any,
    kept: Any,
    moves: Any,
    flow: Any,
    paint: Any,
    out: Any,
    top: Any,
    bottom: Any,
    left: Any,
    right: Any,
) -> None:
    """Premultiplied `picture` (S, S) into `out`, in rows `top` to `bottom` and columns `left` to `right`: `kept` (h, h)
    of it stays, `moves` (h, h) of it looks `flow` (2, h, h) half sides of the picture away, and `paint` (4, h, h) in
    [0, 1] comes over both. The maps are enlarged bilinearly."""
    size, fields = picture.shape[0], kept.shape[0]
    zero, half, one, bytes_ = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    per, end = np.float32(fields / size), np.float32(fields - 1)
    scale, most = np.float32(size / 2), np.float32(size - 1)
    line = np.empty((fields, 8), np.float32)
    first = max(0, int((np.float32(left) + half) * per - half) - 1)
    last = min(fields, int((np.float32(right) + half) * per + half) + 2)
    channels = np.empty(4, np.float32)
    for row in range(top, bottom):
        v = min(max((np.float32(row) + half) * per - half, zero), end)
        a = int(v)
        b = min(a + 1, fields - 1)
        v -= np.float32(a)
        for c in range(first, last):
            line[c, 0] = kept[a, c] + v * (kept[b, c] - kept[a, c])
            line[c, 1] = moves[a, c] + v * (moves[b, c] - moves[a, c])
            for k in range(2):
                line[c, 2 + k] = scale * (flow[k, a, c] + v * (flow[k, b, c] - flow[k, a, c]))
            for k in range(4):
                line[c, 4 + k] = paint[k, a, c] + v * (paint[k, b, c] - paint[k, a, c])
        for column in range(left, right):
            u = min(max((np.float32(column) + half) * per - half, zero), end)
            c = int(u)
            d = min(c + 1, fields - 1)
            u -= np.float32(c)
            stay = line[c, 0] + u * (line[d, 0] - line[c, 0])
            was = np.int64(picture[row, column])
            if stay > one - np.float32(FAINTEST):
                out[row, column] = was
                continue
            share = line[c, 1] + u * (line[d, 1] - line[c, 1])
            for k in range(4):
                colour = line[c, 4 + k] + u * (line[d, 4 + k] - line[c, 4 + k])
                channels[k] = bytes_ * colour + stay * np.float32(was >> (8 * k) & 255)
            if share > zero:
                x = np.float32(column) + line[c, 2] + u * (line[d, 2] - line[c, 2])
                y = np.float32(row) + line[c, 3] + u * (line[d, 3] - line[c, 3])
                x, y = min(max(x, zero), most), min(max(y, zero), most)
                # whatever a flow is, what is fetched lies in the picture
                left_x, top_y = min(max(int(x), 0), size - 1), min(max(int(y), 0), size - 1)
                right_x, bottom_y = min(left_x + 1, size - 1), min(top_y + 1, size - 1)
                x, y = x - np.float32(left_x), y - np.float32(top_y)
                w11 = x * y * share
                w01, w10 = x * share - w11, y * share - w11
                w00 = share - w01 - w10 - w11
                p00, p01 = np.int64(picture[top_y, left_x]), np.int64(picture[top_y, right_x])
                p10, p11 = np.int64(picture[bottom_y, left_x]), np.int64(picture[bottom_y, right_x])
                for k in range(4):
                    place = 8 * k
                    channels[k] += (
                        w00 * np.float32(p00 >> place & 255)
                        + w01 * np.float32(p01 >> place & 255)
                        + w10 * np.float32(p10 >> place & 255)
                        + w11 * np.float32(p11 >> place & 255)
                    )
            alpha = min(int(channels[3] + half), 255)
            out[row, column] = (
                min(int(channels[0] + half), alpha)
                | min(int(channels[1] + half), alpha) << 8
                | min(int(channels[2] + half), alpha) << 16
                | alpha << 24
            )
