"""A recipe's colours, light and lines as the uniforms of the shaders. Pure."""

from __future__ import annotations

import math
from typing import Any

from puppeteer import relief
from puppeteer.characters.mesh import TIP_Z
from puppeteer.characters.recipe import IRISES, IRISES_TEST, Colour, Recipe

_DESIGNS = {name: i for i, name in enumerate((*IRISES, *IRISES_TEST))}


def _share(a: Colour, b: Colour) -> Colour:
    return (min(1.0, a[0] / max(b[0], 0.05)), min(1.0, a[1] / max(b[1], 0.05)), min(1.0, a[2] / max(b[2], 0.05)))


def look(r: Recipe) -> dict[str, Any]:
    """Name and value of every uniform that a character sets once; programs take those that they know."""
    s, h, e, b, f = r.style, r.hair, r.eyes, r.body, r.face
    length = math.sqrt(sum(v * v for v in s.light))
    away = (9.0, 9.0, 0.1, 0.1)
    return {
        "root": (*r.root_xy, 0.0),
        "tip": (*r.tip_xy, TIP_Z),
        "relief": (relief.TURN_RELIEF, relief.NOD_RELIEF, relief.BACK_RELIEF),
        "squash": (relief.OUTLINE_SQUASH, relief.SQUASH_DEPTH),
        "axes": (relief.TURN_DEPTH, relief.NOD_DEPTH),
        "hips": (*relief.HIPS, 0.0),
        "breathing": (relief.BREATH_PX, relief.BREATH_HALF_WIDTH, *relief.BREATH_ROWS),
        "turning": (relief.BODY_RELIEF, relief.HEAD_RELIEF),
        "empty": 0.0,
        "light": tuple(v / length for v in s.light),
        "softness": s.softness,
        "strength": s.shade_strength,
        "texture_strength": s.texture,
        "noise": 0,
        "shade_map": 1,
        "neutral": 2,
        "skin": r.skin,
        "skin_shadow": r.skin_shadow,
        "blush": f.blush_colour,
        "blush_strength": f.blush,
        "blush_spot": (e.spacing + 3.5, e.y + e.lower + 4.5, 8.0, 4.4),
        "face": (f.nose_y, e.y, r.mouth.y, f.glow),
        "planes": f.planes,
        "shade_shift": s.shadow_shift,
        "hair_shadow": s.hair_shadow,
        "neck_shadow": 0.5 + 0.5 * max(s.shade_strength, s.hair_shadow),
        "cloth": b.cloth,
        "trim": b.trim,
        # shadows on cloth are cool, and on white cloth bluish
        "cloth_shadow": (0.72, 0.70, 0.84),
        "folds": b.folds,
        "neckline": b.neckline,
        "trim_width": b.trim_width,
        "bare": b.bare,
        "straps": float(b.straps or b.outfit == "camisole"),
        "neck_y": 208.0,
        "hair_root": h.root,
        "hair_mid": h.mid,
        "hair_tip": h.tip,
        "hair_inner": h.inner,
        "hair_shadow_colour": _share(h.shadow, h.mid),
        "hair_light": h.light,
        "strands": h.strands,
        "jacket": b.jacket,
        "braces": b.braces,
        "inner": b.inner,
        "accent": b.accent,
        "hair_line": h.line,
        "band": h.band,
        "streaks": h.streaks,
        "line_width": s.line_width,
        "line_alpha": s.hair_line,
        "opacity": 1.0,
        "iris_top": e.top,
        "iris_bottom": e.bottom,
        "iris_bottom_left": e.other or e.bottom,
        "iris_rim": e.rim,
        "sclera": e.sclera,
        "pupil": e.pupil,
        "glow": e.glow,
        "design": _DESIGNS[e.iris],
        "lights": [*e.highlights, *[away] * (3 - len(e.highlights))],
    }
