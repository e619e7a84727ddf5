"""Logos from SVG files: rendered once, kept as alpha masks or colour pictures."""

from __future__ import annotations

import functools
import io
import random
from pathlib import Path

import cairosvg
import numpy as np
from PIL import Image

# Artwork of brands that the detector knows, and of their products: no distractors.
KNOWN = ("vmware", "google", "apple", "intel", "yahoo", "nbc", "ford", "mini")
WORDMARK = "vmware.svg"
REGISTERED = "member-vmware.svg"
RENDERED_WIDTH = 1000


class Artwork:
    """A folder of SVG files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = sorted(path.name for path in folder.glob("*.svg"))
        missing = {WORDMARK, REGISTERED} - set(self.names)
        if missing:
            raise FileNotFoundError(f"{folder} lacks {', '.join(sorted(missing))}")
        self.others = [name for name in self.names if not any(brand in name for brand in KNOWN)]

    @functools.lru_cache(maxsize=2)  # noqa: B019 -- one artwork lives as long as the program
    def wordmark(self, registered: bool) -> np.ndarray:
        """VMware's wordmark as an alpha mask (uint8), cut to its ink; with the sign of registration or without."""
        if not registered:
            return _cut(render(self.folder / WORDMARK, RENDERED_WIDTH)[..., 3])
        alpha = render(self.folder / REGISTERED, RENDERED_WIDTH)[..., 3]
        # Below the wordmark stands "by Broadcom", with a gap of empty rows between.
        rows = np.flatnonzero(alpha.any(axis=1))
        gap = rows[np.flatnonzero(np.diff(rows) > 1)[0]]
        return _cut(alpha[: gap + 1])

    def other(self, rng: random.Random) -> np.ndarray:
        """Some other logo in its colours, RGBA, cut to its ink."""
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


def _cut(alpha: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    return np.ascontiguousarray(alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
