"""Models of MikuMikuDance (PMX, PMD) and VRM: look at them, annotate them, make training data of them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from puppeteer.errors import ImageError, ModelError, PuppeteerError
from puppeteer.files import check_target
from puppeteer.pose import NUMBERS, Pose

MODEL_HELP = "a .pmx, .pmd or .vrm file, a ZIP file with one in it, or pack.zip/folder/model.pmx"
SMALLEST, LARGEST = 16, 4096  # px


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="python -m puppeteer.models3d", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="draw a model in a pose, as the data set does")
    show.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    show.add_argument("--output", type=Path, required=True, metavar="PNG", help="picture to write")
    show.add_argument("--size", type=int, default=256, metavar="PIXELS", help="width and height (256)")
    show.add_argument(
        "--shading",
        choices=("phong", "own"),
        default="phong",
        help="the paper's lights, or the model's own toon shading (phong)",
    )
    show.add_argument("--view", choices=("front", "side"), default="front", help="from where (front)")
    show.add_argument("--motion", type=Path, metavar="VMD", help="a motion whose pose is added")
    show.add_argument("--frame", type=float, default=0.0, metavar="NUMBER", help="of the motion, 30 a second (0)")
    show.add_argument("--annotations", type=Path, metavar="JSON", help="what people marked, instead of what is found")
    pose = show.add_argument_group("the pose")
    for number in NUMBERS:
        flags = dict.fromkeys([f"--{number.name.replace('_', '-')}", f"--{number.name}"])
        pose.add_argument(
            *flags, dest=number.name, type=float, default=0.0, metavar="NUMBER",
            help=f"{number.help} ({number.allowed})",
        )  # fmt: skip
    info = commands.add_parser("info", help="print as JSON what a model is and which morph means what")
    info.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    info.add_argument("--annotations", type=Path, metavar="JSON", help="what people marked, instead of what is found")
    return root


def _show(options: argparse.Namespace) -> None:
    from puppeteer.image import write_png
    from puppeteer.models3d.annotation import study
    from puppeteer.models3d.reading import read_model
    from puppeteer.models3d.renderer import ModelRenderer
    from puppeteer.models3d.vmd import posture_at, read_motion

    for number in NUMBERS:
        value = getattr(options, number.name)
        if not number.low <= value <= 1:
            raise ModelError(f"--{number.name.replace('_', '-')} is {value:g}: it must be {number.allowed}")
    if not SMALLEST <= options.size <= LARGEST:
        raise ModelError(f"--size is {options.size}: it must be {SMALLEST} to {LARGEST}")
    check_target(options.output, ImageError, "model.png", (options.model, options.motion))
    motion = read_motion(options.motion) if options.motion else None
    found = study(read_model(options.model))
    annotation = _marked(options)
    extra = posture_at(motion, found.model, options.frame) if motion else None
    with ModelRenderer() as renderer:
        renderer.load(found, annotation)
        pose = Pose(**{number.name: getattr(options, number.name) for number in NUMBERS})
        picture = renderer.render(pose, options.size, shading=options.shading, view=options.view, extra=extra)
    write_png(options.output, picture.rgba, square=(0, 0, options.size))
    for note in found.model.notes:
        print(note, file=sys.stderr)
    if found.annotation is None:
        print("no head was found: the model is shown as a whole, and the pose moves nothing", file=sys.stderr)
    else:
        for missing in (annotation or found.annotation).missing:
            print(f"the model has no morph for {missing}", file=sys.stderr)


def _marked(options: argparse.Namespace) -> None:
    return None


def _info(options: argparse.Namespace) -> None:
    from puppeteer.models3d.annotation import study
    from puppeteer.models3d.reading import read_model
    from puppeteer.models3d.report import describe

    print(json.dumps(describe(study(read_model(options.model)), _marked(options)), ensure_ascii=False, indent=2))


def main(arguments: list[str]) -> int:
    """Runs one command. Returns 0; 2 for what the user can mend; 130 on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    try:
        {"show": _show, "info": _info}[options.command](options)
    except PuppeteerError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename or 'a file'}: {(error.strerror or 'cannot be used').lower()}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Mesa may crash while Python takes its libraries down
