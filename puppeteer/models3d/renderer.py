"""Draws 3D models with OpenGL 3.3 as the character generator draws its own: the spec square, seen along z."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from puppeteer.characters.layers import LAYERS, LayerRendering
from puppeteer.characters.opengl import LARGEST, SUPERSAMPLE, Context, check_size, floats, pixels, shares
from puppeteer.characters.renderer import Rendering
from puppeteer.errors import ModelError, RenderError
from puppeteer.image import premultiplied, unpremultiplied
from puppeteer.models3d.annotation import Annotation, Study
from puppeteer.models3d.layers import follows, labels
from puppeteer.models3d.looks import Look, looks
from puppeteer.models3d.model import Material
from puppeteer.models3d.paint import VIEW, Paint
from puppeteer.models3d.posing import HEAD_ROWS, Puppet, Stance
from puppeteer.models3d.skinning import Posture, Skin
from puppeteer.models3d.truth import SPEC, front, told
from puppeteer.pose import F32, NUMBERS, U8, Pose

Shading = Literal["phong", "own"]
View = Literal["front", "side"]
MARGIN = 90.0  # spec px beside the picture that a turned head can bring in
NEUTRALS = 8  # faces whose places with a neck at rest are kept: a row of training data turns each of its own
EDGE_ROWS = 0.32  # spec px of MikuMikuDance's line of width 1
_ATTRIBUTES = (("position", 3), ("normal", 3), ("uv", 2), ("edge", 1), ("neutral", 3), ("rest", 3), ("label", 1))
_ASIDE = np.array([1, 1, -1], np.float32)  # seen from the model's left


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One material's triangles that can come into the picture."""

    index: int
    material: Material
    arrays: dict[str, Any]
    layers: dict[int, dict[str, Any]]  # the same for its triangles of one layer


class ModelRenderer:
    """The model that it holds, in any pose. It belongs in a process of its own (`opengl`).

    Raises RenderError where no OpenGL 3.3 can be had.
    """

    def __init__(self) -> None:
        self._context = Context()
        self._paint = Paint(self._context)
        self._owned: list[Any] = []
        self._puppet: Puppet | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the context back; closing twice is harmless."""
        if self._context.gl is not None:
            self._free()
            self._paint.load(())
            self._context.close()

    def _free(self) -> None:
        for thing in self._owned:
            thing.release()
        self._owned = []

    # ---- one model -------------------------------------------------------------------------------------------

    def load(self, found: Study, annotation: Annotation | None = None) -> None:
        """Uploads a model, once. Raises ModelError where it holds nothing that can be drawn."""
        model = found.model
        if not len(model.triangles):
            raise ModelError(f"{model.name or 'this model'} holds nothing that can be drawn: take another model")
        self._free()
        self._puppet = puppet = Puppet(found, annotation)
        self._frame = _frame(puppet)
        places = self._spec(model.positions)
        corners = places[model.triangles]
        seen = (
            (corners[..., 0].max(1) > -MARGIN) & (corners[..., 0].min(1) < SPEC + MARGIN)
            & (corners[..., 1].max(1) > -MARGIN) & (corners[..., 1].min(1) < SPEC + MARGIN)
        )  # fmt: skip
        rows, compact = np.unique(model.triangles[seen], return_inverse=True)
        triangles: NDArray[np.int32] = compact.reshape(-1, 3).astype(np.int32)
        numbers = np.flatnonzero(seen).astype(np.int64)
        self._rows = rows.astype(np.int64)
        self._skin = Skin(model, self._rows)
        self._normals = model.normals[rows]
        self._follows = follows(found, self._rows)
        self._labels = labels(found, self._rows, triangles)
        gl = self._context.gl
        count = max(len(rows), 1)
        self._moving = {
            name: gl.buffer(reserve=4 * width * count, dynamic=True)
            for name, width in (("position", 3), ("normal", 3), ("uv", 2), ("neutral", 3), ("rest", 3))
        }
        fixed = {
            "edge": gl.buffer(model.edge_scale[rows].astype("f4").tobytes() or bytes(4)),
            "label": gl.buffer(self._labels.astype("f4").tobytes() or bytes(4)),
        }
        self._owned += [*self._moving.values(), *fixed.values()]
        self._paint.load(model.textures)
        self._parts = []
        for index, material in enumerate(model.materials):
            mine = triangles[(numbers >= material.first) & (numbers < material.first + material.count)]
            if not len(mine):
                continue
            layer_of = self._labels[mine].max(1)
            layers = {
                number: self._arrays(np.ascontiguousarray(mine[layer_of == number]), fixed)
                for number in range(1, len(LAYERS) + 1)
                if (layer_of == number).any()
            }
            self._parts.append(_Part(index, material, self._arrays(mine, fixed), layers))
        self._parts.sort(key=lambda part: part.material.queue)
        rest = puppet.stance(Pose())
        self._write("uv", rest.uvs[self._rows])
        self._rest_uvs = rest.uvs
        self._rest = self._posed(rest)[0]
        self._rest_depths: dict[int, F32] = {}
        self._neutrals: dict[tuple[float, ...], tuple[F32, F32]] = {}
        self._uvs: F32 = rest.uvs

    def joints(self, pose: Pose | None = None) -> F32:
        """(4,) x and y of the neck's root and tip in the spec square, px; without a pose, at rest."""
        assert self._puppet is not None
        return np.asarray(self._spec(self._puppet.joints(pose or Pose()))[:, :2].ravel(), np.float32)

    def able(self) -> frozenset[str]:
        """The numbers of a pose that move the loaded model."""
        assert self._puppet is not None
        return self._puppet.able()

    def _arrays(self, triangles: NDArray[np.int32], fixed: dict[str, Any]) -> dict[str, Any]:
        """Vertex arrays of some triangles for every program."""
        indices = self._context.gl.buffer(np.ascontiguousarray(triangles).tobytes())
        self._owned.append(indices)
        arrays = {}
        for name, program in self._paint.programs.items():
            content = []
            for attribute, width in _ATTRIBUTES:
                if attribute in program:
                    buffer = self._moving.get(attribute) or fixed[attribute]
                    content.append((buffer, f"{width}f", attribute))
            arrays[name] = self._context.gl.vertex_array(program, content, indices, index_element_size=4)
            self._owned.append(arrays[name])
        return arrays

    def _spec(self, positions: F32) -> F32:
        """Model's units to spec px: x right, y down, z towards the viewer."""
        middle, top, px, centre = self._frame
        out = np.empty_like(positions)
        out[:, 0] = (positions[:, 0] - middle) / px + SPEC / 2
        out[:, 1] = (top - positions[:, 1]) / px + (SPEC - HEAD_ROWS) / 2
        out[:, 2] = (positions[:, 2] - centre) / px
        return out

    def _posed(self, stance: Stance) -> tuple[F32, F32]:
        """Spec positions and normals of what can be seen."""
        assert self._puppet is not None
        rotations, shifts = self._puppet.skeleton.pose(stance.posture, stance.weights)
        positions, normals = self._skin.apply(stance.positions[self._rows], self._normals, rotations, shifts)
        return self._spec(positions), normals

    # ---- one picture -----------------------------------------------------------------------------------------

    def render(
        self,
        pose: Pose,
        size: int = 256,
        truth: bool = False,
        shading: Shading = "phong",
        view: View = "front",
        extra: Posture | None = None,
    ) -> Rendering:
        """The loaded model in a pose, `size` pixels square. Raises RenderError where the size is out of range."""
        puppet = self._puppet
        if puppet is None:
            raise RenderError("no model is loaded: call load before render")
        check_size(size, "a model")
        stance = puppet.stance(pose, extra)
        positions, normals = self._posed(stance)
        if view == "side":
            positions = positions[:, [2, 1, 0]] * _ASIDE + np.array([SPEC / 2, 0, 0], np.float32)
            normals = normals[:, [2, 1, 0]] * _ASIDE
        self._upload(stance, positions, normals)
        rgba = unpremultiplied(self._premultiplied(looks(puppet.model, stance.weights), size, shading))
        if not truth:
            return Rendering(rgba)
        return self._with_truth(rgba, pose, positions, stance, size)

    def _upload(self, stance: Stance, positions: F32, normals: F32) -> None:
        self._write("position", positions)
        self._write("normal", normals)
        if stance.uvs is not self._uvs:
            self._write("uv", stance.uvs[self._rows])
            self._uvs = stance.uvs

    def _premultiplied(self, every: list[Look], size: int, shading: Shading, layer: int = 0) -> U8:
        """All of the model, or one layer of it alone."""
        target = self._context.picture(min(size * SUPERSAMPLE, max(size, LARGEST)))
        self._context.over()
        for part in self._parts:
            look, material = every[part.index], part.material
            arrays = part.arrays if not layer else part.layers.get(layer)
            if look.base[3] <= 0 or arrays is None:
                continue
            name = "phong" if shading == "phong" else "mmd" if material.mtoon is None else "mtoon"
            self._paint.surface(name, material, look)
            self._context.cull(not (material.double_sided or layer))  # alone, a layer shows its inside too
            target.depth_mask = material.depth_write
            arrays[name].render()
            target.depth_mask = True
            width = look.edge_size * EDGE_ROWS
            if shading == "phong" and material.mtoon is not None:
                width = 0.0  # lines of MToon belong to its own shading
            if width > 0 and look.edge[3] > 0:
                self._paint.outline(material, look, width)
                self._context.cull(True, "front")
                arrays["edge"].render()
        return pixels(target, size)

    # ---- truth -----------------------------------------------------------------------------------------------

    def layers(self, pose: Pose, size: int = 256, shading: Shading = "phong") -> LayerRendering:
        """Every layer of the loaded model in a pose, alone and complete, its depth from the neck's tip.

        Raises RenderError as `render` does.
        """
        whole = premultiplied(self.render(pose, size, shading=shading).rgba)
        assert self._puppet is not None
        stance = self._puppet.stance(pose)
        positions = self._posed(stance)[0]
        every = looks(self._puppet.model, stance.weights)
        self._write("neutral", positions)
        self._write("rest", np.concatenate([self._follows, np.zeros((len(self._follows), 1), np.float32)], 1))
        seen = shares(self._places(every, SUPERSAMPLE * size)[0][..., 3], len(LAYERS), size)
        colours, places = [], []
        for k in range(1, len(LAYERS) + 1):
            colours.append(self._premultiplied(every, size, shading, k))
            first, second = self._places(every, size, k)
            place = np.concatenate([first[..., 2:3], second[..., :2]], -1)
            places.append(np.where(second[..., 3:] > 0, place, np.float32(np.nan)))
        stacked = np.stack(places)
        return LayerRendering(whole, seen, np.stack(colours), stacked[..., 0], stacked[..., 1:])

    def _write(self, name: str, values: F32) -> None:
        self._moving[name].write(np.ascontiguousarray(values, np.float32).tobytes())

    def _places(self, every: list[Look], size: int, layer: int = 0) -> tuple[F32, F32]:
        """(S, S, 4) neutral place and label, (S, S, 4) rest place and 1 where anything is."""
        target = self._context.places(size, 2)
        self._paint.set("truth", "view", VIEW)
        for part in self._parts:
            look, material = every[part.index], part.material
            arrays = part.arrays if not layer else part.layers.get(layer)
            if look.base[3] < 0.5 or arrays is None:
                continue
            self._paint.picture("file", material.texture).use(0)
            self._paint.set("truth", "alpha", look.base[3])
            self._paint.set("truth", "opaque", float(material.opaque))
            self._paint.set("truth", "cutoff", material.cutoff)
            self._paint.set("truth", "uv_transform", look.uv)
            self._context.cull(not (material.double_sided or layer))
            self._paint.set("truth", "expand", 0.0)
            arrays["truth"].render()
            if look.edge_size > 0 and look.edge[3] > 0.5:  # outlines belong to what they go round
                self._paint.set("truth", "expand", look.edge_size * EDGE_ROWS)
                self._context.cull(True, "front")
                arrays["truth"].render()
        return floats(target), floats(target, 1)

    def _with_truth(self, rgba: U8, pose: Pose, positions: F32, stance: Stance, size: int) -> Rendering:
        assert self._puppet is not None
        puppet = self._puppet
        every = looks(puppet.model, stance.weights)
        self._write("rest", self._rest)
        if size not in self._rest_depths:
            self._write("position", self._rest)
            self._write("neutral", self._rest)
            first, second = self._places(looks(puppet.model, {}), size)
            self._rest_depths[size] = front(first, second[..., 3])
        still = expression(pose)
        key = (*still.values(), float(size))
        if key not in self._neutrals:
            neutral = self._posed(puppet.stance(still))[0]
            self._write("neutral", neutral)
            self._write("position", neutral)
            first, second = self._places(every, size)
            if len(self._neutrals) >= NEUTRALS:
                self._neutrals.pop(next(iter(self._neutrals)))
            self._neutrals[key] = neutral, front(first, second[..., 3])
        neutral, neutral_depth = self._neutrals[key]
        self._write("neutral", neutral)
        self._write("position", positions)
        return told(rgba, *self._places(every, size), neutral_depth, self._rest_depths[size])


def expression(pose: Pose) -> Pose:
    """The same face with everything else at rest."""
    return Pose.from_names({n.name: getattr(pose, n.name) for n in NUMBERS if n.group not in ("Head", "Body")})


def _frame(puppet: Puppet) -> tuple[float, float, float, float]:
    """Middle x, top y, units a spec px, z of the axis; without a head the whole model fills the picture."""
    a = puppet.annotation
    if a is not None:
        return a.middle, a.top, puppet.spec_px, a.neck_tip[2]
    p = puppet.model.positions[puppet.model.triangles.ravel()]
    low, high = p.min(0), p.max(0)
    px = max(float((high - low)[:2].max()) / 230, 1e-9)
    middle = (low + high) / 2
    return float(middle[0]), float(middle[1]) + HEAD_ROWS / 2 * px, px, float(middle[2])
