"""Pictures of every kind become characters or one clear sentence."""

from __future__ import annotations

import json
import os
import struct
import sys
import types
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

from app import main
from puppeteer import image
from puppeteer.errors import ImageError
from puppeteer.gui.shelf import THUMBNAIL, thumbnail
from puppeteer.image import (
    Character,
    clean,
    cut,
    guess_square,
    open_picture,
    premultiplied,
    read_image,
    resized,
    unpremultiplied,
    write_png,
)
from puppeteer.networks.tensors import to_bytes, to_premultiplied, to_tensor
from puppeteer.pose import U8
from puppeteer.prepare.reading import read_character

U16 = np.uint16


def figure(width: int = 200, height: int = 200, hidden: tuple[int, int, int] = (0, 0, 0)) -> U8:
    """A head on a body, soft edges, on transparency that hides a colour."""
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., :3] = hidden
    middle = width // 2
    cv2.ellipse(rgba, (middle, height), (width // 4, height // 3), 0, 0, 360, (60, 90, 200, 255), -1)
    cv2.circle(rgba, (middle, height // 2), min(width, height) // 5, (250, 210, 190, 255), -1)
    rgba[..., 3] = cv2.GaussianBlur(rgba[..., 3], (5, 5), 0)
    return rgba


def save(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def with_chunk(path: Path, text: str, rgba: U8 | None = None) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("puppeteer", text)
    return save(Image.fromarray(figure() if rgba is None else rgba), path, pnginfo=info)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB", "L", "1", "I;16", "I", "CMYK", "YCbCr", "F"])
def test_every_mode(tmp_path: Path, mode: str) -> None:
    rgba = figure()
    picture = Image.fromarray(rgba)
    if mode in ("I;16", "I"):
        grey = (rgba[..., 0].astype(np.uint32) * 257).astype(U16 if mode == "I;16" else np.int32)
        path = save(Image.fromarray(grey), tmp_path / "a.tiff")
    elif mode in ("CMYK", "YCbCr", "F"):
        path = save(picture.convert("RGB").convert("L" if mode == "F" else mode).convert(mode), tmp_path / "a.tiff")
    elif mode == "PA":
        path = save(picture.quantize(64), tmp_path / "a.png")  # a palette with transparency
    else:
        path = save(picture.convert(mode), tmp_path / "a.png")
    character = read_character(path)
    assert character.rgba.shape == (200, 200, 4)
    assert character.spec().shape == (256, 256, 4)
    centre = character.rgba[100, 100].astype(int)
    if mode != "1":
        assert abs(centre[0] - 250) < 40, centre
    assert centre[3] >= 254
    if mode in ("RGBA", "LA", "PA", "P"):
        assert (character.rgba[0, 0] == 0).all()
        assert character.notes == ()
    else:
        assert len(character.notes) == 1
        assert "no transparent background" in character.notes[0]


def test_16_bit_rgba(tmp_path: Path) -> None:
    bgra = cv2.cvtColor(figure(), cv2.COLOR_RGBA2BGRA).astype(U16) * 257
    assert cv2.imwrite(str(tmp_path / "a.png"), bgra)
    assert (read_character(tmp_path / "a.png").rgba == clean(figure())).all()


def test_16_bit_grey_keeps_its_levels(tmp_path: Path) -> None:
    levels = np.tile(np.linspace(0, 65535, 64).astype(U16), (64, 1))
    path = save(Image.fromarray(levels), tmp_path / "a.png")
    assert np.abs(read_image(path)[0, :, 0].astype(float) - np.linspace(0, 255, 64)).max() <= 1


def test_transparent_palette_entry_and_grey(tmp_path: Path) -> None:
    picture = Image.new("P", (64, 64), 3)
    picture.putpalette([9, 9, 9] * 3 + [255, 0, 255] + [10, 200, 30])
    picture.paste(4, (16, 16, 48, 48))
    rgba = read_character(save(picture, tmp_path / "a.png", transparency=3)).rgba
    assert tuple(rgba[0, 0]) == (0, 0, 0, 0)
    assert tuple(rgba[32, 32]) == (10, 200, 30, 255)


def test_16_bit_with_a_transparent_colour(tmp_path: Path) -> None:
    """tRNS names one 16-bit level, or one 16-bit colour."""
    for name, kind, samples in (("grey", 0, (40000,)), ("colour", 2, (40000, 1000, 65535))):
        row = b"".join(struct.pack(">H", v) for v in samples) * 64
        other = b"".join(struct.pack(">H", v) for v in (20000,) * len(samples)) * 64
        clear = struct.pack(f">{len(samples)}H", *samples)
        picture = b"".join(b"\0" + (row if y < 32 else other) for y in range(64))
        path = put(tmp_path / f"{name}.png", png(64, 64, 16, kind, [(b"tRNS", clear)], picture))
        rgba = read_image(path)
        assert (rgba[:32, :, 3] == 0).all() and (rgba[32:, :, 3] == 255).all(), name
        assert abs(int(rgba[40, 5, 0]) - 20000 / 257) <= 1


def png(width: int, height: int, bits: int, kind: int, extra: list[tuple[bytes, bytes]], rows: bytes) -> bytes:
    """A PNG with chunks that Pillow does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


def plain_png(colour: tuple[int, int, int], extra: list[tuple[bytes, bytes]]) -> bytes:
    return png(40, 40, 8, 2, extra, b"".join(b"\0" + bytes(colour) * 40 for _ in range(40)))


def icc(primaries: list[tuple[float, float, float]], space: bytes = b"RGB ") -> bytes:
    """A small matrix profile with sRGB's curve; `primaries` are XYZ of red, green, blue under D50."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    name = "made up".encode("utf-16-be")
    text = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(name), 28) + name + bytes(2)
    tags = {b"desc": text, b"cprt": text, b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249)}
    tags |= {
        key: b"XYZ " + bytes(4) + fixed(*xyz) for key, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for key, content in tags.items():
        content += bytes(-len(content) % 4)
        table += key + struct.pack(">II", start + len(body), len(content))
        body += content
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"", 0x04200000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp" + bytes(28)
    return head + fixed(0.9642, 1, 0.8249) + bytes(48) + table + body


DISPLAY_P3 = [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)]
P3_RED, LINEAR_RED = (234, 51, 35), (128, 128, 128)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "jpg", "webp"])
def test_profiles_become_srgb(tmp_path: Path, mode: str) -> None:
    """Display P3's (234, 51, 35) is the pure red of sRGB."""
    picture = Image.new("RGB", (64, 64), P3_RED)
    name = f"a.{mode}" if mode in ("jpg", "webp") else "a.png"
    options = {"quality": 100, "subsampling": 0} if mode == "jpg" else {"lossless": True} if mode == "webp" else {}
    if mode == "RGBA":
        picture.putalpha(200)
    elif mode == "P":
        picture = picture.quantize(4)
    path = save(picture, tmp_path / name, icc_profile=icc(DISPLAY_P3), **options)
    rgba, notes = open_picture(path)
    assert np.abs(rgba[20, 20, :3].astype(int) - (255, 0, 0)).max() <= 2, rgba[20, 20]
    assert rgba[20, 20, 3] == (200 if mode == "RGBA" else 255)
    assert notes == []
    shown = thumbnail(path)[THUMBNAIL // 2, THUMBNAIL // 2, :3] * 255
    assert np.abs(shown - (255, 0, 0)).max() <= 2, "and so on the shelf"


def test_a_profile_of_srgb_changes_no_pixel(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(Image.fromarray(noise), tmp_path / "a.png", icc_profile=srgb)
    assert (read_image(path) == noise).all()


@pytest.mark.parametrize("broken", [b"", b"nothing like a profile", "cut", "grey"])
def test_a_broken_profile_is_a_note_and_no_failure(tmp_path: Path, broken: bytes | str) -> None:
    whole = icc(DISPLAY_P3, b"GRAY" if broken == "grey" else b"RGB ")
    profile = broken if isinstance(broken, bytes) else whole[: len(whole) // 2] if broken == "cut" else whole
    path = save(Image.new("RGB", (64, 64), P3_RED), tmp_path / "a.png", icc_profile=profile)
    rgba, notes = open_picture(path)
    if broken:
        assert any("a.png: its colour profile is broken" in note for note in notes)
    assert tuple(rgba[20, 20]) == (*P3_RED, 255)


@pytest.mark.parametrize(
    ("extra", "colour", "expected"),
    [
        ([(b"gAMA", struct.pack(">I", 100000))], LINEAR_RED, (188, 188, 188)),
        ([(b"gAMA", struct.pack(">I", 45455))], LINEAR_RED, LINEAR_RED),
        ([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))], LINEAR_RED, LINEAR_RED),
        (
            [(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))],
            P3_RED,
            (255, 0, 0),
        ),
        ([(b"cICP", bytes([12, 13, 0, 1]))], P3_RED, (255, 0, 0)),
        ([(b"cICP", bytes([1, 13, 0, 1]))], P3_RED, P3_RED),
        ([(b"cICP", bytes([1, 8, 0, 1]))], LINEAR_RED, (188, 188, 188)),
        ([(b"cICP", bytes([9, 16, 0, 1]))], (148, 148, 148), (255, 255, 255)),  # 203 cd/m2 and a little more
        ([(b"cICP", bytes([9, 18, 0, 1]))], (191, 191, 191), (255, 255, 255)),
        ([(b"cICP", bytes([77, 13, 0, 1]))], P3_RED, P3_RED),  # unheard of
        ([(b"cICP", b"x")], P3_RED, P3_RED),
        ([(b"gAMA", struct.pack(">I", 0))], P3_RED, P3_RED),
    ],
)
def test_colours_told_by_chunks_become_srgb(
    tmp_path: Path, extra: list[tuple[bytes, bytes]], colour: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    rgba = read_image(put(tmp_path / "a.png", plain_png(colour, extra)))
    assert np.abs(rgba[20, 20, :3].astype(int) - expected).max() <= 2, rgba[20, 20]


def test_avif_is_read(tmp_path: Path) -> None:
    rgba = read_image(save(Image.fromarray(figure()), tmp_path / "a.avif", quality=95))
    assert np.abs(rgba[100, 100].astype(int) - (250, 210, 190, 255)).max() <= 6
    assert rgba[0, 0, 3] == 0


@pytest.mark.parametrize("ending", image.PACKAGES)
def test_the_package_that_reads_a_picture_is_named_where_it_is_missing(ending: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=f"pip install {image.PACKAGES[ending]}"):
        read_image(put(tmp_path / f"a{ending}", b"not that"))


@pytest.mark.parametrize("plugin", ["pillow_heif", "pillow_jxl"])
def test_plugins_of_pillow_are_used_where_they_are(plugin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = image.PLUGINS[plugin]
    kind = "HEIF" if name else "JXL"

    def register() -> None:
        monkeypatch.setitem(Image.OPEN, kind, (None, None))

    stand_in = types.ModuleType(plugin)
    setattr(stand_in, name or "loaded", register)
    monkeypatch.setitem(sys.modules, plugin, stand_in)
    image.formats.cache_clear()
    if not name:
        register()
    assert kind in image.formats()
    monkeypatch.undo()
    image.formats.cache_clear()
    assert "AVIF" in image.formats()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize(
    "arguments",
    [
        ["prepare", "{}"],
        ["pose", "{}", "--neck-y", "1"],
        ["pose", "a.png", "--poses", "{}"],
        ["character", "--model", "{}"],
        ["track", "{}"],
        ["pose", "a.png", "--neck-y", "1", "--profile", "{}"],
    ],
)
def test_what_cannot_be_read_to_its_end_is_told_at_once(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.png")
    Path("loop.png").symlink_to("loop.png")
    save(Image.fromarray(figure()), tmp_path / "a.png")
    for name, sentence in (("pipe.png", "a pipe or a device"), ("loop.png", "leads back to itself")):
        given = [a.format(name) for a in arguments]
        out = "out.csv" if arguments[0] == "track" else "out.png"
        assert main([*given, "--output", out]) == 2
        said = capsys.readouterr().err
        assert name in said and sentence in said and "Traceback" not in said
        assert not Path(out).exists()


def test_jpeg_is_turned_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (300, 200), (255, 255, 255))
    picture.paste((200, 30, 30), (0, 0, 60, 60))
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    rgba = read_image(save(picture, tmp_path / "a.jpg", exif=exif, quality=95))
    assert rgba.shape == (300, 200, 4)
    assert rgba[10, 190, 0] > 180 > 60 > rgba[10, 190, 1]


def test_large_picture(tmp_path: Path) -> None:
    path = save(Image.fromarray(figure(4000, 3000)), tmp_path / "a.png", compress_level=1)
    character = read_character(path)
    height, width = character.rgba.shape[:2]
    assert 1900 < width <= 4000  # its own pixels, the empty margins gone
    assert 1900 < height <= 3000
    assert character.spec().shape == (256, 256, 4)
    assert character.at(1024)[..., 3].any()
    assert character.notes


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(figure()), Image.new("RGBA", (200, 200), (1, 2, 3, 255))]
    for name in ("a.png", "a.webp"):
        path = save(frames[0], tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        character = read_character(path)
        assert tuple(character.rgba[0, 0]) == (0, 0, 0, 0)
        assert "animated" in character.notes[0]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: save(Image.new("RGBA", (1, 1), (9, 9, 9, 255)), p), "1x1 pixels, too small"),
        (lambda p: save(Image.new("RGBA", (64, 64)), p), "completely transparent"),
        (lambda p: put(p, b"hello"), "not a picture"),
        (lambda p: put(p, b""), "not a picture"),
        (lambda p: p, "does not exist"),
        (folder, "is a folder"),
        (lambda p: with_chunk(p, "no json"), "cannot be read: prepare"),
        (lambda p: with_chunk(p, "[1]"), "cannot be read: prepare"),
        (lambda p: with_chunk(p, '{"version": 1, "square": [0, 0]}'), "cannot be read: prepare"),
        (lambda p: with_chunk(p, '{"version": 1, "square": [0, 0, NaN]}'), "cannot be read: prepare"),
        (lambda p: with_chunk(p, '{"version": 2, "square": [0, 0, 100]}'), "another version"),
        (lambda p: with_chunk(p, '{"version": 1, "square": [0, 0, -5]}'), "makes no sense"),
        (lambda p: with_chunk(p, '{"version": 1, "square": [0, 0, 1e12]}'), "makes no sense"),
        (lambda p: with_chunk(p, '{"version": 1, "square": [500, 500, 100]}'), "holds nothing"),
    ],
)
def test_bad_pictures_are_told_in_a_sentence(tmp_path: Path, make, sentence: str) -> None:  # type: ignore[no-untyped-def]
    path = make(tmp_path / "a.png")
    with pytest.raises(ImageError, match=sentence) as caught:
        read_character(path)
    assert "a.png" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_truncated(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    path = save(Image.fromarray(noise), tmp_path / name)
    whole = path.read_bytes()
    for keep in (len(whole) // 2, len(whole) // 10, 30):
        path.write_bytes(whole[:keep])
        with pytest.raises(ImageError, match=r"damaged or cut short|not a picture"):
            read_character(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_forbidden(tmp_path: Path) -> None:
    path = save(Image.fromarray(figure()), tmp_path / "a.png")
    path.chmod(0)
    with pytest.raises(ImageError, match="may not be read"):
        read_character(path)


def test_gigantic_picture_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.new("1", (20000, 20000)).save(path)
    decoded: list[object] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded.append)
    with pytest.raises(ImageError, match="scale it down"):
        read_character(path)
    assert not decoded


def test_prepared_character_round_trip(tmp_path: Path) -> None:
    rgba = clean(figure(300, 200))
    write_png(tmp_path / "a.png", rgba, (-20, 10, 240))
    character = read_character(tmp_path / "a.png")
    assert character.square == (-20, 10, 240)
    assert (character.rgba == rgba).all()
    assert character.notes == ()
    with Image.open(tmp_path / "a.png") as stored:
        text = stored.text["puppeteer"]
    assert json.loads(text) == {"version": 1, "square": [-20, 10, 240]}
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_square_picture_is_its_own_spec_square(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", figure())
    assert read_character(tmp_path / "a.png").square == (0, 0, 200)


def test_small_head_in_a_square_picture_is_told(tmp_path: Path) -> None:
    for radius, told in ((110, False), (50, True)):
        rgba = np.zeros((512, 512, 4), np.uint8)
        cv2.rectangle(rgba, (206, 256), (306, 511), (90, 60, 40, 255), -1)
        cv2.circle(rgba, (256, 200), radius, (40, 30, 60, 255), -1)
        write_png(tmp_path / "a.png", rgba)
        character = read_character(tmp_path / "a.png")
        assert character.square == (0, 0, 512)
        assert any("looks small" in note for note in character.notes) == told


def test_unwritable_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be written"):
        write_png(tmp_path / "absent" / "a.png", figure())
    (tmp_path / "b.png").mkdir()
    with pytest.raises(ImageError, match="cannot be written"):
        write_png(tmp_path / "b.png", figure())
    assert [p.name for p in tmp_path.iterdir()] == ["b.png"]


def test_hidden_colour_makes_no_fringe() -> None:
    plain, hiding = figure(), figure(hidden=(255, 255, 255))
    for size in (64, 256, 333):
        expected = Character(clean(plain), (0, 0, 200)).at(size)
        seen = Character(clean(hiding), (0, 0, 200)).at(size)
        # clean() cannot know the true colour of a translucent pixel, only of a transparent one
        opaque = (expected[..., 3] == 255) & (seen[..., 3] == 255)
        assert (seen[seen[..., 3] == 0] == 0).all()
        assert np.abs(expected[opaque].astype(int) - seen[opaque]).max() <= 2


def test_shrinking_averages_what_is_seen() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[::2] = 200, 100, 50, 255  # every second row
    small = Character(rgba, (0, 0, 64)).at(32)
    assert np.abs(small.astype(int) - [200, 100, 50, 128]).max() <= 1


def test_cut_reaches_outside() -> None:
    rgba = np.full((20, 30, 4), 7, np.uint8)
    part = cut(rgba, (-5, -10, 40))
    assert part.shape == (40, 40, 4)
    assert part.any(-1).sum() == 20 * 30
    assert (part[10:30, 5:35] == 7).all()
    assert not cut(rgba, (100, 100, 8)).any()


def test_alpha_round_trip() -> None:
    rng = np.random.default_rng(1)
    rgba = clean(rng.integers(0, 256, (64, 64, 4), dtype=np.uint8))
    rgba[:8, :, 3], rgba[8:16, :, 3] = 255, 0
    rgba = clean(rgba)
    back = unpremultiplied(premultiplied(rgba))
    assert (back[..., 3] == rgba[..., 3]).all()
    assert (back[:8] == rgba[:8]).all()
    error = np.abs(back[..., :3].astype(float) - rgba[..., :3]) * rgba[..., 3:] / 255
    assert error.max() <= 1
    assert (back[back[..., 3] == 0] == 0).all()


def test_enlarging_does_not_overshoot_alpha() -> None:
    large = resized(premultiplied(clean(figure())), 500)
    assert (large[..., :3] <= large[..., 3:]).all()


def test_srgb_reference_values() -> None:
    """IEC 61966-2-1: sRGB 188 is half the light, 55 a little under the linear-light value 0.0382."""
    levels = np.array([0, 1, 10, 55, 128, 188, 255], np.uint8)
    rgba = np.dstack([levels[None]] * 3 + [np.full_like(levels, 255)[None]])
    x = to_tensor(np.ascontiguousarray(np.tile(rgba, (7, 1, 1))), "linear_straight")
    light = (x[0, 0, 0] + 1) / 2
    assert light.tolist() == pytest.approx([0, 0.000304, 0.003035, 0.038204, 0.215861, 0.502886, 1], abs=2e-6)
    assert x.shape == (1, 4, 7, 7)
    assert (x[0, 3] == 1).all()


@pytest.mark.parametrize("encoding", ["linear_straight", "srgb_premultiplied"])
def test_tensors_and_back(encoding: image.Encoding) -> None:
    levels = np.arange(256, dtype=np.uint8)
    colours = np.dstack([np.tile(levels, (256, 1))] * 3 + [np.tile(levels[:, None], (1, 256))])
    rgba = clean(colours)
    back = to_bytes(to_premultiplied(to_tensor(rgba, encoding), encoding)).numpy()
    assert (back[..., 3] == rgba[..., 3]).all()
    assert np.abs(back.astype(int) - rgba).max() <= 1
    assert (back[0] == 0).all()


def test_out_of_range_tensors_are_clipped() -> None:
    x = torch.full((1, 4, 2, 2), 3.0)
    for encoding in ("linear_straight", "srgb_premultiplied"):
        assert (to_bytes(to_premultiplied(x, encoding)) == 255).all()  # type: ignore[arg-type]
        assert (to_bytes(to_premultiplied(-x, encoding)) == 0).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("background", ["transparent", "white", "gradient"])
def test_guess_finds_the_head(background: str) -> None:
    """A round head of 120 px on a narrower neck and a body: the square is twice the head and holds it in the middle."""
    rgba = np.zeros((900, 640, 4), np.uint8)
    if background != "transparent":
        ramp = np.linspace(180, 230, 900)[:, None, None] if background == "gradient" else np.full((900, 1, 1), 255)
        rgba[...] = np.concatenate([np.broadcast_to(ramp, (900, 640, 3)), np.full((900, 640, 1), 255)], -1)
    cv2.rectangle(rgba, (150, 420), (290, 899), (90, 60, 40, 255), -1)
    cv2.rectangle(rgba, (205, 340), (235, 430), (250, 210, 190, 255), -1)
    cv2.circle(rgba, (220, 300), 60, (40, 30, 60, 255), -1)
    left, top, side = guess_square(rgba)
    assert side == pytest.approx(240, rel=0.12)
    assert left + side / 2 == pytest.approx(220, abs=0.08 * side)
    assert top + side / 2 == pytest.approx(300, abs=0.08 * side)


def test_guess_without_any_outline() -> None:
    rgba = np.full((300, 200, 4), 255, np.uint8)
    assert guess_square(rgba) == (0, 0, 200)


def test_a_3d_model_is_no_picture_and_the_way_to_one_is_told(tmp_path: Path) -> None:
    model = tmp_path / "me.vrm"
    model.write_bytes(b"glTF" + bytes(60))
    with pytest.raises(ImageError, match=r"character --model me\.vrm --output me\.png"):
        open_picture(model)


@pytest.mark.parametrize("slant", [0, 12])
@pytest.mark.parametrize("size", [64, 256, 512])
def test_a_body_cut_off_just_above_the_lower_end_goes_on_to_it(slant: int, size: int) -> None:
    """Or a body that leans would show the cut."""
    rgba = np.zeros((512, 512, 4), np.uint8)
    for column in range(100, 400):
        rgba[200 : 508 - slant * (column - 100) // 300, column] = (column // 2, 40, 90, 255)
    picture = Character(rgba, (0, 0, 512)).at(size)
    inside = slice(104 * size // 512, 396 * size // 512)
    assert (picture[-1, inside, 3] == 255).all()
    assert np.abs(picture[-1, inside, 0].astype(int) - picture[size // 2, inside, 0]).max() <= 2, "in its own colours"
    assert not picture[-1, : 98 * size // 512, 3].any()


def test_what_ends_by_itself_ends_where_it_is_drawn() -> None:
    rgba = np.zeros((256, 256, 4), np.uint8)
    cv2.ellipse(rgba, (128, 120), (60, 132), 0, 0, 360, (90, 40, 90, 255), -1)
    high = rgba.copy()
    high[240:] = 0
    for picture in (rgba, high):
        assert (Character(picture, (0, 0, 256)).at(256) == picture).all()
