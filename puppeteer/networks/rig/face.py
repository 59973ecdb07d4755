"""The morpher of the rig's face layer: lids and mouth; brows, and eyes that are found, are `pieces`.

It keeps the way of the compact family's morpher (softmax of keep, move and paint, from maps kept per character that hat
functions of the pose weigh) and its weights as a start: the maps of the other numbers come beside those of the three.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import repeated
from puppeteer.networks.compact.blocks import CROP, MorpherConfig
from puppeteer.networks.compact.morpher import (
    FOREHEAD,
    MOVES_PX,
    Morpher,
    MorpherFeatures,
    MorpherOutput,
    answer,
    as_seen,
    doubled,
    halves,
    ramped,
    window,
)
from puppeteer.networks.faces import Reading
from puppeteer.networks.rig import shut
from puppeteer.networks.rig.lips import above, around_mouth, lifted, paler, place
from puppeteer.networks.rig.terms import (
    CORNERS,
    LEFT,
    MOUTHS,
    NUMBERS,
    OPEN,
    OWN,
    RIGHT,
    SMILE,
    TERMS,
    closing,
    faces,
    matrix,
    terms,
)

WIDE_OPEN, CLOSED = 8, 11  # which of `_ends` are a mouth that only opens, and one that is shut
FAINT = 0.05  # share of a pixel: what changes less than that at every end is still
FADE = 3  # px about what changes in which it becomes still
NEAR = 2  # cells of 64 about what changes that are computed too, for convolutions look there


def _ends(mouth: float) -> Tensor:
    """(K, N) faces with numbers at their ends, of a character whose mouth is drawn open by `mouth`. Eyes know nothing
    of the mouth, so each face tries an end of both."""
    signs = (-1.0, 1.0)
    eyes: list[dict[str, float]] = [
        {"eye_left": shut, "eye_right": shut, "eye_smile": end} for end in (0, 1) for shut in (0.5, 1)
    ]
    eyes += [{"eye_smile": 1}]
    mouths = [
        {"mouth_open": 1.0, "mouth_form": form, "mouth_wide": wide} for form in (*signs, 0) for wide in (*signs, 0)
    ]
    mouths += [{"mouth_open": opened, "mouth_form": form} for opened in (0, mouth) for form in (*signs, 0)]
    mouths += [{"mouth_open": mouth, "mouth_wide": wide} for wide in signs]
    return faces(*(eyes[k % len(eyes)] | mouths[k % len(mouths)] for k in range(max(len(eyes), len(mouths)))))


class FaceMorpher(Morpher):
    """Moves the parts of a face in the centre crop of the rest image."""

    TERMS = TERMS
    terms: Tensor
    lids: Tensor
    halves: Tensor

    def __init__(self, config: MorpherConfig) -> None:
        super().__init__(config)
        self.register_buffer("terms", matrix(), persistent=False)
        self.register_buffer("lids", closing(), persistent=False)
        self.register_buffer("halves", torch.stack(halves()), persistent=False)

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

    def bare(self) -> Tensor:
        """Closed eyes and lips."""
        closed = {"eye_left": 1, "eye_right": 1}
        return faces(closed, closed | {"eye_smile": 1})

    def fitted(self, crop: Tensor, reading: Reading | None = None) -> MorpherFeatures:
        features = super().fitted(crop, reading)
        ends = _ends(0.0).to(crop)
        ends[:, [LEFT, RIGHT, SMILE]] = 0
        out = self.decode(features, ends.repeat(len(crop), 1))
        changed = (out.gate * (1 - out.ways[:, :1])).view(len(crop), len(ends), 1, CROP, CROP)
        zone = around_mouth(changed.amax(1)) * features.zone
        skin, line = shut.shut(crop, changed[:, CLOSED] * zone, features.rest_mouth)
        opened = changed[:, WIDE_OPEN] * zone
        pale = zone * paler(crop, features.plain, opened)
        return features._replace(zone=zone, mouth=place(opened[:, 0]), shut=skin, line=line, pale=pale)

    def _without_nose(self, features: MorpherFeatures) -> Tensor:
        return above(super()._without_nose(features))

    def narrowed(self, features: MorpherFeatures) -> MorpherFeatures:
        """Features of one character of which a frame costs less: where no number changes anything, nothing is
        computed. What they are depends on values, see `Network`."""
        if not (features.shut[:, 3] > FAINT).any():
            features = features._replace(shut=torch.zeros_like(features.shut[..., :1, :1]))
        out = self.decode(features, _ends(float(features.rest_mouth[0])).to(features.basis))
        changed = ((out.gate * (1 - out.ways[:, :1])).amax((0, 1)) > FAINT).float()
        if not changed.any():
            return features
        fade = features.free.new_ones(1, 1, CROP, CROP)
        reach = []
        for axis, begin in enumerate((FOREHEAD, 0)):  # where rows and columns of `basis` begin
            at = changed.amax(1 - axis).nonzero()
            first, last = int(at.min()) - FADE, int(at.max()) + FADE
            fade = fade * ramped(fade, first, last, FADE).unsqueeze(1 - axis)
            reach.append(slice(max(first // 2 - NEAR - begin, 0), min(last // 2 + 1 + NEAR, CROP // 2) - begin))
        down, across = reach
        return features._replace(
            basis=features.basis[:, :, down, across].contiguous(),
            free=features.free * fade,
            corner=features.corner.new_empty(down.start, across.start, 0),
        )

    def decode(self, features: MorpherFeatures, expression: Tensor) -> MorpherOutput:
        """expression (B*K, N) in the order of `NUMBERS`, or (B*K, 3) with the others at 0."""
        basis = features.basis
        face = F.pad(expression.to(basis.dtype), (0, len(NUMBERS) - expression.shape[1]))
        poses = len(face) // len(basis)
        left, right, mouth = face[:, LEFT : LEFT + 1], face[:, RIGHT : RIGHT + 1], face[:, OPEN : OPEN + 1]
        drawn, own = (repeated(x, poses)[:, None] for x in (features.rest_mouth, features.own_mouth))
        asked = (mouth - drawn).abs()
        # What the right side asks for, then the left one, which is in the viewer's right half.
        lids = repeated(features.lids, poses).to(basis.dtype)
        weights = terms(face, as_seen(mouth, drawn, own), self.terms.to(basis.dtype))
        weights = weights * (1 - self.lids.to(basis.dtype) * (1 - lids[..., None]))
        down, across = (doubled(part) for part in window(features))
        told = self._told(features, weights)
        near, opened = self.halves[1, down], (mouth - drawn)[:, 0].clamp(min=0)
        out = lifted(told, repeated(features.mouth, poses), opened, near, across.start, MOVES_PX)
        more = weights[..., OWN:]
        looks, speaks = more[..., :-MOUTHS].amax((1, 2)), more[:, 0, -MOUTHS:].amax(1)
        eye = torch.maximum(torch.lerp(right * lids[:, :1], left * lids[:, 1:], self.side), looks[:, None])
        above = F.interpolate(eye[:, None], CROP, mode="linear")[..., None, across]
        below = torch.maximum(asked, speaks[:, None])[..., None, None]
        # What is not asked for stays as it is drawn: lips where eyes look, eyes where lips speak.
        upper, zone = self.halves[0, down, None].to(basis.dtype), repeated(features.zone, poses)[..., down, across]
        gate = torch.maximum((10 * above).clamp(max=1) * upper, (10 * below).clamp(max=1) * zone)
        answered = answer(out, gate * repeated(features.free, poses)[..., down, across], features, poses, told)
        if features.shut.shape[-1] == 1:
            return answered
        amount = 1 - mouth[:, 0] / drawn[:, 0].clamp(min=FAINT)
        told_shut = repeated(features.shut, poses), repeated(features.line, poses)
        ways, colour = shut.laid(answered.ways, answered.colour, *told_shut, amount, face[:, CORNERS])
        return answered._replace(ways=ways, colour=colour)
