"""How a drawn figure turns, leans and breathes: constants that the generator's bones and the rig's layers share. Pure.

Beside pictures in which another system poses drawings, faces shift more than a rotation of our depth by the same angle
would move them: they turn like a relief. In px of the spec square, z towards the viewer.
"""

from __future__ import annotations

from typing import Any

TURN_RELIEF, TURN_DEPTH = 0.95, -6.0  # how much of the depth a turn moves, and where depth begins
NOD_RELIEF, NOD_DEPTH = 1.05, 1.0
OUTLINE_SQUASH, SQUASH_DEPTH = 0.5, 30.0  # outlines are foreshortened by this share, what lies this deep wholly
BACK_RELIEF = 1.8  # what lies behind the outline of a head (depth 0) moves by this share of its depth

# Of the body, in pictures of another system: it leans about the hips as one piece, and turns like a flat relief.
HIPS = 128.0, 334.0  # x, y
LEAN_DEG, BODY_TURN_DEG = 5.0, 3.0  # at 1
BODY_RELIEF, HEAD_RELIEF = 2.0, 1.0  # how much of the depth a turn of the body moves, of body and head
BREATH_PX, BREATH_HALF_WIDTH, BREATH_ROWS = 1.9, 50.0, (186.0, 214.0)  # all below rises, less towards the sides


def relieved(depth: Any) -> Any:
    """What a turn or a nod moves by, of depth: arrays of NumPy and tensors alike."""
    return depth.clip(0, None) + BACK_RELIEF * depth.clip(None, 0)


def squash(depth: Any) -> Any:
    """Share of a rotation's foreshortening, likewise."""
    return OUTLINE_SQUASH + (1 - OUTLINE_SQUASH) * (depth / SQUASH_DEPTH).clip(0, 1)
