"""Colours that belong together: hair, irises, skin, and what is worn with them. Pure."""

from __future__ import annotations

import colorsys
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from puppeteer.characters.recipe import Colour


class Draw:
    """Random draws with the few shapes that a recipe needs."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def range(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def near(self, mean: float, spread: float, low: float, high: float) -> float:
        return float(np.clip(self.rng.normal(mean, spread), low, high))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def pick(self, *weighted: tuple[str, float]) -> str:
        weights = np.asarray([w for _, w in weighted])
        return weighted[int(self.rng.choice(len(weighted), p=weights / weights.sum()))][0]

    def index(self, weights: list[float]) -> int:
        p = np.asarray(weights, float)
        return int(self.rng.choice(len(p), p=p / p.sum()))


def hsv(h: float, s: float, v: float) -> Colour:
    return colorsys.hsv_to_rgb(h % 1.0, min(1.0, max(0.0, s)), min(1.0, max(0.0, v)))


def mix(a: Colour, b: Colour, t: float) -> Colour:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def times(a: Colour, b: Colour) -> Colour:
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def luma(c: Colour) -> float:
    return 0.30 * c[0] + 0.59 * c[1] + 0.11 * c[2]


def _hex(text: str) -> Colour:
    return (int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255)


# hue, saturation, value of common hair colours, with their weights
HAIR = (
    ((0.08, 0.42, 0.27), 7),
    ((0.05, 0.42, 0.46), 9),
    ((0.07, 0.45, 0.60), 9),
    ((0.118, 0.34, 0.93), 12),
    ((0.135, 0.52, 0.97), 8),
    ((0.055, 0.66, 0.88), 6),
    ((0.005, 0.60, 0.72), 6),
    ((0.95, 0.34, 0.96), 9),
    ((0.76, 0.32, 0.84), 8),
    ((0.77, 0.42, 0.55), 6),
    ((0.63, 0.36, 0.92), 9),
    ((0.60, 0.48, 0.58), 6),
    ((0.49, 0.40, 0.82), 4),
    ((0.40, 0.34, 0.72), 3),
    ((0.65, 0.07, 0.90), 8),
    ((0.10, 0.06, 0.95), 5),
    ((0.68, 0.28, 0.31), 7),
)
_IRIS_HUES = (
    (0.60, 14),
    (0.55, 9),
    (0.43, 10),
    (0.33, 3),
    (0.09, 9),
    (0.12, 7),
    (0.05, 7),
    (0.98, 9),
    (0.77, 9),
    (0.92, 5),
    (0.67, 6),
)


class HairColours(NamedTuple):
    root: Colour
    mid: Colour
    tip: Colour
    inner: Colour
    shadow: Colour
    light: Colour
    line: Colour
    hue: float


def hair_colours(d: Draw, wild: bool) -> HairColours:
    """Shadows turn away from yellow, lights towards it, as painters have them; `wild` takes any hue at times."""
    h, s, v = HAIR[d.index([w for _, w in HAIR])][0]
    if wild and d.chance(0.4):
        h, s, v = d.range(0, 1), d.range(0.2, 0.9), d.range(0.3, 1.0)
    h, s, v = h + d.near(0, 0.012, -0.03, 0.03), s * d.range(0.8, 1.15), min(1.0, v * d.range(0.92, 1.12))
    warm = h % 1.0 < 0.17 or h % 1.0 > 0.93
    away = -0.030 if warm else (0.035 if h % 1.0 > 0.45 else 0.03)
    mid = hsv(h, s, v)
    root = hsv(h + 0.6 * away, s * d.range(1.0, 1.2), v * d.range(0.84, 1.0))
    tip = hsv(h - 0.5 * away, s * d.range(0.72, 1.05), v * d.range(1.0, 1.12))
    if d.chance(0.12):
        other = hsv(h + d.range(-0.18, 0.18), d.range(0.3, 0.6), d.range(0.75, 1.0))
        tip = mix(tip, other, d.range(0.4, 0.9))
    shadow = hsv(h + away, min(1.0, s * 1.15 + 0.08), v * d.range(0.54, 0.72))
    inner = hsv(h + 1.3 * away, min(1.0, s * 1.1 + 0.07), v * d.range(0.48, 0.68))
    if d.chance(0.08):
        inner = hsv(h + d.range(-0.3, 0.3), d.range(0.35, 0.65), d.range(0.5, 0.9))
    light = mix(hsv(h - 0.8 * away, s * 0.42, min(1.0, v * 1.15 + 0.2)), (1.0, 1.0, 1.0), d.range(0.0, 0.45))
    pale = max(0.0, v - 0.8) * max(0.0, 1 - 2 * s)  # white hair has grey lines
    line = hsv(
        h + away, min(1.0, s * 1.1 + 0.18), (0.12 + v * d.range(0.20, 0.38) + 1.3 * pale) if v > 0.42 else 0.32 * v
    )
    return HairColours(root, mid, tip, inner, shadow, light, line, h % 1.0)


class IrisColours(NamedTuple):
    top: Colour
    bottom: Colour
    rim: Colour
    hue: float


def iris_colours(d: Draw, hair_hue: float, wild: bool) -> IrisColours:
    kind = d.pick(("any", 5), ("like hair", 2.5), ("against hair", 3.5))
    h = _IRIS_HUES[d.index([w for _, w in _IRIS_HUES])][0]
    if kind == "like hair":
        h = hair_hue
    elif kind == "against hair":
        h = hair_hue + 0.5 + d.near(0, 0.06, -0.12, 0.12)
    h += d.near(0, 0.015, -0.04, 0.04)
    if 0.16 < h % 1.0 < 0.30:  # yellow-green eyes look ill
        h += 0.16
    s, v = d.range(0.55, 0.92), d.range(0.62, 0.95)
    if wild:
        s *= d.range(0.25, 1.1)
    top = hsv(h + 0.03, min(1.0, s * 1.1), v * d.range(0.30, 0.52))
    bottom = hsv(h - d.range(0.0, 0.05), s * d.range(0.55, 0.9), min(1.0, v * d.range(1.15, 1.5)))
    rim = hsv(h + 0.04, min(1.0, s * 1.1), v * d.range(0.14, 0.30))
    return IrisColours(top, bottom, rim, h % 1.0)


class Wear(NamedTuple):
    cloth: Colour
    inner: Colour
    trim: Colour
    accent: Colour


_WEAR = tuple(
    Wear(*(_hex(c) for c in row.split()))
    for row in (
        "fbfbfd 2f3a5f 2f3a5f c8384a",  # white, navy, red
        "2c3350 f7f7fa f7f7fa c23b4e",
        "31384a f6f2ea c9a45a 8f2f3a",  # night, cream, gold
        "f6eee2 8a5a44 c98f6b a8493f",  # cream, brown
        "e9c9cf fff7f5 ffffff b5596e",  # old rose
        "cfe0ee ffffff 7f9cc4 45608f",  # pale blue
        "26242c e9e6ef b7a6d8 7d5bb0",  # black, lilac
        "222226 f4f4f4 d94f5c d94f5c",  # black, white, red
        "e7e1f3 6b5b95 a48fd0 6b5b95",  # lilac
        "7a8f6a f5f0dc e8e2c4 a33b3b",  # olive, cream, red
        "d9e7dc 4f7a68 8fb5a0 d98f5b",  # mint
        "b3433f fbf3ec fbf3ec 2e3440",  # red
        "e9784f fdfaf5 3a3f4c fdfaf5",  # orange
        "f2d16b 4b4a57 ffffff 4b4a57",  # yellow
        "5d7fb5 f4f7fb f4f7fb f0c552",  # blue, yellow
        "8d6a9f f3ecf6 f3ecf6 e3b7c6",  # violet
        "ffffff dfe6ee 9db4cf 5a86c0",  # white, ice
        "fdf6f0 e7b8b0 e7b8b0 c0646a",  # white, rose
        "4a3b36 ede0cf c49a6c c46a4a",  # coffee
        "3e5c63 e6efe9 b8d4c8 e0a458",  # petrol
        "98a2b3 f6f7f9 5e6a80 3f4a5f",  # grey
        "f4b9c4 fff6f7 ffffff 6aa0c9",  # pink, sky
        "1f3d4d d7ecef 6fc3c9 f2f2f2",  # deep teal
        "6d2f45 f4e6e1 d9a7a0 e7c58a",  # wine, gold
    )
)


def wear(d: Draw, iris_hue: float, hair: Colour, wild: bool) -> Wear:
    """Four colours of clothes; in a wild recipe any, at times."""
    if wild and d.chance(0.6):
        return Wear(cloth_colour(d), cloth_colour(d), cloth_colour(d), cloth_colour(d))
    # clothes that stand out from the hair which lies on them
    apart = [0.15 + abs(luma(w.cloth) - luma(hair)) + 0.5 * _distance(w.cloth, hair) for w in _WEAR]
    w = _WEAR[d.index(apart)]
    shift = d.near(0, 0.012, -0.03, 0.03)
    w = Wear(*(_shifted(c, shift, d.range(0.92, 1.08), d.range(0.96, 1.03)) for c in w))
    if d.chance(0.4):  # the eyes' own colour comes again in a ribbon or a tie
        w = w._replace(accent=hsv(iris_hue, d.range(0.45, 0.75), d.range(0.55, 0.9)))
    return w


def _distance(a: Colour, b: Colour) -> float:
    return float(np.abs(np.subtract(a, b)).mean())


def _shifted(c: Colour, hue: float, saturation: float, value: float) -> Colour:
    h, s, v = colorsys.rgb_to_hsv(*c)
    return hsv(h + hue, s * saturation, v * value)


def cloth_colour(d: Draw) -> Colour:
    kind = d.pick(("white", 5), ("dark", 4), ("any", 6), ("pastel", 3), ("grey", 1))
    if kind == "white":
        return hsv(d.range(0, 1), d.range(0, 0.05), d.range(0.93, 1.0))
    if kind == "dark":
        return hsv(d.range(0.55, 1.0), d.range(0.1, 0.4), d.range(0.12, 0.32))
    if kind == "pastel":
        return hsv(d.range(0, 1), d.range(0.1, 0.3), d.range(0.85, 1.0))
    if kind == "grey":
        return hsv(d.range(0, 1), d.range(0, 0.12), d.range(0.4, 0.8))
    return hsv(d.range(0, 1), d.range(0.3, 0.9), d.range(0.35, 0.95))


def skin_colours(d: Draw, wild: bool) -> tuple[Colour, Colour, Colour]:
    """Skin, its shadow and its line."""
    kind = d.pick(("light", 78), ("pale", 5), ("tan", 9), ("dark", 6), ("fantasy", 4 if wild else 0.0001))
    if kind == "light":
        base = hsv(d.near(0.068, 0.010, 0.040, 0.10), d.range(0.07, 0.17), 1.0)
    elif kind == "pale":
        base = hsv(d.range(0.0, 0.09), d.range(0.03, 0.07), d.range(0.98, 1.0))
    elif kind == "tan":
        base = hsv(d.range(0.058, 0.08), d.range(0.26, 0.38), d.range(0.86, 0.96))
    elif kind == "dark":
        base = hsv(d.range(0.045, 0.07), d.range(0.40, 0.54), d.range(0.48, 0.70))
    else:
        base = hsv(d.range(0.0, 1.0), d.range(0.08, 0.3), d.range(0.75, 0.98))
    warm, cool = (0.97, 0.78, 0.72), (0.91, 0.76, 0.80)
    shadow = times(base, mix((1.0, 1.0, 1.0), mix(warm, cool, d.range(0, 1)), d.range(0.8, 1.2)))
    line = mix(times(base, (0.62, 0.32, 0.28)), (0.20, 0.11, 0.13), d.range(0.0, 0.6 if not wild else 0.9))
    return base, shadow, line


def grey(thing: Any) -> Any:
    """The same dataclass with every colour as its luma."""
    changes: dict[str, Any] = {}
    for f in fields(thing):
        value = getattr(thing, f.name)
        if is_dataclass(value):
            changes[f.name] = grey(value)
        elif str(f.type).startswith("Colour") and value is not None:
            changes[f.name] = (luma(value),) * 3
    return replace(thing, **changes)
