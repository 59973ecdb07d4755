"""Voices that stand in: pulses through resonances, as in a mouth; and a microphone that hears them."""

from __future__ import annotations

import math
import time

import numpy as np

from puppeteer.inputs.contract import NoMicrophoneError
from puppeteer.pose import F32

# First three formants in Hz and of a man and a woman; not the table that is tested.
FORMANTS = {
    "a": ((760, 1220, 2550), (880, 1380, 2800)),
    "i": ((290, 2250, 2950), (330, 2700, 3300)),
    "u": ((320, 950, 2300), (390, 1000, 2600)),
    "e": ((470, 1850, 2500), (560, 2250, 2900)),
    "o": ((500, 880, 2450), (580, 960, 2750)),
}
PITCHES_HZ = (115.0, 215.0)
RATE_HZ = 48_000.0


def vowel(name: str, woman: bool = False, seconds: float = 0.6, level: float = 0.3, rate_hz: float = RATE_HZ) -> F32:
    """float32 (N,), `level` at its loudest."""
    count = round(seconds * rate_hz)
    sound = np.zeros(count)
    at = np.arange(0, count, rate_hz / PITCHES_HZ[woman] * 1.001).astype(int)
    sound[at] = 1.0
    sound = np.convolve(sound, np.hanning(round(rate_hz / 1800)))[:count]  # a glottis is soft
    for hz in FORMANTS[name][woman]:
        radius = math.exp(-math.pi * 70 / rate_hz)
        once, twice = 2 * radius * math.cos(2 * math.pi * hz / rate_hz), -radius * radius
        before, last = 0.0, 0.0
        out = np.empty(count)
        for index, value in enumerate(sound):
            last, before = value + once * last + twice * before, last
            out[index] = last
        sound = out / np.abs(out).max()
    return np.asarray(sound / np.abs(sound).max() * level, np.float32)


class StageMicrophone:
    """Hears `sound` over and over in real time; `fault` may be "missing", "lost", "broken" or "mute"."""

    name = "Stage microphone"
    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.sound = np.zeros(4800, np.float32)
        self.fault = ""
        self.asked: list[str] = []
        self.closed = 0
        self._at = 0
        self._due_s = time.perf_counter()

    def __call__(self, device: str) -> StageMicrophone:
        self.asked.append(device)
        if self.fault == "missing":
            raise NoMicrophoneError("no microphone is found: plug one in")
        self._due_s = time.perf_counter()
        return self

    def read(self, timeout_s: float = 0.2) -> F32 | None:
        if self.fault == "broken":
            raise RuntimeError("a driver said no")
        if self.fault == "lost":
            time.sleep(0.02)
            return None
        self._due_s = max(self._due_s + 0.01, time.perf_counter() - 0.1)
        time.sleep(max(0.0, self._due_s - time.perf_counter()))
        block = np.take(self.sound, range(self._at, self._at + 480), mode="wrap")
        self._at += 480
        return block * (self.fault != "mute") + (0 if self.fault == "mute" else np.float32(1e-5))

    def close(self) -> None:
        self.closed += 1
