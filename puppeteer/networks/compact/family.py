"""Morpher and rotator as one family: the shipped weights, and a frame as moved copies of the original plus paint."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from puppeteer import weights
from puppeteer.networks import faces
from puppeteer.networks.blocks import SPEC
from puppeteer.networks.compact.blocks import CROP, CROP_AT, CompactConfig
from puppeteer.networks.compact.morpher import Morpher, MorpherFeatures, MorpherOutput
from puppeteer.networks.compact.rotator import BACK, BODY, HEAD, Rotator, RotatorFeatures, RotatorOutput
from puppeteer.networks.faces import read
from puppeteer.networks.landmarks import Face
from puppeteer.networks.layers import Copy, Layers, Run, in_turn
from puppeteer.networks.tensors import Encoding

CENTRE = slice(CROP_AT, SPEC - CROP_AT)


class CompactFeatures(NamedTuple):
    """Kept per character."""

    morpher: MorpherFeatures
    rotator: RotatorFeatures


class Compact(nn.Module):
    """Both networks: the original's middle is morphed, then the whole rotated, both at the output's resolution."""

    encoding: Encoding = "srgb_premultiplied"

    def __init__(self, config: CompactConfig | None = None) -> None:
        super().__init__()
        config = config or CompactConfig()
        self.morpher = Morpher(config)
        self.reader = Face()
        self.rotator = Rotator(config)

    def encode(self, image: Tensor) -> CompactFeatures:
        """image (1, 4, 256, 256)"""
        reading = read(self.reader, image)
        return CompactFeatures(self.morpher.fitted(image[:, :, CENTRE, CENTRE], reading), self.rotator.fitted(image))

    def decode(self, features: CompactFeatures, pose: Tensor, run: Run = in_turn) -> Layers:
        """pose (1, 6)"""

        def whole() -> Layers:
            return _rotated(self.rotator.decode(features.rotator, pose[:, 3:6], run=run))

        def middle() -> Layers:
            return morphed(self.morpher.decode(features.morpher, pose[:, :3]))

        rotated, changed = run(whole, middle)
        return Layers(rotated.copies, rotated.paint, changed)


def morphed(face: MorpherOutput) -> Layers:
    """What becomes of the middle."""
    moves, paints = face.gate * face.ways[:, 1:2], face.gate * face.ways[:, 2:]
    return Layers(
        (
            Copy(None, (1 - moves - paints).float()),
            Copy((face.flow * face.gate).float() * (2 / CROP), moves.float()),
        ),
        (paints * face.colour).float(),
    )


def _rotated(head: RotatorOutput) -> Layers:
    """What becomes of the whole, its middle morphed before."""
    combine, retouch, keep = head.combine.float(), head.retouch.float(), head.keep.float()
    flows = torch.unbind(head.flow * (2 / SPEC), 1)
    copied, painted, still = ((1 - retouch) * share for share in (1 - combine, combine * (1 - keep), combine * keep))
    front, body, back = head.layers.chunk(3, 1)
    return Layers(
        (  # each before what may take over its share where it is faint
            Copy(None, still),
            Copy(flows[BODY], body * painted, head.hidden[0]),
            Copy(flows[BODY], body * copied),
            Copy(flows[BACK], back * painted, head.hidden[1]),
            Copy(flows[BACK], back * copied),
            Copy(flows[HEAD], front * (copied + painted)),
        ),
        retouch * head.retouch_colour.float(),
    )


def load() -> Compact:
    """The shipped networks. Raises WeightsError where the file is missing or not the one recorded."""
    path = weights.verified("compact")
    state = torch.load(path, map_location="cpu", weights_only=True)
    state |= {f"reader.{name}": value for name, value in faces.state().items()}
    with torch.device("meta"):  # no time spent on initial values that are about to be replaced
        networks = Compact()
    networks.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in state.items()}, assign=True
    )
    return networks.eval().requires_grad_(False)
