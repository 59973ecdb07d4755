"""Threads between the stages of file work, where nothing may be lost and memory must stay bounded.

(Live, fresh beats complete: see `slot.LatestSlot`.)
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Generic, Self, TypeVar

import numpy as np

from puppeteer.pose import FaceObservation
from puppeteer.sources import VideoFile
from puppeteer.tracking import Tracker

S = TypeVar("S")
T = TypeVar("T")

# A wait without timeout cannot be interrupted by Ctrl-C on Windows.
WAIT_S = 0.5

OVERLAP = 10  # frames that both halves of a clip see, to meet in the same face
SHORT = 120  # frames; a shorter clip is not worth a second tracker


class ahead(Generic[T]):
    """The same items in the same order, computed in another thread at most `depth` (>= 1) ahead of the reader.

    `items` is iterated, and closed, in that thread alone. Its exception is raised here, after the items that came
    before it. Use it in `with contextlib.closing(ahead(...))`: `close` ends the thread and waits for it.
    """

    def __init__(self, items: Iterable[T], depth: float = 4) -> None:
        self._items = items
        self._depth = depth
        self._waiting: deque[T] = deque()
        self._change = threading.Condition()
        self._stopped = False
        self._ended = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def _until(self, ready: Callable[[], bool]) -> None:
        while not self._change.wait_for(ready, WAIT_S):
            pass

    def _work(self) -> None:
        try:
            for item in self._items:
                with self._change:
                    self._until(lambda: self._stopped or len(self._waiting) < self._depth)
                    if self._stopped:
                        break
                    self._waiting.append(item)
                    self._change.notify_all()
            if hasattr(self._items, "close"):
                self._items.close()
        except BaseException as error:
            self._failure = error
        finally:
            with self._change:
                self._ended = True
                self._change.notify_all()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        with self._change:
            self._until(lambda: self._ended or bool(self._waiting))
            if self._waiting:
                item = self._waiting.popleft()
                self._change.notify_all()
                return item
        self.close()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        raise StopIteration

    def close(self) -> None:
        """May be called more than once."""
        with self._change:
            self._stopped = True
            self._change.notify_all()
        self._thread.join()


def abreast(
    work: Callable[[S], T], items: Iterable[S], threads: int, begin: Callable[[], object] = lambda: None
) -> Generator[T]:
    """`work` of every item, in the order of the items, done by several threads at once.

    As many results as there are threads may wait for the reader. Each thread calls `begin` first. An exception of
    `work` is raised here, after the results before it. Use it in `with contextlib.closing(abreast(...))`: closing ends
    the threads.
    """
    with ThreadPoolExecutor(threads, "abreast", begin) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * threads:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()


def _result(future: Future[T]) -> T:
    while not future.done():
        wait([future], WAIT_S)
    return future.result()


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
