"""What networks made of a drawing, kept on disk: the same again, and never a reason to fail."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from puppeteer.networks.tensors import Encoding, to_tensor
from puppeteer.pose import U8
from puppeteer.poser import cache


class Inner(NamedTuple):
    mean: Tensor
    most: Tensor


class Kept(NamedTuple):
    image: Tensor
    inner: Inner


class Counting(nn.Module):
    encoding: Encoding = "srgb_premultiplied"
    kept = Kept

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.asked = 0

    @torch.inference_mode()
    def encode(self, picture: U8) -> Kept:
        self.asked += 1
        image = to_tensor(picture, self.encoding) * self.weight
        return Kept(image[:, :2], Inner(image.mean(), image.max()))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUPPETEER_CACHE", str(tmp_path / "rigs"))
    return tmp_path / "rigs"


def picture(level: int = 200) -> U8:
    return np.full((8, 8, 4), level, np.uint8)


def asked(network: Counting, drawing: U8) -> Any:
    return cache.remembered(network, drawing, lambda: network.encode(drawing))


def test_a_drawing_is_understood_once(place: Path) -> None:
    network = Counting()
    first, again = asked(network, picture()), asked(Counting(), picture())
    assert isinstance(again, Kept) and isinstance(again.inner, Inner)
    assert torch.equal(first.image, again.image) and torch.equal(first.inner.most, again.inner.most)
    assert asked(network, picture()) is not first and network.asked == 1
    assert len(list(place.iterdir())) == 1


def test_other_pictures_weights_and_code_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    network, other = Counting(), Counting(0.5)
    asked(network, picture())
    asked(network, picture(100))
    asked(other, picture())
    assert (network.asked, other.asked) == (2, 1)
    monkeypatch.setattr(cache, "_code", lambda: b"changed")
    asked(network, picture())
    assert network.asked == 3


def test_code_is_all_that_networks_take_constants_from() -> None:
    """Or a drawing that was understood before would go on breathing as it did before an update."""
    nodes = [
        node
        for path in (cache.PACKAGE / "networks").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    constants = {
        str(node.module)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and any(alias.name.isupper() for alias in node.names)
    }
    files = {cache.PACKAGE.parent / Path(*module.split(".")).with_suffix(".py") for module in constants}
    assert cache.PACKAGE / "relief.py" in files
    assert {file for file in files if file.exists()} <= set(cache._sources())


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"flipped", b"short"])
def test_a_damaged_file_is_made_again(place: Path, damage: bytes) -> None:
    network = Counting()
    wanted = asked(network, picture())
    (file,) = place.iterdir()
    data = bytearray(file.read_bytes())
    if damage == b"flipped":
        data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data) if damage == b"flipped" else data[:-9] if damage == b"short" else damage)
    assert torch.equal(asked(network, picture()).image, wanted.image) and network.asked == 2
    asked(network, picture())
    assert network.asked == 2  # whole again


def test_a_folder_that_cannot_be_written_costs_time_alone(place: Path) -> None:
    place.write_text("a file, not a folder")
    network = Counting()
    for _ in range(2):
        assert asked(network, picture()).inner.most == pytest.approx(200 / 255)
    assert network.asked == 2


def test_what_was_not_used_for_longest_goes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Counting()
    asked(network, picture(1))
    (oldest,) = place.iterdir()
    monkeypatch.setattr(cache, "MOST_BYTES", 2.5 * oldest.stat().st_size)
    asked(network, picture(2))
    (second,) = set(place.iterdir()) - {oldest}
    for age, file in ((300, oldest), (200, second)):
        os.utime(file, (file.stat().st_atime, file.stat().st_mtime - age))
    asked(network, picture(1))  # used: the other one is the oldest now
    asked(network, picture(3))
    assert oldest.exists() and not second.exists() and len(list(place.iterdir())) == 2


def test_folders_of_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.folder("win32", {"LOCALAPPDATA": "/l"}) == Path("/l/Puppeteer/Cache")
    assert cache.folder("darwin", {}) == Path.home() / "Library/Caches/Puppeteer"
    assert cache.folder("linux", {"XDG_CACHE_HOME": "/x"}) == Path("/x/puppeteer")
    assert cache.folder("linux", {}) == Path.home() / ".cache/puppeteer"


def test_networks_that_keep_nothing_on_disk_are_asked_again(place: Path) -> None:
    network = Counting()
    network.__dict__["kept"] = None
    asked(network, picture())
    asked(network, picture())
    assert network.asked == 2 and not place.exists()
