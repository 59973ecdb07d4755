"""A network on a device, holding one character: from pose to picture."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from puppeteer.image import SPEC_SIZE, Character
from puppeteer.networks.layers import Layers
from puppeteer.networks.network import Network
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.tensors import to_premultiplied, to_tensor
from puppeteer.pose import POSE_NAMES, U8, Pose
from puppeteer.poser import rig_drawing
from puppeteer.poser.cache import remembered
from puppeteer.poser.drawing import Canvas, drawn_on_device
from puppeteer.poser.rig_drawing import RigCanvas, Shown

T = TypeVar("T")
MOST_ABREAST = 4  # frames; more are nothing to gain, because then something else is slower


class Stage(Protocol):
    """One character on one device."""

    layers: Layers | Rigged  # of the last pose
    features: Any  # what `network.encode` gave

    def __init__(self, network: Network, character: Character, device: torch.device, dtype: torch.dtype) -> None: ...
    def take(self, pose: Pose) -> None: ...
    def picture(self, size: int) -> U8: ...
    def prepared(self, size: int) -> bool: ...


class OnCpu:
    """Networks in torch, the drawing warped by OpenCV."""

    def __init__(self, network: Network, character: Character, device: torch.device, dtype: torch.dtype) -> None:
        self.network, self.character = network, character
        picture = character.spec()
        image = to_tensor(picture, network.encoding).to(device, dtype)
        narrowed: Callable[[Any], Any] = getattr(network, "narrowed", lambda features: features)
        if dtype == torch.float32:
            self.features = remembered(network, picture, lambda: narrowed(network.encode(image)))
        else:
            self.features = narrowed(network.encode(image))
        self.canvases: dict[int, Canvas | RigCanvas] = {}
        self.coming: dict[int, Future[None]] = {}  # canvases
        self.any: Layers | Rigged = Layers()  # of some frame that was drawn
        self.layers: Layers | Rigged = Layers()

    def take(self, pose: Pose) -> None:
        self.layers = aside(lambda: self._decoded(pose))

    def picture(self, size: int) -> U8:
        return aside(lambda: self._drawn(self.layers, size, False))

    def frame(self, pose: Pose, size: int) -> U8:
        """Both, for any number of threads at once."""
        return self._drawn(self._decoded(pose), size, True)

    def prepared(self, size: int) -> bool:
        """Whether a picture of that size takes no longer than usual. If not, it is prepared from now on, beside all
        else, and before what was asked for earlier; a size for which that fails never is."""
        if not self.canvases or size in self.canvases:  # of the first, there is nothing to show until then
            return True
        if size not in self.coming:
            self.coming = {other: job for other, job in self.coming.items() if not job.cancel()}
            job = torch.inference_mode()(lambda: self._prepare(self.any, size))
            self.coming[size] = _preparers().submit(job)
        return False

    def _prepare(self, layers: Layers | Rigged, size: int) -> None:
        original = self.character.premultiplied_at(size)
        self.canvases[size] = RigCanvas(original, layers) if isinstance(layers, Rigged) else Canvas(original)
        self.any = layers

    def _drawn(self, layers: Layers | Rigged, size: int, alone: bool) -> U8:
        if size not in self.canvases:
            self._prepare(layers, size)
        return self.canvases[size].drawn(layers, self.network.encoding, alone)  # type: ignore[arg-type]

    def _decoded(self, pose: Pose) -> Layers | Rigged:
        return self.network.decode(self.features, torch.tensor([pose.values()], dtype=torch.float32))


class OnDevice:
    """Everything on the device: the numbers of the pose go up, one picture comes down, and the host waits once.

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
        self.shown: dict[int, Shown] = {}  # of a rig

    def take(self, pose: Pose) -> None:
        self.pose_host.copy_(torch.tensor([pose.values()], dtype=torch.float32))
        self.pose_device.copy_(self.pose_host, non_blocking=True)
        self._run(0, self._decode)

    def picture(self, size: int) -> U8:
        picture: U8 = self.download(size).numpy().copy()  # the host buffer is written again by the next frame
        return picture

    def prepared(self, size: int) -> bool:
        """True: what a size needs is quickly made, and a graph is recorded while nothing else is done."""
        return True

    def download(self, size: int) -> Tensor:
        """uint8 (size, size, 4) on the host"""
        if size not in self.outputs:
            original = to_premultiplied(to_tensor(self.character.at(size), "srgb_premultiplied"), "srgb_premultiplied")
            self.originals[size] = original.to(self.device)
            if isinstance(self.layers, Rigged):
                self.shown[size] = Shown.of(self.layers, self.originals[size])
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
            drawn = rig_drawing.drawn_on_device(layers, encoding, original, self.shown[size])
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


def aside(job: Callable[[], T]) -> T:
    """What `job` gives, done by a thread with one core: in this one torch would use all of them for what is little.

    Parts of a frame's networks side by side, a thread for each, took 12% longer than in turn: what they wait for the
    interpreter and each other is more than they save.
    """
    return _workers().submit(torch.inference_mode()(job)).result()


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_ABREAST, os.cpu_count() or 1), "networks", one_core)


@lru_cache(maxsize=1)
def _preparers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "prepare", one_core)


def flops(network: Network, device: torch.device, dtype: torch.dtype, features: Any = None) -> int:
    """Of one `decode`, see `Poser.flops_per_frame`; of a character's `features`, or of any that none was taken in."""
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
        if features is None:
            features = network.encode(torch.empty(1, 4, SPEC_SIZE, SPEC_SIZE, device=device, dtype=dtype))
        encoding = counter.get_total_flops()
        network.decode(features, torch.zeros(1, len(POSE_NAMES), device=device))
        return int(counter.get_total_flops() - encoding)


def finite(frame: Any) -> bool:
    """Whether every number of a frame, of whatever kind, is finite."""
    if isinstance(frame, Tensor):
        return bool(frame.isfinite().all())
    return all(finite(part) for part in frame) if isinstance(frame, tuple) else True
