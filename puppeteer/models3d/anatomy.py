"""Where a model's head, face and joints are: by the names of its bones, else by what its morphs move. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.model import EYE, MOUTH, Model, below
from puppeteer.models3d.names import HUMANOID, bone_hint
from puppeteer.models3d.skinning import resolved
from puppeteer.pose import F32

Point = tuple[float, float, float]
SMALLEST_MOVE = 0.002  # of the model's height: less is rounding
# Of the whole head's height, the part below what has bones of its own. More is hair as thick as it is; less is no
# skull, but a face whose hair hangs on other bones.
SKULL_SHARE = (0.72, 0.88)
STRAY = 0.05  # of the head's height: thinner things that stand off the skull are strands
_GRID = 256  # of the outline from which the top of the skull is taken
_TOP_SPAN = 0.16  # of the head's width on either side of the middle: there the skull's outline is nearly flat


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """What one morph does at full weight, in the model's units."""

    rows: NDArray[np.int64]  # vertices that move
    by: F32  # (n, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """A head that was found. Heights and places in the model's units and our axes."""

    top: float  # of the skull, hair included
    chin: float
    middle: float  # x
    neck_root: Point
    neck_tip: Point
    bones: dict[str, int]  # `names.BONES` that the model has
    on_head: NDArray[np.bool_]  # (V,) vertices that hang on the head
    sure: float  # 0 to 1

    @property
    def height(self) -> float:
        return self.top - self.chin


def moves(model: Model) -> list[Move]:
    """What each morph moves, groups resolved. Bone morphs count with what they carry."""
    out = []
    for index in range(len(model.morphs)):
        rows, parts = [], []
        for member, weight in resolved(model, {index: 1.0}).items():
            morph = model.morphs[member]
            if morph.vertices.size and weight:
                rows.append(morph.vertices.astype(np.int64))
                parts.append(morph.offsets * np.float32(weight))
            for bone, shift, _ in morph.bones:
                carried = np.flatnonzero((model.skin_bones[:, 0] == bone) & (model.skin_weights[:, 0] > 0.5))
                if carried.size and any(shift):
                    rows.append(carried)
                    parts.append(np.tile(np.array(shift, np.float32) * np.float32(weight), (carried.size, 1)))
        if not rows:
            out.append(Move(np.zeros(0, np.int64), np.zeros((0, 3), np.float32)))
            continue
        every, inverse = np.unique(np.concatenate(rows), return_inverse=True)
        by = np.zeros((len(every), 3), np.float32)
        np.add.at(by, inverse, np.concatenate(parts))
        out.append(Move(every, by))
    return out


def named_bones(model: Model) -> dict[str, int]:
    """The bones of `names.BONES`: of VRM by its humanoid, of the others by name; the first of several."""
    found = {key: model.humanoid[name] for key, name in HUMANOID.items() if name in model.humanoid}
    if model.humanoid:
        return found
    for english in (False, True):
        for index, bone in enumerate(model.bones):
            meaning = bone_hint(bone.english if english else bone.name)
            if meaning is not None:
                found.setdefault(meaning, index)
    return found


def find(model: Model, moved: list[Move]) -> Anatomy | None:
    """The head; None where nothing looks like one."""
    bones = named_bones(model)
    sure = 1.0
    if "head" not in bones:
        guessed = _head_by_morphs(model, moved)
        if guessed is None:
            return None
        bones["head"], sure = guessed, 0.5
    head = bones["head"]
    if "neck" not in bones or bones["neck"] == head:
        bones["neck"] = max(model.bones[head].parent, -1)
        sure = min(sure, 0.7)
    hangs = below(model, head)
    weight = np.where(hangs[model.skin_bones], model.skin_weights, 0).sum(1)
    on_head = weight > 0.5
    drawn = np.zeros(len(on_head), bool)
    drawn[model.triangles] = True
    on_head &= drawn
    if on_head.sum() < 8:
        return None
    face = _face(model, moved, on_head)
    dominant = model.skin_bones[np.arange(len(on_head)), model.skin_weights.argmax(1)]
    box = _box(model, on_head, face, on_head & (dominant == head))
    if box is None:
        return None
    top, chin, middle = box
    tip = model.bones[head].position
    root = model.bones[bones["neck"]].position if bones["neck"] >= 0 else (tip[0], tip[1] - 0.3 * (top - chin), tip[2])
    if np.linalg.norm(np.subtract(root, tip)) > 2 * (top - chin):
        root = (tip[0], tip[1] - 0.3 * (top - chin), tip[2])
    if not face.any():
        sure = min(sure, 0.4)
    return Anatomy(top, chin, middle, root, tip, bones, on_head, sure)


def _head_by_morphs(model: Model, moved: list[Move]) -> int | None:
    """The bone that carries most of what eye and mouth morphs (else all morphs) move."""
    face = [k for k, morph in enumerate(model.morphs) if morph.panel in (EYE, MOUTH)] or range(len(model.morphs))
    votes: Counter[int] = Counter()
    for k in face:
        rows = moved[k].rows
        if rows.size:
            bone = np.bincount(model.skin_bones[rows].ravel(), model.skin_weights[rows].ravel()).argmax()
            votes[int(bone)] += 1
    return votes.most_common(1)[0][0] if votes else None


def _face(model: Model, moved: list[Move], on_head: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(V,) vertices of the materials that mouths belong to: those where most morphs of the face move something."""
    face = np.zeros(len(on_head), bool)
    if not model.morphs:
        return face
    owner = np.full(len(on_head), -1)
    for index, material in enumerate(model.materials):
        owner[model.triangles[material.first : material.first + material.count]] = index
    votes = np.zeros(len(model.materials) + 1)
    for move in moved:
        rows = move.rows[on_head[move.rows]]
        if rows.size > 8 and rows.size < 0.7 * on_head.sum():
            votes += np.bincount(owner[rows] + 1, minlength=len(votes)) > 0.25 * rows.size
    votes[0] = 0
    if votes.max() > 0:
        face = np.isin(owner, np.flatnonzero(votes >= 0.5 * votes.max()) - 1) & on_head
    return face


def _box(
    model: Model, on_head: NDArray[np.bool_], face: NDArray[np.bool_], stiff: NDArray[np.bool_]
) -> tuple[float, float, float] | None:
    """Top of the skull, chin, and x of the middle."""
    p = model.positions
    source = face if face.any() else on_head
    xs = p[source, 0]
    middle = 0.0 if abs(np.median(xs)) < 0.2 * np.ptp(xs) else float(np.median(xs))
    width = float(np.ptp(p[source, 0]))
    if width <= 0:
        return None
    near = source & (np.abs(p[:, 0] - middle) < 0.08 * width)
    if not near.any():
        near = source
    front = p[near, 2] > np.median(p[source, 2]) - 0.1 * np.ptp(p[source, 2])
    chin = float(p[near, 1][front].min() if front.any() else p[near, 1].min())
    top = _skull_top(model, on_head, middle, chin)
    # what has bones of its own on the head may be a bun, a bow, an animal's ear
    own = _skull_top(model, stiff, middle, chin) if stiff.any() else top
    if SKULL_SHARE[0] < (own - chin) / max(top - chin, 1e-9) < SKULL_SHARE[1]:
        top = own
    return (top, chin, middle) if top > chin else None


def _skull_top(model: Model, on_head: NDArray[np.bool_], middle: float, chin: float) -> float:
    """Height of the head's outline near its middle: the median over columns passes by stray hair, ears, ribbons."""
    triangles = model.triangles[on_head[model.triangles].all(1)]
    p = model.positions[:, :2]
    if not len(triangles):
        return float(p[on_head, 1].max())
    corners = p[triangles]
    top = float(corners[..., 1].max())
    side = max(top - chin, 1e-6)
    scale = _GRID / (1.25 * side)
    pixels = np.stack([(corners[..., 0] - middle) * scale + _GRID / 2, (top - corners[..., 1]) * scale + 8], -1)
    mask = np.zeros((_GRID + 16, _GRID), np.uint8)
    inside = (np.abs(pixels[..., 0] - _GRID / 2) < _GRID).all(1)
    fixed = np.round(pixels[inside] * 16).astype(np.int32)
    for triangle in fixed:
        cv2.fillConvexPoly(mask, triangle, 1, shift=4)
    span = round(_TOP_SPAN * _GRID / 1.25)
    columns = mask[:, _GRID // 2 - span : _GRID // 2 + span]
    filled = columns.any(0)
    if not filled.any():
        return top
    thick = round(STRAY * _GRID / 1.25)  # a loose strand has air under it
    solid = cv2.erode(columns, np.ones((thick, 1), np.uint8), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    if solid.any(0).mean() > 0.5:
        columns, filled = solid, solid.any(0)
    rows = columns[:, filled].argmax(0)
    return float(top - (np.median(rows) - 8) / scale)
