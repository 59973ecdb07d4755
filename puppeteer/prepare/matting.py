"""Soft edges: how much of each pixel along an outline is the character's, and which colour that has."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.image import clean
from puppeteer.pose import F32, U8

SOFT = 0.0035  # of the longer side: how wide an edge may fade


def nearest(colours: U8, known: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> U8:
    """(H, W, 3): at `wanted` pixels the colour of the nearest `known` one, elsewhere as it was."""
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    of_label[labels[known]] = colours[known]
    out = colours.copy()
    out[wanted] = of_label[labels[wanted]]
    return out


def matted(rgba: U8, small: U8, ground: F32, subject: NDArray[np.bool_], scale: float) -> U8:
    """The subject with soft edges: along them each colour is a mix of the subject's nearest and the background's."""
    height, width = rgba.shape[:2]
    size = small.shape[1], small.shape[0]
    band = max(1, round(SOFT * max(size)))
    kernel = np.ones((3, 3), np.uint8)
    solid = subject.astype(np.uint8)
    core = cv2.erode(solid, kernel, iterations=band, borderType=cv2.BORDER_REPLICATE) > 0
    outer = cv2.dilate(solid, kernel)
    edge = (outer > 0) & ~core
    if not core.any():
        core, edge = subject, np.zeros_like(subject)
    own = nearest(small, core, edge).astype(np.float32)
    seen = small.astype(np.float32)
    span = own - ground
    length = (span**2).sum(-1)
    share = ((seen - ground) * span).sum(-1) / np.maximum(length, 1.0)
    share = np.where(length > 30.0**2, share, solid)  # too alike to tell: as flooded
    # thin things between: what is far from the background is solid, unless it mixes with what lies beside it
    far = np.clip((np.abs(seen - ground).max(-1) - 60) / 60, 0, 1) * solid
    off = np.abs(seen - ground - np.clip(share, 0, 1)[..., None] * span).max(-1)
    beside = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3) < 2 * band + 1.5
    share = np.maximum(share, np.where(beside, np.clip((off - 12) / 24, 0, 1), 1) * far)
    share = np.clip((share - 0.04) / 0.92, 0, 1).astype(np.float32)
    # inwards it only rises: a light in the hair is no hole
    alpha = np.where(outer > 0, 1.0, 0.0).astype(np.float32)
    ring_in = outer
    for _ in range(band + 1):
        inner = cv2.erode(ring_in, kernel, borderType=cv2.BORDER_REPLICATE)
        ring = (ring_in > inner) & edge
        before = cv2.erode(alpha, kernel, borderType=cv2.BORDER_REPLICATE)
        alpha[ring] = np.maximum(share[ring], before[ring])
        ring_in = inner
    alpha[core] = 1.0
    true = (seen - (1 - alpha[..., None]) * ground) / np.maximum(alpha[..., None], 0.05)
    true = np.clip(np.where(alpha[..., None] > 0.5, true, own), 0, 255)
    if scale < 1:
        alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
        mixed = cv2.resize(true.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        inner = cv2.resize(core.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
        colours = np.where(inner[..., None], rgba[..., :3], mixed)
    else:
        colours = np.where(core[..., None], small, true)
    out = np.dstack([colours, 255 * alpha + 0.5]).astype(np.uint8)
    out[out[..., 3] < 4] = 0
    return clean(out)


def guided(picture: Any, mask: F32, radius: int) -> F32:
    """The mask with edges where the picture's are (guided filter, grey guide)."""
    guide = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    box = (2 * radius + 1, 2 * radius + 1)

    def mean(x: Any) -> Any:
        return cv2.boxFilter(x, -1, box)

    centre, level = mean(guide), mean(mask)
    slope = (mean(guide * mask) - centre * level) / (mean(guide * guide) - centre * centre + 1e-3)
    return np.asarray(np.clip(mean(slope) * guide + mean(level - slope * centre), 0, 1), np.float32)
