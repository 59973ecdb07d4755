"""The thread that loads networks and characters behind the running picture, and what stands in where that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from puppeteer.characters import default_character
from puppeteer.errors import PuppeteerError
from puppeteer.image import Character
from puppeteer.live.parts import Drawer, Parts
from puppeteer.live.status import Tell, Told
from puppeteer.pose import U8, Pose
from puppeteer.prepare.reading import read_character
from puppeteer.settings import PoserSettings, Settings


class Loading:
    """Owns the poser: `work` is the loading thread's, `drawn` the drawing thread's, the rest is for any."""

    def __init__(self, parts: Parts, settings: Callable[[], Settings], stop: threading.Event, told: Told) -> None:
        self._parts, self._settings, self._stop = parts, settings, stop
        self._told = told
        self._tell: Tell = told.tell
        self._poser: Drawer | None = None
        self._side = 0  # of the last picture
        self._use = threading.Lock()
        self._change = threading.Lock()  # of what is to be loaded
        self._again = threading.Event()
        self._anew: set[str] = set()  # of "networks" and "character", though their settings are as before
        self._forced: PoserSettings | None = None  # after a failure

    def wake(self, anew: str = "", own_choice: bool = False) -> None:
        """Looks at the settings again; `anew` is loaded even where they are as before. `own_choice`: what failed
        before counts no more."""
        with self._change:
            if own_choice:
                self._forced = None
            if anew:
                self._anew.add(anew)
        self._again.set()

    def drawn(self, pose: Pose, side: int) -> U8 | None:
        """The character, (side, side, 4), or as large as before while that is prepared; None where nothing can be drawn
        at this moment."""
        if not self._use.acquire(blocking=False):  # a character is being taken in
            return None
        try:
            if self._poser is None:
                return None
            if side != self._side and not self._poser.prepared(side):
                side = self._side
            picture = self._poser.pose(pose, side)
            self._side = side
            return picture
        except Exception as error:
            self._failed(error)
            return None
        finally:
            self._use.release()

    def work(self) -> None:
        """Loads what the settings name, until `stop`."""
        loaded: PoserSettings | None = None
        shown: str | None = None
        drawing: Character | None = None
        while not self._stop.is_set():
            self._again.clear()
            with self._change:
                settings, forced = self._settings(), self._forced
                anew, self._anew = self._anew, set()
            if "networks" in anew:
                loaded = None
            if "character" in anew:
                shown = None
            wanted = forced or settings.poser
            if drawing is None or settings.studio.character != shown:
                shown = settings.studio.character
                new = self._read(shown, fallback=drawing is None)
                if new is not None:
                    drawing = new
                    if self._poser is not None and loaded == wanted:
                        self._take_in(self._poser, drawing)
            if drawing is not None and loaded != wanted and self._load_networks(wanted, drawing):
                loaded = wanted
            self._again.wait()

    def _failed(self, error: Exception) -> None:
        """From a graphics card to the CPU, from there to the family without networks."""
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        now = self._forced or self._settings().poser
        if now.device != "cpu":
            self._forced = now.model_copy(update={"device": "cpu"})
            remedy = "the processor takes over; close programs that use the graphics card, then press Retry"
        else:
            self._forced = PoserSettings(family="warp", device="cpu")
            remedy = "the simple family without networks takes over; press Retry, or choose another family"
        self._poser = None
        self._tell("networks", "problem", f"drawing failed ({first_line}): {remedy}")
        self._again.set()

    def _read(self, name: str, fallback: bool) -> Character | None:
        """The character named in the settings, or with `fallback` the first that comes along."""
        self._tell("character", "starting", f"loading {Path(name).name or 'the character'}")
        try:
            path = Path(name).expanduser() if name else default_character()
            drawing = read_character(path)
        except PuppeteerError as error:
            self._tell("character", "problem", str(error))
            if not fallback or not name:
                return None
            try:
                return read_character(default_character())
            except PuppeteerError:
                return None
        self._tell("character", "ok", "; ".join([path.name, *drawing.notes]))
        return drawing

    def _take_in(self, poser: Drawer, drawing: Character) -> None:
        with self._use:
            try:
                poser.set_character(drawing)
            except PuppeteerError as error:
                self._tell("character", "problem", str(error))
            except Exception as error:
                self._failed(error)

    def _load_networks(self, wanted: PoserSettings, drawing: Character) -> bool:
        """The networks that the settings name, or else what works; False where nothing does."""
        problem = self._told.part("networks").text if self._forced is not None else ""
        if not problem:
            self._tell("networks", "starting", "loading the networks")
        others = [
            PoserSettings(device=wanted.device),
            PoserSettings(device="cpu"),
            PoserSettings(family="warp", device="cpu"),
        ]
        for settings in dict.fromkeys([wanted, *others]):
            try:
                poser = self._parts.poser(settings)
                poser.set_character(drawing)
            except Exception as error:
                text = str(error) if isinstance(error, PuppeteerError) else f"{type(error).__name__}: {error}"
                problem = problem or text
                self._tell("networks", "problem", problem)
                continue
            with self._use:
                self._poser = poser
            if problem:
                self._tell("networks", "problem", f"{problem}; now {poser.message}")
            else:
                self._tell("networks", "ok", poser.message)
            return True
        return False
