"""Training: data from a seed, its mirror image, losses that fall, runs that go on where they stopped."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from puppeteer.errors import RenderError
from puppeteer.networks.compact import CompactConfig, Morpher, Rotator, pixel_grid, sample
from puppeteer.training import dataset, export, losses, train
from puppeteer.training.dataset import Shards, flipped, morpher_batch, rotator_batch, shifted


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    try:
        dataset.generate(folder, 0, 2, "train", workers=1)
    except RenderError as error:
        pytest.skip(f"no OpenGL here: {error}")
    return folder


def test_a_seed_range_is_rendered_once_and_again_the_same(data: Path, tmp_path: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in data.rglob("*.npy")}
    dataset.generate(data, 0, 2, "train", workers=1)
    assert {p: p.stat().st_mtime_ns for p in data.rglob("*.npy")} == before
    dataset.generate(tmp_path / "again", 0, 2, "train", workers=1)
    for path in data.rglob("*.npy"):
        again = tmp_path / "again" / path.relative_to(data)
        assert np.array_equal(np.load(path), np.load(again)), path.name


def test_true_flow_explains_what_was_visible(data: Path) -> None:
    """Warping the picture before the rotation with the true flow gives the picture after it."""
    batch = rotator_batch([Shards(data).row(k) for k in range(2)], None, dataset.ROTATIONS)
    small, true = (torch.nn.functional.avg_pool2d(x, 2) for x in (batch.morphed, batch.target))
    warped = sample(small, pixel_grid(128, 128, torch.device("cpu")) + batch.move)
    visible = (batch.visible > 0) & (batch.part > 0)
    moved = (true - warped).abs().mean(1)[visible].mean()
    still = (true - small).abs().mean(1)[visible].mean()
    assert moved < 0.35 * still


def test_mirrored_rows_are_the_mirror_image(data: Path) -> None:
    row = Shards(data).row(0)
    mirrored = flipped(row)
    assert np.array_equal(mirrored["rest"][:, ::-1], row["rest"])
    assert mirrored["expression"][0, 0] == row["expression"][0, 1]
    assert np.array_equal(mirrored["neck"][:, [0, 2]], -row["neck"][:, [0, 2]])
    back = flipped(mirrored)
    for name in row:
        assert np.array_equal(back[name], row[name]), name


def test_shifted_rows_stay_true(data: Path) -> None:
    """The truth moves with the pictures: what it explained before, it explains after."""
    row = Shards(data).row(0)
    assert all(np.array_equal(a, b) for a, b in zip(shifted(row, 0, 0).values(), row.values(), strict=True))
    moved = shifted(row, 3, -2)
    assert np.array_equal(moved["rest"][:-4, 6:], row["rest"][4:, :-6])
    assert np.array_equal(moved["morphed"][:, :-4, 6:], row["morphed"][:, 4:, :-6])
    assert np.array_equal(moved["rotate_part"][:, :-2, 3:], row["rotate_part"][:, 2:, :-3])
    assert np.array_equal(moved["rotate_move"][:, :-2, 3:], row["rotate_move"][:, 2:, :-3])


def test_every_cycle_of_the_rate_warms_up_and_ends_low() -> None:
    rates = [train.rate(step, [1000, 2000], [1.0]) for step in range(3000)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[999] < 0.02 and rates[2999] < 0.02 and rates[1000] < 0.02
    assert rates[1000 + train.WARM_UP] > 0.9
    lower = [train.rate(step, [1000, 2000], [1.0, 0.5]) for step in range(3000)]
    assert lower[:1000] == rates[:1000] and max(lower[1000:]) == pytest.approx(0.5)


def test_gradients_reach_every_parameter(data: Path) -> None:
    rows = [Shards(data).row(0)]
    torch.manual_seed(0)
    morpher, rotator = Morpher(CompactConfig()), Rotator(CompactConfig())
    small, large = morpher_batch(rows, None), rotator_batch(rows, None, 4)
    sum(losses.morpher_step(morpher, small, small.rest)[0].values()).backward()
    sum(losses.rotator_step(rotator, large, large.rest, flow_only=False)[0].values()).backward()
    for network in (morpher, rotator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_the_layers_cover_each_place_once(data: Path) -> None:
    rotator = Rotator(CompactConfig()).eval()
    batch = rotator_batch([Shards(data).row(0)], None, 4)
    with torch.inference_mode():
        _, layers, validity = rotator.place(rotator.encode(batch.rest), batch.neck)[:3]
    assert torch.allclose(layers.sum(1), torch.ones(()), atol=1e-5)
    assert validity.min() >= 0 and validity.max() <= 1.0001


def options(data: Path, run: Path, steps: int) -> argparse.Namespace:
    return argparse.Namespace(
        part="morpher",
        data=data,
        run=run,
        start=None,
        cycles=[steps],
        flow_steps=0,
        characters=1,
        poses=2,
        rate=[1e-3],
        seed=0,
        threads=1,
        hours=0.0,
        save_minutes=10.0,
        look=[data, run / "nowhere"],
    )


def test_a_run_learns_is_logged_and_goes_on(data: Path, tmp_path: Path) -> None:
    def colour_losses() -> list[float]:
        text = (tmp_path / "morpher.csv").read_text().splitlines()[1:]
        return [float(line.split("colour=")[1].split()[0]) for line in text]

    train.train(options(data, tmp_path, 2))
    assert torch.load(tmp_path / "morpher.pt", weights_only=True)["step"] == 2
    assert (tmp_path / "morpher-000002.png").stat().st_size > 10_000
    export.lighten(tmp_path / "morpher.pt", tmp_path / "morpher.pt")  # a light one will do
    train.train(options(data, tmp_path, 40))
    assert torch.load(tmp_path / "morpher.pt", weights_only=True)["step"] == 40
    first, last = colour_losses()
    assert last < 0.95 * first


def test_two_processes_learn_what_one_does(data: Path, tmp_path: Path) -> None:
    """torchrun with two gloo processes of one character each, against one process with both characters."""

    def run(name: str, launcher: list[str], characters: int) -> dict[str, float]:
        arguments = f"morpher --data {data} --run {tmp_path / name} --cycles 8 --characters {characters}"
        command = [sys.executable, *launcher, "puppeteer.training.train", *arguments.split()]
        # The loopback by name: a machine's own name may not resolve to an address it can reach itself at.
        loopback = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
        environment = {**os.environ, **loopback, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr[-6000:]
        line = (tmp_path / name / "morpher.csv").read_text().splitlines()[-1]
        return {k: float(v) for k, v in (pair.split("=") for pair in line.split(",")[2].split())}

    def weights(name: str) -> torch.Tensor:
        state = torch.load(tmp_path / name / "morpher.pt", weights_only=True)["network"]
        return torch.cat([value.float().flatten() for value in state.values()])

    one = run("one", ["-m"], 2)
    two = run(
        "two",
        [
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--local-addr",
            "127.0.0.1",
            "--nproc-per-node",
            "2",
            "-m",
            "--",
        ],
        1,
    )
    # Not equal: each process weighs the pixels of its own characters, of which few slide in some (`flow`).
    assert {k: two[k] for k in one} == pytest.approx(one, rel=0.15)
    assert two["picture"] == pytest.approx(one["picture"], rel=0.05)
    torch.manual_seed(0)
    start = torch.cat([p.detach().flatten() for p in Morpher(CompactConfig()).state_dict().values()])
    learned, difference = (weights("one") - start).norm(), (weights("two") - weights("one")).norm()
    assert difference < 0.35 * learned
