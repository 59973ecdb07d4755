"""Phones, other programs and recorded motion drive the live engine: stand-ins send real packets on the loopback."""

from __future__ import annotations

import csv
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from stage import SMALL, Stage, on_stage
from stage import eventually as soon_true

from puppeteer.by_name import set_by_name
from puppeteer.errors import SinkError
from puppeteer.inputs import FACES, open_faces
from puppeteer.live.playing import Recorded
from puppeteer.motion import Calibration
from puppeteer.pose import POSE_NAMES, Pose
from puppeteer.settings import PLAYED, SEEN, Settings, SourceSettings
from tests.senders import PACKETS, PHONE, Sender, bound, osc

STILL = SMALL.model_copy(update={"calibration": Calibration().asdict()})
TURNED = Pose(neck_y=0.7, mouth_open=0.6)


def eventually(true: Callable[[], Any], within_s: float = 15.0) -> bool:
    """Generous, because other work may keep the processor."""
    return soon_true(true, within_s)


def free_port() -> int:
    with bound() as found:
        return int(found.getsockname()[1])


def source(kind: str, base: Settings = STILL, **given: object) -> Settings:
    settings = set_by_name(base, "source.kind", kind)
    for name, value in ({"port": free_port()} | given).items():
        settings = set_by_name(settings, f"source.{name}", value)
    if kind == "vtube_studio" and "phone" not in given:
        settings = set_by_name(settings, "source.phone", "127.0.0.1")
    return settings


def free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        try:
            found.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(params=sorted(FACES))
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    yield str(request.param)


def test_each_kind_of_source_is_of_one_sort() -> None:
    kinds = get_args(SourceSettings.model_fields["kind"].annotation)
    assert sorted(kinds) == sorted((*SEEN, *PLAYED, *FACES))


def test_a_phone_drives_the_character_without_tracker_and_camera(kind: str, character_png: Path) -> None:
    settings = source(kind)
    with on_stage(character_png, settings) as stage:
        assert stage.live.status().camera.state in ("starting", "problem")
        with Sender(settings.source.port, PACKETS[kind](TURNED)) as sender:
            assert eventually(lambda: stage.live.status().driver == "face")
            assert eventually(lambda: stage.live.shown.neck_y < -0.5), "as in a mirror"
            assert eventually(lambda: stage.live.status().camera.state == "ok")
            assert stage.live.status().face.state == "ok"
            assert eventually(lambda: stage.live.status().latency_ms.get("camera_to_output", 9e9) < 1000)
            sender.packets = PACKETS[kind](Pose(neck_y=-0.7))
            assert eventually(lambda: stage.live.shown.neck_y > 0.5)
        assert eventually(lambda: "fallen silent" in stage.live.status().camera.text)
        assert eventually(lambda: stage.live.status().driver == "idle")
        with Sender(settings.source.port, PACKETS[kind](TURNED)):
            assert eventually(lambda: stage.live.shown.neck_y < -0.5), "it goes on by itself"
        assert stage.cameras_opened == stage.tracker.opened == 0
        assert stage.live.preview is None


def test_it_listens_only_while_it_is_chosen(kind: str, character_png: Path) -> None:
    port = free_port()
    with on_stage(character_png, SMALL) as stage:
        camera = stage.live.settings
        assert free(port)
        stage.live.apply(source(kind, camera, port=port))
        assert eventually(lambda: not free(port))
        stage.live.apply(camera)
        assert eventually(lambda: free(port))
        assert eventually(lambda: stage.live.status().camera.state == "ok"), "the camera is back"


def test_what_to_type_into_the_phone_is_told(kind: str, character_png: Path) -> None:
    settings = source(kind)
    with on_stage(character_png, settings) as stage:
        assert eventually(lambda: stage.live.setup)
        assert str(settings.source.port) in stage.live.setup or kind == "vtube_studio"
        assert stage.live.setup in stage.live.status().camera.text


def test_garbage_wrong_phones_and_taken_ports_are_told(kind: str, character_png: Path) -> None:
    with on_stage(character_png, source(kind)) as stage:
        port = stage.live.settings.source.port
        with Sender(port, [b"garbage"]):
            assert eventually(lambda: "choose the app that it is" in stage.live.status().camera.text)
        stage.live.apply(set_by_name(stage.live.settings, "source.phone", PHONE))
        with Sender(port, PACKETS[kind](TURNED)):
            assert eventually(lambda: "enter 127.0.0.1 instead" in stage.live.status().camera.text)
        stage.live.apply(set_by_name(stage.live.settings, "source.phone", "my phone"))
        assert eventually(lambda: "is not a phone's address" in stage.live.status().camera.text)
        with bound("0.0.0.0") as other:
            taken = other.getsockname()[1]
            stage.live.apply(source(kind, set_by_name(stage.live.settings, "source.phone", ""), port=taken))
            assert eventually(lambda: f"port {taken} cannot be listened to" in stage.live.status().camera.text)
        with Sender(taken, PACKETS[kind](TURNED)):
            assert eventually(lambda: stage.live.status().driver == "face"), "it is tried again by itself"


def test_a_broken_mapping_of_ones_own_is_told(character_png: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "own.toml"
    mapping.write_text("[[arkit.eye_lefft]]\n", encoding="utf-8")
    with on_stage(character_png, source("ifacialmocap", mapping=str(mapping))) as stage:
        assert eventually(lambda: "did you mean eye_left?" in stage.live.status().camera.text)
        mapping.write_text("arkit.mouth_open = []\n", encoding="utf-8")
        assert eventually(lambda: "waiting for iFacialMocap" in stage.live.status().camera.text)


def written(path: Path, poses: list[Pose], rate: float = 30.0) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("time_s", *POSE_NAMES, "face"))
        rows.writerows((5 + index / rate, *pose.values(), 1) for index, pose in enumerate(poses))
    return path


def test_a_recording_plays_all_numbers_over_and_over(character_png: Path, tmp_path: Path) -> None:
    table = written(tmp_path / "mine.csv", [Pose(neck_y=0.8, gaze_x=0.6, brow_form=-0.5, hair_x=0.3)] * 10)
    settings = source("recording", recording=str(table))
    with on_stage(character_png, settings) as stage:
        assert eventually(lambda: stage.live.status().driver == "demo")
        assert eventually(lambda: stage.live.shown.neck_y == pytest.approx(-0.8, abs=0.01)), "as in a mirror"
        assert stage.live.shown.gaze_x == pytest.approx(-0.6, abs=0.01)
        assert stage.live.shown.brow_form == pytest.approx(-0.5, abs=0.01)
        status = stage.live.status()
        assert status.camera.state == "ok" and "mine.csv" in status.camera.text and status.face.state == "off"
        assert stage.tracker.opened == 0


def test_recorded_motion_moves_another_character_as_it_moved_the_first(character_png: Path, tmp_path: Path) -> None:
    table, settings = tmp_path / "motion.csv", source("ifacialmocap")
    with on_stage(character_png, settings) as stage, Sender(settings.source.port, PACKETS["ifacialmocap"](TURNED)):
        assert eventually(lambda: stage.live.shown.neck_y < -0.6)
        stage.live.start_motion(table)
        with pytest.raises(SinkError, match="stop that first"):
            stage.live.start_motion(table)
        assert eventually(lambda: (stage.live.motion_lasts_s or 0) > 0.5)
        assert stage.live.stop_motion() == table and stage.live.motion_lasts_s is None
        assert stage.live.stop_motion() is None
        with pytest.raises(SinkError):
            stage.live.start_motion(tmp_path / "no folder" / "motion.csv")
        shown = stage.live.shown
    header = table.read_text(encoding="utf-8").splitlines()[0]
    assert header == ",".join(("time_s", *POSE_NAMES, "face"))
    with on_stage(character_png, source("recording", recording=str(table))) as stage:
        assert eventually(lambda: stage.live.status().driver == "demo")
        assert eventually(lambda: stage.live.shown.neck_y == pytest.approx(shown.neck_y, abs=0.1))
        assert stage.live.shown.mouth_open == pytest.approx(shown.mouth_open, abs=0.1)


def test_motion_that_is_still_recorded_at_the_end_is_written(character_png: Path, tmp_path: Path) -> None:
    table = tmp_path / "motion.csv"
    with on_stage(character_png) as stage:
        stage.live.start_motion(table)
        assert eventually(lambda: (stage.live.motion_lasts_s or 0) > 0.2)
    assert len(table.read_text(encoding="utf-8").splitlines()) > 3


def test_a_recording_that_cannot_be_read_is_told_until_it_can(character_png: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    with on_stage(character_png, source("recording", recording=str(table))) as stage:
        assert eventually(lambda: "does not exist" in stage.live.status().camera.text)
        assert stage.live.status().driver == "idle"
        table.write_text("time_s\nmany", encoding="utf-8")
        assert eventually(lambda: "not a table that" in stage.live.status().camera.text)
        written(table, [Pose(neck_y=0.8)] * 3)
        assert eventually(lambda: stage.live.status().driver == "demo")
        stage.live.apply(set_by_name(stage.live.settings, "source.recording", ""))
        assert eventually(lambda: "no recorded motion is chosen" in stage.live.status().camera.text)


def test_a_motion_of_mikumikudance_plays(character_png: Path, shared: Path) -> None:
    motion = next(iter(sorted((shared / "models3d/gene/motion").glob("*.vmd"))))
    with on_stage(character_png, source("recording", recording=str(motion))) as stage:
        assert eventually(lambda: stage.live.status().camera.state in ("ok", "problem"), 20)
        assert eventually(lambda: stage.live.status().driver == "demo"), stage.live.status().camera


def test_recorded_motion_goes_round_without_a_jump() -> None:
    ends = Recorded([(2.0, Pose()), (2.5, Pose(neck_y=0.4)), (4.0, Pose(neck_y=1.0))], begun_s=10.0)
    assert ends.at(10.0) == Pose()
    assert ends.at(10.25).neck_y == pytest.approx(0.2), "rows need not be evenly apart"
    assert ends.at(12.0).neck_y == pytest.approx(1.0)
    steps = [ends.at(10 + index / 60).neck_y for index in range(600)]
    assert max(abs(one - other) for one, other in pairwise(steps)) < 0.06
    assert Recorded([(0.0, TURNED)]).at(99.5) == TURNED


def test_the_shown_pose_is_sent_by_vmc_and_only_while_that_is_on(character_png: Path) -> None:
    port = free_port()
    settings = set_by_name(set_by_name(STILL, "output.vmc_port", port), "output.vmc", True)
    with closing(open_faces("vmc", port=port)) as program, on_stage(character_png, settings) as stage:

        def turned() -> bool:
            arrival = program.read()
            return arrival is not None and arrival.face is not None and arrival.face.neck_y < -0.5

        assert eventually(turned)
        assert stage.live.status().vmc.state == "ok"
        stage.live.apply(set_by_name(stage.live.settings, "output.vmc", False))
        assert eventually(lambda: program.condition().state == "problem" or program.read() is None)
        assert eventually(lambda: program.read(0.2) is None), "nothing is sent any more"
        assert stage.live.status().vmc.state == "off"
        wrong = set_by_name(set_by_name(stage.live.settings, "output.vmc_address", "my pc"), "output.vmc", True)
        stage.live.apply(wrong)
        assert eventually(lambda: "is no address to send to" in stage.live.status().vmc.text)
        assert stage.live.picture is not None


def test_a_flood_does_not_slow_the_pictures(character_png: Path) -> None:
    settings = source("vmc")
    with (
        on_stage(character_png, settings) as stage,
        Sender(settings.source.port, [osc("/VMC/Ext/OK", 1)] * 50, rate=200),
    ):
        before = len(stage.device.times_s)
        assert eventually(lambda: len(stage.device.times_s) > before + 30)


def test_nothing_is_left_of_a_stage_that_listens(character_png: Path) -> None:
    stage = Stage()
    settings = source("ifacialmocap")
    with on_stage(character_png, settings, stage):
        assert eventually(lambda: stage.live.setup)
    assert free(settings.source.port)
