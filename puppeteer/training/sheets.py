"""Sheets to look at: characters and real drawings in fixed poses, drawn by a run's networks as a frame draws them.

    python -m puppeteer.training.sheets --run runs/first --output sheet.png FOLDER_OR_PNG...

A folder may hold pictures or be a data folder of `puppeteer.training.dataset`, whose first characters are taken.
Without --run it is the shipped networks that draw.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from puppeteer.image import Character, unpremultiplied
from puppeteer.networks.compact import SPEC, Compact, load
from puppeteer.networks.faces import state as face_state
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.poser.devices import choose
from puppeteer.prepare.reading import read_character
from puppeteer.training.dataset import Shards
from puppeteer.training.export import weights_of

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
GREEN = (90, 150, 90)
TOP = 32  # rows above the head that a sheet leaves out


def networks_of(run: Path | None) -> Compact:
    """The averages of the parts that a run has, and the shipped ones of the others."""
    if run is None:
        return load()
    state = weights_of(run)[0] | {f"face.{name}": value for name, value in face_state().items()}
    networks = Compact()
    networks.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return networks.eval().requires_grad_(False)


def poser_of(run: Path | None) -> Poser:
    return Poser(networks_of(run), "compact", choose("cpu"))


def on_green(rgba: U8) -> U8:
    """Straight (H, W, 4) -> (H, W, 3)"""
    alpha = rgba[..., 3:].astype(np.uint16)
    out = rgba[..., :3] * alpha + (255 - alpha) * np.array(GREEN, np.uint16)
    return ((out + 127) // 255).astype(np.uint8)


def rest_images(place: Path, count: int = 6) -> list[Character]:
    """A PNG, all PNGs of a folder, or the first characters of a data folder."""
    if place.is_dir() and any(child.is_dir() and (child / "rest.npy").is_file() for child in place.iterdir()):
        shards = Shards(place)
        pictures = [unpremultiplied(np.array(shards.row(k)["rest"])) for k in range(min(count, len(shards)))]
        return [Character(picture, (0, 0, len(picture))) for picture in pictures]
    return [read_character(path) for path in (sorted(place.glob("*.png")) if place.is_dir() else [place])]


def sheet(poser: Poser, characters: Iterable[Character], poses: tuple[Pose, ...] = POSES) -> Image.Image:
    """A row per picture: as drawn, then the poses."""
    rows = []
    for character in characters:
        poser.set_character(character)
        cells = [on_green(picture)[TOP:] for picture in (character.spec(), *(poser.pose(p, SPEC) for p in poses))]
        rows.append(np.concatenate(cells, 1))
    return Image.fromarray(np.concatenate(rows, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--half", action="store_true", help="every joint at half of its range instead")
    parser.add_argument("places", type=Path, nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(1)
    characters = [character for place in options.places for character in rest_images(place)]
    sheet(poser_of(options.run), characters, HALF_RANGE if options.half else POSES).save(options.output)


if __name__ == "__main__":
    main()
