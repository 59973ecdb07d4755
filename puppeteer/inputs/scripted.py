"""A camera that fails on demand: for tests and for pictures of faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import Literal

from puppeteer.errors import SourceError
from puppeteer.inputs.contract import NoCameraError
from puppeteer.inputs.synthetic import Synthetic
from puppeteer.pose import U8

Fault = Literal["none", "busy", "refused", "unplugged", "fails", "blocks", "freezes"]


class ScriptedCamera:
    """A camera for tests and for pictures of faults: a stage whose `fault` may be changed at any time, from any thread.

    Call it to open it, as often as you like. Without a fault it gives `pictures` over and over, `rate` a second.
    """

    may_repeat = False
    name = "Scripted camera"

    def __init__(self, pictures: Collection[U8] = (), rate: float = 30.0) -> None:
        self._pictures = tuple(pictures) or tuple(frame.rgb for frame in Synthetic((320, 240), 30, 60).frames())
        self._rate = rate
        self._fault: Fault | None = None
        self._change = threading.Condition()
        self._shown = 0
        self._due_s = 0.0
        self.opened = 0
        self.closed = 0

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        with self._change:
            self._fault = fault
            self._change.notify_all()

    def __call__(self) -> ScriptedCamera:
        if self._fault == "none":
            raise NoCameraError("no camera was found: plug one in; it will be used at once")
        if self._fault == "busy":
            raise SourceError(f"{self.name} is in use by another program: close it, or pick another camera")
        if self._fault == "refused":
            raise SourceError(f"{self.name} may not be opened by you: allow it in the system's settings")
        if self._fault == "unplugged":
            raise SourceError(f"{self.name} is not plugged in: plug it in, or pick another camera")
        self.opened += 1
        return self

    def read(self) -> U8:
        with self._change:
            self._change.wait_for(lambda: self._fault != "blocks")
            now_s = time.perf_counter()
            self._due_s = max(self._due_s + 1 / self._rate, now_s - 1 / self._rate)
            self._change.wait_for(lambda: self._fault == "blocks", max(0.0, self._due_s - now_s))
            self._change.wait_for(lambda: self._fault != "blocks")
            if self._fault in ("fails", "unplugged", "none"):
                raise SourceError(f"{self.name} stopped giving pictures: check its plug; it is tried again and again")
            if self._fault != "freezes":
                self._shown += 1
            return self._pictures[self._shown % len(self._pictures)].copy()

    def close(self) -> None:
        self.closed += 1
