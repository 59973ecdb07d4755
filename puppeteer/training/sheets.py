"""Sheets to look at while a run goes on: characters and real drawings in fixed poses.

    python -m puppeteer.training.sheets --run runs/first --output sheet.png FOLDER_OR_PNG...

A folder may hold pictures or be a data folder of `puppeteer.training.dataset`, whose first characters are taken.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from puppeteer.image import premultiplied
from puppeteer.networks.compact import CROP_AT, SPEC, CompactConfig, Morpher, Rotator
from puppeteer.pose import Pose
from puppeteer.training.dataset import Shards, planes

POSES = (
    Pose(),
    Pose(eye_left=1, eye_right=1),
    Pose(eye_left=0.5, eye_right=0.5),
    Pose(eye_left=1),
    Pose(eye_right=1),
    Pose(mouth_open=1),
    Pose(mouth_open=0.5),
    Pose(neck_z=1),
    Pose(neck_z=-1),
    Pose(neck_x=1),
    Pose(neck_x=-1),
    Pose(neck_y=1),
    Pose(neck_y=-1),
    Pose(1, 1, 0.7, 0.5, 0.5, 0.5),
    Pose(0, 0, 1, -0.5, -0.5, -0.7),
    Pose(0.5, 1, 0.3, 0.7, -0.8, 0.8),
)
HALF_RANGE = (Pose(), *(Pose(**{joint: end}) for joint in ("neck_z", "neck_x", "neck_y") for end in (0.5, -0.5)))
GREEN = (0.35, 0.6, 0.35)
CROP = slice(CROP_AT, SPEC - CROP_AT)
TOP = 32  # rows above the head that a sheet leaves out


def load_networks(run: Path) -> tuple[Morpher | None, Rotator | None]:
    """The averages of the parts that a run has."""
    networks = Morpher(CompactConfig()), Rotator(CompactConfig())
    there = []
    for name, network in zip(("morpher", "rotator"), networks, strict=True):
        path = run / f"{name}.pt"
        there.append(path.exists())
        if path.exists():
            state = torch.load(path, map_location="cpu", weights_only=True)
            network.load_state_dict(state["average"])
    return networks[0] if there[0] else None, networks[1] if there[1] else None


@torch.inference_mode()
def draw(
    morpher: Morpher | None,
    rotator: Rotator | None,
    rest: Tensor,
    stage: str = "final",
    poses: tuple[Pose, ...] = POSES,
) -> list[Tensor]:
    """rest (1, 4, 256, 256) premultiplied -> the same in all poses; a part that is missing changes nothing."""
    face = morpher.fitted(rest[:, :, CROP, CROP]) if morpher else None
    head = rotator.fitted(rest) if rotator else None
    pictures = []
    for pose in poses:
        values, image = torch.tensor([pose.values()]), rest
        if morpher and face:
            image = Morpher.paint(rest, morpher.decode(face, values[:, :3]))
        if rotator and head:
            image = getattr(Rotator.paint(image, rotator.decode(head, values[:, 3:6])), stage)
        pictures.append(image)
    return pictures


def on_green(image: Tensor) -> NDArray[np.uint8]:
    """(1, 4, H, W) premultiplied -> uint8 (H, W, 3)"""
    rgb, alpha = image[0, :3], image[0, 3:]
    rgb = rgb + (1 - alpha) * torch.tensor(GREEN)[:, None, None]
    out: NDArray[np.uint8] = (rgb.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return out


def rest_images(place: Path, count: int = 6) -> list[Tensor]:
    """(1, 4, 256, 256) each: a PNG, all PNGs of a folder, or the first characters of a data folder."""
    if (place / "data.json").exists():
        shards = Shards(place)
        return [planes(shards.row(k)["rest"])[None] for k in range(min(count, len(shards)))]
    pictures = []
    for path in sorted(place.glob("*.png")) if place.is_dir() else [place]:
        rgba = np.asarray(Image.open(path).convert("RGBA").resize((SPEC, SPEC)))
        pictures.append(planes(premultiplied(rgba))[None])
    return pictures


def sheet(
    morpher: Morpher | None,
    rotator: Rotator | None,
    places: list[Path],
    stage: str = "final",
    poses: tuple[Pose, ...] = POSES,
) -> Image.Image:
    """A row per picture: as drawn, then the poses."""
    rows = []
    for place in places:
        for rest in rest_images(place):
            cells = [on_green(image)[TOP:] for image in (rest, *draw(morpher, rotator, rest, stage, poses))]
            rows.append(np.concatenate(cells, 1))
    return Image.fromarray(np.concatenate(rows, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--stage", default="final", choices=("pumarola", "zhou", "combined", "final"))
    parser.add_argument("--half", action="store_true", help="every joint at half of its range instead")
    parser.add_argument("places", type=Path, nargs="+")
    options = parser.parse_args()
    poses = HALF_RANGE if options.half else POSES
    sheet(*load_networks(options.run), options.places, options.stage, poses).save(options.output)


if __name__ == "__main__":
    main()
