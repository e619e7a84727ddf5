"""Draws a sheet of scenes with their boxes: `python -m training.pictures.scenes --data DIR --out sheet.png`."""

import argparse
import random
from pathlib import Path

import cv2

from ..image_files import contact_sheet, write_png
from .scene import SceneMaker


def main() -> None:
    """Draws the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with everyday/, negatives/ and artwork/")
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--rows", type=int, default=4)
    arguments = parser.parse_args()
    maker, rng = SceneMaker(arguments.data), random.Random(arguments.seed)
    pictures = []
    for _ in range(arguments.rows * arguments.columns):
        scene = maker.make(rng, (384, 384))
        picture = scene.picture.copy()
        for box in scene.boxes:
            cv2.rectangle(picture, (int(box.x1), int(box.y1)), (int(box.x2), int(box.y2)), (255, 0, 0), 1)
        pictures.append(picture)
    write_png(arguments.out, contact_sheet(pictures, arguments.columns))


if __name__ == "__main__":
    main()
