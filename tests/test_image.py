"""Pictures of every kind become characters or one clear sentence."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from puppeteer import image
from puppeteer.errors import ImageError
from puppeteer.image import (
    Character,
    clean,
    cut,
    guess_square,
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


def test_gigantic_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("1", (20000, 20000)).save(path)
    start = time.perf_counter()
    with pytest.raises(ImageError, match="scale it down"):
        read_character(path)
    assert time.perf_counter() - start < 1


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
