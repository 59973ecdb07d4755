"""What a model does in a pose of its bones and morphs: numbers in, positions and normals out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.model import DUAL_QUATERNION, SPHERICAL, Model, parents_first
from puppeteer.pose import F32

Quaternion = F32  # (4,) x, y, z, w
STILL = np.array([0, 0, 0, 1], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """Weights of morphs by index; turns and shifts of bones by index, about our axes."""

    morphs: Mapping[int, float] = field(default_factory=dict)
    turns: Mapping[int, Quaternion] = field(default_factory=dict)
    shifts: Mapping[int, F32] = field(default_factory=dict)


def turn(axis: tuple[float, float, float], radians: float) -> Quaternion:
    """A rotation about an axis of length 1, counter-clockwise where the axis points at the viewer."""
    s = np.sin(radians / 2)
    return np.array([axis[0] * s, axis[1] * s, axis[2] * s, np.cos(radians / 2)], np.float32)


def product(a: Quaternion, b: Quaternion) -> Quaternion:
    """b first, then a."""
    ax, ay, az, aw = (float(v) for v in a)
    bx, by, bz, bw = (float(v) for v in b)
    return np.array(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        np.float32,
    )


def rotated(q: Quaternion, v: F32) -> F32:
    """(3,) a place turned; for one, this is many times as fast as by `matrices`."""
    x, y, z, w = q.tolist()
    a, b, c = v.tolist()
    s, t, u = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    turned = (a + w * s + y * u - z * t, b + w * t + z * s - x * u, c + w * u + x * t - y * s)
    return np.array(turned, np.float32)


def slerp(a: Quaternion, b: Quaternion, t: float) -> Quaternion:
    """The turn on the shorter way from a (0) to b (1); goes on beyond where t does."""
    dot = float(a @ b)
    if dot < 0:
        b, dot = -b, -dot
    if dot > 0.9995:
        out = a + (b - a) * t
    else:
        angle = np.arccos(dot)
        out = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return np.asarray(out / max(float(np.linalg.norm(out)), 1e-9), np.float32)


def matrices(quaternions: F32) -> F32:
    """(..., 4) of length 1 to rotations (..., 3, 3)."""
    x, y, z, w = np.moveaxis(quaternions, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2).astype(np.float32)


def resolved(model: Model, weights: Mapping[int, float]) -> dict[int, float]:
    """Weights of what groups stand for, groups left out; VRM's binary ones are on or off."""
    out: dict[int, float] = {}
    pending = [(index, float(weight)) for index, weight in weights.items() if weight]
    budget = 100_000  # groups of groups can name a morph very often
    while pending and budget > 0:
        budget -= 1
        index, weight = pending.pop()
        morph = model.morphs[index]
        if morph.binary:
            weight = 1.0 if weight > 0.5 else 0.0
        if morph.flip:
            if morph.group and weight > 0:
                member, share = morph.group[min(int(weight * len(morph.group)), len(morph.group) - 1)]
                pending.append((member, share))
        elif morph.group:
            pending += [(member, weight * share) for member, share in morph.group]
        if not morph.flip:
            out[index] = out.get(index, 0.0) + weight
    return out


def morphed(model: Model, weights: Mapping[int, float]) -> F32:
    """(V, 3) positions with the vertex morphs of resolved weights; the model's own array where none moves any."""
    positions = model.positions
    for index, weight in weights.items():
        morph = model.morphs[index]
        if weight and morph.vertices.size:
            if positions is model.positions:
                positions = positions.copy()
            np.add.at(positions, morph.vertices, morph.offsets * np.float32(weight))
    return positions


def morphed_uvs(model: Model, weights: Mapping[int, float]) -> F32:
    """(V, 2) texture coordinates; the model's own array where no morph moves any."""
    uvs = model.uvs
    for index, weight in weights.items():
        morph = model.morphs[index]
        if weight and morph.uv_vertices.size:
            if uvs is model.uvs:
                uvs = uvs.copy()
            np.add.at(uvs, morph.uv_vertices, morph.uv_offsets * np.float32(weight))
    return uvs


class Skeleton:
    """The bones of a model in the order in which they are set."""

    def __init__(self, model: Model) -> None:
        self.model = model
        bones = model.bones
        self._order = parents_first([bone.parent for bone in bones])
        self._deform = sorted(range(len(bones)), key=lambda i: (bones[i].after_physics, bones[i].layer, i))
        self._appended = [i for i in self._deform if bones[i].append_parent >= 0]
        self.places = np.array([bone.position for bone in bones], np.float32)
        parents = np.array([bone.parent for bone in bones])
        self._steps = np.where(parents[:, None] >= 0, self.places - self.places[parents], self.places)

    def pose(self, posture: Posture, weights: Mapping[int, float]) -> tuple[F32, F32]:
        """Where bones carry what hangs on them: rotations as quaternions (B, 4), shifts (B, 3): p -> R p + shift."""
        bones = self.model.bones
        turns: dict[int, Quaternion] = dict(posture.turns)
        shifts: dict[int, F32] = {i: np.asarray(s, np.float32) for i, s in posture.shifts.items()}
        for index, weight in weights.items():
            for bone, shift, rotation in self.model.morphs[index].bones:
                part = slerp(STILL, np.array(rotation, np.float32), weight)
                turns[bone] = product(part, turns.get(bone, STILL))
                shifts[bone] = shifts.get(bone, np.zeros(3, np.float32)) + np.array(shift, np.float32) * weight
        if turns or shifts:
            self._append(turns, shifts)
        rotations = np.tile(STILL, (len(bones), 1))
        origins = self.places.copy()
        moved = np.zeros(len(bones), bool)
        for i in self._order:
            parent = bones[i].parent
            own = i in turns or i in shifts
            if not own and (parent < 0 or not moved[parent]):
                continue
            moved[i] = True
            step = self._steps[i] + shifts[i] if i in shifts else self._steps[i]
            if parent >= 0 and moved[parent]:
                rotations[i] = rotations[parent]
                origins[i] = origins[parent] + rotated(rotations[parent], step)
            else:
                origins[i] = (self.places[parent] if parent >= 0 else 0) + step
            if i in turns:
                rotations[i] = product(rotations[i], turns[i])
        shift = origins - np.einsum("bij,bj->bi", matrices(rotations), self.places)
        return rotations, np.where(moved[:, None], shift, 0).astype(np.float32)

    def _append(self, turns: dict[int, Quaternion], shifts: dict[int, F32]) -> None:
        """Bones that follow another one's turn or shift by a ratio, in the order of the file's layers."""
        bones = self.model.bones
        for i in self._appended:
            bone = bones[i]
            leader = bone.append_parent
            if bone.append_rotation:
                rotation = self._chain(leader, turns) if bone.append_local else turns.get(leader)
                if rotation is not None:
                    followed = slerp(STILL, rotation, bone.append_ratio)
                    turns[i] = product(turns.get(i, STILL), followed)
            if bone.append_translation and leader in shifts:
                shifts[i] = shifts.get(i, np.zeros(3, np.float32)) + shifts[leader] * np.float32(bone.append_ratio)

    def _chain(self, bone: int, turns: Mapping[int, Quaternion]) -> Quaternion:
        """The whole turn of a bone against rest, its parents' included."""
        out = STILL
        while bone >= 0:
            if bone in turns:
                out = product(turns[bone], out)
            bone = self.model.bones[bone].parent
        return out


class Skin:
    """The vertices of a model, or some of them, on its bones."""

    def __init__(self, model: Model, rows: NDArray[np.int64] | None = None) -> None:
        every = np.arange(len(model.positions)) if rows is None else rows
        self.rows = every
        bones, weights, method = model.skin_bones[every], model.skin_weights[every], model.skin_method[every]
        order = np.argsort(-weights, axis=1, kind="stable")
        bones, weights = np.take_along_axis(bones, order, 1), np.take_along_axis(weights, order, 1)
        linear = (method != SPHERICAL) & (method != DUAL_QUATERNION)
        single = weights[:, 0] > 0.999
        self._groups = []
        for width, rule in ((1, linear & single), (2, linear & ~single & (weights[:, 2] < 1e-3)), (4, None)):
            mask = linear & ~single & (weights[:, 2] >= 1e-3) if rule is None else rule
            at = np.flatnonzero(mask)
            if at.size:
                self._groups.append((at, bones[at, :width], weights[at, :width]))
        self._spherical = np.flatnonzero(method == SPHERICAL)
        self._dual = np.flatnonzero(method == DUAL_QUATERNION)
        self._bones, self._weights = model.skin_bones[every], model.skin_weights[every]
        self._points = model.spherical[every] if self._spherical.size else model.spherical

    def apply(self, positions: F32, normals: F32, rotations: F32, shifts: F32) -> tuple[F32, F32]:
        """(N, 3) positions and normals of the skin's vertices where bones have rotations (B, 4) and shifts (B, 3)."""
        turned = matrices(rotations)
        affine = np.concatenate([turned, shifts[:, :, None]], 2).reshape(-1, 12)
        out, facing = positions.copy(), normals.copy()
        still = np.abs(affine - np.eye(3, 4, dtype=np.float32).reshape(12)).max(1) <= 1e-7
        for at, bones, weights in self._groups:
            moving = ~still[bones].all(1)
            if not moving.any():
                continue
            rows = at[moving]
            blended = affine[bones[moving, 0]]
            if bones.shape[1] > 1:
                blended = blended * weights[moving, :1]
                for k in range(1, bones.shape[1]):
                    blended += affine[bones[moving, k]] * weights[moving, k : k + 1]
                blended /= np.maximum(weights[moving].sum(1, keepdims=True), 1e-6)
            m = blended.reshape(-1, 3, 4)
            p, n = positions[rows], normals[rows]
            out[rows] = np.einsum("vij,vj->vi", m[:, :, :3], p) + m[:, :, 3]
            facing[rows] = np.einsum("vij,vj->vi", m[:, :, :3], n)
        if self._spherical.size:
            self._sdef(out, facing, positions, normals, rotations, turned, shifts)
        if self._dual.size:
            self._qdef(out, facing, positions, normals, rotations, shifts)
        return out, facing

    def _sdef(
        self, out: F32, facing: F32, positions: F32, normals: F32, rotations: F32, turned: F32, shifts: F32
    ) -> None:
        """Spherical deformation: a vertex turns about its centre by the mean rotation; both bones carry the centre."""
        at = self._spherical
        first, second = self._bones[at, 0], self._bones[at, 1]
        w0, w1 = self._weights[at, :1], self._weights[at, 1:2]
        centre, r0, r1 = (self._points[at, k] for k in range(3))
        a, b = rotations[first], rotations[second]
        b = np.where((a * b).sum(1, keepdims=True) < 0, -b, b)
        dot = np.clip((a * b).sum(1, keepdims=True), -1, 1)
        angle = np.arccos(dot)
        sine = np.sin(angle)
        near = sine < 1e-4
        safe = np.where(near, 1, sine)
        q = np.where(near, w0 * a + w1 * b, (np.sin(w0 * angle) * a + np.sin(w1 * angle) * b) / safe)
        mean = matrices(q / np.linalg.norm(q, axis=1, keepdims=True))
        middle = r0 * w0 + r1 * w1
        near0, near1 = centre + (r0 - middle) / 2, centre + (r1 - middle) / 2
        moved0 = np.einsum("vij,vj->vi", turned[first], near0) + shifts[first]
        moved1 = np.einsum("vij,vj->vi", turned[second], near1) + shifts[second]
        out[at] = np.einsum("vij,vj->vi", mean, positions[at] - centre) + moved0 * w0 + moved1 * w1
        facing[at] = np.einsum("vij,vj->vi", mean, normals[at])

    def _qdef(self, out: F32, facing: F32, positions: F32, normals: F32, rotations: F32, shifts: F32) -> None:
        """Dual quaternion blending (Kavan et al. 2007): volume stays where joints twist."""
        at = self._dual
        bones, weights = self._bones[at], self._weights[at]
        real = rotations[bones]  # (N, 4, 4)
        t = shifts[bones]
        x, y, z, w = np.moveaxis(real, -1, 0)
        tx, ty, tz = np.moveaxis(t, -1, 0)
        dual = 0.5 * np.stack(
            [
                tx * w + ty * z - tz * y,
                -tx * z + ty * w + tz * x,
                tx * y - ty * x + tz * w,
                -tx * x - ty * y - tz * z,
            ],
            -1,
        )
        sign = np.where((real * real[:, :1]).sum(-1) < 0, -1, 1) * weights
        q, d = (real * sign[..., None]).sum(1), (dual * sign[..., None]).sum(1)
        length = np.maximum(np.linalg.norm(q, axis=1, keepdims=True), 1e-6)
        q, d = q / length, d / length
        qv, qw, dv, dw = q[:, :3], q[:, 3:], d[:, :3], d[:, 3:]
        shift = 2 * (qw * dv - dw * qv + np.cross(qv, dv))
        m = matrices(q)
        out[at] = np.einsum("vij,vj->vi", m, positions[at]) + shift
        facing[at] = np.einsum("vij,vj->vi", m, normals[at])
