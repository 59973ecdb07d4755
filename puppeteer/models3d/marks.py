"""What people marked on models: one readable JSON file a folder, written at once, read again when the tool is opened.

{"version": 1, "models": {"gene/Gene.pmx": {"top": 19.79, "chin": 16.66, "morphs": {"eye_left": ["wink2", "whole"]}}}}
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from puppeteer.errors import ModelError
from puppeteer.files import readable_json, unwritable, whole
from puppeteer.models3d.annotation import Annotation, Study
from puppeteer.models3d.meanings import MEANINGS, Choice

NAME = "annotations.json"
LARGEST = 50_000_000  # bytes
SIDES = ("whole", "left", "right")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said of one model; None and what is missing is left to the machine."""

    top: float | None = None
    chin: float | None = None
    morphs: dict[str, tuple[str, str]] = field(default_factory=dict)  # meaning -> name of a morph ("" none), side
    skipped: bool = False


@dataclass(slots=True)
class Marks:
    """All marks of a folder, by the model's path in it."""

    folder: Path
    file: Path
    models: dict[str, Mark] = field(default_factory=dict)

    @classmethod
    def beside(cls, folder: Path, file: Path | None = None) -> Marks:
        """The marks of a folder (or of a model's folder), from its own file unless another is named.

        Raises ModelError where the file is there and cannot be read.
        """
        root = folder if folder.is_dir() else folder.parent
        path = file or root / NAME
        marks = cls(root, path)
        if not path.is_file():
            return marks
        try:
            if path.stat().st_size > LARGEST:
                raise ModelError(f"{path} is far too large for annotations: move it away")
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["version"] != 1:
                raise ModelError(f"{path} is of another version ({told['version']!r}): move it away")
            marks.models = {str(name): _mark(value) for name, value in told["models"].items()}
        except OSError as error:
            raise ModelError(f"{path} cannot be read ({(error.strerror or str(error)).lower()})") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"{path} is no file of annotations, or damaged: mend it, or move it away") from error
        return marks

    def name(self, model: Path) -> str:
        """How a model is called in the file."""
        return model.relative_to(self.folder).as_posix() if model.is_relative_to(self.folder) else model.name

    def of(self, model: Path, found: Study) -> Annotation | None:
        """The annotation with what a person marked; None where there is nothing marked, or no head."""
        mark = self.models.get(self.name(model))
        return None if mark is None or found.annotation is None else applied(mark, found)

    def put(self, model: Path, mark: Mark) -> None:
        """Keeps a mark and writes the file. Raises ModelError where it cannot be written."""
        self.models[self.name(model)] = mark
        told = {"version": 1, "models": {name: _told(m) for name, m in sorted(self.models.items())}}
        try:
            with whole(self.file) as draft:
                draft.write_text(readable_json(told, indent=1), encoding="utf-8")
        except OSError as error:
            raise ModelError(unwritable(self.file, error)) from error


def _mark(value: Any) -> Mark:
    numbers = [value.get("top"), value.get("chin")]
    if any(n is not None and not math.isfinite(float(n)) for n in numbers):
        raise ValueError("a height is not a number")
    morphs = {}
    for meaning, pair in value.get("morphs", {}).items():
        name, side = pair
        if meaning in MEANINGS and side in SIDES:
            morphs[meaning] = (str(name), side)
    top, chin = (None if n is None else float(n) for n in numbers)
    return Mark(top, chin, morphs, bool(value.get("skipped", False)))


def _told(mark: Mark) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if mark.top is not None and mark.chin is not None:
        out |= {"top": mark.top, "chin": mark.chin}
    if mark.morphs:
        out["morphs"] = {meaning: list(pair) for meaning, pair in mark.morphs.items()}
    if mark.skipped:
        out["skipped"] = True
    return out


def applied(mark: Mark, found: Study) -> Annotation:
    """What was found, with a person's word over it."""
    annotation = found.annotation
    assert annotation is not None
    morphs = dict(annotation.morphs)
    index = {morph.name: k for k, morph in reversed(list(enumerate(found.model.morphs)))}
    for meaning, (name, side) in mark.morphs.items():
        if not name:
            morphs.pop(meaning, None)
        elif name in index:
            morphs[meaning] = Choice(index[name], 1.0, side)
    if mark.top is not None and mark.chin is not None and mark.top > mark.chin:
        annotation = replace(annotation, top=mark.top, chin=mark.chin, sure=1.0)
    return replace(annotation, morphs=morphs, skipped=mark.skipped)
