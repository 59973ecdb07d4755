"""The page Character: the shelf, the background, the placement and the networks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from puppeteer.errors import PuppeteerError
from puppeteer.gui import texts
from puppeteer.gui.pages.panel import Now, Panel, Question, shortened, show_part
from puppeteer.gui.safe import dpg
from puppeteer.gui.shelf import PICTURES, THUMBNAIL, Entry
from puppeteer.gui.theme import FIELD
from puppeteer.gui.wardrobe import LOADED
from puppeteer.outputs.compose import parse_background
from puppeteer.settings import Settings

COLUMNS = 3
LONGEST = 24  # letters of a file's name on a button


class CharacterPage:
    def __init__(self, panel: Panel) -> None:
        studio = panel.studio
        self.shelf = ShelfCard(panel)
        self.background = BackgroundCard(panel)
        with panel.card(texts.PLACEMENT):
            panel.note(texts.PLACEMENT_NOTE)
            panel.controls.table(["output.zoom", "output.offset_x", "output.offset_y"])
            panel.button(texts.CENTRE, studio.centre)
        with panel.card(texts.NETWORKS):
            panel.controls.table([*panel.controls.names("poser"), "output.detail"])
            self._networks = panel.note()
            self._retry = panel.button(texts.RETRY, lambda: studio.retry("networks"))

    def show(self, now: Now) -> None:
        self.shelf.show(now)
        self.background.show(now.settings)
        show_part(self._networks, now.status.networks)
        dpg.configure_item(self._retry, show=now.status.networks.state == "problem")


class ShelfCard:
    """Every character as a thumbnail, and what can be done with the one in use."""

    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        self._wardrobe = panel.studio.wardrobe
        self._thumbnails: dict[Path, Any] = {}
        self._entries: list[Entry] | None = None
        self.buttons: dict[Path, Any] = {}
        self._current: Path | None = None
        with panel.card(texts.CHARACTERS):
            self._shelf = dpg.add_group()
            with dpg.group(horizontal=True, show=False) as self._own:
                self.rename = panel.button(texts.RENAME, self._ask_name)
                self.remove = panel.button(texts.REMOVE, self._ask_removal)
            self.question = Question(panel)
            self._state = panel.note()
            self._take = panel.button(texts.LOAD_PICTURE, self._load, panel.theme.primary, width=-1)
            with dpg.tooltip(self._take, delay=0.4):
                dpg.add_text(texts.LOAD_PICTURE_TIP, wrap=panel.px(300))
            self._draw = panel.button(texts.DRAW_NEW, self._wardrobe.draw, width=-1)
            with dpg.tooltip(self._draw, delay=0.4):
                dpg.add_text(texts.DRAW_NEW_TIP, wrap=panel.px(300))

    def show(self, now: Now) -> None:
        entries = self._wardrobe.entries
        if entries != self._entries:
            self._entries = entries
            self._build(entries)
        for path, pixels in self._wardrobe.thumbnails.ready():
            with dpg.texture_registry():
                self._thumbnails[path] = dpg.add_static_texture(THUMBNAIL, THUMBNAIL, pixels.ravel())
            if path in self.buttons:
                dpg.configure_item(self.buttons[path], texture_tag=self._thumbnails[path])
        entry = self._wardrobe.current()
        current = None if entry is None else entry.path
        if current != self._current:
            self._current = current
            self.question.close()
            for path, button in self.buttons.items():
                look = self._panel.theme.thumbnail_on if path == current else self._panel.theme.thumbnail
                dpg.bind_item_theme(button, look)
        self.question.step()
        own = entry is not None and entry.own
        dpg.configure_item(self._own, show=own and not self.question.is_open)
        show_part(self._state, now.status.character)
        if now.status.character.state == "ok":  # the shelf shows it
            dpg.configure_item(self._state, show=False)
        model = self._wardrobe.model
        label = texts.READING_MODEL.format(name=shortened(model.name, LONGEST)) if model else texts.LOAD_PICTURE
        dpg.configure_item(self._take, label=label, enabled=model is None)
        drawing = self._wardrobe.drawing
        dpg.configure_item(self._draw, label=texts.DRAWING_NEW if drawing else texts.DRAW_NEW, enabled=not drawing)

    def _build(self, entries: list[Entry]) -> None:
        panel = self._panel
        dpg.delete_item(self._shelf, children_only=True)
        self.buttons.clear()
        self._current = None
        side = panel.px(96)
        for start in range(0, len(entries), COLUMNS):
            with dpg.group(horizontal=True, horizontal_spacing=panel.px(9), parent=self._shelf):
                for entry in entries[start : start + COLUMNS]:
                    with dpg.group():
                        texture = self._thumbnails.get(entry.path)
                        if texture is None:
                            self._wardrobe.thumbnails.ask(entry.path)
                        button = dpg.add_image_button(
                            texture or panel.blank,
                            width=side,
                            height=side,
                            background_color=FIELD,
                            callback=self._taker(entry),
                        )
                        dpg.bind_item_theme(button, panel.theme.thumbnail)
                        self.buttons[entry.path] = button
                        panel.note(shortened(entry.name, 13))
                        with dpg.tooltip(button, delay=0.4):
                            dpg.add_text(entry.path.name)

    def _taker(self, entry: Entry) -> Callable[[], None]:
        return lambda: self._wardrobe.take(entry.path)

    def _ask_name(self) -> None:
        entry = self._wardrobe.current()
        if entry is None:
            return

        def rename(name: str) -> bool:
            with self._studio.guarded():
                self._wardrobe.rename(entry, name)
                return True
            return False

        self.question.ask_name(texts.RENAME_CHARACTER.format(name=entry.name), texts.RENAME, entry.name, rename)

    def _ask_removal(self) -> None:
        entry = self._wardrobe.current()
        if entry is not None:
            text = texts.REMOVE_CHARACTER.format(name=entry.name)
            self.question.ask(text, texts.REMOVE, lambda: self._wardrobe.remove(entry))

    def _load(self) -> None:
        self._panel.chooser.open(texts.CHOOSE_CHARACTER, (*PICTURES, *LOADED), self._wardrobe.load, None)


class BackgroundCard:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        with panel.card(texts.BACKGROUND):
            self._kind = panel.choice({name: texts.BACKGROUNDS[name] for name in ("key", "colour")}, self._choose)
            self._kind_more = panel.choice(
                {name: texts.BACKGROUNDS[name] for name in ("picture", "transparent")}, self._choose
            )
            self._note = panel.note()
            with dpg.group(horizontal=True) as self._colour_row:
                self._swatch = dpg.add_color_button(
                    (0, 255, 0, 255), width=panel.px(40), height=panel.px(28), no_alpha=True
                )
                self.hex = panel.text_field(self._coloured)
            with dpg.popup(self._swatch, mousebutton=dpg.mvMouseButton_Left, no_move=True) as self.picker:
                self._colours = dpg.add_color_picker(
                    (0, 255, 0, 255), no_alpha=True, no_inputs=True, no_side_preview=True, no_small_preview=True,
                    width=panel.px(200), callback=lambda _, value: self._picked(value),
                )  # fmt: skip
            with dpg.group(horizontal=True) as self._picture_row:
                panel.button(texts.CHOOSE, self._choose_picture)
                self._picture_name = panel.note()

    def show(self, settings: Settings) -> None:
        background = settings.output.background
        colour = colour_of(background)
        if background.lower() == "transparent":
            kind = "transparent"
        elif background == settings.output.key_colour:
            kind = "key"
        else:
            kind = "colour" if colour is not None else "picture"
        self._kind.show(kind)
        self._kind_more.show(kind)
        dpg.set_value(self._note, texts.BACKGROUND_NOTES[kind])
        dpg.configure_item(self._colour_row, show=kind in ("colour", "key"))
        dpg.configure_item(self._picture_row, show=kind == "picture")
        if kind in ("colour", "key") and colour is not None:
            if not dpg.is_item_active(self.hex):
                dpg.set_value(self.hex, background)
            dpg.set_value(self._swatch, (*colour, 255))
            if not dpg.is_item_shown(self.picker):
                dpg.set_value(self._colours, (*colour, 255))
        if kind == "picture":
            dpg.set_value(self._picture_name, Path(background).name)

    def _choose(self, kind: str) -> None:
        output = self._studio.settings.output
        if kind == "transparent":
            self._studio.change(["output.background"], "transparent")
        elif kind == "key":
            self._studio.change(["output.background"], output.key_colour)
        elif kind == "colour":
            if output.background == output.key_colour or colour_of(output.background) is None:
                self._studio.change(["output.background"], "#2B3040")
        else:
            self._choose_picture()

    def _picked(self, value: Any) -> None:
        red, green, blue = (min(255, max(0, round(part * 255))) for part in value[:3])
        self._coloured(f"#{red:02X}{green:02X}{blue:02X}")

    def _coloured(self, text: str) -> None:
        """The field and the picker set what is chosen: the key colour (and with it the background), or the colour."""
        output = self._studio.settings.output
        key = output.background == output.key_colour
        self._studio.change(["output.key_colour" if key else "output.background"], text)

    def _choose_picture(self) -> None:
        self._panel.chooser.open(
            texts.CHOOSE_PICTURE, PICTURES, lambda path: self._studio.change(["output.background"], str(path)), None
        )


@functools.lru_cache(maxsize=8)
def colour_of(background: str) -> tuple[int, int, int] | None:
    """Where a background is a colour."""
    if Path(background).suffix:
        return None
    try:
        return parse_background(background).colour
    except PuppeteerError:
        return None
