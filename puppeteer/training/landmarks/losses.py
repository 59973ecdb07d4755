"""What the networks are taught with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks import landmarks as net
from puppeteer.networks.landmarks import Landmarks
from puppeteer.pose import F32, U8
from puppeteer.training.landmarks.faces import face_picture
from puppeteer.training.landmarks.pictures import Head, figure_picture, head_picture, whole_picture
from puppeteer.training.landmarks.truth import Characters

HEADS, CROPS, FACES, FIGURES = 6, 12, 24, 8  # pictures a step for finder, refiner, face and matte


def finder_loss(answer: Tensor, heads: Sequence[Sequence[Head]]) -> Tensor:
    """CenterNet's focal loss, and what a cell near a head's middle says about it."""
    batch, _, rows, columns = answer.shape
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    heat = np.zeros((batch, rows, columns), np.float32)
    values = np.zeros((batch, 4, rows, columns), np.float32)
    weight = np.zeros((batch, rows, columns), np.float32)
    for k, found in enumerate(heads):
        for head in found:
            cx, cy = head.centre / net.STRIDE
            far = np.hypot(x - cx, y - cy)
            spread = max(0.6, 0.045 * head.side / net.STRIDE)
            mine = np.exp(-((far / spread) ** 2) / 2).astype(np.float32)
            mine[min(rows - 1, max(0, int(cy))), min(columns - 1, max(0, int(cx)))] = 1
            closer = mine > np.maximum(heat[k], 0.1)
            heat[k] = np.maximum(heat[k], mine)
            log_side = math.log(head.side / net.FINDER_SIDE)
            told = np.broadcast_arrays(cx - x, cy - y, log_side, head.tilt_deg / net.TILT_UNIT_DEG)
            values[k][:, closer] = np.stack(told)[:, closer]
            weight[k][closer] = mine[closer]
    target, told_values, told_weight = torch.from_numpy(heat), torch.from_numpy(values), torch.from_numpy(weight)
    p = torch.sigmoid(answer[:, 0]).clamp(1e-4, 1 - 1e-4)
    hit = (target > 0.999).float()
    focal = -(hit * (1 - p) ** 2 * p.log() + (1 - hit) * (1 - target) ** 4 * p**2 * (1 - p).log())
    count = max(1, sum(len(h) for h in heads))
    off = (answer[:, 1:] - told_values).abs() * torch.tensor([0.3, 0.3, 1.0, 0.3])[None, :, None, None]
    return focal.sum() / count + (off.sum(1) * told_weight).sum() / told_weight.sum().clamp_min(1)


def refiner_target(head: Head | None) -> tuple[F32, F32]:
    """ANSWERS values and the weight of each."""
    value, weight = np.zeros(net.ANSWERS, np.float32), np.zeros(net.ANSWERS, np.float32)
    weight[net.PRESENT] = 0.3
    if head is None:
        return value, weight
    view = net.REFINER_PX / net.REFINER_VIEW
    value[net.PRESENT] = 1
    value[0:2] = (head.centre - net.REFINER_PX / 2) / view
    value[2:4] = math.log(head.side / view), head.tilt_deg / net.TILT_UNIT_DEG
    value[net.POINTS] = ((head.points - net.REFINER_PX / 2) / view).ravel()
    weight[0:2], weight[2], weight[3] = 4.0, 2.0, 1.0
    weight[net.POINTS] = 2.0
    return value, weight


def heat_loss(logits: Tensor, points: Tensor, present: Tensor) -> Tensor:
    """Cross entropy of the heat maps (B, 5, n, n) with soft discs round the points (B, 5, 2)."""
    size = logits.shape[-1]
    spread = 0.8 * net.REFINER_VIEW / size
    far = (net.cells(size)[None, None] - points[:, :, None]).square().sum(-1)  # (B, 5, n * n)
    told = (-far / (2 * spread**2)).softmax(-1)
    crossed = -(told * logits.flatten(2).log_softmax(-1)).sum(-1).mean(1)
    return (crossed * present).mean()


def refiner_loss(answer: Tensor, logits: Tensor, heads: Sequence[Head | None]) -> Tensor:
    pairs = [refiner_target(head) for head in heads]
    value = torch.from_numpy(np.stack([v for v, _ in pairs]))
    weight = torch.from_numpy(np.stack([w for _, w in pairs]))
    off = (answer - value).abs()
    there = F.binary_cross_entropy_with_logits(answer[:, net.PRESENT], value[:, net.PRESENT], reduction="none")
    told = slice(0, net.DOUBT.start)
    picture = ((off[:, told] * weight[:, told]).sum(1) + weight[:, net.PRESENT] * there).mean()
    # Laplace: the expected error; it teaches the doubt alone
    wrong = torch.stack([off[:, 0:2].amax(1), off[:, 2], off[:, 3]], 1).detach()
    doubt = answer[:, net.DOUBT].clamp(-6, 2)
    present = value[:, net.PRESENT, None]
    heated = heat_loss(logits, value[:, net.POINTS].reshape(-1, 5, 2), present[:, 0])
    return picture + 0.3 * heated + 0.1 * ((wrong * torch.exp(-doubt) + doubt) * present).mean()


def face_loss(answer: Tensor, heads: Sequence[Head]) -> Tensor:
    """Cross entropy of what is a share, which learns where L1 would settle on the average; the turn's by L1.

    What cannot be seen is not asked for: what is covered, eyes under hair, and of a face from the side.
    """
    told = torch.tensor(
        [[*h.closed, h.mouth, float(h.hidden), *h.covered, h.turn_deg / net.TURN_UNIT_DEG] for h in heads]
    )
    seen = 1 - told[:, net.COVERED]
    turn = told[:, net.TURN].abs() * net.TURN_UNIT_DEG
    ahead = (turn < 45).float()
    eyes = seen[:, :2] * (ahead * (told[:, net.HIDDEN] < 0.5))[:, None]
    mouth = seen[:, 2:] * ahead[:, None]
    weight = torch.cat([eyes, 3 * mouth, ahead[:, None].expand(-1, 4)], 1)
    crossed = F.binary_cross_entropy_with_logits(answer[:, : net.TURN], told[:, : net.TURN], reduction="none")
    turned = F.smooth_l1_loss(answer[:, net.TURN], told[:, net.TURN], beta=0.2)
    # Laplace: the expected error; it teaches the doubt alone
    wrong = (torch.sigmoid(answer[:, net.MOUTH]) - told[:, net.MOUTH]).abs().detach()
    doubt = answer[:, net.MOUTH_DOUBT].clamp(-6, 1)
    doubted = ((wrong * torch.exp(-doubt) + doubt) * mouth[:, 0]).mean()
    return (crossed * weight).sum(1).mean() + 2.0 * turned + 0.1 * doubted


def matte_loss(networks: Landmarks, figures: Sequence[tuple[U8, F32, tuple[float, float], float]]) -> Tensor:
    """Cross entropy, and one less the overlap, which counts small figures like large ones."""
    places = torch.stack([net.places(middle, side, *cover.shape) for _, cover, middle, side in figures])
    with torch.autocast("cpu", torch.bfloat16):
        logits = networks.matte(tensor([picture for picture, *_ in figures]), places)
    answer = logits[:, 0].float()
    told = F.avg_pool2d(torch.from_numpy(np.stack([cover for _, cover, *_ in figures])), 2)
    share = torch.sigmoid(answer)
    overlap = 2 * (share * told).sum((1, 2)) / (share + told).sum((1, 2)).clamp_min(1)
    return F.binary_cross_entropy_with_logits(answer, told) + 0.3 * (1 - overlap).mean()


def tensor(pictures: Sequence[U8]) -> Tensor:
    return net.planes(np.stack(pictures).astype(np.float32)).to(memory_format=torch.channels_last)


def losses(part: str, networks: Landmarks, characters: Characters, rng: np.random.Generator) -> list[Tensor]:
    """Of one step, one for each network of a part. Face and matte compute in bfloat16, which some
    processors do three times as fast."""
    if part == "face":
        faces = [face_picture(rng, characters) for _ in range(FACES)]
        with torch.autocast("cpu", torch.bfloat16):
            answer = networks.face(tensor([p for p, _ in faces]))
        return [face_loss(answer.float(), [h for _, h in faces])]
    if part == "matte":
        return [matte_loss(networks, [figure_picture(rng, characters) for _ in range(FIGURES)])]
    scenes = [whole_picture(rng, characters) for _ in range(HEADS)]
    crops = [head_picture(rng, characters) for _ in range(CROPS)]
    found = finder_loss(networks.finder(tensor([p for p, _ in scenes])), [h for _, h in scenes])
    answers, heat = networks.refiner.with_heat(tensor([p for p, _ in crops]))
    return [found, refiner_loss(answers, heat, [h for _, h in crops])]
