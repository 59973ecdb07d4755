"""Trains the rig's morpher of all of a face's numbers on characters drawn meanwhile.

    python -m puppeteer.training.face --run runs/face --minutes 30 --start runs/all/morpher.pt --look drawings

A run goes on where it stopped, with characters that it has not seen; the first starts from a morpher of three numbers
(`--start shipped`: the shipped one). Every ten minutes a sheet of the drawings in `--look` is written beside it.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from puppeteer.files import whole as whole_file
from puppeteer.image import premultiplied
from puppeteer.networks.compact.blocks import CROP, CROP_AT, MorpherConfig
from puppeteer.networks.rig.face import NUMBERS, FaceMorpher
from puppeteer.training.dataset import CROP_SLICE, move, planes
from puppeteer.training.morpher import Augment, MorpherBatch, morpher_step
from puppeteer.training.poses import random_face
from puppeteer.training.ring import Ring, Row, Source

POSES = 6  # of each character
SLOTS, LEAST = 160, 24
AVERAGE = 0.998
SHEET_S = 600.0
MIRRORED = (
    [NUMBERS.index(n) for n in ("eye_right", "eye_left")],
    [NUMBERS.index(n) for n in ("brow_right", "brow_left")],
)
FIELDS: dict[str, tuple[tuple[int, ...], Any]] = {
    "seed": ((), np.int64),
    "rest_mouth": ((), np.float32),
    "rest": ((CROP, CROP, 4), np.uint8),  # premultiplied, the crop
    "face": ((POSES, len(NUMBERS)), np.float32),
    "target": ((POSES, CROP, CROP, 4), np.uint8),
    "move": ((POSES, CROP, CROP, 2), np.float16),  # px
    "part": ((POSES, CROP, CROP), np.uint8),
}


def drawn(renderer: Any, seed: int, split: Any) -> Row:
    """One character in some faces."""
    from puppeteer.characters import make_recipe
    from puppeteer.pose import Pose

    recipe = make_recipe(seed, split)
    renderer.load(recipe)
    rng = np.random.default_rng([seed, 78])
    mouth = float(recipe.rest_mouth)
    rest = premultiplied(renderer.render(Pose(mouth_open=mouth)).rgba)
    poses = [random_face(rng, mouth) for _ in range(POSES)]
    pictures = [renderer.render(pose, truth=True) for pose in poses]
    return {
        "seed": np.array(seed, np.int64),
        "rest_mouth": np.array(mouth, np.float32),
        "rest": rest[CROP_SLICE, CROP_SLICE],
        "face": np.array([[getattr(pose, name) for name in NUMBERS] for pose in poses], np.float32),
        "target": np.stack([premultiplied(p.rgba)[CROP_SLICE, CROP_SLICE] for p in pictures]),
        "move": np.stack([move(p.rest_xy, 40)[CROP_SLICE, CROP_SLICE] for p in pictures]).astype(np.float16),
        "part": np.stack([p.part[CROP_SLICE, CROP_SLICE] for p in pictures]),
    }


def flipped(row: Row) -> Row:
    """The mirror image."""
    out = dict(row)
    for name in ("rest", "target"):
        out[name] = row[name][..., ::-1, :]
    out["part"] = row["part"][..., ::-1]
    out["move"] = row["move"][..., ::-1, :] * np.array([-1, 1], np.float16)
    face = row["face"].copy()
    for pair in MIRRORED:
        face[:, sorted(pair)] = row["face"][:, pair]
    face[:, NUMBERS.index("gaze_x")] *= -1
    out["face"] = face
    return out


def batch_of(rows: list[Row], rng: np.random.Generator) -> tuple[MorpherBatch, Tensor]:
    """A batch with augmented colours, and what the encoder sees of it."""
    rows = [flipped(row) if rng.random() < 0.5 else row for row in rows]
    augments = [Augment(rng) for _ in rows]
    rest = torch.stack([a.colour(planes(r["rest"])) for a, r in zip(augments, rows, strict=True)])
    target = torch.cat([a.colour(planes(r["target"])) for a, r in zip(augments, rows, strict=True)])
    seen = torch.stack([a.seen(x) for a, x in zip(augments, rest, strict=True)])
    batch = MorpherBatch(
        rest,
        torch.tensor([float(r["rest_mouth"]) for r in rows]),
        torch.from_numpy(np.concatenate([r["face"] for r in rows])),
        target,
        torch.from_numpy(np.concatenate([r["move"] for r in rows]).astype(np.float32)).movedim(-1, 1),
        torch.from_numpy(np.concatenate([r["part"] for r in rows])),
    )
    return batch, seen


def step_losses(network: FaceMorpher, batch: MorpherBatch, seen: Tensor) -> dict[str, Tensor]:
    return morpher_step(network, batch, seen)[0]


def shipped() -> dict[str, Tensor]:
    """The morpher that ships with the compact family."""
    from puppeteer.networks.compact.family import load

    return load().morpher.state_dict()


def train(options: argparse.Namespace) -> None:
    """Trains for `minutes` more; writes `face.pt` with everything that going on needs."""
    run: Path = options.run
    run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = FaceMorpher(MorpherConfig())
    step = first = 0
    path = run / "face.pt"
    saved = torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else None
    if saved is not None:
        network.load_state_dict(saved["network"])
    elif options.start == "shipped":
        network.start_from(shipped())
    elif options.start:
        network.start_from(torch.load(options.start, map_location="cpu", weights_only=True)["average"])
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=1e-4)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    if saved is not None:
        if "optimizer" in saved:  # a checkpoint that is kept with the project has none, and halves for numbers
            optimizer.load_state_dict(saved["optimizer"])
        average = {name: value.float() for name, value in saved["average"].items()}
        step, first = saved["step"], saved["seed"]
    begun, rng = step, np.random.default_rng([options.seed, step])
    shown: dict[str, float] = defaultdict(float)

    def save(ring: Ring) -> None:
        with whole_file(path) as draft:
            torch.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "average": average,
                    "step": step,
                    "seed": first + ring.new + SLOTS + options.workers,
                },
                draft,
            )

    with (
        Ring(Source(FIELDS, drawn), SLOTS, options.workers, first, "train", step) as ring,
        (run / "log.csv").open("a") as log,
    ):
        ring.take(1, LEAST)
        start = sheet_at = time.monotonic()
        while (passed := (time.monotonic() - start) / (60 * options.minutes)) < 1:
            batch, seen = batch_of(ring.take(options.batch), rng)
            losses = step_losses(network, batch, seen)
            warm = min(1.0, (step - begun + 1) / 50)
            for group in optimizer.param_groups:
                group["lr"] = options.rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * passed)))
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step += 1
            decay = min(AVERAGE, (step + 1) / (step + 10))
            with torch.no_grad():
                for name, value in network.state_dict().items():
                    average[name].lerp_(value, 1 - decay)
            for name, loss in losses.items():
                value = float(loss.detach())
                shown[name] = 0.97 * shown[name] + 0.03 * value if shown[name] else value
            if step % 20 == 0:
                line = [str(step), f"{time.monotonic() - start:.0f}", f"{ring.new / max(1, ring.taken):.2f}"]
                line += [f"{name}={value:.4f}" for name, value in shown.items()]
                print(*line, flush=True)
                log.write(",".join(line) + "\n")
                log.flush()
            if time.monotonic() - sheet_at > SHEET_S:
                sheet_at = time.monotonic()
                save(ring)
                if options.look:
                    look(average, options.look, run / f"face-{step:06d}.png")
        save(ring)
    if options.look:
        look(average, options.look, run / f"face-{step:06d}.png")


LOOKS: tuple[dict[str, float], ...] = (
    {},
    {"gaze_x": 1},
    {"gaze_x": -1},
    {"gaze_y": 1},
    {"gaze_y": -1},
    {"eye_left": 0.5, "eye_right": 0.5, "gaze_x": 1},
    {"eye_left": 1, "eye_right": 1},
    {"eye_left": 1, "eye_right": 1, "eye_smile": 1},
    {"eye_wide": 1},
    {"brow_left": 1, "brow_right": 1},
    {"brow_left": -1, "brow_right": -1},
    {"brow_form": 1},
    {"brow_form": -1},
    {"mouth_form": 1},
    {"mouth_form": -1},
    {"mouth_open": 1},
    {"mouth_open": 0.7, "mouth_wide": 1},
    {"mouth_open": 0.7, "mouth_wide": -1},
)


def look(weights: dict[str, Tensor], folder: Path, output: Path) -> None:
    """A sheet of the drawings (PNG) in a folder, one a row, in `LOOKS`."""
    import cv2

    network = FaceMorpher(MorpherConfig())
    network.load_state_dict(weights)
    network.eval().requires_grad_(False)
    rows = []
    for path in sorted(folder.glob("*.png")):
        rgba = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if rgba is None or rgba.ndim != 3 or rgba.shape[2] != 4:
            continue
        rgba = cv2.resize(rgba, (2 * CROP, 2 * CROP), interpolation=cv2.INTER_AREA)[..., [2, 1, 0, 3]]
        image = planes(premultiplied(rgba))[None]
        features = network.fitted(image[:, :, CROP_AT : CROP_AT + CROP, CROP_AT : CROP_AT + CROP])
        mouth = float(features.rest_mouth[0])
        row = []
        for numbers in LOOKS:
            pose = torch.tensor([[{"mouth_open": mouth, **numbers}.get(name, 0.0) for name in NUMBERS]])
            posed = network.paint(image, network.decode(features, pose))[0].clamp(0, 1)
            grey = posed[:3] + 0.45 * (1 - posed[3:])
            row.append((255 * grey).byte().permute(1, 2, 0).numpy()[100:196, 84:172, ::-1])
        rows.append(np.concatenate(row, 1))
    if rows:
        cv2.imwrite(str(output), np.concatenate(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--start", default="", help="a checkpoint of a morpher of three numbers, or `shipped`")
    parser.add_argument("--look", type=Path, help="a folder of drawings (PNG, heads as in the spec square)")
    parser.add_argument("--batch", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
