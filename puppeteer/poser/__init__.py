"""A character in any pose: `set_character` pays once, `pose` is cheap. numpy at the edge, torch inside."""

from puppeteer.poser.poser import LARGEST, SMALLEST, Poser

__all__ = ["LARGEST", "SMALLEST", "Poser"]
