"""Materials that a model shows on demand only. PMX hides them by an alpha of 0; PMD cannot say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.anatomy import Anatomy
from puppeteer.models3d.model import Model
from puppeteer.models3d.textures import decode

FLOATING = 4  # triangles: a mark in the air has no more
VEIL_NEAR = 0.02  # of the head's height: a veil lies on the face
VEIL_SHARE = 0.6  # of its vertices that do
DARK = 0.35


def hidden(model: Model, anatomy: Anatomy) -> list[int]:
    """Materials of a PMD that are veils over the face (a pale or shaded one) or marks that float before the head."""
    if model.format != "PMD":
        return []
    height, out = anatomy.height, []
    skins = [m for m in model.materials if m.diffuse[3] >= 1 and m.texture >= 0]
    for index, material in enumerate(model.materials):
        if material.edge_size > 0 or not 0 < material.diffuse[3] < 1 or material.texture < 0:
            continue
        rows = np.unique(model.triangles[material.first : material.first + material.count])
        if not len(rows) or not anatomy.on_head[rows].all():
            continue
        rgba = decode(model.textures[material.texture])
        if rgba is None or rgba[..., 3].min() == 255:
            continue
        if material.count <= FLOATING:
            out.append(index)
            continue
        size = np.array([rgba.shape[1], rgba.shape[0]])
        at = np.clip((np.mod(model.uvs[rows], 1.0) * size).astype(int), 0, size - 1)
        pixels = rgba[at[:, 1], at[:, 0]].astype(float) / 255
        shown = pixels[pixels[:, 3] > 0.1]
        if not len(shown) or shown[:, :3].mean() > DARK or (shown[:, 3] > 0.95).mean() > 0.5:
            continue
        under = np.concatenate([model.triangles[m.first : m.first + m.count].ravel() for m in skins] or [rows[:0]])
        under = np.unique(under[anatomy.on_head[under]])
        if len(under) and _near(model, rows, under, VEIL_NEAR * height) >= VEIL_SHARE:
            out.append(index)
    return out


def _near(model: Model, rows: NDArray[Any], others: NDArray[Any], reach: float) -> float:
    """Share of vertices that have one of the others within reach, by cells of that width."""

    def keys(cells: NDArray[np.int64]) -> NDArray[np.int64]:
        return (cells[:, 0] << 42) + (cells[:, 1] << 21) + cells[:, 2]

    cells = np.floor(model.positions[others] / reach).astype(np.int64)
    own = np.floor(model.positions[rows] / reach).astype(np.int64)
    known = np.unique(keys(cells))
    found = np.zeros(len(rows), bool)
    for x in (-1, 0, 1):
        for y in (-1, 0, 1):
            for z in (-1, 0, 1):
                found |= np.isin(keys(own + np.array([x, y, z])), known)
    return float(found.mean())


def without(model: Model, materials: list[int]) -> Model:
    """The model with these materials invisible, and a note of it."""
    if not materials:
        return model
    changed = tuple(
        replace(m, diffuse=(*m.diffuse[:3], 0.0)) if k in materials else m for k, m in enumerate(model.materials)
    )
    names = ", ".join(model.textures[model.materials[k].texture].name for k in materials)
    note = f"effects that a PMD cannot hide by itself are left out ({names})"
    return replace(model, materials=changed, notes=(*model.notes, note))
