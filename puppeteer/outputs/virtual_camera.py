"""A webcam for OBS, Zoom or Discord that shows what we send."""

from __future__ import annotations

import sys
import time

from puppeteer import v4l2
from puppeteer.errors import SinkError
from puppeteer.outputs.contract import NoVirtualCameraError
from puppeteer.pose import U8


class VirtualCamera:
    """A webcam that OBS, Zoom or Discord can choose, through pyvirtualcam (GPL, imported only here).

    `size` is (width, height), `device` a name such as /dev/video10 or "" for the first. Raises SinkError with what to
    do on this system. For one thread.
    """

    def __init__(self, size: tuple[int, int], rate: float, device: str = "") -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(
                "the package pyvirtualcam is not installed: run  python -m pip install -r requirements.txt"
            ) from error
        if sys.platform == "linux":
            # Looked for here, because pyvirtualcam leaves every other video device that it tries open for ever.
            device = loopback_to_feed(device)
        try:
            self._camera = pyvirtualcam.Camera(*size, rate, fmt=pyvirtualcam.PixelFormat.RGB, device=device or None)
        except (RuntimeError, OSError) as error:
            raise failed(str(error), device) from error
        self.name = str(self._camera.device)
        if sys.platform == "linux" and (kept := kept_at(self.name, size)):
            self._camera.close()  # and no `close` of ours, which would interfere with who writes there
            raise SinkError(kept)
        self._checked_s = time.monotonic()

    def send(self, rgb: U8) -> None:
        """uint8 (H, W, 3). Raises SinkError where the device is gone."""
        now_s = time.monotonic()
        if sys.platform == "linux" and now_s - self._checked_s > CHECK_S:
            self._checked_s = now_s
            try:
                gone = v4l2.abilities(self.name) is None
            except OSError as error:
                gone = isinstance(error, FileNotFoundError)
            if gone:  # pyvirtualcam does not tell
                raise SinkError(no_virtual_camera(f"{self.name}{GONE}", self.name))
        try:
            self._camera.send(rgb)
        except (RuntimeError, OSError) as error:
            raise SinkError(no_virtual_camera(str(error), self.name)) from error

    def close(self) -> None:
        """May be called more than once."""
        self._camera.close()
        if sys.platform == "linux":
            v4l2.let_go(self.name)


GONE = " is gone"
CHECK_S = 2.0  # between looks whether the device is still there
TAKEN_BACK_S = 0.3  # within which who feeds a device sends the next picture


def loopback_to_feed(wanted: str = "") -> str:
    """The device of v4l2loopback of that name, or for "" the first that is free. Raises SinkError."""
    found = v4l2.loopbacks()
    if wanted:
        if wanted not in found:
            others = f", or choose {' or '.join(found)}" if found else ""
            raise SinkError(
                f"{wanted} is no device of v4l2loopback: leave the name of the virtual camera empty{others}"
            )
        found = {wanted: found[wanted]}
    free = [device for device, able in found.items() if able is not None and able.outputs]
    if free:
        return free[0]
    taken = [device for device, able in found.items() if able is not None]
    for device in taken:  # or left so by a program that has ended
        v4l2.let_go(device)
    if taken:
        time.sleep(TAKEN_BACK_S)
        found = v4l2.loopbacks()
        free = [device for device in taken if (able := found.get(device)) is not None and able.outputs]
        if free:
            return free[0]
        raise SinkError(no_virtual_camera("busy", taken[0]))
    if found:
        raise SinkError("no virtual camera may be opened by you: run  sudo usermod -aG video $USER  and log in again")
    raise failed("none")


def kept_at(device: str, size: tuple[int, int]) -> str:
    """Why a device that we have just opened takes other pictures than ours, or "".

    v4l2loopback keeps its format as long as anybody has it open, and says yes to every other: what is written then
    arrives as noise.
    """
    found = v4l2.output_format(device)
    if found is None or found == (*size, "YU12"):
        return ""
    width, height, form = found
    how = f"at {width}x{height}" if (width, height) != size else f"in the format {form}"
    return (
        f"another program that feeds or shows the virtual camera {device} keeps it {how}: close it there, then it "
        "starts here by itself"
    )


NONE = "no virtual camera: "


def failed(reason: str, device: str = "") -> SinkError:
    """The error for what a driver says: of its own kind where no virtual camera is installed."""
    text = no_virtual_camera(reason, device)
    return NoVirtualCameraError(text) if text.startswith(NONE) else SinkError(text)


def no_virtual_camera(reason: str, device: str = "", system: str = sys.platform) -> str:
    """What to do where the virtual camera does not start, or stopped."""
    if "busy" in reason.lower() or "in use" in reason or "already" in reason:
        taken = f"another program feeds the virtual camera {device}".rstrip()
        return f"{taken}: stop it there, then it starts here by itself"
    if system == "linux":
        if reason.startswith("Virtual camera device"):  # it refuses the size: a reader keeps it at another one
            return f"{reason}: close the programs that show {device}, then it starts by itself"
        if device and not reason.endswith(GONE):  # the driver is there: how to install it would be no help
            return (
                f"the virtual camera {device} does not start ({reason.rstrip('.')}): if another program feeds "
                "or shows it, close it there; then it starts here by itself"
            )
        return (
            f"{NONE}run  sudo apt-get install v4l2loopback-dkms  once, then  "
            "sudo modprobe v4l2loopback exclusive_caps=1 card_label=Puppeteer  and it starts by itself"
        )
    if system == "darwin":
        return (
            f"{NONE}install OBS Studio 30 or newer, press Start Virtual Camera in it once, allow its "
            "extension in System Settings and close OBS; it then starts by itself"
        )
    return f"{NONE}install OBS Studio, which brings one, and close it; it then starts by itself"
