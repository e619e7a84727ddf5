"""How the detector does under one condition at a time, in pictures drawn here; the card shows the failures."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from ...pictures.labelled import VMWARE
from ...pictures.matching import Detection, GroundTruth, Rectangle, match
from ...pictures.scenes import backgrounds, distortions, text
from ...pictures.scenes.artwork import Artwork
from .evaluation import as_detections
from .inference import Model, detect
from .views import Policy

SIZE = (640, 480)


@dataclass(frozen=True)
class Condition:
    """How the wordmark is set in a picture. Without a width there is none."""

    name: str
    width: int | None = 120
    rotation: float = 0.0
    tilt: float = 0.0
    contrast: float = 90.0
    blur: float = 0.0
    quality: int = 95
    hidden: float = 0.0
    plain_name: bool = False


CONDITIONS = (
    Condition("240 pixels wide", 240), Condition("120 pixels wide"), Condition("60 pixels wide", 60), Condition("40 pixels wide", 40),
    Condition("28 pixels wide", 28), Condition("20 pixels wide", 20), Condition("14 pixels wide", 14),
    Condition("turned by 15 degrees", rotation=15), Condition("turned by 40 degrees", rotation=40),
    Condition("turned by 65 degrees", rotation=65), Condition("turned by 90 degrees", rotation=90), Condition("seen from the side", tilt=0.35),
    Condition("little contrast", contrast=30), Condition("hardly any contrast", contrast=12), Condition("blurred", blur=2.0),
    Condition("blurred beyond reading", blur=6.0), Condition("JPEG of quality 20", quality=20), Condition("JPEG of quality 4", quality=4),
    Condition("a third hidden", hidden=0.33), Condition("two thirds hidden", hidden=0.67),
    Condition("no wordmark", None), Condition("the name in plain type, no wordmark", None, plain_name=True),
)


@dataclass(frozen=True)
class Outcome:
    """A condition, in how many of its pictures the detector was right, and the first picture where it was wrong, with its
    boxes drawn."""

    condition: Condition
    right: int
    failure: np.ndarray | None


def evaluate(model: Model, policy: Policy, artwork: Artwork, threshold: float, each: int) -> list[Outcome]:
    """Runs the model on `each` pictures of every condition."""
    result = []
    for condition in CONDITIONS:
        right, failure = 0, None
        for number in range(each):
            picture, truths = draw(condition, artwork, random.Random(f"{condition.name} {number}"))
            reports = [one for one in as_detections(detect(model, picture, policy)) if one.brand == VMWARE and one.score >= threshold]
            matches = match(reports, truths)
            if all(one.hit for one in matches) and len(matches) == len(truths):
                right += 1
            elif failure is None:
                failure = _with_boxes(picture, reports, truths)
        result.append(Outcome(condition, right, failure))
    return result


def draw(condition: Condition, artwork: Artwork, rng: random.Random) -> tuple[np.ndarray, list[GroundTruth]]:
    """A plain background with a few lines of text, and the wordmark under the condition."""
    background = backgrounds.colour(rng)
    canvas = backgrounds.gradient(SIZE, background, tuple(int(value * rng.uniform(0.8, 1)) for value in background), rng)
    ink = backgrounds.contrasting(rng, background, condition.contrast)
    for line in range(4):
        words = text.mask("VMware" if condition.plain_name and line == 2 else " ".join(rng.choices(text.WORDS, k=3)), rng, rng.randint(14, 34))
        backgrounds.put(canvas, words[:, : SIZE[0] - 40], rng.randint(10, 30), 20 + 50 * line, backgrounds.contrasting(rng, background))
    truths = []
    if condition.width:
        truths.append(_place(canvas, artwork.mark(VMWARE, rng)[..., 3], condition, ink, rng))
    if condition.blur:
        canvas = cv2.GaussianBlur(canvas, (0, 0), condition.blur)
    return distortions.jpeg(canvas, condition.quality), truths


def _place(canvas: np.ndarray, mark: np.ndarray, condition: Condition, ink: tuple[int, int, int], rng: random.Random) -> GroundTruth:
    """Sets the wordmark onto the canvas and gives its box."""
    height, width = mark.shape
    scale, angle = condition.width / width, math.radians(condition.rotation)
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    placed = (corners - (width / 2, height / 2)) * scale
    placed[:, 1] *= np.float32([1 + condition.tilt, 1 - condition.tilt, 1 - condition.tilt, 1 + condition.tilt])
    placed[:, 0] *= 1 - condition.tilt
    placed = placed @ np.float32([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    reach = placed.max(0)
    centre = (rng.uniform(reach[0] + 10, SIZE[0] - reach[0] - 10), rng.uniform(240 + reach[1], SIZE[1] - reach[1] - 10))
    smooth = cv2.GaussianBlur(mark, (0, 0), 0.4 / scale) if scale < 0.5 else mark  # a warp alone would alias
    warp = cv2.getPerspectiveTransform(corners, (placed + np.float32(centre)).astype(np.float32))
    cover = cv2.warpPerspective(smooth, warp, SIZE)
    if condition.hidden:
        columns = np.flatnonzero((cover > 80).any(0))
        cover[:, columns[int(len(columns) * (1 - condition.hidden))] :] = 0
    share = cover[..., None].astype(np.float32) / 255
    canvas[:] = (canvas * (1 - share) + np.float32(ink) * share).astype(np.uint8)
    rows, columns = np.flatnonzero((cover > 80).any(1)), np.flatnonzero((cover > 80).any(0))
    x, y = float(columns[0]), float(rows[0])
    return GroundTruth(VMWARE, Rectangle(x, y, float(columns[-1] + 1) - x, float(rows[-1] + 1) - y))


def _with_boxes(picture: np.ndarray, reports: list[Detection], truths: list[GroundTruth]) -> np.ndarray:
    """The picture with the wordmark's box in green and the reports in red."""
    result = picture.copy()
    for bounds, colour in [(one.bounds, (0, 160, 0)) for one in truths] + [(one.bounds, (220, 0, 0)) for one in reports]:
        corner = (round(bounds.x) - 3, round(bounds.y) - 3)
        cv2.rectangle(result, corner, (round(bounds.x + bounds.width) + 3, round(bounds.y + bounds.height) + 3), colour, 3)
    return result
