"""From a picture to a prepared character: background away, head found, upright, and what to know about it."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from puppeteer.errors import ImageError, WeightsError
from puppeteer.image import (
    LARGEST_PIXELS,
    SMALLEST_SIDE,
    Character,
    Square,
    check_size,
    clean,
    cut,
    open_picture,
    premultiplied,
    unpremultiplied,
)
from puppeteer.light import Light, light
from puppeteer.pose import U8
from puppeteer.prepare import cutout, diagnosis, faces, heads
from puppeteer.prepare.brush import Stroke, brushed
from puppeteer.prepare.heads import Head

UPRIGHT_DEG = 1.5  # a picture that leans less is left as it is, and so as sharp as it is
ENOUGH_SIDE = 64  # px of a spec square; a smaller one is enlarged


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A character that can be used, and how it came about."""

    character: Character  # `character.notes` are `notes`
    notes: tuple[str, ...]  # sentences for the user, the most important first
    sure: bool  # whether place, size and tilt of the head can be relied on
    cutout: cutout.How  # how the background was removed
    head: Head | None  # in pixels of the picture as given; None where none was found and none was told
    others: tuple[Head, ...]  # further heads
    given: U8  # (H, W, 4) as given: what `head`, a user's square and a brush refer to
    cut: U8  # the same without its background
    name: str
    said: tuple[str, ...]  # notes that do not depend on the square
    found: Head | None = None  # without a user
    square: Square | None = None  # that a user chose
    tilt_deg: float | None = None
    strokes: tuple[Stroke, ...] = ()  # of a user's brush

    @property
    def picture(self) -> U8:
        """(H, W, 4) as given, without its background, after the brush."""
        return brushed(self.given, self.cut, self.strokes) if self.strokes else self.cut

    def aligned(self, square: Square | None = None, tilt_deg: float | None = None) -> Prepared:
        """The same picture with a square (its middle stays) and a tilt that a user chose; the rest is as found."""
        return _aligned(replace(self, square=square, tilt_deg=tilt_deg))

    def touched(self, strokes: tuple[Stroke, ...]) -> Prepared:
        """The same picture with these strokes of a user's brush instead of any before. Raises ImageError."""
        return _aligned(replace(self, strokes=strokes))


def prepare(
    picture: Path | U8, square: Square | None = None, tilt_deg: float | None = None, name: str | None = None
) -> Prepared:
    """A prepared character from a picture file, or from uint8 (H, W, 4).

    `square` (left, top, side in pixels of the picture, before it is turned upright about the square's middle) and
    `tilt_deg` (clockwise as seen) are a user's own; without them the head is found. Raises ImageError.
    """
    said: list[str] = []
    if isinstance(picture, Path):
        name = name or picture.name
        rgba, said = open_picture(picture)
    else:
        rgba = picture
    name = name or "the picture"
    check_size(rgba, name)
    dark = light(rgba)
    bright = clean(rgba) if dark is None else dark.lit(clean(rgba))
    if dark is not None:
        said.append(f"{name} is very dark, and stays so: brighten it in a drawing program if it should not be")
    try:
        found = heads.find(rgba if dark is None else bright)
    except WeightsError as error:
        found = []
        said.append(str(error))
    head = found[0] if found else None
    if head is not None and square is None and diagnosis.photograph(rgba if dark is None else bright, head):
        said.append(
            f"{name} looks like a photograph: only drawings are moved well, so take a drawing of one character that "
            "looks ahead"
        )
    place = head if square is None else _told(square, tilt_deg)
    removed = cutout.cut_out(bright, place or heads.guessed(rgba), guessed=place is None)
    said += removed.notes(name)
    away = removed.rgba if dark is None else _as_drawn(removed.rgba, bright, rgba, dark)
    nothing = Character(away, (0, 0, 1))  # until it is aligned
    unaligned = Prepared(nothing, (), False, removed.how, head, tuple(found[1:]), rgba, away, name, tuple(said), head)
    return _aligned(replace(unaligned, square=square, tilt_deg=tilt_deg))


def _told(square: Square, tilt_deg: float | None) -> Head:
    left, top, side = square
    return Head((left + side / 2, top + side / 2), float(side), tilt_deg or 0.0)


def _aligned(prepared: Prepared) -> Prepared:
    """Upright, trimmed, its spec square placed, and everything said about it."""
    rgba, found, name = prepared.picture, prepared.found, prepared.name
    square, tilt_deg = prepared.square, prepared.tilt_deg
    if not rgba[..., 3].any():
        raise ImageError(f"nothing of {name} is left: keep a place with the brush, or undo")
    if square is not None:
        far = 4 * max(rgba.shape[:2])
        if not SMALLEST_SIDE // 2 <= square[2] <= far or not all(-far <= v <= far for v in square[:2]):
            raise ImageError(f"the square {list(square)} does not fit {name}: choose one round the head")
    head = found if square is None else _told(square, tilt_deg)
    place = head or heads.guessed(rgba)
    tilt = place.tilt_deg if tilt_deg is None else tilt_deg
    leans = tilt_deg is None and square is None and found is not None and not found.tilt_known
    if leans:
        tilt, leans = 0.0, abs(tilt) > UPRIGHT_DEG
    upright, centre = turned(rgba, place.centre, tilt) if abs(tilt) > UPRIGHT_DEG else (rgba, place.centre)
    side = place.side
    trimmed, (x, y) = _trimmed(upright)
    centre = centre[0] - x, centre[1] - y
    if side < ENOUGH_SIDE:
        scale = ENOUGH_SIDE / side
        trimmed = _enlarged(trimmed, scale)
        centre, side = (centre[0] * scale, centre[1] * scale), side * scale
    whole: Square = (round(centre[0] - side / 2), round(centre[1] - side / 2), round(side))
    if not cut(trimmed, whole)[..., 3].any():
        raise ImageError(
            f"the square {list(square or place.square)} of {name} holds nothing: choose one round the head"
        )
    told = square is not None
    character = Character(trimmed, whole)
    face = _face(character) if told or found is not None else None
    notes = (*diagnosis.sentences(name, found, prepared.others, place, face, told, leans), *prepared.said)
    sure = told or (found is not None and found.sure)
    return replace(prepared, character=replace(character, notes=notes), notes=notes, sure=sure, head=head)


def _face(character: Character) -> faces.Face | None:
    with contextlib.suppress(WeightsError):  # which was said where the head was looked for
        spec = character.spec()
        dark = light(spec)
        return faces.read(spec if dark is None else dark.lit(spec))
    return None


def _as_drawn(changed: U8, bright: U8, rgba: U8, dark: Light) -> U8:
    """What was made of `bright`, which is `rgba` lit, as dark as that again: the same where nothing changed."""
    own = (changed[..., :3] == bright[..., :3]).all(-1, keepdims=True)
    out = dark.unlit(changed)
    out[..., :3] = np.where(own, rgba[..., :3], out[..., :3])
    return out


def turned(rgba: U8, about: tuple[float, float], tilt_deg: float) -> tuple[U8, tuple[float, float]]:
    """The picture turned back by its tilt, grown so that nothing of it is lost, and where `about` lies then. A body
    that the picture's lower edge cuts off is cut off straight again: what lies below goes on as the last row."""
    matrix = cv2.getRotationMatrix2D((0.0, 0.0), tilt_deg, 1.0)  # cv2 counts counter-clockwise: turns it back
    ys, xs = np.nonzero(rgba[..., 3])
    x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float) @ matrix[:, :2].T
    low = np.floor(corners.min(0)) - 2
    size = np.ceil(corners.max(0)) + 2 - low
    if size[0] * size[1] > LARGEST_PIXELS:
        return rgba, about
    matrix[:, 2] = -low
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # pixel centres
    whole = premultiplied(rgba)
    if y1 == len(rgba):
        below = math.ceil(abs(math.sin(math.radians(tilt_deg))) * (x1 - x0)) + 3
        whole = np.vstack([whole, np.repeat(whole[-1:], below, 0)])
    out = cv2.warpAffine(whole, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_CUBIC)
    out[..., :3] = np.minimum(out[..., :3], out[..., 3:])  # bicubic overshoots
    x, y = matrix[:, :2] @ np.asarray(about) - low
    return unpremultiplied(np.asarray(out, np.uint8)), (float(x), float(y))


def _trimmed(rgba: U8) -> tuple[U8, tuple[int, int]]:
    """Without empty margins, and what was taken away at the left and at the top."""
    rows, columns = np.flatnonzero(rgba[..., 3].any(1)), np.flatnonzero(rgba[..., 3].any(0))
    y, x = max(0, int(rows[0]) - 2), max(0, int(columns[0]) - 2)
    return np.ascontiguousarray(rgba[y : rows[-1] + 3, x : columns[-1] + 3]), (x, y)


def _enlarged(rgba: U8, scale: float) -> U8:
    height, width = rgba.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    out = cv2.resize(premultiplied(rgba), size, interpolation=cv2.INTER_CUBIC)
    out[..., :3] = np.minimum(out[..., :3], out[..., 3:])
    return unpremultiplied(np.asarray(out, np.uint8))
