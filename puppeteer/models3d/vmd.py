"""VMD, the motions of MikuMikuDance: key frames of bones and morphs, thirty frames a second."""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from puppeteer.errors import ModelError
from puppeteer.files import check_readable
from puppeteer.models3d.cursor import LARGEST_FILE, Cursor, finite
from puppeteer.models3d.model import Model
from puppeteer.models3d.pmd import text
from puppeteer.models3d.skinning import Posture, slerp
from puppeteer.pose import F32

FRAMES_A_SECOND = 30
_BONE = np.dtype([("name", "S15"), ("frame", "<u4"), ("shift", "<f4", 3), ("turn", "<f4", 4), ("curve", "u1", 64)])
_MORPH = np.dtype([("name", "S15"), ("frame", "<u4"), ("weight", "<f4")])


@dataclass(frozen=True, slots=True, eq=False)
class BoneTrack:
    """K key frames of one bone, in our axes."""

    frames: list[int]  # ascending
    shifts: F32  # (K, 3)
    turns: F32  # (K, 4) quaternions x, y, z, w
    curves: F32  # (K, 4, 4) x1, y1, x2, y2 of the way to this key frame, for x, y, z and the turn


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A motion, by the names of bones and morphs; names are cut at 15 bytes of Shift-JIS."""

    model: str
    bones: dict[str, BoneTrack]
    morphs: dict[str, tuple[list[int], F32]]
    length: int  # the last key frame

    def bone(self, name: str, frame: float) -> tuple[F32, F32] | None:
        """Shift (3,) and turn (4,) of a bone; None where it is not moved."""
        track = self.bones.get(cut(name))
        if track is None:
            return None
        after = bisect.bisect_right(track.frames, frame)
        if after == 0 or after == len(track.frames):
            k = min(after, len(track.frames) - 1)
            return track.shifts[k], track.turns[k]
        first, last = track.frames[after - 1], track.frames[after]
        t = (frame - first) / (last - first)
        x, y, z, turn = (bezier(t, *curve) for curve in track.curves[after].tolist())
        way = np.array([x, y, z], np.float32)
        shift = track.shifts[after - 1] + (track.shifts[after] - track.shifts[after - 1]) * way
        return shift, slerp(track.turns[after - 1], track.turns[after], turn)

    def morph(self, name: str, frame: float) -> float | None:
        """Weight of a morph; None where it is not moved."""
        track = self.morphs.get(cut(name))
        return None if track is None else float(np.interp(frame, track[0], track[1]))


def cut(name: str) -> str:
    """A name as a motion can hold it."""
    return text(name.encode("cp932", "replace")[:15])


def bezier(t: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """Height at place t of the curve from (0, 0) to (1, 1) with two handles."""
    low, high = 0.0, 1.0
    for _ in range(20):
        s = (low + high) / 2
        if 3 * s * (1 - s) ** 2 * x1 + 3 * s * s * (1 - s) * x2 + s**3 < t:
            low = s
        else:
            high = s
    s = (low + high) / 2
    return 3 * s * (1 - s) ** 2 * y1 + 3 * s * s * (1 - s) * y2 + s**3


def posture_at(motion: Motion, model: Model, frame: float) -> Posture:
    """What a motion makes of a model's bones and morphs at a frame; bones on IK stay at rest."""
    turns, shifts, morphs = {}, {}, {}
    for index, bone in enumerate(model.bones):
        moved = None if bone.ik else motion.bone(bone.name, frame)
        if moved is not None:
            shift, rotation = moved
            if abs(float(rotation[3])) < 1 - 1e-7:
                turns[index] = rotation
            if np.abs(shift).max() > 1e-6:
                shifts[index] = shift
    for index, morph in enumerate(model.morphs):
        weight = motion.morph(morph.name, frame)
        if weight:
            morphs[index] = weight
    return Posture(morphs, turns, shifts)


def read_motion(path: Path) -> Motion:
    """Raises ModelError."""
    check_readable(path, ModelError, "a motion")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ModelError(f"{path} is larger than {LARGEST_FILE // 1_000_000} MB: take a shorter motion")
        data = path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ModelError(f"{path} cannot be read ({why}): check the spelling of the path") from error
    return parse_motion(data, path.name)


def parse_motion(data: bytes, name: str) -> Motion:
    """Raises ModelError."""
    c = Cursor(data, name)
    magic = c.take(30)
    if not magic.startswith(b"Vocaloid Motion Data"):
        raise c.error("is no VMD motion")
    model = text(c.take(20 if magic.startswith(b"Vocaloid Motion Data 0002") else 10))
    bones = c.array(_BONE, c.count(_BONE.itemsize, "key frames", "I"))
    morphs = c.array(_MORPH, c.count(_MORPH.itemsize, "key frames", "I")) if c.left() >= 4 else np.zeros(0, _MORPH)
    finite(bones["shift"].astype(np.float32), name, "places")
    finite(bones["turn"].astype(np.float32), name, "turns")
    finite(morphs["weight"].astype(np.float32), name, "weights")
    last = max((int(rows["frame"].max()) for rows in (bones, morphs) if len(rows)), default=0)
    tracks = {key: _bone_track(rows) for key, rows in _by_name(bones).items()}
    weights = {
        key: (rows["frame"].tolist(), rows["weight"].astype(np.float32)) for key, rows in _by_name(morphs).items()
    }
    return Motion(model, tracks, weights, last)


def _by_name(rows: Any) -> dict[str, Any]:
    """Key frames of each name, in order of time, the last of several at one time."""
    if not len(rows):
        return {}
    names, inverse = np.unique(rows["name"], return_inverse=True)
    out = {}
    order = np.lexsort((np.arange(len(rows)), rows["frame"], inverse))
    bounds = np.flatnonzero(np.diff(inverse[order], prepend=-1, append=len(names)))
    for start, end in itertools.pairwise(bounds):
        mine = rows[order[start:end]]
        keep = np.append(mine["frame"][1:] != mine["frame"][:-1], True)
        out[text(bytes(mine["name"][0]))] = mine[keep]
    return out


def _bone_track(rows: Any) -> BoneTrack:
    turns = rows["turn"].astype(np.float32) * np.array([-1, -1, 1, 1], np.float32)
    length = np.linalg.norm(turns, axis=1, keepdims=True)
    turns = np.where(length > 1e-6, turns / np.maximum(length, 1e-6), np.array([0, 0, 0, 1], np.float32))
    handles = rows["curve"][:, :16].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float32) / 127
    shifts = rows["shift"].astype(np.float32) * np.array([1, 1, -1], np.float32)
    return BoneTrack(rows["frame"].tolist(), shifts, turns.astype(np.float32), np.clip(handles, 0, 1))
