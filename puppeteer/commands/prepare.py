"""`prepare`: any picture to a character that the studio, `pose` and `transfer` use as it is."""

from __future__ import annotations

import sys
from pathlib import Path

from puppeteer.errors import ImageError
from puppeteer.files import check_target

SMALLEST_SQUARE, WIDEST_TILT_DEG = 16, 180.0  # px of the picture


def prepare(
    *,
    picture: Path,
    output: Path,
    square: tuple[int, int, int] | None = None,
    tilt_deg: float | None = None,
) -> None:
    """Writes the prepared character as a PNG and says what was done and what to know. Raises PuppeteerError."""
    if not output.is_dir() and output.suffix.lower() != ".png":
        raise ImageError(f"{output}: a character is a PNG, so name it {output.with_suffix('.png').name}")
    check_target(output, ImageError, "character.png", (picture,))
    if square is not None and square[2] < SMALLEST_SQUARE:
        raise ImageError(f"--square has a side of {square[2]}: it must be {SMALLEST_SQUARE} or more, twice the head")
    if tilt_deg is not None and not -WIDEST_TILT_DEG <= tilt_deg <= WIDEST_TILT_DEG:
        raise ImageError(f"--tilt is {tilt_deg:g}: it must be -180 to 180 degrees, positive where it leans clockwise")
    # Imported late, so that a wrong name is told at once: PyTorch takes seconds.
    from puppeteer.image import write_png
    from puppeteer.prepare import prepare as run

    prepared = run(picture, square, tilt_deg)
    character = prepared.character
    write_png(output, character.rgba, character.square)
    for note in prepared.notes:
        print(note, file=sys.stderr)
    height, width = character.rgba.shape[:2]
    left, top, side = character.square
    where = f"its head in the middle of a square of {side} pixels at {left}, {top}"
    print(f"{output}: a character of {width}x{height}, {where}", file=sys.stderr)
