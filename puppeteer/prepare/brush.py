"""A user's brush on a cut-out: a click keeps or removes a whole place, a drag what it passes over."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.image import clean
from puppeteer.pose import U8

ALIKE = 20  # levels: colours that differ less are one place
LEAST_PLACE = 0.3  # of the brush: a place smaller than this is not meant, but what lies under the brush
GROUND = 0.4  # of the picture's rim without its lower side
CLICK = 0.5  # radii: what moves less is a click


@dataclass(frozen=True, slots=True)
class Stroke:
    """In pixels of the picture as given."""

    keep: bool  # or remove
    points: tuple[tuple[float, float], ...]  # at least one
    radius: float

    @property
    def is_click(self) -> bool:
        (x0, y0), *others = self.points
        return all(np.hypot(x - x0, y - y0) < CLICK * self.radius for x, y in others)


def brushed(given: U8, cut: U8, strokes: tuple[Stroke, ...]) -> U8:
    """`cut` (H, W, 4) with places of `given` (H, W, 4) back in or gone, stroke by stroke."""
    out = cut.copy()
    for stroke in strokes:
        place = _place(given, out, stroke) if stroke.is_click else _painted(out, stroke)
        if not place.any():
            continue
        box = _box(place)
        soft = cv2.GaussianBlur(place[box].astype(np.float32), (0, 0), 0.7)[..., None]
        soft = np.maximum(soft, place[box][..., None]) if not stroke.keep else soft * place[box][..., None]
        wanted = given[box].astype(np.float32)
        if not stroke.keep:
            wanted = np.concatenate([out[box][..., :3], np.zeros_like(wanted[..., 3:])], -1)
        mixed = _mixed(out[box].astype(np.float32), wanted, soft)
        out[box] = np.where(soft > 0, mixed, out[box])
    return clean(out)


def _mixed(below: NDArray[np.float32], above: NDArray[np.float32], share: NDArray[np.float32]) -> U8:
    """Straight alpha, mixed as premultiplied."""
    alpha = below[..., 3:] * (1 - share) + above[..., 3:] * share
    colour = below[..., :3] * below[..., 3:] * (1 - share) + above[..., :3] * above[..., 3:] * share
    return np.concatenate([colour / np.maximum(alpha, 1e-3), alpha], -1).clip(0, 255).round().astype(np.uint8)


def _box(place: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Round the place, with room for a soft edge."""
    rows, columns = np.flatnonzero(place.any(1)), np.flatnonzero(place.any(0))
    return slice(max(0, rows[0] - 3), rows[-1] + 4), slice(max(0, columns[0] - 3), columns[-1] + 4)


def _painted(like: U8, stroke: Stroke) -> NDArray[np.bool_]:
    """What the brush passed over."""
    mask = np.zeros(like.shape[:2], np.uint8)
    points = np.rint(np.array(stroke.points) * 16).astype(np.int32)
    radius = max(1, round(stroke.radius))
    if len(points) > 1:
        cv2.polylines(mask, [points], False, 1, 2 * radius, shift=4)
    for x, y in points:
        cv2.circle(mask, (int(x), int(y)), radius * 16, 1, -1, shift=4)
    return np.asarray(mask > 0)


def _is_ground(place: NDArray[np.bool_]) -> bool:
    """Whether nobody can mean to keep it: the background lies along most of the picture's rim, a figure does not."""
    rim = np.concatenate([place[0], place[:, 0], place[:, -1]])  # a figure may fill the lower side
    return bool(rim.mean() > GROUND)


def _place(given: U8, cut: U8, stroke: Stroke) -> NDArray[np.bool_]:
    """What hangs together with the clicked pixel and looks like it, as far as it is not yet as wanted."""
    x, y = (int(v) for v in stroke.points[0])
    height, width = cut.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        return np.zeros((height, width), bool)
    under = _painted(cut, Stroke(stroke.keep, stroke.points[:1], stroke.radius))
    open_to = cut[..., 3] < 128 if stroke.keep else cut[..., 3] > 0
    if not open_to[y, x]:
        return under
    walls = np.ones((height + 2, width + 2), np.uint8)
    walls[1:-1, 1:-1] = ~open_to
    colours = np.ascontiguousarray(cv2.medianBlur(np.ascontiguousarray(given[..., :3]), 3))
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (2 << 8)
    cv2.floodFill(colours, walls, (x, y), 0, (ALIKE,) * 3, (ALIKE,) * 3, flags)
    place = walls[1:-1, 1:-1] == 2
    if place.sum() < LEAST_PLACE * under.sum() or (stroke.keep and _is_ground(place)):
        return under
    grown = cv2.dilate(place.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # the mixed pixels round it
    return np.asarray(place | (grown & open_to))
