"""GLB, the container of VRM: a chunk of JSON and a chunk of numbers, read within bounds."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.cursor import Cursor

_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_JSON, _BINARY = 0x4E4F534A, 0x004E4942
LARGEST_ACCESSOR = 5_000_000  # elements
LARGEST_TOTAL = 60_000_000  # numbers read in all, so that few bytes cannot ask for much memory


def _refused(constant: str) -> None:
    raise ValueError(constant)  # NaN and infinity, which JSON does not have


class Glb:
    """Raises ModelError where the container is damaged; the JSON may still hold anything."""

    def __init__(self, data: bytes, name: str) -> None:
        self.cursor = c = Cursor(data, name)
        magic, version, _ = c.unpack("III") if len(data) >= 12 else (0, 0, 0)
        if magic != 0x46546C67:
            raise c.error("is no VRM file (GLB)")
        if version != 2:
            raise c.error(f"is GLB {version}, and only 2 is known")
        self.json: dict[str, Any] = {}
        self._binary = b""
        while c.left() >= 8:
            length, kind = c.unpack("II")
            chunk = c.take(length)
            if kind == _JSON and not self.json:
                try:
                    self.json = json.loads(chunk.decode("utf-8"), parse_constant=_refused)
                except (ValueError, RecursionError) as error:
                    raise c.error("has a description that is damaged") from error
            elif kind == _BINARY and not self._binary:
                self._binary = chunk
        if not isinstance(self.json, dict) or not self.json:
            raise c.error("has no description in it")
        self._read = 0

    def list(self, name: str) -> list[Any]:
        value = self.json.get(name, [])
        if not isinstance(value, list):
            raise self.cursor.error(f"has no list of {name}")
        return value

    def view(self, index: int) -> bytes:
        """The bytes of a buffer view."""
        view = at(self.list("bufferViews"), index)
        buffer = at(self.list("buffers"), view.get("buffer", 0))
        uri = buffer.get("uri")
        data = self._binary
        if uri is not None:
            head, _, body = str(uri).partition(",")
            if not head.startswith("data:") or not head.endswith(";base64"):
                raise self.cursor.error("keeps a part in another file, which a VRM must not")
            try:
                data = base64.b64decode(body)
            except (ValueError, binascii.Error) as error:
                raise self.cursor.error("has a buffer that is damaged") from error
        start, length = int(view.get("byteOffset", 0)), int(view["byteLength"])
        if start < 0 or length < 0 or start + length > len(data):
            raise self.cursor.error("is cut short or damaged")
        return data[start : start + length]

    def accessor(self, index: int) -> NDArray[Any]:
        """(count, width) of the accessor's own type; whole numbers that stand for fractions come as float32."""
        accessor = at(self.list("accessors"), index)
        kind, width, count = _TYPES[accessor["componentType"]], _WIDTHS[accessor["type"]], int(accessor["count"])
        self._read += count * width
        if not 0 <= count <= LARGEST_ACCESSOR or self._read > LARGEST_TOTAL:
            raise self.cursor.error("asks for more numbers than a model has; it is damaged")
        if "bufferView" in accessor:
            view = at(self.list("bufferViews"), accessor["bufferView"])
            out = self._strided(
                accessor["bufferView"], int(accessor.get("byteOffset", 0)), kind, width, count, view.get("byteStride")
            )
        else:
            out = np.zeros((count, width), kind)
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            number = int(sparse["count"])
            if not 0 <= number <= count:
                raise self.cursor.error("has a sparse list that is damaged")
            places, values = sparse["indices"], sparse["values"]
            rows = self._strided(
                places["bufferView"], int(places.get("byteOffset", 0)), _TYPES[places["componentType"]], 1, number, None
            )[:, 0]
            if number and rows.max() >= count:
                raise self.cursor.error("has a sparse list that is damaged")
            out = out.copy()
            out[rows.astype(np.int64)] = self._strided(
                values["bufferView"], int(values.get("byteOffset", 0)), kind, width, number, None
            )
        if accessor.get("normalized") and kind != "<f4":
            limit = np.iinfo(np.dtype(kind)).max
            return np.maximum(out.astype(np.float32) / limit, -1)
        return out

    def _strided(self, view: int, offset: int, kind: str, width: int, count: int, stride: Any) -> NDArray[Any]:
        data = self.view(view)
        size = np.dtype(kind).itemsize * width
        step = size if stride is None else int(stride)
        if offset < 0 or not size <= step <= 252 or (count and offset + (count - 1) * step + size > len(data)):
            raise self.cursor.error("is cut short or damaged")
        raw = np.frombuffer(data, np.uint8)
        if step == size:
            return raw[offset : offset + count * size].view(kind).reshape(count, width)
        rows = np.lib.stride_tricks.as_strided(raw[offset:], (count, size), (step, 1))
        return np.ascontiguousarray(rows).view(kind).reshape(count, width)


def at(items: list[Any], index: Any) -> Any:
    """An item by its index in the file, which is never negative. Raises IndexError or TypeError."""
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise IndexError(index)
    return items[index]
