"""The character as it is sent, large, and the camera's preview in a corner; placement by mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from puppeteer.gui import texts
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import BAD, BASE, CLEAR, FAINT, GOOD, LINE, MUTED, TEXT, WARN, Theme
from puppeteer.live import Part, Picture, Preview, Status
from puppeteer.pose import F32, U8

PREVIEW_SIZE = (184, 138)  # px at scale 1
TEXT_SIZE = 20  # of the window's font, at scale 1
STEP = 32  # textures have widths in these steps, so that few window sizes need a new one
LARGEST = 1280  # px, the longer side of the character's texture
RESIZE_S = 0.3  # a window that is being resized keeps its texture until it has settled
FLOATS = (np.arange(256) / 255).astype(np.float32)  # Dear PyGui's textures are float32
ZOOM_STEP = 1.1


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the stage."""

    left: float
    top: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return (self.left, self.top), (self.left + self.width, self.top + self.height)

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x < self.left + self.width and self.top <= y < self.top + self.height


def fitted(size: tuple[int, int], area: Box) -> Box:
    """The largest box of the shape of `size` in the middle of `area`."""
    scale = min(area.width / size[0], area.height / size[1])
    width, height = size[0] * scale, size[1] * scale
    return Box(area.left + (area.width - width) / 2, area.top + (area.height - height) / 2, width, height)


class Texture:
    """A picture in Dear PyGui; for the render thread alone."""

    def __init__(self) -> None:
        self.item: Any = None
        self.size = (0, 0)
        self._pixels: F32 | None = None

    def resize(self, width: int, height: int) -> bool:
        """True where it was made anew, which has another `item`."""
        if self.size == (width, height):
            return False
        self.delete()
        self.size = (width, height)
        self._pixels = np.zeros((height, width, 4), np.float32)
        with dpg.texture_registry():
            self.item = dpg.add_raw_texture(width, height, self._pixels, format=dpg.mvFormat_Float_rgba)
        return True

    def write(self, pixels: U8) -> None:
        """(H, W, 3) or (H, W, 4), any size; scaled to the texture's."""
        assert self._pixels is not None
        if (pixels.shape[1], pixels.shape[0]) != self.size:
            shrinks = pixels.shape[1] > self.size[0]
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            pixels = np.asarray(cv2.resize(pixels, self.size, interpolation=method), np.uint8)
        if pixels.shape[2] == 3:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA), np.uint8)
        cv2.LUT(pixels, FLOATS, dst=self._pixels)

    def delete(self) -> None:
        if self.item is not None:
            dpg.delete_item(self.item)
            self.item = None
            self.size = (0, 0)


class Stage:
    """`moved` gets (right, down) in heights of the output, `zoomed` a factor, `centred` nothing."""

    def __init__(
        self,
        theme: Theme,
        moved: Callable[[float, float], object],
        zoomed: Callable[[float], object],
        centred: Callable[[], object],
    ) -> None:
        self._theme = theme
        self._moved, self._zoomed, self._centred = moved, zoomed, centred
        self._picture, self._preview = Texture(), Texture()
        self._area = Box(0, 0, 1, 1)
        self._origin = (0.0, 0.0)
        self._output = (16, 9)
        self._box = self._card_box = self._area
        self._card_fits = True
        self._sequence = self._preview_sequence = -1
        self._wanted = (0, 0)
        self._wanted_since_s = 0.0
        self._dragged: tuple[float, float] | None = None
        self._shown = (True, True)

    def build(self, parent: Any) -> None:
        px = self._theme.px
        self.area = dpg.add_child_window(parent=parent, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self.area, self._theme.stage)
        self._list = dpg.add_drawlist(100, 100, parent=self.area, pos=(0, 0))
        self._checker = _checkerboard(self._theme)
        self._ground = dpg.draw_image(self._checker, (0, 0), (1, 1), show=False, parent=self._list)
        self._layer = dpg.add_draw_layer(parent=self._list)
        self._image: Any = None
        self._frame = dpg.draw_rectangle((0, 0), (1, 1), color=LINE, fill=CLEAR, parent=self._list)
        self._waiting = dpg.draw_text((0, 0), "", size=px(27), color=MUTED, parent=self._list)
        self._waiting_more = dpg.draw_text((0, 0), "", size=px(20), color=FAINT, parent=self._list)
        # what moves the character, in a corner
        self._pill = self._rectangle(CLEAR, (16, 18, 23, 205), 13, self._list)
        self._pill_text = dpg.draw_text((0, 0), "", size=px(18), color=TEXT, parent=self._list)
        # preview
        self._card = dpg.add_draw_layer(parent=self._list)
        self._card_back = self._rectangle(LINE, BASE, 8, self._card)
        self._card_layer = dpg.add_draw_node(parent=self._card)
        self._card_image: Any = None
        self._card_empty = dpg.draw_text((0, 0), texts.NO_PREVIEW, size=px(18), color=FAINT, parent=self._card)
        self._lamp = dpg.draw_circle((0, 0), px(5), color=CLEAR, fill=FAINT, parent=self._card)
        self._lamp_text = dpg.draw_text((0, 0), "", size=px(18), color=MUTED, parent=self._card)

    def _rectangle(self, color: Any, fill: Any, rounding: float, parent: Any) -> Any:
        return dpg.draw_rectangle(
            (0, 0), (1, 1), color=color, fill=fill, rounding=self._theme.px(rounding), parent=parent
        )

    def place(self, x: int, y: int, width: int, height: int) -> None:
        px = self._theme.px
        dpg.configure_item(self.area, pos=(x, y), width=width, height=height)
        dpg.configure_item(self._list, width=width, height=height)
        margin = px(14)
        self._origin = (x, y)
        self._area = Box(margin, margin, max(1, width - 2 * margin), max(1, height - 2 * margin))
        self._place_picture()
        card_width, image_height = px(PREVIEW_SIZE[0]), px(PREVIEW_SIZE[1])
        foot = px(28)
        left, top = 2 * margin, height - 2 * margin - image_height - foot
        self._card_box = Box(left, top, card_width, image_height)
        self._card_fits = top > 0 and width > 2 * card_width
        dpg.configure_item(
            self._card_back,
            pmin=(left - px(4), top - px(4)),
            pmax=(left + card_width + px(4), top + image_height + foot),
        )
        dpg.configure_item(self._card_empty, pos=(left + px(12), top + px(8)))
        dpg.configure_item(self._lamp, center=(left + px(10), top + image_height + px(14)))
        dpg.configure_item(self._lamp_text, pos=(left + px(22), top + image_height + px(4)))
        self._place_preview()

    def delete(self) -> None:
        for texture in (self._picture, self._preview):
            texture.delete()
        dpg.delete_item(self._checker)

    def show(
        self,
        picture: Picture | None,
        preview: Preview | None,
        status: Status,
        *,
        show_character: bool,
        show_preview: bool,
        mirror: bool,
        words: str,
        time_s: float,
    ) -> None:
        """Once a frame; pictures that were painted before cost nothing."""
        self._show_picture(picture if show_character else None, time_s)
        show_preview = show_preview and self._card_fits
        self._show_words(picture, status, show_character, words, time_s, show_preview)
        dpg.configure_item(self._card, show=show_preview)
        if show_preview:
            self._show_preview(preview, status.face, mirror)

    def point(self) -> tuple[float, float]:
        """The mouse, in pixels of the stage."""
        x, y = dpg.get_mouse_pos(local=False)
        return x - self._origin[0], y - self._origin[1]

    def mouse(self, over: bool, wheel: float) -> None:
        """`over`: nothing else has the mouse. Drag moves, wheel zooms, a double click centres."""
        x, y = self.point()
        inside = over and self._area.holds(x, y)
        if self._dragged is not None:  # the way to where it is let go counts too
            right, down = x - self._dragged[0], y - self._dragged[1]
            if right or down:
                self._dragged = (x, y)
                self._moved(right / self._box.height, down / self._box.height)
        if not dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            self._dragged = None
        elif self._dragged is None and inside and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self._dragged = (x, y)
        if inside and dpg.is_mouse_button_double_clicked(dpg.mvMouseButton_Left):
            self._dragged = None
            self._centred()
        if inside and wheel:
            self._zoomed(ZOOM_STEP**wheel)

    def _show_picture(self, picture: Picture | None, time_s: float) -> None:
        shown = picture is not None
        dpg.configure_item(self._layer, show=shown)
        dpg.configure_item(self._frame, show=shown)
        dpg.configure_item(self._ground, show=picture is not None and picture.background.transparent)
        if picture is None:
            return
        size = picture.placed.size
        if size != self._output:
            self._output = size
            self._place_picture()
        if self._settled_size(size, time_s) or picture.sequence != self._sequence:
            self._picture.write(picture.small(self._picture.size[0]))
            self._sequence = picture.sequence

    def _settled_size(self, size: tuple[int, int], time_s: float) -> bool:
        """Makes the texture as fine as it is seen, not finer than the picture; True where it is new."""
        scale = min(1.0, self._box.width / size[0], LARGEST / max(size))
        width = min(size[0], max(STEP, STEP * round(size[0] * scale / STEP)))
        wanted = (width, max(1, round(size[1] * width / size[0])))
        if wanted != self._wanted:
            self._wanted, self._wanted_since_s = wanted, time_s
        if self._picture.item is not None and time_s - self._wanted_since_s < RESIZE_S:
            return False
        if not self._picture.resize(*self._wanted):
            return False
        dpg.delete_item(self._layer, children_only=True)
        self._image = dpg.draw_image(self._picture.item, *self._box.corners, parent=self._layer)
        return True

    def _place_picture(self) -> None:
        self._box = fitted(self._output, self._area)
        low, high = self._box.corners
        for item in (self._ground, self._frame, self._image):
            if item is not None:
                dpg.configure_item(item, pmin=low, pmax=high)

    def _show_words(
        self,
        picture: Picture | None,
        status: Status,
        show_character: bool,
        words: str,
        time_s: float,
        beside_preview: bool,
    ) -> None:
        waiting = more = dots = ""
        if not show_character:
            waiting = texts.CHARACTER_HIDDEN
        elif picture is None:
            waiting, dots = texts.STARTING, " " + "." * (1 + int(time_s * 2) % 3)
            parts: tuple[Part, ...] = (status.networks, status.character, status.camera, status.face)
            more = next((part.text for part in parts if part.state == "starting" and part.text), "")
        card = self._card_box.left + self._card_box.width if beside_preview else self._area.left
        middle = (card + self._area.left + self._area.width) / 2
        top = self._area.top + self._area.height * 0.42
        for item, text, after, high, y in (
            (self._waiting, waiting, dots, 27, top),
            (self._waiting_more, more, "", 20, top + self._theme.px(36)),
        ):
            width = (dpg.get_text_size(text) or (0, 0))[0] * high / TEXT_SIZE
            dpg.configure_item(item, text=text + after, pos=(max(card, middle - width / 2), y))
        words = words if picture is not None and show_character else ""
        px = self._theme.px
        size = dpg.get_text_size(words) or (0, 0)
        width = size[0] * 18 / TEXT_SIZE
        right, top = self._box.left + self._box.width - px(12), self._box.top + px(12)
        dpg.configure_item(self._pill, show=bool(words), pmin=(right - width - px(24), top), pmax=(right, top + px(26)))
        dpg.configure_item(self._pill_text, text=words, pos=(right - width - px(12), top + px(3)))

    def _show_preview(self, preview: Preview | None, face: Part, mirror: bool) -> None:
        found = preview is not None and preview.face_found
        known = face.state in ("ok", "problem") and preview is not None
        advice = texts.advice(face.state, face.text) if found else ""
        dpg.configure_item(self._lamp, fill=WARN if advice else GOOD if found else BAD if known else FAINT)
        said = texts.FACE_FOUND if found else texts.NO_FACE if known else texts.NOTHING
        dpg.configure_item(self._lamp_text, text=advice or said, color=WARN if advice else MUTED)
        dpg.configure_item(self._card_layer, show=preview is not None)
        dpg.configure_item(self._card_empty, show=preview is None)
        if preview is None:
            return
        height, width = preview.rgb.shape[:2]
        seen = fitted((width, height), self._card_box)
        if self._preview.resize(max(1, round(seen.width)), max(1, round(seen.height))):
            dpg.delete_item(self._card_layer, children_only=True)
            self._card_image = dpg.draw_image(self._preview.item, (0, 0), (1, 1), parent=self._card_layer)
            self._place_preview()
            self._preview_sequence = -1
        if preview.sequence != self._preview_sequence:
            self._preview_sequence = preview.sequence
            self._preview.write(drawn(preview, mirror, self._preview.size))

    def _place_preview(self) -> None:
        if self._card_image is not None and self._preview.item is not None:
            low, high = fitted(self._preview.size, self._card_box).corners
            dpg.configure_item(self._card_image, pmin=low, pmax=high)


def drawn(preview: Preview, mirror: bool, size: tuple[int, int]) -> U8:
    """The preview (width, height) with its landmarks as dots, as a mirror shows it or not."""
    width, height = size
    rgb = np.asarray(cv2.resize(preview.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    if preview.landmarks is not None:
        x = np.clip((preview.landmarks[:, 0] * width).astype(int), 0, width - 1)
        y = np.clip((preview.landmarks[:, 1] * height).astype(int), 0, height - 1)
        rgb[y, x] = (rgb[y, x] // 4 + np.array(GOOD[:3]) * 0.75).astype(np.uint8)
    return np.ascontiguousarray(rgb[:, ::-1]) if mirror else rgb


def _checkerboard(theme: Theme) -> Any:
    """What is behind a transparent picture, (256, 256)."""
    rows, columns = np.mgrid[:256, :256] // 16
    shade = np.where((rows + columns) % 2, 0.20, 0.16).astype(np.float32)
    pixels = np.dstack([shade, shade, shade * 1.1, np.ones_like(shade)])
    with dpg.texture_registry():
        return dpg.add_static_texture(256, 256, pixels.ravel())
