"""The compact family: a character is encoded once, every frame is decoded from the kept features.

The idea is that of "Talking Head Anime from a Single Image" (Khungurn, 2019): a face morpher, then a face rotator of
two algorithms (Pumarola et al. 2018: colour change with a mask; Zhou et al. 2016: appearance flow), a combiner and a
retouch. It is spent differently, so that two CPU cores suffice:

- The *morpher* sees the centre 128x128 crop. Besides keeping a pixel or painting it (Pumarola), it may also move one
  (a third way in the softmax), so that the drawing's own lashes and lips slide.
- The *rotator* never predicts a picture's flow as a whole. The encoder splits the character into three layers (head;
  body; back hair), each with its own smooth backward flow. The tilt of the head is a rotation about the neck root and
  computed, not learned; nod and turn are a polynomial in (neck_x, neck_y) whose coefficients are maps that the encoder
  writes once. So the flow is smooth in the pose and exactly zero at the zero pose.
- Where a layer shows a place that another layer covered at rest, the flow has nothing to copy: the layers' occupancies
  tell where (`validity`), the combiner starts from that, and the colour branch paints it.

All pictures here are premultiplied sRGB with alpha in [0, 1]; sampling grids are float32 whatever the weights are.
Pixel coordinates have (0, 0) at the top left corner of the picture in spec px (0..256), pixel centres at +0.5.
"""

from puppeteer.networks.blocks import SPEC, halved, pixel_grid, sample
from puppeteer.networks.compact.blocks import CROP, CROP_AT, CompactConfig
from puppeteer.networks.compact.family import Compact, load
from puppeteer.networks.compact.morpher import Morpher, MorpherFeatures, MorpherOutput
from puppeteer.networks.compact.rotator import (
    BACK,
    BODY,
    HEAD,
    LAYERS,
    Painted,
    Rotator,
    RotatorFeatures,
    RotatorOutput,
)

__all__ = [
    "BACK",
    "BODY",
    "CROP",
    "CROP_AT",
    "HEAD",
    "LAYERS",
    "SPEC",
    "Compact",
    "CompactConfig",
    "Morpher",
    "MorpherFeatures",
    "MorpherOutput",
    "Painted",
    "Rotator",
    "RotatorFeatures",
    "RotatorOutput",
    "halved",
    "load",
    "pixel_grid",
    "sample",
]
