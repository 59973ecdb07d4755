import gc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import corner_colours, make_clip, make_sound, quarters
from PIL import Image

from puppeteer.errors import SourceError
from puppeteer.inputs import SOURCES
from puppeteer.inputs.synthetic import Synthetic
from puppeteer.inputs.video_file import VideoFile


def test_frames_are_upright_rgb_with_their_own_times(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", times_ms=range(0, 400, 40))
    with VideoFile(clip) as source:
        assert (source.size, source.frame_count, source.audio) == ((64, 48), 10, False)
        assert source.rate == 25
        frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([i * 0.04 for i in range(10)])
    assert source.end_s == pytest.approx(0.4)
    for frame in frames:
        assert frame.rgb.dtype == np.uint8 and frame.rgb.flags.c_contiguous
        assert corner_colours(frame.rgb) == [0, 1, 2, 3]
    assert len(list(source.frames())) == 10, "a second run starts at the beginning"


def test_variable_frame_rate_keeps_true_times(tmp_path: Path) -> None:
    times_ms = (0, 40, 50, 200, 201, 500)
    for name in ("vfr.mp4", "vfr.mkv"):
        source = VideoFile(make_clip(tmp_path / name, times_ms=times_ms))
        assert [f.time_s for f in source.frames()] == pytest.approx([t / 1000 for t in times_ms], abs=1e-6)


def test_a_clip_that_starts_late_starts_at_zero(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "late.ts", times_ms=range(5000, 5400, 40), form="mpegts")
    assert [f.time_s for f in VideoFile(clip).frames()] == pytest.approx([i * 0.04 for i in range(10)], abs=1e-4)


@pytest.mark.parametrize("second_ms", [0, 3_600_000], ids=["again", "an hour later"])
def test_time_goes_on_where_recordings_were_joined(tmp_path: Path, second_ms: int) -> None:
    parts = [
        make_clip(tmp_path / f"{start_ms}.ts", times_ms=range(start_ms, start_ms + 2000, 40), form="mpegts")
        for start_ms in (0, second_ms)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = VideoFile(joined)
    steps_s = np.diff([frame.time_s for frame in source.frames()])
    assert len(steps_s) == 99
    assert np.delete(steps_s, 49) == pytest.approx(0.04, abs=1e-3)
    assert 0.02 < steps_s[49] < 0.2
    assert source.end_s == pytest.approx(4, abs=0.2)


def test_a_picture_that_stands_for_long_is_no_jump(tmp_path: Path) -> None:
    times_ms = (0, 40, 80, 30_000, 30_040)
    source = VideoFile(make_clip(tmp_path / "slides.mkv", times_ms=times_ms))
    assert [frame.time_s for frame in source.frames()] == pytest.approx([t / 1000 for t in times_ms], abs=1e-3)


@pytest.mark.parametrize(
    ("rotation", "corners"),
    [
        ((90, False, False), [1, 3, 0, 2]),  # counter-clockwise
        ((-90, False, False), [2, 0, 3, 1]),
        ((180, False, False), [3, 2, 1, 0]),
        ((0, True, False), [1, 0, 3, 2]),
        ((0, False, True), [2, 3, 0, 1]),
    ],
)
def test_rotation_stored_by_phones(tmp_path: Path, rotation: tuple[float, bool, bool], corners: list[int]) -> None:
    source = VideoFile(make_clip(tmp_path / "turned.mp4", rotation=rotation))
    assert corner_colours(next(source.frames()).rgb) == corners
    assert source.size == ((48, 64) if rotation[0] in (90, -90) else (64, 48))


def test_frames_do_not_wait_for_the_garbage_collector(tmp_path: Path) -> None:
    """Frames of 1080p fill the memory long before it comes."""
    for rotation in (None, (90, False, False), (0, False, True)):
        clip = make_clip(tmp_path / "turned.mp4", size=(640, 480), rotation=rotation)
        gc.collect()
        others = {id(item) for item in gc.get_objects() if type(item) is av.VideoFrame}  # that another test holds
        gc.disable()
        try:
            frames = sum(1 for _ in VideoFile(clip).frames())
            held = [item for item in gc.get_objects() if type(item) is av.VideoFrame and item.width > 16]
            held = [item for item in held if id(item) not in others]
        finally:
            gc.enable()
        assert frames == 10
        assert not held


def test_pixels_that_are_not_square_are_stretched(tmp_path: Path) -> None:
    assert VideoFile(make_clip(tmp_path / "wide.mp4", aspect=Fraction(4, 3))).size == (85, 48)


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "large.mp4", size=(640, 360), times_ms=(0, 40))
    source = VideoFile(clip, longest_side=320)
    assert source.size == (320, 180)
    assert corner_colours(next(source.frames()).rgb) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("444.mp4", "libx264", "yuv444p"),
        ("10bit.mp4", "libx264", "yuv420p10le"),
        ("gray.mkv", "ffv1", "gray"),
        ("rgb.mkv", "ffv1", "bgr0"),
        ("full_range.avi", "mjpeg", "yuvj422p"),
        ("palette.gif", "gif", "rgb8"),
        ("vp9.webm", "libvpx-vp9", "yuva420p"),
    ],
)
def test_unusual_pixel_formats(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    source = VideoFile(make_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt))
    frames = list(source.frames())
    assert len(frames) == 10
    if pix_fmt != "gray":
        assert corner_colours(frames[0].rgb) == [0, 1, 2, 3]
    assert frames[0].rgb.shape == (48, 64, 3)


def test_colours_follow_the_tags(tmp_path: Path) -> None:
    """Both matrices give the same RGB back: nothing is decoded as BT.601 that is BT.709."""
    from puppeteer.outputs.video_file import VideoWriter

    rgb = np.repeat(np.repeat(quarters(2, 2), 32, 0), 32, 1)
    with VideoWriter(tmp_path / "bt709.mp4", (64, 64)) as writer:
        writer.write(rgb, 0.0)
    back = next(VideoFile(tmp_path / "bt709.mp4").frames()).rgb
    inside = np.abs(back.astype(int) - rgb)[4:28, 4:28]
    assert inside.max() <= 4


def test_truncated_clip_gives_what_is_there(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    whole = make_clip(
        tmp_path / "whole.mkv", times_ms=range(0, 2000, 40), picture=noise, options={"g": "5", "preset": "ultrafast"}
    )
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    times = [frame.time_s for frame in VideoFile(cut).frames()]
    assert 20 <= len(times) < 45
    assert times == pytest.approx([i * 0.04 for i in range(len(times))], abs=1e-3)


def test_broken_frames_are_left_out(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    clip = make_clip(tmp_path / "b.avi", codec="mjpeg", pix_fmt="yuvj422p", picture=noise)
    data = bytearray(clip.read_bytes())
    starts = [i for i in range(len(data) - 3) if data[i : i + 3] == b"\xff\xd8\xff"]
    assert len(starts) == 10
    for index in (3, 6):
        data[starts[index] : starts[index] + 2000] = bytes(2000)
    clip.write_bytes(data)
    source = VideoFile(clip)
    times = [frame.time_s for frame in source.frames()]
    assert times == pytest.approx([i * 0.04 for i in range(10) if i not in (3, 6)])
    assert source.broken == 2


def unusable(folder: Path) -> dict[str, tuple[Path, str]]:
    text = folder / "notes.mp4"
    text.write_text("this is not a video\n" * 50)
    plain = folder / "notes.txt"
    plain.write_text("this is not a video\n" * 50)
    empty = folder / "empty.mp4"
    empty.touch()
    headless = make_clip(folder / "headless.mp4")
    data = headless.read_bytes()
    headless.write_bytes(data[: data.index(b"moov") - 4])  # the index comes last
    clipped = folder / "clipped.mp4"
    clipped.write_bytes(data[: data.index(b"moov") + 200])
    still = folder / "still.png"
    Image.fromarray(quarters(64, 64)).save(still)
    return {
        "missing": (folder / "missing.mp4", "does not exist"),
        "folder": (folder, "is a folder"),
        "empty": (empty, "is empty"),
        "text as mp4": (text, "not a video"),
        "text": (plain, "not a video"),
        "no index": (headless, "cut off"),
        "half an index": (clipped, "cut off"),
        "sound only": (make_sound(folder / "sound.m4a"), "only sound"),
        "zero frames": (make_clip(folder / "zero.mkv", times_ms=(), sound="aac"), "no frame"),
        "picture": (still, "is a picture"),
    }


def test_unusable_clips_get_one_sentence(tmp_path: Path) -> None:
    for what, (path, part) in unusable(tmp_path).items():
        with pytest.raises(SourceError) as caught:
            VideoFile(path)
        message = str(caught.value)
        assert part in message and str(path) in message and ": " in message, (what, message)
        assert "\n" not in message, what


def test_frames_are_decoded_as_they_are_asked_for(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "long.mp4", times_ms=range(0, 40_000, 40), options={"preset": "ultrafast"})
    source = VideoFile(clip)
    frames = source.frames()
    next(frames)
    assert source.end_s == pytest.approx(0.04)
    frames.close()  # type: ignore[attr-defined]


def test_synthetic_moves_and_ends() -> None:
    with Synthetic((64, 48), rate=10, count=5) as source:
        frames = list(source.frames())
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert all(frame.rgb.shape == (48, 64, 3) for frame in frames)
    assert (frames[0].rgb != frames[4].rgb).any()


def test_every_source_is_listed() -> None:
    assert set(SOURCES) >= {"video_file", "synthetic"}


def test_a_run_can_begin_later_and_beside_another(tmp_path: Path) -> None:
    source = VideoFile(make_clip(tmp_path / "a.mp4"))
    early, late = source.frames(), source.frames(7)
    assert next(early).index == 0
    assert [(frame.index, round(frame.time_s, 3)) for frame in late] == [(7, 0.28), (8, 0.32), (9, 0.36)]
    assert [frame.index for frame in early] == list(range(1, 10))
    assert list(source.frames(20)) == [] and source.end_s == pytest.approx(0.4)
