"""How a drawn head turns: the constants that the generator's bones and the rig's layers share. Pure.

Against two sets of pictures in which another system poses drawings, heads shift more and are squashed less than a
rotation by the same angle would do it: they turn like a relief. In px of the spec square, z towards the viewer.
"""

from __future__ import annotations

TURN_RELIEF, TURN_DEPTH = 1.25, -3.0  # how much of the depth a turn moves, and where depth begins
NOD_RELIEF, NOD_DEPTH = 1.15, 0.0
BACK, TURN_BACK, NOD_BACK = -5.0, 0.7, 0.1  # what lies behind moves by these shares only: no crown rises behind a nod
SQUASH = 0.5  # share of a rotation's foreshortening
