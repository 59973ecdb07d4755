"""Any 3D model from any place: the one function that the rest of the room opens files with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from puppeteer.errors import ModelError
from puppeteer.models3d.model import Model
from puppeteer.models3d.pmd import read_pmd
from puppeteer.models3d.pmx import read_pmx
from puppeteer.models3d.storage import Storage, open_model
from puppeteer.models3d.vrm import read_vrm

READERS: dict[bytes, Callable[[bytes, str, Storage], Model]] = {
    b"PMX ": read_pmx,
    b"Pmx ": read_pmx,
    b"Pmd": read_pmd,
    b"glTF": read_vrm,
}


def read_model(path: Path) -> Model:
    """A PMX, PMD or VRM file, or a ZIP file that holds one, told apart by how they begin. Raises ModelError."""
    data, name, storage = open_model(path)
    return parse_model(data, name, storage)


def parse_model(data: bytes, name: str, storage: Storage) -> Model:
    """Raises ModelError."""
    for magic, reader in READERS.items():
        if data.startswith(magic):
            return reader(data, name, storage)
    raise ModelError(f"{name} is no PMX, PMD or VRM model, or a damaged one: take another file, or get it again")
