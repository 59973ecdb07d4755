"""Small clips for tests, made on the spot."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

QUARTERS = ((255, 0, 0), (0, 160, 0), (0, 0, 255), (230, 230, 230))  # top left, top right, bottom left, bottom right


def quarters(width: int, height: int) -> np.ndarray:
    rgb = np.empty((height, width, 3), np.uint8)
    h, w = height // 2, width // 2
    rgb[:h, :w], rgb[:h, w:], rgb[h:, :w], rgb[h:, w:] = QUARTERS
    return rgb


def corner_colours(rgb: np.ndarray) -> list[int]:
    """Which of QUARTERS each corner shows, in reading order."""
    h, w = rgb.shape[:2]
    spots = [rgb[y, x].astype(int) for y in (h // 6, -h // 6) for x in (w // 6, -w // 6)]
    return [int(np.argmin([np.abs(spot - colour).sum() for colour in QUARTERS])) for spot in spots]


def make_clip(
    path: Path,
    *,
    times_ms: Sequence[int] = tuple(range(0, 400, 40)),
    size: tuple[int, int] = (64, 48),
    picture: np.ndarray | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    form: str | None = None,
    options: dict[str, str] | None = None,
    sound: str | None = None,
    sound_rate: int = 44_100,
    sound_start_s: float = 0.0,
    rotation: tuple[float, bool, bool] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Frames at the given times; with `sound` (a codec) a sine tone of the same length from `sound_start_s` on."""
    rgb = quarters(*size) if picture is None else picture
    with av.open(str(path), "w", format=form) as out:
        video = out.add_stream(codec, rate=25, options=options or {})
        video.width, video.height, video.pix_fmt = rgb.shape[1], rgb.shape[0], pix_fmt
        if codec not in ("gif", "mjpeg", "ffv1", "rawvideo"):
            video.codec_context.time_base = Fraction(1, 1000)
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        if rotation:
            video.set_display_rotation(*rotation)
        tone = out.add_stream(sound, rate=sound_rate, layout="mono") if sound else None
        for index, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            if codec in ("gif", "mjpeg", "ffv1", "rawvideo"):
                frame.pts, frame.time_base = index, Fraction(1, 25)
            for packet in video.encode(frame):
                out.mux(packet)
        for packet in video.encode(None):
            out.mux(packet)
        if tone is not None:
            length_s = (times_ms[-1] + 40) / 1000 if times_ms else 0.4
            samples = np.arange(round(length_s * sound_rate))
            wave = (0.3 * np.sin(samples * (2 * np.pi * 440 / sound_rate))).astype(np.float32)
            for begin in range(0, len(wave), 1024):
                block = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1024], format="fltp", layout="mono")
                block.sample_rate, block.time_base = sound_rate, Fraction(1, sound_rate)
                block.pts = begin + round(sound_start_s * sound_rate)
                for packet in tone.encode(block):
                    out.mux(packet)
            for packet in tone.encode(None):
                out.mux(packet)
    return path


def make_sound(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        tone = out.add_stream("aac", rate=44_100, layout="mono")
        for begin in range(0, 22_050, 1024):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = 44_100, begin, Fraction(1, 44_100)
            for packet in tone.encode(block):
                out.mux(packet)
        for packet in tone.encode(None):
            out.mux(packet)
    return path
