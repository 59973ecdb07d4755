"""Tiny 3D models, written by code: a head with two eyes and a mouth of quads, in every format that is read."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

import numpy as np

WINK_LEFT, WINK_RIGHT, BLINK, OPEN = "wink_a", "wink_b", "blink", "a"


@dataclass
class Doll:
    """Vertices in our axes (faces +z, its left at +x), quads, bone of each vertex, and morphs as offsets."""

    positions: np.ndarray
    quads: np.ndarray
    bone: np.ndarray
    morphs: dict[str, dict[int, tuple[float, float, float]]]
    bones: list[tuple[str, tuple[float, float, float], int]]


def doll(names: tuple[str, str, str, str] = (WINK_LEFT, WINK_RIGHT, BLINK, OPEN)) -> Doll:
    """A head of height 2 over a body; eyes at +-0.3, 1.0 above the chin; the mouth 0.3 above it."""
    positions: list[tuple[float, float, float]] = []
    quads: list[tuple[int, int, int, int]] = []
    bone: list[int] = []

    def grid(x0: float, x1: float, y0: float, y1: float, z: float, on: int, nx: int = 4, ny: int = 4) -> np.ndarray:
        first = len(positions)
        for j in range(ny + 1):
            for i in range(nx + 1):
                positions.append((x0 + (x1 - x0) * i / nx, y0 + (y1 - y0) * j / ny, z))
                bone.append(on)
        for j in range(ny):
            for i in range(nx):
                a = first + j * (nx + 1) + i
                quads.append((a, a + 1, a + nx + 2, a + nx + 1))
        return np.arange(first, len(positions)).reshape(ny + 1, nx + 1)

    grid(-1.2, 1.2, 5, 9.5, -0.2, 0)  # body
    grid(-0.3, 0.3, 9.3, 10.2, -0.1, 1)  # neck
    grid(-0.8, 0.8, 10, 12, 0, 2, 8, 8)  # head
    eyes = {
        side: grid(s * 0.3 - 0.15, s * 0.3 + 0.15, 10.85, 11.15, 0.1, 2) for side, s in (("left", 1), ("right", -1))
    }
    mouth = grid(-0.15, 0.15, 10.28, 10.32, 0.1, 2)
    left = {int(v): (0.0, -0.28 * row / 4, 0.0) for row in range(1, 5) for v in eyes["left"][row]}
    right = {int(v): (0.0, -0.28 * row / 4, 0.0) for row in range(1, 5) for v in eyes["right"][row]}
    opened = {int(v): (0.0, -0.25 * (4 - row) / 4, 0.0) for row in range(4) for v in mouth[row]}
    morphs = {names[0]: left, names[1]: right, names[2]: {**left, **right}, names[3]: opened}
    bones = [("body", (0.0, 5.0, 0.0), -1), ("neck", (0.0, 9.4, 0.0), 0), ("head", (0.0, 10.0, 0.0), 1)]
    return Doll(np.array(positions), np.array(quads), np.array(bone), morphs, bones)


def triangles(d: Doll) -> np.ndarray:
    """(T, 3), counter-clockwise from outside."""
    return np.concatenate([d.quads[:, [0, 1, 2]], d.quads[:, [0, 2, 3]]])


def pmx(d: Doll, version: float = 2.0, texture: str = "") -> bytes:
    """Eyes are in panel 2, the mouth in panel 3. With QDEF in version 2.1."""

    def text(s: str) -> bytes:
        raw = s.encode("utf-16-le")
        return struct.pack("<i", len(raw)) + raw

    out = b"PMX " + struct.pack("<f", version) + bytes([8, 0, 0, 2, 1, 1, 1, 1, 1])
    out += text("doll") + text("doll") + text("") + text("")
    out += struct.pack("<i", len(d.positions))
    for (x, y, z), bone in zip(d.positions, d.bone, strict=True):
        out += struct.pack("<8f", x, y, -z, 0, 0, -1, (x + 1) / 2, 1 - (y - 5) / 7)
        if version > 2:
            out += bytes([4, bone, 0, 0, 0]) + struct.pack("<4f", 1, 0, 0, 0)
        else:
            out += bytes([0, bone])
        out += struct.pack("<f", 1)
    t = triangles(d)[:, ::-1]
    out += struct.pack("<i", t.size) + t.astype("<u2").tobytes()
    out += struct.pack("<i", 1 if texture else 0) + (text(texture) if texture else b"")
    out += struct.pack("<i", 1) + text("skin") + text("skin")
    out += struct.pack("<4f3ff3f", 1, 0.8, 0.7, 1, 0, 0, 0, 0, 0.4, 0.4, 0.4) + bytes([1])
    out += struct.pack("<4ff", 0, 0, 0, 1, 1) + struct.pack("<bbB", 0 if texture else -1, -1, 0) + bytes([1, 0])
    out += text("") + struct.pack("<i", t.size)
    out += struct.pack("<i", len(d.bones))
    for name, (x, y, z), parent in d.bones:
        out += text(name) + text(name) + struct.pack("<3fbiH3f", x, y, -z, parent, 0, 2, 0, 1, 0)
    out += struct.pack("<i", len(d.morphs))
    for panel, (name, rows) in zip((2, 2, 2, 3), d.morphs.items(), strict=True):
        out += text(name) + text(name) + bytes([panel, 1]) + struct.pack("<i", len(rows))
        for vertex, (x, y, z) in rows.items():
            out += struct.pack("<H3f", vertex, x, y, -z)
    return out + struct.pack("<ii", 0, 0) + struct.pack("<i", 0)


def pmd(d: Doll, texture: str = "") -> bytes:
    def text(s: str, size: int) -> bytes:
        return s.encode("cp932")[:size].ljust(size, b"\0")

    out = b"Pmd" + struct.pack("<f", 1) + text("doll", 20) + bytes(256) + struct.pack("<I", len(d.positions))
    for (x, y, z), bone in zip(d.positions, d.bone, strict=True):
        out += struct.pack("<8f2HBB", x, y, -z, 0, 0, -1, (x + 1) / 2, 1 - (y - 5) / 7, bone, 0, 100, 0)
    t = triangles(d)[:, ::-1]
    out += struct.pack("<I", t.size) + t.astype("<u2").tobytes()
    out += struct.pack("<I4ff3f3fBBI", 1, 1, 0.8, 0.7, 1, 0, 0, 0, 0, 0.4, 0.4, 0.4, 255, 1, t.size) + text(texture, 20)
    out += struct.pack("<H", len(d.bones))
    for name, (x, y, z), parent in d.bones:
        out += text(name, 20) + struct.pack("<HHBH3f", parent & 0xFFFF, 0, 0, 0, x, y, -z)
    out += struct.pack("<H", 0)
    base = sorted({v for rows in d.morphs.values() for v in rows})
    out += struct.pack("<H", len(d.morphs) + 1) + text("base", 20) + struct.pack("<IB", len(base), 0)
    for v in base:
        out += struct.pack("<I3f", v, *d.positions[v])
    for panel, (name, rows) in zip((2, 2, 2, 3), d.morphs.items(), strict=True):
        out += text(name, 20) + struct.pack("<IB", len(rows), panel)
        for v, (x, y, z) in rows.items():
            out += struct.pack("<I3f", base.index(v), x, y, -z)
    return out


def vrm(d: Doll, old: bool) -> bytes:
    """VRM 0.x (faces -z, left at -x) or 1.0 (faces +z, left at +x)."""
    turn = np.array([-1, 1, -1]) if old else np.array([1, 1, 1])
    blob, views, accessors = b"", [], []

    def add(array: np.ndarray, kind: str, component: int) -> int:
        nonlocal blob
        raw = np.ascontiguousarray(array).tobytes()
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(raw)})
        blob += raw + bytes(-len(raw) % 4)
        accessors.append({"bufferView": len(views) - 1, "componentType": component, "count": len(array), "type": kind})
        return len(accessors) - 1

    count = len(d.positions)
    joints, weights = np.zeros((count, 4), np.uint8), np.zeros((count, 4), np.float32)
    joints[:, 0], weights[:, 0] = d.bone, 1
    normal = np.tile(np.float32([0, 0, 1]) * turn, (count, 1)).astype(np.float32)
    uv = np.stack([(d.positions[:, 0] + 1) / 2, 1 - (d.positions[:, 1] - 5) / 7], 1).astype(np.float32)
    attributes = {
        "POSITION": add((d.positions * turn).astype(np.float32), "VEC3", 5126), "NORMAL": add(normal, "VEC3", 5126),
        "TEXCOORD_0": add(uv, "VEC2", 5126), "JOINTS_0": add(joints, "VEC4", 5121),
        "WEIGHTS_0": add(weights, "VEC4", 5126),
    }  # fmt: skip
    targets = []
    for rows in d.morphs.values():
        offsets = np.zeros((count, 3), np.float32)
        for v, offset in rows.items():
            offsets[v] = np.array(offset) * turn
        targets.append({"POSITION": add(offsets, "VEC3", 5126)})
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(d.bones), 1, 1))
    nodes: list[dict[str, object]] = []
    for k, (name, place, parent) in enumerate(d.bones):
        at = np.array(place) * turn
        inverse[k, 3, :3] = -at  # column by column
        above = np.array(d.bones[parent][1]) * turn if parent >= 0 else 0
        children = [i for i, b in enumerate(d.bones) if b[2] == k]
        nodes.append({"name": name, "translation": (at - above).tolist(), "children": children})
    nodes.append({"mesh": 0, "skin": 0})
    indices = add(triangles(d).astype(np.uint16).reshape(-1, 1), "SCALAR", 5123)
    primitive = {"attributes": attributes, "indices": indices, "material": 0, "targets": targets}
    bound = dict(zip(("blinkLeft", "blinkRight", "blink", "aa"), range(4), strict=True))
    humanoid = {"hips": 0, "neck": 1, "head": 2}
    if old:
        short = {"blinkLeft": "blink_l", "blinkRight": "blink_r", "blink": "blink", "aa": "a"}
        groups = [
            {"name": n, "presetName": short[n], "binds": [{"mesh": 0, "index": i, "weight": 100}]}
            for n, i in bound.items()
        ]
        bones = [{"bone": n, "node": i} for n, i in humanoid.items()]
        extension: dict[str, object] = {"VRM": {
            "meta": {"title": "doll"}, "humanoid": {"humanBones": bones},
            "blendShapeMaster": {"blendShapeGroups": groups},
        }}  # fmt: skip
    else:
        preset = {n: {"morphTargetBinds": [{"node": len(d.bones), "index": i, "weight": 1}]} for n, i in bound.items()}
        extension = {"VRMC_vrm": {
            "specVersion": "1.0", "meta": {"name": "doll"}, "expressions": {"preset": preset},
            "humanoid": {"humanBones": {n: {"node": i} for n, i in humanoid.items()}},
        }}  # fmt: skip
    bound_at = add(inverse.reshape(-1, 16), "MAT4", 5126)
    skin = {"baseColorFactor": [1, 0.6, 0.5, 1]}
    told = {
        "asset": {"version": "2.0"}, "nodes": nodes, "scenes": [{"nodes": [0, len(d.bones)]}],
        "meshes": [{"primitives": [primitive], "extras": {"targetNames": list(d.morphs)}}],
        "skins": [{"joints": list(range(len(d.bones))), "inverseBindMatrices": bound_at}],
        "materials": [{"name": "skin", "pbrMetallicRoughness": skin, "doubleSided": True}],
        "accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": len(blob)}], "extensions": extension,
    }  # fmt: skip
    return glb(told, blob)


def glb(told: object, blob: bytes) -> bytes:
    text = json.dumps(told).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def vmd(bones: list[tuple[str, int, tuple[float, float, float, float]]]) -> bytes:
    out = b"Vocaloid Motion Data 0002".ljust(30, b"\0") + b"doll".ljust(20, b"\0") + struct.pack("<I", len(bones))
    for name, frame, turn in bones:
        curve = bytes([20] * 8 + [107] * 8) + bytes(48)
        out += name.encode("cp932").ljust(15, b"\0") + struct.pack("<I7f", frame, 0, 0, 0, *turn) + curve
    return out + struct.pack("<I", 0)


FORMATS = {
    "PMX 2.0": lambda d: pmx(d), "PMX 2.1": lambda d: pmx(d, 2.1), "PMD": lambda d: pmd(d),
    "VRM 0.x": lambda d: vrm(d, True), "VRM 1.0": lambda d: vrm(d, False),
}  # fmt: skip
