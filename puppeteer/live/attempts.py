"""A thread that tries again, whatever happens: what cameras, outputs, phones and microphones share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from puppeteer.errors import PuppeteerError


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, and how they grow."""

    open_s: float = 10.0  # until a camera must have opened
    first_s: float = 5.0  # until the first frame must have come
    stall_s: float = 1.5  # until the next one must have come; a slow camera has more time
    stuck_s: float = 3.0  # of one and the same frame; sensors always have noise
    slow_s: float = 0.9  # between two frames: from here on a camera is told to be slow
    retry_s: float = 2.0  # between attempts
    longest_retry_s: float = 30.0  # between attempts to wake a camera that repeats its frame
    join_s: float = 1.2  # for a thread to end
    abandon_s: float = 15.0  # until a camera that hangs is left behind; twice as long each time


class Ends(Protocol):
    """What holds something, until it is closed."""

    def close(self) -> bool: ...


class Attempts:
    """A thread for `_work`, from when it is started (`_begin`) until it is told to stop."""

    def __init__(self, name: str, patience: Patience, after: Ends | None = None) -> None:
        """Nothing is opened before `after`, which is told to stop, has let go of what it holds."""
        self._patience, self._after = patience, after
        self._stop, self._again = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def retry(self) -> None:
        """Does not wait for the next attempt."""
        self._again.set()

    def stop(self) -> None:
        """Tells the thread to release what it holds and end, without waiting."""
        self._stop.set()
        self._again.set()

    def close(self) -> bool:
        """Ends the thread; False where it hangs and was left behind."""
        self.stop()
        self._thread.join(self._patience.join_s)
        return not self._thread.is_alive()

    def _begin(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        if self._after is not None:
            self._after.close()
            self._after = None
        self._work()

    def _work(self) -> None:
        """Attempts, until `_stop` is set."""
        raise NotImplementedError

    def _pause(self) -> None:
        """Until the next attempt."""
        self._again.wait(self._patience.retry_s)
        self._again.clear()


def told(error: Exception, failed: str, remedy: str) -> str:
    """What is said of an error: our own say what to do, of any other what failed."""
    if isinstance(error, PuppeteerError):
        return str(error)
    return f"{failed} ({type(error).__name__}: {error}): {remedy}"
