"""Training samples: crops and whole pictures of FlickrLogos-27, mosaics, pasted logos, scenes, and negatives."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ...pictures import flickrlogos
from ...pictures.image_files import read_rgb
from ...pictures.scenes import backgrounds, distortions
from ...pictures.scenes.scene import SceneMaker
from .labels import INDEX, LABELS
from .views import GREY

# A logo of which this share is visible counts; one with less, but more than the second share, is ignored.
MIN_VISIBLE, MIN_IGNORED = 0.55, 0.12


@dataclass(frozen=True)
class Sample:
    """A square picture (RGB), its boxes and labels, regions that don't count, and which labels it was checked for."""

    picture: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    ignored: np.ndarray
    checked: np.ndarray


@dataclass(frozen=True)
class Annotated:
    """A picture's file with its boxes (n, 4; x1 y1 x2 y2 in pixels) and their labels (n)."""

    path: Path
    boxes: np.ndarray
    labels: np.ndarray


ALL = np.ones(len(LABELS), np.float32)
# The pictures of negatives/ were checked for VMware only.
VMWARE_ONLY = np.float32([name == "vmware" for name in LABELS])


def annotated(data: Path) -> list[Annotated]:
    """The training pictures of FlickrLogos-27, sorted."""
    result = []
    for path, logos in sorted(flickrlogos.read(data, "train").items()):
        unknown = {one.brand for one in logos} - set(INDEX)
        if unknown:
            raise ValueError(f"{path.name}: the detector has no label {', '.join(sorted(unknown))}")
        boxes = np.float32([one[1:] for one in logos])
        result.append(Annotated(path, boxes, np.int64([INDEX[one.brand] for one in logos])))
    return result


class Sampler:
    """Draws samples, each source with its share."""

    SHARES = {"crop": 0.27, "whole": 0.18, "mosaic": 0.08, "paste": 0.13, "scene": 0.25, "negative": 0.09}

    def __init__(self, data: Path) -> None:
        self.scenes = SceneMaker(data)
        self.everyday = backgrounds.Photos(data, ("everyday",))
        self.negatives = backgrounds.Photos(data, ("negatives",))
        self.annotated = annotated(data)
        self.by_label: dict[int, list[tuple[Annotated, int]]] = {}
        for item in self.annotated:
            for index, name in enumerate(item.labels):
                self.by_label.setdefault(int(name), []).append((item, index))
        self.pictures: dict[Path, np.ndarray] = {}

    def draw(self, rng: random.Random, size: int) -> Sample:
        """A sample of `size` pixels a side."""
        source = rng.choices(list(self.SHARES), list(self.SHARES.values()))[0]
        return getattr(self, f"_{source}")(rng, size)

    def _picture(self, item: Annotated) -> np.ndarray:
        if item.path not in self.pictures:
            self.pictures[item.path] = read_rgb(item.path)
        return self.pictures[item.path]

    def _any(self, rng: random.Random) -> tuple[Annotated, int]:
        """A box of a label, all labels equally likely: its picture, and its index there."""
        return rng.choice(self.by_label[rng.choice(list(self.by_label))])

    def _crop(self, rng: random.Random, size: int) -> Sample:
        """A box anywhere in the sample, its size drawn evenly on a logarithmic scale."""
        item, index = self._any(rng)
        box = item.boxes[index]
        side = max(box[2] - box[0], box[3] - box[1])
        wanted = math.exp(rng.uniform(math.log(24), math.log(size * 0.95)))
        scale = min(wanted / side, 3.0)
        return self._warped(rng, size, item, scale, box)

    def _whole(self, rng: random.Random, size: int) -> Sample:
        """The whole picture, as inference sees it."""
        item, _ = self._any(rng)
        longest = max(self._picture(item).shape[:2])
        return self._warped(rng, size, item, size / longest * rng.uniform(0.75, 1.05), None)

    def _warped(self, rng: random.Random, size: int, item: Annotated, scale: float, around: np.ndarray | None) -> Sample:
        picture = self._picture(item)
        height, width = picture.shape[:2]
        turn = math.radians(rng.gauss(0, 5) if rng.random() < 0.9 else rng.uniform(-30, 30))
        stretch = math.exp(rng.uniform(-0.2, 0.2))
        linear = np.float32([[math.cos(turn), math.sin(turn) + rng.gauss(0, 0.05)], [-math.sin(turn), math.cos(turn)]])
        linear = linear @ np.diag(np.float32([scale * math.sqrt(stretch), scale / math.sqrt(stretch)]))
        if around is None:
            middle = np.float32([width / 2, height / 2])
            room = np.maximum(np.float32(size) - np.abs(linear) @ np.float32([width, height]), size * 0.08) / 2
        else:
            middle = np.float32([(around[0] + around[2]) / 2, (around[1] + around[3]) / 2])
            room = np.maximum(np.float32(size) - np.abs(linear) @ np.float32([around[2] - around[0], around[3] - around[1]]), 0) / 2
        goal = np.float32([size / 2 + rng.uniform(-room[0], room[0]), size / 2 + rng.uniform(-room[1], room[1])])
        shift = goal - linear @ middle
        matrix = np.concatenate((linear, shift[:, None]), 1)
        smaller = scale < 1
        if scale < 0.5:  # a warp alone would alias
            picture = cv2.GaussianBlur(picture, (0, 0), 0.35 / scale)
        canvas = self._beyond(rng, size)
        inside = cv2.warpAffine(np.full((height, width), 255, np.uint8), matrix, (size, size), flags=cv2.INTER_NEAREST)
        moved = cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        canvas[inside > 0] = moved[inside > 0]
        boxes, labels, ignored = _warp_boxes(item, matrix, size)
        return Sample(_distorted(canvas, rng), boxes, labels, ignored, ALL)

    def _beyond(self, rng: random.Random, size: int) -> np.ndarray:
        """What fills the sample beyond a picture's border: grey as in inference, one colour, or another photo."""
        chance = rng.random()
        if chance < 0.5:
            return np.full((size, size, 3), GREY, np.uint8)
        if chance < 0.65:
            return np.full((size, size, 3), backgrounds.colour(rng), np.uint8)
        return self.everyday.crop(rng, (size, size))

    def _mosaic(self, rng: random.Random, size: int) -> Sample:
        """Four samples around a point."""
        x, y = int(size * rng.uniform(0.35, 0.65)), int(size * rng.uniform(0.35, 0.65))
        canvas = np.zeros((size, size, 3), np.uint8)
        parts: list[list[np.ndarray]] = [[], [], []]
        for left, top, right, bottom in ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)):
            side = max(right - left, bottom - top)
            sample = self._whole(rng, side) if rng.random() < 0.6 else self._crop(rng, side)
            canvas[top:bottom, left:right] = sample.picture[: bottom - top, : right - left]
            kept, names, hidden = _clipped(sample.boxes, sample.labels, right - left, bottom - top)
            corner = np.float32([left, top, left, top])
            parts[0].append(kept + corner)
            parts[1].append(names)
            cut = np.minimum(np.concatenate((hidden, sample.ignored)), np.float32([right - left, bottom - top] * 2))
            parts[2].append(cut + corner)
        boxes, labels, ignored = (np.concatenate(part) for part in parts)
        return Sample(canvas, boxes, labels, ignored, ALL)

    def _paste(self, rng: random.Random, size: int) -> Sample:
        """Logos cut out of their pictures, warped and pasted onto another background."""
        everyday = rng.random() < 0.75
        canvas = self.everyday.crop(rng, (size, size)) if everyday else backgrounds.screen(rng, (size, size), self.scenes.artwork)
        boxes: list[tuple[float, ...]] = []
        labels: list[int] = []
        for _ in range(rng.choice((1, 2, 3, 4))):
            item, index = self._any(rng)
            picture, (x1, y1, x2, y2) = self._picture(item), item.boxes[index]
            margin = rng.uniform(0, 0.12) * max(x2 - x1, y2 - y1)
            left, top = max(0, int(x1 - margin)), max(0, int(y1 - margin))
            patch = picture[top : int(y2 + margin) + 1, left : int(x2 + margin) + 1]
            wanted = math.exp(rng.uniform(math.log(20), math.log(size * 0.7)))
            scale = min(wanted / max(patch.shape[:2]), 2.5)
            corners = np.float32([[0, 0], [patch.shape[1], 0], [patch.shape[1], patch.shape[0]], [0, patch.shape[0]]])
            turn = math.radians(rng.gauss(0, 8))
            spin = np.float32([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
            bent = (corners * scale * np.float32([math.exp(rng.uniform(-0.2, 0.2)), 1])) @ spin
            bent += np.float32([[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(4)]) * 0.06 * wanted
            bent -= bent.min(0)
            extent = bent.max(0)
            if (extent >= size).any():
                continue
            bent += np.float32([rng.uniform(0, size - extent[0]), rng.uniform(0, size - extent[1])])
            homography = cv2.getPerspectiveTransform(corners, bent.astype(np.float32))
            inner = np.float32([[[x1 - left, y1 - top], [x2 - left, y1 - top], [x2 - left, y2 - top], [x1 - left, y2 - top]]])
            inner = cv2.perspectiveTransform(inner, homography)[0]
            box = (*inner.min(0), *inner.max(0))
            if any(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in boxes):
                continue
            if scale < 0.5:
                patch = cv2.GaussianBlur(patch, (0, 0), 0.35 / scale)
            whole = np.full(patch.shape[:2], 255, np.uint8)
            alpha = cv2.warpPerspective(whole, homography, (size, size)).astype(np.float32) / 255
            if rng.random() < 0.6:
                alpha = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.5, 3))
            bent_patch = cv2.warpPerspective(patch, homography, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            canvas = (canvas * (1 - alpha[..., None]) + bent_patch * alpha[..., None]).astype(np.uint8)
            boxes.append(box)
            labels.append(int(item.labels[index]))
        return Sample(_distorted(canvas, rng), _array(boxes), np.int64(labels), _array([]), ALL)

    def _scene(self, rng: random.Random, size: int) -> Sample:
        # Enlarged tiles show small wordmarks blurred: a third of the scenes are drawn small, then enlarged.
        drawn = round(size / rng.uniform(1.3, 2.2)) if rng.random() < 0.35 else size
        scene = self.scenes.make(rng, (drawn, drawn), (40 * drawn / size, drawn * 0.98))
        picture = scene.picture if drawn == size else cv2.resize(scene.picture, (size, size), interpolation=cv2.INTER_CUBIC)
        boxes = _array([(box.x1, box.y1, box.x2, box.y2) for box in scene.boxes]) * np.float32(size / drawn)
        return Sample(picture, boxes, np.int64([INDEX[box.brand] for box in scene.boxes]), _array([]), VMWARE_ONLY)

    def _negative(self, rng: random.Random, size: int) -> Sample:
        everyday = rng.random() < 0.4
        picture = (self.everyday if everyday else self.negatives).crop(rng, (size, size))
        return Sample(_distorted(picture, rng), _array([]), np.int64([]), _array([]), ALL if everyday else VMWARE_ONLY)


def _array(boxes: list[tuple[float, ...]]) -> np.ndarray:
    return np.float32(boxes).reshape(-1, 4)


def _warp_boxes(item: Annotated, matrix: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An item's boxes after an affine map, as the boxes around their inscribed ellipses, clipped to the sample.

    The box around a rotated rectangle would be too large for most logos, which seldom fill its corners.
    """
    centre = (item.boxes[:, :2] + item.boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = (item.boxes[:, 2:] - item.boxes[:, :2]) / 2
    around = np.sqrt((half[:, None, :] ** 2) @ (matrix[:, :2].T[None] ** 2))[:, 0]
    straight = half * np.abs(np.diag(matrix[:, :2]))
    around = np.maximum(around, straight)
    return _clipped(np.concatenate((centre - around, centre + around), 1).astype(np.float32), item.labels, size, size)


def _clipped(boxes: np.ndarray, labels: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes that are visible enough, their labels, and the ignored regions of those that are partly visible."""
    if not len(boxes):
        return _array([]), np.int64([]), _array([])
    cut = np.clip(boxes, 0, np.float32([width, height, width, height]))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    shown = np.clip(cut[:, 2:] - cut[:, :2], 0, None).prod(1) / np.maximum(areas, 1e-6)
    large = np.max(cut[:, 2:] - cut[:, :2], axis=1) >= 10
    counts = (shown >= MIN_VISIBLE) & large
    ignored = ((shown >= MIN_IGNORED) | ~large) & ~counts & (shown > 0)
    return cut[counts], labels[counts], cut[ignored]


def _distorted(picture: np.ndarray, rng: random.Random) -> np.ndarray:
    """Light, blur and JPEG, mildly: these are photos already."""
    if rng.random() < 0.6:
        picture = distortions.light(picture, rng)
    if rng.random() < 0.3:
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.int16)
        hsv[..., 0] = (hsv[..., 0] + rng.randint(-8, 8)) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 1.4), 0, 255)
        picture = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    if rng.random() < 0.06:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < 0.2:
        picture = distortions.blur(picture, rng, 1.2)
    return distortions.stored(picture, rng) if rng.random() < 0.6 else picture
