"""A microphone without hardware: PulseAudio with a loudspeaker that is nowhere, whose sound PortAudio hears."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEVICE = "stage"  # the microphone's name
START_S = 10.0


class NoSoundError(Exception):
    """Says what is missing here."""


@contextmanager
def sound_server(folder: Path) -> Iterator[dict[str, str]]:
    """The environment for whoever plays (`pacat`) and whoever listens. Raises NoSoundError."""
    if not shutil.which("pulseaudio") or not shutil.which("pacat"):
        raise NoSoundError("a real microphone without hardware: sudo apt-get install pulseaudio libasound2-plugins")
    (folder / ".asoundrc").write_text(f'pcm.{DEVICE} {{\n type pulse\n device "{DEVICE}.monitor"\n}}\n')
    environment = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    environment["PULSE_SERVER"] = f"unix:{folder}/sound"
    modules = (
        f"module-native-protocol-unix socket={folder}/sound auth-anonymous=1",
        f"module-null-sink sink_name={DEVICE} rate=48000",
    )
    line = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    for module in modules:
        line += ["-L", module]
    server = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + START_S
        while not (folder / "sound").exists():
            if time.monotonic() > end_s or server.poll() is not None:
                raise NoSoundError("PulseAudio does not start here")
            time.sleep(0.02)
        yield environment
    finally:
        server.terminate()
        server.wait(10)
