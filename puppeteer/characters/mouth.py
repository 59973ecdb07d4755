"""A mouth that opens, smiles, purses and stretches, with teeth and tongue.

How it looks when it does is fixed by what the rest image shows, so that a network can learn it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure
from puppeteer.characters.mesh import F64, area, ink, sheet, smoothstep, stroke
from puppeteer.pose import Pose

LIPS = 40.0  # material of what the rest image shows of a mouth: no soft edge, and nothing new where it moves
CORNERS, CORNERS_BY_WIDTH = 1.1, 0.14  # px that corners rise in a smile, and for a px of half width
FROWN = 0.6  # of a drawn smile, that they fall more
ROUND = 0.75  # of the closed line's curve, that a pursed mouth loses
STILL_AT = 0.35  # of the half width squared: where a smile neither raises nor lowers
SMILE_WIDER, FROWN_NARROWER = 0.12, 0.05
OPENED = 0.25  # of `mouth_open`, from which on its vowel is all there
STRETCHED, PURSED = 0.34, 0.42  # of the half width
STRETCHED_LOW, PURSED_LOW = 0.45, 0.10  # of the height that is lost
TEETH, TEETH_STRETCHED = 0.2, 0.24  # of the opening
WHITE = (0.99, 0.98, 0.97, 1.0)
Share = Callable[[F64, Pose], F64 | float]


class Shape:
    """The lines of a mouth over s, -1 at the viewer's left to 1; y in px."""

    def __init__(self, figure: Figure) -> None:
        self.o = o = figure.r.mouth
        self.cx = MIDDLE + o.x
        # Fixed, as a closed mouth must tell how it opens: a dot becomes a mouth too, and a wide one no cave.
        self.wide = (o.width**4 + 4.6**4) ** 0.25
        self.height = 14 * (1 - np.exp(-self.wide / 6))
        self.a = 1.6 + 2.2 * o.open_round
        self.b = 0.85 - 0.35 * o.open_round

    def line(self, y: F64, half: float, s: F64) -> F64:
        return np.stack([self.cx + s * half, y], -1)

    # ---- as the rest image tells them, closed and open

    def curve(self, s: F64) -> F64:
        o = self.o
        return np.asarray(
            o.y + o.smile * (0.5 - s**2) + 0.35 * np.cos(3 * np.pi * s) * (0.25 if o.smile > 0.5 else 0.0)
        )

    def top(self, s: F64) -> F64:
        o = self.o
        return np.asarray(o.y - 0.5 * o.smile * s**2 - 0.16 * self.height * (1 - s**2))

    def bottom(self, s: F64) -> F64:
        o = self.o
        return np.asarray(
            o.y - 0.5 * o.smile * s**2 + 0.78 * self.height * np.power(np.maximum(1 - np.abs(s) ** self.a, 0), self.b)
        )

    # ---- in a pose

    def vowel(self, pose: Pose) -> tuple[float, float]:
        """How far it is stretched, and pursed."""
        apart = float(smoothstep(0.0, OPENED, pose.mouth_open)) * pose.mouth_wide
        return max(apart, 0.0), max(-apart, 0.0)

    def half(self, pose: Pose, closed: float, opened: float) -> float:
        """The half width, from what it is closed and open."""
        stretched, pursed = self.vowel(pose)
        form = pose.mouth_form
        wider = SMILE_WIDER * max(form, 0.0) - FROWN_NARROWER * max(-form, 0.0)
        between = closed + pose.mouth_open * (opened - closed)
        return between * (1 + wider) * (1 + STRETCHED * stretched - PURSED * pursed)

    def bent(self, s: F64, pose: Pose) -> F64:
        """px down, by a smile."""
        amount = CORNERS + CORNERS_BY_WIDTH * self.o.width
        if pose.mouth_form < 0:
            amount += FROWN * max(self.o.smile, 0.0)
        return -pose.mouth_form * amount * (1 - ROUND * self.vowel(pose)[1]) * (s**2 - STILL_AT)

    def parted(self, s: F64, opened: F64, pose: Pose) -> F64:
        """An edge on its way from the closed line to `opened`."""
        closed = self.curve(s)
        closed = closed + ROUND * self.vowel(pose)[1] * (self.o.y - closed)
        return np.asarray(closed + pose.mouth_open * (opened - closed) + self.bent(s, pose))

    def top_in(self, s: F64, pose: Pose) -> F64:
        """Of the mouth as far as it is opened."""
        stretched, pursed = self.vowel(pose)
        o, low = self.o, 1 - STRETCHED_LOW * stretched - PURSED_LOW * pursed
        base = o.y - 0.5 * o.smile * (1 - pursed) * s**2
        arch = 0.16 * (1 - s**2) + pursed * (0.34 * np.sqrt(np.maximum(1 - s**2, 0)) - 0.16 * (1 - s**2))
        opened = base - low * self.height * arch
        return self.parted(s, opened, pose)

    def bottom_in(self, s: F64, pose: Pose) -> F64:
        stretched, pursed = self.vowel(pose)
        o, low = self.o, 1 - STRETCHED_LOW * stretched - PURSED_LOW * pursed
        base = o.y - 0.5 * o.smile * (1 - pursed) * s**2
        sag = np.power(np.maximum(1 - np.abs(s) ** self.a, 0), self.b)
        sag = sag + pursed * (0.8 * np.sqrt(np.maximum(1 - s**2, 0)) - sag)
        opened = base + 0.78 * low * self.height * sag
        return self.parted(s, opened, pose)

    def teeth(self, pose: Pose, own: float) -> float:
        """How far down in the opening they reach."""
        stretched, pursed = self.vowel(pose)
        return own * (1 - 0.8 * pursed) + (TEETH_STRETCHED if own > 0 else TEETH + TEETH_STRETCHED) * stretched


def add_mouth(figure: Figure) -> None:
    o, shape = figure.r.mouth, Shape(figure)
    mask = (0.0, 0.0, 1.0)
    s = np.linspace(-1, 1, 19)
    wide, line, curve, top, bottom = shape.wide, shape.line, shape.curve, shape.top, shape.bottom
    closed = line(curve(s), o.width, s)
    up_line, low_line = line(top(s), wide, s), line(bottom(s), wide, s)

    def between(q: F64, lift: float, rows: int, above: Share, below: Share) -> Callable[[Pose], F64]:
        """What lies between two shares of the opening, over q."""

        def placed(pose: Pose) -> F64:
            half = shape.half(pose, o.width, wide)
            up, down = shape.top_in(q, pose), shape.bottom_in(q, pose)
            a, b = (up + (down - up) * share(q, pose) for share in (above, below))
            return area(line(a, half, q), line(b, half, q), figure.surface, lift, rows)

        return placed

    def laid(
        q: F64,
        a: F64,
        b: F64,
        lift: float,
        rows: int,
        colour: tuple[float, float, float, float],
        above: Share,
        below: Share,
    ) -> None:
        """A part of the inside, between a and b when it is open; nothing when it is closed."""
        shut = line(curve(q), o.width, q)
        ends = line(a, wide, q), line(b, wide, q)
        drawn = sheet(shut, shut, figure.surface, lift, figure.head_weight, colour, *ends, mask, rows)
        figure.add("mouth", drawn, between(q, lift, rows, above, below))

    laid(s, top(s), bottom(s), 0.5, 5, (*o.inside, 1.0), _nothing, _all)
    q = np.linspace(-0.78, 0.78, 13)
    gap = bottom(q) - top(q)
    tongue_top = top(q) + gap * (0.52 + 0.38 * np.abs(q / 0.78) ** 2.2)
    laid(q, tongue_top, bottom(q), 0.7, 3, (*o.tongue, 1.0), lambda q, _: 0.52 + 0.38 * np.abs(q / 0.78) ** 2.2, _all)
    own = TEETH if o.teeth else 0.0
    row = 1 - 0.35 * (q / 0.78) ** 2
    # A stretched mouth shows teeth, whether or not an open one does.
    teeth_low = top(q) + gap * TEETH * row if o.teeth else top(q)
    laid(q, top(q), teeth_low, 0.75, 3, WHITE, _nothing, lambda q, pose: shape.teeth(pose, own) * row)
    if o.fang:
        q = np.linspace(0.35, 0.6, 5)
        tooth = 0.34 * (1 - np.abs(q - 0.475) / 0.125)
        tip = top(q) + (bottom(q) - top(q)) * 0.34 * (1 - np.abs(q - 0.475) / 0.125)
        laid(q, top(q), tip, 0.8, 3, (1, 1, 1, 1), _nothing, lambda q, _: tooth)
    if o.lips > 0:
        _lips(figure, shape)
    half = o.line_width * (0.35 + 0.65 * np.power(np.maximum(1 - s**2, 0), 0.5))
    corner = o.line_width * (0.8 + 0.45 * smoothstep(0.55, 0.95, np.abs(s)) - 0.55 * smoothstep(0.9, 1.0, np.abs(s)))
    half = 0.5 * half + 0.5 * corner if figure.rng.random() < 0.5 else half
    colour = (*o.line, 1.0)

    def stroked(edge: Callable[[F64, Pose], F64], lift: float, thinner: float) -> Callable[[Pose], F64]:
        def placed(pose: Pose) -> F64:
            points = line(edge(s, pose), shape.half(pose, o.width, wide), s)
            return stroke(points, half * (1 - thinner * pose.mouth_open), figure.surface, lift)

        return placed

    upper = ink(closed, half, figure.surface, 1.1, figure.head_weight, colour, up_line, mask)
    figure.add("mouth", upper, stroked(shape.top_in, 1.1, 0.0))
    lower = ink(closed, half, figure.surface, 1.0, figure.head_weight, colour, low_line, mask, half * 0.75)
    figure.add("mouth", lower, stroked(shape.bottom_in, 1.0, 0.25))


def _nothing(q: F64, pose: Pose) -> float:
    return 0.0


def _all(q: F64, pose: Pose) -> float:
    return 1.0


def _lips(figure: Figure, shape: Shape) -> None:
    """Full lips on both sides of the mouth's line; they part as it does."""
    o, line, curve = shape.o, shape.line, shape.curve
    s = np.linspace(-1, 1, 15)
    closed_half, open_half = max(o.width, 4.0) * 0.95, shape.wide * 1.04
    up = o.lips * (1.5 * np.sqrt(np.maximum(1 - s**2, 0)) - 0.45 * np.exp(-((s / 0.2) ** 2)))
    down = o.lips * 2.3 * np.power(np.maximum(1 - s**2, 0), 0.7)
    shut, colour = line(curve(s), closed_half, s), (*o.lip, 0.85)
    for above, below, edge, edge_in in (
        (-up, 0 * up, shape.top, shape.top_in),
        (0 * down, down, shape.bottom, shape.bottom_in),
    ):

        def placed(
            pose: Pose, above: F64 = above, below: F64 = below, edge_in: Callable[[F64, Pose], F64] = edge_in
        ) -> F64:
            half, y = shape.half(pose, closed_half, open_half), edge_in(s, pose)
            return area(line(y + above, half, s), line(y + below, half, s), figure.surface, 0.9, 3)

        v, f = sheet(
            shut * [1, 0] + (curve(s) + above)[:, None] * [0, 1],
            shut * [1, 0] + (curve(s) + below)[:, None] * [0, 1],
            figure.surface,
            0.9,
            figure.head_weight,
            colour,
            line(edge(s) + above, open_half, s),
            line(edge(s) + below, open_half, s),
            (0.0, 0.0, 1.0),
            3,
        )
        v[:, m.MATERIAL.start + 2] = LIPS
        figure.add("mouth", (v, f), placed)
