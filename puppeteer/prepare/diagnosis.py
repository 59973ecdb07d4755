"""What a user should know about a picture before it is a character: sentences, each with what to do."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from puppeteer.image import premultiplied
from puppeteer.pose import U8
from puppeteer.prepare.faces import Face
from puppeteer.prepare.heads import Head, on_plain

SHARP_SIDE = 256  # px: a smaller spec square is enlarged for the networks
TURNED_DEG = 20.0
SHUT = 0.7
HIDDEN = 0.6
COVERED = 0.5
OPEN, CLOSED = 0.4, 0.15  # of the mouth; between them nothing is said
ANOTHER = 0.5  # a second head of at least this share of the first one's size is named
Answer = Literal["turn", "hidden", "covered", "closed", "mouth"]
# What `landmarks check` shows the shipped networks to tell rightly of the face; the rest is guesswork and not said.
RELIABLE: frozenset[Answer] = frozenset({"turn", "hidden", "covered", "closed", "mouth"})
PHOTO_PX = 96  # how wide a face is looked at for this
BLURRED = 0.5  # of that: a face that is smaller has no edges to tell a photograph by
BLOCKS, BLOCKY = range(2, 25), 3.0  # px of one dot of pixel art, and how much steeper its edges are than its insides
SOFT_EDGES, SOFTEST_EDGES = 33, 25  # levels: photographs' faces have few edges that are as hard as a drawing's ...
FEW_COLOURS = 0.34  # ... and, unlike flat drawings without edges, no three coarse colours that fill so much of them
BY_HAND = "correct it by dragging in the window, or with --square LEFT TOP SIDE"


def sentences(
    name: str,
    head: Head | None,
    others: tuple[Head, ...],
    place: Head,
    face: Face | None,
    told: bool,
    leans: bool,
) -> tuple[str, ...]:
    """About the place of the head first, then about what the face will do.

    `told` is whether a user placed the square, `leans` whether the picture seemed to, but not surely enough to turn it.
    """
    out: list[str] = []
    if told:
        pass
    elif head is None:
        out.append(
            f"no drawn head was found in {name}: where it is was guessed from the outline; take a picture with one "
            f"face that looks ahead, or {BY_HAND}"
        )
    elif not head.sure:
        out.append(f"the head in {name} was found, but not surely: look whether it sits right, else {BY_HAND}")
    if leans and head is not None:
        out.append(
            f"{name} may lean by about {abs(round(head.tilt_deg))} degrees, but that is not sure, so it was not "
            f"turned: if the head leans, turn it with the slider in the window, or with --tilt {round(head.tilt_deg)}"
        )
    rivals = [other for other in others if head is not None and other.side > ANOTHER * head.side]
    if rivals and not told:
        out.append(
            f"{len(rivals) + 1} heads were found in {name}, and the clearest one is used: cut the picture to one "
            f"character, or choose another head by dragging in the window, or with --square LEFT TOP SIDE"
        )
    if place.side < SHARP_SIDE and (head is not None or told):
        out.append(
            f"the head in {name} is only {round(place.side / 2)} pixels high, so the character will look soft: take a "
            f"larger picture, best one whose head is {SHARP_SIDE} pixels high or more"
        )
    if face is not None:
        out += _face(name, face)
    return tuple(out)


def photograph(rgba: U8, head: Head) -> bool:
    """Whether a face looks like a photograph's: no hard edges, and few places of the same colour.

    Soft drawings come near; of them the more so, the less the networks take them for a drawn head.
    """
    x, y, reach = *head.centre, 0.22 * head.side
    height, width = rgba.shape[:2]
    rows = slice(max(0, int(y - 0.6 * reach)), min(height, int(y + 1.1 * reach)))
    part = rgba[rows, max(0, int(x - reach)) : min(width, int(x + reach))]
    if min(part.shape[:2]) < 8 or 2 * reach < BLURRED * PHOTO_PX or _pixel_art(part[..., :3]):
        return False
    scale = PHOTO_PX / (2 * reach)
    size = max(8, round(part.shape[1] * scale)), max(8, round(part.shape[0] * scale))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    rgb = np.asarray(cv2.resize(on_plain(premultiplied(part)), size, interpolation=flags), np.uint8)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    down, across = np.abs(np.diff(lab, axis=0))[:, :-1], np.abs(np.diff(lab, axis=1))[:-1]
    hard = float(np.percentile(np.maximum(down, across).max(-1), 90))
    coarse = (rgb // 12).reshape(-1, 3).astype(np.int64) @ (10_000, 100, 1)
    counts = np.sort(np.unique(coarse, return_counts=True)[1])
    flat = float(counts[-3:].sum() / counts.sum())
    return flat < FEW_COLOURS and hard < (SOFTEST_EDGES if head.sure else SOFT_EDGES)


def _pixel_art(rgb: U8) -> bool:
    """Whether a picture is made of squares: all its edges lie on a raster."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32)
    for steps in (np.abs(np.diff(grey, axis=1)).mean(0), np.abs(np.diff(grey, axis=0)).mean(1)):
        ratios = []
        for size in BLOCKS:
            whole = len(steps) // size
            if whole < 6:
                break
            phases = steps[: whole * size].reshape(whole, size).mean(0)
            others = (phases.sum() - phases.max()) / (size - 1)
            ratios.append(phases.max() / (others + 0.05))
        if not ratios or max(ratios) < BLOCKY:
            return False
    return True


def _face(name: str, face: Face) -> list[str]:
    out = []
    left, right, mouth = (share > COVERED for share in face.covered)
    if "turn" in RELIABLE and abs(face.turn_deg) > TURNED_DEG:
        out.append(
            f"the face in {name} is turned to the side: it can turn little further that way, and one eye may move "
            "badly; a picture that looks at you works best"
        )
    if "covered" in RELIABLE and (left or right or mouth):
        parts = ["both eyes"] if left and right else ["the left eye"] * left + ["the right eye"] * right
        hidden = " and ".join([*parts, *["the mouth"] * mouth])
        out.append(
            f"something covers {hidden} of the character in {name}, which will stay as drawn: choose a picture without "
            "it if that shall move"
        )
    shut = [closed > SHUT and not gone for closed, gone in zip(face.closed, (left, right), strict=True)]
    if "hidden" in RELIABLE and face.hidden > HIDDEN and not (left or right):
        out.append(
            f"hair lies over both eyes in {name}, so closing them will hardly be seen: choose a picture with free eyes"
        )
    elif "closed" in RELIABLE and all(shut):
        out.append(
            f"the eyes in {name} look closed, and only open eyes can be made to blink: choose a picture with open eyes"
        )
    elif "closed" in RELIABLE and any(shut):
        which = "left" if shut[0] else "right"
        out.append(
            f"the character's {which} eye in {name} looks closed and will stay so: choose a picture with both eyes open"
        )
    if "mouth" not in RELIABLE or mouth:
        return out
    if face.drawn_mouth > OPEN:
        out.append(
            f"the mouth in {name} is open: it closes and opens as you speak, and inside it looks as it was drawn"
        )
    elif face.mouth_open < CLOSED:
        out.append(
            f"the mouth in {name} is closed: how it looks open is made up; a picture with a slightly open mouth shows "
            "its own"
        )
    return out
