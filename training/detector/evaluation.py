"""Figures on validation pictures: average precision of FlickrLogos-27, recall and false alarms of VMware's wordmark."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..logos.imglab import read_imglab
from ..scenes.splits import pictures
from . import flickrlogos
from .boxes import Found, Truth, average_precision, outcomes
from .labels import INDEX, LABELS
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


def flickr(look: Look, data: Path, policy: Policy) -> tuple[float, dict[str, float], list[tuple[Path, Found, Truth]]]:
    """Mean average precision at IoU 0.5, each brand's, and what was found."""
    seen = []
    for item in flickrlogos.read(data, "val"):
        truth = Truth(item.boxes, item.labels, np.zeros(len(item.labels), bool))
        seen.append((item.path, find(look, flickrlogos.load(item.path), policy), truth))
    precisions = {}
    for name in LABELS[1:]:
        parts = [outcomes(found, truth, INDEX[name]) for _, found, truth in seen]
        total = sum(int((truth.labels == INDEX[name]).sum()) for _, _, truth in seen)
        precisions[name] = average_precision(*(np.concatenate(column) for column in zip(*parts, strict=True)), total)
    return float(np.mean(list(precisions.values()))), precisions, seen


@dataclass(frozen=True)
class Wordmarks:
    """Recall and false alarms of VMware's wordmark at one threshold."""

    threshold: float
    recall: float
    recall_by_kind: dict[str, float]
    false_alarms: float
    average_precision: float


def vmware_truth(data: Path) -> list[tuple[Path, str, Truth]]:
    """The validation pictures with their kind (photo or screen) and boxes."""
    folder = data / "vmware"
    with (folder / "kinds.csv").open(newline="") as file:
        kinds = {row["file"]: row["kind"] for row in csv.DictReader(file)}
    result = []
    for image in read_imglab(folder / "imglab.xml").pictures:
        boxes = np.float32([(box.left, box.top, box.right, box.bottom) for box in image.boxes]).reshape(-1, 4)
        ignore = np.array([box.ignore for box in image.boxes], bool)
        result.append((image.path, kinds[image.path.name], Truth(boxes, np.zeros(len(boxes), int), ignore)))
    return result


def wordmarks(
    look: Look, data: Path, policy: Policy, alarms: float = 0.01
) -> tuple[Wordmarks, list[tuple[Path, str, Found, Truth]], list[tuple[Path, Found]]]:
    """Figures at the lowest threshold with at most so many false alarms a picture without the wordmark."""
    seen = [(path, kind, find(look, flickrlogos.load(path), policy), truth) for path, kind, truth in vmware_truth(data)]
    empty = [
        (path, find(look, flickrlogos.load(path), policy))
        for folder in ("negatives", "everyday")
        for path in pictures(data, folder, aside=True)
    ]
    false = np.sort(np.concatenate([found.scores[found.labels == 0] for _, found in empty]))[::-1]
    allowed = int(alarms * len(empty))
    threshold = float(false[allowed]) + 1e-4 if len(false) > allowed else policy.low_score
    scores, results, kinds, totals = [], [], [], defaultdict(int)
    for _, kind, found, truth in seen:
        score, result = outcomes(found, truth, 0)
        scores.append(score)
        results.append(result)
        kinds.extend([kind] * len(score))
        totals[kind] += int((~truth.ignore).sum())
    score, result, kind = np.concatenate(scores), np.concatenate(results), np.array(kinds)
    right = (result == 1) & (score >= threshold)
    total = sum(totals.values())
    by_kind = {name: float(right[kind == name].sum() / number) for name, number in sorted(totals.items())}
    figures = Wordmarks(threshold, float(right.sum() / total), by_kind, float((false >= threshold).sum() / len(empty)),
                        average_precision(score, result, total))
    return figures, seen, empty
