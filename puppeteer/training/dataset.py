"""Training data: characters rendered to shards, and shards read as batches.

    python -m puppeteer.training.dataset --seeds 0:2000 --output data/train --workers 2
    python -m puppeteer.training.dataset --sheet data/train/000000 --output sheet.png

A shard is a folder of `.npy` arrays for `SHARD` characters in a row of seeds; it is written beside its place and then
renamed, so a stopped run goes on where it was. Data is never kept in the repository: a seed range makes it again.

Per character: one rest image (a), `EXPRESSIONS` pictures with another expression (b) and `ROTATIONS` pictures with
rotation too (c); picture j of (c) has the expression of picture j of (b), the last one that of the rest image. Colours
are premultiplied uint8 sRGB. Displacements point from a pixel to where the same surface point lies in the picture
before the change, in spec px.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from puppeteer.image import premultiplied
from puppeteer.networks.compact import CROP, CROP_AT, SPEC
from puppeteer.pose import Pose
from puppeteer.training.poses import random_expression, random_neck

SHARD = 32
EXPRESSIONS = 3
ROTATIONS = 4
PART_UNEXPLAINED = 4
Split = Literal["train", "validation", "test"]
SEED_STARTS: dict[Split, int] = {"train": 0, "validation": 50_000_000, "test": 60_000_000}
CROP_SLICE = slice(CROP_AT, CROP_AT + CROP)

ARRAYS: dict[str, tuple[tuple[int, ...], Any]] = {
    "seed": ((), np.int64),
    "rest_mouth": ((), np.float32),
    "rest": ((SPEC, SPEC, 4), np.uint8),
    "expression": ((EXPRESSIONS, 3), np.float32),
    "morphed": ((EXPRESSIONS, CROP, CROP, 4), np.uint8),
    "morph_move": ((EXPRESSIONS, CROP, CROP, 2), np.float16),
    "morph_part": ((EXPRESSIONS, CROP, CROP), np.uint8),
    "neck": ((ROTATIONS, 3), np.float32),
    "rotated": ((ROTATIONS, SPEC, SPEC, 4), np.uint8),
}


def here(size: int) -> NDArray[np.float32]:
    """(size, size, 2) x, y of the pixel centres."""
    line = np.arange(size, dtype=np.float32) + 0.5
    return np.stack(np.meshgrid(line, line), -1)


def move(place: NDArray[np.float32], reach: float) -> NDArray[np.float32]:
    """Displacement from a raster of places; not-a-number and wild values become 0."""
    out: NDArray[np.float32] = np.nan_to_num(place - here(place.shape[0]), nan=0.0, posinf=0.0, neginf=0.0)
    out[np.abs(out).max(-1) > reach] = 0
    return out


def render_expressions(renderer: Any, seed: int, split: Split) -> dict[str, Any]:
    """The rest image and other expressions of one character."""
    from puppeteer.characters import make_recipe

    recipe = make_recipe(seed, split)
    renderer.load(recipe)
    rng = np.random.default_rng([seed, 77])
    rest_mouth = float(recipe.rest_mouth)
    rest = renderer.render(Pose(mouth_open=rest_mouth), SPEC)
    expressions = [random_expression(rng, rest_mouth) for _ in range(EXPRESSIONS)]
    faces = [renderer.render(Pose(*e), SPEC, truth=True) for e in expressions]
    return {
        "seed": seed,
        "rest_mouth": rest_mouth,
        "rest": premultiplied(rest.rgba),
        "expression": np.array(expressions, np.float32),
        "morphed": np.stack([premultiplied(f.rgba)[CROP_SLICE, CROP_SLICE] for f in faces]),
        "morph_move": np.stack([move(f.rest_xy, 40)[CROP_SLICE, CROP_SLICE] for f in faces]),
        "morph_part": np.stack([f.part[CROP_SLICE, CROP_SLICE] for f in faces]),
    }


def render_character(renderer: Any, seed: int, split: Split) -> dict[str, Any]:
    """One row of a shard."""
    row = render_expressions(renderer, seed, split)
    rng = np.random.default_rng([seed, 77])
    for _ in range(EXPRESSIONS):  # of which these numbers are taken already
        random_expression(rng, row["rest_mouth"])
    necks = [random_neck(rng) for _ in range(ROTATIONS)]
    expressions = [*row["expression"].tolist(), (0.0, 0.0, row["rest_mouth"])]
    heads = [renderer.render(Pose(*(*e, *n)), SPEC) for e, n in zip(expressions, necks, strict=True)]
    return row | {
        "neck": np.array(necks, np.float32),
        "rotated": np.stack([premultiplied(h.rgba) for h in heads]),
    }


def shard_path(output: Path, seed: int) -> Path:
    return output / f"{seed:09d}"


def render_shard(job: tuple[Path, int, int, Split]) -> tuple[int, float]:
    """Renders characters seed .. seed + count; returns count and seconds."""
    from puppeteer.characters import Renderer

    output, seed, count, split = job
    target = shard_path(output, seed)
    if target.is_dir():
        return 0, 0.0
    os.environ.setdefault("LP_NUM_THREADS", "1")
    start = time.perf_counter()
    with Renderer() as renderer:
        rows = [render_character(renderer, seed + k, split) for k in range(count)]
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    for name, (shape, dtype) in ARRAYS.items():
        array = np.stack([np.asarray(row[name], dtype) for row in rows])
        assert array.shape == (count, *shape), (name, array.shape)
        np.save(draft / f"{name}.npy", array)
    draft.rename(target)
    return count, time.perf_counter() - start


def generate(output: Path, first: int, last: int, split: Split, workers: int) -> None:
    """Renders the missing shards of characters first .. last of a split (numbers within the split)."""
    output.mkdir(parents=True, exist_ok=True)
    for leftover in output.glob(".*"):
        shutil.rmtree(leftover)
    base = SEED_STARTS[split]
    jobs = [(output, base + s, min(SHARD, last - s), split) for s in range(first, last, SHARD)]
    done, start = 0, time.perf_counter()
    context = multiprocessing.get_context("spawn")
    # a new process per shard: nothing that a driver leaks can add up
    with context.Pool(workers, maxtasksperchild=4) as pool:
        for count, seconds in pool.imap_unordered(render_shard, jobs):
            done += count
            if count:
                each = 1000 * seconds / (count * (1 + EXPRESSIONS + ROTATIONS))
                rate = done / (time.perf_counter() - start)
                print(f"{done} characters, {each:.0f} ms an image and process, {rate:.2f} characters/s", flush=True)
    info = {"split": split, "first": first, "last": last, "expressions": EXPRESSIONS, "rotations": ROTATIONS}
    (output / "data.json").write_text(json.dumps(info, indent=2))


# ---------------------------------------------------------------- reading


class Shards:
    """All characters of some shard folders, memory-mapped; new shards are seen at the next `refresh`."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self.new = self.taken = 0
        self._rng, self._order = np.random.default_rng(seed), list[int]()
        self.maps: list[dict[str, NDArray[Any]]] = []
        self.index: list[tuple[int, int]] = []
        self.seen: set[str] = set()
        self.refresh()

    def refresh(self) -> None:
        for path in sorted(p for p in self.folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
            if path.name in self.seen:
                continue
            self.seen.add(path.name)
            self.maps.append({name: np.load(path / f"{name}.npy", mmap_mode="r") for name in ARRAYS})
            self.index += [(len(self.maps) - 1, row) for row in range(len(self.maps[-1]["seed"]))]

    def __len__(self) -> int:
        return len(self.index)

    def take(self, count: int, least: int = 1) -> list[dict[str, NDArray[Any]]]:
        """`count` characters; each comes once before any comes again."""
        out = list[dict[str, NDArray[Any]]]()
        while len(out) < count:
            if not self._order:
                self.refresh()
                if not len(self):
                    raise SystemExit(f"{self.folder} holds no shards: draw some with puppeteer.training.dataset")
                self._order = self._rng.permutation(len(self)).tolist()
                self.new += len(self) if not self.taken else 0
            out.append(self.row(self._order.pop()))
        self.taken += count
        return out

    def fresh(self, most: int) -> list[dict[str, NDArray[Any]]]:
        """As `take`: all are there."""
        return self.take(most)

    def row(self, k: int) -> dict[str, NDArray[Any]]:
        shard, row = self.index[k]
        return {name: array[row] for name, array in self.maps[shard].items()}


def planes(rgba: NDArray[np.uint8], device: torch.device | None = None) -> Tensor:
    """uint8 (..., H, W, 4) -> float (..., 4, H, W) in [0, 1]"""
    return torch.from_numpy(np.array(rgba)).to(device or "cpu").movedim(-1, -3).float() / 255


# ---------------------------------------------------------------- looking


def contact_sheet(shard: Path, output: Path, characters: int = 8) -> None:
    """Rows: rest, every expression, every rotation, and below expressions how well the truth warps the rest image."""
    import cv2
    from PIL import Image

    data = Shards(shard.parent)
    wanted = [k for k, (m, _) in enumerate(data.index) if sorted(data.seen)[m] == shard.name][:characters]
    lines = []
    for k in wanted:
        r = data.row(k)
        crop = np.zeros((EXPRESSIONS, SPEC, SPEC, 4), np.uint8) + r["rest"]
        crop[:, CROP_SLICE, CROP_SLICE] = r["morphed"]
        green = [
            x[..., :3] + ((255 - x[..., 3:].astype(np.uint16)) * np.array([90, 150, 90]) // 255).astype(np.uint8)
            for x in (r["rest"], *crop, *r["rotated"])
        ]
        below = [np.zeros_like(picture) for picture in green]
        for j in range(EXPRESSIONS):
            source = here(SPEC)[CROP_SLICE, CROP_SLICE] + r["morph_move"][j].astype(np.float32) - 0.5
            warped = cv2.remap(np.array(r["rest"]), source.astype(np.float32), None, cv2.INTER_LINEAR)[..., :3]
            warped[r["morph_part"][j] == PART_UNEXPLAINED] = (230, 60, 60)
            below[1 + j][CROP_SLICE, CROP_SLICE] = warped
        lines += [np.concatenate(green, 1), np.concatenate(below, 1)]
    Image.fromarray(np.concatenate(lines, 0)).save(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:64", help="first:last within the split")
    parser.add_argument("--split", choices=list(SEED_STARTS), default="train")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sheet", type=Path, help="a shard folder: write a contact sheet of it to --output")
    options = parser.parse_args()
    if options.sheet:
        contact_sheet(options.sheet, options.output)
        return
    first, last = (int(x) for x in options.seeds.split(":"))
    generate(options.output, first, last, options.split, options.workers)


if __name__ == "__main__":
    main()
