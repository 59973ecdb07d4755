"""Expressions: pure, in a profile, in the engine, and by mouse and keys in a real window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hands import Studio
from screens import needs_screen, screen, xdotool
from stage import eventually, on_stage

from puppeteer.by_name import set_by_name
from puppeteer.errors import SettingsError
from puppeteer.expression import BUILT_IN, MOST, catalogue, found
from puppeteer.gui.profiles import Profiles
from puppeteer.motion.expressions import Expressions, blended
from puppeteer.pose import BY_NAME, POSE_NAMES, SIX, Pose
from puppeteer.profile import load_profile
from puppeteer.settings import STUDIO, ExpressionSettings

USUAL = ExpressionSettings()
GRUMPY = {"brow_form": -1.0, "mouth_form": -0.5}
TALKING = Pose(eye_left=0.3, mouth_open=0.8, mouth_form=0.2, neck_y=0.4)


def shown(expressions: Expressions, time_s: float, settings: ExpressionSettings = USUAL, pose: Pose = TALKING) -> Pose:
    return expressions.step(pose, time_s, settings)


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_expression_is_seen_leaves_the_rest_alone_and_stays_in_range(name: str) -> None:
    expressions = Expressions()
    assert shown(expressions, 0.0) == TALKING
    expressions.aim(name, 1.0)
    shown(expressions, 1.0)
    pose = shown(expressions, 1.0 + USUAL.fade_in_s)
    assert pose == blended(TALKING, BUILT_IN[name], 1.0) == pose.clamped() != TALKING
    for number in POSE_NAMES:
        if number not in BUILT_IN[name]:
            assert getattr(pose, number) == getattr(TALKING, number)
        elif BY_NAME[number].low == 0:
            assert getattr(pose, number) >= getattr(TALKING, number), "the face can still blink and talk"
    assert shown(expressions, 9.0, pose=Pose(eye_left=1.0, eye_right=1.0)).eye_left == 1.0
    expressions.aim(name, 0.0)
    shown(expressions, 10.0)
    assert shown(expressions, 10.0 + USUAL.fade_out_s) == TALKING


def test_those_for_eyes_and_mouth_are_seen_with_the_paper_s_six_numbers() -> None:
    for name in ("surprised", "wink left", "wink right", "sleepy"):
        assert set(BUILT_IN[name]) & set(SIX), name


def test_each_expression_is_told_by_lids_and_mouth_and_from_every_other() -> None:
    lids, mouth = ("eye_left", "eye_right", "eye_wide"), ("mouth_open", "mouth_form")
    for name, values in BUILT_IN.items():
        assert any(values.get(number, 0) >= 0.15 for number in lids), name
        assert any(abs(values.get(number, 0)) >= 0.1 for number in mouth), name
        for other in BUILT_IN:
            apart = sum(abs(values.get(number, 0) - BUILT_IN[other].get(number, 0)) for number in POSE_NAMES)
            assert other == name or apart > 1.2, (name, other)


def test_fades_take_their_time_without_a_jump_also_when_turned_round() -> None:
    settings = ExpressionSettings(fade_in_s=0.4, fade_out_s=0.8)
    expressions = Expressions()
    values, on = [], {0: 1.0, 10: 0.0, 15: 1.0, 70: 0.0, 100: 0.3}
    for step in range(200):
        if step in on:
            expressions.aim("wink left", on[step])
        values.append(shown(expressions, step / 50, settings, Pose()).eye_left)
    assert max(abs(b - a) for a, b in pairwise(values)) < 0.09
    assert values[9] > 0.3 and values[14] > 0.2 and values[60] == 1.0 and values[80] > 0.4
    assert values[112] < 0.31 and values[-1] == pytest.approx(0.3), "a part of it is possible too"
    late = Expressions()
    late.aim("wink left", 1.0)
    at_once = ExpressionSettings(fade_in_s=0, fade_out_s=0)
    assert shown(late, 5.0, at_once, Pose()).eye_left == 1.0
    assert shown(late, 4.0, settings, Pose()).eye_left == 1.0, "time that steps back does no harm"


def test_a_toggled_one_takes_the_place_of_another_and_a_held_one_lies_over_it() -> None:
    expressions = Expressions()
    expressions.press("smile", USUAL)
    expressions.press("wink left", USUAL)
    assert list(expressions.wanted) == ["smile", "wink left"]
    expressions.release("wink left", USUAL)
    expressions.release("smile", USUAL)
    assert list(expressions.wanted) == ["smile"], "only what is held ends with the key"
    expressions.press("angry", USUAL)
    assert list(expressions.wanted) == ["angry"]
    expressions.press("angry", USUAL)
    assert not expressions.wanted
    together = ExpressionSettings(together=True, held=())
    for name in ("smile", "wink left", "angry"):
        expressions.press(name, together)
    assert list(expressions.wanted) == ["smile", "wink left", "angry"]
    shown(expressions, 0.0, together)
    assert shown(expressions, 9.0, together).mouth_form == BUILT_IN["angry"]["mouth_form"], "the latest is above"


def test_what_is_deleted_while_it_is_there_goes() -> None:
    own = ExpressionSettings(own={"Grumpy": GRUMPY}, fade_in_s=0)
    expressions = Expressions()
    expressions.press("Grumpy", own)
    assert shown(expressions, 0.0, own).brow_form == -1
    assert shown(expressions, 0.1) == TALKING and not expressions.wanted


def test_names_are_found_as_people_write_them() -> None:
    among = catalogue({"Grumpy Cat": GRUMPY})
    assert found("wink_left", among) == "wink left" and found(" GRUMPY-cat ", among) == "Grumpy Cat"
    with pytest.raises(SettingsError, match="did you mean smile"):
        found("smil", among)
    with pytest.raises(SettingsError, match="there are smile, angry"):
        found("\0" * 5000, among)
    assert catalogue({"Smile": GRUMPY})["Smile"] == GRUMPY and "smile" not in catalogue({"Smile": GRUMPY})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("own", {"Grumpy": {"brow_from": 1}}, "no number of a pose"),
        ("own", {"Grumpy": {"eye_left": -1}}, "must be 0 to 1"),
        ("own", {"Grumpy": {"eye_left": float("nan")}}, "must be"),
        ("own", {"Grumpy": {"eye_left": "much"}}, "must be"),
        ("own", {"../x": {"eye_left": 1}}, "needs a name"),
        ("own", {"a": GRUMPY, "A": GRUMPY}, "same name"),
        ("own", {f"e{number}": GRUMPY for number in range(MOST + 1)}, "delete some"),
        ("own", [1], "must be names with numbers"),
        ("held", "smile", "must be a list"),
        ("held", ["\n"], "needs a name"),
    ],
)
def test_what_is_no_expression_is_refused_in_one_sentence(name: str, value: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        set_by_name(STUDIO, f"expressions.{name}", value)
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"expressions": {name: value}}))
    with pytest.raises(SettingsError, match=said):
        load_profile(path, STUDIO)


def test_own_ones_are_kept_in_the_profile_beside_what_another_window_changed(tmp_path: Path) -> None:
    one, other = Profiles(tmp_path), Profiles(tmp_path)
    settings = one.start()
    other.save(set_by_name(other.start(), "output.zoom", 2.0))
    settings = set_by_name(settings, "expressions.own", {"Grumpy": GRUMPY})
    one.save(set_by_name(settings, "expressions.held", ["Grumpy"]))
    again = Profiles(tmp_path).start()
    assert again.expressions.own == {"Grumpy": GRUMPY} and again.expressions.held == ("Grumpy",)
    assert again.output.zoom == 2.0


def test_the_engine_blends_them_over_the_face_and_mutes_the_mouth(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        live = stage.live
        assert eventually(lambda: live.shown.neck_y != 0)
        turned = live.shown.neck_y
        live.express("Wink_Right")
        assert live.expressed == {"wink right": 1.0}
        assert eventually(lambda: live.shown.eye_right == 1.0)
        assert live.shown.eye_left < 0.5 and abs(live.shown.neck_y - turned) < 0.3
        live.express("wink right", 0)
        assert eventually(lambda: live.shown.eye_right < 0.5) and not live.expressed
        with pytest.raises(SettingsError, match="no expression"):
            live.express("nobody")
        open_wide = Pose(mouth_open=1.0)
        stage.tracker.face = type(stage.tracker.face)(0.1, 0.1, 0.9, 0.0, 0.0, 0.0)
        assert eventually(lambda: live.shown.mouth_open > 0.8)
        live.mute_mouth(True)
        assert eventually(lambda: live.shown.mouth_open == 0) and live.mouth_muted
        live.set_manual(open_wide)
        assert eventually(lambda: live.shown.mouth_open == 1), "the sliders are the user's own hand"
        live.set_manual(None)
        live.mute_mouth(False)
        assert eventually(lambda: live.shown.mouth_open > 0.8)


# --- by mouse and keys


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, character_png: Path) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    with screen() as environment:
        environment |= {"PUPPETEER_HOME": str(home / "puppeteer"), "HOME": str(home)}
        running = Studio(environment, character_png)
        try:
            running.ask("dpg.set_viewport_pos([0, 0])")
            yield running
        finally:
            try:
                running.end()
            finally:
                running.kill()


PAGE = "win.pages['faces']"


@needs_screen
def test_expressions_by_button_and_key_toggled_and_held(studio: Studio) -> None:
    studio.click("win.tabs.buttons['faces']")
    studio.click(f"{PAGE}.buttons['sleepy']")
    studio.until("win.studio.engine.shown.eye_left > 0.55")
    assert studio.ask("win.studio.engine.expressed") == {"sleepy": 1.0}
    studio.press("4")  # surprised takes its place
    studio.until("list(win.studio.engine.expressed) == ['surprised'] and win.studio.engine.shown.mouth_open > 0.45")
    studio.press("4")
    studio.until("not win.studio.engine.expressed")
    # held: as long as the key, or the mouse button, is down
    xdotool(studio.environment, "keydown", "5")
    studio.until("win.studio.engine.shown.eye_left == 1.0 and win.studio.engine.shown.eye_right < 0.6")
    xdotool(studio.environment, "keyup", "5")
    studio.until("win.studio.engine.shown.eye_left < 0.6")
    left, top = studio.ask(f"dpg.get_item_rect_min({PAGE}.buttons['wink right'])")
    studio.move(left + 20, top + 10)
    studio.wait(2)
    xdotool(studio.environment, "mousedown", 1)
    studio.until("win.studio.engine.expressed == {'wink right': 1.0}")
    xdotool(studio.environment, "mouseup", 1)
    studio.until("not win.studio.engine.expressed")
    # a held one becomes a toggled one
    studio.click(f"{PAGE}.holds['wink left']")
    studio.until("'wink left' not in win.settings.expressions.held")
    studio.press("5")
    studio.wait(4)
    assert studio.ask("win.studio.engine.expressed") == {"wink left": 1.0}
    studio.press("5")
    studio.click(f"{PAGE}.holds['wink left']")


@needs_screen
def test_an_own_expression_is_posed_saved_renamed_keyed_and_deleted(studio: Studio) -> None:
    studio.ask("win.studio.turn_to('faces')")
    studio.wait(4)
    card = f"{PAGE}.own"

    def write(text: str) -> None:
        studio.wait(8)  # it is scrolled to
        studio.click(f"{card}.question.field")
        studio.press("ctrl+a")
        xdotool(studio.environment, "type", "--delay", 120, text)
        studio.wait(2)
        studio.click(f"{card}.question.yes")

    studio.reveal(f"{card}.manual", "faces")
    studio.click(f"{card}.manual")
    studio.ask("win.meters.set_pose(type(win.studio.engine.shown)(), tell=True)")
    studio.reveal(f"{card}.save", "faces")
    studio.click(f"{card}.save")
    write("Empty")
    studio.until("'move some of them first' in win.strip.shown.get('told', '')")
    studio.click("win.meters.sliders['eye_left']", 0.5)
    studio.click("win.meters.sliders['neck_y']", 0.9)
    write("Half")
    studio.until("'Half' in win.settings.expressions.own")
    kept = studio.ask("win.settings.expressions.own['Half']")
    assert list(kept) == ["eye_left"] and 0.4 < kept["eye_left"] < 0.6, "the head goes on following"
    studio.press("s")
    studio.until("win.studio.manual is None")
    # a key that is taken is warned of
    studio.ask("dpg.set_y_scroll(win.areas['faces'], 0)")
    studio.wait(4)
    studio.click(f"{PAGE}.keys['Half']")
    studio.press("1")
    studio.until(f"dpg.is_item_shown({PAGE}._told.take)")
    assert studio.ask("win.keys.bound['expression:Half']") == "" and not studio.ask("win.studio.engine.expressed")
    studio.press("q")
    studio.until("win.keys.bound['expression:Half'] == 'Q'")
    studio.press("q")
    studio.until("win.studio.engine.expressed == {'Half': 1.0} and win.studio.engine.shown.eye_left > 0.4")
    studio.press("q")
    studio.until("not win.studio.engine.expressed")
    # renamed, with its key; a name that is taken is refused
    studio.reveal(f"{card}.rename", "faces")
    studio.click(f"{card}.rename")
    write("smile")
    studio.until("'already an expression smile' in win.strip.shown.get('told', '')")
    write("Winking")
    studio.until("list(win.settings.expressions.own) == ['Winking']")
    assert studio.ask("win.keys.bound['expression:Winking']") == "Q"
    # onto the sliders again, and deleted, which is asked
    studio.reveal(f"{card}.pose", "faces")
    studio.click(f"{card}.pose")
    studio.until("win.studio.manual is not None and win.studio.manual.eye_left > 0.4")
    assert studio.ask("dpg.get_value(win.meters.sliders['eye_left'])") == pytest.approx(kept["eye_left"], abs=0.01)
    studio.press("s")
    studio.reveal(f"{card}.delete", "faces")
    studio.click(f"{card}.delete")
    assert studio.ask("list(win.settings.expressions.own)") == ["Winking"], "it is asked"
    studio.wait(8)
    studio.click(f"{card}.question.yes")
    studio.until("not win.settings.expressions.own")
    profile = studio.home / "profiles/default.json"
    assert eventually(lambda: profile.exists() and json.loads(profile.read_text())["expressions"]["own"] == {}, 5)


@needs_screen
def test_the_mouth_is_muted_and_the_next_character_taken_by_key(studio: Studio) -> None:
    studio.press("x")
    studio.until("win.studio.engine.mouth_muted")
    studio.click("win.actions.buttons['mute']")
    studio.until("not win.studio.engine.mouth_muted")
    before = studio.ask("win.settings.studio.character")
    studio.press("n")
    studio.until(f"win.settings.studio.character != {before!r}")
    first = studio.ask("win.settings.studio.character")
    studio.press("n")
    studio.until(f"win.settings.studio.character not in ({first!r}, {before!r})")
