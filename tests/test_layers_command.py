"""`layers`: an OpenRaster file, opened again as a painting program would."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from puppeteer.by_name import set_by_name
from puppeteer.characters import default_character
from puppeteer.commands.layers import PLACES, layers, write_openraster
from puppeteer.errors import ImageError, SettingsError
from puppeteer.image import premultiplied
from puppeteer.networks.rig.reader import LAYERS
from puppeteer.prepare.reading import read_character
from puppeteer.settings import Settings


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ora") / "layers.ora"
    layers(character=default_character(), output=path)
    return path


def opened(file: Path) -> tuple[ET.Element, list[tuple[str, Image.Image]], Image.Image]:
    """The description, the layers as large as the picture from the uppermost down, and the picture."""
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
        assert archive.read("mimetype") == b"image/openraster"
        root = ET.fromstring(archive.read("stack.xml"))
        size = int(root.attrib["w"]), int(root.attrib["h"])
        found = []
        for layer in root.iter("layer"):
            whole = Image.new("RGBA", size)
            part = Image.open(io.BytesIO(archive.read(layer.attrib["src"])))
            assert part.mode == "RGBA"
            whole.paste(part, (int(layer.attrib["x"]), int(layer.attrib["y"])))
            found.append((layer.attrib["name"], whole))
        merged = Image.open(io.BytesIO(archive.read("mergedimage.png")))
        thumbnail = Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png")))
        assert max(thumbnail.size) <= 256 and merged.size == size
    return root, found, merged


def test_layers_are_named_in_order_and_make_the_drawing(file: Path) -> None:
    root, found, merged = opened(file)
    character = read_character(default_character())
    assert root.tag == "image" and [child.tag for child in root] == ["stack"]
    assert merged.size == (character.square[2],) * 2  # the drawing's own resolution
    names = [name for name, _ in found]
    assert names == [PLACES[name] for name in reversed(LAYERS) if PLACES[name] in names] and len(names) >= 5
    laid = Image.new("RGBA", merged.size)
    for _, layer in reversed(found):
        laid.alpha_composite(layer)
    assert np.array_equal(np.asarray(laid), np.asarray(merged))
    drawn = premultiplied(character.at(merged.width)).astype(int)
    assert np.abs(premultiplied(np.asarray(merged)).astype(int) - drawn).mean() < 1


def test_layers_are_complete(file: Path) -> None:
    """The face goes on under the fringe."""
    _, found, _ = opened(file)
    alphas = {name: np.asarray(layer)[..., 3] > 200 for name, layer in found}
    assert np.mean(alphas["face"][alphas["hair in front"]]) > 0.15


def test_every_layer_of_a_rig_has_a_name_for_artists() -> None:
    assert set(PLACES) == set(LAYERS)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"name the file x\.ora"):
        layers(character=default_character(), output=tmp_path / "x.png")
    with pytest.raises(ImageError, match="does not exist"):
        layers(character=default_character(), output=tmp_path / "none" / "x.ora")
    with pytest.raises(ImageError, match="check the spelling"):
        layers(character=tmp_path / "none.png", output=tmp_path / "x.ora")
    with pytest.raises(SettingsError, match="warp has no layers: choose compact"):
        layers(
            character=default_character(),
            output=tmp_path / "x.ora",
            settings=set_by_name(Settings(), "poser.family", "warp"),
        )
    assert not list(tmp_path.iterdir())


def test_a_layer_that_is_empty_is_still_a_layer(tmp_path: Path) -> None:
    solid = np.full((8, 8, 4), 255, np.uint8)
    write_openraster(tmp_path / "x.ora", {"back": solid, "front": np.zeros_like(solid)})
    _, found, merged = opened(tmp_path / "x.ora")
    assert [name for name, _ in found] == ["hair in front", "hair at the back"]
    assert (np.asarray(merged) == 255).all()
