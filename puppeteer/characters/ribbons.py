"""Tied ribbons, in hair and on hats."""

from __future__ import annotations

import numpy as np

from puppeteer.characters.figure import Figure, mix
from puppeteer.characters.moving import tied
from puppeteer.characters.recipe import Colour


def ribbon_bow(figure: Figure, at: tuple[float, float], z: float, size: float, angle: float) -> None:
    """A tied ribbon: two loops, two tails and a knot; `angle` is the side of the head that it sits on, in degrees."""
    colour, turn = figure.r.extras.colour, np.radians(0.35 * angle)
    dark = mix(colour, (0.1, 0.04, 0.12), 0.25)
    c, s = float(np.cos(turn)) * size, float(np.sin(turn)) * size

    def placed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(at[0] + c * x - s * y, at[1] + s * x + c * y) for x, y in points]

    def lay(
        a: list[tuple[float, float]], b: list[tuple[float, float]], paint: Colour, lift: float, bulge: float
    ) -> None:
        flat = lambda x, y: np.full_like(x, z)  # noqa: E731
        figure.patch("prop_head", placed(a), placed(b), paint, flat, lift, bulge)

    for side in (-1.0, 1.0):

        def across(points: list[tuple[float, float]], side: float = side) -> list[tuple[float, float]]:
            return [(side * x, y) for x, y in points]

        lay(across([(1, 1), (4, 9), (9, 18)]), across([(3.5, 0), (10, 7), (15, 14)]), dark, 0.5, 0.6)
        figure.hang("prop_head", tied(*at, 2.0))
        top = [(1.0, -2.0), (8.0, -8.5), (17.0, -8.0), (18.5, -1.0)]
        low = [(1.0, 2.0), (8.0, 5.0), (15.5, 6.0), (18.5, 1.0)]
        lay(across(top), across(low), colour, 2.0, 2.5)
        lay(across([(2.5, -0.6), (8, -1.4)]), across([(2.5, 0.9), (9.5, 0.4)]), dark, 5.4, 0.0)
    lay(
        [(-2.8, -3.4), (-3.4, 0), (-2.8, 3.4)],
        [(2.8, -3.4), (3.4, 0), (2.8, 3.4)],
        mix(colour, (1, 1, 1), 0.1),
        5.5,
        1.2,
    )
