"""Makes the motion that comes along out of a clip's: `python -m puppeteer.inputs.recorded_loop TRACKED`."""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import replace
from pathlib import Path

from puppeteer.inputs.recorded import MOTION, read_motion
from puppeteer.pose import LIFE, POSE_NAMES, Pose

PASSES_S, SACCADE_S = 1.2, 0.2  # in which a head, and a gaze, pass into what a mirror shows
TURNS, TILTS = 1.2, 0.7  # times as far as recorded
LEADS_S, LEADS = 0.25, 0.9  # how long before a head eyes go, and how far, of its way in that time
NARROWED = 0.25  # how far eyes that smile are closed
SMILE_S = 1.3  # from where a smile begins to where it is whole
BLINK, SHUT = 0.6, 0.9  # closure from which on eyes blink, and that is taken for 1 then
CLOSES_S, STAYS_S, OPENS_S = 0.08, 0.05, 0.2  # a blink, at least


def write_loop(tracked: Path, path: Path = MOTION) -> None:
    """Makes a table that loops out of one that `track` wrote: forwards, then backwards and in a mirror, with a smile
    where it turns round, more of a turn and less of a tilt, eyes that go where a head is about to turn, and blinks that
    one sees. What motion adds to a face is left out: the motion that plays it adds that. See `motions/README.md`."""
    rows = read_motion(tracked)
    step_s = (rows[-1][0] - rows[0][0]) / (len(rows) - 1)
    names = [name for name in POSE_NAMES if name not in LIFE]
    loop = [_livelier(_smiling(pose, (rows[-1][0] - time_s) / SMILE_S)) for time_s, pose in rows]
    there_and_back, turn_s = [*loop, *loop[-2:0:-1]], (len(loop) - 1) * step_s
    whole_s = len(there_and_back) * step_s
    poses = [_turned_round(pose, k * step_s, turn_s, whole_s) for k, pose in enumerate(there_and_back)]
    lids = [_blinking([getattr(pose, eye) for pose in poses], step_s) for eye in ("eye_left", "eye_right")]
    poses = [replace(pose, eye_left=left, eye_right=right) for pose, left, right in zip(poses, *lids, strict=True)]
    ahead = [poses[(k + round(LEADS_S / step_s)) % len(poses)] for k in range(len(poses))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time_s", *names, "face"])
        for index, (pose, soon) in enumerate(zip(poses, ahead, strict=True)):
            pose = replace(pose, gaze_x=pose.gaze_x + LEADS * (soon.neck_y - pose.neck_y)).clamped()
            values = (f"{getattr(pose, name):.4f}" for name in names)
            writer.writerow([f"{index * step_s:.6f}", *values, 1])


def _turned_round(pose: Pose, time_s: float, turn_s: float, whole_s: float) -> Pose:
    """A pose that is seen in a mirror from `turn_s` on until the loop ends, at `whole_s`; it passes from one to the
    other around both, eyes faster than heads."""
    until_s = min(time_s, whole_s - time_s)  # from where the loop begins and ends
    mirrored, after_s = pose.mirrored(), time_s - turn_s
    if until_s < abs(after_s):
        after_s = math.copysign(until_s, after_s)
    values = {}
    for name, here, there in zip(POSE_NAMES, pose.values(), mirrored.values(), strict=True):
        passing_s = SACCADE_S if name.startswith("gaze") else PASSES_S
        share = _eased(0.5 + after_s / passing_s)
        values[name] = (1 - share) * here + share * there
    return Pose(**values)


def _eased(share: float) -> float:
    """0 up to 0, 1 from 1 on, smooth between."""
    return (1 - math.cos(math.pi * min(1.0, max(0.0, share)))) / 2


def _livelier(pose: Pose) -> Pose:
    return replace(pose, neck_y=TURNS * pose.neck_y, neck_z=TILTS * pose.neck_z).clamped()


def _blinking(closures: list[float], step_s: float) -> list[float]:
    """Closures of an eye in a loop, whose blinks close and open in more than the picture or two that were recorded."""
    closes, opens = (math.ceil(lasts_s / step_s) for lasts_s in (CLOSES_S, STAYS_S + OPENS_S))

    def of_blink(closure: float, after_s: float) -> float:
        if closure < BLINK:
            return 0.0
        share = 1 + after_s / CLOSES_S if after_s < 0 else 1 - (after_s - STAYS_S) / OPENS_S
        return min(1.0, closure / SHUT) * _eased(share)

    return [
        max(own, *(of_blink(closures[(k - by) % len(closures)], by * step_s) for by in range(-closes, opens)))
        for k, own in enumerate(closures)
    ]


def _smiling(pose: Pose, before: float) -> Pose:
    """A pose with as much of a smile as there is `before` its middle, in half lengths of it."""
    share = _eased(1 - before)
    form = pose.mouth_form + share * (0.9 - pose.mouth_form)
    begun = math.sqrt(share)  # in the eyes
    eyes = pose.eye_smile + begun * (0.9 - pose.eye_smile)
    left, right = (max(value, NARROWED * begun) for value in (pose.eye_left, pose.eye_right))
    return replace(pose, mouth_form=form, eye_smile=eyes, eye_left=left, eye_right=right)


if __name__ == "__main__":
    write_loop(Path(sys.argv[1]))
