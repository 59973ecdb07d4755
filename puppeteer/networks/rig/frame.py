"""A frame of a rig, as the family answers it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from puppeteer.networks.layers import Layers
from puppeteer.networks.rig.pictures import Parts
from puppeteer.networks.rig.pieces import Looks


class Rigged(NamedTuple):
    """One frame: layers, laid over each other, each moved."""

    flows: Tensor  # (L, 2, 64, 64) shares of the picture's side: where a layer looks, minus here
    parts: Parts  # the same tensors in every frame
    # What becomes of the original's middle (half of its width and height) before it is moved; a picture of its own. Its
    # first copy is what stays in place.
    middle: Layers | None = None
    looks: Looks | None = None  # eyes and brows in that picture, before anything else
