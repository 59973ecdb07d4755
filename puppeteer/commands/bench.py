"""`bench`: what every stage costs on this machine, one frame after the other and end to end."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from puppeteer.errors import SettingsError, SourceError
from puppeteer.files import check_target, unwritable, whole
from puppeteer.image import check_output_size
from puppeteer.inputs.synthetic import Synthetic
from puppeteer.inputs.video_file import LONGEST_SIDE, VideoFile
from puppeteer.outputs.compose import compose, parse_background
from puppeteer.outputs.video_file import VideoWriter
from puppeteer.pose import U8, FaceObservation, Frame
from puppeteer.quiet import routine_log_dropped
from puppeteer.settings import Settings

if TYPE_CHECKING:
    import torch

    from puppeteer.poser import Poser

STAGES = ("decode", "track", "motion", "pose", "compose", "encode")
PARTS = ("networks", "draw")  # of "pose"
WARM_UP = 10  # frames left out of the figures: caches, the face detector's first look
MADE_FRAMES = 160  # of the clip that is made where none is given
MADE_SIZE = 512
MATMUL_SIDE = {"cpu": 1536, "cuda": 8192}  # large enough to reach the peak


@dataclass(frozen=True, slots=True)
class Stage:
    """Milliseconds a frame."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything measured; None where something could not be."""

    machine: str
    clip: str  # what was looked at
    frames: int  # behind the figures of each stage
    size: int  # px, of the output
    family: str
    device: str
    precision: str
    message: str  # of the poser: why this family
    stages: dict[str, Stage]  # tracking is missing where there was no face to track
    frame_ms: float  # median of all stages of a frame, one after the other in one thread
    end_to_end_fps: float | None  # `transfer` of the whole clip: both passes, stages side by side, nothing left out
    after_start_up_fps: float | None  # the same without loading; None also where the clip is too short to tell
    start_up_s: dict[str, float]
    gflop_per_frame: float
    peak_gflops: float  # of a matrix multiplication in the same precision on the same device
    share_of_peak: float  # that the networks reach, without the drawing
    peak_memory_mb: float


def bench(
    *,
    clip: Path | None = None,
    character: Path | None = None,
    size: int = 512,
    frames: int = 300,
    json_file: Path | None = None,
    settings: Settings | None = None,
) -> Report:
    """Prints the figures, and writes them to `json_file`. Raises PuppeteerError."""
    if frames < 2 * WARM_UP:
        raise SettingsError(f"--frames is {frames}: it must be at least {2 * WARM_UP}, or the figures mean nothing")
    check_output_size(size, even=True)
    if json_file is not None:
        if not json_file.is_dir() and json_file.suffix.lower() != ".json":
            raise SettingsError(f"{json_file}: name a file such as {json_file.with_suffix('.json').name}")
        check_target(json_file, SettingsError, "bench.json", (clip, character))
    report = measure(clip, character, size, frames, settings or Settings())
    show(report)
    if json_file is not None:
        try:
            with whole(json_file) as draft:
                draft.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise SettingsError(unwritable(json_file, error)) from None
    return report


def measure(clip: Path | None, character: Path | None, size: int, frames: int, settings: Settings) -> Report:
    """Runs every stage on `frames` frames of a clip, or of one made here, and `transfer` on the whole clip."""
    from puppeteer.poser import Poser
    from puppeteer.prepare.reading import read_character

    start_up: dict[str, float] = {}
    if character is None:
        from puppeteer.characters import default_character

        character = default_character()
    drawing = read_character(character)
    with _timed(start_up, "load the networks"):
        poser = Poser.load(settings.poser.family, settings.poser.device)
    with _timed(start_up, "take the character in"):
        poser.set_character(drawing)

    with tempfile.TemporaryDirectory(prefix="puppeteer-bench-") as folder:
        name, face = (str(clip), True) if clip is not None else ("", False)
        if clip is None:
            clip = Path(folder) / "made.mp4"
            name, face = make_clip(clip)
        with _timed(start_up, "open the clip"):
            source = VideoFile(clip, longest_side=max(LONGEST_SIDE, 2 * size))
        times, whole_ms = _stages(source, poser, size, frames, face, settings, Path(folder) / "stages.mp4", start_up)
        whole_clip = Path(folder) / "whole.mp4"
        fps, later_fps = _end_to_end(clip, whole_clip, character, size, settings) if face else (None, None)

    stages = {stage: Stage(statistics.median(ms), p95(ms)) for stage, ms in times.items() if ms}
    gflop = poser.flops_per_frame() / 1e9
    peak = matmul_peak(poser.device, poser.dtype) / 1e9
    return Report(
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        clip=name,
        frames=len(whole_ms),
        size=size,
        family=poser.family,
        device=str(poser.device),
        precision=str(poser.dtype).removeprefix("torch."),
        message=poser.message,
        stages=stages,
        frame_ms=statistics.median(whole_ms),
        end_to_end_fps=fps,
        after_start_up_fps=later_fps,
        start_up_s=start_up,
        gflop_per_frame=gflop,
        peak_gflops=peak,
        share_of_peak=gflop / (stages["networks"].median_ms / 1e3) / peak,
        peak_memory_mb=peak_memory() / 1e6,
    )


def _stages(
    source: VideoFile,
    poser: Poser,
    size: int,
    limit: int,
    face: bool,
    settings: Settings,
    output: Path,
    start_up: dict[str, float],
) -> tuple[dict[str, list[float]], list[float]]:
    """Milliseconds of each stage and of whole frames, warm-up left out; without a face, what is seen is scripted."""
    from puppeteer.motion import Motion
    from puppeteer.tracking import TRACKERS

    times: dict[str, list[float]] = {stage: [] for stage in (*STAGES, *PARTS)}
    whole: list[float] = []
    backdrop = parse_background("#00FF00")
    motion = Motion(settings.motion, None)
    found = 0
    with contextlib.ExitStack() as stack:
        tracker = None
        if face:
            with _timed(start_up, "load the face tracker"), routine_log_dropped():
                tracker = stack.enter_context(TRACKERS["face_landmarker"]())
        writer = stack.enter_context(VideoWriter(output, (size, size), source.rate))
        frames = stack.enter_context(contextlib.closing(source.frames()))
        for index in range(limit):
            stamps = [time.perf_counter()]
            frame = next(frames, None)
            if frame is None:
                break
            stamps.append(time.perf_counter())
            seen = tracker.observe(frame) if tracker is not None else scripted(frame)
            stamps.append(time.perf_counter())
            pose = motion.step(seen, frame.time_s)
            stamps.append(time.perf_counter())
            poser.take(pose, wait=True)
            computed = time.perf_counter()
            rgba = poser.pose(pose, size)
            stamps.append(time.perf_counter())
            picture = compose(rgba, backdrop)
            stamps.append(time.perf_counter())
            writer.write(picture, frame.time_s)
            stamps.append(time.perf_counter())
            found += seen is not None
            if index >= WARM_UP:
                for stage, begin, end in zip(STAGES, stamps, stamps[1:], strict=False):
                    times[stage].append((end - begin) * 1e3)
                posing, posed = stamps[STAGES.index("pose")], stamps[STAGES.index("pose") + 1]
                times["networks"].append((computed - posing) * 1e3)
                times["draw"].append((posed - computed) * 1e3)
                whole.append((stamps[-1] - stamps[0]) * 1e3)
    if len(whole) < WARM_UP:
        raise SourceError(f"{source.path} has fewer than {2 * WARM_UP} frames: give a longer clip")
    if not found:
        raise SourceError(f"no face was found in {source.path}: give a clip in which one face is large and well lit")
    if tracker is None:
        del times["track"]
    return times, whole


def _end_to_end(clip: Path, output: Path, character: Path, size: int, settings: Settings) -> tuple[float, float | None]:
    """Frames per second of the wall clock of `transfer`, both passes, and after start-up; PyTorch and MediaPipe are
    imported already."""
    from puppeteer.commands.transfer import transfer

    begin = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bars are not the bench's
        done = transfer(clip=clip, output=output, character=character, size=size, settings=settings)
    return done.frames / (time.perf_counter() - begin), done.fps


def make_clip(path: Path) -> tuple[str, bool]:
    """Writes a clip to measure with: a photograph of a face, moved about, where scikit-image has brought one, otherwise
    a pattern. Returns what it is, and whether there is a face to track in it."""
    pictures: Iterator[U8]
    face = importlib.util.find_spec("skimage") is not None
    if face:
        from skimage.data import astronaut

        pictures = moved(np.ascontiguousarray(astronaut()[:300, 70:370]))
        name = "a photograph of a face, moved about (scikit-image's astronaut)"
    else:
        pictures = (frame.rgb for frame in Synthetic((MADE_SIZE, MADE_SIZE), count=MADE_FRAMES).frames())
        name = "a pattern without a face: tracking was not measured, give --clip for that"
    with VideoWriter(path, (MADE_SIZE, MADE_SIZE), 30) as writer:
        for index, picture in enumerate(pictures):
            writer.write(picture, index / 30)
    return name, face


def moved(photograph: U8) -> Iterator[U8]:
    """uint8 (MADE_SIZE, MADE_SIZE, 3): the photograph shifted, tilted and squashed a little more in every frame."""
    height, width = photograph.shape[:2]
    for index in range(MADE_FRAMES):
        swing = math.sin(index / 12)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 8 * swing, MADE_SIZE / width)
        matrix[:, 2] += MADE_SIZE / 2 - width / 2, MADE_SIZE / 2 - height / 2
        matrix[0] *= 1 + 0.05 * math.sin(index / 7)
        picture = cv2.warpAffine(photograph, matrix, (MADE_SIZE, MADE_SIZE), borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(picture, np.uint8)


def scripted(frame: Frame) -> FaceObservation:
    """A face that is not there, in motion, so that every pose differs from the one before."""
    phase = frame.time_s * 3
    blink = max(0.0, math.sin(phase)) ** 4
    turn = math.sin(phase * 0.7)
    return FaceObservation(blink, blink, 0.5 + 0.5 * turn, turn, 0.5 * math.cos(phase), math.sin(phase * 0.4))


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 stay below."""
    return float(np.percentile(values, 95))


def matmul_peak(device: torch.device, dtype: torch.dtype) -> float:
    """The most floating point operations per second that a large matrix multiplication reaches here."""
    import torch

    side, runs = MATMUL_SIDE[device.type], 8
    left, right = (torch.randn(side, side).to(device, dtype) for _ in range(2))
    best = math.inf
    for _ in range(runs):
        begin = time.perf_counter()
        product = left @ right
        product[0, 0].item()  # waits for a GPU
        best = min(best, time.perf_counter() - begin)
    return 2 * side**3 / best


def peak_memory() -> int:
    """The most bytes of RAM that this process has held at once."""
    if sys.platform == "win32":
        import ctypes
        from ctypes import wintypes

        class Counters(ctypes.Structure):
            _fields_ = (
                ("cb", wintypes.DWORD),
                ("PageFaultCount", wintypes.DWORD),
                ("PeakWorkingSetSize", ctypes.c_size_t),
                *((f"unused{index}", ctypes.c_size_t) for index in range(7)),
            )

        counters = Counters(cb=ctypes.sizeof(Counters))
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD)
        kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
        return int(counters.PeakWorkingSetSize)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def show(report: Report) -> None:
    """Prints a table and the sentences around it."""
    from puppeteer.image import SPEC_SIZE

    console = Console(soft_wrap=True)
    console.print(f"{report.machine}\nLooking at {report.clip}\n", highlight=False)
    table = Table("stage", box=None, header_style="bold", pad_edge=False)
    for heading in ("median ms", "p95 ms"):
        table.add_column(heading, justify="right")
    rows = [(name, name) for name in STAGES]
    at = STAGES.index("pose") + 1
    rows[at:at] = [(part, f"  {part}") for part in PARTS]
    for name, title in rows:
        stage = report.stages.get(name)
        table.add_row(title, *((f"{stage.median_ms:.2f}", f"{stage.p95_ms:.2f}") if stage else ("not measured", "")))
    console.print(table)
    console.print(
        f"\n{report.size}x{report.size} pixels, family {report.family} on {report.device} in {report.precision}, "
        f"{report.frames} frames\n"
        f"One stage after the other: {report.frame_ms:.1f} ms a frame ({1e3 / report.frame_ms:.0f} a second)",
        highlight=False,
    )
    if report.end_to_end_fps is not None:
        after = f"; {report.after_start_up_fps:.1f} after start-up" if report.after_start_up_fps is not None else ""
        console.print(f"End to end: {report.end_to_end_fps:.1f} frames a second (`transfer` of the whole clip{after})")
    peak = f"matrix multiplication peak {report.peak_gflops:.0f} GFLOP/s"
    share = (
        f"{report.stages['networks'].median_ms:.1f} ms a frame, whatever its size: they work at {SPEC_SIZE} px, "
        f"{report.gflop_per_frame:.2f} GFLOP, {100 * report.share_of_peak:.0f}% of this machine's {peak}"
    )
    console.print("Networks: " + (share if report.gflop_per_frame else f"none ({peak})"), highlight=False)
    console.print("Start-up: " + ", ".join(f"{name} {spent:.2f} s" for name, spent in report.start_up_s.items()))
    console.print(f"Memory: {report.peak_memory_mb:.0f} MB at most")


@contextlib.contextmanager
def _timed(into: dict[str, float], name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    into[name] = time.perf_counter() - begin
