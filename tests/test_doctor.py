"""doctor: states, remedies, and no exception whatever is broken."""

from __future__ import annotations

import importlib.metadata
import stat
import sys
from pathlib import Path

import pytest

from puppeteer import weights
from puppeteer.by_name import set_by_name
from puppeteer.commands import doctor
from puppeteer.errors import PuppeteerError, RenderError
from puppeteer.poser import devices
from puppeteer.settings import Settings

WARP = set_by_name(Settings(), "poser.family", "warp")


def test_every_topic_has_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    doctor.doctor(settings=WARP)
    lines = capsys.readouterr().out.splitlines()
    for topic in ("Python", "packages", "weights face_landmarker", "device", "networks", "face tracking", "video"):
        assert any(line[7:].startswith(topic) for line in lines), topic
    found = [line for line in lines if line]
    assert all(line.startswith(("ok ", "note ", "BROKEN ")) for line in found[:-1])


def test_essential_parts_work_here() -> None:
    essential = ("Python", "packages", "weights face_landmarker", "device", "networks", "face tracking", "video")
    states = {line.topic: (line.state, line.text) for line in doctor.findings(WARP)}
    for topic in essential:
        assert states[topic][0] == "ok", states[topic]


def test_a_damaged_weight_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "face_landmarker.task").write_bytes(b"half a file")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    line = next(line for line in doctor.check_weights() if line.topic == "weights face_landmarker")
    assert line.state == "bad" and "face_landmarker.task" in line.text and "checksum" in line.text
    (tmp_path / "face_landmarker.task").unlink()
    line = next(line for line in doctor.check_weights() if line.topic == "weights face_landmarker")
    assert line.state == "bad" and "missing" in line.text


def test_something_broken_makes_it_fail_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(settings: str) -> None:
        raise RuntimeError("driver\nexploded")

    monkeypatch.setattr(devices, "choose", broken)
    assert not doctor.doctor(settings=WARP)
    out = capsys.readouterr().out
    assert "BROKEN device: RuntimeError: driver exploded" in out and "to mend" in out


def test_packages_that_are_missing_or_of_another_version_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        f"# pinned\nno-such-package==1.0\nnumpy==0.0.1\nrich=={importlib.metadata.version('rich')}\n"
    )
    monkeypatch.setattr(doctor, "REQUIREMENTS", requirements)
    lines = {line.topic: line for line in doctor.check_packages()}
    assert lines["no-such-package"].state == "bad" and "pip install" in lines["no-such-package"].text
    assert lines["numpy"].state == "note" and "0.0.1 was tested" in lines["numpy"].text
    assert "rich" not in lines


def test_every_requirement_is_pinned_for_its_system(monkeypatch: pytest.MonkeyPatch) -> None:
    text = doctor.REQUIREMENTS.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert all("==" in line for line in lines) and len(lines) > 10
    of_all = {line.partition("==")[0] for line in lines}
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    assert of_all - set(doctor.pinned()) == {"pynput"}, "needs a compiler there"
    monkeypatch.setattr(doctor.sys, "platform", "win32")
    assert of_all - set(doctor.pinned()) == {"python-xlib"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("No module named 'av'", name="av"), "av is not installed: run  python -m pip"),
        (ImportError("libGL.so.1: cannot open shared object file: No such file"), "apt-get install libgl1"),
        (OSError("libGLESv2.so.2: cannot open shared object file: No such file"), "libgles2"),
        (ImportError("DLL load failed while importing cv2"), "Visual C"),
        (RenderError("no OpenGL: install a driver"), "no OpenGL: install a driver"),
        (ValueError("what"), "report this line"),
    ],
)
def test_remedies(error: Exception, said: str) -> None:
    assert said in doctor.mended(error)
    if not isinstance(error, PuppeteerError | ValueError):
        assert doctor.remedy(error) == doctor.mended(error)


def test_other_exceptions_have_no_ready_remedy() -> None:
    assert doctor.remedy(ValueError("what")) is None
    assert doctor.remedy(ModuleNotFoundError("No module named 'puppeteer.x'", name="puppeteer.x")) is None
    assert doctor.remedy(FileNotFoundError("x.png")) is None


@pytest.mark.skipif(sys.platform == "win32", reason="stands in for nvidia-smi with a shell script")
def test_an_idle_nvidia_card_is_named_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 3060, 560.70'\n")
    tool.chmod(tool.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert doctor.nvidia_cards() == ["NVIDIA GeForce RTX 3060, 560.70"]
    lines = list(doctor.check_device(WARP))
    if devices.choose("auto").device.type == "cuda":
        assert len(lines) == 1
    else:
        assert "RTX 3060" in lines[1].text
        assert ("--index-url" in lines[1].text) or ("driver" in lines[1].text)
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert doctor.nvidia_cards() == []


def test_the_mend_of_an_idle_card_fits_its_cause() -> None:
    without = doctor.idle_card("RTX 3060", "2.13.0+cpu", None)
    assert "pip install torch==2.13.0+cu130 --index-url https://download.pytorch.org/whl/cu130" in without
    assert "update the NVIDIA driver" in doctor.idle_card("RTX 3060", "2.13.0+cu130", "13.0")


def test_virtual_camera_states_on_linux(tmp_path: Path) -> None:
    system, devices = tmp_path / "sys", tmp_path / "dev"
    devices.mkdir()
    assert "apt-get install v4l2loopback-dkms" in doctor.loopback(system, devices).text
    (system / "module/v4l2loopback").mkdir(parents=True)
    assert "no device" in doctor.loopback(system, devices).text
    (system / "devices/virtual/video4linux/video7").mkdir(parents=True)
    assert "usermod" in doctor.loopback(system, devices).text  # there is no device file that could be opened
    (devices / "video7").touch()
    line = doctor.loopback(system, devices)
    assert line.state == "ok" and "/dev/video7" in line.text
