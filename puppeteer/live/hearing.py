"""A thread that keeps a microphone open while it is wanted, hears the mouth in it, and says what is the matter."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from puppeteer.inputs.contract import SoundInput
from puppeteer.live.attempts import Attempts, Patience, told
from puppeteer.live.status import Part
from puppeteer.motion.voice import Heard, Voice
from puppeteer.settings import VoiceSettings

STALE_S = 0.3  # what was heard longer ago is not heard any more
SILENT_S = 3.0  # of pure zeros, which no microphone gives that is on


class Hearing:
    """Every method may be called from any thread and returns at once."""

    def __init__(
        self, open_microphone: Callable[[str], SoundInput], clock: Callable[[], float], patience: Patience
    ) -> None:
        self._open, self._clock, self._patience = open_microphone, clock, patience
        self._settings = VoiceSettings()
        self._change = threading.Lock()
        self._ear: _Ear | None = None

    def apply(self, settings: VoiceSettings) -> None:
        """Opens a microphone, another one or none; all else acts at once."""
        with self._change:
            old, self._settings = self._settings, settings
            if self._ear is not None and (settings.on, settings.device) == (old.on, old.device):
                self._ear.settings = settings
            else:
                self._renew()

    def retry(self) -> None:
        with self._change:
            self._renew()

    def _renew(self) -> None:
        old, self._ear = self._ear, None
        if old is not None:
            old.stop()
        if self._settings.on:
            self._ear = _Ear(self._settings, self._open, self._clock, self._patience, old)

    def heard(self) -> Heard | None:
        """The newest reading; None where no microphone gives any."""
        ear = self._ear
        return None if ear is None else ear.heard()

    def condition(self) -> Part:
        ear = self._ear
        return Part("off", "off") if ear is None else ear.condition()

    def close(self) -> None:
        with self._change:
            ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()


class _Ear(Attempts):
    """One microphone, in one thread, opened again and again until told to stop."""

    def __init__(
        self,
        settings: VoiceSettings,
        open_microphone: Callable[[str], SoundInput],
        clock: Callable[[], float],
        patience: Patience,
        after: _Ear | None,
    ) -> None:
        super().__init__("live-hear", patience, after)
        self.settings = settings
        self._open, self._clock = open_microphone, clock
        self._phase: Literal["opening", "hearing", "waiting"] = "opening"
        self._since_s = clock()
        self._name, self._problem = settings.device, ""
        self._heard: tuple[Heard, float] | None = None
        self._sounded_s = 0.0
        self._begin()

    def heard(self) -> Heard | None:
        latest = self._heard
        return latest[0] if latest is not None and self._clock() - latest[1] <= STALE_S else None

    def condition(self) -> Part:
        now_s = self._clock()
        if self._problem:
            return Part("problem", self._problem)
        if self._phase == "hearing":
            if now_s - self._sounded_s > SILENT_S:
                return Part("ok", f"{self._name} gives pure silence: is it muted?")
            return Part("ok", self._name)
        if now_s - self._since_s > self._patience.open_s:
            return Part("problem", f"{self._called} does not answer: unplug it and plug it in again, or choose another")
        return Part("starting", "opening the microphone")

    @property
    def _called(self) -> str:
        """A name alone, such as "default", does not say that it is a microphone's."""
        return f"the microphone {self._name}".rstrip()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._since_s, self._phase = self._clock(), "opening"
                microphone = self._open(self.settings.device)
                try:
                    self._name = microphone.name
                    self._hear(microphone)
                finally:
                    microphone.close()
            except Exception as error:  # whatever a driver throws, the rest lives on
                self._problem = told(error, f"{self._called} failed", "unplug it and plug it in again")
            self._phase, self._heard = "waiting", None
            self._pause()

    def _hear(self, microphone: SoundInput) -> None:
        """Until told to stop, or nothing comes any more."""
        voice = Voice(self.settings, microphone.rate_hz)
        came_s = self._sounded_s = self._clock()
        while not self._stop.is_set():
            sound = microphone.read()
            now_s = self._clock()
            if sound is None:
                if now_s - came_s > self._patience.stall_s:
                    remedy = "plug it in again, or choose another; it is tried again by itself"
                    self._problem = f"{self._called} gives no sound: {remedy}"
                    return
                continue
            came_s, self._phase, self._problem = now_s, "hearing", ""
            if sound.any():
                self._sounded_s = now_s
            voice.settings = self.settings
            self._heard = voice.step(sound), now_s
