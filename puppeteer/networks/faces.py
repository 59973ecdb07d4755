"""What a character's face shows, read once: for the picture doctor's sentences, and for the networks that move it."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer import weights
from puppeteer.networks import landmarks as net
from puppeteer.networks.landmarks import Face

VIEWS = ((1.0, 0.0, 0.0), (0.94, 0.01, -0.01), (1.06, -0.01, 0.01), (1.0, 0.0, 0.02))  # zoom, shift in spec squares
GROUND = 0.6  # the grey level that stands for what is transparent
OPEN, DOUBTS = 0.25, 2.0  # a mouth is open for sure where it is read as more than this by so many times the doubt ...
LIKELY = 0.2  # ... or by one doubt more than this where it does not look like lips; any other is left as it is drawn
LIPS, LIPS_PX = 0.42, 6.0  # share of a mouth's width, and px, in which a dark line parts two edges of one hue
MOUTH_AT = (slice(162, 187), slice(106, 151))  # rows and columns of the spec square in which lips are looked for
ABOUT_MOUTH = (slice(150, 187), slice(100, 156))  # where most is skin
COVERED = 0.5


class Reading(NamedTuple):
    """Of (B, 4, 256, 256) spec squares; shares are 0 to 1, left and right the character's own."""

    closed: Tensor  # (B, 2) left and right eye
    mouth_open: Tensor  # (B,) in units of the pose
    mouth_doubt: Tensor  # (B,) the expected error of that
    hidden: Tensor  # (B,) hair lies over both eyes
    covered: Tensor  # (B, 3) left eye, right eye, mouth: something lies over it
    turn_deg: Tensor  # (B,) of the face, to the viewer's right
    lips: Tensor  # (B,) how much of the mouth looks like closed lips

    @property
    def drawn_mouth(self) -> Tensor:
        """(B,) how far the drawn mouth is open: 0 where it may be closed, however red or full its lips are."""
        surely = self.mouth_open - DOUBTS * self.mouth_doubt > OPEN
        likely = (self.mouth_open - self.mouth_doubt > LIKELY) & (self.lips < LIPS)
        open_ = (surely | likely) & (self.covered[:, 2] < COVERED)
        return torch.where(open_, self.mouth_open, torch.zeros_like(self.mouth_open))


def read(network: Face, image: Tensor) -> Reading:
    """image (B, 4, 256, 256) premultiplied sRGB in [0, 1]. The median of several views and their mirror images."""
    like = next(network.parameters())
    rgb = image[:, :3].float() + GROUND * (1 - image[:, 3:].float())
    answers = []
    for zoom, across, down in VIEWS:
        scale, shift = net.FACE_VIEW * zoom, image.new_tensor([[2 * across], [2 * (net.FACE_DOWN + down)]]).float()
        turn = torch.eye(2, device=image.device) * scale
        grid = F.affine_grid(
            torch.cat([turn, shift], 1).expand(len(image), 2, 3),
            [len(image), 3, net.FACE_PX, net.FACE_PX],
            align_corners=False,
        )
        view = F.grid_sample(rgb, grid, padding_mode="border", align_corners=False).to(like.dtype)
        straight = network(view).float()
        mirrored = network(view.flip(-1)).float()
        answers += [straight, _unmirrored(mirrored)]
    several = torch.stack(answers)  # (views, B, FACE_ANSWERS)
    answer = several.median(0).values
    shares = torch.sigmoid(answer[:, : net.TURN])
    mouths = torch.sigmoid(several[:, :, net.MOUTH]).sort(0).values
    spread = mouths[-2] - mouths[1]
    return Reading(
        shares[:, net.CLOSED],
        shares[:, net.MOUTH],
        torch.maximum(answer[:, net.MOUTH_DOUBT].exp(), spread),
        shares[:, net.HIDDEN],
        shares[:, net.COVERED],
        net.TURN_UNIT_DEG * answer[:, net.TURN],
        _lips(rgb),
    )


def _lips(rgb: Tensor) -> Tensor:
    """(B,) the share of a mouth's width in which a thin dark line has the same hue as what is below it, and an edge
    above: where lips meet. An open mouth is darkest at its outline, which has another hue than its inside."""
    mouth = rgb[:, :, MOUTH_AT[0], MOUTH_AT[1]]
    skin = rgb[:, :, ABOUT_MOUTH[0], ABOUT_MOUTH[1]].flatten(2).median(2).values[..., None, None]
    other = ((mouth - skin).abs().amax(1) > 0.2).float()  # than skin
    bright, hue = mouth.mean(1), mouth / mouth.sum(1, keepdim=True).clamp(min=0.05)

    def below(x: Tensor, rows: int) -> Tensor:
        return F.pad(x, (0, 0, 0, rows), mode="replicate")[..., rows:, :]

    def above(x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 1, 0), mode="replicate")[..., :-1, :]

    inside = (other * below(other, 1) * below(other, 2) * above(other)) > 0
    darkest = bright <= above(bright) + 0.005
    line = torch.zeros_like(inside)
    for rows in (1, 2):
        alike = (hue - below(hue, rows)).abs().amax(1) < 0.025
        line |= inside & darkest & alike & (bright + 0.04 < below(bright, rows))
    lines, others = (F.max_pool2d(x.float()[:, None], (3, 1), 1, (1, 0))[:, 0] for x in (line, other))
    most, row = lines.sum(2).max(1)
    here = row[:, None, None].expand(-1, 1, lines.shape[2])
    parted, wide = lines.gather(1, here), others.gather(1, here)  # (B, 1, columns)
    whole = parted
    for _ in range(parted.shape[2]):  # as far as the mouth goes on either side
        whole = torch.maximum(whole, F.max_pool1d(whole, 3, 1, 1) * wide)
    return torch.where(most >= LIPS_PX, most / whole.sum((1, 2)).clamp(min=1), torch.zeros_like(most))


def _unmirrored(answer: Tensor) -> Tensor:
    left, right = answer[:, 0:1], answer[:, 1:2]
    one, other = answer[:, net.COVERED][:, :1], answer[:, net.COVERED][:, 1:2]
    return torch.cat(
        [right, left, answer[:, 2:4], other, one, answer[:, 6:7], -answer[:, 7:8], answer[:, net.MOUTH_DOUBT :]], 1
    )


def state() -> dict[str, Tensor]:
    """The shipped weights of `Face`. Raises WeightsError."""
    everything = torch.load(weights.verified("landmarks"), map_location="cpu", weights_only=True)
    return {name.removeprefix("face."): value for name, value in everything.items() if name.startswith("face.")}
