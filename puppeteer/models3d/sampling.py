"""Random poses of models: the paper's densities for its six numbers, and those of the others that a model has. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from puppeteer.pose import NUMBERS, SIX, Pose

EXTREME = 0.4  # share of joints at the exact ends
USED = 0.4  # share of poses in which a number beside the six is not 0
TOGETHER = 0.6  # of poses whose brows move, those where both do the same
DRAWN_NECK = 0.5  # of the neck's range: drawings that look straight ahead do so about


def closures(rng: np.random.Generator) -> tuple[float, float]:
    """eye_left and eye_right."""

    def closure() -> float:
        u = rng.random()
        return 1.0 if u < 0.3 else 0.0 if u < 0.4 else float(rng.random())

    left = closure()
    return left, left if rng.random() < 0.5 else closure()


def joints(rng: np.random.Generator) -> list[float]:
    """Three: density growing linearly from 0 to both ends, as in the paper."""

    def joint() -> float:
        sign = 1.0 if rng.random() < 0.5 else -1.0
        return sign if rng.random() < EXTREME else sign * float(np.sqrt(rng.random()))

    return [joint(), joint(), joint()]


def random_expression(rng: np.random.Generator) -> Pose:
    """Eyes and mouth alone: uniform with weight on both ends; half the time both eyes move together."""

    left, right = closures(rng)
    u = rng.random()
    return Pose(eye_left=left, eye_right=right, mouth_open=0.0 if u < 0.3 else 1.0 if u < 0.5 else float(rng.random()))


def random_neck(rng: np.random.Generator) -> tuple[float, float, float]:
    """neck_z, neck_x, neck_y; a third alone."""
    neck = joints(rng)
    if rng.random() < 0.33:
        alone = int(rng.integers(3))
        neck = [v if k == alone else 0.0 for k, v in enumerate(neck)]
    return neck[0], neck[1], neck[2]


def random_pose(rng: np.random.Generator, able: Collection[str]) -> Pose:
    """All numbers of those in `able`: the six as above, each other one 0 or uniform with weight on the ends."""
    values: dict[str, float] = {}
    for number in NUMBERS:
        used, end, u = rng.random() < USED, rng.random() < 0.25, float(rng.random())
        value = number.low + (1 - number.low) * (round(u) if end else u)
        values[number.name] = value if used else 0.0
    if rng.random() < TOGETHER:
        values["brow_right"] = values["brow_left"]
    e, neck = random_expression(rng), random_neck(rng)
    values |= dict(zip(SIX, (e.eye_left, e.eye_right, e.mouth_open, *neck), strict=True))
    return Pose.from_names({name: value for name, value in values.items() if name in able})


def drawn_pose(rng: np.random.Generator, able: Collection[str]) -> Pose:
    """As a drawing may be that is made into a character: open eyes, any mouth and mood, nearly straight ahead."""
    pose = random_pose(rng, able)
    neck = {name: DRAWN_NECK * getattr(pose, name) for name in ("neck_z", "neck_x", "neck_y")}
    still = dict.fromkeys(("eye_left", "eye_right", "body_z", "body_y"), 0.0)
    return replace(pose, **neck, **still)
