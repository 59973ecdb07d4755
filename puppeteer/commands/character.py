"""`character`: draws a new character from a seed, or one from a 3D model."""

from __future__ import annotations

import sys
from pathlib import Path

from puppeteer.characters import Artist
from puppeteer.errors import ImageError
from puppeteer.files import check_target
from puppeteer.image import write_png
from puppeteer.models3d.photographer import Photographer, Shot

SMALLEST, LARGEST = 64, 4096  # px


def character(*, output: Path, seed: int | None = None, model: Path | None = None, size: int = 1024) -> None:
    """Writes a PNG of (size, size, 4) with the spec square (the whole picture) in it. Raises PuppeteerError.

    `model` is a PMX, PMD or VRM file, or a ZIP file that holds one.
    """
    if seed is not None and model is not None:
        raise ImageError("give either --seed or --model: a character is drawn from a number or from a 3D model")
    seed = seed or 0
    if not output.is_dir() and output.suffix.lower() != ".png":
        raise ImageError(f"{output}: a character is a PNG, so name it {output.with_suffix('.png').name}")
    check_target(output, ImageError, "character.png", (model,))
    if seed < 0:
        raise ImageError(f"--seed is {seed}: it must be 0 or more")
    if not SMALLEST <= size <= LARGEST:
        raise ImageError(f"--size is {size}: it must be {SMALLEST} to {LARGEST}")
    if model is not None:
        with Photographer() as photographer:
            rgba = photographer.draw(Shot(model, size=size, needs_head=True))
        write_png(output, rgba, square=(0, 0, size))
        print(f"{output}: {model.name}, {size}x{size}", file=sys.stderr)
        return
    with Artist() as artist:
        rgba = artist.draw(seed, size=size)
    write_png(output, rgba, square=(0, 0, size))
    print(f"{output}: character {seed}, {size}x{size}", file=sys.stderr)
