"""Collars, ties, ribbons and other things that are sewn on or held before the chest."""

from __future__ import annotations

import numpy as np

from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.mesh import F64, smoothstep
from puppeteer.characters.recipe import Colour

Points = list[tuple[float, float]]


class Tailor:
    """Lays cloth round a neck and on a chest."""

    def __init__(self, figure: Figure) -> None:
        self.figure, self.b, self.rng = figure, figure.r.body, figure.rng
        self.nw = self.b.neck_width

    def around(self, x: F64, y: F64) -> F64:
        """What a collar lies on: the chest, and the neck above it."""
        wide = self.nw + 1.5
        neck = -5 + np.sqrt(np.maximum(wide**2 - (x - MIDDLE) ** 2, 0))
        high = smoothstep(218.0, 205.0, y)
        return np.asarray(np.maximum(self.figure.chest(x, y), neck * high - 6 * (1 - high)), np.float64)

    def behind(self, x: F64, y: F64) -> F64:
        return np.full_like(np.asarray(x, float), -17.0)

    def both(self, left: Points, right: Points, colour: Colour, lift: float = 2.0, **how: float) -> None:
        """A patch and its mirror image; points are (px from the middle, row)."""
        for side in (-1.0, 1.0):
            a = [(MIDDLE + side * x, y) for x, y in left]
            b = [(MIDDLE + side * x, y) for x, y in right]
            self.figure.patch("prop_body", a, b, colour, self.around, lift, **how)  # type: ignore[arg-type]

    def one(self, left: Points, right: Points, colour: Colour, lift: float = 2.0, **how: float) -> None:
        a = [(MIDDLE + x, y) for x, y in left]
        b = [(MIDDLE + x, y) for x, y in right]
        self.figure.patch("prop_body", a, b, colour, self.around, lift, **how)  # type: ignore[arg-type]

    def stand(self, top: float, wide: float, colour: Colour) -> None:
        """The inside of a collar, behind the neck."""
        dark = mix(colour, (0.25, 0.22, 0.35), 0.25)
        left = [(MIDDLE - wide, top + 4.5), (MIDDLE, top), (MIDDLE + wide, top + 4.5)]
        right = [(MIDDLE - wide - 3, 216.0), (MIDDLE, 219.0), (MIDDLE + wide + 3, 216.0)]
        self.figure.patch("prop_body", left, right, dark, self.behind, 0.0, 0.0)


def add_clothes(figure: Figure) -> None:
    b, tailor = figure.r.body, Tailor(figure)
    collars = {
        "shirt": _shirt,
        "sailor": _sailor,
        "lapels": _lapels,
        "hood": _hood,
        "stand": _standing,
        "scarf": _scarf,
        "high": _high,
        "frill": _frill,
        "ruffle": _ruffle,
        "round": _round,
        "cross": _cross,
    }
    if b.collar in collars:
        collars[b.collar](tailor)
    bows = {"bow": _bow, "tie": _tie, "neckerchief": _neckerchief, "cord": _cord, "strings": _strings}
    if b.bow in bows:
        bows[b.bow](tailor)
    for i in range(b.buttons):
        y = 231.0 + 13 * i
        dot = np.array([[MIDDLE - 0.9, y], [MIDDLE + 0.9, y]])
        colour = (*mix(b.trim, (0.3, 0.28, 0.35), 0.35), 0.9)
        figure.add_ink("ink_body", dot, np.full(2, 1.0), colour, figure.chest, 1.2, figure.body_weight)
    if b.buttons:
        line = np.stack([np.full(6, MIDDLE + 2.6), np.linspace(222, 300, 6)], -1)
        colour = (*mix(b.cloth, (0.2, 0.18, 0.3), 0.4), 0.8)
        figure.add_ink("ink_body", line, np.full(6, 0.35), colour, figure.chest, 1.1, figure.body_weight)
    if b.choker:
        _choker(figure)
    _held(figure)


def _shirt(t: Tailor, colour: Colour | None = None, spread: float = 1.0) -> None:
    c, nw = colour or t.b.inner, t.nw
    t.stand(197.0, nw + 2, c)
    inner = [(nw + 1.5, 198.5), (nw - 1.5, 205.0), (2.0, 213.5)]
    outer = [(nw + 4.5, 201.0), (nw + 6.5, 211.0), (9.0 + 3 * spread, 223.0)]
    t.both(inner, outer, c, 3.0, bulge=1.2, fold=0.3)


def _sailor(t: Tailor) -> None:
    nw, c = t.nw, t.b.inner
    t.stand(198.0, nw + 3, c)
    inner = [(nw + 2.5, 200.0), (nw + 1.0, 210.0), (8.0, 222.0), (1.5, 236.0)]
    outer = [(nw + 13, 204.0), (nw + 25, 212.0), (nw + 16, 226.0), (3.5, 241.0)]
    t.both(inner, outer, c, 2.2, bulge=1.5, fold=0.5)
    for i in range(1 if t.rng.random() < 0.5 else 2):
        s = 2.6 + 2.6 * i
        a = [(nw + 13 - 0.4 * s, 204.3 + 0.3 * s), (nw + 25 - s, 212.0 + 0.2 * s), (nw + 16 - s, 225.0), (4.0, 238 - s)]
        b = [(x - 1.1, y + 0.1) for x, y in a]
        t.both(a, b, t.b.trim, 4.2, bulge=0.0, ends=False)


def _lapels(t: Tailor) -> None:
    _shirt(t, t.b.inner, 0.6)
    nw, g = t.nw, t.b.jacket
    c = mix(t.b.cloth, (1, 1, 1), 0.06)
    inner = [(nw + 4.5, 204.0), (nw + 4.0, 214.0), (0.3 * g + 6, 234.0), (g, 258.0)]
    outer = [(nw + 10, 205.0), (nw + 17, 217.0), (nw + 11, 232.0), (g + 1.0, 259.0)]
    t.both(inner, outer, c, 5.0, bulge=1.0, fold=0.3)
    collar = [(nw + 3.0, 200.0), (nw + 4.5, 208.0), (nw + 5.5, 215.0)]
    over = [(nw + 10, 203.0), (nw + 14, 212.0), (nw + 12.5, 218.5)]
    t.both(collar, over, c, 6.4, bulge=0.6)


def _hood(t: Tailor) -> None:
    nw, c = t.nw, t.b.inner
    back = mix(c, (0.3, 0.28, 0.42), 0.30)
    left = [(MIDDLE - nw - 24, 214.0), (MIDDLE - nw - 13, 199.0), (MIDDLE, 195.0), (MIDDLE + nw + 13, 199.0)]
    left.append((MIDDLE + nw + 24, 214.0))
    right = [(MIDDLE - nw - 10, 220.0), (MIDDLE - 8, 219.0), (MIDDLE, 219.0), (MIDDLE + 8, 219.0)]
    right.append((MIDDLE + nw + 10, 220.0))
    t.figure.patch("prop_body", left, right, back, t.behind, 0.0, 0.0, 0.6)
    inner = [(nw + 5.0, 199.0), (nw + 2.5, 207.0), (7.0, 217.0), (1.5, 228.0)]
    outer = [(nw + 21, 203.0), (nw + 24, 216.0), (nw + 11, 229.0), (4.0, 236.0)]
    t.both(inner, outer, c, 3.2, bulge=5.0, fold=0.8)


def _standing(t: Tailor) -> None:
    c = mix(t.b.cloth, (1, 1, 1), 0.05)
    t.stand(195.0, t.nw + 4, c)
    g = t.b.jacket
    inner = [(t.nw + 3.5, 196.0), (t.nw + 2.0, 206.0), (0.4 * g + 5.5, 222.0)]
    outer = [(t.nw + 7.0, 200.0), (t.nw + 8.5, 211.0), (0.5 * g + 9.5, 224.0)]
    t.both(inner, outer, c, 3.4, bulge=1.4)
    line = [(0.4 * g + 5.5, 222.0), (0.8 * g + 2.5, 245.0), (g + 2.5, 280.0)]
    t.both(line, [(x + 2.6, y) for x, y in line], t.b.trim, 1.6, bulge=0.2, ends=False)


def _scarf(t: Tailor) -> None:
    nw, c = t.nw, t.b.accent
    for k, (top, wide) in enumerate(((193.0, nw + 6), (201.0, nw + 11))):
        left = [(-wide, top + 2), (0.0, top + 10), (wide, top + 2)]
        right = [(-wide - 4, top + 15), (2.0, top + 24), (wide + 4, top + 15)]
        t.one(left, right, c, 6.0 + 3 * k, bulge=5.0, fold=1.0)
    t.one([(6, 220), (9, 240), (10, 290)], [(18, 219), (22, 240), (24, 290)], c, 9.0, bulge=2.0, fold=1.0)


def _high(t: Tailor) -> None:
    nw, c, rise = t.nw, t.b.cloth, t.rng.uniform(191, 197)
    t.stand(rise, nw + 1, c)
    left = [(-nw - 1.8, rise + 2.5), (0.0, rise + 7.0), (nw + 1.8, rise + 2.5)]
    right = [(-nw - 6.5, 212.0), (0.0, 217.5), (nw + 6.5, 212.0)]
    t.one(left, right, c, 2.0, bulge=1.0, fold=0.5, columns=7)
    for k in (0.35, 0.7):
        y = rise + 6 + k * (217 - rise - 6)
        at = np.linspace(-1, 1, 11)
        line = np.stack([MIDDLE + at * (nw + 2 + 3 * k), y - 4.6 * at**2], -1)
        ink = (*mix(c, (0.15, 0.1, 0.2), 0.45), 0.6)
        half = 0.4 * np.sqrt(np.maximum(1 - at**2, 0)) + 0.05
        t.figure.add_ink("ink_body", line, half, ink, t.around, 4.6, t.figure.body_weight)


def _frill(t: Tailor) -> None:
    """A pleated collar round the neck's foot."""
    n, nw, c = 9, t.nw, mix(t.b.inner, (1, 1, 1), 0.35)
    a = np.linspace(-0.12 * np.pi, 1.12 * np.pi, 4 * n + 1)
    wave = np.abs(np.sin(np.linspace(0, n * np.pi, len(a))))
    x, y = np.cos(a), np.sin(a)
    top = list(zip((nw + 2.5) * x, 204 + 9.5 * y, strict=True))
    low = list(zip((nw + 8.5 + 2.6 * wave) * x, 206 + (15.0 + 2.6 * wave) * y, strict=True))
    _pleats(t, top, low, c, 4, 3.2)


def _ruffle(t: Tailor) -> None:
    """A pleated band hanging over arms and chest from bare shoulders."""
    n = 11
    at = np.linspace(-1, 1, 4 * n + 1)
    x = at * 1.0 * t.b.shoulder
    wave = np.abs(np.sin(np.linspace(0, n * np.pi, len(at))))
    y = t.b.bare + 3.5 * np.cos(x * 0.10) - 2.5
    top = list(zip(x, y, strict=True))
    low = list(zip(x * 1.03, y + 10 + 3.2 * wave, strict=True))
    _pleats(t, top, low, t.b.inner, 4, 15.0)


def _pleats(t: Tailor, top: Points, low: Points, colour: Colour, every: int, lift: float) -> None:
    """Cloth between two edges, with a fold wherever the lower edge is drawn in."""
    t.one(top, low, colour, lift, bulge=1.4, rows=2 * len(top), fold=0.3)
    ink = (*mix(colour, (0.25, 0.16, 0.3), 0.5), 0.8)
    for k in range(every, len(top) - 1, every):
        (x, y), (x2, y2) = top[k], low[k]
        line = np.array(
            [[MIDDLE + x2, y2], [MIDDLE + 0.5 * (x + x2), 0.5 * (y + y2)], [MIDDLE + 0.8 * x + 0.2 * x2, y]]
        )
        half = np.array([0.55, 0.4, 0.05])
        t.figure.add_ink("ink_body", line, half, ink, t.around, lift + 3.0, t.figure.body_weight)


def _round(t: Tailor) -> None:
    """Two flat round halves."""
    w, nw = t.b.neckline[0], t.nw
    inner = [(nw + 2, 203.0), (0.75 * nw, 212.0), (1.0, 208 + 0.5 * t.b.neckline[1])]
    outer = [(nw + 10, 206.0), (max(nw, w) + 3, 218.0), (5.0, 218 + 0.5 * t.b.neckline[1])]
    t.both(inner, outer, t.b.inner, 2.6, bulge=1.0)


def _cross(t: Tailor) -> None:
    nw = t.nw
    for side, lift in ((1.0, 2.4), (-1.0, 4.4)):
        inner = [(side * (nw + 2), 200.0), (side * (nw - 1), 211.0), (-side * 4, 234.0), (-side * 16, 262.0)]
        outer = [(side * (nw + 8), 203.0), (side * (nw + 9), 214.0), (side * 5, 240.0), (-side * 8, 268.0)]
        t.one(inner, outer, t.b.inner, lift, bulge=0.8)
        band = [(x + side * 6.0, y + 1.5) for x, y in inner]
        t.one(band, [(x + side * 1.4, y + 0.6) for x, y in band], t.b.accent, lift + 1.4, bulge=0.0, ends=False)
    t.stand(198.0, nw + 2, t.b.inner)


def _knot_row(t: Tailor) -> float:
    return {"sailor": 236.0, "hood": 230.0, "high": 220.0, "ruffle": t.b.bare + 4}.get(t.b.collar, 217.0)


def _bow(t: Tailor) -> None:
    y, c, size = _knot_row(t), t.b.accent, t.rng.uniform(0.85, 1.2)
    dark = mix(c, (0.1, 0.05, 0.15), 0.22)
    for spread, drop in ((6.0, 22.0),):
        tail = [(1.0, y), (2.5, y + 0.5 * drop), (spread, y + drop)]
        t.both(tail, [(4.0, y + 1), (7.5, y + 0.45 * drop), (spread + 6.5, y + drop - 4)], dark, 4.5, bulge=0.8)
    low = [(1.0, y + 1.5), (7 * size, y + 5.5 * size), (15 * size, y + 5.0 * size)]
    top = [(1.0, y - 1.5), (7 * size, y - 5.5 * size), (15.5 * size, y - 4.5 * size)]
    t.both(top, low, c, 5.6, bulge=2.6, fold=0.6)
    for s in (-1.0, 1.0):
        line = np.array([[MIDDLE + s * 2.5, y + 0.3], [MIDDLE + s * 6, y + 0.8], [MIDDLE + s * 9.5, y + 0.2]])
        ink = (*mix(c, (0.1, 0.04, 0.1), 0.55), 0.8)
        t.figure.add_ink("ink_body", line, np.array([0.5, 0.4, 0.06]), ink, t.around, 9.5, t.figure.body_weight)
    t.figure.patch(
        "prop_body",
        [(MIDDLE - 2.6, y - 3.0), (MIDDLE - 3.2, y), (MIDDLE - 2.6, y + 3.2)],
        [(MIDDLE + 2.6, y - 3.0), (MIDDLE + 3.2, y), (MIDDLE + 2.6, y + 3.2)],
        mix(c, (1, 1, 1), 0.08),
        t.around,
        7.6,
        1.6,
    )


def _tie(t: Tailor) -> None:
    y, c = _knot_row(t) - 2.5, t.b.accent
    t.one([(-3.8, y - 2), (-2.2, y + 6)], [(3.8, y - 2), (2.2, y + 6)], mix(c, (1, 1, 1), 0.06), 5.6, bulge=1.4)
    t.one(
        [(-2.4, y + 5), (-4.6, y + 24), (-6.4, y + 60)],
        [(2.4, y + 5), (5.0, y + 24), (7.0, y + 60)],
        c,
        4.2,
        bulge=1.2,
        fold=0.6,
    )


def _neckerchief(t: Tailor) -> None:
    y, c = _knot_row(t) - 1.0, t.b.accent
    left = [(0.5, y), (2.0, y + 11), (2.5, y + 24)]
    t.both(left, [(2.5, y), (9.5, y + 9), (13.0, y + 20)], c, 4.4, bulge=1.2, fold=0.6)
    t.one([(-3.0, y - 3.6), (-3.8, y + 4)], [(3.0, y - 3.6), (3.8, y + 4)], mix(c, (1, 1, 1), 0.08), 6.6, bulge=1.8)


def _cord(t: Tailor) -> None:
    """A thin ribbon, tied."""
    y, c = _knot_row(t), t.b.accent
    low = [(0.5, y + 1), (5.5, y + 3.4), (10, y + 2.0)]
    t.both([(0.5, y - 1), (5.5, y - 3.2), (10, y - 1.0)], low, c, 5.0, bulge=0.8)
    t.both([(0.2, y), (2.4, y + 12), (3.4, y + 22)], [(1.6, y), (4.2, y + 12), (5.4, y + 21)], c, 4.4, bulge=0.3)


def _strings(t: Tailor) -> None:
    y, c = 231.0, mix(t.b.inner, (1, 1, 1), 0.55)
    for side in (-1.0, 1.0):
        left = [(side * 4.5, y), (side * 6.2, y + 10), (side * 5.8, y + 22)]
        right = [(side * 4.5 + 1.5, y), (side * 6.2 + 1.5, y + 10), (side * 5.8 + 1.5, y + 22)]
        t.one(left, right, c, 8.0, bulge=0.4)


def _choker(figure: Figure) -> None:
    nw, c = figure.r.body.neck_width, figure.r.body.accent
    dark = mix(c, (0.1, 0.08, 0.12), 0.45)
    a = np.linspace(0, 2 * np.pi, 20, endpoint=False)[None]
    y = np.linspace(200.0, 203.4, 3)[:, None]
    w = nw * 0.98 + 0.9
    points = np.stack([MIDDLE + w * np.sin(a) + 0 * y, y + 1.8 * np.cos(a), -5 + w * np.cos(a) + 0 * y], -1)
    figure.ring("prop_neck", points, dark)
    figure.ball("prop_neck", (MIDDLE, 206.2, -5 + w + 1), (1.7, 1.9, 1.2), mix(c, (1, 1, 1), 0.4))


def _held(figure: Figure) -> None:
    """A fist before the chest, its sleeve, and perhaps what it holds."""
    rng, b = figure.rng, figure.r.body
    for _ in range(b.blob):
        side = float(rng.choice([-1, 1]))
        x, y = MIDDLE + side * rng.uniform(14, 40), rng.uniform(220, 240)
        z0 = float(figure.chest(np.array([x]), np.array([y]))[0]) + 12
        skin = figure.r.skin
        sleeve = b.sleeves if b.sleeve != "bare" else skin
        arm = [
            (x + side * rng.uniform(12, 24), 296.0, z0 - 6),
            (x + side * 7, y + 32, z0 - 2),
            (x + side * 2, y + 9, z0),
        ]
        figure.tube("prop_body", arm, [12.0, 10.5, 7.5], sleeve)
        if rng.random() < 0.35:
            figure.ball("prop_body", (x, y - 7, z0 + 1), (rng.uniform(3, 7), rng.uniform(9, 15), 4), b.accent, 0.2)
        figure.ball("prop_body", (x, y + 1, z0 + 2), (7.6, 8.2, 6), skin, side * 0.25)
        for i in range(4):  # fingers curl towards the middle
            fy = y - 4.5 + 3.1 * i
            figure.ball(
                "prop_body", (x - side * (3.6 - 0.4 * i), fy, z0 + 7), (4.4 - 0.3 * i, 1.9, 2.2), skin, -side * 0.2
            )
        figure.ball("prop_body", (x + side * 2.5, y - 5.5, z0 + 7), (2.2, 4.6, 2.2), skin, side * 0.7)
