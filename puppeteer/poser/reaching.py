"""Rows and columns that change from frame to frame. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

FAINT = 0.5 / 255  # of a pixel; a smaller share changes nothing
Window = tuple[slice, slice]  # rows and columns
NOWHERE: Window = slice(0, 0), slice(0, 0)


def both(one: slice, other: slice) -> slice:
    """From where to where either reaches."""
    reaching = [part for part in (one, other) if part.stop > part.start]
    return slice(min((part.start for part in reaching), default=0), max((part.stop for part in reaching), default=0))


def both_windows(one: Window, other: Window) -> Window:
    return both(one[0], other[0]), both(one[1], other[1])


def windows(seen: Any, middle: int, above: int, beside: int) -> tuple[Window, Window]:
    """One on each side of a column."""
    left, right = (window(seen, half, above, beside) for half in (slice(0, middle), slice(middle, len(seen))))
    return left, right


def window(seen: Any, half: slice, above: int, beside: int) -> Window:
    """Where `seen` (S, S) is true in the columns `half`, and px above, below and beside it."""
    rows, columns = np.flatnonzero(seen[:, half].any(1)), np.flatnonzero(seen[:, half].any(0))
    if not len(rows):
        return NOWHERE
    size = len(seen)
    first, last = half.start + int(columns[0]), half.start + int(columns[-1]) + 1
    return (
        slice(max(int(rows[0]) - above, 0), min(int(rows[-1]) + 1 + above, size)),
        slice(max(first - beside, half.start), min(last + beside, half.stop)),
    )
