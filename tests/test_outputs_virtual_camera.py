"""pyvirtualcam's real Linux backend against a stand-in for the device of v4l2loopback (`loopback.c`, preloaded)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from puppeteer import v4l2
from puppeteer.errors import SinkError
from puppeteer.outputs.virtual_camera import VirtualCamera, loopback_to_feed, no_virtual_camera
from puppeteer.v4l2 import Abilities

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[[str], str]


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if sys.platform != "linux":
        pytest.skip("v4l2loopback is a driver of Linux")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build the stand-in for the device")
    library = tmp_path_factory.mktemp("shim") / "loopback.so"
    source = Path(__file__).with_name("loopback.c")
    command = [compiler, "-Wall", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "linux/videodev2.h" in done.stderr:
        pytest.skip("the headers of the Linux kernel are missing (linux-libc-dev)")
    assert done.returncode == 0, done.stderr
    return library


@pytest.fixture
def run(shim: Path, tmp_path: Path) -> Run:
    """Runs Python beside the stand-in; `tmp_path` is its folder. Returns what was printed."""

    def work(code: str) -> str:
        environment = os.environ | {"LD_PRELOAD": str(shim), "FAKE_LOOPBACK": str(tmp_path)}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return work


def events(folder: Path) -> list[list[str]]:
    """Lines of the stand-in's log; the looks that only ask what the device can are left out."""
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    return [line for index, line in enumerate(lines) if line != ["close"] or (index and lines[index - 1][0] == "write")]


def rgb_of(path: Path, width: int, height: int) -> np.ndarray:
    planes = np.frombuffer(path.read_bytes(), np.uint8).reshape(height * 3 // 2, width)
    return cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)


def test_frames_arrive_in_size_format_and_colours(run: Run, tmp_path: Path) -> None:
    said = run(
        """
        import numpy as np
        from puppeteer.outputs.virtual_camera import VirtualCamera
        camera = VirtualCamera((320, 240), 30)
        print(camera.name)
        rgb = np.zeros((240, 320, 3), np.uint8)
        rgb[:120, :160], rgb[:120, 160:], rgb[120:, :160], rgb[120:, 160:] = (
            (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
        camera.send(rgb)
        camera.close()
        camera.close()
        """
    )
    assert said.strip() == "/dev/video42"
    assert events(tmp_path)[0] == ["format", "320", "240", "YU12", str(320 * 240 * 3 // 2)]
    assert events(tmp_path)[1][::2] == ["write", str(320 * 240 * 3 // 2)]
    assert events(tmp_path)[2:] == [["close"]]
    rgb = rgb_of(tmp_path / "frame_0000.i420", 320, 240).astype(int)
    for (y, x), colour in {
        (60, 80): (255, 0, 0),
        (60, 240): (0, 255, 0),
        (180, 80): (0, 0, 255),
        (180, 240): (255, 255, 255),
    }.items():
        assert np.abs(rgb[y, x] - colour).max() < 12, (y, x)


def test_the_studio_feeds_it_at_its_pace_through_every_fault(run: Run, tmp_path: Path, character_png: Path) -> None:
    run(
        f"""
        import time
        from pathlib import Path
        from stage import Stage, SHORT, eventually
        from dataclasses import replace
        from app import live_parts
        from puppeteer.live import Live
        from puppeteer.by_name import set_by_name
        from puppeteer.settings import STUDIO

        stage = Stage()
        given = stage.parts()
        parts = replace(given, virtual_camera=live_parts().virtual_camera)
        settings = set_by_name(STUDIO, "output.background", "#0000FF")
        with Live(settings, Path({str(character_png)!r}), parts=parts) as live:
            assert eventually(lambda: live.status().driver == "face" and live.picture), live.status()
            assert live.status().virtual_camera.state == "ok", live.status()
            (Path({str(tmp_path)!r}) / "log").open("a").write("begin\\n")
            for fault in ("blocks", "fails", "freezes", "none"):
                stage.camera.fault = fault
                time.sleep(0.6)
            stage.camera.fault = None
            stage.tracker.error = RuntimeError("boom")
            time.sleep(0.4)
            stage.tracker.error = None
            stage.posers[0].pause_s = 1.5
            time.sleep(2)
            stage.posers[0].error = RuntimeError("out of memory")
            time.sleep(0.6)
            assert live.status().virtual_camera.state == "ok", live.status()
        """
    )
    lines = (tmp_path / "log").read_text().splitlines()
    began = lines.index("begin")
    writes = [line.split() for line in lines[began:] if line.startswith("write")]
    assert {line[2] for line in writes} == {str(1280 * 720 * 3 // 2)}
    times_s = np.array([float(line[1]) for line in writes])
    gaps_s = np.diff(times_s)
    assert gaps_s.max() < 1.2, f"the longest gap is {gaps_s.max():.2f} s"
    assert 8 < len(gaps_s) / (times_s[-1] - times_s[0]) < 40
    assert lines[-1] == "close"
    last = rgb_of(max(tmp_path.glob("frame_*.i420")), 1280, 720).astype(int)
    assert np.abs(last[360, 100] - (0, 0, 255)).max() < 12, "letterboxed: the background beside the character"
    assert np.abs(last[360, 640] - (0, 0, 255)).max() > 60, "the character in the middle"


def test_a_device_that_another_program_feeds_is_told_and_taken_when_it_is_free(
    run: Run, tmp_path: Path, character_png: Path
) -> None:
    (tmp_path / "busy").touch()
    run(
        f"""
        from pathlib import Path
        from stage import SHORT, SMALL, Stage, eventually
        from dataclasses import replace
        from app import live_parts
        from puppeteer.live import Live

        folder, stage = Path({str(tmp_path)!r}), Stage()
        given = stage.parts()
        parts = replace(given, virtual_camera=live_parts().virtual_camera)
        with Live(SMALL, Path({str(character_png)!r}), parts=parts) as live:
            part = lambda: live.status().virtual_camera
            assert eventually(lambda: part().state == "problem")
            assert "another program feeds the virtual camera /dev/video42" in part().text, part()
            (folder / "busy").unlink()
            assert eventually(lambda: part().state == "ok"), part()
            assert eventually(lambda: live.status().sent_fps > 1), live.status()
            (folder / "absent").touch()  # the driver is unloaded
            assert eventually(lambda: part().state == "problem"), part()
            assert "modprobe v4l2loopback" in part().text, part()
            (folder / "absent").unlink()
            live.retry("virtual_camera")
            assert eventually(lambda: part().state == "ok"), part()
        """
    )


def test_a_device_that_others_keep_at_another_size_gets_no_noise(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    said = run(
        f"""
        from pathlib import Path
        from puppeteer.errors import SinkError
        from puppeteer.outputs.virtual_camera import VirtualCamera
        for size in ((640, 480), (320, 240)):
            try:
                VirtualCamera(size, 30).close()
            except SinkError as error:
                print(error)
        Path({str(tmp_path / "kept")!r}).unlink()
        VirtualCamera((640, 480), 30).close()
        """
    )
    size, form = said.splitlines()
    assert "another program" in size and "/dev/video42 keeps it at 320x240: close it there" in size
    assert "keeps it in the format YUYV" in form
    assert not any(line[0] == "write" for line in events(tmp_path))


def test_after_its_end_other_programs_can_use_the_device(run: Run, tmp_path: Path) -> None:
    run(
        """
        import numpy as np
        from puppeteer.outputs.virtual_camera import VirtualCamera
        camera = VirtualCamera((320, 240), 30)
        camera.send(np.zeros((240, 320, 3), np.uint8))
        camera.close()
        """
    )
    assert any(line[0] == "write" for line in events(tmp_path)) and not (tmp_path / "written").exists()


def test_it_can_be_switched_off_and_on_and_survives_a_crash(run: Run, tmp_path: Path) -> None:
    run(
        """
        import os
        import numpy as np
        from puppeteer.outputs.virtual_camera import VirtualCamera
        for _ in range(2):
            camera = VirtualCamera((320, 240), 30)
            camera.send(np.zeros((240, 320, 3), np.uint8))
            camera.close()
        VirtualCamera((320, 240), 30).send(np.zeros((240, 320, 3), np.uint8))
        os._exit(0)
        """
    )
    assert (tmp_path / "written").exists(), "as the driver leaves it"
    run("from puppeteer.outputs.virtual_camera import VirtualCamera; VirtualCamera((320, 240), 30).close()")


def test_looking_for_it_again_and_again_leaves_nothing_open(run: Run, tmp_path: Path) -> None:
    (tmp_path / "busy").touch()
    run(
        """
        import os
        from puppeteer.errors import SinkError
        from puppeteer.outputs.virtual_camera import VirtualCamera
        def attempt():
            try:
                VirtualCamera((320, 240), 30)
            except SinkError:
                return
            raise AssertionError
        attempt()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            attempt()
        assert len(os.listdir("/proc/self/fd")) == before
        """
    )


def test_which_device(monkeypatch: pytest.MonkeyPatch) -> None:
    free, taken = Abilities(v4l2.LOOPBACK, True, True), Abilities(v4l2.LOOPBACK, True, False)

    def with_devices(**found: Abilities | None) -> None:
        monkeypatch.setattr(v4l2, "loopbacks", lambda: {f"/dev/{name}": able for name, able in found.items()})

    monkeypatch.setattr(v4l2, "let_go", lambda device: None)
    with_devices(video2=taken, video3=free, video4=free)
    assert loopback_to_feed() == "/dev/video3" and loopback_to_feed("/dev/video4") == "/dev/video4"
    with pytest.raises(SinkError, match="another program feeds the virtual camera /dev/video2: stop it there"):
        loopback_to_feed("/dev/video2")
    with pytest.raises(SinkError, match="/dev/video9 is no device of v4l2loopback"):
        loopback_to_feed("/dev/video9")
    with_devices(video2=None)
    with pytest.raises(SinkError, match="usermod -aG video"):
        loopback_to_feed()
    with_devices()
    with pytest.raises(SinkError, match="modprobe v4l2loopback exclusive_caps=1"):
        loopback_to_feed()


@pytest.mark.parametrize(
    ("system", "said"), [("linux", "modprobe v4l2loopback"), ("darwin", "OBS Studio 30"), ("win32", "OBS Studio")]
)
def test_every_system_has_its_sentence(system: str, said: str) -> None:
    assert said in no_virtual_camera("'obs' backend: virtual camera output could not be started", "", system)
    assert "starts by itself" in no_virtual_camera("nothing", "", system)
    assert "another program" in no_virtual_camera("Device or resource busy", "", system)


def test_a_device_that_is_there_needs_no_driver() -> None:
    odd = no_virtual_camera("Device capabilities could not be queried.", "/dev/video10", "linux")
    assert "/dev/video10" in odd and "another program" in odd and "modprobe" not in odd
    assert "modprobe" in no_virtual_camera("/dev/video10 is gone", "/dev/video10", "linux")


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match="pyvirtualcam is not installed: run"):
        VirtualCamera((320, 240), 30)


def test_the_package_is_imported_only_when_it_is_used() -> None:
    code = "import sys, puppeteer.live, puppeteer.outputs; assert 'pyvirtualcam' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
