"""Named expressions of a face: which numbers of a pose each one moves, and what a name may be."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import Any

from puppeteer.errors import SettingsError
from puppeteer.pose import BY_NAME

Expression = Mapping[str, float]  # numbers of a pose by name; what is left out stays the face's own

# Strong enough to be told apart at a glance on drawings whose mouths are a small line: lids and mouth move in each.
BUILT_IN: dict[str, dict[str, float]] = {
    "smile": {
        "mouth_form": 1.0,
        "mouth_open": 0.35,
        "mouth_wide": 0.3,
        "eye_smile": 1.0,
        "eye_left": 0.2,
        "eye_right": 0.2,
        "brow_left": 0.3,
        "brow_right": 0.3,
    },
    "angry": {
        "brow_form": -1.0,
        "brow_left": -1.0,
        "brow_right": -1.0,
        "eye_left": 0.2,
        "eye_right": 0.2,
        "mouth_form": -1.0,
    },
    "troubled": {
        "brow_form": 1.0,
        "brow_left": 0.5,
        "brow_right": 0.5,
        "eye_left": 0.15,
        "eye_right": 0.15,
        "mouth_form": -1.0,
        "mouth_open": 0.2,
    },
    "surprised": {"eye_wide": 1.0, "brow_left": 1.0, "brow_right": 1.0, "mouth_open": 0.7, "mouth_wide": -0.8},
    "wink left": {"eye_left": 1.0, "eye_smile": 0.5, "mouth_form": 1.0, "mouth_open": 0.3, "brow_right": 0.3},
    "wink right": {"eye_right": 1.0, "eye_smile": 0.5, "mouth_form": 1.0, "mouth_open": 0.3, "brow_left": 0.3},
    "sleepy": {
        "eye_left": 0.7,
        "eye_right": 0.7,
        "brow_left": -0.3,
        "brow_right": -0.3,
        "mouth_form": -0.1,
        "mouth_open": 0.1,
    },
}
HELD = ("wink left", "wink right")  # what lasts, at first, only as long as its key is down
NAME = re.compile(r"\w[\w -]{0,23}", re.UNICODE)
MOST = 60  # of a user's own


def checked(own: Any) -> dict[str, dict[str, float]]:
    """A user's own expressions, as a profile has them. Raises SettingsError."""
    if len(own) > MOST:
        raise SettingsError(f"there are {len(own)} expressions, more than {MOST}: delete some")
    for name, values in own.items():
        checked_name(name)
        for number, value in values.items():
            if number not in BY_NAME:
                raise SettingsError(f"the expression {name} has {number!r}, which is no number of a pose: leave it out")
            if not math.isfinite(value) or not BY_NAME[number].low <= value <= 1:
                raise SettingsError(
                    f"{number} of the expression {name} is {value:g}: it must be {BY_NAME[number].allowed}"
                )
    if len({key(name) for name in own}) < len(own):
        raise SettingsError("two expressions have the same name but for capitals: rename one")
    return dict(own)


def checked_name(name: str) -> str:
    """Raises SettingsError."""
    if not NAME.fullmatch(name) or name != name.strip():
        raise SettingsError(
            "an expression needs a name of letters, digits, spaces, - and _, at most 24 of them: choose another"
        )
    return name


def key(name: str) -> str:
    """Names that differ only in capitals, or in what stands between words, are one."""
    return re.sub(r"[\s_-]+", " ", name.strip()).casefold()


def catalogue(own: Mapping[str, Expression]) -> dict[str, Expression]:
    """Every expression by name: those that come along, then the user's own, which may take the place of one."""
    taken = {key(name) for name in own}
    return {name: values for name, values in BUILT_IN.items() if key(name) not in taken} | dict(own)


def found(name: str, among: Mapping[str, Expression]) -> str:
    """The expression that somebody means by a name. Raises SettingsError that names the nearest."""
    names = {key(one): one for one in among}
    if key(name) in names:
        return names[key(name)]
    near = difflib.get_close_matches(key(name), names, n=1, cutoff=0.5)
    raise SettingsError(
        f"there is no expression {name[:40]!r}: "
        + (f"did you mean {names[near[0]]}?" if near else f"there are {', '.join(among)}")
    )
