"""Scenes: a background, logos set onto it, and the boxes that they cover."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from . import backgrounds, distortions, text
from .artwork import Artwork
from .brands import DRAWN

# How much of a hidden wordmark's width stays visible at least.
MIN_VISIBLE = 0.6
# Letters that differ less from their background, of 256 steps, are illegible.
MIN_CONTRAST = 26
# Annotators leave room above and below a wordmark, as a share of its height: with boxes as tight as the ink, a third of
# those found in validation photos had an IoU below 0.5 with the labelled ones.
MARGIN = 0.15


@dataclass(frozen=True)
class Box:
    """A logo's place in a scene, in pixels; x2 and y2 are past its last pixel."""

    brand: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Scene:
    """A picture (height, width, RGB; uint8) and every logo of a known brand in it."""

    picture: np.ndarray
    boxes: tuple[Box, ...]


class SceneMaker:
    """Draws scenes of the brands in `DRAWN`."""

    def __init__(self, data: Path) -> None:
        self.artwork = Artwork(data / "artwork")
        self.photos = backgrounds.Photos(data)

    def make(self, rng: random.Random, size: tuple[int, int], widths: tuple[float, float] = (28, 320)) -> Scene:
        """A scene of `size` (width, height) with up to four wordmarks, or with none in one of six.

        The widths of wordmarks in pixels are drawn evenly on a logarithmic scale.
        """
        on_screen = rng.random() < 0.55
        canvas = backgrounds.screen(rng, size, self.artwork) if on_screen else self._photo(rng, size)
        boxes: list[Box] = []
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._decoy(canvas, rng, widths, flat=on_screen)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 4))):
            longest = min(widths[1], size[0] * 1.0)
            wide = math.exp(rng.uniform(math.log(widths[0]), math.log(max(widths[0] + 1, longest))))
            box = self.place_wordmark(canvas, rng, wide, flat=on_screen and rng.random() < 0.9, taken=boxes)
            if box:
                boxes.append(box)
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._plain_text(canvas, rng, boxes)
        canvas = distortions.as_captured(canvas, rng) if on_screen else distortions.as_photographed(canvas, rng)
        return Scene(canvas, tuple(boxes))

    def _photo(self, rng: random.Random, size: tuple[int, int]) -> np.ndarray:
        canvas = self.photos.crop(rng, size)
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            backgrounds.paste_logo(canvas, self.artwork.other(rng), rng, rng.randint(20, min(size) // 2))
        return canvas

    def place_wordmark(
        self, canvas: np.ndarray, rng: random.Random, wide: float, *, flat: bool, taken: list[Box]
    ) -> Box | None:
        """Sets one wordmark onto the canvas; gives its box, or None where there is no room."""
        brand = rng.choice(tuple(DRAWN))
        mark = self.artwork.mark(brand, rng)
        seen = self._painted(canvas, rng, mark, wide, flat=flat, taken=taken)
        if seen is None:
            return None
        box = _bounds(seen)
        if not flat and rng.random() < 0.2:
            box = _hide(canvas, rng, seen, box)
        return Box(brand, *_with_margin(box, canvas.shape[0]))

    def _decoy(self, canvas: np.ndarray, rng: random.Random, widths: tuple[float, float], *, flat: bool) -> None:
        """Sets other words, or another logo, onto the canvas exactly as a wordmark is set: a hard negative."""
        if rng.random() < 0.6:
            letters = text.mask(text.phrase(rng), rng, 120)
            mark = np.concatenate((np.zeros((*letters.shape, 3), np.uint8), letters[..., None]), 2)
        else:
            mark = self.artwork.other(rng)
        wide = math.exp(rng.uniform(math.log(widths[0]), math.log(min(widths[1], canvas.shape[1] * 0.7))))
        self._painted(canvas, rng, mark, wide, flat=flat, taken=[])

    def _painted(
        self, canvas: np.ndarray, rng: random.Random, mark: np.ndarray, wide: float, *, flat: bool, taken: list[Box]
    ) -> np.ndarray | None:
        """Paints a mark onto the canvas; gives how much of its ink shows at each pixel (uint8), or None where there is no
        room or it would be illegible."""
        on_plate = rng.random() < (0.25 if flat else 0.5)
        patch, ink = self._patch(mark, rng, on_plate=on_plate)
        height, width = canvas.shape[:2]
        place = _placing(ink, patch.shape, rng, (width, height), wide, flat=flat)
        seen = cv2.warpPerspective(ink, place, (width, height), flags=cv2.INTER_AREA)
        box = _bounds(seen)
        full = float(np.abs(np.linalg.det(place[:2, :2]))) * float((ink > 96).sum())
        if box is None or box[2] - box[0] < 16 or box[3] - box[1] < 4:
            return None
        if (seen > 96).sum() < 0.5 * full and not flat:
            return None
        cover = cv2.warpPerspective(patch, place, (width, height), flags=cv2.INTER_AREA).astype(np.float32)
        covered = _bounds(cover[..., 3]) or box
        if any(_overlap(covered, other) for other in taken):
            return None
        alpha = cover[..., 3:] / 255
        paint = cover[..., :3]
        if not flat:  # a print takes on the light of its surface
            shade = cv2.GaussianBlur(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), (0, 0), 9).astype(np.float32)
            paint = paint * (rng.uniform(0.55, 0.95) + rng.uniform(0.1, 0.5) * shade[..., None] / 255)
            alpha = alpha * rng.uniform(0.82, 1.0)
        painted = np.clip(canvas * (1 - alpha) + paint * alpha, 0, 255).astype(np.uint8)
        # The ink must differ from the plate, or without one from the background.
        ground = painted[(seen < 16) & (cover[..., 3] > 200)] if on_plate else canvas[seen > 96]
        letters = painted[seen > 96].astype(np.float32)
        if not len(ground) or not len(letters) or np.abs(letters.mean(0) - ground.astype(np.float32).mean(0)).mean() < MIN_CONTRAST:
            return None
        if not on_plate and np.abs(letters - canvas[seen > 96]).mean() < MIN_CONTRAST:
            return None
        canvas[:] = painted
        return seen

    def _patch(self, mark: np.ndarray, rng: random.Random, *, on_plate: bool) -> tuple[np.ndarray, np.ndarray]:
        """The wordmark with its plate, symbol and second line, as RGBA; and its own ink as a mask."""
        tall, wide = mark.shape[:2]
        margin = int(tall * rng.uniform(0.3, 1.6))
        below = int(tall * rng.uniform(0.8, 2.0)) if rng.random() < 0.35 else 0
        right = int(wide * rng.uniform(0.3, 0.9)) if rng.random() < 0.12 else 0
        # Wordmarks often follow a symbol, as this one did for years: three squares with round corners.
        left = int(tall * rng.uniform(1.6, 2.2)) if rng.random() < 0.2 else 0
        start = margin + left
        ink = np.zeros((tall + 2 * margin + below, wide + 2 * margin + left + right), np.uint8)
        ink[margin : margin + tall, start : start + wide] = mark[..., 3]
        plate = backgrounds.colour(rng)
        if rng.random() < 0.5:
            plate = rng.choice(((255, 255, 255), (0, 149, 211), (29, 66, 138), (113, 112, 116), (20, 20, 24), (120, 190, 32)))
        letters = backgrounds.contrasting(rng, plate)
        own_colours = rng.random() < 0.15
        if rng.random() < 0.55:
            dark = sum(plate) > 460
            letters = rng.choice(((113, 112, 116), (0, 0, 0), (60, 60, 66), (29, 66, 138))) if dark else (255, 255, 255)
        layer = np.zeros((*ink.shape, 4), np.uint8)
        if on_plate:
            layer[..., :3] = backgrounds.gradient(ink.shape[::-1], plate, tuple(int(c * rng.uniform(0.8, 1)) for c in plate), rng)
            layer[..., 3] = 255
        else:
            layer[..., :3] = letters
        colours = layer[..., :3].astype(np.float32)
        strength = ink[..., None].astype(np.float32) / 255
        paint = np.full((*ink.shape, 3), letters, np.float32)
        if own_colours:
            paint[margin : margin + tall, start : start + wide] = mark[..., :3]
        layer[..., :3] = (colours * (1 - strength) + paint * strength).astype(np.uint8)
        layer[..., 3] = np.maximum(layer[..., 3], ink)
        if left:
            squares = _squares(tall, rng)
            part = layer[margin : margin + tall, margin : margin + squares.shape[1]]
            share = squares[..., None].astype(np.float32) / 255
            part[..., :3] = (part[..., :3] * (1 - share) + np.float32(letters) * share).astype(np.uint8)
            part[..., 3] = np.maximum(part[..., 3], squares)
        for room, x, y in ((below, start, margin + tall + below // 6), (right, start + wide + right // 8, margin)):
            if room:
                line = text.mask(text.phrase(rng), rng, int(tall * rng.uniform(0.35, 0.9)))
                part = layer[y : y + line.shape[0], x : x + line.shape[1]]
                line = line[: part.shape[0], : part.shape[1]]
                share = line[..., None].astype(np.float32) / 255
                part[..., :3] = (part[..., :3] * (1 - share) + np.float32(letters) * share).astype(np.uint8)
                part[..., 3] = np.maximum(part[..., 3], line)
        if on_plate and rng.random() < 0.3:
            cv2.rectangle(layer, (0, 0), (layer.shape[1] - 1, layer.shape[0] - 1), (*backgrounds.colour(rng), 255), rng.randint(3, 12))
        return layer, ink

    def _plain_text(self, canvas: np.ndarray, rng: random.Random, boxes: list[Box]) -> None:
        """Sets the brand's name in plain type, which is no logo, where no box is."""
        words = text.mask(rng.choice(text.NAME + text.NEAR), rng, int(math.exp(rng.uniform(math.log(9), math.log(70)))))
        if words.shape[1] > canvas.shape[1] or words.shape[0] > canvas.shape[0]:
            return
        x, y = rng.randint(0, canvas.shape[1] - words.shape[1]), rng.randint(0, canvas.shape[0] - words.shape[0])
        box = (x, y, x + words.shape[1], y + words.shape[0])
        if any(_overlap(box, other) for other in boxes):
            return
        under = tuple(int(v) for v in canvas[y : box[3], x : box[2]].mean((0, 1)))
        backgrounds.put(canvas, words, x, y, backgrounds.contrasting(rng, under))


def _placing(
    ink: np.ndarray, shape: tuple[int, ...], rng: random.Random, size: tuple[int, int], wide: float, *, flat: bool
) -> np.ndarray:
    """The homography that puts a patch onto the canvas, its wordmark about `wide` pixels wide."""
    tall, across = shape[:2]
    columns = np.flatnonzero(ink.any(0))
    scale = wide / (columns[-1] - columns[0] + 1)
    corners = np.float32([[0, 0], [across, 0], [across, tall], [0, tall]])
    centred = (corners - (across / 2, tall / 2)) * scale
    if not flat:
        stretch = rng.uniform(0.7, 1.0)
        centred[:, 0] *= stretch
        angle = rng.gauss(0, 7) if rng.random() < 0.72 else rng.uniform(-60, 60)
        turn = math.radians(angle)
        spin = np.float32([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        centred = centred @ spin
        tilt = wide * 0.1
        centred += np.float32([[rng.uniform(-tilt, tilt), rng.uniform(-tilt / 2, tilt / 2)] for _ in range(4)])
    elif rng.random() < 0.3:
        centred[:, 0] *= rng.uniform(0.8, 1.2)
    low, high = centred.min(0), centred.max(0)
    where = [
        rng.uniform(-low[axis], size[axis] - high[axis]) if high[axis] - low[axis] < size[axis] else size[axis] / 2
        for axis in (0, 1)
    ]
    return cv2.getPerspectiveTransform(corners, (centred + np.float32(where)).astype(np.float32))


def _squares(tall: int, rng: random.Random) -> np.ndarray:
    """Three outlined squares with round corners that overlap, as a mask (uint8) of this height."""
    side, line = int(tall * 0.62), max(2, int(tall * rng.uniform(0.05, 0.09)))
    mask = Image.new("L", (int(tall * 1.15), tall))
    room_x, room_y = mask.width - side - 1, tall - side - 1
    for x, y in ((0, 0), (room_x // 2, room_y), (room_x, room_y // 2)):
        ImageDraw.Draw(mask).rounded_rectangle((x, y, x + side, y + side), side // 5, outline=255, width=line)
    return np.asarray(mask)


def _with_margin(box: tuple[float, float, float, float], height: int) -> tuple[float, float, float, float]:
    """A box as annotators draw it, in a picture of this height. A rotated wordmark fills its box anyway."""
    x1, y1, x2, y2 = box
    room = MARGIN * min(y2 - y1, (x2 - x1) / 4)
    return (x1, max(0.0, y1 - room), x2, min(float(height), y2 + room))


def _bounds(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    ink = mask > 80
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        return None
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _overlap(box: tuple[float, ...], other: Box) -> bool:
    return box[0] < other.x2 and other.x1 < box[2] and box[1] < other.y2 and other.y1 < box[3]


def _hide(
    canvas: np.ndarray, rng: random.Random, seen: np.ndarray, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Hides one end of the wordmark, as a person, a hand or a frame does. The box is the visible part."""
    x1, y1, x2, y2 = (int(v) for v in box)
    cut = int((x2 - x1) * rng.uniform(0.05, 1 - MIN_VISIBLE))
    left = rng.random() < 0.5
    start, end = (x1 - 2, x1 + cut) if left else (x2 - cut, x2 + 2)
    top, bottom = max(0, y1 - (y2 - y1)), min(canvas.shape[0], y2 + (y2 - y1))
    start, end = max(0, start), min(canvas.shape[1], end)
    patch = canvas[top:bottom, start:end]
    if not patch.size:
        return box
    patch[:] = cv2.GaussianBlur(np.full_like(patch, backgrounds.colour(rng)), (0, 0), 2)
    rest = seen.copy()
    rest[:, start:end] = 0
    return _bounds(rest) or box
