"""Draws a character's parameters from a seed: from a wide range for training, from a good-looking one for people.

Training wants every kind of drawing, and a fifth of odd ones. Who asks for a character wants one to be: the split
`gallery` keeps to proportions, colours and clothes that go together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from puppeteer.characters.palette import Draw, cloth_colour, grey, hair_colours, hsv, iris_colours, mix, skin_colours
from puppeteer.characters.palette import times as multiplied
from puppeteer.characters.palette import wear as wear_colours
from puppeteer.characters.recipe import (
    BACKS_TEST,
    BANGS_TEST,
    IRISES_TEST,
    TIED,
    Body,
    Extras,
    Eyes,
    Face,
    Hair,
    Head,
    Mouth,
    Recipe,
    Split,
    Style,
)
from puppeteer.characters.wardrobe import cast_body

_SPLITS = {"train": 0, "validation": 0, "test": 2, "gallery": 3}


def make_recipe(seed: int, split: Split = "train") -> Recipe:
    """The recipe of a seed, the same on every machine.

    `train` and `validation` draw from the same families: keep their seeds apart. The test split draws some hair shapes
    and iris designs that these never show; the gallery is what people are shown.
    Raises ValueError for a negative seed or an unknown split.
    """
    if seed < 0 or split not in _SPLITS:
        raise ValueError(f"seed {seed} must be at least 0 and split {split!r} one of {', '.join(_SPLITS)}")
    d = Draw(np.random.default_rng([_SPLITS[split], seed]))
    pretty = split == "gallery"
    odd = not pretty and d.chance(0.2)  # a fifth of outliers
    style = _style(d, pretty)
    skin, skin_shadow, skin_line = skin_colours(d, odd)
    head = _head(d, odd, pretty)
    hair, hair_hue = _hair(d, style, odd, split == "test", pretty)
    eyes, iris_hue = _eyes(d, hair, hair_hue, odd, split == "test", pretty)
    mouth, rest_mouth = _mouth(d, head, skin_shadow, skin_line, odd, pretty)
    face = _face(d, eyes, hair, mouth.y, odd, pretty)
    wear = wear_colours(d, iris_hue, hair.mid, not pretty)
    body: Body = cast_body(d, wear, hair, pretty)
    extras = _extras(d, hair, odd, pretty, wear.accent, wear.trim)
    if extras.hat in ("beret", "cap", "witch"):
        hair = replace(hair, ahoge=0, tufts=0)
    recipe = Recipe(
        seed=seed,
        split=split,
        rest_mouth=rest_mouth,
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
    if not pretty and d.chance(0.04):  # pictures without colour
        recipe = grey(recipe)
    return recipe


def _style(d: Draw, pretty: bool) -> Style:
    shade = d.pick(("flat", 0.4 if pretty else 1.5), ("toon", 3), ("soft", 4), ("paint", 3))
    heavy = not pretty and d.chance(0.12)
    lineless = not pretty and d.chance(0.12)
    angle = d.near(0.35, 0.5, -1.2, 1.2)
    softness = {"flat": 0.1, "toon": 0.05, "soft": 0.30, "paint": 0.40}[shade]
    low, high = (0.55, 0.95) if pretty else (0.35, 1.0)
    return Style(
        line_width=d.range(1.1, 2.0) if heavy else d.near(0.62, 0.12 if pretty else 0.18, 0.38, 1.2),
        line_alpha=0.0 if lineless else d.range(0.7 if pretty else 0.45, 1.0),
        hair_line=d.range(0.0, 0.25) if lineless else d.range(0.55 if pretty else 0.3, 1.0),
        shade=shade,  # type: ignore[arg-type]
        shade_strength=d.range(0.2, 0.4) if shade == "flat" else d.range(low, high),
        softness=softness,
        hair_shadow=d.range(0.45 if pretty else 0.25, 0.9 if pretty else 1.0) if pretty or d.chance(0.85) else 0.0,
        shadow_shift=(d.near(0, 1.2, -3.5, 3.5), d.range(2.5, 5.0 if pretty else 7.0)),
        light=(float(np.sin(angle) * 0.6), -0.62, 0.55),
        texture=d.range(0.15, 0.6 if pretty else 1.0) if shade == "paint" else d.range(0.0, 0.2),
        fringe=d.range(0.2, 0.8) if not pretty and d.chance(0.09) else 0.0,
        ragged=d.range(0.3, 1.0) if not pretty and d.chance(0.12) else 0.0,
    )


def _head(d: Draw, odd: bool, pretty: bool) -> Head:
    wide = 1.6 if odd else 0.7 if pretty else 1.0
    turned = d.chance(0.55)
    turn = (0.0, 0.0, 0.0)
    if turned and pretty:
        turn = (d.near(0, 2.6, -6, 6), d.near(0, 1.5, -4, 4), d.near(0, 4.5, -11, 11))
    elif turned:
        turn = (d.near(0, 3.5, -9, 9), d.near(0, 2.4, -6, 6), d.near(0, 6.5, -16, 16))
        if d.chance(0.16):  # three-quarter views
            turn = (turn[0], turn[1], float(d.rng.choice([-1, 1])) * d.range(15, 30))
    return Head(
        face_width=d.near(35.3, 1.5 * wide, 30.5, 40),
        jaw_power=d.near(2.25, 0.2 * wide, 1.5, 2.8),
        jaw_square=d.near(0.73, 0.05 * wide, 0.52, 0.85),
        chin_y=d.near(190.0, 1.2, 187, 193),
        depth=d.near(36.5, 2.2 * wide, 30, 43),
        ear_y=d.near(153, 2, 148, 158),
        ears=((-1.0, 1.0), (-1.0,), (1.0,))[d.whole(0, 2)] if d.chance(0.34) else (),
        turn=turn,
    )


_BACK_LENGTH = {
    "long": (225, 275),
    "wavy": (220, 270),
    "bob": (182, 203),
    "flip": (190, 214),
    "short": (164, 180),
    "spiky": (166, 190),
    "half_up": (215, 270),
    "layered": (196, 228),
}


def _hair(d: Draw, style: Style, odd: bool, test: bool, pretty: bool) -> tuple[Hair, float]:
    colours = hair_colours(d, odd)
    bangs = d.pick(
        ("full", 5),
        ("parted", 4),
        ("side", 4),
        ("hime", 2),
        ("tousled", 5),
        ("one_eye", 0 if pretty else 1.6),
        ("crown", 6),
        ("short", 0.6 if pretty else 2),
        ("micro", 0.5 if pretty else 1),
        ("centre", 2),
    )
    back = d.pick(
        ("long", 5),
        ("wavy", 3),
        ("bob", 4),
        ("flip", 3),
        ("short", 2.2),
        ("spiky", 1.6),
        ("twin", 3),
        ("pony", 2),
        ("side_tail", 1.4),
        ("braids", 1.6),
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
        bangs = d.pick(("tousled", 3), ("short", 0 if pretty else 3), ("side", 1.5), ("centre", 1))
    low, high = {
        "short": (114, 130),
        "micro": (112, 124),
        "hime": (130, 138) if pretty else (132, 146),
        "one_eye": (142, 156),
    }.get(bangs, (131, 142) if pretty else (128, 152))
    sides = 0 if male and d.chance(0.5) else d.whole(1, 3)
    hair = Hair(
        bangs=bangs,
        back=back,
        part=float(d.rng.choice([-1, 1])) * (d.range(9, 19) if bangs == "side" else d.near(4, 4, 0, 12)),
        radius=d.near(53.0 if back in TIED else 55.0 if male else 57.5, 1.6 if pretty else 2.8, 49, 64),
        volume=d.near(0.5, 1.3, -3, 5),
        bangs_y=d.range(low, high),
        bangs_count=d.whole(5, 8) if pretty else d.whole(5, 11),
        bangs_width=d.near(1.05, 0.12 if pretty else 0.18, 0.65, 1.5),
        bangs_sweep=d.near(0.0, 0.32, -0.8, 0.8),
        side_locks=sides,
        side_length=d.range(172, 222) if d.chance(0.75) else d.range(154, 172),
        side_width=d.near(1.0, 0.2, 0.55, 1.6),
        back_length=d.range(*_BACK_LENGTH.get(back, (176, 190))),
        back_flare=d.near(0.2, 0.22, -0.15, 0.8),
        flick=d.near(0.25, 0.7, -1.2, 1.4),
        wave=d.range(2.5, 5.5) if back == "wavy" else d.near(1.6, 0.9, 0, 3.6),
        curl=d.near(0.1, 0.65, -1.3, 1.3),
        strays=0 if d.chance(0.35) else d.whole(1, 6),
        ahoge=0 if d.chance(0.7) else d.whole(1, 2),
        drape=d.whole(1, 2) if back in ("long", "wavy", "half_up", "layered") and d.chance(0.6) else 0,
        split=d.range(0.25, 0.8),
        wisps=0 if d.chance(0.45) else d.whole(1, 2),
        tufts=0 if d.chance(0.4) else d.whole(1, 4),
        root=colours.root,
        mid=colours.mid,
        tip=colours.tip,
        inner=colours.inner,
        shadow=colours.shadow,
        light=colours.light,
        line=colours.line,
        band=(
            d.range(46, 62),
            d.range(3.5, 8.0),
            0.0 if not pretty and d.chance(0.12) else d.range(0.35, 0.95),
            d.range(6, 20),
        ),
        streaks=d.range(0.2, 0.8) if style.shade != "flat" else d.range(0.0, 0.3),
        strands=d.range(0.2, 0.8) if d.chance(0.8) else 0.0,
        variety=d.range(0.0, 0.14) if d.chance(0.8) else 0.0,
    )
    return hair, colours.hue


def _eyes(d: Draw, hair: Hair, hair_hue: float, odd: bool, test: bool, pretty: bool) -> tuple[Eyes, float]:
    wide = 1.6 if odd else 0.6 if pretty else 1.0
    male = hair.back in ("short", "spiky") and d.chance(0.6)
    iris = iris_colours(d, hair_hue, not pretty)
    other = hsv(d.range(0, 1), d.range(0.4, 0.9), d.range(0.6, 1.0)) if d.chance(0.03) else None
    half_width = d.near(11.6 if pretty else 10.9, 0.9 * wide, 8.0, 13.2)
    aspect = d.near(0.62, 0.07, 0.34, 0.78) if male else d.near(0.82 if pretty else 0.79, 0.10 * wide, 0.48, 1.08)
    height = half_width * 2 * aspect
    upper = height * d.near(0.64, 0.06, 0.45, 0.82)
    highlights: list[tuple[float, float, float, float]] = []
    side = -1.0 if d.chance(0.5) else 1.0
    if pretty or d.chance(0.95):
        size = d.range(0.26, 0.40)
        highlights.append((side * d.range(0.28, 0.5), d.range(-0.55, -0.32), size, size * d.range(0.8, 1.05)))
    if d.chance(0.9 if pretty else 0.65):
        size = d.range(0.12, 0.22)
        highlights.append((-side * d.range(0.25, 0.5), d.range(0.30, 0.60), size, size * d.range(0.8, 1.0)))
    if d.chance(0.35):
        highlights.append((side * d.range(0.45, 0.65), d.range(0.0, 0.25), d.range(0.06, 0.12), d.range(0.06, 0.12)))
    lash = {
        "black": hsv(d.range(0.9, 1.7), d.range(0.15, 0.4), d.range(0.10, 0.20)),
        "brown": hsv(d.range(0.98, 1.05), d.range(0.35, 0.6), d.range(0.18, 0.30)),
        "hair": mix(hair.line, (0.12, 0.07, 0.1), d.range(0.2, 0.6)),
    }[d.pick(("black", 4), ("brown", 4), ("hair", 4))]
    design = IRISES_TEST[0] if test and d.chance(0.3) else ""
    design = design or d.pick(("gradient", 5), ("ring", 2), ("flat", 0.2 if pretty else 1.2), ("deep", 3), ("glow", 3))
    eyes = Eyes(
        spacing=d.near(18.9, 0.8 * wide, 16.2, 21.6),
        y=d.near(150.0, 1.8, 144, 155),
        half_width=half_width,
        upper=upper,
        lower=height - upper,
        tilt=d.near(0.8, 1.1 * wide, -2.5, 3.5),
        peak=d.near(-0.05, 0.13, -0.4, 0.4),
        roundness=d.range(0.2, 1.0),
        iris_width=half_width * d.near(0.68, 0.04 if pretty else 0.06, 0.48, 0.80),
        iris_height=height * d.near(0.60, 0.03 if pretty else 0.06, 0.42, 0.70),
        iris_y=d.near(-0.03, 0.03 if pretty else 0.05, -0.14, 0.14) * height,
        gaze=(d.near(0, 0.8, -2.2, 2.2), d.near(0, 0.3, -1, 1)) if d.chance(0.35) else (0.0, 0.0),
        iris=design,
        pupil=0.0 if not pretty and d.chance(0.12) else d.range(0.30, 0.50),
        top=iris.top,
        bottom=iris.bottom,
        rim=iris.rim,
        other=other,
        sclera=mix((1.0, 1.0, 1.0), hsv(d.range(0.55, 1.1), 0.10, 0.95), d.range(0, 1)),
        highlights=tuple(highlights),
        glow=d.range(0.35 if pretty else 0.0, 1.0),
        lash=lash,
        lash_thick=d.near(2.4, 0.4, 1.0, 3.2) if male else d.near(3.7, 0.7 * wide, 1.8, 5.4),
        lash_wing=d.near(0.2, 0.12, 0.0, 0.5),
        lash_spikes=0 if d.chance(0.2) else d.whole(1, 3),
        lower_lash=d.range(0.4, 1.0) if d.chance(0.9) else 0.0,
        crease=d.range(0.4, 0.95) if d.chance(0.85) else 0.0,
        asymmetry=d.near(0.0, 0.4 * wide, -1.2, 1.2),
    )
    return eyes, iris.hue


def _mouth(
    d: Draw,
    head: Head,
    skin_shadow: tuple[float, float, float],
    skin_line: tuple[float, float, float],
    odd: bool,
    pretty: bool,
) -> tuple[Mouth, float]:
    wide = 1.6 if odd else 1.0
    opened = d.chance(0.5)
    rest = (d.range(0.5, 1.0) if d.chance(0.75) else d.range(0.1, 0.5)) if opened else 0.0
    if pretty and 0 < rest < 0.45:
        rest += 0.4
    line = mix((0.28, 0.11, 0.11), multiplied(skin_line, (0.9, 0.75, 0.75)), d.range(0.15, 1.0))
    if d.chance(0.15 if pretty else 0.35):  # a line so faint that only its place tells a mouth
        line = mix(line, skin_shadow, d.range(0.3, 0.6 if pretty else 0.75))
    lips = d.range(0.35, 1.0) if not pretty and d.chance(0.10) else 0.0
    # seen in the rest image only where the mouth is clearly open: else the same in every character
    shown = rest > 0.35
    mouth = Mouth(
        x=d.near(0, 0.5, -1.5, 1.5),
        y=d.near(head.chin_y - 16.0, 1.1 * wide, head.chin_y - 21, head.chin_y - 13),
        width=d.near(5.6 if pretty else 6.0, 1.4 if pretty else 2.0 * wide, 1.6, 10.5),
        smile=d.near(1.5 if pretty else 0.9, 0.6, 0.3 if pretty else -1.2, 2.8),
        open_round=d.range(0.0, 1.0) if shown else 0.5,
        line=line,
        line_width=d.near(0.56, 0.15, 0.36, 1.3),
        teeth=d.chance(0.6) if rest > 0.5 else True,
        fang=d.chance(0.12) if rest > 0.5 else False,
        inside=hsv(d.range(0.97, 1.02), d.range(0.5, 0.72), 1.0 - 0.55 * d.range(0.0, 1.0) ** 1.6)
        if shown
        else (0.86, 0.43, 0.41),
        tongue=hsv(d.range(0.98, 1.03), d.range(0.38, 0.55), d.range(0.9, 1.0)) if shown else (0.96, 0.60, 0.57),
        lips=lips,
        lip=mix(multiplied(skin_shadow, (0.98, 0.72, 0.72)), hsv(d.range(0.93, 1.01), 0.7, 0.75), d.range(0.0, 0.9)),
    )
    return mouth, float(rest)


def _face(d: Draw, eyes: Eyes, hair: Hair, mouth_y: float, odd: bool, pretty: bool) -> Face:
    wide = 1.6 if odd else 0.7 if pretty else 1.0
    thick = not pretty and d.chance(0.12)
    return Face(
        brow_y=eyes.y - eyes.upper - d.near(12.5, 1.8 if pretty else 3.6, 5, 21),
        brow_length=d.near(7.6, 0.8, 5, 10.5),
        brow_thick=d.range(1.5, 2.8) if thick else d.near(0.72, 0.2, 0.4, 2.0),
        brow_tilt=d.near(-0.04, 0.13 * wide, -0.45, 0.45),
        brow_arch=d.near(1.6, 0.7, -0.4, 4),
        brow_alpha=d.range(0.6, 1.0),
        brow=mix(hair.line, hair.shadow, d.range(0.0, 0.6)),
        nose=d.pick(
            ("dot", 3), ("line", 3), ("shadow", 4), ("light", 3), ("corner", 2), ("none", 0.0001 if pretty else 1)
        ),
        nose_y=d.near((eyes.y + mouth_y) / 2 + 2.0, 0.9, eyes.y + 9, mouth_y - 6),
        nose_alpha=d.range(0.45, 0.95),
        blush=d.range(0.25, 0.6) if d.chance(0.9) else 0.0,
        blush_colour=mix((1.0, 0.58, 0.52), (1.0, 0.62, 0.66), d.range(0, 1)),
        blush_lines=d.chance(0.18),
        through_hair=d.range(0.25, 0.6 if pretty else 1.0) if d.chance(0.7) else 0.0,
        eye_through_hair=d.range(0.1, 0.4) if not pretty and d.chance(0.3) else 0.0,
        marks=int(d.pick(("0", 90), ("1", 6), ("2", 2 if pretty else 5), ("3", 1 if pretty else 3))),
        glow=d.range(0.3, 1.0) if d.chance(0.7) else 0.0,
        planes=d.range(0.3, 1.0) if not pretty and d.chance(0.2) else d.range(0.0, 0.2),
    )


def _extras(
    d: Draw,
    hair: Hair,
    odd: bool,
    pretty: bool,
    accent: tuple[float, float, float],
    trim: tuple[float, float, float],
) -> Extras:
    colour, second = accent, trim
    if not pretty and d.chance(0.5):
        colour, second = cloth_colour(d), cloth_colour(d)
    tied = hair.back in ("twin", "drill", "pony", "side_tail")
    extras = Extras(
        animal_ears=d.pick(("none", 84), ("cat", 8), ("fox", 4), ("bunny", 1.5), ("horn", 2)),
        hat=d.pick(
            ("none", 92), ("beret", 2.5), ("cap", 0 if pretty else 0.8), ("witch", 0 if pretty else 0.8), ("band", 5)
        ),
        ribbon=d.pick(("none", 74), ("side", 10), ("top", 3), ("twin", 0 if tied else 5)),
        clips=0 if d.chance(0.72) else d.whole(1, 2 if pretty else 3),
        glasses=d.pick(("none", 86), ("thin", 7.5), ("thick", 3.5), ("half", 3.0)),
        glasses_colour=hsv(d.range(0, 1), d.range(0.1, 0.8), d.range(0.12, 0.5)),
        earrings=d.chance(0.12),
        colour=colour,
        second=second,
        watermark=not pretty and d.chance(0.06),
        eyepatch=int(d.rng.choice([-1, 1])) if not pretty and d.chance(0.025) else 0,
        mask=not pretty and d.chance(0.025),
    )
    if extras.hat != "none":
        extras = replace(extras, animal_ears="none", ribbon="none")
    elif extras.animal_ears != "none" and extras.ribbon == "top":
        extras = replace(extras, ribbon="none")
    return extras
