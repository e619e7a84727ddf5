"""The network over a whole picture: an image pyramid, dense scores, non-maximum suppression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..logos.window import CORE_HEIGHT, CORE_WIDTH, CORE_X, CORE_Y, FILL, HEIGHT, STRIDE, WIDTH, Core, overlap
from .architecture import map_size

# How much smaller each picture of the pyramid is; the network was taught to accept 17 % either way.
RATIO = 1.35
# The narrowest core that is looked for, in pixels of the picture: it also meets logos that are 40 wide.
NARROWEST_CORE = 48
SAME_LOGO = 0.3  # overlap from which two cores are one logo


@dataclass(frozen=True)
class Found:
    """A logo: its core in the picture, and its probability."""

    core: Core
    score: float


def zooms(width: int, height: int) -> list[float]:
    """How many of a picture's pixels one of a window takes, from the narrowest core to one as wide as the picture."""
    found = [NARROWEST_CORE / CORE_WIDTH]
    while found[-1] * RATIO * CORE_WIDTH <= width * 1.05 and found[-1] * RATIO * CORE_HEIGHT <= height * 1.05:
        found.append(found[-1] * RATIO)
    return found


def framed(picture: Image.Image, zoom: float) -> np.ndarray:
    """A picture of the pyramid, with the grey frame that lets a core touch the border: uint8 [height, width, 3]."""
    width, height = max(1, round(picture.width / zoom)), max(1, round(picture.height / zoom))
    small = picture.resize((width, height), Image.Resampling.BILINEAR)
    frame_width, frame_height = width + WIDTH - CORE_WIDTH, height + HEIGHT - CORE_HEIGHT
    canvas = np.full((max(frame_height, HEIGHT), max(frame_width, WIDTH), 3), FILL, np.uint8)
    canvas[CORE_Y : CORE_Y + height, CORE_X : CORE_X + width] = np.asarray(small)
    return canvas


def alarms(
    picture: Image.Image, score_map: Callable[[np.ndarray], np.ndarray], least: float, chosen: list[float] | None = None
) -> list[Found]:
    """Logos that score at least `least`, best first, none overlapping a better one."""
    candidates: list[Found] = []
    for zoom in chosen or zooms(*picture.size):
        pixels = framed(picture, zoom)
        found = score_map(pixels)
        assert found.shape == map_size(pixels.shape[1], pixels.shape[0])
        candidates += _above(found, zoom, least)
    return suppressed(candidates)


def suppressed(candidates: list[Found]) -> list[Found]:
    """Non-maximum suppression over all scales."""
    kept: list[Found] = []
    for candidate in sorted(candidates, key=lambda found: -found.score):
        if all(overlap(candidate.core, other.core) < SAME_LOGO and not _holds(other.core, candidate.core) for other in kept):
            kept.append(candidate)
    return kept


def _holds(one: Core, other: Core) -> bool:
    """Whether one core covers most of the other, or the other way round: another scale of the same logo."""
    small, large = sorted((one, other), key=lambda core: core.zoom)
    left, top, right, bottom = large.rectangle()
    return left < small.x < right and top < small.y < bottom


def _above(found: np.ndarray, zoom: float, least: float) -> Iterator[Found]:
    for row, column in zip(*np.nonzero(found >= least), strict=True):
        # The frame puts the core of the first window onto the picture's first pixels.
        x, y = column * STRIDE + CORE_WIDTH / 2, row * STRIDE + CORE_HEIGHT / 2
        yield Found(Core(x * zoom, y * zoom, zoom), float(found[row, column]))
