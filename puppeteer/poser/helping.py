"""Tiles of a picture, shared out to threads where there is enough to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

FEWEST_PIXELS = 400 * 400  # of a picture that is worth a second thread
HELPERS = min(3, (os.cpu_count() or 1) - 1)  # threads, beside the one that draws


def shared_out(work: Callable[[], None], pixels: int, alone: bool) -> None:
    """Calls `work`, which takes from what is left until nothing is, in this thread and, unless `alone`, in others."""
    if pixels < FEWEST_PIXELS or not HELPERS or alone:
        work()
        return
    helping = [_helpers().submit(work) for _ in range(HELPERS)]
    work()
    for one in helping:
        one.result()


@lru_cache(maxsize=1)
def _helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(HELPERS, "draw")
