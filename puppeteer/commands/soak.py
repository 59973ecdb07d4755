"""A soak: the live engine for ten minutes on each input, and whether memory, threads and descriptors stay level.

    python app.py soak [--minutes 10] [--inputs camera video recording demo] [--clip CLIP] [--window]

Each input runs in a process of its own, while a page shows the browser source and is reloaded now and then. With
--window the studio's window is there too, minimised.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from puppeteer.by_name import set_by_name
from puppeteer.commands.bench import make_clip
from puppeteer.commands.live_bench import FRAMES, RATE, START_S, Outlet
from puppeteer.commands.viewer import Viewer
from puppeteer.errors import PuppeteerError, SettingsError, SourceError
from puppeteer.inputs.recorded import MOTION
from puppeteer.inputs.scripted import ScriptedCamera
from puppeteer.inputs.video_file import VideoFile
from puppeteer.live import Live, Parts
from puppeteer.settings import PLAYED, SEEN, STUDIO, Settings

INPUTS: tuple[str, ...] = (*SEEN, *PLAYED)  # phones and other programs need somebody who sends
SETTLED_S, SETTLED_SHARE = 120.0, 0.3  # left out at the start: two minutes, of a short run this share
ENOUGH_S = 240.0  # a shorter run is all start-up: its growth tells nothing
MOST_MB_PER_MINUTE = 1.0
RELOADED_S = 10.0  # the page
MOST_MORE = 2  # threads or descriptors: helpers of the libraries come and go


@dataclass(frozen=True, slots=True)
class Sample:
    """What this process held at one moment."""

    time_s: float  # since the start
    memory_mb: float
    threads: int
    descriptors: int  # open files, sockets and, on Windows, handles


@dataclass(frozen=True, slots=True)
class Growth:
    """What became more after everything had settled."""

    mb_per_minute: float | None  # None where the run was too short to tell
    threads: int  # the median of the last quarter, less that of the first
    descriptors: int

    @property
    def level(self) -> bool:
        memory = self.mb_per_minute is None or self.mb_per_minute < MOST_MB_PER_MINUTE
        return memory and self.threads <= MOST_MORE and self.descriptors <= MOST_MORE


def growth(samples: Sequence[Sample]) -> Growth:
    """The slope of a line through the memory after the start, and threads and descriptors late against early."""
    end_s = samples[-1].time_s
    settled = [sample for sample in samples if sample.time_s >= min(SETTLED_S, SETTLED_SHARE * end_s)]
    slope = None
    if end_s >= ENOUGH_S:
        times_s, memory_mb = ([getattr(one, name) for one in settled] for name in ("time_s", "memory_mb"))
        slope = float(np.polyfit(times_s, memory_mb, 1)[0]) * 60
    quarter = max(1, len(settled) // 4)

    def more(name: str) -> int:
        early, late = ([getattr(one, name) for one in part] for part in (settled[:quarter], settled[-quarter:]))
        return round(float(np.median(late) - np.median(early)))

    return Growth(slope, more("threads"), more("descriptors"))


def sampled(seconds: float, every_s: float = 1.0, say: Callable[[str], object] = print) -> list[Sample]:
    """What this process holds, every so often for so long; a line for each minute. Raises SettingsError."""
    try:
        import psutil
    except ModuleNotFoundError:
        raise SettingsError("psutil is not installed: run  python -m pip install -r requirements-dev.txt") from None
    process = psutil.Process()
    descriptors: Callable[[], int] = getattr(process, "num_handles" if sys.platform == "win32" else "num_fds")
    begun_s = time.perf_counter()
    samples: list[Sample] = []
    told = 0
    while True:
        passed_s = time.perf_counter() - begun_s
        memory_mb = process.memory_info().rss / 1e6
        samples.append(Sample(passed_s, memory_mb, process.num_threads(), descriptors()))
        if passed_s >= 60 * told or passed_s >= seconds:
            told += 1
            last = samples[-1]
            say(f"{passed_s:6.0f} s  {memory_mb:7.1f} MB  {last.threads} threads  {last.descriptors} descriptors")
        if passed_s >= seconds:
            return samples
        time.sleep(min(every_s, max(0.0, seconds - passed_s)))


def soak(
    inputs: Sequence[str],
    minutes: float,
    clip: Path | None = None,
    window: bool = False,
    *,
    parts: Parts,
    command: Sequence[str] = (),
) -> bool:
    """Whether everything stays level, of each input for so long. `command` is this one, to be run with other options: a
    process for each of several inputs. Raises PuppeteerError."""
    unknown = [name for name in inputs if name not in INPUTS]
    if unknown or not inputs:
        raise SettingsError(f"--inputs {' '.join(unknown)}: give some of {', '.join(INPUTS)}")
    if not minutes > 0:
        raise SettingsError(f"--minutes is {minutes:g}: it must be more than 0")
    if len(inputs) == 1:
        return soaked(inputs[0], 60 * minutes, clip, window, parts=parts).level
    codes = []
    for name in inputs:  # what one leaves behind must not hide what the next one takes
        line = [*command, "--inputs", name, "--minutes", str(minutes)]
        line += ["--clip", str(clip)] if clip is not None else []
        line += ["--window"] if window else []
        codes.append(subprocess.run(line, check=False).returncode)
    return not any(codes)


def soaked(
    kind: str,
    seconds: float,
    clip: Path | None = None,
    window: bool = False,
    settings: Settings = STUDIO,
    *,
    parts: Parts,
    begun: Callable[[Live], object] = lambda live: None,
) -> Growth:
    """Runs the engine with one input (a `SourceSettings.kind`) for so long, in this process; a camera is stood in for
    by one that hands over the clip's frames. `begun` is called once pictures come. Raises PuppeteerError."""
    settings = set_by_name(settings, "source.kind", kind)
    with tempfile.TemporaryDirectory(prefix="puppeteer-soak-") as folder:
        if clip is None:
            clip = Path(folder) / "made.mp4"
            make_clip(clip)
        settings = set_by_name(settings, "source.video", str(clip.absolute()))
        settings = set_by_name(settings, "source.recording", str(MOTION))
        parts = replace(parts, virtual_camera=Outlet(parts.virtual_camera).open)
        if kind == "camera":
            camera = ScriptedCamera([frame.rgb for frame in islice(VideoFile(clip).frames(), FRAMES)], RATE)
            parts = replace(parts, camera=lambda *_: camera())
        live = Live(settings, parts=parts)
        if not window:
            with live, Viewer(lambda: live.page, RELOADED_S):
                _wait_for_pictures(live)
                begun(live)
                samples = sampled(seconds)
            return judged(kind, samples, live)
        return _behind_a_window(kind, live, seconds, Path(folder))


def _wait_for_pictures(live: Live) -> None:
    """Raises SourceError where none comes."""
    end_s = time.perf_counter() + START_S
    while live.picture is None:
        if time.perf_counter() > end_s:
            wrong = [part.text for part in live.status().parts().values() if part.state in ("problem", "starting")]
            raise SourceError(f"the live engine drew nothing ({'; '.join(wrong)}): run  python app.py doctor")
        time.sleep(0.1)


def judged(kind: str, samples: Sequence[Sample], live: Live) -> Growth:
    """Prints what became of the samples, and returns it."""
    grown = growth(samples)
    memory = "too short for memory" if grown.mb_per_minute is None else f"{grown.mb_per_minute:+.2f} MB a minute"
    print(
        f"{kind}: {memory}, {grown.threads:+d} threads, {grown.descriptors:+d} descriptors, "
        f"{live.counts()['output']} pictures drawn, {live.counts()['overlays']} shown by a page: "
        f"{'level' if grown.level else 'GROWS'}",
        flush=True,
    )
    return grown


def _behind_a_window(kind: str, live: Live, seconds: float, folder: Path) -> Growth:
    """The studio's window runs in this thread, minimised. Raises DisplayError.

    Ends the process: while its window is minimised, Dear PyGui waits for the system's next event and cannot be woken.
    """
    from puppeteer.gui.display import Probe

    Probe().check()
    import dearpygui.dearpygui as dpg

    from puppeteer.gui.profiles import Profiles
    from puppeteer.gui.window import Window

    class Minimised(Window):
        def paint(self) -> None:
            super().paint()
            if self.frames == 10:
                dpg.minimize_viewport()

    def work() -> None:
        code = 2
        try:
            with Viewer(lambda: live.page, RELOADED_S):
                _wait_for_pictures(live)
                samples = sampled(seconds)
            live.close()
            code = 0 if judged(f"{kind}, window minimised", samples, live).level else 1
        except PuppeteerError as error:
            print(error, file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(code)

    threading.Thread(target=work, name="soak", daemon=True).start()
    Minimised(live, Profiles(folder)).run()
    raise SettingsError("the window was closed before the end: let it close by itself")
