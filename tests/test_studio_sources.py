"""The window that `python app.py` opens, driven by phones and programs that stand in, chosen with a real mouse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hands import Studio
from screens import needs_screen
from test_studio_window import SMALL, opened

from puppeteer.inputs import FACES
from puppeteer.inputs.recorded import read_motion
from puppeteer.pose import Pose
from tests.senders import PACKETS, Sender, bound

PAGE = "win.pages['camera']"
STATUS = "win.studio.engine.status()"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("home")
    with opened(folder, "1920x1080", "--source", "demo", "--family", "warp", "--no-mirror", *SMALL) as running:
        running.ask("win.studio.turn_to('camera')")
        running.wait(4)
        yield running


def shown(app: Studio, item: str) -> str:
    """The text of a note, "" where it is hidden."""
    return str(app.ask(f"dpg.get_value({item}) if dpg.is_item_shown({item}) else ''"))


def free_port() -> int:
    with bound() as found:
        return int(found.getsockname()[1])


@needs_screen
@pytest.mark.parametrize("kind", sorted(FACES))
def test_a_phone_is_chosen_told_what_to_type_and_moves_the_character(app: Studio, kind: str) -> None:
    port = free_port()
    app.ask(f"win.studio.change_all({{'source.port': {port}, 'source.phone': '127.0.0.1'}})")
    app.click(f"{PAGE}._kind.buttons['{kind}']")
    app.until(f"win.settings.source.kind == '{kind}' and win.studio.engine.setup")
    app.until("win._status.camera.text.startswith('waiting for')")
    app.wait(2)
    if kind != "vtube_studio":  # which is told by us
        assert f"{port}" in shown(app, f"{PAGE}._state")
    with Sender(port, [b"what is this?"]):
        app.until("'choose the app that it is' in win._status.camera.text")
        app.wait(2)
        assert "is not" in shown(app, f"{PAGE}._state")
    typed = [app.place(f"win.controls.widgets['source.{last}']") for last in ("phone", "port")]
    with Sender(port, PACKETS[kind](Pose())) as phone:
        app.until(f"{STATUS}.driver == 'face'")
        time.sleep(0.5)  # the first look is taken for the neutral one
        phone.packets = PACKETS[kind](Pose(neck_y=0.7))
        app.until("win.studio.engine.shown.neck_y > 0.3")
        app.until(f"{STATUS}.driver == 'face' and win._status.camera.state == 'ok'")
        app.wait(2)
        assert app.ask("win.studio.engine.setup") in shown(app, f"{PAGE}._setup")
        now = [app.place(f"win.controls.widgets['source.{last}']") for last in ("phone", "port")]
        assert now == typed, "nobody types where another field was"
    app.until("'fallen silent' in win._status.camera.text")
    app.wait(2)
    assert "goes on by itself" in shown(app, f"{PAGE}._state")


@needs_screen
def test_motion_is_recorded_by_a_button_and_played_again(app: Studio) -> None:
    app.click(f"{PAGE}._kind.buttons['demo']")
    app.until(f"{STATUS}.driver == 'demo'")
    app.ask("win.studio.turn_to('output')")
    app.wait(4)
    button = "win.pages['output']._motion"
    app.ask("win.studio.record_motion()")
    app.until("(win.studio.engine.motion_lasts_s or 0) > 0.5")
    app.wait(2)
    assert "Stop motion" in app.ask(f"dpg.get_item_label({button})")
    app.ask("win.studio.record_motion()")
    app.until("win.studio.recordings.last is not None")
    table = Path(app.ask("str(win.studio.recordings.last)"))
    assert len(read_motion(table)) > 3
    app.ask(f"win.studio.change_all({{'source.recording': {str(table)!r}, 'source.kind': 'recording'}})")
    app.ask("win.studio.turn_to('camera')")
    app.until(f"{STATUS}.camera.state == 'ok' and {STATUS}.driver == 'demo'")
    time.sleep(0.1)
    assert table.name in app.ask(f"{STATUS}.camera.text")
