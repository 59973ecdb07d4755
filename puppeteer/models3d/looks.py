"""Materials as they are in one pose: the file's own values with what material morphs add or multiply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from puppeteer.models3d.model import Material, MaterialChange, Model

AMBIENT_LIGHT = 154 / 255  # MikuMikuDance's light, which it multiplies diffuse colours with
Four = tuple[float, float, float, float]
_ONES: Four = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What a shader needs of one material."""

    base: Four  # colour and alpha that the texture is multiplied with
    specular: Four  # colour and power, power 0 for none
    texture: Four  # colour factor of the texture, and its share
    sphere: Four
    toon: Four
    edge: Four
    edge_size: float
    uv: Four  # scale, offset


def looks(model: Model, weights: Mapping[int, float]) -> list[Look]:
    """Every material's look under resolved morph weights."""
    changes: dict[int, list[tuple[MaterialChange, float]]] = {}
    shifts: dict[int, list[tuple[Four, float]]] = {}
    for index, weight in weights.items():
        for change in model.morphs[index].materials:
            targets = range(len(model.materials)) if change.material < 0 else (change.material,)
            for material in targets:
                changes.setdefault(material, []).append((change, weight))
        for material, transform in model.morphs[index].uv_transforms:
            shifts.setdefault(material, []).append((transform, weight))
    out = []
    for index, own in enumerate(model.materials):
        look = _plain(own, changes.get(index, []))
        for transform, weight in shifts.get(index, []):
            look = replace(look, uv=_sum(look.uv, transform, weight))
        out.append(look)
    return out


def _sum(a: Four, b: Four, weight: float) -> Four:
    w, x, y, z = (p + q * weight for p, q in zip(a, b, strict=True))
    return w, x, y, z


def _changed(value: Four, change: Four, add: bool, weight: float) -> Four:
    if add:
        return _sum(value, change, weight)
    w, x, y, z = (v * (1 + (c - 1) * weight) for v, c in zip(value, change, strict=True))
    return w, x, y, z


def _plain(material: Material, changes: list[tuple[MaterialChange, float]]) -> Look:
    diffuse, edge = material.diffuse, material.edge_colour
    ambient: Four = (*material.ambient, 0.0)
    specular: Four = (*material.specular, material.shininess)
    sphere_own: Four = _ONES if material.mtoon is None else (*material.mtoon.matcap, 1.0)
    texture, sphere, toon, size = _ONES, sphere_own, _ONES, material.edge_size
    for change, weight in changes:
        add = change.add
        diffuse = _changed(diffuse, change.diffuse, add, weight)
        ambient = _changed(ambient, (*change.ambient, 0.0), add, weight)
        specular = _changed(specular, change.specular, add, weight)
        edge = _changed(edge, change.edge_colour, add, weight)
        texture = _changed(texture, change.texture, add, weight)
        sphere = _changed(sphere, change.sphere, add, weight)
        toon = _changed(toon, change.toon, add, weight)
        size = size + change.edge_size * weight if add else size * (1 + (change.edge_size - 1) * weight)
    if material.mtoon is None:
        r, g, b = (min(max(d * AMBIENT_LIGHT + a, 0.0), 1.0) for d, a in zip(diffuse[:3], ambient[:3], strict=True))
    else:
        r, g, b = (min(max(d, 0.0), 1.0) for d in diffuse[:3])
    alpha = min(max(diffuse[3], 0.0), 1.0)
    shown = any(specular[:3]) and specular[3] > 0
    return Look(
        (r, g, b, alpha),
        specular if shown else (0.0, 0.0, 0.0, 0.0),
        texture,
        sphere,
        toon,
        (edge[0], edge[1], edge[2], min(max(edge[3], 0.0), 1.0) * min(alpha * 4, 1.0)),
        max(size, 0.0),
        material.uv_transform,
    )
