"""`pose`: a character in the poses of a table, one PNG each."""

from __future__ import annotations

import math
import sys
from difflib import get_close_matches
from pathlib import Path

from puppeteer.errors import SettingsError
from puppeteer.files import check_target
from puppeteer.pose import BY_NAME, POSE_NAMES, SIX, Pose
from puppeteer.settings import Settings
from puppeteer.table import number, read_table

ALSO_ALLOWED = ("time_s", "face")  # what `track` writes besides; not looked at
ROUNDING = 1e-6  # a value this far out of range was only printed with too few digits


def pose(
    *,
    character: Path,
    poses: Path | None,
    output: Path,
    size: int = 256,
    values: Pose | None = None,
    settings: Settings | None = None,
) -> list[Path]:
    """Writes `output`/0000.png, 0001.png, ... for the rows of `poses`, or one picture for `values`.

    `output` may name a PNG file where there is one picture. Returns what was written. Raises PuppeteerError.
    """
    if (poses is None) == (values is None):
        raise SettingsError("give either a table of poses or the values of one pose")
    rows = [values] if values is not None else read_poses(poses) if poses is not None else []
    # Imported late, so that a wrong table is told at once: PyTorch takes seconds.
    from puppeteer.image import check_output_size, write_png
    from puppeteer.poser import Poser
    from puppeteer.prepare.reading import read_character

    settings = settings or Settings()
    check_output_size(size)
    files = _files(output, len(rows))
    for file in files:
        if file.exists():
            check_target(file, SettingsError, "pose.png", (character, poses))
    drawing = read_character(character)
    _make_folder(files[0].parent)
    poser = Poser.load(settings.poser.family, settings.poser.device)
    poser.set_character(drawing)
    for note in (*drawing.notes, poser.message):
        print(note, file=sys.stderr)
    for file, row in zip(files, rows, strict=True):
        write_png(file, poser.pose(row, size))
    return files


def _files(output: Path, count: int) -> list[Path]:
    """Where the pictures go."""
    single = output.suffix.lower() == ".png" and not output.is_dir()
    if single and count > 1:
        raise SettingsError(f"{output} is one file, but there are {count} poses: name a folder")
    folder = output.parent if single else output
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file: name a folder for the pictures")
    return [output] if single else [folder / f"{k:04d}.png" for k in range(count)]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"the folder {folder} cannot be made ({error.strerror}): choose another") from error


def read_poses(path: Path) -> list[Pose]:
    """The rows of a CSV file whose header has the paper's six names and any of the others, in any order.

    Raises SettingsError.
    """
    table = read_table(path, "a CSV file with poses")
    _check_header(table.header, path)
    poses = [_pose(table.header, row, where) for where, row in table.rows]
    if not poses:
        raise SettingsError(f"{path} holds no poses: add a line of numbers for each picture below the header")
    return poses


def _pose(header: list[str], row: list[str], where: str) -> Pose:
    cells = dict(zip(header, row, strict=True))
    tracked = set(ALSO_ALLOWED) <= set(header)  # with --raw its numbers may leave the range
    return Pose.from_names({name: _number(cells[name], name, where, tracked) for name in POSE_NAMES if name in cells})


def _check_header(header: list[str], path: Path) -> None:
    wanted = ",".join(SIX)
    if not any(header):
        raise SettingsError(f"{path} is empty: its first line must be {wanted}")
    for name in header:
        if name not in POSE_NAMES and name not in ALSO_ALLOWED:
            close = get_close_matches(name, POSE_NAMES, 1)
            hint = f"did you mean {close[0]}?" if close else f"leave it out; the header is {wanted}"
            raise SettingsError(f"{path} has a column {name!r} that is none of a pose's: {hint}")
        if header.count(name) > 1:
            raise SettingsError(f"{path} has the column {name} more than once: the header is {wanted}")
    missing = [name for name in SIX if name not in header]
    if missing:
        raise SettingsError(f"{path} lacks the column {', '.join(missing)}: the header is {wanted}")


def _number(cell: str, name: str, where: str, tracked: bool) -> float:
    low = BY_NAME[name].low
    try:
        value = number(cell)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise SettingsError(f"{where}: {name} is {cell.strip()!r}, not a number: give {low:g} to 1")
    if (not tracked or math.isinf(value)) and not low - ROUNDING <= value <= 1 + ROUNDING:
        raise SettingsError(f"{where}: {name} is {value:g}, out of range: give {low:g} to 1")
    return value
