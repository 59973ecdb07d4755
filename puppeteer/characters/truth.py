"""What only a renderer knows about a picture: where every point was, which part it is of, how deep, what hides it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from puppeteer.characters.geometry import PART_NEW, Layer
from puppeteer.characters.layers import LAYERS
from puppeteer.characters.opengl import floats
from puppeteer.characters.scene import Arrays, Scene, Stance, inside
from puppeteer.pose import F32, U8


class Truth(NamedTuple):
    """As in `renderer.Rendering`."""

    neutral_xy: F32
    neutral_z: F32
    rest_xy: F32
    part: U8
    neutral_depth: F32
    visible: U8


class TruthTeller:
    """Draws what is known of the character that a scene holds."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._neutral_of: tuple[int, int] | None = None
        self._neutral_depth = np.zeros((0, 0), np.float32)

    def places(self, stance: Stance, size: int, wanted: dict[str, tuple[str, ...]]) -> F32:
        """(size, size, 4) of the front surface: depth, follow of root and tip, 1 + number of its layer, 0 for none."""
        scene, style = self._scene, self._scene.recipe.style
        target = scene.context.places(size)
        scene.stand(stance)
        for ink in (False, True):
            for layer, arrays in scene.pairs:
                if (layer.program in ("ink", "eye")) is not ink:
                    continue
                for name, groups in wanted.items():
                    inner = inside(layer, groups)
                    if layer.name not in groups and not inner:
                        continue
                    scene.cull(layer, alone=True, inner=inner)
                    program = "place_ink" if layer.program == "ink" else "place"
                    scene.programs[program]["part"].value = LAYERS.index(name) + 1.0
                    # outlines belong to what they go round
                    lined = layer.hull and style.line_alpha > 0 and not inner
                    scene.set("expand", style.line_width if lined else 0.0)
                    arrays[program].render()
        scene.set("expand", 0.0)
        return floats(target)

    def of(self, stance: Stance, size: int) -> Truth:
        scene = self._scene
        at_rest = Stance((0.0, 0.0, scene.recipe.rest_mouth))
        if self._neutral_of != (scene.loads, size):
            # Once per character: lids and lips lie flat on the face, far nearer to it than the tolerance of `visible`.
            scene.textures()
            neutral = self._pass(at_rest, size, None)
            self._neutral_of = (scene.loads, size)
            found = floats(neutral)
            self._neutral_depth = np.where(found[..., 3] > 0, found[..., 2], np.float32(-1e6))
            self._neutral = neutral.color_attachments[0]
        posed = self._pass(stance, size, self._neutral)
        first, second = floats(posed), floats(posed, 1)
        line = np.arange(size, dtype=np.float32) + 0.5
        here = np.stack(np.broadcast_arrays(line[None], line[:, None]), -1)
        return Truth(
            first[..., :2] + here,
            first[..., 2].astype(np.float32),
            second[..., :2] + here,
            first[..., 3].astype(np.uint8),
            self._neutral_depth,
            second[..., 2].astype(np.uint8),
        )

    def _pass(self, stance: Stance, size: int, neutral: Any) -> Any:
        """The target drawn on; against a picture of the neutral pose it says what that shows."""
        scene, recipe = self._scene, self._scene.recipe
        target = scene.context.places(size, 2, "posed" if neutral else "neutral")
        if neutral is not None:
            neutral.use(2)
        plain, ink = scene.programs["truth"], scene.programs["truth_ink"]
        rest = (0.0, 0.0, recipe.rest_mouth)
        scene.stand(stance)
        for name, value in (
            ("rest_expression", rest),
            ("size", float(size)),
            ("check", float(neutral is not None)),
            ("expand", 0.0),
            ("mouth_shown", float(recipe.rest_mouth > 0.15)),
            ("still", 0.0),
        ):
            scene.set(name, value)

        def draw(layer: Layer, arrays: Arrays, part: int) -> None:
            name = "truth_ink" if layer.program == "ink" else "truth"
            scene.programs[name]["part"].value = float(part)
            if name == "truth":
                plain["still"].value = float(layer.program == "eye")
            arrays[name].render()

        for layer, arrays in scene.pairs:
            if layer.program not in ("ink", "eye"):
                scene.cull(layer)
                # outlines belong to what they go round
                lined = layer.hull and recipe.style.line_alpha > 0
                plain["expand"].value = recipe.style.line_width if lined else 0.0
                draw(layer, arrays, layer.part)
        plain["expand"].value = 0.0
        scene.context.cull(False)
        # where features were in the rest image and are no longer: skin that no pixel of it shows
        target.depth_mask = False
        plain["expression"].value = ink["expression"].value = rest
        plain["shifted"].value = ink["shifted"].value = 0.0
        for layer, arrays in scene.pairs:
            if layer.morphs:
                draw(layer, arrays, PART_NEW)
        target.depth_mask = True
        plain["expression"].value = ink["expression"].value = stance.expression
        plain["shifted"].value = ink["shifted"].value = 1.0
        for layer, arrays in scene.pairs:
            if layer.program in ("ink", "eye"):
                draw(layer, arrays, layer.part)
        if recipe.face.through_hair > 0.5:
            scene.context.gl.depth_func = ">"
            target.depth_mask = False
            for layer, arrays in scene.pairs:
                if layer.name in ("lash", "brow"):
                    draw(layer, arrays, layer.part)
            target.depth_mask = True
            scene.context.gl.depth_func = "<="
        return target
