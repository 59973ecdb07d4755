"""The character on a transparent ground as a web page, for the browser source of OBS.

A server on the loopback gives the page, and to each page by a WebSocket the newest picture, whenever the one before was
drawn there: a slow page gets fewer pictures, and costs nobody anything. The pixels as they are, of the box that is not
empty, cost least, and are exact. Measured end to end with Chromium without a graphics card, the first character at
60 pictures a second; seconds of the processor a second, and megabytes a second:

    px    encoding                        ours   page   both   MB/s
    512   raw RGBA                        0.03   0.36   0.39     33
          PNG, level 1                    0.40   0.51   0.91      9
          WebP, lossless                  7.36   0.93   8.29      5
          JPEG 90, alpha beside as it is  0.18   0.42   0.60     10
          JPEG 90, alpha as another       0.19   0.62   0.82      3
    1024  raw RGBA                        0.08   0.73   0.81    132
          PNG, level 1                    1.27   1.13   2.40     25
          WebP, lossless                 16.08   1.42  17.50     13
          JPEG 90, alpha beside as it is  0.68   1.27   1.95     38
          JPEG 90, alpha as another       0.68   1.43   2.11      7

(PNG, WebP and JPEG as OpenCV writes them. The page's share holds what Chromium takes to show any picture.)
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppeteer.errors import SinkError
from puppeteer.outputs.compose import Placed

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

HOST = "127.0.0.1"
PAGE = Path(__file__).with_suffix(".html")
PICTURES = "/pictures"  # where the page's WebSocket goes
MOST_PAGES = 16
UNDRAWN = 2  # pictures that may be on the way to a page: one is drawn while the next one travels
ANSWER = 12  # characters; what a page says is the number of a picture
PORTS = 10  # that are tried, from the wanted one on
STARTS_S, OPENS_S, CLOSES_S, ENDS_S = 10.0, 5.0, 0.3, 1.0  # the server; a page; and their ends
HEAD = struct.Struct("<12i")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Page:
    """One that is open somewhere. For the server's thread alone."""

    def __init__(self) -> None:
        self.news = asyncio.Event()  # a picture, or an answer
        self.sent = 0  # the number of the latest picture
        self.undrawn: deque[int] = deque()

    @property
    def waits(self) -> bool:
        return len(self.undrawn) < UNDRAWN


class BrowserSource:
    """Serves at `name`, the address. Raises SinkError where no port is to be had.

    `send` and `close` are for one thread, the properties for any.
    """

    def __init__(self, port: int) -> None:
        try:
            from websockets.asyncio.server import serve
        except ImportError as error:
            raise SinkError(
                "the package websockets is not installed: run  python -m pip install -r requirements.txt"
            ) from error
        self._serve = serve
        self._page = PAGE.read_bytes()
        self._socket, self.port = listening(port)
        self.name = f"http://{HOST}:{self.port}/"
        self._note = f"; the port {port} is taken, so that the address has another one" if self.port != port else ""
        self._pages: set[Page] = set()
        self._latest: memoryview | None = None  # the newest message, while a page is open
        self._latest_number = 0
        self._number = 0
        self._picture: Placed | None = None  # the latest that was sent
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live-browser", daemon=True)
        self._thread.start()
        if not self._begun.wait(STARTS_S):
            self.close()
            raise SinkError("the browser source does not start: it is tried again by itself")

    @property
    def users(self) -> int:
        """Pages that are open."""
        return len(self._pages)

    @property
    def wanted(self) -> bool:
        """Whether a page waits for the next picture."""
        return any(page.waits for page in tuple(self._pages))

    def told(self) -> str:
        users = self.users
        shown = (
            f"shown in {users} {'place' if users == 1 else 'places'}" if users else "add it in OBS as a Browser source"
        )
        return f"{self.name}, {shown}{self._note}"

    def send(self, picture: Placed) -> None:
        """To every page that waits for one; what a page has already is not sent again."""
        before = self._picture
        if before is not None and self._latest is not None and before.same(picture):
            return
        self._picture = picture
        self._number += 1
        self._soon(self._publish, message(picture, self._number), self._number)

    def close(self) -> None:
        """May be called more than once."""
        self._soon(self._end.set)
        self._thread.join(ENDS_S)
        self._socket.close()

    def _soon(self, act: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act, *arguments)

    # --- the server's thread

    def _work(self) -> None:
        try:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._served())
        finally:
            self._loop.close()

    async def _served(self) -> None:
        from websockets.typing import Origin

        log = logging.getLogger(__name__)
        log.addHandler(logging.NullHandler())
        log.propagate = False  # what strangers do wrong is no news
        async with self._serve(
            self._talk,
            sock=self._socket,
            process_request=self._answer,
            origins=[Origin(f"http://{host}") for host in self._hosts],
            compression=None,
            max_size=ANSWER,
            max_queue=4,
            open_timeout=OPENS_S,
            close_timeout=CLOSES_S,
            logger=log,
            server_header=None,
        ):
            self._begun.set()
            await self._end.wait()

    @property
    def _hosts(self) -> tuple[str, str]:
        return f"{HOST}:{self.port}", f"localhost:{self.port}"

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """To a request; None where it may open a WebSocket."""
        from websockets.datastructures import Headers
        from websockets.http11 import Response

        def answer(status: http.HTTPStatus, kind: str, body: bytes) -> Response:
            fields = {"Content-Type": f"text/{kind}; charset=utf-8", "Content-Length": str(len(body)), **HEADERS}
            return Response(status.value, status.phrase, Headers(**fields, Connection="close"), body)

        # Another name that leads here (DNS rebinding) would make a foreign page one of ours.
        if request.headers.get_all("Host") not in [[host] for host in self._hosts]:
            return answer(http.HTTPStatus.FORBIDDEN, "plain", b"this address serves this computer alone\n")
        path = request.path.partition("?")[0]
        if path == "/":
            return answer(http.HTTPStatus.OK, "html", self._page)
        if path != PICTURES:
            return answer(http.HTTPStatus.NOT_FOUND, "plain", b"there is only /\n")
        if len(self._pages) >= MOST_PAGES:
            return answer(http.HTTPStatus.SERVICE_UNAVAILABLE, "plain", b"too many pages are open: close some\n")
        return None

    def _publish(self, latest: memoryview, number: int) -> None:
        if self._pages:
            self._latest, self._latest_number = latest, number
            for page in self._pages:
                page.news.set()

    async def _talk(self, connection: ServerConnection) -> None:
        """With one page, until it is closed."""
        from websockets.exceptions import ConnectionClosed

        if len(self._pages) >= MOST_PAGES:  # several were opened at once
            return
        page = Page()
        self._pages.add(page)
        answers = asyncio.ensure_future(_hear(connection, page))
        answers.add_done_callback(lambda _: page.news.set())
        try:
            while not answers.done():
                if page.waits and self._latest is not None and page.sent != self._latest_number:
                    page.sent = self._latest_number
                    page.undrawn.append(page.sent)
                    await connection.send(self._latest)
                else:
                    await page.news.wait()
                    page.news.clear()
        except ConnectionClosed:
            pass
        finally:
            answers.cancel()
            self._pages.discard(page)
            if not self._pages:
                self._latest = None


async def _hear(connection: ServerConnection, page: Page) -> None:
    """Answers: the number of a picture that was drawn, and so were those before it. Anything else ends the talk."""
    async for said in connection:
        number = int(said) if isinstance(said, str) and said.isascii() and said.isdigit() else -1
        if number not in page.undrawn:
            await connection.close(1008, "no number of a picture")
            return
        while page.undrawn and page.undrawn[0] <= number:
            page.undrawn.popleft()
        page.news.set()


def listening(port: int) -> tuple[socket.socket, int]:
    """A socket on the loopback, on that port or the next that is free. Raises SinkError."""
    last = min(port + PORTS - 1, 65535)
    why = ""
    for tried in range(port, last + 1):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform == "win32":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of one that has just been closed
        try:
            found.bind((HOST, tried))
            found.listen(64)
            return found, tried
        except OSError as error:
            found.close()
            why = (error.strerror or "").lower()
    raise SinkError(f"the browser source finds no free port from {port} to {last} ({why}): choose another port")


def message(picture: Placed, number: int) -> memoryview:
    """What the page reads: twelve 32-bit integers, then the pixels of the box that is not empty, straight RGBA."""
    rgba = picture.rgba
    x, y, columns, rows = cv2.boundingRect(cv2.extractChannel(rgba, 3))
    height, width = rgba.shape[:2]
    whole = np.empty(HEAD.size + 4 * columns * rows, np.uint8)
    place = (*picture.size, picture.left, picture.top, picture.side)
    head = HEAD.pack(number % 2**31, width, height, x, y, columns, rows, *place)
    whole[: HEAD.size] = np.frombuffer(head, np.uint8)
    whole[HEAD.size :].reshape(rows, columns, 4)[:] = rgba[y : y + rows, x : x + columns]
    return whole.data
