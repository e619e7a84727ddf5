"""Which detections hit which labelled boxes, and what follows: average precision, recall, false alarms.

The rules are those of the Pascal VOC challenge (Everingham et al., 2010): detections are taken from the surest down,
each may hit one box of its brand, with an intersection over union of 0.5 or more, and a box that is hit twice is hit
once. Average precision is the area under the precision-recall curve made monotone (all points, as from VOC 2010 on).
Boxes marked to be ignored count neither for nor against, nor does a detection that hits one or lies mostly in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEAST_IOU = 0.5


@dataclass(frozen=True)
class Rectangle:
    """In pixels of the upright picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True)
class Truth:
    """A logo that is in a picture."""

    brand: str
    bounds: Rectangle
    ignore: bool = False
    # Hard to see, or cut by the border: counted, and also told apart.
    hard: bool = False


@dataclass(frozen=True)
class Detection:
    """What the program says of a logo."""

    brand: str
    score: float
    bounds: Rectangle
    reported: bool


@dataclass(frozen=True)
class Judged:
    """A detection, and whether it hit: True, False, or None where it counts neither way. `truth` is the index of the
    box hit."""

    detection: Detection
    hit: bool | None
    truth: int | None = None


def intersection(one: Rectangle, other: Rectangle) -> float:
    """Square pixels that two rectangles share."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0)


def iou(one: Rectangle, other: Rectangle) -> float:
    """Intersection over union, 0 to 1."""
    shared = intersection(one, other)
    union = one.area + other.area - shared
    return shared / union if union > 0 else 0.0


def judge(detections: Iterable[Detection], truths: list[Truth]) -> list[Judged]:
    """Judges the detections of one picture, the surest first."""
    judged, taken = [], set()
    for detection in sorted(detections, key=lambda one: -one.score):
        own = [(iou(detection.bounds, truth.bounds), index) for index, truth in enumerate(truths)
               if truth.brand == detection.brand]
        counted = [(overlap, index) for overlap, index in own if not truths[index].ignore and index not in taken]
        best, index = max(counted, default=(0.0, -1))
        if best >= LEAST_IOU:
            taken.add(index)
            judged.append(Judged(detection, True, index))
        elif any(truths[index].ignore and _lies_in(detection.bounds, truths[index].bounds, overlap)
                 for overlap, index in own):
            judged.append(Judged(detection, None))
        else:
            judged.append(Judged(detection, False))
    return judged


def _lies_in(bounds: Rectangle, ignored: Rectangle, overlap: float) -> bool:
    return overlap >= LEAST_IOU or intersection(bounds, ignored) > 0.5 * bounds.area


def average_precision(hits: Iterable[tuple[float, bool]], positives: int) -> float:
    """Area under the precision-recall curve, 0 to 1. Takes score and success of every detection of a brand, those that
    count neither way left out, and the number of boxes that there are."""
    if positives == 0:
        raise ValueError("average precision of a brand that is nowhere is not defined")
    ordered = sorted(hits, key=lambda one: -one[0])
    found, points = 0, []
    for place, (_, hit) in enumerate(ordered, start=1):
        found += hit
        points.append((found / positives, found / place))
    area = height = 0.0
    # From the right: a precision that comes later at a higher recall holds for lower ones, too.
    for index in range(len(points) - 1, -1, -1):
        recall, precision = points[index]
        height = max(height, precision)
        before = points[index - 1][0] if index else 0.0
        area += (recall - before) * height
    return area
