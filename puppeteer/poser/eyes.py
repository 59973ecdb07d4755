"""The eyes of a picture, looking elsewhere and closing in every frame. Compiled, see `laying`."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch

from puppeteer.compiled import compiled
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.eyes import DOWN_AT_ONCE, OVER_PX, THINNER, Eyes, Look, eye_pictures, right
from puppeteer.pose import U8
from puppeteer.poser.reaching import both
from puppeteer.poser.stack import picture_of, pixels

FAINT = 0.5 / 255  # of a pixel; a smaller share changes nothing
MARGIN_PX = 4.0  # of the crop
NOWHERE = slice(0, 0)


class DrawnEyes:
    """Of a premultiplied picture (S, S, 4) of a face's middle; drawn by any number of threads."""

    def __init__(self, original: U8, eyes: Eyes) -> None:
        self._original, size = original, len(original)
        shown = eye_pictures(torch.from_numpy(original).permute(2, 0, 1)[None].float() / 255, eyes)
        opening = self._opening = np.ascontiguousarray(shown.opening[0, 0].numpy())
        self._iris, self._white, self._lash, self._skin = (
            picture_of(x[0]) for x in (shown.iris, shown.white, shown.lash, shown.skin)
        )
        self._drawn, self._edges = (np.ascontiguousarray(x.numpy()) for x in (shown.drawn[0], shown.edges))
        self._per_px = size / CROP
        middle = int((right(eyes.middle, size)[0]).int().argmax())
        seen = (opening > FAINT) | (self._drawn > FAINT).any(0)
        self._windows = [_window(seen, half) for half in (slice(0, middle), slice(middle, size))]
        self._reach = both(*(rows for rows, _ in self._windows)), both(*(columns for _, columns in self._windows))
        self._scratch = threading.local()

    def drawn(self, look: Look) -> tuple[U8, slice, slice]:
        """Premultiplied (S, S, 4), the same as the original but in these rows and columns. Overwritten by this thread's
        next frame."""
        share, smile, closure = float(look.share), float(look.smile), look.closure.tolist()
        if max(share, *closure) < FAINT or not self._reach[0].stop:
            return self._original, NOWHERE, NOWHERE
        scratch = self._scratch
        if not hasattr(scratch, "picture"):
            scratch.picture = self._original.copy()
        out: U8 = scratch.picture
        for window, (x, y), k in zip(self._windows, look.slid.tolist(), closure, strict=True):
            rows, columns = window
            bounds = rows.start, rows.stop, columns.start, columns.stop
            slide(
                *(pixels(self._original), self._opening, self._iris, self._white, pixels(out)),
                *(x * self._per_px, y * self._per_px, share, *bounds),
            )
            if k > FAINT:
                close(
                    *(pixels(out), self._opening, self._drawn, self._lash, self._skin, self._edges),
                    *(k, smile, *bounds),
                )
        return out, *self._reach


def _window(seen: Any, half: slice) -> tuple[slice, slice]:
    """Rows and columns of the eye in the columns `half`, and a margin into which a lash comes down."""
    rows, columns = np.flatnonzero(seen[:, half].any(1)), np.flatnonzero(seen[:, half].any(0))
    if not len(rows):
        return NOWHERE, NOWHERE
    size = len(seen)
    margin = round(MARGIN_PX * size / CROP)
    return (
        slice(int(rows[0]), min(int(rows[-1]) + 1 + margin, size)),
        slice(half.start + int(columns[0]), half.start + int(columns[-1]) + 1),
    )


@compiled
def slide(
    picture: Any,
    opening: Any,
    iris: Any,
    white: Any,
    out: Any,
    x: Any,
    y: Any,
    share: Any,
    top: Any,
    bottom: Any,
    left: Any,
    right: Any,
) -> None:
    """Premultiplied `picture` (S, S) into `out`, in rows `top` to `bottom` and columns `left` to `right`: as much as
    `share` and `opening` (S, S) say it is `iris` (S, S, 4), premultiplied and (x, y) px from where it lies, over
    `white` (S, S, 3)."""
    size = picture.shape[0]
    half, one, bytes_ = np.float32(0.5), np.float32(1), np.float32(255)
    most = np.float32(size - 1)
    x, y, share = np.float32(x), np.float32(y), np.float32(share)
    shown = np.empty(4, np.float32)
    for row in range(top, bottom):
        v = min(max(np.float32(row) - y, np.float32(0)), most)
        a = int(v)
        b = min(a + 1, size - 1)
        v -= np.float32(a)
        for column in range(left, right):
            was = np.int64(picture[row, column])
            weight = share * opening[row, column]
            alpha = int(was >> 24 & 255)
            if weight < np.float32(FAINT):
                out[row, column] = was
                continue
            u = min(max(np.float32(column) - x, np.float32(0)), most)
            c = int(u)
            d = min(c + 1, size - 1)
            u -= np.float32(c)
            for k in range(4):
                above = np.float32(iris[a, c, k]) + u * (np.float32(iris[a, d, k]) - np.float32(iris[a, c, k]))
                below = np.float32(iris[b, c, k]) + u * (np.float32(iris[b, d, k]) - np.float32(iris[b, c, k]))
                shown[k] = above + v * (below - above)
            clear, opaque = one - shown[3] / bytes_, np.float32(alpha) / bytes_
            packed = alpha << 24
            for k in range(3):
                before = np.float32(was >> (8 * k) & 255)
                eye = opaque * (clear * np.float32(white[row, column, k]) + shown[k])
                packed |= min(int(before + weight * (eye - before) + half), alpha) << (8 * k)
            out[row, column] = packed


@compiled
def close(
    picture: Any,
    opening: Any,
    drawn: Any,
    lash: Any,
    skin: Any,
    edges: Any,
    closure: Any,
    smile: Any,
    top: Any,
    bottom: Any,
    left: Any,
    right: Any,
) -> None:
    """Lids of a premultiplied `picture` (S, S) come down, in rows `top` to `bottom` and columns `left` to `right`; all
    else as `EyePictures` has it, planes last."""
    size = picture.shape[0]
    zero, half, one, bytes_ = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    closure, smile = np.float32(closure), np.float32(smile)
    at_once = min(np.float32(DOWN_AT_ONCE) * closure, one)
    thinner = one + np.float32(THINNER) * closure
    over = np.float32(OVER_PX * size / CROP) * (one - closure)
    line = np.empty(4, np.float32)
    for column in range(left, right):
        opened = edges[0, column]
        shut = edges[1, column] + smile * (edges[2, column] - edges[1, column])
        edge, under = opened + closure * (shut - opened), edges[3, column] + closure * (shut - edges[3, column])
        for row in range(top, bottom):
            at = np.float32(row) + half
            outside = min(max(max(edge - over - at, at - under) + half, zero), one)
            eye = opening[row, column]
            upper_skin = drawn[0, row, column] * (one - eye * (one - outside))
            weight = max(max(eye * outside, upper_skin), drawn[1, row, column] * closure)
            source = opened + (at - edge) * thinner - half
            a = int(np.floor(source))
            v = source - np.float32(a)
            for k in range(4):
                upper = np.float32(lash[a, column, k]) if 0 <= a < size else zero
                lower = np.float32(lash[a + 1, column, k]) if 0 <= a + 1 < size else zero
                line[k] = upper + v * (lower - upper)
            if weight < np.float32(FAINT) and line[3] < half:
                continue
            was = np.int64(picture[row, column])
            alpha = int(was >> 24 & 255)
            opaque, clear = np.float32(alpha) / bytes_, one - line[3] / bytes_
            packed = alpha << 24
            for k in range(3):
                before = np.float32(was >> (8 * k) & 255)
                bare = before + weight * (np.float32(skin[row, column, k]) * opaque - before)
                laid = bare * clear + line[k] * opaque
                packed |= min(int(before + at_once * (laid - before) + half), alpha) << (8 * k)
            picture[row, column] = packed
