"""The picture doctor: any picture becomes a prepared character, and what to know about it is said in sentences.

prepared = prepare(Path("picture.jpg"))
write_png(Path("character.png"), prepared.character.rgba, prepared.character.square)
again = prepared.aligned(square=(120, 40, 512), tilt_deg=3.0)  # what a user dragged, in pixels of the picture
less = again.touched((Stroke(keep=False, points=((60.0, 90.0),), radius=8.0),))  # a click that removes a place
"""

from puppeteer.prepare.brush import Stroke
from puppeteer.prepare.doctor import Prepared, prepare
from puppeteer.prepare.heads import Head

__all__ = ["Head", "Prepared", "Stroke", "prepare"]
