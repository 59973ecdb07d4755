"""Recordings: where they go, one at a time, and what is said when one has ended."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from puppeteer.errors import SinkError
from puppeteer.gui import texts
from puppeteer.gui.notices import Notices
from puppeteer.gui.work import Done, Work
from puppeteer.live import Live, Status
from puppeteer.live.devices import RECORDED
from puppeteer.settings import Settings

SETTLED_S = 1.0  # a status may be of before the start


def folder_of(settings: Settings) -> Path:
    """Where recordings go."""
    if settings.studio.recordings:
        return Path(settings.studio.recordings)
    home = Path.home()
    videos = home / ("Movies" if sys.platform == "darwin" else "Videos")
    return videos if videos.is_dir() else home


class Recordings:
    def __init__(self, engine: Live, work: Work, notices: Notices, clock: Callable[[], float]) -> None:
        self._engine, self._work, self._notices = engine, work, notices
        self.path: Path | None = None  # of the one that runs
        self.last: Path | None = None  # that was finished
        self._clock, self._since_s = clock, 0.0

    def start(self, settings: Settings) -> None:
        """Raises SinkError."""
        path = _new_name(settings, "webm" if settings.output.background.lower() == "transparent" else "mp4")
        self._engine.start_recording(path)
        self.path, self._since_s = path, self._clock()
        self._notices.drop("done")

    def stop(self) -> None:
        """Finishes the file in the background, and says where it is."""
        path, self.path = self.path, None
        if path is None:
            return

        def finish() -> Done:
            self._engine.stop_recording()
            return lambda: self._finished(path)

        self._work.start(finish)

    def close(self) -> None:
        """Finishes the file, at the end. Raises SinkError."""
        self._engine.stop_motion()
        if self.path is not None:
            self._engine.stop_recording()

    def flip_motion(self, settings: Settings) -> None:
        """Begins to record the motion alone, or ends that and says where it is. Raises SinkError."""
        if self._engine.motion_lasts_s is None:
            self._engine.start_motion(_new_name(settings, "csv"))
            self._notices.drop("done")
            return

        def finish() -> Done:
            path = self._engine.stop_motion()
            return lambda: None if path is None else self._finished(path)

        self._work.start(finish)

    def step(self, status: Status) -> None:
        """Once a frame: one that ended by itself is none any more, but what it has written is told."""
        if self.path is None or self._clock() - self._since_s < SETTLED_S:
            return
        if status.recording.state in ("off", "problem"):
            path, self.path = self.path, None
            if path.exists():
                self._finished(path)

    def _finished(self, path: Path) -> None:
        self.last = path
        self._notices.tell(
            "done",
            RECORDED.format(path=path),
            problem=False,
            buttons=[(texts.OPEN_FOLDER, lambda: show_in_folder(path))],
        )


def _new_name(settings: Settings, ending: str) -> Path:
    stamp = datetime.datetime.now().strftime("%Y-%m-%d %H-%M-%S")
    return folder_of(settings) / f"Puppeteer {stamp}.{ending}"


def show_in_folder(path: Path) -> None:
    """Opens the folder of a file in the system's file manager. Raises SinkError where there is none."""
    folder = path if path.is_dir() else path.parent
    try:
        if sys.platform == "win32":
            os.startfile(folder)
            return
        opener = "open" if sys.platform == "darwin" else "xdg-open"
        subprocess.Popen(
            [opener, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        raise SinkError(f"the folder {folder} cannot be shown here: open it in your file manager") from None
