from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from puppeteer.errors import ImageError, SettingsError
from puppeteer.outputs.compose import Background, beside_width, bled, compose, parse_background, placed, side_by_side


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#00FF00", (0, 255, 0)),
        ("#0f0", (0, 255, 0)),
        ("00ff7f", (0, 255, 127)),
        ("green", (0, 128, 0)),
        ("Hot" + "Pink", (255, 105, 180)),
        (" white ", (255, 255, 255)),
    ],
)
def test_colours(text: str, colour: tuple[int, int, int]) -> None:
    background = parse_background(text)
    assert background.colour == colour and not background.transparent
    assert (background.fitted(4, 2) == np.array(colour)).all() and background.fitted(4, 2).shape == (2, 4, 3)


def test_transparent() -> None:
    assert parse_background("Transparent").transparent


@pytest.mark.parametrize("text", ["gren", "#12345", "#00FF00FF", "no/such/picture.png", "", "."])
def test_nonsense_is_named_with_the_remedy(text: str) -> None:
    with pytest.raises(SettingsError, match="a colour such as #00FF00") as caught:
        parse_background(text)
    assert repr(text) in str(caught.value)
    if text == "gren":
        assert "did you mean green?" in str(caught.value)


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(ImageError):
        parse_background(str(tmp_path / "a.png"))


def test_picture_covers_and_is_centred(tmp_path: Path) -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, :40], wide[:, 40:80], wide[:, 80:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    fitted = parse_background(str(tmp_path / "wide.png")).fitted(80, 80)
    assert fitted.shape == (80, 80, 3)
    assert (fitted == (0, 255, 0)).all(), "only the middle third is left"
    tall = np.swapaxes(wide, 0, 1)
    assert (Background(picture=tall).fitted(16, 16) == (0, 255, 0)).all()


def test_a_picture_with_alpha_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (parse_background(str(tmp_path / "clear.png")).fitted(4, 4) == 255).all()


def test_compose_blends_by_straight_alpha() -> None:
    rng = np.random.default_rng(1)
    rgba = rng.integers(0, 256, (32, 32, 4), np.uint8)
    for background in (Background(colour=(0, 255, 0)), Background(picture=rng.integers(0, 256, (32, 32, 3), np.uint8))):
        alpha = rgba[..., 3:] / 255
        expected = rgba[..., :3] * alpha + background.fitted(32, 32) * (1 - alpha)
        result = compose(rgba, background)
        assert result.dtype == np.uint8 and result.shape == (32, 32, 3)
        assert np.abs(result - expected).max() <= 1
        assert (compose(rgba, background) == result).all(), "the background is not painted over"


def test_transparent_keeps_alpha_and_carries_colour_outwards() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[20:40, 20:40] = (200, 100, 50, 255)
    result = compose(rgba, Background())
    assert (result[..., 3] == rgba[..., 3]).all()
    assert (result[20:40, 20:40] == rgba[20:40, 20:40]).all()
    assert np.abs(result[30, 42, :3].astype(int) - (200, 100, 50)).max() <= 3, "no black beside the edge"
    assert not result[0, 0].any()
    assert not bled(np.zeros((8, 8, 4), np.uint8)).any()


def test_side_by_side() -> None:
    clip = np.full((90, 160, 3), 50, np.uint8)
    width = beside_width((160, 90), 64)
    assert width == 114 and width % 2 == 0
    joined = side_by_side(clip, np.full((64, 64, 3), 200, np.uint8), width)
    assert joined.shape == (64, 178, 3)
    assert (joined[:, :114] == 50).all() and (joined[:, 114:] == 200).all()
    clear = side_by_side(clip, np.zeros((64, 64, 4), np.uint8), width)
    assert (clear[:, :114, 3] == 255).all() and not clear[:, 114:].any()


def character(size: int = 40) -> np.ndarray:
    """Random colours and alphas in the middle, nothing around."""
    rng = np.random.default_rng(1)
    rgba = np.zeros((size, size, 4), np.uint8)
    rgba[5:35, 10:30] = rng.integers(0, 256, (30, 20, 4), np.uint8)
    return rgba


@pytest.mark.parametrize(("left", "top"), [(20, 0), (-15, -10), (70, 25), (33, -20)])
@pytest.mark.parametrize("background", ["#1020F0", "transparent"])
def test_placed_is_the_whole_picture_composed(left: int, top: int, background: str) -> None:
    rgba, backdrop = character(), parse_background(background)
    whole = np.zeros((200, 200, 4), np.uint8)  # as large as it takes, cut to the output afterwards
    whole[60 + top : 100 + top, 60 + left : 100 + left] = rgba
    cut = np.ascontiguousarray(whole[60:120, 60:140])
    expected = cut if backdrop.transparent else compose(cut, backdrop)
    picture = placed(rgba, backdrop, (80, 60), left, top)
    assert picture.shape == expected.shape and picture.flags.c_contiguous
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_placed_outside_of_the_output_or_empty_is_background_alone() -> None:
    backdrop = Background(colour=(9, 8, 7))
    for rgba, left in ((character(), 500), (np.zeros((40, 40, 4), np.uint8), 0)):
        assert (placed(rgba, backdrop, (80, 60), left, 0) == (9, 8, 7)).all()


@pytest.mark.parametrize("side", [30, 90])
@pytest.mark.parametrize("transparent", [False, True])
def test_a_scaled_character_has_its_own_colour_to_the_rim(side: int, transparent: bool) -> None:
    """Black hidden under transparent pixels must not mix into it."""
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[15:45, 15:45] = (200, 120, 40, 255)
    background = Background() if transparent else Background(colour=(200, 120, 40))
    picture = placed(rgba, background, (100, 100), 5, 5, side)
    shown = picture[..., 3] > 8 if transparent else np.ones((100, 100), bool)
    assert np.abs(picture[shown][:, :3].astype(int) - (200, 120, 40)).max() <= (8 if transparent else 2)
    if transparent:
        assert abs(int((picture[..., 3] > 127).sum()) - (side // 2) ** 2) <= 2 * side


@pytest.mark.parametrize(
    ("side", "left", "top"), [(40, 3, 5), (40, -9, 30), (56, 0, 0), (31, 20, -12), (100, -30, -30)]
)
def test_a_character_is_mixed_with_its_background_by_its_alpha(side: int, left: int, top: int) -> None:
    """Against floats: scaled with premultiplied alpha, cut off where it sticks out."""
    rng = np.random.default_rng(8)
    rgba = rng.integers(0, 256, (40, 40, 4), np.uint8)
    rgba[..., 3] = np.clip(rng.normal(0.5, 0.6, (40, 40)), 0, 1) * 255
    drawn = placed(rgba, Background(colour=(10, 200, 60)), (64, 48), left, top, side)
    alpha = rgba[..., 3:] / 255.0
    character = cv2.resize(np.dstack([rgba[..., :3] * alpha, alpha]), (side, side), interpolation=cv2.INTER_LINEAR)
    expected = np.full((48, 64, 3), (10, 200, 60), float)
    for y in range(max(0, top), min(48, top + side)):
        for x in range(max(0, left), min(64, left + side)):
            *colour, share = character[y - top, x - left]
            expected[y, x] = colour + (1 - share) * expected[y, x]
    assert np.abs(drawn - expected).max() < 2.5
