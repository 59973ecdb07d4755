"""A thread that listens to a phone or another program, whatever happens to it, and says what is the matter."""

from __future__ import annotations

from collections.abc import Callable

from puppeteer.inputs.contract import Arrival, FaceInput
from puppeteer.live.attempts import Attempts, Patience, told
from puppeteer.live.capture import Feed
from puppeteer.live.status import Part, Rate


class Listening(Attempts):
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
        super().__init__("live-listen", patience, after)
        self._open, self._heard = open_faces, heard
        self._rate, self._clock = rate, clock
        self._faces: FaceInput | None = None
        self._problem = ""
        self.setup = ""  # what to do in the app
        self.delivered = False
        self._begin()

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

    def _work(self) -> None:
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
                self._problem = told(error, "listening failed", "it is tried again by itself")
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
