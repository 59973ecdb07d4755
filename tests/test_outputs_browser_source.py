"""The browser source: what a real browser shows of it, who is refused, and that slow pages cost nobody anything."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from chromium import Chromium, chromium, needs_chromium
from conftest import drawn_character
from stage import SMALL, Stage, eventually, on_stage
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from puppeteer.by_name import set_by_name
from puppeteer.errors import SinkError
from puppeteer.outputs.browser_source import HEAD, MOST_PAGES, PORTS, UNDRAWN, BrowserSource, listening
from puppeteer.outputs.compose import Background, Placed
from puppeteer.pose import U8, Pose

SIDE = 256


def soft_character(side: int = SIDE) -> U8:
    """Edges of every alpha, as hair has."""
    rgba = drawn_character(side)
    rgba[..., 3] = cv2.GaussianBlur(rgba[..., 3], (0, 0), 3)
    rgba[..., :3][rgba[..., 3] == 0] = 0
    rgba[: side // 4, : side // 4] = (200, 30, 90, 0)
    rgba[: side // 4, : side // 4, 3] = np.arange(side // 4, dtype=np.uint8) * 4
    return rgba


def whole(rgba: U8) -> Placed:
    return Placed(rgba, (rgba.shape[1], rgba.shape[0]), 0, 0, rgba.shape[0])


@pytest.fixture
def source() -> Iterator[BrowserSource]:
    with closing(BrowserSource(18110)) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


def page(source: BrowserSource, **more: object) -> ClientConnection:
    """A page without a browser."""
    address = f"{source.name.replace('http', 'ws')}pictures"
    given: dict[str, object] = {"origin": source.name.rstrip("/"), "compression": None, "max_size": None, **more}
    return connect(address, **given)  # type: ignore[arg-type]


def received(message: object) -> tuple[int, U8]:
    """The number of a picture, and its pixels (n, n, 4)."""
    assert isinstance(message, bytes)
    number, width, height, x, y, columns, rows, *_ = HEAD.unpack_from(message)
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[y : y + rows, x : x + columns] = np.frombuffer(message, np.uint8, -1, HEAD.size).reshape(rows, columns, 4)
    return number, rgba


class Fed:
    """Pictures sixty times a second, each with another colour, for as long as the block lasts."""

    def __init__(self, source: BrowserSource, side: int = SIDE) -> None:
        self._source, self._stop = source, threading.Event()
        self._pictures = [whole(np.full((side, side, 4), 10 + shade, np.uint8)) for shade in range(100)]
        self._thread = threading.Thread(target=self._work)
        self.longest_s = 0.0  # that handing one over took

    def _work(self) -> None:
        for count in range(10**9):
            if self._stop.wait(1 / 60):
                return
            begun_s = time.perf_counter()
            if self._source.wanted:
                self._source.send(self._pictures[count % 100])
            self.longest_s = max(self.longest_s, time.perf_counter() - begun_s)

    def __enter__(self) -> Fed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def drawn(talk: ClientConnection, count: int) -> list[int]:
    """Takes so many pictures, as a page does."""
    numbers = []
    for _ in range(count):
        numbers.append(received(talk.recv(timeout=20))[0])
        talk.send(str(numbers[-1]))
    return numbers


# --- what is shown


@needs_chromium
def test_a_browser_shows_the_very_pixels(source: BrowserSource, browser: Chromium) -> None:
    rgba = soft_character()
    with browser.tab(source.name, (SIDE, SIDE)) as tab:
        assert eventually(lambda: source.wanted, 30)
        source.send(whole(rgba))
        assert eventually(lambda: all_drawn(source), 30)
        shown = tab.screenshot()
        assert np.abs(shown[..., 3].astype(int) - rgba[..., 3]).max() <= 3
        for ground in ((255, 255, 255), (0, 0, 0)):  # no halo: over light and dark it looks as we compose it
            mine, browsers = (whole(one).over(Background(colour=ground)) for one in (rgba, shown))
            assert np.abs(mine.astype(int) - browsers).max() <= 3
        tab.run("document.body.style.background = 'rgb(0, 120, 240)'")
        over = tab.screenshot()
        expected = whole(rgba).over(Background(colour=(0, 120, 240)))
        assert np.abs(over[..., :3].astype(int) - expected).max() <= 3


def all_drawn(source: BrowserSource) -> bool:
    """Whether every page has drawn the latest picture."""
    return all(page.sent == source._number and not page.undrawn for page in tuple(source._pages))


@needs_chromium
def test_the_page_follows_the_size_of_the_source_and_the_place_of_the_character(
    source: BrowserSource, browser: Chromium
) -> None:
    rgba = np.full((64, 64, 4), 255, np.uint8)
    with browser.tab(source.name, (320, 240)) as tab:
        assert eventually(lambda: source.wanted, 30)

        def box(picture: Placed) -> tuple[int, ...]:
            source.send(picture)
            assert eventually(lambda: all_drawn(source), 30)
            return tuple(cv2.boundingRect((tab.screenshot()[..., 3] > 127).astype(np.uint8)))

        assert box(Placed(rgba, (320, 240), 40, 20, 100)) == (40, 20, 100, 100)
        assert box(Placed(rgba, (640, 480), 80, 40, 200)) == (40, 20, 100, 100)
        assert box(Placed(rgba, (320, 240), 270, 20, 100)) == (270, 20, 50, 100), "what sticks out is cut off"
        assert box(Placed(rgba, (320, 160), 0, 60, 100)) == (0, 140, 100, 100), "it stands on the lower edge"
        tab.ask("Emulation.setDeviceMetricsOverride", width=160, height=240, deviceScaleFactor=1, mobile=False)
        assert box(Placed(rgba, (320, 240), 40, 20, 100)) == (20, 130, 50, 50)
        assert box(Placed(np.zeros((64, 64, 4), np.uint8), (320, 240), 0, 0, 100)) == (0, 0, 0, 0)


@needs_chromium
def test_a_page_finds_a_program_that_is_started_again(browser: Chromium) -> None:
    first = BrowserSource(18130)
    try:
        with browser.tab(first.name, (SIDE, SIDE)) as tab:
            assert eventually(lambda: first.wanted, 30)
            first.send(whole(soft_character()))
            assert eventually(lambda: all_drawn(first), 30)
            first.close()
            assert eventually(lambda: not tab.screenshot()[..., 3].any(), 30), "a character without a program goes"
            with closing(BrowserSource(18130)) as second:
                assert second.name == first.name
                assert eventually(lambda: second.wanted, 30)
                second.send(whole(soft_character()))
                assert eventually(lambda: tab.screenshot()[..., 3].any(), 30)
    finally:
        first.close()


# --- who is served


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_page_is_given_to_this_computer(source: BrowserSource, host: str) -> None:
    with urllib.request.urlopen(f"http://{host}:{source.port}/?any", timeout=20) as answer:
        assert b"<canvas" in answer.read() and answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:18110", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_is_refused(source: BrowserSource, host: str) -> None:
    """A name of somebody else's that leads here (DNS rebinding)."""
    for path in ("", "pictures"):
        request = urllib.request.Request(source.name + path, headers={"Host": host})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 403
        refused.value.close()


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
def test_another_origin_is_refused(source: BrowserSource, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused, page(source, origin=origin):
        pass
    assert refused.value.response.status_code == 403 and not source.users


def test_only_the_loopback_is_listened_to(source: BrowserSource) -> None:
    mine = [one for one in psutil.Process().net_connections() if one.laddr and one.laddr.port == source.port]
    assert mine and {one.laddr.ip for one in mine} == {"127.0.0.1"}


def test_there_is_nothing_else_to_fetch(source: BrowserSource) -> None:
    for path in ("favicon.ico", "../settings.json", "%2e%2e/", "pictures/x"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(source.name + path, timeout=20)
        assert refused.value.code == 404
        refused.value.close()


@pytest.mark.parametrize("said", ["x", "", "-1", "999", "0" * 40, "1" * 11, b"1", "½"])
def test_garbage_ends_the_talk_with_the_page_alone(source: BrowserSource, said: str | bytes) -> None:
    with page(source) as good, page(source) as bad, Fed(source):
        drawn(good, 3)
        bad.send(said)
        with pytest.raises(ConnectionClosed):
            for _ in range(UNDRAWN + 1):
                bad.recv(timeout=20)
        drawn(good, 3)


def test_what_is_no_http_disturbs_nobody(source: BrowserSource) -> None:
    with page(source) as good, Fed(source):
        for sent in (b"\x00\xff" * 5000, b"POST / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, b""):
            with closing(socket.create_connection(("127.0.0.1", source.port), 20)) as rude:
                with contextlib.suppress(OSError):
                    rude.sendall(sent)
                drawn(good, 2)


def test_too_many_pages_are_refused_until_one_is_closed(source: BrowserSource) -> None:
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(page(source)) for _ in range(MOST_PAGES)]
        assert eventually(lambda: source.users == MOST_PAGES)
        with pytest.raises(InvalidStatus) as refused, page(source):
            pass
        assert refused.value.response.status_code == 503
        pages[3].close()
        assert eventually(lambda: source.users == MOST_PAGES - 1)
        with page(source), Fed(source):
            drawn(pages[0], 2)


def test_a_port_that_is_taken_is_said_and_the_next_one_is_used() -> None:
    taken, port = listening(18150)
    with closing(taken), closing(BrowserSource(port)) as source:
        assert source.port == port + 1 and f"port {port} is taken" in source.told()
        assert str(source.port) in source.name
        with urllib.request.urlopen(source.name, timeout=20) as answer:
            assert answer.status == 200


def test_where_every_port_is_taken_another_one_is_asked_for() -> None:
    held = [socket.create_server(("127.0.0.1", port)) for port in range(18160, 18160 + PORTS)]
    try:
        with pytest.raises(SinkError, match=r"18160 to 18169.*choose another port"):
            BrowserSource(18160)
    finally:
        for one in held:
            one.close()


# --- how it is sent


def test_without_a_page_nothing_is_wanted_and_what_is_shown_already_is_not_sent_again(source: BrowserSource) -> None:
    assert not source.wanted and source.users == 0
    with page(source) as talk:
        assert eventually(lambda: source.wanted)
        source.send(whole(soft_character()))
        number, rgba = received(talk.recv(timeout=20))
        assert np.array_equal(rgba[rgba[..., 3] > 0], soft_character()[rgba[..., 3] > 0])
        talk.send(str(number))
        source.send(whole(soft_character()))
        with pytest.raises(TimeoutError):
            talk.recv(timeout=0.3)
        with page(source) as other:  # one that comes later gets it
            assert received(other.recv(timeout=20))[0] == number
    assert eventually(lambda: not source.wanted)


def test_ten_pages_a_stalled_one_and_a_killed_one(source: BrowserSource) -> None:
    """The newest wins for each; who takes none holds nobody up."""
    with contextlib.ExitStack() as stack, Fed(source, 512) as fed:
        pages = [stack.enter_context(page(source)) for _ in range(10)]
        stalled = stack.enter_context(closing(socket.create_connection(("127.0.0.1", source.port), 20)))
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        killed = stack.enter_context(page(source))
        host = f"127.0.0.1:{source.port}"
        stalled.sendall(
            f"GET /pictures HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            .encode()
        )  # fmt: skip
        assert eventually(lambda: source.users == 12, 20)
        killed.socket.shutdown(socket.SHUT_RDWR)
        for _ in range(5):
            for talk in pages:
                numbers = drawn(talk, 2)
                assert numbers == sorted(set(numbers))
        assert eventually(lambda: source.users == 11, 20)
        # A page that looks away is sent no more than it can have on the way, and then the newest.
        slow = pages[0]
        time.sleep(0.5)
        first = [received(slow.recv(timeout=20))[0] for _ in range(UNDRAWN)]
        with pytest.raises(TimeoutError):
            slow.recv(timeout=0.3)
        drawn(pages[1], 5)  # nothing is handed over while no page waits: now pictures pass it by
        slow.send(str(first[-1]))
        assert received(slow.recv(timeout=20))[0] > first[-1] + 1
        assert fed.longest_s < 0.5
    begun_s = time.perf_counter()
    source.close()
    assert time.perf_counter() - begun_s < 1.5, "a stalled page does not hold up the end"


def test_a_page_that_comes_and_goes_leaves_nothing_behind(source: BrowserSource) -> None:
    me = psutil.Process()

    def visits(count: int) -> None:
        for _ in range(count):
            with page(source) as talk:
                drawn(talk, 1)

    with Fed(source, 512):
        visits(10)
        assert eventually(lambda: source.users == 0)
        gc.collect()
        memory, descriptors, threads = me.memory_info().rss, me.num_fds(), threading.active_count()
        visits(100)
        assert eventually(lambda: source.users == 0)
        gc.collect()
        assert me.memory_info().rss - memory < 20e6, "each picture has 1 MB"
        assert me.num_fds() <= descriptors and threading.active_count() <= threads


@needs_chromium
def test_a_browser_that_is_killed_is_gone(source: BrowserSource) -> None:
    with chromium() as other, other.tab(source.name, (SIDE, SIDE)), Fed(source):
        assert eventually(lambda: source.users == 1, 30)
        with page(source) as talk:
            os.kill(other.process.pid, signal.SIGKILL)
            drawn(talk, 3)
            assert eventually(lambda: source.users == 1, 30)
            drawn(talk, 3)


def test_closing_twice_is_allowed() -> None:
    source = BrowserSource(18170)
    source.close()
    source.close()
    source.send(whole(soft_character()))
    assert not source.wanted


# --- in the live engine


def test_the_engine_serves_what_the_poser_draws_whatever_the_background(character_png: Path) -> None:
    stage = Stage(overlays={"browser_source": lambda output: BrowserSource(output.browser_port)})
    settings = set_by_name(set_by_name(SMALL, "output.browser_port", 18180), "output.background", "#0000FF")
    with on_stage(character_png, settings, stage):
        live = stage.live
        assert eventually(lambda: live.page)
        assert live.page in live.status().browser_source.text and "OBS" in live.status().browser_source.text
        counted = live.counts()["overlays"]
        time.sleep(0.2)
        assert live.counts()["overlays"] == counted == 0, "nobody looks"
        live.set_manual(Pose(mouth_open=1.0))
        address = live.page
        with connect(
            f"{address.replace('http', 'ws')}pictures", origin=address.rstrip("/"), max_size=None
        ) as talk:  # fmt: skip
            end_s = time.perf_counter() + 10
            number, rgba = received(talk.recv(timeout=20))
            while rgba[0, 0, 2] != 255 and time.perf_counter() < end_s:
                talk.send(str(number))
                number, rgba = received(talk.recv(timeout=20))
            assert rgba[0, 0].tolist() == [127, 127, 255, 255]
            assert eventually(lambda: "shown in 1 place" in live.status().browser_source.text)
            live.apply(set_by_name(live.settings, "output.browser_source", False))
            with pytest.raises(ConnectionClosed):
                while True:
                    talk.recv(timeout=20)
        assert eventually(lambda: live.status().browser_source.state == "off" and not live.page)
        live.apply(set_by_name(live.settings, "output.browser_source", True))
        live.apply(set_by_name(live.settings, "output.browser_port", 18190))
        assert eventually(lambda: ":18190/" in live.page), live.status().browser_source


def test_the_engine_tells_a_browser_source_that_does_not_open_and_tries_again(character_png: Path) -> None:
    failures = [SinkError("no free port: choose another port"), RuntimeError("odd")]

    def opened(output: object) -> BrowserSource:
        if failures:
            raise failures.pop(0)
        return BrowserSource(18195)

    with on_stage(character_png, SMALL, Stage(overlays={"browser_source": opened})) as stage:
        assert eventually(lambda: stage.live.page)
        said = stage.live.log.text()
        assert "choose another port" in said
