"""A mouth from a voice: how loud it is, and which vowel. Pure: time is counted in samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.pose import F32, Pose
from puppeteer.settings import VoiceSettings

RATE_HZ = 11_025.0  # about so many samples a second are looked at: vowels lie below 4 kHz
WINDOW_S, HOP_S = 0.03, 0.01  # of sound behind a reading; between readings
PRE_EMPHASIS = 0.97
ORDER = 12  # of the linear prediction: two for each formant to be found, and two for the voice itself
FORMANT_HZ = (150.0, 3800.0)
WIDEST_HZ = 400.0  # a formant's bandwidth; what is wider lies between formants
# First and second formant of vowels in Hz, of men and of women. Those of a, i and u after Peterson and Barney, "Control
# Methods Used in a Study of the Vowels", 1952; e and o, which English has only as diphthongs, and the unrounded u of
# Japanese lie where other languages have them.
VOWELS: dict[str, tuple[tuple[float, float], ...]] = {
    "a": ((730, 1200), (850, 1300)),
    "i": ((270, 2290), (310, 2790)),
    "u": ((300, 870), (370, 950), (350, 1300)),
    "e": ((480, 1900), (560, 2300)),
    "o": ((480, 850), (590, 920)),
}
SHAPES = {  # `mouth_open` of a loud voice, and `mouth_wide`
    "a": (1.0, 0.1),
    "i": (0.45, 1.0),
    "u": (0.4, -0.9),
    "e": (0.65, 0.6),
    "o": (0.75, -0.8),
}
NEUTRAL = (0.8, 0.0)  # of what is no vowel, and where vowels are not told apart
SPREAD = 0.16  # of a vowel, in logarithms of its formants
FULL_DB = 26.0  # above the gate, of a loud voice
GATE_DB = 4.0  # an open gate shuts this far below where it opens
LOUDEST_S = 12.0  # in which what is loud for this voice is forgotten
OPENS_S, SHUTS_S, SHAPES_S = 0.012, 0.06, 0.05  # of smoothing
ALONE_EASE_S = 0.2  # until the voice alone moves the mouth of a lost face, and back
SILENT_DB = -90.0
# A mouth behind a hand, a mask or a microphone reads as shut, or stands still at what was made up for it (measured with
# painted covers: 0.01 to 0.05 of where it opens to 1.3). A mouth that is seen moves by more as soon as it speaks.
STILL_MOVES, STILL_S, CLEARLY = 0.15, 1.5, 0.3  # by so much at most, in so long of a voice that opens a mouth so far


@dataclass(frozen=True, slots=True)
class Heard:
    """What a moment of sound tells."""

    level_db: float  # of full scale, from SILENT_DB to 0
    mouth_open: float  # 0 where the gate is shut
    mouth_wide: float
    vowel: str = ""  # the likeliest, or "" where there is none
    speaking: bool = False


SILENCE = Heard(SILENT_DB, 0.0, 0.0)


class Voice:
    """Takes mono sound as it comes, in blocks of any length; `settings` may be replaced between them."""

    def __init__(self, settings: VoiceSettings, rate_hz: float) -> None:
        self.settings = settings
        self._every = max(1, round(rate_hz / RATE_HZ))  # samples become one
        self._rate_hz = rate_hz / self._every
        self._low_pass = _low_pass(self._every)
        self._raw = np.zeros(len(self._low_pass) - 1, np.float32)  # what the low pass still needs
        self._phase = 0
        self._window = round(WINDOW_S * self._rate_hz)
        self._hop = round(HOP_S * self._rate_hz)
        self._taper = np.hamming(self._window)
        self._sound = np.zeros(self._window, np.float32)
        self._due = self._hop  # samples until the next reading
        self._speaking = False
        self._loud_db = -math.inf
        self._formants: list[tuple[float, float]] = []
        self.heard = SILENCE

    def step(self, block: F32) -> Heard:
        """float32 (N,) from -1 to 1, what came after the block before; the newest reading."""
        if not len(block):
            return self.heard
        block = np.nan_to_num(np.asarray(block, np.float32), posinf=0.0, neginf=0.0).clip(-1, 1)
        raw = np.concatenate([self._raw, block])
        self._raw = raw[len(block) :]
        low = np.convolve(raw, self._low_pass, "valid")[self._phase :: self._every]
        self._phase = (self._phase - len(block)) % self._every
        while len(low):
            taken, low = low[: self._due], low[self._due :]
            self._sound = np.concatenate([self._sound, taken])[-self._window :]
            self._due -= len(taken)
            if not self._due:
                self._due = self._hop
                self._read()
        return self.heard

    def _read(self) -> None:
        sound = self._sound - self._sound.mean()
        newest = sound[-2 * self._hop :]  # a voice opens the mouth before its vowel can be known
        power = max(float(np.square(sound * self._taper).mean() / 0.4), float(np.square(newest).mean()))
        level_db = max(SILENT_DB, 10 * math.log10(power + 1e-12))
        gate_db = self.settings.gate_db - (GATE_DB if self._speaking else 0.0)
        self._speaking = level_db >= gate_db
        self._loud_db = max(level_db, self._loud_db - FULL_DB * HOP_S / LOUDEST_S, self.settings.gate_db + FULL_DB / 2)
        loud, vowel = 0.0, ""
        shape = NEUTRAL
        if self._speaking:
            loud = min(1.0, max(0.0, (level_db - gate_db) / (self._loud_db - 3.0 - gate_db)))
            if self.settings.vowels:
                shape, vowel = self._shape(sound)
        else:
            self._formants.clear()
        goal = min(1.0, loud**0.7 * shape[0] * self.settings.strength)
        before = self.heard
        opens_s = OPENS_S if goal > before.mouth_open else SHUTS_S
        wide = shape[1] if self._speaking else 0.0
        self.heard = Heard(
            level_db,
            _eased(before.mouth_open, goal, opens_s),
            _eased(before.mouth_wide, wide, SHAPES_S),
            vowel,
            self._speaking,
        )

    def _shape(self, sound: F32) -> tuple[tuple[float, float], str]:
        """`mouth_open` of a loud voice and `mouth_wide`, and the vowel."""
        found = formants(sound, self._rate_hz, self._taper)
        if found is not None:
            self._formants = [*self._formants[-4:], found]
        if not self._formants:
            return NEUTRAL, ""
        first, second = np.median(np.array(self._formants), axis=0)
        weights = likeness(float(first), float(second))
        known = sum(weights.values())
        rest = max(0.0, 0.15 - known)  # unlike every vowel: the neutral shape
        total = known + rest
        shape = [
            (sum(weight * SHAPES[vowel][side] for vowel, weight in weights.items()) + rest * NEUTRAL[side]) / total
            for side in (0, 1)
        ]
        return (shape[0], shape[1]), max(weights, key=lambda vowel: weights[vowel])


class Still:
    """Whether a mouth that is seen keeps still while a voice speaks: it is covered, or somebody else's."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.covered = False
        self._low, self._high, self._spoken_s = 1.0, 0.0, 0.0

    def step(self, opened: float, heard: Heard | None, passed_s: float) -> bool:
        self._low, self._high = min(self._low, opened), max(self._high, opened)
        if heard is None or self._high - self._low > STILL_MOVES:
            self._forget()
        elif heard.mouth_open > CLEARLY:
            self._spoken_s += passed_s
            self.covered = self.covered or self._spoken_s >= STILL_S
        return self.covered


class Speaking:
    """Mixes the mouth that is heard into poses, one after the other as time goes."""

    def __init__(self) -> None:
        self._seen, self._time_s = 1.0, -math.inf
        self._still = Still()
        self.covered = False  # the latest pose's own mouth, by the looks of it

    def step(self, pose: Pose, heard: Heard | None, seen: bool, time_s: float) -> Pose:
        """`heard` is None without a microphone; `seen` whether the pose's own mouth counts, as long as it does not look
        covered."""
        passed_s = min(1.0, max(0.0, time_s - self._time_s))
        self._time_s = time_s
        self.covered = seen and self._still.step(pose.mouth_open, heard, passed_s)
        seen = seen and not self.covered
        step = passed_s / ALONE_EASE_S
        self._seen = min(1.0, self._seen + step) if seen or heard is None else max(0.0, self._seen - step)
        return mixed(pose, heard or SILENCE, self._seen)


def heard_at(sound: Iterable[F32], rate_hz: float, times_s: Sequence[float], settings: VoiceSettings) -> list[Heard]:
    """What is heard in recorded sound at each of some times, which grow: unlike live, without any delay."""
    voice = Voice(settings, rate_hz)
    blocks, found = iter(sound), []
    rest, done = np.zeros(0, np.float32), 0
    for time_s in times_s:
        wanted = round((time_s + WINDOW_S / 2) * rate_hz)
        while done + len(rest) < wanted:
            block = next(blocks, None)
            rest = np.concatenate([rest, np.zeros(wanted - done, np.float32) if block is None else block])
        now, rest = rest[: max(0, wanted - done)], rest[max(0, wanted - done) :]
        done += len(now)
        found.append(voice.step(now))
    return found


def mixed(pose: Pose, heard: Heard, seen: float) -> Pose:
    """The pose with a mouth that is heard, too. `seen` is how much the pose's own mouth counts, from 0 to 1: of the two
    the larger opens it, and each gives it its shape by as much as it opens it."""
    own = seen * pose.mouth_open
    both = own + heard.mouth_open
    voice = heard.mouth_open / both if both > 1e-6 else 1 - seen
    wide = voice * heard.mouth_wide + (1 - voice) * seen * pose.mouth_wide
    return replace(pose, mouth_open=max(own, heard.mouth_open), mouth_wide=wide)


def likeness(first_hz: float, second_hz: float) -> dict[str, float]:
    """How much two formants are like those of each vowel, from 0 to 1."""
    return {
        vowel: max(
            math.exp(-(math.log(first_hz / f1) ** 2 + math.log(second_hz / f2) ** 2) / (2 * SPREAD**2))
            for f1, f2 in places
        )
        for vowel, places in VOWELS.items()
    }


def formants(sound: F32, rate_hz: float, taper: NDArray[np.floating[Any]]) -> tuple[float, float] | None:
    """The first two in Hz, by linear prediction; None where there are none, as in noise or silence."""
    sharp = np.append(sound[0], sound[1:] - PRE_EMPHASIS * sound[:-1]) * taper
    alike = np.correlate(sharp, sharp, "full")[len(sharp) - 1 : len(sharp) + ORDER]
    if alike[0] <= 1e-9:
        return None
    alike[0] *= 1.0001  # a pure tone leaves nothing to predict
    try:
        predicted = np.linalg.solve(alike[_LAGS], alike[1:])
    except np.linalg.LinAlgError:
        return None
    roots = np.roots(np.append(1.0, -predicted))
    roots = roots[roots.imag > 0]
    hz = np.angle(roots) * rate_hz / (2 * math.pi)
    wide_hz = -np.log(np.maximum(np.abs(roots), 1e-6)) * rate_hz / math.pi
    clear = np.sort(hz[(wide_hz < WIDEST_HZ) & (hz > FORMANT_HZ[0]) & (hz < FORMANT_HZ[1])])
    return (float(clear[0]), float(clear[1])) if len(clear) >= 2 else None


_LAGS = np.abs(np.subtract.outer(np.arange(ORDER), np.arange(ORDER)))


def _eased(value: float, goal: float, lasts_s: float) -> float:
    eased = value + (1 - math.exp(-HOP_S / lasts_s)) * (goal - value)
    return goal if abs(goal - eased) < 1e-3 else eased


def _low_pass(every: int) -> F32:
    """A windowed sinc that lets pass what is left when `every` samples become one."""
    if every == 1:
        return np.ones(1, np.float32)
    half = 4 * every
    at = np.arange(-half, half + 1) / every
    taps = np.sinc(at * 0.9) * np.hamming(2 * half + 1)
    return np.asarray(taps / taps.sum(), np.float32)
