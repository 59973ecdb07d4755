"""Meshes as flat arrays: grids, ribbons, balls and ink laid on a surface. Pure numpy.

Space is spec pixels: x to the viewer's right from the picture's left edge, y down, z towards the viewer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from puppeteer.relief import NOD_DEPTH, NOD_RELIEF, TURN_DEPTH, TURN_RELIEF, relieved, squash

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Surface = Callable[[F64, F64], F64]  # x, y -> z

# one vertex: position 3, morph displacement 3, normal 3, weights root and tip 2, morph mask 3, material 4, colour 4;
# how far it swings with hanging hair, px, and whether it leans, turns and breathes with the figure
POSITION, MORPH, NORMAL, WEIGHT, MASK, MATERIAL, COLOUR, HANG = (
    slice(0, 3),
    slice(3, 6),
    slice(6, 9),
    slice(9, 11),
    slice(11, 14),
    slice(14, 18),
    slice(18, 22),
    slice(22, 24),
)
WIDTH = 24
TIP_Z = -15.0  # of the neck's tip; it tells which of two things is in front, not how far they move
Weights = Callable[[F64], F64]  # (N, 3) positions -> (N, 2) weights of root and tip


@dataclass
class Mesh:
    """Vertices (N, WIDTH) and triangle indices, grown piece by piece."""

    parts: list[F32] = field(default_factory=list)
    triangles: list[NDArray[np.int32]] = field(default_factory=list)
    count: int = 0

    def add(self, vertices: F32, triangles: NDArray[np.int32]) -> None:
        self.parts.append(vertices)
        self.triangles.append(triangles + self.count)
        self.count += len(vertices)

    def arrays(self) -> tuple[F32, NDArray[np.int32]]:
        if not self.parts:
            return np.zeros((0, WIDTH), np.float32), np.zeros((0, 3), np.int32)
        return np.concatenate(self.parts), np.concatenate(self.triangles).astype(np.int32)


def smoothstep(low: float, high: float, x: ArrayLike) -> F64:
    t = np.minimum(np.maximum((np.asarray(x, float) - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def cross(a: F64, b: F64) -> F64:
    """Of (..., 3) arrays; several times faster than numpy's own for small ones."""
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def unit(a: F64) -> F64:
    """(..., 3) scaled to length 1."""
    return np.asarray(a / np.maximum(np.sqrt(np.einsum("...i,...i->...", a, a)), 1e-9)[..., None], np.float64)


def slope(path: F64) -> F64:
    """(N, D) differences along the first axis, central inside."""
    out = np.empty_like(path)
    out[1:-1] = 0.5 * (path[2:] - path[:-2])
    out[0], out[-1] = path[1] - path[0], path[-1] - path[-2]
    return out


def spline(points: ArrayLike, n: int) -> F64:
    """(K, D) control points to (n, D) points of a Catmull-Rom curve through them."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, len(p) - 3 - 1e-9, n)
    i = t.astype(int)
    f = (t - i)[:, None]
    a, b, c, e = p[i], p[i + 1], p[i + 2], p[i + 3]
    return np.asarray(
        0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - e) * f**2 + (3 * b - a - 3 * c + e) * f**3), np.float64
    )


@functools.cache
def grid_triangles(rows: int, columns: int, closed: bool = False) -> NDArray[np.int32]:
    i = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    if closed:
        i = np.concatenate([i, i[:, :1]], 1)
    a, b, c, e = i[:-1, :-1], i[:-1, 1:], i[1:, :-1], i[1:, 1:]
    return np.stack([np.stack([a, c, b], -1), np.stack([b, c, e], -1)], 2).reshape(-1, 3)


def normals(points: F64, closed: bool = False) -> F64:
    """(R, C, 3) grid to unit normals, by differences; C wraps round where closed."""
    down = slope(points)
    across = np.roll(points, -1, 1) - np.roll(points, 1, 1) if closed else np.gradient(points, axis=1)
    return unit(cross(across, down))


def pack(
    points: F64,
    normal: F64,
    weights: Weights,
    material: F64 | None = None,
    colour: ArrayLike = (1.0, 1.0, 1.0, 1.0),
    morph: F64 | None = None,
    mask: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> F32:
    p = points.reshape(-1, 3)
    v = np.zeros((len(p), WIDTH), np.float32)
    v[:, POSITION] = p
    v[:, NORMAL] = normal.reshape(-1, 3)
    v[:, WEIGHT] = weights(p)
    if morph is not None:
        v[:, MORPH] = morph.reshape(-1, 3)
    v[:, MASK] = mask
    if material is not None:
        v[:, MATERIAL] = material.reshape(-1, 4)
    v[:, COLOUR] = np.broadcast_to(np.asarray(colour, float), (*points.shape[:-1], 4)).reshape(-1, 4)
    v[:, HANG] = (0.0, 1.0)
    return v


def ribbons(
    path: F64,
    outward: F64,
    half_width: F64,
    weights: Weights,
    colour: F64,
    bulge: F64 | float,
    arc: F64,
    lit: float | None = None,
    columns: int = 3,
) -> tuple[F32, NDArray[np.int32]]:
    """K strips along paths (K, N, 3), convex towards `outward` (K, N, 3); material is u, t, half width, arc (K, N).

    `colour` (K, 4) holds what the material needs in four numbers; `half_width` is (K, N), `bulge` (K, 1) or one number.
    Light falls on them as if they bulged by `lit`.
    """
    count, rows = path.shape[:2]
    tangent = unit(slope(path.swapaxes(0, 1)).swapaxes(0, 1))
    b = unit(cross(tangent, outward))
    n = cross(b, tangent)
    n *= np.sign(np.sum(n * outward, -1, keepdims=True) + 1e-9)
    u = np.linspace(-1, 1, columns)[:, None]  # across
    k = np.broadcast_to(np.asarray(bulge, float), (count, 1))[..., None, None]
    w = half_width[..., None, None]
    points = path[:, :, None] + b[:, :, None] * (u * w) + n[:, :, None] * (k * w * (1 - u**2))
    normal = unit(n[:, :, None] + b[:, :, None] * (2 * (k if lit is None else lit) * u))
    material = np.empty((count, rows, columns, 4))
    material[..., 0] = u[:, 0]
    material[..., 1] = np.linspace(0, 1, rows)[None, :, None]
    material[..., 2] = half_width[..., None]
    material[..., 3] = arc[..., None]
    vertices = pack(points, normal, weights, material, np.broadcast_to(colour[:, None, None], material.shape))
    one = grid_triangles(rows, columns)
    offsets = (np.arange(count, dtype=np.int32) * rows * columns)[:, None, None]
    return vertices, (one[None] + offsets).reshape(-1, 3)


def ribbon(
    path: F64,
    outward: F64,
    half_width: F64,
    weights: Weights,
    colour: ArrayLike,
    seed: float = 0.0,
    bulge: float = 0.25,
    arc: F64 | None = None,
) -> tuple[F32, NDArray[np.int32]]:
    """One strip along `path` (N, 3); the last number of `colour` is replaced by `seed`."""
    c = np.array(colour, float)[None]
    c[0, 3] = seed
    along = np.zeros((1, len(path))) if arc is None else arc[None]
    return ribbons(path[None], np.asarray(outward, float)[None], half_width[None], weights, c, bulge, along)


def ball(
    centre: ArrayLike,
    radii: ArrayLike,
    weights: Weights,
    colour: ArrayLike,
    turn: float = 0.0,
    rows: int = 11,
    columns: int = 20,
) -> tuple[F32, NDArray[np.int32]]:
    """An ellipsoid, turned by `turn` radians in the picture plane; its material is (0, 0, 99, 0): no edge line."""
    a = np.linspace(1e-3, np.pi - 1e-3, rows)[:, None]
    b = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    unit = np.stack([np.sin(a) * np.sin(b), -np.cos(a) * np.ones_like(b), np.sin(a) * np.cos(b)], -1)
    r = np.asarray(radii, float)
    local, normal = unit * r, unit / r
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    c, s = np.cos(turn), np.sin(turn)
    spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    points = local @ spin.T + np.asarray(centre, float)
    material = np.zeros((rows, columns, 4))
    material[..., 2] = 99.0
    return pack(points, normal @ spin.T, weights, material, colour), grid_triangles(rows, columns, closed=True)


def stroke(line: F64, half_width: F64, surface: Surface, lift: float, up: float = 0.0) -> F64:
    """(N, 3, 3) points of a drawn line (N, 2), as `ink` lays them."""
    tangent = unit(slope(line))
    side = np.stack([tangent[:, 1], -tangent[:, 0]], -1)
    u = np.linspace(-1, 1, 3)[None, :, None]
    xy = line[:, None] + side[:, None] * ((u + up) * half_width[:, None, None])
    return laid(xy, surface, lift)


def laid(xy: F64, surface: Surface, lift: float) -> F64:
    """(..., 2) on a surface: (..., 3)"""
    return np.concatenate([xy, (surface(xy[..., 0], xy[..., 1]) + lift)[..., None]], -1)


def area(top: F64, bottom: F64, surface: Surface, lift: float, rows: int) -> F64:
    """(rows, N, 3) points between two drawn lines (N, 2), as `sheet` lays them."""
    t = np.linspace(0, 1, rows)[:, None, None]
    return laid(top[None] * (1 - t) + bottom[None] * t, surface, lift)


def ink(
    line: F64,
    half_width: F64,
    surface: Surface,
    lift: float,
    weights: Weights,
    colour: ArrayLike,
    closed_line: F64 | None = None,
    mask: tuple[float, float, float] = (0.0, 0.0, 0.0),
    closed_half_width: F64 | None = None,
    up: float = 0.0,
    soft: float = 1.0,
) -> tuple[F32, NDArray[np.int32]]:
    """A drawn line (N, 2) of varying width, laid on a surface; `closed_line` is where a full morph carries it.

    `up` moves the stroke to one side of the line: 1 lets it stand on the line, 0 centres it. Colour is RGBA.
    """

    rows = len(line)
    points = stroke(line, half_width, surface, lift, up)
    morph = None
    if closed_line is not None:
        closed_half = half_width if closed_half_width is None else closed_half_width
        morph = stroke(closed_line, closed_half, surface, lift, up) - points
    material = np.zeros((rows, 3, 4))
    material[..., 0] = np.linspace(-1, 1, 3)[None]
    material[..., 1] = np.linspace(0, 1, rows)[:, None]
    material[..., 2] = half_width[:, None]
    material[..., 3] = soft
    normal = np.zeros((rows, 3, 3))
    normal[..., 2] = 1.0
    return pack(points, normal, weights, material, colour, morph, mask), grid_triangles(rows, 3)


def sheet(
    top: F64,
    bottom: F64,
    surface: Surface,
    lift: float,
    weights: Weights,
    colour: ArrayLike,
    closed_top: F64 | None = None,
    closed_bottom: F64 | None = None,
    mask: tuple[float, float, float] = (0.0, 0.0, 0.0),
    rows: int = 8,
    material: Callable[[F64], F64] | None = None,
) -> tuple[F32, NDArray[np.int32]]:
    """The area between two drawn lines (N, 2), with the lines that a full morph carries them to.

    `material` maps (N, 2) picture positions to two numbers, interpolated through the morph as positions are.
    """
    points = area(top, bottom, surface, lift, rows)
    morph = None
    mat = np.zeros((*points.shape[:2], 4))
    if material is None:
        mat[..., 2] = 99.0  # no soft edge
    if material is not None:
        mat[..., :2] = material(points[..., :2])
    if closed_top is not None and closed_bottom is not None:
        end = area(closed_top, closed_bottom, surface, lift, rows)
        morph = end - points
        if material is not None:
            mat[..., 2:] = material(end[..., :2]) - mat[..., :2]
    normal = np.zeros_like(points)
    normal[..., 2] = 1.0
    return pack(points, normal, weights, mat, colour, morph, mask), grid_triangles(rows, len(top))


def bend(p: F64, weights: F64, angles: tuple[float, float, float], root: F64, tip: F64) -> F64:
    """Turn points (N, 3) by neck angles (z, x, y in radians, signs of `Pose`) scaled by weights (N, 2).

    The same arithmetic as in the vertex shader: turn, then nod about the tip, as a relief; then lean about the root.
    """
    z, x, y = angles
    q = p - tip
    depth, share = relieved(p[:, 2]), squash(p[:, 2])
    a = y * weights[:, 1]
    near = q[:, 0] * np.sin(a) + NOD_RELIEF * (depth - NOD_DEPTH) * np.cos(a)
    across = q[:, 0] * (1 - share * (1 - np.cos(a))) - TURN_RELIEF * (depth - TURN_DEPTH) * np.sin(a)
    q = np.stack([across, q[:, 1], q[:, 0] * np.sin(a) + q[:, 2] * np.cos(a)], -1)
    a = x * weights[:, 1]
    up = q[:, 1] * (1 - share * (1 - np.cos(a))) - near * np.sin(a)
    q = np.stack([q[:, 0], up, q[:, 1] * np.sin(a) + q[:, 2] * np.cos(a)], -1)
    q = q + tip - root
    a = z * weights[:, 0]
    q = np.stack([q[:, 0] * np.cos(a) + q[:, 1] * np.sin(a), -q[:, 0] * np.sin(a) + q[:, 1] * np.cos(a), q[:, 2]], -1)
    return np.asarray(q + root, np.float64)
