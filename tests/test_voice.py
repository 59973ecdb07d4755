"""A mouth from a voice: what is heard, how it is mixed, and the microphone that comes and goes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import sounds
from clips import make_clip
from stage import Stage, eventually, on_stage
from voices import FORMANTS, RATE_HZ, vowel

from puppeteer.by_name import set_by_name
from puppeteer.commands.transfer import transfer
from puppeteer.errors import SourceError
from puppeteer.inputs import microphone as of_portaudio
from puppeteer.inputs.clip_sound import RATE_HZ as CLIP_HZ
from puppeteer.inputs.clip_sound import sound_of
from puppeteer.motion.voice import Heard, Speaking, Voice, heard_at, mixed
from puppeteer.pose import F32, FaceObservation, Pose
from puppeteer.settings import STUDIO, Settings, VoiceSettings

USUAL = VoiceSettings()
NOISE = (np.random.default_rng(5).standard_normal(48_000) * 0.002).astype(np.float32)  # -60 dB where voices are


def readings(
    sound: F32, settings: VoiceSettings = USUAL, rate_hz: float = RATE_HZ, block_s: float = 0.01
) -> list[Heard]:
    voice, step = Voice(settings, rate_hz), round(rate_hz * block_s)
    return [voice.step(sound[at : at + step]) for at in range(0, len(sound), step)]


@pytest.mark.parametrize("woman", [False, True])
@pytest.mark.parametrize("name", FORMANTS)
def test_each_vowel_is_known_and_shapes_the_mouth(name: str, woman: bool) -> None:
    rate_hz = 44_100 if woman else 48_000
    heard = readings(vowel(name, woman, rate_hz=rate_hz), rate_hz=rate_hz)[15:]
    known = sum(one.vowel == name for one in heard) / len(heard)
    assert known > 0.8, {one.vowel for one in heard}
    wide, open_ = (float(np.median([getattr(one, side) for one in heard])) for side in ("mouth_wide", "mouth_open"))
    assert all(0 <= one.mouth_open <= 1 and -1 <= one.mouth_wide <= 1 for one in heard)
    if name in "ie":
        assert wide > 0.4
    elif name in "uo":
        assert wide < -0.4
    else:
        assert abs(wide) < 0.3 and open_ > 0.8
    assert open_ > 0.3


def test_a_mouth_opens_more_for_a_than_for_the_narrow_ones_and_for_a_loud_voice() -> None:
    opened = {name: float(np.median([one.mouth_open for one in readings(vowel(name))[15:]])) for name in FORMANTS}
    assert opened["a"] > max(opened["i"], opened["u"]) + 0.2
    quiet = np.concatenate([vowel("a", level=0.4), vowel("a", level=0.03)])
    heard = readings(quiet)
    assert heard[50].mouth_open > heard[110].mouth_open + 0.25
    loudness = readings(vowel("i"), VoiceSettings(vowels=False))[40]
    assert loudness.mouth_wide == 0 and loudness.vowel == "" and loudness.mouth_open > 0.6


def test_it_opens_within_60_ms_and_shuts_soon() -> None:
    sound = np.concatenate([NOISE, vowel("a", seconds=0.5), NOISE])
    heard = readings(sound)
    opened = next(index for index, one in enumerate(heard) if one.mouth_open > 0.5)
    assert 0 <= (opened + 1) * 10 - 1000 <= 40, "the rest of 60 ms is the device's"
    shut = next(index for index, one in enumerate(heard) if index > 150 and one.mouth_open < 0.05)
    assert (shut + 1) * 10 - 1500 <= 300


def test_noise_below_the_gate_leaves_the_mouth_shut_and_the_gate_is_a_setting() -> None:
    assert max(one.mouth_open for one in readings(NOISE)) == 0
    assert not any(one.speaking for one in readings(NOISE))
    low = VoiceSettings(gate_db=-65)
    assert readings(NOISE, low)[-1].speaking and readings(NOISE, low)[-1].mouth_open > 0
    assert readings(NOISE)[-1].level_db == pytest.approx(-60, abs=3)


def test_blocks_of_any_length_and_garbage_give_finite_readings() -> None:
    sound = np.concatenate([vowel("e"), NOISE])
    even, voice, at = readings(sound)[-1], Voice(USUAL, RATE_HZ), 0
    for length in np.random.default_rng(1).integers(0, 3000, 200):
        voice.step(sound[at : at + length])
        at += int(length)
    voice.step(sound[at:])
    assert voice.heard.level_db == pytest.approx(even.level_db, abs=0.01)
    for bad in (np.full(999, np.nan), np.full(999, np.inf), np.full(999, 1e30), np.zeros(0), np.tile([1.0, -1.0], 500)):
        one = voice.step(bad.astype(np.float32))
        assert np.isfinite([one.level_db, one.mouth_open, one.mouth_wide]).all()
    for rate_hz in (8000.0, 16_000.0, 44_100.0, 96_000.0):
        assert readings(vowel("a", rate_hz=rate_hz), rate_hz=rate_hz)[-1].mouth_open > 0.3


def test_mixed_the_larger_opens_the_mouth_and_alone_the_voice() -> None:
    heard = Heard(-20, 0.6, 0.9, "i", True)
    assert mixed(Pose(mouth_open=0.9), heard, 1.0).mouth_open == 0.9
    assert mixed(Pose(mouth_open=0.2, mouth_form=0.4), heard, 1.0).mouth_open == 0.6
    assert mixed(Pose(mouth_open=0.2, mouth_form=0.4), heard, 1.0).mouth_form == 0.4
    assert mixed(Pose(mouth_open=0.9), heard, 0.0) == Pose(mouth_open=0.6, mouth_wide=0.9)
    silent = Heard(-80, 0.0, 0.0)
    assert mixed(Pose(mouth_open=0.9, mouth_wide=-0.5), silent, 1.0) == Pose(mouth_open=0.9, mouth_wide=-0.5)
    assert mixed(Pose(mouth_open=0.9), silent, 0.0).mouth_open == 0
    speaking = Speaking()
    shares = [speaking.step(Pose(mouth_open=0.8), silent, step < 10, step / 60).mouth_open for step in range(30)]
    assert shares[9] == pytest.approx(0.8) and shares[-1] == 0
    assert max(a - b for a, b in pairwise(shares)) < 0.12, "without a jump"


def test_a_mouth_that_keeps_still_beside_a_voice_counts_as_covered_until_it_moves() -> None:
    loud, silent = Heard(-20, 0.7, 0.9, "i", True), Heard(-80, 0.0, 0.0)
    speaking = Speaking()

    def after(seconds: float, opened: float, heard: Heard | None, moves: float = 0.0) -> Pose:
        for step in range(round(seconds * 30)):
            at_s = after.now_s = after.now_s + 1 / 30  # type: ignore[attr-defined]
            pose = speaking.step(Pose(mouth_open=opened + moves * (step // 3 % 2)), heard, True, at_s)
        return pose

    after.now_s = 0.0  # type: ignore[attr-defined]
    assert after(5.0, 0.9, silent).mouth_open == 0.9 and not speaking.covered, "nobody speaks: a yawn is a yawn"
    after(0.9, 0.9, loud)
    assert not speaking.covered
    after(1.2, 0.85, loud)
    assert speaking.covered
    assert after(1.0, 0.88, silent).mouth_open == 0, "made up behind a hand"
    assert after(1.0, 0.88, loud) == Pose(mouth_open=0.7, mouth_wide=0.9)
    assert after(1.0, 0.2, loud, moves=0.5).mouth_open > 0.69 and not speaking.covered
    assert after(1.0, 0.9, silent).mouth_open == pytest.approx(0.9)
    after(5.0, 0.1, loud, moves=0.5)
    assert not speaking.covered, "a mouth that speaks is none that is covered"
    after(3.0, 0.3, loud)
    assert speaking.covered
    after(0.1, 0.3, None)
    assert not speaking.covered, "without a microphone the camera alone counts"


# --- the microphone in the engine

HEARING = set_by_name(set_by_name(set_by_name(STUDIO, "output.width", 160), "output.height", 120), "voice.on", True)


def test_a_voice_moves_the_mouth_of_a_face_that_is_seen_or_lost(character_png: Path) -> None:
    with on_stage(character_png, HEARING) as stage:
        live = stage.live
        assert eventually(lambda: live.status().microphone.state == "ok")
        assert live.status().microphone.text == "Stage microphone" and live.shown.mouth_open < 0.1
        stage.microphone.sound = vowel("i")
        assert eventually(lambda: live.shown.mouth_open > 0.3 and live.shown.mouth_wide > 0.6)
        stage.tracker.face = None
        assert eventually(lambda: live.status().driver == "idle")
        assert eventually(lambda: live.shown.mouth_open > 0.3 and live.shown.mouth_wide > 0.6)
        live.mute_mouth(True)
        assert eventually(lambda: live.shown.mouth_open == 0 and live.shown.mouth_wide == 0)
        live.mute_mouth(False)
        assert eventually(lambda: live.shown.mouth_open > 0.3)
        # a mouth that is covered, and misread: the voice alone
        stage.microphone.sound = np.zeros(4800, np.float32)
        stage.tracker.face = FaceObservation(0.1, 0.1, 0.9, 0.0, 0.0, 0.0)
        assert eventually(lambda: live.shown.mouth_open > 0.8)
        live.apply(set_by_name(live.settings, "voice.alone", True))
        assert eventually(lambda: live.shown.mouth_open == 0)
        live.apply(set_by_name(live.settings, "voice.alone", False))
        assert eventually(lambda: live.shown.mouth_open > 0.8)
        # the same by itself, once a voice has spoken beside a mouth that kept still
        stage.microphone.sound = vowel("i")
        assert eventually(lambda: live.mouth_covered)
        stage.microphone.sound = np.zeros(4800, np.float32)
        assert eventually(lambda: live.shown.mouth_open == 0)
        stage.tracker.face = FaceObservation(0.1, 0.1, 0.0, 0.0, 0.0, 0.0)
        assert eventually(lambda: not live.mouth_covered)
        live.apply(set_by_name(live.settings, "voice.on", False))
        assert eventually(lambda: stage.microphone.closed == 1)
        assert live.status().microphone.state == "off" and live.heard is None


def test_a_microphone_that_is_missing_lost_broken_or_mute_is_told_and_comes_back(character_png: Path) -> None:
    stage = Stage()
    stage.microphone.fault = "missing"
    with on_stage(character_png, HEARING, stage) as stage:
        live = stage.live

        def told() -> str:
            part = live.status().microphone
            return f"{part.state}: {part.text}"

        assert eventually(lambda: told() == "problem: no microphone is found: plug one in")
        assert live.picture is not None, "the rest lives on"
        for fault, words in (("", "ok"), ("lost", "gives no sound"), ("", "ok"), ("broken", "failed (RuntimeError")):
            stage.microphone.fault = fault
            assert eventually(lambda words=words: words in told()), told()
            assert told().startswith(("ok", "problem: the microphone Stage "))
        stage.microphone.fault = ""
        assert eventually(lambda: told().startswith("ok"))
        live.apply(set_by_name(live.settings, "voice.device", "Other"))
        assert eventually(lambda: stage.microphone.asked[-1] == "Other")
        assert any("microphone: no microphone" in line for line in live.log.lines())


# --- PortAudio


class FakePortAudio:
    """What is used of sounddevice."""

    class PortAudioError(Exception):
        pass

    default = SimpleNamespace(hostapi=1)

    def __init__(self, names: list[str], refuses: str = "") -> None:
        self.names, self.refuses = names, refuses

    def _terminate(self) -> None:
        pass

    _initialize = _terminate

    def query_devices(self, device: int | None = None, kind: str = "") -> object:
        told = [
            {"name": name, "hostapi": number % 2, "max_input_channels": int(name != "Speakers") * 2,
             "default_samplerate": 48_000.0}
            for number, name in enumerate(self.names)
        ]  # fmt: skip
        return told if not kind else told[device or 0]

    def InputStream(self, **asked: object) -> object:
        self.asked = asked
        if self.refuses:
            raise self.PortAudioError(self.refuses)
        return SimpleNamespace(start=lambda: None, abort=lambda **_: None, close=lambda **_: None, latency=0.02)


def test_microphones_are_listed_and_opened_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakePortAudio(["Headset", "Headset", "Speakers", "Ätherwelle"])
    monkeypatch.setattr(of_portaudio, "_library", lambda: fake)
    assert of_portaudio.list_microphones() == ["Headset", "Ätherwelle"]
    opened = of_portaudio.Microphone("Headset")
    assert fake.asked["device"] == 1, "by the system's own interface" and opened.name == "Headset"
    assert fake.asked["blocksize"] == 480 and opened.read(0.01) is None
    fake.asked["callback"](np.full((480, 2), 0.5, np.float32), 480, None, None)  # type: ignore[operator]
    got = opened.read()
    assert got is not None and got.shape == (480,) and float(got[0]) == 0.5
    opened.close()
    for names, device, refuses, said in (
        ([], "", "", "no microphone is found: plug one in"),
        (["Speakers"], "", "", "no microphone is found"),
        (["Headset"], "Gone", "", "the microphone Gone is not there"),
        (["Headset"], "", "Device unavailable", r"cannot be opened \(Device unavailable\): close other programs"),
    ):
        fake = FakePortAudio(names, refuses)
        monkeypatch.setattr(of_portaudio, "_library", lambda fake=fake: fake)
        with pytest.raises(SourceError, match=said):
            of_portaudio.Microphone(device)


def test_without_portaudio_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(SourceError, match=r"sudo apt-get install libportaudio2"):
        of_portaudio.list_microphones()
    (tmp_path / "sounddevice.py").write_text("raise ModuleNotFoundError('no', name='_cffi_backend')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(SourceError, match="pip install"):
        of_portaudio.list_microphones()


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[dict[str, str]]:
    try:
        with sounds.sound_server(tmp_path) as environment:
            yield environment
    except sounds.NoSoundError as error:
        pytest.skip(str(error))


LISTEN = """
import json, time
from puppeteer.inputs.microphone import Microphone, list_microphones
from puppeteer.motion.voice import Voice
from puppeteer.settings import VoiceSettings
names = list_microphones()
microphone = Microphone("stage")
voice = Voice(VoiceSettings(), microphone.rate_hz)
print(json.dumps(names), flush=True)
end_s, vowels = time.monotonic() + 40, 0
while time.monotonic() < end_s and vowels < 6:
    sound = microphone.read()
    if sound is not None:
        heard = voice.step(sound)
        vowels += heard.vowel == "a" and heard.mouth_open > 0.5
microphone.close()
print(json.dumps(vowels), flush=True)
"""


def test_a_real_microphone_hears_what_a_loudspeaker_plays(sound_server: dict[str, str]) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTEN], env=sound_server, stdout=subprocess.PIPE, text=True) as ear:
        assert ear.stdout is not None
        first = ear.stdout.readline()
        if not first:
            pytest.skip("PortAudio finds no PulseAudio here: sudo apt-get install libasound2-plugins libportaudio2")
        assert "stage" in first
        player = subprocess.Popen(
            ["pacat", "--playback", "--raw", "--rate=48000", "--channels=1", "--format=float32le"],
            env=sound_server,
            stdin=subprocess.PIPE,
        )
        assert player.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                player.stdin.write(np.tile(vowel("a", seconds=2), 8).tobytes())
                player.stdin.flush()
            assert int(ear.stdout.readline()) >= 6
        finally:
            player.kill()
            with contextlib.suppress(BrokenPipeError):
                player.stdin.close()
            player.wait()


# --- clips


def spoken_clip(path: Path, sound: F32, seconds: float = 2.0, late_s: float = 0.0, rate: int = 25) -> Path:
    """Grey pictures with sound."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=rate)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        voice = container.add_stream("aac", rate=48_000, layout="mono")
        for _ in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), "rgb24")
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode())
        for at in range(0, len(sound), 1024):
            piece = av.AudioFrame.from_ndarray(sound[None, at : at + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts = 48_000, at + round(late_s * 48_000)
            container.mux(voice.encode(piece))
        container.mux(voice.encode())
    return path


def test_the_sound_of_a_clip_is_at_its_own_time(tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(24_000, np.float32), vowel("a", seconds=0.5), np.zeros(24_000, np.float32)])
    for late_s in (0.0, 0.5):
        clip = spoken_clip(tmp_path / f"{late_s}.mp4", sound, late_s=late_s)
        heard = np.concatenate(list(sound_of(clip)))
        loud = np.flatnonzero(np.abs(heard) > 0.05) / CLIP_HZ
        assert loud[0] == pytest.approx(0.5 + late_s, abs=0.04) and loud[-1] == pytest.approx(1.0 + late_s, abs=0.06)
        times_s = [index / 25 for index in range(50)]
        opened = [one.mouth_open > 0.3 for one in heard_at(sound_of(clip), CLIP_HZ, times_s, USUAL)]
        assert times_s[opened.index(True)] == pytest.approx(0.5 + late_s, abs=0.06)
    assert list(sound_of(make_clip(tmp_path / "mute.mp4"))) == []
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:100])
    with pytest.raises(SourceError):
        list(sound_of(cut))


def test_a_clip_without_a_face_but_with_a_voice_moves_the_mouth(tmp_path: Path, character_png: Path) -> None:
    settings = Settings.model_validate({"poser": {"device": "cpu"}, "motion": {"idle": False, "sway": 0}})
    sound = np.concatenate([np.zeros(24_000, np.float32), vowel("a", seconds=0.8)])
    clip = spoken_clip(tmp_path / "voice.mp4", sound, seconds=1.0, rate=10)
    done = transfer(clip, tmp_path / "out.mp4", None, 128, settings=settings)
    assert done.frames == 10 and done.with_face == 0
    with av.open(str(tmp_path / "out.mp4")) as made:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in made.decode(video=0)]
    silent, speaking = pictures[3], pictures[8]
    assert np.abs(silent - pictures[1]).max() < 12, "nothing moves while nobody speaks"
    moved = np.argwhere(np.abs(speaking - silent).max(axis=2) > 30)
    assert len(moved) > 10
    assert 70 < moved[:, 0].mean() < 100, "the mouth's part of the head"
    noise = spoken_clip(tmp_path / "noise.mp4", NOISE, seconds=0.2)
    with pytest.raises(SourceError, match=r"no face was found .* and no voice"):
        transfer(noise, tmp_path / "none.mp4", character_png, 128, settings=settings)
    assert not (tmp_path / "none.mp4").exists()


def test_hearing_costs_little() -> None:
    voice, sound = Voice(USUAL, RATE_HZ), vowel("a", seconds=2)
    begun_s = time.thread_time()
    for at in range(0, len(sound), 480):
        voice.step(sound[at : at + 480])
    assert (time.thread_time() - begun_s) / 2 < 0.15, "of a core; measured 0.02"
