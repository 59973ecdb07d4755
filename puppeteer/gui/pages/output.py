"""The page Output: where the picture goes, how large it is, recordings and profiles."""

from __future__ import annotations

from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.pages.panel import Now, Panel, Question, shortened, show_part
from puppeteer.gui.pages.ways import BrowserCard, TextureCard, WaysCard
from puppeteer.gui.recordings import folder_of, show_in_folder
from puppeteer.gui.safe import dpg
from puppeteer.gui.theme import MUTED

LOOK_AGAIN_S = 2.0  # for profiles that another window or an editor has made


class OutputPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        controls = panel.controls
        self.ways = WaysCard(panel)
        self.browser = BrowserCard(panel)
        with panel.card(texts.VIRTUAL_CAMERA_CARD) as camera:
            self.offer = OfferOfCamera(panel)
            with dpg.group() as self._camera:
                controls.table(["output.virtual_camera", "output.device"])
                self._state = panel.note()
                self._retry = panel.button(texts.RETRY, lambda: self._studio.retry("virtual_camera"))
        self.texture = TextureCard(panel)
        with panel.card(texts.OUTPUT):
            with controls.columns(), dpg.table_row():
                dpg.add_text(texts.SIZE, color=MUTED)
                self.size = dpg.add_combo(
                    list(texts.SIZES.values()), width=-1, callback=lambda _, text: self._sized(text)
                )
            controls.table(["output.rate", "output.key_colour"])
            panel.fold(lambda: controls.table(["output.width", "output.height"]))
        with panel.card(texts.RECORDING) as recording:
            panel.note(texts.RECORD_NOTE)
            with dpg.group(horizontal=True):
                self._record = panel.button(texts.RECORD, self._studio.record, panel.theme.primary)
                panel.button(texts.OPEN_FOLDER, self._open_folder)
                panel.button(texts.OTHER_FOLDER, self._folder, panel.theme.quiet)
            self._recording = panel.note()
            self._where = panel.note()
            panel.note(texts.MOTION_NOTE)
            self._motion = panel.button(texts.RECORD_MOTION, self._studio.record_motion, width=panel.px(190))
        with panel.card(texts.VMC_CARD) as motion:
            panel.note(texts.VMC_NOTE)
            controls.table(["output.vmc", "output.vmc_address", "output.vmc_port"])
            self._vmc = panel.note()
        self.profiles = ProfilesCard(panel)
        self.ways.cards = {
            "browser_source": self.browser.card,
            "virtual_camera": camera,
            "shared_texture": self.texture.card,
            "recording": recording,
            "vmc": motion,
            "profiles": self.profiles.card,
        }

    def show(self, now: Now) -> None:
        missing = self._studio.no_virtual_camera(now.status)
        self.ways.show(now, lambda way: missing and way == "virtual_camera")
        self.browser.show(now)
        self.texture.show(now)
        self.offer.show(missing)
        dpg.configure_item(self._camera, show=not missing)
        show_part(self._state, now.status.virtual_camera)
        dpg.configure_item(self._retry, show=now.status.virtual_camera.state == "problem")
        size = (now.settings.output.width, now.settings.output.height)
        dpg.set_value(self.size, texts.SIZES.get(size, texts.OTHER_SIZE.format(*size)))
        recordings = self._studio.recordings
        running = recordings.path is not None
        dpg.configure_item(self._record, label=texts.STOP_RECORDING if running else texts.RECORD)
        dpg.bind_item_theme(self._record, self._panel.theme.recording if running else self._panel.theme.primary)
        lasts_s = self._studio.engine.motion_lasts_s
        label = texts.RECORD_MOTION
        if lasts_s is not None:
            label = texts.STOP_MOTION.format(minutes=int(lasts_s) // 60, seconds=int(lasts_s) % 60)
        dpg.configure_item(self._motion, label=label)
        dpg.bind_item_theme(self._motion, self._panel.theme.plain if lasts_s is None else self._panel.theme.recording)
        show_part(self._recording, now.status.recording, quiet_off=True)
        dpg.set_value(self._where, texts.IN_FOLDER.format(path=folder_of(now.settings)))
        show_part(self._vmc, now.status.vmc, quiet_off=True)
        self.profiles.show(now)

    def _sized(self, text: str) -> None:
        for (width, height), label in texts.SIZES.items():
            if label == text:
                self._studio.change_all({"output.width": width, "output.height": height})

    def _open_folder(self) -> None:
        show_in_folder(self._studio.recordings.last or folder_of(self._studio.settings))

    def _folder(self) -> None:
        self._panel.chooser.open(
            texts.CHOOSE_FOLDER, (), lambda path: self._studio.change(["studio.recordings"], str(path)),
            folder_of(self._studio.settings),
        )  # fmt: skip


class OfferOfCamera:
    """Where no virtual camera is installed: what it is good for, and how to get one."""

    def __init__(self, panel: Panel) -> None:
        with dpg.group(show=False) as self._group:
            dpg.add_text(texts.OFFER, wrap=0)
            panel.note(texts.OFFER_STEPS)
            commands = "\n".join(texts.commands_in(texts.OFFER_STEPS))
            with dpg.group(horizontal=True):
                if commands:
                    panel.button(texts.COPY_COMMANDS, lambda: dpg.set_clipboard_text(commands))
                self.again = panel.button(texts.REFRESH, lambda: panel.studio.retry("virtual_camera"))

    def show(self, shown: bool) -> None:
        dpg.configure_item(self._group, show=shown)


class ProfilesCard:
    """One profile is in use; it can be another, a new one, renamed, and after a question deleted."""

    def __init__(self, panel: Panel) -> None:
        self._studio = panel.studio
        with panel.card(texts.PROFILES) as self.card:
            panel.note(texts.PROFILE_NOTE)
            self.names = dpg.add_combo([], width=-1, callback=lambda _, name: self._studio.choose_profile(name))
            with dpg.group(horizontal=True) as self._buttons:
                self.new = panel.button(texts.NEW_PROFILE, self._ask_new)
                self.rename = panel.button(texts.RENAME, self._ask_name)
                self.delete = panel.button(texts.DELETE, self._ask_deletion, panel.theme.quiet)
            self.question = Question(panel)
        self._known: Any = None
        self._looked_s = -LOOK_AGAIN_S

    def show(self, now: Now) -> None:
        self.question.step()
        dpg.configure_item(self._buttons, show=not self.question.is_open)
        current = self._studio.profiles.current
        if now.time_s - self._looked_s > LOOK_AGAIN_S or self._known is None or self._known[1] != current:
            self._looked_s = now.time_s
            known = (self._studio.profiles.names(), current)
            if known != self._known:
                if self._known is not None and self._known[1] != current:
                    self.question.close()
                self._known = known
                dpg.configure_item(self.names, items=known[0])
                dpg.set_value(self.names, current)

    def _ask_new(self) -> None:
        self.question.ask_name(texts.SAVE_AS, texts.SAVE, "", self._studio.save_profile_as)

    def _ask_name(self) -> None:
        current = self._studio.profiles.current
        text = texts.RENAME_PROFILE.format(name=shortened(current, 24))
        self.question.ask_name(text, texts.RENAME, current, self._studio.rename_profile)

    def _ask_deletion(self) -> None:
        text = texts.DELETE_PROFILE.format(name=self._studio.profiles.current)
        self.question.ask(text, texts.DELETE, self._studio.delete_profile)
