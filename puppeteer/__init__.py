"""Become a VTuber live from a webcam with one picture.

From Python: `poser = puppeteer.Poser.load()`, `poser.set_character(rgba)` once, `poser.pose(puppeteer.Pose(...))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from puppeteer.pose import Pose

if TYPE_CHECKING:
    from puppeteer.poser import Poser

__all__ = ["Pose", "Poser"]


def __getattr__(name: str) -> Any:
    """PyTorch takes seconds to load: only who asks for the poser pays."""
    if name == "Poser":
        from puppeteer.poser import Poser

        return Poser
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
