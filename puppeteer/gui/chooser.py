"""A dialog that chooses a file or a folder, in the look of the window.

The systems' own dialogs were looked at: what opens them from Python on all three systems needs zenity or kdialog on
Linux, blocks while it is open, and knows no thumbnails of heads; this one lives in the window's own frames.
"""

from __future__ import annotations

import datetime
import os
import string
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.memory import Memory
from puppeteer.gui.safe import dpg
from puppeteer.gui.shelf import PICTURES, THUMBNAIL, Thumbnails
from puppeteer.gui.theme import MUTED, Theme

STEP = 100  # rows that are made at once; scrolling to the end makes more
ROW = 44  # px at scale 1, of a file with a thumbnail
SORTS = {"name": texts.SORT_NAME, "date": texts.SORT_DATE}


@dataclass(frozen=True, slots=True)
class File:
    """What a folder has."""

    path: Path
    folder: bool
    changed_s: float


def places() -> list[tuple[str, Path]]:
    """Where people keep their files."""
    home = Path.home()
    found = [(texts.HOME, home)] + [(name, home / name) for name in texts.PLACES if (home / name).is_dir()]
    if sys.platform == "win32":
        drives = (Path(f"{letter}:\\") for letter in string.ascii_uppercase)
        found += [(str(drive), drive) for drive in drives if drive.exists()]
    return found


def listing(folder: Path, endings: Sequence[str]) -> list[File]:
    """Folders, and files with one of the endings, hidden ones left out. Raises OSError."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                is_folder, changed_s = entry.is_dir(), entry.stat().st_mtime
            except OSError:  # a link that leads nowhere, or in a circle
                continue
            if is_folder or Path(entry.name).suffix.lower() in endings:
                found.append(File(Path(entry.path), is_folder, changed_s))
    return found


def arranged(files: Sequence[File], sort: str, words: str) -> list[File]:
    """Those whose names have every word, folders first, by name or the newest first."""
    wanted = words.casefold().split()
    kept = [one for one in files if all(word in one.path.name.casefold() for word in wanted)]
    if sort == "date":
        return sorted(kept, key=lambda one: (not one.folder, -one.changed_s, one.path.name.casefold()))
    return sorted(kept, key=lambda one: (not one.folder, one.path.name.casefold()))


def day_of(changed_s: float) -> str:
    """Of a file's date; "" where a file system made one up."""
    try:
        return datetime.datetime.fromtimestamp(changed_s).strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return ""


class Chooser:
    """One dialog at a time; `open` shows it, `chosen` gets the path."""

    def __init__(self, theme: Theme, memory: Memory) -> None:
        self._theme, self._memory = theme, memory
        self._window: Any = None
        self._folder = Path.home()
        self._endings: Sequence[str] = ()  # none: a folder is chosen
        self._chosen: Callable[[Path], object] = lambda path: None
        self._marked: Path | None = None
        self._all: list[File] = []
        self._shown: list[File] = []
        self.rows: dict[Path, Any] = {}
        self._images: dict[Path, Any] = {}
        self._textures: dict[Path, Any] = {}
        self._asked: set[Path] = set()
        self._thumbnails: Thumbnails | None = None
        self._blank: Any = None

    @property
    def is_open(self) -> bool:
        return self._window is not None

    def open(self, title: str, endings: Sequence[str], chosen: Callable[[Path], object], start: Path | None) -> None:
        """`start` is the folder to begin with; None is the one where such a file was chosen last."""
        self.close()
        self._endings, self._chosen, self._marked = endings, chosen, None
        start = start or Path(self._memory.get("folders", {}).get(self._kind, "") or Path.home())
        self._folder = start if start.is_dir() else Path.home()
        self._sort = self._memory.get("sort", "name")
        px = self._theme.px
        wide, high = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        width, height = min(px(820), wide - px(40)), min(px(600), high - px(40))
        with dpg.texture_registry():
            self._blank = dpg.add_static_texture(1, 1, [0.0, 0.0, 0.0, 0.0])
        with dpg.window(
            label=title,
            modal=True,
            no_resize=True,
            no_collapse=True,
            no_move=True,
            no_close=True,
            no_scrollbar=True,
            width=width,
            height=height,
            pos=((wide - width) // 2, (high - height) // 2),
        ) as self._window:
            with dpg.group(horizontal=True):
                dpg.add_button(label=texts.UP, callback=lambda: self._go(self._folder.parent))
                self._path = dpg.add_input_text(width=-1, on_enter=True, callback=lambda _, text: self._typed(text))
            with dpg.group(horizontal=True):
                self._search = dpg.add_input_text(width=px(340), hint=texts.SEARCH, callback=lambda: self._arrange())
                self._sorts = {
                    sort: dpg.add_button(label=label, callback=self._sorter(sort)) for sort, label in SORTS.items()
                }
                self._count = dpg.add_text("", color=MUTED)
            with dpg.group(horizontal=True):
                with dpg.child_window(width=px(150), height=-px(46), always_use_window_padding=True):
                    for name, folder in places():
                        dpg.add_selectable(label=name, callback=self._goer(folder))
                self._list = dpg.add_child_window(width=-1, height=-px(46), always_use_window_padding=True)
            with dpg.group(horizontal=True):
                dpg.add_spacer(width=width - px(160 + 100 + 3 * 8 + 28))
                self._take = dpg.add_button(
                    label=texts.OPEN if endings else texts.TAKE_FOLDER, width=px(160), callback=lambda: self._confirm()
                )
                dpg.bind_item_theme(self._take, self._theme.primary)
                dpg.add_button(label=texts.CANCEL, width=px(100), callback=self.close)
        self._go(self._folder)

    def close(self) -> None:
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None
            self._forget()
            dpg.delete_item(self._blank)
            if self._thumbnails is not None:
                self._thumbnails.close(wait_s=0)
                self._thumbnails = None

    def typing(self) -> bool:
        return self.is_open and any(dpg.is_item_active(item) for item in (self._path, self._search))

    def keys(self) -> None:
        """Once a frame, after rendering."""
        if not self.is_open:
            return
        if dpg.is_key_pressed(dpg.mvKey_Escape):
            self.close()
        elif dpg.is_key_pressed(dpg.mvKey_Return) and not dpg.is_item_active(self._path) and self._marked:
            self._confirm()

    def show(self) -> None:
        """Once a frame: more rows where the end is near, and thumbnails of what is seen."""
        if not self.is_open:
            return
        if dpg.get_y_scroll(self._list) >= dpg.get_y_scroll_max(self._list) - 4 * self._theme.px(ROW):
            self._add_rows()
        if self._thumbnails is None:
            return
        for path, image in self._images.items():
            if path not in self._asked and dpg.is_item_visible(image):
                self._asked.add(path)
                self._thumbnails.ask(path)
        for path, pixels in self._thumbnails.ready():
            if path in self._images:
                with dpg.texture_registry():
                    self._textures[path] = dpg.add_static_texture(THUMBNAIL, THUMBNAIL, pixels.ravel())
                dpg.configure_item(self._images[path], texture_tag=self._textures[path])

    @property
    def _kind(self) -> str:
        return ",".join(self._endings) or "folder"

    def _goer(self, folder: Path) -> Callable[[], None]:
        return lambda: self._go(folder)

    def _sorter(self, sort: str) -> Callable[[], None]:
        def choose() -> None:
            self._sort = sort
            self._memory.keep("sort", sort)
            self._arrange()

        return choose

    def _typed(self, text: str) -> None:
        path = Path(text.strip().strip('"')).expanduser()
        if path.is_file() and self._endings:
            self._done(path)
        else:
            self._go(path)

    def _go(self, folder: Path) -> None:
        try:
            self._all = listing(folder, self._endings)
        except (OSError, ValueError) as error:
            self._all = []
            absent = isinstance(error, FileNotFoundError | NotADirectoryError)
            self._arrange(texts.NO_FOLDER if absent else texts.UNREADABLE_FOLDER)
            return
        self._folder = folder.absolute()
        dpg.set_value(self._path, str(self._folder))
        dpg.set_value(self._search, "")
        self._arrange()

    def _arrange(self, problem: str = "") -> None:
        """Shows the list anew."""
        self._marked = None
        self._forget()
        self._shown = arranged(self._all, self._sort, dpg.get_value(self._search))
        files = sum(not one.folder for one in self._shown)
        if self._endings:
            dpg.set_value(self._count, texts.COUNT_ONE if files == 1 else texts.COUNT.format(count=f"{files:,}"))
        for sort, button in self._sorts.items():
            dpg.bind_item_theme(button, self._theme.on if sort == self._sort else self._theme.plain)
        dpg.configure_item(self._take, enabled=not self._endings)
        dpg.set_y_scroll(self._list, 0)
        if problem or not self._shown:
            dpg.add_text(problem or texts.EMPTY_FOLDER, parent=self._list, color=MUTED)
        self._add_rows()

    def _forget(self) -> None:
        """The rows and their textures."""
        if self._window is not None:
            dpg.delete_item(self._list, children_only=True)
        for texture in self._textures.values():
            dpg.delete_item(texture)
        for known in (self.rows, self._images, self._textures):
            known.clear()
        self._asked.clear()

    def _add_rows(self) -> None:
        start = len(self.rows)
        for one in self._shown[start : start + STEP]:
            self._row(one)

    def _row(self, one: File) -> None:
        px = self._theme.px
        if one.folder:
            item = dpg.add_selectable(label=f"{one.path.name}/", parent=self._list, callback=self._goer(one.path))
            dpg.bind_item_theme(item, self._theme.link)
            self.rows[one.path] = item
            return
        day = day_of(one.changed_s)
        with dpg.group(horizontal=True, parent=self._list):
            pictured = one.path.suffix.lower() in PICTURES
            if pictured:
                self._thumbnails = self._thumbnails or Thumbnails()
                self._images[one.path] = dpg.add_image(self._blank, width=px(ROW - 4), height=px(ROW - 4))
            self.rows[one.path] = dpg.add_selectable(
                label=f"{one.path.name}   {day}", height=px(ROW - 4) if pictured else 0, callback=self._marker(one.path)
            )
            dpg.bind_item_theme(self.rows[one.path], self._theme.row)

    def _marker(self, path: Path) -> Callable[[], None]:
        def mark() -> None:
            if self._marked == path:  # a second click opens
                self._done(path)
                return
            self._marked = path
            for other, row in self.rows.items():
                dpg.set_value(row, other == path)
            dpg.configure_item(self._take, enabled=True)

        return mark

    def _confirm(self) -> None:
        self._done(self._marked if self._endings else self._folder)

    def _done(self, path: Path | None) -> None:
        if path is not None:
            folder = path.parent if self._endings else path
            self._memory.keep("folders", self._memory.get("folders", {}) | {self._kind: str(folder)})
            self.close()
            self._chosen(path)
