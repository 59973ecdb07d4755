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
from puppeteer.networks.rig.brows import brow_look, found_brows
from puppeteer.networks.rig.eyes import Eyes, look
from puppeteer.networks.rig.face import FaceMorpher
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.pictures import Parts
from puppeteer.networks.rig.pieces import Looks, PieceReader, Pieces
from puppeteer.networks.rig.reader import FACE, FRONT, GLASSES, SIDE, Painter, Reader, ReaderConfig
from puppeteer.networks.rig.strokes import median
from puppeteer.networks.rig.terms import NUMBERS
from puppeteer.networks.tensors import Encoding
from puppeteer.pose import POSE_NAMES

CENTRE = slice(CROP_AT, SPEC - CROP_AT)
# Slices: a list of columns would be copied from the host, which has no place in a frame that is recorded as a graph.
EYES, SMILE, WIDE = slice(0, 2), POSE_NAMES.index("eye_smile"), POSE_NAMES.index("eye_wide")
BROWS = slice(POSE_NAMES.index("brow_left"), POSE_NAMES.index("brow_right") + 1)
FORM = POSE_NAMES.index("brow_form")
GAZE = slice(POSE_NAMES.index("gaze_x"), POSE_NAMES.index("gaze_y") + 1)
OPEN = POSE_NAMES.index("mouth_open")
THREE, MORE = 3, tuple(POSE_NAMES.index(name) for name in NUMBERS[3:])  # of a face's numbers
NECK = slice(POSE_NAMES.index("neck_z"), POSE_NAMES.index("neck_y") + 1)
BODY = slice(POSE_NAMES.index("body_z"), POSE_NAMES.index("hair_x") + 1)
SURELY, LEAST_PX = 0.95, 200  # share of a pixel in which a face is skin, and of how many such its colour is told
TRAINED = ("morpher", "eyes", "reader", "painter")  # the parts in the family's own weight file


class CompactFeatures(NamedTuple):
    """Kept per character."""

    morpher: MorpherFeatures
    pieces: Pieces
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
        self.eyes = PieceReader()  # finds eyes and brows
        self.reader = Reader(rig or ReaderConfig())  # splits the drawing into layers
        self.painter = Painter(rig or ReaderConfig())  # paints what layers hide of each other

    def encode(self, image: Tensor) -> CompactFeatures:
        """image (1, 4, 256, 256)"""
        reading = faces.read(self.face, image)
        parts, moves = assembly.read(self.reader, self.painter, image, reading.covered)
        middle = image[:, :, CENTRE, CENTRE]
        morpher, (eyes, browed) = self.morpher.fitted(middle, reading), self.eyes(middle)
        seen = parts.seen[:, :, CENTRE, CENTRE]
        hair, glasses = seen[[SIDE, FRONT]].sum(0, keepdim=True), seen[GLASSES][None]
        shades, opaque = morpher.shades.float(), torch.ones_like(eyes.opening)
        free = uncovered(reading)
        skin = _skin(middle, seen[FACE][None] * free, eyes, morpher.plain[:, :3].float().mean((2, 3), keepdim=True))
        skin = in_shades(skin, opaque[..., :1, :1], shades)
        eyes = eyes.within(free, 1 - hair, 1 - glasses, skin).of(middle)
        painted = [in_shades(colour, opaque, shades) for colour in torch.split(eyes.painted, 3, 1)]
        eyes = eyes._replace(painted=torch.cat(painted, 1).clamp(0, 1))
        coverage, drawn = torch.split(browed * free, 1, 1)
        pieces = Pieces(eyes, found_brows(coverage, drawn, eyes))
        return CompactFeatures(morpher._replace(lids=1 - eyes.found), pieces, parts, moves)

    def narrowed(self, features: CompactFeatures) -> CompactFeatures:
        return features._replace(morpher=self.morpher.narrowed(features.morpher))

    def decode(self, features: CompactFeatures, pose: Tensor) -> Rigged:
        """pose (1, 19)"""
        face = torch.cat((pose[:, :THREE], *(pose[:, n : n + 1] for n in MORE)), 1)
        changed = morphed(self.morpher.decode(features.morpher, face))
        # only down: a chin that rose would bare what it covers
        jaw = (pose[0, OPEN] - features.morpher.rest_mouth).float().clamp(min=0)
        moved = motion.flows(features.motion, pose[0, NECK], torch.cat([pose[0, BODY], jaw])) / SPEC
        eyes = look(features.pieces.eyes, pose[0, GAZE], pose[0, EYES], pose[0, SMILE], pose[0, WIDE])
        raised = brow_look(features.pieces.brows, pose[0, BROWS], pose[0, FORM])
        return Rigged(moved, features.parts, changed, Looks(eyes, raised))


def _skin(middle: Tensor, face: Tensor, eyes: Eyes, otherwise: Tensor) -> Tensor:
    """(1, 3, 1, 1) the usual colour of a face (1, 1, 128, 128) about its eyes in the `middle` of a picture
    (1, 4, 128, 128); `otherwise` where hardly any of it is seen."""
    sure = (face > SURELY) * (middle[:, 3:] > SURELY) * (torch.maximum(eyes.opening, eyes.lash) < 1 - SURELY)
    weight = sure.flatten(2)[0].float()
    colour = median(middle[0, :3].float().flatten(1), weight.expand(3, -1))[None, ..., None]
    return torch.where(weight.sum() > LEAST_PX, colour, otherwise)


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
