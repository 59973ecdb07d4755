"""Trains the reader of eyes and brows on characters drawn meanwhile.

    python -m puppeteer.training.eyes --run runs/eyes --minutes 30 [--shipped]

A run goes on where it stopped, with characters that it has not seen; one that begins with `--shipped` starts from the
weights that ship. Uses a CUDA card where there is one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.eyes import axes, between, slid
from puppeteer.networks.rig.pieces import PieceReader
from puppeteer.training.dataset import CROP_SLICE
from puppeteer.training.learning import Losses, Task, arguments, half, learn_as_told
from puppeteer.training.ring import Row, Source

FIELDS: dict[str, tuple[tuple[int, ...], Any]] = {
    "seed": ((), np.int64),
    "rest": ((CROP, CROP, 4), np.uint8),  # premultiplied, the crop, as all below
    "iris": ((CROP, CROP, 4), np.uint8),  # complete, and alone
    "white": ((CROP, CROP, 4), np.uint8),
    "skin": ((CROP, CROP, 4), np.uint8),  # a face without eyes, brows and mouth
    "opening": ((CROP, CROP), np.uint8),  # share in which iris or white is seen
    "lash": ((CROP, CROP), np.uint8),  # and lashes
    "brow": ((CROP, CROP), np.uint8),  # coverage of brows, complete
    "brow_seen": ((CROP, CROP), np.uint8),  # share in which they are seen
}
SAME = 0.02  # of 1: skin that is seen
POLE = 0.7  # of a pixel: what shows more of a part has its colour
FARTHEST = 0.6  # of an eye's half axes, that irises slide
BROWS = 16.0  # weight of brows, which are thin
LAID = 4.0  # weight of what is seen when irises are elsewhere


class Batch(NamedTuple):
    """B characters."""

    rest: Tensor  # (B, 4, 128, 128) premultiplied, as it is drawn
    seen: Tensor  # the same as the network sees it
    opening: Tensor  # (B, 1, 128, 128)
    iris: Tensor  # (B, 1, 128, 128)
    lash: Tensor  # (B, 1, 128, 128)
    brow: Tensor  # (B, 1, 128, 128)
    brow_seen: Tensor  # (B, 1, 128, 128)
    colours: Tensor  # (B, 9, 128, 128) of iris, white and skin, not multiplied
    known: Tensor  # (B, 3, 128, 128) where there is a colour


def drawn(renderer: Any, seed: int, split: Any) -> Row:
    """One character with the parts of its eyes."""
    from puppeteer.characters import make_recipe
    from puppeteer.characters.layers import FEATURES
    from puppeteer.image import premultiplied
    from puppeteer.pose import Pose

    recipe = make_recipe(seed, split)
    renderer.load(recipe)
    pose = Pose(mouth_open=float(recipe.rest_mouth))
    parts, names = renderer.features(pose), list(FEATURES)
    white, iris = names.index("white"), names.index("iris")
    seen = parts.seen[white].astype(np.int32) + parts.seen[iris]
    return {
        "seed": np.array(seed, np.int64),
        "rest": premultiplied(renderer.render(pose).rgba)[CROP_SLICE, CROP_SLICE],
        "iris": parts.colour[iris][CROP_SLICE, CROP_SLICE],
        "white": parts.colour[white][CROP_SLICE, CROP_SLICE],
        "skin": parts.skin[CROP_SLICE, CROP_SLICE],
        "lash": parts.seen[names.index("lash")][CROP_SLICE, CROP_SLICE],
        "brow": parts.colour[names.index("brow")][CROP_SLICE, CROP_SLICE, 3],
        "brow_seen": parts.seen[names.index("brow")][CROP_SLICE, CROP_SLICE],
        "opening": seen.clip(0, 255).astype(np.uint8)[CROP_SLICE, CROP_SLICE],
    }


def batch_of(rows: list[Row], rng: np.random.Generator, device: torch.device) -> Batch:
    """Flipped, scaled, shifted, in other colours, some grey; blurred, and noisy where the network sees them."""
    count = len(rows)

    def numbers(x: Any) -> Tensor:
        return torch.tensor(np.asarray(x), dtype=torch.float32, device=device)

    def planes(name: str) -> Tensor:
        x = torch.from_numpy(np.stack([row[name] for row in rows])).to(device).float() / 255
        return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)

    scale, shift = numbers(rng.uniform(0.8, 1.25, count)), numbers(rng.uniform(-0.06, 0.06, (count, 2)))
    lean = numbers(rng.normal(0, 0.08, count))
    side = numbers(rng.choice([-1.0, 1.0], count))
    matrix = torch.stack(
        [
            torch.stack([side * lean.cos() / scale, -lean.sin() / scale, shift[:, 0]], 1),
            torch.stack([side * lean.sin() / scale, lean.cos() / scale, shift[:, 1]], 1),
        ],
        1,
    )
    parts = ("rest", "iris", "white", "skin", "opening", "lash", "brow", "brow_seen")
    everything = torch.cat([planes(name) for name in parts], 1)
    grid = F.affine_grid(matrix, [count, 1, CROP, CROP], align_corners=False)
    moved = F.grid_sample(everything, grid, "bilinear", "border", align_corners=False)
    rest, iris, white, skin, opening, lash, brow, brow_seen = torch.split(moved, [4, 4, 4, 4, 1, 1, 1, 1], 1)
    gain = numbers(np.exp(rng.normal(0, 0.12, (count, 1, 1, 1)) + rng.normal(0, 0.05, (count, 3, 1, 1))))
    grey = numbers(rng.random((count, 1, 1, 1)) < 0.12)

    def coloured(x: Tensor) -> Tensor:
        rgb = torch.minimum(x[:, :3] * gain, x[:, 3:])
        return torch.cat([torch.lerp(rgb, rgb.mean(1, keepdim=True).expand_as(rgb), grey), x[:, 3:]], 1)

    rest, iris, white, skin = (coloured(x) for x in (rest, iris, white, skin))
    # Irises in all colours, pale ones too: some have the colour of the hair beside them.
    tint = numbers(np.exp(rng.normal(0, 0.5, (count, 3, 1, 1))))
    pale, other = numbers(rng.uniform(0, 0.6, (count, 1, 1, 1))), numbers(rng.random((count, 1, 1, 1)) < 0.5)

    def recoloured(x: Tensor) -> Tensor:
        rgb, alpha = torch.minimum(x[:, :3] * tint, x[:, 3:]), x[:, 3:]
        rgb = torch.lerp(rgb, alpha.expand_as(rgb), pale)
        return torch.cat([torch.lerp(x[:, :3], rgb, other * (1 - grey)), alpha], 1)

    rest = torch.lerp(rest, recoloured(rest), opening * iris[:, 3:])
    iris = recoloured(iris)
    softness = float(rng.choice([0, 0, 0.3, 0.6]))
    if softness:
        rest = torch.lerp(rest, F.avg_pool2d(rest, 3, 1, 1, count_include_pad=False), softness)
    noise = float(rng.choice([0, 0, 0.012, 0.025]))
    grain = noise * torch.randn(rest[:, :3].shape, device=device) * rest[:, 3:]
    seen = torch.cat([torch.minimum((rest[:, :3] + grain).clamp(min=0), rest[:, 3:]), rest[:, 3:]], 1)
    colours = torch.cat([(x[:, :3] / x[:, 3:].clamp(min=1 / 255)).clamp(0, 1) for x in (iris, white, skin)], 1)
    known = (torch.cat([iris[:, 3:], white[:, 3:], skin[:, 3:]], 1) > 0.5).float()
    return Batch(rest, seen, opening, iris[:, 3:], lash, brow, brow_seen, colours, known)


def losses(network: PieceReader, batch: Batch, rng: np.random.Generator) -> Losses:
    with half(batch.seen.device):
        told = network.read(batch.seen.contiguous(memory_format=torch.channels_last))
    shares, painted = (x.float() for x in told)
    opening, iris, lash, brow, brow_seen = torch.split(shares, 1, 1)
    near = F.max_pool2d(torch.maximum(batch.opening, batch.iris), 9, 1, 4)
    weight = 0.15 + near
    about = F.max_pool2d(batch.opening, 13, 1, 6)  # where a slid iris may be seen, and come from
    middle = between(batch.opening)
    most = FARTHEST * axes(batch.opening, middle)
    by = most * torch.tensor(rng.uniform(-1, 1, most.shape), dtype=torch.float32, device=most.device)

    def shown(o: Tensor, i: Tensor, colours: Tensor) -> Tensor:
        return slid(batch.rest, o, torch.cat([colours[:, :3] * i, i], 1), colours[:, 3:6], by, middle)

    with torch.no_grad():
        target = shown(batch.opening, batch.iris, batch.colours)
    # What is seen of a part keeps the drawing's colours, so that only what is hidden has to be painted.
    bare = (batch.rest[:, :3] - batch.colours[:, 6:]).abs().amax(1, keepdim=True) < SAME
    shows = [batch.opening * batch.iris > POLE, batch.opening * (1 - batch.iris) > POLE, bare]
    own = torch.cat(shows, 1).float()
    own = own.repeat_interleave(3, 1)
    result = shown(torch.sigmoid(opening), torch.sigmoid(iris), torch.lerp(painted, batch.colours, own))
    known = batch.known.repeat_interleave(3, 1) * about
    above = 0.15 + F.max_pool2d(batch.brow, 9, 1, 4)

    def told_as(share: Tensor, truth: Tensor, weight: Tensor, much: float = 4.0) -> Tensor:
        return much * (F.binary_cross_entropy_with_logits(share, truth, reduction="none") * weight).mean()

    return {
        "opening": told_as(opening, batch.opening, weight),
        "lash": told_as(lash, batch.lash, weight),
        "iris": told_as(iris, batch.iris, weight),
        "brow": told_as(brow, batch.brow, above, BROWS),
        "brow_seen": told_as(brow_seen, batch.brow_seen, above, BROWS),
        "painted": ((painted - batch.colours).abs() * known).sum() / known.sum().clamp(min=1),
        "laid": LAID * ((result - target).abs() * near).sum() / near.sum().clamp(min=1) / 4,
    }


TASK = Task(
    "eyes", PieceReader, Source(FIELDS, drawn), batch_of, losses, slots=384, rate=1.2e-3, sizes={"cpu": 8, "cuda": 64}
)


def shipped() -> dict[str, Tensor]:
    """The weights that ship. Raises WeightsError."""
    from puppeteer.networks.compact.family import load

    return load().eyes.state_dict()


def main() -> None:
    parser = arguments(__doc__, TASK)
    parser.add_argument("--shipped", action="store_true", help="begin with the shipped weights")
    options: Any = parser.parse_args()
    learn_as_told(TASK, options, start=shipped() if options.shipped else None)


if __name__ == "__main__":
    main()
