"""The loop that trains a part, resumably: on a CUDA card where there is one, in bfloat16, else on the CPU.

RUN/PART.pt is replaced every two minutes and holds all that going on needs; RUN/PART.csv is the log. Seeds of
characters go up, so a run that goes on never meets old ones.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from puppeteer.files import whole
from puppeteer.training.ring import Ring, Row, Source

AVERAGE = 0.998
WARM_UP = 100  # steps after each start
LAST_RATE = 0.02  # of the highest
SAVE_S = 120
LOG_EVERY = 50  # steps
SEEDS_APART = 1_000_000  # between the characters of runs with another seed

ON_CARD = 0.3  # of its memory, for characters that are kept there
AT_ONCE = 24  # characters that are brought there at once
DRAWS = 0.2  # of the time with a card, in which characters are drawn and nothing is trained

Losses = dict[str, Tensor]
Planes = dict[str, Tensor]  # fields of characters, (B, ...) each


@dataclass(frozen=True, slots=True)
class Task:
    """A part that is trained."""

    name: str
    networks: Callable[[], nn.Module]
    source: Source
    batch: Callable[[Planes, np.random.Generator], Any]  # on their device
    losses: Callable[[Any, Any, np.random.Generator], Losses]  # of networks and batch
    slots: int  # of the ring
    rate: float  # the highest
    sizes: dict[str, int]  # characters in a batch, by device type
    betas: tuple[float, float] = (0.9, 0.999)
    least: int = 48  # characters before the first step


class Feed(Protocol):
    """Where characters come from."""

    new: int
    taken: int

    def take(self, count: int, least: int = 1) -> list[Row]: ...

    def fresh(self, most: int) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to train on."""

    device: torch.device
    workers: int  # processes that draw
    threads: int = 1  # of torch

    @classmethod
    def found(cls) -> Machine:
        """A CUDA card with all cores but two drawing for it; else all cores but one draw for one that trains."""
        cores = os.cpu_count() or 2
        if torch.cuda.is_available():
            return cls(torch.device("cuda", 0), max(1, cores - 2))
        return cls(torch.device("cpu"), max(1, cores - 1))


def half(device: torch.device) -> AbstractContextManager[Any]:
    """Networks in bfloat16, losses and what is kept in single precision."""
    return torch.autocast(device.type, torch.bfloat16) if device.type in ("cpu", "cuda") else nullcontext()


def checkpoint(run: Path, task: Task, device: torch.device | None = None) -> dict[str, Any] | None:
    """What RUN/PART.pt holds, if it exists: networks, optimizer, average, step, minutes, seed (of the next)."""
    path = run / f"{task.name}.pt"
    if not path.is_file():
        return None
    saved: dict[str, Any] = torch.load(path, map_location=device or "cpu", weights_only=True)
    return {"minutes": 0.0, **saved}


def averages(path: Path) -> dict[str, Tensor]:
    """What a run may start from: the averages in a checkpoint, in single precision."""
    saved = torch.load(path, map_location="cpu", weights_only=True)["average"]
    return {name: value.float() for name, value in saved.items()}


class Learner:
    """Networks that learn step by step, and their average."""

    def __init__(self, task: Task, device: torch.device, rate: float | None = None, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.task, self.device, self.rate = task, device, rate or task.rate
        self.networks = task.networks().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.networks.parameters(), self.rate, task.betas, weight_decay=1e-3)
        self.average = {name: value.detach().clone() for name, value in self.networks.state_dict().items()}
        self.step = self.begun = 0

    def load(self, saved: dict[str, Any]) -> None:
        self.networks.load_state_dict(saved["networks"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.average = saved["average"]
        self.step = self.begun = int(saved["step"])

    def start_from(self, average: dict[str, Tensor]) -> None:
        """Weights that were trained before, without what their optimizer remembered."""
        self.networks.load_state_dict(average)
        self.average = {name: value.detach().clone() for name, value in self.networks.state_dict().items()}

    def learn(self, batch: Any, rng: np.random.Generator, passed: float) -> Losses:
        """One step, `passed` of the whole run is over: warm-up, then a cosine down to `LAST_RATE`."""
        losses = self.task.losses(self.networks, batch, rng)
        warm = min(1.0, (self.step - self.begun + 1) / WARM_UP)
        for group in self.optimizer.param_groups:
            cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, passed)))
            group["lr"] = self.rate * warm * (LAST_RATE + (1 - LAST_RATE) * cosine)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        if math.isfinite(float(norm)):
            self.optimizer.step()
            self._average()
        self.step += 1
        return losses

    @torch.no_grad()
    def _average(self) -> None:
        """Faster while the run is young."""
        keep = min(AVERAGE, (self.step + 2) / (self.step + 11))
        for name, value in self.networks.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)


def learn(
    task: Task,
    run: Path,
    minutes: float,
    machine: Machine,
    *,
    begun: float = 0.0,
    feed: Feed | None = None,
    size: int | None = None,
    rate: float | None = None,
    seed: int = 0,
    start: dict[str, Tensor] | None = None,
    least: int | None = None,
) -> None:
    """Trains for `minutes` more. `begun` is the share of the run that was over before, for the rate. Characters come
    from `feed`, or are drawn meanwhile; a run that begins takes over the weights in `start`."""
    run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(machine.threads)
    torch.backends.cudnn.benchmark = True
    learner = Learner(task, machine.device, rate, seed)
    spent, first = 0.0, seed * SEEDS_APART
    saved = checkpoint(run, task, machine.device)
    if saved is not None:
        learner.load(saved)
        spent, first = float(saved["minutes"]), int(saved["seed"])
    elif start is not None:
        learner.start_from(start)
    rng = np.random.default_rng([seed, learner.step])
    opened = Ring(task.source, task.slots, machine.workers, first, "train", learner.step) if feed is None else feed
    began = time.monotonic()

    def save() -> None:
        state = {
            "networks": learner.networks.state_dict(),
            "optimizer": learner.optimizer.state_dict(),
            "average": learner.average,
            "step": learner.step,
            "minutes": spent + (time.monotonic() - began) / 60,
            "seed": first + opened.new + task.slots + machine.workers,
        }
        with whole(run / f"{task.name}.pt") as draft:
            torch.save(state, draft)

    size = size or task.sizes[machine.device.type]
    with opened if isinstance(opened, Ring) else nullcontext():
        opened.take(1, task.least if least is None else least)
        saved_at = time.monotonic()
        log = Log(run / f"{task.name}.csv")
        draw_s = DRAWS * 60 * minutes
        with _batches(task, opened, size, rng, machine.device, draw_s) as batches:
            trains = time.monotonic()
            left_s = max(60 * minutes - (trains - began), 1.0)
            while (passed := (time.monotonic() - trains) / left_s) < 1:
                losses = learner.learn(next(batches), rng, begun + (1 - begun) * passed)
                log.add(learner.step, spent + (time.monotonic() - began) / 60, opened, losses)
                if time.monotonic() - saved_at > SAVE_S:
                    save()
                    saved_at = time.monotonic()
        save()


def arguments(doc: str | None, task: Task) -> argparse.ArgumentParser:
    """What every training of a part is told; see `learn_as_told`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    found = Machine.found()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=task.sizes[found.device.type])
    parser.add_argument("--workers", type=int, default=found.workers)
    parser.add_argument("--threads", type=int, default=found.threads)
    parser.add_argument("--rate", type=float, default=task.rate)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def learn_as_told(task: Task, options: Any, feed: Feed | None = None, start: dict[str, Tensor] | None = None) -> None:
    """`learn` with what `arguments` parsed."""
    machine = Machine(Machine.found().device, options.workers, options.threads)
    more: Any = {"feed": feed, "size": options.batch, "rate": options.rate, "seed": options.seed, "start": start}
    learn(task, options.run, options.minutes, machine, **more)


def stacked(rows: list[Row], device: torch.device) -> Planes:
    """Fields of characters, on a device."""
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])).to(device) for name in rows[0]}


class Kept:
    """Characters on a card, of which every batch takes any. They are drawn before anything is trained: what draws on a
    card at the same time takes turns with what trains, and with 13 of them a step took seven times as long."""

    def __init__(self, feed: Feed, device: torch.device, most: int) -> None:
        self.feed, self.device, self.most = feed, device, most
        self._planes: Planes = {}
        self._count = self._next = 0

    def gather(self, seconds: float) -> None:
        """Brings new ones for so long, or until there are as many as are kept; one at least."""
        began = time.monotonic()
        while self._count < self.most and (not self._count or time.monotonic() - began < seconds):
            before = self._count
            self.bring(self.feed.fresh(AT_ONCE) if self._count else self.feed.take(1))
            if self._count - before < AT_ONCE:
                time.sleep(0.05)

    def bring(self, rows: list[Row]) -> None:
        """Adds some, in place of the oldest where there are as many as are kept."""
        if not rows:
            return
        at = (torch.arange(len(rows), device=self.device) + self._next) % self.most
        for name, values in stacked(rows, self.device).items():
            if name not in self._planes:
                self._planes[name] = values.new_empty(self.most, *values.shape[1:])
            self._planes[name][at] = values
        self._next = (self._next + len(rows)) % self.most
        self._count = min(self.most, self._count + len(rows))

    def take(self, count: int, rng: np.random.Generator) -> Planes:
        """`count` of them."""
        chosen = torch.from_numpy(rng.integers(self._count, size=count)).to(self.device)
        self.feed.taken += count
        return {name: values[chosen] for name, values in self._planes.items()}


@contextmanager
def _batches(
    task: Task, feed: Feed, size: int, rng: np.random.Generator, device: torch.device, draw_s: float
) -> Iterator[Iterator[Any]]:
    """For ever; for a card the next is made while it works, in a stream of its own, of what was drawn in `draw_s`."""
    own = np.random.default_rng(rng.integers(2**63))
    if device.type == "cpu":
        yield iter(lambda: task.batch(stacked(feed.take(size), device), own), None)
        return
    kept = Kept(feed, device, int(ON_CARD * torch.cuda.mem_get_info(device)[1] / task.source.bytes))
    kept.gather(draw_s)
    if isinstance(feed, Ring):
        feed.close()
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def made() -> Any:
        with torch.cuda.stream(stream):
            batch = task.batch(kept.take(size, own), own)
        stream.synchronize()  # so that nobody else has to wait for it
        return batch

    with ThreadPoolExecutor(1, "batches") as pool:

        def ahead() -> Iterator[Any]:
            waiting = pool.submit(made)
            while True:
                batch, waiting = waiting.result(), pool.submit(made)
                yield batch

        yield ahead()


class Log:
    """RUN/PART.csv and the console: running means of the losses."""

    def __init__(self, path: Path) -> None:
        self.path, self.means = path, dict[str, float]()

    def add(self, step: int, minutes: float, feed: Feed, losses: Losses) -> None:
        if step % 10:
            return
        for name, loss in losses.items():
            value = float(loss.detach())
            self.means[name] = 0.9 * self.means.get(name, value) + 0.1 * value
        if step % LOG_EVERY:
            return
        new = not self.path.exists()
        pairs = " ".join(f"{name}={value:.4f}" for name, value in self.means.items())
        fresh = feed.new / max(1, feed.taken)
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["step", "minutes", "fresh", "losses"])
            writer.writerow([step, f"{minutes:.2f}", f"{fresh:.2f}", pairs])
        print(f"{step} {minutes:.1f} min, {100 * fresh:.0f}% new: {pairs}", flush=True)
