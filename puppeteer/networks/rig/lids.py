"""What lids that come down lie over: skin that ends without a seam, and where locks over it end."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.locks import CERTAIN, FAINT, SURELY, like_hair
from puppeteer.networks.rig.pictures import beside, filled, smooth, widened, wider, without_thin
from puppeteer.networks.rig.reader import spread

GAP_PX, BESIDE_PX, SEAM_PX = 1.5, 1.5, 1.25  # of the crop: gaps that are skin too, soft edges, and how softly skin ends
BEFORE = 0.8, 0.98  # share of hair in a pixel from which on nothing but an eye's own pixels is skin
BARE = 0.6, 0.95  # share of a face without hair, from which on skin ends softly
EDGE_PX, LOW_PX = 2.0, 1.25  # of the crop: about a lash, and half of how high a line is that is no lock
ABOVE_PX, EVEN_PX = 3.0, 1.5  # of the crop above a lid, where its shade is told, and aside, over which that is evened
SHADE, FADES_PX = (0.2, 0.4), (0.0, 6.0)  # of 1: what differs more is no shade; and px over which one goes on
NEAR, ENDS_PX = (0.3, 0.6), 4.0  # share of hair about which locks end, and px of the crop about that


def covered(taken: Tensor, free: Tensor, bare: Tensor) -> Tensor:
    """How much of each pixel skin covers (1, 1, h, h): what was an eye's or its lashes' (`taken`, the same), without
    gaps, but for hair before it (`free`, the same, is 0 there), and fading over skin that is `bare` (the same)."""
    per = taken.shape[-1] / CROP
    gap, beside, seam = (max(1, round(px * per)) for px in (GAP_PX, BESIDE_PX, SEAM_PX))
    beyond = torch.maximum(filled(taken, gap), wider(taken, beside))
    # A lock before an eye stays.
    whole = torch.maximum(taken, beyond * (1 - smooth(1 - free, *BEFORE)))
    fading = F.avg_pool2d(wider(whole, seam), 2 * seam + 1, 1, seam, count_include_pad=False)
    return torch.maximum(whole, fading * smooth(bare, *BARE))


def told(straight: Tensor, skin: Tensor, free: Tensor, taken: Tensor) -> tuple[Tensor, Tensor]:
    """`free` (1, 1, h, h), 0 under hair, with the outlines that a drawing's own pixels `straight` (1, 3, h, h) show,
    where locks end: what is there is skin, which would be `skin` (the same), or has the colour of the hair about it;
    but not where an eye or its lashes are, `taken` (1, 1, h, h). And the same where hair is nothing but what has its
    colour there or is read surely."""
    per = straight.shape[-1] / CROP
    hair = 1 - free
    colour = spread(straight, smooth(hair, *SURELY) * (1 - taken))
    like, apart = (x[:, None] for x in like_hair(straight, skin, colour))
    # Locks go down, and creases across. Edges of lashes have colours between: hair there is below hair.
    reach, low = max(1, round(EDGE_PX * per)), max(1, round(LOW_PX * per))
    like = without_thin(like, low, 2)
    edges = wider(taken, reach) > FAINT
    above = widened(like[0, 0].gather(0, beside(edges)[0])[None, None], reach, 3)
    like = torch.where(edges, torch.minimum(above, like), like)
    near = wider(smooth(hair, *NEAR), max(1, round(ENDS_PX * per))) * apart
    ends = near * (1 - taken)
    read = hair, smooth(hair, *CERTAIN)
    bare, barer = (1 - torch.lerp(hair, torch.maximum(least, like), ends) for least in read)
    return bare, barer


def shade(straight: Tensor, skin: Tensor, taken: Tensor, warm: Tensor) -> Tensor:
    """How much darker or lighter than `skin` (3, h, h) a lid is at its upper end (3, h, h): as what is drawn above it
    in `straight` (3, h, h), where that is skin, `warm` (1, h, h); `taken` (h, h) is what lids cover."""
    size = taken.shape[-1]
    per = size / CROP
    row = torch.arange(size, device=taken.device)
    there = taken.any(0)
    top = torch.where(taken, row[:, None], size).amin(0)
    rows = [(top - k).clamp(0, size - 1) for k in range(max(1, round(per)), max(2, round(ABOVE_PX * per)) + 1)]
    begins = skin[:, top.clamp(max=size - 1), row]
    off = torch.stack([straight[:, at, row] - begins for at in rows]).median(0).values
    is_skin = torch.stack([warm[0, at, row] for at in rows]).amin(0) * there
    is_skin = is_skin * (1 - smooth(off.abs().amax(0), *SHADE))
    reach = max(1, round(EVEN_PX * per))
    evened = F.avg_pool1d(off * is_skin, 2 * reach + 1, 1, reach)
    begin = -F.max_pool1d(-top[None].float(), 2 * reach + 1, 1, reach)[0]  # also just beside
    return evened[:, None] * (1 - smooth((row[:, None] + 0.5 - begin) / per, *FADES_PX))
