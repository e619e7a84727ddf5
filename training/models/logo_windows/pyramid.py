"""The network over a whole picture: an image pyramid, dense scores, non-maximum suppression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...pictures.crops.window import (
    CORE_HEIGHT,
    CORE_WIDTH,
    CORE_X,
    CORE_Y,
    FILL,
    HEIGHT,
    STRIDE,
    WIDTH,
    Core,
    overlap,
)
from .architecture import map_size

# The ratio of scales between levels of the pyramid; the network learns to accept 17 % either way.
RATIO = 1.35
# The narrowest core that is searched, in pixels of the picture; it also finds logos that are 40 wide.
NARROWEST_CORE = 48
SAME_LOGO = 0.3  # IoU from which two cores are one logo


@dataclass(frozen=True)
class Candidate:
    """A core in the picture and its probability of showing the logo."""

    core: Core
    score: float


def zooms(width: int, height: int) -> list[float]:
    """The scales of the pyramid: how many pixels of the picture one of a window takes, from the narrowest core to one as wide as
    the picture."""
    found = [NARROWEST_CORE / CORE_WIDTH]
    while found[-1] * RATIO * CORE_WIDTH <= width * 1.05 and found[-1] * RATIO * CORE_HEIGHT <= height * 1.05:
        found.append(found[-1] * RATIO)
    return found


def level(picture: Image.Image, zoom: float) -> np.ndarray:
    """One level of the pyramid, with a grey frame so that a core can touch the border: uint8 [height, width, 3]."""
    width, height = max(1, round(picture.width / zoom)), max(1, round(picture.height / zoom))
    small = picture.resize((width, height), Image.Resampling.BILINEAR)
    frame_width, frame_height = width + WIDTH - CORE_WIDTH, height + HEIGHT - CORE_HEIGHT
    canvas = np.full((max(frame_height, HEIGHT), max(frame_width, WIDTH), 3), FILL, np.uint8)
    canvas[CORE_Y : CORE_Y + height, CORE_X : CORE_X + width] = np.asarray(small)
    return canvas


def detect(
    picture: Image.Image, score_map: Callable[[np.ndarray], np.ndarray], min_score: float, scales: list[float] | None = None
) -> list[Candidate]:
    """Logos that score at least `min_score`, best first, after suppression; at all scales or at those given."""
    candidates: list[Candidate] = []
    for zoom in scales or zooms(*picture.size):
        pixels = level(picture, zoom)
        found = score_map(pixels)
        assert found.shape == map_size(pixels.shape[1], pixels.shape[0])
        candidates += _above(found, zoom, min_score)
    return suppress(candidates)


def suppress(candidates: list[Candidate]) -> list[Candidate]:
    """Non-maximum suppression over all scales."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: -one.score):
        if all(overlap(candidate.core, other.core) < SAME_LOGO and not _holds(other.core, candidate.core) for other in kept):
            kept.append(candidate)
    return kept


def _holds(one: Core, other: Core) -> bool:
    """Whether the larger core contains the centre of the smaller one: the same logo at another scale."""
    small, large = sorted((one, other), key=lambda core: core.zoom)
    left, top, right, bottom = large.rectangle()
    return left < small.x < right and top < small.y < bottom


def _above(found: np.ndarray, zoom: float, min_score: float) -> Iterator[Candidate]:
    for row, column in zip(*np.nonzero(found >= min_score), strict=True):
        # The frame aligns the core of the first window with the picture's first pixels.
        x, y = column * STRIDE + CORE_WIDTH / 2, row * STRIDE + CORE_HEIGHT / 2
        yield Candidate(Core(x * zoom, y * zoom, zoom), float(found[row, column]))
