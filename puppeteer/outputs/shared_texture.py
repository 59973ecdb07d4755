"""The character as a texture that other programs take from the graphics card: Spout2 on Windows, Syphon on macOS.

Both want premultiplied alpha. Their packages are extras, imported only here.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from puppeteer.errors import SinkError
from puppeteer.image import premultiplied
from puppeteer.outputs.compose import Background, Placed
from puppeteer.outputs.contract import Overlay
from puppeteer.pose import U8

NAME = "Puppeteer"
GL_RGBA = 0x1908
INSTALL = "run  python -m pip install -r requirements-textures.txt"


class Spout:
    """Windows. For one thread. Raises SinkError."""

    def __init__(self) -> None:
        try:
            import SpoutGL
        except ImportError as error:
            raise SinkError(f"the package SpoutGL, for Spout2, is not installed: {INSTALL}") from error
        self.name = NAME
        self._sender: Any = SpoutGL.SpoutSender()
        if not _opened(self._sender):
            raise SinkError("Spout2 finds no OpenGL here: install the driver of the graphics card")
        self._sender.setSenderName(NAME)

    @property
    def wanted(self) -> bool:
        return True  # Spout does not tell who looks

    def told(self) -> str:
        return f"{NAME}: in OBS with the plugin obs-spout2, add a Spout2 Capture"

    def send(self, picture: Placed) -> None:
        rgba = shared(picture)
        height, width = rgba.shape[:2]
        if not self._sender.sendImage(rgba, width, height, GL_RGBA, False, 0):
            raise SinkError("Spout2 takes no pictures: update the driver of the graphics card")
        self._sender.setFrameSync(NAME)

    def close(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.releaseSender()
            sender.closeOpenGL()


def _opened(sender: Any) -> bool:
    """A hidden window's OpenGL; its owner is left out, or None, by the version of Spout's library."""
    try:
        return bool(sender.createOpenGL())
    except TypeError:
        return bool(sender.createOpenGL(None))


class Syphon:
    """macOS. For one thread. Raises SinkError."""

    def __init__(self) -> None:
        try:
            import objc
            import syphon
            from syphon.utils import raw
        except ImportError as error:
            raise SinkError(f"the package syphon-python, for Syphon, is not installed: {INSTALL}") from error
        self.name = NAME
        self._pool: Any = objc.autorelease_pool
        self._raw: Any = raw
        self._server: Any = syphon.SyphonMetalServer(NAME)
        self._texture: Any = None
        self._size = (0, 0)

    @property
    def wanted(self) -> bool:
        return self._server is not None and bool(self._server.has_clients)

    def told(self) -> str:
        return f"{NAME}: in OBS add a Syphon Client"

    def send(self, picture: Placed) -> None:
        with self._pool():
            if picture.size != self._size:
                self._size = picture.size
                self._texture = self._raw.create_mtl_texture(self._server.device, *self._size)
            self._raw.copy_bytes_to_mtl_texture(shared(picture).tobytes(), self._texture)
            self._server.publish_frame_texture(self._texture, is_flipped=True)  # our first row is the upper one

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with contextlib.suppress(Exception):
                server.stop()


def shared(picture: Placed) -> U8:
    """(H, W, 4), premultiplied."""
    return premultiplied(picture.over(Background()))


def shared_texture(system: str = sys.platform) -> Overlay:
    """What this system has. Raises SinkError."""
    if system == "win32":
        return Spout()
    if system == "darwin":
        return Syphon()
    raise SinkError("shared textures are of Windows (Spout2) and macOS (Syphon): take the browser source here")
