"""Of the page Output: the ways out of the window, which is for what, and each one's card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.obs_steps import ObsSteps
from puppeteer.gui.pages.panel import Now, Panel, show_part
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import LAMPS
from puppeteer.outputs.compose import even_size

LAID_OUT = 3  # frames after which the things of a page that was hidden have their places
COPIED_S = 2.5  # for so long a button says that it has copied


class WaysCard:
    """One line for each way: a lamp, its name, which leads to its card, and what it is for."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._lamps: dict[str, Any] = {}
        self.links: dict[str, Any] = {}
        self.cards: dict[str, Any] = {}  # by way, and what else of the page is led to; given by it
        self._frames = 0  # since a card is to be scrolled to
        with panel.card(texts.WAYS), dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
            dpg.add_table_column(width_fixed=True, init_width_or_weight=panel.px(14))
            dpg.add_table_column(width_fixed=True, init_width_or_weight=panel.px(118))
            dpg.add_table_column(width_stretch=True)
            for way, (name, purpose) in texts.WAY_TEXTS.items():
                with dpg.table_row():
                    self._lamps[way] = dpg.add_text("●")
                    self.links[way] = panel.button(name, self._leader(way), panel.theme.label)
                    panel.note(purpose)

    def show(self, now: Now, calm: Callable[[str], bool]) -> None:
        """`calm`: what is not installed, and nobody misses."""
        for way, lamp in self._lamps.items():
            state = "off" if calm(way) else getattr(now.status, way).state
            dpg.configure_item(lamp, color=LAMPS[state])
        if self._panel.studio.card is None:
            self._frames = 0
        elif self._frames < LAID_OUT:
            self._frames += 1
        else:
            card, self._panel.studio.card = self.cards[self._panel.studio.card], None
            area, title = dpg.get_item_parent(card), dpg.get_item_children(card, 1)[0]
            top = dpg.get_item_rect_min(title)[1] - dpg.get_item_pos(area)[1] - self._panel.px(26)
            dpg.set_y_scroll(area, max(0, min(top + dpg.get_y_scroll(area), dpg.get_y_scroll_max(area))))

    def _leader(self, way: str) -> Callable[[], object]:
        def lead() -> None:
            self._panel.studio.card = way

        return lead


class BrowserCard:
    """The address, one click to copy it, and what to do with it in OBS."""

    def __init__(self, panel: Panel) -> None:
        self._studio = panel.studio
        self._copied_s: float | None = None
        self._shown: Any = None
        with panel.card(texts.WAY_TEXTS["browser_source"][0]) as self.card:
            panel.note(texts.BROWSER_NOTE)
            panel.controls.table(["output.browser_source"])
            with dpg.group() as self._group:
                with dpg.group(horizontal=True):
                    self.copy = panel.button(texts.COPY_ADDRESS, self._copy, panel.theme.primary)
                    self._address = dpg.add_text("")
                self._steps = ObsSteps(panel.theme)
                panel.note(texts.BROWSER_HINT)
            self._state = panel.note()
            self._retry = panel.button(texts.RETRY, lambda: self._studio.retry("browser_source"))
            panel.fold(lambda: panel.controls.table(["output.browser_port"]))

    def show(self, now: Now) -> None:
        part, address = now.status.browser_source, self._studio.engine.page
        dpg.configure_item(self._group, show=bool(address))
        show_part(self._state, part, quiet_off=True)
        dpg.configure_item(self._retry, show=part.state == "problem")
        shown = (address, even_size(now.settings.output))
        if shown != self._shown:
            self._shown = shown
            dpg.set_value(self._address, address)
            self._steps.show(*shown)
        if self._copied_s is not None and now.time_s - self._copied_s > COPIED_S:
            self._copied_s = None
            dpg.configure_item(self.copy, label=texts.COPY_ADDRESS)

    def _copy(self) -> None:
        dpg.set_clipboard_text(self._studio.engine.page)
        dpg.configure_item(self.copy, label=texts.COPIED)
        self._copied_s = self._studio.clock()


class TextureCard:
    def __init__(self, panel: Panel) -> None:
        with panel.card(texts.WAY_TEXTS["shared_texture"][0]) as self.card:
            panel.note(texts.TEXTURE_NOTE)
            if texts.TEXTURES:
                panel.controls.table(["output.shared_texture"])
            self._state = panel.note()
            self._retry = panel.button(texts.RETRY, lambda: panel.studio.retry("shared_texture"))

    def show(self, now: Now) -> None:
        part = now.status.shared_texture
        show_part(self._state, part, quiet_off=True)
        dpg.configure_item(self._retry, show=part.state == "problem")
