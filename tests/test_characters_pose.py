"""Characters in the numbers beyond the paper's six: geometry in this process, pictures and truth from another."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from puppeteer.characters import make_recipe, mesh
from puppeteer.characters.geometry import Layer, build
from puppeteer.characters.layers import FEATURES
from puppeteer.characters.moving import FACE, SHIFT, SLIDE
from puppeteer.characters.recipe import Recipe
from puppeteer.errors import RenderError
from puppeteer.pose import BY_NAME, POSE_NAMES, SIX, Pose

MOVES = {  # which groups each number of a face moves
    "gaze_x": {"eyes", "iris"},
    "gaze_y": {"eyes", "iris", "lash"},  # lids follow
    "brow": {"brow"},
    "eye_smile": {"eyes", "lash"},
    "eye_wide": {"eyes", "iris", "lash"},
    "mouth": {"mouth"},
}
FACES = [name for name in FACE if name not in SIX]
BODIES = [name for name in POSE_NAMES if name not in SIX and name not in FACES]
OPENED = {"mouth_wide": {"mouth_open": 0.7}}  # what a number needs to do anything


def _ends(name: str) -> list[float]:
    return [1.0] if BY_NAME[name].low == 0 else [1.0, -1.0]


@cache
def _symmetric(seed: int) -> Recipe:
    r = make_recipe(seed, "gallery")
    return replace(
        r,
        eyes=replace(r.eyes, asymmetry=0.0, gaze=(0.0, 0.0)),
        mouth=replace(r.mouth, x=0.0),
        head=replace(r.head, turn=(0.0, 0.0, 0.0)),
    )


@cache
def _built(seed: int) -> dict[str, Layer]:
    return {layer.name: layer for layer in build(_symmetric(seed))}


def _placed(layer: Layer, pose: Pose) -> Any:
    """(N, 3) where the vertices of a face lie."""
    v = layer.vertices.astype(float)
    k = v[:, mesh.MASK] @ np.array([pose.eye_left, pose.eye_right, pose.mouth_open])
    return v[:, mesh.POSITION] + v[:, mesh.MORPH] * k[:, None] + layer.shifted(pose)[:, SHIFT]


@pytest.mark.parametrize("seed", range(6))
def test_the_six_numbers_alone_add_nothing(seed: int) -> None:
    for layer in _built(seed).values():
        for pose in (Pose(), Pose(0.3, 0.9, 0.4), Pose(1, 1, 1, 0.5, 0.5, 0.5)):
            assert not layer.shifted(pose).any() or not layer.pieces


@pytest.mark.parametrize("name", FACES)
def test_a_number_moves_its_parts_and_more_the_greater_it_is(name: str) -> None:
    expected = next(groups for start, groups in MOVES.items() if name.startswith(start))
    for seed in range(6):
        for end in _ends(name):
            steps = [Pose(**OPENED.get(name, {}), **{name: end * k}) for k in (0.25, 0.5, 0.75, 1.0)]
            for layer in _built(seed).values():
                far = [float(np.abs(layer.shifted(pose)[:, : SLIDE.start]).sum()) for pose in steps]
                if layer.name in expected:
                    assert 0 < far[0] < far[1] < far[2] < far[3], (seed, layer.name)
                else:
                    assert not any(far), (seed, layer.name)


def test_parts_go_where_the_numbers_say() -> None:
    """Left is the viewer's left of the picture, y grows downwards."""
    for seed in range(12):
        built = _built(seed)

        def moved(group: str, built: dict[str, Layer] = built, **pose: float) -> Any:
            return built[group].shifted(Pose(**pose))[:, :2]

        x = built["brow"].vertices[:, 0]
        viewers_right = x > 128
        assert (moved("iris", gaze_x=1)[:, 0] < -2).all() and (moved("iris", gaze_x=-1)[:, 0] > 2).all()
        assert (moved("iris", gaze_y=1)[:, 1] < -1).all() and (moved("iris", gaze_y=-1)[:, 1] > 1).all()
        assert (moved("brow", brow_left=1)[viewers_right, 1] < -4).all()
        assert (moved("brow", brow_left=-1)[viewers_right, 1] > 1.5).all()
        assert not moved("brow", brow_left=1)[~viewers_right].any()
        assert (moved("brow", brow_right=1)[~viewers_right, 1] < -4).all()
        inner = np.abs(x - 128) < np.abs(x - 128).mean() - 3
        outer = np.abs(x - 128) > np.abs(x - 128).mean() + 3
        assert (moved("brow", brow_form=1)[inner, 1] < 0).all() and (moved("brow", brow_form=1)[outer, 1] > 0).all()
        assert (moved("brow", brow_form=-1)[inner, 1] > 0).all() and (moved("brow", brow_form=-1)[outer, 1] < 0.8).all()
        window = built["eyes"].vertices[:, mesh.POSITION]
        low = window[:, 1] > window[:, 1].mean() + 3
        assert (moved("eyes", eye_smile=1)[low, 1] <= 0).all() and moved("eyes", eye_smile=1)[low, 1].min() < -1
        high = window[:, 1] < window[:, 1].mean() - 3
        assert (moved("eyes", eye_wide=1)[high, 1] < 0).all()
        still, smile, frown = (_placed(built["mouth"], Pose(mouth_form=form)) for form in (0, 1, -1))
        corners = np.abs(still[:, 0] - still[:, 0].mean()) > 0.9 * np.ptp(still[:, 0]) / 2
        assert smile[corners, 1].mean() < still[corners, 1].mean() - 0.7
        assert frown[corners, 1].mean() > still[corners, 1].mean() + 0.7
        wide = [np.ptp(_placed(built["mouth"], Pose(mouth_open=0.7, mouth_wide=w))[:, 0]) for w in (-1, 0, 1)]
        assert wide[0] < 0.8 * wide[1] and wide[1] < 0.85 * wide[2]
        shut = Pose(mouth_wide=1)
        assert not built["mouth"].shifted(shut).any(), "closed lips have no vowel"


def test_a_smiling_closed_eye_is_an_arc() -> None:
    for seed in range(12):
        lash = _built(seed)["lash"]
        for pose, sign in ((Pose(1, 1), 1), (Pose(1, 1, eye_smile=1), -1)):
            n = 27 * 3  # the upper lash of the eye on the viewer's left comes first
            line = _placed(lash, pose)[:n].reshape(27, 3, 3).mean(1)
            inside = line[4:-4]
            middle, ends = inside[len(inside) // 2, 1], (inside[0, 1] + inside[-1, 1]) / 2
            assert sign * (middle - ends) > 0.2, (seed, pose)


@pytest.mark.parametrize("name", FACES)
def test_mirrored_poses_make_mirrored_faces(name: str) -> None:
    for seed in range(3):
        for end in _ends(name):
            pose = Pose(eye_left=0.3, mouth_open=0.5, **{name: end})
            for group in ("eyes", "lash", "brow", "mouth"):
                if group == "mouth" and _symmetric(seed).mouth.fang:
                    continue
                here = _placed(_built(seed)[group], pose)[:, :2]
                there = _placed(_built(seed)[group], pose.mirrored())[:, :2]
                there[:, 0] = 256 - there[:, 0]
                apart = np.linalg.norm(here[:, None] - there[None], axis=-1).min(1)
                assert apart.max() < 0.02, (seed, group)


def test_an_iris_tells_where_it_was() -> None:
    iris = _built(1)["iris"]
    slides = iris.shifted(Pose(gaze_x=1, gaze_y=-0.5))
    assert np.allclose(slides[:, SLIDE], -slides[:, :2], atol=2.0)  # but for how much narrower it is


def test_hair_swings_more_at_its_ends() -> None:
    for seed in range(8):
        for name, layer in _built(seed).items():
            hang = layer.vertices[:, mesh.HANG.start]
            assert (hang >= 0).all() and hang.max() < 14
            if name in ("skin", "body", "arms", "neck", "eyes", "mouth", "brow", "lash", "cap"):
                assert not hang.any(), name
            elif name == "back":
                y = layer.vertices[:, 1]
                assert hang[y > 165].mean() > 2 * hang[(y > 125) & (y < 150)].mean()


# ---- pictures ----------------------------------------------------------------------------------------------


def _drawn(seed: int) -> dict[str, Any]:
    from puppeteer.characters import Renderer

    recipe = make_recipe(seed, "gallery")
    rest = Pose(mouth_open=recipe.rest_mouth)
    with Renderer() as renderer:
        renderer.load(recipe)
        found: dict[str, Any] = {"rest": renderer.render(rest).rgba}
        for name in FACES + BODIES:
            found[name] = [
                renderer.render(replace(rest, **OPENED.get(name, {}), **{name: end}), truth=True) for end in _ends(name)
            ]
        found["again"] = renderer.render(rest).rgba
        found["features"] = renderer.features(rest)
        found["face"] = renderer.layers(rest).colour[3]
    return found


SEED = 28  # no fringe over the brows


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_drawn, SEED).result(timeout=120)
        except RenderError as error:
            pytest.skip(str(error))


HERE = np.stack(np.meshgrid(np.arange(256) + 0.5, np.arange(256) + 0.5), -1)


def _premultiplied(rgba: Any) -> Any:
    p = rgba.astype(np.float32)
    p[..., :3] *= p[..., 3:] / 255
    return p


def test_no_pose_leaves_anything_behind(drawn: dict[str, Any]) -> None:
    assert np.array_equal(drawn["rest"], drawn["again"])


@pytest.mark.parametrize("name", FACES)
def test_nothing_else_of_the_picture_moves(drawn: dict[str, Any], name: str) -> None:
    rows = {"gaze": (118, 182), "brow": (104, 160), "eye_": (118, 182), "mout": (160, 200)}[name[:4]]
    for posed in drawn[name]:
        changed = np.argwhere(np.abs(posed.rgba.astype(int) - drawn["rest"]).max(-1) > 3)
        assert len(changed) > 8
        assert changed[:, 0].min() >= rows[0] and changed[:, 0].max() < rows[1]
        assert np.abs(changed[:, 1] - 127.5).max() < 44


@pytest.mark.parametrize("name", FACES + BODIES)
def test_moving_pixels_explain_what_is_not_new(drawn: dict[str, Any], name: str) -> None:
    for posed in drawn[name]:
        before, after = _premultiplied(drawn["rest"]), _premultiplied(posed.rgba)
        place = (posed.rest_xy if name in FACES else posed.neutral_xy).astype(np.float32) - 0.5
        warped = cv2.remap(before, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
        touched = cv2.dilate((np.abs(after - before).max(-1) > 8).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        known = touched & (posed.part > 0) & (posed.part != 4) & (posed.visible > 0)
        left = np.abs(warped - after)[known].mean() / max(np.abs(before - after)[known].mean(), 1e-6)
        assert left < 0.9, f"{name}: {left:.2f} of the change is left"


def test_the_body_leans_turns_breathes_and_hair_swings(drawn: dict[str, Any]) -> None:
    def came(posed: Any, rows: slice, columns: slice) -> Any:
        """Where points of a part of the picture went, px."""
        there = (posed.part > 0)[rows, columns]
        return np.median((HERE - posed.neutral_xy)[rows, columns][there], 0)

    head, chest = (slice(120, 160), slice(108, 148)), (slice(225, 245), slice(118, 138))
    lean, back = drawn["body_z"]
    assert came(lean, *head)[0] < -12 and came(back, *head)[0] > 12
    assert came(lean, *head)[0] < 1.5 * came(lean, *chest)[0]
    turn, away = drawn["body_y"]
    assert -4 < came(turn, *head)[0] < -1 and 1 < came(away, *head)[0] < 4
    (breath,) = drawn["breath"]
    assert -2 < came(breath, *chest)[1] < -1.2 and abs(came(breath, *head)).max() < 0.1
    left, right = drawn["hair_x"]
    hair = (slice(170, 250), slice(None))
    assert came(left, *head)[0] == 0 and (HERE - left.neutral_xy)[hair][..., 0][left.part[hair] == 3].mean() < -1
    assert (HERE - right.neutral_xy)[hair][..., 0][right.part[hair] == 3].mean() > 1


def test_the_parts_laid_over_bare_skin_are_the_face(drawn: dict[str, Any]) -> None:
    found, face = drawn["features"], drawn["face"].astype(float)
    out = found.skin.astype(float)
    parts = dict(zip(FEATURES, found.colour.astype(float), strict=True))
    for name, part in parts.items():
        shown = part * parts["white"][..., 3:] / 255 if name == "iris" else part
        out = shown + out * (1 - shown[..., 3:] / 255)
    inside = face[..., 3] > 250
    assert np.abs(out - face)[inside].mean() < 0.6
    assert (np.abs(out - face)[inside].max(-1) > 40).mean() < 0.01
    white, iris, mouth, lash, _ = found.seen
    assert all(part.max() > 120 for part in (white, iris, mouth, lash)), "something is not seen"
    assert parts["iris"][..., 3].sum() > 1.05 * iris.sum(), "an iris is whole where lids cover it"


def test_a_film_goes_from_end_to_end() -> None:
    from puppeteer.characters.sheet import film

    for name in FACES + BODIES:
        frames = film(name, 0.2)
        values = [getattr(pose, name) for pose in frames]
        assert values[0] == BY_NAME[name].low and values[-1] == 1 and values == sorted(values)
        others = {n for n in POSE_NAMES if n not in (name, "mouth_open")}
        assert not any(getattr(pose, n) for pose in frames for n in others)
