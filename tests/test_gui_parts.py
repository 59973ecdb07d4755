"""The window's parts that need no window: calibration guide, profiles, shelf, preview, display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import drawn_character
from PIL import Image, ImageFont

from puppeteer.by_name import set_by_name
from puppeteer.errors import ImageError, SettingsError
from puppeteer.gui import keys as keys_module
from puppeteer.gui import texts
from puppeteer.gui.chooser import arranged, day_of, listing
from puppeteer.gui.display import Place, first_place, place_again, x_dpi
from puppeteer.gui.guide import HOLD_S, READY_S, SETTLE_S, STEPS, Guide
from puppeteer.gui.keys import DEFAULTS, OF_EXPRESSIONS, Keys
from puppeteer.gui.memory import Memory
from puppeteer.gui.notices import Notices
from puppeteer.gui.profiles import Profiles, user_folder
from puppeteer.gui.recordings import Recordings
from puppeteer.gui.safe import _guarded, safe, safe_label
from puppeteer.gui.shelf import PICTURES, THUMBNAIL, Shelf, Thumbnails, thumbnail
from puppeteer.gui.stage import Box, drawn, fitted
from puppeteer.gui.theme import BOLD, REGULAR
from puppeteer.gui.treatment import Head, is_prepared, treat
from puppeteer.gui.work import Work
from puppeteer.image import PACKAGES, formats, write_png
from puppeteer.live import Part, Preview, State
from puppeteer.motion import Calibration
from puppeteer.profile import load_profile, save_profile
from puppeteer.settings import STUDIO


class Told:
    """What a guide asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.problem: SettingsError | None = None
        self.refusal: SettingsError | None = None
        self.guide = Guide(self.begin, self.finish, lambda: self.calls.append("cancel"))

    def begin(self, step: str) -> None:
        self.calls.append(step)
        if self.refusal is not None:
            raise self.refusal

    def finish(self) -> None:
        self.calls.append("finish")
        if self.problem is not None:
            raise self.problem


def test_the_guide_asks_for_every_step_and_measures_only_while_they_are_held() -> None:
    told, now_s = Told(), 100.0
    told.guide.step(now_s + 1000)
    assert told.guide.phase == "intro", "nothing starts by itself"
    told.guide.start(now_s)
    for index, step in enumerate(STEPS):
        assert (told.guide.index, told.guide.asks, told.guide.phase) == (index, step, "ready")
        told.guide.step(now_s + READY_S - 0.1)
        assert told.guide.phase == "ready" and told.guide.remaining_s(now_s + READY_S - 0.1) == pytest.approx(0.1)
        now_s += READY_S + 1e-6
        told.guide.step(now_s)
        assert told.guide.phase == "settle" and len(told.calls) == 2 * index
        now_s += SETTLE_S + 1e-6
        told.guide.step(now_s)
        assert told.guide.phase == "hold" and told.calls[-1] == step
        assert told.guide.hold_s >= HOLD_S
        assert told.guide.share(now_s + told.guide.hold_s / 2) == pytest.approx(0.5)
        now_s += told.guide.hold_s + 1e-6
        told.guide.step(now_s)
        assert told.calls[-1] == "finish"
    assert told.guide.phase == "done"


def test_a_step_that_fails_is_asked_for_again() -> None:
    told = Told()
    told.problem = SettingsError("no face was seen")
    told.guide.start(0)
    for time_s in (READY_S, READY_S + SETTLE_S, READY_S + SETTLE_S + HOLD_S):
        told.guide.step(time_s)
    assert (told.guide.phase, told.guide.problem, told.guide.index) == ("failed", "no face was seen", 0)
    told.problem = None
    told.guide.start(50)
    for time_s in (50 + READY_S, 50 + READY_S + SETTLE_S, 50 + READY_S + SETTLE_S + HOLD_S):
        told.guide.step(time_s)
    assert told.guide.index == 1


def test_what_a_calibration_can_do_without_may_be_skipped_at_any_moment() -> None:
    told = Told()
    told.guide.start(0)
    assert not told.guide.may_skip, "the first steps are needed"
    told.guide.index = STEPS.index("lips")
    assert told.guide.may_skip
    told.guide.skip(1.0)
    assert (told.guide.asks, told.guide.phase) == ("corners", "ready")
    told.guide.step(1.1 + READY_S)
    told.guide.step(1.2 + READY_S + SETTLE_S)
    told.guide.skip(1.3 + READY_S + SETTLE_S)
    assert told.guide.phase == "done" and told.calls == ["corners", "cancel"]


def test_a_camera_that_is_gone_when_the_measuring_begins_fails_the_step_once() -> None:
    told = Told()
    told.refusal = SettingsError("calibration needs a webcam")
    told.guide.start(0)
    for time_s in (READY_S, READY_S + SETTLE_S, READY_S + SETTLE_S + 0.1, READY_S + SETTLE_S + HOLD_S):
        told.guide.step(time_s)
    assert (told.guide.phase, told.guide.problem) == ("failed", "calibration needs a webcam")
    assert told.calls == ["neutral"]


def test_giving_up_in_the_middle_of_a_step_cancels_it() -> None:
    told = Told()
    told.guide.start(0)
    told.guide.step(READY_S)
    told.guide.step(READY_S + SETTLE_S)
    told.guide.stop()
    assert told.calls == ["neutral", "cancel"]


def test_the_last_profile_is_loaded_on_the_next_start(tmp_path: Path) -> None:
    first = Profiles(tmp_path)
    assert first.start() == STUDIO and first.names() == ["default"]
    changed = set_by_name(STUDIO, "motion.idle", False)
    first.save_as("Evening stream", changed)
    again = Profiles(tmp_path)
    assert again.start() == changed
    assert again.current == "Evening stream" and again.notes == []
    assert again.delete() == STUDIO and again.current == "default"
    assert again.names() == ["default"]


def test_what_the_command_line_says_is_for_this_time_only(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    kept = set_by_name(profiles.start(), "source.camera", "Desk")
    kept = kept.model_copy(update={"calibration": Calibration(neck_y=0.1).asdict()})
    used = set_by_name(set_by_name(kept, "source.camera", "Lid"), "output.rate", 20)
    used = used.model_copy(update={"calibration": Calibration(neck_y=0.5).asdict()})
    profiles.save(kept)
    profiles.pass_over(used)
    profiles.save(set_by_name(used, "motion.idle", False))
    assert load_profile(profiles.path("default"), STUDIO) == set_by_name(kept, "motion.idle", False)
    changed = set_by_name(used, "output.rate", 25).model_copy(update={"calibration": None})
    profiles.save(changed)
    stored = load_profile(profiles.path("default"), STUDIO)
    assert stored == set_by_name(kept, "output.rate", 25).model_copy(update={"calibration": None})
    profiles.save_as("All of it", used)
    profiles.save(used)
    assert load_profile(profiles.path("All of it"), STUDIO) == used


def test_a_broken_profile_is_set_aside_named_and_never_overwritten(tmp_path: Path) -> None:
    broken = '{"motion": {"mirror": perhaps'
    for number in (1, 2):
        path = tmp_path / "profiles/default.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(broken)
        profiles = Profiles(tmp_path)
        assert profiles.start() == STUDIO
        assert "default.json is not JSON" in profiles.notes[0] and f"default.broken-{number}" in profiles.notes[0]
        assert not path.exists() and (tmp_path / f"profiles/default.broken-{number}").read_text() == broken
    profiles.save(STUDIO)
    assert load_profile(tmp_path / "profiles/default.json", STUDIO) == STUDIO
    assert profiles.names() == ["default"]


def test_names_of_profiles_stay_inside_the_folder(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    for name in ("../out", "a/b", "", " ", "x" * 41, ".hidden", "CON:"):
        with pytest.raises(SettingsError, match="needs a name"):
            profiles.save_as(name, STUDIO)
    profiles.save_as("夜の配信", STUDIO)
    with pytest.raises(SettingsError, match="already a profile"):
        profiles.save_as("夜の配信", STUDIO)


def test_a_folder_that_cannot_be_written_is_told_and_the_studio_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    profiles = Profiles(tmp_path / "file")
    assert profiles.start() == STUDIO
    with pytest.raises(SettingsError, match="cannot be written"):
        profiles.save(STUDIO)


def test_the_folder_of_a_user_can_be_named(tmp_path: Path) -> None:
    assert user_folder({"PUPPETEER_HOME": str(tmp_path)}) == tmp_path
    if sys.platform == "linux":
        assert user_folder({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "puppeteer"
    assert user_folder({}).is_absolute()


def test_the_shelf_keeps_copies_and_shows_shipped_ones_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    shipped = shelf.entries()
    assert shipped and not any(entry.own for entry in shipped)
    picture = tmp_path / "me.png"
    write_png(picture, drawn_character())
    kept = shelf.add(picture)
    assert shelf.add(picture) == kept and shelf.add(kept) == kept, "the same picture is kept once"
    other = tmp_path / "other"
    other.mkdir()
    write_png(other / "me.png", drawn_character(128))
    second = shelf.add(other / "me.png")
    assert second.name == "me 2.png"
    picture.unlink()
    assert [entry.name for entry in shelf.entries() if entry.own] == ["me", "me 2"]
    shelf.remove(shelf.entries()[-1])
    assert [entry.path for entry in shelf.entries() if entry.own] == [kept]
    assert [path.name for path in kept.parent.iterdir()] == ["me.png"], "no temporary file stays"


def test_prepared_pictures_are_told_from_others(tmp_path: Path) -> None:
    write_png(tmp_path / "with.png", drawn_character(), (0, 0, 256))
    write_png(tmp_path / "without.png", drawn_character())
    (tmp_path / "broken.png").write_text("no picture")
    assert [is_prepared(tmp_path / name) for name in ("with.png", "without.png", "broken.png")] == [True, False, False]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        assert not is_prepared(tmp_path / "pipe.png"), "and nothing waits for a writer"
    with pytest.raises(ImageError, match=r"broken\.png"):
        treat(tmp_path / "broken.png")


def test_a_shelf_that_cannot_be_written_is_told(tmp_path: Path, character_png: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="used from where it is"):
        Shelf(tmp_path / "file").add(character_png)


def test_thumbnails_show_the_head_and_of_no_picture_a_cross(tmp_path: Path, character_png: Path) -> None:
    pixels = thumbnail(character_png)
    assert pixels.shape == (THUMBNAIL, THUMBNAIL, 4) and pixels.dtype == np.float32
    assert pixels.min() >= 0 and pixels.max() <= 1
    assert pixels[THUMBNAIL // 2, THUMBNAIL // 2, 3] == 1 and pixels[0, 0, 3] == 0
    broken = tmp_path / "broken.png"
    broken.write_text("")
    cross = thumbnail(broken)
    assert 0.005 < (cross[..., 3] > 0).mean() < 0.1
    asked = [character_png]
    if hasattr(os, "mkfifo"):
        asked.insert(0, tmp_path / "pipe.png")
        os.mkfifo(asked[0])
    makes = Thumbnails()
    for path in asked:
        makes.ask(path)
    makes.close()
    assert [path for path, _ in makes.ready()] == asked, "a pipe keeps nobody waiting"


def test_a_thumbnail_of_a_prepared_picture_shows_its_square(tmp_path: Path) -> None:
    whole = np.zeros((300, 400, 4), np.uint8)
    whole[100:228, 200:328] = (10, 200, 30, 255)
    write_png(tmp_path / "p.png", whole, (200, 100, 128))
    assert (thumbnail(tmp_path / "p.png")[..., 3] > 0.9).all()


def test_a_square_is_turned_clockwise_about_its_middle() -> None:
    head = Head(100, 50, 40, 90)
    assert np.allclose(head.corners()[0], (120, 30)) and np.allclose(head.corners(0.5)[0], (110, 40))
    tilted = Head(0, 0, 100, 10)
    assert tilted.corners()[1][1] > tilted.corners()[0][1], "clockwise as seen: its right side is lower"
    assert tilted.holds(0, 49) and tilted.holds(*tilted.corners(0.99)[0]) and not tilted.holds(50, -49)
    assert Head(100.4, 50, 41).square() == (80, 30, 41)


def test_the_preview_is_a_mirror_with_landmarks() -> None:
    rgb = np.zeros((60, 80, 3), np.uint8)
    rgb[:, :40] = 100
    landmarks = np.full((478, 3), 0.5, np.float32)
    landmarks[:, 0] = 0.25
    plain = drawn(Preview(rgb, landmarks, True, 1), False, (80, 60))
    mirrored = drawn(Preview(rgb, landmarks, True, 1), True, (80, 60))
    assert np.array_equal(mirrored[:, ::-1], plain)
    assert plain[30, 20, 1] > 150 and plain[30, 60].max() == 0
    assert mirrored[0, 79, 0] == 100 and mirrored[0, 0, 0] == 0
    assert rgb[30, 20, 1] == 100, "the engine's own picture stays as it is"


def test_pictures_are_fitted_into_the_middle() -> None:
    assert fitted((1280, 720), Box(10, 10, 640, 640)) == Box(10, 150, 640, 360)
    assert fitted((100, 200), Box(0, 0, 300, 200)) == Box(100, 0, 100, 200)


def test_a_listing_shows_folders_and_what_can_be_chosen(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.png", "note.txt", ".hidden.png"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.utime(tmp_path / "b.PNG", (2e9, 2e9))
    found = listing(tmp_path, (".png",))
    assert {one.path.name for one in found if one.folder} == {"folder.png"}
    assert [one.path.name for one in arranged(found, "name", "")] == ["folder.png", "a.png", "b.PNG"]
    assert [one.path.name for one in arranged(found, "date", "")] == ["folder.png", "b.PNG", "a.png"]
    assert [one.path.name for one in arranged(found, "name", "PNG b")] == ["b.PNG"]
    assert day_of(0) and day_of(1e30) == "" == day_of(-1e30)


def test_every_text_goes_through_the_door_that_makes_it_safe() -> None:
    for text in ("", "bad\udcff", "a\0b", "\ud800", "a\x1b[0m", "line\nline\t", "猫 ~ é 🙂", "x" * 200_000):
        made = safe(text)
        made.encode()
        assert "\0" not in made and len(made) < 110_000
    assert safe("猫 a\nb") == "猫 a\nb", "what can be shown stays"
    assert "##" not in safe_label("a##b.png") and len(safe_label("a##b.png")) == 8
    folder = Path(texts.__file__).parent
    for path in folder.rglob("*.py"):
        assert "import dearpygui" not in path.read_text() or path.name == "safe.py", (
            f"{path.name}: import dpg from safe"
        )


def test_dear_pygui_gets_only_what_it_can_show() -> None:
    got: list[object] = []
    call = _guarded(lambda *words, **named: got.extend((words, named)))
    call("a\udcff", 3, ["b\udcff", "c"], label="d##\udcff", items=("e\udcff",), tag=4)
    assert got == [("a\ufffd", 3, ["b\ufffd", "c"]), {"label": "d＃＃\ufffd", "items": ("e\ufffd",), "tag": 4}]


def test_two_windows_with_one_profile_keep_both_changes(tmp_path: Path) -> None:
    one, other = Profiles(tmp_path), Profiles(tmp_path)
    first, second = one.start(), other.start()
    first = set_by_name(first, "motion.idle", False)
    one.save(first)
    second = set_by_name(second, "output.zoom", 2.0)
    other.save(second)
    first = set_by_name(first, "output.rate", 20)
    one.save(first)
    stored = load_profile(one.path("default"), STUDIO)
    assert (stored.motion.idle, stored.output.zoom, stored.output.rate) == (False, 2.0, 20)
    other.save(second.model_copy(update={"calibration": Calibration(neck_y=0.5).asdict()}))
    one.save(set_by_name(first, "motion.idle", True))
    stored = load_profile(one.path("default"), STUDIO)
    assert stored.motion.idle is True and stored.calibration is not None and stored.calibration["neck_y"] == 0.5
    one.path("default").unlink()  # by hand, or by the other window
    one.save(set_by_name(first, "output.rate", 25))
    assert load_profile(one.path("default"), STUDIO).output.zoom == 2.0, "what is known of it comes back"


def test_profiles_are_renamed_with_what_they_hold(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    changed = set_by_name(profiles.start(), "motion.idle", False)
    profiles.save_as("Evening", changed)
    profiles.rename("Nacht 夜")
    assert profiles.current == "Nacht 夜" and "Evening" not in profiles.names()
    assert Profiles(tmp_path).start() == changed
    profiles.rename("nacht 夜")
    for name in ("../x", ""):
        with pytest.raises(SettingsError, match="needs a name"):
            profiles.rename(name)
    profiles.save_as("Other", changed)
    with pytest.raises(SettingsError, match="already a profile"):
        profiles.rename("nacht 夜")


def test_a_renamed_character_is_followed_by_every_profile_that_uses_it(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    old, new = tmp_path / "characters/me.png", tmp_path / "characters/I.png"
    with_it = set_by_name(profiles.start(), "studio.character", str(old))
    profiles.save_as("one", with_it)
    profiles.save_as("two", set_by_name(with_it, "output.rate", 25))
    profiles.save_as("other", set_by_name(STUDIO, "studio.character", "you.png"))
    profiles.path("broken").write_text("{")
    profiles.follow(old, new)
    assert load_profile(profiles.path("one"), STUDIO).studio.character == str(new)
    two = load_profile(profiles.path("two"), STUDIO)
    assert two.studio.character == str(new) and two.output.rate == 25
    assert load_profile(profiles.path("other"), STUDIO).studio.character == "you.png"
    assert profiles.path("broken").read_text() == "{"


def test_the_dialog_offers_every_kind_of_picture_that_is_read() -> None:
    for kind in formats():
        endings = [ending for ending, name in Image.registered_extensions().items() if name == kind]
        assert set(endings) & set(PICTURES), kind
    assert set(PACKAGES) <= set(PICTURES), "what is missing for them is said when one is chosen"


def test_a_look_at_a_broken_profile_leaves_it_for_the_window_to_tell(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/default.json").write_text("{")
    settings, problem = Profiles(tmp_path).peek()
    assert settings == STUDIO and "not JSON" in problem
    profiles = Profiles(tmp_path)
    assert profiles.start() == STUDIO and "set aside" in profiles.notes[0]


def test_characters_are_renamed_on_the_shelf(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    for name in ("me", "you"):
        write_png(tmp_path / f"{name}.png", drawn_character(64))
        (tmp_path / f"{name}.png").write_bytes((tmp_path / f"{name}.png").read_bytes() + name.encode())
        shelf.add(tmp_path / f"{name}.png")
    me = next(entry for entry in shelf.entries() if entry.name == "me")
    assert shelf.rename(me, " わたし ").name == "わたし.png"
    assert [entry.name for entry in shelf.entries() if entry.own] == ["you", "わたし"]
    entry = next(entry for entry in shelf.entries() if entry.name == "わたし")
    for name in ("", "a/b", "..", ".x", "a\0", 'a"'):
        with pytest.raises(ImageError, match="needs a name"):
            shelf.rename(entry, name)
    with pytest.raises(ImageError, match="already a character"):
        shelf.rename(entry, "you")


def test_the_window_remembers_and_a_broken_memory_is_none(tmp_path: Path) -> None:
    memory, other = Memory(tmp_path), Memory(tmp_path)
    memory.keep("place", [1, 2, 3, 4])
    other.keep("sort", "date")
    again = Memory(tmp_path)
    assert again.get("place", []) == [1, 2, 3, 4] and again.get("sort", "name") == "date"
    assert again.get("place", "") == "" and again.get("sort", False) is False, "of another type: as if never kept"
    (tmp_path / "window.json").write_text("[")
    assert Memory(tmp_path).get("place", []) == []
    (tmp_path / "file").write_text("")
    Memory(tmp_path / "file").keep("place", [0])


HD, LAPTOP = Place(0, 0, 1920, 1080), Place(0, 0, 1366, 768)


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (1024, 600), (1920, 1080), (3840, 2160)])
@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_a_window_fits_the_screen_that_it_opens_on(size: tuple[int, int], scale: float) -> None:
    beside = Place(-1000, 300, *size)
    place = first_place((1240, 760), scale, [beside, HD])
    assert place.overlap(beside) == (place.width, place.height), "all of it is seen"
    assert place.height <= size[1] - 40 and place.width >= min(1000, size[0] - 40)


def test_a_remembered_place_comes_back_into_view_where_it_is_gone() -> None:
    smallest = (800, 500)
    kept = Place(200, 150, 1240, 760)
    assert place_again(kept, smallest, 1.0, [HD]) == kept
    assert place_again(Place(2500, 150, 1240, 760), smallest, 1.0, [HD, Place(1920, 0, 1920, 1080)]) is not None
    assert place_again(Place(2500, 150, 1240, 760), smallest, 1.0, [HD]) is None, "that screen was taken away"
    assert place_again(Place(-32000, -32000, 160, 28), smallest, 1.0, [HD]) is None, "minimised, on Windows"
    smaller = place_again(Place(60, 40, 1800, 1000), smallest, 1.0, [LAPTOP])
    assert smaller is not None and smaller.overlap(LAPTOP) == (smaller.width, smaller.height)


class Pressed:
    """Keys that are down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.down: set[int] = set()
        monkeypatch.setattr(keys_module.dpg, "is_key_down", lambda code: code in self.down)
        monkeypatch.setattr(keys_module.dpg, "is_key_pressed", lambda code: code in self.down)

    def press(self, keys: Keys, name: str) -> None:
        self.down = {getattr(keys_module.dpg, f"mvKey_{name}")}
        for act in keys.poll(silent=False):
            act()
        self.down = set()
        keys.poll(silent=False)


def test_keys_are_changed_kept_and_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands, done = Pressed(monkeypatch), []
    keys = Keys({name: lambda name=name: done.append(name) for name in DEFAULTS}, Memory(tmp_path))
    hands.press(keys, "R")
    keys.ask("recentre")
    hands.press(keys, "J")
    assert keys.bound["recentre"] == "J" and done == ["recentre"], "the new key was not acted on"
    hands.press(keys, "R")
    hands.press(keys, "J")
    assert done == ["recentre", "recentre"]
    keys.ask("mirror")
    hands.press(keys, "J")
    assert keys.taken == "J" and keys.owner("J") == "recentre" and keys.bound["mirror"] == "M", "warned, not taken"
    keys.bind("mirror", "J")
    assert (keys.bound["mirror"], keys.bound["recentre"]) == ("J", "")
    keys.ask("preview")
    hands.press(keys, "Escape")
    keys.ask("manual")
    hands.press(keys, "Back")
    again = Keys({}, Memory(tmp_path))
    assert again.bound == {**DEFAULTS, **OF_EXPRESSIONS, "mirror": "J", "recentre": "", "manual": ""}
    again.reset()
    assert Keys({}, Memory(tmp_path)).bound == {**DEFAULTS, **OF_EXPRESSIONS}


def test_the_key_of_an_expression_tells_down_and_up_and_follows_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands, told = Pressed(monkeypatch), []
    own = ["Grumpy"]
    keys = Keys({}, Memory(tmp_path), lambda name, down: told.append((name, down)), lambda: own)
    keys.ask("expression:Grumpy")
    hands.press(keys, "Q")
    hands.down = {keys_module.dpg.mvKey_Q}
    [act] = keys.poll(silent=False)
    act()
    assert keys.poll(silent=False) == [] and told == [("Grumpy", True)]
    hands.down = set()
    [act] = keys.poll(silent=True)  # somebody types by now: it is let go of all the same
    act()
    assert told == [("Grumpy", True), ("Grumpy", False)]
    own[:] = ["Cross"]
    keys.rename("expression:Grumpy", "expression:Cross")
    assert keys.bound["expression:Cross"] == "Q" and keys.owner("Q") == "expression:Cross"
    own[:] = []
    keys.rename("expression:Cross", "")
    assert keys.owner("Q") == "", "what is deleted has no key"
    assert "expression:Cross" not in Memory(tmp_path).get("keys", {})


def test_a_problem_is_told_until_its_part_begins_anew() -> None:
    def told(state: State, text: str) -> list[str]:
        status: Any = SimpleNamespace(parts=lambda: {"camera": Part(state, text)})
        notices.follow(status, {})
        return [notice.text for notice in notices.shown(5).values()]

    notices = Notices(lambda: 0.0)
    assert told("problem", "192.168.1.999 is not an address") == ["192.168.1.999 is not an address"]
    assert told("problem", "192.168.1.9999 is not an address") == ["192.168.1.9999 is not an address"]
    assert told("starting", "waiting for a phone") == []
    assert told("problem", "no phone") == ["no phone"]
    assert told("ok", "a phone") == []


def test_the_preview_has_a_place_for_advice() -> None:
    assert texts.advice("ok", "face found") == "" == texts.advice("problem", "no face: look into the camera")
    assert texts.advice("ok", "come closer: the face is small") == "Come closer"


def test_the_screen_says_how_large_things_are() -> None:
    assert x_dpi("Xft.antialias:\t1\nXft.dpi:\t192\n") == 192
    assert x_dpi("") == 96


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("no face: look into the camera", "No face: look into the camera"),
        ("weights/compact.pt is damaged", "weights/compact.pt is damaged"),
        ("girl.png does not exist", "girl.png does not exist"),
        ("iFacialMocap has fallen silent", "iFacialMocap has fallen silent"),
        ("", ""),
    ],
)
def test_messages_begin_like_sentences_and_names_stay_as_they_are(message: str, shown: str) -> None:
    assert texts.sentence(message) == shown


def test_the_font_has_what_texts_and_names_of_files_need() -> None:
    used = "".join(value for value in vars(texts).values() if isinstance(value, str)).replace("\n", "")
    for path in (REGULAR, BOLD):
        assert path.stat().st_size < 1_500_000
        font = ImageFont.truetype(str(path), 32, layout_engine=ImageFont.Layout.BASIC)
        missing = bytes(font.getmask("\U0010fffd"))
        assert not [
            letter
            for letter in "aÄßあンー漢字猫你们汉！〜●…→řŁőșığĐŻẞộΨжЇ" + used
            if bytes(font.getmask(letter)) == missing
        ]


def test_importing_the_window_does_not_load_what_takes_seconds() -> None:
    code = (
        "import sys, puppeteer.gui.window; slow = {'torch', 'mediapipe'} & set(sys.modules); "
        "raise SystemExit(' '.join(sorted(slow)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_saved_profile_is_what_the_command_line_reads(tmp_path: Path) -> None:
    save_profile(tmp_path / "p.json", set_by_name(STUDIO, "studio.scale", 1.5))
    assert load_profile(tmp_path / "p.json").studio.scale == 1.5


def test_a_recording_that_has_just_begun_is_not_taken_for_one_that_ended(tmp_path: Path) -> None:
    def status(state: str) -> Any:
        return SimpleNamespace(recording=SimpleNamespace(state=state))

    now_s = [0.0]
    notices = Notices(lambda: now_s[0])
    engine: Any = SimpleNamespace(start_recording=lambda path: path.touch())
    recordings = Recordings(engine, Work(), notices, lambda: now_s[0])
    recordings.start(set_by_name(STUDIO, "studio.recordings", str(tmp_path)))
    recordings.step(status("off"))  # of before the click
    assert recordings.path is not None and not notices.shown(5)
    now_s[0] = 2.0
    recordings.step(status("ok"))
    assert recordings.path is not None
    recordings.step(status("problem"))
    assert recordings.path is None and str(tmp_path) in notices.shown(5)["done"].text
