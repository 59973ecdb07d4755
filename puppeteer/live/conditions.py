"""How every part of the live engine is, in words for people."""

from __future__ import annotations

from collections.abc import Callable

from puppeteer.live.devices import Devices
from puppeteer.live.driving import Driving
from puppeteer.live.hearing import Hearing
from puppeteer.live.looking import Looking
from puppeteer.live.remote import Remote
from puppeteer.live.status import Part, Told
from puppeteer.settings import PLAYED, SEEN, Settings


class Conditions:
    """For any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        told: Told,
        looking: Looking,
        driving: Driving,
        devices: Devices,
        hearing: Hearing,
        remote: Remote,
    ) -> None:
        self._settings, self._told, self._looking, self._driving = settings, told, looking, driving
        self._devices, self._hearing, self._remote = devices, hearing, remote

    def all(self) -> dict[str, Part]:
        """By the names of `Status`."""
        seen = self._settings().source.kind in SEEN
        camera = self._devices.source(stands_in=seen and self._driving.driver == "demo")
        return {
            "camera": camera,
            "face": self._face(camera),
            "networks": self._told.part("networks"),
            "character": self._told.part("character"),
            "virtual_camera": self._devices.virtual_camera(),
            "vmc": self._devices.vmc(),
            "recording": self._devices.recording(),
            "browser_source": self._devices.overlays.condition("browser_source"),
            "shared_texture": self._devices.overlays.condition("shared_texture"),
            "microphone": self._hearing.condition(),
            "remote": self._remote.condition(),
        }

    def _face(self, camera: Part) -> Part:
        tracker, kind = self._told.part("face"), self._settings().source.kind
        if kind in PLAYED:
            return Part("off", "not needed")
        if kind in SEEN and tracker.state != "ok":
            return tracker
        if self._looking.found():
            return Part("ok", "come closer: the face is small" if self._looking.small else "face found")
        if camera.state != "ok" or kind not in SEEN:
            return Part("off", "waiting for the camera" if kind in SEEN else "waiting for a face")
        return Part("problem", "no face: look into the camera, with light from the front")
