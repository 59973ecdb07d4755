"""VMC: OSC by UDP from a program that moves a VRM model (VSeeFace, VMagicMirror, MocapForAll, phone apps).

A frame is spread over many messages, and often over many packets: `/VMC/Ext/Blend/Val name value` for each expression,
`/VMC/Ext/Bone/Pos name x y z qx qy qz qw` for each bone, local to its parent, in Unity's axes (left-handed: x to the
person's right, y up, z out of the face). Source: protocol.vmc.info, marionette specification.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from functools import partial

from pythonosc.osc_message import OscMessage, ParseError

from puppeteer.inputs.mapping import ARKIT, VRM, Table, numbers, observation
from puppeteer.inputs.network import NotOurs, Wire
from puppeteer.pose import FaceObservation
from puppeteer.rotation import REST, Quaternion, between, figure_numbers, gaze_numbers, product, unit

PORT = 39539  # of a marionette: who draws
MESSAGES = 1000  # that count of those that wait, at most: the newest packets win
PACKETS = 256
DEEPEST = 4  # bundles in bundles
BODY, NECK, EYES = ("Spine", "Chest", "UpperChest"), ("Neck", "Head"), ("LeftEye", "RightEye")
VRM1 = {  # as VRM 0.x has it
    "happy": "Joy",
    "sad": "Sorrow",
    "relaxed": "Fun",
    "aa": "A",
    "ih": "I",
    "ou": "U",
    "ee": "E",
    "oh": "O",
    "blinkleft": "Blink_L",
    "blinkright": "Blink_R",
}
_SHAPES = {
    **{name.lower(): name for name in (*ARKIT, *VRM)},
    **{name.lower().removesuffix("left") + "_l": name for name in ARKIT if name.endswith("Left")},
    **{name.lower().removesuffix("right") + "_r": name for name in ARKIT if name.endswith("Right")},
    **VRM1,
}
_BONES = {name.lower(): name for name in (*BODY, *NECK, *EYES)}
_BLEND, _BONE = b"/VMC/Ext/Blend/Val\0\0,sf\0", b"/VMC/Ext/Bone/Pos\0\0\0,sfffffff\0"
_OK = b"/VMC/Ext/OK\0,i"


def wire(mapping: dict[str, Table]) -> Wire:
    return Wire(
        name="VMC",
        port=PORT,
        setup="switch on sending by the VMC protocol in the program or app, to address {address} (127.0.0.1 where it "
        "runs on this computer), port {port}",
        decoder=partial(Puppet, mapping),
        kept=PACKETS,
    )


class Puppet:
    """What a sender has said last about each expression and bone: a decoder (`network.Decoder`)."""

    def __init__(self, mapping: dict[str, Table]) -> None:
        self._mapping = mapping
        self._shapes: dict[str, float] = {}
        self._bones: dict[str, Quaternion] = {}
        self._arkit = False  # whether ARKit's shapes are in use, which tell more than expressions
        self._loaded = True

    def __call__(self, packets: Sequence[bytes]) -> FaceObservation | None:
        left, ours = MESSAGES, False
        for packet in _fitting(packets):
            try:
                for message in messages(packet):
                    ours = self._hear(message) or ours
                    left -= 1
            except (ValueError, ParseError):  # the rest of the packet is garbage
                continue
            if left <= 0:
                break
        if not ours:
            raise NotOurs
        if not self._loaded or not (self._shapes or self._bones):
            return None
        return observation(self._numbers())

    def _hear(self, message: bytes) -> bool:
        """Takes what a message says; whether it is one of VMC's. Raises ValueError or ParseError."""
        if message.startswith(_BLEND):
            name, value = OscMessage(message).params
            if (shape := _SHAPES.get(name.lower())) is not None:
                self._shapes[shape] = min(1.0, max(0.0, _finite(value)))
                self._arkit = self._arkit or (shape in ARKIT and self._shapes[shape] > 0.01)
        elif message.startswith(_BONE):
            name, _, _, _, x, y, z, w = OscMessage(message).params
            if (bone := _BONES.get(name.lower())) is not None:
                x, y, z, w = unit((x, y, z, w))
                self._bones[bone] = (x, -y, -z, w)  # to the viewer's axes
        elif message.startswith(_OK):
            loaded, *more = OscMessage(message).params
            self._loaded = bool(loaded) and (len(more) < 3 or bool(more[2]))
        return message.startswith(b"/VMC/")

    def _numbers(self) -> dict[str, float]:
        table = self._mapping["arkit" if self._arkit else "vrm"]
        told = numbers(table, self._shapes)
        if any(bone in self._bones for bone in (*BODY, *NECK)):
            told |= figure_numbers(self._chain(BODY), self._chain(NECK))
        if not self._arkit and all(eye in self._bones for eye in EYES):
            for name, value in gaze_numbers(between(self._bones[EYES[0]], self._bones[EYES[1]], 0.5)).items():
                told[name] = max(-1.0, min(1.0, told.get(name, 0.0) + value))
        return told

    def _chain(self, bones: tuple[str, ...]) -> Quaternion:
        whole = REST
        for bone in bones:
            whole = product(whole, self._bones.get(bone, REST))
        return whole


def messages(packet: bytes) -> Iterator[bytes]:
    """Each message of a packet, whole and in its order. Raises ValueError where bundles are malformed.

    python-osc's own walk through bundles loops for ever over negative sizes, and logs garbage.
    """
    if not packet.startswith(b"#bundle\0"):
        yield packet
        return
    waiting = [(16, len(packet))]  # begin and end of what is left of each bundle that is open
    while waiting:
        begin, end = waiting.pop()
        if begin >= end:
            continue
        if begin + 4 > end:
            raise ValueError("cut off")
        (size,) = struct.unpack_from(">i", packet, begin)
        begin += 4
        if size <= 0 or size % 4 or begin + size > end:
            raise ValueError("an element of impossible size")
        waiting.append((begin + size, end))
        if packet.startswith(b"#bundle\0", begin):
            if len(waiting) >= DEEPEST:
                raise ValueError("nested too deep")
            waiting.append((begin + 16, begin + size))
        else:
            yield packet[begin : begin + size]


def _fitting(packets: Sequence[bytes]) -> Sequence[bytes]:
    """The newest packets that hold at most MESSAGES messages (none is shorter than 20 bytes), in their order."""
    room, first = 40 * MESSAGES, len(packets)
    while first > 0 and (room := room - len(packets[first - 1])) >= 0:
        first -= 1
    return packets[first:] or packets[-1:]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value
