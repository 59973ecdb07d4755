"""`track`: the motion of the face in a clip, as a table."""

from __future__ import annotations

import sys
from pathlib import Path

from puppeteer.commands.transfer import progress
from puppeteer.errors import SinkError, SourceError
from puppeteer.files import check_target
from puppeteer.inputs.video_file import VideoFile
from puppeteer.motion import poses_of_clip
from puppeteer.outputs.motion_table import write_table
from puppeteer.pose import POSE_NAMES, TRACKED, FaceObservation
from puppeteer.settings import Settings
from puppeteer.tracking import TRACKERS
from puppeteer.tracking.clip import observe_clip


def track(clip: Path, output: Path, raw: bool = False, settings: Settings | None = None) -> None:
    """Writes one row for each frame of `clip`: `time_s`, the numbers of the pose, and `face` 1 or 0.

    The whole clip is seen first, so that the person's ranges hold from its first frame on; then come smoothing and, in
    frames without a face, holding and idle motion. `raw` leaves all of that out (neck in degrees / 15, eyes and mouth
    as the tracker measures them); a raw row without a face has zeros. Raises PuppeteerError, and SourceError where no
    frame shows a face.
    """
    settings = settings or Settings()
    check_target(output, SinkError, "poses.csv", (clip,))
    if output.suffix.lower() != ".csv":
        raise SinkError(f"{output}: a table is written as CSV, so name it {output.with_suffix('.csv').name}")
    seen, times_s = _observed(clip)
    with_face = sum(face is not None for face in seen)
    if not with_face:
        raise SourceError(
            f"no face was found in any of the {len(seen)} frames of {clip}: "
            "give a clip in which one face is large, lit from the front and looks at the camera"
        )
    if raw:
        values = [_raw(face) for face in seen]
    else:
        values = [pose.values() for pose in poses_of_clip(seen, times_s, settings.motion)]
    write_table(
        output,
        (
            (f"{time_s:.6f}", *(f"{value:.6f}" for value in row), int(face is not None))
            for time_s, row, face in zip(times_s, values, seen, strict=True)
        ),
    )
    print(f"{output}: {len(seen)} frames, {with_face} with a face", file=sys.stderr)


def _raw(face: FaceObservation | None) -> tuple[float, ...]:
    """What the tracker gives, by the names of a pose; 0 where it gives nothing."""
    told = dict(zip(TRACKED, face.told(), strict=True)) if face else {}
    return tuple(told.get(name) or 0.0 for name in POSE_NAMES)


def _observed(clip: Path) -> tuple[list[FaceObservation | None], list[float]]:
    """What was seen in every frame, and when (seconds)."""
    with VideoFile(clip) as source, progress() as bars:
        bar = bars.add_task("Tracking the face", total=source.frame_count)
        seen, times_s = observe_clip(source, TRACKERS["face_landmarker_twice"], lambda: bars.advance(bar))
        bars.update(bar, total=len(seen), completed=len(seen))
    return seen, times_s
