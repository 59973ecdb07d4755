"""Where to look for a face that the detector does not see in the whole frame: squares of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from puppeteer.pose import F32, U8

# The detector scales what it is shown to a few pixels: it misses faces below a share of the longer side.
SEEN = 0.15  # of the longer side; a face at least this large is surely seen
TILE = 0.45  # of the frame's shorter side: in such a square it sees faces of 80 px in 1080p
OVERLAP = 0.35  # of a tile: a face small enough for tiles lies whole in one of them
AROUND = 3.5  # sides of the square around a face, in sizes of that face
KEPT = (0.18, 0.5)  # a square around a face is kept while the face has between these shares of it
TILES_A_FRAME = 2  # looked into where no face is found, each frame other ones


class Box:
    """Where a face is, in pixels."""

    __slots__ = ("size", "x", "y")

    def __init__(self, x: float, y: float, size: float) -> None:
        self.x, self.y, self.size = x, y, size

    @classmethod
    def around(cls, face: F32, width: int, height: int) -> Box:
        spots = face[:, :2] * (width, height)
        low, high = spots.min(axis=0), spots.max(axis=0)
        x, y = (low + high) / 2
        return cls(float(x), float(y), float((high - low).max()))


@dataclass(frozen=True, slots=True)
class View:
    """A square of a frame, in pixels."""

    left: int
    top: int
    side: int

    @classmethod
    def around(cls, x: float, y: float, side: float, width: int, height: int) -> View:
        """The square about a point, moved and shrunk until it lies in the frame."""
        whole = min(round(side), width, height)
        left, top = (min(max(0, round(at - whole / 2)), room - whole) for at, room in ((x, width), (y, height)))
        return cls(left, top, whole)

    def of(self, rgb: U8) -> U8:
        return rgb[self.top : self.top + self.side, self.left : self.left + self.side]

    def to_frame(self, face: F32, width: int, height: int) -> F32:
        """Landmarks (478, 3) in units of the whole frame, from landmarks in units of this square."""
        scale = (self.side / width, self.side / height, self.side / width)
        return np.asarray(face * scale + (self.left / width, self.top / height, 0), np.float32)

    def holds(self, box: Box) -> bool:
        """Whether the face is where a square around it should have it."""
        aside = max(abs(box.x - self.left - self.side / 2), abs(box.y - self.top - self.side / 2))
        low, high = KEPT
        return aside < self.side / 4 and low * self.side <= box.size <= high * self.side


def next_view(box: Box, view: View | None, width: int, height: int) -> View | None:
    """Where to look for this face in the next frame; None is the whole frame. `view` is where it was found."""
    if box.size >= SEEN * max(width, height):
        return None
    if view is not None and view.holds(box):
        return view  # a square that stands still lets MediaPipe follow the face in it
    return View.around(box.x, box.y, AROUND * box.size, width, height)


class Search:
    """Squares that cover the frame, from large to small, a few for each frame without a face."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._tiles: list[View] = []
        self._next = 0

    def views(self, width: int, height: int) -> Iterator[View]:
        if self._shape != (width, height):
            self._shape, self._tiles, self._next = (width, height), tiles(width, height), 0
        for _ in islice(self._tiles, TILES_A_FRAME):
            yield self._tiles[self._next % len(self._tiles)]
            self._next += 1


def tiles(width: int, height: int) -> list[View]:
    shorter = min(width, height)
    found = []
    for side in (shorter, round(TILE * shorter)):
        columns, rows = (_starts(room, side) for room in (width, height))
        found += [View(left, top, side) for top in rows for left in columns]
    return [view for view in found if view.side < max(width, height)]


def _starts(room: int, side: int) -> list[int]:
    count = math.ceil((room - side) / ((1 - OVERLAP) * side)) + 1
    return [round(at) for at in np.linspace(0, room - side, count)]
