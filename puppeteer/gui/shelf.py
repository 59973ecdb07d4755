"""The characters to choose from, as files: shipped ones and the user's own. Thumbnails are made in a thread."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from puppeteer.colour import in_srgb
from puppeteer.errors import ImageError
from puppeteer.files import check_readable, whole
from puppeteer.gui import texts
from puppeteer.image import Square, formats, write_png
from puppeteer.pose import F32, U8

SHIPPED = Path(__file__).resolve().parent.parent / "characters" / "shipped"
PICTURES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"),
    *(".heic", ".heif", ".jxl"),  # what is missing for these is said when one is chosen
)
MOTIONS = (".csv", ".vmd")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
THUMBNAIL = 144  # px
LARGEST_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture on the shelf."""

    path: Path
    own: bool  # the user's, which may be removed

    @property
    def name(self) -> str:
        return self.path.stem


class Shelf:
    """The shelf's files. The user's live in `folder`, where other programs may put some too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Entry]:
        """The shipped ones first, then the user's, by name."""
        return [Entry(path, False) for path in _pictures(SHIPPED)] + [
            Entry(path, True) for path in _pictures(self.folder)
        ]

    def add(self, picture: Path) -> Path:
        """Copies a picture onto the shelf; the path of the copy. Raises ImageError."""
        if picture.parent.resolve() in (self.folder.resolve(), SHIPPED.resolve()):
            return picture
        target = self._free(picture.name, picture)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole(target) as draft:
                shutil.copyfile(picture, draft)
        except OSError as error:
            raise ImageError(
                f"{picture.name} cannot be copied to {self.folder} ({error.strerror}): it is used from where it is"
            ) from None
        return target

    def keep(self, rgba: U8, square: Square, name: str) -> Path:
        """Writes a prepared character onto the shelf; its path. Raises ImageError."""
        target = self._free(f"{name}.png")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImageError(
                f"the folder {self.folder} cannot be made ({error.strerror}): free that place or its permissions"
            ) from None
        write_png(target, rgba, square)
        return target

    def _free(self, name: str, same: Path | None = None) -> Path:
        """A path of that name, or of one like it, where nothing is yet but what `same` holds too."""
        target, number = self.folder / name, 2
        while target.exists() and (same is None or target.read_bytes() != same.read_bytes()):
            target = self.folder / f"{Path(name).stem} {number}{Path(name).suffix}"
            number += 1
        return target

    def rename(self, entry: Entry, name: str) -> Path:
        """The user's picture under another name; its new path. Raises ImageError."""
        assert entry.own, "what comes along stays"
        name = name.strip()
        if not name or name[0] in ". " or any(letter in '<>:"/\\|?*' or not letter.isprintable() for letter in name):
            raise ImageError(texts.CHARACTER_NAME_WRONG)
        target = entry.path.with_name(name + entry.path.suffix)
        if target == entry.path:
            return target
        if target.exists() and not target.samefile(entry.path):  # only its letters' case may change
            raise ImageError(texts.CHARACTER_EXISTS.format(name=name))
        try:
            entry.path.rename(target)
        except OSError as error:
            raise ImageError(f"{entry.path.name} cannot be renamed ({error.strerror}): choose another name") from None
        return target

    def remove(self, entry: Entry) -> None:
        """Raises ImageError."""
        assert entry.own, "what comes along stays"
        try:
            entry.path.unlink(missing_ok=True)
        except OSError as error:
            raise ImageError(f"{entry.path} cannot be deleted ({error.strerror}): delete it by hand") from None


def _pictures(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(
            (path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".")),
            key=lambda path: (path.stem.casefold(), path.name),
        )
    return []


class Thumbnails:
    """Makes thumbnails in a thread of its own, so that a large picture never stops the window."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._made: queue.SimpleQueue[tuple[Path, F32]] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
        self._thread.start()

    def ask(self, path: Path) -> None:
        self._asked.put(path)

    def ready(self) -> list[tuple[Path, F32]]:
        """What was made since the last call: path and float32 (THUMBNAIL, THUMBNAIL, 4)."""
        made = []
        with contextlib.suppress(queue.Empty):
            while True:
                made.append(self._made.get_nowait())
        return made

    def close(self, wait_s: float = 1) -> None:
        """What was asked for before and is not made yet is left out where `wait_s` is 0."""
        self._closed = wait_s == 0
        self._asked.put(None)
        self._thread.join(wait_s)

    def _work(self) -> None:
        formats()
        while (path := self._asked.get()) is not None and not self._closed:
            self._made.put((path, thumbnail(path)))


def thumbnail(path: Path) -> F32:
    """float32 (THUMBNAIL, THUMBNAIL, 4) with straight alpha: the upper middle, where the head is; of an unreadable
    file a cross."""
    try:
        check_readable(path, ImageError, "a picture")
        with Image.open(path) as image:
            if image.width * image.height > LARGEST_PIXELS:
                raise ValueError("too large")
            image.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
            note = image.info.get("puppeteer")  # of a prepared character
            rgba = ImageOps.exif_transpose(image).convert("RGBA")
            if note is not None:
                left, top, side = json.loads(note)["square"]
                rgba = rgba.crop((left, top, left + side, top + side))
    except Exception:  # Pillow raises many kinds, and a file that cannot be shown is no reason to stop
        cross = np.zeros((THUMBNAIL, THUMBNAIL, 4), np.float32)
        diagonal = np.arange(THUMBNAIL // 4, 3 * THUMBNAIL // 4)
        for shift in (-1, 0, 1):
            cross[diagonal, diagonal + shift] = cross[diagonal, THUMBNAIL - 1 - diagonal + shift] = (1, 0.4, 0.4, 1)
        return cross
    side = min(rgba.size)
    left = (rgba.width - side) // 2
    rgba = rgba.crop((left, 0, left + side, side))
    if rgba.width == rgba.height and side >= 64:  # the head fills the middle half of a proper character
        rgba = rgba.crop((side // 6, side // 8, side - side // 6, side // 8 + 2 * side // 3))
    small, _ = in_srgb(rgba.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS))
    return np.asarray(small.convert("RGBA"), np.float32) / np.float32(255)
