"""The commands on files, as the command line shows them: parameters, their help, and what each runs.

Each imports the part of the program that it needs when it runs, so that --help is fast.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from puppeteer.commands.flags import NO_FLAGS, PoseFlags, given_numbers
from puppeteer.errors import SettingsError
from puppeteer.pose import Pose
from puppeteer.settings import Settings

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


def layers(
    character: Annotated[Positional[Path], arg(metavar="CHARACTER.png", help="Picture of the character.")],
    output: Annotated[Path, arg(metavar="LAYERS.ora", help="OpenRaster file to write; Krita and GIMP open it.")],
    settings: Settings,
) -> None:
    """Write the layers that a character is moved by, complete also where others cover them."""
    from puppeteer.commands.layers import layers as run

    run(character=character, output=output, settings=settings)


def doctor(settings: Settings) -> None:
    """Check the installation; each line says ok or what to do."""
    from puppeteer.commands.doctor import doctor as run

    if not run(settings=settings):
        raise SystemExit(1)


COMMANDS: dict[Callable[..., None], tuple[str, ...]] = {  # with the groups of settings that act on each
    transfer: ("motion", "voice", "poser"),
    demo: ("motion", "poser"),
    pose: ("poser",),
    track: ("motion",),
    character: (),
    prepare: (),
    layers: ("poser",),
    doctor: ("poser",),
}
