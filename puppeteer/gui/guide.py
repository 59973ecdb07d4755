"""The guided calibration as a state machine: what is asked for now, and for how long. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from puppeteer.errors import PuppeteerError
from puppeteer.motion import OPTIONAL, Step

STEPS: tuple[Step, ...] = ("neutral", "eyes_closed", "mouth_open", "lips", "corners")
READY_S = 4.0  # to read what is asked for
SETTLE_S = 0.7  # to do it
HOLD_S = 3.0  # in which the face is measured
LONGER: dict[Step, float] = {"lips": 1.7, "corners": 2.3}  # times that, where more than one thing is to be done

Phase = Literal["intro", "ready", "settle", "hold", "failed", "done"]


class Guide:
    """`begin` is called when the measuring of a step starts, `finish` when it ends (both may raise PuppeteerError),
    `cancel` when the person gives up in the middle of a step."""

    def __init__(
        self, begin: Callable[[Step], object], finish: Callable[[], object], cancel: Callable[[], object]
    ) -> None:
        self._begin, self._finish, self._cancel = begin, finish, cancel
        self.index = 0
        self.phase: Phase = "intro"
        self.problem = ""
        self._since_s = 0.0

    @property
    def asks(self) -> Step:
        return STEPS[min(self.index, len(STEPS) - 1)]

    @property
    def hold_s(self) -> float:
        """How long this step is measured."""
        return HOLD_S * LONGER.get(self.asks, 1.0)

    def remaining_s(self, time_s: float) -> float:
        """Until this phase ends; 0 where nothing is waited for."""
        return max(0.0, self._lasts() - (time_s - self._since_s))

    def share(self, time_s: float) -> float:
        """How much of this phase has passed, 0 to 1."""
        lasts = self._lasts()
        return min(1.0, (time_s - self._since_s) / lasts) if lasts else 1.0

    def start(self, time_s: float) -> None:
        """From the introduction, or the failed step once more."""
        self._enter("ready", time_s)

    @property
    def may_skip(self) -> bool:
        """Whether this step is one that a calibration can do without."""
        return self.phase in ("ready", "settle", "hold", "failed") and self.asks in OPTIONAL

    def skip(self, time_s: float) -> None:
        """Goes on without this step."""
        if self.phase == "hold":
            self._cancel()
        self._next(time_s)

    def stop(self) -> None:
        if self.phase == "hold":
            self._cancel()
        self.phase = "done"

    def step(self, time_s: float) -> None:
        if self.remaining_s(time_s) > 0:
            return
        if self.phase == "ready":
            self._enter("settle", time_s)
        elif self.phase == "settle":
            try:
                self._begin(self.asks)
            except PuppeteerError as error:
                self._fail(error, time_s)
                return
            self._enter("hold", time_s)
        elif self.phase == "hold":
            try:
                self._finish()
            except PuppeteerError as error:
                self._fail(error, time_s)
                return
            self._next(time_s)

    def _next(self, time_s: float) -> None:
        self.index += 1
        self._enter("ready" if self.index < len(STEPS) else "done", time_s)

    def _fail(self, error: PuppeteerError, time_s: float) -> None:
        self.problem = str(error)
        self._enter("failed", time_s)

    def _enter(self, phase: Phase, time_s: float) -> None:
        self.phase, self._since_s = phase, time_s

    def _lasts(self) -> float:
        return {"ready": READY_S, "settle": SETTLE_S, "hold": self.hold_s}.get(self.phase, 0.0)
