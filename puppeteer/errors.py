"""Every error a user can cause; each message is one sentence (or two) that names the remedy."""

from __future__ import annotations


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
