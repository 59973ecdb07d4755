"""The window's keys while another program has the focus."""

from __future__ import annotations

import queue
from collections.abc import Callable

from puppeteer.errors import SourceError
from puppeteer.gui.keys import Keys
from puppeteer.inputs.global_keys import GlobalKeys, Told, open_global_keys


class Elsewhere:
    """`step` once a frame. Where the system does not let keys be heard, `problem` says why."""

    def __init__(self, keys: Keys, open_keys: Callable[[Told], GlobalKeys] = open_global_keys) -> None:
        self._keys, self._open_keys = keys, open_keys
        self._mode = "off"  # `RemoteSettings.keys`
        self._open: GlobalKeys | None = None
        self._events: queue.SimpleQueue[tuple[str, bool, bool]] = queue.SimpleQueue()
        self.problem = ""

    @property
    def alone(self) -> bool:
        """Every key is heard here already, also while the window itself has the focus."""
        return self._open is not None and self._mode == "alone"

    def step(self, mode: str, silent: bool) -> list[Callable[[], object]]:
        """What the keys that went down or up do. `silent`: somebody types, or a key is asked for."""
        if mode != self._mode:
            self._use(mode)
        acts = []
        while not self._events.empty():
            key, down, ctrl_alt = self._events.get()
            wanted = down and not silent and (ctrl_alt if mode == "with_ctrl_alt" else not ctrl_alt)
            if wanted or not down:
                acts += self._keys.heard(key, down)
        return acts

    def _use(self, mode: str) -> None:
        self._mode, self.problem = mode, ""
        if mode == "off":
            self.close()
        elif self._open is None:
            try:
                self._open = self._open_keys(lambda key, down, ctrl_alt: self._events.put((key, down, ctrl_alt)))
            except SourceError as error:
                self.problem = str(error)

    def close(self) -> None:
        """May be called more than once."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()
