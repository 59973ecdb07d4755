"""Reader, painter and morpher as one family: a drawing becomes a rig once, a frame is the rig moved."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from puppeteer import weights
from puppeteer.networks.blocks import SPEC
from puppeteer.networks.compact.blocks import CROP_AT, CompactConfig
from puppeteer.networks.compact.family import morphed
from puppeteer.networks.compact.morpher import Morpher, MorpherFeatures
from puppeteer.networks.layers import Run, in_turn
from puppeteer.networks.rig import motion
from puppeteer.networks.rig.assembly import read
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.pictures import Parts
from puppeteer.networks.rig.reader import Painter, Reader, ReaderConfig
from puppeteer.networks.tensors import Encoding
from puppeteer.pose import POSE_NAMES

BODY_AT = [POSE_NAMES.index(name) for name in ("body_z", "body_y", "breath", "hair_x")]
CENTRE = slice(CROP_AT, SPEC - CROP_AT)


class RigFeatures(NamedTuple):
    """Kept per character."""

    morpher: MorpherFeatures
    parts: Parts
    motion: motion.Motion


class Rig(nn.Module):
    """Complete layers that turn by their depth; the face's middle is morphed before."""

    encoding: Encoding = "srgb_premultiplied"

    def __init__(self, config: ReaderConfig | None = None) -> None:
        super().__init__()
        self.morpher = Morpher(CompactConfig())
        self.reader, self.painter = Reader(config or ReaderConfig()), Painter(config or ReaderConfig())

    def encode(self, image: Tensor) -> RigFeatures:
        """image (1, 4, 256, 256)"""
        parts, moves = read(self.reader, self.painter, image)
        return RigFeatures(self.morpher.fitted(image[:, :, CENTRE, CENTRE]), parts, moves)

    def decode(self, features: RigFeatures, pose: Tensor, run: Run = in_turn) -> Rigged:
        """pose (1, 19)"""

        def middle() -> Tensor:
            return morphed(self.morpher.decode(features.morpher, pose[:, :3]))  # type: ignore[return-value]

        def whole() -> Tensor:
            return motion.flows(features.motion, pose[0, 3:6], pose[0, BODY_AT]) / SPEC

        changed, flows = run(middle, whole)
        return Rigged(flows, features.parts, changed)


def load() -> Rig:
    """The shipped networks. Raises WeightsError where the file is missing or not the one recorded."""
    path = weights.verified("rig")
    state = torch.load(path, map_location="cpu", weights_only=True)
    with torch.device("meta"):  # no time spent on initial values that are about to be replaced
        networks = Rig()
    networks.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return networks.eval().requires_grad_(False)
