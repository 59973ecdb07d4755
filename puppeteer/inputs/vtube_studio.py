"""VTube Studio on a phone ("3rd Party PC Clients" in its settings), and apps that speak the same: JSON by UDP.

The phone sends while it is asked again and again. Its rotation is in degrees, `x` the turn (to the person's left),
`y` the nod (down), `z` the lean; iPhones write EyeBlinkLeft, Android phones eyeBlink_L and browInnerUp_L. Source:
DenchiSoft/VTubeStudioBlendshapeUDPReceiverTest; the axes as rusty-bridge, SandoitchiBridge and THA3SW read them.
"""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

from puppeteer.inputs.mapping import ARKIT, Table, arkit_name, numbers, observation
from puppeteer.inputs.network import Asking, Wire, newest
from puppeteer.pose import NECK_RANGE_DEG, FaceObservation

PORT = 21412  # of the phone; where we receive, it is told
FOR_S = 5.0  # that it sends after a request; 0.5 to 10
LONGEST = 32768  # bytes


def wire(mapping: dict[str, Table]) -> Wire:
    return Wire(
        name="VTube Studio",
        port=PORT,
        setup="open the app on {phone}, switch on 3rd Party PC Clients in its settings, and compare the address that "
        "it shows with the one entered here",
        decoder=partial(newest, partial(decode, table=mapping["arkit"])),
        asking=Asking(port=PORT, words=request, always=True, needed=True),
    )


def request(port: int) -> bytes:
    asked = {"messageType": "iOSTrackingDataRequest", "time": FOR_S, "sentBy": "Puppeteer", "ports": [port]}
    return json.dumps(asked).encode()


def decode(packet: bytes, table: Table) -> FaceObservation | None:
    """Raises ValueError, TypeError or KeyError where it is no packet of VTube Studio's."""
    if len(packet) > LONGEST:
        raise ValueError("too long")
    data = json.loads(packet)
    if not data["FaceFound"]:
        return None
    shapes: dict[str, float] = {}
    for shape in data["BlendShapes"]:
        shapes[arkit_name(shape["k"])] = min(1.0, max(0.0, finite(shape["v"])))
    if "browInnerUpLeft" in shapes and "browInnerUpRight" in shapes:
        shapes["browInnerUp"] = (shapes["browInnerUpLeft"] + shapes["browInnerUpRight"]) / 2
    if not ARKIT & shapes.keys():
        raise ValueError("no shapes of ARKit's")
    turn, nod, lean = (finite(data["Rotation"][axis]) / NECK_RANGE_DEG for axis in "xyz")
    return observation(numbers(table, shapes) | {"neck_z": lean, "neck_x": -nod, "neck_y": -turn})


def finite(value: Any) -> float:
    """Raises ValueError where it is no number that can be used."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e4:
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)
