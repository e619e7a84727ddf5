"""Backgrounds that logos are set onto: photos, and drawn screens of programs, slides and posters."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np

from ..hold_outs import pictures
from ..image_files import read_rgb
from . import text
from .artwork import Artwork

Colour = tuple[int, int, int]


def colour(rng: random.Random) -> Colour:
    """A colour as designers choose them: white, grey, black, or some hue."""
    chance = rng.random()
    if chance < 0.2:
        return (255, 255, 255)
    if chance < 0.4:
        grey = rng.randint(0, 255)
        return (grey, grey, grey)
    hue, saturation, value = rng.randint(0, 179), rng.randint(60, 255), rng.randint(40, 255)
    if rng.random() < 0.4:  # blues, as in so many interfaces
        hue = rng.randint(95, 115)
    red, green, blue = cv2.cvtColor(np.uint8([[[hue, saturation, value]]]), cv2.COLOR_HSV2RGB)[0, 0]
    return (int(red), int(green), int(blue))


def contrasting(rng: random.Random, against: Colour, least: float = 60) -> Colour:
    """A colour that is legible on another."""
    def luminance(c: Colour) -> float:
        return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]

    for _ in range(6):
        found = colour(rng)
        if abs(luminance(found) - luminance(against)) > least:
            return found
    return (255, 255, 255) if luminance(against) < 128 else (20, 20, 20)


def put(canvas: np.ndarray, mask: np.ndarray, x: int, y: int, ink: Colour, opacity: float = 1.0) -> None:
    """Paints an alpha mask in one colour, cut off at the borders."""
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if x1 >= x2 or y1 >= y2:
        return
    alpha = mask[y1 - y : y2 - y, x1 - x : x2 - x, None].astype(np.float32) * (opacity / 255)
    part = canvas[y1:y2, x1:x2]
    part[:] = (part * (1 - alpha) + np.float32(ink) * alpha).astype(np.uint8)


def gradient(size: tuple[int, int], one: Colour, other: Colour, rng: random.Random) -> np.ndarray:
    """A gradient from one colour to another: vertical, horizontal or diagonal."""
    width, height = size
    across, down = rng.choice(((0, 1), (1, 0), (1, 1), (0, 0)))
    x, y = np.linspace(0, 1, width, dtype=np.float32)[None, :], np.linspace(0, 1, height, dtype=np.float32)[:, None]
    share = np.broadcast_to((x * across + y * down) / max(1, across + down), (height, width))[..., None]
    return (np.float32(one) * (1 - share) + np.float32(other) * share).astype(np.uint8)


class Photos:
    """Crops of the photos that may train."""

    def __init__(self, data: Path, folders: tuple[str, ...] = ("everyday", "negatives")) -> None:
        self.paths = [path for folder in folders for path in pictures(data, folder, held_out=False)]

    def crop(self, rng: random.Random, size: tuple[int, int]) -> np.ndarray:
        """A part of a photo, at least a third of it, stretched to `size` (width, height)."""
        picture = read_rgb(rng.choice(self.paths))
        height, width = picture.shape[:2]
        aspect = size[0] / size[1]
        widest = min(width, height * aspect)
        crop_width = widest * rng.uniform(0.35, 1)
        crop_height = crop_width / aspect
        x, y = rng.uniform(0, width - crop_width), rng.uniform(0, height - crop_height)
        part = picture[int(y) : int(y + crop_height) + 1, int(x) : int(x + crop_width) + 1]
        shrinks = part.shape[1] > size[0]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return part[:, ::-1].copy() if rng.random() < 0.5 else part


def screen(rng: random.Random, size: tuple[int, int], artwork: Artwork) -> np.ndarray:
    """A screen: a window with bars, panels, tables and text, or a slide or poster with few words."""
    width, height = size
    base = colour(rng)
    canvas = gradient(size, base, base if rng.random() < 0.5 else colour(rng), rng)
    slide = rng.random() < 0.35
    for _ in range(rng.randint(1, 4) if slide else rng.randint(3, 9)):  # panels and bars
        x, y = rng.randint(-20, width - 20), rng.randint(-20, height - 20)
        w, h = rng.randint(20, width), rng.randint(8, max(9, height // rng.choice((1, 3, 8))))
        fill = colour(rng)
        if rng.random() < 0.3:
            panel = gradient((w, h), fill, colour(rng), rng)
            region = canvas[max(y, 0) : max(y, 0) + h, max(x, 0) : max(x, 0) + w]
            region[:] = panel[: region.shape[0], : region.shape[1]]
        else:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), fill, -1)
        if rng.random() < 0.5:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), contrasting(rng, fill), 1)
    if rng.random() < 0.15:
        points = np.array([[rng.randint(-50, width + 50), rng.randint(-50, height + 50)] for _ in range(3)])
        cv2.fillPoly(canvas, [points], colour(rng))
    lines = rng.randint(2, 8) if slide else rng.randint(6, 26)
    for _ in range(lines):
        letters = text.mask(text.phrase(rng), rng, rng.randint(14, 48) if slide else rng.randint(8, 16))
        x, y = rng.randint(-10, max(1, width - 30)), rng.randint(0, max(1, height - 8))
        under = canvas[min(y + letters.shape[0] // 2, height - 1), min(max(x, 0) + 3, width - 1)]
        put(canvas, letters, x, y, contrasting(rng, tuple(int(v) for v in under)))
    for _ in range(rng.choice((0, 0, 1, 2, 4))):
        paste_logo(canvas, artwork.other(rng), rng, rng.randint(16, max(17, min(width, height) // 3)))
    return canvas


def paste_logo(canvas: np.ndarray, logo: np.ndarray, rng: random.Random, side: int) -> None:
    """Some other logo, in its own colours or in one, its longer side this long."""
    scale = side / max(logo.shape[:2])
    small = cv2.resize(logo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if small.ndim != 3 or min(small.shape[:2]) < 2:
        return
    height, width = canvas.shape[:2]
    x, y = rng.randint(0, max(0, width - small.shape[1])), rng.randint(0, max(0, height - small.shape[0]))
    small = small[: height - y, : width - x]
    alpha = small[..., 3:].astype(np.float32) / 255
    under = canvas[y : y + small.shape[0], x : x + small.shape[1]]
    ink = small[..., :3].astype(np.float32)
    if rng.random() < 0.35:
        ink = np.broadcast_to(np.float32(contrasting(rng, tuple(int(v) for v in under.mean((0, 1))))), ink.shape)
    under[:] = (under * (1 - alpha) + ink * alpha).astype(np.uint8)
