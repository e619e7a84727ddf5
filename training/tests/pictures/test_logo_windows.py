"""The talk's network in PyTorch, its quantization, its pyramid and its metrics."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from training.models.logo_windows.architecture import map_size
from training.models.logo_windows.pyramid import (
    NARROWEST_CORE,
    RATIO,
    Candidate,
    detect,
    level,
    suppress,
    zooms,
)
from training.models.logo_windows.quantization import pack, quantize
from training.pictures.crops.window import (
    CORE_HEIGHT,
    CORE_WIDTH,
    CORE_X,
    CORE_Y,
    FILL,
    HEIGHT,
    WIDTH,
    Core,
)


def test_a_map_has_one_score_every_four_pixels() -> None:
    assert map_size(WIDTH, HEIGHT) == (1, 1)
    assert map_size(WIDTH + 3, HEIGHT + 4) == (2, 1)
    assert map_size(640, 480) == (108, 135)
    with pytest.raises(ValueError, match="are smaller than a window"):
        map_size(WIDTH - 1, HEIGHT)


@pytest.mark.parametrize("bits", [8, 4])
def test_rounded_weights_are_near_and_fit_their_bits(bits: int) -> None:
    weights = np.random.default_rng(1).normal(0, 0.05, (6, 8, 3, 5)).astype(np.float32)
    stored = quantize(weights, bits)
    assert np.abs(stored.values).max() <= (127 if bits == 8 else 7)
    error = np.sqrt(((stored.restored() - weights) ** 2).mean() / (weights**2).mean())
    assert error < (0.01 if bits == 8 else 0.15)


def test_two_numbers_a_byte_come_apart_again() -> None:
    values = np.random.default_rng(2).integers(-8, 8, (3, 4, 2, 2)).astype(np.int8)
    pairs = pack(values)
    assert (np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(int) - 8 == values).all()


def test_the_pyramid_goes_from_the_narrowest_core_to_one_as_large_as_the_picture() -> None:
    found = zooms(640, 480)
    assert found[0] * CORE_WIDTH == pytest.approx(NARROWEST_CORE)
    assert all(later / earlier == pytest.approx(RATIO) for earlier, later in itertools.pairwise(found))
    assert 640 * 1.05 / RATIO < found[-1] * CORE_WIDTH <= 640 * 1.05


def test_the_frame_puts_the_first_core_onto_the_first_pixels() -> None:
    pixels = level(Image.new("RGB", (200, 100), (9, 9, 9)), 1.0)
    assert pixels.shape == (100 + HEIGHT - CORE_HEIGHT, 200 + WIDTH - CORE_WIDTH, 3)
    assert (pixels[:CORE_Y] == FILL).all() and (pixels[:, :CORE_X] == FILL).all()
    assert (pixels[CORE_Y : CORE_Y + 100, CORE_X : CORE_X + 200] == 9).all()


def test_a_score_becomes_a_core_in_pixels_of_the_picture() -> None:
    def one_score(pixels: np.ndarray) -> np.ndarray:
        found = np.zeros(map_size(pixels.shape[1], pixels.shape[0]), np.float32)
        found[2, 5] = 0.9
        return found

    (found,) = detect(Image.new("RGB", (400, 300)), one_score, 0.5, [2.0])
    assert found.core.rectangle() == (40, 16, 40 + 2 * CORE_WIDTH, 16 + 2 * CORE_HEIGHT)


def test_of_cores_that_overlap_the_best_stays() -> None:
    best, beside, larger, far = Core(100, 50, 1), Core(108, 50, 1), Core(104, 52, 2), Core(400, 50, 1)
    kept = suppress([Candidate(beside, 0.8), Candidate(best, 0.9), Candidate(larger, 0.85), Candidate(far, 0.4)])
    assert [found.core for found in kept] == [best, far]


def test_the_threshold_is_the_lowest_with_few_false_alarms() -> None:

    from training.models.logo_windows.false_alarms import choose_threshold, per_picture

    rows = [{"folder": "negatives", "scores": [0.97, 0.6]}] + [{"folder": "everyday", "scores": []}] * 19
    assert per_picture(rows, 0.5) == {"all": 0.1, "negatives": 2.0, "everyday": 0.0}
    assert choose_threshold(rows) == 0.7
    assert choose_threshold([{"folder": "negatives", "scores": [0.999, 0.85]}]) == 0.9


def test_precision_and_recall_are_the_talks() -> None:


    from training.models.logo_windows.evaluation import metrics

    logo = np.array([True] * 182 + [False] * 858)
    found = metrics(logo, np.array([True] * 140 + [False] * 42 + [True] * 3 + [False] * 855))
    assert found["confusion"] == [[140, 42], [3, 855]]
    assert (found["macro_precision"], found["macro_recall"]) == (0.9661, 0.8829)
    assert (found["logo_precision"], found["logo_recall"]) == (0.979, 0.7692)


def test_dense_scores_of_pytorch_equal_those_of_windows() -> None:
    import torch

    from training.models.logo_windows.network import WindowNetwork, normalised

    torch.manual_seed(1)
    network = WindowNetwork().to(memory_format=torch.channels_last).eval()
    picture = torch.randint(0, 256, (1, HEIGHT + 9, WIDTH + 10, 3), dtype=torch.uint8)
    with torch.no_grad():
        dense = network(normalised(picture))
        assert dense.shape[2:] == map_size(WIDTH + 10, HEIGHT + 9)
        for row in range(dense.shape[2]):
            for column in range(dense.shape[3]):
                window = picture[:, row * 4 : row * 4 + HEIGHT, column * 4 : column * 4 + WIDTH]
                assert (network(normalised(window))[0, :, 0, 0] - dense[0, :, row, column]).abs().max() < 1e-4


def test_gradients_are_renormalised_and_the_first_dense_layer_moves_a_tenth_as_much() -> None:
    import torch

    from training.models.logo_windows.network import WindowNetwork
    from training.models.logo_windows.optimizer import RenormalisedAdam

    torch.manual_seed(1)
    network = WindowNetwork()
    before = {name: layer.weight.detach().clone() for name, layer in network.layers().items()}
    optimizer = RenormalisedAdam(network, 1e-3, steps=100, warm_up=1)
    for layer in network.layers().values():
        layer.weight.grad, layer.bias.grad = torch.full_like(layer.weight, 1e4), torch.zeros_like(layer.bias)
    optimizer.step(0)
    moved = {name: float((layer.weight.detach() - before[name]).abs().mean()) for name, layer in network.layers().items()}
    assert moved["dense_1"] == pytest.approx(1e-4, rel=0.02)
    assert moved["conv_1"] == pytest.approx(1e-3, rel=0.02)
    assert moved["dense_2"] == pytest.approx(1e-3, rel=0.02)
