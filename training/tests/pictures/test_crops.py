"""Windows around logos, and crops that are drawn from scenes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.pictures.crops.window import (
    CORE_HEIGHT,
    CORE_WIDTH,
    CORE_X,
    CORE_Y,
    FILL,
    HEIGHT,
    ROOM,
    WIDTH,
    Core,
    cut,
    fitted,
    overlap,
)


@pytest.mark.parametrize("box", [(10, 20, 85, 32), (0, 0, 20, 40), (5.5, 7, 305.5, 95)])
def test_a_fitted_core_is_the_smallest_that_holds_the_box_with_room(box: tuple[float, ...]) -> None:
    left, top, right, bottom = fitted(*box).rectangle()
    assert (left + right) / 2 == pytest.approx((box[0] + box[2]) / 2) and (top + bottom) / 2 == pytest.approx((box[1] + box[3]) / 2)
    room = min((right - left) / (box[2] - box[0]), (bottom - top) / (box[3] - box[1]))
    assert room == pytest.approx(ROOM)
    assert (right - left) / (bottom - top) == pytest.approx(CORE_WIDTH / CORE_HEIGHT)


def test_a_window_at_its_own_scale_is_the_picture_itself() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (90, 160, 3), dtype=np.uint8)
    core = Core(30 + CORE_X + CORE_WIDTH / 2, 20 + CORE_Y + CORE_HEIGHT / 2, 1.0)
    assert core.window() == (30, 20, 30 + WIDTH, 20 + HEIGHT)
    assert (cut(Image.fromarray(pixels), core) == pixels[20 : 20 + HEIGHT, 30 : 30 + WIDTH]).all()


def test_what_lies_outside_the_picture_is_grey() -> None:
    picture = Image.new("RGB", (CORE_WIDTH, CORE_HEIGHT), (200, 10, 10))
    window = cut(picture, fitted(0, 0, CORE_WIDTH, CORE_HEIGHT))
    assert (window[:CORE_Y] == FILL).all() and (window[:, : CORE_X - 1] == FILL).all()
    assert (window[CORE_Y + CORE_HEIGHT // 2, CORE_X + 4 : CORE_X + CORE_WIDTH - 4] == (200, 10, 10)).all()
    assert (cut(picture, Core(-1000, -1000, 2)) == FILL).all()


def test_overlap_is_that_of_rectangles() -> None:
    core = Core(0, 0, 1)
    assert overlap(core, core) == 1
    assert overlap(core, Core(CORE_WIDTH / 2, 0, 1)) == pytest.approx(1 / 3)
    assert overlap(core, Core(0, 0, 2)) == pytest.approx(1 / 4)
    assert overlap(core, Core(CORE_WIDTH, 0, 1)) == 0


@pytest.fixture(scope="module")
def sampler(picture_data: Path):
    from training.pictures.crops.sampler import CropSampler

    return CropSampler(picture_data)


def test_crops_of_every_category_are_drawn_and_the_same_again_from_the_same_seed(sampler) -> None:
    from training.pictures.crops.sampler import CATEGORIES

    rng = random.Random(3)
    crops = [crop for _ in range(3) for crop in sampler.draw(rng)]
    assert {crop.category for crop in crops} == set(CATEGORIES)
    assert all(crop.pixels.shape == (HEIGHT, WIDTH, 3) and crop.pixels.dtype == np.uint8 for crop in crops)
    again = random.Random(3)
    repeated = [crop for _ in range(3) for crop in sampler.draw(again)]
    assert all((one.pixels == other.pixels).all() and one.category == other.category for one, other in zip(crops, repeated, strict=True))


def test_no_held_out_picture_is_read(sampler, picture_data: Path) -> None:
    from training.pictures.hold_outs import is_held_out

    read = [path for path in sampler.photos if path.parent.name in ("negatives", "everyday")]
    assert read and not any(is_held_out(path) for path in read)
    assert {path.parent.parent for path in sampler.photos} <= {picture_data, picture_data / "flickrlogos27"}


def test_shifted_and_rescaled_windows_meet_no_logo() -> None:


    from training.pictures.crops.sampler import (
        MAX_NEGATIVE_IOU,
        _rescaled,
        _shifted,
        jittered,
    )

    rng, core = random.Random(5), fitted(100, 100, 175, 112)
    for _ in range(200):
        shifted = _shifted(core, rng)
        assert shifted is None or overlap(core, shifted) < MAX_NEGATIVE_IOU
        assert overlap(core, _rescaled(core, rng)) < MAX_NEGATIVE_IOU
        assert overlap(core, jittered(core, rng)) > 2 * MAX_NEGATIVE_IOU * 0.7
