"""Morpher and rotator as one family: the shipped weights, and a frame as moved copies of the original plus paint."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer import weights
from puppeteer.image import Encoding
from puppeteer.networks.compact.blocks import CROP_AT, SPEC, CompactConfig, enlarge, in_halves, pixel_grid
from puppeteer.networks.compact.morpher import Morpher, MorpherFeatures
from puppeteer.networks.compact.rotator import BACK, BODY, HEAD, Rotator, RotatorFeatures, place
from puppeteer.networks.layers import Copy, Layers

CROP = slice(CROP_AT, SPEC - CROP_AT)


class CompactFeatures(NamedTuple):
    """Kept per character."""

    image: Tensor  # (1, 4, 256, 256)
    morpher: MorpherFeatures
    rotator: RotatorFeatures


class Compact(nn.Module):
    """Both networks. What they move is composed into one flow, so that the original is sampled only once."""

    encoding: Encoding = "srgb_premultiplied"

    def __init__(self, config: CompactConfig | None = None) -> None:
        super().__init__()
        config = config or CompactConfig()
        self.morpher = Morpher(config)
        self.rotator = Rotator(config)

    def encode(self, image: Tensor) -> CompactFeatures:
        """image (1, 4, 256, 256)"""
        return CompactFeatures(image, self.morpher.encode(image[:, :, CROP, CROP]), self.rotator.encode(image))

    def decode(self, features: CompactFeatures, pose: Tensor) -> Layers:
        """pose (1, 6)"""
        image, kept_morpher, kept_rotator = features
        face = self.morpher.decode(kept_morpher, pose[:, :3])
        morphed = Morpher.paint(image, face)
        head = self.rotator.decode(kept_rotator, morphed, pose[:, 3:])

        # What the morpher does lies on the head, so it is looked up where the head's flow looks.
        moves, paints = face.gate * face.ways[:, 1:2], face.gate * face.ways[:, 2:]
        canvas = F.pad(
            torch.cat([face.flow * face.gate, moves, paints, paints * face.colour], 1).float(), (CROP_AT,) * 4
        )
        here = pixel_grid(SPEC, SPEC, image.device)
        source = place(head.sources[:, HEAD], SPEC)
        found = in_halves(canvas, source)
        flow, moves, paints, colour = found[:, :2], found[:, 2:3], found[:, 3:4], found[:, 4:]

        combine, retouch, keep = head.combine.float(), head.retouch.float(), head.keep.float()
        shares = head.layers * ((1 - combine) * (1 - retouch))
        face_share = enlarge(shares[:, HEAD : HEAD + 1], SPEC)
        combine = combine * (1 - retouch)
        filling = combine * (1 - keep) * head.colour.float() + retouch * head.retouch_colour.float()
        small = pixel_grid(shares.shape[-1], shares.shape[-1], image.device)
        side = 2 / SPEC
        return Layers(
            (
                Copy((source - here) * side, face_share * (1 - moves - paints)),
                Copy((source + flow - here) * side, face_share * moves),
                Copy((head.sources[:, BODY] - small) * side, shares[:, BODY : BODY + 1]),
                Copy((head.sources[:, BACK] - small) * side, shares[:, BACK : BACK + 1]),
                Copy(None, combine * keep),
            ),
            face_share * colour + enlarge(filling, SPEC),
        )


def load() -> Compact:
    """The shipped networks. Raises WeightsError where the file is missing or not the one recorded."""
    path = weights.verified("compact")
    state = torch.load(path, map_location="cpu", weights_only=True)
    with torch.device("meta"):  # no time spent on initial values that are about to be replaced
        networks = Compact()
    networks.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return networks.eval().requires_grad_(False)
