"""Calibrated, smoothed Pose from raw FaceObservations. Pure: time is an argument."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from puppeteer.calibration import Calibration
from puppeteer.motion.calibration import OPTIONAL, Step, calibrate, guided
from puppeteer.motion.credible import Credible, believed
from puppeteer.motion.idle import idle_pose
from puppeteer.motion.life import Life, Place
from puppeteer.motion.one_euro import OneEuro
from puppeteer.pose import BY_NAME, NECK_RANGE_DEG, TRACKED, FaceObservation, Pose
from puppeteer.settings import MotionSettings, ParameterSettings

__all__ = ["OPTIONAL", "Calibration", "Meters", "Motion", "Step", "calibrate", "guided", "idle_pose", "poses_of_clip"]

SHORT_GAP_S = 0.15  # a face lost for less than this was never away: filters go on
SURE_S = 0.06  # without a face until it is a loss: a frame or two are missed in fast moves
FALL_BACK_S = 0.15  # from a misread pose to the last credible one

WINK_STARTS, WINK_ENDS = 0.45, 0.2  # difference between the eyes
WINK_AFTER_S = 0.06  # in a blink one eye may be ahead by a frame
WINK_FADE_S = 0.08

MEMORY_S = 60.0  # what the automatic calibration is made of
SAMPLE_EVERY_S = 0.05
CALIBRATE_EVERY_S = 0.5
CALIBRATION_EASE_S = 0.7

GAZE_X_DEG, GAZE_Y_DEG = 38.0, 50.0  # by which eyes that stay on the viewer turn back in the head until a gaze is 1
HIDDEN = 0.5  # both lids this far down: what lies behind them is a guess
BEHIND_LIDS = ("gaze_x", "gaze_y", "eye_smile", "eye_wide")
BLINK_S, LAUGH_FADES_S = 0.5, 0.7  # lids that are down for longer than a blink smile no more than the mouth does

Tracked = tuple[float | None, ...]  # in the order of `TRACKED`; None for what is not known


@dataclass(frozen=True, slots=True)
class Meters:
    """The latest step, for meters: the tracked numbers in the person's own left and right, before any mirror."""

    raw: Tracked
    calibrated: Tracked  # after calibration, gain, dead zone and range, before smoothing
    ranges: tuple[tuple[float, float], ...]  # the raw values that mean 0 and 1


class Motion:
    """Turns what the tracker saw into the pose of the character, one step per output frame.

    `settings` and `calibration` may be replaced between steps and act at once. Without a calibration, the person's
    ranges come from what was seen in the last minute and grow better with time.
    """

    def __init__(self, settings: MotionSettings, calibration: Calibration | None = None, doubts: bool = True) -> None:
        """Without `doubts` the latest pose before a loss is believed, whatever it is."""
        self.settings = settings
        self._doubts = doubts
        self.calibration = calibration
        self.meters: Meters | None = None  # of the latest step with a face
        self._automatic = Automatic()
        self._filters = [OneEuro() for _ in TRACKED]
        self._winks = Winks()
        self._behind: dict[str, float] = {}  # what was last seen of what lids hide
        self._open_s = 0.0  # when
        self._life = Life()
        self._aside: float | None = None  # of the latest face
        self._seen_s: float | None = None  # when a face was last seen
        self._away = True  # no face for longer than the hold time, or never
        self._tracked = Pose()  # the latest pose made from a face
        self._credible = Credible()
        self._held: Pose | None = None  # what is held in this loss, once it is sure
        self._output: Pose | None = None  # the latest pose of all, unmirrored
        self._latest_s = -math.inf  # of the time that only goes forward
        self._back_s = 0.0  # by how much the given time has fallen behind it
        self._ease_from: Pose | None = None
        self._ease_start_s = 0.0
        self._ease_s = 0.0

    @property
    def used_calibration(self) -> Calibration:
        """The given calibration, or the automatic one as it is now."""
        return self.calibration or self._automatic.calibration

    def forget_seen(self) -> None:
        """What was seen so far tells nothing about what comes: another camera or phone looks from elsewhere."""
        self._automatic = Automatic()

    def recentre(self) -> None:
        """Makes the head's latest rotation the neutral one; eyes and mouth stay as they are."""
        if self.meters is None:
            return
        neck = {name: float(value or 0.0) for name, value in zip(TRACKED[3:6], self.meters.raw[3:6], strict=True)}
        calibration = self.used_calibration
        aside = calibration.aside if self._aside is None else self._aside
        self.calibration = Calibration.from_flat({**calibration.asdict(), **neck, "aside": aside})

    def step(self, seen: FaceObservation | None, time_s: float) -> Pose:
        """The pose at `time_s` (seconds, any origin), given what was seen then.

        A time before the latest one (a looped clip) counts as no time passed.
        """
        self._back_s = max(self._back_s, self._latest_s - time_s)
        time_s = self._latest_s = time_s + self._back_s
        target = self._lost(time_s) if seen is None else self._found(seen, time_s)
        if self._ease_from is not None:
            passed = (time_s - self._ease_start_s) / self._ease_s if self._ease_s > 0 else 1.0
            if passed < 1:
                target = between(self._ease_from, target, passed * passed * (3 - 2 * passed))
            else:
                self._ease_from = None
        self._output = self._life.step(target, time_s, self.settings, self._place(seen))
        return self._output.mirrored() if self.settings.mirror else self._output

    def _found(self, seen: FaceObservation, time_s: float) -> Pose:
        misread = self._held is not None and self._held is not self._tracked
        self._held = None
        if self._seen_s is None or misread or time_s - self._seen_s > SHORT_GAP_S:
            for one_euro in self._filters:
                one_euro.reset()
            self._winks.reset()
            self._behind.clear()
            if self._output is not None:
                self._ease(self._output, time_s, self.settings.return_s)
        self._away = False
        self._seen_s = time_s
        if self.calibration is None:
            self._automatic.see(seen, time_s)
        calibration = self.used_calibration
        calibrated = self._shaped(calibration.apply(seen), time_s)
        self.meters = Meters(seen.told(), calibrated, calibration.ranges())
        self._aside = seen.aside
        smooth = (
            one_euro.step(value or 0.0, time_s, parameter.min_cutoff, parameter.beta)
            for one_euro, value, parameter in zip(self._filters, calibrated, self._parameters(), strict=True)
        )
        self._tracked = Pose(**dict(zip(TRACKED, smooth, strict=True)))
        self._credible.see(self._tracked, time_s)
        return self._tracked

    def _lost(self, time_s: float) -> Pose:
        if self._seen_s is not None and time_s - self._seen_s <= self.settings.hold_s:
            return self._hold(time_s, time_s - self._seen_s)
        if not self._away:
            self._away = True
            self._ease(self._output or self._tracked, time_s, self.settings.rest_s)
        return idle_pose(time_s) if self.settings.idle else Pose()

    def _hold(self, time_s: float, lost_s: float) -> Pose:
        """The latest pose, or, where that was none to believe, the one before it."""
        if self._held is None and lost_s >= SURE_S:
            self._held = self._credible.latest() if self._doubts else self._tracked
            if self._held is not self._tracked:
                self._ease(self._output or self._tracked, time_s, FALL_BACK_S)
        return self._held or self._tracked

    def _ease(self, start: Pose, time_s: float, duration_s: float) -> None:
        self._ease_from, self._ease_start_s, self._ease_s = start, time_s, duration_s

    def _parameters(self) -> tuple[ParameterSettings, ...]:
        return tuple(getattr(self.settings, name) for name in TRACKED)

    def _shaped(self, values: Tracked, time_s: float) -> Tracked:
        """Gain, dead zone and range of each parameter, then the eyes together or apart."""
        known = {name: value for name, value in zip(TRACKED, values, strict=True) if value is not None}
        known |= self._looked_at(known)
        parameters = dict(zip(TRACKED, self._parameters(), strict=True))
        known = {
            name: shaped(value, parameters[name], one_sided=BY_NAME[name].low == 0) for name, value in known.items()
        }
        known["eye_left"], known["eye_right"] = self._winks.step(
            known["eye_left"], known["eye_right"], time_s, allowed=not self.settings.link_eyes
        )
        if min(known["eye_left"], known["eye_right"]) < HIDDEN:
            self._behind, self._open_s = {name: known[name] for name in BEHIND_LIDS if name in known}, time_s
        else:
            known |= {name: value for name, value in self._behind.items() if name in known}
            if {"eye_smile", "mouth_form"} <= known.keys():
                share = min(1.0, max(0.0, (time_s - self._open_s - BLINK_S) / LAUGH_FADES_S))
                smile = known["eye_smile"]
                known["eye_smile"] += share * (min(smile, max(0.0, known["mouth_form"])) - smile)
        return tuple(known.get(name) for name in TRACKED)

    def _looked_at(self, known: dict[str, float]) -> dict[str, float]:
        """Gazes beside the viewer: eyes that stay on the viewer turn back in a head that turns."""
        share = (1 - self.settings.eye_contact) * NECK_RANGE_DEG
        turned = {"gaze_x": share / GAZE_X_DEG * known["neck_y"], "gaze_y": share / GAZE_Y_DEG * known["neck_x"]}
        return {name: known[name] + back for name, back in turned.items() if name in known}

    def _place(self, seen: FaceObservation | None) -> Place:
        """Where the body is, as far as it is known."""
        if seen is None:
            return Place()
        aside = 0.0 if seen.aside is None else seen.aside - self.used_calibration.aside
        return Place(aside, seen.body_z, seen.body_y)


def poses_of_clip(
    seen: Sequence[FaceObservation | None], times_s: Sequence[float], settings: MotionSettings
) -> Iterator[Pose]:
    """One pose for each frame of a clip that was seen to its end: the person's ranges hold from the first frame on, and
    what was misread before a loss is known beforehand."""
    sound = believed(seen, times_s)
    motion = Motion(settings, calibrate(sound), doubts=False)
    return map(motion.step, sound, times_s)


def shaped(value: float, parameter: ParameterSettings, one_sided: bool) -> float:
    """A calibrated value after gain, dead zone and range; continuous, and 1 stays 1 whatever the dead zone."""
    value *= parameter.gain
    size = max(0.0, value if one_sided else abs(value))
    size = max(0.0, size - parameter.dead_zone) / (1 - parameter.dead_zone)
    size = min(size, parameter.range)
    return size if value >= 0 else -size


def between(start: Pose, end: Pose, share: float) -> Pose:
    """The pose `share` of the way from one to the other."""
    return Pose(*(a + share * (b - a) for a, b in zip(start.values(), end.values(), strict=True)))


class Winks:
    """Two eyes that close together, until they clearly differ.

    No face tracker sees both eyes alike: small differences would make a character that forever half winks. A
    difference above WINK_STARTS that lasts sets the eyes free, until it falls below WINK_ENDS.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._free = False
        self._share = 0.0  # 0 together, 1 free; moves smoothly between
        self._differs_since_s: float | None = None
        self._time_s: float | None = None

    def step(self, left: float, right: float, time_s: float, allowed: bool) -> tuple[float, float]:
        passed_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        difference = abs(left - right)
        if difference < WINK_STARTS:
            self._differs_since_s = None
        elif self._differs_since_s is None:
            self._differs_since_s = time_s
        if not allowed or difference < WINK_ENDS:
            self._free = False
        elif self._differs_since_s is not None and time_s - self._differs_since_s >= WINK_AFTER_S:
            self._free = True
        step = passed_s / WINK_FADE_S
        self._share = min(1.0, self._share + step) if self._free else max(0.0, self._share - step)
        together = (left + right) / 2
        return together + self._share * (left - together), together + self._share * (right - together)


class Automatic:
    """A calibration that follows what was seen in the last MEMORY_S, without jumps."""

    def __init__(self) -> None:
        self.calibration = Calibration()
        self._samples: deque[tuple[float, FaceObservation]] = deque()
        self._goal = Calibration()
        self._goal_s: float | None = None
        self._time_s: float | None = None

    def see(self, seen: FaceObservation, time_s: float) -> None:
        if not self._samples or time_s - self._samples[-1][0] >= SAMPLE_EVERY_S:
            self._samples.append((time_s, replace(seen, landmarks=None)))
        while time_s - self._samples[0][0] > MEMORY_S:
            self._samples.popleft()
        if self._goal_s is None or time_s - self._goal_s >= CALIBRATE_EVERY_S:
            first = self._goal_s is None
            self._goal, self._goal_s = calibrate([sample for _, sample in self._samples]), time_s
            if first:  # the first look is taken for the neutral one
                self.calibration = self._goal
        passed_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        share = passed_s / (passed_s + CALIBRATION_EASE_S)
        old, goal = self.calibration.asdict(), self._goal.asdict()
        self.calibration = Calibration.from_flat({name: old[name] + share * (goal[name] - old[name]) for name in old})
