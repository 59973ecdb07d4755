"""`transfer`: a character moved by the face in a clip.

Two passes. The first tracks the whole clip, because the person's ranges must be known before the first frame is
posed, and keeps the observations; meanwhile the networks load in another thread. The second poses and encodes. Frames
are never kept: stages run ahead of each other by a few. Both passes do several frames at once, each on a core.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from puppeteer.errors import SinkError, SourceError
from puppeteer.image import check_output_size
from puppeteer.inputs.clip_sound import RATE_HZ, sound_of
from puppeteer.inputs.video_file import LONGEST_SIDE, VideoFile
from puppeteer.motion import poses_of_clip
from puppeteer.motion.voice import Heard, Speaking, heard_at
from puppeteer.outputs.compose import Background, beside_width, compose, parse_background
from puppeteer.outputs.compose import side_by_side as placed_beside
from puppeteer.outputs.video_file import VideoWriter, check_output
from puppeteer.pose import U8, FaceObservation, Pose
from puppeteer.settings import Settings
from puppeteer.threads import ahead
from puppeteer.tracking.clip import observe_clip

if TYPE_CHECKING:
    from rich.progress import Progress

    from puppeteer.poser import Poser


@dataclass(frozen=True, slots=True)
class Transferred:
    """What was done: frames written, frames with a face, seconds that tracking and drawing took."""

    frames: int
    with_face: int
    track_s: float
    draw_s: float
    fps: float | None  # of both passes, from when everything was loaded; None where the clip is too short to tell


def transfer(
    clip: Path,
    output: Path,
    character: Path | None = None,
    size: int = 512,
    background: str = "#00FF00",
    side_by_side: bool = False,
    settings: Settings | None = None,
) -> Transferred:
    """Writes a video of the character moved by the face in `clip`, with one frame for each of the clip's, at its time.

    `size` is the character's side in pixels; with `side_by_side` the clip stands left of it at the same height (flipped
    where `settings.motion.mirror` is on, as in a mirror). Ctrl-C keeps what was drawn so far and raises
    KeyboardInterrupt. Where no frame shows a face, the voice in the clip moves the mouth; with `settings.voice.on` it
    does so beside the face too. Raises PuppeteerError, and SourceError where there is neither face nor voice.
    """
    settings = settings or Settings()
    check_output_size(size, even=True)
    backdrop = parse_background(background)
    if output.exists() and clip.exists() and output.samefile(clip):
        raise SinkError(f"{output} is the clip itself: choose another name for the video")
    with (
        VideoFile(clip, longest_side=max(LONGEST_SIDE, 2 * size)) as source,
        progress() as bars,
        ThreadPoolExecutor(1, thread_name_prefix="load") as loader,
    ):
        beside = beside_width(source.size, size) if side_by_side else 0
        check_output(output, (size + beside, size), backdrop.transparent)
        begun = time.perf_counter()
        with _begins() as looking:
            loading = loader.submit(_loaded, character, size, settings, looking)
            seen, times_s, tracking_s = _track(source, loading, looking, bars)
        tracked = time.perf_counter()
        with_face = sum(face is not None for face in seen)
        heard = _heard(source, times_s, settings) if settings.voice.on or not with_face else None
        if not with_face and not any(one.speaking for one in heard or ()):
            raise SourceError(
                f"no face was found in any of the {len(seen)} frames of {clip}, and no voice in its sound: "
                "give a clip in which one face is large, lit from the front and looks at the camera"
            )
        poser, _ = loading.result()

        poses = poses_of_clip(seen, times_s, settings.motion)
        if heard is not None:
            poses = _spoken(poses, seen, heard, times_s, settings.voice.alone)
        pictures = _pictures(poser, poses, size, backdrop)
        if beside:
            pictures = _beside(source, pictures, beside, settings.motion.mirror)
        writer = VideoWriter(
            output,
            (size + beside, size),
            source.rate,
            transparent=backdrop.transparent,
            audio_from=clip if source.audio else None,
            time_base=source.time_base,
        )
        stamps: list[float] = []
        try:
            write_all(writer, _stamped(pictures, stamps), times_s, source.end_s, bars)
        except KeyboardInterrupt:
            if output.exists() and writer.frames:
                _say(f"Stopped: {output} has the first {writer.frames} of {len(seen)} frames")
            raise
    drawn = time.perf_counter()
    drawing_s = _pace([*stamps, drawn])
    fps = 1 / (tracking_s + drawing_s) if tracking_s and drawing_s else None
    faceless = len(seen) - with_face
    _say(
        f"{output}: {writer.frames} frames, {source.end_s:.1f} s, with the {poser.family} family"
        + (f", {fps:.1f} frames a second after start-up" if fps else "")
        + ("; no face was seen, the voice moves the mouth" if not with_face else "")
        + (f"; {faceless} frames showed no face" if faceless and with_face else "")
        + (f"; {source.broken} damaged pieces of the clip were left out" if source.broken else "")
    )
    return Transferred(writer.frames, with_face, tracked - begun, drawn - tracked, fps)


def _heard(source: VideoFile, times_s: Sequence[float], settings: Settings) -> list[Heard] | None:
    """What is heard at each frame; None where there is no sound."""
    if not source.audio:
        return None
    with closing(sound_of(source.path)) as sound:
        return heard_at(sound, RATE_HZ, times_s, settings.voice)


def _spoken(
    poses: Iterator[Pose],
    seen: Sequence[FaceObservation | None],
    heard: Sequence[Heard],
    times_s: Sequence[float],
    alone: bool,
) -> Iterator[Pose]:
    speaking = Speaking()
    for pose, face, voice, time_s in zip(poses, seen, heard, times_s, strict=True):
        yield speaking.step(pose, voice, face is not None and not alone, time_s)


FEWEST = 30  # frames that tell how fast they go by


def _pace(stamps: Sequence[float]) -> float | None:
    """Seconds from one stamp to the next; None where there are too few."""
    return (stamps[-1] - stamps[0]) / (len(stamps) - 1) if len(stamps) > FEWEST else None


def _stamped(pictures: Generator[U8], stamps: list[float]) -> Generator[U8]:
    """The same pictures; notes when each was there."""
    with closing(pictures):
        for picture in pictures:
            stamps.append(time.perf_counter())
            yield picture


@contextmanager
def _begins() -> Iterator[threading.Event]:
    """What says that something has begun, or that it never will."""
    begun = threading.Event()
    try:
        yield begun
    finally:
        begun.set()


def _loaded(character: Path | None, size: int, settings: Settings, looking: threading.Event) -> tuple[Poser, float]:
    """The poser, and when it was ready. Tracking keeps its cores meanwhile, and has the interpreter to itself until it
    is `looking`: two imports at once are no sooner done than one after the other."""
    looking.wait()
    from puppeteer.poser.stages import one_core

    one_core()
    poser = ready_poser(character, size, settings)
    return poser, time.perf_counter()


def ready_poser(character: Path | None, size: int, settings: Settings) -> Poser:
    """The networks and the character, loaded and tried once; None is the first of the characters that come along."""
    # Imported here, in the loading thread: PyTorch takes seconds.
    from puppeteer.poser import Poser
    from puppeteer.prepare.reading import read_character

    if character is None:
        from puppeteer.characters import default_character

        character = default_character()
    drawing = read_character(character)
    poser = Poser.load(settings.poser.family, settings.poser.device)
    poser.set_character(drawing)
    poser.pose(Pose(), size)  # an impossible size is told before the clip is tracked
    for note in drawing.notes:
        _say(note)
    _say(poser.message)
    return poser


def _track(
    source: VideoFile, loading: Future[tuple[Poser, float]], looking: threading.Event, bars: Progress
) -> tuple[list[FaceObservation | None], list[float], float | None]:
    """What was seen in every frame, when, and the seconds that a frame took once everything was loaded."""
    from puppeteer.tracking import TRACKERS

    bar = bars.add_task("Tracking the face", total=source.frame_count)

    stamps: list[float] = []

    def seen_one() -> None:
        looking.set()
        stamps.append(time.perf_counter())
        bars.advance(bar)
        if loading.done():
            loading.result()  # a wrong character or size is told now, not after the whole clip

    seen, times_s = observe_clip(source, TRACKERS["face_landmarker_twice"], seen_one)
    bars.update(bar, total=len(seen), completed=len(seen))
    ready_s = loading.result()[1]
    pace_s = _pace([stamp for stamp in stamps if stamp > ready_s]) or _pace(stamps)
    # Where the clip is shared out, some frames are looked at twice.
    return seen, times_s, pace_s and pace_s * len(stamps) / len(seen)


def _pictures(poser: Poser, poses: Iterator[Pose], size: int, backdrop: Background) -> Generator[U8]:
    with closing(poser.pictures(poses, size)) as drawn:
        for picture in drawn:
            yield compose(picture, backdrop)


def _beside(source: VideoFile, pictures: Generator[U8], width: int, mirror: bool) -> Generator[U8]:
    """The clip is decoded again, in a thread of its own."""
    with closing(pictures), closing(ahead(source.frames())) as frames:
        for frame, picture in zip(frames, pictures, strict=False):
            clip = frame.rgb[:, ::-1] if mirror else frame.rgb
            yield placed_beside(clip, picture, width)


def write_all(
    writer: VideoWriter, pictures: Iterator[U8], times_s: Sequence[float], end_s: float, bars: Progress
) -> None:
    """Draws in other threads and encodes in this one; closes the writer, which shows the last picture until `end_s`."""
    bar = bars.add_task("Drawing the character", total=len(times_s))
    with writer, closing(ahead(pictures)) as drawn:
        for picture, time_s in zip(drawn, times_s, strict=False):
            writer.write(picture, time_s)
            bars.advance(bar)
        writer.close(end_s)


def progress() -> Progress:
    """Bars with the time that is left, on stderr; nothing but the final state where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        refresh_per_second=4,  # redrawing costs time that the encoder needs
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr)
