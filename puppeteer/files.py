"""Files that are written whole or not at all, and targets that are looked at before the work starts."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from puppeteer.errors import PuppeteerError


def beside(path: Path) -> Path:
    """A new empty file in the same folder, so that it can be renamed to `path`. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    umask = os.umask(0o022)
    os.umask(umask)
    draft.chmod(0o666 & ~umask)  # mkstemp makes what only its owner can read
    return draft


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """The place to write to: it becomes `path` at the end, and nothing is left after an exception. Raises OSError."""
    draft = beside(path)
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def readable_json(value: Any, indent: int, *, allow_nan: bool = True) -> str:
    """JSON for people, in the letters of every script. Lone surrogates, by which Python keeps names of files that are
    not UTF-8, are escaped: a file in UTF-8 cannot have them."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=allow_nan)
    return re.sub(r"[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def check_target(path: Path, error: type[PuppeteerError], example: str, inputs: Iterable[Path | None] = ()) -> None:
    """Raises `error`, with the remedy, where `path` cannot be written or is one of the files that are read.

    `example` is a file name to suggest.
    """
    if path.is_dir():
        raise error(f"{path} is a folder: give the name of a file such as {path / example}")
    if not path.parent.is_dir():
        raise error(f"the folder {path.parent} does not exist: create it, or choose another for {path.name}")
    for given in inputs:
        if given is not None and path.exists() and given.exists() and path.samefile(given):
            raise error(f"{path} would be overwritten, and it is what is read: choose another name for the result")
    try:
        beside(path).unlink()
        if path.exists():
            with path.open("r+b"):
                pass
    except OSError as reason:
        raise error(unwritable(path, reason)) from reason


def check_readable(path: Path, error: type[PuppeteerError], what: str) -> None:
    """Raises `error`, with the remedy, where `path` is no file that can be read to its end: reading a pipe would wait
    for somebody who writes. `what` is what should be there, such as "a picture"."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise error(f"{path} is a folder: name {what} in it")
        if not stat.S_ISREG(mode):
            raise error(f"{path} is no ordinary file but a pipe or a device: save {what} as a file and name that")
        with path.open("rb"):
            pass
    except FileNotFoundError as reason:
        raise error(f"{path} does not exist: check the spelling of the path, or choose another") from reason
    except PermissionError as reason:
        raise error(f"{path} may not be read: change its permissions or copy it elsewhere") from reason
    except (OSError, ValueError) as reason:
        if getattr(reason, "errno", None) == errno.ELOOP:
            raise error(f"{path} is a link that leads back to itself: name {what} itself") from reason
        why = (getattr(reason, "strerror", None) or str(reason)).lower()
        raise error(f"{path} cannot be read ({why}): copy it elsewhere, or name another file") from reason


def unwritable(path: Path, reason: Exception) -> str:
    """The sentence for a file that cannot be written."""
    why = (getattr(reason, "strerror", None) or str(reason)).lower()
    return f"{path} cannot be written ({why}): choose another folder, close the program that has it open, or free space"


def free_name(path: Path) -> Path:
    """`path`, or the first of name-2, name-3, ... that does not exist."""
    number, name = 2, path
    while name.exists():
        name = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return name
