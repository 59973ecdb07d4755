"""The character that an OpenGL context holds: programs, uploaded geometry, and how it stands."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple, Self

import cv2
import numpy as np

from puppeteer.characters import paint, shaders
from puppeteer.characters.geometry import ALONE, Layer, build
from puppeteer.characters.look import look
from puppeteer.characters.moving import COLUMNS, face, six
from puppeteer.characters.opengl import Context
from puppeteer.characters.recipe import Recipe
from puppeteer.errors import RenderError
from puppeteer.pose import F32, NECK_RANGE_DEG, U8, Pose
from puppeteer.relief import BODY_TURN_DEG, LEAN_DEG

_FORMAT = "3f 3f 3f 2f 3f 4f 4f 2f"
_NAMES = ("position", "morph", "normal", "weight", "mask", "material", "colour", "hang")
_SHIFT_FORMAT, _SHIFT_NAMES = "3f 4f", ("shift", "look")  # written anew for every face
Arrays = dict[str, Any]


class Stance(NamedTuple):
    """A pose as the vertex shader takes it."""

    expression: tuple[float, float, float] = (0.0, 0.0, 0.0)  # left eye, right eye, mouth
    neck: tuple[float, float, float] = (0.0, 0.0, 0.0)  # radians about z, x, y
    figure: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # radians of lean and turn; breath; hair
    face: Pose = Pose()  # what changes a face beyond its expression; all 0 where nothing does

    @classmethod
    def of(cls, pose: Pose) -> Self:
        pose, angle = pose.clamped(), math.radians(NECK_RANGE_DEG)
        neck = (pose.neck_z * angle, pose.neck_x * angle, pose.neck_y * angle)
        lean, turn = math.radians(LEAN_DEG) * pose.body_z, math.radians(BODY_TURN_DEG) * pose.body_y
        changed, expression = face(pose), six(pose)
        return cls(
            (pose.eye_left, pose.eye_right, pose.mouth_open),
            neck,
            (lean, turn, pose.breath, pose.hair_x),
            Pose() if changed == expression else changed,
        )


@functools.cache
def noise() -> U8:
    """(256, 256, 4) tiling noise, fixed: streaks of hair, low frequencies of paint, folds of cloth, grain."""
    rng = np.random.default_rng(20240607)

    def smooth(sx: float, sy: float) -> F32:
        spectrum = np.fft.fft2(rng.normal(size=(256, 256)))
        fy, fx = np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None]
        image = np.fft.ifft2(spectrum * np.exp(-((fx * sx) ** 2 + (fy * sy) ** 2) * 18)).real
        image = (image - image.mean()) / image.std()
        return np.asarray(np.clip(0.5 + 0.22 * image, 0, 1), np.float32)

    channels = [smooth(2.5, 14.0), smooth(9.0, 9.0) * 0.7 + smooth(3.0, 3.0) * 0.3, smooth(5, 8), smooth(0.5, 0.5)]
    return np.asarray(np.stack(channels, -1) * 255, np.uint8)


def inside(layer: Layer, groups: tuple[str, ...]) -> bool:
    """Whether `layer` is there as what is seen of it from inside."""
    return f"{layer.name}_inside" in groups


def _content(program: Any, buffer: Any, kinds: str, names: tuple[str, ...], each: str = "/v") -> tuple[Any, ...]:
    """What of a buffer's columns a program takes."""
    columns = list(zip(kinds.split(), names, strict=True))
    layout = " ".join(kind if used in program else f"{4 * int(kind[0])}x" for kind, used in columns)
    return buffer, f"{layout} {each}", *[used for _, used in columns if used in program]


class Scene:
    """One OpenGL context and the character it holds. Raises RenderError where no OpenGL 3.3 can be had."""

    def __init__(self) -> None:
        self.context = Context()
        gl, make = self.context.gl, self._program
        self.programs: dict[str, Any] = {
            "skin": make(paint.SKIN),
            "body": make(paint.BODY),
            "hair": make(paint.HAIR),
            "ink": make(paint.INK),
            "eye": make(paint.EYE, "EYE"),
            "solid": make(paint.SOLID),
            "hull": make(shaders.HULL),
            "mask": make(shaders.MASK),
            "truth": make(shaders.TRUTH, "TRUTH"),
            "truth_ink": make(shaders.TRUTH_INK, "TRUTH"),
            "place": make(shaders.PLACE, "TRUTH"),
            "place_ink": make(shaders.PLACE_INK, "TRUTH"),
        }
        for name, flatten in (("skin", 0.8), ("body", 0.35), ("solid", 0.3), ("hair", 0.0)):
            self.programs[name]["flatten"].value = flatten
        self._noise = gl.texture((256, 256), 4, noise().tobytes())
        self._noise.repeat_x = self._noise.repeat_y = True
        self._shade_map = gl.texture((256, 256), 2)
        self._shade_map.repeat_x = self._shade_map.repeat_y = False
        self._mask_target = gl.framebuffer([gl.texture((256, 256), 1)], gl.depth_renderbuffer((256, 256)))
        self._still = gl.buffer(np.zeros(COLUMNS, np.float32).tobytes())  # of all that no face is
        self._buffers: list[Any] = []
        self._shifts: list[tuple[Layer, Any]] = []  # what a pose adds to the vertices of a face
        self._faced = Pose()  # what those are for
        self._recipe: Recipe | None = None
        self.pairs: list[tuple[Layer, Arrays]] = []  # opaque ones first, from front to back
        self.alone: list[tuple[Layer, Arrays]] = []  # no part of the whole
        self.loads = 0

    def close(self) -> None:
        """Gives the context back; closing twice is harmless."""
        if self.context.gl is not None:
            self._free()
            self.context.close()

    def _program(self, fragment: str, define: str = "") -> Any:
        vertex = shaders.VERTEX.replace("#version 330", f"#version 330\n#define {define or 'PLAIN'} 1")
        return self.context.program(vertex, fragment)

    def _free(self) -> None:
        for thing in self._buffers:
            thing.release()
        self._buffers, self.pairs, self.alone, self._shifts, self._faced = [], [], [], [], Pose()

    @property
    def recipe(self) -> Recipe:
        """Raises RenderError where nothing was loaded."""
        if self._recipe is None:
            raise RenderError("no character is loaded: call load before render")
        return self._recipe

    def load(self, recipe: Recipe) -> None:
        """Builds the geometry and uploads it, once per character."""
        self._free()
        self._recipe = recipe
        self.loads += 1
        uploaded = [(layer, self._uploaded(layer)) for layer in build(recipe)]
        self.pairs = [pair for pair in uploaded if pair[0].name != ALONE]
        self.alone = [pair for pair in uploaded if pair[0].name == ALONE]
        for name, value in look(recipe).items():
            self.set(name, value)
        self._shadows(recipe.style.softness)

    def _uploaded(self, layer: Layer) -> Arrays:
        """Vertex arrays for every program that a layer is drawn with."""
        gl = self.context.gl
        vertices, indices = gl.buffer(layer.vertices.tobytes()), gl.buffer(layer.triangles.tobytes())
        self._buffers += [vertices, indices]
        shifts, each = self._still, "/i"
        if layer.pieces:
            shifts, each = gl.buffer(layer.shifted(Pose()).tobytes(), dynamic=True), "/v"
            self._buffers.append(shifts)
            self._shifts.append((layer, shifts))
        ink = "_ink" if layer.program == "ink" else ""
        arrays: Arrays = {}
        for name in [layer.program, f"truth{ink}", f"place{ink}", "mask", *(["hull"] if layer.hull else [])]:
            program = self.programs[name]
            content = [_content(program, vertices, _FORMAT, _NAMES)]
            content.append(_content(program, shifts, _SHIFT_FORMAT, _SHIFT_NAMES, each))
            arrays[name] = gl.vertex_array(program, content, indices, index_element_size=4)
            self._buffers.append(arrays[name])
        return arrays

    def set(self, name: str, value: Any) -> None:
        """A uniform of every program that has it."""
        for program in self.programs.values():
            if name in program:
                program[name].value = value

    def stand(self, stance: Stance) -> None:
        self.set("expression", stance.expression)
        self.set("neck", stance.neck)
        self.set("figure", stance.figure)
        self.set("shifted", 1.0)
        if stance.face != self._faced:
            for layer, buffer in self._shifts:
                buffer.write(layer.shifted(stance.face).tobytes())
            self._faced = stance.face

    def _shadows(self, softness: float) -> None:
        """What throws a shadow on the skin of the rest image: front hair, and the whole head."""
        self.stand(Stance())
        self.programs["mask"]["expand"].value = 0.0
        planes = []
        self.context.gl.enable_only(self.context.flags.DEPTH_TEST)
        for names in (("front", "prop_head"), ("front", "prop_head", "skin", "cap")):
            self._mask_target.use()
            self._mask_target.clear()
            for layer, arrays in self.pairs:
                if layer.name in names:
                    arrays["mask"].render()
            plane = np.frombuffer(self._mask_target.read(components=1), np.uint8).reshape(256, 256)
            planes.append(plane)
        planes = [cv2.GaussianBlur(p, (0, 0), 0.7 + 3.5 * softness * (1 + i)) for i, p in enumerate(planes)]
        self._shade_map.write(np.stack(planes, -1).tobytes())

    def textures(self) -> None:
        """Into use what the programs of surfaces look into."""
        self._noise.use(0)
        self._shade_map.use(1)

    def cull(self, layer: Layer, alone: bool = False, inner: bool = False) -> None:
        """Closed shapes: half of their triangles are never seen. Alone, the cap is either its outside or its inside."""
        closed = layer.program in ("skin", "body") or (alone and layer.name == "cap")
        self.context.cull(closed, "front" if inner else "back")
