"""Makes everything that is drawn by: trains rig and morpher from a seed, evaluates, exports, and draws sheets.

    python -m puppeteer.training.all --run runs/first --hours 12 [--seed 0] [--look DRAWINGS] [--ship]

Characters are drawn while it trains. On a machine with a CUDA card it uses the card, else the CPU. The same command
goes on where it stopped; RUN/compact.pt and compact.json are what would be shipped, and `--ship` puts them into
`weights/`. The landmarks of the picture doctor have a training of their own (`puppeteer.training.landmarks`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from puppeteer.characters import default_character
from puppeteer.files import whole
from puppeteer.prepare.reading import read_character
from puppeteer.training import eyes, face, morpher, rig
from puppeteer.training.evaluate import evaluate, lines, record
from puppeteer.training.export import export
from puppeteer.training.learning import Machine, Task, checkpoint, learn
from puppeteer.training.sheets import networks_of, poser_of, rest_images, sheet
from puppeteer.weights import FOLDER, RECORDS

# Of the time; the rest is looking. The morpher learns three of a face's numbers, and then all.
SHARES: tuple[tuple[Task, float], ...] = (
    (rig.TASK, 0.42),
    (eyes.TASK, 0.08),
    (morpher.TASK, 0.14),
    (face.TASK, 0.28),
)
LEAST_A_MINUTE = 8  # characters before the first step, of a short run


def plan(run: Path, minutes: float, seed: int) -> tuple[float, int]:
    """What the run was begun with: a later call that names another time or seed changes the time alone."""
    path = run / "plan.json"
    if path.is_file():
        seed = int(json.loads(path.read_text())["seed"])
    run.mkdir(parents=True, exist_ok=True)
    with whole(path) as draft:
        draft.write_text(json.dumps({"minutes": minutes, "seed": seed}) + "\n")
    return minutes, seed


def train(run: Path, minutes: float, machine: Machine, seed: int) -> None:
    """Each part for its share of the time, less what it was trained before."""
    for task, share in SHARES:
        budget = share * minutes
        saved = checkpoint(run, task)
        spent = float(saved["minutes"]) if saved is not None else 0.0
        del saved
        if spent >= budget * 0.99:
            print(f"{task.name}: trained already", flush=True)
            continue
        print(f"{task.name}: {budget - spent:.1f} minutes on {machine.device}", flush=True)
        least = min(task.least, max(4, round(LEAST_A_MINUTE * budget)))
        start = face.begun_from(run / f"{morpher.TASK.name}.pt") if task is face.TASK else None
        learn(task, run, budget - spent, machine, begun=spent / budget, seed=seed, start=start, least=least)


def finish(run: Path, characters: int, look: list[Path], say: Callable[[str], None] = print) -> None:
    """Exports to RUN, evaluates and draws sheets."""
    output = run / RECORDS["compact"].file
    told = export(run, output)
    say(f"{output}: sha256 {told['sha256']}")
    table = evaluate(networks_of(run), characters)
    record(table, characters, output.with_suffix(".json"))
    say(lines(table))
    pictures = [read_character(default_character()), *(one for place in look for one in rest_images(place))]
    sheet(poser_of(run), pictures).save(run / "sheet.png")
    say(f"{run / 'sheet.png'}: look at it before anything ships")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    time_of = parser.add_mutually_exclusive_group(required=True)
    time_of.add_argument("--hours", type=float)
    time_of.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--characters", type=int, help="of the evaluation; without it, as the time allows")
    parser.add_argument("--look", type=Path, nargs="*", default=[], help="drawings on the sheet, beside our own")
    parser.add_argument("--ship", action="store_true", help="put the weights into weights/ at the end")
    parser.add_argument("--workers", type=int, help="processes that draw; without it, what the machine has")
    options = parser.parse_args()
    minutes = options.minutes if options.minutes is not None else 60 * options.hours
    if not 0 < minutes < 1e6:
        raise SystemExit(f"the time is {minutes:g} minutes: give more than 0")
    begin = time.monotonic()
    found = Machine.found()
    machine = Machine(found.device, options.workers or found.workers, found.threads)
    minutes, seed = plan(options.run, minutes, options.seed)
    train(options.run, minutes, machine, seed)
    finish(options.run, options.characters or max(2, min(64, round(minutes))), options.look)
    if options.ship:
        told = export(options.run, FOLDER / RECORDS["compact"].file)
        for suffix in (".json",):
            source = (options.run / RECORDS["compact"].file).with_suffix(suffix)
            (FOLDER / RECORDS["compact"].file).with_suffix(suffix).write_text(source.read_text())
        print(f"put {told['sha256']} into puppeteer/weights.py")
    print(f"{(time.monotonic() - begin) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
