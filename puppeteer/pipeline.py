"""Threads between the stages.

For files nothing may be lost and memory must stay bounded: `ahead` runs a stage in a thread of its own with a short
queue. (Live, fresh beats complete: see `slot.LatestSlot`.)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

# A wait without timeout cannot be interrupted by Ctrl-C on Windows.
_WAIT_S = 0.5


def ahead(items: Iterable[T], depth: int = 4) -> Generator[T]:
    """The same items in the same order, computed in another thread at most `depth` (>= 1) ahead of the reader.

    The thread starts with the first `next` and ends with the items, or when this generator is closed; closing waits
    for it, so that it never outlives a `with contextlib.closing(ahead(...))`. `items` is iterated, and closed, in that
    thread alone. Its exception is raised here, after the items that came before it.
    """
    waiting: deque[T] = deque()
    change = threading.Condition()
    stopped = False
    ended = False
    failure: BaseException | None = None

    def until(ready: Callable[[], bool]) -> None:
        while not change.wait_for(ready, _WAIT_S):
            pass

    def work() -> None:
        nonlocal ended, failure
        try:
            for item in items:
                with change:
                    until(lambda: stopped or len(waiting) < depth)
                    if stopped:
                        break
                    waiting.append(item)
                    change.notify_all()
            if isinstance(items, Generator):
                items.close()
        except BaseException as error:
            failure = error
        finally:
            with change:
                ended = True
                change.notify_all()

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            with change:
                until(lambda: ended or bool(waiting))
                if not waiting:
                    break
                item = waiting.popleft()
                change.notify_all()
            yield item
        if failure is not None:
            raise failure
    finally:
        with change:
            stopped = True
            change.notify_all()
        thread.join()
