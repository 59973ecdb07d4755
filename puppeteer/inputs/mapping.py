"""How faces of other programs become the numbers of a pose: the tables of mapping.toml, or of a user's own file."""

from __future__ import annotations

import difflib
import math
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from puppeteer.errors import SettingsError
from puppeteer.files import check_readable
from puppeteer.pose import BY_NAME, SIX, FaceObservation

OURS = Path(__file__).with_name("mapping.toml")
LARGEST = 1 << 20  # bytes of a file of one's own

_SIDED = """eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint eyeWide browDown browOuterUp cheekSquint
noseSneer mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp"""
_SINGLE = """browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker
mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper tongueOut"""
_VRM = "A I U E O Blink Blink_L Blink_R Joy Angry Sorrow Fun Surprised LookUp LookDown LookLeft LookRight Neutral"
ARKIT = frozenset(  # the 52 of ARFaceAnchor.BlendShapeLocation
    [f"{name}{side}" for name in _SIDED.split() for side in ("Left", "Right")] + _SINGLE.split()
)
VRM = frozenset(_VRM.split())
TABLES: dict[str, frozenset[str] | None] = {"arkit": ARKIT, "vrm": VRM, "mmd": None}  # the shapes that there are


@dataclass(frozen=True, slots=True)
class Ramp:
    """0 while the weighted sum of shapes is within `low` of 0, `gives` from `high` on, `-gives` from `-high` on."""

    shapes: tuple[tuple[str, float], ...]
    low: float = 0.0
    high: float = 1.0
    gives: float = 1.0

    def at(self, shapes: Mapping[str, float]) -> float:
        total = sum(shapes.get(name, 0.0) * weight for name, weight in self.shapes)
        risen = min(1.0, max(0.0, (abs(total) - self.low) / (self.high - self.low)))
        return math.copysign(self.gives * risen, self.gives * total)


Table = dict[str, tuple[Ramp, ...]]  # by the number's name


def numbers(table: Table, shapes: Mapping[str, float]) -> dict[str, float]:
    """The numbers, in their ranges, that the shapes tell; a number none of whose shapes is given is left out."""
    return {
        name: BY_NAME[name].clamped(sum(ramp.at(shapes) for ramp in ramps))
        for name, ramps in table.items()
        if any(shape in shapes for ramp in ramps for shape, _ in ramp.shapes)
    }


def observation(told: Mapping[str, float]) -> FaceObservation:
    """What was told, by the numbers' names; of the six, what was not told is 0."""
    values: dict[str, Any] = {**dict.fromkeys(SIX, 0.0), **told}
    return FaceObservation(**values)


def arkit_name(name: str) -> str:
    """The name as ARKit writes it, of "EyeBlinkLeft" and "eyeBlink_L" too."""
    if name.endswith("_L"):
        name = name[:-2] + "Left"
    elif name.endswith("_R"):
        name = name[:-2] + "Right"
    return name[:1].lower() + name[1:]


def mmd_name(name: str) -> str:
    """The morph's name without the differences of writing."""
    return unicodedata.normalize("NFKC", name).strip().replace("ウイ", "ウィ")


def read_mapping(path: Path | None = None) -> dict[str, Table]:
    """The tables by name (`TABLES`), from our own file, with what the user's file `path` replaces.

    Raises SettingsError that names the file, the place in it and the remedy.
    """
    own = {} if path is None else _tables(path)
    return {name: {**table, **own.get(name, {})} for name, table in _ours().items()}


@cache
def _ours() -> dict[str, Table]:
    return _tables(OURS)


def _tables(path: Path) -> dict[str, Table]:
    check_readable(path, SettingsError, "a mapping")
    try:
        if path.stat().st_size > LARGEST:
            raise SettingsError(f"{path} is too large for a mapping: choose another file")
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        why = (error.strerror or "cannot be used").lower()
        raise SettingsError(f"the mapping {path} cannot be read ({why}): check its name, or choose another") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error) or "nested too deep"
        raise SettingsError(f"the mapping {path} is not TOML ({why}): mend it, or start from {OURS}") from None
    return {
        name: _table(path, name, _of(path, name, dict, table))
        for name, table in data.items()
        if _known(path, "table", name, TABLES)
    }


def _table(path: Path, name: str, given: dict[str, Any]) -> Table:
    return {
        number: tuple(_ramp(path, f"{name}.{number}", TABLES[name], ramp) for ramp in _of(path, number, list, ramps))
        for number, ramps in given.items()
        if _known(path, "number of a pose", number, BY_NAME)
    }


def _ramp(path: Path, where: str, known: frozenset[str] | None, given: Any) -> Ramp:
    data = _of(path, where, dict, given)
    for word in data:
        _known(path, f"word in {where}", word, ("shapes", "from", "to", "gives"))
    shapes = []
    for shape, weight in _of(path, f"{where}.shapes", dict, data.get("shapes")).items():
        if known is None:
            shape = mmd_name(shape)
        else:
            _known(path, f"shape in {where}", shape, known)
        shapes.append((shape, _finite(path, f"{where}.{shape}", weight)))
    low, high, gives = (
        _finite(path, f"{where}.{word}", data.get(word, usual))
        for word, usual in (("from", 0), ("to", 1), ("gives", 1))
    )
    if not 0 <= low < high:
        raise SettingsError(
            f"the mapping {path}: {where} rises from {low:g} to {high:g}, which must be 0 or more, and more"
        )
    return Ramp(tuple(shapes), low, high, gives)


def _of(path: Path, where: str, kind: type[Any], value: Any) -> Any:
    if not isinstance(value, kind):
        should = "a table in braces" if kind is dict else "written as a list of ramps, [[table.number]]"
        raise SettingsError(f"the mapping {path}: {where} must be {should}; see {OURS}")
    return value


def _finite(path: Path, where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1000:
        raise SettingsError(f"the mapping {path}: {where} is {value!r}, not a number from -1000 to 1000")
    return float(value)


def _known(path: Path, what: str, name: str, names: Any) -> bool:
    if name not in names:
        near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(names))}"
        raise SettingsError(f"the mapping {path}: there is no {what} called {name}: {hint}")
    return True
