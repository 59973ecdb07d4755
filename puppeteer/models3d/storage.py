"""Where a model's files lie: a folder, or a ZIP file as it was downloaded, which is read without unpacking."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from puppeteer.errors import ModelError
from puppeteer.files import check_readable
from puppeteer.models3d.cursor import LARGEST_FILE

SUFFIXES = (".pmx", ".pmd", ".vrm")
ENCODINGS = ("utf-8", "cp932", "gbk")  # of names in ZIP files, most likely first
LARGEST_LISTING = 20_000  # files of one folder or ZIP file
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, NotImplementedError,
               RuntimeError, LookupError, MemoryError)  # fmt: skip


class Storage(Protocol):
    """The files round one model."""

    def find(self, reference: str) -> bytes | None:
        """The file that a model names, relative to the model's folder; None where there is none to be had."""
        ...


def plain(name: str) -> str:
    """What is compared of a file's path: one kind of slash, no case, one kind of Unicode."""
    return unicodedata.normalize("NFKC", name.replace("\\", "/").strip().strip("\0")).casefold()


def resolved(folder: tuple[str, ...], reference: str) -> tuple[str, ...] | None:
    """The parts of a reference seen from a folder; None where it climbs out of what the storage holds."""
    if plain(reference).startswith("/") or plain(reference)[1:2] == ":":
        return None
    parts = list(folder)
    for part in plain(reference).split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return tuple(parts)


class Folder:
    """The folder of a model on disk; nothing above it is read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[tuple[str, ...], Path] | None = None
        self._by_name: dict[str, Path] = {}

    def find(self, reference: str) -> bytes | None:
        parts = resolved((), reference)
        if not parts:
            return None
        if self._files is None:
            self._files = {}
            for path in walk(self._root):
                key = tuple(plain(part) for part in path.relative_to(self._root).parts)
                self._files.setdefault(key, path)
                self._by_name.setdefault(key[-1], path)
        found = self._files.get(parts) or self._by_name.get(parts[-1])
        if found is None:
            return None
        try:
            return found.read_bytes() if found.stat().st_size <= LARGEST_FILE else None
        except OSError:
            return None


def walk(root: Path, depth: int = 4) -> Iterator[Path]:
    """Files below a folder, in order, without links to folders and at most `LARGEST_LISTING`."""
    pending, seen = [(root, 0)], 0
    while pending:
        folder, level = pending.pop(0)
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        for path in entries:
            seen += 1
            if seen > LARGEST_LISTING:
                return
            if path.is_dir():
                if level < depth and not path.is_symlink():
                    pending.append((path, level + 1))
            elif path.is_file():
                yield path


class Archive:
    """A ZIP file. Names are compared in every encoding that they may be written in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as file:
                self._entries = [entry for entry in file.infolist() if not entry.is_dir()]
        except FileNotFoundError:
            raise
        except _ZIP_ERRORS as error:
            raise ModelError(f"{path} is no ZIP file that can be read ({error}): download it again") from error
        if len(self._entries) > LARGEST_LISTING:
            raise ModelError(f"{path} holds {len(self._entries)} files, too many: unpack what belongs to the model")
        self._files: dict[tuple[str, ...], zipfile.ZipInfo] = {}
        self._by_name: dict[str, zipfile.ZipInfo] = {}
        for entry in self._entries:
            for name in spellings(entry):
                parts = resolved((), name)
                if parts:
                    self._files.setdefault(parts, entry)
                    self._by_name.setdefault(parts[-1], entry)

    def models(self) -> list[str]:
        """The names of the models in it, the largest file first."""
        found = [entry for entry in self._entries if plain(entry.filename).endswith(SUFFIXES)]
        return [spellings(entry)[0] for entry in sorted(found, key=lambda entry: -entry.file_size)]

    def seen_from(self, folder: tuple[str, ...]) -> Storage:
        return _ArchiveFolder(self, folder)

    def find_parts(self, parts: tuple[str, ...]) -> bytes | None:
        entry = self._files.get(parts) or self._by_name.get(parts[-1])
        return None if entry is None else self._read(entry)

    def model(self, name: str) -> bytes:
        """The bytes of a model in it. Raises ModelError."""
        parts = resolved((), name)
        data = self.find_parts(parts) if parts else None
        if data is None:
            others = self.models()
            if name in others:
                raise ModelError(
                    f"{name} in {self.path} is damaged, too large or outside of it: unpack it and name the file"
                )
            known = ", ".join(others[:3]) or "no model at all"
            raise ModelError(f"{self.path} does not hold {name}: name one that it holds ({known})")
        return data

    def _read(self, entry: zipfile.ZipInfo) -> bytes | None:
        if entry.file_size > LARGEST_FILE:
            return None
        try:
            with zipfile.ZipFile(self.path) as file, file.open(entry) as stream:
                data = stream.read(LARGEST_FILE + 1)  # what a header says of the size may be a lie
        except _ZIP_ERRORS:
            return None
        return data if len(data) <= LARGEST_FILE else None


class _ArchiveFolder:
    def __init__(self, archive: Archive, folder: tuple[str, ...]) -> None:
        self._archive, self._folder = archive, folder

    def find(self, reference: str) -> bytes | None:
        parts = resolved(self._folder, reference)
        return self._archive.find_parts(parts) if parts else None


def spellings(entry: zipfile.ZipInfo) -> list[str]:
    """The name of an entry in each encoding that it may have; the first is the one to show."""
    if entry.flag_bits & 0x800:  # the archive says that it is UTF-8
        return [entry.filename]
    try:
        raw = entry.orig_filename.encode("cp437")
    except UnicodeEncodeError:
        return [entry.filename]
    names = []
    for encoding in ENCODINGS:
        try:
            names.append(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return list(dict.fromkeys([*names, entry.filename]))


def open_model(path: Path) -> tuple[bytes, str, Storage]:
    """The bytes of a model, the name of its file, and what lies beside it.

    `path` is a model, a ZIP file (its largest model is taken) or a model in a ZIP file (`pack.zip/folder/model.pmx`).
    Raises ModelError.
    """
    try:
        for parent in path.parents:
            if parent.suffix.lower() == ".zip" and parent.is_file():
                return _from_archive(Archive(parent), path.relative_to(parent).as_posix())
        check_readable(path, ModelError, "a PMX, PMD, VRM or ZIP file")
        if path.suffix.lower() == ".zip":
            archive = Archive(path)
            names = archive.models()
            if not names:
                raise ModelError(f"{path} holds no PMX, PMD or VRM model: unpack it and look what is inside")
            return _from_archive(archive, names[0])
        if path.stat().st_size > LARGEST_FILE:
            raise ModelError(f"{path} is larger than {LARGEST_FILE // 1_000_000} MB: take a lighter model")
        return path.read_bytes(), path.name, Folder(path.parent)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ModelError(f"{path} cannot be read ({why}): check its permissions, or copy it elsewhere") from error


def _from_archive(archive: Archive, name: str) -> tuple[bytes, str, Storage]:
    parts = resolved((), name) or ()
    return archive.model(name), name.replace("\\", "/").split("/")[-1], archive.seen_from(parts[:-1])


def models_in(folder: Path) -> list[Path]:
    """Every model below a folder or in the ZIP files there, in order. Raises ModelError where there is no folder."""
    if not folder.is_dir():
        if folder.exists():
            return [folder]
        raise ModelError(f"{folder} does not exist: check the spelling of the path")
    found: list[Path] = []
    for path in walk(folder, depth=8):
        suffix = path.suffix.lower()
        if suffix in SUFFIXES:
            found.append(path)
        elif suffix == ".zip":
            try:
                found += [path / name for name in Archive(path).models()]
            except (ModelError, OSError):
                continue  # ZIP files of other things lie in such folders too
    return found
