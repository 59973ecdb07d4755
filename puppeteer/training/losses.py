"""What the networks are asked for: the picture, and what only a renderer knows (true flow, layers, visibility)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.compact import (
    BACK,
    BODY,
    CROP,
    CROP_AT,
    HEAD,
    LAYERS,
    Morpher,
    MorpherOutput,
    Painted,
    Rotator,
    RotatorOutput,
    halved,
    pixel_grid,
    sample,
)
from puppeteer.networks.compact.morpher import MOUTH_COLUMNS
from puppeteer.training.dataset import PART_UNEXPLAINED, MorpherBatch, RotatorBatch

Losses = dict[str, Tensor]
LAYER_OF_PART = {1: BODY, 2: HEAD, 3: BACK, PART_UNEXPLAINED: HEAD}
NO_LAYER = -1


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


MOUTH_ROWS = slice(94, 126)  # of the crop: where mouths lie


def mouth_weight(like: Tensor) -> Tensor:
    """(1, 1, 128, 128): a mouth has a tenth of the pixels of two eyes and says as much."""
    weight = torch.ones_like(like[:1, :1])
    weight[:, :, MOUTH_ROWS, MOUTH_COLUMNS] = 4
    return weight


def morpher_step(network: Morpher, batch: MorpherBatch, seen: Tensor) -> tuple[Losses, Tensor, MorpherOutput]:
    """Losses of one batch and the morphed crops. `seen` (B, 4, 128, 128): what the encoder looks at."""
    count = len(batch.target) // len(batch.rest)
    features = network.encode(seen)
    # The gate needs the drawn mouth's opening; the true one, so that a wrong guess cannot close the gate in training.
    out = network.decode(features._replace(rest_mouth=batch.rest_mouth, own_mouth=batch.rest_mouth), batch.expression)
    rest = batch.rest.repeat_interleave(count, 0)
    here = pixel_grid(256, 256, rest.device)[:, :, CROP_AT : CROP_AT + CROP, CROP_AT : CROP_AT + CROP]
    canvas = F.pad(rest, (CROP_AT,) * 4)
    moved = sample(canvas, here + out.flow * out.gate)
    changed = out.ways[:, :1] * rest + out.ways[:, 1:2] * moved + out.ways[:, 2:] * out.colour
    ours = rest + out.gate * (changed - rest)

    difference = (batch.target - rest).abs().amax(1, keepdim=True)
    touched = F.max_pool2d((difference > 0.03).float(), 3, 1, 1)
    mouth = mouth_weight(touched)
    weight = 0.15 + 3 * touched * mouth
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
        "colour": 0.5 * weighted_mean((out.colour - batch.target).abs(), (touched + 2 * new) * mouth),
        "ways": 0.02
        * (
            weighted_mean(ways[:, :1], 1 - touched)
            + weighted_mean(ways[:, 1:2], slid * mouth)
            + weighted_mean(ways[:, 2:], new * mouth)
        ),
        # cross entropy: half of the mouths are closed, and L1 through a sigmoid would settle there
        "mouth": 0.2 * F.binary_cross_entropy(features.rest_mouth.float(), batch.rest_mouth),
    }
    return losses, ours, out


def layer_labels(part: Tensor) -> Tensor:
    """(B, 128, 128) long: the layer shown, NO_LAYER in the background."""
    table = torch.full((8,), NO_LAYER, dtype=torch.long)
    for number, layer in LAYER_OF_PART.items():
        table[number] = layer
    return table.to(part.device)[part.long()]


RIM = 4  # px of 128: background this near to a thing moves with it


def rimmed(labels: Tensor) -> Tensor:
    """The same labels, spread over the background about each thing; between two things hair takes it.

    Else the background's layer is anybody's, and an outline that lies half in it is torn off when its thing moves.
    """
    for _ in range(RIM):
        near = torch.stack([F.max_pool2d((labels == k).float(), 3, 1, 1) for k in (HEAD, BACK, BODY)], 1)
        found, first = near.max(1)
        fill = torch.tensor([HEAD, BACK, BODY], device=labels.device)[first]
        labels = torch.where((labels == NO_LAYER) & (found > 0), fill, labels)
    return labels


def cross_entropy(layers: Tensor, labels: Tensor) -> Tensor:
    """Of occupancies (B, LAYERS, H, W) that sum to 1; background far from everything may belong to any layer."""
    labels = rimmed(labels)
    known = labels != NO_LAYER
    chosen = layers.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    return (-(chosen + 1e-3).log() * known).sum() / known.sum().clamp(min=1)


def rotator_step(
    network: Rotator, batch: RotatorBatch, seen: Tensor, flow_only: bool
) -> tuple[Losses, Painted | None, RotatorOutput | None]:
    """Losses of one batch; with `flow_only` no picture is put together from them."""
    kept = network.encode(seen)
    # Noise is for the encoder's eyes: colours that are copied have none.
    kept = kept._replace(shown=torch.cat([kept.shown[:, :1], halved(batch.rest)], 1))
    labels = layer_labels(batch.part)
    visible = (batch.visible > 0)[:, None].float()
    out = None if flow_only else network.decode(kept, batch.neck)
    moved, layers, validity = (network.place(kept, batch.neck) if out is None else out)[:3]

    losses: Losses = {}
    flow = torch.zeros((), device=seen.device)
    for layer in range(LAYERS):
        # hidden surfaces have a true place too, and the layer must follow it there
        mask = (labels == layer)[:, None].float() * (0.3 + 0.7 * visible)
        flow = flow + weighted_mean((moved[:, layer] - batch.move).abs(), mask)
    losses["flow"] = 0.05 * flow
    moves = kept.turn
    losses["calm"] = 0.01 * (moves.diff(dim=-1).abs().mean() + moves.diff(dim=-2).abs().mean())
    losses["layers"] = 0.1 * (
        cross_entropy(layers, labels) + 0.5 * cross_entropy(kept.modal, layer_labels(batch.rest_part))
    )
    known = (labels != NO_LAYER)[:, None].float()
    losses["validity"] = 0.1 * weighted_mean((validity - visible).abs(), known * (1 + 4 * (1 - visible)))

    true = batch.target
    if out is None:
        zhou = copied(batch, moved, layers)
        losses["zhou"] = weighted_mean((zhou - halved(true)).abs(), 0.3 + visible)
        losses["hidden"] = hidden_loss(kept.hidden, batch, labels, visible)
        return losses, None, None

    asked = known * (1 - visible)
    spare = spared(out, batch, asked)
    # L1 would have softness rather than strands of hair a pixel off: there it has no say in what is painted.
    painted = Rotator.paint(
        batch.morphed,
        out._replace(
            combine=torch.where(spare > 0, out.combine.detach(), out.combine),
            retouch=torch.where(spare > 0, out.retouch.detach(), out.retouch),
        ),
    )
    hidden = F.interpolate(asked, scale_factor=2.0, mode="bilinear", align_corners=False)
    inner = torch.zeros_like(hidden)
    inner[:, :, 56:200, 60:196] = 1
    weight = 0.5 + inner + 6 * hidden
    losses["zhou"] = 0.5 * weighted_mean((painted.zhou - true).abs(), weight - 6 * hidden)
    losses["pumarola"] = 0.5 * weighted_mean((painted.pumarola - true).abs(), weight)
    losses["hidden"] = hidden_loss(kept.hidden, batch, labels, visible)
    losses["combined"] = picture_loss(painted.combined, true, weight)
    losses["final"] = picture_loss(painted.final, true, weight)
    wanted = (1 - visible) * (1 - spare)
    losses["visibility"] = 0.05 * (
        weighted_mean((out.combine - wanted).abs(), known * (0.3 + 4 * asked + 12 * spare))
        + weighted_mean(out.retouch, spare)
    )
    return losses, painted, out


def hidden_loss(hidden: tuple[Tensor, Tensor], batch: RotatorBatch, labels: Tensor, visible: Tensor) -> Tensor:
    """What body and back hair look like where the rest image covers them, and beside it where it shows them.

    Seen at its true place, so that the painter learns from the first step on, whatever the flow knows by then. Few
    pixels are of that kind, so only they are sampled, with their neighbours to the right and below.
    """
    size, count = batch.rest.shape[-1], len(batch.target) // len(batch.rest)
    moves = F.interpolate(batch.move, size=(size, size), mode="bilinear", align_corners=False)
    places = moves + pixel_grid(size, size, moves.device)
    loss, pixels = torch.zeros((), device=moves.device), 0
    for layer, pictures in zip((BODY, BACK), hidden, strict=True):
        of_layer = F.interpolate((labels == layer)[:, None].float(), scale_factor=2.0)[:, 0] > 0
        covered = of_layer & (F.interpolate(visible, scale_factor=2.0)[:, 0] == 0)
        for character, picture in enumerate(pictures):
            rows = slice(character * count, (character + 1) * count)
            k, y, x = covered[rows].nonzero(as_tuple=True)
            near = [(y, x), (y, (x + 1).clamp(max=size - 1)), ((y + 1).clamp(max=size - 1), x)]
            at = torch.stack([places[rows].movedim(1, -1)[k, v, u] for v, u in near]).movedim(-1, 0)  # (2, 3, N)
            off = sample(picture[None], at[None])[0]
            off = off - torch.stack([batch.target[rows].movedim(1, -1)[k, v, u] for v, u in near]).movedim(-1, 0)
            loss = loss + off[:, 0].abs().sum()
            for i, (v, u) in enumerate(near[1:], 1):
                loss = loss + ((off[:, i] - off[:, 0]).abs() * covered[rows][k, v, u]).sum()
            pixels += 4 * len(k)
    seen = layer_labels(batch.rest_part)
    beside = [
        weighted_mean((picture - batch.rest).abs(), F.interpolate((seen == layer)[:, None].float(), scale_factor=2.0))
        for layer, picture in zip((BODY, BACK), hidden, strict=True)
    ]
    return loss / max(pixels, 1) + 0.1 * (beside[0] + beside[1])


def copied(batch: RotatorBatch, flow: Tensor, layers: Tensor) -> Tensor:
    """(B, 4, 128, 128) what the flow makes of the picture at half size."""
    small = halved(batch.morphed)
    here = pixel_grid(small.shape[2], small.shape[3], small.device)
    moved = [layers[:, layer : layer + 1] * sample(small, flow[:, layer] + here) for layer in range(LAYERS)]
    return torch.stack(moved).sum(0)


FITS = 0.06  # of 1: colours that differ less, near a pixel, are those of the same thing


def spared(out: RotatorOutput, batch: RotatorBatch, hidden: Tensor) -> Tensor:
    """(B, 1, 128, 128) 1 where the flow copies something else than what was hidden, but of the same colours.

    Hair that comes into view may be a copy of the hair beside it: crisp, where paint is smoke.
    """
    with torch.no_grad():
        wrong = copied(batch, out.flow, out.layers) - halved(batch.target)
        near = F.avg_pool2d(wrong, 5, 1, 2, count_include_pad=False).abs().amax(1, keepdim=True)
        return hidden * (near < FITS)
