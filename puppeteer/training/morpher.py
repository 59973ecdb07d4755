"""Trains the morpher on faces with other expressions, of characters that are drawn meanwhile or of a data set.

    python -m puppeteer.training.morpher --run runs/first --minutes 100 [--data data/models/train]

A data set is a folder of shards, as `puppeteer.training.dataset` and `puppeteer.models3d render` write them. A run
goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.compact import (
    CROP,
    CROP_AT,
    Morpher,
    MorpherConfig,
    MorpherFeatures,
    MorpherOutput,
    pixel_grid,
    sample,
)
from puppeteer.networks.compact.morpher import MOUTH_COLUMNS
from puppeteer.pose import BY_NAME, POSE_NAMES
from puppeteer.training.dataset import (
    ARRAYS,
    CROP_SLICE,
    EXPRESSIONS,
    PART_UNEXPLAINED,
    Shards,
    render_expressions,
)
from puppeteer.training.learning import Losses, Planes, Task, arguments, half, learn_as_told
from puppeteer.training.restyle import Dice, brushed, in_grey
from puppeteer.training.ring import Source

LARGEST_SHIFT = 6  # px
FIELDS = ("seed", "rest_mouth", "rest", "expression", "morphed", "morph_move", "morph_part")
MOUTH_ROWS = slice(94, 126)  # of the crop: where mouths lie
BROW_ROWS = slice(32, 66)  # above most eyes


@dataclass(frozen=True)
class MorpherBatch:
    """B characters, K expressions each; B*K rows, the expressions of one character in a row."""

    rest: Tensor  # (B, 4, 128, 128) float, premultiplied, the crop
    rest_mouth: Tensor  # (B,)
    expression: Tensor  # (B*K, N) the numbers that are taught
    target: Tensor  # (B*K, 4, 128, 128)
    move: Tensor  # (B*K, 2, 128, 128)
    part: Tensor  # (B*K, 128, 128) uint8


class Names(NamedTuple):
    """What rows call what is drawn of a character's K faces, and which numbers of the pose these have."""

    expression: str  # (K, N)
    target: str  # (K, 128, 128, 4)
    move: str  # (K, 128, 128, 2)
    part: str  # (K, 128, 128)
    numbers: tuple[str, ...]


NAMES = Names("expression", "morphed", "morph_move", "morph_part", POSE_NAMES[:3])


def flipped(planes: Planes, which: Tensor, names: Names = NAMES) -> Planes:
    """The mirror images of some (B,) booleans."""

    def where(name: str, mirrored: Tensor) -> Tensor:
        x = planes[name]
        return torch.where(which.view(-1, *[1] * (x.ndim - 1)), mirrored, x)

    numbered, moves = planes[names.expression], planes[names.move]
    signs = numbered.new_tensor([-1 if BY_NAME[name].negated else 1 for name in names.numbers])
    order = [names.numbers.index(BY_NAME[name].mirror) for name in names.numbers]
    return planes | {
        "rest": where("rest", planes["rest"].flip(-2)),
        names.target: where(names.target, planes[names.target].flip(-2)),
        names.part: where(names.part, planes[names.part].flip(-1)),
        names.move: where(names.move, moves.flip(-2) * moves.new_tensor([-1, 1])),
        names.expression: where(names.expression, signs * numbered[..., order]),
    }


def shifted(planes: Planes, right: Tensor, down: Tensor) -> Planes:
    """Everything moved by (B,) px, what comes in continuing the edge; up to `LARGEST_SHIFT`."""

    def moved(x: Tensor, axis: int) -> Tensor:
        """Rows in `axis`, columns in the next."""
        out = x
        for along, by in ((axis, down), (axis + 1, right)):
            at = torch.arange(x.shape[along], device=x.device) - by[:, None]
            shape = [1] * x.ndim
            shape[0], shape[along] = len(x), x.shape[along]
            out = out.gather(along, at.clamp(0, x.shape[along] - 1).view(shape).expand_as(out))
        return out

    whole = planes["rest"][:, None].repeat_interleave(EXPRESSIONS, 1)
    whole[:, :, CROP_SLICE, CROP_SLICE] = planes["morphed"]
    return planes | {
        "rest": moved(planes["rest"], 1),
        "morphed": moved(whole, 2)[:, :, CROP_SLICE, CROP_SLICE],
        # nothing moves at the crop's edge
        "morph_move": moved(planes["morph_move"], 2),
        "morph_part": moved(planes["morph_part"], 2),
    }


def weighted_mean(value: Tensor, weight: Tensor) -> Tensor:
    """Mean of value (B, C, H, W) with weight (B, 1, H, W)."""
    return (value * weight).sum() / (weight.sum() * value.shape[1]).clamp(min=1)


def picture_loss(ours: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """L1 plus L1 of the gradients (lines stay crisp); (B, 4, H, W), weight (B, 1, H, W)."""
    loss = weighted_mean((ours - true).abs(), weight)
    for axis in (-1, -2):
        steps = ours.diff(dim=axis) - true.diff(dim=axis)
        loss = loss + weighted_mean(steps.abs(), weight.narrow(axis, 1, steps.shape[axis]))
    return loss


def small_parts(like: Tensor) -> Tensor:
    """(1, 1, 128, 128): a mouth has a tenth of the pixels of two eyes and says as much, and so have brows."""
    weight = torch.ones_like(like[:1, :1])
    weight[:, :, BROW_ROWS] = 3
    weight[:, :, MOUTH_ROWS, MOUTH_COLUMNS] = 4
    return weight


def morpher_step(network: Morpher, batch: MorpherBatch, seen: Tensor) -> tuple[Losses, Tensor, MorpherOutput]:
    """Losses of one batch and the morphed crops. `seen` (B, 4, 128, 128): what the encoder looks at."""
    count = len(batch.target) // len(batch.rest)
    with half(seen.device):
        features = network.encode(seen)
    features = MorpherFeatures(*(x.float() for x in features))
    # The gate needs the drawn mouth's opening; the true one, so that a wrong guess cannot close the gate in training.
    with half(seen.device):
        out = network.decode(
            features._replace(rest_mouth=batch.rest_mouth, own_mouth=batch.rest_mouth), batch.expression
        )
    out = MorpherOutput(*(x.float() for x in out))
    rest = batch.rest.repeat_interleave(count, 0)
    here = pixel_grid(256, 256, rest.device)[:, :, CROP_AT : CROP_AT + CROP, CROP_AT : CROP_AT + CROP]
    canvas = F.pad(rest, (CROP_AT,) * 4)
    moved = sample(canvas, here + out.flow * out.gate)
    changed = out.ways[:, :1] * rest + out.ways[:, 1:2] * moved + out.ways[:, 2:] * out.colour
    ours = rest + out.gate * (changed - rest)

    difference = (batch.target - rest).abs().amax(1, keepdim=True)
    touched = F.max_pool2d((difference > 0.03).float(), 3, 1, 1)
    small = small_parts(touched)
    weight = 0.15 + 3 * touched * small
    new = (batch.part == PART_UNEXPLAINED)[:, None].float() * touched
    distance = batch.move.norm(dim=1, keepdim=True)
    slid = ((distance > 0.3) & (batch.part != PART_UNEXPLAINED)[:, None]).float() * touched
    # A move that does not reproduce the target (it was hidden) teaches nothing.
    honest = (sample(canvas, here + batch.move) - batch.target).abs().amax(1, keepdim=True) < 0.12
    slid = slid * honest
    ways = -(out.ways + 1e-4).log()
    losses = {
        "picture": picture_loss(ours, batch.target, weight),
        "flow": 0.02 * weighted_mean((out.flow - batch.move).abs(), slid),
        "calm": 0.002 * weighted_mean(out.flow.diff(dim=-1).abs(), torch.ones_like(out.flow[:, :1, :, 1:])),
        "colour": 0.5 * weighted_mean((out.colour - batch.target).abs(), (touched + 2 * new) * small),
        "ways": 0.02
        * (
            weighted_mean(ways[:, :1], 1 - touched)
            + weighted_mean(ways[:, 1:2], slid * small)
            + weighted_mean(ways[:, 2:], new * small)
        ),
        # cross entropy: half of the mouths are closed, and L1 through a sigmoid would settle there
        "mouth": 0.2 * F.binary_cross_entropy(features.rest_mouth.float(), batch.rest_mouth),
    }
    return losses, ours, out


class Seen(NamedTuple):
    """A batch and what the encoder sees of it, with noise."""

    truth: MorpherBatch
    crops: Tensor  # (B, 4, 128, 128)


def seen_batch(planes: Planes, crops: Tensor, dice: Dice, names: Names) -> Seen:
    """Characters at rest (`crops`, uint8, premultiplied (B, 128, 128, 4)) and in their faces, in other colours: gain
    for each channel, the same for all of a character's pictures, and other brushes where the encoder sees them.

    Transparent stays transparent: the colour of a premultiplied picture is bounded by its alpha.
    """
    gain = (1 + dice.normal(0.12, 1, 1, 1)) * (1 + dice.normal(0.04, 3, 1, 1))
    soft = dice.numbers(dice.rng.choice([0, 0, 0.3, 0.5], (dice.count, 1, 1, 1)))
    grey = dice.often(0.06)

    def coloured(x: Tensor) -> Tensor:
        """(B, K, H, W, 4) uint8 -> (B*K, 4, H, W)"""
        faces = x.shape[1]
        flat = x.flatten(0, 1).permute(0, 3, 1, 2).float() / 255
        rgb = torch.minimum(flat[:, :3] * gain.repeat_interleave(faces, 0), flat[:, 3:])
        out = torch.cat([in_grey(rgb, grey.repeat_interleave(faces)), flat[:, 3:]], 1)
        # slightly out of focus, as a scaled drawing is
        near = F.avg_pool2d(out, 3, 1, 1, count_include_pad=False)
        return torch.lerp(out, near, soft.repeat_interleave(faces, 0))

    rest = coloured(crops[:, None])
    batch = MorpherBatch(
        rest,
        planes["rest_mouth"].float(),
        planes[names.expression].flatten(0, 1),
        coloured(planes[names.target]),
        planes[names.move].flatten(0, 1).float().permute(0, 3, 1, 2),
        planes[names.part].flatten(0, 1),
    )
    return Seen(batch, brushed(rest, dice))


def batch_of(planes: Planes, rng: np.random.Generator) -> Seen:
    """Characters that are shifted, mirrored and in other colours."""
    dice = Dice(rng, len(planes["rest"]), planes["rest"].device)
    right, down = (
        torch.tensor(rng.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, dice.count), device=dice.device) for _ in range(2)
    )
    moved = shifted(flipped(planes, dice.often(0.5) > 0), right, down)
    return seen_batch(moved, moved["rest"][:, CROP_SLICE, CROP_SLICE], dice, NAMES)


def losses(network: Morpher, batch: Seen, rng: np.random.Generator) -> Losses:
    return morpher_step(network, batch.truth, batch.crops)[0]


TASK = Task(
    "morpher",
    lambda: Morpher(MorpherConfig()),
    Source({name: ARRAYS[name] for name in FIELDS}, render_expressions),
    batch_of,
    losses,
    slots=256,
    rate=6e-4,
    sizes={"cpu": 2, "cuda": 48},
    betas=(0.9, 0.98),
)


def main() -> None:
    parser = arguments(__doc__, TASK)
    parser.add_argument("--data", type=Path, help="a folder of shards, instead of characters that are drawn meanwhile")
    options: Any = parser.parse_args()
    learn_as_told(TASK, options, feed=Shards(options.data, options.seed) if options.data else None)


if __name__ == "__main__":
    main()
