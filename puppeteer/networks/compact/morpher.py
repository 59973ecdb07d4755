"""The face morpher: eyes and mouth in the centre crop."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer.networks.blocks import SPEC, blend, conv, enlarge, pixel_grid, repeated, sample, start_small
from puppeteer.networks.compact.blending import blend_sides
from puppeteer.networks.compact.blocks import CROP, CROP_AT, Encoder, MorpherConfig, hats
from puppeteer.networks.faces import COVERED, Reading
from puppeteer.networks.rig.reader import spread

EYE_HATS = 4
MOUTH_HATS = 5
MOUTH_AT = (20, 36)  # left, top of the window at 64 px over the crop in which a mouth lies
MOUTH_WINDOW = 24
NOSE = (slice(84, 100), slice(50, 78))  # rows and columns of the crop in which hardly anything but skin is drawn
EYES = (88, 96)  # rows of the crop: above the first only eyes are painted, below the second only mouths
UNDER_EYES, BETWEEN_EYES = 100, slice(46, 82)  # rows from there on and columns of the crop in which a nose ends
MOUTH_COLUMNS = slice(42, 86)  # of the crop
GAP = 0.08  # of what changes in a mouth's widest row; less lies between nose and mouth
HALO, RIM = 3, 8  # px about what is painted, in which lines have soft edges, and in which skin tells what it is like
DETAIL = 0.3  # how much of its own light and shade painted skin keeps
FAINT = 1e-3
ALIKE = 0.13  # of 1: colours that differ more from the skin's are not skin
GREY = 0.012, 0.03  # of 1: drawings whose colours differ less from shades of one hue have no other
MOVES_PX = 4.0  # that a coefficient of 1 moves
SEAM = 4  # px in which what is covered passes into what moves
FOREHEAD = 12  # rows at 64 px over the crop in which no eye lies: nothing changes there, and nothing is computed


class MorpherFeatures(NamedTuple):
    """Kept per character."""

    # (B, TERMS, 64 - FOREHEAD, 64, C) or a window of it: first decoder layer, a map per term of the pose: 1, eye, mouth
    basis: Tensor
    rest_mouth: Tensor  # (B,) how far the drawn mouth is open, in units of the pose
    skin: Tensor  # (B, 3, 1, 1) the colour that painted skin has
    plain: Tensor  # (B, 4, 128, 128) skin as it is drawn about each place, opaque; (B, 4, 1, 1) until `fitted`
    # (B, 1, 128, 128) how much of what stays about a mouth as it is drawn is the soft edge of its line, and is skin
    # where the mouth is another; (B, 1, 1, 1) until `fitted`
    rim: Tensor
    free: Tensor  # (B, 1, 128, 128) 0 where the crop stays as it is drawn; 1 but at its edge until `fitted`
    own_mouth: Tensor  # (B,) `rest_mouth` as the maps in `basis` have it
    # (B, 4, 2) alike for red, green, blue: colour of a shade as a multiple of alpha and of brightness; and in the last
    # row how much of a painted colour is its own; ones until `fitted`
    shades: Tensor
    # (y, x, 0): empty, but its shape says at which row and column the window begins; a shape is known without a look at
    # values, for which a device would be waited
    corner: Tensor
    mouth: Tensor  # (B, 2) px of the crop: the column in its middle, and how high it is wide open; 0 until `fitted`
    zone: Tensor  # (B, 1, 128, 128) where mouths move; the lower half until `fitted`
    # (B, 4, 128, 128) skin, not multiplied, and where it lies, of mouths that are drawn open, and shut; (B, 4, 1, 1) of
    # 0 until `fitted`, and where there is none
    shut: Tensor
    # (B, 7) px of the crop: column of its middle, half of its width, and row; its tilt; and its red, green and blue
    line: Tensor
    lids: Tensor  # (B, 2) how much of what closes the eyes on the viewer's left and right is asked of the morpher
    pale: Tensor  # (B, 1, 128, 128) how much paler than learned a mouth's inside is painted; 0 until `fitted`


class MorpherOutput(NamedTuple):
    """At 128 px over the crop; `flow` (B, 2) px from an output pixel to its source, `ways` (B, 3) keep, move, paint."""

    flow: Tensor
    ways: Tensor
    colour: Tensor  # (B, 4) premultiplied
    gate: Tensor  # (B, 1) 0 where the pose is what is drawn


class Morpher(nn.Module):
    """Closes the eyes and opens or closes the mouth in the centre crop of the rest image."""

    TERMS = 1 + EYE_HATS + MOUTH_HATS
    side: Tensor

    def __init__(self, config: MorpherConfig) -> None:
        super().__init__()
        width = config.decoder
        self.encoder = Encoder(16, config.widths, config.blocks)
        self.spread = conv(config.widths[0], self.TERMS * width)
        # Its own eyes: averages over the picture are blind to the few pixels of a mouth.
        self.measure_mouth = nn.Sequential(
            conv(config.widths[0], 16, 3, 2),
            nn.ReLU(),
            conv(16, 16, 3, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * (MOUTH_WINDOW // 4) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )
        self.conv1 = conv(width, width)
        self.conv2 = conv(width, width)
        self.head = conv(width, 9 * 4)
        start_small(self.head, 0.3)
        self.width = width
        # Which of 64 columns are the viewer's right. Of no weight file, hence made where others are left empty.
        side = (8 * torch.linspace(-1, 1, CROP // 2, device="cpu") + 0.5).clamp(0, 1)
        self.register_buffer("side", side, persistent=False)

    def encode(self, crop: Tensor) -> MorpherFeatures:
        """crop (B, 4, 128, 128): the centre of the rest image."""
        features, _ = self.encoder(F.pixel_unshuffle(crop, 2) - 0.5)
        basis = self.spread(features).view(len(crop), self.TERMS, self.width, *features.shape[2:])
        left, top = MOUTH_AT
        window = features[:, :, top : top + MOUTH_WINDOW, left : left + MOUTH_WINDOW]
        rest_mouth = torch.sigmoid(self.measure_mouth(window))[:, 0]
        plain, rim = crop.new_ones(len(crop), 4, 1, 1), crop.new_zeros(len(crop), 1, 1, 1)
        free = edge(crop).expand(len(crop), -1, -1, -1)
        kept = basis[..., FOREHEAD:, :].permute(0, 1, 3, 4, 2).contiguous()
        whole = crop.new_empty(0, 0, 0)
        shades, mouth, lids = crop.new_ones(len(crop), 4, 2), crop.new_zeros(len(crop), 2), crop.new_ones(len(crop), 2)
        zone = halves(crop.device)[1][:, None].to(crop.dtype).expand_as(free)
        skin, shut, line = plain[:, :3], torch.zeros_like(plain), crop.new_zeros(len(crop), 7)
        return MorpherFeatures(
            *(kept, rest_mouth, skin, plain, rim, free, rest_mouth, shades, whole, mouth, zone, shut, line, lids),
            pale=torch.zeros_like(zone),
        )

    def fitted(self, crop: Tensor, reading: Reading | None = None) -> MorpherFeatures:
        """What `encode` gives for crop (B, 4, 128, 128), with skin in the tone of the drawn one, painted colours as the
        drawing has them and a nose that stays. What `reading` says of the mouth holds, and what is covered stays."""
        features = self.encode(crop)
        features = features._replace(free=features.free * self._without_nose(features), shades=_shades(crop))
        if reading is not None:
            features = features._replace(
                rest_mouth=reading.drawn_mouth.to(crop.dtype),
                free=features.free * uncovered(reading).to(crop.dtype),
            )
        return self._toned(features, crop, reading)

    def bare(self) -> Tensor:
        """(K, N) poses in which skin is painted where something else is drawn."""
        return torch.tensor([[1.0, 1.0, 0.0]])

    def _toned(self, features: MorpherFeatures, crop: Tensor, reading: Reading | None) -> MorpherFeatures:
        """Painted skin has the tone of what is drawn about it, place by place; learned features remember it as that of
        an average character. What is painted is compared with the rim that stays."""
        bare = self.bare().to(crop)
        out = self.decode(features, bare.repeat(len(crop), 1))
        painted, colour = (
            x.reshape(len(crop), len(bare), *x.shape[1:]) for x in (out.gate * out.ways[:, 2:], out.colour[:, :3])
        )
        near, far = (F.max_pool2d(painted[:, :, 0], 2 * reach + 1, 1, reach) for reach in (HALO, RIM))
        rim = (far * (1 - near)).amax(1, keepdim=True)
        drawn = crop[:, :3]
        skin = drawn[:, :, NOSE[0], NOSE[1]].flatten(2).median(2).values[..., None, None]

        def alike(x: Tensor, to: Tensor, within: float = ALIKE) -> Tensor:
            return ((x - to).abs().amax(-3, keepdim=True) < within).to(x.dtype)

        if reading is not None:
            # What covers a mouth lies over a nose too: skin is then what is like the painted skin, and unlike that.
            covered = (reading.covered[:, 2] > COVERED).to(crop.dtype)[:, None, None, None]
            like = ((painted * colour).sum((1, 3, 4)) + skin[..., 0, 0]) / (painted.sum((1, 3, 4)) + 1)
            weight = rim * alike(drawn, like[..., None, None], 2 * ALIKE) * (1 - alike(drawn, skin, ALIKE / 2))
            other = ((weight * drawn).sum((2, 3)) + like) / (weight.sum((2, 3)) + 1)
            skin = torch.lerp(skin, other[..., None, None], covered)

        weight = painted * alike(colour, skin[:, None])
        own = ((weight * colour).sum((1, 3, 4)) + skin[..., 0, 0]) / (weight.sum((1, 3, 4)) + 1)
        own = own[..., None, None]
        weight = rim * alike(drawn, skin)
        plain = spread(drawn.float(), weight.float()).to(crop.dtype)
        closed = painted[:, :, 0].amax(1, keepdim=True) * halves(crop.device)[1][:, None]
        edge = faded_over(closed, HALO - 1) * (1 - closed) * alike(drawn, plain)
        plain = torch.cat([plain, torch.ones_like(plain[:, :1])], 1)
        return features._replace(skin=own.to(crop.dtype), plain=plain, rim=edge.to(crop.dtype))

    def _without_nose(self, features: MorpherFeatures) -> Tensor:
        """(B, 1, 128, 128) 0 where a nose opens too, as one that is drawn as a dot does: what changes between the eyes
        and the mouth, apart from the mouth, which changes most."""
        basis = features.basis
        ends = basis.new_tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).repeat(len(basis), 1)
        out = self.decode(features, ends)
        changed = (out.gate * (1 - out.ways[:, :1]))[:, 0, UNDER_EYES:, MOUTH_COLUMNS].float().sum(2)
        changed = changed.view(len(basis), 2, -1).amax(1)  # (B, rows) px
        most, at = changed.max(1, keepdim=True)
        row = torch.arange(changed.shape[1], device=changed.device)
        upwards = torch.where(row < at, changed, most).flip(1)
        least = upwards.cummin(1).values
        # A mouth only narrows upwards: what is wider again is another thing.
        mouth = ((upwards > GAP * most) & (upwards < least + 1)).float().cumprod(1).flip(1)
        mouth = torch.where(most > 3, F.max_pool1d(mouth[:, None], 3, 1, 1)[:, 0], torch.ones_like(mouth))
        free = torch.ones_like(out.gate[: len(basis)])
        free[:, 0, UNDER_EYES:, BETWEEN_EYES] = mouth[..., None].to(free.dtype)
        return free

    def decode(self, features: MorpherFeatures, expression: Tensor) -> MorpherOutput:
        """expression (B*K, 3): eye_left, eye_right, mouth_open; K poses of each character in a row."""
        basis = features.basis
        expression = expression.to(basis.dtype)
        poses = len(expression) // len(basis)
        left, right, mouth = expression[:, :1], expression[:, 1:2], expression[:, 2:]
        drawn, own = (repeated(x, poses)[:, None] for x in (features.rest_mouth, features.own_mouth))
        asked = (mouth - drawn).abs()
        mouth = as_seen(mouth, drawn, own)
        # What the right eye asks for, then the left one, which is in the viewer's right half.
        eyes = hats(torch.cat([right, left], 1)[..., None], EYE_HATS, 0.25)
        mouths = hats(mouth, MOUTH_HATS, 0.0)[:, None].expand(-1, 2, -1)
        weights = torch.cat([torch.ones_like(eyes[..., :1]), eyes, mouths], 2)
        out = self._told(features, weights)
        eye = torch.lerp(right, left, self.side)  # (B*K, 64): it differs from left to right alone
        gate = (10 * torch.maximum(eye, asked)).clamp(max=1)[:, None, None]
        gate = F.interpolate(gate, (1, CROP), mode="bilinear", align_corners=False)
        return answer(out, gate * repeated(features.free, poses)[:, :, 2 * FOREHEAD :], features, poses)

    def _told(self, features: MorpherFeatures, weights: Tensor) -> Tensor:
        """Maps weighed per side (B*K, 2, T) -> (B*K, 9, 2h, 2w) of the (h, w) that `features.basis` has."""
        basis = features.basis
        side = self.side[window(features)[1]]
        # in the memory format in which convolutions are fastest on a CPU
        h = self._blended(basis, weights, side).permute(0, 3, 1, 2)
        h = F.relu(h + self.conv1(h))
        h = F.relu(h + self.conv2(h))
        return F.pixel_shuffle(self.head(h), 2).contiguous().to(basis.dtype)

    @staticmethod
    def _blended(basis: Tensor, weights: Tensor, side: Tensor) -> Tensor:
        """(B*K, h, w, C)"""
        frame = len(weights) == 1 and type(basis) is type(weights) is Tensor and torch.is_inference_mode_enabled()
        if frame and basis.device.type == "cpu" and basis.dtype == torch.float32:
            out = torch.empty_like(basis[:, 0])
            blend_sides(*(x.numpy() for x in (basis[0], weights[0], side, out[0])))
            return out
        sides = blend(basis, weights.flatten(0, 1)).view(-1, 2, *basis.shape[2:])
        return F.relu(torch.lerp(sides[:, 0], sides[:, 1], side[:, None].to(sides.dtype)))

    @staticmethod
    def paint(rest: Tensor, out: MorpherOutput) -> Tensor:
        """The morphed character at the resolution of `rest` (B, 4, S, S), S half of 256 or a multiple of it."""
        size = rest.shape[-1]
        low, high = CROP_AT * size // SPEC, (CROP_AT + CROP) * size // SPEC
        flow, ways, colour, gate = (enlarge(x, high - low) for x in out)
        here = pixel_grid(size, size, rest.device)[:, :, low:high, low:high]
        crop = rest[:, :, low:high, low:high]
        moved = sample(rest, here + flow * gate)
        changed = ways[:, :1] * crop + ways[:, 1:2] * moved + ways[:, 2:] * colour
        morphed = rest.clone()
        morphed[:, :, low:high, low:high] = crop + gate * (changed - crop)
        return morphed


def edge(like: Tensor) -> Tensor:
    """(1, 1, 128, 128) 1 inside, falling to 0 on the outermost pixels of what is computed, so that no seam can show."""
    across, down = (ramped(like, first, CROP - 1, 6) for first in (0, 2 * FOREHEAD))
    return (down[:, None] * across)[None, None]


def ramped(like: Tensor, first: int, last: int, width: int) -> Tensor:
    """(128,) 0 up to one pixel and from another on, rising to 1 within `width` px of them."""
    t = torch.arange(CROP, device=like.device, dtype=like.dtype)
    return torch.minimum(t - first, last - t).clamp(0, width) / width


def window(features: MorpherFeatures) -> tuple[slice, slice]:
    """Rows and columns, at 64 px over the crop, of what `basis` tells."""
    (height, width), (top, left) = features.basis.shape[2:4], features.corner.shape[:2]
    return slice(FOREHEAD + top, FOREHEAD + top + height), slice(left, left + width)


def doubled(part: slice) -> slice:
    """At 128 px."""
    return slice(2 * part.start, 2 * part.stop)


def answer(
    out: Tensor, gate: Tensor, features: MorpherFeatures, poses: int, before: Tensor | None = None
) -> MorpherOutput:
    """From what the networks tell, and the gate, of the window. What they told `before` they were moved is covered by
    skin where it is not covered now."""
    down, across = (doubled(part) for part in window(features))
    borders = across.start, CROP - across.stop, down.start, CROP - down.stop
    ways, colour = torch.softmax(out[:, 2:5], 1), _painted(out, features, down, across, poses)
    if features.plain.shape[-1] > 1:
        stays, moves, paints = torch.split(ways, 1, 1)
        rim = repeated(features.rim, poses)[..., down, across]
        if before is not None:
            rim = torch.maximum(rim, 1 - torch.softmax(before[:, 2:5], 1)[:, :1])
        bare = stays * rim
        plain = repeated(features.plain, poses)[..., down, across]
        colour = colour + bare / (paints + bare).clamp(min=FAINT) * (plain - colour)
        ways = torch.cat([stays - bare, moves, paints + bare], 1)
    return MorpherOutput(
        F.pad(MOVES_PX * out[:, :2], borders),
        F.pad(ways, borders, value=1 / 3),
        F.pad(colour, borders),
        F.pad(gate, borders),
    )


def _painted(out: Tensor, features: MorpherFeatures, down: slice, across: slice, poses: int) -> Tensor:
    """Premultiplied (B*K, 4, H, W): skin in the tone of the drawn one, and no hue that the drawing has not."""
    colour, alpha = torch.split(torch.sigmoid(out[:, 5:]), [3, 1], 1)
    if features.plain.shape[-1] > 1:
        like = (2 - (colour - repeated(features.skin, poses)).abs().amax(1, keepdim=True) / ALIKE).clamp(0, 1)
        like = torch.maximum(like, repeated(features.pale, poses)[..., down, across])
        shade = DETAIL * (colour - repeated(features.skin, poses))
        colour = torch.lerp(colour, repeated(features.plain, poses)[:, :3, down, across] + shade, like).clamp(0, 1)
    colour = torch.minimum(in_shades(torch.minimum(colour, alpha), alpha, repeated(features.shades, poses)), alpha)
    return torch.cat([colour, alpha], 1)


def faded_over(x: Tensor, reach: int) -> Tensor:
    """(B, 1, H, W) the most within twice `reach` px, with a soft edge."""
    side = 2 * reach + 1
    for _ in range(2):
        x = F.avg_pool2d(F.max_pool2d(x, side, 1, reach), 3, 1, 1, count_include_pad=False)
    return x


def as_seen(mouth: Tensor, drawn: Tensor, own: Tensor) -> Tensor:
    """(B, 1) each: an opening of the pose as one for maps that take the drawn opening for `own`."""
    below = mouth * own / drawn.clamp(min=1e-3)
    above = own + (mouth - drawn) * (1 - own) / (1 - drawn).clamp(min=1e-3)
    return torch.where(mouth < drawn, below, above).clamp(0, 1)


def halves(device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """(128,) each: 1 in the rows of the crop where eyes and brows move, and where mouths do."""
    t = torch.arange(CROP, device=device, dtype=torch.float32)
    upper = ((UNDER_EYES + 2 * SEAM - t) / (2 * SEAM)).clamp(0, 1)
    return upper, ((t - EYES[0]) / (EYES[1] - EYES[0])).clamp(0, 1)


def uncovered(reading: Reading) -> Tensor:
    """(B, 1, 128, 128) 0 where an eye or a mouth that is covered would move."""
    covered = reading.covered > COVERED  # (B, 3) left eye, right eye, mouth
    t = torch.arange(CROP, device=covered.device, dtype=torch.float32)
    upper, lower = (rows[:, None] for rows in halves(covered.device))
    viewers_right = ((t - CROP / 2) / SEAM + 0.5).clamp(0, 1)
    left, right, mouth = covered.float()[..., None, None].unbind(1)
    eyes = left * viewers_right + right * (1 - viewers_right)  # (B, 1, 128)
    return ((1 - upper * eyes) * (1 - lower * mouth))[:, None]


def _shades(crop: Tensor) -> Tensor:
    """(B, 4, 2) as in `MorpherFeatures`: the line through the colours of crop (B, 4, 128, 128), brightness along it."""
    colours, weight = crop[:, :3].float().flatten(2), (crop[:, 3:] > 0.95).float().flatten(2)
    bright = colours.mean(1, keepdim=True)
    total = weight.sum(2, keepdim=True).clamp(min=1)

    def mean(x: Tensor) -> Tensor:
        return (weight * x).sum(2, keepdim=True) / total

    middle, level = mean(colours), mean(bright)
    slope = mean((colours - middle) * (bright - level)) / (mean((bright - level) ** 2) + 1e-4)
    start = middle - slope * level
    off = mean((colours - start - slope * bright).abs().amax(1, keepdim=True))
    own = ((off - GREY[0]) / (GREY[1] - GREY[0])).clamp(0, 1).expand(-1, 1, 2)
    return torch.cat([torch.cat([start, slope], 2), own], 1).to(crop.dtype)


def in_shades(colour: Tensor, alpha: Tensor, shades: Tensor) -> Tensor:
    """Premultiplied colours (B, 3, H, W) of a drawing that has only shades of one hue, as such."""
    start, slope = (shades[:, :3, k, None, None] for k in (0, 1))
    own = shades[:, 3:, 0, None, None]
    shade = (start * alpha + slope * colour.mean(1, keepdim=True)).clamp(min=0)
    return shade + own * (colour - shade)
