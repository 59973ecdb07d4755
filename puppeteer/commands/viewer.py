"""A page without a browser, for measuring: takes the pictures of the browser source as OBS does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

RETRY_S = 0.5


class Viewer:
    """Looks at `address()`, waits while that is none; comes anew after `stays_s`, as a page that is reloaded."""

    def __init__(self, address: Callable[[], str], stays_s: float = float("inf")) -> None:
        self._address, self._stays_s = address, stays_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="viewer", daemon=True)
        self.count = 0  # pictures that came
        self.longest_gap_s = 0.0
        self._last_s: float | None = None

    def reset(self) -> None:
        self.count, self.longest_gap_s, self._last_s = 0, 0.0, None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        from websockets.exceptions import WebSocketException

        while not self._stop.is_set():
            try:
                address = self._address()
                if address:
                    self._look(address)
            except (OSError, TimeoutError, WebSocketException):
                pass
            self._stop.wait(RETRY_S)

    def _look(self, address: str) -> None:
        from websockets.sync.client import connect
        from websockets.typing import Origin

        pictures = f"{address.replace('http', 'ws', 1)}pictures"
        origin = Origin(address.rstrip("/"))
        with connect(pictures, origin=origin, max_size=None, compression=None, close_timeout=1) as talk:
            end_s = time.perf_counter() + self._stays_s
            while not self._stop.is_set() and time.perf_counter() < end_s:
                message = talk.recv(timeout=2)
                assert isinstance(message, bytes)
                now_s = time.perf_counter()
                if self._last_s is not None:
                    self.longest_gap_s = max(self.longest_gap_s, now_s - self._last_s)
                self._last_s = now_s
                self.count += 1
                talk.send(str(int.from_bytes(message[:4], "little")))
