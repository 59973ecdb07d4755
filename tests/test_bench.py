"""bench: the report is complete and consistent. No figure is compared with the clock."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from puppeteer.by_name import set_by_name
from puppeteer.commands import bench
from puppeteer.errors import SettingsError, SourceError
from puppeteer.inputs.video_file import VideoFile
from puppeteer.outputs.video_file import VideoWriter
from puppeteer.pose import Frame
from puppeteer.settings import Settings

WARP = set_by_name(Settings(), "poser.family", "warp")


def test_report_on_a_face(
    character_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skimage")
    monkeypatch.setattr(bench, "MADE_FRAMES", 40)
    report = bench.bench(
        character=character_png, size=128, frames=30, json_file=tmp_path / "figures.json", settings=WARP
    )
    assert set(report.stages) == {*bench.STAGES, *bench.PARTS}
    assert report.frames == 20 and report.family == "warp" and report.size == 128
    assert all(0 <= stage.median_ms <= stage.p95_ms for stage in report.stages.values())
    assert report.frame_ms >= max(stage.median_ms for stage in report.stages.values())
    assert report.end_to_end_fps is not None and report.end_to_end_fps > 0
    assert report.after_start_up_fps is not None and report.after_start_up_fps > 0
    assert report.peak_gflops > 0 and report.peak_memory_mb > 50
    saved = json.loads((tmp_path / "figures.json").read_text())
    assert saved["stages"]["pose"]["median_ms"] == report.stages["pose"].median_ms
    out = capsys.readouterr().out
    for word in (*bench.STAGES, *bench.PARTS, "End to end", "GFLOP", "Memory"):
        assert word in out


def test_without_a_face_tracking_is_said_not_to_be_measured(
    character_png: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "MADE_FRAMES", 40)
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    report = bench.bench(character=character_png, size=64, frames=30, settings=WARP)
    assert "track" not in report.stages and report.end_to_end_fps is None
    assert set(report.stages) == {*bench.STAGES, *bench.PARTS} - {"track"}
    assert "not measured" in capsys.readouterr().out


def test_made_clips_are_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MADE_FRAMES", 25)
    _, face = bench.make_clip(tmp_path / "made.mp4")
    pictures = [frame.rgb for frame in VideoFile(tmp_path / "made.mp4").frames()]
    assert len(pictures) == 25
    assert np.abs(pictures[0].astype(int) - pictures[20]).mean() > 1  # it moves
    assert isinstance(face, bool)


def test_scripted_faces_never_stand_still() -> None:
    frames = [Frame(rgb=np.zeros((2, 2, 3), np.uint8), time_s=index / 30) for index in range(60)]
    values = [bench.scripted(frame).values() for frame in frames]
    assert len(set(values)) == len(values)


def test_a_clip_that_cannot_be_measured_is_explained(character_png: Path, tmp_path: Path) -> None:
    short, faceless = tmp_path / "short.mp4", tmp_path / "faceless.mp4"
    for path, count in ((short, 5), (faceless, 25)):
        with VideoWriter(path, (64, 64), 30) as writer:
            for index in range(count):
                writer.write(np.full((64, 64, 3), 3 * index, np.uint8), index / 30)
    with pytest.raises(SourceError, match="longer clip"):
        bench.bench(clip=short, character=character_png, size=64, settings=WARP)
    with pytest.raises(SourceError, match="no face"):
        bench.bench(clip=faceless, character=character_png, size=64, settings=WARP)
    with pytest.raises(SettingsError, match="--frames is 3"):
        bench.bench(character=character_png, frames=3, settings=WARP)
    with pytest.raises(SettingsError, match="does not exist"):
        bench.bench(character=character_png, json_file=tmp_path / "none" / "x.json", settings=WARP)


def test_matmul_peak_counts_two_operations_per_multiply_add(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setitem(bench.MATMUL_SIDE, "cpu", 64)
    monkeypatch.setattr(bench.time, "perf_counter", lambda: float(next(clock)))
    assert bench.matmul_peak(torch.device("cpu"), torch.float32) == 2 * 64**3  # each run "takes" one second


def test_p95_and_memory() -> None:
    assert bench.p95([float(value) for value in range(101)]) == 95
    before = bench.peak_memory()
    block = np.ones(40_000_000, np.uint8)
    assert bench.peak_memory() >= before and block[-1] == 1
    assert 30e6 < before < 100e9


@pytest.mark.parametrize("size", [0, 16, 65, 99999])
def test_a_wrong_size_is_told_at_once(size: int) -> None:
    with pytest.raises(SettingsError, match="an even number from 64 to 2048"):
        bench.bench(size=size)
