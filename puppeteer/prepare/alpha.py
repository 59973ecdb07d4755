"""Alpha that is there already: kept, and cleaned of specks and of the pale rim that careless cutting-out leaves."""

from __future__ import annotations

import cv2
import numpy as np

from puppeteer.image import clean
from puppeteer.pose import U8
from puppeteer.prepare.matting import nearest

FRINGE = 0.005  # of the longer side: the widest rim that is a fringe
MOSTLY = 0.45  # share of a rim


def cleaned(rgba: U8) -> tuple[U8, int, bool]:
    """Without its faults, how many specks were dropped, and whether a pale rim was there."""
    out, dropped = without_specks(clean(rgba))
    out, fringe = _without_fringe(out)
    return out, dropped, fringe


def without_specks(rgba: U8, smallest: float = 1e-3) -> tuple[U8, int]:
    """Drops what is tiny and apart from the character; single translucent pixels go without being counted."""
    solid = (rgba[..., 3] > 24).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    if count < 2:
        return rgba, 0
    area = stats[1:, cv2.CC_STAT_AREA]
    largest = 1 + int(area.argmax())
    small = np.flatnonzero(np.concatenate([[False], area < smallest * area.max()]))
    out = rgba.copy()
    dropped = 0
    if small.size:
        reach = max(2, round(0.012 * max(rgba.shape[:2])))
        near = cv2.dilate((labels == largest).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=reach)
        keep = np.ones(count, bool)
        keep[small] = False
        keep[np.unique(labels[(near > 0) & (labels > 0)])] = True  # a loose hair, a sparkle at the cheek
        gone = ~keep[labels]
        out[gone] = 0
        dropped = int(sum(1 for k in small if not keep[k] and stats[k, cv2.CC_STAT_AREA] >= 4))
    veil = (out[..., 3] > 0) & (cv2.dilate((out[..., 3] > 24).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    out[veil] = 0
    return out, dropped


def _without_fringe(rgba: U8) -> tuple[U8, bool]:
    """A pale rim, as careless cutting-out leaves it, is taken away; translucent pixels get the colour within.

    Drawings have dark outlines or none: what is pale nearly all round and dark a little within is a fringe. A rim that
    goes on inwards is meant to be there.
    """
    alpha, kernel = rgba[..., 3], np.ones((3, 3), np.uint8)
    widest = max(2, round(FRINGE * max(rgba.shape[:2])))
    deep = cv2.erode((alpha >= 250).astype(np.uint8), kernel, iterations=widest + 1) > 0
    rim = (alpha > 0) & ~deep
    if not deep.any() or rim.sum() < 50:
        return rgba, False
    own = nearest(rgba[..., :3], deep, rim)
    brightness = rgba[..., :3].astype(np.int16).sum(-1)
    pale = rim & (rgba[..., :3].min(-1) > 150) & (brightness - own.astype(np.int16).sum(-1) > 120)
    out, found = rgba.copy(), False
    veil = (alpha > 0) & (alpha < 250)
    if veil.sum() > 50 and pale[veil].mean() > MOSTLY:
        out[veil & pale, :3] = own[veil & pale]
        pale, found = pale & ~veil, True
    left = alpha >= 250
    for _ in range(widest):
        ring = left & (cv2.erode(left.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE) == 0)
        if not ring.any() or pale[ring].mean() < MOSTLY:
            break
        left &= ~(ring & pale)
    else:
        return out, found  # a border that is meant to be there
    gone = (alpha >= 250) & ~left
    if not gone.any():
        return out, found
    touched = cv2.dilate(gone.astype(np.uint8), kernel, iterations=2) > 0
    outside = touched & ~left  # the peeled rim, and the veil outside it
    soft = cv2.GaussianBlur(left.astype(np.float32), (0, 0), 0.8)
    out[outside, 3] = (255 * np.clip(2 * soft[outside] - 0.1, 0, 1)).astype(np.uint8)
    out[outside, :3] = own[outside]
    return clean(out), True
