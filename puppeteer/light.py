"""Very dark pictures, as a photograph of a drawing at night: looked at as bright as others, and shown as they are."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from puppeteer.pose import U8

DARK, BRIGHT = 128, 245  # levels that the brightest parts have: every drawing that was tried has 230 and more there
BRIGHTEST = 99.8  # percentile of the pixels: dark skin and black clothes have whites of eyes and highlights
LIGHTS = 1.6  # times as bright as those, at most, are lights that are kept; brighter ones, as a white stamp, are dimmed
LOOKED_AT = 512  # px of the longer side


class Light(NamedTuple):
    """How levels of a very dark picture become those of a bright one, and back."""

    brighter: U8  # (256, 1, 4), the last channel as it is
    darker: U8  # (256, 1, 4)

    def lit(self, rgba: U8) -> U8:
        """As bright as other pictures. `unlit` gives the same again."""
        return np.asarray(cv2.LUT(rgba, self.brighter), np.uint8)

    def unlit(self, rgba: U8) -> U8:
        """As dark as the picture, whatever was made of it."""
        return np.asarray(cv2.LUT(rgba, self.darker), np.uint8)


def light(rgba: U8) -> Light | None:
    """Of a very dark picture, uint8 (H, W, 4) with straight alpha; None for any other."""
    step = max(1, max(rgba.shape[:2]) // LOOKED_AT)
    few = rgba[::step, ::step]
    levels = few[few[..., 3] > 0][:, :3].max(1)
    top = float(np.percentile(levels, BRIGHTEST)) if levels.size else 0.0
    if not 0 < top < DARK:
        return None
    highest = float(levels.max())
    gain = min(BRIGHT / top, 255 / highest) if highest < LIGHTS * top else BRIGHT / top
    return Light(_table(gain), _table(1 / gain))


def _table(gain: float) -> U8:
    levels = np.arange(256)
    colours = np.minimum(np.rint(levels * gain), 255)
    return np.stack([colours, colours, colours, levels], 1).astype(np.uint8)[:, None]
