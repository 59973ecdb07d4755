"""Four small networks: one finds drawn heads in a whole picture, one measures what that found, one reads the face, and
one tells the character from its background.

They take colours alone, whatever the background is. Angles are degrees, clockwise as seen is positive.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from puppeteer.pose import F32

STRIDE = 8  # px of the finder's picture per cell of its answer
FINDER_SIDE = 64.0  # px: the spec square whose log side the finder calls 0
REFINER_PX = 128  # the refiner's picture
REFINER_VIEW = 1.25  # its side in spec squares, where the finder was right
TILT_UNIT_DEG = 10.0

FACE_PX = 144  # the face's picture, upright: a px of it is one of the 256 px spec
FACE_VIEW = 0.56  # its side in spec squares
FACE_DOWN = 0.08  # how far below the head's middle its own lies, in spec squares
TURN_UNIT_DEG = 30.0
MATTE_SIDE = 96  # px of the spec square in the matte's picture
MATTE_STRIDE = 32  # its sides are multiples of this
MATTE_REACH = ((-2.0, 2.0), (-1.2, 4.5))  # what of x and y it looks at, in spec squares from the head's middle

# What the refiner answers, in this order. Places are in spec squares from the middle of its picture.
SQUARE = slice(0, 4)  # centre x, y; log side against the picture's side / REFINER_VIEW; tilt / TILT_UNIT_DEG
POINTS = slice(4, 14)  # x, y of left eye, right eye, mouth, chin, skull top (left is the character's own)
DOUBT = slice(14, 17)  # log of the expected error of centre, log side, tilt (in the units above)
PRESENT = 17  # logit: there is a head at all
ANSWERS = 18
# What the face network answers; logits but for the turn.
CLOSED = slice(0, 2)  # left and right eye, 1 closed
MOUTH = 2  # 1 as wide as the generator draws it
HIDDEN = 3  # hair lies over both eyes
COVERED = slice(4, 7)  # left eye, right eye, mouth: something lies over it
TURN = 7  # of the face to the viewer's right, in TURN_UNIT_DEG
MOUTH_DOUBT = 8  # log of the expected error of MOUTH
FACE_ANSWERS = 9
MOUTH_ROWS, MOUTH_COLUMNS = slice(32, 64), slice(20, 52)  # of the face's picture in halves, where mouths lie
POINT_NAMES = ("eye_left", "eye_right", "mouth", "chin", "skull_top")


def conv(inside: int, outside: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Finder(nn.Module):
    """(B, 3, H, W) in [0, 1], H and W multiples of 32, to (B, 5, H / 8, W / 8): logit that a head's middle lies in
    the cell, its x and y from the cell's middle in cells, log side / FINDER_SIDE, tilt / TILT_UNIT_DEG."""

    def __init__(self, widths: tuple[int, int, int, int] = (24, 48, 64, 88)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(4), conv(48, a))
        self.at_8 = nn.Sequential(conv(a, b, 2), Residual(b))
        self.at_16 = nn.Sequential(conv(b, c, 2), Residual(c), Residual(c))
        self.at_32 = nn.Sequential(conv(c, d, 2), Residual(d))
        self.from_32 = conv(d, c, size=1)
        self.from_16 = conv(c, b, size=1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.join_16 = conv(c, c)
        self.join_8 = conv(b, b)
        self.head = nn.Conv2d(b, 5, 1)
        nn.init.constant_(self.head.bias[:1], -4.0)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        eighth = self.at_8(self.stem(x - 0.5))
        sixteenth = self.at_16(eighth)
        lowest = self.at_32(sixteenth)
        sixteenth = self.join_16(sixteenth + self.up(self.from_32(lowest)))
        out: Tensor = self.head(self.join_8(eighth + self.up(self.from_16(sixteenth))))
        return out


class Refiner(nn.Module):
    """(B, 3, 128, 128) in [0, 1] to (B, ANSWERS), see above.

    Each point has a heat map, whose middle of mass is the point; what lies under the heat is all that the rest of the
    answer is made of. So it learns from few pictures: a plain regression found places, but no tilt.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 48, 64, 80), hidden: int = 96) -> None:
        super().__init__()
        a, b, c, d = widths
        self.at_16 = nn.Sequential(
            nn.PixelUnshuffle(2),
            conv(12, a, 2),
            Residual(a),
            conv(a, b, 2),
            Residual(b),
        )
        self.at_8 = nn.Sequential(conv(b, c, 2), Residual(c), conv(c, d), Residual(d))
        self.from_8 = conv(d, b, size=1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.join = nn.Sequential(conv(b, b), Residual(b))
        self.heat = nn.Conv2d(b, len(POINT_NAMES), 1)
        told = ANSWERS - (POINTS.stop - POINTS.start)
        features = len(POINT_NAMES) * b + d + SQUARE.stop + 2 * len(POINT_NAMES)
        self.rest = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, told))

    def forward(self, x: Tensor) -> Tensor:
        return self.with_heat(x)[0]

    def with_heat(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The answers, and the heat maps' logits (B, 5, 16, 16)."""
        fine = self.at_16(x - 0.5)
        coarse = self.at_8(fine)
        fine = self.join(fine + self.up(self.from_8(coarse)))
        logits = self.heat(fine)
        share = logits.flatten(2).softmax(2)  # (B, 5, cells)
        points = share @ cells(logits.shape[-1]).to(share)  # (B, 5, 2)
        under = share @ fine.flatten(2).transpose(1, 2)  # (B, 5, b)
        square = square_of(points)
        known = torch.cat([under.flatten(1), coarse.mean((2, 3)), square, points.flatten(1)], 1)
        rest = self.rest(known)
        first = SQUARE.stop
        return torch.cat([square + rest[:, :first], points.flatten(1), rest[:, first:]], 1), logits


class Face(nn.Module):
    """(B, 3, 144, 144) in [0, 1] to (B, FACE_ANSWERS), see above.

    The refiner's picture shows an eye in a cell or two, and what it said of eyes and mouths stayed near the average.
    Here the face fills the picture, and each answer knows where in it something lies. What it says of the mouth is
    corrected by what a window of its own shows: between closed lips and an open mouth a few pixels decide.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 40, 64, 96), hidden: int = 96) -> None:
        super().__init__()
        a, b, c, d = widths
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            conv(12, a),
            conv(a, b, 2),
            Residual(b),
            conv(b, c, 2),
            Residual(c),
            conv(c, d, 2),
            Residual(d),
            conv(d, c // 2, size=1),
        )
        size = FACE_PX // 16
        self.rest = nn.Sequential(
            nn.Linear(c // 2 * size * size, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, FACE_ANSWERS)
        )
        cells = (MOUTH_ROWS.stop - MOUTH_ROWS.start) // 4
        self.mouth = nn.Sequential(
            conv(12, b), Residual(b), conv(b, b, 2), Residual(b), conv(b, a, 2), nn.Flatten(),
            nn.Linear(a * cells * cells, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 2),
        )  # fmt: skip
        nn.init.zeros_(self.mouth[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.rest(self.body(x - 0.5).flatten(1))
        window = nn.functional.pixel_unshuffle(x - 0.5, 2)[:, :, MOUTH_ROWS, MOUTH_COLUMNS]
        mouth = out[:, [MOUTH, MOUTH_DOUBT]] + self.mouth(window.contiguous())
        return torch.cat([out[:, :MOUTH], mouth[:, :1], out[:, MOUTH + 1 : MOUTH_DOUBT], mouth[:, 1:]], 1)


def cells(size: int) -> Tensor:
    """(size * size, 2) x, y of a heat map's cells, in spec squares from the middle of the picture."""
    line = ((torch.arange(size) + 0.5) / size - 0.5) * REFINER_VIEW
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2)


def square_of(points: Tensor) -> Tensor:
    """(B, 5, 2) to (B, 4): centre, log side and tilt as skull top, chin and eyes of most characters have them."""
    left, right, chin, top = points[:, 0], points[:, 1], points[:, 3], points[:, 4]
    axis = chin - top
    length = axis.square().sum(1, keepdim=True).sqrt().clamp_min(0.05)
    across = left - right
    down = axis + 2.0 * torch.stack([-across[:, 1], across[:, 0]], 1)
    tilt = torch.atan2(-down[:, :1], down[:, 1:].clamp_min(0.05))
    return torch.cat([0.5 * (chin + top), (length * (256 / 124.5)).log(), tilt * (180 / torch.pi / TILT_UNIT_DEG)], 1)


class Matte(nn.Module):
    """(B, 3, H, W) in [0, 1] and `places` (B, 2, H, W), H and W multiples of MATTE_STRIDE, to (B, 1, H / 2, W / 2): the
    logit of how much of a place the head's character covers. A spec square is MATTE_SIDE px wide in it."""

    def __init__(self, widths: tuple[int, int, int, int, int] = (24, 40, 64, 80, 96)) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.at_2 = nn.Sequential(nn.PixelUnshuffle(2), conv(20, a))
        self.at_4 = nn.Sequential(conv(a, b, 2), Residual(b))
        self.at_8 = nn.Sequential(conv(b, c, 2), Residual(c))
        self.at_16 = nn.Sequential(conv(c, d, 2), Residual(d))
        self.at_32 = nn.Sequential(conv(d, e, 2), Residual(e), Residual(e))
        self.from_32, self.join_16 = conv(e, d, size=1), conv(d, d)
        self.from_16, self.join_8 = conv(d, c, size=1), conv(c, c)
        self.from_8, self.join_4 = conv(c, b, size=1), conv(b, b)
        self.from_4, self.join_2 = conv(b, a, size=1), conv(a, a)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.head = nn.Conv2d(a, 1, 1)

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        half = self.at_2(torch.cat([x - 0.5, places], 1))
        quarter = self.at_4(half)
        eighth = self.at_8(quarter)
        sixteenth = self.at_16(eighth)
        sixteenth = self.join_16(sixteenth + self.up(self.from_32(self.at_32(sixteenth))))
        eighth = self.join_8(eighth + self.up(self.from_16(sixteenth)))
        quarter = self.join_4(quarter + self.up(self.from_8(eighth)))
        out: Tensor = self.head(self.join_2(half + self.up(self.from_4(quarter))))
        return out


def places(middle: tuple[float, float], side: float, height: int, width: int) -> Tensor:
    """(2, height, width): where a pixel lies, x and y in spec squares from the head's middle, as far as matters."""
    (left, right), (top, bottom) = MATTE_REACH
    x = ((torch.arange(width) + 0.5 - middle[0]) / side).clamp(left, right)
    y = ((torch.arange(height) + 0.5 - middle[1]) / side).clamp(top, bottom)
    return torch.stack([x[None].expand(height, width), y[:, None].expand(height, width)])


class Landmarks(nn.Module):
    """All of them, as they lie in one weight file."""

    def __init__(self) -> None:
        super().__init__()
        self.finder = Finder()
        self.refiner = Refiner()
        self.face = Face()
        self.matte = Matte()


def planes(rgb: F32) -> Tensor:
    """float32 (B, H, W, 3) in [0, 255] to (B, 3, H, W) in [0, 1]."""
    return torch.from_numpy(rgb).permute(0, 3, 1, 2).contiguous() / 255
