"""How well a clip and its mirror image agree; a command, not a test of CI.

    PYTHONPATH=. python tests/mirror_agreement.py CLIP ...

Needs ffmpeg. The first ten seconds of each clip and their left-right mirror image, H.264 at crf 10, go through `track`.
Prints the share of frames in which eyes, mouth and neck agree within 0.05 and 0.1, after the mirror's own is swapped
and negated: jointly, then each of them within 0.05; then, of gaze, brows and lips, within 0.1, and how far each goes.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from puppeteer.commands.track import track
from puppeteer.pose import EXPRESSIVE, SIX, TRACKED, Pose


def tracked(clip: Path, folder: Path, flip: bool) -> list[Pose]:
    coded, table = folder / f"{flip}.mp4", folder / f"{flip}.csv"
    line = ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(clip), "-t", "10", "-an"]
    line += ["-vf", "hflip"] if flip else []
    subprocess.run([*line, "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", str(coded)], check=True)
    track(coded, table)
    with table.open(newline="", encoding="utf-8") as file:
        poses = [Pose.from_names({name: float(row[name]) for name in TRACKED}) for row in csv.DictReader(file)]
    return [pose.mirrored() if flip else pose for pose in poses]


def main(clips: list[str]) -> None:
    print(f"{'clip':8} {'0.05':>5} {'0.1':>5}   " + " ".join(f"{name:>10}" for name in SIX))
    for clip in map(Path, clips):
        with tempfile.TemporaryDirectory() as folder:
            plain, mirror = (
                np.array([[getattr(pose, name) for name in TRACKED] for pose in tracked(clip, Path(folder), flip)])
                for flip in (False, True)
            )
        whole = np.abs(plain - mirror)
        apart = whole[:, : len(SIX)]
        joint = [100 * (apart <= limit).all(axis=1).mean() for limit in (0.05, 0.1)]
        each = 100 * (apart <= 0.05).mean(axis=0)
        print(
            f"{clip.stem:8} {joint[0]:4.0f}% {joint[1]:4.0f}%   " + " ".join(f"{share:9.0f}%" for share in each),
            flush=True,
        )
        for index, name in enumerate(EXPRESSIVE, len(SIX)):
            share = 100 * (whole[:, index] <= 0.1).mean()
            print(f"{clip.stem:8} {name:12} {share:4.0f}% within 0.1, spans {np.ptp(plain[:, index]):.2f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    main(sys.argv[1:])
