"""One picture of an anime character, moved by your face.

Without a command the live studio opens; options such as --source demo or --camera NAME are for this time only.
--headless runs it without a window (--headless --help explains).
"""

import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for people with an older Python
    sys.stderr.write("Puppeteer needs Python 3.11 or newer; this is " + sys.version.split()[0] + "\n")
    sys.exit(2)

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

try:
    import tyro
    from tyro.conf import FlagCreatePairsOff, Positional, arg

    from puppeteer.commands.flags import NO_FLAGS, Call, PoseFlags, deferred, given_numbers
    from puppeteer.errors import PuppeteerError, SettingsError
    from puppeteer.pose import Pose
    from puppeteer.settings import STUDIO, Settings, load_profile
except ModuleNotFoundError as missing:
    sys.stderr.write(f"the package {missing.name} is not installed: run  python -m pip install -r requirements.txt\n")
    sys.exit(2)

HELP_ALL = "--help-all"
MORE = "\n\nMany more settings can be given: --help-all lists them."

# Each part of the program is imported by the command that needs it, so that --help is fast.
Clip = Annotated[Positional[Path], arg(metavar="CLIP", help="A video file with a face.")]
Character = Annotated[
    Path | None,
    arg(metavar="PNG", help="Picture of the character; without it, the one that comes along.", help_behavior_hint=""),
]
Video = Annotated[Path, arg(metavar="VIDEO", help="Video file to write: .mp4, or .webm for a transparent background.")]
Size = Annotated[int, arg(metavar="PIXELS", help="Width and height of the character's picture.")]
Background = Annotated[str, arg(metavar="COLOUR", help="A colour such as #00FF00, a picture file, or transparent.")]


def transfer(
    clip: Clip,
    output: Video,
    settings: Settings,
    character: Character = None,
    size: Size = 512,
    background: Background = "#00FF00",
    side_by_side: Annotated[FlagCreatePairsOff[bool], arg(help="Show the clip beside the character.")] = False,
) -> None:
    """Animate a character with the face in a video file."""
    from puppeteer.commands.transfer import transfer as run

    run(
        clip=clip,
        output=output,
        character=character,
        size=size,
        background=background,
        side_by_side=side_by_side,
        settings=settings,
    )


def demo(
    output: Video,
    settings: Settings,
    character: Character = None,
    size: Size = 512,
    background: Background = "#00FF00",
) -> None:
    """Animate a character with recorded motion: needs neither a camera nor a clip."""
    from puppeteer.commands.demo import demo as run

    run(output=output, character=character, size=size, background=background, settings=settings)


def pose(
    character: Annotated[Positional[Path], arg(metavar="CHARACTER.png", help="Picture of the character.")],
    output: Annotated[Path, arg(metavar="FOLDER", help="Folder to write 0000.png, 0001.png, ... into.")],
    settings: Settings,
    poses: Annotated[
        Path | None,
        arg(metavar="POSES.csv", help="One pose per row, as `track` writes them.", help_behavior_hint=""),
    ] = None,
    size: Size = 256,
    values: PoseFlags = NO_FLAGS,
) -> None:
    """Draw a character in given poses, one PNG each."""
    given = given_numbers(values)
    if (poses is None) == (not given):
        raise SettingsError("give either --poses POSES.csv or single values such as --eye-left 1 --neck-y 0.5")
    from puppeteer.commands.pose import pose as run

    one = Pose(**given) if given else None
    run(character=character, poses=poses, output=output, size=size, values=one, settings=settings)


def track(
    clip: Clip,
    output: Annotated[
        Path, arg(metavar="POSES.csv", help="File to write: time, the numbers of the pose and face for each frame.")
    ],
    settings: Settings,
    raw: Annotated[FlagCreatePairsOff[bool], arg(help="Without calibration and smoothing.")] = False,
) -> None:
    """Write the motion of the face in a video file as a table."""
    from puppeteer.commands.track import track as run

    run(clip=clip, output=output, raw=raw, settings=settings)


def character(
    output: Annotated[Path, arg(metavar="PNG", help="Picture to write.")],
    seed: Annotated[
        int | None,
        arg(metavar="NUMBER", help="Which character: each number draws another one (0).", help_behavior_hint=""),
    ] = None,
    model: Annotated[
        Path | None,
        arg(
            metavar="FILE",
            help="Take the character from a 3D model instead: .vrm, .pmx, .pmd, or a .zip with one in it.",
            help_behavior_hint="",
        ),
    ] = None,
    size: Size = 1024,
) -> None:
    """Draw a new character, or one from a 3D model."""
    from puppeteer.commands.character import character as run

    run(output=output, seed=seed, model=model, size=size)


def prepare(
    picture: Annotated[Positional[Path], arg(metavar="PICTURE", help="Any picture of a drawn character.")],
    output: Annotated[Path, arg(metavar="CHARACTER.png", help="Prepared character to write.")],
    square: Annotated[
        tuple[int, int, int] | None,
        arg(
            metavar="LEFT TOP SIDE",
            help="Where the head is, in pixels: the square whose middle half, from top to bottom, is the head; "
            "without it, the head is found.",
            help_behavior_hint="",
        ),
    ] = None,
    tilt: Annotated[
        float | None,
        arg(metavar="DEGREES", help="How far it leans clockwise; without it, found.", help_behavior_hint=""),
    ] = None,
) -> None:
    """Make a character of any picture: background removed, head found, upright."""
    from puppeteer.commands.prepare import prepare as run

    run(picture=picture, output=output, square=square, tilt_deg=tilt)


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
) -> None:
    """Measure every stage on this machine."""
    if live:
        from puppeteer.commands.live_bench import live_bench

        live_bench(clip=clip, character=character, seconds=seconds, window=window, json_file=json, settings=settings)
        return
    from puppeteer.commands.bench import bench as run

    run(clip=clip, character=character, size=size, frames=frames, json_file=json, settings=settings)


def doctor(settings: Settings) -> None:
    """Check the installation; each line says ok or what to do."""
    from puppeteer.commands.doctor import doctor as run

    if not run(settings=settings):
        raise SystemExit(1)


def headless(
    settings: Settings,
    seconds: Annotated[
        float | None, arg(metavar="NUMBER", help="End after so many seconds.", help_behavior_hint="")
    ] = None,
) -> None:
    """Camera to virtual camera without a window, until Ctrl-C.

    Settings come from the profile that the studio used last, or from --profile.
    """
    from puppeteer.commands.headless import headless as run

    run(settings, seconds)


def window(settings: Settings) -> None:
    """The live studio, until its window is closed.

    Settings come from the profile that it used last; options, or a file named by --profile, win over it for this time.
    """
    from puppeteer.gui import studio

    studio(settings)


HEADLESS = "--headless"
HEADLESS_GROUPS = ("motion", "poser", "source", "output", "studio.character")
WINDOW_GROUPS = ("motion", "poser", "source", "output", "studio")
COMMANDS: dict[Callable[..., None], tuple[str, ...]] = {  # with the groups of settings that act on each
    transfer: ("motion", "poser"),
    demo: ("motion", "poser"),
    pose: ("poser",),
    track: ("motion",),
    character: (),
    prepare: (),
    bench: ("motion", "poser"),
    doctor: ("poser",),
}


def main(arguments: list[str]) -> int:
    """Runs one command. Returns 0; 2 for what the user can mend; 130 on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing half-written stays
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console whose code page lacks a character
    try:
        if not arguments:  # at once, without a look at options
            from puppeteer.gui import studio

            studio()
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
        from puppeteer.commands.doctor import remedy

        sentence = remedy(error)
        if sentence is None and isinstance(error, OSError) and error.filename:
            why = (error.strerror or "cannot be used").lower()
            sentence = f"{error.filename}: {why}; check the name and its permissions, or choose another"
        if sentence is None:
            raise
        return _sentence(sentence)
    return 0


def parse(arguments: list[str]) -> tuple[Callable[..., None], dict[str, Any]]:
    """The command and its keyword arguments: the command line wins over the profile, the profile over the defaults.

    Exits with 2, naming the nearest options, where the command line is wrong. Raises SettingsError.
    """
    if HEADLESS in arguments:
        rest = [argument for argument in arguments if argument != HEADLESS]
        return _parsed_live(headless, HEADLESS_GROUPS, rest, f"app.py {HEADLESS}")
    if arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", HELP_ALL):
        return _parsed_live(window, WINDOW_GROUPS, arguments, "app.py")
    base = Settings()
    call = _parsed(arguments, base)
    if call.profile is not None:
        base = load_profile(call.profile)
        call = _parsed(arguments, base)
    return call.function, call.keywords(base)


def _parsed_live(
    function: Callable[..., None], groups: tuple[str, ...], arguments: list[str], program: str
) -> tuple[Callable[..., None], dict[str, Any]]:
    brief = bool({"-h", "--help"} & set(arguments))
    asked = ["--help" if argument == HELP_ALL else argument for argument in arguments]

    def parsed(base: Settings) -> Call:
        live = deferred(function, base, groups, brief)
        if brief:
            live.__doc__ = f"{function.__doc__}{MORE}"
        call: Call = tyro.cli(live, prog=program, args=asked)
        return call

    call = parsed(STUDIO)
    base = load_profile(call.profile, STUDIO) if call.profile is not None else _latest_profile()
    return function, parsed(base).keywords(base)


def _latest_profile() -> Settings:
    """Of the studio; what was wrong with it is said."""
    from puppeteer.gui.profiles import Profiles, user_folder

    profiles = Profiles(user_folder())
    settings = profiles.start()
    for note in profiles.notes:
        print(note, file=sys.stderr)
    return settings


def _parsed(arguments: list[str], base: Settings) -> Call:
    brief = bool({"-h", "--help"} & set(arguments)) and HELP_ALL not in arguments
    commands = {}
    for command, groups in COMMANDS.items():
        asked_for = command.__name__ == arguments[0]
        commands[command.__name__] = deferred(command, base, groups, brief or not asked_for)
        if brief and asked_for and "motion" in groups:
            commands[command.__name__].__doc__ = f"{command.__doc__}{MORE}"
    asked = ["--help" if argument == HELP_ALL else argument for argument in arguments]
    call: Call = tyro.extras.subcommand_cli_from_dict(commands, prog="app.py", description=__doc__, args=asked)
    return call


def _sentence(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


def leave(code: int) -> None:
    """Ends the program. Where a thread of the live engine hangs in a driver, Python's own way could crash or hang."""
    sys.stdout.flush()
    sys.stderr.flush()
    if any(thread.name.startswith("live-") for thread in threading.enumerate()):
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
