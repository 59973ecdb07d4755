"""What the rig's way of moving layers is worth where the layers are right: the renderer's own, not learned ones.

    python -m puppeteer.training.ceiling --characters 6 --sheet ceiling.png

PSNR (dB) of premultiplied pictures at full range: the rest image, the shipped networks, and the renderer's layers in
the rig's code. Rows of the sheet: the truth, the layers, the shipped networks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from puppeteer.characters import Recipe, Renderer, make_recipe
from puppeteer.characters.layers import LayerRendering
from puppeteer.image import premultiplied
from puppeteer.networks.blocks import SPEC
from puppeteer.networks.rig import motion
from puppeteer.networks.rig.assembly import continued, hanging
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.motion import FINE, Motion
from puppeteer.networks.rig.pictures import Parts
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.poser.rig_drawing import RigCanvas

FIRST = 60_000_000  # of the test characters
NECKS = ((0, 0, 1), (0, 0, -1), (0, 1, 0), (0, -1, 0), (1, 0, 0), (-0.7, 0.7, 0.8))  # z, x, y


class TrueRig(NamedTuple):
    parts: Parts
    motion: Motion

    def drawn(self, original: U8, necks: list[Tensor]) -> list[U8]:
        """Premultiplied original and pictures, (S, S, 4)."""
        frames = [Rigged(motion.flows(self.motion, n, torch.zeros(5)) / SPEC, self.parts) for n in necks]
        canvas = RigCanvas(original, frames[0])
        return [premultiplied(canvas.drawn(frame, "srgb_premultiplied")) for frame in frames]


@torch.inference_mode()
def true_rig(layers: LayerRendering, recipe: Recipe) -> TrueRig:
    """The rig that perfect networks would make of a rest picture of 256 px."""
    assert layers.depth is not None and layers.follow is not None
    colour = torch.from_numpy(layers.colour).permute(0, 3, 1, 2).float() / 255
    seen = torch.from_numpy(layers.seen)[:, None].float() / 255
    known = seen.sum(0, keepdim=True)
    # What belongs to no layer (a halo, faint ink) is of that which is near.
    near = F.avg_pool2d(seen, 5, 1, 2)
    seen = torch.where(known > 0.05, seen, near)
    whole = colour[:, 3:]
    there = (whole > 0.95).float()
    hidden = torch.where(there > 0, colour[:, :3], continued(colour[:, :3], there))
    field = np.concatenate([layers.depth[:, None], layers.follow.transpose(0, 3, 1, 2)], 1)
    fields = torch.from_numpy(field)
    exists = (~fields[:, :1].isnan()).float()
    fields = continued(fields.nan_to_num(), exists)
    fields = F.avg_pool2d(fields, SPEC // FINE)
    moves = motion.fitted(
        fields[:, :1],
        fields[:, 1:],
        F.avg_pool2d(whole, SPEC // FINE),
        hanging(torch.tensor(recipe.tip_xy)),
        torch.tensor(recipe.root_xy),
        torch.tensor(recipe.tip_xy),
    )
    return TrueRig(Parts(seen / seen.sum(0, keepdim=True).clamp(min=1e-3), whole, hidden), moves)


def psnr(ours: U8, true: U8) -> float:
    error = float(np.mean((ours.astype(np.float64) - true) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


def compared(renderer: Renderer, recipe: Recipe, poser: Poser) -> tuple[NDArray[np.float64], list[list[U8]]]:
    """(poses, 3) dB: still, the poser's networks, ceiling; and pictures: the truth, the ceiling, the networks."""
    renderer.load(recipe)
    rest = Pose(mouth_open=recipe.rest_mouth)
    layers = renderer.layers(rest, SPEC, truth=True)
    necks = [torch.tensor(neck, dtype=torch.float32) for neck in NECKS]
    poses = [Pose(0, 0, recipe.rest_mouth, *neck) for neck in NECKS]
    true = [premultiplied(renderer.render(pose, SPEC).rgba) for pose in poses]
    with torch.inference_mode():
        ours = true_rig(layers, recipe).drawn(layers.rgba, necks)
    poser.set_character(renderer.render(rest, SPEC).rgba)
    theirs = [premultiplied(poser.pose(pose, SPEC)) for pose in poses]
    table = [[psnr(layers.rgba, t), psnr(b, t), psnr(a, t)] for t, a, b in zip(true, ours, theirs, strict=True)]
    return np.array(table), [[layers.rgba, *true], [layers.rgba, *ours], [layers.rgba, *theirs]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--characters", type=int, default=6)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    tables, rows, poser = [], [], Poser.load("compact", "cpu")
    with Renderer() as renderer:
        for seed in range(FIRST, FIRST + options.characters):
            table, pictures = compared(renderer, make_recipe(seed, "test"), poser)
            tables.append(table)
            rows += [np.concatenate(row, 1) for row in pictures]
    mean = np.mean(tables, 0)
    print("            " + "  ".join(f"z {z:+.1f} x {x:+.1f} y {y:+.1f}" for z, x, y in NECKS) + "    mean")
    for name, line in zip(("still", "shipped", "ceiling"), mean.T, strict=True):
        print(f"{name:10s}  " + "  ".join(f"{value:20.1f}" for value in line) + f"  {line.mean():6.2f}")
    if options.sheet:
        sheet = np.concatenate(rows)
        grey = (sheet[..., :3] + (255 - sheet[..., 3:].astype(np.uint16)) * 130 // 255).astype(np.uint8)
        cv2.imwrite(str(options.sheet), cv2.cvtColor(grey, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
