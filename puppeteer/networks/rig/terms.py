"""What the numbers of a face ask of the morpher: a weight for each of the maps that it keeps of a character.

A weight is a hat function of one number, times how far another one lets it. Written as two matrices, all weights of a
pose are four operations on a tensor: in a frame, what an operation costs is that it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from puppeteer.networks.compact.morpher import EYE_HATS, MOUTH_HATS
from puppeteer.pose import POSE_NAMES

# What else a face shows are pieces of the drawing, see `pieces`.
NUMBERS = tuple(n for n in POSE_NAMES if n in ("eye_left", "eye_right", "eye_smile") or n.startswith("mouth_"))
LEFT, RIGHT, OPEN, SMILE, CORNERS, VOWEL = range(len(NUMBERS))
KNOTS = 2  # hats on each side of 0 of a number whose parts slide
OPENED = 0.25  # of `mouth_open`, from which on its vowel is all there, as in the generator
OWN = 1 + EYE_HATS + MOUTH_HATS  # terms of the three numbers
MOUTHS = 2 * KNOTS + 4  # vowel, and corners of closed and open lips
LIDS = (*range(1, 1 + EYE_HATS), OWN, OWN + 1)  # terms that move lids
MORE = 2 + MOUTHS  # smile with open and closed eyes; then a mouth's
TERMS = OWN + MORE

# Columns beside the numbers: the mouth as the maps have it, the vowel as far as it is heard, and 1.
SEEN, HEARD, ONE = range(len(NUMBERS), len(NUMBERS) + 3)
Linear = dict[int, float]  # of the columns
ALWAYS: Linear = {ONE: 1.0}


def faces(*chosen: Mapping[str, float]) -> Tensor:
    """(K, N) in the order of `NUMBERS`; what is not named is 0."""
    return torch.tensor([[float(face.get(number, 0)) for number in NUMBERS] for face in chosen])


def _hats(column: int, peaks: list[float], width: float, factor: Linear = ALWAYS) -> list[tuple[Linear, Linear]]:
    """Of a number: 1 at its peak, 0 from `width` away on."""
    return [({column: 1 / width, ONE: -peak / width}, factor) for peak in peaks]


def _ramps(column: int) -> list[tuple[Linear, Linear]]:
    peaks = [(k + 1) / KNOTS for k in range(KNOTS)]
    return _hats(column, peaks, 1 / KNOTS) + _hats(column, [-peak for peak in peaks], 1 / KNOTS)


def _of_side(closure: int) -> list[tuple[Linear, Linear]]:
    """Argument and factor of each term. A hat of width 1 about 1 is the number itself, where it is above 0."""
    awake, shut = {ONE: 1.0, closure: -1.0}, {ONE: 1.0, OPEN: -1.0}
    return [
        ({}, ALWAYS),
        *_hats(closure, [(k + 1) / EYE_HATS for k in range(EYE_HATS)], 1 / EYE_HATS),
        *_hats(SEEN, [k / (MOUTH_HATS - 1) for k in range(MOUTH_HATS)], 1 / (MOUTH_HATS - 1)),
        *_hats(SMILE, [1.0], 1.0, awake),
        *_hats(SMILE, [1.0], 1.0, {closure: 1.0}),
        *_ramps(HEARD),
        *_hats(CORNERS, [1.0, -1.0], 1.0, shut),
        *_hats(CORNERS, [1.0, -1.0], 1.0, {OPEN: 1.0}),
    ]


def matrix() -> Tensor:
    """(columns, 2, 2, TERMS): from columns to arguments and factors of the right side of the face, and of the left."""
    out = torch.zeros(ONE + 1, 2, 2, TERMS, device="cpu")
    for side, terms in enumerate((_of_side(RIGHT), _of_side(LEFT))):
        for term, parts in enumerate(terms):
            for part, linear in enumerate(parts):
                for column, value in linear.items():
                    out[column, side, part, term] = value
    return out


def closing() -> Tensor:
    """(TERMS,) 1 for those that close eyes."""
    out = torch.zeros(TERMS, device="cpu")
    out[list(LIDS)] = 1
    return out


def terms(face: Tensor, seen: Tensor, matrix: Tensor) -> Tensor:
    """face (B, N) in the order of `NUMBERS`, and (B, 1) its mouth as the maps have it -> (B, 2, TERMS)"""
    heard = face[:, VOWEL:] * (face[:, OPEN : OPEN + 1] / OPENED).clamp(max=1)
    columns = torch.cat([face, seen, heard, torch.ones_like(seen)], 1)
    # not a matrix product, which mixed precision would round
    arguments, factors = (columns[:, :, None, None, None] * matrix).sum(1).unbind(2)
    return (1 - arguments.abs()).clamp(min=0) * factors
