"""The studio's window in a process of its own, on a stage (see `stage.py`); `test_studio.py` talks to it.

Each line of standard input is an expression, evaluated between two frames; the answer is a line of JSON.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from stage import SHORT, SMALL, Stage
from voices import vowel

from puppeteer.gui import guide, texts
from puppeteer.gui.profiles import Profiles, user_folder
from puppeteer.gui.safe import dpg
from puppeteer.gui.treatment import treat
from puppeteer.gui.window import Window
from puppeteer.live import Live
from puppeteer.motion import Calibration
from puppeteer.pose import FaceObservation


class Asked(Window):
    """Answers questions between frames, of which there are as many as possible."""

    def _rest(self, begun_s: float) -> None:
        time.sleep(0.002 if self.studio.engine.picture is not None else 0.05)  # other threads want to work too

    def paint(self) -> None:
        super().paint()
        names["win"] = self
        while not questions.empty() and self.frames > 4:
            question = questions.get()
            if question is None:
                dpg.stop_dearpygui()  # what closing the window does
                return
            try:
                answer: Any = {"ok": eval(question, names)}
            except Exception:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer, default=plain), flush=True)


def plain(value: Any) -> Any:
    """What JSON does not know: numbers of NumPy stay numbers, a false one must not become the true text "False"."""
    return value.item() if isinstance(value, np.generic) else str(value)


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


BUTTONS = ("mvButton", "mvImageButton", "mvColorButton")
KINDS = (*BUTTONS, "mvSliderFloat", "mvSliderInt", "mvCheckbox", "mvCombo", "mvInputText")
heard: list[Any] = []  # items that were pressed while `hear` listened
before: dict[Any, Any] = {}


def hear(item: Any) -> None:
    """From now on a press on it only is written down."""
    before[item] = dpg.get_item_callback(item)
    dpg.set_item_callback(item, lambda: heard.append(item))


def unhear(item: Any) -> None:
    dpg.set_item_callback(item, before.pop(item))
    heard.clear()


def controls(area: Any = None) -> list[tuple[Any, str, str]]:
    """What the user can press now in the main window or a part of it, scrolled away or not: item, kind and a name."""
    found = []

    def walk(item: Any) -> None:
        if not dpg.is_item_shown(item):
            return
        kind = dpg.get_item_type(item).rpartition("::")[2]
        if kind in KINDS and dpg.get_item_configuration(item)["enabled"]:
            found.append((item, kind, dpg.get_item_label(item) or dpg.get_item_alias(item) or str(item)))
        if kind not in ("mvTooltip", "mvWindowAppItem") or item == names["win"].root:
            for children in dpg.get_item_children(item).values():
                for child in children:
                    walk(child)

    walk(area or names["win"].root)
    return found


def reading() -> None:
    for line in sys.stdin:
        questions.put(line)
    questions.put(None)


questions: queue.SimpleQueue[str | None] = queue.SimpleQueue()
names: dict[str, Any] = {}

if __name__ == "__main__":  # the process that draws characters imports this file too
    names |= {
        "dpg": dpg,
        "np": np,
        "vowel": vowel,
        "texts": texts,
        "guide": guide,
        "told": [],
        "button": button,
        "controls": controls,
        "heard": heard,
        "hear": hear,
        "unhear": unhear,
        "Path": Path,
        "sys": sys,
        "treat": treat,
        "Calibration": Calibration,
        "FaceObservation": FaceObservation,
        "value": lambda name: names["win"].settings.model_dump()[name.split(".")[0]][name.split(".")[1]],
    }
    threading.Thread(target=reading, daemon=True).start()
    if sys.argv[1] == "app":  # the window that `python app.py` opens, with nothing in place of anything
        import app
        from puppeteer.gui import window

        window.Window = Asked
        sys.argv[:] = ["app.py", *sys.argv[2:]]  # how it ends depends on what was asked for
        code = app.main(sys.argv[1:])
        print(json.dumps({"ok": [thread.name for thread in threading.enumerate() if not thread.daemon]}), flush=True)
        app.leave(code)
    stage = Stage(patience=SHORT)
    profiles = Profiles(user_folder())
    settings = profiles.start()
    if not settings.studio.character:
        settings = SMALL
        character = Path(sys.argv[1])
        studio = settings.studio.model_copy(update={"character": str(character)})
        settings = settings.model_copy(update={"studio": studio})
    stage.live = Live(settings, parts=stage.parts())
    names["stage"] = stage
    Asked(stage.live, profiles).run()
    print(json.dumps({"ok": [thread.name for thread in threading.enumerate() if not thread.daemon]}), flush=True)
    os._exit(0)  # as the program ends: libraries that are taken down while their threads wait may abort
