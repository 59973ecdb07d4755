"""Trains the networks of the rig: the reader, and the painter beside it, on characters drawn meanwhile.

    python -m puppeteer.training.rig --run runs/rig --minutes 30
    python -m puppeteer.training.rig --run runs/rig --minutes 30 --models data/models/train --share 0.3

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

from puppeteer.networks.rig.reader import COUNT, DEPTH_UNIT, PAINTED, Painter, Reader, ReaderConfig, Reading
from puppeteer.training.learning import Losses, Task, arguments, half, learn_as_told
from puppeteer.training.models import Mixed
from puppeteer.training.ring import FIELDS, Row, Source, rendered

SIZE = 256


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


def batch_of(rows: list[Row], rng: np.random.Generator | None, device: torch.device) -> Batch:
    """With `rng` flipped, scaled, shifted, in other colours, noisy and blurred."""

    def planes(name: str) -> Tensor:
        return torch.from_numpy(np.stack([row[name] for row in rows])).to(device)

    rest = planes("rest").permute(0, 3, 1, 2).float() / 255
    seen = planes("seen").float() / 255
    whole = planes("whole").float() / 255
    colour = planes("colour").permute(0, 1, 4, 2, 3).flatten(1, 2).float() / 255
    depth, joints = planes("depth").float(), planes("joints")
    there = (~depth.isnan()).float()
    depth = depth.nan_to_num()
    if rng is not None:
        count = len(rows)
        scale = torch.tensor(rng.uniform(0.86, 1.14, count), dtype=torch.float32, device=device)
        shift = torch.tensor(rng.uniform(-0.06, 0.06, (count, 2)), dtype=torch.float32, device=device)
        side = torch.tensor(rng.choice([-1.0, 1.0], count), dtype=torch.float32, device=device)
        matrix = torch.zeros(count, 2, 3, device=device)
        matrix[:, 0, 0], matrix[:, 1, 1], matrix[:, :, 2] = side / scale, 1 / scale, shift

        def moved(x: Tensor) -> Tensor:
            grid = F.affine_grid(matrix, [count, 1, *x.shape[2:]], align_corners=False)
            # A body goes on below the picture's edge.
            return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

        parts = torch.cat([rest, seen, whole, colour], 1)
        rest, seen, whole, colour = torch.split(moved(parts), [4, COUNT, COUNT, 3 * len(PAINTED)], 1)
        both = moved(torch.cat([depth * there, there], 1))
        depth, there = both[:, :COUNT], both[:, COUNT:]
        depth = depth / there.clamp(min=1e-3) * scale[:, None, None, None]
        there = (there > 0.7).float()
        # grid = matrix @ output + shift, so output = (input - shift) / matrix
        at = joints.view(-1, 2, 2) / 128 - 1
        at = (at - shift[:, None]) * torch.stack([side * scale, scale], 1)[:, None]
        joints = ((at + 1) * 128).flatten(1)
        gain = torch.tensor(
            np.exp(rng.normal(0, 0.12, (count, 1, 1, 1)) + rng.normal(0, 0.05, (count, 3, 1, 1))),
            dtype=torch.float32,
            device=device,
        )
        rest = torch.cat([torch.minimum(rest[:, :3] * gain, rest[:, 3:]), rest[:, 3:]], 1)
        paints = colour.view(count, len(PAINTED), 3, SIZE, SIZE) * gain[:, None]
        colour = paints.flatten(1, 2)
        noise = float(rng.choice([0, 0, 0.012, 0.025]))
        softness = float(rng.choice([0, 0, 0.2, 0.45]))
        if softness:
            rest = torch.lerp(rest, F.avg_pool2d(rest, 3, 1, 1, count_include_pad=False), softness)
        if noise:
            grain = noise * torch.randn(rest[:, :3].shape, device=device) * rest[:, 3:]
            rest = torch.cat([(rest[:, :3] + grain).clamp(min=0), rest[:, 3:]], 1)
            rest = torch.minimum(rest, torch.cat([rest[:, 3:]] * 3 + [torch.ones_like(rest[:, 3:])], 1))
    covered = seen.sum(1, keepdim=True)
    labels = torch.cat([(1 - covered).clamp(min=0), seen], 1)
    known = ((covered - rest[:, 3:]).abs() < 0.25).float()
    painted = whole[:, list(PAINTED)].clamp(min=1 / 255).repeat_interleave(3, 1)
    colour = (colour / painted).clamp(0, 1).view(len(rows), len(PAINTED), 3, SIZE, SIZE)
    return Batch(rest, labels / labels.sum(1, keepdim=True), known, whole, colour, depth, there, joints)


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
    "rig", Networks, Source(FIELDS, rendered), batch_of, losses, slots=192, rate=1e-3, sizes={"cpu": 4, "cuda": 32}
)


def main() -> None:
    parser = arguments(__doc__, TASK)
    parser.add_argument("--models", type=Path, help="a set of 3D models, rendered")
    parser.add_argument("--share", type=float, default=0.3, help="of the characters, that are 3D models")
    options: Any = parser.parse_args()
    drawn = Mixed(options.models, options.share) if options.models else rendered
    learn_as_told(replace(TASK, source=Source(FIELDS, drawn)), options)


if __name__ == "__main__":
    main()
