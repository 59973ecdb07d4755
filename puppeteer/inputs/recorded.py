"""Recorded motion: a table of poses that `track` wrote."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

from puppeteer.errors import SettingsError
from puppeteer.pose import POSE_NAMES, SIX, Pose
from puppeteer.table import number, read_table

MOTION = Path(__file__).parents[1] / "motions" / "demo.csv"


def read_motion(path: Path = MOTION) -> list[tuple[float, Pose]]:
    """Times in seconds and poses from a table that `track` wrote. Raises SettingsError where it is none."""
    remedy = "install Puppeteer again" if path == MOTION else "give a table that  app.py track  wrote"
    table = read_table(path, "a table that `track` wrote")
    try:
        rows = [dict(zip(table.header, cells, strict=True)) for _, cells in table.rows]
        motion = [(number(row["time_s"]), _pose(row)) for row in rows]
        times_s = (-math.inf, *(time_s for time_s, _ in motion), math.inf)
        if not all(before < after for before, after in pairwise(times_s)):
            raise ValueError("its times do not grow")
    except (KeyError, ValueError) as error:
        raise SettingsError(f"{path} is not a table that `track` wrote ({error}): {remedy}") from error
    if not motion:
        raise SettingsError(f"{path} has no rows: {remedy}")
    return motion


def _pose(row: dict[str, str]) -> Pose:
    """The paper's six must be there; of the others what is."""
    return Pose.from_names({name: number(row[name]) for name in POSE_NAMES if name in SIX or name in row})
