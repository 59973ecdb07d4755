"""`character`: draws a new character from a seed."""

from __future__ import annotations

import sys
from pathlib import Path

from puppeteer.characters import Artist
from puppeteer.errors import ImageError
from puppeteer.files import check_target
from puppeteer.image import write_png

SMALLEST, LARGEST = 64, 4096  # px


def character(*, output: Path, seed: int = 0, size: int = 1024) -> None:
    """Writes a PNG of (size, size, 4) with the spec square (the whole picture) in it. Raises PuppeteerError."""
    if not output.is_dir() and output.suffix.lower() != ".png":
        raise ImageError(f"{output}: a character is a PNG, so name it {output.with_suffix('.png').name}")
    check_target(output, ImageError, "character.png")
    if seed < 0:
        raise ImageError(f"--seed is {seed}: it must be 0 or more")
    if not SMALLEST <= size <= LARGEST:
        raise ImageError(f"--size is {size}: it must be {SMALLEST} to {LARGEST}")
    with Artist() as artist:
        rgba = artist.draw(seed, size=size)
    write_png(output, rgba, square=(0, 0, size))
    print(f"{output}: character {seed}, {size}x{size}", file=sys.stderr)
