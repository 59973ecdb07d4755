"""Neck, shoulders, clothes, collars and what a character may hold."""

from __future__ import annotations

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.mesh import F64, smoothstep, spline


def add_body(figure: Figure) -> F64:
    """Returns the neck's grid, which is painted with the head's skin."""
    b, r = figure.r.body, figure.r
    # neck
    columns = 20
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    y = np.linspace(168, 226, 10)[:, None]
    w = b.neck_width * (
        1 + 0.10 * smoothstep(206, 224, y) - 0.06 * smoothstep(172, 196, y) + 0.10 * smoothstep(196, 168, y)
    )
    x = MIDDLE + w * np.sin(a)
    z = -5 + 0.95 * w * np.cos(a) + 0.0 * y
    neck = np.stack([x, np.broadcast_to(y, x.shape), z], -1)
    # torso with arms, one skin: rows from the neck to below the picture
    rows = 22
    t = np.linspace(0, 1, rows)
    y = 200 + 95 * t**1.35
    knots_y = 198.5 + b.slope * np.array([0, 4, 7.5, 11, 15, 20, 28, 41, 66, 90])
    knots_w = np.array([0.0, 0.05, 0.15, 0.34, 0.60, 0.82, 0.96, 1.05, 1.10, 1.12])
    w = b.neck_width * 0.9 + (b.shoulder - b.neck_width * 0.9) * np.interp(y, knots_y, knots_w)
    w = np.convolve(np.pad(w, 2, mode="edge"), np.ones(5) / 5, "valid")
    depth = np.interp(y, [200, 213, 240, 300], [9, 14, 22, 26])
    n = 2.6
    columns = 34
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    x = MIDDLE + w[:, None] * np.sign(np.sin(a)) * np.abs(np.sin(a)) ** (2 / n)
    z = -6 + depth[:, None] * np.sign(np.cos(a)) * np.abs(np.cos(a)) ** (2 / n)
    bust = b.bust * np.exp(-(((np.abs(x - MIDDLE) - 17) / 13) ** 2) - ((y[:, None] - 246) / 13) ** 2)
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
        ww = np.interp(y, 200 + 95 * t**1.35, w)
        d = np.interp(y, [200, 213, 240, 300], [9, 14, 22, 26])
        bump = b.bust * np.exp(-(((np.abs(x - MIDDLE) - 17) / 13) ** 2) - ((y - 246) / 13) ** 2)
        return np.asarray(
            -6 + d * np.power(np.maximum(1 - np.minimum(np.abs(x - MIDDLE) / ww, 1) ** n, 0), 1 / n) + bump
        )

    figure.chest = front
    ink_colour = (*mix(b.cloth, (0.1, 0.07, 0.1), 0.6), 0.75 * r.style.line_alpha)
    skin_ink = (*r.skin_line, 0.6 * r.style.line_alpha)
    arm = 0.70 * b.shoulder
    for side in (-1.0, 1.0):
        figure.add_ink(
            "ink_body",
            spline(
                [
                    (MIDDLE + side * (arm + 2), 238.0),
                    (MIDDLE + side * arm, 250.0),
                    (MIDDLE + side * (arm + 1), 280.0),
                ],
                10,
            ),
            np.linspace(0.2, 0.6, 10),
            skin_ink if b.bare else ink_colour,
            front,
            0.8,
            figure.body_weight,
        )
        if b.collar not in ("high", "scarf", "hood"):
            figure.add_ink(
                "ink_body",
                spline([(MIDDLE + side * 3.5, 217.0), (MIDDLE + side * 10, 215.5), (MIDDLE + side * 19, 215.0)], 9),
                np.linspace(0.45, 0.1, 9),
                (*r.skin_line, 0.35 * r.style.line_alpha) if b.neckline[1] > 12 else (*b.cloth, 0.0),
                front,
                0.9,
                figure.body_weight,
            )
    _collar(figure, front)
    _blobs(figure, front)
    return neck


def _collar(figure: Figure, front: m.Surface) -> None:
    b, rng = figure.r.body, figure.rng
    nw = b.neck_width

    def z(x: float, y: float) -> float:
        return float(front(np.array([x]), np.array([y]))[0])

    c2 = b.inner
    if b.collar == "shirt":
        open_ = rng.uniform(2, 9)
        for side in (-1.0, 1.0):
            pts = [
                (MIDDLE + side * (nw + 2), 203.0, -14.0),
                (MIDDLE + side * (nw + 3.5), 207.0, 2.0),
                (MIDDLE + side * (nw * 0.7 + 1), 214.0, z(MIDDLE + 8, 214) + 5),
                (MIDDLE + side * (open_ + 4), 225.0, z(MIDDLE + 8, 225) + 3),
            ]
            figure.panel("prop_body", pts, [4.5, 5.5, 6.5, 1.0], c2, (side * 0.4, -0.2, 0.9))
    elif b.collar == "sailor":
        depth = rng.uniform(20, 34)
        for side in (-1.0, 1.0):
            pts = [
                (MIDDLE + side * (nw + 7), 206.0, -12.0),
                (MIDDLE + side * (nw + 12), 213.0, z(MIDDLE + 22, 213) + 4),
                (MIDDLE + side * (nw + 3), 224.0, z(MIDDLE + 14, 224) + 3),
                (MIDDLE + side * 3, 212 + depth, z(MIDDLE + 3, 212 + depth) + 2),
            ]
            figure.panel("prop_body", pts, [8.0, 10.5, 9.0, 3.0], c2, (side * 0.2, -0.2, 0.95))
            inner = [(x, y + 0.2, zz + 1.2) for x, y, zz in pts]
            figure.panel(
                "prop_body",
                [(x + side * 5.0, y + 2.2, zz) for x, y, zz in inner],
                [0.8, 0.9, 0.9, 0.3],
                b.trim,
                (side * 0.2, -0.2, 0.95),
                0.0,
            )
    elif b.collar in ("hood", "scarf"):
        thick = rng.uniform(6, 9.5)
        wide = nw + thick * (1.3 if b.collar == "hood" else 0.75)
        a = np.linspace(-0.5 * np.pi, 1.5 * np.pi, 33)
        dip = rng.uniform(5, 12) if b.collar == "hood" else 2.0
        path = np.stack(
            [
                MIDDLE + wide * np.cos(a),
                207 + 2 * np.cos(2 * a) + dip * np.maximum(np.sin(a), -0.4),
                -4 + (wide * 0.85) * np.sin(a),
            ],
            -1,
        )
        ring = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        outward = np.stack([np.cos(a), np.zeros_like(a), np.sin(a)], -1)
        size = thick * (1 + 0.25 * np.sin(a * 3 + rng.uniform(0, 6)))[:, None, None]
        points = path[:, None] + size * (
            outward[:, None] * np.cos(ring)[None, :, None] * 0.8
            + np.array([0, 1.0, 0])[None, None] * np.sin(ring)[None, :, None] * 0.8
        )
        material = np.zeros((33, 12, 4))
        material[..., 2] = 99
        n = m.normals(points, closed=True)
        figure.mesh("prop_body").add(
            m.pack(points, n, figure.body_weight, material, (*c2, 1.0)), m.grid_triangles(33, 12, closed=True)
        )
    elif b.collar == "high":
        a = np.linspace(0, 2 * np.pi, 28, endpoint=False)[None]
        y = np.linspace(rng.uniform(190, 199), 216, 6)[:, None]
        w = nw + 1.6 + 3 * smoothstep(204, 216, y)
        x, zz = MIDDLE + w * np.sin(a), -5 + w * np.cos(a)
        points = np.stack([x, np.broadcast_to(y, x.shape), zz], -1)
        material = np.zeros((6, 28, 4))
        material[..., 0] = np.linspace(-1, 1, 6)[:, None]
        material[..., 2] = 8
        figure.mesh("prop_body").add(
            m.pack(points, m.normals(points, closed=True), figure.body_weight, material, (*b.cloth, 1.0)),
            m.grid_triangles(6, 28, closed=True),
        )
    elif b.collar == "frill":
        for i in range(11):
            turn = np.pi * (i / 10)
            at = MIDDLE + (nw + 5) * float(np.cos(turn))
            figure.ball(
                "prop_body", (at, 210 + 6 * float(np.sin(turn)), 8 * float(np.sin(turn)) + 2), (3.6, 4.2, 3), c2
            )
    y0 = 219 + rng.uniform(-2, 9)
    if b.bow == "bow":
        for side in (-1.0, 1.0):
            depth = z(MIDDLE, y0) + 5
            figure.panel(
                "prop_body",
                [
                    (MIDDLE, y0, depth + 1),
                    (MIDDLE + side * 7, y0 - 3, depth + 2),
                    (MIDDLE + side * 14, y0 - 1.0, depth),
                ],
                [1.5, 5.0, 4.6],
                b.accent,
            )
            figure.panel(
                "prop_body",
                [
                    (MIDDLE, y0, depth - 1),
                    (MIDDLE + side * 4, y0 + 9, depth - 1),
                    (MIDDLE + side * 7.5, y0 + 19, depth - 2),
                ],
                [1.5, 3.0, 3.6],
                mix(b.accent, (0, 0, 0), 0.12),
            )
        figure.ball("prop_body", (MIDDLE, y0, z(MIDDLE, y0) + 7), (2.7, 3, 3), b.accent)
    elif b.bow == "tie":
        depth = z(MIDDLE, y0) + 3.5
        figure.panel(
            "prop_body",
            [(MIDDLE, y0, depth), (MIDDLE + 0.5, y0 + 16, depth + 1), (MIDDLE, y0 + 60, depth + 3)],
            [2.4, 4.4, 6.0],
            b.accent,
        )
        figure.ball("prop_body", (MIDDLE, y0 - 2, depth), (3.4, 3.4, 2.5), b.accent)
    elif b.bow == "neckerchief":
        depth = z(MIDDLE, y0 + 8) + 4
        for side in (-1.0, 1.0):
            figure.panel(
                "prop_body",
                [(MIDDLE, y0 + 6, depth), (MIDDLE + side * 5, y0 + 16, depth), (MIDDLE + side * 4, y0 + 34, depth)],
                [1.5, 4.5, 0.5],
                b.accent,
            )
        figure.ball("prop_body", (MIDDLE, y0 + 6, depth + 1), (3.0, 3.2, 2.5), b.accent)


def _blobs(figure: Figure, front: m.Surface) -> None:
    """Hands, microphones, toys: something odd before the chest."""
    rng, b = figure.rng, figure.r.body
    for _ in range(b.blob):
        side = float(rng.choice([-1, 1]))
        x, y = MIDDLE + side * rng.uniform(8, 42), rng.uniform(222, 246)
        z0 = float(front(np.array([x]), np.array([y]))[0]) + 12
        if rng.random() < 0.65:  # a hand: a sleeve, a palm and fingers
            sleeve = [
                (x + side * rng.uniform(12, 26), 292.0, z0 - 8),
                (x + side * rng.uniform(6, 14), y + 26, z0 - 4),
                (x + side * 2, y + 8, z0),
            ]
            figure.panel(
                "prop_body", sleeve, [12.0, 9.0, 6.5], b.cloth if not b.bare else figure.r.skin, (0, 0, 1), 0.5
            )
            figure.ball("prop_body", (x, y, z0 + 2), (7.5, 9, 6), figure.r.skin, side * 0.3)
            for i in range(4):
                fx = x - side * (3.5 + 1.2 * i) + side * 3
                figure.ball(
                    "prop_body",
                    (fx, y - 6.5 + 1.7 * i, z0 + 5),
                    (2.3, 5.6, 2.6),
                    figure.r.skin,
                    -side * (0.5 + 0.25 * i),
                )
        else:
            figure.ball(
                "prop_body", (x, y, z0), tuple(rng.uniform(5, 12, 3)), figure.r.extras.second, rng.uniform(-0.6, 0.6)
            )
            figure.ball(
                "prop_body",
                (x, y + 10, z0 - 1),
                (rng.uniform(2.5, 6), rng.uniform(8, 18), 4),
                figure.r.body.accent,
                rng.uniform(-0.3, 0.3),
            )
