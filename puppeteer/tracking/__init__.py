"""A frame to a FaceObservation: who looks at it, and a whole clip of frames."""

from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker
from puppeteer.tracking.scripted import ScriptedTracker

TRACKERS = {"face_landmarker": FaceLandmarkerTracker, "scripted": ScriptedTracker}
