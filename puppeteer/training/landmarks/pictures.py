"""Made-up pictures with one head, several or none, and the truth about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from puppeteer.characters.mesh import F64
from puppeteer.networks import landmarks as net
from puppeteer.networks.compact import SPEC
from puppeteer.pose import F32, U8
from puppeteer.training.landmarks.painting import (
    alike_background,
    busy_background,
    paint,
    paint_arm,
    paint_body,
    random_background,
    random_colour,
    random_shape,
)
from puppeteer.training.landmarks.truth import Characters, Look, Truth

PICTURE = 192  # px of the finder's pictures
FIGURE = 256  # px of the matte's
LEAN_SHARE = 0.3  # a head that leans on an upright body is a pose; a whole picture that leans is crooked
MOST_TILT_DEG = 16.0


def hide_eyes(rng: np.random.Generator, picture: U8, matrix: F64, truth: Truth, look: Look) -> None:
    """Locks from the forehead over both eyes."""
    left, right = truth.points[0], truth.points[1]
    across = left - right
    down = np.array([-across[1], across[0]]) / max(1e-6, np.hypot(*across))
    for k in np.linspace(-0.6, 1.6, int(rng.integers(5, 10))):
        root = right + across * k - down * rng.uniform(30, 45)
        tip = root + down * rng.uniform(48, 64) + across * rng.normal(0, 0.08)
        side = across * rng.uniform(0.22, 0.34)
        shade = float(rng.uniform(0.75, 1.1))
        colour = (min(255.0, look.hair[0] * shade), min(255.0, look.hair[1] * shade), min(255.0, look.hair[2] * shade))
        middle = 0.5 * (root + tip) + down * 6
        paint(picture, matrix, [root - side, middle - side, tip, middle + side, root + side], colour)


@dataclass(frozen=True)
class Head:
    """One head in a made-up picture, in its pixels."""

    centre: F64
    side: float  # of the spec square
    tilt_deg: float  # clockwise, of what should be upright
    turn_deg: float
    points: F64  # (5, 2)
    closed: tuple[float, float]
    mouth: float
    hidden: bool
    lean_deg: float  # against its body: a pose
    covered: tuple[float, float, float] = (0.0, 0.0, 0.0)  # left eye, right eye, mouth: 1 cannot be seen


def add_head(
    rng: np.random.Generator,
    picture: U8,
    drawn: tuple[U8, Truth, Look],
    centre: F64,
    side: float,
    tilt_deg: float,
    body: float = 0.8,
) -> tuple[U8, Head]:
    """The picture with a character whose head's middle lies at `centre`; half of all characters are mirrored, and a
    share of `body` goes on below the bust."""
    rgba, truth, look = drawn
    scale, a = side / SPEC, math.radians(tilt_deg)
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) * scale
    mirror = bool(rng.random() < 0.5)
    if mirror:
        turn = turn @ np.array([[-1.0, 0.0], [0.0, 1.0]])
    matrix = np.column_stack([turn, centre - turn @ truth.centre])
    if rng.random() < body:
        paint_body(rng, picture, matrix, look)
    while scale < 0.5:
        rgba = np.asarray(cv2.resize(rgba, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        scale *= 2
    shrunk = SPEC / rgba.shape[0]
    placing = matrix @ np.array([[shrunk, 0, 0.5 * shrunk], [0, shrunk, 0.5 * shrunk], [0, 0, 1]])
    placing[:, 2] -= 0.5  # OpenCV counts from the middle of the first pixel
    over = cv2.warpAffine(rgba, placing, picture.shape[1::-1], flags=cv2.INTER_LINEAR)
    if rng.random() < 0.15:  # the colours of another style
        over[..., :3] = cv2.min(
            cv2.convertScaleAbs(over[..., :3], alpha=float(rng.uniform(0.75, 1.3))), cv2.merge([over[..., 3]] * 3)
        )
    picture = composed(over, picture)
    hidden = truth.hidden
    if not hidden and rng.random() < 0.04:
        hide_eyes(rng, picture, matrix, truth, look)
        hidden = True
    if rng.random() < 0.35:
        paint_arm(rng, picture, matrix, look, float(rng.choice([-1, 1])), raised=True)
    points = truth.points @ matrix[:, :2].T + matrix[:, 2]
    closed, lean, face = truth.closed, truth.lean_deg, truth.turn_deg
    if mirror:
        points = points[[1, 0, 2, 3, 4]]
        closed, lean, face = (closed[1], closed[0]), -lean, -face
    return picture, Head(centre, side, tilt_deg + LEAN_SHARE * lean, face, points, closed, truth.mouth, hidden, lean)


def composed(over: Any, picture: U8) -> U8:
    """A premultiplied picture on another."""
    through = 255 - cv2.extractChannel(over, 3)
    below = cv2.multiply(picture, cv2.merge([through] * 3), scale=1 / 255)
    return np.asarray(cv2.add(over[..., :3], below), np.uint8)


def without_head(rng: np.random.Generator, picture: U8, drawn: tuple[U8, Truth, Look]) -> U8:
    """Something that a head might be taken for: a headless body, a face without features, hair alone."""
    rgba, _, look = drawn
    size = picture.shape[0]
    scale = float(np.exp(rng.uniform(math.log(0.2), math.log(1.5)))) * size / SPEC
    a = rng.uniform(-0.3, 0.3)
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) * scale
    matrix = np.column_stack([turn, rng.uniform(0, size, 2) - turn @ np.array([128.0, 200.0])])
    kind = rng.integers(4)
    paint_body(rng, picture, matrix, look)
    if kind == 0:
        around = np.linspace(0, 2 * np.pi, 24)
        paint(
            picture, matrix, np.array([128.0, 140.0]) + 50 * np.stack([np.cos(around), np.sin(around)], -1), look.skin
        )
    elif kind < 3:  # the body alone, or hair below the head
        lower = rgba.copy()
        lower[: int(rng.uniform(186, 205))] = 0
        over = cv2.warpAffine(lower, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR)
        picture = composed(over, picture)
    return picture


def spoiled(rng: np.random.Generator, picture: U8) -> U8:
    """Gain, gamma, saturation, blur, enlargement, noise and JPEG, each sometimes."""
    x = picture
    if rng.random() < 0.5:
        levels = (np.arange(256) / 255.0) ** float(np.exp(rng.normal(0, 0.25)))
        x = cv2.LUT(x, np.clip(levels * 255 * rng.uniform(0.8, 1.15), 0, 255).astype(np.uint8))
    if rng.random() < 0.35:
        grey = cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = float(rng.choice([0.0, 0.5, 1.4]))
        x = cv2.addWeighted(x, keep, grey, 1 - keep, 0)
    if rng.random() < 0.2:
        x = np.asarray(x[..., rng.permutation(3)])
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.3, 1.4)))
    if rng.random() < 0.15:
        small = cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        x = cv2.resize(small, x.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        noise = rng.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(2, 12))
        x = np.clip(x + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, coded = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 95))])
        x = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(x, np.uint8)


def random_tilt(rng: np.random.Generator) -> float:
    return float(rng.normal(0, 2) if rng.random() < 0.35 else rng.uniform(-MOST_TILT_DEG, MOST_TILT_DEG))


def whole_picture(rng: np.random.Generator, characters: Characters, size: int = PICTURE) -> tuple[U8, list[Head]]:
    """For the finder: no head, one or several, of any size, anywhere."""
    picture = random_background(rng, size)
    count = int(rng.choice([0, 1, 2, 3], p=[0.12, 0.68, 0.14, 0.06]))
    if count == 0 or rng.random() < 0.1:
        for _ in range(int(rng.integers(0, 3))):
            picture = without_head(rng, picture, characters.pick(rng))
    heads: list[Head] = []
    for _ in range(count):
        most = 1.8 if count == 1 else 0.8
        side = size * float(np.exp(rng.uniform(math.log(0.16), math.log(most))))
        box = 0.5 * side
        low, high = min(0.42 * box, 0.5 * size), max(size - 0.42 * box, 0.5 * size)
        centre = rng.uniform(low, high, 2)
        if count == 1 and rng.random() < 0.4:  # as most pictures are: in the middle, in the upper half
            centre[0] = np.clip(rng.normal(0.5, 0.1) * size, low, high)
            centre[1] = np.clip(rng.normal(0.35, 0.1) * size, low, high)
        if any(np.hypot(*(centre - h.centre)) < 0.4 * (side + h.side) for h in heads):
            continue
        picture, head = add_head(rng, picture, characters.pick(rng), centre, side, random_tilt(rng))
        heads.append(head)
    if rng.random() < 0.3:
        clutter(rng, picture, heads)
    return spoiled(rng, picture), heads


def clutter(rng: np.random.Generator, picture: U8, heads: Sequence[Head]) -> None:
    """Things in front: smaller than a head, or away from all of them."""
    for _ in range(int(rng.integers(1, 6))):
        middle = rng.uniform(0, picture.shape[0], 2)
        near = min((float(np.hypot(*(middle - h.centre)) / h.side) for h in heads), default=9.0)
        reach = picture.shape[0] * float(rng.uniform(0.02, 0.2))
        if near < 0.45:
            reach = min(reach, 0.06 * min(h.side for h in heads))
        random_shape(rng, picture, middle, reach, random_colour(rng))


def head_picture(rng: np.random.Generator, characters: Characters) -> tuple[U8, Head | None]:
    """For the refiner: a head about where the finder would say, or none."""
    size = net.REFINER_PX
    picture = random_background(rng, size)
    if rng.random() < 0.08:
        if rng.random() < 0.8:
            picture = without_head(rng, picture, characters.pick(rng))
        return spoiled(rng, picture), None
    side = size / net.REFINER_VIEW * float(np.exp(np.clip(rng.normal(0, 0.2), -0.5, 0.45)))
    centre = size / 2 + np.clip(rng.normal(0, 0.08, 2), -0.2, 0.2) * side
    if rng.random() < 0.12:  # another head beside it
        way = np.array([rng.choice([-1, 1]) * rng.uniform(0.6, 1.0), rng.uniform(-0.4, 0.4)])
        beside = centre + side * way
        picture, _ = add_head(
            rng, picture, characters.pick(rng), beside, side * rng.uniform(0.7, 1.2), random_tilt(rng)
        )
    picture, head = add_head(rng, picture, characters.pick(rng), centre, side, random_tilt(rng))
    if rng.random() < 0.3:
        clutter(rng, picture, [head])
    return spoiled(rng, picture), head


def figure_picture(rng: np.random.Generator, characters: Characters) -> tuple[U8, F32, tuple[float, float], float]:
    """For the matte: a picture, how much of each pixel its character covers, and where a head of which size was found.

    Another character beside it is background, and so is what has the character's own colours.
    """
    size = FIGURE
    drawn = characters.pick(rng)
    look = drawn[2]
    if rng.random() < 0.25:  # white clothes are the hardest
        look = replace(look, cloth=(250.0, 250.0, 252.0), trim=random_colour(rng))
    u = rng.random()
    if u < 0.3:
        ground = alike_background(rng, size, look)
    else:
        ground = busy_background(rng, size) if u < 0.6 else random_background(rng, size)
    side = net.MATTE_SIDE * float(np.exp(rng.normal(0, 0.15)))
    centre = np.array([rng.uniform(0.2, 0.8), rng.uniform(-0.2, 0.75)]) * size
    if rng.random() < 0.2:
        beside = centre + side * np.array([rng.choice([-1, 1]) * rng.uniform(0.7, 1.6), rng.uniform(-0.4, 0.6)])
        ground, _ = add_head(rng, ground, characters.pick(rng), beside, side * rng.uniform(0.5, 1.2), random_tilt(rng))
    tilt, seed = random_tilt(rng), int(rng.integers(1 << 30))
    on = [np.full((size, size, 3), level, np.uint8) for level in (0, 255)]
    twice = (drawn[0], drawn[1], look)
    black, white = (add_head(np.random.default_rng(seed), b, twice, centre, side, tilt, 0.55)[0] for b in on)
    through = white.astype(np.float32) - black  # of the background, in levels
    picture = np.clip(black + ground * through / 255, 0, 255).astype(np.uint8)
    said = centre + rng.normal(0, 0.02 * side, 2)
    return spoiled(rng, picture), 1 - through.mean(-1) / 255, (float(said[0]), float(said[1])), float(side)
