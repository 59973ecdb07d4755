"""The end of the program at any moment of its life: in time, quietly, with everything kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faces import carphone
from hands import Studio
from screens import needs_screen, screen, xdotool
from stage import ENDED_S

from puppeteer.inputs.video_file import VideoFile
from puppeteer.profile import load_profile
from puppeteer.settings import STUDIO

needs_manager = pytest.mark.skipif(not shutil.which("openbox"), reason="needs a window manager: openbox")
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
    search = ("search", "--sync", "--onlyvisible", "--name", "^Puppeteer$")
    with contextlib.suppress(subprocess.CalledProcessError):  # a window vanished while it was looked at
        return xdotool(environment, *search).split()[-1]
    return xdotool(environment, *search).split()[-1]


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
@pytest.mark.parametrize("way", ["windowclose", "windowkill"])
@pytest.mark.parametrize("after_s", [0.0, 2.0])
def test_a_window_that_is_taken_away_ends_the_program_in_order(way: str, after_s: float, tmp_path: Path) -> None:
    with screen() as environment:
        program = started(environment, tmp_path)
        window = shown(environment)
        time.sleep(after_s)
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


# --- what was changed is kept, what is recorded is finished, whenever and however it ends


def cross(app: Studio) -> None:
    """The cross in the title bar. (Alt and F4 get lost now and then: Openbox binds its keys anew at the first key that
    a screen without hardware sees.)"""
    size = xdotool(app.environment, "getwindowgeometry", "--shell", app.window)
    width = int(dict(line.split("=") for line in size.split())["WIDTH"])
    xdotool(app.environment, "mousemove", "--window", app.window, "--", width - 10, -10, "click", 1)


def destroyed(app: Studio) -> None:
    xdotool(app.environment, "windowclose", app.window)


def interrupted(app: Studio) -> None:
    app.process.send_signal(signal.SIGINT)


def terminated(app: Studio) -> None:
    app.process.send_signal(signal.SIGTERM)


WAYS: dict[Callable[[Studio], None], int] = {cross: 0, destroyed: 0, interrupted: 130, terminated: 0}  # exit codes


def ways(*some: Callable[[Studio], None]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", some or WAYS, ids=lambda way: way.__name__)


@contextmanager
def managed(folder: Path, *words: str, picture: bool = True) -> Iterator[Studio]:
    """`python app.py` on a desktop with a window manager."""
    with screen("1280x720") as environment:
        (folder / "Videos").mkdir()
        environment |= {"PUPPETEER_HOME": str(folder / "puppeteer"), "HOME": str(folder)}
        manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL)
        try:
            app = Studio(environment, "app", *words, picture=picture)
            try:
                yield app
            finally:
                app.kill()
        finally:
            manager.terminate()
            manager.wait(10)


def ends(app: Studio, way: Callable[[Studio], None]) -> None:
    begun_s = time.monotonic()
    way(app)
    assert app.process.wait(60) == WAYS[way]
    assert time.monotonic() - begun_s < ENDED_S


def is_kept(folder: Path) -> bool:
    """What the tests below change last, a moment before the end."""
    return load_profile(folder / "puppeteer/profiles/default.json", STUDIO).motion.mirror is not STUDIO.motion.mirror


@needs_screen
@needs_manager
@ways()
def test_in_the_middle_of_a_calibration_and_a_recording(way: Callable[[Studio], None], tmp_path: Path) -> None:
    with managed(
        tmp_path, "--source", "video", "--video", str(carphone()), "--family", "warp", "--output.rate", "10"
    ) as app:
        app.until("win.studio.engine.status().face_found", 60)
        app.ask("[setattr(guide, name, value) for name, value in (('READY_S', 0), ('SETTLE_S', 0), ('HOLD_S', 600))]")
        app.ask("[win.studio.record(), win.studio.calibrate(), win.studio.start_calibration()]")
        app.until("win.studio.guide.phase == 'hold' and win.studio._run.seen > 3")
        drawn = app.ask("win.studio.engine.counts()['output']")
        app.until(f"win.studio.engine.counts()['output'] > {drawn + 10}")
        app.ask("win.studio.flip('motion.mirror')")
        ends(app, way)
    assert is_kept(tmp_path)
    (recording,) = (tmp_path / "Videos").iterdir()
    assert len(list(VideoFile(recording).frames())) >= 5


@needs_screen
@needs_manager
def test_others_ends_are_not_run_in_the_middle_of_a_frame(tmp_path: Path) -> None:
    """GLFW goes back to Xlib's own answer, an exit, at any moment; libraries that are loaded just then may abort."""
    with managed(tmp_path, "--source", "demo", "--family", "warp") as app:
        app.ask("win.studio.flip('motion.mirror')")
        app.ask("setattr(sys, 'c', __import__('ctypes'))")
        app.ask("(lambda libc: libc.on_exit(sys.c.cast(libc.abort, sys.c.c_void_p), None))(sys.c.CDLL(None))")
        app.ask(
            "(lambda xlib, draw: setattr(dpg, 'render_dearpygui_frame', lambda: (xlib.XSetErrorHandler(None), draw())))"
            "(sys.c.CDLL('libX11.so.6'), dpg.render_dearpygui_frame)"
        )
        app.wait()
        ends(app, destroyed)
    assert is_kept(tmp_path)


@needs_screen
@needs_manager
@ways(cross, interrupted)
def test_while_everything_is_loaded(way: Callable[[Studio], None], tmp_path: Path) -> None:
    with managed(tmp_path, "--source", "demo", picture=False) as app:
        app.ask("win.studio.flip('motion.mirror')")
        ends(app, way)
    assert is_kept(tmp_path)


@needs_screen
@needs_manager
@ways(destroyed, interrupted)
def test_while_it_is_minimised(way: Callable[[Studio], None], tmp_path: Path) -> None:
    """Dear PyGui then waits for events of the window and hears of nothing else."""
    with managed(tmp_path, "--source", "demo", "--family", "warp") as app:
        app.ask("[win.studio.flip('motion.mirror'), win.studio.record()]")
        app.until("win.studio.engine.status().recording.state == 'ok'")
        xdotool(app.environment, "windowminimize", "--sync", app.window)
        time.sleep(1)
        ends(app, way)
    assert is_kept(tmp_path)
    (recording,) = (tmp_path / "Videos").iterdir()
    assert VideoFile(recording).size == (1280, 720)
