"""Sheets to look at while a run goes on: fixed validation characters or real drawings in fixed poses.

python -m puppeteer.training.sheets --run runs/first --output sheet.png FOLDER_OR_PNG...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from puppeteer.networks.compact import CROP_AT, SPEC, CompactConfig, Morpher, Rotator
from puppeteer.pose import Pose
from puppeteer.training.dataset import planes, premultiply

POSES = (
    Pose(),
    Pose(eye_left=1, eye_right=1),
    Pose(eye_left=0.5, eye_right=0.5),
    Pose(eye_left=1),
    Pose(mouth_open=1),
    Pose(mouth_open=0.5),
    Pose(neck_z=1),
    Pose(neck_x=1),
    Pose(neck_x=-1),
    Pose(neck_y=1),
    Pose(neck_y=-1),
    Pose(1, 1, 0.7, 0.5, 0.5, 0.5),
    Pose(0, 0, 1, -0.5, -0.5, -0.7),
)
GREEN = (0.35, 0.6, 0.35)


def load_networks(run: Path, average: bool = True) -> tuple[Morpher | None, Rotator | None]:
    """The parts that a run has."""
    networks: tuple[Morpher, Rotator] = (Morpher(CompactConfig()), Rotator(CompactConfig()))
    there = []
    for name, network in zip(("morpher", "rotator"), networks, strict=True):
        path = run / f"{name}.pt"
        there.append(path.exists())
        if path.exists():
            state = torch.load(path, map_location="cpu", weights_only=True)
            network.load_state_dict(state["average" if average else "network"])
    return networks[0] if there[0] else None, networks[1] if there[1] else None


@torch.inference_mode()
def draw(morpher: Morpher | None, rotator: Rotator | None, rest: Tensor, pose: Pose, stage: str = "final") -> Tensor:
    """rest (1, 4, 256, 256) premultiplied -> the posed character, the same."""
    values = torch.tensor([pose.values()])
    image, crop = rest, slice(CROP_AT, SPEC - CROP_AT)
    if morpher is not None:
        kept = morpher.encode(rest[:, :, crop, crop])
        expression = values[:, :3]
        if pose == Pose(*pose.values()[:2], 0, *pose.values()[3:]) and not any(pose.values()):
            expression = torch.tensor([[0.0, 0.0, float(kept.rest_mouth[0])]])
        image = Morpher.paint(rest, morpher.decode(kept, expression))
    if rotator is not None:
        out = rotator.decode(rotator.encode(rest), image, values[:, 3:])
        image = getattr(Rotator.paint(image, out), stage)
    return image


def on_green(image: Tensor) -> NDArray[np.uint8]:
    """(1, 4, H, W) premultiplied -> uint8 (H, W, 3)"""
    rgb, alpha = image[0, :3], image[0, 3:]
    rgb = rgb + (1 - alpha) * torch.tensor(GREEN)[:, None, None]
    out: NDArray[np.uint8] = (rgb.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return out


def sheet(morpher: Morpher | None, rotator: Rotator | None, pictures: list[Path], stage: str = "final") -> Image.Image:
    """A row per picture: as drawn, then `POSES`."""
    rows = []
    for path in pictures:
        rest = planes(premultiply(np.asarray(Image.open(path).convert("RGBA").resize((SPEC, SPEC)))))[None]
        cells = [on_green(rest)] + [on_green(draw(morpher, rotator, rest, pose, stage)) for pose in POSES]
        rows.append(np.concatenate(cells, 1)[32:])
    return Image.fromarray(np.concatenate(rows, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--stage", default="final", choices=("pumarola", "zhou", "combined", "final"))
    parser.add_argument("pictures", type=Path, nargs="+")
    options = parser.parse_args()
    pictures = [p for given in options.pictures for p in (sorted(given.glob("*.png")) if given.is_dir() else [given])]
    sheet(*load_networks(options.run), pictures, options.stage).save(options.output)


if __name__ == "__main__":
    main()
