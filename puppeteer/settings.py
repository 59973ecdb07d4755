"""One typed tree of settings: default, range, unit and help are declared here once.

The command line (tyro), the profile file (JSON) and the sliders of the studio are all made from this tree, so a
setting has the same dotted name everywhere, for example `motion.mouth_open.gain`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator

from puppeteer.calibration import Calibration
from puppeteer.errors import SettingsError
from puppeteer.expression import HELD, checked, checked_name
from puppeteer.files import whole
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
    body_delay_s: float = setting(0.25, 0, 2, unit="s", help="how long after the head the body turns")
    hair: float = setting(1.0, 0, 3, help="how much hanging hair swings when head and body move")
    hair_rate: float = setting(1.3, 0.3, 4, unit="Hz", help="how often a second hanging hair swings to and fro")
    hair_damping: float = setting(0.25, 0.02, 1, help="how soon hanging hair hangs still again; 1 never swings back")
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
    alone: bool = setting(False, help="the camera does not move the mouth: for one behind a microphone or a mask")
    vowels: bool = setting(True, help="the mouth takes the shape of the vowel; off, only loudness counts")


class RemoteSettings(Tree):
    """What acts from outside the window."""

    keys: Literal["off", "with_ctrl_alt", "alone"] = setting(
        "off",
        help="the keys act while another program has the focus too: together with Ctrl+Alt, or alone, so also while "
        "you type there",
    )
    osc: bool = setting(False, help="stream decks and bots on this computer may act, by OSC")
    port: int = setting(39541, 1024, 65535, help="UDP port for OSC, on 127.0.0.1")


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
    browser_port: int = setting(18777, 1024, 65535, help="port of that page's address; the next one where it is taken")
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


# What is no leaf and yet kept in a profile, by dotted name.
KEPT = ("calibration", "expressions.own", "expressions.held")

# A person in front of a camera expects a mirror; a clip that is drawn anew must not be flipped.
STUDIO = Settings(motion=MotionSettings(mirror=True))


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting as the command line, a profile and a slider see it."""

    name: str  # dotted: "motion.eye_left.min_cutoff"
    type: Any  # bool, int, float, str or a Literal
    value: Any  # in the tree that was asked
    default: Any
    low: float | None  # both ends of the range are allowed
    high: float | None
    unit: str
    step: float  # of a slider; 0 is continuous
    help: str
    alias: str  # "--mirror", or ""
    typed: bool = False  # a number that needs no slider

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a Literal; otherwise empty."""
        return get_args(self.type)

    @property
    def allowed(self) -> str:
        """What a value may be, in words: "0.05 to 20 Hz"."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.type is bool:
            return "true or false"
        kind = {int: "a whole number", float: "a number"}.get(self.type, "text")
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}{unit}"
        if self.low is not None:
            return f"{kind} of at least {self.low:g}{unit}"
        if self.high is not None:
            return f"{kind} of at most {self.high:g}{unit}"
        return kind + (f" ({self.unit})" if self.unit else "")


def leaves(settings: Settings | None = None, defaults: Settings | None = None) -> tuple[Leaf, ...]:
    """Every setting of the tree, in the order of declaration; `defaults` is STUDIO in the studio."""
    defaults = defaults or Settings()
    return tuple(_leaves(settings or defaults, defaults, ""))


def _leaves(tree: Tree, default: Tree, prefix: str) -> Iterator[Leaf]:
    for name, field in type(tree).model_fields.items():
        value = getattr(tree, name)
        if not isinstance(value, Tree) and field.description is None:  # kept with the settings, not one of them
            continue
        if isinstance(value, Tree):
            yield from _leaves(value, getattr(default, name), f"{prefix}{name}.")
            continue
        bounds = {key: getattr(item, key) for item in field.metadata for key in ("ge", "le") if hasattr(item, key)}
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        yield Leaf(
            name=prefix + name,
            type=field.annotation,
            value=value,
            default=getattr(default, name),
            low=bounds.get("ge"),
            high=bounds.get("le"),
            unit=str(extra.get("unit", "")),
            step=float(str(extra.get("step", 0))),
            help=field.description or "",
            alias=str(extra.get("alias", "")),
            typed=bool(extra.get("typed", False)),
        )


def value_of(settings: Settings, name: str) -> Any:
    """What a leaf, or one of KEPT, is."""
    here: Any = settings
    for part in name.split("."):
        here = getattr(here, part)
    return here


def set_by_name(settings: Settings, name: str, value: Any) -> Settings:
    """A new tree with one setting, or one of KEPT, changed. Raises SettingsError for an unknown name or a value out of
    range."""
    if name not in {*KEPT, *(leaf.name for leaf in leaves())}:
        raise SettingsError(_unknown(name))
    data = settings.model_dump()
    *branches, last = name.split(".")
    here = data
    for branch in branches:
        here = here[branch]
    here[last] = value
    return settings_from(data)


def settings_from(data: Any, defaults: Settings | None = None) -> Settings:
    """The tree from nested dictionaries; what is left out has its default. Raises SettingsError with one sentence."""
    try:
        settings = Settings.model_validate(data)
        if defaults is not None:
            settings = Settings.model_validate(_merged(defaults.model_dump(), settings.model_dump(exclude_unset=True)))
        return settings
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(dict(item)) for item in error.errors()[:3])) from None


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`below` with what `above` has; groups are merged, all else is replaced."""
    merged = dict(below)
    for name, value in above.items():
        group = isinstance(value, dict) and isinstance(merged.get(name), dict) and name != "calibration"
        merged[name] = _merged(merged[name], value) if group else value
    return merged


def _sentence(error: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    said = str(error.get("ctx", {}).get("error", ""))
    if said and name in KEPT:
        return said
    if error["loc"][:1] == ("calibration",):
        return f"{name} is {json.dumps(error['input'], default=str)}: calibrate again"
    if error["loc"][:2] in (("expressions", "own"), ("expressions", "held")):
        return f"{name} is {json.dumps(error['input'], default=str)}: it must be {_OF_EXPRESSIONS[error['loc'][1]]}"
    if error["type"] == "extra_forbidden":
        return _unknown(name)
    leaf = next((leaf for leaf in leaves() if leaf.name == name), None)
    if leaf is None:
        what = f"{name} is" if name else "the settings are"
        return f"{what} {json.dumps(error['input'], default=str)}: it must be a group of settings in braces"
    return f"{name} is {json.dumps(error['input'], default=str)}: it must be {leaf.allowed}"


_OF_EXPRESSIONS = {"own": 'names with numbers of a pose, as {"grumpy": {"brow_form": -1}}', "held": "a list of names"}


def _unknown(name: str) -> str:
    """The sentence for a setting that does not exist, with the nearest that does."""
    names = [leaf.name for leaf in leaves()]
    groups = {name.rsplit(".", depth)[0] for name in names for depth in range(1, name.count(".") + 1)}
    near = difflib.get_close_matches(name, [*names, *sorted(groups)], n=1, cutoff=0.5)
    if not near:  # the last word may be right although the way to it is not
        last = {full.rsplit(".", 1)[-1]: full for full in reversed(names)}
        near = [last[word] for word in difflib.get_close_matches(name.rsplit(".", 1)[-1], last, n=1, cutoff=0.6)]
    return f"there is no setting {name}" + (f": did you mean {near[0]}?" if near else "")


def load_profile(path: Path, defaults: Settings | None = None) -> Settings:
    """The tree from a profile file (JSON); `defaults` (STUDIO in the studio) gives what the file leaves out.

    Raises SettingsError that names the file and what is wrong in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows add the mark
    except FileNotFoundError:
        raise SettingsError(f"there is no profile {path}: check the name") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SettingsError(f"the profile {path} cannot be read ({reason}): choose another file") from None
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else "nested too deep"
        raise SettingsError(f"the profile {path} is not JSON ({where}): mend it or start without it") from None
    try:
        return settings_from(data, defaults)
    except SettingsError as error:
        raise SettingsError(f"the profile {path} is wrong: {error}") from None


def save_profile(path: Path, settings: Settings) -> None:
    """Writes every setting as JSON, atomically. Raises SettingsError where the folder cannot be written."""
    text = json.dumps(settings.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"the profile {path} cannot be written ({error.strerror}): choose another folder") from None
