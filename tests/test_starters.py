"""The starters for a double click: what a newcomer meets, with and without Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "https://www.python.org/downloads/"
on_unix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script for macOS and Linux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A download in a folder with an odd name: the starters, nothing to install, and a program that says hello."""
    folder = tmp_path / "My stuff & (more)"
    folder.mkdir()
    for name in ("start.command", "start.desktop"):
        shutil.copy(ROOT / name, folder)
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "app.py").write_text("import sys; print('hello', sys.prefix, sys.argv[1:]); sys.exit('boom' in sys.argv)")
    return folder


def start(folder: Path, *arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "start.command"), *arguments],
        cwd="/",
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@on_unix
def test_the_first_start_installs_and_the_next_ones_only_start(folder: Path) -> None:
    first = start(folder, "--source", "demo file")
    assert first.returncode == 0, first.stderr
    assert f"hello {folder}/.venv ['--source', 'demo file']" in first.stdout and "Installing" in first.stdout
    again = start(folder)
    assert again.stdout.splitlines() == [f"hello {folder}/.venv []"]
    (folder / "requirements.txt").write_text("# another nothing\n")
    assert "Installing" in start(folder).stdout
    wrong = start(folder, "boom")
    assert wrong.returncode == 1 and "app.py doctor" in wrong.stdout
    (folder / "requirements.txt").write_text("no-such-package-anywhere @ file:///nowhere/at/all.whl\n")
    failed = start(folder)
    assert failed.returncode == 1 and "hello" not in failed.stdout
    assert "The installation failed" in failed.stdout and "internet" in failed.stdout


@on_unix
def test_without_python_it_says_where_to_get_it(folder: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "uname", "sed", "cmp", "cp"):
        (tools / name).symlink_to(str(shutil.which(name)))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what another version answers to the question whether it suits
    old.chmod(0o755)
    if any(
        (Path(place) / f"python3.{minor}").exists()
        for place in ("/usr/local/bin", "/opt/homebrew/bin")
        for minor in range(11, 15)
    ):
        pytest.skip("this machine has a Python where the starter looks too")
    done = start(folder, path=str(tools))
    assert done.returncode == 1
    assert ADDRESS in done.stdout and "3.11 to 3.14" in done.stdout and not (folder / ".venv").exists()


@on_unix
def test_the_desktop_entry_runs_it_from_any_folder(folder: Path) -> None:
    lines = dict(line.split("=", 1) for line in (folder / "start.desktop").read_text().splitlines() if "=" in line)
    assert lines["Terminal"] == "true"
    unescaped = lines["Exec"].replace("\\\\", "\\")  # of strings in such files; the quoting that is left is a shell's
    split = subprocess.run(
        ["sh", "-c", f"""printf '%s\\n' {unescaped}"""], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    line = [part.replace("%k", str(folder / "start.desktop")) for part in split]
    (folder / "start.command").write_text('#!/bin/sh\necho "here: $(dirname "$0") in $(pwd)"\n')
    done = subprocess.run(line, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"here: . in {folder}"


def test_the_shell_starters_may_be_executed() -> None:
    for name in ("start.command", "start.desktop"):
        assert b"\r" not in (ROOT / name).read_bytes()
        if sys.platform != "win32":
            assert os.access(ROOT / name, os.X_OK)


def test_the_batch_file_is_one_that_windows_reads() -> None:
    text = (ROOT / "start.bat").read_bytes().decode("ascii")
    assert text.count("\n") == text.count("\r\n") > 20
    lines = text.splitlines()
    labels = {line[1:] for line in lines if line.startswith(":")}
    wanted = set(re.findall(r"goto (\w+)|call :(\w+)", text))
    assert {first or second for first, second in wanted} == labels
    assert '"%~dp0"' in text and text.count("%~dp0") == 1, "a path with spaces is quoted"
    code = [line for line in lines if not line.startswith(("rem", "echo"))]
    assert not [line for line in code if ".venv\\" in line.replace('".venv\\', "")], "quoted everywhere"
    assert ADDRESS in text and "py -3" in text
    suits = re.search(r'set "SUITS=(.*)"', text)
    assert suits is not None and not set(suits.group(1)) & set('<>&|^%!"')
    assert subprocess.run([sys.executable, "-c", suits.group(1)], check=False).returncode == 0


def test_all_starters_know_the_same_versions() -> None:
    found = [re.search(r"not in (\(\(.*?\)\))", (ROOT / name).read_text()) for name in ("start.bat", "start.command")]
    assert found[0] is not None and found[1] is not None and found[0].group(1) == found[1].group(1)
    assert "3.11 to 3.14" in (ROOT / "README.md").read_text()
