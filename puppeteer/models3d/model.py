"""The one in-memory form of every 3D model, whatever file it came from.

Axes: x to the viewer's right, y up, z towards the viewer; the model faces +z, so its left is at +x. Right-handed.
Bones have positions only, and turn about these axes: readers turn what they read into that. Texture coordinates grow
to the right and downwards, from the picture's upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from puppeteer.errors import ModelError
from puppeteer.models3d.cursor import finite
from puppeteer.pose import F32

I32 = NDArray[np.int32]
Colour = tuple[float, float, float]
LINEAR, SPHERICAL, DUAL_QUATERNION = 0, 1, 2  # methods of skinning: BDEF1/2/4 and glTF, SDEF, QDEF
SPHERE_OFF, SPHERE_MULTIPLY, SPHERE_ADD, SPHERE_TEXTURE = 0, 1, 2, 3
BROW, EYE, MOUTH, OTHER = 1, 2, 3, 4  # panels of PMX morphs; 0 is the system's


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """A picture as it lies in the file, decoded by `textures.decode`."""

    name: str
    data: bytes | None  # None where it was not found
    smooth: bool = True
    repeat: bool = True


@dataclass(frozen=True, slots=True)
class Toon:
    """What VRM's MToon adds to a material. Colours in sRGB."""

    shade: Colour = (1.0, 1.0, 1.0)
    shade_texture: int = -1
    shift: float = 0.0  # of the border between lit and shaded, in the cosine of the angle to the light
    toony: float = 0.9  # 1 is a hard border
    emission: Colour = (0.0, 0.0, 0.0)
    emission_texture: int = -1
    rim: Colour = (0.0, 0.0, 0.0)
    rim_power: float = 1.0
    rim_lift: float = 0.0
    matcap: Colour = (1.0, 1.0, 1.0)
    unlit: bool = False


@dataclass(frozen=True, slots=True)
class Material:
    """How a run of triangles is painted. Colours in sRGB."""

    name: str
    first: int  # of its triangles
    count: int
    diffuse: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    ambient: Colour = (0.5, 0.5, 0.5)
    specular: Colour = (0.0, 0.0, 0.0)
    shininess: float = 0.0
    double_sided: bool = False
    texture: int = -1
    sphere: int = -1
    sphere_mode: int = SPHERE_OFF
    toon: int = -1  # a texture
    shared_toon: int = -1  # 0 to 9, the ones that come with MikuMikuDance
    edge_colour: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    edge_size: float = 0.0  # 1 is MikuMikuDance's usual line, 0 none
    cutoff: float = 0.0  # alpha below it is not drawn
    opaque: bool = False  # alpha is ignored
    depth_write: bool = True
    queue: int = 0  # drawn in ascending order, then in the file's
    uv_transform: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)  # scale, offset
    mtoon: Toon | None = None


@dataclass(frozen=True, slots=True)
class Bone:
    name: str
    english: str
    position: tuple[float, float, float]
    parent: int = -1
    layer: int = 0
    after_physics: bool = False
    append_parent: int = -1
    append_ratio: float = 0.0
    append_rotation: bool = False
    append_translation: bool = False
    append_local: bool = False
    fixed_axis: tuple[float, float, float] | None = None
    local_axes: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None  # x, z
    ik: bool = False  # its chain stays at rest here


@dataclass(frozen=True, slots=True)
class MaterialChange:
    """Of one material, or of all (-1), at a morph's full weight."""

    material: int
    add: bool  # otherwise factors
    diffuse: tuple[float, float, float, float]
    specular: tuple[float, float, float, float]  # with shininess
    ambient: Colour
    edge_colour: tuple[float, float, float, float]
    edge_size: float
    texture: tuple[float, float, float, float]
    sphere: tuple[float, float, float, float]
    toon: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Morph:
    """What changes at weight 1; the parts that it lacks are empty."""

    name: str
    english: str = ""
    panel: int = OTHER
    kind: str = "vertex"  # as the file calls it
    vertices: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    offsets: F32 = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    uv_vertices: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    uv_offsets: F32 = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    bones: tuple[tuple[int, tuple[float, float, float], tuple[float, float, float, float]], ...] = ()
    materials: tuple[MaterialChange, ...] = ()
    uv_transforms: tuple[tuple[int, tuple[float, float, float, float]], ...] = ()  # VRM: material, added to its own
    group: tuple[tuple[int, float], ...] = ()
    flip: bool = False  # the weight picks one member of the group
    binary: bool = False  # VRM: on above one half


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model at rest. V vertices, T triangles."""

    format: str  # "PMX 2.0", "PMX 2.1", "PMD", "VRM 0.x", "VRM 1.0"
    name: str
    positions: F32  # (V, 3)
    normals: F32  # (V, 3)
    uvs: F32  # (V, 2)
    edge_scale: F32  # (V,)
    skin_bones: I32  # (V, 4), every one a bone's index
    skin_weights: F32  # (V, 4), of sum 1
    skin_method: NDArray[np.uint8]  # (V,) LINEAR, SPHERICAL, DUAL_QUATERNION
    spherical: F32  # (V, 3, 3) centre, first and second radius point of SPHERICAL vertices; (0, 3, 3) without any
    triangles: I32  # (T, 3), counter-clockwise seen from outside
    materials: tuple[Material, ...]
    textures: tuple[Texture, ...]
    bones: tuple[Bone, ...]
    morphs: tuple[Morph, ...]
    english: str = ""
    humanoid: dict[str, int] = field(default_factory=dict)  # VRM: bone's standard name to index
    presets: dict[str, int] = field(default_factory=dict)  # VRM 1.0 name of an expression to morph
    hanging: frozenset[int] = frozenset()  # bones that physics would move
    notes: tuple[str, ...] = ()  # what was left out, for people


def checked(model: Model, file: str) -> Model:
    """The model itself. Raises ModelError where an index leads nowhere or something goes round in a circle."""

    def damaged(what: str) -> ModelError:
        return ModelError(f"{file} {what}: get the file again, or save it anew in the program that made it")

    vertices, bones, morphs = len(model.positions), len(model.bones), len(model.morphs)
    for array, what in ((model.positions, "vertices"), (model.normals, "normals"), (model.uvs, "texture coordinates")):
        finite(array, file, what)
    for material in model.materials:
        finite(
            np.array([*material.diffuse, *material.ambient, *material.edge_colour, *material.uv_transform]),
            file,
            "colours",
        )
    if model.triangles.size and not (model.triangles.min() >= 0 and model.triangles.max() < vertices):
        raise damaged("has triangles of vertices that it does not hold")
    if vertices and not (model.skin_bones.min() >= 0 and model.skin_bones.max() < bones):
        raise damaged("has vertices on bones that it does not hold")
    for morph in model.morphs:
        for indices in (morph.vertices, morph.uv_vertices):
            if indices.size and not (indices.min() >= 0 and indices.max() < vertices):
                raise damaged(f"has a morph ({morph.name!r}) of vertices that it does not hold")
        if any(not 0 <= member < morphs for member, _ in morph.group):
            raise damaged(f"has a group ({morph.name!r}) of morphs that it does not hold")
        if any(not 0 <= bone < bones for bone, *_ in morph.bones):
            raise damaged(f"has a morph ({morph.name!r}) of bones that it does not hold")
    for bone in model.bones:
        if not (-1 <= bone.parent < bones and -1 <= bone.append_parent < bones):
            raise damaged(f"has a bone ({bone.name!r}) that hangs on one that it does not hold")
    if circle([(bone.parent,) if bone.parent >= 0 else () for bone in model.bones]):
        raise damaged("has bones that hang on each other in a circle")
    if circle([(bone.append_parent,) if bone.append_parent >= 0 else () for bone in model.bones]):
        raise damaged("has bones that follow each other in a circle")
    if circle([tuple(member for member, _ in morph.group) for morph in model.morphs]):
        raise damaged("has groups of morphs that hold each other in a circle")
    return model


def circle(edges: list[tuple[int, ...]]) -> bool:
    """Whether a walk along the edges (by node, all within range) ever comes back."""
    state = [0] * len(edges)  # 1 on the way, 2 done
    for start in range(len(edges)):
        if state[start]:
            continue
        stack = [(start, iter(edges[start]))]
        state[start] = 1
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                stack.pop()
            elif state[following] == 1:
                return True
            elif state[following] == 0:
                state[following] = 1
                stack.append((following, iter(edges[following])))
    return False


def parents_first(parents: list[int]) -> list[int]:
    """Every index once, no parent (-1 for none) behind its children; there is no circle in them."""
    children: list[list[int]] = [[] for _ in parents]
    order = []
    for index, parent in enumerate(parents):
        if parent < 0:
            order.append(index)
        else:
            children[parent].append(index)
    for index in order:
        order.extend(children[index])
    return order


def below(model: Model, bone: int) -> NDArray[np.bool_]:
    """(B,) whether a bone is this one or hangs on it."""
    out = np.zeros(len(model.bones), bool)
    out[bone] = True
    for index in parents_first([b.parent for b in model.bones]):
        parent = model.bones[index].parent
        if parent >= 0 and out[parent]:
            out[index] = True
    return out
