"""Takes a character out of its background; alpha that is there already is kept and cleaned.

A plain or smooth background is flooded from the picture's border. Any other is told apart by the network and by
colours, or by rembg's anime model where the user has installed that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.errors import WeightsError
from puppeteer.pose import U8
from puppeteer.prepare.alpha import cleaned
from puppeteer.prepare.busy import by_grabcut, by_rembg
from puppeteer.prepare.figure import Figure, figure
from puppeteer.prepare.heads import Head
from puppeteer.prepare.plain import UNLIKE, without_plain

How = Literal["alpha", "plain", "grabcut", "rembg", "none"]

HAS_ALPHA = 0.02  # share of the picture that must be transparent
FOREIGN = 0.2  # well cut-out pictures have 0.04 of what the network takes for background
DOUBT_PX = 96  # px of a spec square in which doubts are looked for
DOUBTED = 0.015  # of a spec square: a smaller doubt is not said
PARTS: dict[str, Callable[[Any, Any], NDArray[np.bool_]]] = {  # by x and y in spec squares from the head's middle
    "what is above the head": lambda x, y: y < -0.3,
    "hair at the left of the head": lambda x, y: (x < 0) & (y >= -0.3) & (y < 0.3),
    "hair at the right of the head": lambda x, y: (x >= 0) & (y >= -0.3) & (y < 0.3),
    "arm or sleeve at the left": lambda x, y: (x < -0.2) & (y >= 0.3) & (y < 1.7),
    "arm or sleeve at the right": lambda x, y: (x >= 0.2) & (y >= 0.3) & (y < 1.7),
    "the clothes in the middle": lambda x, y: (np.abs(x) < 0.2) & (y >= 0.3) & (y < 1.7),
    "legs or skirt": lambda x, y: y >= 1.7,
}
BETTER = (
    "keep or remove places with a click in the window, erase the background in a drawing program and save a PNG with "
    "transparency, take a picture on a plain background, or install rembg (python -m pip install rembg onnxruntime) "
    "and prepare it again"
)


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """A picture without its background."""

    rgba: U8  # (H, W, 4)
    how: How
    dropped: int = 0  # stray specks
    fringe: bool = False  # pale edge colours were replaced
    failed: str = ""  # why rembg could not be used, where it is installed
    left_in: bool = False  # background is probably still there
    doubtful: tuple[str, ...] = ()  # parts, in words

    def notes(self, name: str) -> list[str]:
        """Sentences for the user."""
        out = []
        if self.failed:
            out.append(f"rembg is installed but could not be used ({self.failed}): the project's own cut-out was used")
        if self.how == "alpha":
            did = ["kept"]
            if self.fringe:
                did.append("a pale fringe along the edge was recoloured")
            if self.dropped:
                did.append(f"{self.dropped} stray speck{'s' if self.dropped > 1 else ''} dropped")
            out.append(f"the transparency of {name} was {', '.join(did)}")
        elif self.how == "plain":
            out.append(f"the plain background of {name} was removed by the project's own cut-out")
            if self.doubtful:
                out.append(
                    f"in {name} {' and '.join(self.doubtful)} may be cut out wrongly, because character and background "
                    "look alike there: look at it, and keep or remove places with a click in the window"
                )
        elif self.how == "grabcut" and self.left_in:
            out.append(
                f"the background of {name} is too busy for the project's own cut-out (GrabCut): some of it is left in "
                f"and will move with the character, or parts of the character are gone{self._where()}; {BETTER}"
            )
        elif self.how == "grabcut":
            out.append(
                f"the background of {name} was removed by the project's own cut-out (GrabCut), which can err where "
                f"character and background look alike{self._where()}: where something is missing or left, {BETTER}"
            )
        elif self.how == "rembg":
            out.append(f"the background of {name} was removed by rembg (isnet-anime)")
        if self.how == "none" or (self.left_in and self.how != "grabcut"):
            out.append(f"background is left in {name} and will move with the character: {BETTER}")
        return out

    def _where(self) -> str:
        return f" (in doubt: {', '.join(self.doubtful)})" if self.doubtful else ""


def cut_out(rgba: U8, head: Head, guessed: bool = False) -> CutOut:
    """`rgba` (H, W, 4) without its background; `head` says where the character is.

    Where that is only guessed, what is no plain background is left alone: there may be no character at all.
    """
    if (rgba[..., 3] < 128).mean() >= HAS_ALPHA:
        out, dropped, fringe = cleaned(rgba)
        return CutOut(out, "alpha", dropped, fringe)
    opaque = rgba.copy()
    opaque[..., 3] = 255
    seen = None
    with contextlib.suppress(WeightsError):  # which is said where the head is looked for
        seen = figure(np.ascontiguousarray(opaque[..., :3]), head)
    plain = without_plain(opaque, head, seen)
    if plain is not None and not _crowded(plain, head) and (guessed or _foreign(plain, seen) < FOREIGN):
        return CutOut(
            plain, "plain", left_in=_left_in(plain, head), doubtful=() if guessed else doubtful(plain, seen, head)
        )
    matte, failed = by_rembg(opaque)
    if matte is not None:
        return CutOut(matte, "rembg", left_in=_left_in(matte, head))
    torn = None if guessed else by_grabcut(opaque, head, seen, None if plain is None else plain[..., 3] == 0)
    if torn is not None:
        left_in = _left_in(torn, head) or _foreign(torn, seen) > FOREIGN
        return CutOut(torn, "grabcut", failed=failed, left_in=left_in, doubtful=doubtful(torn, seen, head))
    return CutOut(rgba, "none", failed=failed)


def _foreign(rgba: U8, seen: Figure | None) -> float:
    """The share of what stands out in `rgba` that the network takes for background."""
    solid = rgba[..., 3] > 128
    if seen is None or not solid.any():
        return 0.0
    most = seen.at(solid.shape[::-1], (0, 0, solid.shape[1], solid.shape[0])).most
    return float((most[solid] < UNLIKE).mean())


def doubtful(rgba: U8, seen: Figure | None, head: Head) -> tuple[str, ...]:
    """Which parts of a figure the network sees otherwise than they were cut out, or was unsure of, as words."""
    if seen is None or head.score <= 0:
        return ()
    height, width = rgba.shape[:2]
    scale = DOUBT_PX / head.side
    size = max(1, round(width * scale)), max(1, round(height * scale))
    looks = seen.at(size, (0, 0, width, height))
    kept = cv2.resize(rgba[..., 3], size, interpolation=cv2.INTER_AREA) > 128
    wrong = np.where(kept, looks.most < 0.3, looks.least > 0.65)
    # Along every edge the network is off by a little.
    wrong = cv2.morphologyEx(wrong.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]]
    x, y = (xs / scale - head.centre[0]) / head.side, (ys / scale - head.centre[1]) / head.side
    return tuple(name for name, where in PARTS.items() if (wrong & where(x, y)).sum() > DOUBTED * DOUBT_PX * DOUBT_PX)


def _crowded(rgba: U8, head: Head) -> bool:
    """Whether a good part of what stands out is no character's: farther from the head than hair and arms reach, or
    from one side of a wide picture to the other."""
    solid = rgba[::4, ::4, 3] > 128
    ys, xs = np.nonzero(solid)
    x, y = (4 * xs - head.centre[0]) / head.side, (4 * ys - head.centre[1]) / head.side
    above = (y < 0.25) & ((x / 0.95) ** 2 + (y / 0.85) ** 2 > 1)
    through = min(solid[:, 0].mean(), solid[:, -1].mean()) > 0.1 and rgba.shape[1] > 1.5 * head.side
    return bool(above.mean() > 0.08 or (np.abs(x) > 1.0).mean() > 0.15 or through)


def _left_in(rgba: U8, head: Head) -> bool:
    """Whether the sides and the top of the picture are still full, or nothing was taken away round the head."""
    opaque = rgba[..., 3] > 128
    if opaque.mean() > 0.9:
        return True
    x, y = head.centre
    height, width = opaque.shape
    reach = 0.5 * head.side
    corners = [(x - reach, y - reach), (x + reach, y - reach)]
    inside = [opaque[int(b), int(a)] for a, b in corners if 0 <= a < width and 0 <= b < height]
    rim = np.concatenate([opaque[0], opaque[: height // 2, 0], opaque[: height // 2, -1]])
    return bool(rim.mean() > 0.5 or (len(inside) == 2 and all(inside) and rim.mean() > 0.25))
