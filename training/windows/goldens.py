"""Pictures of our own making: those whose probabilities the manifest records, and probes that show what goes wrong.

They are drawn here from the artwork and from fonts, on plain surfaces; no photo is in them.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from ..logos.window import CORE_HEIGHT, CORE_WIDTH, CORE_X, CORE_Y, FILL, HEIGHT, WIDTH
from ..scenes import text
from ..scenes.artwork import Artwork
from ..scenes.backgrounds import Colour, gradient, put

WHITE, GREY, DARK, BLUE, GREEN = (255, 255, 255), (113, 112, 116), (24, 26, 30), (29, 110, 180), (110, 170, 40)
# Surface and ink, as the brand and others set it.
COLOURS: tuple[tuple[Colour, Colour], ...] = ((WHITE, GREY), (BLUE, WHITE), (DARK, WHITE), (GREEN, DARK))
LOGO_WIDTH = CORE_WIDTH / 1.04


@dataclass(frozen=True)
class Probe:
    """A window with what it asks for and whether it shows the logo."""

    asks_for: str
    pixels: np.ndarray
    logo: bool


def window(mark: np.ndarray, surface: Colour, ink: Colour, width: float = LOGO_WIDTH, shift: tuple[float, float] = (0, 0), angle: float = 0) -> np.ndarray:
    """A window with a mask of ink at the middle of its core, `width` pixels wide, turned by `angle` degrees."""
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
    """A word as a mask, in the machine's font of that number."""
    chosen = text.fonts()[font % len(text.fonts())]
    generator = random.Random(0)
    generator.choice = lambda _: chosen  # type: ignore[method-assign]
    return text.mask(letters, generator, 60)


def golden_pictures(artwork: Artwork) -> dict[str, np.ndarray]:
    """Pictures by name, uint8 [height, width, 3]: windows, and one that is larger."""
    mark, registered = artwork.wordmark(False), artwork.wordmark(True)
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


def probes(artwork: Artwork) -> list[Probe]:
    """Windows under conditions of rising hardness, each in four colours; and the name in plain type."""
    mark = artwork.wordmark(True)
    made = []
    for surface, ink in COLOURS:
        made += [Probe(f"turned by {angle} degrees", window(mark, surface, ink, angle=angle), True) for angle in (0, 10, 20, 35)]
        plain = window(mark, surface, ink)
        for sigma in (1.0, 2.0, 3.0):
            made.append(Probe(f"blurred, sigma {sigma:g} pixels", cv2.GaussianBlur(plain, (0, 0), sigma), True))
        for share in (0.5, 0.2, 0.1):
            faint = tuple(int(under + (over - under) * share) for under, over in zip(surface, ink, strict=True))
            made.append(Probe(f"contrast {share:.0%}", window(mark, surface, faint), True))
        for share in (0.2, 0.4):
            hidden = plain.copy()
            hidden[:, : int(CORE_X + 2 + LOGO_WIDTH * share)] = (150, 90, 60)
            made.append(Probe(f"{share:.0%} hidden at its left", hidden, True))
        for share in (0.8, 0.65):
            made.append(Probe(f"{share:.0%} as wide as the core", window(mark, surface, ink, LOGO_WIDTH * share), True))
        for quality in (30, 10):
            _, encoded = cv2.imencode(".jpg", plain, (cv2.IMWRITE_JPEG_QUALITY, quality))
            made.append(Probe(f"JPEG quality {quality}", cv2.imdecode(encoded, cv2.IMREAD_COLOR), True))
        for name in ("VMware", "vmware", "VMWARE"):
            for font in (5, 25, 45, 65, 85):
                made.append(Probe(f'"{name}" in plain type', window(word(name, font), surface, ink, 68), False))
        for name in ("software", "Veeam", "vm network"):
            made.append(Probe("another word in plain type", window(word(name, 33), surface, ink, 68), False))
    return made
