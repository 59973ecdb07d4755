"""The live engine: whatever fails is told, everything else lives on, and it recovers by itself."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import drawn_character
from stage import ENDED_S, SHORT, SMALL, TURNED, Stage, StageDevice, StagePoser, StageTracker, eventually, on_stage

from puppeteer.by_name import set_by_name
from puppeteer.errors import SettingsError, SinkError, WeightsError
from puppeteer.image import write_png
from puppeteer.inputs.scripted import Fault, ScriptedCamera
from puppeteer.live import Live
from puppeteer.live.attempts import Patience
from puppeteer.live.detail import Detail
from puppeteer.live.driving import Driving
from puppeteer.live.status import Picture
from puppeteer.motion import Calibration
from puppeteer.outputs.compose import Placed, parse_background
from puppeteer.pose import POSE_NAMES, FaceObservation, Pose
from puppeteer.settings import STUDIO, PoserSettings

GAP_S = 4.0  # between two pictures of the virtual camera whatever else goes wrong: usually 0.04, on a full machine 1.5


def flows(stage: Stage, pictures: int = 8) -> bool:
    """Whether the virtual camera gets its pictures just now."""
    before = len(stage.device.times_s)
    return eventually(lambda: len(stage.device.times_s) >= before + pictures, pictures * GAP_S)


def turned_by(stage: Stage) -> float:
    """`neck_y` as the newest picture shows it."""
    picture = stage.live.picture
    assert picture is not None
    return (float(picture.pixels[60, 80, 0]) - 127) / 127


def test_a_face_moves_the_character_as_in_a_mirror(character_png: Path) -> None:
    settings = SMALL.model_copy(update={"calibration": Calibration().asdict()})
    with on_stage(character_png, settings) as stage:
        assert eventually(lambda: turned_by(stage) < -0.4)
        stage.live.apply(set_by_name(stage.live.settings, "motion.mirror", False))
        assert eventually(lambda: turned_by(stage) > 0.3)
        status = stage.live.status()
        assert status.driver == "face" and status.camera.state == status.face.state == "ok"
        assert {part.state for part in status.parts().values()} == {"ok", "off"}
        assert eventually(lambda: stage.live.status().capture_fps > 5 and stage.live.status().output_fps > 2)
        assert {"track", "pose", "compose", "send", "camera_to_output"} <= set(stage.live.status().latency_ms)
        assert 0 < stage.live.status().latency_ms["camera_to_output"] < 5000


@pytest.mark.parametrize("fault", ["none", "busy", "refused"])
def test_a_camera_that_cannot_be_opened_is_told_and_tried_again(fault: Fault, character_png: Path) -> None:
    stage = Stage()
    stage.camera.fault = fault
    with on_stage(character_png, stage=stage):
        camera = stage.live.status().camera
        said = {"none": "plug one in", "busy": "in use by another program", "refused": "allow it"}[fault]
        assert camera.state == "problem" and said in camera.text
        assert stage.live.status().driver == ("demo" if fault == "none" else "idle")
        assert ("recorded motion stands in" in camera.text) == (fault == "none")
        assert flows(stage)
        stage.camera.fault = None
        assert eventually(lambda: stage.live.status().camera.state == "ok" and stage.live.status().driver == "face")
        assert any(said in line for line in stage.live.log.lines())


@pytest.mark.parametrize("fault", ["unplugged", "fails", "blocks", "freezes"])
def test_a_camera_that_fails_is_told_and_comes_back(fault: Fault, character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().driver == "face")
        began = len(stage.device.times_s)
        stage.camera.fault = fault
        assert eventually(lambda: stage.live.status().camera.state == "problem")
        said = {
            "unplugged": "plug it in",
            "fails": "check its plug",
            "blocks": "gives no pictures",
            "freezes": "same pic",
        }
        assert eventually(lambda: said[fault] in stage.live.status().camera.text)
        assert eventually(lambda: stage.live.status().driver == "idle")
        shown = turned_by(stage)
        assert flows(stage)
        assert eventually(lambda: turned_by(stage) != shown), "idle motion"
        assert stage.live.status().face.state == "off"
        stage.camera.fault = None
        assert eventually(lambda: stage.live.status().camera.state == "ok")
        assert eventually(lambda: stage.live.status().driver == "face")
        assert stage.device.longest_gap_s(began) < GAP_S


def test_a_blocked_camera_is_told_within_two_seconds_with_the_patience_that_ships(character_png: Path) -> None:
    with on_stage(character_png, stage=Stage(patience=Patience())) as stage:
        assert eventually(lambda: stage.live.status().camera.state == "ok")
        stage.camera.fault = "blocks"
        assert eventually(lambda: stage.live.status().camera.state == "problem")


def test_a_camera_that_shows_the_same_picture_is_opened_anew(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().camera.state == "ok")
        opened = stage.camera.opened
        stage.camera.fault = "freezes"
        assert eventually(lambda: stage.camera.opened >= opened + 2)
        assert stage.camera.closed >= opened
        stage.camera.fault = None
        assert eventually(lambda: stage.live.status().camera.state == "ok")


def test_retry_leaves_a_hanging_camera_behind(character_png: Path) -> None:
    with on_stage(character_png, stage=Stage(patience=replace(SHORT, abandon_s=60))) as stage:
        assert eventually(lambda: stage.live.status().camera.state == "ok")
        hanging = stage.camera
        hanging.fault = "blocks"
        assert eventually(lambda: stage.live.status().camera.state == "problem")
        stage.camera = ScriptedCamera(rate=60)
        stage.live.retry("camera")
        assert eventually(lambda: stage.live.status().camera.state == "ok")
        assert eventually(lambda: stage.live.status().driver == "face")
        hanging.fault = None
        assert eventually(lambda: hanging.closed == 1)


def test_a_camera_that_hangs_for_long_is_left_behind_by_itself(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().camera.state == "ok")
        hanging = stage.camera
        hanging.fault = "blocks"
        assert eventually(lambda: stage.live.status().camera.state == "problem")
        assert eventually(lambda: stage.live.status().driver == "idle")
        stage.camera = ScriptedCamera(rate=60)
        assert eventually(lambda: stage.live.status().driver == "face")
        assert not any("camera: opening" in line for line in stage.live.log.lines())
        hanging.fault = None
        assert eventually(lambda: hanging.closed == hanging.opened), (hanging.closed, hanging.opened)


@pytest.mark.parametrize("silent", ["opening", "first frame"])
def test_a_camera_that_never_answers_is_told_and_left_behind(silent: str, character_png: Path) -> None:
    stage = Stage()
    answer = threading.Event()
    opened = stage.camera

    def slow() -> ScriptedCamera:
        answer.wait()
        return opened

    if silent == "opening":
        stage.camera = slow  # type: ignore[assignment]
    else:
        opened.fault = "blocks"
    with on_stage(character_png, stage=stage):
        said = "does not answer" if silent == "opening" else "gives no pictures"
        assert eventually(lambda: said in stage.live.status().camera.text)
        assert stage.live.status().camera.state == "problem" and stage.live.status().driver == "idle"
        assert flows(stage)
        stage.camera = ScriptedCamera(rate=60)
        assert eventually(lambda: stage.live.status().driver == "face")
        answer.set()
        opened.fault = None
        assert eventually(lambda: opened.closed == opened.opened)


def test_closing_does_not_wait_for_a_hanging_camera(character_png: Path) -> None:
    stage = Stage(patience=Patience())
    live = Live(SMALL, character_png, parts=stage.parts())
    with live:
        assert eventually(lambda: live.status().camera.state == "ok", 20)
        stage.camera.fault = "blocks"
        assert eventually(lambda: live.status().camera.state == "problem"), "it hangs"
        begin_s = time.perf_counter()
        assert not live.close()
        assert time.perf_counter() - begin_s < ENDED_S
        assert stage.device.closed == stage.device.opened
    stage.camera.fault = None
    assert eventually(lambda: stage.camera.closed == 1)


def test_a_slow_camera_is_told_calmly_and_its_face_is_not_lost_between_two_frames(character_png: Path) -> None:
    """One sentence that stays, in place of one message for each frame that comes and another for each that is late."""
    patience = replace(SHORT, first_s=4, slow_s=0.5)
    stage = Stage(camera=ScriptedCamera(rate=1.25), patience=patience)
    assert patience.stall_s < 1 / 1.25
    with on_stage(character_png, stage=stage):
        live = stage.live
        # its first pictures come in a burst, as from a buffer: what is usual shows after them
        assert eventually(lambda: "less than one" in live.status().camera.text and live.status().driver == "face")
        seen = set()
        count = live.counts()["capture"]

        def looked() -> bool:
            status = live.status()
            seen.add((status.camera.text, status.driver, status.face_found))
            return live.counts()["capture"] >= count + 6

        assert eventually(looked)
        assert len(seen) == 1, seen
        ((said, driver, found),) = seen
        assert "gives less than one picture a second" in said and driver == "face" and found
        stage.camera.fault = "blocks"
        assert eventually(lambda: "gives no pictures" in live.status().camera.text)


def test_a_face_that_is_small_is_told_to_come_closer(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        live = stage.live
        assert eventually(lambda: live.status().face.text == "face found")
        stage.tracker.face = replace(TURNED, small=True)
        assert eventually(lambda: live.status().face.text == "come closer: the face is small")
        assert live.status().face.state == "ok"
        stage.tracker.face = TURNED
        assert eventually(lambda: live.status().face.text == "face found")


def test_no_face_is_told_and_the_character_idles(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().face.state == "ok")
        stage.tracker.face = None
        assert eventually(lambda: stage.live.status().driver == "idle")
        assert "no face" in stage.live.status().face.text
        assert all(meter.raw is None for meter in stage.live.meters())
        stage.tracker.face = TURNED
        assert eventually(lambda: stage.live.status().face_found)


@pytest.mark.parametrize("error", [WeightsError("the face landmarker is missing: get it again"), RuntimeError("boom")])
def test_a_tracker_that_fails_is_told_and_starts_anew(error: Exception, character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().face_found)
        stage.tracker.error = error
        assert eventually(lambda: stage.live.status().face.state == "problem")
        assert str(error) in stage.live.status().face.text
        assert flows(stage)
        sequence = stage.live.preview.sequence if stage.live.preview else 0
        assert eventually(lambda: (stage.live.preview.sequence if stage.live.preview else 0) > sequence), "the preview"
        stage.tracker.error = None
        assert eventually(lambda: stage.live.status().face_found)


def test_a_graphics_card_without_memory_hands_over_to_the_processor(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        stage.posers[0].error = RuntimeError("CUDA out of memory")
        assert eventually(lambda: len(stage.posers) == 2)
        assert stage.posers[1].device == "cpu"
        networks = stage.live.status().networks
        assert networks.state == "problem" and "out of memory" in networks.text and "processor" in networks.text
        sequence = stage.live.picture.sequence if stage.live.picture else 0
        assert eventually(lambda: stage.live.picture is not None and stage.live.picture.sequence > sequence)
        stage.posers[1].error = RuntimeError("no memory at all")
        assert eventually(lambda: len(stage.posers) == 3)
        assert stage.posers[2].family == "warp"
        assert stage.device.longest_gap_s() < GAP_S
        stage.live.apply(set_by_name(stage.live.settings, "poser.family", "compact"))  # the user tries again
        assert eventually(lambda: stage.live.status().networks.state == "ok")
        assert stage.posers[-1].family == "compact"


def test_networks_that_cannot_be_loaded_are_told_and_others_stand_in(character_png: Path) -> None:
    stage = Stage(poser_error=WeightsError("the weights of tha1 are missing: get them"))
    with on_stage(character_png, set_by_name(SMALL, "poser.family", "tha1"), stage):
        networks = stage.live.status().networks
        assert networks.state == "problem" and "weights of tha1 are missing" in networks.text
        assert "now auto on auto" in networks.text and stage.posers[0].family == "auto"


def test_networks_that_failed_are_loaded_again_on_demand(character_png: Path) -> None:
    stage = Stage(poser_error=WeightsError("compact.pt is broken: get it again"))
    with on_stage(character_png, stage=stage):
        live = stage.live
        assert live.status().networks.state == "problem"
        live.retry("networks")
        assert eventually(lambda: live.status().networks.state == "ok"), live.status().networks
        assert [poser.family for poser in stage.posers][-1] == live.settings.poser.family
        stage.posers[-1].error = RuntimeError("out of memory")
        assert eventually(lambda: live.status().networks.state == "problem" and stage.posers[-1].device == "cpu")
        live.retry("networks")
        assert eventually(lambda: live.status().networks.state == "ok" and stage.posers[-1].device == "auto")
        assert flows(stage)


def test_a_character_that_was_missing_is_read_again_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "on a drive.png"
    with on_stage(path) as stage:
        assert stage.live.status().character.state == "problem"
        write_png(path, drawn_character())
        stage.live.retry("character")
        assert eventually(lambda: stage.live.status().character.state == "ok")


def test_a_character_for_which_the_graphics_card_has_no_memory_goes_to_the_processor(character_png: Path) -> None:
    stage = Stage()
    given = stage.parts()

    def poser(settings: PoserSettings) -> StagePoser:
        made = StagePoser(settings.family, settings.device)
        if settings.device != "cpu":
            made.refuses = RuntimeError("CUDA out of memory")
        return made

    live = Live(SMALL, character_png, parts=replace(given, poser=poser))
    with live:
        assert eventually(lambda: live.picture is not None, 20)
        networks = live.status().networks
        assert networks.state == "problem" and "CUDA out of memory; now auto on cpu" in networks.text


def test_slow_networks_do_not_slow_the_virtual_camera(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        stage.posers[0].pause_s = 2 * GAP_S
        assert eventually(lambda: stage.posers[0].drawing)
        drawn = stage.live.counts()["output"]
        assert flows(stage)
        assert stage.live.counts()["output"] <= drawn + 1 and stage.device.longest_gap_s() < GAP_S
        stage.posers[0].pause_s = 0.0


def test_a_slow_machine_looks_only_at_frames_that_it_draws(character_png: Path) -> None:
    with on_stage(character_png, set_by_name(SMALL, "output.rate", 15)) as stage:
        live = stage.live
        assert eventually(lambda: live.status().driver == "face")

        def tracked_for_each_picture() -> float:
            before = live.counts()
            time.sleep(1.5)
            counts = {name: count - before[name] for name, count in live.counts().items()}
            return counts["track"] / max(1, counts["output"])

        assert eventually(lambda: tracked_for_each_picture() > 1.6), (
            "60 frames for 15 pictures: a machine that keeps up sees all"
        )
        stage.posers[0].pause_s = 0.2
        assert eventually(lambda: tracked_for_each_picture() < 1.4)
        assert live.status().driver == "face" and live.counts()["track"] > 0
        run = live.calibrate("neutral")
        assert eventually(lambda: tracked_for_each_picture() > 1.6), "a calibration wants to see all there is"
        run.cancel()


def test_a_very_slow_machine_does_not_lose_the_face_between_two_looks(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().driver == "face")
        stage.posers[0].pause_s = 0.2
        stage.tracker.pause_s = 0.2
        time.sleep(1)
        stage.posers[0].pause_s = stage.tracker.pause_s = 0.45
        time.sleep(2)
        seen = [stage.live.status() for _ in range(60) if not time.sleep(0.03)]
        assert {(status.driver, status.face_found) for status in seen} == {("face", True)}
        stage.posers[0].pause_s = stage.tracker.pause_s = 0.0


def test_a_virtual_camera_that_is_missing_is_told_and_tried_again(character_png: Path) -> None:
    stage = Stage()
    stage.device.fault = "missing"
    with on_stage(character_png, stage=stage):
        part = stage.live.status().virtual_camera
        assert part.state == "problem" and "press Retry" in part.text
        stage.device.heal()
        assert eventually(lambda: stage.live.status().virtual_camera.state == "ok")
        assert flows(stage)
        stage.device.fault = "lost"
        assert eventually(lambda: stage.live.status().virtual_camera.state == "problem")
        sequence = stage.live.picture.sequence if stage.live.picture else 0
        stage.device.heal()
        stage.live.retry("virtual_camera")
        assert eventually(lambda: stage.live.status().virtual_camera.state == "ok")
        assert eventually(lambda: stage.live.picture is not None and stage.live.picture.sequence > sequence)
        assert flows(stage)
        assert stage.device.closed == stage.device.opened - 1


def test_a_virtual_camera_that_blocks_is_told_and_the_window_lives_on(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert flows(stage)
        stage.device.fault = "blocks"
        assert eventually(lambda: stage.live.status().virtual_camera.state == "problem")
        assert "takes no pictures" in stage.live.status().virtual_camera.text
        sequence = stage.live.picture.sequence if stage.live.picture else 0
        assert eventually(lambda: stage.live.picture is not None and stage.live.picture.sequence > sequence + 5)
        stage.device.heal()
        assert eventually(lambda: stage.live.status().virtual_camera.state == "ok")


def test_retry_leaves_a_hanging_virtual_camera_behind(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        assert eventually(lambda: stage.live.status().virtual_camera.state == "ok")
        hanging = stage.device
        hanging.fault = "blocks"
        assert eventually(lambda: stage.live.status().virtual_camera.state == "problem")
        stage.device = StageDevice()
        stage.live.retry("virtual_camera")
        assert eventually(lambda: stage.live.status().virtual_camera.state == "ok")
        assert flows(stage)
        hanging.heal()
        assert eventually(lambda: hanging.closed == 1)


def test_a_change_restarts_only_the_stage_that_needs_it(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        live = stage.live
        assert eventually(lambda: live.status().camera.state == live.status().virtual_camera.state == "ok")

        def made() -> tuple[int, int, int, int]:
            return stage.cameras_opened, stage.device.opened, len(stage.posers), stage.tracker.opened

        def after(name: str, value: object) -> tuple[int, ...]:
            before = made()
            live.apply(set_by_name(live.settings, name, value))
            eventually(lambda: made() != before, 0.6)
            assert eventually(lambda: live.status().camera.state == "ok")
            return tuple(new - old for new, old in zip(made(), before, strict=True))

        assert made() == (1, 1, 1, 1)
        for name, value in {"motion.mirror": False, "output.zoom": 2.0, "output.background": "red"}.items():
            assert after(name, value) == (0, 0, 0, 0), name
        assert after("source.camera", "Another") == (1, 0, 0, 0)
        assert after("output.rate", 20) == (0, 1, 0, 0)
        assert after("output.width", 200) == (0, 1, 0, 0)
        assert after("poser.family", "warp") == (0, 0, 1, 0)
        assert eventually(lambda: live.picture is not None and live.picture.pixels.shape == (120, 200, 3))
        live.apply(set_by_name(live.settings, "output.virtual_camera", False))
        assert eventually(lambda: stage.device.closed == stage.device.opened)
        assert live.status().virtual_camera.state == "off"


def test_devices_switched_off_and_on_at_once_are_never_open_twice(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        live = stage.live
        assert eventually(lambda: live.status().camera.state == live.status().virtual_camera.state == "ok")
        most = [0, 0]
        for _ in range(4):
            for name, values in {"output.virtual_camera": (False, True), "source.kind": ("demo", "camera")}.items():
                for value in values:
                    live.apply(set_by_name(live.settings, name, value))
            for _ in range(20):
                most[0] = max(most[0], stage.device.opened - stage.device.closed)
                most[1] = max(most[1], stage.camera.opened - stage.camera.closed)
                time.sleep(0.01)
        assert eventually(lambda: live.status().camera.state == live.status().virtual_camera.state == "ok")
        assert most == [1, 1]


def test_recorded_motion_needs_no_camera(character_png: Path) -> None:
    with on_stage(character_png, set_by_name(SMALL, "source.kind", "demo")) as stage:
        assert stage.live.status().driver == "demo" and stage.cameras_opened == 0
        assert stage.live.status().camera.state == "off"
        shown: set[float] = set()
        assert eventually(lambda: shown.add(turned_by(stage)) or len(shown) > 5)
        stage.live.apply(set_by_name(stage.live.settings, "source.kind", "camera"))
        assert eventually(lambda: stage.live.status().driver == "face")


def test_sliders_drive_the_character_until_they_let_go(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        stage.live.set_manual(Pose(mouth_open=1, neck_y=5))
        assert eventually(lambda: turned_by(stage) > 0.98)
        assert stage.live.status().driver == "manual"
        stage.live.set_manual(None)
        assert eventually(lambda: turned_by(stage) < 0.9)
        assert eventually(lambda: stage.live.status().driver == "face")


def test_from_one_driver_to_the_next_without_a_jump() -> None:
    driving = Driving(set_by_name(SMALL, "motion.idle", False))

    def turned(first: int) -> list[float]:
        """Thirty pictures, 30 a second."""
        return [driving.pose(None, False, False, n / 30).neck_y for n in range(first, first + 30)]

    assert turned(0)[-1] == 0
    driving.manual = Pose(neck_y=1)
    way = [0.0, *turned(30)]
    driving.manual = None
    way += turned(60)
    assert max(way) == 1 and way[-1] == 0
    assert np.abs(np.diff(way)).max() < 0.2


def test_recentre_and_calibration_are_kept_in_the_settings(character_png: Path) -> None:
    with on_stage(character_png) as stage:
        live = stage.live
        assert live.settings.calibration is None
        assert eventually(lambda: live.status().face_found)
        live.recentre()
        assert live.settings.calibration is not None and live.settings.calibration["neck_y"] == pytest.approx(0.8)
        assert eventually(lambda: abs(turned_by(stage)) < 0.05)

        run = live.calibrate("eyes_closed")
        stage.tracker.face = FaceObservation(0.9, 0.92, 0.0, 0.0, 0.0, 0.0)
        assert eventually(lambda: run.seen > 8 and run.latest is not None and run.latest.eye_left == 0.9)
        before = live.settings.calibration
        calibration = run.finish()
        assert live.settings.calibration == calibration.asdict() != before
        assert calibration.neck_y == pytest.approx(0.8), "eyelids are calibrated apart from the head"
        seen = run.seen
        time.sleep(0.1)
        assert run.seen == seen, "finished"

        stage.tracker.face = None
        empty = live.calibrate("neutral")
        assert eventually(lambda: empty.missed > 3)
        with pytest.raises(SettingsError, match="no face was seen"):
            empty.finish()
        assert live.settings.calibration == calibration.asdict()
        # A profile brings it back.
        with on_stage(character_png, live.settings) as again:
            assert again.live.meters()[0].low == pytest.approx(calibration.eye_left_open)
        live.forget_calibration()
        assert live.settings.calibration is None


def test_a_calibration_begins_only_where_something_can_see_a_face(character_png: Path) -> None:
    with on_stage(character_png, set_by_name(SMALL, "source.kind", "demo")) as stage:
        live = stage.live
        with pytest.raises(SettingsError, match="recorded motion has none: choose Webcam or Video file"):
            live.calibrate("neutral")
        stage.camera.fault = "none"
        live.apply(set_by_name(live.settings, "source.kind", "camera"))
        assert eventually(lambda: "needs a webcam, and none is found" in live.why_no_calibration())
        stage.camera.fault = "busy"
        assert eventually(lambda: "in use by another program" in live.why_no_calibration())
        stage.camera.fault = None
        assert eventually(lambda: live.why_no_calibration() == "")
        live.calibrate("neutral").cancel()


def test_meters(character_png: Path) -> None:
    settings = SMALL.model_copy(update={"calibration": Calibration(neck_y=0.2).asdict()})
    with on_stage(character_png, settings) as stage:
        assert eventually(lambda: stage.live.status().face_found)
        assert eventually(lambda: abs(stage.live.meters()[5].smoothed - 0.6) < 0.05), "the person's own left and right"
        meters = {meter.name: meter for meter in stage.live.meters()}
        assert tuple(meters) == POSE_NAMES
        meter = meters["neck_y"]
        assert meter.raw == pytest.approx(0.8) and meter.calibrated == pytest.approx(0.6)
        assert (meter.low, meter.high) == (pytest.approx(0.2), pytest.approx(1.2))
        assert meter.limits == (-1.0, 1.0) and meters["eye_left"].limits == (0.0, 1.0)


def test_meters_show_what_the_character_does_whoever_moves_it(character_png: Path) -> None:
    with on_stage(character_png, set_by_name(SMALL, "source.kind", "demo")) as stage:
        mirror = -1 if stage.live.settings.motion.mirror else 1

        def agrees() -> bool:
            return abs(mirror * stage.live.meters()[5].smoothed - turned_by(stage)) < 0.02

        seen: set[float] = set()

        def moved() -> bool:
            assert eventually(agrees)
            seen.add(round(stage.live.meters()[5].smoothed, 3))
            return len(seen) > 15

        assert eventually(moved), "recorded motion moves the meter"
        stage.live.set_manual(Pose(neck_y=0.7))
        assert eventually(lambda: abs(turned_by(stage) - 0.7) < 0.02 and agrees())
        assert eventually(lambda: stage.live.shown.neck_y == pytest.approx(0.7))


def test_preview_shows_the_newest_frame_small(character_png: Path) -> None:
    stage = Stage(camera=ScriptedCamera([np.full((480, 640, 3), shade, np.uint8) for shade in range(0, 250, 5)], 60))
    with on_stage(character_png, stage=stage):
        assert eventually(lambda: stage.live.preview is not None)
        first = stage.live.preview
        assert first is not None and first.rgb.shape == (240, 320, 3)
        assert first.face_found and first.landmarks is not None and first.landmarks.shape == (478, 3)
        assert eventually(lambda: stage.live.preview is not None and stage.live.preview.sequence > first.sequence)


def test_a_new_character_is_loaded_behind_the_old_one(character_png: Path, tmp_path: Path) -> None:
    with on_stage(character_png) as stage:
        live = stage.live
        broken = tmp_path / "broken.png"
        broken.write_bytes(b"no picture")
        live.set_character(broken)
        assert eventually(lambda: live.status().character.state == "problem")
        assert "broken.png" in live.status().character.text
        assert flows(stage) and len(stage.posers[0].characters) == 1
        other = tmp_path / "other.png"
        other.write_bytes(character_png.read_bytes())
        live.set_character(other)
        assert eventually(lambda: len(stage.posers[0].characters) == 2)
        assert live.status().character.state == "ok" and "other.png" in live.status().character.text
        assert live.settings.studio.character == str(other)
        assert len(stage.posers) == 1, "the networks stay"
        live.set_character(None)
        assert eventually(lambda: len(stage.posers[0].characters) == 3)


def test_a_character_that_is_gone_is_told_and_the_first_one_stands_in(tmp_path: Path) -> None:
    with on_stage(tmp_path / "gone.png") as stage:
        assert stage.live.status().character.state == "problem"
        assert "gone.png" in stage.live.status().character.text
        assert len(stage.posers[0].characters) == 1


def test_backgrounds_and_placement(character_png: Path) -> None:
    stage = Stage()
    settings = set_by_name(SMALL, "output.background", "#0000FF")
    with on_stage(character_png, settings, stage):
        live = stage.live

        def corner() -> list[int]:
            assert live.picture is not None
            return [int(value) for value in live.picture.pixels[2, 2]]

        assert corner() == [0, 0, 255]
        live.apply(set_by_name(live.settings, "output.background", "transparent"))
        assert eventually(lambda: corner() == [0, 0, 0, 0])
        assert eventually(lambda: stage.device.sent[-1][0, 0].tolist() == [0, 255, 0]), "the key colour"
        live.apply(set_by_name(live.settings, "output.key_colour", "#FF00FF"))
        assert eventually(lambda: stage.device.sent[-1][0, 0].tolist() == [255, 0, 255])
        with pytest.raises(SettingsError, match="neither a colour nor a picture"):
            live.apply(set_by_name(live.settings, "output.background", "no such thing"))
        assert live.settings.output.background == "transparent"
        live.apply(set_by_name(live.settings, "output.offset_x", -0.5))
        assert eventually(lambda: corner()[3] == 255)
        live.apply(set_by_name(live.settings, "output.zoom", 4.0))
        assert eventually(lambda: live.picture is not None and (live.picture.pixels[..., 3] == 255).mean() > 0.9)


def test_the_character_is_drawn_at_sizes_that_cost_little(character_png: Path) -> None:
    settings = set_by_name(set_by_name(SMALL, "output.width", 320), "output.height", 180)
    with on_stage(character_png, set_by_name(settings, "source.kind", "demo")) as stage:
        assert stage.live.picture is not None and stage.live.picture.pixels.shape == (180, 320, 3)
        assert stage.posers[0].sizes[-1] == 256
        assert (stage.live.picture.pixels[:, 72:248] != (0, 255, 0)).any(axis=2).all(), "180 of 320 px"
        assert (stage.live.picture.pixels[:, :69] == (0, 255, 0)).all()
        stage.live.apply(set_by_name(stage.live.settings, "output.zoom", 4))
        assert eventually(lambda: stage.posers[0].sizes[-1] == 768), "of 720 px"
        stage.live.apply(set_by_name(stage.live.settings, "output.detail", 400))
        assert eventually(lambda: stage.posers[0].sizes[-1] == 384)
        stage.live.apply(set_by_name(stage.live.settings, "output.zoom", 0.5))
        assert eventually(lambda: stage.posers[0].sizes[-1] == 128), "of 90 px"


def test_a_size_that_has_to_be_prepared_is_drawn_when_it_is(character_png: Path) -> None:
    settings = set_by_name(set_by_name(SMALL, "output.width", 320), "output.height", 180)
    with on_stage(character_png, set_by_name(settings, "source.kind", "demo")) as stage:
        poser, live = stage.posers[0], stage.live
        poser.unprepared.add(768)
        live.apply(set_by_name(live.settings, "output.zoom", 4))
        assert eventually(lambda: live.picture is not None and live.picture.placed.side == 720)
        before = len(poser.sizes)
        assert eventually(lambda: len(poser.sizes) > before + 3) and set(poser.sizes) == {256}, "it goes on meanwhile"
        assert (live.picture is not None) and (live.picture.pixels[..., 1] != 255).all(), "as large as it shall be"
        poser.unprepared.clear()
        assert eventually(lambda: poser.sizes[-1] == 768)


def sides(detail: Detail, lasts_s: dict[int, float], first_s: float, last_s: float) -> list[int]:
    """What is drawn, ten times a second, where a picture of so many px takes so long; of 720 px, 30 a second."""
    drawn = [max(lasts_s)]
    for now_s in np.arange(first_s, last_s, 0.1):
        drawn.append(detail.side(720, 768, lasts_s[drawn[-1]], 1 / 30, float(now_s)))
    return drawn[1:]


def test_a_slow_machine_draws_smaller_pictures_until_it_has_time_again() -> None:
    detail = Detail()
    assert set(sides(detail, {768: 0.020}, 100, 110)) == {768}, "there is time"
    slow = sides(detail, dict.fromkeys((512, 640, 768), 0.040), 110, 119)
    assert slow[0] == 768 and slow[-1] == 512 and sorted(slow, reverse=True) == slow, "no smaller: that gains nothing"
    assert detail.side(100, 768, 0.040, 1 / 30, 119) == 128, "nothing is drawn larger than it is shown"
    back = sides(detail, dict.fromkeys((512, 640, 768), 0.025), 120, 160)
    assert 640 in back and back[-1] == 768 and sorted(back) == back, "step by step"
    assert {detail.side(720, 768, None, 1 / 30, 160 + k) for k in range(20)} == {768}
    assert detail.side(720, 768, 0.040, 1 / 30, 180.5) == 768, "what nothing was known of does not count"


def test_a_hiccup_costs_no_sharpness_and_what_is_too_much_is_tried_ever_less() -> None:
    detail = Detail()
    sides(detail, {768: 0.020}, 100, 110)
    assert detail.side(720, 768, 0.150, 1 / 30, 110) == 768, "one picture that took long"
    assert set(sides(detail, {768: 0.020}, 110.5, 115)) == {768}
    drawn = sides(detail, {640: 0.020, 768: 0.032}, 120, 420)
    tries = np.flatnonzero(np.diff(drawn) > 0)
    assert len(tries) >= 3 and (np.diff(tries) > 1.5 * np.diff(tries)[0])[1:].all()
    assert np.mean(np.array(drawn) == 768) < 0.1


def test_a_background_that_is_gone_does_not_keep_it_from_starting(character_png: Path, tmp_path: Path) -> None:
    settings = set_by_name(SMALL, "output.background", str(tmp_path / "gone.jpg"))
    with on_stage(character_png, settings) as stage:
        assert stage.live.picture is not None and stage.live.picture.pixels[2, 2].tolist() == [0, 255, 0]
        assert any("gone.jpg" in line and "stands in" in line for line in stage.live.log.lines())


def record_a_little(stage: Stage, path: Path) -> None:
    stage.live.start_recording(path)
    before = stage.live.counts()["output"]
    assert eventually(lambda: stage.live.counts()["output"] > before + 10)


@pytest.mark.parametrize("background", ["#00FF00", "transparent"])
def test_recording(background: str, character_png: Path, tmp_path: Path) -> None:
    from puppeteer.inputs.video_file import VideoFile

    path = tmp_path / ("out.webm" if background == "transparent" else "out.mp4")
    with on_stage(character_png, set_by_name(SMALL, "output.background", background)) as stage:
        live = stage.live
        with pytest.raises(SinkError, match="name it"):
            live.start_recording(tmp_path / "out.avi")
        live.start_recording(path)
        with pytest.raises(SinkError, match=r"is being recorded: stop that first"):
            live.start_recording(tmp_path / "second.mp4")
        before = live.counts()["output"]
        assert eventually(lambda: live.counts()["output"] > before + 30)
        assert eventually(lambda: live.status().recording.text.endswith("0:01"))
        assert live.status().recording.state == "ok" and path.name in live.status().recording.text
        assert not path.exists()
        live.stop_recording()
        assert live.status().recording.state == "off"
    clip = VideoFile(path)
    frames = list(clip.frames())
    assert clip.size == (160, 120) and len(frames) > 5
    assert 0.8 < frames[-1].time_s < 60


def test_a_recording_is_finished_when_the_studio_closes(character_png: Path, tmp_path: Path) -> None:
    from puppeteer.inputs.video_file import VideoFile

    with on_stage(character_png) as stage:
        record_a_little(stage, tmp_path / "out.mp4")
    assert eventually((tmp_path / "out.mp4").exists)
    assert eventually(lambda: f"the recording is finished: {tmp_path / 'out.mp4'}" in stage.live.log.text())
    assert VideoFile(tmp_path / "out.mp4").size == (160, 120)


def test_a_recording_ends_where_the_output_changes(character_png: Path, tmp_path: Path) -> None:
    with on_stage(character_png) as stage:
        record_a_little(stage, tmp_path / "out.mp4")
        stage.live.apply(set_by_name(stage.live.settings, "output.width", 200))
        assert eventually(lambda: stage.live.status().recording.state == "problem")
        assert "record into a new file" in stage.live.status().recording.text
        assert eventually((tmp_path / "out.mp4").exists)


def test_closing_while_everything_starts(character_png: Path) -> None:
    for pause_s in (0.0, 0.05, 0.2):
        stage = Stage()
        live = Live(SMALL, character_png, parts=stage.parts())
        live.start()
        time.sleep(pause_s)
        begin_s = time.perf_counter()
        live.close()
        live.close()
        assert time.perf_counter() - begin_s < ENDED_S
        assert stage.camera.closed == stage.camera.opened and stage.device.closed == stage.device.opened
    names = {"live-capture", "live-track", "live-pose", "live-send"}
    assert eventually(lambda: not names & {thread.name for thread in threading.enumerate()})


def test_what_nobody_foresaw_is_logged_and_the_work_goes_on(
    character_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_stage(character_png) as stage:
        monkeypatch.setattr("puppeteer.live.drawing.even_size", lambda *_: 1 / 0)
        assert eventually(lambda: any("ZeroDivisionError" in line for line in stage.live.log.lines()))
        monkeypatch.undo()
        sequence = stage.live.picture.sequence if stage.live.picture else 0
        assert eventually(lambda: stage.live.picture is not None and stage.live.picture.sequence > sequence)


def test_the_log_is_bounded_and_has_times() -> None:
    from puppeteer.live.status import LOG_LINES

    echoed: list[str] = []
    live = Live(STUDIO, parts=Stage().parts(), echo=echoed.append)
    for number in range(LOG_LINES + 10):
        live.log.add(f"line {number}")
    lines = live.log.lines()
    assert len(lines) == LOG_LINES and lines[-1].endswith(f" line {LOG_LINES + 9}") and lines[0].endswith(" line 10")
    assert live.log.text().splitlines() == list(lines) and live.log.count == len(echoed) == LOG_LINES + 10


def test_the_tracker_is_asked_in_one_thread_only(character_png: Path) -> None:
    threads: set[str] = set()

    class Noting(StageTracker):
        def observe(self, frame: object) -> FaceObservation | None:
            threads.add(threading.current_thread().name)
            return TURNED

    with on_stage(character_png, stage=Stage(tracker=Noting())) as stage:
        assert eventually(lambda: stage.live.status().face_found)
    assert threads == {"live-track"}


def test_a_missing_package_of_the_tracker_is_said_once_with_its_remedy(character_png: Path) -> None:
    stage = Stage()
    stage.tracker.error = ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe")
    with on_stage(character_png, stage=stage):
        assert eventually(lambda: stage.tracker.opened >= 5)
        face = stage.live.status().face
        assert face.state == "problem" and "mediapipe is not installed: run  python -m pip install" in face.text
        assert sum("mediapipe" in line for line in stage.live.log.lines()) == 1


def test_a_width_that_programs_cannot_take_is_cut_and_said(character_png: Path) -> None:
    settings = set_by_name(SMALL, "output.width", 186)
    with on_stage(character_png, settings) as stage:
        assert eventually(lambda: stage.device.sent)
        assert stage.live.picture is not None and stage.live.picture.pixels.shape[1] == 186
        text = stage.live.status().virtual_camera.text
        assert "184x120" in text and "2 columns" in text and "eights" in text
        stage.live.apply(set_by_name(stage.live.settings, "output.width", 160))
        assert eventually(lambda: "160x120" in stage.live.status().virtual_camera.text)
        assert "columns" not in stage.live.status().virtual_camera.text


def test_a_picture_is_composed_only_for_who_wants_it_and_once(character_png: Path) -> None:
    settings = set_by_name(SMALL, "output.virtual_camera", False)
    with on_stage(character_png, settings) as stage:
        live = stage.live
        assert eventually(lambda: live.counts()["output"] > 20)
        assert "compose" not in live.status().latency_ms, "nobody wants one"
        picture = live.picture
        assert picture is not None and picture.pixels is picture.pixels and not picture.pixels.flags.writeable
        assert len(live.timings.since(0.0)["compose"]) == 1
        live.apply(set_by_name(live.settings, "output.virtual_camera", True))
        assert eventually(lambda: len(live.timings.since(0.0)["compose"]) > 5)


@pytest.mark.parametrize("background", ["#0000FF", "transparent"])
def test_the_window_gets_a_small_picture_that_looks_like_the_large_one(background: str) -> None:
    placed = Placed(drawn_character(256), (640, 360), 200, 104, 256)
    large = Picture(placed, parse_background(background), 0, 0.0)
    direct = large.small(320)
    assert np.array_equal(large.small(640), large.pixels) and direct.shape == (180, 320, large.pixels.shape[2])
    scaled = large.small(320)  # now of what was composed
    assert np.abs(direct.astype(int) - scaled).mean() < 2
    assert np.array_equal(direct[0, 0], large.pixels[0, 0])
