"""A plain or smooth background is modelled from the picture's border and flooded from there."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.pose import F32, U8
from puppeteer.prepare.alpha import without_specks
from puppeteer.prepare.figure import Figure, Seen
from puppeteer.prepare.heads import Head
from puppeteer.prepare.matting import matted

WORKING = 1400  # px, the longer side on which a plain background is looked for
NEAR = 10.0  # levels: what differs less from the modelled background is background
GAP = 0.97  # an enclosed place of the background's colour in which the network gives less than that is background ...
SHOULDERS = 0.3  # ... above here, in sides below the head's middle
HALO = 0.006  # of the longer side: how far compression smears an edge into a plain background
UNLIKE = 0.2  # what the network gives less than that is background
PLAIN = 0.6  # share of the border that must fit the model
SURELY, PROBABLY = 0.92, 0.96  # the least and the mean share that the network gives to a place which is kept
ENCLOSED = 0.55  # of the edge of such a place inside the picture must be an outline
CLOTHES = 0.025  # sides: places as thin as this beside an outline are not kept for the network's sake


def _terms(x: Any, y: Any) -> F32:
    """Up to the third order, for a gradient with a vignette."""
    one = np.ones_like(x)
    return np.stack([one, x, y, x * x, x * y, y * y, x**3, y**3], -1).astype(np.float32)


def _smooth_model(rgb: F32) -> tuple[F32, float, float] | None:
    """Coefficients (8, 3) of the background fitted to the border, its noise in levels, and the share that fits."""
    height, width = rgb.shape[:2]
    band = max(2, round(0.012 * max(height, width)))
    ys, xs = np.mgrid[0:height, 0:width]
    border = (ys < band) | (xs < band) | (xs >= width - band)
    border |= (ys >= height - band) & ((xs < width // 8) | (xs >= width - width // 8))
    x, y = xs[border] / width * 2 - 1, ys[border] / height * 2 - 1
    some = slice(None, None, max(1, len(x) // 6000))
    design, target = _terms(x[some], y[some]), rgb[border][some]
    weight = np.ones(len(design), np.float32)
    # start from the colours that most of the border has, so that a character across it does not bend the model
    middle = np.median(target, 0)
    weight[np.abs(target - middle).max(-1) > 90] = 0.05
    fit = np.zeros((8, 3), np.float32)
    error = np.zeros(len(design), np.float32)
    for _ in range(12):
        root = np.sqrt(weight)[:, None]
        ridge = 1e-3 * np.eye(8, dtype=np.float32) * len(design)
        ridge[0, 0] = 0
        left = design * root
        fit = np.linalg.solve(left.T @ left + 0.02 * ridge, left.T @ (target * root)).astype(np.float32)
        error = np.abs(design @ fit - target).max(-1)
        scale = max(3.0, float(np.median(error)))
        weight = (1 / (1 + (error / (1.5 * scale)) ** 2) ** 2).astype(np.float32)
    good = error < 3 * NEAR
    if not good.any():
        return None
    return fit, float(np.percentile(error[good], 80)), float(good.mean())


def without_plain(rgba: U8, head: Head, figure: Figure | None) -> U8 | None:
    """Without its smooth background; None where the background is not smooth."""
    height, width = rgba.shape[:2]
    scale = min(1.0, WORKING / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(rgba[..., :3], size, interpolation=cv2.INTER_AREA) if scale < 1 else rgba[..., :3]
    model = _smooth_model(small.astype(np.float32))
    if model is None:
        return None
    fit, noise, share = model
    if share < PLAIN or noise > NEAR:
        return None
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]]
    ground = np.clip(_terms(xs / size[0] * 2 - 1, ys / size[1] * 2 - 1) @ fit, 0, 255)
    far = np.abs(small.astype(np.float32) - ground).max(-1)
    near = max(NEAR, 3.0 * noise)
    ground_seen = _flooded(far < near, size)
    if not 0.05 < ground_seen.mean() < 0.985 or not _head_stands(ground_seen, head, scale):
        return None
    ground_seen = _grown(ground_seen, far, near, size)
    ground_seen &= ~_face(size, head, scale)
    anything = np.ones(size[::-1], np.float32)
    seen = Seen(anything, anything, anything)
    if figure is not None and head.score > 0:
        seen = figure.at(size, (0, 0, width, height))
        ground_seen &= ~clothes(ground_seen, seen, head, scale)
    ground_seen |= gaps(far, near, ground_seen, ground, seen, head, scale)
    subject = _main(~ground_seen, seen.share, head, scale)
    if subject is None:
        return None
    return without_specks(matted(rgba, small, ground.astype(np.float32), subject, scale), 2e-4)[0]


def clothes(ground: NDArray[np.bool_], seen: Seen, head: Head, scale: float) -> NDArray[np.bool_]:
    """What was flooded but is surely the figure's: clothes of the background's colour, entered through a gap in their
    outline. Rims are none: there the network is a few pixels off. Nor is what has hardly any outline: below a bust
    the network sees the rest of a body that is not drawn."""
    sure = ground & (seen.least > SURELY) & (seen.share > PROBABLY)
    reach = max(1, round(CLOTHES * head.side * scale))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    broad = cv2.morphologyEx((sure | ~ground).astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    core = cv2.erode(sure.astype(np.uint8), disc) > 0
    _, labels = cv2.connectedComponents((sure & broad).astype(np.uint8), connectivity=4)
    out = np.zeros(ground.shape, bool)
    kernel = np.ones((3, 3), np.uint8)
    outline = cv2.dilate((~ground).astype(np.uint8), kernel, iterations=3)
    for k in np.unique(labels[core & (labels > 0)]):
        place = (labels == k).astype(np.uint8)
        rim = (cv2.dilate(place, kernel) > 0) & (place == 0)
        if rim.any() and float(outline[rim].mean()) > ENCLOSED:
            out |= labels == k
    return out


def _flooded(open_to: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """What of `open_to` is reached from the border without squeezing through gaps in an outline."""
    reach = max(1, round(max(size) / 700))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    padded = cv2.copyMakeBorder(open_to.astype(np.uint8), 3, 3, 3, 3, cv2.BORDER_REPLICATE)
    wide = cv2.erode(padded, disc)
    count, labels = cv2.connectedComponents(wide, connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reached = np.zeros(count, bool)
    reached[np.unique(rim)] = True
    reached[0] = False
    core = reached[labels].astype(np.uint8)
    out = cv2.dilate(core, disc, iterations=2) & padded
    return np.asarray(out[3:-3, 3:-3] > 0)


def _grown(ground: NDArray[np.bool_], far: F32, near: float, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The background and what adjoins it and is nearly alike: the halo that lossy compression leaves round edges."""
    steps, square = max(3, round(HALO * max(size))), np.ones((3, 3), np.uint8)
    beside = cv2.dilate((~ground).astype(np.uint8), square, iterations=steps) > 0
    beside &= cv2.dilate((~ground).astype(np.uint8), square, iterations=3) == 0
    smeared = float(np.percentile(far[beside], 95)) if beside.sum() > 50 else 0.0
    alike = (far < min(3.2 * near, max(near, 5.0 * smeared))).astype(np.uint8)
    out, kernel = ground.astype(np.uint8), np.ones((3, 3), np.uint8)
    for _ in range(steps):
        out |= cv2.dilate(out, kernel) & alike
    return np.asarray(out > 0)


def _head_stands(ground: NDArray[np.bool_], head: Head, scale: float) -> bool:
    """Whether the middle of the head was not taken for background."""
    x, y, reach = head.centre[0] * scale, head.centre[1] * scale, 0.12 * head.side * scale
    part = ground[max(0, int(y - reach)) : max(1, int(y + reach)), max(0, int(x - reach)) : max(1, int(x + reach))]
    return part.size == 0 or float(part.mean()) < 0.5


def _face(size: tuple[int, int], head: Head, scale: float) -> NDArray[np.bool_]:
    """Face and neck of a head that was found: skin may have the background's colour."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    if head.score > 0:
        turn = np.radians(head.tilt_deg)
        for down, a, b in ((0.06, 0.11, 0.18), (0.27, 0.04, 0.1)):
            x = (head.centre[0] - np.sin(turn) * down * head.side) * scale
            y = (head.centre[1] + np.cos(turn) * down * head.side) * scale
            axes = (max(1, round(a * head.side * scale)), max(1, round(b * head.side * scale)))
            cv2.ellipse(mask, (round(x), round(y)), axes, head.tilt_deg, 0, 360, 1, -1)
    return np.asarray(mask > 0)


def gaps(
    far: F32, near: float, ground: NDArray[np.bool_], colour: F32, seen: Seen, head: Head, scale: float
) -> NDArray[np.bool_]:
    """Background seen between arm and body or between locks: enclosed, and of exactly its colour.

    White and grey go above the shoulders, where the network is not sure that they are the character's; below, a closed
    outline is kept: clothes may have that colour, and the network misses wide sleeves.
    """
    enclosed = (far < 0.6 * near) & ~ground
    count, labels, stats, middles = cv2.connectedComponentsWithStats(enclosed.astype(np.uint8), connectivity=4)
    out = np.zeros(ground.shape, bool)
    body = float((~ground).sum())
    for k in range(1, count):
        area = stats[k, cv2.CC_STAT_AREA]
        if area < 2e-4 * body:
            continue
        x, y = middles[k]
        tone = colour[int(y), int(x)]
        vivid = float(tone.max() - tone.min()) > 24
        in_face = abs(x / scale - head.centre[0]) < 0.17 * head.side and (
            -0.05 < (y / scale - head.centre[1]) / head.side < 0.25
        )
        here = labels == k
        beside = (y / scale - head.centre[1]) / head.side < SHOULDERS and float(seen.share[here].mean()) < GAP
        if area < 0.06 * body and not in_face and (vivid or beside):
            out |= here
    return np.asarray(cv2.dilate(out.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) if out.any() else out


def _main(subject: NDArray[np.bool_], seen: F32, head: Head, scale: float) -> NDArray[np.bool_] | None:
    """The parts that belong to the character: what the head is in, and large or near things that look like it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(subject.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    x, y = int(head.centre[0] * scale), int(head.centre[1] * scale)
    reach = max(1, int(0.15 * head.side * scale))
    window = labels[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    votes = np.bincount(window.ravel(), minlength=count) if window.size else np.zeros(count)
    votes[0] = 0
    chosen = int(votes.argmax()) if votes.any() else 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    side = max(4.0, head.side * scale)
    box = stats[:, :4].astype(float)
    ours = box[chosen]
    keep = np.zeros(count, bool)
    for k in range(1, count):
        gap_x = max(ours[0] - (box[k, 0] + box[k, 2]), box[k, 0] - (ours[0] + ours[2]), 0.0)
        gap_y = max(ours[1] - (box[k, 1] + box[k, 3]), box[k, 1] - (ours[1] + ours[3]), 0.0)
        keep[k] = stats[k, cv2.CC_STAT_AREA] > 4e-4 * side * side and max(gap_x, gap_y) < 0.08 * side
        keep[k] &= float(seen[labels == k].mean()) > UNLIKE
    keep[chosen] = True
    return np.asarray(keep[labels])
