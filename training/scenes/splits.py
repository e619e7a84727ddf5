"""Which pictures train and which judge.

Two folders serve both purposes and are cut once, by the hash of a file's name, so that the cut is the same on every
machine: of `negatives/` one half is kept aside, of `everyday/` one in five. Nothing that is kept aside trains, be it
as a background, as a negative, or as calibration of an 8-bit model. `vmware/` and the validation files of
`flickrlogos27/` never train at all.
"""

import hashlib
from pathlib import Path

KEPT_OF_256 = {"negatives": 128, "everyday": 51}


def kept_aside(path: Path) -> bool:
    """Whether a picture of `negatives/` or `everyday/` is kept for judging."""
    first = hashlib.sha256(path.name.encode()).digest()[0]
    return first < KEPT_OF_256[path.parent.name]


def pictures(data: Path, folder: str, *, aside: bool) -> list[Path]:
    """The pictures of a folder on one side of the cut, in a fixed order."""
    found = sorted(path for path in (data / folder).iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = [path for path in found if kept_aside(path) == aside]
    if not chosen:
        raise FileNotFoundError(f"no pictures in {data / folder}; --data must hold {folder}/ with JPEG or PNG files")
    return chosen
