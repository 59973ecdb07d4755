"""Going through the models of a folder and marking heads and morphs: what the window's buttons and keys do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from puppeteer.errors import ModelError, PuppeteerError
from puppeteer.models3d.annotation import Annotation, Study, study
from puppeteer.models3d.marks import Mark, Marks, applied
from puppeteer.models3d.model import BROW, EYE, MOUTH
from puppeteer.models3d.reading import read_model
from puppeteer.models3d.storage import models_in

# one key each; the first six are the paper's
KEYS = {"1": "eye_left", "2": "eye_right", "3": "eyes", "4": "eye_left_smile", "5": "eye_right_smile",
        "6": "eyes_smile", "A": "mouth_a", "I": "mouth_i", "U": "mouth_u", "E": "mouth_e", "O": "mouth_o",
        "7": "brow_up", "8": "brow_down", "9": "brow_troubled", "0": "brow_angry", "W": "eye_wide"}  # fmt: skip


class Session:
    """The models that a person goes through. Raises ModelError where there is none with a head."""

    def __init__(self, folder: Path, file: Path | None = None, everything: bool = False) -> None:
        self.marks = Marks.beside(folder, file)
        self._everything = everything
        self.paths = models_in(folder)
        self.at = -1
        self.found: Study | None = None
        self.morphs: list[int] = []
        self.morph = 0  # place in `morphs`
        self.said = ""
        if not self._step(1):
            raise ModelError(
                f"{folder} has no models to annotate: nothing is unsure in them (--all shows them too), "
                "or no head was found"
            )

    @property
    def path(self) -> Path:
        return self.paths[self.at]

    @property
    def mark(self) -> Mark:
        return self.marks.models.get(self.marks.name(self.path), Mark())

    @property
    def annotation(self) -> Annotation:
        assert self.found is not None
        return applied(self.mark, self.found)

    def _step(self, way: int) -> bool:
        """To the next model with a head that is to be shown; stays where there is none."""
        at = self.at + way
        while 0 <= at < len(self.paths):
            try:
                found = study(read_model(self.paths[at]))
            except PuppeteerError as error:
                self.said = str(error)
                at += way
                continue
            a = found.annotation
            if a is not None and (self._everything or a.unsure or a.missing or self.marks.name(self.paths[at]) in
                                  self.marks.models):  # fmt: skip
                self.at, self.found = at, found
                chosen = [choice.morph for choice in a.morphs.values()]
                panels = [k for k, m in enumerate(found.model.morphs) if m.panel in (BROW, EYE, MOUTH)]
                moving = [k for k, move in enumerate(found.moved) if len(move.rows)]
                self.morphs = list(dict.fromkeys([*chosen, *panels, *moving]))
                self.morph = 0
                return True
            at += way
        return False

    def next(self) -> None:
        """Keeps what is shown as right, and goes on."""
        if self.mark == Mark() or self.mark.skipped:
            a = self.annotation
            self.marks.put(self.path, replace(self.mark, top=a.top, chin=a.chin, skipped=False))
        self.said = "" if self._step(1) else "that was the last model"

    def back(self) -> None:
        self.said = "" if self._step(-1) else "this is the first model"

    def skip(self) -> None:
        """Leaves the model out of data, and goes on."""
        self.marks.put(self.path, replace(self.mark, skipped=True))
        name = self.path.name
        self.said = f"{name} is left out" if self._step(1) else "that was the last model; it is left out"

    def line(self, which: str, height: float) -> None:
        """Puts the top or the chin of the head at a height in the model's units; they stay apart."""
        a = self.annotation
        least = 0.05 * (a.top - a.chin)
        top = max(height, a.chin + least) if which == "top" else a.top
        chin = min(height, a.top - least) if which == "chin" else a.chin
        self.marks.put(self.path, replace(self.mark, top=top, chin=chin))

    def turn(self, way: int) -> None:
        """To the next or the last morph."""
        if self.morphs:
            self.morph = (self.morph + way) % len(self.morphs)

    def means(self, meaning: str) -> None:
        """Marks the morph that is shown; marked so already, takes the mark away."""
        if not self.morphs or self.found is None:
            return
        index = self.morphs[self.morph]
        now = self.annotation.morphs.get(meaning)
        name = "" if now is not None and now.morph == index else self.found.model.morphs[index].name
        self.marks.put(self.path, replace(self.mark, morphs=self.mark.morphs | {meaning: (name, "whole")}))

    def meanings(self) -> list[str]:
        """What the morph that is shown is marked as."""
        index = self.morphs[self.morph] if self.morphs else -1
        return [meaning for meaning, choice in self.annotation.morphs.items() if choice.morph == index]
