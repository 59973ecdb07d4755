"""The brows of a picture, elsewhere in every frame. Compiled, see `laying`."""

from __future__ import annotations

from typing import Any

import numpy as np

from puppeteer.compiled import compiled
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.brows import AT_ONCE, KINDS, NEARER, RAISED, BrowLook, BrowPictures
from puppeteer.pose import U8
from puppeteer.poser.reaching import FAINT, Window, both_windows, windows
from puppeteer.poser.stack import picture_of, pixels

REACH_PX = RAISED + 5.0  # of the crop, that any brow is away from where it is drawn
ASIDE_PX = NEARER + 1.0


class DrawnBrows:
    """Drawn by any number of threads."""

    def __init__(self, shown: BrowPictures, middle: int) -> None:
        """`middle` is the column between the two."""
        self._layer, self._skin = picture_of(shown.layer[0]), picture_of(shown.skin[0])
        self._taken, self._shows = (np.ascontiguousarray(x[0, 0].numpy()) for x in (shown.taken, shown.shows))
        self._per_px = len(self._taken) / CROP
        self._profile = np.ascontiguousarray((shown.profile * self._per_px).numpy())
        seen = (self._taken > FAINT) | (self._layer[..., 3] > 0)
        margins = round(REACH_PX * self._per_px), round(ASIDE_PX * self._per_px)
        self._windows = windows(seen, middle, *margins)
        self.reach: Window = both_windows(*self._windows)

    def draw(self, out: U8, look: BrowLook) -> None:
        """Changes premultiplied `out` (S, S, 4), which shows the brows as they are drawn."""
        for side, ((rows, columns), amounts) in enumerate(zip(self._windows, look.amounts.numpy(), strict=True)):
            share = min(AT_ONCE * float(amounts.max()), 1.0)
            if share < FAINT or not rows.stop:
                continue
            aside = NEARER * self._per_px * float(amounts[KINDS - 1]) * (-1 if side else 1)
            move(
                *(pixels(out), self._layer, self._taken, self._skin, self._shows, self._profile, amounts),
                *(share, aside, rows.start, rows.stop, columns.start, columns.stop),
            )


@compiled
def move(
    picture: Any,
    layer: Any,
    taken: Any,
    skin: Any,
    shows: Any,
    profile: Any,
    amounts: Any,
    share: Any,
    aside: Any,
    top: Any,
    bottom: Any,
    left: Any,
    right: Any,
) -> None:
    """As much as `share` says, a brow of a premultiplied `picture` (S, S) lies elsewhere, in rows `top` to `bottom` and
    columns `left` to `right`: `aside` px to the right, and down by `amounts` (K,) of `profile` (K, S); all else as
    `BrowPictures` has it, planes last."""
    size = picture.shape[0]
    zero, half, one, bytes_ = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    share, aside = np.float32(share), np.float32(aside)
    line = np.empty(4, np.float32)
    for column in range(left, right):
        down = zero
        for k in range(len(amounts)):
            down += amounts[k] * profile[k, column]
        u = np.float32(column) - aside
        c = int(np.floor(u))
        u -= np.float32(c)
        for row in range(top, bottom):
            v = np.float32(row) - down
            a = int(np.floor(v))
            v -= np.float32(a)
            for k in range(4):
                line[k] = zero
            for j in range(2):
                for i in range(2):
                    if 0 <= a + j < size and 0 <= c + i < size:
                        weight = (v if j else one - v) * (u if i else one - u) * shows[row, column]
                        for k in range(4):
                            line[k] += weight * np.float32(layer[a + j, c + i, k])
            off = taken[row, column]
            if off < np.float32(FAINT) and line[3] < half:
                continue
            was = np.int64(picture[row, column])
            alpha = int(was >> 24 & 255)
            opaque, clear = np.float32(alpha) / bytes_, one - line[3] / bytes_
            packed = alpha << 24
            for k in range(3):
                before = np.float32(was >> (8 * k) & 255)
                bare = before + off * (np.float32(skin[row, column, k]) * opaque - before)
                laid = bare * clear + line[k] * opaque
                packed |= min(int(before + share * (laid - before) + half), alpha) << (8 * k)
            picture[row, column] = packed
