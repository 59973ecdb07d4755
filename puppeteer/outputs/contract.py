"""Where pictures and poses go: the contracts."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from puppeteer.errors import SinkError
from puppeteer.outputs.compose import Placed
from puppeteer.pose import U8, Pose


class NoVirtualCameraError(SinkError):
    """None is installed on this machine; `NoCameraError` is its counterpart among inputs."""


class Sink(Protocol):
    """Takes pictures; `with` finishes what was begun."""

    def write(self, picture: U8, time_s: float) -> None:
        """uint8 (H, W, 3) RGB, or (H, W, 4) straight alpha where the sink has alpha; `time_s` grows."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class PoseSink(Protocol):
    """Takes the pose of every picture that is drawn; never waits and never fails."""

    problem: str  # why the latest did not go out and what to do, or ""

    def send(self, pose: Pose, time_s: float) -> None:
        """The pose as it is shown; `time_s` grows."""

    def close(self) -> None: ...


class Overlay(Protocol):
    """Takes the character on a transparent ground; for one thread, but for the properties and `told`."""

    @property
    def name(self) -> str:
        """Under which others find it."""

    @property
    def wanted(self) -> bool:
        """Whether anybody takes the next picture; nothing is computed for nobody."""

    def told(self) -> str:
        """Where it is and what to do with it, for the user."""

    def send(self, picture: Placed) -> None:
        """Raises SinkError."""

    def close(self) -> None:
        """May be called more than once."""
