"""Neck, torso and arms."""

from __future__ import annotations

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.mesh import F64, smoothstep, spline

# share of the way from neck to shoulder, at rows below the neck's foot
_SLOPE = (
    (0.0, 0.0),
    (4.0, 0.04),
    (7.5, 0.13),
    (10.5, 0.30),
    (13.5, 0.50),
    (16.5, 0.66),
    (20.0, 0.78),
    (26.0, 0.83),
    (36.0, 0.80),
    (60.0, 0.76),
    (98.0, 0.80),
)


def add_body(figure: Figure) -> F64:
    """Returns the neck's grid, which is painted with the head's skin."""
    b = figure.r.body
    columns = 20
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    y = np.linspace(168, 226, 10)[:, None]
    w = b.neck_width * (
        1 + 0.10 * smoothstep(206, 224, y) - 0.06 * smoothstep(172, 196, y) + 0.10 * smoothstep(196, 168, y)
    )
    x = MIDDLE + w * np.sin(a)
    z = -5 + 0.95 * w * np.cos(a) + 0.0 * y
    neck = np.stack([x, np.broadcast_to(y, x.shape), z], -1)
    rows, columns = 26, 34
    t = np.linspace(0, 1, rows)
    y = 199 + 96 * t**1.35
    knots = np.array(_SLOPE)
    w = b.neck_width * 0.9 + (b.shoulder - b.neck_width * 0.9) * np.interp(y, 199 + b.slope * knots[:, 0], knots[:, 1])
    w = np.convolve(np.pad(w, 1, mode="edge"), np.ones(3) / 3, "valid")
    depth = np.interp(y, [200, 213, 240, 300], [9, 14, 22, 26])
    n = 2.6
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    x = MIDDLE + w[:, None] * np.sign(np.sin(a)) * np.abs(np.sin(a)) ** (2 / n)
    z = -6 + depth[:, None] * np.sign(np.cos(a)) * np.abs(np.cos(a)) ** (2 / n)
    bust = b.bust * np.exp(-(((np.abs(x - MIDDLE) - 16) / 12) ** 2) - ((y[:, None] - 247) / 12) ** 2)
    z = z + np.where(np.cos(a) > 0, bust, 0)
    points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1)
    material = np.zeros((rows, columns, 4))
    material[..., 0] = x - MIDDLE
    material[..., 1] = y[:, None]
    material[..., 2] = (x - MIDDLE) / w[:, None]
    figure.mesh("body").add(
        m.pack(points, m.normals(points, closed=True), figure.body_weight, material),
        m.grid_triangles(rows, columns, closed=True),
    )

    def front(x: F64, y: F64) -> F64:
        ww = np.interp(y, 199 + 96 * t**1.35, w)
        d = np.interp(y, [200, 213, 240, 300], [9, 14, 22, 26])
        bump = b.bust * np.exp(-(((np.abs(x - MIDDLE) - 16) / 12) ** 2) - ((y - 247) / 12) ** 2)
        return np.asarray(
            -6 + d * np.power(np.maximum(1 - np.minimum(np.abs(x - MIDDLE) / ww, 1) ** n, 0), 1 / n) + bump
        )

    figure.chest = front
    _arms(figure)
    _lines(figure)
    return neck


def _arms(figure: Figure) -> None:
    b = figure.r.body
    top, puff = 219 + 12 * (b.slope - 1), b.sleeve == "puff"
    for side in (-1.0, 1.0):

        def at(x: float, y: float, z: float, side: float = side) -> tuple[float, float, float]:
            return (MIDDLE + side * x * b.shoulder, y, z)

        path = [at(0.56, top + 1, -4), at(0.75, top + 9, -2), at(0.83, top + 24, 0), at(0.86, top + 48, 3)]
        path.append(at(0.88, 300, 5))
        if b.sleeve == "bare":
            r = [1.0, 8.2, 8.6, 8.0, 7.6]
            figure.arm("bare_arms", path, r)
            if b.bare:
                figure.tube(
                    "arms", [at(0.82, 238, 1), at(0.88, 247, 2), at(0.90, 300, 4)], [8.5, 13.5, 12.0], b.sleeves
                )
        elif puff:
            r = [1.0, 11.0, 14.0, 9.5, 8.5]
            path[2], path[3] = at(0.83, top + 20, 0), at(0.86, top + 36, 2)
            figure.tube("arms", path, r, b.sleeves)
            cuff = [at(0.86, top + 33, 2), at(0.865, top + 38, 2)]
            figure.tube("arms", cuff, [10.2, 10.2], b.trim if b.collar == "sailor" else b.inner, 0.0, 4)
        else:
            figure.tube("arms", path, [1.0, 9.2, 10.6, 10.8, 11.2], b.sleeves)


def _lines(figure: Figure) -> None:
    """Collarbones and the notch between them, creases at the armpits."""
    b, r, front = figure.r.body, figure.r, figure.chest
    skin_ink = (*mix(r.skin_line, r.skin_shadow, 0.35), 0.75 * max(r.style.line_alpha, 0.5))
    bare = b.bare or b.outfit in ("camisole", "dress", "cardigan", "sailor", "crossed", "jacket")
    if bare and b.collar not in ("hood", "high", "scarf"):
        wide = 17.0 if b.bare or b.outfit == "camisole" else min(12.0, b.neckline[0] * 0.6)
        for side in (-1.0, 1.0):
            points = [(MIDDLE + side * 2.4, 213.5), (MIDDLE + side * (3 + 0.4 * wide), 211.6)]
            points.append((MIDDLE + side * (3 + wide), 212.4))
            half = 0.52 * np.sin(np.pi * np.linspace(0.12, 1, 9))
            figure.add_ink("ink_body", spline(points, 9), half + 0.05, skin_ink, front, 1.2, figure.body_weight)
    crease = (*mix(b.sleeves, (0.12, 0.08, 0.14), 0.55), 0.75 * r.style.line_alpha)
    if b.sleeve == "bare":
        crease = skin_ink
    for side in (-1.0, 1.0) if not b.bare else ():
        x = MIDDLE + side * b.shoulder * 0.66
        points = [(x, 231.0), (x - side * 3.5, 239.0), (x - side * 9.0, 244.0)]
        half = np.linspace(0.55, 0.08, 9)
        figure.add_ink("ink_body", spline(points, 9), half, crease, front, 1.4, figure.body_weight)
