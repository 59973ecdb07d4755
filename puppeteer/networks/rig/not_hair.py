"""What lies on hair, or beside it, and is none: a hand, clothes, a patch over an eye. It does not swing with the hair.

The network that splits a drawing is unsure of such things, or calls them hair. Their colours tell: those of this
drawing's hair are known where hair surely is, and so are those of its face and body.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.blocks import SPEC, blurred, pixel_grid
from puppeteer.networks.rig.pictures import filled, reached, smooth
from puppeteer.networks.rig.reader import BACK, BODY, FACE, FRONT, NECK, SIDE, spread

HAIR = (BACK, SIDE, FRONT)
LEVELS = 20  # of each of three channels, in which colours are counted
RARE = 4e-4  # share of a thing's pixels from which on a colour says something
TRUST = 1.5  # how much colours count beside what was read
CLEARLY = 1.5  # how much likelier, as a logarithm, a colour is another thing's, from which on it is not hair's
SURELY, HANGING_SURELY = 0.9, 0.985  # shares from which on a thing is what was read, and hair that hangs is hair
BROWS = 40.0  # px above the neck's tip
READ_SIGMA, TOGETHER = 1.0, 3.0  # px about a place that are looked at together: a highlight is no hand
EDGE, EDGE_REACH = (0.5, 1.5), 3  # `CLEARLY` at the edge of a thing, and px about what is told together
THING = 0.45, 0.75  # how likely no hair a place is, from where on it is none
KNOWN = 0.5, 0.9  # share of what is read as no hair from which on it is none for sure
REACH = 40  # px that a thing goes on beyond what is surely none
JAW = -12.0, -2.0  # px below the neck's tip, from which on what is no hair is the body's
OUTLINE_PX, LINE_PX = 4, 2  # about a body, and about what was read as hair
EDGE_PX, ISLAND_PX = 4, 6  # of the picture, where bodies end; and half of how wide what lies by itself in hair may be
SLIVER_PX = 5  # half of how wide a body is at least at the picture's edge
HELD = 0.05, 0.3  # coverage of what is read of a body under hair, over which it hangs together with the rest
HIDDEN = 0.4, 0.65  # the same from which on it is what hair hides of a body for sure
RIM_PX, LOCK_PX = 4, 6  # half of how wide what hair hides of a body is at least, and a lock between its parts at most
WITHIN_PX = 6  # of an outline of hair, within which a body is that it hides
ACROSS_PX, ALIKE = 4, (0.1, 0.2)  # about where hair and body meet, and of 1 how alike they are where no edge is
MEETS = 0.3, 0.6  # share of hair above and of a body below
JOINED_PX, JOINED_SIGMA = 8, 7.0  # about such a place
EYES, EYE_RADIUS = ((150.0, 149.0), (106.0, 149.0)), 10.0  # of the spec square: the character's left one, its right one
PATCHED = 0.5  # how surely an eye must be covered
PATCH = 0.5, 0.8  # how much likelier a colour is a patch's than hair's
PATCH_PX, PATCH_SIGMA = 4, 3.0  # about a patch, what stays with it, and over how much hair begins to swing


def body_back(shares: Tensor, image: Tensor, tip: Tensor) -> Tensor:
    """Shares (1, L, 256, 256) in which what is read as hair below a jaw, but hangs together with a body and has the
    colours of face or body, is the body's, and so is the body's outline. `image` (1, 4, 256, 256) premultiplied; `tip`
    (2,) of the neck, px."""
    drawn = (image[:, 3:] > 0.5).float()
    y = pixel_grid(SPEC, SPEC, image.device)[:, 1:]
    hair, body = shares[:, HAIR].sum(1, keepdim=True), shares[:, BODY : BODY + 1]
    thing, clear = (x * drawn for x in _unlike_hair(shares, image, y < tip[1] - BROWS))
    found = reached(thing * smooth(1 - hair, *KNOWN), thing, REACH)
    # With the line about what was read as hair.
    line = F.max_pool2d(found * clear * smooth(hair, *KNOWN), 2 * LINE_PX + 1, 1, LINE_PX)
    found = torch.maximum(found, line * drawn)
    whole = body + hair * found
    # Where nothing is drawn anything may have been read, and outlines would go with hair that is not there.
    beside = F.max_pool2d(drawn * whole, 2 * OUTLINE_PX + 1, 1, OUTLINE_PX)
    beside = torch.minimum(beside, spread(whole.expand(-1, 3, -1, -1), drawn)[:, :1]) * (body + hair)
    whole = torch.where(drawn > 0, whole, torch.maximum(beside, body))
    given = (whole - body) / hair.clamp(min=1e-4) * smooth(y - tip[1], *JAW)
    out = shares.clone()
    out[:, HAIR] *= 1 - given.clamp(0, 1)
    out[:, BODY : BODY + 1] += hair - out[:, HAIR].sum(1, keepdim=True)
    return out


def without_islands(shares: Tensor, image: Tensor) -> Tensor:
    """Shares (1, L, 256, 256) in which what is read as a body's, but lies in hair by itself, is hair where it is small
    or has hair's colours. `image` (1, 4, 256, 256) premultiplied."""
    inside, colour = _opaque(image)
    hair, body, neck = (shares[:, k].sum(1, keepdim=True) for k in (HAIR, [BODY], [NECK]))
    drawn = (image[:, 3:] > 0.5).float()
    there = (body > 0.5).float() * drawn
    y = pixel_grid(SPEC, SPEC, image.device)[:, 1:]
    # What is a few pixels wide at the picture's edge is a highlight or a line of hair.
    edge = (y > SPEC - EDGE_PX) * -filled(-there, SLIVER_PX)
    known = there * torch.maximum(edge.float(), F.max_pool2d((neck > 0.5).float(), 7, 1, 3))
    island = there - reached(known, there, SPEC)
    of_hair, of_body = _likely(colour, inside, [hair > SURELY, (body > SURELY) & (island == 0)])
    alike = blurred(inside * of_hair / (of_hair + of_body + RARE), READ_SIGMA)
    given = island * torch.maximum(smooth(alike, *PATCH), 1 + filled(-island, ISLAND_PX))
    given = F.max_pool2d(given, 3, 1, 1) * (1 - there + island)
    near = blurred(shares[0, HAIR, None] * (1 - island), ISLAND_PX)[:, 0] + RARE / SPEC
    out = shares.clone()
    out[:, BODY : BODY + 1] *= 1 - given
    out[:, HAIR] += (body - out[:, BODY : BODY + 1]) * near / near.sum(0)
    return out


def joined(shares: Tensor, image: Tensor) -> Tensor:
    """(1, 1, 256, 256): 1 where hair goes on as a body without an edge between them, 0 farther off, smooth between: it
    was read wrongly there, and a lock that swung would tear. `shares` (1, L, 256, 256); `image` (1, 4, 256, 256),
    premultiplied."""
    inside, colour = _opaque(image)
    hair, body = shares[:, HAIR].sum(1, keepdim=True), shares[:, BODY : BODY + 1]
    there = torch.zeros_like(hair)
    for aside in range(-ACROSS_PX, ACROSS_PX + 1):  # locks lean
        ways = [(round(aside * k / ACROSS_PX), k) for k in range(-ACROSS_PX, ACROSS_PX + 1, 2)]
        way = torch.cat([_moved(colour, *at) for at in ways])
        alike = 1 - smooth((way.amax(0) - way.amin(0)).amax(0), *ALIKE)
        edge = _moved(hair * inside, *ways[0]) * _moved(body * inside, *ways[-1])
        there = torch.maximum(there, smooth(edge, *MEETS) * alike)
    near = F.max_pool2d(-filled(-there, 1), 2 * JOINED_PX + 1, 1, JOINED_PX)
    alpha = image[:, 3:].float()
    return (blurred(near * alpha, JOINED_SIGMA) / blurred(alpha, JOINED_SIGMA).clamp(min=0.05)).clamp(max=1)


def _moved(x: Tensor, right: int, down: int) -> Tensor:
    """(1, C, H, W) that shows what lies so many px to the right and below."""
    return torch.roll(x, (-down, -right), (2, 3))


def held(whole: Tensor, shares: Tensor, image: Tensor) -> Tensor:
    """Coverage (1, L, H, W) of layers when nothing covers them, without what is read of a body under hair but hangs
    together with nothing of it that is seen, `shares` (the same), or lies along the outline of the `image`
    (1, 4, H, W), where hair that swings would bare it."""
    outside = (image[:, 3:] < 0.5).to(whole.dtype)
    within = 1 - F.max_pool2d(outside, 2 * WITHIN_PX + 1, 1, WITHIN_PX)
    seen = shares[:, BODY : BODY + 1]
    may = torch.minimum(whole[:, BODY : BODY + 1], torch.maximum(within, seen))
    known = (seen > 0.5).to(may.dtype)
    # A rim beyond a drawn outline is none of it, but what lies under a lock between its parts is.
    wide = -filled(-smooth(may, *HIDDEN) * (1 - known), RIM_PX)
    may = may * torch.maximum(filled(known, LOCK_PX), wide)
    out = whole.clone()
    out[:, BODY : BODY + 1] = torch.minimum(may, reached(known, smooth(may, *HELD), SPEC // 2))
    return out


def patches(shares: Tensor, image: Tensor, covered: Tensor) -> Tensor:
    """(1, 1, 256, 256): 1 where something is worn over an eye, 0 farther off in the hair that it lies on, smooth
    between. `covered` (1, 2) tells how surely something lies over the left and the right eye; a lock that does is
    hair."""
    inside, colour = _opaque(image)
    here = pixel_grid(SPEC, SPEC, image.device)
    hair = shares[:, HAIR].sum(1, keepdim=True)
    known, thing = torch.zeros_like(hair), torch.zeros_like(hair)
    for (x, y), there in zip(EYES, (covered > PATCHED).float().unbind(1), strict=True):
        over = torch.hypot(here[:, :1] - x, here[:, 1:] - y) < EYE_RADIUS
        above = (hair > SURELY) & (here[:, 1:] < y - 2 * EYE_RADIUS)
        of_hair, of_patch = _likely(colour, inside, [above, over])
        patch = smooth(of_patch / (of_patch + of_hair + RARE), *PATCH) * inside * there.view(-1, 1, 1, 1)
        known, thing = torch.maximum(known, patch * over), torch.maximum(thing, patch)
    patch = reached(known, thing, REACH)
    return blurred(F.max_pool2d(patch, 2 * PATCH_PX + 1, 1, PATCH_PX), PATCH_SIGMA)


def _unlike_hair(shares: Tensor, image: Tensor, above: Tensor) -> tuple[Tensor, Tensor]:
    """(1, 1, H, W) of a premultiplied image (1, 4, H, W), 1 where it shows no hair as far as its colours, and what was
    read there, tell; and as its own colour in each place alone tells. `above` is where there is no hand."""
    inside, colour = _opaque(image)
    hair = shares[:, HAIR].sum(1, keepdim=True)
    top, hangs = (hair > SURELY) & above, hair > HANGING_SURELY
    others = [shares[:, layers].sum(1, keepdim=True) > SURELY for layers in ([FACE], [NECK, BODY])]

    def told(surely: Tensor) -> Tensor:
        of_hair, *of_others = _likely(colour, inside, [surely, *others])
        return torch.log((torch.stack(of_others).amax(0) + RARE) / (of_hair + RARE))

    read = torch.logit(blurred(hair, READ_SIGMA).clamp(1e-4, 1 - 1e-4))
    alpha = image[:, 3:].float()
    likely = torch.sigmoid(TRUST * blurred(told(top | hangs) * (alpha > 0), READ_SIGMA) - read) * alpha
    thing = smooth(blurred(likely, TOGETHER) / blurred(alpha, TOGETHER).clamp(min=0.05), *THING)
    # Fingers that are read as hanging hair would make skin one of its colours.
    clear = smooth(told(top | (hangs & (told(top) < CLEARLY))), *EDGE) * alpha
    return reached(thing, torch.maximum(thing, clear), EDGE_REACH), clear  # up to its own edge


def _opaque(image: Tensor) -> tuple[Tensor, Tensor]:
    """Where a premultiplied image is opaque (1, 1, H, W), and its colours (1, 3, H, W)."""
    alpha = image[:, 3:].float()
    return (alpha > 0.95).float(), (image[:, :3].float() / alpha.clamp(min=0.1)).clamp(0, 1)


def _likely(colour: Tensor, inside: Tensor, places: list[Tensor]) -> list[Tensor]:
    """For each of some places (1, 1, H, W) a map (1, 1, H, W): the share of its pixels that have about this colour."""
    level = (colour[0] * LEVELS).long().clamp(max=LEVELS - 1)
    cell = ((level[0] * LEVELS + level[1]) * LEVELS + level[2]).flatten()
    weight = torch.cat([place * inside for place in places], 1)[0].flatten(1)
    counts = torch.zeros(len(places), LEVELS**3, device=colour.device).index_add_(1, cell, weight)
    shares = (counts / counts.sum(1, keepdim=True).clamp(min=1)).view(1, -1, LEVELS, LEVELS, LEVELS)
    for _ in range(2):
        shares = F.avg_pool3d(shares, 3, 1, 1, count_include_pad=False)
    grid = (colour * 2 - 1).flip(1).permute(0, 2, 3, 1)[:, None]  # the last channel lies along the last axis
    found = F.grid_sample(shares, grid, padding_mode="border", align_corners=False)[:, :, 0]
    return [x[:, None] for x in found.unbind(1)]
