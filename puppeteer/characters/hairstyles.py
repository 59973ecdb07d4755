"""Hairdos: which locks make a fringe, the hair beside the face and what hangs behind; `tails.py` ties it."""

from __future__ import annotations

import numpy as np

from puppeteer.characters.figure import MIDDLE
from puppeteer.characters.hair import Hair
from puppeteer.characters.mesh import smoothstep, spline
from puppeteer.characters.recipe import TIED
from puppeteer.characters.tails import braids, pony, twin

# Half width of the whole hair, in the dome's, at rows from its middle down; what lies below follows the last slope.
_OUTLINE: dict[str, tuple[tuple[float, float], ...]] = {
    "long": ((122, 1.0), (150, 1.02), (180, 1.0), (215, 1.05), (260, 1.14)),
    "wavy": ((122, 1.0), (150, 1.05), (180, 1.08), (215, 1.16), (260, 1.24)),
    "half_up": ((122, 1.0), (150, 1.0), (180, 0.98), (215, 1.04), (260, 1.12)),
    "bob": ((122, 1.0), (145, 1.06), (165, 1.06), (182, 0.96), (205, 0.80)),
    "flip": ((122, 1.0), (150, 1.0), (172, 0.95), (190, 1.0), (212, 1.18)),
    "layered": ((122, 1.0), (148, 1.05), (170, 1.0), (195, 0.96), (225, 1.08)),
    "short": ((122, 0.99), (138, 0.95), (152, 0.86), (166, 0.74), (185, 0.62)),
    "spiky": ((122, 1.02), (142, 1.06), (160, 1.02), (178, 0.90), (195, 0.8)),
}
_TIED = ((122, 0.99), (138, 0.92), (152, 0.78), (166, 0.62), (190, 0.45))

_TAILS = {"twin": twin, "drill": twin, "pony": pony, "side_tail": pony, "braids": braids}


def style_hair(hair: Hair) -> None:
    """Grows all hair of the recipe into the figure."""
    hair.cap()
    _back(hair)
    _sides(hair)
    _fringe(hair)
    _loose(hair)
    hair.grow()


# ---- fringe ------------------------------------------------------------------------------------------------


def _strand(hair: Hair, part: float, tip: tuple[float, float], bend: float) -> list[tuple[float, float]]:
    """From near the parting over the dome to a tip: (x, y) with an S in it."""
    x, y = tip
    span = x - part
    top = 71.0 + 0.10 * abs(span)
    rows = top + (y - top) * np.array([0.0, 0.16, 0.36, 0.58, 0.8, 1.0])
    reach = np.array([hair.meridian(float(r)) for r in rows])
    reach = reach / max(reach[-1], 1e-3)
    swing = bend * np.array([0.0, 0.25, 0.7, 1.0, 0.75, 0.0])
    return [(float(part + span * m + s), float(r)) for m, s, r in zip(reach, swing, rows, strict=True)]


def _fringe(hair: Hair) -> None:
    h, rng = hair.r.hair, hair.rng
    kind, n, y0, part = h.bangs, h.bangs_count, h.bangs_y, h.part
    jitter = rng.uniform(-1, 1, (40, 4))
    locks: list[tuple[float, float, float, float]] = []  # tip x from the middle, tip y, width factor, bend
    ends = np.linspace(-37, 37, n) + jitter[:n, 1] * 18 / n
    sweep, flow = h.bangs_sweep, float(rng.uniform(-0.05, 0.17))
    if kind in ("full", "tousled", "short", "one_eye"):
        wild = {"tousled": 7.0, "short": 4.0}.get(kind, 3.0)
        for i, end in enumerate(ends):
            y = y0 + 9 * (abs(end) / 37) ** 2 + jitter[i, 0] * wild + (5 if i % 2 else -2)
            x = end + sweep * 12 + jitter[i, 1] * (3.5 if kind == "tousled" else 2.0)
            locks.append((x, y, 1.0, -9 * sweep + jitter[i, 2] * 3.5 + flow * end))
        if kind == "one_eye":
            side = 1.0 if sweep > 0 else -1.0
            locks += [(side * (11 + 9 * i), y0 + 13 + 6 * i, 1.15, side * 5.0) for i in range(3)]
    elif kind == "crown":  # one long lock between the eyes, gaps above them, longer again at the sides
        for i, end in enumerate(ends):
            a = abs(end)
            y = y0 + (12 if a < 8 else -5 if a < 22 else 6 + 0.35 * (a - 22)) + jitter[i, 0] * 2.5
            locks.append((end + 6 * sweep, y, 1.0, -7 * sweep + flow * end + jitter[i, 2] * 3))
    elif kind in ("parted", "side"):
        lean = part * 1.15
        for i, end in enumerate(np.linspace(-40, 40, n)):
            away = 1.0 if end > lean else -1.0
            gap = min(1.0, abs(end - lean) / 34)
            y = y0 - 16 + 25 * gap**0.8 + jitter[i, 0] * 3.0
            locks.append((end + away * (4 - 2 * gap), y, 1.1, away * (-6.5 + 5.5 * gap) + 2 * jitter[i, 2]))
        if kind == "side":  # a long lock across the brow
            away = -1.0 if part > 0 else 1.0
            locks.append((lean + away * 30, y0 + 4, 1.5, -away * 9.0))
            locks.append((lean + away * 15, y0 - 5, 1.35, -away * 6.0))
    elif kind == "hime":
        for i, end in enumerate(np.linspace(-37, 37, n)):
            locks.append((end, y0 + jitter[i, 0] * 1.3 + 2.5 * (abs(end) / 37) ** 2, 1.12, -0.05 * end))
    elif kind == "micro":
        for i, end in enumerate(np.linspace(-36, 36, n + 3)):
            locks.append((end + jitter[i, 1] * 2, y0 + jitter[i, 0] * 3 + 9 * (abs(end) / 36) ** 2, 0.85, -0.1 * end))
    else:  # centre, curtain: open in the middle
        near, drop = (17.0, 14.0) if kind == "centre" else (10.0, 8.0)
        for i in range(n):
            away, k = (1.0 if i % 2 else -1.0), (i // 2) / max(1, n // 2)
            y = y0 + drop * (k - 0.1) + jitter[i, 0] * 3
            locks.append((part * 0.6 + away * (near + 13 + 15 * k), y, 1.3, away * (-9 + 5 * k)))
    spacing = 76 / max(len(ends) - 1, 4)
    width = h.bangs_width * (0.56 * spacing + 2.2)
    blunt, taper = (0.12, 9.0) if kind == "hime" else (0.9, 1.9 + rng.uniform(0, 0.7))
    open_front = kind in ("centre", "curtain", "parted", "side", "micro", "short")
    # an under layer, shorter and deeper, closes the gaps at the roots
    for k, (x, y, _, bend) in enumerate(locks):
        shift = float(np.clip(x * 0.05, -2, 2)) + (3.0 if k % 2 else -3.0)
        low = y - (9 if open_front else 7)
        hair.blade(
            "front",
            _strand(hair, MIDDLE + part, (MIDDLE + x + shift, max(low, 96)), bend * 0.7),
            width * 1.15,
            0.0,
            tone=0.88,
            shine=0.9,
            line=0.5,
            taper=2.4,
            blunt=0.8,
        )
    if kind not in ("hime", "micro"):  # slim ones between, that cross their neighbours
        for k in range(len(locks) - 1):
            if rng.random() < 0.45 and max(abs(locks[k][0]), abs(locks[k + 1][0])) < 31:
                (x, y, _, bend), (x2, y2, *_) = locks[k], locks[k + 1]
                at = (0.5 * (x + x2) + rng.uniform(-3, 3), 0.5 * (y + y2) + rng.uniform(-2, 5))
                locks.append((*at, 0.42, bend + rng.uniform(-3.5, 3.5)))
    order = np.argsort([-abs(x - part * 0.5) for x, *_ in locks], kind="stable")  # the parting lies on top
    for i in order:
        x, y, f, bend = locks[i]
        hair.blade(
            "front",
            _strand(hair, MIDDLE + part, (MIDDLE + x, y), bend),
            width * f * (1 + (0.1 if kind == "hime" else 0.32) * jitter[i, 3]),
            taper=taper,
            blunt=blunt,
            root=0.08,
        )


# ---- beside the face ---------------------------------------------------------------------------------------


def _side_path(side: float, out: float, y: float, curl: float) -> list[tuple[float, float]]:
    """From the temple round the cheek, `out` px beside where it is tightest, to a tip at row `y`."""
    path = [(24.0, 82.0), (37.0 + 0.5 * out, 96.0), (44.5 + 0.7 * out, 120.0), (42.5 + out, 146.0)]
    if y > 172:
        path += [(39.0 + out, 146 + 0.42 * (y - 146)), (39.5 + out + 0.4 * curl, 146 + 0.75 * (y - 146))]
    path.append(((38.5 if y > 172 else 36.5) + out + curl, y))
    return [(MIDDLE + side * a, b) for a, b in path]


def _sides(hair: Hair) -> None:
    h, rng = hair.r.hair, hair.rng
    hime = h.bangs == "hime"
    for side in (-1.0, 1.0):
        ear = side in hair.r.head.ears
        count = min(h.side_locks, 1) if ear else h.side_locks
        for i in range(count):
            y = h.side_length - 13 * i + rng.uniform(-4, 4)
            curl = (4.5 * h.curl + rng.uniform(-2, 2)) * (1 if y > 172 else 0.4)
            straight = hime and i == 0
            hair.blade(
                "front",
                _side_path(side, 6.5 * i + rng.uniform(-0.5, 1.5) + (3 if ear else 0), y, 0 if straight else curl),
                (5.6 if straight else 7.2 * h.side_width) * rng.uniform(0.85, 1.15),
                taper=8.0 if straight else 2.6,
                blunt=0.12 if straight else 0.85,
            )
        for i in range(h.wisps):  # short ones over the cheek
            y = rng.uniform(158, 176)
            hair.blade(
                "front",
                _side_path(side, -3.5 - 2.5 * i + rng.uniform(-1, 1), y, -rng.uniform(0.0, 3.0)),
                rng.uniform(1.8, 3.4),
                0.0,
                taper=1.7,
                root=0.3,
            )
        for i in range(h.drape):  # over the shoulder to the chest
            y, out = rng.uniform(226, 266), rng.uniform(-3, 3)
            wave = h.wave * rng.uniform(0.6, 1.2) + 1.2
            path = [(30.0, 84.0), (46.0, 104.0), (52.5, 130.0), (51 + out, 160.0), (46 + 3 * i + out + wave, 190.0)]
            path += [(43 + 4 * i + out - wave, 0.5 * (190 + y)), (40 + 5 * i + out + 4 * h.curl, y)]
            hair.blade(
                "middle",
                [(MIDDLE + side * a, b) for a, b in path],
                rng.uniform(5.0, 8.0),
                z=-6.0,
                z_end=-2.0,
                taper=1.9,
                tone=0.98,
            )


# ---- behind ------------------------------------------------------------------------------------------------


def _half_width(hair: Hair, y: float) -> float:
    knots = _TIED if hair.r.hair.back in TIED else _OUTLINE[hair.r.hair.back]
    flare = 0 if hair.r.hair.back in TIED else 26 * hair.r.hair.back_flare * float(smoothstep(140, 250, y)) ** 1.3
    return hair.rx * float(np.interp(y, [k for k, _ in knots], [v for _, v in knots])) + flare


def _stream(hair: Hair, f: float, y: float, phase: float, flick: float) -> list[tuple[float, float]]:
    """A lock at share `f` of the outline, -1 to 1, flowing down to row `y` with the hair's wave."""
    h = hair.r.hair
    path = []
    for row in (78.0, 88.0, 99.0, 110.0):
        path.append(
            (MIDDLE + f * (hair.rx - 3.5 * (124 - row) / 46) * hair.meridian(row), row + 3.0 * (124 - row) / 46)
        )
    n = 4 if y < 200 else 6
    for k, row in enumerate(np.linspace(124, y, n)):
        t = k / (n - 1)
        grow = float(smoothstep(0.15, 0.8, t))
        wave = h.wave * grow * np.sin((row - 122) / 16.0 + phase)
        x = f * _half_width(hair, float(row)) + wave
        if k == n - 1:
            x += flick
        path.append((MIDDLE + float(x), float(row)))
    return path


def _beside_face(hair: Hair, path: list[tuple[float, float]], width: float) -> bool:
    """Whether a lock passes the face, rather than behind it."""
    points = spline(path, 24)
    near = (points[:, 1] > 130) & (points[:, 1] < hair.r.head.chin_y)
    room = np.abs(points[:, 0] - MIDDLE) - 0.6 * width - hair.figure.face_half_width(points[:, 1])
    return bool(np.all(room[near] > -1.0))


def _back(hair: Hair) -> None:
    h, rng = hair.r.hair, hair.rng
    kind, y1 = h.back, h.back_length
    tied = kind in TIED
    end = 178.0 if tied else y1
    base = rng.uniform(0, 6.28)
    # the deepest: a broad mass behind the neck, without gaps
    for f in np.linspace(-0.82, 0.82, 7):
        hair.blade(
            "back",
            _stream(hair, float(f), end - 6 - rng.uniform(0, 12), base + f, 0.0),
            hair.rx * 0.21,
            0.0,
            z=-34.0 + 10 * abs(float(f)),
            tone=0.0,
            shine=0.0,
            line=0.5,
            taper=5.0,
            blunt=0.6,
            root=0.15,
        )
    for side in (-1.0, 1.0):
        n = 6
        for i in range(n):  # from the middle outwards, nearer and lighter
            f = 0.30 + 0.70 * i / (n - 1)
            y = end + rng.uniform(-9, 5)
            if kind == "layered":
                y -= 34 * max(0.0, f - 0.45)
            elif kind == "short":
                y -= 20 * max(0.0, f - 0.4)
            elif kind == "spiky":
                y -= 26 * max(0.0, f - 0.35) - rng.uniform(-6, 6)
            elif kind in ("bob", "flip"):
                y -= 8 * max(0.0, f - 0.5)
            flick = side * (9.0 * h.flick + rng.uniform(-3, 3))
            if kind == "flip":
                flick += side * rng.uniform(7, 14)
            elif kind == "bob":
                flick -= side * rng.uniform(2, 8)
            elif kind == "spiky":
                flick += side * rng.uniform(4, 14)
            if tied:
                flick = -side * 4
            path, width = _stream(hair, side * f, y, base + 0.8 * f, flick), rng.uniform(8.5, 13.0)
            width *= 0.8 if tied else 1.0
            name = "middle" if i >= n - 2 and _beside_face(hair, path, width) else "back"
            hair.blade(
                name,
                path,
                width,
                line=0.8,
                z=-30.0 + 16.0 * f,
                z_end=(-32.0 + 16.0 * f) if name == "back" else -16.0,
                tone=0.22 + 0.72 * f * f if name == "back" else 0.90 + 0.10 * (i - n + 2),
                taper=2.5 if kind != "spiky" else 1.6,
                root=0.2,
            )
    tail = _TAILS.get(kind)
    if tail is not None:
        tail(hair)
    if kind == "bun":
        both = rng.random() < 0.6
        radius = rng.uniform(12, 16)
        for side in (-1.0, 1.0) if both else (float(rng.choice([-1, 1])),):
            hair.bun(MIDDLE + side * rng.uniform(36, 44), rng.uniform(72, 84), -10, radius)
    elif kind == "half_up" and rng.random() < 0.5:
        hair.bun(MIDDLE + float(rng.choice([-1, 1])) * 50, rng.uniform(86, 104), -6, rng.uniform(6, 9))


# ---- what stands off ---------------------------------------------------------------------------------------


def _loose(hair: Hair) -> None:
    """Ahoge, thin strays, and tufts that break the dome's outline."""
    h, rng = hair.r.hair, hair.rng
    for i in range(h.ahoge):
        side = float(rng.choice([-1, 1]))
        x, up, reach = MIDDLE + h.part + rng.uniform(-4, 4), rng.uniform(9, 20), rng.uniform(8, 22) * side
        path = [
            (x, 71.0),
            (x - 0.1 * reach, 66 - 0.75 * up),
            (x + 0.5 * reach, 64 - up),
            (x + reach, 67 - rng.uniform(0.1, 0.6) * up),
        ]
        hair.blade("front", path, rng.uniform(1.6, 3.0), 0.0, z=4.0 + i, taper=1.8, root=0.35, shine=0.3, arc=24.0)
    for i in range(h.strays):
        side = float(rng.choice([-1, 1]))
        f, y = side * rng.uniform(0.92, 1.0), min(h.back_length, 235) - rng.uniform(6, 34)
        if h.back in TIED or i % 3 == 2:
            path = _side_path(side, rng.uniform(2, 10), rng.uniform(165, 195), rng.uniform(-2, 6))
            hair.blade("front", path, rng.uniform(0.8, 1.5), 0.0, line=0.0, taper=1.6)
        else:
            path = _stream(hair, f, y, rng.uniform(0, 6), side * rng.uniform(1, 6))
            hair.blade("middle", path, rng.uniform(0.8, 1.6), 0.0, z=-16.0, line=0.3, taper=1.6)
    tufts = 5 if h.back == "spiky" else h.tufts
    for i in range(tufts):
        side = -1.0 if i % 2 else 1.0
        f, y = side * rng.uniform(0.7, 1.0), rng.uniform(106, 150)
        out = rng.uniform(3, 8) * (1.7 if h.back == "spiky" else 1.0)
        path = _stream(hair, f, max(y, 132.0), 0.0, side * out)
        path = [p for p in path if p[1] < y - 6] + [(path[-1][0] if y >= 132 else MIDDLE + f * hair.rx + side * out, y)]
        hair.blade("middle", path, rng.uniform(3.5, 6.0), 0.0, z=-14.0, taper=1.7)
