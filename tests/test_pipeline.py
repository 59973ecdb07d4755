import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from puppeteer.pipeline import ahead


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_same_items_in_order() -> None:
    assert list(ahead(range(100), depth=3)) == list(range(100))
    assert list(ahead([])) == []
    assert "ahead" not in names()


def test_runs_ahead_but_not_far() -> None:
    made: list[int] = []

    def count() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    with closing(ahead(count(), depth=3)) as items:
        assert next(items) == 0
        deadline = time.monotonic() + 5
        while len(made) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        assert len(made) == 5, "one taken, three waiting, one in hand"


def test_an_exception_arrives_after_the_items_before_it() -> None:
    def breaks() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("three")

    items = ahead(breaks())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(items)
    assert "ahead" not in names()


def test_closing_early_ends_every_thread_and_closes_the_source() -> None:
    closed: list[str] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    with closing(ahead(ahead(endless()))) as items:
        assert next(items) == 1
    assert "ahead" not in names()
    assert closed == ["ahead"], "in the thread that ran it"
