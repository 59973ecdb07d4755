"""Nothing of the user's is lost: targets are looked at first, files appear whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip

import app
import puppeteer
from puppeteer import files, networks
from puppeteer.errors import SettingsError, SinkError, SourceError
from puppeteer.inputs.video_file import VideoFile
from puppeteer.networks import warp
from puppeteer.outputs.video_file import VideoWriter
from puppeteer.pose import SIX
from puppeteer.poser import Poser

GREY = np.full((32, 32, 3), 128, np.uint8)


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What `app.py` says when it refuses."""
    assert app.main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(KeyError), files.whole(target) as draft:
        draft.write_text("half")
        raise KeyError
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"] and target.read_text() == "old"
    with files.whole(target) as draft:
        draft.write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"] and target.read_text() == "new"


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    ordinary, ours = tmp_path / "ordinary", tmp_path / "ours"
    ordinary.touch()
    with files.whole(ours):
        pass
    assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_pose_never_overwrites_the_drawing(
    character_png: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "0000.png"
    mine.write_bytes(character_png.read_bytes())
    table = tmp_path / "poses.csv"
    table.write_text(",".join(SIX) + "\n0,0,0,0,0,1\n")
    assert "would be overwritten" in said(["pose", str(mine), "--output", str(mine), "--neck-y", "1"], capsys)
    assert "would be overwritten" in said(["pose", str(mine), "--poses", str(table), "--output", str(tmp_path)], capsys)
    assert mine.read_bytes() == character_png.read_bytes()


@pytest.mark.parametrize("command", [["demo"], ["character"], ["track", "{clip}"], ["transfer", "{clip}"]])
def test_a_folder_as_output(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    words = [word.format(clip=clip) for word in command]
    for folder in (".", str(tmp_path)):
        assert "is a folder" in said([*words, "--output", folder], capsys)


def test_a_table_does_not_replace_a_drawing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    assert "poses.csv" in said(["track", str(clip), "--output", str(tmp_path / "poses.png")], capsys)


def test_a_name_that_the_system_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert "name too long" in said(["track", "x" * 300 + ".mp4", "--output", "poses.csv"], capsys)


def test_a_finished_video_survives_a_target_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where a player that shows the old video keeps it from being replaced."""
    target = tmp_path / "out.mp4"
    target.write_text("old")
    replace = Path.replace

    def refusing(self: Path, to: Path) -> Path:
        if to == target:
            raise PermissionError(13, "in use", str(to))
        return replace(self, to)

    monkeypatch.setattr(Path, "replace", refusing)
    with pytest.raises(SinkError, match=r"out-2\.mp4"), VideoWriter(target, (32, 32)) as writer:
        for k in range(5):
            writer.write(GREY, k / 30)
    assert target.read_text() == "old"
    with VideoFile(tmp_path / "out-2.mp4") as kept:
        assert sum(1 for _ in kept.frames()) == 5


def test_leftovers_of_a_killed_run_are_not_in_the_way(tmp_path: Path) -> None:
    for _ in range(2):
        VideoWriter(tmp_path / "out.mp4", (32, 32)).write(GREY, 0)  # never closed


def test_a_name_that_looks_like_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with VideoWriter(Path("12:30.mp4"), (32, 32)) as writer:
        writer.write(GREY, 0)
    with VideoFile(Path("12:30.mp4")) as clip:
        assert clip.size == (32, 32)


def test_a_playlist_is_no_clip(tmp_path: Path) -> None:
    """Without an end mark a player would wait for ever for more."""
    piece = make_clip(tmp_path / "piece.ts", form="mpegts")
    playlist = tmp_path / "live.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\n{piece.name}\n")
    with pytest.raises(SourceError):
        VideoFile(playlist)


def test_sound_that_changes_its_format(tmp_path: Path) -> None:
    """Broadcast recordings go from mono to stereo in the middle."""
    parts = []
    for number, (rate, layout) in enumerate(((44_100, "mono"), (48_000, "stereo"))):
        part = tmp_path / f"{number}.ts"
        with av.open(str(part), "w", format="mpegts") as container:
            picture = container.add_stream("mpeg2video", rate=25)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
            track = container.add_stream("mp2", rate=rate, layout=layout)
            for k in range(25):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * k, np.uint8), format="rgb24")
                frame.pts = k + 25 * number
                container.mux(picture.encode(frame))
            channels = 1 if layout == "mono" else 2
            for k in range(rate // 1152):
                tone = (3000 * np.sin(np.arange(1152 * channels) / 20)).astype(np.int16)[None]
                sound = av.AudioFrame.from_ndarray(tone, format="s16", layout=layout)
                sound.sample_rate, sound.pts = rate, k * 1152 + number * rate
                container.mux(track.encode(sound))
            container.mux(track.encode(None))
            container.mux(picture.encode(None))
        parts.append(part.read_bytes())
    clip = tmp_path / "clip.ts"
    clip.write_bytes(b"".join(parts))
    out = tmp_path / "out.webm"
    with VideoWriter(out, (32, 32), transparent=True, audio_from=clip) as writer:
        for k in range(50):
            writer.write(np.full((32, 32, 4), 200, np.uint8), k / 25)
    with av.open(str(out)) as written:
        seconds = sum(frame.samples / frame.sample_rate for frame in written.decode(audio=0))
    assert seconds > 1.5


def test_auto_goes_on_to_the_next_family(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(warp.Warp):
        def decode(self, *_: object) -> object:
            raise RuntimeError("no kernel")

    monkeypatch.setitem(networks.FAMILIES, "compact", Broken)
    poser = Poser.load("auto", "cpu")
    assert poser.family == "warp" and "no kernel" in poser.message


def test_a_check_names_an_example(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"bench\.json"):
        files.check_target(tmp_path, SettingsError, "bench.json")


def test_the_poser_is_at_hand() -> None:
    assert puppeteer.Poser is Poser and puppeteer.Pose().values() == (0.0,) * 19
