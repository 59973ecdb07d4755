"""How hair is made: locks drawn as curved blades on a dome round the skull, and the cap under them.

Every lock is a stroke in the picture plane, as somebody draws it, laid on a relief: that keeps its curve and its
tapering end what they were meant to be. Which locks a hairdo has is `hairstyles.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from puppeteer.characters import mesh as m
from puppeteer.characters.figure import MIDDLE, Figure
from puppeteer.characters.mesh import F64, ball, ribbons, smoothstep, spline
from puppeteer.characters.moving import swing

LOCK_ROWS = 19
GROUPS = ("front", "middle", "back")
HANGS = {"front": 100.0}  # row from which locks of a group hang free at the earliest
BELOW = 122.0  # and of the others
ON_SHOULDERS, HELD = 202.0, 0.8  # row from which hair lies on the chest, and how much of its swing that takes
LAYERED = 0.4  # px between a lock and the next, which lies on it


@dataclass(frozen=True, slots=True)
class Lock:
    """A blade of hair along points (x, y) from root to tip."""

    name: str  # group of geometry
    points: tuple[tuple[float, float], ...]
    width: float  # greatest half width
    z: float | None = None  # depth of the root where it is not on the dome's front
    z_end: float | None = None
    taper: float = 2.2  # lower: pointed over more of its length
    blunt: float = 0.85  # of the tip: near 0 it is cut straight
    root: float = 0.12  # share of the width at the root
    tone: float = 1.0  # lower: deeper inside the hair
    shine: float = 1.0
    line: float = 1.0
    round: float = 0.75  # how much its own form is lit, against the dome's
    seed: float = 0.0
    arc: float = 0.0  # how far from the crown its root is, beyond where it lies
    hang: float | None = None  # row from which it hangs free; None: below the dome, or its root


class Hair:
    """The dome, and the locks that lie on it and hang from it."""

    def __init__(self, figure: Figure) -> None:
        self.figure, self.r, self.rng = figure, figure.r, figure.rng
        h = figure.r.hair
        self.cy, self.cz = 122.0, -5.0
        self.rx, self.ry = h.radius, self.cy - 66.0 + 0.3 * h.volume
        # A fringe lies on the forehead: further in front it would swing more than the face when the head nods.
        self.front, self.behind = figure.r.head.depth - self.cz + 3.0 + 0.8 * max(h.volume, -1.0), h.radius * 0.89
        self.arc_radius = (self.rx + self.ry) / 2
        self.equator = self.arc_radius * np.pi / 2
        self.locks: list[Lock] = []

    # ---- the dome ------------------------------------------------------------------------------------------

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

    def meridian(self, y: float) -> float:
        """How far a lock from the crown has come outwards at row `y`: 0 at the top, 1 from the dome's middle on."""
        up = min(max((self.cy - y) / self.ry, 0.0), 1.0)
        return float(np.sqrt(1 - up * up))

    def root(self, x: float, width: float) -> tuple[float, float]:
        """Where a lock may begin above column `x` without sticking out of the dome."""
        across = min(abs(x - MIDDLE) / self.rx, 0.98)
        return x, self.cy - self.ry * float(np.sqrt(1 - across * across)) + width + 1.5

    def front_z(self, x: F64, y: F64) -> F64:
        """Depth of the dome's front at picture positions, hanging straight below its middle."""
        across, up = (x - MIDDLE) / self.rx, np.minimum(y - self.cy, 0) / self.ry
        width = np.maximum(1 - up**2, 0)  # of the dome at this row
        near = np.power(np.maximum(width - across**2, 0.02), 0.3) * np.power(width, 0.2)  # boxy, as `shell` is
        return np.asarray(self.cz + 1.5 + self.front * near, np.float64)

    def dome_normal(self, x: F64, y: F64) -> F64:
        across, up = np.clip((x - MIDDLE) / self.rx, -0.8, 0.8), np.minimum(y - self.cy, 0) / self.ry
        near = np.sqrt(np.maximum(1 - across**2 - up**2, 0.05))
        return m.unit(np.stack([across, up, near], -1))

    def cap(self) -> None:
        """What hides the skull: from the crown to a hairline that leaves the face free."""
        rows, columns = 24, 44
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
        points = self.shell(theta, arc, np.full_like(arc, -0.7), 0.46)
        material = np.zeros((rows, columns, 4))
        material[..., 0] = np.sin(theta * 5)
        material[..., 1] = 0.3 * np.broadcast_to(t, arc.shape)
        material[..., 2] = 99.0
        material[..., 3] = arc
        colour = np.ones((rows, columns, 4))
        colour[..., 0] = 0.97
        colour[..., 3] = 0.3 + 0.1 * theta
        normal = m.normals(points, closed=True)
        normal[-1] *= 0.01  # no outline round its edge: it would lie across face and neck
        self.figure.mesh("cap").add(
            m.pack(points, normal, self.figure.hair_weight, material, colour),
            m.grid_triangles(rows, columns, closed=True),
        )

    # ---- locks ---------------------------------------------------------------------------------------------

    def blade(
        self, name: str, points: Sequence[tuple[float, float]], width: float, split: float = 1.0, **shape: float
    ) -> None:
        """One lock; some end in several points. `shape` as in `Lock`."""
        rng = self.rng
        lock = Lock(name, tuple(points), width, seed=rng.uniform(0, 1), **shape)
        if rng.random() < split * self.r.hair.split and width > 3.2:
            self._branch(lock)
        if lock.tone > 0.6:
            lock = replace(lock, tone=lock.tone * (1 - self.r.hair.variety * rng.random()))
        self.locks.append(lock)

    def _branch(self, lock: Lock) -> None:
        """A smaller blade that leaves a lock in its lower half and ends beside its tip."""
        rng = self.rng
        path = spline(lock.points, 7)
        side = float(rng.choice([-1, 1]))
        along = path[-1] - path[-3]
        along = along / max(float(np.linalg.norm(along)), 1e-6)
        across = np.array([-along[1], along[0]]) * side
        reach = lock.width * rng.uniform(0.7, 1.25)
        tip = path[-1] + across * reach - along * rng.uniform(-2.0, 9.0)
        bends = (path[4] + across * reach * 0.3, path[5] + across * reach * 0.65 - along * 2.0)
        points = tuple((float(x), float(y)) for x, y in (*path[1:4], *bends, tip))
        self.locks.append(
            replace(
                lock,
                points=points,
                width=lock.width * rng.uniform(0.38, 0.6),
                taper=max(lock.taper - 0.5, 1.5),
                root=0.3,
                seed=rng.uniform(0, 1),
                arc=0.0,
            )
        )

    def grow(self) -> None:
        """Every lock so far becomes geometry, a group at a time: arrays are (locks, rows)."""
        for name in GROUPS:
            locks = [lock for lock in self.locks if lock.name == name]
            if locks:
                self._grow(name, locks)

    def _grow(self, name: str, locks: list[Lock]) -> None:
        def each(field: str) -> F64:
            return np.array([getattr(lock, field) for lock in locks], float)[:, None]

        columns = 5 if name == "front" else 3  # these follow the dome
        t = np.linspace(0, 1, LOCK_ROWS)[None]
        flat = np.stack([spline(lock.points, LOCK_ROWS) for lock in locks])
        x, y = flat[..., 0], flat[..., 1]
        free = np.array([lock.z is not None for lock in locks])[:, None]
        z_root = np.array([lock.z or 0.0 for lock in locks])[:, None]
        z_tip = np.array([lock.z_end if lock.z_end is not None else lock.z or 0.0 for lock in locks])[:, None]
        lift = LAYERED * np.arange(len(locks))[:, None] + 1.0
        z = np.where(free, z_root + (z_tip - z_root) * smoothstep(0.1, 1.0, t), self.front_z(x, y)) + lift
        path = np.stack([x, y, z], -1)
        w = each("width") * (each("root") + (1 - each("root")) * smoothstep(0.0, 0.5, t))
        w = w * np.power(np.maximum(1 - t ** each("taper"), 0), each("blunt"))
        w = np.maximum(np.where(t < 0.97, np.maximum(w, 0.4), w), 0.05)  # thinner falls between the pixels
        step = np.linalg.norm(np.diff(flat, axis=1, prepend=flat[:, :1]), axis=-1)
        height = np.clip((self.cy - y) / self.ry, -1, 1)
        on_dome = self.arc_radius * np.arccos(np.maximum(height, 0)) + np.maximum(y - self.cy, 0)
        arc = np.where(each("arc") > 0, each("arc") + np.cumsum(step, 1), on_dome)
        colour = np.concatenate([each("tone"), each("shine"), each("line"), each("seed")], -1)
        flat_on = np.broadcast_to([0.0, 0.0, 1.0], path.shape)
        v, f = ribbons(path, flat_on, w, self.figure.hair_weight, colour, 0.0, arc, 0.45, columns)
        # a lock is lit as part of the dome where it begins, and by itself where it ends
        own = np.repeat((each("round") * smoothstep(0.15, 0.85, t)).reshape(-1), columns)[:, None]
        px, py = v[:, 0].astype(float), v[:, 1].astype(float)
        v[:, m.NORMAL] = m.unit(self.dome_normal(px, py) * (1 - own) + v[:, m.NORMAL] * own)
        # Every lock lies on the dome with all of its width, and how far above it depends on the place alone: which one
        # is in front is never in doubt. At the crown they lie close: a nod does not lift them off.
        on = np.repeat(~free[:, 0], LOCK_ROWS * columns)
        high = np.repeat(lift[:, 0], LOCK_ROWS * columns) * np.where(on, 0.1 + 0.9 * smoothstep(70.0, 112.0, py), 1.0)
        v[:, 2] = np.where(on, self.front_z(px, py) + high, v[:, 2])
        if name != "back":
            self._clear(v, high, name)
        starts = [max(lock.points[0][1], HANGS.get(name, BELOW)) if lock.hang is None else lock.hang for lock in locks]
        self._hang(v, np.repeat(starts, LOCK_ROWS * columns), name)
        self.figure.mesh(name).add(v, f)

    def _hang(self, v: m.F32, start: F64, name: str) -> None:
        """Lets locks swing from where they hang; what lies on the chest is held there."""
        x, y = v[:, 0].astype(float), v[:, 1].astype(float)
        on = 0.0 if name == "back" else HELD * smoothstep(1.1, 0.9, np.abs(x - MIDDLE) / self.r.body.shoulder)
        v[:, m.HANG.start] = swing(y - start - on * np.maximum(y - ON_SHOULDERS, 0.0))

    def _clear(self, v: m.F32, lift: F64, name: str) -> None:
        """Keeps locks out of face and chest, whatever the dome does."""
        x, y = v[:, 0].astype(float), v[:, 1].astype(float)
        if name == "front":
            near = (np.abs(x - MIDDLE) < self.figure.face_half_width(y)) & (y < self.r.head.chin_y)
            floor = self.figure.surface(x, y) + 1.5 + lift
            v[:, 2] = np.where(near, np.maximum(v[:, 2], floor), v[:, 2])
        shoulder, across = self.r.body.shoulder, np.abs(x - MIDDLE)
        onto = smoothstep(194.0, 216.0, y) * smoothstep(1.22, 1.04, across / shoulder)
        arm = np.sqrt(np.maximum(121.0 - (across - 0.86 * shoulder) ** 2, 0)) * smoothstep(210.0, 226.0, y)
        floor = np.maximum(self.figure.chest(x, y) + 8.0, arm + 5.0) + lift
        v[:, 2] = np.where(v[:, 2] < floor, v[:, 2] + (floor - v[:, 2]) * onto, v[:, 2])

    def bun(self, x: float, y: float, z: float, radius: float) -> None:
        v, f = ball(
            (x, y, z), (radius, radius * 0.93, radius), self.figure.hair_weight, (0.95, 0.7, 1, 0.4), 0.0, 14, 22
        )
        across, down = (v[:, 0] - x) / radius, (v[:, 1] - y) / radius
        turn = np.arctan2(down, across)
        v[:, m.MATERIAL] = np.stack(
            [np.sin(turn * 2 + 3 * np.hypot(across, down)), 0.3 + 0.1 * down, np.full(len(v), 99.0), 60 + down * 12], -1
        )
        self.figure.mesh("cap_back").add(v, f)
        for i in range(3):
            a = 0.5 + 2.1 * i + self.rng.uniform(-0.3, 0.3)
            c, s = np.cos(a) * radius, np.sin(a) * radius
            self.blade(
                "middle",
                [(x - c, y - s), (x + s * 0.45, y - c * 0.45), (x + c * 0.95, y + s * 0.95)],
                radius * 0.42,
                0.0,
                z=z + radius * 0.7,
                tone=0.98,
                taper=4,
                blunt=0.5,
                root=0.2,
                arc=50.0,
            )
