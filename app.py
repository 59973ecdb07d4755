"""One picture of an anime character, moved by your face.

Without a command the live studio opens; options such as --source demo or --camera NAME are for this time only.
--headless runs it without a window (--headless --help explains).
"""

import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for people with an older Python
    sys.stderr.write("Puppeteer needs Python 3.11 or newer; this is " + sys.version.split()[0] + "\n")
    sys.exit(2)

import atexit
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any


def end_at_once(number: int, frame: object = None) -> None:
    """While nothing is open that must be closed: packages take seconds to import."""
    os._exit(130 if number == signal.SIGINT or not is_live(sys.argv[1:]) else 0)


def is_live(arguments: list[str]) -> bool:
    """Whether they ask for the window or for --headless, which run until they are ended."""
    return not arguments or arguments[0].startswith("-") or "--headless" in arguments


left: list[int] = []  # the code that the program ends with, once nothing is left to do


def end_as_it_is() -> None:
    """Without taking PyTorch and MediaPipe apart, which costs half a second: the system takes everything back."""
    if left:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(left[0])


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_at_once)
    atexit.register(end_as_it_is)  # the first to come is the last to be called

try:
    from tyro.conf import FlagCreatePairsOff, arg

    from puppeteer import heaps, processor
    from puppeteer.commands import declared, line
    from puppeteer.commands.declared import Character, Size
    from puppeteer.errors import PuppeteerError, remedy
    from puppeteer.settings import PLAYED, SEEN, Settings
except ModuleNotFoundError as missing:
    name = str(missing.name).partition(".")[0]
    sys.stderr.write(f"the package {name} is not installed: run  python -m pip install -r requirements.txt\n")
    sys.exit(2)

if TYPE_CHECKING:
    from puppeteer.inputs.contract import FaceInput, SoundInput
    from puppeteer.live import Parts
    from puppeteer.live.parts import Drawer
    from puppeteer.live.sending import Device
    from puppeteer.outputs.contract import Overlay, PoseSink
    from puppeteer.settings import OutputSettings, PoserSettings, SourceSettings
    from puppeteer.tracking.contract import Tracker


IMPORTS_S = 10.0  # a tracker waits no longer for networks


def live_parts() -> "Parts":
    """What the live engine is made of. Each part is imported by the thread that needs it: PyTorch takes seconds."""
    from puppeteer.inputs import open_faces, open_source
    from puppeteer.live import Parts

    networks = threading.Event()  # their packages are imported, or cannot be

    def tracker() -> "Tracker":
        networks.wait(IMPORTS_S)  # at the same time both would take longer, and without a picture a face moves nothing
        from puppeteer.tracking.face_landmarker import FaceLandmarkerTracker

        return FaceLandmarkerTracker()

    def poser(settings: "PoserSettings") -> "Drawer":
        try:
            from puppeteer.poser import Poser
        finally:
            networks.set()
        return Poser.load(settings.family, settings.device)

    def virtual_camera(output: "OutputSettings") -> "Device":
        from puppeteer.outputs.compose import camera_size
        from puppeteer.outputs.virtual_camera import VirtualCamera

        return VirtualCamera(camera_size(output), output.rate, output.device)

    def faces(source: "SourceSettings") -> "FaceInput":
        return open_faces(source.kind, source.phone, source.port, source.mapping)

    def vmc(output: "OutputSettings") -> "PoseSink":
        from puppeteer.outputs.vmc import VmcSender

        return VmcSender(output.vmc_address, output.vmc_port)

    def browser_source(output: "OutputSettings") -> "Overlay":
        from puppeteer.outputs.browser_source import BrowserSource

        return BrowserSource(output.browser_port)

    def shared_texture(output: "OutputSettings") -> "Overlay":
        from puppeteer.outputs.shared_texture import shared_texture

        return shared_texture()

    def microphone(device: str) -> "SoundInput":
        from puppeteer.inputs.microphone import Microphone

        return Microphone(device)

    return Parts(
        camera=open_source,
        faces=faces,
        tracker=tracker,
        poser=poser,
        virtual_camera=virtual_camera,
        microphone=microphone,
        vmc=vmc,
        overlays={"browser_source": browser_source, "shared_texture": shared_texture},
    )


def bench(
    settings: Settings,
    clip: Annotated[
        Path | None,
        arg(metavar="CLIP", help="A video with a face; without it, tracking is not measured.", help_behavior_hint=""),
    ] = None,
    character: Character = None,
    size: Size = 512,
    frames: Annotated[int, arg(metavar="NUMBER", help="How many frames of the clip, at most.")] = 300,
    json: Annotated[
        Path | None, arg(metavar="FILE", help="Write the figures as JSON too.", help_behavior_hint="")
    ] = None,
    live: Annotated[
        FlagCreatePairsOff[bool], arg(help="Measure the live engine from camera to virtual camera instead.")
    ] = False,
    seconds: Annotated[float, arg(metavar="NUMBER", help="With --live: for how long; 600 shows what stays.")] = 20.0,
    window: Annotated[FlagCreatePairsOff[bool], arg(help="With --live: while the window draws.")] = False,
    page: Annotated[FlagCreatePairsOff[bool], arg(help="With --live: while a page shows the browser source.")] = False,
) -> None:
    """Measure every stage on this machine."""
    if live:
        from puppeteer.commands.live_bench import live_bench

        live_bench(
            clip=clip,
            character=character,
            seconds=seconds,
            window=window,
            page=page,
            json_file=json,
            settings=settings,
            parts=live_parts(),
        )
        return
    from puppeteer.commands.bench import bench as run

    run(clip=clip, character=character, size=size, frames=frames, json_file=json, settings=settings)


def soak(
    inputs: Annotated[
        tuple[str, ...], arg(metavar="INPUT ...", help=f"Of {', '.join((*SEEN, *PLAYED))}.", help_behavior_hint="")
    ] = (*SEEN, *PLAYED),
    minutes: Annotated[float, arg(metavar="NUMBER", help="For how long each; under 4 memory is not judged.")] = 10.0,
    clip: Annotated[
        Path | None,
        arg(metavar="CLIP", help="What the camera sees and the video shows.", help_behavior_hint=""),
    ] = None,
    window: Annotated[FlagCreatePairsOff[bool], arg(help="With the studio's window, minimised.")] = False,
) -> None:
    """See whether memory, threads and open files stay level for ten minutes on each input; exits with 1 if not."""
    from puppeteer.commands.soak import soak as run

    command = [sys.executable, str(Path(__file__).resolve()), "soak"]
    if not run(inputs, minutes, clip, window, parts=live_parts(), command=command):
        raise SystemExit(1)


def headless(
    settings: Settings,
    seconds: Annotated[
        float | None, arg(metavar="NUMBER", help="End after so many seconds.", help_behavior_hint="")
    ] = None,
) -> None:
    """Camera to virtual camera and browser source without a window, until Ctrl-C.

    Settings come from the profile that the studio used last, or from --profile.
    """
    from puppeteer.commands.headless import headless as run

    run(settings, live_parts(), seconds)


def window(settings: Settings) -> None:
    """The live studio, until its window is closed.

    Settings come from the profile that it used last; options, or a file named by --profile, win over it for this time.
    """
    from puppeteer.gui import studio

    studio(live_parts(), settings)


HEADLESS = "--headless"
HEADLESS_GROUPS = ("motion", "expressions", "voice", "remote", "poser", "source", "output", "studio.character")
WINDOW_GROUPS = ("motion", "expressions", "voice", "remote", "poser", "source", "output", "studio")
COMMANDS: dict[Callable[..., None], tuple[str, ...]] = {
    **declared.COMMANDS,
    bench: ("motion", "output", "poser"),
    soak: (),
}


def main(arguments: list[str]) -> int:
    """Runs one command. Returns 0; 2 for what the user can mend; 130 on Ctrl-C."""
    heaps.limit()
    if not is_live(arguments):
        for number in (signal.SIGINT, signal.SIGTERM):  # nothing half-written stays
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console whose code page lacks a character
    try:
        if not {"-h", "--help", line.HELP_ALL} & set(arguments):
            processor.check()
        if not arguments:  # at once, without a look at options
            from puppeteer.gui import studio

            studio(live_parts())
            return 0
        command, keywords = parse(arguments)
        command(**keywords)
    except PuppeteerError as error:
        return _sentence(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ImportError, OSError) as error:
        sentence = remedy(error)
        if sentence is None and isinstance(error, OSError) and error.filename:
            why = (error.strerror or "cannot be used").lower()
            sentence = f"{error.filename}: {why}; check the name and its permissions, or choose another"
        if sentence is None:
            raise
        return _sentence(sentence)
    return 0


def parse(arguments: list[str]) -> tuple[Callable[..., None], dict[str, Any]]:
    """The command and its keyword arguments. Exits with 2 where the command line is wrong. Raises SettingsError."""
    if HEADLESS in arguments:
        rest = [argument for argument in arguments if argument != HEADLESS]
        return headless, line.parse_live(headless, HEADLESS_GROUPS, rest, f"app.py {HEADLESS}")
    if arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", line.HELP_ALL):
        return window, line.parse_live(window, WINDOW_GROUPS, arguments, "app.py")
    return line.parse_command(COMMANDS, arguments, __doc__)


def _sentence(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


def leave(code: int) -> None:
    """Ends the program. Where a thread of the live engine hangs in a driver, Python's own way could crash or hang."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_at_once)
    if is_live(sys.argv[1:]):
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.main_thread():  # finishes a file
                thread.join()
    sys.stdout.flush()
    sys.stderr.flush()
    if is_live(sys.argv[1:]) or any(thread.name.startswith("live-") for thread in threading.enumerate()):
        os._exit(code)
    left.append(code)
    sys.exit(code)


if __name__ == "__main__":
    try:
        exit_code = main(sys.argv[1:])
    except SystemExit as asked:
        if not isinstance(asked.code, int):
            raise
        exit_code = asked.code
    leave(exit_code)
