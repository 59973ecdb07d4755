"""Whether the processor knows what PyTorch and MediaPipe are built for: without it they end the process unasked."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import subprocess
import sys
from pathlib import Path

from puppeteer.errors import PuppeteerError

CPUINFO = Path("/proc/cpuinfo")
_AVX_ON_WINDOWS = 39  # PF_AVX_INSTRUCTIONS_AVAILABLE


def has_avx(system: str = sys.platform, machine: str = "", cpuinfo: Path = CPUINFO) -> bool:
    """True also where it is not told, and on processors that are not Intel's kind."""
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return True
    with contextlib.suppress(OSError, AttributeError, subprocess.SubprocessError):
        if system == "linux":
            flags = [line for line in cpuinfo.read_text(errors="replace").splitlines() if line.startswith("flags")]
            return not flags or "avx" in flags[0].split()
        if system == "win32":
            windows: object = getattr(ctypes, "windll").kernel32  # noqa: B009 - only there on Windows
            return bool(getattr(windows, "IsProcessorFeaturePresent")(_AVX_ON_WINDOWS))  # noqa: B009
        if system == "darwin":
            line = ["sysctl", "-n", "machdep.cpu.features"]
            said = subprocess.run(line, capture_output=True, text=True, timeout=5, check=True).stdout
            return "AVX1.0" in said.split()
    return True


def check() -> None:
    """Raises PuppeteerError where the program cannot run here."""
    if not has_avx():
        raise PuppeteerError(
            "this processor lacks AVX, without which PyTorch and MediaPipe do not run: take a computer with a "
            "processor from 2012 or newer; in a virtual machine, let it pass the host's processor through"
        )
