"""A thread that listens to a phone or another program, whatever happens to it, and says what is the matter."""

from __future__ import annotations

import threading
from collections.abc import Callable

from puppeteer.errors import PuppeteerError
from puppeteer.inputs.contract import Arrival, FaceInput
from puppeteer.live.capture import Feed, Patience
from puppeteer.live.status import Part, Rate


class Listening:
    """Opens an input and hands over every arrival; what cannot be opened is told by `condition` and tried again.

    It listens from its start until `close`, and not before the feed `after`, which is told to stop, has ended.
    """

    absent = False

    def __init__(
        self,
        open_faces: Callable[[], FaceInput],
        heard: Callable[[Arrival], object],
        rate: Rate,
        clock: Callable[[], float],
        patience: Patience,
        after: Feed | None = None,
    ) -> None:
        self._open, self._heard = open_faces, heard
        self._rate, self._clock, self._patience = rate, clock, patience
        self._after = after
        self._stop, self._again = threading.Event(), threading.Event()
        self._faces: FaceInput | None = None
        self._problem = ""
        self.setup = ""  # what to do in the app
        self.delivered = False
        self._thread = threading.Thread(target=self._work, name="live-listen", daemon=True)
        self._thread.start()

    def condition(self) -> Part:
        faces = self._faces
        if faces is not None:
            told = faces.condition()
            return Part(told.state, told.text)
        return Part("problem", self._problem) if self._problem else Part("starting", "beginning to listen")

    @property
    def blocked_s(self) -> float:
        """Nothing here waits for ever."""
        return 0.0

    def retry(self) -> None:
        """Begins anew at once."""
        self._again.set()

    def stop(self) -> None:
        self._stop.set()
        self._again.set()

    def close(self) -> bool:
        self.stop()
        self._thread.join(self._patience.join_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        if self._after is not None:
            self._after.close()
            self._after = None
        while not self._stop.is_set():
            try:
                faces = self._open()
                try:
                    self._faces, self._problem = faces, ""
                    self._listen(faces)
                finally:
                    self._faces = None
                    faces.close()
            except Exception as error:  # whatever the system or a mapping throws, the rest lives on
                self._problem = (
                    str(error)
                    if isinstance(error, PuppeteerError)
                    else f"listening failed ({type(error).__name__}: {error}): it is tried again by itself"
                )
                self._again.wait(self._patience.retry_s)
            self._again.clear()

    def _listen(self, faces: FaceInput) -> None:
        self.setup = faces.setup
        while not self._again.is_set():
            arrival = faces.read()
            if arrival is not None and not self._again.is_set():
                self.delivered = True
                self._rate.count(arrival.time_s)
                self._heard(arrival)
            elif arrival is None:  # the network may have changed, and with it the address
                self.setup = faces.setup
