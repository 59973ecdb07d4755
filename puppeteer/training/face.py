"""Trains the rig's morpher of lids and mouth on characters drawn meanwhile.

    python -m puppeteer.training.face --run runs/face --minutes 30 [--start runs/all/morpher.pt] [--look drawings]

A run goes on where it stopped, with characters that it has not seen; one that begins starts from a morpher of three
numbers or of all, without `--start` from the shipped one. At its end a sheet of the drawings in `--look` is drawn.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from puppeteer.image import premultiplied
from puppeteer.networks.compact.blocks import CROP, CROP_AT, MorpherConfig
from puppeteer.networks.rig.face import FaceMorpher
from puppeteer.networks.rig.terms import NUMBERS, faces
from puppeteer.pose import Pose
from puppeteer.training.dataset import CROP_SLICE, move, planes
from puppeteer.training.learning import Planes, Task, arguments, averages, checkpoint, learn_as_told
from puppeteer.training.morpher import Names, Seen, flipped, losses, seen_batch
from puppeteer.training.poses import random_face
from puppeteer.training.restyle import Dice
from puppeteer.training.ring import Row, Source

POSES = 6  # of each character
SPEAKING = 0.6  # share of the faces in which only the mouth moves
NAMES = Names("face", "target", "move", "part", NUMBERS)
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

    recipe = make_recipe(seed, split)
    renderer.load(recipe)
    rng = np.random.default_rng([seed, 78])
    mouth = float(recipe.rest_mouth)
    rest = premultiplied(renderer.render(Pose(mouth_open=mouth)).rgba)
    poses = [_speaking(random_face(rng, mouth), rng) for _ in range(POSES)]
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


def _speaking(pose: Pose, rng: np.random.Generator) -> Pose:
    """Mostly with eyes as they are drawn: pieces move these where they are found."""
    return replace(pose, eye_left=0.0, eye_right=0.0, eye_smile=0.0) if rng.random() < SPEAKING else pose


def batch_of(planes: Planes, rng: np.random.Generator) -> Seen:
    """Characters that are mirrored, in other colours, and in another hand where the encoder sees them."""
    dice = Dice(rng, len(planes["rest"]), planes["rest"].device)
    planes = flipped(planes, dice.often(0.5) > 0, NAMES)
    return seen_batch(planes, planes["rest"], dice, NAMES)


TASK = Task(
    "face",
    lambda: FaceMorpher(MorpherConfig()),
    Source(FIELDS, drawn),
    batch_of,
    losses,
    slots=160,
    rate=8e-4,
    sizes={"cpu": 3, "cuda": 32},
    least=24,
)


def begun_from(path: Path | None) -> dict[str, Tensor]:
    """What a run starts from: averages in a file, of all numbers or of three; of no file, the shipped morpher."""
    if path is None:
        from puppeteer.networks.compact.family import load

        return load().morpher.state_dict()
    return of_all_numbers(averages(path))


def of_all_numbers(average: dict[str, Tensor]) -> dict[str, Tensor]:
    """Averages of a morpher of three numbers, or of all, as those of one of all."""
    network = FaceMorpher(MorpherConfig())
    network.start_from({name: value.float() for name, value in average.items()})
    return network.state_dict()


LOOKS: tuple[dict[str, float], ...] = (
    {},
    {"eye_left": 0.5, "eye_right": 0.5},
    {"eye_left": 1, "eye_right": 1},
    {"eye_left": 1, "eye_right": 1, "eye_smile": 1},
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
    network.load_state_dict({name: value.float() for name, value in weights.items()})
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
            pose = faces({"mouth_open": mouth, **numbers})
            posed = network.paint(image, network.decode(features, pose))[0].clamp(0, 1)
            grey = posed[:3] + 0.45 * (1 - posed[3:])
            row.append((255 * grey).byte().permute(1, 2, 0).numpy()[100:196, 84:172, ::-1])
        rows.append(np.concatenate(row, 1))
    if rows:
        cv2.imwrite(str(output), np.concatenate(rows))


def main() -> None:
    parser = arguments(__doc__, TASK)
    parser.add_argument("--start", type=Path, help="a checkpoint to begin with; without it, the shipped morpher")
    parser.add_argument("--look", type=Path, help="a folder of drawings (PNG, heads as in the spec square)")
    options: Any = parser.parse_args()
    learn_as_told(TASK, options, start=begun_from(options.start))
    saved = checkpoint(options.run, TASK)
    if options.look and saved is not None:
        look(saved["average"], options.look, options.run / f"face-{saved['step']:06d}.png")


if __name__ == "__main__":
    main()
