"""What the detector misses and what it takes for a logo, in pictures of our own making: one condition at a time."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..scenes import backgrounds, damage, text
from ..scenes.artwork import Artwork
from ..vision_evaluation.labelled import VMWARE
from ..vision_evaluation.matching import Detection, Rectangle, Truth, judge
from .evaluation import detections
from .looking import Look, Policy, find

SIZE = (640, 480)
EACH = 12
COLUMNS, THUMBNAIL = 4, (240, 180)


@dataclass(frozen=True)
class Condition:
    """How the wordmark stands in a picture. Without a width there is none."""

    name: str
    width: int | None = 120
    turn: float = 0.0
    tilt: float = 0.0
    contrast: float = 90.0
    blur: float = 0.0
    quality: int = 95
    hidden: float = 0.0
    plain_name: bool = False


CONDITIONS = (
    Condition("240 pixels wide", 240), Condition("120 pixels wide"), Condition("60 pixels wide", 60), Condition("40 pixels wide", 40),
    Condition("28 pixels wide", 28), Condition("20 pixels wide", 20), Condition("14 pixels wide", 14),
    Condition("turned by 15 degrees", turn=15), Condition("turned by 40 degrees", turn=40),
    Condition("turned by 65 degrees", turn=65), Condition("turned by 90 degrees", turn=90), Condition("seen from the side", tilt=0.35),
    Condition("little contrast", contrast=30), Condition("hardly any contrast", contrast=12), Condition("blurred", blur=2.0),
    Condition("blurred beyond reading", blur=6.0), Condition("JPEG of quality 20", quality=20), Condition("JPEG of quality 4", quality=4),
    Condition("a third hidden", hidden=0.33), Condition("two thirds hidden", hidden=0.67),
    Condition("no wordmark", None), Condition("the name in plain type, no wordmark", None, plain_name=True),
)


@dataclass(frozen=True)
class Outcome:
    """A condition, how many of its pictures came out right, and the first that did not."""

    condition: Condition
    right: int
    wrong: np.ndarray | None


def probe(look: Look, policy: Policy, artwork: Artwork, threshold: float) -> list[Outcome]:
    """Looks at every condition's pictures."""
    result = []
    for condition in CONDITIONS:
        right, wrong = 0, None
        for number in range(EACH):
            picture, truths = drawn(condition, artwork, random.Random(f"{condition.name} {number}"))
            seen = [one for one in detections(find(look, picture, policy)) if one.brand == VMWARE and one.score >= threshold]
            judged = judge(seen, truths)
            if all(one.hit for one in judged) and len(judged) == len(truths):
                right += 1
            elif wrong is None:
                wrong = marked(picture, seen, truths)
        result.append(Outcome(condition, right, wrong))
    return result


def drawn(condition: Condition, artwork: Artwork, rng: random.Random) -> tuple[np.ndarray, list[Truth]]:
    """A plain ground with a few lines of type, and the wordmark under the condition."""
    ground = backgrounds.colour(rng)
    canvas = backgrounds.gradient(SIZE, ground, tuple(int(value * rng.uniform(0.8, 1)) for value in ground), rng)
    ink = backgrounds.contrasting(rng, ground, condition.contrast)
    for line in range(4):
        words = text.mask("VMware" if condition.plain_name and line == 2 else " ".join(rng.choices(text.WORDS, k=3)), rng, rng.randint(14, 34))
        backgrounds.put(canvas, words[:, : SIZE[0] - 40], rng.randint(10, 30), 20 + 50 * line, backgrounds.contrasting(rng, ground))
    truths = []
    if condition.width:
        truths.append(_set(canvas, artwork.mark(VMWARE, rng)[..., 3], condition, ink, rng))
    if condition.blur:
        canvas = cv2.GaussianBlur(canvas, (0, 0), condition.blur)
    return damage.jpeg(canvas, condition.quality), truths


def _set(canvas: np.ndarray, mark: np.ndarray, condition: Condition, ink: tuple[int, int, int], rng: random.Random) -> Truth:
    tall, wide = mark.shape
    scale, turn = condition.width / wide, math.radians(condition.turn)
    corners = np.float32([[0, 0], [wide, 0], [wide, tall], [0, tall]])
    placed = (corners - (wide / 2, tall / 2)) * scale
    placed[:, 1] *= np.float32([1 + condition.tilt, 1 - condition.tilt, 1 - condition.tilt, 1 + condition.tilt])
    placed[:, 0] *= 1 - condition.tilt
    placed = placed @ np.float32([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    reach = placed.max(0)
    middle = (rng.uniform(reach[0] + 10, SIZE[0] - reach[0] - 10), rng.uniform(240 + reach[1], SIZE[1] - reach[1] - 10))
    small = cv2.GaussianBlur(mark, (0, 0), 0.4 / scale) if scale < 0.5 else mark  # a warp alone would alias
    warp = cv2.getPerspectiveTransform(corners, (placed + np.float32(middle)).astype(np.float32))
    cover = cv2.warpPerspective(small, warp, SIZE)
    if condition.hidden:
        columns = np.flatnonzero((cover > 80).any(0))
        cover[:, columns[int(len(columns) * (1 - condition.hidden))] :] = 0
    share = cover[..., None].astype(np.float32) / 255
    canvas[:] = (canvas * (1 - share) + np.float32(ink) * share).astype(np.uint8)
    rows, columns = np.flatnonzero((cover > 80).any(1)), np.flatnonzero((cover > 80).any(0))
    return Truth(VMWARE, Rectangle(float(columns[0]), float(rows[0]), float(columns[-1] + 1 - columns[0]), float(rows[-1] + 1 - rows[0])))


def marked(picture: np.ndarray, seen: list[Detection], truths: list[Truth]) -> np.ndarray:
    """The picture with the wordmark's place in green and what was reported in red."""
    result = picture.copy()
    for bounds, colour in [(one.bounds, (0, 160, 0)) for one in truths] + [(one.bounds, (220, 0, 0)) for one in seen]:
        low = (round(bounds.x) - 3, round(bounds.y) - 3)
        cv2.rectangle(result, low, (round(bounds.x + bounds.width) + 3, round(bounds.y + bounds.height) + 3), colour, 3)
    return result


def write(folder: Path, outcomes: list[Outcome]) -> list[str]:
    """The card's table, and failures.png beside it: one picture a condition that has any."""
    lines = ["| condition | right |", "|---|---|"]
    lines += [f"| {one.condition.name} | {one.right} of {EACH} |" for one in outcomes]
    wrong = [(one.condition.name, cv2.resize(one.wrong, THUMBNAIL, interpolation=cv2.INTER_AREA)) for one in outcomes if one.wrong is not None]
    path = folder / "failures.png"
    path.unlink(missing_ok=True)
    if wrong:
        blank = np.full((THUMBNAIL[1], THUMBNAIL[0], 3), 255, np.uint8)
        tiles = [picture for _, picture in wrong] + [blank] * (-len(wrong) % COLUMNS)
        sheet = np.vstack([np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)])
        cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_PNG_COMPRESSION, 9))
        names = ", ".join(name for name, _ in wrong)
        lines += ["", f"The first failure of each, row by row: {names}.", "", "![Failures: the wordmark's place in green, reports in red](failures.png)"]
    return lines
