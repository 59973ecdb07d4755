"""`bench --live`: the whole engine with real parts, for a second."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip
from faces import carphone
from stage import eventually

from app import live_parts
from puppeteer.by_name import set_by_name
from puppeteer.commands import live_bench
from puppeteer.errors import SettingsError, SourceError
from puppeteer.settings import STUDIO


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_bench, "WARM_UP_S", 0.5)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """A thread that is still inside the tracker when Python ends would abort the process."""
    yield
    assert eventually(lambda: not [one for one in threading.enumerate() if one.name.startswith("live-")], 20)


def test_a_real_face_from_camera_to_output(
    character_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = live_bench.live_bench(
        clip=carphone(),
        character=character_png,
        seconds=2,
        page=True,
        json_file=tmp_path / "live.json",
        settings=set_by_name(STUDIO, "poser.family", "warp"),
        parts=live_parts(),
    )
    assert report.size == (1280, 720) and report.networks.startswith("warp")
    assert set(report.stages) == set(live_bench.STAGES)
    path = report.stages["camera_to_output"]
    parts = sum(report.stages[name].median_ms for name in ("track", "pose", "compose"))
    assert parts * 0.8 < path.median_ms <= path.p95_ms
    assert 3 < report.capture_fps < 35 and 0 < report.track_fps <= report.capture_fps + 1
    assert 0 < report.longest_gap_s < 10 and report.sent_fps > 1
    assert 0 < report.distinct_fps <= report.sent_fps + 1
    assert report.growth_mb_per_minute is None, "too short to tell"
    assert report.page_fps > 0 and report.page_longest_gap_s < 10 and 0 <= report.late <= 1
    if sys.platform == "linux":
        assert {"live-track", "live-pose", "live-send", "others"} <= set(report.threads)
        assert 0 < sum(report.threads.values()) < 64
    said = capsys.readouterr().out
    assert "camera to output" in said and f"{path.median_ms:.1f}" in said
    assert json.loads((tmp_path / "live.json").read_text())["stages"]["send"]["median_ms"] >= 0


def test_a_picture_that_is_sent_again_is_no_new_one() -> None:
    outlet = live_bench.Outlet(lambda _: Silent()).open(STUDIO.output)
    one = np.zeros((8, 8, 3), np.uint8)
    for picture in (one, one, one.copy(), one + 1, one):
        outlet.send(picture)
    assert (outlet.count, outlet.distinct) == (5, 3)


class Silent:
    name = "a camera that shows nothing"

    def send(self, rgb: np.ndarray) -> None: ...

    def close(self) -> None: ...


def test_wrong_input_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, character_png: Path) -> None:
    with pytest.raises(SettingsError, match="--seconds is 0"):
        live_bench.live_bench(seconds=0, settings=STUDIO, parts=live_parts())
    with pytest.raises(SettingsError, match="does not exist: create it"):
        live_bench.live_bench(json_file=tmp_path / "none" / "x.json", settings=STUDIO, parts=live_parts())
    monkeypatch.setattr(live_bench, "START_S", 0.5)
    with pytest.raises(SourceError, match="give a clip with a clear face"):
        live_bench.live_bench(
            clip=make_clip(tmp_path / "a.mp4"), character=character_png, settings=STUDIO, parts=live_parts()
        )
