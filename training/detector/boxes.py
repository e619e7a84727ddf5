"""Boxes after the network: suppression of doubles, and matching with the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Found:
    """Detections of one picture: boxes (n, 4; x1 y1 x2 y2), scores (n) and labels (n)."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


@dataclass
class Truth:
    """Boxes of one picture with their labels; those to ignore count neither for nor against."""

    boxes: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of every box of `a` with every box of `b`."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area_a, area_b = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(-1), np.clip(b[:, 2:] - b[:, :2], 0, None).prod(-1)
    return shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)


def suppress(found: Found, threshold: float) -> Found:
    """Non-maximum suppression within each label: of two boxes that overlap more than this, the surer one stays."""
    order = np.argsort(-found.scores, kind="stable")
    boxes, scores, labels = found.boxes[order], found.scores[order], found.labels[order]
    overlap = (iou(boxes, boxes) > threshold) & (labels[:, None] == labels[None])
    kept: list[int] = []
    gone = np.zeros(len(boxes), bool)
    for index in range(len(boxes)):
        if not gone[index]:
            kept.append(index)
            gone |= overlap[index]
    return Found(boxes[kept], scores[kept], labels[kept])


def outcomes(found: Found, truth: Truth, label: int, least: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Detections of one label, surest first: their scores, and 1 (right), 0 (wrong) or -1 (ignored) for each.

    Each true box is found once; the surest detection that overlaps it enough takes it.
    """
    mine = found.labels == label
    order = np.argsort(-found.scores[mine], kind="stable")
    boxes, scores = found.boxes[mine][order], found.scores[mine][order]
    wanted = truth.labels == label
    real, ignored = truth.boxes[wanted & ~truth.ignore], truth.boxes[wanted & truth.ignore]
    overlap = iou(boxes, real) if len(boxes) and len(real) else np.zeros((len(boxes), len(real)))
    taken = np.zeros(len(real), bool)
    result = np.zeros(len(boxes), int)
    for index in range(len(boxes)):
        free = np.where(taken, -1.0, overlap[index]) if len(real) else np.array([])
        if len(free) and free.max() >= least:
            taken[free.argmax()] = True
            result[index] = 1
        elif len(ignored) and _covered(boxes[index], ignored) >= 0.5:
            result[index] = -1
    return scores, result


def _covered(box: np.ndarray, regions: np.ndarray) -> float:
    low, high = np.maximum(box[:2], regions[:, :2]), np.minimum(box[2:], regions[:, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area = max(float((box[2:] - box[:2]).prod()), 1e-9)
    areas = np.maximum((regions[:, 2:] - regions[:, :2]).prod(-1), 1e-9)
    return float(np.maximum(shared / area, shared / areas).max())


def average_precision(scores: np.ndarray, results: np.ndarray, total: int) -> float:
    """Area under the curve of precision over recall, the precision made to fall monotonically (all points)."""
    counted = results >= 0
    order = np.argsort(-scores[counted], kind="stable")
    right = results[counted][order]
    if not total or not len(right):
        return 0.0
    recall = np.cumsum(right) / total
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate(([0.0], recall))) * precision))
