"""Threads that pass the character on, transparent, to outputs that know transparency."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping

from puppeteer.errors import PuppeteerError
from puppeteer.live.capture import Patience
from puppeteer.live.parts import Parts
from puppeteer.live.status import Part, Picture, Rate
from puppeteer.outputs.contract import Overlay
from puppeteer.settings import OutputSettings
from puppeteer.slot import LatestSlot


class Feeder:
    """Keeps such an output open and fed with the newest picture. What fails is told by `condition` and tried again."""

    def __init__(
        self,
        open_overlay: Callable[[], Overlay],
        rate: Rate,
        clock: Callable[[], float],
        patience: Patience,
        after: Feeder | None = None,
    ) -> None:
        """Opens nothing before the Feeder `after`, which is told to stop, has ended."""
        self.pictures: LatestSlot[Picture] = LatestSlot()
        self.overlay: Overlay | None = None  # while it is open
        self._open, self._rate, self._clock, self._patience = open_overlay, rate, clock, patience
        self._after = after
        self._stop = threading.Event()
        self._again = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._work, name="live-feed", daemon=True)
        self._thread.start()

    def condition(self) -> Part:
        overlay = self.overlay
        if overlay is None:
            return Part("problem", self._problem) if self._problem else Part("starting", "opening")
        return Part("ok", overlay.told())

    def retry(self) -> None:
        self._again.set()

    def stop(self) -> None:
        """Tells the thread to close the output and end, without waiting."""
        self._stop.set()
        self._again.set()
        self.pictures.close()

    def close(self) -> bool:
        """Ends the thread; False where it hangs and was left behind."""
        self.stop()
        self._thread.join(self._patience.join_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        if self._after is not None:
            self._after.close()
            self._after = None
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
                self._problem = (
                    str(error)
                    if isinstance(error, PuppeteerError)
                    else f"it failed ({type(error).__name__}: {error}): it is tried again by itself"
                )
                self._again.wait(self._patience.retry_s)
                self._again.clear()

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
