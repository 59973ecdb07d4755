"""Phones and programs that send faces: stand-ins send real packets by real sockets on the loopback."""

from __future__ import annotations

import json
import math
import random
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from stage import PATIENCE_S

from puppeteer.errors import SourceError
from puppeteer.inputs import FACES
from puppeteer.inputs.contract import Arrival
from puppeteer.inputs.mapping import read_mapping
from puppeteer.inputs.network import SILENT_S, NetworkInput, NotOurs, own_address, phone_address
from puppeteer.inputs.vmc import messages
from puppeteer.inputs.watch import main
from puppeteer.pose import BY_NAME, POSE_NAMES, SIX, FaceObservation, Pose
from tests import senders
from tests.senders import PACKETS, PHONE, Sender, bound, osc

TRUTH = Pose(eye_left=0.8, eye_right=0.1, mouth_open=0.6, neck_z=0.5, neck_x=-0.4, neck_y=0.7, gaze_x=0.5, gaze_y=-0.3)
HAPPY = Pose(mouth_form=0.9, eye_smile=0.5)
TOLERANCE = {"vmc": 0.25}  # what it sends is for other programs, not the inverse of our table
KINDS = sorted(FACES)


def free_port() -> int:
    with bound() as found:
        return int(found.getsockname()[1])


def opened(kind: str, address: str = "", **given: object) -> NetworkInput:
    if kind == "vtube_studio":
        address = address or "127.0.0.1"
    return NetworkInput(FACES[kind](read_mapping()), address, free_port(), **given)  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def first(
    faces: NetworkInput, wanted: Callable[[Arrival], bool] = lambda _: True, within_s: float = PATIENCE_S
) -> Arrival:
    """The first arrival of the wanted kind; generous, because other work may keep the processor."""
    end_s = time.perf_counter() + within_s
    while time.perf_counter() < end_s:
        arrival = faces.read()
        if arrival is not None and wanted(arrival):
            return arrival
    raise AssertionError(f"nothing of the kind came: {faces.condition()}")


def until(happens: Callable[[], bool], faces: NetworkInput, within_s: float) -> float:
    """How long it took, while the input is read."""
    begun_s = time.perf_counter()
    while not happens():
        assert time.perf_counter() - begun_s < within_s, faces.condition()
        faces.read(0.02)
    return time.perf_counter() - begun_s


def decoded(kind: str, packets: list[bytes]) -> FaceObservation | None:
    return FACES[kind](read_mapping()).decoder()(packets)


def known(face: FaceObservation) -> dict[str, float]:
    told = {name: getattr(face, name, None) for name in POSE_NAMES}
    return {name: value for name, value in told.items() if value is not None}


# --- what is understood


def test_a_face_arrives_with_all_that_is_known(kind: str) -> None:
    with closing(opened(kind)) as faces, Sender(faces.port, PACKETS[kind](TRUTH)):
        face = first(faces, lambda arrival: arrival.face is not None and arrival.face.gaze_y is not None).face
        assert face is not None
        told = known(face)
        for name in (*SIX, "gaze_x", "gaze_y"):
            assert told[name] == pytest.approx(getattr(TRUTH, name), abs=TOLERANCE.get(kind, 0.03)), name
        until(lambda: faces.condition().state == "ok", faces, 2)
        assert "127.0.0.1" in faces.condition().text


@pytest.mark.parametrize("name", [name for name in POSE_NAMES if name not in ("breath", "hair_x")])
def test_each_number_has_its_sign(kind: str, name: str) -> None:
    """Whatever the sender can express arrives with its sign; and more of it arrives as more."""
    values = []
    for size in (-0.9, -0.45, 0.0, 0.45, 0.9):
        if size < 0 and BY_NAME[name].low == 0:
            continue
        face = decoded(kind, PACKETS[kind](Pose(**{name: size})))
        assert face is not None
        values.append(known(face).get(name, 0.0))
    spread = max(values) - min(values)
    assert (spread < 0.01) == (name in UNTOLD.get(kind, ()))
    if name in UNTOLD.get(kind, ()):
        return
    assert values == sorted(values)
    assert values[-1] > 0.4 and (BY_NAME[name].low == 0 or values[0] < -0.4)


OF_OTHERS = ("brow_left", "brow_right", "brow_form", "eye_wide", "mouth_wide")
UNTOLD = {  # by the stand-ins
    "ifacialmocap": ("body_z", "body_y", *OF_OTHERS),
    "vtube_studio": ("body_z", "body_y", *OF_OTHERS),
    "openseeface": ("body_z", "body_y", "eye_smile"),
}


def test_a_mirrored_face_is_mirrored_numbers(kind: str) -> None:
    pose = Pose(0.9, 0.2, 0.5, 0.4, 0.3, -0.6, 0.5, 0.2, 0.5, -0.5)
    one, other = (decoded(kind, PACKETS[kind](shown)) for shown in (pose, pose.mirrored()))
    assert one is not None and other is not None
    there, back = known(one), known(other)
    assert there.keys() == back.keys()
    mirrored = Pose(**there).mirrored()
    for name in there:
        assert getattr(mirrored, name) == pytest.approx(back[name], abs=0.02), name


def test_no_face_is_told() -> None:
    for kind, packets in (
        ("ifacialmocap", senders.ifacialmocap(TRUTH, tracking=0)),
        ("vtube_studio", senders.vtube_studio(TRUTH, found=False)),
        ("openseeface", senders.openseeface(TRUTH, success=0)),
        ("openseeface", senders.openseeface(TRUTH, error=float("nan"))),
        ("vmc", [osc("/VMC/Ext/OK", 0)]),
    ):
        with closing(opened(kind)) as faces, Sender(faces.port, packets):
            assert first(faces).face is None
            assert "sees no face" in faces.condition().text


@pytest.mark.parametrize(
    "packets",
    [senders.ifacialmocap(TRUTH, version=1), senders.ifacialmocap(TRUTH, tracking=1)],
    ids=["version 1", "tracking status"],
)
def test_spellings_of_ifacialmocap(packets: list[bytes]) -> None:
    face, usual = decoded("ifacialmocap", packets), decoded("ifacialmocap", senders.ifacialmocap(TRUTH))
    assert face is not None and usual is not None
    assert known(face) == known(usual)


def test_android_s_spelling_of_vtube_studio() -> None:
    pose = Pose(brow_left=0.5, eye_left=1)
    android, iphone = (decoded("vtube_studio", senders.vtube_studio(pose, android=told)) for told in (True, False))
    assert android is not None and iphone is not None
    assert known(android) == pytest.approx(known(iphone))


def test_gaze_of_openseeface_may_be_missing() -> None:
    (packet,) = senders.openseeface(TRUTH)
    at = len(packet) - 4 * (14 + 12)  # the eyes' points are the last before the features
    blind = packet[:at] + bytes(4 * 12) + packet[-4 * 14 :]
    face = decoded("openseeface", [blind])
    assert face is not None and face.gaze_x is None and face.eye_left == pytest.approx(0.8)


def test_expressions_of_vrm_models_are_enough() -> None:
    """Programs that know no shapes of ARKit's, with the names of either version of VRM, in either case."""
    for smile, blink, vowel in (("Fun", "Blink_L", "A"), ("relaxed", "blinkLeft", "aa"), ("FUN", "BLINK_L", "a")):
        packets = [osc("/VMC/Ext/Blend/Val", name, 0.8) for name in (smile, blink, vowel)]
        face = decoded("vmc", packets)
        assert face is not None
        assert (face.eye_left, face.eye_right, face.mouth_open) == pytest.approx((0.8, 0, 0.8))
        assert face.mouth_form == pytest.approx(0.64)


def test_eye_bones_of_vmc_are_a_gaze() -> None:
    half = math.sin(math.radians(15) / 2)
    turned = (0.0, half, 0.0, math.sqrt(1 - half * half))  # Unity: to the person's right
    packets = [osc("/VMC/Ext/Bone/Pos", eye, 0.0, 0.0, 0.0, *turned) for eye in ("LeftEye", "RightEye")]
    face = decoded("vmc", packets)
    assert face is not None and face.gaze_x == pytest.approx(0.5, abs=0.01)


# --- phones are asked


@pytest.mark.parametrize("kind", ["ifacialmocap", "vtube_studio"])
def test_the_phone_is_asked_until_it_sends(kind: str) -> None:
    with bound(PHONE, {"ifacialmocap": 49983, "vtube_studio": 21412}[kind]) as phone:
        phone.settimeout(PATIENCE_S)
        with closing(opened(kind, PHONE)) as faces:
            faces.read(0.05)
            asked, (_, port) = phone.recvfrom(2048)
            assert port == faces.port
            if kind == "vtube_studio":
                told = json.loads(asked)
                assert told["messageType"] == "iOSTrackingDataRequest" and told["ports"] == [faces.port]
                assert 0.5 <= told["time"] <= 10 and 1 <= len(told["sentBy"]) <= 32
            else:
                assert asked.startswith(b"iFacialMocap_") and asked.endswith(b"|sendDataVersion=v2")
            for packet in PACKETS[kind](TRUTH):
                phone.sendto(packet, ("127.0.0.1", faces.port))
            assert first(faces).face is not None
            assert PHONE in faces.condition().text
            begun_s = time.perf_counter()
            while time.perf_counter() - begun_s < 1.3:  # silent again: it is asked again
                faces.read()
            assert phone.recvfrom(2048)[0] == asked


def test_a_phone_that_cannot_be_reached_is_told() -> None:
    with closing(opened("vtube_studio", "127.0.0.1")) as faces:
        faces._socket.close()  # as a network that goes away
        faces._ask()
        assert "cannot be reached" in faces.condition().text


@pytest.mark.parametrize("address", ["phone", "1.2.3", "300.1.1.1", "::1", "0.0.0.0", "255.255.255.255", "224.0.0.1"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(SourceError, match=r"such as 192\.168"):
        opened("ifacialmocap", address)


def test_vtube_studio_needs_the_phone_s_address() -> None:
    with pytest.raises(SourceError, match="enter the one that the app shows"):
        phone_address(FACES["vtube_studio"](read_mapping()), " ")


def test_what_to_type_into_the_phone_is_said(kind: str) -> None:
    with closing(opened(kind)) as faces:
        assert faces.condition().state == "starting"
        if kind != "vtube_studio":  # it is told by us
            assert own_address() in faces.setup and str(faces.port) in faces.setup
        assert faces.setup in faces.condition().text


def test_own_address_is_of_the_phone_s_network() -> None:
    assert own_address("127.0.0.1") == "127.0.0.1"
    assert own_address() != "0.0.0.0"


# --- silence


def test_silence_is_noticed_and_it_goes_on_by_itself(kind: str) -> None:
    with closing(opened(kind)) as faces:
        with Sender(faces.port, PACKETS[kind](TRUTH)):
            first(faces)
        took_s = until(lambda: "fallen silent" in faces.condition().text, faces, 3)
        assert took_s < 1 + 0.3  # of a busy machine
        assert faces.condition().state == "problem"
        assert faces.read(0.05) is None
        with Sender(faces.port, PACKETS[kind](TRUTH)):
            first(faces)
            assert faces.condition().state == "ok"


def test_silence_is_told_by_the_clock() -> None:
    now_s = [100.0]
    with closing(opened("openseeface", clock=lambda: now_s[0], pause=lambda _: None)) as faces:
        assert faces.condition().state == "starting"
        now_s[0] += 6
        assert faces.condition().state == "problem" and "firewall" in faces.condition().text
        with bound() as program:
            program.sendto(PACKETS["openseeface"](TRUTH)[0], ("127.0.0.1", faces.port))
            arrival = faces.read(1.0)
        assert arrival is not None and arrival.time_s == now_s[0]
        now_s[0] += SILENT_S - 0.01
        assert faces.condition().state == "ok"
        now_s[0] += 0.02
        assert "fallen silent" in faces.condition().text


# --- harm


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"vtube_studio"}))  # which listens to one phone alone
def test_the_first_sender_is_kept_until_silent(kind: str) -> None:
    mine, others = PACKETS[kind](TRUTH), PACKETS[kind](Pose(eye_left=0.1, eye_right=0.9))
    with closing(opened(kind)) as faces, bound() as kept, bound(PHONE) as stranger:
        here = ("127.0.0.1", faces.port)
        for number in range(20):
            for sender, packets in ((kept, mine), (stranger, others if number else [])):
                for packet in packets:
                    sender.sendto(packet, here)
            arrival = faces.read()
            assert arrival is not None and arrival.face is not None and arrival.face.eye_left > 0.5
        begun_s = time.perf_counter()
        while arrival is None or arrival.face is None or arrival.face.eye_right < 0.5:
            for packet in others:
                stranger.sendto(packet, here)
            arrival = faces.read()
            assert time.perf_counter() - begun_s < PATIENCE_S
        assert time.perf_counter() - begun_s > SILENT_S / 2 and PHONE in faces.condition().text


def test_others_than_the_phone_that_was_chosen_are_not_listened_to(kind: str) -> None:
    with closing(opened(kind, PHONE)) as faces, Sender(faces.port, PACKETS[kind](TRUTH)):
        until(lambda: "enter 127.0.0.1 instead" in faces.condition().text, faces, 2)
        assert faces.read(0.1) is None
        with Sender(faces.port, PACKETS[kind](TRUTH), PHONE):
            first(faces)
            assert PHONE in faces.condition().text


def hostile(kind: str) -> Iterator[list[bytes]]:
    """Random bytes, and real packets that were cut, grown, flipped, repeated."""
    chance = random.Random(kind)
    real = PACKETS[kind](TRUTH)
    for _ in range(400):
        packet = bytearray(chance.choice(real))
        for _ in range(chance.choice((1, 1, 3, 30))):
            packet[chance.randrange(len(packet))] = chance.choice((0, 255, 45, 35, 124, chance.randrange(256)))
        yield [bytes(packet)]
        yield [bytes(packet[: chance.randrange(len(packet))])]
        yield [chance.randbytes(chance.randrange(1, 3000))]
    for other in KINDS:
        if other != kind:
            yield PACKETS[other](TRUTH)
    yield [b""]
    yield [bytes(65507)]
    yield [b"[" * 60000, b"{" * 60000, b"|" * 60000, b"#" * 60000]
    yield [
        b'{"FaceFound":true,"BlendShapes":[{"k":"JawOpen","v":' + b"9" * 5000 + b'}],"Rotation":{"x":0,"y":0,"z":0}}'
    ]
    yield [b'{"FaceFound":1,"BlendShapes":[{"k":"JawOpen","v":NaN}],"Rotation":{"x":0,"y":0,"z":Infinity}}']
    yield [b"jawOpen&nan|=head#0,0,0,0,0,0|", b"jawOpen&1e999|=head#inf,0,0,0,0,0|", b"jawOpen&1|=head#1|"]
    yield [b"#bundle\0" + bytes(8) + struct.pack(">i", size) + bytes(64) for size in (-4, 0, -(2**31), 2**31 - 1, 3)]
    yield [b"#bundle\0" + bytes(8)]
    nested = osc("/VMC/Ext/OK", 1)
    for _ in range(800):
        nested = b"#bundle\0" + bytes(8) + struct.pack(">i", len(nested)) + nested
    yield [nested]
    yield [osc("/VMC/Ext/Blend/Val", "A", float("nan")), osc("/VMC/Ext/Bone/Pos", "Head", *[0.0] * 7)]
    yield [b"/VMC/Ext/Blend/Val\0\0,sf\0" + b"\xff" * 40, b"/VMC/Ext/OK\0,iiiiiiiii\0", b"/VMC/Ext/OK\0,[[[["]


def test_garbage_does_no_harm(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    decoder = FACES[kind](read_mapping()).decoder()
    for packets in hostile(kind):
        try:
            face = decoder(packets)
        except NotOurs:
            continue
        if face is not None:
            told = known(face)
            assert all(math.isfinite(value) and abs(value) <= 700 for value in told.values()), packets
            assert all(abs(value) <= 1 for name, value in told.items() if not name.startswith("neck"))
    after = decoder(PACKETS[kind](TRUTH))
    assert after is not None and after.eye_left == pytest.approx(0.8, abs=0.25)
    assert capfd.readouterr() == ("", "")  # no library fills the terminal with it


def test_garbage_by_the_socket_is_told(kind: str) -> None:
    with closing(opened(kind)) as faces:
        with Sender(faces.port, [b"GET / HTTP/1.1\r\n\r\n", b"", bytes(60000)]):
            until(lambda: f"is not {faces.name}" in faces.condition().text, faces, 2)
            assert faces.condition().state == "problem"
        with Sender(faces.port, [b"noise", *PACKETS[kind](TRUTH), b"noise"]):
            first(faces)


def test_bundles_are_walked_as_they_are_nested() -> None:
    def bundle(*parts: bytes) -> bytes:
        return b"#bundle\0" + bytes(8) + b"".join(struct.pack(">i", len(part)) + part for part in parts)

    one, two, three = (osc("/VMC/Ext/T", float(number)) for number in range(3))
    assert list(messages(bundle(one, bundle(two), three))) == [one, two, three]
    assert list(messages(one)) == [one]


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.3"], ids=["of the sender itself", "of a stranger"])
def test_a_flood_costs_no_memory_and_the_newest_counts(kind: str, source: str) -> None:
    with closing(opened(kind, "127.0.0.1")) as faces, Sender(faces.port, PACKETS[kind](TRUTH)) as sender:
        first(faces)
        tracemalloc.start()
        try:
            flood = [*PACKETS[kind](HAPPY), bytes(9000)]
            with Sender(faces.port, flood, source, rate=0):
                begun_s, arrivals = time.perf_counter(), 0
                while time.perf_counter() - begun_s < 0.6:
                    arrivals += faces.read() is not None
                spent_s = time.perf_counter() - begun_s
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 8e6
        assert arrivals <= 150 * spent_s
        sender.packets = PACKETS[kind](Pose(eye_right=1))
        first(faces, lambda arrival: arrival.face is not None and arrival.face.eye_right > 0.9)


# --- ports and ends


def test_a_port_that_is_taken_is_told(kind: str) -> None:
    wire = FACES[kind](read_mapping())
    with bound("0.0.0.0") as other:
        port = other.getsockname()[1]
        with pytest.raises(SourceError, match=f"port {port} cannot be listened to .*close the other program"):
            NetworkInput(wire, "127.0.0.1", port)
    with pytest.raises(SourceError, match="is no port"):
        NetworkInput(wire, "127.0.0.1", 70000)


def test_vtube_studio_takes_another_port_where_its_own_is_taken() -> None:
    wire = FACES["vtube_studio"](read_mapping())
    with bound("0.0.0.0", wire.port), closing(NetworkInput(wire, "127.0.0.1")) as faces:
        assert faces.port not in (0, wire.port)


def test_close_is_quick_and_leaves_nothing(kind: str) -> None:
    threads = threading.active_count()
    faces = opened(kind)
    reader = threading.Thread(target=lambda: faces.read(0.4))
    reader.start()
    time.sleep(0.1)
    begun_s = time.perf_counter()
    faces.close()
    assert time.perf_counter() - begun_s < PATIENCE_S / 3
    reader.join(PATIENCE_S / 3)
    assert not reader.is_alive() and threading.active_count() == threads
    faces.close()
    assert faces.read() is None
    NetworkInput(FACES[kind](read_mapping()), "127.0.0.1", faces.port).close()


# --- the command


def test_watch_shows_numbers_and_what_is_the_matter(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with Sender(port, PACKETS["openseeface"](TRUTH)):
        assert main(["openseeface", "--port", str(port), "--seconds", "1"]) == 0
    said = capsys.readouterr().out
    assert "ok: OpenSeeFace from 127.0.0.1" in said and "eye_left +0.80" in said and "gaze_x +0.50" in said
    assert main(["ifacialmocap", "--address", "my phone"]) == 2
    assert "such as 192.168.1.23" in capsys.readouterr().err
