"""Very dark pictures, as a photograph of a drawing at night: looked at as bright as others, and kept as they are."""

from __future__ import annotations

import numpy as np

from puppeteer.pose import U8

DARK, BRIGHT = 128, 245  # levels that the brightest parts have: every drawing that was tried has 230 and more there
BRIGHTEST = 99.8  # percentile of the pixels: dark skin and black clothes have whites of eyes and highlights
LOOKED_AT = 512  # px of the longer side


def gain(rgba: U8) -> float:
    """By what the levels of a very dark picture, uint8 (H, W, 4), must be multiplied; 1 for any other."""
    step = max(1, max(rgba.shape[:2]) // LOOKED_AT)
    few = rgba[::step, ::step]
    levels = few[few[..., 3] > 0][:, :3].max(1)
    top = float(np.percentile(levels, BRIGHTEST)) if levels.size else 0.0
    return BRIGHT / top if 0 < top < DARK else 1.0


def lit(rgba: U8, by: float) -> U8:
    """The picture with its levels multiplied by at least 1."""
    if by == 1:
        return rgba
    out = rgba.copy()
    out[..., :3] = np.minimum(np.rint(rgba[..., :3] * np.float32(by)), 255)
    return out


def unlit(changed: U8, bright: U8, rgba: U8, by: float) -> U8:
    """What was made of `bright`, which is `rgba` multiplied, as dark as that again: the same where nothing changed."""
    if by == 1:
        return changed
    out = changed.copy()
    own = (changed[..., :3] == bright[..., :3]).all(-1, keepdims=True)
    out[..., :3] = np.where(own, rgba[..., :3], np.rint(changed[..., :3] / np.float32(by)))
    return out
