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
from collections.abc import Iterator
from dataclasses import dataclass
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
MAPS = 128  # px of the truth of a rotation
PART_UNEXPLAINED = 4
LARGEST_SHIFT = 3  # steps of two px
Split = Literal["train", "validation", "test"]
SEED_STARTS: dict[Split, int] = {"train": 0, "validation": 50_000_000, "test": 60_000_000}
CROP_SLICE = slice(CROP_AT, CROP_AT + CROP)

ARRAYS: dict[str, tuple[tuple[int, ...], Any]] = {
    "seed": ((), np.int64),
    "rest_mouth": ((), np.float32),
    "rest": ((SPEC, SPEC, 4), np.uint8),
    "rest_part": ((MAPS, MAPS), np.uint8),
    "expression": ((EXPRESSIONS, 3), np.float32),
    "morphed": ((EXPRESSIONS, CROP, CROP, 4), np.uint8),
    "morph_move": ((EXPRESSIONS, CROP, CROP, 2), np.float16),
    "morph_part": ((EXPRESSIONS, CROP, CROP), np.uint8),
    "neck": ((ROTATIONS, 3), np.float32),
    "rotated": ((ROTATIONS, SPEC, SPEC, 4), np.uint8),
    "rotate_move": ((ROTATIONS, MAPS, MAPS, 2), np.float16),
    "rotate_part": ((ROTATIONS, MAPS, MAPS), np.uint8),
    "rotate_visible": ((ROTATIONS, MAPS, MAPS), np.uint8),
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


def render_character(renderer: Any, seed: int, split: Split) -> dict[str, Any]:
    """One row of a shard."""
    from puppeteer.characters import make_recipe

    recipe = make_recipe(seed, split)
    renderer.load(recipe)
    rng = np.random.default_rng([seed, 77])
    rest_mouth = float(recipe.rest_mouth)
    rest = renderer.render(Pose(mouth_open=rest_mouth), SPEC, truth=True)
    half = slice(None, None, SPEC // MAPS)
    row: dict[str, Any] = {
        "seed": seed,
        "rest_mouth": rest_mouth,
        "rest": premultiplied(rest.rgba),
        "rest_part": rest.part[half, half],
    }
    expressions = [random_expression(rng, rest_mouth) for _ in range(EXPRESSIONS)]
    faces = [renderer.render(Pose(*e), SPEC, truth=True) for e in expressions]
    row["expression"] = np.array(expressions, np.float32)
    row["morphed"] = np.stack([premultiplied(f.rgba)[CROP_SLICE, CROP_SLICE] for f in faces])
    row["morph_move"] = np.stack([move(f.rest_xy, 40)[CROP_SLICE, CROP_SLICE] for f in faces])
    row["morph_part"] = np.stack([f.part[CROP_SLICE, CROP_SLICE] for f in faces])
    necks = [random_neck(rng) for _ in range(ROTATIONS)]
    heads = [
        renderer.render(Pose(*e, *n), SPEC, truth=True)
        for e, n in zip([*expressions, (0.0, 0.0, rest_mouth)], necks, strict=True)
    ]
    row["neck"] = np.array(necks, np.float32)
    row["rotated"] = np.stack([premultiplied(h.rgba) for h in heads])
    row["rotate_move"] = np.stack([move(h.neutral_xy, 90)[half, half] for h in heads])
    row["rotate_part"] = np.stack([h.part[half, half] for h in heads])
    row["rotate_visible"] = np.stack([h.visible[half, half] for h in heads])
    return row


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


@dataclass(frozen=True)
class MorpherBatch:
    """B characters, K expressions each; B*K rows, the expressions of one character in a row."""

    rest: Tensor  # (B, 4, 128, 128) float, premultiplied, the crop
    rest_mouth: Tensor  # (B,)
    expression: Tensor  # (B*K, 3)
    target: Tensor  # (B*K, 4, 128, 128)
    move: Tensor  # (B*K, 2, 128, 128)
    part: Tensor  # (B*K, 128, 128) uint8


@dataclass(frozen=True)
class RotatorBatch:
    """B characters, K rotations each."""

    rest: Tensor  # (B, 4, 256, 256)
    rest_part: Tensor  # (B, 128, 128) uint8
    morphed: Tensor  # (B*K, 4, 256, 256) what is rotated
    neck: Tensor  # (B*K, 3)
    target: Tensor  # (B*K, 4, 256, 256)
    move: Tensor  # (B*K, 2, 128, 128)
    part: Tensor  # (B*K, 128, 128) uint8
    visible: Tensor  # (B*K, 128, 128) uint8


class Shards:
    """All characters of some shard folders, memory-mapped; new shards are seen at the next `refresh`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

    def row(self, k: int) -> dict[str, NDArray[Any]]:
        shard, row = self.index[k]
        return {name: array[row] for name, array in self.maps[shard].items()}


def planes(rgba: NDArray[np.uint8]) -> Tensor:
    """uint8 (..., H, W, 4) -> float (..., 4, H, W) in [0, 1]"""
    return torch.from_numpy(np.array(rgba)).movedim(-1, -3).float() / 255


def flipped(row: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The mirror image: eyes swapped, neck_z and neck_y negated."""
    out = dict(row)
    for name in ("rest", "morphed", "rotated"):
        out[name] = row[name][..., :, ::-1, :]
    for name in ("rest_part", "morph_part", "rotate_part", "rotate_visible"):
        out[name] = row[name][..., ::-1]
    for name in ("morph_move", "rotate_move"):
        out[name] = row[name][..., :, ::-1, :] * np.array([-1, 1], row[name].dtype)
    out["expression"] = row["expression"][:, [1, 0, 2]]
    out["neck"] = row["neck"] * np.array([-1, 1, -1], np.float32)
    return out


def shifted(row: dict[str, NDArray[Any]], right: int, down: int) -> dict[str, NDArray[Any]]:
    """Everything moved by (right, down) steps of two px, what comes in continuing the edge; up to `LARGEST_SHIFT`."""

    def moved(array: NDArray[Any], scale: int, axis: int) -> NDArray[Any]:
        margin = LARGEST_SHIFT * scale
        widths = [(margin, margin) if k in (axis, axis + 1) else (0, 0) for k in range(array.ndim)]
        y, x = margin - down * scale, margin - right * scale
        window = [slice(None)] * array.ndim
        window[axis], window[axis + 1] = slice(y, y + array.shape[axis]), slice(x, x + array.shape[axis + 1])
        return np.pad(array, widths, mode="edge")[tuple(window)]

    whole = np.repeat(row["rest"][None], EXPRESSIONS, 0)
    whole[:, CROP_SLICE, CROP_SLICE] = row["morphed"]
    out = dict(row)
    out["rest"] = moved(row["rest"], 2, 0)
    out["morphed"] = moved(whole, 2, 1)[:, CROP_SLICE, CROP_SLICE]
    out["rotated"] = moved(row["rotated"], 2, 1)
    for name in ("morph_move", "morph_part"):  # nothing moves at the crop's edge
        out[name] = moved(row[name], 2, 1)
    out["rest_part"] = moved(row["rest_part"], 1, 0)
    for name in ("rotate_move", "rotate_part", "rotate_visible"):
        out[name] = moved(row[name], 1, 1)
    return out


class Augment:
    """Gain and gamma per channel, the same for every picture of a character; light noise on what the network sees.

    Transparent stays transparent: the colour of a premultiplied picture is bounded by its alpha.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.gain = torch.tensor(1 + 0.12 * rng.standard_normal(), dtype=torch.float32)
        self.tint = torch.tensor(1 + 0.04 * rng.standard_normal(3), dtype=torch.float32)[:, None, None]
        self.noise = float(rng.choice([0.0, 0.0, 0.01, 0.02]))
        self.soft = float(rng.choice([0.0, 0.0, 0.15, 0.25]))
        self.seed = int(rng.integers(2**31))

    def colour(self, image: Tensor) -> Tensor:
        """(..., 4, H, W) -> the same, other colours."""
        rgb, alpha = image[..., :3, :, :], image[..., 3:, :, :]
        rgb = torch.minimum(rgb * self.gain * self.tint, alpha)
        out = torch.cat([rgb, alpha], -3)
        if self.soft:  # slightly out of focus, as a scaled drawing is
            flat = out.reshape(-1, 4, *out.shape[-2:])
            near = torch.nn.functional.avg_pool2d(flat, 3, 1, 1, count_include_pad=False).reshape(out.shape)
            out = out + 2 * self.soft * (near - out)
        return out

    def seen(self, image: Tensor) -> Tensor:
        """What an encoder gets (noise is not to be drawn again, so targets have none)."""
        if not self.noise:
            return image
        generator = torch.Generator().manual_seed(self.seed)
        noise = self.noise * torch.randn(image.shape, generator=generator)
        return torch.cat(
            [(image[..., :3, :, :] + noise[..., :3, :, :] * image[..., 3:, :, :]), image[..., 3:, :, :]], -3
        )


def morpher_batch(rows: list[dict[str, NDArray[Any]]], augments: list[Augment] | None) -> MorpherBatch:
    rest = [planes(r["rest"][CROP_SLICE, CROP_SLICE]) for r in rows]
    target = [planes(r["morphed"]) for r in rows]
    if augments:
        rest = [a.colour(x) for a, x in zip(augments, rest, strict=True)]
        target = [a.colour(x) for a, x in zip(augments, target, strict=True)]
    return MorpherBatch(
        torch.stack(rest),
        torch.tensor([float(r["rest_mouth"]) for r in rows]),
        torch.from_numpy(np.concatenate([r["expression"] for r in rows])),
        torch.cat(target),
        torch.from_numpy(np.concatenate([r["morph_move"] for r in rows]).astype(np.float32)).movedim(-1, 1),
        torch.from_numpy(np.concatenate([r["morph_part"] for r in rows])),
    )


def rotator_batch(rows: list[dict[str, NDArray[Any]]], augments: list[Augment] | None, count: int) -> RotatorBatch:
    """The first `count` rotations of every character; `morphed` is the true picture before the rotation."""
    rests, morphs, targets = [], [], []
    for k, r in enumerate(rows):
        rest = planes(r["rest"])
        morphed = rest[None].repeat(ROTATIONS, 1, 1, 1)
        morphed[:EXPRESSIONS, :, CROP_SLICE, CROP_SLICE] = planes(r["morphed"])
        target = planes(r["rotated"])
        morphed, target = morphed[-count:], target[-count:]
        if augments:
            rest, morphed, target = (augments[k].colour(x) for x in (rest, morphed, target))
        rests.append(rest)
        morphs.append(morphed)
        targets.append(target)
    return RotatorBatch(
        torch.stack(rests),
        torch.from_numpy(np.stack([r["rest_part"] for r in rows])),
        torch.cat(morphs),
        torch.from_numpy(np.concatenate([r["neck"][-count:] for r in rows])),
        torch.cat(targets),
        torch.from_numpy(np.concatenate([r["rotate_move"][-count:] for r in rows]).astype(np.float32)).movedim(-1, 1),
        torch.from_numpy(np.concatenate([r["rotate_part"][-count:] for r in rows])),
        torch.from_numpy(np.concatenate([r["rotate_visible"][-count:] for r in rows])),
    )


def random_rows(
    shards: Shards, rng: np.random.Generator, characters: int, rank: int = 0, world: int = 1
) -> Iterator[tuple[list[dict[str, NDArray[Any]]], list[Augment]]]:
    """For ever: `characters` random characters, shifted, half of them mirrored, each with its augmentation.

    Process `rank` of `world` gets its share of a batch of `world * characters`, which the numbers drawn make the same
    as that of a single process.
    """
    batch = world * characters
    mine = slice(rank, None, world)
    while True:
        order = rng.permutation(len(shards))
        for at in range(0, len(order) - batch + 1, batch):
            mirror = [rng.random() < 0.5 for _ in range(batch)]
            shifts = rng.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (batch, 2))
            augments = [Augment(rng) for _ in range(batch)]
            rows = [
                shifted(flipped(shards.row(int(k))) if turn else shards.row(int(k)), int(x), int(y))
                for k, turn, (x, y) in list(zip(order[at : at + batch], mirror, shifts, strict=True))[mine]
            ]
            yield rows, augments[mine]
        shards.refresh()


# ---------------------------------------------------------------- looking


def contact_sheet(shard: Path, output: Path, characters: int = 8) -> None:
    """Rows: rest, every expression, every rotation, and under them parts, visibility and how well the truth warps."""
    import cv2
    from PIL import Image

    data = Shards(shard.parent)
    wanted = [k for k, (m, _) in enumerate(data.index) if sorted(data.seen)[m] == shard.name][:characters]
    colours = np.array([[0, 0, 0], [80, 160, 80], [220, 160, 90], [90, 110, 220], [230, 60, 60]], np.uint8)
    lines = []
    for k in wanted:
        r = data.row(k)
        crop = np.zeros((EXPRESSIONS, SPEC, SPEC, 4), np.uint8) + r["rest"]
        crop[:, CROP_SLICE, CROP_SLICE] = r["morphed"]
        top = [r["rest"], *crop, *r["rotated"]]
        green = [
            x[..., :3] + ((255 - x[..., 3:].astype(np.uint16)) * np.array([90, 150, 90]) // 255).astype(np.uint8)
            for x in top
        ]
        below = [cv2.resize(colours[r["rest_part"]], (SPEC, SPEC), interpolation=cv2.INTER_NEAREST)]
        for j in range(EXPRESSIONS):
            source = (here(SPEC)[CROP_SLICE, CROP_SLICE] + r["morph_move"][j].astype(np.float32) - 0.5).astype(
                np.float32
            )
            warped = cv2.remap(r["rest"], source, None, cv2.INTER_LINEAR)[..., :3]
            warped[r["morph_part"][j] == PART_UNEXPLAINED] = (230, 60, 60)
            below.append(cv2.copyMakeBorder(warped, 64, 64, 64, 64, cv2.BORDER_CONSTANT))
        for j in range(ROTATIONS):
            source = cv2.resize(r["rotate_move"][j].astype(np.float32), (SPEC, SPEC)) + here(SPEC) - 0.5
            before = crop[j] if j < EXPRESSIONS else r["rest"]
            warped = cv2.remap(before, source.astype(np.float32), None, cv2.INTER_LINEAR)[..., :3]
            hidden = cv2.resize(r["rotate_visible"][j], (SPEC, SPEC), interpolation=cv2.INTER_NEAREST) == 0
            shown = cv2.resize(colours[r["rotate_part"][j]], (SPEC, SPEC), interpolation=cv2.INTER_NEAREST)
            below.append(np.where(hidden[..., None], shown, warped))
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
