"""Random poses for training: the paper's densities with weight on the exact ends."""

from __future__ import annotations

import numpy as np

from puppeteer.pose import Pose

EXTREME = 0.4  # share of poses with exact ends


def random_expression(rng: np.random.Generator, rest_mouth: float) -> tuple[float, float, float]:
    """eye_left, eye_right, mouth_open: uniform with weight on both ends; half the time both eyes move together."""

    def closure() -> float:
        u = rng.random()
        return 1.0 if u < 0.3 else 0.0 if u < 0.4 else float(rng.random())

    left = closure()
    right = left if rng.random() < 0.5 else closure()
    u = rng.random()
    mouth = rest_mouth if u < 0.15 else 0.0 if u < 0.35 else 1.0 if u < 0.55 else float(rng.random())
    return left, right, mouth


def random_neck(rng: np.random.Generator) -> tuple[float, float, float]:
    """neck_z, neck_x, neck_y: density growing linearly from 0 to both ends (paper, section on data), a third alone."""

    def joint() -> float:
        sign = 1.0 if rng.random() < 0.5 else -1.0
        return sign if rng.random() < EXTREME else sign * float(np.sqrt(rng.random()))

    neck = [joint(), joint(), joint()]
    u = rng.random()
    if u < 0.33:
        alone = int(rng.integers(3))
        neck = [v if k == alone else 0.0 for k, v in enumerate(neck)]
    elif u < 0.45:
        neck[int(rng.integers(3))] = 0.0
    return neck[0], neck[1], neck[2]


def random_pose(rng: np.random.Generator, rest_mouth: float) -> Pose:
    return Pose(*random_expression(rng, rest_mouth), *random_neck(rng))
