"""The window's parts that need no window: calibration guide, profiles, shelf, preview, display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import drawn_character
from PIL import ImageFont

from puppeteer.errors import ImageError, SettingsError
from puppeteer.gui import texts
from puppeteer.gui.chooser import listing
from puppeteer.gui.display import x_dpi
from puppeteer.gui.doctor import Head, is_prepared, treat
from puppeteer.gui.guide import HOLD_S, READY_S, SETTLE_S, STEPS, Guide
from puppeteer.gui.profiles import Profiles, user_folder
from puppeteer.gui.shelf import THUMBNAIL, Shelf, Thumbnails, thumbnail
from puppeteer.gui.stage import Box, drawn, fitted
from puppeteer.gui.theme import BOLD, REGULAR
from puppeteer.image import write_png
from puppeteer.live import Preview
from puppeteer.motion import Calibration
from puppeteer.settings import STUDIO, load_profile, save_profile, set_by_name


class Told:
    """What a guide asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.problem: SettingsError | None = None
        self.guide = Guide(self.calls.append, self.finish, lambda: self.calls.append("cancel"))

    def finish(self) -> None:
        self.calls.append("finish")
        if self.problem is not None:
            raise self.problem


def test_the_guide_asks_for_three_steps_and_measures_only_while_they_are_held() -> None:
    told, now_s = Told(), 100.0
    told.guide.step(now_s + 1000)
    assert told.guide.phase == "intro", "nothing starts by itself"
    told.guide.start(now_s)
    for index, step in enumerate(STEPS):
        assert (told.guide.index, told.guide.asks, told.guide.phase) == (index, step, "ready")
        told.guide.step(now_s + READY_S - 0.1)
        assert told.guide.phase == "ready" and told.guide.remaining_s(now_s + READY_S - 0.1) == pytest.approx(0.1)
        now_s += READY_S
        told.guide.step(now_s)
        assert told.guide.phase == "settle" and len(told.calls) == 2 * index
        now_s += SETTLE_S
        told.guide.step(now_s)
        assert told.guide.phase == "hold" and told.calls[-1] == step
        assert told.guide.share(now_s + HOLD_S / 2) == pytest.approx(0.5)
        now_s += HOLD_S
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
    profiles.pass_over(kept, used)
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
    makes = Thumbnails()
    makes.ask(character_png)
    makes.close()
    assert [path for path, _ in makes.ready()] == [character_png]


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
    folders, files = listing(tmp_path, (".png",))
    assert [path.name for path in folders] == ["folder.png"]
    assert [path.name for path in files] == ["a.png", "b.PNG"]


def test_the_screen_says_how_large_things_are() -> None:
    assert x_dpi("Xft.antialias:\t1\nXft.dpi:\t192\n") == 192
    assert x_dpi("") == 96


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("no face: look into the camera", "No face: look into the camera"),
        ("weights/compact.pt is damaged", "weights/compact.pt is damaged"),
        ("girl.png does not exist", "girl.png does not exist"),
        ("", ""),
    ],
)
def test_messages_begin_like_sentences_and_names_of_files_stay_as_they_are(message: str, shown: str) -> None:
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
