"""What a face shows is read once: closed lips stay closed, what is covered stays, and colours are the drawing's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from puppeteer.characters import Artist
from puppeteer.image import Character, premultiplied
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.prepare import prepare
from puppeteer.prepare.faces import Face, read
from puppeteer.prepare.reading import read_character

SIZE = 256
EYES, MOUTH = np.s_[140:165, 90:166], np.s_[164:190, 108:148]  # of a spec square
LIPS = np.s_[164:182, 112:144]
LEFT_EYE, RIGHT_EYE = np.s_[136:164, 134:170], np.s_[136:164, 86:122]
CLOSED_MOUTHS = (50_000_100, 50_000_104, 50_000_217)  # characters that training never sees, their mouths closed


@pytest.fixture(scope="module")
def characters() -> list[U8]:
    with Artist() as artist:
        return [artist.draw(seed, Pose(), size=SIZE, split="validation") for seed in CLOSED_MOUTHS]


@pytest.fixture(scope="module")
def poser() -> Iterator[Poser]:
    yield Poser.load("compact", "cpu")


def moved(poser: Poser, rgba: U8, pose: Pose) -> U8:
    poser.set_character(Character(rgba, (0, 0, rgba.shape[0])))
    return np.array(poser.pose(pose, SIZE))


def change(a: U8, b: U8) -> np.ndarray:
    return np.abs(premultiplied(a).astype(int) - premultiplied(b).astype(int)).max(-1)


def with_lips(rgba: U8, colour: tuple[int, int, int], full: float) -> U8:
    """Closed lips over the drawn mouth: an upper and a lower one, and the dark line between."""
    big = cv2.resize(rgba, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    t = np.linspace(-1, 1, 30)
    middle, half = mouth_of(rgba), 8.5
    upper = np.stack([middle[0] + half * t, middle[1] - full * (1 - t**2) * (1 - 0.4 * np.exp(-((t / 0.2) ** 2)))], -1)
    lower = np.stack([middle[0] + half * t, middle[1] + 1.3 * full * (1 - t**2)], -1)
    outline = np.rint(4 * np.concatenate([upper, lower[::-1]])).astype(np.int32)
    cv2.fillPoly(big, [outline], (*colour, 255), cv2.LINE_AA)
    seam = np.rint(4 * np.stack([middle[0] + 0.9 * half * t, np.full(30, middle[1])], -1)).astype(np.int32)
    cv2.polylines(big, [seam], False, (*(int(0.45 * c) for c in colour), 255), 4, cv2.LINE_AA)
    return np.asarray(cv2.resize(big, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def mouth_of(rgba: U8) -> tuple[float, float]:
    """Where a closed mouth is drawn: the darkest row of the middle of the lower face."""
    part = rgba[166:186, 120:136, :3].sum(-1).astype(int)
    return 128.0, 166.5 + int(part.mean(1).argmin())


@pytest.mark.parametrize("colour", [(150, 25, 45), (225, 120, 130), (120, 70, 60)])
@pytest.mark.parametrize("full", [2.0, 3.0])
def test_painted_lips_are_closed_and_stay(
    characters: list[U8], poser: Poser, colour: tuple[int, int, int], full: float
) -> None:
    for rgba in characters:
        painted = with_lips(rgba, colour, full)
        assert read(painted).drawn_mouth == 0
        assert change(moved(poser, painted, Pose()), painted)[MOUTH].max() <= 4
        assert change(moved(poser, painted, Pose(mouth_open=1)), painted)[MOUTH].max() > 60, "it opens"


@pytest.mark.parametrize("name", ["lips_crypko_03.png", "lips_waifu_00.png", "mask_waifu_03.png"])
def test_a_rest_pose_never_damages_a_drawing(shared: Path, poser: Poser, name: str) -> None:
    path = shared / "drawings" / "hard" / name
    if not path.is_file():
        pytest.skip(f"no {name} in ../shared")
    character = read_character(path)
    poser.set_character(character)
    assert change(np.array(poser.pose(Pose(), SIZE)), character.at(SIZE)).max() <= 4


def test_a_mouth_that_is_surely_open_closes(poser: Poser) -> None:
    with Artist() as artist:
        wide = artist.draw(CLOSED_MOUTHS[2], Pose(mouth_open=1), size=SIZE, split="validation")
    assert read(wide).drawn_mouth > 0.5
    assert change(moved(poser, wide, Pose()), wide)[MOUTH].max() > 60


def with_mask(rgba: U8) -> U8:
    out = rgba.copy()
    shape = np.array([(98, 164), (128, 158), (158, 164), (152, 180), (138, 191), (118, 191), (104, 180)], np.int32)
    cv2.fillPoly(out, [shape], (236, 238, 244, 255), cv2.LINE_AA)
    cv2.polylines(out, [shape], True, (120, 125, 140, 255), 1, cv2.LINE_AA)
    return out


def with_patch(rgba: U8, left: bool) -> U8:
    out = rgba.copy()
    x = 152 if left else 104
    cv2.line(out, (96, 90) if left else (160, 90), (x, 150), (30, 25, 35, 255), 2, cv2.LINE_AA)
    cv2.circle(out, (x, 151), 14, (30, 25, 35, 255), -1, cv2.LINE_AA)
    return out


def test_what_is_covered_does_not_move_and_is_said(characters: list[U8], poser: Poser) -> None:
    masked = with_mask(characters[0])
    assert change(moved(poser, masked, Pose(mouth_open=1)), masked)[MOUTH].max() <= 4
    assert change(moved(poser, masked, Pose(1, 1)), masked)[EYES].max() > 60, "the eyes do"
    for left, own, other in ((True, LEFT_EYE, RIGHT_EYE), (False, RIGHT_EYE, LEFT_EYE)):
        patched = with_patch(characters[0], left)
        shut = change(moved(poser, patched, Pose(1, 1)), patched)
        assert shut[own].max() <= 4 and shut[other].max() > 60
    for drawing, part in ((masked, "the mouth"), (with_patch(characters[0], True), "the left eye")):
        notes = prepare(drawing, name="it").notes
        assert any(f"something covers {part} of the character in it" in note for note in notes), notes
        assert not any("closed" in note and "eye" in note for note in notes), notes
        if part == "the mouth":
            assert not any("the mouth in it is" in note for note in notes), notes


def test_a_dark_picture_has_no_closed_eyes(characters: list[U8]) -> None:
    for rgba in characters:
        dark = rgba.copy()
        dark[..., :3] = (0.3 * rgba[..., :3]).astype(np.uint8)
        assert max(read(rgba).closed) < 0.5
        assert max(read(dark).closed) < 0.7


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (1.0, 0.86, 0.7)])
def test_what_is_painted_has_the_colours_of_the_drawing(
    characters: list[U8], poser: Poser, tint: tuple[float, float, float]
) -> None:
    """Of a grey drawing, or a brown one, nothing gets another hue."""
    for rgba in characters:
        level = cv2.cvtColor(rgba[..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)
        grey = np.dstack([level[..., None] * tint, rgba[..., 3:]]).astype(np.uint8)
        for pose in (Pose(mouth_open=1), Pose(mouth_open=0.5), Pose(1, 1, 0.7)):
            picture = moved(poser, grey, pose)
            assert change(picture, grey)[MOUTH].max() > 30
            face = picture[64:192, 64:192].astype(float)
            solid = face[..., 3] > 250
            even = face[solid][:, :3] / tint
            assert np.ptp(even, axis=1).max() < 16  # rounded where eyes, mouth and layers are laid


def test_colours_stay_where_a_drawing_has_them(characters: list[U8], poser: Poser) -> None:
    inside = moved(poser, characters[2], Pose(mouth_open=1))[MOUTH].astype(int)
    assert (inside[..., 0] - inside[..., 2]).max() > 60, "a mouth is red inside"


def test_a_faintly_drawn_mouth_is_paler_within(characters: list[U8], poser: Poser) -> None:
    for rgba in characters:
        faint = rgba.copy()
        skin = np.median(rgba[MOUTH][..., :3].reshape(-1, 3), 0)
        faint[MOUTH][..., :3] = (skin + 0.15 * (rgba[MOUTH][..., :3] - skin)).round()
        strong, weak = (
            float(np.sort(change(moved(poser, picture, Pose(mouth_open=1)), picture)[LIPS].ravel())[-40:].mean())
            for picture in (rgba, faint)
        )
        assert 40 < weak < 0.72 * strong, "and it opens still"


def test_the_reading_is_the_doctors_and_the_networks_own(characters: list[U8], poser: Poser) -> None:
    """One estimate: what the doctor says of a mouth is what moves it."""
    with Artist() as artist:
        half = artist.draw(CLOSED_MOUTHS[0], Pose(mouth_open=0.7), size=SIZE, split="validation")
    for rgba in (half, *characters):
        poser.set_character(Character(rgba, (0, 0, SIZE)))
        networks = float(poser._stage.features.morpher.rest_mouth[0])  # type: ignore[union-attr]
        assert read(rgba).drawn_mouth == pytest.approx(networks, abs=0.01)


def test_mirror_images_are_read_alike(characters: list[U8]) -> None:
    patched = read(with_patch(characters[1], True))
    mirrored = read(np.ascontiguousarray(with_patch(characters[1], True)[:, ::-1]))
    assert mirrored.covered == pytest.approx((patched.covered[1], patched.covered[0], patched.covered[2]), abs=0.15)
    assert mirrored.turn_deg == pytest.approx(-patched.turn_deg, abs=3)
    assert replace(patched, covered=(0, 0, 0)) != Face()
