"""Face reader, morpher, and the rig's reader and painter as one family: what is shipped and how a frame is answered."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from puppeteer import weights
from puppeteer.networks import faces
from puppeteer.networks.blocks import SPEC
from puppeteer.networks.compact.blocks import CROP, CROP_AT, MorpherConfig
from puppeteer.networks.compact.morpher import MorpherFeatures, MorpherOutput, in_shades, uncovered
from puppeteer.networks.landmarks import Face
from puppeteer.networks.layers import Copy, Layers
from puppeteer.networks.rig import assembly, motion
from puppeteer.networks.rig.eyes import EyeReader, Eyes, look
from puppeteer.networks.rig.face import FaceMorpher
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.pictures import Parts
from puppeteer.networks.rig.reader import FRONT, GLASSES, SIDE, Painter, Reader, ReaderConfig
from puppeteer.networks.rig.terms import NUMBERS
from puppeteer.networks.tensors import Encoding
from puppeteer.pose import POSE_NAMES

CENTRE = slice(CROP_AT, SPEC - CROP_AT)
# Slices: a list of columns would be copied from the host, which has no place in a frame that is recorded as a graph.
EYES, SMILE, EYE_WIDE = slice(0, 2), POSE_NAMES.index("eye_smile"), POSE_NAMES.index("eye_wide")
GAZE = slice(POSE_NAMES.index("gaze_x"), POSE_NAMES.index("gaze_y") + 1)
THREE, MORE = 3, slice(POSE_NAMES.index(NUMBERS[3]), POSE_NAMES.index(NUMBERS[-1]) + 1)  # of a face's numbers
NECK = slice(POSE_NAMES.index("neck_z"), POSE_NAMES.index("neck_y") + 1)
BODY = slice(POSE_NAMES.index("body_z"), POSE_NAMES.index("hair_x") + 1)
TRAINED = ("morpher", "eyes", "reader", "painter")  # the parts in the family's own weight file


class CompactFeatures(NamedTuple):
    """Kept per character."""

    morpher: MorpherFeatures
    eyes: Eyes
    parts: Parts
    motion: motion.Motion


class Compact(nn.Module):
    """Complete layers that turn by their depth; the middle of what they show is morphed before."""

    encoding: Encoding = "srgb_premultiplied"
    kept = CompactFeatures

    def __init__(self, morpher: MorpherConfig | None = None, rig: ReaderConfig | None = None) -> None:
        super().__init__()
        self.face = Face()  # reads what the face shows
        self.morpher = FaceMorpher(morpher or MorpherConfig())
        self.eyes = EyeReader()  # finds irises
        self.reader = Reader(rig or ReaderConfig())  # splits the drawing into layers
        self.painter = Painter(rig or ReaderConfig())  # paints what layers hide of each other

    def encode(self, image: Tensor) -> CompactFeatures:
        """image (1, 4, 256, 256)"""
        reading = faces.read(self.face, image)
        parts, moves = assembly.read(self.reader, self.painter, image, reading.covered[:, :2])
        middle = image[:, :, CENTRE, CENTRE]
        morpher, eyes = self.morpher.fitted(middle, reading), self.eyes(middle)
        seen = parts.seen[:, :, CENTRE, CENTRE]
        hair, glasses = seen[[SIDE, FRONT]].sum(0, keepdim=True), seen[GLASSES][None]
        shades, opaque = morpher.shades.float(), torch.ones_like(eyes.opening)
        skin = in_shades((morpher.skin * morpher.tone.mean((2, 3), keepdim=True)).float(), opaque[..., :1, :1], shades)
        eyes = eyes.within(uncovered(reading), 1 - hair, 1 - glasses, skin)
        painted = [in_shades(colour, opaque, shades) for colour in torch.split(eyes.painted, 3, 1)]
        eyes = eyes._replace(painted=torch.cat(painted, 1).clamp(0, 1))
        return CompactFeatures(morpher._replace(lids=1 - eyes.found), eyes, parts, moves)

    def narrowed(self, features: CompactFeatures) -> CompactFeatures:
        return features._replace(morpher=self.morpher.narrowed(features.morpher))

    def decode(self, features: CompactFeatures, pose: Tensor) -> Rigged:
        """pose (1, 19)"""
        # The morpher's wide eyes know an iris that looks ahead: where it does not, there would be a second one.
        ahead = 1 - pose[:, GAZE].abs().amax(1, keepdim=True)
        wide = ahead * pose[:, EYE_WIDE : EYE_WIDE + 1]
        parts = (pose[:, :THREE], pose[:, MORE.start : EYE_WIDE], wide, pose[:, EYE_WIDE + 1 : MORE.stop])
        face = torch.cat(parts, 1)
        changed = morphed(self.morpher.decode(features.morpher, face))
        moved = motion.flows(features.motion, pose[0, NECK], pose[0, BODY]) / SPEC
        return Rigged(moved, features.parts, changed, look(features.eyes, pose[0, GAZE], pose[0, EYES], pose[0, SMILE]))


def morphed(face: MorpherOutput) -> Layers:
    """What becomes of the middle."""
    moves, paints = face.gate * face.ways[:, 1:2], face.gate * face.ways[:, 2:]
    return Layers(
        (
            Copy(None, (1 - moves - paints).float()),
            Copy((face.flow * face.gate).float() * (2 / CROP), moves.float()),
        ),
        (paints * face.colour).float(),
    )


def load() -> Compact:
    """The shipped networks. Raises WeightsError where a file is missing or not the one recorded."""
    state = torch.load(weights.verified("compact"), map_location="cpu", weights_only=True)
    state |= {f"face.{name}": value for name, value in faces.state().items()}
    with torch.device("meta"):  # no time spent on initial values that are about to be replaced
        networks = Compact()
    networks.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in state.items()}, assign=True
    )
    return networks.eval().requires_grad_(False)
