"""The pictures of a video file, as they are meant to be seen."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from puppeteer.errors import SourceError
from puppeteer.files import check_readable
from puppeteer.inputs.streams import packets, picture_stream
from puppeteer.pose import U8, Frame

# The face landmarker looks at 256 px of the face, and its detector sees the whole picture at less than that.
LONGEST_SIDE = 1280
READ_TIMEOUT_S = 30


def open_clip(path: Path) -> InputContainer:
    """Opens a media file for reading; raises SourceError where it is missing, empty or no media file."""
    check_readable(path, SourceError, "a video file")
    try:
        if path.stat().st_size == 0:
            raise SourceError(f"{path} is empty (0 bytes): record or download the clip again")
        # Playlists in a clip's clothes must not make us read other hosts.
        # An absolute path cannot be taken for a protocol ("12:30.mp4"); a read that waits must not wait for ever.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"}, timeout=READ_TIMEOUT_S)
    except (FFmpegError, UnicodeError) as error:
        if isinstance(error, PermissionError):
            raise SourceError(f"{path} may not be read: change its permissions") from error
        raise SourceError(
            f"{path} is not a video that can be read, or it was cut off before its index: "
            "play it in a media player to check, and give another clip"
        ) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}): check the disk and the permissions") from error
    return container


def origin_s(container: InputContainer) -> float:
    """Seconds to subtract from every timestamp so that the clip starts at 0 and picture and sound stay together.

    Broadcast recordings and cut clips start later than 0. An earlier start is an encoder's priming and stays.
    """
    return max(0.0, (container.start_time or 0) / av.time_base)


class VideoFile:
    """The pictures of a video file as it is meant to be seen: upright, square pixels, RGB, true timestamps.

    `time_s` counts from the start of the clip. Frames are decoded one at a time as they are asked for, and damaged
    ones are left out. `frames` starts from the beginning each time it is called. A picture larger than `longest_side`
    is scaled down. The constructor decodes the first frame, so that an unusable file fails here with a SourceError.

    Attributes: `size` (width, height) of the frames, `rate` average frames per second, `time_base` of the file's
    timestamps, `duration_s` and `frame_count` as the file declares them (estimates, or None), `audio` whether there
    is sound, `end_s` when the last frame decoded so far stops showing, `broken` how many packets could not be decoded
    (known when a run has come to its end). Several runs of `frames` may go on at once, each in its own thread.
    """

    def __init__(self, path: Path, longest_side: int = LONGEST_SIDE) -> None:
        self.path = Path(path)
        self.longest_side = longest_side
        self.broken = 0
        self.end_s = 0.0
        with open_clip(self.path) as container:
            stream = self._stream(container)
            self.audio = bool(container.streams.audio)
            self.rate = stream.average_rate or stream.guessed_rate or Fraction(30)
            self.time_base: Fraction = stream.time_base or Fraction(1, 90_000)
            if container.duration:
                self.duration_s: float | None = container.duration / av.time_base
            elif stream.duration:
                self.duration_s = float(stream.duration * self.time_base)
            else:
                self.duration_s = None
            self.frame_count: int | None = stream.frames or None
            if self.frame_count is None and self.duration_s is not None:
                self.frame_count = max(1, round(self.duration_s * self.rate))
        with closing(self.frames()) as run:
            first = next(run, None)
        if first is None:
            raise SourceError(f"{self.path} holds no frame that can be decoded: record or download the clip again")
        self.size = (first.rgb.shape[1], first.rgb.shape[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass  # each run of `frames` closes its own file

    def _stream(self, container: InputContainer) -> VideoStream:
        if container.format.name == "tty":
            raise SourceError(f"{self.path} is a text file, not a video: give a clip such as clip.mp4")
        if container.format.name == "image2" or container.format.name.endswith("_pipe"):
            raise SourceError(f"{self.path} is a picture, not a video: give a clip, and a drawing with --character")
        if container.format.name.split(",")[0] in ("hls", "concat", "dash"):
            raise SourceError(f"{self.path} is a list of videos, not a video: give one of the clips in it")
        stream = picture_stream(container)
        if stream is None:
            held = "only sound" if container.streams.audio else "no pictures, or was cut off"
            raise SourceError(f"{self.path} holds {held}: give a video in which a face can be seen")
        try:
            # Tracking and drawing keep the cores busy: threads that decode ahead were measured to gain nothing.
            stream.thread_type = "NONE"
        except AttributeError as error:  # no codec context
            raise SourceError(
                f"{self.path} is coded in a way that this FFmpeg cannot decode: convert it to H.264 and try again"
            ) from error
        return stream

    def frames(self, begin: int = 0) -> Generator[Frame]:
        """Every frame that can be decoded from number `begin` on, in the order shown, `time_s` strictly increasing.

        Frames before `begin` are decoded, but not converted: seeking is not exact in every format.
        """
        convert = VideoReformatter()
        upright = Upright()
        with open_clip(self.path) as container:
            stream = self._stream(container)
            origin = origin_s(container)
            usual_s = float(1 / self.rate)
            time_s = -usual_s
            for index, picture in enumerate(self._decoded(container, stream)):
                stamp = picture.time
                at_s = time_s + usual_s if stamp is None else stamp - origin
                # Two frames with one timestamp cannot both be shown: the later moves by a tick.
                time_s = at_s if index == 0 else max(at_s, time_s + max(float(self.time_base), 1e-4))
                shown_s = float(picture.duration * self.time_base) if picture.duration else usual_s
                self.end_s = max(self.end_s, time_s + shown_s)
                if index < begin:
                    continue
                rgb = upright.turned(picture, self._rgb(picture, stream.sample_aspect_ratio, convert))
                yield Frame(rgb=rgb, time_s=time_s, index=index)

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        coming = packets(container, stream)
        broken = 0
        ended = False
        while not ended:
            try:
                packet = next(coming, None)
            except FFmpegError:  # the file breaks off here
                broken += 1
                packet = None
            ended = packet is None
            try:
                yield from stream.decode(packet)  # None: what the decoder still holds
            except EOFError:
                break
            except FFmpegError:
                broken += 1
        self.broken = max(self.broken, broken)

    def _rgb(self, picture: VideoFrame, pixel_aspect: Fraction | None, convert: VideoReformatter) -> U8:
        """uint8 (H, W, 3), as it is stored: a phone may have been held sideways."""
        width, height = float(picture.width * (pixel_aspect or 1)), float(picture.height)
        scale = min(1.0, self.longest_side / max(width, height))
        columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
        scaled = (columns, rows) != (picture.width, picture.height)
        untagged_hd = picture.colorspace == _UNTAGGED and picture.height >= 720
        rgb = convert.reformat(
            picture,
            columns,
            rows,
            "rgb24",
            src_colorspace=Colorspace.ITU709 if untagged_hd else None,
            interpolation=Interpolation.AREA if scaled else Interpolation.BILINEAR,
        ).to_ndarray()
        return rgb.astype(np.uint8, copy=False)


_UNTAGGED = 2  # AVCOL_SPC_UNSPECIFIED; players take BT.709 for HD then


class Upright:
    """Turns the frames of one clip as their display matrices say; reads the matrix where it may have changed."""

    def __init__(self) -> None:
        self._matrix = (1, 0, 0, 1)
        self._rotation: int | None = None  # degrees, of the frame whose matrix was read last

    def turned(self, picture: VideoFrame, rgb: U8) -> U8:
        if picture.rotation != self._rotation:
            self._rotation = picture.rotation
            # A frame whose side data was read is part of a reference circle, so that it would stay in memory until the
            # garbage collector comes, which counts objects, not megabytes: a thumbnail carries the same matrix.
            self._matrix = display_matrix(picture.reformat(16, 16, "gray"))
        return turned(rgb, self._matrix)


def display_matrix(picture: VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of the display matrix that a phone stores with a clip: (x, y) is shown at (ax + cy, bx + dy).

    Layout: FFmpeg's libavutil/display.h. (1, 0, 0, 1) where there is none.
    """
    side_data: Any = picture.side_data  # PyAV's stub names other keys
    try:
        data = side_data[SideDataType.DISPLAYMATRIX]
    except KeyError:
        return 1, 0, 0, 1
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(data), np.int32)[:5])
    return a, b, c, d


def turned(rgb: U8, matrix: tuple[int, int, int, int]) -> U8:
    """The picture as the matrix shows it: quarter turns and flips; contiguous."""
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        rgb = rgb.swapaxes(0, 1)
        a, d = c, b
    if a < 0:
        rgb = rgb[:, ::-1]
    if d < 0:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)
