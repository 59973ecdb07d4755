"""The face morpher: eyes and mouth in the centre crop."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.compact.blocks import (
    CROP,
    CROP_AT,
    SPEC,
    CompactConfig,
    Encoder,
    conv,
    coordinate_planes,
    enlarge,
    hats,
    pixel_grid,
    sample,
    start_small,
)

EYE_HATS = 4
MOUTH_HATS = 5
MOUTH_AT = (20, 36)  # left, top of the window at 64 px over the crop in which a mouth lies
MOUTH_WINDOW = 24


class MorpherFeatures(NamedTuple):
    """Kept per character."""

    basis: Tensor  # (B, terms, C, 64, 64): first decoder layer, one map per term of the pose basis
    rest_mouth: Tensor  # (B,) how far the drawn mouth is open, in units of the pose


class MorpherOutput(NamedTuple):
    """At 128 px over the crop; `flow` (B, 2) px from an output pixel to its source, `ways` (B, 3) keep, move, paint."""

    flow: Tensor
    ways: Tensor
    colour: Tensor  # (B, 4) premultiplied
    gate: Tensor  # (B, 1) 0 where the pose is what is drawn


class Morpher(nn.Module):
    """Closes the eyes and opens or closes the mouth in the centre crop of the rest image."""

    TERMS = 1 + EYE_HATS + MOUTH_HATS

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        width = config.morpher_decoder
        self.encoder = Encoder(16, config.morpher_widths, config.morpher_blocks)
        self.spread = conv(config.morpher_widths[0], self.TERMS * width)
        # Its own eyes: averages over the picture are blind to the few pixels of a mouth.
        self.measure_mouth = nn.Sequential(
            conv(config.morpher_widths[0], 16, 3, 2),
            nn.ReLU(),
            conv(16, 16, 3, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * (MOUTH_WINDOW // 4) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )
        self.conv1 = conv(width, width)
        self.conv2 = conv(width, width)
        self.head = conv(width, 9 * 4)
        start_small(self.head, 0.3)
        self.width = width

    def encode(self, crop: Tensor) -> MorpherFeatures:
        """crop (B, 4, 128, 128): the centre of the rest image."""
        features, _ = self.encoder(F.pixel_unshuffle(crop, 2) - 0.5)
        basis = self.spread(features).view(len(crop), self.TERMS, self.width, *features.shape[2:])
        left, top = MOUTH_AT
        window = features[:, :, top : top + MOUTH_WINDOW, left : left + MOUTH_WINDOW]
        rest_mouth = torch.sigmoid(self.measure_mouth(window))[:, 0]
        return MorpherFeatures(basis, rest_mouth)

    def decode(self, features: MorpherFeatures, expression: Tensor) -> MorpherOutput:
        """expression (B, 3): eye_left, eye_right, mouth_open."""
        left, right, mouth = expression.to(features.basis.dtype)[:, :, None, None, None].unbind(1)
        x = coordinate_planes(features.basis[:, 0, :1])[:1, :1]
        side = (x * 8 + 0.5).clamp(0, 1)  # the character's left eye is in the viewer's right half
        eye = left * side + right * (1 - side)  # (B, 1, 64, 64)
        terms = [torch.ones_like(mouth), *hats(eye, EYE_HATS, 0.25), *hats(mouth, MOUTH_HATS, 0.0)]
        h = sum(features.basis[:, k] * term for k, term in enumerate(terms))
        assert isinstance(h, Tensor)
        h = F.relu(h)
        h = F.relu(h + self.conv1(h))
        h = F.relu(h + self.conv2(h))
        out = F.pixel_shuffle(self.head(h), 2)  # (B, 9, 128, 128)
        asked = (mouth[:, 0] - features.rest_mouth[:, None, None]).abs()
        gate = (10 * torch.maximum(eye[:, 0], asked)).clamp(max=1)[:, None]
        gate = F.interpolate(gate, (CROP, CROP), mode="bilinear", align_corners=False)
        return MorpherOutput(4 * out[:, :2], torch.softmax(out[:, 2:5], 1), torch.sigmoid(out[:, 5:9]), gate * edge(x))

    @staticmethod
    def paint(rest: Tensor, out: MorpherOutput) -> Tensor:
        """The morphed character at the resolution of `rest` (B, 4, S, S), S a multiple of 256."""
        size = rest.shape[-1]
        scale = size // SPEC
        low, high = CROP_AT * scale, (CROP_AT + CROP) * scale
        flow, ways, colour, gate = (enlarge(x, CROP * scale) for x in out)
        here = pixel_grid(size, size, rest.device)[:, :, low:high, low:high]
        crop = rest[:, :, low:high, low:high]
        moved = sample(rest, here + flow * gate)
        changed = ways[:, :1] * crop + ways[:, 1:2] * moved + ways[:, 2:] * colour
        morphed = rest.clone()
        morphed[:, :, low:high, low:high] = crop + gate * (changed - crop)
        return morphed


def edge(like: Tensor) -> Tensor:
    """(1, 1, 128, 128) 1 inside, falling to 0 on the crop's outermost pixels, so that no seam can show."""
    t = torch.arange(CROP, device=like.device, dtype=like.dtype)
    ramp = (torch.minimum(t, CROP - 1 - t) / 6).clamp(max=1)
    return (ramp[:, None] * ramp)[None, None]
