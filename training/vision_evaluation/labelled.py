"""Pictures with what is in them, from the layouts that the figures are taken on.

    vmware/imglab.xml         boxes of photos and screenshots; ignore, difficult and truncated are marked
    vmware/kinds.csv          file,kind: photo or screen
    flickrlogos27/val.csv     file,brand,x1,y1,x2,y2 for pictures in flickrlogos27/images/
    negatives/, everyday/     pictures without VMware's logo; those count that are kept aside (training/scenes/splits.py)
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from training.logos.imglab import read_imglab
from training.scenes import splits

from .matching import Rectangle, Truth

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif"}
VMWARE = "vmware"


class MissingData(Exception):
    """A folder or file that the figures need is not there."""


@dataclass(frozen=True)
class LabelledPicture:
    """A file, its kind (such as photo), and the logos in it."""

    path: Path
    kind: str = ""
    truths: list[Truth] = field(default_factory=list)


def pictures_in(folder: Path) -> list[Path]:
    """All pictures of a folder and of those below it, in order."""
    if not folder.is_dir():
        raise MissingData(f"there is no folder {folder}")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise MissingData(f"there is no picture in {folder}")
    return found


def kept_aside(data: Path, folder: str) -> list[Path]:
    """Those pictures of negatives/ or everyday/ that no model trained on."""
    kept = [path for path in pictures_in(data / folder) if splits.kept_aside(path)]
    if not kept:
        raise MissingData(f"of the pictures in {data / folder} none is kept aside from training; more of them are needed")
    return kept


def vmware(folder: Path, size_of: Callable[[Path], tuple[int, int]]) -> list[LabelledPicture]:
    """VMware's logo in photos and screenshots. `size_of` gives the size of an upright picture."""
    xml = folder / "imglab.xml"
    if not xml.is_file():
        raise MissingData(f"there is no {xml}")
    kinds = {Path(row["file"]).name: row["kind"] for row in _rows(folder / "kinds.csv")}
    pictures = []
    for picture in read_imglab(xml, size_of).pictures:
        truths = [
            Truth(VMWARE, Rectangle(box.left, box.top, box.width, box.height), ignore=box.ignore,
                  hard=box.difficult or box.truncated or box.occluded)
            for box in picture.boxes if box.label == VMWARE
        ]
        pictures.append(LabelledPicture(picture.path, kinds.get(picture.path.name, ""), truths))
    return pictures


def flickrlogos(folder: Path) -> list[LabelledPicture]:
    """The validation pictures of FlickrLogos-27; brands as the models name them."""
    truths: dict[str, dict[Truth, None]] = {}
    for row in _rows(folder / "val.csv"):
        left, top, right, bottom = (float(row[key]) for key in ("x1", "y1", "x2", "y2"))
        # The set names some boxes twice.
        truth = Truth(row["brand"].lower(), Rectangle(left, top, right - left, bottom - top))
        truths.setdefault(row["file"], {})[truth] = None
    return [LabelledPicture(folder / "images" / file, truths=list(found)) for file, found in truths.items()]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise MissingData(f"there is no {path}")
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
