"""Phones and programs that stand in: they send real packets, made from the numbers of a pose, by real sockets."""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from puppeteer.outputs.vmc import packets as vmc_packets
from puppeteer.pose import Pose

PHONE = "127.0.0.2"  # a loopback address of its own
SIDED = """eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint eyeWide browDown browOuterUp cheekSquint
noseSneer mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp"""
SINGLE = """browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker
mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper tongueOut"""


def arkit(pose: Pose) -> dict[str, float]:
    """The 52 shapes of a face that does what the pose says, written down without our table."""
    sided = [f"{name}{side}" for name in SIDED.split() for side in ("Left", "Right")]
    values = dict.fromkeys([*sided, *SINGLE.split()], 0.0)
    values |= {"eyeBlinkLeft": pose.eye_left * 0.85, "eyeBlinkRight": pose.eye_right * 0.85}
    values["jawOpen"] = pose.mouth_open * 0.57 + (0.03 if pose.mouth_open else 0)
    right, left = max(0.0, pose.gaze_x) * 0.75, max(0.0, -pose.gaze_x) * 0.75  # the person's
    values |= {"eyeLookInLeft": right, "eyeLookOutRight": right, "eyeLookOutLeft": left, "eyeLookInRight": left}
    for side in ("Left", "Right"):
        values[f"eyeLookUp{side}"] = max(0.0, pose.gaze_y) * 0.75
        values[f"eyeLookDown{side}"] = max(0.0, -pose.gaze_y) * 0.75
        values[f"mouthSmile{side}"] = max(0.0, pose.mouth_form) * 0.8
        values[f"mouthFrown{side}"] = max(0.0, -pose.mouth_form) * 0.4
        values[f"cheekSquint{side}"] = pose.eye_smile * 0.7
    return values


def ifacialmocap(pose: Pose, version: int = 2, tracking: int | None = None) -> list[bytes]:
    mark = "&" if version == 2 else "-"
    words = [] if tracking is None else [f"trackingStatus{mark}{tracking}"]
    for name, value in arkit(pose).items():
        if version == 1 and name not in SINGLE:
            name = re.sub("Left$", "_L", re.sub("Right$", "_R", name))
        words.append(f"{name}{mark}{round(value * 100)}")
    head = f"=head#{-pose.neck_x * 15:.4f},{-pose.neck_y * 15:.4f},{pose.neck_z * 15:.4f},0.01,-0.05,-0.4"
    return [("|".join([*words, head, "rightEye#1,2,0", "leftEye#1,2,0"]) + "|").encode()]


def vtube_studio(pose: Pose, found: bool = True, android: bool = False) -> list[bytes]:
    shapes = arkit(pose)
    if android:
        inner = shapes.pop("browInnerUp")
        shapes |= {"browInnerUp_L": inner, "browInnerUp_R": inner}
    else:
        shapes = {name[0].upper() + name[1:]: value for name, value in shapes.items()}
    return [
        json.dumps(
            {
                "Timestamp": 1,
                "Hotkey": -1,
                "FaceFound": found,
                "Rotation": {"x": -pose.neck_y * 15, "y": -pose.neck_x * 15, "z": pose.neck_z * 15},
                "Position": {"x": 0.4, "y": 1.3, "z": 4.7},
                "EyeLeft": {"x": 3.5, "y": 9.0, "z": 0.5},
                "EyeRight": {"x": 3.4, "y": 9.0, "z": 0.5},
                "BlendShapes": [{"k": name, "v": value} for name, value in shapes.items()],
            }
        ).encode()
    ]


def rotation(pose: Pose) -> np.ndarray:
    """(3, 3) about the viewer's axes, by matrices."""
    lean, turn, nod = (math.radians(15 * value) for value in (pose.neck_z, -pose.neck_y, -pose.neck_x))
    about_z = np.array([[math.cos(lean), -math.sin(lean), 0], [math.sin(lean), math.cos(lean), 0], [0, 0, 1]])
    about_y = np.array([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(nod), -math.sin(nod)], [0, math.sin(nod), math.cos(nod)]])
    return about_z @ about_y @ about_x


def openseeface(pose: Pose, success: int = 1, error: float = 12.0) -> list[bytes]:
    """From the face's model (x to the person's right, y up, z out of it) to the camera (x down, y right, z away)."""
    to_viewer = np.diag([-1.0, 1.0, 1.0])
    to_camera = np.array([[0, -1, 0], [1, 0, 0], [0, 0, -1.0]])
    m = to_camera @ rotation(pose) @ to_viewer
    # The quaternion of the inverse, by the case that near the rest is well conditioned.
    t = 1 - m[0, 0] + m[1, 1] - m[2, 2]
    quaternion = np.array([m[0, 1] + m[1, 0], t, m[1, 2] + m[2, 1], m[2, 0] - m[0, 2]]) * 0.5 / math.sqrt(t)
    middles = np.array([[0.26, 0.28, -0.32], [-0.26, 0.28, -0.32]])
    aside, up = (math.tan(math.radians(30 * value)) * 0.1 for value in (pose.gaze_x, pose.gaze_y))
    pupils = middles + np.array([aside, up, 0.1])
    points = np.concatenate([np.zeros((66, 3)), pupils, middles]) * [1, -1, -1]
    features = [-pose.eye_left or pose.eye_wide, -pose.eye_right or pose.eye_wide]
    features += [pose.brow_form, pose.brow_left, 0, pose.brow_form, pose.brow_right, 0]
    features += [-pose.mouth_form, 0, -pose.mouth_form, 0, pose.mouth_open, pose.mouth_wide]
    return [
        struct.pack("=di2f2fB1f", 1.0, 0, 640, 480, 1 - pose.eye_right, 1 - pose.eye_left, success, error)
        + struct.pack("=4f3f3f", *quaternion, 180, 0, 90, 0, 0, 1)
        + struct.pack("=68f136f", *[0.9] * 68, *[100.0] * 136)
        + struct.pack("=210f14f", *points.ravel(), *features)
    ]


def vmc(pose: Pose) -> list[bytes]:
    return vmc_packets(pose, 1.0)


def osc(address: str, *values: float | str) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


PACKETS: dict[str, Callable[[Pose], list[bytes]]] = {
    "ifacialmocap": ifacialmocap,
    "vtube_studio": vtube_studio,
    "openseeface": openseeface,
    "vmc": vmc,
}


def bound(address: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A socket of that loopback address; a skip where this system has only one."""
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        found.bind((address, port))
    except OSError as error:
        found.close()
        pytest.skip(f"{address}:{port} is not to be had here ({error})")
    return found


class Sender:
    """Sends what `packets` says now to a port of the loopback, `rate` times a second, until the block ends."""

    def __init__(self, port: int, packets: list[bytes], address: str = "127.0.0.1", rate: float = 60.0) -> None:
        self.packets = packets
        self._to = ("127.0.0.1", port)
        self._socket = bound(address)
        self._pause_s = 1 / rate if rate else 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.sent = 0

    def _work(self) -> None:
        while not self._stop.is_set():
            for packet in self.packets:
                self._socket.sendto(packet, self._to)
                self.sent += 1
            if self._pause_s:
                self._stop.wait(self._pause_s)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()
