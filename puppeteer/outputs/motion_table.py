"""Motion as a table: a header, then a row for each moment, as spreadsheets and `inputs.recorded` read it."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

from puppeteer.errors import SinkError
from puppeteer.files import check_target, unwritable, whole
from puppeteer.pose import POSE_NAMES, Pose

HEADER = ("time_s", *POSE_NAMES, "face")
LONGEST_S = 4 * 3600.0  # what comes later is left out: about 70 MB


def write_table(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """A CSV file with HEADER, complete or not at all. Raises SinkError where it cannot be written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    try:
        with whole(path) as draft:
            draft.write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise SinkError(unwritable(path, error)) from None


class MotionTable:
    """Keeps poses in memory until `close` writes them. One thread adds; another may close, after the last one."""

    def __init__(self, path: Path) -> None:
        """Raises SinkError where such a file cannot be written."""
        check_target(path, SinkError, "motion.csv")
        self.path = path
        self._rows = array("d")
        self._begun_s: float | None = None
        self.lasts_s = 0.0

    def add(self, pose: Pose, face: bool, time_s: float) -> None:
        """A time that does not grow, or is beyond LONGEST_S, is passed over."""
        self._begun_s = time_s if self._begun_s is None else self._begun_s
        at_s = time_s - self._begun_s
        if at_s > LONGEST_S or (self._rows and at_s <= self.lasts_s):
            return
        self.lasts_s = at_s
        self._rows.extend((at_s, *pose.values(), float(face)))

    def close(self) -> None:
        """Writes the file, where there is anything to write. Raises SinkError."""
        rows, wide = self._rows.tolist(), len(HEADER)
        if rows:
            every = (rows[start : start + wide] for start in range(0, len(rows), wide))
            write_table(self.path, ((*(f"{value:.6f}" for value in row[:-1]), int(row[-1])) for row in every))
