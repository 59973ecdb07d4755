"""A frame to a FaceObservation: who looks at it, and a whole clip of frames."""

from collections.abc import Callable

from puppeteer.tracking.contract import Tracker
from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker
from puppeteer.tracking.scripted import ScriptedTracker
from puppeteer.tracking.two_views import TwoViews


def _face_landmarker_twice() -> TwoViews:
    return TwoViews(FaceLandmarkerTracker)


TRACKERS: dict[str, Callable[..., Tracker]] = {
    "face_landmarker": FaceLandmarkerTracker,
    "face_landmarker_twice": _face_landmarker_twice,  # in a mirror too: steadier, for files
    "scripted": ScriptedTracker,
}
