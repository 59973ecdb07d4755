"""Slow work in threads, whose results are taken in the window's own thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

Done = Callable[[], object]


class Work:
    """`start` runs slow work that hands back a function; who calls `results` each frame calls that."""

    def __init__(self) -> None:
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()

    def start(self, work: Callable[[], Done]) -> None:
        def run() -> None:
            try:
                self._done.put(work())
            except Exception as error:
                failure = error

                def fail() -> None:
                    raise failure

                self._done.put(fail)

        threading.Thread(target=run, name="window-work", daemon=True).start()

    def later(self, result: Done) -> None:
        """From any thread."""
        self._done.put(result)

    def results(self) -> Iterator[Done]:
        """What is ready now; each may raise what the work raised."""
        while True:
            try:
                yield self._done.get_nowait()
            except queue.Empty:
                return
