"""Hard negatives: windows of training pictures that the network takes for logos."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ...pictures.crops.window import HEIGHT, WIDTH, cut
from ...pictures.flickrlogos import training_pictures
from ...pictures.hold_outs import pictures
from .network import WindowNetwork
from .pyramid import detect, zooms
from .scoring import score_map

MIN_SCORE = 0.3
PER_PASS = 6
# Scales that give more pixels are skipped, since they would take most of the time.
MAX_PIXELS = 260_000


def mine(network: WindowNetwork, data: Path, seed: int, number: int, passes: int) -> np.ndarray:
    """Windows uint8 [n, 50, 102, 3] that score at least MIN_SCORE, at most PER_PASS a pass; a pass is one picture at one
    scale, both drawn at random. `number` counts the minings of a run."""
    rng = random.Random(seed * 101 + number)
    photos = [*pictures(data, "negatives", held_out=False) * 3, *pictures(data, "everyday", held_out=False), *training_pictures(data)]
    windows = []
    for _ in tqdm(range(passes), desc=f"mining {number + 1}", unit="pass", mininterval=10):
        picture = Image.open(rng.choice(photos)).convert("RGB")
        fitting = [zoom for zoom in zooms(*picture.size) if picture.width * picture.height / zoom**2 < MAX_PIXELS]
        zoom = rng.choice(fitting)
        for candidate in detect(picture, lambda pixels: score_map(network, pixels), MIN_SCORE, [zoom])[:PER_PASS]:
            windows.append(cut(picture, candidate.core))
    return np.stack(windows) if windows else np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
