"""Draws characters from any process, by their seeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from puppeteer.characters.casting import make_recipe
from puppeteer.characters.process import Draw, DrawingProcess
from puppeteer.characters.recipe import Recipe, Split
from puppeteer.errors import RenderError
from puppeteer.pose import U8, Pose


@dataclass(frozen=True, slots=True)
class _Sitting:
    """One picture that is wanted."""

    seed: int
    split: Split
    pose: Pose
    size: int

    def __str__(self) -> str:
        return f"seed {self.seed}"


@contextmanager
def _drawing() -> Iterator[Draw]:
    from puppeteer.characters.renderer import Renderer

    with Renderer() as renderer:
        loaded: tuple[int, Split] | None = None

        def draw(wanted: _Sitting) -> U8:
            nonlocal loaded
            if loaded != (wanted.seed, wanted.split):
                loaded = None
                renderer.load(make_recipe(wanted.seed, wanted.split))
                loaded = wanted.seed, wanted.split
            return renderer.render(wanted.pose, wanted.size).rgba

        yield draw


class Artist:
    """Draws a character by its seed; starts its process with the first drawing. For one thread at a time."""

    def __init__(self) -> None:
        self._process = DrawingProcess("artist", _drawing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def draw(self, seed: int, pose: Pose | None = None, size: int = 1024, split: Split = "gallery") -> U8:
        """A (size, size, 4) sRGB picture with straight alpha; without a pose, the rest image.

        The default split is what people are shown.
        Raises RenderError where there is no OpenGL, or for a seed or size out of range.
        """
        recipe = self._recipe(seed, split)
        pose = Pose(mouth_open=recipe.rest_mouth) if pose is None else pose
        return self._process.draw(_Sitting(seed, split, pose, size))

    def close(self) -> None:
        """Ends the process; closing twice is harmless, drawing again starts a new one."""
        self._process.close()

    @staticmethod
    def _recipe(seed: int, split: Split) -> Recipe:
        try:
            return make_recipe(seed, split)
        except ValueError as error:
            raise RenderError(str(error)) from error
