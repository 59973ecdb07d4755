"""Ships a run: the averages of morpher and rotator in FP16 as one weight file, and the line for its record.

python -m puppeteer.training.export --run runs/first
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch

from puppeteer.weights import FOLDER, RECORDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=FOLDER / RECORDS["compact"].file)
    options = parser.parse_args()
    whole: dict[str, torch.Tensor] = {}
    for part in ("morpher", "rotator"):
        state = torch.load(options.run / f"{part}.pt", map_location="cpu", weights_only=True)
        whole |= {f"{part}.{name}": value.half() for name, value in state["average"].items()}
        print(f"{part}: step {state['step']}, {state['hours']:.2f} hours")
    draft = options.output.with_suffix(".draft")
    torch.save(whole, draft)
    draft.replace(options.output)
    print(f"{options.output}: sha256 {hashlib.sha256(options.output.read_bytes()).hexdigest()}")
    print("put that checksum into puppeteer/weights.py")


if __name__ == "__main__":
    main()
