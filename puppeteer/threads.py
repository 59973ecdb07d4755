"""Threads between the stages of file work, where nothing may be lost and memory must stay bounded.

(Live, fresh beats complete: see `slot.LatestSlot`.)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, Self, TypeVar

S = TypeVar("S")
T = TypeVar("T")
# A wait without timeout cannot be interrupted by Ctrl-C on Windows.
WAIT_S = 0.5


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
