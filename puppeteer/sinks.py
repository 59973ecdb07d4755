"""Where pictures go: a video file or memory."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from puppeteer import v4l2
from puppeteer.errors import SinkError
from puppeteer.files import beside, check_target, free_name, unwritable
from puppeteer.pose import U8
from puppeteer.sources import open_clip, origin_s

SMALLEST_SIDE = 16
LARGEST_SIDE = 4096  # px; beyond that H.264 decoders in ordinary devices give up
TIME_BASE = Fraction(1, 90_000)

# What ordinary players (browsers, phones, Windows, macOS) play from each container. MP4 can carry more, Opus and FLAC
# among them, that some of them play without sound.
COPIED_SOUND = {"mp4": {"aac", "mp3", "ac3", "eac3", "alac"}, "webm": {"opus", "vorbis"}}
SOUND_CODEC: dict[str, Literal["aac", "libopus"]] = {"mp4": "aac", "webm": "libopus"}
AAC_RATES = {8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000}

# Measured on two slow cores, 512x512 line art: `veryfast` costs 7 ms a frame and 0.3 Mbit/s, `medium` 14 ms for the
# same error and size, `superfast` 6 ms for twice the size. Without B-frames (30 % more bytes) pictures are stored in
# the order shown, so that times and lengths are exact even where a player ignores edit lists.
H264 = {"preset": "veryfast", "crf": "18", "tune": "animation", "bf": "0"}
# Alpha needs auto-alt-ref off. `good` takes 4 times as long as `realtime` at this speed, for a sixth of the size.
VP9 = {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": "20", "auto-alt-ref": "0"}


class Sink(Protocol):
    """Takes pictures; `with` finishes what was begun."""

    def write(self, picture: U8, time_s: float) -> None:
        """uint8 (H, W, 3) RGB, or (H, W, 4) straight alpha where the sink has alpha; `time_s` grows."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Memory:
    """Keeps everything: for tests and previews."""

    def __init__(self) -> None:
        self.pictures: list[tuple[U8, float]] = []
        self.closed = False

    def write(self, picture: U8, time_s: float) -> None:
        self.pictures.append((picture.copy(), time_s))

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
        self._sound: _Sound | None = None
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
                self._sound = _Sound.of(audio_from, self._container, self._format)
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


class _Sound:
    """The first sound track of a clip on its way into another file: packets as they are, or decoded and coded anew."""

    def __init__(self, source: InputContainer, track: AudioStream, target: OutputContainer, form: str) -> None:
        self._source = source
        self._track = track
        self._target = target
        self._origin_s = origin_s(source)
        self._packets = source.demux(track)
        self._held: Packet[AudioStream] | None = None
        self._ended = False
        context = track.codec_context
        self._copies = context.codec.canonical_name in COPIED_SOUND[form]
        if self._copies:
            self._out = target.add_stream_from_template(track)
        else:
            rate = context.sample_rate if form == "mp4" and context.sample_rate in AAC_RATES else 48_000
            layout = "mono" if context.layout.nb_channels == 1 else "stereo"
            self._out = target.add_stream(SOUND_CODEC[form], rate=rate, layout=layout)
            coder = self._out.codec_context
            coder.bit_rate = 80_000 * coder.layout.nb_channels
            self._shape: tuple[object, ...] = ()
            self._next = -(10**9)  # the earliest that a frame may begin, in samples; priming lies before 0
            self._resample = AudioResampler(coder.format, coder.layout, coder.sample_rate)

    @classmethod
    def of(cls, clip: Path, target: OutputContainer, form: str) -> _Sound | None:
        """None where the clip has no sound that can be decoded."""
        source = open_clip(clip)
        for track in source.streams.audio:
            # A track without a decoder has no codec context; one without a rate was never found in the data.
            if getattr(track, "codec_context", None) is not None and track.codec_context.sample_rate:
                return cls(source, track, target, form)
        source.close()
        return None

    def feed(self, until_s: float | None) -> None:
        """Writes what sounds before `until_s`, or everything."""
        while not self._ended:
            if self._held is None:
                try:
                    self._held = next(self._packets, None)
                except FFmpegError:  # the clip breaks off here
                    self._held = None
                if self._held is None or self._held.size == 0:
                    self._ended = True
                    return
            packet = self._held
            begin = packet.dts if packet.pts is None else packet.pts
            if begin is None:
                self._held = None
                continue
            if until_s is not None and float(begin * packet.time_base) - self._origin_s >= until_s:
                return
            self._held = None
            self._write(packet)

    def _write(self, packet: Packet[AudioStream]) -> None:
        if self._copies:
            shift = round(self._origin_s / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._out
            self._target.mux(packet)
            return
        try:
            frames = self._track.decode(packet)
        except FFmpegError:  # damaged: a moment of silence
            return
        for frame in frames:
            self._code(frame)

    def _code(self, frame: AudioFrame) -> None:
        if frame.pts is not None and frame.time_base:
            frame.pts -= round(self._origin_s / frame.time_base)
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._shape and shape != self._shape:  # broadcast recordings change from mono to stereo and back
            self._mux(self._resample.resample(None))
            self._resample = AudioResampler(self._resample.format, self._resample.layout, self._resample.rate)
        self._shape = shape
        self._mux(self._resample.resample(frame))

    def _mux(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            # Where the sound changes or was cut its times may step back, which no container takes.
            frame.pts = max(self._next, frame.pts if frame.pts is not None else self._next)
            self._next = frame.pts + frame.samples
            for packet in self._out.encode(frame):
                self._target.mux(packet)

    def finish(self) -> None:
        """Writes what decoder and encoder still hold."""
        if not self._copies:
            with contextlib.suppress(EOFError):
                for frame in self._track.decode(None):
                    self._code(frame)
            self._mux(self._resample.resample(None))
            for packet in self._out.encode(None):
                self._target.mux(packet)

    def close(self) -> None:
        self._source.close()


class VirtualCamera:
    """A webcam that OBS, Zoom or Discord can choose, through pyvirtualcam (GPL, imported only here).

    `size` is (width, height), `device` a name such as /dev/video10 or "" for the first. Raises SinkError with what to
    do on this system. For one thread.
    """

    def __init__(self, size: tuple[int, int], rate: float, device: str = "") -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(
                "the package pyvirtualcam is not installed: run  python -m pip install -r requirements.txt"
            ) from error
        if sys.platform == "linux":
            # Looked for here, because pyvirtualcam leaves every other video device that it tries open for ever.
            device = loopback_to_feed(device)
        try:
            self._camera = pyvirtualcam.Camera(*size, rate, fmt=pyvirtualcam.PixelFormat.RGB, device=device or None)
        except (RuntimeError, OSError) as error:
            raise SinkError(no_virtual_camera(str(error), device)) from error
        self.name = str(self._camera.device)
        if sys.platform == "linux" and (kept := kept_at(self.name, size)):
            self._camera.close()  # and no `close` of ours, which would interfere with who writes there
            raise SinkError(kept)
        self._checked_s = time.monotonic()

    def send(self, rgb: U8) -> None:
        """uint8 (H, W, 3). Raises SinkError where the device is gone."""
        now_s = time.monotonic()
        if sys.platform == "linux" and now_s - self._checked_s > CHECK_S:
            self._checked_s = now_s
            try:
                gone = v4l2.abilities(self.name) is None
            except OSError as error:
                gone = isinstance(error, FileNotFoundError)
            if gone:  # pyvirtualcam does not tell
                raise SinkError(no_virtual_camera(f"{self.name}{GONE}", self.name))
        try:
            self._camera.send(rgb)
        except (RuntimeError, OSError) as error:
            raise SinkError(no_virtual_camera(str(error), self.name)) from error

    def close(self) -> None:
        """May be called more than once."""
        self._camera.close()
        if sys.platform == "linux":
            v4l2.let_go(self.name)


GONE = " is gone"
CHECK_S = 2.0  # between looks whether the device is still there
TAKEN_BACK_S = 0.3  # within which who feeds a device sends the next picture


def loopback_to_feed(wanted: str = "") -> str:
    """The device of v4l2loopback of that name, or for "" the first that is free. Raises SinkError."""
    found = v4l2.loopbacks()
    if wanted:
        if wanted not in found:
            others = f", or choose {' or '.join(found)}" if found else ""
            raise SinkError(
                f"{wanted} is no device of v4l2loopback: leave the name of the virtual camera empty{others}"
            )
        found = {wanted: found[wanted]}
    free = [device for device, able in found.items() if able is not None and able.outputs]
    if free:
        return free[0]
    taken = [device for device, able in found.items() if able is not None]
    for device in taken:  # or left so by a program that has ended
        v4l2.let_go(device)
    if taken:
        time.sleep(TAKEN_BACK_S)
        found = v4l2.loopbacks()
        free = [device for device in taken if (able := found.get(device)) is not None and able.outputs]
        if free:
            return free[0]
        raise SinkError(no_virtual_camera("busy", taken[0]))
    if found:
        raise SinkError("no virtual camera may be opened by you: run  sudo usermod -aG video $USER  and log in again")
    raise SinkError(no_virtual_camera("none"))


def kept_at(device: str, size: tuple[int, int]) -> str:
    """Why a device that we have just opened takes other pictures than ours, or "".

    v4l2loopback keeps its format as long as anybody has it open, and says yes to every other: what is written then
    arrives as noise.
    """
    found = v4l2.output_format(device)
    if found is None or found == (*size, "YU12"):
        return ""
    width, height, form = found
    how = f"at {width}x{height}" if (width, height) != size else f"in the format {form}"
    return (
        f"another program that feeds or shows the virtual camera {device} keeps it {how}: close it there, then it "
        "starts here by itself"
    )


def no_virtual_camera(reason: str, device: str = "", system: str = sys.platform) -> str:
    """What to do where the virtual camera does not start, or stopped."""
    if "busy" in reason.lower() or "in use" in reason or "already" in reason:
        taken = f"another program feeds the virtual camera {device}".rstrip()
        return f"{taken}: stop it there, then it starts here by itself"
    if system == "linux":
        if reason.startswith("Virtual camera device"):  # it refuses the size: a reader keeps it at another one
            return f"{reason}: close the programs that show {device}, then it starts by itself"
        if device and not reason.endswith(GONE):  # the driver is there: how to install it would be no help
            return (
                f"the virtual camera {device} does not start ({reason.rstrip('.')}): if another program feeds "
                "or shows it, close it there; then it starts here by itself"
            )
        return (
            "no virtual camera: run  sudo apt-get install v4l2loopback-dkms  once, then  "
            "sudo modprobe v4l2loopback exclusive_caps=1 card_label=Puppeteer  and it starts by itself"
        )
    if system == "darwin":
        return (
            "no virtual camera: install OBS Studio 30 or newer, press Start Virtual Camera in it once, allow its "
            "extension in System Settings and close OBS; it then starts by itself"
        )
    return "no virtual camera: install OBS Studio, which brings one, and close it; it then starts by itself"


SINKS = {"video_writer": VideoWriter, "virtual_camera": VirtualCamera, "memory": Memory}
