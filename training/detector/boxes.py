"""Boxes after the network, and suppression of doubles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Found:
    """Detections of one picture: boxes (n, 4; x1 y1 x2 y2), scores (n) and labels (n)."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


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
