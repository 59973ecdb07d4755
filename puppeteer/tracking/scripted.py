"""A tracker that sees what it was told: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from puppeteer.pose import TRACKED, FaceObservation, Frame, Pose


class ScriptedTracker:
    """Sees what it was told: row N for the Nth frame it is shown, and no face where the row is None or missing."""

    def __init__(self, rows: Iterable[FaceObservation | Pose | None]) -> None:
        self._rows = iter(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def observe(self, frame: Frame) -> FaceObservation | None:
        row = next(self._rows, None)
        if isinstance(row, Pose):
            return FaceObservation(**{name: getattr(row, name) for name in TRACKED})
        return row
