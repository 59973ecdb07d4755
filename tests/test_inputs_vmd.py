"""Motions of MikuMikuDance as recorded motion."""

from __future__ import annotations

import math
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from puppeteer.errors import SettingsError
from puppeteer.inputs import read_recording
from puppeteer.inputs.recorded import MOTION
from puppeteer.inputs.vmd import eased, read_vmd
from puppeteer.pose import POSE_NAMES, SIX, Pose

SHARED = Path(__file__).resolve().parents[2] / "shared" / "models3d" / "gene" / "motion"
LINEAR = (20, 20, 107, 107)
Turn = tuple[str, int, tuple[float, float, float, float]]


def about(axis: int, degrees: float) -> tuple[float, float, float, float]:
    """A quaternion in MikuMikuDance's own axes."""
    parts = [0.0, 0.0, 0.0, math.cos(math.radians(degrees) / 2)]
    parts[axis] = math.sin(math.radians(degrees) / 2)
    return parts[0], parts[1], parts[2], parts[3]


def curves(x1: int, y1: int, x2: int, y2: int) -> bytes:
    """The 64 bytes of a key frame whose rotation has that curve: the rows are shifted, and the first is damaged."""
    row = bytearray([20] * 8 + [107] * 8)
    row[3], row[7], row[11], row[15] = x1, y1, x2, y2
    rows = bytes(row) + bytes(row[1:]) + b"\0" + bytes(row[2:]) + b"\0\0" + bytes(row[3:]) + b"\0\0\0"
    return rows[:2] + b"\0\0" + rows[4:]


def motion(
    path: Path,
    turns: list[Turn] = [],  # noqa: B006 - read only
    morphs: list[tuple[str, int, float]] = [],  # noqa: B006
    curve: tuple[int, int, int, int] = LINEAR,
    old: bool = False,
) -> Path:
    magic = b"Vocaloid Motion Data file" if old else b"Vocaloid Motion Data 0002"
    data = magic.ljust(30, b"\0") + "ジェネ".encode("cp932").ljust(10 if old else 20, b"\0")
    data += struct.pack("<I", len(turns))
    for bone, frame, rotation in turns:
        name = bone.encode("cp932").ljust(15, b"\0")
        data += struct.pack("<15sI3f4f64s", name, frame, 0, 0, 0, *rotation, curves(*curve))
    data += struct.pack("<I", len(morphs))
    for morph, frame, weight in morphs:
        data += struct.pack("<15sIf", morph.encode("cp932").ljust(15, b"\xfd"), frame, weight)
    path.write_bytes(data + struct.pack("<III", 0, 0, 0))
    return path


def padded(name: str) -> str:
    return name + "\0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "motion.vmd"


@pytest.mark.parametrize(
    ("bone", "axis", "degrees", "number", "value"),
    [
        ("頭", 0, 7.5, "neck_x", 0.5),  # up
        ("頭", 1, 7.5, "neck_y", 0.5),  # the figure faces -z: to its right, the viewer's left
        ("頭", 2, 7.5, "neck_z", 0.5),
        ("首", 0, -15, "neck_x", -1),
        ("両目", 1, 15, "gaze_x", 0.5),
        ("両目", 0, -15, "gaze_y", -0.5),
        ("上半身", 2, 2.5, "body_z", 0.5),
        ("上半身2", 1, -5, "body_y", -1),
        ("上半身", 1, 12.5, "neck_y", 0.5),  # beyond what a body can: the neck takes it over
        ("上半身", 0, -7.5, "neck_x", -0.5),  # a bow
    ],
)
def test_bones(file: Path, bone: str, axis: int, degrees: float, number: str, value: float) -> None:
    poses = read_vmd(motion(file, [(bone, 0, about(axis, 0)), (bone, 30, about(axis, degrees))]))
    assert [time_s for time_s, _ in poses] == pytest.approx([frame / 30 for frame in range(31)])
    assert poses[0][1] == Pose()
    assert getattr(poses[-1][1], number) == pytest.approx(value, abs=0.01)
    assert getattr(poses[15][1], number) * value >= 0


def test_neck_and_head_add_up(file: Path) -> None:
    poses = read_vmd(motion(file, [("首", 0, about(0, 4)), ("頭", 0, about(0, 5))]))
    assert poses[0][1].neck_x == pytest.approx(9 / 15)


@pytest.mark.parametrize(
    ("morph", "expected"),
    [
        ("まばたき", Pose(eye_left=0.8, eye_right=0.8)),
        ("笑い", Pose(eye_left=0.8, eye_right=0.8, eye_smile=0.8)),
        ("ウィンク", Pose(eye_left=0.8, eye_smile=0.8)),
        ("ｳｨﾝｸ２右", Pose(eye_right=0.8)),
        ("あ", Pose(mouth_open=0.8)),
        ("困る", Pose(brow_form=0.8)),
        ("びっくり", Pose(eye_wide=0.8)),
        ("∧", Pose(mouth_form=-0.8)),
    ],
)
def test_morphs(file: Path, morph: str, expected: Pose) -> None:
    poses = read_vmd(motion(file, [], [(padded(morph), 0, 0.0), (padded(morph), 10, 0.8)]))
    assert poses[10][1].values() == pytest.approx(expected.values())
    assert poses[5][1].values() == pytest.approx([value / 2 for value in expected.values()])


def test_keys_may_be_in_any_order_and_twice(file: Path) -> None:
    turns = [("頭", 20, about(0, 15)), ("頭", 0, about(0, 0)), ("頭", 10, about(0, 15)), ("頭", 20, about(0, 0))]
    poses = read_vmd(motion(file, turns))
    assert [poses[at][1].neck_x for at in (0, 10, 20)] == pytest.approx([0, 1, 0])


def test_curves_ease(file: Path) -> None:
    turns = [("頭", 0, about(0, 0)), ("頭", 30, about(0, 15))]
    slow_start = [pose.neck_x for _, pose in read_vmd(motion(file, turns, curve=(127, 0, 127, 127)))]
    even = [pose.neck_x for _, pose in read_vmd(motion(file, turns))]
    assert even == pytest.approx([at / 30 for at in range(31)], abs=1e-3)
    assert slow_start == sorted(slow_start) and slow_start[10] < 0.15 < even[10]
    assert eased((0.5, 0.0, 0.5, 1.0), 0.5) == pytest.approx(0.5, abs=1e-4)


def test_the_older_form(file: Path) -> None:
    poses = read_vmd(motion(file, [("頭", 0, about(0, 7.5))], old=True))
    assert poses[0][1].neck_x == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"", "does not begin like one"),
        (lambda data: data[:40], "not a whole VMD motion"),
        (lambda data: data[:120], "cut off"),
        (lambda data: data[: len(data) - 20], "cut off|not a whole"),
        (lambda data: b"RIFF" + data[4:], "does not begin like one"),
        (lambda data: data[:50] + b"\xff\xff\xff\xff" + data[54:], "cut off"),
        (lambda data: data[:69] + b"\xff\xff\xff\xff" + data[73:], "beyond 15 minutes"),
        (lambda data: data[:85] + struct.pack("<4f", *[math.nan] * 4) + data[101:], "not a rotation"),
        (lambda data: data[:85] + bytes(16) + data[101:], "not a rotation"),
        (lambda data: data[:188] + struct.pack("<f", math.nan) + data[192:], "a weight is not a number"),
    ],
)
def test_what_is_no_motion_is_told(file: Path, change: object, said: str) -> None:
    motion(file, [("頭", 0, about(0, 5))], [(padded("あ"), 0, 1.0)])
    file.write_bytes(change(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(SettingsError, match=said) as told:
        read_vmd(file)
    assert str(file) in str(told.value)


def test_motions_without_a_face_are_told(file: Path) -> None:
    with pytest.raises(SettingsError, match="neither head nor face"):
        read_vmd(motion(file, [("左足", 0, about(0, 5))]))
    with pytest.raises(SettingsError, match="does not exist"):
        read_vmd(file.with_name("none.vmd"))


def test_recordings_are_read_by_their_suffix(file: Path, tmp_path: Path) -> None:
    motion(file, [("頭", 0, about(0, 7.5))])
    assert read_recording(file)[0][1].neck_x == pytest.approx(0.5)
    assert len(read_recording(MOTION)) > 100
    marked = tmp_path / "from a spreadsheet.CSV"
    marked.write_bytes(b"\xef\xbb\xbf" + MOTION.read_bytes())
    assert read_recording(marked) == read_recording(MOTION)
    with pytest.raises(SettingsError, match=r"or a \.vmd motion"):
        read_recording(tmp_path / "motion.bvh")


@pytest.mark.parametrize(
    "rows",
    [
        "0,0,0,0,0,0,0\n0,0,0,0,0,0,0",
        "nan,0,0,0,0,0,0",
        "inf,0,0,0,0,0,0",
        "0,nan,0,0,0,0,0",
        "0,x,0,0,0,0,0",
        "0",
        "\0",
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, rows: str) -> None:
    own = tmp_path / "own.csv"
    own.write_text("time_s," + ",".join(SIX) + "\n" + rows + "\n")
    with pytest.raises(SettingsError, match=r"give a table that|give one for each|save the table"):
        read_recording(own)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared motions here")
@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("02_laugh.vmd", ("eye_left", "eye_right", "eye_smile", "mouth_open", "mouth_form", "neck_x", "body_y")),
        ("16_thinking.vmd", ("neck_x", "neck_y", "gaze_x", "gaze_y", "brow_left", "mouth_form")),
        ("28_sleepy.vmd", ("eye_left", "eye_right", "neck_x", "neck_y", "neck_z", "mouth_open", "body_y")),
    ],
)
def test_real_motions(name: str, moves: tuple[str, ...]) -> None:
    poses = read_vmd(SHARED / name)
    assert len(poses) == 301 and poses[-1][0] == pytest.approx(10)
    for number in POSE_NAMES:
        values = [getattr(pose, number) for _, pose in poses]
        assert number not in moves or max(values) - min(values) > 0.4, number
        assert max(abs(after - before) for before, after in pairwise(values)) < 0.5, number  # no jumps
