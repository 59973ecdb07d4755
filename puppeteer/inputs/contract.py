"""What drives a character: the contracts of files that are read whole and of cameras that go on for ever."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from puppeteer.errors import SourceError
from puppeteer.pose import U8, Frame


class NoCameraError(SourceError):
    """There is no camera at all."""


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
