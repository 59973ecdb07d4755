"""The pose for other programs, by the VMC protocol: OSC by UDP, for a VRM model there.

Every frame is one or more bundles: head and spine as bones (Unity's axes: left-handed, x to the figure's right, y up,
z out of the face), then the face twice, as expressions of VRM 0.x and as the shapes of ARKit ("perfect sync").
Source: protocol.vmc.info, marionette specification.
"""

from __future__ import annotations

import ipaddress
import socket
from types import TracebackType
from typing import Self

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from puppeteer.errors import SinkError
from puppeteer.pose import NECK_RANGE_DEG, Pose
from puppeteer.rotation import BODY_RANGE_DEG, Quaternion, from_angles

PORT = 39540  # of programs that take faces and go on to send them; a marionette listens to 39539, as our own input does
PACKET = 1400  # bytes: what a network carries in one piece


class VmcSender:
    """Sends poses to `address` and `port`. Raises SinkError where they are none. For one thread.

    Sending never waits and never fails: `problem` is why the latest pose did not go out, or "".
    """

    def __init__(self, address: str = "127.0.0.1", port: int = PORT) -> None:
        try:
            self.address = str(ipaddress.IPv4Address(address.strip()))
        except ValueError:
            raise SinkError(
                f"{address[:60]!r} is no address to send to: give 127.0.0.1 for this computer, or four numbers such as "
                "192.168.1.23"
            ) from None
        if not 1 <= port <= 65535:
            raise SinkError(f"{port} is no port: give a number from 1 to 65535, usually {PORT} or 39539")
        self.port = port
        self.problem = ""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, pose: Pose, time_s: float) -> None:
        """The pose as it is shown, at a time since the start."""
        try:
            for packet in packets(pose, time_s):
                self._socket.sendto(packet, (self.address, self.port))
            self.problem = ""
        except (BlockingIOError, ConnectionResetError):
            pass  # a full queue, or (on Windows) nobody listens there yet: the next frame will do
        except OSError as error:
            why = (error.strerror or "no way to it").lower()
            self.problem = f"{self.address} cannot be reached by VMC ({why}): check address and network"

    def close(self) -> None:
        """May be called more than once."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def packets(pose: Pose, time_s: float) -> list[bytes]:
    """One frame, in datagrams that are not larger than PACKET."""
    messages = [_message("/VMC/Ext/OK", 1), _message("/VMC/Ext/T", float(time_s))]
    messages += [
        _message("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, *rotation) for name, rotation in bones(pose).items()
    ]
    messages += [
        _message("/VMC/Ext/Blend/Val", name, float(value))
        for name, value in {**expressions(pose), **arkit_shapes(pose)}.items()
    ]
    messages.append(_message("/VMC/Ext/Blend/Apply"))
    found, bundle, size = [], OscBundleBuilder(IMMEDIATELY), 16
    for message in messages:
        if size + 4 + message.size > PACKET:
            found.append(bundle.build().dgram)
            bundle, size = OscBundleBuilder(IMMEDIATELY), 16
        bundle.add_content(message)
        size += 4 + message.size
    found.append(bundle.build().dgram)
    return found


def _message(address: str, *values: float | str) -> OscMessage:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build()


def bones(pose: Pose) -> dict[str, Quaternion]:
    """Rotations local to the parent: as the joints of a pose, the neck leans, the head turns and nods."""
    spine = from_angles(pose.body_z * BODY_RANGE_DEG, 0.0, pose.body_y * BODY_RANGE_DEG)
    neck = from_angles(pose.neck_z * NECK_RANGE_DEG, 0.0, 0.0)
    head = from_angles(0.0, pose.neck_x * NECK_RANGE_DEG, pose.neck_y * NECK_RANGE_DEG)
    return {name: (x, -y, -z, w) for name, (x, y, z, w) in (("Spine", spine), ("Neck", neck), ("Head", head))}


def expressions(pose: Pose) -> dict[str, float]:
    """Of VRM 0.x, from 0 to 1. The vowels share the mouth's opening."""
    wide, narrow = _both(pose.mouth_wide)
    smile, frown = _both(pose.mouth_form)
    troubled, angry = _both(pose.brow_form)
    up, down = _both(pose.gaze_y)
    right, left = _both(pose.gaze_x)
    return {
        "Blink_L": pose.eye_left,
        "Blink_R": pose.eye_right,
        "A": pose.mouth_open * (1 - wide - narrow),
        "I": pose.mouth_open * wide * (1 - pose.mouth_open),
        "E": pose.mouth_open * wide * pose.mouth_open,
        "U": pose.mouth_open * narrow * (1 - pose.mouth_open),
        "O": pose.mouth_open * narrow * pose.mouth_open,
        "Joy": 0.0,  # closes the eyes of most models: the smile is in Fun
        "Fun": smile,
        "Sorrow": max(troubled, frown / 2),
        "Angry": angry,
        "Surprised": pose.eye_wide,
        "LookUp": up,
        "LookDown": down,
        "LookLeft": left,
        "LookRight": right,
    }


def arkit_shapes(pose: Pose) -> dict[str, float]:
    """From 0 to 1; what a pose does not tell is left out."""
    wide, narrow = _both(pose.mouth_wide)
    smile, frown = _both(pose.mouth_form)
    troubled, angry = _both(pose.brow_form)
    up, down = _both(pose.gaze_y)
    right, left = _both(pose.gaze_x)
    shapes = {"jawOpen": 0.7 * pose.mouth_open, "mouthFunnel": 0.6 * narrow, "mouthPucker": 0.5 * narrow}
    raised_left, lowered_left = _both(pose.brow_left)
    raised_right, lowered_right = _both(pose.brow_right)
    shapes["browInnerUp"] = min(1.0, (raised_left + raised_right) / 2 + 0.6 * troubled)
    sides = {
        "Left": (pose.eye_left, raised_left, max(lowered_left, angry), right, left),
        "Right": (pose.eye_right, raised_right, max(lowered_right, angry), left, right),
    }
    for side, (closed, raised, lowered, inwards, outwards) in sides.items():
        shapes |= {
            f"eyeBlink{side}": closed,
            f"eyeWide{side}": pose.eye_wide,
            f"eyeSquint{side}": pose.eye_smile,
            f"cheekSquint{side}": pose.eye_smile,
            f"eyeLookIn{side}": 0.75 * inwards,
            f"eyeLookOut{side}": 0.75 * outwards,
            f"eyeLookUp{side}": 0.75 * up,
            f"eyeLookDown{side}": 0.75 * down,
            f"browOuterUp{side}": raised,
            f"browDown{side}": lowered,
            f"mouthSmile{side}": smile,
            f"mouthFrown{side}": 0.6 * frown,
            f"mouthStretch{side}": 0.6 * wide,
        }
    return shapes


def _both(value: float) -> tuple[float, float]:
    """What is above 0, and what is below."""
    return max(0.0, value), max(0.0, -value)
