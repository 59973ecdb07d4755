"""Where the networks run and in which precision: the only question to torch about CUDA."""

from __future__ import annotations

from dataclasses import dataclass

import torch

FAST_HALF = (7, 0)  # first compute capability whose half precision is faster than single throughout


@dataclass(frozen=True, slots=True)
class Choice:
    """A place to run."""

    device: torch.device
    dtype: torch.dtype
    reason: str  # half a sentence for the user


def choose(device: str = "auto") -> Choice:
    """The best place for "auto", "cuda" or "cpu"; where CUDA is asked for and missing, the CPU with the reason."""
    if device == "cpu":
        return Choice(torch.device("cpu"), torch.float32, "the CPU was asked for")
    if torch.cuda.is_available():
        card = torch.cuda.get_device_name(0)
        half = torch.cuda.get_device_capability(0) >= FAST_HALF
        reason = card if half else f"{card}, too old to be faster in half precision"
        return Choice(torch.device("cuda", 0), torch.float16 if half else torch.float32, reason)
    if torch.version.cuda is None and torch.version.hip is None:
        return Choice(torch.device("cpu"), torch.float32, "this torch is built without CUDA")
    return Choice(torch.device("cpu"), torch.float32, "torch finds no CUDA device: is there a card, is its driver new?")


def fallbacks(choice: Choice) -> list[Choice]:
    """`choice` and what to try where it fails, best first."""
    places = [choice]
    if choice.dtype == torch.float16:
        places.append(Choice(choice.device, torch.float32, choice.reason))
    if choice.device.type != "cpu":
        places.append(Choice(torch.device("cpu"), torch.float32, f"{choice.reason} failed"))
    return places
