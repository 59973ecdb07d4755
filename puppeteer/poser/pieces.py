"""Pieces of a face, laid in every frame where its numbers want them."""

from __future__ import annotations

import threading

import torch

from puppeteer.networks.rig.eyes import right
from puppeteer.networks.rig.pieces import Looks, Pieces, piece_pictures
from puppeteer.pose import U8
from puppeteer.poser.brows import DrawnBrows
from puppeteer.poser.eyes import DrawnEyes
from puppeteer.poser.reaching import FAINT, NOWHERE, Window, both_windows


class DrawnPieces:
    """Of a premultiplied picture (S, S, 4) of a face's middle; drawn by any number of threads."""

    def __init__(self, original: U8, pieces: Pieces) -> None:
        self._original = original
        shown = piece_pictures(torch.from_numpy(original).permute(2, 0, 1)[None].float() / 255, pieces)
        middle = int(right(pieces.eyes.middle, len(original))[0].int().argmax())
        self._eyes, self._brows = DrawnEyes(shown.eyes, middle), DrawnBrows(shown.brows, middle)
        self._scratch = threading.local()

    def drawn(self, looks: Looks) -> tuple[U8, slice, slice]:
        """Premultiplied (S, S, 4), the same as the original but in these rows and columns. Overwritten by this thread's
        next frame."""
        eyes, brows = looks.eyes, looks.brows
        opened = max(float(eyes.share), float(eyes.wide), float(eyes.smile), *eyes.closure.tolist())
        reach = NOWHERE
        if opened >= FAINT:
            reach = self._eyes.reach
        if float(brows.amounts.max()) >= FAINT:
            reach = both_windows(reach, self._brows.reach)
        if not reach[0].stop:
            return self._original, *NOWHERE
        scratch = self._scratch
        if not hasattr(scratch, "picture"):
            scratch.picture, scratch.reach = self._original.copy(), NOWHERE
        out: U8 = scratch.picture
        before: Window = scratch.reach
        out[before] = self._original[before]
        self._eyes.draw(out, eyes)
        self._brows.draw(out, brows)
        scratch.reach = reach
        return out, *reach
