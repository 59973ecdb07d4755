"""What networks made of a drawing, kept on disk: understanding one takes seconds, reading that back does not.

A file a drawing, named by a hash of the picture, the weights and the code. A file that is damaged, or of another
version, is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

import torch
from torch import Tensor, nn

from puppeteer.files import whole
from puppeteer.pose import U8

MOST_BYTES = 400_000_000  # of all files; what was not used for longest goes first
SUFFIX = ".rig"
DIGEST_BYTES = 32
PACKAGE = Path(__file__).resolve().parents[1]
CONSTANTS = "image.py", "pose.py", "relief.py"  # of others that networks are made of


def folder(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's programs keep what can be made again; PUPPETEER_CACHE names another place."""
    home = Path.home()
    if given := environment.get("PUPPETEER_CACHE"):
        return Path(given)
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData/Local") / "Puppeteer" / "Cache"
    if platform == "darwin":
        return home / "Library/Caches/Puppeteer"
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "puppeteer"


def remembered(network: Any, picture: U8, made: Callable[[], Any]) -> Any:
    """What `made` gives for a picture, from the disk where it was made before. On the CPU in single precision.

    Networks that keep named tuples of tensors say so by an attribute `kept`, their type; others are asked again.
    """
    kept = getattr(network, "kept", None)
    if kept is None:
        return made()
    path = folder() / f"{_name(network, picture)}{SUFFIX}"
    tensors = _read(path)
    if tensors is not None:
        with contextlib.suppress(StopIteration, RuntimeError):
            return _rebuilt(kept, iter(tensors))
    found = made()
    with contextlib.suppress(OSError):  # a full or read-only disk costs seconds, no more
        _write(path, list(_flat(found)))
    return found


def _name(network: nn.Module, picture: U8) -> str:
    digest = hashlib.sha256(_code())
    digest.update(_weights(network))
    digest.update(picture.tobytes())
    return digest.hexdigest()[:40]


@lru_cache(maxsize=1)
def _code() -> bytes:
    """Of everything that turns a picture into features."""
    digest = hashlib.sha256(torch.__version__.encode())
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.digest()


def _sources() -> list[Path]:
    return [*sorted((PACKAGE / "networks").rglob("*.py")), *(PACKAGE / name for name in CONSTANTS)]


def _weights(network: nn.Module) -> bytes:
    """Of weights that do not change once they are loaded."""
    known = network.__dict__.get("_digest")
    if known is None:
        digest = hashlib.sha256()
        for name, value in network.state_dict().items():
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        known = network.__dict__["_digest"] = digest.digest()
    return bytes(known)


def _flat(features: Any) -> Iterator[Tensor]:
    if isinstance(features, Tensor):
        yield features
    else:
        for part in features:
            yield from _flat(part)


def _rebuilt(kind: Any, tensors: Iterator[Tensor]) -> Any:
    """Raises StopIteration where there are too few."""
    if kind is Tensor:
        return next(tensors)
    return kind(*[_rebuilt(hint, tensors) for hint in get_type_hints(kind).values()])


def _read(path: Path) -> list[Tensor] | None:
    """None where there is no such file, or it is damaged."""
    try:
        data = path.read_bytes()
        if hashlib.sha256(data[DIGEST_BYTES:]).digest() != data[:DIGEST_BYTES]:
            return None
        tensors = torch.load(io.BytesIO(data[DIGEST_BYTES:]), map_location="cpu", weights_only=True)
        with contextlib.suppress(OSError):
            os.utime(path)
    except Exception:
        return None
    return list(tensors)


def _write(path: Path, tensors: list[Tensor]) -> None:
    """Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    torch.save([tensor.clone() for tensor in tensors], out)  # not the larger ones that they are views of
    data = out.getvalue()
    with whole(path) as draft:
        draft.write_bytes(hashlib.sha256(data).digest() + data)
    _tidy(path.parent)


def _tidy(place: Path) -> None:
    """Removes what was not used for longest, until the rest is small enough."""
    files = []
    for path in place.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):
            told = path.stat()
            files.append((min(told.st_mtime, time.time()), told.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= MOST_BYTES:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
