"""A small data folder of pictures that the tests draw themselves, in the form of the real one."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

LETTERS = {
    "v": "M0 20 L25 100 L50 20", "m": "M0 100 V20 H30 V100 M30 20 H60 V100", "w": "M0 20 L20 100 L40 40 L60 100 L80 20",
    "a": "M0 20 H50 V100 H0 V60 H50", "r": "M0 100 V20 H35", "e": "M50 100 H0 V20 H50 V60 H0",
}
SIZE = (240, 180)
# Names by folder: so many train and so many are held out, by the hash of the name.
TRAINING, HELD_OUT = 4, 2


def wordmark(second_line: bool) -> str:
    """An SVG file with six letters as strokes, and a bar below them."""
    x, paths = 10, []
    for letter, width in zip("vmware", (50, 60, 80, 50, 35, 50), strict=True):
        paths.append(f'<path transform="translate({x} 0)" d="{LETTERS[letter]}"/>')
        x += width + 30
    below = '<path d="M10 170 H400"/>' if second_line else ""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {x} {200 if second_line else 120}">'
            f'<g fill="none" stroke="#717074" stroke-width="14">{"".join(paths)}{below}</g></svg>')


def draw_photo(rng: random.Random):
    """A gradient with a few shapes and noise."""
    import cv2
    import numpy as np

    width, height = SIZE
    low, high = ([rng.randint(0, 255) for _ in range(3)] for _ in range(2))
    share = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    picture = np.repeat(np.float32(low) * (1 - share) + np.float32(high) * share, height, 0).astype(np.uint8)
    for _ in range(6):
        corner = (rng.randint(0, width), rng.randint(0, height))
        colour = [rng.randint(0, 255) for _ in range(3)]
        if rng.random() < 0.5:
            cv2.circle(picture, corner, rng.randint(5, 50), colour, -1)
        else:
            cv2.rectangle(picture, corner, (corner[0] + rng.randint(5, 90), corner[1] + rng.randint(5, 60)), colour, -1)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 6, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def picture_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder; every model can be trained on it in seconds, to no use."""
    import cv2

    from training.pictures.hold_outs import is_held_out
    from training.pictures.scenes.artwork import Artwork
    from training.pictures.scenes.backgrounds import put

    data, rng = tmp_path_factory.mktemp("pictures"), random.Random(7)
    artwork = data / "artwork"
    artwork.mkdir()
    (artwork / "vmware.svg").write_text(wordmark(second_line=False))
    (artwork / "member-vmware.svg").write_text(wordmark(second_line=True))
    for name, shape in (("ring", '<circle cx="50" cy="50" r="40"/>'), ("bars", '<path d="M10 10 H90 V40 H10 Z M10 60 H90 V90 H10 Z"/>'),
                        ("kite", '<path d="M50 5 L95 50 L50 95 L5 50 Z"/>')):
        (artwork / f"{name}.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="#c03020">{shape}</svg>')
    for folder in ("everyday", "negatives"):
        (data / folder).mkdir()
        missing, number = {False: TRAINING, True: HELD_OUT}, 0
        while any(missing.values()):
            path, number = data / folder / f"{folder}_{number:03}.jpg", number + 1
            if missing[is_held_out(path)]:
                missing[is_held_out(path)] -= 1
                cv2.imwrite(str(path), draw_photo(rng))
    images = data / "flickrlogos27" / "images"
    images.mkdir(parents=True)
    for split, brands in (("train", ("Adidas", "HP", "Nike", "RedBull")), ("val", ("Adidas", "HP"))):
        rows = []
        for brand in brands:
            picture, x, y = draw_photo(rng), rng.randint(10, 100), rng.randint(10, 60)
            cv2.rectangle(picture, (x, y), (x + 100, y + 50), (250, 250, 250), -1)
            cv2.putText(picture, brand, (x + 6, y + 34), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 160), 2)
            cv2.imwrite(str(images / f"{split}-{brand}.jpg"), picture)
            rows.append([f"{split}-{brand}.jpg", brand, x, y, x + 100, y + 50])
        with (data / "flickrlogos27" / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["file", "brand", "x1", "y1", "x2", "y2"], *rows])
    images = data / "vmware" / "images"
    images.mkdir(parents=True)
    boxes, mark = [], Artwork(artwork).mark("vmware", rng)[..., 3]
    for kind, width in (("photo", 100), ("screen", 140)):
        picture, height = draw_photo(rng), round(width * mark.shape[0] / mark.shape[1])
        put(picture, cv2.resize(mark, (width, height), interpolation=cv2.INTER_AREA), 40, 70, (255, 255, 255))
        cv2.imwrite(str(images / f"{kind}_000.jpg"), picture)
        boxes.append(f"<image file='images/{kind}_000.jpg'><box top='70' left='40' width='{width}' height='{height}'>"
                     "<label>vmware</label></box></image>")
    (data / "vmware" / "imglab.xml").write_text(f"<dataset><images>{''.join(boxes)}</images></dataset>")
    (data / "vmware" / "kinds.csv").write_text("file,kind\nphoto_000.jpg,photo\nscreen_000.jpg,screen\n")
    return data
