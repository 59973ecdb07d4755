"""The sound of a clip as numbers, at its own time."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from puppeteer.inputs.streams import packets, sound_track
from puppeteer.inputs.video_file import open_clip, origin_s
from puppeteer.pose import F32

RATE_HZ = 22_050
LONGEST_GAP_S = 60.0  # of silence that is filled in; a longer one is a broken stamp


def sound_of(clip: Path) -> Generator[F32]:
    """Mono blocks, float32 (N,) from -1 to 1, RATE_HZ samples a second from the clip's time 0 on; gaps are silent.

    Nothing where there is no sound that can be decoded; what is damaged is left out.
    """
    with open_clip(clip) as container:
        track = sound_track(container)
        if track is None:
            return
        origin = origin_s(container)
        resample = AudioResampler("flt", "mono", RATE_HZ)
        shape: tuple[object, ...] = ()
        done = 0  # samples
        for frame in _frames(container, track):
            begins = done if frame.time is None else round((frame.time - origin) * RATE_HZ)
            if (frame.format.name, frame.layout.name, frame.sample_rate) != shape:
                shape = (frame.format.name, frame.layout.name, frame.sample_rate)
                resample = AudioResampler("flt", "mono", RATE_HZ)
            frame.pts = None
            for piece in resample.resample(frame):
                block = np.asarray(piece.to_ndarray(), np.float32).ravel()
                if done < begins <= done + LONGEST_GAP_S * RATE_HZ and begins - done > RATE_HZ // 50:
                    yield np.zeros(begins - done, np.float32)
                    done = begins
                if begins < 0:  # an encoder's priming
                    block, begins = block[-begins:], 0
                if len(block):
                    yield block
                done += len(block)
                begins = done


def _frames(container: av.container.InputContainer, track: av.AudioStream) -> Generator[AudioFrame]:
    coming = packets(container, track)
    while True:
        try:
            packet = next(coming, None)
        except FFmpegError:  # the clip breaks off here
            packet = None
        try:
            yield from track.decode(packet)
        except EOFError:
            return
        except FFmpegError:
            pass
        if packet is None:
            return
