"""Colours of any picture as sRGB: embedded ICC profiles, and what PNG chunks say (cICP, gAMA, cHRM)."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageCms import PyCMSError

from puppeteer.pose import F32, U8

ALIKE = 2  # levels: a profile that changes no colour by more is sRGB, and the pixels stay as they are
SRGB_GAMMA, SRGB_XY = 0.45455, (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # of white, red, green, blue
# H.273, as in the PNG specification: x and y of white, red, green, blue
PRIMARIES = {
    1: SRGB_XY,
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
FILM_LIKE, GAMMA_22, GAMMA_28, LINEAR, SRGB, PQ, HLG = (1, 6, 14, 15), 4, 5, 8, 13, 16, 18  # transfer functions
REFERENCE_WHITE = 203.0  # cd/m2 of an HDR picture that sRGB's white stands for (ITU-R BT.2408)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
BROKEN = "its colour profile is broken, so its colours are taken as they are and may look paler or stronger than meant"


def in_srgb(image: Image.Image, cicp: bytes = b"") -> tuple[Image.Image, str]:
    """The picture with sRGB colours (the mode may change), and a remark where what it says of them is of no use.

    `cicp` is the content of a PNG's chunk of that name, which wins over a profile, as that wins over the others.
    """
    if len(cicp) == 4 and cicp[0] in PRIMARIES and cicp[2] == 0:
        return _by_cicp(image, cicp), ""
    profile = image.info.get("icc_profile")
    if profile:
        return _by_profile(image, profile)
    if image.format == "PNG" and "srgb" not in image.info:
        return _by_gamma(image), ""
    return image, ""


def cicp_chunk(file: BinaryIO) -> bytes:
    """The four bytes that a PNG says of its colours by cICP, if it does. The file is left where it was."""
    place = file.tell()
    try:
        if file.read(8) != b"\x89PNG\r\n\x1a\n":
            return b""
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name == b"cICP":
                return file.read(length)[:4]
            if name in (b"IDAT", b"IEND"):
                return b""
            file.seek(length + 4, io.SEEK_CUR)
        return b""
    finally:
        file.seek(place)


def _by_profile(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    picture, alpha = _parted(image)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        if source.profile.xcolor_space.strip() == "GRAY" and picture.mode != "L":
            picture = picture.convert("L")
        transform = ImageCms.buildTransform(
            source,
            target,
            picture.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if picture.mode == "RGB" and _changes_nothing(transform):
            return image, ""
        out = ImageCms.applyTransform(picture, transform)
    except (PyCMSError, OSError, ValueError, TypeError):
        return image, BROKEN
    assert out is not None
    return _with_alpha(out, alpha, image), ""


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    line = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(line, line, line), -1).reshape(1, -1, 3)
    out = ImageCms.applyTransform(Image.fromarray(colours), transform)
    return out is not None and int(np.abs(np.asarray(out).astype(int) - colours).max()) <= ALIKE


def _parted(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Its colours as L, RGB or CMYK, and its alpha."""
    if image.mode in ("LA", "La") or (image.mode == "L" and "transparency" in image.info):
        grey = image.convert("RGBA")
        return grey.getchannel(0), grey.getchannel("A")
    if image.mode in ("L", "1") or image.mode.startswith("I;16"):
        if image.mode in ("L", "1"):
            return image.convert("L"), None
        levels = np.asarray(image)
        clear = image.info.get("transparency")
        alpha = None if clear is None else Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8))
        return Image.fromarray(np.rint(levels / 257).astype(np.uint8)), alpha
    if image.mode == "CMYK":
        return image, None
    if image.mode in ("P", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A")
    return image.convert("RGB"), None


def _with_alpha(colours: Image.Image, alpha: Image.Image | None, like: Image.Image) -> Image.Image:
    out = colours.convert("RGB")
    if alpha is not None:
        out.putalpha(alpha)
    out.info = {name: value for name, value in like.info.items() if name not in ("icc_profile", "transparency")}
    return out


def _by_gamma(image: Image.Image) -> Image.Image:
    """A PNG with gAMA and cHRM."""
    gamma, xy = float(image.info.get("gamma") or 0), image.info.get("chromaticity")
    usable = 0.05 < gamma < 5
    primaries = xy if xy is not None and len(xy) == 8 and all(0 < v < 1 for v in xy) else SRGB_XY
    plain = not usable or abs(gamma / SRGB_GAMMA - 1) < 0.03
    if plain and np.abs(np.subtract(primaries, SRGB_XY)).max() < 0.005:
        return image
    levels = np.linspace(0, 1, 256)
    linear = _from_srgb(levels) if plain else levels ** (1 / gamma)
    return _linear_to_srgb(image, linear, primaries)


def _by_cicp(image: Image.Image, cicp: bytes) -> Image.Image:
    primaries, transfer, _, full = cicp
    if (primaries, transfer, full) == (1, SRGB, 1):
        return image
    levels = np.linspace(0, 1, 256)
    if not full:
        levels = np.clip((levels * 255 - 16) / 219, 0, 1)
    return _linear_to_srgb(image, _to_linear(levels, transfer), PRIMARIES[primaries])


def _to_linear(v: np.ndarray, transfer: int) -> np.ndarray:
    """Light, 1 sRGB's white, of signals in [0, 1]."""
    if transfer == LINEAR:
        return v
    if transfer == GAMMA_22:
        return np.asarray(v**2.2)
    if transfer == GAMMA_28:
        return np.asarray(v**2.8)
    if transfer == PQ:
        p = v ** (1 / 78.84375)
        light = np.maximum(p - 0.8359375, 0) / (18.8515625 - 18.6875 * p)
        return np.asarray(light ** (1 / 0.1593017578125) * 10_000 / REFERENCE_WHITE)
    if transfer == HLG:  # on a display of 1,000 cd/m2, whose system gamma is 1.2
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)
        return np.asarray(1000 / REFERENCE_WHITE * scene**1.2)
    # Pictures made with a camera's curve are meant for screens with sRGB's: shown as they are.
    return _from_srgb(v)


def _linear_to_srgb(image: Image.Image, linear: np.ndarray, primaries: tuple[float, ...]) -> Image.Image:
    """`linear` is the light of each of 256 levels."""
    colours, alpha = _parted(image)
    levels = np.asarray(colours.convert("RGB"))
    light = linear.astype(np.float32)[levels]
    if primaries != SRGB_XY:
        light = light @ (np.linalg.inv(_to_xyz(SRGB_XY)) @ _to_xyz(primaries)).T.astype(np.float32)
    return _with_alpha(Image.fromarray(_srgb_bytes(light)), alpha, image)


def _to_xyz(xy: tuple[float, ...]) -> np.ndarray:
    """(3, 3) from linear colours of these primaries to CIE XYZ, white adapted to sRGB's (Bradford)."""

    def xyz(x: float, y: float) -> np.ndarray:
        return np.array([x / y, 1.0, (1 - x - y) / y])

    white, red, green, blue = (xyz(*xy[k : k + 2]) for k in (0, 2, 4, 6))
    columns = np.stack([red, green, blue], -1)
    matrix = columns * np.linalg.solve(columns, white)
    ratio = (BRADFORD @ xyz(*SRGB_XY[:2])) / (BRADFORD @ white)
    return np.asarray(np.linalg.inv(BRADFORD) @ (ratio[:, None] * BRADFORD) @ matrix)


def _from_srgb(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def _srgb_bytes(light: F32) -> U8:
    light = np.clip(np.nan_to_num(light, nan=0.0), 0, 1)
    v = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.floor(255 * v + 0.5), np.uint8)
