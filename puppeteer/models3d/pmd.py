"""PMD, the first format of MikuMikuDance: names in Shift-JIS of fixed length, two bones a vertex, left-handed."""

from __future__ import annotations

from typing import Any

import numpy as np

from puppeteer.models3d.cursor import Cursor, finite
from puppeteer.models3d.model import (
    LINEAR,
    OTHER,
    SPHERE_ADD,
    SPHERE_MULTIPLY,
    SPHERE_OFF,
    Bone,
    Material,
    Model,
    Morph,
    Texture,
    checked,
)
from puppeteer.models3d.pmx import FLIP_Z, settled
from puppeteer.models3d.storage import Storage

_VERTEX = np.dtype([("p", "<f4", 3), ("n", "<f4", 3), ("uv", "<f4", 2), ("b", "<u2", 2), ("w", "u1"), ("edge", "u1")])
_MATERIAL = np.dtype(
    [("diffuse", "<f4", 4), ("shine", "<f4"), ("specular", "<f4", 3), ("ambient", "<f4", 3), ("toon", "u1"),
     ("edge", "u1"), ("corners", "<u4"), ("texture", "S20")]
)  # fmt: skip
_BONE = np.dtype([("name", "S20"), ("parent", "<u2"), ("tail", "<u2"), ("kind", "u1"), ("ik", "<u2"), ("p", "<f4", 3)])
_IK, _ROTATES_WITH, _FOLLOWS_ROTATION = 2, 5, 9  # kinds of bones
_NONE = 0xFFFF


def text(raw: bytes) -> str:
    """A name of fixed length: it ends at the first zero byte, and may be cut inside a letter."""
    return raw.split(b"\0")[0].decode("cp932", "replace").rstrip("\ufffd ")


def read_pmd(data: bytes, name: str, storage: Storage) -> Model:
    """Raises ModelError."""
    c = Cursor(data, name)
    if c.take(3) != b"Pmd":
        raise c.error("is no PMD file")
    version = c.f32()
    if not 0.9 < version < 1.1:
        raise c.error(f"is PMD {version:.1f}, and only 1.0 is known")
    model_name = text(c.take(20))
    c.take(256)  # comment
    v = c.array(_VERTEX, c.count(_VERTEX.itemsize, "vertices", "I"))
    corners = c.count(2, "corners of triangles", "I")
    triangles = c.array("<u2", corners // 3 * 3).astype(np.int32).reshape(-1, 3)[:, ::-1]
    c.take(2 * (corners % 3))
    rows = c.array(_MATERIAL, c.count(_MATERIAL.itemsize, "materials", "I"))
    bone_rows = c.array(_BONE, c.count(_BONE.itemsize, "bones", "H"))
    for _ in range(c.count(11, "chains", "H")):
        c.take(4)
        links = c.u8()
        c.take(6 + 2 * links)
    morphs = _morphs(c)
    toons, english, hanging = _rest(c, len(bone_rows), len(morphs))
    materials, textures = _materials(rows, len(triangles), toons, storage, c)
    places = finite(np.asarray(bone_rows["p"], np.float32), name, "bones") * FLIP_Z
    bones = tuple(_bone(row, tuple(map(float, place))) for row, place in zip(bone_rows, places, strict=True))
    weight = v["w"].astype(np.float32) / 100
    count = len(v)
    skin_bones, skin_weights = np.zeros((count, 4), np.int32), np.zeros((count, 4), np.float32)
    skin_bones[:, :2] = v["b"].astype(np.int32)
    skin_weights[:, 0], skin_weights[:, 1] = weight, 1 - weight
    skin_bones[skin_weights == 0] = 0  # the second bone of a vertex that has one only
    skin_bones, skin_weights = settled(skin_bones, skin_weights)
    notes = ["physics and IK stay at rest"] if hanging or any(bone.ik for bone in bones) else []
    notes += [f"the texture {t.name} is missing" for t in textures if t.data is None]
    model = Model(
        format="PMD",
        name=model_name,
        english=english,
        positions=finite(v["p"].astype(np.float32), name, "vertices") * FLIP_Z,
        normals=finite(v["n"].astype(np.float32), name, "normals") * FLIP_Z,
        uvs=finite(v["uv"].astype(np.float32), name, "texture coordinates"),
        edge_scale=(v["edge"] == 0).astype(np.float32),
        skin_bones=skin_bones,
        skin_weights=skin_weights,
        skin_method=np.full(count, LINEAR, np.uint8),
        spherical=np.zeros((0, 3, 3), np.float32),
        triangles=np.ascontiguousarray(triangles),
        materials=materials,
        textures=textures,
        bones=bones or (Bone("root", "root", (0.0, 0.0, 0.0)),),
        morphs=morphs,
        hanging=hanging,
        notes=tuple(notes),
    )
    return checked(model, name)


def _bone(row: Any, place: tuple[float, ...]) -> Bone:
    name = text(bytes(row["name"]))
    parent, kind, other = int(row["parent"]), int(row["kind"]), int(row["ik"])
    append, ratio = -1, 0.0
    if kind == _ROTATES_WITH and other != _NONE:
        append, ratio = other, 1.0
    elif kind == _FOLLOWS_ROTATION and int(row["tail"]) != _NONE:
        append, ratio = int(row["tail"]), other / 100  # here the number is a percentage
    return Bone(
        name,
        "",
        (place[0], place[1], place[2]),
        -1 if parent == _NONE else parent,
        append_parent=append,
        append_ratio=ratio if ratio <= 100 else 0.0,
        append_rotation=append >= 0,
        ik=kind == _IK,
    )


def _morphs(c: Cursor) -> tuple[Morph, ...]:
    """Morph 0 lists the vertices that move; the others index into its list."""
    out: list[Morph] = []
    base = None
    for _ in range(c.count(25, "morphs", "H")):
        name = text(c.take(20))
        number = c.count(16, "parts of a morph", "I")
        panel = c.u8()
        rows = c.array([("i", "<u4"), ("v", "<f4", 3)], number)
        if panel == 0:
            base = rows["i"]
            continue
        if base is None or (number and rows["i"].max() >= len(base)):
            raise c.error(f"has a morph ({name!r}) of vertices that it does not list; it is damaged")
        vertices = base[rows["i"]]
        if number and vertices.max() > 2**31 - 1:
            raise c.error(f"has a morph ({name!r}) of vertices that it does not hold; it is damaged")
        offsets = finite(rows["v"].astype(np.float32), c.name, "morphs") * FLIP_Z
        out.append(Morph(name, "", panel if panel <= OTHER else OTHER, "vertex", vertices.astype(np.int32), offsets))
    return tuple(out)


def _rest(c: Cursor, bones: int, morphs: int) -> tuple[list[str], str, frozenset[int]]:
    """What later versions added and a file may lack: toon textures, English name, bones that physics moves."""
    toons = [f"toon{i + 1:02d}.bmp" for i in range(10)]
    if not c.left():
        return toons, "", frozenset()
    c.take(2 * c.u8())
    frames = c.u8()
    c.take(50 * frames)
    c.take(3 * c.count(3, "entries of the display", "I"))
    english = ""
    if not c.left():
        return toons, english, frozenset()
    if c.u8():
        english = text(c.take(20))
        c.take(256 + 20 * bones + 20 * morphs + 50 * frames)
    if not c.left():
        return toons, english, frozenset()
    toons = [text(c.take(100)) for _ in range(10)]
    hanging = set()
    if c.left() >= 4:
        for _ in range(c.count(83, "rigid bodies", "I")):
            c.take(20)
            (bone,) = c.unpack("H")
            c.take(3 + 1 + 36 + 20)
            kind = c.u8()
            if kind in (1, 2) and bone < bones:
                hanging.add(bone)
    return toons, english, frozenset(hanging)


def _materials(
    rows: Any, triangles: int, toons: list[str], storage: Storage, c: Cursor
) -> tuple[tuple[Material, ...], tuple[Texture, ...]]:
    textures: list[Texture] = []
    known: dict[str, int] = {}

    def texture(file: str) -> int:
        if not file:
            return -1
        if file not in known:
            known[file] = len(textures)
            textures.append(Texture(file, storage.find(file)))
        return known[file]

    out, first = [], 0
    for number, row in enumerate(rows):
        if first + int(row["corners"]) // 3 > triangles:
            raise c.error("has a material of triangles that it does not hold; it is damaged")
        main, sphere, mode = "", "", SPHERE_OFF
        for file in text(bytes(row["texture"])).split("*"):
            kind = file.lower()[-4:]
            if kind == ".sph":
                sphere, mode = file, SPHERE_MULTIPLY
            elif kind == ".spa":
                sphere, mode = file, SPHERE_ADD
            else:
                main = main or file
        toon, shared = -1, -1
        if int(row["toon"]) < 10:
            file = toons[int(row["toon"])]
            standard = file.lower()[4:6] if file.lower().startswith("toon") else ""
            if standard.isdigit() and 1 <= int(standard) <= 10 and storage.find(file) is None:
                shared = int(standard) - 1
            else:
                toon = texture(file)
        numbers = [*row["diffuse"], row["shine"], *row["specular"], *row["ambient"]]
        r, g, b, a, shine, sr, sg, sb, ar, ag, ab = (
            float(x) for x in finite(np.array(numbers, np.float32), c.name, "colours")
        )
        out.append(
            Material(
                f"material {number + 1}",
                first,
                int(row["corners"]) // 3,
                (r, g, b, a),
                (ar, ag, ab),
                (sr, sg, sb),
                shine,
                a < 1,
                texture(main),
                texture(sphere),
                mode,
                toon,
                shared,
                edge_size=1.0 if row["edge"] else 0.0,
            )
        )
        first += int(row["corners"]) // 3
    return tuple(out), tuple(textures)
