"""The published networks against keys and outputs of the published code (`../shared/tha1`), and their loading."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from puppeteer import weights
from puppeteer.errors import WeightsError
from puppeteer.image import Character
from puppeteer.networks import tha1
from puppeteer.pose import POSE_NAMES, Pose
from puppeteer.poser import Poser
from puppeteer.poser.stages import OnDevice, flops

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "tha1"
needs_reference = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/tha1 is not here")
EXPRESSION = torch.tensor([[0.3, 0.8, 0.5]])  # left eye, right eye, mouth
NECK = torch.tensor([[0.4, -0.6, 0.2]])  # x, y, z


def fill(network: nn.Module) -> None:
    """Weights by the formula of `../shared/tha1/README.md`."""
    state = {}
    for key, value in network.state_dict().items():
        shape = tuple(value.shape)
        a = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
        scaled = a * 0.2 + key.endswith("weight") if len(shape) == 1 else a * (2 / np.prod(shape[1:])) ** 0.5
        state[key] = torch.from_numpy(scaled.astype(np.float32))
    network.load_state_dict(state, strict=True, assign=True)


@pytest.fixture(scope="module")
def networks() -> tha1.Tha1:
    with torch.device("meta"):
        networks = tha1.Tha1()
    for name in tha1.FILES:
        fill(getattr(networks, name))
    return networks.eval().requires_grad_(False)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A weights folder with files for networks of the same shape but few channels."""
    monkeypatch.setattr(tha1, "CHANNELS", (4, 8, 16, 32))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    (tmp_path / "tha1").mkdir()
    networks = tha1.Tha1()
    for name in tha1.FILES:
        torch.save(getattr(networks, name).state_dict(), tmp_path / "tha1" / f"{name}.pt")
    return tmp_path / "tha1"


def noise(size: int) -> Tensor:
    return torch.from_numpy(np.random.RandomState(7).rand(1, 4, size, size).astype(np.float32) * 2 - 1)


@needs_reference
def test_every_key_and_shape_in_order() -> None:
    keys = json.loads((SHARED / "keys.json").read_text())
    with torch.device("meta"):
        networks = tha1.Tha1()
    for name in tha1.FILES:
        mine = {key: list(value.shape) for key, value in getattr(networks, name).state_dict().items()}
        assert list(mine) == list(keys[name]), name
        assert mine == keys[name], name


def test_sizes_of_the_networks() -> None:
    with torch.device("meta"):
        networks = tha1.Tha1()
    millions = [sum(p.numel() for p in getattr(networks, name).parameters()) / 1e6 for name in tha1.FILES]
    assert millions == pytest.approx([33.88, 33.88, 34.96], abs=0.01)


@needs_reference
def test_outputs_of_the_published_code(networks: tha1.Tha1) -> None:
    """The sampled picture is white noise, which turns a rounding error of 2e-5 in a sampling position into 5e-3 of
    colour (a run in double precision differs as much from the reference, whose own rounding it shows). So the sampled
    result must be what lies within 1e-4 of the sampling position, and the final one must agree on average."""
    reference = {name: torch.from_numpy(value) for name, value in np.load(SHARED / "reference.npz").items()}
    with torch.inference_mode():
        morphed = networks.face_morpher(noise(256), EXPRESSION)
        y = networks.two_algo_face_rotator.main_body(tha1.with_planes(morphed, NECK))
        pumarola, zhou = heads(networks.two_algo_face_rotator, morphed, y)
        final = networks.combiner(pumarola, zhou, NECK)

        change = networks.two_algo_face_rotator.zhou_grid_change(y).permute(0, 2, 3, 1)
        grid = change + tha1.identity_grid(morphed)
        nearby = torch.stack(
            [
                F.grid_sample(morphed, grid + 1e-4 * torch.tensor([dx, dy]), "bilinear", "border", align_corners=True)
                for dx in (-1.0, 0.0, 1.0)
                for dy in (-1.0, 0.0, 1.0)
            ]
        )

    def difference(x: Tensor, name: str) -> Tensor:
        return (x[0, :, ::8, ::8] - reference[name]).abs()

    assert difference(morphed, "morphed").max() < 1e-4
    assert difference(pumarola, "pumarola").max() < 1e-4
    seen, samples = reference["zhou"], nearby[:, 0, :, ::8, ::8]
    outside = torch.maximum(samples.amin(0) - seen, seen - samples.amax(0))
    assert outside.max() < 1e-3  # more than 1e-4 only where a sampling position crosses into the next pixel
    assert (outside < 1e-4).float().mean() > 0.999
    assert difference(zhou, "zhou").mean() < 2e-3
    assert difference(final, "final").mean() < 3e-3
    assert difference(final, "final").max() < 5e-2


def heads(rotator: tha1.TwoAlgoFaceRotator, image: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The rotator's forward with its body's result at hand."""
    body, rotator.main_body = rotator.main_body, Given(y)  # type: ignore[assignment]
    try:
        out: tuple[Tensor, Tensor] = rotator(image, NECK)
        return out
    finally:
        rotator.main_body = body


class Given(nn.Module):
    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return self.value


def test_half_precision_stays_close(networks: tha1.Tha1) -> None:
    """On 64 px, where half precision on a CPU takes seconds; the networks are fully convolutional."""
    image = noise(64)
    with torch.inference_mode():
        expected = networks.face_morpher(image, EXPRESSION)
        half = torch.func.functional_call(
            networks.face_morpher,
            {key: value.half() for key, value in networks.face_morpher.state_dict().items()},
            (image.half(), EXPRESSION.half()),
        )
    assert half.dtype == torch.float16
    assert bool(half.isfinite().all())
    assert (half.float() - expected).abs().mean() < 2e-3


def test_half_precision_samples_in_single(networks: tha1.Tha1) -> None:
    with torch.inference_mode():
        grid = tha1.identity_grid(noise(256).half())
    assert grid.dtype == torch.float32
    assert len(grid[0, 0, :, 0].unique()) == 256


def test_cost(networks: tha1.Tha1) -> None:
    cost = flops(networks, torch.device("cpu"), torch.float32)
    assert cost / 1e9 == pytest.approx(335, abs=1)


def test_pose_reaches_the_right_planes(small: Path) -> None:
    """eye_left, eye_right, mouth to the morpher; neck x, y, z (not z, x, y) to rotator and combiner."""
    networks, seen = tha1.load(), {}
    for name in tha1.FILES:
        getattr(networks, name).register_forward_pre_hook(
            lambda module, args, name=name: seen.__setitem__(name, args[-1][0].tolist())
        )
    networks.decode(noise(256), torch.tensor([[0.125, 0.25, 0.5, -1.0, 0.75, -0.5]]))
    assert seen["face_morpher"] == [0.125, 0.25, 0.5]
    assert seen["two_algo_face_rotator"] == seen["combiner"] == [0.75, -0.5, -1.0]


def test_poser_runs_on_files_of_the_user(small: Path) -> None:
    poser = Poser.load("tha1", "cpu")
    rgba = np.zeros((256, 256, 4), np.uint8)
    rgba[64:192, 64:192] = 200, 150, 100, 255
    poser.set_character(rgba)
    first = poser.pose(Pose(neck_y=0.5), 128)
    assert first.shape == (128, 128, 4)
    assert (poser.pose(Pose(eye_left=1), 128) != first).any()


def test_missing_file_names_folder_and_where_it_is_described(small: Path) -> None:
    (small / "combiner.pt").unlink()
    with pytest.raises(WeightsError, match=r"combiner\.pt is missing in .*tha1.*talking-head-anime-demo"):
        Poser.load("tha1", "cpu")


@pytest.mark.parametrize("content", [b"", b"not a weight file", b"PK\x03\x04 half a zip"])
def test_unreadable_file(small: Path, content: bytes) -> None:
    (small / "combiner.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=r"combiner\.pt cannot be read"):
        tha1.load()


def test_truncated_file(small: Path) -> None:
    path = small / "face_morpher.pt"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsError, match=r"face_morpher\.pt cannot be read"):
        tha1.load()


def test_file_that_would_run_code_is_refused(small: Path) -> None:
    torch.save({"x": Path("evil")}, small / "combiner.pt")
    with pytest.raises(WeightsError, match="cannot be read"):
        tha1.load()


def test_files_swapped_by_the_user(small: Path) -> None:
    (small / "combiner.pt").write_bytes((small / "face_morpher.pt").read_bytes())
    with pytest.raises(WeightsError, match=r"combiner\.pt does not fit .*downward_modules.* is missing.*more diff"):
        tha1.load()


def test_wrong_shape_and_extra_key(small: Path) -> None:
    path = small / "face_morpher.pt"
    state = torch.load(path, weights_only=True)
    torch.save({**state, "color_change.0.weight": torch.zeros(4, 1, 7, 7)}, path)
    with pytest.raises(WeightsError, match=r"color_change\.0\.weight has shape \(4, 1, 7, 7\) instead of"):
        tha1.load()
    torch.save({**state, "surplus": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="surplus is not one of its keys"):
        tha1.load()


def test_weights_that_give_nonsense_are_told(small: Path) -> None:
    path = small / "combiner.pt"
    state = torch.load(path, weights_only=True)
    torch.save({key: value * float("nan") for key, value in state.items()}, path)
    with pytest.raises(WeightsError, match="not finite"):
        Poser.load("tha1", "cpu")


class Traffic(TorchDispatchMode):
    """What moves between host and accelerator, where operators run, and what waits for the accelerator."""

    def __init__(self) -> None:
        super().__init__()
        self.up: list[int] = []  # elements of each copy
        self.down: list[int] = []
        self.convolutions: set[torch.dtype] = set()
        self.grids: set[torch.dtype] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        inputs = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        outputs = [x for x in tree_leaves(out) if isinstance(x, Tensor)]
        name = func.overloadpacket.__name__
        if name in ("copy_", "_to_copy"):
            source, target = (args[1], args[0]) if name == "copy_" else (args[0], out)
            if (source.device.type == "cpu") != (target.device.type == "cpu"):
                (self.up if source.device.type == "cpu" else self.down).append(source.numel())
        else:
            kinds = {x.device.type for x in (*inputs, *outputs) if x.ndim}
            assert len(kinds) < 2, f"{name} mixes {kinds}"
        assert name != "_local_scalar_dense", "a value was fetched, which waits for the accelerator"
        if "conv" in name:
            self.convolutions.add(outputs[0].dtype)
        if "grid_sampler" in name:
            self.grids.add(inputs[1].dtype)
        return out


def test_placement_on_an_accelerator_without_one() -> None:
    """A frame of the real networks in half precision: one upload of the numbers, one download of a picture."""
    backend_registration._setup_privateuseone_for_python_backend()  # torch's CPU build cannot even pretend CUDA
    device = torch.device("privateuseone", 0)
    with torch.device("meta"):
        networks = tha1.Tha1()
    rgba = np.full((512, 512, 4), 255, np.uint8)
    with FakeTensorMode(allow_non_fake_inputs=True), torch.inference_mode():
        state = {
            key: torch.empty(value.shape, dtype=torch.float16, device=device)
            for key, value in networks.state_dict().items()
        }
        networks.load_state_dict(state, strict=True, assign=True)
        stage = OnDevice(networks, Character(rgba, (0, 0, 512)), device, torch.float16)
        stage.take(Pose())
        stage.download(512)  # the first frame uploads the drawing at this size
        with Traffic() as traffic:
            stage.take(Pose(neck_x=0.5))
            picture = stage.download(512)
    assert traffic.up == [len(POSE_NAMES)]
    assert traffic.down == [512 * 512 * 4]
    assert picture.dtype == torch.uint8
    assert picture.device.type == "cpu"
    assert stage.layers.paint is not None
    assert (stage.layers.paint.device, stage.layers.paint.dtype) == (device, torch.float16)
    assert traffic.convolutions == {torch.float16}
    assert traffic.grids == {torch.float32}
