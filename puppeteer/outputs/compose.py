"""The character over its background, and beside the clip that drives it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageColor

from puppeteer.errors import PuppeteerError, SettingsError
from puppeteer.image import premultiplied, read_image, unpremultiplied
from puppeteer.outputs.placing import lay_over
from puppeteer.pose import U8
from puppeteer.settings import OutputSettings

SIZES = 2  # that a background is kept in: as it is sent, and as the window shows it


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A colour, a picture, or (neither) nothing: transparent."""

    colour: tuple[int, int, int] | None = None
    picture: U8 | None = None  # (H, W, 3)
    _fitted: dict[tuple[int, int], U8] = field(default_factory=dict, init=False, repr=False)

    @property
    def transparent(self) -> bool:
        return self.colour is None and self.picture is None

    def fitted(self, width: int, height: int) -> U8:
        """uint8 (height, width, 3), read-only; a picture fills it, centred, what sticks out is cut off."""
        canvas = self._fitted.get((width, height))
        if canvas is None:
            if self.picture is not None:
                canvas = cover(self.picture, width, height)
            else:
                canvas = np.empty((height, width, 3), np.uint8)
                canvas[:] = self.colour or (0, 0, 0)
            canvas.setflags(write=False)
            if len(self._fitted) >= SIZES:
                self._fitted.clear()
            self._fitted[width, height] = canvas
        return canvas


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The character as it was drawn, and where it stands in the output."""

    rgba: U8  # (n, n, 4) straight alpha, read-only
    size: tuple[int, int]  # width and height of the output
    left: int  # of its upper left corner in the output
    top: int
    side: int  # px of the output

    def over(self, background: Background) -> U8:
        """The output: see `placed`."""
        return placed(self.rgba, background, self.size, self.left, self.top, self.side)

    def scaled(self, width: int) -> Placed:
        """The same in an output of that width."""
        scale = width / self.size[0]
        height, left, top, side = (round(length * scale) for length in (self.size[1], self.left, self.top, self.side))
        return Placed(self.rgba, (width, max(1, height)), left, top, max(1, side))

    def same(self, other: Placed) -> bool:
        """Whether both look the same."""
        mine, others = ((one.size, one.left, one.top, one.side) for one in (self, other))
        return mine == others and (self.rgba is other.rgba or np.array_equal(self.rgba, other.rgba))


def parse_background(text: str) -> Background:
    """`transparent`, `#RGB`, `#RRGGBB` (the `#` may be missing), a colour's CSS name, or a picture file.

    Raises SettingsError where it is none of these, ImageError where the picture cannot be read.
    """
    text = text.strip()
    name = text.lower()
    if name == "transparent":
        return Background()
    if name in ImageColor.colormap:
        return Background(colour=_rgb(name))
    if re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", name):
        return Background(colour=_rgb("#" + name.lstrip("#")))
    path = Path(text).expanduser()
    if text and path.is_file():
        rgba = read_image(path)
        return Background(picture=compose(rgba, Background(colour=(255, 255, 255))))
    near = difflib.get_close_matches(name, ["transparent", *ImageColor.colormap], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise SettingsError(
        f"the background {text!r} is neither a colour nor a picture file: {hint}"
        "take a colour such as #00FF00 or green, the path of a picture, or transparent"
    )


def key_colour(output: OutputSettings) -> Background:
    """What stands for transparent; green where the setting is no colour."""
    try:
        background = parse_background(output.key_colour)
    except PuppeteerError:
        background = Background()
    return background if background.colour is not None else Background(colour=(0, 255, 0))


def even_size(output: OutputSettings) -> tuple[int, int]:
    """(width, height) in pixels; video and virtual cameras want even numbers."""
    return output.width // 2 * 2, output.height // 2 * 2


def camera_size(output: OutputSettings) -> tuple[int, int]:
    """(width, height) of the virtual camera: some programs show black where the width is no multiple of 8."""
    width, height = even_size(output)
    return width // 8 * 8, height


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def cover(rgb: U8, width: int, height: int) -> U8:
    """The middle of a picture, scaled so that it just fills (height, width, 3)."""
    rows, columns = rgb.shape[:2]
    scale = max(width / columns, height / rows)
    cut_width, cut_height = min(columns, round(width / scale)), min(rows, round(height / scale))
    left, top = (columns - cut_width) // 2, (rows - cut_height) // 2
    middle = rgb[top : top + cut_height, left : left + cut_width]
    return _resized(middle, width, height)


def _resized(picture: U8, width: int, height: int) -> U8:
    if picture.shape[:2] == (height, width):
        return picture.copy()
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def compose(rgba: U8, background: Background) -> U8:
    """uint8 (H, W, 4) straight alpha over the background: (H, W, 3); over a transparent one (H, W, 4), see `bled`."""
    if background.transparent:
        return bled(rgba)
    return placed(rgba, background, (rgba.shape[1], rgba.shape[0]), 0, 0)


def bled(rgba: U8) -> U8:
    """The same picture with the character's colours carried a few pixels into what is fully transparent.

    Video stores colour at half resolution, so the black of empty pixels would show as a dark rim.
    """
    height, width = rgba.shape[:2]
    alpha = np.ascontiguousarray(rgba[..., 3])
    drawn = cv2.compare(alpha, 0, cv2.CMP_GT)
    colour = cv2.copyTo(rgba[..., :3], drawn)
    # A quarter of the resolution is enough for colours that nobody sees themselves.
    small = (max(1, width // 4), max(1, height // 4))
    spread = cv2.blur(cv2.resize(colour, small, interpolation=cv2.INTER_AREA).astype(np.float32), (3, 3))
    share = cv2.blur(cv2.resize(drawn, small, interpolation=cv2.INTER_AREA).astype(np.float32), (3, 3))
    spread *= (255 / np.maximum(share, 1))[..., None]
    around = cv2.resize(np.minimum(spread, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.merge([cv2.copyTo(colour, drawn, around), alpha]), np.uint8)


def beside_width(size: tuple[int, int], height: int) -> int:
    """How wide, in whole pairs of pixels, a clip of `size` (width, height) is at that height."""
    return max(2, 2 * round(size[0] * height / size[1] / 2))


def side_by_side(clip: U8, picture: U8, clip_width: int) -> U8:
    """The clip's frame (H, W, 3), scaled to the picture's height and `clip_width`, left of the picture.

    uint8 (height, clip_width + width, channels of the picture); with alpha the clip is opaque.
    """
    height = picture.shape[0]
    left = _resized(clip, clip_width, height)
    if picture.shape[2] == 4:
        left = np.dstack([left, np.full((height, clip_width), 255, np.uint8)])
    return np.hstack([left, picture])


NEARLY = 0.7  # a picture that shrinks no further needs no averaging


def placed(rgba: U8, background: Background, size: tuple[int, int], left: int, top: int, side: int | None = None) -> U8:
    """The character (h, w, 4), its corner at (left, top), over a background of `size` (width, height).

    A square one is scaled to (side, side) before. What sticks out is cut off. uint8 (height, width, 3), or
    (height, width, 4) straight alpha where it is transparent.
    """
    width, height = size
    side = rgba.shape[0] if side is None else side
    if not background.transparent:
        canvas = background.fitted(width, height).copy()
        while side <= NEARLY * rgba.shape[0]:
            rgba = unpremultiplied(_scaled(rgba, (rgba.shape[0] + 1) // 2))
        lay_over(np.ascontiguousarray(rgba).view(np.uint32)[..., 0], canvas, left, top, side)
        return canvas
    canvas = np.zeros((height, width, 4), np.uint8)
    scaled = side != rgba.shape[0]
    if scaled:
        rgba = _scaled(rgba, side)
    # Most of a character's picture is empty: only what is drawn costs time.
    x, y, columns, rows = cv2.boundingRect(cv2.extractChannel(rgba, 3))
    y0, x0 = max(y, -top), max(x, -left)
    y1, x1 = min(y + rows, height - top), min(x + columns, width - left)
    if x0 < x1 and y0 < y1:
        character = rgba[y0:y1, x0:x1]
        canvas[top + y0 : top + y1, left + x0 : left + x1] = unpremultiplied(character) if scaled else character
    return canvas


def _scaled(rgba: U8, side: int) -> U8:
    """Premultiplied (side, side, 4) of a straight picture, so that no dark rim appears."""
    method = cv2.INTER_LINEAR if side > NEARLY * rgba.shape[0] else cv2.INTER_AREA
    return np.asarray(cv2.resize(premultiplied(rgba), (side, side), interpolation=method), np.uint8)
