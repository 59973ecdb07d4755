"""What the numbers beyond the paper's six do to a face and to what hangs. Pure.

Eyes, lashes, brows and mouth are laid anew for a pose: a `Piece` knows where its vertices go. What the renderer adds
to them is the difference to the same face with the six numbers alone, so that all others at 0 change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from puppeteer.characters.mesh import F32, F64
from puppeteer.pose import POSE_NAMES, Pose

FACE = tuple(name for name in POSE_NAMES if name.startswith(("gaze", "brow", "eye_", "mouth_")))
SHIFT, LOOK, SLIDE = slice(0, 3), slice(3, 5), slice(5, 7)
COLUMNS = 7  # of a shift
SWINGS, STIFF = 0.085, 26.0  # px of swing for a px below where hair hangs; px from there in which it hardly does
OVERHEAD = 0.1  # px of swing for a px that an ear stands up, or a ribbon's end hangs down


@dataclass(frozen=True)
class Iris:
    """Where the iris of an eye lies, so that it can slide under its lids."""

    centre: tuple[float, float]  # px
    radii: tuple[float, float]
    slid: Callable[[Pose], tuple[float, float]]  # px to the viewer's right, down
    scale: Callable[[Pose], tuple[float, float]]

    def at(self, xy: F64, pose: Pose) -> F64:
        """Positions (..., 2) px in radii of the iris as this pose has it."""
        (dx, dy), (sx, sy), (cx, cy), (rx, ry) = self.slid(pose), self.scale(pose), self.centre, self.radii
        return np.stack([(xy[..., 0] - cx - dx) / (rx * sx), (xy[..., 1] - cy - dy) / (ry * sy)], -1)


@dataclass(frozen=True)
class Piece:
    """Vertices `start` to `start + count` of a group."""

    start: int
    count: int
    place: Callable[[Pose], F64]  # (count, 3), or anything of this size
    iris: Iris | None = None


def six(pose: Pose) -> Pose:
    """The pose with what a face of six numbers knows."""
    return Pose(pose.eye_left, pose.eye_right, pose.mouth_open)


def face(pose: Pose) -> Pose:
    """The pose with what changes the face's geometry."""
    return replace(Pose(), **{name: getattr(pose, name) for name in FACE})


def shifts(vertices: int, pieces: Sequence[Piece], pose: Pose, bent: Callable[[F64], F64]) -> F32:
    """(vertices, 7): displacement in px, then of the place in the iris in its radii, then where what an iris shows
    here lies in the rest image, minus here, px. `bent` turns (N, 3) as the rest image has the head turned."""
    out = np.zeros((vertices, COLUMNS), np.float32)
    before = six(pose)
    for piece in pieces:
        rows = slice(piece.start, piece.start + piece.count)
        first, now = (piece.place(p).reshape(-1, 3) for p in (before, pose))
        out[rows, SHIFT] = bent(now) - bent(first)
        if piece.iris is not None:
            look = piece.iris.at(now[:, :2], pose)
            out[rows, LOOK] = look - piece.iris.at(first[:, :2], before)
            out[rows, SLIDE] = np.array(piece.iris.centre) + look * np.array(piece.iris.radii) - now[:, :2]
    return out


def swing(below: F64) -> F64:
    """px that hair swings sideways, by how far it is below where it hangs."""
    h = np.maximum(below, 0.0)
    return np.asarray(SWINGS * h * h / (h + STIFF), np.float64)


def standing(base: float) -> Callable[[F64], F64]:
    """For positions (N, 3) what stands up from row `base`, as ears do, swings by, px."""
    return lambda p: OVERHEAD * np.maximum(base - p[:, 1], 0.0)


def tied(x: float, y: float, knot: float) -> Callable[[F64], F64]:
    """The same for the ends of a ribbon, by how far they are from its knot."""
    return lambda p: OVERHEAD * np.maximum(np.hypot(p[:, 0] - x, p[:, 1] - y) - knot, 0.0)


def hanging(row: float) -> Callable[[F64], F64]:
    """The same for what hangs from a row, as earrings do."""
    return lambda p: swing(p[:, 1] - row)


def carried(by: float) -> Callable[[F64], F64]:
    """The same for what sits on something that swings by as much."""
    return lambda p: np.full(len(p), by)
