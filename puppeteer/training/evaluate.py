"""The paper's comparison on characters that no network has seen.

    python -m puppeteer.training.evaluate --data data/test [--run runs/first] [--characters 100]

PSNR (dB) and SSIM of premultiplied pictures, averaged over frames, of the rotated character: every algorithm gets the
same picture before the rotation. `whole` rows start from the rest image instead and use the morpher too. Data that is
missing is rendered first (split `test`: other seeds, and designs that training never draws).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from puppeteer.files import whole
from puppeteer.networks.compact import CROP_AT, SPEC, Morpher, Rotator, halved, load
from puppeteer.pose import F32, Pose
from puppeteer.training.dataset import ROTATIONS, SHARD, Shards, generate, rotator_batch
from puppeteer.training.sheets import load_networks

CROP = slice(CROP_AT, SPEC - CROP_AT)


def array(image: Tensor) -> F32:
    """(4, H, W) -> (H, W, 4), as a viewer gets it: in 8 bits."""
    out: F32 = ((image.clamp(0, 1) * 255).round() / 255).permute(1, 2, 0).numpy()
    return out


def scores(ours: Tensor, true: Tensor) -> NDArray[np.float64]:
    """PSNR and SSIM, mean over a batch (B, 4, H, W)."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    found = []
    for a, b in zip(ours, true, strict=True):
        x, y = array(a), array(b)
        psnr = peak_signal_noise_ratio(y, x, data_range=1.0)
        ssim = structural_similarity(
            y, x, channel_axis=-1, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        found.append((psnr, ssim))
    mean: NDArray[np.float64] = np.mean(np.asarray(found, np.float64), 0)
    return mean


def warp_baseline(image: Tensor, neck: Tensor) -> Tensor:
    """What needs no network: premultiplied (B, 4, 256, 256), the same picture tilted, shifted and squashed."""
    from puppeteer.image import premultiplied, unpremultiplied
    from puppeteer.poser import Poser
    from puppeteer.training.dataset import planes

    poser, out = Poser.load("warp", "cpu"), []
    for picture, joints in zip(image, neck, strict=True):
        rgba = unpremultiplied((array(picture) * 255).round().astype(np.uint8))
        poser.set_character(rgba)
        out.append(planes(premultiplied(poser.pose(Pose(0, 0, 0, *joints.tolist())))))
    return torch.stack(out)


@torch.inference_mode()
def evaluate(morpher: Morpher | None, rotator: Rotator, data: Path, characters: int) -> dict[str, NDArray[np.float64]]:
    """Rows of the comparison: name -> (PSNR, SSIM), and the shares of combiner and retouch in the picture."""
    shards, share = Shards(data), []
    rows: dict[str, list[NDArray[np.float64]]] = {}
    for k in range(min(characters, len(shards))):
        batch = rotator_batch([shards.row(k)], None, ROTATIONS)
        kept = rotator.fitted(batch.rest)
        rotated = rotator.decode(kept, batch.neck)
        painted = Rotator.paint(batch.morphed, rotated)
        pictures = {
            "not moving": batch.morphed,
            "warp baseline": warp_baseline(batch.morphed, batch.neck),
            "Pumarola": painted.pumarola,
            "Zhou": painted.zhou,
            "combined": painted.combined,
            "combined, retouched": painted.final,
        }
        if morpher is not None:
            features = morpher.fitted(batch.rest[:, :, CROP, CROP])
            expression = torch.from_numpy(np.array(shards.row(k)["expression"]))
            unchanged = torch.tensor([[0.0, 0.0, float(features.rest_mouth[0])]])
            expression = torch.cat([expression, unchanged])
            morphed = torch.cat([Morpher.paint(batch.rest, morpher.decode(features, e[None])) for e in expression])
            pictures["whole: not moving"] = batch.rest.expand(ROTATIONS, -1, -1, -1)
            pictures["whole: networks"] = Rotator.paint(morphed, rotated).final
        for name, picture in pictures.items():
            rows.setdefault(name, []).append(scores(picture, batch.target))
        shown = halved(batch.target[:, 3:])
        share.append([float((m * shown).sum() / shown.sum()) for m in (rotated.combine, rotated.retouch)])
    table = {name: np.mean(found, 0) for name, found in rows.items()}
    table["share of combiner and retouch"] = np.mean(share, 0)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, help="a training run; without it the shipped weights")
    parser.add_argument("--characters", type=int, default=96)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--record", type=Path, help="the JSON beside a weight file: put the scores into it")
    options = parser.parse_args()
    generate(options.data, 0, -(-options.characters // SHARD) * SHARD, "test", options.workers)
    if options.run:
        morpher, rotator = load_networks(options.run)
        if rotator is None:
            raise SystemExit(f"{options.run} has no rotator.pt: train it first")
    else:
        shipped = load()
        morpher, rotator = shipped.morpher, shipped.rotator
    table = evaluate(morpher, rotator, options.data, options.characters)
    for name, (first, second) in table.items():
        if name.startswith("share"):
            print(f"{name}: {100 * first:.1f}% and {100 * second:.1f}% of the character's picture")
        else:
            print(f"{name:22s} PSNR {first:6.2f} dB   SSIM {second:.4f}")
    if options.record:
        record = json.loads(options.record.read_text())
        rows = {name: [round(float(v), 4) for v in found] for name, found in table.items()}
        record["scores"] = {"characters": options.characters, "PSNR and SSIM": rows}
        with whole(options.record) as draft:
            draft.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
