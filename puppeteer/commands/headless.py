"""`--headless`: the live engine without a window; status on standard output, Ctrl-C ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from puppeteer.live import Live, Parts, Status
from puppeteer.settings import Settings

REPORT_S = 10.0  # between lines with figures
NAMES = {"virtual_camera": "virtual camera", "browser_source": "browser source", "shared_texture": "shared texture"}


def headless(settings: Settings, parts: Parts, seconds: float | None = None) -> None:
    """Runs until Ctrl-C (or the system's request to end), or for `seconds`.

    The virtual camera is on where nothing else would be. Prints what changes as it changes, and figures every REPORT_S.
    Returns when every thread has ended.
    """
    output = settings.output
    if not (output.browser_source or output.shared_texture):
        settings = settings.model_copy(update={"output": output.model_copy(update={"virtual_camera": True})})
    stop = threading.Event()
    with ended_by_signals(stop), Live(settings, parts=parts, echo=say) as live:
        say("Puppeteer runs without a window: Ctrl-C ends it")
        left_s = seconds if seconds is not None else float("inf")
        # A wait without timeout cannot be interrupted by Ctrl-C on Windows.
        while left_s > 0 and not stop.wait(min(REPORT_S, left_s)):
            left_s -= REPORT_S
            say(figures(live.status()))
    say("Puppeteer has ended")


def figures(status: Status) -> str:
    """One line: what moves the character, rates, latency, and what is wrong."""
    parts = [
        {"face": "your face", "idle": "idle motion", "demo": "recorded motion", "manual": "the sliders"}[status.driver],
        f"camera {status.capture_fps:.0f}, tracking {status.track_fps:.0f}, drawing {status.output_fps:.0f}, "
        f"sending {status.sent_fps:.0f} a second",
    ]
    latency_ms = status.latency_ms.get("camera_to_output")
    if latency_ms is not None:
        parts.append(f"{latency_ms:.0f} ms from camera to output")
    problems = [NAMES.get(name, name) for name, part in status.parts().items() if part.state == "problem"]
    if problems:
        parts.append(f"trouble with {', '.join(problems)}")
    return "; ".join(parts)


def say(text: str) -> None:
    """Without a window there is nothing to press."""
    print(text.replace("press Retry", "start Puppeteer again"), flush=True)


@contextmanager
def ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and the system's request to end set `stop`, so that devices are released in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
