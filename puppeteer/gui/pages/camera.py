"""The page Camera: what moves the character, and what the window shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from puppeteer.gui import texts
from puppeteer.gui.pages.panel import Now, Panel, show_part
from puppeteer.gui.safe import dpg
from puppeteer.gui.shelf import VIDEOS
from puppeteer.gui.theme import WARN


class CameraPage:
    def __init__(self, panel: Panel) -> None:
        self._panel, self._studio = panel, panel.studio
        controls = panel.controls
        with panel.card(texts.SOURCE):
            self._kind = panel.choice(texts.SOURCES, self._chosen)
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
            self._demo = panel.note(texts.DEMO_NOTE)
            self._state = panel.note()
            panel.fold(lambda: controls.table(
                [name for name in controls.names("source") if name.rpartition(".")[2] in ("width", "height", "rate")]
            ))  # fmt: skip
        with panel.card(texts.VIEW):
            controls.table([name for name in controls.names("studio") if ".show_" in name or name.endswith(".scale")])
        self._known: Any = None

    def show(self, now: Now) -> None:
        source = now.settings.source
        self._kind.show(source.kind)
        for item, kind in ((self._camera, "camera"), (self._video, "video"), (self._demo, "demo")):
            dpg.configure_item(item, show=source.kind == kind)
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
        if kind == "video" and not self._studio.settings.source.video:
            self._choose()
        else:
            self._studio.change(["source.kind"], kind)

    def _choose(self) -> None:
        video = self._studio.settings.source.video
        self._panel.chooser.open(
            texts.CHOOSE_VIDEO,
            VIDEOS,
            lambda path: self._studio.change_all({"source.video": str(path), "source.kind": "video"}),
            Path(video).parent if video else None,
        )
