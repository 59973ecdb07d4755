"""Rows or columns that change from frame to frame. Pure."""

from __future__ import annotations


def both(one: slice, other: slice) -> slice:
    """From where to where either reaches."""
    reaching = [part for part in (one, other) if part.stop > part.start]
    return slice(min((part.start for part in reaching), default=0), max((part.stop for part in reaching), default=0))
