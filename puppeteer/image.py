"""Pictures: reading, writing and resampling, and the prepared character.

Everything is resampled with premultiplied alpha, so that no colour of a transparent pixel bleeds into an edge.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from puppeteer.colour import cicp_chunk, in_srgb
from puppeteer.errors import ImageError, SettingsError
from puppeteer.files import check_readable, unwritable, whole
from puppeteer.pose import U8

SPEC_SIZE = 256  # px, the networks' input
CHUNK = "puppeteer"  # the iTXt chunk of a prepared character
SMALLEST_SIDE = 32  # px of a spec square; below that there is no face to move
SMALLEST_OUTPUT, LARGEST_OUTPUT = 64, 2048  # px of what a poser draws
MODELS = (".vrm", ".pmx", ".pmd")  # endings of 3D models, which are no pictures
LARGEST_PIXELS = 100_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF", "JXL")  # the last where they can be read
PLUGINS = {"pillow_heif": "register_heif_opener", "pillow_jxl": ""}  # what makes Pillow read HEIC and JPEG XL, and how
PACKAGES = {".heic": "pillow-heif", ".heif": "pillow-heif", ".jxl": "pillow-jxl-plugin"}  # that bring these plugins
Square = tuple[int, int, int]  # left, top, side in px; may reach outside the picture, where nothing is


def check_output_size(size: int, even: bool = False) -> None:
    """Raises SettingsError where a poser draws no picture of this size; `even`: for a video."""
    if not SMALLEST_OUTPUT <= size <= LARGEST_OUTPUT or (even and size % 2):
        kind = "an even number from " if even else ""
        raise SettingsError(f"--size is {size}: it must be {kind}{SMALLEST_OUTPUT} to {LARGEST_OUTPUT}")


@dataclass(frozen=True, slots=True, eq=False)
class Character:
    """A picture and its spec square, which scaled to 256 x 256 is what the networks see.

    Transparent pixels hold (0, 0, 0, 0). `notes` are sentences for the user about what was assumed.
    """

    rgba: U8  # (H, W, 4) straight alpha
    square: Square
    notes: tuple[str, ...] = ()

    def at(self, size: int) -> U8:
        """The spec square at (size, size, 4): area resampling when it shrinks, bicubic when it grows."""
        return unpremultiplied(self.premultiplied_at(size))

    def premultiplied_at(self, size: int) -> U8:
        """Like `at`, with the colours multiplied by alpha."""
        return resized(premultiplied(gone_on(cut(self.rgba, self.square))), size)

    def spec(self) -> U8:
        """uint8 (256, 256, 4)"""
        return self.at(SPEC_SIZE)


def open_picture(path: Path) -> tuple[U8, list[str]]:
    """The first frame of any picture, upright, as uint8 (H, W, 4) sRGB with straight alpha, and notes about it.

    Raises ImageError.
    """
    image, notes = decoded(Path(path))
    return to_rgba(image), notes


def check_size(rgba: U8, name: str) -> None:
    """Raises ImageError where a picture cannot hold a character."""
    height, width = rgba.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise ImageError(
            f"{name} is {width}x{height} pixels, too small to hold a face: take a picture of at least "
            f"{SMALLEST_SIDE}x{SMALLEST_SIDE}, better 512x512"
        )
    if not rgba[..., 3].any():
        raise ImageError(f"{name} is completely transparent: take a picture with a character in it")


def read_image(path: Path) -> U8:
    """Any picture, such as a background, as uint8 (H, W, 4) sRGB with straight alpha. Raises ImageError."""
    image, _ = decoded(Path(path))
    return to_rgba(image)


def write_png(path: Path, rgba: U8, square: Square | None = None) -> None:
    """uint8 (H, W, 4 or 3) to a PNG file that appears complete or not at all; with `square` a prepared character.

    Raises ImageError where the file cannot be written.
    """
    path = Path(path)
    info = PngImagePlugin.PngInfo()
    if square is not None:
        info.add_itxt(CHUNK, json.dumps({"version": 1, "square": [int(v) for v in square]}))
    try:
        with whole(path) as draft:
            Image.fromarray(rgba).save(draft, format="PNG", pnginfo=info, compress_level=3)
    except OSError as error:
        raise ImageError(unwritable(path, error)) from error


def decoded(path: Path) -> tuple[Image.Image, list[str]]:
    """The decoded first frame, turned upright, in sRGB, and notes about it."""
    try:
        check_readable(path, ImageError, "a picture")
        with warnings.catch_warnings(), path.open("rb") as file:  # Pillow leaves a damaged file open
            warnings.simplefilter("ignore")  # Pillow's remarks about odd files; what matters is checked here
            cicp = cicp_chunk(file)
            image = Image.open(file, formats=formats())
            if image.width * image.height > LARGEST_PIXELS:
                raise _too_large(path, f"{image.width}x{image.height} pixels")
            frames = getattr(image, "n_frames", 1)
            image.load()
            upright = ImageOps.exif_transpose(image)
            upright.format = image.format
            upright, remark = in_srgb(upright, cicp)
    except Image.DecompressionBombError as error:
        raise _too_large(path, "very large") from error
    except UnidentifiedImageError as error:
        if path.suffix.lower() in MODELS:
            remedy = f"python app.py character --model {path.name} --output {path.stem}.png"
            raise ImageError(f"{path} is a 3D model: make a character of it with  {remedy}") from error
        package = PACKAGES.get(path.suffix.lower())
        more = f", or run  python -m pip install {package}" if package else ""
        raise ImageError(f"{path} is not a picture in a known format: save it as PNG, JPEG or WebP{more}") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error) as error:
        raise ImageError(f"{path} is damaged or cut short: get the picture again, or open and save it anew") from error
    notes = [f"{path.name} is animated: its first frame is used"] if frames > 1 else []
    if remark:
        notes.append(f"{path.name}: {remark}")
    upright.info.update(_text_chunks(image))
    return upright, notes


@cache
def formats() -> tuple[str, ...]:
    """Those of `FORMATS` that Pillow, with the plugins that are installed, can read here."""
    for name, start in PLUGINS.items():
        with contextlib.suppress(Exception):  # not installed, or broken in a way of its own
            plugin = importlib.import_module(name)
            if start:
                getattr(plugin, start)()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _too_large(path: Path, what: str) -> ImageError:
    return ImageError(f"{path} is {what}: scale it down to at most {LARGEST_PIXELS // 1_000_000} megapixels")


def _text_chunks(image: Image.Image) -> dict[str, Any]:
    return dict(image.text) if isinstance(image, PngImagePlugin.PngImageFile) else {}


def noted_square(image: Image.Image, path: Path) -> Square | None:
    """The spec square of a prepared character."""
    text = image.info.get(CHUNK)
    if not isinstance(text, str):
        return None
    try:
        content = json.loads(text)
        version = content["version"]
        left, top, side = (int(v) for v in content["square"] if math.isfinite(v))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ImageError(f"the square noted in {path} cannot be read: prepare the picture again") from error
    if version != 1:
        raise ImageError(f"{path} was prepared by another version ({version!r}): prepare the picture again")
    far = min(4 * max(image.size), math.isqrt(LARGEST_PIXELS))
    if not SMALLEST_SIDE <= side <= far or not -far <= left <= far or not -far <= top <= far:
        raise ImageError(f"the square noted in {path}, {[left, top, side]}, makes no sense: prepare the picture again")
    return left, top, side


def to_rgba(image: Image.Image) -> U8:
    """uint8 (H, W, 4) from any mode. Pillow clips 16-bit and float greys instead of scaling them."""
    clear = image.info.get("transparency")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        grey = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
        whites = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
        white = next((white for white in whites if grey.max() <= white), 65535.0)
        levels = np.clip(np.rint(grey * (255 / white)), 0, 255).astype(np.uint8)
        alpha = (
            np.where(grey == clear, 0, 255).astype(np.uint8) if isinstance(clear, int) else np.full_like(levels, 255)
        )
        return np.dstack([levels, levels, levels, alpha])
    if image.mode == "RGB" and isinstance(clear, tuple) and max(clear) > 255:  # of 16 bits, where Pillow keeps 8
        rgb = np.asarray(image)
        alpha = np.where((rgb == np.asarray(clear) >> 8).all(-1), 0, 255).astype(np.uint8)
        return np.dstack([rgb, alpha])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # palettes with transparency given as bytes
        return np.array(image.convert("RGBA"))


def clean(rgba: U8) -> U8:
    """A copy without the colour that some programs leave under fully transparent pixels."""
    out = rgba.copy()
    out[rgba[..., 3] == 0] = 0
    return out


def cut(rgba: U8, square: Square) -> U8:
    """(side, side, 4), a view where the square lies inside the picture, transparent where it reaches outside."""
    left, top, side = square
    height, width = rgba.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if (x1 - x0, y1 - y0) == (side, side):
        return rgba[y0:y1, x0:x1]
    out = np.zeros((side, side, 4), np.uint8)
    if x0 < x1 and y0 < y1:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = rgba[y0:y1, x0:x1]
    return out


ENDS_ABOVE = 0.032  # of the side, above the lower end of a square, in which a figure is cut off that goes on
CUT_WIDE, STRAIGHT = 0.2, 0.5  # of the side, how wide a cut is; and the share of it that is straight
OFF, STEEPEST = 0.006, 0.2  # of the side, how straight; and rows for each column


def gone_on(rgba: U8) -> U8:
    """(side, side, 4), the same, or a copy in which a figure that is cut off in a straight line just above the lower
    end goes on to it: a body that leans would show the cut."""
    side = rgba.shape[0]
    reach = max(1, round(ENDS_ABOVE * side))
    solid = rgba[: -reach - 2 : -1, :, 3] > 127
    soft = max(1, side // SPEC_SIZE)  # px of the cut, which mixes with what was behind it
    ends = side - 1 - soft - solid.argmax(0)  # a row for each column
    columns = np.flatnonzero(solid.any(0) & ~solid[0])
    if len(columns) < max(2, CUT_WIDE * side):
        return rgba
    straight = _on_a_line(columns, ends[columns], max(1.0, OFF * side))
    if straight.sum() < max(CUT_WIDE * side, STRAIGHT * len(columns)):
        return rgba
    columns = columns[slice(*np.flatnonzero(straight)[[0, -1]] + [0, 1])]
    row = np.arange(side - reach, side)[:, None]
    out = rgba.copy()
    # a mirror image: a row drawn again and again would be streaks
    mirrored, lower = rgba[(2 * ends[columns] - row).clip(0, side - 1), columns], out[side - reach :, columns]
    out[side - reach :, columns] = np.where((row > ends[columns])[..., None], mirrored, lower)
    return out


def _on_a_line(x: NDArray[np.intp], y: NDArray[np.intp], within: float) -> NDArray[np.bool_]:
    """Which of the points (N,) lie on the line on which most of them do."""
    lines = [y - slope * x for slope in np.linspace(-STEEPEST, STEEPEST, 81)]
    near = [np.abs(line - np.median(line)) <= within for line in lines]
    return max(near, key=np.count_nonzero)


def premultiplied(rgba: U8) -> U8:
    """Straight to premultiplied alpha, (H, W, 4)."""
    alpha = rgba[..., 3]
    out = cv2.multiply(rgba, cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)]), scale=1 / 255)
    return np.asarray(out, np.uint8)


def unpremultiplied(rgba: U8) -> U8:
    """Premultiplied to straight alpha, (H, W, 4), a copy; costs only where a pixel is translucent."""
    alpha = cv2.extractChannel(rgba, 3)
    out = np.asarray(cv2.min(rgba, cv2.merge([alpha] * 4)), np.uint8)  # rounding may have left colour without alpha
    translucent = np.flatnonzero(alpha - np.uint8(1) < np.uint8(254))  # 0 wraps round to 255
    if translucent.size:
        pixels = out.reshape(-1, 4)
        some = pixels[translucent].astype(np.float32)
        some[:, :3] *= 255 / some[:, 3:]
        pixels[translucent] = (some + 0.5).astype(np.uint8)
    return out


def resized(premultiplied_rgba: U8, size: int, smooth: bool = True) -> U8:
    """(H, H, ...) to (size, size, ...), premultiplied; grows bicubically (RGBA only), or bilinearly if not `smooth`."""
    side = premultiplied_rgba.shape[0]
    if side == size:
        return premultiplied_rgba.copy()
    growing = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    out = cv2.resize(premultiplied_rgba, (size, size), interpolation=cv2.INTER_AREA if size < side else growing)
    if size > side and smooth:
        out[..., :3] = np.minimum(out[..., :3], out[..., 3:])  # bicubic overshoots
    return np.asarray(out, np.uint8)


def guess_square(rgba: U8) -> Square:
    """Where the spec square of a character that fills a picture most likely lies.

    The head is taken for the round top of the outline; where the picture has no transparency the outline is what
    differs from the border. Without any outline: the largest square at the top, in the middle.
    """
    height, width = rgba.shape[:2]
    scale = 256 / max(height, width)
    small = cv2.resize(
        rgba, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    head = _round_top(_outline(small))
    if head is None:
        side = min(height, width)
        return (width - side) // 2, 0, side
    middle, top, diameter = (value / scale for value in head)
    side = max(SMALLEST_SIDE, round(diameter * HEADS_TO_A_SQUARE))
    return round(middle - side / 2), round(top - side * SKULL_TOP), side


HEADS_TO_A_SQUARE = 2.0
SKULL_TOP = 0.25  # of the side
HEAD_TOO_SMALL = 0.7  # of what the spec square should be


def _outline(rgba: U8) -> U8:
    """(H, W) 0 or 1: the largest connected thing that is not background."""
    if (rgba[..., 3] < 128).mean() > 0.02:
        mask = (rgba[..., 3] >= 128).astype(np.uint8)
    else:
        rgb = rgba[..., :3].astype(np.int16)
        left_to_right = np.linspace(0, 1, rgb.shape[1], dtype=np.float32)[:, None]
        background = rgb[:, :1] * (1 - left_to_right) + rgb[:, -1:] * left_to_right  # smooth from border to border
        mask = (np.abs(rgb - background).max(-1) > 24).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax(), np.uint8)


def _round_top(mask: U8) -> tuple[float, float, float] | None:
    """Middle x, top y and diameter of the disc that the top of an outline suggests."""
    rows = np.flatnonzero(mask.any(1))
    if rows.size == 0:
        return None
    mask = mask[rows[0] : rows[-1] + 1]
    left, right = mask.argmax(1), mask.shape[1] - mask[:, ::-1].argmax(1)
    spread = right - left
    broad = np.flatnonzero(spread >= 0.35 * np.median(spread))  # skips a cowlick or an ear
    top = int(broad[0])
    depth = np.arange(1, len(spread) - top + 1)
    round_enough = np.flatnonzero(2 * depth >= spread[top:])
    if round_enough.size == 0:
        return None
    equator = top + int(round_enough[0])
    middle = float(np.mean((left[top : equator + 1] + right[top : equator + 1]) / 2))
    return middle, float(rows[0] + top), float(spread[equator])
