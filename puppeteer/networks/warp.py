"""No network: the head as a soft patch that is tilted, shifted and squashed.

The baseline that every trained network must beat, and what still moves when no weights can be loaded. It assumes the
spec (skull top to chin in the middle 128 rows) and leaves eyes and mouth alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from puppeteer.image import SPEC_SIZE
from puppeteer.networks.layers import Copy, Layers
from puppeteer.networks.tensors import Encoding
from puppeteer.pose import NECK_RANGE_DEG

FLOW_SIZE = 64  # cells; nothing in this flow is finer
MIDDLE_X = 128.0  # all in spec px
ROOT_Y = 204.0  # where neck and body join
TIP_Y = 166.0  # the height about which a nod turns the head
HEAD_Y = 130.0  # middle of the face
NECK_TOP_Y, NECK_END_Y = 184.0, 208.0  # the head's movement fades out over the neck
SHOULDER_RISE = 16.0  # how much higher it does so at SHOULDER_X from the middle, so that shoulders stay
SHOULDER_X = 80.0
FACE_RADII = (68.0, 60.0)  # of the dome that bulges towards the viewer
FACE_DEPTH = 50.0  # how far the dome rises above the outline
OUTLINE_DEPTH = -13.0  # the outline lies behind the neck's axis and moves the other way


class Warp:
    """Pseudo-3D: a dome for the face on a flat card for hair and outline, turned about the neck."""

    encoding: Encoding = "srgb_premultiplied"

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image (1, 4, 256, 256); only where it lives matters"""
        cells = (torch.arange(FLOW_SIZE, dtype=torch.float32, device=image.device) + 0.5) * (SPEC_SIZE / FLOW_SIZE)
        return (cells[None, None].expand(1, FLOW_SIZE, -1), cells[None, :, None].expand(1, -1, FLOW_SIZE))

    def decode(self, features: tuple[Tensor, Tensor], pose: Tensor) -> Layers:
        """pose (1, 6) to one copy with a flow (1, 2, 64, 64)"""
        x, y = features
        tilt, nod, turn = (pose[:, 3:6] * math.radians(NECK_RANGE_DEG))[:, :, None, None].unbind(1)
        # Tilt: each pixel looks back along a circle about the root.
        tilt = tilt * _headness(x, y)
        dx, dy = x - MIDDLE_X, y - ROOT_Y
        # Series, good to 0.01 px: torch sends sines of whole maps to several threads, which costs more than all else.
        sin, cos = tilt - tilt**3 / 6, 1 - tilt**2 / 2 + tilt**4 / 24
        at_x = MIDDLE_X + cos * dx - sin * dy
        at_y = ROOT_Y + sin * dx + cos * dy
        # Nod and turn: what lies nearer to the viewer moves further.
        dx, dy = at_x - MIDDLE_X, at_y - HEAD_Y
        radius2 = (dx / FACE_RADII[0]) ** 2 + (dy / FACE_RADII[1]) ** 2
        dome = (1 - radius2 * radius2 / 8).clamp_min(0) ** 8  # nearly exp(-radius ** 4): a flat face with a soft rim
        depth = (OUTLINE_DEPTH + FACE_DEPTH * dome) * _headness(at_x, at_y)
        above_tip = (TIP_Y - at_y).clamp_min(0)
        at_x = at_x + depth * torch.sin(turn)
        at_y = at_y + depth * torch.sin(nod) - above_tip * (1 - torch.cos(nod))
        return Layers((Copy(torch.stack([at_x - x, at_y - y], 1) * (2 / SPEC_SIZE), None),))


def _headness(x: Tensor, y: Tensor) -> Tensor:
    """1 for the head, 0 for the body, smooth between."""
    rise = SHOULDER_RISE * ((x - MIDDLE_X) / SHOULDER_X).clamp(-1, 1) ** 2
    t = ((y + rise - NECK_TOP_Y) / (NECK_END_Y - NECK_TOP_Y)).clamp(0, 1)
    return 1 - t * t * (3 - 2 * t)


def load() -> Warp:
    return Warp()
