"""A frame to a FaceObservation: the contract."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from puppeteer.pose import FaceObservation, Frame


class Tracker(Protocol):
    """Looks at one frame after another; `with` releases the model."""

    def observe(self, frame: Frame) -> FaceObservation | None:
        """What the face in the frame does, raw; None where there is no face."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
