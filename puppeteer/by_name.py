"""Settings by their dotted names, as the command line, a profile and the sliders of the studio see them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from puppeteer.errors import SettingsError
from puppeteer.settings import Settings, Tree

# What is no leaf and yet kept in a profile, by dotted name.
KEPT = ("calibration", "expressions.own", "expressions.held")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting as the command line, a profile and a slider see it."""

    name: str  # dotted: "motion.eye_left.min_cutoff"
    type: Any  # bool, int, float, str or a Literal
    value: Any  # in the tree that was asked
    default: Any
    low: float | None  # both ends of the range are allowed
    high: float | None
    unit: str
    step: float  # of a slider; 0 is continuous
    help: str
    alias: str  # "--mirror", or ""
    typed: bool = False  # a number that needs no slider

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a Literal; otherwise empty."""
        return get_args(self.type)

    @property
    def allowed(self) -> str:
        """What a value may be, in words: "0.05 to 20 Hz"."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.type is bool:
            return "true or false"
        kind = {int: "a whole number", float: "a number"}.get(self.type, "text")
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}{unit}"
        if self.low is not None:
            return f"{kind} of at least {self.low:g}{unit}"
        if self.high is not None:
            return f"{kind} of at most {self.high:g}{unit}"
        return kind + (f" ({self.unit})" if self.unit else "")


def leaves(settings: Settings | None = None, defaults: Settings | None = None) -> tuple[Leaf, ...]:
    """Every setting of the tree, in the order of declaration; `defaults` is STUDIO in the studio."""
    defaults = defaults or Settings()
    return tuple(_leaves(settings or defaults, defaults, ""))


def _leaves(tree: Tree, default: Tree, prefix: str) -> Iterator[Leaf]:
    for name, field in type(tree).model_fields.items():
        value = getattr(tree, name)
        if not isinstance(value, Tree) and field.description is None:  # kept with the settings, not one of them
            continue
        if isinstance(value, Tree):
            yield from _leaves(value, getattr(default, name), f"{prefix}{name}.")
            continue
        bounds = {key: getattr(item, key) for item in field.metadata for key in ("ge", "le") if hasattr(item, key)}
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        yield Leaf(
            name=prefix + name,
            type=field.annotation,
            value=value,
            default=getattr(default, name),
            low=bounds.get("ge"),
            high=bounds.get("le"),
            unit=str(extra.get("unit", "")),
            step=float(str(extra.get("step", 0))),
            help=field.description or "",
            alias=str(extra.get("alias", "")),
            typed=bool(extra.get("typed", False)),
        )


def value_of(settings: Settings, name: str) -> Any:
    """What a leaf, or one of KEPT, is."""
    here: Any = settings
    for part in name.split("."):
        here = getattr(here, part)
    return here


def set_by_name(settings: Settings, name: str, value: Any) -> Settings:
    """A new tree with one setting, or one of KEPT, changed. Raises SettingsError for an unknown name or a value out of
    range."""
    if name not in {*KEPT, *(leaf.name for leaf in leaves())}:
        raise SettingsError(_unknown(name))
    data = settings.model_dump()
    *branches, last = name.split(".")
    here = data
    for branch in branches:
        here = here[branch]
    here[last] = value
    return settings_from(data)


def settings_from(data: Any, defaults: Settings | None = None) -> Settings:
    """The tree from nested dictionaries; what is left out has its default. Raises SettingsError with one sentence."""
    try:
        settings = Settings.model_validate(data)
        if defaults is not None:
            settings = Settings.model_validate(_merged(defaults.model_dump(), settings.model_dump(exclude_unset=True)))
        return settings
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(dict(item)) for item in error.errors()[:3])) from None


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`below` with what `above` has; groups are merged, all else is replaced."""
    merged = dict(below)
    for name, value in above.items():
        group = isinstance(value, dict) and isinstance(merged.get(name), dict) and name != "calibration"
        merged[name] = _merged(merged[name], value) if group else value
    return merged


def _sentence(error: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    said = str(error.get("ctx", {}).get("error", ""))
    if said and name in KEPT:
        return said
    if error["loc"][:1] == ("calibration",):
        return f"{name} is {json.dumps(error['input'], default=str)}: calibrate again"
    if error["loc"][:2] in (("expressions", "own"), ("expressions", "held")):
        return f"{name} is {json.dumps(error['input'], default=str)}: it must be {_OF_EXPRESSIONS[error['loc'][1]]}"
    if error["type"] == "extra_forbidden":
        return _unknown(name)
    leaf = next((leaf for leaf in leaves() if leaf.name == name), None)
    if leaf is None:
        what = f"{name} is" if name else "the settings are"
        return f"{what} {json.dumps(error['input'], default=str)}: it must be a group of settings in braces"
    return f"{name} is {json.dumps(error['input'], default=str)}: it must be {leaf.allowed}"


_OF_EXPRESSIONS = {"own": 'names with numbers of a pose, as {"grumpy": {"brow_form": -1}}', "held": "a list of names"}


def _unknown(name: str) -> str:
    """The sentence for a setting that does not exist, with the nearest that does."""
    names = [leaf.name for leaf in leaves()]
    groups = {name.rsplit(".", depth)[0] for name in names for depth in range(1, name.count(".") + 1)}
    near = difflib.get_close_matches(name, [*names, *sorted(groups)], n=1, cutoff=0.5)
    if not near:  # the last word may be right although the way to it is not
        last = {full.rsplit(".", 1)[-1]: full for full in reversed(names)}
        near = [last[word] for word in difflib.get_close_matches(name.rsplit(".", 1)[-1], last, n=1, cutoff=0.6)]
    return f"there is no setting {name}" + (f": did you mean {near[0]}?" if near else "")
