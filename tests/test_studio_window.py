"""The window that `python app.py` opens, with real mouse and keys: every control once, where it opens, what it greets
with.

Its engine is real, the family without networks draws; only the questions of `studio_process.py` are added."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hands import Studio
from screens import needs_screen, screen, xdotool

from puppeteer.pose import NUMBERS, SIX

# What draws costs as little as possible: it is the window that is tested.
SMALL = ("--output.rate", "10", "--output.width", "320", "--output.height", "180")
LIGHT = ("--source", "demo", "--family", "warp", *SMALL)
PAGES = ("character", "camera", "faces", "motion", "output", "help")


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
    with opened(tmp_path_factory.mktemp("home"), "1920x1080", *LIGHT) as running:
        yield running


def value_of(app: Studio, name: str) -> float:
    return float(app.ask(f"dpg.get_value(win.meters.sliders['{name}'])"))


@needs_screen
def test_manual_sliders_answer_to_press_and_drag(app: Studio) -> None:
    app.press("s")
    for name in ("eye_left", "mouth_open", "neck_z"):
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
    edge = app.ask("dpg.get_item_rect_min(win.meters._more)[1]") + 80
    for declared in NUMBERS:
        slider = f"win.meters.sliders['{declared.name}']"
        app.ask(
            f"dpg.set_y_scroll({area}, min(dpg.get_y_scroll_max({area}), max(0, dpg.get_y_scroll({area})"
            f" + dpg.get_item_rect_min({slider})[1] - {edge})))"
        )
        app.wait(2)
        left, top = app.ask(f"dpg.get_item_rect_min({slider})")
        width, height = app.ask(f"dpg.get_item_rect_size({slider})")
        app.tap(left + 0.96 * width, top + height / 2)
        assert value_of(app, declared.name) > 0.85, declared.name
        assert app.ask(f"win.studio.manual.{declared.name}") > 0.85
    app.click("win.meters._rest")
    assert app.ask("win.studio.manual.values()") == [0.0] * len(NUMBERS)
    app.click("win.meters._more")
    app.press("s")


def pressed(app: Studio, item: int, kind: str, name: str, area: str) -> None:
    """One control, by the mouse; what it would do is only written down."""
    visible, top = app.ask(f"[dpg.is_item_visible({item}), dpg.get_item_rect_min({item})[1]]")
    if area != "win.root" and not (visible and 60 < top < app.ask("dpg.get_viewport_client_height()") - 60):
        scroll = f"dpg.get_y_scroll({area}) + {top} - 300"
        app.ask(f"dpg.set_y_scroll({area}, min(dpg.get_y_scroll_max({area}), max(0, {scroll})))")
        app.wait(4)  # the place is known a few frames after the scroll
        app.until(f"dpg.is_item_visible({item})")
    (left, top), (width, height), _ = app.ask(
        f"[dpg.get_item_rect_min({item}), dpg.get_item_rect_size({item}), hear({item})]"
    )

    app.tap(left + 0.3 * width, top + height / 2)
    if kind.startswith("mvSlider"):  # a press on its handle, wherever that stands, changes nothing
        app.tap(left + 0.62 * width, top + height / 2)
    if kind == "mvCombo":  # a list has opened: its first line; above, near the window's end, its last
        app.tap(left + 0.3 * width, top + 1.6 * height)
        app.wait(2)
        if item not in app.ask("heard"):
            app.tap(left + 0.3 * width, top + height / 2)
            app.tap(left + 0.3 * width, top - 0.6 * height)
    question = {
        "mvInputText": f"dpg.is_item_active({item})",
        "mvColorButton": "dpg.is_item_shown(win.pages['character'].background.picker)",
    }.get(kind, f"{item} in heard")
    try:
        app.until(question)
    except AssertionError:
        pytest.fail(f"{kind} {name} does not answer to the mouse")
    if kind == "mvColorButton":
        app.tap(640, 26)  # nothing is there: what has opened closes
    app.ask(f"unhear({item})")


@needs_screen
def test_every_control_of_every_page_answers_to_the_mouse(app: Studio) -> None:
    less = {"source.kind": "camera", "output.background": "#203040"}
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
        wide = "(dpg.get_text_size(dpg.get_item_label(item)) or [0])[0]"
        cut = f"{wide} > dpg.get_item_rect_size(item)[0]"
        assert not app.ask(f"[name for item, kind, name in controls({area}) if kind == 'mvButton' and {cut}]")
        for item, kind, name in inside:
            pressed(app, item, kind, name, area)
        app.ask(f"dpg.set_y_scroll({area}, 0)")
    others = [found for area in ("top", "actions") for found in app.ask(f"controls(win.{area}.area)")]
    for item, kind, name in others:
        pressed(app, item, kind, name, "win.root")
    # the walk walked: a page that is not looked through would pass
    assert seen["character"] > 12 and seen["motion"] > 30 and seen["output"] > 10 and seen["help"] > 8, seen
    assert seen["camera"] > 8 and seen["faces"] > 20 and len(others) == 13, (seen, others)


@needs_screen
def test_one_click_copies_the_address_for_obs_and_each_way_leads_to_its_card(app: Studio) -> None:
    page = "win.pages['output']"
    app.click("win.tabs.buttons['output']")
    app.ask("dpg.set_y_scroll(win.areas['output'], 0)")
    address = app.ask("win.studio.engine.page") if app.until("win.studio.engine.page") else ""
    app.wait(6)
    app.click(f"{page}.browser.copy")
    assert app.ask("dpg.get_clipboard_text()") == address and address.startswith("http://127.0.0.1:")
    app.until(f"dpg.get_item_label({page}.browser.copy) == 'Copied'")
    for way in app.ask(f"list({page}.ways.links)"):
        app.ask("dpg.set_y_scroll(win.areas['output'], 0)")
        app.wait(6)
        app.click(f"{page}.ways.links['{way}']")
        app.wait(6)
        title = f"dpg.get_item_children({page}.ways.cards['{way}'], 1)[0]"
        assert app.ask(f"dpg.is_item_visible({title})"), way
    app.ask("dpg.set_y_scroll(win.areas['output'], 0)")
    app.click("win.tabs.buttons['motion']")
    app.click("win.top.profile")
    app.wait(6)
    assert app.ask(f"dpg.is_item_visible({page}.profiles.new)"), "what names the profile leads to where it is changed"


# --- the first minute


def frame(running: Studio) -> tuple[int, int, int, int]:
    """Where the window is on the screen: left, top, width, height, without what a window manager adds."""
    told = xdotool(running.environment, "getwindowgeometry", "--shell", running.window)
    values = dict(line.split("=") for line in told.split())
    return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])


def on_screen(running: Studio, size: str) -> None:
    """The window and its bottom row are inside the screen."""
    screen_width, screen_height = (int(side) for side in size.split("x"))
    left, top, width, height = frame(running)
    assert left >= 0 and top >= 0 and left + width <= screen_width and top + height <= screen_height
    running.until("win._scale() == win.theme.scale")
    running.wait(6)
    for item in ("win.actions.buttons['record']", "win.tabs.buttons['help']", "win.meters._more"):
        x, y = running.ask(f"dpg.get_item_rect_min({item})")
        wide, high = running.ask(f"dpg.get_item_rect_size({item})")
        assert x >= 0 and y >= 0 and x + wide <= width and y + high <= height, item


@needs_screen
@pytest.mark.skipif(not shutil.which("openbox"), reason="needs a window manager: sudo apt-get install openbox")
def test_a_first_start_fits_the_screen_and_greets_without_an_error(tmp_path: Path) -> None:
    """1366x768 with a window manager; no webcam, no virtual camera."""
    with opened(tmp_path, "1366x768", "--family", "warp", managed=True) as app:
        on_screen(app, "1366x768")
        app.until("win.studio.no_webcam(win._status)")
        app.until("win.studio.no_virtual_camera(win._status)")
        app.wait(4)
        assert app.ask("list(win.strip.shown)") == ["camera"], "one piece of news"
        assert app.ask("[one.problem for one in win.studio.notices._all.values()]") == [False]
        app.press("s")  # nor does one appear while the sliders take the place of recorded motion
        app.until("win._status.driver == 'manual'")
        app.wait(12)
        assert app.ask("[one.problem for one in win.studio.notices._all.values()]") == [False]
        app.press("s")
        # the offer is on the page Output, and the button leads to it
        app.click("win.actions.buttons['virtual_camera']")
        assert app.ask("win.studio.page") == "output" and app.ask("win.settings.output.virtual_camera") is True
        app.until("dpg.is_item_visible(win.pages['output'].offer.again)")
        app.click("win.pages['output'].offer.again")
        # once there was one, its loss is a fault
        app.ask("win.studio.memory.keep('virtual_camera', True)")
        app.until("'virtual_camera' in win.strip.shown")
        # no camera: calibration says why and does not begin
        app.press("k")
        app.until("'needs a webcam' in win.strip.shown.get('told', '')")
        assert app.ask("win.studio.guide is None")
        app.ask("win.studio.change(['source.kind'], 'demo')")
        app.click("win.actions.buttons['calibrate']")
        app.until("'recorded motion has none' in win.strip.shown.get('told', '')")
        assert app.ask("win.studio.guide is None")


@needs_screen
@pytest.mark.parametrize(("size", "scale"), [("1280x720", "1.0"), ("1280x720", "1.5"), ("1920x1080", "2.0")])
def test_the_window_fits_at_every_scale(size: str, scale: str, tmp_path: Path) -> None:
    words = (*LIGHT, "--studio.scale", scale)
    with opened(tmp_path, size, *words) as app:
        on_screen(app, size)


@needs_screen
@pytest.mark.skipif(not shutil.which("openbox"), reason="needs a window manager: sudo apt-get install openbox")
def test_place_and_size_are_remembered_and_come_back_into_view(tmp_path: Path) -> None:
    words = LIGHT
    with opened(tmp_path, "1920x1080", *words, managed=True) as app:
        xdotool(app.environment, "windowsize", "--sync", app.window, 1300, 800)
        xdotool(app.environment, "windowmove", "--sync", app.window, 500, 200)
        before = frame(app)
        app.until("win.studio.memory.get('place', [])[2:] == [1300, 800]")
        kept = app.ask("win.studio.memory.get('place', [])")
        with_openbox = app.ask("dpg.get_viewport_pos()")
    with opened(tmp_path, "1920x1080", *words, managed=True) as app:
        assert app.ask("[dpg.get_viewport_width(), dpg.get_viewport_height()]") == [1300, 800]
        after = frame(app)
        assert abs(after[0] - before[0]) < 40 and abs(after[1] - before[1]) < 60, (before, after, kept, with_openbox)
    with opened(tmp_path, "1280x720", *words, managed=True) as app:  # a smaller screen
        on_screen(app, "1280x720")
    with opened(tmp_path, "1920x1080", *words, managed=True) as app:  # closed before it came to rest
        app.until("win._at is not None and win._at[1] == float('inf')")
        app.ask("setattr(__import__(type(win).__module__, fromlist=['x']), 'REMEMBER_AFTER_S', 1e9)")
        xdotool(app.environment, "windowsize", "--sync", app.window, 1210, 790)
        app.until("(win._at[0].width, win._at[0].height) == (1210, 790)")
    kept = json.loads((tmp_path / "puppeteer" / "window.json").read_text())
    assert kept["place"][2:] == [1210, 790]


# --- names that cannot be shown, recordings, profiles, keys


@needs_screen
def test_files_with_any_name_are_chosen_in_the_dialog(app: Studio, tmp_path: Path, character_png: Path) -> None:
    for name in (b"bad\xff.png", b"a##b.png", "ねこ 🙂.png".encode(), b"line\nbreak.png"):
        (tmp_path / os.fsdecode(name)).write_bytes(character_png.read_bytes())
    for number in range(250):
        (tmp_path / f"x{number:03}.png").touch()
    os.utime(tmp_path / "x007.png", (2e9, 2e9))
    app.ask("win.studio.change_all({'source.kind': 'demo'})")
    chosen = tmp_path / os.fsdecode(b"bad\xff.png")
    app.ask(f"win.chooser.open('Choose\\udcff', ('.png',), told.append, Path({str(tmp_path)!a}))")
    app.wait(4)
    assert "254" in app.ask("dpg.get_value(win.chooser._count)"), "how many there are is said"
    app.until("len(win.chooser._textures) >= 3")
    app.click("win.chooser._sorts['date']")
    app.wait(3)
    assert app.ask("next(iter(win.chooser.rows)).name") == "x007.png"
    for _ in range(3):  # to the end, by scrolling
        app.ask("dpg.set_y_scroll(win.chooser._list, dpg.get_y_scroll_max(win.chooser._list))")
        app.wait(4)
    assert app.ask("len(win.chooser.rows)") == 254
    app.click("win.chooser._search")
    xdotool(app.environment, "type", "--delay", 150, "bad")
    app.until("[path.name[:3] for path in win.chooser.rows] == ['bad']")
    row = "next(iter(win.chooser.rows.values()))"
    app.click(row, 0.2)
    app.click("button(texts.OPEN)")
    app.until("not win.chooser.is_open")
    assert app.ask(f"told[-1] == Path({str(chosen)!a})"), "it is the file, whatever could be shown of its name"
    app.ask("win.chooser.open('again', ('.png',), told.append, None)")
    app.wait(3)
    assert app.ask("str(win.chooser._folder)") == str(tmp_path), "the folder is remembered"
    app.press("Escape")
    app.ask("win.studio.notices.tell('told', 'bad\\udcff \\0')")
    app.wait(4)
    app.ask("win.studio.notices.drop('told')")


@needs_screen
def test_the_end_of_a_recording_says_where_it_is_and_opens_the_folder(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    opener = tools / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    opener.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    with opened(tmp_path, "1366x768", *LIGHT, PATH=path) as app:
        app.press("F9")
        app.until("win.studio.engine.status().recording.state == 'ok'")
        time.sleep(1)
        app.press("F9")
        app.until("'done' in win.strip.shown")
        said = app.ask("win.strip.shown['done']")
        written = next((tmp_path / "Videos").glob("*.mp4"))
        assert str(written) in said and app.ask("win.studio.notices._all['done'].problem") is False
        app.click("button(texts.OPEN_FOLDER)")
        end_s = time.monotonic() + 30
        while not (tmp_path / "asked").exists() and time.monotonic() < end_s:
            time.sleep(0.1)
        assert (tmp_path / "asked").read_text().strip() == str(tmp_path / "Videos")


@needs_screen
def test_profiles_are_named_renamed_and_deleted_by_hand(app: Studio) -> None:
    card = "win.pages['output'].profiles"
    app.ask("win.studio.turn_to('output')")
    app.ask("win.studio.notices.clear()")
    app.reveal(f"{card}.new", "output")

    def write(text: str) -> None:
        app.wait(8)  # it is scrolled to
        app.click(f"{card}.question.field")
        app.press("ctrl+a")
        xdotool(app.environment, "type", "--delay", 120, text)
        app.wait(2)
        app.click(f"{card}.question.yes")

    first = app.ask("win.studio.profiles.current")
    app.click(f"{card}.new")
    app.wait(8)
    app.press("Escape")
    app.until(f"not {card}.question.is_open")
    app.click(f"{card}.new")
    write("Even/ing")
    app.until("'needs a name' in win.strip.shown.get('told', '')")
    for key in ("m", "n"):  # not taken for keys of the window
        app.press(key)
    app.until(f"dpg.get_value({card}.question.field) == 'Even/ingmn'")
    assert app.ask(f"{card}.question.is_open and win.studio.profiles.current == {first!r}")
    write("Evening")
    app.until("win.studio.profiles.current == 'Evening'")
    app.until("'told' not in win.strip.shown")
    assert app.ask("win.studio.profiles.names()") == [first, "Evening"], "though nothing was changed in the first"
    app.wait(4)
    app.click(f"{card}.names")
    app.press("Escape")  # closes the list: otherwise the next press would
    app.click(f"{card}.new")
    app.until(f"{card}.question.is_open")
    app.press("Escape")
    app.until(f"not {card}.question.is_open")
    app.wait(4)
    app.click(f"{card}.rename")
    write("Night")
    app.until("win.studio.profiles.current == 'Night'")
    assert not (app.home / "profiles/Evening.json").exists()
    app.wait(4)
    app.click(f"{card}.delete")
    app.wait(8)
    assert (app.home / "profiles/Night.json").exists(), "it is asked first"
    app.click(f"{card}.question.no")
    assert app.ask("win.studio.profiles.current") == "Night"
    app.wait(4)
    app.click(f"{card}.delete")
    app.wait(8)
    app.click(f"{card}.question.yes")
    app.until("win.studio.profiles.current == 'default'")
    assert not (app.home / "profiles/Night.json").exists()


@needs_screen
def test_a_key_is_changed_on_the_page_and_acts(app: Studio) -> None:
    card = "win.pages['help'].keys"
    app.ask("win.studio.turn_to('help')")
    app.ask("dpg.set_y_scroll(win.areas['help'], 0)")
    app.wait(4)
    app.click(f"{card}.buttons['mirror']")
    app.press("s")  # is taken
    app.until(f"dpg.is_item_shown({card}.take)")
    assert app.ask("win.keys.bound['mirror']") == "M" and app.ask("win.studio.manual is None")
    app.press("j")
    app.until("win.keys.bound['mirror'] == 'J'")
    mirror = app.ask("win.settings.motion.mirror")
    app.press("m")
    assert app.ask("win.settings.motion.mirror") is mirror
    app.press("j")
    assert app.ask("win.settings.motion.mirror") is not mirror
    app.press("j")
    assert json.loads((app.home / "window.json").read_text())["keys"]["mirror"] == "J"
    app.wait(4)
    app.click(f"{card}.reset")
    assert app.ask("win.keys.bound['mirror']") == "M"


@needs_screen
def test_a_broken_profile_is_told_in_the_window_though_options_were_given(tmp_path: Path) -> None:
    folder = tmp_path / "puppeteer/profiles"
    folder.mkdir(parents=True)
    (folder / "default.json").write_text("{broken")
    with opened(tmp_path, "1366x768", *LIGHT) as app:
        app.until("'set aside as default.broken-1' in win.strip.shown.get('profile', '')")
        assert (folder / "default.broken-1").read_text() == "{broken"


@needs_screen
def test_a_character_that_is_gone_is_told_and_the_shelf_shows_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "puppeteer/profiles"
    folder.mkdir(parents=True)
    gone = tmp_path / "gone.png"
    (folder / "default.json").write_text(json.dumps({"studio": {"character": str(gone)}}))
    with opened(tmp_path, "1366x768", *LIGHT) as app:
        app.until("'choose another' in win.strip.shown.get('character', '')")
        app.wait(6)
        room, _, across, _ = app.place("win.pages['character'].shelf._take")  # as wide as the card
        buttons = "win.pages['character'].shelf.buttons"
        for index in range(app.ask(f"len({buttons})")):
            left, _, wide, _ = app.place(f"list({buttons}.values())[{index}]")
            assert room <= left and left + wide <= room + across + 1, "nothing is cut off"
