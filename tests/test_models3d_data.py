"""Training data of 3D models: shards as training reads them, and rows that the rig's training takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models3d_files import doll, pmx

from puppeteer.errors import ModelError
from puppeteer.models3d.annotation import study
from puppeteer.models3d.dataset import entries
from puppeteer.models3d.model import Model
from puppeteer.models3d.posing import Puppet
from puppeteer.models3d.reading import parse_model
from puppeteer.models3d.sampling import drawn_pose, random_pose
from puppeteer.models3d.storage import Folder
from puppeteer.networks.rig import motion
from puppeteer.pose import NUMBERS, POSE_NAMES, Pose
from puppeteer.training.dataset import ARRAYS, Shards
from puppeteer.training.models import Mixed, ModelRows, relief_depth
from puppeteer.training.ring import FIELDS, Ring, Source

ROOT = Path(__file__).resolve().parent.parent


def _rendered(folder: Path, *more: str) -> list[str]:
    """What `render` of `folder`/m into `folder`/data prints."""
    words = (folder / "m", "--output", folder / "data", "--poses", "4", *more)
    done = subprocess.run(
        [sys.executable, "-m", "puppeteer.models3d", "render", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _put(folder: Path, name: str) -> None:
    (folder / "m" / name).mkdir(parents=True)
    (folder / "m" / name / "doll.pmx").write_bytes(pmx(doll()))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("one", "two"):
        _put(folder, name)
    assert _rendered(folder, "--test", "two")[0].split() == ["models", "poses", "pictures"]
    return folder / "data"


def _shards(folder: Path) -> dict[str, set[str]]:
    return {
        name: {shard.name for shard in (folder / "data" / name).glob("*")} for name in ("train", "validation", "test")
    }


def test_a_data_set_grows_with_its_models_and_none_is_in_two_sets(tmp_path: Path) -> None:
    for name in ("bbb", "ccc"):
        _put(tmp_path, name)
    _rendered(tmp_path, "--test", "bbb")
    first = _shards(tmp_path)
    assert [len(first[name]) for name in ("train", "validation", "test")] == [1, 0, 1]
    _put(tmp_path, "aaa")  # which comes before the others
    _rendered(tmp_path, "--test", "ccc")
    second = _shards(tmp_path)
    assert second["test"] == first["train"], "a model goes into another set with what was made of it"
    assert first["test"] < second["train"] and len(second["train"]) == 2, "and a new one is made"


def test_a_folder_is_in_one_set(data: Path) -> None:
    told = json.loads((data / "models.json").read_text())
    assert told["models"] == {"train": 1, "validation": 0, "test": 1}
    with pytest.raises(ModelError, match="links are not followed"):
        entries(data / "train")


def test_shards_are_as_training_reads_them(data: Path) -> None:
    row = Shards(data / "train").row(0)
    assert {name: row[name].shape for name in ARRAYS} == {name: shape for name, (shape, _) in ARRAYS.items()}
    (shard,) = (data / "train").iterdir()
    seen = np.load(shard / "rotate_visible.npy") * (np.load(shard / "rotate_part.npy") > 0)
    assert seen.mean() > 0.1
    poses = np.load(shard / "pose.npy")
    assert poses.shape == (1, 4, len(NUMBERS)) and np.load(shard / "posed.npy").shape == (1, 4, 256, 256, 4)


def test_numbers_that_a_model_lacks_stay_at_rest() -> None:
    able = Puppet(study(read_doll())).able()
    assert {"eye_left", "eye_right", "mouth_open", "neck_z", "neck_x", "neck_y", "eye_wide"} <= able
    assert not {"gaze_x", "mouth_wide", "hair_x", "brow_form"} & able
    rng = np.random.default_rng(0)
    drawn = np.array([random_pose(rng, able).array() for _ in range(200)])
    lacking = [k for k, name in enumerate(POSE_NAMES) if name not in able]
    assert not drawn[:, lacking].any()
    every = np.array([random_pose(rng, POSE_NAMES).array() for _ in range(400)])
    assert (np.abs(every).max(0) == 1).all() and (every[:, 6:] == 0).any(0).all()
    assert np.abs(np.array([drawn_pose(rng, POSE_NAMES).array() for _ in range(50)])[:, 3:6]).max() <= 0.5


def read_doll() -> Model:
    return parse_model(pmx(doll()), "doll", Folder(ROOT))


def test_depth_of_models_turns_them_in_the_rig_as_their_bones_do() -> None:
    depth = np.linspace(-50, 60, 23, dtype=np.float32)
    told = torch.from_numpy(relief_depth(depth))[None, None, None]
    points, tip = torch.full((1, 2, 1, 23), 128.0), torch.tensor([128.0, 170.0])
    one = torch.ones(1)
    across = motion.bent(points, told, torch.ones(1, 1, 1, 23), tip, 0 * one, one)[0, 0, 0].numpy() - 128
    assert np.allclose(across, -depth * np.sin(motion.RANGE), atol=1e-3)


def test_generated_and_loaded_characters_mix_in_one_run(data: Path) -> None:
    rows = ModelRows(data / "train")
    row: dict[str, Any] = rows.row(0)
    assert {name: (value.shape, value.dtype) for name, value in row.items()} == {
        name: (shape, np.dtype(kind)) for name, (shape, kind) in FIELDS.items()
    }
    with Ring(Source(FIELDS, Mixed(data / "train", 0.5)), 8, 1) as ring:
        seeds = [int(row["seed"]) for row in ring.take(8, least=8)]
    assert {seed >= 900_000_000 for seed in seeds} == {True, False}
    with pytest.raises(ModelError, match="models3d render"):
        Mixed(data, 0.5)


def test_a_pose_carries_the_joints() -> None:
    puppet = Puppet(study(read_doll()))
    rest, leant = puppet.joints(Pose()), puppet.joints(Pose(neck_z=1, neck_y=1))
    assert np.allclose(rest[0], leant[0], atol=1e-5), "the root stays where it is"
    arm = rest[1, :2] - rest[0, :2]
    turn = np.radians(15)
    expected = np.array([arm[0] * np.cos(turn) - arm[1] * np.sin(turn), arm[0] * np.sin(turn) + arm[1] * np.cos(turn)])
    assert np.allclose(leant[1, :2] - leant[0, :2], expected, atol=1e-4)
