"""Golden pictures: drawn here from artwork and text, with what the exported file detects in them."""

from __future__ import annotations

import random

import cv2
import numpy as np

from ...pictures.scenes import backgrounds, text
from ...pictures.scenes.artwork import Artwork
from .inference import Model, detect
from .labels import LABELS
from .views import Policy

SIZES = ((640, 360), (480, 640), (1280, 720))
# Lower scores depend on ties between views, which another library's scaling breaks differently.
MIN_SCORE = 0.5


def draw(artwork: Artwork, size: tuple[int, int], seed: int) -> np.ndarray:
    """A window with a title bar, a few lines of text, the brand's name in plain type, and the wordmark once."""
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


def golden_pictures(artwork: Artwork) -> dict[str, np.ndarray]:
    """The pictures by name."""
    return {f"golden-{number}": draw(artwork, size, number) for number, size in enumerate(SIZES, start=1)}


def sightings(model: Model, picture: np.ndarray, policy: Policy) -> list[dict]:
    """What the manifest says of a picture."""
    found = detect(model, picture, policy)
    return [
        {"brand": LABELS[label], "score": round(float(score), 4), "x": round(float(box[0]), 1), "y": round(float(box[1]), 1),
         "width": round(float(box[2] - box[0]), 1), "height": round(float(box[3] - box[1]), 1)}
        for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True)
        if score >= MIN_SCORE
    ]
