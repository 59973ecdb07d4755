"""The complete layers that a character is moved by, and which groups of its geometry each is made of. Pure.

Back to front, as they are laid over each other in every pose: a fixed order. The neck goes into the collar, hair in
front of shoulders lies on them, and glasses are worn under the fringe.
"""

from __future__ import annotations

from dataclasses import dataclass

from puppeteer.pose import F32, U8

LAYERS = ("back", "neck", "body", "face", "side", "glasses", "front")

# The cap round the skull is seen from inside behind the face (`cap_inside`) and from outside above it.
GROUPS: dict[str, tuple[str, ...]] = {
    "back": ("back", "cap_back", "cap_inside"),
    "neck": ("neck", "prop_neck"),
    "body": ("body", "arms", "bare_arms", "prop_body", "ink_body", "watermark"),
    "face": ("skin", "eyes", "ink", "mouth", "lash", "brow"),
    "side": ("cap", "middle", "prop_side"),
    "glasses": ("glasses",),
    "front": ("front", "prop_head"),
}
# A layer ends where these, over which it lies, are nearer: they interpenetrate, and stand still against each other.
# The cap's own inside keeps its outline from closing the face.
ENDS_AT: dict[str, tuple[str, ...]] = {"body": GROUPS["neck"], "side": (*GROUPS["body"], "cap_inside")}


# The parts of a face that move by themselves, back to front, and the groups of geometry that each is made of.
FEATURES: dict[str, tuple[str, ...]] = {
    "white": ("eyes",),
    "iris": ("iris",),
    "mouth": ("mouth",),
    "lash": ("lash",),
    "brow": ("brow",),
}
BARE_FACE = ("skin", "ink")


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRendering:
    """The parts of a face, each alone and complete, in the order of `FEATURES`: an iris also where lids cover it, the
    white also where the iris is, brows also under a fringe. An iris is seen only where the white would be."""

    skin: U8  # (S, S, 4) premultiplied sRGB, the face without any of them
    colour: U8  # (F, S, S, 4) premultiplied sRGB
    seen: U8  # (F, S, S) share of a pixel of the whole picture that shows it


@dataclass(frozen=True, slots=True, eq=False)
class LayerRendering:
    """Every layer of one picture, alone and complete, in the order of `LAYERS`. Depth and follow are of the front
    surface at the same pixel, and NaN where the layer covers nothing."""

    rgba: U8  # (S, S, 4) the whole picture, premultiplied sRGB
    seen: U8  # (L, S, S) share of a pixel that shows this layer; they sum to what is covered, 255 at most
    colour: U8  # (L, S, S, 4) premultiplied sRGB, also where other layers cover it
    depth: F32 | None = None  # (L, S, S) px of the spec square, towards the viewer
    follow: F32 | None = None  # (L, S, S, 2) how far the points follow root and tip of the neck
