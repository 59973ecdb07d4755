"""Trains the landmark networks of the picture doctor, resumably, on heads of the generator in made-up pictures.

    python -m puppeteer.training.landmarks turned --output data/turned
    python -m puppeteer.training.landmarks train places --data data/train --turned data/turned --run runs/landmarks
    python -m puppeteer.training.landmarks train face --data data/train --turned data/turned --run runs/landmarks
    python -m puppeteer.training.landmarks train matte --data data/train --turned data/turned --run runs/landmarks
    python -m puppeteer.training.landmarks look --data data/train --output sheet.png
    python -m puppeteer.training.landmarks export --run runs/landmarks
    python -m puppeteer.training.landmarks check --data data/validation --turned data/turned-validation

`--data` is a folder of `puppeteer.training.dataset`; `turned` renders what it lacks: faces turned away, up to a side
view, and hair over both eyes. Pictures are composed on the fly from a seed: background, a body below the bust, arms
and things in front, other heads or none, then blur, noise, JPEG. `places` are finder and refiner, `face` is the network
that reads what these found, `matte` the one that tells the character from its background; none needs the others.
RUN/PART.pt is replaced every few minutes, and the same command goes on from there; the log is RUN/PART.csv.
"""

from __future__ import annotations

import argparse
import copy
import csv
import hashlib
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from puppeteer.characters.mesh import F64
from puppeteer.files import whole
from puppeteer.networks import landmarks as net
from puppeteer.networks.compact import SPEC
from puppeteer.networks.landmarks import Landmarks
from puppeteer.pose import F32, NECK_RANGE_DEG, U8
from puppeteer.training.dataset import CROP_SLICE, EXPRESSIONS, ROTATIONS, SEED_STARTS, premultiply
from puppeteer.weights import FOLDER, RECORDS

PICTURE = 192  # px of the finder's training pictures
HEADS, CROPS, FACES, FIGURES = 6, 12, 24, 8  # pictures a step for finder, refiner, face and matte
FIGURE = 128  # px of the matte's training pictures
RATE = 1e-3
WARM_UP = 100
KEEP_EVERY_S = 180
LEAN_SHARE = 0.3  # a head that leans on an upright body is a pose; a whole picture that leans is crooked
MOST_TILT_DEG = 16.0
TURNED_SEED = 20_000
LEGIBLE_SIDE = 90.0  # px of a spec square, in which `check` expects faces to be read
MOST_LEAN_DEG = 3.0  # of a head that `check` counts as not leaning
PARTS = {"places": ("finder", "refiner"), "face": ("face",), "matte": ("matte",)}  # what is trained together
Colour = tuple[float, float, float]  # sRGB in [0, 255]


# ---------------------------------------------------------------- what is known about a rendered character


@dataclass(frozen=True)
class Truth:
    """Of one 256 px picture, in its pixels."""

    centre: F64  # (2,) of the head; its spec square is SPEC wide
    lean_deg: float  # of the head, clockwise
    turn_deg: float  # of the face, towards the viewer's right
    points: F64  # (5, 2) in the order of `POINT_NAMES`
    closed: tuple[float, float]  # left, right
    mouth: float
    hidden: bool


@dataclass(frozen=True)
class Look:
    """What a character's body may be painted with."""

    skin: Colour
    cloth: Colour
    trim: Colour
    hair: Colour
    shoulder: float


def marks(recipe: Any, figure: Any) -> F64:
    """(6, 3) in space, as built: the points in the order of `POINT_NAMES`, and the head's middle."""
    e, mouth = recipe.eyes, recipe.mouth
    middle = e.y + 0.5 * (e.lower - e.upper)
    flat = np.array(
        [
            [128 + e.spacing, middle],
            [128 - e.spacing, middle],
            [128 + mouth.x, mouth.y],
            [128, recipe.head.chin_y],
            [128, 66.0],
            [128, 128.0],
        ]
    )
    depth = np.asarray(figure.surface(flat[:, 0], flat[:, 1]))
    depth[4:] = 0.0
    return np.column_stack([flat, depth])


def truth_of(
    recipe: Any, figure: Any, built: F64, expression: Sequence[float], neck: Sequence[float], hidden: bool = False
) -> Truth:
    """Where `built` marks lie after the turn that the character was drawn with and the turn of the pose."""
    from puppeteer.characters.mesh import bend

    solid, everything = built, np.ones((len(built), 2))
    drawn = tuple(math.radians(a) for a in recipe.head.turn)
    posed = tuple(math.radians(NECK_RANGE_DEG) * v for v in neck)
    for angles in (drawn, posed):
        if any(angles):
            solid = bend(solid, everything, (angles[0], angles[1], angles[2]), figure.root, figure.tip)
    return Truth(
        centre=solid[5, :2],
        lean_deg=-math.degrees(drawn[0] + posed[0]),
        turn_deg=-math.degrees(drawn[2] + posed[2]),
        points=solid[:5, :2],
        closed=(float(expression[0]), float(expression[1])),
        mouth=float(expression[2]),
        hidden=hidden,
    )


def look_of(recipe: Any) -> Look:
    def bytes_of(colour: Colour) -> Colour:
        return (255 * colour[0], 255 * colour[1], 255 * colour[2])

    return Look(
        bytes_of(recipe.skin),
        bytes_of(recipe.body.cloth),
        bytes_of(recipe.body.trim),
        bytes_of(recipe.hair.mid),
        recipe.body.shoulder,
    )


def turned_recipe(seed: int, split: str) -> tuple[Any, bool]:
    """A character whose face is turned by 20 to 90 degrees, or (a quarter) whose hair hides both eyes."""
    from puppeteer.characters import make_recipe

    rng = np.random.default_rng([seed, 78])
    recipe = make_recipe(seed, split)  # type: ignore[arg-type]
    if rng.random() < 0.25:
        bangs = str(rng.choice(["full", "hime"]))
        hair = replace(recipe.hair, bangs=bangs, bangs_y=float(rng.uniform(164, 172)), bangs_width=1.5)
        face = replace(recipe.face, through_hair=0.0, eye_through_hair=0.0)
        return replace(recipe, hair=hair, face=face), True
    turn = float(rng.choice([-1, 1]) * rng.uniform(20, 90))
    z, x, _ = recipe.head.turn
    return replace(recipe, head=replace(recipe.head, turn=(z, x, turn))), False


def render_turned(output: Path, first: int, last: int, split: str) -> None:
    """SEED.npy for each missing seed: its picture, premultiplied."""
    from puppeteer.characters import Renderer
    from puppeteer.pose import Pose

    output.mkdir(parents=True, exist_ok=True)
    with Renderer() as renderer:
        for number in range(first, last):
            seed = SEED_STARTS[split] + number  # type: ignore[index]
            path = output / f"{seed:09d}.npy"
            if path.exists():
                continue
            recipe, _ = turned_recipe(seed, split)
            renderer.load(recipe)
            rgba = premultiply(renderer.render(Pose(mouth_open=recipe.rest_mouth), SPEC).rgba)
            with whole(path) as draft, draft.open("wb") as file:
                np.save(file, rgba)


class Characters:
    """All pictures of a data folder and of a folder of turned ones, with their truth; truths are computed once."""

    def __init__(self, data: Path, turned: Path | None, split: str = "train") -> None:
        from puppeteer.characters import make_recipe
        from puppeteer.characters.figure import Figure

        self.maps: list[dict[str, NDArray[Any]]] = []
        self.places: list[tuple[int, int]] = []
        self.truths: list[list[Truth]] = []
        self.looks: list[Look] = []
        wanted = ("seed", "rest_mouth", "rest", "expression", "morphed", "neck", "rotated")
        for path in sorted(p for p in data.iterdir() if p.is_dir() and not p.name.startswith(".")):
            shard = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in wanted}
            for row, seed in enumerate(shard["seed"]):
                recipe = make_recipe(int(seed), split)  # type: ignore[arg-type]
                figure = Figure(recipe)
                built = marks(recipe, figure)
                still = (0.0, 0.0, 0.0)
                rest = (0.0, 0.0, float(shard["rest_mouth"][row]))
                faces = [*shard["expression"][row], rest]
                poses = [(rest, still)]
                poses += [(e, still) for e in shard["expression"][row]]
                poses += [(e, n) for e, n in zip(faces, shard["neck"][row], strict=True)]
                self.places.append((len(self.maps), row))
                self.truths.append([truth_of(recipe, figure, built, e, n) for e, n in poses])
                self.looks.append(look_of(recipe))
            self.maps.append(shard)
        self.turned: list[tuple[U8, Truth, Look]] = []
        for path in sorted(turned.glob("*.npy")) if turned else ():
            recipe, hidden = turned_recipe(int(path.stem), split)
            pose = (0.0, 0.0, recipe.rest_mouth)
            figure = Figure(recipe)
            truth = truth_of(recipe, figure, marks(recipe, figure), pose, (0.0, 0.0, 0.0), hidden)
            self.turned.append((np.load(path), truth, look_of(recipe)))

    def pick(self, rng: np.random.Generator, turned: float = 0.1, at_rest: float = 0.5) -> tuple[U8, Truth, Look]:
        """A premultiplied 256 px picture; how often one that is turned away or hidden, how often one without a pose."""
        if self.turned and rng.random() < turned:
            return self.turned[int(rng.integers(len(self.turned)))]
        k = int(rng.integers(len(self.places)))
        shard, row = self.places[k]
        u = rng.random()
        j = 0 if u < at_rest else int(rng.integers(1, 1 + EXPRESSIONS + ROTATIONS))
        data = self.maps[shard]
        if j > EXPRESSIONS:
            rgba = np.array(data["rotated"][row, j - 1 - EXPRESSIONS])
        else:
            rgba = np.array(data["rest"][row])
            if j > 0:
                rgba[CROP_SLICE, CROP_SLICE] = data["morphed"][row, j - 1]
        return rgba, self.truths[k][j], self.looks[k]


# ---------------------------------------------------------------- pictures


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


def paint(picture: U8, matrix: F64, points: Any, colour: Colour) -> None:
    """A filled polygon given in the character's spec pixels."""
    placed = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    cv2.fillPoly(picture, [np.rint(placed * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def paint_line(picture: U8, matrix: F64, points: Any, width: float, colour: Colour) -> None:
    placed = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    thick = max(1, round(width * scale))
    cv2.polylines(picture, [np.rint(placed * 16).astype(np.int32)], False, colour, thick, cv2.LINE_AA, 4)


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
            paint(picture, matrix, [(128 - w0, y0), (128 + w0, y0), (128 + w1, y1), (128 - w1, y1)], colour)

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


def add_head(
    rng: np.random.Generator,
    picture: U8,
    drawn: tuple[U8, Truth, Look],
    centre: F64,
    side: float,
    tilt_deg: float,
    body: bool = True,
) -> tuple[U8, Head]:
    """The picture with a character whose head's middle lies at `centre`; half of all characters are mirrored."""
    rgba, truth, look = drawn
    scale, a = side / SPEC, math.radians(tilt_deg)
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) * scale
    mirror = bool(rng.random() < 0.5)
    if mirror:
        turn = turn @ np.array([[-1.0, 0.0], [0.0, 1.0]])
    matrix = np.column_stack([turn, centre - turn @ truth.centre])
    if body and rng.random() < 0.8:
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
    if body and rng.random() < 0.35:
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


def face_picture(rng: np.random.Generator, characters: Characters) -> tuple[U8, Head]:
    """For the face network: a head as well placed as the refiner places it."""
    size, side = net.FACE_PX, net.FACE_PX / net.FACE_VIEW * float(np.exp(rng.normal(0, 0.05)))
    drawn = characters.pick(rng, turned=0.25, at_rest=0.2)
    tilt = float(rng.normal(0, 3)) - LEAN_SHARE * drawn[1].lean_deg
    middle = np.array([size / 2, size / 2 - net.FACE_DOWN * side]) + rng.normal(0, 0.02 * side, 2)
    picture, head = add_head(rng, random_background(rng, size), drawn, middle, side, tilt)
    if rng.random() < 0.25:
        picture = pale_eyes(rng, picture, head)
    return spoiled(rng, picture), head


def pale_eyes(rng: np.random.Generator, picture: U8, head: Head) -> U8:
    """Eyes, open or closed, faded to one colour: some drawings' irises are hardly darker than skin."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    wide, high = head.side * rng.uniform(0.035, 0.06), head.side * rng.uniform(0.025, 0.04)
    fade = np.zeros(picture.shape[:2], np.float32)
    for eye in head.points[:2]:
        far = ((x - eye[0]) / wide) ** 2 + ((y - eye[1]) / high) ** 2
        fade = np.maximum(fade, np.exp(-(far**2)).astype(np.float32))
    seen = fade > 0.3
    light = np.percentile(picture[seen], 80, 0) if seen.any() else np.full(3, 200.0)
    fade = (fade * float(rng.uniform(0.3, 0.75)))[..., None]
    return np.asarray(picture + fade * (light - picture), np.uint8)


def figure_picture(rng: np.random.Generator, characters: Characters) -> tuple[U8, F32, tuple[float, float], float]:
    """For the matte: a picture, how much of each pixel its character covers, and where a head of which size was found.

    Another character beside it is background.
    """
    size = FIGURE
    ground = random_background(rng, size)
    side = net.MATTE_SIDE * float(np.exp(rng.normal(0, 0.1)))
    centre = np.array([rng.uniform(0.25, 0.75), rng.uniform(0.12, 0.55)]) * size
    if rng.random() < 0.2:
        beside = centre + side * np.array([rng.choice([-1, 1]) * rng.uniform(0.7, 1.6), rng.uniform(-0.4, 0.6)])
        ground, _ = add_head(rng, ground, characters.pick(rng), beside, side * rng.uniform(0.5, 1.2), random_tilt(rng))
    drawn, tilt, seed = characters.pick(rng), random_tilt(rng), int(rng.integers(1 << 30))
    on = [np.full((size, size, 3), level, np.uint8) for level in (0, 255)]
    black, white = (add_head(np.random.default_rng(seed), b, drawn, centre, side, tilt)[0] for b in on)
    through = white.astype(np.float32) - black  # of the background, in levels
    picture = np.clip(black + ground * through / 255, 0, 255).astype(np.uint8)
    said = centre + rng.normal(0, 0.02 * side, 2)
    return spoiled(rng, picture), 1 - through.mean(-1) / 255, (float(said[0]), float(said[1])), float(side)


# ---------------------------------------------------------------- learning


def finder_loss(answer: Tensor, heads: Sequence[Sequence[Head]]) -> Tensor:
    """CenterNet's focal loss, and what a cell near a head's middle says about it."""
    batch, _, rows, columns = answer.shape
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    heat = np.zeros((batch, rows, columns), np.float32)
    values = np.zeros((batch, 4, rows, columns), np.float32)
    weight = np.zeros((batch, rows, columns), np.float32)
    for k, found in enumerate(heads):
        for head in found:
            cx, cy = head.centre / net.STRIDE
            far = np.hypot(x - cx, y - cy)
            spread = max(0.6, 0.045 * head.side / net.STRIDE)
            mine = np.exp(-((far / spread) ** 2) / 2).astype(np.float32)
            mine[min(rows - 1, max(0, int(cy))), min(columns - 1, max(0, int(cx)))] = 1
            closer = mine > np.maximum(heat[k], 0.1)
            heat[k] = np.maximum(heat[k], mine)
            log_side = math.log(head.side / net.FINDER_SIDE)
            told = np.broadcast_arrays(cx - x, cy - y, log_side, head.tilt_deg / net.TILT_UNIT_DEG)
            values[k][:, closer] = np.stack(told)[:, closer]
            weight[k][closer] = mine[closer]
    target, told_values, told_weight = torch.from_numpy(heat), torch.from_numpy(values), torch.from_numpy(weight)
    p = torch.sigmoid(answer[:, 0]).clamp(1e-4, 1 - 1e-4)
    hit = (target > 0.999).float()
    focal = -(hit * (1 - p) ** 2 * p.log() + (1 - hit) * (1 - target) ** 4 * p**2 * (1 - p).log())
    count = max(1, sum(len(h) for h in heads))
    off = (answer[:, 1:] - told_values).abs() * torch.tensor([0.3, 0.3, 1.0, 0.3])[None, :, None, None]
    return focal.sum() / count + (off.sum(1) * told_weight).sum() / told_weight.sum().clamp_min(1)


def refiner_target(head: Head | None) -> tuple[F32, F32]:
    """ANSWERS values and the weight of each."""
    value, weight = np.zeros(net.ANSWERS, np.float32), np.zeros(net.ANSWERS, np.float32)
    weight[net.PRESENT] = 0.3
    if head is None:
        return value, weight
    view = net.REFINER_PX / net.REFINER_VIEW
    value[net.PRESENT] = 1
    value[0:2] = (head.centre - net.REFINER_PX / 2) / view
    value[2:4] = math.log(head.side / view), head.tilt_deg / net.TILT_UNIT_DEG
    value[net.POINTS] = ((head.points - net.REFINER_PX / 2) / view).ravel()
    weight[0:2], weight[2], weight[3] = 4.0, 2.0, 1.0
    weight[net.POINTS] = 2.0
    return value, weight


def heat_loss(logits: Tensor, points: Tensor, present: Tensor) -> Tensor:
    """Cross entropy of the heat maps (B, 5, n, n) with soft discs round the points (B, 5, 2)."""
    size = logits.shape[-1]
    spread = 0.8 * net.REFINER_VIEW / size
    far = (net.cells(size)[None, None] - points[:, :, None]).square().sum(-1)  # (B, 5, n * n)
    told = (-far / (2 * spread**2)).softmax(-1)
    crossed = -(told * logits.flatten(2).log_softmax(-1)).sum(-1).mean(1)
    return (crossed * present).mean()


def refiner_loss(answer: Tensor, logits: Tensor, heads: Sequence[Head | None]) -> Tensor:
    pairs = [refiner_target(head) for head in heads]
    value = torch.from_numpy(np.stack([v for v, _ in pairs]))
    weight = torch.from_numpy(np.stack([w for _, w in pairs]))
    off = (answer - value).abs()
    there = F.binary_cross_entropy_with_logits(answer[:, net.PRESENT], value[:, net.PRESENT], reduction="none")
    told = slice(0, net.DOUBT.start)
    picture = ((off[:, told] * weight[:, told]).sum(1) + weight[:, net.PRESENT] * there).mean()
    # Laplace: the expected error; it teaches the doubt alone
    wrong = torch.stack([off[:, 0:2].amax(1), off[:, 2], off[:, 3]], 1).detach()
    doubt = answer[:, net.DOUBT].clamp(-6, 2)
    present = value[:, net.PRESENT, None]
    heated = heat_loss(logits, value[:, net.POINTS].reshape(-1, 5, 2), present[:, 0])
    return picture + 0.3 * heated + 0.1 * ((wrong * torch.exp(-doubt) + doubt) * present).mean()


def face_loss(answer: Tensor, heads: Sequence[Head]) -> Tensor:
    """Cross entropy of what is a share, which learns where L1 would settle on the average; the turn's by L1.

    What cannot be seen is not asked for: eyes under hair, and of a face from the side.
    """
    told = torch.tensor([[*h.closed, h.mouth, float(h.hidden), h.turn_deg / net.TURN_UNIT_DEG] for h in heads])
    turn = told[:, net.TURN].abs() * net.TURN_UNIT_DEG
    eyes = ((turn < 45) & (told[:, net.HIDDEN] < 0.5)).float()
    weight = torch.stack([eyes, eyes, (turn < 45).float(), (turn < 45).float()], 1)
    crossed = F.binary_cross_entropy_with_logits(answer[:, : net.TURN], told[:, : net.TURN], reduction="none")
    turned = F.smooth_l1_loss(answer[:, net.TURN], told[:, net.TURN], beta=0.2)
    return (crossed * weight).sum(1).mean() + 2.0 * turned


def matte_loss(networks: Landmarks, figures: Sequence[tuple[U8, F32, tuple[float, float], float]]) -> Tensor:
    """Cross entropy, and one less the overlap, which counts small figures like large ones."""
    places = torch.stack([net.places(middle, side, *cover.shape) for _, cover, middle, side in figures])
    answer = networks.matte(tensor([picture for picture, *_ in figures]), places)[:, 0]
    told = F.avg_pool2d(torch.from_numpy(np.stack([cover for _, cover, *_ in figures])), 2)
    share = torch.sigmoid(answer)
    overlap = 2 * (share * told).sum((1, 2)) / (share + told).sum((1, 2)).clamp_min(1)
    return F.binary_cross_entropy_with_logits(answer, told) + 0.3 * (1 - overlap).mean()


def rate(step: int, steps: int) -> float:
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return RATE * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - WARM_UP) / max(1, steps - WARM_UP)))))


def tensor(pictures: Sequence[U8]) -> Tensor:
    return net.planes(np.stack(pictures).astype(np.float32)).to(memory_format=torch.channels_last)


def losses(part: str, networks: Landmarks, characters: Characters, rng: np.random.Generator) -> list[Tensor]:
    """Of one step, one for each network of a part."""
    if part == "face":
        faces = [face_picture(rng, characters) for _ in range(FACES)]
        return [face_loss(networks.face(tensor([p for p, _ in faces])), [h for _, h in faces])]
    if part == "matte":
        return [matte_loss(networks, [figure_picture(rng, characters) for _ in range(FIGURES)])]
    scenes = [whole_picture(rng, characters) for _ in range(HEADS)]
    crops = [head_picture(rng, characters) for _ in range(CROPS)]
    found = finder_loss(networks.finder(tensor([p for p, _ in scenes])), [h for _, h in scenes])
    answers, heat = networks.refiner.with_heat(tensor([p for p, _ in crops]))
    return [found, refiner_loss(answers, heat, [h for _, h in crops])]


def train(part: str, data: Path, turned: Path | None, run: Path, steps: int) -> None:
    """Goes on from RUN/PART.pt where there is one."""
    torch.manual_seed(0)
    characters = Characters(data, turned)
    print(f"{len(characters.places)} characters, {len(characters.turned)} turned or hidden ones", flush=True)
    networks = Landmarks().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learning = torch.nn.ModuleDict({name: getattr(networks, name) for name in PARTS[part]})
    average = copy.deepcopy(learning).requires_grad_(False)
    optimizer = torch.optim.AdamW(learning.parameters(), RATE, weight_decay=0.01)
    run.mkdir(parents=True, exist_ok=True)
    path, first, spent_s = run / f"{part}.pt", 0, 0.0
    if path.exists():
        state = torch.load(path, map_location="cpu", weights_only=True)
        learning.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first, spent_s = int(state["step"]), float(state["cpu_s"])
    log_path = run / f"{part}.csv"
    begun, kept, lately = time.process_time(), time.monotonic(), list[list[float]]()

    def keep(step: int) -> None:
        with whole(path) as draft:
            torch.save(
                {
                    "network": learning.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step,
                    "cpu_s": spent_s + time.process_time() - begun,
                },
                draft,
            )

    for step in range(first, steps):
        rng = np.random.default_rng([step, 79])
        lost = losses(part, networks, characters, rng)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        optimizer.zero_grad()
        torch.stack(lost).sum().backward()  # type: ignore[no-untyped-call]
        for network in learning.values():
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        with torch.no_grad():
            share = min(0.998, (1 + step) / (10 + step))
            for mine, new in zip(average.state_dict().values(), learning.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - share)
                else:
                    mine.copy_(new)
        lately.append([loss.item() for loss in lost])
        if (step + 1) % 50 == 0:
            row = [step + 1, *np.mean(lately, 0).round(4).tolist(), round(spent_s + time.process_time() - begun)]
            with log_path.open("a", newline="") as file:
                csv.writer(file).writerow(row)
            print(*row, flush=True)
            lately.clear()
        if time.monotonic() - kept > KEEP_EVERY_S or step + 1 == steps:
            keep(step + 1)
            kept = time.monotonic()


def export(run: Path, output: Path) -> None:
    """The averages in FP16, and the checksum for the record; a part that the run lacks stays as it is."""
    weights = torch.load(output, map_location="cpu", weights_only=True) if output.exists() else {}
    for part, names in PARTS.items():
        if not (run / f"{part}.pt").exists():
            continue
        state = torch.load(run / f"{part}.pt", map_location="cpu", weights_only=True)
        weights = {key: value for key, value in weights.items() if key.split(".")[0] not in names}
        weights |= {key: v.half() if v.dtype.is_floating_point else v for key, v in state["average"].items()}
        print(f"{part}: step {state['step']}, {state['cpu_s'] / 60:.1f} core-minutes")
    with whole(output) as draft:
        torch.save(weights, draft)
    print(f"{output}: sha256 {hashlib.sha256(output.read_bytes()).hexdigest()}")


def check(data: Path, turned: Path | None, pictures: int) -> None:
    """What the picture doctor finds in made-up pictures of other characters with the shipped weights, in shares and
    percentiles; "good" is what the project promises: centre within 8% of the side, side 12%, tilt 4 degrees."""
    from puppeteer.prepare import heads

    characters = Characters(data, turned, "validation")
    rows, invented, empty, missed = [], 0, 0, 0
    read: list[tuple[heads.Head, Head]] = []
    for k in range(pictures):
        rng = np.random.default_rng([k, 80])
        picture, truth = whole_picture(rng, characters, 384)
        found = heads.find(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]))
        empty += not truth
        invented += any(h.score > heads.HEAD for h in found) and not truth
        for head in truth:
            near = min(found, key=lambda h: math.dist(h.centre, head.centre), default=None)
            if near is None or math.dist(near.centre, head.centre) > 0.3 * head.side:
                missed += 1
                continue
            if head.side > LEGIBLE_SIDE:
                read.append((near, head))
            rows.append(
                (
                    math.dist(near.centre, head.centre) / head.side,
                    abs(near.side / head.side - 1),
                    abs(near.tilt_deg - head.tilt_deg),
                    near.score,
                    *near.doubt,
                    near.sure,
                    abs(near.turn_deg - head.turn_deg),
                    float(np.abs(np.subtract(near.closed, head.closed)).mean()),
                    abs(near.mouth_open - head.mouth),
                    abs(head.lean_deg),
                )
            )
    table = np.array(rows, float)
    good = (table[:, 0] < 0.08) & (table[:, 1] < 0.12) & (table[:, 2] < 4)
    sure = table[:, 7] > 0
    still = table[:, 11] < MOST_LEAN_DEG
    print(f"{len(table)} heads found, {missed} missed; {empty} pictures without a head, in {invented} one was found")
    for name, of in (("all heads", np.full(len(table), True)), ("heads that do not lean in a pose", still)):
        print(
            f"{name}: {of.sum()}, good {good[of].mean():.3f}; of the good {sure[of & good].mean():.3f} are sure, ",
            end="",
        )
        print(f"of the others {sure[of & ~good].mean():.3f}; good of the sure {good[of & sure].mean():.3f}")
    names = ("centre", "side", "tilt", "score", "doubt centre", "doubt side", "doubt tilt", "", "turn", "eyes", "mouth")
    for column, name in enumerate(names):
        if name:
            print(f"{name:13}", *(f"{v:8.3f}" for v in np.percentile(table[:, column], (5, 25, 50, 75, 90, 95, 98))))
    told_of_faces(read)
    np.save(Path(os.environ.get("LANDMARKS_TABLE", os.devnull)), table)


def told_of_faces(read: Sequence[tuple[Any, Head]]) -> None:
    """How often the picture doctor's sentences about a face are said where they are true, and where they are not."""
    from puppeteer.prepare import diagnosis

    def share(said: Sequence[bool]) -> str:
        return f"{np.mean(said):.3f} of {len(said)}" if said else "none"

    def row(name: str, true: Sequence[bool], false: Sequence[bool]) -> None:
        print(f"{name:22} said where true {share(true)}, where not {share(false)}")

    def shut(seen: Any) -> bool:
        return bool(min(seen.closed) > diagnosis.SHUT)

    turned = diagnosis.TURNED_DEG
    ahead = [(s, t) for s, t in read if abs(t.turn_deg) < 30]
    row(
        "turned",
        [abs(s.turn_deg) > turned for s, t in read if abs(t.turn_deg) > turned + 5],
        [abs(s.turn_deg) > turned for s, t in read if abs(t.turn_deg) < turned - 5],
    )
    row(
        "hair over both eyes",
        [s.hidden > diagnosis.HIDDEN for s, t in read if t.hidden],
        [s.hidden > diagnosis.HIDDEN for s, t in read if not t.hidden],
    )
    eyes = [(s, t) for s, t in ahead if not t.hidden]
    row(
        "eyes closed",
        [shut(s) for s, t in eyes if min(t.closed) > 0.9],
        [shut(s) for s, t in eyes if max(t.closed) < 0.3],
    )
    row(
        "one eye closed",
        [
            max(s.closed) > diagnosis.SHUT and not shut(s)
            for s, t in eyes
            if max(t.closed) > 0.9 and min(t.closed) < 0.3
        ],
        [max(s.closed) > diagnosis.SHUT and not shut(s) for s, t in eyes if max(t.closed) < 0.3],
    )
    row(
        "mouth open",
        [s.mouth_open > diagnosis.OPEN for s, t in ahead if t.mouth > 0.6],
        [s.mouth_open > diagnosis.OPEN for s, t in ahead if t.mouth < 0.2],
    )
    row(
        "mouth closed",
        [s.mouth_open < diagnosis.CLOSED for s, t in ahead if t.mouth < 0.05],
        [s.mouth_open < diagnosis.CLOSED for s, t in ahead if t.mouth > 0.3],
    )


def look(data: Path, turned: Path | None, output: Path) -> None:
    """A sheet of made-up pictures with their truth drawn in."""
    from PIL import Image

    characters = Characters(data, turned)
    rng = np.random.default_rng(1)

    def marked(picture: U8, heads: Sequence[Head], size: int) -> U8:
        picture = np.ascontiguousarray(picture)
        for h in heads:
            box = cv2.boxPoints(((float(h.centre[0]), float(h.centre[1])), (h.side / 2, h.side / 2), h.tilt_deg))
            cv2.polylines(picture, [np.rint(box).astype(np.int32)], True, (255, 0, 0), 1)
            for x, y in h.points:
                cv2.circle(picture, (int(x), int(y)), 1, (0, 255, 0), -1)
        return np.asarray(cv2.resize(picture, (size, size)), np.uint8)

    tiles = [marked(p, h, 192) for p, h in (whole_picture(rng, characters) for _ in range(40))]
    tiles += [marked(p, [h] if h else [], 192) for p, h in (head_picture(rng, characters) for _ in range(20))]
    tiles += [marked(p, [], 192) for p, _ in (face_picture(rng, characters) for _ in range(20))]
    for _ in range(10):
        picture, cover, *_ = figure_picture(rng, characters)
        tiles += [marked(p, [], 192) for p in (picture, (255 * cover[..., None].repeat(3, -1)).astype(np.uint8))]
    rows = [np.concatenate(tiles[k : k + 10], 1) for k in range(0, len(tiles), 10)]
    Image.fromarray(np.concatenate(rows, 0)).save(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=["turned", "train", "look", "check", "export"])
    parser.add_argument("part", nargs="?", choices=list(PARTS), default="places", help="what to train")
    parser.add_argument("--data", type=Path, help="a folder of puppeteer.training.dataset")
    parser.add_argument("--turned", type=Path, help="a folder that the job `turned` wrote")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seeds", default=f"{TURNED_SEED}:{TURNED_SEED + 1200}", help="first:last within the split")
    parser.add_argument("--split", default="train")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.job == "turned":
        first, last = (int(x) for x in options.seeds.split(":"))
        render_turned(options.output, first, last, options.split)
    elif options.job == "train":
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        train(options.part, options.data, options.turned, options.run, options.steps)
    elif options.job == "check":
        check(options.data, options.turned, options.pictures)
    elif options.job == "look":
        look(options.data, options.turned, options.output)
    else:
        export(options.run, options.output or FOLDER / RECORDS["landmarks"].file)


if __name__ == "__main__":
    main()
