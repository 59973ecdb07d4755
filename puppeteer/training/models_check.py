"""How well runs of the rig move 3D models that they never saw.

    python -m puppeteer.training.models_check runs/with runs/without --models data/models/test --sheet sheet.png

PSNR (dB) of premultiplied pictures, rest image to rotated, of the picture that does not move and of each run; and each
run's mean distance in depth (px) and share of pixels with the right layer. Columns of the sheet: rest image, truth,
then the runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from puppeteer.image import premultiplied
from puppeteer.networks.blocks import SPEC
from puppeteer.networks.rig import motion
from puppeteer.networks.rig.assembly import read
from puppeteer.networks.rig.frame import Rigged
from puppeteer.pose import U8
from puppeteer.poser.rig_drawing import RigCanvas
from puppeteer.training.learning import stacked
from puppeteer.training.models import ModelRows
from puppeteer.training.rig import Networks, batch_of

SHOWN = 12  # rows of the sheet


def trained(run: Path) -> Networks:
    """The average of a run's weights."""
    saved = torch.load(run / "rig.pt", map_location="cpu", weights_only=True)
    networks = Networks()
    networks.load_state_dict(saved["average"])
    return networks.eval().requires_grad_(False)


def posed(networks: Networks, rest: U8, neck: Tensor) -> U8:
    """A premultiplied (256, 256, 4) rest image with its neck (3,) in the order z, x, y."""
    image = torch.from_numpy(rest).permute(2, 0, 1)[None].float() / 255
    parts, moves = read(networks.reader, networks.painter, image)
    frame = Rigged(motion.flows(moves, neck, torch.zeros(5)) / SPEC, parts)
    return premultiplied(RigCanvas(rest, frame).drawn(frame, "srgb_premultiplied"))


def psnr(ours: U8, true: U8) -> float:
    error = float(np.mean((ours.astype(np.float64) - true) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


def understood(networks: Networks, rows: ModelRows, k: int) -> tuple[float, float]:
    """Mean distance in depth, px, and share of the character's pixels that are given to the right layer."""
    batch = batch_of(stacked([rows.row(k)], torch.device("cpu")), None)
    out = networks.reader(batch.rest)
    deep = float(((out.depth - batch.depth).abs() * batch.there).sum() / batch.there.sum())
    known = (batch.labels[:, 0] < 0.5) & (batch.known[:, 0] > 0)
    right = out.labels[:, 1:].argmax(1) == batch.labels[:, 1:].argmax(1)
    return deep, float(right[known].float().mean())


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--models", type=Path, required=True, help="a set of 3D models, rendered")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows, runs = ModelRows(options.models), [trained(run) for run in options.runs]
    still, table, lines = [], [], []
    for k in range(len(rows)):
        rest, true, neck = rows.rotation(k)
        pictures = [posed(run, rest, torch.from_numpy(neck)) for run in runs]
        still.append(psnr(rest, true))
        table.append([(psnr(p, true), *understood(run, rows, k)) for run, p in zip(runs, pictures, strict=True)])
        if k % max(1, len(rows) // SHOWN) == 0:
            lines.append(np.concatenate([rest, true, *pictures], 1))
    print(f"{len(rows)} rows; not moving: {np.mean(still):.2f} dB")
    for run, (quality, deep, right) in zip(options.runs, np.mean(table, 0), strict=True):
        print(f"{run}: {quality:.2f} dB, depth off by {deep:.2f} px, layer right {right:.3f}")
    if options.sheet:
        sheet = np.concatenate(lines)
        grey = (sheet[..., :3] + (255 - sheet[..., 3:].astype(np.uint16)) * 130 // 255).astype(np.uint8)
        cv2.imwrite(str(options.sheet), cv2.cvtColor(grey, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
