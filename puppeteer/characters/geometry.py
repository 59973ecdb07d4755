"""Geometry of a character: a recipe to named layers of triangles in the character's rest pose.

The head is a stack of cross sections, wide at the cranium and small at the chin; the features are meshes laid on
its front; hair is made of ribbons that follow a shell round the skull and hang from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from puppeteer.characters import mesh as m
from puppeteer.characters.body import add_body
from puppeteer.characters.clothes import add_clothes
from puppeteer.characters.extras import add_extras
from puppeteer.characters.eyes import add_brows, add_eyes
from puppeteer.characters.figure import Figure
from puppeteer.characters.hair import Hair
from puppeteer.characters.hairstyles import style_hair
from puppeteer.characters.head import add_features, add_head
from puppeteer.characters.mesh import F32, F64
from puppeteer.characters.mouth import add_mouth
from puppeteer.characters.moving import COLUMNS, Piece, shifts
from puppeteer.characters.recipe import Recipe
from puppeteer.pose import Pose

ALONE = "iris"  # a group that is drawn only alone: whole, where a picture shows what lids leave of it
PART_BODY, PART_HEAD, PART_BACK, PART_NEW = 1, 2, 3, 4


@dataclass(frozen=True)
class Layer:
    """One draw call: which program paints it, and what it belongs to."""

    name: str
    program: str  # skin, body, hair, ink, eye, solid
    part: int
    vertices: F32  # (N, mesh.WIDTH)
    triangles: NDArray[np.int32]  # (M, 3)
    hull: bool = False  # gets an outline from its expanded back faces
    morphs: bool = False  # moves with eyes, brows or mouth
    pieces: tuple[Piece, ...] = ()  # of what moves with more than the six numbers
    bent: Callable[[F64], F64] = lambda p: p  # (N, 3) as the rest image has the head turned

    def shifted(self, pose: Pose) -> F32:
        """(N, moving.COLUMNS): what a pose adds to what its six numbers do."""
        if not self.pieces or pose == Pose():
            return np.zeros((len(self.vertices), COLUMNS), np.float32)
        return shifts(len(self.vertices), self.pieces, pose, self.bent)


# name, program, part, hull, morphs; opaque ones first, from front to back
_ORDER = (
    ("prop_head", "solid", PART_HEAD, True, False),
    ("front", "hair", PART_HEAD, False, False),
    ("prop_body", "solid", PART_BODY, True, False),
    ("arms", "solid", PART_BODY, True, False),
    ("prop_side", "solid", PART_BACK, True, False),
    ("middle", "hair", PART_BACK, False, False),
    ("skin", "skin", PART_HEAD, True, False),
    ("prop_neck", "solid", PART_BODY, True, False),
    ("neck", "skin", PART_BODY, True, False),
    ("bare_arms", "skin", PART_BODY, True, False),
    ("body", "body", PART_BODY, True, False),
    ("cap", "hair", PART_HEAD, True, False),
    ("cap_back", "hair", PART_BACK, True, False),
    ("back", "hair", PART_BACK, False, False),
    ("watermark", "ink", PART_BODY, False, False),
    ("ink_body", "ink", PART_BODY, False, False),
    ("eyes", "eye", PART_HEAD, False, True),
    (ALONE, "eye", PART_HEAD, False, True),
    ("ink", "ink", PART_HEAD, False, False),
    ("mouth", "ink", PART_HEAD, False, True),
    ("lash", "ink", PART_HEAD, False, True),
    ("brow", "ink", PART_HEAD, False, True),
    ("glasses", "ink", PART_HEAD, False, False),
)


def _lean(v: F32, recipe: Recipe) -> None:
    """Bodies are drawn less upright than they are built: they drift and drop a shoulder, from the neck down."""
    y = v[:, 1]
    below = m.smoothstep(200.0, 216.0, y)
    v[:, 1] += (recipe.body.tilt * (v[:, 0] - 128.0) * below).astype(np.float32)
    v[:, 0] += (recipe.body.lean * m.smoothstep(198.0, 262.0, y)).astype(np.float32)


def build(recipe: Recipe) -> list[Layer]:
    """All layers of a character, opaque ones first, each from front to back."""
    figure = Figure(recipe)
    neck = add_body(figure)
    add_clothes(figure)
    add_head(figure)
    figure.skin("neck", neck, figure.body_weight, 1.0)
    add_eyes(figure)
    add_brows(figure)
    add_features(figure)
    add_mouth(figure)
    hair = Hair(figure)
    style_hair(hair)
    add_extras(figure, hair)
    angles = recipe.head.turn
    z, x, y = (float(np.radians(a)) for a in angles)

    def bent(p: F64) -> F64:
        return m.bend(p, np.ones((len(p), 2)), (z, x, y), figure.root, figure.tip) if any(angles) else p

    layers = []
    for name, program, part, hull, morphs in _ORDER:
        if name not in figure.layers:
            continue
        v, f = figure.layers[name].arrays()
        if name in ("body", "arms", "bare_arms", "prop_body", "ink_body", "neck", "prop_neck"):
            _lean(v, recipe)
        if any(angles):
            w = v[:, m.WEIGHT].astype(float)
            p = v[:, m.POSITION].astype(float)
            start = m.bend(p, w, (z, x, y), figure.root, figure.tip)
            if morphs:
                v[:, m.MORPH] = m.bend(p + v[:, m.MORPH], w, (z, x, y), figure.root, figure.tip) - start
            v[:, m.POSITION] = start
        if program not in ("ink", "skin"):
            # from front to back, so that hidden fragments are never painted; ink is painted in its own order
            f = f[np.argsort(-v[f, 2].mean(1), kind="stable")]
        if name == "watermark":
            v[:, m.HANG] = 0
        v, f, pieces = np.ascontiguousarray(v), np.ascontiguousarray(f), tuple(figure.pieces.get(name, ()))
        layers.append(Layer(name, program, part, v, f, hull, morphs, pieces, bent))
    return layers
