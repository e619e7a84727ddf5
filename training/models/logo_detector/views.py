"""Which views of a picture the network sees: letterboxed at some sizes, and tiles of large pictures.

Written by hand: the daemon's `geometry` does the same, step by step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The colour of a letterbox around the picture.
GREY = (114, 114, 114)
# Canvases by width and height. Few, since a GPU's libraries tune themselves anew for every shape.
CANVASES = tuple(
    (width, height) for width in (192, 256, 320, 384, 448, 512) for height in (192, 256, 320, 384, 448, 512)
    if max(width, height) <= 2.2 * min(width, height)
)
# A box that ends this near to an inner border of a tile, in pixels, is cut off there.
CUT_WITHIN = 2.0


@dataclass(frozen=True)
class Policy:
    """Which views are taken and how they are fused.

    The whole picture is scaled so that its longer side has each of `longest_sides`; if that shows a score of
    `second_pass_from` or more, also each of `second_pass_sides`. A picture whose longer side is above `tiles_above` is also
    cut into tiles.
    """

    longest_sides: tuple[int, ...] = (320,)
    second_pass_from: float = 0.3
    second_pass_sides: tuple[int, ...] = (160, 224, 384, 512)
    tile_side: int = 512
    tile_overlap: int = 128
    tiles_above: int = 512
    # Larger pictures are scaled down to this first, which bounds the number of tiles.
    max_tiled_side: int = 1280
    # Tiles are cut from the picture enlarged by each of these.
    tile_scales: tuple[float, ...] = (1.0, 2.0)
    canvases: tuple[tuple[int, int], ...] = CANVASES
    # Boxes of one label are one logo above these IoUs: within a view, and between views.
    nms_iou: float = 0.5
    fusion_iou: float = 0.5
    # The weight of the mean over the views against the best view, and the longer sides, in pixels of a view, between which
    # a logo should be found in it.
    agreement: float = 0.4
    visible_from: float = 16.0
    visible_to: float = 480.0
    min_score: float = 0.02


def letterbox(part: np.ndarray, canvases: tuple[tuple[int, int], ...]) -> np.ndarray:
    """A part of a picture in the upper left corner of the smallest canvas that holds it; the rest is grey."""
    height, width = part.shape[:2]
    fitting = [size for size in canvases if size[0] >= width and size[1] >= height]
    if not fitting:
        raise ValueError(f"no canvas holds {width} x {height} pixels")
    canvas_width, canvas_height = min(fitting, key=lambda size: size[0] * size[1])
    canvas = np.full((canvas_height, canvas_width, 3), GREY, np.uint8)
    canvas[:height, :width] = part
    return canvas


def tiles(width: int, height: int, side: int, overlap: int) -> list[tuple[int, int]]:
    """Upper left corners of tiles that cover a picture and overlap by at least `overlap`."""
    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = -(-(length - overlap) // (side - overlap))
        return [round(index * (length - side) / (count - 1)) for index in range(count)]

    return [(x, y) for y in starts(height) for x in starts(width)]


@dataclass(frozen=True)
class View:
    """A scaled part of a picture: scale, upper left corner and size of the part in scaled pixels, and whether the picture
    continues to the left, above, to the right, below."""

    scale: float
    corner: tuple[int, int]
    size: tuple[int, int]
    continues: tuple[bool, bool, bool, bool]

    def uncut(self, boxes: np.ndarray) -> np.ndarray:
        """Which boxes, in pixels of the part, end before its inner borders: a neighbour shows more of the others."""
        gaps = np.concatenate((boxes[:, :2], np.float32(self.size) - boxes[:, 2:]), 1)
        return ~((gaps <= CUT_WITHIN) & np.array(self.continues)).any(1)

    def to_picture(self, boxes: np.ndarray) -> np.ndarray:
        """From pixels of the part to the picture's."""
        return (boxes + np.float32(self.corner * 2)) / self.scale

    def shows(self, boxes: np.ndarray, policy: Policy) -> np.ndarray:
        """Which boxes of the picture lie completely in the part, at a size at which the network finds logos."""
        inside = boxes * self.scale - np.float32(self.corner * 2)
        longer = (inside[:, 2:] - inside[:, :2]).max(1)
        complete = (inside[:, :2] > -CUT_WITHIN).all(1) & (inside[:, 2:] < np.float32(self.size) + CUT_WITHIN).all(1)
        return complete & self.uncut(inside) & (longer >= policy.visible_from) & (longer <= policy.visible_to)


def whole(width: int, height: int, longest_sides: tuple[int, ...]) -> list[View]:
    """Views of the whole picture."""
    longest = max(width, height)
    sizes = [(max(1, round(width * side / longest)), max(1, round(height * side / longest))) for side in longest_sides]
    return [View(side / longest, (0, 0), size, (False,) * 4) for side, size in zip(longest_sides, sizes, strict=True)]


def first_pass(width: int, height: int, policy: Policy) -> list[View]:
    """The views of the first pass: the whole picture, and tiles of a large one."""
    longest = max(width, height)
    result = whole(width, height, policy.longest_sides)
    for enlarged in policy.tile_scales if longest > policy.tiles_above else ():
        scale = min(1.0, policy.max_tiled_side / longest) * enlarged
        scaled_width, scaled_height = round(width * scale), round(height * scale)
        for x, y in tiles(scaled_width, scaled_height, policy.tile_side, policy.tile_overlap):
            size = (min(policy.tile_side, scaled_width - x), min(policy.tile_side, scaled_height - y))
            continues = (x > 0, y > 0, x + size[0] < scaled_width, y + size[1] < scaled_height)
            result.append(View(scale, (x, y), size, continues))
    return result
