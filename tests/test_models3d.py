"""3D models: every format becomes the same model, poses are as signed, broken files get a sentence."""

from __future__ import annotations

import json
import math
import random
import struct
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models3d_files import FORMATS, doll, glb, pmx, vmd, vrm
from PIL import Image

from puppeteer.errors import ModelError
from puppeteer.models3d.annotation import Study, study
from puppeteer.models3d.marks import Mark, Marks
from puppeteer.models3d.model import Model
from puppeteer.models3d.photographer import Photographer, Shot
from puppeteer.models3d.posing import Puppet
from puppeteer.models3d.reading import parse_model, read_model
from puppeteer.models3d.report import describe
from puppeteer.models3d.skinning import Posture, Skin, turn
from puppeteer.models3d.storage import Folder
from puppeteer.models3d.vmd import parse_motion, posture_at
from puppeteer.pose import Pose

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "models3d"
SUFFIX = {"PMX 2.0": ".pmx", "PMX 2.1": ".pmx", "PMD": ".pmd", "VRM 0.x": ".vrm", "VRM 1.0": ".vrm"}
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared 3D models are not here")


class Nothing:
    def find(self, reference: str) -> bytes | None:
        return None


def parsed(data: bytes) -> Model:
    return parse_model(data, "doll", Nothing())


def posed(found: Study, pose: Pose) -> np.ndarray:
    puppet = Puppet(found)
    stance = puppet.stance(pose)
    rotations, shifts = puppet.skeleton.pose(stance.posture, stance.weights)
    return Skin(found.model).apply(stance.positions, found.model.normals, rotations, shifts)[0]


@pytest.fixture(params=list(FORMATS))
def found(request: pytest.FixtureRequest) -> Study:
    return study(parsed(FORMATS[request.param](doll())))


def test_every_format_becomes_the_same_model(found: Study) -> None:
    d = doll()
    assert np.allclose(found.model.positions, d.positions, atol=1e-5)
    corners = found.model.positions[found.model.triangles]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
    assert (outward > 0).all()


def test_geometry_says_which_eye_a_morph_closes(found: Study) -> None:
    """Names here say nothing of sides; the left is at +x."""
    told = describe(found)
    assert told["head_box"]["top"] == pytest.approx(12, abs=0.06)
    assert told["head_box"]["chin"] == pytest.approx(10, abs=0.06)
    left = found.annotation.morphs["eye_left"]  # type: ignore[union-attr]
    moved = found.model.positions[found.moved[left.morph].rows]
    assert (moved[:, 0] > 0).all()
    assert not told["missing"]
    json.dumps(told, allow_nan=False)


def test_names_that_swap_the_sides_are_overruled() -> None:
    found = study(parsed(pmx(doll(("ウィンク２右", "ウィンク２", "まばたき", "あ")))))
    assert describe(found)["morphs"]["eye_left"] == "ウィンク２右"


def test_nameless_models_are_understood() -> None:
    d = doll(("x1", "x2", "x3", "x4"))
    d.bones = [(f"b{k}", place, parent) for k, (_, place, parent) in enumerate(d.bones)]
    told = describe(study(parsed(pmx(d))))
    assert (told["morphs"]["eye_left"], told["morphs"]["eye_right"]) == ("x1", "x2")
    assert told["morphs"]["mouth_a"] == "x4"
    assert told["bones_by_meaning"]["head"] == "b2"


def test_strands_and_buns_are_no_skull() -> None:
    d = doll()
    first = len(d.positions)
    strand = np.array([[-0.5, 12.2, 0], [0.5, 12.2, 0], [0.5, 12.23, 0], [-0.5, 12.23, 0]])
    bun = np.array([[-0.3, 11.9, -0.1], [0.3, 11.9, -0.1], [0.3, 12.5, -0.1], [-0.3, 12.5, -0.1]])
    d.positions = np.concatenate([d.positions, strand, bun])
    d.quads = np.concatenate([d.quads, [range(first, first + 4), range(first + 4, first + 8)]])
    d.bone = np.concatenate([d.bone, [2] * 4, [3] * 4])
    d.bones.append(("bun", (0.0, 12.0, 0.0), 2))
    assert describe(study(parsed(pmx(d))))["head_box"]["top"] == pytest.approx(12, abs=0.06)


def test_a_common_blink_is_split_where_there_are_no_winks() -> None:
    d = doll()
    del d.morphs["wink_a"], d.morphs["wink_b"]
    d.morphs = {"blink": d.morphs["blink"], "z1": {}, "z2": {}, "a": d.morphs["a"]}
    found = study(parsed(pmx(d)))
    moved = posed(found, Pose(eye_left=1)) - posed(found, Pose())
    rows = np.abs(moved).max(1) > 1e-4
    assert rows.any() and (found.model.positions[rows, 0] > 0).all()


@pytest.mark.parametrize(
    ("pose", "point", "way"),
    [
        (Pose(neck_z=1), (0.0, 12.0, 0.0), (-1, 0, 0)),  # the skull goes to the viewer's left
        (Pose(neck_y=1), (0.3, 11.0, 0.1), (0, 0, 1)),  # the character's left eye comes forward
        (Pose(neck_x=1), (0.0, 12.0, 0.0), (0, 0, -1)),  # looks up: the skull goes back
        (Pose(body_z=1), (0.0, 12.0, 0.0), (0, 0, 0)),  # no spine bone: nothing
    ],
)
def test_signs(found: Study, pose: Pose, point: tuple[float, ...], way: tuple[int, ...]) -> None:
    rest, moved = posed(found, Pose()), posed(found, pose)
    nearest = int(np.linalg.norm(found.model.positions - np.array(point), axis=1).argmin())
    shift = moved[nearest] - rest[nearest]
    axis = int(np.abs(way).argmax())
    assert shift[axis] * way[axis] > 0.05 if any(way) else np.abs(shift).max() < 1e-5


def test_neck_z_is_fifteen_degrees_about_the_neck_root(found: Study) -> None:
    rest, moved = posed(found, Pose()), posed(found, Pose(neck_z=1))
    root = np.array([0, 9.4])
    head = found.anatomy.on_head  # type: ignore[union-attr]
    a, b = rest[head][:, :2] - root, moved[head][:, :2] - root
    angles = np.degrees(np.arctan2(b[:, 1], b[:, 0]) - np.arctan2(a[:, 1], a[:, 0]))
    assert np.allclose(angles, 15, atol=0.01)


def test_dual_quaternions_and_bends_agree_for_one_bone() -> None:
    plain, dual = (parsed(pmx(doll(), version)) for version in (2.0, 2.1))
    posture = Posture(turns={2: turn((0, 0, 1), 0.5)}, shifts={1: np.array([0.1, 0.2, 0.3], np.float32)})
    out = []
    for model in (plain, dual):
        puppet = Puppet(Study(model, [], None, None))
        rotations, shifts = puppet.skeleton.pose(posture, {})
        out.append(Skin(model).apply(model.positions, model.normals, rotations, shifts)[0])
    assert np.allclose(*out, atol=1e-4)


def test_motions_are_smooth_between_key_frames() -> None:
    quarter = (0.0, 0.0, math.sin(0.25), math.cos(0.25))
    motion = parse_motion(vmd([("head", 0, (0, 0, 0, 1)), ("head", 30, quarter)]), "m")
    model = parsed(pmx(doll()))
    angles = [2 * math.asin(posture_at(motion, model, f).turns.get(2, np.zeros(4))[2]) for f in (0, 15, 30, 99)]
    assert angles == pytest.approx([0, 0.25, 0.5, 0.5], abs=0.01)


def test_a_model_in_a_zip_file_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "climbs.zip", "w") as file:
        file.writestr("../../doll.pmx", pmx(doll()))
    with pytest.raises(ModelError, match="unpack it and name the file"):
        read_model(tmp_path / "climbs.zip")
    (tmp_path / "text.pmx").write_text("hello")
    with pytest.raises(ModelError, match="take another file, or get it again"):
        read_model(tmp_path / "text.pmx")


def test_textures_are_found_by_any_spelling_in_zip_files(tmp_path: Path) -> None:
    """Shift-JIS names without a mark, other case, backslashes; the picture stands the right way up."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:16] = (255, 0, 0)  # the head, but for its chin
    Image.fromarray(picture).save(tmp_path / "t.png")
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as file:
        file.writestr("##/model.pmx", pmx(doll(), texture="TEX\\肌.PNG"))
        file.writestr("##/tex/@@.png", (tmp_path / "t.png").read_bytes())
    raw = (tmp_path / "raw.zip").read_bytes().replace(b"##", "人".encode("cp932")).replace(b"@@", "肌".encode("cp932"))
    (tmp_path / "pack.zip").write_bytes(raw)
    model = read_model(tmp_path / "pack.zip")
    assert model.textures[0].data is not None
    with Photographer() as photographer:
        rgba = photographer.draw(Shot(tmp_path / "pack.zip", size=128, shading="phong"))
    assert rgba[40, 64, 0] > 100 > rgba[120, 64, 0]


def test_paths_do_not_climb_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "m").mkdir()
    storage = Folder(tmp_path / "m")
    for reference in (
        "../secret.png",
        "a/../../secret.png",
        str(tmp_path / "secret.png"),
        "..\\secret.png",
        "",
        "C:\\x",
    ):
        assert storage.find(reference) is None


def hostile() -> dict[str, bytes]:
    head = b"PMX " + struct.pack("<f", 2.0) + bytes([8, 1, 0, 2, 1, 1, 1, 1, 1]) + bytes(16)
    good, d = pmx(doll()), doll()
    circle = doll()
    circle.bones = [("a", (0, 0, 0), 1), ("b", (0, 0, 0), 0), ("head", (0, 1, 0), 1)]
    nan = doll()
    nan.positions[3, 1] = math.nan
    return {
        "two billion vertices": head + struct.pack("<i", 2**31 - 1),
        "minus one vertex": head + struct.pack("<i", -1),
        "cut short": good[: len(good) // 2],
        "bones in a circle": pmx(circle),
        "nan": pmx(nan),
        "nan in a vrm": vrm(nan, False),
        "deep json": struct.pack("<III", 0x46546C67, 2, 0) + struct.pack("<II", 200_000, 0x4E4F534A) + b"[" * 200_000,
        "no humanoid": glb({"asset": {}}, b""),
        "many zeros": glb({"extensions": {"VRMC_vrm": {}}, "nodes": [{"mesh": 0}], "accessors": [
            {"componentType": 5126, "type": "VEC3", "count": 2**31}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}]}, b""),
        "no model": b"hello",
        "empty": b"",
        "vmd": vmd([])[:-4] + pmx(d)[:3],
    }  # fmt: skip


@pytest.mark.parametrize("what", list(hostile()))
def test_hostile_files_get_a_sentence(what: str) -> None:
    with pytest.raises(ModelError, match=r"^doll .*[:;] ?\w+") as raised:
        parsed(hostile()[what])
    assert "\n" not in str(raised.value)


def test_fuzzed_files_give_a_model_or_a_sentence() -> None:
    rng, start, refused = random.Random(3), time.perf_counter(), 0
    sources = [make(doll()) for make in FORMATS.values()]
    for k in range(300):
        data = bytearray(sources[k % len(sources)])
        for _ in range(rng.choice((1, 2, 20))):
            at = rng.randrange(len(data))
            data[at : at + rng.choice((0, 1, 4))] = rng.choice(
                (b"", b"\xff\xff\xff\x7f", b"\xff" * 4, bytes([rng.randrange(256)]), b"\0\0\xc0\x7f", b'"x"')
            )
        try:
            found = study(parsed(bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data))))])))
            posed(found, Pose.from_values([1.0] * 19))
        except ModelError:
            refused += 1
    assert 20 < refused < 300
    assert time.perf_counter() - start < 180


def test_marks_win_over_what_was_found_and_survive(tmp_path: Path) -> None:
    path = tmp_path / "a" / "doll.pmx"
    path.parent.mkdir()
    path.write_bytes(pmx(doll()))
    found = study(read_model(path))
    marks = Marks.beside(tmp_path)
    marks.put(path, Mark(12.5, 9.5, {"eye_left": ("wink_b", "whole"), "mouth_a": ("", "whole")}))
    annotation = Marks.beside(tmp_path).of(path, found)
    assert annotation is not None and (annotation.top, annotation.chin) == (12.5, 9.5)
    assert found.model.morphs[annotation.morphs["eye_left"].morph].name == "wink_b"
    assert annotation.missing == ["mouth_a"]
    (tmp_path / "annotations.json").write_text('{"version": 1, "models": 3}')
    with pytest.raises(ModelError, match="mend it"):
        Marks.beside(tmp_path)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "puppeteer.models3d", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8")


def test_command_line(tmp_path: Path) -> None:
    for name, make in FORMATS.items():
        (tmp_path / name.replace(" ", "_")).with_suffix(SUFFIX[name]).write_bytes(make(doll()))
    models = sorted(p for p in tmp_path.iterdir())
    pictures = []
    for model in models:
        out = tmp_path / "out.png"
        done = run("show", model, "--output", out, "--size", "128", "--eye-left", "1", "--neck_z", "0.5")
        assert done.returncode == 0, done.stderr
        pictures.append(np.asarray(Image.open(out)).astype(int))
    assert pictures[0].shape == (128, 128, 4) and pictures[0][64, 64, 3] == 255
    done = run("info", models[0])
    assert done.returncode == 0 and json.loads(done.stdout)["morphs"]["mouth_a"] == "a"
    for wrong in (
        ("show", models[0], "--output", tmp_path / "no" / "x.png"),
        ("show", tmp_path / "none.vrm", "--output", tmp_path / "x.png"),
        ("show", models[0], "--output", tmp_path / "x.png", "--neck-x", "nan"),
        ("info", tmp_path),
    ):
        done = run(*wrong)
        assert done.returncode == 2 and "Traceback" not in done.stderr and done.stderr.strip()


@real
def test_real_models_are_annotated() -> None:
    gene = describe(study(read_model(SHARED / "gene" / "Gene_light.pmx")))
    assert (gene["morphs"]["eye_left"], gene["morphs"]["eye_right"]) == ("ウィンク２", "ｳｨﾝｸ２右")
    assert gene["head_box"]["chin"] == pytest.approx(16.66, abs=0.09)
    godette = [describe(study(read_model(next((SHARED / f).glob("*.vrm"))))) for f in ("godette_vrm0", "godette_vrm1")]
    assert godette[0]["head_box"] == godette[1]["head_box"]
    assert godette[0]["joints"]["neck_root"][0] == pytest.approx(0, abs=1e-4)


@real
def test_tips_of_hair_swing_a_little_however_long_a_lock_is() -> None:
    found = study(read_model(SHARED / "gene" / "Gene_light.pmx"))
    moved = np.linalg.norm(posed(found, Pose(hair_x=1)) - posed(found, Pose()), axis=1) / Puppet(found).spec_px
    assert 4 < moved.max() < 12


@real
def test_formats_of_one_character_look_alike() -> None:
    pairs = (
        ("gene/Gene_light.pmx", "gene/Gene_light.pmd"),
        ("godette_vrm0/Godette_vrm_v4.vrm", "godette_vrm1/Godette_vrm1_adapted.vrm"),
    )
    with Photographer() as photographer:
        for pair in pairs:
            pictures = []
            for name in pair:
                rgba = photographer.draw(Shot(SHARED / name, Pose(eye_left=1, neck_y=0.5), 256, "phong")) / 255
                pictures.append(rgba * np.concatenate([rgba[..., 3:]] * 3 + [np.ones_like(rgba[..., 3:])], -1))
            error = ((pictures[0] - pictures[1]) ** 2).mean()
            assert -10 * math.log10(error + 1e-12) > 30


@real
def test_versions_of_one_character_differ_by_the_values_of_their_toon_shading_alone() -> None:
    """Those of the 1.0 file were converted without migrating them; geometry and pictures are the same."""
    old, new = (
        read_model(SHARED / name)
        for name in ("godette_vrm0/Godette_vrm_v4.vrm", "godette_vrm1/Godette_vrm1_adapted.vrm")
    )
    assert np.allclose(new.positions[new.triangles], old.positions[old.triangles], atol=1e-5)
    assert np.array_equal(new.uvs[new.triangles], old.uvs[old.triangles])
    plain = {"mtoon": None, "edge_size": 0.0, "edge_colour": (0.0, 0.0, 0.0, 1.0), "diffuse": (1.0, 1.0, 1.0, 1.0)}
    for mine, theirs in zip(new.materials, old.materials, strict=True):
        assert mine.diffuse == pytest.approx(theirs.diffuse)
        assert replace(mine, **plain) == replace(theirs, **plain)
    shifts = [[part.mtoon.shift for part in model.materials[:2] if part.mtoon] for model in (old, new)]
    assert shifts == [pytest.approx([0.305, 0.1151]), pytest.approx([-0.45, -0.239])]
