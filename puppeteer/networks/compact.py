"""The compact family: a character is encoded once, every frame is decoded from the kept features.

The idea is that of "Talking Head Anime from a Single Image" (Khungurn, 2019): a face morpher, then a face rotator of
two algorithms (Pumarola et al. 2018: colour change with a mask; Zhou et al. 2016: appearance flow), a combiner and a
retouch. It is spent differently, so that two CPU cores suffice:

- The *morpher* sees the centre 128x128 crop. Besides keeping a pixel or painting it (Pumarola), it may also move one
  (a third way in the softmax), so that the drawing's own lashes and lips slide.
- The *rotator* never predicts a picture's flow as a whole. The encoder splits the character into three layers (head;
  body; back hair), each with its own smooth backward flow. The tilt of the head is a rotation about the neck root and
  computed, not learned; nod and turn are a polynomial in (neck_x, neck_y) whose coefficients are maps that the encoder
  writes once. So the flow is smooth in the pose and exactly zero at the zero pose.
- Where a layer shows a place that another layer covered at rest, the flow has nothing to copy: the layers' occupancies
  tell where (`validity`), the combiner starts from that, and the colour branch paints it.

All pictures here are premultiplied sRGB with alpha in [0, 1]; sampling grids are float32 whatever the weights are.
Pixel coordinates have (0, 0) at the top left corner of the picture in spec px (0..256), pixel centres at +0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPEC = 256
CROP = 128
CROP_AT = (SPEC - CROP) // 2
NECK_RANGE_RAD = 0.2617993877991494  # 15 degrees
LAYERS = 3  # head, body, back hair: front to back
HEAD, BODY, BACK = range(LAYERS)
TURN_TERMS = 5  # x, y, x^2, y^2, x y
EYE_HATS = 4
MOUTH_HATS = 5


@dataclass(frozen=True, slots=True)
class CompactConfig:
    """Channels of the encoders at 64, 32 and 16 px, and of the per-frame decoders at 64 px."""

    morpher_widths: tuple[int, int, int] = (32, 64, 96)
    morpher_blocks: int = 3  # residual blocks at 16 px
    morpher_decoder: int = 32
    rotator_widths: tuple[int, int, int] = (32, 64, 128)
    rotator_blocks: int = 4
    rotator_decoder: int = 32
    flow_unit: float = 12.0  # px that a coefficient of 1 moves at pose 1


# ---------------------------------------------------------------- small blocks


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2)


def start_small(layer: nn.Module, gain: float) -> None:
    """A last layer whose outputs begin near zero, so that training starts from the identity."""
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.mul_(gain if name == "weight" else 0)


class Residual(nn.Module):
    """x + conv(relu(conv(norm(x)))); only the encoders, which run once per character, pay for a norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = conv(channels, channels)
        self.conv2 = conv(channels, channels)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.conv2(F.relu(self.conv1(F.relu(self.norm(x)))))
        return x + change


def coordinate_planes(like: Tensor) -> Tensor:
    """(B, 2, H, W) x and y in [-1, 1]: where a pixel lies means much in the spec square."""
    b, _, h, w = like.shape
    x = torch.linspace(-1, 1, w, device=like.device, dtype=like.dtype).expand(b, 1, h, w)
    y = torch.linspace(-1, 1, h, device=like.device, dtype=like.dtype)[:, None].expand(b, 1, h, w)
    return torch.cat([x, y], 1)


class Encoder(nn.Module):
    """U-Net from a picture, pixel-unshuffled to 64 px, to features at 64 px and one global vector."""

    def __init__(self, inputs: int, widths: tuple[int, int, int], blocks: int) -> None:
        super().__init__()
        a, b, c = widths
        self.enter = conv(inputs + 2, a)
        self.fine = Residual(a)
        self.down1 = conv(a, b, 4, 2)
        self.middle = Residual(b)
        self.down2 = conv(b, c, 4, 2)
        self.coarse = nn.Sequential(*(Residual(c) for _ in range(blocks)))
        self.up1 = conv(c, b, 1)
        self.merge1 = nn.Sequential(conv(2 * b, b, 1), Residual(b), Residual(b))
        self.up2 = conv(b, a, 1)
        self.merge2 = nn.Sequential(conv(2 * a, a, 1), Residual(a), Residual(a))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, inputs, 64, 64) -> features (B, widths[0], 64, 64), global (B, widths[2])"""
        fine = self.fine(self.enter(torch.cat([x, coordinate_planes(x)], 1)))
        middle = self.middle(F.pad(self.down1(F.relu(fine)), (0, -1, 0, -1)))
        coarse = self.coarse(F.pad(self.down2(F.relu(middle)), (0, -1, 0, -1)))
        x = F.interpolate(self.up1(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        middle = self.merge1(torch.cat([x, middle], 1))
        x = F.interpolate(self.up2(middle), scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.relu(self.merge2(torch.cat([x, fine], 1))), F.relu(coarse).mean((2, 3))


def hats(value: Tensor, count: int, first: float) -> list[Tensor]:
    """Piecewise linear basis on [0, 1] with peaks at first .. 1: `count` tensors like `value`."""
    width = (1 - first) / (count - 1)
    return [(1 - (value - (first + k * width)).abs() / width).clamp(min=0) for k in range(count)]


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """float32 (1, 2, H, W): the centre of every pixel of a height x width raster over the spec square, in spec px."""
    x = (torch.arange(width, device=device, dtype=torch.float32) + 0.5) * (SPEC / width)
    y = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (SPEC / height)
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])[None]


def sample(image: Tensor, source: Tensor, span: float = SPEC) -> Tensor:
    """Bilinear: image (B, C, h, w) over `span` px, source (B, 2, H, W) in px -> (B, C, H, W), borders repeated.

    The grid stays float32; half floats would be off by up to a pixel at 1024 px.
    """
    grid = (source.float() * (2 / span) - 1).permute(0, 2, 3, 1)
    dtype = image.dtype
    half = dtype in (torch.float16, torch.bfloat16)
    out = F.grid_sample(image.float() if half else image, grid, "bilinear", "border", align_corners=False)
    return out.to(dtype) if half else out


def enlarge(x: Tensor, size: int) -> Tensor:
    """Bilinear to size x size (the same tensor when it has that size)."""
    return x if x.shape[-1] == size else F.interpolate(x, (size, size), mode="bilinear", align_corners=False)


# ---------------------------------------------------------------- the face morpher


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
        self.measure_mouth = nn.Sequential(
            nn.Linear(config.morpher_widths[2] + config.morpher_widths[0] * 16, 64), nn.ReLU(), nn.Linear(64, 1)
        )
        self.conv1 = conv(width, width)
        self.conv2 = conv(width, width)
        self.head = conv(width, 9 * 4)
        start_small(self.head, 0.3)
        self.width = width

    def encode(self, crop: Tensor) -> MorpherFeatures:
        """crop (B, 4, 128, 128): the centre of the rest image."""
        features, summary = self.encoder(F.pixel_unshuffle(crop, 2) - 0.5)
        pooled = F.adaptive_avg_pool2d(features, 4).flatten(1)
        basis = self.spread(features).view(len(crop), self.TERMS, self.width, *features.shape[2:])
        rest_mouth = torch.sigmoid(self.measure_mouth(torch.cat([summary, pooled], 1)))[:, 0]
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


# ---------------------------------------------------------------- the face rotator with its combiner


class RotatorFeatures(NamedTuple):
    """Kept per character; maps are at 128 px over the whole spec square unless said otherwise."""

    features: Tensor  # (B, C, 64, 64)
    turn: Tensor  # (B, LAYERS * TURN_TERMS * 2, 128, 128) px per term
    follow: Tensor  # (B, LAYERS, 128, 128) share of the tilt that a layer follows
    occupancy: Tensor  # (B, 2, 128, 128) head, body (back hair has the rest)
    modal: Tensor  # (B, LAYERS, 128, 128) which layer the rest image shows
    root: Tensor  # (B, 2) neck root in px


class RotatorOutput(NamedTuple):
    """Maps at 128 px."""

    sources: Tensor  # (B, LAYERS, 2) where each layer's pixel comes from, px
    layers: Tensor  # (B, LAYERS) which layer is in front
    validity: Tensor  # (B, 1) 1 where the rest image showed what the flow copies
    colour: Tensor  # (B, 4) Pumarola's colour
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
        self.enter = conv(a + LAYERS + 1 + 16, width)
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
        return RotatorFeatures(features, turn * self.unit, follow, occupancy, modal, root)

    def place(self, features: RotatorFeatures, neck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Flow alone: neck (B, 3) z, x, y -> sources (B, LAYERS, 2, 128, 128), layers, validity."""
        neck = neck.float()
        here = pixel_grid(128, 128, neck.device).expand(len(neck), -1, -1, -1)
        terms = turn_terms(neck)[:, None, :, None, None, None]
        coefficients = features.turn.view(len(neck), LAYERS, TURN_TERMS, 2, *features.turn.shape[2:])
        moves = (coefficients * terms).sum(2)  # (B, LAYERS, 2, 128, 128)
        sources = []
        for layer in range(LAYERS):
            angle = features.follow[:, layer : layer + 1] * (neck[:, :1, None, None] * NECK_RANGE_RAD)
            upright = tilted(here, angle, features.root)
            sources.append(upright + sample(moves[:, layer], upright))
        head = sample(features.occupancy[:, :1], sources[HEAD])
        torso = sample(features.occupancy[:, 1:], sources[BODY])
        layers = torch.cat([head, (1 - head) * torso, (1 - head) * (1 - torso)], 1)
        shown = torch.cat([sample(features.modal[:, k : k + 1], sources[k]) for k in range(LAYERS)], 1)
        return torch.stack(sources, 1), layers, (layers * shown).sum(1, keepdim=True)

    def decode(self, features: RotatorFeatures, morphed: Tensor, neck: Tensor) -> RotatorOutput:
        """morphed (B, 4, 256, 256), neck (B, 3) in the order z, x, y."""
        sources, layers, validity = self.place(features, neck)
        blended = F.avg_pool2d((sources * layers[:, :, None]).sum(1), 2)  # (B, 2, 64, 64)
        small = F.avg_pool2d(morphed, 2)
        # at 128 px a blend of flows is good enough to tell the decoder what lies where
        warped = sample(small, (sources * layers[:, :, None]).sum(1))
        kept = features.features
        h = torch.cat(
            [
                sample(kept, blended),
                F.avg_pool2d(layers, 2).to(kept.dtype),
                F.avg_pool2d(validity, 2).to(kept.dtype),
                F.pixel_unshuffle(warped, 2).to(kept.dtype),
            ],
            1,
        )
        neck = neck.to(kept.dtype)
        pose = torch.cat([neck, turn_terms(neck)], 1)
        h = F.relu(self.enter(h) + self.pose(pose)[:, :, None, None])
        h = F.relu(h + self.conv1(h))
        h = F.relu(h + self.conv2(h))
        colour, keep, combine, touch, retouch = torch.split(F.pixel_shuffle(self.head(h), 2), [4, 1, 1, 4, 1], 1)
        gate = (8 * neck.abs().amax(1)).clamp(max=1)[:, None, None, None]
        combine = gate * torch.sigmoid(4 * combine + 6 * (0.5 - validity.to(kept.dtype)))
        return RotatorOutput(
            sources,
            layers,
            validity,
            torch.sigmoid(4 * colour),
            torch.sigmoid(4 * keep),
            combine,
            torch.sigmoid(4 * touch),
            gate * torch.sigmoid(4 * retouch - 2),
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


def place(source: Tensor, size: int) -> Tensor:
    """A field of source places (B, 2, h, w) enlarged to `size`: the displacement is enlarged, not the place."""
    if source.shape[-1] == size:
        return source
    small = pixel_grid(source.shape[-2], source.shape[-1], source.device)
    return enlarge(source - small, size) + pixel_grid(size, size, source.device)
