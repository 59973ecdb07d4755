"""Morpher and rotator as one family: the shipped weights, and a frame as moved copies of the original plus paint."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer import weights
from puppeteer.image import Encoding
from puppeteer.networks.compact.blocks import CROP, CROP_AT, SPEC, CompactConfig, enlarge, halved, in_halves, pixel_grid
from puppeteer.networks.compact.morpher import Morpher, MorpherFeatures
from puppeteer.networks.compact.rotator import BACK, BODY, HEAD, Rotator, RotatorFeatures
from puppeteer.networks.layers import Copy, Layers

CENTRE = slice(CROP_AT, SPEC - CROP_AT)
WINDOW = 192  # px about the middle that eyes and mouth never leave
FACE_WINDOW = slice((SPEC - WINDOW) // 2, (SPEC + WINDOW) // 2)
HALF_WINDOW = slice((SPEC - WINDOW) // 4, (SPEC + WINDOW) // 4)


class CompactFeatures(NamedTuple):
    """Kept per character."""

    image: Tensor  # (1, 4, 128, 128) the rest image at half size
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
        return CompactFeatures(
            halved(image), self.morpher.encode(image[:, :, CENTRE, CENTRE]), self.rotator.encode(image)
        )

    def decode(self, features: CompactFeatures, pose: Tensor) -> Layers:
        """pose (1, 6)"""
        image, kept_morpher, kept_rotator = features
        face = self.morpher.decode(kept_morpher, pose[:, :3])
        head = self.rotator.decode(kept_rotator, Morpher.paint(image, face), pose[:, 3:])

        # What the morpher does lies on the head, so it is looked up where the head's flow looks.
        moves, paints = face.gate * face.ways[:, 1:2], face.gate * face.ways[:, 2:]
        canvas = torch.cat([face.flow * face.gate, moves, paints, paints * face.colour], 1).float()
        small = pixel_grid(SPEC // 2, SPEC // 2, image.device)
        change = head.sources[:, HEAD] - small
        window = enlarge(change[:, :, HALF_WINDOW, HALF_WINDOW], WINDOW)
        there = pixel_grid(SPEC, SPEC, image.device)[:, :, FACE_WINDOW, FACE_WINDOW] + window
        flow, moves, paints, colour = torch.split(in_halves(canvas, there - CROP_AT, CROP), [2, 1, 1, 4], 1)

        combine, retouch, keep = head.combine.float(), head.retouch.float(), head.keep.float()
        shares = head.layers * ((1 - combine) * (1 - retouch))
        face_share = enlarge(shares[:, HEAD : HEAD + 1], SPEC)
        in_window = face_share[:, :, FACE_WINDOW, FACE_WINDOW]
        combine = combine * (1 - retouch)
        filling = combine * (1 - keep) * head.colour.float() + retouch * head.retouch_colour.float()
        paint = enlarge(filling, SPEC)
        paint[:, :, FACE_WINDOW, FACE_WINDOW] += in_window * colour
        margin = ((SPEC - WINDOW) // 2,) * 4
        side = 2 / SPEC
        return Layers(
            (
                Copy(change * side, face_share * (1 - F.pad(moves + paints, margin))),
                Copy(F.pad((window + flow) * side, margin), F.pad(in_window * moves, margin)),
                Copy((head.sources[:, BODY] - small) * side, shares[:, BODY : BODY + 1]),
                Copy((head.sources[:, BACK] - small) * side, shares[:, BACK : BACK + 1]),
                Copy(None, combine * keep),
            ),
            paint,
        )


def load() -> Compact:
    """The shipped networks. Raises WeightsError where the file is missing or not the one recorded."""
    path = weights.verified("compact")
    state = torch.load(path, map_location="cpu", weights_only=True)
    with torch.device("meta"):  # no time spent on initial values that are about to be replaced
        networks = Compact()
    networks.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return networks.eval().requires_grad_(False)
