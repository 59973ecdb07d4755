"""How a head is turned before the camera of a whole frame, from landmarks that were found in a part of it. Pure.

MediaPipe takes every picture that it is shown for all that a camera of one angle of view sees. In a square that is cut
out about a face, that face is then near and in the middle: at the side of a frame it would turn and lean by some
degrees when it becomes small enough for a square, and whoever turns would seem to lean. This is what MediaPipe does
with landmarks (`geometry_pipeline.cc` in google-ai-edge/mediapipe), for the frame.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from puppeteer.pose import F32

F64 = NDArray[np.float64]
ANGLE_DEG = 63.0  # of view, from the upper to the lower edge of a frame
MESH = 468  # landmarks without those of irises
# Landmark numbers of MediaPipe's face mesh, how much each counts, and its place in centimetres, x to the viewer's
# right, y up, z to the viewer: of its canonical face model (Apache-2.0), as it lies in the landmarker's file.
BASIS = np.array([
    (4, 0.0709, 0.0000, -0.4632, 7.5866),
    (6, 0.0321, 0.0000, 2.4733, 5.7886),
    (10, 0.0084, 0.0000, 8.2618, 4.4815),
    (33, 0.0587, -4.4459, 2.6640, 3.1734),
    (54, 0.0077, -6.2793, 6.6154, 1.4259),
    (67, 0.0091, -3.5240, 8.0060, 3.7292),
    (117, 0.0098, -5.2587, 0.9458, 2.9743),
    (119, 0.0146, -3.3007, 0.8616, 3.8728),
    (121, 0.0186, -1.8207, 1.4680, 4.2241),
    (127, 0.0052, -7.7431, 2.3650, -2.0052),
    (129, 0.1206, -1.7858, -0.9783, 4.8505),
    (132, 0.0056, -7.2709, -2.8909, -2.2525),
    (133, 0.0533, -1.8564, 2.5852, 3.7579),
    (136, 0.0669, -5.0853, -7.1786, 0.7147),
    (143, 0.0148, -6.4076, 2.2360, 1.5608),
    (147, 0.0143, -6.2349, -1.9444, 1.6635),
    (198, 0.0255, -1.2468, 0.2303, 5.6810),
    (205, 0.0473, -3.8329, -1.5373, 4.1377),
    (263, 0.0587, 4.4459, 2.6640, 3.1734),
    (284, 0.0077, 6.2793, 6.6154, 1.4259),
    (297, 0.0091, 3.5240, 8.0060, 3.7292),
    (346, 0.0098, 5.2587, 0.9458, 2.9743),
    (348, 0.0146, 3.3007, 0.8616, 3.8728),
    (350, 0.0186, 1.8207, 1.4680, 4.2241),
    (356, 0.0052, 7.7431, 2.3650, -2.0052),
    (358, 0.1206, 1.7858, -0.9783, 4.8505),
    (361, 0.0056, 7.2709, -2.8909, -2.2525),
    (362, 0.0533, 1.8564, 2.5852, 3.7579),
    (365, 0.0669, 5.0853, -7.1786, 0.7147),
    (372, 0.0148, 6.4076, 2.2360, 1.5608),
    (376, 0.0143, 6.2349, -1.9444, 1.6635),
    (420, 0.0255, 1.2468, 0.2303, 5.6810),
    (425, 0.0473, 3.8329, -1.5373, 4.1377),
])  # fmt: skip
NUMBERS, WEIGHTS, PLACES = BASIS[:, 0].astype(int), BASIS[:, 1], BASIS[:, 2:]


def facial_matrix(face: F32, width: int, height: int) -> F64:
    """(4, 4) that takes the canonical face to the camera, from landmarks (478, 3) in units of the whole frame."""
    high = 2 * math.tan(math.radians(ANGLE_DEG / 2))  # of what is seen one centimetre before the camera
    spots = (face[:MESH].astype(np.float64) - (0.5, 0.5, 0)) * (width / height, -1, width / height) * high
    deep = spots[:, 2].mean()
    spots = spots[NUMBERS]
    flat = spots * (1, 1, -1)
    scale = _scale(flat)
    scale *= _scale(_seen_from(spots, deep, scale))
    return _similarity(_seen_from(spots, deep, scale))


def _seen_from(spots: F64, deep: float, scale: float) -> F64:
    """Where spots are, whose depth is `deep` on average, when a centimetre of them is as large as `scale` on the plane
    a centimetre before the camera."""
    z = (spots[:, 2:] - deep + 1) / scale
    return np.hstack([spots[:, :2] * z, -z])


def _scale(spots: F64) -> float:
    return float(np.linalg.norm(_similarity(spots)[:3, 0]))


def _similarity(spots: F64) -> F64:
    """(4, 4) of the rotation, scale and shift that take `PLACES` nearest to spots (N, 3), by weighted least squares."""
    weights = WEIGHTS / WEIGHTS.sum()
    middle, target = weights @ PLACES, weights @ spots
    one, other = PLACES - middle, spots - target
    u, sizes, v = np.linalg.svd((other * weights[:, None]).T @ one)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ v))])
    rotation = (u * sign) @ v
    scale = float((sizes * sign).sum() / (weights @ (one**2).sum(1)))
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = scale * rotation, target - scale * rotation @ middle
    return out
