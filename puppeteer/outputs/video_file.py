"""A video file that ordinary players accept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from puppeteer.errors import SinkError
from puppeteer.files import beside, check_target, free_name, unwritable
from puppeteer.outputs.sound import Sound
from puppeteer.pose import U8

SMALLEST_SIDE = 16
LARGEST_SIDE = 4096  # px; beyond that H.264 decoders in ordinary devices give up
TIME_BASE = Fraction(1, 90_000)
# Measured on two slow cores, 512x512 line art: `veryfast` costs 7 ms a frame and 0.3 Mbit/s, `medium` 14 ms for the
# same error and size, `superfast` 6 ms for twice the size. Without B-frames (30 % more bytes) pictures are stored in
# the order shown, so that times and lengths are exact even where a player ignores edit lists.
H264 = {"preset": "veryfast", "crf": "18", "tune": "animation", "bf": "0"}
# Alpha needs auto-alt-ref off. `good` takes 4 times as long as `realtime` at this speed, for a sixth of the size.
VP9 = {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": "20", "auto-alt-ref": "0"}


def check_output(path: Path, size: tuple[int, int], transparent: bool = False) -> None:
    """Raises SinkError, with the remedy, where a VideoWriter could not write this file."""
    suffix = ".webm" if transparent else ".mp4"
    if path.is_dir():
        raise SinkError(f"{path} is a folder: give the name of a file such as {path / f'video{suffix}'}")
    if path.suffix.lower() != suffix:
        why = "a transparent video needs WebM" if transparent else "the video is written as MP4"
        instead = "" if transparent else " (WebM is for --background transparent)" if path.suffix == ".webm" else ""
        raise SinkError(f"{path}: {why}, so name it {path.with_suffix(suffix).name}{instead}")
    width, height = size
    if width % 2 or height % 2:
        raise SinkError(f"{width}x{height} pixels cannot be encoded: take an even number, such as {width + width % 2}")
    if min(size) < SMALLEST_SIDE or max(size) > LARGEST_SIDE:
        raise SinkError(
            f"{width}x{height} pixels cannot be encoded: each side may have {SMALLEST_SIDE} to {LARGEST_SIDE} pixels"
        )
    check_target(path, SinkError, f"video{suffix}")


class VideoWriter:
    """A video file that ordinary players accept, with the sound of a clip if there is one.

    H.264 High, yuv420p, in MP4 whose index comes first; with `transparent` VP9 with alpha in WebM. Colours are BT.709,
    limited range, and tagged so. Written beside the target and renamed by `close`, so that no half-written file ever
    has the target's name; `abort` leaves nothing. As a context manager it closes at the end and on Ctrl-C (what was
    written by then is kept), and aborts on any other exception.

    `size` is (width, height); `rate` helps the encoder and is how long the last picture shows, unless `close` is told;
    `time_base` is the unit of timestamps (WebM always rounds to 1 ms). Raises SinkError.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: float | Fraction = 30,
        *,
        transparent: bool = False,
        audio_from: Path | None = None,
        time_base: Fraction = TIME_BASE,
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.transparent = transparent
        self.frames = 0
        check_output(self.path, size, transparent)
        try:
            self._partial = beside(self.path)
        except OSError as error:
            raise SinkError(unwritable(self.path, error)) from error
        self._format = "webm" if transparent else "mp4"
        self._convert = VideoReformatter()
        self._time_base = time_base
        self._usual = max(1, round(1 / (Fraction(rate) * time_base)))  # how long a picture shows, in ticks
        self._pts = -1
        self._lasts: dict[int, int] = {}  # ticks that a picture shows, by its timestamp
        self._done = False
        self._sound: Sound | None = None
        try:
            self._container: OutputContainer = av.open(
                str(self._partial.absolute()),
                "w",
                format=self._format,
                options={} if transparent else {"movflags": "faststart"},
            )
            self._stream = self._container.add_stream(
                "libvpx-vp9" if transparent else "libx264",
                rate=Fraction(rate).limit_denominator(100_000),
                options=VP9 if transparent else H264,
            )
        except OSError as error:
            self._partial.unlink(missing_ok=True)
            raise SinkError(unwritable(self.path, error)) from error
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuva420p" if transparent else "yuv420p"
        codec = self._stream.codec_context
        codec.time_base = time_base
        codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        if transparent:
            codec.bit_rate = 0  # constant quality
        try:
            if audio_from is not None:
                self._sound = Sound.of(audio_from, self._container, self._format)
        except BaseException:
            self.abort()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or (kind is KeyboardInterrupt and self.frames):
            self.close()
        else:
            self.abort()

    def write(self, picture: U8, time_s: float) -> None:
        """uint8 (H, W, 3) RGB, with `transparent` (H, W, 4) RGBA; `time_s` must grow."""
        channels = 4 if self.transparent else 3
        if picture.shape != (self.size[1], self.size[0], channels):
            raise ValueError(f"a picture of shape {picture.shape} for a video of {self.size} and {channels} channels")
        frame = self._convert.reformat(
            VideoFrame.from_ndarray(picture, format="rgba" if self.transparent else "rgb24"),
            format=self._stream.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
            threads=1,
        )
        before = self._pts
        self._pts = max(before + 1, round(Fraction(time_s) / self._time_base))
        if self.frames:
            self._lasts[before] = self._pts - before
        frame.pts, frame.time_base = self._pts, self._time_base
        self._encode(frame)
        self.frames += 1
        if self._sound is not None:
            with self._writing():
                self._sound.feed(time_s)

    def _encode(self, frame: VideoFrame | None) -> None:
        with self._writing():
            for packet in self._stream.encode(frame):
                # Only the last packet's matters: MP4 takes the others from the timestamps.
                packet.duration = self._lasts.pop(packet.pts or 0, self._usual)
                self._container.mux(packet)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (FFmpegError, OSError) as error:
            raise SinkError(unwritable(self.path, error)) from error

    def close(self, end_s: float | None = None) -> None:
        """Finishes the file; the last picture shows until `end_s`. Sound goes on to its own end, or, where `end_s` is
        not told, to the last picture's. Nothing happens the second time."""
        if self._done:
            return
        if not self.frames:
            self.abort()
            raise SinkError(f"{self.path} was not written: there was no picture to write")
        try:
            if end_s is not None:
                self._usual = max(1, round(Fraction(end_s) / self._time_base) - self._pts)
            self._encode(None)
            with self._writing():
                if self._sound is not None:
                    self._sound.feed(None if end_s is not None else float((self._pts + self._usual) * self._time_base))
                    self._sound.finish()
                self._container.close()
            self._take_name()
        finally:
            self.abort()

    def _take_name(self) -> None:
        """Renames the finished file. Windows refuses while a player has the old one open: the work is kept then."""
        try:
            self._partial.replace(self.path)
        except OSError as error:
            with self._writing():
                kept = free_name(self.path)
                self._partial.replace(kept)
            raise SinkError(f"{self.path} could not be replaced ({error.strerror}): the video is in {kept}") from error

    def abort(self) -> None:
        """Gives up: no file is left. Nothing happens after `close`."""
        if self._done:
            return
        self._done = True
        if self._sound is not None:
            self._sound.close()
        with contextlib.suppress(FFmpegError, OSError):
            self._container.close()
        self._partial.unlink(missing_ok=True)
