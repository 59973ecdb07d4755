"""The shipped compact networks: what they promise for any drawing, shown on the default character."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from puppeteer.characters import default_character
from puppeteer.image import Character, premultiplied
from puppeteer.networks import FAMILIES
from puppeteer.networks.compact import HEAD, Compact, load
from puppeteer.networks.tensors import to_tensor
from puppeteer.pose import SIX, U8, Pose
from puppeteer.poser import Poser
from puppeteer.poser.drawing import drawn, drawn_on_device
from puppeteer.prepare.reading import read_character

MOST_STRETCH = 0.9  # px of the flow from one px to the next; at 1 a single px becomes a line
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
        layers = network.decode(features, torch.from_numpy(replace(Pose(), **{name: 1.0}).array())[None])
    flow = layers.copies[-1].flow  # the head's
    assert flow is not None
    middle = flow[0, axis, 55:75, 55:73].mean() * 128
    assert sign * float(middle) > 3


def test_only_hair_is_beyond_the_shoulders(character: Character) -> None:
    """What is taken for the body there leans with the hair about it, so that no lock is torn; arms below stay."""
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(character.spec(), "srgb_premultiplied"))
    hair, body, _ = features.rotator.follow[0]
    high, low = slice(34, 43), slice(58, 64)  # of 64 rows
    for side in (slice(0, 10), slice(54, 64)):
        assert torch.allclose(body[high, side], hair[high, side], atol=0.02)
        assert float(body[low, side].max()) < 0.02


@pytest.mark.parametrize("pose", [Pose(neck_x=-1), Pose(neck_x=1), Pose(neck_y=-1), Pose(neck_y=1)])
def test_a_flow_does_not_stretch_an_outline_to_a_band(character: Character, pose: Pose) -> None:
    """What is copied is nowhere drawn many times larger than it was."""
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(character.spec(), "srgb_premultiplied"))
        flow = network.rotator.decode(features.rotator, torch.from_numpy(pose.array())[None, 3:6]).flow[:, HEAD]
    for axis in (-1, -2):
        assert float(flow.diff(dim=axis).abs().max()) < MOST_STRETCH * (256 / flow.shape[-1])


def test_what_a_moving_jaw_uncovers_is_copied(character: Character) -> None:
    """Below a lifted chin the neck comes along, so that the combiner has little to paint."""
    network = load()
    with torch.inference_mode():
        rest = to_tensor(character.spec(), "srgb_premultiplied")
        painted = [
            float(network.rotator.decode(features, torch.tensor([[0.0, 1.0, 0.0]])).combine[..., 80:104, 44:84].sum())
            for features in (network.rotator.fitted(rest), network.rotator.encode(rest))
        ]
    assert painted[0] < 0.5 * painted[1]


def test_hair_on_shoulders_stays_there(character: Character) -> None:
    """Where hair meets the shoulders it does not lean with the head; beside the face it does."""
    rotator = load().rotator
    with torch.inference_mode():
        rest = to_tensor(character.spec(), "srgb_premultiplied")
        features, tied = rotator.encode(rest), rotator.fitted(rest)
    free, hair = features.follow[0, 2], tied.follow[0, 2]
    shoulders = features.modal[0, 1, ::2, ::2] > 0.95
    shoulders[:, 20:44] = False
    assert shoulders.sum() > 10 and float((hair / free)[shoulders].mean()) < 0.5
    assert float(hair[20:36].min()) > 0.9


def test_the_outline_that_a_chin_leaves_is_known(character: Character) -> None:
    """It is painted over where the head has left it, and there alone."""
    rotator = load().rotator
    with torch.inference_mode():
        features = rotator.encode(to_tensor(character.spec(), "srgb_premultiplied"))
        still, lifted = (rotator.place(features, torch.tensor([[0.0, x, 0.0]])).traces for x in (0.0, 1.0))
    assert float(still.max()) == 0
    assert float(lifted[..., 84:104, 50:78].max()) > 0.9 and float(lifted[..., 50:70, 50:78].max()) < 0.1


def test_each_eye_closes_on_its_own_side(poser: Poser, drawn_mouth: float) -> None:
    rest = Pose(mouth_open=drawn_mouth)
    left = levels(poser.pose(replace(rest, eye_left=1.0)), poser.pose(rest))
    right = levels(poser.pose(replace(rest, eye_right=1.0)), poser.pose(rest))
    assert left[:, 128:].sum() > 8 * left[:, :128].sum()
    assert right[:, :128].sum() > 8 * right[:, 128:].sum()


@pytest.mark.parametrize("tint", [(1.0, 0.9, 0.75), (0.85, 0.9, 1.0)])
def test_lids_take_the_colour_of_the_skin_about_them(character: Character, tint: tuple[float, float, float]) -> None:
    network = load()
    image = to_tensor(character.spec(), "srgb_premultiplied") * torch.tensor([*tint, 1.0])[None, :, None, None]
    with torch.inference_mode():
        fitted = network.encode(image).morpher
        plain = fitted._replace(lids=torch.ones_like(fitted.lids))
        crop = image[:, :3, 64:192, 64:192]
        skin = crop[:, :, 84:100, 50:78].flatten(2).median(2).values  # between eyes and mouth
        off = []
        for features in (plain, fitted):
            out = network.morpher.decode(features, torch.tensor([[1.0, 1.0, 0.0]]))
            lids = (out.gate * out.ways[:, 2:])[0, 0] > 0.7
            lids[88:] = False
            assert lids.sum() > 100
            off.append(float((out.colour[0, :3, lids].median(1).values - skin[0]).abs().sum()))
    assert off[1] < off[0]


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


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_both_ways_of_drawing_agree(character: Character, size: int) -> None:
    network = load()
    with torch.inference_mode():
        features = network.encode(to_tensor(character.spec(), "srgb_premultiplied"))
        layers = network.decode(features, torch.from_numpy(MIXED.array())[None])
        original = to_tensor(character.at(size), "srgb_premultiplied")
        on_device = drawn_on_device(layers, network.encoding, original).numpy()
    on_cpu = drawn(layers, network.encoding, character.premultiplied_at(size))
    assert levels(on_cpu, on_device).mean() < 1.0


def test_threads_that_draw_at_once_do_not_disturb_each_other(poser: Poser) -> None:
    poses = [replace(MIXED, mouth_open=k / 12, eye_left=1 - k / 12) for k in range(12)]
    for one, many in zip([poser.pose(p, 512) for p in poses], poser.pictures(poses, 512), strict=True):
        assert levels(one, many).max() <= 1


def test_half_precision_stays_close(character: Character) -> None:
    """The precision of a graphics card, as far as a CPU can run it."""
    single, half = load(), load().half()
    image, pose = to_tensor(character.spec(), "srgb_premultiplied"), torch.from_numpy(MIXED.array())[None]
    with torch.inference_mode():
        wanted = drawn_on_device(single.decode(single.encode(image), pose), single.encoding, image)
        layers = half.decode(half.encode(image.half()), pose)
        assert all(copy.flow is None or copy.flow.dtype == torch.float32 for copy in layers.copies)
        got = drawn_on_device(layers, half.encoding, image)
    assert levels(wanted.numpy(), got.numpy()).mean() < 1.0


def test_several_characters_at_once() -> None:
    """Training batches characters; each must get what it gets alone."""
    torch.manual_seed(0)
    network = Compact().eval()
    images = torch.rand(2, 4, 256, 256)
    poses = torch.from_numpy(np.stack([MIXED.array(), Pose(neck_y=-1).array()]))
    with torch.inference_mode():
        both = network.decode(network.encode(images), poses)
        alone = network.decode(network.encode(images[1:]), poses[1:])
    assert both.paint is not None and alone.paint is not None
    assert torch.allclose(both.paint[1:], alone.paint, atol=1e-4)
