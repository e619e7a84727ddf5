"""How the network does under one condition at a time, in windows drawn here; the card shows the failures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...pictures.crops.window import CORE_X
from ...pictures.scenes import distortions
from ...pictures.scenes.artwork import Artwork
from ...pictures.scenes.backgrounds import Colour
from ...pictures.scenes.brands import DRAWN
from .goldens import BLUE, DARK, GREEN, GREY, LOGO_WIDTH, WHITE, window, word

# Surface and ink, as the brand and others use them.
COLOURS: tuple[tuple[Colour, Colour], ...] = ((WHITE, GREY), (BLUE, WHITE), (DARK, WHITE), (GREEN, DARK))


@dataclass(frozen=True)
class Case:
    """A window, its condition, and whether it shows the logo."""

    condition: str
    pixels: np.ndarray
    logo: bool


def cases(artwork: Artwork) -> list[Case]:
    """Windows under ever harder conditions, each in four colours; and the name in plain type."""
    mark = artwork.drawing(DRAWN["vmware"][1])[..., 3]
    result = []
    for surface, ink in COLOURS:
        result += [Case(f"turned by {angle} degrees", window(mark, surface, ink, angle=angle), True) for angle in (0, 10, 20, 35)]
        plain = window(mark, surface, ink)
        for sigma in (1.0, 2.0, 3.0):
            result.append(Case(f"blurred, sigma {sigma:g} pixels", cv2.GaussianBlur(plain, (0, 0), sigma), True))
        for share in (0.5, 0.2, 0.1):
            faint = tuple(int(under + (over - under) * share) for under, over in zip(surface, ink, strict=True))
            result.append(Case(f"contrast {share:.0%}", window(mark, surface, faint), True))
        for share in (0.2, 0.4):
            hidden = plain.copy()
            hidden[:, : int(CORE_X + 2 + LOGO_WIDTH * share)] = (150, 90, 60)
            result.append(Case(f"{share:.0%} hidden at its left", hidden, True))
        for share in (0.8, 0.65):
            result.append(Case(f"{share:.0%} as wide as the core", window(mark, surface, ink, LOGO_WIDTH * share), True))
        for quality in (30, 10):
            result.append(Case(f"JPEG quality {quality}", distortions.jpeg(plain, quality), True))
        for name in ("VMware", "vmware", "VMWARE"):
            for font in (5, 25, 45, 65, 85):
                result.append(Case(f'"{name}" in plain type', window(word(name, font), surface, ink, 68), False))
        for name in ("software", "Veeam", "vm network"):
            result.append(Case("another word in plain type", window(word(name, 33), surface, ink, 68), False))
    return result
