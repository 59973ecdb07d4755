"""How far irises go, of an eye's half axes: as another system's pictures of a drawing have it, like `relief`."""

from __future__ import annotations

import torch
from torch import Tensor

from puppeteer.networks.rig.pictures import smooth

OUT, IN, UP, DOWN = 0.5, 0.24, 0.45, 0.63
SINKS = 0.05  # of its half height, how far down an iris goes that looks out
LOWER = 0.4  # of an iris, its lower part, which a lower lid hides when it looks down
LIGHTER, LESS = (1.15, 1.5), 0.21  # times as light as the rest, from which on its light is there; how much less then
SEEN, LEAST_PX = 0.6, 8.0  # share of a pixel that is an iris's for sure; and of the crop, what is no iris


def goes_down(irises: Tensor, crop: Tensor) -> Tensor:
    """(B,) how far the seen irises (B, 2, 128, 128) of the two eyes in a premultiplied crop (B, 4, 128, 128) go down:
    less where their light is in their lower parts, and nothing but dark would be left of them."""
    weight = irises * (irises > SEEN)
    share = weight.sum(3)
    area = share.sum(2, keepdim=True)
    lower = (share.cumsum(2) > (1 - LOWER) * area).to(weight.dtype)[..., None]
    light = crop[:, None, :3].float().mean(2)

    def mean(part: Tensor) -> Tensor:
        return (light * part).sum((2, 3)) / part.sum((2, 3)).clamp(min=1)

    lighter = mean(weight * lower) / mean(weight * (1 - lower)).clamp(min=1e-2)
    there = (area[..., 0] > LEAST_PX).to(weight.dtype)
    return DOWN - LESS * (smooth(lighter, *LIGHTER) * there).sum(1) / there.sum(1).clamp(min=1)


def goes(gaze: Tensor, down: Tensor) -> Tensor:
    """(2, 2) x and y of the irises on the viewer's left and right, of gaze (2,) x and y of the pose: to the character's
    right, which is the viewer's left, and up; an iris that looks out sinks. `down` () as `goes_down` has it."""
    (left, up), (right, below) = gaze.clamp(min=0), gaze.clamp(max=0)
    aside = torch.stack([OUT * left + IN * right, IN * left + OUT * right])
    upwards = UP * up + down * below - SINKS * torch.stack([left, -right])
    return torch.stack([aside, upwards], 1)
