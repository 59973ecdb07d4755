"""Animal ears, ribbons, clips, hats, glasses, and the box a web site prints into a corner."""

from __future__ import annotations

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.hair import Hair
from puppeteer.characters.mesh import F64, ink, ribbon, spline
from puppeteer.characters.moving import hanging, standing
from puppeteer.characters.ribbons import ribbon_bow


def add_extras(figure: Figure, hair: Hair) -> None:
    x, rng, h = figure.r.extras, figure.rng, figure.r.hair
    if x.watermark:
        _watermark(figure)
    if x.animal_ears != "none":
        for side in (-1.0, 1.0):
            base = hair.shell(np.radians([side * 62.0]), np.array([hair.arc_radius * 0.62]), np.array([-2.0]), 0)[0]
            bx, by = float(base[0]), float(base[1])
            height, wide = {"cat": (23.0, 11.0), "fox": (30.0, 11.0), "bunny": (52.0, 7.5), "horn": (20.0, 4.0)}[
                x.animal_ears
            ]
            lean = {"cat": 7.0, "fox": 6.0, "bunny": 5.0, "horn": 10.0}[x.animal_ears]
            pts = [
                (bx, by + 6, 0.0),
                (bx + side * lean * 0.4, by - 0.4 * height, 1.0),
                (bx + side * lean, by - height, 0.0),
            ]
            outer = h.mid if x.animal_ears != "horn" else x.second
            figure.panel("prop_head", pts, [wide, wide * 0.85, 0.2], outer, (0, 0, 1), 0.35)
            if x.animal_ears != "horn":
                figure.hang("prop_head", standing(by))
            if x.animal_ears != "horn":
                inner = [(a, b + 3, c + 3.5) for a, b, c in pts]
                figure.panel(
                    "prop_head",
                    inner,
                    [wide * 0.55, wide * 0.45, 0.2],
                    mix(x.second, (1.0, 0.85, 0.85), 0.6),
                    (0, 0, 1),
                    0.1,
                )
                figure.hang("prop_head", standing(by))
    if x.ribbon != "none":
        spots = {"side": [float(rng.choice([-1, 1])) * 58], "top": [0.0], "twin": [-62.0, 62.0]}[x.ribbon]
        for angle in spots:
            p = hair.shell(
                np.radians([angle]), np.array([hair.arc_radius * (0.35 if angle == 0 else 0.8)]), np.array([5.0]), 0
            )[0]
            ribbon_bow(figure, (float(p[0]), float(p[1])), float(p[2]) + 9.0, rng.uniform(0.8, 1.25), angle)
    for _ in range(x.clips):
        p = hair.shell(
            np.radians([float(rng.choice([-1, 1])) * rng.uniform(34, 62)]),
            np.array([hair.arc_radius * rng.uniform(1.0, 1.4)]),
            np.array([7.0]),
            0.1,
        )[0]
        a = rng.uniform(-1.2, 1.2)
        c, s = 7 * np.cos(a), 7 * np.sin(a)
        if rng.random() < 0.6:
            figure.panel(
                "prop_head",
                [(p[0] - c, p[1] - s, p[2]), tuple(p), (p[0] + c, p[1] + s, p[2])],
                [1.8, 2.1, 1.6],
                x.second,
            )
        else:
            for i in range(5):
                b = i * 1.2566
                figure.ball(
                    "prop_head", (p[0] + 3.6 * np.cos(b), p[1] + 3.6 * np.sin(b), p[2]), (3.0, 3.0, 1.5), x.second
                )
            figure.ball("prop_head", (p[0], p[1], p[2] + 1), (2.0, 2.0, 1.6), (1.0, 0.9, 0.5))
    _hat(figure, hair)
    if x.earrings:
        for side in (-1.0, 1.0):
            figure.ball(
                "prop_head",
                (MIDDLE + side * (figure.r.head.face_width + 3.5), figure.r.head.ear_y + 13, 6),
                (1.8, 3.0, 1.8),
                x.second,
            )
            figure.hang("prop_head", hanging(figure.r.head.ear_y + 2.0))
    if x.eyepatch:
        _eyepatch(figure, float(x.eyepatch))
    if x.mask:
        _mask(figure)
    if x.glasses != "none":
        _glasses(figure)


def _hat(figure: Figure, hair: Hair) -> None:
    x, rng = figure.r.extras, figure.rng
    if x.hat == "beret":
        lean = float(rng.choice([-1, 1])) * 8
        figure.ball("prop_head", (MIDDLE + lean, 77, 4), (53, 17, 58), x.colour, lean * 0.014)
    elif x.hat == "cap":
        middle, half = hair.cz + 2 + (hair.front - hair.behind) / 2, (hair.front + hair.behind) / 2
        figure.ball("prop_head", (MIDDLE, 90, middle), (hair.rx + 3, 33, half + 4), x.colour)
        figure.panel(
            "prop_head",
            [(MIDDLE - 40, 101, 40), (MIDDLE, 106, 68), (MIDDLE + 40, 101, 40)],
            [3, 9, 3],
            x.second,
            (0, -0.5, 0.8),
        )
    elif x.hat == "witch":
        figure.ball("prop_head", (MIDDLE, 88, 6), (80, 9, 58), x.colour)
        cone = [(MIDDLE, 88.0, 6.0), (MIDDLE + 2, 66.0, 6.0), (MIDDLE + 8, 44.0, 5.0), (MIDDLE + 24, 26.0, 4.0)]
        figure.tube("prop_head", cone, [50.0, 36.0, 16.0, 1.5], x.colour)
        figure.tube("prop_head", [(MIDDLE, 85.0, 7.0), (MIDDLE + 1, 76.0, 7.0)], [49.5, 43.5], x.second, 0.0, 4)
    elif x.hat == "band":
        a = np.radians(np.linspace(-92, 92, 25))
        across, up = MIDDLE + (hair.rx - 0.5) * np.sin(a), hair.cy - (hair.ry - 6.0) * np.cos(a)
        path = np.stack([across, up, hair.front_z(across, up) + 9.0 * np.cos(a)], -1)
        out = np.stack([np.sin(a), -np.cos(a), np.full_like(a, 0.9)], -1)
        v, f = ribbon(path, out, np.full(25, 2.4), figure.head_weight, (1, 1, 1, 1), 0.0, 0.2)
        v[:, m.COLOUR] = (*x.colour, 1.0)
        figure.mesh("prop_head").add(v, f)


def _eyepatch(figure: Figure, side: float) -> None:
    e, rng = figure.r.eyes, figure.rng
    colour = (0.16, 0.14, 0.17) if rng.random() < 0.6 else (0.96, 0.96, 0.97)
    cx, cy, w, h = MIDDLE + side * e.spacing, e.y + 0.5, e.half_width * 1.3, (e.upper + e.lower) * 0.68
    a = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 9)
    left = [(cx - w * float(np.cos(t)), cy + h * float(np.sin(t))) for t in a]
    right = [(cx + w * float(np.cos(t)), cy + h * float(np.sin(t))) for t in a]
    figure.patch("prop_head", left, right, colour, figure.surface, 2.2, 1.4, ends=False, columns=7)
    up = cy - 0.4 * h
    for x0, y0, x1, y1 in (
        (cx - side * w * 0.8, up, MIDDLE - side * 34, cy - 30),
        (cx + side * w * 0.8, up, MIDDLE + side * 40, cy - 12),
    ):
        path = [(x0 + k * (x1 - x0), y0 + k * (y1 - y0)) for k in (0.0, 0.5, 1.0)]
        low = [(px, py + 2.6) for px, py in path]
        figure.patch("prop_head", path, low, colour, figure.surface, 1.8, 0.2, ends=False)


def _mask(figure: Figure) -> None:
    """Over nose and mouth."""
    r, rng = figure.r, figure.rng
    colour = (0.97, 0.97, 0.98) if rng.random() < 0.7 else (0.20, 0.20, 0.24)
    y = np.linspace(r.face.nose_y - 3.5, r.head.chin_y - 0.5, 9)
    t = np.linspace(0, 1, 9)
    half = np.minimum(figure.face_half_width(y) * 0.97, 27 - 3 * t)
    dip = 2.5 * (1 - t)
    left = [(MIDDLE - float(a), float(b + d)) for a, b, d in zip(half, y, dip, strict=True)]
    right = [(MIDDLE + float(a), float(b + d)) for a, b, d in zip(half, y, dip, strict=True)]
    figure.patch("prop_head", left, right, colour, figure.surface, 2.0, 1.5, columns=9)
    for side in (-1.0, 1.0):
        x1 = MIDDLE + side * r.head.face_width
        loop = [(MIDDLE + side * float(half[0]), float(y[0] + dip[0]) + 1), (x1, r.head.ear_y - 2)]
        figure.patch("prop_head", loop, [(a, b + 1.3) for a, b in loop], colour, figure.surface, 1.2, 0.0, ends=False)


def _glasses(figure: Figure) -> None:
    x, e = figure.r.extras, figure.r.eyes
    thick = {"thin": 0.45, "thick": 1.15, "half": 0.5}[x.glasses]
    colour = (*x.glasses_colour, 0.95)
    w, h = e.half_width * figure.rng.uniform(1.2, 1.45), (e.upper + e.lower) * figure.rng.uniform(0.56, 0.78)
    power = figure.rng.uniform(2.0, 3.2)

    def flat(px: F64, py: F64) -> F64:
        return np.asarray(figure.r.head.depth + 3.0 - 0.010 * (px - MIDDLE) ** 2)

    gap = min(w, e.spacing - 2.0)
    for side in (-1.0, 1.0):
        a = np.linspace(-np.pi, np.pi, 41) if x.glasses != "half" else np.linspace(-0.1, np.pi + 0.1, 25)
        cx, cy = MIDDLE + side * (e.spacing + 0.3), e.y + 1.5
        c, s = np.cos(a), np.sin(a)
        line = np.stack(
            [cx + np.sign(c) * np.abs(c) ** (2 / power) * gap, cy + np.sign(s) * np.abs(s) ** (2 / power) * h], -1
        )
        figure.add_ink("glasses", line, np.full(len(a), thick), colour, flat)
        figure.add_ink(
            "glasses",
            np.array(
                [
                    [cx + side * gap, cy - 0.3 * h],
                    [MIDDLE + side * 36, cy - 0.35 * h],
                    [MIDDLE + side * 40, cy - 0.3 * h],
                ]
            ),
            np.full(3, thick),
            colour,
            flat,
        )
    figure.add_ink(
        "glasses",
        spline([(MIDDLE - e.spacing + gap, e.y + 0.5), (MIDDLE, e.y - 1.0), (MIDDLE + e.spacing - gap, e.y + 0.5)], 7),
        np.full(7, thick),
        colour,
        flat,
    )


def _watermark(figure: Figure) -> None:
    x0 = figure.rng.choice([16.0, 206.0]) + figure.rng.uniform(-4, 4)
    y0 = figure.rng.uniform(212, 236)
    flat = lambda x, y: np.full_like(x, 90.0)  # noqa: E731

    def nothing(p: F64) -> F64:
        return np.zeros((len(p), 2))

    y = np.array([y0 + 18, y0 + 18.0])
    figure.mesh("watermark").add(
        *ink(
            np.stack([np.array([x0, x0 + 34]), y], -1),
            np.full(2, 20.0),
            flat,
            0,
            nothing,
            (*figure.r.extras.colour, 1),
        )
    )
    for i in range(2):
        for j in range(5):
            px, py = x0 + 4 + 6 * j, y0 + 10 + 14 * i
            pts = spline(np.stack([px + figure.rng.uniform(-2, 3, 4), py + np.array([-5, -1, 2, 5])], -1), 8)
            figure.mesh("watermark").add(*ink(pts, np.full(8, 0.8), flat, 1, nothing, (1, 1, 1, 1)))
