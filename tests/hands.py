"""A running window for tests, on the stage or that of `app.py`: `ask` evaluates in it, the rest are a user's hands."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from screens import xdotool
from stage import ENDED_S, PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent


class Studio:
    """A running window: `ask` evaluates in it, the rest are hands."""

    def __init__(self, environment: dict[str, str], *words: object, picture: bool = True) -> None:
        """`words`: a character, for the window on a stage; or "app" and options, for the window of `app.py`. Waits for
        the first `picture`, or for the window alone."""
        self.environment = environment
        self.home = Path(environment["PUPPETEER_HOME"])
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/studio_process.py"), *map(str, words)],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.until("win.studio.engine.picture is not None" if picture else "win.frames", 120)
            self.window = xdotool(environment, "search", "--onlyvisible", "--name", "^Puppeteer$").split()[-1]
            xdotool(environment, "windowfocus", "--sync", self.window)
        except BaseException:
            self.kill()
            raise

    def end(self) -> None:
        """As a user closes the window; everything must have ended in time."""
        assert self.process.stdin is not None and self.process.stdout is not None
        begin_s = time.monotonic()
        self.process.stdin.close()
        try:
            assert self.process.wait(30) == 0
            assert time.monotonic() - begin_s < ENDED_S
            assert json.loads(self.process.stdout.readlines()[-1]) == {"ok": ["MainThread"]}
        finally:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def ask(self, question: str) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(question.replace("\n", " ") + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the window is gone"}')
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    def until(self, question: str, within_s: float = PATIENCE_S) -> Any:
        end_s = time.monotonic() + within_s
        while not (answer := self.ask(f"bool({question})")):
            assert time.monotonic() < end_s, f"{question} did not become true"
        return answer

    def wait(self, frames: int = 3) -> None:
        now = self.ask("win.frames")
        self.until(f"win.frames >= {now + frames}")

    def click(self, item: str, share: float = 0.5, times: int = 1) -> None:
        """In the middle of a widget, or at a share of its width."""
        left, top, width, height = self.place(item)
        self.move(left + share * width, top + height / 2)
        self.wait(2)
        for _ in range(times):
            xdotool(self.environment, "mousedown", 1)
            self.wait(1)
            xdotool(self.environment, "mouseup", 1)
            self.wait(1)
        self.wait(2)

    def place(self, item: str) -> list[float]:
        """Left, top, width, height of a widget, once it stays there: what is above it may still be growing."""
        found: list[float] = []
        for _ in range(20):
            self.wait(3)
            before, found = found, self.ask(f"[*dpg.get_item_rect_min({item}), *dpg.get_item_rect_size({item})]")
            if found == before:
                break
        return found

    def move(self, x: float, y: float) -> None:
        """The mouse, to pixels of the window."""
        xdotool(self.environment, "mousemove", "--window", self.window, round(x), round(y))

    def tap(self, x: float, y: float) -> None:
        """A quick press at a place of the window."""
        self.move(x, y)
        self.wait(2)
        xdotool(self.environment, "mousedown", 1)
        self.wait(1)
        xdotool(self.environment, "mouseup", 1)
        self.wait(2)

    def reveal(self, item: str, page: str) -> None:
        """Scrolls a page of the side panel to a widget."""
        self.wait(4)
        area = f"win.areas['{page}']"
        self.ask(
            f"dpg.set_y_scroll({area}, min(dpg.get_y_scroll_max({area}), dpg.get_y_scroll({area})"
            f" + dpg.get_item_rect_min({item})[1] - 300))"
        )
        self.wait(4)

    def press(self, *keys: str) -> None:
        for key in keys:
            xdotool(self.environment, "keydown", key)
            self.wait(2)
            xdotool(self.environment, "keyup", key)
            self.wait(2)

    def drag(self, start: tuple[float, float], way: tuple[float, float]) -> None:
        x, y = start
        self.move(x, y)
        self.wait(2)
        xdotool(self.environment, "mousedown", 1)
        self.wait(2)
        for share in (0.3, 0.7, 1.0):
            self.move(x + share * way[0], y + share * way[1])
            self.wait(2)
        xdotool(self.environment, "mouseup", 1)
        self.wait(2)

    def flick(self, start: tuple[float, float], way: tuple[float, float]) -> None:
        """A drag as fast as the screen takes it: the last of the way comes in the same frame as letting go."""
        x, y = start
        self.move(x, y)
        self.wait(2)
        words: list[object] = ["mousedown", 1]
        for share in (0.5, 1.0):
            place = round(x + share * way[0]), round(y + share * way[1])
            words += ["mousemove", "--window", self.window, *place]
        xdotool(self.environment, *words, "mouseup", 1)
        self.wait(3)

    def colour(self) -> list[int]:
        """Of the character in the newest picture: neck_y, neck_x and mouth as numbers, see `stage.StagePoser`."""
        return list(self.ask("win.studio.engine.picture.pixels[60, 80].tolist()"))
