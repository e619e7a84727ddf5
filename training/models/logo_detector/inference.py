"""Detection in a whole picture: the network runs on its views, and what they show is fused.

Written by hand: the daemon's `inference` and `geometry` do the same, step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ...model_folder.onnx_file import open_session
from ...pictures.boxes import Detections, iou, suppress
from .views import Policy, View, first_pass, letterbox, whole

# From pixels (1, height, width, 3; uint8) to boxes in those pixels, scores and labels.
Model = Callable[[np.ndarray], Detections]


def onnx_model(path: Path, threads: int = 2) -> Model:
    """An exported file as ONNX Runtime runs it on the CPU."""
    session = open_session(path, threads)

    def run(pixels: np.ndarray) -> Detections:
        boxes, scores, classes = session.run(["boxes", "scores", "classes"], {"pixels": pixels})
        return Detections(boxes[0], scores[0], classes[0])

    return run


def detect(model: Model, picture: np.ndarray, policy: Policy) -> Detections:
    """All logos in a picture, in its own pixels."""
    return fuse(detect_in_views(model, picture, policy), policy)


def detect_in_views(model: Model, picture: np.ndarray, policy: Policy) -> list[tuple[View, Detections]]:
    """The detections of each view in pixels of the picture, after suppression within the view."""
    height, width = picture.shape[:2]
    first = _run_views(model, picture, first_pass(width, height, policy), policy)
    if max((float(score) for _, found in first for score in found.scores), default=0.0) < policy.second_pass_from:
        return first
    return first + _run_views(model, picture, whole(width, height, policy.second_pass_sides), policy)


def _run_views(model: Model, picture: np.ndarray, views: list[View], policy: Policy) -> list[tuple[View, Detections]]:
    height, width = picture.shape[:2]
    scaled: dict[float, np.ndarray] = {}
    result = []
    for view in views:
        if view.scale not in scaled:
            interpolation = cv2.INTER_AREA if view.scale < 1 else cv2.INTER_CUBIC
            size = (max(1, round(width * view.scale)), max(1, round(height * view.scale)))
            scaled[view.scale] = cv2.resize(picture, size, interpolation=interpolation)
        (x, y), (part_width, part_height) = view.corner, view.size
        found = model(letterbox(scaled[view.scale][y : y + part_height, x : x + part_width], policy.canvases)[None])
        kept = (found.scores >= policy.min_score) & view.uncut(found.boxes)
        boxes = np.clip(view.to_picture(found.boxes[kept]), 0, [width, height, width, height])
        result.append((view, suppress(Detections(boxes, found.scores[kept], found.labels[kept]), policy.nms_iou)))
    return result


def fuse(views: list[tuple[View, Detections]], policy: Policy) -> Detections:
    """One box a logo from the detections of several views.

    Boxes of one label that overlap are one logo: its box is their mean, weighted by their scores (Solovyev et al.,
    "Weighted boxes fusion", 2021). Its score is between the best view's and the mean over all views that show the location
    at a size at which logos are found: a logo that only one of them finds is seldom one.
    """
    boxes = np.concatenate([found.boxes for _, found in views])
    scores = np.concatenate([found.scores for _, found in views])
    labels = np.concatenate([found.labels for _, found in views])
    view_of = np.concatenate([np.full(len(found.scores), index) for index, (_, found) in enumerate(views)])
    result: list[tuple[np.ndarray, float, int]] = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        overlap = iou(boxes[rows], boxes[rows]) > policy.fusion_iou
        np.fill_diagonal(overlap, val=True)  # an empty box doesn't overlap itself
        free = np.ones(len(rows), bool)
        for first in range(len(rows)):
            if not free[first]:
                continue
            group = np.flatnonzero(overlap[first] & free)
            free[group] = False
            _, best_of_view = np.unique(view_of[rows[group]], return_index=True)
            members = rows[group[best_of_view]]
            weights = scores[members]
            box = (boxes[members] * weights[:, None]).sum(0) / weights.sum()
            found_in = set(view_of[members].tolist())
            showing = found_in | {index for index, (view, _) in enumerate(views) if view.shows(box[None], policy)[0]}
            score = (1 - policy.agreement) * weights.max() + policy.agreement * weights.sum() / len(showing)
            if score >= policy.min_score:
                result.append((box, float(score), int(label)))
    result.sort(key=lambda one: -one[1])
    return Detections(
        np.float32([one[0] for one in result]).reshape(-1, 4), np.float32([one[1] for one in result]),
        np.int64([one[2] for one in result]),
    )
