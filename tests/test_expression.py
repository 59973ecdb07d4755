"""Gaze, brows, lids and lips: from landmarks to what the character does, and what lives without being tracked."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from faces import shared_clip

from puppeteer.inputs.video_file import VideoFile
from puppeteer.motion import Calibration, Motion, calibrate, guided, idle_pose, poses_of_clip
from puppeteer.motion.life import Life, Place, Spring
from puppeteer.pose import BY_NAME, EXPRESSIVE, LIFE, POSE_NAMES, TRACKED, FaceObservation, Pose
from puppeteer.settings import MotionSettings
from puppeteer.tracking import ScriptedTracker
from puppeteer.tracking.expression import BROWS, CORNERS, INNER_LIPS, IRISES, LOWER_LIDS, UPPER_LIDS, expression
from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker
from puppeteer.tracking.two_views import mean, unmirrored

CALM = FaceObservation(0.1, 0.1, 0.0, 0.0, 0.0, 0.0, **dict.fromkeys(EXPRESSIVE, 0.0))  # type: ignore[arg-type]
PERSON = Calibration()


def run(seen: list[FaceObservation | None], rate: float = 30.0, **given: Any) -> np.ndarray:
    motion = Motion(MotionSettings(**given), PERSON)
    return np.array([motion.step(face, index / rate).values() for index, face in enumerate(seen)])


def of(poses: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(poses[:, POSE_NAMES.index(name)])


# --- tracking


def test_a_mirrored_face_has_the_mirrored_expression() -> None:
    random = np.random.default_rng(0)
    head = random.normal(0, 1, (478, 3))
    flipped = head * (-1, 1, 1)
    pairs = [(0, 1)]
    for right, left in (*((one[0], one[1]) for one in (CORNERS, LOWER_LIDS, UPPER_LIDS, BROWS)), IRISES, (61, 291)):
        pairs += list(zip(np.ravel(right).tolist(), np.ravel(left).tolist(), strict=True))
    for edge in INNER_LIPS:
        pairs += list(zip(edge[:2], edge[:2:-1], strict=True))
    whole = head * (-1, 1, 1)
    for right, left in pairs[1:]:
        whole[right], whole[left] = flipped[left], flipped[right]
    plain, mirror = expression(head, (0.9, 0.4)), expression(whole, (0.4, 0.9))
    for name in EXPRESSIVE:
        other = mirror[BY_NAME[name].mirror]
        assert plain[name] == pytest.approx(-other if BY_NAME[name].negated else other), name
    assert set(plain) == set(EXPRESSIVE)


SIDED, SINGLE = ("browDown", "mouthSmile", "mouthFrown", "eyeSquint"), ("browInnerUp",)


@pytest.mark.parametrize(
    ("name", "does", "undoes"),
    [
        ("brow_form", "browInnerUp", "browDown"),
        ("mouth_form", "mouthSmile", "mouthFrown"),
        ("eye_smile", "eyeSquint", ""),
    ],
)
def test_blendshapes_help_with_brows_smiles_and_squints_alike_on_both_sides(name: str, does: str, undoes: str) -> None:
    head = np.random.default_rng(0).normal(0, 1, (478, 3))

    def told(**given: float) -> dict[str, float]:
        shapes = dict.fromkeys([*(f"{one}{side}" for one in SIDED for side in ("Left", "Right")), *SINGLE], 0.0)
        return expression(head, (0.9, 0.4), {**shapes, **given})

    def shape(one: str, side: str) -> dict[str, float]:
        return {one if one in SINGLE else one + side: 0.5}

    for side in ("Left", "Right"):
        assert told(**shape(does, side))[name] > told()[name] + 0.2
        assert not undoes or told(**shape(undoes, side))[name] < told()[name] - 0.2
        moved = {one for one, value in told(**shape(does, side)).items() if value != told()[one]}
        assert moved == {name}
    assert told(**shape(does, "Left")) == told(**shape(does, "Right"))


def tracked(clip: str, frames: tuple[int, ...]) -> dict[int, FaceObservation]:
    """What the tracker sees in some frames, looked at from both sides as `track` does."""
    found = {}
    with FaceLandmarkerTracker() as plain, FaceLandmarkerTracker() as mirrored, VideoFile(shared_clip(clip)) as video:
        for frame in video.frames():
            if frame.index in frames:
                face = plain.observe(frame)
                flipped = mirrored.observe(replace(frame, rgb=np.ascontiguousarray(frame.rgb[:, ::-1])))
                assert face is not None and flipped is not None
                found[frame.index] = mean(face, unmirrored(flipped))
            if frame.index >= max(frames):
                break
    return found


def test_lips_and_lids_of_a_real_face() -> None:
    face = tracked("d18.mp4", (27, 48, 76, 138))
    pressed, calm, oh, grin = (face[index] for index in (27, 48, 76, 138))
    assert grin.mouth_form - calm.mouth_form > 0.7  # type: ignore[operator]
    assert abs(oh.mouth_form - calm.mouth_form) < 0.4, "a wide jaw is no smile"  # type: ignore[operator]
    assert grin.mouth_wide - calm.mouth_wide > 0.7  # type: ignore[operator]
    assert pressed.mouth_wide - calm.mouth_wide < -0.7  # type: ignore[operator]
    assert oh.mouth_wide - calm.mouth_wide < -0.3  # type: ignore[operator]
    assert abs(oh.gaze_x - grin.gaze_x) < 0.1  # type: ignore[operator]


def test_a_head_that_turns_while_the_eyes_stay_on_the_camera_is_no_look_aside() -> None:
    """Frames of d3 in which she looks at the camera, then one to each side."""
    looks, left, right = (182, 284, 296, 307, 318), 353, 330
    face = tracked("d3.mp4", (*looks, left, right))
    rest = float(np.median([face[index].gaze_x for index in looks]))  # type: ignore[arg-type]
    person = Calibration.from_flat({"gaze_x_rest": rest, "neck_y": face[296].neck_y})

    def gaze(index: int, contact: float = 0.0) -> float:
        return Motion(MotionSettings(eye_contact=contact), person).step(face[index], 0.0).gaze_x

    assert np.ptp([face[index].neck_y for index in looks]) > 1.0, "she turns by 15 degrees and more"  # type: ignore[arg-type]
    assert max(abs(gaze(index)) for index in looks) < 0.15
    assert gaze(left) > 0.4 and gaze(right) < -0.4
    assert max(abs(gaze(index, 1.0)) for index in looks) > 0.15, "on demand they stay on the viewer"


def test_raised_brows_are_no_look_down() -> None:
    """Frames of d12 in which he looks at the camera, with calm brows and with raised ones."""
    face = tracked("d12.mp4", (2, 12, 60))
    calm, raised, half = face[2], face[12], face[60]
    assert raised.brow_left - calm.brow_left > 0.8 and half.brow_left - calm.brow_left > 0.3  # type: ignore[operator]
    assert abs(raised.gaze_y - calm.gaze_y) < 0.2 and abs(half.gaze_y - calm.gaze_y) < 0.2  # type: ignore[operator]


def test_two_views_and_scripted_rows_know_all_numbers() -> None:
    row = Pose(**dict.fromkeys(TRACKED, 0.25))
    with ScriptedTracker([row]) as tracker:
        seen = tracker.observe(None)  # type: ignore[arg-type]
    assert seen is not None and seen.told() == (0.25,) * len(TRACKED)
    flipped = unmirrored(replace(seen, aside=0.5, gaze_y=None))
    assert flipped.gaze_x == -0.25 and flipped.aside == -0.5 and flipped.gaze_y is None
    assert mean(seen, flipped).gaze_x == 0 and mean(seen, flipped).gaze_y is None


# --- motion


def test_what_is_not_told_stays_at_rest() -> None:
    bare = FaceObservation(0.1, 0.1, 0.0, 0.0, 0.0, 0.0)
    poses = run([bare] * 30)
    for name in EXPRESSIVE:
        assert not of(poses, name).any(), name
    half = run([replace(bare, gaze_x=0.6)] * 30)
    assert of(half, "gaze_x")[-1] > 0.5 and not of(half, "mouth_form").any()


def test_a_mirror_shows_the_other_side_of_every_number() -> None:
    random = np.random.default_rng(1)
    walk = np.clip(np.cumsum(random.normal(0, 0.1, (150, len(EXPRESSIVE))), axis=0), -1, 1)
    seen = [replace(CALM, **dict(zip(EXPRESSIVE, row.tolist(), strict=True))) for row in walk]
    flipped = [unmirrored(face) for face in seen]
    for calibration in (calibrate(list(seen)), None):
        plain, other = (
            Motion(MotionSettings(sway=0), calibration),
            Motion(MotionSettings(sway=0), calibration and calibrate(flipped)),
        )
        mirror = Motion(MotionSettings(mirror=True, sway=0), calibration)
        for index, (face, back) in enumerate(zip(seen, flipped, strict=True)):
            pose = plain.step(face, index / 30)
            np.testing.assert_allclose(other.step(back, index / 30).values(), pose.mirrored().values(), atol=1e-6)
            np.testing.assert_allclose(mirror.step(face, index / 30).values(), pose.mirrored().values(), atol=1e-9)


def test_a_blink_hides_what_lies_behind_the_lids() -> None:
    shut = replace(CALM, eye_left=0.95, eye_right=0.95, gaze_x=-0.9, gaze_y=-1.0, eye_smile=1.0, eye_wide=-3.0)
    aside = replace(CALM, gaze_x=0.6)
    poses = run([aside] * 30 + [shut] * 6 + [aside] * 30)
    assert of(poses, "eye_left")[30:36].max() > 0.9
    assert np.abs(of(poses, "gaze_x")[20:] - of(poses, "gaze_x")[20]).max() < 0.02
    assert of(poses, "gaze_y").min() == 0 and of(poses, "eye_smile").max() == 0
    winking = run([aside] * 30 + [replace(aside, eye_left=0.95, gaze_x=0.9)] * 20)
    assert of(winking, "gaze_x")[-1] > 0.8, "one open eye looks about"


def test_eyes_that_stay_shut_laugh_only_with_the_mouth() -> None:
    """Whoever squints and then looks down at a chat, or frowns with closed eyes, is not happy."""
    squint = replace(CALM, eye_smile=0.8)
    for mouth, least, most in ((0.0, 0.0, 0.02), (0.9, 0.7, 0.9)):
        shut = replace(squint, eye_left=0.95, eye_right=0.95, mouth_form=mouth)
        poses = run([replace(squint, mouth_form=mouth)] * 30 + [shut] * 90)
        smile = of(poses, "eye_smile")
        assert smile[30:42].min() > smile[29] - 0.05, "a blink changes nothing"
        assert least <= smile[-1] <= most
        assert np.abs(np.diff(smile[30:])).max() < 0.1, "it fades"


@pytest.mark.parametrize("rate", [15, 30, 60])
def test_eyes_jump_at_once_and_do_not_tremble_at_rest(rate: int) -> None:
    random = np.random.default_rng(2)
    noise = random.normal(0, 0.03, 4 * rate)
    goal = np.where(np.arange(4 * rate) < 2 * rate, -0.5, 0.6)
    gaze = of(run([replace(CALM, gaze_x=float(value)) for value in goal + noise], rate), "gaze_x")
    after = 2 * rate + math.ceil(0.07 * rate)
    assert gaze[after] > 0.45, "no lag of a low pass"
    assert np.std(gaze[rate : 2 * rate]) < 0.7 * 0.03
    centre = of(run([replace(CALM, gaze_x=float(value)) for value in noise], rate), "gaze_x")
    assert np.abs(centre).max() < 0.03, "who looks at the camera looks at the viewer"


def test_a_face_of_ones_own_rests_at_zero_and_reaches_its_ends() -> None:
    random = np.random.default_rng(3)
    brows, smile = np.where(np.arange(300) % 100 < 10, 3.2, 1.7), np.where(np.arange(300) % 150 < 20, 1.9, 0.2)
    seen = [
        replace(CALM, brow_left=float(brow), brow_right=float(brow), mouth_form=float(lips + random.normal(0, 0.02)))
        for brow, lips in zip(brows, smile, strict=True)
    ]
    poses = np.array([pose.values() for pose in poses_of_clip(list(seen), np.arange(300) / 30, MotionSettings())])
    assert abs(np.median(of(poses, "brow_left"))) < 0.02 and of(poses, "brow_left").max() > 0.9
    assert abs(np.median(of(poses, "mouth_form"))) < 0.05 and of(poses, "mouth_form").max() > 0.9
    quiet = [replace(CALM, mouth_form=float(value)) for value in random.normal(0.3, 0.03, 300)]
    still = np.array([pose.values() for pose in poses_of_clip(list(quiet), np.arange(300) / 30, MotionSettings())])
    assert np.abs(of(still, "mouth_form")).max() < 0.05, "noise is not made into smiles"


def lasting(seen: list[FaceObservation]) -> np.ndarray:
    """The poses at the end of each, which lasts for half a second."""
    frames: list[FaceObservation | None] = [face for face in seen for _ in range(15)]
    times_s = (np.arange(len(frames)) / 30).tolist()
    return np.array([pose.values() for pose in poses_of_clip(frames, times_s, MotionSettings())])[14::15]


def test_who_shouts_for_most_of_a_minute_rests_where_the_face_does_nothing() -> None:
    excited = replace(CALM, mouth_open=0.5, brow_left=1.4, brow_right=1.4, mouth_form=0.9)
    calm = replace(CALM, brow_left=0.6, brow_right=0.6, mouth_form=0.1)
    turned = replace(excited, mouth_open=0.0, neck_y=0.9)
    poses = lasting([excited, turned, excited, calm, excited, excited, excited, excited] * 2)
    for name in ("brow_left", "brow_right", "mouth_form"):
        assert np.abs(of(poses, name)[3::8]).max() < 0.05, name
        assert of(poses, name)[5::8].min() > 0.5, name
    never = calibrate([excited, turned] * 100)
    assert never.rest["brow_left"] == pytest.approx(1.4), "who is never calm rests in the middle"


def test_lids_that_shut_say_nothing_about_how_wide_eyes_open() -> None:
    wide, narrow = replace(CALM, eye_wide=0.9), replace(CALM, eye_left=0.4, eye_right=0.4, eye_wide=-1.8)
    seen = [wide, narrow, CALM, narrow, CALM, CALM, CALM, CALM]
    assert calibrate(seen * 20).reach["eye_wide"] < 1.0
    poses = lasting(seen * 2)
    assert of(poses, "eye_wide")[::8].min() > 0.8 and of(poses, "eye_wide")[5::8].max() < 0.05


def test_another_source_is_another_neutral() -> None:
    motion = Motion(MotionSettings())
    for frame in range(90):
        motion.step(replace(CALM, neck_x=1.4, brow_left=1.5), frame / 30)
    motion.forget_seen()
    for frame in range(90, 150):
        pose = motion.step(CALM, frame / 30)
    assert abs(pose.neck_x) < 0.02 and abs(pose.brow_left) < 0.02


def test_two_more_steps_measure_lips_and_gaze() -> None:
    lips = [replace(CALM, mouth_form=value, mouth_wide=wide) for value, wide in ((0.5, 0.2), (0.1, -0.6))] * 30
    person = guided(PERSON, "lips", list(lips))
    assert person.reach["mouth_form"] == pytest.approx(0.5) and person.reach["mouth_wide"] == pytest.approx(0.6)
    corners = [replace(CALM, gaze_x=x, gaze_y=y) for x in (-0.3, 0.5) for y in (-0.2, 0.4)] * 20
    person = guided(person, "corners", list(corners))
    shown = Motion(MotionSettings(), person).step(corners[-1], 0.0)
    assert person.rest["gaze_x"] == pytest.approx(0.1) and shown.gaze_x == pytest.approx(0.8, abs=0.03)
    assert person.reach["mouth_form"] == pytest.approx(0.5), "steps do not depend on each other"
    assert Calibration.from_dict(person.asdict()) == person
    without = [FaceObservation(0.1, 0.1, 0.0, 0.0, 0.0, 0.0)] * 30
    for step in ("neutral", "lips", "corners"):
        assert guided(person, step, list(without)).reach == person.reach  # type: ignore[arg-type]


def test_a_calibration_from_before_is_still_good() -> None:
    old = {name: value for name, value in PERSON.asdict().items() if "_rest" not in name and "_reach" not in name}
    del old["aside"]
    assert Calibration.from_dict(old) == PERSON


# --- life


def test_it_breathes_whatever_happens() -> None:
    for seen in ([CALM] * 200, [None] * 200):
        breath = of(run(list(seen), idle=False), "breath")
        assert np.ptp(breath) > 0.9 and np.abs(np.diff(breath)).max() < 0.04
    assert not of(run([CALM] * 60, breath=0), "breath").any()


def nodding(time_s: float) -> Pose:
    return Pose(neck_z=math.sin(2 * time_s), neck_y=0.8 * math.sin(3.1 * time_s))


@pytest.mark.parametrize("rate", [10, 15, 24, 60, 144])
def test_body_and_hair_are_the_same_at_every_rate(rate: int) -> None:
    def at(rate: int) -> np.ndarray:
        life = Life()
        times_s = np.arange(6 * rate + 1) / rate
        return np.array([life.step(nodding(time_s), time_s, MotionSettings()).values() for time_s in times_s])

    whole, some = at(240)[:: 240 // math.gcd(240, rate)], at(rate)[:: rate // math.gcd(240, rate)]
    for name in LIFE:
        assert np.abs(of(whole, name) - of(some, name)).max() < 0.02, name
        assert np.ptp(of(some, name)) > 0.2, name


def test_hair_lags_swings_back_and_comes_to_rest() -> None:
    life, swings = Life(), []
    for frame in range(240):
        lean = min(1.0, max(0.0, (frame - 30) / 6))
        swings.append(life.step(Pose(neck_z=lean), frame / 30, MotionSettings()).hair_x)
    assert min(swings[30:40]) < -0.4, "what hangs stays behind"
    assert max(swings[36:80]) > 0.2, "and swings through"
    assert abs(swings[-1]) < 0.02
    assert Life().step(Pose(neck_z=1), 5.0, MotionSettings()).hair_x == 0


def test_hair_of_a_head_that_is_thrown_about_never_stands_at_its_stop() -> None:
    life, swings = Life(), []
    for frame in range(300):
        side = math.copysign(1.0, math.sin(2 * math.pi * frame / 30))
        pose = Pose(neck_y=side, neck_z=side) if frame < 240 else Pose(neck_y=side)
        swings.append(abs(life.step(pose, frame / 30, MotionSettings()).hair_x))
    assert 0.8 < max(swings) < 1.0


def test_the_spring_is_stable_whatever_the_step() -> None:
    spring, random = Spring(), np.random.default_rng(4)
    for _ in range(2000):
        root, passed_s = float(random.uniform(-1, 1)), float(random.choice([0.0, 0.001, 0.03, 0.2, 0.5, 3.0]))
        assert abs(spring.step(root, passed_s, 4.0, 0.02)) < 50
    for _ in range(400):
        last = spring.step(0.0, 0.1, 4.0, 0.02)
    assert abs(last) < 1e-3


def test_the_body_follows_the_head_later() -> None:
    life, poses = Life(), []
    for frame in range(60):
        pose = Pose(neck_y=1.0 if frame >= 10 else 0.0, neck_z=-0.5)
        poses.append(life.step(pose, frame / 30, MotionSettings(sway=0)))
    turn = [pose.body_y for pose in poses]
    assert turn[11] < 0.2 and 0.3 < turn[18] < turn[40] <= 1
    assert poses[-1].body_z < -0.1
    assert Life().step(Pose(neck_y=1), 0.0, MotionSettings(body_delay_s=0, sway=0)).body_y == 1


def test_a_body_shifts_its_weight_while_its_head_is_still() -> None:
    for rate in (10, 60):
        poses = run([CALM] * (20 * rate), rate)
        for name, far in (("body_z", 0.15), ("body_y", 0.2)):
            values = of(poses, name)
            assert far < np.ptp(values) < 3 * far and np.abs(np.diff(values)).max() * rate < 0.3, "slowly"
    assert not of(run([CALM] * 100, sway=0), "body_z").any()
    told = [replace(CALM, body_z=0.3)] * 100
    assert np.ptp(of(run(told), "body_z")[50:]) < 0.01, "where a tracker sees the body it is there"


def test_moving_on_the_chair_moves_the_figure() -> None:
    seen = [replace(CALM, aside=0.0)] * 30 + [replace(CALM, aside=0.6)] * 60
    assert of(run(seen), "body_z")[-1] > 0.5
    told = [replace(CALM, body_z=-0.7, body_y=0.4)] * 60
    assert of(run(told), "body_z")[-1] == pytest.approx(-0.7, abs=0.01), "a body that is told is shown"
    assert Life().step(Pose(), 0.0, MotionSettings(), Place(), adds=("breath",)).body_z == 0


def test_nobody_there_looks_about_in_jumps() -> None:
    gaze = np.array([idle_pose(index / 60).gaze_x for index in range(60 * 60)])
    still = np.abs(np.diff(gaze)) < 1e-9
    assert still.mean() > 0.9 and np.ptp(gaze) > 0.3 and (gaze == 0).mean() > 0.2
