"""The steps that add the browser source in OBS, drawn as OBS looks."""

from __future__ import annotations

from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import ACCENT, ACCENT_DIM, ACCENT_STRONG, BASE, CLEAR, FAINT, FIELD, LINE, MUTED, TEXT, Theme

SIZE = (318, 196)  # px at scale 1
TOP = 104  # of the dialogue below the two lists
ROW, LETTERS = 19, 16


class ObsSteps:
    """Made in the current container."""

    def __init__(self, theme: Theme) -> None:
        self._px = theme.px
        self._list = dpg.add_drawlist(theme.px(SIZE[0]), theme.px(SIZE[1]))
        half = SIZE[0] / 2 - 6
        self._panel(0, 0, half, TOP - 10, 1, texts.OBS_SOURCES)
        for row, text in enumerate(texts.OBS_LIST):
            self._text(14, 26 + ROW * row, text, FAINT)
        self._box(1, TOP - 32, half - 2, 21, FIELD, CLEAR)
        self._box(5, TOP - 33, 24, 22, ACCENT_STRONG, ACCENT)
        self._text(12, TOP - 31, "+", TEXT)
        left = SIZE[0] - half
        self._panel(left, 0, half, TOP - 10, 2, "+")
        for row, text in enumerate(texts.OBS_MENU):
            chosen = text == texts.OBS_BROWSER
            if chosen:
                self._box(left + 4, 24 + ROW * row, half - 8, ROW + 1, ACCENT_DIM, ACCENT)
            self._text(left + 14, 25 + ROW * row, text, TEXT if chosen else FAINT)
        self._panel(0, TOP, SIZE[0], SIZE[1] - TOP, 3, texts.OBS_BROWSER)
        self._text(14, TOP + 28, texts.OBS_URL, MUTED)
        self._box(86, TOP + 26, SIZE[0] - 96, ROW + 2, FIELD, ACCENT)
        self._address = self._text(92, TOP + 28, "", TEXT)
        self._numbers = []
        for column, label in enumerate((texts.OBS_WIDTH, texts.OBS_HEIGHT)):
            x = 14 + 128 * column
            self._text(x, TOP + 58, label, MUTED)
            self._box(x + 60, TOP + 56, 52, ROW + 2, FIELD, ACCENT)
            self._numbers.append(self._text(x + 66, TOP + 58, "", TEXT))
        self._box(SIZE[0] - 48, TOP + 56, 38, ROW + 2, ACCENT_STRONG, CLEAR)
        self._text(SIZE[0] - 38, TOP + 58, texts.OBS_OK, TEXT)

    def show(self, address: str, size: tuple[int, int]) -> None:
        dpg.configure_item(self._address, text=address)
        for item, number in zip(self._numbers, size, strict=True):
            dpg.configure_item(item, text=str(number))

    def _panel(self, x: float, y: float, width: float, height: float, step: int, title: str) -> None:
        self._box(x, y, width, height, BASE, LINE)
        px = self._px
        dpg.draw_circle((px(x + 12), px(y + 12)), px(8), color=CLEAR, fill=ACCENT, parent=self._list)
        self._text(x + 9, y + 4, str(step), BASE)
        self._text(x + 26, y + 4, title, MUTED)

    def _box(self, x: float, y: float, width: float, height: float, fill: Any, colour: Any) -> None:
        px = self._px
        low, high = (px(x), px(y)), (px(x + width), px(y + height))
        dpg.draw_rectangle(low, high, color=colour, fill=fill, rounding=px(4), parent=self._list)

    def _text(self, x: float, y: float, text: str, colour: Any) -> Any:
        return dpg.draw_text((self._px(x), self._px(y)), text, size=self._px(LETTERS), color=colour, parent=self._list)
