import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from clips import make_clip

from puppeteer.inputs.video_file import VideoFile
from puppeteer.pose import FaceObservation, Frame
from puppeteer.threads import abreast, ahead
from puppeteer.tracking.clip import observe_clip


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_same_items_in_order() -> None:
    assert list(ahead(range(100), depth=3)) == list(range(100))
    assert list(ahead([])) == []
    assert "ahead" not in names()


def test_runs_ahead_but_not_far() -> None:
    made: list[int] = []

    def count() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    with closing(ahead(count(), depth=3)) as items:
        assert next(items) == 0
        deadline = time.monotonic() + 30
        while len(made) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        assert len(made) == 5, "one taken, three waiting, one in hand"


def test_an_exception_arrives_after_the_items_before_it() -> None:
    def breaks() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("three")

    items = ahead(breaks())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(items)
    assert "ahead" not in names()


def test_closing_early_ends_every_thread_and_closes_the_source() -> None:
    closed: list[str] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    with closing(ahead(ahead(endless()))) as items:
        assert next(items) == 1
    assert "ahead" not in names()
    assert closed == ["ahead"], "in the thread that ran it"


def test_results_come_in_order_though_done_by_several_threads_at_once() -> None:
    together = threading.Barrier(3)
    began: list[str] = []

    def work(item: int) -> int:
        together.wait(30)  # breaks unless three are at it
        time.sleep((item * 7 % 3) / 500)
        return item * item

    with closing(abreast(work, range(60), 3, lambda: began.append(threading.current_thread().name))) as results:
        assert list(results) == [item * item for item in range(60)]
    assert len(set(began)) == len(began) == 3
    assert not any(name.startswith("abreast") for name in names())


def test_work_abreast_waits_for_the_reader_and_ends_with_it() -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            asked.append(item)
            yield item

    with closing(abreast(str, items(), 2)) as results:
        assert [next(results), next(results)] == ["0", "1"]
        assert len(asked) == 5, "two taken, two in hand or waiting, one more asked for"
    assert not any(name.startswith("abreast") for name in names())


def test_an_exception_of_work_abreast_arrives_after_the_results_before_it() -> None:
    def work(item: int) -> float:
        if item < 3:
            time.sleep(0.02)
        return 1 / (item - 3)

    seen: list[float] = []
    with pytest.raises(ZeroDivisionError), closing(abreast(work, range(9), 4)) as results:
        for result in results:
            seen.append(result)
    assert len(seen) == 3
    assert not any(name.startswith("abreast") for name in names())


class Watching:
    """Sees a face where a rule puts it; the landmarks tell where that is."""

    def __init__(self, face_x: Callable[[Frame], float | None]) -> None:
        self.face_x = face_x
        self.indices: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def observe(self, frame: Frame) -> FaceObservation | None:
        self.indices.append(frame.index)
        x = self.face_x(frame)
        if x is None:
            return None
        corners = np.array([(x, 0.2, 0), (x + 0.2, 0.6, 0)], np.float32)
        return FaceObservation(0, 0, 0, 0, 0, x + frame.index, corners)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    return make_clip(path, times_ms=range(0, 160 * 40, 40), size=(32, 32), options={"preset": "ultrafast"})


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def observed(
    clip: Path, rules: list[Callable[[Frame], float | None]]
) -> tuple[list[FaceObservation | None], list[float], list[list[int]]]:
    """The Nth tracker that is asked for follows the Nth rule."""
    waiting = iter([Watching(rule) for rule in rules])
    made: list[Watching] = []

    def tracker() -> Watching:
        made.append(next(waiting))
        return made[-1]

    ticks: list[None] = []
    seen, times_s = observe_clip(VideoFile(clip), tracker, lambda: ticks.append(None))
    assert len(ticks) == sum(len(one.indices) for one in made)
    return seen, times_s, [one.indices for one in made]


def test_two_trackers_share_a_long_clip(long_clip: Path, two_cores: None) -> None:
    for rule in (lambda frame: 0.3, lambda frame: None if 75 < frame.index < 90 else 0.3):
        seen, times_s, shares = observed(long_clip, [rule, rule])
        assert times_s == pytest.approx([i * 0.04 for i in range(160)])
        assert [None if face is None else round(face.neck_y - 0.3) for face in seen] == [
            i if rule(Frame(np.zeros((1, 1, 3), np.uint8), 0.0, i)) else None for i in range(160)
        ]
        assert all(face is None or face.landmarks is None for face in seen), "they would fill the memory"
        assert sorted(map(len, shares)) == [80, 90]


def test_halves_that_follow_different_faces_are_not_joined(long_clip: Path, two_cores: None) -> None:
    """The second tracker has not seen whom the first one has followed from the start."""
    own: list[Callable[[Frame], float | None]] = [
        lambda frame: 0.1 if threading.current_thread() is threading.main_thread() else 0.7
    ] * 2
    seen, times_s, _ = observed(long_clip, own)
    assert len(times_s) == 160
    assert [round(face.neck_y - i, 3) for i, face in enumerate(seen) if face] == [0.1] * 160


def test_a_short_clip_or_one_core_has_one_tracker(
    tmp_path: Path, long_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    short = make_clip(tmp_path / "short.mp4")
    assert observed(short, [lambda frame: 0.3])[2] == [list(range(10))]
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert observed(long_clip, [lambda frame: 0.3])[2] == [list(range(160))]


@pytest.mark.parametrize("claimed", [150, 170, 400, 1000])
def test_a_wrong_frame_count_loses_nothing(
    long_clip: Path, two_cores: None, monkeypatch: pytest.MonkeyPatch, claimed: int
) -> None:
    source = VideoFile(long_clip)
    source.frame_count = claimed
    seen, times_s = observe_clip(source, lambda: Watching(lambda frame: 0.3))
    assert times_s == pytest.approx([i * 0.04 for i in range(160)])
    assert [round(face.neck_y - 0.3) for face in seen if face] == list(range(160))


def test_a_failing_second_tracker_is_not_silent(long_clip: Path, two_cores: None) -> None:
    def fails(frame: Frame) -> float:
        if frame.index == 120:
            raise ZeroDivisionError
        return 0.3

    with pytest.raises(ZeroDivisionError):
        observe_clip(VideoFile(long_clip), lambda: Watching(fails))
    assert "ahead" not in names()
