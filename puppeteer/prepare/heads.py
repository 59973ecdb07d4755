"""Finds the drawn heads in a picture and measures them.

A finder looks at all of it, and a refiner at what that found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppeteer.image import Square, guess_square, premultiplied
from puppeteer.pose import F32, U8

if TYPE_CHECKING:
    from puppeteer.networks.landmarks import Landmarks

WORKING = 1024  # px, the longer side on which heads are looked for
FINDER_SIZES = (128, 192, 384)  # px, the longer side: small pictures show large heads, large ones small heads
NOTICED = 0.12  # of the finder; the refiner decides
MOST = 5  # heads
HEAD = 0.85  # score of what is a head
SURE_SCORE = 0.9
SURE = (0.02, 0.04, 2.6)  # largest doubt: centre and side in sides, tilt in degrees
AGAIN = (1.0, 1.2, 0.85)  # how large a head is taken for when it is measured again
VIEWS = ((0.92, 0.0), (1.0, 3.0), (1.1, -3.0))  # zoom and further tilt in degrees of the last look, each mirrored too


@dataclass(frozen=True, slots=True)
class Head:
    """A head in pixels of the picture that was looked at; left and right are the character's own."""

    centre: tuple[float, float]  # x, y of the spec square
    side: float  # of the spec square: twice the head, skull top to chin
    tilt_deg: float = 0.0  # how far the picture leans, clockwise as seen
    score: float = 0.0  # 0 to 1: how much this is a head
    doubt: tuple[float, float, float] = (1.0, 1.0, 90.0)  # expected error of centre and side in sides, tilt in degrees
    points: dict[str, tuple[float, float]] = field(default_factory=dict)  # eye_left, eye_right, mouth, chin, skull_top

    @property
    def sure(self) -> bool:
        """Whether place, size and tilt can be relied on; calibrated on characters that training did not see."""
        return self.score >= SURE_SCORE and all(d <= most for d, most in zip(self.doubt, SURE, strict=True))

    @property
    def tilt_known(self) -> bool:
        return self.doubt[2] <= 2 * SURE[2]

    @property
    def square(self) -> Square:
        x, y = self.centre
        return round(x - self.side / 2), round(y - self.side / 2), round(self.side)


def guessed(rgba: U8) -> Head:
    """From the outline alone."""
    left, top, side = guess_square(rgba)
    return Head((left + side / 2, top + side / 2), float(side))


def find(rgba: U8) -> list[Head]:
    """Heads in uint8 (H, W, 4), the clearest first; none where there is none. Raises WeightsError."""
    scale = min(1.0, WORKING / max(rgba.shape[:2]))
    if scale < 1:
        height, width = rgba.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        seen = np.asarray(cv2.resize(premultiplied(rgba), size, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        seen = premultiplied(rgba)
    rgb = on_plain(seen)
    stretch = rgba.shape[1] / rgb.shape[1], rgba.shape[0] / rgb.shape[0]
    return [_enlarged(head, stretch) for head in _refined(rgb, _candidates(rgb))]


@cache
def networks() -> Landmarks:
    """As shipped. Raises WeightsError."""
    import torch

    from puppeteer.networks.landmarks import Landmarks
    from puppeteer.weights import verified

    loaded = Landmarks()
    loaded.load_state_dict(torch.load(verified("landmarks"), map_location="cpu", weights_only=True))
    return loaded.eval()


def on_plain(seen: U8) -> U8:
    """Premultiplied (H, W, 4) on a plain colour unlike the character's edge, (H, W, 3)."""
    alpha = seen[..., 3]
    if alpha.min() == 255:
        return np.ascontiguousarray(seen[..., :3])
    solid = (alpha > 128).astype(np.uint8)
    edge = solid - cv2.erode(solid, np.ones((5, 5), np.uint8))
    colours = seen[edge > 0][:, :3]
    bright = colours.size > 0 and float(np.median(colours.mean(1))) > 150
    ground = np.array((96, 112, 128) if bright else (236, 236, 236), np.float32)
    out = seen[..., :3] + ground * (1 - alpha[..., None] / np.float32(255))
    return np.asarray(np.minimum(out + 0.5, 255), np.uint8)


def _candidates(rgb: U8) -> list[tuple[float, float, float, float, float]]:
    """Score, x, y, side, tilt in px and degrees, the best first; one for each place."""
    import torch

    from puppeteer.networks import landmarks as net

    found = []
    height, width = rgb.shape[:2]
    for longer in FINDER_SIZES:
        scale = longer / max(height, width)
        size = max(8, round(width * scale)), max(8, round(height * scale))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        right, below = -size[0] % 32, -size[1] % 32
        small = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
        with torch.inference_mode():
            answer = networks().finder(net.planes(small[None].astype(np.float32)))[0]
            heat = torch.sigmoid(answer[:1])
            peak = (heat == torch.nn.functional.max_pool2d(heat, 3, 1, 1)) & (heat > NOTICED)
        values, scores = answer.numpy(), heat[0].numpy()
        for row, column in np.argwhere(peak[0].numpy()):
            _, dx, dy, log_side, tilt = (float(v) for v in values[:, row, column])
            x, y = (column + 0.5 + dx) * net.STRIDE, (row + 0.5 + dy) * net.STRIDE
            if x > size[0] or y > size[1]:
                continue
            side = net.FINDER_SIDE * math.exp(min(max(log_side, -2.0), 3.0))
            place = (x * width / size[0], y * height / size[1], side / scale)
            found.append((float(scores[row, column]), *place, tilt * net.TILT_UNIT_DEG))
    found.sort(reverse=True)
    kept: list[tuple[float, float, float, float, float]] = []
    for one in found:
        if all(math.dist(one[1:3], other[1:3]) > 0.3 * max(one[3], other[3]) for other in kept):
            kept.append(one)
    return kept[:MOST]


def _crop(rgb: U8, place: tuple[float, float, float, float], mirrored: bool, size: int, view: float) -> F32:
    """(size, size, 3), `view` squares wide, round a head: x, y, side, tilt, which is turned back."""
    x, y, side, tilt = place
    scale, shrunk = size / view / side, 1.0
    while scale < 0.5 and min(rgb.shape[:2]) > 8:
        rgb = np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        scale, shrunk = 2 * scale, 0.5 * shrunk
    a = math.radians(tilt)
    turn = scale * np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
    if mirrored:
        turn[0] *= -1
    middle = np.array([x, y]) * shrunk - 0.5
    matrix = np.column_stack([turn, size / 2 - 0.5 - turn @ middle])
    return np.asarray(
        cv2.warpAffine(rgb, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _look(rgb: U8, place: tuple[float, float, float, float], views: tuple[tuple[float, float], ...]) -> list[F32]:
    """What the refiner says of each view and its mirror image, in squares of `place`: as if nothing were mirrored."""
    import torch

    from puppeteer.networks import landmarks as net

    x, y, side, tilt = place
    places = [(x, y, side * zoom, tilt + more) for zoom, more in views]
    crops = [_crop(rgb, p, mirrored, net.REFINER_PX, net.REFINER_VIEW) for p in places for mirrored in (False, True)]
    with torch.inference_mode():
        answers = networks().refiner(net.planes(np.stack(crops))).numpy()
    for k, answer in enumerate(answers):
        if k % 2:
            answer[[0, 3]] *= -1
            points = answer[net.POINTS].reshape(5, 2)[[1, 0, 2, 3, 4]] * (-1, 1)
            answer[net.POINTS] = points.ravel()
        zoom, more = views[k // 2]
        a = math.radians(more)
        back = zoom * np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
        answer[0:2] = back @ answer[0:2]
        answer[net.POINTS] = (answer[net.POINTS].reshape(5, 2) @ back.T).ravel()
        answer[2] += math.log(zoom)
        answer[3] += more / net.TILT_UNIT_DEG
    return list(answers)


def _moved(place: tuple[float, float, float, float], answer: F32) -> tuple[float, float, float, float]:
    """The place that an answer about `place` means."""
    from puppeteer.networks import landmarks as net

    x, y, side, tilt = place
    a = math.radians(tilt)
    dx, dy = float(answer[0]) * side, float(answer[1]) * side
    return (
        x + math.cos(a) * dx - math.sin(a) * dy,
        y + math.sin(a) * dx + math.cos(a) * dy,
        side * math.exp(min(max(float(answer[2]), -1.0), 1.0)),
        min(max(tilt + float(answer[3]) * net.TILT_UNIT_DEG, -60.0), 60.0),
    )


def _refined(rgb: U8, candidates: list[tuple[float, float, float, float, float]]) -> list[Head]:
    """Measured twice: as the finder says, then upright from several distances; where these differ there is doubt, and
    it is measured again, as if it were smaller or larger than it seemed."""
    heads: list[Head] = []
    for noticed, x, y, side, _ in candidates:
        head = _measured(rgb, noticed, (x, y, side, 0.0))
        if head.score >= HEAD and not head.sure:
            again = [_measured(rgb, noticed, (*head.centre, head.side * zoom, 0.0)) for zoom in AGAIN]
            tilt = head.doubt[2]  # the first look at it is the most honest one
            head = min((head, *(one for one in again if one.score >= HEAD)), key=_doubtful)
            head = replace(head, doubt=(*head.doubt[:2], max(tilt, head.doubt[2])))
        if head.score >= HEAD and all(
            math.dist(head.centre, other.centre) > 0.3 * max(head.side, other.side) for other in heads
        ):
            heads.append(head)
    return sorted(heads, key=lambda head: -head.score * math.sqrt(head.side))


def _doubtful(head: Head) -> float:
    """The largest of its doubts, each against what is called sure."""
    return max(doubt / most for doubt, most in zip(head.doubt, SURE, strict=True))


def _measured(rgb: U8, noticed: float, place: tuple[float, float, float, float]) -> Head:
    place = _moved(place, np.median(_look(rgb, place, ((1.0, 0.0),)), 0))
    return _head(noticed, place, np.stack(_look(rgb, place, VIEWS)))


def _head(noticed: float, place: tuple[float, float, float, float], answers: F32) -> Head:
    from puppeteer.networks import landmarks as net

    answer = np.median(answers, 0)
    spread = np.percentile(answers, 84, 0) - np.percentile(answers, 16, 0)
    told = np.exp(answer[net.DOUBT])
    x, y, side, tilt = _moved(place, answer)
    a = math.radians(place[3])
    turn = place[2] * np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    points = answer[net.POINTS].reshape(5, 2) @ turn.T + place[:2]
    present = 1 / (1 + np.exp(-answer[net.PRESENT]))
    return Head(
        centre=(x, y),
        side=side,
        tilt_deg=tilt,
        score=float(present) * min(1.0, 0.4 + noticed),
        doubt=(
            float(max(told[0], spread[0:2].max())),
            float(max(told[1], spread[2])),
            net.TILT_UNIT_DEG * float(max(told[2], spread[3])),
        ),
        points={name: (float(p[0]), float(p[1])) for name, p in zip(net.POINT_NAMES, points, strict=True)},
    )


def _enlarged(head: Head, stretch: tuple[float, float]) -> Head:
    """From the working picture to the one that was given."""
    across, down = stretch
    return Head(
        (head.centre[0] * across, head.centre[1] * down),
        head.side * math.sqrt(across * down),
        head.tilt_deg,
        head.score,
        head.doubt,
        {name: (x * across, y * down) for name, (x, y) in head.points.items()},
    )
