"""A background that is not plain: told apart by what the network sees and by colours."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.image import clean
from puppeteer.pose import F32, U8
from puppeteer.prepare.alpha import without_specks
from puppeteer.prepare.figure import Figure, Seen
from puppeteer.prepare.heads import Head
from puppeteer.prepare.matting import guided, matted, nearest

WORKING = 1400  # px, the longer side on which edges are followed
GRABCUT = 600  # px, the longer side on which GrabCut works
POSSIBLE = 0.3  # share that the network gives to a place: below it colours decide nothing
PRIOR, SEEN, COLOUR = 0.5, 1.0, 0.25
FLAT = 14  # levels: where colours change less from pixel to pixel, one surface goes on
MOSTLY = 0.4  # of a surface that must be possible, and within the figure
CRUMB = np.ones((7, 7), np.uint8)  # what is left of a surface that goes, if it is smaller
COLOUR_STEP = 16  # levels of one coarse colour
SURELY, SURELY_NOT = (
    0.75,
    0.15,
)  # the least share of all looks above which a place is the figure's, the most below which not


def by_rembg(rgba: U8) -> tuple[U8 | None, str]:
    """By rembg's anime model, where the user has installed it; else None, and why it failed if it is there."""
    try:
        rembg = importlib.import_module("rembg")
    except ImportError:
        return None, ""
    except Exception as error:
        return None, f"{type(error).__name__}"
    try:
        out = np.asarray(rembg.remove(rgba[..., :3], session=rembg.new_session("isnet-anime")), np.uint8)
    except Exception as error:  # no network for its model, no memory: whatever another package raises
        return None, " ".join(str(error).split())[:120] or type(error).__name__
    if out.shape != rgba.shape or not (out[..., 3] > 128).any():
        return None, "it found nothing"
    return without_specks(clean(out), 2e-4)[0], ""


def by_grabcut(rgba: U8, head: Head, figure: Figure | None, ground_seen: NDArray[np.bool_] | None) -> U8 | None:
    """By what the network sees at several scales; where that is unsure, by GrabCut. None where that finds no figure.

    `ground_seen` is background for sure.
    """
    height, width = rgba.shape[:2]
    near = _reach(head, width, height)
    part = rgba[near]
    scale = min(1.0, GRABCUT / max(part.shape[:2]))
    size = max(8, round(part.shape[1] * scale)), max(8, round(part.shape[0] * scale))
    small = cv2.cvtColor(cv2.resize(part[..., :3], size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    middle = head.centre[0] - near[1].start, head.centre[1] - near[0].start
    there = replace(head, centre=middle)
    window = near[1].start, near[0].start, near[1].stop, near[0].stop
    seen = None if figure is None else figure.at(size, window)
    mask = _rough_figure(small, there, scale, seen)
    if ground_seen is not None:
        mask[cv2.resize(ground_seen[near].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = cv2.GC_BGD
    if not (mask == cv2.GC_FGD).any() or not (mask == cv2.GC_BGD).any():
        return None
    try:
        cv2.setRNGSeed(0)
        cv2.grabCut(small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    subject = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if seen is not None:
        subject = by_surfaces(subject, np.asarray(small, np.uint8), seen.share > POSSIBLE)
    chosen = _hanging_together(subject, there, scale)
    if chosen is None:
        return None
    whole = np.zeros((height, width), np.float32)
    whole[near] = cv2.resize(
        _without_holes(chosen, there, scale).astype(np.float32), part.shape[1::-1], interpolation=cv2.INTER_LINEAR
    )
    if not 0.005 < whole.mean() < 0.95:
        return None
    # up to the working size, then the edge follows the picture
    work = min(1.0, WORKING / max(height, width))
    size = max(8, round(width * work)), max(8, round(height * work))
    drawn = cv2.resize(rgba[..., :3], size, interpolation=cv2.INTER_AREA) if work < 1 else rgba[..., :3]
    rough = cv2.resize(whole, size, interpolation=cv2.INTER_AREA if work < 1 else cv2.INTER_LINEAR)
    radius = max(2, round(1.5 * work / scale))
    soft = guided(drawn, rough, radius)
    solid = soft > 0.5
    far = cv2.dilate(solid.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=3) == 0
    if not far.any() or not solid.any():
        return None
    ground = nearest(np.asarray(drawn, np.uint8), np.asarray(far), np.asarray(~far))
    ground = cv2.GaussianBlur(ground, (0, 0), 2.0).astype(np.float32)
    cut = matted(rgba, np.asarray(drawn, np.uint8), np.asarray(ground, np.float32), np.asarray(solid), work)
    return without_specks(cut, 2e-4)[0]


def _reach(head: Head, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the picture that a character's figure may lie in."""
    (x, y), side = head.centre, head.side
    left, right = max(0, int(x - 2 * side)), min(width, int(x + 2 * side))
    top, bottom = max(0, int(y - 1.2 * side)), min(height, int(y + 4.5 * side))
    return slice(min(top, height - 1), max(bottom, 1)), slice(min(left, width - 1), max(right, 1))


def _rough_figure(bgr: U8, head: Head, scale: float, seen: Seen | None) -> U8:
    """GrabCut's start: face and neck are the character's, and what the network is sure of is decided; elsewhere
    network, place and colours say what is likely.

    A colour that is common far from the head is the background's, one that the head has is the character's.
    """
    height, width = bgr.shape[:2]
    side = head.side * scale
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (xs - head.centre[0] * scale) / side, (ys - head.centre[1] * scale) / side
    likely = _shape(x, y)
    far = (likely < 0.06) | (np.abs(x) > 1.4)
    band = max(2, round(0.02 * max(height, width)))
    rim = np.zeros((height, width), bool)
    rim[:band] = rim[:, :band] = rim[:, -band:] = True
    far |= rim & (y < 0.3) & (np.hypot(x, y) > 0.5)
    own = (x / 0.2) ** 2 + (y / 0.23) ** 2 < 1
    own |= (x / 0.1) ** 2 + ((y - 0.35) / 0.14) ** 2 < 1
    hair = (x / 0.36) ** 2 + ((y + 0.02) / 0.34) ** 2 < 1
    prior = 1.0 if seen is None else PRIOR
    odds = prior * np.log(likely / (1 - likely))
    if seen is not None:
        far &= seen.most < 0.5
        own |= seen.least > SURELY
        hair = hair | own
        share = np.clip(seen.share, 0.01, 0.99)
        odds = odds + SEEN * np.log(share / (1 - share))
    if far.sum() > 200:
        lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
        ground, drawn = _colours(lab, far), _colours(lab, hair)
        other = 1 / ground.size  # clothes have colours that nothing else tells
        bins = tuple(np.moveaxis(lab // COLOUR_STEP, -1, 0))
        odds = odds + COLOUR * (np.log(0.5 * drawn + 0.5 * other)[bins] - np.log(0.9 * ground + 0.1 * other)[bins])
        odds = cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 1.5)
    mask = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[far | ((odds < -0.7) if seen is None else (seen.most < SURELY_NOT))] = cv2.GC_BGD
    mask[own] = cv2.GC_FGD
    return mask


def _shape(x: F32, y: F32) -> F32:
    """How likely a place belongs to the character, from its distance to the head's middle in spec squares alone."""

    def inside(deep: NDArray[np.floating[Any]], soft: float) -> F32:
        return np.asarray(1 / (1 + np.exp(-np.clip(deep / soft, -30, 30))), np.float32)

    away = np.asarray(np.hypot(x / 0.47, (y + 0.02) / 0.45), np.float32)
    skull = 0.9 * inside(1 - away, 0.16)
    half = np.interp(y, (0.2, 0.35, 0.6, 2.0, 4.5), (0.12, 0.3, 0.5, 0.5, 0.4)).astype(np.float32)
    body = 0.75 * inside(half - np.asarray(np.abs(x)), 0.13) * inside(y - 0.2, 0.05)
    locks = 0.35 * inside(0.75 - np.asarray(np.abs(x)), 0.08) * inside(y + 0.3, 0.08) * inside(1.2 - y, 0.1)
    return np.asarray(np.clip(np.maximum(np.maximum(skull, body), locks), 1e-3, 0.98), np.float32)


def _colours(lab: U8, where: NDArray[np.bool_]) -> F32:
    """The share of each coarse colour, smoothed, (n, n, n)."""
    n = 256 // COLOUR_STEP
    counts, _ = np.histogramdd(lab[where] // COLOUR_STEP, (n, n, n), [(0, n)] * 3)
    out = counts.astype(np.float32)
    for axis in range(3):
        before, after = np.roll(out, 1, axis), np.roll(out, -1, axis)
        out = 0.5 * out + 0.25 * (before + after)
    return np.asarray(out / max(1.0, float(out.sum())), np.float32)


def by_surfaces(subject: NDArray[np.bool_], bgr: U8, possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What of `subject` stays: surfaces, within which colours change little, go or stay as a whole, by how much of each
    is possible. The network's border between possible and not is soft: it runs through sleeves, skirts and hair."""
    lab, square = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB), np.ones((3, 3), np.uint8)
    change = (cv2.dilate(lab, square).astype(np.int16) - cv2.erode(lab, square)).max(-1)
    flat = subject & (change < FLAT)
    count, labels = cv2.connectedComponents(flat.astype(np.uint8), connectivity=4)
    area, likely = (np.bincount(labels[where], minlength=count) for where in (flat, flat & possible))
    stays = likely > MOSTLY * area
    kept = flat & stays[labels]
    near = cv2.dilate(kept.astype(np.uint8), square, iterations=3) > 0  # with the lines around it
    return _without_ground((subject & (near | (possible & ~flat))) | kept, change < FLAT)


def _without_ground(subject: NDArray[np.bool_], flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What of `subject` stays where a surface that goes on beyond it, for the most part, is background: a figure ends
    at lines. `flat` is where colours change little; surfaces that only a thread joins are two, for lines have gaps."""
    narrow = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    cores = cv2.erode(flat.astype(np.uint8), narrow)
    count, labels = cv2.connectedComponents(cores, connectivity=4)
    area, inside = np.bincount(labels.ravel(), minlength=count), np.bincount(labels[subject], minlength=count)
    ground = inside < MOSTLY * area
    ground[0] = False
    gone = cv2.dilate(ground[labels].astype(np.uint8), narrow)
    left = (subject & (gone == 0)).astype(np.uint8)
    crumbs = (left > cv2.morphologyEx(left, cv2.MORPH_OPEN, CRUMB)) & (cv2.dilate(gone & subject, CRUMB) > 0)
    return np.asarray((left > 0) & ~crumbs)


def _hanging_together(subject: NDArray[np.bool_], head: Head, scale: float) -> NDArray[np.bool_] | None:
    """The part round the head, and what hangs on it by more than a thread."""
    side = head.side * scale
    thread = max(1, round(0.025 * side))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thread + 1, 2 * thread + 1))
    core = cv2.erode(subject.astype(np.uint8), disc, borderType=cv2.BORDER_REPLICATE)
    count, labels = cv2.connectedComponents(core, connectivity=8)
    x, y = head.centre[0] * scale, head.centre[1] * scale
    ys, xs = np.mgrid[0 : subject.shape[0], 0 : subject.shape[1]]
    votes = np.bincount(labels[np.hypot(xs - x, ys - y) < 0.25 * side], minlength=count)
    votes[0] = 0
    if not votes.any():
        return None
    kept = (labels == int(votes.argmax())).astype(np.uint8)
    grown = cv2.dilate(kept, disc, iterations=3)  # and the thin ends of what was kept: locks, fingers
    return np.asarray((grown > 0) & subject)


def _without_holes(subject: NDArray[np.bool_], head: Head, scale: float) -> NDArray[np.bool_]:
    """Small holes are eyes, buttons and lights: they are filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~subject).astype(np.uint8), connectivity=4)
    limit = 0.02 * (head.side * scale) ** 2
    out = subject.copy()
    height, width = subject.shape
    for k in range(1, count):
        left, top, wide, high, area = stats[k]
        if area < limit and left > 0 and top > 0 and left + wide < width and top + high < height:
            out |= labels == k
    return out
