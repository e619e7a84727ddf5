"""Golden pictures: drawn here from artwork and fonts on plain surfaces, without any photo."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from ...pictures.crops.window import (
    CORE_HEIGHT,
    CORE_WIDTH,
    CORE_X,
    CORE_Y,
    FILL,
    HEIGHT,
    ROOM,
    WIDTH,
)
from ...pictures.scenes import text
from ...pictures.scenes.artwork import Artwork
from ...pictures.scenes.backgrounds import Colour, gradient, put
from ...pictures.scenes.brands import DRAWN

WHITE, GREY, DARK, BLUE, GREEN = (255, 255, 255), (113, 112, 116), (24, 26, 30), (29, 110, 180), (110, 170, 40)
LOGO_WIDTH = CORE_WIDTH / ROOM


def window(mark: np.ndarray, surface: Colour, ink: Colour, width: float = LOGO_WIDTH, shift: tuple[float, float] = (0, 0), angle: float = 0) -> np.ndarray:
    """A window with a mask of ink in the centre of its core, `width` pixels wide, rotated by `angle` degrees."""
    scale = width / mark.shape[1]
    middle = (CORE_X + CORE_WIDTH / 2 + shift[0], CORE_Y + CORE_HEIGHT / 2 + shift[1])
    turn = math.radians(angle)
    across, down = scale * math.cos(turn), scale * math.sin(turn)
    half = (mark.shape[1] / 2, mark.shape[0] / 2)
    place = np.float32(
        [
            [across, down, middle[0] - across * half[0] - down * half[1]],
            [-down, across, middle[1] + down * half[0] - across * half[1]],
        ]
    )
    # Drawn four times as large, so that edges are smooth.
    large = cv2.warpAffine(mark, place * 4, (WIDTH * 4, HEIGHT * 4), flags=cv2.INTER_AREA)
    mask = cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    canvas = gradient((WIDTH, HEIGHT), surface, tuple(int(v * 0.85) for v in surface), random.Random(2))
    put(canvas, mask, 0, 0, ink)
    return canvas


def word(letters: str, font: int) -> np.ndarray:
    """A word as a mask, in the machine's font of this number."""
    fonts = text.fonts()
    return text.render(letters, fonts[font % len(fonts)], 60)


def golden_pictures(artwork: Artwork) -> dict[str, np.ndarray]:
    """Pictures by name, uint8 [height, width, 3]: single windows, and a larger one."""
    mark, registered = (artwork.drawing(drawing)[..., 3] for drawing in DRAWN["vmware"])
    screen = gradient((198, 110), (236, 240, 244), (210, 218, 228), random.Random(4))
    cv2.rectangle(screen, (0, 0), (198, 34), BLUE, -1)
    small = cv2.resize(registered, (72, round(72 * registered.shape[0] / registered.shape[1])), interpolation=cv2.INTER_AREA)
    put(screen, small, 60, 52, GREY)
    put(screen, cv2.resize(word("Inventory", 11), (60, 14), interpolation=cv2.INTER_AREA), 12, 10, WHITE)
    return {
        "white-on-blue": window(registered, BLUE, WHITE),
        "grey-on-white": window(mark, WHITE, GREY),
        "dark-on-green-turned": window(registered, GREEN, DARK, angle=8),
        "half": window(mark, DARK, WHITE, shift=(45, 0)),
        "plain-type": window(word("VMware", 3), BLUE, WHITE, 62),
        "another-word": window(word("Overheard", 20), WHITE, DARK, 70),
        "nothing": np.full((HEIGHT, WIDTH, 3), FILL, np.uint8),
        "screen": screen,
    }
