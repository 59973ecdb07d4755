"""Training data of 3D models: rest image, expression, expression and rotation, with every truth, in shards.

A shard is a folder of `.npy` arrays, as `training.dataset` reads them: per row one rest image, `EXPRESSIONS` pictures
with another expression and `ROTATIONS` pictures with rotation too; picture j of these has expression j, the last one
that of the rest image. Beside these lie `EVERYTHING` pictures in which all numbers vary that the model has (`posed`,
their poses and truth against the rest image), and the layers of one more picture that is posed as a drawing may be
(`layer_rest`). Colours are premultiplied uint8 sRGB; displacements point from a pixel to where the same surface point
lies in the picture before the change, in spec px.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from puppeteer.characters.layers import LAYERS
from puppeteer.errors import ModelError, PuppeteerError
from puppeteer.files import readable_json, whole
from puppeteer.image import premultiplied
from puppeteer.models3d.marks import Marks
from puppeteer.models3d.sampling import drawn_pose, random_expression, random_neck, random_pose
from puppeteer.models3d.storage import models_in
from puppeteer.networks.compact import CROP, CROP_AT, SPEC
from puppeteer.pose import F32, Pose

EXPRESSIONS, ROTATIONS, EVERYTHING, MAPS = 3, 4, 4, 128
PICTURES = 2 + EXPRESSIONS + ROTATIONS + EVERYTHING  # of a row
ROWS = 8  # of a shard: one model's, so that a shard never mixes sets
FIRST_SEED, SEEDS = 900_000_000, 10_000  # above the generator's; and how many a model has
SETS = ("train", "validation", "test")
OWN_SHADING = 0.5  # share of rows in the model's own shading, the others in the paper's
_CROP = slice(CROP_AT, CROP_AT + CROP)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of a data set."""

    path: Path
    folder: str  # of its source: models of one folder are in one set
    set: str


@dataclass(slots=True)
class Report:
    """What was made: the paper's table."""

    models: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETS, 0))
    poses: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETS, 0))
    pictures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETS, 0))
    left_out: dict[str, str] = field(default_factory=dict)  # model -> reason
    seconds: float = 0.0

    def table(self) -> str:
        lines = [f"{'':12}{'models':>10}{'poses':>10}{'pictures':>10}"]
        for name in SETS:
            lines.append(f"{name:12}{self.models[name]:>10}{self.poses[name]:>10}{self.pictures[name]:>10}")
        return "\n".join(lines)


def entries(folder: Path, test: Sequence[str] = (), validation: Sequence[str] = ()) -> list[Entry]:
    """Every model below a folder with its set, by source folder: named ones go where they are named, of the others a
    tenth each to test and validation, by the folder's name. Raises ModelError."""
    found = models_in(folder)
    sources = {path: _source(folder, path) for path in found}
    if not found:
        raise ModelError(f"{folder} holds no PMX, PMD or VRM models: name a folder that does (links are not followed)")
    unknown = sorted({*test, *validation} - set(sources.values()))
    if unknown:
        known = ", ".join(sorted(set(sources.values()))[:8])
        raise ModelError(f"{folder} has no models in a folder {unknown[0]!r}; it has {known}")
    out = []
    for path, source in sources.items():
        if source in test:
            chosen = "test"
        elif source in validation:
            chosen = "validation"
        else:
            share = zlib.crc32(source.encode()) % 10 if not (test or validation) else 9
            chosen = {0: "test", 1: "validation"}.get(share, "train")
        out.append(Entry(path, source, chosen))
    return out


def _source(folder: Path, path: Path) -> str:
    """The folder right below the data's folder, or the ZIP file, or the file itself."""
    if folder.is_file() or path == folder:
        return path.name
    return path.relative_to(folder).parts[0]


def _move(place: F32, reach: float) -> F32:
    line = np.arange(place.shape[0], dtype=np.float32) + 0.5
    out = place - np.stack(np.meshgrid(line, line), -1)
    out[np.maximum(*np.abs(out).transpose(2, 0, 1)) > reach] = 0
    return np.asarray(out, np.float32)


def render_row(renderer: Any, seed: int) -> Row:
    """One row of a shard, of the loaded model."""
    rng = np.random.default_rng([seed, 77])
    shading = "own" if rng.random() < OWN_SHADING else "phong"

    def draw(pose: Pose) -> Any:
        return renderer.render(pose, SPEC, truth=True, shading=shading)

    able = renderer.able()
    rest = draw(Pose())
    half = slice(None, None, SPEC // MAPS)
    expressions = [random_expression(rng) for _ in range(EXPRESSIONS)]
    faces = [draw(pose) for pose in expressions]
    necks = [random_neck(rng) for _ in range(ROTATIONS)]
    heads = [
        draw(Pose(e.eye_left, e.eye_right, e.mouth_open, *neck))
        for e, neck in zip([*expressions, Pose()], necks, strict=True)
    ]
    everything = [random_pose(rng, able) for _ in range(EVERYTHING)]
    posed = [draw(pose) for pose in everything]
    drawn = drawn_pose(rng, able)
    layers = renderer.layers(drawn, SPEC, shading)
    return {
        "seed": np.int64(seed),
        "rest_mouth": np.float32(0),
        "rest": premultiplied(rest.rgba),
        "rest_part": rest.part[half, half],
        "expression": np.array([(e.eye_left, e.eye_right, e.mouth_open) for e in expressions], np.float32),
        "morphed": np.stack([premultiplied(f.rgba)[_CROP, _CROP] for f in faces]),
        "morph_move": np.stack([_move(f.rest_xy, 40)[_CROP, _CROP] for f in faces]).astype(np.float16),
        "morph_part": np.stack([f.part[_CROP, _CROP] for f in faces]),
        "neck": np.array(necks, np.float32),
        "rotated": np.stack([premultiplied(h.rgba) for h in heads]),
        "rotate_move": np.stack([_move(h.neutral_xy, 90)[half, half] for h in heads]).astype(np.float16),
        "rotate_part": np.stack([h.part[half, half] for h in heads]),
        "rotate_visible": np.stack([h.visible[half, half] for h in heads]),
        "pose": np.stack([pose.array() for pose in everything]),
        "posed": np.stack([premultiplied(p.rgba) for p in posed]),
        "posed_move": np.stack([_move(p.rest_xy, 120)[half, half] for p in posed]).astype(np.float16),
        "posed_part": np.stack([p.part[half, half] for p in posed]),
        "layer_pose": drawn.array(),
        "layer_rest": layers.rgba,
        "layer_seen": layers.seen,
        "layer_colour": layers.colour,
        "layer_depth": layers.depth[:, half, half].astype(np.float16),
        "layer_follow": layers.follow[:, half, half].astype(np.float16),
        "joints": renderer.joints(drawn),
    }


@dataclass(frozen=True, slots=True)
class _Job:
    entry: Entry
    name: str  # in the listing, of which its shards' names are made: others come and go
    poses: int
    output: Path
    marks: Marks


def _render_model(job: _Job) -> tuple[_Job, int, str]:
    """Writes the shards of one model that are missing; how many poses there are, and why it was left out."""
    from puppeteer.models3d.annotation import study
    from puppeteer.models3d.reading import read_model
    from puppeteer.models3d.renderer import ModelRenderer

    os.environ.setdefault("LP_NUM_THREADS", "1")
    rows = -(-job.poses // ROTATIONS)
    try:
        base = FIRST_SEED + SEEDS * zlib.crc32(f"{job.name} {_size(job.entry.path)}".encode())
        found = study(read_model(job.entry.path))
        annotation = job.marks.of(job.entry.path, found) or found.annotation
        if annotation is None:
            return job, 0, "no head was found"
        if annotation.skipped:
            return job, 0, "a person left it out"
        if annotation.missing:
            return job, 0, f"it has no morph for {', '.join(annotation.missing)}"
        with ModelRenderer() as renderer:
            renderer.load(found, annotation)
            for first in range(0, rows, ROWS):
                seed = base + first
                target = _shard(job.output, job.entry.set, f"{seed:09d}")
                if not target.is_dir():
                    _write(target, [render_row(renderer, seed + k) for k in range(min(ROWS, rows - first))])
    except PuppeteerError as error:
        return job, 0, str(error)
    return job, rows * ROTATIONS, ""


def _size(path: Path) -> int:
    """Of a model's file, or of the ZIP file that holds it."""
    return next((place.stat().st_size for place in (path, *path.parents) if place.is_file()), 0)


def _shard(output: Path, chosen: str, name: str) -> Path:
    """Where a shard of a set lies, or will lie. One that was made when its model was in another set is moved there."""
    target = output / chosen / name
    for other in SETS:
        made = output / other / name
        if other != chosen and made.is_dir():
            if target.is_dir():
                shutil.rmtree(made)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.rename(target)
    return target


def _write(target: Path, rows: list[Row]) -> None:
    """A shard, whole or not at all."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    for name in rows[0]:
        np.save(draft / f"{name}.npy", np.stack([np.asarray(row[name]) for row in rows]))
    draft.rename(target)


def render_all(
    folder: Path,
    output: Path,
    poses: int = 100,
    workers: int = 1,
    test: Sequence[str] = (),
    validation: Sequence[str] = (),
    marks: Marks | None = None,
) -> Iterator[tuple[str, Report]]:
    """Makes a data set; after each model a line about it and the report so far. What is there already stays,
    and goes with its model into another set.

    Raises ModelError.
    """
    listed = entries(folder, test, validation)
    output.mkdir(parents=True, exist_ok=True)
    used = marks or Marks.beside(folder)
    root = folder if folder.is_dir() else folder.parent
    jobs = [_Job(entry, entry.path.relative_to(root).as_posix(), poses, output, used) for entry in listed]
    report, start = Report(), time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, maxtasksperchild=4) as pool:
        for job, made, reason in pool.imap_unordered(_render_model, jobs):
            if reason:
                report.left_out[job.name] = reason
                line = f"{job.name}: left out, because {reason}"
            else:
                kind = job.entry.set
                report.models[kind] += 1
                report.poses[kind] += made
                report.pictures[kind] += made // ROTATIONS * PICTURES
                line = f"{job.name}: {made} poses for {kind}"
            report.seconds = time.perf_counter() - start
            yield line, report
    told: dict[str, Any] = {
        "models": report.models, "poses": report.poses, "pictures": report.pictures, "left_out": report.left_out,
        "layers": LAYERS,
    }  # fmt: skip
    with whole(output / "models.json") as draft:
        draft.write_text(readable_json(told, indent=2), encoding="utf-8")
