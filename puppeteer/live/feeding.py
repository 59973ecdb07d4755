"""Threads that pass the character on, transparent, to outputs that know transparency."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping

from puppeteer.live.attempts import Attempts, Patience, told
from puppeteer.live.parts import Parts
from puppeteer.live.status import Part, Picture, Rate
from puppeteer.outputs.contract import Overlay
from puppeteer.settings import OutputSettings
from puppeteer.slot import LatestSlot


class Feeder(Attempts):
    """Keeps such an output open and fed with the newest picture. What fails is told by `condition` and tried again."""

    def __init__(
        self,
        open_overlay: Callable[[], Overlay],
        rate: Rate,
        clock: Callable[[], float],
        patience: Patience,
        after: Feeder | None = None,
    ) -> None:
        super().__init__("live-feed", patience, after)
        self.pictures: LatestSlot[Picture] = LatestSlot()
        self.overlay: Overlay | None = None  # while it is open
        self._open, self._rate, self._clock = open_overlay, rate, clock
        self._problem = ""
        self._begin()

    def condition(self) -> Part:
        overlay = self.overlay
        if overlay is None:
            return Part("problem", self._problem) if self._problem else Part("starting", "opening")
        return Part("ok", overlay.told())

    def stop(self) -> None:
        super().stop()
        self.pictures.close()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                overlay = self._open()
                try:
                    self.overlay, self._problem = overlay, ""
                    self._feed(overlay)
                finally:
                    self.overlay = None
                    overlay.close()
            except Exception as error:  # whatever a driver throws, the rest lives on
                self._problem = told(error, "it failed", "it is tried again by itself")
                self._pause()

    def _feed(self, overlay: Overlay) -> None:
        while not self._stop.is_set():
            picture = self.pictures.get(0.5)
            if picture is not None and overlay.wanted:
                overlay.send(picture.placed)
                self._rate.count(self._clock())


# What each must be opened anew for, beside its own switch.
NEEDS: Mapping[str, Callable[[OutputSettings], object]] = {"browser_source": lambda output: output.browser_port}


class Overlays:
    """A Feeder for each that is switched on. Every method may be called from any thread and returns at once."""

    def __init__(self, parts: Parts, rate: Rate) -> None:
        self._parts, self._rate = parts, rate
        self._change = threading.RLock()
        self._feeders: dict[str, Feeder] = {}
        self._retired: dict[str, Feeder] = {}
        self._given: dict[str, object] = {}

    def apply(self, output: OutputSettings) -> None:
        """Opens, closes or opens anew what the settings ask for."""
        with self._change:
            for name, make in self._parts.overlays.items():
                on = bool(getattr(output, name))
                given = (on, NEEDS[name](output) if on and name in NEEDS else None)
                if self._given.get(name) == given:
                    continue
                self._given[name] = given
                old = self._feeders.pop(name, None) or self._retired.pop(name, None)
                if old is not None:
                    old.stop()
                    self._retired[name] = old
                if on:
                    self._feeders[name] = Feeder(
                        functools.partial(make, output), self._rate, self._parts.clock, self._parts.patience, old
                    )

    def put(self, picture: Picture) -> None:
        for feeder in tuple(self._feeders.values()):
            feeder.pictures.put(picture)

    def condition(self, name: str) -> Part:
        feeder = self._feeders.get(name)
        return Part("off", "off") if feeder is None else feeder.condition()

    def name(self, name: str) -> str:
        """Under which others find it, or "" while it is not open."""
        feeder = self._feeders.get(name)
        overlay = None if feeder is None else feeder.overlay
        return "" if overlay is None else overlay.name

    def retry(self, name: str) -> None:
        feeder = self._feeders.get(name)
        if feeder is not None:
            feeder.retry()

    def closers(self) -> list[Callable[[], object]]:
        with self._change:
            return [feeder.close for feeder in (*self._feeders.values(), *self._retired.values())]
