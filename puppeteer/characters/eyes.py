"""Eyes that close, look, smile and widen under their lids and lashes, and the brows above them.

How they look when they do is fixed by what the rest image shows, so that a network can learn it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from puppeteer.characters.figure import MIDDLE, Figure, mix
from puppeteer.characters.mesh import F64, area, sheet, smoothstep, stroke
from puppeteer.characters.moving import Iris
from puppeteer.pose import Pose

LOOK_ASIDE = 0.46  # of an eye's half width, that an iris moves
LOOK_UP, LOOK_DOWN = 0.23, 0.21  # of an eye's height
FOLLOW_UP, FOLLOW_DOWN = 0.06, 0.15  # of the upper lid's height, that it follows an iris
NARROWER, FLATTER, SMALLER = 0.07, 0.05, 0.10  # of an iris that looks aside, up or down, in a wide eye
WIDE_UPPER, WIDE_LOWER = 0.26, 0.10  # of a lid's height
SMILE_LOWER, SMILE_UPPER = 0.45, 0.05
SMILE_ARC = 0.34  # of the half width, height of the arc that a smiling closed eye is
RAISED = 5.5  # px of a brow at 1
LOWERED = 0.62  # of the way to the lid, at most
TROUBLED_IN, TROUBLED_OUT = 4.0, 2.8  # px of the inner and the outer end
ANGRY_IN, ANGRY_OUT = 4.0, 2.4
ROWS = 7


class Eye:
    """One eye; `side` is -1 on the viewer's left. Lids are px down from its middle over s, -1 inner to 1 outer."""

    def __init__(self, figure: Figure, side: float) -> None:
        self.e, self.side = figure.r.eyes, side
        e = self.e
        # the character's left is the viewer's right
        self.mask = (0.0, 1.0, 0.0) if side < 0 else (1.0, 0.0, 0.0)
        self.cx, self.cy = MIDDLE + side * e.spacing, e.y + 0.5 * side * e.asymmetry
        gx, gy = e.gaze
        icx = self.cx + gx - side * 0.03 * e.half_width
        icy = self.cy + gy + e.iris_y - 0.5 * (e.upper - e.lower)
        self.iris = Iris((icx, icy), (e.iris_width, e.iris_height), self._slid, self._scale)

    def place(self, s: F64, y: F64) -> F64:
        """(N, 2) from the viewer's left to right."""
        e, side = self.e, self.side
        xy = np.stack([self.cx + side * s * e.half_width, self.cy + y - e.tilt * s], -1)
        return xy if side > 0 else xy[::-1]

    def ordered(self, half: F64) -> F64:
        return half if self.side > 0 else half[::-1]

    # ---- as the rest image has them, open and closed

    def upper(self, s: F64) -> F64:
        e = self.e
        q = np.clip(s - e.peak * (1 - s**2), -1, 1)
        return np.asarray(-e.upper * np.power(1 - np.abs(q) ** (2.3 + 1.2 * e.roundness), 0.6))

    def lower(self, s: F64) -> F64:
        return np.asarray(self.e.lower * np.power(np.maximum(1 - np.abs(s) ** 2.6, 0), 0.6))

    def closed(self, s: F64) -> F64:
        e = self.e
        return np.asarray(0.5 * e.lower + 0.18 * e.half_width * (0.5 - s**2) + e.tilt * s * 0.6)

    # ---- in a pose

    def closure(self, pose: Pose) -> float:
        return pose.eye_right if self.side < 0 else pose.eye_left

    def raised(self, pose: Pose) -> float:
        """Of its own height, how much higher the upper lid is than drawn."""
        follows = FOLLOW_UP * max(pose.gaze_y, 0.0) + FOLLOW_DOWN * min(pose.gaze_y, 0.0)
        return WIDE_UPPER * pose.eye_wide - SMILE_UPPER * pose.eye_smile + follows

    def upper_in(self, s: F64, pose: Pose) -> F64:
        return self.upper(s) * (1 + self.raised(pose))

    def lower_in(self, s: F64, pose: Pose) -> F64:
        return self.lower(s) * (1 + WIDE_LOWER * pose.eye_wide - SMILE_LOWER * pose.eye_smile)

    def closed_in(self, s: F64, pose: Pose) -> F64:
        e, shut = self.e, self.closed(s)
        arc = 0.45 * e.lower + SMILE_ARC * e.half_width * (s**2 - 0.5) + e.tilt * s * 0.6
        return np.asarray(shut + pose.eye_smile * (arc - shut))

    def _slid(self, pose: Pose) -> tuple[float, float]:
        e = self.e
        up = LOOK_UP if pose.gaze_y > 0 else LOOK_DOWN
        return -LOOK_ASIDE * e.half_width * pose.gaze_x, -up * (e.upper + e.lower) * pose.gaze_y

    def _scale(self, pose: Pose) -> tuple[float, float]:
        small = 1 - SMALLER * pose.eye_wide
        return small * (1 - NARROWER * abs(pose.gaze_x)), small * (1 - FLATTER * abs(pose.gaze_y))


def add_eyes(figure: Figure) -> None:
    for side in (-1.0, 1.0):
        eye = Eye(figure, side)
        _window(figure, eye)
        _upper_lash(figure, eye)
        if eye.e.lower_lash > 0:
            _lower_lash(figure, eye)
        if eye.e.crease > 0:
            _crease(figure, eye)
        _whole_iris(figure, eye)


def _window(figure: Figure, eye: Eye) -> None:
    """What is seen between the lids."""
    s, lift = np.linspace(-1, 1, 21), 0.7

    def placed(pose: Pose) -> F64:
        k, shut = eye.closure(pose), eye.closed_in(s, pose)
        top = (1 - k) * (eye.upper_in(s, pose) - 0.3) + k * shut
        low = (1 - k) * eye.lower_in(s, pose) + k * shut
        return area(eye.place(s, top), eye.place(s, low), figure.surface, lift, ROWS)

    top, low, shut = (eye.place(s, y) for y in (eye.upper(s) - 0.3, eye.lower(s), eye.closed(s)))
    colour = (1, 1, 1, 1 if eye.side > 0 else 0)
    still = Pose()
    drawn = sheet(
        top,
        low,
        figure.surface,
        lift,
        figure.head_weight,
        colour,
        shut,
        shut,
        eye.mask,
        ROWS,
        lambda xy: eye.iris.at(xy, still),
    )
    figure.add("eyes", drawn, placed, eye.iris)


def _whole_iris(figure: Figure, eye: Eye) -> None:
    """Also where lids cover it; never part of a picture of the whole character."""
    (cx, cy), (rx, ry) = eye.iris.centre, eye.iris.radii
    x, lift = np.linspace(-1.15, 1.15, 9), 0.7

    def edge(pose: Pose, y: float) -> F64:
        (dx, dy), (sx, sy) = eye.iris.slid(pose), eye.iris.scale(pose)
        return np.stack([cx + dx + x * rx * sx, np.full_like(x, cy + dy + y * ry * sy)], -1)

    def placed(pose: Pose) -> F64:
        return area(edge(pose, -1.15), edge(pose, 1.15), figure.surface, lift, ROWS)

    still, colour = Pose(), (1, 1, 1, 1 if eye.side > 0 else 0)
    drawn = sheet(
        edge(still, -1.15),
        edge(still, 1.15),
        figure.surface,
        lift,
        figure.head_weight,
        colour,
        rows=ROWS,
        material=lambda xy: eye.iris.at(xy, still),
    )
    figure.add("iris", drawn, placed, eye.iris)


def _line(
    figure: Figure,
    eye: Eye,
    s: F64,
    half: F64,
    colour: tuple[float, float, float, float],
    lift: float,
    opened: Callable[[Pose], F64],
    shut: Callable[[Pose], F64],
    up: float = 0.0,
    closed_half: F64 | None = None,
) -> None:
    """A stroke that goes from `opened` to `shut`, px down over s, as the eye closes."""
    end = half if closed_half is None else closed_half

    def placed(pose: Pose) -> F64:
        k = eye.closure(pose)
        line = eye.place(s, (1 - k) * opened(pose) + k * shut(pose))
        return stroke(line, (1 - k) * half + k * end, figure.surface, lift, up)

    still = Pose()
    figure.add_ink(
        "lash",
        eye.place(s, opened(still)),
        half,
        colour,
        lift=lift,
        closed=eye.place(s, shut(still)),
        mask=eye.mask,
        up=up,
        closed_half=closed_half,
        place=placed,
    )


def _upper_lash(figure: Figure, eye: Eye) -> None:
    """Stands on the lid, thin at the inner corner, with a wing."""
    e, k = eye.e, 27
    q = np.linspace(-0.93, 1 + e.lash_wing * 1.3, k)
    inside = np.clip(q, -1, 1)
    beyond = np.maximum(q - 1, 0)
    t = np.linspace(0, 1, k)
    profile = (0.04 + 0.66 * smoothstep(0.0, 0.4, t) + 0.3 * smoothstep(0.3, 0.75, t)) * np.power(
        np.maximum(1 - t**5, 0), 0.9
    )
    half = eye.ordered(np.maximum(0.5 * e.lash_thick * profile, 0.12))
    lash = (*e.lash, 1.0)

    def opened(pose: Pose) -> F64:
        return eye.upper_in(inside, pose) + beyond * e.half_width * (0.25 - 0.6 * e.lash_wing)

    def shut(pose: Pose) -> F64:
        # a wing goes on as the line ends: upwards, or down with an arc
        return eye.closed_in(inside, pose) - beyond * e.half_width * (0.25 - 0.6 * pose.eye_smile)

    # one width, open and closed: only its own
    _line(figure, eye, q, half, lash, 1.3, opened, shut, 0.45)
    for i in range(e.lash_spikes):
        at = 0.98 - 0.26 * i
        length = e.half_width * (0.3 - 0.04 * i)
        p = np.linspace(0, 1, 6)
        root = np.array([min(at, 1.0)])

        def flick(pose: Pose, root: F64 = root, p: F64 = p, length: float = length, i: int = i) -> F64:
            return np.asarray(eye.upper_in(root, pose)[0] - 0.3 - p * length * (0.45 + 0.25 * i))

        def hangs(pose: Pose, root: F64 = root, p: F64 = p, length: float = length) -> F64:
            return np.asarray(eye.closed_in(root, pose)[0] + p * length * 0.35)

        w = np.maximum(0.42 * e.lash_thick * (1 - p) ** 0.8 * 0.6, 0.1)
        _line(figure, eye, at + p * length / e.half_width * 0.9, eye.ordered(w), lash, 1.25, flick, hangs)


def _lower_lash(figure: Figure, eye: Eye) -> None:
    q = np.linspace(-0.55, 1.0, 15)
    t = np.linspace(0, 1, 15)
    half = eye.ordered(0.36 * (0.35 + t) * np.power(np.maximum(1 - t**4, 0), 0.5) + 0.08)
    _line(
        figure,
        eye,
        q,
        half,
        (*eye.e.lash, 0.85 * eye.e.lower_lash),
        1.1,
        lambda pose: eye.lower_in(q, pose) + 0.1,
        lambda pose: eye.closed_in(q, pose),
        closed_half=half * 0 + 0.05,
    )


def _crease(figure: Figure, eye: Eye) -> None:
    """Of the upper lid, above the lash."""
    e = eye.e
    q = np.linspace(-0.7, 0.85, 13)
    t = np.linspace(0, 1, 13)
    half = 0.42 * np.sin(np.pi * np.clip(t, 0.03, 0.97)) + 0.08

    def opened(pose: Pose) -> F64:
        return eye.upper_in(q, pose) - 2.2 - 0.4 * e.lash_thick

    def shut(pose: Pose) -> F64:
        y = opened(pose)
        return y + 0.3 * (eye.closed_in(q, pose) - eye.upper_in(q, pose))

    colour = (*mix(figure.r.skin_line, e.lash, 0.3), 0.8 * e.crease)
    _line(figure, eye, q, half, colour, 1.1, opened, shut)


def add_brows(figure: Figure) -> None:
    f, r = figure.r.face, figure.r
    room = max(r.eyes.y - r.eyes.upper - f.brow_y, 0.0)
    lowered = min(RAISED, LOWERED * room)
    for side in (-1.0, 1.0):
        s = np.linspace(-1, 1, 15)
        x = MIDDLE + side * (r.eyes.spacing - 0.6 + s * f.brow_length)
        y = f.brow_y - f.brow_arch * (1 - (s - 0.15) ** 2) - f.brow_tilt * 6 * s + 0.3 * side * r.eyes.asymmetry
        half = np.maximum(f.brow_thick * (1 - 0.75 * smoothstep(-0.2, 1.0, s)) * smoothstep(-1.25, -0.7, s), 0.12)

        def placed(pose: Pose, side: float = side, s: F64 = s, x: F64 = x, y: F64 = y, half: F64 = half) -> F64:
            up, form = (pose.brow_right if side < 0 else pose.brow_left), pose.brow_form
            inner, outer = (TROUBLED_IN, TROUBLED_OUT) if form > 0 else (ANGRY_IN, ANGRY_OUT)
            # the inner end bends more than the outer one
            ends = inner * np.clip(-s, 0, 1) ** 1.4 - outer * np.clip(s, 0, 1)
            lifted = y - (RAISED if up > 0 else lowered) * up - form * ends + 0.8 * max(-form, 0.0)
            line = np.stack([x - side * 1.2 * max(-form, 0.0), lifted], -1)
            order = slice(None) if side > 0 else slice(None, None, -1)
            return stroke(line[order], half[order], figure.surface, 1.0)

        line, width = np.stack([x, y], -1), half
        if side < 0:
            line, width = line[::-1], width[::-1]
        figure.add_ink("brow", line, width, (*f.brow, f.brow_alpha), place=placed)
