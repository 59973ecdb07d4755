"""Fresh characters for training, rendered by processes of their own into shared memory.

Each is taken as often as the trainer has to wait for the next: where rendering is faster, every one is new.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SIZE, HALF = 256, 128
COUNT = 7
PAINTED = 5
Fields = dict[str, tuple[tuple[int, ...], Any]]
FIELDS: Fields = {
    "seed": ((), np.int64),
    "joints": ((4,), np.float32),  # x and y of root and tip, px
    "rest": ((SIZE, SIZE, 4), np.uint8),  # premultiplied
    "seen": ((COUNT, SIZE, SIZE), np.uint8),
    "whole": ((COUNT, SIZE, SIZE), np.uint8),
    "colour": ((PAINTED, SIZE, SIZE, 3), np.uint8),  # premultiplied
    "depth": ((COUNT, HALF, HALF), np.float16),  # px; NaN where the layer shows nothing
}
EMPTY, FRESH, USED = range(3)
Row = dict[str, NDArray[Any]]


def slot_bytes(fields: Fields) -> int:
    return sum(int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize for shape, kind in fields.values())


def _views(buffer: Any, slots: int, fields: Fields) -> tuple[list[Row], NDArray[np.uint8]]:
    """The slots' fields, and their states behind them."""
    rows, slot = [], slot_bytes(fields)
    for k in range(slots):
        at, row = k * slot, {}
        for name, (shape, kind) in fields.items():
            row[name] = np.ndarray(shape, kind, buffer, at)
            at += row[name].nbytes
        rows.append(row)
    return rows, np.ndarray((slots,), np.uint8, buffer, slots * slot)


def rendered(renderer: Any, seed: int, split: Any) -> Row:
    """One character with everything that training wants."""
    from puppeteer.characters import make_recipe
    from puppeteer.pose import Pose

    recipe = make_recipe(seed, split)
    renderer.load(recipe)
    layers = renderer.layers(Pose(mouth_open=recipe.rest_mouth), SIZE, truth=True)
    depth = layers.depth[:, ::2, ::2]
    for down, across in ((0, 1), (1, 0), (1, 1)):
        depth = np.where(np.isnan(depth), layers.depth[:, down::2, across::2], depth)
    return {
        "seed": np.int64(seed),
        "joints": np.array([*recipe.root_xy, *recipe.tip_xy], np.float32),
        "rest": layers.rgba,
        "seen": layers.seen,
        "whole": layers.colour[..., 3],
        "colour": layers.colour[:PAINTED, ..., :3],
        "depth": depth.astype(np.float16),
    }


Drawn = Callable[[Any, int, Any], Row]  # a renderer, a seed and a split to one character


def _fill(
    name: str, slots: int, worker: int, workers: int, first: int, split: Any, parent: int, fields: Fields, drawn: Drawn
) -> None:
    from puppeteer.characters.renderer import Renderer

    os.nice(5)
    memory = SharedMemory(name)
    rows, states = _views(memory.buf, slots, fields)
    seed = first + worker
    with Renderer() as renderer:
        while os.getppid() == parent:
            wanting = [k for k in range(worker, slots, workers) if states[k] != FRESH]
            if not wanting:
                time.sleep(0.05)
                continue
            for k in wanting:
                row = drawn(renderer, seed, split)
                states[k] = EMPTY
                for field, value in row.items():
                    rows[k][field][...] = value
                states[k] = FRESH
                seed += workers
                if os.getppid() != parent:
                    break
    del rows, states
    memory.close()


class Ring:
    """`take` gives characters, new ones first. Seeds go up from `first`, so a run that goes on never meets old ones."""

    def __init__(
        self,
        slots: int,
        workers: int,
        first: int = 0,
        split: str = "train",
        seed: int = 0,
        fields: Fields = FIELDS,
        drawn: Drawn = rendered,
    ) -> None:
        self._memory = SharedMemory(create=True, size=slots * (slot_bytes(fields) + 1))
        self._rows, self._states = _views(self._memory.buf, slots, fields)
        self._states[:] = EMPTY
        self._rng = np.random.default_rng(seed)
        self.taken = self.new = 0
        context = multiprocessing.get_context("spawn")
        self._processes = [
            context.Process(
                target=_fill,
                args=(self._memory.name, slots, k, workers, first, split, os.getpid(), fields, drawn),
                name=f"draw-{k}",
                daemon=True,
            )
            for k in range(workers)
        ]
        for process in self._processes:
            process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, count: int, least: int = 1) -> list[Row]:
        """`count` characters, copied; waits until there are `least`. Raises RuntimeError where drawing has ended."""
        out: list[Row] = []
        while len(out) < count:
            fresh = np.flatnonzero(self._states == FRESH)
            there = fresh if len(fresh) else np.flatnonzero(self._states == USED)
            if np.count_nonzero(self._states != EMPTY) < least or not len(there):
                if not any(process.is_alive() for process in self._processes):
                    raise RuntimeError("the processes that draw characters have ended: look above for why")
                time.sleep(0.05)
                continue
            k = int(self._rng.choice(there))
            state = self._states[k]
            row = {name: value.copy() for name, value in self._rows[k].items()}
            if self._states[k] != state:
                continue  # it was written over meanwhile
            self.new += int(state == FRESH)
            self.taken += 1
            self._states[k] = USED
            out.append(row)
        return out

    def close(self) -> None:
        """Ends the processes and gives the memory back."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)
        self._rows, self._states = [], np.zeros(0, np.uint8)
        self._memory.close()
        self._memory.unlink()
