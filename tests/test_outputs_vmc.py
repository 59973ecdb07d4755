"""The pose for other programs, by the VMC protocol."""

from __future__ import annotations

import math
from contextlib import closing

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_packet import OscPacket

from puppeteer.errors import SinkError
from puppeteer.inputs import FACES, open_faces
from puppeteer.inputs.mapping import ARKIT, VRM, read_mapping
from puppeteer.outputs import POSE_SINKS
from puppeteer.outputs.vmc import PACKET, VmcSender, packets
from puppeteer.pose import BY_NAME, POSE_NAMES, Pose
from tests.senders import bound

FULL = Pose(*(0.5 if declared.low == 0 else -0.5 for declared in BY_NAME.values()))


def received(pose: Pose) -> list[OscMessage]:
    """What a program gets, by a real socket and another library's reading of bundles."""
    with bound() as program, VmcSender(port=program.getsockname()[1]) as sender:
        program.settimeout(30)
        sender.send(pose, 1.5)
        assert sender.problem == ""
        got = [program.recv(65536) for _ in packets(pose, 1.5)]
    assert all(len(packet) <= PACKET for packet in got)
    return [timed.message for packet in got for timed in OscPacket(packet).messages]


def blends(pose: Pose) -> dict[str, float]:
    return {
        str(message.params[0]): float(message.params[1])
        for message in received(pose)
        if message.address == "/VMC/Ext/Blend/Val"
    }


def test_a_frame_has_what_the_protocol_wants() -> None:
    messages = received(FULL)
    addresses = [message.address for message in messages]
    assert addresses[:2] == ["/VMC/Ext/OK", "/VMC/Ext/T"] and addresses[-1] == "/VMC/Ext/Blend/Apply"
    assert messages[0].params == [1] and messages[1].params == [1.5]
    for message in messages:
        if message.address == "/VMC/Ext/Bone/Pos":
            name, *numbers = message.params
            assert name in ("Spine", "Neck", "Head") and len(numbers) == 7
            assert math.hypot(*numbers[3:]) == pytest.approx(1, abs=1e-6)
    names = set(blends(FULL))
    assert names <= ARKIT | VRM and {"Blink_L", "A", "Fun", "jawOpen", "eyeBlinkLeft"} <= names


@pytest.mark.parametrize("name", [name for name in POSE_NAMES if name not in ("breath", "hair_x")])
def test_each_number_moves_something_within_the_range(name: str) -> None:
    base = Pose(mouth_open=0.5) if name == "mouth_wide" else Pose()
    for value in (1.0, BY_NAME[name].low):
        pose = Pose(**{**{each: getattr(base, each) for each in POSE_NAMES}, name: value})
        changed = packets(pose, 0) != packets(base, 0)
        assert changed == (value != 0)
        assert all(0 <= weight <= 1 for weight in blends(pose).values())


def test_sides_are_the_character_s_own() -> None:
    told = blends(Pose(eye_left=1, brow_right=1, gaze_x=1))
    assert told["Blink_L"] == told["eyeBlinkLeft"] == told["browOuterUpRight"] == told["LookRight"] == 1
    assert told["Blink_R"] == told["eyeBlinkRight"] == told["browOuterUpLeft"] == told["LookLeft"] == 0
    assert told["eyeLookInLeft"] == told["eyeLookOutRight"] > 0.5


def test_head_and_body_come_back_as_they_were_sent() -> None:
    pose = Pose(neck_z=0.6, neck_x=-0.5, neck_y=0.8, body_z=-0.4, body_y=0.3, eye_left=1.0, mouth_open=0.7)
    with bound() as free:
        port = free.getsockname()[1]
    with closing(open_faces("vmc", port=port)) as faces, VmcSender(port=port) as sender:
        for _ in range(20):
            sender.send(pose, 0.0)
            arrival = faces.read()
            if arrival is not None and arrival.face is not None and arrival.face.gaze_x is not None:
                break
        assert arrival is not None and arrival.face is not None
        for name in ("neck_z", "neck_x", "neck_y", "body_z", "body_y"):
            assert getattr(arrival.face, name) == pytest.approx(getattr(pose, name), abs=1e-3), name
        assert arrival.face.eye_left == 1.0 and arrival.face.mouth_open == pytest.approx(0.7, abs=0.15)


def test_nobody_needs_to_listen() -> None:
    with bound() as free:
        port = free.getsockname()[1]
    sender = VmcSender(port=port)
    for number in range(200):
        sender.send(Pose(eye_left=number / 200), number / 30)
    sender.close()
    sender.close()
    sender.send(Pose(), 7.0)  # after the end: told, not raised
    assert "cannot be reached" in sender.problem


@pytest.mark.parametrize(("address", "port"), [("here", 39539), ("1.2.3.4.5", 39539), ("127.0.0.1", 0), ("", 70000)])
def test_what_is_no_address_is_told(address: str, port: int) -> None:
    with pytest.raises(SinkError, match=r"is no (address|port)"):
        VmcSender(address, port)


def test_our_own_input_does_not_hear_it_unless_told() -> None:
    with closing(POSE_SINKS["vmc"]()) as sender:
        assert sender.port != FACES["vmc"](read_mapping()).port
