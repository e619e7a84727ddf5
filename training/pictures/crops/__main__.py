"""Writes crops of logos and of other things as PNG files: `python -m training.pictures.crops --data DIR --out DIR`.

From an imglab file (`--imglab`): every box of the label that isn't marked ignore, fitted exactly and `--jittered` times
slightly off, and as many windows away from boxes. Without one: `--count` crops from synthetic scenes and photos. The files
are in `logo/` and `other/`; `--core` writes the talk's 75 x 22 alone, without the context around it.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..imglab import ImglabError, read_imglab
from .sampler import LOGO, Crop, CropSampler, jittered, windows_without
from .window import CORE_HEIGHT, CORE_WIDTH, CORE_X, CORE_Y, cut, fitted


def main() -> None:
    """Writes them and prints how many there are of each category."""
    parser = argparse.ArgumentParser(prog="python -m training.pictures.crops", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with everyday/, negatives/ and artwork/; not needed with --imglab")
    parser.add_argument("--imglab", type=Path, help="imglab XML; its pictures lie beside it")
    parser.add_argument("--label", default="vmware", help="the label of boxes that are logos")
    parser.add_argument("--jittered", type=int, default=2, help="windows a box beside the exact one")
    parser.add_argument("--count", type=int, default=2000, help="crops to draw from scenes and photos")
    parser.add_argument("--core", action="store_true", help="write the talk's 75 x 22 instead of the window of 102 x 50")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    try:
        if arguments.imglab:
            crops = from_imglab(arguments.imglab, arguments.label, arguments.jittered, rng)
        elif arguments.data:
            crops = from_scenes(arguments.data, arguments.count, rng)
        else:
            parser.error("give --data or --imglab")
        counts = written(crops, arguments.out, core=arguments.core)
    except (ImglabError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(", ".join(f"{category}: {count}" for category, count in sorted(counts.items())) or "no crops")


def from_imglab(path: Path, label: str, off: int, rng: random.Random) -> Iterator[Crop]:
    """Crops of a labelled set. Boxes that the reader clipped or dropped are printed to standard error."""
    dataset = read_imglab(path)
    for report in dataset.reports:
        print(report, file=sys.stderr)
    for picture in dataset.pictures:
        pixels = Image.open(picture.path).convert("RGB")
        cores = [fitted(box.left, box.top, box.right, box.bottom) for box in picture.boxes]
        count = 0
        for box, core in zip(picture.boxes, cores, strict=True):
            if box.ignore or box.label != label:
                continue
            for place in (core, *(jittered(core, rng) for _ in range(off))):
                count += 1
                yield Crop(cut(pixels, place), LOGO)
        for window in windows_without(pixels, cores, rng, max(1, count)):
            yield Crop(window, "photo")


def from_scenes(data: Path, count: int, rng: random.Random) -> Iterator[Crop]:
    """`count` crops as training draws them."""
    sampler = CropSampler(data)
    while count > 0:
        drawn = sampler.draw(rng)[:count]
        count -= len(drawn)
        yield from drawn


def written(crops: Iterator[Crop], out: Path, *, core: bool) -> dict[str, int]:
    """Writes crops as PNG and counts them by category."""
    counts: dict[str, int] = {}
    for crop in crops:
        number = counts[crop.category] = counts.get(crop.category, 0) + 1
        folder = out / (LOGO if crop.label else "other")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = crop.pixels
        if core:
            pixels = np.ascontiguousarray(pixels[CORE_Y : CORE_Y + CORE_HEIGHT, CORE_X : CORE_X + CORE_WIDTH])
        Image.fromarray(pixels).save(folder / f"{crop.category}-{number:06}.png")
    return counts


if __name__ == "__main__":
    main()
