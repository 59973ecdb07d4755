"""The user's characters: taken from the shelf, loaded, drawn, renamed and removed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from puppeteer.errors import PuppeteerError
from puppeteer.gui import texts
from puppeteer.gui.doctor import Case, is_prepared
from puppeteer.gui.notices import Notices
from puppeteer.gui.shelf import Entry, Shelf, Thumbnails
from puppeteer.gui.work import Work
from puppeteer.live import Live


class Owner(Protocol):
    """What is used of a `Studio`."""

    engine: Live
    work: Work
    notices: Notices


class Wardrobe:
    def __init__(self, owner: Owner, folder: Path) -> None:
        self._owner = owner
        self.shelf = Shelf(folder)
        self.entries: list[Entry] = self.shelf.entries()
        self.thumbnails = Thumbnails()
        self.drawing = False  # a new character
        self.unprepared: Callable[[Path], object] = lambda path: None  # gets pictures that must be prepared first

    def current(self) -> Entry | None:
        """The one that is in use, where it stands on the shelf."""
        name = self._owner.engine.settings.studio.character
        if not name:
            return self.entries[0] if self.entries else None
        return next((entry for entry in self.entries if str(entry.path) == name), None)

    def take(self, path: Path) -> None:
        self._owner.engine.set_character(path)

    def take_next(self) -> None:
        """The one after that in use, as the shelf stands now; after the last the first."""
        self.entries = self.shelf.entries()
        paths = [entry.path for entry in self.entries]
        now = self.current()
        if paths:
            self.take(paths[(paths.index(now.path) + 1) % len(paths) if now is not None else 0])

    def load(self, path: Path) -> None:
        """Takes a prepared picture onto the shelf; any other goes to the picture doctor first."""

        def work() -> Callable[[], object]:
            if not is_prepared(path):
                return lambda: self.unprepared(path)
            from puppeteer.prepare.reading import read_character

            read_character(path)
            return self._shelved(path, lambda: self.shelf.add(path))

        self._owner.work.start(work)

    def draw(self) -> None:
        """A new one from the generator, in a process of its own."""
        if self.drawing:
            return
        self.drawing = True

        def work() -> Callable[[], object]:
            from puppeteer.characters import Artist

            seed = random.randrange(10_000, 1_000_000)
            try:
                with Artist() as artist:
                    rgba = artist.draw(seed)
                name = texts.NEW_NAME.format(seed=seed)
                return self._shelved(None, lambda: self.shelf.keep(rgba, (0, 0, rgba.shape[0]), name))
            finally:
                self._owner.work.later(self._drawn)

        self._owner.work.start(work)

    def _drawn(self) -> None:
        self.drawing = False

    def use(self, case: Case, as_it_is: bool) -> None:
        """What the picture doctor's panel ends with."""
        path, treated, head = case.path, case.treated, case.head
        assert treated is not None and head is not None

        def work() -> Callable[[], object]:
            height, width = treated.before.shape[:2]
            if as_it_is and width == height:
                return self._shelved(path, lambda: self.shelf.add(path))
            character = treated.prepared.character
            rgba, square = character.rgba, character.square
            if as_it_is:
                rgba, square = treated.before, head.square()
            return self._shelved(None, lambda: self.shelf.keep(rgba, square, path.stem))

        self._owner.work.start(work)

    def _shelved(self, path: Path | None, add: Callable[[], Path]) -> Callable[[], object]:
        """Puts a picture onto the shelf; what then takes it. Where that fails, `path` is used from where it is."""
        problem = ""
        try:
            copy = add()
        except PuppeteerError as error:
            if path is None:
                raise
            copy, problem = path, str(error)
        entries = self.shelf.entries()

        def take() -> None:
            self.entries = entries
            self._owner.engine.set_character(copy)
            if problem:
                self._owner.notices.tell("told", problem)

        return take

    def rename(self, entry: Entry, name: str) -> None:
        """Raises ImageError."""
        path = self.shelf.rename(entry, name)
        if self._owner.engine.settings.studio.character == str(entry.path):
            self._owner.engine.set_character(path)
        self.entries = self.shelf.entries()

    def remove(self, entry: Entry) -> None:
        """Raises ImageError."""
        self.shelf.remove(entry)
        if self._owner.engine.settings.studio.character == str(entry.path):
            self._owner.engine.set_character(None)
        self.entries = self.shelf.entries()
