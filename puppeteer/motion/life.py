"""What no tracker gives and yet makes a figure alive: a body that follows and sways, breath, hair. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from puppeteer.pose import LIFE, Pose
from puppeteer.settings import MotionSettings

BREATH_S = 4.0  # from one breath to the next
TURNS_WITH, LEANS_WITH = 1.0, 1.0  # share of the head's number that the body's becomes: a third of its angle
SWAYS_Z, SWAYS_Y = (0.2, 7.3, 4.1), (0.25, 9.1, 5.3)  # how far, and in how many seconds to and fro
LEANS_ASIDE = 1.1  # the body's lean for a head that has moved aside by its own width
TOLD_S = 0.04  # the delay of a body that was told
SWING = (("neck_z", 1.0), ("neck_y", 0.6), ("body_z", 0.6), ("body_y", 0.3))  # what carries the roots of hair aside
SWINGS_OUT = 1.3  # before it is drawn in: the further hair is out, the less it goes on
STEP_S, LONGEST_S = 1 / 120, 0.5  # of the spring; after a longer pause it hangs still


@dataclass(frozen=True, slots=True)
class Place:
    """Where the body is, as far as it is known."""

    aside: float = 0.0  # to the viewer's left of its usual place, in widths of the face
    body_z: float | None = None
    body_y: float | None = None


class Life:
    """Adds `LIFE` to poses, one step after the other. The same motion looks the same at every rate."""

    def __init__(self) -> None:
        self._z, self._y = Follower(), Follower()
        self._hair = Spring()
        self._time_s: float | None = None

    def step(
        self,
        pose: Pose,
        time_s: float,
        settings: MotionSettings,
        place: Place | None = None,
        adds: tuple[str, ...] = LIFE,
    ) -> Pose:
        """The pose at `time_s`, clamped, with the numbers that are named in `adds`; the others of LIFE stay."""
        passed_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        place = place or Place()
        told = place.body_z is not None or place.body_y is not None
        delay_s = TOLD_S if told else settings.body_delay_s
        lean = LEANS_WITH * pose.neck_z + LEANS_ASIDE * place.aside
        lean, turn = settings.body * lean, settings.body * TURNS_WITH * pose.neck_y
        lean += settings.sway * _to_and_fro(time_s, *SWAYS_Z)
        turn += settings.sway * _to_and_fro(time_s, *SWAYS_Y)
        if told:
            lean, turn = place.body_z or 0.0, place.body_y or 0.0
        added = {
            "body_z": self._z.step(min(1.0, max(-1.0, lean)), passed_s, delay_s),
            "body_y": self._y.step(min(1.0, max(-1.0, turn)), passed_s, delay_s),
            "breath": settings.breath * (1 - math.cos(2 * math.pi * time_s / BREATH_S)) / 2,
        }
        pose = replace(pose, **{name: value for name, value in added.items() if name in adds}).clamped()
        root = sum(share * getattr(pose, name) for name, share in SWING)
        swing = self._hair.step(root, passed_s, settings.hair_rate, settings.hair_damping)
        if "hair_x" in adds:
            pose = replace(pose, hair_x=math.tanh(settings.hair * SWINGS_OUT * swing)).clamped()
        return pose


def _to_and_fro(time_s: float, far: float, *periods_s: float) -> float:
    """-`far` to `far`, 0 at 0 s; nobody who stands shifts his weight like a clock."""
    first, second = (math.sin(2 * math.pi * time_s / period_s) for period_s in periods_s)
    return far * (first + 0.5 * second) / 1.5


class Follower:
    """Comes after what it follows: two first-order low passes in a row, nearly the same for every length of a step."""

    def __init__(self) -> None:
        self._goal = self._first = self._second = 0.0

    def step(self, goal: float, passed_s: float, delay_s: float) -> float:
        """`delay_s` is how long it is behind something that moves evenly."""
        if delay_s <= 0:
            self._goal = self._first = self._second = goal
            return goal
        steps = math.ceil(passed_s / STEP_S - 1e-9)
        if not steps:
            return self._second
        kept, moved = math.exp(-2 * passed_s / steps / delay_s), (goal - self._goal) / steps
        at = self._goal + moved / 2  # what it follows went there evenly
        for _ in range(steps):
            before = self._first
            self._first = at + kept * (before - at)
            goes_to = (before + self._first) / 2
            self._second = goes_to + kept * (self._second - goes_to)
            at += moved
        self._goal = goal
        return self._second


class Spring:
    """Something that hangs from a root that moves: a damped oscillator, solved exactly and so stable at every rate."""

    def __init__(self) -> None:
        self._root: float | None = None
        self._offset = self._speed = 0.0  # of the end against the root; of the end

    def step(self, root: float, passed_s: float, rate_hz: float, damping: float) -> float:
        """How far its end is from where it hangs, after so many seconds in which the root went to `root` evenly.

        `damping` is a share of the critical one, up to 1.
        """
        if self._root is None or passed_s > LONGEST_S:
            self._root, self._offset, self._speed = root, 0.0, 0.0
            return 0.0
        steps = math.ceil(passed_s / STEP_S - 1e-9)
        for _ in range(steps):
            moved = (root - self._root) / steps
            # Half of the root's way before, half after: second order.
            self._offset -= moved / 2
            self._offset, self._speed = swung(self._offset, self._speed, passed_s / steps, rate_hz, damping)
            self._offset -= moved / 2
        self._root = root if steps else self._root
        return self._offset


def swung(offset: float, speed: float, passed_s: float, rate_hz: float, damping: float) -> tuple[float, float]:
    """Offset and speed of a damped oscillator after so many seconds."""
    damping = min(damping, 0.999)
    natural = 2 * math.pi * rate_hz
    decay, swings = damping * natural, natural * math.sqrt(1 - damping**2)
    cosine, sine = math.cos(swings * passed_s), math.sin(swings * passed_s)
    across = (speed + decay * offset) / swings
    shrink = math.exp(-decay * passed_s)
    new = shrink * (offset * cosine + across * sine)
    return new, shrink * swings * (across * cosine - offset * sine) - decay * new
