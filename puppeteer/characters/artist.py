"""Draws characters from any process: a `Renderer` in a spawned subprocess, reached through a pipe."""

from __future__ import annotations

import contextlib
import multiprocessing
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from puppeteer.characters.casting import make_recipe
from puppeteer.characters.recipe import Recipe, Split
from puppeteer.errors import RenderError
from puppeteer.pose import U8, Pose

_START_S = 60.0
_DRAW_S = 120.0
_REMEDY = "install a graphics driver with OpenGL 3.3 (on Linux Mesa's libegl1 and libgl1-mesa-dri)"


def _serve(pipe: Connection) -> None:
    from puppeteer.characters.renderer import Renderer

    try:
        renderer = Renderer()
    except RenderError as error:
        pipe.send(error)
        return
    with renderer:
        pipe.send(None)
        loaded: tuple[int, Split] | None = None
        while True:
            try:
                job = pipe.recv()
            except (EOFError, KeyboardInterrupt):
                return
            if job is None:
                return
            seed, split, pose, size = job
            try:
                if loaded != (seed, split):
                    renderer.load(make_recipe(seed, split))
                    loaded = (seed, split)
                pipe.send(renderer.render(pose, size).rgba)
            except (RenderError, ValueError) as error:
                pipe.send(RenderError(str(error)))
            except Exception as error:
                loaded = None
                pipe.send(
                    RenderError(f"seed {seed} cannot be drawn ({type(error).__name__}: {error}): try another seed")
                )


class Artist:
    """Draws a character by its seed; starts its process with the first drawing. For one thread at a time."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

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
        pipe = self._started()
        try:
            pipe.send((seed, split, pose, size))
            answer = self._receive(pipe, _DRAW_S)
        except (EOFError, OSError) as error:
            self.close()
            raise RenderError(f"the drawing process ended while drawing: {_REMEDY}") from error
        if isinstance(answer, RenderError):
            raise answer
        assert not isinstance(answer, type(None))
        return answer

    def close(self) -> None:
        """Ends the process; closing twice is harmless, drawing again starts a new one."""
        pipe, process = self._pipe, self._process
        self._pipe = self._process = None
        if pipe is not None:
            with contextlib.suppress(OSError):  # it has ended already
                pipe.send(None)
            pipe.close()
        if process is not None:
            process.join(5.0)
            if process.is_alive():
                process.terminate()
                process.join(5.0)

    @staticmethod
    def _recipe(seed: int, split: Split) -> Recipe:
        try:
            return make_recipe(seed, split)
        except ValueError as error:
            raise RenderError(str(error)) from error

    def _started(self) -> Connection:
        if self._pipe is not None:
            return self._pipe
        context = multiprocessing.get_context("spawn")  # a forked process would inherit another's OpenGL
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="artist", daemon=True)
        self._process.start()
        theirs.close()
        try:
            answer = self._receive(self._pipe, _START_S)
        except (EOFError, OSError) as error:
            self.close()
            raise RenderError(f"OpenGL ended the drawing process: {_REMEDY}") from error
        if isinstance(answer, RenderError):
            self.close()
            raise answer
        return self._pipe

    def _receive(self, pipe: Connection, timeout_s: float) -> U8 | RenderError | None:
        if not pipe.poll(timeout_s):
            self.close()
            raise RenderError(f"the drawing process did not answer for {timeout_s:.0f} s: {_REMEDY}")
        answer: U8 | RenderError | None = pipe.recv()
        return answer
