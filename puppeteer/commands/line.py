"""The command line: which command it names, and with which settings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import tyro

from puppeteer.commands.flags import Call, deferred
from puppeteer.profile import load_profile
from puppeteer.settings import STUDIO, Settings

HELP_ALL = "--help-all"
MORE = "\n\nMany more settings can be given: --help-all lists them."

Command = Callable[..., None]
Commands = Mapping[Command, tuple[str, ...]]  # with the groups of settings that act on each


def parse_live(command: Command, groups: tuple[str, ...], arguments: list[str], program: str) -> dict[str, Any]:
    """Keyword arguments of a command that starts from the studio's latest profile. See `parse_command`."""
    brief = bool({"-h", "--help"} & set(arguments))
    asked = ["--help" if argument == HELP_ALL else argument for argument in arguments]

    def parsed(base: Settings) -> Call:
        live = deferred(command, base, groups, brief)
        if brief:
            live.__doc__ = f"{command.__doc__}{MORE}"
        call: Call = tyro.cli(live, prog=program, args=asked)
        return call

    call = parsed(STUDIO)
    base = load_profile(call.profile, STUDIO) if call.profile is not None else _latest_profile()
    return parsed(base).keywords(base)


def _latest_profile() -> Settings:
    """Of the studio; what is wrong with it is said. The window, which sets a broken one aside, says it too."""
    from puppeteer.gui.profiles import Profiles, user_folder

    settings, problem = Profiles(user_folder()).peek()
    if problem:
        print(f"{problem}. The defaults are used", file=sys.stderr)
    return settings


def parse_command(commands: Commands, arguments: list[str], description: str | None) -> tuple[Command, dict[str, Any]]:
    """The command and its keyword arguments: the command line wins over the profile, the profile over the defaults.

    Exits with 2, naming the nearest options, where the command line is wrong. Raises SettingsError.
    """
    base = Settings()
    call = _parsed(commands, arguments, base, description)
    if call.profile is not None:
        base = load_profile(call.profile)
        call = _parsed(commands, arguments, base, description)
    return call.function, call.keywords(base)


def _parsed(commands: Commands, arguments: list[str], base: Settings, description: str | None) -> Call:
    brief = bool({"-h", "--help"} & set(arguments)) and HELP_ALL not in arguments
    found = {}
    for command, groups in commands.items():
        asked_for = command.__name__ == arguments[0]
        found[command.__name__] = deferred(command, base, groups, brief or not asked_for)
        if brief and asked_for and "motion" in groups:
            found[command.__name__].__doc__ = f"{command.__doc__}{MORE}"
    asked = ["--help" if argument == HELP_ALL else argument for argument in arguments]
    call: Call = tyro.extras.subcommand_cli_from_dict(found, prog="app.py", description=description, args=asked)
    return call
