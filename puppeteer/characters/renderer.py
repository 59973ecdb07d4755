"""Poses characters with OpenGL 3.3: supersampled colour, and what only a renderer knows.

A second OpenGL context in one process corrupts the first: a `Renderer` belongs in a process of its own, as in `Artist`.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from puppeteer import relief
from puppeteer.characters import shaders
from puppeteer.characters.geometry import PART_NEW, Layer, build
from puppeteer.characters.layers import ENDS_AT, GROUPS, LAYERS, LayerRendering
from puppeteer.characters.mesh import TIP_Z
from puppeteer.characters.recipe import IRISES, IRISES_TEST, Recipe
from puppeteer.errors import RenderError
from puppeteer.pose import F32, NECK_RANGE_DEG, U8, Pose

__all__ = ["Renderer", "Rendering"]

SUPERSAMPLE = 2
_FORMAT = "3f 3f 3f 2f 3f 4f 4f"
_NAMES = ("position", "morph", "normal", "weight", "mask", "material", "colour")
_DESIGNS = {name: i for i, name in enumerate((*IRISES, *IRISES_TEST))}


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """One picture of a posed character, and on request its truth.

    Positions are continuous pixels of this size: the centre of the pixel in column c and row r is (c + 0.5, r + 0.5),
    so `2 * xy / size - 1` is a grid for `grid_sample(..., align_corners=False)`. Truth is sampled at pixel centres.
    """

    rgba: U8  # (S, S, 4) sRGB, straight alpha, (0, 0, 0, 0) where transparent
    neutral_xy: F32 | None = None  # (S, S, 2) where this surface point lies with neck zero and the same expression
    neutral_z: F32 | None = None  # (S, S) its depth there, in pixels, greater is nearer
    rest_xy: F32 | None = None  # (S, S, 2) where it lies in the rest image
    part: U8 | None = None  # (S, S) 0 background, 1 body, 2 head, 3 back hair, 4 not explained by moving pixels
    neutral_depth: F32 | None = None  # (S, S) depth of the front surface with neck zero and the same expression
    visible: U8 | None = None  # (S, S) 1 where this point was the front surface with neck zero


@functools.cache
def _noise() -> U8:
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


class Renderer:
    """One OpenGL context and the character it holds.

    Raises RenderError where no OpenGL 3.3 can be had.
    """

    def __init__(self) -> None:
        os.environ.setdefault("LP_NUM_THREADS", "1")
        try:
            import moderngl

            if sys.platform.startswith("linux"):
                self._gl: Any = moderngl.create_context(standalone=True, require=330, backend="egl")  # type: ignore[arg-type]
            else:
                self._gl = moderngl.create_context(standalone=True, require=330)
        except Exception as error:
            raise RenderError(
                f"no OpenGL 3.3 for drawing characters ({error}): install a graphics driver "
                "(on Linux Mesa's libegl1 and libgl1-mesa-dri)"
            ) from error
        self._flags = moderngl
        gl = self._gl
        gl.front_face = "cw"  # rows grow downwards
        make = self._program
        self._programs: dict[str, Any] = {
            "skin": make(shaders.SKIN),
            "body": make(shaders.BODY),
            "hair": make(shaders.HAIR),
            "ink": make(shaders.INK),
            "eye": make(shaders.EYE, "EYE"),
            "solid": make(shaders.SOLID),
            "hull": make(shaders.HULL),
            "mask": make(shaders.MASK),
            "truth": make(shaders.TRUTH, "TRUTH"),
            "truth_ink": make(shaders.TRUTH_INK, "TRUTH"),
            "place": make(shaders.PLACE, "TRUTH"),
            "place_ink": make(shaders.PLACE_INK, "TRUTH"),
        }
        for name, flatten in (("skin", 0.8), ("body", 0.35), ("solid", 0.3), ("hair", 0.0)):
            self._programs[name]["flatten"].value = flatten
        self._noise = gl.texture((256, 256), 4, _noise().tobytes())
        self._noise.repeat_x = self._noise.repeat_y = True
        self._shade_map = gl.texture((256, 256), 2)
        self._shade_map.repeat_x = self._shade_map.repeat_y = False
        self._mask_target = gl.framebuffer([gl.texture((256, 256), 1)], gl.depth_renderbuffer((256, 256)))
        self._targets: dict[int, Any] = {}
        self._place_targets: dict[int, Any] = {}
        self._truth_targets: dict[int, tuple[Any, Any]] = {}
        self._buffers: list[Any] = []
        self._layers: list[Layer] = []
        self._arrays: list[dict[str, Any]] = []
        self._neutral_of: tuple[object, ...] | None = None
        self._neutral_depth = np.zeros((0, 0), np.float32)
        self._identity = np.zeros((0, 0, 2), np.float32)
        self._recipe: Recipe | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the context back; closing twice is harmless."""
        if self._gl is not None:
            self._free()
            self._gl.release()
            self._gl = None

    def _program(self, fragment: str, define: str = "") -> Any:
        vertex = shaders.VERTEX.replace("#version 330", f"#version 330\n#define {define or 'PLAIN'} 1")
        return self._gl.program(vertex_shader=vertex.strip(), fragment_shader=fragment.strip())

    def _free(self) -> None:
        for thing in self._buffers:
            thing.release()
        self._buffers, self._arrays, self._layers = [], [], []

    # ---- one character -------------------------------------------------------------------------------------

    def load(self, recipe: Recipe) -> None:
        """Builds the geometry and uploads it, once per character."""
        self._free()
        gl = self._gl
        self._recipe = recipe
        self._layers = build(recipe)
        for layer in self._layers:
            vertices = gl.buffer(layer.vertices.tobytes())
            indices = gl.buffer(layer.triangles.tobytes())
            self._buffers += [vertices, indices]
            arrays = {}
            ink = "_ink" if layer.program == "ink" else ""
            names = [layer.program, f"truth{ink}", f"place{ink}", "mask"]
            if layer.hull:
                names.append("hull")
            for name in names:
                program = self._programs[name]
                used = [(fmt, n) for fmt, n in zip(_FORMAT.split(), _NAMES, strict=True) if n in program]
                layout = " ".join(
                    fmt if n in program else f"{4 * int(fmt[0])}x"
                    for fmt, n in zip(_FORMAT.split(), _NAMES, strict=True)
                )
                arrays[name] = gl.vertex_array(
                    program, [(vertices, layout, *[n for _, n in used])], indices, index_element_size=4
                )
                self._buffers.append(arrays[name])
            self._arrays.append(arrays)
        self._neutral_of = None
        self._look(recipe)
        self._shadows()

    def _set(self, name: str, value: Any) -> None:
        for program in self._programs.values():
            if name in program:
                program[name].value = value

    def _look(self, r: Recipe) -> None:
        s, h, e, b, f = r.style, r.hair, r.eyes, r.body, r.face
        length = math.sqrt(sum(v * v for v in s.light))
        cool = tuple(0.55 + 0.4 * c for c in (0.55, 0.45, 0.75))
        values: dict[str, Any] = {
            "root": (*r.root_xy, 0.0),
            "tip": (*r.tip_xy, TIP_Z),
            "relief": (relief.TURN_RELIEF, relief.NOD_RELIEF, relief.TURN_BACK, relief.SQUASH),
            "axes": (relief.TURN_DEPTH, relief.NOD_DEPTH, relief.BACK, relief.NOD_BACK),
            "light": tuple(v / length for v in s.light),
            "softness": s.softness,
            "strength": s.shade_strength,
            "texture_strength": s.texture,
            "noise": 0,
            "shade_map": 1,
            "neutral": 2,
            "skin": r.skin,
            "skin_shadow": r.skin_shadow,
            "blush": f.blush_colour,
            "blush_strength": f.blush,
            "blush_spot": (e.spacing + 3.0, e.y + e.lower + 5.0, 7.5, 4.2),
            "shade_shift": s.shadow_shift,
            "hair_shadow": s.hair_shadow,
            "neck_shadow": 0.5 + 0.5 * max(s.shade_strength, s.hair_shadow),
            "cloth": b.cloth,
            "trim": b.trim,
            "cloth_shadow": cool,
            "neckline": b.neckline,
            "trim_width": b.trim_width,
            "bare": b.bare,
            "straps": float(b.straps),
            "neck_y": 208.0,
            "hair_root": h.root,
            "hair_mid": h.mid,
            "hair_tip": h.tip,
            "hair_inner": h.inner,
            "hair_shadow_colour": tuple(min(1.0, a / max(c, 0.05)) for a, c in zip(h.shadow, h.mid, strict=True)),
            "hair_light": h.light,
            "strands": h.strands,
            "jacket": b.jacket,
            "braces": b.braces,
            "inner": b.inner,
            "accent": b.accent,
            "hair_line": h.line,
            "band": h.band,
            "streaks": h.streaks,
            "line_width": s.line_width,
            "line_alpha": s.hair_line,
            "opacity": 1.0,
            "iris_top": e.top,
            "iris_bottom": e.bottom,
            "iris_bottom_left": e.other or e.bottom,
            "iris_rim": e.rim,
            "sclera": e.sclera,
            "pupil": e.pupil,
            "glow": e.glow,
            "design": _DESIGNS[e.iris],
            "lights": [*e.highlights, *[(9.0, 9.0, 0.1, 0.1)] * (3 - len(e.highlights))],
        }
        for name, value in values.items():
            self._set(name, value)

    def _camera(self, expression: tuple[float, float, float], neck: tuple[float, float, float]) -> None:
        self._set("expression", expression)
        self._set("neck", neck)

    def _shadows(self) -> None:
        """What throws a shadow on the skin of the rest image: front hair, and the whole head."""
        gl = self._gl
        self._camera((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        self._programs["mask"]["expand"].value = 0.0
        planes = []
        gl.enable_only(self._flags.DEPTH_TEST)
        for names in (("front", "prop_head"), ("front", "prop_head", "skin", "cap")):
            self._mask_target.use()
            self._mask_target.clear()
            for layer, arrays in zip(self._layers, self._arrays, strict=True):
                if layer.name in names:
                    arrays["mask"].render()
            plane = np.frombuffer(self._mask_target.read(components=1), np.uint8).reshape(256, 256)
            planes.append(plane)
        soft = self._recipe.style.softness if self._recipe else 0.1
        planes = [cv2.GaussianBlur(p, (0, 0), 0.7 + 3.5 * soft * (1 + i)) for i, p in enumerate(planes)]
        self._shade_map.write(np.stack(planes, -1).tobytes())

    # ---- one picture ---------------------------------------------------------------------------------------

    def render(self, pose: Pose, size: int = 256, truth: bool = False) -> Rendering:
        """The loaded character in a pose, `size` pixels square.

        Raises RenderError where the size is below 16 or above 4096 pixels, or nothing was loaded.
        """
        if self._recipe is None:
            raise RenderError("no character is loaded: call load before render")
        if not 16 <= size <= 4096:
            raise RenderError(f"a character cannot be drawn {size} px wide: choose 16 to 4096")
        pose = pose.clamped()
        expression, neck = _angles(pose)
        rgba = self._colour(expression, neck, size)
        if not truth:
            return Rendering(rgba)
        return self._with_truth(rgba, expression, neck, size)

    def layers(self, pose: Pose, size: int = 256, truth: bool = False) -> LayerRendering:
        """Every layer of the loaded character in a pose, alone and complete; with `truth`, depth and follow too.

        Raises RenderError as `render` does.
        """
        whole = self.render(pose, size).rgba
        expression, neck = _angles(pose.clamped())
        colours, places = [], []
        for name in LAYERS:
            colours.append(self._premultiplied(expression, neck, size, GROUPS[name], ENDS_AT.get(name, ())))
            if truth:
                place = self._places(expression, neck, size, {name: GROUPS[name]})
                places.append(np.where(place[..., 3:] > 0, place, np.float32(np.nan)))
        number = self._places(expression, neck, size * SUPERSAMPLE, GROUPS)[..., 3]
        seen = [
            cv2.resize(np.where(number == i + 1, 255, 0).astype(np.uint8), (size, size), interpolation=cv2.INTER_AREA)
            for i in range(len(LAYERS))
        ]
        depth = follow = None
        if truth:
            depth = np.stack([place[..., 0] for place in places])
            follow = np.stack([place[..., 1:3] for place in places])
        return LayerRendering(premultiplied(whole), np.stack(seen), np.stack(colours), depth, follow)

    def _places(
        self,
        expression: tuple[float, float, float],
        neck: tuple[float, float, float],
        size: int,
        wanted: dict[str, tuple[str, ...]],
    ) -> F32:
        """(size, size, 4) of the front surface: depth, follow of root and tip, 1 + number of its layer, 0 for none."""
        gl, flags, r = self._gl, self._flags, self._recipe
        assert r is not None
        if size not in self._place_targets:
            texture = gl.texture((size, size), 4, dtype="f4")
            self._place_targets[size] = gl.framebuffer([texture], gl.depth_renderbuffer((size, size)))
        target = self._place_targets[size]
        target.use()
        target.clear(0.0, 0.0, 0.0, 0.0)
        self._camera(expression, neck)
        pairs = list(zip(self._layers, self._arrays, strict=True))
        gl.depth_func = "<="
        for ink in (False, True):
            for layer, arrays in pairs:
                if (layer.program in ("ink", "eye")) is not ink:
                    continue
                for name, groups in wanted.items():
                    inside = _inside(layer, groups)
                    if layer.name not in groups and not inside:
                        continue
                    gl.enable_only(flags.DEPTH_TEST)
                    self._cull(layer, alone=True, inside=inside)
                    program = "place_ink" if layer.program == "ink" else "place"
                    self._programs[program]["part"].value = LAYERS.index(name) + 1.0
                    # outlines belong to what they go round
                    lined = layer.hull and r.style.line_alpha > 0 and not inside
                    self._set("expand", r.style.line_width if lined else 0.0)
                    arrays[program].render()
        self._set("expand", 0.0)
        out = np.frombuffer(target.read(components=4, dtype="f4"), np.float32)
        return out.reshape(size, size, 4)

    def _colour(self, expression: tuple[float, float, float], neck: tuple[float, float, float], size: int) -> U8:
        return straight(self._premultiplied(expression, neck, size))

    def _premultiplied(
        self,
        expression: tuple[float, float, float],
        neck: tuple[float, float, float],
        size: int,
        groups: tuple[str, ...] | None = None,
        ends_at: tuple[str, ...] = (),
    ) -> U8:
        """All of the character, or some groups of it alone, but for what lies behind others (`ends_at`)."""
        gl, flags, r = self._gl, self._flags, self._recipe
        assert r is not None
        big = size * SUPERSAMPLE
        if big not in self._targets:
            self._targets[big] = gl.framebuffer([gl.texture((big, big), 4)], gl.depth_renderbuffer((big, big)))
        target = self._targets[big]
        target.use()
        target.clear()
        self._noise.use(0)
        self._shade_map.use(1)
        self._camera(expression, neck)
        self._set("expand", 0.0)
        gl.enable_only(flags.DEPTH_TEST)
        gl.depth_func = "<="
        style = r.style
        pairs = [
            (layer, arrays, groups is not None and _inside(layer, groups))
            for layer, arrays in zip(self._layers, self._arrays, strict=True)
            if groups is None or layer.name in groups or _inside(layer, groups)
        ]
        if ends_at:
            target.color_mask = False, False, False, False
            target.use()
            for layer, arrays in zip(self._layers, self._arrays, strict=True):
                inside = _inside(layer, ends_at)
                if (layer.name in ends_at or inside) and layer.program not in ("ink", "eye"):
                    self._cull(layer, True, inside)
                    arrays["mask"].render()
            target.color_mask = True, True, True, True
            target.use()
        for layer, arrays, inside in pairs:
            if layer.program not in ("ink", "eye"):
                self._cull(layer, groups is not None, inside)
                arrays[layer.program].render()
        if style.line_alpha > 0:
            gl.enable_only(flags.DEPTH_TEST | flags.CULL_FACE)
            gl.cull_face = "front"
            hull = self._programs["hull"]
            hull["expand"].value = style.line_width
            for layer, arrays, inside in pairs:
                if layer.hull and not inside:
                    line, base, own = {
                        "skin": (r.skin_line, r.skin, 0.0),
                        "solid": (r.skin_line, r.skin, 1.0),
                        "hair": (r.hair.line, r.hair.mid, 0.0),
                        "body": (tuple(0.35 * c for c in r.body.cloth), r.body.cloth, 0.0),
                    }[layer.program]
                    a = style.line_alpha
                    hull["line"].value = tuple(x * a + y * (1 - a) for x, y in zip(line, base, strict=True))
                    hull["own"].value = own
                    arrays["hull"].render()
        gl.enable_only(flags.DEPTH_TEST | flags.BLEND)
        gl.blend_func = flags.ONE, flags.ONE_MINUS_SRC_ALPHA
        for layer, arrays, _ in pairs:
            if layer.program in ("ink", "eye"):
                arrays[layer.program].render()
        if groups is None and max(r.face.through_hair, r.face.eye_through_hair) > 0:
            gl.depth_func = ">"
            target.depth_mask = False
            for layer, arrays, _ in pairs:
                opacity = {
                    "eyes": r.face.eye_through_hair,
                    "lash": r.face.through_hair,
                    "brow": r.face.through_hair,
                }.get(layer.name, 0.0)
                if opacity > 0:
                    self._programs[layer.program]["opacity"].value = opacity
                    arrays[layer.program].render()
            self._programs["ink"]["opacity"].value = self._programs["eye"]["opacity"].value = 1.0
            target.depth_mask = True
            gl.depth_func = "<="
        pixels = np.frombuffer(target.read(components=4), np.uint8).reshape(big, big, 4)
        small = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
        if style.fringe > 0 and groups is None:
            small = _fringed(small, style.fringe, style.ragged)
        return np.asarray(small, np.uint8)

    def _cull(self, layer: Layer, alone: bool = False, inside: bool = False) -> None:
        """Closed shapes: half of their triangles are never seen. Alone, the cap is either its outside or its inside."""
        self._gl.cull_face = "front" if inside else "back"
        if layer.program in ("skin", "body") or (alone and layer.name == "cap"):
            self._gl.enable(self._flags.CULL_FACE)
        else:
            self._gl.disable(self._flags.CULL_FACE)

    # ---- truth ---------------------------------------------------------------------------------------------

    def _truth_pass(
        self,
        target: Any,
        expression: tuple[float, float, float],
        neck: tuple[float, float, float],
        size: int,
        check: bool,
    ) -> None:
        gl, flags, r = self._gl, self._flags, self._recipe
        assert r is not None
        target.use()
        target.clear(0.0, 0.0, 0.0, 0.0)
        gl.enable_only(flags.DEPTH_TEST)
        gl.depth_func = "<="
        plain, ink = self._programs["truth"], self._programs["truth_ink"]
        rest = (0.0, 0.0, r.rest_mouth)
        for program in (plain, ink):
            for name, value in (
                ("expression", expression),
                ("neck", neck),
                ("rest_expression", rest),
                ("size", float(size)),
                ("check", float(check)),
                ("expand", 0.0),
                ("mouth_shown", float(r.rest_mouth > 0.15)),
                ("still", 0.0),
            ):
                if name in program:
                    program[name].value = value
        pairs = list(zip(self._layers, self._arrays, strict=True))

        def draw(layer: Layer, arrays: dict[str, Any], part: int) -> None:
            name = "truth_ink" if layer.program == "ink" else "truth"
            self._programs[name]["part"].value = float(part)
            if name == "truth":
                plain["still"].value = float(layer.program == "eye")
            arrays[name].render()

        for layer, arrays in pairs:
            if layer.program not in ("ink", "eye"):
                self._cull(layer)
                # outlines belong to what they go round
                plain["expand"].value = r.style.line_width if layer.hull and r.style.line_alpha > 0 else 0.0
                draw(layer, arrays, layer.part)
        plain["expand"].value = 0.0
        gl.enable_only(flags.DEPTH_TEST)
        # where features were in the rest image and are no longer: skin that no pixel of it shows
        target.depth_mask = False
        plain["expression"].value = ink["expression"].value = rest
        for layer, arrays in pairs:
            if layer.morphs:
                draw(layer, arrays, PART_NEW)
        target.depth_mask = True
        plain["expression"].value = ink["expression"].value = expression
        for layer, arrays in pairs:
            if layer.program in ("ink", "eye"):
                draw(layer, arrays, layer.part)
        if r.face.through_hair > 0.5:
            gl.depth_func = ">"
            target.depth_mask = False
            for layer, arrays in pairs:
                if layer.name in ("lash", "brow"):
                    draw(layer, arrays, layer.part)
            target.depth_mask = True
            gl.depth_func = "<="

    def _with_truth(
        self, rgba: U8, expression: tuple[float, float, float], neck: tuple[float, float, float], size: int
    ) -> Rendering:
        gl, recipe = self._gl, self._recipe
        assert recipe is not None
        if size not in self._truth_targets:
            made = [
                gl.framebuffer(
                    [gl.texture((size, size), 4, dtype="f4"), gl.texture((size, size), 4, dtype="f4")],
                    gl.depth_renderbuffer((size, size)),
                )
                for _ in range(2)
            ]
            self._truth_targets[size] = (made[0], made[1])
        neutral, posed = self._truth_targets[size]
        if self._neutral_of != (size,):
            # Once per character: lids and lips lie flat on the face, far nearer to it than the tolerance of `visible`.
            self._noise.use(2)
            self._truth_pass(neutral, (0.0, 0.0, recipe.rest_mouth), (0.0, 0.0, 0.0), size, check=False)
            self._neutral_of = (size,)
            planes = np.frombuffer(neutral.read(components=4, dtype="f4"), np.float32).reshape(size, size, 4)
            self._neutral_depth = np.where(planes[..., 3] > 0, planes[..., 2], np.float32(-1e6))
            grid = np.arange(size, dtype=np.float32) + 0.5
            self._identity = np.stack(np.broadcast_arrays(grid[None], grid[:, None]), -1)
        neutral.color_attachments[0].use(2)
        self._truth_pass(posed, expression, neck, size, check=True)
        first, second = (
            np.frombuffer(posed.read(components=4, attachment=i, dtype="f4"), np.float32).reshape(size, size, 4)
            for i in (0, 1)
        )
        return Rendering(
            rgba,
            first[..., :2] + self._identity,
            first[..., 2].astype(np.float32),
            second[..., :2] + self._identity,
            first[..., 3].astype(np.uint8),
            self._neutral_depth,
            second[..., 2].astype(np.uint8),
        )


def _angles(pose: Pose) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Expression, and the neck's angles in radians."""
    angle = math.radians(NECK_RANGE_DEG)
    neck = (pose.neck_z * angle, pose.neck_x * angle, pose.neck_y * angle)
    return (pose.eye_left, pose.eye_right, pose.mouth_open), neck


def _inside(layer: Layer, groups: tuple[str, ...]) -> bool:
    """Whether `layer` is there as what is seen of it from inside."""
    return f"{layer.name}_inside" in groups


def premultiplied(rgba: U8) -> U8:
    """(..., 4) straight to premultiplied alpha"""
    out = rgba.copy()
    out[..., :3] = (rgba[..., :3].astype(np.uint16) * rgba[..., 3:] + 127) // 255
    return out


def _fringed(premultiplied: U8, strength: float, ragged: float) -> U8:
    """A pale halo round the character, as careless cutting-out leaves it; `ragged` breaks it up."""
    size = premultiplied.shape[0]
    alpha = np.ascontiguousarray(premultiplied[..., 3])
    reach = max(1, round(size / 256 * 1.2))
    wide = cv2.dilate(alpha, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    halo = np.where(wide > alpha, wide - alpha, 0).astype(np.float32) * strength
    if ragged > 0:
        noise = cv2.resize(_noise()[..., 3], (size, size)).astype(np.float32) / 255
        halo *= 1 - ragged * np.clip((noise - 0.35) * 4, 0, 1)
    out = premultiplied.astype(np.float32) + halo[..., None]
    return np.asarray(np.minimum(out + 0.5, 255), np.uint8)


def straight(premultiplied: U8) -> U8:
    """(H, W, 4) premultiplied to straight alpha, (0, 0, 0, 0) where transparent."""
    out = premultiplied.copy()
    alpha = premultiplied[..., 3]
    edge = (alpha > 0) & (alpha < 255)
    some = premultiplied[edge].astype(np.float32)
    some[:, :3] = np.minimum(some[:, :3] * (255.0 / some[:, 3:]) + 0.5, 255.0)
    out[edge] = some
    return out
