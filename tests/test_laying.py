"""Compiled drawing: pictures moved and laid over each other as arithmetic says, and a cache that may fail."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from puppeteer.compiled import compiled
from puppeteer.networks.layers import Copy, Layers
from puppeteer.pose import U8
from puppeteer.poser import stack
from puppeteer.poser.drawing import composed
from puppeteer.poser.laying import change
from puppeteer.poser.morphing import Morphed
from puppeteer.poser.stack import Stack, pixels

SIZE = 96  # no multiple of the cells


def _layers(count: int = 3, size: int = SIZE) -> list[U8]:
    """Premultiplied noise in soft discs, one beside the other."""
    y, x = np.mgrid[:size, :size] / size
    made = np.random.default_rng(5)
    layers = []
    for k in range(count):
        alpha = np.clip(8 * (0.3 - np.hypot(x - 0.35 - 0.15 * k, y - 0.5)), 0, 1) * (1.0 if k % 2 else 0.7)
        colour = made.random((size, size, 3))
        layers.append(np.round(np.dstack([colour * alpha[..., None], alpha]) * 255).astype(np.uint8))
    return layers


def _over(layers: list[U8], x: float = 0, y: float = 0) -> np.ndarray:
    """Premultiplied floats of 255, every layer looking (x, y) px away, bilinear, edges repeated."""
    out = np.zeros((*layers[0].shape[:2], 4))
    for layer in layers:
        moved = layer.astype(float)
        for axis, by in ((1, x), (0, y)):
            at = np.clip(np.arange(len(layer)) + by, 0, len(layer) - 1)
            near = np.floor(at).astype(int)
            part = (at - near).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
            beside = np.minimum(near + 1, len(layer) - 1)
            moved = np.take(moved, near, axis) * (1 - part) + np.take(moved, beside, axis) * part
        out = moved + out * (1 - moved[..., 3:] / 255)
    return out


def _premultiplied(rgba: U8) -> np.ndarray:
    return np.dstack([rgba[..., :3] * (rgba[..., 3:] / 255.0), rgba[..., 3]])


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (2.0, -1.0), (0.5, 3.25), (-40.0, 60.0)])
def test_layers_lie_over_each_other(x: float, y: float) -> None:
    layers = _layers()
    flows = np.zeros((3, 2, stack.CELLS, stack.CELLS), np.float32)
    flows[:, 0], flows[:, 1] = x / SIZE, y / SIZE
    drawn = Stack(layers).drawn(flows)
    assert np.abs(_premultiplied(drawn) - _over(layers, x, y)).max() < 1.6


def test_threads_draw_what_one_does() -> None:
    size = 448  # worth several
    layers = _layers(2, size)
    flows = np.random.default_rng(1).normal(0, 2e-3, (2, 2, stack.CELLS, stack.CELLS)).astype(np.float32)
    one = Stack(layers)
    assert np.array_equal(one.drawn(flows), one.drawn(flows, alone=True))


def test_what_changes_is_changed_by_its_share() -> None:
    base = np.array([[[100, 50, 0, 200]] * 4], np.uint8)
    before, after = base.copy(), base.copy()
    after[0, 1:] = (140, 250, 0, 255)
    out = np.zeros_like(base)
    gain = np.array([[255, 255, 0, 51]], np.uint8)
    change(pixels(base), gain, pixels(before), pixels(after), pixels(out), 0, 1, 0, 4)
    assert out[0].tolist() == [[100, 50, 0, 200], [140, 250, 0, 255], [100, 50, 0, 200], [108, 90, 0, 211]]
    after[0, 1] = (255, 255, 255, 10)
    change(pixels(base), gain, pixels(before), pixels(after), pixels(out), 0, 1, 1, 2)
    assert out[0, 1].tolist() == [10, 10, 10, 10]  # no colour above its alpha


def _module(folder: Path, factor: int = 2) -> compiled:
    """A compiled function in a file of its own, whose machine code is kept beside it; its factor is imported."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = folder / "doubling.py"
    if not path.exists():
        path.write_text(
            "from puppeteer.compiled import compiled\nfrom factors import FACTOR\n\n\n"
            "@compiled\ndef double(values):\n    for i in range(len(values)):\n        values[i] *= FACTOR\n"
        )
    factors = ModuleType("factors")
    factors.FACTOR = factor  # type: ignore[attr-defined]
    sys.modules["factors"] = factors
    spec = spec_from_file_location("doubling", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.double
    assert isinstance(found, compiled)
    return found


def test_what_is_kept_on_disk_may_be_broken(tmp_path: Path) -> None:
    for broken in (None, b"", pickle.dumps("something else")):
        kept = list((tmp_path / "__pycache__").glob("doubling.double*"))
        if broken is not None:
            assert kept
        for path in kept:
            path.write_bytes(broken or b"")
        values = np.array([1, 2, 3])
        _module(tmp_path)(values)
        assert values.tolist() == [2, 4, 6]


def test_what_is_kept_on_disk_has_the_constants_of_today(tmp_path: Path) -> None:
    for factor in (2, 3, 2):
        values = np.array([1, 2, 3])
        _module(tmp_path, factor)(values)
        assert values.tolist() == [factor, 2 * factor, 3 * factor]
    assert len(list((tmp_path / "__pycache__").glob("doubling.double*.nbi"))) == 2, "each is kept"


def test_where_nothing_can_be_kept_it_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    def refuse(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", refuse)
    values = np.array([1, 2, 3])
    _module(tmp_path)(values)
    assert values.tolist() == [2, 4, 6]


def test_a_morphed_picture_is_the_sum_of_what_stays_moves_and_is_painted() -> None:
    size, fields = 64, 32
    original = _layers(2, size)[1]
    grid = np.mgrid[:fields, :fields] + 0.5
    disc = np.clip(6 - np.hypot(*(grid - 16)), 0, 1).astype(np.float32)
    moves, paints = 0.6 * disc, 0.4 * disc
    flow = np.full((2, fields, fields), 4 / size, np.float32)  # two px
    paint = paints * np.array([0.2, 0.1, 0.3, 0.5], np.float32)[:, None, None]
    copies = (
        Copy(None, torch.from_numpy(1 - moves - paints)[None, None]),
        Copy(torch.from_numpy(flow)[None], torch.from_numpy(moves)[None, None]),
    )
    layers = Layers(copies, torch.from_numpy(paint)[None])
    morphed = Morphed(original)
    drawn, rows, columns = morphed.drawn(layers, "srgb_premultiplied")
    assert 16 <= rows.start <= 20 and rows == columns and rows.stop - rows.start < 28
    image = torch.from_numpy(original).permute(2, 0, 1)[None] / 255
    expected = 255 * composed(layers, "srgb_premultiplied", image)[0].permute(1, 2, 0).numpy()
    assert np.abs(drawn - expected).max() < 1.6
    assert np.array_equal(drawn[:16], original[:16])
    still = Layers(
        (Copy(None, torch.ones(1, 1, fields, fields)), copies[1]._replace(share=0 * copies[1].share)), 0 * layers.paint
    )
    drawn, rows, columns = morphed.drawn(still, "srgb_premultiplied")
    assert np.array_equal(drawn, original) and (rows, columns) == (slice(0, 0), slice(0, 0))
