"""Records of every file in `weights/` and their verified loading."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from puppeteer.errors import WeightsError

FOLDER = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """Where a weight file comes from and what it must be."""

    file: str  # below FOLDER
    sha256: str  # "" where the user brings the file and any content that loads strictly is welcome
    licence: str
    origin: str


RECORDS = {
    "face_landmarker": WeightRecord(
        "face_landmarker.task",
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        "Apache-2.0",
        "MediaPipe Face Landmarker bundle (float16, version 1) by Google",
    ),
    "compact": WeightRecord(
        "compact.pt",
        "4820e85046c9a53cd8e67d9bcdb56f26ae992f71412a2415559ed12fbca54807",
        "CC0-1.0",
        "trained by this project on characters that it draws itself: puppeteer/training/README.md",
    ),
    "landmarks": WeightRecord(
        "landmarks.pt",
        "efce1052a2a44c2ff197c7b305f6bca42ce8558850ffce28dcf00cc807d6101c",
        "CC0-1.0",
        "trained by this project on characters that it draws itself: puppeteer/training/README.md",
    ),
    **{
        f"tha1/{name}": WeightRecord(
            f"tha1/{name}.pt",
            "",
            "CC BY 4.0",
            "brought by the user: Talking Head Anime from a Single Image by Pramook Khungurn, "
            "https://github.com/pkhungurn/talking-head-anime-demo",
        )
        for name in ("face_morpher", "two_algo_face_rotator", "combiner")
    },
}


def verified(name: str) -> Path:
    """Path of a registered file whose checksum was compared. Raises WeightsError where it is missing or differs."""
    record = RECORDS[name]
    path = FOLDER / record.file
    if not path.is_file():
        raise WeightsError(f"{path} is missing: get the project again, or put the file {path.name} into {path.parent}")
    if record.sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != record.sha256:
        raise WeightsError(f"{path} is not the file it should be (checksum differs): get it again from the project")
    return path
