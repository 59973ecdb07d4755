"""The tables that make numbers of a pose out of other programs' shapes, and a user's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from puppeteer.errors import SettingsError
from puppeteer.inputs import open_faces
from puppeteer.inputs.mapping import ARKIT, OURS, Ramp, arkit_name, mmd_name, numbers, read_mapping
from puppeteer.pose import BY_NAME, NUMBERS, Pose

FACE = tuple(one.name for one in NUMBERS if not one.name.startswith(("neck", "body", "breath", "hair")))


def other_side(shape: str) -> str:
    if shape in ("jawLeft", "jawRight", "mouthLeft", "mouthRight") or shape.endswith(("Left", "Right")):
        return re.sub("Left$|Right$", lambda side: {"Left": "Right", "Right": "Left"}[side[0]], shape)
    return shape


def test_there_are_52_shapes_and_each_has_its_other_side() -> None:
    assert len(ARKIT) == 52
    assert {other_side(shape) for shape in ARKIT} == ARKIT


def test_arkit_tells_every_number_of_a_face() -> None:
    assert set(read_mapping()["arkit"]) == {*FACE}


@pytest.mark.parametrize("table", ["arkit", "vrm", "mmd"])
def test_a_face_at_rest_is_the_rest_image(table: str) -> None:
    ramps = read_mapping()[table]
    rest = {shape: 0.0 for number in ramps.values() for ramp in number for shape, _ in ramp.shapes}
    assert set(numbers(ramps, rest).values()) == {0.0}
    assert numbers(ramps, {}) == {}  # nothing is known


@pytest.mark.parametrize("shape", sorted(ARKIT))
def test_each_shape_is_mirrored(shape: str) -> None:
    table = read_mapping()["arkit"]
    rest = dict.fromkeys(ARKIT, 0.0)
    one, other = (numbers(table, rest | {which: 0.8}) for which in (shape, other_side(shape)))
    assert Pose.from_names(one).mirrored() == Pose.from_names(other)


@pytest.mark.parametrize("table", ["arkit", "vrm", "mmd"])
def test_every_number_is_reached_to_its_ends_and_not_beyond(table: str) -> None:
    ramps = read_mapping()[table]
    for number, of_number in ramps.items():
        reached = [
            numbers(ramps, {shape: float(weight * sign > 0) for shape, weight in ramp.shapes})[number]
            for ramp in of_number
            for sign in (1, -1)
        ]
        assert max(reached) > 0.6 and BY_NAME[number].low <= min(reached) <= max(reached) <= 1, number


def test_a_ramp_rises_between_its_ends() -> None:
    ramp = Ramp((("a", 2.0),), 0.2, 1.0, -0.5)
    assert [ramp.at({"a": value}) for value in (0.0, 0.1, 0.3, 0.5, 9.0, -0.3)] == pytest.approx(
        [0.0, 0.0, -0.25, -0.5, -0.5, 0.25]
    )


@pytest.mark.parametrize("name", ["eyeBlinkLeft", "EyeBlinkLeft", "eyeBlink_L", "EyeBlink_L"])
def test_spellings_of_arkit(name: str) -> None:
    assert arkit_name(name) == "eyeBlinkLeft"


@pytest.mark.parametrize("name", ["ウィンク２右", "ｳｨﾝｸ２右", "ウインク2右 "])
def test_spellings_of_mmd(name: str) -> None:
    assert mmd_name(name) == "ウィンク2右"


def test_an_own_file_replaces_what_it_has(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        "\ufeff[arkit]\nmouth_form = []\n[[arkit.mouth_open]]\nshapes = { tongueOut = 1 }\nto = 0.5\n", encoding="utf-8"
    )
    table, ours = read_mapping(own)["arkit"], read_mapping()["arkit"]
    told = numbers(table, {"tongueOut": 0.25, "jawOpen": 1.0, "mouthSmileLeft": 1.0, "eyeBlinkLeft": 1.0})
    assert told["mouth_open"] == 0.5 and told["eye_left"] == 1.0 and "mouth_form" not in told
    assert "tongueOut" not in str(ours["mouth_open"])  # ours stays
    own.write_text("", encoding="utf-8")  # read anew each time
    assert read_mapping(own) == read_mapping()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[arkitt]", "no table called arkitt: did you mean arkit?"),
        ("[[arkit.eye_lefft]]\nshapes = {}", "called eye_lefft: did you mean eye_left?"),
        ("[[arkit.eye_left]]\nshapes = { EyeBlinkLeft = 1 }", "called EyeBlinkLeft: did you mean eyeBlinkLeft?"),
        ("[[arkit.eye_left]]\nshapes = { eyeBlinkLeft = nan }", "eyeBlinkLeft is nan, not a number from"),
        ("[[arkit.eye_left]]\nshapes = { eyeBlinkLeft = '1' }", "not a number from"),
        ("[[arkit.eye_left]]\nshapes = { eyeBlinkLeft = true }", "not a number from"),
        ("[[arkit.eye_left]]\nshapes = {}\nfrom = 1\nto = 0.5", "rises from 1 to 0.5"),
        ("[[arkit.eye_left]]\nshapes = {}\nupto = 1", "called upto: did you mean to?"),
        ("[[arkit.eye_left]]\nto = 1", "shapes must be a table in braces"),
        ("[arkit]\neye_left = { eyeBlinkLeft = 1 }", "eye_left must be written as a list of ramps"),
        ("arkit = 1", "arkit must be a table"),
        ("[[arkit.eye_left]\n", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("x = " + "9" * 5000, "is not TOML"),
        ("#" * (2 << 20), "is too large"),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(said)) as told:
        read_mapping(own)
    assert str(own) in str(told.value) and "\n" not in str(told.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        open_faces("openseeface", mapping=str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match="is a folder"):
        read_mapping(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        read_mapping(binary)


def test_our_file_may_be_copied_and_used(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(OURS.read_bytes().replace(b"\n", b"\r\n"))  # as an editor on Windows keeps it
    assert read_mapping(own) == read_mapping()
