"""What the picture doctor finds in made-up pictures of other characters, and sheets of these pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from puppeteer.networks.compact import SPEC
from puppeteer.pose import U8
from puppeteer.training.landmarks.faces import face_picture
from puppeteer.training.landmarks.pictures import Head, figure_picture, head_picture, whole_picture
from puppeteer.training.landmarks.truth import Characters

MOST_LEAN_DEG = 3.0  # of a head that `check` counts as not leaning


def check(data: Path, turned: Path | None, pictures: int) -> None:
    """What the picture doctor finds in made-up pictures of other characters with the shipped weights, in shares and
    percentiles; "good" is what the project promises: centre within 8% of the side, side 12%, tilt 4 degrees."""
    from puppeteer.prepare import heads

    characters = Characters(data, turned, "validation")
    rows, invented, empty, missed = [], 0, 0, 0
    for k in range(pictures):
        rng = np.random.default_rng([k, 80])
        picture, truth = whole_picture(rng, characters, 384)
        found = heads.find(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]))
        empty += not truth
        invented += any(h.score > heads.HEAD for h in found) and not truth
        for head in truth:
            near = min(found, key=lambda h: math.dist(h.centre, head.centre), default=None)
            if near is None or math.dist(near.centre, head.centre) > 0.3 * head.side:
                missed += 1
                continue
            rows.append(
                (
                    math.dist(near.centre, head.centre) / head.side,
                    abs(near.side / head.side - 1),
                    abs(near.tilt_deg - head.tilt_deg),
                    near.score,
                    *near.doubt,
                    near.sure,
                    abs(head.lean_deg),
                )
            )
    table = np.array(rows, float)
    good = (table[:, 0] < 0.08) & (table[:, 1] < 0.12) & (table[:, 2] < 4)
    sure = table[:, 7] > 0
    still = table[:, 8] < MOST_LEAN_DEG
    print(f"{len(table)} heads found, {missed} missed; {empty} pictures without a head, in {invented} one was found")
    for name, of in (("all heads", np.full(len(table), True)), ("heads that do not lean in a pose", still)):
        print(
            f"{name}: {of.sum()}, good {good[of].mean():.3f}; of the good {sure[of & good].mean():.3f} are sure, ",
            end="",
        )
        print(f"of the others {sure[of & ~good].mean():.3f}; good of the sure {good[of & sure].mean():.3f}")
    names = ("centre", "side", "tilt", "score", "doubt centre", "doubt side", "doubt tilt")
    for column, name in enumerate(names):
        print(f"{name:13}", *(f"{v:8.3f}" for v in np.percentile(table[:, column], (5, 25, 50, 75, 90, 95, 98))))
    np.save(Path(os.environ.get("LANDMARKS_TABLE", os.devnull)), table)
    check_faces(characters, pictures)


def check_faces(characters: Characters, pictures: int) -> None:
    """How often what the picture doctor says of a face is said where it is true, and where it is not."""
    from puppeteer.networks import landmarks as net
    from puppeteer.prepare import diagnosis
    from puppeteer.prepare import faces as prepared

    read: list[tuple[prepared.Face, Head]] = []
    corner = round(SPEC / 2 - net.FACE_PX / 2), round(SPEC / 2 + net.FACE_DOWN * SPEC - net.FACE_PX / 2)
    for k in range(pictures):
        picture, truth = face_picture(np.random.default_rng([k, 81]), characters)
        spec = np.full((SPEC, SPEC, 4), 255, np.uint8)
        spec[corner[1] : corner[1] + net.FACE_PX, corner[0] : corner[0] + net.FACE_PX, :3] = picture
        read.append((prepared.read(spec), truth))

    def share(said: Sequence[bool]) -> str:
        return f"{np.mean(said):.3f} of {len(said)}" if said else "none"

    def row(name: str, true: Sequence[bool], false: Sequence[bool]) -> None:
        print(f"{name:22} said where true {share(true)}, where not {share(false)}")

    def closed(seen: prepared.Face) -> int:
        return sum(c > diagnosis.SHUT for c in seen.closed)

    turned = diagnosis.TURNED_DEG
    ahead = [(s, t) for s, t in read if abs(t.turn_deg) < 30]
    row(
        "turned",
        [abs(s.turn_deg) > turned for s, t in read if abs(t.turn_deg) > turned + 5],
        [abs(s.turn_deg) > turned for s, t in read if abs(t.turn_deg) < turned - 5],
    )
    row(
        "hair over both eyes",
        [s.hidden > diagnosis.HIDDEN for s, t in read if t.hidden],
        [s.hidden > diagnosis.HIDDEN for s, t in read if not t.hidden],
    )
    for part, name in enumerate(("left eye", "right eye", "mouth")):
        row(
            f"{name} covered",
            [s.covered[part] > diagnosis.COVERED for s, t in ahead if t.covered[part] and not t.hidden],
            [s.covered[part] > diagnosis.COVERED for s, t in ahead if not t.covered[part] and not t.hidden],
        )
    eyes = [(s, t) for s, t in ahead if not t.hidden and not any(t.covered[:2])]
    row(
        "eyes closed",
        [closed(s) == 2 for s, t in eyes if min(t.closed) > 0.9],
        [closed(s) == 2 for s, t in eyes if max(t.closed) < 0.3],
    )
    row(
        "one eye closed",
        [closed(s) == 1 for s, t in eyes if max(t.closed) > 0.9 and min(t.closed) < 0.3],
        [closed(s) == 1 for s, t in eyes if max(t.closed) < 0.3],
    )
    mouths = [(s, t) for s, t in ahead if not t.covered[2]]
    row(
        "mouth open, surely",
        [s.drawn_mouth > 0 for s, t in mouths if t.mouth > 0.4],
        [s.drawn_mouth > 0 for s, t in mouths if t.mouth < 0.05],
    )
    both = np.array([(s.mouth_open, t.mouth) for s, t in mouths])
    print(f"mouth: correlation with the truth {np.corrcoef(both.T)[0, 1]:.3f}")


def look(data: Path, turned: Path | None, output: Path) -> None:
    """A sheet of made-up pictures with their truth drawn in."""
    from PIL import Image

    characters = Characters(data, turned)
    rng = np.random.default_rng(1)

    def marked(picture: U8, heads: Sequence[Head], size: int) -> U8:
        picture = np.ascontiguousarray(picture)
        for h in heads:
            box = cv2.boxPoints(((float(h.centre[0]), float(h.centre[1])), (h.side / 2, h.side / 2), h.tilt_deg))
            cv2.polylines(picture, [np.rint(box).astype(np.int32)], True, (255, 0, 0), 1)
            for x, y in h.points:
                cv2.circle(picture, (int(x), int(y)), 1, (0, 255, 0), -1)
        return np.asarray(cv2.resize(picture, (size, size)), np.uint8)

    tiles = [marked(p, h, 192) for p, h in (whole_picture(rng, characters) for _ in range(40))]
    tiles += [marked(p, [h] if h else [], 192) for p, h in (head_picture(rng, characters) for _ in range(20))]
    tiles += [marked(p, [], 192) for p, _ in (face_picture(rng, characters) for _ in range(20))]
    for _ in range(10):
        picture, cover, *_ = figure_picture(rng, characters)
        tiles += [marked(p, [], 192) for p in (picture, (255 * cover[..., None].repeat(3, -1)).astype(np.uint8))]
    rows = [np.concatenate(tiles[k : k + 10], 1) for k in range(0, len(tiles), 10)]
    Image.fromarray(np.concatenate(rows, 0)).save(output)
