"""Distortions by cameras, screens and networks: blur, glare, noise, colour, scaling and JPEG."""

from __future__ import annotations

import random

import cv2
import numpy as np


def glare(canvas: np.ndarray, rng: random.Random) -> np.ndarray:
    """A soft bright spot, as of a lamp on glossy paper."""
    height, width = canvas.shape[:2]
    y, x = np.ogrid[:height, :width]
    spread = rng.uniform(0.1, 0.6) * max(height, width)
    spot = np.exp(-(((x - rng.uniform(0, width)) ** 2 + (y - rng.uniform(0, height)) ** 2) / (2 * spread**2)))
    return np.clip(canvas + (spot * rng.uniform(40, 160))[..., None], 0, 255).astype(np.uint8)


def blur(canvas: np.ndarray, rng: random.Random, strongest: float) -> np.ndarray:
    """Blur by focus or by motion."""
    if rng.random() < 0.7:
        return cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, strongest))
    length = rng.randint(2, max(3, int(strongest * 4)))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(canvas, -1, kernel / max(kernel.sum(), 1e-6))


def light(canvas: np.ndarray, rng: random.Random) -> np.ndarray:
    """Brightness, contrast, gamma, and a colour cast."""
    values = np.arange(256, dtype=np.float32) / 255
    curve = np.clip(values ** rng.uniform(0.6, 1.6) * rng.uniform(0.75, 1.2) + rng.uniform(-0.08, 0.08), 0, 1)
    channels = [np.clip(curve * rng.uniform(0.88, 1.1) * 255, 0, 255).astype(np.uint8) for _ in range(3)]
    return cv2.LUT(canvas, np.stack(channels, -1)[None])


def jpeg(canvas: np.ndarray, quality: int) -> np.ndarray:
    """Through JPEG and back."""
    _, encoded = cv2.imencode(".jpg", canvas, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)


def as_photographed(canvas: np.ndarray, rng: random.Random, *, strongest_blur: float = 1.6) -> np.ndarray:
    """A photo: every distortion, each with a probability of its own."""
    if rng.random() < 0.15:
        canvas = glare(canvas, rng)
    if rng.random() < 0.45:
        canvas = blur(canvas, rng, strongest_blur)
    if rng.random() < 0.7:
        canvas = light(canvas, rng)
    if rng.random() < 0.06:
        canvas = np.repeat(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < 0.3:
        grain = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(2, 12), canvas.shape)
        canvas = np.clip(canvas + grain, 0, 255).astype(np.uint8)
    return stored(canvas, rng)


def as_captured(canvas: np.ndarray, rng: random.Random) -> np.ndarray:
    """A screenshot: no camera, but scaled down now and then, and stored."""
    if rng.random() < 0.15:
        canvas = blur(canvas, rng, 0.8)
    if rng.random() < 0.15:
        canvas = light(canvas, rng)
    return stored(canvas, rng)


def stored(canvas: np.ndarray, rng: random.Random) -> np.ndarray:
    """As social networks store pictures: scaled down and up again, JPEG of any quality."""
    height, width = canvas.shape[:2]
    if rng.random() < 0.25:
        share = rng.uniform(0.55, 0.95)
        small = cv2.resize(canvas, None, fx=share, fy=share, interpolation=rng.choice((cv2.INTER_AREA, cv2.INTER_LINEAR)))
        canvas = cv2.resize(small, (width, height), interpolation=rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    return jpeg(canvas, rng.randint(28, 95)) if rng.random() < 0.75 else canvas
