"""iFacialMocap on an iPhone or iPad: text by UDP, sixty times a second.

    eyeBlink_L-7|jawOpen-12|...|=head#-21.5,-6.0,-6.6,-0.03,-0.10,-0.66|rightEye#6.0,2.4,0.3|leftEye#6.0,-1.7,-0.2|

Shapes are percents; version 2 writes & for the minus. Of the head come angles (degrees) about ARKit's axes, x to the
person's left, y up, z out of the face, then metres. Source: ifacialmocap.com/for-developer.
"""

from __future__ import annotations

import math
from functools import partial

from puppeteer.inputs.mapping import ARKIT, Table, arkit_name, numbers, observation
from puppeteer.inputs.network import Asking, Wire, newest
from puppeteer.pose import NECK_RANGE_DEG, FaceObservation

PORT = 49983  # of the phone, and of who receives
START = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"
LONGEST = 16384  # bytes


def wire(mapping: dict[str, Table]) -> Wire:
    return Wire(
        name="iFacialMocap",
        port=PORT,
        setup="open the app on {phone}, both in one network, and type {address} into it as destination, port {port}",
        decoder=partial(newest, partial(decode, table=mapping["arkit"])),
        asking=Asking(port=PORT, words=lambda _: START),
    )


def decode(packet: bytes, table: Table) -> FaceObservation | None:
    """Raises ValueError where it is no packet of iFacialMocap's."""
    if len(packet) > LONGEST:
        raise ValueError("too long")
    shapes: dict[str, float] = {}
    head: tuple[float, ...] = ()
    seen = True
    for part in packet.decode("utf-8").split("|"):
        name, mark, values = part.strip().lstrip("=").partition("#")
        if mark:
            if name == "head":
                head = tuple(finite(value) for value in values.split(",")[:3])
            continue
        name, mark, value = name.partition("&" if "&" in name else "-")
        if name.endswith("trackingStatus"):
            seen = finite(value) != 0
        elif mark and arkit_name(name) in ARKIT:
            shapes[arkit_name(name)] = min(1.0, max(0.0, finite(value) / 100))
    if len(head) != 3 or not shapes:
        raise ValueError("neither head nor shapes")
    return observation(numbers(table, shapes) | neck(*head)) if seen else None


def neck(x_deg: float, y_deg: float, z_deg: float) -> dict[str, float]:
    """Of a head's angles about ARKit's axes: down, to the person's left, towards the person's right shoulder."""
    return {"neck_z": z_deg / NECK_RANGE_DEG, "neck_x": -x_deg / NECK_RANGE_DEG, "neck_y": -y_deg / NECK_RANGE_DEG}


def finite(text: str) -> float:
    """Raises ValueError where it is no number that can be used."""
    value = float(text)
    if not math.isfinite(value) or abs(value) > 1e4:
        raise ValueError(f"{value} is out of bounds")
    return value
