"""Faces by UDP from a phone or another program: the socket, whom to listen to, and what to say about it."""

from __future__ import annotations

import ipaddress
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from puppeteer.errors import SourceError
from puppeteer.inputs.contract import Arrival, Condition
from puppeteer.pose import FaceObservation

SILENT_S = 0.8  # without a usable packet, after which a sender has fallen silent and another one may take its place
PATIENT_S = 5.0  # for the first packet, before its absence is a problem
ASK_S = 1.0  # between requests to a phone
FASTEST_HZ = 120.0  # readings a second; whatever comes in between waits or is dropped
BUSY_SHARE = 0.25  # of one core, at most, spent on packets
DRAINED = 1024  # packets taken from the system at a time, at most
SENDERS = 8  # looked at, at a time, while none is kept
RECEIVED = 256 * 1024  # bytes that the system keeps for us

Decoder = Callable[[Sequence[bytes]], FaceObservation | None]  # of one sender's packets, the newest last; None: no face


class NotOurs(ValueError):
    """None of the packets is of the app that is expected."""


def newest(decode: Callable[[bytes], FaceObservation | None]) -> Decoder:
    """Decodes the newest packet that can be, for apps whose packets each tell everything."""

    def decoder(packets: Sequence[bytes]) -> FaceObservation | None:
        for packet in reversed(packets):
            try:
                return decode(packet)
            except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
                continue  # garbage
        raise NotOurs

    return decoder


@dataclass(frozen=True, slots=True)
class Asking:
    """A phone sends only when it is asked."""

    port: int  # of the phone
    words: Callable[[int], bytes]  # for packets to that port of ours
    always: bool = False  # also while it sends: it stops by itself otherwise
    needed: bool = False  # nothing comes from a phone whose address is not known


@dataclass(frozen=True, slots=True)
class Wire:
    """How an app sends faces."""

    name: str  # for people
    port: int  # of ours, that the app sends to unless it is told another one
    setup: str  # what to do in the app; {address} and {port} are ours, {phone} is the phone's
    decoder: Callable[[], Decoder]  # for each sender a new one
    kept: int = 4  # packets of a sender that are decoded at a time, at most: 1 would be enough but for garbage
    asking: Asking | None = None


class NetworkInput:
    """A `FaceInput` that listens to one app (`wire`) by UDP. Raises SourceError where the port is taken.

    `address` is the phone's, or "": then the first who sends something usable is kept until silent. Packets of
    everybody else, garbage and floods cost at most BUSY_SHARE of a core and no memory. `port` 0 is the app's usual one.
    `clock` and `pause` are seconds, for tests.
    """

    def __init__(
        self,
        wire: Wire,
        address: str = "",
        port: int = 0,
        clock: Callable[[], float] = time.perf_counter,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.name = wire.name
        self._wire = wire
        self._phone = phone_address(wire, address)
        self._clock, self._pause = clock, pause
        self._socket = listening(wire, port)
        self.port: int = self._socket.getsockname()[1]
        self._buffer = bytearray(65536)
        self._closed = False
        self._born_s = clock()
        self._asked_s: float | None = None
        self._begun_s = 0.0  # when the latest reading got its first packet
        self._free_s = 0.0  # when the next one may begin
        self._sender = ""  # who is kept
        self._decoder = wire.decoder()
        self._face = False
        self._arrived_s: deque[float] = deque(maxlen=120)
        self._stranger: tuple[str, float] | None = None  # who sent something usable and was not listened to, and when
        self._garbage: tuple[str, float] | None = None  # who sent what is not this app's, and when
        self._unasked = ""  # why the phone could not be asked

    def read(self, timeout_s: float = 0.1) -> Arrival | None:
        end_s = self._clock() + timeout_s
        while not self._closed:
            now_s = self._clock()
            if (wait_s := min(self._free_s, end_s) - now_s) > 0:
                self._pause(wait_s)
            self._ask()
            packets = self._received(max(0.0, end_s - self._clock()))
            arrival = self._taken(packets)
            spent_s = self._clock() - self._begun_s
            self._free_s = self._begun_s + max(1 / FASTEST_HZ, spent_s / BUSY_SHARE)
            if arrival is not None or self._clock() >= end_s:
                return arrival
        return None

    def condition(self) -> Condition:
        now_s = self._clock()
        last_s = self._arrived_s[-1] if self._arrived_s else None
        if last_s is not None and now_s - last_s <= SILENT_S:
            if not self._face:
                return Condition("problem", f"{self.name} sees no face: look into the camera of the phone or program")
            arrived_s = tuple(self._arrived_s)
            recent = sum(now_s - time_s <= 1 for time_s in arrived_s)
            rate = f", {recent} a second" if now_s - arrived_s[0] > 1 else ""
            return Condition("ok", f"{self.name} from {self._sender}{rate}")
        if self._stranger is not None and now_s - self._stranger[1] <= SILENT_S:
            other = self._stranger[0]
            return Condition(
                "problem", f"{self.name} comes from {other}, not from {self._phone}: enter {other} instead"
            )
        if self._garbage is not None and now_s - self._garbage[1] <= SILENT_S:
            return Condition(
                "problem",
                f"what {self._garbage[0]} sends to port {self.port} is not {self.name}: choose the app that it is, or "
                "another port in it",
            )
        if self._unasked:
            return Condition("problem", self._unasked)
        if last_s is not None:
            return Condition("problem", f"{self.name} has fallen silent: {self.setup}; it goes on by itself")
        waiting = now_s - self._born_s <= PATIENT_S
        firewall = "" if waiting else "; if it stays silent, let Puppeteer through the firewall of this computer"
        return Condition("starting" if waiting else "problem", f"waiting for {self.name}: {self.setup}{firewall}")

    @property
    def setup(self) -> str:
        """What to do in the app, with the address and the port to type into it."""
        address = own_address(self._phone)
        if not address and self._wire.asking is not None:
            return "this computer is in no network: connect it to the same one as the phone"
        address = address or "127.0.0.1"
        return self._wire.setup.format(address=address, port=self.port, phone=self._phone or "the phone")

    def close(self) -> None:
        self._closed = True
        self._socket.close()

    def _ask(self) -> None:
        """Asks the phone, where that is due."""
        asking, now_s = self._wire.asking, self._clock()
        if asking is None or not self._phone or (self._asked_s is not None and now_s - self._asked_s < ASK_S):
            return
        if not asking.always and self._arrived_s and now_s - self._arrived_s[-1] <= SILENT_S:
            return
        self._asked_s = now_s
        try:
            self._socket.sendto(asking.words(self.port), (self._phone, asking.port))
            self._unasked = ""
        except BlockingIOError:
            pass
        except OSError as error:
            if not self._closed:
                why = (error.strerror or "no way to it").lower()
                self._unasked = f"{self._phone} cannot be reached ({why}): connect phone and computer to one network"

    def _received(self, timeout_s: float) -> dict[str, deque[bytes]]:
        """The newest packets by sender, once there are any. While a sender is kept, nobody else's are copied."""
        packets: dict[str, deque[bytes]] = {}
        view = memoryview(self._buffer)
        for number in range(DRAINED):
            try:
                if number < 2:
                    self._socket.settimeout(0 if number else timeout_s)
                size, (sender, *_) = self._socket.recvfrom_into(self._buffer)
            except ConnectionResetError:  # Windows: what we asked for was refused
                continue
            except OSError:  # nothing more, or closed
                break
            finally:
                if not number:
                    self._begun_s = self._clock()
                    self._let_go_of_silent(self._begun_s)
            if (self._sender and sender != self._sender) or (sender not in packets and len(packets) >= SENDERS):
                continue
            packets.setdefault(sender, deque(maxlen=self._wire.kept)).append(bytes(view[:size]))
        return packets

    def _let_go_of_silent(self, now_s: float) -> None:
        if self._arrived_s and now_s - self._arrived_s[-1] > SILENT_S:
            self._sender = ""

    def _taken(self, packets: dict[str, deque[bytes]]) -> Arrival | None:
        """What the sender that is kept says, or else the first that says something usable."""
        now_s = self._clock()
        for sender, waiting in packets.items():
            decoder = self._decoder if sender == self._sender else self._wire.decoder()
            try:
                face = decoder(tuple(waiting))
            except NotOurs:
                self._garbage = sender, now_s
                continue
            if self._phone and sender != self._phone:
                self._stranger = sender, now_s
                continue
            self._sender, self._decoder, self._face = sender, decoder, face is not None
            self._arrived_s.append(now_s)
            return Arrival(face, now_s)
        return None


def listening(wire: Wire, port: int = 0) -> socket.socket:
    """A bound socket. Raises SourceError."""
    if not 0 <= port <= 65535:
        raise SourceError(f"{port} is no port: give a number from 1 to 65535, or 0 for the usual one, {wire.port}")
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if sys.platform == "win32":  # else another program could take packets away from us
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED)
        try:
            taken.bind(("", port or wire.port))
        except OSError:
            if port or wire.asking is None or not wire.asking.needed:
                raise
            taken.bind(("", 0))  # the phone is told which
    except OSError as error:
        taken.close()
        number, why = port or wire.port, (error.strerror or "not available").lower()
        raise SourceError(
            f"port {number} cannot be listened to ({why}): close the other program that receives {wire.name}, or "
            "choose another port here and in the app"
        ) from None
    return taken


def phone_address(wire: Wire, address: str) -> str:
    """The address as it is written usually, or "". Raises SourceError where it is none, or one is needed."""
    address = address.strip()
    if not address:
        if wire.asking is not None and wire.asking.needed:
            raise SourceError(
                f"{wire.name} needs the phone's address: enter the one that the app shows in its settings"
            )
        return ""
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        found = None
    if found is None or found.is_multicast or found.is_unspecified or found == ipaddress.IPv4Address("255.255.255.255"):
        raise SourceError(
            f"{address[:60]!r} is not a phone's address: it has four numbers, such as 192.168.1.23; the app shows it"
        )
    return str(found)


def own_address(towards: str = "") -> str:
    """This computer's IPv4 address in the network in which `towards` is, or in its usual one; "" where it has none.

    Found by the routing table: a datagram socket that is connected sends nothing.
    """
    for target in (towards, "192.0.2.1", "10.255.255.254", "172.31.255.254", "192.168.255.254"):
        if not target:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))
                address = str(probe.getsockname()[0])
            except OSError:
                continue
        if address != "0.0.0.0":
            return address
    return ""
