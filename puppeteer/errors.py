"""Every error a user can cause; each message is one sentence (or two) that names the remedy."""

from __future__ import annotations

INSTALL = "python -m pip install -r requirements.txt"
SYSTEM_PACKAGES = "libgl1 libegl1 libgles2 libgl1-mesa-dri libglib2.0-0"  # Debian's names; README has them too


class PuppeteerError(Exception):
    """Something a user can mend. The command line prints the message and exits with 2."""


class ImageError(PuppeteerError):
    """A picture cannot be read or used."""


class WeightsError(PuppeteerError):
    """A weight file is missing, broken or does not fit."""


class SourceError(PuppeteerError):
    """A camera or a clip cannot be opened or read."""


class SinkError(PuppeteerError):
    """A video file or a virtual camera cannot be written."""


class SettingsError(PuppeteerError):
    """A setting, a profile or a CSV file is wrong."""


class RenderError(PuppeteerError):
    """The character generator has no working OpenGL."""


class ModelError(PuppeteerError):
    """A 3D model or a motion cannot be read or used."""


class DisplayError(PuppeteerError):
    """There is no screen, or no OpenGL, to open the window on."""


def remedy(error: BaseException) -> str | None:
    """What to do about an incomplete installation, in a sentence; None where the exception is something else."""
    text = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("puppeteer"):
        return f"the package {error.name} is not installed: run  {INSTALL}"
    if isinstance(error, ImportError | OSError) and "cannot open shared object file" in text:
        install = f"on Debian and Ubuntu run  sudo apt-get install {SYSTEM_PACKAGES}"
        return f"{text.split(':')[0]} of the operating system is missing: {install}"
    if isinstance(error, ImportError | OSError) and ("DLL load failed" in text or "[WinError 126]" in text):
        return f"{text}: install the Microsoft Visual C++ Redistributable (x64), then run  {INSTALL}"
    return None
