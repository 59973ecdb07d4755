"""A pose of nineteen numbers to what a model's morphs and bones do.

Signs are those of `Pose`. A model that lacks a morph of its own for a number gets one that is made from another where
that can be done (one eye of a common blink, raised lower lids of a smile, brows moved as a whole); else the number does
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from puppeteer.models3d.anatomy import Anatomy, Move
from puppeteer.models3d.annotation import Annotation, Study
from puppeteer.models3d.meanings import Choice
from puppeteer.models3d.model import Model, below, parents_first
from puppeteer.models3d.skinning import (
    STILL,
    Posture,
    Quaternion,
    Skeleton,
    matrices,
    morphed,
    morphed_uvs,
    product,
    resolved,
    turn,
)
from puppeteer.pose import F32, NECK_RANGE_DEG, NUMBERS, Pose

HEAD_ROWS = 128  # spec px from skull top to chin
BODY_LEAN_DEG, BODY_TURN_DEG = 5.0, 8.0
BREATH_ROWS, BROW_ROWS, FORM_ROWS = 1.5, 4.0, 3.0  # spec px
HAIR_ROWS, HAIR_SWING_DEG, HAIR_BEND = 7.0, 9.0, 0.45  # spec px of a tip, a root's most, of that for the bones below
GAZE_LIMIT_DEG = 32.0
LOWER_LIDS, WIDER = 0.75, 0.2  # of what a smile or a blink moves them, where there is no morph for them alone
ARMS_DOWN_DEG, ARMS_OUT_DEG = 52.0, 22.0  # arms held out flatter than the second hang as far as the first


@dataclass(frozen=True, slots=True, eq=False)
class Stance:
    """A pose in terms of one model."""

    positions: F32  # (V, 3) with morphs, before bones
    uvs: F32  # (V, 2)
    weights: dict[int, float]  # resolved morphs, for what they do to bones and materials
    posture: Posture


class Puppet:
    """A model that takes poses. Without a head (`Study.annotation` None) it takes morphs and bones alone."""

    def __init__(self, found: Study, annotation: Annotation | None = None) -> None:
        self.model: Model = found.model
        self.skeleton = Skeleton(self.model)
        self.anatomy: Anatomy | None = found.anatomy
        self.annotation = annotation or found.annotation
        self._moved = found.moved
        self._parts: dict[str, Move] = {}
        self._arms: dict[int, Quaternion] = {}
        self._swing: list[tuple[int, float]] = []  # bone, radians
        if self.anatomy is not None and self.annotation is not None:
            self._height = self.annotation.top - self.annotation.chin
            self._eyes = self._eye_box()
            self._prepare(self.anatomy)

    @property
    def spec_px(self) -> float:
        """One pixel of the spec square in the model's units."""
        assert self.annotation is not None
        return (self.annotation.top - self.annotation.chin) / HEAD_ROWS

    # ---- what a model lacks ----------------------------------------------------------------------------------

    def _eye_box(self) -> tuple[float, float, float]:
        """Middle of the left eye (x, y) and half its width, in the model's units."""
        assert self.annotation is not None
        a = self.annotation
        choice = a.morphs.get("eyes") or a.morphs.get("eye_left")
        if choice is None:
            return a.middle + 0.13 * self._height, a.chin + 0.42 * self._height, 0.06 * self._height
        rows = self._strong(self._moved[choice.morph], 0.3)
        p = self.model.positions[rows]
        left = p[p[:, 0] > a.middle]
        if len(left) < 3:
            left = np.abs(p - np.array([a.middle, 0, 0])) + np.array([a.middle, 0, 0])
        low, high = np.percentile(left[:, 0], [5, 95])
        return float((low + high) / 2), float(np.median(left[:, 1])), max(float(high - low) / 2, 0.03 * self._height)

    def _strong(self, move: Move, share: float) -> NDArray[np.int64]:
        length = np.linalg.norm(move.by, axis=1)
        rows: NDArray[np.int64] = move.rows[length > share * (np.percentile(length, 95) if len(length) else 0)]
        return rows

    def _prepare(self, anatomy: Anatomy) -> None:
        assert self.annotation is not None
        model, a = self.model, self.annotation
        self._lids()
        self._brows()
        hangs = below(model, anatomy.bones["head"])
        for bone in sorted(model.hanging):
            if hangs[bone] and model.bones[bone].parent not in model.hanging:
                self._hang(bone)
        for name, sign in (("left_arm", 1.0), ("right_arm", -1.0)):
            arm = anatomy.bones.get(name)
            if arm is None:
                continue
            way = self._along(arm)
            if way is None:
                continue
            flat = math.degrees(math.atan2(-way[1], sign * way[0]))
            if -30 < flat < ARMS_OUT_DEG:
                self._arms[arm] = turn((0, 0, 1), -sign * math.radians(ARMS_DOWN_DEG - flat))
        root = np.array(a.neck_root)
        y, px = model.positions[:, 1], self.spec_px
        under = np.clip((root[1] + 6 * px - y) / (10 * px), 0, 1) * np.clip((y - root[1] + 90 * px) / (60 * px), 0, 1)
        rows = np.flatnonzero((under > 0) & ~anatomy.on_head)
        rise = np.zeros((len(rows), 3), np.float32)
        rise[:, 1] = under[rows] * BREATH_ROWS * px
        self._parts["breath"] = Move(rows, rise)

    def _hang(self, root: int) -> None:
        """A lock swings so far that its tip moves by the same wherever it is long and however many bones it has."""
        lock = [i for i in np.flatnonzero(below(self.model, root)).tolist() if i in self.model.hanging]
        length = max(float(np.linalg.norm(self.skeleton.places[lock] - self.skeleton.places[root], axis=1).max()), 1e-9)
        swing = min(math.radians(HAIR_SWING_DEG), HAIR_ROWS * self.spec_px / length / (1 + HAIR_BEND / 2))
        depth = {root: 0}
        for index in parents_first([bone.parent for bone in self.model.bones]):
            if index in lock and index != root:
                depth[index] = depth.get(self.model.bones[index].parent, 0) + 1
        further = max(depth.values())
        self._swing += [(i, swing if i == root else swing * HAIR_BEND / further) for i in lock]

    def _along(self, bone: int) -> F32 | None:
        """From a bone to its farthest child."""
        places = self.skeleton.places
        children = [i for i, b in enumerate(self.model.bones) if b.parent == bone]
        if not children:
            return None
        ways = places[children] - places[bone]
        return np.asarray(ways[np.linalg.norm(ways, axis=1).argmax()])

    def _lids(self) -> None:
        assert self.annotation is not None
        m, reach = self.annotation.morphs, 2.2 * self._eyes[2]

        def in_eyes(move: Move) -> NDArray[np.bool_]:
            p = self.model.positions[move.rows]
            assert self.annotation is not None
            beside = np.abs(np.abs(p[:, 0] - self.annotation.middle) - (self._eyes[0] - self.annotation.middle))
            return np.asarray((beside < reach) & (np.abs(p[:, 1] - self._eyes[1]) < reach))

        smile = m.get("lower_lids") or m.get("eyes_smile")
        if smile is not None:
            move = self._moved[smile.morph]
            keep = in_eyes(move) & (move.by[:, 1] > 0)
            self._parts["lower_lids"] = Move(move.rows[keep], move.by[keep] * np.float32(LOWER_LIDS))
        blink = m.get("eyes")
        if blink is not None and "eye_wide" not in m:
            move = self._moved[blink.morph]
            keep = in_eyes(move) & (move.by[:, 1] < 0)
            self._parts["eye_wide"] = Move(move.rows[keep], move.by[keep] * np.float32(-WIDER))

    def _brows(self) -> None:
        """Each brow up and down by 4 px and askew, as morphs of the model say or, without them, as a whole."""
        assert self.annotation is not None
        m, px, middle = self.annotation.morphs, self.spec_px, self.annotation.middle
        names = ("brow_up", "brow_down", "brow_troubled", "brow_angry")
        some = next((m[name] for name in names if name in m), None)
        if some is None:
            return
        move = self._moved[some.morph]
        rows = self._strong(move, 0.25)
        rows = rows[self.model.positions[rows, 1] > self._eyes[1] + 0.02 * self._height]
        x = np.abs(self.model.positions[rows, 0] - middle)
        slope = np.clip((np.median(x) - x) / max(np.ptp(x) / 2, 1e-6), -1, 1) if len(x) else x
        for name, amount in (("brow_up", 1.0), ("brow_down", -1.0), ("brow_troubled", 0.5), ("brow_angry", -0.5)):
            if name in m:
                own = self._moved[m[name].morph]
                if name in ("brow_up", "brow_down"):
                    lift = abs(float(np.average(own.by[:, 1], weights=np.linalg.norm(own.by, axis=1) + 1e-9)))
                    factor = min(BROW_ROWS * px / max(lift, 1e-9), 2.0)
                else:
                    factor = 1.0
                self._parts[name] = Move(own.rows, own.by * np.float32(factor))
            elif len(rows):
                by = np.zeros((len(rows), 3), np.float32)
                form = name in ("brow_troubled", "brow_angry")
                by[:, 1] = (FORM_ROWS * slope * np.sign(amount)) if form else BROW_ROWS * amount
                self._parts[name] = Move(rows, by * np.float32(px))

    # ---- a pose ----------------------------------------------------------------------------------------------

    def stance(self, pose: Pose, extra: Posture | None = None) -> Stance:
        """What the model does in a pose; `extra` are further morphs and bones, of a motion for example."""
        weights: dict[int, float] = dict(extra.morphs) if extra else {}
        turns: dict[int, Quaternion] = dict(extra.turns) if extra else {}
        shifts: dict[int, F32] = dict(extra.shifts) if extra else {}
        parts: list[tuple[Move, float, str]] = []
        if self.annotation is not None and self.anatomy is not None:
            for bone, rotation in self._arms.items():
                turns.setdefault(bone, rotation)
            self._face(pose.clamped(), weights, parts, turns)
            self._bones(pose.clamped(), turns, shifts)
        flat = resolved(self.model, weights)
        positions = morphed(self.model, flat)
        if parts:
            positions = positions.copy() if positions is self.model.positions else positions
            for move, amount, side in parts:
                share = np.full(len(move.rows), amount, np.float32)
                if side != "whole":
                    share *= self._side(move.rows, side)
                np.add.at(positions, move.rows, move.by * share[:, None])
        return Stance(positions, morphed_uvs(self.model, flat), flat, Posture(weights, turns, shifts))

    def able(self) -> frozenset[str]:
        """The numbers of a pose that move this model."""
        still = self.stance(Pose(mouth_open=1.0))

        def moves(pose: Pose) -> bool:
            stance = self.stance(pose)
            same = stance.weights == still.weights and np.array_equal(stance.positions, still.positions)
            mine, theirs = stance.posture.turns, still.posture.turns
            return not same or mine.keys() != theirs.keys() or any((mine[k] != theirs[k]).any() for k in mine)

        opened = Pose(mouth_open=1.0)
        able = {
            number.name
            for number in NUMBERS
            if any(moves(replace(opened, **{number.name: end})) for end in {number.low, 0.0, 1.0})
        }
        return frozenset(able)

    def joints(self, pose: Pose) -> F32:
        """(2, 3) the neck's root and tip in a pose, in the model's units; there is a head."""
        assert self.annotation is not None and self.anatomy is not None
        stance, bones = self.stance(pose), self.anatomy.bones
        rotations, shifts = self.skeleton.pose(stance.posture, stance.weights)
        carriers = [bones["neck"] if bones["neck"] >= 0 else bones["head"], bones["head"]]
        points = np.array([self.annotation.neck_root, self.annotation.neck_tip], np.float32)
        turned = (matrices(rotations[carriers]) @ points[..., None])[..., 0]
        return np.asarray(turned + shifts[carriers], np.float32)

    def _side(self, rows: NDArray[np.int64], side: str) -> F32:
        """1 on the side, 0 on the other; half of what lies in the middle."""
        assert self.annotation is not None
        x = self.model.positions[rows, 0] - self.annotation.middle
        soft = np.clip(x / (0.04 * self._height) + 0.5, 0, 1)
        return np.asarray(soft if side == "left" else 1 - soft, np.float32)

    def _face(
        self, pose: Pose, weights: dict[int, float], parts: list[tuple[Move, float, str]], turns: dict[int, Quaternion]
    ) -> None:
        assert self.annotation is not None
        m = self.annotation.morphs

        def use(choice: Choice | None, amount: float) -> None:
            if choice is None or abs(amount) < 1e-6:
                return
            if choice.side == "whole":
                weights[choice.morph] = weights.get(choice.morph, 0.0) + amount
            else:
                parts.append((self._moved[choice.morph], amount, choice.side))

        def part(name: str, amount: float, side: str) -> None:
            if name in self._parts and abs(amount) > 1e-6:
                parts.append((self._parts[name], amount, side))

        for side, closed in (("left", pose.eye_left), ("right", pose.eye_right)):
            smiling = m.get(f"eye_{side}_smile")
            smile = pose.eye_smile if smiling is not None else 0.0
            use(m.get(f"eye_{side}"), closed * (1 - smile))
            use(smiling, closed * smile)
            part("lower_lids", pose.eye_smile * (1 - closed), side)
            wide = m.get("eye_wide")
            if wide is not None:
                use(Choice(wide.morph, wide.sure, side), pose.eye_wide * (1 - closed))
            else:
                part("eye_wide", pose.eye_wide * (1 - closed), side)
            lift = pose.brow_left if side == "left" else pose.brow_right
            part("brow_up" if lift > 0 else "brow_down", abs(lift), side)
            part("brow_troubled" if pose.brow_form > 0 else "brow_angry", abs(pose.brow_form), side)
        opened, wide_share = pose.mouth_open, abs(pose.mouth_wide)
        vowels = [m[name] for name in (("mouth_i", "mouth_e") if pose.mouth_wide > 0 else ("mouth_u", "mouth_o"))
                  if name in m]  # fmt: skip
        if not vowels:
            wide_share = 0.0
        use(m.get("mouth_a"), opened * (1 - wide_share))
        for vowel in vowels:
            use(vowel, opened * wide_share / len(vowels))
        use(m.get("mouth_smile" if pose.mouth_form > 0 else "mouth_frown"), abs(pose.mouth_form))
        part("breath", pose.breath, "whole")
        self._gaze(pose, use, turns)

    def _gaze(self, pose: Pose, use: Callable[[Choice | None, float], None], turns: dict[int, Quaternion]) -> None:
        assert self.annotation is not None and self.anatomy is not None
        if not pose.gaze_x and not pose.gaze_y:
            return
        reach = 0.5 * self._eyes[2]  # a quarter of the eye's width
        rolled = False
        for name in ("left_eye", "right_eye"):
            bone = self.anatomy.bones.get(name)
            if bone is None:
                continue
            hangs = below(self.model, bone)[self.model.skin_bones[:, 0]] & (self.model.skin_weights[:, 0] > 0.5)
            if not hangs.any():
                continue
            rolled = True
            radius = float(np.percentile(self.model.positions[hangs, 2], 95)) - self.model.bones[bone].position[2]
            limit = math.radians(GAZE_LIMIT_DEG)
            angle = min(math.asin(min(reach / max(radius, 1e-9), 1.0)), limit) if radius > 0 else limit / 2
            aside = turn((0, 1, 0), -angle * pose.gaze_x)
            up = turn((1, 0, 0), -angle * pose.gaze_y * 0.8)
            turns[bone] = product(product(up, aside), turns.get(bone, STILL))
        if rolled:
            return
        for name, amount in (("look_right", pose.gaze_x), ("look_left", -pose.gaze_x), ("look_up", pose.gaze_y),
                             ("look_down", -pose.gaze_y)):  # fmt: skip
            choice = self.annotation.morphs.get(name)
            if choice is not None and amount > 0:
                move = self._moved[choice.morph]
                far = float(np.percentile(np.linalg.norm(move.by[:, :2], axis=1), 75)) if len(move.rows) else 0.0
                use(choice, amount * min(reach / max(far, 1e-9), 1.5))

    def _bones(self, pose: Pose, turns: dict[int, Quaternion], shifts: dict[int, F32]) -> None:
        assert self.annotation is not None and self.anatomy is not None
        bones, a = self.anatomy.bones, self.annotation
        angle = math.radians(NECK_RANGE_DEG)
        head, neck = bones["head"], bones["neck"]
        lean = turn((0, 0, 1), angle * pose.neck_z)
        nod = product(turn((1, 0, 0), -angle * pose.neck_x), turn((0, 1, 0), -angle * pose.neck_y))
        self._about(neck if neck >= 0 else head, a.neck_root, lean, turns, shifts)
        self._about(head, a.neck_tip, nod, turns, shifts)
        hips = bones.get("upper_body", -1)
        if hips >= 0 and (pose.body_z or pose.body_y):
            whole = product(
                turn((0, 0, 1), math.radians(BODY_LEAN_DEG) * pose.body_z),
                turn((0, 1, 0), -math.radians(BODY_TURN_DEG) * pose.body_y),
            )
            self._about(hips, self.model.bones[hips].position, whole, turns, shifts)
        if pose.hair_x:
            for bone, angle in self._swing:
                swung = turn((0, 0, 1), -angle * pose.hair_x)
                turns[bone] = product(swung, turns.get(bone, STILL))

    def _about(
        self,
        bone: int,
        point: tuple[float, float, float],
        rotation: Quaternion,
        turns: dict[int, Quaternion],
        shifts: dict[int, F32],
    ) -> None:
        """A bone turned about a point, which a person may have put elsewhere than where the bone is."""
        if rotation[3] > 1 - 1e-9:
            return
        here = np.array(self.model.bones[bone].position, np.float32)
        away = here - np.array(point, np.float32)
        moved = matrices(rotation) @ away - away
        if np.abs(moved).max() > 1e-6:
            shifts[bone] = shifts.get(bone, np.zeros(3, np.float32)) + moved.astype(np.float32)
        turns[bone] = product(rotation, turns.get(bone, STILL))
