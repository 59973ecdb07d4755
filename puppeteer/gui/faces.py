"""The user's expressions: pressed, made from the sliders, renamed, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from puppeteer.errors import SettingsError
from puppeteer.expression import Expression, catalogue, checked_name, key
from puppeteer.gui import texts
from puppeteer.gui.notices import Notices
from puppeteer.live import Live
from puppeteer.pose import BY_NAME, NUMBERS, Pose

AT_REST = 0.02  # a slider nearer to 0 was not moved
FACE = ("Eyes", "Mouth", "Gaze", "Brows")  # groups of the numbers of a pose


class Owner(Protocol):
    """What is used of a `Studio`."""

    engine: Live
    notices: Notices
    manual: Pose | None

    def flip_manual(self) -> None: ...

    def pose(self, pose: Pose) -> None: ...

    def change_all(self, values: dict[str, object]) -> None: ...


class Faces:
    """`renamed` is told of each expression of the user's that has another name now, or ("") is no more."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.renamed: Callable[[str, str], object] = lambda old, new: None
        self.posed = 0  # grows where an expression was put on the sliders

    @property
    def own(self) -> dict[str, dict[str, float]]:
        return dict(self._owner.engine.settings.expressions.own)

    @property
    def names(self) -> list[str]:
        """All that there are."""
        return list(catalogue(self.own))

    @property
    def held(self) -> tuple[str, ...]:
        return self._owner.engine.settings.expressions.held

    def press(self, name: str, down: bool = True) -> None:
        """Its key or button. Raises SettingsError where there is none."""
        self._owner.engine.press_expression(name, down)

    def hold(self, name: str, held: bool) -> None:
        """Whether it lasts only as long as its key or button is down."""
        others = [one for one in self.held if one != name]
        self._owner.change_all({"expressions.held": [*others, name] if held else others})
        if held:
            self._owner.engine.express(name, 0.0)

    def to_sliders(self, name: str) -> None:
        """Poses the face by hand, beginning with this expression alone."""
        if self._owner.manual is None:
            self._owner.flip_manual()
        self._owner.pose(Pose.from_names(catalogue(self.own)[name]))
        self.posed += 1

    def save(self, name: str, with_body: bool) -> None:
        """The sliders as an expression of that name. Raises SettingsError."""
        pose = self._owner.manual
        groups = (*FACE, "Head", "Body") if with_body else FACE
        values: dict[str, float] = {}
        for declared in NUMBERS if pose is not None else ():
            value = round(getattr(pose, declared.name), 3)
            if abs(value) >= AT_REST and declared.group in groups:
                values[declared.name] = value
        if not values:
            raise SettingsError(texts.NOTHING_POSED)
        name = self._free(name, replaces=True)
        self._keep({one: kept for one, kept in self.own.items() if key(one) != key(name)} | {name: values})

    def rename(self, old: str, new: str) -> None:
        """Raises SettingsError."""
        if new.strip() == old:
            return
        name = self._free(new, but=old)
        held = tuple(name if one == old else one for one in self.held)
        self._keep({(name if one == old else one): values for one, values in self.own.items()}, held)
        self.renamed(old, name)

    def delete(self, name: str) -> None:
        held = tuple(one for one in self.held if one != name)
        self._keep({one: values for one, values in self.own.items() if one != name}, held)
        self.renamed(name, "")

    def _free(self, name: str, but: str = "", replaces: bool = False) -> str:
        """A name that none has, but for the user's own where one may be replaced. Raises SettingsError."""
        name = checked_name(name.strip())
        others = [one for one in self.names if one != but and not (replaces and one in self.own)]
        if key(name) in (key(one) for one in others):
            raise SettingsError(texts.EXPRESSION_EXISTS.format(name=name))
        return name

    def _keep(self, own: dict[str, dict[str, float]], held: tuple[str, ...] | None = None) -> None:
        self._owner.change_all({"expressions.own": own} | ({} if held is None else {"expressions.held": list(held)}))


def told(expression: Expression) -> str:
    """What it moves, for a tooltip."""
    return "\n".join(f"{BY_NAME[name].label} {value:+.2f}" for name, value in expression.items())
