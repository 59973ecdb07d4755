"""Brows that locks cross, closed lashes and shut mouths, drawn as strokes of a pen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.lashes import line_of
from puppeteer.networks.rig.shut import laid, shut
from puppeteer.networks.rig.strokes import centres, course, crossed_by_locks

AT = centres(CROP, torch.device("cpu"))
Y, X = AT[:, None].expand(CROP, CROP), AT.expand(CROP, CROP)
HALF_PX = 1.0


def _line(left: float, right: float, bend: float = 0.0) -> torch.Tensor:
    """(128, 128): a line 2 px thick between two columns, in row 40 at its middle and higher or lower at its ends."""
    s = (2 * X - left - right) / (right - left)
    return (HALF_PX + 0.5 - (Y - 40 - bend * s * s).abs()).clamp(0, 1) * ((s.abs() <= 1).float())


@pytest.mark.parametrize("bend", [-4.0, 0.0, 4.0])
def test_a_line_with_gaps_is_one_stroke_along_its_course(bend: float) -> None:
    whole = _line(30, 56, bend)
    gaps = whole * (((X - 30) % 10) < 6)
    stroke = course(gaps).stroke()
    inside = slice(34, 53)
    rows = (stroke * Y).sum(0)[inside] / stroke.sum(0)[inside]
    truth = (whole * Y).sum(0)[inside] / whole.sum(0)[inside]
    assert (rows - truth).abs().max() < 0.5
    assert stroke.sum(0)[inside].min() > 1, "without gaps"
    assert not stroke[:, :28].any() and not stroke[:, 58:].any()


@pytest.mark.parametrize(("shown", "ends"), [(1.0, 70), (0.0, 60)])
def test_a_brow_goes_on_through_hair_as_far_as_it_is_drawn(shown: float, ends: int) -> None:
    """It is read to column 60; from column 50 on is hair, in which it is drawn to column 70, or not."""
    sides = X[0] < 64 + 32, X[0] >= 64 + 32
    drawn = _line(30, 70) * torch.where(X < 50, 1.0, shown)
    grey = 0.7 - 0.5 * drawn
    bare = (X < 50).float()
    more, through = crossed_by_locks(grey.expand(3, -1, -1), _line(30, 60), bare, sides)
    found = torch.maximum(more, _line(30, 60))
    assert float(AT[found.amax(0) > 0.5].max()) == pytest.approx(ends, abs=2)
    assert float(through) == pytest.approx(shown, abs=0.1)


def test_where_nothing_is_read_no_stroke_is_drawn() -> None:
    none = torch.zeros(CROP, CROP)
    assert not course(none).stroke().any()
    more, through = crossed_by_locks(none.expand(3, -1, -1), none, none, (X[0] < 64, X[0] >= 64))
    assert not more.any() and not through


def test_a_closed_lash_is_thin_and_thins_out_in_the_colour_of_its_ink() -> None:
    """One that goes down beside its eye, thick there, as drawn lashes do."""
    column = torch.arange(CROP)
    lash = torch.zeros(4, CROP, CROP)
    opened = 40 + 0.05 * (AT - 40) ** 2
    cover = ((Y - opened).abs() < 1.5).float() * ((X > 30) & (X < 50))
    cover = torch.maximum(cover, ((Y > 40) & (Y < 60) & (X > 29) & (X < 32)).float())
    lash[3], lash[2] = cover, 0.4 * cover
    edges = torch.zeros(7, CROP)
    edges[0], edges[1], edges[2], edges[3] = opened, 56, 50, 60
    lines, stroke = line_of(lash, edges, X[0] > 64)
    half = stroke[0]
    assert half[column < 64].max() < 3, "however thick it is at its end"
    assert half[40] > half[30] and half[40] > half[49]
    assert not half[:25].any() and not half[56:].any()
    assert stroke[1:, 40].tolist() == pytest.approx([0, 0, 0.4], abs=0.02)
    closed = (edges[1] + lines[1])[32:49]
    assert (closed[1:] - closed[:-1]).abs().max() < 0.5, "one line from end to end"


def _face(mouth: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """A premultiplied crop with a mouth, its teeth as pale as skin, and what of it a morpher changes: not its teeth."""
    inside = (((X - 64) / 9) ** 2 + ((Y - 110) / 5) ** 2 < 1).float() * mouth
    teeth, line = inside * (Y < 108), inside * (((X - 64) / 8) ** 2 + ((Y - 110) / 4.2) ** 2 > 1)
    rgb = torch.tensor([1.0, 0.9, 0.85])[:, None, None].expand(3, CROP, CROP).clone()
    for mask, colour in ((inside, (0.9, 0.5, 0.5)), (teeth, (1.0, 1.0, 1.0)), (line, (0.5, 0.2, 0.2))):
        rgb = rgb + mask * (torch.tensor(colour)[:, None, None] - rgb)
    return torch.cat([rgb, torch.ones(1, CROP, CROP)])[None], (inside * (1 - teeth))[None, None]


@pytest.mark.parametrize("form", [-1.0, 0.0, 1.0])
def test_a_mouth_drawn_open_shuts_to_one_line_and_keeps_no_teeth(form: float) -> None:
    crop, changed = _face()
    told = shut(crop, changed, torch.tensor([0.6]))
    ways = torch.zeros(1, 3, CROP, CROP)
    ways[:, 0] = 1
    ways, colour = laid(ways, crop.clone(), *told, torch.ones(1), torch.tensor([form]))
    shown = (ways[:, :1] * crop + ways[:, 2:] * colour)[0, :3].permute(1, 2, 0).numpy()
    unlike = np.abs(shown - np.array([1.0, 0.9, 0.85])).max(2)
    columns = np.flatnonzero((unlike > 0.15).any(0))
    assert columns.max() - columns.min() == pytest.approx(15, abs=3)
    assert max(np.count_nonzero(unlike[:, column] > 0.15) for column in columns) <= 3
    darkest = [int(unlike[:, column].argmax()) for column in (57, 64, 71)]
    bend = darkest[1] - (darkest[0] + darkest[2]) / 2
    assert (bend > 1.2) == (form > 0) and (bend < -0.5) == (form < 0), "its corners go up in a smile"


def test_a_mouth_that_is_no_mouth_or_drawn_shut_stays_as_the_morpher_has_it() -> None:
    for (crop, changed), mouth in ((_face(), 0.0), (_face(mouth=False), 0.6)):
        told = shut(crop, changed, torch.tensor([mouth]))
        ways = torch.rand(1, 3, CROP, CROP)
        out, colour = laid(ways, crop, *told, torch.ones(1), torch.zeros(1))
        assert torch.equal(out, ways) and torch.equal(colour, crop)


def test_a_mouth_begins_to_be_shut_without_a_step() -> None:
    crop, changed = _face()
    told = shut(crop, changed, torch.tensor([0.6]))
    keep = torch.zeros(1, 3, CROP, CROP)
    keep[:, 0] = 1
    weights = [
        float(laid(keep, crop, *told, torch.tensor([k]), torch.zeros(1))[0][:, 2].max())
        for k in np.linspace(0, 1, 41).astype(np.float32)
    ]
    assert weights[0] == 0 and weights[-1] > 0.9
    assert np.abs(np.diff(weights)).max() < 0.2
