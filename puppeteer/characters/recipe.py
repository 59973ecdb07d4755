"""A character as named parameters. Pure numbers, no geometry; `casting.py` draws them from a seed.

Lengths are spec pixels (a 256 px picture), colours are sRGB in [0, 1]. What the rest image does not show (how a closed
eye or an opened mouth looks) has no parameter here: it is a fixed function of what it does show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "validation", "test", "gallery"]
Colour = tuple[float, float, float]

BANGS = ("full", "parted", "side", "hime", "tousled", "one_eye", "crown", "short", "micro", "centre")
BANGS_TEST = ("curtain",)
BACKS = (
    "long",
    "wavy",
    "bob",
    "flip",
    "short",
    "spiky",
    "twin",
    "pony",
    "side_tail",
    "braids",
    "bun",
    "half_up",
    "layered",
)
BACKS_TEST = ("drill",)
TIED = ("twin", "pony", "bun", "drill", "braids", "side_tail")
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
    eye_through_hair: float  # opacity of the irises drawn over hair
    marks: int  # 0 none, 1 mole, 2 freckles, 3 plaster
    glow: float  # light on cheeks and nose
    planes: float  # how much the face's form is modelled, as in semi-realistic drawings


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
    lips: float  # how full and painted they are; 0 for a line alone
    lip: Colour


@dataclass(frozen=True, slots=True)
class Hair:
    bangs: str
    back: str
    part: float  # where the hair is parted, px from the middle
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
    flick: float  # how far the ends turn out, -1 in to 1
    wave: float
    curl: float
    strays: int
    ahoge: int
    drape: int  # locks that fall over each shoulder to the chest
    split: float  # how many locks end in several points
    wisps: int  # short locks over each cheek
    tufts: int  # locks that break the dome's outline
    root: Colour
    mid: Colour
    tip: Colour
    inner: Colour
    shadow: Colour
    light: Colour
    line: Colour
    band: tuple[float, float, float, float]  # arc from the crown, width, strength, zigzag of the bright band
    streaks: float
    strands: float  # darkness of fine lines within locks
    variety: float  # how much neighbouring locks differ in tone


@dataclass(frozen=True, slots=True)
class Body:
    outfit: str
    neck_width: float
    shoulder: float
    slope: float  # higher: shoulders hang lower
    neckline: tuple[float, float, float, float]  # half width, depth, two shape powers
    bare: float  # row under which cloth starts on bare shoulders; 0 for none
    cloth: Colour
    trim: Colour
    trim_width: float
    inner: Colour
    sleeve: str  # full, puff, bare
    sleeves: Colour
    collar: str
    bow: str
    accent: Colour
    choker: bool
    blob: int
    straps: bool
    jacket: float  # half width at the bottom of an open jacket's gap; 0 for none
    braces: float  # half width of two bands over the shoulders; 0 for none
    buttons: int
    bust: float
    folds: float
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
    eyepatch: int  # side, -1 viewer's left, 1 right, 0 none
    mask: bool  # over mouth and nose


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
