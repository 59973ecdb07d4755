"""Poses characters with OpenGL 3.3: supersampled colour, and what only a renderer knows."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from puppeteer.characters.geometry import Layer
from puppeteer.characters.layers import BARE_FACE, ENDS_AT, FEATURES, GROUPS, LAYERS, FeatureRendering, LayerRendering
from puppeteer.characters.opengl import SUPERSAMPLE, check_size, pixels, shares
from puppeteer.characters.recipe import Recipe
from puppeteer.characters.scene import Arrays, Scene, Stance, inside, noise
from puppeteer.characters.truth import TruthTeller
from puppeteer.image import premultiplied, unpremultiplied
from puppeteer.pose import F32, U8, Pose

__all__ = ["Renderer", "Rendering"]

ONLY_IRIS = 0.998  # the opacity from which on an eye is all of its window


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


class Renderer:
    """The character that it holds, in any pose. It belongs in a process of its own (`opengl`).

    Raises RenderError where no OpenGL 3.3 can be had.
    """

    def __init__(self) -> None:
        self._scene = Scene()
        self._truth = TruthTeller(self._scene)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the context back; closing twice is harmless."""
        self._scene.close()

    def load(self, recipe: Recipe) -> None:
        """Builds the geometry and uploads it, once per character."""
        self._scene.load(recipe)

    def render(self, pose: Pose, size: int = 256, truth: bool = False) -> Rendering:
        """The loaded character in a pose, `size` pixels square.

        Raises RenderError where the size is below 16 or above 4096 pixels, or nothing was loaded.
        """
        check_size(size, "a character")
        stance = Stance.of(pose)
        rgba = unpremultiplied(self._premultiplied(stance, size))
        return Rendering(rgba, *self._truth.of(stance, size)) if truth else Rendering(rgba)

    def layers(self, pose: Pose, size: int = 256, truth: bool = False) -> LayerRendering:
        """Every layer of the loaded character in a pose, alone and complete; with `truth`, depth and follow too.

        Raises RenderError as `render` does.
        """
        whole = self.render(pose, size).rgba
        stance = Stance.of(pose)
        colours, places = [], []
        for name in LAYERS:
            colours.append(self._premultiplied(stance, size, GROUPS[name], ENDS_AT.get(name, ())))
            if truth:
                place = self._truth.places(stance, size, {name: GROUPS[name]})
                places.append(np.where(place[..., 3:] > 0, place, np.float32(np.nan)))
        seen = shares(self._truth.places(stance, size * SUPERSAMPLE, GROUPS)[..., 3], len(LAYERS), size)
        depth = follow = None
        if truth:
            depth = np.stack([place[..., 0] for place in places])
            follow = np.stack([place[..., 1:3] for place in places])
        return LayerRendering(premultiplied(whole), seen, np.stack(colours), depth, follow)

    def features(self, pose: Pose, size: int = 256) -> FeatureRendering:
        """The parts of the loaded character's face in a pose, and the skin without them. Raises RenderError as
        `render` does."""
        check_size(size, "a character")
        scene, stance = self._scene, Stance.of(pose)
        skin = self._premultiplied(stance, size, BARE_FACE)
        found = {}
        for name, groups in FEATURES.items():
            # white has no iris; opacity below 1 leaves of an eye its iris
            scene.set("empty", float(name == "white"))
            scene.programs["eye"]["opacity"].value = ONLY_IRIS if name == "iris" else 1.0
            found[name] = self._premultiplied(stance, size, groups)
        scene.set("empty", 0.0)
        scene.programs["eye"]["opacity"].value = 1.0
        faces = shares(self._truth.places(stance, size * SUPERSAMPLE, GROUPS)[..., 3], len(LAYERS), size)
        shown = faces[LAYERS.index("face")].astype(np.float32) / 255
        through = {"white": 0.0, "iris": scene.recipe.face.eye_through_hair, "mouth": 0.0}
        alpha = {name: colour[..., 3].astype(np.float32) / 255 for name, colour in found.items()}
        alpha["iris"] = alpha["iris"] * alpha["white"]
        seen, above = [], np.zeros_like(shown)
        for name in reversed(FEATURES):
            there = shown + (1 - shown) * through.get(name, scene.recipe.face.through_hair)
            seen.append(alpha[name] * (1 - above) * there)
            above = above + alpha[name] * (1 - above)
        planes = np.rint(255 * np.stack(seen[::-1])).astype(np.uint8)
        return FeatureRendering(skin, np.stack(list(found.values())), planes)

    def _premultiplied(
        self, stance: Stance, size: int, groups: tuple[str, ...] | None = None, ends_at: tuple[str, ...] = ()
    ) -> U8:
        """All of the character, or some groups of it alone, but for what lies behind others (`ends_at`)."""
        scene, r = self._scene, self._scene.recipe
        target = scene.context.picture(size * SUPERSAMPLE)
        scene.textures()
        scene.stand(stance)
        scene.set("expand", 0.0)
        pairs = [
            (layer, arrays, groups is not None and inside(layer, groups))
            for layer, arrays in (scene.pairs if groups is None else scene.pairs + scene.alone)
            if groups is None or layer.name in groups or inside(layer, groups)
        ]
        if ends_at:
            target.color_mask = False, False, False, False
            target.use()
            for layer, arrays in scene.pairs:
                inner = inside(layer, ends_at)
                if (layer.name in ends_at or inner) and layer.program not in ("ink", "eye"):
                    scene.cull(layer, True, inner)
                    arrays["mask"].render()
            target.color_mask = True, True, True, True
            target.use()
        for layer, arrays, inner in pairs:
            if layer.program not in ("ink", "eye"):
                scene.cull(layer, groups is not None, inner)
                arrays[layer.program].render()
        if r.style.line_alpha > 0:
            self._outlines([(layer, arrays) for layer, arrays, inner in pairs if layer.hull and not inner])
        scene.context.over()
        for layer, arrays, _ in pairs:
            if layer.program in ("ink", "eye"):
                arrays[layer.program].render()
        if groups is None and max(r.face.through_hair, r.face.eye_through_hair) > 0:
            target.depth_mask = False
            self._through_hair()
            target.depth_mask = True
        small = pixels(target, size)
        return _fringed(small, r.style.fringe, r.style.ragged) if r.style.fringe > 0 and groups is None else small

    def _outlines(self, pairs: list[tuple[Layer, Arrays]]) -> None:
        scene, r = self._scene, self._scene.recipe
        scene.context.cull(True, "front")
        hull, a = scene.programs["hull"], r.style.line_alpha
        hull["expand"].value = r.style.line_width
        for layer, arrays in pairs:
            line, base, own = {
                "skin": (r.skin_line, r.skin, 0.0),
                "solid": (r.skin_line, r.skin, 1.0),
                "hair": (r.hair.line, r.hair.mid, 0.0),
                "body": (_body_line(r), r.body.cloth, 0.0),
            }[layer.program]
            hull["line"].value = tuple(x * a + y * (1 - a) for x, y in zip(line, base, strict=True))
            hull["own"].value = own
            arrays["hull"].render()

    def _through_hair(self) -> None:
        """Eyes, lashes and brows where hair hides them."""
        scene, face = self._scene, self._scene.recipe.face
        opacities = {"eyes": face.eye_through_hair, "lash": face.through_hair, "brow": face.through_hair}
        scene.context.gl.depth_func = ">"
        for layer, arrays in scene.pairs:
            opacity = opacities.get(layer.name, 0.0)
            if opacity > 0:
                scene.programs[layer.program]["opacity"].value = opacity
                arrays[layer.program].render()
        scene.programs["ink"]["opacity"].value = scene.programs["eye"]["opacity"].value = 1.0
        scene.context.gl.depth_func = "<="


def _body_line(r: Recipe) -> tuple[float, float, float]:
    """Round bare shoulders a line of skin, else of the cloth."""
    if r.body.sleeve == "bare":
        return r.skin_line
    cloth = r.body.cloth
    return (0.35 * cloth[0], 0.32 * cloth[1], 0.36 * cloth[2])


def _fringed(premultiplied: U8, strength: float, ragged: float) -> U8:
    """A pale halo round the character, as careless cutting-out leaves it; `ragged` breaks it up."""
    size = premultiplied.shape[0]
    alpha = np.ascontiguousarray(premultiplied[..., 3])
    reach = max(1, round(size / 256 * 1.2))
    wide = cv2.dilate(alpha, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    halo = np.where(wide > alpha, wide - alpha, 0).astype(np.float32) * strength
    if ragged > 0:
        grain = cv2.resize(noise()[..., 3], (size, size)).astype(np.float32) / 255
        halo *= 1 - ragged * np.clip((grain - 0.35) * 4, 0, 1)
    out = premultiplied.astype(np.float32) + halo[..., None]
    return np.asarray(np.minimum(out + 0.5, 255), np.uint8)
