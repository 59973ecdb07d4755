"""Colours, fonts and themes: a quiet dark window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from puppeteer.gui.safe import dpg

Colour = tuple[int, int, int, int]

BACK: Colour = (16, 18, 23, 255)  # behind the character
BASE: Colour = (22, 25, 31, 255)
PANEL: Colour = (27, 30, 38, 255)
CARD: Colour = (34, 38, 47, 255)
FIELD: Colour = (46, 51, 62, 255)
FIELD_HOVER: Colour = (57, 63, 77, 255)
FIELD_ACTIVE: Colour = (66, 73, 90, 255)
LINE: Colour = (49, 54, 66, 255)
TEXT: Colour = (231, 234, 240, 255)
MUTED: Colour = (153, 161, 177, 255)
FAINT: Colour = (104, 112, 128, 255)
ACCENT: Colour = (132, 160, 255, 255)
ACCENT_STRONG: Colour = (88, 116, 220, 255)
ACCENT_HOVER: Colour = (104, 132, 238, 255)
ACCENT_DIM: Colour = (52, 62, 98, 255)
GOOD: Colour = (100, 210, 148, 255)
WARN: Colour = (242, 184, 98, 255)
BAD: Colour = (242, 116, 112, 255)
BAD_DIM: Colour = (112, 46, 50, 255)
CLEAR: Colour = (0, 0, 0, 0)
LAMPS = {"off": FAINT, "starting": WARN, "ok": GOOD, "problem": BAD}

FONTS = Path(__file__).parent / "fonts"
REGULAR = FONTS / "NotoSansCJKjp-Regular-subset.otf"
BOLD = FONTS / "NotoSansCJKjp-Bold-subset.otf"
SIZES = {"small": 17.0, "text": 20.0, "bold": 20.0, "large": 27.0, "huge": 74.0}  # line heights at scale 1


class Theme:
    """Everything that depends on the scale: `px` for lengths, `fonts` by name, and looks.

    It stays when another scale takes over: Dear PyGui crashes where a font is deleted that it has drawn with.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        with dpg.font_registry():
            self.fonts: dict[str, int | str] = {
                name: dpg.add_font(str(REGULAR if name in ("small", "text") else BOLD), round(size * scale))
                for name, size in SIZES.items()
            }
        dpg.bind_font(self.fonts["text"])
        dpg.bind_theme(self._make_global())
        self.primary = self._button(ACCENT_STRONG, ACCENT_HOVER, ACCENT_STRONG, TEXT)
        self.plain = self._button(FIELD, FIELD_HOVER, FIELD_ACTIVE, TEXT)
        self.quiet = self._button(CLEAR, FIELD, FIELD_HOVER, MUTED)
        self.on = self._button(ACCENT_DIM, FIELD_HOVER, FIELD_ACTIVE, ACCENT)
        self.recording = self._button(BAD_DIM, BAD_DIM, BAD_DIM, TEXT)
        self.label = self._button(CLEAR, FIELD, FIELD_HOVER, MUTED, 6)
        self.tab = self._button(CLEAR, FIELD, FIELD, MUTED, 2)
        self.tab_on = self._button(CARD, CARD, CARD, TEXT, 2)
        self.card = self._area(CARD, 14, 12, 8)
        self.panel = self._area(PANEL, 14, 12, 0)
        self.bar = self._area(PANEL, 14, 8, 0)
        self.bare = self._area(CLEAR, 0, 0, 0)
        self.stage = self._area(BACK, 0, 0, 0)
        self.stage_card = self._area(BASE, 12, 8, 6)
        self.notice = self._area((52, 41, 40, 255), 14, 10, 8)
        self.news = self._area((36, 43, 62, 255), 14, 10, 8)
        self.quiet_icon = self._frame(CLEAR, 5)
        self.thumbnail = self._frame(FIELD, 3)
        self.thumbnail_on = self._frame(ACCENT, 3)
        self.link = self._selectable(ACCENT, 0.0)
        self.row = self._selectable(TEXT, 0.5)
        self.root = self._root()

    def px(self, length: float) -> int:
        return round(length * self.scale)

    def _make_global(self) -> Any:
        with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
            for target, colour in (
                (dpg.mvThemeCol_WindowBg, BASE),
                (dpg.mvThemeCol_ChildBg, PANEL),
                (dpg.mvThemeCol_PopupBg, CARD),
                (dpg.mvThemeCol_Border, LINE),
                (dpg.mvThemeCol_Text, TEXT),
                (dpg.mvThemeCol_TextDisabled, FAINT),
                (dpg.mvThemeCol_FrameBg, FIELD),
                (dpg.mvThemeCol_FrameBgHovered, FIELD_HOVER),
                (dpg.mvThemeCol_FrameBgActive, FIELD_ACTIVE),
                (dpg.mvThemeCol_Button, FIELD),
                (dpg.mvThemeCol_ButtonHovered, FIELD_HOVER),
                (dpg.mvThemeCol_ButtonActive, FIELD_ACTIVE),
                (dpg.mvThemeCol_CheckMark, ACCENT),
                (dpg.mvThemeCol_SliderGrab, ACCENT_STRONG),
                (dpg.mvThemeCol_SliderGrabActive, ACCENT),
                (dpg.mvThemeCol_Header, ACCENT_DIM),
                (dpg.mvThemeCol_HeaderHovered, FIELD_HOVER),
                (dpg.mvThemeCol_HeaderActive, FIELD_ACTIVE),
                (dpg.mvThemeCol_Separator, LINE),
                (dpg.mvThemeCol_ScrollbarBg, CLEAR),
                (dpg.mvThemeCol_ScrollbarGrab, FIELD_HOVER),
                (dpg.mvThemeCol_ScrollbarGrabHovered, FIELD_ACTIVE),
                (dpg.mvThemeCol_ScrollbarGrabActive, FAINT),
                (dpg.mvThemeCol_TitleBg, CARD),
                (dpg.mvThemeCol_TitleBgActive, CARD),
                (dpg.mvThemeCol_ModalWindowDimBg, (8, 9, 12, 150)),
                (dpg.mvThemeCol_TextSelectedBg, ACCENT_STRONG),
                (dpg.mvThemeCol_NavHighlight, ACCENT_STRONG),
                (dpg.mvThemeCol_TableRowBg, CLEAR),
                (dpg.mvThemeCol_TableRowBgAlt, CLEAR),
                (dpg.mvThemeCol_TableBorderLight, LINE),
                (dpg.mvThemeCol_TableBorderStrong, LINE),
            ):
                dpg.add_theme_color(target, colour)
            for target, lengths in (
                (dpg.mvStyleVar_WindowPadding, (14, 12)),
                (dpg.mvStyleVar_FramePadding, (10, 4)),
                (dpg.mvStyleVar_ItemSpacing, (8, 8)),
                (dpg.mvStyleVar_ItemInnerSpacing, (8, 6)),
                (dpg.mvStyleVar_CellPadding, (4, 3)),
                (dpg.mvStyleVar_FrameRounding, (6,)),
                (dpg.mvStyleVar_ChildRounding, (8,)),
                (dpg.mvStyleVar_PopupRounding, (8,)),
                (dpg.mvStyleVar_WindowRounding, (10,)),
                (dpg.mvStyleVar_GrabRounding, (5,)),
                (dpg.mvStyleVar_GrabMinSize, (14,)),
                (dpg.mvStyleVar_ScrollbarSize, (10,)),
                (dpg.mvStyleVar_ScrollbarRounding, (5,)),
                (dpg.mvStyleVar_WindowTitleAlign, (0.0, 0.5)),
            ):
                dpg.add_theme_style(target, *(length * self.scale for length in lengths))
            dpg.add_theme_style(dpg.mvStyleVar_ChildBorderSize, 0)
            dpg.add_theme_style(dpg.mvStyleVar_WindowBorderSize, 0)
            dpg.add_theme_style(dpg.mvStyleVar_PopupBorderSize, 1)
            dpg.add_theme_style(dpg.mvStyleVar_FrameBorderSize, 0)
        return theme

    def _button(self, normal: Colour, hover: Colour, active: Colour, text: Colour, across: float = 10) -> Any:
        with dpg.theme() as theme:
            with dpg.theme_component(dpg.mvButton):
                dpg.add_theme_style(dpg.mvStyleVar_FramePadding, across * self.scale, 4 * self.scale)
                dpg.add_theme_color(dpg.mvThemeCol_Button, normal)
                dpg.add_theme_color(dpg.mvThemeCol_ButtonHovered, hover)
                dpg.add_theme_color(dpg.mvThemeCol_ButtonActive, active)
                dpg.add_theme_color(dpg.mvThemeCol_Text, text)
            with dpg.theme_component(dpg.mvButton, enabled_state=False):
                dpg.add_theme_color(dpg.mvThemeCol_Button, CARD)
                dpg.add_theme_color(dpg.mvThemeCol_ButtonHovered, CARD)
                dpg.add_theme_color(dpg.mvThemeCol_ButtonActive, CARD)
                dpg.add_theme_color(dpg.mvThemeCol_Text, FAINT)
        return theme

    def _area(self, back: Colour, across: float, down: float, rounding: float) -> Any:
        with dpg.theme() as theme, dpg.theme_component(dpg.mvChildWindow):
            dpg.add_theme_color(dpg.mvThemeCol_ChildBg, back)
            dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, across * self.scale, down * self.scale)
            dpg.add_theme_style(dpg.mvStyleVar_ChildRounding, rounding * self.scale)
        return theme

    def _frame(self, colour: Colour, padding: float) -> Any:
        with dpg.theme() as theme, dpg.theme_component(dpg.mvImageButton):
            dpg.add_theme_color(dpg.mvThemeCol_Button, colour)
            dpg.add_theme_color(dpg.mvThemeCol_ButtonHovered, ACCENT_HOVER)
            dpg.add_theme_color(dpg.mvThemeCol_ButtonActive, ACCENT)
            dpg.add_theme_style(dpg.mvStyleVar_FramePadding, padding * self.scale, padding * self.scale)
        return theme

    def _selectable(self, colour: Colour, down: float) -> Any:
        with dpg.theme() as theme, dpg.theme_component(dpg.mvSelectable):
            dpg.add_theme_color(dpg.mvThemeCol_Text, colour)
            dpg.add_theme_style(dpg.mvStyleVar_SelectableTextAlign, 0.0, down)
        return theme

    def _root(self) -> Any:
        with dpg.theme() as theme, dpg.theme_component(dpg.mvWindowAppItem):
            dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)
            dpg.add_theme_style(dpg.mvStyleVar_WindowRounding, 0)
        return theme
