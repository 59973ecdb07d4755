"""One step of the guided calibration, while frames come."""

from __future__ import annotations

from collections.abc import Callable

from puppeteer.live.status import Part
from puppeteer.motion import Calibration, Step
from puppeteer.pose import FaceObservation
from puppeteer.settings import PLAYED, SEEN


def why_not(kind: str, camera: Part, face: Part, stands_in: bool, has_frames: bool) -> str:
    """What a calibration from a source of this kind needs first, or "". `stands_in`: recorded motion moves the
    character because there is no webcam."""
    if kind in PLAYED:
        return "calibration measures your face, and recorded motion has none: choose Webcam or Video file first"
    if stands_in:
        return "calibration needs a webcam, and none is found: plug one in, or choose a video file"
    problem = ""
    if camera.state == "problem":
        problem = camera.text
    elif kind in SEEN and face.state == "problem" and not has_frames:  # no tracker, or no picture
        problem = face.text
    return f"calibration needs to see your face, and cannot: {problem}" if problem else ""


class CalibrationRun:
    """From `Live.calibrate` to `finish` or `cancel`; for the thread of the window.

    Start it when the countdown ends, show `seen` and `latest`, and finish it a second or two later.
    """

    def __init__(
        self,
        step: Step,
        use: Callable[[Step, list[FaceObservation]], Calibration],
        end: Callable[[CalibrationRun], object],
    ) -> None:
        """`use` makes a calibration of faces and puts it to use, `end` stops the frames."""
        self.step = step
        self._use, self._end = use, end
        self._faces: list[FaceObservation] = []
        self.missed = 0  # frames without a face

    @property
    def seen(self) -> int:
        """Frames with a face, so far."""
        return len(self._faces)

    @property
    def latest(self) -> FaceObservation | None:
        return self._faces[-1] if self._faces else None

    def see(self, face: FaceObservation | None) -> None:
        """One frame, from the thread that looks for faces."""
        if face is None:
            self.missed += 1
        else:
            self._faces.append(face)

    def finish(self) -> Calibration:
        """Puts the new calibration to use and into `Live.settings`. Raises SettingsError where no face was seen."""
        self.cancel()
        return self._use(self.step, self._faces)

    def cancel(self) -> None:
        """Forgets it; may be called more than once."""
        self._end(self)
