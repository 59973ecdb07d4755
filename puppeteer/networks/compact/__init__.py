"""The compact family: networks understand a drawing once, geometry moves it in every frame.

The idea is that of "Talking Head Anime from a Single Image" (Khungurn, 2019): a face morpher, then a rotation by two
algorithms (Pumarola et al. 2018: what is painted; Zhou et al. 2016: what is copied along a flow), and a mask that says
which is which. It is spent differently, so that two CPU cores suffice:

- The *morpher* sees the centre 128x128 crop. Besides keeping a pixel or painting it (Pumarola), it may also move one
  (a third way in the softmax), so that the drawing's own lashes and lips slide.
- The *rig* (`puppeteer.networks.rig`) never predicts a picture. A reader splits the drawing into complete layers with
  depth, a painter paints what they hide of each other. What a layer shows is the drawing's own pixels (copied), what
  others cover at rest is paint, and which is which is known from the split. Layers turn by their depth and are laid
  over each other: a frame costs no network.
- The *face reader* is that of the picture doctor: how far the drawn mouth is open, and what is covered.

All pictures here are premultiplied sRGB with alpha in [0, 1]; sampling grids are float32 whatever the weights are.
Pixel coordinates have (0, 0) at the top left corner of the picture in spec px (0..256), pixel centres at +0.5.
"""

from puppeteer.networks.blocks import SPEC, pixel_grid, sample
from puppeteer.networks.compact.blocks import CROP, CROP_AT, MorpherConfig
from puppeteer.networks.compact.family import TRAINED, Compact, load
from puppeteer.networks.compact.morpher import Morpher, MorpherFeatures, MorpherOutput

__all__ = [
    "CROP",
    "CROP_AT",
    "SPEC",
    "TRAINED",
    "Compact",
    "Morpher",
    "MorpherConfig",
    "MorpherFeatures",
    "MorpherOutput",
    "load",
    "pixel_grid",
    "sample",
]
