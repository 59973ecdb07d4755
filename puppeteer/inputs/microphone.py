"""A microphone, by PortAudio: sound as it comes, in small pieces."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import numpy as np

from puppeteer.errors import SourceError, remedy
from puppeteer.inputs.contract import NoMicrophoneError
from puppeteer.pose import F32

BLOCK_S = 0.01  # of sound at a time
KEPT_S = 0.5  # that nobody has read yet
_PORTAUDIO = threading.Lock()  # it is looked through anew only while nobody uses it


def _library() -> Any:
    """sounddevice, with the devices as they are now. Raises SourceError."""
    try:
        import sounddevice
    except OSError as error:
        raise SourceError(
            f"microphones need PortAudio, which is missing ({error}): on Debian and Ubuntu run  "
            "sudo apt-get install libportaudio2  and start Puppeteer again"
        ) from None
    except ImportError as error:
        mend = remedy(error) or "install Puppeteer again"
        raise SourceError(f"microphones cannot be used: {mend}") from None
    return sounddevice


def list_microphones() -> list[str]:
    """Names, as `Microphone` takes them. Raises SourceError where sound cannot be used here at all."""
    with _PORTAUDIO:
        return list(dict.fromkeys(name for name, _ in _inputs(_library())))


def _inputs(library: Any) -> list[tuple[str, int]]:
    """Every input's name and number; the system's own interface first, for devices that several offer."""
    try:
        default = library.default.hostapi
        found = [
            (device["hostapi"] != default, device["name"].strip(), number)
            for number, device in enumerate(library.query_devices())
            if device["max_input_channels"] > 0
        ]
    except library.PortAudioError:
        return []
    return [(name, number) for _, name, number in sorted(found, key=lambda one: one[0])]


class Microphone:
    """An open microphone; "" is the system's own. Raises SourceError. For one thread; PortAudio has its own."""

    def __init__(self, device: str = "") -> None:
        self._blocks: deque[F32] = deque(maxlen=round(KEPT_S / BLOCK_S))
        self._news = threading.Condition()
        with _PORTAUDIO:
            library = _library()
            # What was plugged in since PortAudio looked last; its own functions of that name.
            library._terminate()
            library._initialize()
            self._stream = self._opened(library, device)

    def _opened(self, library: Any, device: str) -> Any:
        inputs = _inputs(library)
        if not inputs:
            raise NoMicrophoneError(
                "no microphone is found: plug one in, and let Puppeteer use it in the system's settings of privacy"
            )
        number = dict(reversed(inputs)).get(device) if device else None
        if device and number is None:
            raise SourceError(f"the microphone {device} is not there: plug it in, or choose another on the page Camera")
        try:
            told = library.query_devices(number, "input")
            self.name: str = told["name"].strip()
            self.rate_hz = float(told["default_samplerate"])
            stream = library.InputStream(
                device=number,
                channels=1 if told["max_input_channels"] < 2 else 2,
                samplerate=self.rate_hz,
                blocksize=round(self.rate_hz * BLOCK_S),
                latency="low",
                dtype="float32",
                callback=self._came,
            )
            stream.start()
        except (library.PortAudioError, ValueError) as error:
            why = str(error).splitlines()[0][:120]
            raise SourceError(
                f"the microphone {device or 'of the system'} cannot be opened ({why}): close other programs that use "
                "it, let Puppeteer use it in the system's settings of privacy, or choose another"
            ) from None
        return stream

    def _came(self, sound: F32, frames: int, time: Any, status: Any) -> None:
        with self._news:
            self._blocks.append(np.array(sound.mean(axis=1), np.float32))
            self._news.notify()

    def read(self, timeout_s: float = 0.2) -> F32 | None:
        """float32 (N,) from -1 to 1: what came since the last reading; None where nothing came for so long."""
        with self._news:
            if not self._news.wait_for(lambda: self._blocks, timeout_s):
                return None
            blocks = list(self._blocks)
            self._blocks.clear()
        return np.concatenate(blocks)

    @property
    def delay_s(self) -> float:
        """Of the device, as PortAudio knows it, and half a block."""
        return float(self._stream.latency) + BLOCK_S / 2

    def close(self) -> None:
        with _PORTAUDIO:
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)
