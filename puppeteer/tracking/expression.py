"""Gaze, brows, lids and lips from landmarks that were turned back to a straight head, and from blendshapes. Pure.

Which of the two, or how much of each, was measured by what one look at a frame and one look at its mirror image say:
the share of frames that agree within a tenth of what the face does, on five clips. Gazes and brows agree better from
landmarks (brows in 54 to 83% of frames, 22 to 79% from blendshapes); the width of the mouth better in some clips and
worse in others. The form of the brows, smiles and smiling eyes agree best from both together: forms of brows in 43 to
65% (landmarks alone 27 to 48%; blendshapes alone 34 to 83%, and least where brows hardly move), smiles in 79 to 99%
(60 to 83%), smiling eyes in 54 to 82% (46 to 87%). The blendshapes cost MediaPipe a hundredth of its time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# Landmark numbers of MediaPipe's face mesh; first the person's right eye (the viewer's left), then its left one.
CORNERS = ((33, 133), (263, 362))  # outer, inner
IRISES = (468, 473)
UPPER_LIDS = ((161, 160, 159, 158, 157), (388, 387, 386, 385, 384))
LOWER_LIDS = ((163, 144, 145, 153, 154), (390, 373, 374, 380, 381))
BROWS = (  # from the outer end to the inner one, each the upper and the lower edge
    ((70, 46), (63, 53), (105, 52), (66, 65), (107, 55)),
    ((300, 276), (293, 283), (334, 282), (296, 295), (336, 285)),
)
INNER_BROWS = (55, 285)
MOUTH_CORNERS = (61, 291)
LIPS = (13, 14)  # the middles of their inner edges
INNER_LIPS = ((81, 82, 13, 312, 311), (178, 87, 14, 317, 402))

# Where faces rest, and what is added until a face has gone as far as most go. Lengths are canonical units (about a
# centimetre); a gaze is in widths of the eye.
GAZE_X_FULL, GAZE_Y_REST, GAZE_Y_FULL = 0.25, 0.075, 0.11
BROW_REST, BROW_FULL = 2.2, 0.45
# Raised brows take the corners of the eyes with them, in the landmarks: a gaze that stays seems to fall. Measured in
# three people who look into the camera: by 0.30 to 0.37 for each 1 of the brows, in a straight line; frowns do nothing.
BROWS_LIFT, FROWNING = 0.3, -0.7
TILT_REST, TILT_FULL, BETWEEN_REST, BETWEEN_FULL = 0.35, 0.2, 2.9, 0.2
SQUINT_REST, SQUINT_FULL = -0.26, 0.18
GAP_REST, GAP_FULL = 0.85, 0.22
CORNERS_FULL, JAW_DRAWS, DEPTH_REST, DEPTH_FULL = 0.35, 0.12, 1.3, 0.3
WIDTH_REST, WIDTH_FULL = 5.2, 1.2
# Of blendshapes: how much of each number they tell, and what makes of them what landmarks tell of the same faces.
FORM_SHARE, FORM_SCALE = 0.5, 0.9
SMILE_SHARE, SMILE_SCALE = 0.5, 2.2
SQUINTS_SHARE, SQUINTS_SCALE, SQUINTS_REST = 0.4, 2.9, 0.25


def expression(
    head: Points, openness: tuple[float, float], shapes: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The expressive numbers of a pose, raw (see `FaceObservation`), from landmarks (478, 3) in the head's own axes (x
    to the viewer's right, y up, z to the viewer), in canonical units. `openness` of the right and the left eye, about 0
    to 1, is how much of each gaze counts: that of a closed eye is a guess. `shapes` are the face's blendshapes by name,
    0 to 1; without them landmarks tell everything."""
    weights = np.clip(openness, 0.05, 1.0)
    gazes, heights, tilts, squints, gaps = [], [], [], [], []
    for corners, iris, upper, lower, brow in zip(CORNERS, IRISES, UPPER_LIDS, LOWER_LIDS, BROWS, strict=True):
        outer, inner = head[corners[0]], head[corners[1]]
        middle = (outer + inner) / 2
        gazes.append((head[iris] - middle)[:2] / max(float(np.linalg.norm((outer - inner)[:2])), 1e-6))
        level = middle[1]
        along = head[np.array(brow), 1].mean(axis=1) - level
        heights.append(float(along.mean()))
        tilts.append(float(along[3:].mean() - along[:2].mean()))
        squints.append(float(head[list(lower), 1].mean() - level))
        gaps.append(float(head[list(upper), 1].mean() - head[list(lower), 1].mean()))
    aside, up = np.average(gazes, axis=0, weights=weights)
    between = float(np.linalg.norm(head[INNER_BROWS[0]] - head[INNER_BROWS[1]]))
    right, left = head[MOUTH_CORNERS[0]], head[MOUTH_CORNERS[1]]
    lips = head[list(LIPS)].mean(axis=0)
    opened = float(head[list(INNER_LIPS[0]), 1].mean() - head[list(INNER_LIPS[1]), 1].mean())
    raised = float((right[1] + left[1]) / 2 - lips[1]) - JAW_DRAWS * opened  # an opened jaw takes the lips' middle down
    drawn_back = float(lips[2] - (right[2] + left[2]) / 2)
    tilt, squint, gap = (float(np.mean(values)) for values in (tilts, squints, gaps))
    brows = [(height - BROW_REST) / BROW_FULL for height in heights]
    told = {
        "gaze_x": -float(aside) / GAZE_X_FULL,
        "gaze_y": (float(up) - GAZE_Y_REST) / GAZE_Y_FULL + BROWS_LIFT * max(FROWNING, (brows[0] + brows[1]) / 2),
        "brow_right": brows[0],
        "brow_left": brows[1],
        "brow_form": 0.6 * (tilt - TILT_REST) / TILT_FULL + 0.4 * (between - BETWEEN_REST) / BETWEEN_FULL,
        "eye_smile": (squint - SQUINT_REST) / SQUINT_FULL,
        "eye_wide": (gap - GAP_REST) / GAP_FULL,
        "mouth_form": 0.6 * raised / CORNERS_FULL + 0.4 * (drawn_back - DEPTH_REST) / DEPTH_FULL,
        "mouth_wide": (float(np.linalg.norm((right - left)[:2])) - WIDTH_REST) / WIDTH_FULL,
    }
    if shapes is not None:
        for name, (share, value) in _shaped(shapes).items():
            told[name] += share * (value - told[name])
    return told


def _shaped(shapes: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """What blendshapes tell of some numbers, and how much of each they decide."""

    def both(name: str) -> float:
        return (shapes[f"{name}Left"] + shapes[f"{name}Right"]) / 2

    return {
        "brow_form": (FORM_SHARE, FORM_SCALE * (shapes["browInnerUp"] - both("browDown") / 0.4)),
        "mouth_form": (SMILE_SHARE, SMILE_SCALE * (both("mouthSmile") - both("mouthFrown"))),
        "eye_smile": (SQUINTS_SHARE, SQUINTS_SCALE * (both("eyeSquint") - SQUINTS_REST)),
    }
