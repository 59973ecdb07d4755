"""One typed tree of settings: default, range, unit and help are declared here once.

The command line (tyro), the profile file (JSON) and the sliders of the studio are all made from this tree, so a
setting has the same dotted name everywhere, for example `motion.eyes.min_cutoff`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def setting(
    default: Any, low: float | None = None, high: float | None = None, *, help: str, unit: str = "", step: float = 0
) -> Any:
    """A field with its range (both ends allowed), unit and help text; the ranges are enforced on assignment."""
    extra: dict[str, Any] = {"unit": unit, "step": step}
    return Field(default, ge=low, le=high, description=help, json_schema_extra=extra)


class Tree(BaseModel):
    """Frozen: a change makes a new tree (`model_copy(update=...)` or `replaced`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ParameterSettings(Tree):
    """One of the six numbers of a pose, from calibrated value to output."""

    min_cutoff: float = setting(1.5, 0.05, 20, unit="Hz", help="One Euro filter: lower is steadier at rest")
    beta: float = setting(0.5, 0, 20, help="One Euro filter: higher follows fast moves with less lag")
    gain: float = setting(1.0, 0, 4, help="multiplies the calibrated value")
    dead_zone: float = setting(0.0, 0, 0.5, help="movements smaller than this are ignored")


class MotionSettings(Tree):
    eye_left: ParameterSettings = ParameterSettings(min_cutoff=4.0, beta=5.0)
    eye_right: ParameterSettings = ParameterSettings(min_cutoff=4.0, beta=5.0)
    mouth_open: ParameterSettings = ParameterSettings(min_cutoff=3.0, beta=3.0)
    neck_z: ParameterSettings = ParameterSettings()
    neck_x: ParameterSettings = ParameterSettings()
    neck_y: ParameterSettings = ParameterSettings()
    link_eyes: bool = setting(False, help="both eyes always close together; off allows winks")
    mirror: bool = setting(False, help="the person's left eye drives the eye on the same side of the screen")
    idle: bool = setting(True, help="blink, breathe and sway while no face is seen")


class PoserSettings(Tree):
    family: Literal["auto", "compact", "tha1", "warp"] = setting(
        "auto", help="the networks: auto takes the best that this machine can load; warp needs no network"
    )
    device: Literal["auto", "cpu", "cuda"] = setting("auto", help="where the networks run")


class Settings(Tree):
    motion: MotionSettings = MotionSettings()
    poser: PoserSettings = PoserSettings()
