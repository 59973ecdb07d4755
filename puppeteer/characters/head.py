"""Head and face: the skull with its ears, nose, cheeks, marks. Eyes, brows and mouth are files of their own."""

from __future__ import annotations

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.mesh import ball, spline

HEAD_ROWS, HEAD_COLUMNS = 36, 36


def add_head(figure: Figure) -> None:
    rows, columns = HEAD_ROWS, HEAD_COLUMNS
    t = np.linspace(0.002, 1, rows)
    y = 70.0 + (figure.r.head.chin_y - 70.0) * (1 - (1 - t) ** 1.25)
    a = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    a = a - 0.45 * np.sin(a)  # dense at the front
    w = np.maximum(figure.face_half_width(y), 0.02)[:, None]
    front, back = figure.face_front(y)[:, None], figure.face_back(y)[:, None]
    middle = np.minimum(0.0, front) + np.maximum(back, 0.0)
    n = 2.5
    sx, cz = np.sin(a)[None], np.cos(a)[None]
    x = MIDDLE + w * np.sign(sx) * np.abs(sx) ** (2 / n)
    cosine = np.abs(cz) ** (2 / n)
    z = np.where(cz > 0, middle + (front - middle) * cosine, middle + (back - middle) * cosine)
    z = z + np.where(
        cz > 0, 4.0 * np.exp(-(((x - MIDDLE) / 3.2) ** 2) - ((y[:, None] - figure.r.face.nose_y) / 5.0) ** 2), 0
    )
    points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1)
    figure.skin("skin", points, figure.head_weight, 0.0)
    if figure.r.head.ears:
        for side in figure.r.head.ears:
            ey = figure.r.head.ear_y
            ex = MIDDLE + side * (float(figure.face_half_width(np.array([ey]))[0]) + 0.5)
            v, f = ball((ex, ey, -4.0), (5.0, 9.5, 3.5), figure.head_weight, (1, 1, 1, 1), side * 0.28, 11, 16)
            v[:, m.MATERIAL] = np.stack([v[:, 0], v[:, 1], np.full(len(v), 2.0), np.zeros(len(v))], -1)
            figure.mesh("skin").add(v, f)
            figure.add_ink(
                "ink",
                spline(
                    [
                        (ex + side * 0.4, ey - 5.5),
                        (ex + side * 3.0, ey - 4.0),
                        (ex + side * 2.0, ey + 1),
                        (ex + side * 0.2, ey + 3),
                    ],
                    10,
                ),
                np.linspace(0.5, 0.25, 10),
                (*figure.r.skin_line, 0.55 * figure.r.style.line_alpha),
                surface=lambda x, y: np.full_like(x, 0.0),
            )


def add_features(figure: Figure) -> None:
    """Nose, blush and marks."""
    f, r = figure.r.face, figure.r
    x0, y0 = MIDDLE, f.nose_y
    colour = (*mix(r.skin_line, r.skin_shadow, 0.35), f.nose_alpha)
    if f.nose == "dot":
        figure.add_ink(
            "ink",
            np.array([[x0 - 0.5, y0 + 0.6], [x0, y0 + 0.9], [x0 + 0.7, y0 + 0.6]]),
            np.full(3, 0.45),
            colour,
            lift=1.4,
        )
    elif f.nose == "line":
        figure.add_ink(
            "ink",
            spline([(x0 + 0.5, y0 - 3), (x0 - 0.4, y0 + 0.4), (x0 + 0.4, y0 + 1.0)], 9),
            np.linspace(0.15, 0.45, 9),
            colour,
            lift=1.4,
        )
    elif f.nose == "corner":
        figure.add_ink(
            "ink",
            spline([(x0 + 0.1, y0 - 1.2), (x0 - 0.9, y0 + 1.0), (x0 + 0.8, y0 + 1.1)], 9),
            np.linspace(0.15, 0.4, 9),
            colour,
            lift=1.4,
        )
    elif f.nose == "shadow":
        figure.add_ink(
            "ink",
            np.array([[x0 - 1.6, y0 + 1.6], [x0, y0 + 2.1], [x0 + 1.6, y0 + 1.6]]),
            np.array([0.3, 0.9, 0.3]),
            (*r.skin_shadow, 0.9),
            lift=1.4,
        )
    elif f.nose == "light":
        figure.add_ink(
            "ink",
            np.array([[x0 + 0.4, y0 - 2.5], [x0 + 0.5, y0 - 0.8]]),
            np.full(2, 0.5),
            (1.0, 1.0, 0.98, 0.8),
            lift=1.5,
        )
        figure.add_ink(
            "ink", np.array([[x0 - 1.0, y0 + 1.2], [x0 + 0.6, y0 + 1.5]]), np.full(2, 0.35), colour, lift=1.4
        )
    if f.blush_lines and f.blush > 0:
        for side in (-1.0, 1.0):
            for i in range(3):
                bx, by = MIDDLE + side * (r.eyes.spacing + 1.5) + (i - 1) * 2.6, r.eyes.y + r.eyes.lower + 5.5
                figure.add_ink(
                    "ink",
                    np.array([[bx + 0.8, by - 1.3], [bx - 0.8, by + 1.3]]),
                    np.full(2, 0.35),
                    (*f.blush_colour, 0.7),
                )
    if f.marks == 1:
        mx, my = (
            MIDDLE + figure.rng.choice([-1, 1]) * figure.rng.uniform(9, 22),
            figure.rng.uniform(r.eyes.y + 11, r.head.chin_y - 12),
        )
        figure.add_ink(
            "ink",
            np.array([[mx - 0.5, my], [mx + 0.5, my]]),
            np.full(2, 0.55),
            (*mix(r.skin_line, (0.1, 0.05, 0.05), 0.5), 0.9),
        )
    elif f.marks == 2:
        for _ in range(10):
            mx, my = (
                MIDDLE + figure.rng.choice([-1, 1]) * figure.rng.uniform(5, 20),
                r.eyes.y + r.eyes.lower + figure.rng.uniform(3, 9),
            )
            figure.add_ink(
                "ink",
                np.array([[mx - 0.3, my], [mx + 0.3, my]]),
                np.full(2, 0.35),
                (*mix(r.skin_line, r.skin, 0.35), 0.6),
            )
    elif f.marks == 3:
        mx, my = MIDDLE + figure.rng.choice([-1, 1]) * figure.rng.uniform(14, 22), r.eyes.y + r.eyes.lower + 7
        figure.add_ink(
            "ink",
            np.array([[mx - 4, my + 1], [mx, my], [mx + 4, my - 1.2]]),
            np.full(3, 1.6),
            (0.95, 0.86, 0.72, 1.0),
        )
