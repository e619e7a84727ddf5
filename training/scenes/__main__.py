"""Draws a sheet of scenes with their boxes, to look at: python -m training.scenes --data DIR --out sheet.png"""

import argparse
import random
from pathlib import Path

import cv2
import numpy as np

from .scene import SceneMaker


def main() -> None:
    """Draws it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with everyday/, negatives/ and artwork/")
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--rows", type=int, default=4)
    arguments = parser.parse_args()
    maker, rng = SceneMaker(arguments.data), random.Random(arguments.seed)
    rows = []
    for _ in range(arguments.rows):
        row = []
        for _ in range(arguments.columns):
            scene = maker.make(rng, (384, 384))
            picture = scene.picture.copy()
            for box in scene.boxes:
                cv2.rectangle(picture, (int(box.x1), int(box.y1)), (int(box.x2), int(box.y2)), (255, 0, 0), 1)
            row.append(picture)
        rows.append(np.hstack(row))
    if not cv2.imwrite(str(arguments.out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)):
        parser.error(f"{arguments.out} can't be written")


if __name__ == "__main__":
    main()
