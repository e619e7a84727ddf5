"""FlickrLogos-27: pictures with boxes of 27 brands, as rows of `file,brand,x1,y1,x2,y2`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .labels import INDEX, label


@dataclass(frozen=True)
class Annotated:
    """A picture's file with its boxes (n, 4; x1 y1 x2 y2 in pixels) and their labels (n)."""

    path: Path
    boxes: np.ndarray
    labels: np.ndarray


def read(data: Path, split: str) -> list[Annotated]:
    """The pictures of `train` or `val`, by file name. A box that stands twice counts once."""
    folder = data / "flickrlogos27"
    rows: dict[str, dict[tuple[float, ...], int]] = {}
    with (folder / f"{split}.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            name = label(row["brand"])
            if name not in INDEX:
                raise ValueError(f"{file.name}, line {number}: the brand {row['brand']} is none of the detector's")
            box = tuple(float(row[side]) for side in ("x1", "y1", "x2", "y2"))
            if box[2] > box[0] and box[3] > box[1]:
                rows.setdefault(row["file"], {})[box] = INDEX[name]
    return [
        Annotated(folder / "images" / name, np.float32(list(boxes)), np.int64(list(boxes.values())))
        for name, boxes in sorted(rows.items())
    ]


def load(path: Path) -> np.ndarray:
    """A picture as RGB."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} is no picture that can be read")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
