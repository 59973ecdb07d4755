"""Actions from outside the window: OSC from stream decks and bots, and keys while another program has the focus."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hands import Studio
from screens import needs_screen, screen, xdotool
from senders import bound, osc
from stage import SMALL, eventually, on_stage

from puppeteer.by_name import set_by_name
from puppeteer.errors import SourceError
from puppeteer.gui.elsewhere import Elsewhere
from puppeteer.gui.keys import NAMES, Keys
from puppeteer.gui.memory import Memory
from puppeteer.inputs.global_keys import MACOS, WINDOWS, Told, open_global_keys
from puppeteer.inputs.osc import Asked, asked


def free_port() -> int:
    with bound() as free:
        return int(free.getsockname()[1])


@contextmanager
def deck(port: int) -> Iterator[Any]:
    """A stream deck: `send("/puppeteer/mute", 1)`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        yield lambda address, *values: out.sendto(osc(address, *values), ("127.0.0.1", port))


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (("/puppeteer/expression", "smile", 1.0), Asked("expression", "smile", 1.0)),
        (("/puppeteer/expression/wink left", 0), Asked("expression", "wink left", 0.0)),
        (("/puppeteer/expression", "smile"), Asked("expression", "smile", None)),
        (("/Puppeteer/Recentre",), Asked("recentre", "", None)),
        (("/puppeteer/mute", 1), Asked("mute", "", 1.0)),
    ],
)
def test_messages_are_read_as_stream_decks_write_them(message: tuple[Any, ...], wanted: Asked) -> None:
    assert asked(osc(*message)) == [wanted]


GARBAGE = [
    b"", b"\0", b"/", b"#bundle\0", b"\xff" * 100, osc("/other/mute", 1), osc("/puppeteer"),
    osc("/puppeteer/mute", float("nan")), osc("/puppeteer/mute", float("inf")), osc("/puppeteer/a/b/c"), b"x" * 5000,
]  # fmt: skip


def test_garbage_is_none_of_ours() -> None:
    for packet in GARBAGE:
        with pytest.raises(ValueError, match=r"none of ours|no OSC|too long|no number"):
            asked(packet)
    whole, random = osc("/puppeteer/expression", "smile", 1.0), np.random.default_rng(3)
    for _ in range(2000):
        packet = bytearray(whole)
        for place in random.integers(0, len(packet), 3):
            packet[place] = random.integers(0, 256)
        try:
            for one in asked(bytes(packet[: random.integers(0, len(packet) + 1)])):
                assert one.amount is None or np.isfinite(one.amount)
        except ValueError:
            pass


def test_osc_acts_and_says_what_it_cannot_do(character_png: Path) -> None:
    port = free_port()
    settings = set_by_name(set_by_name(SMALL, "remote.osc", True), "remote.port", port)
    with on_stage(character_png, settings) as stage, deck(port) as send:
        live = stage.live
        assert eventually(lambda: live.status().remote.state == "ok")
        assert str(port) in live.status().remote.text
        send("/puppeteer/expression", "Wink_left", 1)
        assert eventually(lambda: live.shown.eye_left == 1.0)
        send("/puppeteer/expression/wink left", 0.0)
        assert eventually(lambda: not live.expressed)
        for wanted in ({"sleepy": 1.0}, {}):  # without an amount: the other way round
            send("/puppeteer/expression", "sleepy")
            assert eventually(lambda wanted=wanted: live.expressed == wanted)
        send("/puppeteer/mute", 1)
        assert eventually(lambda: live.mouth_muted)
        send("/puppeteer/mute")
        assert eventually(lambda: not live.mouth_muted)
        mirror = live.settings.motion.mirror
        send("/puppeteer/mirror")
        assert eventually(lambda: live.settings.motion.mirror is not mirror)
        send("/puppeteer/recentre", 0)  # let go of
        send("/puppeteer/recentre", 1)
        assert eventually(lambda: sum("recentre" in line for line in live.log.lines()) == 1)
        for message, said in (
            (("/puppeteer/expression", "smil", 1), "did you mean smile"),
            (("/puppeteer/dance",), "there is no action /puppeteer/dance by OSC"),
            (("/vmc/x", 1), "none of ours"),
        ):
            send(*message)
            assert eventually(lambda said=said: said in live.status().remote.text), live.status().remote
            assert live.status().remote.state == "problem"
        # another port, none, and one that is taken
        live.apply(set_by_name(live.settings, "remote.osc", False))
        assert live.status().remote.state == "off"
        with bound() as other:
            taken = int(other.getsockname()[1])
            live.apply(set_by_name(set_by_name(live.settings, "remote.port", taken), "remote.osc", True))
            assert eventually(lambda: "choose another port" in live.status().remote.text)
        live.apply(set_by_name(live.settings, "remote.port", port))
        assert eventually(lambda: live.status().remote.state == "ok")
        send("/puppeteer/mute", 1)
        assert eventually(lambda: live.mouth_muted), "and it listens to the first one again"
    assert not [thread for thread in threading.enumerate() if thread.name == "live-osc"], "closing ends it"


def test_a_flood_and_garbage_cost_little_and_the_last_word_counts(character_png: Path) -> None:
    port = free_port()
    settings = set_by_name(set_by_name(SMALL, "remote.osc", True), "remote.port", port)
    with on_stage(character_png, settings) as stage, deck(port) as send:
        live = stage.live
        assert eventually(lambda: live.status().remote.state == "ok")
        end_s = time.monotonic() + 1.0
        while time.monotonic() < end_s:
            for packet in GARBAGE:
                send("/puppeteer/mute", 0)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                    out.sendto(packet, ("127.0.0.1", port))
        drawn = live.counts()["output"]
        assert eventually(lambda: live.counts()["output"] > drawn + 5), "the picture goes on"
        assert live.remote.taken < 100 * 40, "a share of what was sent"

        def muted() -> bool:
            send("/puppeteer/mute", 1)
            return live.mouth_muted

        assert eventually(muted), "and it still acts"


def test_nobody_but_this_computer_is_heard(character_png: Path) -> None:
    from puppeteer.inputs.osc import Listener

    listener = Listener(free_port())
    assert listener._socket.getsockname()[0] == "127.0.0.1"
    listener.close()


# --- keys of the whole system


def test_every_named_key_is_known_on_windows_and_most_on_macos() -> None:
    assert set(WINDOWS.values()) == set(NAMES)
    assert set(NAMES) - set(MACOS.values()) == {"Insert", "Pause", "ScrollLock"}, "keyboards there have none"


class FakeListener:
    """What is used of pynput's."""

    IS_TRUSTED = True
    made: list[Any] = []  # noqa: RUF012

    def __init__(self, on_press: Any, on_release: Any) -> None:
        self.press, self.release = on_press, on_release
        self.stopped = False
        FakeListener.made.append(self)

    def start(self) -> None: ...
    def wait(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True


@pytest.mark.parametrize(("platform", "codes"), [("win32", (0x4D, 0xA2, 0xA4, 0xA5)), ("darwin", (46, 59, 58, 61))])
def test_pynput_tells_of_keys_once_and_of_ctrl_alt(
    platform: str, codes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynput", SimpleNamespace(keyboard=SimpleNamespace(Listener=FakeListener)))
    got: list[Any] = []
    keys = open_global_keys(lambda *told: got.append(told), platform)
    listener = FakeListener.made[-1]
    letter, ctrl, alt, alt_gr = (SimpleNamespace(vk=code) for code in codes)
    for _ in range(3):  # it repeats
        listener.press(letter)
    listener.release(letter)
    for modifier in (ctrl, alt):
        listener.press(SimpleNamespace(value=modifier))  # a member of an enum
    listener.press(letter)
    listener.release(letter)
    listener.release(SimpleNamespace(value=alt))
    listener.press(SimpleNamespace(value=alt_gr))  # types letters
    listener.press(letter)
    listener.press(SimpleNamespace(value=SimpleNamespace()))  # what has no code
    assert [told for told in got if told[1]] == [("M", True, False), ("M", True, True), ("M", True, False)]
    keys.close()
    assert listener.stopped


def test_where_keys_cannot_be_heard_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def ignored(*told: Any) -> None:
        raise AssertionError(told)

    for environment in ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, {"XDG_SESSION_TYPE": "wayland"}):
        with pytest.raises(SourceError, match="on Wayland no program may hear the keys"):
            open_global_keys(ignored, "linux", environment)
    monkeypatch.setitem(sys.modules, "pynput", None)
    with pytest.raises(SourceError, match="another program has the focus"):
        open_global_keys(ignored, "win32")
    untrusted = type("Untrusted", (FakeListener,), {"IS_TRUSTED": False})
    monkeypatch.setitem(sys.modules, "pynput", SimpleNamespace(keyboard=SimpleNamespace(Listener=untrusted)))
    with pytest.raises(SourceError, match="Privacy & Security"):
        open_global_keys(ignored, "darwin")


class ByHand:
    """Keys of the system that a test presses."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses, self.opened, self.closed = refuses, 0, 0

    def __call__(self, told: Told) -> ByHand:
        if self.refuses:
            raise SourceError(self.refuses)
        self.told = told
        self.opened += 1
        return self

    def close(self) -> None:
        self.closed += 1


def test_keys_from_elsewhere_act_alone_or_with_ctrl_alt_and_not_while_somebody_types(tmp_path: Path) -> None:
    done: list[Any] = []
    keys = Keys({"mirror": lambda: done.append("mirror")}, Memory(tmp_path), lambda *told: done.append(told))
    system = ByHand()
    elsewhere = Elsewhere(keys, system)

    def act(mode: str, *events: tuple[str, bool, bool], silent: bool = False) -> list[Any]:
        done.clear()
        elsewhere.step(mode, silent)
        for event in events:
            system.told(*event)
        for one in elsewhere.step(mode, silent):
            one()
        return list(done)

    assert act("off") == [] and system.opened == 0 and not elsewhere.alone
    m, five = ("M", True, False), ("5", True, False)
    assert act("alone", m, ("M", False, False)) == ["mirror"] and elsewhere.alone
    assert act("alone", m, silent=True) == []
    assert act("alone", five) == [("wink left", True)]
    assert act("alone", ("5", False, False), silent=True) == [("wink left", False)], "what is held is let go of"
    assert act("with_ctrl_alt", m, ("M", True, True)) == ["mirror"] and not elsewhere.alone
    assert act("off") == [] and (system.opened, system.closed) == (1, 1)
    blind = Elsewhere(keys, ByHand("on Wayland: no"))
    assert blind.step("alone", False) == [] and blind.problem == "on Wayland: no" and not blind.alone
    blind.step("off", False)
    assert blind.problem == ""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, character_png: Path) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    with screen() as environment:
        environment |= {"PUPPETEER_HOME": str(home / "puppeteer"), "HOME": str(home)}
        for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
            environment.pop(name, None)
        running = Studio(environment, character_png)
        try:
            running.ask("dpg.set_viewport_pos([0, 0])")
            yield running
        finally:
            try:
                running.end()
            finally:
                running.kill()


GAME = """
from Xlib import X, display
screen = display.Display()
root = screen.screen().root
window = root.create_window(1300, 700, 300, 200, 0, X.CopyFromParent, event_mask=X.KeyPressMask | X.ExposureMask)
window.set_wm_name("Game")
window.map()
screen.sync()
while True:
    if screen.next_event().type == X.KeyPress:
        print("key", flush=True)
    else:
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        screen.sync()
        print("ready", flush=True)
"""


@needs_screen
def test_keys_act_while_a_game_has_the_focus_and_reach_it_too(studio: Studio) -> None:
    studio.click("win.tabs.buttons['help']")
    studio.reveal("win.pages['help'].remote.modes.buttons['alone']", "help")
    studio.click("win.pages['help'].remote.modes.buttons['alone']")
    studio.until("win.elsewhere.alone")
    mirror = studio.ask("win.settings.motion.mirror")
    studio.press("m")  # while our own window has the focus: once, not twice
    studio.until(f"win.settings.motion.mirror is not {mirror}")
    studio.wait(10)
    assert studio.ask("win.settings.motion.mirror") is not mirror
    with subprocess.Popen(
        [sys.executable, "-c", GAME], env=studio.environment, stdout=subprocess.PIPE, text=True
    ) as game:
        assert game.stdout is not None
        try:
            assert game.stdout.readline() == "ready\n"
            xdotool(studio.environment, "keydown", "5")
            studio.until("win.studio.engine.expressed == {'wink left': 1.0}")
            assert game.stdout.readline() == "key\n", "the game has its key"
            time.sleep(0.6)
            assert studio.ask("win.studio.engine.expressed") == {"wink left": 1.0}, "it repeats, and is still held"
            xdotool(studio.environment, "keyup", "5")
            studio.until("not win.studio.engine.expressed")
            studio.ask("win.studio.change(['remote.keys'], 'with_ctrl_alt')")
            studio.wait(4)
            xdotool(studio.environment, "key", "1")
            xdotool(studio.environment, "key", "ctrl+alt+7")
            studio.until("win.studio.engine.expressed == {'sleepy': 1.0}")
            studio.ask("win.studio.change(['remote.keys'], 'off')")
            studio.wait(4)
            xdotool(studio.environment, "key", "ctrl+alt+7")
            studio.wait(10)
            assert studio.ask("win.studio.engine.expressed") == {"sleepy": 1.0}
        finally:
            game.kill()
    studio.ask("win.studio.engine.express('sleepy', 0)")
    xdotool(studio.environment, "windowfocus", "--sync", studio.window)


@needs_screen
def test_osc_and_a_microphone_in_the_window(studio: Studio) -> None:
    port = free_port()
    studio.ask(f"win.studio.change_all({{'remote.port': {port}}})")
    studio.ask("win.studio.turn_to('help')")
    osc_box = "win.controls.widgets['remote.osc']"
    studio.reveal(osc_box, "help")
    studio.click(osc_box, 0.05)
    studio.until("win.studio.engine.status().remote.state == 'ok'")
    with deck(port) as send:
        send("/puppeteer/expression", "surprised", 1)
        studio.until("win.studio.engine.expressed == {'surprised': 1.0}")
        send("/puppeteer/expression", "surprised", 0)
        send("/puppeteer/manual")  # what only the window can do
        studio.until("win.meters.manual")
        send("/puppeteer/manual")
        studio.until("not win.meters.manual")
        before = studio.ask("win.settings.studio.character")
        send("/puppeteer/next_character", 1)
        studio.until(f"win.settings.studio.character != {before!r}")
        send("/puppeteer/expression", "nobody", 1)
        studio.until("'no expression' in win.strip.shown.get('remote', '')")
    studio.ask("win.studio.change(['remote.osc'], False)")
    # the microphone
    studio.click("win.tabs.buttons['camera']")
    box = "win.controls.widgets['voice.on']"
    studio.reveal(box, "camera")
    studio.ask("setattr(stage.microphone, 'fault', 'missing')")
    studio.click(box, 0.05)
    studio.until("'no microphone is found' in win.strip.shown.get('microphone', '').lower()")
    studio.ask("setattr(stage.microphone, 'fault', '')")
    studio.ask("setattr(stage.microphone, 'sound', vowel('a'))")
    studio.until("'microphone' not in win.strip.shown")
    studio.until("win.studio.engine.picture.pixels[60, 80, 2] > 120")
    studio.until("'vowel a' in dpg.get_value(win.pages['camera'].microphone.words)")
    gate = "win.controls.widgets['voice.gate_db']"
    studio.reveal(gate, "camera")
    studio.click(gate, 0.98)
    studio.until("win.settings.voice.gate_db > -10")
    studio.until("win.studio.engine.shown.mouth_open < 0.1")
    studio.ask("win.studio.change(['voice.on'], False)")
    studio.until("win.studio.engine.status().microphone.state == 'off'")
