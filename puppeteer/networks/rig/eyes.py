"""Eyes that look about and close, of pieces of the drawing.

What is iris, white and lash is read once, and what they hide is painted: an iris goes on under lids, white behind it,
and skin behind them all. A frame lays the drawing's own iris elsewhere, with its lights, then lets skin come
down over it with the drawing's own lash at its edge; all of it before anything else is done to the face.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import enlarge, sample
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.gazes import DOWN, goes, goes_down
from puppeteer.networks.rig.irises import completed_irises
from puppeteer.networks.rig.lashes import INK, LASH, as_lashes, grown, line_of, nearest_line, without_locks
from puppeteer.networks.rig.lids import covered, shade, told
from puppeteer.networks.rig.locks import tips
from puppeteer.networks.rig.pictures import filled, mean_where, share_along, smooth, widened, wider
from puppeteer.networks.rig.reader import spread
from puppeteer.networks.rig.strokes import centres, fitted, pen

HOLE_PX, SURE = 4, (0.5, 0.9)  # of the crop: half of how wide a hole may be; and how bare a face is for sure
BETWEEN, BETWEEN_PX = (48, 81), 7  # columns of the crop that may part the eyes, and px that are looked at together
LEAST_PX = 12.0  # of the crop: a smaller eye is none
OWN = 0.6, 0.95  # share of a pixel in which something is seen, from which on its colour is the drawing's
SHUT = 0.8, 0.36  # of an eye's half height below its middle, a closed lid's edge; and how much less at its corners
TILT = 0.3  # of the tilt of an eye, that of a closed lid
ARC = 0.2, 0.34, 0.2  # the same of one that smiles: of the half height, of the half width, and where it is neither
GAP_PX = 1.5, 4.0  # of the crop, between a lash and its eye, from which on a lock lies there
WIDER = 0.36  # of an eye's half height, that the upper lid of a wide one is higher
CHEEK, CHEEK_PX = (
    0.42,
    10.0,
)  # the same, that the lower lid of a smiling one is higher; and px of the crop that go along
CHEEK_CLEAR_PX, SPREAD = 5, 4  # px of the crop below an eye without hair and glasses, where they do; and over which so
LASH_PX, CREASE_PX = 3.0, 8.0  # of the crop above an eye: what goes up with its lid, and what is pressed together
OVER_PX = 1.0  # of the crop, by which a lash of an open eye lies over the eye, without skin between
LASHES_PX = 7  # of the crop about an eye, where lashes are; elsewhere lines are other things
PERHAPS = 0.1, 0.3  # share of a face without hair, from which on what is faintly read may be a lash
BOWED = 1.5  # of how much higher a wide eye's lid is, how round one that comes down stays
DRAWN = 0.6, 1.0  # closure over which a lash becomes the stroke of a closed eye
GONE = 0.07, 0.3  # the same from which on skin is laid over it
BITS_PX = 1.0  # of the crop, half of how thin what is no hair is, beside an eye
BEHIND = 0.8, 0.97  # the same about a lash beside an eye, from which on hair is behind it
HAIR = 0.85, 0.99  # share of hair in a pixel, from which on it is hair that comes before what was an eye
BARE = 0.3, 0.7  # share of a face without hair, from which on a lash has its own colour
LIKE_LASH = 0.1, 0.4  # how much more like lashes than skin a pixel is, from which on its colour is theirs
RIM, NO_INK = (0.12, 0.22), (0.2, 0.35)  # of 1: how unlike skin, and a lash, a rim of glasses is
RIM_PX, SOFT_PX = (1.5, 8.5), 1.5  # of the crop below an eye, where one keeps a cheek down; and how soft lines may be
LOWER = 0.4, 0.8  # share of a pixel in which a lower lash is seen: the rim of glasses may lie there
AROUND = 3.0  # px of the crop about an eye in which skin has shadows
CLEAR = 0.3, 0.8  # share of a face without hair, from which on its colour is skin's
SKIN = 0.27, 0.4  # of 1: what differs more from the colour of a face is no skin of it
WARM, HUED = (0.0, 0.4), (0.03, 0.06)  # share of skin's hue from which on it may be skin, where that has one, of 1
PAPER, SHADED = (0.08, 0.2), 0.85  # the same from painted skin, and how much that counts
UPPER_PX = 3.0  # of the crop, in which upper lashes pass into lower ones
CORNER_PX = 2.0, 6.0  # of the crop below that, between which lower lashes are no longer a corner's, and may be a rim
TAKEN = 0.5  # share of an eye and its lashes in a pixel from which on it is theirs
LARGER = 0.75  # share of a pixel to which an iris that is read as half of it is sharpened: its line belongs to it
SMALLER = 0.15  # the same of an eye: its line stays
SHADOW_PX = 1.0, 5.0  # of the crop below an upper lid, where what is painted of an iris is in its shadow
BENEATH = 0.38  # of how far what is under a lash goes up to the next row
OF_SEEN = 0.5  # how far the painted white goes to one that is seen, and lighter
FAINT = 1e-3
SHARPER = 2.0  # edges of openings and irises than they are read
LOWER_GOES = 0.4, 0.95  # closure over which lower lashes go
AT_ONCE, DOWN_AT_ONCE = 10.0, 20.0  # how many times as fast as irises, and lids, move they fade from the drawing
FRINGE = 0.3, 0.7  # share of hair that is before an eye
BEHIND_FRINGE = 0.03, 0.1  # closure over which lids there fade from the drawing


class Eyes(NamedTuple):
    """Of B characters, over the crop at 128 px, in single precision."""

    opening: Tensor  # (B, 1, 128, 128) share of a pixel in which an iris or white is seen
    iris: Tensor  # (B, 1, 128, 128) coverage of irises where no lid covers them
    lash: Tensor  # (B, 1, 128, 128) share of a pixel in which lashes are seen
    bare: Tensor  # (B, 1, 128, 128) 0 where hair or glasses lie over the face
    skin: Tensor  # (B, 3, 1, 1) of the face, not multiplied
    painted: Tensor  # (B, 9, 128, 128) colours of iris, white and skin where they are not seen, not multiplied
    axes: Tensor  # (B, 2, 2) px of the crop: half of width and height of the eye on the viewer's left and right
    # (B, 7, 128) px: the edge in each column of an upper lid that is open, closed, and closed with a smile, and of an
    # open lower lid; how much higher an upper one is in a wide eye, and a lower one in an open eye that smiles: where
    # it goes up with the cheek, and where hair or glasses lie before that, and skin comes up behind them
    lids: Tensor
    middle: Tensor  # (B,) px: the column between the two
    found: Tensor  # (B, 2) 1 where there is an eye on the viewer's left and right
    down: Tensor  # (B,) how far their irises go down, of half of an eye's height

    def of(self, crop: Tensor) -> Eyes:
        """The same, with irises that go as far down as those in the premultiplied crop (B, 4, 128, 128) do well."""
        irises = _sides(torch.minimum(self.iris, self.opening), self.middle)
        return self._replace(down=goes_down(irises, crop))

    def within(self, free: Tensor, bare: Tensor, clear: Tensor, skin: Tensor) -> Eyes:
        """Without what is covered, where `free` (B, 1, 128, 128) is 0; `bare` is 0 where hair lies over the face, and
        `clear` where glasses do; `skin` (B, 3, 1, 1) is the colour of the face."""
        opening, bare, clear = self.opening, bare.float(), smooth(clear.float(), *SURE)
        # A pale iris may pass for hair: no hole in an eye is one where no other network sees hair.
        whole = filled(opening, HOLE_PX)
        opening = torch.lerp(opening, whole, smooth(bare, *SURE))
        return eyes(
            opening * free.float(),
            self.iris,
            self.lash * free.float() * clear,
            self.painted,
            bare * clear * free.float(),
            skin.float(),
        )


def eyes(
    opening: Tensor, iris: Tensor, lash: Tensor, painted: Tensor, bare: Tensor | None = None, skin: Tensor | None = None
) -> Eyes:
    """With what follows from them."""
    lash = lash * wider((opening > 0.5).to(opening.dtype), LASHES_PX)
    middle, bare = between(opening), torch.ones_like(opening) if bare is None else bare
    skin = painted[:, 6:].mean((2, 3), keepdim=True) if skin is None else skin
    sizes = axes(opening, middle)
    edges, found = lids(opening, lash, middle, sizes, bare), (sizes[..., 0] > 0).float()
    down = torch.full_like(middle, DOWN)
    return Eyes(opening, iris, lash, bare, skin, painted, sizes, edges, middle, found, down)


class Look(NamedTuple):
    """What a frame asks of them."""

    eyes: Eyes  # the same tensors in every frame
    slid: Tensor  # (2, 2) px of the crop: x and y, where the irises on the viewer's left and right are, minus at rest
    share: Tensor  # () how far the frame has faded from the drawing to what is laid
    closure: Tensor  # (2,) of the eyes on the viewer's left and right
    smile: Tensor  # () how far closed ones are arcs
    wide: Tensor  # () how far open ones are wide


class EyePictures(NamedTuple):
    """Of one character, over the crop at any size."""

    opening: Tensor  # (1, 1, h, h)
    kept: Tensor  # (1, 1, h, h) the same with locks before it, which stay until a lid has come down
    sight: Tensor  # (1, 1, h, h) where irises and whites are laid
    iris: Tensor  # (1, 4, h, h) premultiplied
    shaded: Tensor  # (1, 3, h, h) the same where a lid shades it
    shadow: Tensor  # (1, 1, h, h) how much one does
    white: Tensor  # (1, 3, h, h)
    lash: Tensor  # (1, 4, h, h) premultiplied, of upper lids
    skin: Tensor  # (1, 3, h, h)
    drawn: Tensor  # (1, 2, h, h) where skin is laid over upper lashes, and over lower ones
    hair: Tensor  # (1, 1, h, h) where hair lies before an eye
    # (11, h) px: as `Eyes.lids`, but that cheeks stay down below rims of glasses; how far the middle of a lash is below
    # the edge of its lid: open, closed, and closed with a smile; how many times thinner a closed one is, less 1
    edges: Tensor
    stroke: Tensor  # (4, h) px, half of how thick a closed lash is, and its colour


def between(opening: Tensor) -> Tensor:
    """(B,) px: the column in which there is least of openings (B, 1, 128, 128), near the middle."""
    line = torch.arange(*BETWEEN, device=opening.device)
    high = F.avg_pool1d(opening.sum(2), 2 * BETWEEN_PX + 1, 1, BETWEEN_PX)[:, 0, line]
    return (high + 0.002 * (line - CROP / 2).abs()).argmin(1).to(opening.dtype) + BETWEEN[0]


def right(middle: Tensor, size: int) -> Tensor:
    """(B, size) which columns of as many are the viewer's right."""
    at = (torch.arange(size, device=middle.device, dtype=middle.dtype) + 0.5) * (CROP / size)
    return at >= middle[:, None]


def _sides(opening: Tensor, middle: Tensor) -> Tensor:
    """(B, 1, 128, 128) -> (B, 2, 128, 128) each eye alone, without what is faint"""
    seen, side = (opening[:, 0] - 0.1).clamp(min=0) / 0.9, right(middle, CROP)[:, None]
    return torch.stack((seen * ~side, seen * side), 1)


def axes(opening: Tensor, middle: Tensor) -> Tensor:
    """(B, 2, 2) px: half axes of the eyes whose openings (B, 1, 128, 128) are; where there is no eye, 0."""
    line = torch.arange(CROP, device=opening.device, dtype=opening.dtype)
    sides = _sides(opening, middle)
    area = sides.sum((2, 3))
    half = []
    for axis in (2, 3):  # where mass lies along the other one; of an ellipse its half axis is two deviations
        mass = sides.sum(axis)
        mean = (mass * line).sum(2, keepdim=True) / mass.sum(2, keepdim=True).clamp(min=1)
        half.append(2 * ((mass * (line - mean) ** 2).sum(2) / mass.sum(2).clamp(min=1)).sqrt())
    found = (area > LEAST_PX).to(opening.dtype)
    return torch.stack(half, 2) * found[..., None]


def lids(opening: Tensor, lash: Tensor, middle: Tensor, axes: Tensor, bare: Tensor) -> Tensor:
    """(B, 7, 128) as `Eyes.lids`, of openings (B, 1, 128, 128), `lash` and `bare`, the same, as `Eyes` has them."""
    line = torch.arange(CROP, device=opening.device, dtype=opening.dtype) + 0.5
    both = []
    for seen, half in zip(_sides(opening, middle).unbind(1), axes.unbind(1), strict=True):
        high = seen.sum(1)  # (B, 128) px
        half_way = (seen * line[:, None]).sum(1) / high.clamp(min=FAINT)
        weight = (high - 1).clamp(0, 1)
        centre = (high * line).sum(1, keepdim=True) / high.sum(1, keepdim=True).clamp(min=1)
        s = ((line - centre) / half[:, :1].clamp(min=1)).clamp(-1, 1)
        # Where a lock hides the upper end of an eye, its lash tells.
        upper = half_way - high / 2
        over = smooth(lash[:, 0], *LASH) * (line[:, None] < half_way[:, None])
        thick = over.sum(1)
        lashes = (over * line[:, None]).sum(1) / thick.clamp(min=FAINT) + thick / 2
        told = smooth(upper - lashes, *GAP_PX) * (thick - 1).clamp(0, 1)
        upper = fitted(s, torch.lerp(upper, lashes, told), weight, 4)
        straight = fitted(s, half_way, weight, 1)
        level = (straight * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=FAINT)
        straight = torch.lerp(level, straight, TILT)
        width, height = half[:, :1], half[:, 1:]
        shut = straight + height * (SHUT[0] - SHUT[1] * s * s)
        arc = straight + height * ARC[0] + width * ARC[1] * (s * s - ARC[2])
        lower = torch.maximum(fitted(s, half_way + high / 2, weight, 4), shut)
        higher, raised = (height * by * (1 - s * s) for by in (WIDER, CHEEK))
        below = lower[:, None] + torch.arange(CHEEK_CLEAR_PX, device=opening.device)[:, None]
        clear = bare[:, 0].gather(1, below.long().clamp(0, CROP - 1)).amin(1)
        clear = F.avg_pool1d(smooth(clear, *BARE), 2 * SPREAD + 1, 1, SPREAD, count_include_pad=False)
        moved, covered = raised * clear, raised * (1 - clear)
        both.append(torch.stack([torch.minimum(upper, shut), shut, arc, lower, higher, moved, covered], 1))
    return torch.where(right(middle, CROP)[:, None], both[1], both[0])


def look(eyes: Eyes, gaze: Tensor, closure: Tensor, smile: Tensor, wide: Tensor) -> Look:
    """gaze (2,) x and y, closure (2,) of left and right, smile () and wide () of the pose, of one character: irises go
    to its right, which is the viewer's left, and up."""
    share = (AT_ONCE * gaze.abs().amax()).clamp(max=1)
    return Look(eyes, -eyes.axes[0] * goes(gaze, eyes.down[0]), share, closure.flip(0) * eyes.found[0], smile, wide)


def eye_pictures(inside: Tensor, eyes: Eyes, others: Tensor | None = None) -> EyePictures:
    """Of the middle of a premultiplied drawing (1, 4, h, h); `others` (1, 1, 128, 128) is where neither eyes nor skin
    are drawn, on the face."""
    size = inside.shape[-1]
    sharper = max(SHARPER, size / CROP)
    opening, sight, iris = (
        ((enlarge(x, size) - 0.5) * sharper + half).clamp(0, 1)
        for x, half in ((eyes.opening, 0.5), (eyes.opening, SMALLER), (eyes.iris, LARGER))
    )
    painted, lash = enlarge(eyes.painted, size), enlarge(eyes.lash, size)
    straight = inside[:, :3] / inside[:, 3:].clamp(min=1 / 255)
    clear = -wider(-opening, 1)
    every = wider(torch.maximum(opening, smooth(lash, *GONE)), max(1, round(AROUND * size / CROP)))
    if others is not None:
        every = torch.maximum(every, enlarge(others, size))
    papers = torch.split(painted, 3, 1)
    free = enlarge(eyes.bare, size)

    def alike(to: Tensor, within: tuple[float, float]) -> Tensor:
        return 1 - smooth((straight - to).abs().amax(1, keepdim=True), *within)

    warm = _as_warm(straight, eyes.skin)
    lit = torch.lerp(torch.ones_like(free), alike(papers[2], PAPER), SHADED)
    bare = (1 - every) * smooth(free, *CLEAR) * alike(eyes.skin, SKIN) * lit * warm
    seen = smooth(clear * iris, *OWN), smooth(clear * (1 - wider(iris, 1)), *OWN)

    def about(paint: Tensor, own: Tensor) -> Tensor:
        """Paint that is off by as much as it is off where something is seen."""
        return (paint + spread(straight - paint + 0.5, own) - 0.5).clamp(0, 1)

    def completed(paint: Tensor, own: Tensor) -> Tensor:
        return torch.lerp(about(paint, own), straight, own)

    viewers_right = right(eyes.middle, size)
    irises, shaded = completed_irises(straight, seen[0], about(papers[0], seen[0]), viewers_right)
    # A painted white has the shadow of a lid, and no colour but that of the white that is seen; where that is lighter,
    # the paint goes half the way.
    whites = completed(papers[1].mean(1, keepdim=True).expand_as(straight), seen[1])
    whites = torch.maximum(whites, torch.lerp(whites, spread(straight, seen[1]), OF_SEEN))
    # A lid is as plain as the skin about it; paint says which of that has the same light.
    plain = about(eyes.skin, bare)
    hair = smooth(1 - free, *HAIR)
    of_hair = about(eyes.skin, (1 - every) * hair)
    edges = enlarge_rows(eyes.lids[0], size) * (size / CROP)
    row = torch.arange(size, device=inside.device)[:, None] + 0.5
    shadow = 1 - smooth((row - edges[0]) * (CROP / size), *SHADOW_PX)
    # The row between iris and lash shows both.
    beneath = torch.minimum(opening, iris)
    beneath = torch.lerp(beneath, F.pad(beneath[:, :, 1:], (0, 0, 0, 1)), BENEATH)
    # lashes above the middle of an eye go down with its lid, those below it stay, and fade
    below_middle = (row - (edges[0] + edges[3]) / 2) * (CROP / size)
    upper = (0.5 - below_middle / UPPER_PX).clamp(0, 1)
    # A lash that hair crosses has the colour of what is seen of it, and the darkest of that is no skin.
    sure = smooth(lash, *LASH) * (smooth(free, *BARE) + FAINT) * torch.exp(-INK * straight.mean(1, keepdim=True))
    line = mean_where(straight, sure)
    beside = 1 - opening.amax(2, keepdim=True)  # above an eye, what is as dark may be a lock
    lash = grown(lash, straight - plain, line - plain, beside * smooth(free, *PERHAPS), free * (1 - opening))
    moved, gone = smooth(lash, *LASH), smooth(lash, *GONE)
    own = moved * smooth(free, *BARE) * smooth(as_lashes(straight - plain, line - plain)[0], *LIKE_LASH)
    unlike = (straight - plain).abs().amax(1, keepdim=True)
    near_lid = nearest_line(moved * unlike, unlike, edges[0])
    taken = torch.maximum(opening, gone)
    bare, barer = told(straight, plain, free, taken)
    moved = without_locks(moved, 1 - bare, edges[0], beside)
    dark, moved = completed(line, own), moved * upper * near_lid
    gone = gone * near_lid
    lower = torch.maximum(smooth(lash, *LOWER), gone * (1 - smooth(below_middle, *CORNER_PX))) * (1 - upper)
    below, above = row - edges[0], edges[3] - row
    within = (torch.minimum(below, above) + 0.5).clamp(0, 1) * (1 - gone) * (opening.amax(2, keepdim=True) > TAKEN)
    # The end of a lash may lie over the hair beside a face: what is about it tells, but for the rim of the lash.
    rims = max(1, round(BITS_PX * size / CROP))
    behind = spread(-filled(bare - 1, rims).expand_as(straight), 1 - taken + FAINT**2)[:, :1]
    skin = torch.lerp(plain, of_hair, torch.maximum(hair, beside * smooth(behind, *BEHIND)))
    # What is neither skin nor ink below an eye may be a rim of glasses, and stays.
    no_ink = smooth((straight - line).abs().amax(1, keepdim=True), *NO_INK)
    rim = smooth(unlike, *RIM) * no_ink
    drawn = torch.cat(
        [
            covered(torch.maximum(opening, gone * upper), free, bare) * upper,
            covered(torch.maximum(opening, lower), free, bare * (1 - rim)) * (1 - upper),
        ],
        1,
    )
    edges = _behind_rims(edges, rim[0, 0], no_ink[0, 0])
    lines, stroke = line_of(torch.cat([dark * moved, moved], 1)[0], edges, viewers_right[0])
    edges = torch.cat([edges, lines])
    gap = torch.maximum(opening, drawn[:, :1])[0, 0] > TAKEN
    locks = tips(straight[0], plain[0], 1 - bare[0, 0], 1 - free[0, 0], 1 - barer[0, 0], gap)
    shadow_above = shade(straight[0], plain[0], gap, (warm * smooth(free, *PERHAPS))[0])
    skin, plain = ((x + shadow_above).clamp(0, 1) for x in (skin, plain))
    skin = torch.lerp(torch.lerp(skin, plain, locks.drawn), locks.colour[None], locks.cover)
    drawn = torch.cat([torch.maximum(drawn[:, :1], locks.above[None, None]), drawn[:, 1:]], 1)
    return EyePictures(
        opening,
        torch.maximum(opening, within),
        torch.maximum(sight, beneath),
        torch.cat([irises * iris, iris], 1),
        shaded * iris,
        shadow[None, None],
        whites,
        torch.cat([dark * moved, moved], 1),
        skin,
        drawn,
        smooth(1 - free, *FRINGE),
        edges,
        stroke,
    )


def _behind_rims(edges: Tensor, rim: Tensor, no_ink: Tensor) -> Tensor:
    """`Eyes.lids` (7, h), px at the size of `rim` (h, h): what comes up with the cheek comes up behind a rim of glasses
    that lies below an eye, for the rim does not. Soft edges of ink, where `no_ink` (h, h) is 0, are none."""
    size = rim.shape[-1]
    nearest, farthest, soft, reach = (max(1, round(px * size / CROP)) for px in (*RIM_PX, SOFT_PX, SPREAD))
    rim = torch.minimum(rim, -widened(-no_ink[None, None], soft, 2)[0, 0])
    rows = (edges[3] + torch.arange(nearest, farthest + 1, device=rim.device)[:, None]).long().clamp(0, size - 1)
    clear = 1 - rim.gather(0, rows).amax(0, keepdim=True)
    clear = F.avg_pool1d(clear, 2 * reach + 1, 1, reach, count_include_pad=False)
    return torch.cat([edges[:5], edges[5:6] * clear, edges[6:] + edges[5:6] * (1 - clear)])


def _as_warm(colours: Tensor, skin: Tensor) -> Tensor:
    """(B, 1, H, W): 0 where colours (B, 3, H, W) have nothing of the hue that `skin` (B, 3, 1, 1) has, as masks."""
    hue, own = (x - x.mean(1, keepdim=True) for x in (colours, skin))
    share, much = share_along(hue, own), own.square().sum(1, keepdim=True)
    return torch.lerp(torch.ones_like(share), smooth(share, *WARM), smooth(much.sqrt(), *HUED))


def fetched(picture: Tensor, columns: Tensor, rows: Tensor, outside: str = "border") -> Tensor:
    """Of B pictures (B, C, h, h) what lies in `columns` and `rows`, px, which together are (h, h) or (B, h, h)."""
    source = torch.stack(torch.broadcast_tensors(columns, rows), -3)  # type: ignore[no-untyped-call]
    return sample(picture, source if source.ndim == 4 else source[None], picture.shape[-1], outside)


def enlarge_rows(x: Tensor, size: int) -> Tensor:
    """(K, n) -> (K, size)"""
    return F.interpolate(x[None], size, mode="linear", align_corners=False)[0]


def looked(inside: Tensor, shown: EyePictures, frame: Look) -> Tensor:
    """The middle of a premultiplied drawing (1, 4, h, h) with its irises elsewhere and its lids down."""
    about = slid(
        inside,
        frame.share * shown.sight,
        shown.iris,
        shown.white,
        frame.slid[None],
        frame.eyes.middle,
        (shown.shaded, shown.shadow),
    )
    viewers_right = right(frame.eyes.middle, inside.shape[-1])[0]
    closure = torch.where(viewers_right, frame.closure[1], frame.closure[0])
    shut = closed(about, shown, closure, frame.smile)
    return smiled(opened_wide(shut, shown.edges, frame.wide * (1 - closure)), shown.edges, frame.smile * (1 - closure))


def smiled(inside: Tensor, edges: Tensor, smile: Tensor) -> Tensor:
    """One drawing (1, 4, h, h) whose lower lids come up with the cheeks by `smile` (h,) in each column; `edges` are
    those of `EyePictures`."""
    size = inside.shape[-1]
    column = centres(size, inside.device)
    row, by, reach = column[:, None], smile * edges[5], CHEEK_PX * size / CROP
    below = row - (edges[3] - by)
    source = fetched(inside, column, row + by * (1 - below / (by + reach)).clamp(0, 1))
    return inside + ((below + 0.5).clamp(0, 1) * (by > 0)) * (source - inside)


def opened_wide(inside: Tensor, edges: Tensor, wide: Tensor) -> Tensor:
    """One drawing (1, 4, h, h) of which the upper half of eyes is stretched by `wide` (h,) in each column, with the
    lashes above it; `edges` are those of `EyePictures`."""
    size = inside.shape[-1]
    opened, _, _, bottom, higher = edges[:5]
    column = centres(size, inside.device)
    row = column[:, None]
    by, middle = wide * higher, (opened + bottom) / 2
    edge = opened - by
    upwards = ((middle - row) / (middle - edge).clamp(min=1)).clamp(0, 1)
    fading = ((row - edge) * (CROP / size) + LASH_PX + CREASE_PX).clamp(0, CREASE_PX) / CREASE_PX
    return torch.where(by > 0, fetched(inside, column, row + by * upwards * fading), inside)


def slid(
    inside: Tensor,
    weight: Tensor,
    iris: Tensor,
    white: Tensor,
    by: Tensor,
    middle: Tensor,
    under: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """B drawings whose irises are elsewhere, `by` (B, 2, 2) px of the crop, as much as `weight` (B, 1, h, h); see
    `EyePictures`, of which `under` are `shaded` and `shadow`, and `Eyes`."""
    size = inside.shape[-1]
    at = centres(size, inside.device)
    away = torch.where(right(middle, size)[..., None], by[:, 1:], by[:, :1]).float() * (size / CROP)
    aside, down = away[:, None].unbind(3)
    moved = fetched(iris, at - aside, at[:, None] - down)
    seen = moved[:, :3]
    if under is not None:
        shaded, shadow = under
        seen = torch.lerp(seen, fetched(shaded, at - aside, at[:, None] - down), shadow)
    eye = (white * (1 - moved[:, 3:]) + seen) * inside[:, 3:]
    return torch.cat([inside[:, :3] + weight * (eye - inside[:, :3]), inside[:, 3:]], 1)


def closed(inside: Tensor, shown: EyePictures, closure: Tensor, smile: Tensor) -> Tensor:
    """One drawing whose lids are down by `closure` (h,) in each column."""
    size, alpha, k = inside.shape[-1], inside[:, 3:], closure
    opened, shut, arc, bottom, higher, _, covered, below, straight, bent, thinner = shown.edges
    shut, raised = torch.lerp(shut, arc, smile), smile * (1 - k) * covered
    line = torch.lerp(straight, bent, smile)
    edge, under = torch.lerp(opened, shut, k) - BOWED * k * (1 - k) * higher, torch.lerp(bottom, shut, k) - raised
    column = centres(size, inside.device)
    row = column[:, None]
    over = OVER_PX * size / CROP * (1 - k)
    outside = (torch.maximum(edge - over - row, row - under) + 0.5).clamp(0, 1)
    # Lids of a face that is awake tremble, and a lock half over its old place and half over its new one is a smudge.
    at_once = torch.lerp((DOWN_AT_ONCE * k).clamp(max=1), smooth(k, *BEHIND_FRINGE), shown.hair[0, 0])
    # What comes up behind hair or glasses is no reason to lay the upper lash anew.
    lower_half = row + row > opened + bottom
    at_once = (at_once + lower_half * (AT_ONCE * raised * CROP / size)).clamp(max=1)
    upper, lower = shown.drawn[0]
    opening = shown.opening[0, 0]
    # Just below a lash that has hardly moved is the eye, not skin.
    hidden = 1 - shown.kept[0, 0] * (1 - outside)
    lashes = (upper + lower * smooth(k, *LOWER_GOES)).clamp(max=1)
    weight = torch.maximum(opening * outside, lashes * hidden)
    middle = edge + torch.lerp(below, line, k)
    lash = fetched(shown.lash, column, opened + below + (row - middle) * (1 + thinner * k), "zeros")
    half, stroke = shown.stroke[0], shown.stroke[1:, None]
    drawn = pen(half, row - middle)[None]
    lash = torch.lerp(lash, torch.cat([stroke * drawn, drawn])[None], smooth(k, *DRAWN))
    colour = inside[:, :3] + weight * (shown.skin * alpha - inside[:, :3])
    laid = colour * (1 - lash[:, 3:]) + lash[:, :3] * alpha
    # Skin and lash that came one by one would let a lash that hardly moves pale.
    return torch.cat([inside[:, :3] + at_once * (laid - inside[:, :3]), alpha], 1)
