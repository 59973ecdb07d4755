"""A real Chromium without a screen, driven by its DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    PROGRAM is None, reason="pages are tested with Chromium: sudo apt-get install chromium"
)


class Tab:
    """One page that is open, of `size` (width, height)."""

    def __init__(self, talk: ClientConnection, size: tuple[int, int]) -> None:
        self._talk, self._numbers = talk, itertools.count(1)
        self.ask("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})

    def ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._talk.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._talk.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def run(self, script: str) -> Any:
        """What a script gives, awaited."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self) -> np.ndarray:
        """(H, W, 4) straight alpha."""
        data = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGBA)


class Chromium:
    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self._port, self.process = port, process

    @contextmanager
    def tab(self, address: str, size: tuple[int, int]) -> Iterator[Tab]:
        """Closed at the end."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=60) as answer:
            made = json.loads(answer.read())
        with connect(made["webSocketDebuggerUrl"], max_size=None, ping_interval=None) as talk:
            tab = Tab(talk, size)
            tab.ask("Page.navigate", url=address)
            yield tab
            with contextlib.suppress(ConnectionClosed):  # of a browser that was killed
                tab.ask("Page.close")


@contextmanager
def chromium() -> Iterator[Chromium]:
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="puppeteer-chromium-", ignore_cleanup_errors=True) as folder:
        line = [PROGRAM, "--headless=new", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
        line += [f"--user-data-dir={folder}", *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank"]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            told, end_s = Path(folder) / "DevToolsActivePort", time.monotonic() + 60
            while not (told.is_file() and told.read_text().count("\n")):
                assert process.poll() is None and time.monotonic() < end_s, "Chromium did not start"
                time.sleep(0.1)
            yield Chromium(int(told.read_text().split()[0]), process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
