"""The soak: what it measures, what it calls growth, and short ones of every input."""

from __future__ import annotations

import mmap
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from faces import carphone
from stage import eventually

from app import live_parts
from puppeteer.by_name import set_by_name
from puppeteer.commands import soak as module
from puppeteer.commands.soak import INPUTS, Sample, growth, sampled, soak, soaked
from puppeteer.errors import SettingsError
from puppeteer.settings import STUDIO


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield

    def left() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name.startswith("live-")]

    assert eventually(lambda: not left(), 20), left()


def samples(minutes: float, mb: float = 0.0, threads: float = 0.0, descriptors: float = 0.0) -> list[Sample]:
    """A start that takes 300 MB, then so much more a minute, with the noise that a process has."""
    noise = np.random.default_rng(0).normal(0, 1, round(minutes * 60) + 1)
    return [
        Sample(
            float(s),
            float(400 + min(300, 5 * s) + mb * s / 60 + noise[s]),
            20 + int(threads * s / 60),
            10 + int(descriptors * s / 60),
        )
        for s in range(len(noise))
    ]


def test_what_grows_after_the_start_is_told() -> None:
    level = growth(samples(10))
    assert level.level and level.mb_per_minute == pytest.approx(0, abs=0.2)
    leaking = growth(samples(10, mb=2))
    assert not leaking.level and leaking.mb_per_minute == pytest.approx(2, abs=0.2)
    assert growth(samples(10, threads=1)).threads >= 5 and not growth(samples(10, threads=1)).level
    assert growth(samples(10, descriptors=1)).descriptors >= 5 and not growth(samples(10, descriptors=1)).level


def test_of_a_short_run_memory_is_not_judged_but_threads_are() -> None:
    assert growth(samples(1, mb=50)).mb_per_minute is None
    assert not growth(samples(1, threads=20)).level


def test_samples_show_what_this_process_takes(tmp_path: Path) -> None:
    held = []
    lines: list[str] = []

    def say(line: str) -> None:  # between the first sample and the second
        lines.append(line)
        if not held:
            fresh = mmap.mmap(-1, 200_000_000)  # a heap may have as much that is free, and taken already
            np.frombuffer(fresh, np.uint8)[:] = 1
            held.extend((fresh, (tmp_path / "a").open("w")))

    found = sampled(0.3, 0.05, say)
    held[1].close()
    assert found[-1].memory_mb - found[0].memory_mb > 150
    assert found[-1].descriptors == found[0].descriptors + 1
    assert found[-1].time_s >= 0.3
    assert len(lines) == 2 and "descriptors" in lines[0]


@pytest.mark.parametrize("kind", INPUTS)
def test_a_short_soak_of_every_input(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    grown = soaked(kind, 1.0, carphone(), settings=set_by_name(STUDIO, "poser.family", "warp"), parts=live_parts())
    assert grown.mb_per_minute is None
    said = capsys.readouterr().out
    assert f"{kind}: too short for memory" in said
    assert " 0 pictures" not in said and "shown by a page" in said


def test_each_of_several_inputs_has_a_process_of_its_own(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = (
        f"import sys; open({str(told)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10)); sys.exit('demo' in sys.argv)"
    )
    command = [sys.executable, "-c", program, "soak"]
    assert not soak(["camera", "demo"], 2.5, Path("a.mp4"), window=True, parts=live_parts(), command=command)
    assert told.read_text().splitlines() == [
        f"soak --inputs {name} --minutes 2.5 --clip a.mp4 --window" for name in ("camera", "demo")
    ]
    assert soak(["camera", "video"], 2.5, parts=live_parts(), command=command)


def test_wrong_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="give some of camera"):
        soak(["telepathy"], 1, parts=live_parts())
    with pytest.raises(SettingsError, match="more than 0"):
        soak(["demo"], 0, parts=live_parts())
    monkeypatch.setitem(module.sys.modules, "psutil", None)
    with pytest.raises(SettingsError, match=r"requirements-dev\.txt"):
        sampled(0.1)
