"""Drops the routine log lines that native libraries print to standard error while they start."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# MediaPipe's information and warning lines; errors (E, F) and everything else pass. No environment variable and no
# Python call reaches its logger.
NOISE = re.compile(
    rb"[IW]\d{4} [\d:.]+ +\d+ \S+\.(cc|h):\d+\]|WARNING: (All log messages|Logging) before |INFO: Created TensorFlow"
)

_ONE_AT_A_TIME = threading.RLock()  # two holds that overlap would leave standard error in the first one's file


@contextmanager
def routine_log_dropped() -> Iterator[None]:
    """Holds back what is written to standard error inside the block, then passes on all but the routine lines.

    For short blocks only (loading a model): the hold is on the whole process. Without a usable standard error
    (a program without a console) it does nothing.
    """
    with _ONE_AT_A_TIME, _held():
        yield


@contextmanager
def _held() -> Iterator[None]:
    try:
        sys.stderr.flush()
        original = os.dup(2)
    except (OSError, AttributeError, ValueError):
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            kept = b"".join(line for line in held if not NOISE.match(line))
            if kept:
                os.write(2, kept)
