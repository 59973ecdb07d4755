"""Spout2 and Syphon, with stand-ins for their packages: what they are given, what is said where they are missing."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from stage import SMALL, Stage, eventually, on_stage

from puppeteer.by_name import set_by_name
from puppeteer.errors import SinkError
from puppeteer.outputs.compose import Placed
from puppeteer.outputs.shared_texture import GL_RGBA, shared_texture

HALF = np.zeros((8, 8, 4), np.uint8)
HALF[2:6, 2:6] = (200, 100, 50, 128)
PICTURE = Placed(HALF, (32, 16), 12, 4, 8)


class SpoutSender:
    """As SpoutGL's, as far as it is used."""

    made: list[SpoutSender] = []  # noqa: RUF012
    works = True
    owner: tuple[Any, ...] = ()  # that `createOpenGL` insists on

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.images: list[np.ndarray] = []
        self.made.append(self)

    def createOpenGL(self, *owner: Any) -> bool:
        if owner != self.owner:
            raise TypeError("incompatible function arguments")
        self.calls.append("open")
        return self.works

    def setSenderName(self, name: str) -> None:
        self.calls.append(name)

    def sendImage(self, pixels: Any, width: int, height: int, form: int, invert: bool, fbo: int) -> bool:
        assert (form, invert, fbo) == (GL_RGBA, False, 0) and memoryview(pixels).c_contiguous
        self.images.append(np.frombuffer(pixels, np.uint8).reshape(height, width, 4).copy())
        return self.works

    def setFrameSync(self, name: str) -> None:
        self.calls.append("sync")

    def releaseSender(self) -> None:
        self.calls.append("release")

    def closeOpenGL(self) -> None:
        self.calls.append("close")


class MetalServer:
    """As syphon's."""

    made: list[MetalServer] = []  # noqa: RUF012

    def __init__(self, name: str) -> None:
        self.name, self.device = name, "the graphics card"
        self.has_clients = False
        self.images: list[np.ndarray] = []
        self.stopped = 0
        self.made.append(self)

    def publish_frame_texture(self, texture: dict[str, Any], is_flipped: bool) -> None:
        assert is_flipped, "rows go down in ours, up in theirs"
        self.images.append(np.frombuffer(texture["bytes"], np.uint8).reshape(*texture["size"][::-1], 4))

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def spout(monkeypatch: pytest.MonkeyPatch) -> type[SpoutSender]:
    module = ModuleType("SpoutGL")
    module.SpoutSender = SpoutSender  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "SpoutGL", module)
    monkeypatch.setattr(SpoutSender, "made", [])
    return SpoutSender


@pytest.fixture
def syphon(monkeypatch: pytest.MonkeyPatch) -> type[MetalServer]:
    package, utils, raw, objc = (ModuleType(name) for name in ("syphon", "syphon.utils", "syphon.utils.raw", "objc"))
    package.SyphonMetalServer = MetalServer  # type: ignore[attr-defined]
    objc.autorelease_pool = contextlib.nullcontext  # type: ignore[attr-defined]
    raw.create_mtl_texture = lambda device, width, height: {"size": (width, height)}  # type: ignore[attr-defined]
    raw.copy_bytes_to_mtl_texture = lambda data, texture: texture.update(bytes=data)  # type: ignore[attr-defined]
    utils.raw = raw  # type: ignore[attr-defined]
    for module in (package, utils, raw, objc):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(MetalServer, "made", [])
    return MetalServer


def is_premultiplied(image: np.ndarray) -> None:
    """PICTURE, as other programs blend it."""
    assert image.shape == (16, 32, 4)
    assert np.abs(image[6, 14].astype(int) - (100, 50, 25, 128)).max() <= 1
    image = image.copy()
    image[6:10, 14:18] = 0
    assert not image.any()


@pytest.mark.parametrize("owner", [(), (None,)])
def test_spout_gets_premultiplied_pictures_of_the_whole_output(
    spout: type[SpoutSender], monkeypatch: pytest.MonkeyPatch, owner: tuple[Any, ...]
) -> None:
    monkeypatch.setattr(spout, "owner", owner)
    output = shared_texture("win32")
    assert output.wanted and output.name in output.told()
    output.send(PICTURE)
    output.close()
    output.close()
    (sender,) = spout.made
    is_premultiplied(sender.images[0])
    assert sender.calls == ["open", output.name, "sync", "release", "close"]


def test_a_machine_where_spout_does_not_work_is_told(spout: type[SpoutSender], monkeypatch: pytest.MonkeyPatch) -> None:
    output = shared_texture("win32")
    monkeypatch.setattr(spout, "works", False)
    with pytest.raises(SinkError, match="driver"):
        output.send(PICTURE)
    with pytest.raises(SinkError, match=r"OpenGL.*driver"):
        shared_texture("win32")


def test_syphon_gets_them_while_somebody_looks(syphon: type[MetalServer]) -> None:
    output = shared_texture("darwin")
    (server,) = syphon.made
    assert not output.wanted and server.name == output.name
    server.has_clients = True
    assert output.wanted
    output.send(PICTURE)
    output.send(Placed(HALF, (64, 48), 0, 0, 8))
    is_premultiplied(server.images[0])
    assert server.images[1].shape == (48, 64, 4)
    output.close()
    output.close()
    assert server.stopped == 1 and not output.wanted


@pytest.mark.parametrize("system, package", [("win32", "SpoutGL"), ("darwin", "syphon")])
def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, system: str, package: str) -> None:
    for name in (package, "objc"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SinkError, match=rf"{package}.*requirements-textures\.txt"):
        shared_texture(system)
    extras = Path(__file__).resolve().parent.parent / "requirements-textures.txt"
    assert package in extras.read_text(encoding="utf-8")


def test_other_systems_are_pointed_to_the_browser_source() -> None:
    with pytest.raises(SinkError, match="browser source"):
        shared_texture("linux")


def test_the_engine_feeds_it_where_it_is_switched_on(spout: type[SpoutSender], character_png: Path) -> None:
    stage = Stage(overlays={"shared_texture": lambda output: shared_texture("win32")})
    with on_stage(character_png, SMALL, stage):
        live = stage.live
        assert live.status().shared_texture.state == "off" and not spout.made
        live.apply(set_by_name(live.settings, "output.shared_texture", True))
        assert eventually(lambda: spout.made and spout.made[0].images)
        assert live.status().shared_texture.state == "ok" and "OBS" in live.status().shared_texture.text
        live.apply(set_by_name(live.settings, "output.shared_texture", False))
        assert eventually(lambda: "close" in spout.made[0].calls)
    assert len(spout.made) == 1
