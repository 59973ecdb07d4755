"""How much of each place in a picture the character of a head covers, roughly: what a finer cut-out starts from."""

from __future__ import annotations

import math

import cv2
import numpy as np

from puppeteer.pose import F32, U8
from puppeteer.prepare.heads import Head, networks


def figure(rgb: U8, head: Head) -> F32:
    """0 to 1 for each pixel of uint8 (H, W, 3), smooth, and 0 where no character of that head reaches.

    Raises WeightsError.
    """
    import torch

    from puppeteer.networks import landmarks as net

    height, width = rgb.shape[:2]
    out = np.zeros((height, width), np.float32)
    (left, right), (top, bottom) = net.MATTE_REACH
    x, y = head.centre
    x0, x1 = max(0, math.floor(x + left * head.side)), min(width, math.ceil(x + right * head.side))
    y0, y1 = max(0, math.floor(y + top * head.side)), min(height, math.ceil(y + bottom * head.side))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return out
    scale = net.MATTE_SIDE / head.side
    size = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb[y0:y1, x0:x1], size, interpolation=flags)
    small = cv2.copyMakeBorder(small, 0, -size[1] % 16, 0, -size[0] % 16, cv2.BORDER_REPLICATE)
    pictures = net.planes(np.stack([small, small[:, ::-1]]).astype(np.float32))
    middle = (x - x0) * scale, (y - y0) * scale
    straight = net.places(middle, net.MATTE_SIDE, *small.shape[:2])
    mirrored = net.places((small.shape[1] - middle[0], middle[1]), net.MATTE_SIDE, *small.shape[:2])
    with torch.inference_mode():
        share = torch.sigmoid(networks().matte(pictures, torch.stack([straight, mirrored])))[:, 0].numpy()
    mean = 0.5 * (share[0] + share[1][:, ::-1])
    full = cv2.resize(mean, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_LINEAR)[: size[1], : size[0]]
    out[y0:y1, x0:x1] = cv2.resize(full, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return out
