"""The side panel's pages, one file each. A page knows the engine that it shows, through a `Studio`, not the window."""

from __future__ import annotations

from collections.abc import Callable

from puppeteer.gui.pages.camera import CameraPage
from puppeteer.gui.pages.character import CharacterPage
from puppeteer.gui.pages.faces import FacesPage
from puppeteer.gui.pages.help import HelpPage
from puppeteer.gui.pages.motion import MotionPage
from puppeteer.gui.pages.output import OutputPage
from puppeteer.gui.pages.panel import Now, Page, Panel

PAGES: dict[str, Callable[[Panel], Page]] = {
    "character": CharacterPage,
    "camera": CameraPage,
    "faces": FacesPage,
    "motion": MotionPage,
    "output": OutputPage,
    "help": HelpPage,
}

__all__ = ["PAGES", "Now", "Page", "Panel"]
