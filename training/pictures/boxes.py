"""Boxes as arrays, and non-maximum suppression. Written by hand: the daemon's `geometry` does the same, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Detections:
    """Detections of one picture: boxes (n, 4; x1 y1 x2 y2), scores (n) and labels (n)."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of every box of `a` with every box of `b`."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = np.clip(high - low, 0, None).prod(-1)
    area_a, area_b = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(-1), np.clip(b[:, 2:] - b[:, :2], 0, None).prod(-1)
    return intersection / np.maximum(area_a[:, None] + area_b[None] - intersection, 1e-9)


def suppress(detections: Detections, threshold: float) -> Detections:
    """Non-maximum suppression within each label: of two boxes with a higher IoU than this, the one with the higher score stays."""
    order = np.argsort(-detections.scores, kind="stable")
    boxes, scores, labels = detections.boxes[order], detections.scores[order], detections.labels[order]
    overlap = (iou(boxes, boxes) > threshold) & (labels[:, None] == labels[None])
    kept: list[int] = []
    suppressed = np.zeros(len(boxes), bool)
    for index in range(len(boxes)):
        if not suppressed[index]:
            kept.append(index)
            suppressed |= overlap[index]
    return Detections(boxes[kept], scores[kept], labels[kept])
