"""A character from any picture file."""

from __future__ import annotations

from pathlib import Path

from puppeteer.errors import ImageError
from puppeteer.image import (
    HEAD_TOO_SMALL,
    Character,
    check_size,
    clean,
    cut,
    decoded,
    guess_square,
    noted_square,
    to_rgba,
)
from puppeteer.prepare.doctor import prepare


def read_character(path: Path) -> Character:
    """A character from any picture: its own spec square where the chunk says so or the picture is square; any other
    goes through the picture doctor. Raises ImageError."""
    path = Path(path)
    image, notes = decoded(path)
    square = noted_square(image, path)
    rgba = clean(to_rgba(image))
    height, width = rgba.shape[:2]
    if square is None:
        check_size(rgba, str(path))
        if width != height:
            character = prepare(rgba, name=path.name).character
            return Character(character.rgba, character.square, (*notes, *character.notes))
    if not rgba[..., 3].any():
        raise ImageError(f"{path} is completely transparent: take a picture with a character in it")
    if rgba[..., 3].all() and (rgba[..., 3] == 255).all():
        notes.append(
            f"{path.name} has no transparent background, so its background moves with the character: "
            f"prepare it (python app.py prepare {path.name} --output character.png), or cut the character out yourself"
        )
    if square is None:
        square = (0, 0, width)
        if guess_square(rgba)[2] < HEAD_TOO_SMALL * width:
            notes.append(
                f"the head of {path.name} looks small, and a square picture is used as it is: crop it so that the head "
                f"takes up half of the height, or prepare the picture"
            )
    if not cut(rgba, square)[..., 3].any():
        raise ImageError(f"the square {list(square)} of {path} holds nothing of the picture: prepare the picture again")
    return Character(rgba, square, tuple(notes))
