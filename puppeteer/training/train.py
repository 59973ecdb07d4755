"""Trains one part of the compact family, resumably.

    python -m puppeteer.training.train morpher --data data/train --run runs/first --hours 1
    torchrun --nproc-per-node 2 -m -- puppeteer.training.train rotator --data data/train --run runs/first

Every ten minutes RUN/PART.pt (weights and their average in FP16, bf16 moments, step) is replaced, and RUN/PART-STEP.png
shows the `--look` places that exist: data folders (validation characters) and folders of drawings. The same command
goes on where the checkpoint ends. The log is RUN/PART.csv.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from puppeteer.files import whole
from puppeteer.networks.compact import CompactConfig, Morpher, Rotator
from puppeteer.training import losses
from puppeteer.training.dataset import ROTATIONS, Shards, morpher_batch, random_rows, rotator_batch
from puppeteer.training.sheets import load_networks, sheet

AVERAGE = 0.998
WARM_UP = 200


def rate(step: int, cycles: list[int], peaks: list[float]) -> float:
    """Warm restarts (Loshchilov & Hutter 2017): in every cycle a linear warm-up, then a cosine to a hundredth.

    So the end of a cycle is fit to ship, and the next one goes on from there. The last of `peaks` is that of all cycles
    after it too.
    """
    number = 0
    while number < len(cycles) - 1 and step >= cycles[number]:
        step -= cycles[number]
        number += 1
    length, peak = cycles[number], peaks[min(number, len(peaks) - 1)]
    if step < WARM_UP:
        return peak * (step + 1) / WARM_UP
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - WARM_UP) / max(1, length - WARM_UP)))))


class Average:
    """Exponential moving average of the weights, faster while the run is young."""

    def __init__(self, network: nn.Module) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        keep = min(AVERAGE, (1 + step) / (10 + step))
        for mine, new in zip(self.network.parameters(), network.parameters(), strict=True):
            mine.lerp_(new, 1 - keep)


def cast(value: Any, dtype: torch.dtype) -> Any:
    """Floating tensors of a state dict in another type."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dim() else value
    if isinstance(value, dict):
        return {k: cast(v, dtype) for k, v in value.items()}
    return value


def save_checkpoint(
    path: Path, network: nn.Module, average: Average, optimizer: torch.optim.Optimizer, step: int, hours: float
) -> None:
    state = {
        "network": cast(network.state_dict(), torch.float16),
        "average": cast(average.network.state_dict(), torch.float16),
        "moments": {k: cast(v, torch.bfloat16) for k, v in optimizer.state_dict()["state"].items()},
        "step": step,
        "hours": hours,
    }
    draft = path.with_suffix(".draft")
    torch.save(state, draft)
    draft.replace(path)


def load_checkpoint(
    path: Path, network: nn.Module, average: Average, optimizer: torch.optim.Optimizer
) -> tuple[int, float]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    average.network.load_state_dict(state["average"])
    whole = optimizer.state_dict()
    whole["state"] = {k: cast(v, torch.float32) for k, v in state["moments"].items()}
    for moments in whole["state"].values():  # a light checkpoint leaves the first moment out: it is soon found again
        moments.setdefault("exp_avg", torch.zeros_like(moments["exp_avg_sq"]))
    optimizer.load_state_dict(whole)
    return int(state["step"]), float(state["hours"])


def reduce_gradients(network: nn.Module) -> None:
    """Mean over processes. One flat all-reduce: DistributedDataParallel hooks want a single forward call."""
    if not dist.is_initialized():
        return
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in network.parameters()]
    flat = everybodys(torch.cat([g.flatten() for g in gradients]))
    at = 0
    for p, g in zip(network.parameters(), gradients, strict=True):
        p.grad = flat[at : at + g.numel()].view_as(g).clone()
        at += g.numel()


def everybodys(values: Tensor) -> Tensor:
    """Mean over processes."""
    if dist.is_initialized():
        dist.all_reduce(values)
        values /= dist.get_world_size()
    return values


def write_settings(options: argparse.Namespace, world: int) -> None:
    """RUN/PART.json: what makes this run again."""
    data = json.loads((options.data / "data.json").read_text())
    names = ("part", "cycles", "flow_steps", "characters", "poses", "rate", "seed")
    settings = {name: getattr(options, name) for name in names} | {"processes": world, "data": data}
    with whole(options.run / f"{options.part}.json") as draft:
        draft.write_text(json.dumps(settings, indent=1) + "\n")


def train(options: argparse.Namespace) -> None:
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if world > 1:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    device = (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")
    )
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network: Morpher | Rotator = (Morpher if options.part == "morpher" else Rotator)(CompactConfig())
    network.to(device)
    average = Average(network)
    optimizer = torch.optim.AdamW(network.parameters(), options.rate[0], (0.9, 0.98), weight_decay=1e-3)
    options.run.mkdir(parents=True, exist_ok=True)
    checkpoint, log_path = options.run / f"{options.part}.pt", options.run / f"{options.part}.csv"
    step, hours = 0, 0.0
    if checkpoint.exists():
        step, hours = load_checkpoint(checkpoint, network, average, optimizer)
        print(f"goes on at step {step}, {hours:.2f} hours done")
    elif options.start and (options.start / f"{options.part}.pt").exists():
        before = torch.load(options.start / f"{options.part}.pt", map_location="cpu", weights_only=True)
        network.load_state_dict(before["average"])
        average = Average(network)
    shards = Shards(options.data)
    rng = np.random.default_rng([options.seed, step, 0])
    steps = sum(options.cycles)
    if rank == 0 and step < steps:  # asked for no more, a run keeps the record of what made it
        write_settings(options, world)
    batches = random_rows(shards, rng, options.characters, rank, world)
    mean: dict[str, float] = {}
    began = saved = time.time()
    first = step
    while step < steps:
        rows, augments = next(batches)
        if isinstance(network, Morpher):
            small = morpher_batch(rows, augments)
            seen = torch.stack([a.seen(x) for a, x in zip(augments, small.rest, strict=True)])
            parts, _, _ = losses.morpher_step(network, small, seen)
        else:
            large = rotator_batch(rows, augments, min(options.poses, ROTATIONS))
            seen = torch.stack([a.seen(x) for a, x in zip(augments, large.rest, strict=True)])
            parts, _, _ = losses.rotator_step(network, large, seen, flow_only=step < options.flow_steps)
        total = torch.stack(list(parts.values())).sum()
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options.cycles, options.rate)
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        reduce_gradients(network)
        norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if torch.isfinite(norm):
            optimizer.step()
            average.update(network, step)
        step += 1
        for name, now_is in zip(parts, everybodys(torch.stack(list(parts.values())).detach()).tolist(), strict=True):
            mean[name] = mean.get(name, now_is) * 0.98 + 0.02 * now_is
        now = time.time()
        if rank == 0 and (step % 100 == 0 or step == steps):
            spent = hours + (now - began) / 3600
            new = not log_path.exists()
            with log_path.open("a", newline="") as file:
                writer = csv.writer(file)
                if new:
                    writer.writerow(["step", "hours", "losses"])
                writer.writerow([step, round(spent, 4), " ".join(f"{k}={v:.5f}" for k, v in mean.items())])
            speed = (step - first) / (now - began)
            print(
                f"{step} {spent:.2f} h {speed:.2f} steps/s " + " ".join(f"{k} {v:.4f}" for k, v in mean.items()),
                flush=True,
            )
        over = options.hours and now - began > options.hours * 3600
        if rank == 0 and (now - saved > options.save_minutes * 60 or step == steps or over):
            save_checkpoint(checkpoint, network, average, optimizer, step, hours + (now - began) / 3600)
            saved = now
            look = [place for place in options.look if place.exists()]
            if look:
                sheet(*load_networks(options.run), look).save(options.run / f"{options.part}-{step:06d}.png")
        if over:
            break
    if world > 1:
        dist.barrier()  # who leaves while the others still talk to it breaks their last exchange
        dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("morpher", "rotator"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a run whose average is the start (fine-tuning)")
    parser.add_argument("--cycles", type=int, nargs="+", default=[10_000], help="steps of each cycle of the rate")
    parser.add_argument("--flow-steps", type=int, default=1500, help="rotator: train the flow alone before the rest")
    parser.add_argument("--characters", type=int, default=2, help="characters in a batch, of each process")
    parser.add_argument("--poses", type=int, default=3, help="rotator: rotations of each of them")
    parser.add_argument("--rate", type=float, nargs="+", default=[6e-4], help="highest rate of each cycle")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--look", type=Path, nargs="*", default=[], help="what the sheets show")
    parser.add_argument("--hours", type=float, default=0.0, help="stop after this time, 0 = when the steps are done")
    parser.add_argument("--save-minutes", type=float, default=10)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
