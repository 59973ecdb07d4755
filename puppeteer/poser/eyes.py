"""The eyes of a picture, looking elsewhere and closing in every frame. Compiled, see `laying`."""

from __future__ import annotations

from typing import Any

import numpy as np

from puppeteer.compiled import compiled
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.eyes import (
    AT_ONCE,
    BEHIND_FRINGE,
    BOWED,
    CHEEK_PX,
    CREASE_PX,
    DOWN_AT_ONCE,
    DRAWN,
    LASH_PX,
    LOWER_GOES,
    OVER_PX,
    EyePictures,
    Look,
)
from puppeteer.pose import U8
from puppeteer.poser.reaching import FAINT, Window, both_windows, windows
from puppeteer.poser.stack import picture_of, pixels

MARGIN_PX = LASH_PX + CREASE_PX + 4  # of the crop, into which a lash comes down, or goes up, and cheeks go along


class DrawnEyes:
    """Of a premultiplied picture (S, S, 4) of a face's middle; drawn by any number of threads."""

    def __init__(self, shown: EyePictures, middle: int) -> None:
        """`middle` is the column between the two."""
        self._iris, self._shaded, self._white, self._lash, self._skin = (
            picture_of(x[0]) for x in (shown.iris, shown.shaded, shown.white, shown.lash, shown.skin)
        )
        self._opening, self._kept, self._sight, self._shadow, self._hair = (
            np.ascontiguousarray(x[0, 0].numpy())
            for x in (shown.opening, shown.kept, shown.sight, shown.shadow, shown.hair)
        )
        self._drawn, self._edges = (np.ascontiguousarray(x.numpy()) for x in (shown.drawn[0], shown.edges))
        self._stroke = shown.stroke.numpy() * np.array([[1], [255], [255], [255]], np.float32)
        self._per_px = len(self._opening) / CROP
        self._covered = bool((self._edges[6] > FAINT).any())
        seen = (self._sight > FAINT) | (self._drawn > FAINT).any(0)
        self._windows = windows(seen, middle, round(MARGIN_PX * self._per_px), 0)
        self.reach: Window = both_windows(*self._windows)

    def draw(self, out: U8, look: Look) -> None:
        """Changes premultiplied `out` (S, S, 4), which is the original where eyes are."""
        share, smile, wide, closure = float(look.share), float(look.smile), float(look.wide), look.closure.tolist()
        for (rows, columns), (x, y), k in zip(self._windows, look.slid.tolist(), closure, strict=True):
            if max(share, wide, k, smile) < FAINT or not rows.stop:
                continue
            bounds = rows.start, rows.stop, columns.start, columns.stop
            if share >= FAINT:
                slide(
                    *(pixels(out), self._sight, self._iris, self._shaded, self._shadow, self._white),
                    *(x * self._per_px, y * self._per_px, share, *bounds),
                )
            if k > FAINT or (smile > FAINT and self._covered):
                close(
                    *(
                        pixels(out),
                        self._opening,
                        self._kept,
                        self._drawn,
                        self._hair,
                        self._lash,
                        self._skin,
                        self._edges,
                        self._stroke,
                    ),
                    *(k, smile, *bounds),
                )
            if wide * (1 - k) > FAINT:
                widen(pixels(out), self._edges, wide * (1 - k), *bounds)
            if smile * (1 - k) > FAINT:
                lift(pixels(out), self._edges, smile * (1 - k), *bounds)


@compiled
def slide(
    picture: Any,
    sight: Any,
    iris: Any,
    shaded: Any,
    shadow: Any,
    white: Any,
    x: Any,
    y: Any,
    share: Any,
    top: Any,
    bottom: Any,
    left: Any,
    right: Any,
) -> None:
    """Irises of a premultiplied `picture` (S, S) go elsewhere, in rows `top` to `bottom` and columns `left` to `right`:
    as much as `share` and `sight` (S, S) say it is `iris` (S, S, 4), premultiplied and (x, y) px from where it lies,
    over `white` (S, S, 3); `shaded` (S, S, 3) is the iris in a lid's `shadow` (S, S)."""
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
            weight, shade = share * sight[row, column], shadow[row, column]
            if weight < np.float32(FAINT):
                continue
            was = np.int64(picture[row, column])
            alpha = int(was >> 24 & 255)
            u = min(max(np.float32(column) - x, np.float32(0)), most)
            c = int(u)
            d = min(c + 1, size - 1)
            u -= np.float32(c)
            for k in range(4):
                above = np.float32(iris[a, c, k]) + u * (np.float32(iris[a, d, k]) - np.float32(iris[a, c, k]))
                below = np.float32(iris[b, c, k]) + u * (np.float32(iris[b, d, k]) - np.float32(iris[b, c, k]))
                shown[k] = above + v * (below - above)
                if k < 3 and shade > np.float32(0):
                    near, far = np.float32(shaded[a, c, k]), np.float32(shaded[b, c, k])
                    near += u * (np.float32(shaded[a, d, k]) - near)
                    far += u * (np.float32(shaded[b, d, k]) - far)
                    shown[k] += shade * (near + v * (far - near) - shown[k])
            clear, opaque = one - shown[3] / bytes_, np.float32(alpha) / bytes_
            packed = alpha << 24
            for k in range(3):
                before = np.float32(was >> (8 * k) & 255)
                laid = opaque * (clear * np.float32(white[row, column, k]) + shown[k])
                packed |= min(int(before + weight * (laid - before) + half), alpha) << (8 * k)
            picture[row, column] = packed


@compiled
def close(
    picture: Any,
    opening: Any,
    kept: Any,
    drawn: Any,
    hair: Any,
    lash: Any,
    skin: Any,
    edges: Any,
    stroke: Any,
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
    fast = min(np.float32(DOWN_AT_ONCE) * closure, one)
    fringe = (closure - np.float32(BEHIND_FRINGE[0])) / np.float32(BEHIND_FRINGE[1] - BEHIND_FRINGE[0])
    fringe = min(max(fringe, zero), one)
    fringe *= fringe * (np.float32(3) - np.float32(2) * fringe)
    raising = np.float32(AT_ONCE * CROP / size)
    lower = min(max((closure - np.float32(LOWER_GOES[0])) / np.float32(LOWER_GOES[1] - LOWER_GOES[0]), zero), one)
    lower *= lower * (np.float32(3) - np.float32(2) * lower)
    over = np.float32(OVER_PX * size / CROP) * (one - closure)
    new = min(max((closure - np.float32(DRAWN[0])) / np.float32(DRAWN[1] - DRAWN[0]), zero), one)
    new *= new * (np.float32(3) - np.float32(2) * new)
    line = np.empty(4, np.float32)
    for column in range(left, right):
        opened = edges[0, column]
        shut = edges[1, column] + smile * (edges[2, column] - edges[1, column])
        bow = np.float32(BOWED) * closure * (one - closure) * edges[4, column]
        edge, under = opened + closure * (shut - opened) - bow, edges[3, column] + closure * (shut - edges[3, column])
        raised = smile * (one - closure) * edges[6, column]
        below, thinner = edges[7, column], one + closure * edges[10, column]
        flat = edges[8, column] + smile * (edges[9, column] - edges[8, column])
        middle = edge + below + closure * (flat - below)
        under -= raised
        for row in range(top, bottom):
            at = np.float32(row) + half
            outside = min(max(max(edge - over - at, at - under) + half, zero), one)
            eye = opening[row, column]
            hidden = one - kept[row, column] * (one - outside)
            lashes = min(drawn[0, row, column] + lower * drawn[1, row, column], one)
            weight = max(eye * outside, hidden * lashes)
            source = opened + below + (at - middle) * thinner - half
            a = int(np.floor(source))
            v = source - np.float32(a)
            for k in range(4):
                near = np.float32(lash[a, column, k]) if 0 <= a < size else zero
                far = np.float32(lash[a + 1, column, k]) if 0 <= a + 1 < size else zero
                line[k] = near + v * (far - near)
            if new > zero:
                thick = stroke[0, column]
                there = min(max(thick - abs(at - middle) + half, zero), one) * min(thick + thick, one)
                for k in range(3):
                    line[k] += new * (there * stroke[k + 1, column] - line[k])
                line[3] += new * (there * bytes_ - line[3])
            if weight < np.float32(FAINT) and line[3] < half:
                continue
            was = np.int64(picture[row, column])
            alpha = int(was >> 24 & 255)
            opaque, clear = np.float32(alpha) / bytes_, one - line[3] / bytes_
            lifted = raising * raised if at + at > opened + edges[3, column] else zero
            at_once = min(fast + hair[row, column] * (fringe - fast) + lifted, one)
            packed = alpha << 24
            for k in range(3):
                before = np.float32(was >> (8 * k) & 255)
                behind = before + weight * (np.float32(skin[row, column, k]) * opaque - before)
                laid = behind * clear + line[k] * opaque
                packed |= min(int(before + at_once * (laid - before) + half), alpha) << (8 * k)
            picture[row, column] = packed


@compiled
def widen(picture: Any, edges: Any, wide: Any, top: Any, bottom: Any, left: Any, right: Any) -> None:
    """The upper half of eyes of a premultiplied `picture` (S, S) is stretched, in rows `top` to `bottom` and columns
    `left` to `right`, see `opened_wide`; `edges` (5, S) as `EyePictures` has them."""
    size = picture.shape[0]
    zero, half, one, wide = np.float32(0), np.float32(0.5), np.float32(1), np.float32(wide)
    per, lash, crease = np.float32(CROP / size), np.float32(LASH_PX), np.float32(CREASE_PX)
    line = np.empty(size, np.int64)
    for column in range(left, right):
        by = wide * edges[4, column]
        if by <= zero:
            continue
        middle = (edges[0, column] + edges[3, column]) * half
        edge = edges[0, column] - by
        scale = one / max(middle - edge, one)
        for row in range(top, bottom):
            line[row] = np.int64(picture[row, column])
        for row in range(top, bottom):
            at = np.float32(row) + half
            stretched = min(max((middle - at) * scale, zero), one)
            fading = min(max((at - edge) * per + lash + crease, zero), crease) / crease
            source = np.float32(row) + by * stretched * fading
            a = int(source)
            v = source - np.float32(a)
            b = min(a + 1, bottom - 1)
            packed = 0
            for k in range(4):
                near, far = np.float32(line[a] >> (8 * k) & 255), np.float32(line[b] >> (8 * k) & 255)
                packed |= int(near + v * (far - near) + half) << (8 * k)
            picture[row, column] = packed


@compiled
def lift(picture: Any, edges: Any, smile: Any, top: Any, bottom: Any, left: Any, right: Any) -> None:
    """Lower lids of a premultiplied `picture` (S, S) come up with the cheeks, in rows `top` to `bottom` and columns
    `left` to `right`, see `smiled`; `edges` (7, S) as `EyePictures` has them."""
    size = picture.shape[0]
    zero, half, one, smile = np.float32(0), np.float32(0.5), np.float32(1), np.float32(smile)
    reach = np.float32(CHEEK_PX * size / CROP)
    line = np.empty(size, np.int64)
    for column in range(left, right):
        by = smile * edges[5, column]
        if by <= zero:
            continue
        edge = edges[3, column] - by
        first, last = max(top, int(edge) - 1), min(bottom, int(edge + by + reach) + 2)
        for row in range(first, last):
            line[row] = np.int64(picture[row, column])
        for row in range(first, last):
            below = np.float32(row) + half - edge
            share = min(max(below + half, zero), one)
            if share <= zero:
                continue
            source = np.float32(row) + by * min(max(one - below / (by + reach), zero), one)
            a = int(source)
            v = source - np.float32(a)
            a = min(a, last - 1)
            b = min(a + 1, last - 1)
            packed = 0
            for k in range(4):
                old = np.float32(line[row] >> (8 * k) & 255)
                near, far = np.float32(line[a] >> (8 * k) & 255), np.float32(line[b] >> (8 * k) & 255)
                packed |= int(old + share * (near + v * (far - near) - old) + half) << (8 * k)
            picture[row, column] = packed
