"""VRM 0.x and 1.0: a GLB with a humanoid, expressions and MToon.

Every mesh is set into its rest pose and into our axes once, so that bones need positions only: VRM 1.0 has these axes,
VRM 0.x faces the other way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.cursor import finite
from puppeteer.models3d.glb import Glb, at
from puppeteer.models3d.model import LINEAR, Bone, Model, Morph, Texture, checked, circle, parents_first
from puppeteer.models3d.pmx import settled
from puppeteer.models3d.storage import Storage
from puppeteer.models3d.vrm_looks import expressions_0, expressions_1, materials
from puppeteer.pose import F32

_TURNED = np.diag([-1.0, 1.0, -1.0, 1.0]).astype(np.float32)
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
LARGEST_NODES = 20_000


def read_vrm(data: bytes, name: str, storage: Storage) -> Model:
    """Raises ModelError."""
    glb = Glb(data, name)
    try:
        with np.errstate(all="ignore"):  # what overflows is found by `checked`
            return checked(_Vrm(glb, name).model(), name)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, OverflowError) as error:
        raise glb.cursor.error("has a description that contradicts itself or lacks a part") from error


class _Vrm:
    def __init__(self, glb: Glb, name: str) -> None:
        self.glb, self.name = glb, name
        extensions = glb.json.get("extensions", {})
        self.old = "VRM" in extensions
        if not self.old and "VRMC_vrm" not in extensions:
            raise glb.cursor.error("is a 3D file without a VRM humanoid")
        self.vrm: dict[str, Any] = extensions["VRM" if self.old else "VRMC_vrm"]
        self.nodes = glb.list("nodes")
        if not 0 < len(self.nodes) <= LARGEST_NODES:
            raise glb.cursor.error("holds no nodes, or far too many")
        self.parents = self._parents()
        self.worlds = self._worlds()
        self.chunks: list[dict[str, NDArray[Any]]] = []
        self.vertices = 0
        self.kept: dict[tuple[Any, ...], tuple[int, int]] = {}
        self.triangles: list[tuple[int, NDArray[np.int32]]] = []
        self.targets: dict[tuple[int, int], list[tuple[NDArray[np.int32], F32]]] = {}  # (node, target)
        self.target_names: dict[tuple[int, int], str] = {}

    def _parents(self) -> list[int]:
        parents = [-1] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            for child in node.get("children", []):
                at(self.nodes, child)
                if parents[child] >= 0:
                    raise self.glb.cursor.error("has a node below two others")
                parents[child] = index
        if circle([(parent,) if parent >= 0 else () for parent in parents]):
            raise self.glb.cursor.error("has bones that hang on each other in a circle")
        return parents

    def _worlds(self) -> F32:
        """(N, 4, 4) from each node's space at rest to ours."""
        out = np.zeros((len(self.nodes), 4, 4), np.float32)
        for index in parents_first(self.parents):
            node, parent = self.nodes[index], self.parents[index]
            above = out[parent] if parent >= 0 else (_TURNED if self.old else np.eye(4, dtype=np.float32))
            out[index] = above @ _local(node)
        return finite(out, self.name, "nodes")

    def model(self) -> Model:
        for index, node in enumerate(self.nodes):
            if "mesh" in node:
                self._mesh(index, at(self.glb.list("meshes"), node["mesh"]), node.get("skin"))
        looks = materials(self.glb, self.vrm if self.old else None, self.name)
        textures, parts = self._textures(), []
        first = 0
        for material, corners in self.triangles:
            parts.append(looks.part(material, first, len(corners)))
            first += len(corners)
        morphs, bound = self._morphs()
        add = expressions_0 if self.old else expressions_1
        presets = add(self.vrm, self.nodes, looks, bound, morphs)
        columns = {key: np.concatenate([c[key] for c in self.chunks]) for key in self.chunks[0]} if self.chunks else {}
        empty = np.zeros((0, 3), np.float32)
        skin_bones, skin_weights = settled(
            columns.get("bones", np.zeros((0, 4), np.int32)), columns.get("weights", np.zeros((0, 4), np.float32))
        )
        hanging = self._hanging()
        meta = self.vrm.get("meta", {})
        notes = ["springs stay at rest"] if hanging else []
        notes += [f"the texture {t.name} is missing" for t in textures if t.data is None]
        return Model(
            format="VRM 0.x" if self.old else "VRM 1.0",
            name=str(meta.get("title" if self.old else "name") or ""),
            positions=columns.get("positions", empty),
            normals=columns.get("normals", empty),
            uvs=columns.get("uvs", np.zeros((0, 2), np.float32)),
            edge_scale=np.ones(self.vertices, np.float32),
            skin_bones=skin_bones,
            skin_weights=skin_weights,
            skin_method=np.full(self.vertices, LINEAR, np.uint8),
            spherical=np.zeros((0, 3, 3), np.float32),
            triangles=np.concatenate([c for _, c in self.triangles]) if first else np.zeros((0, 3), np.int32),
            materials=tuple(parts),
            textures=textures,
            bones=self._bones(),
            morphs=tuple(morphs),
            humanoid=self._humanoid(),
            presets=presets,
            hanging=hanging,
            notes=tuple(notes),
        )

    def _bones(self) -> tuple[Bone, ...]:
        bones = []
        for index, node in enumerate(self.nodes):
            x, y, z = (float(v) for v in self.worlds[index, :3, 3])
            bones.append(Bone(str(node.get("name", f"node {index}")), "", (x, y, z), self.parents[index]))
        return tuple(bones)

    def _humanoid(self) -> dict[str, int]:
        bones = self.vrm.get("humanoid", {}).get("humanBones", {})
        if isinstance(bones, list):
            pairs = [(str(bone["bone"]), bone["node"]) for bone in bones]
        else:
            pairs = [(str(key), bone["node"]) for key, bone in bones.items() if bone]
        at_all = [(key, node) for key, node in pairs if node is not None and node != -1]
        for _, node in at_all:
            at(self.nodes, node)
        return dict(at_all)

    def _hanging(self) -> frozenset[int]:
        roots: list[int] = []
        if self.old:
            for group in self.vrm.get("secondaryAnimation", {}).get("boneGroups", []):
                roots += group.get("bones", [])
        else:
            for spring in self.glb.json["extensions"].get("VRMC_springBone", {}).get("springs", []):
                roots += [joint["node"] for joint in spring.get("joints", [])]
        out = {root for root in roots if at(self.nodes, root) is not None}
        for index in parents_first(self.parents):
            if self.parents[index] in out:
                out.add(index)
        return frozenset(out)

    def _textures(self) -> tuple[Texture, ...]:
        images, samplers = self.glb.list("images"), self.glb.list("samplers")
        out = []
        for texture in self.glb.list("textures"):
            source = texture.get("source")
            image = at(images, source) if source is not None else {}
            name = str(image.get("name") or image.get("uri", "")[:40] or f"image {source}")
            data = self.glb.view(image["bufferView"]) if "bufferView" in image else None
            sampler = at(samplers, texture["sampler"]) if texture.get("sampler") is not None else {}
            out.append(Texture(name, data, sampler.get("magFilter") != 9728, sampler.get("wrapS", 10497) != 33071))
        return tuple(out)

    def _mesh(self, node: int, mesh: dict[str, Any], skin: int | None) -> None:
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", _TRIANGLES)
            if mode not in (_TRIANGLES, _STRIP, _FAN):
                continue  # points and lines
            attributes = primitive["attributes"]
            if "POSITION" not in attributes:
                continue
            targets = primitive.get("targets", [])
            # exporters give every material of a mesh the same vertices
            key = (node, *sorted(attributes.items()), *(tuple(sorted(t.items())) for t in targets))
            if key not in self.kept:
                self.kept[key] = self._columns(node, mesh, primitive, skin)
            start, count = self.kept[key]
            if "indices" in primitive:
                corners = self.glb.accessor(primitive["indices"])[:, 0].astype(np.int64)
                if corners.size and corners.max() >= count:
                    raise self.glb.cursor.error("has triangles of vertices that it does not hold")
            else:
                corners = np.arange(count)
            self.triangles.append((primitive.get("material", -1), (_faces(corners, mode) + start).astype(np.int32)))

    def _columns(self, node: int, mesh: dict[str, Any], primitive: dict[str, Any], skin: int | None) -> tuple[int, int]:
        """Appends a primitive's vertices, set into the rest pose; the first of them and their number."""
        attributes = primitive["attributes"]
        position = finite(self._floats(attributes["POSITION"], 3), self.name, "vertices")
        count, start = len(position), self.vertices
        normal = self._floats(attributes["NORMAL"], 3) if "NORMAL" in attributes else None
        uv = self._floats(attributes["TEXCOORD_0"], 2) if "TEXCOORD_0" in attributes else np.zeros((count, 2))
        if skin is None or "JOINTS_0" not in attributes:
            bones, weights = np.zeros((count, 4), np.int32), np.zeros((count, 4), np.float32)
            bones[:, 0], weights[:, 0] = node, 1
            rest = np.broadcast_to(self.worlds[node], (count, 4, 4))
        else:
            bones, weights, rest = self._skinned(attributes, at(self.glb.list("skins"), skin))
        if not len(bones) == len(weights) == len(uv) == count or (normal is not None and len(normal) != count):
            raise self.glb.cursor.error("has columns of vertices that differ in length")
        turn = rest[:, :3, :3]
        if normal is None:
            normal = np.broadcast_to(np.array([0, 0, 1], np.float32), (count, 3))
        facing = np.einsum("vij,vj->vi", turn, np.nan_to_num(normal))
        facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-6)
        self.chunks.append(
            {
                "positions": (np.einsum("vij,vj->vi", turn, position) + rest[:, :3, 3]).astype(np.float32),
                "normals": facing.astype(np.float32),
                "uvs": finite(uv.astype(np.float32), self.name, "texture coordinates"),
                "bones": bones,
                "weights": weights,
            }
        )
        names = primitive.get("extras", {}).get("targetNames") or mesh.get("extras", {}).get("targetNames") or []
        for number, target in enumerate(primitive.get("targets", [])):
            key = (node, number)
            self.target_names.setdefault(key, str(names[number]) if number < len(names) else f"target {number}")
            parts = self.targets.setdefault(key, [])
            if "POSITION" not in target:
                continue
            offsets = finite(self._floats(target["POSITION"], 3), self.name, "morphs")
            if len(offsets) != count:
                raise self.glb.cursor.error("has a morph that does not fit its mesh")
            rows = np.flatnonzero(np.abs(offsets).max(1) > 0)
            if rows.size:
                moved = np.einsum("vij,vj->vi", turn[rows], offsets[rows]).astype(np.float32)
                parts.append(((rows + start).astype(np.int32), moved))
        self.vertices += count
        return start, count

    def _skinned(self, attributes: dict[str, int], skin: dict[str, Any]) -> tuple[NDArray[np.int32], F32, F32]:
        joints = np.array([joint for joint in skin["joints"] if at(self.nodes, joint) is not None], np.int32)
        inverse = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
        if "inverseBindMatrices" in skin:
            inverse = self._floats(skin["inverseBindMatrices"], 16).reshape(-1, 4, 4).transpose(0, 2, 1)
            inverse = finite(inverse[: len(joints)], self.name, "bones")
        rest = self.worlds[joints] @ inverse
        local = self.glb.accessor(attributes["JOINTS_0"]).astype(np.int64)
        weights = np.clip(np.nan_to_num(self._floats(attributes["WEIGHTS_0"], 4)), 0, 1)
        if len(local) != len(weights) or local.shape[1] != 4:
            raise self.glb.cursor.error("has columns of vertices that differ in length")
        local[weights <= 0] = 0
        if local.size and local.max() >= len(joints):
            raise self.glb.cursor.error("has vertices on bones that it does not hold")
        total = weights.sum(1, keepdims=True)
        weights = np.where(total > 1e-6, weights / np.maximum(total, 1e-6), np.array([1, 0, 0, 0], np.float32)).astype(
            np.float32
        )
        blended = np.einsum("vk,vkij->vij", weights, rest[local])
        return joints[local], weights, blended

    def _floats(self, index: int, width: int) -> F32:
        out = self.glb.accessor(index)
        if out.shape[1] < width:
            raise self.glb.cursor.error("has columns of vertices that are too narrow")
        return np.ascontiguousarray(out[:, :width], np.float32)

    def _morphs(self) -> tuple[list[Morph], dict[tuple[int, int], int]]:
        """Morph targets as morphs, and which one a (node, target) is."""
        morphs: list[Morph] = []
        bound = {}
        for key, parts in self.targets.items():
            bound[key] = len(morphs)
            vertices = np.concatenate([v for v, _ in parts]) if parts else np.zeros(0, np.int32)
            offsets = np.concatenate([o for _, o in parts]) if parts else np.zeros((0, 3), np.float32)
            morphs.append(Morph(self.target_names[key], vertices=vertices, offsets=offsets))
        return morphs, bound


def _local(node: dict[str, Any]) -> F32:
    if "matrix" in node:
        return np.array(node["matrix"], np.float32).reshape(4, 4).T
    out = np.eye(4, dtype=np.float32)
    x, y, z, w = (float(v) for v in node.get("rotation", (0, 0, 0, 1)))
    length = (x * x + y * y + z * z + w * w) ** 0.5 or 1.0
    x, y, z, w = x / length, y / length, z / length, w / length
    out[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    out[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), np.float32).reshape(3)
    out[:3, 3] = np.array(node.get("translation", (0, 0, 0)), np.float32).reshape(3)
    return out


def _faces(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """(T, 3) from a list, strip or fan."""
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    count = max(len(corners) - 2, 0)
    number = np.arange(count)
    if mode == _FAN:
        return corners[np.stack([np.zeros(count, np.int64), number + 1, number + 2], 1)]
    odd = number % 2
    return corners[np.stack([number + odd, number + 1 - odd, number + 2], 1)]
