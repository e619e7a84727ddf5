"""Runs a model on the validation pictures, before there is a program to run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ...pictures import hold_outs, labelled, metrics
from ...pictures.boxes import Detections
from ...pictures.image_files import read_rgb, upright_size
from ...pictures.matching import Detection, GroundTruth, Rectangle, match
from ...pictures.metrics import EvaluatedPicture, Prediction
from ...pictures.scenes.brands import DRAWN
from ...pictures.scenes.scene import SceneMaker
from .inference import Model, detect
from .labels import LABELS
from .views import Policy

SEED = 20_000


def check_data(data: Path) -> None:
    """Raises MissingData if the pictures of the evaluation are not there, before hours of training."""
    labelled.flickrlogos(data)
    labelled.vmware(data, upright_size)
    for folder in ("negatives", "everyday"):
        hold_outs.pictures(data, folder, held_out=True)


def as_detections(found: Detections) -> list[Detection]:
    """Detections by brand name. None is marked as reported, since there are no thresholds yet."""
    return [
        Detection(LABELS[label], float(score), Rectangle(float(x1), float(y1), float(x2 - x1), float(y2 - y1)), reported=False)
        for (x1, y1, x2, y2), score, label in zip(found.boxes, found.scores, found.labels, strict=True)
    ]


def predict(model: Model, paths: Iterable[Path], policy: Policy) -> dict[Path, Prediction]:
    """What the model finds in each picture."""
    result = {}
    for path in paths:
        picture = read_rgb(path)
        found = detect(model, picture, policy)
        result[path] = Prediction(picture.shape[1], picture.shape[0], "", as_detections(found))
    return result


def flickrlogos(model: Model, data: Path, policy: Policy, every: int) -> list[EvaluatedPicture]:
    """On each `every`-th validation picture of FlickrLogos-27."""
    pictures = labelled.flickrlogos(data)[::every]
    return metrics.evaluate(pictures, predict(model, [picture.path for picture in pictures], policy))


def vmware(model: Model, data: Path, policy: Policy, every: int) -> list[EvaluatedPicture]:
    """On each `every`-th validation picture of VMware's wordmark."""
    pictures = labelled.vmware(data, upright_size)[::every]
    return metrics.evaluate(pictures, predict(model, [picture.path for picture in pictures], policy))


def without_wordmark(model: Model, data: Path, policy: Policy, folder: str, every: int) -> list[Prediction]:
    """On each `every`-th held-out picture of a folder without the wordmark."""
    return list(predict(model, hold_outs.pictures(data, folder, held_out=True)[::every], policy).values())


def scene_recall(model: Model, data: Path, policy: Policy, scenes: int) -> dict[str, float]:
    """Recall at IoU 0.5, at any score, of each brand that is learned from artwork, in scenes that did not train.

    It tells whether a brand was learned even where there are no photos of it; photos tell more.
    """
    maker, rng = SceneMaker(data), random.Random(SEED)
    found, total = Counter(), Counter()
    for _ in range(scenes):
        scene = maker.make(rng, (512, 384))
        truths = [GroundTruth(box.brand, Rectangle(box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1)) for box in scene.boxes]
        matches = match(as_detections(detect(model, scene.picture, policy)), truths)
        total.update(truth.brand for truth in truths)
        found.update(one.detection.brand for one in matches if one.hit)
    return {brand: found[brand] / max(1, total[brand]) for brand in DRAWN}
