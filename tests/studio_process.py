"""The studio's window in a process of its own, on a stage (see `stage.py`); `test_studio.py` talks to it.

Each line of standard input is an expression, evaluated between two frames; the answer is a line of JSON.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
from stage import SHORT, SMALL, Stage

from puppeteer.gui import guide, texts
from puppeteer.gui.doctor import treat
from puppeteer.gui.profiles import Profiles, user_folder
from puppeteer.gui.window import Window
from puppeteer.live import Live
from puppeteer.motion import Calibration
from puppeteer.pose import FaceObservation


class Asked(Window):
    """Answers questions between frames, of which there are as many as possible."""

    def _rest(self, begun_s: float) -> None:
        time.sleep(0.002)  # other threads want to work too

    def paint(self) -> None:
        super().paint()
        if self.frames == 1:
            dpg.set_viewport_pos([0, 0])
        while not questions.empty() and self.frames > 4:
            question = questions.get()
            if question is None:
                dpg.stop_dearpygui()  # what closing the window does
                return
            try:
                answer: Any = {"ok": eval(question, names)}
            except Exception:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer, default=str), flush=True)


def button(label: str, number: int = 0) -> Any:
    """The visible button with this label."""
    found = [
        item
        for item in dpg.get_all_items()
        if dpg.get_item_type(item).endswith("mvButton")
        and dpg.get_item_label(item) == label
        and dpg.is_item_visible(item)
    ]
    assert found, f"no button {label}"
    return found[number]


def reading() -> None:
    for line in sys.stdin:
        questions.put(line)
    questions.put(None)


questions: queue.SimpleQueue[str | None] = queue.SimpleQueue()
names: dict[str, Any] = {}

if __name__ == "__main__":  # the process that draws characters imports this file too
    stage = Stage(patience=SHORT)
    profiles = Profiles(user_folder())
    settings = profiles.start()
    if not settings.studio.character:
        settings = SMALL
        character = Path(sys.argv[1])
        studio = settings.studio.model_copy(update={"character": str(character)})
        settings = settings.model_copy(update={"studio": studio})
    stage.live = Live(settings, parts=stage.parts())
    window = Asked(stage.live, profiles)
    names |= {
        "win": window,
        "dpg": dpg,
        "stage": stage,
        "np": np,
        "texts": texts,
        "guide": guide,
        "told": [],
        "button": button,
        "Path": Path,
        "sys": sys,
        "treat": treat,
        "Calibration": Calibration,
        "FaceObservation": FaceObservation,
        "value": lambda name: window.settings.model_dump()[name.split(".")[0]][name.split(".")[1]],
    }
    threading.Thread(target=reading, daemon=True).start()
    window.run()
    print(json.dumps({"ok": [thread.name for thread in threading.enumerate() if not thread.daemon]}), flush=True)
