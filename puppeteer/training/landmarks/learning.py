"""The resumable training of a part, and its export."""

from __future__ import annotations

import copy
import csv
import hashlib
import math
import time
from pathlib import Path

import numpy as np
import torch

from puppeteer.files import whole
from puppeteer.networks.landmarks import Landmarks
from puppeteer.training.landmarks.losses import losses
from puppeteer.training.landmarks.truth import Characters

RATE = 1e-3
WARM_UP = 100
KEEP_EVERY_S = 180
PARTS = {"places": ("finder", "refiner"), "face": ("face",), "matte": ("matte",)}  # what is trained together


def rate(step: int, steps: int) -> float:
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return RATE * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - WARM_UP) / max(1, steps - WARM_UP)))))


def train(part: str, data: Path, turned: Path | None, run: Path, steps: int) -> None:
    """Goes on from RUN/PART.pt where there is one."""
    torch.manual_seed(0)
    characters = Characters(data, turned)
    print(f"{len(characters.places)} characters, {len(characters.turned)} turned or hidden ones", flush=True)
    networks = Landmarks().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learning = torch.nn.ModuleDict({name: getattr(networks, name) for name in PARTS[part]})
    average = copy.deepcopy(learning).requires_grad_(False)
    optimizer = torch.optim.AdamW(learning.parameters(), RATE, weight_decay=0.01)
    run.mkdir(parents=True, exist_ok=True)
    path, first, spent_s = run / f"{part}.pt", 0, 0.0
    if path.exists():
        state = torch.load(path, map_location="cpu", weights_only=True)
        learning.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first, spent_s = int(state["step"]), float(state["cpu_s"])
    log_path = run / f"{part}.csv"
    begun, kept, lately = time.process_time(), time.monotonic(), list[list[float]]()

    def keep(step: int) -> None:
        with whole(path) as draft:
            torch.save(
                {
                    "network": learning.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step,
                    "cpu_s": spent_s + time.process_time() - begun,
                },
                draft,
            )

    for step in range(first, steps):
        rng = np.random.default_rng([step, 79])
        lost = losses(part, networks, characters, rng)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        optimizer.zero_grad()
        torch.stack(lost).sum().backward()  # type: ignore[no-untyped-call]
        for network in learning.values():
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        with torch.no_grad():
            share = min(0.998, (1 + step) / (10 + step))
            for mine, new in zip(average.state_dict().values(), learning.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - share)
                else:
                    mine.copy_(new)
        lately.append([loss.item() for loss in lost])
        if (step + 1) % 50 == 0:
            row = [step + 1, *np.mean(lately, 0).round(4).tolist(), round(spent_s + time.process_time() - begun)]
            with log_path.open("a", newline="") as file:
                csv.writer(file).writerow(row)
            print(*row, flush=True)
            lately.clear()
        if time.monotonic() - kept > KEEP_EVERY_S or step + 1 == steps:
            keep(step + 1)
            kept = time.monotonic()


def export(run: Path, output: Path) -> None:
    """The averages in FP16, and the checksum for the record; a part that the run lacks stays as it is."""
    weights = torch.load(output, map_location="cpu", weights_only=True) if output.exists() else {}
    for part, names in PARTS.items():
        if not (run / f"{part}.pt").exists():
            continue
        state = torch.load(run / f"{part}.pt", map_location="cpu", weights_only=True)
        weights = {key: value for key, value in weights.items() if key.split(".")[0] not in names}
        weights |= {key: v.half() if v.dtype.is_floating_point else v for key, v in state["average"].items()}
        print(f"{part}: step {state['step']}, {state['cpu_s'] / 60:.1f} core-minutes")
    with whole(output) as draft:
        torch.save(weights, draft)
    print(f"{output}: sha256 {hashlib.sha256(output.read_bytes()).hexdigest()}")
