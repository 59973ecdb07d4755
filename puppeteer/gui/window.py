"""The studio's window: builds it, paints what the engine has, and turns clicks and keys into settings.

Only the thread that calls `run` touches Dear PyGui. Everything slow goes to a thread that hands back a function, which
that thread then calls (`later`).
"""

from __future__ import annotations

import contextlib
import datetime
import math
import platform
import queue
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import dearpygui.dearpygui as dpg
import numpy as np

from puppeteer.errors import PuppeteerError
from puppeteer.gui import display, texts
from puppeteer.gui.chooser import Chooser
from puppeteer.gui.controls import Controls
from puppeteer.gui.doctor import Case, Doctor, is_prepared
from puppeteer.gui.guide import Guide
from puppeteer.gui.meters import HEIGHT as METERS_HEIGHT
from puppeteer.gui.meters import Meters
from puppeteer.gui.pages import CameraPage, CharacterPage, HelpPage, MotionPage, OutputPage, Panel, sentence, shortened
from puppeteer.gui.profiles import Profiles
from puppeteer.gui.shelf import THUMBNAIL, Entry, Shelf, Thumbnails
from puppeteer.gui.stage import Stage
from puppeteer.gui.theme import LAMPS, Theme
from puppeteer.live import CalibrationRun, Live, Retried, Status
from puppeteer.motion import Step
from puppeteer.pose import Pose
from puppeteer.settings import STUDIO, Settings, set_by_name

FIRST_SIZE = (1240, 760)  # px at scale 1
LEAST_ROOM = (1090, 660)  # px at scale 1: in a smaller window everything is drawn smaller
SMALLEST_SIZE = (800, 500)  # px of the screen
TOP, ACTIONS, SIDE = 52, 58, 392  # px at scale 1
WIDE = (1500, 452)  # a window this wide has this much for the side panel
SMALLEST_SCALE = 0.75
RESCALE_AFTER_S = 0.4
CALM_RATE, BUSY_RATE = 30, 60  # paintings a second; the higher one while the mouse moves
LONGEST_REST_S = 0.15
STATUS_EVERY_S = 0.2
MOST_NOTICES, TALL = 5, 900  # messages at once, where there is this height (px at scale 1); the lamps tell the rest
TOLD_S = 20.0  # how long the answer to a click stays
SAVE_AFTER_S = 0.6  # of quiet
NOTICE_AFTER_S = {"face": 6.0}  # a problem that comes and goes is not worth a message at once
MODIFIERS = (dpg.mvKey_LControl, dpg.mvKey_RControl, dpg.mvKey_LAlt, dpg.mvKey_RAlt)
RETRIED: dict[str, Retried] = {part: part for part in get_args(Retried)}


@dataclass(slots=True)
class Notice:
    """A message above the stage."""

    text: str
    since_s: float
    hidden: bool = False


class Window:
    """The studio. `engine` has been made but not started."""

    def __init__(self, engine: Live, profiles: Profiles, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.profiles = profiles
        self._clock = clock
        self.shelf = Shelf(profiles.folder / "characters")
        self.entries: list[Entry] = self.shelf.entries()
        self.thumbnails = Thumbnails()
        self.cameras: tuple[str, ...] = ()
        self.looked = False
        self.guide: Guide | None = None
        self.recording: Path | None = None
        self.drawing = False  # a new character
        self.frames = 0
        self.page = "character"
        self._run: CalibrationRun | None = None
        self._later: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._notices: dict[str, Notice] = {}
        self._notices_shown: Any = None
        self._status: Status | None = None
        self._status_s = -1.0
        self._saved: Settings = engine.settings
        self._pending: Settings = engine.settings
        self._changed_s: float | None = None
        self._down: set[str] = set()
        self._wheel = 0.0
        self._mouse: tuple[float, float] = (0.0, 0.0)
        self._busy_until_s = 0.0
        self._placed: Any = None
        self._screen_scale = display.scale()
        self._rescale_s: float | None = None
        self._stopped = False
        self._failure = ""
        # name: what is written on the key, and Dear PyGui's number for it
        self.keys: dict[str, tuple[str, int]] = {
            "recentre": ("R", dpg.mvKey_R),
            "mirror": ("M", dpg.mvKey_M),
            "preview": ("P", dpg.mvKey_P),
            "virtual_camera": ("V", dpg.mvKey_V),
            "manual": ("S", dpg.mvKey_S),
            "calibrate": ("K", dpg.mvKey_K),
            "help": ("F1", dpg.mvKey_F1),
        }
        self._acts: dict[str, Callable[[], object]] = {
            "recentre": self.recentre,
            "mirror": lambda: self.flip("motion.mirror"),
            "preview": lambda: self.flip("studio.show_preview"),
            "virtual_camera": lambda: self.flip("output.virtual_camera"),
            "manual": self.flip_manual,
            "calibrate": self.calibrate,
            "help": lambda: self.turn_to("help"),
        }

    @property
    def settings(self) -> Settings:
        return self.engine.settings

    # --- life

    def run(self, before_each: Callable[[], object] = lambda: None) -> None:
        """Until the window is closed. The engine starts when the first picture has been painted, and is closed here.

        `before_each` is called before each frame."""
        dpg.create_context()
        try:
            dpg.configure_app(manual_callback_management=True)
            scale = max(SMALLEST_SCALE, self.settings.studio.scale or self._screen_scale)
            width, height = (round(side * scale) for side in FIRST_SIZE)
            dpg.create_viewport(
                title=texts.TITLE,
                width=width,
                height=height,
                min_width=SMALLEST_SIZE[0],
                min_height=SMALLEST_SIZE[1],
                vsync=False,  # the loop has its own pace; waiting for the screen would hold up other threads
                clear_color=(16, 18, 23, 255),
            )
            dpg.setup_dearpygui()
            self._build(scale)
            dpg.show_viewport()
            for note in self.profiles.notes:
                self.notify("profile", note)
            self.profiles.notes.clear()
            started = False
            while dpg.is_dearpygui_running() and not self._stopped:
                begun_s = self._clock()
                before_each()
                self.paint()
                if not started and self.frames >= 2:  # the first one is empty: sizes are not known yet
                    started = True
                    self.engine.start()
                    self.look_for_cameras()
                self._rest(begun_s)
        finally:
            self._close()

    def _rest(self, begun_s: float) -> None:
        """Between two frames. Where there is no graphics card, painting must leave time for the character."""
        spent_s = self._clock() - begun_s
        busy = begun_s < self._busy_until_s
        rate, share = (BUSY_RATE, 1) if busy else (CALM_RATE, 2)
        time.sleep(max(0.001, 1 / rate - spent_s, min(LONGEST_REST_S, share * spent_s)))

    def stop(self) -> None:
        """Ends `run` after this frame."""
        self._stopped = True

    def _close(self) -> None:
        self.close_studio()
        dpg.destroy_context()

    def close_studio(self) -> None:
        """Keeps what is to be kept and ends the engine; touches nothing of the window."""
        if self.guide is not None:
            self.guide.stop()
        with contextlib.suppress(PuppeteerError):
            if self.settings != self._saved:
                self.profiles.save(self.settings)
        if self.recording is not None:
            with contextlib.suppress(PuppeteerError):
                self.engine.stop_recording()
        self.engine.close()
        self.thumbnails.close()

    # --- building

    def _build(self, scale: float) -> None:
        self.theme = Theme(scale)
        self.controls = Controls(self.theme, self.change)
        self.chooser = Chooser(self.theme)
        self.doctor = Doctor(self.theme, self._in_thread, self._use_picture)
        self.meters = Meters(self.theme, self._posed)
        self.stage = Stage(self.theme, self._moved, self._zoomed, self.centre)
        self._placed = self._notices_shown = None
        self._built = self.frames
        self._notice_texts: dict[str, Any] = {}
        px = self.theme.px
        with dpg.texture_registry():
            self.blank = dpg.add_static_texture(THUMBNAIL, THUMBNAIL, np.zeros(THUMBNAIL**2 * 4, np.float32))
        with dpg.handler_registry() as self._handlers:
            dpg.add_mouse_wheel_handler(callback=lambda _, turned: self._turned(turned))
        with dpg.window(no_title_bar=True, no_scrollbar=True, no_scroll_with_mouse=True) as self.root:
            pass
        dpg.bind_item_theme(self.root, self.theme.root)
        dpg.set_primary_window(self.root, True)
        self._build_top()
        self._strip = dpg.add_child_window(parent=self.root, auto_resize_y=True, no_scrollbar=True, show=False)
        dpg.bind_item_theme(self._strip, self.theme.bare)
        self.stage.build(self.root)
        self.meters.build(self.root)
        self._build_actions()
        self._build_side(px)
        self.turn_to(self.page)

    def _build_top(self) -> None:
        px = self.theme.px
        self._top = dpg.add_child_window(parent=self.root, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self._top, self.theme.bar)
        name = dpg.add_text(texts.TITLE, parent=self._top, pos=(px(16), px(11)))
        dpg.bind_item_font(name, self.theme.fonts["large"])
        self._lamps = {}
        with dpg.group(horizontal=True, horizontal_spacing=0, parent=self._top, pos=(px(156), px(12))):
            for part, label in texts.LAMPS.items():
                lamp = dpg.add_text("●")
                button = dpg.add_button(label=label, callback=self._unhide)
                dpg.add_spacer(width=px(10))
                dpg.bind_item_theme(button, self.theme.label)
                with dpg.tooltip(button):
                    words = dpg.add_text("", wrap=px(340))
                self._lamps[part] = (lamp, words)
        self._profile = dpg.add_button(label="", parent=self._top, callback=lambda: self.turn_to("output"))
        dpg.bind_item_theme(self._profile, self.theme.quiet)
        with dpg.tooltip(self._profile, delay=0.4):
            dpg.add_text(texts.PROFILE_TIP)

    def _build_actions(self) -> None:
        self._actions = dpg.add_child_window(parent=self.root, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self._actions, self.theme.bar)
        self.buttons: dict[str, Any] = {}
        for name, label in (
            ("recentre", texts.RECENTRE),
            ("calibrate", texts.CALIBRATE),
            ("mirror", texts.MIRROR),
            ("preview", texts.PREVIEW),
            ("manual", texts.MANUAL),
            ("record", texts.RECORD),
            ("virtual_camera", texts.VIRTUAL_CAMERA),
        ):
            act = self._acts.get(name, self.record)
            self.buttons[name] = dpg.add_button(label=label, parent=self._actions, callback=self._caller(act))
            if name in self.keys:
                with dpg.tooltip(self.buttons[name], delay=0.4):
                    dpg.add_text(f"{texts.KEY_TEXTS[name]}  ({self.keys[name][0]})")

    def _build_side(self, px: Callable[[float], int]) -> None:
        self._side = dpg.add_child_window(parent=self.root, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self._side, self.theme.bare)
        self._tabs_area = dpg.add_child_window(parent=self._side, height=px(TOP), no_scrollbar=True)
        dpg.bind_item_theme(self._tabs_area, self.theme.bar)
        self._tabs = {
            page: dpg.add_button(label=label, parent=self._tabs_area, callback=self._turner(page))
            for page, label in texts.PAGES.items()
        }
        panel = self.panel = Panel(self)
        self._pages: dict[str, Any] = {}
        makers: dict[str, Callable[[Panel], Any]] = {
            "character": CharacterPage,
            "camera": CameraPage,
            "motion": MotionPage,
            "output": OutputPage,
            "help": HelpPage,
        }
        self._contents: dict[str, Any] = {}
        for page, make in makers.items():
            with dpg.child_window(parent=self._side, show=False, always_use_window_padding=True) as self._pages[page]:
                self._contents[page] = make(panel)
            dpg.bind_item_theme(self._pages[page], self.theme.panel)

    def _rebuild(self, scale: float) -> None:
        manual = self.meters.manual, self.meters.pose()
        case = self.doctor.case
        self.chooser.close()
        self.doctor.close()
        self.stage.delete()
        dpg.delete_item(self._handlers)
        dpg.delete_item(self.root)
        self._build(scale)
        if manual[0]:
            self.meters.set_manual(True)
            self.meters.set_pose(manual[1])
        self.doctor.resume(case)

    def _place(self) -> None:
        """Lays everything out; cheap while nothing has changed."""
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        strip = dpg.get_item_rect_size(self._strip)[1] if dpg.is_item_shown(self._strip) else 0
        settled = self.frames > self._built + 2  # texts have no size, or that of the fonts before, in the first frames
        place = (width, height, strip, settled)
        if place == self._placed or width < 10 or height < 10:
            return
        self._placed = place
        px = self.theme.px
        side = px(WIDE[1] if width >= px(WIDE[0]) else SIDE)
        main = width - side
        dpg.configure_item(self._top, pos=(0, 0), width=main, height=px(TOP))
        dpg.configure_item(self._side, pos=(main, 0), width=side, height=height)
        dpg.configure_item(self._tabs_area, width=side, height=px(TOP))
        tab = (side - 2 * px(12) - 4 * px(4)) / len(self._tabs)
        for index, button in enumerate(self._tabs.values()):
            dpg.configure_item(
                button, pos=(round(px(12) + index * (tab + px(4))), px(10)), width=round(tab), height=px(32)
            )
        for page in self._pages.values():
            dpg.configure_item(page, pos=(0, px(TOP)), width=side, height=height - px(TOP))
        dpg.configure_item(self._strip, pos=(px(14), px(TOP) + px(10)), width=main - px(28))
        top = px(TOP) + (strip + px(10) if strip else 0)
        stage = height - top - px(METERS_HEIGHT) - px(ACTIONS)
        self.stage.place(0, top, main, stage)
        self.meters.place(0, top + stage, main)
        dpg.configure_item(self._actions, pos=(0, height - px(ACTIONS)), width=main, height=px(ACTIONS))
        self._place_actions(main)

    def _wide(self, text: str) -> float:
        """Pixels; guessed before the first frame, when Dear PyGui has no font yet."""
        size = dpg.get_text_size(text)
        return float(size[0]) if size else self.theme.px(9) * len(text)

    def _place_actions(self, main: int) -> None:
        px = self.theme.px
        gap, row = px(8), px(36)
        labels = {name: self._wide(dpg.get_item_label(item)) for name, item in self.buttons.items()}
        labels["record"] = max(labels["record"], self._wide(texts.STOP_RECORDING))
        room = main - px(32) - gap * (len(labels) - 1) - sum(labels.values())
        padding = min(px(24), room / len(labels))
        widths = {name: width + padding for name, width in labels.items()}
        spare = room - padding * len(labels)
        left = float(px(16))
        for name, item in self.buttons.items():
            if name == "record":
                left += spare
            dpg.configure_item(item, pos=(round(left), px(9)), width=round(widths[name]), height=row)
            left += widths[name] + gap

    # --- a frame

    def paint(self) -> None:
        """One frame: what the engine has, then what the user did."""
        now_s = self._clock()
        wanted = self._scale()
        if wanted == self.theme.scale:
            self._rescale_s = None
        elif self._rescale_s is None:
            self._rescale_s = now_s
        elif now_s - self._rescale_s >= RESCALE_AFTER_S:
            self._rebuild(wanted)
        self._run_later()
        with self._guarded():
            self._show(now_s)
        dpg.render_dearpygui_frame()
        self.frames += 1
        self._callbacks()
        self._hands(now_s)

    def _scale(self) -> float:
        """What the setting or the screen asks for, or less where the window is too small for it."""
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        most = min(width / LEAST_ROOM[0], height / LEAST_ROOM[1]) if width and height else display.LARGEST
        scale = min(self.settings.studio.scale or self._screen_scale, most)
        return max(SMALLEST_SCALE, math.floor(scale * 20 + 1e-6) / 20)

    def _show(self, now_s: float) -> None:
        self._place()
        if now_s - self._status_s >= STATUS_EVERY_S or self._status is None:
            self._status, self._status_s = self.engine.status(), now_s
        settings, status = self.settings, self._status
        meters = self.engine.meters()
        if self.guide is not None:
            self.guide.step(now_s)
        self.stage.show(
            self.engine.picture,
            self.engine.preview if settings.studio.show_preview else None,
            status,
            show_character=settings.studio.show_character,
            show_preview=settings.studio.show_preview and settings.source.kind != "demo",
            mirror=settings.motion.mirror,
            words=self._words(settings, status),
            time_s=now_s,
        )
        self.meters.show(meters)
        self.controls.show(settings)
        self._show_page(settings, status, meters, now_s)
        self._show_top(status)
        self._show_actions(settings, status)
        self._show_notices(status, now_s)
        self.doctor.show()
        self._keep(now_s)

    def _words(self, settings: Settings, status: Status) -> str:
        """What moves the character and, on demand, how fast."""
        words = texts.DRIVERS[status.driver]
        if settings.studio.show_speed:
            words += f"   {status.output_fps:.0f}/s"
            if "camera_to_output" in status.latency_ms:
                words += f"   {status.latency_ms['camera_to_output']:.0f} ms"
        return words

    def _show_page(self, settings: Settings, status: Status, meters: Any, now_s: float) -> None:
        content = self._contents[self.page]
        if self.page == "motion":
            content.show(settings, meters, status, now_s)
        elif self.page == "output":
            content.show(settings, status, now_s)
        elif self.page == "help":
            content.show(status)
        else:
            content.show(settings, status)

    def _show_top(self, status: Status) -> None:
        px = self.theme.px
        for name, (lamp, words) in self._lamps.items():
            part = getattr(status, name)
            dpg.configure_item(lamp, color=LAMPS[part.state])
            dpg.set_value(words, sentence(part) or texts.STATES[part.state])
        label = texts.PROFILE.format(name=shortened(self.profiles.current, 14))
        width = self._wide(label) + px(24)
        right = dpg.get_item_width(self._top) or 0
        dpg.configure_item(self._profile, label=label, pos=(round(right - width - px(8)), px(11)))

    def _show_actions(self, settings: Settings, status: Status) -> None:
        on = {
            "mirror": settings.motion.mirror,
            "preview": settings.studio.show_preview,
            "manual": self.meters.manual,
            "virtual_camera": settings.output.virtual_camera,
            "calibrate": self.guide is not None,
        }
        if self.recording is not None and status.recording.state in ("off", "problem"):
            self.recording = None  # it ended by itself
        for name, item in self.buttons.items():
            if name == "record":
                look = self.theme.recording if self.recording else self.theme.plain
                dpg.configure_item(item, label=texts.STOP_RECORDING if self.recording else texts.RECORD)
            else:
                look = self.theme.on if on.get(name) else self.theme.plain
            dpg.bind_item_theme(item, look)

    def _show_notices(self, status: Status, now_s: float) -> None:
        for name, part in status.parts().items():
            if part.state == "problem" and not (name == "face" and status.camera.state != "ok"):
                notice = self._notices.setdefault(name, Notice(part.text, now_s))
                notice.text = part.text
            elif part.state in ("ok", "off"):
                self._notices.pop(name, None)
        told = self._notices.get("told")
        if told is not None and now_s - told.since_s > TOLD_S:
            del self._notices["told"]
        told_first = sorted(self._notices.items(), key=lambda item: item[0] != "told")
        shown = [
            (name, notice.text)
            for name, notice in told_first
            if not notice.hidden and now_s - notice.since_s >= NOTICE_AFTER_S.get(name, 0.0)
        ]
        shown = shown[: MOST_NOTICES if dpg.get_viewport_client_height() >= self.theme.px(TALL) else 2]
        before, self._notices_shown = self._notices_shown or [], shown
        if shown == before and (self._notice_texts or not shown):
            return
        if shown and [(name, has_commands(text)) for name, text in shown] == [
            (name, has_commands(text)) for name, text in before
        ]:
            for name, text in shown:  # nothing flickers where only words change
                dpg.set_value(self._notice_texts[name], texts.sentence(text))
            return
        self._notice_texts = {}
        px = self.theme.px
        dpg.delete_item(self._strip, children_only=True)
        dpg.configure_item(self._strip, show=bool(shown))
        for name, text in shown:
            buttons: list[tuple[str, Callable[[], object]]] = []
            if name in RETRIED:
                buttons.append((texts.RETRY, self._retrier(name)))
            if has_commands(text):
                buttons.append((texts.COPY, self._copier(text)))
            buttons.append((texts.DISMISS, self._hider(name)))
            sizes = [round(self._wide(label)) + px(22) for label, _ in buttons]
            room = sum(sizes) + px(8) * len(sizes)
            with dpg.child_window(
                parent=self._strip, auto_resize_y=True, width=-1, no_scrollbar=True, always_use_window_padding=True
            ) as card:
                dpg.bind_item_theme(card, self.theme.notice)
                with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_pad_outerX=True):
                    dpg.add_table_column(width_stretch=True)
                    dpg.add_table_column(width_fixed=True, init_width_or_weight=room)
                    with dpg.table_row():
                        self._notice_texts[name] = dpg.add_text(texts.sentence(text), wrap=0)
                        with dpg.group(horizontal=True):
                            for (label, act), size in zip(buttons, sizes, strict=True):
                                item = dpg.add_button(label=label, width=size, callback=self._caller(act))
                                dpg.bind_item_theme(
                                    item, self.theme.plain if label != texts.DISMISS else self.theme.quiet
                                )

    def _keep(self, now_s: float) -> None:
        """Saves the profile when nothing has changed for a moment."""
        settings = self.settings
        if settings is self._saved or settings == self._saved:
            self._changed_s = None
            return
        if self._changed_s is None or settings is not self._pending:
            self._changed_s, self._pending = now_s, settings
        elif now_s - self._changed_s >= SAVE_AFTER_S:
            self._saved = settings
            try:
                self.profiles.save(settings)
                self._notices.pop("profile", None)
            except PuppeteerError as error:
                self.notify("profile", str(error))

    # --- what the user does

    def _callbacks(self) -> None:
        for job in dpg.get_callback_queue() or []:
            if job[0] is None:
                continue
            with self._guarded():
                dpg.run_callbacks([job])

    def _run_later(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                work = self._later.get_nowait()
                with self._guarded():
                    work()

    @contextlib.contextmanager
    def _guarded(self) -> Any:
        """What a click does wrong is told, and the window goes on."""
        try:
            yield
        except PuppeteerError as error:
            self.notify("told", str(error))
            self.engine.log.add(str(error))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            first = (str(error).strip().splitlines() or [""])[0]
            text = f"the window failed: {type(error).__name__}: {first} ({Path(last.filename).name}:{last.lineno})"
            if text != self._failure:  # what fails in every frame is told once
                self._failure = text
                self.engine.log.add(text)
                self.notify("told", texts.FAILED.format(failure=text))

    def _hands(self, now_s: float) -> None:
        """Mouse and keys, as they are after the frame."""
        mouse = dpg.get_mouse_pos(local=False)
        if (mouse[0], mouse[1]) != self._mouse or dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            self._mouse = (mouse[0], mouse[1])
            self._busy_until_s = now_s + 0.5
        above = self.chooser.is_open or self.doctor.is_open
        wheel, self._wheel = self._wheel, 0.0
        with self._guarded():
            self.stage.mouse(not above and dpg.is_item_hovered(self.stage.area), wheel)
            self.doctor.mouse(wheel)
        self.chooser.keys()
        self.doctor.keys()
        silent = any(dpg.is_key_down(key) for key in MODIFIERS) or above or self.typing()
        for name, (_, key) in self.keys.items():
            if not dpg.is_key_down(key):
                self._down.discard(name)
            elif name not in self._down:
                self._down.add(name)
                if not silent:
                    with self._guarded():
                        self._acts[name]()

    def typing(self) -> bool:
        """Whether a text field has the keyboard."""
        return (
            any(dpg.is_item_active(item) for item in self.panel.inputs)
            or self.controls.typing()
            or self.meters.typing()
        )

    def _turned(self, wheel: float) -> None:
        self._wheel += wheel

    def change(self, names: Sequence[str], value: Any) -> None:
        """Sets some settings to one value; a value that is refused is told, and everything stays."""
        self.change_all(dict.fromkeys(names, value))

    def change_all(self, values: dict[str, Any]) -> None:
        settings = self.settings
        output = settings.output
        if "output.key_colour" in values and output.background == output.key_colour:
            values = {**values, "output.background": values["output.key_colour"]}
        with self._guarded():
            for name, value in values.items():
                settings = set_by_name(settings, name, value)
            self.engine.apply(settings)
            self._notices.pop("told", None)

    def flip(self, name: str) -> None:
        group, _, last = name.rpartition(".")
        self.change([name], not getattr(getattr(self.settings, group), last))

    def recentre(self) -> None:
        self.engine.recentre()

    def retry(self, part: Retried) -> None:
        self.engine.retry(part)
        self._notices.pop(part, None)

    def turn_to(self, page: str) -> None:
        self.page = page
        for name, area in self._pages.items():
            dpg.configure_item(area, show=name == page)
            dpg.bind_item_theme(self._tabs[name], self.theme.tab_on if name == page else self.theme.tab)

    def notify(self, key: str, text: str) -> None:
        """A message above the stage; a later one under the same key takes its place."""
        self._notices[key] = Notice(text, self._clock())

    @property
    def notices(self) -> dict[str, str]:
        """Messages that are shown."""
        return dict(self._notices_shown or ())

    def _unhide(self) -> None:
        for notice in self._notices.values():
            notice.hidden = False

    def _hider(self, name: str) -> Callable[[], None]:
        def hide() -> None:
            if name in self._notices:
                self._notices[name].hidden = True

        return hide

    def _retrier(self, name: str) -> Callable[[], None]:
        return lambda: self.retry(RETRIED[name])

    def _copier(self, text: str) -> Callable[[], None]:
        return lambda: dpg.set_clipboard_text(text)

    def _caller(self, act: Callable[[], object]) -> Callable[[], None]:
        return lambda: (act(), None)[1]

    def _turner(self, page: str) -> Callable[[], None]:
        return lambda: self.turn_to(page)

    # placement

    def _moved(self, right: float, down: float) -> None:
        output = self.settings.output
        self.change_all(
            {
                "output.offset_x": min(1.0, max(-1.0, round(output.offset_x + right, 4))),
                "output.offset_y": min(1.0, max(-1.0, round(output.offset_y + down, 4))),
            }
        )

    def _zoomed(self, factor: float) -> None:
        zoom = self.settings.output.zoom * factor
        self.change(["output.zoom"], round(min(4.0, max(0.2, zoom)), 3))

    def centre(self) -> None:
        defaults = STUDIO.output
        self.change_all(
            {
                "output.zoom": defaults.zoom,
                "output.offset_x": defaults.offset_x,
                "output.offset_y": defaults.offset_y,
            }
        )

    # manual mode

    def flip_manual(self) -> None:
        manual = not self.meters.manual
        if manual:
            pose = self.engine.shown
            self.meters.set_pose(pose)
            self.engine.set_manual(pose)
        else:
            self.engine.set_manual(None)
        self.meters.set_manual(manual)

    def _posed(self, pose: Pose) -> None:
        if self.meters.manual:
            self.engine.set_manual(pose)

    # calibration

    def calibrate(self) -> None:
        """Opens the guided calibration, or closes it."""
        if self.guide is not None:
            self.end_calibration()
            return
        if self.meters.manual:
            self.flip_manual()
        self.guide = Guide(self._begin_step, self._finish_step, self._cancel_step)
        self.turn_to("motion")

    def start_calibration(self) -> None:
        if self.guide is not None:
            self.guide.start(self._clock())

    def end_calibration(self) -> None:
        if self.guide is not None:
            self.guide.stop()
            self.guide = None

    def forget_calibration(self) -> None:
        self.engine.forget_calibration()

    def _begin_step(self, step: Step) -> None:
        self._run = self.engine.calibrate(step)

    def _finish_step(self) -> None:
        if self._run is not None:
            self._run.finish()

    def _cancel_step(self) -> None:
        if self._run is not None:
            self._run.cancel()

    # characters

    def take_character(self, path: Path) -> None:
        self.engine.set_character(path)

    def load_character(self, path: Path) -> None:
        """Takes a prepared picture onto the shelf; any other goes to the picture doctor first."""

        def load() -> Callable[[], object]:
            if not is_prepared(path):
                return lambda: self.doctor.open(path)
            from puppeteer.prepare.reading import read_character

            read_character(path)
            return self._shelved(path, lambda: self.shelf.add(path))

        self._in_thread(load)

    def draw_character(self) -> None:
        """A new one from the generator, in a process of its own."""
        if self.drawing:
            return
        self.drawing = True

        def draw() -> Callable[[], object]:
            from puppeteer.characters import Artist

            seed = random.randrange(10_000, 1_000_000)
            try:
                with Artist() as artist:
                    rgba = artist.draw(seed)
                name = texts.NEW_NAME.format(seed=seed)
                return self._shelved(None, lambda: self.shelf.keep(rgba, (0, 0, rgba.shape[0]), name))
            finally:
                self._later.put(self._drawn)

        self._in_thread(draw)

    def _drawn(self) -> None:
        self.drawing = False

    def _use_picture(self, case: Case, as_it_is: bool) -> None:
        """What the picture doctor's panel ends with."""
        path, treated, head = case.path, case.treated, case.head
        assert treated is not None and head is not None

        def keep() -> Callable[[], object]:
            height, width = treated.before.shape[:2]
            if as_it_is and width == height:
                return self._shelved(path, lambda: self.shelf.add(path))
            character = treated.prepared.character
            rgba, square = character.rgba, character.square
            if as_it_is:
                rgba, square = treated.before, head.square()
            return self._shelved(None, lambda: self.shelf.keep(rgba, square, path.stem))

        self._in_thread(keep)

    def _shelved(self, path: Path | None, add: Callable[[], Path]) -> Callable[[], object]:
        """Puts a picture onto the shelf; what then takes it. Where that fails, `path` is used from where it is."""
        problem = ""
        try:
            copy = add()
        except PuppeteerError as error:
            if path is None:
                raise
            copy, problem = path, str(error)
        entries = self.shelf.entries()

        def take() -> None:
            self.entries = entries
            self.engine.set_character(copy)
            if problem:
                self.notify("told", problem)

        return take

    def remove_character(self, entry: Entry) -> None:
        self.shelf.remove(entry)
        if self.settings.studio.character == str(entry.path):
            self.engine.set_character(None)
        self.entries = self.shelf.entries()

    def look_for_cameras(self) -> None:
        def look() -> Callable[[], object]:
            from puppeteer.inputs.webcam import list_cameras

            names = tuple(camera.name for camera in list_cameras())

            def take() -> None:
                self.cameras, self.looked = names, True

            return take

        self._in_thread(look)

    def _in_thread(self, work: Callable[[], Callable[[], object]]) -> None:
        def run() -> None:
            try:
                self._later.put(work())
            except Exception as error:
                failure = error

                def fail() -> None:
                    raise failure

                self._later.put(fail)

        threading.Thread(target=run, name="window-work", daemon=True).start()

    # recording

    def recordings_folder(self) -> Path:
        given = self.settings.studio.recordings
        if given:
            return Path(given)
        home = Path.home()
        videos = home / ("Movies" if sys.platform == "darwin" else "Videos")
        return videos if videos.is_dir() else home

    def recordings_words(self) -> str:
        return str(self.recording or self.recordings_folder())

    def record(self) -> None:
        """Starts a recording, or ends it."""
        if self.recording is not None:
            self.recording = None

            def finish() -> Callable[[], object]:
                self.engine.stop_recording()
                return lambda: None

            self._in_thread(finish)
            return
        ending = "webm" if self.settings.output.background.lower() == "transparent" else "mp4"
        stamp = datetime.datetime.now().strftime("%Y-%m-%d %H-%M-%S")
        path = self.recordings_folder() / f"Puppeteer {stamp}.{ending}"
        self.engine.start_recording(path)
        self.recording = path
        self._status_s = -1.0

    # profiles

    def choose_profile(self, name: str) -> None:
        if name == self.profiles.current:
            return
        with self._guarded():
            if self.settings != self._saved:
                self.profiles.save(self.settings)
        self._take_profile(self.profiles.choose(name))

    def save_profile_as(self, name: str) -> bool:
        with self._guarded():
            if self.settings != self._saved:
                self.profiles.save(self.settings)
            self.profiles.save_as(name, self.settings)
            self._saved = self.settings
            return True
        return False

    def delete_profile(self) -> None:
        self._take_profile(self.profiles.delete())

    def _take_profile(self, settings: Settings) -> None:
        for note in self.profiles.notes:
            self.notify("profile", note)
        self.profiles.notes.clear()
        self._saved = settings
        try:
            self.engine.apply(settings)
        except PuppeteerError as error:  # its background is gone
            output = settings.output.model_copy(update={"background": STUDIO.output.background})
            self.engine.apply(settings.model_copy(update={"output": output}))
            self.notify("told", str(error))

    # the log

    def report(self) -> str:
        """For a bug report: the system, the state of every part, and the log."""
        status = self.engine.status()
        parts = [f"{name}: {part.state} {part.text}".strip() for name, part in status.parts().items()]
        system = f"Puppeteer on {platform.platform()}, Python {platform.python_version()}"
        return "\n".join([system, *parts, "", self.engine.log.text()])


def has_commands(text: str) -> bool:
    """Whether a message has commands to copy."""
    return "sudo " in text


def kinds(shown: list[tuple[str, str]]) -> list[tuple[str, bool]]:
    """What the buttons of messages depend on."""
    return [(name, has_commands(text)) for name, text in shown]
