"""A frame of a rig as a picture of any size: on the CPU by OpenCV, on another device by torch."""

from __future__ import annotations

import threading
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import SPEC, enlarge
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.pictures import DRAWN, Pictures, laid_over, pictures
from puppeteer.networks.rig.pieces import PiecePictures, laid, piece_pictures
from puppeteer.networks.rig.reader import FACE, FRONT, GLASSES
from puppeteer.networks.tensors import Encoding, to_bytes
from puppeteer.pose import U8
from puppeteer.poser.drawing import composed, straighten
from puppeteer.poser.laying import change
from puppeteer.poser.morphing import Morphed
from puppeteer.poser.reaching import both
from puppeteer.poser.stack import STILL, Stack, picture_of, pixels

FADE_PX = 1.0  # of the spec square: what moves less is part still
MORPHED = tuple(
    k for k, layer in enumerate(DRAWN) if layer in (FACE, GLASSES, FRONT)
)  # those that show what becomes of the original's middle


class RigCanvas:
    """The layers of one premultiplied original (S, S, 4), drawn again and again by any number of threads."""

    def __init__(self, original: U8, frame: Rigged) -> None:
        """`frame`: any of this character."""
        image = torch.from_numpy(original).permute(2, 0, 1)[None].float() / 255
        left, top, columns, rows = cv2.boundingRect(cv2.extractChannel(original, 3))
        box = slice(top, top + rows), slice(left, left + columns)
        shown, gains, opacity = pictures(image, frame.parts, box)
        self._opacity = float(opacity)
        self._pictures = [picture_of(layer) for layer in shown]
        self._original, self._inside = original, _middle(len(original))
        pieces = None if frame.looks is None else frame.looks.pieces
        self._middle = Morphed(original[self._inside, self._inside], pieces)
        self._gains = {k: np.ascontiguousarray(picture_of(gains[k])[self._inside, self._inside, 0]) for k in MORPHED}
        self._stack = Stack(self._pictures)
        self._scratch = threading.local()

    def drawn(self, frame: Rigged, encoding: Encoding, alone: bool = False) -> U8:
        """Straight uint8 (S, S, 4); `alone`, this thread is not helped by others."""
        flows = frame.flows.float().numpy()[list(DRAWN)]
        moves = float(np.abs(flows).max()) * SPEC / FADE_PX
        middle = None if frame.middle is None else self._middle.drawn(frame.middle, encoding, frame.looks)
        still = None
        if moves < 1:
            # edges of layers are soft: a head that is still is the drawing itself, and one that begins to move fades
            still = self._original.copy()
            if middle is not None:
                morphed, rows, columns = middle
                still[self._inside, self._inside][rows, columns] = morphed[rows, columns]
            straighten(still, still)
            if moves * FADE_PX / SPEC * self._stack.size < STILL:
                return still
        shown = self._pictures if middle is None else self._morphed(*middle)
        out = self._stack.drawn(flows, alone, shown)
        if self._opacity < 1:
            cv2.insertChannel(cv2.convertScaleAbs(cv2.extractChannel(out, 3), alpha=self._opacity), out, 3)
        return out if still is None else cv2.addWeighted(still, 1 - moves, out, moves, 0)

    def _morphed(self, morphed: U8, rows: slice, columns: slice) -> list[U8]:
        """The layers' pictures with what became of the middle, in these rows and columns; overwritten by this thread's
        next frame."""
        scratch, inside = self._scratch, self._inside
        if not hasattr(scratch, "pictures"):
            scratch.pictures = [p.copy() if k in MORPHED else p for k, p in enumerate(self._pictures)]
            scratch.rows = scratch.columns = slice(0, 0)
        before, after = pixels(self._middle.original), pixels(morphed)
        # also where the last frame changed something
        down, across = both(rows, scratch.rows), both(columns, scratch.columns)
        for k, gain in self._gains.items():
            own, target = (pixels(pictures[k][inside, inside]) for pictures in (self._pictures, scratch.pictures))
            change(own, gain, before, after, target, down.start, down.stop, across.start, across.stop)
        scratch.rows, scratch.columns = rows, columns
        return scratch.pictures  # type: ignore[no-any-return]


def _middle(size: int) -> slice:
    """Rows or columns of the middle half."""
    return slice(round(size / 4), size - round(size / 4))


class Shown(NamedTuple):
    """What a rig shows of a character at one size, on a device."""

    layers: Pictures
    pieces: PiecePictures | None

    @classmethod
    def of(cls, frame: Rigged, original: Tensor) -> Shown:
        """Premultiplied original (1, 4, S, S), and any frame of it."""
        middle = _middle(original.shape[-1])
        inside = original[:, :, middle, middle]
        pieces = None if frame.looks is None else piece_pictures(inside, frame.looks.pieces)
        return cls(pictures(original, frame.parts), pieces)


def drawn_on_device(frame: Rigged, encoding: Encoding, original: Tensor, shown: Shown) -> Tensor:
    """The same without leaving the device: premultiplied original float32 (1, 4, S, S) and what it shows to straight
    uint8 (S, S, 4). Sampling grids are float32."""
    layers, gains, opacity = shown.layers
    size = original.shape[-1]
    still = original
    if frame.middle is not None:
        middle = _middle(size)
        inside = original[:, :, middle, middle]
        looks = inside if frame.looks is None or shown.pieces is None else laid(inside, shown.pieces, frame.looks)
        change = F.pad(composed(frame.middle, encoding, looks) - inside, [middle.start] * 4)
        layers = torch.stack(
            [(x + gains[k] * change[0]).clamp(0, 1) if k in MORPHED else x for k, x in enumerate(layers)]
        )
        still = original + change
    pixels = (torch.arange(size, dtype=torch.float32, device=layers.device) + 0.5) * (2 / size) - 1
    here = torch.stack([pixels[None].expand(size, -1), pixels[:, None].expand(-1, size)])
    grid = (enlarge(frame.flows.float()[list(DRAWN)], size) * 2 + here).permute(0, 2, 3, 1)
    moved = F.grid_sample(layers, grid, mode="bilinear", padding_mode="border", align_corners=False)
    moves = (frame.flows.float().abs().amax() * (SPEC / FADE_PX)).clamp(max=1)
    return to_bytes(torch.lerp(still, laid_over(moved) * opacity, moves))
