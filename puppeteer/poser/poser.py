"""A character in any pose: `set_character` pays once, `pose` is cheap. numpy at the edge, torch inside."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from puppeteer.errors import ImageError, SettingsError, WeightsError
from puppeteer.image import SPEC_SIZE, Character, check_output_size, clean
from puppeteer.light import light
from puppeteer.networks import AUTO, FAMILIES
from puppeteer.networks.network import Network
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.pictures import DRAWN, SEEN_FACE, pictures
from puppeteer.networks.rig.reader import LAYERS
from puppeteer.networks.tensors import to_bytes
from puppeteer.pose import NUMBERS, U8, Pose
from puppeteer.poser.devices import Choice, choose, fallbacks
from puppeteer.poser.stages import MOST_ABREAST, OnCpu, OnDevice, Stage, finite, flops, one_core
from puppeteer.threads import abreast

FAINT, LEAST_PIXELS = 127, 16  # of 255, and how many: a layer that shows less is none
STRONG_POSE = Pose(*(declared.low if index % 2 else 1.0 for index, declared in enumerate(NUMBERS)))  # of the self-test


class Poser:
    """One network family on one device, holding one character. One thread at a time uses it."""

    def __init__(self, network: Network, family: str, place: Choice, message: str = "") -> None:
        """Moves the network and proves it with a real run. Raises FloatingPointError where its output is not finite,
        and what torch raises where the device fails; `load` knows what to do then."""
        self.family = family
        self.message = message
        self._character: Character | None = None
        self._move(network, place)
        self._prove(_test_picture())

    @classmethod
    def load(cls, family: str = "auto", device: str = "auto") -> Poser:
        """The best family that loads on the best device that works; `message` says which, and what did not work.

        Half precision on CUDA falls back to single precision, and that to the CPU. Raises WeightsError where the
        family that was asked for has no proper files, SettingsError where there is no such family.
        """
        places, notes = fallbacks(choose(device)), list[str]()
        for place in places:
            for name in _candidates(family, place):
                try:
                    network = FAMILIES[name]()
                except WeightsError as error:
                    if family != "auto":
                        raise
                    notes.append(str(error))
                    continue
                try:
                    return cls(network, name, place, _message(name, place, notes))
                except (RuntimeError, FloatingPointError) as error:
                    if place is places[-1] and family != "auto":
                        raise WeightsError(
                            f"the {name} networks do not work with their weight files ({_first_line(error)}): "
                            f"get the files again, or choose another family"
                        ) from error
                    notes.append(f"{name} failed on {_where(place)}: {_first_line(error)}")
                    if place is not places[-1]:
                        break  # the same family on the next place, rather than a lesser one here
        raise WeightsError(f"no networks can be loaded: {'; '.join(notes)}")

    @property
    def device(self) -> torch.device:
        return self._place.device

    @property
    def dtype(self) -> torch.dtype:
        return self._place.dtype

    def set_character(self, character: Character | U8) -> None:
        """Encodes a character, or a square uint8 (H, H, 4) picture with straight alpha that is its own spec square.

        Raises ImageError where a picture has another shape.
        """
        if not isinstance(character, Character):
            rgba = np.asarray(character)
            if rgba.dtype != np.uint8 or rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.shape[0] != rgba.shape[1]:
                raise ImageError(f"a character must be uint8 (H, H, 4), not {rgba.dtype} {rgba.shape}: crop it square")
            character = Character(clean(rgba), (0, 0, rgba.shape[0]))
        self._light = light(character.spec())
        if self._light is not None:  # what networks paint in a very dark picture would shine
            character = replace(character, rgba=self._light.lit(character.rgba))
        self._character = character
        if self.dtype != torch.float16:
            self._stage = self._staged(character)
        else:
            try:
                self._prove(character)  # whether half precision overflows depends on the picture
            except FloatingPointError as error:
                single = Choice(self.device, torch.float32, self._place.reason)
                self.message += f"; {_first_line(error)} for this character, so {_where(single)} took over"
                self._move(self._network, single)
                self._prove(character)
        self._pose: Pose | None = None
        self._pictures: dict[int, U8] = {}

    def pose(self, pose: Pose, size: int = SPEC_SIZE) -> U8:
        """The character in a pose: uint8 (size, size, 4), sRGB, straight alpha, read-only.

        The same pose again gives the same array; another size of it does not run the network again. Values out of
        range are clamped; NaN raises ValueError, a size outside 64 to 2048 SettingsError.
        """
        assert self._character is not None, "set_character comes first"
        check_output_size(size)
        self.take(pose)
        picture = self._pictures.get(size)
        if picture is None:
            with torch.inference_mode():
                picture = self._shown(self._stage.picture(size))
            picture.flags.writeable = False
            self._pictures[size] = picture
        return picture

    def prepared(self, size: int) -> bool:
        """Whether the character's next picture of that size takes no longer than usual. If not, it is prepared from now
        on, beside all else. SettingsError for a size outside 64 to 2048."""
        assert self._character is not None, "set_character comes first"
        check_output_size(size)
        return self._stage.prepared(size)

    def take(self, pose: Pose, wait: bool = False) -> None:
        """Only the networks' part of `pose`, which is then left to draw; `wait` until a GPU has done it."""
        pose = pose.clamped()
        if pose != self._pose:
            self._pictures.clear()
            self._pose = None  # so that a failure below does not leave the old pictures under the new pose
            with torch.inference_mode():
                self._stage.take(pose)
            self._pose = pose
        if wait and self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def pictures(self, poses: Iterable[Pose], size: int = SPEC_SIZE) -> Generator[U8]:
        """What `pose` gives for each, in order. On the CPU a core for each of several frames: more frames a second
        than all cores for one, but no frame sooner.

        Close it before anything else uses the poser.
        """
        if not isinstance(stage := self._stage, OnCpu):
            yield from (self.pose(pose, size) for pose in poses)
            return

        def frame(pose: Pose) -> U8:
            with torch.inference_mode():
                picture = self._shown(stage.frame(pose, size))
            picture.flags.writeable = False
            return picture

        threads = min(MOST_ABREAST, os.cpu_count() or 1)
        with closing(abreast(frame, (pose.clamped() for pose in poses), threads, one_core)) as pictures:
            yield from pictures

    def layers(self, size: int = SPEC_SIZE) -> dict[str, U8]:
        """The layers that the character is moved by, complete also where others cover them: by name from back to
        front, uint8 (size, size, 4), sRGB, straight alpha. Those that show nothing are left out.

        Raises SettingsError for a family without layers.
        """
        assert self._character is not None, "set_character comes first"
        self.take(Pose())
        frame = self._stage.layers
        if not isinstance(frame, Rigged):
            raise SettingsError(f"the family {self.family} has no layers: choose compact")
        with torch.inference_mode():
            original = torch.from_numpy(self._character.premultiplied_at(size)).to(self.device)
            shown = pictures(original.permute(2, 0, 1)[None].float() / 255, frame.parts).layers
            found = {
                LAYERS[k]: self._shown(to_bytes(layer[None]).cpu().numpy())
                for at, (k, layer) in enumerate(zip(DRAWN, shown, strict=True))
                if at != SEEN_FACE  # which is the face again
            }
        return {name: rgba for name, rgba in found.items() if np.count_nonzero(rgba[..., 3] > FAINT) > LEAST_PIXELS}

    def _shown(self, picture: U8) -> U8:
        """In the character's own light."""
        return picture if self._light is None else self._light.unlit(picture)

    def flops_per_frame(self) -> int:
        """Floating point operations of the networks in a frame of the character (two per multiply-add), without the
        encoder, as `FlopCounterMode` counts them. Nothing is computed."""
        return flops(self._network, self.device, self.dtype, self._stage.features)

    def _move(self, network: Network, place: Choice) -> None:
        self._network, self._place = network, place
        if isinstance(network, nn.Module):
            layout = torch.contiguous_format if place.device.type == "cpu" else torch.channels_last
            network.to(place.device, place.dtype, memory_format=layout)  # type: ignore[call-overload]

    def _staged(self, character: Character) -> Stage:
        stage = OnCpu if self.device.type == "cpu" else OnDevice
        with torch.inference_mode():
            return stage(self._network, character, self.device, self.dtype)

    def _prove(self, character: Character) -> None:
        """A real run whose every number must be finite."""
        self._stage = self._staged(character)
        with torch.inference_mode():
            self._stage.take(STRONG_POSE)
            if not finite(self._stage.layers):
                raise FloatingPointError(f"{self.family} gives numbers that are not finite in {_precision(self.dtype)}")
            self._stage.picture(SPEC_SIZE)


def _candidates(family: str, place: Choice) -> list[str]:
    if family == "auto":
        return [name for name in AUTO.get(place.device.type, AUTO["cpu"]) if name in FAMILIES]
    if family not in FAMILIES:
        raise SettingsError(f"there is no family {family!r}: choose {', '.join(FAMILIES)} or auto")
    return [family]


def _message(family: str, place: Choice, notes: list[str]) -> str:
    return "; ".join([f"{family} on {_where(place)} ({place.reason})", *notes])


def _where(place: Choice) -> str:
    return f"{'CUDA' if place.device.type == 'cuda' else 'the CPU'} in {_precision(place.dtype)}"


def _precision(dtype: torch.dtype) -> str:
    return "half precision" if dtype == torch.float16 else "single precision"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _test_picture() -> Character:
    """A disc of changing colours: something with edges, without any file."""
    y, x = np.mgrid[:SPEC_SIZE, :SPEC_SIZE].astype(np.uint8)
    alpha = np.where(np.hypot(x - 128.0, y - 128.0) < 64, 255, 0).astype(np.uint8)
    return Character(clean(np.dstack([x, y, x ^ y, alpha])), (0, 0, SPEC_SIZE))
