"""What models are painted with: the programs of their shadings, and their textures on the card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from puppeteer.characters.opengl import Context
from puppeteer.models3d import shaders
from puppeteer.models3d.looks import Look
from puppeteer.models3d.model import Material, Texture
from puppeteer.models3d.textures import WHITE, decode, painted, shared_toon
from puppeteer.pose import U8

LIGHT = (0.408, 0.816, 0.408)  # towards MikuMikuDance's light
MTOON_LIGHT = (0.25, 0.45, 0.857)
VIEW = (1 / 128, 1 / 128, -1.0, -1.0)  # of the spec square


class Paint:
    """Programs of a context, and the textures of the model that it holds."""

    def __init__(self, context: Context) -> None:
        self._gl, self._flags = context.gl, context.flags
        self.programs: dict[str, Any] = {
            name: context.program(shaders.VERTEX, source)
            for name, source in (
                ("phong", shaders.PHONG), ("mmd", shaders.MMD), ("mtoon", shaders.MTOON), ("edge", shaders.EDGE),
            )
        }  # fmt: skip
        self.programs["truth"] = context.program(shaders.TRUTH_VERTEX, shaders.TRUTH)
        for name in ("mmd", "mtoon"):
            self.set(name, "light", LIGHT if name == "mmd" else MTOON_LIGHT)
        for name, unit in (("main_map", 0), ("sphere_map", 1), ("toon_map", 2), ("shade_map", 2), ("glow_map", 3)):
            for program in self.programs:
                self.set(program, name, unit)
        self._textures: Sequence[Texture] = ()
        self._pictures: dict[tuple[str, int], Any] = {}
        self._transparent: dict[int, bool] = {}

    def load(self, textures: Sequence[Texture]) -> None:
        """Takes those of another model; each goes to the card when it is first needed."""
        for made in self._pictures.values():
            made.release()
        self._textures, self._pictures, self._transparent = textures, {}, {}

    def set(self, program: str, name: str, value: Any) -> None:
        if name in self.programs[program]:
            self.programs[program][name].value = value

    def picture(self, kind: str, index: int, fallback: U8 = WHITE) -> Any:
        """A texture of the model on the card, decoded when it is first needed."""
        key = (kind, index)
        if key not in self._pictures:
            texture = self._textures[index] if kind == "file" and index >= 0 else None
            rgba = shared_toon(index) if kind == "toon" else painted(texture) if texture is not None else None
            if rgba is None:
                rgba = fallback
            made = self._gl.texture((rgba.shape[1], rgba.shape[0]), 4, np.ascontiguousarray(rgba).tobytes())
            made.repeat_x = made.repeat_y = texture.repeat if texture is not None else False
            smooth = texture is None or texture.smooth
            near, line = self._flags.NEAREST, self._flags.LINEAR
            if texture is not None:
                made.build_mipmaps()
            made.filter = (
                self._flags.LINEAR_MIPMAP_LINEAR if texture is not None else line,
                line if smooth else near,
            )
            self._pictures[key] = made
        return self._pictures[key]

    def cut_out(self, material: Material) -> bool:
        """Whether the texture has holes, so that lines follow what it shows and not the triangles."""
        if material.texture not in self._transparent:
            rgba = decode(self._textures[material.texture]) if material.texture >= 0 else None
            self._transparent[material.texture] = rgba is not None and bool((rgba[..., 3] < 128).any())
        return self._transparent[material.texture]

    def surface(self, name: str, material: Material, look: Look) -> None:
        """Into use what a program paints a material with."""
        self.picture("file", material.texture).use(0)
        values: dict[str, Any] = {
            "view": VIEW,
            "expand": 0.0,
            "uv_transform": look.uv,
            "base": look.base,
            "factor": look.texture,
            "cutoff": material.cutoff,
            "opaque": float(material.opaque),
            "sphere_mode": material.sphere_mode if material.sphere >= 0 else 0,
            "sphere_factor": look.sphere,
            "specular": look.specular,
            "toon_factor": look.toon,
        }
        if material.sphere >= 0:
            self.picture("file", material.sphere).use(1)
        if name == "mmd":
            shown = material.toon >= 0 or material.shared_toon >= 0
            values["toon_shown"] = float(shown)
            if shown:
                key = ("file", material.toon) if material.toon >= 0 else ("toon", material.shared_toon)
                toon = self.picture(*key)
                toon.repeat_x = toon.repeat_y = False
                toon.use(2)
        elif name == "mtoon" and material.mtoon is not None:
            m = material.mtoon
            self.picture("file", m.shade_texture).use(2)
            self.picture("file", m.emission_texture).use(3)
            values |= {
                "shade": m.shade,
                "border": (m.shift, m.toony),
                "glow": m.emission,
                "rim": m.rim,
                "rim_shape": (m.rim_power, m.rim_lift),
                "unlit": float(m.unlit),
            }
        for key_name, value in values.items():
            self.set(name, key_name, value)

    def outline(self, material: Material, look: Look, width: float) -> None:
        """Into use what a line of that width is drawn with."""
        self.set("edge", "expand", width)
        self.set("edge", "line", look.edge)
        self.set("edge", "opaque", float(material.opaque or not self.cut_out(material)))
        self.set("edge", "cutoff", material.cutoff)
        self.set("edge", "uv_transform", look.uv)
        self.set("edge", "view", VIEW)
        self.picture("file", material.texture).use(0)
