"""Known pictures with what the exported file finds in them. They are drawn here, from nothing but artwork and type."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np

from ..scenes import backgrounds, text
from ..scenes.artwork import Artwork
from .labels import LABELS
from .looking import Look, Policy, find

SIZES = ((640, 360), (480, 640), (1280, 720))
# What is less sure hangs on ties between views, which other scaling breaks in another way.
TELLING = 0.5


def drawn(artwork: Artwork, size: tuple[int, int], seed: int) -> np.ndarray:
    """A window with a bar, a few lines of type, the brand's name in plain type, and the wordmark once."""
    rng, (width, height) = random.Random(seed), size
    bar = ((0, 91, 140), (29, 66, 138), (40, 40, 46))[seed % 3]
    canvas = backgrounds.gradient(size, (246, 247, 249), (224, 229, 236), rng)
    cv2.rectangle(canvas, (0, 0), (width, height // 8), bar, -1)
    mark = artwork.mark("vmware", rng)[..., 3]
    scale = width / 5 / mark.shape[1]
    small = cv2.resize(mark, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    backgrounds.put(canvas, small, width // 20, max(2, (height // 8 - small.shape[0]) // 2), (255, 255, 255))
    for line in range(5):
        words = text.mask("VMware Tools" if line == 2 else text.phrase(rng), rng, 18)
        backgrounds.put(canvas, words, width // 10, height // 4 + line * height // 8, (60, 60, 70))
    return canvas


def write(folder: Path, artwork: Artwork, look: Look, policy: Policy) -> list[dict]:
    """Writes the pictures and gives what the manifest says of them."""
    result = []
    for number, size in enumerate(SIZES, start=1):
        picture = drawn(artwork, size, number)
        path = folder / f"golden-{number}.png"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_PNG_COMPRESSION, 9))
        found = find(look, picture, policy)
        sightings = [
            {"brand": LABELS[label], "score": round(float(score), 4), "x": round(float(box[0]), 1), "y": round(float(box[1]), 1),
             "width": round(float(box[2] - box[0]), 1), "height": round(float(box[3] - box[1]), 1)}
            for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True)
            if score >= TELLING
        ]
        result.append({"picture": path.name, "sightings": sightings})
    return result
