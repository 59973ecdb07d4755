"""Pictures from any process: what draws them has a subprocess of its own, reached through a pipe."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import Any

from puppeteer.characters.opengl import REMEDY
from puppeteer.errors import PuppeteerError, RenderError
from puppeteer.pose import U8

_START_S, _DRAW_S = 60.0, 120.0
Draw = Callable[[Any], U8]
Drawing = Callable[[], AbstractContextManager[Draw]]


def _serve(pipe: Connection, drawing: Drawing) -> None:
    with contextlib.suppress(OSError, EOFError, KeyboardInterrupt):  # who asked has ended
        try:
            with drawing() as draw:
                pipe.send(None)
                _answer(pipe, draw)
        except RenderError as error:
            pipe.send(error)


def _answer(pipe: Connection, draw: Draw) -> None:
    while (job := pipe.recv()) is not None:
        try:
            answer: U8 | PuppeteerError = draw(job)
        except PuppeteerError as error:
            answer = error
        except Exception as error:
            answer = RenderError(f"{job} cannot be drawn ({type(error).__name__}: {error}): take another one")
        pipe.send(answer)


class DrawingProcess:
    """Starts with the first job. For one thread at a time.

    `drawing`, a function at the top of a module, is called there; what its context manager gives draws the jobs.
    """

    def __init__(self, name: str, drawing: Drawing) -> None:
        self._name, self._drawing = name, drawing
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def draw(self, job: Any) -> U8:
        """The picture of a job, which must not be None. Raises what drawing raises: PuppeteerError."""
        pipe = self._started()
        try:
            pipe.send(job)
            answer = self._receive(pipe, _DRAW_S)
        except (EOFError, OSError) as error:
            self.close()
            raise RenderError(f"the drawing process ended while drawing {job}: {REMEDY}") from error
        if isinstance(answer, PuppeteerError):
            raise answer
        assert answer is not None
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

    def _started(self) -> Connection:
        if self._pipe is not None:
            return self._pipe
        context = multiprocessing.get_context("spawn")  # a forked process would inherit another's OpenGL
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._drawing), name=self._name, daemon=True)
        self._process.start()
        theirs.close()
        try:
            answer = self._receive(self._pipe, _START_S)
        except (EOFError, OSError) as error:
            self.close()
            raise RenderError(f"OpenGL ended the drawing process: {REMEDY}") from error
        if isinstance(answer, PuppeteerError):
            self.close()
            raise answer
        return self._pipe

    def _receive(self, pipe: Connection, timeout_s: float) -> U8 | PuppeteerError | None:
        if not pipe.poll(timeout_s):
            self.close()
            raise RenderError(f"the drawing process did not answer for {timeout_s:.0f} s: {REMEDY}")
        answer: U8 | PuppeteerError | None = pipe.recv()
        return answer
