"""The parts of a face that are pieces of the drawing: how they are read, and how a frame lays them.

Eyes and brows are moved before anything else is done to the face; a network is asked once per character.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.blocks import conv, start_small
from puppeteer.networks.compact.blocks import Encoder
from puppeteer.networks.rig.brows import BrowLook, BrowPictures, Brows, brow_pictures, browed, near
from puppeteer.networks.rig.eyes import EyePictures, Eyes, Look, eye_pictures, eyes, looked

WIDTHS, BLOCKS = (40, 80, 128), 4  # of the encoder


class PieceReader(nn.Module):
    """Finds eyes and brows, and paints what is hidden of them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(16, WIDTHS, BLOCKS)
        self.tell = conv(WIDTHS[0], 4 * 14)
        start_small(self.tell, 0.3)

    def read(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Premultiplied crop (B, 4, 128, 128) -> logits of `Eyes.opening`, `iris`, `lash`, and `Brows.coverage` and
        `seen`; and `Eyes.painted`."""
        told = self.tell(self.encoder(F.pixel_unshuffle(crop, 2) - 0.5)[0])
        told = F.pixel_shuffle(told, 2)
        irises = (crop[:, :3] + torch.tanh(told[:, 2:5])).clamp(0, 1)
        shares = torch.cat([told[:, :2], told[:, 8:9], told[:, 12:]], 1)
        return shares, torch.cat([irises, torch.sigmoid(told[:, 5:8]), torch.sigmoid(told[:, 9:12])], 1)

    def forward(self, crop: Tensor) -> tuple[Eyes, Tensor]:
        """The eyes, and (B, 2, 128, 128) coverage and visible share of brows."""
        shares, painted = (x.float() for x in self.read(crop))
        opening, iris, lash, *others = torch.split(torch.sigmoid(shares), 1, 1)
        return eyes(opening, iris, lash, painted), torch.cat(others, 1)


class Pieces(NamedTuple):
    """What is kept of B characters."""

    eyes: Eyes
    brows: Brows


class Looks(NamedTuple):
    """What a frame asks of them."""

    eyes: Look
    brows: BrowLook

    @property
    def pieces(self) -> Pieces:
        return Pieces(self.eyes.eyes, self.brows.brows)


class PiecePictures(NamedTuple):
    """Of one character, over the crop at any size."""

    eyes: EyePictures
    brows: BrowPictures


def piece_pictures(inside: Tensor, pieces: Pieces) -> PiecePictures:
    """Of the middle of a premultiplied drawing (1, 4, h, h)."""
    eyes = eye_pictures(inside, pieces.eyes, near(pieces.brows))
    return PiecePictures(eyes, brow_pictures(inside, pieces.brows, pieces.eyes))


def laid(inside: Tensor, shown: PiecePictures, looks: Looks) -> Tensor:
    """The middle of a premultiplied drawing (1, 4, h, h) with its eyes and brows as they are asked for."""
    return browed(looked(inside, shown.eyes, looks.eyes), shown.brows, looks.brows, looks.eyes.eyes.middle)
