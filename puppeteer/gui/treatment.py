"""A picture on the picture doctor's table: what was made of it, where its head is said to be, a brush's strokes."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from puppeteer.errors import ImageError
from puppeteer.files import check_readable
from puppeteer.image import CHUNK, Square, open_picture
from puppeteer.pose import U8
from puppeteer.prepare import Prepared, Stroke, prepare
from puppeteer.prepare.heads import guessed


@dataclass(frozen=True, slots=True)
class Head:
    """Where the spec square lies in a picture: middle and side in px, turned clockwise by degrees."""

    x: float
    y: float
    side: float
    tilt_deg: float = 0.0

    def corners(self, share: float = 1.0) -> list[tuple[float, float]]:
        """Clockwise from the top left, of a square that is `share` as large."""
        turn, half = math.radians(self.tilt_deg), self.side * share / 2
        cos, sin = math.cos(turn) * half, math.sin(turn) * half
        return [
            (self.x + across * cos - down * sin, self.y + across * sin + down * cos)
            for across, down in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]

    def holds(self, x: float, y: float) -> bool:
        turn = math.radians(self.tilt_deg)
        across = (x - self.x) * math.cos(turn) + (y - self.y) * math.sin(turn)
        down = (y - self.y) * math.cos(turn) - (x - self.x) * math.sin(turn)
        return max(abs(across), abs(down)) <= self.side / 2

    def square(self) -> Square:
        """Left, top, side in whole pixels, without the tilt."""
        side = max(1, round(self.side))
        return round(self.x - side / 2), round(self.y - side / 2), side


@dataclass(frozen=True, slots=True, eq=False)
class Treated:
    """What the picture doctor made of a picture."""

    before: U8  # (H, W, 4) straight alpha, as it was
    head: Head  # in `before`
    prepared: Prepared


def treat(path: Path) -> Treated:
    """Prepares a picture. Raises PuppeteerError."""
    prepared = prepare(path)
    found = prepared.head or guessed(prepared.picture)
    head = Head(*found.centre, found.side, found.tilt_deg)
    return Treated(open_picture(path)[0], head, prepared)


def corrected(treated: Treated, head: Head, found: Head | None, strokes: tuple[Stroke, ...]) -> Treated:
    """With the head where the user says that it is, if not where it was found, and with the places that the user kept
    or removed. Raises PuppeteerError."""
    prepared = treated.prepared
    if strokes != prepared.strokes:
        prepared = prepared.touched(strokes)
    if head != treated.head:
        moved = head != found
        prepared = prepared.aligned(head.square(), head.tilt_deg) if moved else prepared.aligned()
    return replace(treated, head=head, prepared=prepared)


def is_prepared(path: Path) -> bool:
    """Whether a picture says itself where its spec square is; what cannot be read is not."""
    with contextlib.suppress(Exception):  # Pillow raises many kinds
        check_readable(path, ImageError, "a picture")
        with Image.open(path) as image:
            return CHUNK in image.info
    return False


@dataclass(slots=True)
class Case:
    """A picture on the table."""

    path: Path
    treated: Treated | None = None
    found: Head | None = None  # by the doctor, before the user moved it
    head: Head | None = None  # as it is drawn now
    strokes: tuple[Stroke, ...] = ()  # of the brush
    asked: int = 0  # treatments asked for, and had
    had: int = 0
    problem: str = ""

    @property
    def busy(self) -> bool:
        return self.had < self.asked
