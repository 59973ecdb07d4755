"""The side panel: pages of cards."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from puppeteer.errors import PuppeteerError
from puppeteer.gui import texts
from puppeteer.gui.guide import HOLD_S, STEPS, Guide
from puppeteer.gui.shelf import PICTURES, THUMBNAIL, VIDEOS, Entry
from puppeteer.gui.theme import ACCENT, BAD, CLEAR, FAINT, FIELD, FIELD_HOVER, GOOD, MUTED, TEXT, WARN, Theme
from puppeteer.live import Meter, Part, Status
from puppeteer.outputs.compose import parse_background
from puppeteer.pose import BY_NAME, TRACKED
from puppeteer.settings import Settings

if TYPE_CHECKING:
    from puppeteer.gui.window import Window

COLUMNS = 3
COLOURS = {"ok": MUTED, "off": MUTED, "starting": WARN, "problem": BAD}
GREEN = "#00FF00"


class Panel:
    """What the pages share: building blocks."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.theme: Theme = window.theme
        self.inputs: list[Any] = []  # text fields, which have the keyboard while they are active

    def px(self, length: float) -> int:
        return self.theme.px(length)

    @contextlib.contextmanager
    def card(self, title: str, parent: Any = 0) -> Iterator[Any]:
        with dpg.child_window(
            auto_resize_y=True, width=-1, parent=parent, no_scrollbar=True, always_use_window_padding=True
        ) as card:
            dpg.bind_item_theme(card, self.theme.card)
            if title:
                dpg.bind_item_font(dpg.add_text(title), self.theme.fonts["bold"])
            yield card

    def note(self, text: str = "", colour: Any = MUTED) -> Any:
        item = dpg.add_text(text, color=colour, wrap=0)
        dpg.bind_item_font(item, self.theme.fonts["small"])
        return item

    def button(self, label: str, callback: Callable[[], object], look: Any = None, width: int = 0) -> Any:
        item = dpg.add_button(label=label, callback=lambda: callback(), width=width)
        dpg.bind_item_theme(item, look or self.theme.plain)
        return item

    def text_field(self, done: Callable[[str], object], width: int = -1, hint: str = "") -> Any:
        item = dpg.add_input_text(width=width, hint=hint, on_enter=True, callback=lambda _, text: done(text))
        self.inputs.append(item)
        return item

    def choice(self, labels: dict[str, str], chosen: Callable[[str], object]) -> Choice:
        return Choice(self, labels, chosen)

    def fold(self, build: Callable[[], object]) -> None:
        """A part that is shown on demand."""
        toggle = self.button(texts.MORE, lambda: switch(), self.theme.quiet)
        with dpg.group(show=False) as group:
            build()

        def switch() -> None:
            shown = not dpg.is_item_shown(group)
            dpg.configure_item(group, show=shown)
            dpg.configure_item(toggle, label=texts.LESS if shown else texts.MORE)


class Choice:
    """A row of buttons of which one is on."""

    def __init__(self, panel: Panel, labels: dict[str, str], chosen: Callable[[str], object]) -> None:
        self._theme = panel.theme
        self._value: str | None = None
        self.buttons: dict[str, Any] = {}
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchSame, no_pad_outerX=True):
            for _ in labels:
                dpg.add_table_column()
            with dpg.table_row():
                for value, label in labels.items():
                    self.buttons[value] = panel.button(label, self._chooser(value, chosen), width=-1)

    def _chooser(self, value: str, chosen: Callable[[str], object]) -> Callable[[], object]:
        return lambda: chosen(value)

    def show(self, value: str) -> None:
        if value == self._value:
            return
        self._value = value
        for name, button in self.buttons.items():
            dpg.bind_item_theme(button, self._theme.on if name == value else self._theme.plain)


class CharacterPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._window = panel, panel.window
        self._thumbnails: dict[Path, Any] = {}
        self._entries: list[Entry] | None = None
        self._buttons: dict[Path, Any] = {}
        self._current: Path | None = None
        with panel.card(texts.CHARACTERS):
            self._shelf = dpg.add_group()
            self._state = panel.note()
            load = panel.button(texts.LOAD_PICTURE, self._load, panel.theme.primary, width=-1)
            with dpg.tooltip(load, delay=0.4):
                dpg.add_text(texts.LOAD_PICTURE_TIP, wrap=panel.px(300))
            self._draw = panel.button(texts.DRAW_NEW, self._window.draw_character, width=-1)
            with dpg.tooltip(self._draw, delay=0.4):
                dpg.add_text(texts.DRAW_NEW_TIP, wrap=panel.px(300))
        with panel.card(texts.BACKGROUND):
            self._kind = panel.choice({name: texts.BACKGROUNDS[name] for name in ("key", "colour")}, self._background)
            self._kind_more = panel.choice(
                {name: texts.BACKGROUNDS[name] for name in ("picture", "transparent")}, self._background
            )
            self._note = panel.note()
            with dpg.group(horizontal=True) as self._colour_row:
                self._swatch = dpg.add_color_button(
                    (0, 255, 0, 255), width=panel.px(40), height=panel.px(28), no_alpha=True
                )
                self._hex = panel.text_field(self._coloured)
            with dpg.popup(self._swatch, mousebutton=dpg.mvMouseButton_Left, no_move=True) as self._picker_window:
                self._picker = dpg.add_color_picker(
                    (0, 255, 0, 255), no_alpha=True, no_inputs=True, no_side_preview=True, no_small_preview=True,
                    width=panel.px(200), callback=lambda _, value: self._picked(value),
                )  # fmt: skip
            with dpg.group(horizontal=True) as self._picture_row:
                panel.button(texts.CHOOSE, self._choose_background)
                self._picture_name = panel.note()
        with panel.card(texts.PLACEMENT):
            panel.note(texts.PLACEMENT_NOTE)
            self._window.controls.table(["output.zoom", "output.offset_x", "output.offset_y"])
            panel.button(texts.CENTRE, self._window.centre)
        with panel.card(texts.NETWORKS):
            self._window.controls.table([*self._window.controls.names("poser"), "output.detail"])
            self._networks = panel.note()
            self._retry = panel.button(texts.RETRY, lambda: self._window.retry("networks"))

    def show(self, settings: Settings, status: Status) -> None:
        self._show_shelf(settings)
        show_part(self._state, status.character)
        drawing = self._window.drawing
        dpg.configure_item(self._draw, label=texts.DRAWING_NEW if drawing else texts.DRAW_NEW, enabled=not drawing)
        show_part(self._networks, status.networks)
        dpg.configure_item(self._retry, show=status.networks.state == "problem")
        if status.character.state == "ok":  # the shelf shows it
            dpg.configure_item(self._state, show=False)
        background = settings.output.background
        if background.lower() == "transparent":
            kind = "transparent"
        elif background == settings.output.key_colour:
            kind = "key"
        else:
            kind = "colour" if colour_of(background) is not None else "picture"
        self._kind.show(kind)
        self._kind_more.show(kind)
        dpg.set_value(self._note, texts.BACKGROUND_NOTES[kind])
        dpg.configure_item(self._colour_row, show=kind in ("colour", "key"))
        dpg.configure_item(self._picture_row, show=kind == "picture")
        colour = colour_of(background)
        if kind in ("colour", "key") and colour is not None:
            if not dpg.is_item_active(self._hex):
                dpg.set_value(self._hex, background)
            dpg.set_value(self._swatch, (*colour, 255))
            if not dpg.is_item_shown(self._picker_window):
                dpg.set_value(self._picker, (*colour, 255))
        if kind == "picture":
            dpg.set_value(self._picture_name, Path(background).name if colour is None else texts.NOTHING)

    def _show_shelf(self, settings: Settings) -> None:
        entries = self._window.entries
        if entries != self._entries:
            self._entries = entries
            self._build_shelf(entries)
        for path, pixels in self._window.thumbnails.ready():
            with dpg.texture_registry():
                self._thumbnails[path] = dpg.add_static_texture(THUMBNAIL, THUMBNAIL, pixels.ravel())
            if path in self._buttons:
                dpg.configure_item(self._buttons[path], texture_tag=self._thumbnails[path])
        current = Path(settings.studio.character) if settings.studio.character else entries[0].path if entries else None
        if current != self._current:
            self._current = current
            for path, button in self._buttons.items():
                look = self._panel.theme.thumbnail_on if path == current else self._panel.theme.thumbnail
                dpg.bind_item_theme(button, look)

    def _build_shelf(self, entries: list[Entry]) -> None:
        panel = self._panel
        dpg.delete_item(self._shelf, children_only=True)
        self._buttons.clear()
        self._current = None
        side = panel.px(96)
        for start in range(0, len(entries), COLUMNS):
            with dpg.group(horizontal=True, horizontal_spacing=panel.px(9), parent=self._shelf):
                for entry in entries[start : start + COLUMNS]:
                    with dpg.group():
                        texture = self._thumbnails.get(entry.path)
                        if texture is None:
                            self._window.thumbnails.ask(entry.path)
                        button = dpg.add_image_button(
                            texture or self._window.blank,
                            width=side,
                            height=side,
                            background_color=FIELD,
                            callback=self._taker(entry),
                        )
                        self._buttons[entry.path] = button
                        panel.note(shortened(entry.name, 13))
                        with dpg.tooltip(button, delay=0.4):
                            dpg.add_text(entry.path.name)
                        if entry.own:
                            with dpg.popup(button):
                                dpg.add_menu_item(label=texts.REMOVE_PICTURE, callback=self._remover(entry))

    def _taker(self, entry: Entry) -> Callable[[], None]:
        return lambda: self._window.take_character(entry.path)

    def _remover(self, entry: Entry) -> Callable[[], None]:
        return lambda: self._window.remove_character(entry)

    def _load(self) -> None:
        self._window.chooser.open(texts.CHOOSE_PICTURE, PICTURES, self._window.load_character, None)

    def _background(self, kind: str) -> None:
        settings = self._window.settings
        if kind == "transparent":
            self._window.change(["output.background"], "transparent")
        elif kind == "key":
            self._window.change(["output.background"], settings.output.key_colour)
        elif kind == "colour":
            background = settings.output.background
            if background == settings.output.key_colour or colour_of(background) is None:
                self._window.change(["output.background"], "#2B3040")
        else:
            self._choose_background()

    def _picked(self, value: Any) -> None:
        red, green, blue = (min(255, max(0, round(part * 255))) for part in value[:3])
        self._coloured(f"#{red:02X}{green:02X}{blue:02X}")

    def _coloured(self, text: str) -> None:
        """The field and the picker set what is chosen: the key colour (and with it the background), or the colour."""
        output = self._window.settings.output
        key = output.background == output.key_colour
        self._window.change(["output.key_colour" if key else "output.background"], text)

    def _choose_background(self) -> None:
        self._window.chooser.open(
            texts.CHOOSE_PICTURE, PICTURES, lambda path: self._window.change(["output.background"], str(path)), None
        )


class CameraPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._window = panel, panel.window
        controls = self._window.controls
        with panel.card(texts.SOURCE):
            self._kind = panel.choice(texts.SOURCES, self._chosen)
            with dpg.group() as self._camera:
                self._cameras = dpg.add_combo(
                    [], width=-1, callback=lambda _, name: self._window.change(
                        ["source.camera"], "" if name == texts.FIRST_CAMERA else name
                    ),
                )  # fmt: skip
                self._none = panel.note(texts.NO_CAMERAS, WARN)
                with dpg.group(horizontal=True):
                    panel.button(texts.REFRESH, self._window.look_for_cameras)
                    panel.button(texts.RETRY, lambda: self._window.retry("camera"), panel.theme.quiet)
            with dpg.group() as self._video:
                self._file = panel.note()
                panel.button(texts.CHOOSE, self._choose)
            self._demo = panel.note(texts.DEMO_NOTE)
            self._state = panel.note()
            panel.fold(lambda: controls.table(
                [name for name in controls.names("source") if name.rpartition(".")[2] in ("width", "height", "rate")]
            ))  # fmt: skip
        with panel.card(texts.VIEW):
            controls.table([name for name in controls.names("studio") if ".show_" in name or name.endswith(".scale")])
        self._known: Any = None

    def show(self, settings: Settings, status: Status) -> None:
        source = settings.source
        self._kind.show(source.kind)
        for item, kind in ((self._camera, "camera"), (self._video, "video"), (self._demo, "demo")):
            dpg.configure_item(item, show=source.kind == kind)
        known = (self._window.cameras, source.camera)
        if known != self._known:
            self._known = known
            names = list(self._window.cameras)
            if source.camera and source.camera not in names:
                names.append(source.camera)
            dpg.configure_item(self._cameras, items=[texts.FIRST_CAMERA, *names])
            dpg.set_value(self._cameras, source.camera or texts.FIRST_CAMERA)
        dpg.set_value(self._file, Path(source.video).name if source.video else texts.NO_VIDEO)
        show_part(self._state, status.camera)
        none = self._window.looked and not self._window.cameras and not source.camera
        none = none and source.kind == "camera" and status.camera.state == "problem"
        dpg.configure_item(self._none, show=none)
        if none:  # it says more
            dpg.configure_item(self._state, show=False)

    def _chosen(self, kind: str) -> None:
        if kind == "video" and not self._window.settings.source.video:
            self._choose()
        else:
            self._window.change(["source.kind"], kind)

    def _choose(self) -> None:
        start = Path(self._window.settings.source.video).parent if self._window.settings.source.video else None
        self._window.chooser.open(
            texts.CHOOSE_VIDEO,
            VIDEOS,
            lambda path: self._window.change_all({"source.video": str(path), "source.kind": "video"}),
            start,
        )


class MotionPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._window = panel, panel.window
        controls = self._window.controls
        self._home = dpg.add_group()
        dpg.push_container_stack(self._home)
        with panel.card(texts.CALIBRATION):
            self._state = panel.note()
            with dpg.group(horizontal=True):
                panel.button(texts.GUIDED, self._window.calibrate, panel.theme.primary)
                self._forget = panel.button(texts.FORGET, self._window.forget_calibration, panel.theme.quiet)
        with panel.card(texts.BEHAVIOUR):
            controls.table(controls.names("motion"))
        for title in dict.fromkeys(BY_NAME[name].group for name in TRACKED):
            members = [name for name in TRACKED if BY_NAME[name].group == title]
            lasts = [name.rpartition(".")[2] for name in controls.names(f"motion.{members[0]}")]
            with panel.card(title):
                controls.table([[f"motion.{name}.{last}" for name in members] for last in lasts])
                if len(members) > 1:
                    panel.fold(lambda members=members: self._each(members))  # type: ignore[misc]
        dpg.pop_container_stack()
        self.guide = GuidePage(panel)

    def _each(self, members: list[str]) -> None:
        for name in members:
            dpg.bind_item_font(dpg.add_text(BY_NAME[name].label), self._panel.theme.fonts["bold"])
            self._window.controls.table(self._window.controls.names(f"motion.{name}"))

    def show(self, settings: Settings, meters: tuple[Meter, ...], status: Status, time_s: float) -> None:
        guide = self._window.guide
        dpg.configure_item(self._home, show=guide is None)
        self.guide.show(guide, meters, status, time_s)
        calibrated = settings.calibration is not None
        dpg.set_value(self._state, texts.CALIBRATED if calibrated else texts.AUTOMATIC)
        dpg.configure_item(self._forget, show=calibrated)


class GuidePage:
    """The guided calibration, in place of the page Motion."""

    def __init__(self, panel: Panel) -> None:
        self._panel, self._window = panel, panel.window
        px = panel.px
        with dpg.group(show=False) as self._group, panel.card(""):
            self._step = panel.note()
            self._title = dpg.add_text("", wrap=0)
            dpg.bind_item_font(self._title, panel.theme.fonts["large"])
            self._what = dpg.add_text("", wrap=0, color=MUTED)
            self._count = dpg.add_drawlist(px(300), px(150))
            middle = (px(150), px(74))
            self._ring = dpg.draw_circle(middle, px(58), color=FIELD_HOVER, thickness=px(7), parent=self._count)
            self._arc = dpg.draw_polyline([middle, middle], color=ACCENT, thickness=px(7), parent=self._count)
            self._digit = dpg.draw_text((0, 0), "", size=px(74), color=TEXT, parent=self._count)
            self._word = panel.note()
            self._bars = dpg.add_drawlist(px(300), px(8))
            for colour in (FIELD_HOVER, ACCENT):  # the track, then the bar
                self._bar = dpg.draw_rectangle(
                    (0, 0), (px(300), px(8)), color=CLEAR, fill=colour, rounding=px(4), parent=self._bars
                )
            self._face = panel.note()
            with dpg.group(horizontal=True):
                self._go = panel.button(texts.CALIBRATION_START, self._start, panel.theme.primary)
                self._stop = panel.button(texts.CANCEL, self._window.end_calibration)

    def _start(self) -> None:
        self._window.start_calibration()

    def show(self, guide: Guide | None, meters: tuple[Meter, ...], status: Status, time_s: float) -> None:
        dpg.configure_item(self._group, show=guide is not None)
        if guide is None:
            return
        px = self._panel.px
        title, what = texts.STEPS[guide.asks]
        counting = guide.phase in ("ready", "settle", "hold")
        step = texts.STEP_OF.format(step=min(guide.index + 1, len(STEPS)), count=len(STEPS))
        if guide.phase == "intro":
            step, title, what = "", texts.CALIBRATION, texts.CALIBRATION_INTRO
        elif guide.phase == "done":
            step, title, what = "", texts.CALIBRATION_DONE, texts.CALIBRATION_DONE_NOTE
        elif guide.phase == "failed":
            what = texts.sentence(guide.problem)
        else:
            what = what.format(hold=HOLD_S)
        dpg.set_value(self._step, step)
        dpg.configure_item(self._step, show=bool(step))
        dpg.set_value(self._title, title)
        dpg.set_value(self._what, what)
        dpg.configure_item(self._what, color=BAD if guide.phase == "failed" else MUTED)
        for item in (self._count, self._word, self._bars):
            dpg.configure_item(item, show=counting)
        if counting:
            remaining = guide.remaining_s(time_s)
            digit = f"{max(1, -int(-remaining // 1)):d}" if guide.phase != "settle" else "..."
            dpg.configure_item(self._digit, text=digit, pos=(px(150) - len(digit) * px(18), px(34)))
            share = guide.share(time_s) if guide.phase == "hold" else 1 - guide.share(time_s)
            colour = GOOD if guide.phase == "hold" else ACCENT
            dpg.configure_item(self._arc, points=arc((px(150), px(74)), px(58), share), color=colour)
            words = texts.HOLD_IT if guide.phase != "ready" else texts.GET_READY
            dpg.set_value(self._word, words.format(seconds=max(1, -int(-remaining // 1))))
            # the number that this step is about, live
            index = {"neutral": 5, "eyes_closed": 0, "mouth_open": 2}[guide.asks]
            meter = meters[index]
            value = 0.0 if meter.calibrated is None else abs(meter.calibrated)
            if guide.asks == "eyes_closed" and meters[1].calibrated is not None:
                value = (value + meters[1].calibrated) / 2
            dpg.configure_item(self._bar, pmax=(max(1.0, px(300) * min(1.0, value)), px(8)), fill=colour)
        possible = self._window.settings.source.kind != "demo"
        seen = texts.CALIBRATION_FACE if status.face_found else texts.CALIBRATION_NO_FACE
        dpg.set_value(self._face, seen if possible else texts.CALIBRATION_NEEDS_FACE)
        dpg.configure_item(self._face, color=GOOD if status.face_found else WARN)
        told = guide.phase == "done" or (guide.phase == "failed" and not status.face_found)
        dpg.configure_item(self._face, show=not told)
        label = texts.CALIBRATION_AGAIN if guide.phase == "failed" else texts.CALIBRATION_START
        dpg.configure_item(self._go, label=label, show=possible and guide.phase in ("intro", "failed"))
        dpg.configure_item(self._stop, label=texts.CLOSE if guide.phase == "done" else texts.CANCEL)


class OutputPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._window = panel, panel.window
        controls = self._window.controls
        with panel.card(texts.VIRTUAL_CAMERA_CARD):
            controls.table(["output.virtual_camera", "output.device"])
            self._state = panel.note()
            self._retry = panel.button(texts.RETRY, lambda: self._window.retry("virtual_camera"))
        with panel.card(texts.OUTPUT):
            with controls.columns(), dpg.table_row():
                dpg.add_text(texts.SIZE, color=MUTED)
                self._size = dpg.add_combo(
                    list(texts.SIZES.values()), width=-1, callback=lambda _, text: self._sized(text)
                )
            controls.table(["output.rate", "output.key_colour"])
            panel.fold(lambda: controls.table(["output.width", "output.height"]))
        with panel.card(texts.RECORDING):
            panel.note(texts.RECORD_NOTE)
            with dpg.group(horizontal=True):
                self._record = panel.button(texts.RECORD, self._window.record, panel.theme.primary)
                panel.button(texts.FOLDER + "...", self._folder, panel.theme.quiet)
            self._recording = panel.note()
            self._where = panel.note()
        with panel.card(texts.PROFILES):
            panel.note(texts.PROFILE_NOTE)
            self._profiles = dpg.add_combo([], width=-1, callback=lambda _, name: self._window.choose_profile(name))
            dpg.add_text(texts.SAVE_AS, color=MUTED)
            with dpg.group(horizontal=True):
                self._name = panel.text_field(lambda _: self._save(), width=-panel.px(84), hint=texts.PROFILE_NAME)
                panel.button(texts.SAVE, self._save, width=panel.px(76))
            self._delete = panel.button("", self._window.delete_profile, panel.theme.quiet)
        self._known: Any = None
        self._looked_s = -1.0

    def show(self, settings: Settings, status: Status, time_s: float) -> None:
        show_part(self._state, status.virtual_camera)
        dpg.configure_item(self._retry, show=status.virtual_camera.state == "problem")
        size = (settings.output.width, settings.output.height)
        dpg.set_value(self._size, texts.SIZES.get(size, texts.OTHER_SIZE.format(*size)))
        recording = self._window.recording
        dpg.configure_item(self._record, label=texts.STOP_RECORDING if recording else texts.RECORD)
        dpg.bind_item_theme(self._record, self._panel.theme.recording if recording else self._panel.theme.primary)
        show_part(self._recording, status.recording, quiet_off=True)
        dpg.set_value(self._where, self._window.recordings_words())
        current = self._window.profiles.current
        if time_s - self._looked_s > 2 or self._known is None or self._known[1] != current:
            self._looked_s = time_s
            known = (self._window.profiles.names(), current)
            if known != self._known:
                self._known = known
                dpg.configure_item(self._profiles, items=known[0])
                dpg.set_value(self._profiles, current)
                dpg.configure_item(self._delete, label=texts.DELETE_PROFILE.format(name=shortened(current, 24)))

    def _sized(self, text: str) -> None:
        for (width, height), label in texts.SIZES.items():
            if label == text:
                self._window.change_all({"output.width": width, "output.height": height})

    def _folder(self) -> None:
        self._window.chooser.open(
            texts.CHOOSE_FOLDER, (), lambda path: self._window.change(["studio.recordings"], str(path)),
            self._window.recordings_folder(),
        )  # fmt: skip

    def _save(self) -> None:
        if self._window.save_profile_as(dpg.get_value(self._name)):
            dpg.set_value(self._name, "")


class HelpPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._window = panel, panel.window
        with panel.card(texts.KEYS):
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
                dpg.add_table_column(width_fixed=True, init_width_or_weight=panel.px(44))
                dpg.add_table_column(width_stretch=True)
                for name, (key, _) in self._window.keys.items():
                    with dpg.table_row():
                        dpg.bind_item_font(dpg.add_text(key, color=ACCENT), panel.theme.fonts["bold"])
                        dpg.add_text(texts.KEY_TEXTS[name], wrap=0, color=TEXT)
            panel.note(texts.KEY_NOTE)
        with panel.card(texts.OBS):
            for title, text in texts.OBS_STEPS:
                dpg.add_text(title, wrap=0)
                dpg.add_text(text, wrap=0, color=MUTED)
                dpg.add_spacer(height=panel.px(4))
            self._commands = [
                line.split(": ", 1)[1] for _, text in texts.OBS_STEPS for line in text.splitlines() if ": sudo " in line
            ]
            if self._commands:
                panel.button(texts.COPY, lambda: dpg.set_clipboard_text("\n".join(self._commands)))
        with panel.card(texts.SPEED):
            self._facts = panel.note()
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True):
                for weight in (2.0, 1.0, 1.0):
                    dpg.add_table_column(init_width_or_weight=weight)
                with dpg.table_row():
                    for text in texts.SPEED_HEAD:
                        dpg.add_text(text, color=FAINT)
                self._stages = {}
                for stage, label in texts.STAGES.items():
                    with dpg.table_row():
                        dpg.add_text(label, color=MUTED)
                        self._stages[stage] = (dpg.add_text("–"), dpg.add_text("–"))
            self._window.controls.table(["studio.show_speed"])
        with panel.card(texts.LOG):
            with dpg.group(horizontal=True):
                panel.note(texts.LOG_NOTE)
                panel.button(texts.COPY, self._copy)
            with dpg.child_window(width=-1, height=panel.px(240), always_use_window_padding=True) as area:
                self._log = panel.note()
            dpg.bind_item_theme(area, panel.theme.stage_card)
        self._count = -1

    def show(self, status: Status) -> None:
        facts = "   ".join(f"{getattr(status, name):.0f}/s {text}" for name, text in texts.SPEED_FACTS.items())
        dpg.set_value(self._facts, facts)
        for stage, (median, late) in self._stages.items():
            for item, values in ((median, status.latency_ms), (late, status.latency_p95_ms)):
                dpg.set_value(item, f"{values[stage]:.0f} ms" if stage in values else texts.NOTHING)
        log = self._window.engine.log
        if log.count != self._count:
            self._count = log.count
            dpg.set_value(self._log, "\n".join(reversed(log.lines())))

    def _copy(self) -> None:
        dpg.set_clipboard_text(self._window.report())


def show_part(item: Any, part: Part, quiet_off: bool = False) -> None:
    text = "" if quiet_off and part.state == "off" else sentence(part)
    dpg.set_value(item, text)
    dpg.configure_item(item, color=COLOURS[part.state], show=bool(text))


def sentence(part: Part) -> str:
    """What a part says; where all is well that is often a name, which keeps its own first letter."""
    return part.text if part.state == "ok" else texts.sentence(part.text)


@functools.lru_cache(maxsize=8)
def colour_of(background: str) -> tuple[int, int, int] | None:
    """Where a background is a colour."""
    if Path(background).suffix:
        return None
    try:
        return parse_background(background).colour
    except PuppeteerError:
        return None


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "..."


def arc(centre: tuple[float, float], radius: float, share: float) -> list[tuple[float, float]]:
    """Points of a circle from its top, clockwise."""
    count = max(2, round(64 * share) + 1)
    angles = [2 * math.pi * share * index / (count - 1) - math.pi / 2 for index in range(count)]
    return [(centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)) for angle in angles]
