"""OpenSeeFace: one record of 1785 bytes for each face, by UDP. No packets come while no face is seen.

Its rotation takes a model of the face (x to the person's right, y up, z out of the face) to a camera whose x runs down
the picture, y to its right and z away; the quaternion that is sent is the inverse. Features are relative to what is
usual for the person, from -1 to 1: an eye is open at 0 and closed at -1, a brow's steepness grows with its inner end,
and `mouth_corner_updown` grows downwards. Source: emilianavt/OpenSeeFace, facetracker.py and tracker.py.
"""

from __future__ import annotations

import math
import struct
from functools import partial

from puppeteer.inputs.mapping import observation
from puppeteer.inputs.network import Wire, newest
from puppeteer.pose import FaceObservation
from puppeteer.rotation import GAZE_RANGE_DEG, Quaternion, inverse, neck_numbers, product, unit

PORT = 11573
RECORD = struct.Struct("=di2f2fB1f4f3f3f68f136f210f14f")
FACES = 40  # a packet has fewer
FRONTAL: Quaternion = (-math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)  # what is sent for a face that looks into the camera
POOR_FIT = 100.0  # pixels; a larger error of the fitted model says that it is no face


def wire(_: object = None) -> Wire:
    return Wire(
        name="OpenSeeFace",
        port=PORT,
        setup="start it with  facetracker --ip {address} --port {port}  (on this computer --ip 127.0.0.1 will do), and "
        "look into the camera",
        decoder=partial(newest, decode),
    )


def decode(packet: bytes) -> FaceObservation | None:
    """The first face. Raises ValueError where it is no packet of OpenSeeFace's."""
    if not packet or len(packet) % RECORD.size or len(packet) // RECORD.size >= FACES:
        raise ValueError("not of a record's length")
    record = RECORD.unpack_from(packet)
    _, _, width, height, right_open, left_open, success, error = record[:8]
    if not (1 <= width <= 1e5 and 1 <= height <= 1e5) or success > 1:
        raise ValueError("not a record")
    if not success or not error <= POOR_FIT:
        return None
    x, y, z, w = record[8:12]
    points, features = record[222:432], record[432:446]
    if not all(map(math.isfinite, (left_open, right_open, *points[198:], *features))):
        raise ValueError("not finite")
    told = {"eye_left": 1 - left_open, "eye_right": 1 - right_open}
    wide, mouth, wide_mouth = (features[0] + features[1]) / 2, features[12], features[13]
    told |= {"mouth_open": max(0.0, mouth), "mouth_wide": wide_mouth, "eye_wide": max(0.0, wide)}
    told |= {"brow_left": features[3], "brow_right": features[6], "brow_form": (features[2] + features[5]) / 2}
    told["mouth_form"] = -(features[8] + features[10]) / 2
    told = {name: max(-1.0, min(1.0, value)) for name, value in told.items()}
    told |= gaze(points[198:])
    return observation(told | neck_numbers(head_rotation(unit((x, y, z, w)))))


def head_rotation(sent: Quaternion) -> Quaternion:
    """The head's rotation about the viewer's axes: what is sent, without the rotation of a face that looks into the
    camera, and with the axes renamed. Both frames of OpenSeeFace's are left-handed."""
    x, y, z, w = product(inverse(sent), FRONTAL)
    return -y, x, z, w


def gaze(points: tuple[float, ...]) -> dict[str, float]:
    """Of right and left pupil, then the middles of right and left eyeball: (12,), y and z negated."""
    x, y, z = (
        sum(points[pupil + axis] - points[pupil + 6 + axis] for pupil in (0, 3)) * sign
        for axis, sign in ((0, 1), (1, -1), (2, -1))
    )
    if z < 1e-4:  # it does not track gazes, or the eyes are closed
        return {}
    told = {"gaze_x": math.degrees(math.atan2(x, z)), "gaze_y": math.degrees(math.atan2(y, z))}
    return {name: max(-1.0, min(1.0, degrees / GAZE_RANGE_DEG)) for name, degrees in told.items()}
