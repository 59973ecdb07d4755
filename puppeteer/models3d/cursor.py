"""Bounded reading of binary files: nothing is trusted, least of all a count."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.errors import ModelError
from puppeteer.pose import F32

LARGEST_FILE = 300_000_000  # bytes of a model; the largest in circulation have a third of that


class Cursor:
    """A place in the bytes of one file. Every reader raises ModelError where the file does not go on that far."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name, self.at = data, name, 0

    def error(self, what: str) -> ModelError:
        return ModelError(f"{self.name} {what}: get the file again, or save it anew in the program that made it")

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.left():
            raise self.error("is cut short or damaged")
        self.at += count
        return self.data[self.at - count : self.at]

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Little-endian values of a struct layout, without alignment."""
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def u8(self) -> int:
        return int(self.take(1)[0])

    def i32(self) -> int:
        return int(self.unpack("i")[0])

    def f32(self) -> float:
        return float(self.unpack("f")[0])

    def floats(self, count: int) -> F32:
        return np.frombuffer(self.take(4 * count), "<f4").astype(np.float32)

    def count(self, bytes_each: int, what: str, layout: str = "i") -> int:
        """How many things follow, each of which takes `bytes_each` at least."""
        number = int(self.unpack(layout)[0])
        if not 0 <= number * bytes_each <= self.left():
            raise self.error(f"says that it holds {number} {what}, more than its size allows; it is damaged")
        return number

    def array(self, dtype: Any, count: int) -> NDArray[Any]:
        """`count` values of a numpy dtype (structured ones too), a copy."""
        kind = np.dtype(dtype)
        return np.frombuffer(self.take(kind.itemsize * count), kind).copy()


def finite(array: F32, name: str, what: str) -> F32:
    """The array itself. Raises ModelError where it holds NaN, infinity or numbers too large to draw with."""
    with np.errstate(invalid="ignore"):
        fine = not array.size or bool((np.abs(array) < 1e9).all())
    if not fine:
        raise ModelError(
            f"{name} has {what} that are not numbers or far too large: save it anew in the program that made it"
        )
    return array
