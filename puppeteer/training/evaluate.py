"""The paper's comparison on characters that no network has seen.

    python -m puppeteer.training.evaluate [--run runs/first] [--characters 64] [--record weights/compact.json]

PSNR (dB) and SSIM of premultiplied pictures at 256 px, averaged over frames, of characters whose heads move (split
`test`: other seeds, and designs that training never draws). Everybody moves alike; what differs is where colours come
from: `painted` has all of them from the painter (Pumarola's part), `copied` all from the drawing, whatever is seen at
that place (Zhou's), `both` what the layers say. `ceiling` is the same with the renderer's own layers. The rows `whole`
have other expressions too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from puppeteer.characters import Renderer, make_recipe
from puppeteer.files import whole
from puppeteer.image import premultiplied
from puppeteer.networks.blocks import SPEC
from puppeteer.networks.compact import Compact
from puppeteer.networks.rig.frame import Rigged
from puppeteer.networks.rig.pictures import DRAWN, FAINT, SEEN_FACE, Parts, pictures
from puppeteer.networks.rig.reader import PAINTED
from puppeteer.networks.tensors import to_tensor
from puppeteer.pose import U8, Pose
from puppeteer.poser import Poser
from puppeteer.poser.devices import choose
from puppeteer.poser.rig_drawing import Shown, drawn_on_device
from puppeteer.training.ceiling import FIRST, true_rig
from puppeteer.training.poses import random_expression, random_neck
from puppeteer.training.sheets import networks_of

POSES = 4  # of each character
Table = dict[str, NDArray[np.float64]]


def scores(ours: U8, true: U8) -> tuple[float, float]:
    """PSNR and SSIM of straight (S, S, 4) as a viewer gets them: multiplied with alpha, in 8 bits."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    a, b = premultiplied(ours), premultiplied(true)
    ssim = structural_similarity(
        b, a, channel_axis=-1, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return float(peak_signal_noise_ratio(b, a, data_range=255)), float(ssim)


class Algorithms:
    """One character, drawn with its colours from here or there."""

    def __init__(self, networks: Compact, rest: U8) -> None:
        self.networks = networks
        self.image = to_tensor(rest, networks.encoding)
        self.features = networks.encode(self.image)
        parts = self.features.parts
        self.both = pictures(self.image, parts)
        both = self.both.layers
        alpha = both[:, 3:]
        straight = self.image[:, :3] / self.image[:, 3:].clamp(min=FAINT)
        copied = torch.cat([straight * alpha, alpha], 1)
        painted = copied.clone()  # but for what nothing covers, and nobody paints
        hidden = [at for at, k in enumerate(DRAWN) if k in PAINTED and at != SEEN_FACE]
        painted[hidden, :3] = parts.hidden[[DRAWN[at] for at in hidden]] * alpha[hidden]
        self.shown = {"painted": painted, "copied": copied, "both": both}

    def drawn(self, name: str, pose: Pose) -> U8:
        frame = self.networks.decode(self.features, torch.from_numpy(pose.array())[None])._replace(middle=None)
        shown = Shown(self.both._replace(layers=self.shown[name]), None)
        return np.asarray(drawn_on_device(frame, self.networks.encoding, self.image, shown).numpy())


def ceiling(rest: U8, parts: Parts, flows: torch.Tensor) -> U8:
    image = to_tensor(rest, "srgb_premultiplied")
    frame = Rigged(flows, parts)
    return np.asarray(drawn_on_device(frame, "srgb_premultiplied", image, Shown.of(frame, image)).numpy())


@torch.inference_mode()
def evaluate(networks: Compact, characters: int) -> Table:
    """Rows of the comparison: name -> (PSNR, SSIM)."""
    from puppeteer.networks.rig import motion

    found: dict[str, list[tuple[float, float]]] = {}
    warp = Poser.load("warp", "cpu")
    whole_poser = Poser(networks, "compact", choose("cpu"))
    with Renderer() as renderer:
        for seed in range(FIRST, FIRST + characters):
            recipe = make_recipe(seed, "test")
            renderer.load(recipe)
            rng = np.random.default_rng([seed, 77])
            still = Pose(mouth_open=recipe.rest_mouth)
            rest = renderer.render(still, SPEC).rgba
            perfect = true_rig(renderer.layers(still, SPEC, truth=True), recipe)
            ours = Algorithms(networks, rest)
            warp.set_character(rest)
            whole_poser.set_character(rest)
            for _ in range(POSES):
                neck = random_neck(rng)
                turned = Pose(0, 0, recipe.rest_mouth, *neck)
                flows = motion.flows(perfect.motion, torch.tensor(neck), torch.zeros(5)) / SPEC
                posed = Pose(*random_expression(rng, recipe.rest_mouth), *neck)
                true, true_whole = (renderer.render(pose, SPEC).rgba for pose in (turned, posed))
                rows = {
                    "not moving": (rest, true),
                    "warp baseline": (warp.pose(turned), true),
                    **{name: (ours.drawn(name, turned), true) for name in ours.shown},
                    "ceiling": (ceiling(rest, perfect.parts, flows), true),
                    "whole: not moving": (rest, true_whole),
                    "whole: networks": (whole_poser.pose(posed), true_whole),
                }
                for name, pair in rows.items():
                    found.setdefault(name, []).append(scores(*pair))
    return {name: np.mean(values, 0) for name, values in found.items()}


def record(table: Table, characters: int, path: Path) -> None:
    """Adds the table to the record of a weight file."""
    told = json.loads(path.read_text())
    rows = {name: [round(float(v), 4) for v in values] for name, values in table.items()}
    told["scores"] = {"characters": characters, "poses": POSES, "PSNR and SSIM": rows}
    with whole(path) as draft:
        draft.write_text(json.dumps(told, indent=1) + "\n")


def lines(table: Table) -> str:
    return "\n".join(f"{name:18s} PSNR {psnr:6.2f} dB   SSIM {ssim:.4f}" for name, (psnr, ssim) in table.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a run to evaluate; without it, the shipped weights")
    parser.add_argument("--characters", type=int, default=64)
    parser.add_argument("--record", type=Path, help="the record to add the table to, such as weights/compact.json")
    options = parser.parse_args()
    table = evaluate(networks_of(options.run), options.characters)
    print(lines(table))
    if options.record:
        record(table, options.characters, options.record)


if __name__ == "__main__":
    main()
