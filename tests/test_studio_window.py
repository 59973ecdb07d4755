"""The window that `python app.py` opens, with real mouse and keys: every control once, where it opens, what it greets
with. Its engine and networks are real; only the questions of `studio_process.py` are added."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hands import Studio
from screens import needs_screen, screen, xdotool

from puppeteer.pose import NUMBERS, SIX

PAGES = ("character", "camera", "motion", "output", "help")


def home_in(folder: Path) -> dict[str, str]:
    (folder / "Videos").mkdir(exist_ok=True)
    return {"PUPPETEER_HOME": str(folder / "puppeteer"), "HOME": str(folder)}


@contextmanager
def opened(folder: Path, size: str, *words: str, managed: bool = False, **more: str) -> Iterator[Studio]:
    """`python app.py` on a screen of that size, without or with a window manager."""
    with screen(size) as environment:
        environment |= home_in(folder) | more
        manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL) if managed else None
        try:
            if managed:
                time.sleep(1)
            running = Studio(environment, "app", *words)
            try:
                yield running
                running.end()
            finally:
                running.kill()
        finally:
            if manager is not None:
                manager.terminate()
                manager.wait(10)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with opened(tmp_path_factory.mktemp("home"), "1920x1080", "--source", "demo") as running:
        yield running


def value_of(app: Studio, name: str) -> float:
    return float(app.ask(f"dpg.get_value(win.meters.sliders['{name}'])"))


@needs_screen
def test_manual_sliders_answer_to_press_and_drag(app: Studio) -> None:
    app.press("s")
    for name in SIX:
        slider = f"win.meters.sliders['{name}']"
        app.click(slider, 0.95)
        assert value_of(app, name) > 0.8, name
        left, top = app.ask(f"dpg.get_item_rect_min({slider})")
        width, height = app.ask(f"dpg.get_item_rect_size({slider})")
        app.drag((left + 0.95 * width, top + height / 2), (-0.4 * width, 0))
        assert value_of(app, name) < 0.75, name
    app.click("win.meters.sliders['neck_y']", 0.97)
    app.until("win.studio.engine.shown.neck_y > 0.9 and win.studio.engine.status().driver == 'manual'")
    assert app.ask("dpg.get_item_rect_size(win.meters._cells['neck_y']._list)[1]") <= app.ask("win.theme.px(22)")
    app.press("s")


@needs_screen
def test_all_numbers_unfold_in_groups_and_move_the_character(app: Studio) -> None:
    shown = "[name for name, item in win.meters.sliders.items() if dpg.is_item_shown(item)]"
    app.press("s")
    app.wait()
    assert app.ask(shown) == list(SIX), "the first look is simple"
    app.click("win.meters._more")
    app.wait(4)
    assert app.ask(shown) == [declared.name for declared in NUMBERS]
    assert set(app.ask("list(win.meters._titles)")) == {one.group for one in NUMBERS if one.name not in SIX}
    area = "win.meters._scroll"
    top = app.ask("dpg.get_item_rect_min(win.meters._more)[1]") + 40
    for declared in NUMBERS:
        slider = f"win.meters.sliders['{declared.name}']"
        app.ask(
            f"dpg.set_y_scroll({area}, min(dpg.get_y_scroll_max({area}), max(0, dpg.get_y_scroll({area})"
            f" + dpg.get_item_rect_min({slider})[1] - {top + 40})))"
        )
        app.wait(3)
        app.click(slider, 0.96)
        assert value_of(app, declared.name) > 0.85, declared.name
        assert app.ask(f"win.studio.manual.{declared.name}") > 0.85
    app.click("win.meters._rest")
    assert app.ask("win.studio.manual.values()") == [0.0] * len(NUMBERS)
    app.click("win.meters._more")
    app.press("s")


def pressed(app: Studio, item: int, kind: str, name: str, area: str) -> None:
    """One control, by the mouse; what it would do is only written down."""
    visible, top = app.ask(f"[dpg.is_item_visible({item}), dpg.get_item_rect_min({item})[1]]")
    if not visible:
        scroll = f"dpg.get_y_scroll({area}) + {top} - 300"
        app.ask(f"dpg.set_y_scroll({area}, min(dpg.get_y_scroll_max({area}), max(0, {scroll})))")
        app.until(f"dpg.is_item_visible({item})")
        app.wait(1)
    (left, top), (width, height), _ = app.ask(
        f"[dpg.get_item_rect_min({item}), dpg.get_item_rect_size({item}), hear({item})]"
    )

    def tap(x: float, y: float) -> None:
        app.move(x, y)
        app.wait(2)
        xdotool(app.environment, "mousedown", 1)
        app.wait(1)
        xdotool(app.environment, "mouseup", 1)
        app.wait(2)

    tap(left + 0.3 * width, top + height / 2)
    if kind == "mvCombo":  # a list has opened: its first line
        tap(left + 0.3 * width, top + 1.6 * height)
    if kind == "mvInputText":
        answered = app.ask(f"dpg.is_item_active({item})")
    elif kind == "mvColorButton":
        answered = app.ask("dpg.is_item_shown(win.pages['character'].background.picker)")
    else:
        answered = item in app.ask("heard")
    if kind in ("mvInputText", "mvColorButton"):
        app.press("Escape")
    app.ask(f"unhear({item})")
    assert answered, f"{kind} {name} does not answer to the mouse"


@needs_screen
def test_every_control_of_every_page_answers_to_the_mouse(app: Studio) -> None:
    less = {"source.kind": "camera", "output.background": "#203040", "output.rate": 5, "output.detail": 256}
    app.ask(f"win.studio.change_all({less})")
    seen: dict[str, int] = {}
    for page in PAGES:
        app.click(f"win.tabs.buttons['{page}']")
        assert app.ask("win.studio.page") == page
        app.wait(4)
        area = f"win.areas['{page}']"
        for item, _, name in app.ask("controls()"):
            if name == "More":
                app.ask(f"dpg.set_y_scroll({area}, 0)")
                app.ask(f"dpg.get_item_callback({item})()")
        app.wait(4)
        inside = app.ask(f"[found for found in controls(win.areas['{page}'])]")
        seen[page] = len(inside)
        for item, kind, name in inside:
            pressed(app, item, kind, name, area)
        app.ask(f"dpg.set_y_scroll({area}, 0)")
    others = [found for area in ("top", "actions") for found in app.ask(f"controls(win.{area}.area)")]
    for item, kind, name in others:
        pressed(app, item, kind, name, "win.root")
    # the walk walked: a page that is not looked through would pass
    assert seen["character"] > 12 and seen["motion"] > 30 and seen["output"] > 10 and seen["help"] > 8, seen
    assert seen["camera"] > 8 and len(others) == 12, (seen, others)
