"""Tied hair: twin tails, drills, ponytails and braids."""

from __future__ import annotations

import numpy as np

from puppeteer.characters.figure import MIDDLE
from puppeteer.characters.hair import Hair
from puppeteer.characters.moving import carried, swing
from puppeteer.characters.ribbons import ribbon_bow


def twin(hair: Hair) -> None:
    h, rng = hair.r.hair, hair.rng
    y = rng.uniform(84, 116)
    length, spread, wave = rng.uniform(95, 165), rng.uniform(10, 26), 2.0 + h.wave
    bows, size = rng.random() < 0.5, rng.uniform(0.75, 1.1)
    for side in (-1.0, 1.0):
        ax, ay = MIDDLE + side * hair.rx * (0.80 + 0.16 * (y - 84) / 32), y
        if h.back == "drill":
            _drill(hair, ax + side * 9, ay, length * 0.8, side)
        else:
            for i in range(7):
                f = (i - 3) / 3.0
                end = length * (1 - 0.12 * abs(f)) * rng.uniform(0.92, 1.05)
                sway = wave * np.sin(f * 1.5 + 0.6)
                path = [
                    (ax - side * 2, ay + 1.5 * f),
                    (ax + side * (9 + 3 * f), ay - 6 + 4 * abs(f)),
                    (ax + side * (16 + 9 * f + 0.3 * spread), ay + 0.22 * end),
                    (ax + side * (15 + 10 * f + 0.7 * spread) + sway, ay + 0.5 * end),
                    (ax + side * (11 + 9 * f + 0.9 * spread) - sway, ay + 0.78 * end),
                    (ax + side * (8 + 6 * f + spread + 7 * h.curl), ay + end),
                ]
                hair.blade(
                    "middle",
                    path,
                    rng.uniform(6.5, 9.5),
                    z=-8.0,
                    z_end=-10.0,
                    tone=0.80 + 0.2 * (i % 2),
                    taper=2.0,
                    root=0.25,
                    arc=46.0,
                    hang=ay,
                )
        if bows:
            ribbon_bow(hair.figure, (ax - side * 1, ay - 2), 30.0, size, side * 60)
        else:
            hair.figure.ball("prop_head", (ax, ay, 20), (4.4, 6.0, 5), hair.r.extras.colour, side * 0.35)


def _drill(hair: Hair, x: float, y: float, length: float, side: float) -> None:
    turns = 5
    for k in range(turns):
        top, w = y + length * k / turns, 13.0 * (1 - 0.55 * k / turns)
        hair.blade(
            "middle",
            [(x - w, top + 2), (x - 0.2 * w, top + 7), (x + w, top + 4), (x + 0.6 * w, top + length / turns + 4)],
            length / turns * 0.62,
            0.0,
            z=-4.0 - k,
            tone=1.0,
            taper=3.0,
            blunt=0.7,
            root=0.35,
            arc=40.0,
            hang=y,
        )
        hair.blade(
            "middle",
            [(x + w * 0.9, top + 3), (x, top + 12), (x - w * 0.9, top + length / turns + 2)],
            length / turns * 0.5,
            0.0,
            z=-9.0 - k,
            tone=0.72,
            taper=3.0,
            blunt=0.7,
            root=0.5,
            arc=80.0,
            hang=y,
        )


def pony(hair: Hair) -> None:
    h, rng = hair.r.hair, hair.rng
    side = float(rng.choice([-1, 1]))
    low = h.back == "side_tail"
    ax, ay = MIDDLE + side * (rng.uniform(40, 50) if low else rng.uniform(14, 34)), 162.0 if low else 72.0
    length = rng.uniform(70, 95) if low else rng.uniform(110, 160)
    for i in range(7):
        f = (i - 3) / 3.0
        end = length * rng.uniform(0.9, 1.05)
        sway = (2.0 + h.wave) * np.sin(1.3 * f + 0.5)
        if low:
            path = [
                (ax, ay),
                (ax + side * (3 + 5 * f), ay + 0.25 * end),
                (ax + side * 5 * f + sway, ay + 0.6 * end),
                (ax + side * (-3 + 4 * f + 5 * h.curl), ay + end),
            ]
        else:
            path = [
                (ax, ay + 2),
                (ax + side * (14 + 4 * f), ay - 10 + 4 * f),
                (ax + side * (36 + 9 * f), ay + 0.12 * end),
                (ax + side * (45 + 10 * f) + sway, ay + 0.45 * end),
                (ax + side * (40 + 9 * f) - sway, ay + 0.75 * end),
                (ax + side * (32 + 6 * f + 8 * h.curl), ay + end),
            ]
        hair.blade(
            "middle" if low else "back",
            path,
            rng.uniform(6.5, 9.5),
            z=-4.0 if low else -30.0,
            z_end=-2.0 if low else -22.0,
            tone=0.82 + 0.18 * (i % 2),
            taper=2.0,
            root=0.3,
            arc=46.0,
            hang=ay,
        )
    z = 16.0 if low else -14.0
    hair.figure.ball("prop_head", (ax, ay, z), (5.0, 4.5, 5.0), hair.r.extras.colour, side * 0.5)


def braids(hair: Hair) -> None:
    rng = hair.rng
    length, start = rng.uniform(82, 115), rng.uniform(146, 154)
    sides = (-1.0, 1.0) if rng.random() < 0.6 else (float(rng.choice([-1, 1])),)
    for side in sides:
        n = max(5, int(length / 10))
        for k in range(n):
            t = k / n
            x, y = MIDDLE + side * (44 + 4 * np.sin(2.4 * t) - 8 * t), start + length * t
            w = 8.2 * (1 - 0.4 * t)
            for turn in (-1.0, 1.0):
                hair.blade(
                    "middle",
                    [(x + turn * w, y - 3), (x + turn * w * 0.75, y + 6), (x - turn * w * 0.35, y + 13)],
                    w * 0.62,
                    0.0,
                    z=-4.0 + k * 0.4,
                    tone=1.0 if turn > 0 else 0.9,
                    taper=3.0,
                    blunt=0.7,
                    root=0.45,
                    shine=0.3,
                    arc=70.0,
                    hang=start,
                )
        x, y = MIDDLE + side * 38, start + length
        for f in (-1.0, 0.0, 1.0):
            path = [(x, y + 4), (x + 3 * f, y + 12), (x + 4 * f - side * 2, y + 24)]
            hair.blade("middle", path, 3.4, 0.0, z=2.0, taper=1.8, arc=70.0, hang=start)
        hair.figure.ball("prop_side", (x, y + 5, 30), (4.4, 3.0, 4), hair.r.extras.colour)
        hair.figure.hang("prop_side", carried(float(swing(np.array(length)))))
