"""Ships a run: the averages of its parts in FP16 as one weight file, and the record of how it was made.

    python -m puppeteer.training.export --run runs/first [--output weights/compact.pt] [--share 0.5]

A part that the run lacks stays as it is in the shipped file, with its record. With a share below 1, weights lie between
those that ship and the run's, which began with them (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from puppeteer.files import whole
from puppeteer.networks.compact import TRAINED, MorpherConfig
from puppeteer.networks.rig.reader import ReaderConfig
from puppeteer.training import eyes, face, morpher, rig
from puppeteer.training.learning import SEEDS_APART, checkpoint
from puppeteer.weights import FOLDER, RECORDS, verified

# The second takes the place of the first, which it began with.
TASKS = (morpher.TASK, face.TASK, eyes.TASK, rig.TASK)
PREFIXES = {"morpher": "morpher.", "face": "morpher.", "eyes": "eyes.", "rig": ""}  # the rig's two have their own


def weights_of(run: Path, share: float = 1.0) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """State of the family's own networks, shipped ones where the run has none; and what is recorded of each part.

    Raises SystemExit where a `share` of other networks than the run's is asked for.
    """
    shipped = verified("compact")
    state: dict[str, torch.Tensor] = torch.load(shipped, map_location="cpu", weights_only=True)
    record: dict[str, Any] = json.loads(shipped.with_suffix(".json").read_text())
    weights = {name: value for name, value in state.items() if name.split(".")[0] in TRAINED}
    parts = {task.name: record[task.name] for task in TASKS if task.name in record}
    for task in TASKS:
        saved = checkpoint(run, task)
        if saved is None:
            continue
        if task is morpher.TASK:
            saved["average"] = face.of_all_numbers(saved["average"])
            parts.pop(face.TASK.name, None)
        for name, value in saved["average"].items():
            full = f"{PREFIXES[task.name]}{name}"
            if share < 1 and (full not in state or state[full].shape != value.shape):
                raise SystemExit(f"{run} has another network for {task.name} than ships: leave out --share")
            weights[full] = value.half() if share == 1 else torch.lerp(state[full].float(), value.float(), share).half()
        parts[task.name] = {
            "steps": int(saved["step"]),
            "hours": round(float(saved["minutes"]) / 60, 2),
            "characters": int(saved["seed"]) % SEEDS_APART,
        } | ({} if share == 1 else {"share": share, "began_with": record.get(task.name)})
    return weights, parts


def export(run: Path, output: Path, share: float = 1.0) -> dict[str, Any]:
    """Writes `output` and beside it the record, which is returned."""
    weights, parts = weights_of(run, share)
    config = {"morpher": asdict(MorpherConfig()), "rig": asdict(ReaderConfig())}
    with whole(output) as draft:
        torch.save(weights, draft)
    sha256 = hashlib.sha256(output.read_bytes()).hexdigest()
    record = {"licence": RECORDS["compact"].licence, "config": config, **parts, "sha256": sha256}
    with whole(output.with_suffix(".json")) as draft:
        draft.write_text(json.dumps(record, indent=1) + "\n")
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=FOLDER / RECORDS["compact"].file)
    parser.add_argument("--share", type=float, default=1.0, help="of the run's weights, the rest of those that ship")
    options = parser.parse_args()
    if not 0 < options.share <= 1:
        raise SystemExit(f"the share is {options.share:g}: give more than 0, and 1 at most")
    if not any((options.run / f"{name}.pt").is_file() for name in PREFIXES):
        parts = ", ".join(f"{name}.pt" for name in PREFIXES)
        raise SystemExit(f"{options.run} has none of {parts}: name the folder of a training run")
    print(json.dumps(export(options.run, options.output, options.share)))
    print("put that checksum into puppeteer/weights.py; `evaluate --record` adds the scores")


if __name__ == "__main__":
    main()
