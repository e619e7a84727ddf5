"""Reading and writing image files as RGB arrays (height, width, 3; uint8)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def read_rgb(path: Path) -> np.ndarray:
    """Decodes a picture."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} can't be decoded")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def upright_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture as `read_rgb` gives it, turned as its EXIF tag says."""
    with Image.open(path) as picture:
        width, height = picture.size
        turned = picture.getexif().get(0x0112, 1) >= 5
    return (height, width) if turned else (width, height)


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Writes a small PNG."""
    Image.fromarray(pixels).save(path, optimize=True)


def contact_sheet(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size in rows of `columns`, the last row filled up with white."""
    blank = np.full_like(pictures[0], 255)
    tiles = [*pictures, *[blank] * (-len(pictures) % columns)]
    return np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])
