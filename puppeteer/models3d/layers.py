"""Which layer each vertex of a model belongs to, by the bones it hangs on and the material that paints it. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.annotation import Study
from puppeteer.models3d.model import below
from puppeteer.pose import F32, U8

NOTHING, BODY, NECK, FACE, EYES, FRINGE, SIDE_HAIR, BACK_HAIR = 0, 5, 6, 7, 8, 9, 10, 11
LAYERS = {"body": BODY, "neck": NECK, "face": FACE, "eyes": EYES, "fringe": FRINGE, "side hair": SIDE_HAIR,
          "back hair": BACK_HAIR}  # fmt: skip
PARTS: U8 = np.zeros(16, np.uint8)  # of training: 1 body, 2 head, 3 back hair
PARTS[[BODY, NECK]] = 1
PARTS[[FACE, EYES, FRINGE, SIDE_HAIR]] = 2
PARTS[BACK_HAIR] = 3


def labels(
    found: Study, rows: NDArray[np.int64], triangles: NDArray[np.int32], numbers: NDArray[np.int64]
) -> F32:
    """(len(rows),) the layer of each vertex in `rows`.

    `triangles` (T, 3) index into `rows`, `numbers` (T,) are their numbers in the model.
    """
    model, anatomy, annotation = found.model, found.anatomy, found.annotation
    out = np.full(len(rows), BODY, np.float32)
    if anatomy is None or annotation is None:
        return out
    on_head = anatomy.on_head[rows]
    p, height = model.positions[rows], annotation.top - annotation.chin
    face = np.zeros(len(model.materials), bool)
    eyes = np.zeros(len(model.materials), bool)
    owner = np.zeros(len(rows), np.int64)
    for index, material in enumerate(model.materials):
        mine = (numbers >= material.first) & (numbers < material.first + material.count)
        owner[triangles[mine].ravel()] = index
    chosen = {choice.morph for name, choice in annotation.morphs.items() if not name.startswith("look")}
    for morph in chosen:
        moved = np.isin(rows, found.moved[morph].rows)
        for index in range(len(face)):
            mine = owner == index
            face[index] |= bool(mine.any()) and moved[mine].mean() > 0.02
    eye_bones = [anatomy.bones[name] for name in ("left_eye", "right_eye") if name in anatomy.bones]
    rolls = np.zeros(len(rows), bool)
    for bone in eye_bones:
        rolls |= below(model, bone)[model.skin_bones[rows, 0]] & (model.skin_weights[rows, 0] > 0.5)
    for index in range(len(face)):
        mine = owner == index
        if mine.any() and rolls[mine].mean() > 0.5:
            eyes[index] = True
    of_face = face[owner] | eyes[owner]
    out[on_head & of_face] = FACE
    out[on_head & (eyes[owner] | rolls)] = EYES
    hair = on_head & ~of_face
    tip = np.array(annotation.neck_tip)
    half = 0.5 * np.ptp(p[on_head & of_face, 0]) if (on_head & of_face).any() else 0.35 * height
    front = p[:, 2] > tip[2] + 0.15 * height
    behind = p[:, 2] < tip[2] - 0.1 * height
    out[hair] = SIDE_HAIR
    out[hair & front & (np.abs(p[:, 0] - annotation.middle) < 0.8 * half)] = FRINGE
    out[hair & behind & (p[:, 1] < annotation.chin + 0.65 * height)] = BACK_HAIR
    neck = anatomy.bones["neck"]
    if neck >= 0:
        weight = np.where(model.skin_bones[rows] == neck, model.skin_weights[rows], 0).sum(1)
        out[~on_head & (weight > 0.5)] = NECK
    return out
