"""Frames without a camera or a file."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np

from puppeteer.pose import Frame


class Synthetic:
    """A disc that circles over a gradient: frames without a camera or a file, as fast as they are asked for."""

    def __init__(self, size: tuple[int, int] = (640, 480), rate: float = 30.0, count: int | None = None) -> None:
        self.size = size
        self.rate = rate
        self.frame_count = count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def frames(self) -> Iterator[Frame]:
        width, height = self.size
        y, x = np.mgrid[:height, :width].astype(np.float32)
        shade = np.stack([x * (255 / width), y * (255 / height), np.full_like(x, 96)], axis=2).astype(np.uint8)
        index = 0
        while self.frame_count is None or index < self.frame_count:
            angle = 2 * np.pi * index / (4 * self.rate)
            middle_x, middle_y = width * (0.5 + 0.25 * np.cos(angle)), height * (0.5 + 0.25 * np.sin(angle))
            rgb = shade.copy()
            rgb[(x - middle_x) ** 2 + (y - middle_y) ** 2 < (height / 8) ** 2] = 255
            yield Frame(rgb=rgb, time_s=index / self.rate, index=index)
            index += 1
