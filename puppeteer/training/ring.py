"""Fresh characters for training, rendered by processes of their own into shared memory.

Each is taken as often as the trainer has to wait for the next: where rendering is faster, every one is new.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SIZE = 256
COUNT, PAINTED = 7, 5  # layers of the rig, and how many of them are painted
EMPTY, FRESH, USED = range(3)
Row = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """What characters are for a trainer."""

    fields: dict[str, tuple[tuple[int, ...], Any]]  # name -> shape and type
    rendered: Callable[[Any, int, Any], Row]  # of a renderer, a seed and a split; found by its name in a new process

    @property
    def bytes(self) -> int:
        """Of one character."""
        return sum(
            int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize for shape, kind in self.fields.values()
        )


FIELDS: dict[str, tuple[tuple[int, ...], Any]] = {  # that the rig's training wants
    "seed": ((), np.int64),
    "joints": ((4,), np.float32),  # x and y of root and tip, px
    "rest": ((SIZE, SIZE, 4), np.uint8),  # premultiplied
    "seen": ((COUNT, SIZE, SIZE), np.uint8),
    "whole": ((COUNT, SIZE, SIZE), np.uint8),
    "colour": ((PAINTED, SIZE, SIZE, 3), np.uint8),  # premultiplied
    "depth": ((COUNT, SIZE // 2, SIZE // 2), np.float16),  # px; NaN where the layer shows nothing
}


def rendered(renderer: Any, seed: int, split: Any) -> Row:
    """One character with everything that the rig's training wants."""
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


def _views(buffer: Any, source: Source, slots: int) -> tuple[list[Row], NDArray[np.uint8]]:
    """The slots' fields, and their states behind them."""
    rows = []
    for k in range(slots):
        at, row = k * source.bytes, {}
        for name, (shape, kind) in source.fields.items():
            row[name] = np.ndarray(shape, kind, buffer, at)
            at += row[name].nbytes
        rows.append(row)
    return rows, np.ndarray((slots,), np.uint8, buffer, slots * source.bytes)


def _fill(
    name: str, source: Source, slots: int, worker: int, workers: int, first: int, split: Any, parent: int
) -> None:
    from puppeteer.characters.renderer import Renderer

    os.environ.setdefault("LP_NUM_THREADS", "1")
    os.nice(5)
    memory = SharedMemory(name)
    rows, states = _views(memory.buf, source, slots)
    seed = first + worker
    with Renderer() as renderer:
        while os.getppid() == parent:
            wanting = [k for k in range(worker, slots, workers) if states[k] != FRESH]
            if not wanting:
                time.sleep(0.05)
                continue
            for k in wanting:
                row = source.rendered(renderer, seed, split)
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
        self, source: Source, slots: int, workers: int, first: int = 0, split: str = "train", seed: int = 0
    ) -> None:
        self._memory = SharedMemory(create=True, size=slots * source.bytes + slots)
        self._rows, self._states = _views(self._memory.buf, source, slots)
        self._states[:] = EMPTY
        self._rng = np.random.default_rng(seed)
        self.taken = self.new = 0
        context = multiprocessing.get_context("spawn")
        self._processes = [
            context.Process(
                target=_fill,
                args=(self._memory.name, source, slots, k, workers, first, split, os.getpid()),
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
            row = self._row(int(self._rng.choice(there)))
            if row is None:
                continue
            self.taken += 1
            out.append(row)
        return out

    def fresh(self, most: int) -> list[Row]:
        """New characters that are there, `most` at most, each once."""
        rows = (self._row(int(k)) for k in np.flatnonzero(self._states == FRESH)[:most])
        return [row for row in rows if row is not None]

    def _row(self, k: int) -> Row | None:
        """A copy, which is new no longer; None where it was written over meanwhile."""
        state = self._states[k]
        row = {name: value.copy() for name, value in self._rows[k].items()}
        if self._states[k] != state:
            return None
        self.new += int(state == FRESH)
        self._states[k] = USED
        return row

    def close(self) -> None:
        """Ends the processes and gives the memory back; closing twice is harmless."""
        if not self._rows:
            return
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)
        self._rows, self._states = [], np.zeros(0, np.uint8)
        self._memory.close()
        self._memory.unlink()
