"""Actions by OSC from stream decks and bots on this computer: `/puppeteer/expression smile 1`, `/puppeteer/mute`."""

from __future__ import annotations

import math
import socket
import sys
from dataclasses import dataclass

from pythonosc.osc_packet import OscPacket

from puppeteer.errors import SourceError

HOST = "127.0.0.1"  # nobody else can press our buttons
ROOT = "puppeteer"
LARGEST = 2048  # bytes of a packet that is read
MOST = 16  # messages of a packet


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: `/puppeteer/ACTION [NAME] [AMOUNT]`, where the name may be part of the address too."""

    action: str
    name: str = ""
    amount: float | None = None  # None: none was given


def asked(packet: bytes) -> list[Asked]:
    """What a packet asks for. Raises ValueError where it is no OSC, or none of ours."""
    if len(packet) > LARGEST:
        raise ValueError("it is too long")
    try:
        messages = [timed.message for timed in OscPacket(packet).messages[:MOST]]
    except Exception as error:  # the parser meets garbage with whatever Python throws
        raise ValueError("it is no OSC") from error
    if not messages:
        raise ValueError("it is no OSC message")
    return [_read(str(message.address), list(message.params)) for message in messages]


def _read(address: str, values: list[object]) -> Asked:
    words = [word for word in address.split("/") if word]
    if not 2 <= len(words) <= 3 or words[0].casefold() != ROOT:
        raise ValueError(f"{address[:60]!r} is none of ours")
    name = words[2] if len(words) == 3 else ""
    if not name and values and isinstance(values[0], str):
        name, values = str(values[0]), values[1:]
    amount: float | None = None
    if values:
        if not isinstance(values[0], int | float) or not math.isfinite(values[0]):
            raise ValueError(f"{address[:60]!r} has a value that is no number")
        amount = float(values[0])
    return Asked(words[1].casefold(), name, amount)


class Listener:
    """A port of the loopback. Raises SourceError where it is taken."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if sys.platform == "win32":  # else another program could take packets away from us
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            self._socket.bind((HOST, port))
        except OSError as error:
            self._socket.close()
            why = (error.strerror or "not available").lower()
            raise SourceError(
                f"port {port} cannot be listened to for OSC ({why}): close the other program, or choose another port "
                "on the page Help and in the stream deck"
            ) from None

    def packets(self, timeout_s: float, most: int) -> list[bytes]:
        """What has come, at most so many packets, waiting for the first."""
        found: list[bytes] = []
        self._socket.settimeout(timeout_s)
        try:
            while len(found) < most:
                found.append(self._socket.recv(LARGEST + 1))
                self._socket.settimeout(0)
        except OSError:  # nothing more, larger than what is read (Windows), or closed
            pass
        return found

    def close(self) -> None:
        self._socket.close()
