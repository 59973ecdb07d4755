"""The shipped compact networks: what they promise for any drawing, shown on the default character."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from stage import eventually

from puppeteer import weights
from puppeteer.characters import default_character
from puppeteer.errors import SettingsError
from puppeteer.image import Character, premultiplied
from puppeteer.networks import FAMILIES
from puppeteer.networks.compact import TRAINED, Morpher, MorpherConfig, load
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.reader import BODY, COUNT, FACE, FRONT
from puppeteer.networks.tensors import to_tensor
from puppeteer.pose import POSE_NAMES, SIX, U8, Pose
from puppeteer.poser import Poser, stages
from puppeteer.poser.rig_drawing import RigCanvas, Shown, drawn_on_device
from puppeteer.poser.stages import OnDevice
from puppeteer.prepare.reading import read_character

MIXED = Pose(0.8, 0.3, 0.6, 0.5, -0.4, 0.7)


@pytest.fixture(scope="module")
def character() -> Character:
    return read_character(default_character())


@pytest.fixture(scope="module")
def poser(character: Character) -> Poser:
    poser = Poser.load("compact", "cpu")
    poser.set_character(character)
    return poser


@pytest.fixture(scope="module")
def drawn_mouth(character: Character) -> float:
    """How far the networks take the drawn mouth to be open."""
    features = load().encode(to_tensor(character.spec(), "srgb_premultiplied"))
    return float(features.morpher.rest_mouth[0])


def levels(a: U8, b: U8) -> np.ndarray:
    """How much two pictures differ to the eye, (H, W) in levels of 255."""
    return np.abs(premultiplied(a).astype(int) - premultiplied(b).astype(int)).max(-1)


def test_it_is_taken_by_itself_on_a_cpu() -> None:
    assert "compact" in FAMILIES
    assert Poser.load("auto", "cpu").family == "compact"


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_the_drawn_pose_is_the_drawing(poser: Poser, character: Character, drawn_mouth: float, size: int) -> None:
    difference = levels(poser.pose(Pose(mouth_open=drawn_mouth), size), character.at(size))
    assert difference.max() <= 4 and difference.mean() < 0.2


@pytest.mark.parametrize("name", SIX)
def test_motion_is_smooth_and_there(poser: Poser, name: str, drawn_mouth: float) -> None:
    """No step between neighbouring poses is much larger than the others, and the whole way is long."""
    start = Pose(mouth_open=drawn_mouth) if name != "mouth_open" else Pose()
    ways = np.linspace(0, 1, 21)
    pictures = [poser.pose(replace(start, **{name: float(v)})) for v in ways]
    steps = [levels(a, b).mean() for a, b in itertools.pairwise(pictures)]
    assert levels(pictures[0], pictures[-1]).max() > 60
    assert max(steps) < 6 * np.mean(steps)


@pytest.mark.parametrize(("name", "axis", "sign"), [("neck_y", 0, 1), ("neck_z", 0, 1), ("neck_x", 1, 1)])
def test_the_head_moves_to_the_right_side(character: Character, name: str, axis: int, sign: int) -> None:
    """At the middle of the face the flow looks to where the face was: right of it for a turn to the viewer's left."""
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(character.spec(), "srgb_premultiplied"))
        frame = network.decode(features, torch.from_numpy(replace(Pose(), **{name: 1.0}).array())[None])
    for layer in (FACE, FRONT):
        assert sign * float(frame.flows[layer, axis, 28:37, 28:36].mean() * 256) > 3
    assert float(frame.flows[BODY, :, -4:].abs().max() * 256) < 0.5  # the body stays


def test_the_body_moves_too(character: Character) -> None:
    """Numbers beyond the paper's six: each moves something, and none of them the face out of its place."""
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(character.spec(), "srgb_premultiplied"))
        for name in ("body_z", "body_y", "breath", "hair_x"):
            frame = network.decode(features, torch.from_numpy(replace(Pose(), **{name: 1.0}).array())[None])
            assert 1 < float(frame.flows.abs().max() * 256) < 40, name


def test_the_weight_file_is_the_familys_own(poser: Poser) -> None:
    """Its parts by name, in half precision, and nothing that another file holds."""
    state = torch.load(weights.verified("compact"), weights_only=True)
    assert {name.split(".")[0] for name in state} == set(TRAINED)
    assert all(value.dtype == torch.float16 for value in state.values())


@pytest.mark.parametrize("layer", range(COUNT))
def test_every_layer_is_finite_and_in_range(character: Character, layer: int) -> None:
    network = load()
    with torch.inference_mode():
        parts = network.encode(to_tensor(character.spec(), "srgb_premultiplied")).parts
    assert parts.seen[layer].min() >= 0 and parts.hidden[layer].isfinite().all()
    assert torch.allclose(parts.seen.sum(0), torch.ones(()), atol=1e-4)


def test_each_eye_closes_on_its_own_side(poser: Poser, drawn_mouth: float) -> None:
    rest = Pose(mouth_open=drawn_mouth)
    left = levels(poser.pose(replace(rest, eye_left=1.0)), poser.pose(rest))
    right = levels(poser.pose(replace(rest, eye_right=1.0)), poser.pose(rest))
    assert left[:, 128:].sum() > 8 * left[:, :128].sum()
    assert right[:, :128].sum() > 8 * right[:, 128:].sum()


@pytest.mark.parametrize("tint", [(1.0, 0.9, 0.75), (0.85, 0.9, 1.0)])
def test_lids_take_the_colour_of_the_skin_about_them(character: Character, tint: tuple[float, float, float]) -> None:
    rgba = character.spec().copy()
    rgba[..., :3] = (rgba[..., :3] * np.array(tint)).astype(np.uint8)
    poser = Poser.load("compact", "cpu")
    poser.set_character(rgba)
    with torch.inference_mode():
        eyes, _ = poser._network.eyes(to_tensor(rgba, "srgb_premultiplied")[:, :, 64:192, 64:192])  # type: ignore[union-attr]
    lids = (eyes.opening[0, 0] > 0.9).numpy()
    assert lids.sum() > 100
    skin = np.median(rgba[148:164, 114:142, :3].reshape(-1, 3), 0)  # between eyes and mouth
    shut = poser.pose(Pose(eye_left=1, eye_right=1), 256)[64:192, 64:192, :3][lids]
    assert np.abs(np.median(shut, 0) - skin).max() < 20


def test_a_nose_that_is_a_dot_does_not_open(character: Character) -> None:
    """Above a tiny mouth it looks like one."""
    rgba = character.spec().copy()
    rgba[161:181, 114:142] = np.median(rgba[156:162, 120:136].reshape(-1, 4), 0)
    rgba[164:167, 125:132] = rgba[176, 124:133] = (80, 40, 40, 255)
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(rgba, "srgb_premultiplied")).morpher
        out = network.morpher.decode(features, torch.tensor([[0.0, 0.0, 1.0]]))
        changed = (out.gate * (1 - out.ways[:, :1]))[0, 0]
    assert changed[110:120, 58:71].max() > 0.9
    assert changed[100:103, 58:71].max() < 0.05


def test_the_cost_of_a_frame(poser: Poser) -> None:
    assert 0 < poser.flops_per_frame() <= 1.5e9


@pytest.mark.parametrize("size", [256, 300, 512])
def test_both_ways_of_drawing_agree(character: Character, size: int) -> None:
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(character.spec(), "srgb_premultiplied"))
        frame = network.decode(features, torch.from_numpy(MIXED.array())[None])
        original = to_tensor(character.at(size), "srgb_premultiplied")
        on_device = drawn_on_device(frame, network.encoding, original, Shown.of(frame, original)).numpy()
        on_cpu = RigCanvas(character.premultiplied_at(size), frame).drawn(frame, network.encoding)
    assert levels(on_cpu, on_device).mean() < 1.0


def test_threads_that_draw_at_once_do_not_disturb_each_other(poser: Poser) -> None:
    poses = [replace(MIXED, mouth_open=k / 12, eye_left=1 - k / 12) for k in range(12)]
    for one, many in zip([poser.pose(p, 512) for p in poses], poser.pictures(poses, 512), strict=True):
        assert levels(one, many).max() <= 1


def test_half_precision_stays_close(character: Character) -> None:
    """The precision of a graphics card, as far as a CPU can run it."""
    image = to_tensor(character.spec(), "srgb_premultiplied")
    found = []
    with torch.inference_mode():
        for network, dtype in ((load(), torch.float32), (load().half(), torch.float16)):
            stage = OnDevice(network, character, image.device, dtype)
            stage.take(MIXED)
            assert isinstance(stage.layers, Rigged) and stage.layers.flows.dtype == torch.float32
            found.append(stage.picture(256))
    assert levels(*found).mean() < 1.0


def test_a_frame_stays_on_its_device(character: Character) -> None:
    """Rig, frame and picture with every tensor on a device that is not the CPU: nothing is made elsewhere."""
    device = torch.device("meta")
    network = load().to(device, torch.float16)
    with torch.inference_mode():
        features = network.encode(torch.empty(1, 4, 256, 256, device=device, dtype=torch.float16))
        frame = network.decode(features, torch.empty(1, len(POSE_NAMES), device=device))
        original = torch.empty(1, 4, 512, 512, device=device)
        picture = drawn_on_device(frame, network.encoding, original, Shown.of(frame, original))
    assert picture.device == device and picture.shape == (512, 512, 4) and picture.dtype == torch.uint8


def test_several_characters_at_once() -> None:
    """Training batches characters; each must get what it gets alone."""
    torch.manual_seed(0)
    network = Morpher(MorpherConfig()).eval()
    crops = torch.rand(2, 4, 128, 128)
    poses = torch.tensor([[0.8, 0.3, 0.6], [0.0, 1.0, 0.2]])
    with torch.inference_mode():
        both = network.decode(network.encode(crops), poses)
        alone = network.decode(network.encode(crops[1:]), poses[1:])
    assert torch.allclose(both.colour[1:], alone.colour, atol=1e-4)


def test_another_size_is_prepared_beside_what_is_drawn(character: Character) -> None:
    """A stage that builds its layers for a new size in a frame shows half a second of nothing new."""
    poser, other = Poser.load("compact", "cpu"), Poser.load("compact", "cpu")
    for each in (poser, other):
        each.set_character(character)
    assert poser.prepared(512), "nothing is shown yet that could be shown meanwhile"
    poser.pose(MIXED, 256)
    assert poser.prepared(256) and not poser.prepared(512)
    frames, begun_s = 0, time.monotonic()
    while not poser.prepared(512) and time.monotonic() < begun_s + 60:
        poser.pose(replace(MIXED, neck_z=(frames % 20) / 20), 256)
        frames += 1
    assert frames > 1, "it went on"
    assert np.array_equal(poser.pose(MIXED, 512), other.pose(MIXED, 512))
    with pytest.raises(SettingsError):
        poser.prepared(5000)


def test_a_size_that_cannot_be_prepared_does_not_stop_what_is_drawn(
    character: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    poser = Poser.load("compact", "cpu")
    poser.set_character(character)
    list(poser.pictures([MIXED], 256))  # which leaves no pose behind

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(stages, "RigCanvas", full)
    for _ in range(20):
        assert not poser.prepared(512)
        time.sleep(0.01)
    poser.pose(MIXED, 256)
    monkeypatch.undo()
    assert not poser.prepared(640)
    assert eventually(lambda: poser.prepared(640), 60)
    assert poser.pose(MIXED, 640).shape == (640, 640, 4)
