"""What a character wears: outfits as parameters, their colours together. Pure."""

from __future__ import annotations

from dataclasses import replace

from puppeteer.characters.palette import Draw, Wear, luma, mix
from puppeteer.characters.recipe import Body, Hair

OUTFITS = (
    "sailor",
    "shirt",
    "blazer",
    "hoodie",
    "dress",
    "off_shoulder",
    "turtleneck",
    "cardigan",
    "crossed",
    "camisole",
    "jacket",
)

_NECKLINE = {
    "sailor": (15.0, 30.0, 1.0, 0.9),
    "shirt": (8.0, 13.0, 1.0, 1.0),
    "blazer": (8.0, 13.0, 1.0, 1.0),
    "hoodie": (12.0, 12.0, 2.0, 0.5),
    "dress": (20.0, 16.0, 2.0, 0.5),
    "turtleneck": (0.0, 1.0, 1.0, 1.0),
    "cardigan": (17.0, 18.0, 2.0, 0.5),
    "crossed": (14.0, 32.0, 1.0, 0.95),
    "camisole": (30.0, 26.0, 3.0, 0.4),
    "jacket": (15.0, 13.0, 2.0, 0.5),
    "off_shoulder": (0.0, 1.0, 1.0, 1.0),
}


def cast_body(d: Draw, wear: Wear, hair: Hair, pretty: bool) -> Body:
    male = hair.back in ("short", "spiky")
    outfit = d.pick(
        ("sailor", 0.4 if male else 3),
        ("shirt", 3),
        ("blazer", 3),
        ("hoodie", 3),
        ("dress", 0.1 if male else 2.5),
        ("off_shoulder", 0.05 if male else 1.6),
        ("turtleneck", 2),
        ("cardigan", 1.8),
        ("crossed", 1),
        ("camisole", 0.05 if male else 1.2),
        ("jacket", 2.5),
    )
    width, depth, first, second = _NECKLINE[outfit]
    odd = 1.0 if pretty else d.range(0.75, 1.35)
    body = Body(
        outfit=outfit,
        neck_width=d.near(11.3, 0.7 if pretty else 1.0, 9, 15.5),
        shoulder=d.near((53 if pretty else 56) + 4 * male, 2.5 if pretty else 6, 44, 76),
        slope=d.near(1.2, 0.1 if pretty else 0.25, 0.7, 1.9),
        neckline=(width * odd, depth * odd, first, second),
        bare=0.0,
        cloth=wear.cloth,
        trim=wear.trim,
        trim_width=0.0,
        inner=wear.inner,
        sleeve="full",
        sleeves=wear.cloth,
        collar="none",
        bow="none",
        accent=wear.accent,
        choker=False,
        blob=0 if pretty or d.chance(0.8) else 1,
        straps=False,
        jacket=0.0,
        braces=d.range(2.5, 5.5) if not pretty and d.chance(0.08) else 0.0,
        buttons=0,
        bust=d.near(1.0 if male else 4.0, 2.0, 0, 9),
        folds=d.range(0.4, 1.0),
        lean=d.near(0, 4 if pretty else 6, -14, 14) if d.chance(0.5) else 0.0,
        tilt=d.near(0, 0.04 if pretty else 0.07, -0.16, 0.16) if d.chance(0.5) else 0.0,
    )
    pale = wear.inner if luma(wear.inner) > luma(wear.cloth) else wear.cloth
    deep = wear.cloth if pale is wear.inner else wear.inner
    if outfit == "sailor":
        body = replace(
            body,
            cloth=pale,
            sleeves=pale,
            inner=deep,
            trim=mix(pale, (1, 1, 1), 0.5),
            collar="sailor",
            bow=d.pick(("neckerchief", 4), ("bow", 3), ("none", 0.5)),
            sleeve="puff" if d.chance(0.4) else "full",
        )
    elif outfit == "shirt":
        body = replace(
            body,
            cloth=pale,
            sleeves=pale,
            inner=pale,
            collar="shirt",
            bow=d.pick(("tie", 3), ("bow", 3), ("cord", 2), ("none", 2)),
            buttons=3,
            braces=d.range(3, 5) if d.chance(0.12) else 0.0,
        )
    elif outfit == "blazer":
        body = replace(
            body,
            cloth=deep,
            sleeves=deep,
            inner=pale,
            collar="lapels",
            bow=d.pick(("tie", 4), ("bow", 4), ("cord", 1)),
            jacket=d.range(10, 17),
        )
    elif outfit == "hoodie":
        two = d.chance(0.4)
        body = replace(
            body,
            collar="hood",
            bow="strings",
            inner=mix(wear.cloth, (1, 1, 1), 0.25) if not two else wear.inner,
            sleeves=wear.inner if two else wear.cloth,
        )
    elif outfit == "dress":
        body = replace(
            body,
            collar=d.pick(("frill", 3), ("round", 3), ("none", 1)),
            bow=d.pick(("bow", 4), ("none", 2)),
            trim_width=d.range(1.2, 2.4),
            sleeve=d.pick(("puff", 4), ("full", 1)),
            inner=pale,
            choker=d.chance(0.25),
        )
    elif outfit == "off_shoulder":
        body = replace(
            body,
            bare=d.range(229, 238),
            collar="ruffle",
            bow=d.pick(("none", 3), ("bow", 1)),
            sleeve="bare",
            straps=d.chance(0.4),
            choker=d.chance(0.5),
            inner=pale,
        )
    elif outfit == "turtleneck":
        body = replace(body, collar="high", bow="none", inner=wear.cloth)
    elif outfit == "cardigan":
        body = replace(
            body,
            inner=pale,
            cloth=wear.cloth if wear.cloth is not pale else wear.accent,
            jacket=d.range(12, 22),
            collar=d.pick(("none", 2), ("round", 3)),
            bow=d.pick(("none", 3), ("bow", 2), ("cord", 1)),
        )
        body = replace(body, sleeves=body.cloth)
    elif outfit == "crossed":
        body = replace(body, collar="cross", trim_width=0.0)
    elif outfit == "camisole":
        body = replace(body, sleeve="bare", trim_width=d.range(1.2, 2.2), choker=d.chance(0.4))
    else:
        body = replace(
            body,
            cloth=deep,
            inner=pale,
            sleeves=wear.accent if d.chance(0.3) else deep,
            jacket=d.range(12, 26),
            collar=d.pick(("stand", 3), ("hood", 1.5)),
        )
    if not pretty and d.chance(0.12):  # put together by chance
        body = replace(
            body,
            collar=d.pick(("none", 1), ("shirt", 1), ("sailor", 1), ("frill", 1), ("scarf", 2), ("high", 1)),
            bow=d.pick(("none", 1), ("bow", 1), ("tie", 1), ("neckerchief", 1)),
            trim_width=d.range(0, 4),
        )
    return body
