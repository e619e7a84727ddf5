"""Crops for judging: logos of the VMware pictures, and windows of what is kept aside of the negatives.

None of them trains. The set is fixed: every draw is seeded. Its proportions are those of the talk's 1,040 crops, 182 of
logos and 858 of others.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..logos.crops import jittered, windows_without
from ..logos.imglab import read_imglab
from ..logos.window import Core, cut, fitted
from ..scenes.splits import pictures

TALK_LOGOS, TALK_OTHERS = 182, 858
LABEL = "vmware"
SEED = 20251
JITTERED = 4  # windows a box beside the exact one


@dataclass(frozen=True)
class JudgedCrop:
    """A window with what is known of it. `width` is that of the logo's box in its picture, 0 for others."""

    pixels: np.ndarray
    logo: bool
    source: str
    width: float = 0.0
    photo: bool = False
    difficult: bool = False
    exact: bool = True


def logo_crops(data: Path) -> list[JudgedCrop]:
    """Every box that isn't marked ignore: fitted exactly, and a few times somewhat off."""
    kinds = _kinds(data)
    rng = random.Random(SEED)
    crops = []
    for picture in read_imglab(data / "vmware" / "imglab.xml").pictures:
        pixels = Image.open(picture.path).convert("RGB")
        for box in picture.boxes:
            if box.ignore or box.label != LABEL:
                continue
            core = fitted(box.left, box.top, box.right, box.bottom)
            photo = kinds.get(picture.path.name) == "photo"
            hard = box.difficult or box.truncated
            for number in range(1 + JITTERED):
                place = core if number == 0 else jittered(core, rng)
                crops.append(JudgedCrop(cut(pixels, place), True, picture.path.name, box.width, photo, hard, number == 0))
    return crops


def other_crops(data: Path, count: int) -> list[JudgedCrop]:
    """`count` windows of the negatives that are kept aside, as many of each picture."""
    rng = random.Random(SEED + 1)
    paths = pictures(data, "negatives", aside=True)
    crops: list[JudgedCrop] = []
    while len(crops) < count:
        for path in paths:
            picture = Image.open(path).convert("RGB")
            crops += [JudgedCrop(pixels, False, path.name) for pixels in windows_without(picture, [], rng, 1)]
    return crops[:count]


def near_crops(data: Path, each: int = 8) -> list[JudgedCrop]:
    """Windows of the VMware pictures themselves, away from every box: the hardest of others, since many hold the
    name in plain type."""
    rng = random.Random(SEED + 2)
    crops = []
    for picture in read_imglab(data / "vmware" / "imglab.xml").pictures:
        pixels = Image.open(picture.path).convert("RGB")
        taken: list[Core] = []
        for box in picture.boxes:
            core = fitted(box.left, box.top, box.right, box.bottom)
            # A logo is one in a window of any scale that holds it.
            taken += [Core(core.x, core.y, core.zoom * zoom) for zoom in (0.5, 0.7, 1, 1.4, 2, 2.8)]
        crops += [JudgedCrop(window, False, picture.path.name) for window in windows_without(pixels, taken, rng, each, 1.0)]
    return crops


def judged_sets(data: Path) -> dict[str, list[JudgedCrop]]:
    """The sets by name: `exact` (every logo once), `jittered` (and four times somewhat off), both with others in the
    talk's proportion; `near` (others only)."""
    logos = logo_crops(data)
    exact = [crop for crop in logos if crop.exact]

    def others_for(count: int) -> int:
        return round(count * TALK_OTHERS / TALK_LOGOS)

    others = other_crops(data, others_for(len(logos)))
    return {
        "exact": exact + others[: others_for(len(exact))],
        "jittered": logos + others,
        "near": near_crops(data),
    }


def confusion(logo: np.ndarray, found: np.ndarray) -> list[list[int]]:
    """As in the talk: rows are what is, first the logos; columns what was said. [[found, missed], [false, right]]."""
    return [
        [int((logo & found).sum()), int((logo & ~found).sum())],
        [int((~logo & found).sum()), int((~logo & ~found).sum())],
    ]


def figures(counts: list[list[int]]) -> dict:
    """Precision and recall of logos, and the averages over both classes that the talk gives."""
    (found, missed), (false, right) = counts

    def share(part: int, whole: int) -> float:
        return part / whole if whole else 0.0

    logo_precision, other_precision = share(found, found + false), share(right, right + missed)
    logo_recall, other_recall = share(found, found + missed), share(right, right + false)
    return {
        "macro_precision": round((logo_precision + other_precision) / 2, 4),
        "macro_recall": round((logo_recall + other_recall) / 2, 4),
        "logo_precision": round(logo_precision, 4),
        "logo_recall": round(logo_recall, 4),
        "confusion": counts,
    }


def _kinds(data: Path) -> dict[str, str]:
    path = data / "vmware" / "kinds.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as rows:
        return {row["file"]: row["kind"] for row in csv.DictReader(rows)}
