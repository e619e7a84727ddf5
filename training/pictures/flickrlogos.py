"""FlickrLogos-27 (Kalantidis et al. 2011): photos with boxes of 27 brands, as rows of `file,brand,x1,y1,x2,y2`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .data_files import read_rows


class Annotation(NamedTuple):
    """A brand, named as the models name it, and its box in pixels."""

    brand: str
    x1: float
    y1: float
    x2: float
    y2: float


def read(data: Path, split: str) -> dict[Path, list[Annotation]]:
    """The pictures of `train` or `val` and their boxes. The set names some boxes twice; each is given once."""
    folder = data / "flickrlogos27"
    pictures: dict[Path, dict[Annotation, None]] = {}
    for row in read_rows(folder / f"{split}.csv"):
        annotation = Annotation(label_of(row["brand"]), *(float(row[side]) for side in ("x1", "y1", "x2", "y2")))
        if annotation.x2 > annotation.x1 and annotation.y2 > annotation.y1:
            pictures.setdefault(folder / "images" / row["file"], {})[annotation] = None
    return {path: list(annotations) for path, annotations in pictures.items()}


def label_of(brand: str) -> str:
    """A brand's name as a label: lower-case letters and digits."""
    return "".join(letter for letter in brand.lower() if letter.isalnum())


def training_pictures(data: Path) -> list[Path]:
    """The training photos, sorted; none where the folder is missing."""
    if not (data / "flickrlogos27" / "train.csv").is_file():
        return []
    return sorted(read(data, "train"))
