"""Procedural anime characters: a seed gives a recipe, a recipe gives geometry, a renderer poses it.

Importing this package creates no OpenGL context and does not import moderngl: only a constructed `Renderer` does.
"""

from puppeteer.characters.artist import Artist
from puppeteer.characters.recipe import Recipe, Split, make_recipe
from puppeteer.characters.renderer import Renderer, Rendering

__all__ = ["Artist", "Recipe", "Renderer", "Rendering", "Split", "make_recipe"]
