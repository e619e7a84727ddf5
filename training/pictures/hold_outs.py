"""Which pictures train and which are held out for evaluation.

`negatives/` and `everyday/` serve both purposes. They are split by the hash of the file's name, so that the split is the
same on every machine: one half of `negatives/` and one fifth of `everyday/` are held out. A held-out picture never trains:
not as a background, not as a negative, and not in the calibration of an 8-bit model. `vmware/` and the validation part of
`flickrlogos27/` never train at all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from .data_files import MissingData, pictures_in

# Held out are files whose hash starts with a byte below this.
HELD_OUT_OF_256 = {"negatives": 128, "everyday": 51}


def is_held_out(path: Path) -> bool:
    """Whether a picture of `negatives/` or `everyday/` is held out."""
    first_byte = hashlib.sha256(path.name.encode()).digest()[0]
    return first_byte < HELD_OUT_OF_256[path.parent.name]


def pictures(data: Path, folder: str, *, held_out: bool) -> list[Path]:
    """The pictures of `negatives/` or `everyday/` on one side of the split, sorted."""
    chosen = [path for path in pictures_in(data / folder) if is_held_out(path) == held_out]
    if not chosen:
        side = "held out from" if held_out else "left for"
        raise MissingData(f"none of the pictures in {data / folder} is {side} training; more of them are needed")
    return chosen
