"""Textures as RGBA bytes, whatever file they come from; what cannot be read is said and drawn white."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import cv2
import numpy as np
from PIL import Image

from puppeteer.models3d.model import Texture
from puppeteer.pose import U8

FORMATS = ("PNG", "JPEG", "BMP", "TGA", "DDS", "WEBP", "GIF", "TIFF")
LARGEST_PIXELS = 70_000_000  # of a picture that is decoded at all
LARGEST_SIDE = 2048  # px that are kept: a model's picture has 256 to 1024
BLEED = 9  # px that colours are spread under transparent pixels
WHITE = np.full((1, 1, 4), 255, np.uint8)


def painted(texture: Texture) -> U8 | None:
    """As `decode`, ready to be filtered."""
    rgba = decode(texture)
    return None if rgba is None else bled(rgba)


def decode(texture: Texture) -> U8 | None:
    """(H, W, 4) sRGB with straight alpha, first row on top; None where it is missing or cannot be read."""
    if texture.data is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(texture.data), formats=FORMATS)
            if image.width * image.height > LARGEST_PIXELS or min(image.size) < 1:
                return None
            if max(image.size) > LARGEST_SIDE:
                image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))  # JPEG: decodes a smaller picture at once
            image.load()
            if max(image.size) > LARGEST_SIDE:
                image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BOX)
            rgba = np.array(image.convert("RGBA"), np.uint8)
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
        NotImplementedError,
        MemoryError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ):
        return None
    return rgba


def bled(rgba: U8) -> U8:
    """The colours of opaque pixels spread under transparent ones: a filter at a cut-out's edge mixes in no white."""
    alpha = rgba[..., 3]
    if alpha.min() > 0 or alpha.max() == 0:
        return rgba
    known = (alpha > 0).astype(np.uint8)
    colour = cv2.blur(rgba[..., :3] * known[..., None], (BLEED, BLEED)).astype(np.uint16)
    weight = cv2.blur(known * np.uint8(255), (BLEED, BLEED)).astype(np.uint16)[..., None]
    out = rgba.copy()
    spread = np.minimum(colour * np.uint32(255) // np.maximum(weight, 1), 255).astype(np.uint8)
    out[..., :3] = np.where(known[..., None] > 0, rgba[..., :3], spread)
    return out


def shared_toon(number: int) -> U8:
    """A ramp for one of the ten that come with MikuMikuDance, which is not ours to ship: bright above, dark below."""
    dark, soft = _RAMPS[number]
    row = np.linspace(0, 1, 32)[:, None]
    t = np.clip((row - 0.5) / max(soft, 1e-3) + 0.5, 0, 1)
    rgb = 255 * (1 - t) + np.array(dark, float) * t
    return np.asarray(np.concatenate([rgb, np.full((32, 1), 255.0)], 1).round()[:, None], np.uint8)


# shaded colour, how softly it begins
_RAMPS = (
    ((205, 205, 205), 0.05), ((245, 225, 225), 0.05), ((154, 154, 154), 0.05), ((248, 239, 235), 0.05),
    ((255, 238, 225), 0.4), ((255, 245, 200), 0.1), ((255, 255, 255), 1.0), ((255, 255, 255), 1.0),
    ((255, 255, 255), 1.0), ((255, 255, 255), 1.0),
)  # fmt: skip
