"""Where the studio keeps things for a user: one readable file per profile, and the characters on the shelf."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from puppeteer.errors import SettingsError
from puppeteer.files import whole
from puppeteer.gui import texts
from puppeteer.settings import STUDIO, Settings, leaves, load_profile, save_profile, set_by_name

FIRST = "default"
NAME = re.compile(r"[\w][\w -]{0,39}", re.UNICODE)
CURRENT = "current.txt"  # names the profile of the next start


def user_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of this user's profiles and characters; PUPPETEER_HOME names another."""
    if given := environment.get("PUPPETEER_HOME"):
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData/Roaming") / "Puppeteer"
    if sys.platform == "darwin":
        return home / "Library/Application Support/Puppeteer"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "puppeteer"


@dataclass
class Profiles:
    """The profiles in `folder`/profiles. One of them is current; every change is saved into it.

    `notes` collects sentences for the user: a profile set aside, a folder that cannot be written.
    """

    folder: Path
    current: str = FIRST
    notes: list[str] = field(default_factory=list)
    _passing: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # by name: the value in use, and the one kept
    _calibrations: tuple[Any, Any] | None = None  # likewise

    def path(self, name: str) -> Path:
        return self.folder / "profiles" / f"{name}.json"

    def names(self) -> list[str]:
        """Sorted, the current one among them even where it was never saved."""
        found: set[str] = {self.current}
        with contextlib.suppress(OSError):
            found |= {path.stem for path in (self.folder / "profiles").glob("*.json") if NAME.fullmatch(path.stem)}
        return sorted(found, key=str.casefold)

    def start(self) -> Settings:
        """The settings of the profile that was current last time."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            name = (self.folder / "profiles" / CURRENT).read_text(encoding="utf-8").strip()
            if NAME.fullmatch(name) and self.path(name).is_file():
                self.current = name
        return self.choose(self.current)

    def choose(self, name: str) -> Settings:
        """Makes a profile the current one. A broken one is set aside, named in `notes`, and the defaults used."""
        self.current = name
        self._passing, self._calibrations = {}, None
        path = self.path(name)
        settings = STUDIO
        if path.exists():
            try:
                settings = load_profile(path, STUDIO)
            except SettingsError as error:
                self.notes.append(_aside(path, str(error)))
        self._remember()
        return settings

    def pass_over(self, kept: Settings, settings: Settings) -> None:
        """`settings` are in use for this time instead of `kept`: `save` keeps what they changed as it was, except for
        what is changed once more."""
        before = {leaf.name: leaf.value for leaf in leaves(kept)}
        self._passing = {
            leaf.name: (leaf.value, before[leaf.name]) for leaf in leaves(settings) if leaf.value != before[leaf.name]
        }
        if settings.calibration != kept.calibration:
            self._calibrations = settings.calibration, kept.calibration

    def save(self, settings: Settings) -> None:
        """Into the current profile. Raises SettingsError where the folder cannot be written."""
        values = {leaf.name: leaf.value for leaf in leaves(settings)} if self._passing else {}
        for name, (used, kept) in self._passing.items():
            if values[name] == used:
                settings = set_by_name(settings, name, kept)
        if self._calibrations is not None and settings.calibration == self._calibrations[0]:
            settings = settings.model_copy(update={"calibration": self._calibrations[1]})
        save_profile(self.path(self.current), settings)

    def save_as(self, name: str, settings: Settings) -> None:
        """A new profile, which becomes the current one. Raises SettingsError."""
        name = name.strip()
        if not NAME.fullmatch(name):
            raise SettingsError(texts.PROFILE_NAME_WRONG)
        if name.casefold() in (other.casefold() for other in self.names()):
            raise SettingsError(texts.PROFILE_EXISTS.format(name=name))
        save_profile(self.path(name), settings)
        self.current = name
        self._passing, self._calibrations = {}, None
        self._remember()

    def delete(self) -> Settings:
        """Deletes the current profile and takes another, or the defaults. Raises SettingsError."""
        path = self.path(self.current)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(f"the profile {path} cannot be deleted ({error.strerror}): delete it by hand") from None
        gone, self.current = self.current, FIRST
        left = [name for name in self.names() if name != gone and self.path(name).is_file()]
        return self.choose(FIRST if FIRST in left or not left else left[0])

    def _remember(self) -> None:
        """Without it the next start only takes another profile, so a folder that cannot be written is no error here."""
        target = self.folder / "profiles" / CURRENT
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole(target) as draft:
                draft.write_text(self.current + "\n", encoding="utf-8")


def _aside(path: Path, problem: str) -> str:
    """Renames a broken profile so that it is neither used nor overwritten; the sentence for the user."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.broken-{number}")).exists():
        number += 1
    try:
        path.replace(aside)
    except OSError:
        return f"{problem}. The defaults are used"
    return texts.PROFILE_SET_ASIDE.format(problem=problem, aside=aside.name)
