"""How a picture is looked at: letterboxed at some sizes, and in tiles where it is large. The daemon does the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .boxes import Found, iou, suppress
from .samples import GREY

# Canvases by width and height. Few, since a GPU's libraries search anew for every shape.
CANVASES = tuple(
    (width, height) for width in (192, 256, 320, 384, 448, 512) for height in (192, 256, 320, 384, 448, 512)
    if max(width, height) <= 2.2 * min(width, height)
)
# A box that ends so near an inner border of a tile, in pixels, is cut off there.
CUT_WITHIN = 2.0
# From pixels (1, height, width, 3; uint8) to boxes in those pixels, scores, labels.
Look = Callable[[np.ndarray], Found]


@dataclass(frozen=True)
class Policy:
    """How a picture is looked at: whole, with its longer side at each of `longest_sides`; where that shows a score of
    `again_from` or more, at each of `again_sides`, too; and in tiles, where its longer side is above `above`."""

    longest_sides: tuple[int, ...] = (320,)
    again_from: float = 0.3
    again_sides: tuple[int, ...] = (160, 224, 384, 512)
    tile: int = 512
    overlap: int = 128
    above: int = 512
    # Larger pictures are made this large first: it bounds the tiles of one picture.
    up_to: int = 1280
    # Tiles look at the picture enlarged by each of these.
    tile_scales: tuple[float, ...] = (1.0, 2.0)
    canvases: tuple[tuple[int, int], ...] = CANVASES
    # Within a view, boxes of one label that overlap more than `suppression` are one; between views, more than `same`.
    suppression: float = 0.5
    same: float = 0.5
    # How much the mean over the views counts beside the best view, and the longer sides, in pixels of a view, at which
    # a logo ought to be found in it.
    agreement: float = 0.4
    seen_from: float = 16.0
    seen_to: float = 480.0
    low_score: float = 0.02


def on_canvas(part: np.ndarray, canvases: tuple[tuple[int, int], ...]) -> np.ndarray:
    """A part of a picture in the left upper corner of the smallest canvas that holds it, the rest grey."""
    height, width = part.shape[:2]
    fitting = [size for size in canvases if size[0] >= width and size[1] >= height]
    if not fitting:
        raise ValueError(f"no canvas holds {width} x {height} pixels")
    wide, tall = min(fitting, key=lambda size: size[0] * size[1])
    canvas = np.full((tall, wide, 3), GREY, np.uint8)
    canvas[:height, :width] = part
    return canvas


def tiles(width: int, height: int, side: int, overlap: int) -> list[tuple[int, int]]:
    """Left upper corners of tiles that cover a picture and overlap at least so much."""
    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = -(-(length - overlap) // (side - overlap))
        return [round(index * (length - side) / (count - 1)) for index in range(count)]

    return [(x, y) for y in starts(height) for x in starts(width)]


@dataclass(frozen=True)
class View:
    """A part of a picture as it is looked at: scale, left upper corner and size of the part in scaled pixels, and
    whether the picture goes on to the left, above, to the right, below."""

    scale: float
    corner: tuple[int, int]
    size: tuple[int, int]
    goes_on: tuple[bool, bool, bool, bool]

    def uncut(self, boxes: np.ndarray) -> np.ndarray:
        """Which boxes in pixels of the part stop short of its inner borders: of others a neighbour has more."""
        gaps = np.concatenate((boxes[:, :2], np.float32(self.size) - boxes[:, 2:]), 1)
        return ~((gaps <= CUT_WITHIN) & np.array(self.goes_on)).any(1)

    def to_picture(self, boxes: np.ndarray) -> np.ndarray:
        """From pixels of the part to the picture's."""
        return (boxes + np.float32(self.corner * 2)) / self.scale

    def shows(self, boxes: np.ndarray, policy: Policy) -> np.ndarray:
        """Which boxes of the picture lie whole in the part, at a size at which the network finds logos."""
        inside = boxes * self.scale - np.float32(self.corner * 2)
        longer = (inside[:, 2:] - inside[:, :2]).max(1)
        whole = (inside[:, :2] > -CUT_WITHIN).all(1) & (inside[:, 2:] < np.float32(self.size) + CUT_WITHIN).all(1)
        return whole & self.uncut(inside) & (longer >= policy.seen_from) & (longer <= policy.seen_to)


def whole(width: int, height: int, longest_sides: tuple[int, ...]) -> list[View]:
    """Views of the whole picture."""
    longest = max(width, height)
    sizes = [(max(1, round(width * side / longest)), max(1, round(height * side / longest))) for side in longest_sides]
    return [View(side / longest, (0, 0), size, (False,) * 4) for side, size in zip(longest_sides, sizes, strict=True)]


def first_views(width: int, height: int, policy: Policy) -> list[View]:
    """The views of the first look: the whole picture, and tiles where it is large."""
    longest = max(width, height)
    result = whole(width, height, policy.longest_sides)
    for enlarged in policy.tile_scales if longest > policy.above else ():
        scale = min(1.0, policy.up_to / longest) * enlarged
        wide, tall = round(width * scale), round(height * scale)
        for x, y in tiles(wide, tall, policy.tile, policy.overlap):
            size = (min(policy.tile, wide - x), min(policy.tile, tall - y))
            result.append(View(scale, (x, y), size, (x > 0, y > 0, x + size[0] < wide, y + size[1] < tall)))
    return result


def glances(look: Look, picture: np.ndarray, policy: Policy) -> list[tuple[View, Found]]:
    """What each view shows, in pixels of the picture, doubles suppressed within the view."""
    height, width = picture.shape[:2]
    first = _look_at(look, picture, first_views(width, height, policy), policy)
    if max((float(score) for _, found in first for score in found.scores), default=0.0) < policy.again_from:
        return first
    return first + _look_at(look, picture, whole(width, height, policy.again_sides), policy)


def _look_at(look: Look, picture: np.ndarray, views: list[View], policy: Policy) -> list[tuple[View, Found]]:
    height, width = picture.shape[:2]
    scaled: dict[float, np.ndarray] = {}
    result = []
    for view in views:
        if view.scale not in scaled:
            how = cv2.INTER_AREA if view.scale < 1 else cv2.INTER_CUBIC
            size = (max(1, round(width * view.scale)), max(1, round(height * view.scale)))
            scaled[view.scale] = cv2.resize(picture, size, interpolation=how)
        (x, y), (wide, tall) = view.corner, view.size
        found = look(on_canvas(scaled[view.scale][y : y + tall, x : x + wide], policy.canvases)[None])
        kept = (found.scores >= policy.low_score) & view.uncut(found.boxes)
        boxes = np.clip(view.to_picture(found.boxes[kept]), 0, [width, height, width, height])
        result.append((view, suppress(Found(boxes, found.scores[kept], found.labels[kept]), policy.suppression)))
    return result


def fuse(seen: list[tuple[View, Found]], policy: Policy) -> Found:
    """One box a logo from what several views show.

    Boxes of one label that overlap are one logo: its box is their mean, weighed by their scores, after Solovyev et al.,
    "Weighted boxes fusion" (2021). Its score is between the best view's and the mean over all views that show the place
    at a size at which logos are found: what only one of them takes for a logo seldom is one.
    """
    boxes = np.concatenate([found.boxes for _, found in seen])
    scores = np.concatenate([found.scores for _, found in seen])
    labels = np.concatenate([found.labels for _, found in seen])
    origin = np.concatenate([np.full(len(found.scores), index) for index, (_, found) in enumerate(seen)])
    result: list[tuple[np.ndarray, float, int]] = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        overlap = iou(boxes[rows], boxes[rows]) > policy.same
        np.fill_diagonal(overlap, val=True)  # an empty box doesn't overlap itself
        free = np.ones(len(rows), bool)
        for first in range(len(rows)):
            if not free[first]:
                continue
            group = np.flatnonzero(overlap[first] & free)
            free[group] = False
            _, surest = np.unique(origin[rows[group]], return_index=True)
            members = rows[group[surest]]
            weights = scores[members]
            box = (boxes[members] * weights[:, None]).sum(0) / weights.sum()
            hit = set(origin[members].tolist())
            showing = hit | {index for index, (view, _) in enumerate(seen) if view.shows(box[None], policy)[0]}
            score = (1 - policy.agreement) * weights.max() + policy.agreement * weights.sum() / len(showing)
            if score >= policy.low_score:
                result.append((box, float(score), int(label)))
    result.sort(key=lambda one: -one[1])
    return Found(
        np.float32([one[0] for one in result]).reshape(-1, 4), np.float32([one[1] for one in result]),
        np.int64([one[2] for one in result]),
    )


def find(look: Look, picture: np.ndarray, policy: Policy) -> Found:
    """Everything found in a picture, in its own pixels."""
    return fuse(glances(look, picture, policy), policy)
