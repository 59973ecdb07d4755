import os
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip

from puppeteer.errors import SinkError
from puppeteer.inputs.video_file import VideoFile
from puppeteer.outputs import SINKS
from puppeteer.outputs.memory import Memory
from puppeteer.outputs.video_file import VideoWriter, check_output

BARS = (
    (0, 255, 0),
    (255, 0, 0),
    (0, 0, 255),
    (255, 255, 255),
    (128, 128, 128),
    (255, 200, 180),
    (0, 0, 0),
    (30, 60, 90),
)


def bars(size: int = 256) -> np.ndarray:
    return np.repeat(np.repeat(np.array([BARS], np.uint8), size // 8, 1), size, 0)


def write_some(writer: VideoWriter, times_s: list[float]) -> None:
    picture = bars(writer.size[0])
    if writer.transparent:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    for time_s in times_s:
        writer.write(picture, time_s)


def nothing_left(folder: Path) -> bool:
    return not [path for path in folder.iterdir() if path.name.endswith(".part")]


def test_mp4_is_what_ordinary_players_accept(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path, (256, 256), 25) as writer:
        write_some(writer, [i / 25 for i in range(10)])
        assert not path.exists(), "the name appears when the file is complete"
    assert nothing_left(tmp_path)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "starts to play before it is loaded"
    assert data[4:8] == b"ftyp"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.profile, stream.codec_context.pix_fmt) == ("h264", "High", "yuv420p")
        assert stream.average_rate == 25 and stream.frames == 10
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
        assert float(stream.duration * stream.time_base) == pytest.approx(0.4)


def test_colours_survive(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (256, 256)) as writer:
        write_some(writer, [0.0])
    back = next(VideoFile(tmp_path / "out.mp4").frames()).rgb
    for index, colour in enumerate(BARS):
        assert np.abs(back[128, 32 * index + 16].astype(int) - colour).max() <= 3, colour


def test_alpha_survives_in_webm(tmp_path: Path) -> None:
    path = tmp_path / "out.webm"
    rgba = np.dstack([bars(), np.full((256, 256), 255, np.uint8)])
    rgba[:64, :, 3], rgba[64:128, :, 3] = 0, 128
    with VideoWriter(path, (256, 256), 30, transparent=True) as writer:
        for i in range(5):
            writer.write(rgba, i / 30)
    decoder = av.Codec("libvpx-vp9", "r").create()  # FFmpeg's own VP9 decoder leaves alpha out
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "vp9"
        packets = list(container.demux(video=0))
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    assert len(frames) == 5
    back = frames[-1].to_ndarray(format="rgba").astype(int)
    assert np.abs(back[20, ::16, 3]).max() <= 2
    assert np.abs(back[96, ::16, 3] - 128).max() <= 3
    assert np.abs(back[192, 16::32] - rgba[192, 16::32]).max() <= 8


@pytest.mark.parametrize("time_base", [Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 15_360)])
def test_each_picture_keeps_its_time(tmp_path: Path, time_base: Fraction) -> None:
    times = [0.0, 0.04, 0.05, 0.2, 0.201, 0.5]
    with VideoWriter(tmp_path / "out.mp4", (64, 64), time_base=time_base) as writer:
        write_some(writer, times)
        writer.close(0.9)
    source = VideoFile(tmp_path / "out.mp4")
    assert [f.time_s for f in source.frames()] == pytest.approx(times, abs=float(time_base))
    assert source.duration_s == pytest.approx(0.9, abs=2e-3)


def test_a_late_first_picture_stays_late(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (64, 64), 25, audio_from=make_clip(tmp_path / "in.mp4", sound="aac")) as w:
        write_some(w, [0.12, 0.16, 0.2])
    assert [f.time_s for f in VideoFile(tmp_path / "out.mp4").frames()] == pytest.approx([0.12, 0.16, 0.2])


def test_equal_times_do_not_break_it(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (64, 64)) as writer:
        write_some(writer, [0.0, 0.0, 0.0])
    assert len(list(VideoFile(tmp_path / "out.mp4").frames())) == 3


def sound_of(path: Path) -> tuple[str, np.ndarray, float]:
    """Codec, mono samples, and when they start in seconds."""
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        frames = list(container.decode(track))
        mono = av.AudioResampler(format="fltp", layout="mono", rate=48_000)
        samples = np.concatenate([part.to_ndarray()[0] for frame in frames for part in mono.resample(frame)])
        assert frames[0].time is not None
        return track.codec_context.codec.canonical_name, samples, frames[0].time


@pytest.mark.parametrize(
    ("given", "name", "transparent", "codec"),
    [
        ("aac", "in.mp4", False, "aac"),
        ("libmp3lame", "in.mp4", False, "mp3"),
        ("aac", "in.ts", False, "aac"),
        ("libopus", "in.mkv", False, "aac"),
        ("pcm_s16le", "in.mkv", False, "aac"),
        ("flac", "in.mkv", False, "aac"),
        ("libopus", "in.mkv", True, "opus"),
        ("aac", "in.mp4", True, "opus"),
    ],
)
def test_sound_is_kept(tmp_path: Path, given: str, name: str, transparent: bool, codec: str) -> None:
    rate = 48_000 if given == "libopus" else 44_100
    times_ms = range(0, 2000, 40)
    clip = make_clip(tmp_path / name, times_ms=times_ms, sound=given, sound_rate=rate, sound_start_s=0.5)
    source = VideoFile(clip)
    out = tmp_path / ("out.webm" if transparent else "out.mp4")
    with VideoWriter(out, (64, 64), 25, transparent=transparent, audio_from=clip) as writer:
        write_some(writer, [frame.time_s for frame in source.frames()])
        writer.close(source.end_s)
    before, after = sound_of(clip), sound_of(out)
    assert after[0] == codec
    assert 0.15 < np.abs(after[1]).max() < 0.6
    assert len(after[1]) == pytest.approx(len(before[1]), abs=0.08 * 48_000)

    def heard_from(codec_samples_start: tuple[str, np.ndarray, float]) -> float:
        _, samples, start = codec_samples_start
        return start + float(np.argmax(np.abs(samples) > 0.1)) / 48_000

    with av.open(str(clip)) as container:
        origin = max(0.0, (container.start_time or 0) / av.time_base)
    assert heard_from(after) == pytest.approx(heard_from(before) - origin, abs=0.03), "still in step with the picture"


def test_a_clip_without_sound_gives_none(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", (64, 64), audio_from=make_clip(tmp_path / "in.mp4")) as writer:
        write_some(writer, [0.0, 0.1])
    assert not VideoFile(tmp_path / "out.mp4").audio


def test_ctrl_c_leaves_a_playable_file_or_none(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", times_ms=range(0, 4000, 40), sound="aac")
    out = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt), VideoWriter(out, (64, 64), 25, audio_from=clip) as writer:
        write_some(writer, [i / 25 for i in range(12)])
        raise KeyboardInterrupt
    source = VideoFile(out)
    assert len(list(source.frames())) == 12
    assert source.audio and source.duration_s == pytest.approx(0.48, abs=0.05), "sound ends with the picture"
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "none.mp4", (64, 64)):
        raise KeyboardInterrupt
    assert not (tmp_path / "none.mp4").exists() and nothing_left(tmp_path)


def test_an_exception_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("old")
    with pytest.raises(ZeroDivisionError), VideoWriter(out, (64, 64)) as writer:
        write_some(writer, [0.0, 0.1])
        raise ZeroDivisionError
    assert out.read_text() == "old" and nothing_left(tmp_path)
    with VideoWriter(out, (64, 64)) as writer:
        write_some(writer, [0.0])
    assert len(list(VideoFile(out).frames())) == 1


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no picture"), VideoWriter(tmp_path / "out.mp4", (64, 64)):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "size", "transparent", "part"),
    [
        ("out.avi", (64, 64), False, "name it out.mp4"),
        ("out", (64, 64), False, "name it out.mp4"),
        ("out.webm", (64, 64), False, "WebM is for --background transparent"),
        ("out.mp4", (64, 64), True, "name it out.webm"),
        ("out.mp4", (513, 513), False, "such as 514"),
        ("out.mp4", (8, 8), False, "16 to 4096"),
        ("out.mp4", (5000, 5000), False, "16 to 4096"),
        ("missing/out.mp4", (64, 64), False, "create it"),
        ("folder.mp4", (64, 64), False, "is a folder"),
    ],
)
def test_a_wrong_target_is_told_before_the_work(
    tmp_path: Path, name: str, size: tuple[int, int], transparent: bool, part: str
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for refuses in (check_output, lambda p, s, t: VideoWriter(p, s, transparent=t)):
        with pytest.raises(SinkError) as caught:
            refuses(tmp_path / name, size, transparent)
        assert part in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of Unix")
def test_an_unwritable_folder_is_told_before_the_work(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/out.mp4")  # not even root can write there
        if not target.parent.is_dir():
            pytest.skip("no folder that root cannot write to")
    else:
        tmp_path.chmod(0o500)
        target = tmp_path / "out.mp4"
    with pytest.raises(SinkError, match="choose another folder"):
        check_output(target, (64, 64))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files with RLIMIT_FSIZE")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    program = """
        import resource, signal, sys
        from pathlib import Path
        import numpy as np
        from puppeteer.errors import SinkError
        from puppeteer.outputs.video_file import VideoWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        noise = np.random.default_rng(0).integers(0, 256, (30, 128, 128, 3), np.uint8)
        try:
            with VideoWriter(Path(sys.argv[1]), (128, 128)) as writer:
                for index, picture in enumerate(noise):
                    writer.write(picture, index / 30)
        except SinkError as error:
            print("told:", error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "out.mp4")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert "told:" in run.stdout and "free space" in run.stdout
    assert not list(tmp_path.iterdir())


def test_a_picture_of_another_shape_is_a_programmers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"), VideoWriter(tmp_path / "out.mp4", (64, 64)) as writer:
        writer.write(np.zeros((64, 64, 4), np.uint8), 0.0)


def test_memory_keeps_copies() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    with Memory() as sink:
        sink.write(picture, 0.5)
        picture[:] = 1
    assert sink.closed and sink.pictures[0][1] == 0.5 and not sink.pictures[0][0].any()


def test_every_sink_is_listed() -> None:
    assert set(SINKS) >= {"video_writer", "memory"}
