"""A character in any pose: `set_character` pays once, `pose` is cheap. numpy at the edge, torch inside."""

from puppeteer.poser.poser import Poser

__all__ = ["Poser"]
