"""Rows of `models3d render` as the rig's training takes characters."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from puppeteer.errors import ModelError
from puppeteer.pose import F32, U8
from puppeteer.relief import BACK_RELIEF, TURN_DEPTH, TURN_RELIEF
from puppeteer.training.ring import PAINTED, Row, rendered

_ARRAYS = ("seed", "joints", "layer_rest", "layer_seen", "layer_colour", "layer_depth", "rest", "rotated", "neck")


def relief_depth(z: F32) -> F32:
    """Depth from the neck's tip, px, to the depth with which the rig turns a point as far as the model does."""
    depth = z / np.float32(TURN_RELIEF) + np.float32(TURN_DEPTH)
    return np.where(depth < 0, depth / np.float32(BACK_RELIEF), depth)


class ModelRows:
    """All rows of one set of a folder that `models3d render` wrote, memory-mapped. Raises ModelError without any."""

    def __init__(self, folder: Path) -> None:
        shards = sorted(path for path in folder.glob("[0-9]*") if path.is_dir())
        try:
            self._maps = [{name: np.load(shard / f"{name}.npy", mmap_mode="r") for name in _ARRAYS} for shard in shards]
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder} has a damaged shard ({error}): delete it and render the models again") from None
        self._places = [(k, i) for k, arrays in enumerate(self._maps) for i in range(len(arrays["seed"]))]
        if not self._places:
            raise ModelError(f"{folder} has no models: make them with  python -m puppeteer.models3d render")

    def __len__(self) -> int:
        return len(self._places)

    def rotation(self, k: int) -> tuple[U8, U8, F32]:
        """A rest image (256, 256, 4), the same rotated, both premultiplied, and by how much: neck_z, x, y."""
        shard, at = self._places[k]
        arrays = self._maps[shard]
        return np.array(arrays["rest"][at]), np.array(arrays["rotated"][at][-1]), np.array(arrays["neck"][at][-1])

    def row(self, k: int) -> Row:
        """As `ring.rendered`."""
        shard, at = self._places[k]
        found = {name: array[at] for name, array in self._maps[shard].items()}
        return {
            "seed": found["seed"],
            "joints": found["joints"],
            "rest": found["layer_rest"],
            "seen": found["layer_seen"],
            "whole": found["layer_colour"][..., 3],
            "colour": found["layer_colour"][:PAINTED, ..., :3],
            "depth": relief_depth(found["layer_depth"].astype(np.float32)).astype(np.float16),
        }


@functools.cache
def _rows(folder: Path) -> ModelRows:
    return ModelRows(folder)


@dataclass(frozen=True, slots=True)
class Mixed:
    """Draws for a `Ring`: a share of all characters from one set of 3D models, the others as they are generated.

    Raises ModelError where there are no models.
    """

    folder: Path
    share: float

    def __post_init__(self) -> None:
        _rows(self.folder)  # what is wrong with it is told here, not in another process

    def __call__(self, renderer: Any, seed: int, split: Any) -> Row:
        rng, models = np.random.default_rng([seed, 5]), _rows(self.folder)
        if rng.random() < self.share:
            return models.row(int(rng.integers(len(models))))
        return rendered(renderer, seed, split)
