"""What a family of networks is to the poser."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from puppeteer.networks.layers import Layers
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.tensors import Encoding


class Network(Protocol):
    """One family. Pure functions of tensors: no word about device or dtype, no copy between devices, no control flow
    that depends on values, so that a frame can be recorded as a CUDA graph and counted without being computed.

    A family may have a method `narrowed` beside: the same features, or such as leave out what no pose of this character
    needs. That may depend on values, and is asked for on the CPU.
    """

    encoding: Encoding  # of the image that `encode` takes and of `Layers.paint`

    def encode(self, image: Tensor) -> Any:
        """Once per character: image (1, 4, 256, 256) to whatever its frames share (tensors, in tuples if many)."""
        ...

    def decode(self, features: Any, pose: Tensor) -> Layers | Rigged:
        """Once per pose: pose float32 (1, 19) in the order of `POSE_NAMES`, of which a family takes what it
        knows."""
        ...
