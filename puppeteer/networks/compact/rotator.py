"""The two-algorithm face rotator with its combiner and retouch."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.blocks import SPEC, blend, conv, enlarge, halved, pixel_grid, repeated, sample, start_small
from puppeteer.networks.compact.blocks import CompactConfig, Encoder
from puppeteer.networks.layers import Run, in_turn
from puppeteer.pose import HAIR_HANGS, HAIR_STAYS

NECK_RANGE_RAD = 0.2617993877991494  # 15 degrees
LAYERS = 3  # head, body, back hair: front to back
HEAD, BODY, BACK = range(LAYERS)
TURN_TERMS = 5  # x, y, x^2, y^2, x y
LATTICE_PX = 16  # from one point to the next of the lattice that a layer's flow is a spline over
NEAR = 1  # cells of 64 about the head: neck and hair move with it there, and less and less twice as far away
# Below: where something begins (0) and is whole (1), for `ramp`; rows, or px from the middle (`SIDES`).
JAW_ROWS, JAW_SIDES = (140, 164), (60, 44)  # crowns and sides of a head keep flows of their own
MEETS, SHOULDER_SIDES = 2, (28, 48)  # cells of 64 about the body that hair lies on; where a body has shoulders
OUTLINE = 2  # px of 128 about the head that still show its outline, whatever they are taken for
TRACE_PX = 0.5, 1.5  # px between head and layer from which on that outline is out of place
NECK_SIDES = 56, 32  # what is farther out is shoulder, however high it is drawn
BEYOND_SIDES, BEYOND_ROWS = (66, 78), (214, 174)  # what a body shows there is a lock of hair that was taken for it
REACH = 4  # rows at 64 px: four convolutions of the decoder
# Of the decoder's rows, where two threads share them: the second one has the morpher to do before.
ROWS_FIRST = 0.65
SMOOTH = LAYERS * TURN_TERMS * 2 + 1  # maps that the encoder writes at 64 px: turn, follow of the body


class RotatorFeatures(NamedTuple):
    """Kept per character; maps are at 128 px over the whole spec square unless said otherwise."""

    features: Tensor  # (B, C, 64, 64) what the encoder adds to the decoder's first layer
    turn: Tensor  # (B, TURN_TERMS, LAYERS * 2, 64, 64) px per term
    follow: Tensor  # (B, LAYERS, 64, 64) share of the tilt that a layer's points follow, where they lie at rest
    modal: Tensor  # (B, LAYERS, 128, 128) which layer the rest image shows
    root: Tensor  # (B, 2) neck root in px
    covers: Tensor  # (B, 3, 128, 128) occupancy of head and body; what is within the head's outline
    shown: Tensor  # (B, 5, 128, 128) occupancy of the head, then the rest image's premultiplied colours
    hidden: tuple[Tensor, Tensor]  # (B, 4, 256, 256) each: body and back hair, painted behind what covers them
    behind: Tensor  # (B, 2, 4, 64, 64) the same, smaller


class Placed(NamedTuple):
    """Maps at 128 px of what the flow alone tells. The flow itself is smooth, and computed at 64 px."""

    flow: Tensor  # (B, LAYERS, 2) from each layer's pixel to where it comes from, px
    layers: Tensor  # (B, LAYERS) which layer is in front
    validity: Tensor  # (B, 1) 1 where the rest image showed what the flow copies
    colours: Tensor  # (B, LAYERS, 4) every layer's own colours, moved
    sources: Tensor  # (B, LAYERS, 2) where each layer's pixel comes from, px
    traces: Tensor  # (B, 1) 1 where the flow copies what the head's outline left beside it


class RotatorOutput(NamedTuple):
    """Maps at 128 px."""

    flow: Tensor  # (B, LAYERS, 2) from each layer's pixel to where it comes from, px
    layers: Tensor  # (B, LAYERS) which layer is in front
    validity: Tensor  # (B, 1) 1 where the rest image showed what the flow copies
    hidden: tuple[Tensor, Tensor]  # of the features: what Pumarola's picture takes body and back hair from
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


def spline(cells: int, device: torch.device) -> Tensor:
    """(cells, points) weights of a uniform cubic B-spline over a lattice of `LATTICE_PX`, its ends repeated."""
    points = SPEC // LATTICE_PX
    at = (torch.arange(cells, device=device, dtype=torch.float32) + 0.5) * (points / cells) - 0.5
    far = (at[:, None] - torch.arange(-2, points + 2, device=device)).abs()
    weight = torch.where(far < 1, 2 / 3 - far**2 + far**3 / 2, (2 - far).clamp(min=0) ** 3 / 6)
    inner = weight[:, 2:-2].clone()
    inner[:, 0] += weight[:, :2].sum(1)
    inner[:, -1] += weight[:, -2:].sum(1)
    return inner


def free_form(maps: Tensor) -> Tensor:
    """(B, C, 64, 64) -> the same size: a free-form deformation (Rueckert et al. 1999, section II-A-2) by their means.

    Steeper flows stretch a bright rim of hair to a band where a head turns away from it, and tear locks.
    """
    size = maps.shape[-1]
    weights = spline(size, maps.device)
    lattice = F.avg_pool2d(maps, LATTICE_PX * size // SPEC)
    return weights @ lattice @ weights.T


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
        self.maps = nn.Sequential(conv(a, a), nn.ReLU(), conv(a, SMOOTH + 4 * 2))
        self.find_root = nn.Linear(config.rotator_widths[2], 2)
        self.painter = Encoder(16 + 8 + a, config.painter_widths, config.painter_blocks)
        self.brush = conv(config.painter_widths[0], 2 * 4 * 4)
        self.carry = conv(a, width)
        self.enter = conv(LAYERS + 1 + 16, width)
        self.pose = nn.Linear(3 + TURN_TERMS, width)
        self.conv1 = conv(width, width)
        self.conv2 = conv(width, width)
        self.head = conv(width, 4 * 2 + 5)
        self.unit = config.flow_unit
        for layer in (self.maps[2], self.head, self.find_root, self.brush):
            start_small(layer, 0.2)

    def encode(self, rest: Tensor) -> RotatorFeatures:
        """rest (B, 4, 256, 256)"""
        features, summary = self.encoder(F.pixel_unshuffle(rest, 4) - 0.5)
        maps = self.maps(features).float()
        turn, body, occupancy = torch.split(maps, [SMOOTH - 1, 1, 4 * 2], 1)
        turn = free_form(turn).reshape(-1, LAYERS, TURN_TERMS, 2, *turn.shape[2:]).transpose(1, 2).flatten(2, 3)
        x, y = pixel_grid(turn.shape[3], turn.shape[4], rest.device).chunk(2, 1)
        # the start: the body follows from the neck upwards
        out = (x - SPEC / 2).abs()
        body = torch.sigmoid(4 * body + (200 - y) / 6) * ramp(out, NECK_SIDES)
        low = ramp(y, HAIR_HANGS)
        hair = (1 - HAIR_STAYS * low * low * (3 - 2 * low)).expand_as(body)
        beyond = ramp(out, BEYOND_SIDES) * ramp(y, BEYOND_ROWS)
        follow = torch.cat([hair, body + beyond * hair, hair], 1)
        occupancy = torch.sigmoid(F.pixel_shuffle(occupancy, 2) * 4)
        head, torso = occupancy.chunk(2, 1)
        outline = surely(F.max_pool2d(head, 2 * OUTLINE + 1, 1, OUTLINE))
        modal = torch.cat([head, (1 - head) * torso, (1 - head) * (1 - torso)], 1)
        centre = torch.tensor([128.0, 204.0], device=rest.device)
        root = centre + 16 * torch.tanh(self.find_root(summary).float())
        small = halved(rest).float()
        shown = torch.cat([head, small], 1)
        hidden = self.painted(rest, features, [continued(small, modal[:, k : k + 1].detach()) for k in (BODY, BACK)])
        behind = torch.stack([halved(halved(layer)) for layer in hidden], 1)
        covers = torch.cat([occupancy, outline], 1)
        return RotatorFeatures(
            self.carry(features), turn * self.unit, follow, modal, root, covers, shown, hidden, behind
        )

    def fitted(self, rest: Tensor) -> RotatorFeatures:
        """What `encode` gives for rest (B, 4, 256, 256), with what is beside jaw and shoulders tied to them."""
        features = self.encode(rest)
        turn = attached(features.turn, features.shown[:, :1])
        return features._replace(turn=turn, follow=lying(features.follow, features.modal[:, BODY : BODY + 1]))

    def painted(self, rest: Tensor, features: Tensor, smooth: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Body and back hair (B, 4, 256, 256): `smooth` (B, 4, 128, 128) each, with what the painter adds.

        Painted once per character, at the network's full resolution, and moved like the drawing itself.
        """
        seen = [F.pixel_unshuffle(rest, 2) - 0.5, *(layer.to(rest.dtype) for layer in smooth)]
        looked = torch.cat([*seen, enlarge(features, smooth[0].shape[-1])], 1)
        looked = looked.contiguous(memory_format=torch.channels_last)
        # Half of the time of a training step otherwise, where the processor multiplies this type faster.
        with torch.autocast(rest.device.type, torch.bfloat16, enabled=self.training):
            strokes = F.pixel_shuffle(self.brush(self.painter(looked)[0]), 2)
        base = enlarge(torch.cat(smooth, 1), rest.shape[-1])
        body, back = (base + torch.tanh(strokes.float())).clamp(0, 1).chunk(2, 1)
        return solid(body), solid(back)

    def place(self, features: RotatorFeatures, neck: Tensor) -> Placed:
        """Flow alone: neck (B*K, 3) z, x, y; K poses of each character in a row."""
        neck = neck.float()
        count, each, size = len(neck), len(neck) // len(features.turn), features.turn.shape[3:]
        here = pixel_grid(size[0], size[1], neck.device)
        moves = blend(features.turn, turn_terms(neck)).view(count * LAYERS, 2, *size)
        follow = repeated(features.follow, each).view(count * LAYERS, 1, *size)
        lean, root = repeated(neck[:, :1, None, None], LAYERS) * NECK_RANGE_RAD, repeated(features.root, each * LAYERS)
        # What lies here now may follow more or less than what lay here at rest.
        follow = sample(follow, tilted(here, follow * lean, root))
        upright = tilted(here, follow * lean, root)
        found_at = upright + sample(moves, upright)  # (B*K*LAYERS, 2, 64, 64)
        size = features.shown.shape[2:]
        flow = enlarge(found_at - here, size[0]).view(count, LAYERS, 2, *size)
        sources = flow + pixel_grid(size[0], size[1], neck.device)[:, None]
        face = sample(repeated(features.shown, each), sources[:, HEAD])
        covers = sample(repeated(features.covers, each * 2), sources[:, BODY:].flatten(0, 1)).view(count, 2, 3, *size)
        others = found_at.view(count, LAYERS, *found_at.shape[1:])[:, BODY:].flatten(0, 1)
        behind = enlarge(sample(repeated(features.behind, each).flatten(0, 1), others), size[0])
        colours = torch.cat([face[:, None, 1:], behind.view(count, 2, 4, *size)], 1)
        head, torso = face[:, :1], covers[:, 0, 1:2]
        layers = torch.cat([head, (1 - head) * torso, (1 - head) * (1 - torso)], 1)
        # Nothing covers the head; the others cannot be copied from where something in front of them is.
        body, back = (1 - covers).unbind(1)
        shown = torch.cat([torch.ones_like(head), body[:, :1], back[:, :1] * back[:, 1:2]], 1)
        validity = (layers * shown).sum(1, keepdim=True)
        apart = (flow[:, BODY:] - flow[:, :1]).abs().amax(2)
        # A neck with a copy of the chin is always wrong; hair with one of the hair before it often is right.
        wrong = torch.cat([covers[:, :1, 2], covers[:, 1:, 2] * (1 - surely(covers[:, 1:, 0]))], 1)
        wrong = wrong * ramp(apart, TRACE_PX)
        traces = (layers[:, BODY:] * wrong).sum(1, keepdim=True)
        return Placed(flow, layers, validity, colours, sources, traces)

    def decode(self, features: RotatorFeatures, neck: Tensor, run: Run = in_turn) -> RotatorOutput:
        """neck (B*K, 3) z, x, y. The colours of the retouch are those of the rest image: it has no part in the face."""
        flow, layers, validity, colours, sources, traces = self.place(features, neck)
        each = len(neck) // len(features.turn)
        first = (colours * layers[:, :, None]).sum(1)
        blended = halved((sources * layers[:, :, None]).sum(1))  # (B*K, 2, 64, 64)
        kept = features.features
        dtype = kept.dtype
        first = first.to(dtype)
        seen = torch.cat([halved(torch.cat([layers, validity], 1)).to(dtype), F.pixel_unshuffle(first, 2)], 1)
        neck = neck.to(dtype)
        pose = self.pose(torch.cat([neck, turn_terms(neck)], 1))[:, :, None, None]
        seen = seen.contiguous(memory_format=torch.channels_last)
        kept = repeated(kept, each)

        def rows(begin: int, end: int) -> Tensor:
            """The decoder's answer in these rows; more are computed, for what the convolutions reach."""
            top = max(0, begin - REACH)
            part = slice(top, end + REACH)
            h = self.enter(seen[:, :, part]) + pose
            h = F.relu(h + sample(kept, blended[:, :, part]))
            h = F.relu(h + self.conv1(h))
            h = F.relu(h + self.conv2(h))
            answer: Tensor = self.head(h)[:, :, begin - top : end - top]
            return answer

        height = seen.shape[2]
        cuts = (0, height) if run is in_turn else (0, round(ROWS_FIRST * height), height)
        out = torch.cat(run(*(partial(rows, *ends) for ends in pairwise(cuts))), 2)
        fine, coarse = torch.split(out, [4 * 2, 5], 1)
        keep, combine = F.pixel_shuffle(fine, 2).contiguous().chunk(2, 1)
        coarse = torch.cat([torch.tanh(coarse[:, :4]), coarse[:, 4:]], 1)
        touch, retouch = torch.split(enlarge(coarse, keep.shape[-1]), [4, 1], 1)
        gate = (8 * neck.abs().amax(1)).clamp(max=1)[:, None, None, None]
        # Only where the flow has nothing true to copy: free, they prefer softness to lines a pixel off.
        lacking = 1 - validity.to(dtype)
        allowed = gate * (3 * lacking).clamp(max=1)
        combine = torch.maximum(allowed * torch.sigmoid(4 * combine + 8 * (lacking - 0.6)), traces.to(dtype))
        return RotatorOutput(
            flow,
            layers,
            validity,
            features.hidden,
            torch.sigmoid(4 * keep),
            combine,
            (first + touch).clamp(0, 1),
            allowed * torch.sigmoid(4 * retouch - 4),
        )

    @staticmethod
    def paint(image: Tensor, out: RotatorOutput) -> Painted:
        """Every algorithm's picture at the resolution of `image` (B, 4, S, S): the flow warps what it is given."""
        size = image.shape[-1]
        layers = enlarge(out.layers, size).to(image.dtype)
        here = pixel_grid(size, size, image.device)
        places = [enlarge(out.flow[:, k], size) + here for k in range(LAYERS)]
        moved = [sample(image, places[k]) * layers[:, k : k + 1] for k in range(LAYERS)]
        zhou = moved[HEAD] + moved[BODY] + moved[BACK]
        colour, each = moved[HEAD], len(image) // len(out.hidden[0])
        for k, whole in zip((BODY, BACK), out.hidden, strict=True):
            colour = colour + sample(repeated(whole, each).to(image.dtype), places[k]) * layers[:, k : k + 1]
        keep, combine, touch, retouch = (enlarge(x, size) for x in out[4:])
        pumarola = colour + keep * (image - colour)
        combined = zhou + combine * (pumarola - zhou)
        return Painted(pumarola, zhou, combined, combined + retouch * (touch - combined))


def attached(turn: Tensor, head: Tensor) -> Tensor:
    """Flows (B, TERMS, LAYERS * 2, 64, 64), those of neck and hair beside the jaw of `head` (B, 1, 128, 128) like its.

    What a moving jaw uncovers is then the drawing beside it, a little stretched, and nothing has to be invented.
    """
    side = 2 * NEAR + 1
    near = F.avg_pool2d(F.max_pool2d(halved(head), side, 1, NEAR), side, 1, NEAR, count_include_pad=False)
    x, y = pixel_grid(turn.shape[3], turn.shape[4], turn.device).chunk(2, 1)
    near = near * ramp(y, JAW_ROWS) * ramp((x - SPEC / 2).abs(), JAW_SIDES)
    layers = turn.reshape(*turn.shape[:2], LAYERS, 2, *turn.shape[3:])
    return torch.lerp(layers, layers[:, :, :1], near[:, None, None]).flatten(2, 3)


def lying(follow: Tensor, body: Tensor) -> Tensor:
    """Shares (B, LAYERS, 64, 64) of the tilt, those of hair where it meets the `body` (B, 1, 128, 128) like the body's.

    Else a leaning head pulls it off, and what it covered there has to be invented.
    """
    near = F.avg_pool2d(halved(body), 2 * MEETS + 1, 1, MEETS, count_include_pad=False)
    x = pixel_grid(follow.shape[2], follow.shape[3], follow.device)[:, :1]
    near = near * ramp((x - SPEC / 2).abs(), SHOULDER_SIDES)
    head, torso, hair = follow.chunk(3, 1)
    hair = hair * (1 - near)
    return torch.cat([head, torch.minimum(torso, hair), hair], 1)


def ramp(value: Tensor, ends: tuple[float, float]) -> Tensor:
    """0 at the first end and before, 1 at the second and behind, a straight line between."""
    return ((value - ends[0]) / (ends[1] - ends[0])).clamp(0, 1)


def surely(share: Tensor) -> Tensor:
    """Nothing up to 0.6, all at 1."""
    return ramp(share, (0.6, 1.0))


def solid(colour: Tensor) -> Tensor:
    """Premultiplied (B, 4, H, W) with an alpha nearer to 0 or 1: doubt about an outline is not smoke."""
    alpha = colour[:, 3:]
    return torch.minimum(colour, alpha) * (alpha * (3 - 2 * alpha))


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
