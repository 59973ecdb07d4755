"""Settings and poses as command line options: types for tyro made from their declarations, and the way back."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from puppeteer.by_name import leaves, set_by_name
from puppeteer.errors import SettingsError
from puppeteer.pose import BY_NAME, NUMBERS, Number
from puppeteer.settings import Settings

METAVARS = {"float": "NUMBER", "int": "NUMBER", "str": "TEXT"}
PROFILE = tyro.conf.arg(
    metavar="FILE.json", help="Settings from a file; options on this line win over it.", help_behavior_hint=""
)


def _flag(declared: Number) -> tuple[str, Any, Any]:
    option = tyro.conf.arg(metavar=f"{declared.low:g}..1", help=f"{declared.help}.", help_behavior_hint="")
    return declared.name, Annotated[float | None, option], dataclasses.field(default=None)


_POSE_OPTIONS: Any = dataclasses.make_dataclass("PoseOptions", [_flag(declared) for declared in NUMBERS], frozen=True)
PoseFlags = Annotated[_POSE_OPTIONS, tyro.conf.arg(name="")]  # one option for each number of a pose
NO_FLAGS = _POSE_OPTIONS()


def given_numbers(options: Any) -> dict[str, float]:
    """What `PoseFlags` were given, by name. Raises SettingsError where a number is out of its range."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    for name, value in given.items():
        declared = BY_NAME[name]
        if not declared.low <= value <= 1:
            raise SettingsError(f"--{name.replace('_', '-')} is {value:g}: it must be {declared.allowed}")
    return given


@dataclasses.dataclass(frozen=True)
class Call:
    """A command as it was given, not carried out yet."""

    function: Callable[..., None]
    arguments: dict[str, Any]
    profile: Path | None = None
    options: Any = None  # of `options_type`

    def keywords(self, base: Settings) -> dict[str, Any]:
        """What `function` is to be called with; settings that were not given come from `base`. Raises SettingsError."""
        if self.options is None:
            return self.arguments
        return self.arguments | {"settings": settings_from_options(base, self.options)}


def deferred(
    function: Callable[..., None], base: Settings, groups: Sequence[str], short: bool = False
) -> Callable[..., Call]:
    """`function` for tyro: its parameter `settings` becomes one option per setting, and calling it returns a `Call`."""
    signature = inspect.signature(function)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "settings"]
    if takes_settings := "settings" in signature.parameters:
        options: Any = Annotated[options_type(base, groups, short), tyro.conf.arg(name="")]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters += [
            inspect.Parameter("profile", keyword, default=None, annotation=Annotated[Path | None, PROFILE]),
            inspect.Parameter("options", keyword, annotation=options),
        ]

    def collect(**arguments: Any) -> Call:
        if not takes_settings:
            return Call(function, arguments)
        profile, options = arguments.pop("profile"), arguments.pop("options")
        return Call(function, arguments, profile, options)

    collect.__name__ = function.__name__
    collect.__doc__ = function.__doc__
    collect.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(collect)["__signature__"] = signature.replace(
        parameters=[parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    return collect


def options_type(base: Settings, groups: Sequence[str], short: bool = False) -> type:
    """A dataclass with one option per setting below the named groups (or so named), its default taken from `base`.

    `short` leaves out settings without a short name: the help of a command shows only these, parsing knows all.
    """
    fields: list[tuple[str, Any, Any]] = []
    for leaf in leaves(base):
        wanted = leaf.name in groups or leaf.name.split(".")[0] in groups
        if not wanted or (short and not leaf.alias):
            continue
        words = "" if leaf.choices or leaf.type is bool else f" ({leaf.allowed})"
        option = tyro.conf.arg(
            name=leaf.name.replace("_", "-"),
            aliases=(leaf.alias,) if leaf.alias else None,
            metavar=None if leaf.choices or leaf.type is bool else METAVARS.get(leaf.type.__name__),
            help=leaf.help[:1].upper() + leaf.help[1:] + words + ".",
        )
        fields.append((_field(leaf.name), Annotated[leaf.type, option], dataclasses.field(default=leaf.value)))
    return dataclasses.make_dataclass("Options", fields, frozen=True)


def settings_from_options(base: Settings, options: Any) -> Settings:
    """`base` with what the command line changed. Raises SettingsError where a value is out of its range."""
    settings = base
    for leaf in leaves(base):
        value = getattr(options, _field(leaf.name), leaf.value)
        if value != leaf.value:
            settings = set_by_name(settings, leaf.name, value)
    return settings


def _field(name: str) -> str:
    return name.replace(".", "__")
