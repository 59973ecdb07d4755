"""PMX 2.0 and 2.1, the files of MikuMikuDance since 2011, read by their published layout.

The file is left-handed with the model facing -z: z is negated and every triangle turned round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.cursor import Cursor, finite
from puppeteer.models3d.model import (
    DUAL_QUATERNION,
    LINEAR,
    SPHERICAL,
    Bone,
    Colour,
    Material,
    MaterialChange,
    Model,
    Morph,
    Texture,
    checked,
)
from puppeteer.models3d.storage import Storage

FLIP_Z = np.array([1, 1, -1], np.float32)
_SIGNED = {1: "<i1", 2: "<i2", 4: "<i4"}
_UNSIGNED = {1: "<u1", 2: "<u2", 4: "<i4"}  # of vertices
_KINDS = {0: "group", 1: "vertex", 2: "bone", 3: "uv", 4: "uv1", 5: "uv2", 6: "uv3", 7: "uv4", 8: "material",
          9: "flip", 10: "impulse"}  # fmt: skip
_DOUBLE_SIDED, _EDGE = 0x01, 0x10  # flags of a material
_TAIL_BONE, _IK, _LOCAL_APPEND = 0x0001, 0x0020, 0x0080  # flags of a bone
_APPEND_ROTATION, _APPEND_TRANSLATION, _FIXED_AXIS, _LOCAL_AXES = 0x0100, 0x0200, 0x0400, 0x0800
_AFTER_PHYSICS, _OUTER_PARENT = 0x1000, 0x2000


class _Reader:
    def __init__(self, data: bytes, name: str) -> None:
        self.cursor = c = Cursor(data, name)
        if c.take(4) not in (b"PMX ", b"Pmx "):
            raise c.error("is no PMX file")
        self.version = c.f32()
        if not 1.99 < self.version < 2.11:
            raise c.error(f"is PMX {self.version:.1f}, and only 2.0 and 2.1 are known")
        count = c.u8()
        if count < 8:
            raise c.error("lacks what a PMX file begins with; it is damaged")
        values = c.take(count)
        self.encoding = "utf-8" if values[0] else "utf-16-le"
        self.extra_uvs = values[1]
        sizes = values[2:8]
        if self.extra_uvs > 4 or any(size not in _SIGNED for size in sizes):
            raise c.error("has sizes of numbers that no PMX file has; it is damaged")
        self.vertex, self.texture, self.material, self.bone, self.morph, self.body = sizes

    def text(self) -> str:
        c = self.cursor
        return c.take(c.count(1, "letters")).decode(self.encoding, "replace").strip("\0 \r\n")

    def index(self, size: int) -> int:
        return int(np.frombuffer(self.cursor.take(size), _SIGNED[size])[0])

    def vector(self) -> tuple[float, float, float]:
        """A place or direction in our axes."""
        x, y, z = (float(v) for v in finite(self.cursor.floats(3), self.cursor.name, "places"))
        return x, y, -z

    def colour(self) -> tuple[float, float, float, float]:
        r, g, b, a = (float(v) for v in finite(self.cursor.floats(4), self.cursor.name, "colours"))
        return r, g, b, a

    def colour3(self) -> Colour:
        r, g, b = (float(v) for v in finite(self.cursor.floats(3), self.cursor.name, "colours"))
        return r, g, b


def read_pmx(data: bytes, name: str, storage: Storage) -> Model:
    """Raises ModelError."""
    r = _Reader(data, name)
    c = r.cursor
    model_name, english = r.text(), r.text()
    r.text(), r.text()  # comments
    vertices = _vertices(r)
    corners = c.count(r.vertex, "corners of triangles")
    if corners % 3:
        raise c.error("has a triangle that is cut off; it is damaged")
    triangles = c.array(_UNSIGNED[r.vertex], corners).astype(np.int32).reshape(-1, 3)[:, ::-1]
    textures = tuple(_texture(r.text(), storage) for _ in range(c.count(4, "textures")))
    materials = _materials(r, len(triangles), len(textures))
    bones = tuple(_bone(r) for _ in range(c.count(30, "bones")))
    morphs = tuple(_morph(r, len(materials)) for _ in range(c.count(14, "morphs")))
    hanging = _physics(r, len(bones))
    notes = ["physics and IK stay at rest"] if hanging or any(bone.ik for bone in bones) else []
    if not bones:
        bones = (Bone("root", "root", (0.0, 0.0, 0.0)),)
    notes += [f"the texture {t.name} is missing" for t in textures if t.data is None]
    model = Model(
        format=f"PMX {r.version:.1f}",
        name=model_name,
        english=english,
        triangles=np.ascontiguousarray(triangles),
        materials=materials,
        textures=textures,
        bones=bones,
        morphs=morphs,
        hanging=hanging,
        notes=tuple(notes),
        **vertices,
    )
    return checked(model, name)


def _texture(name: str, storage: Storage) -> Texture:
    return Texture(name, storage.find(name) if name else None)


def _vertices(r: _Reader) -> dict[str, Any]:
    """The columns of `Model` that belong to vertices. Records differ in length: found first, read together then."""
    c = r.cursor
    head = 32 + 16 * r.extra_uvs
    count = c.count(head + 1 + r.bone + 4, "vertices")
    bone = r.bone
    lengths = {0: bone, 1: 2 * bone + 4, 2: 4 * bone + 16, 3: 2 * bone + 40, 4: 4 * bone + 16}
    starts = np.empty(count, np.int64)
    data, at, end = c.data, c.at, len(c.data)
    for i in range(count):
        starts[i] = at
        at += head
        length = lengths.get(data[at]) if at < end else None
        if length is None or at + 1 + length + 4 > end:
            raise c.error("has a vertex that is damaged or cut off")
        at += 1 + length + 4
    c.at = at
    raw = np.frombuffer(data, np.uint8)

    def column(rows: NDArray[np.int64], offset: int, dtype: str, width: int) -> NDArray[np.generic]:
        size = np.dtype(dtype).itemsize * width
        picked = raw[(starts[rows] + offset)[:, None] + np.arange(size)]
        return np.ascontiguousarray(picked).view(dtype).reshape(len(rows), width)

    everyone = np.arange(count)
    fixed = finite(np.asarray(column(everyone, 0, "<f4", 8), np.float32), c.name, "vertices")
    kinds = raw[starts + head] if count else np.zeros(0, np.uint8)
    tails = np.array([head + 1 + lengths[k] for k in range(5)])[kinds]
    bones = np.zeros((count, 4), np.int32)
    weights = np.zeros((count, 4), np.float32)
    spherical = np.zeros((count if (kinds == 3).any() else 0, 3, 3), np.float32)
    edge = np.empty(count, np.float32)
    for kind in range(5):
        rows = np.flatnonzero(kinds == kind)
        if not rows.size:
            continue
        number = {0: 1, 1: 2, 2: 4, 3: 2, 4: 4}[kind]
        at = head + 1
        bones[rows, :number] = column(rows, at, _SIGNED[bone], number)
        at += number * bone
        if kind == 0:
            weights[rows, 0] = 1
        elif number == 2:
            first = column(rows, at, "<f4", 1)[:, 0]
            with np.errstate(invalid="ignore"):
                weights[rows, 0], weights[rows, 1] = first, 1 - np.asarray(first, np.float32)
        else:
            weights[rows] = column(rows, at, "<f4", 4)
        if kind == 3:
            points = finite(np.asarray(column(rows, at + 4, "<f4", 9), np.float32), c.name, "vertices")
            spherical[rows] = points.reshape(-1, 3, 3) * FLIP_Z
        edge[rows] = column(rows, int(tails[rows[0]]), "<f4", 1)[:, 0]
    methods = np.array([LINEAR, LINEAR, LINEAR, SPHERICAL, DUAL_QUATERNION], np.uint8)[kinds]
    bones, weights = settled(bones, weights)
    return {
        "positions": fixed[:, :3] * FLIP_Z,
        "normals": fixed[:, 3:6] * FLIP_Z,
        "uvs": np.ascontiguousarray(fixed[:, 6:8]),
        "edge_scale": np.clip(np.nan_to_num(edge), 0, 10),
        "skin_bones": bones,
        "skin_weights": weights,
        "skin_method": methods,
        "spherical": spherical,
    }


def settled(bones: NDArray[np.int32], weights: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Weights of sum 1 with none on the bone -1; what hangs on nothing hangs on bone 0."""
    with np.errstate(invalid="ignore"):  # signalling NaN
        weights = np.clip(np.nan_to_num(weights, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    weights = np.where(bones < 0, 0, weights).astype(np.float32)
    bones = np.maximum(bones, 0)
    total = weights.sum(1, keepdims=True)
    weights[total[:, 0] < 1e-6, 0] = 1
    return bones, weights / np.maximum(weights.sum(1, keepdims=True), 1e-6)


def _materials(r: _Reader, triangles: int, textures: int) -> tuple[Material, ...]:
    c = r.cursor
    out, first = [], 0
    for _ in range(c.count(60, "materials")):
        name = r.text()
        r.text()
        diffuse, specular, shininess, ambient = r.colour(), r.colour3(), c.f32(), r.colour3()
        flags, edge_colour, edge_size = c.u8(), r.colour(), c.f32()
        texture, sphere, mode = r.index(r.texture), r.index(r.texture), c.u8()
        shared = c.u8()
        toon = c.u8() if shared else r.index(r.texture)
        r.text()
        corners = c.i32()
        if corners < 0 or corners % 3 or first + corners // 3 > triangles:
            raise c.error("has a material of triangles that it does not hold; it is damaged")
        out.append(
            Material(
                name,
                first,
                corners // 3,
                diffuse,
                ambient,
                specular,
                shininess if 0 <= shininess < 1e4 else 0.0,
                bool(flags & _DOUBLE_SIDED),
                texture if -1 < texture < textures else -1,
                sphere if -1 < sphere < textures else -1,
                mode if mode <= 3 else 0,
                -1 if shared else (toon if -1 < toon < textures else -1),
                toon if shared and toon < 10 else -1,
                edge_colour,
                min(max(edge_size, 0.0), 10.0) if flags & _EDGE and edge_size == edge_size else 0.0,
            )
        )
        first += corners // 3
    return tuple(out)


def _bone(r: _Reader) -> Bone:
    c = r.cursor
    name, english = r.text(), r.text()
    position, parent, layer = r.vector(), r.index(r.bone), c.i32()
    (flags,) = c.unpack("H")
    if flags & _TAIL_BONE:
        r.index(r.bone)
    else:
        r.vector()
    append, ratio = -1, 0.0
    if flags & (_APPEND_ROTATION | _APPEND_TRANSLATION):
        append, ratio = r.index(r.bone), c.f32()
    fixed = r.vector() if flags & _FIXED_AXIS else None
    axes = (r.vector(), r.vector()) if flags & _LOCAL_AXES else None
    if flags & _OUTER_PARENT:
        c.i32()
    if flags & _IK:
        r.index(r.bone), c.i32(), c.f32()
        for _ in range(c.count(r.bone + 1, "links of a chain")):
            r.index(r.bone)
            if c.u8():
                c.take(24)
    return Bone(
        name,
        english,
        position,
        max(parent, -1),
        layer,
        bool(flags & _AFTER_PHYSICS),
        max(append, -1),
        ratio if abs(ratio) < 100 else 0.0,
        bool(flags & _APPEND_ROTATION),
        bool(flags & _APPEND_TRANSLATION),
        bool(flags & _LOCAL_APPEND),
        fixed,
        axes,
        bool(flags & _IK),
    )


def _morph(r: _Reader, materials: int) -> Morph:
    c = r.cursor
    name, english = r.text(), r.text()
    panel, kind = c.u8(), c.u8()
    label = _KINDS.get(kind)
    if label is None:
        raise c.error(f"has a morph ({name!r}) of a kind that no PMX file has; it is damaged")
    vertex, f4 = _UNSIGNED[r.vertex], "<f4"
    if kind == 1:
        rows = c.array([("i", vertex), ("v", f4, 3)], c.count(r.vertex + 12, "parts of a morph"))
        offsets = finite(rows["v"].astype(np.float32), c.name, "morphs") * FLIP_Z
        return Morph(name, english, panel, label, rows["i"].astype(np.int32), offsets)
    if 3 <= kind <= 7:
        rows = c.array([("i", vertex), ("v", f4, 4)], c.count(r.vertex + 16, "parts of a morph"))
        if kind > 3:  # further coordinates, which nothing here paints with
            return Morph(name, english, panel, label)
        offsets = finite(np.ascontiguousarray(rows["v"][:, :2], np.float32), c.name, "morphs")
        return Morph(name, english, panel, label, uv_vertices=rows["i"].astype(np.int32), uv_offsets=offsets)
    if kind in (0, 9):
        rows = c.array([("i", _SIGNED[r.morph]), ("w", f4)], c.count(r.morph + 4, "parts of a morph"))
        weights = finite(rows["w"].astype(np.float32), c.name, "morphs")
        group = tuple((int(i), float(w)) for i, w in zip(rows["i"], weights, strict=True) if i >= 0)
        return Morph(name, english, panel, label, group=group, flip=kind == 9)
    if kind == 2:
        bones = []
        for _ in range(c.count(r.bone + 28, "parts of a morph")):
            bone, shift = r.index(r.bone), r.vector()
            x, y, z, w = (float(v) for v in finite(c.floats(4), c.name, "morphs"))
            bones.append((bone, shift, (-x, -y, z, w)))
        return Morph(name, english, panel, label, bones=tuple(b for b in bones if b[0] >= 0))
    if kind == 8:
        changes = []
        for _ in range(c.count(r.material + 113, "parts of a morph")):
            material, adds = r.index(r.material), c.u8() == 1
            diffuse, specular, ambient, edge = r.colour(), r.colour(), r.colour3(), r.colour()
            size = float(finite(c.floats(1), c.name, "morphs")[0])
            change = MaterialChange(
                material, adds, diffuse, specular, ambient, edge, size, r.colour(), r.colour(), r.colour()
            )
            if material < materials:
                changes.append(change)
        return Morph(name, english, panel, label, materials=tuple(changes))
    for _ in range(c.count(r.body + 25, "parts of a morph")):  # impulse, which only physics feels
        c.take(r.body + 25)
    return Morph(name, english, panel, label)


def _physics(r: _Reader, bones: int) -> frozenset[int]:
    """Bones that physics would move. Old files may end before it."""
    c = r.cursor
    hanging = set()
    if c.left() < 4:
        return frozenset()
    for _ in range(c.count(9, "groups of the display")):
        r.text(), r.text(), c.u8()
        for _ in range(c.count(2, "entries of the display")):
            r.index(r.morph if c.u8() else r.bone)
    for _ in range(c.count(69, "rigid bodies")):
        r.text(), r.text()
        bone = r.index(r.bone)
        c.take(1 + 2 + 1 + 36 + 20)
        if c.u8() in (1, 2) and 0 <= bone < bones:
            hanging.add(bone)
    return frozenset(hanging)
