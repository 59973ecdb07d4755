"""Rotations of heads, bodies and eyes, from other programs' axes to the numbers of a pose. Pure.

Quaternions are (x, y, z, w). The axes of a pose are the viewer's: x to the viewer's right, y up, z to the viewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from puppeteer.pose import NECK_RANGE_DEG

Quaternion = tuple[float, float, float, float]
REST: Quaternion = (0.0, 0.0, 0.0, 1.0)

BODY_RANGE_DEG = 5.0  # 1 of `body_z` and `body_y`
GAZE_RANGE_DEG = 30.0  # an eyeball's, 1 of `gaze_x` and `gaze_y`


def unit(quaternion: Quaternion) -> Quaternion:
    """Raises ValueError where it is no rotation (zero, not finite)."""
    length = math.hypot(*quaternion)
    if not math.isfinite(length) or length < 1e-6:
        raise ValueError("not a rotation")
    x, y, z, w = quaternion
    return x / length, y / length, z / length, w / length


def product(first: Quaternion, second: Quaternion) -> Quaternion:
    """The rotation `second`, carried by the rotation `first`."""
    ax, ay, az, aw = first
    bx, by, bz, bw = second
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(quaternion: Quaternion) -> Quaternion:
    x, y, z, w = quaternion
    return -x, -y, -z, w


def between(start: Quaternion, end: Quaternion, share: float) -> Quaternion:
    """The rotation `share` of the way from one to the other, along the shorter way."""
    cosine = sum(a * b for a, b in zip(start, end, strict=True))
    sign = -1.0 if cosine < 0 else 1.0
    angle = math.acos(min(1.0, abs(cosine)))
    if angle < 1e-4:
        first, second = 1 - share, share
    else:
        first, second = math.sin((1 - share) * angle) / math.sin(angle), math.sin(share * angle) / math.sin(angle)
    ax, ay, az, aw = start
    bx, by, bz, bw = end
    second *= sign
    return unit(
        (first * ax + second * bx, first * ay + second * by, first * az + second * bz, first * aw + second * bw)
    )


def from_angles(lean_deg: float, nod_deg: float, turn_deg: float) -> Quaternion:
    """The inverse of `angles`: the lean carries the turn, which carries the nod."""

    def about(axis: int, degrees: float) -> Quaternion:
        parts = [0.0, 0.0, 0.0, math.cos(math.radians(degrees) / 2)]
        parts[axis] = math.sin(math.radians(degrees) / 2)
        return parts[0], parts[1], parts[2], parts[3]

    return product(about(2, lean_deg), product(about(1, -turn_deg), about(0, -nod_deg)))


def angles(quaternion: Quaternion) -> tuple[float, float, float]:
    """Lean, nod and turn in degrees, with the signs of `neck_z`, `neck_x` and `neck_y`."""
    x, y, z, w = quaternion
    return matrix_angles(
        (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)),
        (2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )


def matrix_angles(first_column: Sequence[float], last_of_row: Sequence[float]) -> tuple[float, float, float]:
    """The `angles` of a rotation matrix, of its first column and the other two of its last row: the lean of the root
    carries the turn, which carries the nod."""
    lean = math.atan2(first_column[1], first_column[0])
    nod = math.atan2(last_of_row[0], last_of_row[1])
    turn = math.asin(max(-1.0, min(1.0, -first_column[2])))
    return math.degrees(lean), -math.degrees(nod), -math.degrees(turn)


def neck_numbers(head: Quaternion) -> dict[str, float]:
    """`neck_z`, `neck_x` and `neck_y`, which may leave [-1, 1]."""
    return dict(zip(("neck_z", "neck_x", "neck_y"), (angle / NECK_RANGE_DEG for angle in angles(head)), strict=True))


def figure_numbers(body: Quaternion, head: Quaternion) -> dict[str, float]:
    """Numbers of body and neck for a body and for a head that it carries. Whatever of the body's rotation a pose cannot
    show (it has no bow, and little lean) is added to the neck, so that the head looks where it looked."""
    lean, _, turn = angles(body)
    body_z, body_y = (max(-1.0, min(1.0, angle / BODY_RANGE_DEG)) for angle in (lean, turn))
    shown = from_angles(body_z * BODY_RANGE_DEG, 0.0, body_y * BODY_RANGE_DEG)
    return {"body_z": body_z, "body_y": body_y, **neck_numbers(product(inverse(shown), product(body, head)))}


def gaze_numbers(eye: Quaternion) -> dict[str, float]:
    """`gaze_x` and `gaze_y`, which may leave [-1, 1], of an eyeball that the head carries."""
    _, nod, turn = angles(eye)
    return {"gaze_x": turn / GAZE_RANGE_DEG, "gaze_y": nod / GAZE_RANGE_DEG}
