"""The morpher of the rig's face layer: eyes, gaze, brows and mouth in all of their numbers.

It keeps the way of the compact family's morpher (softmax of keep, move and paint, from maps kept per character that hat
functions of the pose weigh) and its weights as a start: the maps of the other numbers come beside those of the three.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import repeated
from puppeteer.networks.compact.blocks import CROP, MorpherConfig, hats
from puppeteer.networks.compact.morpher import (
    EYE_HATS,
    MOUTH_HATS,
    MOVES_PX,
    Morpher,
    MorpherFeatures,
    MorpherOutput,
    as_seen,
    edge,
    halves,
    painted,
)
from puppeteer.pose import POSE_NAMES

NUMBERS = tuple(n for n in POSE_NAMES if n.startswith(("eye_", "mouth_", "gaze_", "brow_")))
LEFT, RIGHT, OPEN, GAZE_X, GAZE_Y, BROW_LEFT, BROW_RIGHT, FORM, SMILE, WIDE, CORNERS, VOWEL = range(len(NUMBERS))
KNOTS = 2  # hats on each side of 0 of a number whose parts slide
OPENED = 0.25  # of `mouth_open`, from which on its vowel is all there, as in the generator
OWN = 1 + EYE_HATS + MOUTH_HATS  # terms of the three numbers
MOUTHS = 2 * KNOTS + 4  # vowel, and corners of closed and open lips
MORE = 8 * KNOTS + 2 + KNOTS + MOUTHS  # gaze, brow, form; smile with open and closed eyes; wide; then a mouth's


def ramps(value: Tensor) -> Tensor:
    """Hats with peaks at 1/KNOTS .. 1 and -1/KNOTS .. -1: value (B,) -> (B, 2 * KNOTS)"""
    both = torch.stack([value, -value], 1).clamp(min=0)[..., None]
    return hats(both, KNOTS, 1 / KNOTS).flatten(1)


def more_terms(face: Tensor, closure: Tensor, brow: Tensor) -> Tensor:
    """face (B, 12) in the order of `NUMBERS`, closure and brow (B,) of one side -> (B, MORE), all zero where the
    numbers beyond the three are."""
    column = face.unbind(1)
    opened, smile, corners = column[OPEN], column[SMILE], column[CORNERS]
    vowel = column[VOWEL] * (opened / OPENED).clamp(max=1)
    wide = hats(column[WIDE][:, None], KNOTS, 1 / KNOTS) * (1 - closure)[:, None]
    bent = torch.stack([corners, -corners], 1).clamp(min=0)
    return torch.cat(
        [
            ramps(column[GAZE_X]),
            ramps(column[GAZE_Y]),
            ramps(brow),
            ramps(column[FORM]),
            torch.stack([smile * (1 - closure), smile * closure], 1),
            wide,
            ramps(vowel),
            bent * (1 - opened)[:, None],
            bent * opened[:, None],
        ],
        1,
    )


class FaceMorpher(Morpher):
    """Moves the parts of a face in the centre crop of the rest image."""

    TERMS = OWN + MORE

    def __init__(self, config: MorpherConfig) -> None:
        super().__init__(config)

    def start_from(self, three: dict[str, Tensor]) -> None:
        """Weights of a morpher of three numbers, and the maps of the others begin faint; or of all numbers."""
        state = self.state_dict()
        for name, value in three.items():
            if name.startswith("spread.") and len(value) < len(state[name]):
                state[name][: len(value)] = value
                state[name][len(value) :] *= 0.1
            else:
                state[name] = value
        self.load_state_dict(state)

    def decode(self, features: MorpherFeatures, expression: Tensor) -> MorpherOutput:
        """expression (B*K, 12) in the order of `NUMBERS`, or (B*K, 3) with the others at 0."""
        basis = features.basis
        face = F.pad(expression.to(basis.dtype), (0, len(NUMBERS) - expression.shape[1]))
        poses = len(face) // len(basis)
        left, right, mouth = face[:, LEFT : LEFT + 1], face[:, RIGHT : RIGHT + 1], face[:, OPEN : OPEN + 1]
        drawn, own = (repeated(x, poses)[:, None] for x in (features.rest_mouth, features.own_mouth))
        asked = (mouth - drawn).abs()
        mouth = as_seen(mouth, drawn, own)
        # What the right side asks for, then the left one, which is in the viewer's right half.
        eyes = hats(torch.cat([right, left], 1)[..., None], EYE_HATS, 0.25)
        mouths = hats(mouth, MOUTH_HATS, 0.0)[:, None].expand(-1, 2, -1)
        more = torch.stack(
            [
                more_terms(face, face[:, RIGHT], face[:, BROW_RIGHT]),
                more_terms(face, face[:, LEFT], face[:, BROW_LEFT]),
            ],
            1,
        )
        weights = torch.cat([torch.ones_like(eyes[..., :1]), eyes, mouths, more], 2)
        out, side = self._told(basis, weights)
        eye = torch.lerp(right, left, side)
        looks, speaks = more[..., :-MOUTHS].amax((1, 2)), more[:, 0, -MOUTHS:].amax(1)
        above = F.interpolate(torch.maximum(eye, looks[:, None])[:, None], CROP, mode="linear")[..., None, :]
        below = torch.maximum(asked, speaks[:, None])[..., None, None]
        # What is not asked for stays as it is drawn: lips where eyes look, eyes where lips speak.
        upper, lower = halves(out)
        gate = torch.maximum((10 * above).clamp(max=1) * upper, (10 * below).clamp(max=1) * lower)
        return MorpherOutput(
            MOVES_PX * out[:, :2],
            torch.softmax(out[:, 2:5], 1),
            painted(out, features, poses),
            gate * edge(out) * repeated(features.free, poses),
        )
