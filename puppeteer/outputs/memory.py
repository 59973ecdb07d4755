"""Pictures that are kept in memory."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from puppeteer.pose import U8


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
