"""Trains the landmark networks of the picture doctor, resumably, on heads of the generator in made-up pictures.

    python -m puppeteer.training.landmarks turned --output data/turned
    python -m puppeteer.training.landmarks train places --data data/train --turned data/turned --run runs/landmarks
    python -m puppeteer.training.landmarks train face --data data/train --turned data/turned --run runs/landmarks
    python -m puppeteer.training.landmarks train matte --data data/train --turned data/turned --run runs/landmarks
    python -m puppeteer.training.landmarks look --data data/train --output sheet.png
    python -m puppeteer.training.landmarks export --run runs/landmarks
    python -m puppeteer.training.landmarks check --data data/validation --turned data/turned-validation

`--data` is a folder of `puppeteer.training.dataset`; `turned` renders what it lacks: faces turned away, up to a side
view, and hair over both eyes. Pictures are composed on the fly from a seed: background, a body below the bust, arms
and things in front, other heads or none, then blur, noise, JPEG. `places` are finder and refiner, `face` is the network
that reads what these found, `matte` the one that tells the character from its background; none needs the others.
RUN/PART.pt is replaced every few minutes, and the same command goes on from there; the log is RUN/PART.csv.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import torch

from puppeteer.training.landmarks.check import check, look
from puppeteer.training.landmarks.learning import PARTS, export, train
from puppeteer.training.landmarks.truth import render_turned
from puppeteer.weights import FOLDER, RECORDS

TURNED_SEED = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=["turned", "train", "look", "check", "export"])
    parser.add_argument("part", nargs="?", choices=list(PARTS), default="places", help="what to train")
    parser.add_argument("--data", type=Path, help="a folder of puppeteer.training.dataset")
    parser.add_argument("--turned", type=Path, help="a folder that the job `turned` wrote")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seeds", default=f"{TURNED_SEED}:{TURNED_SEED + 1200}", help="first:last within the split")
    parser.add_argument("--split", default="train")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.job == "turned":
        first, last = (int(x) for x in options.seeds.split(":"))
        render_turned(options.output, first, last, options.split)
    elif options.job == "train":
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        train(options.part, options.data, options.turned, options.run, options.steps)
    elif options.job == "check":
        check(options.data, options.turned, options.pictures)
    elif options.job == "look":
        look(options.data, options.turned, options.output)
    else:
        export(options.run, options.output or FOLDER / RECORDS["landmarks"].file)


if __name__ == "__main__":
    main()
