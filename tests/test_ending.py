"""The end of the program at any moment of its life: in time, quietly, with everything kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from screens import needs_screen, screen, xdotool
from stage import ENDED_S

ROOT = Path(__file__).resolve().parent.parent


def started(environment: dict[str, str], home: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "app.py", "--source", "demo", *options],
        cwd=ROOT,
        env={**environment, "PUPPETEER_HOME": str(home), "HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(program: subprocess.Popen[str]) -> tuple[int, str]:
    begun_s = time.monotonic()
    try:
        _, said = program.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()
        raise
    assert time.monotonic() - begun_s < ENDED_S
    return program.returncode, said


def shown(environment: dict[str, str]) -> str:
    """The window's number, once it is there and paints."""
    return xdotool(environment, "search", "--sync", "--onlyvisible", "--name", "^Puppeteer$").split()[-1]


@needs_screen
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_s", [0.3, 1.0, 4.0])
def test_a_signal_ends_the_window(number: signal.Signals, after_s: float, tmp_path: Path) -> None:
    with screen() as environment:
        program = started(environment, tmp_path)
        time.sleep(after_s)
        program.send_signal(number)
        code, said = ended(program)
    assert code == (130 if number == signal.SIGINT else 0) and not said


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_headless_while_it_is_still_imported(number: signal.Signals, tmp_path: Path) -> None:
    program = started(dict(os.environ), tmp_path, "--headless")
    time.sleep(0.4)
    program.send_signal(number)
    code, said = ended(program)
    assert code in (0, 130) and not said


@needs_screen
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(
            "windowclose",
            marks=pytest.mark.xfail(strict=False, reason="it still crashes now and then, in the middle of a frame"),
        ),
        "windowkill",
    ],
)
def test_a_window_that_is_taken_away_ends_the_program_in_order(way: str, tmp_path: Path) -> None:
    with screen() as environment:
        program = started(environment, tmp_path)
        window = shown(environment)
        time.sleep(2)
        xdotool(environment, way, window)
        code, said = ended(program)
    assert code == 0 and "Traceback" not in said  # Xlib's own sentence may stand there


@needs_screen
def test_a_display_that_goes_away_ends_the_program_in_order(tmp_path: Path) -> None:
    with screen() as environment:
        program = started(environment, tmp_path)
        shown(environment)
        time.sleep(2)
    code, said = ended(program)
    assert code == 0 and not said
