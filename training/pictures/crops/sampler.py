"""Crops of logos and of other things, drawn on the fly: windows of 102 x 50 whose core is the talk's 75 x 22.

Logos are cut from synthetic scenes, slightly off their fitted place, as a sliding window shows them. Negatives come
in categories, so that a batch can hold each: the name in plain type, other wordmarks, a logo that is half in the core, a
logo at the wrong scale, other places of a scene, and windows of photos and screenshots without the brand.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..flickrlogos import training_pictures
from ..hold_outs import pictures
from ..scenes import backgrounds, distortions, text
from ..scenes.scene import Box, SceneMaker
from .window import (
    CORE_HEIGHT,
    CORE_WIDTH,
    HEIGHT,
    RESAMPLING,
    WIDTH,
    Core,
    cut,
    fitted,
    overlap,
)

LOGO = "logo"
CATEGORIES = (LOGO, "shifted", "scale", "elsewhere", "text", "wordmark", "photo")
# A window shows a logo if it is at most this far from the fitted place: pixels of the window, and the ratio of scales.
MAX_SHIFT = (3.0, 2.6)
MAX_ZOOM = 1.17
# A window whose core has a lower IoU with the fitted one shows no logo. In between nothing is drawn.
MAX_NEGATIVE_IOU = 0.28
# A logo that differs from its surroundings by less than this, of 255 in every channel, is invisible.
MIN_CONTRAST = 16


@dataclass(frozen=True)
class Crop:
    """A window, uint8 [50, 102, 3], and its category."""

    pixels: np.ndarray
    category: str

    @property
    def label(self) -> int:
        """1 for a logo, else 0."""
        return int(self.category == LOGO)


def jittered(core: Core, rng: random.Random, share: float = 1.0) -> Core:
    """A core at most `share` of the tolerated distance away from another."""
    zoom = core.zoom * MAX_ZOOM ** rng.uniform(-share, share)
    across, down = (rng.uniform(-most, most) * share * zoom for most in MAX_SHIFT)
    return Core(core.x + across, core.y + down, zoom)


def random_core(size: tuple[int, int], rng: random.Random, zooms: tuple[float, float] = (0.5, 6.0)) -> Core:
    """A core anywhere in a picture of `size`; the scale is drawn evenly on a logarithmic scale."""
    largest = max(zooms[0] * 1.1, min(zooms[1], size[0] / CORE_WIDTH, size[1] / CORE_HEIGHT))
    zoom = math.exp(rng.uniform(math.log(zooms[0]), math.log(largest)))
    half_width, half_height = CORE_WIDTH * zoom / 2, CORE_HEIGHT * zoom / 2
    return Core(
        rng.uniform(min(half_width, size[0] / 2), max(size[0] - half_width, size[0] / 2)),
        rng.uniform(min(half_height, size[1] / 2), max(size[1] - half_height, size[1] / 2)),
        zoom,
    )


def windows_without(
    picture: Image.Image, taken: list[Core], rng: random.Random, count: int, busy: float = 0.6
) -> list[np.ndarray]:
    """Windows that show none of the cores `taken`; fewer than `count` where there is little room. A share `busy` of them
    is the one with most contrast of three, since most of a picture is plain sky or wall."""
    found = []
    for _ in range(count):
        candidates = []
        for _ in range(3 if rng.random() < busy else 1):
            core = random_core(picture.size, rng)
            if all(overlap(core, other) < MAX_NEGATIVE_IOU * 0.7 for other in taken):
                candidates.append(cut(picture, core, rng.choice(RESAMPLING)))
        if candidates:
            found.append(max(candidates, key=lambda pixels: float(pixels[14:36, 13:88].std())))
    return found


def visible(picture: np.ndarray, box: Box) -> bool:
    """Whether a box shows any contrast: scenes also set ink onto surfaces of about its own colour, where noise and JPEG
    leave nothing of it."""
    part = picture[int(box.y1) : int(box.y2) + 1, int(box.x1) : int(box.x2) + 1]
    smooth = cv2.GaussianBlur(part, (0, 0), max(0.8, (box.y2 - box.y1) / 16)).reshape(-1, 3)
    low, high = np.percentile(smooth, (5, 95), axis=0)
    return float((high - low).max()) >= MIN_CONTRAST


class CropSampler:
    """Draws crops for training. No held-out picture is read (`hold_outs`)."""

    def __init__(self, data: Path) -> None:
        """`data`: the folder with everyday/, negatives/, artwork/ and flickrlogos27/ (the last is optional)."""
        self.scenes = SceneMaker(data)
        self.artwork = self.scenes.artwork
        self.background = self.scenes.photos
        screenshots = pictures(data, "negatives", held_out=False)
        # Photos and screenshots near to the subject count three times, since they are few.
        self.photos = [*screenshots * 3, *pictures(data, "everyday", held_out=False), *training_pictures(data)]

    def draw(self, rng: random.Random) -> list[Crop]:
        """About thirty crops of all categories."""
        crops = self.from_scene(rng) + self.from_scene(rng) + self.from_scene(rng)
        crops += [self.text(rng) for _ in range(4)]
        crops += [self.wordmark(rng) for _ in range(3)]
        return crops + self.from_photo(rng, 6)

    def from_scene(self, rng: random.Random) -> list[Crop]:
        """Of every logo in a scene: two crops of it, one half in the core, one at a wrong scale; and other places of the scene."""
        width = rng.randint(150, 380)
        size = (width, max(90, int(width * rng.uniform(0.45, 1.0))))
        scene = self.scenes.make(rng, size, (28, min(300, size[0])))
        picture = Image.fromarray(scene.picture)
        cores = [fitted(box.x1, box.y1, box.x2, box.y2) for box in scene.boxes]
        crops = []
        for box, core in zip(scene.boxes, cores, strict=True):
            if not visible(scene.picture, box):
                continue
            for _ in range(2):
                crops.append(Crop(cut(picture, jittered(core, rng), rng.choice(RESAMPLING)), LOGO))
            for category, other in (("shifted", _shifted(core, rng)), ("scale", _rescaled(core, rng))):
                if other and all(overlap(other, each) < MAX_NEGATIVE_IOU for each in cores):
                    crops.append(Crop(cut(picture, other, rng.choice(RESAMPLING)), category))
        crops += [Crop(pixels, "elsewhere") for pixels in windows_without(picture, cores, rng, 3)]
        return crops

    def from_photo(self, rng: random.Random, count: int) -> list[Crop]:
        """Windows of one photo or screenshot without the brand."""
        picture = Image.open(rng.choice(self.photos)).convert("RGB")
        return [Crop(pixels, "photo") for pixels in windows_without(picture, [], rng, count)]

    def text(self, rng: random.Random) -> Crop:
        """The brand's name, or a word like it, in plain type where a logo would be."""
        zoom, canvas = self._canvas(rng)
        words = rng.choice(text.NAME) if rng.random() < 0.7 else rng.choice(text.NEAR)
        letters = text.mask(words, rng, max(7, int(CORE_HEIGHT * zoom * rng.uniform(0.35, 1.0))))
        core = self._centre(canvas)
        if letters.shape[1] > CORE_WIDTH * zoom * 1.1:
            short = CORE_WIDTH * zoom * rng.uniform(0.8, 1.1) / letters.shape[1]
            letters = cv2.resize(letters, None, fx=short, fy=short, interpolation=cv2.INTER_AREA)
        x, y = int(core.x - letters.shape[1] / 2), int(core.y - letters.shape[0] / 2)
        middle = canvas[max(y, 0) : y + letters.shape[0], max(x, 0) : x + letters.shape[1]]
        ink = backgrounds.contrasting(rng, tuple(int(v) for v in middle.mean((0, 1))))
        backgrounds.put(canvas, letters, x, y, ink)
        return self._finished(canvas, zoom, rng, "text")

    def wordmark(self, rng: random.Random) -> Crop:
        """Some other logo where one of the brand would be; wide ones are taken first."""
        zoom, canvas = self._canvas(rng)
        logo = self.artwork.other(rng)
        for _ in range(3):
            if logo.shape[1] < 2 * logo.shape[0]:
                logo = self.artwork.other(rng)
        core = self._centre(canvas)
        room = min(CORE_WIDTH * zoom / logo.shape[1], CORE_HEIGHT * zoom / logo.shape[0])
        side = max(6, int(max(logo.shape[:2]) * room * rng.uniform(0.8, 1.1)))
        left, top, right, bottom = (int(v) for v in core.rectangle())
        part = canvas[top:bottom, left:right]
        backgrounds.paste_logo(part, logo, rng, side)
        return self._finished(canvas, zoom, rng, "wordmark")

    def _canvas(self, rng: random.Random) -> tuple[float, np.ndarray]:
        """A background slightly larger than a window at its own scale, and the pixels that one of the window takes."""
        zoom = math.exp(rng.uniform(math.log(0.6), math.log(3.0)))
        size = (int(WIDTH * zoom * 1.15), int(HEIGHT * zoom * 1.3))
        chance = rng.random()
        if chance < 0.35:
            canvas = self.background.crop(rng, size).copy()
        elif chance < 0.6:
            canvas = backgrounds.screen(rng, size, self.artwork)
        else:
            base = backgrounds.colour(rng)
            canvas = backgrounds.gradient(size, base, base if rng.random() < 0.5 else backgrounds.colour(rng), rng)
        return zoom, canvas

    @staticmethod
    def _centre(canvas: np.ndarray) -> Core:
        return Core(canvas.shape[1] / 2, canvas.shape[0] / 2, canvas.shape[1] / 1.15 / WIDTH)

    def _finished(self, canvas: np.ndarray, zoom: float, rng: random.Random, category: str) -> Crop:
        canvas = distortions.as_captured(canvas, rng) if rng.random() < 0.6 else distortions.as_photographed(canvas, rng)
        core = jittered(self._centre(canvas), rng)
        return Crop(cut(Image.fromarray(canvas), core, rng.choice(RESAMPLING)), category)


def _shifted(core: Core, rng: random.Random) -> Core | None:
    """A core that shows about half of what another holds, beside, above or below it."""
    for _ in range(8):
        across = rng.choice((-1, 1)) * rng.uniform(0.35, 0.9) * CORE_WIDTH * core.zoom if rng.random() < 0.75 else 0.0
        down = rng.choice((-1, 1)) * rng.uniform(0.2, 0.9) * CORE_HEIGHT * core.zoom
        other = Core(core.x + across, core.y + down * (across == 0 or rng.random() < 0.5), core.zoom * rng.uniform(0.8, 1.25))
        if 0.02 < overlap(core, other) < MAX_NEGATIVE_IOU:
            return other
    return None


def _rescaled(core: Core, rng: random.Random) -> Core:
    """A core at the wrong scale: a few letters fill it, or the logo is small in it."""
    ratio = rng.uniform(1.9, 3.6)
    zoom = core.zoom * ratio if rng.random() < 0.5 else core.zoom / ratio
    reach = abs(core.zoom - zoom) / 2 * 0.9
    return Core(core.x + rng.uniform(-reach, reach) * CORE_WIDTH, core.y + rng.uniform(-reach, reach) * CORE_HEIGHT * 0.5, zoom)
