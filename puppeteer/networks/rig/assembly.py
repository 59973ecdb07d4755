"""From what the networks read to a rig: pictures that lie under each other, and how they move."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import SPEC, blurred, enlarge, pixel_grid, sample
from puppeteer.networks.faces import COVERED
from puppeteer.networks.rig import motion
from puppeteer.networks.rig.motion import BODY_AXIS, FINE, Motion, bulge
from puppeteer.networks.rig.not_hair import body_back, held, joined, patches, without_islands
from puppeteer.networks.rig.pictures import Parts, smooth
from puppeteer.networks.rig.reader import (
    BACK,
    BODY,
    COUNT,
    FACE,
    FRONT,
    GLASSES,
    NECK,
    PAINTED,
    SIDE,
    Painter,
    Reader,
    nearest,
    spread_colour,
)
from puppeteer.pose import HAIR_HANGS
from puppeteer.relief import BACK_RELIEF, relieved

FRONTS = {FACE: 1.0, SIDE: 1.0, GLASSES: 1.0, FRONT: 1.0}  # move as one relief
HEAD = {BACK: 1.0, **FRONTS}  # layers that turn with it
SHARPER = 2.0  # logits of the split
UNSURE = 0.3, 0.7  # how mixed a split is where layers begin to move alike, and where they do
NEAR_SIGMA = 4.0  # px over which that is looked at: an outline is no doubt
RIM_SIGMA, RIM = 10.0, (0.5, 0.9)  # px over which an outline is felt, and coverage about a place in and within it
STILL_BELOW = 214.0, 246.0  # rows of the spec square
BESIDE_SIGMA = 5.0  # px
INNER_PX = 2  # of the spec square: colours that are spread come from farther within
LINE_PX, LINE_REACH = 1, 3  # of the spec square: half of what a line is wide, and how far off it may be
EDGE_SIGMA = 1.0  # px: steps of pixels would be rows of dots
LINE_SIGMA, DARKER = 3.0, (0.06, 0.14)  # px about a line, and by how much it is darker than they are
CRUMB_SIGMA = 1.5  # px of the spec square
FRONT_SIGMA = 3.0  # px about a place, all of which have one depth
DRAG_SIGMA, DRAGGED = 8.0, (0.0, 0.5)  # px beside what is in front, and how much of it is near where all are moved
STEEPER, LOWER = 1.2, 7.0  # times, px: what smoothing took from a relief
SLOPE, SLOPE_CELLS = 2.0, 12  # px of depth in a px, and how far a steeper place reaches at most
LEAN_SIGMA, OWN_LEAN = (
    6.0,
    0.5,
)  # px about a place, all of which lean alike, and the share of its own that a layer keeps
MIRROR_PX = 10.0, 22.0  # of the spec square, within which what is hidden is a mirror image, and beyond which it is not
MIRRORS = (1.0, 0.75, 0.5, 0.25, 0.0)  # how far behind an edge what is before it is looked for, of its distance
SURE = 0.7, 0.95
ROUND_SIGMA = 3.0  # px: ways to an edge that is not straight
CHIN_DEPTH = 24.0  # px
DEPTH_SIGMA = 4.0  # px
EARS = 34.0, 6.0  # px above the neck's tip, where hair begins to be seen from behind, and where it is
FOREHEAD, FRINGE_RELIEF = 32.0, 0.45  # px, and the share of what hair lies before it
CHEST_DEPTH = 24.0  # px before the axis of a body
BACK_DEPTH = 8.0  # px behind the outline; nothing is farther: hair that is bared would be made up
HANGS = 58.0, 40.0  # px above and below the neck's tip, between which hair begins to hang freely
CROWN, ABOVE_SWINGS = (105.0, 140.0), 0.5  # px above it, and the share by which what stands up there swings
FRINGE, FRINGE_SWINGS = (85.0, 30.0), 0.15
SHOULDERS = 56.0, 32.0  # px from the middle: what is farther out is shoulder, however high it is drawn


def read(reader: Reader, painter: Painter, image: Tensor, covered: Tensor | None = None) -> tuple[Parts, Motion]:
    """Premultiplied (1, 4, 256, 256) -> the rig's parts and motion. `covered` (1, 3): how surely something lies over
    the left eye, the right one, and the mouth."""
    reading = reader(image)
    root, tip = reading.joints[0].view(2, 2)
    told = without_islands(body_back(reading.shares(), image, tip), image)
    shares = lined(whole_things(told), image)
    whole = held(torch.sigmoid(reading.whole), told, image)
    inner = -F.max_pool2d(-shares, 2 * INNER_PX + 1, 1, INNER_PX)  # without the lines at its edges
    painted = painter(image, inner, whole)[0]
    hidden = []
    for k in range(COUNT):
        spread = spread_colour(image, inner, k)[0]
        if k in PAINTED:  # beside what is seen, what is hidden goes on as it is
            spread = torch.lerp(painted[PAINTED.index(k)], spread, close_to(inner, k))
        hidden.append(spread)
    hidden[BACK] = torch.lerp(hidden[BACK], hidden[SIDE], bared(shares, inner))
    hidden = [as_grey_as(image, colour) for colour in hidden]
    hidden[NECK] = mirrored(image, inner[:, NECK], hidden[NECK])
    small = F.avg_pool2d(torch.cat([shares, whole], 1), SPEC // FINE)[0, :, None]
    seen, there = small[:COUNT], torch.maximum(small[:COUNT], small[COUNT:])
    depth = flattened(continued(reading.depth[0, :, None], there))
    inside = blurred(F.avg_pool2d(image[:, 3:].float(), SPEC // FINE), RIM_SIGMA * FINE / SPEC)
    depth = in_front(softened(alike(depth, seen)), tip, smooth(inside, *RIM))
    x, y = pixel_grid(FINE, FINE, depth.device)[0]
    depth[BODY] = BODY_AXIS + CHEST_DEPTH * bulge(x) * ramped(root[1] + 16, root[1] + 44, y)
    depth = torch.where(of_layers(HEAD, depth) > 0, gentler(steeper(one_relief(depth, seen))), depth)
    # a chin that rises draws its neck along, and shows nothing that nobody drew
    depth[NECK] = CHIN_DEPTH
    # The picture's lower edge cuts through all: what moved there would show the cut.
    follow = followed(root, tip)
    follow = torch.lerp(together(follow, seen, LEAN_SIGMA), follow, OWN_LEAN) * (1 - smooth(y, *STILL_BELOW))
    hangs = hanging(tip) * (1 - F.avg_pool2d(joined(told, image), SPEC // FINE))
    speaks: Tensor | float = 1.0
    if covered is not None:
        hangs = hangs * (1 - F.avg_pool2d(patches(told, image, covered[:, :2]), SPEC // FINE))
        speaks = (covered[0, 2] <= COVERED).to(hangs.dtype)
    moves = motion.fitted(depth, follow, there, hangs, root, tip, speaks)
    return Parts(shares[0, :, None], whole[0, :, None], torch.stack(hidden)), moves


def close_to(inner: Tensor, layer: int) -> Tensor:
    """(1, 256, 256): 1 where a layer is seen near by, as `inner` (1, L, 256, 256) tells."""
    return smooth(blurred(inner[:, layer : layer + 1], BESIDE_SIGMA)[0], 0.0, 0.2)


def bared(shares: Tensor, inner: Tensor) -> Tensor:
    """(1, 256, 256): 1 where a body covers what goes on from hair beside it, and not from hair behind, which it bares
    when it moves; `shares` and `inner` (1, L, 256, 256) of what is seen, without lines at edges."""
    return shares[0, BODY] * close_to(inner, SIDE) * (1 - close_to(inner, BACK))


def mirrored(image: Tensor, inner: Tensor, hidden: Tensor) -> Tensor:
    """Hidden colours (3, 256, 256) of a layer that is seen in `inner` (1, 256, 256); near an edge they are a mirror
    image of what is drawn beyond it: folds and the shadow of a chin go on."""
    seen = inner[:, None] * (image[:, 3:] > 0.95)
    here = pixel_grid(SPEC, SPEC, image.device)
    away = nearest(seen > SURE[1]) - here
    near = away.square().sum(1, keepdim=True).sqrt()
    away = blurred(away.clamp(-SPEC, SPEC).transpose(0, 1), ROUND_SIGMA).transpose(0, 1)
    known = torch.cat([image[:, :3] / image[:, 3:].clamp(min=0.1), seen], 1)
    out, weight = torch.zeros_like(known[:, :3]), torch.zeros_like(seen)
    for far in MIRRORS:
        there = sample(known, here + (1 + far) * away)
        fits = smooth(there[:, 3:], *SURE) * (1 - weight)
        out, weight = out + fits * there[:, :3], weight + fits
    out = out / weight.clamp(min=1e-3)
    return torch.lerp(hidden, out[0], (weight * (1 - smooth(near, *MIRROR_PX)))[0])


def as_grey_as(image: Tensor, colour: Tensor) -> Tensor:
    """A painted colour (3, H, W) without more chroma than anything in the drawing: a grey drawing stays grey."""
    drawn = image[0, :3].float()
    chroma = (drawn.amax(0) - drawn.amin(0)).flatten()
    most = torch.quantile(chroma[::7], 0.98) + 0.02  # a few pixels of a stamp or of noise are no colour
    grey = colour.mean(0, keepdim=True)
    own = (colour.amax(0) - colour.amin(0)).clamp(min=1e-3)
    return grey + (colour - grey) * (most / own).clamp(max=1)


def whole_things(shares: Tensor) -> Tensor:
    """Shares (B, L, 256, 256) without crumbs: a thing that is a pixel or two wide goes with what it lies on."""
    smoothed = blurred(shares.flatten(0, 1)[:, None], CRUMB_SIGMA).view_as(shares)
    return torch.softmax(SHARPER * torch.log(smoothed.clamp(min=1e-4)), 1)


def together(field: Tensor, seen: Tensor, sigma: float) -> Tensor:
    """(1, C, 128, 128): a field (L, C, 128, 128) as what is seen about a place has it, `seen` (L, 1, 128, 128). What
    moves alike shows nothing of what nobody drew."""
    sigma = sigma * FINE / SPEC
    amount = blurred(seen.sum(0, keepdim=True), sigma).clamp(min=0.02)
    return torch.cat([blurred((x * seen).sum(0, keepdim=True), sigma) / amount for x in torch.split(field, 1, 1)], 1)


def lined(shares: Tensor, image: Tensor) -> Tensor:
    """Shares (B, L, 256, 256) in which the line round a thing belongs to it, and not to what lies behind: a line left
    behind is seen, a rim of skin or hair that comes along is not. `image` (B, 4, 256, 256), premultiplied."""
    before = torch.flip(torch.cumsum(torch.flip(shares, [1]), 1), [1])  # of a layer and all in front of it
    light, alpha = image[:, :3].float().mean(1, keepdim=True), image[:, 3:].float()
    about = blurred(light, LINE_SIGMA) / blurred(alpha, LINE_SIGMA).clamp(min=0.1)
    line = smooth(about * alpha - light, *DARKER)
    wide = F.max_pool2d(before, 2 * LINE_PX + 1, 1, LINE_PX)
    wide = torch.maximum(wide, F.max_pool2d(before, 2 * LINE_REACH + 1, 1, LINE_REACH) * line)
    wide = torch.flip(torch.cummax(torch.flip(wide, [1]), 1).values, [1])
    wide = blurred(wide.flatten(0, 1)[:, None], EDGE_SIGMA).view_as(wide)
    return wide - torch.cat([wide[:, 1:], torch.zeros_like(wide[:, :1])], 1)


def one_relief(depth: Tensor, seen: Tensor) -> Tensor:
    """Depth (L, 1, 128, 128) of heads whose faces and hair before them have one relief, and whose back moves with what
    is before it where that ends, and so is stretched rather than laid bare."""
    seen = seen * of_layers(FRONTS, depth)
    depth = torch.where(of_layers(FRONTS, depth) > 0, together(depth, seen, FRONT_SIGMA), depth)
    near = smooth(blurred(seen.sum(0, keepdim=True), DRAG_SIGMA * FINE / SPEC), *DRAGGED)
    return torch.lerp(depth, together(depth, seen, DRAG_SIGMA), of_layers({BACK: 1.0}, depth) * near)


def steeper(depth: Tensor) -> Tensor:
    """Depth with what it lost when it was smoothed: faces far before outlines, which hardly move."""
    out = STEEPER * relieved(depth) - LOWER
    return torch.where(out > 0, out, out / BACK_RELIEF)


def gentler(depth: Tensor) -> Tensor:
    """Depth (L, 1, 128, 128) nowhere steeper than `SLOPE`, half way between what must be filled and taken off: where
    heads end a turn would draw the lines of hair out to bands."""
    step = SLOPE * SPEC / depth.shape[-1]
    low, high = depth, depth
    for _ in range(SLOPE_CELLS):
        for ways in ((3, 1), (1, 3)):
            pad = (ways[0] // 2, ways[1] // 2)
            low = torch.minimum(low, step - F.max_pool2d(-low, ways, 1, pad))
            high = torch.maximum(high, F.max_pool2d(high, ways, 1, pad) - step)
    return (low + high) / 2


def softened(depth: Tensor) -> Tensor:
    """(L, 1, 128, 128) without the steps from lock to lock, at which one picture could only be stretched."""
    return blurred(depth, DEPTH_SIGMA * depth.shape[-1] / SPEC)


def continued(field: Tensor, there: Tensor) -> Tensor:
    """(L, 1, H, W) that is right where a layer is, spread over the rest."""
    weight = smooth(there, 0.5, 0.9)
    levels = [(field * weight, weight)]
    while levels[-1][1].shape[-1] > 2:
        levels.append((F.avg_pool2d(levels[-1][0], 2), F.avg_pool2d(levels[-1][1], 2)))
    total, amount = levels.pop()
    out = total / amount.clamp(min=1e-6)
    for total, amount in reversed(levels):
        out = (total + 0.02 * enlarge(out, total.shape[-1])) / (amount + 0.02)
    return out


def flattened(depth: Tensor) -> Tensor:
    """Fringes a little before foreheads; as far before them as hair is in space they would slide over the face."""
    beyond = (depth - FOREHEAD).clamp(min=0)
    return depth - of_layers({SIDE: 1, FRONT: 1}, depth) * (1 - FRINGE_RELIEF) * beyond


def alike(depth: Tensor, seen: Tensor) -> Tensor:
    """Depth (L, 1, H, W), the same for layers between which the split (L, 1, H, W) is unsure: then a wrong one shows
    nothing."""
    size = depth.shape[-1]
    together = (depth * seen).sum(0, keepdim=True)
    doubt = smooth(blurred(4 * seen * (1 - seen), NEAR_SIGMA * size / SPEC), *UNSURE)
    return depth + doubt * (together - depth)


def in_front(depth: Tensor, tip: Tensor, inside: Tensor) -> Tensor:
    """Depth (L, 1, 128, 128) of heads that show nothing from behind their outline, but for hair below their ears: a
    turned or lifted crown would uncover what no drawing holds. Nor does what is seen pass over an outline, where a
    head bends back: `inside` (1, 1, 128, 128) is 0 there."""
    y = pixel_grid(FINE, FINE, depth.device)[0, 1]
    low = ramped(tip[1] - EARS[0], tip[1] - EARS[1], y)
    bends = of_layers({SIDE: 1, FRONT: 0.5}, depth)  # bows and ears would be squashed by more
    depth = depth * (1 - bends * (1 - inside) * (1 - low))
    return torch.where(of_layers(HEAD, depth) > 0, torch.maximum(depth, -BACK_DEPTH * low), depth)


def of_layers(shares: Mapping[int, float], like: Tensor) -> Tensor:
    """(L, 1, 1, 1): a number for some layers, 0 for the others."""
    return torch.tensor([shares.get(k, 0.0) for k in range(COUNT)], device=like.device).view(-1, 1, 1, 1)


def followed(root: Tensor, tip: Tensor) -> Tensor:
    """(L, 2, 128, 128): how far the points of each layer follow root and tip, as the generator's do."""
    x, y = pixel_grid(FINE, FINE, root.device)[0]
    neck = torch.stack([ramped(root[1] + 12, root[1] - 10, y), ramped(root[1] - 2, tip[1] + 8, y)])
    out = ((x - SPEC / 2).abs() - SHOULDERS[0]) / (SHOULDERS[1] - SHOULDERS[0])
    hair = (1 - smooth(y, *HAIR_HANGS)).expand(2, -1, -1)  # ends at the picture's edge would be torn from it
    kinds = {NECK: neck, BODY: neck * out.clamp(0, 1), FACE: torch.ones_like(hair), GLASSES: torch.ones_like(hair)}
    return torch.stack([kinds.get(k, hair) for k in range(COUNT)])


def hanging(tip: Tensor) -> Tensor:
    """(L, 1, 128, 128): how far hair swings, most at its ends, hardly on a face; what stands on a crown does too."""
    y = pixel_grid(FINE, FINE, tip.device)[0, 1]
    above = ABOVE_SWINGS * ramped(tip[1] - CROWN[0], tip[1] - CROWN[1], y)
    low = ramped(tip[1] - HANGS[0], tip[1] + HANGS[1], y).square()
    fringe = FRINGE_SWINGS * ramped(tip[1] - FRINGE[0], tip[1] - FRINGE[1], y).square()
    kinds = {BACK: low, SIDE: torch.maximum(low, above), FRONT: torch.maximum(fringe, above)}
    return torch.stack([kinds.get(k, torch.zeros_like(y)) for k in range(COUNT)])[:, None]


def ramped(low: Tensor, high: Tensor, y: Tensor) -> Tensor:
    """0 at one height, 1 at the other."""
    return smooth((y - low) / (high - low), 0, 1)
