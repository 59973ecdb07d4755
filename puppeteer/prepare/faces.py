"""What the face of a prepared character shows: read from its spec square, as the networks that move it read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from puppeteer.pose import U8

if TYPE_CHECKING:
    from puppeteer.networks.landmarks import Face as Network


@dataclass(frozen=True, slots=True)
class Face:
    """Left and right are the character's own; shares are 0 to 1."""

    closed: tuple[float, float] = (0.0, 0.0)  # left and right eye, 1 closed
    mouth_open: float = 0.0  # as read, 1 as wide as the generator draws it
    drawn_mouth: float = 0.0  # what the networks go by: 0 where it is not surely open
    hidden: float = 0.0  # hair lies over both eyes
    covered: tuple[float, float, float] = (0.0, 0.0, 0.0)  # left eye, right eye, mouth: something lies over it
    turn_deg: float = 0.0  # to the viewer's right


@cache
def _network() -> Network:
    from puppeteer.networks import faces
    from puppeteer.networks.landmarks import Face as Network

    network = Network()
    network.load_state_dict(faces.state())
    return network.float().eval()


def read(spec: U8) -> Face:
    """Of uint8 (256, 256, 4), straight alpha. Raises WeightsError."""
    import torch

    from puppeteer.networks import faces
    from puppeteer.networks.tensors import to_tensor

    with torch.inference_mode():
        seen = faces.read(_network(), to_tensor(spec, "srgb_premultiplied"))
        left, right = seen.closed[0].tolist()
        left_covered, right_covered, mouth_covered = seen.covered[0].tolist()
        return Face(
            (left, right),
            float(seen.mouth_open),
            float(seen.drawn_mouth),
            float(seen.hidden),
            (left_covered, right_covered, mouth_covered),
            float(seen.turn_deg),
        )
