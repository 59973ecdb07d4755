"""Pictures of 3D models from any process, which reads the files in its own: a hostile one can harm nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from puppeteer.characters.process import Draw, DrawingProcess
from puppeteer.models3d.annotation import Annotation
from puppeteer.models3d.renderer import Shading, View
from puppeteer.models3d.skinning import Posture
from puppeteer.pose import U8, Pose

NEUTRAL = Pose()


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture that is wanted."""

    model: Path
    pose: Pose = NEUTRAL
    size: int = 1024
    shading: Shading = "own"
    view: View = "front"
    morphs: tuple[tuple[int, float], ...] = ()  # beside the pose
    annotation: Annotation | None = None  # instead of what is found
    needs_head: bool = False  # a model without one raises ModelError

    def __str__(self) -> str:
        return str(self.model)


@contextmanager
def _drawing() -> Iterator[Draw]:
    from puppeteer.models3d.annotation import Study, needed, study
    from puppeteer.models3d.reading import read_model
    from puppeteer.models3d.renderer import ModelRenderer

    with ModelRenderer() as renderer:
        read: tuple[Path, Study] | None = None
        held: tuple[Path, Annotation | None] | None = None

        def draw(shot: Shot) -> U8:
            nonlocal read, held
            if read is None or read[0] != shot.model:
                read = held = None
                read = shot.model, study(read_model(shot.model))
            if shot.needs_head:
                needed(read[1], shot.model.name)
            if held != (shot.model, shot.annotation):
                held = None
                renderer.load(read[1], shot.annotation)
                held = shot.model, shot.annotation
            extra = Posture(morphs=dict(shot.morphs)) if shot.morphs else None
            return renderer.render(shot.pose, shot.size, shading=shot.shading, view=shot.view, extra=extra).rgba

        yield draw


class Photographer:
    """Draws models by their files; starts its process with the first picture. For one thread at a time."""

    def __init__(self) -> None:
        self._process = DrawingProcess("photographer", _drawing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def draw(self, shot: Shot) -> U8:
        """A (size, size, 4) sRGB picture with straight alpha. Raises PuppeteerError."""
        return self._process.draw(shot)

    def close(self) -> None:
        """Ends the process; closing twice is harmless, drawing again starts a new one."""
        self._process.close()
