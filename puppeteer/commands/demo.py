"""`demo`: recorded motion of a real face moves a character; what a newcomer without a camera sees."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from puppeteer.commands.transfer import progress, ready_poser, write_all
from puppeteer.compose import compose, parse_background
from puppeteer.errors import SettingsError
from puppeteer.pose import POSE_NAMES, Pose
from puppeteer.settings import Settings
from puppeteer.sinks import VideoWriter, check_output

MOTION = Path(__file__).parents[1] / "motions" / "demo.csv"


def read_motion(path: Path = MOTION) -> list[tuple[float, Pose]]:
    """Times in seconds and poses from a table that `track` wrote. Raises SettingsError where it is none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        motion = [(float(row["time_s"]), Pose.from_values(float(row[name]) for name in POSE_NAMES)) for row in rows]
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): install Puppeteer again") from error
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{path} is not a table that `track` wrote ({error}): install Puppeteer again") from error
    if not motion:
        raise SettingsError(f"{path} has no rows: install Puppeteer again")
    return motion


def write_loop(tracked: Path, path: Path = MOTION) -> None:
    """Makes a table that loops out of one that `track` wrote: forwards, then backwards. See `motions/README.md`."""
    with tracked.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    step_s = (float(rows[-1][0]) - float(rows[0][0])) / (len(rows) - 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for index, (_, *values, face) in enumerate([*rows, *rows[-2:0:-1]]):
            writer.writerow([f"{index * step_s:.6f}", *(f"{float(value):.4f}" for value in values), face])


def demo(
    output: Path,
    character: Path | None = None,
    size: int = 512,
    background: str = "#00FF00",
    settings: Settings | None = None,
) -> None:
    """Writes about ten seconds of the character in motion, `size` pixels square. Raises PuppeteerError."""
    settings = settings or Settings()
    backdrop = parse_background(background)
    check_output(output, (size, size), backdrop.transparent)
    motion = read_motion()
    times_s = [time_s for time_s, _ in motion]
    rate = (len(motion) - 1) / (times_s[-1] - times_s[0]) if len(motion) > 1 else 30.0
    poses = (pose.mirrored() if settings.motion.mirror else pose for _, pose in motion)

    with progress() as bars:
        poser = ready_poser(character, size, settings)
        writer = VideoWriter(output, (size, size), rate, transparent=backdrop.transparent)
        pictures = (compose(poser.pose(pose, size), backdrop) for pose in poses)
        write_all(writer, pictures, times_s, times_s[-1] + 1 / rate, bars)
    print(
        f"{output}: {writer.frames} frames, {len(motion) / rate:.1f} s, with the {poser.family} family", file=sys.stderr
    )


if __name__ == "__main__":
    write_loop(Path(sys.argv[1]))
