"""How layers move: their points turn and nod by their depth like a relief, then lean about the neck's root.

Fitted once per character: the backward flow of each layer is a polynomial in (neck_x, neck_y) with a map for every
term, so a frame costs a weighted sum of maps, is exactly still at the zero pose and smooth in the pose. What body,
breath and hair do is small, and a map each. Leans are rotations, and computed. Flows are in px of the spec square, from
where a point is to where it was.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import SPEC, pixel_grid, sample
from puppeteer.networks.rig.pictures import smooth
from puppeteer.networks.rig.reader import FACE
from puppeteer.pose import NECK_RANGE_DEG
from puppeteer.relief import BREATH_PX, HIPS, LEAN_DEG, NOD_DEPTH, NOD_RELIEF, TURN_DEPTH, TURN_RELIEF, relieved, squash

CELLS = 64  # a side of the maps: flows are smooth
FINE = 128  # a side of the depth that they are fitted to
RANGE = math.radians(NECK_RANGE_DEG)
FIT_AT = (-1.0, -0.5, 0.5, 1.0)  # of each number, and 0 for the other or both
STEPS, DAMPING = 8, 0.8  # of the search for where a point was
SOLVER_STEPS = 6
BODY_LEAN = math.radians(LEAN_DEG)
BODY_TURN, BODY_AXIS = math.radians(5.7), 19.0  # what 1 of its turn is, and how deep its axis lies, px
CHEST_SIGMA = 37.0  # px: how wide a chest is that a breath lifts
HAIR_PX = 6.0  # what 1 swings ends of hair by
# px that a chin drops by with a wide open mouth, as in pictures of another system; how wide it is; below the neck's tip
JAW_PX, JAW_SIGMA, JAW = 0.9, 24.0, (-14.0, 6.0)
FAINT = 1e-3  # weight of places where a layer shows nothing: its flow goes on smoothly there


class Motion(NamedTuple):
    """Kept per character, L layers."""

    terms: Tensor  # (T, L, 2, 64, 64) px
    lean: Tensor  # (L, 1, 64, 64) share of the lean that a layer's points follow, where they lie at rest
    root: Tensor  # (2,) px
    swings: Tensor  # (4, L, 2, 64, 64) px: where points go for a turned body, a breath, swung hair, a dropped jaw


def terms_of(x: Tensor, y: Tensor) -> Tensor:
    """neck_x and neck_y (P,) -> (P, T), all zero where both are."""
    return torch.stack([x, y, x * x, y * y, x * y, x**3, y**3, x * x * y, x * y * y], 1)


def bent(points: Tensor, depth: Tensor, follow: Tensor, tip: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Where points (P, 2, H, W) of a depth (P, 1, H, W) lie after a turn and a nod: `characters.mesh.bend` without
    its lean. `follow` (P, 1, H, W) of the tip at `tip` (2,); x and y (P,) as in a pose."""
    across, down = (points - tip[:, None, None]).unbind(1)
    depth, follow = depth[:, 0], follow[:, 0]
    depth, share = relieved(depth), squash(depth)
    a = RANGE * y[:, None, None] * follow
    near = across * a.sin() + NOD_RELIEF * (depth - NOD_DEPTH) * a.cos()
    across = across * (1 - share * (1 - a.cos())) - TURN_RELIEF * (depth - TURN_DEPTH) * a.sin()
    a = RANGE * x[:, None, None] * follow
    down = down * (1 - share * (1 - a.cos())) - near * a.sin()
    return torch.stack([across, down], 1) + tip[:, None, None]


def fitted(
    depth: Tensor,
    follow: Tensor,
    whole: Tensor,
    hangs: Tensor,
    root: Tensor,
    tip: Tensor,
    speaks: Tensor | float = 1.0,
) -> Motion:
    """From depth (L, 1, 128, 128) px, follow (L, 2, 128, 128) of root and tip, how far hair hangs (L, 1, 128, 128),
    all of them also where a layer shows nothing, and coverage (L, 1, 128, 128); a jaw `speaks` (), or 0 of it."""
    here = pixel_grid(FINE, FINE, depth.device)
    values = torch.tensor([0.0, *FIT_AT], device=depth.device)
    x, y = (v.flatten()[1:] for v in torch.meshgrid(values, values, indexing="ij"))
    pinv = torch.linalg.pinv(terms_of(x, y).double()).float()  # (T, P)
    known = torch.cat([depth, follow[:, 1:], whole], 1)
    maps = []
    for layer in known[:, None]:
        kept = layer.expand(len(x), -1, -1, -1)
        at = here.expand(len(x), -1, -1, -1)
        for _ in range(STEPS):
            known_at = sample(kept, at)
            at = at + DAMPING * (here - bent(at, known_at[:, :1], known_at[:, 1:2], tip, x, y))
        shown = sample(kept[:, 2:], at) + FAINT
        maps.append((pinv @ coarsened(at - here, shown).flatten(1)).view(-1, 2, CELLS, CELLS))
    lean = F.avg_pool2d(follow[:, :1], FINE // CELLS)
    return Motion(torch.stack(maps, 1), lean, root, swings(depth, lean, hangs, tip, speaks))


def swings(depth: Tensor, lean: Tensor, hangs: Tensor, tip: Tensor, speaks: Tensor | float) -> Tensor:
    """(4, L, 2, 64, 64), see `Motion`."""
    depth, hangs = (F.avg_pool2d(x, FINE // CELLS) for x in (depth, hangs))
    here = pixel_grid(CELLS, CELLS, depth.device)
    x, y = here[:, :1], here[:, 1:]
    chest = bulge(x) * (1 - lean)
    still = torch.zeros_like(lean)
    turned = torch.cat([-math.sin(BODY_TURN) * (depth - BODY_AXIS), still], 1)
    breathed = torch.cat([still, -BREATH_PX * chest], 1)
    swung = torch.cat([-HAIR_PX * hangs, still], 1)
    jaw = torch.zeros_like(breathed)
    chin = bulge(x, tip[0], JAW_SIGMA) * smooth(y - tip[1], *JAW)
    jaw[FACE, 1] = JAW_PX * speaks * chin[0, 0]
    return torch.stack([turned, breathed, swung, jaw])


def coarsened(fine: Tensor, weight: Tensor) -> Tensor:
    """(P, 2, 128, 128), weight (P, 1, 128, 128) -> (P, 2, 64, 64) that is nearest to it once it is enlarged bilinearly.

    Weighted least squares by conjugate gradients: outlines move right although a cell reaches beyond them.
    """
    step = FINE // CELLS
    unit = torch.eye(CELLS, device=fine.device)[None]
    up = F.interpolate(unit, FINE, mode="linear", align_corners=False)[0].T.contiguous()  # (128, 64)

    def enlarged(x: Tensor) -> Tensor:
        return up @ x @ up.T

    def gathered(x: Tensor) -> Tensor:
        return up.T @ x @ up

    def square(x: Tensor) -> Tensor:
        return (x * x).sum((1, 2, 3), keepdim=True)

    out = F.avg_pool2d(fine * weight, step) / F.avg_pool2d(weight, step)
    left = gathered(weight * (fine - enlarged(out)))
    way, size = left, square(left)
    for _ in range(SOLVER_STEPS):
        ahead = gathered(weight * enlarged(way))
        far = size / (way * ahead).sum((1, 2, 3), keepdim=True).clamp(min=1e-12)
        out, left = out + far * way, left - far * ahead
        before, size = size, square(left)
        way = left + size / before.clamp(min=1e-12) * way
    return out


def bulge(x: Tensor, middle: Tensor | float = SPEC / 2, sigma: float = CHEST_SIGMA) -> Tensor:
    """How far a chest, or what has another middle and width, stands out at px from the left, 0 to 1."""
    return torch.exp(-0.5 * ((x - middle) / sigma) ** 2)


def flows(motion: Motion, neck: Tensor, body: Tensor) -> Tensor:
    """Neck (3,) in the order z, x, y and body (5,) in the order z, y, breath, hair, and how far its mouth is more open
    than drawn -> (L, 2, 64, 64) px from a pixel to where the layer shows it at rest."""
    count = motion.lean.shape[0]
    here = pixel_grid(CELLS, CELLS, neck.device)
    # Filled there: a copy from the host has no place in a frame that is recorded as a graph.
    hips = torch.stack([torch.full((), at, device=neck.device) for at in HIPS])
    upright = _upright(here, (BODY_LEAN * body[0]).view(1, 1, 1, 1), hips).expand(count, -1, -1, -1)
    swung = (body[1:] @ motion.swings.flatten(1)).view(count, 2, CELLS, CELLS)
    upright = upright - sample(swung, upright)
    weights = terms_of(neck[1:2], neck[2:])
    moves = (weights @ motion.terms.flatten(1)).view(count, 2, CELLS, CELLS)
    angle = RANGE * neck[0]
    # What lies here now may follow more or less than what lay here at rest.
    at = _upright(upright, sample(motion.lean, upright) * angle, motion.root)
    follow = sample(motion.lean, at)
    at = _upright(upright, follow * angle, motion.root)
    return at + sample(moves, at) - here


def _upright(points: Tensor, angle: Tensor, root: Tensor) -> Tensor:
    """Points (1, 2, H, W) turned back by `angle` (L, 1, H, W) rad about `root` (2,), +1 leaning left."""
    x, y = (points - root[:, None, None]).unbind(1)
    sin, cos = angle.sin()[:, 0], angle.cos()[:, 0]
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1) + root[:, None, None]
