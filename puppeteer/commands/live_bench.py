"""`bench --live`: latency from camera to virtual camera, rates, gaps, processor and memory of the live engine."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from puppeteer.commands.bench import Stage, make_clip, p95
from puppeteer.commands.viewer import Viewer
from puppeteer.errors import SettingsError, SinkError, SourceError
from puppeteer.inputs.scripted import ScriptedCamera
from puppeteer.inputs.video_file import VideoFile
from puppeteer.live import Live, Parts
from puppeteer.live.sending import Device
from puppeteer.outputs.compose import even_size
from puppeteer.pose import U8
from puppeteer.settings import OutputSettings, Settings

RATE = 30.0  # frames that the camera hands over a second
FRAMES = 300  # of the clip, at most, over and over
WARM_UP_S = 4.0
LATE = 1.5  # periods of the output
START_S = 300.0  # within which there must be a face and a picture
STAGES = ("track", "pose", "compose", "send", "camera_to_output")


@dataclass(frozen=True, slots=True)
class LiveReport:
    """Everything measured after the warm-up."""

    clip: str
    seconds: float
    size: tuple[int, int]  # px, of the output
    networks: str
    virtual_camera: str  # its name, or why there was none
    window: bool
    capture_fps: float
    track_fps: float
    output_fps: float
    sent_fps: float
    distinct_fps: float  # of those sent, pictures that were not the one before again
    stages: dict[str, Stage]
    longest_gap_s: float  # between two pictures at the virtual camera
    late: float  # share of them that came more than LATE periods after the one before
    page_fps: float  # pictures that a page of the browser source got; 0 without one
    page_longest_gap_s: float
    threads: dict[str, float]  # share of one core, by the thread's name; "others" are those of the libraries
    memory_mb: float | None  # at the end; None where this system does not tell
    growth_mb_per_minute: float | None  # after the first minute; None in a shorter run


class Outlet:
    """The virtual camera where there is one, otherwise nothing; notes when it was given which pictures."""

    def __init__(self, open_device: Callable[[OutputSettings], Device]) -> None:
        self._open = open_device
        self.name = "none"
        self.longest_gap_s = 0.0
        self.count = self.late = self.distinct = 0
        self._last: U8 | None = None
        self._period_s = 1.0
        self._last_s: float | None = None
        self._camera: Device | None = None

    def open(self, settings: OutputSettings) -> Outlet:
        self._period_s = 1 / settings.rate
        try:
            self._camera = self._open(settings)
            self.name = self._camera.name
        except SinkError as error:
            self.name = f"none, so sending costs nothing ({error})"
        return self

    def reset(self) -> None:
        self.longest_gap_s, self.count, self.late, self.distinct, self._last_s = 0.0, 0, 0, 0, None

    def send(self, rgb: U8) -> None:
        if self._camera is not None:
            self._camera.send(rgb)
        now_s = time.perf_counter()
        if self._last_s is not None:
            self.longest_gap_s = max(self.longest_gap_s, now_s - self._last_s)
            self.late += now_s - self._last_s > LATE * self._period_s
        self._last_s = now_s
        self.count += 1
        # The same again is the same array; of another every fourth row tells.
        if self._last is None or (rgb is not self._last and not np.array_equal(rgb[::4], self._last[::4])):
            self.distinct += 1
        self._last = rgb

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()


def live_bench(
    *,
    clip: Path | None = None,
    character: Path | None = None,
    seconds: float = 20.0,
    window: bool = False,
    page: bool = False,
    json_file: Path | None = None,
    settings: Settings,
    parts: Parts,
) -> LiveReport:
    """Prints the figures, and writes them to `json_file`. Raises PuppeteerError.

    The clip's frames are decoded beforehand and handed over 30 a second, as a webcam does.
    """
    if seconds < 1:
        raise SettingsError(f"--seconds is {seconds:g}: it must be at least 1")
    if json_file is not None and not json_file.parent.is_dir():
        raise SettingsError(f"the folder {json_file.parent} does not exist: create it, or choose another for --json")
    with tempfile.TemporaryDirectory(prefix="puppeteer-bench-") as folder:
        name = str(clip)
        if clip is None:
            clip = Path(folder) / "made.mp4"
            name, face = make_clip(clip)
            if not face:
                raise SourceError("there is no face to track: give a clip with --clip")
        frames = [frame.rgb for frame in islice(VideoFile(clip).frames(), FRAMES)]
    camera = ScriptedCamera(frames, RATE)
    camera.name = Path(name).name
    outlet = Outlet(parts.virtual_camera)
    stage = replace(parts, camera=lambda *_: camera(), virtual_camera=outlet.open)
    live = Live(settings, character, parts=stage)

    def measured() -> LiveReport:
        return measure(live, outlet, viewer, seconds, name, window)

    viewer = Viewer(lambda: live.page)
    with viewer if page else contextlib.nullcontext():
        report = _beside_window(live, measured) if window else _alone(live, measured)
    show(report)
    if json_file is not None:
        try:
            json_file.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"{json_file} cannot be written ({error.strerror}): choose another name") from None
    return report


def _alone(live: Live, measured: Callable[[], LiveReport]) -> LiveReport:
    with live:
        return measured()


def _beside_window(live: Live, measured: Callable[[], LiveReport]) -> LiveReport:
    """The window draws in this thread, as it does in the studio. Raises DisplayError."""
    from puppeteer.gui.display import Probe

    Probe().check()
    from puppeteer.gui.profiles import Profiles
    from puppeteer.gui.window import Window

    results: list[LiveReport] = []
    failures: list[BaseException] = []
    with tempfile.TemporaryDirectory(prefix="puppeteer-bench-") as folder:
        studio = Window(live, Profiles(Path(folder)))

        def work() -> None:
            try:
                results.append(measured())
            except BaseException as error:
                failures.append(error)
            finally:
                studio.stop()

        thread = threading.Thread(target=work, name="measure", daemon=True)
        thread.start()
        studio.run()
        thread.join(1)
    if failures:
        raise failures[0]
    if not results:
        raise SettingsError("the window was closed before the end: let it close by itself")
    return results[0]


def measure(live: Live, outlet: Outlet, viewer: Viewer, seconds: float, clip: str, window: bool) -> LiveReport:
    """Waits for the engine to run as it should, then measures for so long. Raises SourceError."""
    end_s = time.perf_counter() + START_S
    while not (live.picture is not None and live.status().face_found and outlet.count):
        if time.perf_counter() > end_s:
            status = live.status()
            wrong = [part.text for part in status.parts().values() if part.state in ("problem", "starting")]
            raise SourceError(f"the live engine did not get going ({'; '.join(wrong)}): give a clip with a clear face")
        time.sleep(0.1)
    time.sleep(WARM_UP_S)

    outlet.reset()
    viewer.reset()
    before, processor = live.counts(), processor_s()
    begun_s = latest_s = time.perf_counter()
    # Packed: as lists of floats they grow by half a megabyte a minute, and the memory of the engine is measured here.
    spent = {stage: array("f") for stage in STAGES}
    memory: list[tuple[float, float]] = []
    while (now_s := time.perf_counter()) < begun_s + seconds:
        time.sleep(min(1.0, max(0.0, begun_s + seconds - now_s)))
        mark_s = time.perf_counter()
        for stage, times_ms in live.timings.since(latest_s).items():
            spent.setdefault(stage, array("f")).extend(times_ms)
        latest_s = mark_s
        if (held := resident_mb()) is not None:
            memory.append((mark_s - begun_s, held))
    passed_s = time.perf_counter() - begun_s
    counted = {name: (count - before[name]) / passed_s for name, count in live.counts().items()}
    threads = {name: max(0.0, spent_s - processor.get(name, 0.0)) / passed_s for name, spent_s in processor_s().items()}
    later = np.array([sample for sample in memory if sample[0] >= 60]).reshape(-1, 2)  # seconds, MB
    growth = float(np.polyfit(later[:, 0], later[:, 1], 1)[0]) * 60 if len(later) >= 30 else None
    status = live.status()
    return LiveReport(
        clip=clip,
        seconds=passed_s,
        size=even_size(live.settings.output),
        networks=status.networks.text,
        virtual_camera=outlet.name,
        window=window,
        capture_fps=counted["capture"],
        track_fps=counted["track"],
        output_fps=counted["output"],
        sent_fps=counted["sent"],
        distinct_fps=outlet.distinct / passed_s,
        stages={
            stage: Stage(float(np.median(times_ms)), p95(times_ms)) for stage, times_ms in spent.items() if times_ms
        },
        longest_gap_s=outlet.longest_gap_s,
        late=outlet.late / max(1, outlet.count),
        page_fps=viewer.count / passed_s,
        page_longest_gap_s=viewer.longest_gap_s,
        threads=dict(sorted(threads.items(), key=lambda one: -one[1])),
        memory_mb=memory[-1][1] if memory else None,
        growth_mb_per_minute=growth,
    )


def processor_s() -> dict[str, float]:
    """Seconds of the processor that each thread has had, by its name; empty where this system does not tell."""
    if sys.platform != "linux":
        return {}
    ticks = os.sysconf("SC_CLK_TCK")
    spent: dict[str, float] = {}
    for thread in threading.enumerate():
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has just ended
            told = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="ascii", errors="replace")
            user, system = told.rpartition(")")[2].split()[11:13]
            spent[thread.name] = spent.get(thread.name, 0.0) + (int(user) + int(system)) / ticks
    return {**spent, "others": max(0.0, time.process_time() - sum(spent.values()))}


def resident_mb() -> float | None:
    """RAM that this process holds now; None where that is not told without further packages."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024
    return None


def show(report: LiveReport) -> None:
    """Prints a table and the sentences around it."""
    console = Console(soft_wrap=True)
    width, height = report.size
    drawn = "with the window open" if report.window else "without a window"
    console.print(f"Looking at {report.clip}, 30 frames a second, for {report.seconds:.0f} s, {drawn}", highlight=False)
    console.print(
        f"{width}x{height} pixels, {report.networks}\nVirtual camera: {report.virtual_camera}\n", highlight=False
    )
    table = Table("stage", box=None, header_style="bold", pad_edge=False)
    for heading in ("median ms", "p95 ms"):
        table.add_column(heading, justify="right")
    for name, stage in report.stages.items():
        table.add_row(name.replace("_", " "), f"{stage.median_ms:.1f}", f"{stage.p95_ms:.1f}")
    console.print(table)
    console.print(
        f"\nA second: {report.capture_fps:.1f} frames captured, {report.track_fps:.1f} tracked, "
        f"{report.output_fps:.1f} pictures drawn, {report.sent_fps:.1f} sent, "
        f"{report.distinct_fps:.1f} of them not the one before again; "
        f"longest gap at the virtual camera {report.longest_gap_s * 1e3:.0f} ms, "
        f"{report.late:.1%} of its pictures late",
        highlight=False,
    )
    if report.page_fps:
        gap_ms = report.page_longest_gap_s * 1e3
        console.print(
            f"Browser source: {report.page_fps:.1f} pictures a second, longest gap {gap_ms:.0f} ms", highlight=False
        )
    if report.threads:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in report.threads.items() if share >= 0.005)
        console.print(f"Share of a core: {shares}", highlight=False)
    if report.memory_mb is not None:
        growth = report.growth_mb_per_minute
        told = f", {growth:+.2f} MB a minute after the first" if growth is not None else ""
        console.print(f"Memory: {report.memory_mb:.0f} MB{told}", highlight=False)
