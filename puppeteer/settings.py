"""One typed tree of settings: default, range, unit and help are declared here once.

The command line (tyro), the profile file (JSON) and the sliders of the studio are all made from this tree, so a
setting has the same dotted name everywhere, for example `motion.mouth_open.gain`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from puppeteer.calibration import Calibration
from puppeteer.errors import SettingsError
from puppeteer.expression import HELD, checked, checked_name
from puppeteer.pose import NUMBERS


def setting(
    default: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    help: str,
    unit: str = "",
    step: float = 0,
    alias: str = "",
    typed: bool = False,
) -> Any:
    """A field with its range (both ends allowed), unit and help text; the ranges are enforced on assignment.

    `alias` is a second, short name on the command line, for the few settings that everybody wants ("--mirror").
    A number that is `typed` has no slider.
    """
    extra: dict[str, Any] = {"unit": unit, "step": step, "alias": alias, "typed": typed}
    return Field(default, ge=low, le=high, description=help, json_schema_extra=extra)


class Tree(BaseModel):
    """Frozen: a change makes a new tree (`model_copy(update=...)` or `replaced`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ParameterSettings(Tree):
    """One number of a pose that a tracker gives, from calibrated value to output."""

    min_cutoff: float = setting(
        1.0, 0.05, 20, unit="Hz", help="slow movements: lower is calmer, higher follows sooner and may tremble"
    )
    beta: float = setting(3.0, 0, 20, help="fast movements: higher follows with less lag")
    gain: float = setting(1.0, 0, 4, help="how far it moves for your movement; 2 is twice as far")
    dead_zone: float = setting(0.0, 0, 0.5, help="smaller movements are ignored, so that nothing trembles at rest")
    range: float = setting(1.0, 0.05, 1, help="the character never goes further than this")


# One group of settings for each number that a tracker gives, from its declaration.
_OF_NUMBERS: dict[str, Any] = {
    declared.name: (ParameterSettings, ParameterSettings(**asdict(declared.filter)))
    for declared in NUMBERS
    if declared.filter is not None
}
_NumberSettings: Any = create_model("_NumberSettings", __base__=Tree, **_OF_NUMBERS)


class MotionSettings(_NumberSettings):  # type: ignore[misc]
    link_eyes: bool = setting(False, help="both eyes always close together; off allows winks")
    mirror: bool = setting(
        False, help="the person's left eye drives the eye on the same side of the screen", alias="--mirror"
    )
    idle: bool = setting(True, help="blink, breathe and sway while no face is seen")
    hold_s: float = setting(0.6, 0, 10, unit="s", help="a lost face: how long the last pose is held")
    rest_s: float = setting(0.8, 0, 10, unit="s", help="a lost face: how long the way to rest takes after that")
    eye_contact: float = setting(
        0.0, 0, 1, help="how much the eyes stay on the viewer while the head turns; 0: only a look aside moves them"
    )
    breath: float = setting(1.0, 0, 1, help="how deep the character breathes")
    body: float = setting(1.0, 0, 2, help="how much the body follows the head, and where you sit in the picture")
    sway: float = setting(1.0, 0, 2, help="how much the body shifts its weight while you sit still")
    body_delay_s: float = setting(0.25, 0, 2, unit="s", help="how long after the head the body turns")
    hair: float = setting(1.0, 0, 3, help="how much hanging hair swings when head and body move")
    hair_rate: float = setting(1.3, 0.3, 4, unit="Hz", help="how often a second hanging hair swings to and fro")
    hair_damping: float = setting(0.4, 0.02, 1, help="how soon hanging hair hangs still again; 1 never swings back")
    return_s: float = setting(0.3, 0, 5, unit="s", help="a face found again: how long the way back to it takes")


class ExpressionSettings(Tree):
    fade_in_s: float = setting(0.2, 0, 5, unit="s", help="an expression: how long it takes to come")
    fade_out_s: float = setting(0.4, 0, 5, unit="s", help="an expression: how long it takes to go")
    together: bool = setting(
        False, help="several expressions at once; off, a new one takes the place of the one before"
    )
    # Made on their page: no leaves, so neither options nor widgets.
    own: dict[str, dict[str, float]] = {}
    held: tuple[str, ...] = HELD  # last only as long as their key is down

    @field_validator("own", mode="after")
    @classmethod
    def _faces_only(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        try:
            return checked(value)
        except SettingsError as error:
            raise ValueError(str(error)) from None

    @field_validator("held", mode="after")
    @classmethod
    def _names_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(dict.fromkeys(checked_name(name) for name in value))
        except SettingsError as error:
            raise ValueError(str(error)) from None


class VoiceSettings(Tree):
    """A microphone that opens the mouth."""

    on: bool = setting(False, help="a microphone opens the mouth too, and alone where no face is seen")
    device: str = setting("", help="name of the microphone; empty takes the system's own")
    gate_db: float = setting(-42.0, -80, -6, unit="dB", help="what is quieter does not open the mouth")
    strength: float = setting(1.0, 0, 4, help="how far your voice opens the mouth; 2 is twice as far")
    alone: bool = setting(
        False, help="the camera never moves the mouth; off, not where it keeps still while you speak, as behind a mask"
    )
    vowels: bool = setting(True, help="the mouth takes the shape of the vowel; off, only loudness counts")


class RemoteSettings(Tree):
    """What acts from outside the window."""

    keys: Literal["off", "with_ctrl_alt", "alone"] = setting(
        "off",
        help="the keys act while another program has the focus too: together with Ctrl+Alt, or alone, so also while "
        "you type there",
    )
    osc: bool = setting(False, help="stream decks and bots on this computer may act, by OSC")
    port: int = setting(39541, 1024, 65535, help="UDP port for OSC, on 127.0.0.1", typed=True)


class PoserSettings(Tree):
    family: Literal["auto", "compact", "tha1", "warp"] = setting(
        "auto",
        help="the networks: auto takes the best that this machine can load; warp needs no network",
        alias="--family",
    )
    device: Literal["auto", "cpu", "cuda"] = setting("auto", help="where the networks run", alias="--device")


SEEN = ("camera", "video")  # kinds of source that give pictures, in which a face is looked for
PLAYED = ("recording", "demo")  # that need no face


class SourceSettings(Tree):
    """What drives the character in the studio."""

    kind: Literal["camera", "video", "recording", "ifacialmocap", "vtube_studio", "openseeface", "vmc", "demo"] = (
        setting(
            "camera",
            help="what drives the character: a webcam, a video file in a loop, recorded motion of a file, a phone or "
            "another program, or the recorded motion that comes along",
            alias="--source",
        )
    )
    camera: str = setting("", help="name of the webcam; empty takes the first one found", alias="--camera")
    video: str = setting("", help="video file that is played in a loop", alias="--video")
    recording: str = setting(
        "", help="recorded motion: a table that track wrote, or a VMD motion, played in a loop", alias="--recording"
    )
    phone: str = setting(
        "", help="address that the app on the phone shows; empty listens to whoever sends first", alias="--phone"
    )
    port: int = setting(
        0, 0, 65535, help="port that phones and programs send to; 0 is the usual one of each app", typed=True
    )
    mapping: str = setting(
        "", help="file of your own in place of inputs/mapping.toml: what blendshapes of phones and programs mean"
    )
    width: int = setting(640, 160, 1920, unit="px", help="width asked of the webcam; more only costs time")
    height: int = setting(480, 120, 1080, unit="px", help="height asked of the webcam")
    rate: int = setting(30, 5, 60, unit="Hz", help="pictures a second asked of the webcam")


class OutputSettings(Tree):
    """What the studio sends."""

    virtual_camera: bool = setting(True, help="send to the virtual camera that OBS, Zoom or Discord see as a webcam")
    device: str = setting("", help="name of the virtual camera; empty takes the first one found")
    browser_source: bool = setting(
        True, help="serve the character, transparent, as a page for the browser source of OBS on this computer"
    )
    shared_texture: bool = setting(
        False, help="share the character with other programs by the graphics card: Spout2 on Windows, Syphon on macOS"
    )
    browser_port: int = setting(
        18777, 1024, 65535, help="port of that page's address; the next one where it is taken", typed=True
    )
    width: int = setting(1280, 160, 1920, unit="px", step=2, help="width of the output")
    height: int = setting(720, 120, 1080, unit="px", step=2, help="height of the output")
    rate: int = setting(30, 5, 60, unit="Hz", help="pictures a second; a slow machine gives as many as it can")
    background: str = setting(
        "#00FF00", help="a colour such as #00FF00, a picture file, or transparent", alias="--background"
    )
    key_colour: str = setting(
        "#00FF00", help="stands for transparent in the virtual camera, which knows no transparency"
    )
    zoom: float = setting(1.0, 0.2, 4, help="size of the character; 1 fills the height of the output")
    offset_x: float = setting(0.0, -1, 1, help="moves the character to the right, in heights of the output")
    offset_y: float = setting(0.0, -1, 1, help="moves the character down, in heights of the output")
    vmc: bool = setting(False, help="send the motion to other programs too, by the VMC protocol")
    vmc_address: str = setting(
        "127.0.0.1", help="where the motion is sent; 127.0.0.1 is this computer, another one has an address of its own"
    )
    vmc_port: int = setting(39540, 1, 65535, help="port that the other program listens to", typed=True)
    detail: int = setting(
        768, 256, 1408, unit="px", step=128, help="the character is drawn at most this large, then enlarged"
    )


class StudioSettings(Tree):
    character: str = setting(
        "", help="picture of the character; empty takes the first that comes along", alias="--character"
    )
    recordings: str = setting("", help="folder for recordings; empty takes the folder Videos")
    show_character: bool = setting(True, help="show the character in the window; it is sent in any case")
    show_preview: bool = setting(True, help="show the camera's picture, with what was found in it, in the window")
    show_speed: bool = setting(False, help="show pictures a second and the delay at the top of the window")
    scale: float = setting(0.0, 0, 3, step=0.25, help="size of text and buttons; 0 takes what the screen asks for")


class Settings(Tree):
    motion: MotionSettings = MotionSettings()
    expressions: ExpressionSettings = ExpressionSettings()
    voice: VoiceSettings = VoiceSettings()
    poser: PoserSettings = PoserSettings()
    remote: RemoteSettings = RemoteSettings()
    source: SourceSettings = SourceSettings()
    output: OutputSettings = OutputSettings()
    studio: StudioSettings = StudioSettings()
    # Measured, not chosen: no leaf, so neither an option nor a slider. `motion.Calibration.asdict`, or None: automatic.
    calibration: dict[str, float] | None = None

    @field_validator("calibration", mode="after")
    @classmethod
    def _faces_only(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if value is not None:
            try:
                Calibration.from_dict(value)
            except SettingsError as error:
                raise ValueError(str(error)) from None
        return value


# A person in front of a camera expects a mirror; a clip that is drawn anew must not be flipped.
STUDIO = Settings(motion=MotionSettings(mirror=True))
