"""The `pose` command: tables of poses to pictures, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from puppeteer.commands.pose import pose, read_poses
from puppeteer.errors import PuppeteerError, SettingsError
from puppeteer.image import read_image, write_png
from puppeteer.pose import SIX, Pose
from puppeteer.settings import PoserSettings, Settings

WARP = Settings(poser=PoserSettings(family="warp", device="cpu"))
HEADER = ",".join(SIX)


@pytest.fixture
def character(tmp_path: Path) -> Path:
    rgba = np.zeros((256, 256, 4), np.uint8)
    rgba[70:256, 80:176] = 200, 150, 120, 255
    rgba[120:130, 100:110] = 10, 10, 10, 255
    write_png(tmp_path / "character.png", rgba)
    return tmp_path / "character.png"


def table(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "poses.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_picture_for_each_row(character: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = table(tmp_path, "0,0,0,0,0,0", "", "0,0,0,1,0,0", " 0 , 0.5,1,-1,0.25,-0.25")
    files = pose(character=character, poses=poses, output=tmp_path / "new" / "out", size=128, settings=WARP)
    assert [file.name for file in files] == ["0000.png", "0001.png", "0002.png"]
    for file in files:
        with Image.open(file) as picture:
            assert (picture.size, picture.mode) == ((128, 128), "RGBA")
    assert (read_image(files[0]) != read_image(files[1])).any()
    assert sorted(p.name for p in (tmp_path / "new" / "out").iterdir()) == [file.name for file in files]
    assert "warp" in capsys.readouterr().err


def test_single_pose_as_values(character: Path, tmp_path: Path) -> None:
    folder, file = tmp_path / "out", tmp_path / "one.png"
    assert pose(character=character, poses=None, output=folder, values=Pose(neck_y=1), settings=WARP) == [
        folder / "0000.png"
    ]
    assert pose(character=character, poses=None, output=file, values=Pose(neck_y=1), settings=WARP) == [file]
    assert (read_image(file) == read_image(folder / "0000.png")).all()


def test_no_folder_is_left_where_the_character_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(PuppeteerError, match="not a picture"):
        pose(character=tmp_path / "a.png", poses=None, output=tmp_path / "new" / "out", values=Pose(), settings=WARP)
    assert not (tmp_path / "new").exists()


def test_columns_by_name_in_any_order_with_what_track_adds(tmp_path: Path) -> None:
    path = table(tmp_path, "0.04,1,-1,0.1,0.2,0.3,0.4,0.5", header="time_s,face," + ",".join(reversed(SIX)))
    assert read_poses(path) == [Pose(0.5, 0.4, 0.3, 0.2, 0.1, -1)]


def test_table_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "poses.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b'\r\n"0","0","1.0000001","0","0","0"\r\n')
    assert read_poses(path) == [Pose(mouth_open=1)]


SPREADSHEET = [*SIX, "time_s"], ["0,5", "0", "1,0", "-0,25", "0", "0", "0,04"]


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("told", [False, True], ids=["", "sep="])
def test_tables_of_spreadsheets_with_decimal_commas(tmp_path: Path, separator: str, coding: str, told: bool) -> None:
    text = f"sep={separator}\r\n" * told + "\r\n".join(separator.join(cells) for cells in SPREADSHEET) + "\r\n"
    path = tmp_path / "poses.csv"
    path.write_bytes((b"\xfe\xff" if coding == "utf-16-be" else b"") + text.encode(coding))
    assert read_poses(path) == [Pose(eye_left=0.5, mouth_open=1, neck_z=-0.25)]


def test_quoted_decimal_commas_between_commas_are_read(tmp_path: Path) -> None:
    assert read_poses(table(tmp_path, '"0,5",0,0,"-0,25",0,0')) == [Pose(eye_left=0.5, neck_z=-0.25)]


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_codings_that_are_not_told_are_named_as_the_reason(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "poses.csv"
    path.write_bytes(f"{HEADER}\n0,0,0,0,0,0\n# ä".encode(coding))
    with pytest.raises(SettingsError, match="is not a text file: save the table as CSV in UTF-8"):
        read_poses(path)


def test_decimal_commas_between_commas_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"line 2, has 8 values instead of 6: .* decimal commas between semicolons"):
        read_poses(table(tmp_path, "0,5,0,0,5,0,0,0"))


def test_raw_tables_of_track_are_accepted(tmp_path: Path) -> None:
    header = ",".join(["time_s", *SIX, "face"])
    assert read_poses(table(tmp_path, "0,-0.2,1.1,0.5,1.6,-2,0,1", header=header)) == [Pose(0, 1, 0.5, 1, -1, 0)]
    with pytest.raises(SettingsError, match="out of range"):
        read_poses(table(tmp_path, "0,-0.2,1.1,0.5,inf,-2,0,1", header=header))


@pytest.mark.parametrize(
    ("header", "lines", "sentence"),
    [
        ("", [], "is empty: its first line must be eye_left"),
        (HEADER, [], "holds no poses"),
        (HEADER.replace(",neck_z", ""), ["0,0,0,0,0"], "lacks the column neck_z"),
        (HEADER + ",grin", ["0,0,0,0,0,0,0"], "'grin' that is none of a pose's: leave it out"),
        (HEADER.replace("neck_x", "nek_x"), ["0,0,0,0,0,0"], "did you mean neck_x"),
        (HEADER + ",neck_x", ["0,0,0,0,0,0,0"], "column neck_x more than once"),
        (HEADER, ["0,0,0,0,0,0", "0,0,0,0,0"], "line 3, has 5 values instead of 6"),
        (HEADER, ["0,0,0,0,0,0,0"], "line 2, has 7 values instead of 6"),
        (HEADER, ["0,0,nan,0,0,0"], "line 2: mouth_open is 'nan', not a number: give 0 to 1"),
        (HEADER, ["0,0,0,0,,0"], "line 2: neck_x is '', not a number: give -1 to 1"),
        (HEADER, ["0,0,0,open,0,0"], "line 2: neck_z is 'open', not a number"),
        (HEADER, ["0,0,0,0,0,0", "0,-0.5,0,0,0,0"], "line 3: eye_right is -0.5, out of range: give 0 to 1"),
        (HEADER, ["0,0,0,0,0,inf"], "line 2: neck_y is inf, out of range"),
    ],
)
def test_wrong_tables(tmp_path: Path, header: str, lines: list[str], sentence: str) -> None:
    path = table(tmp_path, *lines, header=header)
    with pytest.raises(SettingsError) as caught:
        read_poses(path)
    assert sentence in str(caught.value)
    assert "poses.csv" in str(caught.value)


def test_files_that_are_no_tables(tmp_path: Path, character: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        read_poses(tmp_path / "absent.csv")
    with pytest.raises(SettingsError, match="not a text file"):
        read_poses(character)
    path = tmp_path / "nul.csv"
    path.write_bytes(b"\0\0\0\0")
    with pytest.raises(SettingsError):
        read_poses(path)


@pytest.mark.parametrize("size", [0, 63, 2049, -5])
def test_size_out_of_range(character: Path, tmp_path: Path, size: int) -> None:
    with pytest.raises(SettingsError, match=f"--size is {size}"):
        pose(character=character, poses=None, output=tmp_path / "out", size=size, values=Pose(), settings=WARP)
    assert not (tmp_path / "out").exists()


def test_output_that_is_in_the_way(character: Path, tmp_path: Path) -> None:
    poses = table(tmp_path, "0,0,0,0,0,0", "0,0,0,0,0,1")
    with pytest.raises(SettingsError, match="name a folder"):
        pose(character=character, poses=poses, output=poses, settings=WARP)
    with pytest.raises(SettingsError, match="one file, but there are 2 poses"):
        pose(character=character, poses=poses, output=tmp_path / "one.png", settings=WARP)
    with pytest.raises(PuppeteerError):
        pose(character=character, poses=poses, output=poses / "below" / "a file", settings=WARP)


def test_table_or_values(character: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="either"):
        pose(character=character, poses=None, output=tmp_path / "out", settings=WARP)
