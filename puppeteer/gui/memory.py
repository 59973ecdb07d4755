"""What the window remembers of this machine, whichever profile is in use: its place, its keys, folders last chosen."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from puppeteer.files import whole

NAME = "window.json"


class Memory:
    """A small file. What is missing, broken or of another kind is as if it had never been remembered, and where nothing
    can be written the window works all the same."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._values = self._read()

    def get(self, name: str, like: Any) -> Any:
        """What is kept under a name, or `like` where that is nothing of its type."""
        value = self._values.get(name)
        same = isinstance(value, type(like)) and isinstance(value, bool) == isinstance(like, bool)
        return value if same else like

    def keep(self, name: str, value: Any) -> None:
        """Other windows' changes to other names stay."""
        if self._values.get(name) == value:
            return
        self._values = self._read() | {name: value}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole(self._path) as draft:
                draft.write_text(json.dumps(self._values, indent=1) + "\n", encoding="utf-8")

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return dict(getattr(self, "_values", {}))
