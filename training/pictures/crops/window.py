"""Geometry of the window that the network sees, and how it is fitted around a logo.

The talk's crop is 75 x 22 pixels. The network's convolutions take no padding, so it sees real context around that
core: a window of 102 x 50 whose core starts 13 pixels from the left and 14 from the top. Outside the
picture everything is grey.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 102, 50
CORE_X, CORE_Y, CORE_WIDTH, CORE_HEIGHT = 13, 14, 75, 22
STRIDE = 4
FILL = 128
# A fitted core is this much larger than the box that it holds.
ROOM = 1.04

RESAMPLING = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.HAMMING, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Core:
    """A core's place in a picture: its centre, and how many of the picture's pixels one of its own takes."""

    x: float
    y: float
    zoom: float

    def rectangle(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the core in the picture."""
        half_width, half_height = CORE_WIDTH * self.zoom / 2, CORE_HEIGHT * self.zoom / 2
        return self.x - half_width, self.y - half_height, self.x + half_width, self.y + half_height

    def window(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the whole window in the picture."""
        left, top, _, _ = self.rectangle()
        left, top = left - CORE_X * self.zoom, top - CORE_Y * self.zoom
        return left, top, left + WIDTH * self.zoom, top + HEIGHT * self.zoom


def fitted(left: float, top: float, right: float, bottom: float) -> Core:
    """The smallest core of 75:22 around a box, with a little room and the same centre.

    A flat wordmark (6.3:1) fills its width and half of its height; a steep or cut one fills its height.
    """
    zoom = max((right - left) / CORE_WIDTH, (bottom - top) / CORE_HEIGHT) * ROOM
    return Core((left + right) / 2, (top + bottom) / 2, zoom)


def overlap(one: Core, other: Core) -> float:
    """Intersection over union of two cores."""
    a, b = one.rectangle(), other.rectangle()
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    area = CORE_WIDTH * CORE_HEIGHT * (one.zoom**2 + other.zoom**2)
    return shared / (area - shared)


def cut(picture: Image.Image, core: Core, resampling: int = Image.Resampling.BILINEAR) -> np.ndarray:
    """The window around a core as uint8 [50, 102, 3]; grey where it leaves the picture."""
    left, top, right, bottom = core.window()
    # The filter needs some pixels around the window, or it would treat the window's border as the picture's.
    more = 4 + int(3 * core.zoom)
    x1, y1, x2, y2 = int(left) - more, int(top) - more, int(right) + more + 1, int(bottom) + more + 1
    if x1 >= 0 and y1 >= 0 and x2 <= picture.width and y2 <= picture.height:
        region = picture.crop((x1, y1, x2, y2))
    else:
        region = Image.new("RGB", (x2 - x1, y2 - y1), (FILL, FILL, FILL))
        inside = (max(x1, 0), max(y1, 0), min(x2, picture.width), min(y2, picture.height))
        if inside[0] < inside[2] and inside[1] < inside[3]:
            region.paste(picture.crop(inside), (inside[0] - x1, inside[1] - y1))
    box = (left - x1, top - y1, right - x1, bottom - y1)
    return np.asarray(region.resize((WIDTH, HEIGHT), resampling, box=box))
