"""Which morph closes which eye, opens the mouth, moves brows: names propose, what really moves decides. Pure.

Every morph is measured where eyes, brows and mouth are: how far it moves the left and the right side down and up, and
where else. A morph whose name says left and that closes the right eye is the right eye's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.anatomy import Anatomy, Move
from puppeteer.models3d.model import BROW, EYE, MOUTH, Model
from puppeteer.models3d.names import PRESETS, morph_hint
from puppeteer.pose import F32

MEANINGS = ("eyes", "eyes_smile", "eye_left", "eye_right", "eye_left_smile", "eye_right_smile", "lower_lids",
            "eye_wide", "mouth_a", "mouth_i", "mouth_u", "mouth_e", "mouth_o", "mouth_smile", "mouth_frown",
            "brow_up", "brow_down", "brow_troubled", "brow_angry",
            "look_up", "look_down", "look_left", "look_right")  # fmt: skip
SMILE_BORDER = (0.42, 0.8, 0.25)  # lower lid up against upper lid down: without a name, named plain, named smile
NEEDED = ("eye_left", "eye_right", "mouth_a")  # a model without one of these is left out of data
SURE = 0.6  # below it a person is asked
UNNAMED = 0.4  # of a score: less is not believed where no name says the same


@dataclass(frozen=True, slots=True)
class Choice:
    """One morph for one meaning."""

    morph: int
    sure: float  # 0 to 1
    side: str = "whole"  # or "left", "right": only what it moves on that side of x = 0


@dataclass(frozen=True, slots=True)
class Face:
    """Where eyes and mouth are, in parts of the head's height above the chin; x from the middle."""

    eye_x: float
    eye_y: float
    eye_half: float  # half the width of one
    mouth_y: float


@dataclass(frozen=True, slots=True)
class Measures:
    """One morph against the face, in parts of the head's height; pairs are (left, right)."""

    down: tuple[float, float]  # how far the lids come down
    up: tuple[float, float]  # how far lower lids go up
    eye_share: float  # of all motion, in the eyes' boxes
    brow_share: float
    mouth_share: float
    vertical: float  # share of motion along y
    lean: float  # of all motion, on the left: 0 to 1
    opens: float  # lower lip down against upper lip up
    widens: float  # corners of the mouth outwards
    corners: float  # corners of the mouth up
    brow_up: float
    brow_form: float  # inner ends up against outer ends
    drift: tuple[float, float]  # mean x, y of what moves in the eyes
    count: int  # of vertices that move


def locate(model: Model, moved: list[Move], anatomy: Anatomy) -> Face | None:
    """By the morphs that blink and open the mouth by name or preset; without these by the panels of PMX, or by how
    blinks look. None where there is neither."""
    eyes, mouths = [], []
    presets = {index: name for name, index in model.presets.items()}
    for k, morph in enumerate(model.morphs):
        hint = morph_hint(morph.name, morph.english)
        preset = presets.get(k)
        if preset in ("blink", "blinkLeft", "blinkRight") or (hint and hint[0] in ("eyes", "eye_left", "eye_right")):
            eyes.append(k)
        elif preset in ("aa", "oh") or (hint and hint[0] in ("mouth_a", "mouth_o")):
            mouths.append(k)
    boxes = {k: box for k in range(len(moved)) if (box := _extent(model, moved[k], anatomy)) is not None}
    plausible = [k for k in eyes if k in boxes and _blinks(boxes[k])]
    if not plausible:
        panel = {k for k in boxes if model.morphs[k].panel == EYE}
        plausible = [k for k in (panel or boxes) if _blinks(boxes[k])]
    if not plausible:
        return None
    picked = np.concatenate([boxes[k][_strong(boxes[k])] for k in plausible])
    side = np.abs(picked[:, 0])
    eye_x, eye_y = float(np.median(side)), float(np.median(picked[:, 1]))
    half = max(float(np.percentile(side, 90) - np.percentile(side, 10)) / 2, 0.03)
    mouth = [k for k in mouths if k in boxes and _opens(boxes[k], eye_y)]
    if not mouth:
        panel = {k for k in boxes if model.morphs[k].panel == MOUTH}
        mouth = [k for k in (panel or boxes) if _opens(boxes[k], eye_y)]
    heights = [float(np.median(boxes[k][_strong(boxes[k]) & (np.abs(boxes[k][:, 0]) < 0.15)][:, 1])) for k in mouth
               if (_strong(boxes[k]) & (np.abs(boxes[k][:, 0]) < 0.15)).any()]  # fmt: skip
    mouth_y = float(np.median(heights)) if heights else eye_y * 0.45
    return Face(eye_x, eye_y, half, min(mouth_y, eye_y - 0.08))


def _extent(model: Model, move: Move, anatomy: Anatomy) -> F32 | None:
    """(n, 5) x, y of what a morph moves on the head at rest, and dx, dy, dz, all in parts of the head's height."""
    keep = anatomy.on_head[move.rows] & (np.abs(move.by).max(1) > 0.002 * anatomy.height)
    if keep.sum() < 3:
        return None
    p = model.positions[move.rows[keep]]
    place = np.stack([p[:, 0] - anatomy.middle, p[:, 1] - anatomy.chin], 1)
    return np.asarray(np.concatenate([place, move.by[keep]], 1) / anatomy.height, np.float32)


def _strong(box: F32) -> NDArray[np.bool_]:
    length = np.linalg.norm(box[:, 2:], axis=1)
    return np.asarray(length > 0.3 * np.percentile(length, 95))


def _blinks(box: F32) -> bool:
    """Something beside the middle comes down, and nothing in the middle moves."""
    strong = box[_strong(box)]
    beside = np.abs(strong[:, 0]) > 0.05
    down = -np.percentile(strong[:, 3], 5)
    vertical = np.abs(strong[:, 3]).sum() / max(np.abs(strong[:, 2:]).sum(), 1e-9)
    tall = np.ptp(strong[:, 1])
    return bool(beside.mean() > 0.9 and 0.02 < down < 0.3 and vertical > 0.45 and tall < 0.45
                and 0.1 < np.median(strong[:, 1]) < 0.75)  # fmt: skip


def _opens(box: F32, eye_y: float) -> bool:
    """Something in the middle, below the eyes, goes down."""
    strong = box[_strong(box)]
    middle = np.abs(strong[:, 0]) < 0.12
    return bool(
        middle.mean() > 0.6 and np.median(strong[:, 1]) < eye_y - 0.05 and -np.percentile(strong[:, 3], 5) > 0.01
    )


def measure(model: Model, move: Move, anatomy: Anatomy, face: Face) -> Measures | None:
    """None where a morph moves nothing of the head."""
    box = _extent(model, move, anatomy)
    if box is None:
        return None
    x, y, dx, dy = box[:, 0], box[:, 1], box[:, 2], box[:, 3]
    energy = np.linalg.norm(box[:, 2:], axis=1)
    total = float(energy.sum()) or 1e-9
    reach = max(1.8 * face.eye_half, 0.09)
    in_eye = (np.abs(np.abs(x) - face.eye_x) < reach) & (np.abs(y - face.eye_y) < max(1.2 * reach, 0.13))
    in_mouth = (np.abs(x) < 0.22) & (y < (face.mouth_y + face.eye_y) / 2)
    in_brow = (y > face.eye_y + 0.04) & (y < face.eye_y + 0.36) & (np.abs(x) < face.eye_x + 2 * reach)

    def extreme(mask: NDArray[np.bool_], sign: float) -> float:
        values = np.sort(np.maximum(sign * dy[mask], 0))
        return float(values[-max(3, len(values) // 12) :].mean()) if len(values) else 0.0

    left, right = in_eye & (x > 0), in_eye & (x < 0)
    lips = in_mouth & (np.abs(x) < 0.05)
    # the widest part of the mouth: what lies outermost of all that is moved there
    lip_x = np.abs(x[in_mouth])
    corner = np.zeros(len(x), bool)
    if in_mouth.sum() >= 4:
        near = in_mouth & (np.abs(y - face.mouth_y) < 0.07) & (np.abs(x) < 0.16)
        if near.any():
            corner = near & (np.abs(x) > np.percentile(np.abs(x[near]), 75)) & (energy > 0.1 * energy[in_mouth].max())
    inner = in_brow & (np.abs(x) < np.median(np.abs(x[in_brow]))) if in_brow.any() else in_brow
    outer = in_brow & ~inner
    at_eyes = in_eye & (energy > 0.3 * energy.max())
    return Measures(
        (extreme(left, -1), extreme(right, -1)),
        (extreme(left, 1), extreme(right, 1)),
        float(energy[in_eye].sum()) / total,
        float(energy[in_brow].sum()) / total,
        float(energy[in_mouth].sum()) / total if lip_x.size else 0.0,
        float(np.abs(dy).sum() / max(np.abs(box[:, 2:]).sum(), 1e-9)),
        float(energy[x > 0].sum()) / total,
        extreme(lips, -1) + extreme(lips, 1),
        float((dx[corner] * np.sign(x[corner])).mean()) if corner.any() else 0.0,
        float(dy[corner].mean()) if corner.any() else 0.0,
        float(np.average(dy[in_brow], weights=energy[in_brow])) if in_brow.any() else 0.0,
        float(dy[inner].mean() - dy[outer].mean()) if inner.any() and outer.any() else 0.0,
        (float(dx[at_eyes].mean()), float(dy[at_eyes].mean())) if at_eyes.any() else (0.0, 0.0),
        len(box),
    )


def choose(model: Model, moved: list[Move], anatomy: Anatomy) -> dict[str, Choice]:
    """The morphs of each meaning that the model has; sides of a common one where there are none of their own."""
    face = locate(model, moved, anatomy)
    if face is None:
        return {}
    measures = {k: m for k in range(len(moved)) if (m := measure(model, moved[k], anatomy, face)) is not None}
    hints = _hints(model)
    chosen = _eyes(measures, hints)
    chosen |= _mouth(measures, hints)
    closing = {choice.morph for choice in chosen.values()}
    chosen |= _brows(model, {k: m for k, m in measures.items() if k not in closing}, hints)
    chosen |= _gaze(measures, hints)
    for one, both in (("", "eyes"), ("_smile", "eyes_smile")):
        for side in ("left", "right"):
            if f"eye_{side}{one}" not in chosen and both in chosen:
                common = chosen[both]
                chosen[f"eye_{side}{one}"] = Choice(common.morph, common.sure, side)
    return {meaning: chosen[meaning] for meaning in MEANINGS if meaning in chosen}


def _hints(model: Model) -> dict[int, tuple[str, int]]:
    """What names say, presets of VRM first; the rank tells better from worse names of one meaning."""
    hints = {}
    for k, morph in enumerate(model.morphs):
        hint = morph_hint(morph.name, morph.english)
        if hint is not None:
            hints[k] = (hint[0], hint[1] + 1)
    for meaning, preset in PRESETS.items():
        if preset in model.presets:
            hints[model.presets[preset]] = (meaning, 0)
    return hints


def _best(scores: dict[int, float], hinted: dict[int, float]) -> Choice | None:
    """The morph with the highest score by geometry and name; a name alone is worth nothing."""
    total = {k: score + hinted.get(k, 0.0) for k, score in scores.items() if score > (0 if k in hinted else UNNAMED)}
    if not total:
        return None
    best = max(total, key=lambda k: (round(total[k], 4), -k))
    sure = min(1.0, 0.55 * min(scores[best], 1.0) + (0.45 if hinted.get(best) else 0.0))
    return Choice(best, round(sure, 2))


def _named(hints: dict[int, tuple[str, int]], *meanings: str) -> dict[int, float]:
    return {k: 0.6 - 0.05 * min(rank, 10) for k, (meaning, rank) in hints.items() if meaning in meanings}


def _eyes(measures: dict[int, Measures], hints: dict[int, tuple[str, int]]) -> dict[str, Choice]:
    closers = {
        k: m
        for k, m in measures.items()
        if m.vertical > 0.45 and m.eye_share > 0.55 and max(m.down) > 0.02 and _may_close(hints.get(k))
    }
    if not closers:
        return {}
    named = [max(m.down) for k, m in closers.items() if k in _named(hints, "eyes", "eye_left", "eye_right")]
    full = float(np.median(named)) if named else float(np.percentile([max(m.down) for m in closers.values()], 80))
    chosen: dict[str, Choice] = {}
    for smile in (False, True):
        for which, ours in (("eyes", None), ("eye_left", 0), ("eye_right", 1)):
            meaning = which + ("_smile" if smile else "")
            scores = {}
            for k, m in closers.items():
                lids = m.down if ours is None else (m.down[ours],)
                other = 0.0 if ours is None else m.down[1 - ours]
                balance = m.lean if ours == 0 else 1 - m.lean
                if ours is not None and (other > 0.3 * lids[0] or balance < 0.85):
                    continue
                if ours is None and min(m.down) < 0.5 * max(m.down):
                    continue
                smiling = _smiles(m, ours, hints.get(k))
                # a smile closes half from below, so its upper lid goes less far
                reach = (min(lids) + (max(m.up) if smile else 0.0)) / full
                closes = 1 - min(abs(reach - 1), 1) if reach < 1 else 1 - min(0.5 * (reach - 1), 1)
                if min(lids) < (0.25 if smile else 0.6) * full or closes < 0.4 or smiling != smile:
                    continue
                scores[k] = closes * m.eye_share
            # a name that has the wrong side still tells a plain wink from a smile
            alike = {"eyes": ("eyes",), "eye_left": ("eye_left", "eye_right"), "eye_right": ("eye_left", "eye_right")}
            wanted = tuple(name + ("_smile" if smile else "") for name in alike[which])
            best = _best(scores, _named(hints, *wanted))
            if best is not None:
                chosen[meaning] = best
    for which in ("eyes", "eye_left", "eye_right"):  # a closed eye that smiles is better than none
        if which not in chosen and which + "_smile" in chosen:
            chosen[which] = chosen[which + "_smile"]
    lower = {
        k: min(min(m.up) / 0.015, 1) * m.eye_share
        for k, m in measures.items()
        if k in _named(hints, "eyes_smile") and m.eye_share > 0.8 and min(m.up) > 0.006
    }
    best = _best(lower, _named(hints, "eyes_smile"))
    if best is not None:
        chosen["lower_lids"] = best
    return chosen


def _may_close(hint: tuple[str, int] | None) -> bool:
    """Not what a name says of something else: eyes that look down bring their lids down too."""
    return hint is None or (hint[0].startswith("eye") and hint[0] != "eye_wide")


def _smiles(m: Measures, side: int | None, hint: tuple[str, int] | None) -> bool:
    """A closed eye that smiles: the lower lid comes up nearly as far as the upper one comes down. A name helps."""
    down = max(m.down) if side is None else m.down[side]
    up = max(m.up) if side is None else m.up[side]
    border = SMILE_BORDER[0] if hint is None else SMILE_BORDER[2 if hint[0].endswith("smile") else 1]
    return up > border * down


def _mouth(measures: dict[int, Measures], hints: dict[int, tuple[str, int]]) -> dict[str, Choice]:
    mouths = {k: m for k, m in measures.items() if m.mouth_share > 0.75}
    if not mouths:
        return {}
    named = [m.opens for k, m in mouths.items() if k in _named(hints, "mouth_a")]
    widest = float(np.median(named)) if named else float(np.percentile([m.opens for m in mouths.values()], 90))
    if widest <= 0.01:
        return {}
    want = {"mouth_a": (1.0, 0.0), "mouth_i": (0.3, 1.0), "mouth_u": (0.4, -1.0), "mouth_e": (0.6, 0.7),
            "mouth_o": (0.8, -0.7)}  # fmt: skip
    many = float(np.percentile([m.count for m in mouths.values()], 90))  # teeth and tongue alone are fewer
    spread = max(float(np.percentile([abs(m.widens) for m in mouths.values()], 80)), 0.004)
    chosen = {}
    for meaning, (opening, width) in want.items():
        scores = {}
        for k, m in mouths.items():
            if m.opens < (0.5 if meaning == "mouth_a" else 0.08) * widest:
                continue
            far = abs(min(m.opens / widest, 1.5) - opening) + 0.5 * abs(np.clip(m.widens / spread, -1.5, 1.5) - width)
            scores[k] = max(1 - 0.5 * float(far), 0.05) * m.mouth_share * min(2 * m.count / many, 1)
        best = _best(scores, {k: 2 * v for k, v in _named(hints, meaning).items()})
        if best is not None:
            chosen[meaning] = best
    for meaning, sign in (("mouth_smile", 1), ("mouth_frown", -1)):
        scores = {
            k: min(sign * m.corners / 0.008, 1) * m.mouth_share
            for k, m in mouths.items()
            if sign * m.corners > 0.001
            and m.opens < 0.5 * widest
            and 0.35 < m.lean < 0.65
            and hints.get(k, (meaning,))[0] == meaning
        }
        best = _best(scores, {k: 2 * v for k, v in _named(hints, meaning).items()})
        if best is not None:
            chosen[meaning] = best
    return chosen


def _brows(model: Model, measures: dict[int, Measures], hints: dict[int, tuple[str, int]]) -> dict[str, Choice]:
    panel = {k for k in measures if model.morphs[k].panel == BROW}
    brows = {
        k: m for k, m in measures.items()
        if m.brow_share > 0.6 and max(m.down) < 0.08 and 0.35 < m.lean < 0.65
        and (k in panel or k in hints or not panel)
    }  # fmt: skip
    chosen = {}
    rules: dict[str, Callable[[Measures], float]] = {
        "brow_up": lambda m: min(m.brow_up / 0.03, 1) - 3 * abs(m.brow_form),
        "brow_down": lambda m: min(-m.brow_up / 0.02, 1) - 3 * abs(m.brow_form),
        "brow_troubled": lambda m: min(m.brow_form / 0.008, 1),
        "brow_angry": lambda m: min(-m.brow_form / 0.012, 1),
    }
    for meaning, rule in rules.items():
        best = _best({k: rule(m) for k, m in brows.items()}, _named(hints, meaning))
        if best is not None:
            chosen[meaning] = best
    wide = {
        k: min(min(m.up) / 0.02, 1) * m.eye_share
        for k, m in measures.items()
        if k in _named(hints, "eye_wide") and min(m.up) > 0.004 and max(m.down) < 0.4 * max(m.up)
    }
    best = _best(wide, _named(hints, "eye_wide"))
    if best is not None:
        chosen["eye_wide"] = best
    return chosen


def _gaze(measures: dict[int, Measures], hints: dict[int, tuple[str, int]]) -> dict[str, Choice]:
    """Only morphs whose names say so: many things drift."""
    chosen = {}
    for meaning, axis, sign in (
        ("look_up", 1, 1), ("look_down", 1, -1), ("look_left", 0, 1), ("look_right", 0, -1),
    ):  # fmt: skip
        horizontal = ("look_left", "look_right")
        named = _named(hints, *(horizontal if axis == 0 else (meaning,)))
        scores = {
            k: min(sign * m.drift[axis] / 0.01, 1) * m.eye_share
            for k, m in measures.items()
            if k in named and sign * m.drift[axis] > 0.001 and 0.3 < m.lean < 0.7
        }
        best = _best(scores, named)
        if best is not None:
            chosen[meaning] = best
    return chosen
