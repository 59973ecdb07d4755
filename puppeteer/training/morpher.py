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
from numpy.typing import NDArray
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
    planes,
    render_expressions,
)
from puppeteer.training.learning import Losses, Task, arguments, half, learn_as_told
from puppeteer.training.ring import Row, Source

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


def flipped(row: Row, names: Names = NAMES) -> Row:
    """The mirror image."""
    out = dict(row)
    for name in ("rest", names.target):
        out[name] = row[name][..., :, ::-1, :]
    out[names.part] = row[names.part][..., ::-1]
    out[names.move] = row[names.move][..., :, ::-1, :] * np.array([-1, 1], row[names.move].dtype)
    numbered = row[names.expression]
    signs = np.array([-1 if BY_NAME[name].negated else 1 for name in names.numbers], numbered.dtype)
    order = [names.numbers.index(BY_NAME[name].mirror) for name in names.numbers]
    out[names.expression] = signs * numbered[:, order]
    return out


def shifted(row: Row, right: int, down: int) -> Row:
    """Everything moved by (right, down) px, what comes in continuing the edge; up to `LARGEST_SHIFT`."""

    def moved(array: NDArray[Any], axis: int) -> NDArray[Any]:
        widths = [(LARGEST_SHIFT, LARGEST_SHIFT) if k in (axis, axis + 1) else (0, 0) for k in range(array.ndim)]
        y, x = LARGEST_SHIFT - down, LARGEST_SHIFT - right
        window = [slice(None)] * array.ndim
        window[axis], window[axis + 1] = slice(y, y + array.shape[axis]), slice(x, x + array.shape[axis + 1])
        return np.pad(array, widths, mode="edge")[tuple(window)]

    whole = np.repeat(row["rest"][None], EXPRESSIONS, 0)
    whole[:, CROP_SLICE, CROP_SLICE] = row["morphed"]
    out = dict(row)
    out["rest"] = moved(row["rest"], 0)
    out["morphed"] = moved(whole, 1)[:, CROP_SLICE, CROP_SLICE]
    for name in ("morph_move", "morph_part"):  # nothing moves at the crop's edge
        out[name] = moved(row[name], 1)
    return out


class Augment:
    """Gain and gamma per channel, the same for every picture of a character; light noise on what the network sees.

    Transparent stays transparent: the colour of a premultiplied picture is bounded by its alpha.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.gain = torch.tensor(1 + 0.12 * rng.standard_normal(), dtype=torch.float32)
        self.tint = torch.tensor(1 + 0.04 * rng.standard_normal(3), dtype=torch.float32)[:, None, None]
        self.noise = float(rng.choice([0.0, 0.0, 0.01, 0.02]))
        self.soft = float(rng.choice([0.0, 0.0, 0.15, 0.25]))
        self.seed = int(rng.integers(2**31))

    def colour(self, image: Tensor) -> Tensor:
        """(..., 4, H, W) -> the same, other colours."""
        rgb, alpha = image[..., :3, :, :], image[..., 3:, :, :]
        rgb = torch.minimum(rgb * (self.gain * self.tint).to(rgb.device), alpha)
        out = torch.cat([rgb, alpha], -3)
        if self.soft:  # slightly out of focus, as a scaled drawing is
            flat = out.reshape(-1, 4, *out.shape[-2:])
            near = torch.nn.functional.avg_pool2d(flat, 3, 1, 1, count_include_pad=False).reshape(out.shape)
            out = out + 2 * self.soft * (near - out)
        return out

    def seen(self, image: Tensor) -> Tensor:
        """What an encoder gets (noise is not to be drawn again, so targets have none)."""
        if not self.noise:
            return image
        generator = torch.Generator().manual_seed(self.seed)
        noise = self.noise * torch.randn(image.shape, generator=generator).to(image.device)
        return torch.cat(
            [(image[..., :3, :, :] + noise[..., :3, :, :] * image[..., 3:, :, :]), image[..., 3:, :, :]], -3
        )


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


def seen_batch(
    rows: list[Row], crops: list[NDArray[np.uint8]], augments: list[Augment], device: torch.device, names: Names
) -> Seen:
    """Characters at rest (`crops`, premultiplied (128, 128, 4)) and in the faces of their rows, in other colours."""
    rest = torch.stack([a.colour(planes(x, device)) for a, x in zip(augments, crops, strict=True)])
    target = torch.cat([a.colour(planes(r[names.target], device)) for a, r in zip(augments, rows, strict=True)])

    def joined(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([r[name] for r in rows])).to(device)

    batch = MorpherBatch(
        rest,
        torch.tensor([float(r["rest_mouth"]) for r in rows], device=device),
        joined(names.expression),
        target,
        joined(names.move).float().movedim(-1, 1),
        joined(names.part),
    )
    return Seen(batch, torch.stack([a.seen(x) for a, x in zip(augments, rest, strict=True)]))


def batch_of(rows: list[Row], rng: np.random.Generator, device: torch.device) -> Seen:
    """Characters that are shifted, mirrored and in other colours."""
    augments, changed = [Augment(rng) for _ in rows], []
    for row in rows:
        right, down = rng.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, 2).tolist()
        changed.append(shifted(flipped(row) if rng.random() < 0.5 else row, right, down))
    return seen_batch(changed, [r["rest"][CROP_SLICE, CROP_SLICE] for r in changed], augments, device, NAMES)


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
