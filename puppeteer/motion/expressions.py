"""Expressions faded in and out over what the face does. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, replace

from puppeteer.expression import Expression, catalogue
from puppeteer.pose import BY_NAME, Pose
from puppeteer.settings import ExpressionSettings


@dataclass(frozen=True, slots=True)
class _Fade:
    """From one weight to another."""

    start: float
    goal: float
    begun_s: float
    lasts_s: float

    def weight(self, time_s: float) -> float:
        share = 1.0 if self.lasts_s <= 0 else min(1.0, max(0.0, (time_s - self.begun_s) / self.lasts_s))
        return self.start + share * share * (3 - 2 * share) * (self.goal - self.start)


class Expressions:
    """Which expressions are wanted, and how far each one is there.

    `aim`, `press` and `release` say what is wanted; `step` shows it, beginning each fade at its own time.
    """

    def __init__(self) -> None:
        self.wanted: dict[str, float] = {}  # how much of each, up to 1; the latest comes last
        self._fades: dict[str, _Fade] = {}

    def aim(self, name: str, amount: float) -> None:
        """So much of an expression, from 0 to 1, whatever else is there."""
        self.wanted.pop(name, None)
        if amount > 0:
            self.wanted[name] = min(1.0, amount)

    def press(self, name: str, settings: ExpressionSettings) -> None:
        """As its key or button does: a held one begins, any other is turned."""
        if name in settings.held:
            self.aim(name, 1.0)
        else:
            self.turn(name, settings)

    def turn(self, name: str, settings: ExpressionSettings) -> None:
        """There until it is turned again; it takes the place of the one before unless several shall be there
        together."""
        on = name not in self.wanted
        if on and not settings.together and name not in settings.held:
            for other in [one for one in self.wanted if one not in settings.held]:
                del self.wanted[other]
        self.aim(name, 1.0 if on else 0.0)

    def release(self, name: str, settings: ExpressionSettings) -> None:
        """The key or button is up again."""
        if name in settings.held:
            self.aim(name, 0.0)

    def step(self, pose: Pose, time_s: float, settings: ExpressionSettings) -> Pose:
        """The pose at `time_s` (seconds, any origin) with the expressions over it; a later one is above an earlier."""
        known = catalogue(settings.own)
        for name in {*self.wanted, *self._fades}:
            if name not in known:  # deleted or renamed while it was there
                self.wanted.pop(name, None)
                self._fades.pop(name, None)
                continue
            fade, goal = self._fades.get(name), self.wanted.get(name, 0.0)
            if fade is None or fade.goal != goal:
                start = 0.0 if fade is None else fade.weight(time_s)
                whole_s = settings.fade_in_s if goal > start else settings.fade_out_s
                self._fades[name] = _Fade(start, goal, time_s, whole_s * abs(goal - start))
        held = {name: one for name, one in self._fades.items() if one.goal or one.weight(time_s) > 0}
        # What fades away lies below what is wanted, so that it does not come back through it.
        self._fades = {name: held[name] for name in sorted(held, key=self._height)}
        for name, fade in self._fades.items():
            pose = blended(pose, known[name], fade.weight(time_s))
        return pose

    def _height(self, name: str) -> int:
        return list(self.wanted).index(name) if name in self.wanted else -1


def blended(pose: Pose, expression: Expression, weight: float) -> Pose:
    """The pose with so much of an expression, from 0 to 1.

    Of numbers that begin at 0 the larger counts: whatever the expression, the face can still blink and talk. Of the
    others the expression's own.
    """
    goals = {
        name: max(getattr(pose, name), value) if BY_NAME[name].low == 0 else value for name, value in expression.items()
    }
    moved = {name: getattr(pose, name) + weight * (goal - getattr(pose, name)) for name, goal in goals.items()}
    return replace(pose, **moved)
