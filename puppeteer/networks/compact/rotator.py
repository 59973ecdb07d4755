"""The two-algorithm face rotator with its combiner and retouch."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.compact.blocks import (
    CompactConfig,
    Encoder,
    blend,
    conv,
    enlarge,
    halved,
    in_halves,
    pixel_grid,
    repeated,
    sample,
    start_small,
)

NECK_RANGE_RAD = 0.2617993877991494  # 15 degrees
LAYERS = 3  # head, body, back hair: front to back
HEAD, BODY, BACK = range(LAYERS)
TURN_TERMS = 5  # x, y, x^2, y^2, x y


class RotatorFeatures(NamedTuple):
    """Kept per character; maps are at 128 px over the whole spec square unless said otherwise."""

    features: Tensor  # (B, C, 64, 64) what the encoder adds to the decoder's first layer
    turn: Tensor  # (B, TURN_TERMS, LAYERS * 2, 128, 128) px per term
    follow: Tensor  # (B, LAYERS, 128, 128) share of the tilt that a layer follows
    occupancy: Tensor  # (B, 2, 128, 128) head, body (back hair has the rest)
    modal: Tensor  # (B, LAYERS, 128, 128) which layer the rest image shows
    root: Tensor  # (B, 2) neck root in px
    behind: Tensor  # (B, 8, 128, 128) premultiplied colours of body and back hair, continued behind what covers them


class RotatorOutput(NamedTuple):
    """Maps at 128 px."""

    sources: Tensor  # (B, LAYERS, 2) where each layer's pixel comes from, px
    layers: Tensor  # (B, LAYERS) which layer is in front
    validity: Tensor  # (B, 1) 1 where the rest image showed what the flow copies
    colour: Tensor  # (B, 4) Pumarola's colour: the layers at 128 px, continued where they were covered, corrected
    keep: Tensor  # (B, 1) Pumarola's mask: 1 keeps the unrotated picture
    combine: Tensor  # (B, 1) 1 takes Pumarola, 0 takes Zhou
    retouch_colour: Tensor  # (B, 4)
    retouch: Tensor  # (B, 1) 1 takes the retouch


class Painted(NamedTuple):
    """Pictures (B, 4, S, S), premultiplied."""

    pumarola: Tensor
    zhou: Tensor
    combined: Tensor
    final: Tensor


def turn_terms(neck: Tensor) -> Tensor:
    """neck (B, 3) in the order z, x, y -> (B, TURN_TERMS)"""
    x, y = neck[:, 1], neck[:, 2]
    return torch.stack([x, y, x * x, y * y, x * y], 1)


def tilted(grid: Tensor, angle: Tensor, root: Tensor) -> Tensor:
    """Points of `grid` (B, 2, H, W) turned back by `angle` (B, 1, H, W) rad about `root` (B, 2), +1 leaning left."""
    centre = root[:, :, None, None]
    x, y = (grid - centre).unbind(1)
    sin, cos = angle.sin()[:, 0], angle.cos()[:, 0]
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1) + centre


class Rotator(nn.Module):
    """Rotates the neck of a morphed character; knows the character from its rest image."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        width, a = config.rotator_decoder, config.rotator_widths[0]
        self.encoder = Encoder(4 * 16, config.rotator_widths, config.rotator_blocks)
        self.maps = nn.Sequential(conv(a, a), nn.ReLU(), conv(a, 4 * (LAYERS * TURN_TERMS * 2 + 2 + 2)))
        self.find_root = nn.Linear(config.rotator_widths[2], 2)
        self.carry = conv(a, width)
        self.enter = conv(LAYERS + 1 + 16, width)
        self.pose = nn.Linear(3 + TURN_TERMS, width)
        self.conv1 = conv(width, width)
        self.conv2 = conv(width, width)
        self.head = conv(width, 4 * 11)
        self.unit = config.flow_unit
        for layer in (self.maps[2], self.head, self.find_root):
            start_small(layer, 0.2)

    def encode(self, rest: Tensor) -> RotatorFeatures:
        """rest (B, 4, 256, 256)"""
        features, summary = self.encoder(F.pixel_unshuffle(rest, 4) - 0.5)
        maps = F.pixel_shuffle(self.maps(features), 2)
        turn, follow, occupancy = torch.split(maps.float(), [LAYERS * TURN_TERMS * 2, 2, 2], 1)
        turn = turn.reshape(-1, LAYERS, TURN_TERMS, 2, *turn.shape[2:]).transpose(1, 2).flatten(2, 3)
        y = pixel_grid(128, 128, rest.device)[:, 1:]
        body, back = (follow * 4).chunk(2, 1)
        # the start: the body follows from the neck upwards, back hair down to the shoulders
        body = torch.sigmoid(body + (200 - y) / 6)
        back = torch.sigmoid(back + 2 + (200 - y) / 20)
        follow = torch.cat([torch.ones_like(body), body, back], 1)
        occupancy = torch.sigmoid(occupancy * 4)
        head, torso = occupancy.chunk(2, 1)
        modal = torch.cat([head, (1 - head) * torso, (1 - head) * (1 - torso)], 1)
        centre = torch.tensor([128.0, 204.0], device=rest.device)
        root = centre + 16 * torch.tanh(self.find_root(summary).float())
        small = F.avg_pool2d(rest, 2).float()
        behind = torch.cat([continued(small, modal[:, k : k + 1].detach()) for k in (BODY, BACK)], 1)
        return RotatorFeatures(self.carry(features), turn * self.unit, follow, occupancy, modal, root, behind)

    def place(self, features: RotatorFeatures, neck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Flow alone: neck (B*K, 3) z, x, y -> sources (B*K, LAYERS, 2, 128, 128), layers, validity."""
        neck = neck.float()
        count, each, size = len(neck), len(neck) // len(features.turn), features.turn.shape[3:]
        here = pixel_grid(size[0], size[1], neck.device)
        moves = blend(features.turn, turn_terms(neck)).view(count * LAYERS, 2, *size)
        # All layers as one batch: sampling uses a thread for each picture of a batch.
        angle = repeated(features.follow, each) * (neck[:, :1, None, None] * NECK_RANGE_RAD)
        upright = tilted(here, angle.view(count * LAYERS, 1, *size), repeated(features.root, each * LAYERS))
        sources = upright + sample(moves, upright)
        found = sample(repeated(features.occupancy, each * LAYERS), sources).view(count, LAYERS, 2, *size)
        head, torso = found[:, HEAD, :1], found[:, BODY, 1:]
        layers = torch.cat([head, (1 - head) * torso, (1 - head) * (1 - torso)], 1)
        # Nothing covers the head; the others cannot be copied from where something in front of them is.
        uncovered = 1 - found[:, BODY:]
        shown = torch.cat([torch.ones_like(head), uncovered[:, 0, :1], uncovered[:, 1, :1] * uncovered[:, 1, 1:]], 1)
        return sources.view(count, LAYERS, 2, *size), layers, (layers * shown).sum(1, keepdim=True)

    def decode(self, features: RotatorFeatures, morphed: Tensor, neck: Tensor) -> RotatorOutput:
        """morphed (B*K, 4, 128, 128): the character with its expression, at half size; neck (B*K, 3) z, x, y."""
        sources, layers, validity = self.place(features, neck)
        count, each, size = len(neck), len(neck) // len(features.turn), morphed.shape[2:]
        pictures = torch.cat([morphed.float(), repeated(features.behind, each)], 1).view(-1, 4, *size)
        moved = sample(pictures, sources.view(-1, 2, *size)).view(count, LAYERS, 4, *size)
        first = (moved * layers[:, :, None]).sum(1)
        blended = halved((sources * layers[:, :, None]).sum(1))  # (B*K, 2, 64, 64)
        kept = features.features
        dtype = kept.dtype
        first = first.to(dtype)
        seen = torch.cat([halved(torch.cat([layers, validity], 1)).to(dtype), F.pixel_unshuffle(first, 2)], 1)
        neck = neck.to(dtype)
        pose = self.pose(torch.cat([neck, turn_terms(neck)], 1))[:, :, None, None]
        h = self.enter(seen.contiguous(memory_format=torch.channels_last)) + pose
        h = F.relu(h + in_halves(repeated(kept, each), blended))
        h = F.relu(h + self.conv1(h))
        h = F.relu(h + self.conv2(h))
        out = F.pixel_shuffle(self.head(h), 2).contiguous()
        colour, keep, combine, touch, retouch = torch.split(out, [4, 1, 1, 4, 1], 1)
        gate = (8 * neck.abs().amax(1)).clamp(max=1)[:, None, None, None]
        # Only where the flow has nothing true to copy: free, they prefer softness to lines a pixel off.
        lacking = 1 - validity.to(dtype)
        allowed = gate * (3 * lacking).clamp(max=1)
        combine = allowed * torch.sigmoid(4 * combine + 8 * (lacking - 0.6))
        colour = (first + torch.tanh(colour)).clamp(0, 1)
        return RotatorOutput(
            sources,
            layers,
            validity,
            colour,
            torch.sigmoid(4 * keep),
            combine,
            (colour + torch.tanh(touch)).clamp(0, 1),
            allowed * torch.sigmoid(4 * retouch - 4),
        )

    @staticmethod
    def paint(image: Tensor, out: RotatorOutput) -> Painted:
        """Every algorithm's picture at the resolution of `image` (B, 4, S, S): the flow warps what it is given."""
        size = image.shape[-1]
        layers = enlarge(out.layers, size).to(image.dtype)
        moved = [sample(image, place(out.sources[:, k], size)) * layers[:, k : k + 1] for k in range(LAYERS)]
        zhou = moved[HEAD] + moved[BODY] + moved[BACK]
        colour, keep, combine, touch, retouch = (enlarge(x, size) for x in out[3:])
        pumarola = colour + keep * (image - colour)
        combined = zhou + combine * (pumarola - zhou)
        return Painted(pumarola, zhou, combined, combined + retouch * (touch - combined))


def continued(colour: Tensor, shown: Tensor) -> Tensor:
    """A layer's premultiplied colours (B, 4, H, W), spread from where it is surely shown (B, 1, H, W) over the rest.

    Push and pull over a pyramid (Gortler et al. 1996, "The Lumigraph", section 3.6.1): what is near counts most.
    """
    # What lies behind is rarely nothing, so the transparent counts for less.
    weight = ((shown - 0.5) * 2).clamp(0, 1) * (0.25 + 0.75 * colour[:, 3:])
    levels = [(colour * weight, weight)]
    while levels[-1][1].shape[-1] > 2:
        levels.append((F.avg_pool2d(levels[-1][0], 2), F.avg_pool2d(levels[-1][1], 2)))
    total, amount = levels.pop()
    out = total / (amount + 1e-3)
    for total, amount in reversed(levels):
        out = (total + 0.05 * enlarge(out, total.shape[-1])) / (amount + 0.05)
    return out


def place(source: Tensor, size: int) -> Tensor:
    """A field of source places (B, 2, h, w) enlarged to `size`: the displacement is enlarged, not the place."""
    if source.shape[-1] == size:
        return source
    small = pixel_grid(source.shape[-2], source.shape[-1], source.device)
    return enlarge(source - small, size) + pixel_grid(size, size, source.device)
