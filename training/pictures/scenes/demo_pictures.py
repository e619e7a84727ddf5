"""Draws the pictures of the demo's posts: `python -m training.pictures.scenes.demo_pictures --data DIR --out demo/data/pictures`."""

import argparse
import random
from pathlib import Path

import cv2
import numpy as np

from . import backgrounds
from .scene import SceneMaker

SIZE = (480, 360)
# Below this standard deviation of its pixels a wordmark is hard to see.
MIN_CONTRAST = 60
# The width of the wordmark in each picture, or none.
PICTURES = {"door": 300.0, "rack": 220.0, "stickers": 260.0, "whiteboard": 240.0, "page": None, "shoes": None}


def main() -> None:
    """Draws them: plain posters, some with a wordmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with everyday/, negatives/ and artwork/")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    maker = SceneMaker(arguments.data)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number, (name, wide) in enumerate(PICTURES.items()):
        rng = random.Random(f"{name} {number}")
        picture = poster(maker, rng, wide)
        path = arguments.out / f"{name}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, 85]
        if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality):
            parser.error(f"{path} can't be written")


def poster(maker: SceneMaker, rng: random.Random, wide: float | None) -> np.ndarray:
    """A plain background, with a wordmark of this width or none."""
    while True:
        base = backgrounds.colour(rng)
        canvas = backgrounds.gradient(SIZE, base, backgrounds.colour(rng), rng)
        if wide is None:
            return canvas
        box = maker.place_wordmark(canvas, rng, wide, flat=True, taken=[])
        if box and box.x1 > 8 and box.y1 > 8 and box.x2 < SIZE[0] - 8 and box.y2 < SIZE[1] - 8:
            if canvas[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)].std() > MIN_CONTRAST:
                return canvas


if __name__ == "__main__":
    main()
