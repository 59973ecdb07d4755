"""Tables of numbers as spreadsheets write them: between commas, semicolons or tabs, with decimal points or commas, in
UTF-8 or UTF-16."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path

from puppeteer.errors import SettingsError
from puppeteer.files import check_readable

SEPARATORS = (",", ";", "\t")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Table:
    """Its header, and each row's place for the user, such as "poses.csv, line 2", with its cells, as many as the header
    has."""

    header: list[str]
    rows: list[tuple[str, list[str]]]


def read_table(path: Path, what: str) -> Table:
    """`what` should be there, such as "a CSV file with poses". Rows without anything are left out. Raises
    SettingsError."""
    lines = _text(path, what).splitlines(keepends=True)
    told = bool(lines) and lines[0].lower().startswith("sep=")  # Excel's own
    lines = lines[told:]
    separator = max(SEPARATORS, key=lines[0].count) if lines else ","
    reader = csv.reader(lines, delimiter=separator)
    rows = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if any(cell.strip() for cell in row):
                where = f"{path}, line {reader.line_num + told}"
                _check(header, row, where, separator)
                rows.append((where, row))
    except csv.Error as error:
        raise SettingsError(f"{path}, line {reader.line_num}, is not CSV ({error}): save the table as CSV") from error
    return Table(header, rows)


def number(cell: str) -> float:
    """Raises ValueError. A comma is a decimal one: where commas are between cells, such a cell is quoted."""
    return float(cell.replace(",", "."))


def _text(path: Path, what: str) -> str:
    check_readable(path, SettingsError, what)
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): name {what}") from error
    if "\0" in text:  # UTF-16 or UTF-32 without a mark, or no text at all
        raise SettingsError(f"{path} is not a text file: save the table as CSV in UTF-8")
    return text


def _check(header: list[str], row: list[str], where: str, separator: str) -> None:
    if len(row) != len(header):
        commas = separator == "," and len(row) > len(header)
        remedy = ", and numbers with decimal commas between semicolons" if commas else ""
        raise SettingsError(
            f"{where}, has {len(row)} values instead of {len(header)}: give one for each column{remedy}"
        )
