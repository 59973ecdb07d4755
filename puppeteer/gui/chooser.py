"""A dialog that chooses a file or a folder, in the look of the window."""

from __future__ import annotations

import string
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

from puppeteer.gui import texts
from puppeteer.gui.theme import ACCENT, MUTED, Theme

MOST = 1000  # entries of a folder that are shown


def places() -> list[tuple[str, Path]]:
    """Where people keep their files."""
    home = Path.home()
    found = [(texts.HOME, home)] + [(name, home / name) for name in texts.PLACES if (home / name).is_dir()]
    if sys.platform == "win32":
        drives = (Path(f"{letter}:\\") for letter in string.ascii_uppercase)
        found += [(str(drive), drive) for drive in drives if drive.exists()]
    return found


def listing(folder: Path, endings: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Folders and files of a folder, hidden ones left out. Raises OSError."""
    entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    entries.sort(key=lambda path: path.name.casefold())
    folders = [path for path in entries if path.is_dir()]
    files = [path for path in entries if path.suffix.lower() in endings and path not in folders]
    return folders[:MOST], files[:MOST]


class Chooser:
    """One dialog at a time; `open` shows it, `chosen` gets the path."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._window: Any = None
        self._folder = Path.home()
        self._endings: Sequence[str] = ()  # none: a folder is chosen
        self._chosen: Callable[[Path], object] = lambda path: None
        self._marked: Path | None = None

    @property
    def is_open(self) -> bool:
        return self._window is not None

    def open(self, title: str, endings: Sequence[str], chosen: Callable[[Path], object], start: Path | None) -> None:
        self.close()
        self._endings, self._chosen, self._marked = endings, chosen, None
        if start is not None and start.is_dir():
            self._folder = start
        elif not self._folder.is_dir():
            self._folder = Path.home()
        px = self._theme.px
        width = min(px(720), dpg.get_viewport_client_width() - px(40))
        height = min(px(520), dpg.get_viewport_client_height() - px(40))
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
            pos=((dpg.get_viewport_client_width() - width) // 2, (dpg.get_viewport_client_height() - height) // 2),
        ) as self._window:
            with dpg.group(horizontal=True):
                dpg.add_button(label=texts.UP, callback=lambda: self._go(self._folder.parent))
                self._path = dpg.add_input_text(width=-1, on_enter=True, callback=lambda _, text: self._typed(text))
            with dpg.group(horizontal=True):
                with dpg.child_window(width=px(150), height=-px(46), always_use_window_padding=True):
                    for name, folder in places():
                        dpg.add_selectable(label=name, callback=self._goer(folder))
                self._list = dpg.add_child_window(width=-1, height=-px(46), always_use_window_padding=True)
            with dpg.group(horizontal=True):
                dpg.add_spacer(width=width - px(160 + 100 + 3 * 8 + 28))
                self._take = dpg.add_button(
                    label=texts.OPEN if endings else texts.TAKE_FOLDER,
                    width=px(160),
                    callback=lambda: self._done(self._marked if self._endings else self._folder),
                )
                dpg.bind_item_theme(self._take, self._theme.primary)
                dpg.add_button(label=texts.CANCEL, width=px(100), callback=self.close)
        self._go(self._folder)

    def close(self) -> None:
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None

    def keys(self) -> None:
        """Once a frame, after rendering."""
        if self.is_open and dpg.is_key_pressed(dpg.mvKey_Escape):
            self.close()

    def _goer(self, folder: Path) -> Callable[[], None]:
        return lambda: self._go(folder)

    def _typed(self, text: str) -> None:
        path = Path(text.strip().strip('"')).expanduser()
        if path.is_file() and self._endings:
            self._done(path)
        else:
            self._go(path)

    def _go(self, folder: Path) -> None:
        self._marked = None
        dpg.delete_item(self._list, children_only=True)
        try:
            folders, files = listing(folder, self._endings)
        except OSError:
            dpg.add_text(texts.UNREADABLE_FOLDER, parent=self._list, color=MUTED)
            return
        self._folder = folder.absolute()
        dpg.set_value(self._path, str(self._folder))
        dpg.configure_item(self._take, enabled=not self._endings)
        if not folders and not files:
            dpg.add_text(texts.EMPTY_FOLDER, parent=self._list, color=MUTED)
        for path in folders:
            item = dpg.add_selectable(label=f"{path.name}/", parent=self._list, callback=self._goer(path))
            with dpg.theme() as folder_theme, dpg.theme_component(dpg.mvSelectable):
                dpg.add_theme_color(dpg.mvThemeCol_Text, ACCENT)
            dpg.bind_item_theme(item, folder_theme)
        for path in files:
            dpg.add_selectable(label=path.name, parent=self._list, callback=self._marker(path))

    def _marker(self, path: Path) -> Callable[[Any], None]:
        def mark(item: Any) -> None:
            if self._marked == path:  # a second click opens
                self._done(path)
                return
            self._marked = path
            for other in dpg.get_item_children(self._list, 1):
                if other != item and dpg.get_item_type(other) == "mvAppItemType::mvSelectable":
                    dpg.set_value(other, False)
            dpg.configure_item(self._take, enabled=True)

        return mark

    def _done(self, path: Path | None) -> None:
        if path is not None:
            self.close()
            self._chosen(path)
