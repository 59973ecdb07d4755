"""The page Camera: what moves the character, and what the window shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.pages.microphone import MicrophoneCard
from puppeteer.gui.pages.panel import Now, Panel, show_part
from puppeteer.gui.safe import dpg
from puppeteer.gui.shelf import MOTIONS, VIDEOS
from puppeteer.gui.theme import WARN
from puppeteer.settings import PLAYED, SEEN


class CameraPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        controls = panel.controls
        with panel.card(texts.SOURCE):
            self._kind = panel.choice(texts.SOURCES, self._chosen, columns=2)
            with dpg.group() as self._camera:
                self.cameras = dpg.add_combo(
                    [], width=-1, callback=lambda _, name: self._studio.change(
                        ["source.camera"], "" if name == texts.FIRST_CAMERA else name
                    ),
                )  # fmt: skip
                self._none = panel.note(texts.NO_CAMERAS, WARN)
                with dpg.group(horizontal=True):
                    panel.button(texts.REFRESH, self._studio.look_for_cameras)
                    panel.button(texts.RETRY, lambda: self._studio.retry("camera"), panel.theme.quiet)
            with dpg.group() as self._video:
                self._file = panel.note()
                panel.button(texts.CHOOSE, self._choose)
            with dpg.group() as self._recording:
                panel.note(texts.RECORDING_NOTE)
                self._motion = panel.note()
                panel.button(texts.CHOOSE, self._choose_motion)
            self._demo = panel.note(texts.DEMO_NOTE)
            with dpg.group() as self._sent:
                self._about = panel.note()
                controls.table(["source.phone", "source.port"])
                self._setup = dpg.add_text("", wrap=0)  # comes and goes: what is above it stays in its place
            self._state = panel.note()
            with dpg.group() as self._asked:
                panel.fold(lambda: controls.table([f"source.{last}" for last in ("width", "height", "rate")]))
            with dpg.group() as self._sent_more:
                panel.button(texts.RETRY, lambda: self._studio.retry("camera"), panel.theme.quiet)
                panel.fold(lambda: controls.table(["source.mapping"]))
        self.microphone = MicrophoneCard(panel)
        with panel.card(texts.VIEW):
            controls.table([name for name in controls.names("studio") if ".show_" in name or name.endswith(".scale")])
        self._known: Any = None

    def show(self, now: Now) -> None:
        self.microphone.show(now)
        source = now.settings.source
        self._kind.show(source.kind)
        sent = source.kind not in (*SEEN, *PLAYED)
        for item, shown in (
            (self._camera, source.kind == "camera"),
            (self._video, source.kind == "video"),
            (self._recording, source.kind == "recording"),
            (self._demo, source.kind == "demo"),
            (self._asked, source.kind == "camera"),
            (self._sent, sent),
            (self._sent_more, sent),
        ):
            dpg.configure_item(item, show=shown)
        if sent:
            dpg.set_value(self._about, texts.SOURCE_NOTES[source.kind])
            setup = self._studio.engine.setup
            # While nothing comes the state says it.
            shown = bool(setup) and setup not in now.status.camera.text
            dpg.set_value(self._setup, texts.TO_DO.format(setup=setup))
            dpg.configure_item(self._setup, show=shown)
        dpg.set_value(self._motion, Path(source.recording).name if source.recording else texts.NO_VIDEO)
        known = (self._studio.cameras, source.camera)
        if known != self._known:
            self._known = known
            names = list(self._studio.cameras)
            if source.camera and source.camera not in names:
                names.append(source.camera)
            dpg.configure_item(self.cameras, items=[texts.FIRST_CAMERA, *names])
            dpg.set_value(self.cameras, source.camera or texts.FIRST_CAMERA)
        dpg.set_value(self._file, Path(source.video).name if source.video else texts.NO_VIDEO)
        show_part(self._state, now.status.camera)
        none = self._studio.no_webcam(now.status)
        dpg.configure_item(self._none, show=none)
        if none:  # it says more
            dpg.configure_item(self._state, show=False)

    def _chosen(self, kind: str) -> None:
        source = self._studio.settings.source
        if kind == "video" and not source.video:
            self._choose()
        elif kind == "recording" and not source.recording:
            self._choose_motion()
        else:
            self._studio.change(["source.kind"], kind)

    def _choose(self) -> None:
        self._choose_file("video", self._studio.settings.source.video, texts.CHOOSE_VIDEO, VIDEOS)

    def _choose_motion(self) -> None:
        self._choose_file("recording", self._studio.settings.source.recording, texts.CHOOSE_MOTION, MOTIONS)

    def _choose_file(self, kind: str, chosen: str, title: str, kinds: Sequence[str]) -> None:
        self._panel.chooser.open(
            title,
            kinds,
            lambda path: self._studio.change_all({f"source.{kind}": str(path), "source.kind": kind}),
            Path(chosen).parent if chosen else None,
        )
