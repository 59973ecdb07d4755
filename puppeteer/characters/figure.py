"""What every part of a character is built on: the recipe, the joints, the shape of the face, the meshes so far."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from puppeteer.characters import mesh as m
from puppeteer.characters.mesh import F32, F64, Mesh, ball, ink, ribbon, smoothstep, spline
from puppeteer.characters.moving import Iris, Piece
from puppeteer.characters.recipe import Colour, Recipe
from puppeteer.pose import HAIR_HANGS, HAIR_STAYS, Pose

MIDDLE = 128.0
Weights = Callable[[F64], F64]  # (N, 3) positions -> (N, 2) weights of root and tip


class Figure:
    """A character under construction: named meshes that `geometry.build` turns into layers."""

    def __init__(self, recipe: Recipe) -> None:
        self.r = recipe
        self.rng = np.random.default_rng([7, recipe.seed])
        self.root = np.array([*recipe.root_xy, 0.0])
        self.tip = np.array([*recipe.tip_xy, m.TIP_Z])
        self.layers: dict[str, Mesh] = {}
        self.pieces: dict[str, list[Piece]] = {}  # of the groups, what the face's numbers move
        self.chest: m.Surface = lambda x, y: np.zeros_like(x)  # the body's front, once there is a body

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
        place: Callable[[Pose], F64] | None = None,
    ) -> None:
        surface, weights = surface or self.surface, weights or self.head_weight
        drawn = ink(line, half, surface, lift, weights, colour, closed, mask, closed_half, up)
        self.add(name, drawn, place)

    def add(
        self,
        name: str,
        drawn: tuple[F32, NDArray[np.int32]],
        place: Callable[[Pose], F64] | None = None,
        iris: Iris | None = None,
    ) -> None:
        """Vertices and triangles, and where the vertices go in a pose."""
        mesh = self.mesh(name)
        if place is not None:
            self.pieces.setdefault(name, []).append(Piece(mesh.count, len(drawn[0]), place, iris))
        mesh.add(*drawn)

    def hang(self, name: str, amount: Callable[[F64], F64]) -> None:
        """Lets what was last added to a group swing with the hair, by px of its positions (N, 3)."""
        part = self.mesh(name).parts[-1]
        part[:, m.HANG.start] = amount(part[:, m.POSITION].astype(float))

    def skin(self, name: str, points: F64, weights: Callable[[F64], F64], kind: float) -> None:
        normal = m.normals(points, closed=True)
        material = np.zeros((*points.shape[:2], 4))
        material[..., :2] = points[..., :2]
        material[..., 2] = kind
        self.mesh(name).add(
            m.pack(points, normal, weights, material), m.grid_triangles(points.shape[0], points.shape[1], closed=True)
        )

    def _weights(self, name: str) -> Callable[[F64], F64]:
        """What a group of props follows: the head, hanging hair, or the body."""
        return {"prop_head": self.head_weight, "prop_side": self.hair_weight}.get(name, self.body_weight)

    def ball(
        self,
        name: str,
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        colour: Colour,
        turn: float = 0.0,
    ) -> None:
        weights = self._weights(name)
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
        weights = self._weights(name)
        out = np.broadcast_to(np.asarray(outward, float), path.shape)
        v, f = ribbon(path, out, np.maximum(w, 0.05), weights, (1, 1, 1, 1), 0.0, bulge)
        v[:, m.COLOUR] = (*colour, 1.0)
        self.mesh(name).add(v, f)

    def patch(
        self,
        name: str,
        left: list[tuple[float, float]],
        right: list[tuple[float, float]],
        colour: Colour,
        surface: m.Surface,
        lift: float = 2.0,
        bulge: float = 1.0,
        fold: float = 0.0,
        ends: bool = True,
        rows: int = 12,
        columns: int = 5,
    ) -> None:
        """Cloth between two drawn edges (x, y), laid on a surface; lines go along its edges, and its `ends`."""
        a, b = spline(left, rows)[:, None], spline(right, rows)[:, None]
        u = np.linspace(-1, 1, columns)[None, :, None]
        xy = a * (0.5 - 0.5 * u) + b * (0.5 + 0.5 * u)
        z = surface(xy[..., 0], xy[..., 1]) + lift + bulge * (1 - u[..., 0] ** 2)
        points = np.concatenate([xy, z[..., None]], -1)
        material = np.zeros((rows, columns, 4))
        material[..., 0] = u[..., 0]
        material[..., 1] = np.linspace(0, 1, rows)[:, None]
        material[..., 2] = 0.5 * np.linalg.norm(a - b, axis=-1)
        material[..., 3] = fold
        middle = 0.5 * (a + b)[:, 0]
        length = max(2.0, float(np.linalg.norm(np.diff(middle, axis=0), axis=-1).sum()))
        weights = self._weights(name)
        normal = m.normals(points)
        triangles = m.grid_triangles(rows, columns)
        if normal[..., 2].mean() < 0:  # its front is towards the viewer
            normal, triangles = -normal, triangles[:, ::-1]
        self.mesh(name).add(m.pack(points, normal, weights, material, (*colour, length if ends else 1.0)), triangles)

    def tube(
        self,
        name: str,
        points: list[tuple[float, float, float]],
        radii: list[float],
        colour: Colour,
        fold: float = 1.0,
        rows: int = 16,
        columns: int = 18,
    ) -> None:
        """A closed tube of cloth along a curve."""
        path = spline(points, rows)
        r = np.interp(np.linspace(0, len(radii) - 1, rows), np.arange(len(radii)), radii)
        tangent = m.unit(m.slope(path))
        across = m.unit(m.cross(tangent, np.broadcast_to([0.0, 0.0, 1.0], tangent.shape)))
        front = m.cross(across, tangent)
        a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :, None]
        ring = path[:, None] + r[:, None, None] * (across[:, None] * np.sin(a) + front[:, None] * np.cos(a))
        material = np.zeros((rows, columns, 4))
        material[..., 1] = np.linspace(0, 1, rows)[:, None]
        material[..., 2] = 99.0
        material[..., 3] = fold
        normal = m.unit(ring - path[:, None])
        self.mesh(name).add(
            m.pack(ring, normal, self._weights(name), material, (*colour, 1.0)),
            m.grid_triangles(rows, columns, closed=True),
        )

    def arm(self, name: str, points: list[tuple[float, float, float]], radii: list[float]) -> None:
        """A tube of bare skin, painted as the neck is."""
        self.tube(name, points, radii, self.r.skin)
        part = self.mesh(name).parts[-1]
        part[:, m.MATERIAL] = np.stack([part[:, 0], part[:, 1], np.ones(len(part)), np.zeros(len(part))], -1)

    def ring(self, name: str, points: F64, colour: Colour) -> None:
        """A band (rows, columns, 3) that closes on itself."""
        material = np.zeros((*points.shape[:2], 4))
        material[..., 0] = np.linspace(-1, 1, len(points))[:, None]
        material[..., 2] = 2.0
        normal = m.normals(points, closed=True)
        self.mesh(name).add(
            m.pack(points, normal, self.body_weight, material, (*colour, 1.0)),
            m.grid_triangles(points.shape[0], points.shape[1], closed=True),
        )

    def head_weight(self, p: F64) -> F64:
        return np.ones((len(p), 2))

    def body_weight(self, p: F64) -> F64:
        y = p[:, 1]
        root = smoothstep(self.root[1] + 12, self.root[1] - 10, y)
        tip = smoothstep(self.root[1] - 2, self.tip[1] + 1, y)
        return np.stack([root, tip], -1)

    def hair_weight(self, p: F64) -> F64:
        # Ends hang and lie on shoulders, which a leaning head leaves where they are.
        w = 1 - HAIR_STAYS * smoothstep(*HAIR_HANGS, p[:, 1])
        return np.stack([w, w], -1)

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
        return np.asarray(up - 5.0 * t**6, np.float64)

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


def mix(a: Colour, b: Colour, t: float) -> Colour:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)
