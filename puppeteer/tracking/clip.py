"""What a tracker sees in a whole clip."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from itertools import islice

import numpy as np

from puppeteer.inputs.video_file import VideoFile
from puppeteer.pose import FaceObservation
from puppeteer.threads import ahead
from puppeteer.tracking.contract import Tracker

OVERLAP = 10  # frames that both halves of a clip see, to meet in the same face
SHORT = 120  # frames; a shorter clip is not worth a second tracker
Seen = tuple[FaceObservation | None, float]  # what a frame shows, and its time in seconds


def observe_clip(
    source: VideoFile, tracker: Callable[[], Tracker], seen_one: Callable[[], object] = lambda: None
) -> tuple[list[FaceObservation | None], list[float]]:
    """What a tracker sees in every frame, and when (seconds). Observations come without landmarks, which would fill
    the memory; `seen_one` is called after each frame, from any thread.

    A tracker uses one core. Where there are two, a second tracker sees the second half of the clip at the same time,
    and starts a little early: where the halves meet, both must have found the same face, otherwise the first tracker
    goes on alone through the second half, as if there had been no second.
    """
    count = source.frame_count or 0
    middle = count // 2
    if count < SHORT or (os.cpu_count() or 1) < 2:
        whole = [(_light(face), time_s) for face, time_s in _observed(source, tracker, 0, seen_one)]
        return _columns(whole)
    second_half = _observed(source, tracker, middle - OVERLAP, seen_one)
    with (
        closing(_observed(source, tracker, 0, seen_one)) as first,
        closing(ahead(_lightened(second_half, OVERLAP), depth=float("inf"))) as second,
    ):
        head: list[Seen] = []
        border: FaceObservation | None = None
        for border, time_s in islice(first, middle):
            head.append((_light(border), time_s))
        if len(head) < middle:  # the clip has fewer frames than it says
            return _columns(head)
        overlap = list(islice(second, OVERLAP))
        if len(overlap) == OVERLAP and same_face(border, overlap[-1][0]):
            return _columns(head + list(second))
        second.close()
        return _columns(head + [(_light(face), time_s) for face, time_s in first])


def _observed(
    source: VideoFile, tracker: Callable[[], Tracker], begin: int, seen_one: Callable[[], object]
) -> Generator[Seen]:
    with tracker() as watching, closing(ahead(source.frames(begin))) as frames:
        for frame in frames:
            face = watching.observe(frame)
            seen_one()
            yield face, frame.time_s


def _lightened(seen: Generator[Seen], after: int) -> Generator[Seen]:
    with closing(seen):  # in the thread that runs it, where its tracker was made
        for index, (face, time_s) in enumerate(seen):
            yield (face if index < after else _light(face)), time_s


def _light(face: FaceObservation | None) -> FaceObservation | None:
    return None if face is None else replace(face, landmarks=None)


def _columns(seen: list[Seen]) -> tuple[list[FaceObservation | None], list[float]]:
    return [face for face, _ in seen], [time_s for _, time_s in seen]


def same_face(one: FaceObservation | None, other: FaceObservation | None) -> bool:
    """Whether two observations of one frame are of the same face (or both of none)."""
    if one is None or other is None:
        return one is other
    if one.landmarks is None or other.landmarks is None:
        return one.landmarks is other.landmarks and one.values() == other.values()
    distance = np.abs(one.landmarks[:, :2] - other.landmarks[:, :2]).max()
    return bool(distance < 0.25 * np.ptp(one.landmarks[:, :2], axis=0).max())
