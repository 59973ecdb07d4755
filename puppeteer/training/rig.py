"""Trains the networks of the rig: the reader, and the painter beside it, on characters drawn meanwhile.

    python -m puppeteer.training.rig --run runs/rig --minutes 30
    python -m puppeteer.training.rig --run runs/rig --minutes 30 --models data/models/train --share 0.3
    python -m puppeteer.training.rig --run runs/rig --minutes 30 --start puppeteer/training/record/rig.pt

A run goes on where it stopped, with characters that it has not seen. Uses a CUDA card where there is one. `--models`
mixes 3D models in, from a set of what `python -m puppeteer.models3d render` made.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.rig.reader import (
    BACK,
    BODY,
    COUNT,
    DEPTH_UNIT,
    FACE,
    FRONT,
    GLASSES,
    NECK,
    PAINTED,
    SIDE,
    Painter,
    Reader,
    ReaderConfig,
    Reading,
)
from puppeteer.training.learning import Losses, Planes, Task, arguments, averages, half, learn_as_told
from puppeteer.training.models import Mixed
from puppeteer.training.restyle import (
    Dice,
    Kind,
    Placing,
    brushed,
    colours,
    in_grey,
    inked,
    outlines,
    recoloured,
    streaked,
    streaks,
)
from puppeteer.training.ring import FIELDS, Source, rendered

SIZE = 256
HAIR, SKIN = (BACK, SIDE, FRONT), (NECK, FACE)
KINDS = (
    Kind(HAIR, 0.6, 0.15, (0.2, 1.5), 0.3),
    Kind(SKIN, 0.03, 0.12, (0.5, 1.3), 0.08),
    Kind((BODY,), 0.7, 0.3, (0.1, 1.6), 0.35),
    Kind((GLASSES,), 0.5, 0.3, (0.2, 1.5), 0.3),
)
RESTYLED = 0.7  # of the pictures


class Batch(NamedTuple):
    """B characters."""

    rest: Tensor  # (B, 4, 256, 256) premultiplied, as the networks see it
    labels: Tensor  # (B, 1 + L, 256, 256) shares that sum to 1
    known: Tensor  # (B, 1, 256, 256) 1 where these are known
    whole: Tensor  # (B, L, 256, 256)
    colour: Tensor  # (B, 5, 3, 256, 256) not multiplied
    depth: Tensor  # (B, L, 128, 128) px
    there: Tensor  # (B, L, 128, 128) 1 where there is a depth
    joints: Tensor  # (B, 4) px


def batch_of(planes: Planes, rng: np.random.Generator | None) -> Batch:
    """With `rng` mirrored, moved and bent, and drawn in other styles."""
    count = len(planes["rest"])
    rest = planes["rest"].permute(0, 3, 1, 2).float() / 255
    seen, whole = planes["seen"].float() / 255, planes["whole"].float() / 255
    colour = planes["colour"].permute(0, 1, 4, 2, 3).flatten(1, 2).float() / 255
    depth, joints = planes["depth"].float(), planes["joints"]
    there = (~depth.isnan()).float()
    depth = depth.nan_to_num()
    dice = None if rng is None else Dice(rng, count, rest.device)
    if dice is not None:
        placing = Placing.of(dice, SIZE, (0.86, 1.2), 0.07, 0.05, 0.035, (-0.08, 0.2))
        parts = placing.moved(torch.cat([rest, seen, whole, colour], 1))
        rest, seen, whole, colour = torch.split(parts, [4, COUNT, COUNT, 3 * len(PAINTED)], 1)
        both = placing.moved(torch.cat([depth * there, there], 1))
        depth, there = both[:, :COUNT], both[:, COUNT:]
        depth = depth / there.clamp(min=1e-3) * placing.scale[:, None, None, None]
        there = (there > 0.7).float()
        joints = ((placing.places(joints.view(-1, 2, 2) / 128 - 1) + 1) * 128).flatten(1)
    covered = seen.sum(1, keepdim=True)
    labels = torch.cat([(1 - covered).clamp(min=0), seen], 1)
    labels = labels / labels.sum(1, keepdim=True)
    known = ((covered - rest[:, 3:]).abs() < 0.25).float()
    painted = whole[:, list(PAINTED)].clamp(min=1 / 255).repeat_interleave(3, 1)
    colour = (colour / painted).clamp(0, 1).view(count, len(PAINTED), 3, SIZE, SIZE)
    if dice is not None:
        rest, colour = in_another_style(rest, labels[:, 1:], colour, dice)
        rest, labels, known = cut_out(rest, labels, known, dice)
    return Batch(rest, labels, known, whole, colour, depth, there, joints)


def in_another_style(rest: Tensor, seen: Tensor, colour: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
    """Premultiplied pictures, and colours of their complete layers, with the shares in which these are seen."""
    alpha = rest[:, 3:]
    shares = seen / seen.sum(1, keepdim=True).clamp(min=0.02)
    rgb = rest[:, :3] / alpha.clamp(min=1 / 255)
    # Two changes of every layer, and a field that fades from one to the other: tips in another colour, light aside.
    first, second = (colours(dice, KINDS, COUNT) for _ in range(2))
    alike = 1 - dice.often(0.3)[:, None, None, None]
    second = tuple(torch.lerp(b, a, alike) for a, b in zip(first, second, strict=True))  # type: ignore[assignment]
    down = torch.linspace(-1, 1, SIZE, device=rest.device)[:, None]
    slope = dice.normal(2.0, 1, 1, 1) * (down - dice.uniform(-0.5, 0.5, 1, 1, 1)) + dice.smooth(SIZE, 1, 3, 3)
    field = torch.sigmoid(dice.uniform(0.5, 4.0, 1, 1, 1) * slope)
    light = dice.smooth(SIZE, 2, 4, 4) * dice.uniform(0, 0.22, 1, 1, 1)
    much = dice.normal(0.7, COUNT, 2)
    shade = torch.einsum("blc,bchw->blhw", much, light).exp()

    def alone(x: Tensor, layer: int) -> Tensor:
        one, two = (torch.einsum("bij,bjhw->bihw", m[:, layer], x) + o[:, layer, ..., None] for m, o in (first, second))
        changed: Tensor = torch.lerp(one, two, field) * shade[:, layer : layer + 1]
        return changed.clamp(0, 1)

    changed = torch.lerp(recoloured(rgb, shares, *first), recoloured(rgb, shares, *second), field)
    changed = (changed * (shares * shade).sum(1, keepdim=True)).clamp(0, 1)
    lined = shares[:, [*HAIR, BODY]].sum(1, keepdim=True)
    for _ in range(2):
        changed = streaked(changed, lined, dice, (-0.25, 0.55))
    ends = outlines(torch.cat([shares, alpha], 1), 1 if dice.rng.random() < 0.5 else 3)
    changed = inked(changed, ends, dice, 0.4)
    styled = dice.often(RESTYLED)[:, None, None, None]
    rgb = torch.lerp(rgb, changed, styled)
    layers = [torch.lerp(colour[:, k], alone(colour[:, k], layer), styled) for k, layer in enumerate(PAINTED)]
    gain = (dice.normal(0.12, 1, 1, 1) + dice.normal(0.05, 3, 1, 1)).exp()
    grey = dice.often(0.08)
    rgb = in_grey((rgb * gain).clamp(0, 1), grey)
    colour = in_grey((torch.stack(layers, 1) * gain[:, None]).clamp(0, 1), grey)
    return brushed(torch.cat([rgb * alpha, alpha], 1), dice), colour


def cut_out(rest: Tensor, labels: Tensor, known: Tensor, dice: Dice) -> tuple[Tensor, Tensor, Tensor]:
    """Some with stamps in a lower corner, which hold still like clothes, some cut off aslant below."""
    line = torch.linspace(0, 1, SIZE, device=rest.device)
    x, y = line.view(1, 1, 1, -1), line.view(1, 1, -1, 1)
    wide, high = dice.uniform(0.08, 0.26, 1, 1, 1), dice.uniform(0.06, 0.2, 1, 1, 1)
    x = torch.where(dice.often(0.5, 1, 1, 1) > 0, x, 1 - x)
    stamp = ((x < wide) & (y > 1 - high)).float() * dice.often(0.12, 1, 1, 1)
    paint = dice.uniform(0, 1, 3, 1, 1) * (1 - 0.6 * streaks(dice, SIZE))
    paint = torch.cat([paint.expand(-1, 3, SIZE, SIZE), torch.ones_like(stamp)], 1)
    rest = torch.lerp(rest, paint, stamp)
    body = F.one_hot(torch.tensor(1 + BODY, device=rest.device), 1 + COUNT).float().view(1, -1, 1, 1)
    labels = torch.lerp(labels, body.expand_as(labels), stamp)
    known = torch.maximum(known, stamp)
    edge = dice.uniform(0.86, 0.99, 1, 1, 1) + dice.normal(0.06, 1, 1, 1) * (x - 0.5)
    away = (y > edge).float() * dice.often(0.15, 1, 1, 1)
    nothing = F.one_hot(torch.tensor(0, device=rest.device), 1 + COUNT).float().view(1, -1, 1, 1)
    return rest * (1 - away), torch.lerp(labels, nothing.expand_as(labels), away), known


def reader_loss(out: Reading, batch: Batch) -> Losses:
    known = batch.known
    split = -(batch.labels * F.log_softmax(out.labels, 1)).sum(1, keepdim=True)
    edges = F.binary_cross_entropy_with_logits(out.whole, batch.whole, reduction="none")
    deep = (out.depth - batch.depth).abs() / DEPTH_UNIT * batch.there
    return {
        "split": (split * known).sum() / known.sum().clamp(min=1),
        "whole": edges.mean() * 2,
        "depth": 0.5 * deep.sum() / batch.there.sum().clamp(min=1),
        "joints": (out.joints - batch.joints).abs().mean() / 16,
    }


def painter_loss(painted: Tensor, batch: Batch) -> Losses:
    """Where a layer is but is not seen; its lines too."""
    layers = list(PAINTED)
    seen = batch.labels[:, 1:][:, layers]
    hidden = (batch.whole[:, layers] > 0.9).float() * (1 - 0.9 * seen)
    wrong = painted - batch.colour
    flat = (wrong.abs().mean(2) * hidden).sum() / hidden.sum().clamp(min=1)
    lines = sum(
        (wrong.diff(dim=axis).abs().mean(2) * hidden.narrow(axis - 1, 1, SIZE - 1)).sum() / hidden.sum().clamp(min=1)
        for axis in (3, 4)
    )
    return {"paint": 2 * flat, "lines": torch.as_tensor(lines)}


class Networks(nn.Module):
    def __init__(self, config: ReaderConfig | None = None) -> None:
        super().__init__()
        self.reader, self.painter = Reader(config or ReaderConfig()), Painter(config or ReaderConfig())


def step_losses(networks: Networks, batch: Batch, teach: bool) -> Losses:
    """`teach`: the painter gets the true split, not the reader's."""
    image = batch.rest.contiguous(memory_format=torch.channels_last)
    with half(image.device):
        out = networks.reader(image)
        if teach:
            seen = batch.labels[:, 1:]
            shares, whole = seen / seen.sum(1, keepdim=True).clamp(min=0.05), batch.whole
        else:
            shares, whole = out.shares().detach(), torch.sigmoid(out.whole.detach())
        part = slice((len(image) + 1) // 2)  # half of a batch is enough for what is painted
        painted = networks.painter(image[part], shares[part], whole[part])
    return reader_loss(out, batch) | painter_loss(painted, Batch(*(x[part] for x in batch)))


def losses(networks: Networks, batch: Batch, rng: np.random.Generator) -> Losses:
    return step_losses(networks, batch, bool(rng.random() < 0.5))


TASK = Task(
    "rig", Networks, Source(FIELDS, rendered), batch_of, losses, slots=192, rate=1e-3, sizes={"cpu": 4, "cuda": 64}
)


def shipped() -> dict[str, Tensor]:
    """The weights that ship. Raises WeightsError."""
    from puppeteer.networks.compact.family import load

    family = load()
    return {
        f"{part}.{name}": value
        for part, network in (("reader", family.reader), ("painter", family.painter))
        for name, value in network.state_dict().items()
    }


def main() -> None:
    parser = arguments(__doc__, TASK)
    parser.add_argument("--models", type=Path, help="a set of 3D models, rendered")
    parser.add_argument("--share", type=float, default=0.3, help="of the characters, that are 3D models")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--shipped", action="store_true", help="begin with the shipped weights")
    begin.add_argument("--start", type=Path, help="a checkpoint to begin with")
    options: Any = parser.parse_args()
    drawn = Mixed(options.models, options.share) if options.models else rendered
    start = shipped() if options.shipped else averages(options.start) if options.start else None
    learn_as_told(replace(TASK, source=Source(FIELDS, drawn)), options, start=start)


if __name__ == "__main__":
    main()
