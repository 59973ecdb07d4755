"""The thread that draws: one picture for each period of the output, handed on to be composed by who wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from puppeteer.live.detail import Detail
from puppeteer.live.devices import Devices
from puppeteer.live.driving import Driving
from puppeteer.live.hearing import Hearing
from puppeteer.live.loading import Loading
from puppeteer.live.looking import Looking, Seen
from puppeteer.live.pace import Pace
from puppeteer.live.status import Picture, Rate, Timings
from puppeteer.outputs.compose import Background, Placed, even_size
from puppeteer.pose import Pose
from puppeteer.settings import OutputSettings, Settings


class Drawing:
    """Never waits for a face, nor for what takes the pictures. `work` is the thread's."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        background: Background,
        clock: Callable[[], float],
        pace: Pace,
        stop: threading.Event,
        looking: Looking,
        driving: Driving,
        loading: Loading,
        devices: Devices,
        hearing: Hearing,
        rate: Rate,
        timings: Timings,
    ) -> None:
        self._settings = settings
        self.background = background
        self._clock, self._pace, self._stop = clock, pace, stop
        self._looking, self._driving, self._loading, self._devices = looking, driving, loading, devices
        self._hearing = hearing
        self._rate, self._timings = rate, timings
        self._detail = Detail()
        self._preparing = False  # another size than the one that is drawn
        self.picture: Picture | None = None

    def work(self, after_each: Callable[[], object]) -> None:
        """Until `stop`; early or late by half a period to follow the camera's rhythm."""
        pace = self._pace
        due_s = self._clock()
        while not self._stop.is_set():
            period_s = 1 / self._settings().output.rate
            self._stop.wait(max(0.0, due_s - period_s / 2 - self._clock()))
            now_s = self._clock()
            fresh = self._looking.seen.get(max(0.0, pace.wait_until_s(due_s, period_s, now_s) - now_s))
            if self._stop.is_set():
                return
            begun_s = self._clock()
            pace.next_draw_s = begun_s + pace.draw_lasts.seconds
            if fresh is not None:
                pace.seen_taken.set()
            self._tick(fresh)
            pace.draw_lasts.add(self._clock() - begun_s)
            after_each()
            due_s = max(due_s + period_s, self._clock() - period_s / 2)

    def _tick(self, fresh: Seen | None) -> None:
        now_s = self._clock()
        settings = self._settings()
        looking = self._looking
        demo = settings.source.kind == "demo" or self._devices.absent
        heard = self._hearing.heard()
        pose = self._driving.pose(looking.face(now_s), looking.found(), demo, now_s, self._devices.motion, heard)
        self._devices.send_pose(pose, looking.found(), now_s)
        placed = self._drawn(pose, settings.output)
        if placed is None:
            return
        ended_s = self._clock()
        frame_time_s = None if fresh is None or fresh.face is None else fresh.frame_time_s
        before = self.picture
        number = before.sequence + 1 if before else 0
        self.picture = picture = Picture(placed, self.background, number, ended_s, frame_time_s, self._composed)
        self._rate.count(ended_s)
        if frame_time_s is not None and not self._devices.sends:
            self._timings.add("camera_to_output", ended_s - frame_time_s, ended_s)
        self._devices.put(picture)

    def _composed(self, spent_s: float) -> None:
        self._timings.add("compose", spent_s, self._clock())

    def _drawn(self, pose: Pose, output: OutputSettings) -> Placed | None:
        """The character in its place; None where nothing can be drawn at this moment."""
        width, height = even_size(output)
        side = round(min(width, height) * output.zoom)
        # What prepares another size beside takes time that says nothing.
        lasts_s = None if self._preparing else self._pace.draw_lasts.seconds
        drawn_side = self._detail.side(side, output.detail, lasts_s, 1 / output.rate, self._clock())
        begun_s = self._clock()
        rgba = self._loading.drawn(pose, drawn_side)
        if rgba is None:
            return None
        self._preparing = len(rgba) != drawn_side
        posed_s = self._clock()
        self._timings.add("pose", posed_s - begun_s, posed_s)
        left = round((width - side) / 2 + output.offset_x * height)
        top = round(height - side + output.offset_y * height)
        return Placed(rgba, (width, height), left, top, side)
