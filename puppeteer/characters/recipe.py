"""A character as named parameters, drawn from a seed. Pure numbers, no geometry.

Lengths are spec pixels (a 256 px picture), colours are sRGB in [0, 1]. What the rest image does not show (how a closed
eye or an opened mouth looks) has no parameter here: it is a fixed function of what it does show.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Literal

import numpy as np

Split = Literal["train", "validation", "test"]
Colour = tuple[float, float, float]
_SPLITS = {"train": 0, "validation": 1, "test": 2}

BANGS = ("full", "parted", "side", "hime", "tousled", "one_eye", "crown", "short", "micro", "centre")
BANGS_TEST = ("curtain",)
BACKS = ("long", "wavy", "bob", "flip", "short", "spiky", "twin", "pony", "bun", "half_up", "layered")
BACKS_TEST = ("drill",)
IRISES = ("gradient", "ring", "flat", "deep", "glow")
IRISES_TEST = ("star",)


@dataclass(frozen=True, slots=True)
class Head:
    face_width: float  # half width at the cheeks
    jaw_power: float  # lower: pointed, higher: round
    jaw_square: float
    chin_y: float
    depth: float
    ear_y: float
    ears: tuple[float, ...]  # sides (-1 viewer's left, 1 right) where hair leaves an ear bare
    turn: tuple[float, float, float]  # degrees of z, x, y that the rest drawing already has


@dataclass(frozen=True, slots=True)
class Eyes:
    spacing: float  # from the middle to an eye's centre
    y: float
    half_width: float
    upper: float  # height of the upper lid over the corners
    lower: float  # depth of the lower lid under them
    tilt: float  # rise of the outer corner
    peak: float  # where the upper lid is highest, -1 inner .. 1 outer
    roundness: float
    iris_width: float
    iris_height: float
    iris_y: float
    gaze: tuple[float, float]
    iris: str
    pupil: float
    top: Colour
    bottom: Colour
    rim: Colour
    other: Colour | None  # bottom colour of the left iris where it differs
    sclera: Colour
    highlights: tuple[tuple[float, float, float, float], ...]  # x, y, radius x, radius y in iris radii
    glow: float
    lash: Colour
    lash_thick: float
    lash_wing: float
    lash_spikes: int
    lower_lash: float
    crease: float
    asymmetry: float


@dataclass(frozen=True, slots=True)
class Face:
    brow_y: float
    brow_length: float
    brow_thick: float
    brow_tilt: float
    brow_arch: float
    brow_alpha: float
    brow: Colour
    nose: str
    nose_y: float
    nose_alpha: float
    blush: float
    blush_colour: Colour
    blush_lines: bool
    through_hair: float  # opacity of lashes and brows drawn over hair
    eye_through_hair: float  # opacity of the whole eye drawn over hair
    marks: int  # 0 none, 1 mole, 2 freckles, 3 plaster


@dataclass(frozen=True, slots=True)
class Mouth:
    x: float
    y: float
    width: float  # half width of the closed line
    smile: float
    open_round: float
    line: Colour
    line_width: float
    teeth: bool
    fang: bool
    inside: Colour
    tongue: Colour


@dataclass(frozen=True, slots=True)
class Hair:
    bangs: str
    back: str
    radius: float  # half width of the hair's shell
    volume: float
    bangs_y: float
    bangs_count: int
    bangs_width: float
    bangs_sweep: float
    side_locks: int
    side_length: float
    side_width: float
    back_length: float
    back_flare: float
    wave: float
    curl: float
    strays: int
    ahoge: int
    drape: int  # locks that fall over each shoulder to the chest
    split: float  # how many locks end in several points
    wisps: int  # short locks over each cheek
    root: Colour
    mid: Colour
    tip: Colour
    inner: Colour
    shadow: Colour
    light: Colour
    line: Colour
    band: tuple[float, float, float, float]  # arc, width, strength, zigzag of the bright band
    streaks: float
    strands: float  # darkness of fine lines within locks
    variety: float  # how much neighbouring locks differ in tone


@dataclass(frozen=True, slots=True)
class Body:
    neck_width: float
    shoulder: float
    slope: float  # higher: shoulders hang lower
    neckline: tuple[float, float, float, float]  # half width, depth, two shape powers
    bare: float  # row under which cloth starts on bare shoulders; 0 for none
    cloth: Colour
    trim: Colour
    trim_width: float
    inner: Colour
    collar: str
    bow: str
    accent: Colour
    choker: bool
    blob: int
    straps: bool
    jacket: float  # half width at the bottom of an open jacket's gap; 0 for none
    braces: float  # half width of two bands over the shoulders; 0 for none
    bust: float
    lean: float  # how far the body's middle drifts sideways by the picture's lower edge
    tilt: float  # fall of the shoulders to the viewer's right, pixels per pixel


@dataclass(frozen=True, slots=True)
class Extras:
    animal_ears: str
    hat: str
    ribbon: str
    clips: int
    glasses: str
    glasses_colour: Colour
    earrings: bool
    colour: Colour
    second: Colour
    watermark: bool


@dataclass(frozen=True, slots=True)
class Style:
    line_width: float
    line_alpha: float
    hair_line: float
    shade: Literal["flat", "toon", "soft", "paint"]
    shade_strength: float
    softness: float
    hair_shadow: float
    shadow_shift: tuple[float, float]
    light: tuple[float, float, float]
    texture: float
    fringe: float  # a pale halo as of a careless cut-out
    ragged: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that makes one character; equal seeds and splits give equal recipes."""

    seed: int
    split: Split
    rest_mouth: float  # opening in [0, 1] that the rest image shows
    root_xy: tuple[float, float]
    tip_xy: tuple[float, float]
    head: Head
    eyes: Eyes
    face: Face
    mouth: Mouth
    hair: Hair
    body: Body
    extras: Extras
    style: Style
    skin: Colour
    skin_shadow: Colour
    skin_line: Colour


def _hsv(h: float, s: float, v: float) -> Colour:
    return colorsys.hsv_to_rgb(h % 1.0, min(1.0, max(0.0, s)), min(1.0, max(0.0, v)))


def _mix(a: Colour, b: Colour, t: float) -> Colour:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def _times(a: Colour, b: Colour) -> Colour:
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


# hue, saturation, value of common hair colours, with their weights
_HAIR = (
    ((0.08, 0.45, 0.20), 7),
    ((0.05, 0.45, 0.42), 10),
    ((0.07, 0.50, 0.55), 9),
    ((0.125, 0.36, 0.93), 13),
    ((0.145, 0.55, 0.97), 9),
    ((0.055, 0.75, 0.86), 7),
    ((0.00, 0.68, 0.70), 6),
    ((0.95, 0.40, 0.95), 8),
    ((0.76, 0.38, 0.80), 8),
    ((0.77, 0.45, 0.50), 6),
    ((0.63, 0.42, 0.90), 9),
    ((0.60, 0.50, 0.55), 5),
    ((0.50, 0.45, 0.80), 4),
    ((0.38, 0.40, 0.70), 3),
    ((0.65, 0.06, 0.90), 7),
    ((0.10, 0.07, 0.95), 5),
    ((0.70, 0.25, 0.24), 5),
)
_IRIS_HUES = (
    (0.60, 14),
    (0.55, 8),
    (0.42, 10),
    (0.30, 4),
    (0.09, 9),
    (0.13, 7),
    (0.06, 8),
    (0.98, 9),
    (0.77, 9),
    (0.92, 5),
    (0.67, 6),
)


class _Draw:
    """Random draws with the few shapes a recipe needs."""

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


def _weighted_hsv(draw: _Draw) -> tuple[float, float, float]:
    weights = np.asarray([w for _, w in _HAIR], float)
    return _HAIR[int(draw.rng.choice(len(_HAIR), p=weights / weights.sum()))][0]


def make_recipe(seed: int, split: Split = "train") -> Recipe:
    """The recipe of a seed, the same on every machine.

    The test split draws some hair shapes and iris designs that train and validation never show.
    Raises ValueError for a negative seed or an unknown split.
    """
    if seed < 0 or split not in _SPLITS:
        raise ValueError(f"seed {seed} must be at least 0 and split {split!r} one of {', '.join(_SPLITS)}")
    d = _Draw(np.random.default_rng([_SPLITS[split] if split == "test" else 0, seed]))
    odd = d.chance(0.2)  # a fifth of outliers
    wide = 1.6 if odd else 1.0
    test = split == "test"
    style = _style(d)
    skin, skin_shadow, skin_line = _skin(d, odd)
    turned = d.chance(0.55)
    head = Head(
        face_width=d.near(34.2, 1.8 * wide, 30.5, 40),
        jaw_power=d.near(1.98, 0.2 * wide, 1.5, 2.8),
        jaw_square=d.near(0.68, 0.06 * wide, 0.52, 0.85),
        chin_y=d.near(190.5, 1.2, 187, 193),
        depth=d.near(36.5, 2.2 * wide, 30, 43),
        ear_y=d.near(153, 2, 148, 158),
        ears=((-1.0, 1.0), (-1.0,), (1.0,))[d.whole(0, 2)] if d.chance(0.42) else (),
        turn=(d.near(0, 3.5, -9, 9), d.near(0, 2.4, -6, 6), d.near(0, 6.5, -16, 16)) if turned else (0.0, 0.0, 0.0),
    )
    hair = _hair(d, style, odd, test)
    eyes = _eyes(d, hair, odd, test)
    mouth_open = d.chance(0.5)
    rest_mouth = (d.range(0.5, 1.0) if d.chance(0.75) else d.range(0.1, 0.5)) if mouth_open else 0.0
    line = _mix((0.25, 0.1, 0.1), _times(skin_line, (0.9, 0.75, 0.75)), d.range(0.15, 1.0))
    if d.chance(0.35):  # a line so faint that only its place tells a mouth
        line = _mix(line, skin_shadow, d.range(0.3, 0.75))
    mouth_y = d.near(head.chin_y - 16.5, 1.2 * wide, head.chin_y - 21, head.chin_y - 13)
    mouth = Mouth(
        x=d.near(0, 0.5, -1.5, 1.5),
        y=mouth_y,
        width=d.near(6.0, 2.0 * wide, 1.4, 11.0),
        smile=d.near(0.9, 0.8, -1.2, 2.6),
        open_round=d.range(0.0, 1.0) if mouth_open and rest_mouth > 0.35 else 0.5,
        line=line,
        line_width=d.near(0.62, 0.2, 0.36, 1.3),
        teeth=d.chance(0.6) if mouth_open and rest_mouth > 0.5 else True,
        fang=d.chance(0.12) if mouth_open and rest_mouth > 0.5 else False,
        # seen in the rest image only where the mouth is clearly open: else the same in every character
        inside=_hsv(d.range(0.97, 1.03), d.range(0.4, 0.72), 1.0 - 0.6 * d.range(0.0, 1.0) ** 1.6)
        if rest_mouth > 0.35
        else (0.86, 0.43, 0.41),
        tongue=_hsv(d.range(0.96, 1.03), d.range(0.35, 0.6), d.range(0.82, 0.98))
        if rest_mouth > 0.35
        else (0.96, 0.60, 0.57),
    )
    brow_near_hair = _mix(hair.shadow, (0.2, 0.12, 0.1), d.range(0.1, 0.7))
    face = Face(
        brow_y=eyes.y - eyes.upper - d.near(8.5, 2.0, 5, 14),
        brow_length=d.near(7.6, 1.0, 5, 10.5),
        brow_thick=d.near(0.65, 0.3, 0.35, 2.0) if not d.chance(0.12) else d.range(1.5, 2.8),
        brow_tilt=d.near(0.0, 0.14 * wide, -0.45, 0.45),
        brow_arch=d.near(1.6, 0.8, -0.4, 4),
        brow_alpha=d.range(0.55, 1.0),
        brow=brow_near_hair,
        nose=d.pick(("dot", 4), ("line", 3), ("shadow", 3), ("light", 2), ("corner", 2), ("none", 1)),
        nose_y=d.near((eyes.y + mouth_y) / 2 + 2.2, 1.0, eyes.y + 9, mouth_y - 6),
        nose_alpha=d.range(0.35, 0.95),
        blush=d.range(0.1, 0.6) if d.chance(0.8) else 0.0,
        blush_colour=_mix((1.0, 0.42, 0.38), (1.0, 0.5, 0.6), d.range(0, 1)),
        blush_lines=d.chance(0.15),
        through_hair=d.range(0.25, 1.0) if d.chance(0.6) else 0.0,
        eye_through_hair=d.range(0.1, 0.5) if d.chance(0.35) else 0.0,
        marks=int(d.pick(("0", 86), ("1", 6), ("2", 5), ("3", 3))),
    )
    body = _body(d, odd)
    extras = _extras(d, hair, odd)
    return Recipe(
        seed=seed,
        split=split,
        rest_mouth=float(rest_mouth),
        root_xy=(128.0, d.near(204, 1.5, 200, 208)),
        tip_xy=(128.0, d.near(head.chin_y - 9, 2.0, 175, 188)),
        head=head,
        eyes=eyes,
        face=face,
        mouth=mouth,
        hair=hair,
        body=body,
        extras=extras,
        style=style,
        skin=skin,
        skin_shadow=skin_shadow,
        skin_line=skin_line,
    )


def _style(d: _Draw) -> Style:
    shade = d.pick(("flat", 1.5), ("toon", 3), ("soft", 4), ("paint", 3))
    heavy = d.chance(0.12)
    lineless = d.chance(0.12)
    angle = d.near(0.35, 0.5, -1.2, 1.2)
    softness = {"flat": 0.1, "toon": 0.04, "soft": 0.35, "paint": 0.45}[shade]
    return Style(
        line_width=d.range(1.1, 2.0) if heavy else d.near(0.6, 0.18, 0.3, 1.2),
        line_alpha=0.0 if lineless else d.range(0.45, 1.0),
        hair_line=d.range(0.0, 0.25) if lineless else d.range(0.3, 1.0),
        shade=shade,  # type: ignore[arg-type]
        shade_strength=d.range(0.1, 0.35) if shade == "flat" else d.range(0.35, 1.0),
        softness=softness,
        hair_shadow=d.range(0.25, 1.0) if d.chance(0.85) else 0.0,
        shadow_shift=(d.near(0, 1.5, -3.5, 3.5), d.range(2.5, 7.0)),
        light=(float(np.sin(angle) * 0.6), -0.62, 0.55),
        texture=d.range(0.15, 1.0) if shade == "paint" else d.range(0.0, 0.25),
        fringe=d.range(0.2, 0.8) if d.chance(0.09) else 0.0,
        ragged=d.range(0.3, 1.0) if d.chance(0.12) else 0.0,
    )


def _skin(d: _Draw, odd: bool) -> tuple[Colour, Colour, Colour]:
    kind = d.pick(("light", 80), ("pale", 6), ("tan", 7), ("dark", 5), ("fantasy", 4 if odd else 0.5))
    if kind == "light":
        base = _hsv(d.near(0.072, 0.014, 0.035, 0.115), d.range(0.08, 0.23), d.range(0.98, 1.0))
    elif kind == "pale":
        base = _hsv(d.range(0.0, 0.12), d.range(0.01, 0.06), d.range(0.95, 1.0))
    elif kind == "tan":
        base = _hsv(d.range(0.055, 0.085), d.range(0.25, 0.42), d.range(0.82, 0.95))
    elif kind == "dark":
        base = _hsv(d.range(0.045, 0.075), d.range(0.4, 0.58), d.range(0.42, 0.7))
    else:
        base = _hsv(d.range(0.0, 1.0), d.range(0.08, 0.3), d.range(0.75, 0.98))
    tint = _mix((0.96, 0.74, 0.66), (0.88, 0.72, 0.77), d.range(0, 1)) if d.chance(0.8) else (0.80, 0.72, 0.80)
    shadow = _times(base, _mix((1.0, 1.0, 1.0), tint, d.range(0.75, 1.3)))
    line = _mix(_times(base, (0.52, 0.30, 0.26)), (0.16, 0.1, 0.12), d.range(0.0, 0.85))
    return base, shadow, line


def _hair(d: _Draw, style: Style, odd: bool, test: bool) -> Hair:
    h, s, v = _weighted_hsv(d)
    if odd and d.chance(0.4):
        h, s, v = d.range(0, 1), d.range(0.2, 0.9), d.range(0.3, 1.0)
    h, s, v = h + d.near(0, 0.012, -0.04, 0.04), s * d.range(0.75, 1.2), v * d.range(0.9, 1.2)
    mid = _hsv(h, s, v)
    deep = d.range(0.55, 0.85)
    toward = 0.03 if 0.16 < h % 1.0 < 0.75 else -0.025
    root = _hsv(h + toward * d.range(-0.3, 1), s * d.range(0.95, 1.25), v * d.range(0.78, 1.05))
    tip = _hsv(h - toward * d.range(0, 1.5), s * d.range(0.7, 1.2), v * d.range(0.88, 1.12))
    if d.chance(0.14):
        tip = _mix(tip, _hsv(d.range(0, 1), d.range(0.3, 0.7), d.range(0.5, 1.0)), d.range(0.5, 1.0))
    shadow = _hsv(h + toward, s * 1.15 + 0.06, v * deep)
    inner = _hsv(h + toward * 1.5, s * 1.1 + 0.05, v * d.range(0.66, 0.98))
    if d.chance(0.1):
        inner = _hsv(d.range(0, 1), d.range(0.3, 0.7), d.range(0.4, 0.9))
    light = _mix(_hsv(h - toward * 1.5, s * 0.45, v * 1.15 + 0.12), (1.0, 1.0, 1.0), d.range(0.0, 0.55))
    line = _mix(_hsv(h + toward, min(1.0, s * 1.2 + 0.1), v * 0.36), (0.08, 0.06, 0.1), d.range(0.0, 0.8))
    bangs = d.pick(
        ("full", 5),
        ("parted", 4),
        ("side", 4),
        ("hime", 2),
        ("tousled", 5),
        ("one_eye", 1.6),
        ("crown", 4),
        ("short", 2),
        ("micro", 1),
        ("centre", 2),
    )
    back = d.pick(
        ("long", 5),
        ("wavy", 3),
        ("bob", 4),
        ("flip", 3),
        ("short", 2.5),
        ("spiky", 2),
        ("twin", 2.5),
        ("pony", 2),
        ("bun", 1.2),
        ("half_up", 2),
        ("layered", 4),
    )
    if test and d.chance(0.25):
        bangs = BANGS_TEST[0]
    if test and d.chance(0.2):
        back = BACKS_TEST[0]
    male = back in ("short", "spiky")
    if male and d.chance(0.5):
        bangs = d.pick(("tousled", 3), ("short", 3), ("side", 1), ("centre", 1))
    length = {
        "long": d.range(225, 275),
        "wavy": d.range(220, 270),
        "bob": d.range(182, 205),
        "flip": d.range(190, 215),
        "short": d.range(160, 178),
        "spiky": d.range(160, 190),
        "twin": d.range(178, 200),
        "pony": d.range(172, 195),
        "bun": d.range(170, 190),
        "half_up": d.range(215, 270),
        "layered": d.range(195, 225),
        "drill": d.range(180, 200),
    }[back]
    low, high = {"short": (112, 130), "micro": (112, 124), "hime": (136, 146), "one_eye": (140, 158)}.get(
        bangs, (128, 154)
    )
    return Hair(
        bangs=bangs,
        back=back,
        radius=d.near(57.0, 2.8, 50, 64),
        volume=d.near(0.0, 1.5, -3, 5),
        bangs_y=d.range(low, high),
        bangs_count=d.whole(6, 11),
        bangs_width=d.near(1.0, 0.18, 0.65, 1.5),
        bangs_sweep=d.near(0.0, 0.28, -0.7, 0.7),
        side_locks=0 if male and d.chance(0.6) else d.whole(1, 3),
        side_length=d.range(168, 225) if d.chance(0.75) else d.range(150, 172),
        side_width=d.near(1.0, 0.25, 0.55, 1.7),
        back_length=length,
        back_flare=d.near(0.16, 0.18, -0.15, 0.7),
        wave=d.range(2.0, 6.0) if back == "wavy" else d.near(0.9, 0.8, 0, 3),
        curl=d.near(0.1, 0.65, -1.3, 1.3),
        strays=0 if d.chance(0.4) else d.whole(1, 7),
        ahoge=0 if d.chance(0.6) else d.whole(1, 3),
        drape=d.whole(1, 3) if back in ("long", "wavy", "half_up", "layered") and d.chance(0.55) else 0,
        split=d.range(0.0, 0.7),
        wisps=0 if d.chance(0.35) else d.whole(1, 3),
        root=root,
        mid=mid,
        tip=tip,
        inner=inner,
        shadow=shadow,
        light=light,
        line=line,
        band=(
            d.range(26, 52),
            d.range(3.5, 12),
            0.0 if d.chance(0.12) else d.range(0.25, 0.95),
            d.range(3, 22),
        ),
        streaks=d.range(0.1, 1.0) if style.shade != "flat" else d.range(0.0, 0.3),
        strands=d.range(0.1, 0.8) if d.chance(0.7) else 0.0,
        variety=d.range(0.0, 0.3) if d.chance(0.8) else 0.0,
    )


def _eyes(d: _Draw, hair: Hair, odd: bool, test: bool) -> Eyes:
    wide = 1.6 if odd else 1.0
    male = hair.back in ("short", "spiky") and d.chance(0.6)
    hues = np.asarray([w for _, w in _IRIS_HUES], float)
    h = _IRIS_HUES[int(d.rng.choice(len(_IRIS_HUES), p=hues / hues.sum()))][0] + d.near(0, 0.015, -0.04, 0.04)
    s, v = d.range(0.35, 0.95), d.range(0.55, 0.98)
    if d.chance(0.1):
        s *= 0.25
    top = _hsv(h + 0.02, min(1, s * 1.1), v * d.range(0.3, 0.7))
    bottom = _hsv(h - d.range(-0.02, 0.06), s * d.range(0.5, 1.0), min(1, v * d.range(1.1, 1.6)))
    rim = _hsv(h + 0.03, min(1, s * 1.1), v * d.range(0.12, 0.4))
    other = _hsv(d.range(0, 1), d.range(0.4, 0.9), d.range(0.6, 1.0)) if d.chance(0.03) else None
    half_width = d.near(10.7, 0.9 * wide, 8.0, 13.2)
    aspect = d.near(0.55, 0.10, 0.34, 0.78) if male else d.near(0.75, 0.10 * wide, 0.48, 1.05)
    height = half_width * 2 * aspect
    upper = height * d.near(0.64, 0.07, 0.45, 0.82)
    highlights: list[tuple[float, float, float, float]] = []
    side = -1.0 if d.chance(0.5) else 1.0
    if d.chance(0.95):
        highlights.append((side * d.range(0.2, 0.5), d.range(-0.65, -0.25), d.range(0.24, 0.46), d.range(0.18, 0.42)))
    if d.chance(0.65):
        highlights.append((-side * d.range(0.15, 0.5), d.range(0.25, 0.65), d.range(0.12, 0.28), d.range(0.1, 0.24)))
    if d.chance(0.3):
        highlights.append((side * d.range(0.3, 0.6), d.range(0.0, 0.3), d.range(0.06, 0.14), d.range(0.06, 0.14)))
    lash_kind = d.pick(("black", 5), ("brown", 4), ("hair", 3))
    lash = {
        "black": _hsv(d.range(0, 1), d.range(0.05, 0.35), d.range(0.06, 0.18)),
        "brown": _hsv(d.range(0.98, 1.05), d.range(0.3, 0.6), d.range(0.2, 0.34)),
        "hair": _mix(hair.line, hair.shadow, d.range(0.0, 0.35)),
    }[lash_kind]
    if test and d.chance(0.3):
        iris = IRISES_TEST[0]
    else:
        iris = d.pick(("gradient", 5), ("ring", 3), ("flat", 1.2), ("deep", 3), ("glow", 3))
    return Eyes(
        spacing=d.near(18.8, 0.9 * wide, 16.2, 21.6),
        y=d.near(149.5, 2.2, 144, 155),
        half_width=half_width,
        upper=upper,
        lower=height - upper,
        tilt=d.near(0.6, 1.2, -2.5, 3.5),
        peak=d.near(-0.05, 0.15, -0.4, 0.4),
        roundness=d.range(0.0, 1.0),
        iris_width=half_width * d.near(0.63, 0.055, 0.46, 0.78),
        iris_height=height * d.near(0.56, 0.06, 0.42, 0.70),
        iris_y=d.near(-0.03, 0.05, -0.14, 0.14) * height,
        gaze=(d.near(0, 0.8, -2.2, 2.2), d.near(0, 0.3, -1, 1)) if d.chance(0.4) else (0.0, 0.0),
        iris=iris,
        pupil=0.0 if d.chance(0.12) else d.range(0.25, 0.6),
        top=top,
        bottom=bottom,
        rim=rim,
        other=other,
        sclera=_mix((1.0, 1.0, 1.0), _hsv(d.range(0.55, 1.1), 0.12, 0.94), d.range(0, 1)),
        highlights=tuple(highlights),
        glow=d.range(0.0, 1.0),
        lash=lash,
        lash_thick=d.near(2.1, 0.5, 1.0, 3.0) if male else d.near(3.7, 0.8 * wide, 1.6, 5.6),
        lash_wing=d.near(0.2, 0.14, 0.0, 0.55),
        lash_spikes=0 if d.chance(0.35) else d.whole(1, 4),
        lower_lash=d.range(0.25, 1.0) if d.chance(0.88) else 0.0,
        crease=d.range(0.25, 0.95) if d.chance(0.75) else 0.0,
        asymmetry=d.near(0.0, 0.5 * wide, -1.2, 1.2),
    )


def _cloth_colour(d: _Draw) -> Colour:
    kind = d.pick(("white", 5), ("dark", 4), ("any", 6), ("pastel", 3), ("grey", 1))
    if kind == "white":
        return _hsv(d.range(0, 1), d.range(0, 0.05), d.range(0.93, 1.0))
    if kind == "dark":
        return _hsv(d.range(0.55, 1.0), d.range(0.1, 0.4), d.range(0.12, 0.32))
    if kind == "pastel":
        return _hsv(d.range(0, 1), d.range(0.1, 0.3), d.range(0.85, 1.0))
    if kind == "grey":
        return _hsv(d.range(0, 1), d.range(0, 0.12), d.range(0.4, 0.8))
    return _hsv(d.range(0, 1), d.range(0.3, 0.9), d.range(0.35, 0.95))


def _body(d: _Draw, odd: bool) -> Body:
    shape = d.pick(("v", 4), ("round", 3), ("high", 3), ("wide", 2))
    neckline = {
        "v": (d.range(12, 22), d.range(14, 40), 1.0, d.range(0.8, 1.2)),
        "round": (d.range(13, 24), d.range(6, 20), 2.0, 0.5),
        "high": (0.0, 1.0, 1.0, 1.0),
        "wide": (d.range(24, 40), d.range(10, 24), 3.0, 0.4),
    }[shape]
    bare = d.range(230, 246) if d.chance(0.15) else 0.0
    collar = d.pick(
        ("none", 4), ("shirt", 5), ("sailor", 3), ("hood", 1.6), ("scarf", 0.8), ("high", 1.5), ("frill", 1)
    )
    if bare and collar not in ("none", "frill"):
        collar = "none"
    if collar == "high":
        neckline = (0.0, 1.0, 1.0, 1.0)
    return Body(
        neck_width=d.near(11.6, 1.0, 9, 15.5),
        shoulder=d.near(62, 6, 48, 78),
        slope=d.near(1.25, 0.28, 0.75, 2.1),
        neckline=neckline,
        bare=bare,
        cloth=_cloth_colour(d),
        trim=_cloth_colour(d),
        trim_width=d.range(1.2, 5.0) if d.chance(0.55) else 0.0,
        inner=_cloth_colour(d),
        collar=collar,
        bow=d.pick(("none", 6), ("bow", 3), ("tie", 2), ("neckerchief", 1.5)),
        accent=_cloth_colour(d),
        choker=d.chance(0.12),
        blob=0 if d.chance(0.78) else d.whole(1, 2),
        straps=d.chance(0.5) if bare else False,
        jacket=d.range(7, 34) if not bare and d.chance(0.4) else 0.0,
        braces=d.range(2.5, 5.5) if not bare and d.chance(0.12) else 0.0,
        bust=d.near(3.5, 2.5, 0, 9),
        lean=d.near(0, 6, -14, 14) if d.chance(0.5) else 0.0,
        tilt=d.near(0, 0.07, -0.16, 0.16) if d.chance(0.5) else 0.0,
    )


def _extras(d: _Draw, hair: Hair, odd: bool) -> Extras:
    glasses = d.pick(("none", 85), ("thin", 7.5), ("thick", 4), ("half", 3.5))
    colour = _hsv(d.range(0, 1), d.range(0.2, 0.9), d.range(0.3, 1.0))
    return Extras(
        animal_ears=d.pick(("none", 88), ("cat", 6), ("fox", 3), ("bunny", 1.5), ("horn", 1.5)),
        hat=d.pick(("none", 94), ("beret", 2), ("cap", 0.7), ("witch", 0.8), ("band", 4)),
        ribbon=d.pick(("none", 76), ("side", 8), ("top", 5), ("twin", 5)),
        clips=0 if d.chance(0.74) else d.whole(1, 3),
        glasses=glasses,
        glasses_colour=_hsv(d.range(0, 1), d.range(0.1, 0.9), d.range(0.1, 0.6)),
        earrings=d.chance(0.12),
        colour=colour,
        second=_hsv(d.range(0, 1), d.range(0.0, 0.9), d.range(0.3, 1.0)),
        watermark=d.chance(0.06),
    )
