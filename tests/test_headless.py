"""`--headless`: the live engine without a window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from stage import ENDED_S, SMALL, Stage, StagePoser

from puppeteer.by_name import set_by_name
from puppeteer.commands.headless import figures, headless
from puppeteer.live import Part, Status
from puppeteer.settings import PoserSettings

ROOT = Path(__file__).resolve().parent.parent


def test_it_feeds_the_virtual_camera_and_says_what_happens(
    character_png: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage()
    settings = set_by_name(SMALL, "studio.character", str(character_png))
    for name in ("output.virtual_camera", "output.browser_source"):
        settings = set_by_name(settings, name, False)
    headless(settings, stage.parts(), seconds=3)
    said = capsys.readouterr().out
    assert stage.device.opened == stage.device.closed == 1 and len(stage.device.times_s) > 5
    assert stage.camera.opened == stage.camera.closed == 1
    assert "camera: Scripted camera, 320x240" in said and "virtual camera: /dev/stage" in said
    assert "your face; camera " in said and " ms from camera to output" in said
    assert said.splitlines()[-1] == "Puppeteer has ended"


def test_figures_name_what_is_wrong() -> None:
    well, wrong = Part("ok", ""), Part("problem", "")
    status = Status(wrong, well, well, well, wrong, Part(), "demo", False, 0.0, 0.0, 29.6, 30.2)
    assert figures(status) == (
        "recorded motion; camera 0, tracking 0, drawing 30, sending 30 a second; trouble with camera, virtual camera"
    )


def test_without_a_window_nobody_is_told_to_press_a_button(
    character_png: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage()
    given = stage.parts()

    def poser(settings: PoserSettings) -> StagePoser:
        made = StagePoser(settings.family, settings.device)
        if settings.device != "cpu":
            made.error = RuntimeError("out of memory")
        return made

    parts = replace(given, poser=poser)
    headless(set_by_name(SMALL, "studio.character", str(character_png)), parts, seconds=3)
    said = capsys.readouterr().out
    assert "out of memory" in said and "start Puppeteer again" in said and "Retry" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    environment = os.environ | {"PUPPETEER_HOME": str(tmp_path)}
    line = [sys.executable, "-W", "error", "app.py", "--headless", "--source", "demo"]
    started = subprocess.Popen(
        line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines: list[str] = []
    assert started.stdout is not None

    def read(stdout: object) -> None:
        lines.extend(stdout)  # type: ignore[arg-type]

    reader = threading.Thread(target=read, args=(iter(started.stdout.readline, ""),))
    reader.start()
    # While networks and tracker are loading: what hangs in an import must not hold the end up.
    end_s = time.monotonic() + 60
    while not lines and time.monotonic() < end_s:
        time.sleep(0.05)
    begin_s = time.monotonic()
    started.send_signal(number)
    assert started.wait(60) == 0, started.stderr
    assert time.monotonic() - begin_s < ENDED_S
    reader.join(20)
    errors = started.stderr.read() if started.stderr else ""
    assert not errors and lines[-1] == "Puppeteer has ended\n"
    for pipe in (started.stdout, started.stderr):
        if pipe is not None:
            pipe.close()
