"""Geometry of a character: a recipe to named layers of triangles in the character's rest pose.

The head is a stack of cross sections, wide at the cranium and small at the chin; the features are meshes laid on
its front; hair is made of ribbons that follow a shell round the skull and hang from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from puppeteer.characters import mesh as m
from puppeteer.characters.mesh import F32, F64, Mesh, ball, ink, ribbon, sheet, smoothstep, spline
from puppeteer.characters.recipe import Colour, Recipe

MIDDLE = 128.0
HEAD_GRID = (36, 36)
PART_BODY, PART_HEAD, PART_BACK, PART_NEW = 1, 2, 3, 4


@dataclass(frozen=True)
class Layer:
    """One draw call: which program paints it, and what it belongs to."""

    name: str
    program: str  # skin, body, hair, ink, eye, solid
    part: int
    vertices: F32  # (N, mesh.WIDTH)
    triangles: NDArray[np.int32]  # (M, 3)
    hull: bool = False  # gets an outline from its expanded back faces
    morphs: bool = False  # moves with eyes or mouth


def build(recipe: Recipe) -> list[Layer]:
    """All layers of a character, opaque ones first, each roughly from front to back."""
    return _Builder(recipe).build()


class _Builder:
    def __init__(self, recipe: Recipe) -> None:
        self.r = recipe
        self.rng = np.random.default_rng([7, recipe.seed])
        self.root = np.array([*recipe.root_xy, 0.0])
        self.tip = np.array([*recipe.tip_xy, -4.0])
        self.layers: dict[str, Mesh] = {}
        # hair shell
        h = recipe.hair
        self.cy, self.cz = 122.0, -5.0
        self.rx, self.ry, self.rz = h.radius, self.cy - 66.0 + 0.3 * h.volume, h.radius * 0.97
        self.arc_radius = (self.rx + self.ry) / 2
        self.equator = self.arc_radius * np.pi / 2

    # ---- weights -------------------------------------------------------------------------------------------

    def head_weight(self, p: F64) -> F64:
        return np.ones((len(p), 2))

    def body_weight(self, p: F64) -> F64:
        y = p[:, 1]
        root = smoothstep(self.root[1] + 12, self.root[1] - 10, y)
        tip = smoothstep(self.root[1] - 2, self.tip[1] + 1, y)
        return np.stack([root, tip], -1)

    def hair_weight(self, p: F64) -> F64:
        w = 1 - 0.5 * smoothstep(200.0, 252.0, p[:, 1])
        return np.stack([w, w], -1)

    # ---- head ----------------------------------------------------------------------------------------------

    def face_half_width(self, y: F64) -> F64:
        h = self.r.head
        cheek_y = 152.0
        t = np.clip((y - cheek_y) / (h.chin_y - cheek_y), 0, 1)
        low = h.face_width * np.power(np.maximum(1 - np.power(t, h.jaw_power), 0), h.jaw_square)
        up = 44.0 * np.sqrt(np.maximum(1 - ((124.0 - y) / 54.0) ** 2, 0))
        blend = smoothstep(118.0, 152.0, y)
        high = up * (1 - blend) + h.face_width * blend
        return np.asarray(np.where(y < cheek_y, high, low), np.float64)

    def face_front(self, y: F64) -> F64:
        h = self.r.head
        up = h.depth * np.sqrt(np.maximum(1 - ((124.0 - np.minimum(y, 124.0)) / 54.0) ** 2, 0))
        t = np.clip((y - 124.0) / (h.chin_y - 124.0), 0, 1)
        return np.asarray(up - 3.0 * smoothstep(0.2, 0.75, t) - 5.0 * t**6, np.float64)

    def face_back(self, y: F64) -> F64:
        h = self.r.head
        up = -46.0 * np.sqrt(np.maximum(1 - ((124.0 - np.minimum(y, 124.0)) / 54.0) ** 2, 0))
        t = smoothstep(142.0, h.chin_y, y)
        return np.asarray(up + t * (46.0 + self.face_front(y) - 10.0), np.float64)

    def surface(self, x: F64, y: F64) -> F64:
        """Depth of the face's front at picture positions, nose included."""
        n = 2.5
        w = np.maximum(self.face_half_width(y), 1e-3)
        front, back = self.face_front(y), self.face_back(y)
        middle = np.minimum(0.0, front) + np.maximum(back, 0.0)
        bulge = np.power(np.maximum(1 - np.power(np.minimum(np.abs(x - MIDDLE) / w, 1), n), 0), 1 / n)
        nose = 4.0 * np.exp(-(((x - MIDDLE) / 3.2) ** 2) - ((y - self.r.face.nose_y) / 5.0) ** 2)
        return np.asarray(middle + (front - middle) * bulge + nose, np.float64)

    def head(self) -> None:
        rows, columns = HEAD_GRID
        t = np.linspace(0.002, 1, rows)
        y = 70.0 + (self.r.head.chin_y - 70.0) * (1 - (1 - t) ** 1.25)
        a = np.linspace(-np.pi, np.pi, columns, endpoint=False)
        a = a - 0.45 * np.sin(a)  # dense at the front
        w = np.maximum(self.face_half_width(y), 0.02)[:, None]
        front, back = self.face_front(y)[:, None], self.face_back(y)[:, None]
        middle = np.minimum(0.0, front) + np.maximum(back, 0.0)
        n = 2.5
        sx, cz = np.sin(a)[None], np.cos(a)[None]
        x = MIDDLE + w * np.sign(sx) * np.abs(sx) ** (2 / n)
        cosine = np.abs(cz) ** (2 / n)
        z = np.where(cz > 0, middle + (front - middle) * cosine, middle + (back - middle) * cosine)
        z = z + np.where(
            cz > 0, 4.0 * np.exp(-(((x - MIDDLE) / 3.2) ** 2) - ((y[:, None] - self.r.face.nose_y) / 5.0) ** 2), 0
        )
        points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1)
        self.skin(points, self.head_weight, 0.0)
        if self.r.head.ears:
            for side in self.r.head.ears:
                ey = self.r.head.ear_y
                ex = MIDDLE + side * (float(self.face_half_width(np.array([ey]))[0]) + 0.5)
                v, f = ball((ex, ey, -4.0), (5.0, 9.5, 3.5), self.head_weight, (1, 1, 1, 1), side * 0.28, 11, 16)
                v[:, m.MATERIAL] = np.stack([v[:, 0], v[:, 1], np.full(len(v), 2.0), np.zeros(len(v))], -1)
                self.mesh("skin").add(v, f)
                self.add_ink(
                    "ink",
                    spline(
                        [
                            (ex + side * 0.4, ey - 5.5),
                            (ex + side * 3.0, ey - 4.0),
                            (ex + side * 2.0, ey + 1),
                            (ex + side * 0.2, ey + 3),
                        ],
                        10,
                    ),
                    np.linspace(0.5, 0.25, 10),
                    (*self.r.skin_line, 0.55 * self.r.style.line_alpha),
                    surface=lambda x, y: np.full_like(x, 0.0),
                )

    def skin(self, points: F64, weights: Callable[[F64], F64], kind: float) -> None:
        normal = m.normals(points, closed=True)
        material = np.zeros((*points.shape[:2], 4))
        material[..., :2] = points[..., :2]
        material[..., 2] = kind
        self.mesh("skin").add(
            m.pack(points, normal, weights, material), m.grid_triangles(points.shape[0], points.shape[1], closed=True)
        )

    def mesh(self, name: str) -> Mesh:
        return self.layers.setdefault(name, Mesh())

    def add_ink(
        self,
        name: str,
        line: F64,
        half: F64,
        colour: tuple[float, float, float, float],
        surface: m.Surface | None = None,
        lift: float = 1.0,
        weights: Callable[[F64], F64] | None = None,
        closed: F64 | None = None,
        mask: tuple[float, float, float] = (0.0, 0.0, 0.0),
        up: float = 0.0,
        closed_half: F64 | None = None,
    ) -> None:
        self.mesh(name).add(
            *ink(
                line,
                half,
                surface or self.surface,
                lift,
                weights or self.head_weight,
                colour,
                closed,
                mask,
                closed_half,
                up,
            )
        )

    # ---- eyes, brows, nose, mouth --------------------------------------------------------------------------

    def eyes(self) -> None:
        e = self.r.eyes
        for side in (-1.0, 1.0):
            mask = (0.0, 1.0, 0.0) if side < 0 else (1.0, 0.0, 0.0)  # the character's left is the viewer's right
            cx, cy = MIDDLE + side * e.spacing, e.y + 0.5 * side * e.asymmetry
            n = 21

            def place(s: F64, y: F64, cx: float = cx, cy: float = cy, side: float = side) -> F64:
                xy = np.stack([cx + side * s * e.half_width, cy + y - e.tilt * s], -1)
                return xy if side > 0 else xy[::-1]

            def upper(s: F64) -> F64:
                q = np.clip(s - e.peak * (1 - s**2), -1, 1)
                return np.asarray(-e.upper * np.power(1 - np.abs(q) ** (2.3 + 1.2 * e.roundness), 0.6))

            def lower(s: F64) -> F64:
                return np.asarray(e.lower * np.power(np.maximum(1 - np.abs(s) ** 2.6, 0), 0.6))

            def closed(s: F64) -> F64:
                # Fixed by what the open eye shows, so that a network can learn it.
                return np.asarray(0.5 * e.lower + 0.18 * e.half_width * (0.5 - s**2) + e.tilt * s * 0.6)

            s = np.linspace(-1, 1, n)
            shut = place(s, closed(s))
            gx, gy = e.gaze
            icx, icy = cx + gx - side * 0.03 * e.half_width, cy + gy + e.iris_y - 0.5 * (e.upper - e.lower)

            def iris(xy: F64, icx: float = icx, icy: float = icy) -> F64:
                return np.stack([(xy[..., 0] - icx) / e.iris_width, (xy[..., 1] - icy) / e.iris_height], -1)

            self.mesh("eyes").add(
                *sheet(
                    place(s, upper(s) - 0.3),
                    place(s, lower(s)),
                    self.surface,
                    0.7,
                    self.head_weight,
                    (1, 1, 1, 1 if side > 0 else 0),
                    shut,
                    shut,
                    mask,
                    7,
                    iris,
                )
            )
            # upper lash: stands on the lid, thin at the inner corner, with a wing
            k = 27
            q = np.linspace(-1.02, 1 + e.lash_wing * 1.3, k)
            inside = np.clip(q, -1, 1)
            beyond = np.maximum(q - 1, 0)
            lash_y = upper(inside) + beyond * e.half_width * (0.25 - 0.6 * e.lash_wing)
            shut_y = closed(inside) - beyond * e.half_width * 0.25
            t = np.linspace(0, 1, k)
            profile = (0.2 + 0.5 * smoothstep(0.0, 0.35, t) + 0.3 * smoothstep(0.3, 0.75, t)) * np.power(
                np.maximum(1 - t**5, 0), 0.9
            )
            half = np.maximum(0.5 * e.lash_thick * profile, 0.12)
            if side < 0:
                half = half[::-1]
            lash = (*e.lash, 1.0)
            # one width, open and closed: only its own
            self.add_ink("lash", place(q, lash_y), half, lash, lift=1.3, closed=place(q, shut_y), mask=mask, up=0.45)
            for i in range(e.lash_spikes):
                at = 0.98 - 0.26 * i
                length = e.half_width * (0.3 - 0.04 * i)
                p = np.linspace(0, 1, 6)
                sx = at + p * length / e.half_width * 0.9
                flick = upper(np.array([min(at, 1.0)]))[0] - 0.3 - p * length * (0.45 + 0.25 * i)
                rest = closed(np.array([min(at, 1.0)]))[0] + p * length * 0.35
                w = np.maximum(0.42 * e.lash_thick * (1 - p) ** 0.8 * 0.6, 0.1)
                self.add_ink(
                    "lash",
                    place(sx, flick),
                    w if side > 0 else w[::-1],
                    lash,
                    lift=1.25,
                    closed=place(sx, rest),
                    mask=mask,
                )
            if e.lower_lash > 0:
                q = np.linspace(-0.55, 1.0, 15)
                t = np.linspace(0, 1, 15)
                half = 0.36 * (0.35 + t) * np.power(np.maximum(1 - t**4, 0), 0.5) + 0.08
                self.add_ink(
                    "lash",
                    place(q, lower(q) + 0.1),
                    half if side > 0 else half[::-1],
                    (*e.lash, 0.85 * e.lower_lash),
                    lift=1.1,
                    closed=place(q, closed(q)),
                    mask=mask,
                    closed_half=half * 0 + 0.05,
                )
            if e.crease > 0:
                q = np.linspace(-0.7, 0.85, 13)
                t = np.linspace(0, 1, 13)
                half = 0.42 * np.sin(np.pi * np.clip(t, 0.03, 0.97)) + 0.08
                y = upper(q) - 2.2 - 0.4 * e.lash_thick
                self.add_ink(
                    "lash",
                    place(q, y),
                    half,
                    (*_mix(self.r.skin_line, e.lash, 0.3), 0.8 * e.crease),
                    lift=1.1,
                    closed=place(q, y + 0.3 * (closed(q) - upper(q))),
                    mask=mask,
                )

    def features(self) -> None:
        f, r = self.r.face, self.r
        for side in (-1.0, 1.0):
            s = np.linspace(-1, 1, 15)
            x = MIDDLE + side * (r.eyes.spacing - 0.6 + s * f.brow_length)
            y = f.brow_y - f.brow_arch * (1 - (s - 0.15) ** 2) - f.brow_tilt * 6 * s + 0.3 * side * r.eyes.asymmetry
            half = np.maximum(f.brow_thick * (1 - 0.75 * smoothstep(-0.2, 1.0, s)) * smoothstep(-1.25, -0.7, s), 0.12)
            line = np.stack([x, y], -1)
            if side < 0:
                line, half = line[::-1], half[::-1]
            self.add_ink("brow", line, half, (*f.brow, f.brow_alpha))
        x0, y0 = MIDDLE, f.nose_y
        colour = (*_mix(r.skin_line, r.skin_shadow, 0.35), f.nose_alpha)
        if f.nose == "dot":
            self.add_ink(
                "ink",
                np.array([[x0 - 0.5, y0 + 0.6], [x0, y0 + 0.9], [x0 + 0.7, y0 + 0.6]]),
                np.full(3, 0.45),
                colour,
                lift=1.4,
            )
        elif f.nose == "line":
            self.add_ink(
                "ink",
                spline([(x0 + 0.5, y0 - 3), (x0 - 0.4, y0 + 0.4), (x0 + 0.4, y0 + 1.0)], 9),
                np.linspace(0.15, 0.45, 9),
                colour,
                lift=1.4,
            )
        elif f.nose == "corner":
            self.add_ink(
                "ink",
                spline([(x0 + 0.1, y0 - 1.2), (x0 - 0.9, y0 + 1.0), (x0 + 0.8, y0 + 1.1)], 9),
                np.linspace(0.15, 0.4, 9),
                colour,
                lift=1.4,
            )
        elif f.nose == "shadow":
            self.add_ink(
                "ink",
                np.array([[x0 - 1.6, y0 + 1.6], [x0, y0 + 2.1], [x0 + 1.6, y0 + 1.6]]),
                np.array([0.3, 0.9, 0.3]),
                (*r.skin_shadow, 0.9),
                lift=1.4,
            )
        elif f.nose == "light":
            self.add_ink(
                "ink",
                np.array([[x0 + 0.4, y0 - 2.5], [x0 + 0.5, y0 - 0.8]]),
                np.full(2, 0.5),
                (1.0, 1.0, 0.98, 0.8),
                lift=1.5,
            )
            self.add_ink(
                "ink", np.array([[x0 - 1.0, y0 + 1.2], [x0 + 0.6, y0 + 1.5]]), np.full(2, 0.35), colour, lift=1.4
            )
        if f.blush_lines and f.blush > 0:
            for side in (-1.0, 1.0):
                for i in range(3):
                    bx, by = MIDDLE + side * (r.eyes.spacing + 1.5) + (i - 1) * 2.6, r.eyes.y + r.eyes.lower + 5.5
                    self.add_ink(
                        "ink",
                        np.array([[bx + 0.8, by - 1.3], [bx - 0.8, by + 1.3]]),
                        np.full(2, 0.35),
                        (*f.blush_colour, 0.7),
                    )
        if f.marks == 1:
            mx, my = (
                MIDDLE + self.rng.choice([-1, 1]) * self.rng.uniform(9, 22),
                self.rng.uniform(r.eyes.y + 11, r.head.chin_y - 12),
            )
            self.add_ink(
                "ink",
                np.array([[mx - 0.5, my], [mx + 0.5, my]]),
                np.full(2, 0.55),
                (*_mix(r.skin_line, (0.1, 0.05, 0.05), 0.5), 0.9),
            )
        elif f.marks == 2:
            for _ in range(10):
                mx, my = (
                    MIDDLE + self.rng.choice([-1, 1]) * self.rng.uniform(5, 20),
                    r.eyes.y + r.eyes.lower + self.rng.uniform(3, 9),
                )
                self.add_ink(
                    "ink",
                    np.array([[mx - 0.3, my], [mx + 0.3, my]]),
                    np.full(2, 0.35),
                    (*_mix(r.skin_line, r.skin, 0.35), 0.6),
                )
        elif f.marks == 3:
            mx, my = MIDDLE + self.rng.choice([-1, 1]) * self.rng.uniform(14, 22), r.eyes.y + r.eyes.lower + 7
            self.add_ink(
                "ink",
                np.array([[mx - 4, my + 1], [mx, my], [mx + 4, my - 1.2]]),
                np.full(3, 1.6),
                (0.95, 0.86, 0.72, 1.0),
            )

    def mouth(self) -> None:
        o = self.r.mouth
        mask = (0.0, 0.0, 1.0)
        n = 19
        s = np.linspace(-1, 1, n)
        cx = MIDDLE + o.x
        height = 0.05 + 0.75 * 2 * o.width  # fixed: a closed mouth must tell how it opens
        a = 1.6 + 2.2 * o.open_round
        b = 0.85 - 0.35 * o.open_round
        wide = 1.02 * o.width

        def line(y: F64, half: float, s: F64 = s) -> F64:
            return np.stack([cx + s * half, y], -1)

        def curve(s: F64) -> F64:
            return np.asarray(
                o.y + o.smile * (0.5 - s**2) + 0.35 * np.cos(3 * np.pi * s) * (0.25 if o.smile > 0.5 else 0.0)
            )

        def top(s: F64) -> F64:
            return np.asarray(o.y - 0.5 * o.smile * s**2 - 0.16 * height * (1 - s**2))

        def bottom(s: F64) -> F64:
            return np.asarray(
                o.y - 0.5 * o.smile * s**2 + 0.78 * height * np.power(np.maximum(1 - np.abs(s) ** a, 0), b)
            )

        closed = line(curve(s), o.width)
        up_line, low_line = line(top(s), wide), line(bottom(s), wide)
        mesh = self.mesh("mouth")
        mesh.add(
            *sheet(closed, closed, self.surface, 0.5, self.head_weight, (*o.inside, 1.0), up_line, low_line, mask, 5)
        )
        q = np.linspace(-0.78, 0.78, 13)
        shut = line(curve(q), o.width, q)
        gap = bottom(q) - top(q)
        tongue_top = top(q) + gap * (0.52 + 0.38 * np.abs(q / 0.78) ** 2.2)
        mesh.add(
            *sheet(
                shut,
                shut,
                self.surface,
                0.7,
                self.head_weight,
                (*o.tongue, 1.0),
                line(tongue_top, wide, q),
                line(bottom(q), wide, q),
                mask,
                3,
            )
        )
        if o.teeth:
            mesh.add(
                *sheet(
                    shut,
                    shut,
                    self.surface,
                    0.75,
                    self.head_weight,
                    (0.99, 0.98, 0.97, 1.0),
                    line(top(q), wide, q),
                    line(top(q) + gap * 0.2 * (1 - 0.35 * (q / 0.78) ** 2), wide, q),
                    mask,
                    3,
                )
            )
        if o.fang:
            q = np.linspace(0.35, 0.6, 5)
            shut = line(curve(q), o.width, q)
            tip = top(q) + (bottom(q) - top(q)) * 0.34 * (1 - np.abs(q - 0.475) / 0.125)
            mesh.add(
                *sheet(
                    shut,
                    shut,
                    self.surface,
                    0.8,
                    self.head_weight,
                    (1, 1, 1, 1),
                    line(top(q), wide, q),
                    line(tip, wide, q),
                    mask,
                    3,
                )
            )
        half = o.line_width * (0.35 + 0.65 * np.power(np.maximum(1 - s**2, 0), 0.5))
        corner = o.line_width * (
            0.8 + 0.45 * smoothstep(0.55, 0.95, np.abs(s)) - 0.55 * smoothstep(0.9, 1.0, np.abs(s))
        )
        half = 0.5 * half + 0.5 * corner if self.rng.random() < 0.5 else half
        colour = (*o.line, 1.0)
        mesh.add(*ink(closed, half, self.surface, 1.1, self.head_weight, colour, up_line, mask))
        mesh.add(*ink(closed, half, self.surface, 1.0, self.head_weight, colour, low_line, mask, half * 0.75))

    # ---- hair ----------------------------------------------------------------------------------------------

    def shell(self, theta: F64, arc: F64, grow: F64, hug: float, hug_y: float = 60.0) -> F64:
        """Points on the hair's shell: `arc` pixels from the crown along azimuth `theta` (0 front, + viewer's right)."""
        phi = np.minimum(arc / self.arc_radius, np.pi / 2)
        below = np.maximum(arc - self.equator, 0.0)
        g = (1 - hug * smoothstep(0, hug_y, below)) + grow / self.rx
        x = self.rx * np.sin(phi) * np.sin(theta) * g
        z = self.rz * np.sin(phi) * np.cos(theta) * g + 6 * np.cos(phi) ** 2
        y = -self.ry * np.cos(phi) * (1 + grow / self.ry) + below
        return np.stack([MIDDLE + x, self.cy + y, self.cz + z], -1)

    def lock(
        self,
        name: str,
        start: float,
        end: float,
        y_end: float,
        width: float,
        *,
        phi: float = 0.3,
        lift: float = 0.0,
        lift_end: float | None = None,
        hug: float = 0.12,
        hug_y: float = 60.0,
        bow: float = 0.0,
        wave: float = 0.0,
        curl: float = 0.0,
        taper: float = 2.2,
        blunt: float = 0.75,
        tone: float = 1.0,
        shine: float = 1.0,
        line: float = 1.0,
        bulge: float = 0.22,
        split: float = 1.0,
        swell: float = 0.0,
        rows: int = 18,
    ) -> None:
        """One lock from the crown: azimuths in degrees, its tip at row `y_end`."""
        y_end = float(y_end)
        if y_end < self.cy:
            last = self.arc_radius * np.arccos(np.clip((self.cy - y_end) / self.ry, -1, 1))
        else:
            last = self.equator + y_end - self.cy
        first = min(phi * self.arc_radius, last - 8)
        if self.rng.random() < split * self.r.hair.split and width > 3:
            self.lock(
                name,
                start,
                end + float(self.rng.choice([-1, 1])) * self.rng.uniform(2.5, 6.0),
                y_end + self.rng.uniform(-6, 7),
                width * self.rng.uniform(0.3, 0.5),
                phi=phi + 0.3,
                lift=lift + 0.9,
                lift_end=None if lift_end is None else lift_end + self.rng.uniform(0, 4),
                hug=hug,
                hug_y=hug_y,
                bow=bow,
                wave=wave,
                curl=curl + self.rng.uniform(-0.4, 0.4),
                taper=max(taper - 0.6, 1.4),
                blunt=0.9,
                tone=min(1.0, tone + 0.05),
                shine=shine,
                line=line,
                split=0.0,
                rows=14,
                swell=swell,
            )
        t = np.linspace(0, 1, rows)
        arc = first + (last - first) * t
        theta = np.radians(start + (end - start) * t**1.15 + bow * np.sin(np.pi * t) * 10)
        theta = theta + np.radians(wave) * np.sin(
            t * 7 + self.rng.uniform(-1, 1) + (0 if start < 0 else 3.1)
        ) * smoothstep(0.25, 0.8, t)
        grow = lift + ((lift if lift_end is None else lift_end) - lift) * smoothstep(0.3, 1.0, t)
        grow = grow + swell * np.sin(np.pi * np.clip(t * 1.15 - 0.1, 0, 1)) ** 2
        path = self.shell(theta, arc, grow, hug, hug_y)
        if curl:
            path[:, 0] += curl * 13 * smoothstep(0.55, 1.0, t) ** 1.4
        outward = path - np.array([MIDDLE, 0, self.cz])
        outward[:, 1] = np.minimum(path[:, 1] - self.cy, 0)
        # locks at the sides turn their flat to the viewer, as they are drawn
        outward[:, 2] += 55 * smoothstep(np.radians(140), np.radians(105), np.abs(theta)) * smoothstep(0.1, 0.5, t)
        outward /= np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-6)
        w = width * (0.3 + 0.7 * smoothstep(0.0, 0.45, t)) * np.power(np.maximum(1 - t**taper, 0), blunt)
        seed = self.rng.uniform(0, 1)
        tone = tone * (1 - self.r.hair.variety * self.rng.random()) if tone > 0.6 else tone
        w = np.where(t < 0.97, np.maximum(w, 0.4), w)  # thinner falls between the pixels
        v, f = ribbon(path, outward, np.maximum(w, 0.05), self.hair_weight, (tone, shine, line, 1), seed, bulge, arc)
        if name == "front":
            # never into the face, whatever the shell does
            x, y = v[:, 0].astype(float), v[:, 1].astype(float)
            near = (np.abs(x - MIDDLE) < self.face_half_width(y)) & (y < self.r.head.chin_y)
            floor = self.surface(x, y) + 1.5 + 0.8 * max(lift, 0.0) + 0.15 * np.maximum(v[:, 2] + 30, 0) / 10
            v[:, 2] = np.where(near, np.maximum(v[:, 2], floor), v[:, 2])
            low = (y > 204) & (np.abs(x - MIDDLE) < 0.95 * self.r.body.shoulder)
            v[:, 2] = np.where(low, np.maximum(v[:, 2], self.chest(x, y) + 3.0 + 0.5 * max(lift, 0.0)), v[:, 2])
        self.mesh(name).add(v, f)

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
        self.mesh(name).add(
            *ribbon(
                path,
                out,
                np.maximum(w, 0.05),
                self.hair_weight,
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
        bare = np.interp(np.abs(angle), knots, [98, 103, 114, 124, 132, 138, 166, 178])
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
        self.mesh("cap").add(
            m.pack(points, m.normals(points, closed=True), self.hair_weight, material, colour),
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
        self.mesh("back").add(
            m.pack(points, m.normals(points), self.hair_weight, material, colour), m.grid_triangles(rows, columns)
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
        v, f = ball((x, y, z), (radius, radius * 0.95, radius), self.hair_weight, (0.95, 0.6, 1, 0.4), 0.0, 12, 18)
        v[:, m.MATERIAL] = np.stack(
            [v[:, 12 - 12] * 0, np.full(len(v), 0.3), np.full(len(v), 99.0), 60 + (v[:, 1] - y) * 0.8], -1
        )
        self.mesh("cap_back").add(v, f)
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
        self.ball("prop_head", (ax - side * 1, ay, 0), (4.5, 5.5, 6), self.r.extras.colour)

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

    # ---- body ----------------------------------------------------------------------------------------------

    def body(self) -> None:
        b, r = self.r.body, self.r
        # neck
        columns = 20
        a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
        y = np.linspace(168, 226, 10)[:, None]
        w = b.neck_width * (
            1 + 0.10 * smoothstep(206, 224, y) - 0.06 * smoothstep(172, 196, y) + 0.10 * smoothstep(196, 168, y)
        )
        x = MIDDLE + w * np.sin(a)
        z = -5 + 0.95 * w * np.cos(a) + 0.0 * y
        self.neck = np.stack([x, np.broadcast_to(y, x.shape), z], -1)
        # torso with arms, one skin: rows from the neck to below the picture
        rows = 22
        t = np.linspace(0, 1, rows)
        y = 203 + 92 * t**1.25
        knots_y = 200 + b.slope * np.array([0, 3, 6.5, 10, 14, 19, 27, 40, 66, 90])
        knots_w = np.array([0.0, 0.08, 0.24, 0.48, 0.72, 0.88, 0.98, 1.05, 1.10, 1.12])
        w = b.neck_width * 0.9 + (b.shoulder - b.neck_width * 0.9) * np.interp(y, knots_y, knots_w)
        w = np.convolve(np.pad(w, 2, mode="edge"), np.ones(5) / 5, "valid")
        depth = np.interp(y, [203, 215, 240, 300], [9, 14, 22, 26])
        n = 2.6
        columns = 34
        a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
        x = MIDDLE + w[:, None] * np.sign(np.sin(a)) * np.abs(np.sin(a)) ** (2 / n)
        z = -6 + depth[:, None] * np.sign(np.cos(a)) * np.abs(np.cos(a)) ** (2 / n)
        bust = b.bust * np.exp(-(((np.abs(x - MIDDLE) - 17) / 13) ** 2) - ((y[:, None] - 246) / 13) ** 2)
        z = z + np.where(np.cos(a) > 0, bust, 0)
        points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1)
        material = np.zeros((rows, columns, 4))
        material[..., 0] = x - MIDDLE
        material[..., 1] = y[:, None]
        material[..., 2] = (x - MIDDLE) / w[:, None]
        self.mesh("body").add(
            m.pack(points, m.normals(points, closed=True), self.body_weight, material),
            m.grid_triangles(rows, columns, closed=True),
        )

        def front(x: F64, y: F64) -> F64:
            ww = np.interp(y, 203 + 92 * t**1.25, w)
            d = np.interp(y, [203, 215, 240, 300], [9, 14, 22, 26])
            bump = b.bust * np.exp(-(((np.abs(x - MIDDLE) - 17) / 13) ** 2) - ((y - 246) / 13) ** 2)
            return np.asarray(
                -6 + d * np.power(np.maximum(1 - np.minimum(np.abs(x - MIDDLE) / ww, 1) ** n, 0), 1 / n) + bump
            )

        self.chest = front
        ink_colour = (*_mix(b.cloth, (0.1, 0.07, 0.1), 0.6), 0.75 * r.style.line_alpha)
        skin_ink = (*r.skin_line, 0.6 * r.style.line_alpha)
        arm = 0.70 * b.shoulder
        for side in (-1.0, 1.0):
            self.add_ink(
                "ink_body",
                spline(
                    [
                        (MIDDLE + side * (arm + 2), 238.0),
                        (MIDDLE + side * arm, 250.0),
                        (MIDDLE + side * (arm + 1), 280.0),
                    ],
                    10,
                ),
                np.linspace(0.2, 0.6, 10),
                skin_ink if b.bare else ink_colour,
                front,
                0.8,
                self.body_weight,
            )
            if b.collar not in ("high", "scarf", "hood"):
                self.add_ink(
                    "ink_body",
                    spline([(MIDDLE + side * 3.5, 217.0), (MIDDLE + side * 10, 215.5), (MIDDLE + side * 19, 215.0)], 9),
                    np.linspace(0.45, 0.1, 9),
                    (*r.skin_line, 0.35 * r.style.line_alpha) if b.neckline[1] > 12 else (*b.cloth, 0.0),
                    front,
                    0.9,
                    self.body_weight,
                )
        self.collar(front)
        self.blobs(front)

    def ball(
        self,
        name: str,
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        colour: Colour,
        turn: float = 0.0,
    ) -> None:
        weights = self.head_weight if name.endswith("head") else self.body_weight
        self.mesh(name).add(*ball(centre, radii, weights, (*colour, 1.0), turn))

    def panel(
        self,
        name: str,
        points: list[tuple[float, float, float]],
        widths: list[float],
        colour: Colour,
        outward: tuple[float, float, float] = (0, 0, 1),
        bulge: float = 0.12,
        rows: int = 14,
    ) -> None:
        """A ribbon of cloth along a curve with widths at its knots."""
        path = spline(points, rows)
        w = np.interp(np.linspace(0, len(widths) - 1, rows), np.arange(len(widths)), widths)
        weights = self.head_weight if name.endswith("head") else self.body_weight
        out = np.broadcast_to(np.asarray(outward, float), path.shape)
        v, f = ribbon(path, out, np.maximum(w, 0.05), weights, (1, 1, 1, 1), 0.0, bulge)
        v[:, m.COLOUR] = (*colour, 1.0)
        self.mesh(name).add(v, f)

    def collar(self, front: m.Surface) -> None:
        b, rng = self.r.body, self.rng
        nw = b.neck_width

        def z(x: float, y: float) -> float:
            return float(front(np.array([x]), np.array([y]))[0])

        c2 = b.inner
        if b.collar == "shirt":
            open_ = rng.uniform(2, 9)
            for side in (-1.0, 1.0):
                pts = [
                    (MIDDLE + side * (nw + 2), 203.0, -14.0),
                    (MIDDLE + side * (nw + 3.5), 207.0, 2.0),
                    (MIDDLE + side * (nw * 0.7 + 1), 214.0, z(MIDDLE + 8, 214) + 5),
                    (MIDDLE + side * (open_ + 4), 225.0, z(MIDDLE + 8, 225) + 3),
                ]
                self.panel("prop_body", pts, [4.5, 5.5, 6.5, 1.0], c2, (side * 0.4, -0.2, 0.9))
        elif b.collar == "sailor":
            depth = rng.uniform(20, 34)
            for side in (-1.0, 1.0):
                pts = [
                    (MIDDLE + side * (nw + 7), 206.0, -12.0),
                    (MIDDLE + side * (nw + 12), 213.0, z(MIDDLE + 22, 213) + 4),
                    (MIDDLE + side * (nw + 3), 224.0, z(MIDDLE + 14, 224) + 3),
                    (MIDDLE + side * 3, 212 + depth, z(MIDDLE + 3, 212 + depth) + 2),
                ]
                self.panel("prop_body", pts, [8.0, 10.5, 9.0, 3.0], c2, (side * 0.2, -0.2, 0.95))
                inner = [(x, y + 0.2, zz + 1.2) for x, y, zz in pts]
                self.panel(
                    "prop_body",
                    [(x + side * 5.0, y + 2.2, zz) for x, y, zz in inner],
                    [0.8, 0.9, 0.9, 0.3],
                    b.trim,
                    (side * 0.2, -0.2, 0.95),
                    0.0,
                )
        elif b.collar in ("hood", "scarf"):
            thick = rng.uniform(6, 9.5)
            wide = nw + thick * (1.3 if b.collar == "hood" else 0.75)
            a = np.linspace(-0.5 * np.pi, 1.5 * np.pi, 33)
            dip = rng.uniform(5, 12) if b.collar == "hood" else 2.0
            path = np.stack(
                [
                    MIDDLE + wide * np.cos(a),
                    207 + 2 * np.cos(2 * a) + dip * np.maximum(np.sin(a), -0.4),
                    -4 + (wide * 0.85) * np.sin(a),
                ],
                -1,
            )
            ring = np.linspace(0, 2 * np.pi, 12, endpoint=False)
            outward = np.stack([np.cos(a), np.zeros_like(a), np.sin(a)], -1)
            size = thick * (1 + 0.25 * np.sin(a * 3 + rng.uniform(0, 6)))[:, None, None]
            points = path[:, None] + size * (
                outward[:, None] * np.cos(ring)[None, :, None] * 0.8
                + np.array([0, 1.0, 0])[None, None] * np.sin(ring)[None, :, None] * 0.8
            )
            material = np.zeros((33, 12, 4))
            material[..., 2] = 99
            n = m.normals(points, closed=True)
            self.mesh("prop_body").add(
                m.pack(points, n, self.body_weight, material, (*c2, 1.0)), m.grid_triangles(33, 12, closed=True)
            )
        elif b.collar == "high":
            a = np.linspace(0, 2 * np.pi, 28, endpoint=False)[None]
            y = np.linspace(rng.uniform(190, 199), 216, 6)[:, None]
            w = nw + 1.6 + 3 * smoothstep(204, 216, y)
            x, zz = MIDDLE + w * np.sin(a), -5 + w * np.cos(a)
            points = np.stack([x, np.broadcast_to(y, x.shape), zz], -1)
            material = np.zeros((6, 28, 4))
            material[..., 0] = np.linspace(-1, 1, 6)[:, None]
            material[..., 2] = 8
            self.mesh("prop_body").add(
                m.pack(points, m.normals(points, closed=True), self.body_weight, material, (*b.cloth, 1.0)),
                m.grid_triangles(6, 28, closed=True),
            )
        elif b.collar == "frill":
            for i in range(11):
                turn = np.pi * (i / 10)
                at = MIDDLE + (nw + 5) * float(np.cos(turn))
                self.ball(
                    "prop_body", (at, 210 + 6 * float(np.sin(turn)), 8 * float(np.sin(turn)) + 2), (3.6, 4.2, 3), c2
                )
        y0 = 219 + rng.uniform(-2, 9)
        if b.bow == "bow":
            for side in (-1.0, 1.0):
                depth = z(MIDDLE, y0) + 5
                self.panel(
                    "prop_body",
                    [
                        (MIDDLE, y0, depth + 1),
                        (MIDDLE + side * 7, y0 - 3, depth + 2),
                        (MIDDLE + side * 14, y0 - 1.0, depth),
                    ],
                    [1.5, 5.0, 4.6],
                    b.accent,
                )
                self.panel(
                    "prop_body",
                    [
                        (MIDDLE, y0, depth - 1),
                        (MIDDLE + side * 4, y0 + 9, depth - 1),
                        (MIDDLE + side * 7.5, y0 + 19, depth - 2),
                    ],
                    [1.5, 3.0, 3.6],
                    _mix(b.accent, (0, 0, 0), 0.12),
                )
            self.ball("prop_body", (MIDDLE, y0, z(MIDDLE, y0) + 7), (2.7, 3, 3), b.accent)
        elif b.bow == "tie":
            depth = z(MIDDLE, y0) + 3.5
            self.panel(
                "prop_body",
                [(MIDDLE, y0, depth), (MIDDLE + 0.5, y0 + 16, depth + 1), (MIDDLE, y0 + 60, depth + 3)],
                [2.4, 4.4, 6.0],
                b.accent,
            )
            self.ball("prop_body", (MIDDLE, y0 - 2, depth), (3.4, 3.4, 2.5), b.accent)
        elif b.bow == "neckerchief":
            depth = z(MIDDLE, y0 + 8) + 4
            for side in (-1.0, 1.0):
                self.panel(
                    "prop_body",
                    [(MIDDLE, y0 + 6, depth), (MIDDLE + side * 5, y0 + 16, depth), (MIDDLE + side * 4, y0 + 34, depth)],
                    [1.5, 4.5, 0.5],
                    b.accent,
                )
            self.ball("prop_body", (MIDDLE, y0 + 6, depth + 1), (3.0, 3.2, 2.5), b.accent)

    def blobs(self, front: m.Surface) -> None:
        """Hands, microphones, toys: something odd before the chest."""
        rng, b = self.rng, self.r.body
        for _ in range(b.blob):
            side = float(rng.choice([-1, 1]))
            x, y = MIDDLE + side * rng.uniform(8, 42), rng.uniform(222, 246)
            z0 = float(front(np.array([x]), np.array([y]))[0]) + 12
            if rng.random() < 0.65:  # a hand: a sleeve, a palm and fingers
                sleeve = [
                    (x + side * rng.uniform(12, 26), 292.0, z0 - 8),
                    (x + side * rng.uniform(6, 14), y + 26, z0 - 4),
                    (x + side * 2, y + 8, z0),
                ]
                self.panel(
                    "prop_body", sleeve, [12.0, 9.0, 6.5], b.cloth if not b.bare else self.r.skin, (0, 0, 1), 0.5
                )
                self.ball("prop_body", (x, y, z0 + 2), (7.5, 9, 6), self.r.skin, side * 0.3)
                for i in range(4):
                    fx = x - side * (3.5 + 1.2 * i) + side * 3
                    self.ball(
                        "prop_body",
                        (fx, y - 6.5 + 1.7 * i, z0 + 5),
                        (2.3, 5.6, 2.6),
                        self.r.skin,
                        -side * (0.5 + 0.25 * i),
                    )
            else:
                self.ball(
                    "prop_body", (x, y, z0), tuple(rng.uniform(5, 12, 3)), self.r.extras.second, rng.uniform(-0.6, 0.6)
                )
                self.ball(
                    "prop_body",
                    (x, y + 10, z0 - 1),
                    (rng.uniform(2.5, 6), rng.uniform(8, 18), 4),
                    self.r.body.accent,
                    rng.uniform(-0.3, 0.3),
                )

    # ---- extras --------------------------------------------------------------------------------------------

    def extras(self) -> None:
        x, rng, h = self.r.extras, self.rng, self.r.hair
        if x.animal_ears != "none":
            for side in (-1.0, 1.0):
                base = self.shell(np.radians([side * 62.0]), np.array([self.arc_radius * 0.62]), np.array([-2.0]), 0)[0]
                bx, by = float(base[0]), float(base[1])
                height, wide = {"cat": (23.0, 11.0), "fox": (30.0, 11.0), "bunny": (52.0, 7.5), "horn": (20.0, 4.0)}[
                    x.animal_ears
                ]
                lean = {"cat": 7.0, "fox": 6.0, "bunny": 5.0, "horn": 10.0}[x.animal_ears]
                pts = [
                    (bx, by + 6, 0.0),
                    (bx + side * lean * 0.4, by - 0.4 * height, 1.0),
                    (bx + side * lean, by - height, 0.0),
                ]
                outer = h.mid if x.animal_ears != "horn" else x.second
                self.panel("prop_head", pts, [wide, wide * 0.85, 0.2], outer, (0, 0, 1), 0.35)
                if x.animal_ears != "horn":
                    inner = [(a, b + 3, c + 3.5) for a, b, c in pts]
                    self.panel(
                        "prop_head",
                        inner,
                        [wide * 0.55, wide * 0.45, 0.2],
                        _mix(x.second, (1.0, 0.85, 0.85), 0.6),
                        (0, 0, 1),
                        0.1,
                    )
        if x.ribbon != "none":
            spots = {"side": [float(rng.choice([-1, 1])) * 58], "top": [0.0], "twin": [-62.0, 62.0]}[x.ribbon]
            for angle in spots:
                p = self.shell(
                    np.radians([angle]), np.array([self.arc_radius * (0.35 if angle == 0 else 0.8)]), np.array([5.0]), 0
                )[0]
                size = rng.uniform(0.7, 1.5)
                for side in (-1.0, 1.0):
                    self.panel(
                        "prop_head",
                        [
                            (p[0], p[1], p[2] + 1),
                            (p[0] + side * 8 * size, p[1] - 4 * size, p[2] + 2),
                            (p[0] + side * 15 * size, p[1] - 2 * size, p[2]),
                        ],
                        [1.5 * size, 5.5 * size, 5.5 * size],
                        x.colour,
                    )
                self.ball(
                    "prop_head", (p[0], p[1], p[2] + 2), (3 * size, 3.2 * size, 3), _mix(x.colour, (0, 0, 0), 0.1)
                )
        for _ in range(x.clips):
            p = self.shell(
                np.radians([rng.uniform(-60, 60)]),
                np.array([self.arc_radius * rng.uniform(0.7, 1.35)]),
                np.array([7.0]),
                0.1,
            )[0]
            a = rng.uniform(-1.2, 1.2)
            c, s = 6 * np.cos(a), 6 * np.sin(a)
            if rng.random() < 0.6:
                self.panel(
                    "prop_head",
                    [(p[0] - c, p[1] - s, p[2]), tuple(p), (p[0] + c, p[1] + s, p[2])],
                    [1.4, 1.6, 1.2],
                    x.second,
                )
            else:
                for i in range(5):
                    b = i * 1.2566
                    self.ball(
                        "prop_head", (p[0] + 3 * np.cos(b), p[1] + 3 * np.sin(b), p[2]), (2.4, 2.4, 1.5), x.second
                    )
                self.ball("prop_head", (p[0], p[1], p[2] + 1), (1.6, 1.6, 1.6), (1.0, 0.9, 0.5))
        self.hat()
        if x.earrings:
            for side in (-1.0, 1.0):
                self.ball(
                    "prop_head",
                    (MIDDLE + side * (self.r.head.face_width + 3.5), self.r.head.ear_y + 13, 6),
                    (1.8, 3.0, 1.8),
                    x.second,
                )
        if x.glasses != "none":
            self.glasses()

    def hat(self) -> None:
        x, rng = self.r.extras, self.rng
        if x.hat == "beret":
            lean = float(rng.choice([-1, 1])) * 8
            self.ball("prop_head", (MIDDLE + lean, 76, 0), (52, 17, 46), x.colour, lean * 0.012)
        elif x.hat == "cap":
            self.ball("prop_head", (MIDDLE, 90, -3), (self.rx + 3, 33, self.rz + 4), x.colour)
            self.panel(
                "prop_head",
                [(MIDDLE - 40, 101, 40), (MIDDLE, 106, 68), (MIDDLE + 40, 101, 40)],
                [3, 9, 3],
                x.second,
                (0, -0.5, 0.8),
            )
        elif x.hat == "witch":
            self.panel(
                "prop_head",
                [(MIDDLE - 76, 96, -4), (MIDDLE, 88, 40), (MIDDLE + 76, 96, -4)],
                [4, 9, 4],
                x.colour,
                (0, -0.6, 0.8),
            )
            self.panel(
                "prop_head",
                [(MIDDLE, 92, 20), (MIDDLE + 4, 60, 14), (MIDDLE + 16, 28, 8)],
                [48, 26, 1],
                x.colour,
                (0, 0, 1),
                0.5,
            )
        elif x.hat == "band":
            a = np.radians(np.linspace(-95, 95, 25))
            path = np.stack(
                [MIDDLE + (self.rx + 3) * np.sin(a), self.cy - (self.ry + 3.5) * np.cos(a), np.full_like(a, 8.0)], -1
            )
            out = np.stack([np.sin(a), -np.cos(a), np.full_like(a, 0.9)], -1)
            v, f = ribbon(path, out, np.full(25, 2.4), self.head_weight, (1, 1, 1, 1), 0.0, 0.2)
            v[:, m.COLOUR] = (*x.colour, 1.0)
            self.mesh("prop_head").add(v, f)

    def glasses(self) -> None:
        x, e = self.r.extras, self.r.eyes
        thick = {"thin": 0.45, "thick": 1.15, "half": 0.5}[x.glasses]
        colour = (*x.glasses_colour, 0.95)
        w, h = e.half_width * self.rng.uniform(1.2, 1.45), (e.upper + e.lower) * self.rng.uniform(0.56, 0.78)
        power = self.rng.uniform(2.0, 3.2)

        def flat(px: F64, py: F64) -> F64:
            return np.asarray(self.r.head.depth + 3.0 - 0.010 * (px - MIDDLE) ** 2)

        gap = min(w, e.spacing - 2.0)
        for side in (-1.0, 1.0):
            a = np.linspace(-np.pi, np.pi, 41) if x.glasses != "half" else np.linspace(-0.1, np.pi + 0.1, 25)
            cx, cy = MIDDLE + side * (e.spacing + 0.3), e.y + 1.5
            c, s = np.cos(a), np.sin(a)
            line = np.stack(
                [cx + np.sign(c) * np.abs(c) ** (2 / power) * gap, cy + np.sign(s) * np.abs(s) ** (2 / power) * h], -1
            )
            self.add_ink("glasses", line, np.full(len(a), thick), colour, flat)
            self.add_ink(
                "glasses",
                np.array(
                    [
                        [cx + side * gap, cy - 0.3 * h],
                        [MIDDLE + side * 36, cy - 0.35 * h],
                        [MIDDLE + side * 40, cy - 0.3 * h],
                    ]
                ),
                np.full(3, thick),
                colour,
                flat,
            )
        self.add_ink(
            "glasses",
            spline(
                [(MIDDLE - e.spacing + gap, e.y + 0.5), (MIDDLE, e.y - 1.0), (MIDDLE + e.spacing - gap, e.y + 0.5)], 7
            ),
            np.full(7, thick),
            colour,
            flat,
        )

    def watermark(self) -> None:
        x0 = self.rng.choice([16.0, 206.0]) + self.rng.uniform(-4, 4)
        y0 = self.rng.uniform(212, 236)
        flat = lambda x, y: np.full_like(x, 90.0)  # noqa: E731

        def nothing(p: F64) -> F64:
            return np.zeros((len(p), 2))

        y = np.array([y0 + 18, y0 + 18.0])
        self.mesh("watermark").add(
            *ink(
                np.stack([np.array([x0, x0 + 34]), y], -1),
                np.full(2, 20.0),
                flat,
                0,
                nothing,
                (*self.r.extras.colour, 1),
            )
        )
        for i in range(2):
            for j in range(5):
                px, py = x0 + 4 + 6 * j, y0 + 10 + 14 * i
                pts = spline(np.stack([px + self.rng.uniform(-2, 3, 4), py + np.array([-5, -1, 2, 5])], -1), 8)
                self.mesh("watermark").add(*ink(pts, np.full(8, 0.8), flat, 1, nothing, (1, 1, 1, 1)))

    # ---- all -----------------------------------------------------------------------------------------------

    def build(self) -> list[Layer]:
        self.body()
        self.head()
        self.skin(self.neck, self.body_weight, 1.0)
        self.eyes()
        self.features()
        self.mouth()
        self.cap()
        self.bangs()
        self.sides()
        self.back()
        self.ahoge()
        self.extras()
        if self.r.extras.watermark:
            self.watermark()
        order = (
            # name, program, part, hull, morphs
            ("prop_head", "solid", PART_HEAD, True, False),
            ("front", "hair", PART_HEAD, False, False),
            ("prop_body", "solid", PART_BODY, True, False),
            ("middle", "hair", PART_BACK, False, False),
            ("skin", "skin", PART_HEAD, True, False),
            ("body", "body", PART_BODY, True, False),
            ("cap", "hair", PART_HEAD, True, False),
            ("cap_back", "hair", PART_BACK, True, False),
            ("back", "hair", PART_BACK, False, False),
            ("watermark", "ink", PART_BODY, False, False),
            ("ink_body", "ink", PART_BODY, False, False),
            ("eyes", "eye", PART_HEAD, False, True),
            ("ink", "ink", PART_HEAD, False, False),
            ("mouth", "ink", PART_HEAD, False, True),
            ("lash", "ink", PART_HEAD, False, True),
            ("brow", "ink", PART_HEAD, False, False),
            ("glasses", "ink", PART_HEAD, False, False),
        )
        angles = tuple(np.radians(self.r.head.turn))
        layers = []
        for name, program, part, hull, morphs in order:
            if name not in self.layers:
                continue
            v, f = self.layers[name].arrays()
            if any(angles):
                w = v[:, m.WEIGHT].astype(float)
                p = v[:, m.POSITION].astype(float)
                start = m.bend(p, w, (angles[0], angles[1], angles[2]), self.root, self.tip)
                end = m.bend(p + v[:, m.MORPH], w, (angles[0], angles[1], angles[2]), self.root, self.tip)
                v[:, m.POSITION], v[:, m.MORPH] = start, end - start
            if program not in ("ink", "skin"):
                # from front to back, so that hidden fragments are never painted; ink is painted in its own order
                f = f[np.argsort(-v[f, 2].mean(1), kind="stable")]
            layers.append(Layer(name, program, part, np.ascontiguousarray(v), np.ascontiguousarray(f), hull, morphs))
        return layers


def _mix(a: Colour, b: Colour, t: float) -> Colour:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)
