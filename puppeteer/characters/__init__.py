"""Procedural anime characters: a seed gives a recipe, a recipe gives geometry, a renderer poses it.

Importing this package creates no OpenGL context and does not import moderngl: only a constructed `Renderer` does.
"""

from pathlib import Path

from puppeteer.characters.artist import Artist
from puppeteer.characters.casting import make_recipe
from puppeteer.characters.recipe import Recipe, Split
from puppeteer.characters.renderer import Renderer, Rendering
from puppeteer.errors import ImageError

__all__ = ["Artist", "Recipe", "Renderer", "Rendering", "Split", "default_character", "make_recipe"]

SHIPPED = Path(__file__).resolve().parent / "shipped"


def default_character() -> Path:
    """The prepared character that is used when none is named. Raises ImageError where none came along."""
    first = min(SHIPPED.glob("*.png"), default=None)
    if first is None:
        raise ImageError(f"there is no character in {SHIPPED}: name one with --character, or get the project again")
    return first
