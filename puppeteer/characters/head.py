"""Head and face: the skull, eyes that close, brows, nose, cheeks and a mouth that opens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.mesh import F64, ball, ink, sheet, smoothstep, spline

HEAD_ROWS, HEAD_COLUMNS = 36, 36
LIPS = 40.0  # material of what the rest image shows of a mouth: no soft edge, and nothing new where it moves


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


def add_eyes(figure: Figure) -> None:
    e = figure.r.eyes
    for side in (-1.0, 1.0):
        mask = (0.0, 1.0, 0.0) if side < 0 else (1.0, 0.0, 0.0)  # the character's left is the viewer's right
        cx, cy = MIDDLE + side * e.spacing, e.y + 0.5 * side * e.asymmetry
        n = 21

        def place(s: F64, y: F64, cx: float = cx, cy: float = cy, side: float = side) -> F64:
            xy = np.stack([cx + side * s * e.half_width, cy + y - e.tilt * s], -1)
            return xy if side > 0 else xy[::-1]

        def upper(s: F64) -> F64:
            q = np.clip(s - e.peak * (1 - s**2), -1, 1)
            return np.asarray(-e.upper * np.power(1 - np.abs(q) ** (2.3 + 1.2 * e.roundness), 0.6))

        def lower(s: F64) -> F64:
            return np.asarray(e.lower * np.power(np.maximum(1 - np.abs(s) ** 2.6, 0), 0.6))

        def closed(s: F64) -> F64:
            # Fixed by what the open eye shows, so that a network can learn it.
            return np.asarray(0.5 * e.lower + 0.18 * e.half_width * (0.5 - s**2) + e.tilt * s * 0.6)

        s = np.linspace(-1, 1, n)
        shut = place(s, closed(s))
        gx, gy = e.gaze
        icx, icy = cx + gx - side * 0.03 * e.half_width, cy + gy + e.iris_y - 0.5 * (e.upper - e.lower)

        def iris(xy: F64, icx: float = icx, icy: float = icy) -> F64:
            return np.stack([(xy[..., 0] - icx) / e.iris_width, (xy[..., 1] - icy) / e.iris_height], -1)

        figure.mesh("eyes").add(
            *sheet(
                place(s, upper(s) - 0.3),
                place(s, lower(s)),
                figure.surface,
                0.7,
                figure.head_weight,
                (1, 1, 1, 1 if side > 0 else 0),
                shut,
                shut,
                mask,
                7,
                iris,
            )
        )
        # upper lash: stands on the lid, thin at the inner corner, with a wing
        k = 27
        q = np.linspace(-0.93, 1 + e.lash_wing * 1.3, k)
        inside = np.clip(q, -1, 1)
        beyond = np.maximum(q - 1, 0)
        lash_y = upper(inside) + beyond * e.half_width * (0.25 - 0.6 * e.lash_wing)
        shut_y = closed(inside) - beyond * e.half_width * 0.25
        t = np.linspace(0, 1, k)
        profile = (0.04 + 0.66 * smoothstep(0.0, 0.4, t) + 0.3 * smoothstep(0.3, 0.75, t)) * np.power(
            np.maximum(1 - t**5, 0), 0.9
        )
        half = np.maximum(0.5 * e.lash_thick * profile, 0.12)
        if side < 0:
            half = half[::-1]
        lash = (*e.lash, 1.0)
        # one width, open and closed: only its own
        figure.add_ink("lash", place(q, lash_y), half, lash, lift=1.3, closed=place(q, shut_y), mask=mask, up=0.45)
        for i in range(e.lash_spikes):
            at = 0.98 - 0.26 * i
            length = e.half_width * (0.3 - 0.04 * i)
            p = np.linspace(0, 1, 6)
            sx = at + p * length / e.half_width * 0.9
            flick = upper(np.array([min(at, 1.0)]))[0] - 0.3 - p * length * (0.45 + 0.25 * i)
            rest = closed(np.array([min(at, 1.0)]))[0] + p * length * 0.35
            w = np.maximum(0.42 * e.lash_thick * (1 - p) ** 0.8 * 0.6, 0.1)
            figure.add_ink(
                "lash",
                place(sx, flick),
                w if side > 0 else w[::-1],
                lash,
                lift=1.25,
                closed=place(sx, rest),
                mask=mask,
            )
        if e.lower_lash > 0:
            q = np.linspace(-0.55, 1.0, 15)
            t = np.linspace(0, 1, 15)
            half = 0.36 * (0.35 + t) * np.power(np.maximum(1 - t**4, 0), 0.5) + 0.08
            figure.add_ink(
                "lash",
                place(q, lower(q) + 0.1),
                half if side > 0 else half[::-1],
                (*e.lash, 0.85 * e.lower_lash),
                lift=1.1,
                closed=place(q, closed(q)),
                mask=mask,
                closed_half=half * 0 + 0.05,
            )
        if e.crease > 0:
            q = np.linspace(-0.7, 0.85, 13)
            t = np.linspace(0, 1, 13)
            half = 0.42 * np.sin(np.pi * np.clip(t, 0.03, 0.97)) + 0.08
            y = upper(q) - 2.2 - 0.4 * e.lash_thick
            figure.add_ink(
                "lash",
                place(q, y),
                half,
                (*mix(figure.r.skin_line, e.lash, 0.3), 0.8 * e.crease),
                lift=1.1,
                closed=place(q, y + 0.3 * (closed(q) - upper(q))),
                mask=mask,
            )


def add_features(figure: Figure) -> None:
    f, r = figure.r.face, figure.r
    for side in (-1.0, 1.0):
        s = np.linspace(-1, 1, 15)
        x = MIDDLE + side * (r.eyes.spacing - 0.6 + s * f.brow_length)
        y = f.brow_y - f.brow_arch * (1 - (s - 0.15) ** 2) - f.brow_tilt * 6 * s + 0.3 * side * r.eyes.asymmetry
        half = np.maximum(f.brow_thick * (1 - 0.75 * smoothstep(-0.2, 1.0, s)) * smoothstep(-1.25, -0.7, s), 0.12)
        line = np.stack([x, y], -1)
        if side < 0:
            line, half = line[::-1], half[::-1]
        figure.add_ink("brow", line, half, (*f.brow, f.brow_alpha))
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


def add_mouth(figure: Figure) -> None:
    o = figure.r.mouth
    mask = (0.0, 0.0, 1.0)
    n = 19
    s = np.linspace(-1, 1, n)
    cx = MIDDLE + o.x
    # Fixed, as a closed mouth must tell how it opens: a dot becomes a mouth too, and a wide one no cave.
    wide = (o.width**4 + 4.6**4) ** 0.25
    height = 14 * (1 - np.exp(-wide / 6))
    a = 1.6 + 2.2 * o.open_round
    b = 0.85 - 0.35 * o.open_round

    def line(y: F64, half: float, s: F64 = s) -> F64:
        return np.stack([cx + s * half, y], -1)

    def curve(s: F64) -> F64:
        return np.asarray(
            o.y + o.smile * (0.5 - s**2) + 0.35 * np.cos(3 * np.pi * s) * (0.25 if o.smile > 0.5 else 0.0)
        )

    def top(s: F64) -> F64:
        return np.asarray(o.y - 0.5 * o.smile * s**2 - 0.16 * height * (1 - s**2))

    def bottom(s: F64) -> F64:
        return np.asarray(o.y - 0.5 * o.smile * s**2 + 0.78 * height * np.power(np.maximum(1 - np.abs(s) ** a, 0), b))

    closed = line(curve(s), o.width)
    up_line, low_line = line(top(s), wide), line(bottom(s), wide)
    mesh = figure.mesh("mouth")
    mesh.add(
        *sheet(closed, closed, figure.surface, 0.5, figure.head_weight, (*o.inside, 1.0), up_line, low_line, mask, 5)
    )
    q = np.linspace(-0.78, 0.78, 13)
    shut = line(curve(q), o.width, q)
    gap = bottom(q) - top(q)
    tongue_top = top(q) + gap * (0.52 + 0.38 * np.abs(q / 0.78) ** 2.2)
    mesh.add(
        *sheet(
            shut,
            shut,
            figure.surface,
            0.7,
            figure.head_weight,
            (*o.tongue, 1.0),
            line(tongue_top, wide, q),
            line(bottom(q), wide, q),
            mask,
            3,
        )
    )
    if o.teeth:
        mesh.add(
            *sheet(
                shut,
                shut,
                figure.surface,
                0.75,
                figure.head_weight,
                (0.99, 0.98, 0.97, 1.0),
                line(top(q), wide, q),
                line(top(q) + gap * 0.2 * (1 - 0.35 * (q / 0.78) ** 2), wide, q),
                mask,
                3,
            )
        )
    if o.fang:
        q = np.linspace(0.35, 0.6, 5)
        shut = line(curve(q), o.width, q)
        tip = top(q) + (bottom(q) - top(q)) * 0.34 * (1 - np.abs(q - 0.475) / 0.125)
        mesh.add(
            *sheet(
                shut,
                shut,
                figure.surface,
                0.8,
                figure.head_weight,
                (1, 1, 1, 1),
                line(top(q), wide, q),
                line(tip, wide, q),
                mask,
                3,
            )
        )
    if o.lips > 0:
        _lips(figure, line, curve, top, bottom, wide)
    half = o.line_width * (0.35 + 0.65 * np.power(np.maximum(1 - s**2, 0), 0.5))
    corner = o.line_width * (0.8 + 0.45 * smoothstep(0.55, 0.95, np.abs(s)) - 0.55 * smoothstep(0.9, 1.0, np.abs(s)))
    half = 0.5 * half + 0.5 * corner if figure.rng.random() < 0.5 else half
    colour = (*o.line, 1.0)
    mesh.add(*ink(closed, half, figure.surface, 1.1, figure.head_weight, colour, up_line, mask))
    mesh.add(*ink(closed, half, figure.surface, 1.0, figure.head_weight, colour, low_line, mask, half * 0.75))


def _lips(
    figure: Figure,
    line: Callable[[F64, float, F64], F64],
    curve: Callable[[F64], F64],
    top: Callable[[F64], F64],
    bottom: Callable[[F64], F64],
    wide: float,
) -> None:
    """Full lips on both sides of the mouth's line; they part as it does."""
    o = figure.r.mouth
    s = np.linspace(-1, 1, 15)
    closed_half, open_half = max(o.width, 4.0) * 0.95, wide * 1.04
    up = o.lips * (1.5 * np.sqrt(np.maximum(1 - s**2, 0)) - 0.45 * np.exp(-((s / 0.2) ** 2)))
    down = o.lips * 2.3 * np.power(np.maximum(1 - s**2, 0), 0.7)
    shut, colour = line(curve(s), closed_half, s), (*o.lip, 0.85)
    for above, below, opened_above, opened_below in (
        (curve(s) - up, curve(s), top(s) - up, top(s)),
        (curve(s), curve(s) + down, bottom(s), bottom(s) + down),
    ):
        v, f = sheet(
            shut * [1, 0] + above[:, None] * [0, 1],
            shut * [1, 0] + below[:, None] * [0, 1],
            figure.surface,
            0.9,
            figure.head_weight,
            colour,
            line(opened_above, open_half, s),
            line(opened_below, open_half, s),
            (0.0, 0.0, 1.0),
            3,
        )
        v[:, m.MATERIAL.start + 2] = LIPS
        figure.mesh("mouth").add(v, f)
