"""What a user should know about a picture before it is a character: sentences, each with what to do."""

from __future__ import annotations

from typing import Literal

from puppeteer.image import Square
from puppeteer.pose import U8
from puppeteer.prepare.heads import Head

SHARP_SIDE = 256  # px: a smaller spec square is enlarged for the networks
TURNED_DEG = 20.0
SHUT = 0.6
HIDDEN = 0.6
OPEN, CLOSED = 0.4, 0.15  # of the mouth; between them nothing is said
ANOTHER = 0.5  # a second head of at least this share of the first one's size is named
Answer = Literal["turn", "hidden", "closed", "mouth"]
# What `landmarks check` shows the shipped networks to tell rightly of the face; the rest is guesswork and not said.
RELIABLE: frozenset[Answer] = frozenset()
BY_HAND = "correct it by dragging in the window, or with --square LEFT TOP SIDE"


def sentences(
    name: str,
    head: Head | None,
    others: tuple[Head, ...],
    place: Head,
    rgba: U8,
    square: Square,
    told: bool,
) -> tuple[str, ...]:
    """About the place of the head first, then about what the face will do."""
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
    if head is not None:
        out += _face(name, head)
    return tuple(out)


def _face(name: str, head: Head) -> list[str]:
    out = []
    if "turn" in RELIABLE and abs(head.turn_deg) > TURNED_DEG:
        out.append(
            f"the face in {name} is turned to the side: it can turn little further that way, and one eye may move "
            "badly; a picture that looks at you works best"
        )
    if "hidden" in RELIABLE and head.hidden > HIDDEN:
        out.append(
            f"hair lies over both eyes in {name}, so closing them will hardly be seen: choose a picture with free eyes"
        )
    elif "closed" in RELIABLE and min(head.closed) > SHUT:
        out.append(
            f"the eyes in {name} are closed, and only open eyes can be made to blink: choose a picture with open eyes"
        )
    elif "closed" in RELIABLE and max(head.closed) > SHUT:
        which = "left" if head.closed[0] > head.closed[1] else "right"
        out.append(
            f"the character's {which} eye in {name} is closed and will stay so: choose a picture with both eyes open"
        )
    if "mouth" not in RELIABLE:
        return out
    if head.mouth_open > OPEN:
        out.append(
            f"the mouth in {name} is open: it closes and opens as you speak, and inside it looks as it was drawn"
        )
    elif head.points and head.mouth_open < CLOSED:
        out.append(
            f"the mouth in {name} is closed: how it looks open is made up; a picture with a slightly open mouth shows "
            "its own"
        )
    return out
