"""The house in the order of a frame: no import runs up, and no two files import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "puppeteer"

# What stands lower is listed earlier, and may be imported by what is listed later. First the ground, then the rooms.
GROUND = (
    "slot",
    "relief",
    "threads",
    "compiled",
    "quiet",
    "errors",
    "processor",
    "heaps",
    "v4l2",
    "files",
    "table",
    "pose",
    "rotation",
    "calibration",
    "expression",
    "settings",
    "by_name",
    "profile",
    "weights",
    "colour",
    "image",
    "light",
)
ROOMS = (
    "inputs",
    "tracking",
    "motion",
    "networks",
    "poser",
    "outputs",
    "characters",
    "prepare",
    "models3d",
    "live",
    "gui",
    "commands",
    "training",
)
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def imported(name: str) -> set[str]:
    """The modules of this package that one names, wherever in the file, types included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
    return {module for module in found if module in MODULES and module != name}


def place(module: str) -> tuple[int, int]:
    """Where a module stands: the ground first, each of its files on its own; then the rooms."""
    parts = module.split(".")
    if len(parts) == 1:  # `import puppeteer` from outside: the top of all
        return 2, 0
    if parts[1] in ROOMS:
        return 1, ROOMS.index(parts[1])
    return 0, GROUND.index(parts[1])


def test_every_file_has_a_place() -> None:
    tops = {module.split(".")[1] for module in MODULES if "." in module}
    assert tops <= {*GROUND, *ROOMS}, "list new rooms and files of the ground here, where they belong"


@pytest.mark.parametrize("module", [name for name in MODULES if "." in name])
def test_no_import_runs_up(module: str) -> None:
    up = {other for other in imported(module) if place(other) > place(module)}
    assert not up


def test_no_circles() -> None:
    uses = {name: {other for other in imported(name) if not name.startswith(other + ".")} for name in MODULES}
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(uses[name]):
                walk(other, (*way, name))
            done.add(name)

    for name in MODULES:
        walk(name, ())
