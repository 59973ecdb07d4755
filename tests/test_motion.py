"""Calibration, smoothing, winks, lost faces: what a streamer would notice."""

import json
from dataclasses import replace

import numpy as np
import pytest

from puppeteer.errors import SettingsError
from puppeteer.motion import Calibration, Motion, calibrate, guided, idle_pose, poses_of_clip
from puppeteer.motion.credible import believed
from puppeteer.motion.one_euro import OneEuro
from puppeteer.pose import NUMBERS, SIX, FaceObservation, Pose
from puppeteer.settings import MotionSettings, ParameterSettings

OPEN, CLOSED = 0.1, 0.94
REST = FaceObservation(OPEN, OPEN, 0.0, 0.05, -0.1, 0.02)
PERSON = Calibration(neck_z=0.05, neck_x=-0.1, neck_y=0.02)


def run(seen, rate=30.0, settings=None, calibration=PERSON):
    """float (N, 6) poses of a scripted face at a frame rate."""
    motion = Motion(settings or MotionSettings(), calibration)
    return np.array([motion.step(face, index / rate).values()[:6] for index, face in enumerate(seen)])


def noisy(count, seed=0, **levels):
    """A face at rest with the tracker's noise; levels are arrays or numbers."""
    random = np.random.default_rng(seed)
    columns = {name: np.broadcast_to(levels.get(name, getattr(REST, name)), count) for name in SIX}
    noise = dict(zip(SIX, (0.02, 0.02, 0.005, 0.005, 0.012, 0.008), strict=True))
    return [
        FaceObservation(**{name: float(columns[name][i] + random.normal(0, noise[name])) for name in SIX})
        for i in range(count)
    ]


@pytest.mark.parametrize("rate", [15, 24, 30, 60])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("calibration", [PERSON, None], ids=["calibrated", "automatic"])
def test_a_blink_of_100_ms_closes_both_eyes(rate, phase, calibration):
    start = 2 + phase / rate
    times = np.arange(4 * rate) / rate
    lids = np.where((times >= start) & (times < start + 0.1), CLOSED, OPEN)
    seen = [replace(REST, eye_left=lid, eye_right=lid) for lid in lids]
    eyes = run(seen, rate, calibration=calibration)[:, :2]
    assert eyes.max(axis=0).min() >= 0.9
    assert eyes[times < start].max() == 0
    assert eyes[times > start + 0.35].max() < 0.05


def test_noise_of_someone_who_never_blinks_is_not_made_into_blinks():
    seen = noisy(600)
    for calibration in (calibrate(seen), None):
        assert run(seen, calibration=calibration)[:, :3].max() < 0.1


def test_blinks_that_are_seen_only_in_part_close_the_eyes():
    """Glasses, or narrow eyes: the lids never read as shut."""
    blinking = np.where(np.arange(300) % 60 < 4, 0.45, 0.15)
    seen = noisy(300, eye_left=blinking, eye_right=blinking + 0.03)
    eyes = run(seen, calibration=calibrate(seen))[:, :2]
    assert np.ptp(eyes, axis=0).min() > 0.9
    assert np.median(eyes, axis=0).max() < 0.05
    assert Calibration.from_dict(calibrate(seen).asdict()) == calibrate(seen), "a profile may keep it"
    looking_down = noisy(300, eye_left=np.repeat([0.15, 0.45], 150), eye_right=np.repeat([0.15, 0.45], 150))
    assert run(looking_down, calibration=calibrate(looking_down))[:, :2].max() < 0.6, "that is no blink"
    winking = noisy(300, eye_left=blinking, eye_right=0.15)
    assert calibrate(winking).eye_left_closed >= 0.88


def test_a_mouth_that_stays_closed_stays_closed_and_talking_opens_it():
    quiet = noisy(300, mouth_open=0.01)
    assert run(quiet, calibration=calibrate(quiet))[:, 2].max() < 0.05
    time_s = np.arange(300) / 30
    talk = noisy(300, mouth_open=0.12 + 0.12 * np.sin(2 * np.pi * 3 * time_s))
    mouth = run(talk, calibration=calibrate(talk))[30:, 2]
    assert mouth.max() > 0.35
    assert mouth.min() < 0.1
    shout = noisy(300, mouth_open=np.where(time_s > 5, 1.3, 0.0))
    assert run(shout, calibration=calibrate(shout))[-1, 2] == pytest.approx(1.0)


def test_half_of_a_clip_with_closed_eyes_does_not_turn_closed_into_open():
    seen = noisy(300, eye_left=np.repeat([CLOSED, OPEN], 150), eye_right=np.repeat([CLOSED, OPEN], 150))
    eyes = run(seen, calibration=calibrate(seen))[:, :2]
    assert eyes[20:140].min() > 0.9
    assert eyes[170:].max() < 0.1


def test_a_calm_face_is_calm_and_a_fast_turn_is_not_late():
    calm = run(noisy(300), calibration=calibrate(noisy(300)))
    assert np.abs(np.diff(calm[60:, 3:], axis=0)).mean() < 0.004
    turn = [replace(REST, neck_y=0.02 + min(0.9, max(0.0, (i - 30) * 0.15))) for i in range(60)]
    output = run(turn)[:, 5]
    assert output[38] > 0.75  # two frames after it arrived
    assert output[59] == pytest.approx(0.9, abs=0.02)


def test_every_second_frame_dropped_changes_little():
    time_s = np.arange(600) / 30
    lids = np.where(np.sin(time_s * 1.9) > 0.93, CLOSED, OPEN)
    seen = noisy(
        600,
        eye_left=lids,
        eye_right=lids,
        mouth_open=0.3 + 0.3 * np.sin(time_s * 7),
        neck_y=0.8 * np.sin(time_s * 2),
        neck_z=0.4 * np.sin(time_s * 1.3),
    )
    whole = run(seen, 30, calibration=calibrate(seen))[::2]
    half = run(seen[::2], 15, calibration=calibrate(seen[::2]))
    assert (np.abs(whole - half) <= 0.1).mean(axis=0).min() >= 0.95


@pytest.mark.parametrize("calibration", [None, "whole"])
def test_a_mirrored_face_gives_the_mirrored_pose(calibration):
    random = np.random.default_rng(3)
    walk = np.clip(np.cumsum(random.normal(0, 0.08, (200, 6)), axis=0), -1, 1)
    seen = [FaceObservation(*row) if i % 50 < 40 else None for i, row in enumerate(np.abs(walk) * [1, 1, 1, 0, 0, 0])]
    seen = [face and replace(face, neck_z=w[3], neck_x=w[4], neck_y=w[5]) for face, w in zip(seen, walk, strict=True)]
    flipped = [face and FaceObservation(*Pose(*face.values()).mirrored().values()[:6]) for face in seen]
    still = MotionSettings(idle=False)
    plain = run(seen, settings=still, calibration=calibration and calibrate(seen))
    other = run(flipped, settings=still, calibration=calibration and calibrate(flipped))
    mirror = run(seen, settings=MotionSettings(idle=False, mirror=True), calibration=calibration and calibrate(seen))
    expected = plain[:, [1, 0, 2, 3, 4, 5]] * [1, 1, 1, -1, 1, -1]
    np.testing.assert_allclose(other, expected, atol=1e-5)
    np.testing.assert_allclose(mirror, expected, atol=1e-9)
    assert np.ptp(plain, axis=0).min() > 0.3


def wink(left, right, seconds=0.6):
    frames = round(seconds * 30)
    closing = [replace(REST, eye_left=left, eye_right=right)] * frames
    return [REST] * 30 + closing + [REST] * 30


def test_a_wink_closes_one_eye_and_linked_eyes_close_together():
    free = run(wink(CLOSED, OPEN))
    assert free[45, 0] > 0.95
    assert free[45, 1] < 0.05
    linked = run(wink(CLOSED, OPEN), settings=MotionSettings(link_eyes=True))
    np.testing.assert_array_equal(linked[:, 0], linked[:, 1])
    assert free[-1, :2].max() < 0.01


def test_uneven_lids_are_neither_half_winks_nor_half_blinks():
    for left, right in ((CLOSED, 0.75), (0.3, 0.12)):
        eyes = run(wink(left, right))[:, :2]
        np.testing.assert_allclose(eyes[:, 0], eyes[:, 1], atol=1e-9)
    assert run(wink(CLOSED, 0.75))[45, 0] > 0.85


def test_one_eye_a_frame_ahead_in_a_blink_is_not_a_wink():
    seen = [REST] * 30
    for left, right in ((0.6, OPEN), (CLOSED, 0.6), (CLOSED, CLOSED), (0.6, CLOSED), (OPEN, 0.6)):
        seen.append(replace(REST, eye_left=left, eye_right=right))
    eyes = run(seen + [REST] * 15)[:, :2]
    np.testing.assert_allclose(eyes[:, 0], eyes[:, 1], atol=1e-9)
    assert eyes.max() > 0.9


def test_a_wink_does_not_flicker_while_the_difference_wavers():
    middle = [replace(REST, eye_left=CLOSED - 0.12 * (i % 2), eye_right=0.42 + 0.1 * (i % 2)) for i in range(40)]
    eyes = run([*wink(CLOSED, OPEN)[:48], *middle])[52:, :2]
    difference = eyes[:, 0] - eyes[:, 1]
    assert difference.min() > 0.2  # still apart, although below the difference that starts a wink
    assert np.ptp(difference) < 0.4


def test_a_lost_face_is_held_then_rests_then_idles_and_comes_back_without_a_jump():
    settings = MotionSettings()
    turned = replace(REST, neck_y=0.82, mouth_open=0.7)
    seen = [turned] * 60 + [None] * 300 + [replace(turned, neck_y=-0.6)] * 60
    poses = run(seen, settings=settings)
    held = round(settings.hold_s * 30)
    np.testing.assert_allclose(poses[60 : 60 + held], np.tile(poses[59], (held, 1)), atol=1e-9)
    assert poses[60 + held + round(settings.rest_s * 30) + 2, 5] == pytest.approx(0, abs=0.2)
    gone = poses[120:360]
    assert gone[:, 0].max() > 0.9, "idle motion blinks"
    assert np.ptp(gone[:, 3]) > 0.05, "idle motion sways"
    assert np.ptp(gone[:, 4]) > 0.05, "idle motion breathes"
    steps = np.abs(np.diff(poses, axis=0))
    assert steps[58:118, 2:].max() < 0.15
    assert steps[355:, 2:].max() < 0.25
    back = 360 + round(settings.return_s * 30) + 1
    assert poses[back, 5] == pytest.approx(-0.62, abs=0.02), "no smoothing from before the loss is left"


def test_without_idle_motion_a_lost_face_means_rest():
    poses = run([REST] * 5 + [None] * 120, settings=MotionSettings(idle=False))
    assert not poses[100:].any()


def test_a_single_missed_frame_is_not_a_loss():
    seen = [replace(REST, neck_y=0.01 * i) for i in range(60)]
    whole = run(seen)
    seen[30] = None
    gap = run(seen)
    np.testing.assert_array_equal(gap[30], gap[29])
    assert np.abs(gap - whole).max() < 0.03


COVERED = FaceObservation(0.55, 0.6, 0.3, -0.4, -0.5, 0.9)  # what a hand before the face is read as


def covering(share):
    """What is read as something moves before the face; share 1 is all of it."""
    return FaceObservation(*(a + share * (b - a) for a, b in zip(REST.values(), COVERED.values(), strict=True)))


def test_what_is_misread_just_before_a_loss_is_not_held():
    seen = [REST] * 45 + [covering(share) for share in (0.2, 0.5, 0.8, 1, 1)] + [None] * 18 + [REST] * 30
    poses = run(seen)
    rest = poses[44]
    assert np.abs(poses[49] - rest).max() > 0.3, "live shows it for a moment: nothing is held back"
    np.testing.assert_allclose(poses[58:68], np.tile(rest, (10, 1)), atol=0.02)
    assert np.abs(np.diff(poses[49:], axis=0))[:, 2:].max() < 0.4
    np.testing.assert_allclose(poses[-1], rest, atol=0.02)


def test_a_glimpse_while_the_face_is_covered_is_not_held_either():
    seen = [REST] * 45 + [COVERED] * 3 + [None] * 3 + [COVERED] + [None] * 15
    np.testing.assert_allclose(run(seen)[-4:], np.tile(run(seen)[44], (4, 1)), atol=0.05)


def test_a_fast_turn_with_a_missed_frame_goes_on():
    turn = [replace(REST, neck_y=0.02 + min(0.9, max(0.0, (i - 30) * 0.1))) for i in range(60)]
    whole = run(turn)
    for missed in (35, 38):
        gap = run([None if i == missed else face for i, face in enumerate(turn)])
        assert np.abs(gap - whole).max() < 0.12
        assert (np.diff(gap[30:45, 5]) > -0.001).all(), "never back"


def test_a_pose_that_was_held_for_a_while_is_credible_whatever_it_is():
    turned = replace(REST, neck_y=0.9, eye_left=CLOSED, eye_right=CLOSED)
    poses = run([REST] * 30 + [turned] * 15 + [None] * 10)
    np.testing.assert_allclose(poses[-1], poses[44], atol=1e-9)


def test_in_a_clip_what_is_misread_before_a_loss_is_never_shown():
    seen = [REST] * 45 + [COVERED] * 4 + [None] * 15 + [REST] * 30
    times_s = [index / 30 for index in range(len(seen))]
    poses = np.array([pose.values()[:6] for pose in poses_of_clip(seen, times_s, MotionSettings())])
    assert np.abs(poses[:64] - poses[40]).max() < 0.05
    talking = [replace(REST, mouth_open=0.6)] * 33 + [REST] * 12 + [COVERED] * 4 + [None] * 15
    mouth = np.array([pose.mouth_open for pose in poses_of_clip(talking, times_s[:64], MotionSettings())])
    assert mouth[45:].max() < 0.1, "what is left is believed"
    whole = [REST] * 45 + [replace(REST, neck_y=0.9)] * 4
    assert believed(whole, times_s[:49]) == whole, "the end of a clip is no loss"
    assert believed([REST, None, REST], [0, 1 / 30, 2 / 30]) == [REST, None, REST]
    assert believed([None, COVERED, None], [0, 0.2, 0.4]) == [None, COVERED, None]


def test_before_the_first_face_there_is_idle_motion_that_depends_on_time_alone():
    poses = run([None] * 90)
    assert [tuple(pose) for pose in poses] == [idle_pose(i / 30).clamped().values()[:6] for i in range(90)]


def test_idle_motion_is_valid_continuous_and_blinks_every_few_seconds():
    poses = np.array([idle_pose(i / 100).values() for i in range(12_000)])
    assert (poses[:, :3] >= 0).all() and (np.abs(poses) <= 1).all()
    assert np.abs(np.diff(poses, axis=0)).max() < 0.25
    blinks = (np.diff((poses[:, 0] > 0.9).astype(int)) == 1).sum()
    assert 20 <= blinks <= 40


def test_automatic_calibration_learns_the_person_and_keeps_still_while_it_does():
    tilted = {"neck_z": 0.6, "neck_x": -0.5, "neck_y": 0.3, "eye_left": 0.45, "eye_right": 0.4, "mouth_open": 0.03}
    seen = noisy(900, **tilted)
    poses = run(seen, calibration=None)
    assert np.abs(poses[30:, 3:]).max() < 0.06
    assert poses[:, :3].max() < 0.25
    assert np.abs(np.diff(poses, axis=0)).max() < 0.1


def test_recentring_moves_the_head_and_leaves_the_lids_alone():
    motion = Motion(MotionSettings(), PERSON)
    motion.recentre()  # nobody seen yet: nothing happens
    motion.step(replace(REST, neck_y=0.5, eye_left=CLOSED, eye_right=CLOSED), 0.0)
    motion.recentre()
    for frame in range(1, 60):
        pose = motion.step(replace(REST, neck_y=0.5, eye_left=CLOSED, eye_right=CLOSED), frame / 30)
    assert pose.neck_y == pytest.approx(0, abs=1e-3)
    assert pose.eye_left > 0.9


def test_gain_dead_zone_and_range_act_at_once():
    seen = replace(REST, neck_y=0.42)
    motion = Motion(MotionSettings(), PERSON)
    motion.step(seen, 0.0)
    assert motion.meters.calibrated[5] == pytest.approx(0.4)
    for parameter, expected in (
        (ParameterSettings(gain=2), 0.8),
        (ParameterSettings(gain=4), 1.0),
        (ParameterSettings(gain=2, range=0.5), 0.5),
        (ParameterSettings(dead_zone=0.4), 0.0),
        (ParameterSettings(dead_zone=0.2), 0.25),
    ):
        motion.settings = MotionSettings(neck_y=parameter)
        motion.step(seen, 0.0)
        assert motion.meters.calibrated[5] == pytest.approx(expected)
    assert motion.meters.raw == seen.told()
    assert motion.meters.ranges[5] == pytest.approx((0.02, 1.02))


def test_guided_calibration_takes_each_step_by_itself():
    look = noisy(60, eye_left=0.3, eye_right=0.25, mouth_open=0.02, neck_x=0.4)
    person = guided(Calibration(), "neutral", look)
    assert (person.eye_left_open, person.neck_x) == pytest.approx((0.3, 0.4), abs=0.02)
    person = guided(person, "mouth_open", noisy(60, mouth_open=0.8))
    assert person.mouth_open == pytest.approx(0.8, abs=0.02)
    shut = guided(person, "eyes_closed", noisy(60, eye_left=0.92, eye_right=0.9))
    assert shut.eye_right_closed == pytest.approx(0.9, abs=0.02)
    assert shut.neck_x == person.neck_x, "eyelids are calibrated apart from the head"


@pytest.mark.parametrize("step", ["neutral", "eyes_closed", "mouth_open"])
@pytest.mark.parametrize("lids", [-2.0, OPEN, 0.5, CLOSED, 3.0])
def test_no_guided_calibration_stops_the_eyes_from_closing(step, lids):
    person = guided(PERSON, step, noisy(30, eye_left=lids, eye_right=lids, mouth_open=lids))
    eyes = run([REST] * 30 + [replace(REST, eye_left=1.0, eye_right=1.0)] * 10, calibration=person)[:, :2]
    assert eyes[-1].min() > 0.9
    assert eyes[25].max() < 0.4, "and from opening"


def test_guided_calibration_without_a_face_says_what_to_do():
    with pytest.raises(SettingsError, match="look into the camera"):
        guided(Calibration(), "neutral", [None, None])


def test_a_clip_without_a_face_has_the_default_ranges():
    assert calibrate([None, None]) == Calibration() == calibrate([])


def test_calibrations_travel_through_json():
    person = calibrate(noisy(200, neck_y=0.3))
    assert Calibration.from_dict(json.loads(json.dumps(person.asdict()))) == person


@pytest.mark.parametrize(
    "change", [{"neck_x": "left"}, {"neck_x": float("nan")}, {"eye_left_closed": 0.1}, {"nose": 1}, {"neck_x": True}]
)
def test_a_wrong_calibration_is_refused(change):
    with pytest.raises(SettingsError, match="calibrate again"):
        Calibration.from_dict({**PERSON.asdict(), **change})
    with pytest.raises(SettingsError, match="calibrate again"):
        Calibration.from_dict([1, 2])


def test_wild_observations_give_valid_poses():
    random = np.random.default_rng(1)
    poses = run([FaceObservation(*row) for row in random.normal(0, 5, (200, 6))], calibration=None)
    for declared, column in zip(NUMBERS[:6], poses.T, strict=True):
        assert column.min() >= declared.low
        assert column.max() <= 1


def test_a_looped_clip_goes_on_where_it_was():
    motion = Motion(MotionSettings(), PERSON)
    for _ in range(3):
        for frame in range(60):
            pose = motion.step(replace(REST, neck_y=0.5 if frame >= 30 else -0.5), frame / 30)
        assert pose.neck_y == pytest.approx(0.48, abs=0.02)
    gone = [motion.step(None, time_s).values() for _ in range(20) for time_s in (0.0, 1.0)]
    assert gone[-1] != gone[0]


def test_one_euro_is_steady_quick_and_the_same_at_any_rate():
    random = np.random.default_rng(0)
    noise = random.normal(0, 0.01, 300)
    still = OneEuro()
    smooth = [still.step(value, i / 30, 1.0, 0.5) for i, value in enumerate(noise)]
    assert np.std(smooth[30:]) < 0.5 * np.std(noise)

    def ramp(rate):
        one_euro = OneEuro()
        return [one_euro.step(i / rate, i / rate, 1.0, 2.0) for i in range(rate + 1)][-1]

    assert ramp(15) == pytest.approx(ramp(120), abs=0.03)
    assert OneEuro().step(5.0, 1.0, 1.0, 0.0) == 5.0
    again = OneEuro()
    again.step(1.0, 1.0, 1.0, 1.0)
    assert again.step(9.0, 1.0, 1.0, 1.0) == 1.0  # no time has passed
