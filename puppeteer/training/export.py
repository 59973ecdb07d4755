"""Ships a run: the averages of morpher and rotator in FP16 as one weight file, and the record of how it was made.

    python -m puppeteer.training.export --run runs/first
    python -m puppeteer.training.export --run runs/first --light puppeteer/training/checkpoint

`--light` writes checkpoints from which `train` goes on (copied into a run's folder), small enough to be kept with the
project: the averages as weights, and the second moments.
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
from puppeteer.networks.compact import CompactConfig
from puppeteer.weights import FOLDER, RECORDS


def lighten(source: Path, target: Path) -> None:
    """A checkpoint of half the size."""
    state = torch.load(source, map_location="cpu", weights_only=True)
    state["network"] = state["average"]  # the same storage: written once
    for moments in state["moments"].values():
        moments.pop("exp_avg", None)
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as draft:
        torch.save(state, draft)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=FOLDER / RECORDS["compact"].file)
    parser.add_argument("--light", type=Path, help="folder for light checkpoints, instead of a weight file")
    options = parser.parse_args()
    if options.light:
        for part in ("morpher", "rotator"):
            lighten(options.run / f"{part}.pt", options.light / f"{part}.pt")
        return
    weights: dict[str, torch.Tensor] = {}
    record: dict[str, Any] = {"licence": RECORDS["compact"].licence, "config": asdict(CompactConfig())}
    for part in ("morpher", "rotator"):
        state = torch.load(options.run / f"{part}.pt", map_location="cpu", weights_only=True)
        weights |= {f"{part}.{name}": value.half() for name, value in state["average"].items()}
        settings = json.loads((options.run / f"{part}.json").read_text())
        record[part] = settings | {"steps": state["step"], "hours": round(state["hours"], 2)}
    with whole(options.output) as draft:
        torch.save(weights, draft)
    record["sha256"] = hashlib.sha256(options.output.read_bytes()).hexdigest()
    with whole(options.output.with_suffix(".json")) as draft:
        draft.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record))
    print("put that checksum into puppeteer/weights.py; `evaluate --record` adds the scores")


if __name__ == "__main__":
    main()
