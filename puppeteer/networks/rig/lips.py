"""A mouth that opens goes up as well as down, and is wider than its closed line.

The morpher opens mouths from their line downwards. What it tells of an open mouth is told again elsewhere, before
anything is drawn: as far as the mouth is open, higher and farther from the middle.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import sample
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.compact.morpher import MOUTH_COLUMNS, faded_over
from puppeteer.networks.rig.pictures import reached, smooth, wider

UP, WIDER = 0.18, 0.15  # of its height, how much higher an open mouth lies; how much wider it is than where it is told
AT_ONCE = 4.0  # how many times as fast as it opens it gets wide
UP_PX = 3  # of the crop, rows above a mouth in which it may lie when it is open
MOUTH_ROWS = slice(102, 124)  # of the crop, below eyes
SURE, ABOUT_PX = (0.7, 0.9), 3  # of a pixel: what is surely a mouth's; and half of the px of the crop about all of it
CHANGED = 0.3, 0.6  # share of a pixel, from which on it is the mouth's
LEAST_PX = 12.0  # of the crop: what is smaller is no mouth
LINE_PX, LINE_OF = 2, 8  # px of the crop about a mouth in which its line may lie; and how many tell of it
FAINT_LINE, PALE = (0.05, 0.25), 0.3  # of 1: how much darker than skin faint lines are; how pale mouths are then


def around_mouth(changed: Tensor) -> Tensor:
    """(B, 1, 128, 128): 1 about the mouth, of what mouths change at their ends, the same; 1 everywhere where nothing
    changes that much. What else changes below eyes are lower lids and cheeks, which a voice does not move."""
    seed = torch.zeros_like(changed)
    seed[:, :, MOUTH_ROWS, MOUTH_COLUMNS] = smooth(changed[:, :, MOUTH_ROWS, MOUTH_COLUMNS], *SURE)
    zone = faded_over(reached(seed, smooth(changed, *CHANGED), CROP // 2), ABOUT_PX)
    return torch.where(seed.amax((2, 3), keepdim=True) > 0.5, zone, torch.ones_like(zone))


def place(opened: Tensor) -> Tensor:
    """What a wide open mouth changes (B, 128, 128) -> (B, 2) px of the crop: the column in its middle, and its height;
    0 where there is none."""
    changed = smooth(opened, *CHANGED)
    line = torch.arange(CROP, device=opened.device, dtype=opened.dtype) + 0.5
    across, down = changed.sum(1), changed.sum(2)
    area = across.sum(1, keepdim=True)
    middle, row = ((mass * line).sum(1, keepdim=True) / area.clamp(min=1) for mass in (across, down))
    # Of an ellipse the half axis is two deviations.
    high = 4 * ((down * (line - row).square()).sum(1, keepdim=True) / area.clamp(min=1)).sqrt()
    return torch.cat([middle, high], 1) * (area > LEAST_PX)


def paler(crop: Tensor, plain: Tensor, opened: Tensor) -> Tensor:
    """(B, 1, 1, 1) how much paler than learned the inside of a mouth is painted, by its line in the crop
    (B, 4, 128, 128), over `plain` skin like it, and what opening the mouth changes (B, 1, 128, 128): who draws a mouth
    faintly has no dark red within it."""
    darker = (plain[:, :3] - crop[:, :3]).mean(1, keepdim=True) * wider(smooth(opened, *CHANGED), LINE_PX)
    line = darker.flatten(1).topk(LINE_OF).values.mean(1)
    return (PALE * (1 - smooth(line, *FAINT_LINE)))[:, None, None, None]


def lifted(told: Tensor, place: Tensor, more: Tensor, near: Tensor, left: int, move_px: float) -> Tensor:
    """What is `told` of a window of the crop (P, 9, h, w), its first two of what moves in units of `move_px`, as it is
    where mouths (P, 2) at their `place` are open by `more` (P,) than drawn; `near` (h,) is 1 in rows in which mouths
    lie, and `left` the column of the crop where the window begins."""
    height, width = told.shape[2:]
    middle, high = place.to(told.dtype)[..., None, None].unbind(1)
    more = more[:, None, None]
    near = near[:, None].to(told.dtype) * (high > 0)
    column, row = (torch.arange(n, device=told.device, dtype=told.dtype) + 0.5 for n in (width, height))
    narrower = 1 / (1 + WIDER * (AT_ONCE * more).clamp(max=1)) - 1
    aside = narrower * near * (column + left - middle)
    down = (UP * more * high * near).expand_as(aside)
    source = torch.stack([(column + aside) / width, (row[:, None] + down) / height], 1)
    moved = sample(told, source, 1)
    return torch.cat([moved[:, :2] + torch.stack([aside, down], 1) / move_px, moved[:, 2:]], 1)


def above(free: Tensor) -> Tensor:
    """(B, 1, H, W): rows over what is free are free too."""
    return F.max_pool2d(F.pad(free, (0, 0, 0, UP_PX)), (UP_PX + 1, 1), 1)
