"""The studio's window, real, on a screen without hardware: what the hands do, and what comes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import drawn_character
from hands import ROOT, Studio
from models3d_files import doll, pmd, pmx
from PIL import Image
from screens import needs_screen, screen, xdotool

from puppeteer.by_name import leaves
from puppeteer.gui import texts
from puppeteer.gui.treatment import is_prepared
from puppeteer.image import read_image, write_png
from puppeteer.profile import load_profile
from puppeteer.settings import STUDIO

SLOW_S = 150  # for a process that starts, reads a model and draws it


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, character_png: Path) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    (home / "Videos").mkdir()
    with screen() as environment:
        environment |= {"PUPPETEER_HOME": str(home / "puppeteer"), "HOME": str(home)}
        running = Studio(environment, character_png)
        try:
            running.ask("dpg.set_viewport_pos([0, 0])")  # tests make it as large as the screen
            yield running
        finally:
            try:
                running.end()
            finally:
                running.kill()


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test leaves the window as it was: nothing open, the mouse away."""
    yield
    if "studio" in request.fixturenames:
        running: Studio = request.getfixturevalue("studio")
        running.ask("win.chooser.close()")
        running.ask("win.doctor.close()")
        running.ask("win.studio.end_calibration()")
        if running.ask("win.meters.manual"):
            running.ask("win.studio.flip_manual()")
        running.move(4, 4)


@needs_screen
def test_manual_sliders_move_the_character(studio: Studio) -> None:
    studio.press("s")
    assert studio.ask("win.meters.manual") is True
    studio.click("win.meters.sliders['neck_y']", 0.97)
    studio.click("win.meters.sliders['mouth_open']", 0.97)
    studio.until("win.studio.engine.picture.pixels[60, 80, 0] > 220")
    studio.until("win.studio.engine.picture.pixels[60, 80, 2] > 220")
    assert studio.ask("win.studio.engine.status().driver") == "manual"
    studio.click("win.meters.sliders['neck_y']", 0.03)
    studio.until("win.studio.engine.picture.pixels[60, 80, 0] < 35")
    studio.click("button(texts.REST_POSE)")
    studio.until("win.studio.engine.picture.pixels[60, 80, 2] < 5")
    studio.press("s")
    studio.until("win.studio.engine.status().driver == 'face'")


@needs_screen
def test_every_setting_has_a_widget_with_help_and_a_way_back(studio: Studio) -> None:
    with_widgets = {name for names in studio.ask("list(win.controls.widgets)") for name in names.split(",")}
    by_hand = {  # chosen by buttons, lists and dialogs that are made for them
        "source.kind", "source.camera", "source.video", "source.recording", "output.background", "studio.character",
        "studio.recordings", "voice.device", "remote.keys",
    }  # fmt: skip
    elsewhere = set() if texts.TEXTURES else {"output.shared_texture"}  # this system has none
    assert {leaf.name for leaf in leaves()} == with_widgets | by_hand | elsewhere


@needs_screen
def test_a_slider_acts_at_once_on_its_group_and_can_be_taken_back(studio: Studio) -> None:
    studio.ask("win.studio.turn_to('motion')")
    gain = "win.controls.widgets['motion.eye_left.gain,motion.eye_right.gain']"
    studio.reveal(gain, "motion")
    studio.click(gain, 0.9)
    left, right = studio.ask("[win.settings.motion.eye_left.gain, win.settings.motion.eye_right.gain]")
    assert left == right and left > 3
    assert studio.ask("win.studio.engine._driving._motion.settings.eye_left.gain") == left
    row = f"next(row for row in win.controls._rows if row.widget == {gain})"
    assert studio.ask(f"dpg.is_item_shown({row}.reset)")
    studio.click(f"{row}.reset")
    assert studio.ask("win.settings.motion.eye_left.gain") == STUDIO.motion.eye_left.gain
    studio.wait()
    assert not studio.ask(f"dpg.is_item_shown({row}.reset)")
    # steadiness goes in powers: the middle of the slider is the geometric mean of its ends
    steadiness = "win.controls.widgets['motion.mouth_open.min_cutoff']"
    row = f"next(row for row in win.controls._rows if row.widget == {steadiness})"
    assert 0.9 < studio.ask(f"float(dpg.get_value({row}.words).split()[0])") < 20


@needs_screen
def test_more_shows_each_parameter_by_itself(studio: Studio) -> None:
    studio.ask("win.studio.turn_to('motion')")
    alone = "win.controls.widgets['motion.eye_right.dead_zone']"
    studio.wait()
    assert not studio.ask(f"dpg.is_item_visible({alone})")
    studio.reveal("win.controls.widgets['motion.eye_left.dead_zone,motion.eye_right.dead_zone']", "motion")
    studio.click("button(texts.MORE)")
    studio.reveal(alone, "motion")
    studio.until(f"dpg.is_item_visible({alone})")
    studio.click(alone, 0.8)
    both = studio.ask("[win.settings.motion.eye_left.dead_zone, win.settings.motion.eye_right.dead_zone]")
    assert both[0] == STUDIO.motion.eye_left.dead_zone and both[1] > 0.3
    studio.ask("win.studio.change(['motion.eye_right.dead_zone'], 0.15)")
    studio.reveal("win.controls.widgets['motion.eye_left.dead_zone,motion.eye_right.dead_zone']", "motion")
    studio.click("button(texts.LESS)")


@needs_screen
def test_keys_act_and_are_silent_while_a_text_field_has_the_focus(studio: Studio) -> None:
    for key, name in (("m", "motion.mirror"), ("p", "studio.show_preview"), ("v", "output.virtual_camera")):
        before = studio.ask(f"value('{name}')")
        studio.press(key)
        assert studio.ask(f"value('{name}')") is not before, key
        studio.press(key)
        assert studio.ask(f"value('{name}')") is before, key
    studio.press("F1")
    assert studio.ask("win.studio.page") == "help"
    assert studio.ask("win.settings.calibration") is None
    studio.press("r")
    assert studio.ask("win.settings.calibration['neck_y']") == pytest.approx(0.8)
    studio.ask("win.studio.forget_calibration()")
    studio.press("k")
    assert studio.ask("win.studio.guide is not None")
    studio.press("k")
    assert studio.ask("win.studio.guide is None")

    studio.ask("win.studio.turn_to('output')")
    profiles = "win.pages['output'].profiles"
    studio.reveal(f"{profiles}.new", "output")
    studio.click(f"{profiles}.new")
    field = f"{profiles}.question.field"
    studio.reveal(field, "output")
    studio.click(field)
    before = studio.ask("win.settings.model_dump_json()")
    studio.press("m", "p", "v", "s", "r")
    assert studio.ask(f"dpg.get_value({field})") == "mpvsr"
    assert studio.ask("win.settings.model_dump_json()") == before
    assert not studio.ask("win.meters.manual")
    studio.press("Escape")
    studio.ask(f"{profiles}.question.close()")
    studio.move(640, 26)
    xdotool(studio.environment, "click", 1)  # nothing is there
    studio.wait()
    studio.press("m")
    assert studio.ask("win.settings.motion.mirror") is False
    studio.press("m")


@needs_screen
def test_guided_calibration_asks_measures_and_keeps(studio: Studio) -> None:
    studio.ask("[setattr(guide, name, 0.3) for name in ('READY_S', 'SETTLE_S', 'HOLD_S')]")
    studio.click("win.actions.buttons['calibrate']")
    studio.click("button(texts.CALIBRATION_START)")
    faces = {
        "neutral": "FaceObservation(0.2, 0.2, 0.03, 0.1, 0.2, 0.3)",
        "eyes_closed": "FaceObservation(0.9, 0.9, 0.03, 0.1, 0.2, 0.3)",
        "mouth_open": "FaceObservation(0.2, 0.2, 0.8, 0.1, 0.2, 0.3)",
        "lips": "FaceObservation(0.2, 0.2, 0.03, 0.1, 0.2, 0.3, mouth_form=0.6, mouth_wide=-0.5)",
    }
    for step, face in faces.items():
        studio.ask(f"setattr(stage.tracker, 'face', {face})")
        studio.until(f"win.studio.guide.asks != '{step}' or win.studio.guide.phase == 'done'")
        if step == "mouth_open":  # from the next step's hold on, the one after it waits to be skipped
            studio.ask(f"setattr(stage.tracker, 'face', {faces['lips']})")
            studio.until("win.studio.guide.phase in ('settle', 'hold')")
            studio.ask("setattr(guide, 'READY_S', 60)")
    studio.until("win.studio.guide.asks == 'corners'")
    studio.click("button(texts.CALIBRATION_SKIP)")
    studio.until("win.studio.guide.phase == 'done'")
    assert studio.ask("win.settings.calibration")["mouth_form_reach"] == pytest.approx(0.6)
    calibration = studio.ask("win.settings.calibration")
    assert calibration["eye_left_open"] == pytest.approx(0.2)
    assert calibration["eye_left_closed"] == pytest.approx(0.9)
    assert calibration["mouth_open"] == pytest.approx(0.8)
    assert calibration["neck_y"] == pytest.approx(0.3)
    studio.click("button(texts.CLOSE)")
    assert studio.ask("win.studio.guide is None")
    # eyes still close, and the profile has it
    studio.ask("setattr(stage.tracker, 'face', FaceObservation(0.9, 0.9, 0.03, 0.1, 0.2, 0.3))")
    studio.until("win.studio.engine.meters()[0].smoothed > 0.95")
    path = studio.home / "profiles/default.json"
    studio.until(f"Path({str(path)!r}).exists() and win.studio.all_saved")
    kept = load_profile(path, STUDIO).calibration
    assert kept is not None and kept["eye_left_closed"] == pytest.approx(0.9)


@needs_screen
def test_a_calibration_without_a_face_says_so_and_goes_on(studio: Studio) -> None:
    studio.ask("[setattr(guide, name, 0.3) for name in ('READY_S', 'SETTLE_S', 'HOLD_S')]")
    studio.ask("setattr(stage.tracker, 'face', None)")
    studio.until("not win.studio.engine.status().face_found")
    studio.press("k")
    studio.ask("win.studio.start_calibration()")
    studio.until("win.studio.guide.phase == 'failed'")
    assert "no face" in studio.ask("win.studio.guide.problem")
    studio.ask("setattr(stage.tracker, 'face', FaceObservation(0.1, 0.1, 0.0, 0.0, 0.0, 0.8))")
    time.sleep(1.0)  # the button has just appeared: nobody presses it within its first frames
    studio.click("button(texts.CALIBRATION_AGAIN)")
    studio.until("win.studio.guide.index >= 1")


def choose_picture(studio: Studio, picture: Path) -> None:
    studio.ask("win.studio.turn_to('character')")
    shelf = "win.studio.wardrobe"
    studio.until(f"not win.doctor.is_open and {shelf}.entries == {shelf}.shelf.entries()")
    studio.wait(4)  # a shelf that grows pushes the button down
    studio.click("button(texts.LOAD_PICTURE)")
    studio.until("win.chooser.is_open")
    studio.ask(f"win.chooser._go(Path({str(picture.parent)!r}))")
    studio.click(f"win.chooser.rows[Path({str(picture)!r})]")
    studio.click("button(texts.OPEN)")


@needs_screen
def test_a_character_is_loaded_by_dialog_and_stays_on_the_shelf(studio: Studio, tmp_path: Path) -> None:
    picture = tmp_path / "わたし.png"
    write_png(picture, drawn_character(), (0, 0, 256))
    choose_picture(studio, picture)
    kept = studio.home / "characters/わたし.png"
    studio.until(f"win.settings.studio.character == {str(kept)!r}")
    assert not studio.ask("win.doctor.is_open"), "it is prepared already"
    assert kept.read_bytes() == picture.read_bytes()
    studio.until("any(entry.path.stem == 'わたし' and entry.own for entry in win.studio.wardrobe.entries)")
    studio.until("win.studio.engine.status().character.state == 'ok'")
    studio.until("len(stage.posers[-1].characters) >= 2")
    # another from the shelf, by a click on it
    first = studio.ask("str(win.studio.wardrobe.entries[0].path)")
    studio.click(f"win.pages['character'].shelf.buttons[Path({first!r})]")
    studio.until(f"win.settings.studio.character == {first!r}")
    studio.ask("win.studio.wardrobe.remove(next(entry for entry in win.studio.wardrobe.entries if entry.own))")
    assert not kept.exists()


@needs_screen
def test_a_model_becomes_a_character_and_what_is_wrong_with_one_is_told(studio: Studio, tmp_path: Path) -> None:
    maid = tmp_path / "メイド.pmx"
    maid.write_bytes(pmx(doll()))
    pack, headless = tmp_path / "pack.zip", tmp_path / "broken.vrm"
    with zipfile.ZipFile(pack, "w") as file:
        file.writestr("one/small.pmd", pmd(doll()))
        file.writestr("two/large.pmx", pmx(doll()) + bytes(8192))
    headless.write_bytes(b"glTF" + bytes(40))
    choose_picture(studio, maid)
    kept = studio.home / "characters/メイド.png"
    studio.until(f"win.settings.studio.character == {str(kept)!r} and win.studio.wardrobe.model is None", SLOW_S)
    assert read_image(kept).shape == (1024, 1024, 4) and is_prepared(kept)
    studio.until("win.studio.engine.status().character.state == 'ok'")
    choose_picture(studio, headless)
    studio.until("win.studio.wardrobe.model is None and 'broken.vrm' in win.strip.shown.get('told', '')", SLOW_S)
    assert studio.ask("win.settings.studio.character") == str(kept), "what was there stays"
    choose_picture(studio, pack)
    studio.until("win.settings.studio.character.endswith('pack.png') and win.studio.wardrobe.model is None", SLOW_S)
    studio.until("'2 models' in win.strip.shown['told']")
    studio.click("button('small.pmd')")
    studio.until("win.settings.studio.character.endswith('small.png')", SLOW_S)
    for entry in ("メイド", "pack", "small"):
        studio.ask(f"win.studio.wardrobe.remove(next(e for e in win.studio.wardrobe.entries if e.name == {entry!r}))")


@needs_screen
def test_an_unprepared_picture_is_prepared_and_corrected_by_hand(studio: Studio, tmp_path: Path) -> None:
    figure = Image.fromarray(drawn_character(300))
    picture = tmp_path / "someone.jpg"
    sheet = Image.new("RGB", (600, 800), (200, 215, 235))
    sheet.paste(figure, (100, 100), figure)
    sheet.save(picture)
    choose_picture(studio, picture)
    studio.until("win.doctor.is_open and win.doctor.case.treated is not None and not win.doctor.case.busy", 60)
    studio.until("dpg.is_item_visible(win.doctor._window)")
    studio.wait(4)
    # drag the square, turn the slider: prepared again, and the way back
    for hand in (studio.drag, studio.flick):
        x, y = studio.ask(
            "[dpg.get_item_rect_min(win.doctor._left)[n] + win.doctor._to_panel(win.doctor.case.head.x,"
            " win.doctor.case.head.y)[n] for n in (0, 1)]"
        )
        before = studio.ask(
            "[win.doctor.case.head.x, win.doctor.case.head.y, win.doctor._view[0], win.doctor.case.asked]"
        )
        hand((x, y), (30, 10))
        studio.until(f"win.doctor.case.asked > {before[3]} and not win.doctor.case.busy")
        moved = studio.ask("[win.doctor.case.treated.head.x, win.doctor.case.treated.head.y]")
        assert moved == pytest.approx([before[0] + 30 / before[2], before[1] + 10 / before[2]], abs=1.5)
        studio.wait(4)
    studio.click("win.doctor._tilt", 0.75)
    studio.until("win.doctor.case.treated.head.tilt_deg > 5 and not win.doctor.case.busy")
    assert studio.ask("dpg.get_value(win.doctor._degrees)") == studio.ask("f'{win.doctor.case.head.tilt_deg}°'")
    sliders = "[item for item in dpg.get_all_items() if 'Slider' in dpg.get_item_type(item)]"
    formats = studio.ask(f"[dpg.get_item_configuration(item)['format'] for item in {sliders}]")
    assert len(formats) > 30 and not any(formats), "a value stands beside its slider, not under the handle"
    studio.click("win.doctor._reset")
    studio.until("win.doctor.case.treated.head == win.doctor.case.found and not win.doctor.case.busy")
    studio.press("m")
    assert studio.ask("win.settings.motion.mirror") is True, "keys are silent"
    studio.click("win.doctor._take")
    kept = studio.home / "characters/someone.png"
    studio.until(f"win.settings.studio.character == {str(kept)!r}")
    with Image.open(kept) as image:
        assert "puppeteer" in image.info and image.mode == "RGBA"
        assert image.getchannel("A").getextrema() == (0, 255), "its background is gone"
    # as it is: the same pixels, the square where it was found
    choose_picture(studio, picture)
    studio.until("win.doctor.is_open and win.doctor.case.treated is not None and not win.doctor.case.busy", 60)
    studio.until("dpg.is_item_visible(win.doctor._window)")  # not before the dialog that closes
    studio.wait(4)
    studio.click("win.doctor._as_it_is")
    studio.until("win.settings.studio.character.endswith('someone 2.png')")
    with Image.open(studio.home / "characters/someone 2.png") as image:
        assert image.size == (600, 800) and "puppeteer" in image.info
    choose_picture(studio, picture)
    studio.until("win.doctor.is_open")
    studio.press("Escape")
    studio.until("not win.doctor.is_open")
    studio.ask("[win.studio.wardrobe.remove(entry) for entry in list(win.studio.wardrobe.entries) if entry.own]")


@needs_screen
def test_a_click_keeps_or_removes_a_place(studio: Studio, tmp_path: Path) -> None:
    """A sign at the figure's side goes by one click, another comes back by another, undo undoes."""
    figure = Image.fromarray(drawn_character(300))
    sheet = Image.new("RGB", (500, 500), (200, 215, 235))
    sheet.paste(figure, (100, 100), figure)
    sheet.paste((30, 160, 60), (160, 340, 240, 400))
    sheet.paste((90, 90, 90), (0, 440, 60, 500))
    picture = tmp_path / "held.png"
    sheet.save(picture)
    choose_picture(studio, picture)
    studio.until("win.doctor.is_open and win.doctor.case.treated is not None and not win.doctor.case.busy", 60)
    studio.until("dpg.is_item_visible(win.doctor._window)")

    def alpha(x: int, y: int) -> int:
        return int(studio.ask(f"int(win.doctor.case.treated.prepared.picture[{y}, {x}, 3])"))

    def click(tool: float, x: int, y: int) -> None:
        studio.click("win.doctor._tool", tool)
        asked = studio.ask("win.doctor.case.asked")
        place = studio.ask(
            f"[dpg.get_item_rect_min(win.doctor._left)[n] + win.doctor._to_panel({x}, {y})[n] for n in (0, 1)]"
        )
        studio.drag(place, (0, 0))
        studio.until(f"win.doctor.case.asked > {asked} and not win.doctor.case.busy")

    assert alpha(200, 370) == 255 and alpha(30, 470) == 0 and alpha(400, 40) == 0
    click(0.9, 200, 370)
    assert alpha(170, 350) == 0 and alpha(230, 390) == 0 and alpha(250, 260) == 255
    click(0.5, 30, 470)
    assert alpha(30, 470) == 255 and alpha(55, 445) == 255 and alpha(60, 300) == 0 and alpha(200, 370) == 0
    click(0.5, 400, 40)
    assert alpha(400, 40) == 255 and alpha(60, 300) == 0, "what is under the brush, and not all of the background"
    for _ in range(3):
        asked = studio.ask("win.doctor.case.asked")
        studio.click("win.doctor._undo")
        studio.until(f"win.doctor.case.asked > {asked} and not win.doctor.case.busy")
    assert alpha(200, 370) == 255 and alpha(30, 470) == 0 and alpha(400, 40) == 0
    studio.press("Escape")
    studio.until("not win.doctor.is_open")


@needs_screen
def test_a_picture_that_breaks_the_doctor_is_told_and_the_window_lives_on(studio: Studio, tmp_path: Path) -> None:
    Image.new("RGB", (90, 120), "white").save(tmp_path / "odd.png")
    fails = "type('Broken', (), {'__getattr__': lambda self, name: 1 / 0})()"
    studio.ask(f"setattr(sys.modules['puppeteer.gui.doctor'], 'treat', lambda path: {fails}.anything)")
    studio.ask(f"win.studio.wardrobe.load(Path({str(tmp_path / 'odd.png')!r}))")
    studio.until("'odd.png could not be prepared (ZeroDivisionError' in win.strip.shown.get('told', '')")
    assert not studio.ask("win.doctor.is_open")
    studio.ask("setattr(sys.modules['puppeteer.gui.doctor'], 'treat', treat)")
    studio.ask("win.studio.notices.drop('told')")


@needs_screen
def test_a_new_character_is_drawn_and_stands_on_the_shelf(studio: Studio) -> None:
    studio.ask("win.studio.turn_to('character')")
    studio.click("button(texts.DRAW_NEW)")
    assert studio.ask("[win.studio.wardrobe.drawing, win.studio.wardrobe.draw()]") == [True, None], "one at a time"
    studio.until("not win.studio.wardrobe.drawing and any(entry.own for entry in win.studio.wardrobe.entries)", 120)
    path = Path(studio.ask("win.settings.studio.character"))
    assert path.parent == studio.home / "characters" and path.stem.startswith("New ")
    with Image.open(path) as image:
        assert image.size == (1024, 1024) and "puppeteer" in image.info
    assert len(list(path.parent.glob("*.png"))) == 1
    studio.ask("[win.studio.wardrobe.remove(entry) for entry in list(win.studio.wardrobe.entries) if entry.own]")


@needs_screen
def test_a_file_that_is_no_picture_is_told(studio: Studio, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    character = studio.ask("win.settings.studio.character")
    studio.ask(f"win.studio.wardrobe.load(Path({str(broken)!r}))")
    studio.until("'broken.png' in win.strip.shown.get('told', '')")
    assert studio.ask("win.settings.studio.character") == character
    studio.ask("win.studio.notices.drop('told')")


@needs_screen
def test_problems_are_told_with_a_retry_and_go_away(studio: Studio) -> None:
    studio.ask("setattr(stage.camera, 'fault', 'fails')")
    studio.until("'check its plug' in win.strip.shown.get('camera', '')")
    studio.ask("setattr(stage.device, 'fault', 'missing')")
    studio.ask("win.studio.flip('output.virtual_camera')")
    studio.ask("win.studio.flip('output.virtual_camera')")
    studio.until("'no virtual camera' in win.strip.shown.get('virtual_camera', '')")
    frames = studio.ask("win.studio.engine.picture.sequence")
    studio.until(f"win.studio.engine.picture.sequence > {frames + 3}")
    studio.ask("setattr(stage.camera, 'fault', None)")
    studio.until("'camera' not in win.strip.shown")
    engine = "win.studio.engine"
    studio.ask(f"setattr({engine}, 'retry', lambda part, real={engine}.retry: (told.append(part), real(part)))")
    studio.click("button(texts.RETRY)")
    assert studio.ask("told") == ["virtual_camera"]
    studio.ask("stage.device.heal()")
    studio.until("'virtual_camera' not in win.strip.shown")


@needs_screen
def test_a_message_can_be_hidden_and_called_back(studio: Studio) -> None:
    studio.ask("win.studio.notices.tell('told', 'something to read')")
    studio.until("'told' in win.strip.shown")
    studio.click("button(texts.DISMISS)")
    studio.until("'told' not in win.strip.shown")
    studio.click("button(texts.LAMPS['camera'])")
    studio.until("'told' in win.strip.shown")
    studio.ask("win.studio.notices.drop('told')")


@needs_screen
def test_the_mouse_places_the_character(studio: Studio) -> None:
    studio.wait()
    x, y = studio.ask(
        "[win.stage._origin[0] + win.stage._box.left + win.stage._box.width / 2,"
        " win.stage._origin[1] + win.stage._box.top + win.stage._box.height / 2]"
    )
    studio.drag((x, y), (60, -40))
    output = studio.ask("win.settings.output.model_dump()")
    height = studio.ask("win.stage._box.height")
    assert output["offset_x"] == pytest.approx(60 / height, abs=0.01)
    assert output["offset_y"] == pytest.approx(-40 / height, abs=0.01)
    studio.flick((x, y), (30, 20))
    output = studio.ask("win.settings.output.model_dump()")
    assert output["offset_x"] == pytest.approx(90 / height, abs=0.01), "the way to where it was let go counts"
    assert output["offset_y"] == pytest.approx(-20 / height, abs=0.01)
    xdotool(studio.environment, "click", 4)
    studio.until("win.settings.output.zoom > 1.05")
    studio.ask("win.studio.turn_to('character')")
    studio.wait(4)
    studio.ask("dpg.set_y_scroll(win.areas['character'], 400)")
    studio.wait(4)
    studio.click("button(texts.CENTRE)")
    studio.ask("dpg.set_y_scroll(win.areas['character'], 0)")
    studio.until("win.settings.output.zoom == 1.0 and win.settings.output.offset_x == 0.0")


@needs_screen
def test_a_refused_value_is_told_and_nothing_changes(studio: Studio) -> None:
    studio.ask("win.studio.change(['output.background'], 'no-such-colour')")
    studio.until("'no-such-colour' in win.strip.shown.get('told', '')")
    assert studio.ask("win.settings.output.background") == STUDIO.output.background
    studio.ask("win.studio.change(['output.background'], 'transparent')")
    studio.until("win.studio.engine.picture.pixels.shape[2] == 4")
    studio.until("'told' not in win.strip.shown")
    studio.ask("win.studio.change(['output.background'], win.settings.output.key_colour)")
    studio.ask("win.studio.change(['output.key_colour'], '#FF00FF')")
    assert studio.ask("win.settings.output.background") == "#FF00FF", "the key colour is the background"
    studio.ask("win.studio.change(['output.key_colour'], '#00FF00')")


@needs_screen
def test_backgrounds_are_chosen_by_buttons_and_colours_are_typed(studio: Studio, character_png: Path) -> None:
    studio.ask("win.studio.turn_to('character')")
    studio.click("button(texts.BACKGROUNDS['colour'])")
    field = "win.pages['character'].background.hex"
    studio.until(f"dpg.get_value({field}) == win.settings.output.background != win.settings.output.key_colour")
    studio.click(field, times=2)
    studio.press("ctrl+a")
    xdotool(studio.environment, "type", "--delay", 120, "#102030")
    studio.press("Return")
    studio.until("win.settings.output.background == '#102030'")
    studio.until("win.studio.engine.picture.pixels[0, 0].tolist() == [16, 32, 48]")
    studio.click("button(texts.BACKGROUNDS['picture'])")
    studio.ask(f"win.chooser._typed({str(character_png)!r})")
    studio.until(f"win.settings.output.background == {str(character_png)!r}")
    studio.click("button(texts.BACKGROUNDS['transparent'])")
    studio.until("win.studio.engine.picture.pixels.shape[2] == 4")
    studio.click("button(texts.BACKGROUNDS['key'])")
    studio.until("win.settings.output.background == '#00FF00'")


@needs_screen
def test_the_source_is_chosen_and_a_video_is_asked_for(studio: Studio, character_png: Path) -> None:
    studio.ask("win.studio.turn_to('camera')")
    studio.click("button(texts.SOURCES['demo'])")
    studio.until("win.studio.engine.status().driver == 'demo'")
    studio.click("button(texts.SOURCES['video'])")
    assert studio.ask("[win.chooser.is_open, win.settings.source.kind]") == [True, "demo"]
    studio.press("Escape")
    assert studio.ask("win.chooser.is_open") is False
    studio.click("button(texts.SOURCES['camera'])")
    studio.until("win.studio.engine.status().driver == 'face'")


@needs_screen
def test_cameras_that_are_plugged_in_later_are_listed(studio: Studio) -> None:
    webcams = "sys.modules['puppeteer.inputs.webcam'].__dict__"
    studio.until("win.studio.looked")
    studio.ask(f"told.append({webcams}['list_cameras'])")
    try:
        studio.ask(f"{webcams}.update(list_cameras=lambda: [type('Found', (), dict(name='Plugged in'))])")
        studio.click("win.tabs.buttons['camera']")
        studio.until("win.studio.cameras == ('Plugged in',)")
        studio.ask(f"{webcams}.update(list_cameras=lambda: [])")
        studio.ask("win.studio.look_for_cameras()")
        studio.until("win.studio.cameras == ()")
        studio.ask("[setattr(stage.camera, 'fault', 'unplugged'), stage.live.retry('camera')]")
        studio.until("win.studio.engine.status().camera.state == 'problem'")
        studio.wait(20)
        studio.ask(f"{webcams}.update(list_cameras=lambda: [type('Found', (), dict(name='Later'))])")
        studio.ask("[setattr(stage.camera, 'fault', None), stage.live.retry('camera')]")
        studio.until("win.studio.cameras == ('Later',)")
    finally:
        studio.ask(f"[setattr(stage.camera, 'fault', None), {webcams}.update(list_cameras=told.pop())]")
        studio.ask("win.studio.turn_to('character')")


@needs_screen
def test_a_recording_is_written_where_the_page_says(studio: Studio) -> None:
    studio.ask("win.studio.turn_to('output')")
    studio.click("win.actions.buttons['record']")
    studio.until("win.studio.engine.status().recording.state == 'ok'")
    path = Path(studio.ask("str(win.studio.recordings.path)"))
    drawn = studio.ask("win.studio.engine.counts()['output']")
    studio.until(f"win.studio.engine.counts()['output'] > {drawn + 10}")
    studio.click("win.actions.buttons['record']")
    studio.until(f"Path({str(path)!r}).exists()")
    assert path.parent.name == "Videos" and path.stat().st_size > 500


@needs_screen
def test_profiles_are_saved_chosen_and_deleted(studio: Studio) -> None:
    studio.ask("win.studio.change(['motion.idle'], False)")
    assert studio.ask("win.studio.save_profile_as('夜 stream')")
    studio.ask("win.studio.change(['motion.idle'], True)")
    path = studio.home / "profiles/夜 stream.json"
    studio.until(f"'\"idle\": true' in Path({str(path)!r}).read_text()")
    studio.ask("win.studio.choose_profile('default')")
    assert studio.ask("win.settings.motion.idle") is False
    assert load_profile(path, STUDIO).motion.idle is True
    assert studio.ask("win.studio.save_profile_as('a/b')") is False
    studio.until("'needs a name' in win.strip.shown.get('told', '')")
    studio.ask("win.studio.notices.drop('told')")
    studio.ask("win.studio.choose_profile('夜 stream')")
    studio.ask("win.studio.delete_profile()")
    assert not path.exists()
    assert studio.ask("win.studio.profiles.current") == "default"
    studio.ask("win.studio.change(['motion.idle'], True)")


@needs_screen
def test_nothing_is_cut_off(studio: Studio) -> None:
    for width, height in ((1100, 700), (1920, 1080), (840, 520), (1100, 700)):
        studio.ask(f"[dpg.set_viewport_width({width}), dpg.set_viewport_height({height})]")
        studio.until(f"[dpg.get_viewport_client_width(), dpg.get_viewport_client_height()] == [{width}, {height}]")
        studio.until("win._scale() == win.theme.scale")
        studio.wait(6)
        items = studio.ask(
            "[[dpg.get_item_label(item), dpg.get_item_rect_min(item), dpg.get_item_rect_size(item), "
            "(dpg.get_text_size(dpg.get_item_label(item)) or [0])[0]] "
            "for item in [*win.actions.buttons.values(), *win.tabs.buttons.values(), win.top.profile]]"
        )
        for label, (left, top), (wide, high), text in items:
            assert left >= 0 and top >= 0 and left + wide <= width and top + high <= height, label
            assert text <= wide, label
        spans = sorted((left, left + wide) for _, (left, _), (wide, _), _ in items[:7])
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        box = studio.ask("[win.stage._box.width, win.stage._box.height]")
        assert box[0] > 0.4 * width * 0.6


@needs_screen
def test_a_larger_scale_rebuilds_the_window_and_everything_works(studio: Studio) -> None:
    studio.ask("[dpg.set_viewport_width(1900), dpg.set_viewport_height(1060)]")
    before = studio.ask("win.theme.px(100)")
    studio.ask("win.studio.change(['studio.scale'], 1.5)")
    studio.until("win.theme.scale == 1.5")
    assert studio.ask("win.theme.px(100)") == 1.5 * before
    studio.wait(6)
    for text, wide in studio.ask(
        "[[dpg.get_text_size(dpg.get_item_label(item))[0], dpg.get_item_rect_size(item)[0]]"
        " for item in win.actions.buttons.values()]"
    ):
        assert text <= wide, "laid out with the new font"
    studio.press("s")
    studio.click("win.meters.sliders['neck_y']", 0.97)
    studio.until("win.studio.engine.picture.pixels[60, 80, 0] > 220")
    studio.press("s")
    studio.ask("win.studio.change(['studio.scale'], 1.0)")
    studio.until("win.theme.scale == 1.0")
    studio.ask("win.studio.change(['studio.scale'], 0.0)")


@needs_screen
def test_the_report_names_every_part(studio: Studio) -> None:
    studio.ask("win.studio.turn_to('help')")
    studio.reveal("win.pages['help'].log", "help")
    studio.click("win.pages['help'].copy")
    studio.until("'told' not in win.strip.shown")
    report = studio.ask("dpg.get_clipboard_text()")
    for part in ("camera:", "face:", "networks:", "virtual_camera:", "Python"):
        assert part in report


# --- the program itself


@needs_screen
def test_the_program_opens_and_ctrl_c_ends_it_while_it_loads(tmp_path: Path) -> None:
    with screen("1280x800") as environment:
        environment["PUPPETEER_HOME"] = str(tmp_path)
        open_and_end(environment)


def open_and_end(environment: dict[str, str]) -> None:
    program = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        xdotool(environment, "search", "--sync", "--onlyvisible", "--name", "^Puppeteer$")
        time.sleep(1.5)
        assert program.poll() is None
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=20)
        assert program.returncode == 130
        assert "Traceback" not in said
    finally:
        program.kill()
        program.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.parametrize("display", ["", ":98765"])
def test_without_a_display_the_sentence_names_headless(display: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DISPLAY": display, "WAYLAND_DISPLAY": "", "PUPPETEER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "--headless" in done.stderr and len(done.stderr.strip().splitlines()) == 1
