"""The settings tree: names, ranges, profiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from puppeteer.by_name import leaves, set_by_name, settings_from
from puppeteer.errors import SettingsError
from puppeteer.motion import Calibration
from puppeteer.profile import load_profile, save_profile
from puppeteer.settings import STUDIO, Settings


def test_every_setting_is_documented_and_its_default_lies_in_its_range() -> None:
    for leaf in leaves():
        assert leaf.help, leaf.name
        if leaf.low is not None:
            assert leaf.value >= leaf.low, leaf.name
        if leaf.high is not None:
            assert leaf.value <= leaf.high, leaf.name


def test_every_setting_can_be_set_by_its_name_and_keeps_the_others() -> None:
    for leaf in leaves():
        if leaf.type is bool:
            value: object = not leaf.value
        elif leaf.choices:
            value = next(choice for choice in leaf.choices if choice != leaf.value)
        elif leaf.high is not None:
            value = leaf.high if leaf.value != leaf.high else leaf.low
        else:
            continue
        changed = {
            new.name
            for old, new in zip(leaves(), leaves(set_by_name(Settings(), leaf.name, value)), strict=True)
            if old.value != new.value
        }
        assert changed == {leaf.name}


def test_numbers_outside_their_range_are_refused_in_words() -> None:
    checked = 0
    for leaf in leaves():
        for bound, beyond in ((leaf.low, -1), (leaf.high, 1)):
            if bound is not None:
                with pytest.raises(SettingsError, match=f"{leaf.name} is .*: it must be {leaf.allowed[:4]}"):
                    set_by_name(Settings(), leaf.name, bound + beyond)
                checked += 1
        if isinstance(leaf.value, float):
            with pytest.raises(SettingsError, match=leaf.name):
                set_by_name(Settings(), leaf.name, float("nan"))
    assert checked > 10


def test_profile_round_trip(tmp_path: Path) -> None:
    settings = set_by_name(set_by_name(Settings(), "motion.mirror", True), "poser.family", "warp")
    path = tmp_path / "new folder" / "profile.json"
    save_profile(path, settings)
    assert load_profile(path) == settings
    assert [entry.name for entry in path.parent.iterdir()] == ["profile.json"]  # no temporary file stays


def test_names_of_files_that_are_not_utf_8_are_kept(tmp_path: Path) -> None:
    name = "/pictures/ねこ bad\udcff.png"
    settings = set_by_name(Settings(), "studio.character", name)
    save_profile(tmp_path / "p.json", settings)
    assert load_profile(tmp_path / "p.json") == settings
    assert "ねこ" in (tmp_path / "p.json").read_text(encoding="utf-8"), "the rest stays readable"


def test_a_profile_needs_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"motion": {"mirror": true}}', encoding="utf-8-sig")
    assert load_profile(path) == set_by_name(Settings(), "motion.mirror", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ('{"motion": {"mirror": tru', "is not JSON .line 1"),
        ("[]", "must be a group of settings"),
        ('{"motion": 3}', "motion is 3"),
        ('{"motion": {"miror": true}}', "there is no setting motion.miror: did you mean motion.mirror"),
        ('{"mirror": true}', "there is no setting mirror: did you mean motion.mirror"),
        ('{"poser": {"family": "wrap"}}', 'poser.family is "wrap": it must be one of auto'),
        ('{"motion": {"mirror": "perhaps"}}', "motion.mirror is .*: it must be true or false"),
        ('{"motion": {"mirror": NaN}}', "motion.mirror is NaN"),
    ],
)
def test_a_broken_profile_is_explained(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"(?s)p.json.*{said}"):
        load_profile(path)


def test_a_profile_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no profile"):
        load_profile(tmp_path / "none.json")
    with pytest.raises(SettingsError, match="is a folder"):
        load_profile(tmp_path)
    binary = tmp_path / "b.json"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_profile(binary)


def test_a_profile_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        save_profile(tmp_path / "file" / "p.json", Settings())
    save_profile(tmp_path / "p.json", Settings())
    with pytest.raises(SettingsError, match="cannot be written"):
        save_profile(tmp_path / "p.json" / "p.json", Settings())


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"did you mean poser\.device"):
        set_by_name(Settings(), "poser.devise", "cpu")
    with pytest.raises(SettingsError, match=r"there is no setting xyzzy$"):
        set_by_name(Settings(), "xyzzy", 1)


def test_the_tree_survives_json() -> None:
    assert settings_from(json.loads(Settings().model_dump_json())) == Settings()


def test_the_studio_is_a_mirror_and_a_partial_profile_keeps_it_so(tmp_path: Path) -> None:
    assert STUDIO.motion.mirror and not Settings().motion.mirror
    assert {leaf.name for leaf in leaves(STUDIO) if leaf.value != leaf.default} == {"motion.mirror"}
    assert all(leaf.value == leaf.default for leaf in leaves(STUDIO, STUDIO))
    path = tmp_path / "p.json"
    path.write_text('{"motion": {"idle": false}}')
    assert load_profile(path, STUDIO) == set_by_name(STUDIO, "motion.idle", False)
    assert load_profile(path) == set_by_name(Settings(), "motion.idle", False)
    path.write_text('{"motion": {"mirror": false}}')
    assert not load_profile(path, STUDIO).motion.mirror


def test_a_calibration_is_kept_with_the_settings_but_is_none_of_them(tmp_path: Path) -> None:
    measured = Calibration(neck_y=0.25).asdict()
    settings = STUDIO.model_copy(update={"calibration": measured})
    path = tmp_path / "p.json"
    save_profile(path, settings)
    assert load_profile(path, STUDIO) == settings
    assert set_by_name(settings, "motion.idle", False).calibration == measured
    assert not [leaf for leaf in leaves(settings) if "calibration" in leaf.name]
    for wrong in ('{"neck_y": 1}', "3", '{"neck_y": "x"}', json.dumps(measured | {"neck_y": 99})):
        path.write_text(f'{{"calibration": {wrong}}}')
        with pytest.raises(SettingsError, match="calibrate again"):
            load_profile(path, STUDIO)
