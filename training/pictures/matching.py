"""Which detections hit which labelled boxes, and average precision.

The rules are those of the Pascal VOC challenge (Everingham et al., 2010). Detections are taken in descending order of
score; each may hit one box of its brand, with an IoU of 0.5 or more, and a box can be hit once. Average precision is the
area under the precision-recall curve made monotone (all points, as from VOC 2010 on). Boxes marked `ignore` count neither
for nor against, nor does a detection that hits one or lies mostly in it.

Written by hand: torchmetrics and pycocotools interpolate at 101 points as COCO does, which gives other figures, and have
no rule for detections that lie in an ignored box.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MIN_IOU = 0.5


@dataclass(frozen=True)
class Rectangle:
    """In pixels of the upright picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """In square pixels."""
        return self.width * self.height


@dataclass(frozen=True)
class GroundTruth:
    """A logo that is in a picture. `hard` ones (difficult, truncated or occluded) count, and are also left out of "easy"."""

    brand: str
    bounds: Rectangle
    ignore: bool = False
    hard: bool = False


@dataclass(frozen=True)
class Detection:
    """A logo that a model or the program found; `reported` if it reaches the brand's threshold."""

    brand: str
    score: float
    bounds: Rectangle
    reported: bool


@dataclass(frozen=True)
class MatchedDetection:
    """A detection, and whether it hit: True, False, or None where it counts neither way. `truth` is the index of the
    box that it hit."""

    detection: Detection
    hit: bool | None
    truth: int | None = None


def intersection(one: Rectangle, other: Rectangle) -> float:
    """Area that two rectangles share, in square pixels."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0)


def iou(one: Rectangle, other: Rectangle) -> float:
    """Intersection over union, 0 to 1."""
    shared = intersection(one, other)
    union = one.area + other.area - shared
    return shared / union if union > 0 else 0.0


def match(detections: Iterable[Detection], truths: list[GroundTruth]) -> list[MatchedDetection]:
    """Matches the detections of one picture with its boxes, in descending order of score."""
    matches, taken = [], set()
    for detection in sorted(detections, key=lambda one: -one.score):
        own = [(iou(detection.bounds, truth.bounds), index) for index, truth in enumerate(truths)
               if truth.brand == detection.brand]
        free = [(overlap, index) for overlap, index in own if not truths[index].ignore and index not in taken]
        best, index = max(free, default=(0.0, -1))
        if best >= MIN_IOU:
            taken.add(index)
            matches.append(MatchedDetection(detection, True, index))
        elif any(truths[index].ignore and _lies_in(detection.bounds, truths[index].bounds, overlap)
                 for overlap, index in own):
            matches.append(MatchedDetection(detection, None))
        else:
            matches.append(MatchedDetection(detection, False))
    return matches


def _lies_in(bounds: Rectangle, ignored: Rectangle, overlap: float) -> bool:
    return overlap >= MIN_IOU or intersection(bounds, ignored) > 0.5 * bounds.area


def average_precision(hits: Iterable[tuple[float, bool]], positives: int) -> float:
    """Area under the precision-recall curve, 0 to 1. Takes score and success of every detection of a brand, without those
    that count neither way, and the number of labelled boxes."""
    if positives == 0:
        raise ValueError("average precision is not defined for a brand without labelled boxes")
    ordered = sorted(hits, key=lambda one: -one[0])
    found, points = 0, []
    for rank, (_, hit) in enumerate(ordered, start=1):
        found += hit
        points.append((found / positives, found / rank))
    area = height = 0.0
    # From the right: a precision reached at a higher recall also holds at lower ones.
    for index in range(len(points) - 1, -1, -1):
        recall, precision = points[index]
        height = max(height, precision)
        before = points[index - 1][0] if index else 0.0
        area += (recall - before) * height
    return area
