"""What is known of a model: its head box, its joints, and which morph means what; found by itself, mended by people."""

from __future__ import annotations

from dataclasses import dataclass, field

from puppeteer.errors import ModelError
from puppeteer.models3d.anatomy import Anatomy, Move, Point, find, moves
from puppeteer.models3d.effects import hidden, without
from puppeteer.models3d.meanings import NEEDED, SURE, Choice, choose
from puppeteer.models3d.model import Model


@dataclass(frozen=True, slots=True)
class Annotation:
    """Heights and places in the model's units and our axes."""

    top: float  # of the skull
    chin: float
    middle: float  # x of the head's middle
    neck_root: Point
    neck_tip: Point
    sure: float  # of the head box, 0 to 1; what a person marked is 1
    morphs: dict[str, Choice] = field(default_factory=dict)  # by `meanings.MEANINGS`
    skipped: bool = False  # by a person: not for data

    @property
    def missing(self) -> list[str]:
        """What data needs and the model lacks."""
        return [meaning for meaning in NEEDED if meaning not in self.morphs]

    @property
    def unsure(self) -> list[str]:
        """What a person is to be asked."""
        doubtful = [meaning for meaning in NEEDED if meaning in self.morphs and self.morphs[meaning].sure < SURE]
        return (["head"] if self.sure < SURE else []) + doubtful


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A model with what was found in it; `anatomy` and `annotation` are None where there is no head."""

    model: Model
    moved: list[Move]
    anatomy: Anatomy | None
    annotation: Annotation | None


def study(model: Model) -> Study:
    """Looks at a model and annotates it."""
    moved = moves(model)
    anatomy = find(model, moved)
    if anatomy is None:
        return Study(model, moved, None, None)
    annotation = Annotation(
        anatomy.top,
        anatomy.chin,
        anatomy.middle,
        anatomy.neck_root,
        anatomy.neck_tip,
        anatomy.sure,
        choose(model, moved, anatomy),
    )
    return Study(without(model, hidden(model, anatomy)), moved, anatomy, annotation)


def needed(found: Study, name: str) -> Annotation:
    """The annotation of a model with a head. Raises ModelError where there is none."""
    if found.annotation is None:
        raise ModelError(
            f"no head was found in {name}: take a model of a character whose bones are named (head or 頭), or a VRM"
        )
    return found.annotation
