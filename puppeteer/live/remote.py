"""A thread that takes actions by OSC while that is wanted, whatever is sent to it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from puppeteer.errors import PuppeteerError, SourceError
from puppeteer.inputs.osc import ROOT, Asked, Listener, asked
from puppeteer.live.status import Part
from puppeteer.settings import RemoteSettings

BATCH = 32  # packets at a time; in a flood the rest is dropped
BUSY_SHARE = 0.1  # of a core, at most
BETWEEN_S = 0.01  # batches, at least
TOLD_S = 6.0  # how long it is told that something could not be done
RETRY_S = 3.0  # a port that was taken

Act = Callable[[float | None], object]  # gets the amount that was sent, if any


class Remote:
    """Every method may be called from any thread and returns at once. `acts` may be added to at any time."""

    def __init__(self, express: Callable[[str, float | None], object], clock: Callable[[], float]) -> None:
        self.acts: dict[str, Act] = {}
        self._express, self._clock = express, clock
        self._settings = RemoteSettings()
        self._change = threading.Lock()
        self._stop: threading.Event | None = None  # of the thread that runs
        self._thread: threading.Thread | None = None
        self._before: threading.Thread | None = None  # one that is ending, for the next to wait for
        self._problem = ""
        self._listens = False  # packets that came before were lost
        self._told: tuple[str, float] | None = None  # what could not be done, and when
        self.taken = 0  # actions, of all time

    def apply(self, settings: RemoteSettings) -> None:
        with self._change:
            if (settings.osc, settings.port) == (self._settings.osc, self._settings.port):
                return
            self._settings = settings
            before = self._end() or self._before
            self._before = before if not settings.osc else None
            if settings.osc:
                self._problem, self._listens, self._told, self._stop = "", False, None, threading.Event()
                self._thread = threading.Thread(
                    target=self._work, args=(settings.port, self._stop, before), name="live-osc", daemon=True
                )
                self._thread.start()

    def condition(self) -> Part:
        settings, told = self._settings, self._told
        if not settings.osc:
            return Part("off", "off")
        if self._problem:
            return Part("problem", self._problem)
        if told is not None and self._clock() - told[1] < TOLD_S:
            return Part("problem", told[0])
        if not self._listens:
            return Part("off", "starting")
        return Part("ok", f"Listens to port {settings.port} of this computer")

    def close(self) -> None:
        with self._change:
            thread = self._end()
        if thread is not None:
            thread.join(1)

    def _end(self) -> threading.Thread | None:
        if self._stop is not None:
            self._stop.set()
        thread, self._thread, self._stop = self._thread, None, None
        return thread

    def _work(self, port: int, stop: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join(1)
        while not stop.is_set():
            try:
                listener = Listener(port)
            except SourceError as error:
                if not stop.is_set():
                    self._problem = str(error)
                stop.wait(RETRY_S)
                continue
            if stop.is_set():
                listener.close()
                return
            self._problem, self._listens = "", True
            try:
                while not stop.is_set():
                    packets = listener.packets(0.2, BATCH)
                    begun_s = self._clock()
                    for packet in packets:
                        self._take(packet)
                    if packets:
                        stop.wait(max(BETWEEN_S, (self._clock() - begun_s) * (1 / BUSY_SHARE - 1)))
            finally:
                listener.close()

    def _take(self, packet: bytes) -> None:
        try:
            for one in asked(packet):
                self._do(one)
        except ValueError as error:
            self._tell(f"something was sent by OSC that cannot be used ({error}): send /{ROOT}/expression smile 1")
        except PuppeteerError as error:
            self._tell(f"by OSC: {error}")

    def _do(self, one: Asked) -> None:
        if one.action == "expression":
            self._express(one.name, one.amount)
        elif one.action in self.acts:
            self.acts[one.action](one.amount)
        else:
            known = ", ".join(["expression", *self.acts])
            self._tell(f"there is no action /{ROOT}/{one.action[:40]} by OSC: there are {known}")
            return
        self.taken += 1

    def _tell(self, text: str) -> None:
        self._told = text, self._clock()


def press(act: Callable[[], object]) -> Act:
    """Whatever is pressed acts; 0 is a button that is let go of."""

    def do(amount: float | None) -> None:
        if amount is None or amount > 0:
            act()

    return do


def switch(is_on: Callable[[], bool], turn: Callable[[bool], object]) -> Act:
    """1 is on, 0 off; without either the other way round."""

    def do(amount: float | None) -> None:
        turn(not is_on() if amount is None else amount > 0)

    return do
