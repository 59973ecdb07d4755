"""What the live engine is made of: what is used of each part, and the factories that give them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from puppeteer.image import Character
from puppeteer.inputs.contract import Camera, FaceInput, NoMicrophoneError, SoundInput
from puppeteer.live.attempts import Patience
from puppeteer.live.sending import Device
from puppeteer.outputs.contract import Overlay, PoseSink
from puppeteer.pose import U8, Pose
from puppeteer.settings import OutputSettings, PoserSettings, SourceSettings
from puppeteer.tracking.contract import Tracker


class Drawer(Protocol):
    """What is used of a `Poser`."""

    family: str
    message: str

    def set_character(self, character: Character) -> None: ...
    def pose(self, pose: Pose, size: int) -> U8: ...
    def prepared(self, size: int) -> bool: ...


def _no_microphone(device: str) -> SoundInput:
    raise NoMicrophoneError("no microphone is found: plug one in")


@dataclass(frozen=True, slots=True)
class Parts:
    """Chosen by `app.py`; tests put others in. Each factory is called in the thread that uses what it gives."""

    camera: Callable[[SourceSettings, Collection[str]], Camera]  # with the devices that we send to
    faces: Callable[[SourceSettings], FaceInput]  # phones and programs that have seen the face themselves
    tracker: Callable[[], Tracker]
    poser: Callable[[PoserSettings], Drawer]
    virtual_camera: Callable[[OutputSettings], Device]
    vmc: Callable[[OutputSettings], PoseSink]
    # By the name of the setting that switches it on: what takes the character on a transparent ground.
    overlays: Mapping[str, Callable[[OutputSettings], Overlay]] = field(default_factory=dict)
    microphone: Callable[[str], SoundInput] = _no_microphone  # by its name
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.perf_counter  # monotonic is too coarse on Windows
