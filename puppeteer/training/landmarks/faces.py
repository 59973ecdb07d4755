"""Faces that are to be read: as the generator draws them, and with what it lacks painted over them.

Painted lips, mouths of other styles, masks, eyepatches, dark glasses and locks over one eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from puppeteer.characters.mesh import F64
from puppeteer.networks import landmarks as net
from puppeteer.pose import U8
from puppeteer.training.landmarks.painting import random_background, random_colour
from puppeteer.training.landmarks.pictures import LEAN_SHARE, Head, add_head, spoiled
from puppeteer.training.landmarks.truth import Characters, Colour, Look

FINE = 3  # what is painted is drawn this much larger first
SHUT = 0.03  # a mouth that is less open is one that lips may be painted on


def face_picture(rng: np.random.Generator, characters: Characters) -> tuple[U8, Head]:
    """For the face network: a head about as well placed as the refiner, or a user, places it."""
    size, side = net.FACE_PX, net.FACE_PX / net.FACE_VIEW * float(np.exp(rng.normal(0, 0.07)))
    drawn = characters.pick(rng, turned=0.2, at_rest=0.3)
    tilt = float(rng.normal(0, 4)) - LEAN_SHARE * drawn[1].lean_deg
    middle = np.array([size / 2, size / 2 - net.FACE_DOWN * side]) + rng.normal(0, 0.03 * side, 2)
    picture, head = add_head(rng, random_background(rng, size), drawn, middle, side, tilt)
    if rng.random() < 0.2:
        picture = pale_eyes(rng, picture, head)
    if abs(head.turn_deg) < 45:
        if head.mouth < SHUT and rng.random() < 0.6:
            picture, head = (
                painted_lips(rng, picture, head) if rng.random() < 0.6 else painted_mouth(rng, picture, head)
            )
        if rng.random() < 0.3:
            picture, head = covered(rng, picture, head, drawn[2])
    if rng.random() < 0.12:  # night
        picture = cv2.convertScaleAbs(picture, alpha=float(rng.uniform(0.15, 0.6)), beta=float(rng.uniform(0, 25)))
    return spoiled(rng, picture), head


class Face:
    """Coordinates on a face: the unit is the distance of the eyes, x to the viewer's right, y to the chin."""

    def __init__(self, head: Head) -> None:
        left, right = head.points[0], head.points[1]
        across = left - right
        self.unit = max(4.0, float(np.hypot(*across)))
        # From the side the eyes come together, but nothing else does.
        self.unit = max(self.unit, 0.16 * head.side)
        self.x = across / max(1e-6, float(np.hypot(*across)))
        self.y = np.array([-self.x[1], self.x[0]])

    def at(self, origin: F64, points: Any) -> F64:
        """(N, 2) in px of the picture."""
        points = np.asarray(points, float)
        return np.asarray(origin + self.unit * (points[:, :1] * self.x + points[:, 1:] * self.y))


class Layer:
    """Something painted over a picture: drawn `FINE` times as large, softened, laid on."""

    def __init__(self, picture: U8) -> None:
        self.size = picture.shape[0]
        self.colour = cv2.resize(picture, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR)
        self.alpha = np.zeros(self.colour.shape[:2], np.uint8)

    def _placed(self, points: F64) -> Any:
        return np.rint(points * FINE).astype(np.int32)

    def fill(self, points: F64, colour: Colour) -> None:
        cv2.fillPoly(self.colour, [self._placed(points)], colour)
        cv2.fillPoly(self.alpha, [self._placed(points)], 255)

    def line(self, points: F64, width: float, colour: Colour, closed: bool = False) -> None:
        thick = max(1, round(width * FINE))
        cv2.polylines(self.colour, [self._placed(points)], closed, colour, thick, cv2.LINE_AA)
        cv2.polylines(self.alpha, [self._placed(points)], closed, 255, thick, cv2.LINE_AA)

    def on(self, picture: U8, blur: float, opacity: float = 1.0, light: Any = None) -> U8:
        """`blur` in px of the picture; `light` (n, n) multiplies the colours, smoothly from place to place."""
        size = self.size, self.size
        share = cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) * (opacity / 255)
        mine = cv2.resize(self.colour, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if light is not None:
            mine = np.clip(mine * cv2.resize(light, size, interpolation=cv2.INTER_CUBIC)[..., None], 0, 255)
        if blur > 0.05:
            share, mine = (cv2.GaussianBlur(x, (0, 0), blur) for x in (share, mine))
        return np.asarray(picture + share[..., None] * (mine - picture), np.uint8)


def uneven(rng: np.random.Generator, strength: float) -> Any:
    """Light for `Layer.on`."""
    return (1 + rng.normal(0, strength, (3, 3))).astype(np.float32)


def skin_about(picture: U8, face: Face, origin: F64) -> Colour:
    """The usual colour beside the mouth."""
    spots = face.at(origin, [(-0.45, -0.1), (0.45, -0.1), (-0.35, 0.15), (0.35, 0.15), (0.0, 0.22), (0.0, -0.22)])
    spots = np.clip(np.rint(spots), 0, picture.shape[0] - 1).astype(int)
    r, g, b = np.median(picture[spots[:, 1], spots[:, 0]], 0)
    return float(r), float(g), float(b)


def scaled(colour: Colour, by: float) -> Colour:
    return min(255.0, colour[0] * by), min(255.0, colour[1] * by), min(255.0, colour[2] * by)


def lip_colour(rng: np.random.Generator, skin: Colour) -> Colour:
    u = rng.random()
    if u < 0.35:  # red to plum
        return float(rng.uniform(90, 230)), float(rng.uniform(10, 70)), float(rng.uniform(20, 90))
    if u < 0.6:  # pink
        return float(rng.uniform(200, 255)), float(rng.uniform(90, 170)), float(rng.uniform(100, 180))
    if u < 0.7:
        return random_colour(rng)
    shade, red = rng.uniform(0.55, 0.95), rng.uniform(0.0, 0.25)  # of the skin
    return shade * skin[0], shade * skin[1] * (1 - red), shade * skin[2] * (1 - 0.8 * red)


def without_mouth(picture: U8, face: Face, origin: F64, reach: float) -> U8:
    """Skin where the generator drew its mouth."""
    layer = Layer(picture)
    around = np.linspace(0, 2 * np.pi, 24)
    layer.fill(
        face.at(origin, np.stack([reach * np.cos(around), 0.12 * np.sin(around)], -1)),
        skin_about(picture, face, origin),
    )
    return layer.on(picture, 1.5)


def lips(rng: np.random.Generator, half: float, bend: float) -> tuple[F64, F64, F64]:
    """Upper edge, seam and lower edge of closed lips, each from left to right, in units of a face."""
    t = np.linspace(-1, 1, 25)
    seam = bend * half * (t**2 - 0.5) + 0.04 * half * rng.normal() * np.cos(3 * t)
    upper, lower = half * rng.uniform(0.1, 0.42), half * rng.uniform(0.14, 0.6)
    bow = rng.uniform(0, 0.5) * np.exp(-((t / rng.uniform(0.12, 0.25)) ** 2))
    sharp = rng.uniform(0.7, 1.6)
    above = seam - upper * (1 - np.abs(t) ** (2 * sharp)) * (1 - bow)
    below = seam + lower * (1 - t**2) ** rng.uniform(0.6, 1.4)
    return tuple(np.stack([half * t, y], -1) for y in (above, seam, below))  # type: ignore[return-value]


def painted_lips(rng: np.random.Generator, picture: U8, head: Head) -> tuple[U8, Head]:
    """Closed lips, however red or full."""
    face, origin = Face(head), head.points[2]
    skin = skin_about(picture, face, origin)
    half = float(rng.uniform(0.09, 0.27))
    if rng.random() < 0.8:
        picture = without_mouth(picture, face, origin, max(half, 0.2))
    upper, seam, lower = (face.at(origin, line) for line in lips(rng, half, rng.normal(0, 0.12)))
    colour = lip_colour(rng, skin)
    layer = Layer(picture)
    layer.fill(np.concatenate([upper, seam[::-1]]), scaled(colour, rng.uniform(0.7, 1.05)))
    layer.fill(np.concatenate([seam, lower[::-1]]), colour)
    if rng.random() < 0.3:
        layer.line(np.concatenate([upper, lower[::-1]]), rng.uniform(0.3, 1.0), scaled(colour, 0.6), closed=True)
    if rng.random() < 0.4:  # a light on the lower lip
        middle = 0.5 * (seam[12] + lower[12])
        wide = rng.uniform(0.1, 0.5) * half
        glint = face.at(middle, [(-wide, 0), (0, -0.2 * wide), (wide, 0), (0, 0.2 * wide)])
        layer.fill(glint, scaled(colour, rng.uniform(1.15, 1.8)))
    if rng.random() < 0.85:
        a = int(rng.integers(0, 8))
        layer.line(seam[a : 25 - a], rng.uniform(0.4, 1.8), scaled(colour, rng.uniform(0.15, 0.75)))
    light = uneven(rng, rng.uniform(0, 0.15))
    picture = layer.on(picture, float(rng.choice([0, 0.4, 0.8, 1.4])), rng.uniform(0.6, 1.0), light)
    return picture, replace(head, mouth=0.0)


def painted_mouth(rng: np.random.Generator, picture: U8, head: Head) -> tuple[U8, Head]:
    """An open mouth of any style: outlined or not, with teeth, tongue, lips, or of one colour."""
    face, origin = Face(head), head.points[2]
    half, opened = float(rng.uniform(0.07, 0.25)), float(rng.uniform(0.12, 1.0))
    skin = skin_about(picture, face, origin)
    picture = without_mouth(picture, face, origin, max(half, 0.2))
    high = 2 * half * (0.05 + 0.75 * opened)
    t = np.linspace(-1, 1, 25)
    flat, top = rng.uniform(0, 1), rng.normal(0, 0.12)
    rim = (1 - np.abs(t) ** rng.uniform(1.5, 4)) ** rng.uniform(0.5, 1)
    above = -high * (0.5 - 0.45 * flat) * rim + top * half * (t**2 - 1)
    below = high * (0.5 + 0.45 * flat) * rim + top * half * (t**2 - 1)
    upper, lower = (face.at(origin, np.stack([half * t, y], -1)) for y in (above, below))
    outline = np.concatenate([upper, lower[::-1]])
    u = rng.random()
    if u < 0.6:
        inside: Colour = float(rng.uniform(60, 200)), float(rng.uniform(10, 90)), float(rng.uniform(15, 90))
    elif u < 0.85:
        inside = float(rng.uniform(200, 255)), float(rng.uniform(90, 170)), float(rng.uniform(90, 170))
    else:
        inside = scaled(skin, rng.uniform(0.1, 0.6))
    layer = Layer(picture)
    if rng.random() < 0.25:  # lips about it
        thick = high * rng.uniform(0.1, 0.3) + 0.02
        layer.line(outline, 2 * thick * face.unit, lip_colour(rng, skin), closed=True)
    layer.fill(outline, inside)
    if rng.random() < 0.6:  # a tongue
        share, start = rng.uniform(0.3, 0.8), 25 // 6
        tongue = lower + (upper - lower) * share * ((1 - t**2) * np.ones(25))[:, None]
        layer.fill(
            np.concatenate([tongue[start:-start], lower[start:-start][::-1]]), scaled(inside, rng.uniform(1.1, 1.7))
        )
    if rng.random() < 0.5 and opened > 0.25:  # teeth
        teeth = upper + (lower - upper) * rng.uniform(0.1, 0.3)
        layer.fill(np.concatenate([upper[3:-3], teeth[3:-3][::-1]]), (250.0, 248.0, 245.0))
    if rng.random() < 0.7:
        dark = scaled(skin, rng.uniform(0.1, 0.6))
        layer.line(outline, rng.uniform(0.3, 1.5), dark, closed=True)
    picture = layer.on(picture, float(rng.choice([0, 0.4, 0.8])), light=uneven(rng, rng.uniform(0, 0.1)))
    return picture, replace(head, mouth=opened)


# ---------------------------------------------------------------- what covers a part of the face


def covered(rng: np.random.Generator, picture: U8, head: Head, look: Look) -> tuple[U8, Head]:
    """One thing before mouth or eyes."""
    things: list[tuple[Callable[..., U8], float, tuple[float, float, float]]] = [
        (mask, 0.33, (0, 0, 1)),
        (scarf, 0.1, (0, 0, 1)),
        (thing_at_mouth, 0.12, (0, 0, 1)),
        (patch, 0.3, (1, 0, 0)),
        (lock, 0.1, (1, 0, 0)),
        (dark_glasses, 0.05, (1, 1, 0)),
    ]
    k = int(rng.choice(len(things), p=[share for _, share, _ in things]))
    cover, _, (one, other, mouth) = things[k]
    left = bool(rng.random() < 0.5)  # which eye
    picture = cover(rng, picture, head, look, 0 if left else 1)
    told = (one, other, mouth) if left or one == other else (other, one, mouth)
    return picture, replace(head, covered=(float(told[0]), float(told[1]), float(told[2])))


def plain_colour(rng: np.random.Generator) -> Colour:
    """Of cloth and leather: white, black, grey more often than others."""
    u = rng.random()
    level = float(rng.uniform(215, 255) if u < 0.35 else rng.uniform(0, 60) if u < 0.65 else rng.uniform(60, 215))
    return random_colour(rng) if u > 0.8 else (level, level, float(np.clip(level + rng.normal(0, 8), 0, 255)))


def finish(rng: np.random.Generator, layer: Layer, picture: U8) -> U8:
    return layer.on(picture, float(rng.choice([0, 0.3, 0.7])), light=uneven(rng, rng.uniform(0, 0.12)))


def mask(rng: np.random.Generator, picture: U8, head: Head, look: Look, which: int) -> U8:
    """From the nose to the chin."""
    face, mouth, chin = Face(head), head.points[2], head.points[3]
    top = -rng.uniform(0.14, 0.42)
    down = float(np.dot(chin - mouth, face.y)) / face.unit + rng.uniform(-0.08, 0.12)
    wide, low = rng.uniform(0.45, 0.95), rng.uniform(0.2, 0.6)
    cheek = wide * rng.uniform(0.8, 1, 2)
    upper = [(-wide, 0.6 * top), (-0.25, top), (0.0, top - rng.uniform(0, 0.1)), (0.25, top), (wide, 0.6 * top)]
    lower = [(low, down), (0.0, down + rng.uniform(0, 0.06)), (-low, down)]
    shape = np.array([*upper, (cheek[0], 0.4 * down), *lower, (-cheek[1], 0.4 * down)])
    outline, colour = face.at(mouth, shape), plain_colour(rng)
    layer = Layer(picture)
    if rng.random() < 0.6:
        for side in (-1, 1):
            for y in (0.6 * top, 0.4 * down):
                line = face.at(mouth, [(side * wide, y), (side * (wide + 0.5), y + rng.normal(-0.1, 0.1))])
                layer.line(line, rng.uniform(0.5, 2), scaled(colour, 0.9))
    layer.fill(outline, colour)
    for _ in range(int(rng.choice([0, 0, 1, 3]))):  # pleats
        y = rng.uniform(top, down)
        line = face.at(mouth, [(-0.7 * wide, y), (0, y + rng.normal(0, 0.06)), (0.7 * wide, y)])
        layer.line(line, rng.uniform(0.3, 1), scaled(colour, rng.uniform(0.6, 0.95)))
    if rng.random() < 0.5:
        layer.line(outline, rng.uniform(0.3, 1.5), scaled(colour, rng.uniform(0.2, 0.8)), closed=True)
    return finish(rng, layer, picture)


def scarf(rng: np.random.Generator, picture: U8, head: Head, look: Look, which: int) -> U8:
    """A band over mouth, chin and neck, from one side to the other."""
    face, mouth = Face(head), head.points[2]
    top, colour = -rng.uniform(0.12, 0.3), plain_colour(rng)
    x = np.linspace(-1.6, 1.6, 15)
    upper = np.stack([x, top + rng.uniform(-0.1, 0.15) * x**2], -1)
    lower = np.stack([x[::-1], np.full(15, rng.uniform(0.5, 1.2))], -1)
    layer = Layer(picture)
    layer.fill(face.at(mouth, np.concatenate([upper, lower])), colour)
    for _ in range(int(rng.integers(0, 5))):
        fold = np.stack([x, rng.uniform(top, 0.6) + rng.normal(0, 0.1) * x], -1)
        layer.line(face.at(mouth, fold), rng.uniform(0.3, 1.5), scaled(colour, rng.uniform(0.5, 0.9)))
    layer.line(face.at(mouth, upper), rng.uniform(0.3, 1.5), scaled(colour, rng.uniform(0.3, 0.9)))
    return finish(rng, layer, picture)


def thing_at_mouth(rng: np.random.Generator, picture: U8, head: Head, look: Look, which: int) -> U8:
    """A hand, a cup, a fan."""
    face, mouth = Face(head), head.points[2]
    hand = rng.random() < 0.5
    colour = look.skin if hand else random_colour(rng)
    around = np.linspace(0, 2 * np.pi, 20)
    a, b = rng.uniform(0.3, 0.55), rng.uniform(0.25, 0.5)
    middle = face.at(mouth, [(rng.normal(0, 0.08), rng.normal(0.1, 0.06))])[0]
    layer = Layer(picture)
    if hand or rng.random() < 0.5:
        shape = np.stack([a * np.cos(around), b * np.sin(around)], -1)
    else:
        shape = np.array([(-a, -b), (a, -b), (a, b), (-a, b)])
    layer.fill(face.at(middle, shape), colour)
    edge = scaled(colour, rng.uniform(0.3, 0.85))
    layer.line(face.at(middle, shape), rng.uniform(0.4, 1.5), edge, closed=True)
    if hand:
        for k in range(4):
            x = -0.6 * a + 0.4 * a * k
            layer.line(
                face.at(middle, [(x, -0.8 * b), (x + rng.normal(0, 0.03), 0.2 * b)]), rng.uniform(0.4, 1.2), edge
            )
        arm = face.at(middle, [(-0.2, 0.8 * b), (0.2, 0.8 * b), (0.4, 2.0), (-0.1, 2.0)])
        layer.fill(arm, look.cloth if rng.random() < 0.5 else look.skin)
    return finish(rng, layer, picture)


def patch(rng: np.random.Generator, picture: U8, head: Head, look: Look, which: int) -> U8:
    """An eyepatch or a bandage over one eye."""
    face, eye = Face(head), head.points[which]
    colour = plain_colour(rng)
    a, b = rng.uniform(0.26, 0.48), rng.uniform(0.22, 0.46)
    around = np.linspace(0, 2 * np.pi, 28)
    power = rng.choice([0.5, 1.0, 1.0])  # boxes with round corners, or ellipses
    round_x, round_y = (np.sign(f) * np.abs(f) ** power for f in (np.cos(around), np.sin(around)))
    middle = eye + face.unit * rng.normal(0, 0.04, 2)
    outline = face.at(middle, np.stack([a * round_x, b * round_y], -1))
    layer = Layer(picture)
    slope = rng.uniform(-1.1, 0.3) if which == 1 else -rng.uniform(-1.1, 0.3)
    width = rng.uniform(0.8, 3.0) if rng.random() < 0.8 else rng.uniform(6, 16)
    if rng.random() < 0.85:
        layer.line(face.at(middle, [(-2.5, -2.5 * slope), (0, 0), (2.5, 2.5 * slope)]), width, colour)
    layer.fill(outline, scaled(colour, rng.uniform(0.8, 1.1)))
    if rng.random() < 0.5:
        layer.line(outline, rng.uniform(0.3, 1.8), scaled(colour, rng.uniform(0.4, 1.8)), closed=True)
    if rng.random() < 0.25:  # a cross, a seam, a mark
        mark = random_colour(rng)
        layer.line(face.at(middle, [(-0.5 * a, 0), (0.5 * a, 0)]), rng.uniform(0.5, 2.5), mark)
        layer.line(face.at(middle, [(0, -0.5 * b), (0, 0.5 * b)]), rng.uniform(0.5, 2.5), mark)
    return finish(rng, layer, picture)


def lock(rng: np.random.Generator, picture: U8, head: Head, look: Look, which: int) -> U8:
    """Hair that hangs over all of one eye."""
    face, eye = Face(head), head.points[which]
    layer = Layer(picture)
    for k in np.linspace(-0.35, 0.35, int(rng.integers(2, 5))):
        colour = scaled(look.hair, rng.uniform(0.75, 1.1))
        x = k + rng.normal(0, 0.04)
        tip = (x * 0.6 + rng.normal(0, 0.1), rng.uniform(0.5, 1.0))
        shape = [(x - 0.25, -1.1), (x + 0.25, -1.1), (x + 0.22, 0.1), tip, (x - 0.22, 0.1)]
        layer.fill(face.at(eye, shape), colour)
        layer.line(face.at(eye, shape), rng.uniform(0.3, 1), scaled(colour, 0.6), closed=True)
    return finish(rng, layer, picture)


def dark_glasses(rng: np.random.Generator, picture: U8, head: Head, look: Look, which: int) -> U8:
    """Through which no eye is seen."""
    face = Face(head)
    colour = scaled(random_colour(rng), rng.uniform(0.05, 0.5))
    a, b = rng.uniform(0.28, 0.45), rng.uniform(0.2, 0.35)
    around = np.linspace(0, 2 * np.pi, 28)
    layer = Layer(picture)
    layer.line(np.stack([head.points[0], head.points[1]]), rng.uniform(0.5, 2), colour)
    for eye in head.points[:2]:
        outline = face.at(eye, np.stack([a * np.cos(around), b * np.sin(around)], -1))
        layer.fill(outline, colour)
        layer.line(outline, rng.uniform(0.5, 2.5), scaled(colour, rng.uniform(0.3, 2.5)), closed=True)
    if rng.random() < 0.5:
        x, y = rng.uniform(-0.15, 0.15, 2)
        for eye in head.points[:2]:
            layer.line(face.at(eye, [(x - 0.08, y + 0.08), (x + 0.08, y - 0.08)]), 1.5, scaled(colour, 3.0))
    return finish(rng, layer, picture)


# ----------------------------------------------------------------


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
