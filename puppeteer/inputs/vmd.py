"""Recorded motion of MikuMikuDance (VMD): what head, body, eyes and face do, as poses.

Key frames at 30 a second: bones with a rotation each (left-handed axes: the figure faces -z, its left is +x, y is up)
and a curve for the way to it, morphs with a weight. Names are in Shift-JIS, cut at 15 bytes.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from puppeteer.errors import SettingsError
from puppeteer.files import check_readable
from puppeteer.inputs.mapping import Table, mmd_name, numbers, read_mapping
from puppeteer.pose import Pose
from puppeteer.rotation import REST, Quaternion, between, figure_numbers, gaze_numbers, product, unit

RATE = 30  # frames a second
MAGIC = b"Vocaloid Motion Data"
BONE, MORPH = struct.Struct("<15sI3f4f64s"), struct.Struct("<15sIf")
LONGEST_S = 900  # of a motion, beyond which a frame's number is taken for garbage
LARGEST = 64 << 20  # bytes of a file
BODY, NECK, EYES = ("上半身", "上半身2", "上半身3"), ("首", "頭"), ("左目", "右目")
BOTH_EYES = "両目"
Curve = tuple[float, float, float, float]  # a Bezier curve's inner points, x and y of the first, x and y of the second


@dataclass(frozen=True, slots=True)
class Turns:
    """A bone's key frames, in order."""

    frames: list[int]
    rotations: list[Quaternion]  # about the viewer's axes
    curves: list[Curve]  # of the way from the frame before

    def at(self, frame: float) -> Quaternion:
        after = bisect_right(self.frames, frame)
        if after == 0 or after == len(self.frames):
            return self.rotations[min(after, len(self.frames) - 1)]
        start, end = self.frames[after - 1], self.frames[after]
        share = eased(self.curves[after], (frame - start) / (end - start))
        return between(self.rotations[after - 1], self.rotations[after], share)


@dataclass(frozen=True, slots=True)
class Weights:
    """A morph's key frames, in order."""

    frames: list[int]
    weights: list[float]

    def at(self, frame: float) -> float:
        after = bisect_right(self.frames, frame)
        if after == 0 or after == len(self.frames):
            return self.weights[min(after, len(self.frames) - 1)]
        start, end = self.frames[after - 1], self.frames[after]
        share = (frame - start) / (end - start)
        return self.weights[after - 1] * (1 - share) + self.weights[after] * share


def read_vmd(path: Path, mapping: dict[str, Table] | None = None) -> list[tuple[float, Pose]]:
    """Times in seconds and poses, as `recorded.read_motion` gives them. Raises SettingsError where it is no motion, or
    moves neither head nor face."""
    check_readable(path, SettingsError, "a motion")
    try:
        if path.stat().st_size > LARGEST:
            raise SettingsError(f"{path} is too large for a motion: choose another file")
        data = path.read_bytes()
    except OSError as error:
        why = (error.strerror or "cannot be used").lower()
        raise SettingsError(f"{path} cannot be read ({why}): check its name and permissions") from None
    try:
        bones, morphs = parse(data)
    except (struct.error, ValueError) as error:
        raise SettingsError(
            f"{path} is not a whole VMD motion ({error}): download it again, or choose another"
        ) from None
    if not bones and not morphs:
        raise SettingsError(f"{path} moves neither head nor face (perhaps only a camera): choose another motion")
    table = (mapping or read_mapping())["mmd"]
    last = max([turns.frames[-1] for turns in bones.values()] + [weights.frames[-1] for weights in morphs.values()])
    return [(frame / RATE, pose_at(frame, bones, morphs, table)) for frame in range(last + 1)]


def pose_at(frame: float, bones: dict[str, Turns], morphs: dict[str, Weights], table: Table) -> Pose:
    """At a frame, or between two."""

    def chain(names: tuple[str, ...]) -> Quaternion:
        whole = REST
        for name in names:
            if name in bones:
                whole = product(whole, bones[name].at(frame))
        return whole

    told = numbers(table, {name: weights.at(frame) for name, weights in morphs.items()})
    left, right = (product(chain((BOTH_EYES,)), chain((eye,))) for eye in EYES)
    told |= gaze_numbers(between(left, right, 0.5)) | figure_numbers(chain(BODY), chain(NECK))
    return Pose.from_names(told)


def parse(data: bytes) -> tuple[dict[str, Turns], dict[str, Weights]]:
    """The bones that a pose knows and all morphs, by name. Raises ValueError and struct.error."""
    if not data.startswith(MAGIC):
        raise ValueError("it does not begin like one")
    offset = 50 if data[:30].startswith(MAGIC + b" 0002") else 40  # the older form has a shorter name of the model
    bones, offset = _bones(data, offset)
    if offset == len(data):  # a motion of bones alone
        return bones, {}
    return bones, _morphs(data, offset)


def _bones(data: bytes, offset: int) -> tuple[dict[str, Turns], int]:
    (count,) = struct.unpack_from("<I", data, offset)
    offset += 4
    end = offset + count * BONE.size
    if end > len(data):
        raise ValueError("it is cut off")
    keys: dict[str, dict[int, tuple[Quaternion, Curve]]] = {}
    for raw, frame, _, _, _, x, y, z, w, curve in BONE.iter_unpack(data[offset:end]):
        name = _name(raw)
        if name in (*BODY, *NECK, *EYES, BOTH_EYES):
            x, y, z, w = unit((x, y, z, w))
            keys.setdefault(name, {})[_frame(frame)] = (-x, -y, z, w), rotation_curve(curve)
    return {
        name: Turns(sorted(key), [key[at][0] for at in sorted(key)], [key[at][1] for at in sorted(key)])
        for name, key in keys.items()
    }, end


def _morphs(data: bytes, offset: int) -> dict[str, Weights]:
    (count,) = struct.unpack_from("<I", data, offset)
    offset += 4
    end = offset + count * MORPH.size
    if end > len(data):
        raise ValueError("it is cut off")
    keys: dict[str, dict[int, float]] = {}
    for raw, frame, weight in MORPH.iter_unpack(data[offset:end]):
        if not 0 <= abs(weight) <= 100:
            raise ValueError("a weight is not a number")
        keys.setdefault(_name(raw), {})[_frame(frame)] = min(1.0, max(0.0, weight))
    return {name: Weights(sorted(key), [key[at] for at in sorted(key)]) for name, key in keys.items()}


def _name(raw: bytes) -> str:
    return mmd_name(raw.split(b"\0")[0].decode("cp932", errors="replace"))


def _frame(frame: int) -> int:
    if frame > LONGEST_S * RATE:
        raise ValueError(f"frame {frame} is beyond {LONGEST_S // 60} minutes")
    return frame


def rotation_curve(table: bytes) -> Curve:
    """The curve of the rotation, from the 64 bytes that a key frame has: four rows, each the one before without its
    first byte. The first row's third and fourth bytes are used for something else."""
    x1, y1, x2, y2 = (table[index] / 127 for index in (48, 7, 11, 15))
    return x1, y1, x2, y2


def eased(curve: Curve, share: float) -> float:
    """The share of the way at a share of the time, on the Bezier curve from (0, 0) to (1, 1)."""
    x1, y1, x2, y2 = (min(1.0, value) for value in curve)
    if x1 == y1 and x2 == y2:
        return share
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        if _bezier(x1, x2, middle) < share:
            low = middle
        else:
            high = middle
    return _bezier(y1, y2, (low + high) / 2)


def _bezier(first: float, second: float, t: float) -> float:
    return 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t * t * second + t**3
