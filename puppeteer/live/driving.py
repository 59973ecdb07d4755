"""What the character does at a moment, whoever moves it: a face, idle motion, recorded motion or the sliders."""

from __future__ import annotations

import threading
from dataclasses import replace

from puppeteer.expression import catalogue, found
from puppeteer.inputs.recorded import read_motion
from puppeteer.live.playing import Recorded
from puppeteer.live.status import Driver, Meter
from puppeteer.motion import Calibration, Motion, Step, between, guided
from puppeteer.motion.between_looks import BetweenLooks
from puppeteer.motion.expressions import Expressions
from puppeteer.motion.life import Life
from puppeteer.motion.voice import Heard, Speaking
from puppeteer.pose import POSE_NAMES, TRACKED, FaceObservation, Pose
from puppeteer.settings import Settings

DRIVER_EASE_S = 0.4  # from recorded motion to the face, to the sliders and back
MUTE_EASE_S = 0.15  # until a muted mouth is shut


class Driving:
    """`pose` is for the thread that draws; everything else for any."""

    def __init__(self, settings: Settings) -> None:
        self._motion = Motion(settings.motion, calibration_of(settings))
        self._between = BetweenLooks()
        self._use = threading.Lock()
        self._mirror = settings.motion.mirror
        self._expressions, self._of_expressions = Expressions(), settings.expressions
        self.manual: Pose | None = None  # the sliders drive, until None
        self.muted = False  # the mouth stays shut, whatever moves it; not by the sliders or an expression
        self._muted_share, self._muted_s = 0.0, 0.0
        self._demo = Recorded(read_motion())
        self._life = Life()  # of recorded motion
        self._speaking = Speaking()
        self._voice_alone = settings.voice.alone
        self.driver: Driver = "idle"
        self.shown = Pose()
        self._driven = Pose()  # what is shown, without what lies over it
        self._group = ""
        self._ease_from: Pose | None = None
        self._ease_start_s = 0.0

    def apply(self, settings: Settings, calibration_too: bool) -> None:
        with self._use:
            self._mirror = settings.motion.mirror
            self._motion.settings = settings.motion
            self._of_expressions = settings.expressions
            self._voice_alone = settings.voice.alone
            if calibration_too:
                self._motion.calibration = calibration_of(settings)

    def forget_seen(self) -> None:
        """Whoever is seen from now on is seen from elsewhere."""
        with self._use:
            self._motion.forget_seen()

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

    def express(self, name: str, amount: float) -> str:
        """So much of an expression, from 0 to 1; its name in full. Raises SettingsError where there is none."""
        with self._use:
            name = found(name, catalogue(self._of_expressions.own))
            self._expressions.aim(name, amount)
        return name

    def press(self, name: str, down: bool) -> None:
        """The key or button of an expression. Raises SettingsError where there is none."""
        with self._use:
            name = found(name, catalogue(self._of_expressions.own))
            act = self._expressions.press if down else self._expressions.release
            act(name, self._of_expressions)

    def turn(self, name: str) -> None:
        """An expression on or off. Raises SettingsError where there is none."""
        with self._use:
            self._expressions.turn(found(name, catalogue(self._of_expressions.own)), self._of_expressions)

    @property
    def expressed(self) -> dict[str, float]:
        """How much of which expressions is wanted."""
        with self._use:
            return dict(self._expressions.wanted)

    def pose(
        self,
        face: FaceObservation | None,
        found: bool,
        demo: bool,
        now_s: float,
        recorded: Recorded | None = None,
        heard: Heard | None = None,
    ) -> Pose:
        """`face` is what was seen of late, `found` whether there is one now; `recorded` motion drives instead, or, with
        `demo`, the motion that comes along; `heard` is what a microphone hears."""
        with self._use:
            pose = self._motion.step(self._between.step(face, now_s), now_s)
        manual = self.manual
        driver: Driver
        if manual is not None:
            driver, pose = "manual", manual
        elif demo or recorded is not None:
            recorded = recorded or self._demo
            driver, pose = "demo", recorded.at(now_s)
            pose = self._life.step(pose, now_s, self._motion.settings, adds=recorded.lacks)
            pose = pose.mirrored() if self._mirror else pose
        else:
            driver = "face" if found else "idle"
        group = driver if driver in ("manual", "demo") else "tracked"  # Motion eases from face to idle itself
        if group != self._group:
            if self._group:
                self._ease_from, self._ease_start_s = self._driven, now_s
            self._group = group
        if self._ease_from is not None:
            share = (now_s - self._ease_start_s) / DRIVER_EASE_S
            if share < 1:
                pose = between(self._ease_from, pose, share * share * (3 - 2 * share))
            else:
                self._ease_from = None
        self._driven = pose
        pose = self._spoken(pose, driver, heard, now_s)
        with self._use:
            pose = self._expressions.step(pose, now_s, self._of_expressions)
        self.driver, self.shown = driver, pose
        return pose

    def _spoken(self, pose: Pose, driver: Driver, heard: Heard | None, now_s: float) -> Pose:
        """With the mouth that is heard, and shut where it is muted; the sliders are nobody's voice."""
        step = max(0.0, now_s - self._muted_s) / MUTE_EASE_S
        self._muted_s = now_s
        self._muted_share = min(1.0, max(0.0, self._muted_share + (step if self.muted else -step)))
        if driver == "manual":
            return pose
        pose = self._speaking.step(pose, heard, driver != "idle" and not self._voice_alone, now_s)
        left = 1 - self._muted_share
        return replace(pose, mouth_open=left * pose.mouth_open, mouth_wide=left * pose.mouth_wide)

    @property
    def mouth_covered(self) -> bool:
        """The voice alone moves the mouth, because the one that is seen keeps still beside it."""
        return self.driver != "manual" and self._speaking.covered

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
