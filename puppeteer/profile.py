"""A profile: every setting in a file of JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

from puppeteer.by_name import settings_from
from puppeteer.errors import SettingsError
from puppeteer.files import check_readable, readable_json, whole
from puppeteer.settings import Settings


def load_profile(path: Path, defaults: Settings | None = None) -> Settings:
    """The tree from a profile file (JSON); `defaults` (STUDIO in the studio) gives what the file leaves out.

    Raises SettingsError that names the file and what is wrong in it.
    """
    if not os.path.lexists(path):
        raise SettingsError(f"there is no profile {path}: check the name")
    check_readable(path, SettingsError, "a profile")
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows add the mark
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SettingsError(f"the profile {path} cannot be read ({reason}): choose another file") from None
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else "nested too deep"
        raise SettingsError(f"the profile {path} is not JSON ({where}): mend it or start without it") from None
    try:
        return settings_from(data, defaults)
    except SettingsError as error:
        raise SettingsError(f"the profile {path} is wrong: {error}") from None


def save_profile(path: Path, settings: Settings) -> None:
    """Writes every setting as JSON, atomically. Raises SettingsError where the folder cannot be written."""
    text = readable_json(settings.model_dump(mode="json"), indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"the profile {path} cannot be written ({error.strerror}): choose another folder") from None
