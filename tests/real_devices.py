"""Webcam source and virtual camera sink on real v4l2loopback devices; a command, not a test of CI.

    PYTHONPATH=. python tests/real_devices.py WEBCAM VIRTUAL_CAMERA CLIP      such as /dev/video11 /dev/video10 clip.mp4

Needs ffmpeg, and two devices of v4l2loopback: WEBCAM with exclusive_caps=1, which ffmpeg feeds with the clip, and
VIRTUAL_CAMERA with exclusive_caps=0. Prints one line for each check with its figures; exits with 1 where one failed.
Networks and face tracking are left out: on an emulated machine a single frame of them takes half a minute.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from puppeteer import v4l2
from puppeteer.errors import SinkError
from puppeteer.inputs.webcam import Webcam, list_cameras
from puppeteer.live.capture import Capture
from puppeteer.live.sending import Sender
from puppeteer.live.status import Picture, Rate, Timings
from puppeteer.outputs.compose import Background, Placed
from puppeteer.outputs.virtual_camera import VirtualCamera
from puppeteer.pose import Frame
from puppeteer.settings import SourceSettings
from puppeteer.slot import LatestSlot

PATIENCE_S = 60.0  # an emulated machine is slow
failed = 0


def check(what: str, good: bool, figures: str = "") -> None:
    global failed
    failed += not good
    print(f"{'ok    ' if good else 'FAILED'} {what}{': ' + figures if figures else ''}", flush=True)


def until(true: Callable[[], bool]) -> float | None:
    """Seconds until it was so; None where it never was."""
    begin_s = time.perf_counter()
    while time.perf_counter() - begin_s < PATIENCE_S:
        if true():
            return time.perf_counter() - begin_s
        time.sleep(0.02)
    return None


def feeder(clip: str, device: str) -> subprocess.Popen[bytes]:
    line = ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip]
    line += ["-vf", "scale=320:240", "-f", "v4l2", "-pix_fmt", "yuyv422", device]
    return subprocess.Popen(line)


class Feed:
    """Feeds a device until it is stopped."""

    def __init__(self, clip: str, device: str) -> None:
        self._clip, self._device = clip, device
        self._stop = threading.Event()
        self.attempts = 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            self.attempts += 1
            v4l2.let_go(self._device)  # as an earlier ffmpeg does not
            process = feeder(self._clip, self._device)
            while process.poll() is None and not self._stop.wait(0.1):
                pass
            process.kill()
            process.wait()
            self._stop.wait(0.2)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def webcam(device: str, own: str, clip: str) -> None:
    names = [camera.name for camera in list_cameras([own])]
    check("without a feed it is no camera", not any(camera.address == device for camera in list_cameras([own])))
    feed = Feed(clip, device)
    try:
        waited_s = until(lambda: any(camera.address == device for camera in list_cameras([own])))
        infos = [camera for camera in list_cameras([own]) if camera.address == device]
        check("listed by name once it is fed", bool(infos), f"{[info.name for info in infos]}, before {names}")
        if not infos:
            return
        check("our own virtual camera is not listed", own not in [camera.address for camera in list_cameras([own])])
        settings = SourceSettings(camera=infos[0].name, width=320, height=240)
        frames: LatestSlot[Frame] = LatestSlot()
        rate = Rate()
        capture = Capture(lambda: Webcam(settings, [own]), frames, rate, time.perf_counter)
        try:
            waited_s = until(lambda: capture.condition().state == "ok")
            check("opened by name and read", waited_s is not None, f"{waited_s or 0:.2f} s, {capture.condition().text}")
            time.sleep(5)
            frame = frames.get(5)
            contrast = float(frame.rgb.std()) if frame is not None else 0.0
            fps = rate.per_second(time.perf_counter())
            check("pictures come", contrast > 5, f"{fps:.1f} a second, contrast {contrast:.0f}")
            feed.stop()
            waited_s = until(lambda: capture.condition().state == "problem")
            text = capture.condition().text
            check(
                "a starved camera is told within 2 s", waited_s is not None and waited_s < 2.2, f"{waited_s} s: {text}"
            )
            feed = Feed(clip, device)
            waited_s = until(lambda: capture.condition().state == "ok")
            check(
                "fed again, it comes back by itself",
                waited_s is not None,
                f"{waited_s or 0:.2f} s, at attempt {feed.attempts} to feed it",
            )
        finally:
            begin_s = time.perf_counter()
            ended = capture.close()
            check("closes in time", ended, f"{time.perf_counter() - begin_s:.2f} s")
    finally:
        feed.stop()


def again(device: str) -> None:
    """Switched off and on, on a device with exclusive_caps=1 as we recommend it."""
    for count in ("once", "again", "a third time"):
        camera = VirtualCamera((320, 240), 15, device)
        camera.send(np.zeros((240, 320, 3), np.uint8))
        busy = v4l2.abilities(device)
        check(f"exclusive device opened {count}", busy is not None and not busy.outputs, f"{busy}")
        camera.close()
    crashed = "import sys, numpy as np; from puppeteer.outputs.virtual_camera import VirtualCamera; "
    crashed += "VirtualCamera((320, 240), 15, sys.argv[1]).send(np.zeros((240, 320, 3), np.uint8)); "
    crashed += "__import__('os')._exit(0)"
    subprocess.run([sys.executable, "-c", crashed, device], check=True)
    left = v4l2.abilities(device)
    check("opens after a crash", _opens((320, 240), 15, device), f"left as {left}")


def virtual_camera(device: str, clip: str) -> None:
    size, rate = (320, 240), 15.0
    colours = np.zeros((240, 320, 3), np.uint8)
    colours[:, :160], colours[:, 160:] = (255, 0, 0), (0, 0, 255)
    rates = Rate()
    nobody = Placed(np.zeros((2, 2, 4), np.uint8), size, 0, 0, 2)
    sender = Sender(lambda: VirtualCamera(size, rate, device), size, rate, colours, rates, Timings(), time.perf_counter)
    try:
        waited_s = until(lambda: sender.condition().state == "ok")
        check("starts", waited_s is not None, f"{waited_s or 0:.2f} s, {sender.condition().text}")
        # What lays a character over its background is compiled at its first picture, where nothing is kept of it yet.
        sender.pictures.put(Picture(nobody, Background(picture=colours), 0, time.perf_counter()))
        waited_s = until(lambda: rates.per_second(time.perf_counter()) > 0)
        check("sends its first picture", waited_s is not None, f"{waited_s or 0:.2f} s")
        for sequence in range(1, 151):
            sender.pictures.put(Picture(nobody, Background(picture=colours), sequence, time.perf_counter()))
            time.sleep(1 / rate)
        fps = rates.per_second(time.perf_counter())
        check("keeps its pace", 0.8 * rate < fps < 1.3 * rate, f"{fps:.1f} of {rate:.0f} a second")
        with tempfile.TemporaryDirectory() as folder:
            line = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "v4l2", "-i", device, "-frames:v", "2"]
            done = subprocess.run([*line, f"{folder}/%02d.png"], check=False, timeout=120)
            shots = sorted(Path(folder).glob("*.png"))
            check("another program reads it", done.returncode == 0 and bool(shots), f"{len(shots)} pictures")
            if shots:
                from PIL import Image

                rgb = np.asarray(Image.open(shots[-1]).convert("RGB")).astype(int)
                left, right = rgb[120, 60], rgb[120, 260]
                far = max(np.abs(left - (255, 0, 0)).max(), np.abs(right - (0, 0, 255)).max())
                check("colours arrive", rgb.shape == (240, 320, 3) and far < 20, f"{rgb.shape}, {left}, {right}")
    finally:
        check("closes in time", sender.close())
    # The driver lets a second program in and then keeps the format of the first.
    feed = Feed(clip, device)
    try:
        fed_s = until(lambda: v4l2.output_format(device) == (320, 240, "YUYV"))
        check("fed by another program", fed_s is not None, f"{v4l2.output_format(device)}")
        for other in ((640, 480), size):
            try:
                VirtualCamera(other, rate, device).close()
                check("taken by another program, it says so", False, f"it opened at {other}")
            except SinkError as error:
                check("taken by another program, it says so", "another program" in str(error), str(error))
    finally:
        feed.stop()
    taken_s = until(lambda: _opens((640, 480), rate, device))
    check("free again, it opens, at another size too", taken_s is not None, f"{taken_s or 0:.2f} s")


def _opens(size: tuple[int, int], rate: float, device: str) -> bool:
    try:
        VirtualCamera(size, rate, device).close()
    except SinkError:
        return False
    return True


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(str(__doc__))
    again(sys.argv[1])
    webcam(sys.argv[1], sys.argv[2], sys.argv[3])
    virtual_camera(sys.argv[2], sys.argv[3])
    sys.exit(1 if failed else 0)
