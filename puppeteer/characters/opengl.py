"""OpenGL 3.3 without a window, for whoever draws the spec square: a context, its targets, and what is read from them.

A second OpenGL context in one process corrupts the first: whoever has one belongs in a process of its own, as in
`process.DrawingProcess`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import cv2
import numpy as np

from puppeteer.errors import RenderError
from puppeteer.pose import F32, U8

REMEDY = "install a graphics driver with OpenGL 3.3 (on Linux Mesa's libegl1 and libgl1-mesa-dri)"
SUPERSAMPLE = 2
SMALLEST, LARGEST = 16, 4096  # px


class Context:
    """One OpenGL context and the targets that were drawn on. Raises RenderError where no OpenGL 3.3 can be had."""

    def __init__(self) -> None:
        os.environ.setdefault("LP_NUM_THREADS", "1")
        try:
            import moderngl

            if sys.platform.startswith("linux"):
                self.gl: Any = moderngl.create_context(standalone=True, require=330, backend="egl")  # type: ignore[arg-type]
            else:
                self.gl = moderngl.create_context(standalone=True, require=330)
        except Exception as error:
            raise RenderError(f"no OpenGL 3.3 to draw with ({error}): {REMEDY}") from error
        self.flags: Any = moderngl
        self.gl.front_face = "cw"  # rows grow downwards
        self._targets: dict[tuple[str, int], Any] = {}

    def close(self) -> None:
        """Gives the context back; closing twice is harmless."""
        if self.gl is not None:
            self.gl.release()
            self.gl = None

    def program(self, vertex: str, fragment: str) -> Any:
        return self.gl.program(vertex_shader=vertex.strip(), fragment_shader=fragment.strip())

    def picture(self, size: int) -> Any:
        """A cleared target of RGBA bytes with depth, in use."""
        return self._target("picture", size, 1, "f1")

    def places(self, size: int, planes: int = 1, name: str = "") -> Any:
        """A cleared target of `planes` times four floats with depth, in use; another one for another name."""
        return self._target(f"{planes} {name}", size, planes, "f4")

    def _target(self, name: str, size: int, planes: int, kind: str) -> Any:
        gl = self.gl
        if (name, size) not in self._targets:
            textures = [gl.texture((size, size), 4, dtype=kind) for _ in range(planes)]
            self._targets[name, size] = gl.framebuffer(textures, gl.depth_renderbuffer((size, size)))
        target = self._targets[name, size]
        target.use()
        target.clear(0.0, 0.0, 0.0, 0.0)
        gl.enable_only(self.flags.DEPTH_TEST)
        gl.depth_func = "<="
        return target

    def over(self) -> None:
        """What is drawn from now on lies over what is there, premultiplied."""
        self.gl.enable_only(self.flags.DEPTH_TEST | self.flags.BLEND)
        self.gl.blend_func = self.flags.ONE, self.flags.ONE_MINUS_SRC_ALPHA

    def cull(self, on: bool, side: str = "back") -> None:
        """Whether triangles that show this side are left out."""
        self.gl.cull_face = side
        (self.gl.enable if on else self.gl.disable)(self.flags.CULL_FACE)


def check_size(size: int, what: str) -> None:
    """Raises RenderError where a picture is out of range."""
    if not SMALLEST <= size <= LARGEST:
        raise RenderError(f"{what} cannot be drawn {size} px wide: choose {SMALLEST} to {LARGEST}")


def pixels(target: Any, size: int) -> U8:
    """(size, size, 4) of a picture, averaged down to a size."""
    big = target.size[0]
    found = np.frombuffer(target.read(components=4), np.uint8).reshape(big, big, 4)
    return found if big == size else np.asarray(cv2.resize(found, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def floats(target: Any, plane: int = 0) -> F32:
    """(S, S, 4) of a target of places."""
    size = target.size[0]
    return np.frombuffer(target.read(components=4, attachment=plane, dtype="f4"), np.float32).reshape(size, size, 4)


def shares(number: F32, count: int, size: int) -> U8:
    """(count, size, size) how much of each pixel has the numbers 1 to count, 255 all of it."""
    planes = [np.where(number == k + 1, 255, 0).astype(np.uint8) for k in range(count)]
    return np.stack([cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA) for plane in planes])
