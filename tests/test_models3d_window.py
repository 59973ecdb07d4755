"""The annotation window, used by a real mouse and real keys."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from models3d_files import doll, pmx
from PIL import ImageGrab
from screens import needs_screen, screen, xdotool

from puppeteer.models3d.session import Session

ROOT = Path(__file__).resolve().parent.parent
RED = (235, 80, 80)  # the line at the skull's top


def waited(what: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.1)
    raise AssertionError("nothing happened")


@needs_screen
def test_heads_and_morphs_are_marked_by_mouse_and_keys(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "doll.pmx").write_bytes(pmx(doll()))
    file = tmp_path / "annotations.json"

    def marks() -> dict[str, Any]:
        return json.loads(file.read_text(encoding="utf-8"))["models"] if file.exists() else {}

    with screen("1280x800") as environment:
        command = [sys.executable, "-W", "error", "-m", "puppeteer.models3d", "annotate", str(tmp_path), "--all"]
        tool = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        try:

            def red_row() -> int:
                picture = np.asarray(ImageGrab.grab(xdisplay=environment["DISPLAY"]).convert("RGB")).astype(int)
                line = (np.abs(picture - RED).sum(-1) < 60).sum(1)
                return int(line.argmax()) if line.max() > 700 else 0

            row = waited(red_row)
            window = xdotool(environment, "search", "--onlyvisible", "--name", "^Puppeteer: annotate").split()[-1]
            xdotool(environment, "windowfocus", "--sync", window)
            left = int(xdotool(environment, "getwindowgeometry", "--shell", window).split("X=")[1].split()[0])
            xdotool(environment, "mousemove", left + 200, row)
            time.sleep(0.3)
            xdotool(environment, "mousedown", 1)
            for down in range(3, 25, 3):
                xdotool(environment, "mousemove", left + 200, row + down)
                time.sleep(0.1)
            xdotool(environment, "mouseup", 1)
            mark = waited(lambda: marks().get("one/doll.pmx"))
            assert 11.7 < mark["top"] < 11.95 and abs(mark["chin"] - 10) < 0.01  # 24 of 240 px of a head of 2
            for key in ("m", "Right", "1"):  # the second morph closes the left eye
                xdotool(environment, "key", key)
                time.sleep(0.5)
            mark = waited(lambda: marks()["one/doll.pmx"].get("morphs"))
            assert list(mark) == ["eye_left"]
            xdotool(environment, "key", "n")
            time.sleep(1.5)
            xdotool(environment, "key", "s")
            assert waited(lambda: marks().get("two/doll.pmx"))["skipped"]
            assert tool.poll() is None
        finally:
            tool.terminate()
            said = tool.communicate(timeout=20)[1]
    assert "Traceback" not in said


def test_the_model_that_is_left_out_is_named(tmp_path: Path) -> None:
    for name in ("one.pmx", "two.pmx"):
        (tmp_path / name).write_bytes(pmx(doll()))
    session = Session(tmp_path, everything=True)
    session.skip()
    assert session.path.name == "two.pmx" and session.said == "one.pmx is left out"
    session.skip()
    assert session.said == "that was the last model; it is left out"
