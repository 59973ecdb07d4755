"""The sound of a clip in the video that is made of it: every container and codec, at the same time as before."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from puppeteer.inputs.video_file import VideoFile
from puppeteer.outputs.video_file import VideoWriter

PICTURE_S = 1.0
PICTURES = {".webm": "libvpx", ".avi": "mpeg4", ".wmv": "mpeg4", ".flv": "flv"}  # otherwise libx264
OPTIONS = {"vorbis": {"strict": "-2"}, "wmav2": {"b": "64000"}}
# Longer than the picture, shorter, later: when it starts, and how long it is.
LENGTHS_S = ((0.0, 1.6), (0.3, 0.4), (0.6, 1.0))

CASES = [
    ("mkv", "libopus", 48_000, "stereo"),
    ("mkv", "libopus", 48_000, "5.1"),
    ("webm", "libopus", 48_000, "mono"),
    ("mp4", "libopus", 48_000, "stereo"),
    ("mkv", "vorbis", 44_100, "stereo"),
    ("webm", "vorbis", 48_000, "stereo"),
    ("mkv", "flac", 48_000, "stereo"),
    ("mkv", "flac", 8_000, "mono"),
    ("mp4", "flac", 44_100, "5.1"),
    ("mkv", "pcm_s16le", 48_000, "mono"),
    ("mov", "pcm_s16le", 44_100, "stereo"),
    ("avi", "pcm_s16le", 8_000, "mono"),
    ("mkv", "ac3", 48_000, "5.1"),
    ("mp4", "ac3", 44_100, "stereo"),
    ("ts", "ac3", 48_000, "mono"),
    ("mkv", "libmp3lame", 8_000, "mono"),
    ("mp4", "libmp3lame", 44_100, "stereo"),
    ("avi", "libmp3lame", 48_000, "stereo"),
    ("wmv", "wmav2", 44_100, "stereo"),
    ("wmv", "wmav2", 48_000, "mono"),
    ("wmv", "wmav2", 8_000, "mono"),
    ("mp4", "aac", 44_100, "stereo"),
    ("mkv", "aac", 48_000, "5.1"),
    ("ts", "aac", 48_000, "stereo"),
    ("flv", "aac", 44_100, "mono"),
    ("mov", "aac", 8_000, "mono"),
]


def tone(rate: int, layout: str, start_s: float, length_s: float, pitch_hz: float = 440) -> Iterator[av.AudioFrame]:
    wave = 0.5 * np.sin(np.arange(round(length_s * rate)) * (2 * np.pi * pitch_hz / rate))
    for begin in range(0, len(wave), 1024):
        block = np.repeat(wave[None, begin : begin + 1024].astype(np.float32), av.AudioLayout(layout).nb_channels, 0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = begin + round(start_s * rate)
        yield frame


def clip_with_sound(path: Path, codec: str, *tracks: Iterator[av.AudioFrame], default: int = 0) -> Path:
    with av.open(str(path), "w") as out:
        video = out.add_stream(PICTURES.get(path.suffix, "libx264"), rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        coded = []
        for number, frames in enumerate(tracks):
            first, *others = frames
            track = out.add_stream(codec, rate=first.sample_rate, layout=first.layout, options=OPTIONS.get(codec, {}))
            if len(tracks) > 1:
                track.disposition = Disposition.default if number == default else Disposition(0)
            coded.append((track, [first, *others]))
        picture = av.VideoFrame(64, 48, "yuv420p")
        for index in range(round(PICTURE_S * 25)):
            picture.pts, picture.time_base = index, Fraction(1, 25)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        for track, frames in coded:
            for frame in frames:
                out.mux(track.encode(frame))
            out.mux(track.encode(None))
    return path


def heard(path: Path, number: int = 0) -> tuple[float, float, float]:
    """From when until when there is sound, in seconds after the first picture, by the packets' own times; its pitch."""
    with av.open(str(path)) as container:
        picture_s = next(container.decode(video=0)).time
    loud, waves, next_s = [], [], 0.0
    with av.open(str(path)) as container:
        track = container.streams.audio[number]
        mono = av.AudioResampler("fltp", "mono", track.codec_context.sample_rate)
        for frame in container.decode(track):
            at_s = next_s if frame.time is None else frame.time
            next_s = at_s + frame.samples / frame.sample_rate
            wave = np.concatenate([part.to_ndarray()[0] for part in mono.resample(frame)])
            hits = np.flatnonzero(np.abs(wave) > 0.05)
            if len(hits):
                loud += [at_s + hits[0] / frame.sample_rate, at_s + hits[-1] / frame.sample_rate]
                waves.append(wave)
        spectrum = np.abs(np.fft.rfft(np.concatenate(waves)))
        pitch = float(np.argmax(spectrum)) * track.codec_context.sample_rate / sum(map(len, waves))
    return loud[0] - picture_s, loud[-1] - picture_s, pitch


def packets(path: Path) -> tuple[list[float], float]:
    """When each packet of sound begins, and when the last one ends, in seconds after the first picture."""
    with av.open(str(path)) as container:
        picture_s = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(audio=0) if packet.size]
        times_s = [float(packet.pts * packet.time_base) - picture_s for packet in found]
        return times_s, times_s[-1] + float((found[-1].duration or 0) * found[-1].time_base)


def transferred(clip: Path, out: Path) -> Path:
    source = VideoFile(clip)
    transparent = out.suffix == ".webm"
    picture = np.zeros((64, 64, 4 if transparent else 3), np.uint8)
    with VideoWriter(out, (64, 64), 25, transparent=transparent, audio_from=clip) as writer:
        for frame in source.frames():
            writer.write(picture, frame.time_s)
        writer.close(source.end_s)
    return out


@pytest.mark.parametrize("target", ["out.mp4", "out.webm"])
@pytest.mark.parametrize(("form", "codec", "rate", "layout"), CASES)
def test_sound_keeps_its_times(tmp_path: Path, form: str, codec: str, rate: int, layout: str, target: str) -> None:
    for start_s, length_s in LENGTHS_S:
        clip = clip_with_sound(tmp_path / f"in.{form}", codec, tone(rate, layout, start_s, length_s))
        before = heard(clip)
        assert before[1] - before[0] == pytest.approx(length_s, abs=0.1), "the clip is what it shall be"
        out = transferred(clip, tmp_path / target)
        after = heard(out)
        assert after[:2] == pytest.approx(before[:2], abs=0.035)
        assert after[2] == pytest.approx(440, rel=0.02)
        times_s, end_s = packets(out)
        assert (np.diff(times_s) > 0).all()
        assert after[1] - 0.01 <= end_s <= after[1] + 0.15
        with av.open(str(out)) as container:
            assert container.duration is not None
            assert container.duration / av.time_base <= max(PICTURE_S, start_s + length_s) + 0.25


@pytest.mark.parametrize("default", [0, 1])
def test_the_track_flagged_default_is_taken(tmp_path: Path, default: int) -> None:
    tracks = (tone(48_000, "stereo", 0, 1, pitch_hz) for pitch_hz in (300, 900))
    clip = clip_with_sound(tmp_path / "in.mkv", "aac", *tracks, default=default)
    out = transferred(clip, tmp_path / "out.mp4")
    assert heard(out)[2] == pytest.approx((300, 900)[default], rel=0.02)


def bursts(path: Path) -> list[float]:
    """When sound begins after silence, in seconds after the first picture, by the packets' own times."""
    with av.open(str(path)) as container:
        picture_s = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        loud = [
            frame.time - picture_s + hit / frame.sample_rate
            for frame in container.decode(audio=0)
            for hit in np.flatnonzero(np.abs(frame.to_ndarray()).max(axis=0) > 0.1)
        ]
    return [time_s for before, time_s in zip([-9.0, *loud], loud, strict=False) if time_s - before > 0.1]


@pytest.mark.parametrize("codec", ["aac", "ac3", "mp2"])  # the first two are copied into MP4
@pytest.mark.parametrize("target", ["out.mp4", "out.webm"])
def test_recordings_joined_end_to_end_go_on_in_step(tmp_path: Path, codec: str, target: str) -> None:
    parts = [
        clip_with_sound(tmp_path / f"{start_s}.ts", codec, tone(48_000, "stereo", start_s, 0.2))
        for start_s in (0.3, 0.6)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in (*parts, parts[0])))
    source = VideoFile(joined)
    times_s = [frame.time_s for frame in source.frames()]
    assert len(times_s) == 75
    assert np.diff(times_s) == pytest.approx(0.04, abs=0.1)
    assert np.diff(times_s).min() > 0.02, "nothing is squeezed"
    seconds = [times_s[0], times_s[25], times_s[50]]  # when each part begins
    out = transferred(joined, tmp_path / target)
    expected = [begin_s - times_s[0] + start_s for begin_s, start_s in zip(seconds, (0.3, 0.6, 0.3), strict=True)]
    assert bursts(out) == pytest.approx(expected, abs=0.05)
    assert (np.diff(packets(out)[0]) > 0).all()
