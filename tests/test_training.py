"""Training: data from a seed, its mirror image, losses that reach everything, runs that go on where they stopped."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from puppeteer.errors import RenderError
from puppeteer.networks.compact import TRAINED, Compact
from puppeteer.training import all as everything
from puppeteer.training import dataset, export, eyes, face, learning, morpher, plot, rig, sheets
from puppeteer.training.dataset import Shards
from puppeteer.training.learning import Kept, Learner, Machine, Planes, Task, checkpoint, learn, stacked
from puppeteer.training.morpher import flipped, shifted
from puppeteer.training.restyle import Dice, Placing
from puppeteer.training.ring import Ring, Row, Source

CPU = torch.device("cpu")
HERE = Machine(CPU, 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    try:
        dataset.generate(folder, 0, 2, "train", workers=1)
    except RenderError as error:
        pytest.skip(f"no OpenGL here: {error}")
    return folder


@pytest.fixture(scope="module")
def drawn(data: Path) -> Iterator[list[Row]]:
    """Two characters for the rig, from a ring."""
    with Ring(rig.TASK.source, 2, 1) as ring:
        yield ring.take(2, 2)


def test_a_seed_range_is_rendered_once_and_again_the_same(data: Path, tmp_path: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in data.rglob("*.npy")}
    dataset.generate(data, 0, 2, "train", workers=1)
    assert {p: p.stat().st_mtime_ns for p in data.rglob("*.npy")} == before
    dataset.generate(tmp_path / "again", 0, 2, "train", workers=1)
    for path in data.rglob("*.npy"):
        again = tmp_path / "again" / path.relative_to(data)
        assert np.array_equal(np.load(path), np.load(again)), path.name


def test_mirrored_rows_are_the_mirror_image(data: Path) -> None:
    planes = stacked(Shards(data).take(2), CPU)
    mirrored = flipped(planes, torch.tensor([True, False]))
    assert torch.equal(mirrored["rest"][0].flip(1), planes["rest"][0])
    assert mirrored["expression"][0, 0, 0] == planes["expression"][0, 0, 1]
    back = flipped(mirrored, torch.tensor([True, False]))
    for name, plane in planes.items():
        assert torch.equal(mirrored[name][1], plane[1]), name
        assert torch.equal(back[name], plane), name


def test_shifted_rows_stay_true(data: Path) -> None:
    """The truth moves with the pictures: what it explained before, it explains after."""
    planes = stacked(Shards(data).take(2), CPU)
    moved = shifted(planes, torch.tensor([5, 0]), torch.tensor([-4, 0]))
    for name, axis in (("rest", 0), ("morphed", 1), ("morph_move", 1), ("morph_part", 1)):
        assert torch.equal(moved[name][1], planes[name][1]), name
        before, after = (x[name][0].movedim((axis, axis + 1), (0, 1)) for x in (planes, moved))
        assert torch.equal(after[:-4, 5:], before[4:, :-5]), name


def test_each_character_of_a_data_set_comes_before_any_comes_again(data: Path) -> None:
    shards = Shards(data)
    assert {int(row["seed"]) for row in shards.take(2)} == {0, 1}
    assert len(shards.take(5)) == 5 and (shards.new, shards.taken) == (2, 7)


def test_a_data_set_that_is_empty_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no shards"):
        Shards(tmp_path).take(1)


def test_a_ring_has_new_characters_first(drawn: list[Row]) -> None:
    assert {int(row["seed"]) for row in drawn} == {0, 1}
    for row in drawn:
        assert {name: value.shape for name, value in row.items()} == {
            name: shape for name, (shape, _) in rig.TASK.source.fields.items()
        }
        apart = np.abs(row["seen"].astype(int).sum(0) - row["rest"][..., 3])
        assert np.mean(apart > 64) < 0.03  # what belongs to no layer, such as a halo


def _losses(task: Task, rows: list[Row], device: torch.device) -> tuple[nn.Module, learning.Losses]:
    torch.manual_seed(0)
    rng = np.random.default_rng(3)
    networks = task.networks().to(device)
    return networks, task.losses(networks, task.batch(stacked(rows, device), rng), rng)


@pytest.fixture(params=[morpher.TASK, rig.TASK, eyes.TASK, face.TASK], ids=lambda task: task.name)
def task(request: pytest.FixtureRequest) -> Task:
    chosen: Task = request.param
    return chosen


@pytest.fixture
def rows(data: Path, drawn: list[Row], task: Task) -> list[Row]:
    """Two characters for a task."""
    if task is morpher.TASK:
        return Shards(data).take(2)
    if task is rig.TASK:
        return drawn
    with Ring(task.source, 2, 1) as ring:
        return ring.take(2, 2)


def test_gradients_reach_every_parameter(rows: list[Row], task: Task) -> None:
    networks, losses = _losses(task, rows, CPU)
    assert all(loss.isfinite() for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    for name, parameter in networks.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_batches_and_losses_stay_on_a_card(rows: list[Row], task: Task) -> None:
    """Everything on a device that is not the CPU: what a batch or a loss would make elsewhere raises."""
    device = torch.device("meta")
    networks, losses = _losses(task, rows, device)
    assert {loss.device for loss in losses.values()} == {device}
    torch.stack(list(losses.values())).sum().backward()
    assert {p.grad.device for p in networks.parameters() if p.grad is not None} == {device}


def test_another_style_changes_the_picture_and_not_what_it_shows(drawn: list[Row]) -> None:
    planes = stacked(drawn, CPU)
    plain, styled = (rig.batch_of(planes, rng) for rng in (None, np.random.default_rng(5)))
    for batch in (plain, styled):
        assert (batch.labels.sum(1) - 1).abs().max() < 1e-4
        assert (batch.rest[:, :3] <= batch.rest[:, 3:] + 1e-5).all() and batch.rest.min() >= 0
        assert batch.colour.min() >= 0 and batch.colour.max() <= 1
    dice = Dice(np.random.default_rng(2), 2, CPU)
    rest, colour = rig.in_another_style(plain.rest, plain.labels[:, 1:], plain.colour, dice)
    assert (rest[:, :3] - plain.rest[:, :3]).abs().mean() > 0.02
    still = (colour - plain.colour).abs().mean((1, 2, 3, 4))
    assert still.max() > 0.02  # the complete layers have the picture's new colours


def test_what_is_moved_lies_where_places_says() -> None:
    dice = Dice(np.random.default_rng(4), 6, CPU)
    placing = Placing.of(dice, 64, (0.9, 1.1), 0.05, 0.1, 0.05, (0.0, 0.2))
    at = torch.tensor([[20, 30], [40, 44]])
    dots = torch.zeros(6, 2, 64, 64)
    for k, (x, y) in enumerate(at.tolist()):
        dots[:, k] = torch.exp(-((torch.arange(64) - x) ** 2 + (torch.arange(64)[:, None] - y) ** 2) / 8.0)
    moved = placing.moved(dots).flatten(2).argmax(2)
    wanted = (placing.places(((at + 0.5) / 32 - 1).expand(6, 2, 2)) + 1) * 32 - 0.5
    found = torch.stack([moved % 64, moved // 64], 2)
    assert (found - wanted).abs().max() < 1.5


def test_a_card_keeps_characters_and_takes_the_newest_in() -> None:
    class Counting(Given):
        def take(self, count: int, least: int = 1) -> list[Row]:
            self.new += count
            return [{"x": np.full(3, self.new, np.float32)}] * count

    feed = Counting()
    kept = Kept(feed, CPU, 40)
    rng = np.random.default_rng(0)
    kept.gather(0)
    assert set(kept.take(8, rng)["x"].unique().tolist()) == {1.0}
    kept.gather(60)
    assert feed.new == 49  # it is full, and brings no more
    kept.bring(feed.take(24))
    planes = kept.take(200, rng)
    assert planes["x"].shape == (200, 3) and set(planes["x"].unique().tolist()) == {49.0, 73.0}


class Given:
    """A feed of rows that are there already."""

    def __init__(self) -> None:
        self.new = self.taken = 0

    def take(self, count: int, least: int = 1) -> list[Row]:
        self.new += count
        self.taken += count
        return [{"x": np.ones(4, np.float32)}] * count

    def fresh(self, most: int) -> list[Row]:
        return self.take(most)


def _line(fails: bool = False) -> Task:
    """Learns that ones make 3."""

    def losses(network: Any, batch: torch.Tensor, rng: np.random.Generator) -> learning.Losses:
        wrong = (network(batch) - 3).square().mean()
        return {"square": wrong * (float("nan") if fails else 1.0)}

    def batch(planes: Planes, rng: np.random.Generator) -> torch.Tensor:
        return planes["x"]

    source = Source({"x": ((4,), np.float32)}, lambda *given: {})
    return Task("line", lambda: nn.Linear(4, 1), source, batch, losses, slots=4, rate=0.05, sizes={"cpu": 2, "cuda": 8})


def test_a_run_learns_is_logged_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(learning.time, "monotonic", lambda: next(ticks) / 100)  # time passes by being looked at
    task = _line()
    learn(task, tmp_path, 0.1, HERE, feed=Given())
    first = checkpoint(tmp_path, task)
    assert first is not None and first["step"] > 150 and first["minutes"] == pytest.approx(0.1, rel=0.05)
    learn(task, tmp_path, 0.2, HERE, begun=0.33, feed=Given())
    second = checkpoint(tmp_path, task)
    assert second is not None and second["step"] > 2 * first["step"]
    assert second["seed"] > first["seed"] and second["minutes"] == pytest.approx(0.3, rel=0.05)
    with (tmp_path / "line.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["losses"].removeprefix("square=")) for row in rows]
    assert losses[-1] < 0.1 * losses[0]
    steps = [int(row["step"]) for row in rows]
    assert steps == sorted(set(steps))


def test_the_rate_warms_up_and_ends_low() -> None:
    learner = Learner(_line(), CPU)
    rates = []
    for step in range(learning.WARM_UP + 1):
        learner.learn(torch.ones(1, 4), np.random.default_rng(0), 0.0)
        rates.append(learner.optimizer.param_groups[0]["lr"])
        assert len(rates) == step + 1
    assert rates[0] == pytest.approx(0.05 / learning.WARM_UP) and max(rates) == pytest.approx(0.05)
    learner.learn(torch.ones(1, 4), np.random.default_rng(0), 1.0)
    assert learner.optimizer.param_groups[0]["lr"] == pytest.approx(0.05 * learning.LAST_RATE)


def test_a_loss_that_is_not_a_number_changes_nothing() -> None:
    learner = Learner(_line(fails=True), CPU)
    before = {name: value.clone() for name, value in learner.networks.state_dict().items()}
    learner.learn(torch.ones(1, 4), np.random.default_rng(0), 0.0)
    for name, value in learner.networks.state_dict().items():
        assert torch.equal(value, before[name]) and torch.equal(learner.average[name], before[name])


def test_what_a_run_has_is_exported_and_the_rest_stays(tmp_path: Path) -> None:
    learner = Learner(rig.TASK, CPU, seed=5)
    torch.save({"average": learner.average, "step": 7, "minutes": 90.0, "seed": 123}, tmp_path / "rig.pt")
    told = export.export(tmp_path, tmp_path / "compact.pt")
    record = json.loads((tmp_path / "compact.json").read_text())
    assert record == json.loads(json.dumps(told)) and record["rig"] == {"steps": 7, "hours": 1.5, "characters": 123}
    assert record["sha256"] == hashlib.sha256((tmp_path / "compact.pt").read_bytes()).hexdigest()
    state = torch.load(tmp_path / "compact.pt", weights_only=True)
    assert {name.split(".")[0] for name in state} == set(TRAINED)
    networks, shipped = sheets.networks_of(tmp_path), sheets.networks_of(None)

    def alike(part: str) -> bool:
        pairs = zip(getattr(networks, part).parameters(), getattr(shipped, part).parameters(), strict=True)
        return all(torch.equal(a, b) for a, b in pairs)

    assert isinstance(networks, Compact)
    assert alike("morpher") and alike("face") and not alike("reader") and not alike("painter")
    half = export.weights_of(tmp_path, 0.5)
    between, ends = half[0]["reader.tell.bias"], (networks.reader.tell.bias, shipped.reader.tell.bias)
    assert torch.allclose(between.float(), sum(ends).detach() / 2, atol=1e-3) and half[1]["rig"]["share"] == 0.5
    learner.average["reader.tell.bias"] = torch.zeros(3)
    torch.save({"average": learner.average, "step": 7, "minutes": 90.0, "seed": 123}, tmp_path / "rig.pt")
    with pytest.raises(SystemExit, match="another network for rig"):
        export.weights_of(tmp_path, 0.5)


def test_a_morpher_of_all_numbers_takes_the_place_of_the_one_it_began_with(tmp_path: Path) -> None:
    three = Learner(morpher.TASK, CPU, seed=3)
    torch.save({"average": three.average, "step": 3, "minutes": 6.0, "seed": 9}, tmp_path / "morpher.pt")
    told = export.export(tmp_path, tmp_path / "compact.pt")
    assert told["morpher"]["steps"] == 3 and "face" not in told
    state = torch.load(tmp_path / "compact.pt", weights_only=True)
    kept = state["morpher.spread.weight"][: len(three.average["spread.weight"])]
    assert torch.equal(kept, three.average["spread.weight"].half())
    begun = face.begun_from(tmp_path / "morpher.pt")
    torch.save({"average": begun, "step": 5, "minutes": 12.0, "seed": 11}, tmp_path / "face.pt")
    told = export.export(tmp_path, tmp_path / "compact.pt")
    assert told["face"] == {"steps": 5, "hours": 0.2, "characters": 11}
    state = torch.load(tmp_path / "compact.pt", weights_only=True)
    assert torch.equal(state["morpher.spread.weight"], begun["spread.weight"].half())
    # a run that begins with weights of all numbers has them as they are
    again = face.begun_from(tmp_path / "face.pt")
    assert all(torch.equal(again[name], value) for name, value in begun.items())


def test_everything_is_trained_for_its_share_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float, float]] = []

    def learned(
        task: Task, run: Path, minutes: float, machine: Machine, *, begun: float, seed: int, start: Any, least: int
    ) -> None:
        asked.append((task.name, minutes, begun))
        assert seed == 4 and least <= task.least
        assert (start is not None) == (task.name == "face")  # it goes on from the morpher of three numbers

    monkeypatch.setattr(everything, "learn", learned)
    assert everything.plan(tmp_path, 100, 4) == (100, 4)
    torch.save({"minutes": 23.0}, tmp_path / "rig.pt")
    torch.save({"minutes": 30.0, "average": Learner(morpher.TASK, CPU).average}, tmp_path / "morpher.pt")
    minutes, seed = everything.plan(tmp_path, 100, 9)  # the seed of a run stays
    everything.train(tmp_path, minutes, HERE, seed)
    assert asked == [
        ("rig", pytest.approx(19.0), pytest.approx(23 / 42)),
        ("eyes", pytest.approx(8.0), 0.0),
        ("face", pytest.approx(28.0), 0.0),
    ]


def _evaluated() -> dict[str, list[float]]:
    from puppeteer.networks.compact import load
    from puppeteer.training.evaluate import evaluate

    torch.set_num_threads(1)
    return {name: list(map(float, values)) for name, values in evaluate(load(), 1).items()}


def test_the_comparison_of_the_paper(data: Path) -> None:
    pytest.importorskip("skimage")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        table = pool.submit(_evaluated).result(timeout=480)
    assert {"not moving", "warp baseline", "painted", "copied", "both", "ceiling"} < set(table)
    assert table["ceiling"][0] > table["both"][0] > table["not moving"][0]
    assert all(0 < ssim <= 1 for _, ssim in table.values())


def test_losses_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "rig.csv").write_text("step,minutes,fresh,losses\n50,1.0,1.00,split=0.5\n100,2.0,0.90,split=0.4\n")
    plot.plot(tmp_path, tmp_path / "losses.png")
    assert (tmp_path / "losses.png").stat().st_size > 5_000
