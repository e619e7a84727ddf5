"""Figures on validation pictures, before there is a program to run: the network looks, `vision_evaluation` judges."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from ..scenes.brands import DRAWN
from ..scenes.scene import SceneMaker
from ..scenes.splits import pictures
from ..vision_evaluation import figures, labelled
from ..vision_evaluation.matching import Detection, Rectangle, Truth, judge
from ..vision_evaluation.program import Answer
from . import flickrlogos
from .boxes import Found
from .labels import LABELS
from .looking import Look, Policy, find
from .network import Detector

PLACES = 300


def torch_look(network: Detector) -> Look:
    """The network as PyTorch runs it."""

    @torch.no_grad()
    def look(pixels: np.ndarray) -> Found:
        x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
        logits, boxes, _, _ = network(x)
        scores, labels = logits[0].sigmoid().max(-1)
        best, places = scores.topk(min(PLACES, len(scores)))
        return Found(boxes[0, places].numpy(), best.numpy(), labels[places].numpy())

    return look


def detections(found: Found) -> list[Detection]:
    """What was found, as the program would say it; nothing is reported as yet, since there are no thresholds."""
    return [
        Detection(LABELS[label], float(score), Rectangle(float(x1), float(y1), float(x2 - x1), float(y2 - y1)), reported=False)
        for (x1, y1, x2, y2), score, label in zip(found.boxes, found.scores, found.labels, strict=True)
    ]


def answers(look: Look, paths: Iterable[Path], policy: Policy) -> dict[Path, Answer]:
    """What the network finds in each picture."""
    result = {}
    for path in paths:
        picture = flickrlogos.load(path)
        found = find(look, picture, policy)
        result[path] = Answer(picture.shape[1], picture.shape[0], "", detections(found))
    return result


def flickr(look: Look, data: Path, policy: Policy) -> list[figures.Looked]:
    """The validation pictures of FlickrLogos-27, judged."""
    there = labelled.flickrlogos(data / "flickrlogos27")
    return figures.look(there, answers(look, [picture.path for picture in there], policy))


def vmware(look: Look, data: Path, policy: Policy) -> list[figures.Looked]:
    """The validation pictures of VMware's wordmark, judged."""
    said = answers(look, labelled.pictures_in(data / "vmware" / "images"), policy)
    there = labelled.vmware(data / "vmware", lambda path: (said[path].width, said[path].height))
    return figures.look(there, said)


def empty(look: Look, data: Path, policy: Policy, folder: str) -> list[Answer]:
    """What is found in those pictures of a folder without the wordmark that did not train."""
    return list(answers(look, pictures(data, folder, aside=True), policy).values())


def drawn(look: Look, data: Path, policy: Policy, scenes: int = 150, seed: int = 20_000) -> dict[str, float]:
    """Recall at IoU 0.5 of each brand that is learnt from artwork, in scenes that were not trained on, at any score.

    It says whether a brand was learnt, also where there are no photos of it; photos say more.
    """
    maker, rng = SceneMaker(data), random.Random(seed)
    found, there = Counter(), Counter()
    for _ in range(scenes):
        scene = maker.make(rng, (512, 384))
        truths = [Truth(box.brand, Rectangle(box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1)) for box in scene.boxes]
        judged = judge(detections(find(look, scene.picture, policy)), truths)
        there.update(truth.brand for truth in truths)
        found.update(one.detection.brand for one in judged if one.hit)
    return {brand: found[brand] / max(1, there[brand]) for brand in DRAWN}
