"""Where the studio keeps things for a user: one readable file per profile, and the characters on the shelf."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from puppeteer.by_name import KEPT, leaves, set_by_name, value_of
from puppeteer.errors import SettingsError
from puppeteer.files import whole
from puppeteer.gui import texts
from puppeteer.profile import load_profile, save_profile
from puppeteer.settings import STUDIO, Settings

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
    _kept: Settings = STUDIO  # what the current profile's file says, as far as is known here
    _base: Settings = STUDIO  # what was in use when it was last read or written here

    def path(self, name: str) -> Path:
        return self.folder / "profiles" / f"{name}.json"

    @property
    def is_kept(self) -> bool:
        """Whether the current one has a file; without any change it has none."""
        return self.path(self.current).exists()

    def names(self) -> list[str]:
        """Sorted, the current one among them even where it was never saved."""
        found: set[str] = {self.current}
        with contextlib.suppress(OSError):
            found |= {path.stem for path in (self.folder / "profiles").glob("*.json") if NAME.fullmatch(path.stem)}
        return sorted(found, key=str.casefold)

    def start(self) -> Settings:
        """The settings of the profile that was current last time."""
        self._find_current()
        return self.choose(self.current)

    def choose(self, name: str) -> Settings:
        """Makes a profile the current one. A broken one is set aside, named in `notes`, and the defaults used."""
        self.current = name
        self._kept = self._base = self._read() or STUDIO
        self._remember()
        return self._kept

    def peek(self) -> tuple[Settings, str]:
        """The settings of the profile that was current last time, and what is wrong with its file; it stays."""
        self._find_current()
        try:
            return (load_profile(self.path(self.current), STUDIO) if self.path(self.current).exists() else STUDIO), ""
        except SettingsError as error:
            return STUDIO, str(error)

    def _find_current(self) -> None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            name = (self.folder / "profiles" / CURRENT).read_text(encoding="utf-8").strip()
            if NAME.fullmatch(name) and self.path(name).is_file():
                self.current = name

    def _read(self) -> Settings | None:
        """The current profile's file; None where there is none, or a broken one, which is set aside."""
        path = self.path(self.current)
        if not path.exists():
            return None
        try:
            return load_profile(path, STUDIO)
        except SettingsError as error:
            self.notes.append(_aside(path, str(error)))
            return None

    def pass_over(self, settings: Settings) -> None:
        """`settings` are in use for this time: `save` keeps what they changed as it was, except for what is changed
        once more."""
        self._base = settings

    def save(self, settings: Settings) -> None:
        """Into the current profile: what was changed since the last time, so that what another window has changed
        meanwhile stays. Raises SettingsError where the folder cannot be written."""
        kept = self._read() or self._kept
        for name in (*(leaf.name for leaf in leaves()), *KEPT):
            value = value_of(settings, name)
            if value != value_of(self._base, name):
                kept = set_by_name(kept, name, value)
        save_profile(self.path(self.current), kept)
        self._kept, self._base = kept, settings

    def save_as(self, name: str, settings: Settings) -> None:
        """A new profile, which becomes the current one. Raises SettingsError."""
        name = self._new_name(name)
        save_profile(self.path(name), settings)
        self.current = name
        self._kept = self._base = settings
        self._remember()

    def rename(self, name: str) -> None:
        """The current profile. Raises SettingsError."""
        if name.strip() == self.current:
            return
        name = self._new_name(name, but=self.current)
        old, new = self.path(self.current), self.path(name)
        try:
            if old.exists():
                old.rename(new)
            else:
                save_profile(new, self._kept)
        except OSError as error:
            raise SettingsError(f"the profile {old} cannot be renamed ({error.strerror}): choose another") from None
        self.current = name
        self._remember()

    def _new_name(self, name: str, but: str = "") -> str:
        name = name.strip()
        if not NAME.fullmatch(name):
            raise SettingsError(texts.PROFILE_NAME_WRONG)
        if name.casefold() in (other.casefold() for other in self.names() if other != but):
            raise SettingsError(texts.PROFILE_EXISTS.format(name=name))
        return name

    def follow(self, old: Path, new: Path) -> None:
        """A character has another name: the other profiles that use it go on doing so."""
        for name in self.names():
            with contextlib.suppress(SettingsError):  # a broken one is told of when it is chosen
                if name != self.current and load_profile(self.path(name), STUDIO).studio.character == str(old):
                    kept = load_profile(self.path(name), STUDIO)
                    save_profile(self.path(name), set_by_name(kept, "studio.character", str(new)))

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
