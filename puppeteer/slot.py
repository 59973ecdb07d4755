"""LatestSlot: hand-over between two threads where fresh beats complete."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds the newest value only, so that a slow reader never works on a backlog and no writer ever waits.

    `put` overwrites, `get` waits for a value that was not taken yet, `close` wakes everybody. Any number of writers,
    one reader.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._value: T | None = None
        self._fresh = False
        self._closed = False
        self._overwritten = 0

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def overwritten(self) -> int:
        """How many values were replaced before anyone took them."""
        return self._overwritten

    def put(self, value: T) -> None:
        """Replaces whatever is there; does nothing once closed."""
        with self._news:
            if self._closed:
                return
            self._overwritten += self._fresh
            self._value, self._fresh = value, True
            self._news.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """The newest value nobody has taken, waiting for one; None after `timeout_s` seconds or once closed."""
        with self._news:
            self._news.wait_for(lambda: self._fresh or self._closed, timeout_s)
            if self._closed or not self._fresh:
                return None
            self._fresh = False
            return self._value

    def peek(self) -> T | None:
        """The newest value, taken or not, without waiting or taking; None before the first."""
        with self._news:
            return self._value

    def close(self) -> None:
        """Wakes every waiting `get` with None; may be called twice."""
        with self._news:
            self._closed = True
            self._news.notify_all()
