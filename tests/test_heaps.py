"""Memory that threads free is there for all of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAPS = """
import contextlib, ctypes, os, sys, threading
if "limited" in sys.argv:
    import app
    with contextlib.suppress(SystemExit):
        app.main(["doctor", "--help"])
library = ctypes.CDLL(None)
library.malloc.restype = library.fopen.restype = ctypes.c_void_p
together = threading.Barrier(12)
def work():
    together.wait(60)
    held = [library.malloc(1000) for _ in range(100)]
    together.wait(60)
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
file = ctypes.c_void_p(library.fopen(sys.argv[1].encode(), b"w"))
library.malloc_info(0, file)
library.fclose(file)
"""


def heaps(tmp_path: Path, *words: str, **environment: str) -> int:
    told = tmp_path / "heaps.xml"
    line = [sys.executable, "-c", HEAPS, str(told), *words]
    subprocess.run(line, check=True, cwd=ROOT, env={**os.environ, **environment}, timeout=120, capture_output=True)
    return told.read_text().count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_threads_share_two_heaps(tmp_path: Path) -> None:
    assert heaps(tmp_path) > 4, "one for nearly every thread, unless it is limited"
    assert heaps(tmp_path, "limited") <= 2
    assert heaps(tmp_path, "limited", MALLOC_ARENA_MAX="5") > 2, "the user's own choice holds"
