"""The settings tree as command line options: a type for tyro made from `settings.leaves`, and the way back."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from puppeteer.settings import Settings, leaves, set_by_name

METAVARS = {"float": "NUMBER", "int": "NUMBER", "str": "TEXT"}
PROFILE = tyro.conf.arg(
    metavar="FILE.json", help="Settings from a file; options on this line win over it.", help_behavior_hint=""
)


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
