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
from puppeteer.training.learning import Losses, Planes, Task, arguments, half, learn_as_told
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
)
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
KINDS = (Kind((0,), 0.03, 0.12, (0.5, 1.3), 0.08), Kind((1,), 0.6, 0.15, (0.2, 1.5), 0.3))  # skin, and what is not
PARTS = ("rest", "iris", "white", "skin", "opening", "lash", "brow", "brow_seen")  # four pictures, four shares
NOT_SKIN = 0.03, 0.1  # of 1, apart from its colour
RESTYLED = 0.6  # of the pictures
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


def batch_of(planes: Planes, rng: np.random.Generator | None) -> Batch:
    """With `rng` mirrored, moved and bent, in other styles and colours, some grey; smeared and noisy where the network
    sees them."""
    dice = None if rng is None else Dice(rng, len(planes["rest"]), planes["rest"].device)

    def plane(name: str) -> Tensor:
        x = planes[name].float() / 255
        return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)

    parts = torch.cat([plane(name) for name in PARTS], 1)
    if dice is not None:
        parts = Placing.of(dice, CROP, (0.78, 1.28), 0.07, 0.08, 0.045).moved(parts)
    pictures, shares = parts[:, :16], parts[:, 16:]
    rest, iris, white, skin = torch.split(pictures, 4, 1)
    opening, lash, brow, brow_seen = torch.split(shares, 1, 1)
    if dice is not None:
        rest, iris, white, skin = restyled((rest, iris, white, skin), opening, torch.maximum(lash, brow_seen), dice)
    colours = torch.cat([(x[:, :3] / x[:, 3:].clamp(min=1 / 255)).clamp(0, 1) for x in (iris, white, skin)], 1)
    known = (torch.cat([iris[:, 3:], white[:, 3:], skin[:, 3:]], 1) > 0.5).float()
    seen = rest if dice is None else brushed(rest, dice)
    return Batch(rest, seen, opening, iris[:, 3:], lash, brow, brow_seen, colours, known)


def restyled(pictures: tuple[Tensor, ...], opening: Tensor, lines: Tensor, dice: Dice) -> tuple[Tensor, ...]:
    """Premultiplied rest, iris, white and skin (B, 4, 128, 128) in another style; eyes are seen in `opening`, lashes
    and brows in `lines`."""
    rest, iris, white, skin = pictures
    # Irises in all colours, pale ones too: some have the colour of the hair beside them.
    tint = dice.normal(0.5, 3, 1, 1).exp()
    pale, other = dice.uniform(0, 0.6, 1, 1, 1), dice.often(0.5, 1, 1, 1)

    def tinted(x: Tensor) -> Tensor:
        rgb, alpha = torch.minimum(x[:, :3] * tint, x[:, 3:]), x[:, 3:]
        rgb = torch.lerp(rgb, alpha.expand_as(rgb), pale)
        return torch.cat([torch.lerp(x[:, :3], rgb, other), alpha], 1)

    rest = torch.lerp(rest, tinted(rest), opening * iris[:, 3:])
    rest, skin = in_another_style(rest, skin, torch.maximum(opening, lines), dice)
    gain, grey = (dice.normal(0.12, 1, 1, 1) + dice.normal(0.05, 3, 1, 1)).exp(), dice.often(0.12)

    def coloured(x: Tensor) -> Tensor:
        return torch.cat([in_grey(torch.minimum(x[:, :3] * gain, x[:, 3:]), grey), x[:, 3:]], 1)

    return tuple(coloured(x) for x in (rest, tinted(iris), white, skin))


def in_another_style(rest: Tensor, skin: Tensor, parts: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
    """Premultiplied pictures and the skin behind them. Skin changes a little; hair and what else is before it gets
    any colour, and streaks; eyes and brows (`parts`, their coverage) keep theirs."""
    alpha, bare = rest[:, 3:], skin[:, 3:]
    apart = (rest[:, :3] - skin[:, :3]).abs().amax(1, keepdim=True)
    before = ((apart - NOT_SKIN[0]) / (NOT_SKIN[1] - NOT_SKIN[0])).clamp(0, 1)
    before = torch.maximum(before, 1 - bare) * (1 - parts)
    shares = torch.cat([1 - before, before], 1)
    matrix, offset = colours(dice, KINDS, 2)
    light = (dice.smooth(CROP, 1, 4, 4) * dice.uniform(0, 0.2, 1, 1, 1)).exp()
    styled = dice.often(RESTYLED)[:, None, None, None]
    plain = torch.cat([torch.ones_like(before), torch.zeros_like(before)], 1)
    own, own_skin = (x[:, :3] / x[:, 3:].clamp(min=1 / 255) for x in (rest, skin))
    new, new_skin = (
        (recoloured(rgb, of, matrix, offset) * light).clamp(0, 1) for rgb, of in ((own, shares), (own_skin, plain))
    )
    new = streaked(new, before, dice, (-0.3, 0.6))
    new = inked(new, outlines(torch.cat([shares, alpha], 1), 1) * (1 - parts), dice, 0.3)
    rgb, skin_rgb = torch.lerp(own, new, styled), torch.lerp(own_skin, new_skin, styled)
    return torch.cat([rgb * alpha, alpha], 1), torch.cat([skin_rgb * bare, bare], 1)


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
    "eyes", PieceReader, Source(FIELDS, drawn), batch_of, losses, slots=384, rate=1.2e-3, sizes={"cpu": 8, "cuda": 96}
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
