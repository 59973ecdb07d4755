"""The sound of a clip on its way into another file."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from puppeteer.inputs.streams import packets, sound_track
from puppeteer.inputs.video_file import open_clip, origin_s

# What ordinary players (browsers, phones, Windows, macOS) play from each container. MP4 can carry more, Opus and FLAC
# among them, that some of them play without sound.
COPIED_SOUND = {"mp4": {"aac", "mp3", "ac3", "eac3", "alac"}, "webm": {"opus", "vorbis"}}
SOUND_CODEC: dict[str, Literal["aac", "libopus"]] = {"mp4": "aac", "webm": "libopus"}
SLOWEST_MP3 = 16_000  # Hz; MP4 knows MPEG-1 and MPEG-2, and slower sound is "MPEG-2.5"
AAC_RATES = {8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000}
ROUNDING_S = 0.02  # Matroska's stamps are whole milliseconds; a frame this near to the end of the last one follows it


class Sound:
    """The sound track that a player takes, on its way into another file: packets as they are, or coded anew."""

    def __init__(self, source: InputContainer, track: AudioStream, target: OutputContainer, form: str) -> None:
        self._source = source
        self._track = track
        self._target = target
        self._origin_s = origin_s(source)
        self._packets = packets(source, track)
        self._held: Packet[Any] | None = None
        self._ended = False
        context = track.codec_context
        name = context.codec.canonical_name
        self._copies = name in COPIED_SOUND[form] and not (name == "mp3" and context.sample_rate < SLOWEST_MP3)
        if self._copies:
            self._out = target.add_stream_from_template(track)
            self._copied = -(2**62)  # until here, in ticks of the track
        else:
            rate = context.sample_rate if form == "mp4" and context.sample_rate in AAC_RATES else 48_000
            layout = "mono" if context.layout.nb_channels == 1 else "stereo"
            self._out = target.add_stream(SOUND_CODEC[form], rate=rate, layout=layout)
            coder = self._out.codec_context
            coder.bit_rate = 80_000 * coder.layout.nb_channels
            self._shape: tuple[object, ...] = ()
            self._end_s: Fraction | None = None  # of the frame decoded last
            self._next = -(10**9)  # the earliest that a frame may begin, in samples; priming lies before 0
            self._resample = AudioResampler(coder.format, coder.layout, coder.sample_rate)

    @classmethod
    def of(cls, clip: Path, target: OutputContainer, form: str) -> Sound | None:
        """None where the clip has no sound that can be decoded."""
        source = open_clip(clip)
        track = sound_track(source)
        if track is not None:
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

    def _write(self, packet: Packet[Any]) -> None:
        if self._copies:
            shift = round(self._origin_s / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            begin = packet.pts if packet.dts is None else packet.dts
            if begin is not None and begin >= self._copied:  # after a jump the first ones may come too early
                self._copied = begin + max(1, packet.duration or 1)
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
        # The resampler passes some frames through as they are: their stamps must count samples before it.
        begin = self._begin(frame)
        if begin is None:
            return
        frame.pts, frame.time_base = begin, Fraction(1, frame.sample_rate)
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._shape and shape != self._shape:  # broadcast recordings change from mono to stereo and back
            self._mux(self._resample.resample(None))
            self._resample = AudioResampler(self._resample.format, self._resample.layout, self._resample.rate)
        self._shape = shape
        self._mux(self._resample.resample(frame))

    def _begin(self, frame: AudioFrame) -> int | None:
        """When the frame begins, in its own samples since the start of the clip; without a stamp, after the last.

        None where the last one has not ended yet, as may be after a jump of the clip's clock.
        """
        begin_s = self._end_s or Fraction(0)
        if frame.pts is not None and frame.time_base:
            stamp_s = frame.pts * frame.time_base - Fraction(self._origin_s).limit_denominator(av.time_base)
            if self._end_s is None or stamp_s - begin_s >= ROUNDING_S:
                begin_s = stamp_s
            elif begin_s - stamp_s >= ROUNDING_S:
                return None
        self._end_s = begin_s + Fraction(frame.samples, frame.sample_rate)
        return round(begin_s * frame.sample_rate)

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
