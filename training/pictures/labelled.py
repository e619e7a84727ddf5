"""Labelled pictures that models are evaluated on, and the form of their folder.

    vmware/imglab.xml         boxes in photos and screenshots; `ignore`, `difficult` and `truncated` are marked
    vmware/kinds.csv          file,kind: photo or screen
    flickrlogos27/val.csv     file,brand,x1,y1,x2,y2 for pictures in flickrlogos27/images/
    negatives/, everyday/     pictures without VMware's logo; the held-out ones count (`hold_outs.py`)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import flickrlogos as flickrlogos_27
from .data_files import MissingData, read_rows
from .imglab import read_imglab
from .matching import GroundTruth, Rectangle

VMWARE = "vmware"


@dataclass(frozen=True)
class LabelledPicture:
    """A file, its kind (`photo`, `screen` or none), and the logos in it."""

    path: Path
    kind: str = ""
    truths: list[GroundTruth] = field(default_factory=list)


def picture_kinds(data: Path) -> dict[str, str]:
    """Whether each picture of `vmware/` is a photo or a screenshot, by file name."""
    return {Path(row["file"]).name: row["kind"] for row in read_rows(data / "vmware" / "kinds.csv")}


def vmware(data: Path, size_of: Callable[[Path], tuple[int, int]]) -> list[LabelledPicture]:
    """VMware's logo in photos and screenshots. `size_of` gives width and height of a picture, turned upright."""
    xml = data / "vmware" / "imglab.xml"
    if not xml.is_file():
        raise MissingData(f"there is no {xml}")
    kinds = picture_kinds(data)
    pictures = []
    for picture in read_imglab(xml, size_of).pictures:
        truths = [
            GroundTruth(VMWARE, Rectangle(box.left, box.top, box.width, box.height), ignore=box.ignore,
                        hard=box.difficult or box.truncated or box.occluded)
            for box in picture.boxes if box.label == VMWARE
        ]
        pictures.append(LabelledPicture(picture.path, kinds.get(picture.path.name, ""), truths))
    return pictures


def flickrlogos(data: Path) -> list[LabelledPicture]:
    """The validation pictures of FlickrLogos-27."""
    return [
        LabelledPicture(path, truths=[
            GroundTruth(one.brand, Rectangle(one.x1, one.y1, one.x2 - one.x1, one.y2 - one.y1)) for one in annotations
        ])
        for path, annotations in flickrlogos_27.read(data, "val").items()
    ]
