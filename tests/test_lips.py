"""An open mouth lies about its closed line, not below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from puppeteer.characters import default_character
from puppeteer.networks.compact.blocks import CROP
from puppeteer.networks.rig.lips import UP, WIDER, lifted, place
from puppeteer.pose import Pose
from puppeteer.poser import Poser
from puppeteer.prepare.reading import read_character

LEFT, ROWS, COLUMNS = 30, slice(24, 36), slice(20, 44)  # where a window begins, and a mouth in it


def _told() -> torch.Tensor:
    told = torch.zeros(1, 9, 60, 64)
    told[..., ROWS, COLUMNS] = 1
    return told


def _spans(plane: torch.Tensor) -> tuple[float, float, float]:
    """Middle row, width and height of what is there."""
    rows, columns = plane.sum(1), plane.sum(0)
    middle = float((rows * torch.arange(len(rows))).sum() / rows.sum())
    return middle, float(columns.max() and columns.sum() / columns.max()), float(rows.sum() / rows.max())


def test_a_mouth_that_is_not_more_open_than_drawn_is_where_it_was() -> None:
    where = torch.tensor([[LEFT + 32.0, 12.0]])
    out = lifted(_told(), where, torch.zeros(1), torch.ones(60), LEFT, 4.0)
    assert (out - _told()).abs().max() < 1e-4


def test_an_open_mouth_is_wider_and_goes_up() -> None:
    where = torch.tensor([[LEFT + 32.0, 12.0]])
    before = _spans(_told()[0, 5])
    middle, width, height = _spans(lifted(_told(), where, torch.ones(1), torch.ones(60), LEFT, 4.0)[0, 5])
    assert before[0] - middle == pytest.approx(UP * 12, abs=0.3)
    assert width == pytest.approx(before[1] * (1 + WIDER), abs=0.6)
    assert height == pytest.approx(before[2], abs=0.3)


def test_what_moves_comes_from_where_it_came() -> None:
    """A lower lip of an open mouth is the drawn one."""
    where = torch.tensor([[LEFT + 32.0, 12.0]])
    told = _told()
    told[:, :2] *= 0
    told[:, 1, ROWS, COLUMNS] = -2 / 4.0  # from 2 px above
    out = lifted(told, where, torch.ones(1), torch.ones(60), LEFT, 4.0)
    row, column = round(30 - UP * 12), 32
    assert row + 4.0 * float(out[0, 1, row, column]) == pytest.approx(30 - 2, abs=0.6)


def test_where_there_is_no_mouth_nothing_moves() -> None:
    assert not place(torch.zeros(1, CROP, CROP)).any()
    out = lifted(_told(), torch.zeros(1, 2), torch.ones(1), torch.ones(60), LEFT, 4.0)
    assert (out - _told()).abs().max() < 1e-4


def test_a_shipped_character_opens_its_mouth_about_its_line() -> None:
    poser = Poser.load("compact", "cpu")
    poser.set_character(read_character(default_character()))
    still, wide = (poser.pose(Pose(mouth_open=k), 512).astype(np.int32) for k in (0, 1))
    changed = np.abs(wide - still).sum(2)[256:384, 192:320] > 60
    rows = np.flatnonzero(changed.any(1))
    columns = np.flatnonzero(changed.any(0))
    columns = columns[len(columns) // 4 : -(len(columns) // 4)]  # beside them is the chin
    line = still[256:384, 192:320, :3].sum(2)[:, columns]
    drawn = int((line.max() - line)[rows].mean(1).argmax()) + rows[0]
    assert drawn - rows[0] >= 2, "its upper lip goes up"
    assert rows[-1] - drawn > drawn - rows[0], "and its lower one down, farther"


def test_a_chin_drops_with_a_mouth_that_opens_farther_than_drawn() -> None:
    poser = Poser.load("compact", "cpu")

    def chin(path: Path, opened: float) -> float:
        """Row of the line below the mouth, at 1024 px."""
        poser.set_character(read_character(path))
        light = poser.pose(Pose(mouth_open=opened), 1024)[720:790, 500:524, :3].astype(float).mean((1, 2))
        weight = (light.max() - light - 30).clip(0)
        top = int(np.argmax(weight > 0))
        line = weight[top : top + 8]
        return top + float((line * np.arange(len(line))).sum() / line.sum())

    shut, wide = (default_character().parent / f"{name}.png" for name in ("momo", "aoi"))
    assert 2 < chin(shut, 1) - chin(shut, 0) < 5
    assert abs(chin(wide, 0.9) - chin(wide, 0)) < 0.5, "a drawn mouth that closes raises none"
