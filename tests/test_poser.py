"""Poser on every family that needs no file of the user's, and the drawing of layers on both kinds of device."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from puppeteer import networks
from puppeteer.errors import ImageError, SettingsError, WeightsError
from puppeteer.image import Character, clean, premultiplied, unpremultiplied
from puppeteer.networks import warp
from puppeteer.networks.layers import Copy, Layers
from puppeteer.networks.tensors import Encoding, to_premultiplied, to_tensor
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser, devices, poser
from puppeteer.poser.drawing import drawn, drawn_on_device
from puppeteer.poser.stages import OnDevice


def figure(size: int = 256) -> U8:
    """A face in the spec's place over shoulders that reach the bottom edge."""
    s = size / 256
    rgba = np.zeros((size, size, 4), np.uint8)

    def at(*values: float) -> tuple[int, ...]:
        return tuple(round(v * s) for v in values)

    cv2.ellipse(rgba, at(128, 262), at(80, 50), 0, 0, 360, (60, 90, 200, 255), -1, cv2.LINE_AA)
    cv2.rectangle(rgba, at(116, 170), at(140, 225), (250, 200, 180, 255), -1)
    cv2.ellipse(rgba, at(128, 128), at(52, 62), 0, 0, 360, (80, 50, 30, 255), -1, cv2.LINE_AA)
    cv2.ellipse(rgba, at(128, 138), at(36, 44), 0, 0, 360, (255, 220, 200, 255), -1, cv2.LINE_AA)
    cv2.circle(rgba, at(128, 140), at(5)[0], (220, 20, 20, 255), -1, cv2.LINE_AA)  # nose: the red spot
    return clean(rgba)


def nose(rgba: U8) -> tuple[float, float]:
    """Middle of the red spot in px of a 256 px picture."""
    red = (rgba[..., 0].astype(int) - rgba[..., 1] > 120) & (rgba[..., 3] > 200)
    y, x = np.nonzero(red)
    return float(x.mean()) * 256 / len(rgba), float(y.mean()) * 256 / len(rgba)


@pytest.fixture
def ready() -> Poser:
    poser = Poser.load("warp", "cpu")
    poser.set_character(figure())
    return poser


def test_zero_pose_is_the_drawing(ready: Poser) -> None:
    seen = ready.pose(Pose())
    assert seen.dtype == np.uint8
    assert (seen == unpremultiplied(premultiplied(figure()))).all()


@pytest.mark.parametrize(
    ("pose", "dx", "dy"),
    [
        (Pose(neck_z=1), -1, 0),
        (Pose(neck_z=-1), 1, 0),
        (Pose(neck_x=1), 0, -1),
        (Pose(neck_x=-1), 0, 1),
        (Pose(neck_y=1), -1, 0),
        (Pose(neck_y=-1), 1, 0),
    ],
)
def test_signs_of_the_neck(ready: Poser, pose: Pose, dx: int, dy: int) -> None:
    x, y = nose(ready.pose(pose))
    x0, y0 = nose(ready.pose(Pose()))
    assert (x - x0) * dx >= 5 * abs(dx)
    assert (y - y0) * dy >= 5 * abs(dy)


def test_tilt_is_fifteen_degrees_about_the_root(ready: Poser) -> None:
    x, y = nose(ready.pose(Pose(neck_z=1)))
    radius = 204 - 140
    assert x == pytest.approx(128 - radius * np.sin(np.radians(15)), abs=1.0)
    assert y == pytest.approx(204 - radius * np.cos(np.radians(15)), abs=1.0)


def test_body_stays(ready: Poser) -> None:
    rest = ready.pose(Pose())
    for pose in (Pose(neck_z=1), Pose(neck_x=1, neck_y=-1), Pose(neck_z=-1, neck_x=-1, neck_y=1)):
        assert (ready.pose(pose)[210:] == rest[210:]).all()


def test_no_fringes(ready: Poser) -> None:
    """Moved edges keep the colours of the drawing: nothing dark or white appears between figure and transparency."""
    white = np.full((256, 256, 4), 255, np.uint8)
    cv2.circle(white, (128, 128), 200, (255, 255, 255, 255), -1)
    white[..., 3] = figure()[..., 3]
    ready.set_character(white)
    moved = ready.pose(Pose(neck_z=0.7, neck_x=0.5, neck_y=-0.6))
    assert moved[moved[..., 3] > 8][:, :3].min() >= 250
    assert (moved[moved[..., 3] == 0] == 0).all()


@pytest.mark.parametrize("size", [64, 250, 256, 512, 1024])
def test_any_size_shows_the_same(ready: Poser, size: int) -> None:
    ready.set_character(figure(1024))
    pose = Pose(neck_z=0.5, neck_y=0.5)
    seen = ready.pose(pose, size)
    assert seen.shape == (size, size, 4)
    assert nose(seen) == pytest.approx(nose(ready.pose(pose, 256)), abs=max(1.5, 256 / size))


def test_large_output_is_sharp(ready: Poser) -> None:
    """The original is warped at the output's resolution: far more detail than an enlarged small frame has."""
    ready.set_character(figure(1024))
    pose = Pose(neck_z=0.4, neck_x=0.3)
    large = ready.pose(pose, 1024)[..., 1].astype(np.float32)
    enlarged = cv2.resize(ready.pose(pose, 256)[..., 1].astype(np.float32), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    detail, blurred = (float((cv2.Laplacian(x, cv2.CV_32F) ** 2).mean()) for x in (large, enlarged))
    assert detail > 3 * blurred


def test_spec_square_of_a_larger_picture(ready: Poser) -> None:
    large = np.zeros((400, 700, 4), np.uint8)
    large[50:306, 300:556] = figure()
    ready.set_character(Character(large, (300, 50, 256)))
    assert (ready.pose(Pose()) == unpremultiplied(premultiplied(figure()))).all()


class Counting(nn.Module):
    """Paints the pose, and counts what it is asked to do."""

    encoding: Encoding = "srgb_premultiplied"

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(factor), requires_grad=False)
        self.encoded = self.decoded = 0

    def encode(self, image: Tensor) -> Tensor:
        self.encoded += 1
        return image.mean((2, 3), keepdim=True)

    def decode(self, features: Tensor, pose: Tensor) -> Layers:
        self.decoded += 1
        level = features * (1 - pose[:, :1, None, None].to(features.dtype)) * self.weight
        return Layers(paint=level.expand(1, 4, 32, 32))


def test_unchanged_pose_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Counting()
    monkeypatch.setitem(networks.FAMILIES, "counting", lambda: network)
    poser = Poser.load("counting", "cpu")
    poser.set_character(figure())
    network.encoded, network.decoded = 0, 0
    first = poser.pose(Pose(eye_left=0.25))
    assert poser.pose(Pose(eye_left=0.25)) is first
    assert poser.pose(Pose(eye_left=0.25), 512).shape == (512, 512, 4)
    assert poser.pose(Pose(eye_left=0.25)) is first
    assert network.decoded == 1
    assert (poser.pose(Pose(eye_left=0.5)) != first).any()
    assert (network.encoded, network.decoded) == (0, 2)
    poser.set_character(np.full((64, 64, 4), 255, np.uint8))
    assert (poser.pose(Pose(eye_left=0.5)) == 128).any()  # the new character, not a remembered picture
    assert network.encoded == 1


def test_pictures_cannot_be_spoilt(ready: Poser) -> None:
    with pytest.raises(ValueError, match="read-only"):
        ready.pose(Pose())[0, 0] = 1


def test_bad_values(ready: Poser) -> None:
    with pytest.raises(ValueError, match="neck_z is not a number"):
        ready.pose(Pose(neck_z=float("nan")))
    assert ready.pose(Pose(neck_z=5)) is ready.pose(Pose(neck_z=1))
    for size in (0, 63, 2049):
        with pytest.raises(SettingsError, match="it must be 64 to 2048"):
            ready.pose(Pose(), size)
    for wrong in (np.zeros((64, 64, 3), np.uint8), np.zeros((64, 32, 4), np.uint8), np.zeros((64, 64, 4), np.float32)):
        with pytest.raises(ImageError, match="crop it square"):
            ready.set_character(wrong)


def test_unknown_family_and_device_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="choose compact, tha1, "):
        Poser.load("fantasy")
    if devices.choose("auto").device.type == "cpu":
        poser = Poser.load("warp", "cuda")
        assert poser.device.type == "cpu"
        assert "CUDA" in poser.message


def test_auto_takes_what_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise WeightsError("compact.pt is missing: get the project again")

    monkeypatch.setitem(networks.FAMILIES, "compact", broken)
    poser = Poser.load("auto", "cpu")
    assert poser.family == "warp"
    assert "compact.pt is missing" in poser.message
    with pytest.raises(WeightsError, match=r"compact\.pt is missing"):
        Poser.load("compact", "cpu")


def test_half_precision_that_overflows_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Places as CUDA would offer them, all on the CPU: the first self-test that is finite wins."""
    cpu = torch.device("cpu")
    half, single = (devices.Choice(cpu, dtype, "a card") for dtype in (torch.float16, torch.float32))
    monkeypatch.setattr(poser, "choose", lambda device: half)
    monkeypatch.setattr(poser, "fallbacks", lambda choice: [half, single])
    # 1e5 is infinite in half precision
    monkeypatch.setitem(networks.FAMILIES, "counting", lambda: Counting(1e5))
    loaded = Poser.load("counting")
    assert loaded.dtype == torch.float32
    assert "not finite in half precision" in loaded.message


def test_character_that_overflows_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    half = devices.Choice(torch.device("cpu"), torch.float16, "a card")

    class Dividing(Counting):
        def decode(self, features: Tensor, pose: Tensor) -> Layers:
            return Layers(paint=(features * 60000 * 2 / 60000 / 2).expand(1, 4, 32, 32))

    loaded = Poser(Dividing(), "dividing", half, "dividing on CUDA")
    assert loaded.dtype == torch.float16
    loaded.set_character(np.full((64, 64, 4), 255, np.uint8))
    assert loaded.dtype == torch.float32
    assert "took over" in loaded.message
    assert (loaded.pose(Pose()) == 255).all()


def test_every_fallback_of_a_card() -> None:
    card = devices.Choice(torch.device("cuda", 0), torch.float16, "a card")
    places = [(place.device.type, place.dtype) for place in devices.fallbacks(card)]
    assert places == [("cuda", torch.float16), ("cuda", torch.float32), ("cpu", torch.float32)]
    assert len(devices.fallbacks(devices.choose("cpu"))) == 1


def test_old_cards_run_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "GTX 1080")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (6, 1))
    choice = devices.choose("auto")
    assert (choice.device.type, choice.dtype) == ("cuda", torch.float32)
    assert "GTX 1080" in choice.reason
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (8, 6))
    assert devices.choose("cuda").dtype == torch.float16
    assert devices.choose("cpu").device.type == "cpu"


def layers_of_every_kind() -> Layers:
    """Three moved copies that share the picture, one unmoved, and paint."""
    flow = warp.load()
    y, x = torch.meshgrid(torch.linspace(0, 1, 128), torch.linspace(0, 1, 128), indexing="ij")
    features = flow.encode(torch.zeros(1, 4, 256, 256))
    first = flow.decode(features, torch.tensor([[0, 0, 0, 0.6, 0.4, -0.5]])).copies[0].flow
    second = flow.decode(features, torch.tensor([[0, 0, 0, -0.3, 0.0, 0.8]])).copies[0].flow
    left, top = ((x - 0.4) * 5).clamp(0, 1)[None, None], ((y - 0.3) * 5).clamp(0, 1)[None, None]
    paint = torch.stack([0.5 * x, 0.2 * y, 0 * x, torch.maximum(x, y)])[None] * (1 - top)
    copies = (
        Copy(first, left * top),
        Copy(second, (1 - left) * top * 0.4),
        Copy(None, (1 - left) * top * 0.3),
        Copy(second, (1 - left) * top * 0.3),
    )
    return Layers(copies, paint)


@pytest.mark.parametrize("size", [128, 256, 600])
@pytest.mark.parametrize("kind", ["mixed", "flow", "paint"])
def test_cpu_and_device_draw_the_same(kind: str, size: int) -> None:
    character = Character(figure(512), (0, 0, 512))
    layers = layers_of_every_kind()
    if kind == "flow":
        layers = Layers((Copy(layers.copies[0].flow, None),))
    elif kind == "paint":
        layers = Layers(paint=to_tensor(character.spec(), "linear_straight"))
    encoding: Encoding = "linear_straight" if kind == "paint" else "srgb_premultiplied"
    original = to_premultiplied(to_tensor(character.at(size), "srgb_premultiplied"), "srgb_premultiplied")
    one = drawn(layers, encoding, character.premultiplied_at(size))
    other = drawn_on_device(layers, encoding, original).numpy()
    difference = np.abs(premultiplied(one).astype(int) - premultiplied(other))
    assert difference.mean() < 1
    assert np.quantile(difference, 0.99) <= 6
    assert one.shape == other.shape == (size, size, 4)


def test_shares_that_sum_to_one_stay_opaque() -> None:
    solid = np.full((256, 256, 4), 255, np.uint8)
    shares = torch.rand(3, 1, 1, 64, 64, generator=torch.Generator().manual_seed(3)).softmax(0)
    layers = Layers(tuple(Copy(None, share) for share in shares))
    assert (drawn(layers, "srgb_premultiplied", solid)[..., 3] == 255).all()


@pytest.mark.parametrize("size", [64, 256, 300, 512, 1024])
def test_pieces_leave_no_seams_and_lose_nothing(size: int) -> None:
    """Tiles, boxes and cells that are left out against the whole picture in floats: everywhere the same.

    The drawing is smooth, so that OpenCV's 32nds of a pixel do not show; it has holes, so that cells are left out.
    """
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    alpha = np.clip(4 * np.sin(9 * x) * np.cos(7 * y), 0, 1)
    colours = np.stack([0.5 + 0.5 * np.sin(8 * x), y, 0.5 + 0.5 * np.cos(6 * x * y), np.ones_like(x)], 2)
    original = np.round(255 * colours * alpha[..., None]).astype(np.uint8)
    seed = torch.Generator().manual_seed(1)

    def field(channels: int, side: int) -> Tensor:
        coarse = torch.randn(1, channels, 6, 6, generator=seed)
        return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")

    shares = [(8 * field(1, side)).sigmoid() for side in (128, 256)]
    left = 1 - torch.nn.functional.interpolate(shares[0], size=(256, 256), mode="bilinear")
    paint = torch.nn.functional.relu(field(1, 256) - 0.5).clamp(0, 1)
    copies = (
        Copy(0.05 * field(2, 128), shares[0]),
        Copy(0.05 * field(2, 256), left * shares[1] * (1 - paint)),
        Copy(None, left * (1 - shares[1]) * (1 - paint) * 0.5),
        Copy(0.05 * field(2, 128), left * (1 - shares[1]) * (1 - paint) * 0.5),
    )
    layers = Layers(copies, (left * paint) * torch.tensor([0.9, 0.4, 0.2, 1])[None, :, None, None])
    whole = torch.from_numpy(original.transpose(2, 0, 1).copy())[None].float() / 255
    wanted = premultiplied(drawn_on_device(layers, "srgb_premultiplied", whole).numpy()).astype(int)
    difference = np.abs(premultiplied(drawn(layers, "srgb_premultiplied", original)) - wanted)
    assert difference.mean() < 0.8
    assert difference.max() <= (8 if size >= 256 else 16)


def test_whole_frame_on_the_device_path(ready: Poser) -> None:
    """The stage that runs on CUDA, here on the CPU, gives the picture of the CPU's stage."""
    character = Character(figure(512), (0, 0, 512))
    stage = OnDevice(warp.load(), character, torch.device("cpu"), torch.float32)
    ready.set_character(character)
    for pose in (Pose(neck_z=0.5), Pose(neck_x=-1, neck_y=0.7)):
        stage.take(pose)
        one, other = premultiplied(stage.picture(300)), premultiplied(ready.pose(pose, 300))
        assert np.abs(one.astype(int) - other).mean() < 0.5


def test_cost_leaves_the_encoder_out() -> None:
    class Costly(nn.Module):
        encoding: Encoding = "srgb_premultiplied"

        def __init__(self) -> None:
            super().__init__()
            self.enter, self.leave = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 4, 1)

        def encode(self, image: Tensor) -> Tensor:
            x: Tensor = self.enter(image)
            return x

        def decode(self, features: Tensor, pose: Tensor) -> Layers:
            return Layers(paint=self.leave(features))

    cpu = devices.Choice(torch.device("cpu"), torch.float32, "")
    assert Poser(Costly(), "costly", cpu).flops_per_frame() == 2 * 8 * 4 * 256 * 256
    assert Poser(warp.load(), "warp", cpu).flops_per_frame() == 0


def test_pictures_are_those_of_pose_in_order(ready: Poser) -> None:
    """Computed by several threads: none lost, none swapped, and torch has as many threads as before."""
    threads = torch.get_num_threads()
    poses = [Pose(neck_z=step / 10, neck_y=-step / 10) for step in (0, 3, 3, -8, 12, 5)]
    wanted = [ready.pose(pose, 128).copy() for pose in poses]
    seen = list(ready.pictures(iter(poses), 128))
    assert len(seen) == len(wanted)
    assert all((one == other).all() for one, other in zip(seen, wanted, strict=True))
    assert torch.get_num_threads() == threads
    assert (ready.pose(poses[1], 128) == wanted[1]).all()
