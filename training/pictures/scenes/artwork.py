"""Logos rendered from SVG files, each once."""

from __future__ import annotations

import functools
import io
import random
from pathlib import Path

import cairosvg
import numpy as np
from PIL import Image

from ..data_files import MissingData
from .brands import DRAWN, KNOWN, Drawing

RENDERED_WIDTH = 1000


class Artwork:
    """A folder of SVG files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = sorted(path.name for path in folder.glob("*.svg"))
        missing = {drawing.file for drawings in DRAWN.values() for drawing in drawings} - set(self.names)
        if missing:
            raise MissingData(f"there is no {', '.join(sorted(missing))} in {folder}")
        known = (*KNOWN, *DRAWN)
        self.others = [name for name in self.names if not any(brand in name for brand in known)]

    def mark(self, brand: str, rng: random.Random) -> np.ndarray:
        """A brand's logo in its colours (RGBA, uint8), cut to its ink."""
        drawings = DRAWN[brand]
        return self.drawing(rng.choices(drawings, [drawing.share for drawing in drawings])[0])

    @functools.lru_cache(maxsize=64)
    def drawing(self, drawing: Drawing) -> np.ndarray:
        """One file's logo in its colours (RGBA, uint8), cut to its ink."""
        picture = render(self.folder / drawing.file, RENDERED_WIDTH)
        if drawing.upper_part:
            rows = np.flatnonzero(picture[..., 3].any(axis=1))
            gaps = np.flatnonzero(np.diff(rows) > 1)
            if len(gaps):
                picture = picture[: rows[gaps[0]] + 1]
        return _cut(picture)

    def other(self, rng: random.Random) -> np.ndarray:
        """Some other brand's logo in its colours (RGBA, uint8), cut to its ink."""
        for _ in range(8):
            picture = self._other(rng.choice(self.others))
            if picture is not None:
                return picture
        raise ValueError(f"none of eight files in {self.folder} could be rendered")

    @functools.lru_cache(maxsize=600)  # noqa: B019
    def _other(self, name: str) -> np.ndarray | None:
        try:
            picture = render(self.folder / name, 240)
        except (ValueError, OSError, KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError):
            return None
        ink = picture[..., 3] > 16
        if ink.sum() < 60:
            return None
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def render(path: Path, width: int) -> np.ndarray:
    """An SVG file as RGBA (uint8) of this width."""
    png = cairosvg.svg2png(url=str(path), output_width=width)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _cut(picture: np.ndarray) -> np.ndarray:
    ink = picture[..., 3] > 0
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return np.ascontiguousarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
