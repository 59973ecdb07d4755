"""What `info` prints of a model."""

from __future__ import annotations

from typing import Any

from puppeteer.models3d.annotation import Annotation, Study
from puppeteer.models3d.model import Model


def _row(point: tuple[float, ...]) -> list[float]:
    return [round(float(v), 5) + 0.0 for v in point]


def own_axes(model: Model, point: tuple[float, float, float]) -> list[float]:
    """A place of ours in the axes of the file."""
    x, y, z = point
    if model.format == "VRM 1.0":
        return _row((x, y, z))
    return _row((-x, y, -z) if model.format.startswith("VRM") else (x, y, -z))


def describe(found: Study, annotation: Annotation | None = None) -> dict[str, Any]:
    """JSON of format, name, counts, head box, joints and the meaning of morphs. Places are in the file's own axes."""
    model, a = found.model, annotation or found.annotation
    out: dict[str, Any] = {
        "format": model.format,
        "name": model.name,
        "vertices": len(model.positions),
        "triangles": len(model.triangles),
        "materials": len(model.materials),
        "textures": len(model.textures),
        "bones": len(model.bones),
        "morphs_in_file": len(model.morphs),
        "hanging_bones": len(model.hanging),
        "head_box": None,
        "joints": {},
        "morphs": {},
        "sure": {},
        "missing": [],
        "unsure": [],
        "notes": list(model.notes),
    }
    if a is None:
        out["notes"].append("no head was found: the model is shown as a whole")
        return out
    anatomy = found.anatomy
    assert anatomy is not None
    out["head_box"] = {"top": round(a.top, 5), "chin": round(a.chin, 5), "height": round(a.top - a.chin, 5)}
    out["joints"] = {"neck_root": own_axes(model, a.neck_root), "neck_tip": own_axes(model, a.neck_tip)}
    out["bones_by_meaning"] = {
        name: model.bones[index].name for name, index in sorted(anatomy.bones.items()) if index >= 0
    }
    for meaning, choice in a.morphs.items():
        out["morphs"][meaning] = model.morphs[choice.morph].name
        out["sure"][meaning] = choice.sure
    out["sure"]["head_box"] = a.sure
    out["split_at_middle"] = sorted(name for name, choice in a.morphs.items() if choice.side != "whole")
    out["missing"], out["unsure"] = a.missing, a.unsure
    return out
