"""A character in any pose: `set_character` pays once, `pose` is cheap. numpy at the edge, torch inside."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from puppeteer.device import Choice, choose, fallbacks
from puppeteer.errors import ImageError, SettingsError, WeightsError
from puppeteer.image import SPEC_SIZE, Character, clean, to_premultiplied, to_tensor
from puppeteer.networks import AUTO, FAMILIES
from puppeteer.networks.layers import Canvas, Layers, Run, drawn_on_device, in_turn
from puppeteer.networks.network import Network
from puppeteer.networks.rig.canvas import RigCanvas, Rigged, finite
from puppeteer.networks.rig.canvas import drawn_on_device as rig_drawn_on_device
from puppeteer.networks.rig.pictures import pictures
from puppeteer.pipeline import abreast
from puppeteer.pose import POSE_NAMES, U8, Pose

SMALLEST, LARGEST = 64, 2048  # px of an output
MOST_ABREAST = 4  # frames; more are nothing to gain, because then something else is slower
STRONG_POSE = Pose(1, 0.5, 1, 1, -1, 1)  # of the self-test


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
        if not SMALLEST <= size <= LARGEST:
            raise SettingsError(f"the size {size} is not possible: choose {SMALLEST} to {LARGEST} pixels")
        self.take(pose)
        picture = self._pictures.get(size)
        if picture is None:
            with torch.inference_mode():
                picture = self._stage.picture(size)
            picture.flags.writeable = False
            self._pictures[size] = picture
        return picture

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
                picture = stage.frame(pose, size)
            picture.flags.writeable = False
            return picture

        threads = min(MOST_ABREAST, os.cpu_count() or 1)
        with closing(abreast(frame, (pose.clamped() for pose in poses), threads, one_core)) as pictures:
            yield from pictures

    def flops_per_frame(self) -> int:
        """Floating point operations of the networks in a frame (two per multiply-add), without the encoder, as
        `FlopCounterMode` counts them. Nothing is computed."""
        return flops(self._network, self.device, self.dtype)

    def _move(self, network: Network, place: Choice) -> None:
        self._network, self._place = network, place
        if isinstance(network, nn.Module):
            layout = torch.contiguous_format if place.device.type == "cpu" else torch.channels_last
            network.to(place.device, place.dtype, memory_format=layout)  # type: ignore[call-overload]

    def _staged(self, character: Character) -> _Stage:
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


class _Stage(Protocol):
    """One character on one device."""

    layers: Layers | Rigged  # of the last pose

    def __init__(self, network: Network, character: Character, device: torch.device, dtype: torch.dtype) -> None: ...
    def take(self, pose: Pose) -> None: ...
    def picture(self, size: int) -> U8: ...


class OnCpu:
    """Networks in torch, the drawing warped by OpenCV."""

    def __init__(self, network: Network, character: Character, device: torch.device, dtype: torch.dtype) -> None:
        self.network, self.character = network, character
        self.features = network.encode(to_tensor(character.spec(), network.encoding).to(device, dtype))
        self.canvases: dict[int, Canvas | RigCanvas] = {}
        self.layers: Layers | Rigged = Layers()

    def take(self, pose: Pose) -> None:
        self.layers = self._decoded(pose, side_by_side)

    def picture(self, size: int) -> U8:
        # Not in this thread, where torch would use all cores for what is little.
        picture: U8 = side_by_side(lambda: self._drawn(self.layers, size, False))[0]
        return picture

    def frame(self, pose: Pose, size: int) -> U8:
        """Both, for any number of threads at once."""
        return self._drawn(self._decoded(pose, in_turn), size, True)

    def _drawn(self, layers: Layers | Rigged, size: int, alone: bool) -> U8:
        if size not in self.canvases:
            original = self.character.premultiplied_at(size)
            if isinstance(layers, Rigged):
                self.canvases[size] = RigCanvas(original, layers.parts)
            else:
                self.canvases[size] = Canvas(original)
        return self.canvases[size].drawn(layers, self.network.encoding, alone)  # type: ignore[arg-type]

    def _decoded(self, pose: Pose, run: Run) -> Layers | Rigged:
        return self.network.decode(self.features, torch.tensor([pose.values()], dtype=torch.float32), run)


class OnDevice:
    """Everything on the device: six numbers go up, one picture comes down, and the host waits once.

    On CUDA the networks and the drawing at each size are recorded as graphs; where recording fails they run eagerly.
    """

    def __init__(self, network: Network, character: Character, device: torch.device, dtype: torch.dtype) -> None:
        self.network, self.character, self.device = network, character, device
        self.cuda = device.type == "cuda"
        image = to_tensor(character.spec(), network.encoding).to(device, dtype)
        self.features = network.encode(image.contiguous(memory_format=torch.channels_last))
        self.pose_host = torch.zeros(1, len(POSE_NAMES), pin_memory=self.cuda)
        self.pose_device = torch.zeros(1, len(POSE_NAMES), device=device)
        self.originals: dict[int, Tensor] = {}
        self.outputs: dict[int, tuple[Tensor, Tensor]] = {}  # on the device, on the host
        self.graphs: dict[int, Any] = {}  # 0 is the networks, a size the drawing at that size
        self.graphs_work = self.cuda
        self.layers: Layers | Rigged = Layers()
        self.shown: dict[int, tuple[Tensor, Tensor]] = {}  # of a rig: its layers' pictures

    def take(self, pose: Pose) -> None:
        self.pose_host.copy_(torch.tensor([pose.values()], dtype=torch.float32))
        self.pose_device.copy_(self.pose_host, non_blocking=True)
        self._run(0, self._decode)

    def picture(self, size: int) -> U8:
        picture: U8 = self.download(size).numpy().copy()  # the host buffer is written again by the next frame
        return picture

    def download(self, size: int) -> Tensor:
        """uint8 (size, size, 4) on the host"""
        if size not in self.outputs:
            original = to_premultiplied(to_tensor(self.character.at(size), "srgb_premultiplied"), "srgb_premultiplied")
            self.originals[size] = original.to(self.device)
            if isinstance(self.layers, Rigged):
                self.shown[size] = pictures(self.originals[size], self.layers.parts)
            host = torch.empty(size, size, 4, dtype=torch.uint8, pin_memory=self.cuda)
            self.outputs[size] = torch.empty(size, size, 4, dtype=torch.uint8, device=self.device), host
        self._run(size, lambda: self._draw(size))
        on_device, host = self.outputs[size]
        host.copy_(on_device, non_blocking=True)
        if self.cuda:
            torch.cuda.current_stream(self.device).synchronize()
        return host

    def _decode(self) -> None:
        self.layers = self.network.decode(self.features, self.pose_device)

    def _draw(self, size: int) -> None:
        layers, original, encoding = self.layers, self.originals[size], self.network.encoding
        if isinstance(layers, Rigged):
            drawn = rig_drawn_on_device(layers, encoding, original, self.shown[size])
        else:
            drawn = drawn_on_device(layers, encoding, original)
        self.outputs[size][0].copy_(drawn)

    def _run(self, key: int, work: Any) -> None:
        """Replays the graph of `work`, or records it, or does without."""
        if not self.graphs_work:
            work()
            return
        if key not in self.graphs:
            try:
                self.graphs[key] = self._recorded(work)
            except RuntimeError:
                self.graphs_work = False
                self.graphs.clear()
                torch.cuda.synchronize(self.device)
                # The layers may lie in the memory of a graph that is gone.
                self._decode()
                work()
                return
        self.graphs[key].replay()

    def _recorded(self, work: Any) -> Any:
        """A CUDA graph; libraries choose their algorithms in the runs before it is recorded."""
        side = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side):
            for _ in range(3):
                work()
        torch.cuda.current_stream(self.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        return graph


_counting = threading.Lock()  # two at once would take each other's 1 for the usual number


def one_core() -> None:
    """From now on torch does what this thread asks of it in this thread alone.

    Threads that torch shares work out to wait for each other busily: where others want the cores too, a frame took
    twenty times as long as with one thread.
    """
    with _counting:
        usual = torch.get_num_threads()
        torch.set_num_threads(1)  # of this thread, and of all that begin from now on: those get the usual number back
        other = threading.Thread(target=torch.set_num_threads, args=(usual,))
        other.start()
        other.join()


@torch.inference_mode()
def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """A `Run`: jobs for torch, a thread with one core for each. Jobs may share out jobs of their own.

    No worker waits for a thread that is not at work: what none has begun is done where its result is wanted.
    """
    if (os.cpu_count() or 1) < 2:
        return in_turn(*jobs)
    if not getattr(_worker, "works", False):
        return list(_workers().submit(side_by_side, *jobs).result())
    others = [(job, _workers().submit(side_by_side, job)) for job in jobs[1:]]
    return [jobs[0](), *(job() if waiting.cancel() else waiting.result()[0] for job, waiting in others)]


_worker = threading.local()


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    def begin() -> None:
        one_core()
        _worker.works = True

    return ThreadPoolExecutor(min(MOST_ABREAST, os.cpu_count() or 1), "networks", begin)


def flops(network: Network, device: torch.device, dtype: torch.dtype) -> int:
    """Of one `decode`, see `Poser.flops_per_frame`."""
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
        features = network.encode(torch.empty(1, 4, SPEC_SIZE, SPEC_SIZE, device=device, dtype=dtype))
        encoding = counter.get_total_flops()
        network.decode(features, torch.zeros(1, len(POSE_NAMES), device=device))
        return int(counter.get_total_flops() - encoding)


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
