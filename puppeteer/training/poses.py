"""Random poses for training: the paper's densities with weight on the exact ends."""

from __future__ import annotations

import numpy as np

from puppeteer.models3d.sampling import EXTREME, closures, joints
from puppeteer.networks.rig.terms import NUMBERS
from puppeteer.pose import BY_NAME, Pose


def random_expression(rng: np.random.Generator, rest_mouth: float) -> tuple[float, float, float]:
    """eye_left, eye_right, mouth_open: uniform with weight on both ends; half the time both eyes move together."""

    left, right = closures(rng)
    u = rng.random()
    mouth = rest_mouth if u < 0.15 else 0.0 if u < 0.35 else 1.0 if u < 0.55 else float(rng.random())
    return left, right, mouth


def random_neck(rng: np.random.Generator) -> tuple[float, float, float]:
    """neck_z, neck_x, neck_y, as in the paper's section on data; a third alone."""
    neck = joints(rng)
    u = rng.random()
    if u < 0.33:
        alone = int(rng.integers(3))
        neck = [v if k == alone else 0.0 for k, v in enumerate(neck)]
    elif u < 0.45:
        neck[int(rng.integers(3))] = 0.0
    return neck[0], neck[1], neck[2]


def random_pose(rng: np.random.Generator, rest_mouth: float) -> Pose:
    return Pose(*random_expression(rng, rest_mouth), *random_neck(rng))


APART = 0.35  # share of faces in which one number, or one with what it needs, moves alone


def random_face(rng: np.random.Generator, rest_mouth: float) -> Pose:
    """All numbers that the morpher knows: a third of them one alone, the others mixed, with weight on exact ends and
    on 0."""

    def signed() -> float:
        return 0.0 if rng.random() < 0.35 else float(rng.choice([-1, 1])) * _towards_one(rng)

    left, right, mouth = random_expression(rng, rest_mouth)
    if rng.random() < 0.5:  # a smile shows in open ones
        left, right = (k if rng.random() < 0.3 else 0.0 for k in (left, right))
    numbers = (_towards_one(rng) if rng.random() < 0.3 else 0.0, signed(), signed())
    names = NUMBERS[3:]
    if rng.random() < APART:
        alone = int(rng.integers(len(names)))
        value = _towards_one(rng) * (1.0 if BY_NAME[names[alone]].low == 0 else float(rng.choice([-1, 1])))
        if names[alone] != "mouth_wide" and rng.random() < 0.7:
            mouth = rest_mouth
        if not names[alone].startswith("eye_") or rng.random() < 0.5:
            left = right = 0.0
        return Pose(left, right, mouth, **{names[alone]: value})
    return Pose(left, right, mouth, **dict(zip(names, numbers, strict=True)))


def _towards_one(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < EXTREME else float(np.sqrt(rng.random()))
