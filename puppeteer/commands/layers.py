"""`layers`: what a character is moved by, as an OpenRaster file that Krita, GIMP and other painting programs open.

Draft 0.0.5 of the format (https://www.openraster.org): a ZIP archive whose first entry is its type, not compressed; a
list of layers from the uppermost down; PNGs with straight alpha; the picture itself and a thumbnail of it.
"""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from puppeteer.errors import ImageError
from puppeteer.files import check_target, unwritable, whole
from puppeteer.pose import U8
from puppeteer.settings import Settings

MIMETYPE = "image/openraster"
VERSION = "0.0.5"
THUMBNAIL_PX = 256  # at most
PLACES = {  # of a layer's name: what an artist reads
    "back": "hair at the back",
    "neck": "neck",
    "body": "body",
    "face": "face",
    "side": "hair at the sides",
    "glasses": "glasses",
    "front": "hair in front",
}


def layers(*, character: Path, output: Path, settings: Settings | None = None) -> None:
    """Writes the layers of a character's spec square in its own resolution. Raises PuppeteerError."""
    if not output.is_dir() and output.suffix.lower() != ".ora":
        raise ImageError(f"{output}: layers are OpenRaster, so name the file {output.with_suffix('.ora').name}")
    check_target(output, ImageError, "layers.ora", (character,))
    # Imported late, so that a wrong name is told at once: PyTorch takes seconds.
    from puppeteer.image import LARGEST_OUTPUT
    from puppeteer.poser import Poser
    from puppeteer.prepare.reading import read_character

    settings = settings or Settings()
    drawing = read_character(character)
    family = "compact" if settings.poser.family == "auto" else settings.poser.family
    poser = Poser.load(family, settings.poser.device)
    poser.set_character(drawing)
    side = drawing.square[2]
    size = min(side, LARGEST_OUTPUT)
    found = poser.layers(size)
    write_openraster(output, found)
    for note in drawing.notes:
        print(note, file=sys.stderr)
    if size < side:
        print(f"{character} was scaled from {side} to {size} pixels, the most that is drawn", file=sys.stderr)
    print(f"{output}: {', '.join(found)}, from back to front, {size}x{size} pixels", file=sys.stderr)


def write_openraster(path: Path, found: Mapping[str, U8]) -> None:
    """Layers (S, S, 4) with straight alpha by name, back to front; a file that appears complete or not at all.

    Raises ImageError where it cannot be written.
    """
    pictures = {name: Image.fromarray(rgba) for name, rgba in found.items()}
    merged = Image.new("RGBA", next(iter(pictures.values())).size)
    for picture in pictures.values():
        merged.alpha_composite(picture)
    root = ET.Element("image", version=VERSION, w=str(merged.width), h=str(merged.height))
    stack = ET.SubElement(root, "stack", name="root")
    entries: dict[str, bytes] = {}
    for name in reversed(pictures):  # the uppermost first
        box = pictures[name].getbbox(alpha_only=True) or (0, 0, 1, 1)
        source = f"data/{name}.png"
        entries[source] = _png(pictures[name].crop(box))
        told = {"name": PLACES.get(name, name), "src": source, "x": str(box[0]), "y": str(box[1])}
        ET.SubElement(
            stack, "layer", told | {"opacity": "1.0", "visibility": "visible", "composite-op": "svg:src-over"}
        )
    thumbnail = merged.copy()
    thumbnail.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    entries |= {"mergedimage.png": _png(merged), "Thumbnails/thumbnail.png": _png(thumbnail)}
    try:
        with (
            whole(path) as draft,
            zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive,
        ):  # PNGs are packed already
            archive.writestr("mimetype", MIMETYPE)
            archive.writestr("stack.xml", ET.tostring(root, "utf-8", xml_declaration=True))
            for name, data in entries.items():
                archive.writestr(name, data)
    except OSError as error:
        raise ImageError(unwritable(path, error)) from error


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()
