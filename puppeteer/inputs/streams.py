"""Which streams of a media file are shown and heard, and their packets, whose time goes on where its clock jumps."""

from __future__ import annotations

import math
from collections.abc import Generator
from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

BACK_S = Fraction(3, 10)  # decoding stamps never go back; by less than this a careless muxer may have erred
GAP_S = Fraction(10)  # what FFmpeg too takes for a jump, in containers made for broadcasts


def sound_track(container: InputContainer) -> AudioStream | None:
    """The track that a player takes: the first flagged default of those that can be decoded, or the first of all."""
    for track in sorted(container.streams.audio, key=lambda track: not track.disposition & Disposition.default):
        # A track without a decoder has no codec context; one without a rate was never found in the data.
        if getattr(track, "codec_context", None) is not None and track.codec_context.sample_rate:
            return track
    return None


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first that is no cover."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return next((stream for stream in container.streams.video if not stream.disposition & covers), None)


def packets(container: InputContainer, wanted: Stream) -> Generator[Packet[Any]]:
    """The packets of the picture or of the sound, at times that go on where the recording's clock jumps; the last one
    is empty. Raises FFmpegError where the file breaks off."""
    onward = Onward(container)
    picture, sound = picture_stream(container), sound_track(container)
    for packet in container.demux([stream for stream in (picture, sound) if stream is not None]):
        onward.move(packet)
        if packet.stream_index == wanted.index:
            yield packet


class Onward:
    """For recordings whose clock jumps: files joined end to end, broadcasts that start anew.

    Moves the stamps of packets, given in the order of the file, so that what follows a jump follows in time.

    Picture and sound are moved alike and stay together. Whoever reads only one of them must show the other's packets
    too, or the two disagree about the jump.
    """

    def __init__(self, container: InputContainer) -> None:
        self._closes_gaps = bool(Flags(container.format.flags) & Flags.ts_discont)
        self._shift_s = Fraction(0)
        self._before_s = Fraction(0)  # the shift before the latest jump
        self._jump_at = -1  # where in the file that is, in bytes
        self._latest_s: dict[int, Fraction] = {}  # by number of the stream: its latest decoding stamp
        self._end_s = Fraction(0)  # of everything so far

    def move(self, packet: Packet[Any]) -> None:
        if packet.dts is None and packet.pts is None:
            return
        unit = packet.time_base
        # A demuxer may hand out the last packet of a stream only when that stream's next one begins.
        late = packet.pos is not None and 0 <= packet.pos < self._jump_at
        shift_s = self._before_s if late else self._shift_s
        if not late and packet.dts is not None:  # stamps of showing alone go back and forth
            at_s = packet.dts * unit + shift_s
            latest_s = self._latest_s.get(packet.stream_index)
            gap_s = GAP_S if self._closes_gaps else math.inf
            if latest_s is not None and not -BACK_S <= at_s - latest_s <= gap_s:
                self._before_s, self._jump_at = shift_s, -1 if packet.pos is None else packet.pos
                shift_s = self._shift_s = shift_s + self._end_s - at_s
                at_s = self._end_s
                self._latest_s.clear()
            self._latest_s[packet.stream_index] = at_s
            shown_s = at_s if packet.pts is None else packet.pts * unit + shift_s
            self._end_s = max(self._end_s, max(at_s, shown_s) + (packet.duration or 0) * unit)
        ticks = round(shift_s / unit)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
