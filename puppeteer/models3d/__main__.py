"""Models of MikuMikuDance (PMX, PMD) and VRM: look at them, annotate them, make training data of them."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from puppeteer.errors import ImageError, ModelError, PuppeteerError
from puppeteer.files import check_readable, check_target, readable_json
from puppeteer.pose import NUMBERS, Pose

if TYPE_CHECKING:
    from puppeteer.models3d.annotation import Annotation, Study

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
    render = commands.add_parser("render", help="make training data of all models in a folder")
    render.add_argument("folder", type=Path, metavar="FOLDER", help="models, each source in a folder of its own")
    render.add_argument(
        "--output", type=Path, required=True, metavar="DATA", help="folder to write sets of shards into"
    )
    render.add_argument("--poses", type=int, default=100, metavar="NUMBER", help="of each model (100)")
    render.add_argument("--workers", type=int, default=1, metavar="NUMBER", help="processes that draw (1)")
    render.add_argument("--test", nargs="*", default=(), metavar="NAME", help="source folders kept for the test")
    render.add_argument("--validation", nargs="*", default=(), metavar="NAME", help="source folders for validation")
    render.add_argument("--annotations", type=Path, metavar="JSON", help="what people marked (FOLDER/annotations.json)")
    annotate = commands.add_parser("annotate", help="mark heads and morphs of all models in a folder, in a window")
    annotate.add_argument("folder", type=Path, metavar="FOLDER", help="models, or one model")
    annotate.add_argument("--annotations", type=Path, metavar="JSON", help="file to keep (FOLDER/annotations.json)")
    annotate.add_argument("--all", action="store_true", help="also those of which nothing is unsure")
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
    annotation = _marked(options, found)
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


def _marked(options: argparse.Namespace, found: Study) -> Annotation | None:
    """What people marked, from the file that is named or that lies beside the model."""
    from puppeteer.models3d.marks import Marks

    file: Path | None = options.annotations
    if file is not None:
        check_readable(file, ModelError, "a file of annotations")
    folder = options.model.parent if file is None else file.parent
    marks = Marks.beside(folder, file)
    return marks.of(options.model, found)


def _info(options: argparse.Namespace) -> None:
    from puppeteer.models3d.annotation import study
    from puppeteer.models3d.reading import read_model
    from puppeteer.models3d.report import describe

    found = study(read_model(options.model))
    print(readable_json(describe(found, _marked(options, found)), indent=2, allow_nan=False))


def _render(options: argparse.Namespace) -> None:
    from puppeteer.models3d.dataset import Report, render_all
    from puppeteer.models3d.marks import Marks

    for name, value, most in (("poses", options.poses, 100_000), ("workers", options.workers, 256)):
        if not 1 <= value <= most:
            raise ModelError(f"--{name} is {value}: it must be 1 to {most}")
    marks = Marks.beside(options.folder, options.annotations)
    report = Report()
    for line, now in render_all(
        options.folder, options.output, options.poses, options.workers, options.test, options.validation, marks
    ):
        print(line, file=sys.stderr, flush=True)
        report = now
    print(report.table())
    pictures = sum(report.pictures.values())
    if pictures:
        print(f"{1000 * report.seconds * options.workers / pictures:.0f} ms a picture and process")


def _annotate(options: argparse.Namespace) -> None:
    from puppeteer.models3d.window import annotate

    annotate(options.folder, options.annotations, options.all)


def main(arguments: list[str]) -> int:
    """Runs one command. Returns 0; 2 for what the user can mend; 130 on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    try:
        {"show": _show, "info": _info, "render": _render, "annotate": _annotate}[options.command](options)
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
