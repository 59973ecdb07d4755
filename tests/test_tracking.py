"""Real faces through the real face landmarker, up to the table that `track` writes."""

import csv
import math
import threading
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from clips import make_clip
from faces import astronaut, carphone, clip_frames, shared_clip
from PIL import Image

from puppeteer import weights
from puppeteer.commands.track import track
from puppeteer.errors import SinkError, SourceError, WeightsError
from puppeteer.motion import Motion, calibrate
from puppeteer.outputs.motion_table import HEADER
from puppeteer.outputs.video_file import VideoWriter
from puppeteer.pose import NECK_RANGE_DEG, POSE_NAMES, FaceObservation, Frame, Pose
from puppeteer.settings import MotionSettings, Settings
from puppeteer.tracking import TRACKERS, face_landmarker
from puppeteer.tracking.camera import facial_matrix
from puppeteer.tracking.face_landmarker import LIDS_LEFT, LIDS_RIGHT, FaceLandmarkerTracker, chosen, observation
from puppeteer.tracking.scripted import ScriptedTracker
from puppeteer.tracking.two_views import TwoViews
from puppeteer.tracking.views import Box, tiles

MIRRORED = np.array([1, 1, 1, -1, 1, -1])
SWAPPED = [1, 0, 2, 3, 4, 5]


def look(*pictures):
    """What a fresh tracker sees in pictures 30 ms apart."""
    with FaceLandmarkerTracker() as tracker:
        return [tracker.observe(Frame(picture, index * 0.03, index)) for index, picture in enumerate(pictures)]


def turned(picture, degrees):
    """Turned counterclockwise on the screen: the head leans to the viewer's left."""
    return np.asarray(Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(90, 90, 90)))


@cache
def seen_astronaut():
    return look(astronaut())[0]


def test_a_smiling_face_has_open_eyes_and_parted_lips():
    seen = seen_astronaut()
    assert seen.eye_left < 0.4 and seen.eye_right < 0.4
    assert 0.15 < seen.mouth_open < 0.6
    assert seen.landmarks.shape == (478, 3) and seen.landmarks.dtype == np.float32
    assert seen.landmarks[:, :2].min() > 0 and seen.landmarks[:, :2].max() < 1


def test_leaning_to_the_viewers_left_is_positive_and_closes_nothing():
    straight = seen_astronaut()
    for degrees in (15, -15):
        lean = look(turned(astronaut(), degrees))[0]
        assert lean.neck_z - straight.neck_z == pytest.approx(degrees / NECK_RANGE_DEG, abs=0.25)
        np.testing.assert_allclose(lean.values()[:3], straight.values()[:3], atol=0.15)


def test_the_mirror_image_swaps_the_eyes_and_negates_turn_and_lean():
    flipped = np.array(look(astronaut()[:, ::-1])[0].values())[SWAPPED] * MIRRORED
    np.testing.assert_allclose(flipped, seen_astronaut().values(), atol=0.15)


def rotated(seen, x=0.0, y=0.0, z=0.0):
    """The same face after the head has looked up by x, turned to the viewer's left by y, leaned there by z degrees."""
    side = 512
    spots = seen.landmarks.astype(float) * (side, -side, -side)
    a, b, c = math.radians(-x), math.radians(-y), math.radians(z)
    nod = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    turn = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    lean = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    own = [math.radians(value * NECK_RANGE_DEG) for value in (seen.neck_z, seen.neck_x, seen.neck_y)]
    cz, sz, cx, sx, cy, sy = (f(v) for v in (own[0], -own[1], -own[2]) for f in (math.cos, math.sin))
    was = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    was = was @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    now = lean @ turn @ nod
    matrix = np.eye(4)
    matrix[:3, :3] = 1.7 * now
    moved = (spots - spots.mean(axis=0)) @ (now @ was.T).T + (side / 2, -side / 2, 0)
    return (moved / (side, -side, -side)).astype(np.float32), matrix


@pytest.mark.parametrize("turn", [{"x": 20}, {"x": -20}, {"y": 20}, {"y": -20}, {"z": 30}, {"x": 12, "y": -18, "z": 9}])
def test_a_turned_head_is_neither_a_closed_eye_nor_an_open_mouth(turn):
    straight = seen_astronaut()
    seen = observation(*rotated(straight, **turn), 512, 512)
    np.testing.assert_allclose(seen.values()[:3], straight.values()[:3], atol=0.01)
    expected = [turn.get(axis, 0) / NECK_RANGE_DEG for axis in "zxy"]
    np.testing.assert_allclose(seen.values()[3:], expected, atol=1e-3)


@pytest.mark.parametrize(("degrees", "far"), [(40, LIDS_RIGHT), (-40, LIDS_LEFT)])
def test_the_far_eye_follows_the_near_one_when_the_turn_hides_it(degrees, far):
    face, matrix = rotated(seen_astronaut(), y=degrees)
    plain = observation(face, matrix, 512, 512)
    face[list(far[0])] = face[list(far[1])]  # the far eye reads as closed
    seen = observation(face, matrix, 512, 512)
    assert seen.eye_left == pytest.approx(seen.eye_right)
    near = "eye_left" if degrees > 0 else "eye_right"
    assert getattr(seen, near) == pytest.approx(getattr(plain, near), abs=0.03)


def test_no_face_is_none_and_the_next_face_is_found():
    blank = np.full_like(astronaut(), 128)
    assert [face is not None for face in look(blank, astronaut(), blank, astronaut())] == [False, True, False, True]


def test_time_may_stand_still_or_jump_back_and_frames_may_be_views():
    with FaceLandmarkerTracker() as tracker:
        for time_s in (5.0, 5.0, 0.0, -3.0, 1e6):
            assert tracker.observe(Frame(astronaut()[::-1][::-1], time_s)) is not None


def beside(left, right):
    """Two faces in one picture, uint8 (260, 520, 3); None leaves a place empty."""
    picture = np.full((260, 520, 3), 128, np.uint8)
    for place, face in ((0, left), (260, right)):
        if face is not None:
            picture[:, place : place + 260] = face
    return picture


def portrait(side=260):
    """The face alone, smaller in the picture for a larger side."""
    return np.asarray(Image.fromarray(astronaut()[: side - 20, 240 - side // 2 :][:, :side]).resize((260, 260)))


def test_among_two_faces_the_one_we_had_stays_even_when_it_is_hidden_for_a_moment():
    own, other = portrait(300), portrait(220)  # the other is larger
    pictures = [beside(own, None)] * 2 + [beside(own, other)] * 4 + [beside(None, other)] * 4 + [beside(own, other)] * 2
    seen = look(*pictures)
    assert [face is not None for face in seen] == [True] * 6 + [False] * 4 + [True] * 2
    assert all(face.landmarks[:, 0].mean() < 0.5 for face in seen if face is not None)
    assert look(beside(own, other))[0].landmarks[:, 0].mean() > 0.5, "at first the larger face is taken"


def test_somebody_else_is_taken_once_the_own_face_has_been_away():
    alone = beside(None, portrait())
    with FaceLandmarkerTracker() as tracker:
        assert tracker.observe(Frame(beside(portrait(), None), 0.0)) is not None
        assert tracker.observe(Frame(alone, 0.5)) is None
        assert tracker.observe(Frame(alone, 1.6)).landmarks[:, 0].mean() > 0.5


def test_the_largest_face_is_taken_first_and_the_nearest_later():
    small, large = Box(100, 100, 80), Box(400, 100, 200)
    assert chosen([], None) is None
    assert chosen([small, large], None) == 1
    assert chosen([large, small], Box(110, 95, 85)) == 1
    assert chosen([large], Box(110, 95, 85)) is None


def far_away(pixels, x, y):
    """uint8 (1080, 1920, 3): the astronaut with a face of so many pixels about this place."""
    picture = np.random.default_rng(0).integers(90, 150, (1080, 1920, 3), np.uint8)
    side = round(300 * pixels / 109)
    face = Image.fromarray(astronaut()[:300, 70:370]).resize((side, side), Image.Resampling.BOX)
    picture[y - side // 2 :, x - side // 2 :][:side, :side] = np.asarray(face)
    return picture


@pytest.mark.parametrize("pixels", [80, 120, 180])
@pytest.mark.parametrize(("x", "y"), [(960, 540), (270, 330), (1600, 700)])
def test_a_face_far_away_is_found_followed_and_told(monkeypatch, pixels, x, y):
    looks = []
    look_once = FaceLandmarkerTracker._look
    monkeypatch.setattr(FaceLandmarkerTracker, "_look", lambda self, rgb: looks.append(1) or look_once(self, rgb))
    with FaceLandmarkerTracker() as tracker:
        seen = [tracker.observe(Frame(far_away(pixels, x, y), index / 30)) for index in range(12)]
        found = [face is not None for face in seen]
        assert any(found) and all(found[found.index(True) :])
        looks.clear()
        moved = [tracker.observe(Frame(far_away(pixels, x + 6 * k, y), 0.4 + k / 30)) for k in range(12)]
        assert all(moved) and len(looks) == 12, "it costs what any face costs"
    for face in (seen[-1], moved[-1]):
        np.testing.assert_allclose(face.values()[:3], seen_astronaut().values()[:3], atol=0.15)
        assert face.small == (pixels < 172)
    middle = moved[-1].landmarks[:, :2].mean(axis=0) * (1920, 1080)
    np.testing.assert_allclose(middle, (x + 66, y), atol=0.45 * pixels)
    assert not seen_astronaut().small


def test_before_the_camera_of_a_frame_a_head_is_turned_as_mediapipe_has_it(monkeypatch):
    taken = []
    monkeypatch.setattr(face_landmarker, "observation", lambda *args: taken.append(args) or observation(*args))
    with FaceLandmarkerTracker() as tracker:
        for picture in (astronaut(), astronaut()[:400, 60:460], np.pad(astronaut(), ((0, 100), (0, 300), (0, 0)))):
            assert tracker.observe(Frame(np.ascontiguousarray(picture), len(taken) / 30)) is not None
    for face, matrix, width, height, _ in taken:
        np.testing.assert_allclose(facial_matrix(face, width, height), matrix, atol=2e-3)
    assert len(taken) == 3


@pytest.mark.parametrize("x", [450, 1470])
def test_a_face_at_the_side_does_not_turn_when_it_goes_farther_away(x):
    """Then it is looked for in a square, in whose middle it is."""

    def neck(pixels):
        with FaceLandmarkerTracker() as tracker:
            frames = [Frame(far_away(pixels, x, 540), index / 30) for index in range(12)]
            seen = [tracker.observe(frame) for frame in frames][-1]
        return np.array([seen.neck_z, seen.neck_x, seen.neck_y])

    np.testing.assert_allclose(neck(150), neck(310), atol=0.12)


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (640, 480), (480, 640), (512, 512), (97, 31)])
def test_squares_cover_a_frame_so_that_a_small_face_lies_whole_in_one(size):
    width, height = size
    squares = tiles(width, height)
    assert all(0 <= one.left <= width - one.side and 0 <= one.top <= height - one.side for one in squares)
    face = 0.3 * 0.45 * min(size)
    for x, y in np.random.default_rng(0).uniform((0, 0), (width - face, height - face), (200, 2)):
        assert any(
            one.left <= x and one.top <= y and x + face <= one.left + one.side and y + face <= one.top + one.side
            for one in squares
        )


def test_a_missing_or_wrong_landmarker_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"face_landmarker\.task"):
        FaceLandmarkerTracker()
    (tmp_path / "face_landmarker.task").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match=r"face_landmarker\.task"):
        FaceLandmarkerTracker()


def test_closing_twice_is_fine():
    tracker = TRACKERS["face_landmarker"]()
    tracker.close()
    tracker.close()


def test_the_scripted_tracker_says_what_it_was_told():
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0.0)
    seen = FaceObservation(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    with ScriptedTracker([seen, None, Pose(eye_left=1)]) as tracker:
        assert tracker.observe(frame) is seen
        assert tracker.observe(frame) is None
        assert tracker.observe(frame).eye_left == 1
        assert tracker.observe(frame) is None


def table(path):
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == HEADER == ("time_s", *POSE_NAMES, "face")
    return np.array(rows, float)


def test_track_writes_a_row_per_frame_calibrated_or_raw(tmp_path):
    track(carphone(), tmp_path / "poses.csv")
    track(carphone(), tmp_path / "raw.csv", raw=True)
    track(carphone(), tmp_path / "mirror.csv", settings=Settings(motion=MotionSettings(mirror=True)))
    poses, raw, mirror = (table(tmp_path / name) for name in ("poses.csv", "raw.csv", "mirror.csv"))
    frames = clip_frames(carphone())
    np.testing.assert_allclose(poses[:, 0], [frame.time_s for frame in frames], atol=1e-6)
    assert (poses[:, -1] == 1).all() and (raw[:, -1] == 1).all()
    assert np.abs(raw[:, 4]).min() >= 11 / 15 and np.abs(raw[:, 4]).max() <= 36 / 15  # his head is tilted
    assert np.abs(np.median(poses[:, 4])) < 0.1  # which is his neutral pose
    assert (poses[:, 1:4] >= 0).all() and (np.abs(poses[:, 1:7]) <= 1).all()
    assert np.ptp(poses[:, 3]) > 0.2  # he talks
    np.testing.assert_allclose(mirror[:, 1:7], poses[:, 1:7][:, SWAPPED] * MIRRORED, atol=2e-6)
    assert {path.name for path in tmp_path.iterdir()} == {"poses.csv", "raw.csv", "mirror.csv"}


def test_track_without_a_face_or_a_place_to_write_says_so_and_writes_nothing(tmp_path):
    clip = make_clip(tmp_path / "plain.mp4")
    with pytest.raises(SourceError, match="no face was found"):
        track(clip, tmp_path / "poses.csv")
    with pytest.raises(SinkError, match="does not exist"):
        track(clip, tmp_path / "nowhere" / "poses.csv")
    with pytest.raises(SinkError, match="is a folder"):
        track(clip, tmp_path)
    with pytest.raises(SinkError, match="would be overwritten"):
        track(clip, clip)
    assert [path.name for path in tmp_path.iterdir()] == ["plain.mp4"]


def poses_of(frames):
    """float (N, 6): what `track` writes of the first six numbers for these frames."""
    with FaceLandmarkerTracker() as tracker:
        seen = [tracker.observe(frame) for frame in frames]
    motion = Motion(MotionSettings(), calibrate(seen))
    return np.array([motion.step(face, frame.time_s).values()[:6] for face, frame in zip(seen, frames, strict=True)])


def flip_and_drop(path):
    """Share of frames within 0.1, for each of the six: against the mirrored clip, and with every second frame."""
    frames = clip_frames(path)
    poses = poses_of(frames)
    flipped = poses_of([Frame(frame.rgb[:, ::-1], frame.time_s, frame.index) for frame in frames])
    half = poses_of(frames[::2])
    mirror = np.abs(flipped[:, SWAPPED] * MIRRORED - poses) <= 0.1
    dropped = np.abs(half - poses[::2]) <= 0.1
    return poses, mirror, dropped


def test_a_man_in_a_car_mirrored_and_with_dropped_frames():
    poses, mirror, dropped = flip_and_drop(carphone())
    assert mirror.mean(axis=0).min() >= 0.85, mirror.mean(axis=0)
    assert dropped.mean(axis=0).min() >= 0.9, dropped.mean(axis=0)
    assert np.ptp(poses[:, 2]) > 0.2


def test_a_clip_and_its_mirror_image_agree(tmp_path):
    """What `track` does, by the whole way from a file to a table."""
    frames = clip_frames(carphone())
    for name, step in (("plain", 1), ("mirror", -1)):
        with VideoWriter(tmp_path / f"{name}.mp4", (192, 144), 25) as writer:
            for frame in frames[:60]:
                writer.write(np.ascontiguousarray(frame.rgb[:, :192][:, ::step]), frame.time_s)
        track(tmp_path / f"{name}.mp4", tmp_path / f"{name}.csv")
    plain, mirror = (table(tmp_path / f"{name}.csv")[:, 1:7] for name in ("plain", "mirror"))
    near = np.abs(mirror[:, SWAPPED] * MIRRORED - plain) <= 0.05
    assert near.all(axis=1).mean() >= 0.7, near.mean(axis=0)


def test_two_views_are_averaged_where_they_are_of_one_face():
    frame = Frame(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 0.0)
    here = np.random.default_rng(0).uniform(0.1, 0.3, (478, 3)).astype(np.float32)
    there = here * (-1, 1, 1) + (1, 0, 0)  # in the mirror
    one = FaceObservation(0.0, 1.0, 0.2, 0.5, 0.3, -0.2, here)
    other = FaceObservation(0.8, 0.2, 0.4, -0.3, 0.1, 0.0, there.astype(np.float32))

    def seen(plain, mirrored):
        views = iter([ScriptedTracker([plain]), ScriptedTracker([mirrored])])
        with TwoViews(lambda: next(views)) as tracker:
            return tracker.observe(frame)

    assert seen(one, other).values() == pytest.approx((0.1, 0.9, 0.3, 0.4, 0.2, -0.1))
    assert seen(one, other).landmarks is here
    assert seen(one, None) is one and seen(None, None) is None
    assert seen(None, other).values() == pytest.approx((0.2, 0.8, 0.4, 0.3, 0.1, 0.0))
    np.testing.assert_allclose(seen(None, other).landmarks, here, atol=1e-6)
    somebody_else = replace(other, landmarks=here)
    assert seen(one, somebody_else) is one


def test_two_views_are_looked_at_at_the_same_time_each_in_a_thread_of_its_own():
    both = threading.Barrier(2, timeout=10)
    threads = [set(), set()]

    class Waits(ScriptedTracker):
        def __init__(self, mine):
            super().__init__([None, None])
            self.mine = mine
            mine.add(threading.get_ident())

        def observe(self, frame):
            self.mine.add(threading.get_ident())
            both.wait()
            return super().observe(frame)

        def __exit__(self, *_):
            self.mine.add(threading.get_ident())

    views = (Waits(mine) for mine in threads)
    with TwoViews(lambda: next(views)) as tracker:
        for time_s in (0.0, 0.04):
            tracker.observe(Frame(np.zeros((2, 2, 3), np.uint8), time_s))
    assert [len(mine) for mine in threads] == [1, 1] and threads[0] != threads[1]


@pytest.mark.parametrize(
    ("name", "share", "turns"), [("d3", 0.9, True), ("d9", 0.95, True), ("d12", 0.9, True), ("d14", 0.95, False)]
)
def test_shared_clips_mirrored_and_with_dropped_frames(name, share, turns):
    poses, mirror, dropped = flip_and_drop(shared_clip(f"{name}.mp4"))
    assert mirror[:, [0, 1, 3, 5]].all(axis=1).mean() >= share, mirror.mean(axis=0)
    assert mirror.mean(axis=0).min() >= 0.88, mirror.mean(axis=0)
    assert dropped.all(axis=1).mean() >= 0.95, dropped.mean(axis=0)
    assert np.ptp(poses[:, :2], axis=0).min() >= 0.5
    assert not turns or np.ptp(poses[:, 5]) >= 0.5
