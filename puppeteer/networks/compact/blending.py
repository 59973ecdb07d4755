"""The first step of a frame of a morpher on the CPU, compiled: as a matrix product it reads maps that weigh nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from puppeteer.compiled import compiled


@compiled
def blend_sides(basis: Any, weights: Any, side: Any, out: Any) -> None:
    """What is above 0 of the sum of maps, `basis` (T, H, W, C), into `out` (H, W, C), all float32. A column's weights
    lie by `side` (W) between the first and the second of `weights` (2, T)."""
    terms, height, width, channels = basis.shape
    zero = np.float32(0)
    weight = np.empty((terms, width), np.float32)
    asked = np.empty(terms, np.int64)
    count = 0
    for t in range(terms):
        if weights[0, t] != zero or weights[1, t] != zero:
            asked[count] = t
            count += 1
            for j in range(width):
                weight[t, j] = weights[0, t] + side[j] * (weights[1, t] - weights[0, t])
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                out[i, j, c] = zero
        for k in range(count):
            t = asked[k]
            for j in range(width):
                w = weight[t, j]
                if w != zero:
                    for c in range(channels):
                        out[i, j, c] += w * basis[t, i, j, c]
        for j in range(width):
            for c in range(channels):
                out[i, j, c] = max(out[i, j, c], zero)
