"""A soak with a phone, a voice and a virtual camera that stand in; a command, not a test of CI.

    PYTHONPATH=. python tests/soak_phone.py [MINUTES] [SOUND]

The phone sends iFacialMocap's packets of the demo's motion, 60 a second; a loudspeaker that is nowhere plays SOUND (any
file that ffmpeg reads; without one, vowels), which a microphone hears; the virtual camera is `loopback.c`. Needs Linux,
PulseAudio, ffmpeg and a C compiler. Says what became of memory, threads and descriptors; 1 where something grows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from pathlib import Path

import numpy as np
from senders import Sender, ifacialmocap
from sounds import DEVICE, sound_server
from voices import FORMANTS, RATE_HZ, vowel

from app import live_parts
from puppeteer import heaps
from puppeteer.by_name import settings_from
from puppeteer.commands.soak import soaked
from puppeteer.inputs.recorded import read_motion
from puppeteer.live import Live
from puppeteer.pose import Pose
from puppeteer.settings import STUDIO, Settings

PORT = 39751
RATE = 60.0  # packets a second


def beside_the_device(folder: Path, words: list[str]) -> int:
    """This command again, with the virtual camera preloaded."""
    library = folder / "loopback.so"
    source = Path(__file__).with_name("loopback.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    camera = folder / "camera"
    camera.mkdir()
    environment = os.environ | {"LD_PRELOAD": str(library), "FAKE_LOOPBACK": str(camera)}
    environment |= {"FAKE_LOOPBACK_EVERY": "1000000000"}
    with sound_server(folder) as heard:
        environment |= {name: heard[name] for name in ("HOME", "XDG_RUNTIME_DIR", "PULSE_SERVER")}
        code = subprocess.run([sys.executable, __file__, *words], env=environment, check=False).returncode
    written = sum(line.startswith("write") for line in (camera / "log").read_text().splitlines())
    print(f"the virtual camera was given {written} pictures", flush=True)
    return code


def speech(folder: Path, sound: str) -> Path:
    if sound:
        return Path(sound)
    made = folder / "vowels.wav"
    said = np.concatenate([np.append(vowel(name, seconds=0.4), np.zeros(9600, np.float32)) for name in FORMANTS])
    with wave.open(str(made), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(int(RATE_HZ))
        file.writeframes((said * 32767).astype("<i2").tobytes())
    return made


def settings() -> Settings:
    return settings_from(
        {
            "source": {"port": PORT},
            "voice": {"on": True, "device": DEVICE},
            "output": {"virtual_camera": True, "device": "/dev/video42"},
        },
        STUDIO,
    )


class Watch:
    """How often a face and a voice were there, of so many looks."""

    def __init__(self) -> None:
        self.looks = self.faces = self.voices = 0
        self.stop = threading.Event()

    def begin(self, live: Live) -> None:
        threading.Thread(target=self._work, args=(live,), daemon=True).start()

    def _work(self, live: Live) -> None:
        while not self.stop.wait(0.1):
            heard = live.heard
            self.looks += 1
            self.faces += live.status().driver == "face"
            self.voices += heard is not None and heard.speaking


def moved(phone: Sender, stop: threading.Event) -> None:
    """The demo's motion, over and over."""
    motion = [pose for _, pose in read_motion()]
    begun_s = time.monotonic()
    while not stop.wait(1 / RATE):
        phone.packets = ifacialmocap(motion[int((time.monotonic() - begun_s) * 30) % len(motion)])


def main(words: list[str]) -> int:
    minutes, sound = float(words[0]) if words else 10.0, words[1] if len(words) > 1 else ""
    heaps.limit()  # as the program does
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="puppeteer-soak-") as folder:
        line = ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i"]
        line += [str(speech(Path(folder), sound)), "-vn", "-f", "pulse", "-device", DEVICE, "puppeteer"]
        player = subprocess.Popen(line)
        try:
            with Sender(PORT, ifacialmocap(Pose()), rate=RATE) as phone:
                threading.Thread(target=moved, args=(phone, watch.stop), daemon=True).start()
                grown = soaked("ifacialmocap", 60 * minutes, settings=settings(), parts=live_parts(), begun=watch.begin)
                watch.stop.set()
        finally:
            watch.stop.set()
            player.kill()
            player.wait()
    print(
        f"of {watch.looks} looks a face drove in {watch.faces}, a voice spoke in {watch.voices}; "
        f"the phone sent {phone.sent} packets",
        flush=True,
    )
    return 0 if grown.level and watch.faces and watch.voices else 1


if __name__ == "__main__":
    if "FAKE_LOOPBACK" in os.environ:
        sys.exit(main(sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="puppeteer-stage-") as home:
        sys.exit(beside_the_device(Path(home), sys.argv[1:]))
