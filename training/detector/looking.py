"""How a picture is looked at: letterboxed at some sizes, and in tiles where it is large. The daemon does the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .boxes import Found, suppress
from .samples import GREY

# Canvases by width and height. Few, since a GPU's libraries search anew for every shape.
CANVASES = tuple(
    (width, height) for width in (192, 256, 320, 384, 448, 512) for height in (192, 256, 320, 384, 448, 512)
    if max(width, height) <= 2.2 * min(width, height)
)
# From pixels (1, height, width, 3; uint8) to boxes in those pixels, scores, labels.
Look = Callable[[np.ndarray], Found]


@dataclass(frozen=True)
class Policy:
    """Longest sides at which the whole picture is looked at; and tiles for pictures with a longer side above `above`."""

    longest_sides: tuple[int, ...] = (192, 320, 512)
    tile: int = 512
    overlap: int = 128
    above: int = 640
    # Larger pictures are made this large first: it bounds the tiles of one picture.
    up_to: int = 2048
    # Tiles look at the picture enlarged by this.
    tile_scale: float = 1.5
    canvases: tuple[tuple[int, int], ...] = CANVASES
    suppression: float = 0.5
    low_score: float = 0.02


def letterboxed(picture: np.ndarray, scale: float, canvases: tuple[tuple[int, int], ...]) -> np.ndarray:
    """The picture scaled, in the left upper corner of the smallest canvas that holds it, the rest grey."""
    width, height = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    fitting = [size for size in canvases if size[0] >= width and size[1] >= height]
    if not fitting:
        raise ValueError(f"no canvas holds {width} x {height} pixels")
    wide, tall = min(fitting, key=lambda size: size[0] * size[1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.full((tall, wide, 3), GREY, np.uint8)
    canvas[:height, :width] = small
    return canvas


def tiles(width: int, height: int, side: int, overlap: int) -> list[tuple[int, int]]:
    """Left upper corners of tiles that cover a picture and overlap at least so much."""
    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = -(-(length - overlap) // (side - overlap))
        return [round(index * (length - side) / (count - 1)) for index in range(count)]

    return [(x, y) for y in starts(height) for x in starts(width)]


def find(look: Look, picture: np.ndarray, policy: Policy) -> Found:
    """Everything found in a picture, in its own pixels."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    parts: list[Found] = []

    def keep(found: Found, scale: float, x: float = 0, y: float = 0) -> None:
        enough = found.scores >= policy.low_score
        boxes = found.boxes[enough] / scale + np.float32([x, y, x, y])
        parts.append(Found(np.clip(boxes, 0, [width, height, width, height]), found.scores[enough], found.labels[enough]))

    for side in policy.longest_sides:
        scale = side / longest
        keep(look(letterboxed(picture, scale, policy.canvases)[None]), scale)
    if longest > policy.above:
        scale = min(1.0, policy.up_to / longest) * policy.tile_scale
        whole = picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        for x, y in tiles(whole.shape[1], whole.shape[0], policy.tile, policy.overlap):
            part = whole[y : y + policy.tile, x : x + policy.tile]
            found = look(letterboxed(part, 1.0, policy.canvases)[None])
            # A box that touches an inner border is cut off there: the neighbour has it whole.
            inner = _inside(found.boxes, x, y, part.shape, whole.shape)
            keep(Found(found.boxes[inner], found.scores[inner], found.labels[inner]), scale, x / scale, y / scale)
    joined = Found(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("boxes", "scores", "labels")))
    return suppress(joined, policy.suppression)


def _inside(boxes: np.ndarray, x: int, y: int, part: tuple[int, ...], whole: tuple[int, ...]) -> np.ndarray:
    inner = np.ones(len(boxes), bool)
    if x > 0:
        inner &= boxes[:, 0] > 2
    if y > 0:
        inner &= boxes[:, 1] > 2
    if x + part[1] < whole[1]:
        inner &= boxes[:, 2] < part[1] - 2
    if y + part[0] < whole[0]:
        inner &= boxes[:, 3] < part[0] - 2
    return inner
