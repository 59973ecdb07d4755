"""Pictures of 3D models from any process: a `ModelRenderer` in a spawned subprocess, reached through a pipe.

The subprocess reads the files too: a hostile one can harm nothing else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from puppeteer.errors import PuppeteerError, RenderError
from puppeteer.models3d.annotation import Annotation
from puppeteer.models3d.renderer import Shading, View
from puppeteer.models3d.skinning import Posture
from puppeteer.pose import U8, Pose

_START_S, _DRAW_S = 60.0, 120.0
_REMEDY = "install a graphics driver with OpenGL 3.3 (on Linux Mesa's libegl1 and libgl1-mesa-dri)"
NEUTRAL = Pose()


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture that is wanted."""

    model: Path
    pose: Pose = NEUTRAL
    size: int = 1024
    shading: Shading = "own"
    view: View = "front"
    morphs: tuple[tuple[int, float], ...] = ()  # beside the pose
    annotation: Annotation | None = None  # instead of what is found
    needs_head: bool = False  # a model without one raises ModelError


def _serve(pipe: Connection) -> None:
    with contextlib.suppress(OSError, EOFError, KeyboardInterrupt):  # who asked has ended
        _answer(pipe)


def _answer(pipe: Connection) -> None:
    from puppeteer.models3d.annotation import needed, study
    from puppeteer.models3d.reading import read_model
    from puppeteer.models3d.renderer import ModelRenderer

    try:
        renderer = ModelRenderer()
    except RenderError as error:
        pipe.send(error)
        return
    with renderer:
        pipe.send(None)
        held: tuple[Path, Annotation | None] | None = None
        found = None
        while True:
            shot = pipe.recv()
            if shot is None:
                return
            try:
                if held is None or held[0] != shot.model or found is None:
                    held = None
                    found = study(read_model(shot.model))
                if shot.needs_head:
                    needed(found, shot.model.name)
                if held != (shot.model, shot.annotation):
                    renderer.load(found, shot.annotation)
                    held = (shot.model, shot.annotation)
                extra = Posture(morphs=dict(shot.morphs)) if shot.morphs else None
                picture = renderer.render(shot.pose, shot.size, shading=shot.shading, view=shot.view, extra=extra)
                answer: U8 | PuppeteerError = picture.rgba
            except PuppeteerError as error:
                answer = error
            except Exception as error:
                held = None
                answer = RenderError(f"{shot.model} cannot be drawn ({type(error).__name__}: {error})")
            pipe.send(answer)


class Photographer:
    """Draws models by their files; starts its process with the first picture. For one thread at a time."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def draw(self, shot: Shot) -> U8:
        """A (size, size, 4) sRGB picture with straight alpha. Raises PuppeteerError."""
        pipe = self._started()
        try:
            pipe.send(shot)
            answer = self._receive(pipe, _DRAW_S)
        except (EOFError, OSError) as error:
            self.close()
            raise RenderError(f"the drawing process ended while drawing {shot.model}: {_REMEDY}") from error
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
        self._process = context.Process(target=_serve, args=(theirs,), name="photographer", daemon=True)
        self._process.start()
        theirs.close()
        try:
            answer = self._receive(self._pipe, _START_S)
        except (EOFError, OSError) as error:
            self.close()
            raise RenderError(f"OpenGL ended the drawing process: {_REMEDY}") from error
        if isinstance(answer, PuppeteerError):
            self.close()
            raise answer
        return self._pipe

    def _receive(self, pipe: Connection, timeout_s: float) -> U8 | PuppeteerError | None:
        if not pipe.poll(timeout_s):
            self.close()
            raise RenderError(f"the drawing process did not answer for {timeout_s:.0f} s: {_REMEDY}")
        answer: U8 | PuppeteerError | None = pipe.recv()
        return answer
