"""The live engine: camera to character to virtual camera, in threads, without a window."""

from puppeteer.live.calibrating import CalibrationRun
from puppeteer.live.engine import Live, Retried
from puppeteer.live.parts import Parts
from puppeteer.live.status import Driver, Log, Meter, Part, Picture, Preview, State, Status

__all__ = [
    "CalibrationRun",
    "Driver",
    "Live",
    "Log",
    "Meter",
    "Part",
    "Parts",
    "Picture",
    "Preview",
    "Retried",
    "State",
    "Status",
]
