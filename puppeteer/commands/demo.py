"""`demo`: recorded motion of a real face moves a character; what a newcomer without a camera sees."""

from __future__ import annotations

import sys
from pathlib import Path

from puppeteer.commands.transfer import progress, ready_poser, write_all
from puppeteer.image import check_output_size
from puppeteer.inputs.recorded import read_motion
from puppeteer.live.playing import Recorded
from puppeteer.motion.life import Life
from puppeteer.outputs.compose import compose, parse_background
from puppeteer.outputs.video_file import VideoWriter, check_output
from puppeteer.settings import Settings


def demo(
    output: Path,
    character: Path | None = None,
    size: int = 512,
    background: str = "#00FF00",
    settings: Settings | None = None,
) -> None:
    """Writes about ten seconds of the character in motion, `size` pixels square. Raises PuppeteerError."""
    settings = settings or Settings()
    check_output_size(size, even=True)
    backdrop = parse_background(background)
    check_output(output, (size, size), backdrop.transparent)
    motion = read_motion()
    times_s = [time_s for time_s, _ in motion]
    rate = (len(motion) - 1) / (times_s[-1] - times_s[0]) if len(motion) > 1 else 30.0
    life, lacks = Life(), Recorded(motion).lacks
    alive = (life.step(pose, time_s, settings.motion, adds=lacks) for time_s, pose in motion)
    poses = (pose.mirrored() if settings.motion.mirror else pose for pose in alive)

    with progress() as bars:
        poser = ready_poser(character, size, settings)
        writer = VideoWriter(output, (size, size), rate, transparent=backdrop.transparent)
        pictures = (compose(poser.pose(pose, size), backdrop) for pose in poses)
        write_all(writer, pictures, times_s, times_s[-1] + 1 / rate, bars)
    print(
        f"{output}: {writer.frames} frames, {len(motion) / rate:.1f} s, with the {poser.family} family", file=sys.stderr
    )
