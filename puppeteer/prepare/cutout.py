"""Takes a character out of its background; alpha that is there already is kept and cleaned.

A plain or smooth background is modelled from the picture's border and flooded from there, with a soft matte and the
background's share taken out of the edge's colours. Any other is told apart by GrabCut, seeded by the head and the
border, or by rembg's anime model where the user has installed that.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.errors import WeightsError
from puppeteer.image import clean
from puppeteer.pose import F32, U8
from puppeteer.prepare.figure import figure
from puppeteer.prepare.heads import Head

How = Literal["alpha", "plain", "grabcut", "rembg", "none"]

HAS_ALPHA = 0.02  # share of the picture that must be transparent
WORKING = 1400  # px, the longer side on which a plain background is looked for
GRABCUT = 400  # px, the longer side on which GrabCut works
PRIOR, SEEN, COLOUR = 0.5, 1.0, 0.25
COLOUR_STEP = 16  # levels of one coarse colour
SURELY_NOT = -0.7  # log odds under which a place is background for sure
FRINGE = 0.005  # of the longer side: the widest rim that is a fringe
MOSTLY = 0.45  # share of a rim
NEAR = 10.0  # levels: what differs less from the modelled background is background
GAP = 0.9  # an enclosed place of the background's colour in which the network gives less than that is background ...
SHOULDERS = 0.3  # ... above here, in sides below the head's middle
SOFT = 0.0035  # of the longer side: how wide an edge may fade
HALO = 0.006  # of the longer side: how far compression smears an edge into a plain background
UNLIKE, FOREIGN = 0.2, 0.1  # what the network gives less than that is background; well cut-out pictures have 0.04 of it
BETTER = (
    "erase the background in a drawing program and save a PNG with transparency, take a picture on a plain background, "
    "or install rembg (python -m pip install rembg onnxruntime) and prepare it again"
)
PLAIN = 0.6  # share of the border that must fit the model


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """A picture without its background."""

    rgba: U8  # (H, W, 4)
    how: How
    dropped: int = 0  # stray specks
    fringe: bool = False  # pale edge colours were replaced
    failed: str = ""  # why rembg could not be used, where it is installed
    left_in: bool = False  # background is probably still there

    def notes(self, name: str) -> list[str]:
        """Sentences for the user."""
        out = []
        if self.failed:
            out.append(f"rembg is installed but could not be used ({self.failed}): the project's own cut-out was used")
        if self.how == "alpha":
            did = ["kept"]
            if self.fringe:
                did.append("a pale fringe along the edge was recoloured")
            if self.dropped:
                did.append(f"{self.dropped} stray speck{'s' if self.dropped > 1 else ''} dropped")
            out.append(f"the transparency of {name} was {', '.join(did)}")
        elif self.how == "plain":
            out.append(f"the plain background of {name} was removed by the project's own cut-out")
        elif self.how == "grabcut" and self.left_in:
            out.append(
                f"the background of {name} is too busy for the project's own cut-out (GrabCut): some of it is left in "
                f"and will move with the character, or parts of the character are gone; {BETTER}"
            )
        elif self.how == "grabcut":
            out.append(
                f"the background of {name} was removed by the project's own cut-out (GrabCut), which can err where "
                f"character and background look alike: where something is missing or left, {BETTER}"
            )
        elif self.how == "rembg":
            out.append(f"the background of {name} was removed by rembg (isnet-anime)")
        if self.how == "none" or (self.left_in and self.how != "grabcut"):
            out.append(f"background is left in {name} and will move with the character: {BETTER}")
        return out


def cut_out(rgba: U8, head: Head, guessed: bool = False) -> CutOut:
    """`rgba` (H, W, 4) without its background; `head` says where the character is.

    Where that is only guessed, what is no plain background is left alone: there may be no character at all.
    """
    if (rgba[..., 3] < 128).mean() >= HAS_ALPHA:
        return _cleaned(rgba)
    opaque = rgba.copy()
    opaque[..., 3] = 255
    plain = _plain(opaque, head)
    if plain is not None and not _crowded(plain, head) and (guessed or _foreign(plain, opaque, head) < FOREIGN):
        return CutOut(plain, "plain", left_in=_left_in(plain, head))
    matte, failed = _rembg(opaque)
    if matte is not None:
        return CutOut(matte, "rembg", left_in=_left_in(matte, head))
    torn = None if guessed else _grabcut(opaque, head, None if plain is None else plain[..., 3] == 0)
    if torn is not None:
        return CutOut(
            torn, "grabcut", failed=failed, left_in=_left_in(torn, head) or _foreign(torn, opaque, head) > FOREIGN
        )
    return CutOut(rgba, "none", failed=failed)


def _foreign(rgba: U8, opaque: U8, head: Head) -> float:
    """The share of what stands out in `rgba` that the network takes for background in the whole picture, `opaque`."""
    solid = rgba[..., 3] > 128
    seen = _seen(np.ascontiguousarray(opaque[..., :3]), head, solid.shape[::-1])
    return float((seen[solid] < UNLIKE).mean()) if solid.any() else 0.0


def _crowded(rgba: U8, head: Head) -> bool:
    """Whether a good part of what stands out is no character's: farther from the head than hair and arms reach, or
    from one side of a wide picture to the other."""
    solid = rgba[::4, ::4, 3] > 128
    ys, xs = np.nonzero(solid)
    x, y = (4 * xs - head.centre[0]) / head.side, (4 * ys - head.centre[1]) / head.side
    above = (y < 0.25) & ((x / 0.95) ** 2 + (y / 0.85) ** 2 > 1)
    through = min(solid[:, 0].mean(), solid[:, -1].mean()) > 0.1 and rgba.shape[1] > 1.5 * head.side
    return bool(above.mean() > 0.08 or (np.abs(x) > 1.0).mean() > 0.15 or through)


def _left_in(rgba: U8, head: Head) -> bool:
    """Whether the sides and the top of the picture are still full, or nothing was taken away round the head."""
    opaque = rgba[..., 3] > 128
    if opaque.mean() > 0.9:
        return True
    x, y = head.centre
    height, width = opaque.shape
    reach = 0.5 * head.side
    corners = [(x - reach, y - reach), (x + reach, y - reach)]
    inside = [opaque[int(b), int(a)] for a, b in corners if 0 <= a < width and 0 <= b < height]
    rim = np.concatenate([opaque[0], opaque[: height // 2, 0], opaque[: height // 2, -1]])
    return bool(rim.mean() > 0.5 or (len(inside) == 2 and all(inside) and rim.mean() > 0.25))


# ---------------------------------------------------------------- alpha that is there


def _cleaned(rgba: U8) -> CutOut:
    out, dropped = _without_specks(clean(rgba))
    out, fringe = _without_fringe(out)
    return CutOut(out, "alpha", dropped, fringe)


def _without_specks(rgba: U8, smallest: float = 1e-3) -> tuple[U8, int]:
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


# ---------------------------------------------------------------- plain and smooth backgrounds


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


def _plain(rgba: U8, head: Head) -> U8 | None:
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
    seen = _seen(np.ascontiguousarray(rgba[..., :3]), head, size) if head.score > 0 else np.ones(size[::-1], np.float32)
    ground_seen |= _gaps(far, near, ground_seen, ground, seen, head, scale)
    subject = _main(~ground_seen, seen, head, scale)
    if subject is None:
        return None
    return _matted(rgba, small, ground.astype(np.float32), subject, scale)


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


def _gaps(
    far: F32, near: float, ground: NDArray[np.bool_], colour: F32, seen: F32, head: Head, scale: float
) -> NDArray[np.bool_]:
    """Background seen between arm and body or between locks: enclosed, and of exactly its colour.

    White and grey go above the shoulders, where the network takes them for background: below, clothes may
    have that colour, and the network tells few of them.
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
        beside = (y / scale - head.centre[1]) / head.side < SHOULDERS and float(seen[labels == k].mean()) < GAP
        if area < 0.06 * body and not in_face and (vivid or beside):
            out |= labels == k
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


def _matted(rgba: U8, small: U8, ground: F32, subject: NDArray[np.bool_], scale: float) -> U8:
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
    return _without_specks(clean(out), 2e-4)[0]


# ---------------------------------------------------------------- any other background


def _rembg(rgba: U8) -> tuple[U8 | None, str]:
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
    return _without_specks(clean(out), 2e-4)[0], ""


def _grabcut(rgba: U8, head: Head, ground_seen: NDArray[np.bool_] | None) -> U8 | None:
    """By GrabCut, from where a figure is likely and which colours it has; None where that finds none.

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
    mask = _rough_figure(small, there, scale, _seen(part[..., :3], there, size))
    if ground_seen is not None:
        mask[cv2.resize(ground_seen[near].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = cv2.GC_BGD
    if not (mask == cv2.GC_FGD).any() or not (mask == cv2.GC_BGD).any():
        return None
    try:
        cv2.setRNGSeed(0)
        cv2.grabCut(small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    subject = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))
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
    seen = cv2.resize(rgba[..., :3], size, interpolation=cv2.INTER_AREA) if work < 1 else rgba[..., :3]
    rough = cv2.resize(whole, size, interpolation=cv2.INTER_AREA if work < 1 else cv2.INTER_LINEAR)
    radius = max(2, round(1.5 * work / scale))
    soft = _guided(seen, rough, radius)
    solid = soft > 0.5
    far = cv2.dilate(solid.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=3) == 0
    if not far.any() or not solid.any():
        return None
    ground = nearest(np.asarray(seen, np.uint8), np.asarray(far), np.asarray(~far))
    ground = cv2.GaussianBlur(ground, (0, 0), 2.0).astype(np.float32)
    return _matted(rgba, np.asarray(seen, np.uint8), np.asarray(ground, np.float32), np.asarray(solid), work)


def _reach(head: Head, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the picture that a character's figure may lie in."""
    (x, y), side = head.centre, head.side
    left, right = max(0, int(x - 2 * side)), min(width, int(x + 2 * side))
    top, bottom = max(0, int(y - 1.2 * side)), min(height, int(y + 4.5 * side))
    return slice(min(top, height - 1), max(bottom, 1)), slice(min(left, width - 1), max(right, 1))


def _seen(rgb: U8, head: Head, size: tuple[int, int]) -> F32:
    """What the network takes for the character, 0 to 1; 0.5 everywhere where its weights cannot be read."""
    try:
        return np.asarray(cv2.resize(figure(rgb, head), size, interpolation=cv2.INTER_AREA), np.float32)
    except WeightsError:
        return np.full(size[::-1], 0.5, np.float32)


def _rough_figure(bgr: U8, head: Head, scale: float, seen: F32) -> U8:
    """GrabCut's start: face and neck are the character's; elsewhere network, place and colours say what is likely.

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
    seen = np.clip(seen, 0.01, 0.99)
    odds = PRIOR * np.log(likely / (1 - likely)) + SEEN * np.log(seen / (1 - seen))
    if far.sum() > 200:
        lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
        ground, drawn = _colours(lab, far), _colours(lab, hair)
        other = 1 / ground.size  # clothes have colours that nothing else tells
        bins = tuple(np.moveaxis(lab // COLOUR_STEP, -1, 0))
        odds = odds + COLOUR * (np.log(0.5 * drawn + 0.5 * other)[bins] - np.log(0.9 * ground + 0.1 * other)[bins])
        odds = cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 1.5)
    mask = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[far | (odds < SURELY_NOT)] = cv2.GC_BGD
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


def _guided(picture: Any, mask: F32, radius: int) -> F32:
    """The mask with edges where the picture's are (guided filter, grey guide)."""
    guide = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    box = (2 * radius + 1, 2 * radius + 1)

    def mean(x: Any) -> Any:
        return cv2.boxFilter(x, -1, box)

    centre, level = mean(guide), mean(mask)
    slope = (mean(guide * mask) - centre * level) / (mean(guide * guide) - centre * centre + 1e-3)
    return np.asarray(np.clip(mean(slope) * guide + mean(level - slope * centre), 0, 1), np.float32)
