"""How many heaps glibc keeps: with one for nearly every thread, each holds free memory that the others cannot use."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

ENOUGH = 2  # measured: in the live studio 806 MB after ten minutes instead of 1118, and level from the first minute on
_M_ARENA_MAX = -8  # of glibc's mallopt
_OWN_CHOICE = "MALLOC_ARENA_MAX"


def limit() -> bool:
    """For this process, before its threads start; False where nothing was changed: another system or C library, or the
    user chose by the environment."""
    if sys.platform != "linux" or os.environ.get(_OWN_CHOICE):
        return False
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - another library's mallopt may do nothing, or something else
        return bool(library.mallopt(_M_ARENA_MAX, ENOUGH))
    return False
