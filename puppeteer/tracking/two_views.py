"""A tracker that looks at every frame twice, also in a mirror: for files, where there is time for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from puppeteer.pose import BY_NAME, TRACKED, FaceObservation, Frame
from puppeteer.tracking.contract import Tracker

SAME = 0.25  # of a face's size: views of one face are nearer than that


class TwoViews:
    """The mean of what one tracker sees in a frame and another in its mirror image.

    No network that was trained on photographs sees a face and its mirror image alike; the mean of both does. It costs
    twice the work, but both look at the same time: a tracker's own threads mostly wait for each other. Landmarks are
    those of the frame as it is. Where only one of the two finds the face, that one counts; where they follow different
    faces, the one that looks at the frame as it is.
    """

    def __init__(self, tracker: Callable[[], Tracker]) -> None:
        with ExitStack() as stack:
            self._aside = stack.enter_context(ThreadPoolExecutor(1, "mirror"))
            self._plain = stack.enter_context(tracker())
            mirrored = ExitStack()  # a tracker lives in one thread
            self._mirrored = self._aside.submit(lambda: mirrored.enter_context(tracker())).result()
            stack.callback(lambda: self._aside.submit(mirrored.close).result())
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def observe(self, frame: Frame) -> FaceObservation | None:
        later = self._aside.submit(self._in_mirror, frame)
        plain, flipped = self._plain.observe(frame), later.result()
        other = None if flipped is None else unmirrored(flipped)
        if plain is None or other is None:
            return plain or other
        return mean(plain, other) if near(plain, other) else plain

    def _in_mirror(self, frame: Frame) -> FaceObservation | None:
        return self._mirrored.observe(replace(frame, rgb=np.ascontiguousarray(frame.rgb[:, ::-1])))


def unmirrored(seen: FaceObservation) -> FaceObservation:
    """What was seen in a mirror as it is without: sides swapped, turns negated. The landmarks keep their numbers, so
    that a number stands on the other side of the face."""
    values: dict[str, Any] = {
        name: _negated(getattr(seen, BY_NAME[name].mirror), BY_NAME[name].negated) for name in TRACKED
    }
    landmarks = None if seen.landmarks is None else (seen.landmarks * (-1, 1, 1) + (1, 0, 0)).astype(np.float32)
    return replace(seen, **values, landmarks=landmarks, aside=_negated(seen.aside, True))


def _negated(value: float | None, negated: bool) -> float | None:
    return -value if negated and value is not None else value


def mean(one: FaceObservation, other: FaceObservation) -> FaceObservation:
    """What only one of them tells is left out."""

    def middle(name: str) -> float | None:
        first, second = getattr(one, name), getattr(other, name)
        return None if first is None or second is None else (first + second) / 2

    values: dict[str, Any] = {name: middle(name) for name in (*TRACKED, "aside")}
    return replace(one, **values)


def near(one: FaceObservation, other: FaceObservation) -> bool:
    """Whether both are of the same face."""
    if one.landmarks is None or other.landmarks is None:
        return True
    first, second = (np.concatenate([at.min(0), at.max(0)]) for at in (one.landmarks[:, :2], other.landmarks[:, :2]))
    return bool(np.abs(first - second).max() < SAME * np.ptp(one.landmarks[:, :2], axis=0).max())
