"""The window's bars: lamps at the top, what is done most at the bottom, and the tabs of the side panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.keys import Keys
from puppeteer.gui.pages.panel import shortened
from puppeteer.gui.safe import dpg
from puppeteer.gui.session import Studio
from puppeteer.gui.theme import FAINT, LAMPS, Theme
from puppeteer.live import Status
from puppeteer.settings import Settings


def wide(theme: Theme, text: str) -> float:
    """Pixels; guessed before the first frame, when Dear PyGui has no font yet."""
    size = dpg.get_text_size(text)
    return float(size[0]) if size else theme.px(9) * len(text)


class TopBar:
    """The name, a lamp for each part, and the profile."""

    def __init__(self, theme: Theme, studio: Studio) -> None:
        self._theme, self._studio = theme, studio

    def build(self, parent: Any) -> None:
        px = self._theme.px
        self.area = dpg.add_child_window(parent=parent, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self.area, self._theme.bar)
        name = dpg.add_text(texts.TITLE, parent=self.area, pos=(px(16), px(11)))
        dpg.bind_item_font(name, self._theme.fonts["large"])
        self._lamps = {}
        with dpg.group(horizontal=True, horizontal_spacing=0, parent=self.area, pos=(px(156), px(12))):
            for part, label in texts.LAMPS.items():
                lamp = dpg.add_text("●")
                button = dpg.add_button(label=label, callback=self._studio.notices.unhide)
                dpg.add_spacer(width=px(10))
                dpg.bind_item_theme(button, self._theme.label)
                with dpg.tooltip(button):
                    words = dpg.add_text("", wrap=px(340))
                self._lamps[part] = (lamp, words)
        self.profile = dpg.add_button(label="", parent=self.area, callback=lambda: self._studio.lead_to("profiles"))
        dpg.bind_item_theme(self.profile, self._theme.quiet)
        with dpg.tooltip(self.profile, delay=0.4):
            dpg.add_text(texts.PROFILE_TIP)

    def place(self, width: int, height: int) -> None:
        self._width = width
        dpg.configure_item(self.area, pos=(0, 0), width=width, height=height)

    def show(self, status: Status) -> None:
        px = self._theme.px
        calm = {
            "virtual_camera": (self._studio.no_virtual_camera(status), texts.OFFER_LAMP),
            "camera": (self._studio.no_webcam(status), texts.NO_WEBCAM),
        }
        for name, (lamp, words) in self._lamps.items():
            part = getattr(status, name)
            is_calm, said = calm.get(name, (False, ""))
            dpg.configure_item(lamp, color=FAINT if is_calm else LAMPS[part.state])
            dpg.set_value(
                words, said if is_calm else texts.part_sentence(part.state, part.text) or texts.STATES[part.state]
            )
        label = texts.PROFILE.format(name=shortened(self._studio.profiles.current, 14))
        width = wide(self._theme, label) + px(24)
        right = dpg.get_item_width(self.area) or 0
        dpg.configure_item(self.profile, label=label, pos=(round(right - width - px(8)), px(11)))


class Actions:
    """What is done most, as buttons, each with its key."""

    def __init__(self, theme: Theme, studio: Studio, keys: Keys) -> None:
        self._theme, self._studio, self._keys = theme, studio, keys
        self.buttons: dict[str, Any] = {}
        self._tips: dict[str, Any] = {}

    def build(self, parent: Any) -> None:
        studio = self._studio
        self.area = dpg.add_child_window(parent=parent, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self.area, self._theme.bar)
        acts: dict[str, tuple[str, Callable[[], object]]] = {
            "recentre": (texts.RECENTRE, studio.recentre),
            "calibrate": (texts.CALIBRATE, studio.calibrate),
            "mirror": (texts.MIRROR, lambda: studio.flip("motion.mirror")),
            "preview": (texts.PREVIEW, lambda: studio.flip("studio.show_preview")),
            "manual": (texts.MANUAL, studio.flip_manual),
            "mute": (texts.MUTE, studio.mute),
            "record": (texts.RECORD, studio.record),
            "virtual_camera": (texts.VIRTUAL_CAMERA, studio.use_virtual_camera),
        }
        for name, (label, act) in acts.items():
            self.buttons[name] = dpg.add_button(label=label, parent=self.area, callback=_caller(act))
            with dpg.tooltip(self.buttons[name], delay=0.4):
                self._tips[name] = dpg.add_text("")

    def place(self, top: int, width: int, height: int) -> None:
        px = self._theme.px
        dpg.configure_item(self.area, pos=(0, top), width=width, height=height)
        gap, row = px(8), px(36)
        labels = {name: wide(self._theme, dpg.get_item_label(item)) for name, item in self.buttons.items()}
        labels["record"] = max(labels["record"], wide(self._theme, texts.STOP_RECORDING))
        room = width - px(32) - gap * (len(labels) - 1) - sum(labels.values())
        padding = min(px(24), room / len(labels))
        widths = {name: length + padding for name, length in labels.items()}
        spare = room - padding * len(labels)
        left = float(px(16))
        for name, item in self.buttons.items():
            if name == "record":
                left += spare
            dpg.configure_item(item, pos=(round(left), px(9)), width=round(widths[name]), height=row)
            left += widths[name] + gap

    def show(self, settings: Settings, status: Status) -> None:
        studio = self._studio
        on = {
            "mirror": settings.motion.mirror,
            "preview": settings.studio.show_preview,
            "manual": studio.manual is not None,
            "mute": studio.engine.mouth_muted,
            "virtual_camera": settings.output.virtual_camera and not studio.no_virtual_camera(status),
            "calibrate": studio.guide is not None,
        }
        recording = studio.recordings.path is not None
        bound = self._keys.bound
        for name, item in self.buttons.items():
            if name == "record":
                look = self._theme.recording if recording else self._theme.plain
                dpg.configure_item(item, label=texts.STOP_RECORDING if recording else texts.RECORD)
            else:
                look = self._theme.on if on.get(name) else self._theme.plain
            dpg.bind_item_theme(item, look)
            key = bound[name]
            dpg.set_value(self._tips[name], texts.KEY_TEXTS[name] + (f"  ({key})" if key else ""))


class Tabs:
    """One for each page."""

    def __init__(self, theme: Theme, turn_to: Callable[[str], object]) -> None:
        self._theme, self._turn_to = theme, turn_to

    def build(self, parent: Any) -> None:
        self.area = dpg.add_child_window(parent=parent, no_scrollbar=True)
        dpg.bind_item_theme(self.area, self._theme.bar)
        self.buttons = {
            page: dpg.add_button(label=label, parent=self.area, callback=self._turner(page))
            for page, label in texts.PAGES.items()
        }

    def place(self, width: int, height: int) -> None:
        px = self._theme.px
        dpg.configure_item(self.area, width=width, height=height)
        gap, edge = px(4), px(12)
        labels = [wide(self._theme, dpg.get_item_label(button)) for button in self.buttons.values()]
        padding = (width - 2 * edge - (len(labels) - 1) * gap - sum(labels)) / len(labels)
        left = float(edge)
        for button, label in zip(self.buttons.values(), labels, strict=True):
            dpg.configure_item(button, pos=(round(left), px(10)), width=round(label + padding), height=px(32))
            left += label + padding + gap

    def show(self, page: str) -> None:
        for name, button in self.buttons.items():
            dpg.bind_item_theme(button, self._theme.tab_on if name == page else self._theme.tab)

    def _turner(self, page: str) -> Callable[[], None]:
        return lambda: (self._turn_to(page), None)[1]


def _caller(act: Callable[[], object]) -> Callable[[], None]:
    return lambda: (act(), None)[1]
