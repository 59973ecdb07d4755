"""What drives a character: the contracts of files that are read whole, of cameras that go on for ever, and of phones
and programs that have seen the face themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from puppeteer.errors import SourceError
from puppeteer.pose import F32, U8, FaceObservation, Frame


class NoCameraError(SourceError):
    """There is no camera at all."""


class NoMicrophoneError(SourceError):
    """There is no microphone at all."""


class SoundInput(Protocol):
    """An open microphone, for one thread."""

    name: str
    rate_hz: float  # samples a second

    def read(self, timeout_s: float = 0.2) -> F32 | None:
        """float32 (N,) from -1 to 1: what came since the last reading; None where nothing came. Raises SourceError."""
        ...

    def close(self) -> None: ...


class Camera(Protocol):
    """An open camera, for one thread."""

    name: str
    may_repeat: bool  # identical frames in a row are nothing unusual

    def read(self) -> U8:
        """The next frame, (H, W, 3) RGB, as soon as there is one. Raises SourceError."""
        ...

    def close(self) -> None: ...


class Source(Protocol):
    """Gives frames; `with` releases whatever it holds."""

    def frames(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came from a phone or a program."""

    face: FaceObservation | None  # None: it sends, and sees no face
    time_s: float  # when it came, by the clock of the input


@dataclass(frozen=True, slots=True)
class Condition:
    """How an input is at a moment: a sentence for the user, which in a problem says what to do."""

    state: Literal["starting", "ok", "problem"]
    text: str


class FaceInput(Protocol):
    """An open input that gives observations of a face instead of pictures.

    It has no thread of its own and listens from construction, which raises SourceError, until `close`. The live engine
    opens, reads and closes it in one thread, as it does a camera, and needs no tracker:

        with closing(open_faces("ifacialmocap", address=settings.source.phone)) as phone:
            while not stop.is_set():
                if (arrival := phone.read()) is not None:
                    seen.put(Seen(arrival.face, ..., time_s=arrival.time_s))

    Silence needs nothing from the engine: an observation grows stale as one of a camera does, and `condition` tells.
    """

    name: str  # of the app, for people

    @property
    def setup(self) -> str:
        """What to do in the app, with the address and the port to type into it; half a sentence."""
        ...

    def read(self, timeout_s: float = 0.1) -> Arrival | None:
        """The newest that came, waiting for it; None where nothing usable came for so long, or once closed."""
        ...

    def condition(self) -> Condition:
        """As it is now, told by the clock; from any thread."""
        ...

    def close(self) -> None:
        """Stops listening; from any thread, and more than once. A waiting `read` returns within its timeout."""
        ...
