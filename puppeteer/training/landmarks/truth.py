"""What is known about rendered characters: where heads, eyes, mouth and chin lie, and how the face looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from puppeteer.characters.mesh import F64
from puppeteer.files import whole
from puppeteer.image import premultiplied
from puppeteer.networks.compact import SPEC
from puppeteer.pose import NECK_RANGE_DEG, U8
from puppeteer.training.dataset import CROP_SLICE, EXPRESSIONS, ROTATIONS, SEED_STARTS

Colour = tuple[float, float, float]  # sRGB in [0, 255]


@dataclass(frozen=True)
class Truth:
    """Of one 256 px picture, in its pixels."""

    centre: F64  # (2,) of the head; its spec square is SPEC wide
    lean_deg: float  # of the head, clockwise
    turn_deg: float  # of the face, towards the viewer's right
    points: F64  # (5, 2) in the order of `POINT_NAMES`
    closed: tuple[float, float]  # left, right
    mouth: float
    hidden: bool


@dataclass(frozen=True)
class Look:
    """What a character's body may be painted with."""

    skin: Colour
    cloth: Colour
    trim: Colour
    hair: Colour
    shoulder: float


def marks(recipe: Any, figure: Any) -> F64:
    """(6, 3) in space, as built: the points in the order of `POINT_NAMES`, and the head's middle."""
    e, mouth = recipe.eyes, recipe.mouth
    middle = e.y + 0.5 * (e.lower - e.upper)
    flat = np.array(
        [
            [128 + e.spacing, middle],
            [128 - e.spacing, middle],
            [128 + mouth.x, mouth.y],
            [128, recipe.head.chin_y],
            [128, 66.0],
            [128, 128.0],
        ]
    )
    depth = np.asarray(figure.surface(flat[:, 0], flat[:, 1]))
    depth[4:] = 0.0
    return np.column_stack([flat, depth])


def truth_of(
    recipe: Any, figure: Any, built: F64, expression: Sequence[float], neck: Sequence[float], hidden: bool = False
) -> Truth:
    """Where `built` marks lie after the turn that the character was drawn with and the turn of the pose."""
    from puppeteer.characters.mesh import bend

    solid, everything = built, np.ones((len(built), 2))
    drawn = tuple(math.radians(a) for a in recipe.head.turn)
    posed = tuple(math.radians(NECK_RANGE_DEG) * v for v in neck)
    for angles in (drawn, posed):
        if any(angles):
            solid = bend(solid, everything, (angles[0], angles[1], angles[2]), figure.root, figure.tip)
    return Truth(
        centre=solid[5, :2],
        lean_deg=-math.degrees(drawn[0] + posed[0]),
        turn_deg=-math.degrees(drawn[2] + posed[2]),
        points=solid[:5, :2],
        closed=(float(expression[0]), float(expression[1])),
        mouth=float(expression[2]),
        hidden=hidden,
    )


def look_of(recipe: Any) -> Look:
    def bytes_of(colour: Colour) -> Colour:
        return (255 * colour[0], 255 * colour[1], 255 * colour[2])

    return Look(
        bytes_of(recipe.skin),
        bytes_of(recipe.body.cloth),
        bytes_of(recipe.body.trim),
        bytes_of(recipe.hair.mid),
        recipe.body.shoulder,
    )


def turned_recipe(seed: int, split: str) -> tuple[Any, bool]:
    """A character whose face is turned by 20 to 90 degrees, or (a quarter) whose hair hides both eyes."""
    from puppeteer.characters import make_recipe

    rng = np.random.default_rng([seed, 78])
    recipe = make_recipe(seed, split)  # type: ignore[arg-type]
    if rng.random() < 0.25:
        bangs = str(rng.choice(["full", "hime"]))
        hair = replace(recipe.hair, bangs=bangs, bangs_y=float(rng.uniform(164, 172)), bangs_width=1.5)
        face = replace(recipe.face, through_hair=0.0, eye_through_hair=0.0)
        return replace(recipe, hair=hair, face=face), True
    turn = float(rng.choice([-1, 1]) * rng.uniform(20, 90))
    z, x, _ = recipe.head.turn
    return replace(recipe, head=replace(recipe.head, turn=(z, x, turn))), False


def render_turned(output: Path, first: int, last: int, split: str) -> None:
    """SEED.npy for each missing seed: its picture, premultiplied."""
    from puppeteer.characters import Renderer
    from puppeteer.pose import Pose

    output.mkdir(parents=True, exist_ok=True)
    with Renderer() as renderer:
        for number in range(first, last):
            seed = SEED_STARTS[split] + number  # type: ignore[index]
            path = output / f"{seed:09d}.npy"
            if path.exists():
                continue
            recipe, _ = turned_recipe(seed, split)
            renderer.load(recipe)
            rgba = premultiplied(renderer.render(Pose(mouth_open=recipe.rest_mouth), SPEC).rgba)
            with whole(path) as draft, draft.open("wb") as file:
                np.save(file, rgba)


class Characters:
    """All pictures of a data folder and of a folder of turned ones, with their truth; truths are computed once."""

    def __init__(self, data: Path, turned: Path | None, split: str = "train") -> None:
        from puppeteer.characters import make_recipe
        from puppeteer.characters.figure import Figure

        self.maps: list[dict[str, NDArray[Any]]] = []
        self.places: list[tuple[int, int]] = []
        self.truths: list[list[Truth]] = []
        self.looks: list[Look] = []
        wanted = ("seed", "rest_mouth", "rest", "expression", "morphed", "neck", "rotated")
        for path in sorted(p for p in data.iterdir() if p.is_dir() and not p.name.startswith(".")):
            shard = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in wanted}
            for row, seed in enumerate(shard["seed"]):
                recipe = make_recipe(int(seed), split)  # type: ignore[arg-type]
                figure = Figure(recipe)
                built = marks(recipe, figure)
                still = (0.0, 0.0, 0.0)
                rest = (0.0, 0.0, float(shard["rest_mouth"][row]))
                faces = [*shard["expression"][row], rest]
                poses = [(rest, still)]
                poses += [(e, still) for e in shard["expression"][row]]
                poses += [(e, n) for e, n in zip(faces, shard["neck"][row], strict=True)]
                self.places.append((len(self.maps), row))
                self.truths.append([truth_of(recipe, figure, built, e, n) for e, n in poses])
                self.looks.append(look_of(recipe))
            self.maps.append(shard)
        self.turned: list[tuple[U8, Truth, Look]] = []
        for path in sorted(turned.glob("*.npy")) if turned else ():
            recipe, hidden = turned_recipe(int(path.stem), split)
            pose = (0.0, 0.0, recipe.rest_mouth)
            figure = Figure(recipe)
            truth = truth_of(recipe, figure, marks(recipe, figure), pose, (0.0, 0.0, 0.0), hidden)
            self.turned.append((np.load(path), truth, look_of(recipe)))

    def pick(self, rng: np.random.Generator, turned: float = 0.1, at_rest: float = 0.5) -> tuple[U8, Truth, Look]:
        """A premultiplied 256 px picture; how often one that is turned away or hidden, how often one without a pose."""
        if self.turned and rng.random() < turned:
            return self.turned[int(rng.integers(len(self.turned)))]
        k = int(rng.integers(len(self.places)))
        shard, row = self.places[k]
        u = rng.random()
        j = 0 if u < at_rest else int(rng.integers(1, 1 + EXPRESSIONS + ROTATIONS))
        data = self.maps[shard]
        if j > EXPRESSIONS:
            rgba = np.array(data["rotated"][row, j - 1 - EXPRESSIONS])
        else:
            rgba = np.array(data["rest"][row])
            if j > 0:
                rgba[CROP_SLICE, CROP_SLICE] = data["morphed"][row, j - 1]
        return rgba, self.truths[k][j], self.looks[k]
