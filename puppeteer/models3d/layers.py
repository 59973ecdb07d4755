"""Which layer each vertex of a model belongs to, by the bones it hangs on and the material that paints it. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.annotation import Study
from puppeteer.models3d.model import below
from puppeteer.pose import F32, U8

# The number of a layer is its place in `characters.layers.LAYERS`, and 1.
BACK, NECK, BODY, FACE, SIDE, GLASSES, FRONT = range(1, 8)
PARTS: U8 = np.array([0, 3, 1, 1, 2, 2, 2, 2], np.uint8)  # of training: 1 body, 2 head, 3 back hair


def labels(found: Study, rows: NDArray[np.int64], triangles: NDArray[np.int32]) -> F32:
    """(len(rows),) the layer of each vertex in `rows`; `triangles` (T, 3) index into `rows`.

    What hangs together goes together: a lock of hair is in one layer. Only what spans the head is cut by place.
    """
    model, anatomy, annotation = found.model, found.anatomy, found.annotation
    out = np.full(len(rows), BODY, np.float32)
    if anatomy is None or annotation is None or not len(triangles):
        return out
    p, height = model.positions[rows], annotation.top - annotation.chin
    on_head = anatomy.on_head[rows]
    piece = pieces(p, triangles, 1e-4 * height)
    count = int(piece.max()) + 1
    size = np.maximum(np.bincount(piece, minlength=count), 1)

    def share(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Of each piece."""
        return np.asarray(np.bincount(piece, mask, minlength=count) / size)

    def extent(axis: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, high = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(low, piece, p[:, axis])
        np.maximum.at(high, piece, p[:, axis])
        return low, high

    moved = np.zeros(len(rows), bool)
    for name, choice in annotation.morphs.items():
        if not name.startswith("look"):
            moved |= np.isin(rows, found.moved[choice.morph].rows)
    for name in ("left_eye", "right_eye"):
        if name in anatomy.bones:
            hangs = below(model, anatomy.bones[name])
            moved |= hangs[model.skin_bones[rows, 0]] & (model.skin_weights[rows, 0] > 0.5)
    head_share = share(on_head)
    x, y, z = (np.bincount(piece, p[:, k], minlength=count) / size for k in range(3))
    left, right = extent(0)
    low, high = extent(1)
    face = (share(moved) > 0.01) & (head_share > 0.5)
    skin = np.isin(piece, np.flatnonzero(face))
    half = 0.5 * float(np.ptp(p[skin, 0])) if skin.any() else 0.35 * height
    tip_z, middle = annotation.neck_tip[2], annotation.middle
    # brows, blush and lashes that no morph moves
    small = (right - left < 0.8 * half) & (high - low < 0.15 * height) & (z > tip_z + 0.15 * height)
    inside = (np.abs(x - middle) < 0.85 * half) & (y > annotation.chin) & (y < annotation.chin + 0.62 * height)
    # skin on which eyes and mouth lie as pieces of their own
    low_front = (y < annotation.chin + 0.45 * height) & (z > tip_z) & (np.abs(x - middle) < 0.3 * half)
    face |= low_front & (right - left > 0.8 * half) & (head_share > 0.9) & bool(skin.any())
    face |= small & inside & (head_share > 0.5) & bool(skin.any())
    neck = (head_share > 0.02) & (head_share < 0.98) & (y < annotation.chin + 0.1 * height) & ~face
    neck &= (np.abs(x - middle) < half) & (right - left < 2.2 * half)
    wide = (right - left > 1.3 * half) & (high - low > 0.35 * height)

    def hair(hx: NDArray[np.float64], hy: NDArray[np.float64], hz: NDArray[np.float64]) -> NDArray[np.float64]:
        layer = np.full(len(hx), SIDE, np.float64)
        layer[(hz > tip_z + 0.15 * height) & (np.abs(hx - middle) < 0.8 * half)] = FRONT
        layer[(hz < tip_z - 0.08 * height) & (hy < annotation.chin + 0.75 * height)] = BACK
        return layer

    whole = hair(x, y, z)
    by_piece = np.where(face, FACE, np.where(neck, NECK, np.where(head_share > 0.5, whole, BODY)))
    out = by_piece[piece].astype(np.float32)
    cut = (wide & ~face & ~neck & (head_share > 0.5))[piece]
    place = p[cut].astype(np.float64)
    out[cut] = hair(place[:, 0], place[:, 1], place[:, 2])
    if not (face & (high - low > 0.35 * height) & (right - left > half)).any():  # skin and hair are one piece
        near = (p[:, 2] > tip_z + 0.1 * height) & (p[:, 1] < annotation.chin + 0.5 * height)
        out[cut & near & (np.abs(p[:, 0] - middle) < 1.1 * half)] = FACE
    out[(out == FACE) & ~on_head] = NECK  # heads and necks are often one piece
    bone = anatomy.bones["neck"]
    if bone >= 0:
        weight = np.where(model.skin_bones[rows] == bone, model.skin_weights[rows], 0).sum(1)
        out[(out == BODY) & (weight > 0.5) & (np.abs(p[:, 0] - middle) < 0.6 * half)] = NECK
    return out


def pieces(positions: F32, triangles: NDArray[np.int32], near: float) -> NDArray[np.int64]:
    """(N,) numbers of connected pieces; vertices at one place (but for `near`) are connected."""
    _, place = np.unique(np.round(positions / near).astype(np.int64), axis=0, return_inverse=True)
    place = place.reshape(-1)
    edges = place[triangles[:, [0, 1, 1, 2]]].reshape(-1, 2)
    root = np.arange(int(place.max()) + 1)
    while True:
        a, b = root[edges[:, 0]], root[edges[:, 1]]
        lower = np.minimum(a, b)
        before = root.copy()
        np.minimum.at(root, a, lower)
        np.minimum.at(root, b, lower)
        while True:
            further = root[root]
            if (further == root).all():
                break
            root = further
        if (root == before).all():
            break
    return np.asarray(np.unique(root[place], return_inverse=True)[1].reshape(-1))


def follows(found: Study, rows: NDArray[np.int64]) -> F32:
    """(len(rows), 2) how far each vertex follows the neck's root and its tip: its weights on what hangs there."""
    out = np.zeros((len(rows), 2), np.float32)
    if found.anatomy is None:
        return out
    model, bones = found.model, found.anatomy.bones
    for column, bone in enumerate((bones["neck"] if bones["neck"] >= 0 else bones["head"], bones["head"])):
        hangs = below(model, bone)
        out[:, column] = np.where(hangs[model.skin_bones[rows]], model.skin_weights[rows], 0).sum(1)
    return out
