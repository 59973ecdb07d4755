"""`pose`: a character in the poses of a table, one PNG each."""

from __future__ import annotations

import codecs
import csv
import math
import sys
from difflib import get_close_matches
from pathlib import Path

from puppeteer.errors import SettingsError
from puppeteer.files import check_readable, check_target
from puppeteer.pose import BY_NAME, POSE_NAMES, SIX, Pose
from puppeteer.settings import Settings

ALSO_ALLOWED = ("time_s", "face")  # what `track` writes besides; not looked at
SEPARATORS = (",", ";", "\t")
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
    lines = _text(path).splitlines(keepends=True)
    told = bool(lines) and lines[0].lower().startswith("sep=")  # Excel's own
    lines = lines[told:]
    separator = max(SEPARATORS, key=lines[0].count) if lines else ","
    reader = csv.reader(lines, delimiter=separator)
    poses = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, path)
        for row in reader:
            if any(cell.strip() for cell in row):
                poses.append(_pose(header, row, f"{path}, line {reader.line_num + told}", separator))
    except csv.Error as error:
        raise SettingsError(f"{path}, line {reader.line_num}, is not CSV ({error}): save the table as CSV") from error
    if not poses:
        raise SettingsError(f"{path} holds no poses: add a line of numbers for each picture below the header")
    return poses


def _text(path: Path) -> str:
    """As spreadsheets write it: UTF-8 or UTF-16. Raises SettingsError."""
    check_readable(path, SettingsError, "a CSV file with poses")
    try:
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not a text file: save the table as CSV in UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): name a CSV file with poses") from error


def _pose(header: list[str], row: list[str], where: str, separator: str) -> Pose:
    if len(row) != len(header):
        commas = separator == "," and len(row) > len(header)
        remedy = ", and numbers with decimal commas between semicolons" if commas else ""
        raise SettingsError(
            f"{where}, has {len(row)} values instead of {len(header)}: give one for each column{remedy}"
        )
    cells = dict(zip(header, row, strict=True))
    tracked = set(ALSO_ALLOWED) <= set(header)  # with --raw its numbers may leave the range
    return Pose.from_names(
        {name: _number(cells[name], name, where, separator, tracked) for name in POSE_NAMES if name in cells}
    )


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


def _number(cell: str, name: str, where: str, separator: str, tracked: bool) -> float:
    low = BY_NAME[name].low
    try:
        value = float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise SettingsError(f"{where}: {name} is {cell.strip()!r}, not a number: give {low:g} to 1")
    if (not tracked or math.isinf(value)) and not low - ROUNDING <= value <= 1 + ROUNDING:
        raise SettingsError(f"{where}: {name} is {value:g}, out of range: give {low:g} to 1")
    return value
