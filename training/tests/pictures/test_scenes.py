"""Scenes: the same seed draws the same picture, boxes lie where the wordmark is, the split is pinned."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from training.pictures import hold_outs
from training.pictures.scenes.scene import SceneMaker

PINNED = {"negatives": [False, True, False, True], "everyday": [False, True, False, True]}


@pytest.fixture(scope="module")
def maker(picture_data: Path) -> SceneMaker:
    return SceneMaker(picture_data)


def test_the_split_is_pinned() -> None:
    # Another hash or share would train on pictures that were held out before.
    names = ["photo_000.jpg", "photo_001.jpg", "photo_002.jpg", "screen_000.jpg"]
    assert [hold_outs.is_held_out(Path("negatives") / name) for name in names] == PINNED["negatives"]
    assert [hold_outs.is_held_out(Path("everyday") / name) for name in names] == PINNED["everyday"]


def test_the_same_seed_draws_the_same_scene(maker: SceneMaker) -> None:
    one, other = (maker.make(random.Random(5), (256, 256)) for _ in range(2))
    assert np.array_equal(one.picture, other.picture)
    assert one.boxes == other.boxes


def test_boxes_lie_in_the_scene_and_are_large_enough_to_be_read(maker: SceneMaker) -> None:
    rng = random.Random(1)
    boxes = [box for _ in range(40) for box in maker.make(rng, (320, 256)).boxes]
    assert len(boxes) > 20
    for box in boxes:
        assert 0 <= box.x1 < box.x2 <= 320
        assert 0 <= box.y1 < box.y2 <= 256
        assert box.x2 - box.x1 >= 14
