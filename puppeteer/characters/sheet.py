"""Contact sheets of characters: `python -m puppeteer.characters.sheet --seeds 0:64 --output sheet.png`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from puppeteer.characters.casting import make_recipe
from puppeteer.characters.recipe import Split
from puppeteer.characters.renderer import Renderer
from puppeteer.errors import PuppeteerError
from puppeteer.pose import BY_NAME, POSE_NAMES, U8, Pose

BACKGROUND = (120, 150, 125)
VOWEL_OPENED = 0.7


def over(rgba: U8, background: tuple[int, int, int] = BACKGROUND) -> U8:
    """(H, W, 4) straight alpha to (H, W, 3) on a plain colour."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray(rgba[..., :3] * alpha + np.asarray(background, np.float32) * (1 - alpha) + 0.5, np.uint8)


def poses(rest_mouth: float) -> list[Pose]:
    """Rest, then four that show every part: eyes closed and mouth changed, and three corners of the neck's range."""
    return [
        Pose(mouth_open=rest_mouth),
        Pose(1.0, 1.0, 1.0 if rest_mouth < 0.4 else 0.0),
        Pose(0.5, 0.5, 0.5, 1.0, 0.0, 1.0),
        Pose(0.0, 1.0, rest_mouth, -0.7, 1.0, -0.7),
        Pose(0.0, 0.0, 0.6, 0.0, -1.0, 0.6),
    ]


def film(name: str, rest_mouth: float, frames: int = 7) -> list[Pose]:
    """A number from end to end; a vowel in an opened mouth."""
    mouth = max(rest_mouth, VOWEL_OPENED) if name == "mouth_wide" else rest_mouth
    still = Pose(mouth_open=mouth)
    return [replace(still, **{name: float(v)}) for v in np.linspace(BY_NAME[name].low, 1.0, frames)]


def sheet(
    renderer: Renderer,
    seeds: range,
    split: Split,
    posed: Callable[[float], list[Pose]],
    size: int,
    columns: int,
    crop: tuple[int, int, int, int] | None = None,
) -> U8:
    """Pictures (rows, columns) as one (H, W, 3) image, each character in what `posed` says for its mouth;
    `crop` is left, top, right, bottom in spec pixels."""
    cells: list[U8] = []
    for seed in seeds:
        recipe = make_recipe(seed, split)
        renderer.load(recipe)
        chosen = posed(recipe.rest_mouth)
        for pose in chosen:
            picture = over(renderer.render(pose, size).rgba)
            if crop is not None:
                left, top, right, bottom = (v * size // 256 for v in crop)
                picture = np.ascontiguousarray(picture[top:bottom, left:right])
            if pose is chosen[0]:
                cv2.putText(
                    picture, str(seed), (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA
                )
            cells.append(picture)
    each = len(posed(0.0))
    columns = min(max(1, columns // each) * each, len(cells))
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.concatenate(cells[i : i + columns], 1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m puppeteer.characters.sheet", description=__doc__)
    parser.add_argument("--seeds", default="0:64", help="first:end")
    parser.add_argument("--output", type=Path, required=True, help="PNG to write")
    parser.add_argument("--poses", action="store_true", help="four poses beside each rest image")
    parser.add_argument("--film", choices=POSE_NAMES, help="a number from end to end instead")
    parser.add_argument("--split", choices=("train", "validation", "test", "gallery"), default="train")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--crop", help="left,top,right,bottom in spec pixels")
    options = parser.parse_args(arguments)
    try:
        first, end = (int(v) for v in options.seeds.split(":"))
        crop = tuple(int(v) for v in options.crop.split(",")) if options.crop else None
        if not 0 <= first < end or (crop is not None and len(crop) != 4):
            raise ValueError
    except ValueError:
        print("--seeds wants FIRST:END with 0 <= FIRST < END, --crop four numbers", file=sys.stderr)
        return 2

    def posed(rest_mouth: float) -> list[Pose]:
        if options.film:
            return film(options.film, rest_mouth)
        return poses(rest_mouth) if options.poses else [Pose(mouth_open=rest_mouth)]

    try:
        with Renderer() as renderer:
            image = sheet(renderer, range(first, end), options.split, posed, options.size, options.columns, crop)
    except PuppeteerError as error:
        print(error, file=sys.stderr)
        return 2
    temporary = options.output.with_name(options.output.name + ".part.png")
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(temporary), image[..., ::-1]):
            raise OSError("the picture could not be encoded")
        temporary.replace(options.output)
    except OSError as error:
        print(f"{options.output} cannot be written ({error}): choose another --output", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
