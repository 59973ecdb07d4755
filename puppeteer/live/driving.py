"""What the character does at a moment, whoever moves it: a face, idle motion, recorded motion or the sliders."""

from __future__ import annotations

import threading

from puppeteer.inputs.recorded import read_motion
from puppeteer.live.status import Driver, Meter
from puppeteer.motion import Calibration, Motion, Step, between, guided
from puppeteer.pose import POSE_NAMES, TRACKED, FaceObservation, Pose
from puppeteer.settings import Settings

DRIVER_EASE_S = 0.4  # from recorded motion to the face, to the sliders and back


class Driving:
    """`pose` is for the thread that draws; everything else for any."""

    def __init__(self, settings: Settings) -> None:
        self._motion = Motion(settings.motion, calibration_of(settings))
        self._use = threading.Lock()
        self._mirror = settings.motion.mirror
        self.manual: Pose | None = None  # the sliders drive, until None
        self._recorded = read_motion()
        self._recorded_s = [time_s for time_s, _ in self._recorded]
        self.driver: Driver = "idle"
        self.shown = Pose()
        self._group = ""
        self._ease_from: Pose | None = None
        self._ease_start_s = 0.0

    def apply(self, settings: Settings, calibration_too: bool) -> None:
        with self._use:
            self._mirror = settings.motion.mirror
            self._motion.settings = settings.motion
            if calibration_too:
                self._motion.calibration = calibration_of(settings)

    def recentre(self) -> Calibration | None:
        """None where no face was seen yet."""
        with self._use:
            self._motion.recentre()
            return self._motion.calibration

    def calibrate(self, step: Step, faces: list[FaceObservation]) -> Calibration:
        """Raises SettingsError where no face was seen."""
        with self._use:
            self._motion.calibration = guided(self._motion.used_calibration, step, faces)
            return self._motion.calibration

    def forget_calibration(self) -> None:
        with self._use:
            self._motion.calibration = None

    def pose(self, face: FaceObservation | None, found: bool, recorded: bool, now_s: float) -> Pose:
        """`face` is what was seen of late, `found` whether there is one now; `recorded` motion drives instead."""
        with self._use:
            pose = self._motion.step(face, now_s)
        manual = self.manual
        driver: Driver
        if manual is not None:
            driver, pose = "manual", manual
        elif recorded:
            driver, pose = "demo", self._recorded_pose(now_s)
            pose = pose.mirrored() if self._mirror else pose
        else:
            driver = "face" if found else "idle"
        group = driver if driver in ("manual", "demo") else "tracked"  # Motion eases from face to idle itself
        if group != self._group:
            if self._group:
                self._ease_from, self._ease_start_s = self.shown, now_s
            self._group = group
        if self._ease_from is not None:
            share = (now_s - self._ease_start_s) / DRIVER_EASE_S
            if share < 1:
                pose = between(self._ease_from, pose, share * share * (3 - 2 * share))
            else:
                self._ease_from = None
        self.driver, self.shown = driver, pose
        return pose

    def _recorded_pose(self, now_s: float) -> Pose:
        """Over and over, between the table's rows."""
        times_s = self._recorded_s
        step_s = (times_s[-1] - times_s[0]) / max(1, len(times_s) - 1)
        place = (now_s % (times_s[-1] + step_s)) / step_s
        index = int(place)
        first, second = (self._recorded[number % len(self._recorded)][1] for number in (index, index + 1))
        return between(first, second, place - index)

    def meters(self, found: bool) -> tuple[Meter, ...]:
        """One for each number, in the order of POSE_NAMES."""
        with self._use:
            latest = self._motion.meters if found else None
            ranges = self._motion.used_calibration.ranges()
        shown = self.shown.mirrored() if self._mirror else self.shown
        raw = {} if latest is None else dict(zip(TRACKED, latest.raw, strict=True))
        calibrated = {} if latest is None else dict(zip(TRACKED, latest.calibrated, strict=True))
        known = dict(zip(TRACKED, ranges, strict=True))
        return tuple(
            Meter(name, raw.get(name), calibrated.get(name), getattr(shown, name), *known.get(name, (0.0, 1.0)))
            for name in POSE_NAMES
        )


def calibration_of(settings: Settings) -> Calibration | None:
    return None if settings.calibration is None else Calibration.from_dict(settings.calibration)
