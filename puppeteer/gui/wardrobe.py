"""The user's characters: taken from the shelf, loaded, drawn, renamed and removed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from puppeteer.errors import PuppeteerError
from puppeteer.gui import texts
from puppeteer.gui.notices import Notices
from puppeteer.gui.profiles import Profiles
from puppeteer.gui.shelf import Entry, Shelf, Thumbnails
from puppeteer.gui.treatment import Case, is_prepared
from puppeteer.gui.work import Work
from puppeteer.image import MODELS
from puppeteer.live import Live

LOADED = (*MODELS, ".zip")  # what is drawn before it is a picture
OFFERED = 2  # other models of a ZIP file


class Owner(Protocol):
    """What is used of a `Studio`."""

    engine: Live
    work: Work
    notices: Notices
    profiles: Profiles


class Wardrobe:
    def __init__(self, owner: Owner, folder: Path) -> None:
        self._owner = owner
        self.shelf = Shelf(folder)
        self.entries: list[Entry] = self.shelf.entries()
        self.thumbnails = Thumbnails()
        self.drawing = False  # a new character
        self.model: Path | None = None  # that is being drawn
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
        """Takes a prepared picture onto the shelf; any other goes to the picture doctor first, and a 3D model is
        drawn."""
        if path.suffix.lower() in LOADED:
            self._draw_model(path)
            return

        def work() -> Callable[[], object]:
            if not is_prepared(path):
                return lambda: self.unprepared(path)
            from puppeteer.prepare.reading import read_character

            read_character(path)
            return self._shelved(path, lambda: self.shelf.add(path))

        self._owner.work.start(work)

    def _draw_model(self, path: Path) -> None:
        """A picture of a 3D model, which a process of its own reads and draws."""
        if self.model is not None:
            return
        self.model = path

        def work() -> Callable[[], object]:
            from puppeteer.models3d.photographer import Photographer, Shot

            try:
                with Photographer() as photographer:
                    rgba = photographer.draw(Shot(path, needs_head=True))
                take = self._shelved(None, lambda: self.shelf.keep(rgba, (0, 0, rgba.shape[0]), path.stem))
                others = _packed(path)

                def show() -> None:
                    take()
                    self._tell_of_others(path, others)

                return show
            finally:
                self._owner.work.later(self._model_drawn)

        self._owner.work.start(work)

    def _model_drawn(self) -> None:
        self.model = None

    def _tell_of_others(self, path: Path, names: list[str]) -> None:
        """Of a ZIP file with several models: which was taken, and the others to take instead."""
        if len(names) < 2:
            return

        def taker(name: str) -> tuple[str, Callable[[], object]]:
            return Path(name).name, lambda: self.load(path / name)

        text = texts.OF_MANY_MODELS.format(file=path.name, count=len(names), name=Path(names[0]).name)
        buttons = [taker(name) for name in names[1 : 1 + OFFERED]]
        self._owner.notices.tell("told", text, problem=False, buttons=buttons)

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
        self._owner.profiles.follow(entry.path, path)
        if self._owner.engine.settings.studio.character == str(entry.path):
            self._owner.engine.set_character(path)
        self.entries = self.shelf.entries()

    def remove(self, entry: Entry) -> None:
        """Raises ImageError."""
        self.shelf.remove(entry)
        if self._owner.engine.settings.studio.character == str(entry.path):
            self._owner.engine.set_character(None)
        self.entries = self.shelf.entries()


def _packed(path: Path) -> list[str]:
    """The models in a ZIP file, the largest first; none where it is no ZIP file."""
    from puppeteer.models3d.storage import Archive

    return Archive(path).models() if path.suffix.lower() == ".zip" and path.is_file() else []
