"""The pose: every number declared once, and what is made from the declaration."""

from __future__ import annotations

import math

import pytest

from puppeteer.pose import BY_NAME, NUMBERS, POSE_NAMES, SIX, Pose


def test_the_names_and_their_order_are_the_published_ones() -> None:
    assert (
        *("eye_left", "eye_right", "mouth_open", "neck_z", "neck_x", "neck_y"),
        *("gaze_x", "gaze_y", "brow_left", "brow_right", "brow_form", "eye_smile", "eye_wide"),
        *("mouth_form", "mouth_wide", "body_z", "body_y", "breath", "hair_x"),
    ) == POSE_NAMES
    assert POSE_NAMES[:6] == SIX


@pytest.mark.parametrize("declared", NUMBERS, ids=POSE_NAMES)
def test_every_number(declared) -> None:
    assert declared.label and declared.help and declared.group
    other = BY_NAME[declared.mirror]
    assert (other.mirror, other.low, other.negated) == (declared.name, declared.low, declared.negated)
    assert not declared.negated or declared.low == -1, "what has one side only cannot be negated"
    pose = Pose.from_names({declared.name: 0.7})
    seen = pose.mirrored()
    assert getattr(seen, declared.mirror) == (-0.7 if declared.negated else 0.7)
    assert sum(value != 0 for value in seen.values()) == 1
    assert seen.mirrored() == pose
    assert getattr(Pose.from_names({declared.name: -9}), declared.name) == declared.low
    assert getattr(Pose.from_names({declared.name: 9}), declared.name) == 1
    with pytest.raises(ValueError, match=declared.name):
        Pose.from_names({declared.name: math.nan})


def test_values_in_order_and_what_is_left_out_is_zero() -> None:
    assert Pose.from_values([1, 0, 0.5]).values() == (1, 0, 0.5, *[0] * 16)
    assert Pose.from_values(Pose(hair_x=-1).values()) == Pose(hair_x=-1)
    with pytest.raises(ValueError, match="20 numbers"):
        Pose.from_values([0] * 20)
