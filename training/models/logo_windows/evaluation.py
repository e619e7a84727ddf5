"""Crops for evaluation: logos of the VMware pictures, and windows of held-out negatives.

None of them trains. The sets are fixed, since every draw is seeded. Their proportions are those of the talk's 1,040 crops,
182 of logos and 858 of other things.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ...pictures.crops.sampler import jittered, windows_without
from ...pictures.crops.window import Core, cut, fitted
from ...pictures.hold_outs import pictures
from ...pictures.imglab import read_imglab
from ...pictures.labelled import VMWARE, picture_kinds

TALK_LOGOS, TALK_OTHERS = 182, 858
SEED = 20251
JITTERED = 4  # windows of a box besides the exact one
# The conditions that recall is measured by.
CONDITIONS = {
    "photo": lambda crop: crop.photo,
    "screenshot": lambda crop: not crop.photo,
    "difficult or truncated": lambda crop: crop.difficult,
    "neither difficult nor truncated": lambda crop: not crop.difficult,
    "narrower than 60 pixels": lambda crop: crop.width < 60,
    "60 to 99 pixels": lambda crop: 60 <= crop.width < 100,
    "100 pixels and wider": lambda crop: crop.width >= 100,
}


@dataclass(frozen=True)
class LabelledCrop:
    """A window and what is known of it. `width` is that of the logo's box in its picture, 0 for others."""

    pixels: np.ndarray
    logo: bool
    source: str
    width: float = 0.0
    photo: bool = False
    difficult: bool = False
    exact: bool = True


def logo_crops(data: Path) -> list[LabelledCrop]:
    """Every box that isn't marked ignore: fitted exactly, and a few times slightly off."""
    kinds = picture_kinds(data)
    rng = random.Random(SEED)
    crops = []
    for picture in read_imglab(data / "vmware" / "imglab.xml").pictures:
        pixels = Image.open(picture.path).convert("RGB")
        for box in picture.boxes:
            if box.ignore or box.label != VMWARE:
                continue
            core = fitted(box.left, box.top, box.right, box.bottom)
            photo = kinds.get(picture.path.name) == "photo"
            difficult = box.difficult or box.truncated
            for number in range(1 + JITTERED):
                place = core if number == 0 else jittered(core, rng)
                crops.append(LabelledCrop(cut(pixels, place), True, picture.path.name, box.width, photo, difficult, number == 0))
    return crops


def other_crops(data: Path, count: int) -> list[LabelledCrop]:
    """`count` windows of held-out negatives, the same number of each picture."""
    rng = random.Random(SEED + 1)
    paths = pictures(data, "negatives", held_out=True)
    crops: list[LabelledCrop] = []
    while len(crops) < count:
        for path in paths:
            picture = Image.open(path).convert("RGB")
            crops += [LabelledCrop(pixels, False, path.name) for pixels in windows_without(picture, [], rng, 1)]
    return crops[:count]


def near_crops(data: Path, each: int = 8) -> list[LabelledCrop]:
    """Windows of the VMware pictures away from every box: the hardest negatives, since many show the name in plain type."""
    rng = random.Random(SEED + 2)
    crops = []
    for picture in read_imglab(data / "vmware" / "imglab.xml").pictures:
        pixels = Image.open(picture.path).convert("RGB")
        taken: list[Core] = []
        for box in picture.boxes:
            core = fitted(box.left, box.top, box.right, box.bottom)
            # A window that shows a logo at any scale is no negative.
            taken += [Core(core.x, core.y, core.zoom * zoom) for zoom in (0.5, 0.7, 1, 1.4, 2, 2.8)]
        crops += [LabelledCrop(window, False, picture.path.name) for window in windows_without(pixels, taken, rng, each, 1.0)]
    return crops


def evaluation_sets(data: Path) -> dict[str, list[LabelledCrop]]:
    """The sets by name: `exact` (every logo once) and `jittered` (also four times slightly off), both with others in the
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


def metrics(logo: np.ndarray, predicted: np.ndarray) -> dict:
    """Precision and recall of logos, and their averages over both classes, as in the talk. The confusion is
    [[found, missed], [false alarms, others right]]."""
    precision, recall, _, _ = precision_recall_fscore_support(logo, predicted, labels=[True, False], zero_division=0)
    return {
        "macro_precision": round(float(precision.mean()), 4),
        "macro_recall": round(float(recall.mean()), 4),
        "logo_precision": round(float(precision[0]), 4),
        "logo_recall": round(float(recall[0]), 4),
        "confusion": confusion_matrix(logo, predicted, labels=[True, False]).tolist(),
    }


def metrics_at(crops: list[LabelledCrop], scores: np.ndarray, threshold: float) -> dict:
    """The metrics of a set at a threshold; of a set without logos, how many are taken for one."""
    logo = np.array([crop.logo for crop in crops])
    if not logo.any():
        return {"others": len(crops), "taken_for_logos": int((scores >= threshold).sum())}
    return metrics(logo, scores >= threshold)


def recall_by_condition(crops: list[LabelledCrop], scores: np.ndarray, threshold: float) -> list[dict]:
    """Recall of logos by size and condition, of exact windows and of all."""
    logos = [(crop, score >= threshold) for crop, score in zip(crops, scores, strict=True) if crop.logo]
    rows = []
    for name, holds in CONDITIONS.items():
        of_condition = [(crop.exact, found) for crop, found in logos if holds(crop)]
        exact = [found for is_exact, found in of_condition if is_exact]
        rows.append(
            {
                "condition": name,
                "boxes": len(exact),
                "recall_exact": round(sum(exact) / max(1, len(exact)), 3),
                "recall_jittered": round(sum(found for _, found in of_condition) / max(1, len(of_condition)), 3),
            }
        )
    return rows
