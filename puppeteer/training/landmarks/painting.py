"""Backgrounds and bodies, painted from a seed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from puppeteer.characters.mesh import F64
from puppeteer.pose import F32, U8
from puppeteer.training.landmarks.truth import Colour, Look


def random_colour(rng: np.random.Generator) -> Colour:
    u = rng.random()
    if u < 0.15:
        return (255.0, 255.0, 255.0)
    if u < 0.25:
        grey = rng.uniform(0, 255)
        return (grey, grey, grey)
    if u < 0.35:  # like skin
        light = rng.uniform(0.75, 1.0)
        return (light * 255, light * rng.uniform(200, 235), light * rng.uniform(170, 220))
    a, b, c = rng.uniform(0, 255, 3)
    if u < 0.6:
        return (0.4 * a + 150, 0.4 * b + 150, 0.4 * c + 150)
    return (a, b, c)


def random_shape(rng: np.random.Generator, picture: U8, middle: F64, reach: float, colour: Colour) -> None:
    """Something round, angular or long, painted into a picture."""
    kind = rng.integers(5)
    x, y = middle
    if kind == 0:
        axes = (max(1, int(reach * rng.uniform(0.2, 1))), max(1, int(reach * rng.uniform(0.2, 1))))
        cv2.ellipse(picture, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    elif kind == 1:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        radii = reach * rng.uniform(0.4, 1, len(angles))
        points = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], -1)
        cv2.fillPoly(picture, [np.rint(points).astype(np.int32)], colour, cv2.LINE_AA)
    elif kind == 2:
        points = middle + np.cumsum(rng.normal(0, reach * 0.5, (rng.integers(2, 7), 2)), 0)
        thick = max(1, int(reach * rng.uniform(0.02, 0.3)))
        cv2.polylines(picture, [np.rint(points).astype(np.int32)], False, colour, thick, cv2.LINE_AA)
    elif kind == 3:
        a = middle + reach * rng.uniform(-1, 0, 2)
        b = middle + reach * rng.uniform(0, 1, 2)
        corners = (int(a[0]), int(a[1])), (int(b[0]), int(b[1]))
        cv2.rectangle(picture, *corners, colour, -1 if rng.random() < 0.7 else max(1, int(reach * 0.05)))
    else:
        text = "".join(rng.choice(list("ABCDEFGHKLMNORSTUVXYZ2345@")) for _ in range(rng.integers(1, 9)))
        place = (int(x - reach), int(y))
        cv2.putText(picture, text, place, int(rng.integers(0, 5)), max(0.2, reach / 40), colour, 1, cv2.LINE_AA)


def smooth_noise(rng: np.random.Generator, size: int) -> F32:
    """(size, size, 3) around 0, of a random coarseness."""
    coarse = int(rng.choice([3, 6, 12, 24, 48]))
    return np.asarray(
        cv2.resize(
            rng.normal(0, 1, (coarse, coarse, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
        )
    )


def random_background(rng: np.random.Generator, size: int) -> U8:
    """(size, size, 3): plain, a gradient, clouds, stripes, or a scene of shapes."""
    plain = np.array(random_colour(rng), np.float32)
    u = rng.random()
    if u < 0.25:
        return np.full((size, size, 3), plain).astype(np.uint8)
    striped = u < 0.8 and rng.random() < 0.15
    across = size if striped else size // 4  # what is smooth is made small
    picture = np.full((across, across, 3), plain)
    if u < 0.8:
        other = np.array(random_colour(rng), np.float32)
        line = np.linspace(0, 1, across, dtype=np.float32)
        x, y = line[None], line[:, None]
        if rng.random() < 0.5:
            a = rng.uniform(0, 2 * np.pi)
            t = np.clip(0.5 + (x - 0.5) * np.float32(np.cos(a)) + (y - 0.5) * np.float32(np.sin(a)), 0, 1)
        else:
            cx, cy = rng.uniform(0, 1, 2).astype(np.float32)
            t = np.clip(np.hypot(x - cx, y - cy) * np.float32(rng.uniform(0.8, 2)), 0, 1)
        if striped:
            t = (np.sin(t * np.float32(rng.uniform(15, 120))) > 0).astype(np.float32)
        picture = picture + t[..., None] * (other - plain)
    if rng.random() < 0.5:
        picture = picture + smooth_noise(rng, across) * np.float32(rng.choice([4, 12, 40]))
    out = cv2.convertScaleAbs(np.maximum(picture, 0))
    if not striped:
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_LINEAR)
    if u > 0.45:
        for _ in range(int(rng.integers(1, 30))):
            middle = rng.uniform(0, size, 2)
            random_shape(rng, out, middle, size * float(rng.uniform(0.02, 0.45)) ** 1.3, random_colour(rng))
        if rng.random() < 0.5:
            out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 4)))
    return np.asarray(out, np.uint8)


def busy_background(rng: np.random.Generator, size: int) -> U8:
    """(size, size, 3): coloured clouds of several scales at once, as loud as a crowd or leaves, and shapes."""
    picture = np.full((size, size, 3), rng.uniform(60, 190, 3), np.float32)
    for octave in range(1, 1 + int(rng.integers(2, 7))):
        cells = min(size, int(2**octave * rng.uniform(1, 2)) + 1)
        cloud = rng.normal(0, 1, (cells, cells, 3)).astype(np.float32)
        if rng.random() < 0.3:
            cloud = cloud.mean(-1, keepdims=True).repeat(3, -1) * 1.7
        loud = rng.uniform(15, 75) * rng.uniform(0.6, 1.0) ** octave
        flags = cv2.INTER_CUBIC if rng.random() < 0.85 else cv2.INTER_NEAREST
        picture += np.float32(loud) * cv2.resize(cloud, (size, size), interpolation=flags)
    out = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 25))):
        random_shape(rng, out, rng.uniform(0, size, 2), size * float(rng.uniform(0.02, 0.3)), random_colour(rng))
    return out


def alike_background(rng: np.random.Generator, size: int, look: Look) -> U8:
    """(size, size, 3): plain, in a colour that the character has too, or nearly."""
    own = [(255.0, 255.0, 255.0), look.cloth, look.trim, look.hair, look.skin]
    colour = np.array(own[int(rng.choice(5, p=[0.4, 0.2, 0.1, 0.2, 0.1]))]) + rng.normal(0, 5, 3)
    return np.full((size, size, 3), np.clip(colour, 0, 255)).astype(np.uint8)


def paint(picture: U8, matrix: F64, points: Any, colour: Colour) -> None:
    """A filled polygon given in the character's spec pixels."""
    placed = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    cv2.fillPoly(picture, [np.rint(placed * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def paint_line(picture: U8, matrix: F64, points: Any, width: float, colour: Colour) -> None:
    placed = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    thick = max(1, round(width * scale))
    cv2.polylines(picture, [np.rint(placed * 16).astype(np.int32)], False, colour, thick, cv2.LINE_AA, 4)


def paint_cloth(rng: np.random.Generator, picture: U8, matrix: F64, points: Any, colour: Colour) -> None:
    """A polygon as clothes are drawn: outlined or not, with folds or a trim."""
    paint(picture, matrix, points, colour)
    points = np.asarray(points, float)
    dark = tuple(float(c) * rng.uniform(0.2, 0.8) for c in colour)
    low, high = points.min(0), points.max(0)
    for _ in range(int(rng.integers(0, 5))):
        share = rng.uniform(0.1, 0.9, (2, 2))
        fold = low + share * (high - low)
        fold[1, 0] = fold[0, 0] + rng.normal(0, 0.15) * (high[0] - low[0])
        paint_line(picture, matrix, fold, rng.uniform(0.6, 3), (dark[0], dark[1], dark[2]))
    if rng.random() < 0.6:
        outline = np.concatenate([points, points[:1]])
        paint_line(picture, matrix, outline, rng.uniform(0.6, 2.5), (dark[0], dark[1], dark[2]))


def paint_arm(rng: np.random.Generator, picture: U8, matrix: F64, look: Look, side: float, raised: bool) -> None:
    """A sleeve, a bare forearm or both, and a hand with a few fingers; a raised one comes up to the chest or chin."""
    shoulder = np.array([128 + side * look.shoulder * rng.uniform(0.7, 1.0), rng.uniform(235, 255)])
    elbow = shoulder + np.array([side * rng.uniform(-5, 40), rng.uniform(55, 100)])
    if raised:
        hand = np.array([128 + side * rng.uniform(-20, 70), rng.uniform(188, 270)])
    else:
        hand = elbow + np.array([side * rng.uniform(-50, 30), rng.uniform(30, 100)])
    width = rng.uniform(16, 34)
    sleeve = look.cloth if rng.random() < 0.7 else look.skin
    fore = sleeve if rng.random() < 0.5 else look.skin
    if not raised or rng.random() < 0.5:
        paint_line(picture, matrix, [shoulder, elbow], width, sleeve)
    paint_line(picture, matrix, [elbow, elbow + 0.9 * (hand - elbow)], width * 0.75, fore)
    if rng.random() < 0.35:  # a wide sleeve
        along = (hand - elbow) / max(1e-6, float(np.hypot(*(hand - elbow))))
        across = np.array([-along[1], along[0]])
        start, end = elbow - rng.uniform(0, 40) * along, elbow + rng.uniform(0.4, 0.95) * (hand - elbow)
        narrow, wide = width * rng.uniform(0.4, 0.7), width * rng.uniform(0.5, 1.6)
        shape = [start - narrow * across, start + narrow * across, end + wide * across, end - wide * across]
        paint_cloth(rng, picture, matrix, shape, sleeve if rng.random() < 0.5 else look.trim)
    skin = look.skin if rng.random() < 0.85 else random_colour(rng)
    around = np.linspace(0, 2 * np.pi, 12)
    palm = hand + rng.uniform(8, 14) * np.stack([np.cos(around), 1.2 * np.sin(around)], -1)
    paint(picture, matrix, palm, skin)
    up = rng.uniform(-np.pi, 0)
    for k in range(int(rng.integers(0, 5))):
        a = up + 0.3 * k
        tip = hand + rng.uniform(14, 24) * np.array([np.cos(a), np.sin(a)])
        paint_line(picture, matrix, [hand, tip], rng.uniform(4, 7), skin)
    if rng.random() < 0.25:
        thing = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(5, 30, 2)
        paint(picture, matrix, hand + thing, random_colour(rng))


def paint_body(rng: np.random.Generator, picture: U8, matrix: F64, look: Look) -> None:
    """What a bust goes on with: torso, arms, skirt or trousers, legs; cut off anywhere."""
    end = float(rng.choice([300, 380, 480, 700, 900], p=[0.15, 0.2, 0.25, 0.2, 0.2]))
    half = look.shoulder * rng.uniform(0.85, 1.15)
    waist, hip = half * rng.uniform(0.5, 0.9), half * rng.uniform(0.6, 1.1)
    second = look.trim if rng.random() < 0.5 else random_colour(rng)

    def band(y0: float, w0: float, y1: float, w1: float, colour: Colour) -> None:
        if y0 < end:
            t = min(1.0, (end - y0) / (y1 - y0))
            y1, w1 = y0 + t * (y1 - y0), w0 + t * (w1 - w0)
            paint_cloth(rng, picture, matrix, [(128 - w0, y0), (128 + w0, y0), (128 + w1, y1), (128 - w1, y1)], colour)

    waist_y = rng.uniform(320, 370)
    if rng.random() < 0.6:
        for side in (-1.0, 1.0):
            leg = look.skin if rng.random() < 0.6 else second
            x = 128 + side * rng.uniform(14, 34)
            if end > 430:
                line = [(x, 420.0), (x + rng.uniform(-20, 20), float(min(end, rng.uniform(600, 800))))]
                paint_line(picture, matrix, line, rng.uniform(26, 46), leg)
    band(226, half * 0.9, 262, half, look.cloth)
    band(262, half, waist_y, waist, look.cloth if rng.random() < 0.85 else look.skin)
    band(waist_y, waist, waist_y + 60, hip, look.skin if rng.random() < 0.25 else look.cloth)
    band(waist_y + 40, hip, waist_y + rng.uniform(70, 200), hip * rng.uniform(0.9, 1.8), second)
    for side in (-1.0, 1.0):
        if rng.random() < 0.75:
            paint_arm(rng, picture, matrix, look, side, raised=False)
    if rng.random() < 0.3:
        x, y = 128 + rng.uniform(-90, 90), rng.uniform(240, 480)
        thing = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(4, 50, 2)
        paint(picture, matrix, np.array([x, y]) + thing, random_colour(rng))
