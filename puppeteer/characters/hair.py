"""Hair: locks that follow a shell round the skull and hang from it, a cap under them, tails and buns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure
from puppeteer.characters.mesh import F64, ball, ribbon, ribbons, smoothstep, spline

LOCK_ROWS = 18


@dataclass(frozen=True, slots=True)
class Lock:
    """A strip of hair; azimuths in degrees, lengths in pixels."""

    name: str
    start: float  # azimuth at the root
    end: float  # azimuth at the tip
    last: float  # arc from the crown to the tip
    width: float  # greatest half width
    phase: float
    seed: float
    phi: float = 0.3  # where it starts, radians from the crown
    lift: float = 0.0  # above the shell
    lift_end: float | None = None
    hug: float = 0.12  # how far it comes in below the equator
    hug_y: float = 60.0
    bow: float = 0.0
    wave: float = 0.0
    curl: float = 0.0
    taper: float = 2.2  # lower: pointed over more of its length
    blunt: float = 0.75
    tone: float = 1.0
    shine: float = 1.0
    line: float = 1.0
    bulge: float = 0.22
    swell: float = 0.0


class Hair:
    """Everything of a figure that is hair; the shell is an ellipsoid above its equator and hangs straight below."""

    def __init__(self, figure: Figure) -> None:
        self.figure, self.r, self.rng = figure, figure.r, figure.rng
        h = figure.r.hair
        self.cy, self.cz = 122.0, -5.0
        self.rx, self.ry = h.radius, self.cy - 66.0 + 0.3 * h.volume
        # A fringe lies on the forehead: further in front it would swing more than the face when the head nods.
        self.front, self.behind = figure.r.head.depth - self.cz + 2.0 + 0.8 * h.volume, h.radius * 0.89
        self.arc_radius = (self.rx + self.ry) / 2
        self.equator = self.arc_radius * np.pi / 2
        self._locks: list[Lock] = []

    def add(self) -> None:
        """Grows all hair of the recipe into the figure."""
        self.cap()
        self.bangs()
        self.sides()
        self.back()
        self.ahoge()
        for name in ("front", "middle", "back"):
            self._grow(name, [lock for lock in self._locks if lock.name == name])

    def shell(self, theta: F64, arc: F64, grow: F64, hug: F64 | float, hug_y: F64 | float = 60.0) -> F64:
        """Points on the hair's shell: `arc` pixels from the crown along azimuth `theta` (0 front, + viewer's right)."""
        phi = np.minimum(arc / self.arc_radius, np.pi / 2)
        below = np.maximum(arc - self.equator, 0.0)
        g = (1 - hug * smoothstep(0, 1, below / hug_y)) + grow / self.rx
        x = self.rx * np.sin(phi) * np.sin(theta) * g
        # Boxy in front: hair beside the face is drawn nearly as far forward as the face, and moves with it
        cosine = np.cos(theta)
        depth = np.where(cosine > 0, np.maximum(cosine, 0) ** 0.6, cosine)
        z = np.where(cosine > 0, self.front, self.behind) * np.sin(phi) * depth * g
        y = -self.ry * np.cos(phi) * (1 + grow / self.ry) + below
        return np.stack([MIDDLE + x, self.cy + y, self.cz + z], -1)

    def arc_at(self, y: float) -> float:
        """How far from the crown a lock has come at row `y`."""
        if y < self.cy:
            return float(self.arc_radius * np.arccos(min(max((self.cy - y) / self.ry, -1.0), 1.0)))
        return self.equator + y - self.cy

    def lock(
        self, name: str, start: float, end: float, y_end: float, width: float, split: float = 1.0, **shape: float
    ) -> None:
        """One lock from the crown, its tip at row `y_end`; some end in two points. `shape` as in `Lock`."""
        rng = self.rng
        lock = Lock(name, start, end, self.arc_at(float(y_end)), width, rng.uniform(-1, 1), rng.uniform(0, 1), **shape)
        if rng.random() < split * self.r.hair.split and width > 3:
            other = {
                **shape,
                "phi": lock.phi + 0.3,
                "lift": lock.lift + 0.9,
                "curl": lock.curl + rng.uniform(-0.4, 0.4),
                "taper": max(lock.taper - 0.6, 1.4),
                "blunt": 0.9,
                "tone": min(1.0, lock.tone + 0.05),
            }
            if lock.lift_end is not None:
                other["lift_end"] = lock.lift_end + rng.uniform(0, 4)
            end = end + float(rng.choice([-1, 1])) * rng.uniform(2.5, 6.0)
            self.lock(name, start, end, y_end + rng.uniform(-6, 7), width * rng.uniform(0.3, 0.5), 0.0, **other)
        if lock.tone > 0.6:
            lock = replace(lock, tone=lock.tone * (1 - self.r.hair.variety * rng.random()))
        self._locks.append(lock)

    def _grow(self, name: str, locks: list[Lock]) -> None:
        """All locks of a layer at once: arrays are (locks, rows)."""
        if not locks:
            return

        def each(field: str) -> F64:
            return np.array([getattr(lock, field) for lock in locks], float)[:, None]

        t = np.linspace(0, 1, LOCK_ROWS)[None]
        last, start, end, lift = each("last"), each("start"), each("end"), each("lift")
        first = np.minimum(each("phi") * self.arc_radius, last - 8)
        arc = first + (last - first) * t
        swing = np.sin(t * 7 + each("phase") + np.where(start < 0, 0.0, 3.1)) * smoothstep(0.25, 0.8, t)
        theta = np.radians(
            start + (end - start) * t**1.15 + each("bow") * np.sin(np.pi * t) * 10 + each("wave") * swing
        )
        lift_end = np.array([lock.lift if lock.lift_end is None else lock.lift_end for lock in locks])[:, None]
        grow = lift + (lift_end - lift) * smoothstep(0.3, 1.0, t)
        grow = grow + each("swell") * np.sin(np.pi * np.clip(t * 1.15 - 0.1, 0, 1)) ** 2
        path = self.shell(theta, arc, grow, each("hug"), each("hug_y"))
        path[..., 0] += each("curl") * 13 * smoothstep(0.55, 1.0, t) ** 1.4
        outward = path - np.array([MIDDLE, 0, self.cz])
        outward[..., 1] = np.minimum(path[..., 1] - self.cy, 0)
        # locks at the sides turn their flat to the viewer, as they are drawn
        side = smoothstep(0, 1, (np.radians(140) - np.abs(theta)) / np.radians(35))
        outward[..., 2] += 55 * side * smoothstep(0.1, 0.5, t)
        w = each("width") * (0.3 + 0.7 * smoothstep(0.0, 0.45, t))
        w = w * np.power(np.maximum(1 - t ** each("taper"), 0), each("blunt"))
        w = np.maximum(np.where(t < 0.97, np.maximum(w, 0.4), w), 0.05)  # thinner falls between the pixels
        colour = np.concatenate([each("tone"), each("shine"), each("line"), each("seed")], -1)
        v, f = ribbons(path, m.unit(outward), w, self.figure.hair_weight, colour, each("bulge"), arc)
        if name == "front":
            # never into face or chest, whatever the shell does
            x, y = v[:, 0].astype(float), v[:, 1].astype(float)
            near = (np.abs(x - MIDDLE) < self.figure.face_half_width(y)) & (y < self.r.head.chin_y)
            lifted = np.repeat(np.maximum(lift[:, 0], 0.0), len(v) // len(locks))
            floor = self.figure.surface(x, y) + 1.5 + 0.8 * lifted + 0.015 * np.maximum(v[:, 2] + 30, 0)
            v[:, 2] = np.where(near, np.maximum(v[:, 2], floor), v[:, 2])
            low = (y > 204) & (np.abs(x - MIDDLE) < 0.95 * self.r.body.shoulder)
            v[:, 2] = np.where(low, np.maximum(v[:, 2], self.figure.chest(x, y) + 3.0 + 0.5 * lifted), v[:, 2])
        self.figure.mesh(name).add(v, f)

    def strand(
        self,
        name: str,
        points: list[tuple[float, float, float]],
        width: float,
        outward: tuple[float, float, float],
        tone: float = 1.0,
        arc0: float = 60.0,
        taper: float = 2.0,
        blunt: float = 0.8,
        root: float = 0.45,
        rows: int = 20,
    ) -> None:
        """A lock along any curve."""
        path = spline(points, rows)
        t = np.linspace(0, 1, rows)
        w = width * (root + (1 - root) * smoothstep(0, 0.35, t)) * np.power(np.maximum(1 - t**taper, 0), blunt)
        out = np.broadcast_to(np.asarray(outward, float), path.shape)
        step = np.linalg.norm(np.diff(path, axis=0, prepend=path[:1]), axis=-1)
        self.figure.mesh(name).add(
            *ribbon(
                path,
                out,
                np.maximum(w, 0.05),
                self.figure.hair_weight,
                (tone, 1, 1, 1),
                self.rng.uniform(0, 1),
                0.25,
                arc0 + np.cumsum(step),
            )
        )

    def cap(self) -> None:
        """What hides the skull: from the crown to a hairline that leaves the face free."""
        rows, columns = 15, 44
        angle = np.linspace(-180, 180, columns, endpoint=False)
        knots = [0, 30, 50, 62, 75, 100, 130, 180]
        covered = np.interp(np.abs(angle), knots, [98, 103, 116, 142, 154, 160, 172, 178])
        bare = np.interp(np.abs(angle), knots, [98, 103, 116, 137, 146, 150, 168, 178])
        y_line = np.where(np.isin(np.sign(angle), self.r.head.ears), bare, covered)
        t = np.linspace(0, 1, rows)[:, None]
        last = np.where(
            y_line < self.cy,
            self.arc_radius * np.arccos(np.clip((self.cy - y_line) / self.ry, -1, 1)),
            self.equator + y_line - self.cy,
        )[None]
        arc = 1.0 + (last - 1.0) * t
        theta = np.broadcast_to(np.radians(angle)[None], arc.shape)
        points = self.shell(theta, arc, np.full_like(arc, -1.5), 0.46)
        material = np.zeros((rows, columns, 4))
        material[..., 0] = np.sin(theta * 9)
        material[..., 1] = 0.2 * np.broadcast_to(t, arc.shape)
        material[..., 2] = 99.0
        material[..., 3] = arc
        colour = np.ones((rows, columns, 4))
        colour[..., 0] = 0.86
        colour[..., 3] = 0.3 + 0.1 * theta
        self.figure.mesh("cap").add(
            m.pack(points, m.normals(points, closed=True), self.figure.hair_weight, material, colour),
            m.grid_triangles(rows, columns, closed=True),
        )

    def bangs(self) -> None:
        h, rng = self.r.hair, self.rng
        kind, n, y0 = h.bangs, h.bangs_count, h.bangs_y
        part = 0.0
        locks: list[tuple[float, float, float, float]] = []  # start, end, y, width factor
        jitter = rng.uniform(-1, 1, (40, 3))
        ends = np.linspace(-54, 54, n)
        if kind in ("full", "crown", "tousled", "short", "one_eye"):
            for i, end in enumerate(ends):
                wild = {"tousled": 9.0, "short": 5.0}.get(kind, 4.0)
                y = y0 + 3.0 * (abs(end) / 50) ** 2 * 2 + jitter[i, 0] * wild
                if kind == "crown":
                    y = (
                        y0
                        + 6
                        - 0.0 * end
                        + (11 if i == n // 2 else 0) * (1 if y0 < 148 else 0.4)
                        + jitter[i, 0] * 4
                        - 8 * (abs(abs(end) - 24) < 12)
                    )
                sweep = h.bangs_sweep * 22 + (jitter[i, 1] * 16 if kind in ("tousled", "short") else jitter[i, 1] * 6)
                locks.append((end * 0.62 - sweep * 0.2, end + sweep, y, 1.0))
            if kind == "one_eye":
                side = 1 if h.bangs_sweep > 0 else -1
                locks += [(side * 8, side * (22 + 7 * i), y0 + 8 + 4 * i, 1.15) for i in range(3)]
        elif kind in ("parted", "side"):
            part = float(rng.uniform(-14, 14)) if kind == "parted" else float(rng.choice([-1, 1]) * rng.uniform(20, 34))
            for i, end in enumerate(ends):
                away = np.sign(end - part) or 1.0
                y = y0 - 10 + 16 * min(1.0, abs(end - part) / 45) + jitter[i, 0] * 4
                locks.append((part + (end - part) * 0.45, end + away * 8 + jitter[i, 1] * 4, y, 1.05))
        elif kind == "hime":
            for i, end in enumerate(np.linspace(-50, 50, n + 2)):
                locks.append((end * 0.6, end, y0 + jitter[i, 0] * 1.2, 1.15))
        elif kind == "micro":
            for i, end in enumerate(np.linspace(-44, 44, n + 6)):
                locks.append(
                    (end * 0.7, end + jitter[i, 1] * 2, y0 + jitter[i, 0] * 2 + 8 * (abs(end) / 44) ** 2, 0.75)
                )
        else:  # centre, curtain
            part = float(rng.uniform(-10, 10))
            reach = 22.0 if kind == "centre" else 10.0
            for i in range(n):
                sign = 1.0 if i % 2 else -1.0
                far = reach + 30 * (i // 2) / max(1, n // 2)
                y = y0 + (14 if kind == "centre" else 4) * (0.4 + (i // 2) / max(1, n // 2)) + jitter[i, 0] * 4
                locks.append((part + sign * 5, part * 0.4 + sign * (far + 8), y, 1.2))
        spacing = 108 / max(len(locks) - 1, 4)
        width = h.bangs_width * (0.62 * spacing + 3.0)
        blunt, taper = (0.22, 7.0) if kind == "hime" else (0.85, 2.0 + rng.uniform(0, 1.2))
        bow_sign = 1.0 if h.bangs_sweep > 0 else -1.0
        # an under layer closes the gaps at the roots
        for start, end, y, _ in locks[:: 1 if len(locks) < 8 else 2]:
            hidden = min(y - 9, 128) if kind not in ("centre", "curtain") else y - 8
            self.lock(
                "front",
                start,
                end * 0.96,
                max(hidden, 100),
                width * 1.05,
                phi=0.12,
                lift=0.6,
                tone=0.8,
                shine=0.7,
                blunt=0.7,
                taper=2.5,
                hug=0.1,
            )
        for i, (start, end, y, f) in enumerate(locks):
            self.lock(
                "front",
                start,
                end,
                y,
                width * f * (1 + 0.2 * jitter[i, 2]),
                phi=0.1 + 0.08 * (i % 3),
                lift=2.0 + 1.1 * ((i * 7) % 3),
                hug=0.1 + 0.05 * abs(jitter[i, 1]),
                bow=0.5 * jitter[i, 2] + 0.35 * bow_sign * (kind != "hime"),
                blunt=blunt,
                taper=taper,
                wave=h.wave * 0.5,
            )
        for _ in range(h.strays // 2):
            end = rng.uniform(-40, 40)
            self.lock(
                "front",
                end * 0.6,
                end + rng.uniform(-12, 12),
                y0 + rng.uniform(-4, 8),
                rng.uniform(0.9, 1.9),
                phi=0.5,
                lift=4.5,
                bow=rng.uniform(-1, 1),
                line=0.0,
            )

    def sides(self) -> None:
        h, rng = self.r.hair, self.rng
        for side in (-1.0, 1.0):
            ear = side in self.r.head.ears
            for i in range(min(h.side_locks, 1) if ear else h.side_locks):
                end = side * ((46 if ear else 55) + 9 * i + rng.uniform(-3, 3))
                y = h.side_length - 11 * i + rng.uniform(-5, 5)
                self.lock(
                    "front",
                    side * (26 + 8 * i),
                    end,
                    y,
                    6.2 * h.side_width * rng.uniform(0.8, 1.15),
                    phi=0.2,
                    lift=3.2 - 0.8 * i,
                    hug=0.23 + rng.uniform(-0.05, 0.05),
                    hug_y=45,
                    bow=-0.3 * side,
                    wave=h.wave,
                    curl=-side * 0.45 * h.curl + rng.uniform(-0.2, 0.2),
                    taper=2.6,
                    blunt=0.8,
                )
            # temples: close the space between bangs and back hair
            if not ear:
                self.lock(
                    "front",
                    side * 40,
                    side * 68,
                    min(h.back_length, 172) + rng.uniform(-6, 4),
                    9.5,
                    phi=0.25,
                    lift=0.8,
                    hug=0.2,
                    tone=0.9,
                )
            for i in range(h.drape):
                self.lock(
                    "front",
                    side * (50 + 8 * i),
                    side * (68 + 9 * i + rng.uniform(-5, 5)),
                    rng.uniform(222, 262),
                    rng.uniform(4.5, 8.5),
                    phi=0.5,
                    lift=1.5,
                    hug=0.1 + rng.uniform(-0.06, 0.1),
                    hug_y=60,
                    wave=h.wave * 1.3 + 0.6,
                    curl=rng.uniform(-0.6, 0.6),
                    taper=1.9,
                    blunt=0.9,
                    tone=0.97,
                )
        for side in (-1.0, 1.0):
            for i in range(h.wisps):
                end = side * (41 + 7 * i + rng.uniform(-3, 3))
                self.lock(
                    "front",
                    side * (20 + 7 * i),
                    end,
                    174 - 9 * (h.wisps - i) + rng.uniform(-5, 5),
                    rng.uniform(2.4, 4.6),
                    phi=0.35,
                    lift=3.0,
                    hug=0.16,
                    hug_y=45,
                    bow=side * rng.uniform(0.1, 0.7),
                    curl=-side * rng.uniform(0.1, 0.6),
                    taper=1.9,
                    blunt=0.9,
                )
        for _ in range(h.strays // 3):
            side = float(rng.choice([-1, 1]))
            self.lock(
                "front",
                side * 40,
                side * rng.uniform(55, 80),
                h.side_length + rng.uniform(-12, 10),
                rng.uniform(0.9, 1.7),
                phi=0.5,
                lift=4.5,
                hug=0.1,
                wave=h.wave + 1,
                line=0.0,
            )

    def back(self) -> None:
        h, rng = self.r.hair, self.rng
        kind = h.back
        tied = kind in ("twin", "pony", "bun", "drill")
        y1 = h.back_length
        short = y1 < 182
        hug = 0.40 if tied else (0.28 if short else 0.02)
        # sheet behind the neck: no hole between the locks
        bottom = min(y1 - 8, 262) if not tied else 186
        columns, rows = 49, 8
        angle = np.radians(np.linspace(100, 260, columns))[None]
        teeth = np.abs(((np.arange(columns) / 6.0 + rng.uniform(0, 1)) % 1.0) - 0.5) * 2
        tooth = 4.0 + 0.06 * (bottom - 150)
        last = bottom - tooth * teeth * rng.uniform(0.6, 1.4, columns) - 10 * np.abs(np.linspace(-1, 1, columns)) ** 3
        arc = np.linspace(self.equator * 0.8, self.equator + last - self.cy, rows)
        theta = np.broadcast_to(angle, (rows, columns))
        arcs = np.broadcast_to(arc, (rows, columns))
        flare = 30 * h.back_flare * smoothstep(self.equator + 30, self.equator + 120, arcs)
        points = self.shell(theta, arcs, -4.0 + 0.8 * flare, hug + 0.06, 70)
        material = np.zeros((rows, columns, 4))
        material[..., 0] = np.sin(theta * 12)
        material[..., 1] = np.linspace(0.3, 0.9, rows)[:, None]
        material[..., 2] = 99
        material[..., 3] = 95.0
        colour = np.ones((rows, columns, 4)) * np.array([0.0, 0.0, 0.0, 0.5])
        self.figure.mesh("back").add(
            m.pack(points, m.normals(points), self.figure.hair_weight, material, colour),
            m.grid_triangles(rows, columns),
        )
        n = 7
        swell = rng.uniform(1, 9) if kind in ("bob", "long", "wavy", "layered", "half_up", "flip") else 0.0
        for side in (-1.0, 1.0):
            for i in range(n):
                f = i / (n - 1)
                end = (
                    (97 if side in self.r.head.ears else 76)
                    + (174 - (97 if side in self.r.head.ears else 76)) * f
                    + rng.uniform(-4, 4)
                )
                near = 1 - f
                y = y1 - 6 * near * (kind != "layered") + rng.uniform(-7, 5) - (26 * near if kind == "layered" else 0)
                if tied:
                    y = rng.uniform(176, 188)
                out = 30 * h.back_flare
                if kind == "flip":
                    out += rng.uniform(8, 16)
                if kind == "bob":
                    out -= rng.uniform(0, 9)
                if kind == "spiky":
                    out += rng.uniform(6, 18) * (0.4 + near)
                    y = 130 + (y1 - 130) * (0.35 + 0.65 * f) + rng.uniform(-8, 8)
                if kind == "short":
                    y -= 18 * near
                self.lock(
                    "back" if f > 0.3 else "middle",
                    side * (end - 16 + 4 * f),
                    side * end,
                    y,
                    rng.uniform(9, 13),
                    phi=0.25,
                    lift=1.0 + 1.3 * (i % 2) - 1.5 * f,
                    lift_end=1.0 + (0 if tied else out) * (0.7 + 0.3 * near),
                    hug=hug,
                    hug_y=70,
                    wave=h.wave,
                    curl=side * (h.curl * 0.6 + rng.uniform(-0.25, 0.25)) * (not tied),
                    tone=0.95 - 0.6 * f * f,
                    taper=2.0 if kind != "spiky" else 1.6,
                    blunt=0.85,
                    swell=swell,
                    bow=rng.uniform(-0.3, 0.3),
                )
        if kind == "spiky":
            for i in range(12):
                a = -150 + 25 * i + rng.uniform(-8, 8)
                self.lock(
                    "middle",
                    a * 0.8,
                    a,
                    rng.uniform(82, 118),
                    rng.uniform(6, 9),
                    phi=0.2,
                    lift=1.5,
                    lift_end=rng.uniform(5, 13),
                    taper=1.5,
                    bow=rng.uniform(-0.6, 0.6),
                )
        if kind in ("twin", "drill"):
            for side in (-1.0, 1.0):
                self.tail(side, kind == "drill")
        elif kind == "pony":
            self.pony()
        elif kind == "bun":
            both = rng.random() < 0.6
            radius = rng.uniform(10, 15)
            for side in (-1.0, 1.0) if both else (float(rng.choice([-1, 1])),):
                self.bun(MIDDLE + side * rng.uniform(34, 46), rng.uniform(74, 92), -12, radius)
        elif kind == "half_up" and rng.random() < 0.5:
            self.bun(MIDDLE + float(rng.choice([-1, 1])) * 48, rng.uniform(84, 108), -8, rng.uniform(5, 8))
        for _ in range(h.strays):
            side = float(rng.choice([-1, 1]))
            end = rng.uniform(80, 120)
            self.lock(
                "middle",
                side * 70,
                side * end,
                y1 + rng.uniform(-20, 2),
                rng.uniform(0.9, 2.2),
                phi=0.6,
                lift=2,
                lift_end=2 + 42 * h.back_flare + rng.uniform(0, 10),
                hug=hug * 0.8,
                hug_y=70,
                wave=h.wave + 1,
                curl=side * rng.uniform(0, 0.8),
                line=0.0,
            )

    def bun(self, x: float, y: float, z: float, radius: float) -> None:
        v, f = ball(
            (x, y, z), (radius, radius * 0.95, radius), self.figure.hair_weight, (0.95, 0.6, 1, 0.4), 0.0, 12, 18
        )
        v[:, m.MATERIAL] = np.stack(
            [v[:, 12 - 12] * 0, np.full(len(v), 0.3), np.full(len(v), 99.0), 60 + (v[:, 1] - y) * 0.8], -1
        )
        self.figure.mesh("cap_back").add(v, f)
        for i in range(3):
            a = self.rng.uniform(0, 6.28)
            c, s = np.cos(a) * radius, np.sin(a) * radius
            self.strand(
                "middle",
                [(x - c, y - s, z + 2), (x + s * 0.3, y - c * 0.3, z + radius + 1), (x + c, y + s, z + 2)],
                radius * 0.4,
                (0, 0, 1),
                0.9 + 0.05 * i,
                58,
                8,
                0.5,
                0.5,
                12,
            )

    def tail(self, side: float, drill: bool) -> None:
        rng, h = self.rng, self.r.hair
        ax, ay = MIDDLE + side * (self.rx * rng.uniform(0.82, 0.97)), rng.uniform(86, 118)
        length = rng.uniform(60, 150)
        spread = rng.uniform(6, 24)
        for i in range(8):
            f = (i - 3.5) / 3.5
            z = -10 + 6 * np.cos(i * 2.1)
            w = rng.uniform(6, 9)
            if drill:
                turns = np.linspace(0, 1, 9)
                pts = [
                    (
                        ax + side * (8 + 9 * t) + 10 * (1 - 0.7 * t) * np.sin(t * 16 + i * 0.8),
                        ay + t * length * 0.8 + 3 * f,
                        z + 8 * np.cos(t * 16 + i * 0.8),
                    )
                    for t in turns
                ]
                self.strand(
                    "middle",
                    [(float(a), float(b), float(c)) for a, b, c in pts],
                    w * 0.8,
                    (side * 0.4, 0, 0.9),
                    0.85 + 0.15 * (i % 2),
                )
                continue
            end = length * rng.uniform(0.85, 1.05)
            pts = [
                (ax, ay, z),
                (ax + side * (8 + 0.2 * spread) + 2 * f, ay - 3 + 3 * f, z + 2),
                (ax + side * (12 + 0.7 * spread) + 7 * f, ay + 0.35 * end, z + 3),
                (ax + side * (8 + spread) + 9 * f + h.wave * rng.uniform(-2, 2), ay + 0.7 * end, z + 1),
                (ax + side * (4 + 1.1 * spread) + 7 * f + 8 * h.curl * side, ay + end, z - 2),
            ]
            self.strand("middle" if i % 2 else "back", pts, w, (side * 0.35, 0, 0.93), 0.8 + 0.2 * (i % 2), 70)
        self.figure.ball("prop_head", (ax - side * 1, ay, 0), (4.5, 5.5, 6), self.r.extras.colour)

    def pony(self) -> None:
        rng, h = self.rng, self.r.hair
        side = float(rng.choice([-1, 1]))
        ax, ay, az = MIDDLE + side * rng.uniform(6, 40), rng.uniform(74, 96), -36.0
        length = rng.uniform(80, 150)
        for i in range(8):
            f = (i - 3.5) / 3.5
            pts = [
                (ax, ay, az),
                (ax + side * 16 + 3 * f, ay - 9 + 3 * f, az - 4),
                (ax + side * 34 + 8 * f, ay + 0.25 * length, az - 8 + 3 * np.sin(i * 2.0)),
                (ax + side * (38 + 4 * h.curl) + 11 * f, ay + 0.65 * length, az - 6),
                (ax + side * (28 + 14 * h.curl) + 8 * f, ay + length * rng.uniform(0.9, 1.05), az - 6),
            ]
            self.strand(
                "back",
                [(float(a), float(b), float(c)) for a, b, c in pts],
                rng.uniform(6, 9),
                (side * 0.3, 0, 0.95),
                0.75 + 0.25 * (i % 2),
                70,
            )

    def ahoge(self) -> None:
        rng = self.rng
        for i in range(self.r.hair.ahoge):
            side = float(rng.choice([-1, 1]))
            x0, h = MIDDLE + rng.uniform(-8, 8), rng.uniform(8, 22)
            reach = rng.uniform(6, 22) * side
            pts = [
                (x0, 69.0, 2.0),
                (x0 + 0.2 * reach, 65 - 0.8 * h, 4.0),
                (x0 + 0.8 * reach, 64 - h, 5.0),
                (x0 + 1.1 * reach, 66 - rng.uniform(0, 0.6) * h, 6.0),
            ]
            self.strand(
                "front",
                [(float(a), float(b), float(c)) for a, b, c in pts],
                rng.uniform(1.2, 3.2),
                (0, -0.2, 1),
                1.0,
                30 + i,
                2.4,
                0.8,
                0.7,
            )
