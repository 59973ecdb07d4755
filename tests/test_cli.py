"""The command line as a user meets it: help, wrong input, settings and profiles, exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import app
from puppeteer import characters
from puppeteer.by_name import Leaf, leaves, set_by_name
from puppeteer.prepare.reading import read_character
from puppeteer.profile import save_profile
from puppeteer.settings import STUDIO, Settings

ROOT = Path(__file__).resolve().parent.parent


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Runs a command line that must be refused with 2; returns what was said, in one line."""
    try:
        code = app.main(arguments)
    except SystemExit as stop:
        code = stop.code  # tyro's own refusals
    said = capsys.readouterr()
    assert code == 2, said
    assert "Traceback" not in said.err and not said.out
    return " ".join(re.sub("[│╭╮╰╯─]", " ", said.err).split())


def flat(settings: Settings) -> dict[str, object]:
    return {leaf.name: leaf.value for leaf in leaves(settings)}


def test_help_names_every_command_and_loads_no_heavy_library() -> None:
    code = (
        "import sys, app\n"
        "try:\n    app.main(['--help'])\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "heavy = {'torch', 'mediapipe', 'cv2', 'av', 'numpy.linalg'} & set(sys.modules)\n"
        "assert heavy <= {'numpy.linalg'}, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in app.COMMANDS:
        assert re.search(rf"• {command.__name__} +[A-Z]", done.stdout), command


@pytest.mark.parametrize("command", [command.__name__ for command in app.COMMANDS])
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        app.main([command, "--help"])
    assert not stop.value.code
    text = capsys.readouterr().out
    assert len(text.splitlines()) < 50, "a page that a person reads"
    assert "STR" not in text and "FLOAT" not in text  # words, not types


def in_groups(groups: tuple[str, ...]) -> list[Leaf]:
    return [leaf for leaf in leaves() if leaf.name in groups or leaf.name.split(".")[0] in groups]


@pytest.mark.parametrize(("line", "groups"), [("transfer", ("motion", "poser")), (app.HEADLESS, app.HEADLESS_GROUPS)])
def test_help_all_lists_every_setting(line: str, groups: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app.main([line, "--help-all"])
    text = capsys.readouterr().out
    assert len(in_groups(groups)) > 30
    for leaf in in_groups(groups):
        group, name = leaf.name.replace("_", "-").rsplit(".", 1)
        assert f"--{group}.{name}" in text or f"--{group}.no-{name}" in text, leaf.name


def test_without_a_display_it_names_headless() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if sys.platform != "linux":
        pytest.skip("elsewhere there is always a display")
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "python app.py --headless" in done.stderr


def test_options_without_a_command_reach_the_window_and_not_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from puppeteer import gui
    from puppeteer.gui import display, window
    from puppeteer.gui.profiles import Profiles

    opened: list[tuple[Settings, Profiles]] = []

    class Opened:
        def __init__(self, live: Any, profiles: Profiles) -> None:
            opened.append((live.settings, profiles))

        def run(self) -> None:
            pass

        stop = close = run

        @property
        def studio(self) -> Opened:
            return self

    monkeypatch.setenv("PUPPETEER_HOME", str(tmp_path))
    monkeypatch.setattr(display.Probe, "__init__", lambda self: None)
    monkeypatch.setattr(display.Probe, "check", lambda self: None)
    monkeypatch.setattr(window, "Window", Opened)
    Profiles(tmp_path).save(set_by_name(STUDIO, "motion.idle", False))
    assert app.main(["--camera", "Nice Cam", "--no-mirror"]) == 0
    gui.studio(app.live_parts())
    (settings, profiles), (usual, _) = opened
    assert (settings.source.camera, settings.motion.mirror, settings.motion.idle) == ("Nice Cam", False, False)
    assert usual == set_by_name(STUDIO, "motion.idle", False)
    profiles.save(settings)
    assert Profiles(tmp_path).start() == usual


def test_help_of_headless_is_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        app.main([app.HEADLESS, "--help"])
    assert not stop.value.code
    assert len(capsys.readouterr().out.splitlines()) < 50


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("trasfer a.mp4 --output b.mp4", "Available subcommands: transfer"),
        ("transfer", "--output VIDEO"),
        ("transfer a.mp4", "--output VIDEO"),
        ("transfer a.mp4 --output b.mp4 --backgruond red", "Perhaps you meant: --background"),
        ("transfer a.mp4 --output b.mp4 --motion.eye-left.bta 3", "Perhaps you meant: --motion.eye-left.beta"),
        ("transfer a.mp4 --output b.mp4 --family wrap", "invalid choice 'wrap'"),
        ("transfer a.mp4 --output b.mp4 --size big", "--size"),
        ("transfer a.mp4 --output b.mp4 --motion.eye-left.beta 99", "motion.eye_left.beta is 99.0: it must be 0 to 20"),
        ("transfer a.mp4 --output b.mp4 --motion.eye-left.beta nan", "motion.eye_left.beta is NaN: it must be 0 to 20"),
        ("transfer nothing.mp4 --output b.mp4", "nothing.mp4 does not exist"),
        ("transfer app.py --output b.mp4", "app.py is"),
        ("transfer a.mp4 --output b.mp4 --profile none.json", "there is no profile none.json"),
        ("demo --output no-such-folder/b.mp4", "no-such-folder does not exist"),
        ("demo --output b.mp4 --background nocolour", "nocolour"),
        ("track nothing.mp4 --output p.csv", "nothing.mp4 does not exist"),
        ("pose c.png --output out", "give either --poses POSES.csv or single values"),
        ("pose c.png --output out --poses p.csv --eye-left 1", "give either --poses POSES.csv or single values"),
        ("pose c.png --output out --eye-left 1.5", "--eye-left is 1.5: it must be 0 to 1"),
        ("pose c.png --output out --eye-left -0.5", "--eye-left is -0.5: it must be 0 to 1"),
        ("pose c.png --output out --neck-y nan", "--neck-y is nan: it must be -1 to 1"),
        ("pose nothing.png --output out --eye-left 1 --family warp", "nothing.png"),
        ("pose app.py --output out --eye-left 1 --family warp", "app.py"),
        ("character --output no-such-folder/c.png", "no-such-folder does not exist"),
        ("character --output c.jpg", "name it c.png"),
        ("character --output c.png --size 7", "--size is 7: it must be 64 to 4096"),
        ("character --output c.png --seed -1", "seed"),
        ("bench --frames 1", "--frames is 1"),
        ("bench --live --output.rate 1000", "output.rate is 1000: it must be 5 to 60 Hz"),
        ("--headless --profile none.json", "there is no profile none.json"),
        ("--headless --output.rate 1000", "output.rate is 1000: it must be 5 to 60 Hz"),
        ("--headless --sauce demo", "Perhaps you meant: --source"),
        ("--headless transfer", "transfer"),
        ("--sauce demo", "Perhaps you meant: --source"),
        ("--output.rate 1000", "output.rate is 1000: it must be 5 to 60 Hz"),
        ("--profile none.json", "there is no profile none.json"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(line.split(), capsys)


def test_broken_pictures_and_tables_are_refused(
    character_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def pose(character: Path, table: str) -> str:
        (tmp_path / "poses.csv").write_text(table)
        arguments = ["pose", str(character), "--poses", str(tmp_path / "poses.csv"), "--family", "warp"]
        return refused([*arguments, "--output", str(tmp_path / "out")], capsys)

    header = "eye_left,eye_right,mouth_open,neck_z,neck_x,neck_y\n"
    assert "neck_y" in pose(character_png, "eye_left,eye_right,mouth_open,neck_z,neck_x\n0,0,0,0,0\n")
    assert "nan" in pose(character_png, header + "0,0,nan,0,0,0\n").lower()
    assert "poses.csv" in pose(character_png, header + "0,0,wide,0,0,0\n")
    assert "poses.csv" in pose(character_png, header)
    assert "poses.csv" in pose(character_png, "")
    cut = tmp_path / "cut.png"
    cut.write_bytes(character_png.read_bytes()[:200])
    assert "cut.png" in pose(cut, header + "0,0,0,0,0,0\n")


def test_command_line_wins_over_profile_wins_over_defaults(tmp_path: Path) -> None:
    profile = tmp_path / "p.json"
    profile.write_text(json.dumps({"motion": {"mirror": True, "neck_y": {"gain": 2.0, "beta": 7.25}}}))
    line = ["track", "a.mp4", "--output", "p.csv"]

    def parsed(*more: str) -> Settings:
        settings = app.parse([*line, *more])[1]["settings"]
        assert isinstance(settings, Settings)
        return settings

    assert parsed() == Settings()
    assert parsed("--mirror") == set_by_name(Settings(), "motion.mirror", True)
    stored = parsed("--profile", str(profile))
    changed = {name for name, value in flat(stored).items() if value != flat(Settings())[name]}
    assert changed == {"motion.mirror", "motion.neck_y.gain", "motion.neck_y.beta"}
    over = parsed("--profile", str(profile), "--no-mirror", "--motion.neck-y.gain", "1.5")
    assert not over.motion.mirror and over.motion.neck_y.gain == 1.5 and over.motion.neck_y.beta == 7.25
    # A value that happens to be the default still wins over the profile.
    default = Settings().motion.neck_y.gain
    assert parsed("--profile", str(profile), "--motion.neck-y.gain", str(default)).motion.neck_y.gain == default


def test_settings_outside_a_commands_groups_come_from_the_profile(tmp_path: Path) -> None:
    profile = tmp_path / "p.json"
    profile.write_text('{"poser": {"family": "warp"}}')
    keywords = app.parse(["track", "a.mp4", "--output", "p.csv", "--profile", str(profile)])[1]
    assert keywords["settings"].poser.family == "warp"


@pytest.mark.parametrize(
    ("line", "groups", "base"),
    [
        ("transfer a.mp4 --output b.mp4", ("motion", "poser"), Settings()),
        (app.HEADLESS, app.HEADLESS_GROUPS, STUDIO),
    ],
)
def test_every_setting_has_its_option(
    line: str, groups: tuple[str, ...], base: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUPPETEER_HOME", str(tmp_path))
    arguments: list[str] = []
    wanted = flat(base)
    names = {leaf.name for leaf in in_groups(groups)}
    for leaf in leaves(base):
        if leaf.name not in names:
            continue
        group, name = leaf.name.replace("_", "-").rsplit(".", 1)
        option = f"--{group}.{name}"
        if leaf.type is bool:
            arguments.append(f"--{group}.no-{name}" if leaf.value else option)
            wanted[leaf.name] = not leaf.value
        else:
            others = leaf.choices or ((leaf.high, leaf.low) if leaf.type is not str else ("another",))
            other = next(choice for choice in others if choice not in (None, leaf.value))
            arguments += [option, str(other)]
            wanted[leaf.name] = other
    assert flat(app.parse([*line.split(), *arguments])[1]["settings"]) == wanted


@pytest.mark.parametrize("headless", [True, False])
def test_the_studio_and_headless_take_the_profile_that_was_used_last(
    headless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from puppeteer.gui.profiles import Profiles

    monkeypatch.setenv("PUPPETEER_HOME", str(tmp_path))

    def parsed(*more: str) -> Settings:
        # Without any option the window opens before the command line is looked at.
        arguments = [app.HEADLESS, *more] if headless else [*(more or ("--motion.idle",))]
        function, keywords = app.parse(arguments)
        assert function is (app.headless if headless else app.window)
        assert isinstance(keywords["settings"], Settings)
        return keywords["settings"]

    assert parsed() == STUDIO and STUDIO.motion.mirror, "a mirror where nothing else is said"
    assert not parsed("--no-mirror").motion.mirror
    used = set_by_name(STUDIO, "source.camera", "Nice Cam")
    Profiles(tmp_path).save(used)
    assert parsed() == used
    assert parsed("--camera", "Other").source.camera == "Other"
    other = tmp_path / "other.json"
    save_profile(other, set_by_name(STUDIO, "output.rate", 25))
    assert parsed("--profile", str(other)).output.rate == 25
    (tmp_path / "profiles" / "default.json").write_text("broken")
    assert parsed() == STUDIO
    assert "default.json" in capsys.readouterr().err


def test_a_single_pose_with_negative_numbers(
    character_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["pose", str(character_png), "--output", str(tmp_path / "out"), "--family", "warp", "--device", "cpu"]
    assert app.main([*line, "--neck-z", "-1", "--eye-left=0.5"]) == 0
    leaning = read_character(tmp_path / "out" / "0000.png").rgba
    assert leaning.shape == (256, 256, 4)
    assert app.main([*line, "--neck-z", "1"]) == 0
    other = read_character(tmp_path / "out" / "0000.png").rgba
    # neck_z +1 leans towards the viewer's left.
    columns = np.arange(256)
    centre = [float((picture[:120, :, 3] * columns).sum() / picture[:120, :, 3].sum()) for picture in (leaning, other)]
    assert centre[0] > 128 > centre[1]


def test_a_table_of_poses(character_png: Path, tmp_path: Path) -> None:
    table = tmp_path / "poses.csv"
    table.write_text("eye_left,eye_right,mouth_open,neck_z,neck_x,neck_y\n0,0,0,0,0,0\n1,1,1,1,1,1\n0,0,0,-1,-1,-1\n")
    out = tmp_path / "out"
    line = ["pose", str(character_png), "--poses", str(table), "--output", str(out), "--size", "128"]
    assert app.main([*line, "--family", "warp"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["0000.png", "0001.png", "0002.png"]
    assert read_character(out / "0001.png").rgba.shape == (128, 128, 4)


def test_the_default_character_is_the_first_that_ships(
    character_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(characters, "SHIPPED", tmp_path / "shipped")
    line = ["demo", "--output", str(tmp_path / "demo.mp4"), "--family", "warp"]
    assert "there is no character in" in refused(line, capsys)
    (tmp_path / "shipped").mkdir()
    for name in ("b.png", "a.png"):
        (tmp_path / "shipped" / name).write_bytes(character_png.read_bytes())
    assert characters.default_character().name == "a.png"


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe of the Unix shell")
def test_a_reader_that_stops_early_is_no_error() -> None:
    line = f"{shlex.quote(sys.executable)} app.py transfer --help-all"
    done = subprocess.run(f"{line} | true", shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_the_end_takes_nothing_apart_but_does_what_was_asked_for(tmp_path: Path) -> None:
    """Libraries that the system takes back whole would cost half a second."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\n"
        "class Kept:\n"
        "    def __del__(self, say=print): say('taken apart')\n"
        "class Package:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'tyro':\n"
        "            sys.meta_path.remove(self)\n"
        "            atexit.register(print, 'done')\n"  # as packages do
        "sys.meta_path.insert(0, Package())\n"
        "kept = Kept()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    words = [sys.executable, "app.py", "pose", "missing.png", "--output", str(tmp_path / "out")]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == "done\n"


def test_a_tracker_is_imported_after_the_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the same time both take longer; the picture comes first."""
    from puppeteer import poser
    from puppeteer.tracking import face_landmarker

    done: list[str] = []
    monkeypatch.setattr(face_landmarker, "FaceLandmarkerTracker", lambda: done.append("tracker"))
    monkeypatch.setattr(poser.Poser, "load", lambda *_: done.append("networks"))
    parts = app.live_parts()
    waiting = threading.Thread(target=parts.tracker)
    waiting.start()
    waiting.join(0.2)
    assert not done
    parts.poser(STUDIO.poser)
    waiting.join(5)
    assert sorted(done) == ["networks", "tracker"]


def test_character_draws_the_same_seed_alike(tmp_path: Path) -> None:
    pytest.importorskip("moderngl")
    first, second = tmp_path / "1.png", tmp_path / "2.png"
    for path in (first, second):
        code = app.main(["character", "--seed", "5", "--size", "128", "--output", str(path)])
        if code == 2:
            pytest.skip("no OpenGL on this machine")
    drawing = read_character(first)
    assert drawing.square == (0, 0, 128) and drawing.rgba[..., 3].any()
    assert first.read_bytes() == second.read_bytes()


def test_ctrl_c_ends_quietly_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("puppeteer.commands.doctor.doctor", interrupted)
    assert app.main(["doctor"]) == 130
    assert not capsys.readouterr().err


def test_an_incomplete_installation_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_library(**_: object) -> None:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("puppeteer.commands.doctor.doctor", without_library)
    assert "apt-get install libgl1" in refused(["doctor"], capsys)


def test_a_bug_shows_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("puppeteer.commands.doctor.doctor", bug)
    with pytest.raises(ZeroDivisionError):
        app.main(["doctor"])


def test_doctor_exits_with_1_where_something_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppeteer.commands.doctor.doctor", lambda **_: False)
    with pytest.raises(SystemExit) as stop:
        app.main(["doctor"])
    assert stop.value.code == 1


def test_the_packages_that_are_needed_to_say_so_are_named() -> None:
    code = "import sys; sys.modules['tyro'] = None; import app"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "tyro is not installed: run  python -m pip install -r requirements.txt" in done.stderr


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^python3 -m venv .*pytest$", readme, re.MULTILINE)
    assert command is not None
    assert command[0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_a_processor_without_avx_is_told_before_anything_is_imported_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from puppeteer import processor

    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name : Pentium\nflags\t\t: fpu sse4_2 popcnt\n")
    assert not processor.has_avx("linux", "x86_64", cpuinfo)
    assert processor.has_avx("linux", "aarch64", cpuinfo) and processor.has_avx("linux", "x86_64", tmp_path / "none")
    cpuinfo.write_text("flags : fpu avx avx2\n")
    assert processor.has_avx("linux", "x86_64", cpuinfo)
    monkeypatch.setattr(processor, "has_avx", lambda: False)
    assert "lacks AVX" in refused(["doctor"], capsys) and "lacks AVX" in refused([], capsys)
