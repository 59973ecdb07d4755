"""Materials and expressions of VRM 0.x (Unity's names, sRGB) and 1.0 (glTF's, linear), brought to one form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from puppeteer.models3d.glb import Glb, at
from puppeteer.models3d.model import (
    SPHERE_ADD,
    SPHERE_OFF,
    Colour,
    Material,
    MaterialChange,
    Morph,
    Toon,
)

PRESETS_0 = {"a": "aa", "i": "ih", "u": "ou", "e": "ee", "o": "oh", "blink": "blink", "blink_l": "blinkLeft",
             "blink_r": "blinkRight", "joy": "happy", "angry": "angry", "sorrow": "sad", "fun": "relaxed",
             "lookup": "lookUp", "lookdown": "lookDown", "lookleft": "lookLeft", "lookright": "lookRight"}  # fmt: skip
_CUTOUT, _TRANSPARENT, _TRANSPARENT_DEPTH = 1, 2, 3  # _BlendMode of VRM 0.x
_TRANSPARENT_QUEUE, _DEPTH_QUEUE, _CUTOUT_QUEUE, _OPAQUE_QUEUE = 3000, 2501, 2450, 2000
EDGE = 4.0  # MikuMikuDance's lines for an outline of VRM 0.x of width 1, a hundredth of the screen
THICKEST = 2.5  # lines of MikuMikuDance
_ZERO4 = (0.0, 0.0, 0.0, 0.0)


def srgb(linear: float) -> float:
    x = min(max(float(linear), 0.0), 1.0)
    return 12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055


def _colour(values: Any) -> Colour:
    r, g, b = (float(v) for v in list(values)[:3])
    return r, g, b


def _converted(values: Any) -> Colour:
    r, g, b = (srgb(v) for v in list(values)[:3])
    return r, g, b


@dataclass(frozen=True, slots=True)
class Looks:
    """The materials of a file; primitives of one material become parts of their own."""

    materials: list[Material]
    used: dict[int, list[int]]  # material of the file -> its parts in the model

    def part(self, material: Any, first: int, count: int) -> Material:
        look = at(self.materials, material) if material != -1 else Material("plain", 0, 0)
        self.used.setdefault(material, []).append(sum(len(parts) for parts in self.used.values()))
        return replace(look, first=first, count=count)


def materials(glb: Glb, vrm0: dict[str, Any] | None, name: str) -> Looks:
    textures = len(glb.list("textures"))
    properties = vrm0.get("materialProperties", []) if vrm0 else []
    out = []
    for index, material in enumerate(glb.list("materials")):
        old = properties[index] if index < len(properties) else None
        if old is not None and str(old.get("shader", "")).startswith(("VRM/MToon", "VRM/Unlit")):
            out.append(_material_0(old, textures))
        else:
            out.append(_material_1(material, textures))
    return Looks(out, {})


def _texture(index: Any, textures: int) -> int:
    return index if isinstance(index, int) and 0 <= index < textures else -1


def _material_0(m: dict[str, Any], textures: int) -> Material:
    numbers, vectors, pictures = (
        m.get(key, {}) for key in ("floatProperties", "vectorProperties", "textureProperties")
    )
    shader = str(m["shader"])
    unlit = shader.startswith("VRM/Unlit")
    blend = int(numbers.get("_BlendMode", 0))
    if unlit:
        blend = {"VRM/UnlitCutout": _CUTOUT, "VRM/UnlitTransparent": _TRANSPARENT,
                 "VRM/UnlitTransparentZWrite": _TRANSPARENT_DEPTH}.get(shader, 0)  # fmt: skip
    queue = {_CUTOUT: _CUTOUT_QUEUE, _TRANSPARENT: _TRANSPARENT_QUEUE, _TRANSPARENT_DEPTH: _DEPTH_QUEUE}.get(
        blend, _OPAQUE_QUEUE
    )
    if int(m.get("renderQueue", -1)) > 0:
        queue = int(m["renderQueue"])
    red, green, blue, alpha = (float(v) for v in vectors.get("_Color", (1, 1, 1, 1)))
    sx, sy, ox, oy = _uv_0(vectors.get("_MainTex", (0, 0, 1, 1)))
    mode = int(numbers.get("_OutlineWidthMode", 0))
    width = float(numbers.get("_OutlineWidth", 0.0))
    main = _texture(pictures.get("_MainTex"), textures)
    sphere = _texture(pictures.get("_SphereAdd"), textures)
    return Material(
        str(m.get("name", "")),
        0,
        0,
        (red, green, blue, alpha if blend else 1.0),
        double_sided=unlit or int(numbers.get("_CullMode", 2)) != 2,
        texture=main,
        sphere=sphere,
        sphere_mode=SPHERE_ADD if sphere >= 0 else SPHERE_OFF,
        edge_colour=(*_colour(vectors.get("_OutlineColor", (0, 0, 0))), 1.0),
        edge_size=min(max(width, 0.0) * EDGE, THICKEST) if mode else 0.0,
        cutoff=float(numbers.get("_Cutoff", 0.5)) if blend == _CUTOUT else 0.0,
        opaque=blend == 0,
        depth_write=blend != _TRANSPARENT,
        queue=queue,
        uv_transform=(sx, sy, ox, oy),
        mtoon=Toon(
            _colour(vectors.get("_ShadeColor", (0.97, 0.81, 0.86))),
            _texture(pictures.get("_ShadeTexture"), textures),
            *_border_0(float(numbers.get("_ShadeShift", 0.0)), float(numbers.get("_ShadeToony", 0.9))),
            _colour(vectors.get("_EmissionColor", (0, 0, 0))),
            _texture(pictures.get("_EmissionMap"), textures),
            _colour(vectors.get("_RimColor", (0, 0, 0))),
            float(numbers.get("_RimFresnelPower", 1.0)),
            float(numbers.get("_RimLift", 0.0)),
            unlit=unlit,
        ),
    )


def _border_0(shift: float, toony: float) -> tuple[float, float]:
    """Shift and toony of VRM 1.0 for those of 0.x, as UniVRM migrates them."""
    low, high = shift, 1 + (shift - 1) * toony
    return min(max(-(low + high) / 2, -1.0), 1.0), min(max((2 - (high - low)) / 2, 0.0), 1.0)


def _uv_0(vector: Any) -> tuple[float, float, float, float]:
    """Scale and offset from Unity's offset and scale, whose v grows upwards."""
    ox, oy, sx, sy = (float(v) for v in vector)
    return sx, sy, ox, 1 - sy - oy


def _material_1(m: dict[str, Any], textures: int) -> Material:
    pbr = m.get("pbrMetallicRoughness", {})
    extensions = m.get("extensions", {})
    toon: dict[str, Any] = extensions.get("VRMC_materials_mtoon", {})
    red, green, blue, alpha = (float(v) for v in pbr.get("baseColorFactor", (1, 1, 1, 1)))
    base = pbr.get("baseColorTexture") or {}
    transform = base.get("extensions", {}).get("KHR_texture_transform", {})
    sx, sy = (float(v) for v in transform.get("scale", (1, 1)))
    ox, oy = (float(v) for v in transform.get("offset", (0, 0)))
    alpha_mode = m.get("alphaMode", "OPAQUE")
    depth = bool(toon.get("transparentWithZWrite", False))
    queue = {"MASK": _CUTOUT_QUEUE, "BLEND": _DEPTH_QUEUE if depth else _TRANSPARENT_QUEUE}.get(
        alpha_mode, _OPAQUE_QUEUE
    )
    matcap = _texture((toon.get("matcapTexture") or {}).get("index"), textures)
    width = float(toon.get("outlineWidthFactor", 0.0))  # metres, or parts of the screen's height
    lined = toon.get("outlineWidthMode", "none") != "none"
    return Material(
        str(m.get("name", "")),
        0,
        0,
        (srgb(red), srgb(green), srgb(blue), alpha if alpha_mode == "BLEND" else 1.0),
        double_sided=bool(m.get("doubleSided", False)),
        texture=_texture(base.get("index"), textures),
        sphere=matcap,
        sphere_mode=SPHERE_ADD if matcap >= 0 else SPHERE_OFF,
        edge_colour=(*_converted(toon.get("outlineColorFactor", (0, 0, 0))), 1.0),
        edge_size=min(max(width, 0.0) * 100 * EDGE, THICKEST) if lined else 0.0,
        cutoff=float(m.get("alphaCutoff", 0.5)) if alpha_mode == "MASK" else 0.0,
        opaque=alpha_mode == "OPAQUE",
        depth_write=alpha_mode != "BLEND" or depth,
        queue=queue + int(toon.get("renderQueueOffsetNumber", 0)),
        uv_transform=(sx, sy, ox, oy),
        mtoon=Toon(
            _converted(toon.get("shadeColorFactor", (0, 0, 0) if toon else (1, 1, 1))),
            _texture((toon.get("shadeMultiplyTexture") or {}).get("index"), textures),
            float(toon.get("shadingShiftFactor", 0.0)),
            float(toon.get("shadingToonyFactor", 0.9)),
            _converted(m.get("emissiveFactor", (0, 0, 0))),
            _texture((m.get("emissiveTexture") or {}).get("index"), textures),
            _converted(toon.get("parametricRimColorFactor", (0, 0, 0))),
            float(toon.get("parametricRimFresnelPowerFactor", 5.0)),
            float(toon.get("parametricRimLiftFactor", 0.0)),
            _converted(toon.get("matcapFactor", (1, 1, 1))),
            unlit=not toon,
        ),
    )


def _recoloured(look: Material, part: int, target: tuple[float, float, float, float]) -> MaterialChange:
    """The change that turns a material's own colour into the target at full weight."""
    r, g, b, a = (t - own for t, own in zip(target, look.diffuse, strict=True))
    return MaterialChange(part, True, (r, g, b, a), _ZERO4, (0, 0, 0), _ZERO4, 0.0, _ZERO4, _ZERO4, _ZERO4)


def expressions_0(
    vrm: dict[str, Any],
    nodes: list[Any],
    looks: Looks,
    bound: dict[tuple[int, int], int],
    morphs: list[Morph],
) -> dict[str, int]:
    """Appends the expressions as groups; the presets among them by the names of VRM 1.0."""
    presets: dict[str, int] = {}
    by_mesh: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        if "mesh" in node:
            by_mesh.setdefault(node["mesh"], []).append(index)
    by_name: dict[str, list[int]] = {}
    for material, parts in looks.used.items():
        if material != -1:
            by_name.setdefault(looks.materials[material].name, []).extend(parts)
    index_of = {look.name: look for look in looks.materials}
    for group in (vrm.get("blendShapeMaster") or {}).get("blendShapeGroups", []):
        members = []
        for bind in group.get("binds") or []:
            for node in by_mesh.get(bind["mesh"], []):
                morph = bound.get((node, bind["index"]))
                if morph is not None:
                    members.append((morph, float(bind["weight"]) / 100))
        changes, transforms = [], []
        for value in group.get("materialValues") or []:
            target = [float(v) for v in value.get("targetValue", [])]
            for part in by_name.get(value.get("materialName"), []):
                look = index_of[value["materialName"]]
                if value.get("propertyName") == "_Color" and len(target) == 4:
                    changes.append(_recoloured(look, part, (target[0], target[1], target[2], target[3])))
                elif str(value.get("propertyName", "")).startswith("_MainTex_ST") and len(target) == 4:
                    there = _uv_0((target[2], target[3], target[0], target[1]))
                    transforms.append((part, _less(there, look.uv_transform)))
        preset = PRESETS_0.get(str(group.get("presetName", "")).lower())
        if preset is not None:
            presets.setdefault(preset, len(morphs))
        name = str(group.get("name") or group.get("presetName") or "")
        morphs.append(_expression(name, members, changes, transforms, bool(group.get("isBinary", False))))
    return presets


def expressions_1(
    vrm: dict[str, Any],
    nodes: list[Any],
    looks: Looks,
    bound: dict[tuple[int, int], int],
    morphs: list[Morph],
) -> dict[str, int]:
    """As `expressions_0`."""
    presets: dict[str, int] = {}
    expressions = vrm.get("expressions") or {}
    for kind in ("preset", "custom"):
        for name, expression in (expressions.get(kind) or {}).items():
            members = [
                (bound[bind["node"], bind["index"]], float(bind["weight"]))
                for bind in expression.get("morphTargetBinds") or []
                if (bind["node"], bind["index"]) in bound
            ]
            changes, transforms = [], []
            for bind in expression.get("materialColorBinds") or []:
                if bind.get("type") != "color":
                    continue
                r, g, b, a = (float(v) for v in bind["targetValue"])
                for part in looks.used.get(bind["material"], []):
                    look = looks.materials[bind["material"]]
                    changes.append(_recoloured(look, part, (srgb(r), srgb(g), srgb(b), a)))
            for bind in expression.get("textureTransformBinds") or []:
                sx, sy = (float(v) for v in bind.get("scale", (1, 1)))
                ox, oy = (float(v) for v in bind.get("offset", (0, 0)))
                for part in looks.used.get(bind["material"], []):
                    own = looks.materials[bind["material"]].uv_transform
                    transforms.append((part, _less((sx, sy, ox, oy), own)))
            if kind == "preset":
                presets[str(name)] = len(morphs)
            binary = bool(expression.get("isBinary", False))
            morphs.append(_expression(str(name), members, changes, transforms, binary))
    return presets


def _less(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float, float]:
    w, x, y, z = (p - q for p, q in zip(a, b, strict=True))
    return w, x, y, z


def _expression(
    name: str,
    members: list[tuple[int, float]],
    changes: list[MaterialChange],
    transforms: list[tuple[int, tuple[float, float, float, float]]],
    binary: bool,
) -> Morph:
    return Morph(
        name,
        kind="expression",
        group=tuple(members),
        materials=tuple(changes),
        uv_transforms=tuple(transforms),
        binary=binary,
    )
