"""Eyes that look about and close: what is found of them, how far they look, and what a frame shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from puppeteer.characters import default_character, make_recipe
from puppeteer.characters.renderer import Renderer
from puppeteer.image import premultiplied
from puppeteer.networks.compact.blocks import CROP, CROP_AT
from puppeteer.networks.compact.family import load
from puppeteer.networks.rig.brows import brow_look, found_brows
from puppeteer.networks.rig.eyes import (
    Eyes,
    Look,
    axes,
    between,
    eye_pictures,
    eyes,
    look,
    looked,
    slid,
)
from puppeteer.networks.rig.gazes import DOWN, IN, LESS, OUT, SINKS
from puppeteer.networks.rig.pieces import Looks, PieceReader, Pieces
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.poser.pieces import DrawnPieces
from puppeteer.prepare.reading import read_character
from puppeteer.training import eyes as training
from puppeteer.training.learning import stacked

CPU = torch.device("cpu")
CENTRES, HALF = ((64, 44), (64, 84)), (8.0, 6.0)  # rows and columns of drawn eyes, px; half of width and height
BLACK, DARK, LIGHT, SKIN = 0.05, 0.2, 0.95, 0.75


def _drawn(shift: tuple[int, int] = (0, 0)) -> tuple[Any, Eyes]:
    """A premultiplied crop of two eyes whose irises are `shift` (right, down) from their middles, and what they are."""
    y, x = (torch.arange(CROP) + 0.5).expand(CROP, CROP).T, (torch.arange(CROP) + 0.5).expand(CROP, CROP)
    opening, iris = torch.zeros(CROP, CROP), torch.zeros(CROP, CROP)
    for row, column in CENTRES:
        opening += (((x - column) / HALF[0]) ** 2 + ((y - row) / HALF[1]) ** 2 < 1).float()
        iris += ((x - column - shift[0]) ** 2 + (y - row - shift[1]) ** 2 < 9).float()
    lash = torch.zeros(CROP, CROP)
    lash[1:-1] = ((opening[2:] - opening[:-2]) > 0).float() * (1 - opening[1:-1])
    grey = SKIN + opening * (LIGHT - SKIN) + opening * iris * (DARK - LIGHT) + lash * (BLACK - SKIN)
    crop = torch.stack([grey, grey, grey, torch.ones(CROP, CROP)])[None]
    painted = torch.cat([torch.full((1, 3, CROP, CROP), colour) for colour in (DARK, LIGHT, SKIN)], 1)
    return crop, eyes(*(x[None, None] for x in (opening, iris, lash)), painted)


def _look(
    found: Eyes, x: float = 0, y: float = 0, left: float = 0, right: float = 0, smile: float = 0, wide: float = 0
) -> Look:
    gaze, closure = torch.tensor([x, y]), torch.tensor([left, right])
    return look(found, gaze, closure, torch.tensor(smile), torch.tensor(wide))


def _compiled(original: U8, found: Eyes, frame: Look) -> tuple[U8, slice, slice]:
    """What the compiled way draws, of a character without brows."""
    none = torch.zeros_like(found.opening)
    brows = found_brows(none, none, found)
    still = brow_look(brows, torch.zeros(2), torch.zeros(()))
    return DrawnPieces(original, Pieces(found, brows)).drawn(Looks(frame, still))


def _axes(opening: torch.Tensor) -> torch.Tensor:
    return axes(opening, between(opening))


def test_eyes_are_measured_and_what_is_none_is_not() -> None:
    _, found = _drawn()
    assert torch.allclose(found.axes[0], torch.tensor([HALF, HALF]), atol=0.3)
    assert not _axes(torch.zeros(1, 1, CROP, CROP)).any()
    speck = torch.zeros(1, 1, CROP, CROP)
    speck[..., 60:63, 40:43] = 1
    assert not _axes(speck).any()


def test_irises_go_where_the_pose_looks() -> None:
    _, found = _drawn()
    for x, y in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)):
        by = _look(found, x, y).slid
        # the character's right is the viewer's left, and up is up
        assert (by[:, 0] * -x >= 0).all() and (by[:, 1] * -y >= 0).all()
        assert by.abs().amax() > 1
    to_the_left = _look(found, 1).slid[:, 0]
    assert to_the_left[0] == pytest.approx(-OUT * HALF[0], abs=0.2)
    assert to_the_left[1] == pytest.approx(-IN * HALF[0], abs=0.2)
    mirrored = _look(found, -1).slid[:, 0]
    assert torch.allclose(mirrored.flip(0), -to_the_left, atol=0.01)
    half = _look(found, 0.5).slid[:, 0]
    assert torch.allclose(2 * half, to_the_left)
    down = _look(found, 1).slid[:, 1]
    assert down[0] == pytest.approx(SINKS * HALF[1], abs=0.05) and down[1] == 0, "what looks out sinks"


@pytest.mark.parametrize("right", [-10, 0, 9])
def test_eyes_of_a_turned_face_are_parted_between_them(right: int) -> None:
    crop, found = _drawn()
    moved = [torch.roll(x, right, -1) for x in (crop, found.opening, found.iris, found.lash, found.painted)]
    there = eyes(*moved[1:])
    assert torch.allclose(there.axes, found.axes, atol=0.01)
    assert CENTRES[0][1] + HALF[0] < float(there.middle) - right < CENTRES[1][1] - HALF[0]
    shown = eye_pictures(moved[0], there)
    wink = looked(moved[0], shown, _look(there, left=1))
    changed = (wink - moved[0]).abs().amax(1)[0].amax(0) > 0.1
    assert changed[CENTRES[1][1] + right] and not changed[: 64 + right - 4].any()


@pytest.mark.parametrize(("lower", "down"), [(DARK, DOWN), (1.8 * DARK, DOWN - LESS)])
def test_irises_with_their_light_below_go_less_far_down(lower: float, down: float) -> None:
    """Or a lower lid would leave nothing but dark of them."""
    crop, found = _drawn()
    bottom = (found.iris > 0.5) & (torch.arange(CROP)[:, None] >= CENTRES[0][0] + 1)
    crop = torch.where(bottom, torch.tensor([lower, lower, lower, 1])[:, None, None], crop)
    goes = _look(found.of(crop), 0, -1).slid[:, 1]
    assert goes.tolist() == pytest.approx([down * float(found.axes[0, 0, 1])] * 2, abs=0.05)


def test_nothing_changes_while_the_pose_looks_ahead() -> None:
    crop, found = _drawn((2, 0))
    frame = _look(found)
    assert torch.equal(looked(crop, eye_pictures(crop, found), frame), crop)
    original = (255 * crop[0]).round().byte().permute(1, 2, 0).numpy()
    drawn, rows, _ = _compiled(original, found, frame)
    assert drawn is original and rows.stop == 0


@pytest.mark.parametrize("size", [128, 150, 167, 256])
def test_an_iris_slides_under_its_lids_and_leaves_white(size: int) -> None:
    crop, found = _drawn()
    crop = torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)
    shown = eye_pictures(crop, found)
    frame = _look(found, -1)
    out = looked(crop, shown, frame)[0, 0]
    scale = size / CROP
    for (row, column), by in zip(CENTRES, frame.slid.tolist(), strict=True):
        at = round(row * scale), [round((column + dx) * scale) for dx in (by[0], -4)]
        assert out[at[0], at[1][0]] < DARK + 0.15, "the iris is where it looks"
        assert out[at[0], at[1][1]] > LIGHT - 0.15, "and white where it was"
    lids = (shown.opening < 0.01)[0, 0]
    assert torch.equal(out[lids], crop[0, 0][lids])


def test_what_a_lid_had_hidden_of_an_iris_is_in_its_shadow_only_near_it() -> None:
    crop, found = _drawn((0, -5))
    painted = found.painted.clone()
    painted[:, :3, : CENTRES[0][0] - round(HALF[1])] = 0  # darker where a lid hides it
    found = found._replace(painted=painted)
    shown, column = eye_pictures(crop, found), CENTRES[0][1]
    hidden = CENTRES[0][0] - 7  # a row of the iris that no pixel shows
    seen = []
    for y in (-0.4, -1.0):
        frame = _look(found, 0, y)
        original = (255 * crop[0]).round().byte().permute(1, 2, 0).numpy()
        drawn, rows, columns = _compiled(original, found, frame)
        out = looked(crop, shown, frame)[0].permute(1, 2, 0).numpy()
        assert np.abs(drawn[rows, columns] - 255 * out[rows, columns]).max() <= 2
        seen.append(float(out[hidden + 1 : CENTRES[0][0], column, 0].min()))
    assert seen[0] < 0.02 and seen[1] > seen[0] + 0.02, seen


def test_what_was_hidden_of_an_iris_has_some_of_its_hue_and_a_painted_white_is_not_much_darker() -> None:
    crop, found = _drawn((0, -5))
    red = torch.tensor([0.6, 0.2, 0.2])[:, None, None]
    crop[:, :3] = torch.where((crop[:, :3] - DARK).abs() < 0.01, red, crop[:, :3])
    painted = found.painted.clone()
    top = CENTRES[0][0] - round(HALF[1])
    crop[:, :3, top : top + 2] = crop[:, :3, top : top + 2].mean(1, keepdim=True)  # greyed by its lid
    painted[:, 3:6, top : top + 4] = 0.4  # where a seen white is light
    shown, column = eye_pictures(crop, found._replace(painted=painted)), CENTRES[0][1]
    iris = shown.iris[0, :, top - 1, column]
    assert iris[3] > 0.9 and iris[0] > iris[2] + 0.08, iris
    plain = found.painted[:, 3:6].mean() - shown.white[0, :, top + 1, column].mean()
    assert 0 < plain < (LIGHT - 0.4) / 2 + 0.05, "and half the shade is kept"


def test_what_was_hidden_of_a_light_iris_beside_a_dark_one_has_its_own_hue() -> None:
    crop, found = _drawn((0, -5))
    left = (torch.arange(CROP) < CROP / 2).expand(CROP, CROP)
    gold, blue = (torch.tensor(c)[:, None, None] for c in ([0.9, 0.7, 0.3], [0.02, 0.02, 0.15]))
    iris = (crop[:, :3] - DARK).abs() < 0.01
    crop[:, :3] = torch.where(iris, torch.where(left, gold, blue), crop[:, :3])
    top = CENTRES[0][0] - round(HALF[1])
    crop[:, :3, top : top + 2] = crop[:, :3, top : top + 2].mean(1, keepdim=True)  # greyed by its lid
    shown, column = eye_pictures(crop, found), CENTRES[0][1]
    hidden = shown.iris[0, :3, top - 1, column]
    assert hidden[0] > hidden[2] + 0.2, hidden


@pytest.mark.parametrize("size", [128, 167, 256])
def test_lids_come_down_over_the_eye_with_their_lash(size: int) -> None:
    crop, found = _drawn()
    crop = torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)
    shown, scale = eye_pictures(crop, found), size / CROP

    def column(**pose: float) -> torch.Tensor:
        """Down through the middle of the eye on the viewer's left, which is the character's right."""
        at = round(CENTRES[0][1] * scale)
        return looked(crop, shown, _look(found, **pose))[0, 0, :, at - 1 : at + 1].mean(1)

    darkest = [float(column(right=k).argmin()) / scale for k in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert darkest == sorted(darkest) and darkest[-1] > CENTRES[0][0] + 1
    shut = column(right=1.0)
    bare = shut[round((CENTRES[0][0] - 7) * scale) : round((CENTRES[0][0] + 0.5) * scale)]
    assert (bare - SKIN).abs().max() < 0.03, "skin, and nothing of the eye or its open lash"
    assert float(shut.min()) < 0.5, "one dark line"
    smiling = float(column(right=1.0, smile=1.0).argmin()) / scale
    assert smiling < darkest[-1], "an arc is highest in its middle"
    assert torch.equal(column(left=1.0), column()), "the other eye stays"
    half = looked(crop, shown, _look(found, right=0.5))[0, 0]
    low = half[round((CENTRES[0][0] + 1) * scale), round(CENTRES[0][1] * scale)]
    assert low < DARK + 0.1, "the iris is seen below a half closed lid"


def test_a_lash_that_begins_to_move_does_not_pale() -> None:
    """Lids of a face that is awake are never quite still."""
    crop, found = _drawn()
    crop = torch.nn.functional.interpolate(crop, (512, 512), mode="nearest")
    shown, at = eye_pictures(crop, found), 4 * CENTRES[0][1]
    lash = [
        float(looked(crop, shown, _look(found, right=k))[0, 0, :, at - 2 : at + 2].mean(1).min())
        for k in (0.0, 0.01, 0.03, 0.05, 0.07, 0.1)
    ]
    assert max(lash) < lash[0] + 0.03


@pytest.mark.parametrize("gap", [0, 1])
def test_no_skin_shows_between_a_lash_and_the_iris_below_it(gap: int) -> None:
    """`gap`: rows between them that are read as neither."""
    crop, found = _drawn((0, -3))
    if gap:
        found = eyes(found.opening * found.opening.roll(gap, 2), found.iris, found.lash, found.painted)
    crop = torch.nn.functional.interpolate(crop, (512, 512), mode="bilinear", align_corners=False)
    shown, (row, column) = eye_pictures(crop, found), (4 * x for x in CENTRES[0])
    for k in (0.15, 0.3) if gap else (0.02, 0.05, 0.1, 0.15):
        line = looked(crop, shown, _look(found, right=k))[0, 0, :, column]
        lash = int(line[: row - 4].argmin())
        assert line[lash : row - 4].max() < DARK + 0.1


@pytest.mark.parametrize("clear", [1.0, 0.6, 0.0])
@pytest.mark.parametrize("size", [96, 128, 256])
def test_both_ways_of_laying_irises_agree(size: int, clear: float) -> None:
    crop, found = _drawn((1, 0))
    found = eyes(found.opening, found.iris, found.lash, found.painted, torch.full_like(found.opening, clear))
    crop = torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)
    original = (255 * crop[0]).round().byte().permute(1, 2, 0).contiguous().numpy()
    for pose in (
        (0.7, -0.4),
        (-1.0, 1.0, 0.5, 0.2),
        (0.05, 0.0, 0.0, 1.0),
        (0.0, 0.0, 1.0, 1.0, 1.0),
        (0, 0, 0.05),
        (0.5, 0, 0, 0.3, 0, 1),
        (0, 0, 0, 0, 1),
        (0.5, 0, 0.4, 0, 0.7, 0.5),
    ):
        frame = _look(found, *pose)
        ours, rows, columns = _compiled(original, found, frame)
        inside = torch.from_numpy(original).permute(2, 0, 1)[None].float() / 255
        theirs = 255 * looked(inside, eye_pictures(inside, found), frame)[0].permute(1, 2, 0).numpy()
        assert np.abs(ours - theirs).max() < 2.5
        outside = np.ones((size, size), bool)
        outside[rows, columns] = False
        assert np.array_equal(ours[outside], original[outside])


def test_a_character_looks_about_with_open_and_half_closed_eyes_and_not_with_closed_ones() -> None:
    poser = Poser.load("compact", "cpu")
    poser.set_character(read_character(default_character()))

    def changed(**eyes: float) -> float:
        ahead, aside = (poser.pose(Pose(gaze_x=x, **eyes)).astype(int) for x in (0.0, 1.0))
        return float(np.abs(ahead - aside).max(-1).sum())

    opened, half, closed = (changed(eye_left=k, eye_right=k) for k in (0.0, 0.5, 1.0))
    assert opened > 5000 and half > 0.2 * opened and closed < 0.1 * opened


@pytest.mark.parametrize("path", sorted(default_character().parent.glob("*.png")), ids=lambda path: path.stem)
def test_a_lid_has_the_skin_of_its_own_face(path: Path) -> None:
    """And not of what is behind the head, or of lines, which are no skin."""
    poser = Poser.load("compact", "cpu")
    poser.set_character(read_character(path))
    skin = poser._stage.features.pieces.eyes.skin.flatten().numpy()  # type: ignore[union-attr]
    below_nose = poser.pose(Pose(), 256)[166:174, 112:144, :3].reshape(-1, 3) / 255
    assert np.abs(skin - np.median(below_nose, 0)).max() < 0.06


def test_an_eye_that_is_covered_looks_nowhere_and_does_not_close() -> None:
    _, found = _drawn()
    free = torch.ones(1, 1, CROP, CROP)
    free[..., CROP // 2 :] = 0
    frame = _look(found.within(free, torch.ones_like(free), torch.ones_like(free), found.skin), 1, 1, left=1, right=1)
    assert frame.slid[0].abs().min() > 1 and not frame.slid[1].any()
    assert frame.closure.tolist() == [1, 0]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    with Renderer() as renderer:
        return [training.drawn(renderer, seed, "train") for seed in (3, 4)]


def test_what_it_is_taught_is_what_the_renderer_draws(rows: list[dict[str, Any]]) -> None:
    """Parts laid where the pose looks are the picture that the renderer draws of it, but for lids that follow."""
    with Renderer() as renderer:
        recipe = make_recipe(3, "train")
        renderer.load(recipe)
        pose = Pose(mouth_open=float(recipe.rest_mouth))
        crop = slice(CROP_AT, CROP_AT + CROP)
        ahead, aside = (
            premultiplied(renderer.render(replace(pose, gaze_x=x)).rgba)[crop, crop].astype(np.float32) / 255
            for x in (0.0, 0.6)
        )
    batch = training.batch_of(stacked(rows[:1], CPU), None)
    iris = torch.cat([batch.colours[:, :3] * batch.iris, batch.iris], 1)
    by = -0.6 * 0.46 * recipe.eyes.half_width * torch.tensor([1.0, 0.0]).expand(1, 2, 2)
    laid = slid(batch.rest, batch.opening, iris, batch.colours[:, 3:6], by, between(batch.opening))
    ours = laid[0].permute(1, 2, 0).numpy()
    moved = np.abs(aside - ahead).max(-1) > 0.1
    assert moved.sum() > 20
    assert np.abs(ours - aside)[moved].mean() < 0.35 * np.abs(ahead - aside)[moved].mean()


def test_a_batch_trains(rows: list[dict[str, Any]]) -> None:
    torch.manual_seed(0)
    network = PieceReader()
    rng = np.random.default_rng(0)
    batch = training.batch_of(stacked(rows, CPU), rng)
    assert all(part.isfinite().all() and part.min() >= 0 and part.max() <= 1.001 for part in batch)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    totals = []
    for _ in range(12):
        loss = torch.stack(list(training.losses(network, batch, np.random.default_rng(1)).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        totals.append(float(loss.detach()))
    assert totals[-1] < 0.8 * totals[0]


def test_a_run_can_begin_with_what_ships() -> None:
    network = PieceReader()
    network.load_state_dict(training.shipped())


def test_the_shipped_reader_finds_irises_of_characters_it_never_saw() -> None:
    network = load().eyes
    overlaps, missed = [], []
    with Renderer() as renderer, torch.inference_mode():
        for seed in range(60_000_000, 60_000_006):
            row = training.drawn(renderer, seed, "test")
            batch = training.batch_of(stacked([row], CPU), None)
            found, brows = network(batch.rest)
            ours, true = found.opening * found.iris > 0.5, batch.opening * batch.iris > 0.5
            overlaps.append(float((ours & true).sum() / (ours | true).sum().clamp(min=1)))
            missed.append(float((brows[:, 1:] - batch.brow_seen).abs().sum() / batch.brow_seen.sum().clamp(min=9)))
    assert np.median(overlaps) > 0.8 and np.median(missed) < 0.75


@pytest.mark.parametrize("size", [128, 256])
def test_a_wide_eye_is_higher_and_as_dark_at_its_lash(size: int) -> None:
    crop, found = _drawn((0, -3))
    crop = torch.nn.functional.interpolate(crop, (size, size), mode="bilinear", align_corners=False)
    shown, scale = eye_pictures(crop, found), size / CROP
    at = round(CENTRES[0][1] * scale)
    ahead, wide, shut = (
        looked(crop, shown, _look(found, **pose))[0, 0, :, at - 1 : at + 1].mean(1)
        for pose in ({}, {"wide": 1.0}, {"wide": 1.0, "right": 1.0, "left": 1.0})
    )
    lash = [int((x[: round(60 * scale)] < 0.3).float().argmax()) / scale for x in (ahead, wide)]
    assert lash[0] - 4 < lash[1] < lash[0] - 1.5
    assert torch.equal(wide[round(CENTRES[0][0] * scale) :], ahead[round(CENTRES[0][0] * scale) :])
    lines = ((wide[1:] < 0.3) & (wide[:-1] >= 0.3)).sum()
    assert lines == 1, "one lash, joined to the iris below it"
    closed = looked(crop, shown, _look(found, right=1, left=1))[0, 0, :, at - 1 : at + 1].mean(1)
    assert torch.equal(shut, closed), "closed eyes are not wide"


@pytest.mark.parametrize("clear", [1.0, 0.0])
def test_an_open_eye_that_smiles_shows_less_of_its_lower_half(clear: float) -> None:
    """Where a cheek is bare it comes up with the lid; behind hair or glasses skin comes up."""
    crop, found = _drawn()
    found = eyes(found.opening, found.iris, found.lash, found.painted, torch.full_like(found.opening, clear))
    smiling = looked(crop, eye_pictures(crop, found), _look(found, smile=1))
    (row, column), by = CENTRES[0], 0.36 * HALF[1]
    low, high = round(row + HALF[1]), round(row + HALF[1] - by)
    assert crop[0, 0, low - 2, column] > 0.9 and (smiling[0, 0, low - 2 : low, column] - SKIN).abs().max() < 0.12
    assert (smiling - crop)[0, 0, : high - 2, column].abs().max() < 0.02, "all above stays"
    half = looked(crop, eye_pictures(crop, found), _look(found, smile=0.5))
    assert crop[0, 0, low - 2, column] > 0.9 and half[0, 0, low - 3, column] > 0.9, "half as far"
