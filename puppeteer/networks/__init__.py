"""The families of networks: how each is loaded, and which one is taken where none is asked for."""

from __future__ import annotations

from collections.abc import Callable

from puppeteer.networks import compact, tha1, warp
from puppeteer.networks.network import Network

FAMILIES: dict[str, Callable[[], Network]] = {
    "compact": compact.load,
    "tha1": tha1.load,
    "warp": warp.load,
}

# Best first, by device type; what is not registered or has no weight files is passed over.
AUTO = {"cuda": ("tha1", "compact", "warp"), "cpu": ("compact", "warp")}
