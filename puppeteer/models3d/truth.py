"""What only a renderer knows of a model's picture: where every point was, its layer, how deep, what hides it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from puppeteer.characters.geometry import PART_NEW
from puppeteer.characters.renderer import Rendering
from puppeteer.models3d.layers import PARTS
from puppeteer.pose import F32, U8

SPEC = 256.0
HIDDEN = 1.7  # spec px of depth: nearer surfaces hide a point
NOTHING = np.float32(-1e6)  # spec px: the depth of the background


def front(places: F32, there: F32) -> F32:
    """(S, S) depth of what is in front."""
    return np.where(there > 0, places[..., 2], NOTHING)


def told(rgba: U8, first: F32, second: F32, neutral_depth: F32, rest_depth: F32) -> Rendering:
    """A picture with its truth. `first` (S, S, 4) is the neutral place and the layer of each point, `second` its place
    at rest and 1 where there is one, both in spec px; depths are those of the neutral and the rest picture."""
    size = len(rgba)
    k = np.float32(size / SPEC)
    line = np.arange(size, dtype=np.float32) + 0.5
    here = np.stack(np.meshgrid(line, line), -1)
    there = second[..., 3:] > 0
    neutral_xy = np.where(there, first[..., :2] * k, here)
    rest_xy = np.where(there, second[..., :2] * k, here)
    visible = seen(neutral_xy, first[..., 2], neutral_depth, there[..., 0])
    layer = np.where(there[..., 0], np.rint(first[..., 3]), 0).astype(np.uint8)
    known = seen(rest_xy, second[..., 2], rest_depth, there[..., 0])
    moved = np.maximum(*np.abs(rest_xy - neutral_xy).transpose(2, 0, 1)) > 0.3 * k
    # what the rest image does not show and an expression brought: a mouth's inside, the skin of a closed lid
    new = there[..., 0] & (known == 0) & (visible == 1) & moved
    return Rendering(
        rgba,
        neutral_xy,
        (first[..., 2] * k).astype(np.float32),
        rest_xy,
        np.asarray(np.where(new, PART_NEW, PARTS[layer]), np.uint8),
        neutral_depth * k,
        visible,
    )


def seen(at: F32, z: F32, depth: F32, there: NDArray[np.bool_]) -> U8:
    """(S, S) 1 where a point at picture place `at` and depth `z` is the front surface of a depth map (spec px deep)."""
    size = depth.shape[0]
    corner = np.floor(at[there] - 0.5).astype(np.int32)  # of the four pixels about each point
    column, row = corner.T
    inside = (column >= -1) & (row >= -1) & (column < size) & (row < size)
    z, flat = z[there], depth.ravel()
    nearest = np.full(len(z), 1e9, np.float32)
    columns, rows = ([np.clip(of + step, 0, size - 1) for step in (0, 1)] for of in (column, row))
    for i in rows:
        for j in columns:
            nearest = np.minimum(nearest, np.abs(flat[i * size + j] - z))
    out = np.zeros(depth.shape, np.uint8)
    out[there] = inside & (nearest < HIDDEN)
    return out
