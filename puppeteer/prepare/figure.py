"""How much of each place in a picture the character of a head covers: what a finer cut-out starts from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from puppeteer.pose import F32, U8
from puppeteer.prepare.heads import Head, networks

SCALES = (0.8, 1.0, 1.25)  # of the picture in which the network looks; each mirrored too


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """(H, W) each, 0 to 1; 0 where no character of that head reaches."""

    share: F32  # of the place that the character covers, on average of all looks
    least: F32  # where it is high, the place is the character's for sure ...
    most: F32  # ... and where this is low, the background's


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """What the network sees at several scales, small, and which part of the picture that is."""

    looks: Seen
    left: float  # px of the picture
    top: float
    scale: float  # px of `looks` for one of the picture

    def at(self, size: tuple[int, int], window: tuple[int, int, int, int]) -> Seen:
        """In the size (width, height) wanted: of a window (left, top, right, bottom) of the picture."""
        left, top, right, bottom = window
        across, down = (right - left) / size[0], (bottom - top) / size[1]  # px of the picture for one wanted
        # a pixel's middle lies half a pixel from its corner
        matrix = np.array(
            [
                [across * self.scale, 0, (left - self.left + 0.5 * across) * self.scale - 0.5],
                [0, down * self.scale, (top - self.top + 0.5 * down) * self.scale - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        looks = (self.looks.share, self.looks.least, self.looks.most)
        return Seen(*(np.asarray(cv2.warpAffine(look, matrix, size, flags=flags), np.float32) for look in looks))


def figure(rgb: U8, head: Head) -> Figure | None:
    """Of uint8 (H, W, 3); None where nothing can be looked at. Raises WeightsError."""
    from puppeteer.networks import landmarks as net

    height, width = rgb.shape[:2]
    (left, right), (top, bottom) = net.MATTE_REACH
    x, y = head.centre
    x0, x1 = max(0, math.floor(x + left * head.side)), min(width, math.ceil(x + right * head.side))
    y0, y1 = max(0, math.floor(y + top * head.side)), min(height, math.ceil(y + bottom * head.side))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    part, middle = rgb[y0:y1, x0:x1], (x - x0, y - y0)
    looks = [look for zoom in SCALES for look in _looks(part, middle, head.side, zoom)]
    scale = net.MATTE_SIDE / head.side
    size = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
    several = np.stack([cv2.resize(look, size, interpolation=cv2.INTER_LINEAR) for look in looks])
    return Figure(Seen(several.mean(0), several.min(0), several.max(0)), x0, y0, scale)


def _looks(rgb: U8, middle: tuple[float, float], side: float, zoom: float) -> tuple[F32, F32]:
    """What the network says of a picture and of its mirror image."""
    import torch

    from puppeteer.networks import landmarks as net

    scale = zoom * net.MATTE_SIDE / side
    size = max(8, round(rgb.shape[1] * scale)), max(8, round(rgb.shape[0] * scale))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb, size, interpolation=flags)
    below, beside = -size[1] % net.MATTE_STRIDE, -size[0] % net.MATTE_STRIDE
    small = cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    x, y = middle[0] * scale, middle[1] * scale
    pictures = net.planes(np.stack([small, small[:, ::-1]]).astype(np.float32))
    straight = net.places((x, y), net.MATTE_SIDE * zoom, *small.shape[:2])
    mirrored = net.places((small.shape[1] - x, y), net.MATTE_SIDE * zoom, *small.shape[:2])
    with torch.inference_mode():
        answer = networks().matte(pictures, torch.stack([straight, mirrored]))
        answer = torch.nn.functional.interpolate(answer, scale_factor=2.0, mode="bilinear", align_corners=False)
        share = torch.sigmoid(answer)[:, 0].numpy()
    return share[0, : size[1], : size[0]], share[1, :, ::-1][: size[1], : size[0]]
