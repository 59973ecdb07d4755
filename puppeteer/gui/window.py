"""The studio's window: opens where it fits, lays out its panels, and turns frames, clicks and keys into a `Studio`.

Only the thread that calls `run` touches Dear PyGui. Everything slow goes to a thread that hands back a function, which
that thread then calls (`Work`).
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from puppeteer.gui import display, texts
from puppeteer.gui.bars import Actions, Tabs, TopBar, wide
from puppeteer.gui.chooser import Chooser
from puppeteer.gui.controls import Controls
from puppeteer.gui.display import Place
from puppeteer.gui.doctor import Doctor
from puppeteer.gui.elsewhere import Elsewhere
from puppeteer.gui.keys import EXPRESSION, Keys
from puppeteer.gui.meters import Meters
from puppeteer.gui.notices import Strip
from puppeteer.gui.pages import PAGES, Now, Page, Panel
from puppeteer.gui.profiles import Profiles
from puppeteer.gui.safe import dpg
from puppeteer.gui.session import Studio
from puppeteer.gui.shelf import THUMBNAIL
from puppeteer.gui.stage import Stage
from puppeteer.gui.theme import Theme
from puppeteer.live import Live, Status
from puppeteer.live.remote import press
from puppeteer.settings import SEEN, Settings

FIRST_SIZE = (1240, 760)  # px at scale 1, where the screen has so many
LEAST_ROOM = (1090, 660)  # px at scale 1: in a smaller window everything is drawn smaller
SMALLEST_SIZE = (800, 500)  # px of the screen
TOP, ACTIONS, SIDE = 52, 58, 392  # px at scale 1
WIDE = (1500, 452)  # a window this wide has this much for the side panel
LEAST_STAGE = 190  # px at scale 1, of its height
SMALLEST_SCALE = 0.75
RESCALE_AFTER_S = 0.4
CALM_RATE, BUSY_RATE = 30, 60  # paintings a second; the higher one while the mouse moves
LONGEST_REST_S = 0.15
STATUS_EVERY_S = 0.2
REMEMBER_AFTER_S = 1.0  # a window that is being moved or resized
MOST_NOTICES, TALL = 5, 900  # messages at once, where there is this height (px at scale 1); the lamps tell the rest


class Window:
    """The studio. `engine` has been made but not started."""

    def __init__(self, engine: Live, profiles: Profiles, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.studio = studio = Studio(engine, profiles, clock)
        acts: dict[str, Callable[[], object]] = {
            "recentre": studio.recentre,
            "mirror": lambda: studio.flip("motion.mirror"),
            "preview": lambda: studio.flip("studio.show_preview"),
            "virtual_camera": studio.use_virtual_camera,
            "manual": studio.flip_manual,
            "calibrate": studio.calibrate,
            "record": studio.record,
            "mute": studio.mute,
            "next_character": studio.wardrobe.take_next,
            "help": lambda: studio.turn_to("help"),
        }
        self.keys = Keys(acts, studio.memory, studio.faces.press, lambda: studio.faces.names)
        studio.faces.renamed = lambda old, new: self.keys.rename(EXPRESSION + old, new and EXPRESSION + new)
        self.elsewhere = Elsewhere(self.keys)
        studio.keys_problem = lambda: self.elsewhere.problem
        remote = engine.remote.acts
        for name in acts.keys() - remote.keys():  # in the window's own thread
            remote[name] = press(functools.partial(studio.work.later, acts[name]))
        self.frames = 0
        self._status: Status | None = None
        self._status_s = -1.0
        self._wheel = 0.0
        self._mouse: tuple[float, float] = (0.0, 0.0)
        self._busy_until_s = 0.0
        self._placed: Any = None
        self._page_shown = ""
        self._posed = -1  # `Faces.posed` that the sliders show
        self._screens = display.screens()  # before the scale: on Windows it makes the process tell pixels from points
        self._screen_scale = display.scale()
        self._rescale_s: float | None = None
        self._at: tuple[Place, float] | None = None  # where the window is, and since when
        self._stopped = False

    @property
    def settings(self) -> Settings:
        return self.studio.settings

    # --- life

    def run(self) -> None:
        """Until the window is closed. The engine starts when the first picture has been painted, and is closed here."""
        dpg.create_context()
        try:
            dpg.configure_app(manual_callback_management=True)
            scale = max(SMALLEST_SCALE, self.settings.studio.scale or self._screen_scale)
            place = self._first_place(scale)
            dpg.create_viewport(
                title=texts.TITLE,
                x_pos=place.left,
                y_pos=place.top,
                width=place.width,
                height=place.height,
                min_width=min(SMALLEST_SIZE[0], place.width),
                min_height=min(SMALLEST_SIZE[1], place.height),
                vsync=False,  # the loop has its own pace; waiting for the screen would hold up other threads
                clear_color=(16, 18, 23, 255),
            )
            dpg.setup_dearpygui()
            self._build(self._fitting(scale, place.width, place.height))
            dpg.show_viewport()
            started = False
            while dpg.is_dearpygui_running() and not self._stopped:
                begun_s = self._clock()
                self.paint()
                if not started and self.frames >= 2:  # the first one is empty: sizes are not known yet
                    started = True
                    self.studio.engine.start()
                    self.studio.look_for_cameras()
                self._rest(begun_s)
        finally:
            self._keep_place()
            self.elsewhere.close()
            self.studio.close()
            dpg.destroy_context()

    def _first_place(self, scale: float) -> Place:
        """Where it was the last time, or as large as it fits on the main screen."""
        kept = self.studio.memory.get("place", [])
        if len(kept) == 4 and all(isinstance(number, int) for number in kept):
            again = display.place_again(Place(*kept), SMALLEST_SIZE, scale, self._screens)
            if again is not None:
                return again
        return display.first_place(FIRST_SIZE, scale, self._screens)

    def _remember_place(self, now_s: float) -> None:
        """Where the window has come to rest on a screen; a minimised one is nowhere."""
        left, top = dpg.get_viewport_pos()
        place = Place(int(left), int(top), dpg.get_viewport_width(), dpg.get_viewport_height())
        if self._at is None or self._at[0] != place:
            self._at = place, now_s
        elif 0 < now_s - self._at[1] < math.inf and now_s - self._at[1] >= REMEMBER_AFTER_S:
            self._keep_place()

    def _keep_place(self) -> None:
        if self._at is None or self._at[1] == math.inf:  # once is enough
            return
        place = self._at[0]
        self._at = place, math.inf
        if display.place_again(place, (1, 1), self.theme.scale, self._screens) is not None:
            self.studio.memory.keep("place", [place.left, place.top, place.width, place.height])

    def _rest(self, begun_s: float) -> None:
        """Between two frames. Where there is no graphics card, painting must leave time for the character."""
        spent_s = self._clock() - begun_s
        busy = begun_s < self._busy_until_s
        rate, share = (BUSY_RATE, 1) if busy else (CALM_RATE, 2)
        time.sleep(max(0.001, 1 / rate - spent_s, min(LONGEST_REST_S, share * spent_s)))

    def stop(self) -> None:
        """Ends `run` after this frame."""
        self._stopped = True

    # --- building

    def _build(self, scale: float) -> None:
        studio = self.studio
        self.theme = Theme(scale)
        self.controls = Controls(self.theme, studio.change)
        self.chooser = Chooser(self.theme, studio.memory)
        self.doctor = Doctor(self.theme, studio.work.start, studio.wardrobe.use)
        studio.wardrobe.unprepared = self.doctor.open
        self.strip = Strip(self.theme, studio.notices, studio.retry)
        self.meters = Meters(self.theme, studio.pose, studio.memory.get("all_numbers", False))
        self.stage = Stage(self.theme, studio.move, studio.zoom, studio.centre)
        self._placed = None
        self._built = self.frames
        with dpg.texture_registry():
            blank = dpg.add_static_texture(THUMBNAIL, THUMBNAIL, np.zeros(THUMBNAIL**2 * 4, np.float32))
        with dpg.handler_registry() as self._handlers:
            dpg.add_mouse_wheel_handler(callback=lambda _, turned: self._turned(turned))
        with dpg.window(no_title_bar=True, no_scrollbar=True, no_scroll_with_mouse=True) as self.root:
            pass
        dpg.bind_item_theme(self.root, self.theme.root)
        dpg.set_primary_window(self.root, True)
        self.top = TopBar(self.theme, studio)
        self.top.build(self.root)
        self.strip.build(self.root)
        self.stage.build(self.root)
        self.meters.build(self.root)
        self.actions = Actions(self.theme, studio, self.keys)
        self.actions.build(self.root)
        self._side = dpg.add_child_window(parent=self.root, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme(self._side, self.theme.bare)
        self.tabs = Tabs(self.theme, studio.turn_to)
        self.tabs.build(self._side)
        self.panel = Panel(self.theme, studio, self.controls, self.chooser, self.keys, blank)
        self.areas: dict[str, Any] = {}
        self.pages: dict[str, Page] = {}
        for page, make in PAGES.items():
            with dpg.child_window(parent=self._side, show=False, always_use_window_padding=True) as self.areas[page]:
                self.pages[page] = make(self.panel)
            dpg.bind_item_theme(self.areas[page], self.theme.panel)
        self._page_shown = ""

    def _rebuild(self, scale: float) -> None:
        case = self.doctor.case
        self.chooser.close()
        self.doctor.close()
        self.stage.delete()
        dpg.delete_item(self._handlers)
        dpg.delete_item(self.root)
        self._build(scale)
        self.doctor.resume(case)

    def _place(self) -> None:
        """Lays everything out; cheap while nothing has changed."""
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        strip = self.strip.height()
        settled = self.frames > self._built + 2  # texts have no size, or that of the fonts before, in the first frames
        place = (width, height, strip, settled, self.meters.height)
        if place == self._placed or width < 10 or height < 10:
            return
        self._placed = place
        px = self.theme.px
        side = px(WIDE[1] if width >= px(WIDE[0]) else SIDE)
        main = width - side
        self.top.place(main, px(TOP))
        dpg.configure_item(self._side, pos=(main, 0), width=side, height=height)
        self.tabs.place(side, px(TOP))
        for area in self.areas.values():
            dpg.configure_item(area, pos=(0, px(TOP)), width=side, height=height - px(TOP))
        dpg.configure_item(self.strip.area, pos=(px(14), px(TOP + 10)), width=main - px(28))
        top = px(TOP) + (strip + px(10) if strip else 0)
        room = height - top - px(ACTIONS) - px(LEAST_STAGE)
        meters = max(px(self.meters.least), min(px(self.meters.height), room))
        self.stage.place(0, top, main, max(1, height - top - meters - px(ACTIONS)))
        self.meters.place(0, height - meters - px(ACTIONS), main, meters)
        self.actions.place(height - px(ACTIONS), main, px(ACTIONS))

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
        for result in self.studio.work.results():
            with self.studio.guarded():
                result()
        with self.studio.guarded():
            self._show(now_s)
        dpg.render_dearpygui_frame()
        self.frames += 1
        self._callbacks()
        self._hands(now_s)

    def _scale(self) -> float:
        """What the setting or the screen asks for, or less where the window is too small for it."""
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        return self._fitting(self.settings.studio.scale or self._screen_scale, width, height)

    def _fitting(self, scale: float, width: int, height: int) -> float:
        most = min(width / LEAST_ROOM[0], height / LEAST_ROOM[1]) if width and height else display.LARGEST
        return max(SMALLEST_SCALE, math.floor(min(scale, most) * 20 + 1e-6) / 20)

    def _show(self, now_s: float) -> None:
        self._place()
        studio = self.studio
        if now_s - self._status_s >= STATUS_EVERY_S or self._status is None:
            self._status, self._status_s = studio.engine.status(), now_s
        settings, status = self.settings, self._status
        meters = studio.engine.meters()
        studio.step(status, now_s)
        if (studio.manual is not None) != self.meters.manual:
            self.meters.set_manual(studio.manual is not None)
            self._posed = -1
        if studio.manual is not None and studio.faces.posed != self._posed:
            self._posed = studio.faces.posed
            self.meters.set_pose(studio.manual)
        self.stage.show(
            studio.engine.picture,
            studio.engine.preview if settings.studio.show_preview else None,
            status,
            show_character=settings.studio.show_character,
            show_preview=settings.studio.show_preview and settings.source.kind in SEEN and not studio.no_webcam(status),
            mirror=settings.motion.mirror,
            words=self._words(settings, status),
            time_s=now_s,
        )
        self.meters.show(meters)
        studio.memory.keep("all_numbers", self.meters.open)
        self.controls.show(settings)
        if studio.page != self._page_shown:
            self._page_shown = studio.page
            self.tabs.show(studio.page)
            for page, area in self.areas.items():
                dpg.configure_item(area, show=page == studio.page)
        self.pages[studio.page].show(Now(settings, status, meters, now_s))
        self.top.show(status)
        self.actions.show(settings, status)
        self.strip.show(MOST_NOTICES if dpg.get_viewport_client_height() >= self.theme.px(TALL) else 2, self._wide)
        self.doctor.show()
        self.chooser.show()
        self._remember_place(now_s)

    def _wide(self, text: str) -> float:
        return wide(self.theme, text)

    def _words(self, settings: Settings, status: Status) -> str:
        """What moves the character and, on demand, how fast."""
        words = texts.DRIVERS[status.driver]
        if self.studio.engine.mouth_muted:
            words += f"   {texts.MOUTH_MUTED}"
        if settings.studio.show_speed:
            words += f"   {status.output_fps:.0f}/s"
            if "camera_to_output" in status.latency_ms:
                words += f"   {status.latency_ms['camera_to_output']:.0f} ms"
        return words

    # --- what the user does

    def _callbacks(self) -> None:
        for job in dpg.get_callback_queue() or []:
            if job[0] is None:
                continue
            with self.studio.guarded():
                dpg.run_callbacks([job])

    def _hands(self, now_s: float) -> None:
        """Mouse and keys, as they are after the frame."""
        mouse = dpg.get_mouse_pos(local=False)
        if (mouse[0], mouse[1]) != self._mouse or dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            self._mouse = (mouse[0], mouse[1])
            self._busy_until_s = now_s + 0.5
        above = self.chooser.is_open or self.doctor.is_open
        if not above and dpg.is_key_pressed(dpg.mvKey_Escape):
            self.panel.escape()
            dpg.focus_item(self.root)  # which closes open lists
        wheel, self._wheel = self._wheel, 0.0
        with self.studio.guarded():
            self.stage.mouse(not above and dpg.is_item_hovered(self.stage.area), wheel)
            self.doctor.mouse(wheel)
        with self.studio.guarded():
            self.chooser.keys()
            self.doctor.keys()
        silent = above or self.typing()
        far = self.elsewhere.step(self.settings.remote.keys, silent or bool(self.keys.asked))
        for act in (*far, *self.keys.poll(silent or self.elsewhere.alone)):
            with self.studio.guarded():
                act()

    def typing(self) -> bool:
        """Whether a text field has the keyboard."""
        return self.panel.typing() or self.controls.typing() or self.meters.typing()

    def _turned(self, wheel: float) -> None:
        self._wheel += wheel
