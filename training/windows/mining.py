"""False alarms on pictures that may train: what the network takes for a logo there is shown to it as none."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..logos.crops import flickr_training
from ..logos.window import cut
from ..scenes.splits import pictures
from .network import WindowNetwork
from .pyramid import alarms, zooms
from .trainer import dense_scores

LEAST = 0.3
EACH = 6
# Scales at which a picture would take longest are left to luck: at most this many pixels are looked at.
MOST_PIXELS = 260_000


def mined(network: WindowNetwork, data: Path, seed: int, number: int, passes: int) -> np.ndarray:
    """Windows uint8 [n, 50, 102, 3] that score at least LEAST, at most EACH a pass; a pass is one picture at one
    scale, drawn at random."""
    rng = random.Random(seed * 101 + number)
    photos = [*pictures(data, "negatives", aside=False) * 3, *pictures(data, "everyday", aside=False), *flickr_training(data)]
    windows = []
    for _ in tqdm(range(passes), desc=f"mining {number + 1}", unit="pass", mininterval=10):
        picture = Image.open(rng.choice(photos)).convert("RGB")
        fitting = [zoom for zoom in zooms(*picture.size) if picture.width * picture.height / zoom**2 < MOST_PIXELS]
        zoom = rng.choice(fitting)
        for found in alarms(picture, lambda pixels: dense_scores(network, pixels), LEAST, [zoom])[:EACH]:
            windows.append(cut(picture, found.core))
    return np.stack(windows) if windows else np.zeros((0, 50, 102, 3), np.uint8)
