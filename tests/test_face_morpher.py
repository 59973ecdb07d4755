"""The rig's morpher of a face: what it makes of the numbers, and what it starts from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from puppeteer.characters import default_character
from puppeteer.characters.artist import Artist
from puppeteer.networks.compact import CROP, Morpher
from puppeteer.networks.compact.blocks import CROP_AT, MorpherConfig
from puppeteer.networks.compact.family import load
from puppeteer.networks.rig.face import FaceMorpher
from puppeteer.networks.rig.terms import NUMBERS, OPEN, OWN, TERMS, VOWEL, matrix, terms
from puppeteer.networks.tensors import to_tensor
from puppeteer.pose import BY_NAME, Pose
from puppeteer.prepare.reading import read_character
from puppeteer.training.face import FIELDS, NAMES, POSES, batch_of
from puppeteer.training.learning import stacked
from puppeteer.training.morpher import flipped
from puppeteer.training.morpher import losses as step_losses
from puppeteer.training.poses import random_face
from puppeteer.training.ring import Row

SMALL = MorpherConfig(widths=(8, 8, 8), blocks=1, decoder=8)


def _face(**numbers: float) -> torch.Tensor:
    return torch.tensor([[numbers.get(name, 0.0) for name in NUMBERS]])


RIGHT_SIDE, LEFT_SIDE = 0, 1


def _terms(face: torch.Tensor, side: int = LEFT_SIDE) -> torch.Tensor:
    """Of the numbers beyond the three."""
    return terms(face, face[:, OPEN : OPEN + 1], matrix())[:, side, OWN:]


def test_it_starts_as_the_morpher_of_three_numbers() -> None:
    torch.manual_seed(0)
    three, face = Morpher(SMALL).eval(), FaceMorpher(SMALL).eval()
    face.start_from(three.state_dict())
    crop = torch.rand(2, 4, CROP, CROP)
    expression = torch.tensor([[1.0, 1.0, 0.3], [0.2, 0.6, 1.0]])
    with torch.no_grad():
        ours, theirs = (m.decode(m.encode(crop), expression) for m in (face, three))
    for a, b in zip(ours[:3], theirs[:3], strict=True):
        assert torch.allclose(a, b, atol=1e-5)
    assert (ours.gate <= theirs.gate + 1e-5).all()
    assert torch.allclose(ours.gate[:, :, 70:85], theirs.gate[:, :, 70:85], atol=1e-5), "eyes that are asked for"


def test_a_mouth_is_taken_for_what_the_maps_have_once() -> None:
    """Where a reading of the drawn mouth differs from the maps' own, as the morpher of three numbers takes it."""
    torch.manual_seed(0)
    three, face = Morpher(SMALL).eval(), FaceMorpher(SMALL).eval()
    face.start_from(three.state_dict())
    crop, drawn, own = torch.rand(1, 4, CROP, CROP), torch.tensor([0.7]), torch.tensor([0.2])
    with torch.no_grad():
        for opened in (0.1, 0.5, 0.9):
            expression = torch.tensor([[0.0, 0.0, opened]])
            ours, theirs = (
                m.decode(m.encode(crop)._replace(rest_mouth=drawn, own_mouth=own), expression) for m in (face, three)
            )
            assert torch.allclose(ours.colour, theirs.colour, atol=1e-5), opened


def test_lips_stay_where_eyes_look_and_eyes_where_lips_speak() -> None:
    torch.manual_seed(0)
    network = FaceMorpher(SMALL).eval()
    with torch.no_grad():
        features = network.encode(torch.rand(1, 4, CROP, CROP))
        mouth = float(features.rest_mouth[0])
        for name in NUMBERS[3:]:
            gate = network.decode(features, _face(mouth_open=mouth, **{name: 1.0})).gate[0, 0]
            eyes, lips = gate[60:86, 30:98], gate[110:120, 40:88]
            stays, moves = (eyes, lips) if name.startswith("mouth_") else (lips, eyes)
            assert stays.max() < 1e-5 < 0.99 < moves.max(), name


@pytest.mark.parametrize("name", NUMBERS[3:])
def test_every_number_opens_the_gate_and_only_when_it_does_something(name: str) -> None:
    torch.manual_seed(0)
    network = FaceMorpher(SMALL).eval()
    crop = torch.rand(1, 4, CROP, CROP)
    with torch.no_grad():
        features = network.encode(crop)
        mouth = float(features.rest_mouth[0])
        still = network.decode(features, _face(mouth_open=mouth))
        moved = network.decode(features, _face(mouth_open=mouth, **{name: 1.0}))
        other = network.decode(features, _face(mouth_open=mouth, **{name: 0.5}))
    assert still.gate.max() < 1e-5, "the rest image changes"
    assert moved.gate.max() > 0.99
    assert not torch.equal(moved.flow, other.flow)


def test_a_frame_is_computed_where_the_face_moves_and_looks_the_same() -> None:
    network = load().morpher
    picture = drawing()
    crop = picture[:, :, CROP_AT:-CROP_AT, CROP_AT:-CROP_AT]
    with torch.inference_mode():
        whole = network.fitted(crop)
        narrow = network.narrowed(whole)
        assert narrow.basis.numel() < 0.8 * whole.basis.numel()
        rng = np.random.default_rng(4)
        for _ in range(12):
            pose = random_face(rng, float(whole.rest_mouth[0]))
            face = torch.tensor([[getattr(pose, name) for name in NUMBERS]])
            ours, theirs = (network.paint(picture, network.decode(kept, face)) for kept in (narrow, whole))
            assert (ours - theirs).abs().max() < 4 / 255


def test_maps_are_weighed_in_a_frame_as_they_are_in_training() -> None:
    """One is compiled and leaves out what weighs nothing, one is a matrix product."""
    torch.manual_seed(1)
    network = FaceMorpher(SMALL).eval()
    face = _face(eye_left=0.3, eye_right=0.9, mouth_open=0.6, eye_smile=0.5, mouth_wide=-1)
    with torch.no_grad():
        features = network.encode(torch.rand(1, 4, CROP, CROP))
        trained = network.decode(features, face)
    with torch.inference_mode():
        framed = network.decode(features, face)
    for a, b in zip(trained, framed, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_a_mouth_that_closes_leaves_no_ring() -> None:
    """Lines of a drawing that somebody sharpened have a light edge; where a mouth was open, a closed one has none."""
    network = load().morpher
    with Artist() as artist:
        shut, opened = (to_tensor(artist.draw(2, Pose(mouth_open=k), 256), "srgb_premultiplied") for k in (0.0, 0.8))
    mouth = ((opened - shut).abs().amax(1, keepdim=True) > 0.03).float()
    mouth[:, :, : CROP_AT + 96] = 0
    mouth[:, :, CROP_AT + CROP :] = 0
    ring = F.max_pool2d(mouth, 5, 1, 2) - mouth
    sharpened = (opened + 0.07 * ring * torch.tensor([1.0, 1, 1, 0])[:, None, None]).clamp(max=1)
    with torch.inference_mode():
        features = network.fitted(sharpened[:, :, CROP_AT:-CROP_AT, CROP_AT:-CROP_AT])
        features = features._replace(rest_mouth=torch.tensor([0.8]))
        out = network.paint(sharpened, network.decode(features, _face()))
    assert int(ring.sum()) > 30
    left = ((out - shut).abs().amax(1, keepdim=True) * ring).sum() / ring.sum()
    before = ((sharpened - shut).abs().amax(1, keepdim=True) * ring).sum() / ring.sum()
    assert left < 0.6 * before


def test_terms_are_smooth_and_closed_lips_have_no_vowel() -> None:
    assert matrix().shape[-1] == TERMS == FaceMorpher.TERMS
    assert not _terms(_face(eye_left=0.5, mouth_open=0.7)).any()
    for k, name in enumerate(NUMBERS[3:], 3):
        values = torch.linspace(-1, 1, 201)
        faces = torch.zeros(201, len(NUMBERS))
        faces[:, OPEN] = 0.5
        faces[:, k] = values
        of_side = _terms(faces)
        assert of_side.any() and of_side.diff(dim=0).abs().max() < 0.03, name
    shut = _face(mouth_wide=1.0)
    assert shut[0, VOWEL] == 1 and not _terms(shut).any()


def test_a_closed_eye_is_of_its_side() -> None:
    smiling, shut = (_face(eye_smile=1.0, eye_left=k) for k in (0.0, 1.0))
    left, right = ((_terms(smiling, side) - _terms(shut, side)).abs().max() for side in (LEFT_SIDE, RIGHT_SIDE))
    assert left > 0.5 and right == 0


def drawing() -> torch.Tensor:
    """(1, 4, 256, 256) the first shipped character, premultiplied."""
    return to_tensor(read_character(default_character()).spec(), "srgb_premultiplied")


def _row(rng: np.random.Generator) -> Row:
    row = {name: rng.integers(0, 200, shape).astype(kind) for name, (shape, kind) in FIELDS.items()}
    row["part"] = rng.choice(np.array([2, 4], np.uint8), FIELDS["part"][0])
    row["rest_mouth"] = np.array(0.5, np.float32)
    row["move"] = (row["move"] / 100).astype(np.float16)
    row["face"] = np.array(
        [[getattr(pose, n) for n in NUMBERS] for pose in (random_face(rng, 0.5) for _ in range(POSES))], np.float32
    )
    return row


def test_a_mirrored_row_is_the_mirrored_face() -> None:
    rng = np.random.default_rng(0)
    planes, which = stacked([_row(rng), _row(rng)], torch.device("cpu")), torch.tensor([True, False])
    there = flipped(planes, which, NAMES)
    names = list(NUMBERS)
    for a, b in (("eye_left", "eye_right"), ("eye_right", "eye_left")):
        assert torch.equal(there["face"][0, :, names.index(a)], planes["face"][0, :, names.index(b)])
    assert all(torch.equal(there[name][1], plane[1]) for name, plane in planes.items())
    back = flipped(there, which, NAMES)
    assert all(torch.equal(back[name], plane) for name, plane in planes.items())


def test_poses_reach_every_number_at_both_ends() -> None:
    rng = np.random.default_rng(0)
    poses = [random_face(rng, 0.3) for _ in range(600)]
    for name in NUMBERS:
        values = [getattr(pose, name) for pose in poses]
        assert max(values) == 1 and min(values) == BY_NAME[name].low


def test_a_step_teaches_every_map() -> None:
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    network = FaceMorpher(SMALL)
    losses = step_losses(network, batch_of(stacked([_row(rng) for _ in range(4)], torch.device("cpu")), rng), rng)
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    gradient = network.spread.weight.grad
    assert gradient is not None and torch.isfinite(gradient).all()
    taught = gradient.view(FaceMorpher.TERMS, -1).abs().amax(1)
    assert (taught > 0).float().mean() > 0.9
